"""Builds layers, image layouts and archives, and says what image-spec's rules make of the layers."""
import gzip
import hashlib
import io
import json
import os
import posixpath
import subprocess
import tarfile

MTIME = 1_600_000_000


class Entry:
    """One entry of a layer. `name` is bytes or text; a name of bytes may be anything."""

    def __init__(self, name, kind="file", mode=None, uid=0, gid=0, data=b"", link="", xattrs=None, mtime=MTIME):
        self.name, self.kind, self.uid, self.gid = os.fsencode(name), kind, uid, gid
        self.mode = mode if mode is not None else {"dir": 0o755, "link": 0o777}.get(kind, 0o644)
        self.data, self.link, self.xattrs, self.mtime = data, os.fsencode(link), xattrs or {}, mtime


def file(name, data=b"x", **more):
    return Entry(name, "file", data=data, **more)


def directory(name, **more):
    return Entry(name, "dir", **more)


def link(name, target, **more):
    return Entry(name, "link", link=target, **more)


def hard(name, target):
    return Entry(name, "hard", link=target)


def fifo(name, **more):
    return Entry(name, "fifo", **more)


def whiteout(name):
    parent, base = posixpath.split(name)
    return Entry(posixpath.join(parent, ".wh." + base))


def opaque(name):
    return Entry(posixpath.join(name, ".wh..wh..opq"))


KINDS = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
         "fifo": tarfile.FIFOTYPE, "char": tarfile.CHRTYPE, "block": tarfile.BLKTYPE}


