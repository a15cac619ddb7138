#include "cmd/common/options.hpp"

#include <getopt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "cmd/common/profile_keys.hpp"
#include "core/base/error.hpp"
#include "core/plan/environment_plan.hpp"
#include "core/plan/limits_plan.hpp"
#include "core/plan/nearest.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/size.hpp"
#include "core/run_log.hpp"

namespace sandbox {

namespace {

using Group = Option::Group;
using Completes = Option::Completes;
using Action = Option::Action;

constexpr std::array<std::string_view, 1> kFormats = {"json"};
constexpr std::array<std::string_view, 3> kUsers = {"self", "root", "image"};
constexpr std::array<std::string_view, 1> kNoFilter = {"none"};
constexpr std::array<std::string_view, 3> kReportWords = {"auto", "always", "never"};

// clang-format off
constexpr Option kOptions[] = {
    {.name = "profile", .letter = 'p', .argument = "NAME", .help = "the profile to run under: a name, or a path with a '/' (default: default)",
     .group = Group::profile, .completes = Completes::profile, .action = Action::profile},
    {.name = "seccomp", .argument = "PROFILE", .help = "take the system call filter of another profile; none: no filter",
     .group = Group::profile, .key = "seccomp.extends", .completes = Completes::profile, .words = kNoFilter},
    {.name = "seccomp-allow", .argument = "CALL", .help = "let a system call pass that the profile does not allow: a name or a @group",
     .group = Group::profile, .comma_list = true, .action = Action::seccomp_allow},

    {.name = "image", .argument = "NAME", .help = "run on an image of the store (sandboxctl image list), under a private layer",
     .group = Group::filesystem, .key = "filesystem.image", .root = "image", .completes = Completes::image},
    {.name = "rootfs", .argument = "DIR", .help = "run on the system that stands in DIR, read-only",
     .group = Group::filesystem, .key = "filesystem.rootfs", .root = "rootfs", .completes = Completes::directory},
    {.name = "writable-root", .help = "lay a private layer over --rootfs, which takes what is written",
     .group = Group::filesystem, .key = "filesystem.writable-root", .value = "true"},
    {.name = "read-only-root", .help = "let nothing be written to the image",
     .group = Group::filesystem, .key = "filesystem.writable-root", .value = "false"},
    {.name = "ro", .argument = "PATH[:DEST]", .help = "show PATH of the host, read-only, at DEST or at its own place",
     .group = Group::filesystem, .key = "filesystem.read-only", .completes = Completes::path},
    {.name = "rw", .argument = "PATH[:DEST]", .help = "show PATH of the host, writable",
     .group = Group::filesystem, .key = "filesystem.read-write", .completes = Completes::path},
    {.name = "overlay", .argument = "PATH[:DEST]", .help = "show PATH of the host, writable: a private layer takes what is written",
     .group = Group::filesystem, .key = "filesystem.overlay", .completes = Completes::directory},
    {.name = "keep", .argument = "NAME", .help = "keep the private layers under NAME, and go on with what it holds",
     .group = Group::filesystem, .key = "filesystem.keep", .completes = Completes::kept},
    {.name = "overlay-driver", .argument = "DRIVER", .help = "who joins the layers: the kernel, fuse-overlayfs, or what works (auto)",
     .group = Group::filesystem, .key = "filesystem.overlay-driver", .completes = Completes::words},
    {.name = "tmpfs", .argument = "PATH", .help = "an empty private directory, gone at the end",
     .group = Group::filesystem, .key = "filesystem.tmpfs", .completes = Completes::directory},
    {.name = "hide", .argument = "PATH", .help = "cover PATH (or what a glob names), so that its content cannot be seen",
     .group = Group::filesystem, .key = "filesystem.hide", .completes = Completes::path},
    {.name = "workdir", .letter = 'w', .argument = "DIR", .help = "where CMD starts (default: the current directory, if it is shown)",
     .group = Group::filesystem, .key = "process.workdir", .completes = Completes::directory},

    {.name = "user", .letter = 'u', .argument = "USER", .help = "who CMD is inside: self, root, UID or UID:GID; on an image a name of its own, or image",
     .group = Group::process, .key = "ids.user", .completes = Completes::words, .words = kUsers},
    {.name = "entrypoint", .argument = "PROGRAM", .help = "start this instead of the image's entrypoint; empty: none",
     .group = Group::process, .completes = Completes::path, .may_be_empty = true, .action = Action::entrypoint},
    {.name = "root", .help = "the same as --user root",
     .group = Group::process, .key = "ids.user", .value = "root"},
    {.name = "tty", .letter = 't', .help = "give CMD a terminal of its own",
     .group = Group::process, .key = "process.terminal", .value = "always"},
    {.name = "no-tty", .help = "give CMD no terminal of its own, even when it is used from one",
     .group = Group::process, .key = "process.terminal", .value = "never"},
    {.name = "memory", .letter = 'm', .argument = "SIZE", .help = "the most memory that the whole sandbox uses: 512m, 1.5G, unlimited",
     .group = Group::limits, .key = "limits.memory"},
    {.name = "swap", .argument = "SIZE", .help = "the most swap, or unlimited; without it a sandbox with --memory gets none",
     .group = Group::limits, .key = "limits.swap"},
    {.name = "pids", .argument = "N", .help = "the most processes and threads at a time",
     .group = Group::limits, .key = "limits.pids"},
    {.name = "cpus", .argument = "N", .help = "the most CPU time: 0.5 is half of one CPU",
     .group = Group::limits, .key = "limits.cpus"},
    {.name = "cpu-weight", .argument = "N", .help = "the share of the CPUs when others want them too: 1 to 10000 (100)",
     .group = Group::limits, .key = "limits.cpu-weight"},
    {.name = "io", .argument = "PATH:KEY=VALUE", .help = "what is read and written a second on PATH's disk: /home:rbps=10m,wiops=100",
     .group = Group::limits, .key = "limits.io", .completes = Completes::path},
    {.name = "net-in", .argument = "RATE", .help = "the most that comes in over the network: 20mbit, 2MB/s, unlimited",
     .group = Group::limits, .key = "limits.net-in"},
    {.name = "net-out", .argument = "RATE", .help = "the most that goes out over the network",
     .group = Group::limits, .key = "limits.net-out"},
    {.name = "timeout", .argument = "DURATION", .help = "end CMD after this time: 30s, 5m, 1h30m",
     .group = Group::limits, .key = "limits.timeout"},
    {.name = "ulimit", .argument = "NAME=SOFT[:HARD]", .help = "limit each process: core, fsize, nofile, nproc, stack (nofile=1024, fsize=512m)",
     .group = Group::limits, .key = "limits", .completes = Completes::limit},

    {.name = "net", .argument = "MODE", .help = "the network: none, the host's, or one of its own through slirp4netns or pasta",
     .group = Group::network, .key = "network.mode", .completes = Completes::words},
    {.name = "publish", .argument = "[ADDR:]HOST:SANDBOX", .help = "let a port of the host lead to one of the sandbox: 8080:80, 0:80, 5353:53/udp",
     .group = Group::network, .key = "network.publish"},
    {.name = "dns", .argument = "ADDR", .help = "ask this resolver instead of the host's own",
     .group = Group::network, .key = "network.dns"},
    {.name = "add-host", .argument = "NAME:ADDR", .help = "add a line to the sandbox's /etc/hosts",
     .group = Group::network, .key = "network.hosts"},
    {.name = "host-loopback", .help = "let CMD reach the servers on the host's 127.0.0.1, at 10.0.2.2",
     .group = Group::network, .key = "network.host-loopback", .value = "true"},
    {.name = "net-allow", .argument = "HOST[:PORT]", .help = "let CMD reach what is named so and nothing else: a name, *.NAME, an address, a range",
     .group = Group::network, .key = "network.allow"},
    {.name = "share", .argument = "NS", .help = "keep the host's namespace: pid, net, ipc, uts, cgroup",
     .group = Group::isolation, .key = "namespaces.share", .completes = Completes::words, .comma_list = true},
    {.name = "hostname", .argument = "NAME", .help = "the hostname inside",
     .group = Group::isolation, .key = "namespaces.hostname"},
    {.name = "cap-add", .argument = "CAP", .help = "let CMD keep a capability inside its namespaces: NET_RAW, all",
     .group = Group::isolation, .key = "capabilities.keep", .completes = Completes::capability, .comma_list = true},
    {.name = "cap-drop", .argument = "CAP", .help = "take away a capability that the profile keeps",
     .group = Group::isolation, .key = "capabilities.drop", .completes = Completes::capability, .comma_list = true},

    {.name = "env", .letter = 'e', .argument = "NAME=VALUE", .help = "set an environment variable",
     .group = Group::environment, .key = "environment.set", .completes = Completes::variable},
    {.name = "pass-env", .argument = "NAME", .help = "let a variable of yours through; a glob names several (LC_*)",
     .group = Group::environment, .key = "environment.pass", .completes = Completes::variable, .comma_list = true},
    {.name = "clear-env", .help = "let no variable through but those that other options name",
     .group = Group::environment, .key = "environment.clear", .value = "true"},

    {.name = "name", .argument = "NAME", .help = "a name for this sandbox, and its hostname unless --hostname gives one",
     .group = Group::run, .action = Action::name},
    {.name = "detach", .letter = 'd', .help = "leave it running, with a log: print its name once CMD has started",
     .group = Group::run, .action = Action::detach},
    {.name = "log-size", .argument = "SIZE", .help = "the most that the log of --detach takes (16m); the oldest is dropped",
     .group = Group::run, .action = Action::log_size},
    {.name = "dry-run", .argument = "json", .help = "show what would be done and from where each part of it comes, and run nothing",
     .group = Group::run, .completes = Completes::words, .words = kFormats, .argument_optional = true, .action = Action::dry_run},
    {.name = "quiet", .letter = 'q', .help = "no notes; errors are still told",
     .group = Group::run, .action = Action::quiet},
    {.name = "stats", .argument = "json", .help = "tell at the end what the sandbox used: time, memory, processes, bytes",
     .group = Group::run, .completes = Completes::words, .words = kFormats, .argument_optional = true, .action = Action::stats},
    {.name = "explain", .help = "watch which files CMD asks for, and tell at the end which of them the profile kept from it",
     .group = Group::run, .action = Action::explain},
    {.name = "permissive", .help = "with --explain: run CMD unprotected, and tell what the profile would have refused",
     .group = Group::run, .action = Action::permissive},
    {.name = "report", .argument = "WHEN", .help = "tell at the end what was refused: auto (to a terminal, and if CMD failed), always, never",
     .group = Group::run, .completes = Completes::words, .words = kReportWords, .action = Action::report},
    {.name = "report-json", .argument = "FD|FILE", .help = "write the whole report to a descriptor or a file, for programs",
     .group = Group::run, .completes = Completes::path, .action = Action::report_json},
    {.name = "verbose", .letter = 'v', .help = "print the steps of the start and when each was done",
     .group = Group::run, .action = Action::verbose},
    {.name = "status-fd", .argument = "N", .help = "write records for programs (JSON, one a line) to descriptor N",
     .group = Group::run, .action = Action::status_fd},

    {.name = "help", .letter = 'h', .help = "this text", .group = Group::help, .action = Action::help},
    {.name = "version", .letter = 'V', .help = "the version", .group = Group::help, .action = Action::version},
};
// clang-format on

const Option* find_option(std::string_view name) {
    const auto* found = std::ranges::find(kOptions, name, &Option::name);
    return found == std::end(kOptions) ? nullptr : found;
}

/// The name in "--name" or "--name=value"; empty for other words.
std::string_view long_name(std::string_view word) {
    if (!word.starts_with("--") || word.size() == 2) {
        return "";
    }
    return word.substr(2, word.find('=') == std::string_view::npos ? std::string_view::npos : word.find('=') - 2);
}

Error unknown_option(std::string_view word) {
    Error error(fmt::format("unknown option {}", quoted(word)));
    std::vector<std::string_view> names;
    for (const Option& option : kOptions) {
        names.push_back(option.name);
    }
    const std::string near = nearest(long_name(word), std::span<const std::string_view>(names));
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '--{}'?", near));
    }
    return std::move(error).fix("sandbox --help lists the options; those of CMD stand behind CMD");
}

/// Gathers what the options say.
class Parser {
public:
    void take(const Option& option, const std::string& value) {
        if (!option.argument.empty() && value.empty() && !option.argument_optional && !option.may_be_empty) {
            throw Error(fmt::format("--{} needs {}, which is empty here", option.name, option.argument));
        }
        switch (option.action) {
        case Action::writes_key:
            take_key(option, value);
            break;
        case Action::profile:
            line_.profile_name = value;
            names_profile_ = true;
            break;
        case Action::entrypoint:
            line_.entrypoint = value;
            break;
        case Action::name:
            line_.name = value;
            break;
        case Action::dry_run:
            if (!value.empty() && value != "json") {
                throw Error(fmt::format("--dry-run cannot print {}", quoted(value)))
                    .fix("--dry-run for people, --dry-run=json for programs");
            }
            line_.mode = value.empty() ? CommandLine::Mode::show_plan : CommandLine::Mode::show_plan_json;
            break;
        case Action::stats:
            if (!value.empty() && value != "json") {
                throw Error(fmt::format("--stats cannot print {}", quoted(value)))
                    .fix("--stats for people, --stats=json for programs");
            }
            line_.stats = value.empty() ? StatsFormat::text : StatsFormat::json;
            break;
        case Action::quiet:
            line_.quiet = true;
            break;
        case Action::verbose:
            line_.verbose = true;
            break;
        case Action::detach:
            detaches_ = true;
            break;
        case Action::log_size:
            take_log_size(value);
            break;
        case Action::explain:
            line_.explain = true;
            break;
        case Action::permissive:
            line_.permissive = true;
            break;
        case Action::report:
            take_report(value);
            break;
        case Action::report_json:
            line_.report.json = value;
            break;
        case Action::seccomp_allow:
            take_allowed_calls(value);
            break;
        case Action::status_fd:
            line_.status_fd = descriptor(value);
            break;
        case Action::version:
            line_.mode = CommandLine::Mode::version;
            break;
        case Action::help:
            line_.mode = CommandLine::Mode::help;
            break;
        }
    }

