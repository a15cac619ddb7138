// sandboxctl learn: runs a command under a base profile, and writes what it was refused as a profile that extends it.
// The run is the one of `sandbox --explain`: nothing is loosened but by --permissive, and nothing that is learned is
// used by itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cmd/common/learned_toml.hpp"
#include "cmd/common/print.hpp"
#include "cmd/common/profile_file.hpp"
#include "cmd/sandboxctl/output_file.hpp"
#include "cmd/sandboxctl/verbs.hpp"
#include "cmd/sandboxctl/watched_run.hpp"
#include "core/base/error.hpp"
#include "core/base/fd.hpp"
#include "core/base/file.hpp"
#include "core/plan/cloud_metadata.hpp"
#include "core/plan/host.hpp"
#include "core/plan/host_paths.hpp"
#include "core/plan/plan.hpp"

namespace sandbox::ctl {

namespace {

using Json = nlohmann::json;

/// What the command line asks for.
struct LearnWish {
    std::string base;   ///< empty: what the merged file extends, else "default"
    std::string output; ///< empty: standard output
    std::string merge;  ///< a file that was learned before; empty: none
    bool permissive = false;
    bool confirmed = false; ///< --yes
    std::vector<std::string> command;
};

/// A line from the terminal, whatever the standard streams are; nothing where there is none.
std::optional<std::string> ask(const std::string& question) {
    const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal || !write_all(terminal.get(), question)) {
        return std::nullopt;
    }
    std::string answer;
    for (char byte = 0; ::read(terminal.get(), &byte, 1) == 1 && byte != '\n';) {
        answer += byte;
    }
    return answer;
}

/// \throws Error where nobody says yes.
void confirm(const LearnWish& wish) {
    if (!wish.permissive || wish.confirmed) {
        return;
    }
    const std::optional<std::string> answer =
        ask(fmt::format("--permissive runs {} unprotected: it can do all that you can. Run it so? [y/N] ",
                        sandbox::quoted(wish.command.front())));
    if (!answer) {
        throw Error("learn --permissive: there is no terminal to ask whether CMD shall run unprotected")
            .fix("leave out --permissive and learn in several runs (--merge), or answer with --yes");
    }
    if (*answer != "y" && *answer != "Y" && *answer != "yes") {
        throw Error("learn --permissive: CMD was not run, as you wished");
    }
}

std::string program_of(const Json& refusal) {
    const Json& programs = refusal.at("programs");
    return programs.empty() ? "" : programs.front().get<std::string>();
}

/// The run knew what CMD made itself: what it lost it could make.
void add_path(Observations& seen, const Json& refusal, const PathOracle& oracle, const Host& host) {
    const bool is_lost = refusal.at("kind") == "lost";
    const std::optional<PathIntent> intent = find_intent(refusal.at("intent").get<std::string>());
    auto verdict = intent ? oracle.judge({refusal.at("object"), *intent, false, is_lost}) : std::nullopt;
    if (verdict) {
        const PathFact found = host.look_up(verdict->host_path);
        seen.paths.push_back({.verdict = *std::move(verdict),
                              .intent = *intent,
                              .found = found,
                              .program = program_of(refusal),
                              .count = refusal.at("count")});
    }
}

void add_call(Observations& seen, const Json& refusal, const Plan& plan) {
    const std::string object = refusal.at("object"); // "ptrace", "socket AF_VSOCK"
    const std::string name = object.substr(0, object.find(' '));
    const bool has_grant = !refusal.at("grant").is_null();
    const CallNeeds needs = has_grant ? needs_of_call(plan.seccomp, plan.ids, name, nullptr)
                                      : CallNeeds{.rule = false, .capability = "", .advice = refusal.at("advice")};
    seen.calls.push_back({.name = has_grant ? name : object,
                          .needs = needs,
                          .program = program_of(refusal),
                          .count = refusal.at("count")});
}

/// What the host has of them: the names that it has not are hidden too.
void add_hidden(Observations& seen, const Json& refusal, const Plan& plan, const Host& host) {
    const auto& names = plan.root.hidden_names.list;
    const auto name = std::ranges::find(names, refusal.at("object").get<std::string>(), &HiddenName::name);
    if (name != names.end() && host.look_up(name->source).kind != PathFact::Kind::absent) {
        seen.hidden.push_back(name->source);
    }
}

/// Its bytes are no UTF-8, and were lost on the way: another name could be granted for it.
bool has_lost_bytes(const Json& refusal) {
    return refusal.at("object").get<std::string>().find("\xef\xbf\xbd") != std::string::npos;
}

/// The report's refusals, judged again by the same Plan.
Observations observations_of(const Json& report, const Plan& plan, const Host& host) {
    const PathOracle oracle(plan.root, host::read_link);
    Observations seen;
    for (const Json& refusal : report.at("refusals")) {
        const std::string kind = refusal.at("kind");
        const std::string object = refusal.at("object");
        if (refusal.contains("files")) {
            continue; // found at the end, and nobody saw who wrote them
        }
        if (has_lost_bytes(refusal)) {
            continue;
        }
        if (kind == "file" || kind == "lost") {
            add_path(seen, refusal, oracle, host);
        } else if (kind == "syscall") {
            add_call(seen, refusal, plan);
        } else if (kind == "hidden") {
            add_hidden(seen, refusal, plan, host);
        } else if (kind == "name" && (!refusal.at("grant").is_null() || is_cloud_metadata(object))) {
            seen.names.push_back({.name = object, .port = 0, .program = "", .count = refusal.at("count")});
        }
    }
    return seen;
}

/// A base that is a path stays one that can be found from where the new file lies.
/// \param from the directory that a relative path starts at.
std::string base_word(const std::string& base, const std::filesystem::path& from) {
    const bool is_name = base.find('/') == std::string::npos && !base.ends_with(".toml");
    return is_name ? base : (from / base).lexically_normal().string();
}

Error cannot_merge(const std::string& path) {
    return Error("learn --merge: cannot read " + sandbox::quoted(path));
}

/// \throws Error for what is no file, or too large for one that was learned.
std::string read_text(const std::string& path) {
    constexpr std::size_t kLargest = std::size_t{1} << 20; // as of any profile
    // O_NONBLOCK: a FIFO must not make us wait for its writer.
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) {
        throw cannot_merge(path).kernel(errno);
    }
    if (!S_ISREG(status.st_mode)) {
        throw cannot_merge(path).cause(S_ISDIR(status.st_mode) ? "it is a directory" : "it is not a regular file");
    }
    std::string text;
    if (!read_all(file.get(), kLargest + 1, text)) {
        throw cannot_merge(path).kernel(errno);
    }
    if (text.size() > kLargest) {
        throw cannot_merge(path).cause("it is larger than 1 MiB");
    }
    return text;
}

