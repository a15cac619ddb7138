#!/bin/sh
# The run tests, on the workstation: as its developer; and then as root what the developer skipped, for some of them need
# root to prepare what an ordinary user meets. suite.sh shares what it reads.
set -euf
cd /tmp/share
export SANDBOX_TEST_PREFIX="$PWD/prefix" SANDBOX_TEST_PROBES="$PWD/probes" SANDBOX_TEST_SOURCE="$PWD/source"
export SANDBOX_TEST_SLOW=yes
export SANDBOX_TEST_IMAGES="$PWD/images"
export SANDBOX_TEST_COUNTS=/run/results/as-developer
tests=$(cat tests)

if [ "$(id -u)" -eq 0 ]; then
    tests=$(sed -n 's/^skipped \([^:]*\): .*/--run_test=\1/p' "$SANDBOX_TEST_COUNTS")
    [ -n "$tests" ] || exit 0
    export SANDBOX_TEST_COUNTS=/run/results/as-root
    sh users.sh
fi
# One argument a line, none with a blank.
# shellcheck disable=SC2046,SC2086
exec ./run-tests $(cat arguments) $tests
