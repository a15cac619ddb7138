// The plan of a run on an image, on a directory, and under private layers.
#include "core/plan/ids_plan.hpp"
#include "core/plan/overlay_plan.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

struct ImagePlanTest : PlanTest {
    ImagePlanTest() {
        profile.filesystem.root.set("image", by_option("--image", "web").origin);
        profile.filesystem.image.set("web", by_option("--image", "web").origin);
        profile.filesystem.tmpfs.items.clear();
        profile.ids.user.set("image", built_in());
    }
    void rootfs(const std::string& path) {
        profile.filesystem.image.value.reset();
        profile.filesystem.root.set("rootfs", by_option("--rootfs", path).origin);
        profile.filesystem.rootfs.set(path, by_option("--rootfs", path).origin);
    }
    void overlay(const std::string& path) { add(profile.filesystem.overlay, "--overlay", path); }
    [[nodiscard]] std::string variable(const std::string& name) const {
        for (const EnvironmentEntry& entry : plan().environment) {
            if (entry.name == name) {
                return entry.value;
            }
        }
        return "(none)";
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(images, ImagePlanTest)

BOOST_AUTO_TEST_CASE(the_layers_of_the_image_lie_under_a_private_one) {
    const Plan made = plan();
    BOOST_REQUIRE(made.root.tree);
    BOOST_CHECK(made.root.tree->writable);
    BOOST_REQUIRE_EQUAL(made.overlays.list.size(), 1U);
    BOOST_CHECK_EQUAL(made.overlays.list[0].name, "root");
    BOOST_CHECK_EQUAL(made.overlays.list[0].below, "sha256:1234");
    BOOST_CHECK(made.overlays.list[0].lower == machine.image->layers);
    BOOST_CHECK_EQUAL(made.overlays.directory, "/home/dev/.local/share/sandbox/private");
    BOOST_CHECK(has("proc /proc"));
    BOOST_CHECK(has("sysfs /sys"));
    BOOST_CHECK(has("cgroups /sys/fs/cgroup"));
    BOOST_CHECK(has("private /dev 0755"));
    BOOST_CHECK(has("mqueue /dev/mqueue"));
    BOOST_CHECK(below("/usr").empty());
}

BOOST_AUTO_TEST_CASE(only_what_stands_in_the_tree_itself_is_looked_up_by_the_run) {
    for (const RootEntry& entry : plan().root.entries) {
        const bool is_top =
            entry.dest == "/proc" || entry.dest == "/dev" || entry.dest == "/sys" || entry.dest.starts_with("/etc/");
        BOOST_CHECK_MESSAGE(entry.in_tree == is_top, entry_text(entry));
        BOOST_CHECK_MESSAGE(!entry.follows_links || entry.dest.starts_with("/etc/"), entry_text(entry));
    }
}

BOOST_AUTO_TEST_CASE(the_caller_is_root_of_the_image_whoever_cmd_is) {
    machine.image->config.user = "www-data";
    const IdsPlan ids = plan().ids;
    BOOST_CHECK_EQUAL(ids.user_in_root, "www-data");
    BOOST_CHECK(ids.uid_map.front() == (MapEntry{0, 1000, 1}));
    profile.ids.user.set("self", built_in());
    BOOST_CHECK_EQUAL(plan().ids.user_in_root, "0");
    profile.ids.user.set("12:34", built_in());
    BOOST_CHECK_EQUAL(plan().ids.user_in_root, "12:34");
    BOOST_CHECK_EQUAL(plan().ids.uid, 12U);
    for (const char* wrong : {":", "a:b:c", "x:", "with space", "new\nline"}) {
        profile.ids.user.set(wrong, built_in());
        CHECK_SAYS(error(), "cannot run as the user");
    }
    profile.ids.user.set("999999", built_in());
    CHECK_SAYS(error(), "is not mapped");
}

BOOST_AUTO_TEST_CASE(the_image_is_no_user_without_an_image) {
    profile.filesystem.root.value.reset();
    profile.filesystem.image.value.reset();
    CHECK_SAYS(error(), "there is no image");
}

BOOST_AUTO_TEST_CASE(an_entrypoint_without_an_image_is_an_error) {
    command.entrypoint = "sh";
    BOOST_CHECK_EQUAL(plan().process.arguments.front(), "sh"); // the control
    profile.ids.user.value.reset();
    profile.filesystem.root.value.reset();
    profile.filesystem.image.value.reset();
    CHECK_SAYS(error(), "--entrypoint has no effect");
}

BOOST_AUTO_TEST_CASE(words_of_the_image_stand_where_none_are_given) {
    machine.image->config.entrypoint = {"run"};
    command.arguments = {};
    BOOST_CHECK((plan().process.arguments == std::vector<std::string>{"run", "serve", "--all"}));
    command.arguments = {"once"};
    BOOST_CHECK((plan().process.arguments == std::vector<std::string>{"run", "once"}));
    command.entrypoint = "sh";
    BOOST_CHECK((plan().process.arguments == std::vector<std::string>{"sh", "once"}));
    command.entrypoint = "";
    BOOST_CHECK((plan().process.arguments == std::vector<std::string>{"once"}));
    command.arguments = {};
    CHECK_SAYS(error(), "none was given");
    CHECK_SAYS(error(), "the image 'web' names none");
}

BOOST_AUTO_TEST_CASE(the_environment_of_the_image_counts_between_what_passes_and_what_is_set) {
    in_profile(profile.environment.pass, "PATH");
    in_profile(profile.environment.pass, "LANG");
    BOOST_CHECK_EQUAL(variable("PATH"), "/opt/app/bin:/usr/bin");
    BOOST_CHECK_EQUAL(variable("LANG"), "C.UTF-8");
    BOOST_CHECK_EQUAL(variable("APP"), "web");
    BOOST_CHECK_EQUAL(variable("USER"), "(none)");
    BOOST_CHECK(plan().process.takes_home_from_root);
    profile.environment.set["APP"].set("set", in_file("", profile.lineage.front()).origin);
    BOOST_CHECK_EQUAL(variable("APP"), "set");
    profile.environment.pass.items.push_back(by_option("--pass-env", "PATH"));
    BOOST_CHECK_EQUAL(variable("PATH"), "/usr/bin:/bin");
    machine.image->config.environment = {"HOME=/app", "=wrong"};
    BOOST_CHECK_EQUAL(variable("HOME"), "/app");
    BOOST_CHECK(!plan().process.takes_home_from_root);
    CHECK_SAYS(notices(), "cannot be one");
}

BOOST_AUTO_TEST_CASE(the_directory_is_the_images_or_the_top) {
    BOOST_CHECK_EQUAL(plan().process.workdir, "/");
    machine.image->config.workdir = "srv/app/";
    BOOST_CHECK_EQUAL(plan().process.workdir, "/srv/app");
    profile.process.workdir.set("/else", built_in());
    BOOST_CHECK_EQUAL(plan().process.workdir, "/else");
}

BOOST_AUTO_TEST_CASE(a_grant_is_shown_at_the_path_that_was_written) {
    machine.link("/data", "/srv/data");
    ro("/data");
    BOOST_CHECK(has("bind /data ro from /srv/data"));
    for (const RootEntry& entry : plan().root.entries) {
        BOOST_CHECK(entry.kind != RootEntry::Kind::link || entry.dest.starts_with("/dev/"));
    }
}

BOOST_AUTO_TEST_CASE(a_directory_as_a_root_is_shown_as_it_is_or_under_a_layer) {
    machine.directory("/srv/tree/etc");
    rootfs("/srv/tree");
    BOOST_CHECK_EQUAL(plan().root.tree->directory, "/srv/tree");
    BOOST_CHECK(plan().overlays.list.empty());
    CHECK_SAYS(notices(), "has no /etc/hosts");
    profile.filesystem.writable_root.set(true, built_in());
    BOOST_CHECK_EQUAL(plan().root.tree->directory, "");
    BOOST_CHECK((plan().overlays.list.at(0).lower == std::vector<std::string>{"/srv/tree"}));
    for (const char* wrong : {"/", "/home", "/home/dev", "/proc", "/nowhere", "/etc/passwd"}) {
        rootfs(wrong);
        CHECK_SAYS(error(), "as the root");
    }
}

BOOST_AUTO_TEST_CASE(an_image_that_no_root_takes_is_an_error_where_both_are_written_in_one_place) {
    profile.filesystem.root.set("host", by_option("--x", "").origin);
    CHECK_SAYS(error(), "has no effect");
    profile.filesystem.image.origin = in_file("", profile.lineage.front()).origin;
    BOOST_CHECK_EQUAL(error().find("has no effect"), std::string::npos);
    profile.filesystem.image.value.reset();
    profile.filesystem.root.set("image", by_option("--x", "").origin);
    CHECK_SAYS(error(), "no image is named");
}

BOOST_AUTO_TEST_CASE(only_root_has_the_capabilities_of_a_profile) {
    in_profile(profile.capabilities.keep, "chown");
    profile.capabilities.keep.items.push_back(by_option("--cap-add", "net_raw"));
    BOOST_CHECK_EQUAL(plan().capabilities.keep.size(), 2U);
    BOOST_CHECK((plan().user_capabilities.keep == std::vector<int>{13}));
}

BOOST_AUTO_TEST_CASE(limits_are_refused_where_cmd_may_mount_over_what_may_be_the_hosts_sys) {
    profile.limits.memory.set("1g", by_option("--memory", "1g").origin);
    BOOST_CHECK_EQUAL(error(), "");
    profile.capabilities.keep.items.push_back(by_option("--cap-add", "sys_admin"));
    CHECK_SAYS(error(), "is shown /sys/fs/cgroup");
}

BOOST_AUTO_TEST_CASE(too_many_layers_are_an_error) {
    machine.image->layers.assign(501, "/layer");
    CHECK_SAYS(error(), "501 layers");
    machine.image->layers.clear();
    CHECK_SAYS(error(), "no layer");
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct OverlayPlanTest : ImagePlanTest {
    OverlayPlanTest() { profile = test_profile(); }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(overlays, OverlayPlanTest)

BOOST_AUTO_TEST_CASE(a_directory_under_a_layer_stands_at_its_own_place_or_another) {
    overlay("/home/dev/project");
    BOOST_CHECK(has("overlay /home/dev/project 0"));
    BOOST_CHECK((plan().overlays.list.at(0).lower == std::vector<std::string>{"/home/dev/project"}));
    overlay("/srv/data:/data");
    BOOST_CHECK(has("overlay /data 0 from /srv/data") || has("overlay /data 1 from /srv/data"));
    BOOST_CHECK_EQUAL(plan().overlays.list.size(), 2U);
}

BOOST_AUTO_TEST_CASE(a_file_cannot_lie_under_a_layer) {
    overlay("/etc/passwd");
    CHECK_SAYS(error(), "it is no directory");
}

BOOST_AUTO_TEST_CASE(what_cmd_writes_into_a_layer_is_no_danger_to_the_profiles) {
    overlay("/home/dev/.config");
    BOOST_CHECK(!has("bind /home/dev/.config/sandbox ro"));
    rw("/home/dev/.config");
    CHECK_SAYS(error(), "in two ways");
}

BOOST_AUTO_TEST_CASE(our_state_is_covered_in_a_layer_too) {
    overlay("/home/dev");
    BOOST_CHECK(has("cover-directory /home/dev/.local/share/sandbox"));
    BOOST_CHECK_EQUAL(plan().overlays.directory, "/var/tmp/sandbox-1000");
    profile.filesystem.keep.set("home", by_option("--keep", "home").origin);
    CHECK_SAYS(error(), "lies inside of what it covers");
}

BOOST_AUTO_TEST_CASE(mounts_inside_are_known) {
    overlay("/srv");
    BOOST_CHECK(plan().overlays.list.at(0).has_mounts);
    profile.filesystem.overlay.items.clear();
    overlay("/srv/data");
    BOOST_CHECK(!plan().overlays.list.at(0).has_mounts);
}

BOOST_AUTO_TEST_CASE(fuse_must_be_there_where_it_is_asked_for) {
    overlay("/srv/data");
    profile.filesystem.overlay_driver.set("fuse", by_option("--overlay-driver", "fuse").origin);
    BOOST_CHECK_EQUAL(plan().overlays.fuse_program, "/usr/bin/fuse-overlayfs");
    host.look_at_overlays = [] { return OverlayFacts{"/usr/bin/fuse-overlayfs", EACCES}; };
    CHECK_SAYS(error(), "sudo chmod 0666 /dev/fuse");
    host.look_at_overlays = [] { return OverlayFacts{}; };
    CHECK_SAYS(error(), "not installed");
}

BOOST_AUTO_TEST_CASE(a_name_to_keep_needs_a_layer_and_plain_characters) {
    profile.filesystem.keep.set("x", by_option("--keep", "x").origin);
    CHECK_SAYS(error(), "no private layer to keep");
    for (const char* name : {"a", "A-1._b", "0"}) {
        BOOST_CHECK(is_kept_name(name));
    }
    for (const char* name : {"", ".", "..", "-a", "a/b", "a b", ".hidden", "a\n"}) {
        BOOST_CHECK(!is_kept_name(name));
    }
    BOOST_CHECK(!is_kept_name(std::string(65, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()
