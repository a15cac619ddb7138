// The resource limits that hold CMD and what it starts, and nobody else.
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

#include <csignal>

#include "tests/support/world.hpp"

using namespace sandbox::test;

namespace {

struct LimitsTest : World {
    /// WORDS in `strict` under `--ulimit LIMIT`.
    [[nodiscard]] Result under(const std::string& limit, const Words& words) const {
        return under(limit, words, here());
    }
    [[nodiscard]] Result under(const std::string& limit, const Words& words, const Options& options) const {
        Words all = {"--profile", "strict", "--ulimit", limit, "--ro", probe_directory(), "--"};
        all.insert(all.end(), words.begin(), words.end());
        return sandbox(all, options);
    }
};

constexpr const char* kLimits[] = {"core", "fsize", "nofile", "nproc", "stack"};

/// The lines of /proc/PID/limits for the five.
std::string look_at(const std::string& pid) {
    return "grep -E '^Max (core file|file size|open files|processes|stack)' /proc/" + pid + "/limits";
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(limits, LimitsTest)

BOOST_AUTO_TEST_CASE(no_more_files_can_be_open_than_nofile_says) {
    const Result attack = under("nofile=40", {probe("limits"), "open", "200"});
    BOOST_TEST(attack.out == "open: EMFILE\n37\n", attack);
    const Result control = inside("strict", {probe("limits"), "open", "200"});
    BOOST_TEST(control.out == "open: ok\n200\n", control);
}

BOOST_AUTO_TEST_CASE(a_soft_limit_can_be_raised_to_the_hard_one_and_no_further) {
    const Result attack =
        under("nofile=40:60", {"sh", "-c", "ulimit -Sn; ulimit -Sn 60 && ulimit -Sn; ulimit -Sn 61; ulimit -Sn"});
    BOOST_TEST(attack.printed("40\n60\n"), attack);
    BOOST_TEST(!attack.printed("61"), attack);
    const Result control = inside("strict", {"sh", "-c", "ulimit -Sn 61; ulimit -Sn"});
    BOOST_TEST(control.out == "61\n", control);
}

BOOST_AUTO_TEST_CASE(a_file_that_grows_beyond_fsize_ends_its_writer) {
    const Words script = {"sh", "-c", "exec head -c 30000 /dev/zero >/tmp/file"};
    const Result attack = under("fsize=16k", script);
    BOOST_TEST(attack.status == 128 + SIGXFSZ, attack);
    BOOST_TEST(inside("strict", script).status == 0);
    const Result size = under("fsize=16k", {"sh", "-c", "head -c 30000 /dev/zero >/tmp/file; wc -c </tmp/file"});
    BOOST_TEST(size.out == "16384\n", size);
}

BOOST_AUTO_TEST_CASE(a_stack_cannot_grow_beyond_its_limit) {
    const Words deep = {probe("limits"), "stack", "3000000"};
    const Result attack = under("stack=1m", deep);
    BOOST_TEST(attack.status == 128 + SIGSEGV, attack);
    const Result control = under("stack=6m", deep);
    BOOST_TEST(control.out == "stack: ok\n", control);
}

BOOST_AUTO_TEST_CASE(no_more_processes_run_in_the_sandbox_than_nproc_says) {
    // pid 1, the probe and eight of its children.
    const Result attack = under("nproc=10", {probe("limits"), "fork", "30"});
    BOOST_TEST(attack.out == "fork: EAGAIN\n8\n", attack);
    const Result control = inside("strict", {probe("limits"), "fork", "30"});
    BOOST_TEST(control.out == "fork: ok\n30\n", control);
}

BOOST_AUTO_TEST_CASE(nproc_does_not_count_the_users_processes_outside) {
    std::vector<Process> others;
    for (int i = 0; i < 12; ++i) {
        others.emplace_back(Words{"sleep", "1000"}, here());
    }
    const Result ended = under("nproc=10", {probe("limits"), "fork", "30"});
    BOOST_TEST(ended.out == "fork: EAGAIN\n8\n", ended);
}

BOOST_AUTO_TEST_CASE(a_limit_holds_in_what_cmd_starts) {
    const Result attack = under("nofile=40", {"sh", "-c", "(setsid sh -c \"$0 open 200\") & wait", probe("limits")});
    BOOST_TEST(attack.out == "open: EMFILE\n37\n", attack);
}

BOOST_AUTO_TEST_CASE(no_hard_limit_can_be_raised_from_inside_with_any_capability) {
    for (const Words& how : {Words{"strict"}, Words{"permissive", "--cap-add", "all"},
                             Words{"permissive", "--cap-add", "all", "--root"}}) {
        Words words = {"--profile"};
        words.insert(words.end(), how.begin(), how.end());
        for (const char* limit : {"core=64k", "fsize=64k", "nofile=100", "nproc=100", "stack=8m"}) {
            words.insert(words.end(), {"--ulimit", limit});
        }
        words.insert(words.end(), {"--ro", probe_directory(), "--", probe("limits"), "raise"});
        const Result attack = sandbox(words);
        std::string expected;
        for (const std::string limit : kLimits) {
            // The control: to set it as it is.
            expected += limit + ": ok\n" + limit + ": EPERM\n" + limit + ": EPERM\n";
        }
        BOOST_TEST(attack.out == expected, attack);
    }
}

BOOST_AUTO_TEST_CASE(pid_1_and_the_supervisor_keep_the_callers_limits) {
    const Result inner = under("nofile=40", {"sh", "-c", look_at("self") + "; echo; " + look_at("1")});
    BOOST_TEST(inner.printed("Max open files            40                   40"), inner);
    const std::string of_init = inner.out.substr(std::min(inner.out.size(), inner.out.find("\n\n") + 2));
    BOOST_TEST(of_init == sh(look_at("self")).out);

    Process running({sandbox_program(), "--profile", "strict", "--ulimit", "nofile=40", "--", "sh", "-c",
                     "echo ready; exec sleep 1000"},
                    here());
    BOOST_REQUIRE(running.wait_for("ready\n"));
    BOOST_TEST(sh(look_at(std::to_string(running.pid()))).out == sh(look_at("self")).out);
}

BOOST_AUTO_TEST_CASE(what_nothing_sets_is_the_callers) {
    Options options = here();
    options.before_exec = [] {
        const rlimit files{300, 400};
        ::setrlimit(RLIMIT_NOFILE, &files);
        const rlimit size{1 << 20, 1 << 21};
        ::setrlimit(RLIMIT_FSIZE, &size);
    };
    const Words look = {"sh", "-c", look_at("self")};
    Words inner = {"--profile", "default", "--"};
    inner.insert(inner.end(), look.begin(), look.end());
    BOOST_TEST(sandbox(inner, options).out == run(look, options).out);
}

BOOST_AUTO_TEST_CASE(strict_dumps_no_core) {
    Options options = here();
    options.before_exec = [] {
        const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
        ::setrlimit(RLIMIT_CORE, &none);
    };
    const Words ask = {"sh", "-c", "ulimit -Sc; ulimit -Hc; ulimit -c 1"};
    const Result attack = inside("strict", ask, options);
    BOOST_TEST(attack.out == "0\n0\n", attack);
    BOOST_TEST(attack.status != 0, attack);
    const Result control = inside("default", ask, options);
    BOOST_TEST(control.status == 0, control);
    const Result changed = sandbox({"--profile", "strict", "--ulimit", "core=0:0", "--", "sh", "-c", "ulimit -Hc"});
    BOOST_TEST(changed.out == "0\n", changed);
}

BOOST_AUTO_TEST_CASE(more_than_the_callers_hard_limit_is_refused_before_anything_runs) {
    Options options = here();
    options.before_exec = [] {
        const rlimit files{300, 400};
        ::setrlimit(RLIMIT_NOFILE, &files);
    };
    for (const char* limit : {"nofile=401", "nofile=300:401", "nofile=unlimited"}) {
        const Result refused = under(limit, {"echo", "ran"}, options);
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.out.empty(), refused);
        BOOST_TEST(refused.said(std::string("sandbox: --ulimit ") + limit + ": cannot set the limit nofile to "),
                   refused);
        BOOST_TEST(refused.said("cause: your own hard limit is 400"), refused);
        BOOST_TEST(refused.said("fix: --ulimit nofile="), refused);
    }
    BOOST_TEST(under("nofile=300:400", {"sh", "-c", "ulimit -Sn; ulimit -Hn"}, options).out == "300\n400\n");
}

BOOST_AUTO_TEST_CASE(a_profile_sets_limits_and_an_option_goes_over_them) {
    profile("few", "extends = \"strict\"\n[limits]\nnofile = 50\nfsize = \"1.5m\"\n");
    const Result written = inside("few", {"sh", "-c", "ulimit -n; grep 'file size' /proc/self/limits"});
    BOOST_TEST(written.printed("50\n"), written);
    BOOST_TEST(written.printed(" 1572864 "), written);
    const Result over = sandbox({"--profile", "few", "--ulimit", "nofile=60", "--", "sh", "-c", "ulimit -n"});
    BOOST_TEST(over.out == "60\n", over);
    profile("wrong", "extends = \"strict\"\n[limits]\nnofile = -1\n");
    const Result wrong = sandbox({"--profile", "wrong", "true"});
    BOOST_TEST(wrong.status == 125, wrong);
    BOOST_TEST(wrong.said("wrong.toml:3:10: limits.nofile: cannot read the number '-1'"), wrong);
    BOOST_TEST(wrong.said("fix: write nofile = \"1024\""), wrong);
}

BOOST_AUTO_TEST_CASE(a_misspelled_limit_names_the_nearest) {
    const Result failed = under("nofiles=3", {"true"});
    BOOST_TEST(failed.status == 125, failed);
    BOOST_TEST(failed.said("--ulimit nofiles=3: cannot take 'nofiles' for a limit"), failed);
    BOOST_TEST(failed.said("did you mean 'nofile'?"), failed);
}

BOOST_AUTO_TEST_SUITE_END()
