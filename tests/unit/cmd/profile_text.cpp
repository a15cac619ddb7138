// Reading one profile: every mistake is an error with its place.
#include "cmd/common/profile_text.hpp"

#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

std::string mistake(std::string_view text) {
    return error_of([&] { static_cast<void>(parse_profile(text, "my.toml")); }).what();
}

struct Case {
    std::string_view text;
    std::string_view message; ///< how the error starts
    std::string_view fix;     ///< a part of it
};

} // namespace

BOOST_AUTO_TEST_SUITE(profile_text)

BOOST_AUTO_TEST_CASE(every_key_of_the_format_is_read) {
    const ProfileText read = parse_profile(R"(
description = "d"
extends = "base"
[ids]
map = "full"
user = 1000
groups = "keep"
[namespaces]
hostname = "box"
share = ["pid", "net"]
[filesystem]
root = "empty"
read-only = ["/a", "/b:/c"]
read-write = { add = ["/w"] }
tmpfs = ["/t"]
hide = ["/h"]
masked = ["@docker"]
[network]
mode = "host"
[limits]
timeout = "30s"
core = 0
fsize = "1.5G"
nofile = "1024:4096"
nproc = 64
stack = "unlimited"
[environment]
clear = true
pass = ["LC_*"]
set = { A = "1", "B" = "" }
[capabilities]
keep = ["net_raw"]
drop = ["all"]
[process]
workdir = "/w"
terminal = "never"
[seccomp]
extends = "none"
default = "kill"
allow = ["read"]
deny = { add = ["ptrace"] }
architectures = ["native"]
[[seccomp.rule]]
syscalls = ["socket", "socketpair"]
action = "EAFNOSUPPORT"
when = [{ arg = 0, op = "in", value = ["AF_VSOCK", 38] }, { arg = 1, value = 1 }]
)",
                                           "my.toml");
    const std::vector<std::string> expected = {
        "description = d",
        "ids.map = full",
        "ids.user = 1000",
        "ids.groups = keep",
        "namespaces.hostname = box",
        "namespaces.share has pid",
        "namespaces.share has net",
        "filesystem.root = empty",
        "filesystem.read-only has /a",
        "filesystem.read-only has /b:/c",
        "filesystem.read-write has /w",
        "filesystem.tmpfs has /t",
        "filesystem.hide has /h",
        "filesystem.masked has @docker",
        "network.mode = host",
        "limits.timeout = 30s",
        "limits.core = 0",
        "limits.fsize = 1.5G",
        "limits.nofile = 1024:4096",
        "limits.nproc = 64",
        "limits.stack = unlimited",
        "environment.clear = true",
        "environment.pass has LC_*",
        "capabilities.keep has net_raw",
        "capabilities.drop has all",
        "process.workdir = /w",
        "process.terminal = never",
        "seccomp.extends = none",
        "seccomp.default = kill",
        "seccomp.allow has read",
        "seccomp.deny has ptrace",
        "seccomp.architectures has native",
        "environment.set.A = 1",
        "environment.set.B = ",
        "rule EAFNOSUPPORT socket socketpair when 0in AF_VSOCK 38 when 1== 1",
    };
    const std::vector<std::string> found = words_of(read.profile);
    BOOST_TEST(found == expected, boost::test_tools::per_element());
    BOOST_TEST(read.extends.value().text == "base");
}

BOOST_AUTO_TEST_CASE(every_value_knows_its_place_and_key) {
    const Profile profile =
        parse_profile("[filesystem]\nread-only = [\"/a\",\n  \"/b\"]\n[ids]\nmap = \"full\"\n", "dir/my.toml").profile;
    const Origin& second = profile.filesystem.read_only.items.at(1).origin;
    BOOST_TEST(second.place() == "dir/my.toml:3:3");
    BOOST_TEST(second.key == "filesystem.read-only");
    BOOST_TEST(profile.filesystem.read_only.origin.place() == "dir/my.toml:2:13");
    BOOST_TEST(profile.ids.map.origin.place() == "dir/my.toml:5:7");
    BOOST_TEST(profile.ids.map.origin.key == "ids.map");
}

BOOST_AUTO_TEST_CASE(a_plain_list_replaces_and_add_adds_and_allow_and_deny_always_add) {
    const Profile profile = parse_profile("filesystem.hide = []\nfilesystem.tmpfs = { add = [\"/t\"] }\n"
                                          "seccomp.allow = [\"read\"]\nseccomp.deny = [\"write\"]\n"
                                          "seccomp.architectures = [\"native\"]\n",
                                          "my.toml")
                                .profile;
    BOOST_TEST(profile.filesystem.hide.replaces);
    BOOST_TEST(!profile.filesystem.tmpfs.replaces);
    BOOST_TEST(!profile.seccomp.allow.replaces);
    BOOST_TEST(!profile.seccomp.deny.replaces);
    BOOST_TEST(profile.seccomp.architectures.replaces);
    BOOST_TEST(!profile.filesystem.read_only.replaces);
}

