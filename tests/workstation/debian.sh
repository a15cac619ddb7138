# Sourced: makes the systems of the tests out of Debian packages.
# shellcheck shell=sh

# debian FORMAT TARGET VARIANT FILE: runs mmdebstrap(1) with the packages that FILE lists, one a line, over this machine's
# own sources and the way it reaches them; without manuals and translations.
debian() {
    format=$1
    target=$2
    variant=$3
    include=$(grep -v '^#' "$4" | paste -sd ,)
    set --
    for source in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
        [ ! -s "$source" ] || set -- "$@" "$source"
    done
    apt-config dump | grep -E '^Acquire::(Check-|https?::)' >"$target.apt" || true
    suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    mmdebstrap --quiet --mode=root --variant="$variant" --format="$format" --include="$include" \
        --aptopt="$target.apt" --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" "$target" "$@" >&2 9>&-
}
