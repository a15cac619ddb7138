// The names in a layer, platforms, the names of images, what skopeo is told.
#include <algorithm>

#include <boost/test/unit_test.hpp>

#include "core/base/error.hpp"
#include "core/image/import_names.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/platform.hpp"
#include "core/image/progress.hpp"
#include "core/image/pull.hpp"
#include "core/image/xattrs.hpp"

using namespace sandbox;
using namespace sandbox::image;

BOOST_AUTO_TEST_SUITE(names)

BOOST_AUTO_TEST_CASE(a_layers_names_are_read_as_the_specification_says) {
    using Kind = LayerName::Kind;
    const struct {
        std::string text;
        Kind kind;
        std::string parents;
        std::string name;
    } kNames[] = {
        {"./", Kind::entry, "", ""},
        {"/", Kind::entry, "", ""},
        {"a", Kind::entry, "", "a"},
        {"/etc//./passwd", Kind::entry, "etc", "passwd"},
        {"a/b/", Kind::entry, "a", "b"},
        {"a/...", Kind::entry, "a", "..."},
        {"a/.wh.b", Kind::whiteout, "a", "b"},
        {"a/.wh.b/", Kind::whiteout, "a", "b"},
        {".wh..b", Kind::whiteout, "", ".b"},
        {"a/.wh..wh..opq", Kind::opaque, "a", ""},
        {".wh..wh..opq", Kind::opaque, "", ""},
        {".wh..wh.plnk/1.2", Kind::metadata, "", ""},
        {"a/.wh..wh.aufs", Kind::metadata, "", ""},
        {"a/.whole", Kind::entry, "a", ".whole"},
    };
    for (const auto& wanted : kNames) {
        const LayerName name = read_layer_name(wanted.text);
        BOOST_TEST((name.kind == wanted.kind), wanted.text);
        if (name.kind != Kind::metadata) {
            BOOST_TEST(join(name.parents) == wanted.parents, wanted.text);
            BOOST_TEST(name.name == wanted.name, wanted.text);
        }
    }
}

BOOST_AUTO_TEST_CASE(names_that_lead_out_or_hide_nothing_are_refused) {
    for (const std::string& wrong : {std::string("../a"), std::string("a/../b"), std::string("a/.."), std::string(".."),
                                     std::string("a/.wh."), std::string("a/.wh.."), std::string("a/.wh..."),
                                     std::string(".wh.a/b"), std::string(256, 'a'), std::string(4096, '/') + "a"}) {
        BOOST_CHECK_THROW(static_cast<void>(read_layer_name(wrong)), Error);
    }
    BOOST_CHECK_THROW(static_cast<void>(read_link_target("../a", "b")), Error);
    BOOST_CHECK_THROW(static_cast<void>(read_link_target("/", "b")), Error);
    BOOST_TEST(join(read_link_target("/etc/passwd", "b")) == "etc/passwd");
}

BOOST_AUTO_TEST_CASE(a_long_name_is_cut_for_a_message_and_a_wild_one_escaped) {
    BOOST_TEST(shown("a\nb") == "'a\\nb'");
    BOOST_TEST(shown(std::string(5000, 'x')).size() < 300U);
}

BOOST_AUTO_TEST_CASE(orders_to_an_overlay_are_known) {
    for (const char* name : {"user.overlay.opaque", "trusted.overlay.redirect", "user.fuseoverlayfs.opaque",
                             "security.fuseoverlayfs.whiteout", "user.containers.override_stat"}) {
        BOOST_TEST(is_overlay_xattr(name), name);
    }
    for (const char* name : {"user.overlays", "security.capability", "user.note"}) {
        BOOST_TEST(!is_overlay_xattr(name), name);
    }
}

BOOST_AUTO_TEST_CASE(a_build_serves_a_platform) {
    const Platform arm = parse_platform("linux/arm/v7");
    BOOST_TEST(to_text(arm) == "linux/arm/v7");
    BOOST_TEST(serves({"linux", "arm", "v7"}, arm));
    BOOST_TEST(!serves({"linux", "arm", "v6"}, arm));
    BOOST_TEST(!serves({"windows", "arm", "v7"}, arm));
    BOOST_TEST(serves({"linux", "arm64", "v8"}, parse_platform("aarch64")));
    BOOST_TEST(serves({"linux", "arm64", ""}, parse_platform("linux/arm64/v8")));
    for (const char* wrong : {"", "a/b/c/d", "/amd64", "linux/"}) {
        BOOST_CHECK_THROW(static_cast<void>(parse_platform(wrong)), Error);
    }
}

BOOST_AUTO_TEST_CASE(an_image_is_named_as_asked_else_as_delivered_else_after_its_file) {
    using Names = std::vector<std::string>;
    BOOST_TEST((choose_names({"x"}, {"debian:12"}, "f.tar") == Names{"x"}));
    BOOST_TEST((choose_names({}, {"debian:12"}, "f.tar") == Names{"docker.io/library/debian:12"}));
    BOOST_TEST((choose_names({}, {"12"}, "/a/Debian.oci") == Names{"docker.io/library/debian:12"}));
    BOOST_TEST((choose_names({}, {}, "/a/Web.tar.xz") == Names{"docker.io/library/web:latest"}));
    BOOST_TEST((choose_names({}, {"Bad//Name"}, "web/") == Names{"docker.io/library/web:latest"}));
    BOOST_CHECK_THROW(static_cast<void>(choose_names({}, {}, "standard input")), Error);
}

BOOST_AUTO_TEST_CASE(skopeo_is_told_with_fixed_words_and_a_reference_that_was_read) {
    const std::string digest = "sha256:" + std::string(64, 'a');
    const std::vector<std::string> words =
        skopeo_arguments(parse_reference("debian:12@" + digest), {"linux", "arm", "v7"}, true, "/store/x");
    const std::vector<std::string> wanted = {"--override-os",
                                             "linux",
                                             "--override-arch",
                                             "arm",
                                             "--override-variant",
                                             "v7",
                                             "copy",
                                             "--quiet",
                                             "--dest-oci-accept-uncompressed-layers",
                                             "--",
                                             "docker://docker.io/library/debian@" + digest,
                                             "oci:/store/x:image"};
    BOOST_TEST(words == wanted, boost::test_tools::per_element());
    BOOST_TEST(skopeo_arguments(parse_reference("a"), {"linux", "amd64", ""}, false, "/x").front() ==
               "--insecure-policy");
}

BOOST_AUTO_TEST_CASE(sizes_are_told_in_decimal_units) {
    BOOST_TEST(human_size(999) == "999 B");
    BOOST_TEST(human_size(1500) == "1.5 kB");
    BOOST_TEST(human_size(12'345'678) == "12.3 MB");
}

BOOST_AUTO_TEST_SUITE_END()
