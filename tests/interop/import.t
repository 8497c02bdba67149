#!/bin/sh
# --import on the example files that Debian's packages ship, on those of their
# manuals, and on what their installation writes.  The packages are fetched
# into the cache and unpacked into the build; nothing of them is run.
. "$(dirname "$0")/../tap.sh"
top=$(cd "$top/.." && pwd)
case ${B:-build} in /*) b=$B ;; *) b=$top/${B:-build} ;; esac
sendoff=$b/sendoff
# The home that tap.sh has put aside.
XDG_CACHE_HOME=${XDG_CACHE_HOME:-$(getent passwd "$(id -u)" |
    cut -d: -f6)/.cache}
die()
{
	echo "Bail out! $*"
	exit 1
}
. "$top/tests/packages.sh"

names='msmtp ssmtp nullmailer dma esmtp s-nail postfix postfix-doc'
debs=$cache/examples-$(. /etc/os-release && echo "$VERSION_ID" "$names" | digest)

fetch()
{
	rm -rf "$debs"
	mkdir -p "$debs"
	# shellcheck disable=SC2086
	(cd "$debs" && { apt-get -qq -o APT::Sandbox::User=root download $names ||
	    { apt-get -qq update &&
	    apt-get -qq -o APT::Sandbox::User=root download $names; }; }) \
	    > /dev/null || die 'the Debian packages could not be fetched'
	seal "$debs"
}

sound "$debs" || fetch
for name in $names; do
	mkdir "$tmp/$name"
	dpkg-deb -x "$debs/${name}"_*.deb "$tmp/$name"
	dpkg-deb -e "$debs/${name}"_*.deb "$tmp/$name/control"
done

# import NAME FILE: it becomes a configuration; what for is in $tmp/out.
import()
{
	: > "$tmp/message"
	run 0 "$1" "$sendoff" --import="$2"
	cp "$tmp/out" "$HOME/.config/sendoff.conf"
	cp "$tmp/out" "$tmp/got"
	run 0 "$1: what came of it" "$sendoff" --check
	rm -f "$HOME/.config/sendoff.conf"
}

holds()				# TEXT WHAT: with single blanks
{
	tr -s ' ' < "$tmp/got" > "$tmp/single"
	has "$tmp/single" "$1" "$2"
}

manual()			# FILE: as text
{
	zcat "$1" | mandoc -Tascii -O width=200 | col -bx
}

examples=$tmp/msmtp/usr/share/doc/msmtp/examples
import "msmtp: system" "$examples/msmtprc-system.example"
holds 'server smtps://mail.oursite.example:465' "its server"
import "msmtp: user" "$examples/msmtprc-user.example"
holds 'server smtp://mail.company.example:587' "a server of it"
holds 'password-command "gpg2 --no-tty -q -d ~/.msmtp-password.gpg"' "a command"
zcat "$tmp/msmtp/usr/share/man/man1/msmtp.1.gz" |
    sed -n '/^\.SH EXAMPLES/,/account default/p' |
    sed '/^\.br/d; /^\.B/d; /^\.PP/d; /^\.SH/d; s/\\-/-/g' > "$tmp/msmtprc"
import "msmtp(1)" "$tmp/msmtprc"
holds 'server smtp://smtp.freemail.example:587' "its server"

# What the installation of ssmtp writes, with the answers that it is given.
export root=admin@example.org mailhub=mail.example.org port=465 \
    hostname=host.example.org rewritedomain=example.org FromOverride=
sed -n '/exec 1>/,/^fi/{/^\techo/p; /^\ttest/p; /^\tif/,/^\tfi/p}' \
    "$tmp/ssmtp/control/postinst" > "$tmp/postinst"
(cd "$tmp" && sh ./postinst > ssmtp.conf) || :
cp "$tmp/ssmtp/etc/ssmtp/revaliases" "$tmp/revaliases"
import "ssmtp: as installed" "$tmp/ssmtp.conf"
holds 'server smtp+plain://mail.example.org:465' "its server"
holds 'default-recipient admin@example.org' "who is root"

mkdir "$tmp/nm"
manual "$tmp/nullmailer/usr/share/man/man8/nullmailer-send.8.gz" |
    sed -n 's/^ *\(smarthost.dom .*\)/\1/p' > "$tmp/nm/remotes"
import "nullmailer-send(8)" "$tmp/nm/remotes"
holds 'server smtp://smarthost.dom:2525' "its server"
holds 'password "my pass phrase"' "its password"

import "dma: as shipped" "$tmp/dma/usr/share/dma/dma.conf"
sed -E 's/^#(SMARTHOST|PORT|ALIASES|SECURETRANSFER|STARTTLS|FINGERPRINT)/\1/' \
    "$tmp/dma/usr/share/dma/dma.conf" > "$tmp/dma.conf"
echo 'user|mail.example.com:secret' | cat "$tmp/dma/etc/dma/auth.conf" - \
    > "$tmp/auth.conf"
import "dma: what it suggests" "$tmp/dma.conf"
holds 'server smtp://mail.example.com:25' "its server"
holds 'password secret' "its password"

import "esmtp: as shipped" \
    "$tmp/esmtp/usr/share/doc/esmtp/examples/sample.esmtprc"
holds 'server smtp+plain://localhost:25' "its server"
manual "$tmp/esmtp/usr/share/man/man5/esmtprc.5.gz" |
    sed -n '/identity = /,/password = /p' > "$tmp/esmtprc"
import "esmtprc(5)" "$tmp/esmtprc"
holds 'from myself@somewhere.com' "its address"

import "s-nail: as shipped" "$tmp/s-nail/etc/s-nail.rc"
manual "$tmp/s-nail/usr/share/man/man1/s-nail.1.gz" > "$tmp/s-nail.txt"
n=0
for line in $(grep -n '^ *set mta=smtps*://' "$tmp/s-nail.txt" | cut -d: -f1)
do
	n=$((n + 1))
	sed -n "$line,\$p" "$tmp/s-nail.txt" |
	    awk '{ print } !/\\$/ { exit }' > "$tmp/mailrc"
	import "s-nail(1), line $line" "$tmp/mailrc"
	grep -q '^ *server  *smtps\{0,1\}://' "$tmp/got" && got=0 || got=1
	is "$got" 0 "it has a server"
done
[ "$n" -ge 4 ] && got=0 || got=1
is "$got" 0 "there are examples in it: $n"
manual "$tmp/s-nail/usr/share/man/man1/s-nail.1.gz" |
    sed -n '/^ *define XandeX {/,/^ *account XandeX/p' > "$tmp/mailrc"
printf '  \\call XandeX\n}\n' >> "$tmp/mailrc"
import "s-nail(1), an account" "$tmp/mailrc"
holds 'account XandeX' "it has the account"

for file in main.cf.debian main.cf.dist main.cf.tls main.cf.default; do
	path=$(find "$tmp/postfix" "$tmp/postfix-doc" -name "$file" | head -n 1)
	import "Postfix: $file" "postfix:$path"
done
mkdir "$tmp/pf"
n=0
for readme in SASL SOHO STANDARD_CONFIGURATION BASIC_CONFIGURATION TLS; do
	zcat "$tmp/postfix-doc/usr/share/doc/postfix/${readme}_README.gz" |
	    col -bx | awk -v into="$tmp/pf/$readme" '
		/^ *\/etc\/postfix\/main.cf:$/ { n++; on = 1; next }
		on && (/^ *$/ || /^ *\/etc\/.*:$/) { on = 0 }
		/^ *\.\.\.$/ { next }	# and so on
		on { sub(/^        /, ""); print > (into "." n) }'
done
for file in "$tmp"/pf/*; do
	n=$((n + 1))
	import "Postfix: ${file##*/}" "postfix:$file"
done
[ "$n" -ge 30 ] && got=0 || got=1
is "$got" 0 "there are examples in its documents: $n"
file=$(grep -l 'relayhost = \[mail.isp.example\]' "$tmp"/pf/SASL.* | head -n 1)
echo '[mail.isp.example] username:password' > "$tmp/sasl_passwd"
sed "s|/etc/postfix|$tmp|" "$file" > "$tmp/main.cf"
import "Postfix: SASL_README with its table" "$tmp/main.cf"
holds 'server smtp://mail.isp.example:25' "its server"
holds 'user username' "its user"

done_testing
