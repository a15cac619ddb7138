// Streams: decompression, reading ahead, and how much is too much.
#include <algorithm>

#include <boost/test/unit_test.hpp>
#include <zlib.h>

#include "core/base/error.hpp"
#include "core/image/budget.hpp"
#include "core/image/decompress.hpp"

using namespace sandbox;
using namespace sandbox::image;

namespace {

std::string gzip(const std::string& text) {
    z_stream state{};
    deflateInit2(&state, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&state, text.size()) + 64, '\0');
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    state.avail_in = static_cast<uInt>(text.size());
    state.next_out = reinterpret_cast<Bytef*>(out.data());
    state.avail_out = static_cast<uInt>(out.size());
    deflate(&state, Z_FINISH);
    out.resize(state.total_out);
    deflateEnd(&state);
    return out;
}

Bytes bytes(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Gives a text in pieces of one size.
class Pieces : public Stream {
public:
    Pieces(std::string text, std::size_t size) : text_(std::move(text)), size_(size) {}
    Bytes next() override {
        const Bytes piece = bytes(text_).subspan(at_, std::min(size_, text_.size() - at_));
        at_ += piece.size();
        return piece;
    }

private:
    std::string text_;
    std::size_t size_;
    std::size_t at_ = 0;
};

class Failing : public Stream {
public:
    Bytes next() override {
        if (++calls_ > 3) {
            throw Error("it failed");
        }
        return bytes(block_);
    }

private:
    std::string block_ = std::string(1000, 'x');
    int calls_ = 0;
};

std::string unpacked(const std::string& packed, std::size_t piece) {
    Pieces from(packed, piece);
    const std::unique_ptr<Stream> stream = decompress(from, "packed");
    return read_text(*stream, 100'000'000, "packed");
}

} // namespace

BOOST_AUTO_TEST_SUITE(streams)

BOOST_AUTO_TEST_CASE(gzip_is_unpacked_however_it_comes) {
    std::string text;
    for (int i = 0; i < 200'000; ++i) {
        text += std::to_string(i);
    }
    const std::string packed = gzip(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, packed.size()}) {
        BOOST_TEST((unpacked(packed, piece) == text), piece);
    }
    // Several members are one text, and zeros may follow.
    BOOST_TEST((unpacked(packed + gzip("more") + std::string(512, '\0'), 1000) == text + "more"));
    BOOST_TEST(unpacked("plain", 3) == "plain");
    BOOST_TEST(unpacked("", 3).empty());
}

BOOST_AUTO_TEST_CASE(gzip_that_was_cut_or_changed_anywhere_is_refused) {
    const std::string text = std::string(5000, 'a') + "end";
    const std::string packed = gzip(text);
    for (std::size_t size = 2; size < packed.size(); ++size) {
        BOOST_CHECK_THROW(static_cast<void>(unpacked(packed.substr(0, size), 100)), Error);
    }
    for (std::size_t at = 10; at < packed.size(); ++at) { // behind the header
        std::string changed = packed;
        changed[at] = static_cast<char>(changed[at] ^ 0x10);
        try {
            // A bit that the format does not use changes nothing.
            BOOST_TEST((unpacked(changed, 100) == text), at);
        } catch (const Error&) {
            continue;
        }
    }
    BOOST_CHECK_THROW(static_cast<void>(unpacked(packed + "garbage", 100)), Error);
}

BOOST_AUTO_TEST_CASE(what_is_read_ahead_is_the_same) {
    std::string text;
    for (int i = 0; i < 100'000; ++i) {
        text += std::to_string(i) + "\n";
    }
    Pieces from(text, 1003);
    AheadStream ahead(from);
    BOOST_TEST((read_text(ahead, text.size(), "text") == text));
    BOOST_TEST(ahead.next().empty());
}

BOOST_AUTO_TEST_CASE(a_failure_ahead_arrives_behind_what_came_before_it) {
    Failing failing;
    AheadStream ahead(failing);
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(ahead.next().size() == 1000U);
    }
    BOOST_CHECK_THROW(static_cast<void>(ahead.next()), Error);
}

BOOST_AUTO_TEST_CASE(who_stops_early_does_not_wait_for_the_rest) {
    Pieces endless(std::string(50'000'000, 'x'), 100);
    AheadStream ahead(endless);
    BOOST_TEST(!ahead.next().empty());
}

BOOST_AUTO_TEST_CASE(a_text_that_is_too_long_is_refused) {
    Pieces from(std::string(1000, 'x'), 10);
    BOOST_CHECK_THROW(static_cast<void>(read_text(from, 999, "text")), Error);
}

BOOST_AUTO_TEST_CASE(a_budget_ends_where_it_ends_and_does_not_wrap) {
    Budget budget(1000, -1);
    budget.take(1000, "a");
    budget.take(0, "a");
    BOOST_CHECK_THROW(budget.take(1, "b"), Error);
    Budget other(1000, -1);
    BOOST_CHECK_THROW(other.take(~std::uint64_t{0}, "b"), Error);
}

BOOST_AUTO_TEST_SUITE_END()
