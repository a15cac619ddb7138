#include "core/refused_calls.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "core/call_reasons.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostKinds = 256;
constexpr std::size_t kCommSize = 16; // with its zero: proc_pid_comm(5)

// Since Linux 6.6, which the header may be older than.
constexpr unsigned long kSetFlags = SECCOMP_IOW(4, std::uint64_t); // SECCOMP_IOCTL_NOTIF_SET_FLAGS
constexpr unsigned long kSyncWakeUp = 1;                           // SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP

using Comm = std::array<char, kCommSize>;

/// What makes two refused calls the same to a reader.
struct Kind {
    std::uint32_t architecture = 0;
    std::uint32_t number = 0;
    CallReason reason;
    int error_number = 0;
    Comm program{};

    bool operator==(const Kind&) const = default;
};

struct Counted {
    Kind kind;
    std::uint64_t count = 0;
};

/// The kernel's structs may be longer than those that we were built with: seccomp_unotify(2).
struct Sizes {
    std::size_t request = sizeof(seccomp_notif);
    std::size_t answer = sizeof(seccomp_notif_resp);

    Sizes() {
        seccomp_notif_sizes kernel{};
        if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &kernel) == 0) {
            request = std::max<std::size_t>(request, kernel.seccomp_notif);
            answer = std::max<std::size_t>(answer, kernel.seccomp_notif_resp);
        }
    }
};

} // namespace

/// Everything that is touched while CMD runs.
struct RefusedCalls::Thread {
    const seccomp::Filter& filter;
    ObservedPaths& paths;
    int listener;
    Fd end{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    CallReasons reasons;
    std::vector<Counted> counted;
    std::uint64_t uncounted = 0;
    Sizes sizes;
    std::vector<std::uint64_t> request = std::vector<std::uint64_t>(sizes.request / sizeof(std::uint64_t) + 1);
    std::vector<std::uint64_t> answer = std::vector<std::uint64_t>(sizes.answer / sizeof(std::uint64_t) + 1);
    std::thread thread;

    Thread(const SeccompPlan& plan, const seccomp::Filter& loaded, ObservedPaths& observed, int descriptor)
        : filter(loaded), paths(observed), listener(descriptor), reasons(plan) {
        counted.reserve(kMostKinds);
    }

    void start() {
        if (!end) {
            return; // no descriptor is left, and it could not be stopped: the supervisor answers
        }
        // The thread inherits the mask: signals are the supervisor's.
        sigset_t all;
        sigset_t before;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before);
        try {
            thread = std::thread([this] { run(); });
        } catch (const std::system_error&) {
            // No thread to be had (RLIMIT_NPROC): the supervisor answers between its other duties.
        }
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }

