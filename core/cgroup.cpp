#include "core/cgroup.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/host_cgroup.hpp"

namespace fs = std::filesystem;

namespace sandbox {

namespace {

std::optional<std::uint64_t> number_at(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() ? std::optional(number) : std::nullopt;
}

/// The number behind "KEY " at the start of a line.
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key) {
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), text.find('\n') + 1))) {
        if (text.starts_with(key) && text.substr(key.size()).starts_with(' ')) {
            return number_at(text.substr(key.size() + 1));
        }
        if (text.find('\n') == std::string_view::npos) {
            break;
        }
    }
    return std::nullopt;
}

/// The sum of all "KEY=NUMBER" of io.stat, which has a line a disk.
std::uint64_t sum_of(std::string_view text, std::string_view key) {
    std::uint64_t sum = 0;
    for (std::size_t at = text.find(key); at != std::string_view::npos; at = text.find(key, at + 1)) {
        sum += number_at(text.substr(at + key.size())).value_or(0);
    }
    return sum;
}

} // namespace

Cgroup::Cgroup(std::string path) : path_(std::move(path)) {
    if (::mkdir(path_.c_str(), 0755) < 0) {
        const int error_number = errno;
        throw Error("cannot make the cgroup " + sandbox::quoted(path_)).kernel(error_number);
    }
    // Each takes memory of the machine's, and time at the end.
    constexpr const char* kMostDescendants = "1000";
    if (!cgroup::write(path_, "cgroup.max.descendants", kMostDescendants)) {
        const int error_number = errno;
        throw Error("cannot bound the cgroups below " + sandbox::quoted(path_)).kernel(error_number);
    }
}

Cgroup::~Cgroup() {
    kill();
    cgroup::remove(path_);
}

void Cgroup::add(pid_t pid) const {
    if (!cgroup::write(path_, "cgroup.procs", std::to_string(pid))) {
        const int error_number = errno;
        throw Error("cannot move a process into the cgroup " + sandbox::quoted(path_)).kernel(error_number);
    }
}

void Cgroup::set(const CgroupLimit& limit) const {
    if (!cgroup::write(path_, limit.file.c_str(), limit.value)) {
        const int error_number = errno;
        Error error(fmt::format("cannot limit {} to {}: {}", limit.name, limit.words,
                                sandbox::quoted(path_ + "/" + limit.file)));
        error.kernel(error_number);
        if (error_number == ENOENT) {
            const bool is_swap = limit.file == "memory.swap.max";
            error.cause("this kernel was built or booted without this limit");
            error.fix(is_swap ? "boot with swapaccount=1; or leave swap unlimited: --swap unlimited"
                              : "run a newer kernel, or take the limit away");
        }
        throw error;
    }
    // Half a tree of processes, one of them gone at random, is no state that anybody has thought about.
    if (limit.file == "memory.max" && !cgroup::write(path_, "memory.oom.group", "1")) {
        const int error_number = errno;
        throw Error("cannot have the sandbox killed as a whole: " + sandbox::quoted(path_ + "/memory.oom.group"))
            .kernel(error_number);
    }
}

void Cgroup::kill() const {
    // Where it is empty there is nobody to kill; cgroup.kill is there from Linux 5.14 on, the oldest that we run on.
    [[maybe_unused]] const bool killed = cgroup::write(path_, "cgroup.kill", "1");
}

namespace cgroup {

std::string path_of(pid_t pid) {
    std::string path = host::cgroup_directory(read_small_file(fmt::format("/proc/{}/cgroup", pid)));
    if (path.empty()) {
        throw Error(fmt::format("cannot see the cgroup of process {}", pid))
            .cause("it is outside of this cgroup namespace, or the process is gone");
    }
    return path;
}

CgroupUsage usage(const std::string& directory) {
    const auto read = [&](const char* file) { return read_small_file(directory + "/" + file); };
    CgroupUsage counted;
    const std::string cpu = read("cpu.stat");
    counted.user_microseconds = value_of(cpu, "user_usec");
    counted.system_microseconds = value_of(cpu, "system_usec");
    counted.throttled_microseconds = value_of(cpu, "throttled_usec");
    counted.memory_now = number_at(read("memory.current"));
    counted.memory_peak = number_at(read("memory.peak"));
    counted.oom_kills = value_of(read("memory.events"), "oom_kill");
    // Of this cgroup alone: what CMD makes below it, and limits there, is CMD's own affair.
    const std::string own = read("memory.events.local");
    counted.own_oom_kills = value_of(own, "oom_kill");
    counted.limit_reached = value_of(own, "oom");
    counted.pids_now = number_at(read("pids.current"));
    counted.pids_peak = number_at(read("pids.peak"));
    counted.forks_refused = value_of(read("pids.events"), "max");
    if (::access((directory + "/io.stat").c_str(), F_OK) == 0) {
        const std::string io = read("io.stat");
        counted.bytes_read = sum_of(io, "rbytes=");
        counted.bytes_written = sum_of(io, "wbytes=");
    }
    return counted;
}

bool write(const std::string& directory, const char* file, std::string_view text) {
    const Fd opened(::open((directory + "/" + file).c_str(), O_WRONLY | O_CLOEXEC));
    return opened && ::write(opened.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

namespace {

/// CMD can make cgroups in its own: a container engine does.
void remove_children(const std::string& directory) {
    std::error_code error;
    for (fs::directory_iterator entry(directory, error), end; entry != end; entry.increment(error)) {
        if (entry->is_directory(error)) {
            remove_children(entry->path());
            ::rmdir(entry->path().c_str());
        }
    }
}

} // namespace

bool remove(const std::string& directory) {
    constexpr int kTries = 10'000;
    constexpr int kMilliseconds = 1;
    for (int i = 0; i < kTries; ++i) {
        remove_children(directory);
        if (::rmdir(directory.c_str()) == 0 || errno == ENOENT) {
            return true;
        }
        if (errno != EBUSY) {
            return false;
        }
        ::poll(nullptr, 0, kMilliseconds); // a killed process is in it until it has ended
    }
    return false;
}

std::string controllers(const std::string& directory) {
    return read_line(directory + "/cgroup.controllers");
}

} // namespace cgroup

} // namespace sandbox
