// The JSON documents of an image.
#include <boost/test/unit_test.hpp>

#include "core/base/error.hpp"
#include "core/image/digest.hpp"
#include "core/image/manifest.hpp"
#include "core/image/worker_result.hpp"

using namespace sandbox;
using namespace sandbox::image;

namespace {

const std::string kDigest = "sha256:" + std::string(64, 'b');

std::string descriptor(const std::string& more = "") {
    return R"({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": ")" + kDigest +
           R"(", "size": 12)" + more + "}";
}

template <typename Parse> std::string mistake_of(Parse parse, const std::string& text) {
    try {
        static_cast<void>(parse(text, "file"));
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(documents)

BOOST_AUTO_TEST_CASE(a_manifest_has_a_config_and_layers) {
    const Manifest manifest =
        parse_manifest(R"({"config": )" + descriptor() + R"(, "layers": [)" + descriptor() + "]}", "file");
    BOOST_TEST(manifest.config.digest == kDigest);
    BOOST_TEST(manifest.layers.size() == 1U);
    BOOST_TEST(manifest.layers[0].size == 12U);
}

BOOST_AUTO_TEST_CASE(an_index_names_platforms_and_images) {
    const std::string text = R"({"manifests": [)" +
                             descriptor(R"(, "platform": {"os": "linux", "architecture": "arm", "variant": "v7"},
                                           "annotations": {"org.opencontainers.image.ref.name": "12"})") +
                             "," + descriptor(R"(, "platform": null, "annotations": null)") + "]}";
    BOOST_TEST(is_index(text, "file"));
    const std::vector<Descriptor> manifests = parse_index(text, "file");
    BOOST_TEST((manifests.at(0).platform == Platform{"linux", "arm", "v7"}));
    BOOST_TEST(manifests[0].name == "12");
    BOOST_TEST(!manifests.at(1).platform.has_value());
}

BOOST_AUTO_TEST_CASE(a_config_says_how_to_run_and_null_is_nothing) {
    const ParsedConfig parsed = parse_config(R"({"architecture": "amd64", "os": "linux",
        "config": {"Env": ["A=b"], "Entrypoint": null, "Cmd": ["sh", "-c"], "WorkingDir": "/w", "User": "1:2",
                   "StopSignal": "SIGINT"},
        "rootfs": {"type": "layers", "diff_ids": [")" +
                                                 kDigest + R"("]}})",
                                             "file");
    const ImageConfig wanted = {.environment = {"A=b"},
                                .entrypoint = {},
                                .command = {"sh", "-c"},
                                .workdir = "/w",
                                .user = "1:2",
                                .stop_signal = "SIGINT",
                                .architecture = "amd64",
                                .os = "linux"};
    BOOST_TEST((parsed.config == wanted));
    BOOST_TEST(parsed.diff_ids.size() == 1U);
    const ParsedConfig plain = parse_config(plain_config({"linux", "amd64", ""}, kDigest), "file");
    BOOST_TEST(plain.diff_ids.at(0) == kDigest);
}

BOOST_AUTO_TEST_CASE(a_mistake_is_told_with_the_member_that_has_it) {
    const std::string layers = R"(, "layers": [)" + descriptor() + "]}";
    const auto manifest = [](const std::string& text) { return mistake_of(parse_manifest, text); };
    BOOST_TEST(manifest("").find("no JSON") != std::string::npos);
    BOOST_TEST(manifest(R"({"config": {"size": 1e400}})").find("number that is too large") != std::string::npos);
    BOOST_TEST(manifest("[]").find("an object is wanted") != std::string::npos);
    BOOST_TEST(manifest(R"({"config": 5)" + layers).find("config: an object") != std::string::npos);
    BOOST_TEST(manifest(R"({"config": {"digest": "x"})" + layers).find("config.digest:") != std::string::npos);
    BOOST_TEST(manifest(R"({"config": {"digest": ")" + kDigest + R"(", "size": 1.5})" + layers).find("config.size") !=
               std::string::npos);
    BOOST_TEST(manifest(R"({"fsLayers": []})").find("schema 1") != std::string::npos);
    BOOST_TEST(mistake_of(parse_archive_manifest, R"([{"Config": "a", "Layers": [null]}])") != "none");
    BOOST_TEST(mistake_of(parse_archive_manifest, R"([{"Config": "a", "Layers": ["l"]}])") == "none");
    BOOST_TEST(mistake_of(parse_archive_manifest, "[]") != "none");
    BOOST_TEST(mistake_of(parse_config, "{}").find("rootfs") != std::string::npos);
    BOOST_TEST(
        mistake_of(parse_config, R"({"config": {"Env": ["=x"]}, "rootfs": {"type": "layers"}})").find("config.Env") !=
        std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_digest_is_the_one_of_the_standard) {
    BOOST_TEST(digest_of("abc") ==
               "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); // FIPS 180
}

BOOST_AUTO_TEST_CASE(a_workers_error_arrives_whole) {
    const Error sent = Error("cannot do 'it'").kernel(ENOSPC).cause("c1").cause("c2").fix("f").status(130);
    try {
        static_cast<void>(result_of(to_text(failed_with(sent))));
        BOOST_FAIL("no error");
    } catch (const Error& error) {
        BOOST_TEST(std::string(error.what()) == sent.what());
        BOOST_TEST(error.exit_status() == 130);
    }
    BOOST_TEST(result_of(to_text(WorkerResult{"text\n", {}})) == "text\n");
    BOOST_CHECK_THROW(static_cast<void>(result_of("")), Error);
}

BOOST_AUTO_TEST_SUITE_END()
