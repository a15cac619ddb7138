"""images.py --list | DIR NAME: images that cover the rules for layers. Writes DIR/NAME (an OCI layout), and what it
must look like to DIR/NAME.expected."""
import os
import subprocess
import sys
import tarfile
import tempfile

from layers import (Layout, Tree, directory, fifo, file, gz, hard, link, opaque, tar, whiteout, write_files, zst)

BASE = [directory("./"), directory("etc/"), file("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"), directory("usr/"),
        directory("usr/lib/"), link("lib", "usr/lib"), directory("a/"), file("a/f1", b"one"), file("a/f2", b"two"),
        directory("a/d/"), file("a/d/x", b"x"), file("a/d/y", b"y"), directory("a/d/e/"), file("a/d/e/z", b"z")]


def everything():
    names = ["with space", "new\nline", "tab\tand \\ and '", "\u00e9 composed", "e\u0301 decomposed", "\U0001f980",
             b"latin \xe9\xff", "-rf", "...", ".whole", "w" * 255, "p/" * 60 + "deep", "._mac"]
    entries = [directory("d/")]
    entries += [file(os.path.join(b"d", os.fsencode(name)), b"name") for name in names]
    entries += [
        directory("owned/", uid=33, gid=34, mode=0o2750), file("owned/f", uid=1000, gid=1001, mode=0o640),
        file("owned/high", uid=65535, gid=65535), file("setuid", mode=0o4755, uid=1), file("setgid", mode=0o2755, gid=2),
        directory("sticky/", mode=0o1777), directory("closed/", mode=0), file("closed/f", b"shut", mode=0),
        link("relative", "d/x"), link("absolute", "/etc/passwd"), link("dangling", "no/where"),
        link("up", "../../../../etc/passwd"), link("owned/link", "f", uid=7, gid=8), fifo("fifo", mode=0o620, uid=5),
        file("empty", b""), file("old", mtime=1), file("future", mtime=4_000_000_000), hard("hard1", "setuid"),
        hard("d/hard2", "setuid"), hard("hardlink", "relative"), file("big", os.urandom(300_000) + bytes(200_000)),
        file("twice", b"first"), file("twice", b"second", mode=0o600), directory("owned/", uid=44, mode=0o700),
    ]
    return [BASE + entries]


def whiteouts():
    return [BASE, [directory("a/"), whiteout("a/f1"), whiteout("a/d"), whiteout("lib"), whiteout("never/there")],
            [directory("a/"), file("a/f1", b"again"), directory("new/"), whiteout("new/nothing")]]


def nested_whiteouts():
    return [BASE, [directory("a/"), directory("a/d/"), whiteout("a/d/x"), directory("a/d/e/"), whiteout("a/d/e/z")],
            [whiteout("a/d/y")]]


def opaque_first():
    return [BASE, [directory("a/", mode=0o700), opaque("a"), file("a/only", b"1"), directory("a/d/"), file("a/d/new")]]


def opaque_last():
    return [BASE, [directory("a/", mode=0o700), file("a/only", b"1"), directory("a/d/"), file("a/d/new"), opaque("a")],
            [directory("a/"), file("a/f1", b"back")]]


def opaque_alone():
    return [BASE, [opaque("a/d")], [opaque("nowhere")], [file("a/d/late")]]


def order():
    return [BASE, [file("a/f1", b"1", uid=3)], [file("a/f1", b"22", mode=0o755)], [whiteout("a/f1")],
            [link("a/f1", "f2")], [file("a/f1", b"four")]]


def directory_file_directory():
    return [BASE, [file("a", b"now a file")], [directory("a/"), file("a/new", b"n")], [link("a", "etc")],
            [directory("a/", uid=9), file("a/last")]]


def replaced_in_one_layer():
    return [BASE, [directory("t/"), file("t/in"), file("t", b"file"), directory("t/"), file("t/again"), link("s", "etc"),
                   directory("s/"), file("s/mine"), file("a", b"gone"), directory("a/"), file("a/fresh")]]


def hard_links():
    return [BASE, [hard("a/one", "a/f1"), file("n", b"new", uid=4), hard("n2", "n"), hard("a/d/n3", "./n2")],
            [hard("far", "a/f2"), hard("etc/p", "/etc/passwd"), hard("liblink", "lib")]]


def same_name():
    return [BASE, [whiteout("a/f1"), file("a/f1", b"kept"), file("a/f2", b"kept too"), whiteout("a/f2"),
                   directory("a/d/", mode=0o711), file("a/d/new"), whiteout("a/d")]]


def whiteout_and_below():
    return [BASE, [whiteout("a"), file("a/.wh.f1")], [directory("a/"), file("a/n")],
            [whiteout("etc"), file("etc/.wh.passwd"), file("etc", b"file")]]


