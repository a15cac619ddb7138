// The log of a detached run: what CMD writes, in segments of a bounded size together, the oldest dropped first.
//
// A segment is a file log.N: a header, then frames; a frame is a header with the time and the stream, then bytes as
// they came. So the time stamps stand beside the bytes, and what was being written when the machine went down is cut
// off.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/child_process.hpp"
#include "core/base/fd.hpp"

namespace sandbox {

inline constexpr std::uint64_t kSmallestLog = 4'096;
inline constexpr std::uint64_t kDefaultLog = std::uint64_t{16} << 20U;

/// Writes the segments. \throws nothing: what cannot be written is lost, and counted.
class LogWriter {
public:
    enum class Stream : std::uint32_t { output = 1, error = 2 };

    /// \param directory where the segments go; must outlive it. \param size of all of them together, at most.
    LogWriter(int directory, std::uint64_t size);

    /// Whether the first segment could be made.
    [[nodiscard]] bool is_open() const { return static_cast<bool>(segment_); }
    /// Of the open segment; -1 where there is none.
    [[nodiscard]] int descriptor() const { return segment_.get(); }

    void write(Stream stream, std::string_view bytes);

private:
    void start_segment();
    [[nodiscard]] std::uint64_t room() const;
    bool write_frame(Stream stream, std::string_view bytes);
    void lose(std::size_t bytes);

    int directory_;
    std::uint64_t segment_size_;
    std::uint64_t number_ = 0;
    std::uint64_t used_ = 0;     ///< bytes of the open segment
    std::uint64_t position_ = 0; ///< of CMD's bytes, those that were lost included
    std::uint64_t lost_ = 0;
    Fd segment_;
};

/// CMD's standard output and error, taken from here on by a process that writes the log. The process is not the
/// supervisor: CMD is never blocked because that is stopped, or writes an error of its own.
class RunLog {
public:
    /// Makes standard output and error of this process the log. Before: /dev/null is standard input, output and error,
    /// and this process has one thread. \throws Error where the log cannot be made.
    RunLog(int directory, std::uint64_t size);
    RunLog(const RunLog&) = delete;
    RunLog& operator=(const RunLog&) = delete;
    /// /dev/null again; comes back when all that was written is in the log.
    ~RunLog();

private:
    Fd running_; ///< its end tells the writer to take what is left, and to end
    ChildProcess writer_;
};

/// What was logged, as it is read while more is written.
class LogReader {
public:
    /// \param directory must outlive it.
    explicit LogReader(int directory);

    struct Frame {
        std::int64_t time = 0; ///< microseconds of the system's clock
        LogWriter::Stream stream = LogWriter::Stream::output;
        std::string bytes;
    };
    /// The next frame. \return nothing where there is none yet, or none any more.
    [[nodiscard]] std::optional<Frame> next();

    /// Bytes before the first that can be read, dropped for want of room.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }
    /// Bytes that could not be written.
    [[nodiscard]] std::uint64_t lost() const;

private:
    bool open_segment(std::uint64_t at_least);
    [[nodiscard]] bool is_followed() const;

    int directory_;
    std::uint64_t number_ = 0;
    std::uint64_t offset_ = 0;
    std::uint64_t position_ = 0; ///< of CMD's bytes, behind the last frame
    std::uint64_t dropped_ = 0;
    Fd segment_;
};

} // namespace sandbox
