// Archives that mean harm, or are broken: nothing is written outside of the layer, the store stays whole, and the
// message names the entry.
#include <sys/mount.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <vector>

#include "tests/support/count.hpp"
#include "tests/support/store_world.hpp"

namespace fs = std::filesystem;
using namespace sandbox::test;

namespace {

struct Refused {
    const char* name;              ///< of hostile.py
    std::vector<const char*> said; ///< what the message has
};

/// Each is refused with its message, and the store is as it was.
void expect_refused(const StoreWorld& world, const std::vector<Refused>& archives) {
    const Result control = world.import({"--name", "control", world.image("order")});
    BOOST_TEST(control.status == 0, control);
    const std::string before = world.listed();
    for (const Refused& archive : archives) {
        BOOST_TEST_CONTEXT(archive.name) {
            const Result refused = world.import({"--max-size", "100M", world.hostile(archive.name)});
            BOOST_TEST(refused.status == 125, refused);
            for (const char* words : archive.said) {
                BOOST_TEST(refused.said(words), words << refused);
            }
            BOOST_TEST(world.listed() == before);
            BOOST_TEST(world.sh("ls -A '" + (world.store / "incoming").string() + "'").out.empty());
            BOOST_TEST(read_file(world.canary) == "safe");
        }
        fs::remove_all(world.made / archive.name);
    }
    world.expect_whole();
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(store_hostile, StoreWorld)

BOOST_AUTO_TEST_CASE(names_that_lead_out_are_refused) {
    expect_refused(*this, {{"dotdot", {"'../evil'", "leads out"}},
                           {"dotdot-inside", {"'etc/../../evil'", "leads out"}},
                           {"dotdot-harmless", {"'etc/../evil'", "leads out"}},
                           {"hard-link-out", {"'h'", "which is not there"}},
                           {"hard-link-up", {"'h'", "leads out"}},
                           {"hard-link-through-link", {"'h'", "which is not there"}},
                           {"hard-link-to-directory", {"'h'"}},
                           {"link-loop", {"'a/x'", "symbolic links"}},
                           {"parent-is-file", {"'etc/hostname/below'", "no directory"}},
                           {"root-is-file", {"'./.'"}},
                           {"blob-link", {"cannot open the image's 'blobs/sha256/"}}});
}

BOOST_AUTO_TEST_CASE(links_that_lead_out_are_followed_inside_of_the_image) {
    for (const char* name : {"absolute", "link-out", "link-up", "file-through-link", "directory-through-link",
                             "hard-link-to-link", "across-layers"}) {
        const Result imported = import({"--name", name, hostile(name)});
        BOOST_TEST(imported.status == 0, name << imported);
        BOOST_TEST(read_file(canary) == "safe", name);
    }
    // What meant to be outside is in the layers.
    const Result inside =
        outside({"unshare", "--map-root-user", "--map-auto", "grep", "-rl", "changed", store / "layers"});
    BOOST_TEST(inside.printed((home / "outside/canary").string() + "\n"), inside);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(whiteouts_that_hide_no_name_are_refused) {
    expect_refused(*this, {{"whiteout-bare", {"'etc/.wh.'"}},
                           {"whiteout-dot", {"'etc/.wh..'"}},
                           {"whiteout-dotdot", {"'etc/.wh...'"}},
                           {"whiteout-as-parent", {"'etc/.wh.x/y'"}}});
}

BOOST_AUTO_TEST_CASE(an_archive_gives_no_orders_to_the_overlay) {
    for (const auto& [name, note] : {std::pair{"overlay-xattrs", "give orders to an overlay were left out: 2 times"},
                                     {"whiteout-device", "device nodes were left out: 2 times"},
                                     {"aufs-metadata", ""}}) {
        const Result imported = import({"--name", name, hostile(name)});
        BOOST_TEST(imported.status == 0, name << imported);
        BOOST_TEST(imported.said(note), name << imported);
    }
    const Result orders = sh("cd '" + store.string() +
                             "/layers' && getfattr -R -d -m 'overlay|fuse|containers' . 2>&1 | "
                             "grep -c overlay; find . -type c -o -type b -o -name '.wh.*' | grep -c .");
    BOOST_TEST(orders.out == "0\n0\n", orders);
    expect_whole();
}

BOOST_AUTO_TEST_CASE(devices_are_left_out_and_setuid_files_and_fifos_stay) {
    const Result imported = import({"--name", "devices", hostile("devices")});
    BOOST_TEST(imported.said("device nodes were left out: 3 times, first 'etc/null'"), imported);
    const Result found = sh("cd '" + store.string() + "'/layers/*/root/etc && stat -c '%n %a %F' *");
    BOOST_TEST(found.out == "fifo 644 fifo\nhostname 644 regular file\nsetuid 6755 regular file\n", found);
}

BOOST_AUTO_TEST_CASE(owners_that_nobody_has_are_refused) {
    expect_refused(*this, {{"owner-beyond", {"'etc/far'", "3000000", "subordinate range"}},
                           {"owner-absurd", {"'etc/far'", "1099511627776"}},
                           {"owner-none", {"'etc/far'", "4294967295"}}});
}

BOOST_AUTO_TEST_CASE(what_is_too_large_is_refused_as_it_comes) {
    expect_refused(*this, {{"zeros", {"'etc/zeros'", "--max-size"}},
                           {"zeros-behind", {"zeros-behind'", "--max-size"}},
                           {"claim", {"'etc/claims'", "--max-size"}},
                           {"claim-absurd", {"'etc/claims'", "--max-size"}},
                           {"many", {"'etc/same'", "--max-size"}},
                           {"name-256", {"'etc/nnn", "256 bytes"}},
                           {"path-4096", {"'etc/ppp", "4103 bytes"}},
                           {"size-negative", {"the last entry that could be read is 'etc/'"}},
                           {"size-absurd", {"the last entry that could be read is 'etc/'"}}});
}

BOOST_AUTO_TEST_CASE(a_disk_that_fills_up_leaves_the_store_as_it_was) {
    if (!started_by_root()) {
        SKIP("only root can mount a small disk");
    }
    const fs::path small = directory(home / "small", 0700);
    const ScopedMount disk("tmpfs", small, 0,
                           "size=48m,mode=0700,uid=" + std::to_string(user().uid) +
                               ",gid=" + std::to_string(user().gid));
    Options options = here();
    options.environment["XDG_DATA_HOME"] = small;
    const fs::path archive = hostile("zeros");
    const Result control = ctl({"image", "import", "--name", "fits", image("order")}, options);
    BOOST_TEST(control.status == 0, control);
    const std::string before = ctl({"image", "list", "--json"}, options).out;
    const Result full = ctl({"image", "import", archive}, options);
    BOOST_TEST(full.status == 125, full);
    BOOST_TEST(full.said("'etc/zeros'"), full);
    BOOST_TEST(full.said("MiB left"), full);
    BOOST_TEST(ctl({"image", "list", "--json"}, options).out == before);
    BOOST_TEST(ctl({"image", "verify"}, options).status == 0);
    BOOST_TEST(fs::is_empty(small / "sandbox/incoming"));
}

BOOST_AUTO_TEST_CASE(what_is_truncated_or_corrupt_is_refused) {
    expect_refused(*this, {{"truncated-gzip", {"truncated-gzip'", "middle of a gzip member"}},
                           {"truncated-xz", {"truncated-xz'"}},
                           {"truncated-zstd", {"truncated-zstd'", "Truncated"}},
                           {"truncated-tar", {"truncated-tar'", "'etc/noise'"}},
                           {"corrupt-gzip", {"corrupt-gzip'"}},
                           {"corrupt-gzip-checksum", {"corrupt-gzip-checksum'", "check"}},
                           {"corrupt-xz", {"corrupt-xz'"}},
                           {"corrupt-zstd", {"corrupt-zstd'"}},
                           {"checksum", {"the last entry that could be read is 'etc/'"}},
                           {"no-archive", {"no-archive'", "no entry"}},
                           {"empty", {"holds no file"}},
                           {"empty-tar", {"holds no file"}}});
    BOOST_TEST(import({"--name", "empty-layer", hostile("empty-layer")}).status == 0); // that is one
}

BOOST_AUTO_TEST_CASE(what_is_not_what_its_digest_says_is_refused) {
    expect_refused(*this, {{"wrong-layer", {"blobs/sha256/", "wrong size"}},
                           {"wrong-layer-same-size", {"blobs/sha256/", "not what its digest says"}},
                           {"wrong-config", {"blobs/sha256/", "not what its digest says"}},
                           {"wrong-manifest", {"blobs/sha256/", "not what its digest says"}},
                           {"wrong-diff-id", {"blobs/sha256/", "not what its digest says"}},
                           {"wrong-size", {"blobs/sha256/", "wrong size"}},
                           {"missing-layer", {"blobs/sha256/", "missing"}},
                           {"few-diff-ids", {"0 diff ids"}},
                           {"docker-wrong-config", {".json'", "not what its digest says"}}});
}

BOOST_AUTO_TEST_CASE(documents_that_make_no_sense_are_refused) {
    expect_refused(*this, {{"size-in-manifest-negative", {"layers[0].size"}},
                           {"size-in-manifest-huge", {"layers[0].size"}},
                           {"size-in-manifest-text", {"config.size"}},
                           {"layers-many", {"longer than"}},
                           {"layers-some", {"layers: it has 600 items"}},
                           {"layers-none", {"no layers"}},
                           {"layer-other-type", {"layers[0]", "text/html"}},
                           {"digest-path", {"layers[0].digest"}},
                           {"digest-other", {"layers[0].digest"}},
                           {"environment-zero", {"config.Env[0]", "zero byte"}},
                           {"environment-number", {"config.Env[0]"}},
                           {"index-deep", {"index"}},
                           {"json-deep", {"index.json"}},
                           {"json-long", {"index.json", "longer than"}},
                           {"json-not-utf-8", {"index.json", "byte 16"}},
                           {"json-cut", {"index.json"}},
                           {"docker-layer-out", {"etc/passwd'", "missing"}},
                           {"docker-config-out", {"'/etc/passwd'", "missing"}},
                           {"docker-layer-loop", {"layer.tar'", "symbolic links"}}});
}

BOOST_AUTO_TEST_SUITE_END()
