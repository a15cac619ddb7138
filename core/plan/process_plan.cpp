#include "core/plan/process_plan.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

std::string_view search_path(const std::vector<EnvironmentEntry>& environment) {
    const auto found = std::ranges::find(environment, "PATH", &EnvironmentEntry::name);
    return found == environment.end() ? std::string_view() : std::string_view(found->value);
}

/// The files that execvp(3) would try, without those of relative directories: CMD's own directory must not choose CMD.
std::vector<std::string> candidates(const std::string& name, std::string_view path, const std::string& workdir) {
    if (name.starts_with('/')) {
        return {name};
    }
    if (name.find('/') != std::string::npos) {
        return {(workdir == "/" ? "" : workdir) + "/" + name};
    }
    std::vector<std::string> files;
    while (!path.empty()) {
        const std::string_view directory = path.substr(0, path.find(':'));
        path.remove_prefix(std::min(path.size(), directory.size() + 1));
        std::string file = paths::join(directory, name);
        if (directory.starts_with('/') && std::ranges::find(files, file) == files.end()) {
            files.push_back(std::move(file));
        }
    }
    return files;
}

void plan_terminal(ProcessPlan& plan, const Setting<std::string>& terminal, const Host& host) {
    const std::string word = one_of(terminal, kTerminalWords);
    const bool is_auto = word == "auto";
    plan.terminal = word == "always" || (is_auto && host.stdin_is_terminal && host.stdout_is_terminal);
    plan.output_terminal = is_auto && !plan.terminal && (host.stdout_is_terminal || host.stderr_is_terminal);
}

/// As docker(1) joins them: --entrypoint takes the image's command away too.
std::vector<std::string> arguments(const Command& command, const RootChoice& root) {
    if (command.entrypoint && !root.image) {
        throw Error("--entrypoint has no effect").cause("the root is no image").fix("--image NAME; or leave it out");
    }
    const ImageConfig of_image = root.image ? root.image->config : ImageConfig{};
    std::vector<std::string> words = of_image.entrypoint;
    if (command.entrypoint) {
        words = command.entrypoint->empty() ? std::vector<std::string>{} : std::vector{*command.entrypoint};
    }
    const bool has_default = command.arguments.empty() && !command.entrypoint;
    const std::vector<std::string>& rest = has_default ? of_image.command : command.arguments;
    words.insert(words.end(), rest.begin(), rest.end());
    return words;
}

} // namespace

std::vector<std::string> find_candidates(const std::string& name, const std::vector<EnvironmentEntry>& environment,
                                         const std::string& workdir) {
    if (name.empty()) {
        throw Error("cannot run ''").cause("the command's name is empty").status(kNotFound);
    }
    std::vector<std::string> files = candidates(name, search_path(environment), workdir);
    if (files.empty()) {
        throw Error("cannot run " + quoted(name))
            .cause("PATH names no absolute directory to look in")
            .fix("name the file from / on, or give PATH=/usr/bin:/bin")
            .status(kNotFound);
    }
    return files;
}

ProcessPlan plan_process(const Profile::Process& process, const Command& command, const Host& host,
                         const RootChoice& root, const std::string& workdir,
                         const std::vector<EnvironmentEntry>& environment) {
    std::vector<std::string> words = arguments(command, root);
    if (words.empty()) {
        Error error("cannot run a command: none was given");
        if (root.image) {
            error.cause("the image " + quoted(root.image->reference) + " names none");
        }
        throw std::move(error).fix("sandbox [OPTIONS] CMD [ARG...]");
    }
    ProcessPlan plan;
    plan.arguments = std::move(words);
    plan.candidates = find_candidates(plan.arguments.front(), environment, workdir);
    plan.workdir = workdir;
    plan_terminal(plan, process.terminal, host);
    return plan;
}

} // namespace sandbox
