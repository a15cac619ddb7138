// What the profile opens: filesystem.read-only, read-write, overlay and tmpfs.
#pragma once

#include <string>
#include <vector>

#include "core/plan/filesystem_context.hpp"

namespace sandbox {

/// One written grant and what the host has for it.
struct Grant {
    const Item* item = nullptr;
    bool writable = false;
    bool layered = false;           ///< filesystem.overlay: what is written goes to a private layer
    std::string written;            ///< the path as it was named, absolute
    const PathFact* fact = nullptr; ///< never of something absent
    std::string dest;               ///< empty: at its own path

    [[nodiscard]] const Origin& origin() const { return item->origin; }
};

/// Reads the grants. A $PWD of a profile that must not be exposed is left out with a notice.
/// \throws Error for what does not exist or must never be shown.
[[nodiscard]] std::vector<Grant> find_grants(FilesystemContext& context);

/// Puts what is granted at its own path, and the links that lead to it.
void put_grants_in_place(FilesystemContext& context, const std::vector<Grant>& grants);

/// Puts the private directories and what is granted at another path, shallow first.
/// Before: everything else is in the tree, so that a path inside leads where it will lead.
void put_grants_elsewhere(FilesystemContext& context, const std::vector<Grant>& grants);

/// A grant of CMD's next run must not go through a link that CMD could have planted in this one.
/// \throws Error where a grant was reached through a link that lies in a writable grant and leads out of it.
void refuse_planted_links(FilesystemContext& context, const std::vector<Grant>& grants);

} // namespace sandbox
