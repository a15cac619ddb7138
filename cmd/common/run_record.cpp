#include "cmd/common/run_record.hpp"

#include <nlohmann/json.hpp>

#include "cmd/common/json.hpp"

namespace sandbox {

namespace {

/// Another number is another layout.
constexpr int kVersion = 1;

/// Words of CMD are any bytes, and JSON's are UTF-8: each byte above 127 becomes the character of that number.
std::string widen(std::string_view bytes) {
    std::string wide;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            wide += c;
        } else {
            wide += static_cast<char>(0xc0U | (byte >> 6U));
            wide += static_cast<char>(0x80U | (byte & 0x3fU));
        }
    }
    return wide;
}

std::string narrow(const std::string& wide) {
    std::string bytes;
    for (std::size_t i = 0; i < wide.size(); ++i) {
        const auto first = static_cast<unsigned char>(wide[i]);
        if (first >= 0xc0 && i + 1 < wide.size()) {
            bytes += static_cast<char>((first << 6U) | (static_cast<unsigned char>(wide[++i]) & 0x3fU));
        } else {
            bytes += wide[i];
        }
    }
    return bytes;
}

Json words(const std::vector<std::string>& list) {
    Json result = Json::array();
    for (const std::string& word : list) {
        result.push_back(widen(word));
    }
    return result;
}

std::vector<std::string> read_words(const Json& list) {
    std::vector<std::string> result;
    for (const Json& word : list) {
        result.push_back(narrow(word.get<std::string>()));
    }
    return result;
}

Json to_json(const ProcessIdentity& process) {
    return {{"pid", process.pid}, {"start_time", process.start_time}};
}

ProcessIdentity read_process(const Json& json) {
    return {.pid = json.at("pid").get<pid_t>(), .start_time = json.at("start_time").get<std::uint64_t>()};
}

Json map_json(const std::vector<MapEntry>& map) {
    Json result = Json::array();
    for (const MapEntry& entry : map) {
        result.push_back({entry.inside, entry.outside, entry.count});
    }
    return result;
}

std::vector<MapEntry> read_map(const Json& json) {
    std::vector<MapEntry> map;
    for (const Json& entry : json) {
        map.push_back(
            {entry.at(0).get<std::uint32_t>(), entry.at(1).get<std::uint32_t>(), entry.at(2).get<std::uint32_t>()});
    }
    return map;
}

Json restrictions_json(const RecordedRestrictions& held) {
    Json limits = Json::array();
    for (const RecordedLimit& limit : held.limits) {
        limits.push_back({limit.resource, limit.soft, limit.hard});
    }
    Json environment = Json::array();
    for (const auto& [name, value] : held.environment) {
        environment.push_back({widen(name), widen(value)});
    }
    return {{"uid", held.uid},
            {"gid", held.gid},
            {"groups", held.groups},
            {"drops_groups", held.drops_groups},
            {"capabilities", held.capabilities},
            {"limits", std::move(limits)},
            {"environment", std::move(environment)},
            {"workdir", widen(held.workdir)},
            {"uid_map", map_json(held.uid_map)},
            {"gid_map", map_json(held.gid_map)},
            {"filter", held.has_filter}};
}

RecordedRestrictions read_restrictions(const Json& json) {
    RecordedRestrictions held;
    held.uid = json.at("uid").get<std::uint32_t>();
    held.gid = json.at("gid").get<std::uint32_t>();
    held.groups = json.at("groups").get<std::vector<std::uint32_t>>();
    held.drops_groups = json.at("drops_groups").get<bool>();
    held.capabilities = json.at("capabilities").get<std::vector<int>>();
    for (const Json& limit : json.at("limits")) {
        held.limits.push_back({.resource = limit.at(0).get<int>(),
                               .soft = limit.at(1).get<std::uint64_t>(),
                               .hard = limit.at(2).get<std::uint64_t>()});
    }
    for (const Json& entry : json.at("environment")) {
        held.environment.emplace_back(narrow(entry.at(0).get<std::string>()), narrow(entry.at(1).get<std::string>()));
    }
    held.workdir = narrow(json.at("workdir").get<std::string>());
    held.uid_map = read_map(json.at("uid_map"));
    held.gid_map = read_map(json.at("gid_map"));
    held.has_filter = json.at("filter").get<bool>();
    return held;
}

