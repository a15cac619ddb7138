// Whole plans of the shipped profiles as text, compared with tests/golden/*.txt. After a wanted change: UPDATE_GOLDEN=1
// make check-unit, and read the difference.
#include "cmd/common/profile_file.hpp"
#include "tests/unit/plan/plan_test.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// A profile as it is shipped, read from the tree.
Profile shipped(const std::string& name) {
    return load_profile(name, {.directories = {"profiles"}});
}

std::string read(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct GoldenTest : PlanTest {
    void compare(const std::string& name) const {
        const std::string path = "tests/golden/" + name + ".txt";
        const std::string text = plan_text(plan());
        if (std::getenv("UPDATE_GOLDEN") != nullptr) {
            std::ofstream(path) << text;
            return;
        }
        BOOST_CHECK_EQUAL(text, read(path));
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(golden, GoldenTest)

BOOST_AUTO_TEST_CASE(the_default_profile_in_a_project) {
    profile = shipped("default");
    command.arguments = {"make", "check"};
    compare("default");
}

BOOST_AUTO_TEST_CASE(the_strict_profile_in_a_project) {
    profile = shipped("strict");
    compare("strict");
}

BOOST_AUTO_TEST_CASE(the_build_profile_with_root_and_a_name) {
    profile = shipped("build");
    profile.ids.user.set("root", by_option("--root", "").origin);
    command = {{"./configure"}, "web"};
    compare("build");
}

BOOST_AUTO_TEST_CASE(the_permissive_profile_in_the_home) {
    profile = shipped("permissive");
    host.cwd = host.home;
    compare("permissive");
}

BOOST_AUTO_TEST_CASE(the_container_profile_on_an_image) {
    profile = shipped("container");
    profile.filesystem.root.set("image", by_option("--image web", "").origin);
    profile.filesystem.image.set("web", by_option("--image web", "").origin);
    machine.image->config.user = "www-data";
    machine.image->config.workdir = "/srv/www";
    ro("/srv/data");
    command.arguments = {};
    compare("container");
}

BOOST_AUTO_TEST_CASE(the_default_profile_with_the_home_granted) {
    machine.remove("/home/dev/.config");
    machine.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    machine.file("/run/systemd/resolve/stub-resolv.conf");
    machine.directory("/home/dev/project/.git/hooks");
    profile = shipped("default");
    profile.network.mode.set("host", by_option("--net", "host").origin);
    rw("~");
    ro("~/project/.git/hooks");
    ro("/srv/data:/mnt/data");
    hide("~/.ssh");
    tmpfs("~/project/src");
    compare("home-granted");
}

BOOST_AUTO_TEST_CASE(the_npm_profile_with_a_host_more) {
    profile = shipped("npm");
    PlanTest::add(profile.network.allow, "--net-allow", "10.1.2.0/24:8443");
    compare("npm");
}

BOOST_AUTO_TEST_CASE(the_default_profile_on_a_machine_without_helpers) {
    profile = shipped("default");
    host.newuidmap.clear();
    host.newgidmap.clear();
    host.groups = {1000};
    host.cwd = "/srv/data";
    profile.limits.timeout.set("90s", by_option("--timeout", "90s").origin);
    compare("single-id");
}

BOOST_AUTO_TEST_SUITE_END()
