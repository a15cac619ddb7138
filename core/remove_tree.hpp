// Removing a tree that CMD made: any depth, any names, any modes.
#pragma once

namespace sandbox {

/// Removes `name` below the directory `parent`, with all that it holds. No link is followed, and few
/// descriptors are open at a time: what lies deep is first moved up into `name`, which has to be a directory of ours.
/// Before: the caller may do so, as root of a user namespace that maps the owners may.
/// \return 0, or -1 and errno; what could be removed is gone all the same.
int remove_tree(int parent, const char* name);

} // namespace sandbox
