#!/bin/sh
# make install: the program, the names that callers know, the manual pages.
. "$(dirname "$0")/tap.sh"

root=$tmp/root
make -s -C "$top" install B="${B:-build}" DESTDIR="$root" prefix=/usr \
    > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 0 "make install"
for name in bin/sendoff sbin/sendmail lib/sendmail bin/mailq bin/newaliases
do
	is "$(readlink -f "$root/usr/$name")" "$root/usr/bin/sendoff" "$name"
done
is "$(stat -c %a "$root/usr/bin/sendoff")" 755 "no set-id bit"
is "$(stat -c %a "$root/var/spool/sendoff")" 1733 "the store's parent"
for page in man1/sendoff.1 man5/sendoff.conf.5 man7/sendoff-oauth.7 man8/sendmail.8; do
	is "$(stat -c %a "$root/usr/share/man/$page")" 644 "$page"
done
is "$("$root/usr/bin/mailq")" "Mail queue is empty" "mailq works"
"$root/usr/sbin/sendmail" -bV | grep -q '^sendoff [0-9]' && got=0 || got=1
is "$got" 0 "sendmail works"
make -s -C "$top" uninstall B="${B:-build}" DESTDIR="$root" prefix=/usr \
    > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 0 "make uninstall"
is "$(find "$root" ! -type d | wc -l | tr -d ' ')" 0 "nothing is left"

# Of a group; the one of whoever runs this will do.
group=$(id -gn)
make -s -C "$top" install-setgid B="${B:-build}" DESTDIR="$root" prefix=/usr \
    GROUP="$group" > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 0 "make install-setgid"
is "$(stat -c '%a %G' "$root/usr/bin/sendoff")" "2755 $group" "its bit and group"
has "$tmp/out" "chown root:$group /etc/sendoff.conf && chmod 640" \
    "it says what mode the configuration needs"
make -s -C "$top" install-setgid B="${B:-build}" DESTDIR="$root" prefix=/usr \
    GROUP=nosuchgroup > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 2 "without such a group"
has "$tmp/out" "groupadd --system nosuchgroup" "it says what to do"
is "$(stat -c %a "$root/usr/bin/sendoff")" 755 "and sets no bit"
make -s -C "$top" uninstall B="${B:-build}" DESTDIR="$root" prefix=/usr \
    > "$tmp/out" 2>&1
is "$(find "$root" ! -type d | wc -l | tr -d ' ')" 0 "nothing is left of it"
done_testing
