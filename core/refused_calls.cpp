#include "core/refused_calls.hpp"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "core/plan/seccomp_grant.hpp"
#include "core/plan/syscalls.hpp"
#include "core/seccomp_architecture.hpp"

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
    int argument = -1;
    std::uint32_t value = 0;
    Comm program{};

    bool operator==(const Kind&) const = default;
};

struct Counted {
    Kind kind;
    int error_number = 0;
    seccomp_data first{}; ///< of the first one
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

/// The first argument that an entry tests, by number of the call.
struct TestedArgument {
    std::uint32_t architecture = 0;
    std::uint32_t number = 0;
    int argument = -1;
};

/// \return the number of a call on the architecture as seccomp_data has it; nothing where it has no such call.
std::optional<std::uint32_t> number_on(const seccomp::Architecture& architecture, const SyscallName& call) {
    const int known = ::seccomp_syscall_resolve_name_arch(architecture.token, call.name.c_str());
    if (known >= 0) {
        return static_cast<std::uint32_t>(known);
    }
    const bool native = architecture.token == ::seccomp_arch_native();
    return native && call.number >= 0 ? std::optional(static_cast<std::uint32_t>(call.number)) : std::nullopt;
}

const seccomp::Architecture* architecture_of(const SeccompPlan& plan, std::uint32_t audit, std::uint32_t number) {
    const seccomp::Architecture* found = nullptr;
    for (const std::string& name : plan.architectures) {
        const seccomp::Architecture* one = seccomp::find_architecture(name);
        const bool is_x32 = one != nullptr && one->space == seccomp::NumberSpace::x32;
        if (one != nullptr && one->audit == audit && is_x32 == ((number & seccomp::kX32Bit) != 0)) {
            found = one;
        }
    }
    return found;
}

std::vector<TestedArgument> tested_arguments(const SeccompPlan& plan) {
    std::vector<TestedArgument> found;
    for (const std::string& name : plan.architectures) {
        const seccomp::Architecture* architecture = seccomp::find_architecture(name);
        for (const SeccompEntry& entry : plan.entries) {
            const auto number = entry.tests.empty() ? std::nullopt : number_on(*architecture, entry.syscall);
            if (number) {
                found.push_back({architecture->audit, *number, static_cast<int>(entry.tests.front().argument)});
            }
        }
    }
    return found;
}

std::uint32_t low_half(const seccomp_data& data, unsigned argument) {
    return static_cast<std::uint32_t>(data.args[argument]);
}

bool holds(const SeccompEntry& entry, const seccomp_data& data) {
    return std::ranges::all_of(entry.tests, [&](const SeccompTest& test) {
        return (low_half(data, test.argument) & static_cast<std::uint32_t>(test.mask)) ==
               static_cast<std::uint32_t>(test.value);
    });
}

std::string name_of(const seccomp::Architecture* architecture, std::uint32_t number) {
    if (architecture == nullptr) { // which the filter kills, so it is on trial only
        return "number " + std::to_string(number) + std::string(kOfAnotherArchitecture);
    }
    const std::uint32_t token = architecture->token;
    if (char* known = ::seccomp_syscall_resolve_num_arch(token, static_cast<int>(number))) {
        const std::string name = known;
        std::free(known);
        return name;
    }
    const auto all = syscalls::all();
    const auto found = std::ranges::find_if(
        all, [&](const syscalls::Syscall& call) { return call.native() == static_cast<int>(number); });
    return token == ::seccomp_arch_native() && found != all.end() ? std::string(found->name)
                                                                  : "number " + std::to_string(number);
}

/// The entry that refuses such a call; null for the default.
const SeccompEntry* refused_by(const SeccompPlan& plan, const std::string& name, const seccomp_data& data) {
    const auto found = std::ranges::find_if(
        plan.entries, [&](const SeccompEntry& entry) { return entry.syscall.name == name && holds(entry, data); });
    return found == plan.entries.end() ? nullptr : &*found;
}

} // namespace

/// Everything that is touched while CMD runs.
struct RefusedCalls::Thread {
    const seccomp::Filter& filter;
    ObservedPaths& paths;
    int listener;
    Fd end{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    std::vector<TestedArgument> tested;
    std::vector<Counted> counted;
    std::uint64_t uncounted = 0;
    Sizes sizes;
    std::vector<std::uint64_t> request = std::vector<std::uint64_t>(sizes.request / sizeof(std::uint64_t) + 1);
    std::vector<std::uint64_t> answer = std::vector<std::uint64_t>(sizes.answer / sizeof(std::uint64_t) + 1);
    std::thread thread;

    Thread(const SeccompPlan& plan, const seccomp::Filter& loaded, ObservedPaths& observed, int descriptor)
        : filter(loaded), paths(observed), listener(descriptor), tested(tested_arguments(plan)) {
        counted.reserve(kMostKinds);
    }

    void start() {
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
        char path[32];
        std::snprintf(path, sizeof path, "/proc/%u/comm", pid);
        Comm comm{};
        const Fd file(::open(path, O_RDONLY | O_CLOEXEC));
        const ssize_t size = file ? ::read(file.get(), comm.data(), comm.size()) : -1;
        if (size <= 0 || ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0) {
            return {};
        }
        comm[static_cast<std::size_t>(size) - 1] = '\0'; // in the place of the newline
        return comm;
    }

    void count(const seccomp_data& data, const Comm& program, int error_number) {
        Kind kind{.architecture = data.arch,
                  .number = static_cast<std::uint32_t>(data.nr),
                  .argument = -1,
                  .value = 0,
                  .program = program};
        const auto argument = std::ranges::find_if(tested, [&](const TestedArgument& one) {
            return one.architecture == kind.architecture && one.number == kind.number;
        });
        if (argument != tested.end()) {
            kind.argument = argument->argument;
            kind.value = low_half(data, static_cast<unsigned>(kind.argument));
        }
        const auto known = std::ranges::find(counted, kind, &Counted::kind);
        if (known != counted.end()) {
            ++known->count;
        } else if (counted.size() < kMostKinds) {
            counted.push_back({.kind = kind, .error_number = error_number, .first = data, .count = 1});
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
        call.syscall = name_of(architecture_of(plan_, kind.architecture, kind.number), kind.number);
        call.argument = kind.argument;
        call.value = kind.value;
        call.error_number = counted.error_number;
        call.program = kind.program.data();
        call.count = counted.count;
        call.entry = refused_by(plan_, call.syscall, counted.first);
    }
    std::erase_if(calls, [&](const RefusedCall& call) {
        const bool is_quiet = call.entry != nullptr && call.entry->action.quiet;
        return is_quiet || std::ranges::binary_search(plan_.quiet, call.syscall);
    });
    std::ranges::stable_sort(calls, std::ranges::greater{}, &RefusedCall::count);
    return calls;
}

std::uint64_t RefusedCalls::uncounted() const {
    return thread_ ? thread_->uncounted : 0;
}

} // namespace sandbox
