#include "core/transient_scope.hpp"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <systemd/sd-bus.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

namespace {

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
using Clock = std::chrono::steady_clock;
// How long a manager that hangs is waited for: what D-Bus itself waits for an answer.
constexpr std::chrono::seconds kPatience{25};
// How long a bus may take for its greeting before there is something better to do than to wait.
constexpr std::chrono::milliseconds kGreeting{200};

/// libsystemd, opened for a run that needs it alone: to load it costs more than the rest of a start.
struct Library {
    void* const handle = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL); // it stays until the process ends

    template <class Function> Function* find(const char* name) const {
        void* const symbol = ::dlsym(handle, name);
        if (symbol == nullptr) {
            throw Error(fmt::format("libsystemd.so.0 has no function {}", name)).fix("install a newer libsystemd");
        }
        return reinterpret_cast<Function*>(symbol);
    }
    Library() {
        if (handle == nullptr) {
            throw Error("cannot ask systemd for a cgroup")
                .cause("libsystemd.so.0 is not installed")
                .fix("install the package libsystemd0 (Debian, Ubuntu) or systemd-libs (Fedora, Arch)");
        }
    }
};

/// The functions of sd-bus(3) that are called here.
struct Bus : Library {
#define SANDBOX_FUNCTION(name) decltype(::sd_bus_##name)* name = find<decltype(::sd_bus_##name)>("sd_bus_" #name)
    // "new" is no name in C++.
    decltype(::sd_bus_new)* make = find<decltype(::sd_bus_new)>("sd_bus_new");
    SANDBOX_FUNCTION(set_address);
    SANDBOX_FUNCTION(set_bus_client);
    SANDBOX_FUNCTION(start);
    SANDBOX_FUNCTION(match_signal_async);
    SANDBOX_FUNCTION(message_new_method_call);
    SANDBOX_FUNCTION(message_append);
    SANDBOX_FUNCTION(message_open_container);
    SANDBOX_FUNCTION(message_append_array);
    SANDBOX_FUNCTION(message_close_container);
    SANDBOX_FUNCTION(message_read);
    SANDBOX_FUNCTION(message_get_error);
    SANDBOX_FUNCTION(message_unref);
    SANDBOX_FUNCTION(call_async);
    SANDBOX_FUNCTION(get_n_queued_write);
    SANDBOX_FUNCTION(get_fd);
    SANDBOX_FUNCTION(get_events);
    SANDBOX_FUNCTION(process);
    SANDBOX_FUNCTION(close_unref);
#undef SANDBOX_FUNCTION
};

/// Readable once the caller of sandbox wants it to end.
Fd open_end_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        ::sigaddset(&set, signal);
    }
    Fd descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!descriptor) {
        throw Error("cannot watch for signals").kernel(errno);
    }
    return descriptor;
}

} // namespace

struct TransientScope::Connection {
    enum class Waited : std::uint8_t { done, late, told_to_end };

    Bus library;
    const Clock::time_point deadline = Clock::now() + kPatience;
    sd_bus* bus = nullptr;
    std::string address;
    std::string unit;
    std::optional<std::string> result;  ///< of the job that starts the unit: "done"
    std::optional<std::string> refusal; ///< what the manager, or the bus, said instead
    bool is_answered = false;           ///< the call has an answer, be it a refusal

    Connection(std::string bus_address, std::string unit_name)
        : address(std::move(bus_address)), unit(std::move(unit_name)) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (bus != nullptr) {
            library.close_unref(bus); // without a flush, which waits for a bus that hangs
        }
    }

    void connect();
    void request(const std::string& description, const std::vector<pid_t>& processes);
    bool wait();
    void attach(const std::string& below, pid_t process);

