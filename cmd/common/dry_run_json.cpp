#include <array>

#include "cmd/common/dry_run.hpp"
#include "cmd/common/json.hpp"
#include "core/plan/allow_plan.hpp"

namespace sandbox {

namespace {

Json ids(const IdsPlan& plan) {
    const auto map = [](const std::vector<MapEntry>& entries) {
        Json result = Json::array();
        for (const MapEntry& entry : entries) {
            result.push_back({{"inside", entry.inside}, {"outside", entry.outside}, {"count", entry.count}});
        }
        return result;
    };
    return {
        {"user_in_root", plan.user_in_root.empty() ? Json(nullptr) : with_origin(plan.user_in_root, plan.user_origin)},
        {"uid", with_origin(plan.uid, plan.user_origin)},
        {"gid", with_origin(plan.gid, plan.user_origin)},
        {"drop_groups", with_origin(plan.drop_groups, plan.groups_origin)},
        {"maps_written_by",
         with_origin(plan.through_helpers ? Json{plan.newuidmap, plan.newgidmap} : Json::array(), plan.map_origin)},
        {"uid_map", map(plan.uid_map)},
        {"gid_map", map(plan.gid_map)},
    };
}

Json namespaces(const NamespacesPlan& plan) {
    Json created = {"user", "mnt"};
    Json shared = Json::array();
    for (const auto& [name, choice] : plan.choices()) {
        if (choice->is_new) {
            created.push_back(name);
        } else {
            shared.push_back(with_origin(name, choice->origin));
        }
    }
    Json result = {{"new", std::move(created)}, {"shared", std::move(shared)}};
    result["hostname"] = plan.hostname.empty() ? Json(nullptr) : with_origin(plan.hostname, plan.hostname_origin);
    return result;
}

Json allow_list(const AllowPlan& plan) {
    Json entries = Json::array();
    for (const AllowEntry& entry : plan.entries) {
        entries.push_back(with_origin(allowed_words(entry), entry.origin));
    }
    Json closed = Json::array();
    for (const Prefix& range : plan.closed) {
        closed.push_back(range.text());
    }
    return {{"entries", std::move(entries)},
            {"closed", std::move(closed)},
            {"resolvers", plan.resolvers},
            {"answer_ttl", plan.lifetime.count()},
            {"nft", plan.nft},
            {"dnsmasq", plan.dnsmasq},
            {"uid", plan.uid},
            {"gid", plan.gid}};
}

/// Null is unlimited.
Json bandwidth(const Bandwidth& plan) {
    return plan ? Json{{"bytes_per_second", plan.bytes_per_second},
                       {"required", plan.required},
                       {"origin", to_json(plan.origin)}}
                : Json(nullptr);
}

Json network(const NetworkPlan& plan) {
    constexpr std::array kModes = {"none", "host", "slirp4netns", "pasta"};
    Json published = Json::array();
    for (const PublishedPort& port : plan.publish) {
        Json one = port_json(port);
        one["origin"] = to_json(port.origin);
        published.push_back(std::move(one));
    }
    Json result = {{"mode", with_origin(kModes.at(static_cast<std::size_t>(plan.mode)), plan.mode_origin)}};
    if (plan.has_interface()) {
        result["program"] = plan.program;
        result["ipv6"] = plan.ipv6;
        result["host_loopback"] = with_origin(plan.host_loopback, plan.host_loopback_origin);
        result["forwards_dns"] = plan.forwards_dns;
        result["published"] = std::move(published);
        result["bandwidth"] = {{"in", bandwidth(plan.bandwidth.in)}, {"out", bandwidth(plan.bandwidth.out)}};
        result["allow"] = plan.allow.wanted ? allow_list(plan.allow) : Json(nullptr);
    }
    return result;
}

std::string_view machine_word(RootEntry::Kind kind) {
    switch (kind) {
    case RootEntry::Kind::directory:
        return "directory";
    case RootEntry::Kind::file:
        return "file";
    case RootEntry::Kind::link:
        return "link";
    case RootEntry::Kind::bind:
        return "bind";
    case RootEntry::Kind::overlay:
        return "overlay";
    case RootEntry::Kind::sysfs:
        return "sysfs";
    case RootEntry::Kind::cgroups:
        return "cgroups";
    case RootEntry::Kind::mqueue:
        return "mqueue";
    case RootEntry::Kind::private_directory:
        return "private_directory";
    case RootEntry::Kind::cover_directory:
        return "cover_directory";
    case RootEntry::Kind::cover_file:
        return "cover_file";
    case RootEntry::Kind::text:
        return "text";
    case RootEntry::Kind::pin:
        return "pin";
    case RootEntry::Kind::proc:
        return "proc";
    case RootEntry::Kind::devpts:
        return "devpts";
    case RootEntry::Kind::mask:
        return "mask";
    case RootEntry::Kind::read_only_in_place:
        return "read_only_in_place";
    }
    return "";
}

Json entry_json(const RootEntry& entry) {
    Json result = {{"kind", machine_word(entry.kind)}, {"dest", entry.dest}};
    switch (entry.kind) {
    case RootEntry::Kind::bind:
        result["source"] = entry.source;
        result["writable"] = entry.writable;
        result["devices"] = entry.devices;
        result["source_is_directory"] = entry.source_is_directory;
        break;
    case RootEntry::Kind::overlay:
        result["source"] = entry.source;
        result["layer"] = entry.overlay;
        break;
    case RootEntry::Kind::text:
        result["text"] = entry.source;
        break;
    case RootEntry::Kind::link:
        result["target"] = entry.source;
        break;
    case RootEntry::Kind::directory:
    case RootEntry::Kind::private_directory:
        result["mode"] = entry.mode;
        break;
    default:
        break;
    }
    if (entry.in_tree) {
        result["in_tree"] = true;
        result["follows_links"] = entry.follows_links;
    }
    result["origin"] = to_json(entry.origin);
    return result;
}

/// `driver` is what was asked for; "auto" tries when the run starts.
Json overlays(const OverlaysPlan& plan) {
    constexpr std::array kDrivers = {"auto", "kernel", "fuse"};
    Json list = Json::array();
    for (const Overlay& overlay : plan.list) {
        list.push_back({{"name", overlay.name},
                        {"lower", overlay.lower},
                        {"below", overlay.below},
                        {"origin", to_json(overlay.origin)}});
    }
    return {{"driver", with_origin(kDrivers.at(static_cast<std::size_t>(plan.driver)), plan.driver_origin)},
            {"directory", plan.directory},
            {"keep", plan.keep.empty() ? Json(nullptr) : with_origin(plan.keep, plan.keep_origin)},
            {"layers", std::move(list)}};
}

/// Null where the home is not private.
Json hidden_names(const HiddenNames& plan) {
    if (plan.home.empty()) {
        return nullptr;
    }
    Json names = Json::array();
    for (const HiddenName& name : plan.list) {
        names.push_back({{"name", name.name},
                         {"source", name.source},
                         {"link", name.path},
                         {"target", name.target},
                         {"kind", name.is_directory ? "directory" : "file"}});
    }
    return {
        {"home", with_origin(plan.home, plan.origin)}, {"directories", plan.directories}, {"names", std::move(names)}};
}

Json filesystem(const RootPlan& plan) {
    Json entries = Json::array();
    for (const RootEntry& entry : plan.entries) {
        entries.push_back(entry_json(entry));
    }
    Json result = {{"host_root", nullptr},
                   {"entries", std::move(entries)},
                   {"ensured", plan.ensure_directories},
                   {"stage_point", plan.stage_point},
                   {"hidden_names", hidden_names(plan.hidden_names)},
                   {"tty_group", plan.has_tty_group}};
    if (plan.tree) {
        result["tree"] = {{"directory", plan.tree->directory.empty() ? Json(nullptr) : Json(plan.tree->directory)},
                          {"image", plan.tree->id.empty() ? Json(nullptr) : Json(plan.tree->id)},
                          {"reference", plan.tree->id.empty() ? Json(nullptr) : Json(plan.tree->reference)},
                          {"writable", plan.tree->writable},
                          {"origin", to_json(plan.tree->origin)}};
    }
    if (plan.host_root) {
        result["host_root"] = {{"writable", plan.host_root_writable}, {"origin", to_json(plan.host_root_origin)}};
    }
    return result;
}

Json seccomp(const SeccompPlan& plan) {
    if (!plan.filter) {
        return {{"filter", with_origin(false, plan.default_origin)}};
    }
    Json entries = Json::array();
    for (const SeccompEntry& entry : plan.entries) {
        Json tests = Json::array();
        for (const SeccompTest& test : entry.tests) {
            tests.push_back({{"argument", test.argument}, {"mask", test.mask}, {"value", test.value}});
        }
        entries.push_back({{"syscall", entry.syscall.name},
                           {"number", entry.syscall.number},
                           {"action", word(entry.action)},
                           {"quiet", entry.action.quiet},
                           {"tests", std::move(tests)},
                           {"origin", to_json(entry.origin)}});
    }
    return {{"filter", with_origin(true, plan.default_origin)},
            {"default", with_origin(word(plan.default_action), plan.default_origin)},
            {"architectures", plan.architectures},
            {"quiet", plan.quiet},
            {"entries", std::move(entries)}};
}

Json capabilities(const CapabilitiesPlan& plan) {
    Json kept = Json::array();
    for (std::size_t i = 0; i < plan.keep.size(); ++i) {
        kept.push_back({{"number", plan.keep[i]},
                        {"name", capability_word(plan.keep[i])},
                        {"origin", to_json(plan.origins.at(i))}});
    }
    return kept;
}

Json environment(const std::vector<EnvironmentEntry>& entries) {
    Json variables = Json::array();
    for (const EnvironmentEntry& entry : entries) {
        variables.push_back({{"name", entry.name}, {"value", entry.value}, {"origin", to_json(entry.origin)}});
    }
    return variables;
}

Json command(const Profile& profile, const Plan& plan) {
    return {
        {"arguments", plan.process.arguments},
        {"candidates", plan.process.candidates},
        {"workdir", with_origin(plan.process.workdir, plan.process.workdir_origin)},
        {"terminal", with_origin(plan.process.terminal, profile.process.terminal.origin)},
        {"output_terminal", plan.process.output_terminal},
        {"timeout_ms", with_origin(plan.timeout ? Json(plan.timeout->count()) : Json(nullptr), plan.timeout_origin)},
    };
}

/// Null is unlimited.
Json limits(const std::vector<ResourceLimit>& limits) {
    const auto value = [](std::uint64_t number) { return number == kNoLimit ? Json(nullptr) : Json(number); };
    Json result = Json::array();
    for (const ResourceLimit& limit : limits) {
        result.push_back({{"name", limit.name},
                          {"soft", value(limit.soft)},
                          {"hard", value(limit.hard)},
                          {"origin", to_json(limit.origin)}});
    }
    return result;
}

/// `places` in the order of trying; empty where no limit can be held, or none is wanted.
Json cgroup(const CgroupPlan& plan) {
    Json limits = Json::array();
    for (const CgroupLimit& limit : plan.limits) {
        limits.push_back({{"name", limit.name},
                          {"file", limit.file},
                          {"value", limit.value},
                          {"required", limit.required},
                          {"origin", to_json(limit.origin)}});
    }
    Json places = Json::array();
    if (!plan.places.bus.empty()) {
        places.push_back({{"kind", "scope"}, {"bus", plan.places.bus}});
    }
    if (!plan.places.subtree.empty()) {
        places.push_back({{"kind", "subtree"}, {"directory", plan.places.subtree}});
    }
    return {{"limits", std::move(limits)},
            {"places", std::move(places)},
            {"obstacle", plan.obstacle.empty() ? Json(nullptr) : Json(plan.obstacle)}};
}

} // namespace

std::string dry_run_json(const Profile& profile, const Plan& plan, const std::optional<std::uint64_t>& log_size) {
    const Json document = {
        {"plan", 1},
        {"version", SANDBOX_VERSION},
        {"profile", {{"name", plan.profile}, {"files", profile.lineage}}},
        {"name", plan.name.empty() ? Json(nullptr) : Json(plan.name)},
        {"detached", log_size ? Json({{"log_size", *log_size}}) : Json(nullptr)},
        {"command", command(profile, plan)},
        {"cgroup", cgroup(plan.cgroup)},
        {"limits", limits(plan.limits)},
        {"ids", ids(plan.ids)},
        {"namespaces", namespaces(plan.namespaces)},
        {"network", network(plan.network)},
        {"filesystem", filesystem(plan.root)},
        {"overlays", overlays(plan.overlays)},
        {"environment", environment(plan.environment)},
        {"capabilities", capabilities(plan.capabilities)},
        {"seccomp", seccomp(plan.seccomp)},
        {"overridden", to_json(overridden_values(profile))},
        {"notices", plan.notices},
    };
    return to_text(document);
}

} // namespace sandbox
