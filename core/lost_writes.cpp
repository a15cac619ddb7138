#include "core/lost_writes.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>

#include "core/base/directory.hpp"
#include "core/base/fd.hpp"
#include "core/plan/paths.hpp"
#include "core/root.hpp"

namespace sandbox {

namespace {

/// A tree that is larger ends the look at it: a run must not wait for what CMD left behind.
constexpr std::size_t kMostNames = 20'000;
constexpr int kDeepest = 40; ///< directories; each holds a descriptor
constexpr std::array<std::string_view, 4> kTemporary = {"/tmp", "/var/tmp", "/run", "/dev/shm"};

bool is_temporary(const std::string& path) {
    return std::ranges::any_of(kTemporary,
                               [&](std::string_view place) { return paths::is_within(path, std::string(place)); });
}

bool would_stay_on_host(const RootEntry& entry) {
    struct stat status {};
    return entry.kind == RootEntry::Kind::private_directory && entry.origin.kind != Origin::Kind::built_in &&
           !entry.in_tree && !is_temporary(entry.dest) && ::lstat(entry.dest.c_str(), &status) == 0 &&
           S_ISDIR(status.st_mode);
}

/// The directory that holds both.
std::string common_directory(const std::string& left, const std::string& right) {
    std::string directory = left;
    while (!paths::is_within(right, directory)) {
        directory = paths::parent(directory);
    }
    return directory;
}

/// The path as CMD named it: behind the links of the hidden names lies what is kept elsewhere.
std::string as_named(const std::string& path, const HiddenNames& names) {
    for (const HiddenName& name : names.list) {
        if (paths::is_within(path, name.target)) {
            return name.path + path.substr(name.target.size());
        }
    }
    return path;
}

class Collector {
public:
    explicit Collector(const RootPlan& plan) : plan_(plan) {}

    /// All that lies in a private place, a name of it at a time.
    void collect(int stage, const RootEntry& place) {
        const Fd directory = open_directory(stage, root::stage_name(plan_, place).data());
        for (const std::string& name : names_in(directory)) {
            const std::string path = paths::join(place.dest, name);
            if (is_targets(path)) {
                const Fd targets = open_directory(directory.get(), name);
                for (const std::string& target : names_in(targets)) {
                    add(targets, target, paths::join(path, target), place);
                }
            } else {
                add(directory, name, path, place);
            }
        }
    }

    AllLostWrites take() {
        std::ranges::stable_sort(all_.list, std::ranges::greater{}, &LostWrites::bytes);
        return std::move(all_);
    }

private:
    /// Where the links of the hidden names lead.
    [[nodiscard]] bool is_targets(const std::string& path) const {
        return std::ranges::any_of(plan_.hidden_names.list,
                                   [&](const HiddenName& name) { return paths::parent(name.target) == path; });
    }

    Fd open_directory(int parent, const std::string& name) {
        Fd directory(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        all_.is_complete = all_.is_complete && directory;
        return directory;
    }

    std::vector<std::string> names_in(const Fd& directory) {
        if (!directory) {
            return {};
        }
        // One more than there is room for shows that there are more.
        const std::size_t room = kMostNames - std::min(looked_at_, kMostNames) + 1;
        std::optional<std::vector<std::string>> names = list_directory(directory.get(), room);
        all_.is_complete = all_.is_complete && names;
        return std::move(names).value_or(std::vector<std::string>{});
    }

    void add(const Fd& directory, const std::string& name, const std::string& path, const RootEntry& place) {
        LostWrites sum{.path = "", .place = &place};
        look(directory, name, path, kDeepest, sum);
        if (sum.files > 0) {
            sum.path = as_named(sum.path, plan_.hidden_names);
            all_.list.push_back(std::move(sum));
        }
    }

    void look(const Fd& directory, const std::string& name, const std::string& path, int depth, LostWrites& sum) {
        struct stat status {};
        if (++looked_at_ > kMostNames || depth == 0) {
            all_.is_complete = false;
            return;
        }
        if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
            return;
        }
        if (S_ISREG(status.st_mode) && status.st_size > 0) {
            sum.path = sum.files == 0 ? path : common_directory(sum.path, path);
            ++sum.files;
            // CMD can make files with holes, of any size.
            if (__builtin_add_overflow(sum.bytes, static_cast<std::uint64_t>(status.st_size), &sum.bytes)) {
                sum.bytes = std::numeric_limits<std::uint64_t>::max();
            }
        }
        if (S_ISDIR(status.st_mode)) {
            const Fd below = open_directory(directory.get(), name);
            for (const std::string& one : names_in(below)) {
                look(below, one, paths::join(path, one), depth - 1, sum);
            }
        }
    }

    const RootPlan& plan_;
    AllLostWrites all_;
    std::size_t looked_at_ = 0;
};

} // namespace

AllLostWrites lost_writes(int stage, const RootPlan& plan) {
    Collector collector(plan);
    for (const RootEntry& entry : plan.entries) {
        if (stage >= 0 && would_stay_on_host(entry)) {
            collector.collect(stage, entry);
        }
    }
    return collector.take();
}

} // namespace sandbox
