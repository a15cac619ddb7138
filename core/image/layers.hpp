// The layers of the images that are being imported: found in the store, or unpacked into incoming/.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/image/attributes.hpp"
#include "core/image/budget.hpp"
#include "core/image/files.hpp"
#include "core/image/progress.hpp"
#include "core/image/store.hpp"

namespace sandbox::image {

/// A layer as it is delivered.
struct LayerSource {
    Blob blob;
    std::string digest;  ///< of the blob; empty: it has none
    std::string diff_id; ///< of the tar in it; empty: not known
};

/// The stack that an image's layers form.
struct LayerStack {
    std::vector<std::string> names; ///< in layers/, the lowest first
    std::vector<std::string> roots; ///< where they are now
    std::string chain;              ///< image-spec's ChainID of all of them; empty: there are none
};

class LayerImport {
public:
    /// \param uid_map what is written into the records
    /// \param stream_budget counts the bytes of the tars, `budget` what is written.
    LayerImport(const Incoming& incoming, bool single_owner, std::string uid_map, Budget& budget, Budget stream_budget,
                Progress& progress);

    /// Puts a layer on top of the stack. \return its diff id. \throws Error
    void add(LayerStack& stack, const LayerSource& source);
    /// As `add`, of a tar that is not compressed (any more), whose diff id nobody knows. \return it
    std::string add(LayerStack& stack, Stream& tar, const std::string& name);

    /// What is not in the store yet: name -> directory.
    [[nodiscard]] const std::map<std::string, std::string>& unpacked() const { return unpacked_; }
    [[nodiscard]] Notes& notes() { return notes_; }

private:
    [[nodiscard]] std::string name_of(const std::string& diff_id, const LayerStack& stack, bool depends) const;
    [[nodiscard]] bool reuse(LayerStack& stack, const std::string& diff_id);
    [[nodiscard]] bool hold(const std::string& name);
    /// \param needs_root_entry a layer that says nothing about its root will not do: it was given a plain one.
    [[nodiscard]] bool push_known(LayerStack& stack, const std::string& name, const std::string& diff_id,
                                  bool needs_root_entry);
    std::string unpack(LayerStack& stack, Stream& tar, const std::string& name, const std::string& expected);

    const Incoming& incoming_;
    bool single_owner_;
    std::string uid_map_;
    Budget& budget_;
    Budget stream_budget_; ///< of what comes out of the compression: zeros behind a tar's end cost time too
    Progress& progress_;
    Notes notes_;
    std::map<std::string, Fd> held_; ///< of the store's layers, those that images build on
    std::map<std::string, std::string> unpacked_;
    std::map<std::string, bool> has_root_entry_; ///< of those
    std::size_t made_ = 0;
};

} // namespace sandbox::image
