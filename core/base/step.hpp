// The steps of a start, and how a child tells the supervisor which of them failed.
#pragma once

#include <cstdint>
#include <string_view>

namespace sandbox {

/// Every step that can fail after clone, in the kernel's order. The words stand in step.cpp.
enum class Step : std::uint8_t {
    create_user_namespace,
    write_uid_map,
    write_gid_map,
    create_namespaces,
    create_cgroup_namespace,
    make_mounts_private,
    create_root,
    open_source,
    make_source_read_only,
    make_mount_point,
    make_link,
    attach_mount,
    cover_path,
    pin_path,
    mount_proc,
    mask_path,
    mount_devpts,
    seal_root,
    enter_root,
    leave_old_root,
    set_hostname,
    raise_loopback,
    open_terminal,
    start_session,
    join_keyring,
    close_descriptors,
    drop_groups,
    set_ids,
    drop_capabilities,
    set_securebits,
    set_no_new_privs,
    verify_restrictions,
    enter_workdir,
    watch_supervisor,
    start_command,
    lock_init,
    load_filter,
    execute,
    count_ ///< not a step: their number
};

/// The words for a message: "cannot " + words + " 'object'" ("mount", "write the uid map of the sandbox").
[[nodiscard]] std::string_view words(Step step);

/// A failure as it travels from the child to the supervisor; plain data of fixed size, no allocation on either side.
struct StepFailure {
    Step step = Step::count_;
    int error_number = 0;
    char object[3000] = {}; ///< what the step worked on, cut where it is longer; always ends with a zero
};

struct StepClock;

/// The child's side of a failing step: `at` returns the call's result, or leaves through the pipe and never returns.
class FailurePipe {
public:
    /// `descriptor` is written to with one send(2); it stays the caller's. `clock`, where given, is stamped at each step.
    explicit FailurePipe(int descriptor, StepClock* clock = nullptr) : descriptor_(descriptor), clock_(clock) {}

    /// `result` is a system call's: negative means failed, errno holds why.
    int at(Step step, int result, const char* object = "") const {
        if (result < 0) {
            leave(step, object);
        }
        done(step);
        return result;
    }

    /// Notes the time of a step that cannot fail or was checked otherwise.
    void done(Step step) const;

    /// Sends (step, object, errno) and ends the process with _exit(125).
    [[noreturn]] void leave(Step step, const char* object = "") const;

private:
    int descriptor_;
    StepClock* clock_;
};

} // namespace sandbox
