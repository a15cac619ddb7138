#!/bin/sh
# quickstart.sh: a first sandbox to look at, run as an ordinary user.
set -eu

# Printed as it is run: every word of it can be pasted.
# shellcheck disable=SC2016
script='echo "user $(id -un), pid $$, host $(uname -n)"
echo "processes: $(ls /proc | grep -c "^[0-9]")"
echo "network:   $(ls /sys/class/net 2>/dev/null || tail -n +3 /proc/net/dev | cut -d: -f1)"
echo "my home:   $(ls -A ~ | wc -l) entries"
touch /usr/x 2>/dev/null || echo "/usr is read-only"
touch "$PWD/x" 2>/dev/null || echo "$PWD is read-only"'

printf '$ sandbox --profile strict sh -c "..."\n%s\n\n' "$script"
cd "$(getent passwd "$(id -un)" | cut -d: -f6)"
mkdir -p sandbox-quickstart
cd sandbox-quickstart
"$SANDBOX_TEST_PREFIX/bin/sandbox" --profile strict sh -c "$script"
