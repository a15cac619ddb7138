#!/bin/sh
# Every option and verb has its entry in the man pages and in each completion; the pages are sound.
set -eu

counts=${SANDBOX_TEST_COUNTS:-/dev/null}
bin=$SANDBOX_TEST_PREFIX/bin
share=$SANDBOX_TEST_PREFIX/share
failed=0

# expect NAME COMMAND...: the command succeeds.
expect() {
    name=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf 'passed docs/%s\n' "$name" >>"$counts"
    else
        printf 'failed docs/%s\n' "$name" | tee -a "$counts"
        failed=1
    fi
}

options=$("$bin/sandbox" --help | sed -n 's/^ *\(-[a-zA-Z], \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort -u)
[ -n "$options" ] || { echo "sandbox --help lists no option"; exit 1; }
for option in $options; do
    # In mdoc an option stands as "Fl -name", in man(7) as "\-\-name".
    # shellcheck disable=SC1003
    expect "man/--$option" grep -Eq -e "Fl -$option( |\$)|(--|\\\\-\\\\-)$(printf %s "$option" | sed 's/-/\\\\?-/g')([^a-z-]|\$)" man/sandbox.1
    for script in bash-completion/completions/sandbox zsh/site-functions/_sandbox fish/vendor_completions.d/sandbox.fish; do
        expect "completion/${script%%/*}/--$option" grep -Eq -e "(--|-l )'?$option([^a-z-]|\$)" "$share/$script"
    done
done
for verb in doctor profile completion; do
    expect "man/sandboxctl-$verb" grep -q "$verb" man/sandboxctl.1
    expect "completion/bash/sandboxctl-$verb" grep -q "$verb" "$share/bash-completion/completions/sandboxctl"
done
# The table of the profile's keys: {"ids", "map", ...
keys=$(sed -n 's/^ *{"[a-z]*", "\([a-z-]*\)".*/\1/p' cmd/common/profile_keys.cpp | sort -u)
[ -n "$keys" ] || { echo "no key found in cmd/common/profile_keys.cpp"; exit 1; }
for key in $keys; do
    expect "man/key-$key" grep -Eq "$(printf %s "$key" | sed 's/-/\\\\?-/g')" man/sandbox-profile.5
done
for page in sandbox.1 sandboxctl.1 sandbox-profile.5 sandbox-security.7; do
    expect "lint/$page" mandoc -Tlint -Wwarning "man/$page"
    expect "installed/$page" test -s "$share/man/man${page##*.}/$page"
done
exit "$failed"
