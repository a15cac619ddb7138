// What a Plan says of a path that CMD named.
#include "core/plan/path_verdict.hpp"
#include "tests/unit/plan/plan_test.hpp"

using namespace sandbox;
using namespace sandbox::test;

namespace {

const char* word(PathStanding standing) {
    switch (standing) {
    case PathStanding::read_write:
        return "read-write";
    case PathStanding::read_only:
        return "read-only";
    case PathStanding::covered:
        return "covered";
    case PathStanding::absent:
        return "absent";
    case PathStanding::private_place:
        return "private";
    case PathStanding::skeleton:
        return "skeleton";
    case PathStanding::kernel:
        return "kernel";
    }
    return "?";
}

const char* word(PathEffect effect) {
    return effect == PathEffect::works ? "works" : effect == PathEffect::refused ? "refused" : "lost";
}

const char* word(HostCheck::Need need) {
    constexpr const char* kWords[] = {"exists", "read", "write", "execute"};
    return kWords[static_cast<std::size_t>(need)];
}

struct OracleTest : PlanTest {
    ReadHostLink links;

    [[nodiscard]] std::optional<PathVerdict> verdict(const PathCall& call) const {
        const Plan made = plan();
        return PathOracle(made.root, links).judge(call);
    }
    /// "read-only works", "absent refused: exists /srv/data".
    [[nodiscard]] std::string judge(const std::string& path, PathIntent intent = PathIntent::read,
                                    bool follows = true) const {
        const auto made = verdict({path, intent, follows});
        if (!made) {
            return "none";
        }
        std::string text = std::string(word(made->standing)) + " " + word(made->effect);
        if (made->check) {
            text += std::string(": ") + word(made->check->need) + " " + made->check->path;
        }
        return text;
    }
    [[nodiscard]] std::string host_path(const std::string& path) const {
        const auto made = verdict({path});
        return made ? made->host_path : "none";
    }
    [[nodiscard]] std::string decided_by(const std::string& path) const {
        const auto made = verdict({path});
        return made && made->decided_by ? written_at(*made->decided_by) : "nobody";
    }
    void follow_host_links() {
        links = [this](const std::string& path) -> std::optional<std::string> {
            for (const WalkedLink& link : host.look_up(path).links) {
                if (link.path == path) {
                    return link.target;
                }
            }
            return std::nullopt;
        };
    }
};

struct TreeOracleTest : OracleTest {
    TreeOracleTest() { profile.filesystem.tmpfs.items.clear(); }
    void image(bool writable) {
        profile.filesystem.root.set("image", by_option("--image", "web").origin);
        profile.filesystem.image.set("web", by_option("--image", "web").origin);
        profile.filesystem.writable_root.set(writable, by_option("--writable-root", "").origin);
        profile.ids.user.set("image", built_in());
    }
    void rootfs() {
        machine.directory("/srv/tree/etc");
        profile.filesystem.root.set("rootfs", by_option("--rootfs", "/srv/tree").origin);
        profile.filesystem.rootfs.set("/srv/tree", by_option("--rootfs", "/srv/tree").origin);
        profile.ids.user.set("image", built_in());
    }
};

constexpr PathIntent kLook = PathIntent::look, kRead = PathIntent::read, kWrite = PathIntent::write,
                     kCreate = PathIntent::create, kExecute = PathIntent::execute, kList = PathIntent::list;

} // namespace

BOOST_FIXTURE_TEST_SUITE(path_verdict, OracleTest)

BOOST_AUTO_TEST_CASE(what_is_granted_works) {
    rw(".");
    ro("/srv/data");
    for (const PathIntent intent : {kLook, kRead, kWrite, kCreate, kExecute, kList}) {
        BOOST_CHECK_EQUAL(judge("/home/dev/project/src", intent), "read-write works");
    }
    for (const PathIntent intent : {kLook, kRead, kExecute, kList}) {
        BOOST_CHECK_EQUAL(judge("/srv/data/x", intent), "read-only works");
    }
    BOOST_CHECK_EQUAL(decided_by("/srv/data/x"), "--ro /srv/data");
}

