#!/bin/sh
# deps.sh [--list | workstation]: installs what the build and the tests need, and nothing where it is all there.
set -eu

packages="g++ make pkg-config libseccomp-dev libcap-ng-dev libsystemd-dev libfmt-dev libtomlplusplus-dev libcli11-dev
nlohmann-json3-dev libarchive-dev nettle-dev zlib1g-dev libboost-test-dev libc6-dev libcap2-bin uidmap
clang clang-format clang-tidy libclang-rt-dev shellcheck mandoc
strace busybox-static fuse-overlayfs bubblewrap crun python3 perl git sqlite3 procps util-linux slirp4netns passt nftables dnsmasq-base curl iproute2 bash-completion zsh fish
skopeo umoci attr gzip xz-utils zstd"
[ "${1:-}" != workstation ] || packages="$packages user-mode-linux mmdebstrap e2fsprogs"

if [ "${1:-}" = --list ]; then
    # Unquoted on purpose: one package a line.
    # shellcheck disable=SC2086
    printf '%s\n' $packages nodejs
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "deps: this is not a Debian or Ubuntu; install what your distribution calls these packages:"
    # shellcheck disable=SC2086
    printf '  %s\n' $packages nodejs
    exit 0
fi

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
# Node.js often comes from elsewhere than the distribution.
command -v node >/dev/null || missing="$missing nodejs"
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
echo "deps: installing with ${sudo:+sudo }apt-get:$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
