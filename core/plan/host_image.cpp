#include "core/plan/host_image.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>

#include "core/base/directory.hpp"
#include "core/base/error.hpp"
#include "core/base/file.hpp"
#include "core/plan/image_reference.hpp"
#include "core/plan/nearest.hpp"

namespace sandbox {

namespace {

constexpr std::size_t kLargestReferences = std::size_t{4} << 20;
constexpr std::size_t kLargestRecord = std::size_t{16} << 20;
constexpr std::size_t kFewestDigits = 4;

std::string image_directory(const std::string& data_dir, const std::string& id) {
    if (!is_digest(id)) { // it becomes a path
        throw Error("no image has the id " + quoted(id));
    }
    return data_dir + "/images/" + hex_of(id);
}

/// Whoever can write our files can choose what runs in the next sandbox.
void expect_own(const struct stat& status, const std::string& path) {
    if (status.st_uid != ::geteuid()) {
        throw Error("the image store's " + quoted(path) + " belongs to another user")
            .cause("who owns it decides what runs in a sandbox")
            .fix("chown it to yourself if its content is yours");
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw Error("the image store's " + quoted(path) + " can be written by others")
            .cause("who writes it decides what runs in a sandbox")
            .fix("chmod go-w " + shell_quoted(path));
    }
}

/// Every directory of the store from DATA_DIR on.
void expect_own_directory(const std::string& path, bool* missing = nullptr) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) < 0) {
        if (errno == ENOENT && missing != nullptr) {
            *missing = true;
            return;
        }
        throw Error("cannot read the image store's " + quoted(path)).kernel(errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        throw Error("the image store's " + quoted(path) + " is no directory");
    }
    expect_own(status, path);
}

bool store_is_there(const std::string& data_dir) {
    bool missing = false;
    expect_own_directory(data_dir, &missing);
    if (!missing) {
        expect_own_directory(data_dir + "/images", &missing);
    }
    return !missing;
}

std::vector<std::string> entries_of(const std::string& directory) {
    std::optional<std::vector<std::string>> names = list_directory(directory);
    if (!names && errno != ENOENT) {
        throw Error("cannot list the image store's " + quoted(directory)).kernel(errno);
    }
    return names ? std::move(*names) : std::vector<std::string>();
}

/// Whether one of the words on the command line is that name.
bool is_said(const std::string& name, const std::vector<std::string>& said) {
    return std::ranges::any_of(said, [&](const std::string& word) {
        try {
            return parse_reference(word).full() == name;
        } catch (const Error&) {
            return false; // the digits of an id, say
        }
    });
}

[[noreturn]] void refuse_unknown(std::string_view wanted, const std::string& full, const References& references,
                                 const MissingImage& missing) {
    Error error("there is no image " + quoted(wanted.substr(0, 300)) + " in the store");
    std::vector<std::string> names;
    for (const auto& [name, id] : references) {
        if (!is_said(name, missing.said)) {
            names.push_back(familiar_reference(name));
        }
    }
    std::string near = nearest(wanted, names);
    if (near.empty() && !full.empty()) {
        near = nearest(familiar_reference(full), names);
    }
    if (!near.empty()) {
        error.fix(fmt::format("did you mean '{}'?", near));
    }
    error.fix("sandboxctl image list shows what is there");
    if (missing.pull) {
        error.fix(fmt::format("sandboxctl image pull {}", shell_quoted(wanted.substr(0, 300))));
    }
    throw error;
}

/// The image whose id starts so; empty where none does. \throws Error where several do.
std::string find_by_id(const StoreIndex& index, std::string_view digits) {
    std::string found;
    for (const std::string& id : index.images) {
        if (!hex_of(id).starts_with(digits)) {
            continue;
        }
        if (!found.empty()) {
            throw Error("several images have an id that starts with " + quoted(digits)).fix("write more of its digits");
        }
        found = id;
    }
    return found;
}

/// A layer is opened with no link on the way to it, but ~/.local/share may be one, to a larger disk.
std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
    if (!real) {
        throw Error("cannot read the image store's " + quoted(path)).kernel(errno);
    }
    return real.get();
}

