#!/bin/sh
# tests/apart: what this machine's sendoff has is hidden from a command, or the
# command is not run.  On a machine that has it, in mounts of our own.
. "$(dirname "$0")/tap.sh"

if [ "$(id -u)" != 0 ] || ! unshare -m true 2> /dev/null; then
	echo "1..0 # SKIP no mounts of our own (root, unshare -m)"
	exit 0
fi
[ -n "${APART:-}" ] || { APART=1 unshare -m "$0"; exit; }

chmod 711 "$tmp"
mount -t tmpfs none /var/spool
mkdir -m 711 "$tmp/etc"
cp -a /etc/. "$tmp/etc"
mount --bind "$tmp/etc" /etc
rm -f /etc/sendoff.conf
look='ls /etc/sendoff.conf /var/spool/sendoff; ls /etc/passwd'

# apart NAME...: as root; nobody NAME...: not as root
apart()
{
	"$top/tests/apart" "$@" > "$tmp/out" 2> "$tmp/err" && got=0 || got=$?
}

nobody()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups \
	    sh "$tmp/apart" "$@" > "$tmp/out" 2> "$tmp/err" && got=0 || got=$?
}

install -m 755 "$top/tests/apart" "$tmp/apart"

# --- nothing is there -----------------------------------------------------------

apart echo runs
is "$got $(cat "$tmp/out")" "0 runs" "where there is nothing it is run"
nobody echo runs
is "$got $(cat "$tmp/out")" "0 runs" "by anybody"

# --- both are there ---------------------------------------------------------------

mkdir -p -m 755 /var/spool/sendoff/65534
echo mail > /var/spool/sendoff/65534/20261125T130713Z-57dc863f239f
chmod 755 /var/spool/sendoff /var/spool/sendoff/65534
chown -R 65534 /var/spool/sendoff/65534
echo 'from me@example.org' > /etc/sendoff.conf
chmod 644 /etc/sendoff.conf
apart sh -c "$look; mkdir /var/spool/sendoff; rm /etc/passwd"
is "$(cat "$tmp/out")" /etc/passwd "root sees neither, but the rest of /etc"
is "$(cat /var/spool/sendoff/*/2*)$(cat /etc/sendoff.conf)" \
    "mailfrom me@example.org" "both are there as before"
is "$(ls /etc/passwd)" /etc/passwd "what it does to /etc is undone"
apart sh -c 'exit 7'
is "$got" 7 "the status is the command's"
nobody echo runs
is "$got $(cat "$tmp/out")" "1 " "who is not root runs nothing"
has "$tmp/err" "sudo make check" "and is told what to do"
nobody --quick echo runs
is "$got $(cat "$tmp/out")" "0 " "--quick: it is passed over"
has "$tmp/err" "not run" "which is said"

# --- what nobody else can read or send ----------------------------------------------

chmod 600 /etc/sendoff.conf
nobody --quick echo runs
is "$got $(cat "$tmp/out")" "0 " "--quick: what is kept is not sent"
rm /var/spool/sendoff/65534/*
nobody --quick echo runs
is "$got $(cat "$tmp/out")" "0 runs" "--quick: it is run where nothing is kept"
nobody echo runs
is "$got" 1 "all of the tests are not"
done_testing
