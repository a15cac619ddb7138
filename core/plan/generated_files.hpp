// The files of /etc that name hosts, made for the sandbox: resolv.conf(5), hosts(5), hostname(5).
#pragma once

#include <string>
#include <vector>

#include "core/plan/filesystem_context.hpp"
#include "core/plan/plan.hpp"

namespace sandbox {

/// The texts: hosts and hostname wherever the network and the name are the sandbox's own, resolv.conf where it has an
/// interface. What the host's resolv.conf says of search domains and options is kept.
/// \param on_tree the root is a tree of its own: it gets the names of a network that is the host's, too.
/// \throws Error for an entry of `dns` or `hosts` that is no address or no name.
[[nodiscard]] std::vector<GeneratedFile> plan_generated_files(const Profile::Network& network, const NetworkPlan& plan,
                                                              const NamespacesPlan& namespaces,
                                                              const NetworkFacts& facts, bool on_tree);

/// Gives the files their places in the root, also where a link of /etc leads out of it (systemd-resolved). The host's
/// /etc gets nothing: what is not there cannot be covered, and is said where something was asked for.
void put_generated_files(FilesystemContext& context);

} // namespace sandbox