BOOST_AUTO_TEST_CASE(every_mistake_is_an_error_with_its_place) {
    const Case cases[] = {
        {"[filesystem]\nread-onli = []\n", "my.toml:2:1: unknown key 'read-onli' in [filesystem]", "'read-only'"},
        {"[filesytem]\n", "my.toml:1:2: unknown table 'filesytem'", "'filesystem'"},
        {"xyzzy = 1\n", "my.toml:1:1: unknown key 'xyzzy'", "one of: description"},
        {"tmpfs = []\n", "my.toml:1:1: unknown key 'tmpfs'", "'tmpfs' belongs in [filesystem]"},
        {"[limits]\nmemry = \"1G\"\n", "my.toml:2:1: unknown key 'memry' in [limits]", "'memory'"},
        {"[limits]\nmemory = 1.5\n",
         "my.toml:2:10: limits.memory must be a string or a whole number, not a number with a fraction",
         "memory = \"512m\""},
        {"[limits]\ncpus = true\n", "my.toml:2:8: limits.cpus must be a string or a number, not", "cpus = \"1.5\""},
        {"[limits]\nwhen-unavailable = \"wran\"\n", "my.toml:2:20: limits.when-unavailable cannot be 'wran'", "'warn'"},
        {"[network]\nmodes = []\n", "my.toml:2:1: unknown key 'modes' in [network]", "mode"},
        {"[filesystem]\nquaintly = []\n", "my.toml:2:1: unknown key 'quaintly' in [filesystem]", "one of:"},
        {"ids = 3\n", "my.toml:1:7: ids must be a table, not a number", "[ids]"},
        {"[ids]\nmap = 3\n", "my.toml:2:7: ids.map must be a string, not a number", ""},
        {"[ids]\nmap = \"atuo\"\n", "my.toml:2:7: ids.map cannot be 'atuo'", "'auto'"},
        {"[ids]\nmap = \"\"\n", "my.toml:2:7: ids.map cannot be empty", ""},
        {"[ids]\nuser = 1.5\n",
         "my.toml:2:8: ids.user must be a string or a whole number, not a number with a fraction", "user = \"1000\""},
        {"[limits]\nnofile = true\n",
         "my.toml:2:10: limits.nofile must be a string or a whole number, not true or false", "nofile = \"1024\""},
        {"[limits]\nfsize = 1e99\n",
         "my.toml:2:9: limits.fsize must be a string or a whole number, not a number with a fraction",
         "fsize = \"512m\""},
        {"[limits]\nnproc = \"\"\n", "my.toml:2:9: limits.nproc cannot be empty", "nproc = \"256\""},
        {"[limits]\nnofiles = 3\n", "my.toml:2:1: unknown key 'nofiles' in [limits]", "'nofile'"},
        {"[namespaces]\nshare = [\"pid\", \"nett\"]\n", "my.toml:2:17: namespaces.share cannot hold 'nett'", "'net'"},
        {"[namespaces]\nshare = [\"mnt\"]\n", "my.toml:2:10: namespaces.share cannot hold 'mnt'", "pid, net, ipc"},
        {"[filesystem]\ntmpfs = \"/t\"\n", "my.toml:2:9: filesystem.tmpfs must be a list of strings, not a string",
         "tmpfs = ["},
        {"[filesystem]\ntmpfs = [\"/t\", 7]\n",
         "my.toml:2:16: an entry of filesystem.tmpfs must be a string, not a number", ""},
        {"[filesystem]\ntmpfs = [\"\"]\n", "my.toml:2:10: filesystem.tmpfs cannot be empty", ""},
        {"[filesystem]\ntmpfs = { ad = [] }\n", "my.toml:2:11: unknown key 'ad' in filesystem.tmpfs", "'add'"},
        {"[filesystem]\ntmpfs = { add = 1 }\n", "my.toml:2:17: filesystem.tmpfs.add must be a list of strings", ""},
        {"[filesystem]\ntmpfs = [\"/a\\u0000b\"]\n", "my.toml:2:10: filesystem.tmpfs holds a NUL character", ""},
        {"[environment]\nclear = \"yes\"\n", "my.toml:2:9: environment.clear must be true or false, not a string", ""},
        {"[environment]\nset = [\"A=1\"]\n", "my.toml:2:7: environment.set must be a table, not a list", "NAME"},
        {"[environment]\nset = { A = 1 }\n", "my.toml:2:13: environment.set.A must be a string, not a number", ""},
        {"[environment]\nset = { \"A=B\" = \"1\" }\n", "my.toml:2:17: environment.set: 'A=B' cannot be the name", ""},
        {"[environment]\nset = { \"\" = \"1\" }\n", "my.toml:2:14: environment.set: '' cannot be the name", ""},
        {"extends = 1\n", "my.toml:1:11: extends must be a string, not a number", ""},
        {"[seccomp]\ndefault = \"permit\"\n", "my.toml:2:11: seccomp.default cannot be 'permit'", "deny, allow"},
        {"[seccomp]\nrule = 1\n", "my.toml:2:8: seccomp.rule must be an array of tables", "[[seccomp.rule]]"},
        {"[[seccomp.rule]]\naction = \"deny\"\n", "my.toml:1:1: the rule has no syscalls", "syscalls ="},
        {"[[seccomp.rule]]\nsyscalls = [\"read\"]\n", "my.toml:1:1: the rule has no action", "action ="},
        {"[[seccomp.rule]]\nsyscalls = []\naction = \"deny\"\n", "my.toml:2:12: seccomp.rule.syscalls is an empty list",
         ""},
        {"[[seccomp.rule]]\nsyscals = [\"read\"]\n", "my.toml:2:1: unknown key 'syscals' in [[seccomp.rule]]",
         "'syscalls'"},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = [{ arg = 6, value = 1 }]\n",
         "my.toml:4:17: a system call has no argument 6", "0 to 5"},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = [{ arg = 0, op = \"<\", value = 1 }]\n",
         "my.toml:4:25: unknown operator '<'", "==, in, &, !&"},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = [{ value = 1 }]\n",
         "my.toml:4:9: the condition has no arg", ""},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = [{ arg = 1 }]\n",
         "my.toml:4:9: the condition has no value", ""},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = [{ arg = 1, value = [1, 2] }]\n",
         "my.toml:4:9: '==' compares with one value", "in"},
        {"[[seccomp.rule]]\nsyscalls=[\"a\"]\naction=\"deny\"\nwhen = { arg = 1, value = 1 }\n",
         "my.toml:4:8: seccomp.rule.when must be a list of tables, not a table", ""},
        {"[ids]\nmap = \"auto\"\nmap = \"full\"\n", "my.toml:3:7: this is not TOML", ""},
        {"a = \n", "my.toml:1:5: this is not TOML", ""},
        {"a = \"\xff\"\n", "my.toml:1:5: this is not TOML", ""},
    };
    for (const Case& wrong : cases) {
        const std::string message = mistake(wrong.text);
        BOOST_TEST(message.starts_with(wrong.message), message << "\n  should start with\n" << wrong.message);
        BOOST_TEST(contains(message, wrong.fix), message << "\n  should name\n" << wrong.fix);
    }
}

