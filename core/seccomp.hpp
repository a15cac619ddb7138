// The system call filter: seccomp(2), compiled by libseccomp, cached, loaded by CMD's own process as its last act.
//
// What a SeccompPlan decides about a call, first match wins:
//   1. an entry that kills; 2. an entry that answers an errno, in their order; 3. an entry that logs (the call is
//   executed, and the kernel writes it to the audit log); 4. an entry that allows; 5. the default action.
// Every test compares the low 32 bits of an argument, as the kernel does where the argument is an int: what an attacker
// puts above them changes nothing.
//
// How the words of [seccomp] become that (core/plan/seccomp_plan.hpp):
//   - default: deny (EPERM), allow, kill (the whole process, with SIGSYS) or log. Without it: deny.
//   - allow, deny: names of calls and @groups; both lists add through `extends`. `deny` answers EPERM, and beats
//     `allow`.
//   - [[seccomp.rule]] with deny, kill or an errno restricts, on top of any allowance, when its conditions hold. The
//     strictest wins: kill, then errnos, the first written first, the deny list after the rules. A rule with log lets
//     the call pass and has it logged.
//   - A rule with allow and conditions is the only thing that allows its calls: a mention in `allow`, perhaps by a
//     group, does not widen it. A rule with allow and no conditions does.
//   - Conditions of a rule hold together. "==" and "in": one of the values; "&": one of the bits at least; "!&": none.
//   - default = "allow" with no restriction is no filter at all.
//   - clone3 refused by `deny` or by the default answers ENOSYS instead of EPERM, so that libc falls back to clone,
//     whose flags a rule can test. To test clone's flags and allow clone3 is an error.
//
// A number that no known call has (newer than all of them, or in a gap of the table) answers ENOSYS, so that libc falls
// back, unless the default action lets calls pass: then it passes too. Calls of an architecture that the profile does
// not name are killed, x32's among them (x86_64's numbers with bit 30 set). On x86, which has socketcall and ipc, a
// test of the arguments of a call that these can stand for, with them allowed, is an error.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/plan/plan.hpp"

namespace sandbox::seccomp {

/// A classic BPF program over struct seccomp_data.
struct Program {
    std::vector<sock_filter> instructions;

    [[nodiscard]] bool empty() const { return instructions.empty(); }
};

struct Filter;

/// What a profile would refuse that does not guard CMD: it is noted, and goes on. Only `on_trial` makes one.
class Trial {
public:
    /// The errno that the profile would answer, 0 where it would kill; nothing where it would let the call pass, or
    /// answer ENOSYS, which libc tries on purpose.
    [[nodiscard]] std::optional<int> refusal(const seccomp_data& call) const;

private:
    explicit Trial(Program program) : program_(std::move(program)) {}
    friend Filter on_trial(const Filter& own, Program tried, const SeccompPlan& plan,
                           std::span<const std::uint32_t> numbers);

    Program program_;
};

/// A filter in two forms.
struct Filter {
    /// What CMD is held to, in every case: who answers the reporting form lets nothing pass that this refuses.
    Program plain;
    /// Answers as `plain` does, except that a refusal worth reporting waits for the answer of whoever listens
    /// (seccomp_unotify(2)), which is to be `plain`'s: refused_calls.hpp. Empty where there is nothing to report.
    Program reporting;
    /// `reporting` asks about calls too that `plain` lets pass, execve(2) among them.
    bool asks_about_allowed = false;
    std::optional<Trial> trial = {}; ///< only where `plain` refuses nothing
};

/// A filter whose reporting form asks about the calls with these numbers of the native architecture as well, where the
/// plain form lets them pass whatever their arguments. \throws Error where it gets too long for the kernel.
[[nodiscard]] Filter asking_about(Filter filter, const SeccompPlan& plan, std::span<const std::uint32_t> numbers);

/// For a CMD that no filter guards: the reporting form asks about all that `tried`, the plain form of `plan`, refuses
/// but for ENOSYS, and about `numbers`. \param own CMD's own filter. \throws Error where that is one.
[[nodiscard]] Filter on_trial(const Filter& own, Program tried, const SeccompPlan& plan,
                              std::span<const std::uint32_t> numbers);

/// Compiles the plan to the plain form; a plan without a filter gives an empty program. \throws Error where libseccomp
/// refuses, or where the program is longer than the 4096 instructions that the kernel takes.
[[nodiscard]] Program compile(const SeccompPlan& plan);

/// Both forms, through the cache in `data_dir`/seccomp: an entry that is stale, damaged, or not owned by the caller
/// alone is not used but replaced. A cache that cannot be used costs time, never safety. \throws as `compile` does.
[[nodiscard]] Filter load_or_compile(const SeccompPlan& plan, const std::string& data_dir);

/// Whether the kernel would take the program: known instructions, jumps forward and inside, a return at the end.
[[nodiscard]] bool is_well_formed(std::span<const sock_filter> instructions);

/// Loads the program for the calling thread: no_new_privs must be set. Plain code, for between clone and exec.
/// \return seccomp(2)'s result: 0, or -1 and errno.
[[nodiscard]] int load(const Program& program);

/// The same for a reporting form. \return the descriptor of the listener, close-on-exec; or -1 and errno: EBUSY where a
/// filter around us has a listener already.
[[nodiscard]] int load_reporting(const Program& program);

/// What the kernel would answer: SECCOMP_RET_* of the first return that is reached. `program` is well-formed.
[[nodiscard]] std::uint32_t evaluate(const Program& program, const seccomp_data& data);

} // namespace sandbox::seccomp
