#include "tests/support/plan_text.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/publish_plan.hpp"

namespace sandbox::test {

namespace {

using Kind = RootEntry::Kind;

const char* word(Kind kind) {
    switch (kind) {
    case Kind::directory:
        return "directory";
    case Kind::file:
        return "file";
    case Kind::link:
        return "link";
    case Kind::bind:
        return "bind";
    case Kind::overlay:
        return "overlay";
    case Kind::sysfs:
        return "sysfs";
    case Kind::cgroups:
        return "cgroups";
    case Kind::mqueue:
        return "mqueue";
    case Kind::private_directory:
        return "private";
    case Kind::cover_directory:
        return "cover-directory";
    case Kind::cover_file:
        return "cover-file";
    case Kind::text:
        return "text";
    case Kind::pin:
        return "pin";
    case Kind::proc:
        return "proc";
    case Kind::devpts:
        return "devpts";
    case Kind::mask:
        return "mask";
    case Kind::read_only_in_place:
        return "read-only";
    }
    return "?";
}

std::string map_text(const std::vector<MapEntry>& map) {
    std::string text;
    for (const MapEntry& line : map) {
        text += fmt::format(" ({} {} {})", line.inside, line.outside, line.count);
    }
    return text;
}

std::string from(const Origin& origin) {
    return " <" + written_at(origin) + ">";
}

std::string ids_text(const IdsPlan& ids) {
    return fmt::format("ids {}:{}{} {}\n  uid map{}{}\n  gid map{}\n  groups {}{}\n", ids.uid, ids.gid,
                       ids.user_in_root.empty() ? "" : " as " + ids.user_in_root,
                       ids.through_helpers ? "through " + ids.newuidmap + " " + ids.newgidmap : "directly",
                       map_text(ids.uid_map), from(ids.map_origin), map_text(ids.gid_map),
                       ids.drop_groups ? "dropped" : "as they are", from(ids.groups_origin));
}

std::string namespaces_text(const NamespacesPlan& plan) {
    std::string text = "namespaces";
    for (const auto& [name, choice] : plan.choices()) {
        text += fmt::format(" {}={}", name, choice->is_new ? "new" : "host");
    }
    return text + fmt::format("\n  hostname {}{}\n", plan.hostname, from(plan.hostname_origin));
}

std::string network_text(const NetworkPlan& network) {
    if (!network.has_interface()) {
        return "";
    }
    std::string text = fmt::format("network {}{}{}{}{}\n", network.program, network.ipv6 ? " ipv6" : "",
                                   network.host_loopback ? " host-loopback" : "", network.forwards_dns ? " dns" : "",
                                   from(network.mode_origin));
    if (network.allow.wanted) {
        text += fmt::format("  held to a list, by {} and {} as {}:{}, answers of {} live {} s\n", network.allow.nft,
                            network.allow.dnsmasq, network.allow.uid, network.allow.gid,
                            fmt::join(network.allow.resolvers, " "), network.allow.lifetime.count());
    }
    for (const AllowEntry& entry : network.allow.entries) {
        text +=
            fmt::format("  allow {}{}{}\n", allowed_words(entry), entry.opens_near ? " near" : "", from(entry.origin));
    }
    for (const PublishedPort& port : network.publish) {
        text += fmt::format("  publish {}{}\n", published_words(port), from(port.origin));
    }
    return text;
}

std::string root_text(const RootPlan& root) {
    std::string text = "root ";
    text += root.tree                 ? root.tree->writable ? "tree rw" : "tree ro"
            : !root.host_root         ? "own"
            : root.host_root_writable ? "host rw"
                                      : "host ro";
    text += '\n';
    for (const std::string& directory : root.ensure_directories) {
        text += "  ensure " + directory + "\n";
    }
    for (const RootEntry& entry : root.entries) {
        text += "  " + entry_text(entry) +
                (!entry.in_tree        ? ""
                 : entry.follows_links ? " (in the tree, by links)"
                                       : " (in the tree)") +
                from(entry.origin) + "\n";
    }
    for (const std::string& directory : root.hidden_names.directories) {
        text += "  trip-link directory " + escaped(directory) + "\n";
    }
    for (const HiddenName& name : root.hidden_names.list) {
        text += fmt::format("  trip-link {} {} -> {}{}{}\n", name.name, escaped(name.path), escaped(name.target),
                            name.is_directory ? " directory" : "", from(root.hidden_names.origin));
    }
    return text;
}

std::string overlays_text(const OverlaysPlan& overlays) {
    std::string text;
    for (const Overlay& overlay : overlays.list) {
        text += fmt::format("overlay {} of {} in {}{}\n", overlay.name, fmt::join(overlay.lower, " "),
                            overlays.directory, from(overlay.origin));
    }
    return text;
}

} // namespace

std::string entry_text(const RootEntry& entry) {
    std::string text = fmt::format("{} {}", word(entry.kind), escaped(entry.dest));
    if (entry.kind == Kind::directory || entry.kind == Kind::private_directory) {
        return text + fmt::format(" {:04o}", entry.mode);
    }
    if (entry.kind == Kind::link) {
        return text + " -> " + escaped(entry.source);
    }
    if (entry.kind == Kind::overlay) {
        return text + fmt::format(" {}", entry.overlay) +
               (entry.source == entry.dest ? "" : " from " + escaped(entry.source));
    }
    if (entry.kind == Kind::text) {
        return text + " holds " + escaped(entry.source);
    }
    if (entry.kind != Kind::bind) {
        return text;
    }
    text += entry.writable ? " rw" : " ro";
    text += entry.devices ? " devices" : "";
    text += entry.source_is_directory ? "" : " file";
    return entry.source == entry.dest ? text : text + " from " + escaped(entry.source);
}

std::string plan_text(const Plan& plan) {
    std::string text = fmt::format("profile {} name {}\n", plan.profile, plan.name.empty() ? "-" : plan.name);
    text += ids_text(plan.ids) + namespaces_text(plan.namespaces) + network_text(plan.network) + root_text(plan.root);
    text += overlays_text(plan.overlays);
    text += fmt::format("capabilities {}\n", fmt::join(plan.capabilities.keep, " "));
    text += fmt::format("seccomp {}\n", plan.seccomp.filter ? "filter" : "none");
    text += "environment\n";
    for (const EnvironmentEntry& entry : plan.environment) {
        text += fmt::format("  {}={}{}\n", entry.name, escaped(entry.value), from(entry.origin));
    }
    if (plan.process.takes_home_from_root) {
        text += "  HOME by the root\n";
    }
    text += fmt::format("process {}\n  in {}{}\n", fmt::join(plan.process.arguments, " "), plan.process.workdir,
                        from(plan.process.workdir_origin));
    for (const std::string& candidate : plan.process.candidates) {
        text += "  try " + candidate + "\n";
    }
    text += fmt::format("  terminal {}\n", plan.process.terminal ? "own" : "the caller's");
    if (plan.timeout) {
        text += fmt::format("  timeout {} ms{}\n", plan.timeout->count(), from(plan.timeout_origin));
    }
    for (const CgroupLimit& limit : plan.cgroup.limits) {
        text += fmt::format("  {} = {}{}{}\n", limit.file, limit.value, limit.required ? "" : " if it can be had",
                            from(limit.origin));
    }
    for (const ResourceLimit& limit : plan.limits) {
        text += fmt::format("  limit {} {}:{}{}\n", limit.name, limit_words(limit.soft, limit.is_size),
                            limit_words(limit.hard, limit.is_size), from(limit.origin));
    }
    for (const std::string& notice : plan.notices) {
        text += "notice: " + notice + "\n";
    }
    return text;
}

} // namespace sandbox::test
