#include "core/process_table.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/file.hpp"
#include "core/process_stat.hpp"

namespace sandbox {

namespace {

std::uint64_t mount_namespace_of(pid_t pid) {
    struct stat status {};
    return ::stat(fmt::format("/proc/{}/ns/mnt", pid).c_str(), &status) == 0 ? status.st_ino : 0;
}

ProcessFacts facts_of(pid_t pid, const ProcessStat& stat) {
    static const auto kTick = static_cast<std::uint64_t>(1'000'000 / ::sysconf(_SC_CLK_TCK));
    static const auto kPage = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::uint64_t ticks = 0;
    for (int field = ProcessStat::kUserTime; field < ProcessStat::kUserTime + 4; ++field) {
        ticks += stat.number(field);
    }
    return {.identity = {.pid = pid, .start_time = stat.number(ProcessStat::kStartTime)},
            .parent = static_cast<pid_t>(stat.number(ProcessStat::kParent)),
            .mount_namespace = mount_namespace_of(pid),
            .threads = stat.number(ProcessStat::kThreads),
            .cpu_microseconds = ticks * kTick,
            .resident_bytes = stat.number(ProcessStat::kResident) * kPage};
}

/// The number behind "KEY: " at the start of a line.
std::uint64_t value_of(std::string_view text, std::string_view key) {
    const std::size_t at = text.find(key);
    std::uint64_t value = 0;
    if (at != std::string_view::npos && (at == 0 || text[at - 1] == '\n')) {
        std::from_chars(text.data() + at + key.size(), text.data() + text.size(), value);
    }
    return value;
}

void add(TreeUsage& usage, const ProcessFacts& process) {
    const std::string io = read_small_file(fmt::format("/proc/{}/io", process.identity.pid));
    usage.pids += process.threads;
    usage.cpu_microseconds += process.cpu_microseconds;
    usage.resident_bytes += process.resident_bytes;
    usage.bytes_read += value_of(io, "read_bytes: ");
    usage.bytes_written += value_of(io, "write_bytes: ");
}

} // namespace

ProcessTable::ProcessTable() {
    for (const std::string& name : list_directory("/proc").value_or(std::vector<std::string>())) {
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc() || end != name.data() + name.size()) {
            continue;
        }
        if (const ProcessStat stat(pid); stat.is_there()) {
            processes_.push_back(facts_of(pid, stat));
        }
    }
}

std::optional<TreeUsage> ProcessTable::usage(const ProcessIdentity& root, std::uint64_t mount_namespace) const {
    if (std::ranges::find(processes_, root, &ProcessFacts::identity) == processes_.end()) {
        return std::nullopt;
    }
    std::set<pid_t> inside = {root.pid};
    // A child can have a smaller number than its parent, once the numbers have gone round.
    for (bool grows = true; grows;) {
        grows = false;
        for (const ProcessFacts& process : processes_) {
            grows = (inside.contains(process.parent) && inside.insert(process.identity.pid).second) || grows;
        }
    }
    TreeUsage usage;
    for (const ProcessFacts& process : processes_) {
        const bool has_entered = mount_namespace != 0 && process.mount_namespace == mount_namespace;
        if (inside.contains(process.identity.pid) || has_entered) {
            add(usage, process);
        }
    }
    return usage;
}

} // namespace sandbox
