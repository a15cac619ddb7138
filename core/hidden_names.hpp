// The links of the hidden names: a private home holds one for each of the usual secrets, and the kernel notes in a
// link's time of access when somebody walks it. Each has a second name in a directory outside of the sandbox's root,
// through which the supervisor reads that time: nothing that CMD does to the home leads it elsewhere.
#pragma once

#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/base/identity.hpp"
#include "core/base/step.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::hidden_names {

/// The name of Places::second in the stage of the root (root::Assembled).
constexpr const char* kSecondNames = "hidden-names";

/// Two directories of one mount, which CMD never sees: link(2) makes no second name in another.
struct Places {
    Fd home;   ///< the private home, without what is mounted in it; none: the plan has no links
    Fd second; ///< empty; the second names, "0", "1"... in the order of HiddenNames::list
};

/// Makes the directories, which belong to `owner`. Before: all that the plan mounts in the home is there, and nothing
/// runs inside. Plain code, for between clone and exec, as is the next; both leave through `failure`.
void make_directories(const Places& places, const HiddenNames& names, const Identity& owner,
                      const StepReporter& failure);

/// Makes the links. Before: CMD has not started; others may have entered the sandbox, and a name that they took has no
/// link.
void plant(const Places& places, const HiddenNames& names, const StepReporter& failure);

/// What was walked, of the names that the host has: the others hide nothing. Before: nothing of the sandbox runs.
/// `stage` is root::Assembled's; without one nothing was. A link whose inode was changed otherwise (times set, name
/// removed) tells nothing.
[[nodiscard]] std::vector<std::string> looked_at(int stage, const HiddenNames& names);

} // namespace sandbox::hidden_names
