#include "cmd/common/dry_run.hpp"

#include <cstring>

#include <algorithm>
#include <array>

#include <cap-ng.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/overrides.hpp"
#include "core/base/error.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/bandwidth_plan.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/network_plan.hpp"
#include "core/plan/publish_plan.hpp"
#include "core/plan/rate.hpp"
#include "core/plan/size.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kOriginColumn = 52;

/// Sections of lines; what follows "<-" stands in one column where the line leaves room.
class Page {
public:
    void section(std::string_view title) { text_ += fmt::format("\n{}\n", title); }

    void line(const std::string& fact) { text_ += fmt::format("  {}\n", fact); }

    void line(const std::string& fact, const Origin& origin) {
        const std::string key = origin.key.empty() ? "" : " " + escaped(origin.key);
        text_ += fmt::format("  {:<{}} <- {}{}\n", fact, kOriginColumn, origin.place(), key);
    }

    [[nodiscard]] std::string& text() { return text_; }

private:
    std::string text_;
};

std::string named(std::string_view name, const std::string& value) {
    return fmt::format("{:<11} {}", name, value);
}

std::string command_words(const std::vector<std::string>& arguments) {
    std::vector<std::string> words;
    for (const std::string& argument : arguments) {
        words.push_back(shell_quoted(argument));
    }
    return fmt::format("{}", fmt::join(words, " "));
}

void write_command(Page& page, const Profile& profile, const Plan& plan) {
    page.section("command");
    page.line(named("run", command_words(plan.process.arguments)));
    for (const std::string& candidate : plan.process.candidates) {
        page.line(named("program", escaped(candidate)));
    }
    page.line(named("directory", escaped(plan.process.workdir)), plan.process.workdir_origin);
    page.line(named("terminal", plan.process.terminal          ? "one of its own"
                                : plan.process.output_terminal ? "one of its own, for output"
                                                               : "none of its own"),
              profile.process.terminal.origin);
    page.line(named("timeout", plan.timeout ? fmt::format("{} ms", plan.timeout->count()) : "none"),
              plan.timeout_origin);
}

void write_limits(Page& page, const std::vector<ResourceLimit>& limits) {
    page.section("resource limits of each process");
    for (const ResourceLimit& limit : limits) {
        std::string value = limit_words(limit.soft, limit.is_size);
        if (limit.hard != limit.soft) {
            value += fmt::format(", can be raised to {}", limit_words(limit.hard, limit.is_size));
        }
        page.line(named(limit.name, value), limit.origin);
    }
    page.line(named(limits.empty() ? "all" : "others", "the caller's"));
}

void write_cgroup(Page& page, const CgroupPlan& cgroup) {
    page.section("limits of the whole sandbox");
    for (const CgroupLimit& limit : cgroup.limits) {
        page.line(named(limit.name, limit.words + (limit.required ? "" : ", if it can be had")), limit.origin);
    }
    if (!cgroup.obstacle.empty()) {
        page.line(named("none", "there is no cgroup for it: " + cgroup.obstacle));
        return;
    }
    if (!cgroup.wanted()) {
        page.line("none");
        return;
    }
    if (cgroup.stats) {
        page.line(named("statistics", "what the cgroup counts, told at the end"));
    }
    if (!cgroup.places.bus.empty()) {
        page.line(named("cgroup", "a scope of your systemd, asked for over " + escaped(cgroup.places.bus)));
    }
    if (!cgroup.places.subtree.empty()) {
        page.line(named(cgroup.places.bus.empty() ? "cgroup" : "or", "below " + escaped(cgroup.places.subtree)));
    }
}

void write_map(Page& page, std::string_view name, const std::vector<MapEntry>& map) {
    for (const MapEntry& entry : map) {
        page.line(
            named(name, fmt::format("{} inside is {} outside, {} in a row", entry.inside, entry.outside, entry.count)));
    }
}

