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
    # The entry itself, alone or behind its short form; a mention elsewhere does not count.
    expect "man/--$option" grep -Eq -e "^\.It Fl ([a-zA-Z] , Fl )?-$option( |\$)" man/sandbox.1
    expect "completion/bash/--$option" grep -Eq -e "compgen -W .*(\\\\n|')--$option(\\\\n|')" \
        "$share/bash-completion/completions/sandbox"
    expect "completion/zsh/--$option" grep -Eq -e "^ *'\*('\{-[a-zA-Z]\+?,)?--${option}[=}[]" \
        "$share/zsh/site-functions/_sandbox"
    expect "completion/fish/--$option" grep -Eq -e "^complete -c sandbox .* -l $option( |\$)" \
        "$share/fish/vendor_completions.d/sandbox.fish"
done
for verb in doctor ps stats exec stop kill wait logs remove prune kept diff discard "image import" "image pull" "image list" "image inspect" "image remove" "image prune" \
    "image verify" "profile list" "profile show" "profile check" completion; do
    word=${verb##* }
    expect "man/sandboxctl-$verb" grep -qx "\.Ss $verb" man/sandboxctl.1
    expect "completion/bash/sandboxctl-$verb" grep -q "^ *'sandboxctl.*|$word') path='sandboxctl $verb'" \
        "$share/bash-completion/completions/sandboxctl"
    expect "completion/zsh/sandboxctl-$verb" grep -q "^ *'$word:" "$share/zsh/site-functions/_sandboxctl"
    expect "completion/fish/sandboxctl-$verb" grep -q "^complete -c sandboxctl .* -a $word " \
        "$share/fish/vendor_completions.d/sandboxctl.fish"
done
# The table of the profile's keys, {"ids", "map", ...: each has its entry in the section of its table.
keys=$(sed -n 's/^ *{"\([a-z]*\)", "\([a-z-]*\)".*/\1.\2/p' cmd/common/profile_keys.cpp | sort -u)
[ -n "$keys" ] || { echo "no key found in cmd/common/profile_keys.cpp"; exit 1; }
for key in $keys; do
    table=${key%%.*}
    section="[$table]:"
    [ -n "$table" ] || section=KEYS
    # shellcheck disable=SC2016
    expect "man/key-$key" sh -c \
        'awk -v s="$1" "/^\.S[sh]/ { inside = index(\$0, s) } inside" man/sandbox-profile.5 | grep -q "^\.It Ic $2 No ="' \
        sh "$section" "${key#*.}"
done
for page in sandbox.1 sandboxctl.1 sandbox-profile.5 sandbox-security.7 sandbox-images.7; do
    expect "lint/$page" mandoc -Tlint -Wwarning "man/$page"
    # groff quotes to the end of the line what mandoc quotes word by word.
    # shellcheck disable=SC2016 # it is for the inner shell
    expect "quotes/$page" sh -c '! grep -Eq "^\.(It|Pq|Op) Ql .* , " "$1"' sh "man/$page"
    expect "installed/$page" test -s "$share/man/man${page##*.}/$page"
done
exit "$failed"
