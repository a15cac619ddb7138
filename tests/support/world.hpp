// The surroundings of a run test: a fresh home with a project in it, the installed program, and what was left behind.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/process.hpp"

namespace sandbox::test {

/// The installed program, its companion and the probes: $SANDBOX_TEST_PREFIX and $SANDBOX_TEST_PROBES say where.
[[nodiscard]] std::string sandbox_program();
[[nodiscard]] std::string sandboxctl_program();
[[nodiscard]] std::string probe(std::string_view name);
[[nodiscard]] std::string probe_directory();

/// Whether `name` is found in a directory of the programs of the system.
[[nodiscard]] bool installed(std::string_view name);

using Words = std::vector<std::string>;

/// A fixture: every test case has a home of its own, with a project in it, and leaves nothing behind.
struct World {
    World();
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    std::filesystem::path home;
    std::filesystem::path project; ///< home / "project"
    std::filesystem::path runtime; ///< the user's runtime directory; empty where there is none

    /// The options of a process in this world: $HOME is `home`, the current directory `project`.
    [[nodiscard]] Options here() const;
    /// The same with a runtime directory, below `home`, as a login makes one: sandboxes that run are recorded there.
    [[nodiscard]] Options logged_in() const;
    /// `sandbox WORDS...` as the user, in the project.
    Result sandbox(const Words& words) const { return sandbox(words, here()); }
    Result sandbox(const Words& words, const Options& options) const;
    /// `sandboxctl WORDS...`, of a user who is logged in.
    Result ctl(const Words& words) const { return ctl(words, logged_in()); }
    Result ctl(const Words& words, const Options& options) const;
    /// `sandbox --profile PROFILE --ro PROBES -- WORDS...`
    Result inside(const std::string& profile, const Words& words) const { return inside(profile, words, here()); }
    Result inside(const std::string& profile, const Words& words, const Options& options) const;
    /// WORDS... as the user, without a sandbox: the control of an attack.
    Result outside(const Words& words) const { return run(words, here()); }
    /// `sh -c SCRIPT` inside `strict`.
    Result strict_sh(const std::string& script) const { return inside("strict", {"sh", "-c", script}); }
    /// `sh -c SCRIPT` without a sandbox.
    Result sh(const std::string& script) const { return outside({"sh", "-c", script}); }

    /// Writes a file of the user's, with the directories above it.
    std::filesystem::path write(const std::filesystem::path& path, std::string_view text, unsigned mode = 0644) const;
    /// Makes a directory of the user's, with those above it.
    std::filesystem::path directory(const std::filesystem::path& path, unsigned mode = 0755) const;
    /// Writes a profile into the user's directory of profiles.
    void profile(const std::string& name, std::string_view toml) const;
};

/// Whether the programs that are tested run under sanitizers.
[[nodiscard]] bool is_sanitized();

/// How often a test repeats that trusts to luck: `plain` times; a tenth of that under sanitizers and on the
/// workstation, where each round is many times as long.
[[nodiscard]] int rounds(int plain);

/// Makes the test user the owner, where root started the tests. A link itself, not what it leads to.
void give_to_user(const std::filesystem::path& path);

[[nodiscard]] std::string read_file(const std::filesystem::path& path);

/// Every entry below `root`: path, type, mode, owner, size, time of change, link text. For "as it was before".
[[nodiscard]] std::string tree(const std::filesystem::path& root);

/// What the test user has on the machine: processes (also those of subordinate ids), mounts, files of ours.
/// Two of them are equal where nothing was left behind.
struct Belongings {
    std::vector<std::string> processes;
    std::string mounts;
    std::string files;

    bool operator==(const Belongings&) const = default;
};
[[nodiscard]] Belongings belongings(const World& world);
/// Once they do not change any more: what is just ending is not there later.
[[nodiscard]] Belongings belongings_at_rest(const World& world);
/// Looks until `before` holds again, at most for `patience`: a killed process needs a moment to go.
[[nodiscard]] Belongings belongings_settled(const World& world, const Belongings& before,
                                            std::chrono::seconds patience = std::chrono::seconds(20));
std::ostream& operator<<(std::ostream& out, const Belongings& belongings);
std::ostream& operator<<(std::ostream& out, const Result& result);

/// A file system mounted for the length of a scope (root only).
class ScopedMount {
public:
    ScopedMount(const std::string& type, const std::filesystem::path& target, unsigned long flags = 0,
                const std::string& data = "");
    ScopedMount(const ScopedMount&) = delete;
    ScopedMount& operator=(const ScopedMount&) = delete;
    ~ScopedMount();

private:
    std::filesystem::path target_;
};

} // namespace sandbox::test
