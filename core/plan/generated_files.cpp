#include "core/plan/generated_files.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/address.hpp"
#include "core/plan/allow_plan.hpp"
#include "core/plan/network_plan.hpp"

namespace sandbox {

namespace {

constexpr const char* kResolvConf = "/etc/resolv.conf";
constexpr const char* kHosts = "/etc/hosts";
constexpr const char* kHostname = "/etc/hostname";

bool is_name_character(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '-' || byte == '_';
}

/// "NAME:ADDR" as a line of /etc/hosts.
std::string hosts_line(const Item& item) {
    const auto refuse = [&](const std::string& cause) {
        throw Error(fmt::format("{}: cannot add the host {}", written_at(item.origin), quoted(item.text)))
            .cause(cause)
            .fix("NAME:ADDR, as in db.example:192.0.2.7 or db.example:2001:db8::7");
    };
    const std::size_t colon = item.text.find(':');
    const std::string name = item.text.substr(0, colon);
    if (colon == std::string::npos) {
        refuse("an address is missing");
    }
    if (name.empty() || name.size() > 253 || !std::ranges::all_of(name, is_name_character)) {
        refuse("a name has letters, digits, dots, dashes and underscores");
    }
    std::string text = item.text.substr(colon + 1);
    if (text.starts_with('[') && text.ends_with(']')) {
        text = text.substr(1, text.size() - 2);
    }
    const std::optional<Address> address = parse_address(text);
    if (!address) {
        refuse(fmt::format("{} is no IP address", quoted(text)));
    }
    return fmt::format("{} {}\n", address->text, name);
}

std::string hosts_text(const Profile::Network& network, const std::string& hostname) {
    std::string text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
    if (!hostname.empty()) {
        text += fmt::format("127.0.1.1 {}\n", hostname);
    }
    for (const Item& item : network.hosts.items) {
        text += hosts_line(item);
    }
    return text;
}

/// The lines of the host's file that are about names, not about servers.
std::string kept_lines(std::string_view resolv_conf) {
    std::string kept;
    while (!resolv_conf.empty()) {
        const std::string_view line = resolv_conf.substr(0, resolv_conf.find('\n'));
        resolv_conf.remove_prefix(std::min(resolv_conf.size(), line.size() + 1));
        const std::string_view keyword = line.substr(0, line.find_first_of(" \t"));
        const bool is_about_names =
            keyword != line && (keyword == "search" || keyword == "domain" || keyword == "options");
        const bool is_printable =
            std::ranges::all_of(line, [](char byte) { return (byte >= ' ' && byte <= '~') || byte == '\t'; });
        if (is_about_names && is_printable && line != "search .") {
            kept += fmt::format("{}\n", line);
        }
    }
    return kept;
}

std::string resolv_conf_text(const Profile::Network& network, const NetworkPlan& plan, const NetworkFacts& facts) {
    if (plan.allow.wanted) {
        return fmt::format("nameserver {}\n", kListResolver) + kept_lines(facts.resolv_conf);
    }
    std::string text;
    for (const Item& item : network.dns.items) {
        text += fmt::format("nameserver {}\n", parse_address(item.text)->text);
    }
    if (network.dns.items.empty()) {
        text += fmt::format("nameserver {}\n", kResolverAddress);
    }
    return text + kept_lines(facts.resolv_conf);
}

/// The names of the host's network, in a tree whose own files know nothing of them.
std::vector<GeneratedFile> files_of_host_network(const NetworkFacts& facts) {
    const Origin origin = built_in("names of the host");
    std::vector<GeneratedFile> files;
    if (!facts.resolv_conf.empty()) {
        files.push_back({kResolvConf, facts.resolv_conf, origin});
    }
    if (!facts.hosts.empty()) {
        files.push_back({kHosts, facts.hosts, origin});
    }
    return files;
}

/// What does not work where the host has no such file: nothing can be mounted on it, and its directory is the host's.
std::string loss_without(std::string_view path) {
    return path == kResolvConf ? "names will not resolve" : path == kHosts ? "localhost may not resolve" : "";
}

/// A directory that is shown as it is has no place for a file that it lacks.
bool is_missing_in_rootfs(FilesystemContext& context, const std::string& dest) {
    const RootChoice& root = context.root;
    return root.kind == RootChoice::Kind::rootfs && !root.writable &&
           context.facts.look_up(root.rootfs + dest).kind == PathFact::Kind::absent;
}

} // namespace

std::vector<GeneratedFile> plan_generated_files(const Profile::Network& network, const NetworkPlan& plan,
                                                const NamespacesPlan& namespaces, const NetworkFacts& facts,
                                                bool on_tree) {
    std::vector<GeneratedFile> files;
    if (plan.mode == NetworkPlan::Mode::host) {
        return on_tree ? files_of_host_network(facts) : files;
    }
    const auto& hosts = network.hosts.items;
    files.push_back({kHosts, hosts_text(network, namespaces.hostname),
                     hosts.empty() ? built_in("names of the sandbox") : hosts.front().origin});
    if (namespaces.uts) {
        files.push_back({kHostname, namespaces.hostname + "\n", built_in("names of the sandbox")});
    }
    if (plan.has_interface()) {
        const auto& dns = network.dns.items;
        files.push_back({kResolvConf, resolv_conf_text(network, plan, facts),
                         dns.empty() ? built_in("names of the sandbox") : dns.front().origin});
    }
    return files;
}

void put_generated_files(FilesystemContext& context) {
    for (const GeneratedFile& file : context.network.files) {
        const std::string dest = context.tree.resolve_and_recreate_links(file.path, file.origin);
        const Place* owner = context.tree.around(dest);
        const bool was_asked_for = file.origin.kind != Origin::Kind::built_in;
        if (owner == nullptr && is_missing_in_rootfs(context, dest)) {
            context.notice(fmt::format("the root {} has no {}, and cannot be written (--writable-root): names of the "
                                       "network may not resolve",
                                       quoted(context.root.rootfs), dest));
            continue;
        }
        if (owner == nullptr && !was_asked_for && !context.network.has_interface() && !context.root.is_tree()) {
            continue; // an empty root stays empty
        }
        Place place;
        place.kind = Place::Kind::text;
        place.dest = dest;
        place.source = file.text;
        place.is_directory = false;
        place.optional = !was_asked_for;
        place.rank = kBaseRank;
        place.origin = file.origin;
        const bool is_in_host_tree = owner != nullptr && owner->kind == Place::Kind::host_tree;
        const std::string lost = loss_without(file.path);
        if (is_in_host_tree && !lost.empty() && !was_asked_for &&
            context.facts.look_up(host_path(*owner, dest)).kind != PathFact::Kind::file) {
            context.notice(fmt::format("{} is no file on the host, so the sandbox's own has no place: {} (sudo touch "
                                       "{})",
                                       dest, lost, shell_quoted(dest)));
        }
        context.tree.put(std::move(place));
    }
}

} // namespace sandbox
