#include "netns/resolver_log.hpp"

#include <algorithm>
#include <charconv>

#include "core/plan/allow_plan.hpp"

namespace sandbox::netns {

namespace {

constexpr std::size_t kMostNames = 256;
constexpr std::size_t kMostAddresses = 4096;
constexpr std::size_t kMostQuestions = 256;
constexpr std::size_t kLongestLine = 4096;

/// In lower case, as the list has its names.
std::string plain(std::string_view name) {
    std::string text(name);
    std::ranges::transform(text, text.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
    });
    return text;
}

/// What stands between the first `before` and the last `after`, where both are there.
std::string_view between(std::string_view line, std::string_view before, std::string_view after) {
    const std::size_t begin = line.find(before);
    const std::size_t end = line.rfind(after);
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin + before.size()) {
        return {};
    }
    return line.substr(begin + before.size(), end - begin - before.size());
}

/// "dnsmasq[1]: 2 127.0.0.1/45158 query[A] ...": 2.
std::uint64_t question_number(std::string_view line) {
    const std::string_view text = line.substr(std::min(line.size(), line.find(": ") + 2));
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

} // namespace

void ResolverLog::take(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (rest_.size() < kLongestLine) {
            rest_ += text.substr(0, end);
        }
        if (end == std::string_view::npos) {
            return;
        }
        text.remove_prefix(end + 1);
        take_line(rest_);
        rest_.clear();
    }
}

void ResolverLog::take_line(std::string_view line) {
    if (!started_) {
        started_ = line.find(": started, version ") != std::string_view::npos;
        if (!started_ && first_words_.size() < kLongestLine) {
            first_words_ += line;
            first_words_ += '\n';
        }
        return;
    }
    if (line.find(" nftset add ") != std::string_view::npos) {
        ++openings_;
    } else if (line.ends_with(" is NXDOMAIN")) {
        // "dnsmasq[1]: 2 127.0.0.1/45158 config evil.example is NXDOMAIN": a name can hold spaces, the rest cannot.
        refuse(between(line, " config ", " is NXDOMAIN"));
    } else if (line.find(" query[") != std::string_view::npos) {
        take_question(line);
    } else if (line.find(" reply ") != std::string_view::npos && names_.size() < kMostAddresses) {
        take_reply(line);
    }
}

void ResolverLog::take_question(std::string_view line) {
    questions_[question_number(line)] = plain(between(line, "] ", " from "));
    if (questions_.size() > kMostQuestions) {
        questions_.erase(questions_.begin());
    }
}

void ResolverLog::take_reply(std::string_view line) {
    const auto question = questions_.find(question_number(line));
    names_[std::string(line.substr(line.rfind(' ') + 1))] =
        question == questions_.end() ? plain(between(line, " reply ", " is ")) : question->second;
}

void ResolverLog::refuse(std::string_view name) {
    if (name.empty()) {
        return;
    }
    std::string key = plain(name);
    const auto is_allowed = [&](const AllowEntry& entry) { return names(entry, key); };
    std::map<std::string, std::uint64_t>& list = std::ranges::any_of(plan_.entries, is_allowed) ? to_itself_ : refused_;
    if (list.size() >= kMostNames && !list.contains(key)) {
        ++refused_others_;
        return;
    }
    ++list[std::move(key)];
}

std::string ResolverLog::name_of(const std::string& address) const {
    const auto found = names_.find(address);
    return found == names_.end() ? "" : found->second;
}

} // namespace sandbox::netns
