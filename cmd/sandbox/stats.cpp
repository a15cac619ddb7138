#include "cmd/sandbox/stats.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cmd/common/figure_words.hpp"
#include "core/base/error.hpp"

namespace sandbox {

namespace {

using Count = std::optional<std::uint64_t>;

constexpr double kMicroseconds = 1e6;

std::uint64_t microseconds(const timeval& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(time.tv_usec);
}

std::uint64_t microseconds(std::chrono::steady_clock::duration time) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

std::uint64_t user_time(const RunUsage& usage) {
    const Count counted = usage.cgroup ? usage.cgroup->user_microseconds : std::nullopt;
    return counted.value_or(microseconds(usage.processes.ru_utime));
}

std::uint64_t system_time(const RunUsage& usage) {
    const Count counted = usage.cgroup ? usage.cgroup->system_microseconds : std::nullopt;
    return counted.value_or(microseconds(usage.processes.ru_stime));
}

std::string in_seconds(std::uint64_t microseconds) {
    return fmt::format("{:.3f} s", static_cast<double>(microseconds) / kMicroseconds);
}

class Table {
public:
    void add(std::string_view name, const std::string& value) { text_ += fmt::format("\n  {:<15} {}", name, value); }

    /// \param limit what is said behind the figure: the limit, if there is one.
    void add(std::string_view name, const Count& count, std::string (*words)(std::uint64_t), const CgroupLimit* limit) {
        if (!count) {
            return add(name, std::string("not known"));
        }
        add(name, words(*count) + (limit != nullptr ? fmt::format(" (the limit is {})", limit->words) : ""));
    }
    std::string take() { return std::move(text_); }

private:
    std::string text_ = "what this run used";
};

} // namespace

const CgroupLimit* find_limit(const CgroupPlan& plan, std::string_view file) {
    const auto found = std::ranges::find(plan.limits, file, &CgroupLimit::file);
    return found == plan.limits.end() ? nullptr : &*found;
}

std::string stats_text(const CgroupPlan& plan, const RunUsage& usage) {
    const CgroupUsage counted = usage.cgroup.value_or(CgroupUsage{});
    const auto number = [](std::uint64_t count) { return std::to_string(count); };
    Table table;
    table.add("wall time", in_seconds(microseconds(usage.wall)));
    table.add("user time", in_seconds(user_time(usage)));
    table.add("system time", in_seconds(system_time(usage)));
    table.add("peak memory", counted.memory_peak, about_bytes, find_limit(plan, "memory.max"));
    table.add("peak processes", counted.pids_peak, number, find_limit(plan, "pids.max"));
    table.add("forks refused", counted.forks_refused, number, nullptr);
    table.add("throttled", counted.throttled_microseconds, in_seconds, find_limit(plan, "cpu.max"));
    table.add("OOM kills", counted.oom_kills, number, nullptr);
    table.add("read", counted.bytes_read, about_bytes, nullptr);
    table.add("written", counted.bytes_written, about_bytes, nullptr);
    if (usage.network) {
        const auto words = [](std::uint64_t bytes, std::uint64_t packets) {
            return fmt::format("{} in {} {}", about_bytes(bytes), packets, packets == 1 ? "packet" : "packets");
        };
        table.add("received", words(usage.network->received_bytes, usage.network->received_packets));
        table.add("sent", words(usage.network->sent_bytes, usage.network->sent_packets));
    }
    if (!usage.cgroup) {
        table.add("", fmt::format("what is not known a cgroup would count: {}", usage.obstacle));
    }
    return table.take();
}

std::string stats_json(const RunUsage& usage) {
    using Json = nlohmann::ordered_json;
    const CgroupUsage counted = usage.cgroup.value_or(CgroupUsage{});
    const auto value = [](const Count& count) { return count ? Json(*count) : Json(nullptr); };
    const auto traffic = [&](std::uint64_t netns::Counters::*member) {
        return usage.network ? Json((*usage.network).*member) : Json(nullptr);
    };
    return Json{{"wall_usec", microseconds(usage.wall)},
                {"user_usec", user_time(usage)},
                {"system_usec", system_time(usage)},
                {"memory_peak", value(counted.memory_peak)},
                {"pids_peak", value(counted.pids_peak)},
                {"forks_refused", value(counted.forks_refused)},
                {"throttled_usec", value(counted.throttled_microseconds)},
                {"oom_kills", value(counted.oom_kills)},
                {"read_bytes", value(counted.bytes_read)},
                {"written_bytes", value(counted.bytes_written)},
                {"received_bytes", traffic(&netns::Counters::received_bytes)},
                {"received_packets", traffic(&netns::Counters::received_packets)},
                {"sent_bytes", traffic(&netns::Counters::sent_bytes)},
                {"sent_packets", traffic(&netns::Counters::sent_packets)},
                {"no_cgroup_because", usage.cgroup ? Json(nullptr) : Json(usage.obstacle)}}
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string out_of_memory_text(const Plan& plan, const RunUsage& usage) {
    const std::string name = sandbox::quoted(plan.process.arguments.front());
    const CgroupLimit* limit = find_limit(plan.cgroup, "memory.max");
    if (limit != nullptr && usage.cgroup && usage.cgroup->limit_reached.value_or(0) > 0) {
        return fmt::format("{} was killed: it reached its memory limit of {} ({})", name, limit->words,
                           limit->origin.place());
    }
    return fmt::format("{} was killed: the machine, or a cgroup around the sandbox, ran out of memory", name);
}

} // namespace sandbox