    [[nodiscard]] CommandLine& line() { return line_; }

    void settle_log() {
        if (line_.log_size && !detaches_) {
            throw Error("--log-size: there is no log without --detach");
        }
        if (detaches_ && !line_.log_size) {
            line_.log_size = kDefaultLog;
        }
    }

    void settle_permissive() {
        if (line_.permissive && !line_.explain) {
            throw Error("--permissive: CMD would run unprotected, and nothing would be told of it")
                .fix("sandbox --explain --permissive CMD; to run it so all the same: sandbox -p permissive CMD");
        }
    }

    /// `sandbox --image debian bash` is a container.
    void choose_profile() {
        if (!names_profile_ && line_.profile.filesystem.root) {
            line_.profile_name = "container";
        }
    }

private:
    void take_key(const Option& option, const std::string& value) {
        const std::string words =
            option.argument.empty() ? fmt::format("--{}", option.name) : fmt::format("--{} {}", option.name, value);
        const Origin origin{Origin::Kind::option, words, 0, 0, {}};
        if (option.key == "environment.set") {
            take_variable(value, origin);
            return;
        }
        if (option.key == "limits") {
            take_limit(value, origin);
            return;
        }
        if (!option.root.empty()) {
            write_key(line_.profile, *find_profile_key("filesystem.root"), std::string(option.root), origin);
        }
        const ProfileKey& key = *find_profile_key(option.key);
        if (option.argument.empty()) {
            write_key(line_.profile, key, std::string(option.value), origin);
            return;
        }
        std::string_view rest = value;
        while (option.comma_list && rest.find(',') != std::string_view::npos) {
            write_key(line_.profile, key, std::string(rest.substr(0, rest.find(','))), origin);
            rest.remove_prefix(rest.find(',') + 1);
        }
        write_key(line_.profile, key, std::string(rest), origin);
    }

