#include "cmd/common/overrides.hpp"

#include "cmd/common/profile_keys.hpp"

namespace sandbox {

namespace {

std::string word(const std::string& value) {
    return value;
}

std::string word(bool value) {
    return value ? "true" : "false";
}

/// \param cleared_by what took the value away where none counts.
template <class T> void collect(const Setting<T>& setting, const std::string& key, const Origin& cleared_by,
                                std::vector<Override>& result) {
    for (std::size_t i = 0; i < setting.overridden.size(); ++i) {
        const auto& [value, origin] = setting.overridden[i];
        const Origin& last = setting.value ? setting.origin : cleared_by;
        const Origin& by = i + 1 < setting.overridden.size() ? setting.overridden[i + 1].second : last;
        result.push_back({key, word(value), origin, by});
    }
}

/// A list keeps no origin for each of its replacements: what the next written items stand in has replaced the earlier.
void collect(const List& list, const std::string& key, const Origin& cleared_by, std::vector<Override>& result) {
    const Origin& last = list.replaces ? list.origin : cleared_by;
    for (std::size_t i = 0; i < list.overridden.size(); ++i) {
        const Item& item = list.overridden[i];
        const Origin* by = &last;
        for (std::size_t j = i + 1; j < list.overridden.size() && by == &last; ++j) {
            if (list.overridden[j].origin.source != item.origin.source) {
                by = &list.overridden[j].origin;
            }
        }
        result.push_back({key, item.text, item.origin, *by});
    }
}

} // namespace

std::vector<Override> overridden_values(const Profile& profile) {
    Profile copy = profile; // the table of keys speaks of fields that can be written
    std::vector<Override> result;
    for (const ProfileKey& key : profile_keys()) {
        // The [seccomp] table as a whole is replaced by seccomp.extends, the environment by environment.clear.
        const Origin& cleared_by =
            key.table == "seccomp" ? profile.seccomp.base_profile.origin : profile.environment.clear.origin;
        std::visit([&](auto field) { collect(field(copy), key.full_name(), cleared_by, result); }, key.field);
    }
    for (const auto& [name, value] : profile.environment.set) {
        collect(value, "environment.set." + name, profile.environment.clear.origin, result);
    }
    return result;
}

} // namespace sandbox