private:
    /// Sends a call; `on_answer` hears of what becomes of it.
    void call(sd_bus_message* message);
    /// Lets the bus work until `is_done`.
    Waited work(const std::function<bool()>& is_done, Clock::time_point until);
    /// \param code a negative errno, as sd-bus answers.
    int expect(int code) const {
        if (code < 0) {
            throw Error("cannot talk to your systemd over " + quoted(address))
                .kernel(-code)
                .fix("look at it: systemctl --user status");
        }
        return code;
    }
    void append(sd_bus_message* message, const std::string& description, const std::vector<pid_t>& processes) const;
    // libsystemd calls these: nothing may be thrown.
    static int on_job_removed(sd_bus_message* message, void* data, sd_bus_error* error) noexcept;
    static int on_answer(sd_bus_message* message, void* data, sd_bus_error* error) noexcept;
};

void TransientScope::Connection::connect() {
    expect(library.make(&bus));
    expect(library.set_address(bus, address.c_str()));
    expect(library.set_bus_client(bus, 1));
    expect(library.start(bus));
    // The bus takes messages in their order, so this match stands before the job can end.
    expect(library.match_signal_async(bus, nullptr, kManager, kManagerPath, kManagerInterface, "JobRemoved",
                                      on_job_removed, nullptr, this));
}

void TransientScope::Connection::append(sd_bus_message* message, const std::string& description,
                                        const std::vector<pid_t>& processes) const {
    expect(library.message_append(message, "ss", unit.c_str(), "fail"));
    expect(library.message_open_container(message, 'a', "(sv)"));
    expect(library.message_append(message, "(sv)", "Description", "s", description.c_str()));
    expect(library.message_append(message, "(sv)", "Delegate", "b", 1));
    // A scope whose processes the kernel killed has failed; nobody is to reset it by hand.
    expect(library.message_append(message, "(sv)", "CollectMode", "s", "inactive-or-failed"));
    // --pids is the limit, also where it is above what the manager gives by default.
    expect(library.message_append(message, "(sv)", "TasksMax", "t", UINT64_MAX));
    const std::vector<std::uint32_t> pids(processes.begin(), processes.end());
    expect(library.message_open_container(message, 'r', "sv"));
    expect(library.message_append(message, "s", "PIDs"));
    expect(library.message_open_container(message, 'v', "au"));
    expect(library.message_append_array(message, 'u', pids.data(), pids.size() * sizeof(std::uint32_t)));
    expect(library.message_close_container(message));
    expect(library.message_close_container(message));
    expect(library.message_close_container(message));
    expect(library.message_append(message, "a(sa(sv))", 0)); // no units beside it
}

void TransientScope::Connection::request(const std::string& description, const std::vector<pid_t>& processes) {
    sd_bus_message* created = nullptr;
    expect(library.message_new_method_call(bus, &created, kManager, kManagerPath, kManagerInterface,
                                           "StartTransientUnit"));
    const std::unique_ptr<sd_bus_message, decltype(::sd_bus_message_unref)*> message(created, library.message_unref);
    append(message.get(), description, processes);
    call(message.get());
    // So that systemd works while we do.
    const auto is_sent = [&] {
        std::uint64_t queued = 0;
        return expect(library.get_n_queued_write(bus, &queued)) >= 0 && queued == 0;
    };
    work(is_sent, Clock::now() + kGreeting);
}

void TransientScope::Connection::call(sd_bus_message* message) {
    const std::uint64_t microseconds = std::chrono::microseconds(kPatience).count();
    expect(library.call_async(bus, nullptr, message, on_answer, this, microseconds));
}

