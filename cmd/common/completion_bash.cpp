// bash(1): one function that finds out which verb and which argument the cursor stands in.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/completion.hpp"

namespace sandbox {

namespace {

using Kind = CompletionArgument::Kind;

/// A pattern of `case` for the option under the verb `path`.
std::string option_pattern(const std::string& path, const CompletionOption& option) {
    std::string pattern = fmt::format("'{}|--{}'", path, option.name);
    if (option.letter != 0) {
        pattern += fmt::format("|'{}|-{}'", path, option.letter);
    }
    return pattern;
}

/// A list for compgen -W: the script splits words at newlines only, so that file names may hold spaces.
std::string word_list(const std::vector<std::string>& words) {
    return fmt::format("$'{}'", fmt::join(words, "\\n"));
}

/// The commands that fill COMPREPLY for one argument.
std::string reply(const CompletionArgument& argument) {
    switch (argument.kind) {
    case Kind::none:
    case Kind::anything:
        return ":";
    case Kind::path:
        return "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Kind::directory:
        return "compopt -o filenames; COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Kind::profile:
        return fmt::format("if [[ $cur == */* ]]; then compopt -o filenames; COMPREPLY=($(compgen -f -- \"$cur\")); "
                           "else COMPREPLY=($(compgen -W \"$({})\"{} -- \"$cur\")); fi",
                           kListProfiles, argument.words.empty() ? "" : "$'\\n'" + word_list(argument.words));
    case Kind::listed:
        return fmt::format("COMPREPLY=($(compgen -W \"$({})\" -- \"$cur\"))", argument.command);
    case Kind::variable:
        if (!argument.suffix.empty()) {
            return fmt::format("compopt -o nospace; COMPREPLY=($(compgen -e -S '{}' -- \"$cur\"))", argument.suffix);
        }
        return "COMPREPLY=($(compgen -e -- \"$cur\"))";
    case Kind::words:
        if (argument.comma_list) {
            return fmt::format("COMPREPLY=($(compgen -W {} -P \"$before_comma\" -- \"${{cur##*,}}\"))",
                               word_list(argument.words));
        }
        if (!argument.suffix.empty()) {
            return fmt::format("compopt -o nospace; COMPREPLY=($(compgen -W {} -S '{}' -- \"$cur\"))",
                               word_list(argument.words), argument.suffix);
        }
        return fmt::format("COMPREPLY=($(compgen -W {} -- \"$cur\"))", word_list(argument.words));
    }
    return ":";
}

/// What the script is put together from, verb by verb.
struct Parts {
    std::string walk;     ///< patterns for the words before the cursor
    std::string separate; ///< patterns for an option whose argument is the word at the cursor
    std::string joined;   ///< patterns for an option whose argument stands behind '=' only
    std::string options;  ///< patterns for the verb: its options
    std::string others;   ///< patterns for the verb: what else may come
};

void describe(const CompletionCommand& command, const std::string& path, Parts& parts) {
    std::vector<std::string> option_list;
    for (const CompletionOption& option : command.options) {
        if (option.letter != 0) {
            option_list.push_back(fmt::format("-{}", option.letter));
        }
        option_list.push_back("--" + option.name);
        if (option.argument.kind == Kind::none) {
            continue;
        }
        const std::string pattern = option_pattern(path, option);
        const std::string line = fmt::format("        {}) {}; return ;;\n", pattern, reply(option.argument));
        if (option.argument.optional) {
            parts.joined += line;
            continue;
        }
        parts.separate += line;
        parts.walk += fmt::format("        {}) ((i++)); [[ ${{COMP_WORDS[i]}} == = ]] && ((i++)) ;;\n", pattern);
    }
    parts.options +=
        fmt::format("        '{}') COMPREPLY=($(compgen -W {} -- \"$cur\")) ;;\n", path, word_list(option_list));
    std::vector<std::string> names;
    for (const CompletionCommand& verb : command.verbs) {
        names.push_back(verb.name);
        const std::string below = path + " " + verb.name;
        parts.walk += fmt::format("        '{}|{}') path='{}' ;;\n", path, verb.name, below);
        describe(verb, below, parts);
    }
    parts.others +=
        fmt::format("        '{}') {} ;;\n", path,
                    names.empty() ? reply(command.positional)
                                  : fmt::format("COMPREPLY=($(compgen -W {} -- \"$cur\"))", word_list(names)));
}

/// Words of CMD are completed as they would be without us.
constexpr std::string_view kWithinCommand = R"(    if ((command > 0)); then
        if declare -F _comp_command_offset >/dev/null; then
            _comp_command_offset "$command"
        elif declare -F _command_offset >/dev/null; then
            _command_offset "$command"
        else
            compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))
        fi
        return
    fi
)";

} // namespace

std::string bash_completion(const CompletionCommand& program) {
    Parts parts;
    describe(program, program.name, parts);
    if (program.runs_command) {
        parts.walk += fmt::format("        '{0}|--') command=$((i + 1)); break ;;\n"
                                  "        '{0}|-'*|'{0}|=') ;;\n"
                                  "        '{0}|'*) [[ ${{COMP_WORDS[i - 1]}} == = ]] || {{ command=$i; break; }} ;;\n",
                                  program.name);
        parts.others = fmt::format("        '{}') compopt -o filenames; COMPREPLY=($(compgen -c -- \"$cur\") "
                                   "$(compgen -d -- \"$cur\")) ;;\n",
                                   program.name);
    }
    return fmt::format(R"(# bash completion for {0}; made by `sandboxctl completion bash --for {0}`
_{0}() {{
    local IFS=$'\n' cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}} path='{0}' i command=0
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        case $path'|'${{COMP_WORDS[i]}} in
{1}        esac
    done
{2}    # bash makes three words of --option=value.
    local behind_equals= before_comma=
    if [[ $cur == = ]]; then
        cur='' behind_equals=1
    elif [[ $prev == = ]]; then
        prev=${{COMP_WORDS[COMP_CWORD - 2]}} behind_equals=1
    fi
    [[ $cur == *,* ]] && before_comma=${{cur%,*}},
    if [[ $behind_equals ]]; then
        case $path'|'$prev in
{3}        *) ;;
        esac
    fi
    case $path'|'$prev in
{4}        *) ;;
    esac
    if [[ $cur == -* ]]; then
        case $path in
{5}        esac
        return
    fi
    case $path in
{6}    esac
}}
complete -F _{0} {0}
)",
                       program.name, parts.walk, program.runs_command ? kWithinCommand : "", parts.joined,
                       parts.separate, parts.options, parts.others);
}

} // namespace sandbox
