#include "cmd/sandbox/report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cmd/common/json.hpp"
#include "cmd/common/learned_toml.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/seccomp_grant.hpp"
#include "core/plan/syscall_values.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kMostLines = 20;
constexpr std::size_t kMostFileLines = 60;
constexpr std::size_t kMostPrograms = 3;

/// Refused calls that read the same but for the program.
struct CallGroup {
    std::string object; ///< "ptrace", "socket AF_VSOCK"
    std::uint64_t count = 0;
    std::vector<std::string> programs;
    const Origin* origin = nullptr;
    Grant grant;
    int error_number = 0;
};

std::vector<CallGroup> grouped(const std::vector<RefusedCall>& calls, const SeccompPlan& plan) {
    std::vector<CallGroup> groups;
    for (const RefusedCall& call : calls) {
        std::string object = call.syscall;
        if (call.argument >= 0) {
            object += " " + syscalls::argument_words(call.syscall, call.argument, call.value);
        }
        const Origin* origin = call.entry != nullptr ? &call.entry->origin : &plan.default_origin;
        auto group = std::ranges::find_if(groups, [&](const CallGroup& other) {
            return other.object == object && other.origin == origin && other.error_number == call.error_number;
        });
        if (group == groups.end()) {
            group = groups.insert(groups.end(), {.object = std::move(object),
                                                 .count = 0,
                                                 .programs = {},
                                                 .origin = origin,
                                                 .grant = grant_for_call(plan, call.syscall, call.entry),
                                                 .error_number = call.error_number});
        }
        group->count += call.count;
        if (!call.program.empty()) {
            group->programs.push_back(escaped(call.program));
        }
    }
    std::ranges::stable_sort(groups, std::ranges::greater{}, &CallGroup::count);
    return groups;
}

std::string times(std::uint64_t count) {
    return count == 1 ? "once" : fmt::format("{} times", count);
}

std::string by(const std::vector<std::string>& programs) {
    if (programs.empty()) {
        return "";
    }
    if (programs.size() <= kMostPrograms) {
        return fmt::format(", by {}", fmt::join(programs, ", "));
    }
    return fmt::format(", by {} and {} more", fmt::join(programs.begin(), programs.begin() + kMostPrograms, ", "),
                       programs.size() - kMostPrograms);
}

std::string one_line(std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) {
        text.replace(at, 1, " and ");
    }
    return text;
}

std::string grant_words(const Grant& grant) {
    return grant.option.empty()
               ? grant.advice
               : fmt::format("to allow it: {}, or in a profile: {}", grant.option, one_line(grant.profile));
}

void add_calls(std::vector<std::string>& lines, const Outcome& outcome, const SeccompPlan& plan) {
    const std::vector<CallGroup> groups = grouped(outcome.refused_calls, plan);
    for (const CallGroup& group : groups) {
        if (lines.size() == kMostLines) {
            lines.push_back(fmt::format("and {} more kinds of system calls", groups.size() - kMostLines));
            break;
        }
        lines.push_back(fmt::format("system call {}, {}{}: {}\n    {}", group.object, times(group.count),
                                    by(group.programs), written_at(*group.origin), grant_words(group.grant)));
    }
    if (outcome.uncounted_calls > 0) {
        lines.push_back(fmt::format("and {} more system calls, of too many kinds to list", outcome.uncounted_calls));
    }
}

Grant grant_for_hidden(const std::string& name) {
    return {.option = "--ro " + name,
            .profile = fmt::format("filesystem.read-only = {{ add = [\"{}\"] }}", name),
            .advice = ""};
}

void add_hidden(std::vector<std::string>& lines, const std::vector<std::string>& looked_at, const HiddenNames& names) {
    if (!looked_at.empty()) {
        const Grant grant = grant_for_hidden(looked_at.front());
        lines.push_back(fmt::format("looked at, hidden: {}: {}\n    to show one: {}, or in a profile: {}",
                                    fmt::join(looked_at, " "), written_at(names.origin), grant.option, grant.profile));
    }
}

