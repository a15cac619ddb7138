#include "netns/network.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/pipe.hpp"
#include "core/plan/bandwidth_plan.hpp"
#include "core/plan/network_plan.hpp"
#include "netns/backend.hpp"
#include "netns/forwarder.hpp"

namespace sandbox::netns {

Network::Network(const NetworkPlan& plan, const IdsPlan& ids)
    : plan_(plan), interface_is_up_(!plan.has_interface()), listeners_(open_listeners(plan.publish)), list_(plan) {
    if (plan.bandwidth.wanted()) {
        make_cable(ids);
    }
}

void Network::make_cable(const IdsPlan& ids) {
    try {
        cable_.emplace(plan_.bandwidth, ids);
    } catch (const Error& error) {
        const BandwidthPlan& wanted = plan_.bandwidth;
        const bool out_decides = wanted.out && (!wanted.in || (wanted.out.required && !wanted.in.required));
        const Bandwidth& limit = out_decides ? wanted.out : wanted.in;
        if (limit.required) {
            throw Error(fmt::format("{}: cannot limit what goes over the network", written_at(limit.origin)))
                .cause(on_one_line(error))
                .fix(kBandwidthFix);
        }
        notice_ = fmt::format("{}: no limit of what goes over the network: {}; to get it: {}", limit.origin.place(),
                              on_one_line(error), kBandwidthFix);
    }
}

void Network::attach(Fd net_namespace) {
    const Fd user_namespace(::ioctl(net_namespace.get(), NS_GET_USERNS));
    if (!user_namespace) {
        throw Error("cannot find the user namespace of the sandbox's network").kernel(errno);
    }
    Pipe ready = make_pipe(quoted(plan_.program));
    Pipe exit = make_pipe(quoted(plan_.program));
    // In the order of kNetNamespace, kReady, kExit.
    const std::array descriptors = {cable_ ? cable_->net_namespace() : net_namespace.get(), ready.write_end.get(),
                                    exit.read_end.get()};
    const bool wants_root = plan_.maps_root && plan_.mode == NetworkPlan::Mode::slirp4netns;
    // It stays in the host's network namespace and works on the sandbox's, or on ours before it, through the
    // descriptor.
    const Surroundings surroundings{.user_namespace = cable_ ? cable_->user_namespace() : user_namespace.get(),
                                    .becomes = wants_root ? std::optional(NamespaceIds{0, 0}) : std::nullopt};
    helper_.emplace(backend_arguments(plan_, cable_ ? mtu_for(plan_.bandwidth) : kMtu), surroundings, descriptors);
    if (cable_) {
        cable_->lead_into(user_namespace.get(), net_namespace.get());
    }
    if (!listeners_.empty()) {
        start_forwarders(user_namespace.get(), net_namespace.get());
    }
    list_.attach(user_namespace.get(), net_namespace.get());
    ready_pipe_ = std::move(ready.read_end);
    lifeline_ = std::move(exit.write_end);
}

void Network::start_forwarders(int user_namespace, int net_namespace) {
    if (!cable_) {
        forwarder_ = start_forwarder(listeners_, user_namespace, net_namespace, Target::loopback);
        return;
    }
    const Relayed relayed = open_relayed(listeners_, user_namespace, net_namespace);
    second_forwarder_ = start_forwarder(relayed.inside, user_namespace, net_namespace, Target::loopback);
    forwarder_ = start_forwarder(relayed.outside, cable_->user_namespace(), cable_->net_namespace(), Target::interface);
}

void Network::watch(pollfd* watched) const {
    watched[0].fd = interface_is_up_ ? -1 : ready_pipe_.get();
    watched[1].fd = helper_ && stream_open_ ? helper_->output() : -1;
    watched[2].fd = helper_ ? helper_->process().pidfd() : -1;
    watched[3].fd = forwarder_.pidfd();
    watched[4].fd = second_forwarder_.pidfd();
    list_.watch(watched + kOwnWatched);
}

bool Network::serve(const pollfd* watched) {
    const bool was_ready = is_ready();
    if (watched[1].revents != 0) {
        stream_open_ = helper_->drain();
    }
    char word = 0;
    if (watched[0].revents != 0) {
        interface_is_up_ = ::read(ready_pipe_.get(), &word, 1) == 1;
        if (interface_is_up_ && cable_) {
            cable_->plug_in(!listeners_.empty());
        }
        ready_pipe_.reset();
    }
    if (watched[2].revents != 0) {
        serve_helper_end();
    }
    if (watched[3].revents != 0) {
        serve_forwarder_end(forwarder_);
    }
    if (watched[4].revents != 0) {
        serve_forwarder_end(second_forwarder_);
    }
    list_.serve(watched + kOwnWatched);
    return is_ready() && !was_ready;
}

void Network::stop() {
    if (helper_) {
        helper_->process().kill(SIGKILL);
    }
    list_.stop();
}

void Network::serve_helper_end() {
    HelperResult result = helper_->finish();
    helper_.reset();
    end_ = fmt::format("{}: {}", quoted(plan_.program), how_it_ended(result));
    if (!interface_is_up_) {
        throw Error(
            fmt::format("cannot attach the network: {} ended before the interface was up", quoted(plan_.program)))
            .cause(last_words(result))
            .fix("sandboxctl doctor looks at the whole machine; --net none does without");
    }
}

void Network::serve_forwarder_end(ChildProcess& forwarder) {
    const int status = forwarder.wait();
    forwarder = ChildProcess();
    if (end_.empty()) {
        end_ = fmt::format("the published ports: their process {}",
                           WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                               : fmt::format("ended with status {}", WEXITSTATUS(status)));
    }
}

} // namespace sandbox::netns
