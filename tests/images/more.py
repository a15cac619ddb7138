"""more.py WHAT OUT: deliveries that are no single image."""
import json
import sys

from images import BASE
from layers import Layout, directory, docker_archive, file, opaque, tar, tar_files, whiteout, write_files

# Its parents and its whiteout mean something else over each base.
UPPER = tar([file("p/q/new", b"n"), whiteout("p/old")])
ONE = tar([directory("./"), directory("p/", mode=0o700, uid=3), file("p/old")])
OTHER = tar([directory("./"), directory("p/", mode=0o755, uid=4), directory("p/q/", mode=0o711)])


# Many files, and then what hides something of the layer below.
HIDDEN = tar([directory("./"), directory("p/"), file("p/gone"), directory("opaque/"), file("opaque/gone")])
SLOW = tar([directory("many/")] + [file(f"many/{i}") for i in range(15000)] + [whiteout("p/gone"), opaque("opaque")])


def docker():
    config = {"Env": ["PATH=/bin", "NAME=value with space"], "User": "web"}
    first = docker_archive([tar(BASE)], ["first:1"], config=config)
    second = docker_archive([tar(BASE), tar([file("two")])], ["ghcr.io/some/second:2", "third"])
    manifest = json.loads(first.pop("manifest.json")) + json.loads(second.pop("manifest.json"))
    return tar_files({**first, **second, "manifest.json": json.dumps(manifest).encode()})


def builds():
    layout = Layout()
    offered = []
    for architecture, variant in (("amd64", ""), ("arm64", "v8"), ("arm", "v6"), ("arm", "v7")):
        described = layout.manifest([tar([directory("./"), file("for", (architecture + variant).encode())])],
                                    architecture=architecture)
        offered.append({**described, "platform": {"os": "linux", "architecture": architecture, "variant": variant}})
    offered.append({**offered[0], "platform": {"os": "unknown", "architecture": "unknown"}})
    return layout.add(layout.index(offered), "latest").finish()


def stacked(*tars):
    layout = Layout()
    return layout.add(layout.manifest(list(tars)), "latest").finish()


WHAT = {"docker": docker, "builds": builds, "over-one": lambda: stacked(ONE, UPPER),
        "over-other": lambda: stacked(OTHER, UPPER), "over-one-again": lambda: stacked(ONE, UPPER),
        "slow-base": lambda: stacked(HIDDEN), "slow": lambda: stacked(HIDDEN, SLOW)}

made = WHAT[sys.argv[1]]()
if isinstance(made, dict):
    write_files(made, sys.argv[2])
else:
    with open(sys.argv[2], "wb") as out:
        out.write(made)
