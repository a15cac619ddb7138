// The narrowest grant for a refused path, and that it does what it promises.
#include "core/plan/path_grant.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/routine_writes.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

constexpr PathIntent kLook = PathIntent::look, kRead = PathIntent::read, kWrite = PathIntent::write,
                     kCreate = PathIntent::create, kExecute = PathIntent::execute, kList = PathIntent::list;

struct GrantTest : PlanTest {
    [[nodiscard]] CallerPlaces places() const { return caller_places(host, machine.list_directory()); }
    [[nodiscard]] PathVerdict verdict(const std::string& path, PathIntent intent) const {
        const Plan made = plan();
        const auto found = PathOracle(made.root).judge({path, intent, true});
        BOOST_REQUIRE(found);
        return *found;
    }
    [[nodiscard]] PathAdvice advice(const std::string& path, PathIntent intent = kRead) const {
        const PathVerdict found = verdict(path, intent);
        return advise(found, intent, host.look_up(found.host_path), places());
    }
    /// "read-only = ~/x | --ro ~/x", or "no: REASON".
    [[nodiscard]] std::string grant(const std::string& path, PathIntent intent = kRead) const {
        const PathAdvice made = advice(path, intent);
        return made.grant ? words(*made.grant) : "no: " + made.reason;
    }
    [[nodiscard]] std::string words(const PathGrant& given) const {
        return std::string(given.key()) + " = " + profile_word(given, places()).value_or("(none)") + " | " +
               option_words(given, places());
    }
    /// Whether the call works in a plan that has the grant in a profile that extends this one.
    [[nodiscard]] bool helps(const std::string& path, PathIntent intent) {
        const PathAdvice made = advice(path, intent);
        const auto word = made.grant ? profile_word(*made.grant, places()) : std::nullopt;
        if (!word) {
            return false;
        }
        PlanTest with = *this;
        with.profile.lineage.emplace_back("/learned.toml");
        List& list = made.grant->writable ? with.profile.filesystem.read_write : with.profile.filesystem.read_only;
        list.items.push_back(in_file(*word, "/learned.toml", "filesystem.learned"));
        const Plan planned = with.plan();
        return PathOracle(planned.root).judge({path, intent, true})->effect == PathEffect::works;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(path_grant, GrantTest)

BOOST_AUTO_TEST_CASE(the_file_that_was_opened_is_granted) {
    machine.file("/home/dev/.gitconfig");
    machine.file("/srv/data/x");
    BOOST_CHECK_EQUAL(grant("/home/dev/.gitconfig"), "read-only = ~/.gitconfig | --ro ~/.gitconfig");
    BOOST_CHECK_EQUAL(grant("/home/dev/.gitconfig", kLook), "read-only = ~/.gitconfig | --ro ~/.gitconfig");
    machine.file("/home/dev/.toolrc");
    BOOST_CHECK_EQUAL(grant("/home/dev/.toolrc", kWrite), "read-write = ~/.toolrc | --rw ~/.toolrc");
    BOOST_CHECK_EQUAL(grant("/srv/data/x", kExecute), "read-only = /srv/data/x | --ro /srv/data/x");
    for (const PathIntent intent : {kRead, kLook, kWrite, kExecute}) {
        BOOST_CHECK(helps("/home/dev/.toolrc", intent));
        BOOST_CHECK(helps("/srv/data/x", intent));
    }
}

BOOST_AUTO_TEST_CASE(what_shells_and_tools_obey_is_never_granted_writable) {
    for (const char* name : {".bashrc", ".bash_aliases", ".gitconfig", ".config/systemd/user/x.service", ".cshrc",
                             ".zlogout", ".mkshrc", ".screenrc", ".config/tmux/tmux.conf", ".cargo/config.toml",
                             ".cargo/bin/tool", ".config/Code/User/settings.json", ".pip/pip.conf",
                             ".config/sway/config", ".local/lib/python3/site-packages/x.pth"}) {
        const std::string file = std::string("/home/dev/") + name;
        machine.file(file);
        BOOST_CHECK(grant(file, kWrite).starts_with("no: not advised"));
        BOOST_CHECK(grant(file).starts_with("read-only = "));
    }
}

BOOST_AUTO_TEST_CASE(the_directory_that_was_listed_is_granted) {
    BOOST_CHECK_EQUAL(grant("/srv/data", kList), "read-only = /srv/data | --ro /srv/data");
    machine.directory("/home/dev/.config/nvim");
    BOOST_CHECK_EQUAL(grant("/home/dev/.config/nvim", kList), "read-only = ~/.config/nvim | --ro ~/.config/nvim");
    BOOST_CHECK(helps("/home/dev/.config/nvim", kList));
    CHECK_SAYS(grant("/home/dev/.config/nvim", kExecute), "no: it is a directory");
}

BOOST_AUTO_TEST_CASE(the_directory_that_was_looked_at_is_granted_where_it_is_narrow) {
    machine.directory("/home/dev/files/real");
    BOOST_CHECK_EQUAL(grant("/home/dev/files/real", kLook), "read-only = ~/files/real | --ro ~/files/real");
    BOOST_CHECK(helps("/home/dev/files/real", kLook));
    host.config_dir = host.data_dir = "/elsewhere/sandbox";
    machine.directory("/home/dev/.cargo");
    CHECK_SAYS(grant("/home/dev/.cargo", kLook), "no: no narrow grant: '~/.cargo' holds a place of secrets");
}

BOOST_AUTO_TEST_CASE(for_a_name_to_be_made_its_directory_is_granted) {
    machine.directory("/home/dev/.cache/pip");
    BOOST_CHECK_EQUAL(grant("/home/dev/.cache/pip/http", kCreate), "read-write = ~/.cache/pip | --rw ~/.cache/pip");
    BOOST_CHECK(helps("/home/dev/.cache/pip/http", kCreate));
    BOOST_CHECK_EQUAL(grant("/srv/data/new", kCreate), "read-write = /srv/data | --rw /srv/data");
    BOOST_CHECK(helps("/srv/data/new", kCreate));
    in_profile(profile.filesystem.read_only, "$PWD");
    BOOST_CHECK_EQUAL(grant("/home/dev/project/src/a.o", kCreate), "read-write = $PWD/src | --rw ~/project/src");
    BOOST_CHECK_EQUAL(grant("/home/dev/project/a.o", kCreate), "read-write = $PWD | --rw ~/project");
    BOOST_CHECK(helps("/home/dev/project/src/a.o", kCreate));
    BOOST_CHECK(helps("/home/dev/project/a.o", kCreate));
}

BOOST_AUTO_TEST_CASE(what_is_as_wide_as_a_home_is_never_granted) {
    BOOST_CHECK_EQUAL(grant("/home/dev/.viminfo", kCreate), "no: no narrow grant: it would be the whole home");
    BOOST_CHECK_EQUAL(grant("/home/other", kCreate), "no: no narrow grant: '/home' holds the home");
    BOOST_CHECK_EQUAL(grant("/new", kCreate), "no: no narrow grant: it would be the whole machine");
    BOOST_CHECK_EQUAL(grant("/tmp/new", kCreate), "no: no narrow grant: '/tmp' is private as a whole");
    BOOST_CHECK_EQUAL(grant("/run/new", kCreate),
                      "no: no narrow grant: '/run' holds sockets of the session and of the system");
    profile.filesystem.tmpfs.items.clear();
    machine.directory("/home/dev");
    BOOST_CHECK_EQUAL(grant("/home/dev", kList), "no: no narrow grant: it would be the whole home");
}

BOOST_AUTO_TEST_CASE(a_directory_that_holds_secrets_is_never_granted) {
    machine.directory("/home/dev/.config");
    machine.directory("/home/dev/.local/share");
    CHECK_SAYS(grant("/home/dev/.config", kList), "'~/.config' holds the profiles or the state of sandbox");
    CHECK_SAYS(grant("/home/dev/.local/share/x", kCreate), "'~/.local/share' holds the profiles or the state");
    host.config_dir = host.data_dir = "/elsewhere/sandbox";
    CHECK_SAYS(why_too_wide("/home/dev/.cargo", places()),
               "'~/.cargo' holds a place of secrets, '~/.cargo/credentials.toml'");
    BOOST_CHECK_EQUAL(why_too_wide("/home/dev/.cargo/registry", places()), "");
}

BOOST_AUTO_TEST_CASE(a_secret_is_not_granted_and_what_would_show_it_is_known) {
    for (const char* name :
         {".ssh/config", ".ssh/known_hosts", ".gnupg/x", ".aws/credentials", ".azure/x", ".kube/config",
          ".docker/config.json", ".netrc", ".npmrc", ".pypirc", ".git-credentials", ".config/gh/hosts.yml",
          ".config/gcloud/x", ".pgpass", ".vault-token", ".mozilla/firefox/x", "project2/server.pem", "keys/id_work"}) {
        const std::string path = std::string("/home/dev/") + name;
        machine.file(path);
        const PathAdvice made = advice(path);
        BOOST_TEST_CONTEXT(name) {
            BOOST_CHECK(!made.grant);
            BOOST_CHECK(made.is_secret);
            BOOST_REQUIRE(made.withheld);
            BOOST_CHECK_EQUAL(words(*made.withheld), "read-only = ~/" + std::string(name) + " | --ro ~/" + name);
            BOOST_CHECK(!advice(path, kWrite).grant);
            BOOST_CHECK(!advice(path, kLook).grant);
        }
    }
    // Making one would take the home.
    BOOST_CHECK(advice("/home/dev/.npmrc", kCreate).is_secret);
    BOOST_CHECK(!advice("/home/dev/.npmrc", kCreate).withheld);
    // Names that only look similar are no secrets.
    for (const char* name : {".sshd", "keys/id_work.pub", "src/id_map.c", ".npmrc2", ".config/github"}) {
        machine.file(std::string("/home/dev/") + name);
        BOOST_TEST_CONTEXT(name) {
            BOOST_CHECK(advice(std::string("/home/dev/") + name).grant);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_history_that_is_written_by_the_way_is_a_secret) {
    for (const char* name : {".bash_history", ".sh_history", ".history", ".python_history", ".psql_history"}) {
        const std::string path = std::string("/home/dev/") + name;
        machine.file(path);
        BOOST_TEST_CONTEXT(name) {
            BOOST_CHECK(is_routine_write(path, "/home/dev"));
            BOOST_CHECK(!advice(path).grant && advice(path).is_secret);
        }
    }
    machine.file("/home/dev/.lesshst"); // the control
    BOOST_CHECK(is_routine_write("/home/dev/.lesshst", "/home/dev"));
    BOOST_CHECK(advice("/home/dev/.lesshst").grant);
}

BOOST_AUTO_TEST_CASE(the_sockets_of_the_session_and_of_daemons_are_secrets) {
    profile.filesystem.tmpfs.items.clear();
    for (const char* path : {"/run/user/1000/bus", "/run/user/1001/bus", "/run/docker.sock", "/var/run/docker.sock",
                             "/run/podman/podman.sock"}) {
        BOOST_CHECK_MESSAGE(!advice(path).grant && advice(path).is_secret, path);
    }
    BOOST_CHECK(advice("/run/user/1000/wayland-0").withheld);
    BOOST_CHECK(!advice("/run/user/1000", kList).withheld); // no profile may
    BOOST_CHECK(!advice("/run/user/1000/sandbox/x").withheld);
    BOOST_CHECK(advice("/run/other.sock").grant);
}

BOOST_AUTO_TEST_CASE(a_directory_of_sockets_is_not_granted) {
    profile.filesystem.tmpfs.items.clear();
    machine.file("/tmp/plain/file");
    machine.socket("/tmp/tmux-1000/default");
    machine.socket("/srv/data/sock");
    machine.link("/srv/link", "/tmp/tmux-1000");
    for (const char* directory : {"/tmp/tmux-1000", "/srv/link"}) {
        BOOST_CHECK_EQUAL(grant(directory, kList), "no: it holds sockets, behind which somebody outside listens");
    }
    CHECK_SAYS(grant("/tmp/tmux-1000/new", kCreate), "no: it holds sockets");
    BOOST_CHECK_EQUAL(grant("/tmp/plain", kList), "read-only = /tmp/plain | --ro /tmp/plain");
    ro("/srv/data"); // and with it the socket
    BOOST_CHECK_EQUAL(grant("/srv/data/new", kCreate), "read-write = /srv/data | --rw /srv/data");
}

BOOST_AUTO_TEST_CASE(a_link_to_a_secret_is_one) {
    machine.link("/home/dev/keys", ".ssh");
    machine.link("/srv/me", "/home/dev");
    machine.link("/srv/config", "/home/dev/.config/sandbox");
    BOOST_CHECK(!advice("/home/dev/keys/id").grant && advice("/home/dev/keys/id").is_secret);
    BOOST_CHECK(!advice("/home/dev/keys", kList).grant);
    BOOST_CHECK(!advice("/home/dev/keys/new", kCreate).grant);
    BOOST_CHECK_EQUAL(grant("/srv/me", kList), "no: no narrow grant: it would be the whole home");
    BOOST_CHECK_EQUAL(grant("/srv/me/new", kCreate), "no: no narrow grant: it would be the whole home");
    BOOST_CHECK(!advice("/srv/config/profiles/x", kWrite).grant);
    machine.file("/home/dev/dotfiles/gitconfig");
    machine.link("/home/dev/.gitconfig", "dotfiles/gitconfig");
    BOOST_CHECK_EQUAL(grant("/home/dev/.gitconfig"), "read-only = ~/.gitconfig | --ro ~/.gitconfig");
    BOOST_CHECK(helps("/home/dev/.gitconfig", kRead));
}

BOOST_AUTO_TEST_CASE(what_belongs_to_sandbox_has_no_grant_at_all) {
    for (const char* path : {"/home/dev/.config/sandbox/profiles/x.toml", "/home/dev/.local/share/sandbox/x"}) {
        BOOST_CHECK(!advice(path).grant && !advice(path).withheld && advice(path).is_secret);
        BOOST_CHECK(!advice(path, kWrite).grant);
    }
    host.config_dir = "/elsewhere/sandbox";
    BOOST_CHECK(!advice("/elsewhere/sandbox/x").grant);
    host.account_home = "/data/account";
    BOOST_CHECK(!advice("/data/account/.config/sandbox/x").grant);
    BOOST_CHECK(advice("/data/account/.ssh/x").is_secret);
}

BOOST_AUTO_TEST_CASE(what_is_hidden_names_the_line_that_must_go) {
    ro("~/project");
    machine.file("/home/dev/project/.env");
    in_profile(profile.filesystem.hide, "~/project/.env");
    CHECK_SAYS(grant("/home/dev/project/.env"),
               "no: /usr/share/sandbox/profiles/test.toml:7:3: filesystem.test hides it: no grant, but a change");
    rw("~");
    CHECK_SAYS(grant("/home/dev/.local/share/sandbox"), "no: sandbox covers it in every profile");
}

BOOST_AUTO_TEST_CASE(what_works_needs_no_grant) {
    rw(".");
    BOOST_CHECK_EQUAL(grant("/home/dev/project/x", kCreate), "no: the profile does not refuse it");
    BOOST_CHECK_EQUAL(grant("/proc/1/maps"), "no: the profile does not refuse it");
}

BOOST_AUTO_TEST_CASE(a_device_is_granted_and_dev_is_not) {
    BOOST_CHECK_EQUAL(grant("/dev/kvm", kWrite), "read-write = /dev/kvm | --rw /dev/kvm");
    BOOST_CHECK(helps("/dev/kvm", kWrite));
    BOOST_CHECK_EQUAL(grant("/dev/new", kCreate), "no: the sandbox has its own");
}

BOOST_AUTO_TEST_CASE(a_read_only_image_wants_a_writable_root) {
    profile.filesystem.tmpfs.items.clear();
    profile.filesystem.root.set("image", by_option("--image", "web").origin);
    profile.filesystem.image.set("web", by_option("--image", "web").origin);
    profile.filesystem.writable_root.set(false, by_option("--writable-root", "false").origin);
    profile.ids.user.set("image", built_in());
    CHECK_SAYS(grant("/opt/x", kWrite), "no: the root is read-only: --writable-root");
    ro("~/project:/work");
    BOOST_CHECK_EQUAL(grant("/work/src/x", kWrite),
                      "read-write = $PWD/src/x:/work/src/x | --rw ~/project/src/x:/work/src/x");
}

BOOST_AUTO_TEST_CASE(a_grant_at_another_place_keeps_its_place) {
    machine.file("/home/dev/project/src/x");
    ro("~/project:/mnt/a:b");
    profile.filesystem.read_only.items.back() = by_option("--ro", "/home/dev/project:/mnt/a\\:b");
    BOOST_CHECK_EQUAL(grant("/mnt/a:b/src/x", kWrite),
                      "read-write = $PWD/src/x:/mnt/a\\:b/src/x | --rw ~/$'project/src/x:/mnt/a\\\\:b/src/x'");
    BOOST_CHECK(helps("/mnt/a:b/src/x", kWrite));
}

BOOST_AUTO_TEST_CASE(odd_names_mean_themselves) {
    for (const std::string name : {"a b", "a\nb", "a'\"b", "$HOME", "${PWD}", "~", "a:b", "a\\b", "a\\:b", "a\\\\$b",
                                   "*[?]", "-x", "\xc3\xa9", "\xe2\x80\xae", "\\"}) {
        BOOST_TEST_CONTEXT(name) {
            machine.file("/home/dev/odd/" + name);
            machine.file("/srv/" + name);
            machine.file("/home/dev/project/" + name);
            BOOST_CHECK(helps("/home/dev/odd/" + name, kRead));
            BOOST_CHECK(helps("/srv/" + name, kRead));
            BOOST_CHECK(helps("/home/dev/project/" + name, kWrite));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_options_words_are_what_the_option_reads) {
    for (const std::string name : {"a:b", "a\\b", "a\\:b", "$HOME", "~"}) {
        const PathGrant given{.writable = false, .is_directory = false, .path = "/srv/" + name, .dest = {}};
        std::string words = option_words(given, places()).substr(5);
        if (words.starts_with("$'")) { // the shell's part, as far as these names need it
            words = words.substr(2, words.size() - 3);
            for (std::size_t at = words.find("\\\\"); at != std::string::npos; at = words.find("\\\\", at + 1)) {
                words.erase(at, 1);
            }
        } else if (words.starts_with('\'')) {
            words = words.substr(1, words.size() - 2);
        }
        BOOST_CHECK_EQUAL(read_grant(by_option("--ro", words), host).source.path, "/srv/" + name);
    }
    const PathGrant spaced{.writable = true, .is_directory = false, .path = "/home/dev/a b", .dest = {}};
    BOOST_CHECK_EQUAL(option_words(spaced, places()), "--rw ~/'a b'");
}

BOOST_AUTO_TEST_CASE(a_name_that_is_no_utf8_has_an_option_only) {
    machine.file("/srv/\xff");
    BOOST_CHECK_EQUAL(grant("/srv/\xff"), "read-only = (none) | --ro $'/srv/\\xff'");
}

BOOST_AUTO_TEST_CASE(a_home_that_is_a_link_is_written_as_a_home) {
    machine.link("/home/dev", "../data/dev");
    machine.file("/data/dev/.gitconfig");
    host.cwd = "/data/dev/project";
    machine.directory(host.cwd);
    for (const char* path : {"/home/dev/.gitconfig", "/data/dev/.gitconfig"}) {
        BOOST_CHECK_EQUAL(grant(path), "read-only = ~/.gitconfig | --ro ~/.gitconfig");
        BOOST_CHECK(helps(path, kRead));
    }
    BOOST_CHECK_EQUAL(grant("/data/dev/.x", kCreate), "no: no narrow grant: it would be the whole home");
    machine.file("/data/dev/.ssh/x");
    BOOST_CHECK(advice("/data/dev/.ssh/x").is_secret);
}

BOOST_AUTO_TEST_CASE(a_home_that_is_the_root_is_not_written_as_one) {
    host.home = "/";
    host.cwd = "/srv/data";
    machine.file("/srv/x");
    machine.file("/.ssh/x");
    BOOST_CHECK_EQUAL(grant("/srv/x"), "read-only = /srv/x | --ro /srv/x");
    BOOST_CHECK_EQUAL(grant("/x", kCreate), "no: no narrow grant: it would be the whole machine");
    BOOST_CHECK(advice("/.ssh/x").is_secret);
}

BOOST_AUTO_TEST_CASE(a_current_directory_that_a_profile_does_not_expose_is_not_written) {
    machine.file("/home/dev/.gitconfig");
    for (const char* cwd : {"/home/dev", "/home", "/", ""}) {
        host.cwd = cwd;
        BOOST_CHECK_EQUAL(grant("/home/dev/.gitconfig"), "read-only = ~/.gitconfig | --ro ~/.gitconfig");
    }
}

BOOST_AUTO_TEST_SUITE_END()
