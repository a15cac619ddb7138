#include "cmd/common/learned_toml.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/profile_keys.hpp"
#include "cmd/common/profile_text.hpp"
#include "cmd/common/profile_writer.hpp"
#include "core/base/error.hpp"
#include "core/plan/path_words.hpp"

namespace sandbox {

namespace {

using Kind = LearnedLine::Kind;

constexpr std::string_view kRuns = "# runs: ";
constexpr std::string_view kNotGranted = "# not granted: ";
constexpr std::string_view kSecret = "# secret: ";
constexpr std::string_view kRemark = "  # ";
constexpr std::uint32_t kMostRuns = 1'000'000;

/// "git, sh: 12 times, seen in 2 of 3 runs".
std::string sightings_words(const Sightings& seen, std::uint32_t runs) {
    const std::string programs = seen.programs.empty() ? "" : fmt::format("{}: ", fmt::join(seen.programs, ", "));
    const std::string times = seen.count == 0 ? "" : seen.count == 1 ? "once, " : fmt::format("{} times, ", seen.count);
    return fmt::format("{}{}seen in {} of {} run{}", programs, times, std::min(seen.runs, runs), runs,
                       runs == 1 ? "" : "s");
}

class Writer {
public:
    explicit Writer(const LearnedFile& file)
        : file_(file), learned_(file.learned), runs_(std::min(learned_.runs, kMostRuns)) {}

    std::string write() {
        text_ = "# sandbox-profile(5), written by sandboxctl learn: read it before you use it. Nothing loads it by "
                "itself.\n";
        text_ += fmt::format("{}{}\n", kRuns, runs_);
        if (!file_.description.empty()) {
            text_ += fmt::format("description = {}\n", toml_string(file_.description));
        }
        text_ += fmt::format("extends = {}\n", toml_string(file_.base));
        write_lists("filesystem", {{Kind::read_only, "read-only"}, {Kind::read_write, "read-write"}});
        write_lists("network", {{Kind::network, "allow"}});
        write_lists("seccomp", {{Kind::system_call, "allow"}, {Kind::rule, "rule"}});
        write_lists("capabilities", {{Kind::capability, "keep"}});
        write_remarks();
        return std::move(text_);
    }

private:
    void write_lists(std::string_view table, const std::vector<std::pair<Kind, std::string_view>>& lists) {
        bool is_open = false;
        for (const auto& [kind, key] : lists) {
            if (std::ranges::find(learned_.lines, kind, &LearnedLine::kind) == learned_.lines.end()) {
                continue;
            }
            if (!is_open) {
                text_ += fmt::format("\n[{}]\n", table);
                is_open = true;
            }
            write_list(kind, key);
        }
    }

    void write_list(Kind kind, std::string_view key) {
        // A plain list would take away what the base has, but for those of [seccomp].
        const bool adds_by_itself = kind == Kind::system_call || kind == Kind::rule;
        text_ += fmt::format("{} = {}\n", key, adds_by_itself ? "[" : "{ add = [");
        for (const LearnedLine& line : learned_.lines) {
            if (line.kind != kind) {
                continue;
            }
            const std::string word = toml_string(line.word);
            text_ += kind == Kind::rule ? fmt::format("    {{ syscalls = [{}], action = \"allow\" }},", word)
                                        : fmt::format("    {},", word);
            if (line.seen.runs != 0) {
                text_ += fmt::format("{}{}", kRemark, sightings_words(line.seen, runs_));
            }
            text_ += '\n';
        }
        text_ += adds_by_itself ? "]\n" : "] }\n";
    }

    void write_remarks() {
        if (!learned_.remarks.empty()) {
            text_ += "\n# Refused or lost too, and not granted:\n";
        }
        for (const LearnedRemark& remark : learned_.remarks) {
            text_ += fmt::format("{}{}{}{}{}{}\n", remark.is_secret ? kSecret : kNotGranted, remark.what, kRemark,
                                 remark.reason, kRemark, sightings_words(remark.seen, runs_));
        }
        if (learned_.remarks_left_out != 0) {
            text_ += fmt::format("# {} more of these are left out\n", learned_.remarks_left_out);
        }
        if (learned_.lines_left_out != 0) {
            text_ += fmt::format("# {} more lines are left out: run learn again with this file as the base\n",
                                 learned_.lines_left_out);
        }
    }

