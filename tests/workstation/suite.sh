#!/bin/sh
# suite.sh KIND TESTS ARGUMENT...: runs the run tests of build/KIND that TESTS picks on the workstation, with the
# installation that stage.sh made, and adds what they counted to $SANDBOX_TEST_COUNTS. ARGUMENTs are Boost's.
set -eu

kind=$1
tests=$2
shift 2
if ! command -v linux.uml >/dev/null; then
    echo "skipped workstation: user-mode-linux is not installed" >>"${SANDBOX_TEST_COUNTS:-/dev/stdout}"
    exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-suite.XXXXXX")
machines=
# Called by the traps.
# shellcheck disable=SC2317
tidy() {
    # Each boot.sh takes its machine away.
    # shellcheck disable=SC2086
    [ -z "$machines" ] || kill -s TERM $machines 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$work/share/source"
cp -R "$SANDBOX_TEST_PREFIX" "$work/share/prefix"
cp -R "$SANDBOX_TEST_PROBES" "$work/share/probes"
cp -R tests/images "$work/share/images"
cp build/plain/run-tests "build/$kind/workstation-tests" tests/support/users.sh "$work/share/"
# What the tests compile inside.
cp -R --parents core/base tests/run/probes "$work/share/source"

printf '%s\n' "$@" >"$work/share/arguments"

# machine NAME OPTION...: a machine of its own.
machine() {
    name=$1
    shift
    sh tests/workstation/boot.sh --share "$work/share" --results "$work/$name" "$@" &
    machines="$machines $!"
}

# run_tests NAME PICK...: the run tests that the picks, arguments of Boost's too, leave.
run_tests() {
    name=$1
    shift
    mkdir "$work/$name.share"
    printf '%s\n' "$@" >"$work/$name.share/tests"
    machine "$name" --share "$work/$name.share" --run developer=tests/workstation/run-tests.sh \
        --run root=tests/workstation/run-tests.sh
}

# limit_tests: those of the workstation's own.
limit_tests() {
    limits=tests/workstation/run-limits.sh
    web_image=$(sh tests/workstation/web-image.sh)
    mkdir "$work/limits.share"
    cp "$web_image" "$work/limits.share/web.tar"
    machine limits --share "$work/limits.share" --run "developer=$limits" --run "developer-login=$limits" \
        --run "storage=$limits" --run "batch=$limits" --run "plain=$limits" --run "root=$limits"
    machine v1 --cgroup-v1 --run "batch=$limits"
}

await() {
    # shellcheck disable=SC2086
    for pid in $machines; do
        wait "$pid" || status=$?
    done
    machines=
}

sh tests/workstation/image.sh >/dev/null
status=0
# A machine has one processor, so two of them need half the time.
case $tests in
'*')
    limit_tests
    await
    # These are the long half.
    run_tests one --run_test=stress --run_test=cleanup
    # What an archive may hold does not depend on the kernel, and takes long; nor do rates of 100 Mbit/s.
    run_tests two --run_test=!stress --run_test=!cleanup --run_test=!store_hostile --run_test=!store_crash \
        --run_test=!bandwidth/a_faster_rate_is_reached_and_held --run_test=!bandwidth/the_other_way_and_the_loopback_are_free
    ;;
limits) limit_tests ;;
*) run_tests one --run_test="$tests" ;;
esac
await

for results in "$work/limits" "$work/v1" "$work/one" "$work/two"; do
    [ -d "$results" ] || continue
    cat "$results"/*.log || true
    if [ ! -e "$results/finished" ]; then
        echo "the last case that ended before the machine did:"
        tail -qn 1 "$results"/so-far/as-* "$results"/so-far/limits-* 2>/dev/null || true
    fi
    # What the developer skipped and root's run did is counted as root's.
    [ ! -e "$results/as-root" ] || sed -i '/^skipped/d' "$results/as-developer"
    cat "$results"/as-* "$results"/limits-* 2>/dev/null | sed 's/ / workstation\//' >>"${SANDBOX_TEST_COUNTS:-/dev/stdout}"
done
exit "$status"
