#!/bin/sh
# The workstation's own tests: the suite of whoever runs this, the way he came to the machine. suite.sh shares what it
# reads.
set -euf
cd /tmp/share
export SANDBOX_TEST_PREFIX="$PWD/prefix" SANDBOX_TEST_PROBES="$PWD/probes" SANDBOX_TEST_SOURCE="$PWD/source"
export SANDBOX_TEST_SLOW=yes
export SANDBOX_TEST_IMAGES="$PWD/images" SANDBOX_TEST_WEB_IMAGE="$PWD/web.tar"

case $(id -un) in
root)
    suite=delegated
    sh users.sh
    ;;
developer)
    suite=developer
    ! grep -q session- /proc/self/cgroup || suite=login
    ;;
storage) suite=storage ;;
*) suite=without ;;
esac
[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || suite=v1
SANDBOX_TEST_COUNTS="/run/results/limits-$suite-$(id -un)"
export SANDBOX_TEST_COUNTS
# One argument a line, none with a blank.
# shellcheck disable=SC2046
exec ./workstation-tests $(cat arguments) --run_test="$suite"
