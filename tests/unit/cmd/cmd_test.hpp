// What the tests of the command line's parts share.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "cmd/common/profile_keys.hpp"
#include "core/base/error.hpp"
#include "core/plan/profile.hpp"

namespace sandbox::test {

/// The Error that `action` throws; the test fails where it throws none.
inline Error error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error;
    }
    BOOST_ERROR("no error was thrown");
    return Error("none");
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

/// What a profile says, "KEY = VALUE" a line, without the places.
inline std::vector<std::string> words_of(Profile profile) {
    std::vector<std::string> lines;
    for (const ProfileKey& key : profile_keys()) {
        const std::string name = key.full_name();
        if (const auto* words = std::get_if<ProfileKey::Words>(&key.field)) {
            for (const Item& item : (*words)(profile).items) {
                lines.push_back(name + " has " + item.text);
            }
        } else if (const auto* flag = std::get_if<ProfileKey::Flag>(&key.field)) {
            if ((*flag)(profile)) {
                lines.push_back(name + " = " + (*(*flag)(profile).value ? "true" : "false"));
            }
        } else if (const auto& setting = std::get<ProfileKey::Text>(key.field)(profile)) {
            lines.push_back(name + " = " + *setting.value);
        }
    }
    for (const auto& [name, value] : profile.environment.set) {
        if (value) {
            lines.push_back("environment.set." + name + " = " + *value.value);
        }
    }
    for (const SeccompRule& rule : profile.seccomp.rules) {
        std::string line = "rule " + rule.action.text;
        for (const Item& name : rule.syscalls) {
            line += " " + name.text;
        }
        for (const SeccompCondition& condition : rule.conditions) {
            line += " when " + std::to_string(condition.argument) + condition.op;
            for (const Item& value : condition.values) {
                line += " " + value.text;
            }
        }
        lines.push_back(line);
    }
    return lines;
}

/// A directory that is gone when the test ends.
class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = std::filesystem::temp_directory_path() / "sandbox-unit-XXXXXX";
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

    [[nodiscard]] std::string path(const std::string& name = "") const {
        return name.empty() ? path_.string() : (path_ / name).string();
    }
    /// Writes a file, with the directories above it. \return its path.
    std::string write(const std::string& name, std::string_view text, int mode = 0644) const {
        const std::filesystem::path file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
        std::filesystem::permissions(file, static_cast<std::filesystem::perms>(mode));
        return file;
    }

private:
    std::filesystem::path path_;
};

} // namespace sandbox::test
