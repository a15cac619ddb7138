#include "core/image/progress.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox::image {

namespace {

constexpr std::chrono::milliseconds kEvery{100};
constexpr std::uint64_t kWidth = 24;

} // namespace

Progress::Progress(int terminal, std::string title, std::uint64_t total)
    : terminal_(terminal), title_(escaped(title.substr(0, 40))), total_(total),
      next_(std::chrono::steady_clock::now() + kEvery) {}

Progress::~Progress() {
    if (drawn_) {
        static_cast<void>(write_all(terminal_, "\r\x1b[K"));
    }
}

void Progress::add(std::uint64_t bytes) {
    done_ += bytes;
    const auto now = std::chrono::steady_clock::now();
    if (terminal_ >= 0 && now >= next_) {
        next_ = now + kEvery;
        drawn_ = true;
        draw();
    }
}

void Progress::draw() const {
    if (total_ == 0) {
        static_cast<void>(write_all(terminal_, fmt::format("\r{}  {}\x1b[K", title_, human_size(done_))));
        return;
    }
    const std::uint64_t done = std::min(done_, total_);
    const auto filled = static_cast<std::size_t>(done * kWidth / total_);
    static_cast<void>(
        write_all(terminal_, fmt::format("\r{}  [{}{}] {:3}%  {}\x1b[K", title_, std::string(filled, '#'),
                                         std::string(kWidth - filled, ' '), done * 100 / total_, human_size(done))));
}

std::string human_size(std::uint64_t bytes) {
    constexpr std::array<const char*, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
    constexpr double kStep = 1000;
    auto size = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (size >= kStep && unit + 1 < kUnits.size()) {
        size /= kStep;
        ++unit;
    }
    return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

} // namespace sandbox::image
