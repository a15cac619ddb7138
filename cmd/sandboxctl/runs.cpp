#include "cmd/sandboxctl/runs.hpp"

#include <poll.h>

#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/host.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox::ctl {

namespace {

/// Environments and groups can be long; what is longer was not written by us.
constexpr std::size_t kLongestRecord = std::size_t{64} << 20U;

} // namespace

std::string run_registry() {
    return gather_host().runtime_dir + "/sandbox/runs";
}

FoundRun expect_run(const std::string& registry, const std::string& name) {
    std::optional<FoundRun> run = find_run(registry, name);
    if (run) {
        return std::move(*run);
    }
    std::vector<std::string> names;
    for (const FoundRun& other : find_runs(registry)) {
        names.push_back(other.name);
    }
    Error error("no sandbox " + sandbox::quoted(name) + " runs");
    const std::string near = nearest(name, names);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    throw std::move(error).fix("sandboxctl ps");
}

std::vector<FoundRun> expect_runs(const std::string& registry, const std::vector<std::string>& names) {
    std::vector<FoundRun> runs;
    for (const std::string& name : names) {
        runs.push_back(expect_run(registry, name));
    }
    return runs;
}

std::optional<RunRecord> record_of(const FoundRun& run) {
    const std::optional<std::string> text = read_file_of(run, kRecordFile, kLongestRecord);
    return text ? read_run_record(*text) : std::nullopt;
}

Fd open_supervisor(const FoundRun& run) {
    constexpr int kMilliseconds = 5;
    constexpr int kTries = 600;
    // The entry is locked a moment before it says by whom, and for a moment after its supervisor has ended.
    for (int i = 0; i < kTries; ++i) {
        const std::optional<ProcessIdentity> supervisor = supervisor_of(run);
        Fd opened = supervisor ? open_process(*supervisor) : Fd();
        if (!is_alive(run)) {
            return {};
        }
        if (opened) {
            return opened;
        }
        ::poll(nullptr, 0, kMilliseconds);
    }
    throw Error("cannot see the supervisor of the sandbox " + sandbox::quoted(run.name))
        .cause("it runs in another pid namespace, or something else holds its entry locked");
}

} // namespace sandbox::ctl
