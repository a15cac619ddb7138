// The tables of names: numbers, groups, symbolic values.
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <set>
#include <string>

#include "core/plan/syscall_values.hpp"
#include "core/plan/syscalls.hpp"

using namespace sandbox;

BOOST_AUTO_TEST_SUITE(seccomp_syscalls)

BOOST_AUTO_TEST_CASE(every_name_is_found_and_no_other) {
    for (const syscalls::Syscall& call : syscalls::all()) {
        BOOST_TEST((syscalls::find(call.name) == &call), call.name);
        BOOST_TEST((syscalls::find(std::string(call.name) + "?") == nullptr), call.name);
    }
    BOOST_TEST((syscalls::find("") == nullptr));
}

BOOST_AUTO_TEST_CASE(no_number_is_given_twice) {
    std::set<int> x86_64;
    std::set<int> aarch64;
    for (const syscalls::Syscall& call : syscalls::all()) {
        BOOST_TEST((call.x86_64 < 0 || x86_64.insert(call.x86_64).second), call.name);
        BOOST_TEST((call.aarch64 < 0 || aarch64.insert(call.aarch64).second), call.name);
    }
}

BOOST_AUTO_TEST_CASE(a_new_call_has_the_same_number_everywhere) {
    constexpr int kFirstCommon = 424;
    for (const syscalls::Syscall& call : syscalls::all()) {
        if (call.x86_64 >= kFirstCommon) {
            BOOST_TEST(call.x86_64 == call.aarch64, call.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_the_headers) {
    const struct {
        const char* name;
        long number;
    } known[] = {{"read", SYS_read},   {"execve", SYS_execve},         {"clone3", SYS_clone3},
                 {"statx", SYS_statx}, {"ioctl", SYS_ioctl},           {"openat2", SYS_openat2},
                 {"mount", SYS_mount}, {"newfstatat", SYS_newfstatat}, {"socket", SYS_socket},
                 {"rseq", SYS_rseq},   {"wait4", SYS_wait4},           {"futex_waitv", SYS_futex_waitv}};
    for (const auto& call : known) {
        BOOST_TEST(syscalls::find(call.name)->native() == call.number, call.name);
    }
}

BOOST_AUTO_TEST_CASE(every_member_of_a_group_is_a_known_call_or_group) {
    for (const syscalls::Group& group : syscalls::groups()) {
        BOOST_TEST(group.name.starts_with('@'));
        std::string_view rest = group.members;
        while (!rest.empty()) {
            const std::string_view member = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(rest.size(), member.size() + 1));
            const bool known =
                member.starts_with('@') ? syscalls::members(member).has_value() : syscalls::find(member) != nullptr;
            BOOST_TEST(known, group.name << " " << member);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_groups_have_systemds_names) {
    for (const char* name : {"@aio",        "@basic-io",    "@chown",    "@clock",      "@cpu-emulation",  "@debug",
                             "@default",    "@file-system", "@io-event", "@ipc",        "@keyring",        "@known",
                             "@memlock",    "@module",      "@mount",    "@network-io", "@obsolete",       "@pkey",
                             "@privileged", "@process",     "@raw-io",   "@reboot",     "@resources",      "@sandbox",
                             "@setuid",     "@signal",      "@swap",     "@sync",       "@system-service", "@timer"}) {
        BOOST_TEST(syscalls::members(name).has_value(), name);
    }
    BOOST_TEST(!syscalls::members("@nothing").has_value());
}

BOOST_AUTO_TEST_CASE(a_groups_members_are_each_there_once) {
    const auto members = *syscalls::members("@system-service");
    const std::set<const syscalls::Syscall*> once(members.begin(), members.end());
    BOOST_TEST(once.size() == members.size());
    BOOST_TEST(once.contains(syscalls::find("execve")));
    BOOST_TEST(!once.contains(syscalls::find("mount")));
}

BOOST_AUTO_TEST_CASE(symbols_have_the_headers_values) {
    BOOST_TEST(*syscalls::symbol("AF_VSOCK") == static_cast<std::uint32_t>(AF_VSOCK));
    BOOST_TEST(*syscalls::symbol("AF_ALG") == static_cast<std::uint32_t>(AF_ALG));
    BOOST_TEST(*syscalls::symbol("TIOCSTI") == static_cast<std::uint32_t>(TIOCSTI));
    BOOST_TEST(*syscalls::symbol("CLONE_NEWUSER") == 0x10000000U);
    BOOST_TEST(!syscalls::symbol("AF_NOTHING").has_value());
    BOOST_TEST(syscalls::nearest_symbol("CLONE_NEWUSR") == "CLONE_NEWUSER");
}

BOOST_AUTO_TEST_CASE(errnos_are_known_by_their_names_and_aliases) {
    BOOST_TEST(syscalls::error_number("EPERM") == EPERM);
    BOOST_TEST(syscalls::error_number("EAFNOSUPPORT") == EAFNOSUPPORT);
    BOOST_TEST(syscalls::error_number("EWOULDBLOCK") == EAGAIN);
    BOOST_TEST(syscalls::error_number("ENOTSUP") == EOPNOTSUPP);
    BOOST_TEST(syscalls::error_number("EHWPOISON") == EHWPOISON);
    BOOST_TEST(syscalls::error_number("EFOO") == 0);
    BOOST_TEST(syscalls::error_number("") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
