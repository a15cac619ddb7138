#!/bin/sh
# quickstart.sh: a first sandbox to look at, run as an ordinary user.
set -eu

# Printed as it is run: every word of it can be pasted.
# shellcheck disable=SC2016
script='echo "user $(id -un), pid $$, host $(uname -n)"
echo "processes: $(ls /proc | grep -c "^[0-9]")"
echo "network:   $(ls /sys/class/net 2>/dev/null || tail -n +3 /proc/net/dev | cut -d: -f1)"
echo "my home:   $(ls ~ | wc -l) entries"
touch /usr/x 2>/dev/null || echo "/usr is read-only"
touch "$PWD/x" 2>/dev/null || echo "$PWD is read-only"'

printf '$ sandbox --profile strict sh -c '\''%s'\''\n\n' "$script"
# Started by root, the first sandbox is the test user's: it is for people who are not root.
as_user=
[ "$(id -u)" -ne 0 ] || as_user="setpriv --reuid=sandbox-test --regid=sandbox-test --init-groups env HOME=/home/sandbox-test"
# shellcheck disable=SC2086,SC2016
exec $as_user sh -c 'mkdir -p ~/sandbox-quickstart && cd ~/sandbox-quickstart && exec "$0" --profile strict sh -c "$1"' \
    "$SANDBOX_TEST_PREFIX/bin/sandbox" "$script"