BOOST_AUTO_TEST_CASE(a_write_to_what_is_read_only_is_refused_where_the_user_could) {
    ro("/srv/data");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kWrite), "read-only refused: write /srv/data/x");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kCreate), "read-only refused: write /srv/data");
    // The same holds for the system's directories: root's files answer the check with no.
    BOOST_CHECK_EQUAL(judge("/usr/lib/x", kCreate), "read-only refused: write /usr/lib");
    BOOST_CHECK_EQUAL(decided_by("/usr/lib"), "built-in system directories");
}

BOOST_AUTO_TEST_CASE(what_no_place_shows_is_absent) {
    BOOST_CHECK_EQUAL(judge("/srv/data", kLook), "absent refused: exists /srv/data");
    BOOST_CHECK_EQUAL(judge("/srv/data", kList), "absent refused: read /srv/data");
    BOOST_CHECK_EQUAL(judge("/srv/tool", kExecute), "absent refused: execute /srv/tool");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kCreate), "absent refused: write /srv/data");
    BOOST_CHECK_EQUAL(judge("/dev/kvm", kRead), "absent refused: read /dev/kvm");
    BOOST_CHECK_EQUAL(decided_by("/srv/data"), "nobody");
}

BOOST_AUTO_TEST_CASE(a_private_home_lacks_what_the_host_has_and_loses_what_is_made) {
    BOOST_CHECK_EQUAL(judge("/home/dev/.gitconfig"), "private refused: read /home/dev/.gitconfig");
    BOOST_CHECK_EQUAL(judge("/home/dev/.gitconfig", kWrite), "private refused: write /home/dev/.gitconfig");
    BOOST_CHECK_EQUAL(judge("/home/dev/x", kCreate), "private lost: write /home/dev");
    for (const PathIntent intent : {kLook, kList, kCreate}) {
        BOOST_CHECK_EQUAL(judge("/home/dev", intent), "private works");
        BOOST_CHECK_EQUAL(judge("/tmp", intent), "private works");
    }
    CHECK_SAYS(decided_by("/home/dev/.gitconfig"), "test.toml:9:3: filesystem.tmpfs");
}

BOOST_AUTO_TEST_CASE(a_name_is_made_in_a_private_home_only_where_its_directory_is) {
    machine.directory("/home/dev/out");
    machine.directory("/home/dev/src/project");
    rw("~/src/project");
    BOOST_CHECK_EQUAL(judge("/home/dev/out/x", kCreate), "private refused: write /home/dev/out");
    BOOST_CHECK_EQUAL(judge("/home/dev/src/x", kCreate), "private lost: write /home/dev/src"); // a directory of ours
    const auto judge_known = [&](const std::string& path, bool finds_needed) {
        const auto made = verdict({path, kCreate, true, finds_needed});
        return made ? std::string(word(made->effect)) : "none";
    };
    BOOST_CHECK_EQUAL(judge_known("/home/dev/out/x", true), "lost"); // CMD made the directory
    BOOST_CHECK_EQUAL(judge_known("/home/dev/x", false), "refused"); // unlink(2) of what is not there
}

BOOST_AUTO_TEST_CASE(a_granted_directory_below_a_private_home_is_granted) {
    machine.directory("/home/dev/src/project");
    rw("~/src/project");
    BOOST_CHECK_EQUAL(judge("/home/dev/src/project/a", kCreate), "read-write works");
    BOOST_CHECK_EQUAL(judge("/home/dev/src", kList), "skeleton works");
    BOOST_CHECK_EQUAL(judge("/home/dev/src", kCreate), "skeleton works"); // mkdir -p: EEXIST, on the host too
    BOOST_CHECK_EQUAL(judge("/home/dev/src/other"), "private refused: read /home/dev/src/other");
    BOOST_CHECK_EQUAL(judge("/home/dev/src/project2"), "private refused: read /home/dev/src/project2");
}

BOOST_AUTO_TEST_CASE(the_skeleton_can_be_looked_at) {
    ro("/srv/data");
    for (const char* path : {"/", "/srv", "/home", "/dev"}) {
        BOOST_CHECK_EQUAL(judge(path, kLook), "skeleton works");
        BOOST_CHECK_EQUAL(judge(path, kList), "skeleton works");
    }
    BOOST_CHECK_EQUAL(judge("/srv/other", kList), "absent refused: read /srv/other");
}

