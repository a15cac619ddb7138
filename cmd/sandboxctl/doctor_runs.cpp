// The checks of sandboxctl doctor about runs: where they are recorded, and whether detached ones last.
#include "cmd/sandboxctl/doctor_runs.hpp"

#include <unistd.h>

#include "cmd/common/lingering.hpp"
#include "core/base/error.hpp"
#include "core/run_registry.hpp"

namespace sandbox::ctl {

namespace {

using State = Check::State;

Check runtime_directory(const Host& host) {
    Check check{"runtime-directory", "runs can be recorded in your runtime directory", State::ok, "", ""};
    if (::access(host.runtime_dir.c_str(), W_OK | X_OK) < 0) {
        const int error_number = errno;
        check.state = State::warning;
        check.why = quoted(host.runtime_dir) + ": " + kernel_word(error_number) +
                    "; sandboxctl ps does not see what runs, and --name and --detach are errors";
        check.fix = "log in (su and sudo make none), or set XDG_RUNTIME_DIR to a directory of yours";
        return check;
    }
    try {
        static_cast<void>(find_runs(host.runtime_dir + "/sandbox/runs"));
    } catch (const Error& error) {
        check.state = State::warning;
        check.why = error.summary() + (error.causes().empty() ? "" : ": " + error.causes().front());
        check.fix = error.fixes().empty() ? "set XDG_RUNTIME_DIR to a directory of yours" : error.fixes().front();
    }
    return check;
}

Check lingering(const Host& host) {
    Check check{"lingering", "detached sandboxes outlive your last session", State::ok, "", ""};
    if (ends_with_last_session(host)) {
        check.state = State::warning;
        check.why = "you do not linger: what is left of you may end with your last session";
        check.fix = "loginctl enable-linger";
    }
    return check;
}

} // namespace

std::vector<Check> run_record_checks(const Host& host) {
    return {runtime_directory(host), lingering(host)};
}

} // namespace sandbox::ctl
