// The command line: each option is a one-line profile, and CMD's words are never touched.
#include "cmd/common/options.hpp"

#include <set>

#include "cmd/common/profile_text.hpp"
#include "tests/unit/cmd/cmd_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

using Words = std::vector<std::string>;

std::string mistake(const Words& words) {
    return error_of([&] { static_cast<void>(parse_command_line(words)); }).what();
}

/// An option, and the line of a profile that says the same.
struct Pair {
    Words words;
    std::string_view toml;
};

const Pair kPairs[] = {
    {{"--ro", "/srv:/data"}, "filesystem.read-only = { add = [\"/srv:/data\"] }"},
    {{"--rw=/srv"}, "filesystem.read-write = { add = [\"/srv\"] }"},
    {{"--tmpfs", "/x"}, "filesystem.tmpfs = { add = [\"/x\"] }"},
    {{"--hide", "~/.ssh"}, "filesystem.hide = { add = [\"~/.ssh\"] }"},
    {{"--workdir", "/w"}, "process.workdir = \"/w\""},
    {{"-w/w"}, "process.workdir = \"/w\""},
    {{"--user", "1000:1000"}, "ids.user = \"1000:1000\""},
    {{"-u", "root"}, "ids.user = \"root\""},
    {{"--root"}, "ids.user = \"root\""},
    {{"--hostname", "box"}, "namespaces.hostname = \"box\""},
    {{"--share", "pid,net", "--share", "ipc"}, "namespaces.share = { add = [\"pid\", \"net\", \"ipc\"] }"},
    {{"--net", "host"}, "network.mode = \"host\""},
    {{"--publish", "[::1]:8080:80/udp"}, "network.publish = { add = [\"[::1]:8080:80/udp\"] }"},
    {{"--dns", "192.0.2.53"}, "network.dns = { add = [\"192.0.2.53\"] }"},
    {{"--add-host", "db:192.0.2.7"}, "network.hosts = { add = [\"db:192.0.2.7\"] }"},
    {{"--host-loopback"}, "network.host-loopback = true"},
    {{"--image", "debian:12"}, "[filesystem]\nroot = \"image\"\nimage = \"debian:12\"\n"},
    {{"--rootfs", "/srv/tree"}, "[filesystem]\nroot = \"rootfs\"\nrootfs = \"/srv/tree\"\n"},
    {{"--writable-root"}, "filesystem.writable-root = true"},
    {{"--read-only-root"}, "filesystem.writable-root = false"},
    {{"--overlay", "/srv:/data"}, "filesystem.overlay = { add = [\"/srv:/data\"] }"},
    {{"--keep", "work"}, "filesystem.keep = \"work\""},
    {{"--overlay-driver", "fuse"}, "filesystem.overlay-driver = \"fuse\""},
    {{"--net-allow", "*.npmjs.org:443"}, "network.allow = { add = [\"*.npmjs.org:443\"] }"},
    {{"--env", "A=b=c"}, "environment.set = { A = \"b=c\" }"},
    {{"-e", "A="}, "environment.set = { A = \"\" }"},
    {{"--pass-env", "LC_*,TERM"}, "environment.pass = { add = [\"LC_*\", \"TERM\"] }"},
    {{"--clear-env"}, "environment.clear = true"},
    {{"--cap-add", "net_raw,chown"}, "capabilities.keep = { add = [\"net_raw\", \"chown\"] }"},
    {{"--cap-drop", "all"}, "capabilities.drop = { add = [\"all\"] }"},
    {{"--seccomp", "none"}, "seccomp.extends = \"none\""},
    {{"--tty"}, "process.terminal = \"always\""},
    {{"-t"}, "process.terminal = \"always\""},
    {{"--no-tty"}, "process.terminal = \"never\""},
    {{"--memory", "512m"}, "limits.memory = \"512m\""},
    {{"-m", "512m"}, "limits.memory = \"512m\""},
    {{"--swap", "0"}, "limits.swap = 0"},
    {{"--pids", "64"}, "limits.pids = 64"},
    {{"--cpus", "0.5"}, "limits.cpus = 0.5"},
    {{"--cpu-weight", "50"}, "limits.cpu-weight = 50"},
    {{"--io", "/srv:rbps=1m"}, "limits.io = { add = [\"/srv:rbps=1m\"] }"},
    {{"--net-in", "20mbit"}, "limits.net-in = \"20mbit\""},
    {{"--net-out", "2MB/s"}, "limits.net-out = \"2MB/s\""},
    {{"--timeout", "30s"}, "limits.timeout = \"30s\""},
    {{"--ulimit", "nofile=1024:4096", "--ulimit=core=0", "--ulimit", "fsize=1.5G", "--ulimit", "nproc=9", "--ulimit",
      "stack=unlimited"},
     "[limits]\nnofile = \"1024:4096\"\ncore = 0\nfsize = \"1.5G\"\nnproc = 9\nstack = \"unlimited\"\n"},
};

} // namespace

