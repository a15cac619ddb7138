// From plan to program: for every architecture a tree over the numbers (seccomp_code.hpp), behind it, for the calls
// whose arguments decide, programs of libseccomp: one per kind of restriction, in which "allowed" means "go on to the
// next", and one with the allowances. libseccomp is given no program that both restricts and allows a call: there a
// plain allowance swallows a tested restriction, and a masked "not equal" does not exist, so that "ioctl, but not
// TIOCSTI" cannot be said in one without comparing 64 bits (CVE-2019-10063).
#include <fcntl.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/plan/syscalls.hpp"
#include "core/seccomp.hpp"
#include "core/seccomp_code.hpp"
#include "core/seccomp_marks.hpp"

namespace sandbox::seccomp {

namespace {

constexpr SeccompAction kAllow = {.kind = SeccompActionKind::allow};
constexpr SeccompAction kNoSuchCall = {.kind = SeccompActionKind::errno_value, .error_number = ENOSYS};

using Filter = std::unique_ptr<void, decltype(&::seccomp_release)>;

std::uint32_t libseccomp_action(const SeccompAction& action) {
    switch (action.kind) {
    case SeccompActionKind::allow:
        return SCMP_ACT_ALLOW;
    case SeccompActionKind::log:
        return SCMP_ACT_LOG;
    case SeccompActionKind::errno_value:
        return SCMP_ACT_ERRNO(return_value(action) & SECCOMP_RET_DATA);
    case SeccompActionKind::kill:
        return SCMP_ACT_KILL_PROCESS;
    }
    return SCMP_ACT_KILL_PROCESS;
}

void check(int result, std::string_view what) {
    if (result < 0) {
        throw Error("cannot compile the system call filter: " + std::string(what)).kernel(-result);
    }
}

/// An empty filter for one architecture.
Filter make_filter(const Architecture& architecture, const SeccompAction& otherwise) {
    Filter filter(::seccomp_init(libseccomp_action(otherwise)), &::seccomp_release);
    if (!filter) {
        throw Error("cannot compile the system call filter: libseccomp refuses to begin");
    }
    check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS), "foreign architectures");
    // A tree over the numbers: the kernel runs the program for every number when it is loaded.
    check(::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "the search tree");
    if (architecture.token != ::seccomp_arch_native()) {
        check(::seccomp_arch_remove(filter.get(), SCMP_ARCH_NATIVE), "the native architecture");
        check(::seccomp_arch_add(filter.get(), architecture.token), architecture.name);
    }
    return filter;
}

void add(const Filter& filter, const SeccompEntry& entry) {
    std::vector<scmp_arg_cmp> tests;
    for (const SeccompTest& test : entry.tests) {
        tests.push_back({.arg = test.argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = test.mask, .datum_b = test.value});
    }
    // libseccomp takes a native number for every architecture, and finds the others by its name.
    const int number = ::seccomp_syscall_resolve_name(entry.syscall.name.c_str());
    check(::seccomp_rule_add_array(filter.get(), libseccomp_action(entry.action), number,
                                   static_cast<unsigned>(tests.size()), tests.data()),
          entry.syscall.name);
}

/// Through a pipe, whose buffer holds more than the kernel takes as a program: a file would obey RLIMIT_FSIZE.
Code exported(const Filter& filter) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
        throw Error("cannot compile the system call filter: pipe").kernel(errno);
    }
    const Fd reader(ends[0]);
    Fd writer(ends[1]);
    check(::seccomp_export_bpf(filter.get(), writer.get()), "export");
    writer.reset();
    std::string bytes;
    if (!read_all(reader.get(), std::string::npos, bytes)) {
        throw Error("cannot compile the system call filter: its program cannot be read back").kernel(errno);
    }
    Code code(bytes.size() / sizeof(sock_filter));
    std::memcpy(code.data(), bytes.data(), code.size() * sizeof(sock_filter));
    return code;
}

/// The number of a call on an architecture (without its base), and whether libseccomp can write tests of its arguments.
struct Number {
    std::uint32_t number = 0;
    bool known_to_libseccomp = true;
};

