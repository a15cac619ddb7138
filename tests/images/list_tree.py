"""list_tree.py DIR: every entry below DIR, in the words of layers.py. Run as root of a user namespace."""
import os
import stat
import sys

from layers import line

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "link", stat.S_IFIFO: "fifo", stat.S_IFCHR: "char",
         stat.S_IFBLK: "block", stat.S_IFSOCK: "socket"}


def xattrs_of(path):
    # "user.overlay." is how a layer says that a directory is opaque, and umoci has one for owners it could not give.
    names = [n for n in os.listxattr(path, follow_symlinks=False)
             if not n.startswith(("user.overlay.", "user.rootlesscontainers"))]
    return {name: os.fsdecode(os.getxattr(path, name, follow_symlinks=False)) for name in names}


def main(root):
    found, first = [], {}
    paths = [root]
    while paths:
        path = paths.pop()
        status = os.lstat(path)
        found.append((b"." + path[len(root):], path, status))
        if stat.S_ISDIR(status.st_mode):
            paths += [os.path.join(path, name) for name in os.listdir(path)]
    for name, path, status in sorted(found):
        kind = KINDS[stat.S_IFMT(status.st_mode)]
        data = open(path, "rb").read() if kind == "file" else b""
        target = os.readlink(path) if kind == "link" else b""
        same = name
        if kind != "dir" and status.st_nlink > 1:
            same = first.setdefault((status.st_dev, status.st_ino), name)
        print(line(name, kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, data, target, xattrs_of(path),
                   status.st_mtime, same))


main(os.fsencode(sys.argv[1].rstrip("/")))
