// Many at once.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "tests/support/world.hpp"

using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(stress, World)

BOOST_AUTO_TEST_CASE(fifty_at_once_twenty_times) {
    BOOST_TEST(strict_sh("true").status == 0);
    const Belongings before = belongings(*this);
    for (int round = 0; round < rounds(20); ++round) {
        std::vector<Process> running;
        running.reserve(50);
        for (int i = 0; i < 50; ++i) {
            running.emplace_back(Words{sandbox_program(), "--profile", "strict", "--", "sh", "-c",
                                       "read line; echo ${line}" + std::to_string(i) + "; exit " + std::to_string(i)},
                                 [&] {
                                     Options options = here();
                                     options.keep_input_open = true;
                                     return options;
                                 }());
        }
        // All of them are up before the first may end.
        for (Process& process : running) {
            process.write("go\n");
        }
        for (int i = 0; i < 50; ++i) {
            const Result ended = running[static_cast<std::size_t>(i)].finish();
            BOOST_TEST(ended.status == i, "round " << round << ended);
            BOOST_TEST(ended.out == "go" + std::to_string(i) + "\n", "round " << round << ended);
        }
    }
    const Belongings after = belongings_settled(*this, before);
    BOOST_TEST(after == before, after);
}

BOOST_AUTO_TEST_CASE(the_first_fifty_of_a_user_do_not_disturb_each_other) {
    // No cache, no directories of ours yet: all of them make them at once.
    std::vector<Process> running;
    running.reserve(50);
    for (int i = 0; i < 50; ++i) {
        running.emplace_back(
            Words{sandbox_program(), "--quiet", "--profile", "strict", "--", "echo", std::to_string(i)}, here());
    }
    for (int i = 0; i < 50; ++i) {
        const Result ended = running[static_cast<std::size_t>(i)].finish();
        BOOST_TEST(ended.out == std::to_string(i) + "\n", ended);
        BOOST_TEST(ended.err.empty(), ended);
    }
}

BOOST_AUTO_TEST_CASE(a_hundred_thousand_words_arrive) {
    Words words = {"--profile", "strict", "--", "sh", "-c", "echo $#", "sh"};
    words.resize(words.size() + 100000, "x");
    const Result counted = sandbox(words);
    BOOST_TEST(counted.out == "100000\n", "status " << counted.status << counted.err);
}

BOOST_AUTO_TEST_CASE(a_loop_of_refused_calls_prints_nothing_of_ours) {
    Options options = here();
    // Two thousand starts of a program take more than a minute on a slow machine.
    options.watchdog = std::chrono::minutes(10);
    const Result looped = sandbox(
        {"--quiet", "--profile", "strict", "--", "sh", "-c",
         "for i in $(seq " + std::to_string(rounds(2000)) + "); do unshare -U true 2>/dev/null; done; echo done"},
        options);
    BOOST_TEST(looped.out == "done\n", looped);
    BOOST_TEST(looped.err.empty(), looped);
}

BOOST_AUTO_TEST_SUITE_END()
