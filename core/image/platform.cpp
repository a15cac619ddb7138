#include "core/image/platform.hpp"

#include <sys/utsname.h>

#include "core/base/error.hpp"
#include "core/image/layer_path.hpp"

namespace sandbox::image {

namespace {

/// Go's name for what the kernel calls a machine: image-spec takes GOARCH.
std::string architecture_of(const std::string& machine) {
    if (machine == "x86_64") {
        return "amd64";
    }
    if (machine == "aarch64") {
        return "arm64";
    }
    return machine;
}

} // namespace

Platform parse_platform(std::string_view text) {
    const Components parts = split(text);
    if (parts.empty() || parts.size() > 3 || join(parts) != text) {
        throw Error("cannot read the platform " + quoted(text.substr(0, 100)))
            .cause("it is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT")
            .fix("--platform " + to_text(own_platform()));
    }
    if (parts.size() == 1) {
        return {"linux", architecture_of(parts[0]), ""};
    }
    return {parts[0], architecture_of(parts[1]), parts.size() > 2 ? parts[2] : ""};
}

Platform own_platform() {
    utsname names{};
    ::uname(&names);
    return {"linux", architecture_of(names.machine), ""};
}

std::string to_text(const Platform& platform) {
    return platform.os + "/" + platform.architecture + (platform.variant.empty() ? "" : "/" + platform.variant);
}

bool serves(const Platform& offered, const Platform& wanted) {
    if (offered.os != wanted.os || architecture_of(offered.architecture) != wanted.architecture) {
        return false;
    }
    if (wanted.variant.empty() || offered.variant == wanted.variant) {
        return true;
    }
    // Plain arm64 is v8: platforms.md of containerd.
    return wanted.architecture == "arm64" && wanted.variant == "v8" && offered.variant.empty();
}

} // namespace sandbox::image
