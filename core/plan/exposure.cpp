#include "core/plan/exposure.hpp"

#include "core/base/error.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

bool overlap(const std::string& left, const std::string& right) {
    return paths::is_within(left, right) || paths::is_within(right, left);
}

/// Whether `real` is a bind mount of `own`, or of a directory above it. What lies below a third mount is not found.
bool is_alias(FilesystemContext& context, const std::string& real, const std::string& own) {
    const FileIdentity wanted = context.facts.look_up(own).identity;
    for (std::string path = own; path != "/"; path = paths::parent(path)) {
        const std::string there = paths::join(real, paths::behind(own, path));
        if (context.facts.look_up(there).identity.is_same_file(wanted)) {
            return true;
        }
    }
    return false;
}

bool is_private(FilesystemContext& context, const std::string& real) {
    return std::ranges::any_of(context.profile.filesystem.tmpfs.items, [&](const Item& item) {
        return context.facts.look_up(read_path(item, context.host).path).real == real;
    });
}

[[noreturn]] void refuse(const Origin& origin, const std::string& path, const char* cause, const std::string& fix) {
    throw Error(written_at(origin) + ": cannot show " + quoted(path)).cause(cause).fix(fix);
}

} // namespace

bool mentions_caller(const std::string& text) {
    const bool relative = !text.starts_with('/') && !text.starts_with('~') && !text.starts_with('$');
    return relative || text.find("$PWD") != std::string::npos || text.find("${PWD}") != std::string::npos;
}

std::string why_not_exposed(FilesystemContext& context, const PathFact& fact) {
    const std::string& real = fact.real;
    if (fact.kind == PathFact::Kind::absent) {
        return "cannot be looked up (" + kernel_word(fact.error) + ")";
    }
    const auto is = [&](const OwnDirectory& directory) {
        return real == directory.real || fact.identity.is_same_file(context.facts.look_up(directory.real).identity);
    };
    const auto holds = [&](const OwnDirectory& directory) {
        return paths::is_within(directory.real, real) || is_alias(context, real, directory.real);
    };
    const auto overlaps = [&](const OwnDirectory& directory) {
        return overlap(real, directory.real) || is_alias(context, real, directory.real);
    };
    const OwnDirectories& own = context.own;
    if (std::ranges::any_of(own.homes, is)) {
        return "is your home";
    }
    if (std::ranges::any_of(own.homes, holds)) {
        return "holds your home";
    }
    if (std::ranges::any_of(own.runtimes, overlaps)) {
        return "shows your runtime directory";
    }
    if (std::ranges::any_of(own.configs, overlaps) || std::ranges::any_of(own.datas, overlaps)) {
        return "shows the profiles or the state of sandbox";
    }
    for (const char* kernel : {"/proc", "/sys", "/dev"}) {
        if (paths::is_within(real, kernel)) {
            return "belongs to the kernel";
        }
    }
    return is_private(context, real) ? "is private in the sandbox" : "";
}

void refuse_forbidden(const FilesystemContext& context, const PathFact& fact, bool writable, const Origin& origin) {
    const OwnDirectories& own = context.own;
    if (paths::is_within(fact.real, "/proc")) {
        refuse(origin, fact.real, "the host's /proc shows every process and a way into its files",
               "the sandbox has a /proc of its own; share the pid namespace to see the host's processes");
    }
    const auto is_within = [&](const OwnDirectory& directory) { return paths::is_within(fact.real, directory.real); };
    for (const OwnDirectory& runtime : own.runtimes) {
        if (fact.real == runtime.real) {
            refuse(origin, fact.real, "the runtime directory holds the sockets of your whole session",
                   "grant the one socket that is needed: " + quoted(paths::join(runtime.real, "wayland-0")));
        }
        if (paths::is_within(fact.real, paths::join(runtime.real, "sandbox"))) {
            refuse(origin, fact.real, "the state of sandbox is never visible inside", "grant another directory");
        }
    }
    if (std::ranges::any_of(own.datas, is_within)) {
        refuse(origin, fact.real, "the state of sandbox is never visible inside", "grant another directory");
    }
    if (writable && std::ranges::any_of(own.configs, is_within)) {
        refuse(origin, fact.real, "a command that writes the profiles chooses the cage of its next run",
               "grant it read-only");
    }
}

void refuse_kernel_place(const std::string& dest, const std::string& source, const Origin& origin) {
    const bool owns_dest = paths::is_within(dest, "/proc") || paths::is_within(dest, "/dev/pts") || dest == "/dev/ptmx";
    if (!owns_dest && (dest != "/dev" || source == "/dev")) {
        return;
    }
    throw Error(written_at(origin) + ": cannot put anything at " + quoted(dest))
        .cause("the sandbox has its own " + std::string(dest.starts_with("/proc") ? "/proc" : "/dev") + " there")
        .fix("choose another place");
}

} // namespace sandbox
