#include "core/plan/capabilities_plan.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <linux/capability.h>

#include <cap-ng.h>

#include "core/base/error.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

/// An item that says something about a capability; the greater pair counts: (layer, named rather than "all").
struct Claim {
    std::pair<int, bool> strength;
    Origin origin;
};

struct Word {
    bool all = false;
    int number = -1;
};

std::string lower_without_prefix(std::string name) {
    std::ranges::transform(name, name.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    return name.starts_with("cap_") ? name.substr(4) : name;
}

Word read_word(const Item& item) {
    const std::string name = lower_without_prefix(item.text);
    if (name == "all") {
        return {.all = true, .number = -1};
    }
    std::vector<std::string> known{"all"};
    for (int number = 0; number <= CAP_LAST_CAP; ++number) {
        known.emplace_back(capng_capability_to_name(static_cast<unsigned>(number)));
        if (known.back() == name) {
            return {.all = false, .number = number};
        }
    }
    Error error(written_at(item.origin) + ": there is no capability " + quoted(item.text));
    const std::string near = nearest(name, known);
    if (!near.empty()) {
        error.fix("did you mean " + quoted(near) + "?");
    }
    throw error;
}

/// The strongest claim of `items` on each capability.
std::vector<std::optional<Claim>> claims(const std::vector<Item>& items, const Layers& layers) {
    std::vector<std::optional<Claim>> result(CAP_LAST_CAP + 1);
    for (const Item& item : items) {
        const Word word = read_word(item);
        const std::pair strength{layers.rank(item.origin), !word.all};
        for (int number = 0; number <= CAP_LAST_CAP; ++number) {
            auto& claim = result[static_cast<std::size_t>(number)];
            if ((word.all || word.number == number) && (!claim || strength >= claim->strength)) {
                claim = Claim{strength, item.origin};
            }
        }
    }
    return result;
}

[[noreturn]] void refuse_contradiction(int number, const Claim& keep, const Claim& drop) {
    throw Error(written_at(keep.origin) + ": cannot keep the capability " +
                quoted(capng_capability_to_name(static_cast<unsigned>(number))))
        .cause(written_at(drop.origin) + " drops it")
        .fix("write one of the two");
}

/// A word of drop that takes nothing away is worth a remark: the reader may have meant another name.
void remark_on_idle_drops(const std::vector<Item>& drops, const std::vector<std::optional<Claim>>& kept,
                          std::vector<std::string>& notices) {
    for (const Item& item : drops) {
        const Word word = read_word(item);
        if (!word.all && !kept[static_cast<std::size_t>(word.number)]) {
            notices.push_back(written_at(item.origin) + ": " + quoted(item.text) +
                              " is not kept, so it is not dropped");
        }
    }
}

} // namespace

CapabilitiesPlan plan_capabilities(const Profile::Capabilities& capabilities, const Layers& layers,
                                   std::vector<std::string>& notices) {
    const auto keeps = claims(capabilities.keep.items, layers);
    const auto drops = claims(capabilities.drop.items, layers);
    CapabilitiesPlan plan;
    for (int number = 0; number <= CAP_LAST_CAP; ++number) {
        const auto& keep = keeps[static_cast<std::size_t>(number)];
        const auto& drop = drops[static_cast<std::size_t>(number)];
        if (!keep || (drop && drop->strength > keep->strength)) {
            continue;
        }
        if (drop && drop->strength == keep->strength) {
            refuse_contradiction(number, *keep, *drop);
        }
        plan.keep.push_back(number);
        plan.origins.push_back(keep->origin);
    }
    remark_on_idle_drops(capabilities.drop.items, keeps, notices);
    return plan;
}

} // namespace sandbox
