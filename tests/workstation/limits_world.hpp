// The surroundings of a test of limits: a world in which no cgroup of a sandbox is, before and after.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/world.hpp"

namespace sandbox::test {

/// The cgroups of sandboxes, wherever they are.
[[nodiscard]] Words cgroups();

/// Whether it holds in the end: systemd takes an empty scope away a moment later.
[[nodiscard]] bool settles(const std::function<bool()>& holds);

/// The JSON line of --stats=json.
[[nodiscard]] nlohmann::json stats(const Result& result);

struct Limits : World {
    Limits();
    ~Limits();
    Limits(const Limits&) = delete;
    Limits& operator=(const Limits&) = delete;

    /// OPTIONS --ro PROBES -- hog WORDS
    [[nodiscard]] static Words with_hog(Words options, const Words& words);
    [[nodiscard]] Result hog(Words options, const Words& words) const;
    /// A sandbox that runs until it is told to go on.
    [[nodiscard]] Process waiting(Words options) const;

    /// Every cgroup of a sandbox goes in the end; tells what stands in one that stays.
    void expect_nothing_left() const;
    /// `ended` is a `hog memory` that the kernel killed at its limit, and not before.
    static void expect_killed_at(const std::string& limit, long mebibytes, const Result& ended);
    /// `refused` is a run with --memory 64m that did not start.
    static void expect_refused(const Result& refused, const std::string& cause);
};

} // namespace sandbox::test
