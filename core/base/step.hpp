// The steps of a start, and how a child tells the supervisor which of them failed.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string_view>

namespace sandbox {

/// Every step that can fail from clone on, in the order of the story (cmd/sandbox/launch.cpp).
enum class Step : std::uint8_t {
    create_user_namespace,
    watch_supervisor,
    create_namespaces,
    set_hostname,
    raise_loopback,
    prepare_network,
    write_uid_map,
    write_gid_map,
    clear_dumpable,
    create_cgroup_namespace,
    make_mounts_private,
    create_root,
    lay_over,
    look_up_user,
    open_source,
    set_mount_attributes,
    make_mount_point,
    make_link,
    attach_mount,
    cover_path,
    pin_path,
    mount_proc,
    mount_devpts,
    mount_sysfs,
    mask_path,
    seal_root,
    offer_namespaces,
    enter_root,
    leave_old_root,
    plant_link,
    become_subreaper,
    start_session,
    join_keyring,
    drop_groups,
    set_ids,
    open_terminal,
    take_terminal,
    enter_workdir,
    set_securebits,
    drop_capabilities,
    set_no_new_privs,
    verify_restrictions,
    close_descriptors,
    attach_network,
    start_command,
    set_limit,
    load_filter,
    execute,
    lock_init,
    wait_for_command,
    join_namespace, ///< this and the next only where a process enters a sandbox that runs
    enter_pid_namespace,
    count_ ///< not a step: their number
};

/// The words of a message, behind "cannot ".
struct StepWords {
    std::string_view text;     ///< "execute", "write the uid map of the sandbox"
    bool takes_object = false; ///< the object is the text's last word: "execute 'ls'"; else it stands behind a colon
};

[[nodiscard]] StepWords words(Step step);

/// A failure as it travels from the child to the supervisor; plain data of fixed size, no allocation on either side.
struct StepFailure {
    Step step = Step::count_;
    int error_number = 0;
    char object[3000] = {}; ///< what the step worked on, cut where it is longer; always ends with a zero
};

struct StepClock;

/// The child's report of its steps, over its end of the control socket: a step that fails ends the process there.
class StepReporter {
public:
    /// `socket` is written to with one send(2); it stays the caller's. `clock`, where given, is stamped at each step.
    explicit StepReporter(int socket, StepClock* clock = nullptr) : socket_(socket), clock_(clock) {}

    /// `result` is a system call's: negative means failed, errno holds why.
    /// \return `result`; does not return where it is negative.
    int at(Step step, int result, const char* object = "") const {
        if (result < 0) {
            leave(step, object);
        }
        done(step);
        return result;
    }

    /// What must hold after a step, read back; `error_number` is told where it does not.
    void expect(Step step, bool holds, int error_number, const char* object = "") const {
        if (!holds) {
            errno = error_number;
            leave(step, object);
        }
    }

    /// Notes the time of a step that cannot fail or was checked otherwise.
    void done(Step step) const;

    /// Sends (step, object, errno) and ends the process: _exit(kOwnFailure).
    [[noreturn]] void leave(Step step, const char* object = "") const;

private:
    int socket_;
    StepClock* clock_;
};

} // namespace sandbox
