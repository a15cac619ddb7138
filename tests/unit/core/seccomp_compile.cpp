// What the kernel would do with a call, asked of the compiled program.
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/plan/seccomp_plan.hpp"
#include "core/plan/syscalls.hpp"
#include "core/seccomp.hpp"
#include "tests/support/bpf_evaluator.hpp"
#include "tests/support/seccomp_words.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kKill = SECCOMP_RET_KILL_PROCESS;
constexpr std::uint32_t kLog = SECCOMP_RET_LOG;
constexpr std::uint64_t kHigh = 0xdead'beef'0000'0000;
[[maybe_unused]] constexpr std::uint32_t kX32Bit = 0x40000000;

constexpr std::uint32_t error(int number) {
    return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number);
}

/// A compiled profile that is asked about calls.
struct Asked {
    seccomp::Program program;

    explicit Asked(const Profile& profile) : program(seccomp::compile(plan_seccomp(profile))) {
        BOOST_TEST(seccomp::is_well_formed(program.instructions));
    }

    [[nodiscard]] std::uint32_t operator()(long number, const std::array<std::uint64_t, 6>& arguments = {}) const {
        return evaluate(program.instructions, system_call(static_cast<std::uint32_t>(number), arguments));
    }
    [[nodiscard]] std::uint32_t foreign(std::uint32_t architecture, std::uint32_t number,
                                        const std::array<std::uint64_t, 6>& arguments = {}) const {
        return evaluate(program.instructions, foreign_call(architecture, number, arguments));
    }
};

/// What the plan says, read off it without compiling anything.
std::uint32_t said_by(const SeccompPlan& plan, std::uint32_t number, const std::array<std::uint64_t, 6>& arguments) {
    const auto value = [](const SeccompAction& action) {
        switch (action.kind) {
        case SeccompActionKind::allow:
            return kAllow;
        case SeccompActionKind::log:
            return kLog;
        case SeccompActionKind::errno_value:
            return error(action.error_number);
        case SeccompActionKind::kill:
            break;
        }
        return kKill;
    };
    for (const SeccompEntry& entry : plan.entries) {
        const auto holds = [&](const SeccompTest& test) {
            return (static_cast<std::uint32_t>(arguments[test.argument]) & test.mask) == test.value;
        };
        if (entry.syscall.number == static_cast<int>(number) && std::ranges::all_of(entry.tests, holds)) {
            return value(entry.action);
        }
    }
    return value(plan.default_action);
}

} // namespace

BOOST_AUTO_TEST_SUITE(seccomp_compile)

BOOST_AUTO_TEST_CASE(a_call_is_allowed_or_denied_as_written) {
    const Asked asked(filter("deny", {"execve", "read", "write"}, {"write"}));
    BOOST_TEST(asked(SYS_read) == kAllow);
    BOOST_TEST(asked(SYS_write) == error(EPERM));
    BOOST_TEST(asked(SYS_openat) == error(EPERM));
}

BOOST_AUTO_TEST_CASE(a_plan_without_a_filter_is_an_empty_program) {
    BOOST_TEST(seccomp::compile(plan_seccomp(filter("allow", {}))).empty());
}

BOOST_AUTO_TEST_CASE(every_default_action_is_what_other_calls_get) {
    BOOST_TEST(Asked(filter("kill", {"execve"}))(SYS_bpf) == kKill);
    BOOST_TEST(Asked(filter("log", {"execve"}))(SYS_bpf) == kLog);
    BOOST_TEST(Asked(filter("log", {"execve"}))(SYS_execve) == kAllow);
    BOOST_TEST(Asked(filter("allow", {}, {"bpf"}))(SYS_bpf) == error(EPERM));
    BOOST_TEST(Asked(filter("allow", {}, {"bpf"}))(SYS_read) == kAllow);
}