BOOST_AUTO_TEST_CASE(what_is_hidden_is_covered_by_the_line_that_says_so) {
    ro("~");
    in_profile(profile.filesystem.hide, "~/.ssh");
    BOOST_CHECK_EQUAL(judge("/home/dev/.ssh/id_ed25519"), "covered refused: read /home/dev/.ssh/id_ed25519");
    BOOST_CHECK_EQUAL(judge("/home/dev/.ssh", kList), "covered refused: read /home/dev/.ssh");
    BOOST_CHECK_EQUAL(judge("/home/dev/.ssh/new", kCreate), "covered refused: write /home/dev/.ssh");
    CHECK_SAYS(decided_by("/home/dev/.ssh/id_ed25519"), "test.toml:7:3: filesystem.test");
    BOOST_CHECK_EQUAL(judge("/home/dev/.sshd"), "read-only works");
}

BOOST_AUTO_TEST_CASE(what_is_hidden_in_a_grant_at_another_place_has_the_hosts_path) {
    ro("~:/mnt/home");
    in_profile(profile.filesystem.hide, "~/.ssh");
    BOOST_CHECK_EQUAL(judge("/mnt/home/.ssh/id"), "covered refused: read /home/dev/.ssh/id");
    BOOST_CHECK_EQUAL(host_path("/mnt/home/.gitconfig"), "/home/dev/.gitconfig");
    BOOST_CHECK_EQUAL(judge("/mnt/home/.gitconfig", kWrite), "read-only refused: write /home/dev/.gitconfig");
}

BOOST_AUTO_TEST_CASE(our_own_directories_are_covered_by_us) {
    rw("~");
    BOOST_CHECK_EQUAL(judge("/home/dev/.local/share/sandbox/x"),
                      "covered refused: read /home/dev/.local/share/sandbox/x");
    BOOST_CHECK_EQUAL(decided_by("/home/dev/.local/share/sandbox/x"), "built-in protection");
    BOOST_CHECK_EQUAL(judge("/home/dev/.config/sandbox/profiles/x.toml", kCreate),
                      "read-only refused: write /home/dev/.config/sandbox/profiles");
}

BOOST_AUTO_TEST_CASE(the_whole_root_granted_is_the_host) {
    ro("/");
    BOOST_CHECK_EQUAL(judge("/srv/data/x"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kWrite), "read-only refused: write /srv/data/x");
    BOOST_CHECK_EQUAL(decided_by("/srv/data"), "--ro /");
    BOOST_CHECK_EQUAL(judge("/tmp/x"), "private refused: read /tmp/x");
}

BOOST_AUTO_TEST_CASE(writes_into_an_overlay_work) {
    PlanTest::add(profile.filesystem.overlay, "--overlay", "/srv/data");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kWrite), "read-write works");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kCreate), "read-write works");
    BOOST_CHECK_EQUAL(host_path("/srv/data/x"), "/srv/data/x");
}

BOOST_AUTO_TEST_CASE(what_the_kernel_answers_is_its_own) {
    for (const char* path : {"/proc/1/maps", "/proc/nothing", "/dev/null", "/dev/pts/0", "/proc/sys/kernel/x"}) {
        BOOST_CHECK_EQUAL(judge(path, kWrite), "kernel works");
    }
    // /dev/fd is a link of ours to /proc/self/fd.
    BOOST_CHECK_EQUAL(judge("/dev/fd/3"), "kernel works");
    BOOST_CHECK_EQUAL(judge("/proc/self/fd/3", kWrite), "kernel works");
    BOOST_CHECK_EQUAL(judge("/dev/stdin"), "kernel works");
    // A read-only mount leaves devices writable.
    ro("/dev/kvm");
    BOOST_CHECK_EQUAL(judge("/dev/kvm", kWrite), "kernel works");
}

BOOST_AUTO_TEST_CASE(what_is_masked_is_covered) {
    machine.file("/proc/interrupts");
    profile.filesystem.masked.items.push_back(in_file("@docker", profile.lineage.front(), "filesystem.masked"));
    BOOST_CHECK_EQUAL(judge("/proc/interrupts"), "covered refused: read /proc/interrupts");
    CHECK_SAYS(decided_by("/proc/interrupts"), "filesystem.masked");
}

