// The store's own files, should somebody have written into them.
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/plan/image_record.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const sandbox::ImageRecord record = sandbox::read_image_record(text, "record");
        for (const std::string& layer : record.layers) {
            if (layer.find('/') != std::string::npos) {
                std::abort();
            }
        }
        if (!(sandbox::read_image_record(sandbox::to_text(record), "record") == record)) {
            std::abort();
        }
    } catch (const sandbox::Error&) {
    }
    try {
        const sandbox::StoreIndex index = sandbox::read_index(text, "references");
        if (!(sandbox::read_index(sandbox::to_text(index), "references") == index)) {
            std::abort();
        }
    } catch (const sandbox::Error&) {
    }
    return 0;
}
