#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "core/image/decompress.hpp"

namespace sandbox::image {

namespace {

/// Enough for the two sides not to wait for each other at every file, and little enough to stay in the cache.
constexpr std::size_t kBlocks = 8;

} // namespace

/// A ring of blocks: the thread fills [written], the reader takes [taken].
struct AheadStream::Shared {
    std::array<std::vector<std::uint8_t>, kBlocks> ring;
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t written = 0; ///< blocks ever filled
    std::size_t taken = 0;   ///< blocks ever given back by the reader
    bool holding = false;    ///< the reader looks at ring[taken]
    bool at_end = false;
    bool stopped = false; ///< the reader has gone
    std::exception_ptr thrown;
    std::thread thread;

    void work(Stream& from) {
        try {
            while (fill(from)) {
            }
        } catch (...) {
            const std::scoped_lock lock(mutex);
            thrown = std::current_exception();
        }
        const std::scoped_lock lock(mutex);
        at_end = true;
        changed.notify_all();
    }

    bool fill(Stream& from) {
        std::vector<std::uint8_t>* block = nullptr;
        {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return stopped || written - taken < kBlocks; });
            if (stopped) {
                return false;
            }
            block = &ring[written % kBlocks];
        }
        const Bytes bytes = from.next();
        if (bytes.empty()) {
            return false;
        }
        block->assign(bytes.begin(), bytes.end());
        const std::scoped_lock lock(mutex);
        ++written;
        changed.notify_all();
        return true;
    }
};

AheadStream::AheadStream(Stream& from) : shared_(std::make_unique<Shared>()) {
    shared_->thread = std::thread([shared = shared_.get(), &from] { shared->work(from); });
}

AheadStream::~AheadStream() {
    {
        const std::scoped_lock lock(shared_->mutex);
        shared_->stopped = true;
        shared_->changed.notify_all();
    }
    shared_->thread.join();
}

Bytes AheadStream::next() {
    std::unique_lock lock(shared_->mutex);
    if (shared_->holding) {
        shared_->holding = false;
        ++shared_->taken;
        shared_->changed.notify_all();
    }
    shared_->changed.wait(lock, [&] { return shared_->at_end || shared_->written > shared_->taken; });
    if (shared_->written == shared_->taken) {
        if (shared_->thrown) {
            std::rethrow_exception(shared_->thrown);
        }
        return {};
    }
    shared_->holding = true;
    return shared_->ring[shared_->taken % kBlocks];
}

} // namespace sandbox::image