void write_identity(Page& page, const IdsPlan& ids) {
    page.section("identity");
    page.line(named("runs as", ids.user_in_root.empty()
                                   ? fmt::format("uid {}, gid {}", ids.uid, ids.gid)
                                   : fmt::format("{}, by the /etc/passwd of the root", escaped(ids.user_in_root))),
              ids.user_origin);
    page.line(named("groups", ids.drop_groups ? "the supplementary groups are dropped" : "nothing is dropped"),
              ids.groups_origin);
    page.line(named("maps", ids.through_helpers
                                ? fmt::format("written by {} and {}", escaped(ids.newuidmap), escaped(ids.newgidmap))
                                : "written directly: a single id"),
              ids.map_origin);
    write_map(page, "uid map", ids.uid_map);
    write_map(page, "gid map", ids.gid_map);
}

void write_namespaces(Page& page, const NamespacesPlan& namespaces) {
    std::vector<std::string_view> created = {"user", "mnt"};
    for (const auto& [name, choice] : namespaces.choices()) {
        if (choice->is_new) {
            created.emplace_back(name);
        }
    }
    page.section("namespaces");
    page.line(named("new", fmt::format("{}", fmt::join(created, " "))));
    for (const auto& [name, choice] : namespaces.choices()) {
        if (!choice->is_new) {
            page.line(named("the host's", name), choice->origin);
        }
    }
    if (!namespaces.hostname.empty()) {
        page.line(named("hostname", escaped(namespaces.hostname)), namespaces.hostname_origin);
    }
}

std::string network_words(const NetworkPlan& network) {
    switch (network.mode) {
    case NetworkPlan::Mode::none:
        return "none: a loopback interface and nothing else";
    case NetworkPlan::Mode::host:
        return "the host's, unrestricted";
    case NetworkPlan::Mode::slirp4netns:
    case NetworkPlan::Mode::pasta:
        break;
    }
    return fmt::format("its own, through {}", escaped(network.program));
}

void write_allow_list(Page& page, const AllowPlan& allow) {
    if (!allow.wanted) {
        return;
    }
    page.line(named("held to", fmt::format("{}, by {} and {}, which are {}:{} inside",
                                           allow.entries.empty() ? "nothing" : "the list that follows",
                                           escaped(allow.nft), escaped(allow.dnsmasq), allow.uid, allow.gid)),
              allow.origin);
    page.line(
        named("answers", fmt::format("of {} live {} s", fmt::join(allow.resolvers, ", "), allow.lifetime.count())));
    for (const AllowEntry& entry : allow.entries) {
        page.line(named("allowed", allowed_words(entry)), entry.origin);
    }
    std::vector<std::string> closed;
    for (const Prefix& range : allow.closed) {
        closed.push_back(range.text());
    }
    page.line(named("closed", fmt::format("where no entry lies in them: {}", fmt::join(closed, ", "))));
}

void write_bandwidth(Page& page, std::string_view name, const Bandwidth& bandwidth) {
    if (bandwidth) {
        page.line(named(name, rate_words(bandwidth.bytes_per_second) +
                                  (bandwidth.required ? "" : ", if the kernel can hold it")),
                  bandwidth.origin);
    }
}

void write_network(Page& page, const NetworkPlan& network) {
    page.section("network");
    page.line(network_words(network), network.mode_origin);
    if (!network.has_interface()) {
        return;
    }
    page.line(named("address",
                    fmt::format("{} on {}, MTU {}, {}", kSandboxAddress, kSandboxInterface, mtu_for(network.bandwidth),
                                network.ipv6 ? "and IPv6" : "no IPv6: the host has none")));
    page.line(named("loopback", network.host_loopback ? fmt::format("the host's is at {}", kGatewayAddress)
                                                      : "the host's cannot be reached"),
              network.host_loopback_origin);
    write_allow_list(page, network.allow);
    write_bandwidth(page, "at most in", network.bandwidth.in);
    write_bandwidth(page, "at most out", network.bandwidth.out);
    for (const PublishedPort& port : network.publish) {
        page.line(named("published", published_words(port)), port.origin);
    }
}

