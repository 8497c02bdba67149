#!/bin/sh
# make install: the program, the names that callers know, manual pages and
# what else there is; and what of other programs it leaves alone.
. "$(dirname "$0")/tap.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL || :

root=$tmp/root
out=$tmp/out

# mk STATUS WHAT TARGET [VARIABLE...]
mk()
{
	want=$1
	what=$2
	shift 2
	make -s -C "$top" "$@" B="${B:-build}" DESTDIR="$root" prefix=/usr \
	    > "$out" 2>&1 && got=0 || got=$?
	is "$got" "$want" "$what"
	[ "$got" = "$want" ] || sed 's/^/# /' "$out"
}

# Without times: what there is, and what it is.
listing()
{
	(cd "$root" && find . ! -type d -printf '%p %m %l ' \
	    \( -type f -exec sh -c 'sha256sum < "$1"' _ {} \; -o -printf '\n' \) |
	    sort)
}

left()
{
	find "$root" ! -type d | wc -l | tr -d ' '
}

# --- before there is a compiler -------------------------------------------------

make -n -C "$top" deps CC=no-such-compiler > "$out" 2>&1 || :
lacks "$out" "no-such-compiler" "make deps asks nothing of a compiler"

# --- all of it ----------------------------------------------------------------

mk 0 "make install" install
for name in bin/sendoff sbin/sendmail lib/sendmail bin/mailq bin/newaliases
do
	is "$(readlink -f "$root/usr/$name")" "$root/usr/bin/sendoff" "$name"
done
is "$(stat -c %a "$root/usr/bin/sendoff")" 755 "no set-id bit"
is "$(stat -c %a "$root/var/spool/sendoff")" 1733 "the store's parent"
for page in "$top"/man/*.[1-9]; do
	page=man${page##*.}/${page##*/}
	is "$(stat -c %a "$root/usr/share/man/$page")" 644 "$page"
done
for page in mailq newaliases; do
	is "$(readlink -f "$root/usr/share/man/man1/$page.1")" \
	    "$root/usr/share/man/man8/sendmail.8" "$page(1)"
done
for file in share/bash-completion/completions/sendoff \
    share/zsh/site-functions/_sendoff share/doc/sendoff/README.md \
    share/doc/sendoff/examples/sendoff.conf \
    share/doc/sendoff/examples/apparmor/usr.bin.sendoff \
    lib/systemd/system/sendoff.socket lib/systemd/system/sendoff@.service \
    lib/systemd/system/sendoff-queue.timer \
    lib/systemd/user/sendoff-queue.service; do
	is "$(stat -c %a "$root/usr/$file")" 644 "$file"
done
is "$("$root/usr/bin/mailq")" "Mail queue is empty" "mailq works"
"$root/usr/sbin/sendmail" -bV | grep -q '^sendoff [0-9]' && got=0 || got=1
is "$got" 0 "sendmail works"
"$root/usr/bin/sendoff" --check --config \
    "$root/usr/share/doc/sendoff/examples/sendoff.conf" > "$out" 2>&1 &&
    got=0 || got=$?
is "$got" 0 "the example is a configuration"
is "$(find "$root" -perm /022 ! -type l ! -path '*/var/spool/sendoff')" "" \
    "nobody else can write to any of it"

listing > "$tmp/before"
mk 0 "make install once more" install
listing > "$tmp/after"
is "$(cat "$tmp/after")" "$(cat "$tmp/before")" "it is the same"
mk 0 "make uninstall" uninstall
is "$(left)" 0 "nothing is left"
is "$(ls -A "$root/var/spool")" "" "nor an empty store"
mk 0 "make uninstall once more" uninstall
is "$(cat "$out")" "uninstall: nothing of sendoff is in $root/usr/bin; was it \
another prefix=?" "says that there is nothing"

# --- other places -------------------------------------------------------------

root="$tmp/a root"
make -s -C "$top" install B="${B:-build}" DESTDIR="$root" \
    prefix='/opt/send & off' > "$out" 2>&1 && got=0 || got=$?
is "$got" 0 "a prefix with blanks"
is "$(readlink -f "$root/opt/send & off/sbin/sendmail")" \
    "$root/opt/send & off/bin/sendoff" "the link leads there"
has "$root/opt/send & off/lib/systemd/system/sendoff@.service" \
    'ExecStart=-/opt/send\x20&\x20off/bin/sendoff --config' "so does the unit"
has "$root/opt/send & off/lib/systemd/system/sendoff-queue.service" \
    'ExecStart=/opt/send\x20&\x20off/bin/sendoff -q' "and the timer's"
