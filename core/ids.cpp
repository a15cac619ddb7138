#include "core/ids.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/fd.hpp"
#include "core/base/step_error.hpp"

namespace sandbox::ids {

namespace {

std::vector<std::string> helper_arguments(const std::string& program, pid_t child, const std::vector<MapEntry>& map) {
    std::vector<std::string> arguments = {program, std::to_string(child)};
    for (const MapEntry& entry : map) {
        arguments.push_back(std::to_string(entry.inside));
        arguments.push_back(std::to_string(entry.outside));
        arguments.push_back(std::to_string(entry.count));
    }
    return arguments;
}

void expect_success(Step step, const std::string& program, const HelperResult& result) {
    if (!WIFEXITED(result.status) || WEXITSTATUS(result.status) != 0) {
        StepError error(step, program, 0);
        error.cause(last_words(result));
        throw error;
    }
}

/// One write(2): the kernel takes a map whole or not at all.
void write_file(Step step, const std::string& path, std::string_view text) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    const ssize_t written = file ? ::write(file.get(), text.data(), text.size()) : -1;
    if (written != static_cast<ssize_t>(text.size())) {
        throw StepError(step, path, written < 0 ? errno : EIO);
    }
}

std::string map_text(const std::vector<MapEntry>& map) {
    std::string text;
    for (const MapEntry& entry : map) {
        text += fmt::format("{} {} {}\n", entry.inside, entry.outside, entry.count);
    }
    return text;
}

} // namespace

MapWriting::MapWriting(pid_t child, const IdsPlan& plan) : child_(child), plan_(plan) {
    if (plan.through_helpers) {
        // Each takes most of a millisecond, so they run side by side.
        uid_helper_.emplace(helper_arguments(plan.newuidmap, child, plan.uid_map));
        gid_helper_.emplace(helper_arguments(plan.newgidmap, child, plan.gid_map));
    }
}

void MapWriting::finish() {
    if (plan_.through_helpers) {
        const HelperResult uid_result = uid_helper_->finish();
        const HelperResult gid_result = gid_helper_->finish();
        expect_success(Step::write_uid_map, plan_.newuidmap, uid_result);
        expect_success(Step::write_gid_map, plan_.newgidmap, gid_result);
        return;
    }
    const std::string proc = fmt::format("/proc/{}/", child_);
    // setgroups must be denied before an unprivileged process may write gid_map: user_namespaces(7).
    write_file(Step::write_gid_map, proc + "setgroups", "deny");
    write_file(Step::write_gid_map, proc + "gid_map", map_text(plan_.gid_map));
    write_file(Step::write_uid_map, proc + "uid_map", map_text(plan_.uid_map));
}

} // namespace sandbox::ids
