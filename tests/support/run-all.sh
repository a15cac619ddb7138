#!/bin/sh
# run-all.sh NAME=COMMAND...: runs each test program, then ends with one line "N passed, N failed, N skipped". A NAME that
# begins with "&" runs beside those behind it, and its output is told when they have ended.
# Fails where a test failed, where a program broke off, and where a skip is not on $ALLOWED_SKIPS (files of lines).
set -eu

# shellcheck source=tests/support/jobserver.sh
. "$(dirname "$0")/jobserver.sh"

work=$(mktemp -d)
beside=
# shellcheck disable=SC2086,SC2317
tidy() {
    [ -z "$beside" ] || kill -s TERM $beside 2>/dev/null || true
    wait
    rm -rf "$work"
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

# run_one NAME COMMAND
run_one() {
    printf '== %s\n' "$1"
    counts=$work/$1.counts
    : >"$counts"
    status=0
    SANDBOX_TEST_COUNTS="$counts" sh -c "$2" || status=$?
    # A program that broke off has no failed case to show for it.
    if [ "$status" -ne 0 ] && ! grep -q '^failed' "$counts"; then
        printf 'failed %s: ended with status %s\n' "$1" "$status" >>"$counts"
    fi
}

for entry in "$@"; do
    name=${entry%%=*}
    case $name in
    "&"*)
        run_one "${name#&}" "${entry#*=}" >"$work/${name#&}.output" 2>&1 &
        beside="$beside $!"
        ;;
    *) run_one "$name" "${entry#*=}" ;;
    esac
done
wait
beside=
for output in "$work"/*.output; do
    [ ! -e "$output" ] || cat "$output"
done

counts=$work/all
cat "$work"/*.counts >"$counts"
echo "the longest, in seconds:"
sed -n 's/^took \(.*\) \([0-9]*\)$/\2 \1/p' "$counts" | sort -rn | head -n 20
grep '^failed' "$counts" || true
grep '^skipped' "$counts" || true
passed=$(grep -c '^passed' "$counts" || true)
failed=$(grep -c '^failed' "$counts" || true)
skipped=$(grep -c '^skipped' "$counts" || true)

status=0
[ "$failed" -eq 0 ] || status=1
if [ -n "${ALLOWED_SKIPS:-}" ]; then
    # shellcheck disable=SC2086
    cat $ALLOWED_SKIPS >"$work/allowed"
    if grep '^skipped' "$counts" | sed 's/^skipped //' | grep -vxFf "$work/allowed"; then
        echo "these skips are not allowed on this machine"
        status=1
    fi
fi
printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
exit "$status"