    void take_variable(const std::string& value, const Origin& origin) {
        const std::size_t equals = value.find('=');
        if (equals == std::string::npos) {
            throw Error(fmt::format("{}: a variable is set with NAME=VALUE", origin.place()))
                .fix(fmt::format("--pass-env {} lets your own value through", escaped(value)));
        }
        const std::string name = value.substr(0, equals);
        check_variable(name, value.substr(equals + 1), origin);
        line_.profile.environment.set[name].set(value.substr(equals + 1), origin);
    }

    void take_limit(const std::string& value, const Origin& origin) {
        const std::size_t equals = value.find('=');
        const std::string name = value.substr(0, equals);
        const auto* const known = std::ranges::find(known_limits(), name, &KnownLimit::name);
        if (known == known_limits().end()) {
            std::vector<std::string_view> names;
            std::ranges::transform(known_limits(), std::back_inserter(names), &KnownLimit::name);
            refuse_word(name, origin, "a limit", names);
        }
        if (equals == std::string::npos || equals + 1 == value.size()) {
            throw Error(fmt::format("{}: a limit is set with NAME=SOFT or NAME=SOFT:HARD", origin.place()))
                .fix(fmt::format("--ulimit {}={}", name, known->number));
        }
        write_key(line_.profile, *find_profile_key("limits", name), value.substr(equals + 1), origin);
    }

