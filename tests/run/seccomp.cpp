// The system call filter, as CMD meets it. Each attack has a control: the same attempt elsewhere succeeds, or fails
// differently, so that the refusal is the filter's.
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

/// One attempt: what it answers inside `strict`, and how its control shows that it could have worked.
struct Attack {
    enum class Control {
        user,        ///< the user, without a sandbox
        own_root,    ///< root of a user namespace of one's own
        machine_root ///< the machine's root
    };
    const char* name;
    const char* inside;
    Control control;
    const char* outside;
};

constexpr Attack kAttacks[] = {
    {"mount", "EPERM", Attack::Control::own_root, "ok"},
    {"umount", "EPERM", Attack::Control::own_root, "ok"},
    {"remount", "EPERM", Attack::Control::own_root, "EINVAL"},
    {"pivot_root", "EPERM", Attack::Control::own_root, "EINVAL"},
    {"chroot", "EPERM", Attack::Control::own_root, "ok"},
    {"open_tree", "EPERM", Attack::Control::own_root, "ok"},
    {"fsopen", "EPERM", Attack::Control::own_root, "ok"},
    {"mount_setattr", "EPERM", Attack::Control::own_root, "EINVAL"},
    {"unshare-user", "EPERM", Attack::Control::user, "ok"},
    {"unshare-net", "EPERM", Attack::Control::own_root, "ok"},
    {"unshare-mnt", "EPERM", Attack::Control::own_root, "ok"},
    {"setns-uts", "EPERM", Attack::Control::own_root, "ok"},
    {"clone-newuser", "EPERM", Attack::Control::user, "ok"},
    {"clone-newuser-high-bits", "EPERM", Attack::Control::user, "ok"},
    {"clone3", "ENOSYS", Attack::Control::user, "ok"},
    {"clone3-newuser", "ENOSYS", Attack::Control::user, "ok"},
    {"ptrace", "EPERM", Attack::Control::user, "ok"},
    {"process_vm_readv", "EPERM", Attack::Control::user, "ok"},
    {"keyctl", "EPERM", Attack::Control::user, "ok"},
    {"add_key", "EPERM", Attack::Control::user, "ok"},
    {"request_key", "EPERM", Attack::Control::user, "ENOKEY"},
    {"userfaultfd", "EPERM", Attack::Control::user, "ok"},
    {"bpf", "EPERM", Attack::Control::machine_root, "ok"},
    {"io_uring_setup", "EPERM", Attack::Control::machine_root, "ok"},
    {"perf_event_open", "EPERM", Attack::Control::machine_root, "ok"},
    {"open_by_handle_at", "EPERM", Attack::Control::machine_root, "ESTALE"},
    {"swapon", "EPERM", Attack::Control::machine_root, "ENOENT"},
    {"syslog", "EPERM", Attack::Control::machine_root, "ok"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(seccomp, World)

BOOST_AUTO_TEST_CASE(strict_refuses_every_dangerous_call) {
    Words inner = {probe("attempt")};
    for (const Attack& attack : kAttacks) {
        inner.emplace_back(attack.name);
    }
    const Result tried = inside("strict", inner);
    for (const Attack& attack : kAttacks) {
        const std::string name = attack.name;
        const std::string answer = "\n" + name + ": " + attack.inside + "\n";
        BOOST_TEST(("\n" + tried.out).find(answer) != std::string::npos, name << tried);
    }
}

BOOST_AUTO_TEST_CASE(the_controls_of_strict_succeed) {
    for (const Attack& attack : kAttacks) {
        Options options = here();
        Words words = {probe("attempt"), attack.name};
        if (attack.control == Attack::Control::own_root) {
            words.insert(words.begin(), {"unshare", "-Urmnupf", "--mount-proc"});
        } else if (attack.control == Attack::Control::machine_root) {
            if (!started_by_root()) {
                continue;
            }
            options.as = &root_user();
        }
        const Result control = run(words, options);
        BOOST_TEST(control.printed(std::string(attack.name) + ": " + attack.outside + "\n"), attack.name << control);
    }
}

BOOST_AUTO_TEST_CASE(default_refuses_what_docker_refuses) {
    const Result tried = inside("default", {probe("attempt"), "mount", "unshare-user", "unshare-net", "setns", "bpf",
                                            "keyctl", "io_uring_setup", "perf_event_open", "userfaultfd", "personality",
                                            "clone-newuser", "clone3", "vsock", "alg", "ptrace", "unix"});
    for (const char* name : {"mount", "unshare-user", "unshare-net", "setns", "bpf", "keyctl", "io_uring_setup",
                             "perf_event_open", "userfaultfd", "personality", "clone-newuser", "vsock", "alg"}) {
        BOOST_TEST(tried.printed(std::string(name) + ": EPERM"), name << tried);
    }
    BOOST_TEST(tried.printed("clone3: ENOSYS"), tried);
    // Docker lets a container debug its own processes.
    BOOST_TEST(tried.printed("ptrace: ok"), tried);
    BOOST_TEST(tried.printed("unix: ok"), tried);
    const Result control = outside({probe("attempt"), "personality", "vsock"});
    BOOST_TEST(control.printed("personality: ok"), control);
}

BOOST_AUTO_TEST_CASE(kexec_is_refused_before_the_kernel_looks) {
    BOOST_TEST(inside("strict", {probe("attempt"), "kexec_load"}).printed("kexec_load: EPERM"));
    NEEDS(started_by_root(), "the control needs root");
    Options options;
    options.as = &root_user();
    const Result control = run({probe("attempt"), "kexec_load"}, options);
    BOOST_TEST(!control.printed("kexec_load: EPERM"), control);
}

BOOST_AUTO_TEST_CASE(the_socket_family_is_compared_without_its_upper_bits) {
    const Result control = outside({probe("attempt"), "vsock", "vsock-high-bits"});
    NEEDS(control.printed("vsock-high-bits: ok"), "this kernel has no AF_VSOCK");
    for (const char* profile : {"strict", "default", "build"}) {
        const Result attack = inside(profile, {probe("attempt"), "vsock", "vsock-high-bits"});
        BOOST_TEST(!attack.printed("ok"), profile << attack);
    }
}

BOOST_AUTO_TEST_CASE(a_call_newer_than_the_profile_answers_enosys) {
    for (const char* number : {"600", "999", "9999", "100000"}) {
        for (const char* profile : {"strict", "default"}) {
            const Result tried = inside(profile, {probe("syscall"), number});
            BOOST_TEST(tried.printed(": ENOSYS"), profile << number << tried);
        }
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
    BOOST_TEST(other.printed("unshare-user: EPERM"), other);
}

BOOST_AUTO_TEST_CASE(a_damaged_foreign_or_stale_cached_filter_is_not_used) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Result files = sh("find ~/.local/share/sandbox -type f");
    BOOST_REQUIRE(!files.out.empty());
    const std::string file = files.out.substr(0, files.out.find('\n'));
    const std::string whole = read_file(file);
    const auto still_filtered = [&] {
        const Result tried = inside("strict", {probe("attempt"), "unshare-user"});
        BOOST_TEST(tried.printed("unshare-user: EPERM"), tried);
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
    if (started_by_root()) {
        write(file, allowing, 0644);
        BOOST_REQUIRE(::chown(file.c_str(), 0, 0) == 0);
        still_filtered();
    }
    write(file, allowing, 0666);
    still_filtered();
    // A link in its place.
    write(home / "elsewhere", allowing, 0600);
    BOOST_TEST(sh("ln -sf ~/elsewhere '" + file + "'").status == 0);
    still_filtered();
    BOOST_TEST(read_file(home / "elsewhere") == allowing);
}

BOOST_AUTO_TEST_CASE(the_callers_session_keyring_is_left_behind) {
    const Words plant = {probe("keyring"), "plant", "sandbox-test-key", "--"};
    Words attack = plant;
    attack.insert(attack.end(), {sandbox_program(), "--profile", "permissive", "--ro", probe_directory(), "--",
                                 probe("keyring"), "search", "sandbox-test-key"});
    const Result tried = outside(attack);
    BOOST_TEST(tried.printed("search: "), tried);
    BOOST_TEST(!tried.printed("search: ok"), tried);
    Words control = plant;
    control.insert(control.end(), {probe("keyring"), "search", "sandbox-test-key"});
    BOOST_TEST(outside(control).printed("search: ok"));
}

BOOST_AUTO_TEST_SUITE_END()
