#include "cmd/sandbox/recorder.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "cmd/common/run_record.hpp"
#include "core/base/error.hpp"
#include "core/namespaces.hpp"
#include "core/plan/capabilities_plan.hpp"
#include "core/process_identity.hpp"

namespace sandbox {

namespace {

/// CMD's: the caller's, and over them what the plan sets.
std::vector<RecordedLimit> all_limits(const std::vector<ResourceLimit>& set) {
    std::vector<RecordedLimit> all;
    for (int resource = 0; resource < RLIM_NLIMITS; ++resource) {
        rlimit own{};
        if (::getrlimit(static_cast<__rlimit_resource>(resource), &own) == 0) {
            all.push_back({.resource = resource, .soft = own.rlim_cur, .hard = own.rlim_max});
        }
    }
    for (const ResourceLimit& limit : set) {
        const auto known = std::ranges::find(all, limit.resource, &RecordedLimit::resource);
        if (known != all.end()) {
            *known = {.resource = limit.resource, .soft = limit.soft, .hard = limit.hard};
        }
    }
    return all;
}

RecordedRestrictions restrictions_of(const Plan& plan, const Identity& identity, bool has_filter) {
    RecordedRestrictions held{.uid = identity.uid,
                              .gid = identity.gid,
                              .groups = {identity.groups, identity.groups + identity.group_count},
                              .drops_groups = plan.ids.drop_groups,
                              .capabilities = kept_by(plan, identity.uid).keep,
                              .limits = all_limits(plan.limits),
                              .environment = {},
                              .workdir = plan.process.workdir,
                              .uid_map = plan.ids.uid_map,
                              .gid_map = plan.ids.gid_map,
                              .has_filter = has_filter};
    for (const EnvironmentEntry& entry : plan.environment) {
        const bool is_home = plan.process.takes_home_from_root && entry.name == "HOME";
        held.environment.emplace_back(entry.name, is_home ? identity.home : entry.value);
    }
    return held;
}

std::vector<RecordedPort> ports_of(const std::vector<netns::Listener>& listeners) {
    std::vector<RecordedPort> ports;
    for (const netns::Listener& listener : listeners) {
        ports.push_back({.address = listener.port.address,
                         .is_udp = listener.port.is_udp,
                         .host_port = listener.port.host_port,
                         .sandbox_port = listener.port.sandbox_port});
    }
    return ports;
}

std::string_view bytes_of(const seccomp::Program& program) {
    return {reinterpret_cast<const char*>(program.instructions.data()),
            program.instructions.size() * sizeof(sock_filter)};
}

} // namespace

Recorder::Recorder(const Plan& plan, bool detached)
    : plan_(plan), is_detached_(detached), is_needed_(detached || !plan.name.empty()) {
    if (!plan.name.empty()) {
        entry_.emplace(RunEntry::with_name(plan.registry, plan.name));
        return;
    }
    try {
        entry_.emplace(RunEntry::with_made_name(plan.registry, plan.process.arguments.front()));
    } catch (const Error&) {
        if (is_needed_) {
            throw;
        }
        // Nobody asked for the record: the run is as good without it. `sandboxctl doctor` says why there is none.
    }
}

void Recorder::record(namespaces::Opened namespaces, const RunFacts& facts) {
    namespaces_ = std::move(namespaces);
    if (!entry_) {
        return;
    }
    try {
        write(facts);
    } catch (const Error&) {
        if (is_needed_) {
            throw;
        }
        entry_.reset(); // as in the constructor
    }
}

void Recorder::write(const RunFacts& facts) const {
    using std::chrono::microseconds;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const bool has_filter = program_ != nullptr && !program_->empty();
    constexpr std::array kModes = {"none", "host", "slirp4netns", "pasta"};
    RunRecord record{.name = entry_->name(),
                     .profile = plan_.profile,
                     .arguments = plan_.process.arguments,
                     .started = std::chrono::duration_cast<microseconds>(now).count(),
                     .supervisor = identify(::getpid()),
                     .init = identify(facts.init),
                     .namespaces = {},
                     .cgroup = facts.cgroup.directory(),
                     .unit = facts.cgroup.unit(),
                     .bus = facts.cgroup.unit().empty() ? "" : plan_.cgroup.places.bus,
                     .network_mode = kModes.at(static_cast<std::size_t>(plan_.network.mode)),
                     .published = ports_of(facts.listeners),
                     .image = plan_.root.tree ? plan_.root.tree->reference : "",
                     .image_id = plan_.root.tree ? plan_.root.tree->id : "",
                     .kept = plan_.overlays.keep,
                     .stop_signal = plan_.stop_signal,
                     .shares_pid_namespace = !plan_.namespaces.pid,
                     .restrictions = restrictions_of(plan_, facts.identity, has_filter)};
    const NamespaceInodes inodes = namespaces::inodes_of(namespaces_);
    for (std::size_t i = 0; i < inodes.size(); ++i) {
        record.namespaces[i] = {.inode = inodes[i], .descriptor = namespaces_[i].get()};
    }
    if (has_filter) {
        entry_->write(kFilterFile, bytes_of(*program_));
    }
    if (is_detached_) {
        entry_->mark_detached();
    }
    entry_->write(kRecordFile, to_text(record));
}

void Recorder::started() {
    if (is_detached_) {
        entry_->keep();
    }
}

NamespaceInodes Recorder::inodes() const {
    return namespaces::inodes_of(namespaces_);
}

std::optional<netns::Counters> Recorder::traffic() const {
    constexpr std::size_t kUser = 0;
    constexpr std::size_t kNet = 2;
    static_assert(std::string_view(kNamespaceNames[kUser]) == "user" &&
                  std::string_view(kNamespaceNames[kNet]) == "net");
    return has_namespaces() ? netns::count_in(namespaces_[kUser], namespaces_[kNet]) : std::nullopt;
}

void Recorder::ended(const std::string& status) const {
    if (entry_) {
        entry_->tell_status(status);
    }
}

} // namespace sandbox
