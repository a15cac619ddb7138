#include "tests/bench/peers.hpp"

#include <sched.h>
#include <sys/mount.h>

#include <fmt/format.h>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/users.hpp"

namespace fs = std::filesystem;
using nlohmann::json;

namespace sandbox::bench {

void write_peer_plan(const json& plan, const fs::path& filter, const fs::path& target) {
    std::ofstream file(target);
    const json& ids = plan.at("ids");
    for (const auto& [name, index] : {std::pair("uid", 0), std::pair("gid", 1)}) {
        for (const json& line : ids.at(std::string(name) + "_map")) {
            file << fmt::format(
                "{}\t{}\t{}\t{}\t{}\n", name,
                ids.at("maps_written_by").at("value").at(static_cast<std::size_t>(index)).get<std::string>(),
                line.at("inside").get<unsigned>(), line.at("outside").get<unsigned>(),
                line.at("count").get<unsigned>());
        }
    }
    file << fmt::format("ids\t{}\t{}\n", ids.at("uid").at("value").get<unsigned>(),
                        ids.at("gid").at("value").get<unsigned>());
    file << "hostname\t" << plan.at("namespaces").at("hostname").at("value").get<std::string>() << '\n';
    file << "workdir\t" << plan.at("command").at("workdir").at("value").get<std::string>() << '\n';
    file << "filter\t" << filter.string() << '\n';
    for (const json& entry : plan.at("filesystem").at("entries")) {
        const std::string kind = entry.at("kind");
        const std::string dest = entry.at("dest");
        file << kind << '\t' << dest;
        if (kind == "bind") {
            file << fmt::format("\t{}\t{}\t{}", entry.at("source").get<std::string>(),
                                entry.at("writable").get<bool>() ? "w" : "r",
                                entry.at("devices").get<bool>() ? "d" : "n");
        } else if (kind == "link") {
            file << '\t' << entry.at("target").get<std::string>();
        } else if (kind == "directory" || kind == "private_directory") {
            file << '\t' << entry.at("mode").get<unsigned>();
        }
        file << '\n';
    }
}

void write_bundle(const json& plan, const fs::path& bundle, long memory) {
    json mounts = json::array({
        {{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
        {{"destination", "/dev"}, {"type", "tmpfs"}, {"source", "tmpfs"}, {"options", {"nosuid", "mode=755"}}},
        {{"destination", "/dev/pts"},
         {"type", "devpts"},
         {"source", "devpts"},
         {"options", {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}}},
        {{"destination", "/tmp"},
         {"type", "tmpfs"},
         {"source", "tmpfs"},
         {"options", {"nosuid", "nodev", "mode=1777"}}},
    });
    // The container's root is a subordinate id, which may not make them.
    for (const char* directory : {"proc", "dev", "tmp", "usr", "etc", "opt"}) {
        fs::create_directories(bundle / "rootfs" / directory);
    }
    for (const char* directory : {"/usr", "/etc", "/opt"}) {
        mounts.push_back({{"destination", directory},
                          {"type", "bind"},
                          {"source", directory},
                          {"options", {"rbind", "ro", "nosuid", "nodev"}}});
    }
    for (const char* link : {"bin", "sbin", "lib", "lib64"}) {
        if (fs::is_symlink(fs::path("/") / link)) {
            fs::create_symlink(fs::read_symlink(fs::path("/") / link), bundle / "rootfs" / link);
        }
    }
    json uid_map = json::array();
    json gid_map = json::array();
    for (const auto& [from, to] : {std::pair("uid_map", &uid_map), std::pair("gid_map", &gid_map)}) {
        for (const json& line : plan.at("ids").at(from)) {
            to->push_back(
                {{"containerID", line.at("inside")}, {"hostID", line.at("outside")}, {"size", line.at("count")}});
        }
    }
    json namespaces = json::array();
    for (const char* type : {"user", "pid", "network", "mount", "uts", "ipc", "cgroup"}) {
        namespaces.push_back({{"type", type}});
    }
    json config = {
        {"ociVersion", "1.0.0"},
        {"hostname", "sandbox"},
        {"process",
         {{"user", {{"uid", plan.at("ids").at("uid").at("value")}, {"gid", plan.at("ids").at("gid").at("value")}}},
          {"args", {"true"}},
          {"cwd", "/"},
          {"env", {"PATH=/usr/bin:/bin"}},
          {"noNewPrivileges", true}}},
        {"root", {{"path", "rootfs"}, {"readonly", true}}},
        {"mounts", mounts},
        {"linux",
         {{"namespaces", namespaces},
          {"uidMappings", uid_map},
          {"gidMappings", gid_map},
          {"maskedPaths",
           {"/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/proc/interrupts"}},
          {"readonlyPaths", {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}}}},
    };
    if (memory != 0) {
        config["linux"]["resources"]["memory"]["limit"] = memory;
    }
    std::ofstream(bundle / "config.json") << config.dump(2);
}

void show_unified_cgroups() {
    if (test::started_by_root() && !fs::exists("/sys/fs/cgroup/cgroup.controllers") &&
        fs::exists("/sys/fs/cgroup/unified") && ::unshare(CLONE_NEWNS) == 0) {
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
        ::mount("/sys/fs/cgroup/unified", "/sys/fs/cgroup", nullptr, MS_BIND, nullptr);
    }
}

} // namespace sandbox::bench
