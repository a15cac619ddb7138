// What is open when CMD starts: standard input, output and error, and nothing else of the host's.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/fd.hpp"
#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;
using sandbox::Fd;

namespace {

/// The JSON records of a text, one a line.
std::vector<nlohmann::json> records(const std::string& text) {
    std::vector<nlohmann::json> found;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        found.push_back(nlohmann::json::parse(line));
    }
    return found;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(descriptors, World)

BOOST_AUTO_TEST_CASE(an_inherited_descriptor_does_not_reach_cmd) {
    write(home / "secret", "SECRET\n", 0600);
    const Fd secret(::open((home / "secret").c_str(), O_RDONLY));
    const Fd root(::open("/", O_RDONLY | O_DIRECTORY));
    Options options = here();
    options.descriptors = {secret.get(), root.get()};
    const std::string script =
        "cat <&" + std::to_string(secret.get()) + "; ls /proc/self/fd/" + std::to_string(root.get()) + "/home";
    for (const char* profile : {"strict", "permissive"}) {
        const Result attack = sandbox({"--profile", profile, "--", "sh", "-c", script}, options);
        BOOST_TEST(!attack.printed("SECRET"), profile << attack);
        BOOST_TEST(attack.out.empty(), profile << attack);
    }
    const Result control = run({"sh", "-c", script}, options);
    BOOST_TEST(control.printed("SECRET"), control);
}

BOOST_AUTO_TEST_CASE(only_the_standard_three_are_open) {
    std::vector<Fd> many;
    Options options = here();
    for (int i = 0; i < 40; ++i) {
        many.emplace_back(::open("/etc/passwd", O_RDONLY));
        options.descriptors.push_back(many.back().get());
    }
    const Result listed = inside("strict", {probe("descriptors")}, options);
    std::istringstream lines(listed.out);
    std::string numbers;
    for (std::string line; std::getline(lines, line);) {
        numbers += line.substr(0, line.find(' ')) + " ";
    }
    BOOST_TEST(numbers == "0 1 2 ", listed);
    const Result control = run({probe("descriptors")}, options);
    BOOST_TEST(std::count(control.out.begin(), control.out.end(), '\n') == 43, control);
}

BOOST_AUTO_TEST_CASE(pid_1_holds_nothing_of_the_hosts) {
    NEEDS(started_by_root(), "only root can look at what pid 1 has open");
    Options options = here();
    write(home / "secret", "SECRET\n");
    const Fd secret(::open((home / "secret").c_str(), O_RDONLY));
    const Fd etc(::open("/etc", O_RDONLY | O_DIRECTORY));
    int records_pipe[2];
    BOOST_REQUIRE(::pipe(records_pipe) == 0);
    options.descriptors = {secret.get(), etc.get(), records_pipe[1]};
    Process running({sandbox_program(), "--profile", "strict", "--status-fd", std::to_string(records_pipe[1]), "--",
                     "sh", "-c", "echo up; exec sleep 1000"},
                    options);
    ::close(records_pipe[1]);
    const Fd reading(records_pipe[0]);
    BOOST_REQUIRE(running.wait_for("up\n"));
    std::string text(4096, '\0');
    const ssize_t count = ::read(reading.get(), text.data(), text.size());
    BOOST_REQUIRE(count > 0);
    text.resize(static_cast<std::size_t>(count));
    const int init = records(text).front().at("init");
    std::string open_files;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(init) + "/fd")) {
        open_files += fs::read_symlink(entry.path()).string() + "\n";
    }
    BOOST_TEST(open_files.find("secret") == std::string::npos, open_files);
    BOOST_TEST(open_files.find("/etc") == std::string::npos, open_files);
    running.signal(SIGTERM);
    BOOST_TEST(running.finish().status == 128 + SIGTERM);
}

BOOST_AUTO_TEST_CASE(pipes_and_redirections_pass_data_byte_by_byte) {
    std::string bytes;
    for (int i = 0; i < 300000; ++i) {
        bytes.push_back(static_cast<char>(i * 7));
    }
    Options options = here();
    options.input = bytes;
    const Result copied = sandbox({"--profile", "strict", "--", "cat"}, options);
    BOOST_TEST((copied.out == bytes), "of " << bytes.size() << " bytes came " << copied.out.size() << copied.err);
    const Result file = sh("echo in > in; '" + sandbox_program() + "' --profile strict -- cat < in > out; cat out");
    BOOST_TEST(file.out == "in\n", file);
}

BOOST_AUTO_TEST_CASE(output_and_errors_keep_apart_and_in_order) {
    const Result apart =
        sandbox({"--quiet", "--profile", "strict", "--", "sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2"});
    BOOST_TEST(apart.out == "1\n3\n", apart);
    BOOST_TEST(apart.err == "2\n4\n", apart);
    const Result together =
        sh("'" + sandbox_program() +
           "' --quiet --profile strict -- sh -c 'for i in 1 2 3 4 5; do echo $i; echo e$i >&2; done' 2>&1");
    BOOST_TEST(together.out == "1\ne1\n2\ne2\n3\ne3\n4\ne4\n5\ne5\n", together);
}

BOOST_AUTO_TEST_CASE(output_is_not_held_back) {
    Options options = here();
    options.keep_input_open = true;
    Process running({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "printf first; read line; echo $line"},
                    options);
    BOOST_TEST(running.wait_for("first"));
    running.write("second\n");
    BOOST_TEST(running.wait_for("second"));
    BOOST_TEST(running.finish().status == 0);
}

