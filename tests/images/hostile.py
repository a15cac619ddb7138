"""hostile.py NAME FILE: an archive that means harm, or is broken, written to FILE (a directory for an OCI layout)."""
import io
import json
import lzma
import os
import random
import sys
import tarfile
import zlib

from layers import (Entry, Layout, directory, docker_archive, fifo, file, gz, hard, link, tar, tar_files, write_files,
                    zst)

CANARY = os.environ.get("CANARY", "/tmp/canary")  # a file outside that must stay as it is


def device(name, kind, major, minor):
    entry = Entry(name, kind, mode=0o666)
    entry.device = (major, minor)
    return entry


def with_base(entries):
    """A root file system whose first entries are harmless, so that it is taken for one."""
    return tar([directory("./"), directory("etc/"), file("etc/hostname", b"image\n"), *entries])


def zeros(size):
    """A gzip of a tar with one file of zeros."""
    info = tarfile.TarInfo("etc/zeros")
    info.size = size
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = [packer.compress(tar([directory("etc/")])[:512] + info.tobuf())]
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        out.append(packer.compress(block))
    return b"".join(out) + packer.compress(bytes(1024)) + packer.flush()


def zeros_behind(size):
    """As `zeros`, behind the end of the tar, where nobody looks."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([packer.compress(NOISY)] + [packer.compress(bytes(1 << 20)) for _ in range(size >> 20)]
                    + [packer.flush()])


def sparse_claim(size):
    """A few hundred bytes that claim to be a file of `size` bytes."""
    info = tarfile.TarInfo("etc/claims")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.name": "etc/claims",
                        "GNU.sparse.realsize": str(size), "GNU.sparse.numblocks": "0", "GNU.sparse.map": ""}
    return tar([directory("etc/")])[:512] + info.tobuf(tarfile.PAX_FORMAT) + bytes(1024)


def many(count):
    head = tar([file("etc/same", b"")])[:512]
    return gz(tar([directory("etc/")])[:512] + head * count + bytes(1024))


def flipped(data, place):
    at = int(len(data) * place) if isinstance(place, float) else len(data) + place
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1:]


NOISE = random.Random(1).randbytes(200_000)
NOISY = with_base([file("etc/noise", NOISE), file("etc/end", b"end")])


def header_with(**fields):
    """A header whose numbers are what they should not be."""
    info = tarfile.TarInfo("etc/odd")
    raw = bytearray(info.tobuf())
    for place, value in fields.values():
        raw[place:place + len(value)] = value
    raw[148:156] = b"        "
    raw[148:156] = b"%06o\0 " % sum(raw)
    return tar([directory("etc/")])[:512] + bytes(raw) + bytes(1024)


def layout(change=lambda files: None, tars=None, **more):
    made = Layout()
    files = made.add(made.manifest(tars or [NOISY], **more), "latest").finish()
    change(files)
    return files


def blob_of(files, kind):
    """The name of the layout's blob of this kind: layer, config or manifest."""
    index = json.loads(files["index.json"])
    manifest_name = "blobs/sha256/" + index["manifests"][0]["digest"][7:]
    manifest = json.loads(files[manifest_name])
    return {"manifest": manifest_name, "config": "blobs/sha256/" + manifest["config"]["digest"][7:],
            "layer": "blobs/sha256/" + manifest["layers"][0]["digest"][7:]}[kind]


def change_blob(kind, change):
    def apply(files):
        name = blob_of(files, kind)
        files[name] = change(files[name])
    return layout(apply)


def manifest_with(change):
    """A layout whose manifest says something odd, with all digests right."""
    made = Layout()
    described = made.manifest([NOISY])
    document = json.loads(made.files["blobs/sha256/" + described["digest"][7:]])
    change(document)
    return made.add({**described, **made.blob(json.dumps(document).encode())}, "latest").finish()


def config_with(change):
    made = Layout()
    described = made.manifest([NOISY])
    document = json.loads(made.files["blobs/sha256/" + described["digest"][7:]])
    config = json.loads(made.files["blobs/sha256/" + document["config"]["digest"][7:]])
    change(config)
    document["config"].update(made.blob(json.dumps(config).encode()))
    return made.add({**described, **made.blob(json.dumps(document).encode())}, "latest").finish()


def nested_index(depth):
    made = Layout()
    described = made.manifest([NOISY])
    for _ in range(depth):
        described = made.index([described])
    return made.add(described, "latest").finish()


def put(document, key, value):
    document[key] = value


def docker_with(change):
    files = docker_archive([NOISY], ["hostile:1"])
    change(files)
    return tar_files(files)


def layer_loop():
    out = io.BytesIO()
    files = docker_archive([NOISY], ["hostile:1"])
    names = [name for name in files if name.endswith("layer.tar")]
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            if name in names:
                info.type, info.linkname = tarfile.SYMTYPE, "layer.tar"
                archive.addfile(info)
            else:
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def manifest_json(change):
    def apply(files):
        document = json.loads(files["manifest.json"])
        change(document[0])
        files["manifest.json"] = json.dumps(document).encode()
    return docker_with(apply)


