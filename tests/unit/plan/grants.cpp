// filesystem.read-only, read-write and tmpfs.
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

BOOST_FIXTURE_TEST_SUITE(grants, PlanTest)

BOOST_AUTO_TEST_CASE(a_grant_appears_at_its_own_path) {
    ro("/srv/data");
    rw(".");
    CHECK_LINES(below("/srv"), {"directory /srv 0755", "directory /srv/data 0755", "bind /srv/data ro"});
    CHECK_LINES(below("/home"), {"directory /home 0755", "directory /home/dev 0755", "private /home/dev 0700",
                                 "directory /home/dev/project 0755", "bind /home/dev/project rw"});
}

BOOST_AUTO_TEST_CASE(a_grant_can_appear_elsewhere) {
    ro("/srv/data:/mnt/input");
    rw("~/project:~/work");
    ro("/etc/passwd:/mnt/words");
    CHECK_LINES(below("/mnt"), {"directory /mnt 0755", "directory /mnt/input 0755", "bind /mnt/input ro from /srv/data",
                                "file /mnt/words", "bind /mnt/words ro file from /etc/passwd"});
    BOOST_CHECK(has("bind /home/dev/work rw from /home/dev/project"));
    BOOST_CHECK(below("/srv").empty());
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_an_error_with_its_place) {
    in_profile(profile.filesystem.read_only, "/srv/nothing");
    const std::string message = error();
    CHECK_SAYS(message, "test.toml:7:3: filesystem.test: cannot show '/srv/nothing': No such file or directory");
    profile.filesystem.read_only.items.clear();
    machine.lock("/srv");
    ro("/srv/data");
    CHECK_SAYS(error(), "--ro /srv/data: cannot show '/srv/data': Permission denied");
}

BOOST_AUTO_TEST_CASE(a_loop_of_links_is_an_error) {
    machine.link("/srv/a", "b");
    machine.link("/srv/b", "a");
    ro("/srv/a");
    CHECK_SAYS(error(), "Too many levels of symbolic links");
}

BOOST_AUTO_TEST_CASE(the_links_to_a_grant_are_recreated) {
    machine.link("/home", "/data/home");
    machine.directory("/data/home/dev/project");
    host.cwd = "/data/home/dev/project";
    rw("/home/dev/project");
    CHECK_LINES(below("/home"), {"link /home -> /data/home"});
    CHECK_LINES(below("/data"), {"directory /data 0755", "directory /data/home 0755", "directory /data/home/dev 0755",
                                 "private /data/home/dev 0700", "directory /data/home/dev/project 0755",
                                 "bind /data/home/dev/project rw"});
    BOOST_CHECK_EQUAL(plan().process.workdir, "/data/home/dev/project");
}

BOOST_AUTO_TEST_CASE(a_linked_home_is_private_where_it_is) {
    machine.link("/home/dev", "../data/dev");
    machine.directory("/data/dev");
    CHECK_LINES(below("/home"), {"directory /home 0755", "link /home/dev -> ../data/dev"});
    CHECK_LINES(below("/data"), {"directory /data 0755", "directory /data/dev 0755", "private /data/dev 0700"});
    BOOST_CHECK_EQUAL(plan().process.workdir, "/data/dev");
}

BOOST_AUTO_TEST_CASE(a_link_inside_the_private_home_is_recreated_there) {
    machine.link("/home/dev/work", "/srv/data");
    machine.directory("/srv/data/x");
    ro("~/work/x");
    BOOST_CHECK(has("link /home/dev/work -> /srv/data"));
    BOOST_CHECK(has("bind /srv/data/x ro"));
}

BOOST_AUTO_TEST_CASE(a_link_inside_a_granted_tree_is_there_already) {
    machine.only_writable({"/home/dev"});
    machine.link("/srv/data/link", "/srv/other");
    machine.directory("/srv/other");
    ro("/srv/data");
    ro("/srv/data/link");
    BOOST_CHECK(!has("link /srv/data/link -> /srv/other"));
    BOOST_CHECK(has("bind /srv/other ro"));
}

