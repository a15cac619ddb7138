#!/bin/sh
# stage.sh KIND COMMAND...: installs build/KIND where every user can read it (the clone may lie in a closed directory), runs
# COMMAND with SANDBOX_TEST_PREFIX, _PROBES, _IMAGES and _SOURCE set, and removes the installation.
set -eu

# shellcheck source=tests/support/jobserver.sh
. "$(dirname "$0")/jobserver.sh"

kind=$1
shift
stage=$(mktemp -d /tmp/sandbox-stage.XXXXXX)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM
chmod 0755 "$stage"

"${MAKE:-make}" --silent --no-print-directory install KIND="$kind" DESTDIR="$stage" prefix=/usr/local >"$stage/install.log" || {
    cat "$stage/install.log"
    exit 1
}
mkdir "$stage/probes"
# `make quickstart` builds none.
[ ! -d "build/$kind/probes" ] || cp "build/$kind/probes/"* "$stage/probes/"
cp -R tests/images "$stage/images"
chmod -R a+rX "$stage"

sh tests/support/users.sh

export SANDBOX_TEST_PREFIX="$stage/usr/local" SANDBOX_TEST_PROBES="$stage/probes" SANDBOX_TEST_SOURCE="$PWD"
export SANDBOX_TEST_IMAGES="$stage/images"
[ "$kind" = plain ] || export SANDBOX_TEST_SANITIZED=yes
"$@"
