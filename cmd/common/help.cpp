// The text of `sandbox --help`, made from the table of options.
#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "cmd/common/options.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kHelpColumn = 27;

constexpr std::string_view kUsage = R"(Usage: sandbox [OPTIONS] [--] CMD [ARG...]

Runs CMD as an ordinary process behind the kernel's own isolation, without root. What the profile or an option does not
grant is not there: no file, no variable, no network, no capability, no system call.
)";

constexpr std::string_view kEpilogue = R"(
Options end at the first word that is not one; everything behind CMD is CMD's own.

Examples:
  sandbox make test                       the current directory writable, the home private
  sandbox -p strict python3 script.py     nothing of the host writable, no network, few system calls
  sandbox -p strict --rw . ./configure    strict, but the current directory may be changed
  sandbox --ro ~/.gitconfig git log       show one more file of the home
  sandbox -p npm npm install              reach the registry of npm, and nothing else
  sandbox -p build --dry-run make         what would be done, and from where each part comes

Exit status: CMD's own; 128+N when signal N ended it; 124 when its time was over; 125 when sandbox failed; 126 when CMD
cannot be executed; 127 when it is not found.

See also: sandbox(1), sandbox-profile(5), sandbox-security(7); sandboxctl doctor, sandboxctl profile list.
)";

std::string left_column(const Option& option) {
    std::string text = option.letter != 0 ? fmt::format("  -{}, --{}", option.letter, option.name)
                                          : fmt::format("      --{}", option.name);
    if (option.argument_optional) {
        text += fmt::format("[={}]", option.argument);
    } else if (!option.argument.empty()) {
        text += fmt::format(" {}", option.argument);
    }
    return text;
}

} // namespace

std::string_view title(Option::Group group) {
    switch (group) {
    case Option::Group::profile:
        return "Profile";
    case Option::Group::filesystem:
        return "Files";
    case Option::Group::network:
        return "Network";
    case Option::Group::process:
        return "Process";
    case Option::Group::limits:
        return "Limits";
    case Option::Group::isolation:
        return "Isolation";
    case Option::Group::environment:
        return "Environment";
    case Option::Group::run:
        return "This run";
    case Option::Group::help:
        return "Help";
    }
    return "";
}

std::string help_text() {
    std::string text(kUsage);
    const Option* before = nullptr;
    for (const Option& option : options()) {
        if (before == nullptr || before->group != option.group) {
            text += fmt::format("\n{}:\n", title(option.group));
        }
        before = &option;
        const std::string left = left_column(option);
        if (left.size() + 2 > kHelpColumn) {
            text += fmt::format("{}\n{:{}}{}\n", left, "", kHelpColumn, option.help);
        } else {
            text += fmt::format("{:<{}}{}\n", left, kHelpColumn, option.help);
        }
    }
    text += kEpilogue;
    return text;
}

} // namespace sandbox
