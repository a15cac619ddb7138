// What the list's resolver says of its work: which names it refused, and which names led to an address.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/plan/plan.hpp"

namespace sandbox::netns {

/// Reads the log of dnsmasq as it comes. Names in it are of CMD's making: they are kept as they are, bounded in number,
/// and escaped by whoever prints them.
class ResolverLog {
public:
    /// `plan` must outlive it.
    explicit ResolverLog(const AllowPlan& plan) : plan_(plan) {}

    /// The next bytes of the log; a line may come in pieces.
    void take(std::string_view text);

    [[nodiscard]] bool started() const { return started_; }
    /// What it said before it had started: why it did not.
    [[nodiscard]] const std::string& first_words() const { return first_words_; }
    /// How many addresses have been opened.
    [[nodiscard]] std::uint64_t openings() const { return openings_; }

    /// Names that no entry allows, with the number of questions, sorted.
    [[nodiscard]] const std::map<std::string, std::uint64_t>& refused() const { return refused_; }
    /// Names that an entry allows and that led to a loopback address, which no answer may: with the number of
    /// questions.
    [[nodiscard]] const std::map<std::string, std::uint64_t>& to_itself() const { return to_itself_; }
    /// Questions about other names than those, for which there was no room.
    [[nodiscard]] std::uint64_t refused_others() const { return refused_others_; }
    /// The name that was asked for when the address was answered, also where another name of an alias (CNAME) has it;
    /// empty where none was.
    [[nodiscard]] std::string name_of(const std::string& address) const;

private:
    void take_line(std::string_view line);
    void take_question(std::string_view line);
    void take_reply(std::string_view line);
    void refuse(std::string_view name);

    const AllowPlan& plan_;
    std::string rest_; ///< the line that has not ended yet
    std::string first_words_;
    bool started_ = false;
    std::uint64_t openings_ = 0;
    std::map<std::string, std::uint64_t> refused_;
    std::map<std::string, std::uint64_t> to_itself_;
    std::uint64_t refused_others_ = 0;
    std::map<std::uint64_t, std::string> questions_; ///< the last ones, by their number
    std::map<std::string, std::string> names_;       ///< by address
};

} // namespace sandbox::netns
