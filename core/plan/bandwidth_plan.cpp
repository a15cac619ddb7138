#include "core/plan/bandwidth_plan.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/plan/network_plan.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/rate.hpp"

namespace sandbox {

namespace {

constexpr const char* kUnlimited = "unlimited";

/// Who says "no network" over a profile with limits has said enough: nothing goes through. The host's network is never
/// taken for one that is limited.
void refuse_without_interface(const Origin& origin, const NetworkPlan& network, const Layers& layers,
                              std::vector<std::string>& notices) {
    const bool is_host = network.mode == NetworkPlan::Mode::host;
    if (!is_host && layers.rank(network.mode_origin) > layers.rank(origin)) {
        notices.push_back(fmt::format("{} has no effect: the network is none ({})", written_at(origin),
                                      written_at(network.mode_origin)));
        return;
    }
    throw Error(fmt::format("{}: cannot limit what goes over the network", written_at(origin)))
        .cause(fmt::format("the network is {} ({}): the sandbox has no interface of its own",
                           is_host ? "the host's" : "none", written_at(network.mode_origin)))
        .fix("--net slirp4netns, or --net pasta");
}

Bandwidth read(const Setting<std::string>& setting, bool warns, const NetworkPlan& network, const Layers& layers,
               std::vector<std::string>& notices) {
    Bandwidth bandwidth;
    if (!setting || *setting.value == kUnlimited) {
        return bandwidth;
    }
    bandwidth.bytes_per_second = parse_rate(*setting.value, setting.origin);
    // What the user asks for on the command line, he wants.
    bandwidth.required = setting.origin.kind == Origin::Kind::option || !warns;
    bandwidth.origin = setting.origin;
    if (network.has_interface()) {
        return bandwidth;
    }
    refuse_without_interface(setting.origin, network, layers, notices);
    return {};
}

} // namespace

BandwidthPlan plan_bandwidth(const Profile::Limits& limits, const NetworkPlan& network, const Layers& layers,
                             std::vector<std::string>& notices) {
    const bool warns = one_of(limits.when_unavailable, kUnavailableWords) == "warn";
    return {.in = read(limits.net_in, warns, network, layers, notices),
            .out = read(limits.net_out, warns, network, layers, notices)};
}

int mtu_for(const BandwidthPlan& plan) {
    constexpr std::uint64_t kEthernet = 1500;
    constexpr std::uint64_t kEachSecond = 200; // packets: 5 ms for one
    std::uint64_t mtu = kMtu;
    for (const Bandwidth& bandwidth : {plan.in, plan.out}) {
        if (bandwidth) {
            mtu = std::min(mtu, bandwidth.bytes_per_second / kEachSecond);
        }
    }
    return static_cast<int>(std::max(mtu, kEthernet));
}

} // namespace sandbox
