// sandboxctl profile list|show|check: sandbox-profile(5).
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/json.hpp"
#include "cmd/common/print.hpp"
#include "cmd/common/profile_file.hpp"
#include "cmd/common/profile_text.hpp"
#include "cmd/common/profile_writer.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/plan/host.hpp"

namespace sandbox::ctl {

namespace {

struct Listed {
    FoundProfile found;
    std::string description; ///< its own, or what is wrong with it
    bool readable = true;
};

Listed look_at(const FoundProfile& found) {
    try {
        const ProfileText text = parse_profile(read_profile_file(found.path), found.path);
        return {found, text.profile.description.value_or(""), true};
    } catch (const Error& error) {
        return {found, error.summary(), false};
    }
}

std::string as_json(const std::vector<Listed>& profiles) {
    Json list = Json::array();
    for (const Listed& profile : profiles) {
        list.push_back({{"name", profile.found.name},
                        {"path", profile.found.path},
                        {"shadowed", profile.found.shadowed},
                        {"description", profile.readable ? Json(profile.description) : Json(nullptr)},
                        {"error", profile.readable ? Json(nullptr) : Json(profile.description)}});
    }
    return to_text(list);
}

/// The name stands first and alone, so that scripts can cut it off.
std::string as_lines(const std::vector<Listed>& profiles) {
    std::size_t names = 0;
    std::size_t paths = 0;
    for (const Listed& profile : profiles) {
        names = std::max(names, profile.found.name.size());
        paths = std::max(paths, escaped(profile.found.path).size());
    }
    std::string text;
    for (const Listed& profile : profiles) {
        const std::string_view mark = profile.found.shadowed ? "(shadowed) " : profile.readable ? "" : "(wrong) ";
        text += fmt::format("{:<{}}  {:<{}}  {}{}\n", profile.found.name, names, escaped(profile.found.path), paths,
                            mark, profile.readable ? escaped(profile.description) : profile.description);
    }
    return text;
}

int list(bool json) {
    std::vector<Listed> profiles;
    for (const FoundProfile& found : list_profiles(profile_search(gather_host().config_dir))) {
        profiles.push_back(look_at(found));
    }
    print(json ? as_json(profiles) : as_lines(profiles));
    return 0;
}

int show(const std::string& name, bool json) {
    const Profile profile = load_profile(name, profile_search(gather_host().config_dir));
    print(json ? profile_to_json(profile) : profile_to_toml(profile));
    return 0;
}

} // namespace

void add_profile(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("profile", "list, show and check profiles");
    const auto json = std::make_shared<bool>(false);
    const auto name = std::make_shared<std::string>();
    const auto files = std::make_shared<std::vector<std::string>>();

    CLI::App* list_verb = verb->add_subcommand("list", "the profiles there are: name, file, description");
    list_verb->add_flag("--json", *json, "print it for programs");
    list_verb->callback([&chosen, json] { chosen = [json] { return list(*json); }; });

    CLI::App* show_verb = verb->add_subcommand("show", "what a profile says, merged with all that it extends");
    show_verb->add_option("name", *name, "a name, or a path with a '/'")->required()->type_name("PROFILE");
    show_verb->add_flag("--json", *json, "print it for programs");
    show_verb->callback([&chosen, json, name] { chosen = [json, name] { return show(*name, *json); }; });

    CLI::App* check_verb = verb->add_subcommand("check", "all mistakes of a profile's file");
    check_verb->add_option("file", *files, "a file, or the name of a profile")->required()->type_name("PROFILE");
    check_verb->callback([&chosen, files] { chosen = [files] { return check_profiles(*files); }; });
}

} // namespace sandbox::ctl