BOOST_AUTO_TEST_CASE(calls_that_libseccomp_has_no_name_for_are_decided_by_number) {
    const Asked asked(filter("deny", {"execve", "mseal"}, {}, {rule({"statmount"}, "ENOSYS")}));
    BOOST_TEST(asked(462) == kAllow);
    BOOST_TEST(asked(457) == error(ENOSYS));
    BOOST_TEST(asked(463) == error(EPERM)); // setxattrat: known, not named
    const Asked open(filter("allow", {}, {"mseal"}, {rule({"listns"}, "kill", {when(0, "==", {"7"})})}));
    BOOST_TEST(open(462) == error(EPERM));
    BOOST_TEST(open(470, {7}) == kKill);
    BOOST_TEST(open(470, {7 | kHigh}) == kKill);
    BOOST_TEST(open(470, {8}) == kAllow);
    BOOST_TEST(open(463) == kAllow);
}

BOOST_AUTO_TEST_CASE(a_number_that_no_known_call_has_answers_enosys) {
    const Asked asked(filter("deny", {"execve"}));
    for (const std::uint32_t number : {472U, 600U, 9999U, 0x3fffffffU, 0xffffffffU}) {
        BOOST_TEST(asked(number) == error(ENOSYS), number);
    }
#if defined(__x86_64__)
    for (std::uint32_t number = 337; number < 424; ++number) {
        BOOST_TEST(asked(number) == error(ENOSYS), number);
    }
    BOOST_TEST(asked(336) == error(EPERM));
#endif
    BOOST_TEST(asked(424) == error(EPERM));
    BOOST_TEST(asked(471) == error(EPERM));
    BOOST_TEST(Asked(filter("kill", {"execve"}))(9999) == error(ENOSYS));
    BOOST_TEST(Asked(filter("allow", {}, {"bpf"}))(9999) == kAllow);
    BOOST_TEST(Asked(filter("log", {}))(9999) == kLog);
}

BOOST_AUTO_TEST_CASE(every_assigned_number_has_a_name) {
    // A number without a name could not be allowed by any profile.
    const Asked asked(filter("deny", {"@known"}, {}, {rule({"clone3"}, "allow")}));
    for (std::uint32_t number = 0; number < 1024; ++number) {
        const std::uint32_t answer = asked(number);
        BOOST_TEST((answer == kAllow || answer == error(ENOSYS)), number);
    }
}