def xattrs():
    capability = bytes.fromhex("0100000200040000000000000000000000000000")
    return [BASE + [file("ping", mode=0o755, xattrs={"security.capability": capability}),
                    file("noted", xattrs={"user.note": b"hello\x00\xff"}),
                    directory("nd/", xattrs={"user.dir": b"1"})],
            [file("noted2", xattrs={"user.note": b"2"}), file("nd/below")]]


def implied_parents():
    return [[directory("./"), directory("p/", mode=0o700, uid=33, gid=33), directory("p/q/", mode=0o1770, gid=5),
             file("p/q/old")], [file("p/q/new", b"n"), file("x/y/z", b"z")], [whiteout("p/q/old")],
            [hard("p/q/hard", "p/q/new")]]


def links_as_parents():
    return [BASE + [link("abs", "/usr/lib"), link("out", "../../.."), link("chain", "lib"), link("dangles", "made/here")],
            [file("lib/one.so", b"1"), file("abs/sub/two.so", b"2"), file("out/etc/three", b"3"),
             file("chain/four.so", b"4"), file("dangles/five", b"5")],
            [whiteout("lib/one.so"), hard("usr/six", "chain/four.so")]]


def many_layers():
    layers = [BASE]
    for i in range(40):
        layers.append([directory("m/"), file(f"m/{i}", str(i).encode()), file("m/last", str(i).encode())])
        if i % 3 == 0 and i:
            layers[-1].append(whiteout(f"m/{i - 1}"))
    return layers


def sparse():
    """A tar of GNU tar's own, since Python writes no sparse entries. The entries are for the model alone."""
    return [BASE, [directory("holes/"), file("holes/end", b"start" + bytes(1_000_000)),
                   file("holes/middle", bytes(400_000) + b"middle" + bytes(400_000)), file("holes/all", bytes(70_000))]]


def sparse_tar(form):
    with tempfile.TemporaryDirectory() as path:
        for entry in sparse()[1]:
            target = os.path.join(path, os.fsdecode(entry.name))
            if entry.kind == "dir":
                os.mkdir(target)
            else:
                with open(target, "wb") as out:
                    for offset in range(0, len(entry.data), 1000):
                        part = entry.data[offset:offset + 1000]
                        if part.strip(b"\0"):
                            out.seek(offset)
                            out.write(part)
                    out.truncate(len(entry.data))
            os.chmod(target, entry.mode)
        for entry in reversed(sparse()[1]):  # the directory last
            os.utime(os.path.join(path, os.fsdecode(entry.name)), (entry.mtime, entry.mtime))
        return subprocess.run(["tar", "-C", path, "-S", "--owner=0", "--group=0", *form, "-c", "holes"],
                              stdout=subprocess.PIPE, check=True).stdout


IMAGES = {
    "everything": everything, "whiteouts": whiteouts, "nested-whiteouts": nested_whiteouts, "opaque-first": opaque_first,
    "opaque-last": opaque_last, "opaque-alone": opaque_alone, "order": order,
    "directory-file-directory": directory_file_directory, "replaced-in-one-layer": replaced_in_one_layer,
    "hard-links": hard_links, "same-name": same_name, "whiteout-and-below": whiteout_and_below, "xattrs": xattrs,
    "implied-parents": implied_parents, "links-as-parents": links_as_parents, "many-layers": many_layers,
    "sparse-gnu": sparse, "sparse-pax": sparse, "gnu-format": everything, "zstd": whiteouts, "plain": whiteouts,
}


def tars_of(name, layers):
    form = tarfile.GNU_FORMAT if name == "gnu-format" else tarfile.PAX_FORMAT
    tars = [tar(layer, form) for layer in layers]
    if name.startswith("sparse"):
        tars[1] = sparse_tar(["--format=gnu"] if name == "sparse-gnu" else ["--format=posix", "--sparse-version=1.0"])
    return tars


def main():
    if sys.argv[1] == "--list":
        print("\n".join(IMAGES))
        return
    out, name = sys.argv[1:3]
    layers = IMAGES[name]()
    pack = {"zstd": (zst, "tar+zstd"), "plain": (lambda data: data, "tar")}.get(name, (gz, "tar+gzip"))
    layout = Layout()
    write_files(layout.add(layout.manifest(tars_of(name, layers), *pack), "latest").finish(), os.path.join(out, name))
    tree = Tree()
    for layer in layers:
        tree.apply(layer)
    with open(os.path.join(out, name + ".expected"), "w", encoding="utf-8") as expected:
        expected.write("\n".join(tree.lines()) + "\n")


if __name__ == "__main__":
    main()