std::string file_words(const RefusedFile& file, const CallerPlaces& places) {
    const PathVerdict& verdict = file.verdict;
    const std::string program = file.program.empty() ? "" : ", by " + escaped(file.program);
    const std::string place =
        verdict.decided_by ? written_at(*verdict.decided_by) : std::string("no line of the profile shows it");
    std::string help = file.advice.reason;
    if (file.advice.grant) {
        const std::optional<std::string> line = profile_line(*file.advice.grant, places);
        help = fmt::format("to allow it: {}{}", option_words(*file.advice.grant, places),
                           line ? ", or in a profile: " + *line : "");
    }
    return fmt::format("{} {}, {}, {}{}: {}\n    {}", verdict.effect == PathEffect::lost ? "lost file" : "file",
                       escaped(verdict.inside), word(file.intent), times(file.count), program, place, help);
}

void add_files(std::vector<std::string>& lines, const std::vector<RefusedFile>& files, std::uint64_t unobserved,
               const CallerPlaces& places) {
    for (const RefusedFile& file : files) {
        if (lines.size() >= kMostFileLines) {
            lines.push_back(fmt::format("and more files; --report-json lists all {}", files.size()));
            break;
        }
        lines.push_back(file_words(file, places));
    }
    if (unobserved > 0) {
        lines.push_back(fmt::format("and {} more names, of too many to look at", unobserved));
    }
}

std::string blindness(int error_number) {
    return error_number == EBUSY ? "an outer sandbox listens to its own filter, and the kernel has one listener"
                                 : fmt::format("the kernel gives no listener: {}", ::strerror(error_number));
}

Json grant_json(const Grant& grant) {
    return grant.option.empty() ? Json{{"grant", nullptr}, {"advice", grant.advice}}
                                : Json{{"grant", {{"option", grant.option}, {"profile", grant.profile}}}};
}

Json file_json(const RefusedFile& file, const CallerPlaces& places) {
    const auto& grant = file.advice.grant;
    const std::optional<std::string> line = grant ? profile_line(*grant, places) : std::nullopt;
    Json refusal = {{"kind", file.verdict.effect == PathEffect::lost ? "lost" : "file"},
                    {"object", file.verdict.inside},
                    {"intent", word(file.intent)},
                    {"count", file.count},
                    {"programs", file.program.empty() ? Json::array() : Json::array({file.program})},
                    {"origin", file.verdict.decided_by ? to_json(*file.verdict.decided_by) : Json(nullptr)}};
    refusal.update(grant_json({.option = grant ? option_words(*grant, places) : "",
                               .profile = line.value_or(""),
                               .advice = file.advice.reason}));
    return refusal;
}

Json refusals_json(const Outcome& outcome, const Plan& plan, const std::vector<RefusedFile>& files,
                   const CallerPlaces& places) {
    Json list = Json::array();
    for (const CallGroup& group : grouped(outcome.refused_calls, plan.seccomp)) {
        Json refusal = {{"kind", "syscall"},
                        {"object", group.object},
                        {"count", group.count},
                        {"programs", group.programs},
                        {"errno", strerrorname_np(group.error_number)},
                        {"origin", to_json(*group.origin)}};
        refusal.update(grant_json(group.grant));
        list.push_back(std::move(refusal));
    }
    for (const netns::NetworkRefusal& one : outcome.network_refusals) {
        if (one.kind == netns::NetworkRefusal::Kind::others) {
            continue;
        }
        const Grant grant = {.option = one.grant, .profile = "", .advice = "it names no host"};
        Json refusal = {{"kind", one.kind == netns::NetworkRefusal::Kind::name ? "name" : "address"},
                        {"object", one.object},
                        {"count", one.count},
                        {"origin", to_json(plan.network.allow.origin)}};
        refusal.update(grant_json(grant));
        list.push_back(std::move(refusal));
    }
    for (const RefusedFile& file : files) {
        list.push_back(file_json(file, places));
    }
    for (const std::string& name : outcome.looked_at) {
        Json refusal = {{"kind", "hidden"}, {"object", name}, {"origin", to_json(plan.root.hidden_names.origin)}};
        refusal.update(grant_json(grant_for_hidden(name)));
        list.push_back(std::move(refusal));
    }
    return list;
}

