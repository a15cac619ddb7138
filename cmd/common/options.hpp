// The options of `sandbox`: one table, from which parsing, --help and the completion scripts come.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/common/run_options.hpp"
#include "core/plan/profile.hpp"

namespace sandbox {

/// One option. An option that shapes the sandbox is a one-line profile: `key` names the line.
struct Option {
    enum class Group { profile, filesystem, network, process, limits, isolation, environment, run, help };
    /// What a completion offers for the argument.
    enum class Completes { nothing, path, directory, profile, words, variable, capability, limit, image, kept };
    /// What an option that is no line of a profile does.
    enum class Action {
        writes_key,
        profile,
        name,
        entrypoint,
        dry_run,
        quiet,
        stats,
        verbose,
        detach,
        log_size,
        explain,
        permissive,
        report,
        report_json,
        seccomp_allow,
        status_fd,
        version,
        help
    };

    std::string_view name;          ///< without the dashes
    char letter = 0;                ///< 0: none
    std::string_view argument = {}; ///< what stands for it in --help: "PATH[:DEST]"; empty: it takes none
    std::string_view help = {};     ///< one line, no full stop
    Group group = Group::run;
    std::string_view key = {};   ///< the profile's key that it writes: "filesystem.read-only"
    std::string_view value = {}; ///< what an option without argument writes there
    std::string_view root = {};  ///< what it writes to filesystem.root besides
    Completes completes = Completes::nothing;
    std::span<const std::string_view> words = {}; ///< for Completes::words, where the key has none
    bool comma_list = false;                      ///< the argument may be several, separated by commas
    bool argument_optional = false;               ///< only `--name=ARG` gives it one
    bool may_be_empty = false;                    ///< its argument may be the empty word
    Action action = Action::writes_key;
};

[[nodiscard]] std::span<const Option> options();

/// The words that an argument can be: the option's own, or those of its key. Empty: any.
[[nodiscard]] std::span<const std::string_view> words_of(const Option& option);

/// The title of a group, for --help.
[[nodiscard]] std::string_view title(Option::Group group);

/// What a command line says.
struct CommandLine {
    enum class Mode { run, show_plan, show_plan_json, version, help };

    Mode mode = Mode::run;
    std::string profile_name = "default";  ///< or "container", where an option names an image or a root
    std::optional<std::string> entrypoint; ///< --entrypoint
    Profile profile;                       ///< what the options say, as a profile that goes over the one named
    std::vector<std::string> arguments;    ///< CMD and its own
    std::string name;                      ///< --name
    StatsFormat stats = StatsFormat::none;
    bool quiet = false;
    bool verbose = false;
    int status_fd = -1;
    bool explain = false;
    bool permissive = false;
    ReportOptions report;
    std::optional<std::uint64_t> log_size; ///< --detach: the most that its log takes, in bytes
};

/// Reads the words after the program's name. Options end at the first word that is not one, or after "--"; what follows
/// is CMD and is never looked at.
/// \throws Error for an unknown option, a missing or senseless argument, or no CMD where no image can name one.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& words);

/// The text of --help.
[[nodiscard]] std::string help_text();

} // namespace sandbox
