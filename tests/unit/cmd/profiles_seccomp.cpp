// The system call policies of the built-in profiles, asked of the programs that they compile to.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "cmd/common/profile_file.hpp"
#include "core/path_calls.hpp"
#include "core/plan/seccomp_plan.hpp"
#include "core/plan/syscalls.hpp"
#include "core/seccomp.hpp"
#include "core/seccomp_marks.hpp"
#include "tests/support/bpf_evaluator.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

using Arguments = std::array<std::uint64_t, 6>;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
[[maybe_unused]] constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint64_t kHigh = std::uint64_t{0xdead'beef} << 32;
[[maybe_unused]] constexpr std::uint64_t kX32Bit = 0x40000000;

constexpr std::uint32_t error(int number) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number);
}

std::string_view bytes_of(const seccomp::Program& program) {
    return {reinterpret_cast<const char*>(program.instructions.data()),
            program.instructions.size() * sizeof(sock_filter)};
}

/// A profile of the tree, compiled. The tests run in the tree's top directory.
struct Policy {
    SeccompPlan plan;
    seccomp::Program program;

    explicit Policy(const std::string& name)
        : plan(plan_seccomp(load_profile(name, {.directories = {std::filesystem::absolute("profiles").string()}}))),
          program(seccomp::compile(plan)) {}

    [[nodiscard]] std::uint32_t operator()(long number, const Arguments& arguments = {}) const {
        return evaluate(program.instructions, system_call(static_cast<std::uint32_t>(number), arguments));
    }
    [[nodiscard]] std::uint32_t operator()(std::string_view name, const Arguments& arguments = {}) const {
        return (*this)(syscalls::find(name)->native(), arguments);
    }
};

/// Docker's policy, decided as runc's libseccomp does: 64-bit comparisons, one rule that matches is enough.
class Docker {
public:
    Docker() {
        std::ifstream file("tests/support/docker-default-seccomp.json");
        BOOST_TEST_REQUIRE(file.is_open());
        policy_ = nlohmann::json::parse(file);
    }

    /// For a container without capabilities.
    [[nodiscard]] std::uint32_t operator()(const std::string& call, const Arguments& arguments = {}) const {
        for (const auto& rule : policy_["syscalls"]) {
            const auto named = rule["names"].get<std::vector<std::string>>();
            if (std::ranges::find(named, call) == named.end() || !applies(rule) || !holds(rule, arguments)) {
                continue;
            }
            return rule["action"] == "SCMP_ACT_ALLOW" ? kAllow : error(rule["errnoRet"].get<int>());
        }
        return error(policy_["defaultErrnoRet"].get<int>());
    }

    [[nodiscard]] std::set<std::string> names() const {
        std::set<std::string> all;
        for (const auto& rule : policy_["syscalls"]) {
            for (const auto& name : rule["names"]) {
                all.insert(name.get<std::string>());
            }
        }
        return all;
    }

private:
    static bool applies(const nlohmann::json& rule) {
#if defined(__x86_64__)
        const char* const here = "amd64";
#else
        const char* const here = "arm64";
#endif
        const auto names_us = [&](const nlohmann::json& where) {
            const auto arches = where.value("arches", std::vector<std::string>());
            return std::ranges::find(arches, here) != arches.end();
        };
        const auto includes = rule.value("includes", nlohmann::json::object());
        const auto excludes = rule.value("excludes", nlohmann::json::object());
        return !includes.contains("caps") && (!includes.contains("arches") || names_us(includes)) &&
               !names_us(excludes);
    }

    static bool holds(const nlohmann::json& rule, const Arguments& arguments) {
        const auto tests = rule.value("args", nlohmann::json::array());
        return std::ranges::all_of(tests, [&](const nlohmann::json& test) {
            const std::uint64_t argument = arguments.at(test["index"].get<std::size_t>());
            const auto value = test["value"].get<std::uint64_t>();
            const auto comparison = test["op"].get<std::string>();
            if (comparison == "SCMP_CMP_EQ") {
                return argument == value;
            }
            if (comparison == "SCMP_CMP_LT") {
                return argument < value;
            }
            if (comparison == "SCMP_CMP_GT") {
                return argument > value;
            }
            BOOST_TEST_REQUIRE(comparison == "SCMP_CMP_MASKED_EQ");
            return (argument & value) == test.value("valueTwo", std::uint64_t{0});
        });
    }

