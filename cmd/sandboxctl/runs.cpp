#include "cmd/sandboxctl/runs.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/paths.hpp"

namespace sandbox::ctl {

std::string run_registry() {
    const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
    const bool is_usable = runtime != nullptr && runtime[0] == '/';
    return (is_usable ? paths::normal(runtime) : fmt::format("/run/user/{}", ::getuid())) + "/sandbox/runs";
}

namespace {

[[noreturn]] void refuse(const std::string& summary, const std::string& name, const std::vector<FoundRun>& known,
                         const std::vector<std::string>& said, const std::string& list) {
    std::vector<std::string> names;
    for (const FoundRun& run : known) {
        if (std::ranges::find(said, run.name) == said.end()) {
            names.push_back(run.name);
        }
    }
    Error error(summary);
    const std::string near = nearest(name, names);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    throw std::move(error).fix(list);
}

std::optional<FoundRun> find_ended_run(const std::string& registry, const std::string& name) {
    for (FoundRun& run : find_ended_runs(registry)) {
        if (run.name == name) {
            return std::move(run);
        }
    }
    return std::nullopt;
}

} // namespace

FoundRun expect_run(const std::string& registry, const std::string& name, const std::vector<std::string>& said) {
    std::optional<FoundRun> run = find_run(registry, name);
    if (run) {
        return std::move(*run);
    }
    if (find_ended_run(registry, name)) {
        throw Error("the sandbox " + sandbox::quoted(name) + " has ended")
            .fix("sandboxctl ps --all tells how, sandboxctl logs " + name + " what it wrote")
            .fix("sandboxctl remove " + name + " forgets it");
    }
    refuse("no sandbox " + sandbox::quoted(name) + " runs", name, find_runs(registry), said, "sandboxctl ps");
}

FoundRun expect_kept_run(const std::string& registry, const std::string& name, const std::vector<std::string>& said) {
    std::optional<FoundRun> run = find_run(registry, name);
    if (!run) {
        run = find_ended_run(registry, name);
    }
    if (run) {
        return std::move(*run);
    }
    std::vector<FoundRun> known = find_runs(registry);
    std::ranges::move(find_ended_runs(registry), std::back_inserter(known));
    refuse("there is no sandbox " + sandbox::quoted(name), name, known, said, "sandboxctl ps --all");
}

Fd open_status(const FoundRun& run) {
    return Fd(::openat(run.directory.get(), kStatusFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

std::optional<RunEnd> read_end(const Fd& status) {
    constexpr std::size_t kLongest = 65'536;
    std::string text;
    if (!status || !read_all(status.get(), kLongest, text)) {
        return std::nullopt;
    }
    const Json record = Json::parse(text, nullptr, false);
    try {
        return RunEnd{.status = record.at("status").get<int>(), .reason = record.at("reason").get<std::string>()};
    } catch (const Json::exception&) {
        return std::nullopt;
    }
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
