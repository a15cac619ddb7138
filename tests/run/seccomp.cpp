// The system call filter, as CMD meets it. Each attack has a control: the same attempt without the filter succeeds, or
// fails differently, so that the refusal is the filter's.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

/// One attempt: what it answers under the filters, and what where there is none.
struct Attack {
    enum class Control {
        no_filter,    ///< the same sandbox without the filter
        capable,      ///< the same, and CMD has every capability in its namespaces
        machine_root, ///< the machine's root, outside: the kernel asks for its privilege before anything else
    };
    const char* name;
    const char* in_strict; ///< and in `build`
    const char* in_default;
    Control control;
    const char* unfiltered;
};

constexpr Attack kAttacks[] = {
    {"mount", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"umount", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"remount", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"pivot_root", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"chroot", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"open_tree", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"fsopen", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"mount_setattr", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"unshare-user", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"unshare-net", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"unshare-mnt", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"setns", "EPERM", "EPERM", Attack::Control::no_filter, "EINVAL"},
    {"setns-uts", "EPERM", "EPERM", Attack::Control::capable, "ok"},
    {"clone-newuser", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"clone-newuser-high-bits", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"clone3", "ENOSYS", "ENOSYS", Attack::Control::no_filter, "ok"},
    {"clone3-newuser", "ENOSYS", "ENOSYS", Attack::Control::no_filter, "ok"},
    // Docker lets a container debug its own processes.
    {"ptrace", "EPERM", "ok", Attack::Control::no_filter, "ok"},
    {"process_vm_readv", "EPERM", "ok", Attack::Control::no_filter, "ok"},
    {"keyctl", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"add_key", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"request_key", "EPERM", "EPERM", Attack::Control::no_filter, "ENOKEY"},
    {"userfaultfd", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"personality", "EPERM", "EPERM", Attack::Control::no_filter, "ok"},
    {"bpf", "EPERM", "EPERM", Attack::Control::machine_root, "ok"},
    {"io_uring_setup", "EPERM", "EPERM", Attack::Control::machine_root, "ok"},
    {"perf_event_open", "EPERM", "EPERM", Attack::Control::machine_root, "ok"},
    {"open_by_handle_at", "EPERM", "EPERM", Attack::Control::machine_root, "ESTALE"},
    {"swapon", "EPERM", "EPERM", Attack::Control::machine_root, "ENOENT"},
    {"syslog", "EPERM", "EPERM", Attack::Control::machine_root, "ok"},
};

/// `attempt NAME` in `profile`, each in a sandbox of its own: some would change what the next one meets.
std::string attempt(const World& world, const std::string& profile, const Words& how, const std::string& name) {
    Words words = {"--profile", profile, "--quiet", "--ro", probe_directory()};
    words.insert(words.end(), how.begin(), how.end());
    words.insert(words.end(), {"--", probe("attempt"), name});
    return world.sandbox(words).out;
}

