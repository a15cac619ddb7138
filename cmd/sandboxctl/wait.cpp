// sandboxctl wait: the end of a sandbox, and how CMD ended.
#include <fcntl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/sandboxctl/ending.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox::ctl {

namespace {

constexpr std::size_t kLongestStatus = 65'536;

/// A run that is waited for. What tells its end is opened while it runs, for the entry goes with it.
struct Waiting {
    Ending ending;
    Fd status;
};

/// The status of the record that a run leaves: sandbox(1), STATUS RECORDS.
std::optional<int> read_status(const Fd& opened) {
    std::string text;
    if (!opened || !read_all(opened.get(), kLongestStatus, text)) {
        return std::nullopt;
    }
    const Json record = Json::parse(text, nullptr, false);
    const auto status = record.is_object() ? record.find("status") : record.end();
    return record.is_object() && status != record.end() && status->is_number_integer()
               ? std::optional(status->get<int>())
               : std::nullopt;
}

int wait(const std::vector<std::string>& names) {
    const std::string registry = run_registry();
    std::vector<Waiting> all;
    for (FoundRun& run : expect_runs(registry, names)) {
        Fd status(::openat(run.directory.get(), kStatusFile, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        all.push_back({.ending = Ending(registry, std::move(run)), .status = std::move(status)});
    }
    int last = 0;
    for (const Waiting& one : all) {
        one.ending.wait_for_rest();
        const std::optional<int> status = read_status(one.status);
        if (!status) {
            throw Error("cannot learn how the sandbox " + sandbox::quoted(one.ending.name()) + " ended")
                .cause("CMD did not start, or the supervisor was killed");
        }
        last = *status;
    }
    return last;
}

} // namespace

void add_wait(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("wait", "wait for the end of sandboxes, and exit as the last one did");
    const auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("name", *names, "the sandboxes")->required()->type_name("RUN");
    verb->callback([&chosen, names] { chosen = [names] { return wait(*names); }; });
}

} // namespace sandbox::ctl