    const LearnedFile& file_;
    const Learned& learned_;
    std::uint32_t runs_; ///< no more than can be read again
    std::string text_;
};

/// Reads a number at the start of `text` and takes it away.
template <class Number> bool take_number(std::string_view& text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) {
        return false;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return true;
}

bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) {
        return false;
    }
    text.remove_prefix(word.size());
    return true;
}

/// What sightings_words wrote; nothing for other words.
std::optional<Sightings> read_sightings(std::string_view text, std::uint32_t runs) {
    Sightings seen;
    const std::size_t colon = text.rfind(": ");
    if (colon != std::string_view::npos) {
        std::string_view programs = text.substr(0, colon);
        while (!programs.empty()) {
            const std::size_t comma = std::min(programs.find(", "), programs.size());
            seen.programs.emplace_back(programs.substr(0, comma));
            programs.remove_prefix(std::min(programs.size(), comma + 2));
        }
        text.remove_prefix(colon + 2);
    }
    std::uint32_t all = 0;
    const bool has_count =
        text.starts_with("seen in ") ||
        (take(text, "once, ") ? (seen.count = 1, true) : take_number(text, seen.count) && take(text, " times, "));
    const bool is_whole = has_count && take(text, "seen in ") && take_number(text, seen.runs) && take(text, " of ") &&
                          take_number(text, all) && take(text, all == 1 ? " run" : " runs") && text.empty();
    const bool is_true = all == runs && seen.runs >= 1 && seen.runs <= runs;
    return is_whole && is_true ? std::optional(seen) : std::nullopt;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        lines.push_back(line);
    }
    return lines;
}

class Reader {
public:
    Reader(std::string_view text, const std::string& source, const Host& host)
        : source_(source), host_(host), lines_(lines_of(text)), profile_(parse_profile(text, source)) {}

    LearnedFile read() {
        read_runs();
        if (!profile_.extends) {
            refuse("it extends no profile");
        }
        refuse_more();
        file_.base = profile_.extends->text;
        file_.description = profile_.profile.description.value_or("");
        read_list(Kind::read_only, profile_.profile.filesystem.read_only);
        read_list(Kind::read_write, profile_.profile.filesystem.read_write);
        read_list(Kind::network, profile_.profile.network.allow);
        read_list(Kind::system_call, profile_.profile.seccomp.allow);
        for (const SeccompRule& rule : profile_.profile.seccomp.rules) {
            const std::string& call = rule.syscalls.front().text;
            file_.learned.lines.push_back({.kind = Kind::rule, .word = call, .path = {}, .seen = seen_at(rule.origin)});
        }
        read_list(Kind::capability, profile_.profile.capabilities.keep);
        for (const std::string_view line : lines_) {
            read_remark(line);
        }
        return std::move(file_);
    }

private:
    [[noreturn]] void refuse(const std::string& cause) const {
        throw Error(fmt::format("cannot merge into {}", quoted(source_)))
            .cause(cause)
            .fix("learn into a file of its own (-o FILE), and extend it: extends = \"FILE\"");
    }

    void read_runs() {
        const auto found = std::ranges::find_if(lines_, [](std::string_view line) { return line.starts_with(kRuns); });
        std::string_view number = found == lines_.end() ? "" : found->substr(kRuns.size());
        std::uint32_t runs = 0;
        if (!take_number(number, runs) || !number.empty() || runs == 0 || runs > kMostRuns) {
            refuse("sandboxctl learn did not write it: it has no line \"# runs: NUMBER\"");
        }
        file_.learned.runs = runs;
    }

