#include "core/plan/masks.hpp"

#include <array>
#include <set>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/cgroup_plan.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

// moby's daemon/pkg/oci/defaults.go: information about the machine that no command needs, or that was used to attack
// it.
constexpr std::array kMasked = {
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
};
constexpr std::array kReadOnly = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
constexpr const char* kCgroups = "/sys/fs/cgroup";
constexpr const char* kThermal = "/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle";

class MaskPlanner {
public:
    explicit MaskPlanner(FilesystemContext& context) : context_(context) {}

    std::vector<RootEntry> plan() {
        for (const Item& item : context_.profile.filesystem.masked.items) {
            if (item.text == "@docker") {
                add_docker(item.origin);
            } else {
                add_path(item);
            }
        }
        protect_limits();
        return std::move(entries_);
    }

private:
    void add(RootEntry::Kind kind, const std::string& path, const Origin& origin) {
        if (paths::is_within(path, "/proc") || (has_sysfs() && paths::is_within(path, "/sys") && path != kCgroups)) {
            add_at(kind, path, origin);
            return;
        }
        for (const std::string& dest : context_.tree.appearances(path)) {
            add_at(kind, dest, origin);
        }
    }

    [[nodiscard]] bool has_sysfs() const {
        const Place* sys = context_.tree.at("/sys");
        return sys != nullptr && sys->kind == Place::Kind::sysfs;
    }

    void add_at(RootEntry::Kind kind, const std::string& dest, const Origin& origin) {
        if (!done_.insert(dest).second) {
            return;
        }
        RootEntry entry;
        entry.kind = kind;
        entry.dest = dest;
        entry.origin = origin;
        entries_.push_back(std::move(entry));
    }

    void add_docker(const Origin& origin) {
        for (const char* path : kMasked) {
            add(RootEntry::Kind::mask, path, origin);
        }
        if (has_sysfs() || !context_.tree.appearances("/sys/devices/system/cpu").empty()) {
            for (const std::string& path : context_.host.expand_glob(kThermal)) {
                add(RootEntry::Kind::mask, path, origin);
            }
        }
        for (const char* path : kReadOnly) {
            add(RootEntry::Kind::read_only_in_place, path, origin);
        }
    }

    /// The files of the sandbox's own cgroup belong to the user, so CMD, who has his uid, could raise its limits there.
    void protect_limits() {
        if (limits_the_sandbox(context_.profile.limits)) {
            add(RootEntry::Kind::read_only_in_place, kCgroups, built_in("limits hold against CMD"));
        }
    }

    void add_path(const Item& item) {
        const std::string path = paths::normal(item.text);
        const auto names = paths::components(path);
        const bool below = paths::is_below(path, "/proc") || paths::is_below(path, "/sys");
        const bool plain = item.text.starts_with('/') && item.text.find('\0') == std::string::npos &&
                           std::ranges::find(names, "..") == names.end();
        if (below && plain) {
            if (context_.facts.look_up(path).kind == PathFact::Kind::absent) {
                context_.notice(written_at(item.origin) + ": mask " + quoted(item.text) +
                                ": there is nothing of that name");
            }
            add(RootEntry::Kind::mask, path, item.origin);
            return;
        }
        Error error(written_at(item.origin) + ": cannot mask " + quoted(item.text));
        error.cause("only \"@docker\" and paths below /proc and /sys can be masked");
        error.fix(item.text.starts_with('@') ? "did you mean '@docker'?" : "filesystem.hide takes all other paths");
        throw error;
    }

    FilesystemContext& context_;
    std::vector<RootEntry> entries_;
    std::set<std::string> done_;
};

} // namespace

std::vector<RootEntry> plan_masks(FilesystemContext& context) {
    return MaskPlanner(context).plan();
}

} // namespace sandbox