/// The base of what is to be learned: one for both, where it is joined with an earlier file.
std::string choose_base(const LearnWish& wish, const std::optional<LearnedFile>& earlier) {
    const std::filesystem::path here = std::filesystem::current_path();
    const std::string wished = wish.base.empty() ? "" : base_word(wish.base, here);
    if (!earlier) {
        return wished.empty() ? "default" : wished;
    }
    const std::string joined = base_word(earlier->base, (here / wish.merge).parent_path());
    if (!wished.empty() && wished != joined) {
        throw Error(fmt::format("learn: cannot join what was learned under two profiles, {} and {}",
                                sandbox::quoted(joined), sandbox::quoted(wished)))
            .fix(fmt::format("leave out --base, or give another file than {}", sandbox::quoted(wish.merge)));
    }
    return joined;
}

/// \throws Error where the file that is to be written is the base, or one that the base extends.
void refuse_circle(const std::string& output, const Profile& base) {
    const bool is_circle = std::ranges::any_of(base.lineage, [&](const std::string& file) {
        std::error_code none;
        return std::filesystem::equivalent(file, output, none);
    });
    if (!output.empty() && is_circle) {
        throw Error(fmt::format("learn: {} would extend itself", sandbox::quoted(output)))
            .fix("write to another file, or join with --merge");
    }
}

