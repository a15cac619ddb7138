#include "cmd/common/json.hpp"
#include "cmd/common/profile_keys.hpp"
#include "cmd/common/profile_writer.hpp"

namespace sandbox {

namespace {

Json items_json(const std::vector<Item>& items) {
    Json result = Json::array();
    for (const Item& item : items) {
        result.push_back(with_origin(item.text, item.origin));
    }
    return result;
}

/// Null where nothing is written.
Json value_json(Profile& profile, const ProfileKey& key) {
    if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
        const List& list = (*words)(profile);
        return list.written() ? items_json(list.items) : Json(nullptr);
    }
    if (const auto* flag = std::get_if<ProfileKey::Flag>(&key.field)) {
        const Setting<bool>& setting = (*flag)(profile);
        return setting ? with_origin(*setting.value, setting.origin) : Json(nullptr);
    }
    const Setting<std::string>& setting = std::get<ProfileKey::Text>(key.field)(profile);
    return setting ? with_origin(*setting.value, setting.origin) : Json(nullptr);
}

Json rules_json(const std::vector<SeccompRule>& rules) {
    Json result = Json::array();
    for (const SeccompRule& rule : rules) {
        Json conditions = Json::array();
        for (const SeccompCondition& condition : rule.conditions) {
            Json values = Json::array();
            for (const Item& value : condition.values) {
                values.push_back(value.text);
            }
            conditions.push_back({{"arg", condition.argument}, {"op", condition.op}, {"value", std::move(values)}});
        }
        Json names = Json::array();
        for (const Item& syscall : rule.syscalls) {
            names.push_back(syscall.text);
        }
        result.push_back({{"syscalls", std::move(names)},
                          {"action", rule.action.text},
                          {"when", std::move(conditions)},
                          {"quiet", rule.quiet},
                          {"origin", to_json(rule.origin)}});
    }
    return result;
}

} // namespace

std::string profile_to_json(const Profile& profile) {
    Profile copy = profile; // the table of keys speaks of fields that can be written
    Json document = {{"name", profile.name}, {"files", profile.lineage}};
    for (const ProfileKey& key : profile_keys()) {
        Json value = value_json(copy, key);
        if (!value.is_null()) {
            Json& table = key.table.empty() ? document : document[std::string(key.table)];
            table[std::string(key.name)] = std::move(value);
        }
    }
    for (const auto& [name, setting] : profile.environment.set) {
        if (setting) {
            document["environment"]["set"][name] = with_origin(*setting.value, setting.origin);
        }
    }
    if (!profile.seccomp.rules.empty()) {
        document["seccomp"]["rule"] = rules_json(profile.seccomp.rules);
    }
    document["overridden"] = to_json(overridden_values(profile));
    return to_text(document);
}

} // namespace sandbox
