// What CMD sees of the host's files, and what it can do to them.
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "tests/support/count.hpp"
#include "tests/support/world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(filesystem, World)

BOOST_AUTO_TEST_CASE(the_private_key_in_the_home_cannot_be_read) {
    write(home / ".ssh/id_test", "PRIVATE KEY\n", 0600);
    const Result attack = strict_sh("cat ~/.ssh/id_test");
    const Result control = sh("cat ~/.ssh/id_test");
    BOOST_TEST(control.printed("PRIVATE KEY"), control);
    BOOST_TEST(!attack.printed("PRIVATE KEY"), attack);
    BOOST_TEST(attack.said("No such file"), attack);
}

BOOST_AUTO_TEST_CASE(the_home_is_empty_but_for_the_granted_directory) {
    write(home / "notes.txt", "x");
    const Result attack = strict_sh("ls ~; find ~ -type f");
    BOOST_TEST(attack.out == "project\n", attack);
    BOOST_TEST(sh("ls -A ~").printed("notes.txt"));
}

BOOST_AUTO_TEST_CASE(the_runtime_directory_is_not_there) {
    NEEDS(!runtime.empty(), "this user has no /run/user/UID");
    write(runtime / "secret-socket", "x");
    const std::string path = (runtime / "secret-socket").string();
    BOOST_TEST(sh("test -e " + path).status == 0);
    BOOST_TEST(strict_sh("test -e " + path).status != 0);
    BOOST_TEST(!strict_sh("ls -A /run/user 2>&1").printed(std::to_string(user().uid)));
    fs::remove(runtime / "secret-socket");
}

BOOST_AUTO_TEST_CASE(strict_shows_the_current_directory_read_only_at_its_own_path) {
    write(project / "source.txt", "hello\n");
    const Result attack = strict_sh("pwd; cat source.txt; echo changed > source.txt");
    BOOST_TEST(attack.printed(project.string() + "\nhello\n"), attack);
    BOOST_TEST(attack.said("Read-only file system"), attack);
    BOOST_TEST(read_file(project / "source.txt") == "hello\n");
    BOOST_TEST(sh("echo changed > source.txt").status == 0);
    BOOST_TEST(read_file(project / "source.txt") == "changed\n");
}

BOOST_AUTO_TEST_CASE(strict_cannot_write_outside_its_private_places) {
    // As root inside, so that no file mode stands in the way: only the mounts do.
    const std::string places = "/ /usr /usr/bin /etc /opt /dev /dev/pts /proc /proc/sys/kernel /var /home .";
    const Result attack = sandbox({"--profile", "strict", "--root", "--", "sh", "-c",
                                   "for place in " + places +
                                       "; do [ -d $place ] || continue; "
                                       "touch $place/planted 2>/dev/null && echo written $place; done; true"});
    BOOST_TEST(attack.status == 0, attack);
    BOOST_TEST(attack.out.empty(), attack);
    BOOST_TEST(!fs::exists(project / "planted"));
    const Result control = sh("touch ./planted && touch /tmp/planted-by-control && echo written");
    BOOST_TEST(control.printed("written"), control);
    fs::remove("/tmp/planted-by-control");
}

BOOST_AUTO_TEST_CASE(tmp_is_private_and_goes_with_the_sandbox) {
    const fs::path outside_file = "/tmp/sandbox-test-outside." + std::to_string(::getpid());
    write(outside_file, "x");
    for (const char* place : {"/tmp", "/var/tmp", "/dev/shm", "/run"}) {
        const Result attack = strict_sh(std::string("ls -A ") + place);
        BOOST_TEST(!attack.printed("sandbox-test-outside"), place << attack);
    }
    BOOST_TEST(sh("ls -A /tmp").printed("sandbox-test-outside"));
    const std::string name = "sandbox-test-inside." + std::to_string(::getpid());
    for (const char* place : {"/tmp/", "/var/tmp/", "/dev/shm/"}) {
        const Result written = strict_sh("echo x > " + (place + name) + " && cat " + (place + name));
        BOOST_TEST(written.out == "x\n", place << written);
        BOOST_TEST(!fs::exists(place + name), place);
    }
    fs::remove(outside_file);
}