std::string fact(const RootEntry& entry) {
    std::string text = fmt::format("{:<11} {}", word(entry.kind), escaped(entry.dest));
    switch (entry.kind) {
    case RootEntry::Kind::bind:
        text = fmt::format("{:<11} {}", entry.writable ? "writable" : "read-only", escaped(entry.dest));
        text += entry.source == entry.dest ? "" : fmt::format(" (the host's {})", escaped(entry.source));
        text += entry.devices ? ", devices work" : "";
        break;
    case RootEntry::Kind::overlay:
        text += entry.source == entry.dest ? "" : fmt::format(" (the host's {})", escaped(entry.source));
        text += ", under a private layer";
        break;
    case RootEntry::Kind::link:
        text += fmt::format(" -> {}", escaped(entry.source));
        break;
    case RootEntry::Kind::text:
        text += fmt::format(" ({})", escaped(entry.source));
        break;
    case RootEntry::Kind::directory:
    case RootEntry::Kind::private_directory:
        text += fmt::format(", mode {:04o}", entry.mode);
        break;
    default:
        break;
    }
    return text;
}

void write_tree_root(Page& page, const TreeRoot& tree) {
    const std::string what = tree.id.empty() ? tree.directory.empty() ? "the directory, under a private layer"
                                                                      : "the directory " + escaped(tree.directory)
                                             : fmt::format("the image {} ({})", escaped(tree.reference), tree.id);
    page.line(named(tree.writable ? "writable" : "read-only", "/, " + what), tree.origin);
}

void write_overlays(Page& page, const OverlaysPlan& overlays) {
    if (overlays.list.empty()) {
        return;
    }
    constexpr std::array kDrivers = {"the kernel, else fuse-overlayfs", "the kernel", "fuse-overlayfs"};
    page.section("private layers");
    page.line(named("joined by", kDrivers.at(static_cast<std::size_t>(overlays.driver))), overlays.driver_origin);
    if (overlays.keep.empty()) {
        page.line(named("they are", "gone at the end, in " + escaped(overlays.directory)));
    } else {
        page.line(
            named("they are", fmt::format("kept as {}, in {}", escaped(overlays.keep), escaped(overlays.directory))),
            overlays.keep_origin);
    }
    for (const Overlay& overlay : overlays.list) {
        page.line(named("over", escaped(overlay.name)), overlay.origin);
        // The topmost first, as they are seen.
        for (auto lower = overlay.lower.rbegin(); lower != overlay.lower.rend(); ++lower) {
            page.line(named("", escaped(*lower)));
        }
    }
}

void write_filesystem(Page& page, const RootPlan& root) {
    page.section("file system, in the order in which it is built");
    if (root.tree) {
        write_tree_root(page, *root.tree);
    } else if (root.host_root) {
        page.line(fmt::format("{:<11} / (the host's)", root.host_root_writable ? "writable" : "read-only"),
                  root.host_root_origin);
    } else {
        page.line(named("root", "empty, and read-only when it is done"));
    }
    for (const RootEntry& entry : root.entries) {
        page.line(fact(entry), entry.origin);
    }
    const HiddenNames& hidden = root.hidden_names;
    for (const HiddenName& name : hidden.list) {
        page.line(fmt::format("{:<11} {} -> {}", "trip link", escaped(name.path), escaped(name.target)), hidden.origin);
    }
    for (const std::string& directory : root.ensure_directories) {
        page.line(
            named("made first", fmt::format("{} on the host, mode 0700, where it is missing", escaped(directory))));
    }
}

