// The links of the private home: what CMD looked at is told, what it did not is not, and it can forge nothing.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/support/count.hpp"
#include "tests/support/terminal.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

namespace {

constexpr const char* kTold = "looked at, hidden: ";

struct SecretWorld : World {
    SecretWorld() {
        write(home / ".ssh/id_rsa", "PRIVATE KEY\n", 0600);
        write(home / ".aws/credentials", "SECRET\n", 0600);
        write(home / ".kube/config", "CERTIFICATE\n", 0600);
        write(home / ".config/gh/hosts.yml", "TOKEN\n", 0600);
        write(home / ".npmrc", "//registry/:_authToken=T\n", 0600);
    }

    /// The names that a failing SCRIPT looked at, as they are told; empty where nothing is.
    std::string told(const std::string& script, const Words& options = {"--profile", "strict"}) const {
        const Result result = failing(script, options);
        BOOST_TEST(result.status == 7, result);
        return names_of(result);
    }
    Result failing(const std::string& script, Words words) const {
        words.insert(words.end(), {"--", "sh", "-c", script + "\nexit 7"});
        return sandbox(words);
    }
    static std::string names_of(const Result& result) {
        const std::size_t start = result.err.find(kTold);
        if (start == std::string::npos) {
            return "";
        }
        const std::size_t names = start + std::string(kTold).size();
        return result.err.substr(names, result.err.find(": ", names) - names);
    }
};

/// The clock of time stamps has ticked: what CMD does to a link from here on is younger than the link.
const std::string kLater = "sleep 0.05; ";

} // namespace

BOOST_FIXTURE_TEST_SUITE(hidden_names, SecretWorld)

BOOST_AUTO_TEST_CASE(a_look_into_a_hidden_directory_is_told_with_its_rule_and_a_grant) {
    const Result attack = failing("cat ~/.ssh/id_rsa", {"--profile", "strict"});
    BOOST_TEST(names_of(attack) == "~/.ssh", attack);
    BOOST_TEST(attack.said("default.toml:17:"), attack);
    BOOST_TEST(
        attack.said("\n    to show one: --ro ~/.ssh, or in a profile: filesystem.read-only = { add = [\"~/.ssh\"] }\n"),
        attack);
    BOOST_TEST(!attack.printed("PRIVATE KEY"), attack);
}

BOOST_AUTO_TEST_CASE(each_way_to_look_is_told) {
    for (const char* look :
         {"ls ~/.ssh/", "test -e ~/.ssh", "test -x ~/.ssh/ssh", "cd ~/.ssh", "~/.ssh/run", "readlink ~/.ssh",
          "cat < ~/.ssh/config", "find -L ~ -name .ssh", "ls -la ~ | grep -q ."}) {
        const std::string names = told(look);
        BOOST_TEST(names.starts_with("~/.ssh"), look << ": " << names);
    }
    BOOST_TEST(told("cat ~/.npmrc; cat ~/.config/gh/hosts.yml; cat ~/.aws/config") == "~/.aws ~/.config/gh ~/.npmrc");
}

BOOST_AUTO_TEST_CASE(what_does_not_look_is_not_told) {
    for (const char* harmless : {"true", "ls ~", "ls -A ~", "ls -A ~/.config", "find ~ >/dev/null", "grep -r x ~",
                                 "cat ~/.bashrc", "cd ~", "ls ~/.sandbox", "ls ~/.sandbox/.ssh", "mkdir ~/.ssh"}) {
        const std::string names = told(harmless);
        BOOST_TEST(names.empty(), harmless << ": " << names);
    }
}

BOOST_AUTO_TEST_CASE(a_name_that_the_host_does_not_have_hides_nothing) {
    fs::remove_all(home / ".aws");
    BOOST_TEST(told("cat ~/.aws/credentials ~/.netrc ~/.ssh/id_rsa") == "~/.ssh");
}

BOOST_AUTO_TEST_CASE(cmd_sees_the_same_whatever_the_host_has) {
    const std::string look = "find ~ ! -path '*/project*' -printf '%P %y %m %n %u %s %l\\n' | sort";
    const Result with = strict_sh(look);
    for (const char* name : {".ssh", ".aws", ".kube", ".config/gh", ".npmrc"}) {
        fs::remove_all(home / name);
    }
    const Result without = strict_sh(look);
    BOOST_TEST(with.printed(".ssh l "), with);
    BOOST_TEST(with.out == without.out, with << without);
}

