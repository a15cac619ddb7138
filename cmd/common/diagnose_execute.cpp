#include "cmd/common/diagnose_execute.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cmd/common/inside_view.hpp"
#include "core/base/fd.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kHead = 4096; // the kernel reads 256 bytes; a program header table may start later

bool is_executable_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    return real ? real.get() : path;
}

std::string head_of(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    std::string head(kHead, '\0');
    const ssize_t count = file ? ::read(file.get(), head.data(), head.size()) : 0;
    head.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return head;
}

/// The program that a script's first line names; empty where it has none.
std::string script_interpreter(std::string_view head) {
    if (!head.starts_with("#!")) {
        return "";
    }
    head = head.substr(2, head.find('\n') == std::string_view::npos ? std::string_view::npos : head.find('\n') - 2);
    head.remove_prefix(std::min(head.find_first_not_of(" \t"), head.size()));
    return std::string(head.substr(0, head.find_first_of(" \t")));
}

/// The dynamic loader that a 64-bit program asks for: elf(5), PT_INTERP. Empty where it has none.
std::string elf_interpreter(std::string_view head) {
    Elf64_Ehdr header{};
    if (head.size() < sizeof header || !head.starts_with(ELFMAG) || head[EI_CLASS] != ELFCLASS64) {
        return "";
    }
    std::memcpy(&header, head.data(), sizeof header);
    for (std::size_t i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment{};
        const std::size_t at = header.e_phoff + i * sizeof segment;
        if (at > head.size() || head.size() - at < sizeof segment) {
            return "";
        }
        std::memcpy(&segment, head.data() + at, sizeof segment);
        if (segment.p_type == PT_INTERP && segment.p_offset < head.size()) {
            const std::string_view name = head.substr(segment.p_offset, segment.p_filesz);
            return std::string(name.substr(0, name.find('\0')));
        }
    }
    return "";
}

/// CMD's file: its path inside and on the host.
struct Found {
    std::string inside;
    std::string host;
};

class Explanation {
public:
    Explanation(Error& error, const Plan& plan, const Host& host)
        : error_(error), plan_(plan), host_(host), view_(plan.root) {}

    void explain(int error_number, std::string_view object) {
        const std::optional<Found> found = find(object);
        const bool missing = error_number == ENOENT || error_number == ENOTDIR;
        set_status(missing && !found ? kNotFound : kCannotExecute);
        if (!found) {
            if (missing) {
                explain_absence();
            }
            return;
        }
        if (missing) {
            explain_missing_interpreter(*found);
        } else if (error_number == EACCES) {
            explain_denial(*found);
        } else if (error_number == ENOEXEC) {
            explain_format(*found);
        } else if (error_number == E2BIG) {
            error_.cause("the words of CMD and its environment are too long: execve(2)");
        }
    }

private:
    void set_status(int status) { static_cast<void>(std::move(error_).status(status)); }

    std::optional<Found> find(std::string_view object) const {
        std::vector<std::string> places = plan_.process.candidates;
        if (object.starts_with('/')) {
            places.insert(places.begin(), std::string(object));
        }
        for (const std::string& place : places) {
            if (const std::optional<std::string> host = view_.host_path(place)) {
                return Found{place, *host};
            }
        }
        return std::nullopt;
    }

    /// Where the caller's own shell would find CMD.
    [[nodiscard]] std::string on_the_host() const {
        const std::string& name = plan_.process.arguments.front();
        if (name.find('/') != std::string::npos) {
            const std::string& file = plan_.process.candidates.front();
            return is_executable_file(file) ? file : "";
        }
        const auto path = host_.environment.find("PATH");
        std::string_view rest = path == host_.environment.end() ? "" : std::string_view(path->second);
        while (!rest.empty()) {
            const std::string_view directory = rest.substr(0, rest.find(':'));
            rest.remove_prefix(std::min(rest.size(), directory.size() + 1));
            const std::string file = paths::join(directory, name);
            if (directory.starts_with('/') && is_executable_file(file)) {
                return file;
            }
        }
        return "";
    }

