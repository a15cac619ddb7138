#include "cmd/sandbox/explain.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "core/plan/host_paths.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

constexpr std::chrono::seconds kPatience{5};

bool is_there(const std::string& path) {
    struct stat status {};
    return ::fstatat(AT_FDCWD, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/// What the call wants, now that it is known whether the host has the name; nothing where it fails there too.
/// \param can_make the name is not there in a private place, and its directory is: an open(2) that may make it does.
std::optional<PathIntent> intent_of(PathUse use, const std::string& host_path, bool can_make) {
    const bool exists = !host_path.empty() && is_there(host_path);
    switch (use) {
    case PathUse::look:
        return PathIntent::look;
    case PathUse::read:
        return PathIntent::read;
    case PathUse::list:
        return PathIntent::list;
    case PathUse::write:
        return PathIntent::write;
    case PathUse::execute:
        return PathIntent::execute;
    case PathUse::open_new:
        return exists && !can_make ? PathIntent::write : PathIntent::create;
    case PathUse::put:
        return PathIntent::create;
    case PathUse::make:
        if (exists) { // it fails there, and in a private place makes another in the place of the host's
            return can_make ? std::optional(PathIntent::look) : std::nullopt;
        }
        return PathIntent::create;
    case PathUse::take_away:
        return exists ? std::optional(PathIntent::create) : std::nullopt;
    }
    return std::nullopt;
}

/// Whether the host lets the user do it, so that it was the profile that did not.
bool host_allows(const std::optional<HostCheck>& check) {
    if (!check) {
        return true;
    }
    constexpr std::array kModes = {F_OK, R_OK, W_OK, X_OK}; // in the order of HostCheck::Need
    if (check->need == HostCheck::Need::exists) {
        return is_there(check->path);
    }
    return ::faccessat(AT_FDCWD, check->path.c_str(), kModes.at(static_cast<std::size_t>(check->need)), AT_EACCESS) ==
           0;
}

/// Links of the host, read once: most names lead through the same few directories.
class HostLinks {
public:
    std::optional<std::string> at(const std::string& path) {
        if (known_.size() == kMost) {
            known_.clear(); // CMD chose how many there are
        }
        const auto [entry, is_new] = known_.try_emplace(path);
        if (is_new) {
            entry->second = host::read_link(path);
        }
        return entry->second;
    }

private:
    static constexpr std::size_t kMost = 1024;
    std::unordered_map<std::string, std::optional<std::string>> known_;
};

/// The names that CMD made itself, or tried to, as they stand inside.
class OwnNames {
public:
    void add(std::string inside, PathUse use) {
        bool& is_tree = names_.try_emplace(std::move(inside), false).first->second;
        is_tree = is_tree || use == PathUse::put;
    }
    /// Whether `inside`, in a private place, had a directory to be made in.
    [[nodiscard]] bool has_parent(const std::string& inside, const PathOracle& oracle) const {
        bool is_missing = false;
        for (std::string above = paths::parent(inside); !oracle.makes_directory(above); above = paths::parent(above)) {
            const auto own = names_.find(above);
            if (above == "/") {
                return false;
            }
            // What was renamed brought along what was in it.
            is_missing = own == names_.end() || (is_missing && !own->second);
        }
        return !is_missing;
    }
    [[nodiscard]] bool has(const std::string& inside, const PathOracle& oracle) const {
        return names_.contains(inside) && has_parent(inside, oracle);
    }

private:
    std::unordered_map<std::string, bool> names_; ///< whether a directory may have come there with all that it holds
};

bool makes(PathUse use) {
    return use == PathUse::make || use == PathUse::open_new || use == PathUse::put;
}

class Explainer {
public:
    Explainer(const Plan& plan, const Host& host)
        : host_(host), places_(caller_places(host, host::list_directory)),
          oracle_(plan.root, [this](const std::string& path) { return links_.at(path); }) {}
    Explainer(const Explainer&) = delete;
    Explainer& operator=(const Explainer&) = delete;

    /// Of all names before the first is explained: a name may have been made in a directory that CMD made.
    void note_own(const ObservedPath& seen) {
        if (auto found = makes(seen.use) ? oracle_.judge({seen.path, PathIntent::look, false}) : std::nullopt) {
            own_.add(std::move(found->inside), seen.use);
        }
    }

    /// \param was_made the name was found inside afterwards.
    /// \return nothing where the profile changed nothing.
    std::optional<RefusedFile> explain(const ObservedPath& seen, bool was_made = false) {
        // Where the name stands on the host does not hang on what is wanted of it.
        const auto found = oracle_.judge({seen.path, PathIntent::look, seen.follows_last_link});
        if (!found) {
            return std::nullopt;
        }
        const bool finds_needed =
            found->standing == PathStanding::private_place && (was_made || finds_what_it_needs(seen.use, *found));
        const auto intent = intent_of(seen.use, found->host_path, finds_needed);
        if (!intent || (seen.after_make && is_made_inside(*found))) {
            return std::nullopt;
        }
        auto verdict = oracle_.judge({seen.path, *intent, seen.follows_last_link, finds_needed});
        if (!verdict || verdict->effect == PathEffect::works || !host_allows(verdict->check)) {
            return std::nullopt;
        }
        RefusedFile file;
        file.intent = *intent;
        file.advice = advise(*verdict, *intent, host_.look_up(verdict->host_path), places_);
        file.verdict = *std::move(verdict);
        return file;
    }

private:
    /// Whether a call that makes the name works inside: what stands there afterwards is CMD's own.
    [[nodiscard]] bool is_made_inside(const PathVerdict& found) const {
        return found.standing == PathStanding::private_place && finds_what_it_needs(PathUse::make, found);
    }

    /// In a private place: PathCall::finds_needed.
    [[nodiscard]] bool finds_what_it_needs(PathUse use, const PathVerdict& found) const {
        const bool needs_itself = use == PathUse::take_away;
        return found.in_tree ||
               (needs_itself ? own_.has(found.inside, oracle_) : own_.has_parent(found.inside, oracle_));
    }

    const Host& host_;
    CallerPlaces places_;
    HostLinks links_;
    PathOracle oracle_;
    OwnNames own_;
};

int strength(PathIntent intent) {
    switch (intent) {
    case PathIntent::look:
        return 0;
    case PathIntent::list:
        return 1;
    case PathIntent::execute:
        return 2;
    case PathIntent::read:
        return 3;
    case PathIntent::write:
        return 4;
    case PathIntent::create:
        return 5;
    }
    return 0;
}

/// Both are of one name: the stronger stays, with the calls of both.
void merge(RefusedFile& known, RefusedFile other) {
    other.count += known.count;
    known.count = other.count;
    if (strength(other.intent) > strength(known.intent)) {
        known = std::move(other);
    }
}

/// What was refused of a name is one thing, what was lost of it another.
using NamedFiles = std::map<std::pair<std::string, PathEffect>, RefusedFile>;

/// A directory that was looked at on the way to what is told anyway says nothing more.
bool leads_to_another(const RefusedFile& file, const NamedFiles& all) {
    const std::string below = file.verdict.inside + "/";
    const auto next = all.lower_bound({below, PathEffect{}});
    return file.intent == PathIntent::look && next != all.end() && next->first.first.starts_with(below);
}

} // namespace

std::vector<RefusedFile> refused_files(std::map<ObservedPath, Sighting> seen, const Plan& plan, const Host& host,
                                       std::uint64_t& left_out) {
    // CMD chose the names, and the links that they lead through: looking them up must end.
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    Explainer explainer(plan, host);
    for (const auto& [name, sighting] : seen) {
        if (std::chrono::steady_clock::now() > deadline) {
            break;
        }
        explainer.note_own(name);
    }
    NamedFiles by_name;
    std::size_t bytes = 0;
    while (!seen.empty()) {
        const auto node = seen.extract(seen.begin()); // and freed: what is told takes its place
        if (std::chrono::steady_clock::now() > deadline) {
            ++left_out;
            continue;
        }
        std::optional<RefusedFile> file = explainer.explain(node.key());
        if (!file) {
            continue;
        }
        file->program = node.mapped().program;
        file->count = node.mapped().count;
        const NamedFiles::key_type name(file->verdict.inside, file->verdict.effect);
        const auto known = by_name.find(name);
        if (known != by_name.end()) {
            merge(known->second, *std::move(file));
        } else if (by_name.size() < kMostRefusedFiles && bytes + name.first.size() <= kMostRefusedBytes) {
            bytes += name.first.size();
            by_name.emplace(name, *std::move(file));
        } else {
            ++left_out;
        }
    }
    std::vector<RefusedFile> told;
    for (auto& [name, file] : by_name) {
        if (!leads_to_another(file, by_name)) {
            told.push_back(std::move(file));
        }
    }
    std::stable_partition(told.begin(), told.end(),
                          [](const RefusedFile& file) { return file.verdict.effect == PathEffect::refused; });
    return told;
}

std::vector<PathAdvice> advise_on_new_files(const std::vector<std::string>& inside, const Plan& plan,
                                            const Host& host) {
    Explainer explainer(plan, host);
    std::vector<PathAdvice> all;
    for (const std::string& path : inside) {
        const auto file = explainer.explain({.path = path, .use = PathUse::open_new, .follows_last_link = false}, true);
        all.push_back(file ? file->advice
                           : PathAdvice{.grant = {},
                                        .reason = "its directory is not there outside, or is not yours to write in",
                                        .is_secret = false,
                                        .withheld = {}});
    }
    return all;
}

} // namespace sandbox
