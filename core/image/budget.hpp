// How much an import may write, looked at as it goes.
#pragma once

#include <cstdint>
#include <string>

namespace sandbox::image {

inline constexpr std::uint64_t kDefaultMaxSize = std::uint64_t{32} << 30;
inline constexpr std::uint64_t kEntrySize = 512; ///< what an entry counts besides its content: its header in a tar

/// Counts what is unpacked, and leaves the disk some room.
class Budget {
public:
    /// \param max_size of all that is unpacked. \param directory lies on the disk that is written to; -1: none is.
    Budget(std::uint64_t max_size, int directory) : max_size_(max_size), directory_(directory) {}

    /// \throws Error where it is too much.
    /// \param entry what is written, for the message.
    void take(std::uint64_t bytes, const std::string& entry);
    /// So much of it is written now. \throws Error where the disk is nearly full, or a signal asked to end
    void wrote(std::uint64_t bytes, const std::string& entry);

private:
    void check_disk(const std::string& entry) const;

    std::uint64_t max_size_;
    int directory_;
    std::uint64_t used_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t next_check_ = 0;
};

} // namespace sandbox::image
