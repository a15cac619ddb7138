#include "cmd/common/inside_view.hpp"

#include <sys/stat.h>

#include <deque>

#include "core/plan/host_paths.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

} // namespace

const RootEntry* InsideView::decided_by(std::string_view path) const {
    const RootEntry* deepest = nullptr;
    for (const RootEntry& entry : plan_.entries) {
        // A directory and a pin show what their surroundings show.
        const bool decides = entry.kind != RootEntry::Kind::pin && entry.kind != RootEntry::Kind::read_only_in_place &&
                             entry.kind != RootEntry::Kind::link;
        if (decides && paths::is_within(path, entry.dest) &&
            (deepest == nullptr || entry.dest.size() >= deepest->dest.size())) {
            deepest = &entry;
        }
    }
    return deepest;
}

std::optional<std::string> InsideView::shown_at(const std::string& path) const {
    const RootEntry* entry = decided_by(path);
    if (entry == nullptr) {
        return plan_.host_root ? std::optional(path) : std::nullopt;
    }
    if (entry->kind != RootEntry::Kind::bind) {
        return std::nullopt;
    }
    const std::string_view rest = paths::behind(path, entry->dest);
    return entry->source == "/" && !rest.empty() ? std::string(rest) : entry->source + std::string(rest);
}

std::optional<std::string> InsideView::link_at(const std::string& path) const {
    for (const RootEntry& entry : plan_.entries) {
        if (entry.kind == RootEntry::Kind::link && entry.dest == path) {
            return entry.source;
        }
    }
    const std::optional<std::string> shown = shown_at(path);
    return shown ? host::read_link(*shown) : std::nullopt;
}

std::optional<std::string> InsideView::host_path(std::string_view path) const {
    const std::vector<std::string> names = paths::components(path);
    std::deque<std::string> ahead(names.begin(), names.end());
    std::string reached = "/";
    for (int links = 0; !ahead.empty();) {
        const std::string name = ahead.front();
        ahead.pop_front();
        if (name == "..") {
            reached = paths::parent(reached);
            continue;
        }
        const std::string next = paths::join(reached, name);
        const std::optional<std::string> target = link_at(next);
        if (!target) {
            reached = next;
            continue;
        }
        if (++links > paths::kMostLinks) {
            return std::nullopt;
        }
        reached = target->starts_with('/') ? "/" : reached;
        const std::vector<std::string> more = paths::components(*target);
        ahead.insert(ahead.begin(), more.begin(), more.end());
    }
    const std::optional<std::string> shown = shown_at(reached);
    return shown && exists(*shown) ? shown : std::nullopt;
}

} // namespace sandbox