    nlohmann::json policy_;
};

/// Where `default` shall differ from Docker, and why; empty where it shall not.
std::string wanted_difference(const std::string& call, const Arguments& arguments) {
    const bool high_bits = std::ranges::any_of(arguments, [](std::uint64_t argument) { return argument >> 32 != 0; });
    const auto low = [&](std::size_t index) { return static_cast<std::uint32_t>(arguments.at(index)); };
    if (call == "ioctl" && (low(1) == TIOCSTI || low(1) == TIOCLINUX)) {
        return "they type and paste into the caller's terminal";
    }
    if (call == "socket" && high_bits && (low(0) == AF_ALG || low(0) == AF_VSOCK)) {
        return "Docker compares 64 bits of which the kernel reads 32, and so lets the family through";
    }
    if (call == "personality" && high_bits) {
        const std::set<std::uint32_t> allowed = {PER_LINUX, PER_LINUX32, UNAME26, 0x20008, 0xffffffff};
        return allowed.contains(low(0)) ? "the kernel reads 32 bits, so this is one of the allowed ones" : "";
    }
    return "";
}

void compare(const Docker& docker, const Policy& ours, const std::string& call, const Arguments& arguments = {}) {
    const std::uint32_t theirs = docker(call, arguments);
    const std::uint32_t answer = ours(call, arguments);
    const std::string reason = wanted_difference(call, arguments);
    if (reason.empty()) {
        BOOST_TEST(answer == theirs, call << " " << std::hex << arguments[0] << " " << arguments[1]);
    } else {
        // A difference that is none must leave the list.
        BOOST_TEST(answer != theirs, call << " " << std::hex << arguments[0] << " " << arguments[1] << ": " << reason);
    }
}

/// The calls of this architecture that may pass, some perhaps only with some arguments.
std::set<std::string> passing(const SeccompPlan& plan) {
    std::set<std::string> names;
    for (const SeccompEntry& entry : plan.entries) {
        const bool passes =
            entry.action.kind == SeccompActionKind::allow || entry.action.kind == SeccompActionKind::log;
        if (passes && entry.syscall.number >= 0) {
            names.insert(entry.syscall.name);
        }
    }
    return names;
}

constexpr std::uint64_t kNamespaceFlags[] = {CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                             CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET};

} // namespace

BOOST_AUTO_TEST_SUITE(profiles_seccomp)

BOOST_AUTO_TEST_CASE(default_decides_as_docker_does_on_every_call) {
    const Docker docker;
    const Policy ours("default");
    std::set<std::string> names = docker.names();
    for (const syscalls::Syscall& call : syscalls::all()) {
        names.emplace(call.name);
    }
    for (int number = 0; number < 1024; ++number) {
        if (char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number); name != nullptr) {
            names.emplace(name);
            std::free(name);
        }
    }
    int compared = 0;
    for (const std::string& name : names) {
        BOOST_TEST_REQUIRE((syscalls::find(name) != nullptr), name);
        if (syscalls::find(name)->native() >= 0) {
            compare(docker, ours, name);
            ++compared;
        }
    }
    BOOST_TEST(compared > 300);
}

