#include "core/plan/path_grant.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/paths.hpp"
#include "core/plan/secrets.hpp"

namespace sandbox {

namespace {

void add_place(std::vector<std::string>& places, const std::string& path, const Host& host) {
    if (path.empty()) {
        return;
    }
    for (std::string name : {paths::normal(path), host.look_up(path).real}) {
        if (!name.empty() && std::ranges::find(places, name) == places.end()) {
            places.push_back(std::move(name));
        }
    }
}

bool is_within_any(const std::string& path, const std::vector<std::string>& directories) {
    return std::ranges::any_of(directories, [&](const std::string& one) { return paths::is_within(path, one); });
}

bool holds_any(const std::string& directory, const std::vector<std::string>& places) {
    return std::ranges::any_of(places, [&](const std::string& one) { return paths::is_within(one, directory); });
}

/// Backslashes before the characters of `special`, and before themselves.
std::string protect(std::string_view text, std::string_view special) {
    std::string result;
    for (const char byte : text) {
        if (byte == '\\' || special.find(byte) != std::string_view::npos) {
            result += '\\';
        }
        result += byte;
    }
    return result;
}

/// A path as the part that a word stands for, and the rest.
struct Shortened {
    const char* word = "";
    std::string_view rest;
};

Shortened behind_home(std::string_view path, const CallerPlaces& places) {
    for (const std::string& home : {std::cref(places.home), std::cref(places.real_home)}) {
        if (home != "/" && paths::is_within(path, home)) {
            return {"~", paths::behind(path, home)};
        }
    }
    return {"", path};
}

/// A profile does not expose a $PWD that is the home or holds it, and the words would say less than the path.
bool is_project(const CallerPlaces& places) {
    return places.cwd.starts_with('/') && why_too_wide(places.cwd, places).empty() &&
           !is_within_any(places.cwd, {"/proc", "/sys", "/dev"});
}

Shortened shortened(std::string_view path, const CallerPlaces& places) {
    if (is_project(places) && paths::is_within(path, places.cwd)) {
        return {"$PWD", paths::behind(path, places.cwd)};
    }
    return behind_home(path, places);
}

std::string show(const std::string& path, const CallerPlaces& places) {
    const Shortened part = behind_home(path, places);
    return quoted(part.word + std::string(part.rest));
}

/// What is so because of where it is, whoever asks.
std::string why_never(const std::string& path, const std::string& real) {
    if (is_within_any(path, {"/proc"}) || is_within_any(real, {"/proc"})) {
        return "the host's /proc is never shown";
    }
    if (path == "/dev" || is_within_any(path, {"/dev/pts", "/dev/ptmx"})) {
        return "the sandbox has its own";
    }
    return "";
}

std::string why_either_is_too_wide(const std::string& directory, const std::string& real, const CallerPlaces& places) {
    std::string reason = why_too_wide(directory, places);
    return reason.empty() && !real.empty() ? why_too_wide(real, places) : reason;
}

bool is_secret(const std::string& path, const CallerPlaces& places) {
    const bool is_of_session =
        is_within_any(path, places.runtimes) || is_within_any(path, {"/run/user", "/var/run/user"});
    return is_of_session || is_daemon_socket(path) ||
           std::ranges::any_of(places.homes, [&](const std::string& home) { return is_secret_of(path, home); });
}

bool holds_socket(const std::string& directory, const CallerPlaces& places) {
    const auto entries = places.list ? places.list(directory) : std::nullopt;
    return entries && std::ranges::any_of(*entries, [](const DirectoryEntry& entry) { return entry.is_socket; });
}

std::string why_covered(const PathVerdict& verdict) {
    const Origin& origin = *verdict.decided_by;
    if (origin.kind == Origin::Kind::built_in) {
        return "sandbox covers it in every profile";
    }
    return fmt::format("{} hides it: no grant, but a change of that line", written_at(origin));
}

constexpr const char* kSecret = "it is a secret, or leads to one";
constexpr const char* kOwn = "the profiles and the state of sandbox are not for CMD";

/// The grant of a secret, where it would be given at all and shows no more than that.
std::optional<PathGrant> withheld(const PathGrant& grant, const std::string& real, const CallerPlaces& places) {
    const bool is_refused = std::ranges::any_of(places.runtimes, [&](const std::string& runtime) {
        return grant.path == runtime || paths::is_within(grant.path, paths::join(runtime, "sandbox"));
    });
    const bool is_wide = grant.is_directory && !why_either_is_too_wide(grant.path, real, places).empty();
    return is_refused || is_wide ? std::nullopt : std::optional(grant);
}

PathAdvice no_grant(std::string reason) {
    return {.grant = {}, .reason = std::move(reason), .is_secret = false, .withheld = {}};
}

/// What would have to be granted; nothing of it is judged yet.
PathGrant wanted_grant(const PathVerdict& verdict, PathIntent intent, bool is_directory) {
    PathGrant grant;
    grant.writable = intent == PathIntent::write || intent == PathIntent::create;
    grant.is_directory = is_directory || intent == PathIntent::list || intent == PathIntent::create;
    grant.path = verdict.host_path;
    grant.dest = verdict.inside;
    if (intent == PathIntent::create) {
        grant.path = paths::parent(grant.path);
        grant.dest = paths::parent(grant.dest);
    }
    if (grant.dest == grant.path) {
        grant.dest.clear();
    }
    return grant;
}

/// Where no grant is needed, or none would help.
std::optional<PathAdvice> settled_by_verdict(const PathVerdict& verdict, const PathFact& found,
                                             const CallerPlaces& places) {
    if (verdict.effect == PathEffect::works) {
        return no_grant("the profile does not refuse it");
    }
    if (verdict.standing == PathStanding::covered) {
        PathAdvice advice = no_grant(why_covered(verdict));
        advice.is_secret = is_secret(verdict.host_path, places) || is_secret(found.real, places);
        return advice;
    }
    if (verdict.in_tree && verdict.standing == PathStanding::read_only) {
        return no_grant("the root is read-only: --writable-root, or filesystem.writable-root = true");
    }
    return verdict.in_tree ? std::optional(no_grant("it is private to the sandbox")) : std::nullopt;
}

/// Why nobody should grant it, though it is no secret; empty where one may.
std::string why_unwise(const PathGrant& grant, PathIntent intent, const PathFact& found, const std::string& real,
                       const CallerPlaces& places) {
    if (found.kind == PathFact::Kind::other) {
        return "it is a socket or a pipe: behind it somebody outside listens, whom no read-only grant holds back";
    }
    const bool is_obeyed = grant.writable && std::ranges::any_of(places.homes, [&](const std::string& home) {
                               return is_run_outside(grant.path, home) || is_run_outside(real, home);
                           });
    if (is_obeyed) {
        return "not advised: what is written there is run outside of the sandbox";
    }
    if (found.kind == PathFact::Kind::directory && intent == PathIntent::execute) {
        return "it is a directory: nobody can run it";
    }
    const std::string wide = grant.is_directory ? why_either_is_too_wide(grant.path, real, places) : "";
    return wide.empty() ? "" : "no narrow grant: " + wide;
}

} // namespace

CallerPlaces caller_places(const Host& host, ListDirectory list) {
    CallerPlaces places;
    places.list = std::move(list);
    places.home = paths::normal(host.home);
    places.real_home = host.look_up(host.home).real;
    places.cwd = host.cwd;
    add_place(places.homes, host.home, host);
    add_place(places.homes, host.account_home, host);
    add_place(places.runtimes, host.runtime_dir, host);
    add_place(places.own, host.config_dir, host);
    add_place(places.own, host.data_dir, host);
    for (const std::string& home : std::vector<std::string>(places.homes)) {
        add_place(places.own, paths::join(home, ".config/sandbox"), host);
        add_place(places.own, paths::join(home, ".local/share/sandbox"), host);
    }
    return places;
}

std::optional<std::string> profile_word(const PathGrant& grant, const CallerPlaces& places) {
    const Shortened part = shortened(grant.path, places);
    std::string word = part.word + protect(part.rest, "$:");
    if (!grant.dest.empty()) {
        const Shortened dest = shortened(grant.dest, places);
        word += ":" + (dest.word + protect(dest.rest, "$:"));
    }
    return is_utf8(word) ? std::optional(std::move(word)) : std::nullopt;
}

std::string option_words(const PathGrant& grant, const CallerPlaces& places) {
    const Shortened part = behind_home(grant.path, places);
    std::string rest = protect(part.rest, ":");
    if (!grant.dest.empty()) {
        rest += ":" + protect(grant.dest, ":");
    }
    const std::string option = grant.writable ? "--rw " : "--ro ";
    // The shell makes a home of "~" only where it stands bare, up to the slash.
    if (*part.word != '\0' && rest.starts_with('/')) {
        return option + "~/" + (rest == "/" ? "" : shell_quoted(rest.substr(1)));
    }
    return option + (*part.word != '\0' && rest.empty() ? "~" : shell_quoted(part.word + rest));
}

std::string why_too_wide(const std::string& directory, const CallerPlaces& places) {
    if (directory == "/") {
        return "it would be the whole machine";
    }
    if (std::ranges::find(places.homes, directory) != places.homes.end()) {
        return "it would be the whole home";
    }
    if (holds_any(directory, places.homes)) {
        return fmt::format("{} holds the home", quoted(directory));
    }
    if (holds_any(directory, places.runtimes) || holds_any(directory, {"/run/docker.sock"})) {
        return fmt::format("{} holds sockets of the session and of the system", quoted(directory));
    }
    if (holds_any(directory, places.own)) {
        return fmt::format("{} holds the profiles or the state of sandbox", show(directory, places));
    }
    for (const std::string& home : places.homes) {
        const std::string secret = secret_below(directory, home);
        if (!secret.empty()) {
            return fmt::format("{} holds a place of secrets, {}", show(directory, places),
                               show(paths::join(home, secret), places));
        }
    }
    return "";
}

PathAdvice advise(const PathVerdict& verdict, PathIntent intent, const PathFact& found, const CallerPlaces& places) {
    if (std::optional<PathAdvice> settled = settled_by_verdict(verdict, found, places)) {
        return *std::move(settled);
    }
    const PathGrant grant = wanted_grant(verdict, intent, found.kind == PathFact::Kind::directory);
    const std::string real = intent == PathIntent::create ? paths::parent(found.real) : found.real;
    if (is_within_any(grant.path, places.own) || is_within_any(real, places.own)) {
        return {.grant = {}, .reason = kOwn, .is_secret = true, .withheld = {}};
    }
    const std::string never = why_never(grant.path, real);
    if (!never.empty()) {
        return no_grant(never);
    }
    // Before what is said of its kind: a secret that is a socket is a secret.
    const bool leads_to_secret = is_secret(verdict.host_path, places) || is_secret(grant.path, places) ||
                                 is_secret(found.real, places) || is_secret(real, places);
    if (leads_to_secret) {
        return {.grant = {}, .reason = kSecret, .is_secret = true, .withheld = withheld(grant, real, places)};
    }
    const std::string unwise = why_unwise(grant, intent, found, real, places);
    if (!unwise.empty()) {
        return no_grant(unwise);
    }
    const bool is_private_itself = verdict.standing == PathStanding::private_place &&
                                   (grant.dest.empty() ? grant.path : grant.dest) == verdict.place;
    if (is_private_itself) {
        return no_grant(fmt::format("no narrow grant: {} is private as a whole", quoted(verdict.place)));
    }
    // What is granted read-only has shown its sockets already: a read-only mount holds no connect(2) back.
    const bool shows_more = grant.is_directory && verdict.standing != PathStanding::read_only;
    if (shows_more && holds_socket(real.empty() ? grant.path : real, places)) {
        return no_grant("it holds sockets, behind which somebody outside listens");
    }
    return {.grant = grant, .reason = {}, .is_secret = false, .withheld = {}};
}

bool may_hold_secrets(const std::string& directory, const CallerPlaces& places) {
    if (!places.list) {
        return false;
    }
    const auto entries = places.list(directory);
    return !entries || std::ranges::any_of(*entries, [&](const DirectoryEntry& entry) {
        return entry.is_socket || is_named_like_a_key(entry.name) ||
               is_secret(paths::join(directory, entry.name), places);
    });
}

} // namespace sandbox