    /// A rule that allows without conditions, so that it holds where the profile's allows some arguments only.
    void take_allowed_calls(std::string_view calls) {
        const Origin origin{Origin::Kind::option, fmt::format("--seccomp-allow {}", calls), 0, 0, {}};
        SeccompRule rule;
        rule.origin = origin;
        rule.action = {.text = "allow", .origin = origin};
        while (!calls.empty()) {
            const std::size_t comma = std::min(calls.find(','), calls.size());
            rule.syscalls.push_back({.text = std::string(calls.substr(0, comma)), .origin = origin});
            calls.remove_prefix(std::min(comma + 1, calls.size()));
        }
        line_.profile.seccomp.rules.push_back(std::move(rule));
    }

    void take_report(const std::string& value) {
        using When = ReportOptions::When;
        const auto* const word = std::ranges::find(kReportWords, value);
        if (word == kReportWords.end()) {
            refuse_word(value, {Origin::Kind::option, "--report " + value, 0, 0, {}}, "a report", kReportWords);
        }
        constexpr std::array kWhen = {When::automatic, When::always, When::never}; // in the order of the words
        line_.report.when = kWhen.at(static_cast<std::size_t>(word - kReportWords.begin()));
    }

    static int descriptor(const std::string& value) {
        int number = -1;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc{} || end != value.data() + value.size() || number < 0) {
            throw Error(fmt::format("--status-fd needs the number of an open descriptor, not {}", quoted(value)));
        }
        return number;
    }

