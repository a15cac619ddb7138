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

void take_ids(const IdsPlan& plan, const StepReporter& failure) {
    if (plan.drop_groups) {
        failure.at(Step::drop_groups, sys::result_of(::syscall(SYS_setgroups, 0, nullptr)));
        failure.expect(Step::drop_groups, ::getgroups(0, nullptr) == 0, EPERM);
    }
    // The group first: after the uid has changed, the right to change the gid may be gone. By system call, because
    // libc's wrappers would look for other threads.
    failure.at(Step::set_ids, sys::result_of(::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid)));
    failure.at(Step::set_ids, sys::result_of(::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid)));

    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    ::getresuid(&real, &effective, &saved);
    const bool uids_hold = real == plan.uid && effective == plan.uid && saved == plan.uid;
    ::getresgid(&real, &effective, &saved);
    const bool gids_hold = real == plan.gid && effective == plan.gid && saved == plan.gid;
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
