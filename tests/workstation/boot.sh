#!/bin/sh
# boot.sh [OPTION...]: boots the workstation, a Debian with systemd under user-mode Linux, as an ordinary process; runs
# scripts inside, one after another; powers it off. Its disk is a copy-on-write file, so that machines run side by side
# and nothing stays.
#
#   --run [WHO=]SCRIPT  runs a script of the host's inside, with `sh`; may be given again. WHO is
#                         root             (the default)
#                         developer        a subordinate range, a lingering user manager; runs as a service of that
#                                          manager, as what is started from a desktop's terminal does
#                         storage          another developer, whose manager has the controller io too
#                         developer-login  the same user in a login session of su -l, whose scope is root's
#                         batch            a range, but neither manager nor session: cron
#                         plain            neither a range nor a manager
#   --share DIR         a copy of what DIR holds is readable inside, below /tmp/share; may be given again
#   --results DIR       what the scripts wrote to /run/results (in so-far/, where the machine did not come to its end),
#                       their output (N:WHO:NAME.log) and status (N:WHO:NAME.status)
#   --shell             a shell as developer on this terminal, with /tmp/share/bin in its path, before the scripts
#   --cgroup-v1         boots with the cgroups of old: no unified hierarchy, nothing delegated
#   --memory SIZE       the machine's memory (2G)
#   --timeout SECONDS   when to end a machine that hangs (2700)
#
# The status is 0 where every script ended with 0, 1 where one did not, 2 for a usage error, and 3 where the machine did
# not come to its end: then the end of its console is shown.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

die() {
    echo "workstation: $*" >&2
    exit 2
}

work=$(mktemp -d "${TMPDIR:-/tmp}/sandbox-workstation.XXXXXX")
watchdog=
terminal=
# Called by the traps.
# shellcheck disable=SC2317
tidy() {
    # The watchdog passes it on, also to a machine that is just starting.
    [ -z "$watchdog" ] || { kill -s TERM "$watchdog" && wait "$watchdog"; } 2>/dev/null || true
    # A machine leads a session of its own: the kernel's process and one for each address space inside.
    pid=$(cat "$work/machine/workstation/pid" 2>/dev/null) && kill -s KILL -- "-$pid" 2>/dev/null
    [ -z "$terminal" ] || stty "$terminal"
    # What the machine was just writing can come behind.
    rm -rf "$work" 2>/dev/null || { sleep 1 && rm -rf "$work"; }
}
trap tidy EXIT
trap 'exit 130' INT TERM HUP

mkdir -p "$work/machine" "$work/shared/host/jobs" "$work/shared/host/share"
results=$work/shared/results
memory=2G
timeout=2700
cgroup_v1=
shell=
number=10
mkdir "$results"
keep=
while [ $# -gt 0 ]; do
    case $1 in
    --shell) shell=yes ;;
    --cgroup-v1) cgroup_v1=yes ;;
    --run | --share | --results | --memory | --timeout)
        [ $# -gt 1 ] || die "$1 needs a value"
        case $1 in
        --run)
            who=root
            script=$2
            case $2 in
            root=* | developer=* | storage=* | developer-login=* | batch=* | plain=*)
                who=${2%%=*}
                script=${2#*=}
                ;;
            esac
            [ -r "$script" ] || die "cannot read $script"
            # The number keeps the order that they were given in.
            cp "$script" "$work/shared/host/jobs/$number:$who:$(basename "$script")"
            number=$((number + 1))
            ;;
        --share) cp -R "$2/." "$work/shared/host/share/" ;;
        --results) keep=$2 ;;
        --memory) memory=$2 ;;
        --timeout) timeout=$2 ;;
        esac
        shift
        ;;
    *) die "unknown option '$1'" ;;
    esac
    shift
done
[ -n "$shell" ] || [ "$number" -gt 10 ] || die "nothing to run: --run SCRIPT or --shell"

image=$(sh "$here/image.sh")
cp "$here/guest.sh" "$work/shared/host/"
chmod -R a+rX "$work/shared/host"
truncate -s 512M "$work/swap"

# The machine's memory is a file that it removes at once. /dev/shm is best, but in a container often small or noexec.
memory_directory=$work
if [ "$(df --output=avail -m /dev/shm | tail -n 1)" -gt 3000 ] && ! findmnt -no OPTIONS -T /dev/shm | grep -qw noexec
then
    memory_directory=/dev/shm
fi

"${CC:-cc}" -shared -fPIC -O2 -o "$work/xstate.so" "$here/xstate.c"
set -- env LD_PRELOAD="$work/xstate.so" linux.uml mem="$memory" ubd0="$work/disk,$image" ubd1="$work/swap" root=/dev/ubda rw hostfs="$work/shared" \
    uml_dir="$work/machine" umid=workstation con=null ssl=null
[ -z "$cgroup_v1" ] || set -- "$@" systemd.unified_cgroup_hierarchy=0
export TMPDIR="$memory_directory"
# A panic aborts; nobody wants the machine's memory in a file.
# shellcheck disable=SC3045
ulimit -c 0

if [ -n "$shell" ]; then
    [ -t 0 ] || die "--shell needs a terminal"
    # The machine takes the terminal as it is, and changes it.
    terminal=$(stty -g)
    stty size | sed "s/\(.*\) \(.*\)/export TERM='${TERM:-linux}'; stty rows \1 cols \2/" >"$work/shared/host/terminal"
    "$@" quiet loglevel=1 con0=fd:0,fd:1 || true
else
    # The watchdog ends a machine that hangs, also where nobody is left to wait for it. The kernel traces the processes of
    # the machine, so that they go with it.
    timeout --signal=KILL "$timeout" "$@" systemd.show_status=yes con0=null,fd:1 >"$work/console" 2>&1 </dev/null &
    watchdog=$!
    wait "$watchdog" || true
    watchdog=
fi

[ -z "$keep" ] || { mkdir -p "$keep" && cp -R "$results/." "$keep"; }
if [ ! -e "$results/finished" ]; then
    echo "workstation: the machine did not come to its end; the last of its console:" >&2
    [ ! -e "$work/console" ] || tail -n 40 "$work/console" >&2
    exit 3
fi
cat "$results"/*.status 2>/dev/null | grep -qvx 0 || exit 0
exit 1
