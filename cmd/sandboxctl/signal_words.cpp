#include "cmd/sandboxctl/signal_words.hpp"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox::ctl {

namespace {

std::optional<int> number_of(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

/// "RTMIN+3", "RTMAX-1".
std::optional<int> real_time(std::string_view name) {
    for (const auto& [base, number, sign] : {std::tuple{"RTMIN", SIGRTMIN, '+'}, {"RTMAX", SIGRTMAX, '-'}}) {
        if (!name.starts_with(base)) {
            continue;
        }
        const std::string_view rest = name.substr(std::string_view(base).size());
        if (rest.empty()) {
            return number;
        }
        const std::optional<int> distance = rest.front() == sign ? number_of(rest.substr(1)) : std::nullopt;
        if (distance && *distance >= 0 && *distance <= SIGRTMAX - SIGRTMIN) {
            return sign == '+' ? number + *distance : number - *distance;
        }
    }
    return std::nullopt;
}

} // namespace

int parse_signal(const std::string& text, const std::string& what) {
    std::string name = text;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (name.starts_with("SIG")) {
        name.erase(0, 3);
    }
    std::vector<std::string> known;
    for (int signal = 1; signal < SIGRTMIN; ++signal) {
        const char* const abbreviation = ::sigabbrev_np(signal);
        if (abbreviation == nullptr) {
            continue; // libc's own
        }
        if (name == abbreviation || number_of(name) == signal) {
            return signal;
        }
        known.emplace_back(abbreviation);
    }
    const std::optional<int> number = number_of(name);
    const std::optional<int> real = number && *number >= SIGRTMIN && *number <= SIGRTMAX ? number : real_time(name);
    if (real) {
        return *real;
    }
    Error error(what + ": there is no signal " + sandbox::quoted(text));
    const std::string near = nearest(name, known);
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    throw std::move(error).fix("kill -l lists them");
}

std::string signal_name(int signal) {
    const char* const abbreviation = ::sigabbrev_np(signal);
    return abbreviation != nullptr ? fmt::format("SIG{}", abbreviation) : fmt::format("SIGRTMIN+{}", signal - SIGRTMIN);
}

bool is_passed_on(int signal) {
    // Those that a crash raises end the supervisor; the others are about itself, and SIGSTOP nobody can take.
    constexpr std::array kOthers = {SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGTRAP, SIGABRT, SIGSYS,
                                    SIGCHLD, SIGPIPE, SIGTTIN, SIGTTOU, SIGSTOP, SIGKILL};
    return std::ranges::find(kOthers, signal) == kOthers.end();
}

} // namespace sandbox::ctl
