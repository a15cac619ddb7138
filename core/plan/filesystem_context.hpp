// What the rules about the file system share while a Plan is made.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/plan/host_facts.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/virtual_tree.hpp"

namespace sandbox {

/// The folders that have rules of their own, as real paths.
struct OwnFolders {
    std::string home;
    std::string runtime; ///< the sockets of the session live there
    std::string config;  ///< our profiles
    std::string data;    ///< our state
};

struct FilesystemContext {
    const Profile& profile;
    const Host& host;
    const Layers& layers;
    const NamespacesPlan& namespaces;
    std::vector<std::string>& notices;
    HostFacts& facts;
    VirtualTree& tree;
    OwnFolders own;

    void notice(std::string text) const {
        if (std::ranges::find(notices, text) == notices.end()) {
            notices.push_back(std::move(text));
        }
    }
};

} // namespace sandbox