BOOST_AUTO_TEST_CASE(a_grant_in_a_system_directory_lies_on_top_of_it) {
    machine.directory("/usr/src/mine");
    rw("/usr/src/mine");
    CHECK_LINES(below("/usr"), {"directory /usr 0755", "bind /usr ro", "bind /usr/src/mine rw"});
}

BOOST_AUTO_TEST_CASE(what_a_grant_shows_already_is_not_mounted_again) {
    rw("~/project");
    rw("~/project/src");
    ro("/usr/lib");
    BOOST_CHECK(!has("bind /home/dev/project/src rw"));
    BOOST_CHECK(!has("bind /usr/lib ro"));
}

BOOST_AUTO_TEST_CASE(a_read_only_grant_inside_a_writable_one_is_pinned) {
    machine.directory("/home/dev/project/.git/hooks");
    rw("~/project");
    ro("~/project/.git/hooks");
    CHECK_LINES(below("/home/dev/project"), {"directory /home/dev/project 0755", "bind /home/dev/project rw",
                                             "pin /home/dev/project/.git", "bind /home/dev/project/.git/hooks ro"});
}

BOOST_AUTO_TEST_CASE(every_ancestor_is_pinned_once_and_shallow_first) {
    machine.file("/home/dev/project/a/b/one");
    machine.file("/home/dev/project/a/b/two");
    rw("~/project");
    ro("~/project/a/b/one");
    ro("~/project/a/b/two");
    CHECK_LINES(below("/home/dev/project/a"),
                {"pin /home/dev/project/a", "pin /home/dev/project/a/b", "bind /home/dev/project/a/b/one ro file",
                 "bind /home/dev/project/a/b/two ro file"});
}

BOOST_AUTO_TEST_CASE(nothing_is_pinned_in_a_read_only_tree) {
    machine.directory("/srv/data/a/b");
    ro("/srv/data");
    rw("/srv/data/a/b");
    CHECK_LINES(below("/srv/data/a"), {"bind /srv/data/a/b rw"});
}

BOOST_AUTO_TEST_CASE(a_mount_point_is_never_made_in_a_granted_tree) {
    rw("~/project");
    tmpfs("~/project/cache");
    const std::string message = error();
    CHECK_SAYS(message, "--tmpfs ~/project/cache: cannot put anything at '/home/dev/project/cache'");
    CHECK_SAYS(message, "it would have to be made inside the host's '/home/dev/project' (granted by --rw ~/project)");
    CHECK_SAYS(message, "mkdir -p /home/dev/project/cache");
    machine.directory("/home/dev/project/cache");
    BOOST_CHECK(has("private /home/dev/project/cache 0755"));
    BOOST_CHECK(!has("directory /home/dev/project/cache 0755"));
}

BOOST_AUTO_TEST_CASE(a_mount_point_must_have_the_type_of_what_is_mounted) {
    rw("~/project");
    machine.file("/home/dev/project/notes");
    ro("/srv/data:~/project/notes");
    CHECK_SAYS(error(), "what the host has at '/home/dev/project/notes' is no directory");
    profile.filesystem.read_only.items.clear();
    ro("/etc/passwd:~/project/src");
    CHECK_SAYS(error(), "is no file");
    profile.filesystem.read_only.items.clear();
    ro("/etc/passwd:~/project/missing");
    CHECK_SAYS(error(), "touch /home/dev/project/missing");
}

BOOST_AUTO_TEST_CASE(a_dest_through_a_link_of_a_granted_tree_leads_where_the_link_does) {
    rw("~/project");
    machine.link("/home/dev/project/link", "src");
    ro("/srv/data:~/project/link");
    BOOST_CHECK(has("bind /home/dev/project/src ro from /srv/data"));
}

