#include "core/call_reasons.hpp"

#include <seccomp.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "core/plan/seccomp_grant.hpp"
#include "core/plan/syscalls.hpp"
#include "core/seccomp_architecture.hpp"

namespace sandbox {

namespace {

std::uint32_t low_half(const seccomp_data& call, unsigned argument) {
    return static_cast<std::uint32_t>(call.args[argument]);
}

bool holds(const SeccompEntry& entry, const seccomp_data& call) {
    return std::ranges::all_of(entry.tests, [&](const SeccompTest& test) {
        return (low_half(call, test.argument) & static_cast<std::uint32_t>(test.mask)) ==
               static_cast<std::uint32_t>(test.value);
    });
}

/// \return null for one that the plan does not name: its calls are killed.
const seccomp::Architecture* architecture_of(const SeccompPlan& plan, std::uint32_t audit, std::uint32_t number) {
    for (const std::string& name : plan.architectures) {
        const seccomp::Architecture* one = seccomp::find_architecture(name);
        const bool is_x32 = one->space == seccomp::NumberSpace::x32;
        if (one->audit == audit && is_x32 == ((number & seccomp::kX32Bit) != 0)) {
            return one;
        }
    }
    return nullptr;
}

/// The name of a call that libseccomp is too old for; empty where it has none.
std::string newer_name(const seccomp::Architecture& architecture, std::uint32_t number) {
    if (architecture.token != ::seccomp_arch_native() && number < seccomp::kFirstCommonNumber) {
        return "";
    }
    const auto all = syscalls::all();
    const auto found = std::ranges::find_if(
        all, [&](const syscalls::Syscall& call) { return call.native() == static_cast<int>(number); });
    return found == all.end() ? "" : std::string(found->name);
}

} // namespace

std::string CallReasons::name(std::uint32_t architecture, std::uint32_t number) const {
    const seccomp::Architecture* found = architecture_of(plan_, architecture, number);
    if (found == nullptr) { // the filter kills it, so it is on trial only
        return "number " + std::to_string(number) + std::string(kOfAnotherArchitecture);
    }
    const std::unique_ptr<char, decltype(&std::free)> known(
        ::seccomp_syscall_resolve_num_arch(found->token, static_cast<int>(number)), &std::free);
    if (known) {
        return known.get();
    }
    const std::string newer = newer_name(*found, number);
    return !newer.empty() ? newer : "number " + std::to_string(number);
}

const CallReasons::Known& CallReasons::known(const seccomp_data& call) {
    const auto number = static_cast<std::uint32_t>(call.nr);
    const auto [place, is_new] = known_.try_emplace({call.arch, number});
    Known& known = place->second;
    if (!is_new) {
        return known;
    }
    const std::string name = this->name(call.arch, number);
    for (const SeccompEntry& entry : plan_.entries) {
        if (entry.syscall.name != name) {
            continue;
        }
        known.entries.push_back(&entry);
        if (known.argument < 0 && !entry.tests.empty()) {
            known.argument = static_cast<int>(entry.tests.front().argument);
        }
    }
    known.is_quiet = std::ranges::binary_search(plan_.quiet, name);
    return known;
}

CallReason CallReasons::reason(const seccomp_data& call) {
    const Known& about = known(call);
    const auto decides =
        std::ranges::find_if(about.entries, [&](const SeccompEntry* entry) { return holds(*entry, call); });
    CallReason reason;
    reason.entry = decides == about.entries.end() ? nullptr : *decides;
    if (about.argument >= 0) {
        reason.argument = about.argument;
        reason.value = low_half(call, static_cast<unsigned>(about.argument));
    }
    return reason;
}

bool CallReasons::is_quiet(const seccomp_data& call) {
    const SeccompEntry* entry = reason(call).entry;
    return known(call).is_quiet || (entry != nullptr && entry->action.quiet);
}

} // namespace sandbox