OVERLAY = {"user.overlay.opaque": b"y", "user.overlay.redirect": b"/etc", "trusted.overlay.opaque": b"y",
           "user.overlay.whiteout": b"", "user.fuseoverlayfs.opaque": b"y", "user.containers.override_stat": b"0:0:0755"}

ARCHIVES = {
    # names that lead out
    "dotdot": lambda: with_base([file("../evil")]),
    "dotdot-inside": lambda: with_base([file("etc/../../evil")]),
    "dotdot-harmless": lambda: with_base([file("etc/../evil")]),
    "absolute": lambda: with_base([file(CANARY, b"changed")]),
    "link-out": lambda: with_base([link("out", os.path.dirname(CANARY)), file("out/canary", b"changed")]),
    "link-up": lambda: with_base([link("up", "../../../../../../.." + os.path.dirname(CANARY)),
                                  file("up/canary", b"changed")]),
    "file-through-link": lambda: with_base([link("f", CANARY), file("f", b"changed")]),
    "directory-through-link": lambda: with_base([link("d", os.path.dirname(CANARY)), directory("d/", mode=0o777),
                                                 file("d/canary", b"changed")]),
    "hard-link-out": lambda: with_base([hard("h", CANARY), file("h", b"changed")]),
    "hard-link-up": lambda: with_base([hard("h", "../../.." + CANARY)]),
    "hard-link-through-link": lambda: with_base([link("out", os.path.dirname(CANARY)), hard("h", "out/canary")]),
    "hard-link-to-link": lambda: with_base([link("l", CANARY), hard("h", "l"), file("h", b"changed")]),
    "hard-link-to-directory": lambda: with_base([hard("h", "etc")]),
    "link-loop": lambda: with_base([link("a", "b"), link("b", "a"), file("a/x")]),
    "across-layers": lambda: layout(tars=[
        tar([directory("./"), link("out", os.path.dirname(CANARY)), link("f", CANARY)]),
        tar([file("out/canary", b"changed"), link("out2", "../../../../.." + os.path.dirname(CANARY))]),
        tar([file("out2/canary", b"changed"), hard("h", "f")]), tar([file("h", b"changed")])]),
    "parent-is-file": lambda: with_base([file("etc/hostname/below")]),
    "root-is-file": lambda: with_base([file("./.")]),
    # whiteouts
    "whiteout-bare": lambda: with_base([file("etc/.wh.")]),
    "whiteout-dot": lambda: with_base([file("etc/.wh..")]),
    "whiteout-dotdot": lambda: with_base([file("etc/.wh...")]),
    "whiteout-as-parent": lambda: with_base([file("etc/.wh.x/y")]),
    "aufs-metadata": lambda: with_base([file(".wh..wh.aufs"), directory(".wh..wh.plnk/"), file(".wh..wh.plnk/1.2"),
                                        file(".wh..wh.orph")]),
    "whiteout-device": lambda: layout(tars=[NOISY, tar([directory("etc/"), device("etc/hostname", "char", 0, 0),
                                                        device("etc/end", "block", 0, 0)])]),
    "overlay-xattrs": lambda: layout(tars=[NOISY, tar([directory("etc/", xattrs=OVERLAY),
                                                       file("etc/x", xattrs=OVERLAY)])]),
    # what may be, and does no harm
    "devices": lambda: with_base([device("etc/null", "char", 1, 3), device("etc/sda", "block", 8, 0),
                                  device("etc/whiteout", "char", 0, 0), fifo("etc/fifo"),
                                  file("etc/setuid", mode=0o6755)]),
    # owners
    "owner-beyond": lambda: with_base([file("etc/far", uid=3_000_000)]),
    "owner-absurd": lambda: with_base([file("etc/far", uid=(1 << 40))]),
    "owner-none": lambda: with_base([file("etc/far", gid=(1 << 32) - 1)]),
    # sizes
    "zeros": lambda: zeros(1 << 30),
    "zeros-behind": lambda: zeros_behind(1 << 30),
    "claim": lambda: sparse_claim(10 << 30),
    "claim-absurd": lambda: sparse_claim((1 << 63) - 1),
    "many": lambda: many(400_000),
    "name-256": lambda: with_base([file("etc/" + "n" * 256)]),
    "path-4096": lambda: with_base([file("etc/" + "/".join(["p" * 99] * 41))]),
    "size-negative": lambda: header_with(size=(124, b"\xff" * 12)),
    "size-absurd": lambda: header_with(size=(124, b"\x80" + b"\x7f" * 11)),
    "checksum": lambda: tar([directory("etc/")])[:512] + flipped(tar([file("etc/x")])[:512], 0.04) + bytes(1024),
    # broken
    "truncated-gzip": lambda: gz(NOISY)[:-5000],
    "truncated-xz": lambda: lzma.compress(NOISY)[:-500],
    "truncated-zstd": lambda: zst(NOISY)[:-500],
    "truncated-tar": lambda: NOISY[:50_000],
    "corrupt-gzip": lambda: flipped(gz(NOISY), 0.5),
    "corrupt-gzip-checksum": lambda: flipped(gz(NOISY), -6),
    "corrupt-xz": lambda: flipped(lzma.compress(NOISY), 0.5),
    "corrupt-zstd": lambda: flipped(zst(NOISY), 0.9),
    "no-archive": lambda: b"#!/bin/sh\necho no tar\n" * 100,
    "empty": lambda: b"",
    "empty-tar": lambda: bytes(10240),
    "empty-layer": lambda: layout(tars=[NOISY, bytes(1024)]),
    # digests and sizes
    "wrong-layer": lambda: change_blob("layer", lambda data: gz(with_base([file("etc/other")]))),
    # The byte is gzip's name for the system: it unpacks all the same.
    "wrong-layer-same-size": lambda: change_blob("layer", lambda data: flipped(data, 9 - len(data))),
    "wrong-config": lambda: change_blob("config", lambda data: data.replace(b"amd64", b"amd65")),
    "wrong-manifest": lambda: change_blob("manifest", lambda data: data.replace(b"schemaVersion", b"SchemaVersion")),
    "wrong-diff-id": lambda: config_with(lambda c: put(c["rootfs"], "diff_ids", ["sha256:" + "0" * 64])),
    "wrong-size": lambda: manifest_with(lambda m: put(m["layers"][0], "size", 7)),
    "missing-layer": lambda: layout(lambda files: files.pop(blob_of(files, "layer"))),
    "few-diff-ids": lambda: config_with(lambda c: put(c["rootfs"], "diff_ids", [])),
    # documents
    "size-in-manifest-negative": lambda: manifest_with(lambda m: put(m["layers"][0], "size", -1)),
    "size-in-manifest-huge": lambda: manifest_with(lambda m: put(m["layers"][0], "size", 10 ** 30)),
    "size-in-manifest-text": lambda: manifest_with(lambda m: put(m["config"], "size", "12")),
    "layers-many": lambda: manifest_with(lambda m: put(m, "layers", m["layers"] * 100_000)),
    "layers-some": lambda: manifest_with(lambda m: put(m, "layers", m["layers"] * 600)),
    "layers-none": lambda: manifest_with(lambda m: put(m, "layers", [])),
    "layer-other-type": lambda: manifest_with(lambda m: put(m["layers"][0], "mediaType", "text/html")),
    "digest-path": lambda: manifest_with(lambda m: put(m["layers"][0], "digest", "sha256:../../../../etc/passwd")),
    "digest-other": lambda: manifest_with(lambda m: put(m["layers"][0], "digest", "sha512:" + "0" * 128)),
    "environment-zero": lambda: config_with(lambda c: put(c["config"], "Env", ["A=b\0c"])),
    "environment-number": lambda: config_with(lambda c: put(c["config"], "Env", [1])),
    "index-deep": lambda: nested_index(12),
    "json-deep": lambda: layout(lambda files: put(files, "index.json", b"[" * 1_000_000)),
    "json-long": lambda: layout(lambda files: put(files, "index.json", b" " * (5 << 20))),
    "json-not-utf-8": lambda: layout(lambda files: put(files, "index.json", b'{"manifests": "\xff"}')),
    "json-cut": lambda: layout(lambda files: put(files, "index.json", files["index.json"][:-9])),
    "docker-layer-out": lambda: manifest_json(lambda m: put(m, "Layers", ["../../../../../../etc/passwd"])),
    "docker-config-out": lambda: manifest_json(lambda m: put(m, "Config", "/etc/passwd")),
    "docker-layer-loop": layer_loop,
    "docker-wrong-config": lambda: docker_with(lambda files: [put(files, n, d.replace(b"amd64", b"amd65"))
                                                              for n, d in list(files.items())
                                                              if n.endswith(".json") and len(n) > 60]),
    "docker-tag": lambda: manifest_json(lambda m: put(m, "RepoTags", ["Bad//Name"])),
}


def main():
    name, out = sys.argv[1:3]
    if name == "blob-link":  # a layout whose layer is a link to a file outside
        files = layout()
        blob = blob_of(files, "layer")
        write_files({n: d for n, d in files.items() if n != blob}, out)
        os.symlink(CANARY, os.path.join(out, blob))
        return
    made = ARCHIVES[name]()
    if isinstance(made, dict):
        write_files(made, out)
    else:
        with open(out, "wb") as target:
            target.write(made)


if __name__ == "__main__":
    main()
