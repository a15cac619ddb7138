#include "core/image/layers.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "core/base/error.hpp"
#include "core/image/decompress.hpp"
#include "core/image/layer_hold.hpp"
#include "core/image/layer_writer.hpp"
#include "core/image/store_files.hpp"
#include "core/image/tree_digest.hpp"
#include "core/plan/image_reference.hpp"

namespace sandbox::image {

namespace {

constexpr std::size_t kChainDigits = 16;

/// image-spec, config.md: "Layer ChainID".
std::string chain_of(const std::string& below, const std::string& diff_id) {
    return below.empty() ? diff_id : digest_of(below + " " + diff_id);
}

/// Whether the stack's root directory looks as one that no entry describes.
bool has_plain_root(const LayerStack& stack) {
    struct stat status {};
    if (stack.roots.empty()) {
        return true;
    }
    const Fd root = open_directory(stack.roots.back());
    return ::fstat(root.get(), &status) == 0 && status.st_uid == 0 && status.st_gid == 0 &&
           (status.st_mode & 07777) == 0755 && attributes_of(root.get(), status).xattrs.empty();
}

} // namespace

LayerImport::LayerImport(const Incoming& incoming, bool single_owner, std::string uid_map, Budget& budget,
                         Budget stream_budget, Progress& progress)
    : incoming_(incoming), single_owner_(single_owner), uid_map_(std::move(uid_map)), budget_(budget),
      stream_budget_(stream_budget), progress_(progress) {}

std::string LayerImport::name_of(const std::string& diff_id, const LayerStack& stack, bool depends) const {
    std::string name = hex_of(diff_id);
    if (depends && !stack.chain.empty()) {
        name += "-" + hex_of(stack.chain).substr(0, kChainDigits);
    }
    return name + (single_owner_ ? ".single" : "");
}

/// Whether the layer is in the store, where it now stays.
bool LayerImport::hold(const std::string& name) {
    if (!held_.contains(name)) {
        Fd layer = hold_layer(name);
        if (!layer) {
            return false;
        }
        held_.emplace(name, std::move(layer));
    }
    return exists("layers/" + name + "/record");
}

bool LayerImport::push_known(LayerStack& stack, const std::string& name, const std::string& diff_id,
                             bool needs_root_entry) {
    std::string directory = "layers/" + name;
    const auto made = unpacked_.find(name);
    if (made != unpacked_.end()) {
        directory = made->second;
    } else if (!hold(name)) {
        return false;
    }
    if (needs_root_entry) {
        const bool has_root =
            made != unpacked_.end() ? has_root_entry_[name] : read_layer_record(".", name).has_root_entry;
        if (!has_root) {
            return false;
        }
    }
    if (made == unpacked_.end() && read_layer_record(".", name).uid_map != uid_map_) {
        throw Error("the layer " + quoted(diff_id) + " was unpacked under another uid map")
            .cause("your subordinate range has changed since")
            .fix("remove the images that have it (sandboxctl image remove), then import them again");
    }
    stack.names.push_back(name);
    stack.roots.push_back(directory + "/root");
    stack.chain = chain_of(stack.chain, diff_id);
    return true;
}

bool LayerImport::reuse(LayerStack& stack, const std::string& diff_id) {
    const std::string dependent = name_of(diff_id, stack, true);
    const std::string independent = name_of(diff_id, stack, false);
    if (dependent != independent && push_known(stack, dependent, diff_id, false)) {
        return true;
    }
    // The lowest layer of one image may be an upper one of another, over which it would look otherwise.
    return push_known(stack, independent, diff_id, !has_plain_root(stack));
}

std::string LayerImport::unpack(LayerStack& stack, Stream& tar, const std::string& name, const std::string& expected) {
    const std::string directory = incoming_.path("layer-" + std::to_string(made_++));
    make_directory(directory);
    make_directory(directory + "/root");
    make_directory(directory + "/trash");
    const Fd root = open_directory(directory + "/root");
    ::fchmod(root.get(), 0755);
    const LowerView lower(stack.roots);
    LayerTree tree(open_directory(directory + "/root"), open_directory(directory + "/trash"), lower);
    DigestStream digested(tar, [&](std::size_t bytes) {
        stream_budget_.take(bytes, name);
        stream_budget_.wrote(bytes, name);
    });
    WrittenLayer written;
    {
        AheadStream ahead(digested);
        TarReader reader(ahead, name);
        written = LayerWriter(tree, single_owner_, budget_, notes_).write(reader);
        drain(ahead); // the digest is that of the whole stream, with what follows the tar's end
    }
    const std::string diff_id = digested.digest();
    if (!expected.empty() && diff_id != expected) {
        refuse_digest(name, expected, diff_id);
    }
    remove_tree(directory + "/trash");
    const bool depends =
        !stack.names.empty() && (written.depends_on_lower || (!written.has_root_entry && !has_plain_root(stack)));
    const std::string layer = name_of(diff_id, stack, depends);
    write_file(directory + "/record",
               to_text(LayerRecord{diff_id, written.size, written.entries, written.has_root_entry,
                                   tree_digest(root.get(), &written.contents), uid_map_}));
    unpacked_[layer] = directory;
    has_root_entry_[layer] = written.has_root_entry;
    stack.names.push_back(layer);
    stack.roots.push_back(directory + "/root");
    stack.chain = chain_of(stack.chain, diff_id);
    return diff_id;
}

void LayerImport::add(LayerStack& stack, const LayerSource& source) {
    if (!source.diff_id.empty() && reuse(stack, source.diff_id)) {
        progress_.add(source.blob.size);
        return;
    }
    const std::unique_ptr<Stream> file = source.blob.open();
    DigestStream blob(*file, [&](std::size_t bytes) { progress_.add(bytes); });
    const std::unique_ptr<Stream> tar = decompress(blob, source.blob.name);
    unpack(stack, *tar, source.blob.name, source.diff_id);
    drain(blob);
    if (const std::string digest = blob.digest(); !source.digest.empty() && digest != source.digest) {
        refuse_digest(source.blob.name, source.digest, digest);
    }
}

std::string LayerImport::add(LayerStack& stack, Stream& tar, const std::string& name) {
    return unpack(stack, tar, name, "");
}

} // namespace sandbox::image
