#!/bin/sh
# run-all.sh NAME=COMMAND...: runs each test program, then ends with one line "N passed, N failed, N skipped".
# Fails where a test failed, where a program broke off, and where a skip is not on $ALLOWED_SKIPS (files of lines).
set -eu

# shellcheck source=tests/support/jobserver.sh
. "$(dirname "$0")/jobserver.sh"

counts=$(mktemp)
trap 'rm -f "$counts"' EXIT
export SANDBOX_TEST_COUNTS="$counts"

for entry in "$@"; do
    name=${entry%%=*}
    before=$(grep -c '^failed' "$counts" || true)
    printf '== %s\n' "$name"
    status=0
    sh -c "${entry#*=}" || status=$?
    after=$(grep -c '^failed' "$counts" || true)
    # A program that broke off has no failed case to show for it.
    if [ "$status" -ne 0 ] && [ "$after" -eq "$before" ]; then
        printf 'failed %s: ended with status %s\n' "$name" "$status" >>"$counts"
    fi
done

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
    allowed=$(mktemp)
    # shellcheck disable=SC2086
    cat $ALLOWED_SKIPS >"$allowed"
    if grep '^skipped' "$counts" | sed 's/^skipped //' | grep -vxFf "$allowed"; then
        echo "these skips are not allowed on this machine"
        status=1
    fi
    rm -f "$allowed"
fi
printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
exit "$status"
