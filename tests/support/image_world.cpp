#include "tests/support/image_world.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>

namespace fs = std::filesystem;

namespace sandbox::test {

namespace {

/// 64 digits for a name: layers and images are called by digests, and nobody looks whether these are right.
std::string digest_of(const std::string& name) {
    std::string digits;
    for (const char c : name) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", static_cast<unsigned char>(c));
        digits += two;
    }
    digits.resize(64, '0');
    return digits;
}

} // namespace

ImageWorld::ImageWorld() : store(home / ".local/share/sandbox") {
    directory(home / ".local", 0700);
    directory(store, 0700);
    directory(store / "images", 0700);
    directory(store / "layers", 0700);
}

fs::path ImageWorld::make_system(const fs::path& path) const {
    for (const char* name : {"bin", "dev", "etc", "proc", "root", "sys", "var"}) {
        directory(path / name);
    }
    directory(path / "tmp", 01777);
    write(path / "bin/busybox", read_file("/bin/busybox"), 0755);
    for (const char* name :
         {"sh",    "cat",  "ls",  "id",   "echo",  "mkdir", "rm",       "ln",     "touch", "stat",     "test",
          "chmod", "env",  "pwd", "true", "mount", "mknod", "sleep",    "chown",  "head",  "readlink", "mv",
          "find",  "grep", "dd",  "ps",   "kill",  "sed",   "hostname", "umount", "cp"}) {
        link(path / "bin" / name, "busybox");
    }
    write(path / "etc/passwd", "root:x:0:0:root:/root:/bin/sh\nweb:x:33:34:web:/srv/web:/bin/sh\n");
    write(path / "etc/group", "root:x:0:\nweb:x:34:\naudio:x:29:web\nvideo:x:44:other,web\n");
    return path;
}

fs::path ImageWorld::layer(const std::string& name) const {
    directory(store / "layers" / digest_of(name), 0700);
    return directory(store / "layers" / digest_of(name) / "root");
}

void ImageWorld::image(const std::string& name, const std::vector<std::string>& layers,
                       const ConfigLines& config) const {
    std::string record = "sandbox-image 1\n";
    for (const std::string& layer_name : layers) {
        record += "layer " + digest_of(layer_name) + "\n";
    }
    for (const std::string& line : config) {
        record += line + "\n";
    }
    directory(store / "images" / digest_of(name), 0700);
    write(store / "images" / digest_of(name) / "record", record + "end\n", 0600);
    const std::string references = fs::exists(store / "references") ? read_file(store / "references") : "";
    write(store / "references", references + "docker.io/library/" + name + ":latest sha256:" + digest_of(name) + "\n",
          0600);
}

void ImageWorld::box(const ConfigLines& config) const {
    make_system(layer("box"));
    image("box", {"box"}, config);
}

void ImageWorld::link(const fs::path& path, const std::string& target) const {
    fs::create_symlink(target, path);
    if (::lchown(path.c_str(), user().uid, user().gid) != 0 && started_by_root()) {
        throw std::runtime_error("cannot give away " + path.string());
    }
}

void ImageWorld::whiteout(const fs::path& path) const {
    if (::mknod(path.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
        throw std::runtime_error("cannot make the whiteout " + path.string());
    }
    give_to_user(path);
}

void ImageWorld::make_opaque(const fs::path& path) const {
    if (::setxattr(path.c_str(), "user.overlay.opaque", "y", 1, 0) != 0) {
        throw std::runtime_error("cannot make opaque: " + path.string());
    }
}

Result ImageWorld::on(const std::string& image, const Words& words) const {
    Words command = {"--quiet", "--net", "none", "--image", image, "--"};
    command.insert(command.end(), words.begin(), words.end());
    return sandbox(command);
}

std::vector<std::string> ImageWorld::private_layers() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(store / "private/run", ignored)) {
        names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool has_fuse_overlayfs() {
    static const bool has = installed("fuse-overlayfs") && run({"test", "-w", "/dev/fuse"}).status == 0;
    return has;
}

} // namespace sandbox::test
