// The directory that one layer is unpacked into. Everything is reached from its root by descriptors and never through a
// symbolic link, so nothing is written outside of it; links that stand as parents are resolved in the image, as an
// overlay of the layers would show it.
#pragma once

#include <sys/stat.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/base/fd.hpp"
#include "core/image/layer_path.hpp"
#include "core/image/lower_view.hpp"

namespace sandbox::image {

/// Where an entry goes: a directory of the layer, and a name in it.
struct Place {
    std::shared_ptr<const Fd> opened; ///< the directory, O_PATH
    std::string parent;               ///< its path in the layer, no link in it
    std::string name;

    [[nodiscard]] int directory() const { return opened->get(); }
    [[nodiscard]] std::string path() const { return join(parent, name); }
};

/// What is known of a directory of the layer until it is finished.
struct LayerDirectory {
    bool is_implied = false; ///< the tar has entries below it, and (so far) none for it
    timespec mtime{};
};

class LayerTree {
public:
    /// \param root the layer's directory, empty. \param trash a directory on the same file system, for what a later
    /// entry replaces. `lower` must outlive it.
    LayerTree(Fd root, Fd trash, const LowerView& lower);

    /// The place of an entry; missing parents are made. \throws Error naming `entry`
    [[nodiscard]] Place place(const Components& parents, const std::string& name, const std::string& entry);
    /// The path of a name whose parents may be links, with nothing made.
    /// \param with_files a file of this layer among them is taken for a directory: so may stand what a whiteout names.
    [[nodiscard]] Components resolve(const Components& parents, const std::string& entry,
                                     bool with_files = false) const;

    /// Takes away what an earlier entry put there.
    void remove(const Place& place);
    /// Makes the directory, or keeps the one that is there, and remembers it as one that has an entry.
    /// \return it, opened
    [[nodiscard]] Fd make_directory(const Place& place, timespec mtime, const std::string& entry);

    /// Makes the directory and those above it, with no entries of their own.
    void imply(const Components& path, const std::string& entry);

    void hide(std::string path) { whiteouts_.insert(std::move(path)); }
    void make_opaque(std::string path) { opaque_.insert(std::move(path)); }

    /// Whether a whiteout or an opaque directory of this layer hides the lower layers' `path`.
    [[nodiscard]] bool is_hidden(const Components& path) const;
    /// The path's status in this layer; nothing where it is not there.
    [[nodiscard]] std::optional<struct stat> find(const std::string& path) const;
    /// Opens a path of this layer, not through a link. \return -1 and errno as openat2(2)
    [[nodiscard]] int open(const std::string& path, int flags) const;

    [[nodiscard]] const LowerView& lower() const { return lower_; }
    [[nodiscard]] const std::set<std::string>& whiteouts() const { return whiteouts_; }
    [[nodiscard]] const std::set<std::string>& opaque() const { return opaque_; }
    [[nodiscard]] std::map<std::string, LayerDirectory>& directories() { return directories_; }

private:
    struct Step;
    [[nodiscard]] Step look(const Components& resolved, const std::string& name, const std::string& entry,
                            bool with_files) const;
    [[nodiscard]] std::shared_ptr<const Fd> cached(const std::string& path);
    void forget(const std::string& path);

    Fd root_;
    Fd trash_;
    const LowerView& lower_;
    std::map<std::string, LayerDirectory> directories_; ///< by path; "" is the root
    std::set<std::string> whiteouts_;
    std::set<std::string> opaque_;
    std::map<std::string, std::shared_ptr<const Fd>> cache_;
    std::size_t trashed_ = 0;
};

} // namespace sandbox::image