BOOST_AUTO_TEST_CASE(as_many_ranges_as_there_can_be_are_decided_right) {
    // Every second number: the tree is so long that its jumps need a second instruction.
    Profile profile = filter("deny", {"execve"});
    for (const syscalls::Syscall& call : syscalls::all()) {
        if (call.native() >= 0 && call.native() % 2 == 0 && call.name != "clone3") {
            profile.seccomp.allow.items.push_back(word(std::string(call.name)));
        }
    }
    const Asked asked(profile);
    for (const syscalls::Syscall& call : syscalls::all()) {
        if (call.native() >= 0 && call.name != "execve" && call.name != "clone3") {
            BOOST_TEST(asked(call.native()) == (call.native() % 2 == 0 ? kAllow : error(EPERM)), call.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_numbers_are_libseccomps_where_it_knows_the_name) {
    for (const syscalls::Syscall& call : syscalls::all()) {
        const std::string name(call.name);
        for (const auto& [token, number] :
             {std::pair(SCMP_ARCH_X86_64, call.x86_64), {SCMP_ARCH_AARCH64, call.aarch64}}) {
            const int theirs = ::seccomp_syscall_resolve_name_arch(token, name.c_str());
            if (theirs != __NR_SCMP_ERROR) {
                BOOST_TEST((theirs < 0 ? -1 : theirs) == number, name);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(libseccomp_knows_no_name_that_we_do_not) {
    const std::vector<std::uint32_t> tokens = {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32, SCMP_ARCH_AARCH64,
                                               SCMP_ARCH_ARM};
    for (const std::uint32_t token : tokens) {
        for (int number = 0; number < 1024; ++number) {
            char* name = ::seccomp_syscall_resolve_num_arch(token, number);
            if (name != nullptr) {
                BOOST_TEST((syscalls::find(name) != nullptr), name);
            }
            std::free(name);
        }
    }
}

#if defined(__x86_64__)
BOOST_AUTO_TEST_CASE(calls_of_an_architecture_that_is_not_named_are_killed) {
    for (const Profile& profile : {filter("deny", {"@known"}, {}, {rule({"clone3"}, "ENOSYS")}),
                                   filter("allow", {}, {"bpf"}), filter("log", {})}) {
        const Asked asked(profile);
        for (std::uint32_t number = 0; number < 1024; ++number) {
            BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, number) == kKill, number);
            BOOST_TEST(asked(kX32Bit | number) == kKill, number);
            BOOST_TEST(asked.foreign(AUDIT_ARCH_AARCH64, number) == kKill, number);
        }
        BOOST_TEST(asked(0xfffffffeU) == kKill);
    }
}

BOOST_AUTO_TEST_CASE(a_named_32_bit_architecture_has_its_own_numbers) {
    Profile profile = filter("deny", {"execve", "read", "chown32", "mseal", "open", "uretprobe"}, {},
                             {rule({"personality"}, "allow", {when(0, "==", {"8"})}),
                              rule({"socket"}, "allow", {when(0, "==", {"AF_UNIX"})})});
    profile.seccomp.architectures.items = words({"native", "x86"});
    const Asked asked(profile);
    BOOST_TEST(asked(SYS_read) == kAllow);
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 3) == kAllow);           // read
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 0) == error(EPERM));     // restart_syscall
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 212) == kAllow);         // chown32
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 462) == kAllow);         // mseal
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 463) == error(EPERM));   // setxattrat
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 335) == error(EPERM));   // rt_tgsigqueueinfo; x86_64's uretprobe
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 388) == error(ENOSYS));  // a gap
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 9999) == error(ENOSYS)); // newer
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 136, {8}) == kAllow);    // personality
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 136, {9}) == error(EPERM));
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 359, {AF_UNIX}) == kAllow); // socket
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 359, {AF_INET}) == error(EPERM));
    BOOST_TEST(asked(kX32Bit | 0U) == kKill);
}

BOOST_AUTO_TEST_CASE(socketcall_is_not_opened_by_allowing_socket) {
    Profile profile = filter("deny", {"execve", "socket", "semget"});
    profile.seccomp.architectures.items = words({"native", "x86"});
    const Asked asked(profile);
    for (std::uint64_t operation = 0; operation < 32; ++operation) {
        BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 102, {operation}) == error(EPERM), operation);
        BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 117, {operation}) == error(EPERM), operation);
    }
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 359) == kAllow);
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 393) == kAllow);
}

BOOST_AUTO_TEST_CASE(a_named_x32_has_its_own_numbers) {
    Profile profile =
        filter("deny", {"execve", "read", "mseal"}, {}, {rule({"ioctl"}, "allow", {when(1, "==", {"7"})})});
    profile.seccomp.architectures.items = words({"native", "x32"});
    const Asked asked(profile);
    BOOST_TEST(asked(kX32Bit | 0U) == kAllow);
    BOOST_TEST(asked(kX32Bit | 1U) == error(EPERM));
    BOOST_TEST(asked(kX32Bit | 520U) == kAllow);         // execve
    BOOST_TEST(asked(kX32Bit | 462U) == kAllow);         // mseal
    BOOST_TEST(asked(kX32Bit | 514U, {0, 7}) == kAllow); // ioctl
    BOOST_TEST(asked(kX32Bit | 514U, {0, 8}) == error(EPERM));
    BOOST_TEST(asked(kX32Bit | 600U) == error(ENOSYS));
    BOOST_TEST(asked(0xffffffffU) == error(ENOSYS));
    BOOST_TEST(asked.foreign(AUDIT_ARCH_I386, 3) == kKill);
}
#endif

