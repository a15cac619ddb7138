#include "core/plan/size.hpp"

#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

std::uint64_t size(const std::string& text) {
    return parse_size(text, in_file(text, "my.toml", "limits.fsize", 7).origin);
}

} // namespace

BOOST_AUTO_TEST_SUITE(sizes)

BOOST_AUTO_TEST_CASE(a_size_is_a_number_and_a_unit_of_a_power_of_1024) {
    const std::uint64_t kib = 1024;
    BOOST_CHECK_EQUAL(size("0"), 0U);
    BOOST_CHECK_EQUAL(size("4096"), 4096U);
    BOOST_CHECK_EQUAL(size("100B"), 100U);
    for (const char* text : {"64k", "64K", "64KiB", "64kib"}) {
        BOOST_CHECK_EQUAL(size(text), 64 * kib);
    }
    for (const char* text : {"512m", "512M", "512MiB"}) {
        BOOST_CHECK_EQUAL(size(text), 512 * kib * kib);
    }
    for (const char* text : {"2g", "2G", "2GiB", "2.0g"}) {
        BOOST_CHECK_EQUAL(size(text), 2 * kib * kib * kib);
    }
    BOOST_CHECK_EQUAL(size("1t"), kib * kib * kib * kib);
    BOOST_CHECK_EQUAL(size("1.5G"), 1536 * kib * kib);
    BOOST_CHECK_EQUAL(size("0.25k"), 256U);
    BOOST_CHECK_EQUAL(size("9223372036854775807"), 9223372036854775807U);
    BOOST_CHECK_EQUAL(size("8388607t"), 8388607 * kib * kib * kib * kib);
}

BOOST_AUTO_TEST_CASE(nonsense_is_an_error_with_its_place_and_an_example) {
    for (const char* text : {"",
                             "k",
                             "-1",
                             "+1",
                             "0x",
                             "0x10",
                             "1e99",
                             "1e3",
                             "inf",
                             "nan",
                             "1 k",
                             " 1",
                             "1x",
                             "1kb",
                             "1KB",
                             "1ki",
                             "1.k",
                             ".5k",
                             "1..5k",
                             "1.5",
                             "1.5B",
                             "1,5k",
                             "1k1m",
                             "1.5kk",
                             "1ib",
                             "1p",
                             "8eb",
                             "12K ",
                             "1\n",
                             "8388608t",
                             "9223372036854775808",
                             "99999999999999999999999g"}) {
        BOOST_CHECK_EXCEPTION(static_cast<void>(size(text)), Error, [](const Error& error) {
            return error.summary().starts_with("my.toml:7:3: limits.fsize: cannot read the size '") &&
                   error.causes().size() == 1 && contains(error.fixes().at(0), "512m");
        });
    }
}

BOOST_AUTO_TEST_CASE(a_size_is_told_in_the_unit_that_says_it_exactly) {
    BOOST_CHECK_EQUAL(size_words(0), "0 bytes");
    BOOST_CHECK_EQUAL(size_words(1), "1 byte");
    BOOST_CHECK_EQUAL(size_words(1000), "1000 bytes");
    BOOST_CHECK_EQUAL(size_words(1025), "1025 bytes");
    BOOST_CHECK_EQUAL(size_words(size("64k")), "64 KiB");
    BOOST_CHECK_EQUAL(size_words(size("1.5G")), "1.5 GiB");
    BOOST_CHECK_EQUAL(size_words(size("512m")), "512 MiB");
    BOOST_CHECK_EQUAL(size_words(size("3t")), "3 TiB");
}

BOOST_AUTO_TEST_SUITE_END()