std::string line(const char* name, const char* answer) {
    return std::string(name) + ": " + answer + "\n";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(seccomp, World)

BOOST_AUTO_TEST_CASE(dangerous_calls_are_refused_by_name) {
    Words inner = {probe("attempt")};
    for (const Attack& attack : kAttacks) {
        inner.emplace_back(attack.name);
    }
    for (const char* profile : {"strict", "build", "default"}) {
        std::string expected;
        for (const Attack& attack : kAttacks) {
            expected += line(attack.name, profile == std::string("default") ? attack.in_default : attack.in_strict);
        }
        const Result tried = inside(profile, inner);
        BOOST_TEST(tried.out == expected, profile << tried);
    }
}

BOOST_AUTO_TEST_CASE(the_same_calls_answer_otherwise_without_the_filter) {
    for (const Attack& attack : kAttacks) {
        const bool is_capable = attack.control == Attack::Control::capable;
        if (attack.control != Attack::Control::machine_root) {
            const Words how = is_capable ? Words{"--seccomp", "none", "--cap-add", "all"} : Words{"--seccomp", "none"};
            BOOST_TEST(attempt(*this, "strict", how, attack.name) == line(attack.name, attack.unfiltered));
        }
        // Nor is it the missing capability that refuses: with it and the filter the answer is the filter's.
        if (is_capable) {
            BOOST_TEST(attempt(*this, "strict", {"--cap-add", "all"}, attack.name) ==
                       line(attack.name, attack.in_strict));
        }
    }
}

BOOST_AUTO_TEST_CASE(the_calls_of_the_machines_root_answer_otherwise_without_the_filter) {
    NEEDS(started_by_root(), "the kernel refuses these calls to all but root");
    Options options = here();
    options.as = &root_user();
    for (const Attack& attack : kAttacks) {
        if (attack.control == Attack::Control::machine_root) {
            const Result control = run({probe("attempt"), attack.name}, options);
            // A kernel may be built without the call.
            const bool is_missing = control.out == line(attack.name, "ENOSYS");
            BOOST_TEST((is_missing || control.out == line(attack.name, attack.unfiltered)), control);
        }
    }
}

BOOST_AUTO_TEST_CASE(kexec_is_refused_before_the_kernel_looks) {
    for (const char* profile : {"strict", "build", "default"}) {
        BOOST_TEST(attempt(*this, profile, {}, "kexec_load") == "kexec_load: EPERM\n");
    }
    NEEDS(started_by_root(), "the control needs root");
    Options options;
    options.as = &root_user();
    // EINVAL for the flags, or ENOSYS where the kernel is built without it.
    const Result control = run({probe("attempt"), "kexec_load"}, options);
    BOOST_TEST((control.out == "kexec_load: EINVAL\n" || control.out == "kexec_load: ENOSYS\n"), control);
}

BOOST_AUTO_TEST_CASE(a_kernel_crypto_socket_is_refused_by_the_filter_of_default) {
    BOOST_TEST(attempt(*this, "default", {}, "alg") == "alg: EPERM\n");
    // EAFNOSUPPORT where the kernel is built without it.
    const std::string control = attempt(*this, "default", {"--seccomp", "none"}, "alg");
    BOOST_TEST((control == "alg: ok\n" || control == "alg: EAFNOSUPPORT\n"), control);
    BOOST_TEST(attempt(*this, "default", {}, "unix") == "unix: ok\n");
}

BOOST_AUTO_TEST_CASE(the_socket_family_is_compared_without_its_upper_bits) {
    const Result control = outside({probe("attempt"), "vsock", "vsock-high-bits"});
    NEEDS(control.printed("vsock-high-bits: ok"), "this kernel has no AF_VSOCK");
    for (const char* profile : {"strict", "default", "build"}) {
        const Result attack = inside(profile, {probe("attempt"), "vsock", "vsock-high-bits"});
        const std::string answer = profile == std::string("default") ? "EPERM" : "EAFNOSUPPORT";
        BOOST_TEST(attack.out == "vsock: " + answer + "\nvsock-high-bits: " + answer + "\n", profile << attack);
    }
}

BOOST_AUTO_TEST_CASE(a_call_newer_than_the_profile_answers_enosys) {
    for (const char* number : {"600", "999", "9999", "100000"}) {
        for (const char* profile : {"strict", "default"}) {
            const Result tried = inside(profile, {probe("syscall"), number});
            BOOST_TEST(tried.out == std::string(number) + ": ENOSYS\n", profile << number << tried);
        }
    }
    // The control: one that it knows and does not allow answers EPERM.
    const std::string known = std::to_string(SYS_keyctl);
    for (const char* profile : {"strict", "default"}) {
        BOOST_TEST(inside(profile, {probe("syscall"), known}).out == known + ": EPERM\n");
    }
}

BOOST_AUTO_TEST_CASE(a_32_bit_system_call_is_killed) {
#if defined(__x86_64__)
    const Result control = outside({probe("i386")});
    NEEDS(control.printed("i386: ran"), "this kernel runs no 32-bit system calls");
    for (const char* profile : {"strict", "default", "build"}) {
        const Result attack = inside(profile, {probe("i386")});
        BOOST_TEST(attack.status == 128 + SIGSYS, profile << attack);
        BOOST_TEST(!attack.printed("ran"), profile << attack);
    }
#else
    SKIP("only x86_64 has 32-bit system calls of this kind");
#endif
}

BOOST_AUTO_TEST_CASE(an_x32_system_call_is_killed) {
#if defined(__x86_64__)
    // Outside it answers, be it with ENOSYS where the kernel has no x32.
    const Result control = outside({probe("x32")});
    BOOST_TEST(control.printed("x32: "), control);
    BOOST_TEST(!control.signaled, control);
    for (const char* profile : {"strict", "default", "build"}) {
        const Result attack = inside(profile, {probe("x32")});
        BOOST_TEST(attack.status == 128 + SIGSYS, profile << attack);
    }
#else
    SKIP("only x86_64 has x32");
#endif
}

BOOST_AUTO_TEST_CASE(a_profile_that_names_an_architecture_runs_it) {
#if defined(__x86_64__)
    NEEDS(outside({probe("i386")}).printed("i386: ran"), "this kernel runs no 32-bit system calls");
    profile("both", "extends = \"strict\"\n[seccomp]\narchitectures = [\"native\", \"x86\"]\n");
    const Result allowed = inside("both", {probe("i386")});
    BOOST_TEST(allowed.printed("i386: ran"), allowed);
#else
    SKIP("only x86_64 has 32-bit system calls of this kind");
#endif
}

BOOST_AUTO_TEST_CASE(the_filter_is_there_and_permissive_has_none) {
    BOOST_TEST(inside("strict", {probe("privileges")}).printed("Seccomp:\t2"));
    BOOST_TEST(inside("permissive", {probe("privileges")}).printed("Seccomp:\t0"));
}

BOOST_AUTO_TEST_CASE(threads_start_although_clone3_is_refused) {
    for (const char* profile : {"strict", "default", "build"}) {
        const Result threaded = inside(profile, {probe("threads"), "32"});
        BOOST_TEST(threaded.out == "32000\n", profile << threaded);
    }
}

BOOST_AUTO_TEST_CASE(a_filter_cannot_break_its_own_start) {
    profile("narrow", "extends = \"strict\"\n[seccomp]\ndeny = [\"prctl\", \"prlimit64\", \"setresuid\", "
                      "\"close_range\", \"sendmsg\", \"kill\", \"wait4\", \"seccomp\", \"dup2\", \"fchdir\"]\n");
    const Result narrow = inside("narrow", {"/bin/echo", "started"});
    BOOST_TEST(narrow.out == "started\n", narrow);
    // The control: what it denies is denied to CMD, and by it.
    for (const long call :
         {SYS_prctl, SYS_setresuid, SYS_close_range, SYS_sendmsg, SYS_kill, SYS_seccomp, SYS_fchdir}) {
        const Words attempt = {probe("syscall"), std::to_string(call), "-1", "-1", "-1", "-1", "-1"};
        BOOST_TEST(inside("narrow", attempt).out == std::to_string(call) + ": EPERM\n");
        const Result allowed = inside("strict", attempt);
        BOOST_TEST((allowed.printed(": ") && !allowed.printed("EPERM")), call << allowed);
    }
}

BOOST_AUTO_TEST_CASE(a_rule_acts_as_it_is_written) {
    profile("rules", R"(extends = "strict"
[[seccomp.rule]]
syscalls = ["socket"]
action   = "EAFNOSUPPORT"
when     = [{ arg = 0, op = "==", value = "AF_UNIX" }]
[[seccomp.rule]]
syscalls = ["getpriority"]
action   = "kill"
)");
    const Result denied = inside("rules", {probe("attempt"), "unix"});
    BOOST_TEST(denied.printed("unix: EAFNOSUPPORT"), denied);
    BOOST_TEST(inside("strict", {probe("attempt"), "unix"}).printed("unix: ok"));
    const std::string number = std::to_string(SYS_getpriority);
    const Result killed = inside("rules", {probe("syscall"), number, "0", "0"});
    BOOST_TEST(killed.status == 128 + SIGSYS, killed);
    BOOST_TEST(inside("strict", {probe("syscall"), number, "0", "0"}).printed(": ok"));
}

BOOST_AUTO_TEST_CASE(another_profiles_filter_can_be_taken) {
    const Result none =
        sandbox({"--profile", "strict", "--seccomp", "none", "--ro", probe_directory(), "--", probe("privileges")});
    BOOST_TEST(none.printed("Seccomp:\t0"), none);
    const Result other = sandbox({"--profile", "permissive", "--seccomp", "strict", "--ro", probe_directory(), "--",
                                  probe("attempt"), "unshare-user", "personality"});
    BOOST_TEST(other.out == "unshare-user: EPERM\npersonality: EPERM\n", other);
    const Result control = inside("permissive", {probe("attempt"), "unshare-user", "personality"});
    BOOST_TEST(control.out == "unshare-user: ok\npersonality: ok\n", control);
}

BOOST_AUTO_TEST_CASE(a_damaged_foreign_or_stale_cached_filter_is_not_used) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Result files = sh("find ~/.local/share/sandbox -type f");
    BOOST_REQUIRE(!files.out.empty());
    const std::string file = files.out.substr(0, files.out.find('\n'));
    const std::string whole = read_file(file);
    const auto still_filtered = [&] {
        const Result tried = inside("strict", {probe("attempt"), "unshare-user"});
        BOOST_TEST(tried.out == "unshare-user: EPERM\n", tried);
    };
    // Every instruction of the program made an "allow": what an attacker would write.
    std::string allowing = whole;
    const std::string allow("\x06\x00\x00\x00\x00\x00\xff\x7f", 8);
    for (std::size_t at = whole.size() % 8; at + 8 <= allowing.size(); at += 8) {
        allowing.replace(at, 8, allow);
    }
    for (const std::string& text : {allowing, whole.substr(0, whole.size() / 2), std::string(), whole + whole,
                                    std::string("x") + whole.substr(1)}) {
        write(file, text, 0600);
        still_filtered();
    }
    // One instruction turned into "allow", everything else as it was.
    std::string one = whole;
    one.replace(one.size() - 8, 8, allow);
    write(file, one, 0600);
    still_filtered();
    write(file, allowing, 0666);
    still_filtered();
    // A link in its place.
    write(home / "elsewhere", allowing, 0600);
    BOOST_TEST(sh("ln -sf ~/elsewhere '" + file + "'").status == 0);
    still_filtered();
    BOOST_TEST(read_file(home / "elsewhere") == allowing);
}

