#include "core/base/step.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "core/base/exit_status.hpp"
#include "core/base/message.hpp"
#include "core/base/step_clock.hpp"

namespace sandbox {

StepWords words(Step step) {
    switch (step) {
    case Step::create_user_namespace:
        return {"create the user namespace"};
    case Step::watch_supervisor:
        return {"watch the supervisor"};
    case Step::create_namespaces:
        return {"create the namespaces"};
    case Step::set_hostname:
        return {"set the hostname", true};
    case Step::raise_loopback:
        return {"bring the loopback interface up"};
    case Step::prepare_network:
        return {"prepare the network namespace", false};
    case Step::write_uid_map:
        return {"write the uid map of the sandbox"};
    case Step::write_gid_map:
        return {"write the gid map of the sandbox"};
    case Step::create_cgroup_namespace:
        return {"create the cgroup namespace"};
    case Step::make_mounts_private:
        return {"make the mounts private"};
    case Step::create_root:
        return {"create the new root"};
    case Step::lay_over:
        return {"lay the private layer over", true};
    case Step::look_up_user:
        return {"find in the root's /etc/passwd and /etc/group the user", true};
    case Step::open_source:
        return {"open", true};
    case Step::set_mount_attributes:
        return {"set the mount attributes of", true};
    case Step::make_mount_point:
        return {"make the mount point", true};
    case Step::make_link:
        return {"make the link", true};
    case Step::attach_mount:
        return {"attach the mount", true};
    case Step::cover_path:
        return {"cover", true};
    case Step::pin_path:
        return {"pin", true};
    case Step::mount_proc:
        return {"mount the sandbox's own", true};
    case Step::mount_devpts:
        return {"mount the sandbox's own", true};
    case Step::mount_sysfs:
        return {"mount the sandbox's own", true};
    case Step::mask_path:
        return {"mask", true};
    case Step::seal_root:
        return {"seal the new root"};
    case Step::offer_namespaces:
        return {"hand the namespaces of the sandbox to its supervisor"};
    case Step::enter_root:
        return {"enter the new root"};
    case Step::leave_old_root:
        return {"leave the old root"};
    case Step::plant_link:
        return {"plant the link", true};
    case Step::clear_dumpable:
        return {"close pid 1 to other processes (PR_SET_DUMPABLE)"};
    case Step::become_subreaper:
        return {"become the reaper of CMD's processes"};
    case Step::start_session:
        return {"start a new session"};
    case Step::join_keyring:
        return {"join a new session keyring"};
    case Step::drop_groups:
        return {"drop the supplementary groups"};
    case Step::set_ids:
        return {"take the uid and gid"};
    case Step::open_terminal:
        return {"open a terminal of the sandbox's own"};
    case Step::take_terminal:
        return {"take the sandbox's own terminal"};
    case Step::enter_workdir:
        return {"enter the working directory", true};
    case Step::set_securebits:
        return {"lock the securebits"};
    case Step::drop_capabilities:
        return {"drop the capabilities"};
    case Step::set_no_new_privs:
        return {"set no_new_privs"};
    case Step::verify_restrictions:
        return {"prove the restrictions"};
    case Step::close_descriptors:
        return {"close inherited descriptors"};
    case Step::attach_network:
        return {"wait for the network"};
    case Step::start_command:
        return {"start the process of CMD"};
    case Step::set_limit:
        return {"set the resource limit", true};
    case Step::load_filter:
        return {"load the seccomp filter"};
    case Step::execute:
        return {"execute", true};
    case Step::lock_init:
        return {"lock pid 1 into its filter"};
    case Step::wait_for_command:
        return {"wait for CMD"};
    case Step::join_namespace:
        return {"join the sandbox's namespace", true};
    case Step::enter_pid_namespace:
        return {"start a process in the sandbox's pid namespace"};
    case Step::count_:
        break;
    }
    return {};
}

void StepReporter::done(Step step) const {
    if (clock_ != nullptr) {
        clock_->stamp(step);
    }
}

void StepReporter::leave(Step step, const char* object) const {
    ChildMessage message{};
    message.kind = ChildMessage::Kind::failed;
    message.failure.error_number = errno;
    message.failure.step = step;
    std::strncpy(message.failure.object, object, sizeof message.failure.object - 1);
    // Nobody is left to tell where this fails: the supervisor then sees the end of the socket.
    [[maybe_unused]] const ssize_t sent = ::send(socket_, &message, sizeof message, MSG_NOSIGNAL);
    ::_exit(kOwnFailure);
}

} // namespace sandbox