    void explain_absence() {
        if (plan_.root.tree) {
            if (plan_.process.arguments.front().find('/') == std::string::npos) {
                error_.cause(fmt::format("no directory of PATH inside has it: {}", inside_path()));
            }
            return;
        }
        const std::string file = on_the_host();
        if (file.empty()) {
            if (plan_.process.arguments.front().find('/') == std::string::npos) {
                error_.cause(
                    fmt::format("no directory of PATH inside has it, nor has one of yours: {}", inside_path()));
            }
            return;
        }
        if (view_.host_path(file)) {
            error_.cause(fmt::format("it is at {}, and PATH inside does not name that directory", quoted(file)));
            error_.fix(fmt::format("sandbox --env PATH={}:{} ...", shell_quoted(paths::parent(file)), inside_path()));
            return;
        }
        const RootEntry* entry = view_.decided_by(file);
        if (entry != nullptr &&
            (entry->kind == RootEntry::Kind::cover_directory || entry->kind == RootEntry::Kind::cover_file)) {
            error_.cause(
                fmt::format("it is at {} on the host, and hidden inside: {}", quoted(file), entry->origin.place()));
            return;
        }
        error_.cause(fmt::format("it exists on the host at {}, which profile {} does not grant", quoted(file),
                                 quoted(plan_.profile)));
        // A link alone would lead nowhere inside.
        const std::string directory = paths::parent(file);
        const std::string real_directory = paths::parent(real_path(file));
        error_.fix(directory == real_directory || view_.host_path(real_path(file))
                       ? fmt::format("--ro {}", shell_quoted(directory))
                       : fmt::format("--ro {} --ro {}", shell_quoted(directory), shell_quoted(real_directory)));
    }

    [[nodiscard]] std::string inside_path() const {
        for (const EnvironmentEntry& entry : plan_.environment) {
            if (entry.name == "PATH") {
                return escaped(entry.value);
            }
        }
        return "";
    }

    void explain_missing_interpreter(const Found& found) {
        const std::string head = head_of(found.host);
        const std::string script = script_interpreter(head);
        const std::string interpreter = script.empty() ? elf_interpreter(head) : script;
        if (interpreter.empty() || view_.host_path(interpreter)) {
            return;
        }
        error_.cause(
            fmt::format("{} {} {}, which is not there inside", quoted(found.inside),
                        script.empty() ? "asks for the dynamic loader" : "names in its first line the interpreter",
                        quoted(interpreter)));
        if (interpreter.starts_with('/') && is_executable_file(interpreter)) {
            error_.fix(fmt::format("--ro {}", shell_quoted(paths::parent(interpreter))));
        } else if (interpreter.ends_with('\r')) {
            error_.fix("the file has the line ends of Windows: sed -i 's/\\r$//' " + shell_quoted(found.host));
        }
    }

    void explain_denial(const Found& found) {
        struct stat status {};
        struct statvfs file_system {};
        if (::stat(found.host.c_str(), &status) != 0) {
            return;
        }
        if (S_ISDIR(status.st_mode)) {
            error_.cause("it is a directory");
        } else if (!S_ISREG(status.st_mode)) {
            error_.cause("it is not a regular file");
        } else if (::access(found.host.c_str(), X_OK) != 0 && errno == EACCES) {
            error_.cause(fmt::format("you have no permission to execute it (mode {:04o})", status.st_mode & 07777U));
            error_.fix("chmod +x " + shell_quoted(found.host));
        } else if (::statvfs(found.host.c_str(), &file_system) == 0 && (file_system.f_flag & ST_NOEXEC) != 0) {
            error_.cause("its file system is mounted noexec");
            error_.fix("copy it to another file system, or name its interpreter: sandbox sh " +
                       shell_quoted(found.inside));
        } else {
            explain_denied_interpreter(found);
        }
    }

    void explain_denied_interpreter(const Found& found) {
        const std::string interpreter = script_interpreter(head_of(found.host));
        const std::optional<std::string> host = interpreter.empty() ? std::nullopt : view_.host_path(interpreter);
        if (host && !is_executable_file(*host)) {
            error_.cause(fmt::format("{} names in its first line {}, which is no file that you may execute",
                                     quoted(found.inside), quoted(interpreter)));
        }
    }

    void explain_format(const Found& found) {
        const std::string head = head_of(found.host);
        if (head.empty()) {
            error_.cause("the file is empty");
        } else if (head.starts_with(ELFMAG)) {
            error_.cause("it is a program for another kind of machine");
        } else {
            error_.cause("it is no program, and its first line is not '#!' and an interpreter");
            error_.fix(fmt::format("name the interpreter: sandbox sh {}", shell_quoted(found.inside)));
        }
    }

    Error& error_;
    const Plan& plan_;
    const Host& host_;
    InsideView view_;
};

} // namespace

void add_execute_causes(Error& error, int error_number, std::string_view object, const Plan& plan, const Host& host) {
    Explanation(error, plan, host).explain(error_number, object);
}

} // namespace sandbox
