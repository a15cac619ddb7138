// What the rules about the file system share while a Plan is made.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/plan/host_facts.hpp"
#include "core/plan/layers.hpp"
#include "core/plan/plan.hpp"
#include "core/plan/root_choice.hpp"
#include "core/plan/virtual_tree.hpp"

namespace sandbox {

/// A directory that has rules of its own.
struct OwnDirectory {
    std::string written; ///< as the environment or the passwd entry has it
    std::string real;    ///< with every link followed
};

/// All of them: of the home that $HOME and the XDG variables name, and of the passwd entry's.
struct OwnDirectories {
    std::vector<OwnDirectory> homes;    ///< $HOME first
    std::vector<OwnDirectory> runtimes; ///< the sockets of the session live there; $XDG_RUNTIME_DIR first
    std::vector<OwnDirectory> configs;  ///< our profiles
    std::vector<OwnDirectory> datas;    ///< our state
};

struct FilesystemContext {
    const Profile& profile;
    const Host& host;
    const Layers& layers;
    const RootChoice& root;
    const NamespacesPlan& namespaces;
    const NetworkPlan& network;
    std::vector<std::string>& notices;
    HostFacts& facts;
    VirtualTree& tree;
    OwnDirectories own;

    void notice(std::string text) const {
        if (std::ranges::find(notices, text) == notices.end()) {
            notices.push_back(std::move(text));
        }
    }
};

} // namespace sandbox
