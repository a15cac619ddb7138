#include "core/sandbox_cgroup.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/file.hpp"
#include "core/plan/cgroup_obstacle.hpp"

namespace sandbox {

namespace {

/// What counts, where the sandbox's use is to be told.
constexpr std::array kCounting = {"cpu", "io", "memory", "pids"};

/// systemd.unit(5): letters, digits, ":", "-", "_", ".", and no more than 255 of them.
std::string unit_name(std::string_view name) {
    constexpr std::size_t kLongest = 100;
    std::string plain;
    for (const char c : name.substr(0, kLongest)) {
        const bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '.' || c == '-';
        plain += stays ? c : '_';
    }
    return fmt::format("sandbox-{}-{}.scope", plain, ::getpid());
}

template <std::size_t Size> void copy_text(char (&target)[Size], std::string_view text) {
    if (text.size() >= Size) {
        throw Error("the path of the cgroup is too long: " + quoted(text));
    }
    text.copy(target, text.size());
    target[text.size()] = '\0';
}

CgroupObstacle obstacle_of(const Error& error) {
    std::string_view first_line = error.what();
    std::vector<std::string> causes = {std::string(first_line.substr(0, first_line.find('\n')))};
    std::ranges::copy(error.causes(), std::back_inserter(causes));
    return {fmt::format("{}", fmt::join(causes, "; ")), fmt::format("{}", fmt::join(error.fixes(), "; "))};
}

} // namespace

SandboxCgroup::SandboxCgroup(const CgroupPlan& plan, std::string name, pid_t child, std::vector<pid_t> companions)
    : plan_(plan), child_(child), companions_(std::move(companions)), name_(std::move(name)), obstacle_(plan.obstacle),
      limits_(plan.limits) {
    if (!plan.wanted() || !plan.places.any()) {
        return;
    }
    keeper_.emplace();
    if (!plan.places.bus.empty()) {
        ask_systemd();
    }
}

SandboxCgroup::~SandboxCgroup() {
    cgroup_.reset();
    if (task_.dissolves) {
        CgroupKeeper::dissolve(task_);
    }
    keeper_.reset();
}

void SandboxCgroup::ask_systemd() {
    try {
        unit_ = unit_name(name_);
        std::vector<pid_t> pids = {child_, keeper_->pid()};
        pids.insert(pids.end(), companions_.begin(), companions_.end());
        scope_.emplace(plan_.places.bus, unit_, "sandbox: " + escaped(name_), pids);
    } catch (const Error& error) {
        refused_ = error; // the next place is tried, or this is told: give_up
    }
}

std::vector<std::string> SandboxCgroup::settle() {
    if (!keeper_) {
        return {};
    }
    try {
        find_place();
    } catch (const Error& error) {
        give_up(error);
    }
    return std::move(notices_);
}

void SandboxCgroup::find_place() {
    if (scope_) {
        try {
            is_told_to_end_ = !scope_->wait();
        } catch (const Error& error) {
            refused_ = error;
        }
    }
    if (is_told_to_end_) {
        return;
    }
    if (scope_ && !refused_) {
        return use_scope();
    }
    unit_.clear();
    if (plan_.places.subtree.empty()) {
        throw Error(*refused_);
    }
    use_subtree();
}

void SandboxCgroup::use_scope() {
    // Where systemd put it is asked, not guessed.
    const std::string scope = cgroup::path_of(keeper_->pid());
    if (!scope.ends_with("/" + unit_) || cgroup::path_of(child_) != scope) {
        throw Error(fmt::format("cannot find our processes in the unit {} that systemd made", quoted(unit_)))
            .cause(fmt::format("they are in {} and {}", quoted(scope), quoted(cgroup::path_of(child_))))
            .fix("look at it: systemctl --user status");
    }
    fill(scope);
}

void SandboxCgroup::use_subtree() {
    task_.dissolves = true;
    fill(plan_.places.subtree);
}

void SandboxCgroup::fill(const std::string& parent) {
    move_apart(parent);
    leave_out_undelegated(limits_, cgroup::controllers(parent), notices_);
    enable_controllers(parent);
    std::erase_if(limits_, [&](const CgroupLimit& limit) { return !try_to_set(limit); });
}

/// \return false where the limit is off, and said to be; the others hold all the same.
bool SandboxCgroup::try_to_set(const CgroupLimit& limit) {
    try {
        cgroup_->set(limit);
        return true;
    } catch (const Error& error) {
        if (limit.required) {
            throw;
        }
        notices_.push_back(off_notice({limit}, obstacle_of(error)));
        return false;
    }
}

/// A cgroup with processes of its own has no children with limits, so all that stands in `parent` moves down.
void SandboxCgroup::move_apart(const std::string& parent) {
    copy_text(task_.parent, parent);
    task_.supervisor = ::getpid();
    const std::string keepers = CgroupKeeper::keeper_directory(task_);
    if (::mkdir(keepers.c_str(), 0755) < 0) {
        const int error_number = errno;
        task_ = {}; // nothing is ours there
        throw Error("cannot make the cgroup " + quoted(keepers)).kernel(error_number);
    }
    keeper_->set(task_);
    const bool moved = cgroup::write(keepers, "cgroup.procs", std::to_string(keeper_->pid())) &&
                       (!task_.dissolves || cgroup::write(keepers, "cgroup.procs", "0"));
    if (!moved) {
        const int error_number = errno;
        throw Error("cannot move a process into the cgroup " + quoted(keepers)).kernel(error_number);
    }
    cgroup_.emplace(CgroupKeeper::sandbox_directory(task_));
    cgroup_->add(child_);
    for (const pid_t companion : companions_) {
        cgroup_->add(companion);
    }
    if (!read_small_file(parent + "/cgroup.procs").empty()) {
        throw Error("cannot limit a part of the cgroup " + quoted(parent))
            .cause("it has other processes than this one, and the kernel limits no child of such a cgroup")
            .fix("start it alone in one: systemd-run --user --scope -p Delegate=yes sandbox ...");
    }
}

void SandboxCgroup::enable_controllers(const std::string& parent) {
    const std::string available = cgroup::controllers(parent);
    const std::string enabled = read_line(parent + "/cgroup.subtree_control");
    std::vector<std::string> wanted;
    for (const std::string controller : kCounting) {
        const bool limits = std::ranges::find(limits_, controller, &CgroupLimit::controller) != limits_.end();
        if ((limits || plan_.stats) && missing_controllers({controller}, available).empty() &&
            !missing_controllers({controller}, enabled).empty()) {
            wanted.push_back(controller);
        }
    }
    if (wanted.empty()) {
        return;
    }
    // Told before it is done: whoever kills the supervisor in between does not leave them on.
    copy_text(task_.switch_off, fmt::format("-{}", fmt::join(wanted, " -")));
    keeper_->set(task_);
    if (!cgroup::write(parent, "cgroup.subtree_control", fmt::format("+{}", fmt::join(wanted, " +")))) {
        const int error_number = errno;
        throw Error(fmt::format("cannot switch on the controllers {} below the cgroup {}", fmt::join(wanted, ", "),
                                quoted(parent)))
            .kernel(error_number);
    }
}

/// There is no place: an error where a limit is required, else a notice.
void SandboxCgroup::give_up(const Error& error) {
    const CgroupObstacle obstacle = obstacle_of(error);
    refuse_required(limits_, obstacle);
    obstacle_ = obstacle.cause;
    if (!limits_.empty()) {
        notices_.push_back(off_notice(limits_, obstacle));
    }
    limits_.clear();
}

std::optional<CgroupUsage> SandboxCgroup::usage() const {
    // Where it was given up half-way, it counts something else.
    return directory().empty() ? std::nullopt : std::optional(cgroup_->usage());
}

} // namespace sandbox