void TransientScope::Connection::attach(const std::string& below, pid_t process) {
    sd_bus_message* created = nullptr;
    expect(library.message_new_method_call(bus, &created, kManager, kManagerPath, kManagerInterface,
                                           "AttachProcessesToUnit"));
    const std::unique_ptr<sd_bus_message, decltype(::sd_bus_message_unref)*> message(created, library.message_unref);
    const auto pid = static_cast<std::uint32_t>(process);
    expect(library.message_append(message.get(), "ss", unit.c_str(), below.c_str()));
    expect(library.message_append_array(message.get(), 'u', &pid, sizeof pid));
    call(message.get());
    const Waited waited = work([&] { return is_answered; }, deadline);
    if (waited == Waited::done && !refusal) {
        return;
    }
    Error error(fmt::format("cannot enter the cgroup of the unit {} of your systemd", quoted(unit)));
    if (refusal) {
        error.cause("it said " + quoted(*refusal));
    } else if (waited == Waited::late) {
        error.cause(fmt::format("it did not answer for {} seconds over {}", kPatience.count(), quoted(address)));
    } else {
        error.cause("a signal came before its answer");
    }
    throw std::move(error).fix("look at it: systemctl --user status");
}

TransientScope::Connection::Waited TransientScope::Connection::work(const std::function<bool()>& is_done,
                                                                    Clock::time_point until) {
    const Fd end_signals = open_end_signals();
    while (true) {
        // What was read already is told before anything is waited for.
        while (expect(library.process(bus, nullptr)) > 0) {
        }
        if (is_done()) {
            return Waited::done;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        if (left <= 0) {
            return Waited::late;
        }
        const auto events = static_cast<short>(expect(library.get_events(bus)));
        pollfd watched[] = {{expect(library.get_fd(bus)), events, 0}, {end_signals.get(), POLLIN, 0}};
        ::poll(watched, std::size(watched), static_cast<int>(left));
        if (watched[1].revents != 0) {
            return Waited::told_to_end;
        }
    }
}

int TransientScope::Connection::on_job_removed(sd_bus_message* message, void* data, sd_bus_error* /*unused*/) noexcept {
    auto& connection = *static_cast<Connection*>(data);
    std::uint32_t id = 0;
    const char* job = "";
    const char* ended_unit = "";
    const char* job_result = "";
    if (connection.library.message_read(message, "uoss", &id, &job, &ended_unit, &job_result) >= 0 &&
        connection.unit == ended_unit) {
        connection.result = job_result;
    }
    return 0;
}

int TransientScope::Connection::on_answer(sd_bus_message* message, void* data, sd_bus_error* /*unused*/) noexcept {
    auto& connection = *static_cast<Connection*>(data);
    connection.is_answered = true;
    if (const sd_bus_error* error = connection.library.message_get_error(message)) {
        connection.refusal = error->message != nullptr ? error->message : error->name;
    }
    return 0;
}

bool TransientScope::Connection::wait() {
    const Waited waited = work([&] { return result || refusal; }, deadline);
    if (waited == Waited::told_to_end) {
        return false;
    }
    const std::string summary = fmt::format("cannot get a cgroup from your systemd: unit {}", quoted(unit));
    if (waited == Waited::late) {
        throw Error(summary)
            .cause(fmt::format("it did not answer for {} seconds over {}", kPatience.count(), quoted(address)))
            .fix("look at it: systemctl --user status");
    }
    if (refusal) {
        throw Error(summary).cause("it said " + quoted(*refusal)).fix("look at it: systemctl --user status");
    }
    if (*result != "done") {
        throw Error(summary)
            .cause(fmt::format("its job ended with {}", quoted(*result)))
            .fix(fmt::format("journalctl --user -u {} tells why", unit));
    }
    return true;
}

TransientScope::TransientScope(const std::string& bus, std::string unit, const std::string& description,
                               const std::vector<pid_t>& processes)
    : connection_(std::make_unique<Connection>(bus, std::move(unit))) {
    connection_->connect();
    connection_->request(description, processes);
}

TransientScope::~TransientScope() = default;

bool TransientScope::wait() {
    return connection_->wait();
}

void attach_to_scope(const std::string& bus, const std::string& unit, const std::string& below, pid_t process) {
    TransientScope::Connection connection(bus, unit);
    connection.connect();
    connection.attach(below, process);
}

} // namespace sandbox
