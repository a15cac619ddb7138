// sandboxctl remove|prune: what is kept of detached sandboxes that have ended.
#include <memory>
#include <string>
#include <vector>

#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/attempts.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"

namespace sandbox::ctl {

namespace {

int remove(const std::vector<std::string>& names) {
    const std::string registry = run_registry();
    Attempts attempts;
    attempts.make_for_each(names, [&](const std::string& name) {
        const FoundRun run = expect_kept_run(registry, name, names);
        if (is_alive(run)) {
            throw Error("cannot remove the sandbox " + sandbox::quoted(name))
                .cause("it runs")
                .fix("sandboxctl stop " + name);
        }
        remove_run(registry, run);
    });
    return attempts.status();
}

int prune() {
    const std::string registry = run_registry();
    std::string names;
    for (const FoundRun& run : find_ended_runs(registry)) {
        remove_run(registry, run);
        names += run.name + "\n";
    }
    print(names);
    return 0;
}

} // namespace

void add_remove(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("remove", "forget sandboxes of --detach that have ended, and their logs");
    const auto names = std::make_shared<std::vector<std::string>>();
    verb->add_option("NAME", *names, "the sandboxes")->required()->type_name("KEPT-RUN");
    verb->callback([&chosen, names] { chosen = [names] { return remove(*names); }; });
}

void add_prune(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("prune", "forget all sandboxes of --detach that have ended");
    verb->callback([&chosen] { chosen = [] { return prune(); }; });
}

} // namespace sandbox::ctl
