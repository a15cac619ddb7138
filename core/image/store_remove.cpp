// What takes things out of the store: what is listed goes first, then what it needed.

#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/error.hpp"
#include "core/image/layer_hold.hpp"
#include "core/image/store.hpp"
#include "core/image/store_files.hpp"
#include "core/image/store_sweep.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

/// One removal, under the store's lock. What is taken out is renamed away at once and deleted at the end.
class Removal {
public:
    Removal() : lock_("."), index_(stored_index(".")) {}

    void drop_reference(const std::string& reference) {
        index_.names.erase(reference);
        removed_.references.push_back(reference);
    }
    /// \param lock see user_of
    void drop_image(const std::string& id, Fd lock) {
        locks_.push_back(std::move(lock));
        removed_.images.push_back(id);
        index_.images.erase(id);
        for (const std::string& name : names_of(id)) {
            drop_reference(name);
        }
    }
    [[nodiscard]] std::vector<std::string> names_of(const std::string& id) const {
        std::vector<std::string> names;
        for (const auto& [name, target] : index_.names) {
            if (target == id) {
                names.push_back(name);
            }
        }
        return names;
    }
    [[nodiscard]] const StoreIndex& index() const { return index_; }
    /// Whether nothing has been dropped.
    [[nodiscard]] bool is_empty() const { return removed_.references.empty() && removed_.images.empty(); }

    Removed finish() {
        const std::string made = incoming_.path("references");
        write_file(made, sandbox::to_text(index_));
        move(made, "references");
        sync_directory(".");
        // From here on they are not there any more; what follows would also be done by the next import.
        for (const std::string& id : removed_.images) {
            if (exists(image_path(id))) {
                move(image_path(id), incoming_.path("image-" + hex_of(id)));
            }
        }
        for (const std::string& name : unneeded_layers(index_)) {
            drop_layer(name);
        }
        return std::move(removed_);
    }

private:
    void drop_layer(const std::string& name) {
        const std::string gone = incoming_.path("layer-" + name);
        std::uint64_t size = 0;
        try {
            size = read_layer_record(".", name).size;
        } catch (const Error&) {
            // A damaged layer goes all the same; its size is not known.
        }
        if (move_layer_away(name, gone)) {
            ++removed_.layers;
            removed_.size += size;
        }
    }

    Incoming incoming_; // before the lock, which it takes itself
    StoreLock lock_;
    std::vector<Fd> locks_; ///< of the images that go
    StoreIndex index_;
    Removed removed_;
};

/// The id and the full name, which is empty for one that was named by its id.
std::pair<std::string, std::string> find(const Removal& removal, const std::string& reference,
                                         const MissingImage& missing) {
    try {
        const Image image = find_image(".", reference, missing);
        return {image.id, image.reference};
    } catch (const Error&) {
        // A damaged image must be removable too.
        const auto found = removal.index().names.find(parse_reference(reference).full());
        if (found == removal.index().names.end()) {
            throw;
        }
        return {found->second, found->first};
    }
}

/// \param gone the ids of the images that go already.
void remove_image(Removal& removal, std::set<std::string>& gone, const std::string& reference,
                  const MissingImage& missing, bool force) {
    const auto [id, full] = find(removal, reference, missing);
    const bool last_name = full.empty() || removal.names_of(id).size() <= 1;
    if (!last_name) {
        removal.drop_reference(full);
        return;
    }
    if (gone.contains(id)) {
        return;
    }
    Fd unused;
    const ImageUser user = exists(image_path(id)) ? user_of(id, unused) : ImageUser{};
    if (!user.cause.empty() && !force) {
        throw Error("cannot remove the image " + quoted(reference))
            .cause(user.cause)
            .fix(user.fix)
            .fix("--force removes the image all the same");
    }
    removal.drop_image(id, std::move(unused));
    gone.insert(id);
}

} // namespace

Removed remove_images(const std::vector<std::string>& references, bool force) {
    Removal removal;
    std::set<std::string> gone;
    std::vector<std::string> refusals;
    const MissingImage missing{.pull = false, .said = references};
    for (const std::string& reference : references) {
        try {
            remove_image(removal, gone, reference, missing, force);
        } catch (const Error& error) {
            refusals.emplace_back(error.what());
        }
    }
    Removed removed = removal.is_empty() ? Removed{} : removal.finish();
    removed.refusals = std::move(refusals);
    return removed;
}

Removed prune() {
    Removal removal;
    for (const std::string& id : std::set<std::string>(removal.index().images)) {
        Fd unused;
        if (removal.names_of(id).empty() && user_of(id, unused).cause.empty()) {
            removal.drop_image(id, std::move(unused));
        }
    }
    return removal.finish();
}

} // namespace sandbox::image
