#include "core/root.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstring>
#include <string_view>

#include "core/base/sys.hpp"
#include "core/mount.hpp"

namespace sandbox::root {

namespace {

/// Builds the root from one tmpfs, the stage. "root" in it becomes the new root; every private place and every cover is a
/// bind of a directory beside it, because a bind costs a fraction of a file system of its own. The stage is attached in the
/// old root and goes with it.
class Builder {
public:
    Builder(const IdsPlan& ids, const FailurePipe& failure) : ids_(ids), failure_(failure) {}

    Fd build(const RootPlan& plan);

private:
    void make_stage();
    void make_base(const RootPlan& plan);
    void add(const RootEntry& entry);
    void seal(const RootPlan& plan);

    void make_directory(const RootEntry& entry);
    void make_file(const RootEntry& entry);
    void make_link(const RootEntry& entry);
    void bind(const RootEntry& entry);
    void attach_private_directory(const RootEntry& entry, Step step);
    void cover_file(const char* dest, Step step);
    void pin(const RootEntry& entry);
    void mount_proc(const RootEntry& entry);
    void mount_devpts(const RootEntry& entry);
    void mask(const RootEntry& entry);
    void make_read_only_in_place(const RootEntry& entry);

    /// The directory that holds `dest`, and `dest`'s last name.
    Fd open_parent(const RootEntry& entry, Step step, const char** name);
    Fd open_target(const char* dest, Step step);
    void require(const Fd& fd, Step step, const char* object) { failure_.at(step, fd.get(), object); }

