// What a call does with the names that it gives to the kernel, from its registers.
#include "core/path_calls.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>

#include "tests/support/count.hpp"

using namespace sandbox;

namespace {

seccomp_data call(long number, const std::array<std::uint64_t, 6>& arguments) {
    seccomp_data data{};
    data.nr = static_cast<int>(number);
    std::copy(arguments.begin(), arguments.end(), data.args);
    return data;
}

NamedPath opened_with(std::uint64_t flags) {
    return path_calls::names_of(call(SYS_openat, {7, 0x1000, flags})).at(0);
}

} // namespace

BOOST_AUTO_TEST_SUITE(path_calls_of_cmd)

BOOST_AUTO_TEST_CASE(the_flags_of_an_open_decide_what_it_is_for) {
    const NamedPath read = opened_with(O_RDONLY | O_CLOEXEC);
    BOOST_TEST(read.directory == 7);
    BOOST_TEST(read.address == 0x1000U);
    BOOST_TEST((read.use == PathUse::read && read.follows_last_link));
    BOOST_TEST((opened_with(O_RDONLY | O_DIRECTORY).use == PathUse::list));
    BOOST_TEST((opened_with(O_WRONLY).use == PathUse::write));
    BOOST_TEST((opened_with(O_RDWR | O_CREAT).use == PathUse::open_new));
    BOOST_TEST((opened_with(O_WRONLY | O_CREAT | O_EXCL).use == PathUse::make));
    BOOST_TEST((opened_with(O_PATH).use == PathUse::look));
    BOOST_TEST(!opened_with(O_RDONLY | O_NOFOLLOW).follows_last_link);
}

BOOST_AUTO_TEST_CASE(a_rename_has_two_names_and_a_stat_may_not_follow) {
    const auto names = path_calls::names_of(call(SYS_renameat2, {3, 0x10, 4, 0x20, 0}));
    BOOST_TEST_REQUIRE(names.size() == 2U);
    BOOST_TEST((names[0].use == PathUse::take_away && names[0].directory == 3 && names[0].address == 0x10));
    BOOST_TEST((names[1].use == PathUse::put && names[1].directory == 4 && names[1].address == 0x20));
    BOOST_TEST(!path_calls::names_of(call(SYS_newfstatat, {0, 1, 2, AT_SYMLINK_NOFOLLOW})).at(0).follows_last_link);
    BOOST_TEST(path_calls::names_of(call(SYS_execve, {1})).at(0).directory == AT_FDCWD);
    BOOST_TEST(path_calls::names_of(call(SYS_read, {1})).empty());
    // The upper half of a descriptor is nothing to the kernel.
    BOOST_TEST(path_calls::names_of(call(SYS_mkdirat, {0xdeadbeef00000005, 1})).at(0).directory == 5);
}

BOOST_AUTO_TEST_CASE(a_change_of_mode_is_seen_in_both_its_forms) {
    constexpr long kFchmodat2 = 452;
    for (const long number : {long{SYS_fchmodat}, kFchmodat2}) {
        const auto names = path_calls::names_of(call(number, {3, 0x10, 0600, 0}));
        BOOST_TEST_REQUIRE(names.size() == 1U);
        BOOST_TEST((names[0].use == PathUse::write && names[0].directory == 3 && names[0].follows_last_link));
    }
    BOOST_TEST(!path_calls::names_of(call(kFchmodat2, {3, 0x10, 0600, AT_SYMLINK_NOFOLLOW})).at(0).follows_last_link);
    BOOST_TEST(std::ranges::count(path_calls::numbers(), std::uint32_t{kFchmodat2}) == 1);
}

BOOST_AUTO_TEST_CASE(an_address_of_a_socket_is_no_string) {
    const NamedPath connected = path_calls::names_of(call(SYS_connect, {3, 0x10, 0xffffffff0000006e})).at(0);
    BOOST_TEST((connected.use == PathUse::look && connected.address == 0x10 && connected.length == 110 &&
                connected.is_socket));
    const NamedPath bound = path_calls::names_of(call(SYS_bind, {3, 0x10, 110})).at(0);
    BOOST_TEST((bound.use == PathUse::make && bound.directory == AT_FDCWD && !bound.follows_last_link));
}

BOOST_AUTO_TEST_SUITE_END()
