// The metadata services of the clouds: they give a machine's credentials to whoever asks from it.
#pragma once

#include <string>

namespace sandbox {

inline constexpr const char* kMetadataAdvice = "a cloud's metadata service: who asks it acts as this machine";

/// 169.254.0.0/16 and fe80::/10, where most of them are, and those that are elsewhere.
/// \param host an address, or a name in lower case without a final dot.
[[nodiscard]] bool is_cloud_metadata(const std::string& host);

} // namespace sandbox
