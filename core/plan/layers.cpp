#include "core/plan/layers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sandbox {

int Layers::rank(const Origin& origin) const {
    switch (origin.kind) {
    case Origin::Kind::built_in:
        return 0;
    case Origin::Kind::option:
        return std::numeric_limits<int>::max();
    case Origin::Kind::file:
        break;
    }
    const auto found = std::ranges::find(lineage_, origin.source.str());
    return static_cast<int>(found - lineage_.begin()) + 1;
}

} // namespace sandbox