BOOST_AUTO_TEST_CASE(a_file_granted_writable_is_written_on_the_host) {
    write(home / "data/log", "");
    const Result granted = sandbox({"--profile", "strict", "--rw", (home / "data").string(), "--", "sh", "-c",
                                    "echo line >> ~/data/log; id -u > ~/data/owner"});
    BOOST_TEST(granted.status == 0, granted);
    BOOST_TEST(read_file(home / "data/log") == "line\n");
    struct stat status {};
    BOOST_REQUIRE(::stat((home / "data/owner").c_str(), &status) == 0);
    BOOST_TEST(status.st_uid == user().uid);
}

BOOST_AUTO_TEST_CASE(a_grant_can_have_another_place_inside) {
    write(home / "data/file", "content\n");
    const Result granted = sandbox({"--profile", "strict", "--ro", (home / "data").string() + ":/srv/shown", "--", "sh",
                                    "-c", "cat /srv/shown/file; test -e ~/data || echo not at its own place"});
    BOOST_TEST(granted.out == "content\nnot at its own place\n", granted);
    BOOST_TEST(!fs::exists("/srv/shown"));
}

BOOST_AUTO_TEST_CASE(a_single_file_can_be_granted) {
    write(home / "a", "this\n");
    write(home / "b", "not this\n");
    const Result granted =
        sandbox({"--profile", "strict", "--ro", (home / "a").string(), "--", "sh", "-c", "cat ~/a; cat ~/b"});
    BOOST_TEST(granted.out == "this\n", granted);
}

BOOST_AUTO_TEST_CASE(a_submount_of_a_read_only_tree_is_read_only) {
    NEEDS(started_by_root(), "only root can mount");
    directory(project / "deep/er");
    const ScopedMount mount("tmpfs", project / "deep/er", 0, "mode=0777");
    const Result attack = strict_sh("touch deep/er/planted");
    const Result control = sh("touch deep/er/planted");
    BOOST_TEST(attack.said("Read-only file system"), attack);
    BOOST_TEST(control.status == 0, control);
}

BOOST_AUTO_TEST_CASE(a_read_only_grant_cannot_be_remounted_writable) {
    NEEDS(started_by_root(), "only root can mount");
    directory(home / "data/sub");
    const ScopedMount mount("tmpfs", home / "data/sub", 0, "mode=0777");
    for (const fs::path& target : {home / "data", home / "data/sub"}) {
        // Also without a filter, and with all capabilities of a user namespace of CMD's own.
        for (const Words& how : {Words{"strict"}, Words{"permissive"}, Words{"strict", "--seccomp", "none"},
                                 Words{"strict", "--cap-add", "all"}}) {
            Words words = {"--profile"};
            words.insert(words.end(), how.begin(), how.end());
            const Words rest = {"--ro", probe_directory(), "--ro",         (home / "data").string(),
                                "--",   probe("remount"),  target.string()};
            words.insert(words.end(), rest.begin(), rest.end());
            const Result attack = sandbox(words);
            BOOST_TEST(attack.printed("write: "), how.front() << attack);
            BOOST_TEST(!attack.printed("write: ok"), how.front() << attack);
            BOOST_TEST(!fs::exists(target / "written-by-remount"));
        }
        const Result control = outside({probe("remount"), target.string()});
        BOOST_TEST(control.printed("write: ok"), control);
        fs::remove(target / "written-by-remount");
    }
}

