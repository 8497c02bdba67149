#!/bin/sh
# --import: each program's configuration becomes one that --check accepts, with
# the values it should have, and that sends.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"
data=$top/tests/data/import
conf=$HOME/.config/sendoff.conf

# What comes of FILE, which must be what stands in FILE.expected.
import()			# FILE
{
	cd "$(dirname "$data/$1")" || exit 1
	run 0 "$1" "$sendoff" --import "$(basename "$1")"
	cd "$top" || exit 1
	is "$(cat "$tmp/err")" '' "$1: silent"
	sed "s|$HOME|/HOME|" "$tmp/out" > "$tmp/got"
	[ -z "${RENEW:-}" ] || cp "$tmp/got" "$data/$1.expected"
	is "$(cat "$tmp/got")" "$(cat "$data/$1.expected")" "$1: as expected"
	cp "$tmp/out" "$conf"
	run 0 "$1: what came of it" "$sendoff" --check
	rm -f "$conf"
}

for file in msmtprc ssmtp.conf nullmailer/remotes dma.conf esmtprc \
    moxsubmit.conf mox/moxsubmit.conf mailrc postfix/main.cf other/msmtprc \
    other/dma.conf other/mailrc other/main.cf; do
	import "$file"
done

# A name that stands in a file: the first line of it.
printf 'example.org\nanother line\n' > "$tmp/mailname"
for file in dma.conf:from main.cf:domain; do
	sed "s,/mailname,$tmp/mailname," "$data/other/${file%:*}" \
	    > "$tmp/${file%:*}"
	cp "$data/other/sasl_passwd" "$tmp"
	run 0 "${file%:*}: a name in a file" "$sendoff" --import \
	    "$tmp/${file%:*}"
	is "$(sed -n "s/^ *${file#*:} *\(.*\)/\1/p" "$tmp/out" |
	    sed 's/^alerts@//')" example.org "${file%:*}: is read"
done

# --- sendoff-migrate(7): its examples, and that it has every setting ------------

manual=$top/man/sendoff-migrate.7
plain='s/\\(dq/"/g; s/\\(aq/'"'"'/g; s/\\(ti/~/g; s/\\(ga/`/g; s/\\(ha/^/g
s/\\-/-/g; s/\\e/\\/g'
mkdir "$tmp/example"
# Each ".Bd" belongs to the comment before it: "file NAME" or "import NAME".
awk -v into="$tmp/example" '/^\.\\" file / { name = $3 }
    /^\.\\" import / { name = $3 ".wanted" }
    /^\.Ed/ && out { close(out); out = name = "" }
    out { print > out }
    /^\.Bd/ && name { out = into "/" name; printf "" > out }' "$manual"
examples=0
for wanted in "$tmp/example"/*.wanted; do
	name=$(basename "$wanted" .wanted)
	examples=$((examples + 1))
	mkdir "$tmp/example/$name.d"
	for file in "$tmp/example"/*; do
		[ -d "$file" ] ||
		    sed "$plain" "$file" > "$tmp/example/$name.d/${file##*/}"
	done
	case $name in dma.conf) ;; *) rm -f "$tmp/example/$name.d/auth.conf" ;; esac
	case $name in
	ssmtp.conf) ;;
	*) rm -f "$tmp/example/$name.d/revaliases" ;;
	esac
	cd "$tmp/example/$name.d" || exit 1
	run 0 "the manual's $name" "$sendoff" --import "$name"
	cd "$top" || exit 1
	is "$(cat "$tmp/out")" "$(cat "$tmp/example/$name.d/$name.wanted")" \
	    "is as the manual says"
	cp "$tmp/out" "$conf"
	run 0 "and right" "$sendoff" --check
	rm -f "$conf"
done
is "$examples" 8 "the manual has an example of each"

missing=
for rows in "$top"/import_*.c; do
	# shellcheck disable=SC2013
	for word in $(sed -n '/rows\[\] = {/,/^};/p; /files\[\] = {/,/};/p' \
	    "$rows" | sed -n 's/.*{ "\([^"]*\)", *S.*/\1/p'); do
		grep -qE "^\.It Li (.* )?(\\\\&)?$word( |\$)" "$manual" ||
		    missing="$missing $word"
	done
done
is "$missing" '' "the manual has every setting"

# --- whose it is --------------------------------------------------------------

