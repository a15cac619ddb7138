// Which of an image's builds: "linux/amd64", "linux/arm64/v8".
#pragma once

#include <string>
#include <string_view>

namespace sandbox::image {

struct Platform {
    std::string os;
    std::string architecture;
    std::string variant; ///< empty: any

    bool operator==(const Platform&) const = default;
};

/// "OS/ARCHITECTURE[/VARIANT]", or "ARCHITECTURE". Also the kernel's names: x86_64, aarch64. \throws Error
[[nodiscard]] Platform parse_platform(std::string_view text);

/// This machine's.
[[nodiscard]] Platform own_platform();

[[nodiscard]] std::string to_text(const Platform& platform);

/// Whether a build for `offered` is what `wanted` asks for.
[[nodiscard]] bool serves(const Platform& offered, const Platform& wanted);

} // namespace sandbox::image
