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
    for (std::string directory = fact.real; directory != "/" && links_.try_emplace(directory).second;) {
        directory = paths::parent(directory);
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
    for (std::string directory = paths::parent(fact.real); directory != "/"; directory = paths::parent(directory)) {
        if (look_up(directory).kind != PathFact::Kind::absent) {
            return host_.may_write(directory);
        }
    }
    return host_.may_write("/");
}

} // namespace sandbox