std::uint64_t unlisted(const Outcome& outcome) {
    std::uint64_t count = outcome.uncounted_calls;
    for (const netns::NetworkRefusal& one : outcome.network_refusals) {
        count += one.kind == netns::NetworkRefusal::Kind::others ? one.count : 0;
    }
    return count;
}

/// ISO 8601, in UTC.
std::string time_text(std::chrono::system_clock::time_point time) {
    const auto whole = std::chrono::floor<std::chrono::seconds>(time);
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(time - whole).count();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(whole);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, sizeof "2026-01-01T00:00:00"> text{};
    std::strftime(text.data(), text.size(), "%FT%T", &parts);
    return fmt::format("{}.{:03}Z", text.data(), milliseconds);
}

std::optional<int> as_descriptor(const std::string& target) {
    int number = -1;
    const auto [end, error] = std::from_chars(target.data(), target.data() + target.size(), number);
    return error == std::errc() && end == target.data() + target.size() && number >= 0 ? std::optional(number)
                                                                                       : std::nullopt;
}

Error cannot_write(const std::string& target) {
    return Error(fmt::format("--report-json {}: cannot write the report", escaped(target)));
}

} // namespace

ReportFile::ReportFile(const std::string& target, bool detached) : target_(target) {
    if (const std::optional<int> number = as_descriptor(target)) {
        if (detached) {
            throw cannot_write(target).cause("a detached run keeps no descriptor of its caller").fix("name a file");
        }
        const int flags = ::fcntl(*number, F_GETFL);
        if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY) {
            throw cannot_write(target)
                .cause(flags < 0 ? "the descriptor is not open" : "the descriptor is open for reading only")
                .fix(fmt::format("sandbox --report-json {} CMD {}>FILE; a file of that name: ./{}", *number, *number,
                                 *number));
        }
        file_.reset(::fcntl(*number, F_DUPFD_CLOEXEC, 3));
    } else {
        // No link is followed: one that an earlier CMD left in its directory would lead the report elsewhere. A fifo
        // without a reader is an error, and no wait.
        constexpr mode_t kMode = 0666; // less the caller's umask
        constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK;
        file_.reset(::open(target.c_str(), kFlags | O_CREAT | O_EXCL, kMode));
        made_ = static_cast<bool>(file_);
        if (!file_ && errno == EEXIST) {
            file_.reset(::open(target.c_str(), kFlags));
        }
        path_ = target;
    }
    if (!file_) {
        const int error_number = errno;
        Error error = cannot_write(target);
        error.kernel(error_number);
        if (error_number == ELOOP) {
            error.cause("it is a link, and no report follows one").fix("name the file that it leads to");
        }
        throw error;
    }
}

ReportFile::~ReportFile() {
    if (made_) {
        ::unlink(path_.c_str());
    }
}

