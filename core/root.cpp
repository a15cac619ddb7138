#include "core/root.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstring>
#include <string_view>

#include "core/base/file.hpp"
#include "core/base/sys.hpp"
#include "core/mount.hpp"
#include "core/tree_path.hpp"

namespace sandbox::root {

namespace {

/// The stage's two empty objects, for covers.
constexpr const char* kEmptyDirectory = "empty";
constexpr const char* kEmptyFile = "nothing";

/// Builds the root from one tmpfs, the stage. "root" in it becomes the new root; every private place and every cover is
/// a bind of a directory beside it, because a bind costs a fraction of a file system of its own. The stage is attached
/// in the old root and goes with it.
class Builder {
public:
    Builder(const Materials& materials, Identity& identity, const StepReporter& failure)
        : materials_(materials), identity_(identity), failure_(failure) {}

    Assembled build();

private:
    void make_stage();
    void make_base(const RootPlan& plan);
    Fd attach_stage(const RootPlan& plan);
    void make_tree_base(const TreeRoot& tree, const Fd& place);
    void settle_in_tree();
    void add(const RootEntry& entry);
    void seal(const RootPlan& plan);

    void make_directory(const RootEntry& entry);
    void make_file(const RootEntry& entry);
    void make_link(const RootEntry& entry);
    void bind(const RootEntry& entry);
    void attach_private_directory(const RootEntry& entry, Step step);
    void open_for_hidden_names(const char* home);
    void attach_text(const RootEntry& entry);
    void attach_empty(const char* name, const Fd& target, const RootEntry& entry, Step step);
    void pin(const RootEntry& entry);
    void mount_proc(const RootEntry& entry);
    void mount_devpts(const RootEntry& entry);
    void mount_sysfs(const RootEntry& entry);
    void mount_if_possible(const RootEntry& entry, const char* type, std::uint64_t attributes);
    void attach_overlay(const RootEntry& entry);
    void lay_over(std::size_t index, int target, const char* object);
    void mask(const RootEntry& entry);
    void make_read_only_in_place(const RootEntry& entry);

    /// A directory below the new root and a name to be made in it.
    struct Place {
        Fd directory;
        const char* name;
    };
    Place open_parent(const RootEntry& entry, Step step);
    Fd open_target(const char* dest, Step step);
    Fd open_target(const RootEntry& entry, Step step);
    enum class Depth { single, tree };
    /// Adds MOUNT_ATTR_* flags to a detached mount, and reads them back.
    void set_attributes(const Fd& mount, std::uint64_t attributes, Depth depth, Step step, const char* object);
    void attach_at(const Fd& mount, const RootEntry& entry, Step step);
    void require(const Fd& fd, Step step, const char* object) { failure_.at(step, fd.get(), object); }

