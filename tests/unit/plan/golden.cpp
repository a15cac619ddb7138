// Whole plans as text, compared with tests/golden/*.txt. After a wanted change: UPDATE_GOLDEN=1 make check-unit, and
// read the difference.
#include "tests/unit/plan/plan_test.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace sandbox;
using namespace sandbox::test;

namespace {

/// Profiles in the shape of the built-in ones, written in code: the parts know no TOML.
class BuiltIn {
public:
    explicit BuiltIn(std::string name) : file_(name + ".toml") {
        profile_.name = std::move(name);
        profile_.lineage = {file_};
    }

    BuiltIn& set(Setting<std::string> Profile::Ids::*field, const std::string& value) {
        (profile_.ids.*field).set(value, origin("ids"));
        return *this;
    }
    BuiltIn& list(List Profile::Filesystem::*field, const std::string& key, std::initializer_list<const char*> words) {
        return fill(profile_.filesystem.*field, "filesystem." + key, words);
    }
    BuiltIn& pass(std::initializer_list<const char*> words) {
        return fill(profile_.environment.pass, "environment.pass", words);
    }
    BuiltIn& share(std::initializer_list<const char*> words) {
        return fill(profile_.namespaces.share, "namespaces.share", words);
    }
    BuiltIn& network(const std::string& mode) {
        profile_.network.mode.set(mode, origin("network.mode"));
        return *this;
    }
    [[nodiscard]] Profile done() {
        profile_.namespaces.hostname.set("sandbox", origin("namespaces.hostname"));
        profile_.seccomp.default_action.set("allow", origin("seccomp.default"));
        return profile_;
    }

private:
    [[nodiscard]] Origin origin(const std::string& key) const { return in_file("", file_, key, 1).origin; }

    BuiltIn& fill(List& list, const std::string& key, std::initializer_list<const char*> words) {
        list.replaces = true;
        for (const char* word : words) {
            list.items.push_back({word, origin(key)});
        }
        return *this;
    }

    std::string file_;
    Profile profile_;
};

using Files = Profile::Filesystem;

Profile default_profile() {
    return BuiltIn("default")
        .set(&Profile::Ids::map, "auto")
        .set(&Profile::Ids::groups, "drop")
        .network("none")
        .list(&Files::read_write, "read-write", {"$PWD"})
        .list(&Files::tmpfs, "tmpfs", {"/tmp", "/var/tmp", "/run", "$HOME"})
        .list(&Files::masked, "masked", {"@docker"})
        .pass({"PATH", "LANG", "LC_*", "TERM"})
        .done();
}

Profile strict_profile() {
    return merge(default_profile(), BuiltIn("strict")
                                        .list(&Files::read_only, "read-only", {"$PWD"})
                                        .list(&Files::read_write, "read-write", {})
                                        .done());
}

Profile build_profile() {
    return merge(default_profile(), BuiltIn("build").network("none").done());
}

Profile permissive_profile() {
    return merge(default_profile(), BuiltIn("permissive")
                                        .set(&Profile::Ids::groups, "keep")
                                        .share({"net"})
                                        .list(&Files::read_write, "read-write", {"/"})
                                        .list(&Files::tmpfs, "tmpfs", {})
                                        .done());
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
    profile = default_profile();
    command.arguments = {"make", "check"};
    compare("default");
}

BOOST_AUTO_TEST_CASE(the_strict_profile_in_a_project) {
    profile = strict_profile();
    compare("strict");
}

BOOST_AUTO_TEST_CASE(the_build_profile_with_root_and_a_name) {
    profile = build_profile();
    profile.ids.user.set("root", by_option("--root", "").origin);
    command = {{"./configure"}, "web"};
    compare("build");
}

BOOST_AUTO_TEST_CASE(the_permissive_profile_in_the_home) {
    profile = permissive_profile();
    host.cwd = host.home;
    compare("permissive");
}

BOOST_AUTO_TEST_CASE(the_default_profile_with_the_home_granted) {
    machine.remove("/home/dev/.config");
    machine.link("/etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
    machine.file("/run/systemd/resolve/stub-resolv.conf");
    machine.directory("/home/dev/project/.git/hooks");
    profile = default_profile();
    profile.network.mode.set("host", by_option("--net", "host").origin);
    rw("~");
    ro("~/project/.git/hooks");
    ro("/srv/data:/mnt/data");
    hide("~/.ssh");
    tmpfs("~/project/src");
    compare("home-granted");
}

BOOST_AUTO_TEST_CASE(the_default_profile_on_a_machine_without_helpers) {
    profile = default_profile();
    host.newuidmap.clear();
    host.newgidmap.clear();
    host.groups = {1000};
    host.cwd = "/srv/data";
    profile.limits.timeout.set("90s", by_option("--timeout", "90s").origin);
    compare("single-id");
}

BOOST_AUTO_TEST_SUITE_END()
