#include "core/kept_layers.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/file.hpp"

namespace sandbox {

namespace {

constexpr std::string_view kHead = "sandbox kept layers 1";
constexpr const char* kFile = "/about";

/// Tabs and newlines separate; a path may hold them.
std::string armoured(std::string_view text) {
    constexpr const char* kDigits = "0123456789abcdef";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || c == '%' || byte == 0x7f) {
            result += '%';
            result += kDigits[byte >> 4U];
            result += kDigits[byte & 15U];
        } else {
            result += c;
        }
    }
    return result;
}

int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<std::string> plain(std::string_view text) {
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            result += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        result += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return result;
}

std::string_view next_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

} // namespace

std::string KeptLayers::to_text() const {
    std::string text = std::string(kHead) + "\ndriver " + driver + "\n";
    for (const KeptLayer& layer : layers) {
        text += "layer " + armoured(layer.name) + " " + armoured(layer.below) + "\n";
    }
    return text + "end\n";
}

std::optional<KeptLayers> KeptLayers::parse(const std::string& text) {
    std::string_view rest = text;
    if (next_line(rest) != kHead) {
        return std::nullopt;
    }
    KeptLayers kept;
    while (!rest.empty()) {
        std::string_view line = next_line(rest);
        if (line == "end") {
            return kept.driver.empty() ? std::nullopt : std::optional(kept);
        }
        const std::size_t space = line.find(' ');
        const std::string_view key = line.substr(0, space);
        line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
        if (key == "driver") {
            kept.driver = line;
        } else if (key == "layer") {
            const std::size_t between = line.find(' ');
            const auto name = plain(line.substr(0, between));
            const auto below = between == std::string_view::npos ? std::nullopt : plain(line.substr(between + 1));
            if (!name || !below) {
                return std::nullopt;
            }
            kept.layers.push_back({*name, *below});
        }
    }
    return std::nullopt; // cut short
}

std::string kept_directory(const std::string& directory) {
    return directory + "/kept";
}

std::string kept_user_name(const std::string& name) {
    return "the kept layer " + name;
}

std::optional<KeptLayers> read_kept_layers(const std::string& directory) {
    return KeptLayers::parse(read_small_file(directory + kFile));
}

void write_kept_layers(const std::string& directory, const KeptLayers& kept) {
    const std::string path = directory + kFile;
    const std::string fresh = path + ".new";
    const Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    const bool is_written = file && write_all(file.get(), kept.to_text()) && ::fsync(file.get()) == 0 &&
                            std::rename(fresh.c_str(), path.c_str()) == 0;
    if (!is_written) {
        const int error_number = errno;
        throw Error("cannot write " + quoted(path)).kernel(error_number);
    }
}

Fd lock_kept_layers(const std::string& directory) {
    Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!lock) {
        const int error_number = errno;
        throw Error("cannot open the kept layer " + quoted(directory)).kernel(error_number);
    }
    return ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0 ? std::move(lock) : Fd();
}

} // namespace sandbox
