// The plain reader and toml++ agree on every document that the plain reader takes.
#include "cmd/common/toml_tree.hpp"

#include <algorithm>

#include "cmd/common/profile_file.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// toml++ keeps tables sorted by key, and gives the document itself no place.
void sort_members(TomlNode& node) {
    std::ranges::sort(node.members, {}, &TomlMember::key);
    for (TomlMember& member : node.members) {
        sort_members(member.value);
    }
    for (TomlNode& item : node.items) {
        sort_members(item);
    }
}

bool agree(const TomlNode& plain, const TomlNode& any) {
    TomlNode left = plain;
    TomlNode right = any;
    left.place = right.place = {};
    sort_members(left);
    sort_members(right);
    return left == right;
}

/// Whether the plain reader takes the document; then toml++ must take it too and say the same.
bool taken(const std::string& text) {
    const std::optional<TomlNode> plain = read_plain_toml(text);
    if (plain) {
        try {
            BOOST_TEST(agree(*plain, read_any_toml(text, "x")), "they differ on:\n" << text);
        } catch (const Error& error) {
            BOOST_ERROR("toml++ refuses what was taken: " << error.what() << "\n" << text);
        }
    }
    return plain.has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(toml)

BOOST_AUTO_TEST_CASE(the_built_in_profiles_are_plain) {
    for (const FoundProfile& profile : list_profiles({{"profiles"}})) {
        BOOST_TEST(taken(read_profile_file(profile.path)), profile.path);
    }
}

BOOST_AUTO_TEST_CASE(plain_documents_are_taken) {
    for (const std::string text : {
             "",
             "\n",
             "# remark",
             "a = 1",
             "a=\"\"#x\n",
             "\ta\t=\ttrue\t\n",
             "[a]\n[b]\n",
             "[a]\nx = 1\n[a.b]\ny = 2\n",
             "[[a]]\n[[a]]\nx = 1\n",
             "[s]\n[[s.r]]\nx=1\n[[s.r]]\n[t]\n",
             "a = [1, [2, \"x\",], ]",
             "a = [\n# c\n1 # d\n,\n]\n",
             "a = {}",
             "a = { b = 1, c = [ { d = 0xfF } ] }",
             "a = 0",
             "a = 0x0",
             "a = 9223372036854775807",
             "1 = 2",
             "a-b_C = false",
             "a = [[], {}]",
         }) {
        BOOST_TEST(taken(text), text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_plain_is_left_to_toml) {
    for (const std::string text : {
             "a = 'x'",
             "a = \"\\n\"",
             "a = \"\"\"x\"\"\"",
             "a = \"\xc3\xa9\"",
             "# \xc3\xa9",
             "\"a\" = 1",
             "a.b = 1",
             "a = -1",
             "a = 1.5",
             "a = 1e3",
             "a = 1_000",
             "a = 01",
             "a = 0b1",
             "a = 1979-05-27",
             "a = 12:30:00",
             "a = inf",
             "a = True",
             "a = 1\r\n",
             "[a]\n[a]",
             "[a.b]",
             "[a.b]\n[a]",
             "[ a ]",
             "a = 1\na = 2",
             "a = {b = 1}\n[a.c]",
             "a = [1]\n[[a]]",
             "a = [{}]\n[[a]]",
             "[[a]]\n[a]",
             "[a]\n[[a]]",
             "[[a]]\n[a.b]",
             "a = ",
             "a",
             "= 1",
             "a = 1 b = 2",
             "[a",
             "[[a]",
             "[a]]",
             "[]",
             "a = [1",
             "a = [1,,2]",
             "a = [,]",
             "a = {b=1,}",
             "a = {b=1 c=2}",
             "a = {\n}",
             "a = {b=1,b=2}",
             "a = \"x",
             "a = \"x\ny\"",
             "a = 9223372036854775808",
             "a = 0x",
             "a = 0xg",
             "a = 0xffffffffffffffff",
             "a = 1x",
             "\x01",
             "a = \"\x7f\"",
             "a = [[[[[[[[[[[[[]]]]]]]]]]]]]",
             "a = +1",
             "a = truex",
             "\xef\xbb\xbf"
             "a = 1",
         }) {
        BOOST_TEST(!taken(text), text);
    }
}

BOOST_AUTO_TEST_CASE(they_agree_on_documents_with_one_byte_changed) {
    const std::string good =
        "# r\nd = \"x\"\n[a]\nl = [\"p\", 0x2, 3] # c\nt = { k = true, v = [{ w = 1 }] }\n[a.b]\nx = 0\n"
        "[[a.r]]\ny = \"z\"\n[[a.r]]\n[c]\n";
    const std::string_view bytes = "\n\t \"#'+-.,019=[]{}_abtrue:x\\\r\x01\xc3";
    std::size_t plain = 0;
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const char byte : bytes) {
            std::string changed = good;
            changed[i] = byte;
            plain += taken(changed) ? 1 : 0;
            plain += taken(good.substr(0, i) + byte + good.substr(i)) ? 1 : 0;
        }
        plain += taken(good.substr(0, i)) ? 1 : 0;
        plain += taken(good.substr(0, i) + good.substr(i + 1)) ? 1 : 0;
    }
    BOOST_TEST(plain > 500U); // so the comparison is about something
}

BOOST_AUTO_TEST_CASE(a_key_of_countless_parts_is_an_error) {
    std::string deep = "[a";
    for (int i = 0; i < 200000; ++i) {
        deep += ".a";
    }
    BOOST_CHECK_EXCEPTION(static_cast<void>(read_toml("\n" + deep + "]\n", "x")), Error, [](const Error& error) {
        return std::string(error.what()).starts_with("x:2:1: more than 1000 dots in a line");
    });
}

BOOST_AUTO_TEST_SUITE_END()
