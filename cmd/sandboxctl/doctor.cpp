// sandboxctl doctor: can this machine run sandboxes, and if not, why and what helps.
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/checks.hpp"
#include "cmd/common/json.hpp"
#include "cmd/common/machine.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/doctor_layers.hpp"
#include "cmd/sandboxctl/doctor_runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/plan/host.hpp"

namespace sandbox::ctl {

namespace {

/// Facts can mislead (a profile of AppArmor's for our program, a limit that is just reached), so a sandbox is started.
Check start_one(const Machine& machine) {
    Check check{"start", "a sandbox under the profile strict starts", Check::State::ok, "", ""};
    try {
        // With the caller's own environment, as the caller would.
        const HelperResult ended =
            Helper({machine.executable, "--quiet", "--profile", "strict", "--", "true"}, STDERR_FILENO, environ)
                .finish();
        if (WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == 0) {
            return check;
        }
        check.why = ended.said.empty() ? "it ended without a word" : ended.said;
    } catch (const Error& error) {
        check.why = error.what();
    }
    check.state = Check::State::missing;
    check.why.erase(check.why.find_last_not_of('\n') + 1);
    check.fix = "do what this message says";
    return check;
}

/// Where a sandbox does start, what the facts make look impossible is only worth a remark.
void soften(std::vector<Check>& checks) {
    for (Check& check : checks) {
        if (check.state == Check::State::missing) {
            check.state = Check::State::warning;
        }
    }
}

std::string as_json(const std::vector<Check>& checks, bool works) {
    Json list = Json::array();
    for (const Check& check : checks) {
        list.push_back({{"id", check.id},
                        {"title", check.title},
                        {"state", word(check.state)},
                        {"why", check.why.empty() ? Json(nullptr) : Json(check.why)},
                        {"fix", check.fix.empty() ? Json(nullptr) : Json(check.fix)}});
    }
    return to_text({{"works", works}, {"checks", std::move(list)}});
}

/// Lines after the first are moved in.
std::string indented(const std::string& text) {
    std::string result;
    for (const char c : text) {
        result += c;
        if (c == '\n') {
            result += "             ";
        }
    }
    return result;
}

std::string as_lines(const std::vector<Check>& checks, bool works) {
    std::string text;
    for (const Check& check : checks) {
        text += fmt::format("{:<8} {}\n", word(check.state), check.title);
        if (!check.why.empty()) {
            text += fmt::format("         why: {}\n", indented(check.why));
        }
        if (!check.fix.empty()) {
            text += fmt::format("         fix: {}\n", indented(check.fix));
        }
    }
    return text + (works ? "\nSandboxes work here.\n" : "\nSandboxes do not work here yet.\n");
}

int doctor(bool json) {
    const Host host = gather_host();
    const Machine machine = read_machine(host);
    std::vector<Check> checks = run_checks(machine, host);
    Check start = start_one(machine);
    const bool works = start.state == Check::State::ok;
    if (works) {
        soften(checks);
    }
    for (Check& check : layer_checks(host)) {
        checks.push_back(std::move(check));
    }
    for (Check& check : run_record_checks(host)) {
        checks.push_back(std::move(check));
    }
    checks.push_back(std::move(start));
    print(json ? as_json(checks, works) : as_lines(checks, works));
    return works ? 0 : 1;
}

} // namespace

void add_doctor(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("doctor", "look whether this machine can run sandboxes");
    const auto json = std::make_shared<bool>(false);
    verb->add_flag("--json", *json, "print it for programs");
    verb->callback([&chosen, json] { chosen = [json] { return doctor(*json); }; });
}

} // namespace sandbox::ctl
