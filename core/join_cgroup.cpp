#include "core/join_cgroup.hpp"

#include <cerrno>
#include <string_view>

#include "core/base/error.hpp"
#include "core/cgroup.hpp"
#include "core/transient_scope.hpp"

namespace sandbox {

namespace {

Error cannot_enter(const std::string& directory) {
    return Error("cannot enter the sandbox's cgroup " + quoted(directory));
}

/// The part of `directory` below that of the scope: "/sandbox-1234".
std::string_view below_unit(std::string_view directory, const std::string& unit) {
    const std::string component = "/" + unit + "/";
    const std::size_t at = directory.find(component);
    return at == std::string_view::npos ? std::string_view() : directory.substr(at + component.size() - 1);
}

} // namespace

void join_cgroup(const std::string& directory, const ScopeOfCgroup& scope, pid_t process) {
    if (directory.empty()) {
        return;
    }
    if (!cgroup::write(directory, "cgroup.procs", std::to_string(process))) {
        const int error_number = errno;
        const std::string_view below = below_unit(directory, scope.unit);
        const bool is_forbidden = error_number == EACCES || error_number == EPERM;
        if (!is_forbidden || scope.unit.empty() || below.empty()) {
            Error error = cannot_enter(directory).kernel(error_number);
            if (is_forbidden) {
                error.cause("this process is in a cgroup that shares none of yours with it: cgroups(7)");
                error.fix("start it from where the sandbox was started, or under your own systemd: "
                          "systemd-run --user --scope sandboxctl exec ...");
            }
            throw error;
        }
        attach_to_scope(scope.bus, scope.unit, std::string(below), process);
    }
    // Nothing may run outside of the limits: what was done is read back.
    if (cgroup::path_of(process) != directory) {
        throw cannot_enter(directory).cause("the process is in " + quoted(cgroup::path_of(process)));
    }
}

} // namespace sandbox
