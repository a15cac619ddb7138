#include "core/plan/cgroup_plan.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/size.hpp"

namespace sandbox {

namespace {

using Hierarchy = CgroupFacts::Hierarchy;

constexpr const char* kUnlimited = "unlimited";
// cpu.max: so many microseconds of each period.
constexpr double kPeriod = 100'000;
constexpr double kFewestCpus = 0.01; // a millisecond of each period is the least that the kernel takes
constexpr double kMostCpus = 100'000;
// Below it pid 1 of the sandbox does not even start: it is killed for its own memory.
constexpr std::uint64_t kLeastMemory = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostProcesses = std::uint64_t{1} << 22; // PID_MAX_LIMIT

[[noreturn]] void refuse(const Origin& origin, const char* what, const std::string& text, const std::string& cause,
                         const std::string& fix) {
    throw Error(fmt::format("{}: cannot read {} {}", written_at(origin), what, quoted(text))).cause(cause).fix(fix);
}

/// `key = "value"`, or `--key value` for who wrote an option.
std::string line(const Origin& origin, std::string_view key, std::string_view value) {
    return origin.kind == Origin::Kind::option ? fmt::format("--{} {}", key, value)
                                               : fmt::format("{} = \"{}\"", key, value);
}

std::uint64_t parse_count(const std::string& text, const Origin& origin, std::uint64_t least, std::uint64_t most,
                          const std::string& fix) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, count);
    if (error == std::errc::invalid_argument || behind != end) {
        refuse(origin, "the number", text, "a count has digits alone", fix);
    }
    if (error != std::errc() || count < least || count > most) {
        refuse(origin, "the number", text, fmt::format("it is not between {} and {}", least, most), fix);
    }
    return count;
}

double parse_cpus(const std::string& text, const Origin& origin) {
    double cpus = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, cpus, std::chars_format::fixed);
    const std::string fix = "write " + line(origin, "cpus", "1.5");
    // from_chars also reads "inf" and "nan".
    if (error == std::errc::invalid_argument || behind != end || !std::isfinite(cpus)) {
        refuse(origin, "the number of CPUs", text, "it is no decimal number", fix);
    }
    if (error != std::errc() || cpus < kFewestCpus || cpus > kMostCpus) {
        refuse(origin, "the number of CPUs", text, fmt::format("it is not between {} and {}", kFewestCpus, kMostCpus),
               fix);
    }
    return cpus;
}

class Reader {
public:
    Reader(const Profile::Limits& limits, const Host& host)
        : limits_(limits), host_(host), warns_(one_of(limits.when_unavailable, kUnavailableWords) == "warn") {}

    std::vector<CgroupLimit> read() {
        read_memory();
        if (const auto& pids = limits_.pids; pids && *pids.value != kUnlimited) {
            const std::uint64_t count =
                parse_count(*pids.value, pids.origin, 2, kMostProcesses, "write " + line(pids.origin, "pids", "256"));
            add("pids", "pids", "pids.max", std::to_string(count), fmt::format("{} processes and threads", count),
                pids.origin);
        }
        if (const auto& setting = limits_.cpus; setting && *setting.value != kUnlimited) {
            const double cpus = parse_cpus(*setting.value, setting.origin);
            add("cpus", "cpu", "cpu.max", fmt::format("{:.0f} {:.0f}", cpus * kPeriod, kPeriod),
                fmt::format("{} CPU{}", cpus, cpus == 1 ? "" : "s"), setting.origin);
        }
        if (const auto& weight = limits_.cpu_weight) {
            const std::uint64_t number = parse_count(*weight.value, weight.origin, 1, 10'000,
                                                     "write " + line(weight.origin, "cpu-weight", "100"));
            add("cpu-weight", "cpu", "cpu.weight", std::to_string(number), std::to_string(number), weight.origin);
        }
        for (const Item& item : limits_.io.items) {
            read_io(item);
        }
        return std::move(result_);
    }

private:
    void add(const char* name, const char* controller, const char* file, std::string value, std::string words,
             const Origin& origin) {
        // What the user asks for on the command line, he wants.
        const bool required = origin.kind == Origin::Kind::option || !warns_;
        result_.push_back({name, controller, file, std::move(value), std::move(words), required, origin});
    }

    void read_memory() {
        const auto& memory = limits_.memory;
        const bool is_limited = memory && *memory.value != kUnlimited;
        if (is_limited) {
            const std::uint64_t bytes = parse_size(*memory.value, memory.origin);
            if (bytes < kLeastMemory) {
                refuse(memory.origin, "the limit", *memory.value, "nothing starts in less than 1 MiB of memory",
                       "write " + line(memory.origin, "memory", "512m"));
            }
            add("memory", "memory", "memory.max", std::to_string(bytes), size_words(bytes), memory.origin);
        }
        const auto& swap = limits_.swap;
        if (swap && *swap.value != kUnlimited) {
            const std::uint64_t bytes = parse_size(*swap.value, swap.origin);
            add("swap", "memory", "memory.swap.max", std::to_string(bytes), size_words(bytes), swap.origin);
        } else if (is_limited && !swap) {
            // Swapped out, more than the limit would be used.
            add("memory", "memory", "memory.swap.max", "0", "no swap", memory.origin);
        }
    }