BOOST_AUTO_TEST_CASE(default_decides_as_docker_does_on_arguments) {
    const Docker docker;
    const Policy ours("default");
    for (const std::uint64_t high : {std::uint64_t{0}, std::uint64_t{1} << 32, kHigh}) {
        for (std::uint64_t family = 0; family <= 50; ++family) {
            compare(docker, ours, "socket", {family | high});
        }
        for (const std::uint64_t value : {0U, 1U, 8U, 9U, 0x20000U, 0x20001U, 0x20008U, 0x40000U, 0x400000U, 0x60000U,
                                          0xffffffU, 0xffffffffU, 0x80000000U}) {
            compare(docker, ours, "personality", {value | high});
        }
        for (unsigned bit = 0; bit < 32; ++bit) {
            compare(docker, ours, "clone", {std::uint64_t{1} << bit | high});
            compare(docker, ours, "clone", {~(std::uint64_t{1} << bit) & 0xffffffff, high});
        }
        // pthread_create's, fork's, vfork's.
        for (const std::uint64_t flags : {0x3d0f00U, 0x1200011U, 0x4111U}) {
            compare(docker, ours, "clone", {flags | high});
        }
        for (std::uint64_t request = 0x5400; request <= 0x54ff; ++request) {
            compare(docker, ours, "ioctl", {0, request | high});
        }
        for (const int request : {FIONREAD, FIOCLEX, SIOCGIFCONF, 0}) {
            compare(docker, ours, "ioctl", {0, static_cast<std::uint32_t>(request) | high});
        }
        compare(docker, ours, "clone3", {high});
    }
}

BOOST_AUTO_TEST_CASE(default_answers_a_new_call_with_enosys_where_crun_says_eperm) {
    const Policy ours("default");
    for (const long number : {472L, 500L, 9999L}) {
        BOOST_TEST(ours(number) == error(ENOSYS));
    }
}

BOOST_AUTO_TEST_CASE(strict_allows_no_more_than_220_calls_and_none_that_default_refuses) {
    const Policy strict("strict");
    const Policy usual("default");
    const std::set<std::string> allowed = passing(strict.plan);
    BOOST_TEST(allowed.size() <= 220U);
    BOOST_TEST(allowed.size() > 180U);
    const std::set<std::string> usually = passing(usual.plan);
    for (const std::string& name : allowed) {
        BOOST_TEST(usually.contains(name), name);
    }
}

