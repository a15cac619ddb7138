// Images as the store knows them: references, records.
#include <boost/test/unit_test.hpp>

#include "core/base/error.hpp"
#include "core/plan/image_record.hpp"
#include "core/plan/image_reference.hpp"

using namespace sandbox;

namespace {

const std::string kHex(64, 'a');

std::string mistake_in(const std::string& reference) {
    try {
        static_cast<void>(parse_reference(reference));
    } catch (const Error& error) {
        return error.what();
    }
    return "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(image)

BOOST_AUTO_TEST_CASE(a_reference_is_completed_as_docker_does) {
    const struct {
        std::string written;
        std::string full;
        std::string familiar;
    } kReferences[] = {
        {"debian", "docker.io/library/debian:latest", "debian:latest"},
        {"debian:12", "docker.io/library/debian:12", "debian:12"},
        {"library/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"docker.io/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"index.docker.io/debian", "docker.io/library/debian:latest", "debian:latest"},
        {"me/tool", "docker.io/me/tool:latest", "me/tool:latest"},
        {"docker.io/a.b/tool", "docker.io/a.b/tool:latest", "docker.io/a.b/tool:latest"},
        {"localhost/tool", "localhost/tool:latest", "localhost/tool:latest"},
        {"localhost:5000/a/b:v1.2_3-x", "localhost:5000/a/b:v1.2_3-x", "localhost:5000/a/b:v1.2_3-x"},
        {"ghcr.io/a/b__c/d-e.f", "ghcr.io/a/b__c/d-e.f:latest", "ghcr.io/a/b__c/d-e.f:latest"},
        {"Host/name", "Host/name:latest", "Host/name:latest"},
        {"debian@sha256:" + kHex, "docker.io/library/debian@sha256:" + kHex, "debian@sha256:" + kHex},
        {"debian:12@sha256:" + kHex, "docker.io/library/debian:12@sha256:" + kHex, "debian:12@sha256:" + kHex},
    };
    for (const auto& reference : kReferences) {
        const ImageReference parsed = parse_reference(reference.written);
        BOOST_TEST(parsed.full() == reference.full);
        BOOST_TEST(parsed.familiar() == reference.familiar);
        BOOST_TEST((parse_reference(parsed.full()) == parsed), reference.written); // reading what we write is no change
        BOOST_TEST((parse_reference(parsed.familiar()) == parsed), reference.written);
    }
}

BOOST_AUTO_TEST_CASE(a_reference_that_is_none_is_refused) {
    for (const std::string& wrong : std::vector<std::string>{"",
                                                             ":tag",
                                                             "@sha256:" + kHex,
                                                             "Debian",
                                                             "debian:",
                                                             "debian:-x",
                                                             "debian:" + std::string(129, 'a'),
                                                             "a//b",
                                                             "/a",
                                                             "a/",
                                                             "a b",
                                                             "a..b",
                                                             "a___b",
                                                             "a_.b",
                                                             "-a",
                                                             "a-",
                                                             "../a",
                                                             "a/../b",
                                                             "a\nb",
                                                             "a@sha256:123",
                                                             "a@sha512:" + kHex,
                                                             "a@sha256:" + std::string(64, 'A'),
                                                             "host:99999999/a",
                                                             "host:/a",
                                                             "ho_st.x/a",
                                                             "--option",
                                                             std::string(300, 'a'),
                                                             std::string("a\0b", 3),
                                                             "docker://debian",
                                                             "\xff"}) {
        BOOST_TEST(mistake_in(wrong).starts_with("cannot read the image reference"), wrong);
    }
}

BOOST_AUTO_TEST_CASE(a_record_is_read_as_it_was_written) {
    ImageRecord record;
    record.layers = {kHex, kHex + "-0123456789abcdef", kHex + ".single", kHex + "-0123456789abcdef.single"};
    record.single_owner = true;
    record.config = {.environment = {"A=b c", "B=", "C=line\nline\\n", "D=\xff"},
                     .entrypoint = {"/bin/sh", "", "-c"},
                     .command = {"echo\n"},
                     .workdir = "/a b",
                     .user = "web:web",
                     .stop_signal = "SIGQUIT",
                     .architecture = "amd64",
                     .os = "linux"};
    BOOST_TEST((read_image_record(to_text(record), "record") == record));
    BOOST_TEST((read_image_record(to_text(ImageRecord{}), "record") == ImageRecord{}));
}

BOOST_AUTO_TEST_CASE(a_record_that_was_cut_or_changed_is_refused) {
    ImageRecord record;
    record.layers = {kHex};
    const std::string whole = to_text(record);
    for (std::size_t size = 0; size < whole.size() - 1; ++size) {
        BOOST_CHECK_THROW(static_cast<void>(read_image_record(whole.substr(0, size), "record")), Error);
    }
    for (const std::string wrong : {"layer ../../../etc\n", "layer \n", "other x\n", "layers x\n"}) {
        BOOST_CHECK_THROW(static_cast<void>(read_image_record("sandbox-image 1\n" + wrong + "end\n", "record")), Error);
    }
}

BOOST_AUTO_TEST_CASE(a_layers_name_is_a_digest_and_never_a_path) {
    BOOST_TEST(is_layer_name(kHex));
    for (const std::string& wrong :
         {std::string(), std::string(".."), kHex + "/..", kHex + "-", kHex + "-../../../etc/passwd", kHex.substr(1),
          std::string(64, 'A'), kHex + ".single.single"}) {
        BOOST_TEST(!is_layer_name(wrong), wrong);
    }
}

BOOST_AUTO_TEST_CASE(references_are_read_as_they_were_written) {
    const std::string other = "sha256:" + std::string(64, 'b');
    const StoreIndex index = {{{"docker.io/library/a:1", "sha256:" + kHex}, {"x/y:2", "sha256:" + kHex}},
                              {"sha256:" + kHex, other}};
    BOOST_TEST((read_index(to_text(index), "references") == index));
    BOOST_TEST(to_text(index).ends_with("- " + other + "\n"));
    for (const std::string& wrong : {std::string("a\n"), std::string("a sha256:12\n"), " sha256:" + kHex + "\n"}) {
        BOOST_CHECK_THROW(static_cast<void>(read_index(wrong, "references")), Error);
    }
}

BOOST_AUTO_TEST_SUITE_END()