void write_environment(Page& page, const std::vector<EnvironmentEntry>& environment) {
    page.section("environment");
    for (const EnvironmentEntry& entry : environment) {
        page.line(fmt::format("{}={}", escaped(entry.name), escaped(entry.value)), entry.origin);
    }
    if (environment.empty()) {
        page.line("empty");
    }
}

void write_capabilities(Page& page, const CapabilitiesPlan& capabilities, bool only_for_root) {
    page.section(only_for_root ? "capabilities, in all five sets; for root, another user gets none but those of options"
                               : "capabilities, in all five sets");
    for (std::size_t i = 0; i < capabilities.keep.size(); ++i) {
        page.line(capability_word(capabilities.keep[i]), capabilities.origins.at(i));
    }
    if (capabilities.keep.empty()) {
        page.line("none");
    }
}

/// The conditions as they were written: "argument 0 is one of AF_UNIX, AF_INET".
std::string fact(const SeccompCondition& condition) {
    std::vector<std::string> values;
    for (const Item& value : condition.values) {
        values.push_back(escaped(value.text));
    }
    const std::string_view verb = condition.op == "=="   ? "is"
                                  : condition.op == "in" ? "is one of"
                                  : condition.op == "&"  ? "has one of the bits"
                                                         : "has none of the bits";
    return fmt::format("argument {} {} {}", condition.argument, verb, fmt::join(values, ", "));
}

/// A list of allowed calls is counted, a list of refused ones is named: it is short, and what people look for.
struct CallGroup {
    std::string action;
    Origin origin; ///< of the first; the others stand in the same file under the same key
    std::vector<std::string> names;
};

std::vector<CallGroup> unconditional_calls(const SeccompPlan& seccomp) {
    std::vector<CallGroup> groups;
    for (const SeccompEntry& entry : seccomp.entries) {
        if (!entry.tests.empty()) {
            continue;
        }
        const std::string action = word(entry.action);
        auto group = std::ranges::find_if(groups, [&](const CallGroup& other) {
            return other.action == action && other.origin.source == entry.origin.source &&
                   other.origin.key == entry.origin.key;
        });
        if (group == groups.end()) {
            group = groups.insert(groups.end(), {action, entry.origin, {}});
        }
        group->names.push_back(escaped(entry.syscall.name));
    }
    return groups;
}

/// One rule with conditions, for the calls on which it has an effect: each of its values is an entry of the plan.
void write_rule(Page& page, const SeccompRule& rule, const SeccompPlan& seccomp) {
    std::vector<std::string> names;
    std::string action;
    for (const SeccompEntry& entry : seccomp.entries) {
        if (entry.origin == rule.origin && !entry.tests.empty()) {
            action = word(entry.action);
            if (std::ranges::find(names, entry.syscall.name) == names.end()) {
                names.push_back(entry.syscall.name);
            }
        }
    }
    if (names.empty()) {
        return;
    }
    page.line(named(action, escaped(fmt::format("{}", fmt::join(names, " ")))), rule.origin);
    for (std::size_t i = 0; i < rule.conditions.size(); ++i) {
        page.line(named("", fmt::format("{} {}", i == 0 ? "if" : "and", fact(rule.conditions[i]))));
    }
}

void write_seccomp(Page& page, const SeccompPlan& seccomp, const std::vector<SeccompRule>& rules) {
    page.section("system calls");
    if (!seccomp.filter) {
        page.line("no filter", seccomp.default_origin);
        return;
    }
    page.line(named("others", word(seccomp.default_action)), seccomp.default_origin);
    page.line(named("newer ones", "ENOSYS"));
    page.line(
        named("on", fmt::format("{}; any other architecture's are killed", fmt::join(seccomp.architectures, " "))));
    for (const CallGroup& group : unconditional_calls(seccomp)) {
        page.line(named(group.action, fmt::format("{} calls", group.names.size())), group.origin);
        if (group.action != "allow") {
            page.line(named("", fmt::format("{}", fmt::join(group.names, " "))));
        }
    }
    for (const SeccompRule& rule : rules) {
        write_rule(page, rule, seccomp);
    }
    if (!seccomp.quiet.empty()) {
        page.line(named("not reported", fmt::format("{}", fmt::join(seccomp.quiet, " "))));
    }
}