Json ports_json(const std::vector<RecordedPort>& ports) {
    Json result = Json::array();
    for (const RecordedPort& port : ports) {
        result.push_back(port_json(port));
    }
    return result;
}

std::vector<RecordedPort> read_ports(const Json& json) {
    std::vector<RecordedPort> ports;
    for (const Json& port : json) {
        ports.push_back({.address = port.at("address").get<std::string>(),
                         .is_udp = port.at("protocol").get<std::string>() == "udp",
                         .host_port = port.at("host_port").get<std::uint16_t>(),
                         .sandbox_port = port.at("sandbox_port").get<std::uint16_t>()});
    }
    return ports;
}

Json namespaces_json(const RunRecord& record) {
    Json result = Json::object();
    for (std::size_t i = 0; i < record.namespaces.size(); ++i) {
        const RecordedNamespace& one = record.namespaces[i];
        result[kNamespaceNames[i]] = {{"inode", one.inode}, {"descriptor", one.descriptor}};
    }
    return result;
}

RunRecord read_record(const Json& json) {
    RunRecord record;
    record.name = json.at("name").get<std::string>();
    record.profile = narrow(json.at("profile").get<std::string>());
    record.arguments = read_words(json.at("arguments"));
    record.started = json.at("started").get<std::int64_t>();
    record.supervisor = read_process(json.at("supervisor"));
    record.init = read_process(json.at("init"));
    for (std::size_t i = 0; i < record.namespaces.size(); ++i) {
        const Json& one = json.at("namespaces").at(kNamespaceNames[i]);
        record.namespaces[i] = {.inode = one.at("inode").get<std::uint64_t>(),
                                .descriptor = one.at("descriptor").get<int>()};
    }
    record.cgroup = narrow(json.at("cgroup").get<std::string>());
    record.unit = narrow(json.at("unit").get<std::string>());
    record.bus = narrow(json.at("bus").get<std::string>());
    record.network_mode = json.at("network").get<std::string>();
    record.published = read_ports(json.at("published"));
    record.image = json.at("image").get<std::string>();
    record.image_id = json.at("image_id").get<std::string>();
    record.kept = json.at("kept").get<std::string>();
    record.stop_signal = narrow(json.at("stop_signal").get<std::string>());
    record.shares_pid_namespace = json.at("shares_pid_namespace").get<bool>();
    record.restrictions = read_restrictions(json.at("restrictions"));
    return record;
}

} // namespace

std::string to_text(const RunRecord& record) {
    const Json document = {{"record", kVersion},
                           {"name", record.name},
                           {"profile", widen(record.profile)},
                           {"arguments", words(record.arguments)},
                           {"started", record.started},
                           {"supervisor", to_json(record.supervisor)},
                           {"init", to_json(record.init)},
                           {"namespaces", namespaces_json(record)},
                           {"cgroup", widen(record.cgroup)},
                           {"unit", widen(record.unit)},
                           {"bus", widen(record.bus)},
                           {"network", record.network_mode},
                           {"published", ports_json(record.published)},
                           {"image", record.image},
                           {"image_id", record.image_id},
                           {"kept", record.kept},
                           {"stop_signal", widen(record.stop_signal)},
                           {"shares_pid_namespace", record.shares_pid_namespace},
                           {"restrictions", restrictions_json(record.restrictions)}};
    return document.dump() + "\n";
}

std::optional<RunRecord> read_run_record(std::string_view text) {
    const Json document = Json::parse(text, nullptr, false);
    if (!document.is_object() || document.value("record", Json()) != kVersion) {
        return std::nullopt;
    }
    try {
        return read_record(document);
    } catch (const Json::exception&) {
        return std::nullopt; // a member is missing, or of another type
    }
}

} // namespace sandbox
