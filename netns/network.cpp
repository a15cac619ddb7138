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
#include "netns/backend.hpp"
#include "netns/forwarder.hpp"

namespace sandbox::netns {

Network::Network(const NetworkPlan& plan)
    : plan_(plan), interface_is_up_(!plan.has_interface()), listeners_(open_listeners(plan.publish)), list_(plan) {}

void Network::attach(Fd net_namespace) {
    const Fd user_namespace(::ioctl(net_namespace.get(), NS_GET_USERNS));
    if (!user_namespace) {
        throw Error("cannot find the user namespace of the sandbox's network").kernel(errno);
    }
    Pipe ready = make_pipe(quoted(plan_.program));
    Pipe exit = make_pipe(quoted(plan_.program));
    // In the order of kNetNamespace, kReady, kExit.
    const std::array descriptors = {net_namespace.get(), ready.write_end.get(), exit.read_end.get()};
    const bool wants_root = plan_.maps_root && plan_.mode == NetworkPlan::Mode::slirp4netns;
    // It stays in the host's network namespace and works on the sandbox's through the descriptor.
    const Surroundings surroundings{.user_namespace = user_namespace.get(),
                                    .becomes = wants_root ? std::optional(NamespaceIds{0, 0}) : std::nullopt};
    helper_.emplace(backend_arguments(plan_), surroundings, descriptors);
    if (!listeners_.empty()) {
        forwarder_ = start_forwarder(listeners_, user_namespace.get(), net_namespace.get());
    }
    list_.attach(user_namespace.get(), net_namespace.get());
    ready_pipe_ = std::move(ready.read_end);
    lifeline_ = std::move(exit.write_end);
}

void Network::watch(pollfd* watched) const {
    watched[0].fd = interface_is_up_ ? -1 : ready_pipe_.get();
    watched[1].fd = helper_ && stream_open_ ? helper_->output() : -1;
    watched[2].fd = helper_ ? helper_->process().pidfd() : -1;
    watched[3].fd = forwarder_.pidfd();
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
        ready_pipe_.reset();
    }
    if (watched[2].revents != 0) {
        serve_helper_end();
    }
    if (watched[3].revents != 0) {
        serve_forwarder_end();
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

void Network::serve_forwarder_end() {
    const int status = forwarder_.wait();
    forwarder_ = ChildProcess();
    if (end_.empty()) {
        end_ = fmt::format("the published ports: their process {}",
                           WIFSIGNALED(status) ? fmt::format("was killed by signal {}", WTERMSIG(status))
                                               : fmt::format("ended with status {}", WEXITSTATUS(status)));
    }
}

} // namespace sandbox::netns
