#include "core/transient_scope.hpp"

#include <dlfcn.h>
#include <systemd/sd-bus.h>

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"

namespace sandbox {

namespace {

constexpr const char* kManager = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManagerInterface = "org.freedesktop.systemd1.Manager";
// How long a manager that hangs is waited for: what D-Bus itself waits for an answer.
constexpr std::uint64_t kPatience = 25'000'000; // microseconds

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
    SANDBOX_FUNCTION(flush);
    SANDBOX_FUNCTION(process);
    SANDBOX_FUNCTION(wait);
    SANDBOX_FUNCTION(flush_close_unref);
#undef SANDBOX_FUNCTION
};

} // namespace

struct TransientScope::Connection {
    Bus library;
    sd_bus* bus = nullptr;
    std::string address;
    std::string unit;
    std::optional<std::string> result;  ///< of the job that starts the unit: "done"
    std::optional<std::string> refusal; ///< what the manager, or the bus, said instead

    Connection(std::string bus_address, std::string unit_name)
        : address(std::move(bus_address)), unit(std::move(unit_name)) {}
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
        if (bus != nullptr) {
            library.flush_close_unref(bus);
        }
    }

    void connect();
    void request(const std::string& description, const std::vector<pid_t>& processes);
    void wait();

private:
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
    expect(library.call_async(bus, nullptr, message.get(), on_answer, this, kPatience));
    // So that systemd works while we do.
    expect(library.flush(bus));
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
    if (const sd_bus_error* error = connection.library.message_get_error(message)) {
        connection.refusal = error->message != nullptr ? error->message : error->name;
    }
    return 0;
}

void TransientScope::Connection::wait() {
    while (!result && !refusal) {
        if (expect(library.process(bus, nullptr)) > 0) {
            continue;
        }
        if (expect(library.wait(bus, kPatience)) == 0) {
            refusal = "nothing, for 25 seconds";
        }
    }
    const std::string summary = fmt::format("cannot get a cgroup from your systemd: unit {}", quoted(unit));
    if (refusal) {
        throw Error(summary).cause("it said " + quoted(*refusal)).fix("look at it: systemctl --user status");
    }
    if (*result != "done") {
        throw Error(summary)
            .cause(fmt::format("its job ended with {}", quoted(*result)))
            .fix(fmt::format("journalctl --user -u {} tells why", unit));
    }
}

TransientScope::TransientScope(const std::string& bus, std::string unit, const std::string& description,
                               const std::vector<pid_t>& processes)
    : connection_(std::make_unique<Connection>(bus, std::move(unit))) {
    connection_->connect();
    connection_->request(description, processes);
}

TransientScope::~TransientScope() = default;

void TransientScope::wait() {
    connection_->wait();
}

} // namespace sandbox
