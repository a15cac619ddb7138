// filesystem.hide, filesystem.masked, and the directories that are protected always.
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(hiding, PlanTest)

BOOST_AUTO_TEST_CASE(a_directory_and_a_file_are_covered) {
    ro("~");
    hide("~/.ssh");
    machine.file("/home/dev/.netrc");
    hide("~/.netrc");
    BOOST_CHECK(has("cover-directory /home/dev/.ssh"));
    BOOST_CHECK(has("cover-file /home/dev/.netrc"));
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(the_way_to_a_cover_in_a_writable_tree_is_pinned) {
    rw("~");
    machine.file("/home/dev/.config/gh/token");
    hide("~/.config/gh/token");
    BOOST_CHECK_LT(position("pin /home/dev/.config"), position("pin /home/dev/.config/gh"));
    BOOST_CHECK_LT(position("pin /home/dev/.config/gh"), position("cover-file /home/dev/.config/gh/token"));
}

BOOST_AUTO_TEST_CASE(what_is_not_visible_needs_no_cover) {
    hide("~/.ssh");
    hide("/srv/data");
    BOOST_CHECK(!has("cover-directory /home/dev/.ssh"));
    BOOST_CHECK(below("/srv").empty());
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_said) {
    hide("~/.shs");
    hide("~/*.key");
    CHECK_SAYS(notices(), "--hide ~/.shs: hide '/home/dev/.shs': there is nothing of that name");
    CHECK_SAYS(notices(), "hide '/home/dev/*.key': there is nothing of that name");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_looked_up_but_may_be_seen_is_an_error) {
    machine.lock("/home/dev/.ssh");
    hide("~/.ssh/id_ed25519");
    BOOST_CHECK_EQUAL(error(), "");
    rw("~");
    CHECK_SAYS(error(), "cannot hide '/home/dev/.ssh/id_ed25519': Permission denied");
}

BOOST_AUTO_TEST_CASE(it_is_hidden_wherever_it_shows) {
    rw("~:/mnt");
    ro("~/.ssh:/keys/all");
    in_profile(profile.filesystem.hide, "~/.ssh/id_ed25519");
    BOOST_CHECK(has("cover-file /mnt/.ssh/id_ed25519"));
    BOOST_CHECK(has("pin /mnt/.ssh"));
    BOOST_CHECK(has("cover-file /keys/all/id_ed25519"));
    BOOST_CHECK(!has("pin /keys/all"));
}

BOOST_AUTO_TEST_CASE(hiding_a_directory_takes_away_what_an_earlier_layer_grants_below_it) {
    machine.file("/home/dev/.ssh/config");
    in_profile(profile.filesystem.read_only, "~/.ssh/config");
    BOOST_CHECK(has("bind /home/dev/.ssh/config ro file"));
    hide("~/.ssh");
    BOOST_CHECK(!has("bind /home/dev/.ssh/config ro file"));
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(what_one_layer_grants_below_what_it_hides_stays_and_is_said) {
    machine.file("/home/dev/.ssh/config");
    ro("~/.ssh/config");
    hide("~/.ssh");
    BOOST_CHECK(has("bind /home/dev/.ssh/config ro file"));
    CHECK_SAYS(notices(), "'/home/dev/.ssh/config' below it stays visible: --ro ~/.ssh/config grants it");
}

BOOST_AUTO_TEST_CASE(a_path_inside_can_be_named_too) {
    machine.file("/srv/data/secret");
    ro("/srv/data:/mnt");
    hide("/mnt/secret");
    BOOST_CHECK(has("cover-file /mnt/secret"));
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(a_link_hides_what_it_leads_to) {
    machine.link("/home/dev/.aws", "/srv/data/aws");
    machine.directory("/srv/data/aws");
    ro("/srv/data");
    hide("~/.aws");
    BOOST_CHECK(has("cover-directory /srv/data/aws"));
}

BOOST_AUTO_TEST_CASE(a_pattern_hides_all_it_names) {
    for (const char* name : {"a.key", "b.key", "c.txt"}) {
        machine.file(std::string("/home/dev/project/") + name);
    }
    rw(".");
    hide("./*.key");
    CHECK_LINES(below("/home/dev/project"),
                {"directory /home/dev/project 0755", "bind /home/dev/project rw", "cover-file /home/dev/project/a.key",
                 "cover-file /home/dev/project/b.key"});
}

BOOST_AUTO_TEST_CASE(a_file_whose_name_looks_like_a_pattern_is_hidden_too) {
    machine.file("/home/dev/project/a[b]");
    machine.file("/home/dev/project/ab");
    rw(".");
    hide("./a[b]");
    BOOST_CHECK(has("cover-file /home/dev/project/a[b]"));
    BOOST_CHECK(has("cover-file /home/dev/project/ab"));
}

BOOST_AUTO_TEST_CASE(a_name_says_more_than_a_pattern) {
    machine.file("/home/dev/project/a.key");
    machine.file("/home/dev/project/b.key");
    rw(".");
    ro("a.key");
    hide("./*.key");
    BOOST_CHECK(has("bind /home/dev/project/a.key ro file"));
    BOOST_CHECK(has("cover-file /home/dev/project/b.key"));
    profile.filesystem.hide.items.clear();
    hide("a.key");
    CHECK_SAYS(error(), "cannot have '/home/dev/project/a.key' in two ways");
    CHECK_SAYS(error(), "--hide a.key hides it");
}

BOOST_AUTO_TEST_CASE(a_pattern_of_an_option_says_more_than_a_name_of_a_profile) {
    machine.file("/home/dev/project/a.key");
    rw(".");
    in_profile(profile.filesystem.read_only, "~/project/a.key");
    hide("./*.key");
    BOOST_CHECK(has("cover-file /home/dev/project/a.key"));
}

BOOST_AUTO_TEST_CASE(what_a_private_directory_replaces_needs_no_cover) {
    machine.file("/home/dev/.cache/secret");
    rw("~");
    tmpfs("~/.cache");
    hide("~/.cache/secret");
    CHECK_LINES(below("/home/dev/.cache"), {"private /home/dev/.cache 0755"});
}

BOOST_AUTO_TEST_CASE(the_later_of_hide_and_grant_counts) {
    in_profile(profile.filesystem.read_only, "/srv/data");
    hide("/srv/data");
    CHECK_LINES(below("/srv"), {"directory /srv 0755", "directory /srv/data 0755", "cover-directory /srv/data"});
    profile.filesystem.hide.items.clear();
    profile.filesystem.read_only.items.clear();
    in_profile(profile.filesystem.hide, "/srv/data");
    ro("/srv/data");
    BOOST_CHECK(has("bind /srv/data ro"));
    BOOST_CHECK(!has("cover-directory /srv/data"));
}

BOOST_AUTO_TEST_CASE(a_deeper_grant_shows_through_a_cover) {
    rw("~");
    in_profile(profile.filesystem.hide, "~/.ssh");
    machine.file("/home/dev/.ssh/known_hosts");
    machine.file("/home/dev/.ssh/deep/er");
    ro("~/.ssh/known_hosts");
    ro("~/.ssh/deep/er");
    CHECK_LINES(below("/home/dev/.ssh"),
                {"cover-directory /home/dev/.ssh", "directory /home/dev/.ssh/deep 0755", "file /home/dev/.ssh/deep/er",
                 "bind /home/dev/.ssh/deep/er ro file", "file /home/dev/.ssh/known_hosts",
                 "bind /home/dev/.ssh/known_hosts ro file"});
}

BOOST_AUTO_TEST_CASE(a_system_directory_can_be_hidden) {
    machine.directory("/etc/ssl/private");
    hide("/etc/ssl/private");
    hide("/opt");
    BOOST_CHECK(has("cover-directory /etc/ssl/private"));
    CHECK_LINES(below("/opt"), {"directory /opt 0755", "cover-directory /opt"});
}

BOOST_AUTO_TEST_CASE(the_root_and_proc_cannot_be_hidden) {
    hide("/");
    CHECK_SAYS(error(), "--hide /: cannot hide '/'");
    profile.filesystem.hide.items.clear();
    hide("/proc/kcore");
    CHECK_SAYS(error(), "filesystem.masked");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(protection, PlanTest)

BOOST_AUTO_TEST_CASE(the_profiles_are_read_only_where_the_home_is_writable) {
    rw("~");
    CHECK_LINES(below("/home/dev/.config"), {"pin /home/dev/.config", "bind /home/dev/.config/sandbox ro"});
    CHECK_LINES(below("/home/dev/.local"), {"pin /home/dev/.local", "pin /home/dev/.local/share",
                                            "cover-directory /home/dev/.local/share/sandbox"});
    BOOST_CHECK(plan().root.ensure_directories.empty());
}

BOOST_AUTO_TEST_CASE(directories_of_ours_are_made_before_a_command_could_make_them) {
    machine.remove("/home/dev/.config");
    machine.remove("/home/dev/.local");
    rw("~");
    CHECK_LINES(plan().root.ensure_directories, {"/home/dev/.local/share/sandbox", "/home/dev/.config/sandbox"});
    BOOST_CHECK(has("pin /home/dev/.config"));
    BOOST_CHECK(has("bind /home/dev/.config/sandbox ro"));
    BOOST_CHECK(has("cover-directory /home/dev/.local/share/sandbox"));
}

BOOST_AUTO_TEST_CASE(they_are_protected_at_every_dest) {
    rw("~:/mnt");
    machine.remove("/home/dev/.config");
    CHECK_LINES(below("/mnt/.config"),
                {"pin /mnt/.config", "bind /mnt/.config/sandbox ro from /home/dev/.config/sandbox"});
    BOOST_CHECK(has("cover-directory /mnt/.local/share/sandbox"));
    CHECK_LINES(plan().root.ensure_directories, {"/home/dev/.config/sandbox"});
}

BOOST_AUTO_TEST_CASE(they_are_protected_in_the_whole_host) {
    profile.filesystem.tmpfs.items.clear();
    rw("/");
    for (const char* line : {"pin /home", "pin /home/dev", "pin /home/dev/.config", "bind /home/dev/.config/sandbox ro",
                             "cover-directory /home/dev/.local/share/sandbox", "cover-directory /run/user/1000"}) {
        BOOST_CHECK_MESSAGE(has(line), line);
    }
}

BOOST_AUTO_TEST_CASE(a_home_that_nobody_can_make_needs_no_protection) {
    host.home = "/nonexistent";
    host.config_dir = "/nonexistent/.config/sandbox";
    host.data_dir = "/nonexistent/.local/share/sandbox";
    machine.only_writable({"/tmp"});
    profile.filesystem.tmpfs.items.clear();
    rw("/");
    BOOST_CHECK(plan().root.ensure_directories.empty());
    BOOST_CHECK(below("/nonexistent").empty());
}

BOOST_AUTO_TEST_CASE(a_private_home_in_the_hosts_view_needs_no_protection) {
    profile.filesystem.read_write.items = {in_file("/", profile.lineage.front())};
    CHECK_LINES(below("/home"), {"pin /home", "private /home/dev 0700"});
    BOOST_CHECK(plan().root.ensure_directories.empty());
}

BOOST_AUTO_TEST_CASE(a_private_home_needs_no_protection) {
    rw(".");
    BOOST_CHECK(plan().root.ensure_directories.empty());
    BOOST_CHECK(below("/home/dev/.config").empty());
}

BOOST_AUTO_TEST_CASE(a_read_only_home_shows_no_state) {
    ro("~");
    BOOST_CHECK(has("cover-directory /home/dev/.local/share/sandbox"));
    BOOST_CHECK(below("/home/dev/.config").empty());
    machine.remove("/home/dev/.local");
    BOOST_CHECK(below("/home/dev/.local").empty());
    BOOST_CHECK(plan().root.ensure_directories.empty());
}

BOOST_AUTO_TEST_CASE(a_narrower_grant_is_protected_too) {
    rw("~/.config");
    CHECK_LINES(below("/home/dev/.config"),
                {"directory /home/dev/.config 0755", "bind /home/dev/.config rw", "bind /home/dev/.config/sandbox ro"});
}

BOOST_AUTO_TEST_CASE(moved_directories_are_protected_where_they_are) {
    host.config_dir = "/srv/data/cfg/sandbox";
    rw("/srv");
    BOOST_CHECK(has("pin /srv/data"));
    BOOST_CHECK(has("pin /srv/data/cfg"));
    BOOST_CHECK(has("bind /srv/data/cfg/sandbox ro"));
}

BOOST_AUTO_TEST_CASE(a_linked_directory_of_profiles_is_protected_behind_its_link) {
    machine.remove("/home/dev/.config");
    machine.link("/home/dev/.config", "/srv/data/config");
    machine.directory("/srv/data/config/sandbox");
    rw("/srv/data");
    BOOST_CHECK(has("pin /srv/data/config"));
    BOOST_CHECK(has("bind /srv/data/config/sandbox ro"));
}

BOOST_AUTO_TEST_CASE(a_link_to_the_profiles_that_could_be_replaced_is_an_error) {
    machine.remove("/home/dev/.config");
    machine.link("/home/dev/.config", "/srv/data/config");
    machine.directory("/srv/data/config/sandbox");
    rw("~");
    const std::string message = error();
    CHECK_SAYS(message, "cannot protect our own '/home/dev/.config/sandbox' against CMD");
    CHECK_SAYS(message, "the symbolic link '/home/dev/.config'");
}

BOOST_AUTO_TEST_CASE(a_link_to_our_state_that_could_be_replaced_is_an_error) {
    machine.directory("/srv/data/local/share/sandbox");
    machine.link("/home/dev/.local", "/srv/data/local");
    rw("~");
    CHECK_SAYS(error(), "the symbolic link '/home/dev/.local'");
}

BOOST_AUTO_TEST_CASE(a_link_in_the_middle_of_the_way_to_a_profile_is_an_error) {
    machine.directory("/home/dev/project/real");
    machine.file("/home/dev/project/real/mine.toml");
    machine.link("/home/dev/project/x", "real");
    machine.link("/home/dev/.config/sandbox/profiles/mine.toml", "/home/dev/project/x/mine.toml");
    rw("~/project");
    CHECK_SAYS(error(), "the symbolic link '/home/dev/project/x'");
}

BOOST_AUTO_TEST_CASE(the_accounts_own_home_is_protected_where_HOME_points_elsewhere) {
    machine.host.account_home = "/home/dev";
    machine.host.home = "/srv/data";
    machine.host.config_dir = "/srv/data/.config/sandbox";
    machine.host.data_dir = "/srv/data/.local/share/sandbox";
    machine.directory("/home/dev/.config/sandbox");
    rw("/home/dev");
    BOOST_CHECK(has("bind /home/dev/.config/sandbox ro"));
}

BOOST_AUTO_TEST_CASE(a_link_that_the_caller_cannot_replace_is_no_danger) {
    machine.link("/home/dev", "/data/dev");
    machine.directory("/data/dev/.config/sandbox");
    machine.only_writable({"/data/dev", "/tmp"});
    host.cwd = "/data/dev";
    profile.filesystem.tmpfs.items.clear();
    rw("/");
    BOOST_CHECK(has("bind /data/dev/.config/sandbox ro"));
}

BOOST_AUTO_TEST_CASE(a_directory_that_holds_the_link_must_not_be_replaceable_either) {
    machine.link("/home/dev/locked/config", "/srv/data/config");
    machine.directory("/srv/data/config/sandbox");
    host.config_dir = "/home/dev/locked/config/sandbox";
    machine.only_writable({"/home/dev/project", "/srv"});
    rw("~");
    BOOST_CHECK_EQUAL(error(), "");
    machine.only_writable({"/home/dev"});
    CHECK_SAYS(error(), "the symbolic link '/home/dev/locked/config'");
}

BOOST_AUTO_TEST_CASE(single_profiles_elsewhere_are_read_only_too) {
    machine.link("/home/dev/.config/sandbox/profiles/mine.toml", "../../../project/dots/mine.toml");
    machine.file("/home/dev/project/dots/mine.toml");
    rw("~/project");
    CHECK_LINES(below("/home/dev/project/dots"),
                {"pin /home/dev/project/dots", "bind /home/dev/project/dots/mine.toml ro file"});
}

BOOST_AUTO_TEST_CASE(a_linked_directory_of_single_profiles_takes_no_new_ones) {
    machine.link("/home/dev/.config/sandbox/profiles", "/home/dev/project/cages");
    machine.file("/home/dev/project/cages/mine.toml");
    rw("~/project");
    CHECK_LINES(below("/home/dev/project/cages"), {"bind /home/dev/project/cages ro"});
}

BOOST_AUTO_TEST_CASE(a_profile_that_the_caller_cannot_change_needs_no_protection) {
    machine.file("/usr/share/sandbox/profiles/test.toml");
    machine.only_writable({"/home/dev"});
    profile.filesystem.tmpfs.items.clear();
    rw("/");
    BOOST_CHECK(below("/usr").empty());
}

BOOST_AUTO_TEST_CASE(a_profile_named_by_its_path_is_read_only_for_its_command) {
    machine.file("/home/dev/project/cage.toml");
    profile.lineage.emplace_back("./cage.toml");
    rw(".");
    BOOST_CHECK(has("bind /home/dev/project/cage.toml ro file"));
}

BOOST_AUTO_TEST_CASE(the_profiles_cannot_be_granted_writable) {
    rw("~/.config/sandbox");
    CHECK_SAYS(error(), "--rw ~/.config/sandbox: cannot show '/home/dev/.config/sandbox'");
    CHECK_SAYS(error(), "grant it read-only");
    profile.filesystem.read_write.items.clear();
    rw("~/.config/sandbox/profiles:/mnt");
    CHECK_SAYS(error(), "grant it read-only");
    profile.filesystem.read_write.items.clear();
    ro("~/.config/sandbox");
    BOOST_CHECK(has("bind /home/dev/.config/sandbox ro"));
}

BOOST_AUTO_TEST_CASE(the_state_and_the_sockets_cannot_be_granted) {
    machine.directory("/home/dev/.local/share/sandbox/cache");
    machine.directory("/run/user/1000/sandbox/x");
    machine.link("/srv/run", "/run/user/1000");
    for (const char* text : {"~/.local/share/sandbox", "~/.local/share/sandbox/cache", "/run/user/1000",
                             "$XDG_RUNTIME_DIR:/r", "/run/user/1000/sandbox", "/run/user/1000/sandbox/x", "/srv/run"}) {
        profile.filesystem.read_only.items.clear();
        ro(text);
        CHECK_SAYS(error(), std::string("--ro ") + text + ": cannot show ");
    }
}

BOOST_AUTO_TEST_CASE(one_socket_of_the_session_can_be_granted) {
    machine.socket("/run/user/1000/wayland-0");
    rw("$XDG_RUNTIME_DIR/wayland-0");
    CHECK_LINES(below("/run/user"), {"directory /run/user 0755", "directory /run/user/1000 0700",
                                     "file /run/user/1000/wayland-0", "bind /run/user/1000/wayland-0 rw file"});
}

BOOST_AUTO_TEST_CASE(a_directory_above_the_sockets_shows_none_but_the_granted) {
    machine.socket("/run/user/1000/wayland-0");
    rw("/run");
    rw("/run/user/1000/wayland-0");
    CHECK_LINES(below("/run/user"), {"pin /run/user", "cover-directory /run/user/1000", "file /run/user/1000/wayland-0",
                                     "bind /run/user/1000/wayland-0 rw file"});
    machine.remove("/run/user/1000");
    profile.filesystem.read_write.items.pop_back();
    BOOST_CHECK(below("/run/user").empty());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(masking, PlanTest)

BOOST_AUTO_TEST_CASE(dockers_list_masks_proc) {
    in_profile(profile.filesystem.masked, "@docker");
    const auto lines = below("/proc");
    BOOST_CHECK_EQUAL(lines.size(), 17U);
    BOOST_CHECK(has("mask /proc/kcore"));
    BOOST_CHECK(has("read-only /proc/sys"));
    BOOST_CHECK(below("/sys").empty());
}

BOOST_AUTO_TEST_CASE(sys_is_masked_where_it_is_shown) {
    machine.directory("/sys/firmware");
    machine.directory("/sys/devices/system/cpu/cpu0/thermal_throttle");
    machine.directory("/sys/devices/system/cpu/cpu11/thermal_throttle");
    in_profile(profile.filesystem.masked, "@docker");
    ro("/sys");
    for (const char* line : {"mask /sys/firmware", "mask /sys/devices/virtual/powercap",
                             "mask /sys/devices/system/cpu/cpu0/thermal_throttle",
                             "mask /sys/devices/system/cpu/cpu11/thermal_throttle"}) {
        BOOST_CHECK_MESSAGE(has(line), line);
    }
    profile.filesystem.read_only.items.clear();
    ro("/:/host");
    BOOST_CHECK(has("mask /host/sys/firmware"));
    BOOST_CHECK(!has("mask /sys/firmware"));
}

BOOST_AUTO_TEST_CASE(masks_come_last_and_once) {
    in_profile(profile.filesystem.masked, "@docker");
    in_profile(profile.filesystem.masked, "/proc/kcore");
    in_profile(profile.filesystem.masked, "/proc/uptime");
    BOOST_CHECK_EQUAL(entries().back(), "mask /proc/uptime");
    const auto lines = entries();
    BOOST_CHECK_EQUAL(std::ranges::count(lines, "mask /proc/kcore"), 1);
}

BOOST_AUTO_TEST_CASE(a_mask_of_what_does_not_exist_is_said) {
    machine.file("/proc/uptime");
    in_profile(profile.filesystem.masked, "/proc/uptime");
    BOOST_CHECK_EQUAL(notices(), "");
    in_profile(profile.filesystem.masked, "/proc/uptmie");
    CHECK_SAYS(notices(), "mask '/proc/uptmie': there is nothing of that name");
}

BOOST_AUTO_TEST_CASE(only_proc_and_sys_can_be_masked) {
    for (const char* text : {"/etc/passwd", "@dokcer", "proc/x", "/proc", "/proc/../etc", "/sys"}) {
        profile.filesystem.masked.items.clear();
        in_profile(profile.filesystem.masked, text);
        CHECK_SAYS(error(), std::string("cannot mask '") + text + "'");
    }
}

BOOST_AUTO_TEST_SUITE_END()