make -s -C "$top" uninstall DESTDIR="$root" prefix='/opt/send & off' \
    > "$out" 2>&1
is "$(left)" 0 "nothing is left of it"
root=$tmp/root

# The place of the configuration is in the program and the pages; the same
# objects serve again when nothing of them changes.
DESTDIR=$root prefix=/usr sysconfdir=/usr/local/etc datadir=/usr/share \
    mandir=/man docdir=/doc unitdir=/units userunitdir=/users bashdir=/bash \
    zshdir=/zsh sh -c 'cd "$1" && sh contrib/install install "$2"' _ "$top" \
    "$sendmail" > "$out" 2>&1 && got=0 || got=$?
is "$got" 0 "each kind of file has its place"
is "$(cd "$root" && echo ./*)" "./bash ./doc ./man ./units ./users ./usr ./var \
./zsh" "and is there"
has "$root/man/man5/sendoff.conf.5" "/usr/local/etc/sendoff.conf" \
    "sendoff.conf(5) says where it is"
make -n -C "$top" B="${B:-build}" sysconfdir=/usr/local/etc all 2>/dev/null |
    grep -F 'SYSCONFDIR='"'"'"/usr/local/etc"'"'" > "$out" && got=0 || got=1
is "$got" 0 "the program is built anew for another place"
rm -rf "$root"

# --- what is another program's ------------------------------------------------

mkdir -p "$root/usr/sbin" "$root/usr/lib" "$root/usr/bin" "$root/etc"
echo 'of Postfix' > "$root/usr/sbin/sendmail"
ln -s ../sbin/sendmail "$root/usr/lib/sendmail"
ln -s ../sbin/nowhere "$root/usr/bin/mailq"
listing > "$tmp/before"
mk 2 "with another sendmail it is refused" install
has "$out" "$root/usr/sbin/sendmail is another program's: remove that program, \
or say \"make install FORCE=1\" to keep it as sendmail.before-sendoff" \
    "the line says what to do"
for name in lib/sendmail bin/mailq; do
	has "$out" "$root/usr/$name is another program's" "$name, too"
done
lacks "$out" "newaliases" "of what is free there is none"
listing > "$tmp/after"
is "$(cat "$tmp/after")" "$(cat "$tmp/before")" "nothing was touched"
mk 2 "FORCE=0 is no force" install FORCE=0
mk 0 "with FORCE=1" install FORCE=1
has "$out" "$root/usr/sbin/sendmail is kept as $root/usr/sbin/\
sendmail.before-sendoff" "it says where the other is"
is "$(readlink -f "$root/usr/sbin/sendmail")" "$root/usr/bin/sendoff" \
    "sendmail is ours"
is "$(cat "$root/usr/sbin/sendmail.before-sendoff")" "of Postfix" \
    "the other is kept"
mk 0 "a later one needs no force" install
: > "$root/etc/sendoff.conf"
mk 0 "make uninstall" uninstall
rm "$root/etc/sendoff.conf" && got=0 || got=1
is "$got" 0 "the configuration stays"
listing > "$tmp/after"
is "$(cat "$tmp/after")" "$(cat "$tmp/before")" "the others are back"
mk 0 "uninstall where we are not" uninstall
listing > "$tmp/after"
is "$(cat "$tmp/after")" "$(cat "$tmp/before")" "takes nothing"
has "$out" "$root/usr/sbin/sendmail is another program's, and stays" \
    "and says so"
rm -rf "$root"

# A second other one does not overwrite the first.
mkdir -p "$root/usr/sbin"
echo first > "$root/usr/sbin/sendmail"
mk 0 "force" install FORCE=1
rm "$root/usr/sbin/sendmail"
echo second > "$root/usr/sbin/sendmail"
mk 2 "the place where it is kept is taken" install FORCE=1
has "$out" "sendmail.before-sendoff is there already: remove one of them" \
    "it says so"
is "$(cat "$root/usr/sbin/sendmail.before-sendoff")" first "the first is there"
is "$(cat "$root/usr/sbin/sendmail")" second "and the second"
rm -rf "$root"

# Another program of our name, and another's page.
mkdir -p "$root/usr/bin" "$root/usr/share/man/man8"
echo rocket > "$root/usr/bin/sendoff"
echo '.TH SENDMAIL 8' > "$root/usr/share/man/man8/sendmail.8"
mk 2 "another sendoff" install
has "$out" "$root/usr/bin/sendoff is another program's" "is named"
has "$out" "$root/usr/share/man/man8/sendmail.8 is another program's" \
    "so is a page"
