#include "core/plan/cgroup_obstacle.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

using Hierarchy = CgroupFacts::Hierarchy;

/// "memory, pids and cpus".
std::string names_of(const std::vector<CgroupLimit>& limits) {
    std::vector<std::string> names;
    for (const CgroupLimit& limit : limits) {
        if (std::ranges::find(names, limit.name) == names.end()) {
            names.push_back(limit.name);
        }
    }
    if (names.size() < 2) {
        return names.empty() ? "" : names.front();
    }
    const std::string last = std::move(names.back());
    names.pop_back();
    return fmt::format("{} and {}", fmt::join(names, ", "), last);
}

} // namespace

std::optional<CgroupObstacle> find_obstacle(const CgroupFacts& facts, const Host& host) {
    constexpr const char* kBoot = "boot with systemd.unified_cgroup_hierarchy=1 on the kernel's command line";
    switch (facts.hierarchy) {
    case Hierarchy::none:
        return CgroupObstacle{"no cgroup file system is seen at /sys/fs/cgroup: this is a sandbox or a container",
                              "start it outside, or give the outer container a cgroup file system of its own"};
    case Hierarchy::legacy:
        return CgroupObstacle{"this machine has cgroup v1, which gives users no limits of their own", kBoot};
    case Hierarchy::hybrid:
        return CgroupObstacle{"this machine has hybrid cgroups: the controllers are cgroup v1's", kBoot};
    case Hierarchy::unified:
        break;
    }
    if (facts.read_only) {
        return CgroupObstacle{"/sys/fs/cgroup is read-only: this is a container",
                              "start the container with a writable one (podman run --systemd=always)"};
    }
    if (!facts.bus.empty() || facts.own_is_delegated) {
        return std::nullopt;
    }
    if (!facts.systemd_runs && facts.own == "/sys/fs/cgroup") {
        return CgroupObstacle{"this is a sandbox or a container, and its cgroup is not delegated to you",
                              "limit the outer one: sandbox --memory ..."};
    }
    if (!facts.systemd_runs) {
        return CgroupObstacle{
            fmt::format("systemd does not run this machine, and the cgroup {} is not delegated to you",
                        facts.own.empty() ? "of this process" : quoted(facts.own)),
            "have root make a cgroup that belongs to you, and start in it"};
    }
    const std::string user = host.user_name.empty() ? std::to_string(host.uid) : escaped(host.user_name);
    if (!facts.has_user_manager) {
        return CgroupObstacle{
            fmt::format("{} has no systemd of its own here: neither a login session nor lingering", user),
            fmt::format("sudo loginctl enable-linger {}", user)};
    }
    return CgroupObstacle{fmt::format("your systemd has no bus at /run/user/{}/bus", host.uid),
                          "install the package dbus-user-session, and log in anew"};
}

std::vector<std::string> missing_controllers(const std::vector<std::string>& wanted, std::string_view available) {
    const std::string padded = fmt::format(" {} ", available);
    std::vector<std::string> missing;
    for (const std::string& controller : wanted) {
        if (padded.find(" " + controller + " ") == std::string::npos &&
            std::ranges::find(missing, controller) == missing.end()) {
            missing.push_back(controller);
        }
    }
    return missing;
}

CgroupObstacle not_delegated(const std::vector<std::string>& controllers) {
    return {fmt::format("the cgroup controller{} {} {} not delegated to you", controllers.size() == 1 ? "" : "s",
                        fmt::join(controllers, ", "), controllers.size() == 1 ? "is" : "are"),
            "sudo mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\nDelegate=cpu cpuset io memory "
            "pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf; sudo systemctl daemon-reload; "
            "sudo systemctl restart user@$(id -u)  # ends your session"};
}

std::string off_notice(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle) {
    return fmt::format("{}: no limit of {}: {}; to get it: {}", limits.front().origin.place(), names_of(limits),
                       obstacle.cause, obstacle.fix);
}

void refuse_required(const std::vector<CgroupLimit>& limits, const CgroupObstacle& obstacle) {
    const auto required = std::ranges::find_if(limits, &CgroupLimit::required);
    if (required != limits.end()) {
        Error error(
            fmt::format("{}: cannot limit {} to {}", written_at(required->origin), required->name, required->words));
        error.cause(obstacle.cause);
        if (!obstacle.fix.empty()) {
            error.fix(obstacle.fix);
        }
        throw error;
    }
}

void leave_out_undelegated(std::vector<CgroupLimit>& limits, std::string_view available,
                           std::vector<std::string>& notices) {
    std::vector<CgroupLimit> off;
    std::vector<std::string> missing;
    for (const CgroupLimit& limit : limits) {
        if (!missing_controllers({limit.controller}, available).empty()) {
            off.push_back(limit);
            missing.push_back(limit.controller);
        }
    }
    if (off.empty()) {
        return;
    }
    const CgroupObstacle obstacle = not_delegated(missing_controllers(missing, available));
    refuse_required(off, obstacle);
    notices.push_back(off_notice(off, obstacle));
    std::erase_if(
        limits, [&](const CgroupLimit& limit) { return !missing_controllers({limit.controller}, available).empty(); });
}

} // namespace sandbox