BOOST_AUTO_TEST_CASE(the_other_machines_program_has_its_numbers) {
    // Compiled here for both, whichever this one is: what a call's arguments decide too.
    SeccompPlan plan = plan_seccomp(
        filter("deny", {"@known"}, {"mount", "statmount"},
               {rule({"clone3"}, "ENOSYS"), rule({"clone"}, "allow", {when(0, "!&", {"CLONE_NEWUSER"})})}));
    plan.architectures = {"x86_64", "aarch64"};
    const seccomp::Program program = seccomp::compile(plan);
    for (const auto& [architecture, number_of] : {std::pair(AUDIT_ARCH_X86_64, &syscalls::Syscall::x86_64),
                                                  std::pair(AUDIT_ARCH_AARCH64, &syscalls::Syscall::aarch64)}) {
        std::set<int> known;
        for (const syscalls::Syscall& call : syscalls::all()) {
            const int number = call.*number_of;
            // uretprobe and uprobe are x86_64's alone: only there a number below the common ones can be ours.
            if (number < 0 || call.name == "uretprobe" || call.name == "uprobe") {
                continue;
            }
            known.insert(number);
            const std::uint32_t answer =
                evaluate(program.instructions, foreign_call(architecture, static_cast<std::uint32_t>(number)));
            if (call.name == "mount" || call.name == "statmount") {
                BOOST_TEST(answer == error(EPERM), call.name);
            } else if (call.name == "clone3") {
                BOOST_TEST(answer == error(ENOSYS), call.name);
            } else {
                BOOST_TEST(answer == kAllow, call.name);
            }
        }
        for (int number = 337; number < 1024; ++number) {
            if (!known.contains(number)) {
                BOOST_TEST(evaluate(program.instructions,
                                    foreign_call(architecture, static_cast<std::uint32_t>(number))) == error(ENOSYS),
                           number);
            }
        }
        const auto clone = static_cast<std::uint32_t>(syscalls::find("clone")->*number_of);
        BOOST_TEST(evaluate(program.instructions, foreign_call(architecture, clone, {0x10000000 | kHigh})) ==
                   error(EPERM));
    }
}

BOOST_AUTO_TEST_CASE(tests_compare_the_low_32_bits) {
    const Asked asked(filter("deny", {"execve", "ioctl"}, {},
                             {rule({"ioctl"}, "deny", {when(1, "in", {"TIOCSTI", "TIOCLINUX"})}),
                              rule({"socket"}, "allow", {when(0, "==", {"AF_UNIX"})}),
                              rule({"personality"}, "allow", {when(0, "==", {"-1"})})}));
    for (const std::uint64_t high : {std::uint64_t{0}, kHigh, std::uint64_t{1} << 32, ~std::uint64_t{0} << 32}) {
        BOOST_TEST(asked(SYS_ioctl, {0, TIOCSTI | high}) == error(EPERM), high);
        BOOST_TEST(asked(SYS_ioctl, {0, TIOCLINUX | high}) == error(EPERM), high);
        BOOST_TEST(asked(SYS_ioctl, {0, TCGETS | high}) == kAllow, high);
        BOOST_TEST(asked(SYS_socket, {AF_UNIX | high}) == kAllow, high);
        BOOST_TEST(asked(SYS_socket, {AF_VSOCK | high}) == error(EPERM), high);
        BOOST_TEST(asked(SYS_personality, {0xffffffff | high}) == kAllow, high);
    }
}