BOOST_AUTO_TEST_CASE(a_cached_filter_of_another_owner_is_not_used) {
    NEEDS(started_by_root(), "only root can give a file away");
    BOOST_TEST(strict_sh("true").status == 0);
    const Result files = sh("find ~/.local/share/sandbox -type f");
    BOOST_REQUIRE(!files.out.empty());
    const std::string file = files.out.substr(0, files.out.find('\n'));
    write(file, std::string("\x06\x00\x00\x00\x00\x00\xff\x7f", 8), 0644);
    BOOST_REQUIRE(::chown(file.c_str(), 0, 0) == 0);
    const Result tried = inside("strict", {probe("attempt"), "unshare-user"});
    BOOST_TEST(tried.out == "unshare-user: EPERM\n", tried);
}

BOOST_AUTO_TEST_CASE(the_callers_session_keyring_is_left_behind) {
    const Words plant = {probe("keyring"), "plant", "sandbox-test-key", "--"};
    Words attack = plant;
    attack.insert(attack.end(), {sandbox_program(), "--profile", "permissive", "--ro", probe_directory(), "--",
                                 probe("keyring"), "search", "sandbox-test-key"});
    const Result tried = outside(attack);
    BOOST_TEST(tried.printed("search: ENOKEY"), tried);
    Words control = plant;
    control.insert(control.end(), {probe("keyring"), "search", "sandbox-test-key"});
    BOOST_TEST(outside(control).printed("search: ok"));
}

BOOST_AUTO_TEST_SUITE_END()
