// Holds the network of a sandbox to its list: nftables rules in its network namespace, and a resolver beside CMD that
// opens what the list's names lead to.
#pragma once

#include <poll.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/companion.hpp"
#include "core/plan/plan.hpp"
#include "netns/refusals.hpp"
#include "netns/resolver_log.hpp"

namespace sandbox::netns {

/// Owned by Network. Without a list it does nothing, and is ready.
class AllowList {
public:
    /// `plan` must outlive it.
    explicit AllowList(const NetworkPlan& plan);

    /// Starts what sets the rules, and the resolver. Before: the loopback is up. \throws Error
    void attach(int user_namespace, int net_namespace);

    /// The rules are set and the resolver answers: CMD may start.
    [[nodiscard]] bool is_ready() const { return !plan_.allow.wanted || (rules_are_set_ && log_.started()); }

    static constexpr std::size_t kWatched = 4;
    void watch(pollfd* watched) const;
    /// Acts on what poll(2) found. \throws Error where the list cannot be held; once it is, the rules need nobody.
    void serve(const pollfd* watched);

    /// CMD has ended: what was refused is asked for, while the kernel takes the sandbox apart.
    void stop();
    /// Waits for the answer: lines for people; none where nothing was refused.
    [[nodiscard]] std::vector<NetworkRefusal> refusals();

    /// How the resolver ended of its own or by somebody else's hand; empty while it runs.
    [[nodiscard]] const std::string& end() const { return end_; }

private:
    [[nodiscard]] Companion start(const std::vector<std::string>& arguments, const std::string& input,
                                  int output) const;
    void finish_rules();
    void finish_resolver();
    void forget();

    const NetworkPlan& plan_;
    ResolverLog log_;
    Fd user_namespace_;
    Fd net_namespace_;
    std::optional<Companion> rules_; ///< nft, while it sets them
    std::optional<Companion> resolver_;
    std::optional<Companion> forgetting_; ///< nft, while it closes addresses
    std::optional<Companion> listing_;
    Fd timer_;
    int half_ = 0;
    std::uint64_t forgotten_[2] = {}; ///< how many openings there had been when this half was emptied
    bool rules_are_set_ = false;
    std::string end_;
};

} // namespace sandbox::netns
