#!/bin/sh
# Starts again and again with one system call failing at a time (strace's inject), and with the new calls answering ENOSYS.
# Each start ends in one of two ways: CMD ran with every restriction, or a message, status 125 and nothing left.
set -eu

work=$(mktemp -d /tmp/sandbox-faults.XXXXXX)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
sandbox=$SANDBOX_TEST_PREFIX/bin/sandbox
probe=$SANDBOX_TEST_PROBES/bare
counts=${SANDBOX_TEST_COUNTS:-/dev/null}

# As the run tests do: two of them would see each other's processes.
lock=/tmp/sandbox-tests.lock
[ -e "$lock" ] || : >"$lock"
exec 9<"$lock"
flock 9

mkdir -p "$work/home/project" "$work/home/.config/sandbox/profiles"
profile=strict
as_user=
user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
    # Root traces, so that newuidmap keeps its power.
    user="sandbox-test"
    as_user="-u $user"
    chown -R "$user" "$work/home"
else
    profile=traced
    printf 'extends = "strict"\n[ids]\nmap = "self"\ngroups = "keep"\n' >"$work/home/.config/sandbox/profiles/traced.toml"
fi

# trace INJECTION...: one start under strace; output, messages and trace stand in $work.
trace() {
    status=0
    # shellcheck disable=SC2086
    (cd "$work/home/project" && exec env -i PATH=/usr/bin:/bin HOME="$work/home" ${ASAN_OPTIONS:+ASAN_OPTIONS="$ASAN_OPTIONS"} \
        timeout -k 5 30 strace -f -qq $as_user -o "$work/trace" "$@" \
        "$sandbox" --profile "$profile" --ro "$SANDBOX_TEST_PROBES" -- "$probe") \
        >"$work/out" 2>"$work/err" </dev/null 9<&- || status=$?
}

# The call that was made to fail, with its arguments: strace tells a call in two lines where another process's came between.
struck() {
    awk '/<unfinished/ { begun[$1] = $2 " " $3 } /INJECTED/ { print /resumed>/ ? begun[$1] : $2 " " $3 }' "$work/trace"
}

# The user's processes of a sandbox; pid 1 hides its command line.
ours() {
    pgrep -u "$user" -f "$probe|$sandbox|^sandbox-init"
}

# A message, the right status, nothing left; or CMD with every restriction.
judge() {
    if ours >/dev/null; then
        sleep 0.2
        ! ours >"$work/left" || { echo "left behind: $(cat "$work/left")"; return 1; }
    fi
    struck=$(struck)
    [ -z "$struck" ] || strikes=$((strikes + 1))
    # The loader failed before the program began: not ours to answer for.
    grep -qF "$first_call" "$work/trace" || return 0
    case $struck in
    # This start made fewer calls of the name than the one counted.
    '') return 0 ;;
    # The message itself was what failed, or what CMD wrote.
    *'write(1,'* | *'write(2,'*) return 0 ;;
    # What CMD itself asked for could not be answered.
    *'prctl(PR_GET_NO_NEW_PRIVS'*) return 0 ;;
    esac
    case $status in
    0) [ "$(cat "$work/out")" = "bare 1 2 0" ] || { echo "CMD ran as '$(cat "$work/out")'"; return 1; } ;;
    125 | 126)
        # Who cannot wait or hear cannot know what CMD does meanwhile: it is ended, and the failure is told.
        case $struck in
        recvmsg* | poll* | epoll_pwait*) ;;
        *) [ ! -s "$work/out" ] || { echo "status $status, and yet CMD ran"; return 1; } ;;
        esac
        head -1 "$work/err" | grep -q '^sandbox: .' || { echo "status $status without a message"; return 1; }
        ;;
    *) echo "status $status: $(head -1 "$work/err")"; return 1 ;;
    esac
}

# try NAME INJECTION...: one start, judged; its answer is kept for the report of NAME.
try() {
    name=$1
    shift
    trace "$@"
    if ! judge >"$work/why"; then
        printf '%s: %s\n' "$*" "$(cat "$work/why")" >>"$work/failed"
        cp "$work/trace" "/tmp/sandbox-fault.$name.trace" 2>/dev/null || true
    fi
}

report() {
    [ "$strikes" -gt 0 ] || echo "no start made the call" >>"$work/failed"
    strikes=0
    if [ -s "$work/failed" ]; then
        sed 's/^/  /' "$work/failed"
        printf 'failed faults/%s\n' "$1" | tee -a "$counts"
        failed=1
    else
        printf 'passed faults/%s\n' "$1" >>"$counts"
    fi
    rm -f "$work/failed"
}

failed=0
strikes=0
# What the program itself does first: it looks at its standard descriptors.
first_call='fcntl(0, F_GETFD'
trace # fills the cache of filters
trace
grep -qF "$first_call" "$work/trace" || { echo "faults: the program no longer begins with $first_call"; exit 1; }
if [ "$(cat "$work/out")" != "bare 1 2 0" ]; then
    cat "$work/err"
    echo "faults: a start without a fault does not work"
    exit 1
fi
# How often each call is made by the process that makes it most. Left out is what the kernel never refuses to a caller whose
# arguments are right: ends; waiting for one's own child; masks of signals; close (the descriptor is gone even where an error is
# told); brk (it answers the old end); execve (a process makes one at most, the first of them strace's own).
sed -n 's/^\([0-9]*\) *\([a-z_0-9]*\)(.*/\1 \2/p' "$work/trace" | sort | uniq -c | awk '
    $3 !~ /^(exit|exit_group|rt_sigreturn|restart_syscall|wait4|waitid|rt_sigprocmask|close|brk|execve)$/ && $1 > most[$3] { most[$3] = $1 }
    END { for (call in most) print call, most[call] }' | sort >"$work/calls"

while read -r call most; do
    case $call in
    mmap | brk | mremap | munmap | mprotect) error=ENOMEM ;;
    clone | vfork | fork | clone3) error=EAGAIN ;;
    *) error=EPERM ;;
    esac
    n=1
    while [ "$n" -le "$most" ]; do
        try "$call" -e "inject=$call:error=$error:when=$n"
        n=$((n + 1))
    done
    report "$call"
done <"$work/calls"

# newuidmap is started with clone3 and watched by its pidfd; a user who traces has a single-id map.
helper_calls=
[ -z "$as_user" ] || helper_calls="clone3 pidfd_open"
for call in openat2 mount_setattr open_tree move_mount fsopen fsconfig fsmount close_range $helper_calls; do
    try "$call" -e "inject=$call:error=ENOSYS"
    report "$call-missing"
done
exit "$failed"
