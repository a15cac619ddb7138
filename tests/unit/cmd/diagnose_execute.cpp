// Why CMD could not be executed, on plans over a real directory.
#include "cmd/common/diagnose_execute.hpp"

#include <cerrno>

#include "cmd/common/inside_view.hpp"
#include "core/base/step_error.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// A sandbox that shows `files`/usr as /usr and has a private /home.
struct Sandbox {
    TemporaryDirectory files;
    Plan plan;
    Host host;

    Sandbox() {
        std::filesystem::create_directories(files.path("usr/bin"));
        plan.profile = "strict";
        add(RootEntry::Kind::bind, "/usr", files.path("usr"));
        add(RootEntry::Kind::link, "/bin", "usr/bin");
        add(RootEntry::Kind::private_directory, "/home", "");
        plan.environment = {{"PATH", "/usr/bin:/bin", {}}};
        command("tool");
    }

    void add(RootEntry::Kind kind, const std::string& dest, const std::string& source) {
        RootEntry entry;
        entry.kind = kind;
        entry.dest = dest;
        entry.source = source;
        plan.root.entries.push_back(entry);
    }
    void command(const std::string& name) {
        plan.process.arguments = {name};
        plan.process.candidates = name.starts_with('/') ? std::vector<std::string>{name}
                                                        : std::vector<std::string>{"/usr/bin/" + name, "/bin/" + name};
    }
    [[nodiscard]] Error failure(int error_number) const {
        StepError error(Step::execute, plan.process.arguments.front(), error_number);
        add_execute_causes(error, error_number, plan.process.arguments.front(), plan, host);
        return error;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(diagnose_execute, Sandbox)

BOOST_AUTO_TEST_CASE(a_command_that_is_nowhere_is_not_found) {
    const Error error = failure(ENOENT);
    BOOST_TEST(error.exit_status() == 127);
    BOOST_TEST(contains(error.what(), "cannot execute 'tool': No such file or directory"));
    BOOST_TEST(contains(error.what(), "/usr/bin:/bin"));
}

BOOST_AUTO_TEST_CASE(a_command_that_only_the_host_shows_is_named_with_the_option_that_grants_it) {
    files.write("mine/tool", "#!/bin/sh\n", 0755);
    host.environment["PATH"] = "/nowhere:relative:" + files.path("mine");
    const Error error = failure(ENOENT);
    BOOST_TEST(error.exit_status() == 127);
    BOOST_TEST(contains(error.what(), "it exists on the host at '" + files.path("mine/tool") +
                                          "', which profile 'strict' does not grant"));
    BOOST_TEST(contains(error.what(), "fix: --ro " + files.path("mine")));
    command(files.path("mine/tool"));
    BOOST_TEST(contains(failure(ENOENT).what(), "which profile 'strict' does not grant"));
}

BOOST_AUTO_TEST_CASE(a_link_to_elsewhere_needs_both_directories) {
    files.write("lib/real", "#!/bin/sh\n", 0755);
    std::filesystem::create_directories(files.path("mine"));
    std::filesystem::create_symlink(files.path("lib/real"), files.path("mine/tool"));
    host.environment["PATH"] = files.path("mine");
    BOOST_TEST(contains(failure(ENOENT).what(), "fix: --ro " + files.path("mine") + " --ro " + files.path("lib")));
}

BOOST_AUTO_TEST_CASE(a_command_that_is_shown_but_not_in_path_is_told_apart) {
    files.write("shown/tool", "#!/bin/sh\n", 0755);
    add(RootEntry::Kind::bind, files.path("shown"), files.path("shown"));
    host.environment["PATH"] = files.path("shown");
    BOOST_TEST(contains(failure(ENOENT).what(), "PATH inside does not name that directory"));
    add(RootEntry::Kind::cover_directory, files.path("shown"), "");
    plan.root.entries.back().origin = {Origin::Kind::option, "--hide /shown", 0, 0, ""};
    BOOST_TEST(contains(failure(ENOENT).what(), "hidden inside: --hide /shown"));
}

BOOST_AUTO_TEST_CASE(a_script_whose_interpreter_is_not_inside_cannot_be_executed) {
    files.write("usr/bin/tool", "#! " + files.path("mine/python") + " -u\n", 0755);
    files.write("mine/python", "", 0755);
    const Error error = failure(ENOENT);
    BOOST_TEST(error.exit_status() == 126);
    BOOST_TEST(contains(error.what(), "names in its first line the interpreter '" + files.path("mine/python") + "'"));
    BOOST_TEST(contains(error.what(), "fix: --ro " + files.path("mine")));
}

BOOST_AUTO_TEST_CASE(the_line_ends_of_windows_are_recognised) {
    files.write("usr/bin/sh", "", 0755);
    files.write("usr/bin/tool", "#!/usr/bin/sh\r\n", 0755);
    BOOST_TEST(contains(failure(ENOENT).what(), "line ends of Windows"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_executed_says_why) {
    files.write("usr/bin/tool", "", 0644);
    std::filesystem::create_directories(files.path("usr/bin/directory"));
    files.write("usr/bin/text", "echo hello\n", 0755);
    files.write("usr/bin/empty", "", 0755);
    files.write("usr/bin/foreign", "\177ELF rest", 0755);
    command("directory");
    BOOST_TEST(contains(failure(EACCES).what(), "it is a directory"));
    BOOST_TEST(failure(EACCES).exit_status() == 126);
    command("text");
    BOOST_TEST(contains(failure(ENOEXEC).what(), "fix: name the interpreter: sandbox sh /usr/bin/text"));
    command("empty");
    BOOST_TEST(contains(failure(ENOEXEC).what(), "the file is empty"));
    command("foreign");
    BOOST_TEST(contains(failure(ENOEXEC).what(), "another kind of machine"));
    command("tool");
    // Root may execute nothing without an x bit either.
    BOOST_TEST(contains(failure(EACCES).what(), "fix: chmod +x " + files.path("usr/bin/tool")));
}

BOOST_AUTO_TEST_CASE(a_view_follows_links_as_they_are_inside) {
    files.write("usr/lib/real", "x", 0755);
    std::filesystem::create_symlink("/usr/lib/real", files.path("usr/bin/absolute"));
    std::filesystem::create_symlink("../lib/real", files.path("usr/bin/relative"));
    std::filesystem::create_symlink("loop", files.path("usr/bin/loop"));
    const InsideView view(plan.root);
    const std::string real = files.path("usr/lib/real");
    BOOST_TEST(view.host_path("/usr/lib/real").value() == real);
    BOOST_TEST(view.host_path("/bin/absolute").value() == real);
    BOOST_TEST(view.host_path("/bin/../bin/relative").value() == real);
    BOOST_TEST(!view.host_path("/bin/loop"));
    BOOST_TEST(!view.host_path("/home/dev"));
    BOOST_TEST(!view.host_path("/etc/passwd"));
    plan.root.host_root = true;
    BOOST_TEST(view.host_path("/etc/passwd").value() == "/etc/passwd");
    BOOST_TEST(!view.host_path("/home"));
}

BOOST_AUTO_TEST_SUITE_END()