    void take_log_size(const std::string& value) {
        const Origin origin{Origin::Kind::option, "--log-size " + value, 0, 0, {}};
        line_.log_size = parse_size(value, origin);
        if (*line_.log_size < kSmallestLog) {
            throw Error(fmt::format("{}: cannot keep a log of {}", origin.place(), size_words(*line_.log_size)))
                .fix(fmt::format("give it {} or more", size_words(kSmallestLog)));
        }
    }

    CommandLine line_;
    bool names_profile_ = false;
    bool detaches_ = false;
};

/// getopt_long's view of the table.
struct GetoptTable {
    std::string letters =
        "+:"; // "+": options end at the first word that is none; ":": missing arguments are told apart
    std::vector<::option> names;

    GetoptTable() {
        for (const Option& option : kOptions) {
            const int takes = option.argument.empty()    ? no_argument
                              : option.argument_optional ? optional_argument
                                                         : required_argument;
            names.push_back({option.name.data(), takes, nullptr, 0});
            if (option.letter != 0) {
                letters += option.letter;
                letters += takes == required_argument ? ":" : "";
            }
        }
        names.push_back({});
    }
};

/// getopt_long(3) accepts the beginning of a name too; a script that relies on it breaks with the next new option.
void refuse_shortened_name(const char* word) {
    const std::string_view name = word == nullptr ? "" : long_name(word);
    if (!name.empty() && find_option(name) == nullptr) {
        throw unknown_option(word);
    }
}

