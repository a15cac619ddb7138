#include "core/seccomp_entry.hpp"

#include <fmt/format.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace sandbox::seccomp {

namespace {

/// To be raised when the same plan compiles to something else than before, or when the file's layout changes.
constexpr int kFormat = 2;
constexpr std::array<char, 8> kMagic = {'s', 'b', 'x', 'b', 'p', 'f', '\n', '\0'};

/// The file: this, the key's text, zeros up to a multiple of 8, the instructions.
struct Header {
    std::array<char, 8> magic = kMagic;
    std::uint64_t checksum = 0; ///< of everything after itself
    std::uint32_t key_size = 0;
    std::uint32_t instruction_count = 0;
};
static_assert(sizeof(Header) % sizeof(std::uint64_t) == 0 && sizeof(sock_filter) == sizeof(std::uint64_t));
constexpr std::size_t kChecksumEnd = offsetof(Header, checksum) + sizeof(Header::checksum);

std::size_t padded(std::size_t size) {
    return (size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t) * sizeof(std::uint64_t);
}

void append_number(std::string& text, std::uint64_t number) {
    text += ' ';
    const fmt::format_int digits(number);
    text.append(digits.data(), digits.size());
}

void append_action(std::string& text, const SeccompAction& action) {
    append_number(text, static_cast<std::uint64_t>(action.kind));
    append_number(text, static_cast<std::uint64_t>(action.error_number));
    append_number(text, action.quiet ? 1 : 0);
}

} // namespace

/// FNV-1a over words of 8 bytes, with the upper bits mixed down. Each step can be undone, so that one changed word
/// never goes unseen.
std::uint64_t checksum_of(std::string_view bytes) {
    std::uint64_t sum = 0xcbf29ce484222325 ^ bytes.size();
    while (!bytes.empty()) {
        std::uint64_t word = 0;
        const std::size_t taken = std::min(bytes.size(), sizeof word);
        std::memcpy(&word, bytes.data(), taken);
        bytes.remove_prefix(taken);
        sum = (sum ^ word) * 0x100000001b3;
        sum ^= sum >> 32;
    }
    return sum;
}

std::string key_of(const SeccompPlan& plan) {
    const scmp_version* library = ::seccomp_version();
    std::string text =
        fmt::format(FMT_STRING("sandbox {} format {} libseccomp {}.{}.{} native {:x}\ndefault"), SANDBOX_VERSION,
                    kFormat, library->major, library->minor, library->micro, ::seccomp_arch_native());
    constexpr std::size_t kUsualLine = 32;
    text.reserve(text.size() + kUsualLine * (plan.entries.size() + 1));
    append_action(text, plan.default_action);
    for (const std::string& architecture : plan.architectures) {
        text += ' ';
        text += architecture;
    }
    for (const std::string& call : plan.quiet) {
        text += ' ';
        text += call;
    }
    for (const SeccompEntry& entry : plan.entries) {
        text += '\n';
        text += entry.syscall.name;
        append_number(text, static_cast<std::uint32_t>(entry.syscall.number));
        append_action(text, entry.action);
        for (const SeccompTest& test : entry.tests) {
            append_number(text, test.argument);
            append_number(text, test.mask);
            append_number(text, test.value);
        }
    }
    return text;
}

std::string encoded(std::string_view key, const Program& program) {
    Header header;
    header.key_size = static_cast<std::uint32_t>(key.size());
    header.instruction_count = static_cast<std::uint32_t>(program.instructions.size());
    std::string entry(sizeof header, '\0');
    entry += key;
    entry.resize(sizeof header + padded(key.size()));
    entry.append(reinterpret_cast<const char*>(program.instructions.data()),
                 program.instructions.size() * sizeof(sock_filter));
    std::memcpy(entry.data(), &header, sizeof header);
    header.checksum = checksum_of(std::string_view(entry).substr(kChecksumEnd));
    std::memcpy(entry.data(), &header, sizeof header);
    return entry;
}

std::optional<Program> decoded(std::string_view entry, std::string_view key) {
    Header header;
    if (entry.size() < sizeof header) {
        return std::nullopt;
    }
    std::memcpy(&header, entry.data(), sizeof header);
    const std::size_t start = sizeof header + padded(key.size());
    if (header.magic != kMagic || header.key_size != key.size() || header.instruction_count == 0 ||
        header.instruction_count > BPF_MAXINSNS ||
        entry.size() != start + header.instruction_count * sizeof(sock_filter) ||
        entry.substr(sizeof header, key.size()) != key || header.checksum != checksum_of(entry.substr(kChecksumEnd))) {
        return std::nullopt;
    }
    Program program;
    program.instructions.resize(header.instruction_count);
    std::memcpy(program.instructions.data(), entry.data() + start, entry.size() - start);
    if (!is_well_formed(program.instructions)) {
        return std::nullopt;
    }
    return program;
}

std::size_t longest_entry(std::string_view key) {
    return sizeof(Header) + padded(key.size()) + BPF_MAXINSNS * sizeof(sock_filter);
}

} // namespace sandbox::seccomp
