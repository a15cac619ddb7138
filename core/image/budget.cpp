#include "core/image/budget.hpp"

#include <sys/statvfs.h>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/worker.hpp"

namespace sandbox::image {

namespace {

/// Looked at each time that so much was written: little enough for the rest to absorb it.
constexpr std::uint64_t kCheckEvery = std::uint64_t{4} << 20;
constexpr std::uint64_t kSpareBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kSpareFiles = 1000;

} // namespace

void Budget::take(std::uint64_t bytes, const std::string& entry) {
    if (bytes > max_size_ - used_) {
        throw Error("cannot unpack " + shown(entry))
            .cause(fmt::format("with it the image has more than {} bytes, which --max-size allows", max_size_))
            .fix("give --max-size more if you trust the image");
    }
    used_ += bytes;
}

void Budget::wrote(std::uint64_t bytes, const std::string& entry) {
    written_ += bytes;
    if (written_ >= next_check_) {
        next_check_ = written_ + kCheckEvery;
        expect_not_interrupted();
        check_disk(entry);
    }
}

void Budget::check_disk(const std::string& entry) const {
    struct statvfs disk {};
    if (::fstatvfs(directory_, &disk) < 0) {
        return;
    }
    const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    if (free < kSpareBytes || (disk.f_files > 0 && disk.f_favail < kSpareFiles)) {
        throw Error("cannot unpack " + shown(entry))
            .cause(free < kSpareBytes ? fmt::format("the disk of the image store has {} MiB left", free >> 20U)
                                      : fmt::format("the disk of the image store has room for {} more files",
                                                    static_cast<std::uint64_t>(disk.f_favail)))
            .fix("make room: sandboxctl image prune; or set XDG_DATA_HOME to a directory on a larger disk");
    }
}

} // namespace sandbox::image