/// \return nothing where the architecture has no such call.
std::optional<Number> number_of(const SyscallName& call, const Architecture& architecture) {
    // libseccomp lets x86's socketcall pass where socket is allowed, whatever the plan says of socketcall.
    if (architecture.name == "x86") {
        if (const auto* multiplexed = syscalls::find_multiplexed(call.name); multiplexed != nullptr) {
            return multiplexed->x86 < 0 ? std::nullopt
                                        : std::optional<Number>({.number = static_cast<std::uint32_t>(multiplexed->x86),
                                                                 .known_to_libseccomp = false});
        }
    }
    const int known = ::seccomp_syscall_resolve_name_arch(architecture.token, call.name.c_str());
    if (known >= 0) {
        return Number{.number = static_cast<std::uint32_t>(known) - architecture.base};
    }
    const bool native = architecture.token == ::seccomp_arch_native();
    if (known == __NR_SCMP_ERROR && call.number >= (native ? 0 : static_cast<int>(kFirstCommonNumber))) {
        return Number{.number = static_cast<std::uint32_t>(call.number), .known_to_libseccomp = false};
    }
    return std::nullopt;
}

/// Entries with one action, for one libseccomp program.
struct Segment {
    SeccompAction action;
    std::vector<const SeccompEntry*> entries;
    std::set<std::string_view> calls;
};

/// As few programs as keep, for each call, the order of its entries: the first one that holds counts.
std::vector<Segment> segments(const std::vector<const SeccompEntry*>& restrictions) {
    std::vector<Segment> found;
    for (const SeccompEntry* entry : restrictions) {
        const auto last_with_call = std::find_if(found.rbegin(), found.rend(), [&](const Segment& segment) {
            return segment.calls.contains(entry->syscall.name);
        });
        const auto from = last_with_call == found.rend() ? found.begin() : std::prev(last_with_call.base());
        auto place =
            std::find_if(from, found.end(), [&](const Segment& segment) { return segment.action == entry->action; });
        if (place == found.end()) {
            place = found.insert(place, {.action = entry->action, .entries = {}, .calls = {}});
        }
        place->entries.push_back(entry);
        place->calls.insert(entry->syscall.name);
    }
    return found;
}

Code program_of(const Architecture& architecture, const SeccompAction& otherwise,
                const std::vector<const SeccompEntry*>& entries) {
    if (entries.empty()) {
        Code code;
        append_return(code, return_value(otherwise));
        return code;
    }
    const Filter filter = make_filter(architecture, otherwise);
    for (const SeccompEntry* entry : entries) {
        add(filter, *entry);
    }
    return exported(filter);
}

/// All entries of the calls that an architecture has, by number.
using Calls = std::map<std::uint32_t, NumberedCall>;

std::set<std::uint32_t> quiet_numbers(const Architecture& architecture, const SeccompPlan& plan) {
    std::set<std::uint32_t> numbers;
    for (const std::string& name : plan.quiet) {
        if (const auto number = number_of({.name = name, .number = syscalls::find(name)->native()}, architecture)) {
            numbers.insert(number->number);
        }
    }
    return numbers;
}

/// The ranges of numbers and their answers, from 0 to the highest that a register holds.
std::vector<DecidedRange> ranges_of(const Architecture& architecture, const SeccompPlan& plan, const Calls& calls) {
    const std::set<std::uint32_t> quiet = quiet_numbers(architecture, plan);
    SeccompAction quiet_default = plan.default_action;
    quiet_default.quiet = true;
    std::vector<DecidedRange> ranges;
    const auto add = [&](std::uint32_t first, std::optional<std::uint32_t> answer) {
        if (ranges.empty() || ranges.back().answer != answer) {
            ranges.push_back({.first = architecture.base + first, .answer = answer});
        }
    };
    const std::uint32_t otherwise = return_value(plan.default_action);
    const bool passes =
        plan.default_action.kind == SeccompActionKind::allow || plan.default_action.kind == SeccompActionKind::log;
    const std::uint32_t no_call = passes ? otherwise : return_value(kNoSuchCall);
    for (const NumberRange& assigned : architecture.assigned) {
        for (std::uint32_t number = assigned.first; number <= assigned.last; ++number) {
            const auto call = calls.find(number);
            if (call == calls.end()) {
                add(number, quiet.contains(number) ? return_value(quiet_default) : otherwise);
            } else if (const SeccompEntry& strongest = *call->second.entries.front(); strongest.tests.empty()) {
                add(number, return_value(strongest.action));
            } else {
                add(number, std::nullopt);
            }
        }
        add(assigned.last + 1, no_call);
    }
    return ranges;
}

