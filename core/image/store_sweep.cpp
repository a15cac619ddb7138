#include "core/image/store_sweep.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <set>

#include "core/base/error.hpp"
#include "core/image/layer_hold.hpp"
#include "core/image/store_files.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

void sweep_incoming() {
    for (const std::string& name : names_in("incoming")) {
        const std::string path = "incoming/" + name;
        const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory || ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0) {
            remove_tree(path);
        }
    }
}

std::vector<std::string> unneeded_layers(const StoreIndex& index) {
    std::set<std::string> needed;
    for (const std::string& id : index.images) {
        const ImageRecord record = stored_record(".", id);
        needed.insert(record.layers.begin(), record.layers.end());
    }
    std::vector<std::string> unneeded = names_in("layers");
    std::erase_if(unneeded, [&](const std::string& name) { return needed.contains(name); });
    return unneeded;
}

void set_unlisted_aside(const std::string& directory) {
    const StoreIndex index = stored_index(".");
    make_directory(directory);
    for (const std::string& name : names_in("images")) {
        if (!index.images.contains(std::string(kSha256) + name)) {
            move("images/" + name, directory + "/" + name);
        }
    }
    std::vector<std::string> layers;
    try {
        layers = unneeded_layers(index);
    } catch (const Error&) {
        return; // a damaged image: `image verify` says so, and what it needed must stay
    }
    for (const std::string& name : layers) {
        move_layer_away(name, directory + "/layer-" + name);
    }
}

} // namespace sandbox::image
