#include "cmd/sandbox/detach.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cmd/common/print.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"
#include "core/plan/publish_plan.hpp"
#include "core/signals.hpp"

namespace sandbox {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kNameNotPrinted = 1; // not kOwnFailure, which says that CMD has not run

/// What the caller holds open is no business of a process that outlives it: somebody may wait for its end.
void let_go_of_caller(const Fd& starter, const Fd& status_file) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (!null || ::dup2(null.get(), descriptor) < 0) {
            throw Error("cannot open '/dev/null' as the input of a detached command").kernel(errno);
        }
    }
    std::array kept = {starter.get(), status_file.get(), null.get()};
    std::ranges::sort(kept);
    unsigned first = STDERR_FILENO + 1;
    for (const int descriptor : kept) {
        const auto number = static_cast<unsigned>(std::max(descriptor, 0));
        if (number > first) {
            sys::close_between(first, number - 1);
        }
        first = std::max(first, number + 1);
    }
    sys::close_from(first);
    if (::setsid() < 0 || ::chdir("/") < 0) {
        throw Error("cannot leave the session of the caller").kernel(errno);
    }
}

/// The supervisor's own error, as it would have printed it.
Error error_of(const Json& record) {
    Error error(record.value("message", std::string("the detached sandbox did not start")));
    if (const int error_number = record.value("errno", 0); error_number != 0) {
        error.kernel(error_number);
    }
    for (const std::string& cause : record.value("causes", std::vector<std::string>())) {
        error.cause(cause);
    }
    for (const std::string& fix : record.value("fixes", std::vector<std::string>())) {
        error.fix(fix);
    }
    return std::move(error).status(record.value("status", kOwnFailure));
}

void tell_chosen_ports(const Plan& plan, const Json& record) {
    const Json published = record.value("published", Json::array());
    for (std::size_t i = 0; i < std::min(published.size(), plan.network.publish.size()); ++i) {
        PublishedPort port = plan.network.publish[i];
        if (port.host_port == 0) {
            port.host_port = published[i].value("host_port", std::uint16_t{0});
            complain(published_words(port));
        }
    }
}

/// \return what the caller exits with.
int tell_name(const std::string& name) {
    try {
        print(name + "\n");
        return 0;
    } catch (const Error& error) {
        complain(fmt::format("the sandbox {} runs, but its name could not be printed: {}", sandbox::quoted(name),
                             kernel_word(error.error_number())));
        return kNameNotPrinted;
    }
}

/// The status records until one of them says how it started.
class Report {
public:
    explicit Report(Fd pipe) : pipe_(std::move(pipe)) {}

    [[nodiscard]] int descriptor() const { return pipe_.get(); }
    [[nodiscard]] bool has_ended() const { return has_ended_; }

    /// \return the first record, once it is there whole.
    [[nodiscard]] std::optional<Json> read() {
        std::array<char, 4096> buffer{};
        const ssize_t size = ::read(pipe_.get(), buffer.data(), buffer.size());
        has_ended_ = size == 0;
        text_.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        const std::size_t end = text_.find('\n');
        return end == std::string::npos ? std::nullopt
                                        : std::optional(Json::parse(text_.substr(0, end), nullptr, false));
    }

private:
    Fd pipe_;
    std::string text_;
    bool has_ended_ = false;
};

/// \return what the caller exits with.
int wait_for_start(const Plan& plan, Report report, const Fd& supervisor) {
    const Signals signals;
    for (;;) {
        std::array<pollfd, 2> watched = {pollfd{report.descriptor(), POLLIN, 0},
                                         pollfd{signals.descriptor(), POLLIN, 0}};
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
            throw Error("cannot watch the start of the detached sandbox").kernel(errno);
        }
        signalfd_siginfo signal{};
        if (watched[1].revents != 0 && ::read(signals.descriptor(), &signal, sizeof signal) > 0) {
            const auto number = static_cast<int>(signal.ssi_signo);
            if (number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT) {
                sys::pidfd_send_signal(supervisor.get(), number);
            }
        }
        const std::optional<Json> record = watched[0].revents != 0 ? report.read() : std::nullopt;
        if (record && record->value("event", "") == "started") {
            tell_chosen_ports(plan, *record);
            return tell_name(record->value("name", std::string()));
        }
        if (record && record->value("event", "") == "ended") {
            return record->value("status", kOwnFailure); // a signal came before CMD
        }
        if (record) {
            const Error error = error_of(*record);
            complain(error.what()); // the supervisor has written it to --status-fd already
            return error.exit_status();
        }
        if (report.has_ended()) {
            throw Error("the supervisor of the detached sandbox ended without a word")
                .fix("sandbox without --detach shows how far it comes");
        }
    }
}

} // namespace

Detached detach(const Plan& plan, const Fd& status_file) {
    Pipe pipe = make_pipe("the supervisor of the detached sandbox");
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid < 0) {
        throw Error("cannot start the supervisor of the detached sandbox").kernel(errno);
    }
    if (pid == 0) {
        pipe.read_end.reset();
        let_go_of_caller(pipe.write_end, status_file);
        return {.status = std::nullopt, .starter = std::move(pipe.write_end)};
    }
    const Fd supervisor(pidfd);
    pipe.write_end.reset();
    return {.status = wait_for_start(plan, Report(std::move(pipe.read_end)), supervisor), .starter = {}};
}

} // namespace sandbox
