#include "cmd/common/profile_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <iterator>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/executable.hpp"
#include "cmd/common/profile_text.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kLargestProfile = 1 << 20;
constexpr std::size_t kLongestChain = 16;
constexpr std::string_view kSuffix = ".toml";

std::string parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return ".";
    }
    return std::string(path.substr(0, std::max<std::size_t>(slash, 1)));
}

std::string_view last_of(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool is_directory(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Letters, digits and ".", "_", "+", "-", starting with a letter or digit.
bool is_profile_name(std::string_view name) {
    const auto alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    return !name.empty() && name.size() <= NAME_MAX - kSuffix.size() && alphanumeric(name.front()) &&
           std::ranges::all_of(name,
                               [&](char c) { return alphanumeric(c) || c == '.' || c == '_' || c == '+' || c == '-'; });
}

Error cannot_read(const std::string& path) {
    return Error(fmt::format("cannot read the profile {}", quoted(path)));
}

/// A profile's file, opened; `directory` is its place in the search path, or npos for a path.
struct OpenProfile {
    std::string path;
    std::size_t directory = std::string::npos;
    Fd file;
    std::pair<dev_t, ino_t> identity;
};

/// \return nothing where the file does not exist.
std::optional<OpenProfile> open_profile(const std::string& path) {
    // O_NONBLOCK: a FIFO must not make us wait for its writer.
    Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) {
        const int error_number = errno;
        if (error_number == ENOENT || error_number == ENOTDIR) {
            return std::nullopt;
        }
        throw cannot_read(path).kernel(error_number);
    }
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) {
        throw cannot_read(path).kernel(errno);
    }
    if (!S_ISREG(status.st_mode)) {
        throw cannot_read(path).cause(S_ISDIR(status.st_mode) ? "it is a directory" : "it is not a regular file");
    }
    if (static_cast<std::size_t>(status.st_size) > kLargestProfile) {
        throw cannot_read(path).cause("it is larger than 1 MiB");
    }
    return OpenProfile{path, std::string::npos, std::move(file), {status.st_dev, status.st_ino}};
}

std::string read_text(const OpenProfile& profile) {
    std::string text;
    if (!read_all(profile.file.get(), kLargestProfile + 1, text)) {
        throw cannot_read(profile.path).kernel(errno);
    }
    if (text.size() > kLargestProfile) { // it grows while it is read
        throw cannot_read(profile.path).cause("it is larger than 1 MiB");
    }
    return text;
}

/// One word that names a profile, and who wrote it.
struct Wanted {
    std::string word;
    std::optional<Origin> origin; ///< of `extends`; nothing for what the user asked for
};

class Loader {
public:
    explicit Loader(const ProfileSearch& search) : search_(search) {}

    Profile load(const Wanted& wanted) {
        OpenProfile opened = find(wanted);
        refuse_circle(opened, wanted);
        const std::string path = opened.path;
        const std::string text = read_text(opened);
        chain_.push_back({wanted.word, std::move(opened)});

        ProfileText written = parse_profile(text, path);
        Profile result;
        if (written.extends) {
            result = load({written.extends->text, written.extends->origin});
        }
        replace_seccomp(result, written.profile);
        result = merge(std::move(result), std::move(written.profile));
        result.name = wanted.word;
        result.lineage.push_back(path);
        chain_.pop_back();
        return result;
    }

    void replace_seccomp(Profile& profile, const Profile& top) {
        const Setting<std::string>& base = top.seccomp.base_profile;
        if (!base) {
            return;
        }
        Profile::Seccomp table;
        if (*base.value != "none") {
            Profile other = load({*base.value, base.origin});
            table = std::move(other.seccomp);
            // Its files decide about this run too: CMD must not write them.
            for (std::string& file : other.lineage) {
                if (std::ranges::find(profile.lineage, file) == profile.lineage.end()) {
                    profile.lineage.push_back(std::move(file));
                }
            }
        } else if (!top.seccomp.allow.written() && top.seccomp.rules.empty()) {
            // "none" alone is no filter; who writes what is allowed means that the rest is not.
            table.default_action.set("allow", base.origin);
        }
        remember_replaced(profile.seccomp, table);
        profile.seccomp = std::move(table);
    }

private:
    struct Link {
        std::string word;
        OpenProfile opened;
    };

