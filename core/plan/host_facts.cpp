#include "core/plan/host_facts.hpp"

#include "core/plan/paths.hpp"

namespace sandbox {

const PathFact& HostFacts::look_up(const std::string& path) {
    const auto known = facts_.find(path);
    if (known != facts_.end()) {
        return known->second;
    }
    const PathFact& fact = facts_.emplace(path, host_.look_up(path)).first->second;
    for (const WalkedLink& link : fact.links) {
        links_.insert_or_assign(link.path, link.target);
    }
    // Nothing of a resolved path is a link.
    for (std::string folder = fact.real; folder != "/" && links_.try_emplace(folder).second;) {
        folder = paths::parent(folder);
    }
    return fact;
}

const std::optional<std::string>& HostFacts::link_at(const std::string& path) {
    const auto known = links_.find(path);
    if (known != links_.end()) {
        return known->second;
    }
    look_up(path);
    return links_[path];
}

bool HostFacts::can_exist(const std::string& path) {
    const PathFact& fact = look_up(path);
    if (fact.kind != PathFact::Kind::absent) {
        return true;
    }
    for (std::string folder = paths::parent(fact.real); folder != "/"; folder = paths::parent(folder)) {
        if (look_up(folder).kind != PathFact::Kind::absent) {
            return host_.may_write(folder);
        }
    }
    return host_.may_write("/");
}

} // namespace sandbox