mk 0 "another sendoff, with force" install FORCE=1
mk 0 "and taken away" uninstall
is "$(cat "$root/usr/bin/sendoff")" rocket "it is back"
is "$(cat "$root/usr/share/man/man8/sendmail.8")" ".TH SENDMAIL 8" "and the page"
rm -rf "$root"

# Ours in other forms: a copy, a link with a whole path, an old one that leads
# nowhere; on a machine where sbin is bin.
mkdir -p "$root/usr/bin" "$root/usr/lib"
ln -s bin "$root/usr/sbin"
cp "$sendmail" "$root/usr/sbin/sendmail"
ln -s /usr/bin/sendoff "$root/usr/lib/sendmail"
ln -s sendoff "$root/usr/bin/mailq"
mk 0 "over copies and links of ours" install
is "$(readlink "$root/usr/bin/sendmail")" "../bin/sendoff" "sbin is bin"
mk 0 "make uninstall" uninstall
is "$(find "$root" ! -type d ! -name sbin)" "" "nothing is left"
rm -rf "$root"

# --- kept messages ------------------------------------------------------------

mk 0 "make install" install
mkdir -p "$root/var/spool/sendoff/1000" "$root/var/spool/sendoff/1001"
: > "$root/var/spool/sendoff/1000/20261125T130713Z-57dc863f239f"
mk 0 "make uninstall beside kept messages" uninstall
has "$out" "var/spool/sendoff stays, there are kept messages in it" "it says so"
is "$(cd "$root/var/spool/sendoff" && find . | sort | tr '\n' ' ')" \
    ". ./1000 ./1000/20261125T130713Z-57dc863f239f " "they are there"
rm -rf "$root"
mk 0 "make install" install
mkdir -p "$root/usr/local/bin"
cp "$sendmail" "$root/usr/local/bin/sendoff"
mk 0 "uninstall beside another installation" uninstall
is "$(stat -c %a "$root/var/spool/sendoff")" 1733 "whose store stays"
rm -rf "$root"

# --- of a group; the one of whoever runs this will do -------------------------

group=$(id -gn)
mk 0 "make install-setgid" install-setgid GROUP="$group"
is "$(stat -c '%a %G' "$root/usr/bin/sendoff")" "2755 $group" "its bit and group"
has "$out" "chown root:$group /etc/sendoff.conf && chmod 640" \
    "it says what mode the configuration needs"
mk 2 "without such a group" install-setgid GROUP=nosuchgroup
has "$out" "groupadd --system nosuchgroup" "it says what to do"
is "$(stat -c %a "$root/usr/bin/sendoff")" 755 "and sets no bit"
mk 0 "make uninstall" uninstall
is "$(left)" 0 "nothing is left of it"

# --- without DESTDIR: on this machine -------------------------------------------

here=$tmp/here

# on_this TARGET [VARIABLE...]: as root with a store that nobody else sees
on_this()
{
	unshare -m sh -c 'mount -t tmpfs none /var/spool && exec "$@"' sh \
	    make -s -C "$top" "$@" B="${B:-build}" prefix="$here" \
	    > "$out" 2>&1 && got=0 || got=$?
}

if [ "$(id -u)" = 0 ] && unshare -m true 2> /dev/null; then
	on_this install
	is "$got" 0 "make install on this machine"
	has "$out" "$here/bin/sendoff is there; next, its configuration: man \
sendoff.conf" "it says what is next"
	has "$out" "call /usr/sbin/sendmail, which this is not; for them: make \
install prefix=/usr" "and what it is not"
	on_this uninstall
	is "$got$(find "$here" ! -type d)" 0 "make uninstall"

	# What systemd has in use is stopped before its files go.
	mkdir "$tmp/bin"
	cat > "$tmp/bin/systemctl" <<-'END'
	#!/bin/sh
	[ "$1" != show ] || echo "$SHOWN/$4"
	[ "$1" = --user ] || [ "$1" = show ] ||
	    echo "$* $(find "$SHOWN" -name 'sendoff*' | wc -l)" >> "$CALLS"
	END
	chmod 755 "$tmp/bin/systemctl"
	export CALLS="$tmp/calls" SHOWN="$here/lib/systemd/system"
	path=$PATH
	PATH=$tmp/bin:$PATH
	on_this install-setgid GROUP="$group"
	on_this uninstall
	PATH=$path
	is "$(cat "$CALLS")" "daemon-reload 4