for kind in msmtp:msmtprc ssmtp:ssmtp.conf dma:dma.conf esmtp:esmtprc \
    mox:moxsubmit.conf mailrc:mailrc postfix:postfix/main.cf; do
	cp "$data/${kind#*:}" "$tmp/copy"
	run 0 "a copy of ${kind#*:}" "$sendoff" --import "$tmp/copy"
	cp "$tmp/out" "$tmp/told"
	run 0 "and said so" "$sendoff" --import="${kind%%:*}:$tmp/copy"
	is "$(cat "$tmp/out")" "$(cat "$tmp/told")" "${kind%%:*}: the same"
done
echo 'nothing that is known' > "$tmp/copy"
run 64 "nobody's" "$sendoff" --import "$tmp/copy"
has "$tmp/err" "--import=msmtp:$tmp/copy" "says what to write"
run 66 "no file" "$sendoff" --import "$tmp/none/msmtprc"
has "$tmp/err" "$tmp/none/msmtprc cannot be read: No such file" "says why"
run 66 "a folder" "$sendoff" --import "$tmp"
run 64 "without a file" "$sendoff" --import
run 64 "as sendmail" "$sendmail" --import "$data/msmtprc"
has "$tmp/err" 'has no long options' "is refused"
is "$(cat "$tmp/out")" '' "and prints nothing"
mkdir -p "$HOME/.config/msmtp"
cp "$data/msmtprc" "$HOME/.config/msmtp/config"
run 0 "msmtp's other place" "$sendoff" --import "$HOME/.config/msmtp/config"

# --- damaged: a line for each, and nothing on standard output --------------------

damaged()			# NAME TEXT LINE WHAT
{
	printf "$2" > "$tmp/$1"
	run 65 "$1: $4" "$sendoff" --import "$tmp/$1"
	has "$tmp/err" "$tmp/$1:$3: " "tells file and line"
	is "$(cat "$tmp/out")" '' "and prints nothing"
}

damaged msmtprc 'account a\nhost x\naccount b : c\n' 3 'an unknown account'
damaged msmtprc 'account\nhost x\n' 1 'an account without a name'
damaged remotes 'x smtp pass="open\n' 1 'a quotation mark'
damaged esmtprc 'hostname = "open\n' 1 'a quotation mark'
damaged moxsubmit.conf 'Host: x\nHello\n' 2 'no colon'
damaged main.cf 'relayhost\n' 1 'no equals sign'
damaged mailrc 'set a="open\n' 1 'a quotation mark'
printf 'mailhub=x\0y\n' > "$tmp/ssmtp.conf"
run 65 "a NUL" "$sendoff" --import "$tmp/ssmtp.conf"
head -c 1100000 /dev/zero | tr '\0' '#' > "$tmp/ssmtp.conf"
run 66 "one without end" "$sendoff" --import "$tmp/ssmtp.conf"

# --- values that would be more than one ------------------------------------------

printf 'account a\nhost x.example\nfrom a@example.org\nuser %s\npassword %s\n' \
    "a #b 'c\" \\d" 'x
account evil' > "$tmp/msmtprc"
run 0 "quotes" "$sendoff" --import "$tmp/msmtprc"
has "$tmp/out" "user               \"a #b 'c\\\" \\\\d\"" "are quoted"
printf 'account a\nhost x y\nfrom no address\nport 99999\n' > "$tmp/msmtprc"
run 0 "values that are none" "$sendoff" --import "$tmp/msmtprc"
cp "$tmp/out" "$conf"
run 0 "are comments" "$sendoff" --check
rm -f "$conf"
printf 'Password: a\tb\nHost: x.example\nUsername: u\n' > "$tmp/moxsubmit.conf"
run 0 "a password with a control character" "$sendoff" \
    --import "$tmp/moxsubmit.conf"
has "$tmp/out" 'password-file' "cannot stand there, a comment says so"

# mox's client certificates: the key is the same one, as the server keeps it.
printf 'Host: x.example\nUsername: u\nClientAuthCertPrivateKeyPEMFile: %s\n' \
    /etc/mox/client.pem > "$tmp/moxsubmit.conf"
run 0 "a certificate" "$sendoff" --import "$tmp/moxsubmit.conf"
has "$tmp/out" 'client-certificate /etc/mox/client.pem' "is taken"
printf 'Host: x.example\nUsername: u\nClientAuthEd25519PrivateKey: %s\n' \
    nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2 > "$tmp/moxsubmit.conf"