BOOST_AUTO_TEST_CASE(strict_and_build_refuse_what_leads_out) {
    for (const char* profile : {"strict", "build"}) {
        const Policy policy(profile);
        for (const char* name : {"mount",
                                 "umount2",
                                 "pivot_root",
                                 "chroot",
                                 "open_tree",
                                 "open_tree_attr",
                                 "move_mount",
                                 "fsopen",
                                 "fsconfig",
                                 "fsmount",
                                 "fspick",
                                 "mount_setattr",
                                 "unshare",
                                 "setns",
                                 "ptrace",
                                 "process_vm_readv",
                                 "process_vm_writev",
                                 "process_madvise",
                                 "pidfd_getfd",
                                 "kcmp",
                                 "bpf",
                                 "perf_event_open",
                                 "userfaultfd",
                                 "keyctl",
                                 "add_key",
                                 "request_key",
                                 "io_uring_setup",
                                 "io_uring_enter",
                                 "io_uring_register",
                                 "kexec_load",
                                 "kexec_file_load",
                                 "init_module",
                                 "finit_module",
                                 "delete_module",
                                 "personality",
                                 "open_by_handle_at",
                                 "name_to_handle_at",
                                 "syslog",
                                 "reboot",
                                 "swapon",
                                 "swapoff",
                                 "settimeofday",
                                 "clock_settime",
                                 "clock_adjtime",
                                 "adjtimex",
                                 "sethostname",
                                 "setdomainname",
                                 "acct",
                                 "quotactl",
                                 "fanotify_init",
                                 "lookup_dcookie",
                                 "iopl",
                                 "ioperm",
                                 "modify_ldt",
                                 "vhangup",
                                 "nfsservctl",
                                 "mbind",
                                 "move_pages",
                                 "migrate_pages",
                                 "set_mempolicy",
                                 "setuid",
                                 "setgid",
                                 "setgroups",

                                 "setfsuid",
                                 "capset",
                                 "lsm_set_self_attr",
                                 "listns",
                                 "memfd_secret"}) {
            if (syscalls::find(name)->native() >= 0) {
                BOOST_TEST(policy(name) == error(EPERM), profile << " " << name);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(strict_allows_what_everyday_tools_call) {
    const Policy strict("strict");
    for (const char* name :
         {// make's posix_spawn; threads; job control; node and python's watchers of children
          "setresuid", "setresgid", "futex", "set_robust_list", "rseq", "setpgid", "setsid", "pidfd_open", "waitid",
          // cp -a, tar, install, mkfifo, df, touch, flock
          "fchown", "fsetxattr", "utimensat", "mknodat", "statfs", "fallocate", "copy_file_range", "flock", "fadvise64",
          // event loops and file watchers
          "epoll_create1", "epoll_pwait", "eventfd2", "timerfd_create", "signalfd4", "inotify_init1", "pselect6",
          // servers and resolvers on the loopback interface
          "bind", "listen", "accept4", "sendmmsg", "recvmsg", "setsockopt", "memfd_create", "getrandom", "prlimit64"}) {
        BOOST_TEST(strict(name) == kAllow, name);
    }
}

BOOST_AUTO_TEST_CASE(what_libc_can_do_without_answers_enosys_in_strict) {
    const Policy strict("strict");
    for (const char* name : {"clone3", "cachestat", "statmount", "mseal", "file_getattr", "getxattrat"}) {
        BOOST_TEST(strict(name) == error(ENOSYS), name);
    }
    BOOST_TEST(strict(472) == error(ENOSYS));
}

BOOST_AUTO_TEST_CASE(no_profile_with_a_filter_makes_namespaces) {
    for (const char* profile : {"default", "strict", "build"}) {
        const Policy policy(profile);
        for (const std::uint64_t flag : kNamespaceFlags) {
            BOOST_TEST(policy(SYS_clone, {flag}) == error(EPERM), profile << " " << flag);
            BOOST_TEST(policy(SYS_clone, {flag | kHigh | SIGCHLD}) == error(EPERM), profile << " " << flag);
        }
        BOOST_TEST(policy(SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND}) == kAllow, profile);
        BOOST_TEST(policy("clone3") == error(ENOSYS), profile);
    }
}

BOOST_AUTO_TEST_CASE(no_profile_with_a_filter_types_into_the_terminal) {
    for (const char* profile : {"default", "strict", "build"}) {
        const Policy policy(profile);
        for (const std::uint64_t request : {std::uint64_t{TIOCSTI}, std::uint64_t{TIOCLINUX}}) {
            for (const std::uint64_t high : {std::uint64_t{0}, std::uint64_t{0x123} << 32, kHigh}) {
                BOOST_TEST(policy(SYS_ioctl, {0, request | high}) == error(EPERM), profile);
            }
        }
        for (const int request : {TCGETS, TCSETSW, TIOCGWINSZ, TIOCSWINSZ, TIOCSCTTY, TIOCSPGRP, FIONREAD}) {
            BOOST_TEST(policy(SYS_ioctl, {0, static_cast<std::uint32_t>(request)}) == kAllow,
                       profile << " " << request);
        }
    }
}

BOOST_AUTO_TEST_CASE(strict_makes_sockets_of_four_families_only) {
    for (const char* profile : {"strict", "build"}) {
        const Policy policy(profile);
        for (std::uint64_t family = 0; family <= 70; ++family) {
            const bool wanted = family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
            for (const std::uint64_t high : {std::uint64_t{0}, kHigh}) {
                BOOST_TEST(policy(SYS_socket, {family | high}) == (wanted ? kAllow : error(EAFNOSUPPORT)), family);
                BOOST_TEST(policy(SYS_socketpair, {family | high}) == (family == AF_UNIX ? kAllow : error(EPERM)),
                           family);
            }
        }
        for (unsigned bit = 5; bit < 32; ++bit) {
            BOOST_TEST(policy(SYS_socket, {std::uint64_t{1} << bit}) == error(EAFNOSUPPORT), bit);
        }
        for (std::uint64_t protocol = 1; protocol <= 22; ++protocol) {
            BOOST_TEST(policy(SYS_socket, {AF_NETLINK, SOCK_RAW, protocol}) != kAllow, protocol);
            BOOST_TEST(policy(SYS_socket, {AF_NETLINK, SOCK_RAW, protocol | kHigh}) != kAllow, protocol);
        }
    }
}

BOOST_AUTO_TEST_CASE(no_profile_with_a_filter_reaches_the_host_of_the_machine_or_the_kernels_cryptography) {
    for (const char* profile : {"default", "strict", "build"}) {
        const Policy policy(profile);
        for (const std::uint64_t family : {std::uint64_t{AF_VSOCK}, std::uint64_t{AF_ALG}}) {
            BOOST_TEST(policy(SYS_socket, {family}) != kAllow, profile);
            BOOST_TEST(policy(SYS_socket, {family | kHigh}) != kAllow, profile);
        }
        BOOST_TEST(policy("io_uring_setup") == error(EPERM), profile);
    }
}

BOOST_AUTO_TEST_CASE(build_allows_all_that_strict_does) {
    const std::set<std::string> build = passing(Policy("build").plan);
    for (const std::string& name : passing(Policy("strict").plan)) {
        BOOST_TEST(build.contains(name), name);
    }
    BOOST_TEST(build.contains("shmget"));
}

BOOST_AUTO_TEST_CASE(permissive_has_no_filter) {
    BOOST_TEST(!Policy("permissive").plan.filter);
}

BOOST_AUTO_TEST_CASE(the_reporting_form_asks_where_the_plain_one_refuses_and_changes_nothing_else) {
    for (const char* name : {"default", "strict", "build", "npm", "pip", "container"}) {
        const Policy policy(name);
        const seccomp::Filter filter = seccomp::split(seccomp::compile_marked(policy.plan), policy.plan);
        BOOST_TEST((bytes_of(filter.plain) == bytes_of(policy.program)), name);
        std::size_t asked = 0;
        for (std::uint32_t number = 0; number < 600; ++number) {
            // Every value that an entry tests, its neighbours, and bits that the kernel does not look at.
            std::vector<Arguments> cases = {{}, {kHigh}};
            for (const SeccompEntry& entry : policy.plan.entries) {
                if (entry.syscall.number != static_cast<int>(number) || entry.tests.empty()) {
                    continue;
                }
                for (const std::uint64_t shift : {std::uint64_t{0}, std::uint64_t{1}, kHigh}) {
                    Arguments& arguments = cases.emplace_back();
                    for (const SeccompTest& test : entry.tests) {
                        arguments.at(test.argument) = test.value + shift;
                    }
                }
            }
            for (const Arguments& arguments : cases) {
                const seccomp_data call = system_call(number, arguments);
                const std::uint32_t plain = evaluate(filter.plain.instructions, call);
                const std::uint32_t reporting = evaluate(filter.reporting.instructions, call);
                const bool asks = reporting == SECCOMP_RET_USER_NOTIF;
                asked += asks ? 1 : 0;
                BOOST_TEST((asks || reporting == plain), name << " " << number);
                const bool is_refusal = (plain & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
                BOOST_TEST((!asks || (is_refusal && plain != error(ENOSYS))), name << " " << number);
                // The supervisor's answer comes from an evaluator of its own.
                BOOST_TEST(seccomp::evaluate(filter.plain, call) == plain, name << " " << number);
            }
        }
        BOOST_TEST(asked > 50U, name);
        BOOST_TEST(evaluate(filter.reporting.instructions, system_call(SYS_capset)) !=
                       (std::string(name) == "strict" ? SECCOMP_RET_USER_NOTIF : 0U),
                   name);
    }
}

BOOST_AUTO_TEST_CASE(a_filter_that_asks_about_names_asks_only_where_the_plain_form_lets_pass_or_refuses) {
    for (const char* name : {"default", "strict", "permissive"}) {
        const Policy policy(name);
        const seccomp::Filter filter =
            policy.plan.filter ? seccomp::split(seccomp::compile_marked(policy.plan), policy.plan) : seccomp::Filter{};
        const seccomp::Filter asking = seccomp::asking_about(filter, policy.plan, path_calls::numbers());
        BOOST_TEST((bytes_of(asking.plain) == bytes_of(filter.plain)), name);
        for (std::uint32_t number = 0; number < 600; ++number) {
            const seccomp_data call = system_call(number);
            const std::uint32_t plain =
                filter.plain.empty() ? SECCOMP_RET_ALLOW : evaluate(filter.plain.instructions, call);
            const std::uint32_t answer = evaluate(asking.reporting.instructions, call);
            const bool names_a_file = std::ranges::binary_search(path_calls::numbers(), number);
            if (plain == SECCOMP_RET_ALLOW) {
                BOOST_TEST(answer == (names_a_file ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW), name << number);
            } else {
                BOOST_TEST((answer == plain || answer == SECCOMP_RET_USER_NOTIF), name << number);
            }
            if (policy.plan.filter) {
                BOOST_TEST(evaluate(asking.reporting.instructions, foreign_call(AUDIT_ARCH_ARM, number)) == kKill);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(the_calls_of_a_start_never_ask) {
    Profile profile;
    profile.seccomp.allow.items = {{"read", {}}, {"execve", {}}};
    const SeccompPlan plan = plan_seccomp(profile);
    const seccomp::Filter filter = seccomp::split(seccomp::compile_marked(plan), plan);
    for (const long number : {SYS_exit, SYS_exit_group}) {
        BOOST_TEST(evaluate(filter.reporting.instructions, system_call(static_cast<std::uint32_t>(number))) ==
                   error(EPERM));
    }
    BOOST_TEST(evaluate(filter.reporting.instructions, system_call(SYS_write)) == SECCOMP_RET_USER_NOTIF);
    // Where arguments decide about them there is no reporting form: the start could wait for ever.
    SeccompRule rule;
    rule.syscalls = {{"exit_group", {}}};
    rule.action = {"allow", {}};
    rule.conditions = {{.argument = 0, .op = "==", .values = {{"0", {}}}, .origin = {}}};
    profile.seccomp.rules.push_back(rule);
    const SeccompPlan tested = plan_seccomp(profile);
    BOOST_TEST(seccomp::split(seccomp::compile_marked(tested), tested).reporting.empty());
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(every_profile_with_a_filter_kills_i386_and_x32_calls) {
    for (const char* profile : {"default", "strict", "build"}) {
        const Policy policy(profile);
        for (std::uint32_t number = 0; number < 600; ++number) {
            BOOST_TEST(evaluate(policy.program.instructions, foreign_call(AUDIT_ARCH_I386, number)) == kKill);
            BOOST_TEST(policy(static_cast<long>(kX32Bit | number)) == kKill);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_profiles_say_no_more_of_32_bit_machines_than_they_can_keep) {
    // Whoever adds x86 to `default` is told of socketcall; with it refused the rest holds there as well.
    Profile profile = load_profile("default", {.directories = {std::filesystem::absolute("profiles").string()}});
    profile.seccomp.architectures.items.push_back({.text = "x86", .origin = {}});
    BOOST_CHECK_THROW(static_cast<void>(plan_seccomp(profile)), std::exception);
    profile.seccomp.deny.items.push_back({.text = "socketcall", .origin = {}});
    const seccomp::Program program = seccomp::compile(plan_seccomp(profile));
    const auto answer = [&](std::uint32_t number, const Arguments& arguments = {}) {
        return evaluate(program.instructions, foreign_call(AUDIT_ARCH_I386, number, arguments));
    };
    BOOST_TEST(answer(3) == kAllow);                     // read
    BOOST_TEST(answer(102, {1}) == error(EPERM));        // socketcall
    BOOST_TEST(answer(359, {AF_VSOCK}) == error(EPERM)); // socket
    BOOST_TEST(answer(359, {AF_UNIX}) == kAllow);
    BOOST_TEST(answer(54, {0, TIOCSTI}) == error(EPERM));     // ioctl
    BOOST_TEST(answer(120, {CLONE_NEWUSER}) == error(EPERM)); // clone
    BOOST_TEST(answer(435) == error(ENOSYS));                 // clone3
    BOOST_TEST(answer(21) == error(EPERM));                   // mount
}
#endif

BOOST_AUTO_TEST_SUITE_END()
