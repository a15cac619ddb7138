#include "core/plan/cgroup_plan.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/plan/cgroup_obstacle.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/size.hpp"

namespace sandbox {

namespace {

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

/// PATH:KEY=VALUE[,KEY=VALUE...]
struct IoLimit {
    std::string path;
    std::string rates;              ///< " KEY=NUMBER" each, as io.max takes them
    std::vector<std::string> words; ///< the same for people
};

std::string io_fix(const Origin& origin) {
    return origin.kind == Origin::Kind::option ? "write --io /home:rbps=10m,wiops=100"
                                               : "write io = [\"/home:rbps=10m,wiops=100\"]";
}

void parse_rate(std::string_view rate, const Item& item, IoLimit& limit) {
    const auto refuse_it = [&](const char* cause) {
        refuse(item.origin, "the limit", item.text, cause, io_fix(item.origin));
    };
    const std::size_t equals = rate.find('=');
    const std::string_view key = rate.substr(0, equals);
    const std::string number(equals == std::string_view::npos ? "" : rate.substr(equals + 1));
    const bool in_bytes = key == "rbps" || key == "wbps";
    if (!in_bytes && key != "riops" && key != "wiops") {
        refuse_it("a key is none of rbps, wbps, riops and wiops");
    }
    if (limit.rates.find(fmt::format(" {}=", key)) != std::string::npos) {
        refuse_it("a key is there twice");
    }
    const std::uint64_t most = in_bytes ? parse_size(number, item.origin)
                                        : parse_count(number, item.origin, 1, kNoLimit - 1, io_fix(item.origin));
    if (most == 0) {
        refuse_it("nothing can be read or written at 0 a second");
    }
    limit.rates += fmt::format(" {}={}", key, most);
    limit.words.push_back(fmt::format("{} {}", key, in_bytes ? size_words(most) : std::to_string(most)));
}

IoLimit parse_io(const Item& item, const Host& host) {
    const std::size_t colon = item.text.rfind(':');
    if (colon == std::string::npos || colon + 1 == item.text.size()) {
        refuse(item.origin, "the limit", item.text, "it is no PATH:KEY=VALUE", io_fix(item.origin));
    }
    IoLimit limit{.path = read_path({item.text.substr(0, colon), item.origin}, host).path, .rates = {}, .words = {}};
    std::string_view rest = std::string_view(item.text).substr(colon);
    while (!rest.empty()) {
        rest.remove_prefix(1); // the colon, then each comma
        parse_rate(rest.substr(0, rest.find(',')), item, limit);
        rest.remove_prefix(std::min(rest.find(','), rest.size()));
    }
    return limit;
}

class LimitReader {
public:
    LimitReader(const Profile::Limits& limits, const Host& host)
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
        const IoLimit limit = parse_io(item, host_);
        const std::string disk = host_.find_disk(limit.path);
        if (disk.empty()) {
            throw Error(fmt::format("{}: cannot limit what is read from and written to {}", written_at(item.origin),
                                    quoted(limit.path)))
                .cause("it is no block device, and lies on none that the kernel tells")
                .fix("name the disk: /dev/sda:rbps=10m");
        }
        const auto same = [&](const CgroupLimit& other) {
            return other.file == "io.max" && other.value.starts_with(disk + " ");
        };
        if (const auto other = std::ranges::find_if(result_, same); other != result_.end()) {
            refuse(item.origin, "the limit", item.text, "the disk " + disk + " has its limit: " + other->words,
                   io_fix(item.origin));
        }
        add("io", "io", "io.max", disk + limit.rates,
            fmt::format("{} ({}): {} a second", escaped(limit.path), disk, fmt::join(limit.words, ", ")), item.origin);
    }

    const Profile::Limits& limits_;
    const Host& host_;
    bool warns_;
    std::vector<CgroupLimit> result_;
};

} // namespace

bool limits_the_sandbox(const Profile::Limits& limits) {
    const auto is_set = [](const Setting<std::string>& limit) { return limit && *limit.value != kUnlimited; };
    return is_set(limits.memory) || is_set(limits.swap) || is_set(limits.pids) || is_set(limits.cpus) ||
           limits.cpu_weight || !limits.io.items.empty();
}

CgroupPlan plan_cgroup(const Profile::Limits& limits, bool stats, const Host& host, std::vector<std::string>& notices) {
    CgroupPlan plan;
    plan.limits = LimitReader(limits, host).read();
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
