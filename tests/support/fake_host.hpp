// A made-up machine: a Host whose files stand in memory.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "core/plan/directory_entry.hpp"
#include "core/plan/host.hpp"
#include "core/plan/profile.hpp"

namespace sandbox::test {

/// A workstation with merged /usr and the user dev (1000), whose home is /home/dev and who stands in ~/project. Tests
/// change what they need. Directories above an added name are made.
class FakeHost {
public:
    FakeHost();

    /// The value that make_plan takes; later changes of files still count.
    Host host;
    /// What `host.look_at_network` answers.
    std::shared_ptr<NetworkFacts> network = std::make_shared<NetworkFacts>();

    /// What `host.find_image` finds, whatever is asked for: two layers, and a command.
    std::shared_ptr<Image> image = std::make_shared<Image>();

    void directory(const std::string& path) { add(path, {PathFact::Kind::directory, {}}); }
    void file(const std::string& path) { add(path, {PathFact::Kind::file, {}}); }
    void device(const std::string& path) { add(path, {PathFact::Kind::device, {}}); }
    void socket(const std::string& path) { add(path, {PathFact::Kind::other, {}}); }
    /// `path` is the directory `of` again, as a bind mount of it.
    void bind(const std::string& path, const std::string& of);
    void link(const std::string& path, const std::string& target);
    void remove(const std::string& path);
    /// Nobody can look below `path`: EACCES.
    void lock(const std::string& path);
    /// What the directories hold; one that is locked cannot be read.
    [[nodiscard]] ListDirectory list_directory() const;
    /// Only what lies below one of these can be written; all can at first.
    void only_writable(std::set<std::string> directories);

private:
    struct Node {
        PathFact::Kind kind = PathFact::Kind::directory;
        std::string link_target;
        FileIdentity identity = {};
    };
    struct Files {
        std::map<std::string, Node> nodes;
        std::set<std::string> locked;
        std::set<std::string> writable{"/"};
    };

    void add(const std::string& path, Node node);
    static PathFact look_up(const Files& files, const std::string& path);

    std::shared_ptr<Files> files_;
};

/// The cgroups of a machine with systemd, seen from a login session.
[[nodiscard]] CgroupFacts workstation_cgroups();

/// An item as if it stood in `file` (line `line`) under `key`.
[[nodiscard]] Item in_file(std::string text, std::string file = "test.toml", std::string key = "filesystem.test",
                           std::uint32_t line = 7);

/// An item as if it was given as `option` TEXT.
[[nodiscard]] Item by_option(std::string option, std::string text);

/// A profile like the built-in `default`: private home, /tmp, /var/tmp and /run; nothing granted yet, no filter.
[[nodiscard]] Profile test_profile();

} // namespace sandbox::test
