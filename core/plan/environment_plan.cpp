#include "core/plan/environment_plan.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr const char* kFallbackPath = "/usr/local/bin:/usr/bin:/bin";
constexpr const char* kPathOfContainers = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"; // docker(1)'s

/// A value and how strongly it was asked for.
struct Claim {
    int rank = 0;
    std::string value;
    Origin origin;
};
using Claims = std::map<std::string, Claim>;

bool is_pattern(const std::string& name) {
    return name.find_first_of("*?[") != std::string::npos;
}

void check_name(const std::string& name, const Origin& origin) {
    const auto is_letter = [](char byte) {
        return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_';
    };
    const bool good = !name.empty() && is_letter(name[0]) && std::ranges::all_of(name, [&](char byte) {
        return is_letter(byte) || (byte >= '0' && byte <= '9');
    });
    if (!good) {
        throw Error(written_at(origin) + ": " + quoted(name) + " cannot be the name of an environment variable")
            .cause("a name has letters, digits and underscores, and does not start with a digit");
    }
}

void claim(Claims& claims, const std::string& name, Claim wanted) {
    const auto [found, added] = claims.try_emplace(name, wanted);
    if (!added && wanted.rank >= found->second.rank) {
        found->second = std::move(wanted);
    }
}

/// Lets through what `item` names; returns whether that was anything.
bool pass(Claims& claims, const Item& item, const Host& host, int rank) {
    if (!is_pattern(item.text)) {
        check_name(item.text, item.origin);
        const auto found = host.environment.find(item.text);
        if (found != host.environment.end()) {
            claim(claims, found->first, {rank, found->second, item.origin});
        }
        return found != host.environment.end();
    }
    bool any = false;
    for (const auto& [name, value] : host.environment) {
        if (fnmatch(item.text.c_str(), name.c_str(), 0) == 0) {
            claim(claims, name, {rank, value, item.origin});
            any = true;
        }
    }
    return any;
}

void set(Claims& claims, const std::string& name, const Setting<std::string>& setting, int rank) {
    check_variable(name, *setting.value, setting.origin);
    claim(claims, name, {rank, *setting.value, setting.origin});
}

/// A variable that is ours to say: the caller's value never stands for it, only one that was set on purpose.
void supply(Claims& claims, const Profile::Environment& environment, const std::string& name, std::string value,
            const char* source) {
    const auto written = environment.set.find(name);
    if (written == environment.set.end() || !written->second) {
        claims.insert_or_assign(name, Claim{0, std::move(value), built_in(source)});
    }
}

bool names(const ImageConfig& config, std::string_view name) {
    return std::ranges::any_of(config.environment, [&](const std::string& variable) {
        return variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=';
    });
}

/// Over what profiles pass: the caller's PATH is not the image's.
void set_from_image(Claims& claims, const ImageConfig& config, std::vector<std::string>& notices) {
    for (const std::string& variable : config.environment) {
        const std::size_t equals = variable.find('=');
        if (equals == std::string::npos || equals == 0 || variable.find('\0') != std::string::npos) {
            notices.push_back("the image sets a variable that cannot be one: " + quoted(variable));
            continue;
        }
        claims.insert_or_assign(variable.substr(0, equals), Claim{0, variable.substr(equals + 1), built_in("image")});
    }
}

std::vector<EnvironmentEntry> entries_of(Claims claims) {
    std::vector<EnvironmentEntry> entries;
    entries.reserve(claims.size());
    for (auto& [name, found] : claims) {
        entries.push_back({name, std::move(found.value), std::move(found.origin)});
    }
    return entries;
}

} // namespace

void check_variable(const std::string& name, const std::string& value, const Origin& origin) {
    check_name(name, origin);
    if (value.find('\0') != std::string::npos) {
        throw Error(written_at(origin) + ": cannot set the variable " + quoted(name))
            .cause("the value holds a NUL byte");
    }
}

bool takes_home_from_root(const Profile::Environment& environment, const RootChoice& root) {
    const auto written = environment.set.find("HOME");
    const bool is_set = written != environment.set.end() && written->second;
    const bool is_passed = std::ranges::any_of(environment.pass.items, [](const Item& item) {
        return item.origin.kind == Origin::Kind::option && item.text == "HOME";
    });
    return root.is_tree() && !is_set && !is_passed && !(root.image && names(root.image->config, "HOME"));
}

std::vector<EnvironmentEntry> plan_environment(const Profile& profile, const Host& host, const std::string& workdir,
                                               const std::string& hostname, const RootChoice& root,
                                               const Layers& layers, std::vector<std::string>& notices) {
    const Profile::Environment& environment = profile.environment;
    Claims claims;
    const auto pass_all = [&](bool of_options) {
        for (const Item& item : environment.pass.items) {
            if ((item.origin.kind == Origin::Kind::option) == of_options &&
                !pass(claims, item, host, layers.rank(item.origin)) && of_options) {
                notices.push_back(written_at(item.origin) + ": no variable of this name is set");
            }
        }
    };
    pass_all(false);
    if (root.image) {
        set_from_image(claims, root.image->config, notices);
    }
    pass_all(true);
    for (const auto& [name, setting] : environment.set) {
        if (setting) {
            set(claims, name, setting, layers.rank(setting.origin));
        }
    }

    supply(claims, environment, "PWD", workdir, "working directory");
    // So that a program can know, and say, why something is refused.
    supply(claims, environment, "SANDBOX", "1", "sandbox");
    supply(claims, environment, "SANDBOX_PROFILE", profile.name, "sandbox");
    if (root.is_tree()) {
        // Whose home it is shows when the root stands: Execution::set_home.
        if (takes_home_from_root(environment, root)) {
            claims.insert_or_assign("HOME", Claim{0, "/", built_in("/etc/passwd of the root")});
        }
        if (!hostname.empty()) {
            claims.try_emplace("HOSTNAME", Claim{0, hostname, built_in("hostname")});
        }
        claims.try_emplace("PATH", Claim{0, kPathOfContainers, built_in("search path")});
        return entries_of(std::move(claims));
    }
    supply(claims, environment, "HOME", host.home, "home directory");
    if (!environment.clear.value_or(false) && !host.user_name.empty()) {
        supply(claims, environment, "USER", host.user_name, "user name");
        supply(claims, environment, "LOGNAME", host.user_name, "user name");
    }
    claims.try_emplace("PATH", Claim{0, kFallbackPath, built_in("search path")});
    return entries_of(std::move(claims));
}

} // namespace sandbox