BOOST_AUTO_TEST_CASE(nothing_is_told_of_a_success_nor_to_who_wants_quiet) {
    const Result success = strict_sh("cat ~/.ssh/id_rsa; true");
    BOOST_TEST(success.status == 0, success);
    BOOST_TEST(!success.said("looked at"), success);
    const Result quiet = failing("cat ~/.ssh/id_rsa", {"--quiet", "--profile", "strict"});
    BOOST_TEST(!quiet.said("looked at"), quiet);
}

BOOST_AUTO_TEST_CASE(a_person_is_told_of_a_success_too) {
    Terminal person({sandbox_program(), "--profile", "strict", "--", "sh", "-c", "test -e ~/.ssh"}, here());
    BOOST_TEST(person.see("looked at, hidden: ~/.ssh: "));
    BOOST_TEST(person.wait() == 0);
}

BOOST_AUTO_TEST_CASE(it_is_told_of_every_kind_of_private_home) {
    const std::string look = "cat ~/.ssh/id_rsa ~/.config/gh/hosts.yml";
    const std::string wanted = "~/.ssh ~/.config/gh";
    BOOST_TEST(told(look, {"--profile", "build"}) == wanted);
    BOOST_TEST(told(look, {"--profile", "default", "--net", "none"}) == wanted);
    BOOST_TEST(told(look, {"--profile", "strict", "--root"}) == wanted);
    BOOST_TEST(told(look, {"--profile", "permissive", "--tmpfs", home}) == wanted);
    BOOST_TEST(told(look, {"--profile", "strict", "--share", "pid"}) == wanted);
    // An own file beside the links brings a directory of the private home along.
    write(home / ".config/tool/settings", "x");
    BOOST_TEST(told(look, {"--profile", "strict", "--ro", home / ".config/tool"}) == wanted);
}

BOOST_AUTO_TEST_CASE(it_is_told_of_another_user_too) {
    NEEDS(user().subordinate.second > 0, "the user has no subordinate range");
    BOOST_TEST(told("cat ~/.ssh/id_rsa; echo x > ~/.npmrc && mkdir -p ~/.docker ~/.config/gh/x ~/.config/new && "
                    "echo x > ~/.docker/config.json && cat ~/.docker/config.json || exit 1",
                    {"--profile", "strict", "--user", "33"}) == "~/.ssh ~/.config/gh ~/.npmrc");
}

BOOST_AUTO_TEST_CASE(it_is_told_of_a_user_without_subordinate_ids) {
    if (!started_by_root()) {
        SKIP("only root can act as another user");
    }
    profile("one-id", "extends = \"strict\"\n[ids]\ngroups = \"keep\"\n");
    Options options = here();
    options.as = &bare_user();
    options.cwd = "/";
    fs::permissions(home, fs::perms::others_exec | fs::perms::others_read, fs::perm_options::add);
    const Result shown =
        sandbox({"--profile", "one-id", "--", "sh", "-c", "cat " + home.string() + "/.ssh/id_rsa; exit 7"}, options);
    BOOST_TEST(names_of(shown) == "~/.ssh", shown);
}

BOOST_AUTO_TEST_CASE(it_is_told_when_cmd_is_killed) {
    const Result late = failing("cat ~/.ssh/id_rsa; sleep 60", {"--profile", "strict", "--timeout", "1s"});
    BOOST_TEST(names_of(late) == "~/.ssh", late);
    const Result killed = failing("cat ~/.ssh/id_rsa; kill -9 $$", {"--profile", "strict"});
    BOOST_TEST(names_of(killed) == "~/.ssh", killed);
}

