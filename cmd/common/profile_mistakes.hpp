// What is wrong in a profile's file, with places: shared by the readers of its parts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/common/toml_tree.hpp"
#include "core/base/error.hpp"
#include "core/plan/origin.hpp"

namespace sandbox {

/// Collects the mistakes of one file; reading goes on behind each.
class ProfileMistakes {
public:
    explicit ProfileMistakes(std::string source) : source_(std::move(source)) {}

    /// The origin of what stands at `place` under `key` ("filesystem.read-only").
    [[nodiscard]] Origin at(TomlPlace place, SharedText key) const;

    void add(const Origin& origin, Error error);

    /// "KEY must be WANTED, not a number".
    void wrong_type(const TomlNode& node, const SharedText& key, std::string_view wanted, std::string_view fix = "");

    /// \param what "key" or "table".
    /// \param where "[filesystem]"; empty at the top.
    /// \param names the keys that may stand there.
    void unknown_key(const TomlMember& member, std::string_view what, std::string_view where,
                     std::span<const std::string_view> names);

    [[nodiscard]] std::size_t count() const { return mistakes_.size(); }

    /// All of them, in the order of the file.
    [[nodiscard]] std::vector<Error> take();

private:
    struct Mistake {
        TomlPlace place;
        Error error;
    };

    SharedText source_;
    std::vector<Mistake> mistakes_;
};

} // namespace sandbox