BOOST_AUTO_TEST_CASE(a_dest_cannot_leave_the_root) {
    rw("~/project");
    machine.link("/home/dev/project/up", "../../../../../../../srv");
    ro("/srv/data:~/project/up/x");
    BOOST_CHECK(has("bind /srv/x ro from /srv/data"));
    ro("/srv/data:/../../mnt");
    BOOST_CHECK(has("bind /mnt ro from /srv/data"));
}

BOOST_AUTO_TEST_CASE(a_dest_is_resolved_in_a_tree_that_was_moved) {
    machine.link("/srv/data/link", "/tmp/x");
    machine.directory("/srv/data/deep/er");
    ro("/etc/passwd:/mnt/link/file");
    ro("/srv/data:/mnt");
    BOOST_CHECK(has("bind /tmp/x/file ro file from /etc/passwd"));
    rw("~/project:/mnt/deep");
    BOOST_CHECK(has("bind /mnt/deep rw from /home/dev/project"));
}

BOOST_AUTO_TEST_CASE(a_private_directory_has_none_of_the_hosts_links) {
    machine.link("/home/dev/work", "/srv/data");
    ro("/etc/passwd:~/work/words");
    CHECK_LINES(below("/home/dev/work"), {"directory /home/dev/work 0755", "file /home/dev/work/words",
                                          "bind /home/dev/work/words ro file from /etc/passwd"});
}

BOOST_AUTO_TEST_CASE(the_order_of_options_does_not_matter_for_nested_dests) {
    machine.directory("/srv/data/sub");
    ro("/etc:/mnt/sub");
    ro("/srv/data:/mnt");
    BOOST_CHECK_LT(position("bind /mnt ro from /srv/data"), position("bind /mnt/sub ro from /etc"));
    BOOST_CHECK(!has("directory /mnt/sub 0755"));
}

BOOST_AUTO_TEST_CASE(nothing_is_put_into_a_file) {
    ro("/etc/passwd:/mnt/f");
    ro("/srv/data:/mnt/f/x");
    CHECK_SAYS(error(), "'/mnt/f' is not a directory that takes other places");
}

BOOST_AUTO_TEST_CASE(an_option_wins_over_a_profile) {
    in_profile(profile.filesystem.read_write, "$PWD");
    ro(".");
    BOOST_CHECK(has("bind /home/dev/project ro"));
    BOOST_CHECK(!has("bind /home/dev/project rw"));
    rw("~");
    BOOST_CHECK(has("bind /home/dev rw"));
    BOOST_CHECK(!has("private /home/dev 0700"));
}

BOOST_AUTO_TEST_CASE(a_later_profile_wins_over_the_one_it_extends) {
    profile.lineage = {"base.toml", "top.toml"};
    profile.filesystem.read_write.items = {in_file("/srv/data", "base.toml")};
    profile.filesystem.read_only.items = {in_file("/srv/data", "top.toml")};
    BOOST_CHECK(has("bind /srv/data ro"));
    profile.lineage = {"top.toml", "base.toml"};
    BOOST_CHECK(has("bind /srv/data rw"));
}

BOOST_AUTO_TEST_CASE(a_layer_that_contradicts_itself_is_an_error) {
    ro("/srv/data");
    rw("/srv/data");
    const std::string message = error();
    CHECK_SAYS(message, "--rw /srv/data: cannot have '/srv/data' in two ways");
    CHECK_SAYS(message, "--ro /srv/data shows it read-only");
    CHECK_SAYS(message, "--rw /srv/data shows it writable");
    profile.filesystem.read_only.items.clear();
    tmpfs("/srv/data");
    CHECK_SAYS(error(), "makes it an empty directory of the sandbox");
}

