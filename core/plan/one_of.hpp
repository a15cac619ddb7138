// A setting that takes one of a few words.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/plan/origin.hpp"

namespace sandbox {

/// The setting's word, or the first of `words` where it is not written. \throws Error for another word, with the
/// nearest.
[[nodiscard]] std::string one_of(const Setting<std::string>& setting, std::span<const std::string_view> words);

/// The error for a word that is none of `words`; `what` says what was expected ("a namespace").
[[noreturn]] void refuse_word(const std::string& word, const Origin& origin, std::string_view what,
                              std::span<const std::string_view> words);

} // namespace sandbox
