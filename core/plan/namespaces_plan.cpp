#include "core/plan/namespaces_plan.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/plan/one_of.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kLongestHostname = 64; // uname(2): __NEW_UTS_LEN

bool is_hostname_character(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           byte == '.' || byte == '-';
}

bool is_hostname(const std::string& name) {
    return !name.empty() && name.size() <= kLongestHostname && std::ranges::all_of(name, is_hostname_character);
}

void check_hostname(const std::string& name, const std::string& place) {
    if (is_hostname(name)) {
        return;
    }
    throw Error(place + ": cannot take " + quoted(name) + " for a hostname")
        .cause("a hostname has 1 to 64 letters, digits, dots and dashes");
}

/// A run is found by it, and it is the hostname where no other is given.
void check_name(const std::string& name) {
    if (!is_hostname(name)) {
        throw Error("--name: cannot name a sandbox " + quoted(name))
            .cause("a name has 1 to 64 letters, digits, dots and dashes");
    }
    if (name.front() == '.' || name.front() == '-') {
        throw Error("--name: cannot name a sandbox " + quoted(name)).cause("a name begins with a letter or a digit");
    }
}

[[noreturn]] void refuse_share(const Item& item, const char* cause) {
    throw Error(written_at(item.origin) + ": cannot share the namespace " + quoted(item.text)).cause(cause);
}

void share(NamespacesPlan& plan, const Item& item) {
    const NamespaceChoice shared{.is_new = false, .origin = item.origin};
    if (item.text == "pid") {
        plan.pid = shared;
    } else if (item.text == "ipc") {
        plan.ipc = shared;
    } else if (item.text == "uts") {
        plan.uts = shared;
    } else if (item.text == "cgroup") {
        plan.cgroup = shared;
    } else if (item.text == "user") {
        refuse_share(item, "the user namespace is what gives the right to make all the others");
    } else if (item.text == "mnt" || item.text == "mount") {
        refuse_share(item, "the mount namespace holds the view of the files: grant paths instead");
    } else if (item.text != "net") {
        refuse_word(item.text, item.origin, "a namespace", kShareableNamespaces);
    }
}

/// network.mode and the word "net" in share say the same thing twice; the later layer counts.
NamespaceChoice choose_network(const Profile& profile, const Layers& layers) {
    const auto& mode = profile.network.mode;
    const NamespaceChoice by_mode{.is_new = one_of(mode, kNetworkModes) != "host", .origin = mode.origin};
    const Item* shared = nullptr;
    for (const Item& item : profile.namespaces.share.items) {
        if (item.text == "net") {
            shared = &item;
        }
    }
    if (shared == nullptr || !by_mode) {
        return by_mode;
    }
    const NamespaceChoice by_share{.is_new = false, .origin = shared->origin};
    const int share_rank = layers.rank(shared->origin);
    const int mode_rank = layers.rank(mode.origin);
    if (mode && share_rank == mode_rank) {
        throw Error(written_at(shared->origin) + ": cannot share the namespace 'net'")
            .cause(written_at(mode.origin) + (*mode.value == "none" ? " says that there is no network"
                                                                    : " says that the network is the sandbox's own"))
            .fix("write one of the two");
    }
    return mode && mode_rank > share_rank ? by_mode : by_share;
}

void plan_hostname(NamespacesPlan& plan, const Profile& profile, const Command& command) {
    const auto& hostname = profile.namespaces.hostname;
    const bool by_option = hostname && hostname.origin.kind == Origin::Kind::option;
    if (hostname) {
        check_hostname(*hostname.value, written_at(hostname.origin));
    }
    if (!command.name.empty()) {
        check_name(command.name);
    }
    if (!plan.uts) {
        if (by_option) {
            throw Error(written_at(hostname.origin) + ": cannot set the hostname")
                .cause(written_at(plan.uts.origin) + " shares the uts namespace: the name is the host's")
                .fix("leave uts out of the shared namespaces");
        }
        return;
    }
    plan.hostname = hostname.value_or("sandbox");
    plan.hostname_origin = hostname.origin;
    if (!command.name.empty() && !by_option) {
        plan.hostname = command.name;
        plan.hostname_origin = Origin{.kind = Origin::Kind::option, .source = "--name " + command.name, .key = {}};
    }
}

} // namespace

NamespacesPlan plan_namespaces(const Profile& profile, const Command& command, const Layers& layers) {
    NamespacesPlan plan;
    for (const Item& item : profile.namespaces.share.items) {
        share(plan, item);
    }
    plan.net = choose_network(profile, layers);
    plan_hostname(plan, profile, command);
    return plan;
}

} // namespace sandbox
