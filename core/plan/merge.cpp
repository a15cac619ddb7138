#include <algorithm>
#include <iterator>
#include <utility>

#include "core/plan/limits_plan.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

namespace {

// `top` is taken apart: a profile's words are many, and each is moved once.

template <class T> void merge_setting(Setting<T>& base, Setting<T>& top) {
    for (auto& [value, origin] : top.overridden) {
        base.set(std::move(value), std::move(origin));
    }
    if (top.value) {
        base.set(std::move(*top.value), std::move(top.origin));
    }
}

/// What counted until now is overridden, and nothing counts.
template <class T> void clear_setting(Setting<T>& setting) {
    if (setting.value) {
        setting.overridden.emplace_back(std::move(*setting.value), setting.origin);
        setting.value.reset();
    }
}

void append(std::vector<Item>& items, std::vector<Item>& more) {
    if (items.empty()) {
        items = std::move(more);
    } else {
        std::ranges::move(more, std::back_inserter(items));
    }
    more.clear();
}

/// Everything that counted until now is overridden.
void clear_list(List& list) {
    append(list.overridden, list.items);
}

void merge_list(List& base, List& top) {
    append(base.overridden, top.overridden);
    if (top.replaces) {
        clear_list(base);
        base.replaces = true;
        base.origin = top.origin;
    }
    append(base.items, top.items);
}

/// For the lists of allow and deny, which no layer can take back from another.
void add_to_list(List& base, List& top) {
    append(base.overridden, top.overridden);
    append(base.items, top.items);
}

void merge_environment(Profile::Environment& base, Profile::Environment& top) {
    if (top.clear.value_or(false)) {
        clear_list(base.pass);
        for (auto& [name, value] : base.set) {
            clear_setting(value);
        }
    }
    merge_setting(base.clear, top.clear);
    merge_list(base.pass, top.pass);
    for (auto& [name, value] : top.set) {
        merge_setting(base.set[name], value);
    }
}

void merge_limits(Profile::Limits& base, Profile::Limits& top) {
    merge_setting(base.memory, top.memory);
    merge_setting(base.swap, top.swap);
    merge_setting(base.pids, top.pids);
    merge_setting(base.cpus, top.cpus);
    merge_setting(base.cpu_weight, top.cpu_weight);
    merge_list(base.io, top.io);
    merge_setting(base.net_in, top.net_in);
    merge_setting(base.net_out, top.net_out);
    merge_setting(base.when_unavailable, top.when_unavailable);
    merge_setting(base.timeout, top.timeout);
    for (const KnownLimit& known : known_limits()) {
        merge_setting(base.*known.setting, top.*known.setting);
    }
}

} // namespace

Profile merge(Profile base, Profile top) {
    if (!top.name.empty()) {
        base.name = std::move(top.name);
    }
    merge_setting(base.description, top.description);
    std::ranges::move(top.lineage, std::back_inserter(base.lineage));

    merge_setting(base.ids.map, top.ids.map);
    merge_setting(base.ids.user, top.ids.user);
    merge_setting(base.ids.groups, top.ids.groups);

    merge_setting(base.namespaces.hostname, top.namespaces.hostname);
    merge_list(base.namespaces.share, top.namespaces.share);

    merge_setting(base.filesystem.root, top.filesystem.root);
    merge_setting(base.filesystem.image, top.filesystem.image);
    merge_setting(base.filesystem.rootfs, top.filesystem.rootfs);
    merge_setting(base.filesystem.writable_root, top.filesystem.writable_root);
    merge_list(base.filesystem.read_only, top.filesystem.read_only);
    merge_list(base.filesystem.read_write, top.filesystem.read_write);
    merge_list(base.filesystem.overlay, top.filesystem.overlay);
    merge_setting(base.filesystem.overlay_driver, top.filesystem.overlay_driver);
    merge_setting(base.filesystem.keep, top.filesystem.keep);
    merge_list(base.filesystem.tmpfs, top.filesystem.tmpfs);
    merge_list(base.filesystem.hide, top.filesystem.hide);
    merge_list(base.filesystem.masked, top.filesystem.masked);

    merge_setting(base.network.mode, top.network.mode);
    merge_list(base.network.publish, top.network.publish);
    merge_list(base.network.dns, top.network.dns);
    merge_list(base.network.hosts, top.network.hosts);
    merge_setting(base.network.host_loopback, top.network.host_loopback);
    merge_list(base.network.allow, top.network.allow);
    merge_setting(base.network.answer_ttl, top.network.answer_ttl);
    merge_limits(base.limits, top.limits);
    merge_environment(base.environment, top.environment);

    merge_list(base.capabilities.keep, top.capabilities.keep);
    merge_list(base.capabilities.drop, top.capabilities.drop);

    merge_setting(base.seccomp.base_profile, top.seccomp.base_profile);
    merge_setting(base.seccomp.default_action, top.seccomp.default_action);
    add_to_list(base.seccomp.allow, top.seccomp.allow);
    add_to_list(base.seccomp.deny, top.seccomp.deny);
    add_to_list(base.seccomp.quiet, top.seccomp.quiet);
    merge_list(base.seccomp.architectures, top.seccomp.architectures);
    std::ranges::move(top.seccomp.rules, std::back_inserter(base.seccomp.rules));

    merge_setting(base.process.workdir, top.process.workdir);
    merge_setting(base.process.terminal, top.process.terminal);
    return base;
}

} // namespace sandbox
