// The resource limits of a plan.
#include <sys/resource.h>

#include "core/plan/limits_plan.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct LimitsTest : PlanTest {
    void limit(Setting<std::string> Profile::Limits::*setting, const std::string& name, const std::string& text) {
        (profile.limits.*setting).set(text, by_option("--ulimit", name + "=" + text).origin);
    }
    void nofile(const std::string& text) { limit(&Profile::Limits::nofile, "nofile", text); }
    void fsize(const std::string& text) { limit(&Profile::Limits::fsize, "fsize", text); }

    [[nodiscard]] Lines lines() const {
        Lines result;
        for (const ResourceLimit& limit : plan().limits) {
            result.push_back(limit.name + " " + limit_words(limit.soft, limit.is_size) + " " +
                             limit_words(limit.hard, limit.is_size));
        }
        return result;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(limits, LimitsTest)

BOOST_AUTO_TEST_CASE(what_is_not_written_is_not_limited) {
    BOOST_CHECK(plan().limits.empty());
}

BOOST_AUTO_TEST_CASE(one_value_is_both_limits_and_two_are_soft_and_hard) {
    nofile("1024");
    fsize("1.5G:2G");
    CHECK_LINES(lines(), {"fsize 1.5 GiB 2 GiB", "nofile 1024 1024"});
    nofile("1024:4096");
    fsize("0");
    CHECK_LINES(lines(), {"fsize 0 bytes 0 bytes", "nofile 1024 4096"});
    nofile("1024:unlimited");
    fsize("unlimited");
    CHECK_LINES(lines(), {"fsize unlimited unlimited", "nofile 1024 unlimited"});
}

BOOST_AUTO_TEST_CASE(each_name_is_the_kernels_resource) {
    for (const KnownLimit& known : known_limits()) {
        limit(known.setting, std::string(known.name), std::string(known.number));
    }
    const std::vector<std::pair<std::string, int>> expected = {{"core", RLIMIT_CORE},
                                                               {"fsize", RLIMIT_FSIZE},
                                                               {"nofile", RLIMIT_NOFILE},
                                                               {"nproc", RLIMIT_NPROC},
                                                               {"stack", RLIMIT_STACK}};
    std::vector<std::pair<std::string, int>> found;
    for (const ResourceLimit& limit : plan().limits) {
        found.emplace_back(limit.name, limit.resource);
    }
    BOOST_CHECK(found == expected);
}

BOOST_AUTO_TEST_CASE(a_limit_is_kept_with_its_origin) {
    profile.limits.core.set("0", in_file("0", "my.toml", "limits.core", 7).origin);
    BOOST_CHECK_EQUAL(written_at(plan().limits.at(0).origin), "my.toml:7:3: limits.core");
}

BOOST_AUTO_TEST_CASE(a_count_that_is_none_is_an_error_with_its_place_and_an_example) {
    for (const char* text : {"-1", "0x", "1e99", "1k", "1.5", "many", " 1", "1 ", "18446744073709551615",
                             "99999999999999999999", "1:x", "Unlimited", "1:2:3"}) {
        nofile(text);
        CHECK_SAYS(error(), std::string("--ulimit nofile=") + text + ": cannot read the number '");
        CHECK_SAYS(error(), "fix: write --ulimit nofile=1024, or SOFT:HARD, or unlimited");
    }
    for (const char* text : {":", "1:", ":1"}) {
        nofile(text);
        CHECK_SAYS(error(), std::string("--ulimit nofile=") + text + ": a limit is missing");
        CHECK_SAYS(error(), "fix: write --ulimit nofile=1024");
    }
    profile.limits.nofile.set("-1", in_file("-1", "my.toml", "limits.nofile", 7).origin);
    CHECK_SAYS(error(), "my.toml:7:3: limits.nofile: cannot read the number '-1'");
    CHECK_SAYS(error(), "fix: write nofile = \"1024\"");
}

BOOST_AUTO_TEST_CASE(a_soft_limit_above_the_hard_one_is_refused) {
    nofile("4096:1024");
    CHECK_SAYS(error(), "--ulimit nofile=4096:1024: the soft limit 4096 is above the hard limit 1024");
    CHECK_SAYS(error(), "fix: --ulimit nofile=1024:4096");
    fsize("2g:1.5g");
    nofile("1");
    CHECK_SAYS(error(), "fix: --ulimit fsize=1.5g:2g");
    fsize("0");
    nofile("unlimited:1024");
    CHECK_SAYS(error(), "the soft limit unlimited is above the hard limit 1024");
}

BOOST_AUTO_TEST_CASE(more_than_the_caller_may_give_is_refused_with_what_he_may) {
    host.hard_limits = {{RLIMIT_NOFILE, 4096}, {RLIMIT_FSIZE, 1 << 20}};
    nofile("4096");
    BOOST_CHECK(error().empty());
    nofile("1024:4097");
    CHECK_SAYS(error(), "--ulimit nofile=1024:4097: cannot set the limit nofile to 4097");
    CHECK_SAYS(error(), "cause: your own hard limit is 4096");
    CHECK_SAYS(error(), "fix: --ulimit nofile=1024:4096\n");
    nofile("unlimited");
    CHECK_SAYS(error(), "cannot set the limit nofile to unlimited");
    CHECK_SAYS(error(), "fix: --ulimit nofile=4096\n");
    nofile("10");
    profile.limits.fsize.set("2m", in_file("2m", "my.toml", "limits.fsize", 7).origin);
    CHECK_SAYS(error(), "my.toml:7:3: limits.fsize: cannot set the limit fsize to 2 MiB");
    CHECK_SAYS(error(), "cause: your own hard limit is 1 MiB");
    CHECK_SAYS(error(), "fix: fsize = \"1048576\"\n");
}

BOOST_AUTO_TEST_CASE(root_is_told_that_nproc_does_not_hold_him) {
    limit(&Profile::Limits::nproc, "nproc", "64");
    BOOST_CHECK(notices().empty());
    host.is_root_of_initial_user_namespace = true;
    CHECK_SAYS(notices(), "--ulimit nproc=64: ");
}

BOOST_AUTO_TEST_CASE(the_machine_is_asked_for_the_callers_hard_limits) {
    rlimit own{};
    BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &own), 0);
    BOOST_CHECK_EQUAL(gather_host().hard_limits.at(RLIMIT_NOFILE), own.rlim_max);
}

BOOST_AUTO_TEST_SUITE_END()
