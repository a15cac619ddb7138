#include "core/plan/seccomp_conditions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "core/base/error.hpp"
#include "core/plan/syscall_values.hpp"

namespace sandbox {

namespace {

constexpr std::uint32_t kWholeArgument = 0xffffffff;
constexpr std::size_t kArgumentCount = 6;
/// Each alternative costs three instructions or more, and the kernel takes 4096 of them in all.
constexpr std::size_t kAlternativesLimit = 1024;

std::uint32_t value_of(const Item& item) {
    if (const auto symbol = syscalls::symbol(item.text)) {
        return *symbol;
    }
    if (const auto number = syscalls::number(item.text)) {
        return *number;
    }
    const bool numeric = !item.text.empty() && (item.text[0] == '-' || (item.text[0] >= '0' && item.text[0] <= '9'));
    if (numeric) {
        throw Error(fmt::format("{}: {} is no number of 32 bits", item.origin.place(), quoted(item.text)))
            .fix("write it as 42, 0x2a or 0o52: the kernel reads 32 bits of such an argument, so does the filter");
    }
    Error error(fmt::format("{}: unknown value {}", item.origin.place(), quoted(item.text)));
    if (const std::string near = syscalls::nearest_symbol(item.text); !near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    } else {
        error.fix("write its number");
    }
    throw error;
}

std::uint32_t all_bits(const SeccompCondition& condition) {
    std::uint32_t bits = 0;
    for (const Item& item : condition.values) {
        bits |= value_of(item);
    }
    if (bits == 0) {
        throw Error(fmt::format("{}: '{}' with no bit to test", condition.origin.place(), condition.op))
            .fix("use '==' to compare with 0");
    }
    return bits;
}

/// The tests of which one must hold.
std::vector<SeccompTest> tests_of(const SeccompCondition& condition) {
    if (condition.argument >= kArgumentCount) {
        throw Error(fmt::format("{}: a system call has no argument {}", condition.origin.place(), condition.argument))
            .fix("arguments count from 0 to 5");
    }
    if (condition.values.empty() || (condition.op == "==" && condition.values.size() != 1)) {
        throw Error(fmt::format("{}: '{}' with {} values", condition.origin.place(), escaped(condition.op),
                                condition.values.size()))
            .fix("'==' takes one value, 'in' takes a list");
    }
    std::vector<SeccompTest> tests;
    const auto add = [&](std::uint32_t mask, std::uint32_t value) {
        tests.push_back({.argument = condition.argument, .mask = mask, .value = value});
    };
    if (condition.op == "==" || condition.op == "in") {
        for (const Item& item : condition.values) {
            add(kWholeArgument, value_of(item));
        }
    } else if (condition.op == "!&") {
        add(all_bits(condition), 0);
    } else if (condition.op == "&") {
        const std::uint32_t bits = all_bits(condition);
        for (std::uint32_t bit = 1; bit != 0; bit <<= 1) {
            if ((bits & bit) != 0) {
                add(bit, bit);
            }
        }
    } else {
        throw Error(fmt::format("{}: unknown comparison {}", condition.origin.place(), quoted(condition.op)))
            .fix("comparisons are '==', 'in', '&' and '!&'");
    }
    return tests;
}

/// `tests` and `test` together; nothing where they contradict each other. libseccomp takes one test of an argument.
std::optional<std::vector<SeccompTest>> joined(std::vector<SeccompTest> tests, const SeccompTest& test) {
    const auto same = std::ranges::find(tests, test.argument, &SeccompTest::argument);
    if (same == tests.end()) {
        tests.insert(std::ranges::upper_bound(tests, test.argument, {}, &SeccompTest::argument), test);
        return tests;
    }
    const std::uint64_t common = same->mask & test.mask;
    if ((same->value & common) != (test.value & common)) {
        return std::nullopt;
    }
    same->mask |= test.mask;
    same->value |= test.value;
    return tests;
}

} // namespace

std::vector<std::vector<SeccompTest>> alternatives(const SeccompRule& rule) {
    std::vector<std::vector<SeccompTest>> found = {{}};
    for (const SeccompCondition& condition : rule.conditions) {
        std::vector<std::vector<SeccompTest>> longer;
        for (const SeccompTest& test : tests_of(condition)) {
            for (const std::vector<SeccompTest>& before : found) {
                auto both = joined(before, test);
                if (both && std::ranges::find(longer, *both) == longer.end()) {
                    longer.push_back(*std::move(both));
                }
            }
            if (longer.size() > kAlternativesLimit) {
                throw Error(fmt::format("{}: the conditions of this rule have more than {} combinations",
                                        rule.origin.place(), kAlternativesLimit))
                    .fix("test fewer values");
            }
        }
        found = std::move(longer);
    }
    if (found.empty()) {
        throw Error(fmt::format("{}: the conditions of this rule can never hold together", rule.origin.place()))
            .fix("write a rule for each");
    }
    return found;
}

} // namespace sandbox