/// The decisions for one architecture; it never runs past its end.
Code body(const Architecture& architecture, const SeccompPlan& plan) {
    Calls calls;
    std::set<std::uint32_t> unknown_to_libseccomp;
    for (const SeccompEntry& entry : plan.entries) {
        if (const auto number = number_of(entry.syscall, architecture)) {
            NumberedCall& call = calls[number->number];
            call.number = number->number;
            call.entries.push_back(&entry);
            if (!number->known_to_libseccomp) {
                unknown_to_libseccomp.insert(number->number);
            }
        }
    }
    Code code;
    append_numbers(code, ranges_of(architecture, plan, calls));

    // What arguments decide.
    std::vector<NumberedCall> own_calls;
    std::vector<const SeccompEntry*> restrictions;
    std::vector<const SeccompEntry*> allowances;
    for (const auto& [number, call] : calls) {
        if (call.entries.front()->tests.empty()) {
            continue;
        }
        if (unknown_to_libseccomp.contains(number)) {
            own_calls.push_back(call);
            continue;
        }
        for (const SeccompEntry* entry : call.entries) {
            (entry->action == kAllow ? allowances : restrictions).push_back(entry);
        }
    }
    append_numbered_calls(code, architecture, own_calls, plan.default_action);
    for (const Segment& segment : segments(restrictions)) {
        append(code, allowed_runs_on(program_of(architecture, kAllow, segment.entries)));
    }
    if (plan.default_action == kAllow) {
        allowances.clear();
    }
    append(code, program_of(architecture, plan.default_action, allowances));
    return code;
}

void check_length(std::size_t instructions) {
    if (instructions > BPF_MAXINSNS) {
        throw Error("cannot compile the system call filter: it has " + std::to_string(instructions) +
                    " instructions or more")
            .cause("the kernel takes " + std::to_string(BPF_MAXINSNS))
            .fix("test fewer values in the conditions of [[seccomp.rule]], or name fewer architectures");
    }
}

/// The plan with each call that is refused quietly said so in its entries.
SeccompPlan with_quiet_entries(SeccompPlan plan) {
    // Between the filter and execve(2) nobody listens yet: a start that fails must not wait for an answer.
    plan.quiet.insert(plan.quiet.end(), kCallsOfTheStart.begin(), kCallsOfTheStart.end());
    for (SeccompEntry& entry : plan.entries) {
        entry.action.quiet =
            entry.action.quiet || (entry.action.kind == SeccompActionKind::errno_value &&
                                   std::ranges::find(plan.quiet, entry.syscall.name) != plan.quiet.end());
    }
    return plan;
}

} // namespace

Program compile_marked(const SeccompPlan& plan) {
    Program program;
    if (!plan.filter) {
        return program;
    }
    // Each tested entry is an instruction at least, and libseccomp would take seconds to find out.
    const auto tested =
        std::ranges::count_if(plan.entries, [](const SeccompEntry& entry) { return !entry.tests.empty(); });
    check_length(static_cast<std::size_t>(tested));
    const SeccompPlan quieted = with_quiet_entries(plan);
    for (const std::string& name : plan.architectures) {
        const Architecture* architecture = find_architecture(name);
        if (architecture == nullptr) {
            throw Error("cannot compile the system call filter: unknown architecture " + quoted(name));
        }
        append(program.instructions, guarded(*architecture, body(*architecture, quieted)));
    }
    append_return(program.instructions, SECCOMP_RET_KILL_PROCESS);
    check_length(program.instructions.size());
    return program;
}

Program compile(const SeccompPlan& plan) {
    return split(compile_marked(plan), plan).plain;
}

} // namespace sandbox::seccomp
