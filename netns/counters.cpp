#include "netns/counters.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/user_namespace.hpp"

namespace sandbox::netns {

namespace {

/// "  tap0: 110 1 0 ...": bytes and packets received are the first two numbers, those sent the ninth and the tenth.
void add_line(std::string_view line, Counters& sum) {
    const std::size_t colon = line.find(':');
    const std::size_t name = line.find_first_not_of(' ');
    if (colon == std::string_view::npos || line.substr(name, colon - name) == "lo") {
        return;
    }
    constexpr std::size_t kSentBytes = 8;
    std::array<std::uint64_t, kSentBytes + 2> numbers{};
    const char* at = line.data() + colon + 1;
    const char* const end = line.data() + line.size();
    for (std::uint64_t& number : numbers) {
        while (at != end && *at == ' ') {
            ++at;
        }
        at = std::from_chars(at, end, number).ptr;
    }
    sum.received_bytes += numbers[0];
    sum.received_packets += numbers[1];
    sum.sent_bytes += numbers[kSentBytes];
    sum.sent_packets += numbers[kSentBytes + 1];
}

} // namespace

std::optional<Counters> read_counters(std::string_view table) {
    if (!table.starts_with("Inter-|")) {
        return std::nullopt;
    }
    Counters sum;
    while (!table.empty()) {
        const std::size_t end = std::min(table.find('\n'), table.size());
        add_line(table.substr(0, end), sum);
        table.remove_prefix(std::min(end + 1, table.size()));
    }
    return sum;
}

std::optional<Counters> count_in(const Fd& user_namespace, const Fd& net_namespace) {
    try {
        return read_counters(ask_in_user_namespace(user_namespace, [&] {
            const bool is_in = ::setns(net_namespace.get(), CLONE_NEWNET) == 0;
            return is_in ? read_small_file("/proc/thread-self/net/dev") : "";
        }));
    } catch (const Error&) {
        return std::nullopt; // figures are no reason to lose how CMD ended
    }
}

} // namespace sandbox::netns
