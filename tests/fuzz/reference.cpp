// References: what was read and written is read again as the same.
#include <cstdlib>

#include "core/base/error.hpp"
#include "core/plan/image_reference.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const sandbox::ImageReference reference = sandbox::parse_reference(text);
        const bool same = sandbox::parse_reference(reference.full()) == reference &&
                          sandbox::parse_reference(reference.familiar()) == reference;
        // It becomes a word of a command line and a line of a file.
        if (!same || reference.full().find_first_of(" \n\0") != std::string::npos || reference.full().front() == '-') {
            std::abort();
        }
    } catch (const sandbox::Error&) {
    }
    return 0;
}