disable sendoff.socket 4
stop sendoff.socket 4
disable sendoff-queue.timer 4
stop sendoff-queue.timer 4
daemon-reload 0" "units that are in use are disabled first"
	is "$(cat "$out")" "uninstall: the group $group stays, for files may be \
its own (/etc/sendoff.conf); without it: chgrp root /etc/sendoff.conf; groupdel \
$group" "it says what of a set-gid program stays"
	rm "$CALLS"
	mkdir "$tmp/other"
	: > "$tmp/other/sendoff.socket"
	: > "$tmp/other/sendoff-queue.timer"
	SHOWN=$tmp/other
	PATH=$tmp/bin:$PATH
	home=$HOME
	unset HOME
	on_this install
	is "$got" 0 "without a home"
	on_this uninstall
	export HOME="$home"
	PATH=$path
	is "$(cat "$CALLS")" "daemon-reload 2
daemon-reload 2" "another's units are not touched"
else
	ok 0 "on this machine # SKIP no mounts of our own (root, unshare -m)"
fi

# A package's name is diverted, so that its next version leaves it alone.
if [ "$(id -u)" = 0 ] && command -v dpkg-divert > /dev/null &&
    unshare -m true 2> /dev/null; then
	export DPKG_ADMINDIR="$tmp/dpkg"
	mkdir -p "$DPKG_ADMINDIR/info" "$here/sbin"
	printf '%s\n' 'Package: mta' 'Status: install ok installed' \
	    'Version: 1' 'Architecture: all' 'Maintainer: me <me@example.org>' \
	    'Description: another' > "$DPKG_ADMINDIR/status"
	echo "$here/sbin/sendmail" > "$DPKG_ADMINDIR/info/mta.list"
	echo other > "$here/sbin/sendmail"
	on_this install FORCE=1
	is "$(dpkg-divert --truename "$here/sbin/sendmail")" \
	    "$here/sbin/sendmail.before-sendoff" "dpkg knows of it"
	is "$(cat "$here/sbin/sendmail.before-sendoff")" other "it is kept"
	on_this uninstall
	is "$(cat "$here/sbin/sendmail")" other "and put back"
	is "$(dpkg-divert --list)" "" "dpkg knows of nothing more"
	rm -f "$here/sbin/sendmail"
	unset DPKG_ADMINDIR
else
	ok 0 "dpkg-divert # SKIP no dpkg, or no mounts of our own"
fi

# Who is not root installs for himself, and makes no store of the system's.
chmod 711 "$tmp"
mkdir -p "$here/built" "$here/home"
(cd "$top" && cp -R contrib man README.md NEWS.md LICENSE "$here")
cp -RL "$b/sendmail" "$b/completion" "$here/built"
chmod -R a+rX "$here"
as=
if [ "$(id -u)" = 0 ]; then
	chown 65534 "$here/home"
	as='setpriv --reuid=65534 --regid=65534 --clear-groups'
fi

# alone PREFIX [uninstall]
alone()
{
	# shellcheck disable=SC2016,SC2086
	(cd "$here" && exec env DESTDIR= prefix="$1" sysconfdir=/etc \
	    datadir="$1/share" mandir="$1/man" docdir="$1/doc" \
	    unitdir="$1/units" userunitdir="$1/users" bashdir="$1/bash" \
	    zshdir="$1/zsh" $as sh contrib/install "${2:-install}" \
	    built/sendmail) > "$out" 2>&1 && got=0 || got=$?
}

make -n -C "$top" install HOME="$here/home" prefix="$here/home/.local" \
    B="${B:-build}" > "$out" 2>&1 || :
has "$out" "userunitdir='$here/home/.local/share/systemd/user'" \
    "a user's units go where systemd --user looks"
env -u HOME make -n -C "$top" install prefix=/usr B="${B:-build}" > "$out" \
    2>&1 || :
has "$out" "userunitdir='/usr/lib/systemd/user'" "no home is nobody's"
alone "$here/home/.local"
is "$got $(cat "$out")" "0 install: $here/home/.local/bin/sendoff is there; \
next, its configuration: man sendoff.conf" "below one's home"
if [ -n "$as" ] && unshare -m true 2> /dev/null; then
	cat > "$here/store" <<-'END'
	mount -t tmpfs none /var/spool && mkdir -m 1733 /var/spool/sendoff &&
	    mkdir -m 700 /var/spool/sendoff/0 && exec "$@"
	END
	one=$as
	as="unshare -m sh $here/store $as"
	alone "$here/home/.local" uninstall
	as=$one
	is "$got$(cat "$out")" 0 "the system's store is not for who uninstalls his"
else
	ok 0 "the system's store # SKIP no mounts of our own (root, unshare -m)"
fi
chmod 555 "$here"
alone "$here/opt"
is "$got $(cat "$out")" "1 install: $here/opt/bin cannot be written: be root \
(sudo make install), or install for yourself: make install \
prefix=\$HOME/.local" "not where one may not write"
chmod 755 "$here"
done_testing
