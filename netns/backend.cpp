#include "netns/backend.hpp"

#include <fmt/format.h>

#include "core/plan/network_plan.hpp"

namespace sandbox::netns {

namespace {

std::string descriptor_path(int number) {
    return fmt::format("/proc/self/fd/{}", number);
}

std::vector<std::string> slirp4netns_arguments(const NetworkPlan& plan, int mtu) {
    std::vector<std::string> arguments = {
        plan.program,
        "--configure",
        fmt::format("--mtu={}", mtu),
        fmt::format("--ready-fd={}", kReady),
        fmt::format("--exit-fd={}", kExit),
        "--enable-seccomp",
    };
    if (plan.maps_root) {
        // Of the host's files it keeps what names are resolved with, and no capability that counts. It wants to be root
        // of its user namespace for that.
        arguments.emplace_back("--enable-sandbox");
    }
    if (!plan.host_loopback) {
        arguments.emplace_back("--disable-host-loopback");
    }
    if (!plan.forwards_dns) {
        arguments.emplace_back("--disable-dns");
    }
    if (plan.ipv6) {
        arguments.emplace_back("--enable-ipv6");
    }
    arguments.emplace_back("--netns-type=path");
    arguments.push_back(descriptor_path(kNetNamespace));
    arguments.emplace_back(kSandboxInterface);
    return arguments;
}

/// pasta is told to lay the network out as slirp4netns does, and to open no port in either direction: by default it
/// lets every port that is listened on lead through.
std::vector<std::string> pasta_arguments(const NetworkPlan& plan, int mtu) {
    std::vector<std::string> arguments = {plan.program,
                                          "--foreground",
                                          "--quiet",
                                          "--config-net",
                                          "--netns-only",
                                          "--ns-ifname",
                                          kSandboxInterface,
                                          "--mtu",
                                          std::to_string(mtu),
                                          "--address",
                                          kSandboxAddress,
                                          "--netmask",
                                          "24",
                                          "--gateway",
                                          kGatewayAddress,
                                          "--tcp-ports",
                                          "none",
                                          "--udp-ports",
                                          "none",
                                          "--tcp-ns",
                                          "none",
                                          "--udp-ns",
                                          "none"};
    if (!plan.host_loopback) {
        arguments.emplace_back("--no-map-gw");
    }
    if (plan.forwards_dns) {
        arguments.insert(arguments.end(), {"--dns-forward", kResolverAddress});
    }
    if (!plan.ipv6) {
        arguments.emplace_back("--ipv4-only");
    }
    // It writes its pid when all is set up: our word that the interface is there.
    arguments.insert(arguments.end(), {"--pid", descriptor_path(kReady), "--netns", descriptor_path(kNetNamespace)});
    return arguments;
}

} // namespace

std::vector<std::string> backend_arguments(const NetworkPlan& plan, int mtu) {
    return plan.mode == NetworkPlan::Mode::pasta ? pasta_arguments(plan, mtu) : slirp4netns_arguments(plan, mtu);
}

} // namespace sandbox::netns
