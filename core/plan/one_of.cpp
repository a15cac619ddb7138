#include "core/plan/one_of.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

void refuse_word(const std::string& word, const Origin& origin, std::string_view what,
                 std::span<const std::string_view> words) {
    Error error(fmt::format("{}: cannot take {} for {}", written_at(origin), quoted(word), what));
    error.cause(fmt::format("it is none of {}", fmt::join(words, ", ")));
    const std::string near = nearest(word, words);
    if (!near.empty()) {
        error.fix("did you mean " + quoted(near) + "?");
    }
    throw error;
}

std::string one_of(const Setting<std::string>& setting, std::span<const std::string_view> words) {
    if (!setting) {
        return std::string(words.front());
    }
    if (std::ranges::find(words, *setting.value) == words.end()) {
        refuse_word(*setting.value, setting.origin, "this setting", words);
    }
    return *setting.value;
}

} // namespace sandbox