    const Materials& materials_;
    Identity& identity_;
    const StepReporter& failure_;
    Fd descriptors_; ///< /proc/self/fd, which the stage covers: for overlays
    Fd stage_;
    Fd root_;
    hidden_names::Places hidden_names_;
    bool has_tty_group_ = false;
};

constexpr std::uint64_t kSafe = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

Assembled Builder::build() {
    const RootPlan& plan = materials_.root;
    has_tty_group_ = plan.has_tty_group;
    make_stage();
    make_base(plan);
    if (plan.tree) {
        settle_in_tree();
    }
    for (const RootEntry& entry : plan.entries) {
        add(entry);
    }
    hidden_names::make_directories(hidden_names_, plan.hidden_names, identity_, failure_);
    seal(plan);
    return {std::move(root_), std::move(stage_), std::move(hidden_names_)};
}

void Builder::make_stage() {
    constexpr mount::Parameter kParameters[] = {{"mode", "0755"}};
    stage_ = mount::make_file_system("tmpfs", kParameters, kSafe);
    require(stage_, Step::create_root, "tmpfs");
    failure_.at(Step::create_root, ::mkdirat(stage_.get(), "root", 0755), "root");
    failure_.at(Step::create_root, ::mkdirat(stage_.get(), kEmptyDirectory, 0555), kEmptyDirectory);
    const Fd empty(::openat(stage_.get(), kEmptyFile, O_CREAT | O_EXCL | O_RDONLY | O_CLOEXEC, 0444));
    require(empty, Step::create_root, kEmptyFile);
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
        set_attributes(host, attributes, Depth::tree, Step::create_root, "/");
    }
    const Fd place = attach_stage(plan);
    if (plan.tree) {
        return make_tree_base(*plan.tree, place);
    }
    root_ = plan.host_root ? std::move(host) : mount::clone_single(stage_.get(), "root");
    require(root_, Step::create_root, "root");
    failure_.at(Step::create_root, mount::attach(root_.get(), place.get()), "root");
}

/// From here on the stage covers its place in the old root. \return where the new root goes.
Fd Builder::attach_stage(const RootPlan& plan) {
    if (!materials_.layers.empty()) {
        descriptors_.reset(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
        require(descriptors_, Step::create_root, "/proc/self/fd");
    }
    const char* const stage_point = plan.stage_point.c_str();
    const Fd point(::open(stage_point, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    require(point, Step::create_root, stage_point);
    failure_.at(Step::create_root, mount::attach(stage_.get(), point.get()), "tmpfs");
    Fd place = mount::open_below(stage_.get(), "root");
    require(place, Step::create_root, "root");
    return place;
}

void Builder::make_tree_base(const TreeRoot& tree, const Fd& place) {
    if (tree.directory.empty()) {
        lay_over(0, place.get(), "/");
        root_ = mount::open_below(stage_.get(), "root"); // what lies on top now
        require(root_, Step::create_root, "/");
        set_attributes(root_, kSafe, Depth::single, Step::create_root, "/");
        return;
    }
    const char* const path = tree.directory.c_str();
    const Fd source = mount::open_source(path);
    require(source, Step::open_source, path);
    root_ = mount::clone_tree(source.get());
    require(root_, Step::open_source, path);
    set_attributes(root_, kSafe | MOUNT_ATTR_RDONLY, Depth::tree, Step::create_root, path);
    failure_.at(Step::create_root, mount::attach(root_.get(), place.get()), path);
}

/// Nothing of the tree has run yet, and nothing of ours is mounted in it: what is looked up now cannot be moved.
void Builder::settle_in_tree() {
    const char* const user = materials_.user_in_root.c_str();
    failure_.at(Step::look_up_user, look_up_user(root_.get(), user, identity_), user);
    const char* const workdir = materials_.made_workdir.c_str();
    if (*workdir != '\0' && materials_.root.tree->directory.empty()) {
        const Fd made =
            tree_path::open_or_make(root_.get(), workdir, tree_path::Want::directory, tree_path::Links::followed);
        require(made, Step::enter_workdir, workdir);
    }
}

void Builder::lay_over(std::size_t index, int target, const char* object) {
    const Overlay& overlay = materials_.overlays.list[index];
    const overlay::Layer& layer = materials_.layers[index];
    failure_.at(Step::lay_over,
                materials_.through_fuse ? overlay::attach_fuse(overlay.lower, layer, target, materials_.control)
                                        : overlay::attach(overlay.lower, layer, descriptors_.get(), target),
                object);
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
    case RootEntry::Kind::overlay:
        return attach_overlay(entry);
    case RootEntry::Kind::private_directory:
        return attach_private_directory(entry, Step::attach_mount);
    case RootEntry::Kind::cover_directory:
        return attach_private_directory(entry, Step::cover_path);
    case RootEntry::Kind::cover_file:
        return attach_empty(kEmptyFile, open_target(entry, Step::cover_path), entry, Step::cover_path);
    case RootEntry::Kind::text:
        return attach_text(entry);
    case RootEntry::Kind::pin:
        return pin(entry);
    case RootEntry::Kind::proc:
        return mount_proc(entry);
    case RootEntry::Kind::devpts:
        return mount_devpts(entry);
    case RootEntry::Kind::sysfs:
        return mount_sysfs(entry);
    case RootEntry::Kind::cgroups:
        return mount_if_possible(entry, "cgroup2", kSafe | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
    case RootEntry::Kind::mqueue:
        return mount_if_possible(entry, "mqueue", kSafe | MOUNT_ATTR_NOEXEC);
    case RootEntry::Kind::mask:
        return mask(entry);
    case RootEntry::Kind::read_only_in_place:
        return make_read_only_in_place(entry);
    }
}

Builder::Place Builder::open_parent(const RootEntry& entry, Step step) {
    const std::size_t slash = entry.dest.rfind('/');
    char parent[PATH_MAX] = ".";
    failure_.expect(step, slash < sizeof parent, ENAMETOOLONG, entry.dest.c_str());
    if (slash != 0) {
        std::memcpy(parent, entry.dest.c_str(), slash);
        parent[slash] = '\0';
    }
    Fd directory = mount::open_below(root_.get(), parent);
    require(directory, step, entry.dest.c_str());
    return {std::move(directory), entry.dest.c_str() + slash + 1};
}

void Builder::set_attributes(const Fd& mount, std::uint64_t attributes, Depth depth, Step step, const char* object) {
    failure_.at(step, mount::add_attributes(mount.get(), attributes, depth == Depth::tree), object);
    failure_.at(step, mount::expect_attributes(mount.get(), attributes), object);
}

void Builder::attach_at(const Fd& mount, const RootEntry& entry, Step step) {
    require(mount, step, entry.dest.c_str());
    const Fd target = open_target(entry, step);
    failure_.at(step, mount::attach(mount.get(), target.get()), entry.dest.c_str());
}

Fd Builder::open_target(const RootEntry& entry, Step step) {
    if (!entry.in_tree) {
        return open_target(entry.dest.c_str(), step);
    }
    Fd target = tree_path::open_or_make(root_.get(), entry.dest.c_str(),
                                        entry.source_is_directory ? tree_path::Want::directory : tree_path::Want::file,
                                        entry.follows_links ? tree_path::Links::followed : tree_path::Links::refused);
    require(target, Step::make_mount_point, entry.dest.c_str());
    return target;
}

Fd Builder::open_target(const char* dest, Step step) {
    Fd target = mount::open_below(root_.get(), dest);
    require(target, step, dest);
    return target;
}

void Builder::make_directory(const RootEntry& entry) {
    const Place place = open_parent(entry, Step::make_mount_point);
    failure_.at(Step::make_mount_point, ::mkdirat(place.directory.get(), place.name, entry.mode), entry.dest.c_str());
}

void Builder::make_file(const RootEntry& entry) {
    const Place place = open_parent(entry, Step::make_mount_point);
    constexpr int kFlags = O_CREAT | O_EXCL | O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
    const Fd file(::openat(place.directory.get(), place.name, kFlags, entry.mode & 0666));
    require(file, Step::make_mount_point, entry.dest.c_str());
}

void Builder::make_link(const RootEntry& entry) {
    const Place place = open_parent(entry, Step::make_link);
    failure_.at(Step::make_link, ::symlinkat(entry.source.c_str(), place.directory.get(), place.name),
                entry.dest.c_str());
}

void Builder::bind(const RootEntry& entry) {
    const char* const path = entry.source.c_str();
    const Fd source = mount::open_source(path);
    require(source, Step::open_source, path);
    struct stat status {};
    failure_.at(Step::open_source, ::fstat(source.get(), &status), path);
    // It was something else when the plan was made: somebody swaps files while we start.
    const bool is_as_planned = S_ISDIR(status.st_mode) == entry.source_is_directory && !S_ISLNK(status.st_mode);
    failure_.expect(Step::open_source, is_as_planned, ESTALE, path);
    const Fd tree = mount::clone_tree(source.get());
    require(tree, Step::open_source, path);
    const std::uint64_t attributes =
        MOUNT_ATTR_NOSUID | (entry.devices ? 0U : MOUNT_ATTR_NODEV) | (entry.writable ? 0U : MOUNT_ATTR_RDONLY);
    set_attributes(tree, attributes, Depth::tree, Step::set_mount_attributes, path);
    attach_at(tree, entry, Step::attach_mount);
}

void Builder::attach_overlay(const RootEntry& entry) {
    const char* const dest = entry.dest.c_str();
    const Fd target = open_target(entry, Step::attach_mount);
    lay_over(entry.overlay, target.get(), dest);
    // What lies on top now; in a tree of its own a link may lead there.
    const Fd top = entry.in_tree ? tree_path::open_existing(root_.get(), dest, tree_path::Links::followed)
                                 : mount::open_below(root_.get(), dest);
    require(top, Step::attach_mount, dest);
    set_attributes(top, kSafe, Depth::single, Step::set_mount_attributes, dest);
}

void Builder::attach_private_directory(const RootEntry& entry, Step step) {
    const char* const dest = entry.dest.c_str();
    const StageName number = stage_name(materials_.root, entry);
    const char* const name = number.data();
    failure_.at(step, ::mkdirat(stage_.get(), name, 0700), dest);
    failure_.at(step, ::fchmodat(stage_.get(), name, entry.mode, 0), dest);
    // What stands in for a directory of the tree's own is root's, as that is.
    const bool is_roots = entry.in_tree && entry.origin.kind == Origin::Kind::built_in;
    const uid_t uid = is_roots ? 0 : identity_.uid;
    const gid_t gid = is_roots ? 0 : identity_.gid;
    if (uid != ::geteuid() || gid != ::getegid()) {
        failure_.at(step, ::fchownat(stage_.get(), name, uid, gid, AT_SYMLINK_NOFOLLOW), dest);
    }
    const Fd tree = mount::clone_single(stage_.get(), name);
    require(tree, step, dest);
    attach_at(tree, entry, step);
    if (entry.dest == materials_.root.hidden_names.home) {
        open_for_hidden_names(name);
    }
}

/// `home` is the stage's name for it.
void Builder::open_for_hidden_names(const char* home) {
    const char* const dest = materials_.root.hidden_names.home.c_str();
    failure_.at(Step::plant_link, ::mkdirat(stage_.get(), hidden_names::kSecondNames, 0755), dest);
    hidden_names_.home = mount::open_below(stage_.get(), home);
    require(hidden_names_.home, Step::plant_link, dest);
    hidden_names_.second = mount::open_below(stage_.get(), hidden_names::kSecondNames);
    require(hidden_names_.second, Step::plant_link, dest);
}

/// Covers `dest` with the stage's empty file or directory. A file of ours, not /dev/null: nothing that could have been
/// swapped for a link (CVE-2025-31133).
void Builder::attach_empty(const char* name, const Fd& target, const RootEntry& entry, Step step) {
    const char* const dest = entry.dest.c_str();
    const Fd empty = mount::clone_single(stage_.get(), name);
    require(empty, step, dest);
    set_attributes(empty, kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, Depth::single, step, dest);
    failure_.at(step, mount::attach(empty.get(), target.get()), dest);
}

void Builder::attach_text(const RootEntry& entry) {
    const char* const dest = entry.dest.c_str();
    const StageName number = stage_name(materials_.root, entry);
    const char* const name = number.data();
    const Fd file(::openat(stage_.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
    require(file, Step::attach_mount, dest);
    const bool is_written = write_all(file.get(), entry.source);
    // A caller under `ulimit -f 0` can have no file with anything in it: names of ours are left out then, and the
    // host's stay covered. What was asked for is an error.
    const bool can_be_empty = errno == EFBIG && entry.origin.kind == Origin::Kind::built_in;
    failure_.expect(Step::attach_mount, is_written || can_be_empty, errno, dest);
    const Fd mount = mount::clone_single(stage_.get(), name);
    require(mount, Step::attach_mount, dest);
    set_attributes(mount, kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, Depth::single, Step::attach_mount, dest);
    attach_at(mount, entry, Step::attach_mount);
}

void Builder::pin(const RootEntry& entry) {
    const Fd target = open_target(entry.dest.c_str(), Step::pin_path);
    const Fd tree = mount::clone_tree(target.get());
    require(tree, Step::pin_path, entry.dest.c_str());
    failure_.at(Step::pin_path, mount::attach(tree.get(), target.get()), entry.dest.c_str());
}

void Builder::mount_proc(const RootEntry& entry) {
    const Fd proc = mount::make_file_system("proc", {}, kSafe | MOUNT_ATTR_NOEXEC);
    attach_at(proc, entry, Step::mount_proc);
}

void Builder::mount_devpts(const RootEntry& entry) {
    constexpr mount::Parameter kWithTtyGroup[] = {
        {"newinstance", nullptr}, {"ptmxmode", "0666"}, {"mode", "0620"}, {"gid", "5"}};
    const std::span parameters = std::span(kWithTtyGroup).first(has_tty_group_ ? 4 : 3);
    const Fd devpts = mount::make_file_system("devpts", parameters, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    attach_at(devpts, entry, Step::mount_devpts);
}

void Builder::mount_sysfs(const RootEntry& entry) {
    constexpr std::uint64_t kAttributes = kSafe | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
    Fd sysfs = mount::make_file_system("sysfs", {}, kAttributes);
    if (!sysfs && errno == EPERM) {
        // In a container whose own /sys is partly covered, the kernel lets nobody see more: crun(1) does the same.
        const Fd source = mount::open_source("/sys");
        require(source, Step::mount_sysfs, entry.dest.c_str());
        sysfs = mount::clone_tree(source.get());
        require(sysfs, Step::mount_sysfs, entry.dest.c_str());
        set_attributes(sysfs, kAttributes, Depth::tree, Step::mount_sysfs, entry.dest.c_str());
    }
    attach_at(sysfs, entry, Step::mount_sysfs);
}

/// A kernel may be built without it, and a machine with cgroup v1 has none.
void Builder::mount_if_possible(const RootEntry& entry, const char* type, std::uint64_t attributes) {
    const Fd made = mount::make_file_system(type, {}, attributes);
    const Fd target = mount::open_below(root_.get(), entry.dest.c_str());
    if (made && target) {
        failure_.at(Step::attach_mount, mount::attach(made.get(), target.get()), entry.dest.c_str());
    }
}

void Builder::mask(const RootEntry& entry) {
    const char* const dest = entry.dest.c_str();
    struct stat status {};
    const Fd target = entry.in_tree ? tree_path::open_existing(root_.get(), dest, tree_path::Links::followed)
                                    : mount::open_below(root_.get(), dest);
    if (!target && errno == ENOENT && !(entry.in_tree && entry.origin.kind == Origin::Kind::option)) {
        return; // this kernel, or this tree, has no such file
    }
    require(target, Step::mask_path, dest);
    failure_.at(Step::mask_path, ::fstat(target.get(), &status), dest);
    attach_empty(S_ISDIR(status.st_mode) ? kEmptyDirectory : kEmptyFile, target, entry, Step::mask_path);
}

void Builder::make_read_only_in_place(const RootEntry& entry) {
    const char* const dest = entry.dest.c_str();
    const Fd target = mount::open_below(root_.get(), dest);
    if (!target && errno == ENOENT) {
        return;
    }
    require(target, Step::mask_path, dest);
    const Fd tree = mount::clone_tree(target.get());
    require(tree, Step::mask_path, dest);
    set_attributes(tree, kSafe | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, Depth::tree, Step::mask_path, dest);
    failure_.at(Step::mask_path, mount::attach(tree.get(), target.get()), dest);
}

void Builder::seal(const RootPlan& plan) {
    // Covers are sealed last: deeper grants may have had their mount points made in them.
    for (const RootEntry& entry : plan.entries) {
        if (entry.kind == RootEntry::Kind::cover_directory) {
            const Fd cover = open_target(entry.dest.c_str(), Step::cover_path);
            set_attributes(cover, MOUNT_ATTR_RDONLY, Depth::single, Step::cover_path, entry.dest.c_str());
        }
    }
    if (plan.tree ? !plan.tree->writable : !plan.host_root) {
        set_attributes(root_, MOUNT_ATTR_RDONLY, Depth::single, Step::seal_root, "");
    }
}

} // namespace

StageName stage_name(const RootPlan& plan, const RootEntry& entry) {
    StageName name{};
    std::to_chars(name.data(), name.data() + name.size() - 1, &entry - plan.entries.data());
    return name;
}

Assembled assemble(const Materials& materials, Identity& identity, const StepReporter& failure) {
    return Builder(materials, identity, failure).build();
}

void enter(Fd new_root, const StepReporter& failure) {
    failure.at(Step::enter_root, ::fchdir(new_root.get()));
    // The old root ends up on top of the new one, where "." still is, and is taken off: pivot_root(2), NOTES.
    failure.at(Step::enter_root, sys::pivot_root(".", "."));
    failure.at(Step::leave_old_root, ::umount2(".", MNT_DETACH), "/");
    failure.at(Step::leave_old_root, ::chdir("/"));

    struct stat here {};
    struct stat wanted {};
    failure.at(Step::leave_old_root, ::stat("/", &here));
    failure.at(Step::leave_old_root, ::fstat(new_root.get(), &wanted));
    const bool is_there = here.st_dev == wanted.st_dev && here.st_ino == wanted.st_ino;
    failure.expect(Step::leave_old_root, is_there, EXDEV, "/");
}

} // namespace sandbox::root
