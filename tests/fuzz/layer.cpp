// The layer's tree: entries of any name, over links of any target. Nothing may come to stand outside of the layer.
// An input is lines: 'f NAME', 'd NAME', 'l NAME TARGET' (symbolic link), 'w NAME' (hidden), 'o NAME' (opaque), with
// upper case for the lower layer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "core/base/error.hpp"
#include "core/image/layer_tree.hpp"
#include "core/image/store_files.hpp"

namespace {

using namespace sandbox::image;
namespace fs = std::filesystem;

constexpr std::string_view kSafe = "safe";

struct Stage {
    std::string path;

    Stage() : path((fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/sandbox-fuzz.XXXXXX")) {
        if (::mkdtemp(path.data()) == nullptr) {
            std::abort();
        }
        write_file(path + "/canary", kSafe);
    }
    ~Stage() { remove_tree(path); }
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    void expect_untouched() const {
        const auto names = names_in(path);
        if (names != std::vector<std::string>{"canary", "lower", "root", "trash"} ||
            fs::file_size(path + "/canary") != kSafe.size()) {
            std::abort();
        }
    }
};

void put_entry(LayerTree& tree, char kind, const std::string& name, const std::string& target) {
    const LayerName read = read_layer_name(name);
    if (read.kind != LayerName::Kind::entry) {
        return;
    }
    const Place place = tree.place(read.parents, read.name, name);
    if (place.name.empty() || kind == 'd') {
        static_cast<void>(tree.make_directory(place, {}, name));
        return;
    }
    tree.remove(place);
    if (kind == 'l') {
        static_cast<void>(!::symlinkat(target.c_str(), place.directory(), place.name.c_str()));
        return;
    }
    const sandbox::Fd file(
        ::openat(place.directory(), place.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    static_cast<void>(::write(file.get(), "changed", 7) < 0);
}

void apply(LayerTree& tree, std::string_view lines, bool lower) {
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(lines.size(), line.size() + 1));
        if (line.size() < 3 || ((line[0] & 0x20) == 0) != lower) {
            continue;
        }
        const char kind = static_cast<char>(line[0] | 0x20);
        const std::string_view rest = line.substr(2);
        const std::size_t space = std::min(rest.find(' '), rest.size());
        const std::string name(rest.substr(0, space));
        const std::string target(rest.substr(std::min(space + 1, rest.size())));
        if (name.find('\0') != std::string::npos) {
            continue;
        }
        try {
            if (kind == 'w' || kind == 'o') {
                const std::string path = join(tree.resolve(split(name), name, true));
                kind == 'w' ? tree.hide(path) : tree.make_opaque(path);
            } else {
                put_entry(tree, kind, name, target);
            }
        } catch (const sandbox::Error&) {
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const Stage stage;
    const std::string_view lines(reinterpret_cast<const char*>(data), size);
    for (const char* name : {"/lower", "/root", "/trash"}) {
        make_directory(stage.path + name);
    }
    const std::vector<std::string> lower = {stage.path + "/lower"};
    {
        const LowerView nothing({});
        LayerTree tree(open_directory(lower[0]), open_directory(stage.path + "/trash"), nothing);
        apply(tree, lines, true);
    }
    remove_tree(stage.path + "/trash");
    make_directory(stage.path + "/trash");
    {
        const LowerView below(lower);
        LayerTree tree(open_directory(stage.path + "/root"), open_directory(stage.path + "/trash"), below);
        apply(tree, lines, false);
    }
    stage.expect_untouched();
    for (const char* name : {"/lower", "/root", "/trash"}) {
        remove_tree(stage.path + name);
    }
    return 0;
}
