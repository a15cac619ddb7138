#include "cmd/common/completion.hpp"

#include <linux/capability.h>

#include <cap-ng.h>

#include "cmd/common/options.hpp"
#include "cmd/common/profile_keys.hpp"
#include "core/plan/limits_plan.hpp"

namespace sandbox {

namespace {

std::vector<std::string> capability_names() {
    std::vector<std::string> names = {"all"};
    for (unsigned number = 0; number <= CAP_LAST_CAP; ++number) {
        names.emplace_back(capng_capability_to_name(number));
    }
    return names;
}

CompletionArgument describe_argument(const Option& option) {
    using Kind = CompletionArgument::Kind;
    CompletionArgument argument;
    if (option.argument.empty()) {
        return argument;
    }
    argument.kind = Kind::anything;
    argument.name = option.argument;
    argument.comma_list = option.comma_list;
    argument.optional = option.argument_optional;
    switch (option.completes) {
    case Option::Completes::image:
        argument.kind = Kind::listed;
        argument.command = kListImages;
        break;
    case Option::Completes::kept:
        argument.kind = Kind::listed;
        argument.command = kListKept;
        break;
    case Option::Completes::nothing:
        break;
    case Option::Completes::path:
        argument.kind = Kind::path;
        break;
    case Option::Completes::directory:
        argument.kind = Kind::directory;
        break;
    case Option::Completes::profile:
        argument.kind = Kind::profile;
        argument.words.assign(option.words.begin(), option.words.end());
        break;
    case Option::Completes::variable:
        argument.kind = Kind::variable;
        argument.suffix = option.argument == "NAME=VALUE" ? "=" : "";
        break;
    case Option::Completes::words: {
        argument.kind = Kind::words;
        const auto words = words_of(option);
        argument.words.assign(words.begin(), words.end());
        break;
    }
    case Option::Completes::capability:
        argument.kind = Kind::words;
        argument.words = capability_names();
        break;
    case Option::Completes::limit:
        argument.kind = Kind::words;
        argument.suffix = "=";
        for (const KnownLimit& known : known_limits()) {
            argument.words.emplace_back(known.name);
        }
        break;
    }
    return argument;
}

} // namespace

CompletionCommand describe_sandbox() {
    CompletionCommand program{"sandbox", "run a command in a sandbox", {}, {}, {}, true};
    for (const Option& option : options()) {
        program.options.push_back(
            {std::string(option.name), option.letter, std::string(option.help), describe_argument(option)});
    }
    return program;
}

} // namespace sandbox
