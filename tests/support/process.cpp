#include "tests/support/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace sandbox::test {

namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    Fd read;
    Fd write;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2 failed");
    }
    return {Fd(ends[0]), Fd(ends[1])};
}

void add_sanitizer_options(std::map<std::string, std::string>& environment) {
    for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"}) {
        if (const char* value = std::getenv(name)) {
            environment[name] = value;
        }
    }
}

/// Closes what the tests have open, but 0 to 2 and `keep`.
void close_others(const std::vector<int>& keep) {
    unsigned first = 3;
    std::vector<int> sorted = keep;
    std::sort(sorted.begin(), sorted.end());
    for (const int descriptor : sorted) {
        const auto number = static_cast<unsigned>(descriptor);
        if (number > first) {
            ::close_range(first, number - 1, 0);
        }
        ::fcntl(descriptor, F_SETFD, 0);
        first = number + 1;
    }
    ::close_range(first, ~0U, 0);
}

} // namespace

std::map<std::string, std::string> clean_environment(const User& who) {
    std::map<std::string, std::string> environment = {
        {"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"},
        {"HOME", who.home},
        {"USER", who.name},
        {"LOGNAME", who.name},
        {"LANG", "C.UTF-8"},
        {"TERM", "xterm"},
    };
    const std::string runtime = "/run/user/" + std::to_string(who.uid);
    if (std::filesystem::exists(runtime)) {
        environment["XDG_RUNTIME_DIR"] = runtime;
    }
    add_sanitizer_options(environment);
    return environment;
}

void exec_as(const std::vector<std::string>& arguments, const Options& options) {
    const User& who = options.as != nullptr ? *options.as : user();
    std::vector<std::string> variables;
    auto environment = clean_environment(who);
    for (const auto& [name, value] : options.environment) {
        if (value) {
            environment[name] = *value;
        } else {
            environment.erase(name);
        }
    }
    for (const auto& [name, value] : environment) {
        variables.push_back(name + "=" + value);
    }
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (std::string& variable : variables) {
        envp.push_back(variable.data());
    }
    envp.push_back(nullptr);
    // The tests' own dispositions and mask are not the program's.
    for (int number = 1; number < 32; ++number) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::umask(022);
    if (options.before_user) {
        options.before_user();
    }
    become(who);
    if (::chdir(options.cwd.empty() ? "/" : options.cwd.c_str()) != 0) {
        ::_exit(98);
    }
    if (options.before_exec) {
        options.before_exec();
    }
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(97);
}

Process::Process(const std::vector<std::string>& arguments, const Options& options)
    : pending_input_(options.input), keep_input_open_(options.keep_input_open),
      deadline_(Clock::now() + options.watchdog) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    pid_ = ::fork();
    if (pid_ < 0) {
        throw std::runtime_error("fork failed");
    }
    if (pid_ == 0) {
        if (options.own_session) {
            ::setsid();
        }
        try {
            ::dup2(in.read.get(), 0);
            ::dup2(out.write.get(), 1);
            ::dup2(err.write.get(), 2);
            if (options.no_input) {
                ::close(0);
            }
            close_others(options.descriptors);
            exec_as(arguments, options);
        } catch (...) {
            // An exception that left here would run the rest of the suite a second time.
            ::_exit(96);
        }
    }
    input_ = std::move(in.write);
    output_ = std::move(out.read);
    error_ = std::move(err.read);
    for (const Fd* end : {&input_, &output_, &error_}) {
        ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
    }
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), input_(std::move(other.input_)), output_(std::move(other.output_)),
      error_(std::move(other.error_)), pending_input_(std::move(other.pending_input_)),
      keep_input_open_(other.keep_input_open_), deadline_(other.deadline_), result_(std::move(other.result_)),
      reaped_(other.reaped_) {}

Process::~Process() {
    if (pid_ > 0 && !reaped_) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
}

void Process::signal(int number) const {
    if (!reaped_) {
        ::kill(pid_, number);
    }
}

void Process::write(std::string_view text) {
    pending_input_ += text;
}

bool Process::reap(bool block) {
    if (reaped_) {
        return true;
    }
    int status = 0;
    if (::waitpid(pid_, &status, block ? 0 : WNOHANG) != pid_) {
        return false;
    }
    reaped_ = true;
    result_.signaled = WIFSIGNALED(status);
    result_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

// Moves what can be moved without waiting longer than `patience`. False when both outputs have ended.
bool Process::pump(std::chrono::milliseconds patience) {
    if (pending_input_.empty() && !keep_input_open_) {
        input_.reset();
    }
    std::array<pollfd, 3> polled = {
        pollfd{output_.get(), POLLIN, 0},
        pollfd{error_.get(), POLLIN, 0},
        pollfd{pending_input_.empty() ? -1 : input_.get(), POLLOUT, 0},
    };
    if (!output_ && !error_ && polled[2].fd < 0) {
        return false;
    }
    ::poll(polled.data(), polled.size(), static_cast<int>(patience.count()));
    const auto drain = [](Fd& descriptor, std::string& text) {
        std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init): filled by read
        for (;;) {
            const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
            if (count > 0) {
                text.append(buffer.data(), static_cast<std::size_t>(count));
            } else {
                if (count == 0) {
                    descriptor.reset();
                }
                return;
            }
        }
    };
    if (polled[0].revents != 0) {
        drain(output_, result_.out);
    }
    if (polled[1].revents != 0) {
        drain(error_, result_.err);
    }
    if (polled[2].revents != 0) {
        const ssize_t count = ::write(input_.get(), pending_input_.data(), pending_input_.size());
        if (count > 0) {
            pending_input_.erase(0, static_cast<std::size_t>(count));
        } else if (errno != EAGAIN) {
            pending_input_.clear();
            input_.reset();
        }
    }
    return true;
}

bool Process::wait_for(std::string_view text) {
    const auto seen = [&] { return result_.printed(text) || result_.said(text); };
    while (!seen() && Clock::now() < deadline_) {
        if (!pump(std::chrono::milliseconds(100)) || (reap(false) && !output_ && !error_)) {
            break;
        }
    }
    return seen();
}

Result Process::finish() {
    keep_input_open_ = false;
    using namespace std::chrono_literals;
    // Once the program has ended, nothing of it may hold its output open for long.
    std::optional<Clock::time_point> ended;
    for (;;) {
        if (!pump(50ms) && reap(false)) {
            break;
        }
        if (!output_ && !error_ && !reaped_) {
            ::poll(nullptr, 0, 2);
        }
        if (!ended && reap(false)) {
            ended = Clock::now();
        }
        if (ended && Clock::now() > *ended + 10s) {
            result_.hung = true;
            break;
        }
        if (!ended && Clock::now() > deadline_) {
            result_.hung = true;
            ::kill(pid_, SIGKILL);
            reap(true);
            break;
        }
    }
    return result_;
}

Result run(const std::vector<std::string>& arguments, const Options& options) {
    Process process(arguments, options);
    return process.finish();
}

} // namespace sandbox::test
