// Work on the store is done in a process of its own, in a user namespace in which the caller is root and his
// subordinate ids exist: only so can it give files to other owners, read them, and remove them. user_namespaces(7)
#pragma once

#include <functional>
#include <string>

#include "core/plan/host.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::image {

/// The map of `--user root`: the caller is 0, the subordinate ranges follow; or the caller alone.
struct OwnersPlan {
    IdsPlan ids;
    bool single_owner = false;
    std::string why_single; ///< what is missing for more: "user dev has no range in /etc/subuid"
    std::string fix;        ///< what gives more
};

[[nodiscard]] OwnersPlan plan_owners(const Host& host);

/// Runs `work` in such a process, whose root directory is `directory`: no path leads out of it. What it has open stays
/// open. A SIGINT or SIGTERM makes `expect_not_interrupted` throw there.
/// \return what `work` returned. \throws Error that `work` threw, or where there can be no such process.
[[nodiscard]] std::string run_in_user_namespace(const OwnersPlan& owners, const std::string& directory,
                                                const std::function<std::string()>& work);

/// \throws Error (status 128 + N) where a signal asked the work to end.
void expect_not_interrupted();

} // namespace sandbox::image
