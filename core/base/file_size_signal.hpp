// SIGXFSZ while files of ours are written: setrlimit(2), RLIMIT_FSIZE.
#pragma once

#include <signal.h>

#include <ctime>

namespace sandbox {

/// A file that grows over the caller's limit is EFBIG then, and no end of the program: what is written is not what the
/// limit is for.
class IgnoredFileSizeSignal {
public:
    IgnoredFileSizeSignal() {
        struct sigaction ignored {};
        ignored.sa_handler = SIG_IGN;
        ::sigaction(SIGXFSZ, &ignored, &before_);
    }
    IgnoredFileSizeSignal(const IgnoredFileSizeSignal&) = delete;
    IgnoredFileSizeSignal& operator=(const IgnoredFileSizeSignal&) = delete;
    ~IgnoredFileSizeSignal() {
        // One that came while it was blocked waits, ignored or not: it is taken, or it would end the program later.
        sigset_t only;
        ::sigemptyset(&only);
        ::sigaddset(&only, SIGXFSZ);
        constexpr timespec kAtOnce{};
        while (::sigtimedwait(&only, nullptr, &kAtOnce) == SIGXFSZ) {
        }
        ::sigaction(SIGXFSZ, &before_, nullptr);
    }

private:
    struct sigaction before_ {};
};

} // namespace sandbox
