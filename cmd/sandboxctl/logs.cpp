// sandboxctl logs: what the CMD of a detached run has written.
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cmd/common/figure_words.hpp"
#include "cmd/common/print.hpp"
#include "cmd/sandboxctl/runs.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/duration.hpp"
#include "core/run_log.hpp"

namespace sandbox::ctl {

namespace {

struct LogOptions {
    std::string name;
    std::string since;
    std::string tail;
    bool follow = false;
    bool timestamps = false;
};

std::int64_t now() {
    const auto time = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

[[noreturn]] void refuse_date(const std::string& text) {
    throw Error("--since: cannot read the time " + sandbox::quoted(text))
        .cause("there is no such date, or no such time of day")
        .fix("write it as 2026-11-29, 2026-11-29T12:00 or 2026-11-29T12:00:00, or how long ago: 10m");
}

/// "10m" ago, or "2026-11-29T12:00:00", the local time, with a Z behind it UTC.
std::int64_t parse_since(const std::string& text) {
    for (const char* format : {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
        tm broken{};
        const char* const end = ::strptime(text.c_str(), format, &broken);
        const bool is_utc = end != nullptr && std::string_view(end) == "Z";
        if (end != nullptr && (*end == '\0' || is_utc)) {
            const int day = broken.tm_mday;
            broken.tm_isdst = -1;
            const std::int64_t seconds = is_utc ? ::timegm(&broken) : ::mktime(&broken);
            if (broken.tm_mday != day) {
                refuse_date(text); // the 30th of February became a day of March
            }
            return seconds * 1'000'000;
        }
    }
    const bool starts_with_digit = !text.empty() && text.front() >= '0' && text.front() <= '9';
    if (starts_with_digit && text.find_first_of("-:/T") != std::string::npos) {
        refuse_date(text); // no duration has these
    }
    const Origin origin{.kind = Origin::Kind::option, .source = "--since " + text, .key = {}};
    return now() - std::chrono::duration_cast<std::chrono::microseconds>(parse_duration(text, origin)).count();
}

std::uint64_t parse_tail(const std::string& text) {
    std::uint64_t lines = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lines);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw Error("--tail needs a number of lines, not " + sandbox::quoted(text));
    }
    return lines;
}

std::string stamp(std::int64_t time) {
    const time_t seconds = time / 1'000'000;
    tm broken{};
    ::gmtime_r(&seconds, &broken);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z ", broken.tm_year + 1900, broken.tm_mon + 1,
                       broken.tm_mday, broken.tm_hour, broken.tm_min, broken.tm_sec, time % 1'000'000);
}

/// CMD's bytes go where CMD wrote them to, as they are.
class Printer {
public:
    /// \param skip the newlines that are passed over first.
    Printer(bool timestamps, std::uint64_t skip) : timestamps_(timestamps), skip_(skip) {}

    void show(const LogReader::Frame& frame) {
        std::string_view bytes = frame.bytes;
        while (skip_ > 0 && !bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            skip_ -= end == std::string_view::npos ? 0 : 1;
            bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        }
        const bool is_error = frame.stream == LogWriter::Stream::error;
        const std::string text =
            timestamps_ ? with_stamps(bytes, frame.time, is_error ? in_error_line_ : in_line_) : std::string(bytes);
        if (!write_all(is_error ? STDERR_FILENO : STDOUT_FILENO, text)) {
            throw Error("cannot write what was logged").kernel(errno);
        }
    }

private:
    /// A line bears the time of its beginning.
    static std::string with_stamps(std::string_view bytes, std::int64_t time, bool& in_line) {
        std::string text;
        while (!bytes.empty()) {
            text += in_line ? "" : stamp(time);
            const std::size_t end = std::min(bytes.find('\n'), bytes.size() - 1) + 1;
            text += bytes.substr(0, end);
            in_line = bytes[end - 1] != '\n';
            bytes.remove_prefix(end);
        }
        return text;
    }

    bool timestamps_;
    std::uint64_t skip_;
    bool in_line_ = false;
    bool in_error_line_ = false;
};

/// How many newlines stand before the last `tail` lines of what was written since.
std::uint64_t newlines_before(int directory, std::uint64_t tail, std::int64_t since) {
    LogReader reader(directory);
    std::uint64_t lines = 0;
    bool in_line = false;
    while (const std::optional<LogReader::Frame> frame = reader.next()) {
        if (frame->time >= since && !frame->bytes.empty()) {
            lines += static_cast<std::uint64_t>(std::ranges::count(frame->bytes, '\n'));
            in_line = frame->bytes.back() != '\n';
        }
    }
    lines += in_line ? 1 : 0;
    return lines - std::min(lines, tail);
}

void tell_losses(const LogReader& reader, bool is_whole) {
    if (is_whole && reader.dropped() > 0) {
        complain(fmt::format("note: the log is full, and its first {} were dropped", about_bytes(reader.dropped())),
                 "sandboxctl");
    }
    if (reader.lost() > 0) {
        complain(fmt::format("note: {} could not be logged: no room on the disk", about_bytes(reader.lost())),
                 "sandboxctl");
    }
}

int show(const LogOptions& options) {
    const std::int64_t since = options.since.empty() ? 0 : parse_since(options.since);
    const bool has_tail = !options.tail.empty();
    const std::uint64_t tail = has_tail ? parse_tail(options.tail) : 0;
    const FoundRun run = expect_kept_run(run_registry(), options.name);
    if (!is_detached(run)) {
        throw Error("the sandbox " + sandbox::quoted(run.name) + " has no log")
            .cause("it was not started with --detach: what it writes goes where its caller's output goes");
    }
    const int directory = run.directory.get();
    Printer printer(options.timestamps, has_tail ? newlines_before(directory, tail, since) : 0);
    LogReader reader(directory);
    for (bool is_last = false;;) {
        while (const std::optional<LogReader::Frame> frame = reader.next()) {
            if (frame->time >= since) {
                printer.show(*frame);
            }
        }
        if (!options.follow || is_last) {
            break;
        }
        is_last = !is_alive(run); // one more look: it can have written between the last one and its end
        constexpr int kMilliseconds = 100;
        ::poll(nullptr, 0, is_last ? 0 : kMilliseconds);
    }
    tell_losses(reader, !has_tail && since == 0);
    return 0;
}

} // namespace

void add_logs(CLI::App& program, Action& chosen) {
    CLI::App* verb = program.add_subcommand("logs", "what a sandbox of --detach has written");
    const auto options = std::make_shared<LogOptions>();
    verb->add_flag("-f,--follow", options->follow, "and what it goes on to write, until it ends");
    verb->add_option("--since", options->since, "only what was written since then: 10m, 2026-11-29T12:00:00")
        ->type_name("TIME");
    verb->add_option("-n,--tail", options->tail, "only the last N lines")->type_name("N");
    verb->add_flag("-t,--timestamps", options->timestamps, "the time before each line");
    verb->add_option("NAME", options->name, "the sandbox")->required()->type_name("KEPT-RUN");
    verb->callback([&chosen, options] { chosen = [options] { return show(*options); }; });
}

} // namespace sandbox::ctl
