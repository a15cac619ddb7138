// The record of a run, as `sandbox` writes it and `sandboxctl` reads it: JSON in the registry, core/run_registry.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/message.hpp"
#include "core/plan/plan.hpp"
#include "core/process_identity.hpp"

namespace sandbox {

/// A port of the host that leads to one of the sandbox, with the number that the kernel chose.
struct RecordedPort {
    std::string address;
    bool is_udp = false;
    std::uint16_t host_port = 0;
    std::uint16_t sandbox_port = 0;

    bool operator==(const RecordedPort&) const = default;
};

/// A namespace of the run, and the descriptor of the supervisor that leads to it.
struct RecordedNamespace {
    std::uint64_t inode = 0;
    int descriptor = -1;

    bool operator==(const RecordedNamespace&) const = default;
};

/// One resource limit: setrlimit(2).
struct RecordedLimit {
    int resource = 0;
    std::uint64_t soft = 0;
    std::uint64_t hard = 0;

    bool operator==(const RecordedLimit&) const = default;
};

/// What CMD was started with: the part of the Plan that a process which enters later is held to. Its filter stands
/// beside the record.
struct RecordedRestrictions {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
    bool drops_groups = true;          ///< `groups` were set; else they are the caller's
    std::vector<int> capabilities;     ///< that are kept, by number
    std::vector<RecordedLimit> limits; ///< all that the kernel has
    std::vector<std::pair<std::string, std::string>> environment;
    std::string workdir;
    std::vector<MapEntry> uid_map;
    std::vector<MapEntry> gid_map;
    bool has_filter = false;

    bool operator==(const RecordedRestrictions&) const = default;
};

struct RunRecord {
    std::string name;
    std::string profile;
    std::vector<std::string> arguments;
    std::int64_t started = 0; ///< microseconds of the system's clock
    ProcessIdentity supervisor;
    ProcessIdentity init;
    std::array<RecordedNamespace, kNamespaceNames.size()> namespaces;
    std::string cgroup;       ///< the directory of the sandbox's cgroup; empty: it has none
    std::string unit;         ///< the scope of systemd that the cgroup lies in; empty: it lies in none
    std::string bus;          ///< of the systemd that has made it
    std::string network_mode; ///< "slirp4netns"
    std::vector<RecordedPort> published;
    std::string image; ///< the reference; empty: none
    std::string image_id;
    std::string kept;        ///< the name under which its layers are kept; empty: they are not
    std::string stop_signal; ///< the image's; empty: it names none
    bool shares_pid_namespace = false;
    RecordedRestrictions restrictions;

    bool operator==(const RunRecord&) const = default;
};

/// On one line.
[[nodiscard]] std::string to_text(const RunRecord& record);

/// \return nothing where `text` is none of this version's.
[[nodiscard]] std::optional<RunRecord> read_run_record(std::string_view text);

} // namespace sandbox
