#include "netns/allow_list.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/allow_plan.hpp"
#include "netns/allow_rules.hpp"

namespace sandbox::netns {

namespace {

/// A text that a program reads as a file, and that no directory ever holds.
Fd text_file(const std::string& text) {
    Fd file(::memfd_create("sandbox", MFD_CLOEXEC));
    if (!file || !write_all(file.get(), text) || ::lseek(file.get(), 0, SEEK_SET) < 0) {
        throw Error("cannot write down the rules of the network's list").kernel(errno);
    }
    return file;
}

Fd copy_of(int descriptor) {
    Fd copy(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0));
    if (!copy) {
        throw Error("cannot keep the sandbox's network namespace").kernel(errno);
    }
    return copy;
}

Error cannot_hold(const AllowPlan& plan) {
    return Error(fmt::format("{}: cannot hold the network to a list", written_at(plan.origin)));
}

/// The words of a kernel in which something of nf_tables is missing.
bool lacks_support(std::string_view said) {
    return said.find("not supported") != std::string_view::npos ||
           said.find("No such file") != std::string_view::npos ||
           said.find("cache initialization failed") != std::string_view::npos;
}

} // namespace

AllowList::AllowList(const NetworkPlan& plan) : plan_(plan), log_(plan_.allow) {}

Companion AllowList::start(const std::vector<std::string>& arguments, const std::string& input, int output) const {
    const Surroundings surroundings{.user_namespace = user_namespace_.get(),
                                    .net_namespace = net_namespace_.get(),
                                    .becomes = NamespaceIds{plan_.allow.uid, plan_.allow.gid},
                                    .is_confined = true};
    const Fd text = text_file(input);
    Companion companion(arguments, {}, {.input = text.get(), .output = output});
    companion.start(surroundings, {});
    return companion;
}

void AllowList::attach(int user_namespace, int net_namespace) {
    if (!plan_.allow.wanted) {
        return;
    }
    user_namespace_ = copy_of(user_namespace);
    net_namespace_ = copy_of(net_namespace);
    rules_.emplace(start({plan_.allow.nft, "-f", "-"}, rules_text(plan_.allow), STDERR_FILENO));
    // As root it would become another user, which a map of one id has not; in debug mode it stays who it is, and
    // answers questions over TCP one at a time.
    const char* foreground = plan_.allow.uid == 0 ? "--no-daemon" : "--keep-in-foreground";
    resolver_.emplace(start({plan_.allow.dnsmasq, foreground, "--conf-file=-"}, resolver_text(plan_.allow, plan_.ipv6),
                            STDERR_FILENO));
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    const time_t seconds = plan_.allow.lifetime.count();
    const itimerspec each{.it_interval = {.tv_sec = seconds, .tv_nsec = 0},
                          .it_value = {.tv_sec = seconds, .tv_nsec = 0}};
    if (!timer_ || ::timerfd_settime(timer_.get(), 0, &each, nullptr) < 0) {
        throw Error("cannot make a timer for the network's list").kernel(errno);
    }
}

void AllowList::watch(pollfd* watched) const {
    watched[0].fd = rules_ ? rules_->output() : -1;
    watched[1].fd = resolver_ ? resolver_->output() : -1;
    watched[2].fd = timer_.get();
    watched[3].fd = forgetting_ ? forgetting_->output() : -1;
}

void AllowList::serve(const pollfd* watched) {
    if (watched[0].revents != 0 && !rules_->drain()) {
        finish_rules();
    }
    if (watched[1].revents != 0) {
        const bool is_open = resolver_->drain();
        log_.take(resolver_->take_said());
        if (!is_open) {
            finish_resolver();
        }
    }
    if (watched[3].revents != 0 && !forgetting_->drain()) {
        static_cast<void>(forgetting_->finish());
        forgetting_.reset();
    }
    if (watched[2].revents != 0) {
        forget();
    }
}

void AllowList::finish_rules() {
    const HelperResult result = rules_->finish();
    rules_.reset();
    if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 0) {
        rules_are_set_ = true;
        return;
    }
    Error error = cannot_hold(plan_.allow).cause(fmt::format("{}: {}", quoted(plan_.allow.nft), last_words(result)));
    if (lacks_support(result.said)) {
        error.cause("the kernel may have been built without what the rules need: nf_tables for inet with sets, "
                    "conntrack and reject (CONFIG_NF_TABLES_INET, NFT_CT, NFT_REJECT_INET)");
    }
    throw std::move(error).fix("sandboxctl doctor looks at the whole machine; without a list everything is reached");
}

void AllowList::finish_resolver() {
    HelperResult result = resolver_->finish();
    resolver_.reset();
    if (!log_.started()) {
        result.said = log_.first_words();
        throw cannot_hold(plan_.allow)
            .cause(fmt::format("{}: {}", quoted(plan_.allow.dnsmasq), last_words(result)))
            .fix("dnsmasq 2.87 or newer, built with nftset and conntrack, as Debian's dnsmasq-base is");
    }
    end_ = fmt::format("{}: {}, and no name resolves any more", quoted(plan_.allow.dnsmasq), how_it_ended(result));
}

void AllowList::forget() {
    std::uint64_t expirations = 0;
    if (::read(timer_.get(), &expirations, sizeof expirations) < 0) {
        return;
    }
    if (forgetting_ || forgotten_[half_] == log_.openings()) {
        half_ = forgetting_ ? half_ : 1 - half_;
        return;
    }
    try {
        forgetting_.emplace(start({plan_.allow.nft, "-f", "-"}, forget_text(plan_.allow, half_), STDERR_FILENO));
    } catch (const Error&) {
        return; // no process or memory left for the moment: the same half is tried again
    }
    forgotten_[half_] = log_.openings();
    half_ = 1 - half_;
}

void AllowList::stop() {
    if (rules_are_set_ && !listing_) {
        listing_.emplace(start({plan_.allow.nft, "-j", "list", "table", "inet", kTable}, "", STDOUT_FILENO));
    }
}

std::vector<NetworkRefusal> AllowList::refusals() {
    if (!rules_are_set_) {
        return {};
    }
    stop();
    const HelperResult listed = listing_->finish();
    if (resolver_) {
        resolver_->process().kill(SIGKILL);
        log_.take(resolver_->take_said());
    }
    return netns::refusals(plan_.allow, log_, listed.said);
}

} // namespace sandbox::netns