/// "--ro --rw /x" takes "--rw" for a path; nobody means that.
void refuse_option_as_argument(const Option& option, std::string_view value, std::string_view word_before) {
    const bool separate_word = word_before == fmt::format("--{}", option.name) ||
                               (option.letter != 0 && word_before == fmt::format("-{}", option.letter));
    if (separate_word && find_option(long_name(value)) != nullptr) {
        throw Error(fmt::format("--{} needs {}, and the next word is the option {}", option.name, option.argument,
                                quoted(value)))
            .fix(fmt::format("--{}={} if that is what you mean", option.name, escaped(value)));
    }
}

const Option& option_of_letter(int letter) {
    return *std::ranges::find(kOptions, static_cast<char>(letter), &Option::letter);
}

Error missing_argument(const Option& option) {
    return Error(fmt::format("--{} needs {}", option.name, option.argument));
}

} // namespace

std::span<const Option> options() {
    return kOptions;
}

std::span<const std::string_view> words_of(const Option& option) {
    const ProfileKey* key = find_profile_key(option.key);
    return option.words.empty() && key != nullptr ? key->words : option.words;
}

CommandLine parse_command_line(const std::vector<std::string>& words) {
    static const GetoptTable table;
    std::vector<std::string> copy = words; // getopt's type asks for writable words; it does not write
    std::vector<char*> argv;
    std::string program = "sandbox";
    argv.push_back(program.data());
    for (std::string& word : copy) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const int argc = static_cast<int>(argv.size()) - 1;

    Parser parser;
    ::optind = 0; // glibc: start afresh
    ::opterr = 0;
    while (true) {
        const int at = std::max(::optind, 1);
        refuse_shortened_name(argv[static_cast<std::size_t>(at)]);
        int index = -1;
        const int result = ::getopt_long(argc, argv.data(), table.letters.c_str(), table.names.data(), &index);
        if (result == -1) {
            break;
        }
        const std::string_view word = argv[static_cast<std::size_t>(at)];
        if (result == ':') {
            const Option* named = find_option(long_name(word));
            throw missing_argument(named != nullptr ? *named : option_of_letter(::optopt));
        }
        if (result == '?') {
            const Option* named = find_option(long_name(word));
            if (named != nullptr) {
                throw Error(fmt::format("--{} takes no argument", named->name));
            }
            throw unknown_option(fmt::format("-{}", static_cast<char>(::optopt)));
        }
        const Option& option = result == 0 ? kOptions[index] : option_of_letter(result);
        const std::string value = ::optarg == nullptr ? "" : ::optarg;
        if (::optarg != nullptr && ::optarg == argv[static_cast<std::size_t>(::optind - 1)]) {
            refuse_option_as_argument(option, value, argv[static_cast<std::size_t>(::optind - 2)]);
        }
        if (::optarg != nullptr && option.argument_optional && value.empty()) {
            throw missing_argument(option);
        }
        parser.take(option, value);
        if (option.action == Action::version || option.action == Action::help) {
            return std::move(parser.line());
        }
    }
    parser.choose_profile();
    parser.settle_log();
    parser.settle_permissive();
    CommandLine& line = parser.line();
    line.arguments.assign(words.begin() + (::optind - 1), words.end());
    const bool image_may_name_one = line.profile.filesystem.image || line.profile_name != "default" || line.entrypoint;
    if (line.arguments.empty() && !image_may_name_one) {
        throw Error("there is no command to run").fix("sandbox [OPTIONS] CMD [ARG...]; sandbox --help tells more");
    }
    return std::move(line);
}

} // namespace sandbox
