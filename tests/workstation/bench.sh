#!/bin/sh
# bench.sh KIND: the bench of limits, on the workstation, with the installation that stage.sh made.
set -eu

kind=$1
work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-bench.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

mkdir "$work/share"
cp -R "$SANDBOX_TEST_PREFIX" "$work/share/prefix"
cp -R "$SANDBOX_TEST_PROBES" "$work/share/probes"
cp "build/$kind/bench" "$work/share/"
cat >"$work/limits" <<'INSIDE'
cd /tmp/share
export SANDBOX_TEST_PREFIX="$PWD/prefix" SANDBOX_TEST_PROBES="$PWD/probes" SANDBOX_TEST_SOURCE="$PWD"
exec ./bench limits
INSIDE
status=0
sh tests/workstation/boot.sh --share "$work/share" --run developer="$work/limits" --results "$work/results" || status=$?
cat "$work/results"/*.log
exit "$status"