BOOST_AUTO_TEST_SUITE(options)

BOOST_AUTO_TEST_CASE(each_option_says_the_same_as_its_line_of_a_profile) {
    for (const Pair& pair : kPairs) {
        Words words = pair.words;
        words.emplace_back("true");
        const std::vector<std::string> by_option = words_of(parse_command_line(words).profile);
        const std::vector<std::string> by_profile = words_of(parse_profile(pair.toml, "my.toml").profile);
        BOOST_TEST(!by_option.empty());
        BOOST_TEST(by_option == by_profile, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(every_option_that_writes_a_key_has_such_a_line_here) {
    std::set<std::string> tried;
    for (const Pair& pair : kPairs) {
        tried.insert(pair.words.front().substr(2, pair.words.front().find('=') - 2));
    }
    for (const Option& option : sandbox::options()) {
        if (option.action == Option::Action::writes_key) {
            BOOST_TEST(tried.contains(std::string(option.name)), option.name);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_image_or_a_root_is_a_container_unless_a_profile_is_named) {
    BOOST_TEST(parse_command_line({"true"}).profile_name == "default");
    BOOST_TEST(parse_command_line({"--image", "debian", "true"}).profile_name == "container");
    BOOST_TEST(parse_command_line({"--rootfs", "/srv", "true"}).profile_name == "container");
    BOOST_TEST(parse_command_line({"-p", "strict", "--image", "debian", "true"}).profile_name == "strict");
    BOOST_TEST(parse_command_line({"--image", "debian"}).arguments.empty());
}

BOOST_AUTO_TEST_CASE(an_entrypoint_may_be_empty) {
    BOOST_TEST((parse_command_line({"--entrypoint", "sh", "true"}).entrypoint == "sh"));
    BOOST_TEST((parse_command_line({"--entrypoint", "", "true"}).entrypoint == ""));
    BOOST_TEST(!parse_command_line({"true"}).entrypoint.has_value());
}

BOOST_AUTO_TEST_CASE(an_options_words_are_its_origin) {
    const Profile profile = parse_command_line({"--ro=/a b", "-e", "X=1", "--root", "true"}).profile;
    BOOST_TEST(profile.filesystem.read_only.items.at(0).origin.place() == "--ro /a b");
    BOOST_TEST(profile.environment.set.at("X").origin.place() == "--env X=1");
    BOOST_TEST(profile.ids.user.origin.place() == "--root");
    BOOST_TEST((profile.ids.user.origin.kind == Origin::Kind::option));
}

BOOST_AUTO_TEST_CASE(options_end_at_the_first_word_that_is_none_and_the_rest_is_cmds) {
    const CommandLine line = parse_command_line({"-q", "cmd", "--profile", "none", "--rw", "/", "--", "-x"});
    const Words expected = {"cmd", "--profile", "none", "--rw", "/", "--", "-x"};
    BOOST_TEST(line.arguments == expected, boost::test_tools::per_element());
    BOOST_TEST(line.profile_name == "default");
    BOOST_TEST(words_of(line.profile).empty());
}

BOOST_AUTO_TEST_CASE(a_limit_has_a_known_name_and_a_value) {
    BOOST_TEST(contains(mistake({"--ulimit", "nofil=3", "true"}), "--ulimit nofil=3: cannot take 'nofil' for a limit"));
    BOOST_TEST(contains(mistake({"--ulimit", "nofil=3", "true"}), "did you mean 'nofile'?"));
    BOOST_TEST(contains(mistake({"--ulimit", "=3", "true"}), "it is none of core, fsize, nofile, nproc, stack"));
    for (const char* value : {"nofile", "nofile="}) {
        BOOST_TEST(contains(mistake({"--ulimit", value, "true"}), "a limit is set with NAME=SOFT or NAME=SOFT:HARD"));
        BOOST_TEST(contains(mistake({"--ulimit", value, "true"}), "fix: --ulimit nofile=1024"));
    }
    const Profile profile = parse_command_line({"--ulimit", "nproc=5", "--ulimit", "nproc=6", "true"}).profile;
    BOOST_TEST(*profile.limits.nproc.value == "6");
    BOOST_TEST(profile.limits.nproc.overridden.size() == 1);
    BOOST_TEST(profile.limits.nproc.origin.place() == "--ulimit nproc=6");
}

BOOST_AUTO_TEST_CASE(after_two_dashes_even_an_options_name_is_the_command) {
    const CommandLine line = parse_command_line({"--", "--version"});
    BOOST_TEST((line.mode == CommandLine::Mode::run));
    BOOST_TEST(line.arguments.at(0) == "--version");
    const CommandLine twice = parse_command_line({"--quiet", "--", "--", "-x"});
    BOOST_TEST(twice.arguments.at(0) == "--");
}

BOOST_AUTO_TEST_CASE(words_of_cmd_arrive_byte_for_byte) {
    const Words words = {"$(touch pwn)", "", "a\nb", "\xff\xfe", ";id"};
    BOOST_TEST(parse_command_line(words).arguments == words, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_of_several_single_values_wins) {
    const CommandLine line = parse_command_line({"-p", "a", "--profile=b", "--net", "none", "--net", "host", "true"});
    BOOST_TEST(line.profile_name == "b");
    BOOST_TEST(*line.profile.network.mode.value == "host");
    BOOST_TEST(line.profile.network.mode.overridden.size() == 1);
}

BOOST_AUTO_TEST_CASE(what_concerns_this_run_only_is_no_part_of_the_profile) {
    const CommandLine line =
        parse_command_line({"-qv", "--name", "n", "--status-fd", "3", "--dry-run=json", "-p", "strict", "true"});
    BOOST_TEST(line.quiet);
    BOOST_TEST(line.verbose);
    BOOST_TEST(line.name == "n");
    BOOST_TEST(line.status_fd == 3);
    BOOST_TEST((line.mode == CommandLine::Mode::show_plan_json));
    BOOST_TEST(words_of(line.profile).empty());
    BOOST_TEST((parse_command_line({"--dry-run", "json"}).mode == CommandLine::Mode::show_plan));
    BOOST_TEST(parse_command_line({"--dry-run", "json"}).arguments.at(0) == "json");
}

BOOST_AUTO_TEST_CASE(a_detached_run_has_a_log_and_another_has_none) {
    BOOST_TEST(!parse_command_line({"true"}).log_size.has_value());
    BOOST_TEST(*parse_command_line({"-d", "true"}).log_size == std::uint64_t{16} << 20U);
    BOOST_TEST(*parse_command_line({"--log-size", "1m", "--detach", "true"}).log_size == std::uint64_t{1} << 20U);
}

BOOST_AUTO_TEST_CASE(help_and_version_need_no_command) {
    BOOST_TEST((parse_command_line({"--help", "--nonsense"}).mode == CommandLine::Mode::help));
    BOOST_TEST((parse_command_line({"-V"}).mode == CommandLine::Mode::version));
}

BOOST_AUTO_TEST_CASE(a_mistake_on_the_command_line_is_explained) {
    const std::pair<Words, std::pair<std::string, std::string>> cases[] = {
        {{"--profil", "x", "true"}, {"unknown option '--profil'", "did you mean '--profile'?"}},
        {{"--prof=x", "true"}, {"unknown option '--prof=x'", "sandbox --help"}}, // no abbreviations
        {{"--tm", "/x", "true"}, {"unknown option '--tm'", ""}},
        {{"-Z", "true"}, {"unknown option '-Z'", "sandbox --help"}},
        {{"-qZ", "true"}, {"unknown option '-Z'", ""}},
        {{"--x\x1b[31m", "true"}, {"unknown option '--x\\x1b[31m'", ""}},
        {{"--quiet=yes", "true"}, {"--quiet takes no argument", ""}},
        {{"--ro"}, {"--ro needs PATH[:DEST]", ""}},
        {{"-p"}, {"--profile needs NAME", ""}},
        {{"--ro=", "true"}, {"--ro needs PATH[:DEST], which is empty here", ""}},
        {{"--hostname", "", "true"}, {"--hostname needs NAME, which is empty here", ""}},
        {{"--ro", "--rw", "/x", "true"},
         {"--ro needs PATH[:DEST], and the next word is the option '--rw'", "--ro=--rw"}},
        {{"--dry-run=xml", "true"}, {"--dry-run cannot print 'xml'", "json"}},
        {{"--dry-run=", "true"}, {"--dry-run needs json", ""}},
        {{"--permissive", "true"}, {"--permissive: CMD would run unprotected", "sandbox --explain --permissive CMD"}},
        {{"--log-size", "1m", "true"}, {"--log-size: there is no log without --detach", ""}},
        {{"-d", "--log-size", "4000", "true"}, {"--log-size 4000: cannot keep a log of 4000 bytes", "4 KiB or more"}},
        {{"-d", "--log-size", "much", "true"}, {"--log-size much", ""}},
        {{"--status-fd", "two", "true"}, {"--status-fd needs the number of an open descriptor, not 'two'", ""}},
        {{"--status-fd", "-1", "true"}, {"--status-fd needs the number", ""}},
        {{"--status-fd", "99999999999", "true"}, {"--status-fd needs the number", ""}},
        {{"--env", "PATH", "true"}, {"--env PATH: a variable is set with NAME=VALUE", "--pass-env PATH"}},
        {{"--env", "=x", "true"}, {"--env =x: '' cannot be the name of an environment variable", ""}},
        {{"--net", "hots", "true"}, {"--net hots: network.mode cannot be 'hots'", "did you mean 'host'?"}},
        {{"--share", "pid,,net", "true"}, {"--share pid,,net: namespaces.share cannot be empty", ""}},
        {{"--share", "mnt", "true"}, {"--share mnt: namespaces.share cannot hold 'mnt'", "any of: pid"}},
        {{}, {"there is no command to run", "sandbox [OPTIONS] CMD"}},
        {{"--"}, {"there is no command to run", ""}},
        {{"--quiet"}, {"there is no command to run", ""}},
    };
    for (const auto& [words, message] : cases) {
        const std::string found = mistake(words);
        BOOST_TEST(found.starts_with(message.first), found << "\n  should start with\n" << message.first);
        BOOST_TEST(contains(found, message.second), found << "\n  should name\n" << message.second);
    }
    BOOST_TEST(error_of([] { static_cast<void>(parse_command_line({})); }).exit_status() == 125);
}

BOOST_AUTO_TEST_CASE(an_options_argument_may_look_like_an_option_where_it_is_joined) {
    BOOST_TEST(parse_command_line({"--ro=--rw", "true"}).profile.filesystem.read_only.items.at(0).text == "--rw");
    BOOST_TEST(parse_command_line({"--name", "-x", "true"}).name == "-x");
}

BOOST_AUTO_TEST_CASE(the_help_names_every_option_and_keeps_to_the_screen) {
    const std::string text = help_text();
    for (const Option& option : sandbox::options()) {
        BOOST_TEST(contains(text, "--" + std::string(option.name)), option.name);
        BOOST_TEST(contains(text, option.help), option.name);
        BOOST_TEST(!option.help.ends_with('.'));
    }
    std::size_t start = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
        BOOST_TEST(end - start <= 120, text.substr(start, end - start));
        start = end + 1;
    }
}

BOOST_AUTO_TEST_CASE(names_and_letters_are_used_once_and_keys_exist) {
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const Option& option : sandbox::options()) {
        BOOST_TEST(names.insert(option.name).second, option.name);
        BOOST_TEST((option.letter == 0 || letters.insert(option.letter).second), option.name);
        const bool writes = option.action == Option::Action::writes_key;
        const bool known =
            option.key == "environment.set" || option.key == "limits" || find_profile_key(option.key) != nullptr;
        BOOST_TEST(writes == !option.key.empty(), option.name);
        BOOST_TEST((!writes || known), option.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