    const IdsPlan& ids_;
    const FailurePipe& failure_;
    Fd stage_;
    Fd root_;
    unsigned private_count_ = 0;
};

/// A directory of the old root that the stage may cover: no source lies in it. (Not "/" itself: the stage would then lie on top
/// of the old root, and taking it off would cost a second umount, most of it waiting for other CPUs.)
Fd open_stage_point(const RootPlan& plan) {
    constexpr std::string_view kPoints[] = {"/proc", "/sys", "/tmp", "/run", "/mnt", "/srv", "/media", "/home", "/var"};
    for (const std::string_view point : kPoints) {
        const bool holds_a_source =
            std::any_of(plan.entries.begin(), plan.entries.end(), [point](const RootEntry& entry) {
                return entry.kind == RootEntry::Kind::bind && std::string_view(entry.source).starts_with(point);
            });
        if (holds_a_source) {
            continue;
        }
        Fd directory(::open(point.data(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (directory) {
            return directory;
        }
    }
    return Fd();
}

constexpr std::uint64_t kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

Fd Builder::build(const RootPlan& plan) {
    make_stage();
    make_base(plan);
    for (const RootEntry& entry : plan.entries) {
        add(entry);
    }
    seal(plan);
    return std::move(root_);
}

void Builder::make_stage() {
    constexpr mount::Parameter kParameters[] = {{"mode", "0755"}};
    stage_ = mount::make_file_system("tmpfs", kParameters, kSafe);
    require(stage_, Step::create_root, "tmpfs");
    failure_.at(Step::create_root, ::mkdirat(stage_.get(), "root", 0755), "root");
    failure_.at(Step::create_root, ::mkdirat(stage_.get(), "empty", 0555), "empty");
    const Fd empty(::openat(stage_.get(), "nothing", O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444));
    require(empty, Step::create_root, "nothing");
}

void Builder::make_base(const RootPlan& plan) {
    Fd host;
    if (plan.host_root) {
        // Cloned before the stage covers it.
        const Fd source = mount::open_source("/");
        require(source, Step::open_source, "/");
        host = mount::clone_tree(source.get());
        require(host, Step::create_root, "/");
        const std::uint64_t attributes = kSafe | (plan.host_root_writable ? 0U : MOUNT_ATTR_RDONLY);
        failure_.at(Step::create_root, mount::add_attributes(host.get(), attributes, true), "/");
    }
    const Fd point = open_stage_point(plan);
    require(point, Step::create_root, "/proc");
    failure_.at(Step::create_root, mount::attach(stage_.get(), point.get()), "tmpfs");

    root_ = plan.host_root ? std::move(host) : mount::clone_single(stage_.get(), "root");
    require(root_, Step::create_root, "root");
    const Fd place = mount::open_below(stage_.get(), "root");
    require(place, Step::create_root, "root");
    failure_.at(Step::create_root, mount::attach(root_.get(), place.get()), "root");
}

void Builder::add(const RootEntry& entry) {
    switch (entry.kind) {
    case RootEntry::Kind::directory:
        return make_directory(entry);
    case RootEntry::Kind::file:
        return make_file(entry);
    case RootEntry::Kind::link:
        return make_link(entry);
    case RootEntry::Kind::bind:
        return bind(entry);
    case RootEntry::Kind::private_directory:
        return attach_private_directory(entry, Step::attach_mount);
    case RootEntry::Kind::cover_directory:
        return attach_private_directory(entry, Step::cover_path);
    case RootEntry::Kind::cover_file:
        return cover_file(entry.dest.c_str(), Step::cover_path);
    case RootEntry::Kind::pin:
        return pin(entry);
    case RootEntry::Kind::proc:
        return mount_proc(entry);
    case RootEntry::Kind::devpts:
        return mount_devpts(entry);
    case RootEntry::Kind::mask:
        return mask(entry);
    case RootEntry::Kind::read_only_in_place:
        return make_read_only_in_place(entry);
    }
}

Fd Builder::open_parent(const RootEntry& entry, Step step, const char** name) {
    const std::size_t slash = entry.dest.rfind('/');
    *name = entry.dest.c_str() + slash + 1;
    char parent[PATH_MAX];
    const std::size_t length = std::min(slash, sizeof parent - 1);
    std::memcpy(parent, entry.dest.c_str(), length);
    parent[length] = '\0';
    Fd directory = mount::open_below(root_.get(), length == 0 ? "." : parent);
    require(directory, step, entry.dest.c_str());
    return directory;
}

Fd Builder::open_target(const char* dest, Step step) {
    Fd target = mount::open_below(root_.get(), dest);
    require(target, step, dest);
    return target;
}

void Builder::make_directory(const RootEntry& entry) {
    const char* name = nullptr;
    const Fd parent = open_parent(entry, Step::make_mount_point, &name);
    failure_.at(Step::make_mount_point, ::mkdirat(parent.get(), name, entry.mode), entry.dest.c_str());
}

void Builder::make_file(const RootEntry& entry) {
    const char* name = nullptr;
    const Fd parent = open_parent(entry, Step::make_mount_point, &name);
    const Fd file(::openat(parent.get(), name, O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC, entry.mode & 0666));
    require(file, Step::make_mount_point, entry.dest.c_str());
}

void Builder::make_link(const RootEntry& entry) {
    const char* name = nullptr;
    const Fd parent = open_parent(entry, Step::make_link, &name);
    failure_.at(Step::make_link, ::symlinkat(entry.source.c_str(), parent.get(), name), entry.dest.c_str());
}

void Builder::bind(const RootEntry& entry) {
    const Fd source = mount::open_source(entry.source.c_str());
    require(source, Step::open_source, entry.source.c_str());
    struct stat status{};
    failure_.at(Step::open_source, ::fstat(source.get(), &status), entry.source.c_str());
    if (S_ISDIR(status.st_mode) != entry.source_is_directory || S_ISLNK(status.st_mode)) {
        // It was something else when the plan was made: somebody swaps files while we start.
        errno = ESTALE;
        failure_.leave(Step::open_source, entry.source.c_str());
    }
    const Fd tree = mount::clone_tree(source.get());
    require(tree, Step::open_source, entry.source.c_str());
    const std::uint64_t attributes = MOUNT_ATTR_NOSUID | (entry.devices ? 0U : MOUNT_ATTR_NODEV) |
                                     (entry.writable ? 0U : MOUNT_ATTR_RDONLY);
    failure_.at(Step::make_source_read_only, mount::add_attributes(tree.get(), attributes, true), entry.source.c_str());
    const unsigned long promised = ST_NOSUID | (entry.devices ? 0UL : +ST_NODEV) | (entry.writable ? 0UL : +ST_RDONLY);
    failure_.at(Step::make_source_read_only, mount::expect_flags(tree.get(), promised), entry.source.c_str());
    const Fd target = open_target(entry.dest.c_str(), Step::make_mount_point);
    failure_.at(Step::attach_mount, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::attach_private_directory(const RootEntry& entry, Step step) {
    char name[16] = {};
    std::to_chars(std::begin(name), std::end(name) - 1, private_count_++);
    failure_.at(step, ::mkdirat(stage_.get(), name, 0700), entry.dest.c_str());
    failure_.at(step, ::fchmodat(stage_.get(), name, entry.mode, 0), entry.dest.c_str());
    if (ids_.uid != ::geteuid() || ids_.gid != ::getegid()) {
        failure_.at(step, ::fchownat(stage_.get(), name, ids_.uid, ids_.gid, AT_SYMLINK_NOFOLLOW), entry.dest.c_str());
    }
    const Fd tree = mount::clone_single(stage_.get(), name);
    require(tree, step, entry.dest.c_str());
    const Fd target = open_target(entry.dest.c_str(), step);
    failure_.at(step, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::cover_file(const char* dest, Step step) {
    // A regular file of ours, not /dev/null: nothing to be swapped for a link (CVE-2025-31133).
    const Fd tree = mount::clone_single(stage_.get(), "nothing");
    require(tree, step, dest);
    failure_.at(step, mount::add_attributes(tree.get(), kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, false), dest);
    failure_.at(step, mount::expect_flags(tree.get(), ST_RDONLY), dest);
    const Fd target = open_target(dest, step);
    failure_.at(step, mount::attach(tree.get(), target.get()), dest);
}

void Builder::pin(const RootEntry& entry) {
    const Fd target = open_target(entry.dest.c_str(), Step::pin_path);
    const Fd tree = mount::clone_tree(target.get());
    require(tree, Step::pin_path, entry.dest.c_str());
    failure_.at(Step::pin_path, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::mount_proc(const RootEntry& entry) {
    const Fd proc = mount::make_file_system("proc", {}, kSafe | MOUNT_ATTR_NOEXEC);
    require(proc, Step::mount_proc, "");
    const Fd target = open_target(entry.dest.c_str(), Step::mount_proc);
    failure_.at(Step::mount_proc, mount::attach(proc.get(), target.get()), "");
}

void Builder::mount_devpts(const RootEntry& entry) {
    constexpr mount::Parameter kWithTtyGroup[] = {
        {"newinstance", nullptr}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}};
    const bool tty_group_is_mapped = std::any_of(ids_.gid_map.begin(), ids_.gid_map.end(), [](const MapEntry& map) {
        constexpr std::uint32_t kTtyGroup = 5;
        return map.inside <= kTtyGroup && kTtyGroup - map.inside < map.count;
    });
    const std::span parameters = std::span(kWithTtyGroup).first(tty_group_is_mapped ? 4 : 3);
    const Fd devpts = mount::make_file_system("devpts", parameters, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    require(devpts, Step::mount_devpts, "");
    const Fd target = open_target(entry.dest.c_str(), Step::mount_devpts);
    failure_.at(Step::mount_devpts, mount::attach(devpts.get(), target.get()), "");
}

void Builder::mask(const RootEntry& entry) {
    const Fd target = mount::open_below(root_.get(), entry.dest.c_str());
    if (!target && errno == ENOENT) {
        return; // this kernel has no such file
    }
    require(target, Step::mask_path, entry.dest.c_str());
    struct stat status{};
    failure_.at(Step::mask_path, ::fstat(target.get(), &status), entry.dest.c_str());
    if (!S_ISDIR(status.st_mode)) {
        return cover_file(entry.dest.c_str(), Step::mask_path);
    }
    const Fd tree = mount::clone_single(stage_.get(), "empty");
    require(tree, Step::mask_path, entry.dest.c_str());
    failure_.at(Step::mask_path, mount::add_attributes(tree.get(), kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, false),
                entry.dest.c_str());
    failure_.at(Step::mask_path, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::make_read_only_in_place(const RootEntry& entry) {
    const Fd target = mount::open_below(root_.get(), entry.dest.c_str());
    if (!target && errno == ENOENT) {
        return;
    }
    require(target, Step::mask_path, entry.dest.c_str());
    const Fd tree = mount::clone_tree(target.get());
    require(tree, Step::mask_path, entry.dest.c_str());
    const std::uint64_t attributes = kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
    failure_.at(Step::mask_path, mount::add_attributes(tree.get(), attributes, true), entry.dest.c_str());
    failure_.at(Step::mask_path, mount::expect_flags(tree.get(), ST_RDONLY), entry.dest.c_str());
    failure_.at(Step::mask_path, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::seal(const RootPlan& plan) {
    // Covers are sealed last: deeper grants may have had their mount points made in them.
    for (const RootEntry& entry : plan.entries) {
        if (entry.kind == RootEntry::Kind::cover_directory) {
            const Fd cover = open_target(entry.dest.c_str(), Step::cover_path);
            failure_.at(Step::cover_path, mount::add_attributes(cover.get(), MOUNT_ATTR_RDONLY, false), entry.dest.c_str());
            failure_.at(Step::cover_path, mount::expect_flags(cover.get(), ST_RDONLY), entry.dest.c_str());
        }
    }
    if (!plan.host_root) {
        failure_.at(Step::seal_root, mount::add_attributes(root_.get(), MOUNT_ATTR_RDONLY, false));
        failure_.at(Step::seal_root, mount::expect_flags(root_.get(), ST_RDONLY));
    }
}

} // namespace

Fd assemble(const RootPlan& plan, const IdsPlan& ids, const FailurePipe& failure) {
    return Builder(ids, failure).build(plan);
}

void enter(Fd new_root, const FailurePipe& failure) {
    failure.at(Step::enter_root, ::fchdir(new_root.get()));
    // The old root ends up on top of the new one, where "." still is, and is taken off: pivot_root(2), NOTES.
    failure.at(Step::enter_root, sys::pivot_root(".", "."));
    failure.at(Step::leave_old_root, ::umount2(".", MNT_DETACH), "/");
    failure.at(Step::leave_old_root, ::chdir("/"));

    struct stat here{};
    struct stat wanted{};
    failure.at(Step::leave_old_root, ::stat("/", &here));
    failure.at(Step::leave_old_root, ::fstat(new_root.get(), &wanted));
    if (here.st_dev != wanted.st_dev || here.st_ino != wanted.st_ino) {
        errno = EXDEV;
        failure.leave(Step::leave_old_root, "/");
    }
}

} // namespace sandbox::root
