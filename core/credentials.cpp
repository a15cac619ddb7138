#include "core/credentials.hpp"

#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/sys.hpp"
#include "core/capabilities.hpp"

namespace sandbox::credentials {

void leave_session_keyring(const StepReporter& failure) {
    const int serial = sys::join_session_keyring();
    failure.at(Step::join_keyring, serial < 0 && errno == ENOSYS ? 0 : serial);
}

void take_ids(bool drops_groups, const Identity& identity, const StepReporter& failure) {
    if (drops_groups) {
        failure.at(Step::drop_groups, sys::result_of(::syscall(SYS_setgroups, identity.group_count, identity.groups)));
        failure.expect(Step::drop_groups, ::getgroups(0, nullptr) == static_cast<int>(identity.group_count), EPERM);
    }
    // The group first: after the uid has changed, the right to change the gid may be gone. By system call, because
    // libc's wrappers would look for other threads.
    failure.at(Step::set_ids, sys::result_of(::syscall(SYS_setresgid, identity.gid, identity.gid, identity.gid)));
    // Who leaves uid 0 loses the capabilities with it, and what comes next still needs them: capabilities(7).
    const bool leaves_root = ::geteuid() == 0 && identity.uid != 0;
    if (leaves_root) {
        failure.at(Step::set_ids, ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    }
    failure.at(Step::set_ids, sys::result_of(::syscall(SYS_setresuid, identity.uid, identity.uid, identity.uid)));
    if (leaves_root) {
        failure.at(Step::set_ids, capabilities::raise_effective());
    }

    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    ::getresuid(&real, &effective, &saved);
    const bool uids_hold = real == identity.uid && effective == identity.uid && saved == identity.uid;
    ::getresgid(&real, &effective, &saved);
    const bool gids_hold = real == identity.gid && effective == identity.gid && saved == identity.gid;
    failure.expect(Step::set_ids, uids_hold && gids_hold, EPERM);
}

void give_up_privileges(const CapabilitiesPlan& plan, const StepReporter& failure) {
    failure.at(Step::set_securebits, capabilities::lock_securebits(plan));
    failure.at(Step::drop_capabilities, capabilities::drop(plan));
    failure.at(Step::set_no_new_privs, ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    const char* const missing = capabilities::find_missing(plan);
    failure.expect(Step::verify_restrictions, missing == nullptr, EPERM, missing);
    failure.done(Step::verify_restrictions);
}

} // namespace sandbox::credentials
