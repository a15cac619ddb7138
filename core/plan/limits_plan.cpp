#include "core/plan/limits_plan.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/size.hpp"

namespace sandbox {

namespace {

constexpr std::array<KnownLimit, 5> kKnownLimits = {{
    {"core", RLIMIT_CORE, true, "64m", &Profile::Limits::core},
    {"fsize", RLIMIT_FSIZE, true, "512m", &Profile::Limits::fsize},
    {"nofile", RLIMIT_NOFILE, false, "1024", &Profile::Limits::nofile},
    {"nproc", RLIMIT_NPROC, false, "256", &Profile::Limits::nproc},
    {"stack", RLIMIT_STACK, true, "8m", &Profile::Limits::stack},
}};

constexpr std::string_view kUnlimited = "unlimited";
static_assert(RLIM_INFINITY == kNoLimit);

/// As the number is written: what limits.nofile or --ulimit takes.
std::string written(std::uint64_t value) {
    return value == kNoLimit ? std::string(kUnlimited) : fmt::format("{}", value);
}

/// The line that sets the limit, in the words of who wrote `origin`.
std::string line(const KnownLimit& known, const Origin& origin, std::string_view value) {
    return origin.kind == Origin::Kind::option ? fmt::format("--ulimit {}={}", known.name, value)
                                               : fmt::format("{} = \"{}\"", known.name, value);
}

std::string examples(const KnownLimit& known, const Origin& origin) {
    return fmt::format("{}, or SOFT:HARD, or {}", line(known, origin, known.number), kUnlimited);
}

std::uint64_t parse_count(const KnownLimit& known, const std::string& text, const Origin& origin) {
    std::uint64_t count = 0;
    const char* const end = text.data() + text.size();
    const auto [behind, error] = std::from_chars(text.data(), end, count);
    const bool too_many = error == std::errc::result_out_of_range || count == kNoLimit;
    if (error == std::errc() && behind == end && !too_many) {
        return count;
    }
    throw Error(fmt::format("{}: cannot read the number {}", written_at(origin), quoted(text)))
        .cause(too_many ? "it is more than can be counted" : "a count has digits alone")
        .fix("write " + examples(known, origin));
}

std::uint64_t parse_value(const KnownLimit& known, const std::string& text, const Origin& origin) {
    if (text == kUnlimited) {
        return kNoLimit;
    }
    if (text.empty()) {
        throw Error(fmt::format("{}: a limit is missing", written_at(origin))).fix("write " + examples(known, origin));
    }
    return known.is_size ? parse_size(text, origin) : parse_count(known, text, origin);
}

ResourceLimit parse_limit(const KnownLimit& known, const std::string& text, const Origin& origin) {
    const std::size_t colon = text.find(':');
    const std::string soft = text.substr(0, colon);
    const std::string hard = colon == std::string::npos ? soft : text.substr(colon + 1);
    ResourceLimit limit{.name = std::string(known.name),
                        .resource = known.resource,
                        .is_size = known.is_size,
                        .soft = parse_value(known, soft, origin),
                        .hard = parse_value(known, hard, origin),
                        .origin = origin};
    if (limit.soft > limit.hard) {
        throw Error(fmt::format("{}: the soft limit {} is above the hard limit {}", written_at(origin),
                                limit_words(limit.soft, known.is_size), limit_words(limit.hard, known.is_size)))
            .fix(line(known, origin, fmt::format("{}:{}", hard, soft)));
    }
    return limit;
}

void refuse_above_the_callers(const KnownLimit& known, const ResourceLimit& limit, const Host& host) {
    const auto found = host.hard_limits.find(known.resource);
    const std::uint64_t allowed = found == host.hard_limits.end() ? kNoLimit : found->second;
    if (limit.hard <= allowed) {
        return;
    }
    const std::string most = written(allowed);
    throw Error(fmt::format("{}: cannot set the limit {} to {}", written_at(limit.origin), known.name,
                            limit_words(limit.hard, known.is_size)))
        .cause(fmt::format("your own hard limit is {}, and only the machine's root can raise a hard limit",
                           limit_words(allowed, known.is_size)))
        .fix(line(known, limit.origin, limit.soft < allowed ? written(limit.soft) + ":" + most : most))
        .fix("or raise yours: limits.conf(5), or LimitNOFILE= and the like of systemd.exec(5)");
}

} // namespace

const std::array<KnownLimit, 5>& known_limits() {
    return kKnownLimits;
}

std::vector<ResourceLimit> plan_limits(const Profile::Limits& limits, const Host& host,
                                       std::vector<std::string>& notices) {
    std::vector<ResourceLimit> plan;
    for (const KnownLimit& known : kKnownLimits) {
        const Setting<std::string>& setting = limits.*known.setting;
        if (!setting) {
            continue;
        }
        plan.push_back(parse_limit(known, *setting.value, setting.origin));
        refuse_above_the_callers(known, plan.back(), host);
        // The kernel counts the processes of uid 0, and never refuses it one: copy_process() in kernel/fork.c.
        if (known.resource == RLIMIT_NPROC && host.is_root_of_initial_user_namespace) {
            notices.push_back(fmt::format("{}: the kernel holds no process of root's to a number of processes",
                                          written_at(setting.origin)));
        }
    }
    return plan;
}

std::string limit_words(std::uint64_t value, bool is_size) {
    return value == kNoLimit ? std::string(kUnlimited) : is_size ? size_words(value) : fmt::format("{}", value);
}

} // namespace sandbox
