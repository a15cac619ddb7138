#include "core/plan/root_choice.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/base/error.hpp"
#include "core/plan/one_of.hpp"
#include "core/plan/path_words.hpp"
#include "core/plan/paths.hpp"

namespace sandbox {

namespace {

using Kind = RootChoice::Kind;

Kind kind_of(const std::string& word) {
    return word == "empty" ? Kind::empty : word == "image" ? Kind::image : word == "rootfs" ? Kind::rootfs : Kind::host;
}

/// Who chooses another root over a profile has said enough; who writes both in one place contradicts himself.
void refuse_idle(const Origin& idle, const char* wanted, const RootChoice& choice, const std::string& word,
                 const Layers& layers) {
    if (layers.rank(choice.origin) > layers.rank(idle)) {
        return;
    }
    throw Error(written_at(idle) + " has no effect")
        .cause("filesystem.root is " + quoted(word) + " (" + written_at(choice.origin) + ")")
        .fix(std::string("root = ") + wanted);
}

std::string find_rootfs(const Setting<std::string>& rootfs, const Host& host) {
    const std::string path = read_path({*rootfs.value, rootfs.origin}, host).path;
    const PathFact fact = host.look_up(path);
    const auto refuse = [&](std::string cause) {
        throw Error(written_at(rootfs.origin) + ": cannot use " + quoted(path) + " as the root")
            .cause(std::move(cause))
            .fix("name a directory that holds a system of its own: bin, etc, usr");
    };
    if (fact.kind == PathFact::Kind::absent) {
        throw Error(written_at(rootfs.origin) + ": cannot use " + quoted(path) + " as the root").kernel(fact.error);
    }
    if (fact.kind != PathFact::Kind::directory) {
        refuse("it is no directory");
    }
    // What is granted of the host is held to rules; a root is shown as a whole.
    const std::array<std::pair<std::string, const char*>, 7> kNever = {{{host.home, "your home"},
                                                                        {host.account_home, "your home"},
                                                                        {host.runtime_dir, "your runtime directory"},
                                                                        {host.config_dir, "the profiles of sandbox"},
                                                                        {host.data_dir, "the state of sandbox"},
                                                                        {"/proc", "the host's processes"},
                                                                        {"/sys", "the host's devices"}}};
    for (const auto& [directory, what] : kNever) {
        const std::string real = directory.empty() ? directory : host.look_up(directory).real;
        if (!real.empty() && paths::is_within(real, fact.real)) {
            refuse(std::string("it holds ") + what);
        }
    }
    for (const std::string& directory :
         {host.data_dir, std::string("/proc"), std::string("/sys"), std::string("/dev")}) {
        if (paths::is_within(fact.real, host.look_up(directory).real)) {
            refuse("it belongs to the kernel or to sandbox itself");
        }
    }
    return fact.real;
}

} // namespace

RootChoice choose_root(const Profile::Filesystem& filesystem, const Host& host, const Layers& layers) {
    RootChoice choice;
    const std::string word = one_of(filesystem.root, kRoots);
    choice.kind = kind_of(word);
    choice.origin = filesystem.root.origin;
    if (filesystem.image && choice.kind != Kind::image) {
        refuse_idle(filesystem.image.origin, "\"image\"", choice, word, layers);
    }
    if (filesystem.rootfs && choice.kind != Kind::rootfs) {
        refuse_idle(filesystem.rootfs.origin, "\"rootfs\"", choice, word, layers);
    }
    if (filesystem.writable_root && !choice.is_tree()) {
        refuse_idle(filesystem.writable_root.origin, "\"image\" or \"rootfs\"", choice, word, layers);
    }
    if (choice.kind == Kind::image) {
        if (!filesystem.image) {
            throw Error(written_at(choice.origin) + " is \"image\", and no image is named")
                .fix("sandbox --image NAME CMD; sandboxctl image list shows those that are there");
        }
        choice.image = host.find_image(*filesystem.image.value);
        choice.origin = filesystem.image.origin;
    }
    if (choice.kind == Kind::rootfs) {
        if (!filesystem.rootfs) {
            throw Error(written_at(choice.origin) + " is \"rootfs\", and no directory is named")
                .fix("sandbox --rootfs DIR CMD");
        }
        choice.rootfs = find_rootfs(filesystem.rootfs, host);
        choice.origin = filesystem.rootfs.origin;
    }
    choice.writable = choice.is_tree() && filesystem.writable_root.value_or(choice.kind == Kind::image);
    choice.writable_origin = filesystem.writable_root ? filesystem.writable_root.origin : choice.origin;
    return choice;
}

} // namespace sandbox