    /// What the old table said stays known as overridden by the new one.
    static void remember_replaced(Profile::Seccomp& old, Profile::Seccomp& table) {
        const auto keep = [](List& from, List& to) {
            std::vector<Item> all = std::move(from.overridden);
            std::ranges::move(from.items, std::back_inserter(all));
            std::ranges::move(to.overridden, std::back_inserter(all));
            to.overridden = std::move(all);
        };
        keep(old.allow, table.allow);
        keep(old.deny, table.deny);
        keep(old.architectures, table.architectures);
        Setting<std::string> history = std::move(old.default_action);
        for (auto& [value, origin] : table.default_action.overridden) {
            history.set(std::move(value), std::move(origin));
        }
        if (table.default_action) {
            history.set(std::move(*table.default_action.value), std::move(table.default_action.origin));
        } else if (history) {
            history.overridden.emplace_back(std::move(*history.value), std::move(history.origin));
            history = {std::nullopt, {}, std::move(history.overridden)};
        }
        table.default_action = std::move(history);
    }

    OpenProfile find(const Wanted& wanted) const {
        if (wanted.word.empty()) {
            throw with_place(wanted, Error("the name of the profile is empty"));
        }
        if (wanted.word.find('\0') != std::string::npos) {
            throw with_place(wanted, Error(fmt::format("the name {} holds a NUL character", quoted(wanted.word))));
        }
        return is_profile_path(wanted.word) ? find_path(wanted) : find_name(wanted);
    }

    /// A path that a profile gives is meant from where that profile stands.
    OpenProfile find_path(const Wanted& wanted) const {
        std::string path = wanted.word;
        if (wanted.origin && wanted.origin->kind == Origin::Kind::file && path.front() != '/') {
            path = parent_of(wanted.origin->source.str()) + "/" + path;
        }
        std::optional<OpenProfile> opened = open_profile(path);
        if (!opened) {
            throw with_place(wanted, Error(fmt::format("cannot find the profile {}", quoted(path))).kernel(ENOENT));
        }
        return std::move(*opened);
    }

    OpenProfile find_name(const Wanted& wanted) const {
        if (!is_profile_name(wanted.word)) {
            throw with_place(wanted, Error(fmt::format("{} cannot be the name of a profile", quoted(wanted.word)))
                                         .cause("a name has letters, digits, '.', '_', '+' and '-'; a path has a '/'"));
        }
        const std::size_t first = first_directory(wanted);
        for (std::size_t i = first; i < search_.directories.size(); ++i) {
            std::optional<OpenProfile> opened =
                open_profile(fmt::format("{}/{}{}", search_.directories[i], wanted.word, kSuffix));
            if (opened) {
                opened->directory = i;
                return std::move(*opened);
            }
        }
        throw with_place(wanted, not_found(wanted.word, first));
    }

    /// A profile that extends its own name means the one that it shadows.
    std::size_t first_directory(const Wanted& wanted) const {
        const bool same_name = !chain_.empty() && wanted.origin &&
                               chain_.back().opened.directory != std::string::npos &&
                               last_of(chain_.back().opened.path) == wanted.word + std::string(kSuffix);
        return same_name ? chain_.back().opened.directory + 1 : 0;
    }

    Error not_found(const std::string& name, std::size_t first) const {
        Error error(fmt::format("cannot find the profile {}", quoted(name)));
        for (std::size_t i = first; i < search_.directories.size(); ++i) {
            error.cause(fmt::format("there is no {}", quoted(search_.directories[i] + "/" + name + ".toml")));
        }
        if (first > 0) {
            error.cause("a profile that extends its own name starts from the one that it shadows");
        }
        std::vector<std::string> known;
        for (const FoundProfile& found : list_profiles(search_)) {
            known.push_back(found.name);
        }
        const std::string near = nearest(name, known);
        if (!near.empty() && near != name) {
            error.fix(fmt::format("did you mean '{}'?", near));
        }
        return std::move(error).fix("sandboxctl profile list");
    }

