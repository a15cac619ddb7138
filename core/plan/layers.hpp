// Which of two written values counts: the layers of a Profile in their order.
#pragma once

#include <string>
#include <vector>

#include "core/plan/profile.hpp"

namespace sandbox {

/// The order of the places where values were written: our defaults, the profiles base first, the command line.
class Layers {
public:
    explicit Layers(const Profile& profile) : lineage_(profile.lineage) {}

    /// Greater is later and wins. Defaults of ours are 0; two values of one file, or two options, are equal.
    [[nodiscard]] int rank(const Origin& origin) const;

private:
    std::vector<std::string> lineage_;
};

} // namespace sandbox