    /// What learn does not write it would not write again.
    void refuse_more() {
        Profile& profile = profile_.profile;
        constexpr std::string_view kOurs[] = {"description",   "filesystem.read-only", "filesystem.read-write",
                                              "network.allow", "seccomp.allow",        "capabilities.keep"};
        for (const ProfileKey& key : profile_keys()) {
            const std::string name = key.full_name();
            if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
                const List& list = (*words)(profile);
                if (list.replaces) {
                    refuse(fmt::format("{}: {} is a plain list, which takes away what {} has", list.origin.place(),
                                       name, quoted(profile_.extends->text)));
                }
                refuse_if(list.written() && std::ranges::find(kOurs, name) == std::end(kOurs), name);
            } else if (const auto* flag = std::get_if<ProfileKey::Flag>(&key.field)) {
                refuse_if((*flag)(profile).value.has_value(), name);
            } else {
                refuse_if(std::get<ProfileKey::Text>(key.field)(profile).value.has_value() && name != "description",
                          name);
            }
        }
        refuse_if(!profile.environment.set.empty(), "environment.set");
        for (const SeccompRule& rule : profile.seccomp.rules) {
            const bool is_ours = rule.action.text == "allow" && rule.syscalls.size() == 1 && rule.conditions.empty() &&
                                 !rule.quiet && !rule.syscalls.front().text.starts_with('@');
            refuse_if(!is_ours, "a seccomp.rule with more than the name of a call to allow");
        }
    }

    void refuse_if(bool is_written, std::string_view name) const {
        if (is_written) {
            refuse(fmt::format("it has {}, which learn would not write again", name));
        }
    }

    void read_list(Kind kind, const List& list) {
        for (const Item& item : list.items) {
            LearnedLine line;
            line.kind = kind;
            line.word = item.text;
            line.seen = seen_at(item.origin);
            if (kind == Kind::read_only || kind == Kind::read_write) {
                line.path = path_of(item, kind == Kind::read_write);
            }
            file_.learned.lines.push_back(std::move(line));
        }
    }

    [[nodiscard]] PathGrant path_of(const Item& item, bool writable) const {
        const GrantWord word = read_grant(item, host_);
        const bool is_directory = host_.look_up(word.source.path).kind == PathFact::Kind::directory;
        return {.writable = writable, .is_directory = is_directory, .path = word.source.path, .dest = word.dest};
    }

    [[nodiscard]] Sightings seen_at(const Origin& origin) const {
        const std::string_view line = origin.line >= 1 && origin.line <= lines_.size() ? lines_[origin.line - 1] : "";
        const std::size_t remark = line.rfind(kRemark);
        if (remark == std::string_view::npos) {
            return {};
        }
        return read_sightings(line.substr(remark + kRemark.size()), file_.learned.runs).value_or(Sightings{});
    }

    void read_remark(std::string_view line) {
        const bool is_secret = line.starts_with(kSecret);
        if (!is_secret && !line.starts_with(kNotGranted)) {
            return;
        }
        line.remove_prefix(is_secret ? kSecret.size() : kNotGranted.size());
        const std::size_t first = line.find(kRemark);
        const std::size_t last = line.rfind(kRemark);
        if (first == last) {
            return;
        }
        const auto seen = read_sightings(line.substr(last + kRemark.size()), file_.learned.runs);
        if (!seen) {
            return;
        }
        const std::size_t reason = first + kRemark.size();
        file_.learned.remarks.push_back({.what = std::string(line.substr(0, first)),
                                         .reason = std::string(line.substr(reason, last - reason)),
                                         .is_secret = is_secret,
                                         .seen = *seen});
    }

    const std::string& source_;
    const Host& host_;
    std::vector<std::string_view> lines_;
    ProfileText profile_;
    LearnedFile file_;
};

} // namespace

std::string learned_to_toml(const LearnedFile& file) {
    return Writer(file).write();
}

LearnedFile read_learned(std::string_view text, const std::string& source, const Host& host) {
    return Reader(text, source, host).read();
}

std::optional<std::string> profile_line(const PathGrant& grant, const CallerPlaces& places) {
    const std::optional<std::string> word = profile_word(grant, places);
    return word ? std::optional(fmt::format("filesystem.{} = {{ add = [{}] }}", grant.key(), toml_string(*word)))
                : std::nullopt;
}

} // namespace sandbox