    void refuse_circle(const OpenProfile& opened, const Wanted& wanted) const {
        std::vector<std::string> words;
        for (const Link& link : chain_) {
            words.push_back(escaped(link.word));
        }
        words.push_back(escaped(wanted.word));
        const bool circle =
            std::ranges::any_of(chain_, [&](const Link& link) { return link.opened.identity == opened.identity; });
        if (circle) {
            throw with_place(
                wanted,
                Error("profiles extend each other in a circle").cause(fmt::format("{}", fmt::join(words, " -> "))));
        }
        if (chain_.size() >= kLongestChain) {
            throw with_place(wanted, Error(fmt::format("more than {} profiles extend each other", kLongestChain))
                                         .cause(fmt::format("{}", fmt::join(words, " -> "))));
        }
    }

    static Error with_place(const Wanted& wanted, const Error& error) {
        if (!wanted.origin) {
            return error;
        }
        Error placed(fmt::format("{}: {}", wanted.origin->place(), error.summary()));
        placed.kernel(error.error_number());
        for (const std::string& cause : error.causes()) {
            placed.cause(cause);
        }
        for (const std::string& fix : error.fixes()) {
            placed.fix(fix);
        }
        return placed;
    }

    const ProfileSearch& search_;
    std::vector<Link> chain_; ///< from what was asked for down to what is being read
};

} // namespace

bool is_profile_path(std::string_view word) {
    return word.find('/') != std::string_view::npos || word.ends_with(kSuffix);
}

std::string built_in_profiles(const std::string& executable) {
    if (!executable.empty()) {
        const std::string above = parent_of(parent_of(executable));
        const std::string installed = above + "/share/sandbox/profiles";
        if (is_directory(installed)) {
            return installed;
        }
        const std::string tree = parent_of(above) + "/profiles"; // TREE/build/KIND/sandbox
        if (last_of(above) == "build" && is_directory(tree)) {
            return tree;
        }
    }
    return SANDBOX_DATADIR "/profiles";
}

ProfileSearch profile_search(const std::string& config_dir) {
    ProfileSearch search;
    // A relative directory would be one below the current directory.
    if (config_dir.starts_with('/')) {
        search.directories.push_back(config_dir + "/profiles");
    }
    search.directories.emplace_back(SANDBOX_SYSCONFDIR "/profiles");
    search.directories.push_back(built_in_profiles(own_executable()));
    return search;
}

ProfileSearch built_in_search() {
    return {{built_in_profiles(own_executable())}};
}

std::vector<FoundProfile> list_profiles(const ProfileSearch& search) {
    std::vector<FoundProfile> found;
    for (const std::string& directory : search.directories) {
        const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), ::closedir);
        while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
            const std::string_view file = entry->d_name;
            if (file.ends_with(kSuffix) && is_profile_name(file.substr(0, file.size() - kSuffix.size()))) {
                found.push_back({std::string(file.substr(0, file.size() - kSuffix.size())),
                                 fmt::format("{}/{}", directory, file), false});
            }
        }
    }
    std::ranges::stable_sort(found, {}, &FoundProfile::name);
    for (std::size_t i = 1; i < found.size(); ++i) {
        found[i].shadowed = found[i].name == found[i - 1].name;
    }
    return found;
}

std::string read_profile_file(const std::string& path) {
    std::optional<OpenProfile> opened = open_profile(path);
    if (!opened) {
        throw cannot_read(path).kernel(ENOENT);
    }
    return read_text(*opened);
}

Profile load_profile(const std::string& name_or_path, const ProfileSearch& search) {
    return Loader(search).load({name_or_path, std::nullopt});
}

void replace_seccomp(Profile& profile, const Profile& options, const ProfileSearch& search) {
    Loader(search).replace_seccomp(profile, options);
}

} // namespace sandbox