BOOST_AUTO_TEST_CASE(any_bit_and_no_bit) {
    const Asked asked(filter("allow", {}, {},
                             {rule({"unshare"}, "EBUSY", {when(0, "&", {"CLONE_NEWUSER", "CLONE_NEWNET"})}),
                              rule({"setns"}, "EBUSY", {when(1, "!&", {"CLONE_NEWUSER"})})}));
    BOOST_TEST(asked(SYS_unshare, {0x10000000}) == error(EBUSY));
    BOOST_TEST(asked(SYS_unshare, {0x40000000 | kHigh}) == error(EBUSY));
    BOOST_TEST(asked(SYS_unshare, {0x50000000}) == error(EBUSY));
    BOOST_TEST(asked(SYS_unshare, {0x00020000}) == kAllow);
    BOOST_TEST(asked(SYS_setns, {0, 0x10000001}) == kAllow);
    BOOST_TEST(asked(SYS_setns, {0, 0x60000000}) == error(EBUSY));
}

BOOST_AUTO_TEST_CASE(the_strictest_answer_wins_and_among_errnos_the_first_written) {
    const Asked asked(filter(
        "deny", {"execve", "socket", "bind"}, {},
        {rule({"socket"}, "log", {when(0, "in", {"1", "2", "3"})}),
         rule({"socket"}, "EACCES", {when(0, "in", {"2", "3"})}), rule({"bind"}, "EBUSY", {when(0, "==", {"2"})}),
         rule({"socket"}, "EBUSY", {when(0, "in", {"2", "3", "4"})}),
         rule({"bind"}, "EACCES", {when(0, "in", {"2", "3"})}), rule({"socket"}, "kill", {when(0, "==", {"3"})})}));
    BOOST_TEST(asked(SYS_socket, {0}) == kAllow);
    BOOST_TEST(asked(SYS_socket, {1}) == kLog);
    BOOST_TEST(asked(SYS_socket, {2}) == error(EACCES));
    BOOST_TEST(asked(SYS_socket, {3}) == kKill);
    BOOST_TEST(asked(SYS_socket, {4}) == error(EBUSY));
    BOOST_TEST(asked(SYS_bind, {1}) == kAllow);
    BOOST_TEST(asked(SYS_bind, {2}) == error(EBUSY));
    BOOST_TEST(asked(SYS_bind, {3}) == error(EACCES));
}

BOOST_AUTO_TEST_CASE(too_long_a_program_is_an_error_that_says_so) {
    std::vector<SeccompRule> rules;
    for (unsigned first = 0; first < 6; ++first) {
        rules.push_back(rule({"socket", "bind", "connect"}, "deny",
                             {when(first, "&", {"-1"}), when((first + 1) % 6, "&", {"-1"})}));
    }
    try {
        static_cast<void>(seccomp::compile(plan_seccomp(filter("allow", {}, {}, rules))));
        BOOST_ERROR("it was compiled");
    } catch (const Error& failure) {
        BOOST_TEST(std::string(failure.what()).find("the kernel takes 4096") != std::string::npos, failure.what());
    }
}

