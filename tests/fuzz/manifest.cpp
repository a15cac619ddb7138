// Every document of an image, from the same text.
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/image/manifest.hpp"
#include "core/plan/image_record.hpp"
#include "core/plan/image_reference.hpp"

namespace {

template <typename Parse, typename Check> void try_it(Parse parse, std::string_view text, Check check) {
    try {
        check(parse(text, "document"));
    } catch (const sandbox::Error&) {
    }
}

void expect(bool holds) {
    if (!holds) {
        std::abort();
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace sandbox::image;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_it(parse_index, text, [](const std::vector<Descriptor>& listed) {
        for (const Descriptor& descriptor : listed) {
            expect(sandbox::is_digest(descriptor.digest));
        }
    });
    try_it(parse_manifest, text, [](const Manifest& manifest) {
        expect(sandbox::is_digest(manifest.config.digest) && manifest.layers.size() <= sandbox::kMostLayers);
    });
    try_it(parse_archive_manifest, text, [](const std::vector<ArchivedImage>& images) { expect(!images.empty()); });
    try_it(parse_config, text, [](const ParsedConfig& parsed) {
        sandbox::ImageRecord record;
        record.config = parsed.config;
        expect(sandbox::read_image_record(sandbox::to_text(record), "record") == record);
    });
    return 0;
}
