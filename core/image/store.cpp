#include "core/image/store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "core/base/error.hpp"
#include "core/image/store_files.hpp"
#include "core/image/store_sweep.hpp"
#include "core/image/worker.hpp"
#include "core/plan/host_image.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

constexpr std::size_t kLargestLayerRecord = std::size_t{1} << 20;

std::uint64_t read_number(std::string_view text) {
    std::uint64_t number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

/// \return those that were not there.
std::set<std::string> put_layers(const std::map<std::string, std::string>& layers) {
    std::set<std::string> put;
    for (const auto& [name, directory] : layers) {
        const std::string target = "layers/" + name;
        if (!exists(target)) { // else another import was faster, or the diff id was known only after the unpacking
            move(directory, target);
            put.insert(name);
        }
    }
    sync_directory("layers");
    return put;
}

/// Renames the image's directory into place; who uses an older one of the same id still does.
void put_image(const Incoming& incoming, const NewImage& image) {
    const std::string target = image_path(image.id);
    const std::string made = incoming.path("image-" + hex_of(image.id));
    make_directory(made);
    write_file(made + "/record", sandbox::to_text(image.record));
    write_file(made + "/config.json", image.config);
    if (!image.manifest.empty()) {
        write_file(made + "/manifest.json", image.manifest);
    }
    sync_directory(made);
    if (!exists(target)) {
        move(made, target);
        return;
    }
    if (sandbox::to_text(stored_record(".", image.id)) == sandbox::to_text(image.record)) {
        return;
    }
    // Unpacked in another way: with other owners, or over other lower layers.
    Fd unused;
    if (const ImageUser user = user_of(image.id, unused); !user.cause.empty()) {
        throw Error("cannot replace the image " + quoted(image.id)).cause(user.cause).fix(user.fix);
    }
    move(made + "/record", target + "/record");
    sync_directory(target);
}

} // namespace

ImageUser user_of(const std::string& id, Fd& lock) {
    constexpr std::string_view kKept = "the kept layer "; // kept_user_name
    const std::vector<std::string> users = image_users(".", id);
    if (!users.empty()) {
        const std::string& user = users.front();
        return {.cause = fmt::format("{} needs it", escaped(user)),
                .fix = user.starts_with(kKept) ? "sandboxctl discard " + shell_quoted(user.substr(kKept.size()))
                                               : "end it first"};
    }
    lock = open_directory(image_path(id));
    const bool is_used = ::flock(lock.get(), LOCK_EX | LOCK_NB) < 0;
    return is_used ? ImageUser{.cause = "a sandbox runs on it", .fix = "end it first"} : ImageUser{};
}

StoreLock::StoreLock(const std::string& store)
    : file_(::open((store + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR)) {
    while (file_ && ::flock(file_.get(), LOCK_EX) < 0) {
        if (errno != EINTR) {
            throw Error("cannot lock the image store").kernel(errno);
        }
        expect_not_interrupted();
    }
    if (!file_) {
        throw Error("cannot lock the image store").kernel(errno);
    }
}

Incoming::Incoming(const std::string& store) : path_(store + "/incoming/XXXXXX") {
    StoreLock lock(store);
    for (const char* directory : {"/images", "/layers", "/incoming"}) {
        make_directory(store + directory);
    }
    if (store == ".") {
        sweep_incoming(); // only in a worker may the files of other owners be removed
    }
    if (::mkdtemp(path_.data()) == nullptr) {
        throw Error("cannot make a directory in the image store").kernel(errno);
    }
    held_ = open_directory(path_);
    // The lock of the store is held, so nobody has swept it away yet.
    if (::flock(held_.get(), LOCK_EX | LOCK_NB) < 0) {
        throw Error("cannot lock a directory of the image store").kernel(errno);
    }
    if (store == ".") {
        set_unlisted_aside(path("gone"));
    }
    lock.release();
    remove_tree(path("gone"));
}

Incoming::~Incoming() {
    remove_tree(path_);
}

std::string to_text(const LayerRecord& record) {
    return fmt::format("sandbox-layer 1\ndiff-id {}\nsize {}\nentries {}\nroot-entry {}\ntree {}\nuid-map {}\n",
                       record.diff_id, record.size, record.entries, record.has_root_entry ? 1 : 0, record.tree,
                       record.uid_map);
}

LayerRecord read_layer_record(const std::string& store, const std::string& layer) {
    const std::string path = store + "/layers/" + layer + "/record";
    const std::string text = read_store_file(path, kLargestLayerRecord);
    std::map<std::string_view, std::string_view> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const std::size_t space = std::min(line.find(' '), line.size());
        lines.emplace(line.substr(0, space), line.substr(std::min(space + 1, line.size())));
    }
    LayerRecord record{std::string(lines["diff-id"]), read_number(lines["size"]), read_number(lines["entries"]),
                       lines["root-entry"] == "1",    std::string(lines["tree"]), std::string(lines["uid-map"])};
    if (lines["sandbox-layer"] != "1" || !is_digest(record.diff_id) || !is_digest(record.tree)) {
        throw Error("the image store's file " + quoted(path) + " is damaged").fix("import its image again");
    }
    return record;
}

std::set<std::string> commit(const Incoming& incoming, const std::vector<NewImage>& images,
                             const std::map<std::string, std::string>& layers) {
    // All that was unpacked is on the disk before anything is listed: a power cut must not leave a hollow layer.
    const Fd store = open_directory(".");
    if (::syncfs(store.get()) < 0) {
        throw Error("cannot write the image store").kernel(errno);
    }
    expect_not_interrupted();
    const StoreLock lock(".");
    for (const NewImage& image : images) {
        for (const std::string& layer : image.record.layers) {
            if (!layers.contains(layer) && !exists("layers/" + layer)) {
                throw Error("the layer " + quoted(layer) + " has left the image store").fix("run it again");
            }
        }
    }
    StoreIndex index = stored_index(".");
    std::set<std::string> put = put_layers(layers);
    for (const NewImage& image : images) {
        put_image(incoming, image);
        index.images.insert(image.id);
        for (const std::string& reference : image.references) {
            index.names[reference] = image.id; // an image that loses a name stays listed without
        }
    }
    sync_directory("images");
    const std::string made = incoming.path("references");
    write_file(made, sandbox::to_text(index));
    move(made, "references");
    sync_directory(".");
    return put;
}

} // namespace sandbox::image