BOOST_AUTO_TEST_CASE(the_grant_that_is_named_shows_the_file) {
    for (const auto& [look, text] :
         {std::pair{"cat ~/.ssh/id_rsa", "PRIVATE KEY"}, std::pair{"cat ~/.npmrc", "_authToken"},
          std::pair{"cat ~/.config/gh/hosts.yml", "TOKEN"}, std::pair{"cat ~/.kube/config", "CERTIFICATE"}}) {
        const Result refused = sandbox({"--profile", "strict", "--", "sh", "-c", look});
        BOOST_TEST(refused.status != 0, refused);
        const std::size_t grant = refused.err.find("--ro ~");
        BOOST_REQUIRE_MESSAGE(grant != std::string::npos, refused);
        const std::string path = refused.err.substr(grant + 6, refused.err.find(',', grant) - grant - 6);
        const Result shown = sandbox({"--profile", "strict", "--ro", home.string() + path, "--", "sh", "-c", look});
        BOOST_TEST(shown.status == 0, shown);
        BOOST_TEST(shown.printed(text), shown);
        const std::size_t line = refused.err.find("filesystem.read-only = ");
        profile("granted", refused.err.substr(line, refused.err.find('\n', line) - line) + "\nextends = \"strict\"\n");
        BOOST_TEST(sandbox({"--profile", "granted", "--", "sh", "-c", look}).printed(text));
        const Result after = failing(look, {"--profile", "strict", "--ro", home.string() + path});
        BOOST_TEST(names_of(after).empty(), after);
    }
}

BOOST_AUTO_TEST_CASE(a_home_that_is_shown_has_no_links) {
    const Result shown = failing("cat ~/.ssh/id_rsa; ls -A ~", {"--profile", "permissive", "--ro", home});
    BOOST_TEST(shown.printed("PRIVATE KEY"), shown);
    BOOST_TEST(!shown.printed(".sandbox\n"), shown);
    BOOST_TEST(names_of(shown).empty(), shown);
    BOOST_TEST(!fs::exists(home / ".sandbox"));
}

BOOST_AUTO_TEST_CASE(programs_can_make_what_they_need_and_it_goes_with_the_sandbox) {
    strict_sh("true"); // our own state is there from now on
    const std::string before = tree(home);
    const Result works = strict_sh("set -e\n"
                                   "mkdir -p ~/.docker && echo docker > ~/.docker/config.json\n"
                                   "mkdir -p -m 700 ~/.ssh && umask 077 && echo key > ~/.ssh/id_new\n"
                                   "test \"$(stat -L -c %a:%u ~/.ssh)\" = \"700:$(id -u)\"\n"
                                   "echo npm > ~/.npmrc\n"
                                   "echo tmp > ~/tmp && mv ~/tmp ~/.netrc\n"
                                   "mkdir -p ~/.config/gh/deep && echo gh > ~/.config/gh/deep/file\n"
                                   "echo moved > ~/moved && mv ~/moved ~/.aws/config && ln ~/.aws/config ~/again\n"
                                   "rm -rf ~/.kube && mkdir ~/.kube && echo kube > ~/.kube/config\n"
                                   "cat ~/.docker/config.json ~/.ssh/id_new ~/.npmrc ~/.netrc ~/.config/gh/deep/file "
                                   "~/again ~/.kube/config");
    BOOST_TEST(works.status == 0, works);
    BOOST_TEST(works.out == "docker\nkey\nnpm\ntmp\ngh\nmoved\nkube\n", works);
    BOOST_TEST(tree(home) == before);
}

BOOST_AUTO_TEST_CASE(a_plain_mkdir_finds_the_name_taken) {
    const Result shown = strict_sh("mkdir ~/.ssh");
    BOOST_TEST(shown.said("File exists"), shown);
}

BOOST_AUTO_TEST_CASE(ssh_makes_its_key_in_the_private_place) {
    NEEDS(installed("ssh-keygen"), "no ssh-keygen");
    // ssh-keygen(1) asks the passwd entry for the home, so the file is named.
    const Result shown = strict_sh("ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_new && ls ~/.ssh");
    BOOST_TEST(shown.out == "id_new\nid_new.pub\n", shown);
}

