// fish(1): a `complete` line an option, with the condition under which it is offered.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/completion.hpp"

namespace sandbox {

namespace {

using Kind = CompletionArgument::Kind;

std::string quoted_text(std::string_view text) {
    std::string result = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') {
            result += '\\';
        }
        result += c;
    }
    return result + "'";
}

std::string_view list_function(std::string_view command) {
    if (command == kListRuns) {
        return "__sandbox_runs";
    }
    if (command == kListKeptRuns) {
        return "__sandbox_kept_runs";
    }
    return command == kListKept ? "__sandbox_kept" : "__sandbox_images";
}

/// The switches of `complete` that say what stands for an argument.
std::string candidates(const CompletionArgument& argument) {
    switch (argument.kind) {
    case Kind::none:
        return "";
    case Kind::anything:
        return " -x";
    case Kind::path:
        return " -r -F";
    case Kind::directory:
        return " -x -a '(__fish_complete_directories)'";
    case Kind::profile:
        return fmt::format(" -r -F -a '({}){}'", "__sandbox_profiles",
                           argument.words.empty() ? "" : fmt::format(" {}", fmt::join(argument.words, " ")));
    case Kind::listed:
        return fmt::format(" -x -a '({})'", list_function(argument.command));
    case Kind::variable:
        return argument.suffix.empty() ? " -x -a '(set --names -x)'"
                                       : fmt::format(" -x -a '(set --names -x){}'", argument.suffix);
    case Kind::words:
        if (!argument.suffix.empty()) {
            return fmt::format(" -x -a '{0}{1}'", fmt::join(argument.words, argument.suffix + " "), argument.suffix);
        }
        return argument.comma_list
                   ? fmt::format(" -x -a '(__fish_append , {})'", fmt::join(argument.words, " "))
                   : fmt::format(" {}a '{}'", argument.optional ? "-f -" : "-x -", fmt::join(argument.words, " "));
    }
    return "";
}

std::string names_of(const std::vector<CompletionCommand>& verbs) {
    std::vector<std::string_view> names;
    for (const CompletionCommand& verb : verbs) {
        names.emplace_back(verb.name);
    }
    return fmt::format("{}", fmt::join(names, " "));
}

/// `condition` says that the words before the cursor have led to `command`.
void describe(const CompletionCommand& command, const std::string& program, const std::string& condition,
              std::string& script) {
    std::string here = condition;
    if (!command.verbs.empty()) {
        const std::string no_verb = "not __fish_seen_subcommand_from " + names_of(command.verbs);
        here = condition.empty() ? no_verb : condition + "; and " + no_verb;
    }
    const std::string when = here.empty() ? "" : fmt::format(" -n {}", quoted_text(here));
    for (const CompletionOption& option : command.options) {
        script += fmt::format("complete -c {}{}{} -l {}{} -d {}\n", program, when,
                              option.letter != 0 ? fmt::format(" -s {}", option.letter) : "", option.name,
                              candidates(option.argument), quoted_text(option.help));
    }
    for (const CompletionCommand& verb : command.verbs) {
        script += fmt::format("complete -c {}{} -f -a {} -d {}\n", program, when, verb.name, quoted_text(verb.help));
        const std::string seen = "__fish_seen_subcommand_from " + verb.name;
        describe(verb, program, condition.empty() ? seen : condition + "; and " + seen, script);
    }
    if (command.positional.kind != Kind::none) {
        script += fmt::format("complete -c {}{}{}\n", program, when, candidates(command.positional));
    }
}

/// The options whose next word is their argument, as fish's own helper wants them.
std::string options_with_argument(const CompletionCommand& program) {
    std::string text;
    for (const CompletionOption& option : program.options) {
        if (option.argument.kind != Kind::none && !option.argument.optional) {
            text += option.letter != 0 ? fmt::format(" -{}", option.letter) : "";
            text += " --" + option.name;
        }
    }
    return text;
}

} // namespace

std::string fish_completion(const CompletionCommand& program) {
    std::string script = fmt::format(R"(# fish completion for {0}; made by `sandboxctl completion fish --for {0}`
function __sandbox_profiles
    {1}
end
function __sandbox_images
    {2}
end
function __sandbox_kept
    {3}
end
function __sandbox_runs
    {4}
end
function __sandbox_kept_runs
    {5}
end
)",
                                     program.name, kListProfiles, kListImages, kListKept, kListRuns, kListKeptRuns);
    if (!program.runs_command) {
        script += fmt::format("complete -c {} -f\n", program.name);
        describe(program, program.name, "", script);
        return script;
    }
    const std::string with_argument = options_with_argument(program);
    script += fmt::format(R"(
# Whether CMD stands before the cursor already: its own options are not ours.
function __{0}_has_command
    set -l skip 1
    for word in (commandline -opc)
        if test $skip = 1
            set skip 0
        else if test "$word" = --
            return 0
        else if contains -- $word{1}
            set skip 1
        else if not string match -q -- '-*' $word
            return 0
        end
    end
    return 1
end
)",
                          program.name, with_argument);
    describe(program, program.name, fmt::format("not __{}_has_command", program.name), script);
    script += fmt::format("complete -c {} -x -a '(__fish_complete_subcommand --{})'\n", program.name, with_argument);
    return script;
}

} // namespace sandbox
