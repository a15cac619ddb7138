// The completion scripts: every option is in them, and the shells can read them.
#include "cmd/common/completion.hpp"

#include <cstdlib>

#include "cmd/common/options.hpp"
#include "tests/support/count.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

int status_of(const std::string& command) {
    const int status = std::system(command.c_str()); // fixed words of ours
    return status;
}

bool installed(const std::string& shell) {
    return status_of("command -v " + shell + " >/dev/null 2>&1") == 0;
}

/// What bash offers when TAB is pressed behind `words`, one a line.
std::string bash_offers(const TemporaryDirectory& files, const std::string& words, const std::string& setup = "") {
    const std::string script = files.write("sandbox.bash", bash_completion(describe_sandbox()));
    const std::string driver = files.write("driver.bash", "cd " + files.path() + "\ncompopt() { :; }\n" + setup +
                                                              "\n. " + script + "\nCOMP_WORDS=(" + words +
                                                              ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_sandbox\n"
                                                              "printf '%s\\n' \"${COMPREPLY[@]}\"\n");
    const std::string output = files.path("output");
    BOOST_TEST(status_of("bash " + driver + " >" + output) == 0);
    std::ifstream file(output);
    return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(completion)

BOOST_AUTO_TEST_CASE(every_option_is_in_every_script) {
    const CompletionCommand program = describe_sandbox();
    for (const Option& option : options()) {
        const std::string name(option.name);
        BOOST_TEST(contains(bash_completion(program), "--" + name), name);
        BOOST_TEST(contains(zsh_completion(program), "--" + name), name);
        BOOST_TEST(contains(fish_completion(program), " -l " + name + " "), name);
    }
}

BOOST_AUTO_TEST_CASE(bash_can_read_its_script) {
    const TemporaryDirectory files;
    BOOST_TEST(status_of("bash -n " + files.write("script", bash_completion(describe_sandbox()))) == 0);
}

BOOST_AUTO_TEST_CASE(zsh_can_read_its_script) {
    NEEDS(installed("zsh"), "zsh is not installed");
    const TemporaryDirectory files;
    BOOST_TEST(status_of("zsh -n " + files.write("script", zsh_completion(describe_sandbox()))) == 0);
}

BOOST_AUTO_TEST_CASE(fish_can_read_its_script) {
    NEEDS(installed("fish"), "fish is not installed");
    const TemporaryDirectory files;
    BOOST_TEST(status_of("fish -n " + files.write("script", fish_completion(describe_sandbox()))) == 0);
}

BOOST_AUTO_TEST_CASE(bash_completes_options_words_lists_and_files) {
    const TemporaryDirectory files;
    files.write("a file", "");
    BOOST_TEST(bash_offers(files, "sandbox --hostn") == "--hostname\n");
    BOOST_TEST(bash_offers(files, "sandbox --net h") == "host\n");
    BOOST_TEST(bash_offers(files, "sandbox --net = h") == "host\n"); // bash splits --net=h
    BOOST_TEST(bash_offers(files, "sandbox --dry-run = j") == "json\n");
    BOOST_TEST(bash_offers(files, "sandbox -q --share pid,n") == "pid,net\n");
    BOOST_TEST(bash_offers(files, "sandbox --ro 'a '") == "a file\n");
    BOOST_TEST(bash_offers(files, "sandbox --cap-add net_r") == "net_raw\n");
    BOOST_TEST(bash_offers(files, "sandbox --ulimit nof") == "nofile=\n");
    BOOST_TEST(bash_offers(files, "sandbox --ulimit = nof") == "nofile=\n");
    BOOST_TEST(bash_offers(files, "sandbox --profile str", "sandboxctl() { echo 'strict  /x  y'; }") == "strict\n");
}

BOOST_AUTO_TEST_CASE(bash_leaves_cmds_words_to_cmds_own_completion) {
    const TemporaryDirectory files;
    const std::string other = "_command_offset() { COMPREPLY=(\"offset $1\"); }";
    BOOST_TEST(bash_offers(files, "sandbox git ''", other) == "offset 1\n");
    BOOST_TEST(bash_offers(files, "sandbox git --hostn", other) == "offset 1\n");
    BOOST_TEST(bash_offers(files, "sandbox --ro /x -q git --hostn", other) == "offset 4\n");
    BOOST_TEST(bash_offers(files, "sandbox --ro = /x git a", other) == "offset 4\n");
    BOOST_TEST(bash_offers(files, "sandbox --dry-run = json git a", other) == "offset 4\n");
    BOOST_TEST(bash_offers(files, "sandbox -- git --hostn", other) == "offset 2\n");
    BOOST_TEST(contains(bash_offers(files, "sandbox -q bas", other), "bash\n"));
}

BOOST_AUTO_TEST_SUITE_END()
