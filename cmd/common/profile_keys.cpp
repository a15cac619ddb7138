#include "cmd/common/profile_keys.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

using Words = std::span<const std::string_view>;

constexpr ProfileKey::Text text(ProfileKey::Text field) {
    return field;
}
constexpr ProfileKey::Flag flag(ProfileKey::Flag field) {
    return field;
}
constexpr ProfileKey::Words list(ProfileKey::Words field) {
    return field;
}

// clang-format off
constexpr ProfileKey kKeys[] = {
    {"", "description", text([](Profile& p) -> Setting<std::string>& { return p.description; })},
    {"ids", "map", text([](Profile& p) -> Setting<std::string>& { return p.ids.map; }), kIdMaps},
    {"ids", "user", text([](Profile& p) -> Setting<std::string>& { return p.ids.user; }), {}, false, "1000"},
    {"ids", "groups", text([](Profile& p) -> Setting<std::string>& { return p.ids.groups; }), kGroupWords},
    {"namespaces", "hostname", text([](Profile& p) -> Setting<std::string>& { return p.namespaces.hostname; })},
    {"namespaces", "share", list([](Profile& p) -> List& { return p.namespaces.share; }), kShareableNamespaces},
    {"filesystem", "root", text([](Profile& p) -> Setting<std::string>& { return p.filesystem.root; }), kRoots},
    {"filesystem", "image", text([](Profile& p) -> Setting<std::string>& { return p.filesystem.image; })},
    {"filesystem", "rootfs", text([](Profile& p) -> Setting<std::string>& { return p.filesystem.rootfs; })},
    {"filesystem", "writable-root", flag([](Profile& p) -> Setting<bool>& { return p.filesystem.writable_root; })},
    {"filesystem", "read-only", list([](Profile& p) -> List& { return p.filesystem.read_only; })},
    {"filesystem", "read-write", list([](Profile& p) -> List& { return p.filesystem.read_write; })},
    {"filesystem", "overlay", list([](Profile& p) -> List& { return p.filesystem.overlay; })},
    {"filesystem", "overlay-driver", text([](Profile& p) -> Setting<std::string>& { return p.filesystem.overlay_driver; }), kOverlayDrivers},
    {"filesystem", "keep", text([](Profile& p) -> Setting<std::string>& { return p.filesystem.keep; })},
    {"filesystem", "tmpfs", list([](Profile& p) -> List& { return p.filesystem.tmpfs; })},
    {"filesystem", "hide", list([](Profile& p) -> List& { return p.filesystem.hide; })},
    {"filesystem", "masked", list([](Profile& p) -> List& { return p.filesystem.masked; })},
    {"network", "mode", text([](Profile& p) -> Setting<std::string>& { return p.network.mode; }), kNetworkModes},
    {"network", "publish", list([](Profile& p) -> List& { return p.network.publish; })},
    {"network", "dns", list([](Profile& p) -> List& { return p.network.dns; })},
    {"network", "hosts", list([](Profile& p) -> List& { return p.network.hosts; })},
    {"network", "host-loopback", flag([](Profile& p) -> Setting<bool>& { return p.network.host_loopback; })},
    {"network", "allow", list([](Profile& p) -> List& { return p.network.allow; })},
    {"network", "answer-ttl", text([](Profile& p) -> Setting<std::string>& { return p.network.answer_ttl; })},
    {"limits", "memory", text([](Profile& p) -> Setting<std::string>& { return p.limits.memory; }), {}, false, "512m"},
    {"limits", "swap", text([](Profile& p) -> Setting<std::string>& { return p.limits.swap; }), {}, false, "512m"},
    {"limits", "pids", text([](Profile& p) -> Setting<std::string>& { return p.limits.pids; }), {}, false, "256"},
    {"limits", "cpus", text([](Profile& p) -> Setting<std::string>& { return p.limits.cpus; }), {}, false, "1.5"},
    {"limits", "cpu-weight", text([](Profile& p) -> Setting<std::string>& { return p.limits.cpu_weight; }), {}, false, "100"},
    {"limits", "io", list([](Profile& p) -> List& { return p.limits.io; })},
    {"limits", "net-in", text([](Profile& p) -> Setting<std::string>& { return p.limits.net_in; }), {}, false, "20mbit"},
    {"limits", "net-out", text([](Profile& p) -> Setting<std::string>& { return p.limits.net_out; }), {}, false, "20mbit"},
    {"limits", "when-unavailable", text([](Profile& p) -> Setting<std::string>& { return p.limits.when_unavailable; }), kUnavailableWords},
    {"limits", "timeout", text([](Profile& p) -> Setting<std::string>& { return p.limits.timeout; })},
    {"limits", "core", text([](Profile& p) -> Setting<std::string>& { return p.limits.core; }), {}, false, "64m"},
    {"limits", "fsize", text([](Profile& p) -> Setting<std::string>& { return p.limits.fsize; }), {}, false, "512m"},
    {"limits", "nofile", text([](Profile& p) -> Setting<std::string>& { return p.limits.nofile; }), {}, false, "1024"},
    {"limits", "nproc", text([](Profile& p) -> Setting<std::string>& { return p.limits.nproc; }), {}, false, "256"},
    {"limits", "stack", text([](Profile& p) -> Setting<std::string>& { return p.limits.stack; }), {}, false, "8m"},
    {"environment", "clear", flag([](Profile& p) -> Setting<bool>& { return p.environment.clear; })},
    {"environment", "pass", list([](Profile& p) -> List& { return p.environment.pass; })},
    {"capabilities", "keep", list([](Profile& p) -> List& { return p.capabilities.keep; })},
    {"capabilities", "drop", list([](Profile& p) -> List& { return p.capabilities.drop; })},
    {"process", "workdir", text([](Profile& p) -> Setting<std::string>& { return p.process.workdir; })},
    {"process", "terminal", text([](Profile& p) -> Setting<std::string>& { return p.process.terminal; }), kTerminalWords},
    {"seccomp", "extends", text([](Profile& p) -> Setting<std::string>& { return p.seccomp.base_profile; })},
    {"seccomp", "default", text([](Profile& p) -> Setting<std::string>& { return p.seccomp.default_action; }), kDefaultActions},
    {"seccomp", "allow", list([](Profile& p) -> List& { return p.seccomp.allow; }), {}, true},
    {"seccomp", "deny", list([](Profile& p) -> List& { return p.seccomp.deny; }), {}, true},
    {"seccomp", "quiet", list([](Profile& p) -> List& { return p.seccomp.quiet; }), {}, true},
    {"seccomp", "architectures", list([](Profile& p) -> List& { return p.seccomp.architectures; })},
};
// clang-format on

} // namespace

