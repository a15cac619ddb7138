// sandboxctl wait: the end of a sandbox, and how CMD ended.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cmd/sandboxctl/attempts.hpp"
#include "cmd/sandboxctl/ending.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"

namespace sandbox::ctl {

namespace {

/// A run that is waited for. What tells its end is opened while it runs, for the entry goes with it, unless it was
/// detached.
struct Waiting {
    std::string name;
    std::optional<Ending> ending; ///< nothing for a detached one that has ended already
    Fd status;
};

int status_at_end(const Waiting& one) {
    if (one.ending) {
        one.ending->wait_for_rest();
    }
    const std::optional<RunEnd> end = read_end(one.status);
    if (!end) {
        throw Error("cannot learn how the sandbox " + sandbox::quoted(one.name) + " ended")
            .cause("CMD did not start, or the supervisor was killed");
    }
    return end->status;
}

int wait(const std::vector<std::string>& names) {
    const std::string registry = run_registry();
    std::vector<Waiting> all;
    Attempts attempts;
    attempts.make_for_each(names, [&](const std::string& name) {
        FoundRun run = expect_kept_run(registry, name, names);
        Waiting one{.name = name, .ending = {}, .status = open_status(run)};
        if (is_alive(run)) {
            one.ending.emplace(registry, std::move(run));
        }
        all.push_back(std::move(one));
    });
    int last = 0;
    for (const Waiting& one : all) {
        attempts.make([&] {
            const int status = status_at_end(one);
            last = one.name == names.back() ? status : last;
        });
    }
    return attempts.status() != 0 ? attempts.status() : last;
}

} // namespace

void add_wait(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("wait", "wait for the end of sandboxes, and exit as the last one did");
    const auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "the sandboxes")->required()->type_name("KEPT-RUN");
    verb->callback([&chosen, names] { chosen = [names] { return wait(*names); }; });
}

} // namespace sandbox::ctl
