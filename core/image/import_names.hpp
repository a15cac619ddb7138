// Which names an imported image gets.
#pragma once

#include <string>
#include <vector>

namespace sandbox::image {

/// \param asked in full: they win. \param delivered as the source has them: "debian:12", or a mere tag. \param source
/// the file's name, from which a name is made where there is no other.
/// \return references in full. \throws Error where there is none at all
[[nodiscard]] std::vector<std::string> choose_names(const std::vector<std::string>& asked,
                                                    const std::vector<std::string>& delivered,
                                                    const std::string& source);

} // namespace sandbox::image