def tar(entries, form=tarfile.PAX_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for entry in entries:
            info = tarfile.TarInfo(os.fsdecode(entry.name))
            info.type, info.mode, info.uid, info.gid = KINDS[entry.kind], entry.mode, entry.uid, entry.gid
            info.mtime, info.linkname = entry.mtime, os.fsdecode(entry.link)
            info.size = len(entry.data) if entry.kind == "file" else 0
            info.pax_headers = {"SCHILY.xattr." + name: os.fsdecode(value) for name, value in entry.xattrs.items()}
            if entry.kind in ("char", "block"):
                info.devmajor, info.devminor = entry.device
            archive.addfile(info, io.BytesIO(entry.data))
    return out.getvalue()


# --- what the layers make together: image-spec, layer.md ---

class Node:
    def __init__(self, entry=None):
        self.kind, self.mode, self.uid, self.gid, self.mtime = "dir", 0o755, 0, 0, None
        self.data, self.link, self.xattrs, self.children = b"", b"", {}, {}
        if entry:
            self.take(entry)

    def take(self, entry):
        self.kind, self.mode, self.uid, self.gid = entry.kind, entry.mode, entry.uid, entry.gid
        self.data, self.link, self.xattrs, self.mtime = entry.data, entry.link, entry.xattrs, entry.mtime


class Tree:
    """A root file system in memory."""

    def __init__(self):
        self.root = Node()

    def walk(self, names, make=True):
        """The directory at `names`, links followed inside of the root."""
        path, ahead = [self.root], list(reversed(names))
        while ahead:
            name = ahead.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                path = path[:-1] or path
                continue
            node = path[-1].children.get(name)
            if node is None or node.kind not in ("dir", "link"):
                if not make:
                    return None
                node = path[-1].children[name] = Node()
            if node.kind == "link":
                if node.link.startswith(b"/"):
                    path = [self.root]
                ahead += reversed(node.link.split(b"/"))
                continue
            path.append(node)
        return path[-1]

    def place(self, name, make=True):
        names = [part for part in name.split(b"/") if part not in (b"", b".")]
        if not names:
            return None, b""
        return self.walk(names[:-1], make), names[-1]

    def apply(self, entries):
        hidden = [e for e in entries if posixpath.basename(e.name).startswith(b".wh.")]
        for entry in hidden:  # they are about the lower layers alone, so they come first
            parent, base = self.place(entry.name, make=False)
            if parent is None:
                continue
            if base == b".wh..wh..opq":
                parent.children.clear()
            else:
                parent.children.pop(base[4:], None)
        for entry in entries:
            if entry not in hidden:
                self.add(entry)

    def add(self, entry):
        parent, base = self.place(entry.name)
        if parent is None:
            self.root.take(entry)
        elif entry.kind == "hard":
            source, name = self.place(entry.link)
            parent.children[base] = source.children[name]
        elif entry.kind == "dir" and base in parent.children and parent.children[base].kind == "dir":
            parent.children[base].take(entry)
        else:
            parent.children[base] = Node(entry)

    def lines(self):
        found, names = [], {}

        def look(node, path):
            found.append((path, node))
            names.setdefault(id(node), path)
            for name in sorted(node.children):
                look(node.children[name], path + b"/" + name)

        look(self.root, b".")
        return [line(path, node.kind, node.mode, node.uid, node.gid, node.data, node.link, node.xattrs,
                     node.mtime, names[id(node)]) for path, node in sorted(found, key=lambda pair: pair[0])]


def line(path, kind, mode, uid, gid, data, target, xattrs, mtime, first):
    """One entry as text; a time that nothing says is '-'."""
    content = f"{len(data)} {hashlib.sha256(data).hexdigest()}" if kind == "file" else "-"
    attributes = sorted((name, os.fsencode(value).hex()) for name, value in xattrs.items())
    mode = "-" if kind == "link" else oct(mode)
    time = "-" if mtime is None or path == b"." else repr(int(mtime))
    same = first if first != path else b""
    return f"{path!r} {kind} {mode} {uid}:{gid} {content} {target!r} {attributes} {time} {same!r}"


# --- how images are delivered ---

def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def gz(data):
    return gzip.compress(data, 6, mtime=0)


def zst(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


def config_of(tars, architecture="amd64", config=None):
    return json.dumps({"architecture": architecture, "os": "linux", "config": config or {},
                       "rootfs": {"type": "layers", "diff_ids": [digest(t) for t in tars]}}).encode()


class Layout:
    """An OCI image layout in memory: name -> content."""

    def __init__(self):
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}
        self.listed = []

    def blob(self, data):
        self.files["blobs/sha256/" + digest(data)[7:]] = data
        return {"digest": digest(data), "size": len(data)}

    def manifest(self, tars, pack=gz, kind="tar+gzip", **config):
        layers = []
        for data in tars:
            layers.append({"mediaType": "application/vnd.oci.image.layer.v1." + kind, **self.blob(pack(data))})
        document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                               **self.blob(config_of(tars, **config))}, "layers": layers}
        return {"mediaType": document["mediaType"], **self.blob(json.dumps(document).encode())}

    def index(self, descriptors):
        document = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                    "manifests": descriptors}
        return {"mediaType": document["mediaType"], **self.blob(json.dumps(document).encode())}

    def add(self, descriptor, name=None):
        if name:
            descriptor = {**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}}
        self.listed.append(descriptor)
        return self

    def finish(self):
        self.files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": self.listed}).encode()
        return self.files


def write_files(files, path):
    for name, data in files.items():
        target = os.path.join(path, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as out:
            out.write(data)


def tar_files(files):
    return tar([file(name, data) for name, data in files.items()])


def docker_archive(tars, tags, **config):
    """What docker save writes: layers first, the manifest last."""
    document = config_of(tars, **config)
    name = hashlib.sha256(document).hexdigest() + ".json"
    files = {hashlib.sha256(data).hexdigest() + "/layer.tar": data for data in tars}
    files[name] = document
    manifest = [{"Config": name, "RepoTags": tags,
                 "Layers": [hashlib.sha256(data).hexdigest() + "/layer.tar" for data in tars]}]
    files["manifest.json"] = json.dumps(manifest).encode()
    return files