BOOST_AUTO_TEST_CASE(a_nul_byte_is_an_error_with_its_place) {
    const std::string text("[ids]\nmap = \"a\0uto\"\n", 19);
    BOOST_TEST(mistake(text).starts_with("my.toml:2:9: the profile holds a NUL byte"));
}

BOOST_AUTO_TEST_CASE(control_characters_in_a_mistake_cannot_drive_the_terminal) {
    BOOST_TEST(contains(mistake("\"a\\u001b[31m\" = 1\n"), "unknown key 'a\\x1b[31m'"));
    BOOST_TEST(contains(mistake("[ids]\nmap = \"a\\nb\"\n"), "'a\\nb'"));
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_collected_in_the_order_of_the_file) {
    // toml++, which reads what is not plain, sorts tables by name.
    for (const std::string end : {"", "# \xc3\xa9\n"}) {
        std::vector<Error> mistakes;
        const std::string text = "[network]\nmode = 1\n[ids]\nmap = 2\nuser = true\n[bogus]\n" + end;
        static_cast<void>(parse_profile(text, "my.toml", mistakes));
        BOOST_REQUIRE(mistakes.size() == 4);
        BOOST_TEST(std::string(mistakes[0].what()).starts_with("my.toml:2:8:"));
        BOOST_TEST(std::string(mistakes[1].what()).starts_with("my.toml:4:7:"));
        BOOST_TEST(std::string(mistakes[2].what()).starts_with("my.toml:5:8:"));
        BOOST_TEST(std::string(mistakes[3].what()).starts_with("my.toml:6:2:"));
    }
}

BOOST_AUTO_TEST_CASE(remarks_change_no_place_and_no_value) {
    const Profile profile =
        parse_profile("# one\n  # two\n[filesystem]\nhide = [ # three\n    # four\n  \"#a\",\n]\n#end", "my.toml")
            .profile;
    BOOST_REQUIRE(profile.filesystem.hide.items.size() == 1);
    BOOST_TEST(profile.filesystem.hide.items[0].text == "#a");
    BOOST_TEST(profile.filesystem.hide.items[0].origin.place() == "my.toml:6:3");
    BOOST_TEST(*parse_profile("description = \"\"\"a\n# b\n\"\"\"\n", "my.toml").profile.description.value ==
               "a\n# b\n");
    BOOST_TEST(*parse_profile("description = '''a\n# b'''\n", "my.toml").profile.description.value == "a\n# b");
    BOOST_TEST(mistake("# \xff\n").starts_with("my.toml:1:"));
    BOOST_TEST(mistake("# \x01\n").starts_with("my.toml:1:"));
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_a_profile_that_says_nothing) {
    BOOST_TEST(words_of(parse_profile("", "my.toml").profile).empty());
    BOOST_TEST(!parse_profile("# only a remark\n", "my.toml").extends.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
