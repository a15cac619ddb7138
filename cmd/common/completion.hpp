// Completion scripts for bash, zsh and fish, made from a description of a program's options and verbs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sandbox {

/// What can stand for an argument.
struct CompletionArgument {
    enum class Kind { none, anything, path, directory, profile, words, variable, listed };

    Kind kind = Kind::none;
    std::string name;               ///< "NAME", for a hint
    std::vector<std::string> words; ///< for `words`; for `profile` besides the profiles
    std::string_view command = {};  ///< for `listed`: it prints the words, a line each
    bool comma_list = false;
    bool optional = false; ///< only behind '='
    std::string suffix;    ///< what is put behind a completed word ("=")
};

struct CompletionOption {
    std::string name; ///< without dashes
    char letter = 0;  ///< 0: none
    std::string help;
    CompletionArgument argument;
};

/// A program, or a verb of one.
struct CompletionCommand {
    std::string name;
    std::string help;
    std::vector<CompletionOption> options;
    std::vector<CompletionCommand> verbs;
    CompletionArgument positional;
    bool runs_command = false; ///< the first word that is no option is another command, with completions of its own
};

/// The description of `sandbox`, from its table of options.
[[nodiscard]] CompletionCommand describe_sandbox();

[[nodiscard]] std::string bash_completion(const CompletionCommand& program);
[[nodiscard]] std::string zsh_completion(const CompletionCommand& program);
[[nodiscard]] std::string fish_completion(const CompletionCommand& program);

/// The command that prints the profiles' names, a name a line, for use in a script.
constexpr std::string_view kListProfiles = "sandboxctl profile list 2>/dev/null | cut -d' ' -f1";

/// As that, for the names of images, those that private layers are kept under, and those of sandboxes.
constexpr std::string_view kListImages = "sandboxctl image list --quiet 2>/dev/null";
constexpr std::string_view kListKept = "sandboxctl kept 2>/dev/null | grep -v '^ ' | cut -d' ' -f1";
constexpr std::string_view kListRuns = "sandboxctl ps --quiet 2>/dev/null";
constexpr std::string_view kListKeptRuns = "sandboxctl ps --all --quiet 2>/dev/null";

} // namespace sandbox
