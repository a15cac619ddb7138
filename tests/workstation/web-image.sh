#!/bin/sh
# web-image.sh: prints the path of the image `web`: an OCI layout in a tar, whose layers are a Debian with nginx, and a
# page with a package beside it; builds it first where the cache has none of this recipe. The recipe is this script,
# debian.sh and the packages.
set -eu
cd "$(dirname "$0")"
# shellcheck source=tests/workstation/debian.sh
. ./debian.sh

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sandbox-workstation
recipe=$(sha256sum web-image.sh debian.sh web-packages | sha256sum | cut -c 1-16)
image=$cache/web-$recipe.tar

mkdir -p "$cache"
if [ ! -e "$image" ] && [ "$(id -u)" -ne 0 ]; then
    echo "workstation: building the image web with sudo, for its files are root's" >&2
    exec sudo env XDG_CACHE_HOME="${cache%/*}" sh web-image.sh
fi
# The lock is root's where root built the image.
if [ ! -e "$image" ]; then
    # Of several that need it, one builds it and the others wait.
    exec 9>>"$cache/web-lock"
    flock 9
fi
if [ -e "$image" ]; then
    echo "$image"
    exit 0
fi

# What a build that was killed left.
rm -rf "$cache"/web-new.*
work=$(mktemp -d "$cache/web-new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
echo "workstation: building $image" >&2

debian tar "$work/debian.tar" essential web-packages
mkdir -p "$work/page/var/www/html" "$work/page/srv"
(cd "$work/page/srv" && apt-get download -qq hello >&2 && mv hello_*.deb hello.deb)
echo 'served from a sandbox' >"$work/page/var/www/html/index.html"
tar -C "$work/page" --owner=0 --group=0 -cf "$work/page.tar" var srv

umoci init --layout "$work/layout"
umoci new --image "$work/layout:web"
for layer in debian page; do
    umoci raw add-layer --image "$work/layout:web" "$work/$layer.tar" >&2
done
umoci config --image "$work/layout:web" --config.env PATH=/usr/sbin:/usr/bin:/sbin:/bin --config.cmd /bin/bash
umoci gc --layout "$work/layout"
tar -C "$work/layout" -cf "$work/image" .
chmod 0444 "$work/image"
# An image that nobody has used for a week is another recipe's.
find "$cache" -name 'web-*.tar' -atime +7 -delete
mv "$work/image" "$image"
echo "$image"
