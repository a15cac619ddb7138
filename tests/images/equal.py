"""equal.py SANDBOXCTL NAME DIR: imports the image of this name, mounts its layers as an overlay, and compares every entry
with what images.py expects, and with what `umoci unpack` makes of it. Run as a user with a subordinate range."""
import difflib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
# The map under which the store's owners are what the layers say: the caller is root, his range follows.
INSIDE = ["unshare", "--map-root-user", "--map-auto", "--mount", "sh", "-euc"]
# What umoci 0.4.7 does not read: zstd, and GNU tar's old sparse entries.
WITHOUT_UMOCI = {"zstd", "sparse-gnu"}


def run(words, **more):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, errors="surrogateescape", **more).stdout


def compare(what, expected, found, directory_times=True):
    def is_timeless(line):
        return line.rsplit(" ", 2)[1] == "-" or not directory_times and "' dir 0o" in line

    # A directory that only has entries below it has no time of its own.
    timeless = {line.split("' ")[0] for line in expected if is_timeless(line)}

    def shown(lines):
        return [line.rsplit(" ", 2)[0] + " - " + line.rsplit(" ", 1)[1] if line.split("' ")[0] in timeless else line
                for line in lines]

    difference = list(difflib.unified_diff(shown(expected), shown(found), "expected", what, lineterm="", n=0))
    print("\n".join(difference) if difference else f"{what} equal")
    return not difference


def main():
    sandboxctl, name, out = sys.argv[1:4]
    run([sys.executable, os.path.join(HERE, "images.py"), out, name])
    with open(os.path.join(out, name + ".expected"), encoding="utf-8") as text:
        expected = text.read().splitlines()
    run([sandboxctl, "image", "import", "--name", name, os.path.join(out, name)])
    layers = [layer["directory"] for layer in
              json.loads(run([sandboxctl, "image", "inspect", "--json", name]))["layers"]]
    merged = os.path.join(out, "merged")
    os.makedirs(merged, exist_ok=True)
    for number, layer in enumerate(layers):  # short names: mount(2) takes a page of options
        os.symlink(layer, os.path.join(out, f"l{number}"))
    lower = ":".join(f"l{number}" for number in reversed(range(len(layers))))
    mount = f"mount -t overlay -o userxattr,lowerdir={lower} overlay merged" if len(layers) > 1 \
        else "mount --bind l0 merged"
    listing = f"{sys.executable} {HERE}/list_tree.py"
    good = compare("sandbox", expected, run(INSIDE + [f"{mount}; {listing} merged"], cwd=out).splitlines())
    if name not in WITHOUT_UMOCI:
        unpack = f"umoci unpack --image {name}:latest bundle >&2; {listing} bundle/rootfs"
        # It loses the time of a directory that it comes back to.
        good = compare("umoci", expected, run(INSIDE + [unpack], cwd=out).splitlines(), directory_times=False) and good
    sys.exit(0 if good else 1)


main()
