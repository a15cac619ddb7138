// What CMD's filter refused, counted while CMD runs: seccomp_unotify(2).
//
// The reporting form of the filter (seccomp.hpp) asks here where the plain form would answer an errno, and gets that
// errno: the plain form is run over the same registers. No answer of ours lets a call through (CONTINUE) that the plain
// form refuses, or gives CMD a descriptor (ADDFD), so nothing that goes wrong here, not even our death, lets CMD do
// what the filter refuses. Of a refused call only the registers are read, and nothing waits for CMD.
//
// With --explain the filter asks about calls that name files too, where the plain form lets them pass (asking_about).
// These go on (CONTINUE), after their names have been read from CMD's memory: the answer does not hang on them.
//
// With --permissive the plain form is empty, no filter guards CMD, and what another profile would refuse is counted in
// the place of what was refused (on_trial). It goes on, as all that the plain form lets pass.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/observed_paths.hpp"
#include "core/plan/plan.hpp"
#include "core/seccomp.hpp"

namespace sandbox {

/// Calls that were refused for one reason.
struct RefusedCall {
    std::string syscall; ///< as CallReasons names it
    /// The argument that an entry of the filter tests, and its low 32 bits; -1: only the number counts.
    int argument = -1;
    std::uint32_t value = 0;
    int error_number = 0;
    std::string program; ///< comm of the process, as it called itself: proc_pid_comm(5); empty: it was gone
    std::uint64_t count = 0;
    const SeccompEntry* entry = nullptr; ///< what refused it; null: the filter's default
};

/// Answers and counts until CMD is gone.
class RefusedCalls {
public:
    /// Both must outlive it.
    RefusedCalls(const SeccompPlan& plan, const seccomp::Filter& filter);
    RefusedCalls(const RefusedCalls&) = delete;
    RefusedCalls& operator=(const RefusedCalls&) = delete;
    ~RefusedCalls();

    /// From here on refused calls wait for `serve`.
    void attach(Fd listener);

    static constexpr std::size_t kWatched = 1;
    /// Watches for the first refused call: most runs have none, and need no thread.
    void watch(pollfd* watched) const;
    /// Answers: through a thread of its own, which a stopped terminal or a slow helper does not delay.
    void serve(const pollfd* watched);

    /// Ends the thread. Call it when CMD is gone. \return what was refused, the most frequent first.
    [[nodiscard]] std::vector<RefusedCall> finish();
    /// Calls that found no place in the list, by their kinds more than it has.
    [[nodiscard]] std::uint64_t uncounted() const;
    /// The names of files that were asked for, where the filter asks about them; after `finish`.
    [[nodiscard]] ObservedPaths& paths() { return paths_; }

private:
    struct Thread;

    const SeccompPlan& plan_;
    const seccomp::Filter& filter_;
    Fd listener_;
    ObservedPaths paths_;
    std::unique_ptr<Thread> thread_;
};

} // namespace sandbox
