// The log of a detached run: what is written is read, in a bounded room, and what is lost is counted.
#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/run_log.hpp"

namespace fs = std::filesystem;
using namespace sandbox;
using Stream = LogWriter::Stream;

namespace {

struct Place {
    Place() {
        std::string name = fs::temp_directory_path() / "sandbox-unit-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        top = name;
        directory.reset(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    }
    ~Place() {
        std::error_code ignored;
        fs::remove_all(top, ignored);
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

    fs::path top;
    Fd directory;

    [[nodiscard]] std::uintmax_t size() const {
        std::uintmax_t sum = 0;
        for (const auto& file : fs::directory_iterator(top)) {
            sum += fs::file_size(file.path());
        }
        return sum;
    }
};

std::string all(LogReader& reader) {
    std::string text;
    while (const auto frame = reader.next()) {
        text += frame->bytes;
    }
    return text;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(run_log, Place)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_with_its_stream_and_its_time) {
    LogWriter writer(directory.get(), kDefaultLog);
    writer.write(Stream::output, std::string("a\0b", 3));
    writer.write(Stream::error, "error");
    LogReader reader(directory.get());
    const auto first = reader.next();
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST(first->bytes == std::string("a\0b", 3));
    BOOST_CHECK(first->stream == Stream::output);
    const auto second = reader.next();
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(second->bytes == "error");
    BOOST_CHECK(second->stream == Stream::error);
    BOOST_TEST(first->time > 0);
    BOOST_TEST(second->time >= first->time);
    BOOST_TEST(!reader.next().has_value());
    writer.write(Stream::output, "later");
    BOOST_TEST(all(reader) == "later");
    BOOST_TEST(reader.lost() == 0U);
    BOOST_TEST(reader.dropped() == 0U);
}

BOOST_AUTO_TEST_CASE(it_is_never_larger_than_its_size_and_the_newest_is_there) {
    LogWriter writer(directory.get(), kSmallestLog);
    std::string text;
    for (int i = 0; i < 2'000; ++i) {
        const std::string line =
            "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 90), '.') + "\n";
        writer.write(Stream::output, line);
        text += line;
        BOOST_TEST(size() <= kSmallestLog);
    }
    writer.write(Stream::output, std::string(10'000, 'x')); // more than all of it
    text += std::string(10'000, 'x');
    BOOST_TEST(size() <= kSmallestLog);
    LogReader reader(directory.get());
    const std::string kept = all(reader);
    BOOST_TEST(kept.size() > kSmallestLog / 2);
    BOOST_TEST(text.ends_with(kept));
    BOOST_TEST(reader.dropped() + kept.size() == text.size());
}

BOOST_AUTO_TEST_CASE(a_reader_follows_from_segment_to_segment) {
    LogWriter writer(directory.get(), kSmallestLog);
    LogReader reader(directory.get());
    std::string written;
    std::string read;
    for (int i = 0; i < 1'000; ++i) {
        const std::string line = std::to_string(i) + "\n";
        writer.write(Stream::output, line);
        written += line;
        read += all(reader);
    }
    BOOST_TEST(read == written);
}

BOOST_AUTO_TEST_CASE(a_frame_that_is_cut_off_is_not_read) {
    LogWriter writer(directory.get(), kDefaultLog);
    writer.write(Stream::output, "whole");
    writer.write(Stream::output, "cut off");
    const fs::path segment = top / "log.1";
    const std::uintmax_t size = fs::file_size(segment);
    for (std::uintmax_t shorter = 1; shorter <= 7 + 16; ++shorter) {
        fs::resize_file(segment, size - shorter);
        LogReader reader(directory.get());
        BOOST_TEST(all(reader) == "whole");
    }
}

BOOST_AUTO_TEST_CASE(what_is_no_log_is_not_read) {
    LogReader none(directory.get());
    BOOST_TEST(!none.next().has_value());
    fs::create_directory(top / "log.1");
    fs::create_symlink("/etc/passwd", top / "log.2");
    LogReader odd(directory.get());
    BOOST_TEST(all(odd).empty());
}

BOOST_AUTO_TEST_SUITE_END()
