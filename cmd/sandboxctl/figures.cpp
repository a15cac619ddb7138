#include "cmd/sandboxctl/figures.hpp"

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/cgroup.hpp"
#include "core/process_identity.hpp"

namespace sandbox::ctl {

namespace {

constexpr std::size_t kMountNamespace = 3;
static_assert(std::string_view(kNamespaceNames[kMountNamespace]) == "mnt");

Figures::Count sum(const Figures::Count& left, const Figures::Count& right) {
    return left && right ? Figures::Count(*left + *right) : std::nullopt;
}

Figures from_cgroup(const std::string& directory) {
    const CgroupUsage counted = cgroup::usage(directory);
    return {.from_cgroup = true,
            .pids = counted.pids_now,
            .memory = counted.memory_now,
            .memory_peak = counted.memory_peak,
            .cpu_microseconds = sum(counted.user_microseconds, counted.system_microseconds),
            .throttled_microseconds = counted.throttled_microseconds,
            .bytes_read = counted.bytes_read,
            .bytes_written = counted.bytes_written,
            .network = {}};
}

/// pid 1 is in the sandbox's network namespace as long as it lives.
std::optional<netns::Counters> network_of(const RunRecord& record) {
    if (record.network_mode == "host" || record.network_mode == "none") {
        return std::nullopt;
    }
    const std::string table = read_small_file(fmt::format("/proc/{}/net/dev", record.init.pid));
    // Looked at after the reading: else the number could have been another's by then.
    return identify(record.init.pid) == record.init ? netns::read_counters(table) : std::nullopt;
}

} // namespace

Figures measure(const RunRecord& record, const ProcessTable& processes) {
    Figures figures = record.cgroup.empty() ? Figures{} : from_cgroup(record.cgroup);
    const bool is_whole = figures.pids && figures.memory && figures.cpu_microseconds && figures.bytes_read;
    const std::optional<TreeUsage> tree =
        is_whole ? std::nullopt : processes.usage(record.init, record.namespaces[kMountNamespace].inode);
    const auto fill = [&](Figures::Count& count, std::uint64_t TreeUsage::*member) {
        if (tree && !count) {
            count = (*tree).*member;
            figures.from_processes = true;
        }
    };
    fill(figures.pids, &TreeUsage::pids);
    fill(figures.memory, &TreeUsage::resident_bytes);
    fill(figures.cpu_microseconds, &TreeUsage::cpu_microseconds);
    fill(figures.bytes_read, &TreeUsage::bytes_read);
    fill(figures.bytes_written, &TreeUsage::bytes_written);
    figures.network = network_of(record);
    return figures;
}

std::string_view counted_by(const Figures& figures) {
    if (figures.from_cgroup && figures.from_processes) {
        return "both";
    }
    return figures.from_cgroup ? "cgroup" : "processes";
}

void add_to(Json& object, const Figures& figures) {
    const auto value = [](const Figures::Count& count) { return count ? Json(*count) : Json(nullptr); };
    object["counted_by"] = counted_by(figures);
    object["pids"] = value(figures.pids);
    object["memory"] = value(figures.memory);
    object["memory_peak"] = value(figures.memory_peak);
    object["cpu_usec"] = value(figures.cpu_microseconds);
    object["throttled_usec"] = value(figures.throttled_microseconds);
    object["read_bytes"] = value(figures.bytes_read);
    object["written_bytes"] = value(figures.bytes_written);
    const std::optional<netns::Counters>& network = figures.network;
    object["received_bytes"] = network ? Json(network->received_bytes) : Json(nullptr);
    object["received_packets"] = network ? Json(network->received_packets) : Json(nullptr);
    object["sent_bytes"] = network ? Json(network->sent_bytes) : Json(nullptr);
    object["sent_packets"] = network ? Json(network->sent_packets) : Json(nullptr);
}

} // namespace sandbox::ctl
