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

constexpr capng_type_t kSets =
    static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE | CAPNG_AMBIENT);

/// The library reads /proc/PID/status three times for this set, which takes longer than all the calls here.
int drop_bounding_set(const CapabilitiesPlan& plan) {
    for (unsigned capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
        if (!keeps(plan, capability) && ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) {
            return -1;
        }
    }
    return 0;
}

} // namespace

int raise_effective() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
    if (::syscall(SYS_capget, &header, sets) < 0) {
        return -1;
    }
    for (__user_cap_data_struct& word : sets) {
        word.effective = word.permitted;
    }
    return static_cast<int>(::syscall(SYS_capset, &header, sets));
}

int drop(const CapabilitiesPlan& plan) {
    // First, because it takes CAP_SETPCAP.
    if (drop_bounding_set(plan) < 0) {
        return -1;
    }
    constexpr auto kSelected = static_cast<capng_select_t>(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
    capng_clear(kSelected);
    for (const int capability : plan.keep) {
        if (capng_update(CAPNG_ADD, kSets, static_cast<unsigned>(capability)) != 0) {
            errno = EINVAL;
            return -1;
        }
    }
    // The library answers with a number of its own; the kernel refuses only what was not held.
    if (capng_apply(kSelected) != 0) {
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
    for (unsigned capability = 0;; ++capability) {
        const int bounding = ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
        if (bounding < 0) {
            break; // one more than the kernel knows
        }
        const __user_cap_data_struct& word = sets[CAP_TO_INDEX(capability)];
        const std::uint32_t bit = CAP_TO_MASK(capability);
        const bool ambient = ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
        const bool expected = keeps(plan, capability);
        for (const bool present : {(word.effective & bit) != 0, (word.permitted & bit) != 0,
                                   (word.inheritable & bit) != 0, bounding == 1, ambient}) {
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