run 0 "a key that is none" "$sendoff" --import "$tmp/moxsubmit.conf"
has "$tmp/out" 'would be client-key-ed25519, but' "is told"
lacks "$tmp/out" nWGxne_9 "and not shown"
"$sendoff" --import "$data/mox/moxsubmit.conf" > "$conf"
run 0 "what came of a key" "$sendoff" --print-certificate
is "$(openssl x509 -in "$tmp/out" -noout -pubkey | sed -n 2p)" \
    "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" \
    "has the public half that RFC 8032 names"
rm -f "$conf"

printf 'SMTP x\nSMARTHOST x.example\nALIASES etc/aliases\n' > "$tmp/dma.conf"
run 0 "a relative name" "$sendoff" --import "$tmp/dma.conf"
has "$tmp/out" 'relative' "is told"

# More than a line can have.
{ echo 'Host: x.example'; echo "Password: $(printf '%03000d' 0)"
printf 'DefaultDestination:'; for i in 1 2 3 4 5 6 7; do
	printf ' a@x.example%.0s' 0 1 2 3 4 5 6 7 8 9; done; echo
} > "$tmp/moxsubmit.conf"
run 0 "values beyond a line" "$sendoff" --import "$tmp/moxsubmit.conf"
has "$tmp/out" 'too many values' "are comments"
has "$tmp/out" 'too long' "both"
cp "$tmp/out" "$conf"
run 0 "and the rest is right" "$sendoff" --check
rm -f "$conf"
i=0
while [ $i -le 500 ]; do
	i=$((i + 1))
	echo "identity a$i@x.example hostname x"
done > "$tmp/esmtprc"
run 65 "too many accounts" "$sendoff" --import "$tmp/esmtprc"
has "$tmp/err" "$tmp/esmtprc:501: these are more than 500 accounts" "say so"

# Weaknesses are not carried over: the server's line is the strong one.
weak()				# WANTED WHAT LINE...
{
	wanted=$1
	what=$2
	shift 2
	printf '%s\n' 'account a' 'from a@example.org' 'host x.example' "$@" \
	    > "$tmp/msmtprc"
	run 0 "$what" "$sendoff" --import "$tmp/msmtprc"
	has "$tmp/out" "server             $wanted" "is $wanted"
}

tells()				# TEXT: in a comment, wherever its lines end
{
	tr -d '#\n' < "$tmp/out" | tr -s ' ' > "$tmp/joined"
	has "$tmp/joined" "$1" "and a comment tells"
}

weak smtp://x.example:25 'a login without TLS' 'auth plain' 'user u' \
    'password p'
has "$tmp/out" 'tunnel' "and a comment tells the way round"
weak smtps://x.example:465 'no check' 'tls on' 'tls_starttls off' \
    'tls_certcheck off'
tells 'certificate was not checked; here it is'
weak smtp+plain://x.example:25 'no login, no TLS' 'tls off'
tells 'there is no TLS, as it was'
weak smtp+plain://localhost:25 'a login on this machine' 'host localhost' \
    'auth plain' 'user u' 'password p'
lacks "$tmp/out" 'tunnel' "needs none"
weak smtp://127.example.org:25 'a name that looks like this machine' \
    'host 127.example.org' 'auth plain' 'user u' 'password p'

# --- only what the caller may read, and no terminal sees it ----------------------

run 0 "to a file" "$sendoff" --import "$data/ssmtp.conf"
has "$tmp/out" 'a=b#c:d' "has the password"
has "$tmp/out" 'chmod 600' "and says what that means"
script -qec "$sendoff --import $data/ssmtp.conf" /dev/null > "$tmp/out" \
    < /dev/null
lacks "$tmp/out" 'a=b#c:d' "a terminal is not shown it"
has "$tmp/out" '# password ***' "but that there is one"

# --- Postfix: only what postmap has made ------------------------------------------

mkdir "$tmp/pf"
printf 'relayhost = [x.example]\nsmtp_sasl_auth_enable = yes
smtp_sasl_password_maps = hash:%s\n' "$tmp/pf/sasl" > "$tmp/pf/main.cf"
printf 'x' > "$tmp/pf/sasl.db"
run 0 "a table that is only there as .db" "$sendoff" --import "$tmp/pf/main.cf"
tr -d '#\n' < "$tmp/out" | tr -s ' ' > "$tmp/joined"
has "$tmp/joined" "\"postmap -s hash:$tmp/pf/sasl\"" "says how to have it"

# --- what was imported sends -------------------------------------------------------

