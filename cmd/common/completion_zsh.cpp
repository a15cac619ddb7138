// zsh(1): a function a verb, each handing its options to _arguments (zshcompsys(1)).
#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/completion.hpp"

namespace sandbox {

namespace {

using Kind = CompletionArgument::Kind;

/// Fit for the inside of a specification in single quotes.
std::string escaped_text(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\'') {
            result += "'\\''";
        } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
            result += '\\';
            result += c;
        } else {
            result += c;
        }
    }
    return result;
}

std::string in_single_quotes(std::string_view text) {
    std::string result;
    for (const char c : text) {
        result += c == '\'' ? "'\\''" : std::string(1, c);
    }
    return result;
}

/// ":message:action" of one argument.
std::string action(const CompletionArgument& argument) {
    const std::string message = ":" + escaped_text(argument.name) + ":";
    switch (argument.kind) {
    case Kind::none:
        return "";
    case Kind::anything:
        return message + " ";
    case Kind::path:
        return message + "_files";
    case Kind::directory:
        return message + "_files -/";
    case Kind::profile:
        return message + (argument.words.empty() ? "_sandbox_profiles"
                                                 : fmt::format("_sandbox_profiles {}", fmt::join(argument.words, " ")));
    case Kind::listed:
        // Inside of single quotes, as all of the line is.
        return message + fmt::format("compadd - ${{(f)\"$({})\"}}", in_single_quotes(argument.command));
    case Kind::variable:
        return message + (argument.suffix.empty() ? "_parameters -g \"*export*\""
                                                  : fmt::format("_parameters -g \"*export*\" -S {}", argument.suffix));
    case Kind::words:
        if (!argument.suffix.empty()) {
            return message + fmt::format("compadd -S {} - {}", argument.suffix, fmt::join(argument.words, " "));
        }
        return message + (argument.comma_list ? fmt::format("_sequence compadd - {}", fmt::join(argument.words, " "))
                                              : fmt::format("({})", fmt::join(argument.words, " ")));
    }
    return "";
}

std::string option_line(const CompletionOption& option) {
    const std::string help = fmt::format("[{}]", escaped_text(option.help));
    std::string argument = action(option.argument);
    std::string long_end;
    std::string letter_end;
    if (option.argument.optional) {
        argument = ":" + argument;
        long_end = "=-";
    } else if (!argument.empty()) {
        long_end = "=";
        letter_end = "+";
    }
    // '*': what is said twice adds to a list, or the last one counts.
    if (option.letter != 0) {
        return fmt::format("        '*'{{-{}{},--{}{}}}'{}{}' \\\n", option.letter, letter_end, option.name, long_end,
                           help, argument);
    }
    return fmt::format("        '*--{}{}{}{}' \\\n", option.name, long_end, help, argument);
}

void write_function(const CompletionCommand& command, const std::string& function, std::string& script) {
    script += fmt::format("\n{}() {{\n", function);
    std::string lines;
    for (const CompletionOption& option : command.options) {
        lines += option_line(option);
    }
    if (!command.verbs.empty()) {
        script += "    local curcontext=\"$curcontext\" state line\n    typeset -A opt_args\n";
        script += "    local -a verbs=(\n";
        for (const CompletionCommand& verb : command.verbs) {
            script += fmt::format("        '{}:{}'\n", verb.name, escaped_text(verb.help));
        }
        script += "    )\n";
        lines += "        '1:verb:->verb' \\\n        '*::argument:->argument'\n";
        script += "    _arguments -C -s \\\n" + lines;
        script += "    case $state in\n        verb) _describe verb verbs ;;\n        argument)\n"
                  "            case $words[1] in\n";
        for (const CompletionCommand& verb : command.verbs) {
            script += fmt::format("                {}) {}_{} ;;\n", verb.name, function, verb.name);
        }
        script += "            esac ;;\n    esac\n}\n";
        for (const CompletionCommand& verb : command.verbs) {
            write_function(verb, function + "_" + verb.name, script);
        }
        return;
    }
    if (command.runs_command) {
        script += "    _arguments -s -S -A '-*' \\\n" + lines;
        script += "        '(-)1:command:_command_names -e' \\\n        '*::arguments:_normal'\n}\n";
        return;
    }
    script += "    _arguments -s \\\n" + lines;
    script += command.positional.kind == Kind::none ? "        && return 0\n}\n"
                                                    : fmt::format("        '*{}'\n}}\n", action(command.positional));
}

} // namespace

std::string zsh_completion(const CompletionCommand& program) {
    std::string script = fmt::format(R"zsh(#compdef {0}
# zsh completion for {0}; made by `sandboxctl completion zsh --for {0}`

(( $+functions[_sandbox_profiles] )) || _sandbox_profiles() {{
    local -a names=(${{(f)"$({1})"}} "$@")
    _alternative 'profiles:profile:compadd -a names' 'files:file:_files -g "*.toml"'
}}
)zsh",
                                     program.name, kListProfiles);
    write_function(program, "_" + program.name, script);
    script += fmt::format("\n_{} \"$@\"\n", program.name);
    return script;
}

} // namespace sandbox