BOOST_AUTO_TEST_CASE(a_closed_standard_input_does_not_hand_cmd_a_file_of_ours) {
    Options options = here();
    options.no_input = true;
    const Result closed = inside("strict", {"sh", "-c", "cat; readlink /proc/self/fd/0"}, options);
    BOOST_TEST(closed.status == 0, closed);
    BOOST_TEST((closed.out.empty() || closed.out == "/dev/null\n"), closed);
}

BOOST_AUTO_TEST_CASE(output_waits_for_a_reader_that_takes_its_time) {
    const Result late = sh("'" + sandbox_program() +
                           "' --profile strict --tty -- seq 1 14000 < /dev/null | "
                           "(sleep 3; wc -l)");
    BOOST_TEST(late.out == "14000\n", late);
}

BOOST_AUTO_TEST_CASE(a_limit_on_file_sizes_does_not_end_a_run_that_caches_its_filter) {
    const Result limited =
        sh("ulimit -f 0; XDG_DATA_HOME=~/new '" + sandbox_program() + "' --profile strict -- sh -c 'exit 4'");
    BOOST_TEST(limited.status == 4, limited);
    // A run that is to be found by its name says why it cannot be.
    const Result named = sh("ulimit -f 0; '" + sandbox_program() + "' --quiet --profile strict --name uf -- true");
    BOOST_TEST(named.status == 125, named);
    BOOST_TEST(named.said("cannot write the record of the sandbox 'uf': File too large"), named);
    // CMD gets the signal as ever.
    const Result control =
        sh("ulimit -f 0; '" + sandbox_program() + "' --profile strict -- sh -c 'echo x > /tmp/f; echo went on'");
    BOOST_TEST(!control.printed("went on"), control);
}

BOOST_AUTO_TEST_CASE(a_directory_as_standard_input_is_refused) {
    // openat(0, "etc/...") would reach all of the host's files below it.
    const Result attack = sh("'" + sandbox_program() + "' --profile strict -- true < /");
    BOOST_TEST(attack.status == 125, attack);
    BOOST_TEST(attack.said("directory"), attack);
    BOOST_TEST(sh("'" + sandbox_program() + "' --profile strict -- true < /dev/null").status == 0);
}

BOOST_AUTO_TEST_CASE(a_reader_that_goes_ends_cmd_as_a_shell_has_it) {
    const Result piped = sh("'" + sandbox_program() + "' --profile strict -- yes | head -1");
    BOOST_TEST(piped.out == "y\n", piped);
    BOOST_TEST(!piped.hung, piped);
}

BOOST_AUTO_TEST_CASE(a_background_process_does_not_hold_the_output_open) {
    const Result ended = strict_sh("sleep 1000 & echo done");
    BOOST_TEST(ended.out == "done\n", ended);
    BOOST_TEST(!ended.hung, ended);
}

BOOST_AUTO_TEST_CASE(status_records_tell_a_start_an_end_and_a_failure_apart) {
    const auto records_of = [&](const std::string& words) {
        const Result result = sh("'" + sandbox_program() + "' --status-fd 3 " + words + " 3>records 2>/dev/null");
        return std::pair(result.status, records(read_file(project / "records")));
    };
    {
        const auto [status, found] = records_of("--profile strict --name mine -- sh -c 'exit 3'");
        BOOST_TEST(status == 3);
        BOOST_REQUIRE(found.size() == 2U);
        BOOST_TEST(found[0].at("event") == "started");
        BOOST_TEST(found[0].at("name") == "mine");
        BOOST_TEST(found[0].at("pid").get<int>() > 0);
        BOOST_TEST(found[0].at("init").get<int>() > 0);
        for (const char* name : {"user", "pid", "net", "mnt", "uts", "ipc", "cgroup"}) {
            BOOST_TEST(found[0].at("namespaces").at(name).get<unsigned long>() > 0UL, name);
        }
        BOOST_TEST(found[1].at("event") == "ended");
        BOOST_TEST(found[1].at("status") == 3);
        BOOST_TEST(found[1].at("reason") == "exit");
    }
    {
        const auto [status, found] = records_of("--profile strict -- sh -c 'kill -9 $$'");
        BOOST_TEST(status == 137);
        BOOST_TEST(found.back().at("signal") == 9);
        BOOST_TEST(found.back().at("reason") == "signal");
    }
    {
        // CMD's own 125 is not ours.
        const auto [status, found] = records_of("--profile strict -- sh -c 'exit 125'");
        BOOST_TEST(status == 125);
        BOOST_TEST(found.back().at("event") == "ended");
    }
    {
        const auto [status, found] = records_of("--profile strict --ro /nonexistent true");
        BOOST_TEST(status == 125);
        BOOST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found[0].at("event") == "failed");
    }
    {
        const auto [status, found] = records_of("--profile strict -- /etc/passwd");
        BOOST_TEST(status == 126);
        BOOST_REQUIRE(found.size() == 1U);
        BOOST_TEST(found[0].at("event") == "failed");
        BOOST_TEST(found[0].at("errno") == EACCES);
        BOOST_TEST(found[0].at("object") == "/etc/passwd");
    }
}

BOOST_AUTO_TEST_CASE(the_status_descriptor_itself_does_not_reach_cmd) {
    const Result attack =
        sh("'" + sandbox_program() + "' --status-fd 7 --profile strict -- sh -c 'echo forged >&7' 7>records");
    BOOST_TEST(attack.status != 0, attack);
    BOOST_TEST(read_file(project / "records").find("forged") == std::string::npos);
    BOOST_TEST(sh("sh -c 'echo forged >&7' 7>records").status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