    void stop() {
        if (thread.joinable()) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const ssize_t written = ::write(end.get(), &one, sizeof one);
            thread.join();
        }
    }

    void run() {
        for (;;) {
            pollfd watched[] = {{listener, POLLIN, 0}, {end.get(), POLLIN, 0}};
            if (::poll(watched, std::size(watched), -1) < 0) {
                continue;
            }
            if ((watched[0].revents & POLLIN) != 0) {
                answer_one();
            } else if (watched[1].revents != 0 || watched[0].revents != 0) {
                return;
            }
        }
    }

    /// Only after poll(2) has told of one: before Linux 6.11 receiving from an empty tree waits for ever.
    void answer_one() {
        std::ranges::fill(request, 0);
        auto* asked = reinterpret_cast<seccomp_notif*>(request.data());
        if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, asked) < 0) {
            return; // it was killed meanwhile (ENOENT)
        }
        const std::uint32_t decision =
            filter.plain.empty() ? SECCOMP_RET_ALLOW : seccomp::evaluate(filter.plain, asked->data);
        std::ranges::fill(answer, 0);
        auto* answered = reinterpret_cast<seccomp_notif_resp*>(answer.data());
        answered->id = asked->id;
        // Looked at and counted before the answer: what CMD has seen is in the report.
        if (decision == SECCOMP_RET_ALLOW && filter.asks_about_allowed) {
            note_allowed(*asked);
            answered->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        } else {
            // Nothing else can be, but if it were: refused all the same.
            const bool is_errno = (decision & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
            const int error_number = is_errno ? static_cast<int>(decision & SECCOMP_RET_DATA) : EPERM;
            count(asked->data, program_of(asked->pid, asked->id), error_number);
            answered->error = -error_number;
        }
        ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answered);
    }

    void note_allowed(const seccomp_notif& asked) {
        const auto refusal = filter.trial ? filter.trial->refusal(asked.data) : std::nullopt;
        if (refusal) {
            count(asked.data, program_of(asked.pid, asked.id), *refusal);
        } else {
            observe(asked);
        }
    }

    void observe(const seccomp_notif& asked) {
        std::uint64_t id = asked.id;
        paths.see(
            static_cast<pid_t>(asked.pid), asked.data,
            [&] { return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0; },
            [&] { return std::string(program_of(asked.pid, asked.id).data()); });
    }

    /// \return zeros where the process is gone, and its number perhaps another's.
    [[nodiscard]] Comm program_of(std::uint32_t pid, std::uint64_t id) const {
        const std::string path = "/proc/" + std::to_string(pid) + "/comm";
        Comm comm{};
        const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        const ssize_t size = file ? ::read(file.get(), comm.data(), comm.size()) : -1;
        if (size <= 0 || ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0) {
            return {};
        }
        comm[static_cast<std::size_t>(size) - 1] = '\0'; // in the place of the newline
        return comm;
    }

    void count(const seccomp_data& data, const Comm& program, int error_number) {
        if (reasons.is_quiet(data)) { // it asks all the same where its arguments are tested
            return;
        }
        const Kind kind{.architecture = data.arch,
                        .number = static_cast<std::uint32_t>(data.nr),
                        .reason = reasons.reason(data),
                        .error_number = error_number,
                        .program = program};
        const auto known = std::ranges::find(counted, kind, &Counted::kind);
        if (known != counted.end()) {
            ++known->count;
        } else if (counted.size() < kMostKinds) {
            counted.push_back({.kind = kind, .count = 1});
        } else {
            ++uncounted;
        }
    }
};

RefusedCalls::RefusedCalls(const SeccompPlan& plan, const seccomp::Filter& filter)
    : plan_(plan), filter_(filter), paths_(filter.trial.has_value()) {}

RefusedCalls::~RefusedCalls() {
    if (thread_) {
        thread_->stop();
    }
}

void RefusedCalls::attach(Fd listener) {
    listener_ = std::move(listener);
    // Caller and listener never run at once: each wakes the other on its own CPU, for a sleeping one takes ten times as
    // long to answer. Where the kernel has no such flag it is slower and nothing else.
    ::ioctl(listener_.get(), kSetFlags, kSyncWakeUp);
}

void RefusedCalls::watch(pollfd* watched) const {
    const bool is_answered = thread_ && thread_->thread.joinable();
    watched->fd = is_answered ? -1 : listener_.get();
}

void RefusedCalls::serve(const pollfd* watched) {
    if (watched->fd < 0 || watched->revents == 0) {
        return;
    }
    if ((watched->revents & POLLIN) == 0) {
        listener_.reset(); // nobody is left who could ask
        return;
    }
    if (!thread_) {
        thread_ = std::make_unique<Thread>(plan_, filter_, paths_, listener_.get());
        thread_->start();
    }
    if (!thread_->thread.joinable()) {
        thread_->answer_one();
    }
}

std::vector<RefusedCall> RefusedCalls::finish() {
    std::vector<RefusedCall> calls;
    if (!thread_) {
        return calls;
    }
    thread_->stop();
    for (const Counted& counted : thread_->counted) {
        const Kind& kind = counted.kind;
        RefusedCall& call = calls.emplace_back();
        call.syscall = thread_->reasons.name(kind.architecture, kind.number);
        call.argument = kind.reason.argument;
        call.value = kind.reason.value;
        call.entry = kind.reason.entry;
        call.error_number = kind.error_number;
        call.program = kind.program.data();
        call.count = counted.count;
    }
    std::ranges::stable_sort(calls, std::ranges::greater{}, &RefusedCall::count);
    return calls;
}

std::uint64_t RefusedCalls::uncounted() const {
    return thread_ ? thread_->uncounted : 0;
}

} // namespace sandbox
