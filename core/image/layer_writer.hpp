// Unpacks one layer: image-spec's layer.md, "Applying Changesets", for a lower directory of an overlay.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>

#include "core/image/attributes.hpp"
#include "core/image/budget.hpp"
#include "core/image/layer_tree.hpp"
#include "core/image/tar_reader.hpp"

namespace sandbox::image {

/// What became of a layer.
struct WrittenLayer {
    std::uint64_t entries = 0;
    std::uint64_t size = 0; ///< of the files' content, each once
    /// Its files would be others over other lower layers: it has whiteouts, or links or parents that it does not bring.
    bool depends_on_lower = false;
    bool has_root_entry = false;                     ///< else its root's attributes are those of the lower layers'
    std::unordered_map<ino_t, Sha256Value> contents; ///< of the files, by inode
};

class LayerWriter {
public:
    LayerWriter(LayerTree& tree, bool single_owner, Budget& budget, Notes& notes);

    /// Reads the tar to its end and finishes the directories. Once. \throws Error naming the entry
    [[nodiscard]] WrittenLayer write(TarReader& tar);

private:
    void write_entry(TarReader& tar, TarEntry& entry);
    void write_file(TarReader& tar, const TarEntry& entry, const Place& place);
    void write_hard_link(const TarEntry& entry, const Place& place);
    void write_other(const TarEntry& entry, const Place& place);
    /// Copies a file of the lower layers, so that it can be linked to. \return whether there is one
    bool copy_up(const Components& path, const std::string& entry);
    void copy_content(int from, int to, const std::string& entry);

    // layer_finish.cpp: what can only be done when all entries are known.
    void finish();
    void finish_opaque();
    void finish_whiteouts();
    void finish_implied(const std::string& path);
    void finish_times();

    LayerTree& tree_;
    Budget& budget_;
    Notes& notes_;
    AttributeWriter attributes_;
    WrittenLayer written_;
};

} // namespace sandbox::image
