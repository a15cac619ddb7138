// The parts of private layers that need no namespace: paths in a foreign root, users, differences, removal, the books.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/kept_layers.hpp"
#include "core/layer_diff.hpp"
#include "core/overlay_driver.hpp"
#include "core/remove_tree.hpp"
#include "core/tree_path.hpp"
#include "core/tree_user.hpp"

namespace fs = std::filesystem;
using namespace sandbox;

namespace {

struct Place {
    Place() {
        std::string name = fs::temp_directory_path() / "sandbox-unit-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        top = name;
    }
    ~Place() {
        std::error_code ignored;
        fs::remove_all(top, ignored);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    fs::path top;

    void file(const std::string& path, const std::string& text = "x") const {
        fs::create_directories((top / path).parent_path());
        std::ofstream(top / path) << text;
    }
    void directory(const std::string& path) const { fs::create_directories(top / path); }
    void link(const std::string& path, const std::string& target) const { fs::create_symlink(target, top / path); }
    [[nodiscard]] Fd open(const std::string& path) const {
        return Fd(::open((top / path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
};

bool is_same(const Fd& opened, const fs::path& path) {
    struct stat left {};
    struct stat right {};
    return opened && ::fstat(opened.get(), &left) == 0 && ::stat(path.c_str(), &right) == 0 &&
           left.st_ino == right.st_ino && left.st_dev == right.st_dev;
}

using tree_path::Links;
using tree_path::Want;

} // namespace

BOOST_FIXTURE_TEST_SUITE(tree_paths, Place)

BOOST_AUTO_TEST_CASE(what_is_missing_is_made_in_the_root) {
    directory("root");
    const Fd root = open("root");
    BOOST_TEST(
        is_same(tree_path::open_or_make(root.get(), "/a/b/c", Want::directory, Links::followed), top / "root/a/b/c"));
    BOOST_TEST(
        is_same(tree_path::open_or_make(root.get(), "/a/file", Want::file, Links::followed), top / "root/a/file"));
    BOOST_TEST(fs::is_regular_file(top / "root/a/file"));
    BOOST_TEST(is_same(tree_path::open_or_make(root.get(), "/", Want::directory, Links::refused), top / "root"));
}

BOOST_AUTO_TEST_CASE(links_are_followed_inside_and_never_lead_out) {
    directory("root/etc");
    directory("outside/run");
    link("root/absolute", "/made/there");
    link("root/relative", "../../../../up/there");
    link("root/etc/resolv.conf", "../run/systemd/stub");
    link("root/outside", (top / "outside").string());
    const Fd root = open("root");
    const auto make = [&](const char* path) {
        return tree_path::open_or_make(root.get(), path, Want::directory, Links::followed);
    };
    BOOST_TEST(is_same(make("/absolute/x"), top / "root/made/there/x"));
    BOOST_TEST(is_same(make("/relative/x"), top / "root/up/there/x"));
    BOOST_TEST(is_same(tree_path::open_or_make(root.get(), "/etc/resolv.conf", Want::file, Links::followed),
                       top / "root/run/systemd/stub"));
    BOOST_TEST(static_cast<bool>(make("/outside/run/y")));
    BOOST_TEST(!fs::exists(top / "outside/run/y"));
    BOOST_TEST(is_same(make("/a/../../../b"), top / "root/b"));
}

BOOST_AUTO_TEST_CASE(a_link_is_refused_where_none_is_wanted) {
    directory("root/real");
    link("root/proc", "real");
    link("root/gone", "nowhere");
    const Fd root = open("root");
    for (const char* path : {"/proc", "/proc/x", "/gone"}) {
        BOOST_TEST(!tree_path::open_or_make(root.get(), path, Want::directory, Links::refused));
        BOOST_TEST(errno == ELOOP, path);
    }
}

BOOST_AUTO_TEST_CASE(loops_and_long_names_end) {
    directory("root");
    link("root/a", "b");
    link("root/b", "a");
    link("root/self", "self/self/self/self");
    const Fd root = open("root");
    for (const std::string& path : {std::string("/a"), std::string("/self"), "/" + std::string(300, 'x'),
                                    std::string(5000, '/') + "x", "/" + std::string(4096, 'y')}) {
        BOOST_TEST(!tree_path::open_or_make(root.get(), path.c_str(), Want::directory, Links::followed));
    }
}

BOOST_AUTO_TEST_CASE(only_regular_files_are_read) {
    directory("root/etc");
    BOOST_REQUIRE(::mkfifo((top / "root/etc/passwd").c_str(), 0644) == 0);
    BOOST_TEST(!tree_path::open_text(open("root").get(), "/etc/passwd")); // and does not wait for a writer
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct UserPlace : Place {
    UserPlace() {
        file("etc/passwd", "root:x:0:0::/root:/bin/sh\nbroken:line\nweb:x:33:34:Web:/srv/web:/bin/false\n"
                           "far:x:99999999999:1::/far:\nnohome:x:7:8:::\n");
        file("etc/group", "root:x:0:\nweb:x:34:\naudio:x:29:other,web\nvideo:x:44:web\nwebby:x:45:webby\n");
    }
    int look(const char* words) {
        identity = {};
        return look_up_user(open(".").get(), words, identity);
    }
    Identity identity;
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(tree_users, UserPlace)

BOOST_AUTO_TEST_CASE(a_name_brings_ids_groups_and_home) {
    BOOST_TEST(look("web") == 0);
    BOOST_TEST(identity.uid == 33U);
    BOOST_TEST(identity.gid == 34U);
    BOOST_TEST(identity.home == std::string("/srv/web"));
    BOOST_TEST(identity.group_count == 2U);
    BOOST_TEST(identity.groups[0] == 29U);
    BOOST_TEST(identity.groups[1] == 44U);
}

BOOST_AUTO_TEST_CASE(a_number_needs_no_entry_and_uses_the_one_that_it_has) {
    BOOST_TEST(look("33") == 0);
    BOOST_TEST(identity.gid == 34U);
    BOOST_TEST(look("1234") == 0);
    BOOST_TEST(identity.uid == 1234U);
    BOOST_TEST(identity.gid == 0U);
    BOOST_TEST(identity.home == std::string("/"));
    BOOST_TEST(look("nohome") == 0);
    BOOST_TEST(identity.home == std::string("/"));
}

BOOST_AUTO_TEST_CASE(a_group_that_is_named_counts_alone) {
    BOOST_TEST(look("web:audio") == 0);
    BOOST_TEST(identity.gid == 29U);
    BOOST_TEST(identity.group_count == 0U);
    BOOST_TEST(look("web:4321") == 0);
    BOOST_TEST(identity.gid == 4321U);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_told) {
    for (const char* words : {"nobody", "web:nogroup", "far", "broken", "4294967295", "-1"}) {
        BOOST_TEST(look(words) == -1, words);
        BOOST_TEST(errno == 0, words);
    }
    fs::remove_all(top / "etc");
    BOOST_TEST(look("0") == 0);
    BOOST_TEST(look("root") == -1);
}

BOOST_AUTO_TEST_CASE(lines_of_any_length_do_no_harm) {
    file("etc/passwd",
         "long:x:1:1:" + std::string(100000, 'x') + ":/home:/bin/sh\n\n:::::\nweb:x:33:34::/srv/web:/bin/sh");
    BOOST_TEST(look("web") == 0);
    BOOST_TEST(identity.uid == 33U);
    BOOST_TEST(look("long") == -1);
    file("etc/passwd", "web:x:33:34::/" + std::string(2000, 'h') + ":/bin/sh\n");
    BOOST_TEST(look("web") == 0);
    BOOST_TEST(identity.home == std::string("/"));
    std::string members = "crowd:x:50:";
    for (int i = 0; i < 500; ++i) {
        members += "u" + std::to_string(i) + ",";
    }
    file("etc/group", members + "web\n");
    BOOST_TEST(look("web") == 0);
    BOOST_TEST(identity.group_count == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct DiffPlace : Place {
    void whiteout(const std::string& path) const {
        fs::create_directories((top / path).parent_path());
        BOOST_REQUIRE(::mknod((top / path).c_str(), S_IFCHR, makedev(0, 0)) == 0);
    }
    void opaque(const std::string& path) const {
        BOOST_REQUIRE(::setxattr((top / path).c_str(), "user.overlay.opaque", "y", 1, 0) == 0);
    }
    void copy(const std::string& from, const std::string& to) const {
        fs::create_directories((top / to).parent_path());
        BOOST_REQUIRE(std::system(("cp -a '" + (top / from).string() + "' '" + (top / to).string() + "'").c_str()) ==
                      0);
    }
    /// "added /path", a line each.
    [[nodiscard]] std::string diff(const std::vector<std::string>& lower,
                                   OverlayMarks marks = OverlayMarks::kernel) const {
        std::vector<std::string> paths;
        for (const std::string& name : lower) {
            directory(name);
            paths.push_back(top / name);
        }
        std::string text;
        for (const Change& change : read_changes(to_text(compare_layer(top / "upper", paths, marks)))) {
            constexpr const char* kWords[] = {"added ", "changed ", "deleted "};
            text += kWords[static_cast<int>(change.kind)] + change.path + "\n";
        }
        return text;
    }
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(layer_diff, DiffPlace)

BOOST_AUTO_TEST_CASE(additions_changes_and_deletions_are_told_apart) {
    file("low/same");
    file("low/changed", "before");
    file("low/gone");
    file("low/d/inside");
    copy("low/same", "upper/same");
    file("upper/changed", "after, longer");
    whiteout("upper/gone");
    whiteout("upper/never-there");
    file("upper/new\nname");
    file("upper/d/added");
    BOOST_TEST(diff({"low"}) == "changed /changed\nadded /d/added\ndeleted /gone\nadded /new\nname\n");
}

BOOST_AUTO_TEST_CASE(an_opaque_directory_deletes_what_it_hides) {
    file("low/d/one");
    file("low/d/two");
    file("upper/d/two", "longer than before");
    opaque("upper/d");
    BOOST_TEST(diff({"low"}) == "deleted /d/one\nchanged /d/two\n");
}

BOOST_AUTO_TEST_CASE(the_marks_of_fuse_overlayfs_mean_the_same) {
    file("low/d/one");
    file("low/gone");
    file("upper/.wh.gone", "");
    file("upper/d/.wh..wh..opq", "");
    file("upper/d/.wh.one", "");
    file("upper/d/three");
    BOOST_TEST(diff({"low"}, OverlayMarks::fuse) == "deleted /d/one\nadded /d/three\ndeleted /gone\n");
}

BOOST_AUTO_TEST_CASE(what_only_fuse_overlayfs_takes_for_a_mark_is_a_file_of_a_layer_of_the_kernels) {
    file("low/d/one");
    file("low/here");
    copy("low/d", "upper/d");
    file("upper/.wh.here", "");
    file("upper/.wh.hidden/payload");
    file("upper/d/.wh..wh..opq", "");
    BOOST_TEST(diff({"low"}) ==
               "added /.wh.here\nadded /.wh.hidden\nadded /.wh.hidden/payload\nadded /d/.wh..wh..opq\n");
    BOOST_REQUIRE(::setxattr((top / "low/d").c_str(), "user.fuseoverlayfs.opaque", "y", 1, 0) == 0);
    BOOST_REQUIRE(::setxattr((top / "upper/d").c_str(), "user.fuseoverlayfs.opaque", "y", 1, 0) == 0);
    BOOST_TEST(diff({"low"}).find("deleted") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_change_is_told_though_size_and_time_were_set_back) {
    file("low/content", "before");
    file("low/attribute");
    directory("low/d");
    file("low/same", "same");
    for (const char* name : {"content", "attribute", "d", "same"}) {
        copy(std::string("low/") + name, std::string("upper/") + name);
    }
    file("upper/content", "behind");
    fs::last_write_time(top / "upper/content", fs::last_write_time(top / "low/content"));
    for (const char* name : {"upper/attribute", "upper/d"}) {
        BOOST_REQUIRE(::setxattr((top / name).c_str(), "user.note", "new", 3, 0) == 0);
    }
    BOOST_TEST(diff({"low"}) == "changed /attribute\nchanged /content\nchanged /d\n");
}

BOOST_AUTO_TEST_CASE(what_lies_too_deep_is_told_in_few_words) {
    directory("low");
    const std::string name(9, 'd'); // the path stays shorter than PATH_MAX
    std::string path = "upper";
    for (int i = 0; i < 402; ++i) {
        path += "/" + name;
    }
    directory(path);
    try {
        static_cast<void>(diff({"low"}));
        BOOST_FAIL("it was compared");
    } catch (const Error& error) {
        BOOST_TEST(std::string(error.what()).size() < 400U);
    }
}

BOOST_AUTO_TEST_CASE(lower_layers_are_seen_as_they_are_joined) {
    file("low/a/hidden");
    file("low/b");
    file("low/kind/inside");
    file("middle/a/own");
    opaque("middle/a");
    whiteout("middle/b");
    file("middle/kind");
    whiteout("upper/a/hidden");
    whiteout("upper/a/own");
    file("upper/b");
    directory("upper/kind");
    file("upper/kind/inside");
    BOOST_TEST(diff({"low", "middle"}) == "deleted /a/own\nadded /b\nchanged /kind\nadded /kind/inside\n");
}

BOOST_AUTO_TEST_CASE(modes_links_and_types_count) {
    file("low/mode");
    link("low/link", "here");
    link("low/same", "there");
    file("low/type");
    directory("low/d");
    copy("low/mode", "upper/mode");
    fs::permissions(top / "upper/mode", static_cast<fs::perms>(0600));
    link("upper/link", "elsewhere");
    link("upper/same", "there");
    directory("upper/type");
    copy("low/d", "upper/d");
    BOOST_TEST(diff({"low"}) == "changed /link\nchanged /mode\nchanged /type\n");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_cut_short_is_refused) {
    const std::string text = to_text(std::vector<Change>{{Change::Kind::added, "/x", 0100644, 1}});
    BOOST_TEST(read_changes(text).size() == 1U);
    BOOST_CHECK_THROW(static_cast<void>(read_changes(text.substr(0, text.size() - 1))), Error);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(remove_trees, Place)

BOOST_AUTO_TEST_CASE(a_tree_is_removed_and_nothing_beside_it) {
    file("tree/a/b/c/d/e");
    file("tree/a/x");
    file("beside/file");
    link("tree/out", (top / "beside").string());
    link("tree/a/out", "../../beside");
    fs::permissions(top / "tree/a/b/c", static_cast<fs::perms>(0755));
    BOOST_TEST(remove_tree(open(".").get(), "tree") == 0);
    BOOST_TEST(!fs::exists(top / "tree"));
    BOOST_TEST(fs::exists(top / "beside/file"));
}

BOOST_AUTO_TEST_CASE(a_tree_deeper_than_any_path_is_removed) {
    directory("tree");
    Fd here = open("tree");
    for (int i = 0; i < 3000; ++i) {
        BOOST_REQUIRE(::mkdirat(here.get(), "moved-1", 0755) == 0);
        here.reset(::openat(here.get(), "moved-1", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        BOOST_REQUIRE(static_cast<bool>(here));
    }
    here.reset();
    BOOST_TEST(remove_tree(open(".").get(), "tree") == 0);
    BOOST_TEST(fs::is_empty(top));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_an_error) {
    BOOST_TEST(remove_tree(open(".").get(), "nothing") == -1);
    file("file");
    BOOST_TEST(remove_tree(open(".").get(), "file") == -1);
    BOOST_TEST(fs::exists(top / "file"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(kept_layers, Place)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
    const KeptLayers kept{.driver = "fuse", .layers = {{"root", "sha256:12"}, {"/a b\n%\t\x7f", "/c"}}};
    write_kept_layers(top, kept);
    const auto read = read_kept_layers(top);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->driver == "fuse");
    BOOST_CHECK(read->layers == kept.layers);
}

BOOST_AUTO_TEST_CASE(a_damaged_text_says_nothing) {
    const std::string text = KeptLayers{.driver = "kernel", .layers = {{"root", "x"}}}.to_text();
    BOOST_TEST(KeptLayers::parse(text).has_value());
    for (std::size_t length = 0; length + 1 < text.size(); ++length) {
        BOOST_TEST(!KeptLayers::parse(text.substr(0, length)).has_value(), length);
    }
    for (const char* wrong : {"sandbox kept layers 2\ndriver kernel\nend\n", "sandbox kept layers 1\nend\n",
                              "sandbox kept layers 1\ndriver kernel\nlayer %zz x\nend\n",
                              "sandbox kept layers 1\ndriver kernel\nlayer alone\nend\n"}) {
        BOOST_TEST(!KeptLayers::parse(wrong).has_value(), wrong);
    }
}

BOOST_AUTO_TEST_CASE(one_at_a_time_has_the_lock) {
    Fd first = lock_kept_layers(top);
    BOOST_TEST(static_cast<bool>(first));
    BOOST_TEST(!lock_kept_layers(top));
    first.reset();
    BOOST_TEST(static_cast<bool>(lock_kept_layers(top)));
    BOOST_CHECK_THROW(static_cast<void>(lock_kept_layers(top / "nothing")), Error);
}

BOOST_AUTO_TEST_CASE(a_version_of_fuse_overlayfs_that_writes_wrong_data_is_known) {
    BOOST_TEST(overlay::is_broken_fuse_version("1.16"));
    BOOST_TEST(!overlay::is_broken_fuse_version("1.1"));
    BOOST_TEST(!overlay::is_broken_fuse_version("1.160"));
    BOOST_TEST(!overlay::is_broken_fuse_version(""));
    file("fuse-overlayfs", "#!/bin/sh\necho 'fusermount3 version: 3.14.0'\necho 'fuse-overlayfs: version 1.16'\n");
    fs::permissions(top / "fuse-overlayfs", static_cast<fs::perms>(0755));
    BOOST_TEST(overlay::fuse_version(top / "fuse-overlayfs") == "1.16");
    BOOST_TEST(overlay::fuse_version("/nonexistent") == "");
}

BOOST_AUTO_TEST_CASE(a_fallback_to_fuse_overlayfs_is_told_with_where_its_faults_stand) {
    OverlaysPlan plan;
    Overlay& layers = plan.list.emplace_back();
    layers.lower = {"/srv/x"};
    layers.has_mounts = true; // which the kernel's overlay cannot join
    plan.fuse_program = "/nonexistent/fuse-overlayfs";
    const overlay::Choice choice = overlay::choose_driver(plan, "");
    BOOST_TEST(choice.through_fuse);
    BOOST_TEST(choice.notice.find("WHO JOINS THE LAYERS in sandbox-images(7)") != std::string::npos, choice.notice);
    BOOST_TEST(choice.notice.find("mounted inside of '/srv/x'") != std::string::npos, choice.notice);
}

BOOST_AUTO_TEST_SUITE_END()
