#include "core/capabilities.hpp"

#include <cap-ng.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sandbox::capabilities {

namespace {

constexpr unsigned long kLockedWithoutCapabilities = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                                     SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                                                     SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

unsigned long wanted_securebits(const CapabilitiesPlan& plan) {
    return plan.keep.empty() ? kLockedWithoutCapabilities : SECBIT_KEEP_CAPS_LOCKED;
}

bool keeps(const CapabilitiesPlan& plan, unsigned capability) {
    return std::find(plan.keep.begin(), plan.keep.end(), static_cast<int>(capability)) != plan.keep.end();
}

constexpr capng_type_t kEverySet = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE |
                                                             CAPNG_BOUNDING_SET | CAPNG_AMBIENT);

} // namespace

int drop(const CapabilitiesPlan& plan) {
    // libcap-ng reads /proc/PID/status with stdio. This process is a copy of a single-threaded one, so no lock of
    // malloc's can be held, and its /proc is the sandbox's own.
    constexpr auto kAll = static_cast<capng_select_t>(CAPNG_SELECT_ALL);
    capng_clear(kAll);
    for (const int capability : plan.keep) {
        if (capng_update(CAPNG_ADD, kEverySet, static_cast<unsigned>(capability)) != 0) {
            errno = EINVAL;
            return -1;
        }
    }
    // The library answers with a number of its own; the kernel's only reason here is a missing CAP_SETPCAP.
    if (capng_apply(kAll) != 0) {
        errno = EPERM;
        return -1;
    }
    return 0;
}

int lock_securebits(const CapabilitiesPlan& plan) {
    return ::prctl(PR_SET_SECUREBITS, wanted_securebits(plan), 0, 0, 0);
}

const char* find_missing(const CapabilitiesPlan& plan) {
    // The kernel is asked directly: a proof by the library that did the work would prove less.
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, sets) < 0) {
        return "capabilities";
    }
    for (unsigned capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        const __user_cap_data_struct& word = sets[CAP_TO_INDEX(capability)];
        const std::uint32_t bit = CAP_TO_MASK(capability);
        const bool bounding = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1;
        const bool ambient = ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
        const bool expected = keeps(plan, capability);
        for (const bool present : {(word.effective & bit) != 0, (word.permitted & bit) != 0,
                                   (word.inheritable & bit) != 0, bounding, ambient}) {
            if (present != expected) {
                return "capabilities";
            }
        }
    }
    if (::prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != static_cast<int>(wanted_securebits(plan))) {
        return "securebits";
    }
    return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? nullptr : "no_new_privs";
}

} // namespace sandbox::capabilities
