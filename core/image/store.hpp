// Changes to the image store. What writes to it runs in a worker (worker.hpp), whose root directory is the store; a
// pull gets its files into incoming/ before:
//
//     lock                 held by whoever changes what is listed
//     references           what each name leads to
//     images/HEX/          record (for a run), config.json, manifest.json, users/
//     layers/NAME/         root (the files), record (what it is, its digest)
//     incoming/XXXXXX/     what an import is about to put there; locked while it lives, else rubbish
//
// Everything is made in incoming/ and renamed into place, the layers first, then the image, then its names: whenever it
// is cut off, what is listed is whole.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/fd.hpp"
#include "core/plan/image_record.hpp"

namespace sandbox::image {

/// The exclusive lock of the store, for a short time. \throws Error where a signal asked to end meanwhile
class StoreLock {
public:
    explicit StoreLock(const std::string& store);
    void release() { file_.reset(); }

private:
    Fd file_;
};

/// A directory in incoming/ for one import, removed at the end of the scope; where we are killed, by the next import.
class Incoming {
public:
    /// \param store "." in a worker, which also removes what imports that were cut off have left; elsewhere DATA_DIR.
    /// \throws Error
    explicit Incoming(const std::string& store = ".");
    ~Incoming();
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    [[nodiscard]] std::string path(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
    Fd held_;
};

/// What layers/NAME/record says.
struct LayerRecord {
    std::string diff_id; ///< "sha256:HEX" of the tar
    std::uint64_t size = 0;
    std::uint64_t entries = 0;
    bool has_root_entry = false;
    std::string tree;    ///< tree_digest
    std::string uid_map; ///< "0 1000 1,1 100000 65536": under which its owners are what the tar says
};

[[nodiscard]] std::string to_text(const LayerRecord& record);
/// \param store "." in a worker, else DATA_DIR. \throws Error
[[nodiscard]] LayerRecord read_layer_record(const std::string& store, const std::string& layer);

/// An image that is ready to be listed.
struct NewImage {
    std::string id;
    ImageRecord record;
    std::string config;                  ///< config.json
    std::string manifest;                ///< manifest.json; empty: there is none
    std::vector<std::string> references; ///< in full
};

/// Lists the images. \param layers those that are not there yet: name -> the directory in incoming/ (root, record).
/// Before: the others are held (hold_layer). \return those of `layers` that the store had not. \throws Error
std::set<std::string> commit(const Incoming& incoming, const std::vector<NewImage>& images,
                             const std::map<std::string, std::string>& layers);

/// Who keeps an image from being removed, in the words of an error.
struct ImageUser {
    std::string cause; ///< empty: nobody
    std::string fix;
};

/// Where there is none, nobody can begin to use it while `lock` is open.
[[nodiscard]] ImageUser user_of(const std::string& id, Fd& lock);

/// What went.
struct Removed {
    std::vector<std::string> references;
    std::vector<std::string> images; ///< ids
    std::size_t layers = 0;
    std::uint64_t size = 0;            ///< of the layers' files
    std::vector<std::string> refusals; ///< why a name that was given stays: Error::what
};

/// Takes the names away, and each image that no name leads to any more.
/// \param references as find_image takes them; one that is not known, or in use, stays and is told, the others go.
/// \param force whether what is in use goes too. \throws Error
[[nodiscard]] Removed remove_images(const std::vector<std::string>& references, bool force);

/// Takes away the images without a name that nobody uses, the layers of no image, and what was cut off.
[[nodiscard]] Removed prune();

} // namespace sandbox::image