// Plans at random: whatever the plan says of a call, the program answers.
BOOST_AUTO_TEST_CASE(the_program_answers_what_the_plan_says) {
    constexpr int kPlans = 300;
    constexpr int kCallsPerPlan = 1500;
    const std::vector<std::string> names = {"read", "socket", "ioctl", "clone", "mseal", "listns", "prctl", "openat"};
    const std::vector<std::uint64_t> values = {0, 1, 2, 3, 40, 0x5412, 0x7e020000, 0x80000000, 0xffffffff};
    const std::vector<std::uint64_t> masks = {0xffffffff, 0x1, 0x80000000, 0x7e020000, 0xff};
    const std::vector<SeccompAction> actions = {{.kind = SeccompActionKind::kill},
                                                {.kind = SeccompActionKind::errno_value, .error_number = EPERM},
                                                {.kind = SeccompActionKind::errno_value, .error_number = ENOSYS},
                                                {.kind = SeccompActionKind::log},
                                                {.kind = SeccompActionKind::allow}};
    const auto strength = [](const SeccompEntry& entry) {
        switch (entry.action.kind) {
        case SeccompActionKind::kill:
            return 0;
        case SeccompActionKind::errno_value:
            return 1;
        case SeccompActionKind::log:
            return 2;
        case SeccompActionKind::allow:
            break;
        }
        return 3;
    };
    std::mt19937 random(20240607); // NOLINT: the same plans each time
    const auto one_of = [&](const auto& from) { return from[random() % from.size()]; };
    for (int round = 0; round < kPlans; ++round) {
        SeccompPlan plan;
        plan.filter = true;
        plan.default_action = one_of(actions);
        plan.architectures = {syscalls::find("read")->native() == 0 ? "x86_64" : "aarch64"};
        for (std::size_t i = 1 + random() % 14; i > 0; --i) {
            SeccompEntry entry;
            const syscalls::Syscall& call = *syscalls::find(one_of(names));
            entry.syscall = {.name = std::string(call.name), .number = call.native()};
            entry.action = one_of(actions);
            for (unsigned argument = 0; argument < 3; ++argument) {
                if (random() % 2 == 0) {
                    const std::uint64_t mask = one_of(masks);
                    entry.tests.push_back({.argument = argument, .mask = mask, .value = one_of(values) & mask});
                }
            }
            plan.entries.push_back(entry);
        }
        std::ranges::stable_sort(plan.entries, {}, strength);
        const seccomp::Program program = seccomp::compile(plan);
        BOOST_TEST_REQUIRE(seccomp::is_well_formed(program.instructions));
        for (int i = 0; i < kCallsPerPlan; ++i) {
            const auto number = static_cast<std::uint32_t>(syscalls::find(one_of(names))->native());
            std::array<std::uint64_t, 6> arguments{};
            for (auto& argument : arguments) {
                argument = one_of(values) | (random() % 2 == 0 ? kHigh : 0);
            }
            const std::uint32_t said = said_by(plan, number, arguments);
            const std::uint32_t answer = evaluate(program.instructions, system_call(number, arguments));
            BOOST_TEST_REQUIRE(answer == said, "plan " << round << " call " << number);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_program_that_the_kernel_would_refuse_is_not_well_formed) {
    const seccomp::Program good = seccomp::compile(plan_seccomp(filter("deny", {"execve"})));
    BOOST_TEST(seccomp::is_well_formed(good.instructions));
    const auto spoiled = [&](const sock_filter& instruction) {
        seccomp::Program bad = good;
        bad.instructions[1] = instruction;
        return !seccomp::is_well_formed(bad.instructions);
    };
    const auto size = static_cast<std::uint32_t>(good.instructions.size());
    BOOST_TEST(spoiled(BPF_JUMP(BPF_JMP | BPF_JA, size, 0, 0)));
    BOOST_TEST(spoiled(BPF_JUMP(BPF_JMP | BPF_JA, 0xffffffff, 0, 0)));
    BOOST_TEST(spoiled(BPF_JUMP(BPF_JMP | BPF_JA, size - 2, 0, 0)));
    BOOST_TEST(!spoiled(BPF_JUMP(BPF_JMP | BPF_JA, size - 3, 0, 0)));
    BOOST_TEST(spoiled(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 255, 0)));
    BOOST_TEST(spoiled(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 255)));
    BOOST_TEST(spoiled(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64)));
    BOOST_TEST(spoiled(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2)));
    BOOST_TEST(spoiled(BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0)));
    BOOST_TEST(spoiled(BPF_STMT(BPF_RET | BPF_A, 0)));
    BOOST_TEST(!seccomp::is_well_formed({}));
    BOOST_TEST(!seccomp::is_well_formed(std::span(good.instructions).first(3)));
    const std::vector<sock_filter> long_one(4097, good.instructions.back());
    BOOST_TEST(!seccomp::is_well_formed(long_one));
}

BOOST_AUTO_TEST_SUITE_END()
