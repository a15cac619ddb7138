// What the tests of make_plan share: a made-up machine, a profile, and short questions about the result.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include "core/base/error.hpp"
#include "core/plan/plan.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/plan_text.hpp"

namespace sandbox::test {

struct PlanTest {
    FakeHost machine;
    Host& host = machine.host;
    Profile profile = test_profile();
    Command command{{"true"}, ""};

    void ro(const std::string& text) { add(profile.filesystem.read_only, "--ro", text); }
    void rw(const std::string& text) { add(profile.filesystem.read_write, "--rw", text); }
    void tmpfs(const std::string& text) { add(profile.filesystem.tmpfs, "--tmpfs", text); }
    void hide(const std::string& text) { add(profile.filesystem.hide, "--hide", text); }
    /// As it was typed: the shell makes a home of "~" and a path of $XDG_RUNTIME_DIR before the program sees them.
    static void add(List& list, const std::string& option, const std::string& text) {
        Item item = by_option(option, text);
        for (const auto& [word, value] :
             {std::pair{"~", "/home/dev"}, std::pair{"$XDG_RUNTIME_DIR", "/run/user/1000"}}) {
            for (std::size_t at = item.text.find(word); at != std::string::npos; at = item.text.find(word)) {
                item.text.replace(at, std::string(word).size(), value);
            }
        }
        list.items.push_back(std::move(item));
    }
    /// Written in the profile's own file.
    void in_profile(List& list, const std::string& text) const {
        list.items.push_back(in_file(text, profile.lineage.front(), "filesystem.test"));
    }

    [[nodiscard]] Plan plan() const { return make_plan(profile, command, host); }

    /// The steps of the root as text.
    [[nodiscard]] std::vector<std::string> entries() const {
        std::vector<std::string> lines;
        for (const RootEntry& entry : plan().root.entries) {
            lines.push_back(entry_text(entry));
        }
        return lines;
    }
    [[nodiscard]] bool has(const std::string& line) const {
        const auto lines = entries();
        return std::ranges::find(lines, line) != lines.end();
    }
    /// The steps whose destination is `dest` or lies below it.
    [[nodiscard]] std::vector<std::string> below(const std::string& dest) const {
        std::vector<std::string> lines;
        for (const RootEntry& entry : plan().root.entries) {
            if (entry.dest == dest || entry.dest.starts_with(dest + "/")) {
                lines.push_back(entry_text(entry));
            }
        }
        return lines;
    }
    /// The position of a step; the number of steps where it is not there.
    [[nodiscard]] std::size_t position(const std::string& line) const {
        const auto lines = entries();
        return static_cast<std::size_t>(std::ranges::find(lines, line) - lines.begin());
    }
    /// The message of the Error that make_plan throws; empty where it throws none.
    [[nodiscard]] std::string error() const {
        try {
            static_cast<void>(plan());
            return {};
        } catch (const Error& error) {
            return error.what();
        }
    }
    [[nodiscard]] std::string notices() const {
        std::string text;
        for (const std::string& notice : plan().notices) {
            text += notice + "\n";
        }
        return text;
    }
};

[[nodiscard]] inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

using Lines = std::vector<std::string>;

} // namespace sandbox::test

/// Equal lists, printed where they differ.
#define CHECK_LINES(actual, ...)                                                                                       \
    do {                                                                                                               \
        const sandbox::test::Lines actual_lines = (actual);                                                            \
        const sandbox::test::Lines wanted_lines __VA_ARGS__;                                                           \
        BOOST_CHECK_EQUAL_COLLECTIONS(actual_lines.begin(), actual_lines.end(), wanted_lines.begin(),                  \
                                      wanted_lines.end());                                                             \
    } while (false)

/// `text` holds `part`; both are printed where it does not.
#define CHECK_SAYS(text, part)                                                                                         \
    BOOST_CHECK_MESSAGE(sandbox::test::contains(text, part), "no \"" << (part) << "\" in: " << (text))
