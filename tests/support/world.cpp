#include "tests/support/world.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace sandbox::test {

namespace fs = std::filesystem;

namespace {

std::string required(const char* variable) {
    const char* value = std::getenv(variable);
    if (value == nullptr) {
        throw std::runtime_error(std::string(variable) + " is not set: run the tests with `make check-run`");
    }
    return value;
}

/// The paths that the program may keep files in.
std::vector<fs::path> places_of_ours(const World& world) {
    std::vector<fs::path> places = {world.home / ".local/share/sandbox", world.home / "runtime"};
    if (!world.runtime.empty()) {
        places.push_back(world.runtime);
    }
    return places;
}

/// The directory of the runs' records, or that above it.
bool is_registry(const World& world, const fs::path& path) {
    const auto is_in = [&path](const fs::path& runtime) {
        return path == runtime / "sandbox" || path == runtime / "sandbox/runs";
    };
    return is_in(world.runtime) || is_in(world.home / "runtime");
}

bool belongs_to_user(uid_t uid) {
    const auto& [first, count] = user().subordinate;
    return uid == user().uid || (count > 0 && uid >= first && uid - first < count);
}

} // namespace

std::string sandbox_program() {
    return required("SANDBOX_TEST_PREFIX") + "/bin/sandbox";
}

std::string sandboxctl_program() {
    return required("SANDBOX_TEST_PREFIX") + "/bin/sandboxctl";
}

std::string probe_directory() {
    return required("SANDBOX_TEST_PROBES");
}

std::string probe(std::string_view name) {
    return probe_directory() + "/" + std::string(name);
}

bool installed(std::string_view name) {
    for (const char* directory : {"/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"}) {
        if (::access((fs::path(directory) / name).c_str(), X_OK) == 0) {
            return true;
        }
    }
    return false;
}

bool is_sanitized() {
    return std::getenv("SANDBOX_TEST_SANITIZED") != nullptr;
}

int rounds(int plain) {
    return is_sanitized() || std::getenv("SANDBOX_TEST_SLOW") != nullptr ? (plain + 9) / 10 : plain;
}

void give_to_user(const fs::path& path) {
    if (started_by_root() && ::lchown(path.c_str(), user().uid, user().gid) != 0) {
        throw std::runtime_error("cannot chown " + path.string());
    }
}

World::World() {
    std::string name = user().home + "/sandbox-world.XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("cannot make " + name);
    }
    give_to_user(name);
    home = name;
    project = directory(home / "project");
    const std::string runtime_of_user = "/run/user/" + std::to_string(user().uid);
    if (fs::exists(runtime_of_user)) {
        runtime = runtime_of_user;
    }
}

World::~World() {
    std::error_code ignored;
    fs::remove_all(home, ignored);
    if (!runtime.empty() && started_by_root()) {
        for (const auto& entry : fs::directory_iterator(runtime, ignored)) {
            fs::remove_all(entry.path(), ignored);
        }
    }
}

Options World::here() const {
    Options options;
    options.cwd = project;
    options.environment["HOME"] = home;
    return options;
}

Options World::logged_in() const {
    Options options = here();
    options.environment["XDG_RUNTIME_DIR"] = directory(home / "runtime", 0700);
    return options;
}

Result World::ctl(const Words& words, const Options& options) const {
    Words command = {sandboxctl_program()};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, options);
}

Result World::sandbox(const Words& words, const Options& options) const {
    Words command = {sandbox_program()};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, options);
}

Result World::inside(const std::string& profile, const Words& words, const Options& options) const {
    Words command = {"--profile", profile, "--ro", probe_directory(), "--"};
    command.insert(command.end(), words.begin(), words.end());
    return sandbox(command, options);
}

fs::path World::directory(const fs::path& path, unsigned mode) const {
    if (!fs::exists(fs::symlink_status(path))) {
        if (path.has_parent_path()) {
            directory(path.parent_path());
        }
        fs::create_directory(path);
        give_to_user(path);
        fs::permissions(path, static_cast<fs::perms>(mode));
    }
    return path;
}

