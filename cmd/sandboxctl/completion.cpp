// sandboxctl completion bash|zsh|fish: the scripts that `make install` puts where the shells look for them.
#include "cmd/common/completion.hpp"

#include <memory>
#include <string>

#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/verbs.hpp"

namespace sandbox::ctl {

namespace {

using Kind = CompletionArgument::Kind;

CompletionArgument describe_argument(const CLI::Option& option) {
    const std::string type = option.get_type_name();
    CompletionArgument argument;
    argument.name = type;
    if (type == "PROFILE") {
        argument.kind = Kind::profile;
    } else if (type == "IMAGE") {
        argument.kind = Kind::listed;
        argument.command = kListImages;
    } else if (type == "FILE") {
        argument.kind = Kind::path;
    } else if (type == "KEPT") {
        argument.kind = Kind::listed;
        argument.command = kListKept;
    } else if (type == "RUN") {
        argument.kind = Kind::listed;
        argument.command = kListRuns;
    } else if (type == "KEPT-RUN") {
        argument.kind = Kind::listed;
        argument.command = kListKeptRuns;
    } else if (type == "SIGNAL") {
        argument.kind = Kind::words;
        argument.words = {"TERM", "KILL", "INT", "QUIT", "HUP", "USR1", "USR2", "TSTP", "CONT", "WINCH", "ALRM"};
    } else if (type == "bash|zsh|fish") {
        argument.kind = Kind::words;
        argument.words = {"bash", "zsh", "fish"};
    } else if (type == "sandbox|sandboxctl") {
        argument.kind = Kind::words;
        argument.words = {"sandbox", "sandboxctl"};
    } else if (type == "USER") {
        argument.kind = Kind::words;
        argument.words = {"self", "root"};
    } else if (type == "DIR") {
        argument.kind = Kind::directory;
    }
    return argument;
}

/// The description of a verb and those below it, from CLI11's own.
CompletionCommand describe(const CLI::App& app) {
    CompletionCommand command{app.get_name(), app.get_description(), {}, {}, {}, false};
    for (const CLI::Option* option : app.get_options()) {
        if (option->get_positional()) {
            command.positional = describe_argument(*option);
            continue;
        }
        const auto letters = option->get_snames();
        command.options.push_back(
            {option->get_lnames().front(), letters.empty() ? '\0' : letters.front().front(), option->get_description(),
             option->get_items_expected_max() == 0 ? CompletionArgument{} : describe_argument(*option)});
    }
    for (const CLI::App* verb : app.get_subcommands({})) {
        command.verbs.push_back(describe(*verb));
    }
    return command;
}

std::string script(const CompletionCommand& program, const std::string& shell) {
    if (shell == "bash") {
        return bash_completion(program);
    }
    return shell == "zsh" ? zsh_completion(program) : fish_completion(program);
}

} // namespace

void add_completion(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("completion", "print a completion script for your shell");
    const auto shell = std::make_shared<std::string>();
    const auto target = std::make_shared<std::string>("sandbox");
    verb->add_option("shell", *shell, "the shell")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->type_name("bash|zsh|fish");
    verb->add_option("--for", *target, "the program to complete (default: sandbox)")
        ->check(CLI::IsMember({"sandbox", "sandboxctl"}))
        ->type_name("sandbox|sandboxctl");
    verb->callback([&program, &chosen, shell, target] {
        chosen = [&program, shell, target] {
            print(script(*target == "sandbox" ? describe_sandbox() : describe(program), *shell));
            return 0;
        };
    });
}

} // namespace sandbox::ctl
