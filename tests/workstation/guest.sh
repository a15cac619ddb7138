#!/bin/sh
# Runs inside the workstation, as root, at the end of its boot: a shell where one is wanted, then what boot.sh put into
# jobs/, one after another, each as whom its name says. Writes each job's output and status to the results, and says at
# the end that it came to the end.
set -eu

modprobe -a fuse tun overlay veth bridge sch_tbf
# What udev would do; it is masked, for it takes longer than everything else.
chmod 0666 /dev/fuse /dev/net/tun
mkswap /dev/ubdb >/dev/null
swapon /dev/ubdb
# Where the jobs of every user leave files for the host: hostfs would give them all to the host's user.
install -d -m 1777 /run/results
# On the machine's own disk what is shared has the ids and the attributes of ordinary files, and is found where an
# installation that is tested elsewhere is.
cp -R --no-preserve=ownership /srv/host/share /tmp/share

# as WHO COMMAND...: root; developer and storage, as in a desktop's terminal; developer-login, as after a login on a console
# or by ssh; batch and plain, as under cron, without a session.
as() {
    who=$1
    shift
    case $who in
    root) "$@" ;;
    developer | storage)
        id=$(id -u "$who")
        systemctl start "user@$id.service"
        setpriv --reuid="$who" --regid="$who" --init-groups env XDG_RUNTIME_DIR="/run/user/$id" \
            systemd-run --user --quiet --wait --collect --working-directory="/home/$who" --pipe "$@"
        ;;
    developer-login) su -l developer -c "$*" ;;
    batch | plain)
        cd "/home/$who"
        setpriv --reuid="$who" --regid="$who" --init-groups env -i HOME="/home/$who" USER="$who" LOGNAME="$who" \
            LANG=C.UTF-8 SHELL=/bin/bash PATH=/usr/local/bin:/usr/bin:/bin "$@"
        ;;
    *)
        echo "there is no user $who on the workstation"
        return 2
        ;;
    esac
}

if [ -e /srv/host/terminal ]; then
    # shellcheck disable=SC1091
    . /srv/host/terminal </dev/tty0
    path=/tmp/share/bin:/usr/local/bin:/usr/bin:/bin
    as developer --pty --setenv=TERM --setenv=PATH=$path bash </dev/tty0 >/dev/tty0 2>&1 || true
fi

# A machine that hangs has told how far it came.
mkdir /srv/results/so-far
(while sleep 10; do cp -r /run/results/. /srv/results/so-far/; done) &
for job in /srv/host/jobs/*; do
    [ -e "$job" ] || break
    name=${job##*/}
    who=${name#*:}
    status=0
    (as "${who%%:*}" sh "$job") >"/srv/results/$name.log" 2>&1 </dev/null || status=$?
    cp -r /run/results/. /srv/results/
    echo "$status" >"/srv/results/$name.status"
done
# Without this line a boot has failed, whatever else it wrote.
echo yes >/srv/results/finished