BOOST_AUTO_TEST_CASE(a_capability_that_takes_grants_apart_is_not_kept_silently) {
    // The mounts belong to the user namespace that CAP_SYS_ADMIN rules: who keeps it is told what it undoes.
    for (const Words& how : {Words{"permissive"}, Words{"strict", "--seccomp", "none"}}) {
        Words words = {"--profile"};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(), {"--cap-add", "sys_admin", "--ro", (project).string(), "--", "true"});
        const Result told = sandbox(words);
        BOOST_TEST(told.said("CAP_SYS_ADMIN"), how.front() << told);
        BOOST_TEST(told.said("read-only"), how.front() << told);
    }
    // Where the filter refuses mount(2), the capability undoes nothing.
    const Result filtered = sandbox({"--profile", "strict", "--cap-add", "sys_admin", "--ro", probe_directory(), "--",
                                     probe("remount"), project.string()});
    BOOST_TEST(!filtered.printed("write: ok"), filtered);
    BOOST_TEST(!filtered.said("CAP_SYS_ADMIN"), filtered);
}

BOOST_AUTO_TEST_CASE(the_flags_of_a_mount_are_never_weakened) {
    NEEDS(started_by_root(), "only root can mount");
    const fs::path place = directory(home / "media");
    fs::copy_file("/bin/true", project / "true");
    {
        const ScopedMount mount("tmpfs", place, MS_NOEXEC | MS_NOSUID | MS_NODEV | 256 /* MS_NOSYMFOLLOW */,
                                "mode=0777");
        write(place / "target", "followed\n");
        fs::create_symlink("target", place / "link");
        fs::copy_file("/bin/true", place / "true");
        const Words grant = {"--profile", "permissive", "--rw", place.string(), "--", "sh", "-c"};
        const auto shown = [&](const std::string& script) {
            Words words = grant;
            words.push_back(script);
            return sandbox(words);
        };
        BOOST_TEST(shown("~/media/true").status == 126);
        BOOST_TEST(!shown("cat ~/media/link").printed("followed"));
        const Result flags = shown("grep ' '$HOME/media' ' /proc/self/mountinfo");
        for (const char* flag : {"nosuid", "nodev", "noexec", "nosymfollow"}) {
            BOOST_TEST(flags.printed(flag), flag << flags);
        }
        const ScopedMount read_only(place.string(), place, MS_BIND);
        BOOST_REQUIRE(::mount(nullptr, place.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0);
        BOOST_TEST(shown("touch ~/media/planted").said("Read-only"));
    }
    const ScopedMount control("tmpfs", place, 0, "mode=0777");
    fs::copy_file("/bin/true", place / "true");
    fs::permissions(place / "true", static_cast<fs::perms>(0755));
    BOOST_TEST(sandbox({"--profile", "permissive", "--rw", place.string(), "--", "sh", "-c", "~/media/true"}).status ==
               0);
}

BOOST_AUTO_TEST_CASE(a_setuid_program_gives_nothing) {
    NEEDS(started_by_root(), "only root can make a setuid program of root's");
    const fs::path planted = project / "setuid";
    fs::copy_file(probe("privileges"), planted);
    BOOST_REQUIRE(::chmod(planted.c_str(), 04755) == 0);
    const Result control = sh("./setuid");
    BOOST_TEST(control.printed(" 0 0\n"), control);
    for (const char* profile : {"strict", "permissive"}) {
        const Result attack = inside(profile, {"./setuid"});
        const std::string own = std::to_string(user().uid);
        BOOST_TEST(attack.printed("uids " + own + " " + own + " " + own), profile << attack);
        BOOST_TEST(attack.printed("CapEff:\t0000000000000000"), profile << attack);
    }
}

BOOST_AUTO_TEST_CASE(the_hosts_tree_is_entry_by_entry_what_it_was) {
    Words words = {"--profile", "strict"};
    for (int i = 0; i < 20; ++i) {
        const std::string number = std::to_string(i);
        write(home / ("grants/" + number + "/file"), "x");
        write(home / ("grants/" + number + "/hidden/file"), "x");
        const std::string path = (home / ("grants/" + number)).string();
        words.insert(words.end(), {i % 2 == 0 ? "--rw" : "--ro", path, "--hide", path + "/hidden", "--tmpfs",
                                   "/tmp/made-" + number});
        words.insert(words.end(), {"--ro", path + "/file:/srv/" + number + "/file"});
    }
    words.insert(words.end(), {"--rw", (home / "grants").string(), "--rw", project.string()});
    // A first run makes what is made once: the directories of our own.
    Words first = words;
    first.insert(first.end(), {"--", "true"});
    BOOST_TEST(sandbox(first).status == 0);
    const std::string before = tree(home);
    words.insert(words.end(), {"--", "sh", "-c", "ls -R ~ >/dev/null; ls /srv | wc -l; ls -A ~/grants/3/hidden"});
    const Result many = sandbox(words);
    BOOST_TEST(many.out == "20\n", many);
    BOOST_TEST(tree(home) == before);
}

BOOST_AUTO_TEST_CASE(what_is_hidden_in_a_granted_directory_cannot_be_seen_or_replaced) {
    write(project / "secrets/token", "TOKEN\n");
    write(project / "config.env", "TOKEN\n");
    const Words grant = {"--profile", "strict", "--rw", project.string()};
    const std::string script = "cat secrets/token config.env; ls -A secrets; echo planted > config.env; "
                               "mv secrets gone; mv config.env gone; rm -rf secrets; true";
    Words attack = grant;
    attack.insert(attack.end(), {"--hide", (project / "secrets").string(), "--hide", (project / "config.env").string(),
                                 "--", "sh", "-c", script});
    const Result hidden = sandbox(attack);
    BOOST_TEST(hidden.out.empty(), hidden);
    BOOST_TEST(read_file(project / "secrets/token") == "TOKEN\n");
    BOOST_TEST(read_file(project / "config.env") == "TOKEN\n");
    Words control = grant;
    control.insert(control.end(), {"--", "sh", "-c", script});
    BOOST_TEST(sandbox(control).printed("TOKEN\nTOKEN\ntoken\n"));
    BOOST_TEST(!fs::exists(project / "secrets/token"));
}

BOOST_AUTO_TEST_CASE(the_directory_above_what_is_hidden_cannot_be_renamed_away) {
    write(project / "a/b/secret", "SECRET\n");
    const Result attack =
        sandbox({"--profile", "strict", "--rw", project.string(), "--hide", (project / "a/b/secret").string(), "--",
                 "sh", "-c", "mv a a2; mkdir -p a/b; mv a/b a/b2; cat a/b/secret a2/b/secret a/b2/secret"});
    BOOST_TEST(attack.out.empty(), attack);
    BOOST_TEST(attack.said("busy"), attack);
    BOOST_TEST(fs::exists(project / "a/b/secret"));
    BOOST_TEST(!fs::exists(project / "a2"));
    BOOST_TEST(sh("mv a a2 && cat a2/b/secret").printed("SECRET"));
}

BOOST_AUTO_TEST_CASE(hiding_what_is_not_there_is_said) {
    const Result missing =
        sandbox({"--profile", "strict", "--rw", project.string(), "--hide", (project / "absent").string(), "true"});
    BOOST_TEST(missing.said("absent"), missing);
    BOOST_TEST(!fs::exists(project / "absent"));
}

BOOST_AUTO_TEST_CASE(granting_what_is_not_there_is_an_error) {
    const Result missing = sandbox({"--profile", "strict", "--ro", (project / "absent").string(), "true"});
    BOOST_TEST(missing.status == 125, missing);
    BOOST_TEST(missing.said("absent"), missing);
    BOOST_TEST(missing.said("No such file or directory"), missing);
}

BOOST_AUTO_TEST_CASE(a_directory_below_one_that_can_only_be_passed_through_can_be_granted) {
    write(home / "closed/open/file", "content\n");
    fs::permissions(home / "closed", static_cast<fs::perms>(0711));
    const Result granted = sandbox({"--profile", "strict", "--ro", (home / "closed/open").string(), "--", "cat",
                                    (home / "closed/open/file").string()});
    BOOST_TEST(granted.out == "content\n", granted);
}

BOOST_AUTO_TEST_CASE(spaces_newlines_and_odd_bytes_in_paths_work) {
    for (const std::string& name : {std::string("with space"), std::string("new\nline"), std::string("quote'\"$(x)`"),
                                    std::string("tab\tback\\slash"), std::string("invalid\xff"), std::string("-dash"),
                                    std::string("*glob?[x]")}) {
        const fs::path place = directory(home / name);
        write(place / "file", "content\n");
        Options options = here();
        options.cwd = place;
        const Result shown = sandbox({"--profile", "strict", "--", "cat", "file"}, options);
        BOOST_TEST(shown.out == "content\n", name << shown);
        const Result granted =
            sandbox({"--profile", "strict", "--rw", place.string(), "--", "cat", (place / "file").string()});
        BOOST_TEST(granted.out == "content\n", name << granted);
    }
}

BOOST_AUTO_TEST_CASE(a_linked_home_works) {
    const fs::path real = directory(home / "real-home/work");
    write(real / "file", "content\n");
    fs::create_directory_symlink(home / "real-home", home / "linked-home");
    Options options = here();
    options.environment["HOME"] = home / "linked-home";
    options.cwd = home / "linked-home/work";
    const Result shown = sandbox({"--profile", "strict", "--", "sh", "-c", "cat file; ls ~"}, options);
    BOOST_TEST(shown.out == "content\nwork\n", shown);
}

BOOST_AUTO_TEST_CASE(a_granted_link_shows_what_it_points_to) {
    write(home / "target/file", "content\n");
    fs::create_directory_symlink("target", home / "link");
    const Result granted =
        sandbox({"--profile", "strict", "--ro", (home / "link").string(), "--", "sh", "-c", "cat ~/link/file"});
    BOOST_TEST(granted.out == "content\n", granted);
}

BOOST_AUTO_TEST_CASE(a_grant_below_another_file_system_works) {
    NEEDS(started_by_root(), "only root can mount");
    const fs::path place = directory(home / "disk");
    const ScopedMount mount("tmpfs", place, 0, "mode=0777");
    write(place / "sub/file", "content\n");
    const Result granted =
        sandbox({"--profile", "strict", "--ro", (place / "sub").string(), "--", "cat", (place / "sub/file").string()});
    BOOST_TEST(granted.out == "content\n", granted);
}

BOOST_AUTO_TEST_CASE(an_unreadable_submount_does_not_stop_a_grant) {
    NEEDS(started_by_root(), "only root can mount");
    const fs::path place = directory(project / "closed");
    const ScopedMount mount("tmpfs", place, 0, "mode=0700");
    write(project / "file", "content\n");
    const Result granted = strict_sh("cat file; ls closed");
    BOOST_TEST(granted.out == "content\n", granted);
    BOOST_TEST(granted.said("Permission denied"), granted);
}

BOOST_AUTO_TEST_CASE(the_home_as_current_directory_is_not_exposed) {
    write(home / "notes.txt", "PRIVATE\n");
    for (const fs::path& place : {home, home.parent_path(), fs::path("/")}) {
        Options options = here();
        options.cwd = place;
        const Result attack = sandbox({"--profile", "strict", "--", "sh", "-c", "cat ~/notes.txt"}, options);
        BOOST_TEST(!attack.printed("PRIVATE"), place << attack);
        BOOST_TEST(attack.said("sandbox: "), place << attack);
    }
    Options options = here();
    options.cwd = home;
    const Result asked = sandbox({"--profile", "strict", "--ro", home.string(), "--", "cat", "notes.txt"}, options);
    BOOST_TEST(asked.out == "PRIVATE\n", asked);
}

BOOST_AUTO_TEST_CASE(the_home_at_another_mount_point_is_not_exposed) {
    NEEDS(started_by_root(), "only root can bind mount on the host");
    write(home / "notes.txt", "PRIVATE\n");
    const fs::path elsewhere = directory(project / "mnt");
    const ScopedMount bind(home.string(), elsewhere, MS_BIND);
    Options options = here();
    options.cwd = elsewhere;
    const Result attack = sandbox({"--profile", "default", "--", "cat", "notes.txt"}, options);
    BOOST_TEST(!attack.printed("PRIVATE"), attack);
    BOOST_TEST(attack.said("is your home"), attack);
    BOOST_TEST(run({"cat", "notes.txt"}, options).out == "PRIVATE\n");
}

BOOST_AUTO_TEST_CASE(profiles_below_the_accounts_home_cannot_be_changed_where_home_points_elsewhere) {
    const fs::path account = home.parent_path(); // as /etc/passwd has it
    const Result attack =
        sandbox({"--profile", "permissive", "--rw", account.string(), "--", "sh", "-c",
                 "mkdir -p '" + account.string() + "/.config/sandbox/profiles' && echo x > '" + account.string() +
                     "/.config/sandbox/profiles/strict.toml'; touch '" + account.string() + "/written'"});
    BOOST_TEST(!fs::exists(account / ".config/sandbox/profiles/strict.toml"), attack);
    BOOST_TEST(fs::remove(account / "written"), attack);
}

BOOST_AUTO_TEST_CASE(the_directory_of_profiles_cannot_be_changed_where_the_home_is_granted) {
    profile("mine", "extends = \"strict\"\n");
    const fs::path directory = home / ".config/sandbox";
    const std::string before = read_file(directory / "profiles/mine.toml");
    const Result attack = sandbox({"--profile", "permissive", "--rw", home.string(), "--", "sh", "-c",
                                   "cd ~; echo x > .config/sandbox/profiles/mine.toml; "
                                   "echo x > .config/sandbox/profiles/strict.toml; mv .config .config2; "
                                   "mv .config/sandbox .config/away; rm -rf .config/sandbox; touch ~/written"});
    BOOST_TEST(read_file(directory / "profiles/mine.toml") == before, attack);
    BOOST_TEST(!fs::exists(directory / "profiles/strict.toml"), attack);
    BOOST_TEST(!fs::exists(home / ".config2"));
    BOOST_TEST(!fs::exists(home / ".config/away"));
    BOOST_TEST(fs::exists(home / "written"), attack);
    BOOST_TEST(sh("echo x > ~/.config/sandbox/profiles/strict.toml").status == 0);
}

BOOST_AUTO_TEST_CASE(a_file_that_decides_about_the_filter_cannot_be_changed) {
    write(project / "filter.toml", "[seccomp]\nextends = \"strict\"\n");
    profile("mine", "extends = \"build\"\n[seccomp]\nextends = \"" + (project / "filter.toml").string() + "\"\n");
    const std::string before = read_file(project / "filter.toml");
    const std::string script = "echo > filter.toml; rm -f filter.toml; mv filter.toml away; touch written";
    for (const Words& how : {Words{"mine"}, Words{"build", "--seccomp", "./filter.toml"}}) {
        Words words = {"--profile"};
        words.insert(words.end(), how.begin(), how.end());
        words.insert(words.end(), {"--", "sh", "-c", script});
        const Result attack = sandbox(words);
        BOOST_TEST(read_file(project / "filter.toml") == before, attack);
        BOOST_TEST(fs::remove(project / "written"), attack);
    }
    BOOST_TEST(sandbox({"--profile", "build", "--", "sh", "-c", "echo >> filter.toml"}).status == 0);
    BOOST_TEST(read_file(project / "filter.toml") != before);
}

BOOST_AUTO_TEST_CASE(linked_profiles_cannot_be_changed_where_their_directory_is_granted) {
    directory(home / "dotfiles/profiles");
    directory(home / ".config/sandbox");
    fs::create_directory_symlink("../../dotfiles/profiles", home / ".config/sandbox/profiles");
    write(home / "dotfiles/profiles/mine.toml", "extends = \"strict\"\n");
    const std::string before = tree(home / "dotfiles");
    Options options = here();
    options.cwd = home / "dotfiles/profiles";
    const Result attack = sandbox(
        {"--profile", "default", "--", "sh", "-c", "echo x > strict.toml; echo x > mine.toml; mkdir new"}, options);
    BOOST_TEST(tree(home / "dotfiles") == before, attack);
    BOOST_TEST(attack.said("belongs to the profiles"), attack);
    for (const char* grant : {"dotfiles/profiles:/x", "dotfiles/profiles/mine.toml"}) {
        const Result refused = sandbox({"--profile", "strict", "--rw", (home / grant).string(), "true"});
        BOOST_TEST(refused.status == 125, refused);
        BOOST_TEST(refused.said("chooses the cage of its next run"), refused);
    }
    BOOST_TEST(sandbox({"--profile", "strict", "--ro", (home / "dotfiles/profiles").string(), "true"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_profile_cannot_be_planted_where_the_home_is_granted) {
    // The directory of profiles does not exist yet: it is made, closed, before CMD can make it.
    const Result attack = sandbox({"--profile", "permissive", "--rw", home.string(), "--", "sh", "-c",
                                   "mkdir -p ~/.config/sandbox/profiles && echo 'extends = \"permissive\"' > "
                                   "~/.config/sandbox/profiles/strict.toml; mv ~/.config ~/.config2"});
    BOOST_TEST(!fs::exists(home / ".config/sandbox/profiles/strict.toml"), attack);
    BOOST_TEST(!fs::exists(home / ".config2"));
    struct stat status {};
    BOOST_REQUIRE(::stat((home / ".config/sandbox").c_str(), &status) == 0);
    BOOST_TEST((status.st_mode & 0777U) == 0700U);
    BOOST_TEST(fs::is_empty(home / ".config/sandbox"));
}

BOOST_AUTO_TEST_CASE(our_own_state_is_not_visible_even_where_the_home_is_granted) {
    BOOST_TEST(sandbox({"--profile", "strict", "true"}).status == 0);
    BOOST_TEST(fs::exists(home / ".local/share/sandbox"));
    const Result attack = sandbox({"--profile", "permissive", "--rw", home.string(), "--", "sh", "-c",
                                   "ls -A ~/.local/share/sandbox; echo x > ~/.local/share/sandbox/planted"});
    BOOST_TEST(attack.out.empty(), attack);
    BOOST_TEST(!fs::exists(home / ".local/share/sandbox/planted"));
    BOOST_TEST(!sh("ls -A ~/.local/share/sandbox").out.empty());
}

BOOST_AUTO_TEST_CASE(dev_holds_the_usual_devices_and_no_other) {
    const Result listing = strict_sh("ls /dev");
    for (const char* device : {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd", "stdin",
                               "stdout", "stderr"}) {
        BOOST_TEST(listing.printed(std::string(device) + "\n"), device << listing);
    }
    const Result nodes =
        strict_sh("find /dev | sort | while read -r f; do [ ! -L $f ] && [ -c $f -o -b $f ] && printf '%s ' $f; done");
    BOOST_TEST(nodes.out == "/dev/full /dev/null /dev/pts/ptmx /dev/random /dev/tty /dev/urandom /dev/zero ", nodes);
    const Result works =
        strict_sh("echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1; head -c 1 /dev/zero > /dev/full; "
                  "head -c 8 /dev/urandom | wc -c");
    BOOST_TEST(works.printed("00 00 00"), works);
    BOOST_TEST(works.printed("8"), works);
    BOOST_TEST(works.said("No space left"), works);
}

BOOST_AUTO_TEST_CASE(fifty_grants_work) {
    Words words = {"--profile", "strict"};
    for (int i = 0; i < 50; ++i) {
        const fs::path file = write(home / "many" / std::to_string(i) / "file", std::to_string(i) + "\n");
        words.insert(words.end(), {"--ro", file.parent_path().string()});
    }
    words.insert(words.end(), {"--", "sh", "-c", "cat ~/many/*/file | sort -n | tail -1; ls ~/many | wc -l"});
    const Result many = sandbox(words);
    BOOST_TEST(many.out == "49\n50\n", many);
}

BOOST_AUTO_TEST_CASE(an_own_tmpfs_over_etc_does_not_reach_the_host) {
    const Result covered = sandbox(
        {"--profile", "strict", "--tmpfs", "/etc", "--", "sh", "-c", "echo planted > /etc/passwd && cat /etc/passwd"});
    BOOST_TEST(covered.out == "planted\n", covered);
    BOOST_TEST(read_file("/etc/passwd").find("planted") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