/// What the report does not hold is in no profile either.
void tell_what_is_missing(const Json& report) {
    for (const Json& blind : report.at("blind")) {
        complain("note: not all is known: " + blind.at("why").get<std::string>(), "sandboxctl");
    }
    if (const auto unlisted = report.at("unlisted").get<std::uint64_t>(); unlisted > 0) {
        complain(
            fmt::format("note: {} more refusals found no place in the report, and are not in the profile", unlisted),
            "sandboxctl");
    }
    if (const auto odd = std::ranges::count_if(report.at("refusals"), has_lost_bytes); odd > 0) {
        complain(fmt::format("note: {} of the names that were refused, with bytes that are no UTF-8, {} not in the "
                             "profile, which can hold no such name",
                             odd, odd == 1 ? "is" : "are"),
                 "sandboxctl");
    }
}

/// To the file, or where that fails to standard output: nobody wants to run CMD again for it.
void deliver(const std::string& text, const LearnWish& wish, std::optional<OutputFile>& output) {
    if (!output) {
        return print(text);
    }
    try {
        output->write(text);
    } catch (const Error&) {
        print(text);
        throw;
    }
    complain(fmt::format("note: wrote {}; nothing uses it until you say: sandbox -p {} CMD",
                         sandbox::quoted(wish.output), shell_quoted(wish.output)),
             "sandboxctl");
}

int learn_from(LearnWish wish) {
    if (wish.command.empty()) {
        throw Error("learn: a command is missing").fix("sandboxctl learn --base default -- CMD");
    }
    const Host host = gather_host();
    std::optional<LearnedFile> earlier;
    if (!wish.merge.empty()) {
        earlier = read_learned(read_text(wish.merge), wish.merge, host);
    }
    wish.base = choose_base(wish, earlier);
    const Profile profile = load_profile(wish.base, profile_search(host.config_dir));
    refuse_circle(wish.output, profile);
    const Plan plan =
        make_plan(profile, {.arguments = wish.command, .name = "", .entrypoint = {}, .stats = false}, host);
    confirm(wish);
    std::optional<OutputFile> output;
    if (!wish.output.empty()) {
        output.emplace(wish.output);
    }
    const WatchedRun run = run_watched(wish.base, wish.permissive, wish.command);
    if (run.report.is_discarded() || !run.report.contains("refusals")) {
        return run.status;
    }
    tell_what_is_missing(run.report);
    const CallerPlaces places = caller_places(host, host::list_directory);
    LearnedFile file{.base = wish.base, .description = "", .learned = {}};
    file.learned = learn(observations_of(run.report, plan, host), places);
    if (earlier) {
        file.description = earlier->description;
        file.learned = join(earlier->learned, file.learned, places);
    }
    deliver(learned_to_toml(file), wish, output);
    return run.status;
}

} // namespace

std::vector<std::string> take_command_of_learn(std::vector<std::string>& words) {
    std::vector<std::string> command;
    if (words.empty() || words.front() != "learn") {
        return command;
    }
    constexpr std::array<std::string_view, 4> kValued = {"--base", "--output", "--merge", "-o"};
    std::size_t at = 1;
    while (at < words.size() && words[at].size() > 1 && words[at].starts_with('-') && words[at] != "--") {
        at += std::ranges::find(kValued, words[at]) != kValued.end() ? 2 : 1;
    }
    const std::size_t end = std::min(words.size(), at);
    const bool has_dashes = end < words.size() && words[end] == "--";
    command.assign(words.begin() + static_cast<std::ptrdiff_t>(end + (has_dashes ? 1 : 0)), words.end());
    words.resize(end);
    return command;
}

void add_learn(CLI::App& program, Action& chosen, std::vector<std::string> command) {
    CLI::App* verb = program.add_subcommand(
        "learn", "run a command, and write what it was refused as a profile: learn [OPTIONS] [--] CMD [ARG...]");
    const auto wish = std::make_shared<LearnWish>();
    wish->command = std::move(command);
    verb->add_option("--base", wish->base, "the profile that it runs under, and that the new one extends")
        ->type_name("PROFILE");
    verb->add_option("-o,--output", wish->output, "write the profile to FILE instead of standard output")
        ->type_name("FILE");
    verb->add_option("--merge", wish->merge, "join it with what was learned before")->type_name("FILE");
    CLI::Option* permissive = verb->add_flag(
        "--permissive", wish->permissive, "run it unprotected, so that one run finds all; asks on the terminal first");
    verb->add_flag("-y,--yes", wish->confirmed, "do not ask")->needs(permissive);
    verb->callback([&chosen, wish] { chosen = [wish] { return learn_from(*wish); }; });
}

} // namespace sandbox::ctl
