// How far an import is, on one line of a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sandbox::image {

class Progress {
public:
    /// \param terminal where it is drawn; -1: nowhere. \param total bytes; 0: not known
    Progress(int terminal, std::string title, std::uint64_t total);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    /// More bytes of the source were read.
    void add(std::uint64_t bytes);

private:
    void draw() const;

    int terminal_;
    std::string title_;
    std::uint64_t total_;
    std::uint64_t done_ = 0;
    bool drawn_ = false;
    std::chrono::steady_clock::time_point next_;
};

/// "12.3 MB".
[[nodiscard]] std::string human_size(std::uint64_t bytes);

} // namespace sandbox::image