BOOST_AUTO_TEST_CASE(shared_namespaces_show_the_hosts_kernel) {
    profile.namespaces.share.items = {in_file("pid"), in_file("net")};
    profile.network.mode.set("host", built_in());
    BOOST_CHECK_EQUAL(judge("/proc/1/maps", kWrite), "kernel works");
}

BOOST_AUTO_TEST_CASE(a_file_of_ours_can_be_read_only) {
    BOOST_CHECK_EQUAL(judge("/etc/hosts"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/etc/hosts", kWrite), "read-only refused: write /etc/hosts");
}

BOOST_AUTO_TEST_CASE(the_skeletons_links_are_followed) {
    BOOST_CHECK_EQUAL(host_path("/bin/ls"), "/usr/bin/ls");
    BOOST_CHECK_EQUAL(judge("/bin/ls", kExecute), "read-only works");
    BOOST_CHECK_EQUAL(judge("/bin", kLook, false), "skeleton works");
    BOOST_CHECK_EQUAL(host_path("/bin/"), "/usr/bin");
    // A slash at the end follows the link, whatever the call.
    BOOST_CHECK_EQUAL(judge("/bin/", kLook, false), "read-only works");
    BOOST_CHECK_EQUAL(judge("/bin/.", kLook, false), "read-only works");
}

BOOST_AUTO_TEST_CASE(a_home_that_is_a_link_is_private_where_it_is) {
    machine.link("/home/dev", "../data/dev");
    machine.directory("/data/dev");
    BOOST_CHECK_EQUAL(judge("/home/dev/.gitconfig"), "private refused: read /data/dev/.gitconfig");
    BOOST_CHECK_EQUAL(judge("/data/dev/.gitconfig"), "private refused: read /data/dev/.gitconfig");
    BOOST_CHECK_EQUAL(judge("/home/dev", kLook, false), "skeleton works");
}

BOOST_AUTO_TEST_CASE(a_home_that_is_the_root_is_empty) {
    host.home = "/";
    host.cwd = "/srv/data";
    rw(".");
    BOOST_CHECK_EQUAL(judge("/.gitconfig"), "absent refused: read /.gitconfig");
    BOOST_CHECK_EQUAL(judge("/srv/data/x", kCreate), "read-write works");
}

BOOST_AUTO_TEST_CASE(links_of_granted_trees_are_followed_where_they_can_be_read) {
    machine.link("/home/dev/project/data", "/srv/data");
    machine.link("/home/dev/project/up", "../other");
    rw(".");
    BOOST_CHECK_EQUAL(judge("/home/dev/project/data/x"), "read-write works");
    follow_host_links();
    BOOST_CHECK_EQUAL(judge("/home/dev/project/data/x"), "absent refused: read /srv/data/x");
    BOOST_CHECK_EQUAL(judge("/home/dev/project/up/x"), "private refused: read /home/dev/other/x");
    // lstat(2) and readlink(2) find the link itself.
    BOOST_CHECK_EQUAL(judge("/home/dev/project/data", kLook, false), "read-write works");
    BOOST_CHECK_EQUAL(judge("/home/dev/project/data", kLook), "absent refused: exists /srv/data");
}

BOOST_AUTO_TEST_CASE(odd_forms_of_a_path_are_the_path) {
    rw(".");
    for (const char* path : {"/home/dev/project/src", "//home///dev/./project/src/", "/home/dev/project/../project/src",
                             "/../home/dev/project/src/.", "/home/../home/dev/project/src"}) {
        BOOST_CHECK_EQUAL(judge(path), "read-write works");
        BOOST_CHECK_EQUAL(host_path(path), "/home/dev/project/src");
    }
    BOOST_CHECK_EQUAL(judge("/home/dev/project/../.gitconfig"), "private refused: read /home/dev/.gitconfig");
    // ".." starts where a link has led.
    BOOST_CHECK_EQUAL(host_path("/bin/../lib"), "/usr/lib");
}

BOOST_AUTO_TEST_CASE(odd_names_are_names) {
    rw(".");
    for (const std::string name : {"a b", "a\nb", "a'\"b", "\xff\xfe", "$HOME", "~", "a:b", "a\\b", "*", "..."}) {
        BOOST_CHECK_EQUAL(host_path("/home/dev/project/" + name), "/home/dev/project/" + name);
        BOOST_CHECK_EQUAL(judge("/srv/" + name), "absent refused: read /srv/" + name);
    }
}

BOOST_AUTO_TEST_CASE(what_the_kernel_refuses_by_itself_has_no_verdict) {
    const std::string longest = "/srv" + std::string(4095 - 4, '/');
    BOOST_CHECK_EQUAL(judge(longest), "absent refused: read /srv");
    BOOST_CHECK_EQUAL(judge(longest + "/"), "none");
    BOOST_CHECK_EQUAL(judge("/srv/" + std::string(4096 - 5, 'x')), "none");
    BOOST_CHECK_EQUAL(judge(""), "none");
    BOOST_CHECK_EQUAL(judge("srv/data"), "none");
    BOOST_CHECK_EQUAL(judge(std::string("/srv\0/x", 7)), "none");
}

BOOST_AUTO_TEST_CASE(more_than_forty_links_are_a_loop) {
    for (int i = 0; i < 41; ++i) {
        machine.link("/srv/data/" + std::to_string(i), std::to_string(i + 1));
    }
    ro("/srv/data");
    follow_host_links();
    BOOST_CHECK_EQUAL(judge("/srv/data/1"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/srv/data/0"), "none");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(path_verdict_in_a_tree, TreeOracleTest)

BOOST_AUTO_TEST_CASE(a_writable_image_takes_everything) {
    image(true);
    for (const PathIntent intent : {kLook, kRead, kWrite, kCreate, kExecute, kList}) {
        BOOST_CHECK_EQUAL(judge("/home/dev/.gitconfig", intent), "read-write works");
        BOOST_CHECK_EQUAL(judge("/", intent), "read-write works");
    }
    BOOST_CHECK_EQUAL(host_path("/home/dev/.gitconfig"), "");
}

BOOST_AUTO_TEST_CASE(a_read_only_image_refuses_writes_and_no_host_is_asked) {
    rootfs();
    BOOST_CHECK_EQUAL(judge("/opt/x"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/opt/x", kWrite), "read-only refused: write /srv/tree/opt/x");
    BOOST_CHECK_EQUAL(decided_by("/opt/x"), "--rootfs /srv/tree");
    profile = test_profile();
    profile.filesystem.tmpfs.items.clear();
    image(false);
    BOOST_CHECK_EQUAL(judge("/opt/x"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/opt/x", kCreate), "read-only refused");
}

BOOST_AUTO_TEST_CASE(a_grant_in_an_image_is_the_hosts) {
    image(true);
    ro("~/project:/work");
    BOOST_CHECK_EQUAL(judge("/work/a"), "read-only works");
    BOOST_CHECK_EQUAL(judge("/work/a", kWrite), "read-only refused: write /home/dev/project/a");
}

BOOST_AUTO_TEST_CASE(a_private_place_of_an_image_lacks_nothing_of_the_host) {
    image(true);
    tmpfs("/tmp");
    BOOST_CHECK_EQUAL(judge("/tmp/x"), "private works");
    BOOST_CHECK_EQUAL(judge("/tmp/x", kCreate), "private lost");
    BOOST_CHECK_EQUAL(judge("/dev/kvm"), "private works");
    // One in a directory of the host's hides that directory's.
    rw("~/project:/work");
    tmpfs("/work/src");
    BOOST_CHECK_EQUAL(judge("/work/src/x"), "private refused: read /home/dev/project/src/x");
}

BOOST_AUTO_TEST_CASE(what_is_hidden_in_an_image_is_covered) {
    image(true);
    hide("/etc/shadow");
    BOOST_CHECK_EQUAL(judge("/etc/shadow"), "covered refused");
    BOOST_CHECK_EQUAL(judge("/etc/passwd"), "read-write works");
}

BOOST_AUTO_TEST_SUITE_END()