BOOST_AUTO_TEST_CASE(times_that_cmd_sets_are_no_look) {
    for (const char* forged : {"touch -h ~/.aws", "touch -h -a ~/.aws", "touch -h -a -d '2030-01-01' ~/.aws",
                               "touch -h -m ~/.aws; touch -h -a ~/.aws"}) {
        const std::string names = told(kLater + forged + "; cat ~/.kube/config");
        BOOST_TEST(names == "~/.kube", forged << ": " << names);
    }
    BOOST_TEST(told(kLater + "cat ~/.aws/x; cat ~/.kube/config") == "~/.aws ~/.kube", "the control");
}

BOOST_AUTO_TEST_CASE(who_covers_its_tracks_loses_its_own_line_only) {
    for (const char* covered : {"touch -h -a -d @0 ~/.aws", "rm ~/.aws", "mv ~/.aws ~/x",
                                "rm ~/.aws; ln -s .sandbox/.aws ~/.aws", "ln ~/.aws ~/second"}) {
        const std::string names = told(kLater + "cat ~/.aws/credentials ~/.kube/config; " + covered);
        BOOST_TEST(names == "~/.kube", covered << ": " << names);
    }
}

BOOST_AUTO_TEST_CASE(names_and_links_of_cmds_own_are_not_told) {
    for (const char* own : {"rm ~/.aws; ln -s /etc ~/.aws; cat ~/.aws/passwd >/dev/null",
                            "rm ~/.aws; mkdir ~/.aws; echo x > ~/.aws/config; cat ~/.aws/config",
                            "mkdir ~/hidden-names; ln -s /etc ~/hidden-names/3; cat ~/hidden-names/3/passwd >/dev/null",
                            "mv ~/.aws ~/.azure-old; mv ~/.azure ~/.aws; cat ~/.aws/x"}) {
        const std::string names = told(kLater + own + "; cat ~/.kube/config");
        BOOST_TEST(names == "~/.kube", own << ": " << names);
    }
}

BOOST_AUTO_TEST_CASE(a_home_that_cmd_turned_over_leads_the_supervisor_nowhere) {
    // A link in the project whose time of access would change if somebody walked it.
    fs::create_directory(home / "project/bait");
    fs::create_directory_symlink("/etc", home / "project/bait/gh");
    const auto time_of_access = [&] {
        struct stat status {};
        BOOST_REQUIRE(::lstat((home / "project/bait/gh").c_str(), &status) == 0);
        return std::pair(status.st_atim.tv_sec, status.st_atim.tv_nsec);
    };
    const auto planted = time_of_access();
    static_cast<void>(sh("sleep 0.1")); // the clock of time stamps has ticked
    BOOST_TEST(fs::exists(home / "project/bait/gh/passwd"));
    NEEDS(time_of_access() != planted, "the home is mounted noatime");
    fs::remove(home / "project/bait/gh");
    fs::create_directory_symlink("/etc", home / "project/bait/gh");
    const auto before = time_of_access();
    const std::string script = kLater + "rm -rf ~/.config ~/.sandbox ~/.ssh ~/.aws\n"
                                        "ln -s ~/project/bait ~/.config; ln -s ~/project/bait ~/.sandbox\n"
                                        "mkdir ~/.ssh; chmod 0 ~; exit 7";
    const Result attack = failing(script, {"--profile", "build"});
    BOOST_TEST(attack.status == 7, attack);
    BOOST_TEST(!attack.said("looked at"), attack);
    BOOST_TEST((time_of_access() == before));
    const Result control = failing("ls ~/.config/gh/", {"--profile", "build"});
    BOOST_TEST(names_of(control) == "~/.config/gh", control);
}

BOOST_AUTO_TEST_CASE(the_second_names_are_nowhere_inside) {
    const std::string look = "find / -name hidden-names 2>/dev/null; ls -l /proc/[0-9]*/fd 2>/dev/null | grep hidden; "
                             "grep hidden-names /proc/self/mountinfo; echo looked";
    const Result shown = strict_sh(look);
    BOOST_TEST(shown.out == "looked\n", shown);
    const Result control = strict_sh("mkdir ~/hidden-names; exec 3<~/hidden-names; " + look);
    BOOST_TEST(control.printed("/hidden-names\n"), control);
    BOOST_TEST(control.printed(" 3 -> "), control);
}

BOOST_AUTO_TEST_SUITE_END()
