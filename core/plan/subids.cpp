#include "core/plan/subids.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace sandbox {

namespace {

constexpr std::uint32_t kUsualCount = 65536;
constexpr std::uint64_t kFirstUsual = 100000; // login.defs(5): SUB_UID_MIN

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || rest != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

/// Cuts `text` at the next `separator` and returns what stood before it.
std::string_view take(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view taken = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    return taken;
}

std::optional<IdRange> range(std::string_view first, std::string_view count) {
    const auto start = number(first);
    const auto length = number(count);
    if (!start || !length || *length == 0 || *start >= kIdLimit) {
        return std::nullopt;
    }
    const std::uint64_t fits = std::min(*length, kIdLimit - *start);
    return IdRange{static_cast<std::uint32_t>(*start), static_cast<std::uint32_t>(fits)};
}

} // namespace

SubidFile read_subid_file(std::string_view text, std::string_view user_name, std::uint32_t uid) {
    SubidFile file;
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        const std::string_view owner = take(line, ':');
        const std::string_view first = take(line, ':');
        const auto found = range(first, line);
        if (!found || owner.empty() || owner.starts_with('#')) {
            continue;
        }
        file.highest_end = std::max(file.highest_end, std::uint64_t{found->first} + found->count);
        if ((!user_name.empty() && owner == user_name) || number(owner) == std::uint64_t{uid}) {
            file.mine.push_back(*found);
        }
    }
    return file;
}

std::vector<IdRange> read_getsubids_output(std::string_view text) {
    std::vector<IdRange> ranges;
    while (!text.empty()) {
        std::string_view line = take(text, '\n');
        take(line, ' ');
        take(line, ' ');
        const std::string_view first = take(line, ' ');
        if (const auto found = range(first, line)) {
            ranges.push_back(*found);
        }
    }
    return ranges;
}

std::uint32_t suggest_subid_range(const SubidFile& subuids, const SubidFile& subgids) {
    const std::uint64_t taken = std::max(subuids.highest_end, subgids.highest_end);
    std::uint64_t start = kFirstUsual;
    if (taken > start) {
        start += (taken - start + kUsualCount - 1) / kUsualCount * kUsualCount;
    }
    return start + kUsualCount <= kIdLimit ? static_cast<std::uint32_t>(start) : 0;
}

std::string subid_fix(const Host& host) {
    if (host.free_subids == 0) {
        return "free a range of 65536 ids in /etc/subuid and /etc/subgid, they are all taken";
    }
    return fmt::format("sudo usermod --add-subuids {0}-{1} --add-subgids {0}-{1} {2}", host.free_subids,
                       host.free_subids + kUsualCount - 1,
                       host.user_name.empty() ? std::to_string(host.uid) : host.user_name);
}

} // namespace sandbox
