#include "core/run_log.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/file_size_signal.hpp"
#include "core/base/pipe.hpp"
#include "core/base/sys.hpp"

namespace sandbox {

namespace {

constexpr std::uint64_t kSegments = 8; ///< the oldest goes as a whole, so that an eighth is the most that goes at once
constexpr std::string_view kPrefix = "log.";

struct SegmentHeader {
    std::uint64_t magic = kMagic;
    std::uint64_t position = 0; ///< of CMD's bytes before this segment
    std::uint64_t lost = 0;     ///< of those, and of this segment's so far; in place, for a full disk takes no more

    static constexpr std::uint64_t kMagic = 0x31676f6c786f6273; // "sboxlog1"
};

struct FrameHeader {
    std::int64_t time = 0;
    std::uint32_t size = 0;
    LogWriter::Stream stream = LogWriter::Stream::output;
};

std::string segment_name(std::uint64_t number) {
    return fmt::format("{}{}", kPrefix, number);
}

std::int64_t now() {
    timespec time{};
    ::clock_gettime(CLOCK_REALTIME, &time);
    return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1'000;
}

bool read_at(const Fd& file, void* bytes, std::size_t size, std::uint64_t offset) {
    return ::pread(file.get(), bytes, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

} // namespace

LogWriter::LogWriter(int directory, std::uint64_t size) : directory_(directory), segment_size_(size / kSegments) {
    start_segment();
}

/// The room of the oldest is given back first: it may be all that is left.
void LogWriter::start_segment() {
    if (number_ + 1 > kSegments) {
        ::unlinkat(directory_, segment_name(number_ + 1 - kSegments).c_str(), 0);
    }
    const std::string name = segment_name(number_ + 1);
    Fd made(::openat(directory_, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    const SegmentHeader header{.position = position_, .lost = lost_};
    if (!made) {
        return;
    }
    if (::pwrite(made.get(), &header, sizeof header, 0) != static_cast<ssize_t>(sizeof header)) {
        const int error_number = errno;
        ::unlinkat(directory_, name.c_str(), 0);
        errno = error_number;
        return;
    }
    ++number_;
    used_ = sizeof header;
    segment_ = std::move(made);
}

void LogWriter::write(Stream stream, std::string_view bytes) {
    // A segment is filled to its end, but not with splinters.
    const std::uint64_t least = segment_size_ / 16;
    while (!bytes.empty()) {
        const auto wanted = std::min<std::uint64_t>(bytes.size(), least);
        if (room() < wanted) {
            start_segment();
        }
        const std::string_view part = bytes.substr(0, std::max(room(), wanted));
        position_ += part.size();
        if (room() < part.size() || !write_frame(stream, part)) {
            lose(part.size());
        }
        bytes.remove_prefix(part.size());
    }
}

/// For bytes of one more frame in the open segment.
std::uint64_t LogWriter::room() const {
    const std::uint64_t taken = used_ + sizeof(FrameHeader);
    return segment_size_ - std::min(segment_size_, taken);
}

/// Whole, or not at all: what a full disk took of it is taken back.
bool LogWriter::write_frame(Stream stream, std::string_view bytes) {
    FrameHeader header{.time = now(), .size = static_cast<std::uint32_t>(bytes.size()), .stream = stream};
    const std::array<iovec, 2> parts = {iovec{&header, sizeof header},
                                        iovec{const_cast<char*>(bytes.data()), bytes.size()}};
    const auto size = static_cast<ssize_t>(sizeof header + bytes.size());
    const ssize_t written = ::pwritev(segment_.get(), parts.data(), parts.size(), static_cast<off_t>(used_));
    if (written != size) {
        [[maybe_unused]] const int cut = ::ftruncate(segment_.get(), static_cast<off_t>(used_));
        return false;
    }
    used_ += static_cast<std::uint64_t>(size);
    return true;
}

void LogWriter::lose(std::size_t bytes) {
    lost_ += bytes;
    [[maybe_unused]] const ssize_t written =
        ::pwrite(segment_.get(), &lost_, sizeof lost_, static_cast<off_t>(offsetof(SegmentHeader, lost)));
}

namespace {

/// One of CMD's streams.
struct Source {
    Fd pipe;
    LogWriter::Stream stream;

    /// \return false where nothing more will come.
    bool take(LogWriter& writer, std::string& buffer) const {
        const ssize_t size = ::read(pipe.get(), buffer.data(), buffer.size());
        if (size > 0) {
            writer.write(stream, std::string_view(buffer).substr(0, static_cast<std::size_t>(size)));
        }
        return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
    }
};

/// \param running ends with the supervisor, or at its wish. CMD's streams may be open for longer, at who got them from
/// CMD: only what is in the pipes by then is taken.
void copy(std::array<Source, 2>& sources, const Fd& running, LogWriter& writer) {
    std::string buffer(65'536, '\0');
    for (bool is_last = false; !is_last && (sources[0].pipe || sources[1].pipe);) {
        std::array<pollfd, 3> watched = {pollfd{sources[0].pipe.get(), POLLIN, 0},
                                         pollfd{sources[1].pipe.get(), POLLIN, 0}, pollfd{running.get(), 0, 0}};
        ::poll(watched.data(), watched.size(), -1);
        is_last = watched[2].revents != 0;
        for (std::size_t i = 0; i < sources.size(); ++i) {
            Source& source = sources[i];
            ssize_t most = is_last ? ::fcntl(source.pipe.get(), F_GETPIPE_SZ) : 1;
            for (; source.pipe && most > 0; most -= static_cast<ssize_t>(buffer.size())) {
                pollfd readable{source.pipe.get(), POLLIN, 0};
                if (::poll(&readable, 1, 0) <= 0) {
                    break;
                }
                if (!source.take(writer, buffer)) {
                    source.pipe.reset();
                }
            }
        }
    }
}

/// Descriptors of the supervisor's that stay open here would keep what they lead to from ending.
void close_all_but(std::array<int, 5> kept) {
    std::ranges::sort(kept);
    unsigned first = 0;
    for (const int descriptor : kept) {
        const auto number = static_cast<unsigned>(descriptor);
        if (number > first) {
            sys::close_between(first, number - 1);
        }
        first = number + 1;
    }
    sys::close_from(first);
}

} // namespace

RunLog::RunLog(int directory, std::uint64_t size) {
    Pipe output = make_pipe("the log of the sandbox");
    Pipe error = make_pipe("the log of the sandbox");
    Pipe running = make_pipe("the log of the sandbox");
    // A description of its own, for the supervisor's holds the lock of the entry.
    Fd place(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::optional<LogWriter> writer;
    int error_number = errno;
    if (place) {
        const IgnoredFileSizeSignal ignored;
        writer.emplace(place.get(), size);
        error_number = errno;
    }
    if (!writer || !writer->is_open()) {
        Error refusal = Error("cannot make the log of the sandbox").kernel(error_number);
        if (error_number == EFBIG) { // setrlimit(2): RLIMIT_FSIZE
            refusal.cause("your limit of the size of a file is too low").fix("raise it: ulimit -f unlimited");
        }
        throw refusal;
    }
    int pidfd = -1;
    const pid_t pid = sys::clone(0, &pidfd);
    if (pid == 0) {
        ::setsid();
        ::prctl(PR_SET_NAME, "sandbox-log"); // for ps(1)
        sigset_t all;
        ::sigfillset(&all);
        ::sigprocmask(SIG_SETMASK, &all, nullptr);
        close_all_but(
            {output.read_end.get(), error.read_end.get(), running.read_end.get(), place.get(), writer->descriptor()});
        std::array<Source, 2> sources = {Source{std::move(output.read_end), LogWriter::Stream::output},
                                         Source{std::move(error.read_end), LogWriter::Stream::error}};
        copy(sources, running.read_end, *writer);
        ::_exit(0);
    }
    const int clone_error = errno;
    writer_ = pid < 0 ? ChildProcess() : ChildProcess(pid, Fd(pidfd));
    if (pid < 0 || ::dup2(output.write_end.get(), STDOUT_FILENO) < 0 ||
        ::dup2(error.write_end.get(), STDERR_FILENO) < 0) {
        throw Error("cannot start what writes the log of the sandbox").kernel(pid < 0 ? clone_error : errno);
    }
    running_ = std::move(running.write_end);
}

RunLog::~RunLog() {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        if (!null || ::dup2(null.get(), descriptor) < 0) {
            ::close(descriptor);
        }
    }
    running_.reset();
    writer_.wait();
}

namespace {

/// The first segment from a number on; 0 where there is none.
std::uint64_t next_segment(int directory, std::uint64_t at_least) {
    std::uint64_t found = 0;
    for (const std::string& name : list_directory(directory).value_or(std::vector<std::string>())) {
        std::uint64_t number = 0;
        if (name.starts_with(kPrefix)) {
            std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
        }
        if (number >= at_least && (found == 0 || number < found)) {
            found = number;
        }
    }
    return found;
}

} // namespace

LogReader::LogReader(int directory) : directory_(directory) {
    static_cast<void>(open_segment(1));
    dropped_ = position_;
}

bool LogReader::open_segment(std::uint64_t at_least) {
    const std::uint64_t found = next_segment(directory_, at_least);
    Fd opened(found == 0 ? -1 : ::openat(directory_, segment_name(found).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    SegmentHeader header;
    if (!opened || !read_at(opened, &header, sizeof header, 0) || header.magic != SegmentHeader::kMagic) {
        return false;
    }
    number_ = found;
    offset_ = sizeof header;
    position_ = header.position;
    segment_ = std::move(opened);
    return true;
}

std::optional<LogReader::Frame> LogReader::next() {
    for (;;) {
        FrameHeader header;
        // In the order in which they are written: behind the next segment's beginning nothing comes in this one.
        const bool is_behind = segment_ && !read_at(segment_, &header, sizeof header, offset_);
        if (segment_ && !is_behind) {
            Frame frame{.time = header.time, .stream = header.stream, .bytes = {}};
            struct stat status {};
            const bool is_whole = ::fstat(segment_.get(), &status) == 0 &&
                                  offset_ + sizeof header + header.size <= static_cast<std::uint64_t>(status.st_size);
            frame.bytes.resize(is_whole ? header.size : 0);
            if (!is_whole || !read_at(segment_, frame.bytes.data(), frame.bytes.size(), offset_ + sizeof header)) {
                return std::nullopt; // it is just being written
            }
            offset_ += sizeof header + header.size;
            return frame;
        }
        if (!is_followed()) {
            return std::nullopt;
        }
        // What was written between the two looks comes first.
        if (segment_ && read_at(segment_, &header, sizeof header, offset_)) {
            continue;
        }
        if (!open_segment(number_ + 1)) {
            return std::nullopt;
        }
    }
}

/// Whether a segment has been begun after this one: nothing is added to this one then.
bool LogReader::is_followed() const {
    return next_segment(directory_, number_ + 1) != 0;
}

std::uint64_t LogReader::lost() const {
    std::uint64_t most = 0;
    for (const std::string& name : list_directory(directory_).value_or(std::vector<std::string>())) {
        const Fd opened(
            name.starts_with(kPrefix) ? ::openat(directory_, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1);
        SegmentHeader header;
        if (opened && read_at(opened, &header, sizeof header, 0) && header.magic == SegmentHeader::kMagic) {
            most = std::max(most, header.lost);
        }
    }
    return most;
}

} // namespace sandbox