fs::path World::write(const fs::path& path, std::string_view text, unsigned mode) const {
    directory(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    give_to_user(path);
    fs::permissions(path, static_cast<fs::perms>(mode));
    return path;
}

void World::profile(const std::string& name, std::string_view toml) const {
    write(home / ".config/sandbox/profiles" / (name + ".toml"), toml);
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string tree(const fs::path& root) {
    std::vector<std::string> lines;
    const auto note = [&lines](const fs::path& path) {
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) {
            return;
        }
        std::ostringstream line;
        line << path.string() << ' ' << std::oct << status.st_mode << std::dec << ' ' << status.st_uid << ':'
             << status.st_gid << ' ' << status.st_size << ' ' << status.st_mtim.tv_sec << '.' << status.st_mtim.tv_nsec;
        if (S_ISLNK(status.st_mode)) {
            line << " -> " << fs::read_symlink(path).string();
        }
        lines.push_back(line.str());
    };
    note(root);
    std::error_code ignored;
    const auto options = fs::directory_options::skip_permission_denied;
    for (const auto& entry : fs::recursive_directory_iterator(root, options, ignored)) {
        note(entry.path());
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

Belongings belongings(const World& world) {
    Belongings found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename();
        struct stat status {};
        if (name.find_first_not_of("0123456789") != std::string::npos || ::stat(entry.path().c_str(), &status) != 0) {
            continue;
        }
        // A process that is not dumpable shows root as the owner of its files: its status tells.
        std::istringstream lines(read_file(entry.path() / "status"));
        std::string description = name;
        uid_t uid = status.st_uid;
        bool is_zombie = false;
        bool is_orphan = false;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("Uid:")) {
                std::istringstream(line.substr(4)) >> uid;
            } else if (line.starts_with("Name:") || line.starts_with("State:")) {
                description += " " + line;
            }
            is_zombie = is_zombie || line == "State:\tZ (zombie)";
            is_orphan = is_orphan || line == "PPid:\t1";
        }
        // It has ended, and was given to the machine's pid 1, which reaps when it gets round to it.
        if (is_zombie && is_orphan) {
            continue;
        }
        // The tests themselves are the user's where no root started them.
        if (belongs_to_user(uid) && (started_by_root() || description.find("sandbox") != std::string::npos)) {
            found.processes.push_back(description);
        }
    }
    std::sort(found.processes.begin(), found.processes.end());
    found.mounts = read_file("/proc/self/mountinfo");
    for (const fs::path& place : places_of_ours(world)) {
        std::istringstream lines(tree(place));
        for (std::string line; std::getline(lines, line);) {
            // The compiled filters are kept on purpose; everything else of a run goes with it.
            const std::string path = line.substr(0, line.find(' '));
            const bool cache = path.starts_with((world.home / ".local/share/sandbox").string());
            // systemd's notes about the scopes of runs that have ended go when it gets round to it; the registry stays.
            if (path.starts_with((world.runtime / "systemd").string()) || is_registry(world, path)) {
                continue;
            }
            if (!cache ||
                (path.find("seccomp") == std::string::npos && path != (world.home / ".local/share/sandbox").string())) {
                found.files += path + "\n";
            }
        }
    }
    return found;
}

namespace {

/// The record that a killed supervisor has left goes when somebody looks.
void look_at_runs(const World& world) {
    static_cast<void>(world.ctl({"ps", "--quiet"}, world.here()));
    if (fs::exists(world.home / "runtime")) {
        static_cast<void>(world.ctl({"ps", "--quiet"}));
    }
}

} // namespace

Belongings belongings_at_rest(const World& world) {
    // What a sandbox of the test before has left can sleep for longer than between two looks.
    const auto is_ours = [](const std::string& process) { return process.find("sandbox") != std::string::npos; };
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    Belongings now = belongings(world);
    while (std::ranges::any_of(now.processes, is_ours) && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        now = belongings(world);
    }
    for (Belongings before; !(now == before);) {
        before = std::move(now);
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        now = belongings(world);
    }
    return now;
}

Belongings belongings_settled(const World& world, const Belongings& before, std::chrono::seconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    Belongings now = belongings(world);
    while (!(now == before) && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        look_at_runs(world);
        now = belongings(world);
    }
    return now;
}

std::ostream& operator<<(std::ostream& out, const Belongings& belongings) {
    out << "processes:\n";
    for (const std::string& process : belongings.processes) {
        out << "  " << process << '\n';
    }
    return out << "files:\n" << belongings.files << "mounts:\n" << belongings.mounts;
}

std::ostream& operator<<(std::ostream& out, const Result& result) {
    return out << "status " << result.status << (result.hung ? " (hung)" : "") << "\n  out: " << result.out
               << "\n  err: " << result.err;
}

ScopedMount::ScopedMount(const std::string& type, const fs::path& target, unsigned long flags, const std::string& data)
    : target_(target) {
    const bool bind = (flags & MS_BIND) != 0;
    if (::mount(type.c_str(), target.c_str(), bind ? nullptr : type.c_str(), flags, data.c_str()) != 0) {
        throw std::runtime_error("cannot mount " + type + " on " + target.string());
    }
}

ScopedMount::~ScopedMount() {
    ::umount2(target_.c_str(), MNT_DETACH);
}

} // namespace sandbox::test
