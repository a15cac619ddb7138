#include "cmd/sandboxctl/watched_run.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "cmd/common/executable.hpp"
#include "core/base/child_process.hpp"
#include "core/base/error.hpp"
#include "core/base/exit_status.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/base/sys.hpp"

namespace sandbox::ctl {

namespace {

/// While the run goes on, signals of the terminal are for CMD: as system(3) has it.
class QuietSignals {
public:
    QuietSignals() {
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            before_[i] = ::signal(kSignals[i], SIG_IGN);
        }
    }
    QuietSignals(const QuietSignals&) = delete;
    QuietSignals& operator=(const QuietSignals&) = delete;
    ~QuietSignals() { restore(); }
    void restore() const {
        for (std::size_t i = 0; i < kSignals.size(); ++i) {
            static_cast<void>(::signal(kSignals[i], before_[i]));
        }
    }

private:
    static constexpr std::array kSignals = {SIGINT, SIGQUIT};
    std::array<sighandler_t, kSignals.size()> before_{};
};

/// A file without a name, which the run inherits.
Fd make_report() {
    Fd report(::memfd_create("report", 0));
    if (!report) {
        throw Error("cannot make room for the report").kernel(errno);
    }
    return report;
}

nlohmann::json read_report(const Fd& report) {
    std::string text;
    if (::lseek(report.get(), 0, SEEK_SET) < 0 || !read_all(report.get(), std::string::npos, text)) {
        throw Error("cannot read the report").kernel(errno);
    }
    return nlohmann::json::parse(text, nullptr, false);
}

ChildProcess start(std::vector<std::string> words, const QuietSignals& signals) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) {
        arguments.push_back(word.data());
    }
    arguments.push_back(nullptr);
    const pid_t parent = ::getpid();
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid < 0) {
        throw Error("cannot run sandbox").kernel(errno);
    }
    if (pid == 0) {
        signals.restore();
        // Our end is the run's, and may have come already.
        if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0 && ::getppid() == parent) {
            ::execv(arguments[0], arguments.data());
        }
        ::_exit(kOwnFailure);
    }
    return {pid, Fd(pidfd)};
}

} // namespace

WatchedRun run_watched(const std::string& profile, bool is_permissive, const std::vector<std::string>& command) {
    const Fd report = make_report();
    std::vector<std::string> words = {sandbox_executable(), "--profile", profile,         "--explain",
                                      "--report",           "never",     "--report-json", std::to_string(report.get())};
    if (is_permissive) {
        words.emplace_back("--permissive");
    }
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    if (::access(words.front().c_str(), X_OK) < 0) {
        throw Error("cannot run " + sandbox::quoted(words.front()))
            .kernel(errno)
            .fix("install sandbox beside sandboxctl");
    }
    const QuietSignals signals;
    ChildProcess run = start(std::move(words), signals);
    const int status = run.wait();
    return {.status = WIFSIGNALED(status) ? kSignalBase + WTERMSIG(status) : WEXITSTATUS(status),
            .report = read_report(report)};
}

} // namespace sandbox::ctl