BOOST_AUTO_TEST_CASE(the_same_wish_twice_is_no_contradiction) {
    ro("/srv/data");
    ro("/srv/data/");
    ro("/srv/../srv/data");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(two_things_at_one_dest_are_an_error) {
    ro("/srv/data:/mnt");
    ro("/opt:/mnt");
    CHECK_SAYS(error(), "cannot have '/mnt' in two ways");
    CHECK_SAYS(error(), "from '/srv/data'");
}

BOOST_AUTO_TEST_CASE(a_grant_through_a_link_that_the_sandbox_could_plant_is_refused) {
    machine.link("/home/dev/project/cache", "/srv/data");
    rw("~/project");
    ro("~/project/cache");
    const std::string message = error();
    CHECK_SAYS(message, "--ro ~/project/cache: cannot show '/home/dev/project/cache'");
    CHECK_SAYS(message, "the symbolic link '/home/dev/project/cache' lies in '/home/dev/project'");
    CHECK_SAYS(message, "fix: name the target itself, if it is what you mean: '/srv/data'");
}

BOOST_AUTO_TEST_CASE(a_planted_link_is_refused_at_any_dest_and_anywhere_on_the_way) {
    machine.link("/home/dev/project/a", "/srv");
    rw("~/project");
    ro("~/project/a/data:/mnt");
    CHECK_SAYS(error(), "may have planted it");
    profile.filesystem.read_only.items.clear();
    rw("~/project/a/data");
    CHECK_SAYS(error(), "may have planted it");
}

BOOST_AUTO_TEST_CASE(a_link_that_stays_in_its_tree_is_no_danger) {
    machine.link("/home/dev/project/a", "src");
    rw("~/project");
    ro("~/project/a");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(a_link_in_a_tree_that_is_read_only_now_may_have_been_planted_before) {
    machine.link("/home/dev/project/out", "/srv/data");
    ro("~/project");
    rw("~/project/out");
    CHECK_SAYS(error(), "may have planted it");
}

BOOST_AUTO_TEST_CASE(a_link_that_only_the_system_can_make_is_no_danger) {
    machine.link("/opt/tool/data", "/srv/data");
    machine.only_writable({"/home/dev"});
    ro("/opt/tool/data");
    BOOST_CHECK_EQUAL(error(), "");
}

BOOST_AUTO_TEST_CASE(where_a_link_of_ones_own_leads_is_said) {
    machine.link("/home/dev/data", "/srv/data");
    ro("~/data");
    BOOST_CHECK(std::ranges::any_of(plan().notices, [](const std::string& notice) {
        return notice.find("leads through the symbolic link '/home/dev/data' to '/srv/data'") != std::string::npos;
    }));
}

BOOST_AUTO_TEST_CASE(shared_memory_of_the_host_holds_planted_links_too) {
    machine.link("/dev/shm/link", "/srv/data");
    ro("/dev/shm/link");
    BOOST_CHECK_EQUAL(error(), "");
    add(profile.namespaces.share, "--share", "ipc");
    CHECK_SAYS(error(), "may have planted it");
}

BOOST_AUTO_TEST_CASE(devices_work_where_they_are_granted) {
    rw("/dev/kvm");
    BOOST_CHECK(has("bind /dev/kvm rw devices file"));
    ro("/dev/kvm:/kvm");
    BOOST_CHECK(has("bind /kvm ro devices file from /dev/kvm"));
    ro("/srv/data");
    BOOST_CHECK(has("bind /srv/data ro"));
}

BOOST_AUTO_TEST_CASE(the_hosts_dev_keeps_its_own_terminals_and_shared_memory_out) {
    rw("/dev");
    CHECK_LINES(below("/dev"),
                {"directory /dev 0755", "bind /dev rw devices", "devpts /dev/pts", "private /dev/shm 1777"});
}

BOOST_AUTO_TEST_CASE(the_kernels_places_are_not_replaced) {
    for (const char* text : {"/srv/data:/proc", "/srv/data:/proc/x", "/srv/data:/dev", "/srv/data:/dev/pts/x",
                             "/dev/pts", "/etc/passwd:/dev/ptmx"}) {
        profile.filesystem.read_only.items.clear();
        ro(text);
        CHECK_SAYS(error(), "the sandbox has its own");
    }
    profile.filesystem.read_only.items.clear();
    for (const char* text : {"/proc", "/dev", "/proc/x"}) {
        profile.filesystem.tmpfs.items.clear();
        tmpfs(text);
        CHECK_SAYS(error(), "the sandbox has its own");
    }
}

BOOST_AUTO_TEST_CASE(the_hosts_proc_is_never_shown) {
    for (const char* text : {"/proc", "/proc/..//proc", "/proc:/mnt"}) {
        profile.filesystem.read_only.items.clear();
        ro(text);
        CHECK_SAYS(error(), "the host's /proc shows every process");
    }
    profile.filesystem.read_only.items.clear();
    ro("/:/host");
    CHECK_LINES(below("/host/proc"), {"cover-directory /host/proc"});
}

BOOST_AUTO_TEST_CASE(sys_can_be_granted) {
    ro("/sys");
    CHECK_LINES(below("/sys"), {"directory /sys 0755", "bind /sys ro"});
}

BOOST_AUTO_TEST_CASE(the_root_is_the_sandboxs_own) {
    ro("/srv/data:/");
    CHECK_SAYS(error(), "cannot put '/srv/data' at '/'");
    profile.filesystem.read_only.items.clear();
    tmpfs("/");
    CHECK_SAYS(error(), "--tmpfs /: cannot make '/' a private directory");
}

BOOST_AUTO_TEST_CASE(a_home_that_is_the_root_needs_no_private_directory) {
    host.home = "/";
    BOOST_CHECK_EQUAL(error(), "");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/");
}

BOOST_AUTO_TEST_CASE(the_whole_host_is_the_base_where_it_is_granted) {
    profile.filesystem.tmpfs.items.clear();
    profile.filesystem.read_write.items = {in_file("/", profile.lineage.front())};
    const RootPlan root = plan().root;
    BOOST_CHECK(root.host_root);
    BOOST_CHECK(root.host_root_writable);
    BOOST_CHECK_EQUAL(root.host_root_origin.source, profile.lineage.front());
    BOOST_CHECK(below("/usr").empty());
    CHECK_LINES(below("/proc"), {"proc /proc"});
    BOOST_CHECK(has("private /dev 0755"));
    BOOST_CHECK(!has("directory /dev 0755"));
    BOOST_CHECK(has("bind /dev/null ro devices file"));
    BOOST_CHECK(!has("link /var/run -> /run"));
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev/project");

    profile.filesystem.read_write.items.clear();
    ro("/:/");
    BOOST_CHECK(!plan().root.host_root_writable);
}

BOOST_AUTO_TEST_CASE(private_places_and_grants_lie_on_top_of_the_hosts_root) {
    profile.filesystem.read_write.items = {in_file("/", profile.lineage.front())};
    ro("/srv/data");
    CHECK_LINES(below("/tmp"), {"private /tmp 1777"});
    CHECK_LINES(below("/var"), {"pin /var", "private /var/tmp 1777"});
    CHECK_LINES(below("/srv"), {"pin /srv", "bind /srv/data ro"});
    rw("/dev");
    BOOST_CHECK(has("bind /dev rw devices"));
    BOOST_CHECK(!has("private /dev 0755"));
}

BOOST_AUTO_TEST_CASE(names_of_any_bytes_are_kept) {
    machine.directory("/srv/a b\n\x1b[31m$(x)");
    ro("/srv/a b\n\x1b[31m$(x)");
    bool found = false;
    for (const RootEntry& entry : plan().root.entries) {
        found = found || entry.source == "/srv/a b\n\x1b[31m$(x)";
    }
    BOOST_CHECK(found);
    ro("/srv/x\n\x1b[31m");
    CHECK_SAYS(error(), "'/srv/x\\n\\x1b[31m'");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(callers_directory, PlanTest)

BOOST_AUTO_TEST_CASE(a_profile_grants_it) {
    in_profile(profile.filesystem.read_write, "$PWD");
    BOOST_CHECK(has("bind /home/dev/project rw"));
    BOOST_CHECK_EQUAL(notices(), "");
}

BOOST_AUTO_TEST_CASE(a_profile_exposes_neither_the_home_nor_what_lies_above_it) {
    in_profile(profile.filesystem.read_write, "$PWD");
    for (const char* path : {"/home/dev", "/home", "/"}) {
        host.cwd = path;
        CHECK_SAYS(notices(), std::string("the current directory '") + path + "' ");
        CHECK_SAYS(notices(), "a profile does not expose it; ask with --rw .");
        BOOST_CHECK(has("private /home/dev 0700"));
        BOOST_CHECK(!plan().root.host_root);
    }
    host.cwd = "/home/dev";
    BOOST_CHECK_EQUAL(plan().process.workdir, "/home/dev");
}

BOOST_AUTO_TEST_CASE(a_linked_home_is_the_home_too) {
    machine.link("/home/dev", "/data/dev");
    machine.directory("/data/dev");
    host.cwd = "/data/dev";
    in_profile(profile.filesystem.read_write, "$PWD");
    CHECK_SAYS(notices(), "is your home");
    host.cwd = "/data";
    CHECK_SAYS(notices(), "holds your home");
}

BOOST_AUTO_TEST_CASE(a_bind_mount_of_the_home_is_the_home_too) {
    machine.directory("/home/dev/project");
    machine.bind("/mnt/me", "/home/dev");
    machine.bind("/mnt/all", "/home");
    in_profile(profile.filesystem.read_write, "$PWD");
    host.cwd = "/mnt/me";
    CHECK_SAYS(notices(), "is your home");
    host.cwd = "/mnt/all";
    CHECK_SAYS(notices(), "holds your home");
    host.cwd = "/mnt/me/project";
    BOOST_CHECK(has("bind /mnt/me/project rw"));
}

BOOST_AUTO_TEST_CASE(a_profile_exposes_no_sockets_no_state_and_nothing_of_the_kernel) {
    machine.directory("/run/user/1000/gnupg");
    machine.directory("/proc/1");
    machine.directory("/sys/class");
    machine.directory("/home/dev/.local/share/sandbox/cache");
    in_profile(profile.filesystem.read_only, ".");
    for (const char* path :
         {"/run/user/1000", "/run/user/1000/gnupg", "/run/user", "/home/dev/.config", "/home/dev/.config/sandbox",
          "/home/dev/.local", "/home/dev/.local/share/sandbox/cache", "/proc", "/proc/1", "/sys/class", "/dev"}) {
        host.cwd = path;
        BOOST_CHECK_MESSAGE(contains(notices(), "ask with --ro ."), path);
        BOOST_CHECK_MESSAGE(!has(std::string("bind ") + path + " ro"), path);
    }
}

BOOST_AUTO_TEST_CASE(a_private_directory_stays_private) {
    in_profile(profile.filesystem.read_write, "$PWD");
    host.cwd = "/tmp";
    CHECK_SAYS(notices(), "the current directory '/tmp' is private in the sandbox");
    BOOST_CHECK_EQUAL(plan().process.workdir, "/tmp");
    machine.directory("/tmp/build");
    host.cwd = "/tmp/build";
    BOOST_CHECK(has("bind /tmp/build rw"));
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_looked_up_is_said) {
    in_profile(profile.filesystem.read_write, "$PWD");
    machine.lock("/home/dev");
    CHECK_SAYS(notices(), "cannot be looked up (Permission denied)");
}

BOOST_AUTO_TEST_CASE(an_option_grants_what_was_asked) {
    host.cwd = "/home/dev";
    rw(".");
    BOOST_CHECK(has("bind /home/dev rw"));
    BOOST_CHECK_EQUAL(notices(), "");
    host.cwd = "/";
    BOOST_CHECK(plan().root.host_root);
}

BOOST_AUTO_TEST_CASE(a_notice_is_said_once) {
    host.cwd = "/home/dev";
    in_profile(profile.filesystem.read_write, "$PWD");
    in_profile(profile.filesystem.read_write, ".");
    BOOST_CHECK_EQUAL(plan().notices.size(), 1U);
}

BOOST_AUTO_TEST_SUITE_END()