Image load(const std::string& data_dir, std::string reference, const std::string& id) {
    ImageRecord record = stored_record(data_dir, id);
    expect_own_directory(data_dir + "/layers");
    const std::string real_dir = real_path(data_dir);
    Image image{std::move(reference), id, {}, record.single_owner, std::move(record.config)};
    for (const std::string& layer : record.layers) {
        image.layers.push_back(layer_root(real_dir, layer));
        struct stat status {};
        if (::lstat(image.layers.back().c_str(), &status) < 0 || !S_ISDIR(status.st_mode)) {
            throw Error("the image " + quoted(id) + " is damaged")
                .cause("its layer " + quoted(image.layers.back()) + " is missing")
                .fix("import it again");
        }
    }
    return image;
}

bool is_id(std::string_view text) {
    if (text.starts_with(kSha256)) {
        text.remove_prefix(kSha256.size());
    }
    return text.size() >= kFewestDigits && text.size() <= 64 && is_hex(text);
}

} // namespace

std::string read_store_file(const std::string& path, std::size_t limit, bool* missing) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) < 0) {
        if (errno == ENOENT && missing != nullptr) {
            *missing = true;
            return "";
        }
        throw Error("cannot read the image store's " + quoted(path)).kernel(errno);
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error("the image store's " + quoted(path) + " is no regular file");
    }
    expect_own(status, path);
    std::string text;
    if (!read_all(file.get(), limit + 1, text)) {
        throw Error("cannot read the image store's " + quoted(path)).kernel(errno);
    }
    if (text.size() > limit) {
        throw Error("the image store's " + quoted(path) + " is too long").cause("we never wrote so much");
    }
    return text;
}

std::string layer_root(const std::string& data_dir, const std::string& layer) {
    return data_dir + "/layers/" + layer + "/root";
}

StoreIndex stored_index(const std::string& data_dir) {
    if (!store_is_there(data_dir)) {
        return {};
    }
    const std::string path = data_dir + "/references";
    bool missing = false;
    return read_index(read_store_file(path, kLargestReferences, &missing), path);
}

ImageRecord stored_record(const std::string& data_dir, const std::string& id) {
    const std::string directory = image_directory(data_dir, id);
    expect_own_directory(directory);
    const std::string path = directory + "/record";
    return read_image_record(read_store_file(path, kLargestRecord), path);
}

Image find_image(const std::string& data_dir, std::string_view reference, const MissingImage& missing) {
    const StoreIndex index = stored_index(data_dir);
    std::string full;
    try {
        full = parse_reference(reference).full();
    } catch (const Error&) {
        if (!is_id(reference)) {
            throw;
        }
    }
    if (const auto found = index.names.find(full); found != index.names.end()) {
        return load(data_dir, found->first, found->second);
    }
    if (is_id(reference)) {
        const std::size_t digits = reference.starts_with(kSha256) ? kSha256.size() : 0;
        const std::string id = find_by_id(index, reference.substr(digits));
        if (!id.empty()) {
            return load(data_dir, "", id);
        }
    }
    refuse_unknown(reference, full, index.names, missing);
}

Fd hold_image(const std::string& data_dir, const std::string& id) {
    const std::string directory = image_directory(data_dir, id);
    Fd held(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!held) {
        throw Error("the image " + quoted(id) + " is not in the store any more").kernel(errno);
    }
    // LOCK_NB: whoever has it exclusively is about to remove the image.
    struct stat status {};
    if (::flock(held.get(), LOCK_SH | LOCK_NB) < 0 || ::lstat((directory + "/record").c_str(), &status) < 0) {
        throw Error("the image " + quoted(id) + " is being removed").kernel(errno).fix("import it again");
    }
    return held;
}

void add_image_user(const std::string& data_dir, const std::string& id, const std::string& user) {
    const std::string users = image_directory(data_dir, id) + "/users";
    const Fd file((::mkdir(users.c_str(), S_IRWXU) == 0 || errno == EEXIST) && user.find('/') == std::string::npos
                      ? ::open((users + "/" + user).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                      : -1);
    if (!file) {
        throw Error("cannot note that " + quoted(user) + " needs the image " + quoted(id)).kernel(errno);
    }
}

void drop_image_user(const std::string& data_dir, const std::string& id, const std::string& user) {
    if (user.find('/') == std::string::npos) {
        ::unlink((image_directory(data_dir, id) + "/users/" + user).c_str());
    }
}

std::vector<std::string> image_users(const std::string& data_dir, const std::string& id) {
    return entries_of(image_directory(data_dir, id) + "/users");
}

} // namespace sandbox
