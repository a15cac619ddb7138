#include "cmd/sandboxctl/table.hpp"

#include <algorithm>
#include <string_view>

namespace sandbox::ctl {

namespace {

bool starts_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U;
}

std::size_t length(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, starts_character));
}

std::string cut(std::string line, std::size_t width) {
    std::size_t characters = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (starts_character(line[i]) && characters++ == width) {
            line.resize(i);
        }
    }
    return line;
}

} // namespace

std::string Table::text(std::size_t width) const {
    std::vector<std::size_t> widths;
    for (const std::vector<std::string>& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], length(row[i]));
        }
    }
    constexpr std::size_t kGap = 2;
    std::string text;
    for (const std::vector<std::string>& row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            line.append(i + 1 < row.size() ? widths[i] - length(row[i]) + kGap : 0, ' ');
        }
        text += (width != 0 ? cut(std::move(line), width) : line) + "\n";
    }
    return text;
}

} // namespace sandbox::ctl