/// Many words of one list that went together are counted.
void write_overridden(Page& page, const Profile& profile) {
    constexpr std::size_t kNamed = 4;
    const std::vector<Override> overridden = overridden_values(profile);
    if (overridden.empty()) {
        return;
    }
    page.section("overridden");
    for (auto first = overridden.begin(); first != overridden.end();) {
        const auto last = std::find_if(first, overridden.end(), [&](const Override& value) {
            return value.key != first->key || value.origin.source != first->origin.source || value.by != first->by;
        });
        std::vector<std::string> values;
        for (auto value = first; value != last; ++value) {
            values.push_back(quoted(value->value));
        }
        const std::string what = values.size() > kNamed ? fmt::format("{} words", values.size())
                                                        : fmt::format("{}", fmt::join(values, ", "));
        page.line(fmt::format("{} {} of {}", escaped(first->key), what, first->origin.place()), first->by);
        first = last;
    }
}

} // namespace

std::string_view word(RootEntry::Kind kind) {
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
        return "new sysfs";
    case RootEntry::Kind::cgroups:
        return "new cgroup2";
    case RootEntry::Kind::mqueue:
        return "new mqueue";
    case RootEntry::Kind::private_directory:
        return "private";
    case RootEntry::Kind::cover_directory:
    case RootEntry::Kind::cover_file:
        return "hidden";
    case RootEntry::Kind::text:
        return "made";
    case RootEntry::Kind::pin:
        return "pinned";
    case RootEntry::Kind::proc:
        return "new proc";
    case RootEntry::Kind::devpts:
        return "new devpts";
    case RootEntry::Kind::mask:
        return "masked";
    case RootEntry::Kind::read_only_in_place:
        return "read-only";
    }
    return "";
}

std::string word(const SeccompAction& action) {
    switch (action.kind) {
    case SeccompActionKind::allow:
        return "allow";
    case SeccompActionKind::log:
        return "log";
    case SeccompActionKind::kill:
        return "kill";
    case SeccompActionKind::errno_value:
        break;
    }
    const char* name = strerrorname_np(action.error_number);
    return name != nullptr ? name : fmt::format("errno {}", action.error_number);
}

std::string capability_word(int number) {
    std::string name = "CAP_";
    name += capng_capability_to_name(static_cast<unsigned>(number));
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return name;
}

std::string dry_run_text(const Profile& profile, const Plan& plan, const std::optional<std::uint64_t>& log_size) {
    Page page;
    page.text() = "This is the plan; nothing has been run.\n";
    page.section("profile");
    page.line(named("name", escaped(plan.profile)));
    for (const std::string& file : profile.lineage) {
        page.line(named("read from", escaped(file)));
    }
    if (!plan.name.empty()) {
        page.line(named("this run", escaped(plan.name)));
    }
    if (log_size) {
        page.line(named("detached", "with a log of at most " + size_words(*log_size)));
    }
    write_command(page, profile, plan);
    write_cgroup(page, plan.cgroup);
    write_limits(page, plan.limits);
    write_identity(page, plan.ids);
    write_namespaces(page, plan.namespaces);
    write_network(page, plan.network);
    write_filesystem(page, plan.root);
    write_overlays(page, plan.overlays);
    write_environment(page, plan.environment);
    write_capabilities(page, plan.capabilities, !plan.ids.user_in_root.empty());
    write_seccomp(page, plan.seccomp, profile.seccomp.rules);
    write_overridden(page, profile);
    if (!plan.notices.empty()) {
        page.section("notes");
        for (const std::string& notice : plan.notices) {
            page.line(notice);
        }
    }
    return std::move(page.text());
}

} // namespace sandbox
