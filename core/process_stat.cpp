#include "core/process_stat.hpp"

#include <charconv>

#include "core/base/file.hpp"

namespace sandbox {

ProcessStat::ProcessStat(pid_t pid) {
    const std::string line = read_line("/proc/" + std::to_string(pid) + "/stat");
    // The name, field 2, may hold blanks and parentheses; none stands behind its last one.
    const std::size_t end_of_name = line.rfind(')');
    if (end_of_name != std::string::npos) {
        fields_ = line.substr(end_of_name + 1);
    }
}

std::uint64_t ProcessStat::number(int field) const {
    constexpr int kFirst = 3;
    std::size_t at = 0; // of the blank before the field
    for (int passed = kFirst; passed < field && at != std::string::npos; ++passed) {
        at = fields_.find(' ', at + 1);
    }
    std::uint64_t value = 0;
    if (at < fields_.size()) {
        std::from_chars(fields_.data() + at + 1, fields_.data() + fields_.size(), value);
    }
    return value;
}

} // namespace sandbox