serve starttls --user 'alice@example.test:pass word' --log "$tmp/log"
starttls=$port
serve implicit --tls=implicit --user 'alice@example.test:pass word' \
    --log "$tmp/log"
implicit=$port

sends()				# FILE [LINE]: of the account that is told
{
	run 0 "$1" "$sendoff" --import "$tmp/$1"
	{ cat "$tmp/out"; printf '%s\n' 'log none' 'aliases none' |
	    sed 's/^/    /'; } > "$tmp/new"
	shift
	for line; do
		echo "    $line" >> "$tmp/new"
	done
	cp "$tmp/new" "$conf"
	: > "$tmp/log"
	run 0 "sends" "$sendoff" -f alice@example.test bob@example.net
	has "$tmp/log" 'C: AUTH' "with a login"
	rm -f "$conf"
}

mkdir "$tmp/send"
ca=$tmp/ca/ca.pem
cat > "$tmp/send/msmtprc" <<END
defaults
tls on
tls_trust_file $ca
account default
host localhost
port $starttls
from alice@example.test
auth on
user alice@example.test
password pass word
END
sends send/msmtprc

cat > "$tmp/send/ssmtp.conf" <<END
mailhub=localhost:$implicit
UseTLS=YES
TLS_CA_File=$ca
AuthUser=alice@example.test
AuthPass=pass word
END
sends send/ssmtp.conf 'from alice@example.test'

cat > "$tmp/send/remotes" <<END
localhost smtp port=$starttls starttls x509cafile=$ca user=alice@example.test pass='pass word'
END
echo alice@example.test > "$tmp/send/allmailfrom"
sends send/remotes

cat > "$tmp/send/dma.conf" <<END
SMARTHOST localhost
PORT $implicit
SECURETRANSFER
MASQUERADE alice@example.test
AUTHPATH $tmp/send/auth.conf
END
echo 'alice@example.test|localhost:pass word' > "$tmp/send/auth.conf"
sends send/dma.conf "ca-file $ca"

cat > "$tmp/send/main.cf" <<END
relayhost = [localhost]:$starttls
smtp_tls_security_level = secure
smtp_tls_CAfile = $ca
smtp_sasl_auth_enable = yes
smtp_sasl_password_maps = lmdb:$tmp/send/sasl_passwd
END
echo "[localhost]:$starttls alice@example.test:pass word" > \
    "$tmp/send/sasl_passwd"
sends send/main.cf 'from alice@example.test'

cat > "$tmp/send/esmtprc" <<END
identity alice@example.test
hostname localhost:$starttls
username "alice@example.test" password "pass word" starttls required
END
sends send/esmtprc "ca-file $ca"

cat > "$tmp/send/moxsubmit.conf" <<END
Host: localhost
Port: $implicit
TLS: true
Username: alice@example.test
Password: pass word
From: alice@example.test
AuthMethod: SCRAM-SHA-256-PLUS
END
sends send/moxsubmit.conf "ca-file $ca"

cat > "$tmp/send/mailrc" <<END
set mta=submission://alice%40example.test:pass%20word@localhost:$starttls \\
	from=alice@example.test smtp-use-starttls tls-ca-file=$ca
END
sends send/mailrc
is "$(grep -rl 'Subject: test' "$tmp/starttls" "$tmp/implicit" | wc -l |
    tr -d ' ')" 8 \
    "and the servers have all of it"

# A certificate that was not checked is checked; nothing goes out.
cp "$tmp/send/dma.conf" "$tmp/dma.conf"
run 0 "without the authority" "$sendoff" --import "$tmp/dma.conf"
cp "$tmp/out" "$conf"
printf '    log none\n    aliases none\n    keep never\n' >> "$conf"
cp "$conf" "$tmp/unchecked"
run 75 "nothing is sent" "$sendoff" bob@example.net

# What the manual says of a key that is trusted alone.
zeros=$(printf '%064d' 0)
{ cat "$tmp/unchecked"; printf '    ca-file none\n    pin sha256:%s\n' \
    "$zeros"; } > "$conf"
run 75 "a wrong pin" "$sendoff" bob@example.net
pin=$(sed -n 's/.*its pin is \(sha256:[0-9a-f]*\).*/\1/p' "$tmp/err")
sed -i "s/sha256:$zeros/$pin/" "$conf"
run 0 "the one that the error names" "$sendoff" bob@example.net
rm -f "$conf"

done_testing