namespace {

/// A reader that is gone is an error here, not a signal that ends us.
class IgnoredPipeSignal {
public:
    IgnoredPipeSignal() : before_(::signal(SIGPIPE, SIG_IGN)) {}
    IgnoredPipeSignal(const IgnoredPipeSignal&) = delete;
    IgnoredPipeSignal& operator=(const IgnoredPipeSignal&) = delete;
    ~IgnoredPipeSignal() { ::signal(SIGPIPE, before_); }

private:
    sighandler_t before_;
};

bool is_same_file(int descriptor, const std::string& path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(descriptor, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

} // namespace

void ReportFile::write(const std::string& text) {
    if (!path_.empty() && !is_same_file(file_.get(), path_)) {
        made_ = false; // it is somebody else's
        throw cannot_write(target_)
            .cause("another file has taken its name while CMD ran")
            .fix("name a file in a directory that CMD cannot write");
    }
    const IgnoredPipeSignal ignored;
    const bool is_emptied = path_.empty() || ::ftruncate(file_.get(), 0) == 0 || errno == EINVAL; // a pipe, a terminal
    if (!path_.empty()) {
        ::fcntl(file_.get(), F_SETFL, 0); // waits for a slow reader from here on
    }
    if (!is_emptied || !write_all(file_.get(), text)) {
        throw cannot_write(target_).kernel(errno);
    }
    made_ = false;
}

Report::Report(const Outcome& outcome, const Plan& plan, const Host& host)
    : outcome_(outcome), plan_(plan), places_(caller_places(host)), left_out_(outcome.unobserved),
      files_(refused_files(outcome.observed, plan, host, left_out_)) {}

/// Those that no line about a file tells of.
std::vector<std::string> Report::hidden_names() const {
    std::vector<std::string> names;
    for (const HiddenName& hidden : plan_.root.hidden_names.list) {
        const bool is_told = std::ranges::any_of(files_, [&](const RefusedFile& file) {
            const std::string& inside = file.verdict.inside;
            return inside == hidden.path || inside.starts_with(hidden.path + "/");
        });
        if (!is_told && std::ranges::find(outcome_.looked_at, hidden.name) != outcome_.looked_at.end()) {
            names.push_back(hidden.name);
        }
    }
    return names;
}

std::string Report::text() const {
    std::vector<std::string> lines;
    add_calls(lines, outcome_, plan_.seccomp);
    add_hidden(lines, hidden_names(), plan_.root.hidden_names);
    add_files(lines, files_, left_out_, places_);
    std::string text;
    if (!lines.empty()) {
        text = fmt::format("refused under the profile {}\n  {}", plan_.profile, fmt::join(lines, "\n  "));
    }
    if (outcome_.listener_error != 0) {
        text += fmt::format("{}note: which system calls were refused{} is not known: {}", text.empty() ? "" : "\n",
                            outcome_.explained ? ", and which files were asked for," : "",
                            blindness(outcome_.listener_error));
    }
    if (!outcome_.network_refusals.empty()) {
        std::vector<std::string> network;
        std::ranges::transform(outcome_.network_refusals, std::back_inserter(network), &netns::NetworkRefusal::text);
        text += fmt::format("{}note: the network is held to a list ({}), and refused\n  {}", text.empty() ? "" : "\n",
                            written_at(plan_.network.allow.origin), fmt::join(network, "\n  "));
    }
    return text;
}

bool is_report_told(const ReportOptions& options, const Outcome& outcome, bool quiet, bool to_terminal) {
    using When = ReportOptions::When;
    if (options.when != When::automatic) {
        return options.when == When::always;
    }
    return !quiet && (to_terminal || outcome.status != 0);
}

std::string Report::json(std::chrono::system_clock::time_point start, std::chrono::system_clock::time_point end) const {
    Json blind = Json::array();
    if (outcome_.listener_error != 0) {
        const std::string why = blindness(outcome_.listener_error);
        blind.push_back({{"kind", "syscall"}, {"why", why}});
        if (outcome_.explained) {
            blind.push_back({{"kind", "file"}, {"why", why}});
        }
    }
    const Json document = {{"profile", plan_.profile},
                           {"start", time_text(start)},
                           {"end", time_text(end)},
                           {"exit",
                            {{"status", outcome_.status},
                             {"signal", outcome_.signal == 0 ? Json(nullptr) : Json(outcome_.signal)},
                             {"reason", reason_word(outcome_)}}},
                           {"refusals", refusals_json(outcome_, plan_, files_, places_)},
                           {"unlisted", unlisted(outcome_) + left_out_},
                           {"blind", std::move(blind)}};
    // In ASCII alone: a name of CMD's making could steer a terminal otherwise.
    return document.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

} // namespace sandbox
