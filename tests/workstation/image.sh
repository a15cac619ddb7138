#!/bin/sh
# image.sh: prints the path of the workstation's disk image; builds it first where the cache has none of this recipe.
# The recipe is this script, debian.sh, the packages, the files below root/ and the kernel's version: nothing else makes a
# new image, and without a new image no network is needed.
set -eu
cd "$(dirname "$0")"
# shellcheck source=tests/workstation/debian.sh
. ./debian.sh

cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/sandbox-workstation
kernel=$(linux.uml --version)
recipe=$(find image.sh debian.sh packages root -type f | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-16)
image=$cache/$kernel-$recipe.ext4

mkdir -p "$cache"
if [ ! -e "$image" ] && [ "$(id -u)" -ne 0 ]; then
    echo "workstation: building the image with sudo, for its files are root's" >&2
    exec sudo env XDG_CACHE_HOME="${cache%/*}" sh image.sh
fi
# Of several that need it, one builds it and the others wait.
exec 9>>"$cache/lock"
flock 9
if [ -e "$image" ]; then
    echo "$image"
    exit 0
fi

# What a build that was killed left.
rm -rf "$cache"/new.*
work=$(mktemp -d "$cache/new.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
echo "workstation: building $image" >&2

debian directory "$work/root" apt packages

root=$work/root
cp -R root/. "$root"
mkdir -p "$root/lib/modules"
cp -R "/usr/lib/uml/modules/$kernel" "$root/lib/modules/"
echo workstation >"$root/etc/hostname"
echo '127.0.0.1 localhost workstation' >"$root/etc/hosts"
: >"$root/etc/fstab"
: >"$root/etc/resolv.conf"
chroot "$root" sh -eu >&2 <<'INSIDE'
depmod "$(ls /lib/modules)"
# A machine with an id does not go through a first boot.
systemd-machine-id-setup >/dev/null 2>&1
groupadd --system sandbox-extra
# developer has a subordinate range and a lingering user manager; batch has a range and no manager, as under cron; plain
# has neither; storage is another developer, whose manager has the controller io too: root/ says so.
useradd --uid 1000 --create-home --shell /bin/bash --groups sandbox-extra developer
useradd --uid 1001 --create-home --shell /bin/bash batch
useradd --uid 1002 --create-home --shell /bin/bash -K SUB_UID_COUNT=0 -K SUB_GID_COUNT=0 plain
useradd --uid 1003 --create-home --shell /bin/bash storage
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/developer
systemctl --quiet enable workstation.service
systemctl --quiet set-default multi-user.target
# Seconds of each boot that nobody needs: the disk is new, its devices are known, and nobody logs in on a console.
systemctl --quiet mask systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
    systemd-udevd-kernel.socket getty@.service serial-getty@.service console-getty.service apt-daily.timer \
    apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer \
    systemd-networkd.service systemd-timesyncd.service systemd-pstore.service modprobe@.service
INSIDE

# Sparse, with room for what the tests write; each boot writes into a file of its own.
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1 -m 0 -d "$root" "$work/image" 4G >&2
chmod 0444 "$work/image"
# An image that nobody has used for a week is another recipe's.
find "$cache" -name '*.ext4' -atime +7 -delete
mv "$work/image" "$image"
echo "$image"
