#!/bin/sh
# Makes the users that the run tests act as. Root only, and harmless when it is repeated.
#   sandbox-test  an ordinary user: a subordinate range, a supplementary group
#   sandbox-bare  the same without a subordinate range
set -eu

[ "$(id -u)" -eq 0 ] || exit 0

# As udev has it on a workstation.
[ ! -e /dev/net/tun ] || chmod 0666 /dev/net/tun
[ ! -e /dev/fuse ] || chmod 0666 /dev/fuse

groupadd --force sandbox-extra
for user in sandbox-test sandbox-bare; do
    id "$user" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$user"
    usermod --append --groups sandbox-extra "$user"
    uid=$(id -u "$user")
    # What a login manager makes: the user's own runtime directory.
    mkdir -p /run/user
    [ -d "/run/user/$uid" ] || install -d -m 0700 -o "$user" -g "$user" "/run/user/$uid"
done

# The first id above every range of the file $1.
next_range() {
    awk -F: 'BEGIN { next_id = 100000 } $2 + $3 > next_id { next_id = $2 + $3 } END { print next_id }' "$1"
}
touch /etc/subuid /etc/subgid
if ! grep -q '^sandbox-test:' /etc/subuid; then
    first=$(next_range /etc/subuid)
    usermod --add-subuids "$first-$((first + 65535))" sandbox-test
fi
if ! grep -q '^sandbox-test:' /etc/subgid; then
    first=$(next_range /etc/subgid)
    usermod --add-subgids "$first-$((first + 65535))" sandbox-test
fi
for file in /etc/subuid /etc/subgid; do
    sed -i '/^sandbox-bare:/d' "$file"
done