std::string ProfileKey::full_name() const {
    return table.empty() ? std::string(name) : fmt::format("{}.{}", table, name);
}

std::span<const ProfileKey> profile_keys() {
    return kKeys;
}

const ProfileKey* find_profile_key(std::string_view table, std::string_view name) {
    const auto* found =
        std::ranges::find_if(kKeys, [&](const ProfileKey& key) { return key.table == table && key.name == name; });
    return found == std::end(kKeys) ? nullptr : found;
}

const ProfileKey* find_profile_key(std::string_view full_name) {
    const std::size_t dot = full_name.find('.');
    return dot == std::string_view::npos ? find_profile_key("", full_name)
                                         : find_profile_key(full_name.substr(0, dot), full_name.substr(dot + 1));
}

std::vector<std::string_view> profile_tables() {
    std::vector<std::string_view> tables;
    for (const ProfileKey& key : kKeys) {
        if (!key.table.empty() && (tables.empty() || tables.back() != key.table)) {
            tables.push_back(key.table);
        }
    }
    return tables;
}

std::vector<std::string_view> keys_of_table(std::string_view table) {
    std::vector<std::string_view> names;
    for (const ProfileKey& key : kKeys) {
        if (key.table == table) {
            names.push_back(key.name);
        }
    }
    if (table.empty()) {
        names.emplace_back("extends");
    } else if (table == "environment") {
        names.emplace_back("set");
    } else if (table == "seccomp") {
        names.emplace_back("rule");
    }
    return names;
}

void check_word(const ProfileKey& key, const Item& item) {
    // An empty word is a mistake everywhere but in a sentence for people.
    if (item.text.empty() && key.name != "description") {
        Error error(fmt::format("{}: {} cannot be empty", item.origin.place(), key.full_name()));
        if (!key.number.empty()) {
            error.fix(fmt::format("{} = \"{}\"", key.name, key.number));
        }
        throw error;
    }
    if (item.text.find('\0') != std::string::npos) {
        throw Error(fmt::format("{}: {} holds a NUL character", item.origin.place(), key.full_name()));
    }
    if (key.words.empty() || std::ranges::find(key.words, item.text) != key.words.end()) {
        return;
    }
    const bool one_of_a_list = std::holds_alternative<ProfileKey::Words>(key.field);
    Error error(fmt::format("{}: {} cannot {} {}", item.origin.place(), key.full_name(), one_of_a_list ? "hold" : "be",
                            quoted(item.text)));
    const std::string near = nearest(item.text, key.words);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    error.fix(fmt::format("{} of: {}", one_of_a_list ? "any" : "one", fmt::join(key.words, ", ")));
    throw error;
}

void write_key(Profile& profile, const ProfileKey& key, const std::string& value, const Origin& origin) {
    if (const auto* field = std::get_if<ProfileKey::Flag>(&key.field)) {
        (*field)(profile).set(value == "true", origin);
        return;
    }
    check_word(key, {value, origin});
    if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
        (*words)(profile).items.push_back({value, origin});
        return;
    }
    std::get<ProfileKey::Text>(key.field)(profile).set(value, origin);
}

} // namespace sandbox
