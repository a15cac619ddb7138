// sandboxctl VERB ...: looks after what sandbox uses.
#include <algorithm>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/plan/nearest.hpp"
#include "core/sealed_program.hpp"

namespace sandbox::ctl {

namespace {

constexpr const char* kFooter = R"(
Examples:
  sandboxctl doctor                    can this machine run sandboxes, and if not, why
  sandboxctl profile list              the profiles there are, and where they come from
  sandboxctl profile show strict       what it says, merged, each value with its origin
  sandboxctl profile check my.toml     all mistakes of a profile
  sandboxctl image pull debian:12      fetch an image, for sandbox --image debian:12
  sandboxctl image list                the images that are there
  sandboxctl ps                        the sandboxes that run
  sandboxctl stop web                  end one, started by sandbox --name web
  sandboxctl exec web sh               a shell in the sandbox that runs as web
  sandboxctl logs -f web               what it writes, started by sandbox --detach --name web

Exit status: 0 when all is well, 1 when the answer is no, 125 when sandboxctl itself failed.
exec and wait end with the status of CMD.

See also: sandboxctl(1), sandbox(1), sandbox-profile(5).)";

std::string help_command(const CLI::App& verb) {
    std::string words = "--help";
    for (const CLI::App* app = &verb; app->get_parent() != nullptr; app = app->get_parent()) {
        words = app->get_name() + " " + words;
    }
    return "sandboxctl " + words;
}

std::string help_of(const CLI::App& verb) {
    const CLI::App* above = verb.get_parent();
    if (above == nullptr) {
        return verb.help();
    }
    return verb.help(above->get_parent() == nullptr ? "sandboxctl" : "sandboxctl " + above->get_name());
}

[[noreturn]] void refuse_verb(const CLI::App& above, const std::string& word) {
    Error error("there is no verb " + sandbox::quoted(word));
    std::vector<std::string> names;
    for (const CLI::App* verb : above.get_subcommands({})) {
        names.push_back(verb->get_name());
    }
    const std::string near = nearest(word, names);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    throw std::move(error).fix(help_command(above));
}

/// The verb that `words` start with, or `program` itself. \throws Error for a word that is no verb, where one must
/// stand.
const CLI::App& find_verb(const CLI::App& program, const std::vector<std::string>& words) {
    const CLI::App* verb = &program;
    for (const std::string& word : words) {
        const std::vector<const CLI::App*> below = verb->get_subcommands({});
        if (below.empty() || word.starts_with('-')) {
            break;
        }
        const auto next = std::ranges::find(below, word, [](const CLI::App* app) { return app->get_name(); });
        if (next == below.end()) {
            refuse_verb(*verb, word);
        }
        verb = *next;
    }
    return *verb;
}

int run(std::vector<std::string> words, char** arguments) {
    CLI::App program("Looks after what sandbox uses, and after your sandboxes that run.", "sandboxctl");
    program.set_help_flag("-h,--help", "this text");
    program.set_version_flag("-V,--version", "sandboxctl " SANDBOX_VERSION, "the version");
    program.get_formatter()->label("SUBCOMMAND", "VERB");
    Action chosen;
    add_profile(program, chosen);
    add_image(program, chosen);
    add_kept(program, chosen);
    add_diff(program, chosen);
    add_discard(program, chosen);
    add_ps(program, chosen);
    add_stats(program, chosen);
    add_stop(program, chosen);
    add_kill(program, chosen);
    add_wait(program, chosen);
    add_exec(program, chosen, take_command_of_exec(words), arguments);
    add_learn(program, chosen, take_command_of_learn(words));
    add_logs(program, chosen);
    add_remove(program, chosen);
    add_prune(program, chosen);
    add_doctor(program, chosen);
    add_completion(program, chosen);
    program.footer(kFooter); // set last, or each verb would have it

    if (words.empty() || words.front() == "help") {
        words.erase(words.begin(), words.begin() + (words.empty() ? 0 : 1));
        print(help_of(find_verb(program, words)));
        return 0;
    }
    const CLI::App& verb = find_verb(program, words);
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend()); // CLI11 takes words from the end
        program.parse(reversed);
    } catch (const CLI::CallForHelp&) {
        print(help_of(verb));
        return 0;
    } catch (const CLI::CallForVersion&) {
        print("sandboxctl " SANDBOX_VERSION "\n");
        return 0;
    } catch (const CLI::ParseError& error) {
        throw Error(escaped(error.what())).fix(help_command(verb));
    }
    if (!chosen) {
        throw Error("a verb is missing").fix(help_command(verb));
    }
    return chosen();
}

} // namespace

} // namespace sandbox::ctl

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
        if (!words.empty() && words.front() == "exec") {
            sandbox::run_unwritable(argv); // for what enters a sandbox, and nothing else
        }
        return sandbox::ctl::run(words, argv);
    } catch (const sandbox::Error& error) {
        sandbox::complain(error.what(), "sandboxctl");
        return error.exit_status();
    } catch (const std::exception& error) {
        sandbox::complain(error.what(), "sandboxctl");
        return sandbox::kOwnFailure;
    }
}