    void read_io(const Item& item) {
        const std::string fix = item.origin.kind == Origin::Kind::option ? "write --io /home:rbps=10m,wiops=100"
                                                                         : "write io = [\"/home:rbps=10m,wiops=100\"]";
        const std::size_t colon = item.text.rfind(':');
        if (colon == std::string::npos || colon + 1 == item.text.size()) {
            refuse(item.origin, "the limit", item.text, "it is no PATH:KEY=VALUE", fix);
        }
        const std::string path = read_path({item.text.substr(0, colon), item.origin}, host_).path;
        std::string value;
        std::vector<std::string> words;
        std::vector<std::string_view> keys;
        for (std::optional<std::string_view> rest = std::string_view(item.text).substr(colon + 1); rest;) {
            const std::size_t comma = rest->find(',');
            const std::string_view part = rest->substr(0, comma);
            rest = comma == std::string_view::npos ? std::nullopt : std::optional(rest->substr(comma + 1));
            const std::size_t equals = part.find('=');
            const std::string_view key = part.substr(0, equals);
            const std::string number(equals == std::string_view::npos ? "" : part.substr(equals + 1));
            const bool in_bytes = key == "rbps" || key == "wbps";
            if (!in_bytes && key != "riops" && key != "wiops") {
                refuse(item.origin, "the limit", item.text, "a key is none of rbps, wbps, riops and wiops", fix);
            }
            if (std::ranges::find(keys, key) != keys.end()) {
                refuse(item.origin, "the limit", item.text, "a key is there twice", fix);
            }
            keys.push_back(key);
            const std::uint64_t most =
                in_bytes ? parse_size(number, item.origin) : parse_count(number, item.origin, 1, kNoLimit - 1, fix);
            if (most == 0) {
                refuse(item.origin, "the limit", item.text, "nothing can be read or written at 0 a second", fix);
            }
            value += fmt::format(" {}={}", key, most);
            words.push_back(fmt::format("{} {}", key, in_bytes ? size_words(most) : std::to_string(most)));
        }
        const std::string disk = host_.find_disk(path);
        if (disk.empty()) {
            throw Error(fmt::format("{}: cannot limit what is read from and written to {}", written_at(item.origin),
                                    quoted(path)))
                .cause("it is no block device, and lies on none that the kernel tells")
                .fix("name the disk: /dev/sda:rbps=10m");
        }
        const auto same = [&](const CgroupLimit& limit) {
            return limit.file == "io.max" && limit.value.starts_with(disk + " ");
        };
        if (const auto other = std::ranges::find_if(result_, same); other != result_.end()) {
            refuse(item.origin, "the limit", item.text, "the disk " + disk + " has its limit: " + other->words, fix);
        }
        add("io", "io", "io.max", disk + value,
            fmt::format("{} ({}): {} a second", escaped(path), disk, fmt::join(words, ", ")), item.origin);
    }

    const Profile::Limits& limits_;
    const Host& host_;
    bool warns_;
    std::vector<CgroupLimit> result_;
};

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

bool limits_the_sandbox(const Profile::Limits& limits) {
    const auto is_set = [](const Setting<std::string>& limit) { return limit && *limit.value != kUnlimited; };
    return is_set(limits.memory) || is_set(limits.swap) || is_set(limits.pids) || is_set(limits.cpus) ||
           limits.cpu_weight || !limits.io.items.empty();
}

CgroupPlan plan_cgroup(const Profile::Limits& limits, bool stats, const Host& host, std::vector<std::string>& notices) {
    CgroupPlan plan;
    plan.limits = Reader(limits, host).read();
    plan.stats = stats;
    if (!plan.wanted()) {
        return plan;
    }
    const CgroupFacts facts = host.look_at_cgroups(host);
    if (const auto obstacle = find_obstacle(facts, host)) {
        plan.obstacle = obstacle->cause;
        refuse_required(plan.limits, *obstacle);
        if (!plan.limits.empty()) {
            notices.push_back(off_notice(plan.limits, *obstacle));
            plan.limits.clear();
        }
        return plan;
    }
    plan.places = {.bus = facts.bus, .subtree = facts.own_is_delegated ? facts.own : std::string()};
    // What is delegated is known before for the place that is tried first; the run looks again.
    const std::string& available = facts.bus.empty() ? facts.own_controllers : facts.manager_controllers;
    if (!available.empty()) {
        leave_out_undelegated(plan.limits, available, notices);
    }
    return plan;
}

} // namespace sandbox
