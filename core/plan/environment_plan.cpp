#include "core/plan/environment_plan.hpp"

#include <fnmatch.h>

#include <algorithm>
#include <map>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr const char* kFallbackPath = "/usr/local/bin:/usr/bin:/bin";

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

} // namespace

void check_variable(const std::string& name, const std::string& value, const Origin& origin) {
    check_name(name, origin);
    if (value.find('\0') != std::string::npos) {
        throw Error(written_at(origin) + ": cannot set the variable " + quoted(name))
            .cause("the value holds a NUL byte");
    }
}

std::vector<EnvironmentEntry> plan_environment(const Profile::Environment& environment, const Host& host,
                                               const std::string& workdir, const Layers& layers,
                                               std::vector<std::string>& notices) {
    Claims claims;
    for (const Item& item : environment.pass.items) {
        const bool any = pass(claims, item, host, layers.rank(item.origin));
        if (!any && item.origin.kind == Origin::Kind::option) {
            notices.push_back(written_at(item.origin) + ": no variable of this name is set");
        }
    }
    for (const auto& [name, setting] : environment.set) {
        if (setting) {
            set(claims, name, setting, layers.rank(setting.origin));
        }
    }

    supply(claims, environment, "HOME", host.home, "home directory");
    supply(claims, environment, "PWD", workdir, "working directory");
    if (!environment.clear.value_or(false) && !host.user_name.empty()) {
        supply(claims, environment, "USER", host.user_name, "user name");
        supply(claims, environment, "LOGNAME", host.user_name, "user name");
    }
    claims.try_emplace("PATH", Claim{0, kFallbackPath, built_in("search path")});

    std::vector<EnvironmentEntry> entries;
    entries.reserve(claims.size());
    for (auto& [name, found] : claims) {
        entries.push_back({name, std::move(found.value), std::move(found.origin)});
    }
    return entries;
}

} // namespace sandbox
