#!/bin/sh
# --explain: what it says of an account, an envelope, a header and a conversion
# is what a submission then does.
. "$(dirname "$0")/tap.sh"

: > "$tmp/message"
serve one --tls=starttls --user alice:secret --log "$tmp/one.log"
one=$port
serve small --tls=starttls --user alice:secret --log "$tmp/small.log" \
    --without 8BITMIME,SMTPUTF8,DSN,REQUIRETLS --size 2000
small=$port
mkdir -p "$tmp/one/new" "$tmp/small/new"

account()			# PORT LINE...
{
	at=$1
	shift
	config "from alice@example.test" "user alice" "password secret" \
	    "server smtp://localhost:$at" "ca-file $tmp/ca/ca.pem" \
	    "log none" "aliases $tmp/aliases" "domain example.test" "$@"
}

echo "root: bob@example.net, carol@example.net" > "$tmp/aliases"

message()			# TEXT, with \n
{
	# shellcheck disable=SC2059
	printf "$1" > "$tmp/message"
}

# of SECTION: its lines in $tmp/out, without their indent.
of()
{
	sed -n "/^$1\$/,/^\$/p" "$tmp/out" | sed '1d;s/^  *//;/^$/d'
}

# Dates and identifiers are another's each time, and as long.
plain()
{
	sed 's/^Date: .*/Date: D/;s/^Message-ID: .*/Message-ID: M/'
}

fields()			# FILE: how many
{
	grep -c '^[A-Za-z-]*:' "$1" || :
}

stored()			# the header of what has come to SERVER
{
	find "$tmp/$1/new" -type f -exec cat {} + | tr -d '\r' |
	    sed '/^$/,$d' | grep -v '^\(Received\|Return-Path\|X-\)' | plain
}

# true_of WHAT SERVER ARGUMENT...: what is explained is what happens.
true_of()
{
	what=$1 server=$2
	shift 2
	run 0 "$what" "$sendoff" --explain=live -i "$@"
	of Envelope | sed 's/  (.*//' > "$tmp/envelope"
	of Header > "$tmp/header"
	of Conversion > "$tmp/conversion"
	find "$tmp/$server/new" -type f -delete
	: > "$tmp/$server.log"
	run 0 "$what: sent" "$sendoff" -i "$@"
	is "$(sed -n 's/.*C: \(MAIL FROM\|RCPT TO\)/\1/p' \
	    "$tmp/$server.log")" "$(cat "$tmp/envelope")" \
	    "$what: the envelope, octet for octet"
	stored "$server" > "$tmp/stored"
	cat "$tmp/header" "$tmp/conversion" | sed -n 's/^+ //p' | plain |
	    sort > "$tmp/plus"
	cat "$tmp/header" "$tmp/conversion" | sed -n 's/^- //p' | plain |
	    sort > "$tmp/minus"
	# What the conversion replaces is not there in the end.
	comm -23 "$tmp/plus" "$tmp/minus" > "$tmp/there"
	comm -13 "$tmp/plus" "$tmp/minus" > "$tmp/gone"
	is "$(grep -vxF -f "$tmp/stored" "$tmp/there")" '' \
	    "$what: all that is added is there"
	is "$(grep -xF -f "$tmp/stored" "$tmp/gone")" '' \
	    "$what: nothing that is taken out is"
	sed '/^$/,$d' "$tmp/message" > "$tmp/before"
	is "$(($(fields "$tmp/stored") - $(fields "$tmp/before")))" \
	    "$(($(fields "$tmp/there") - $(fields "$tmp/gone")))" \
	    "$what: and no other field"
}

account "$one"
message 'Subject: plain\n\nbody\n'
true_of "nothing but a subject" one bob@example.net
has "$tmp/header" "= 1 field as before" "one field stays"
message 'From root Mon Jan 1\nFrom: root\nBcc: dave@example.net\nReturn-Path: <x@y.example>\nTo: bob@example.net\nSubject: cron\n\nbody\n'
true_of "cron's" one -t root
has "$tmp/header" "(an mbox line)" "the mbox line"
message 'From: A <a@localhost>\nCc: root, "B" <b@example.org>\nSubject: Gr\303\274\303\237e\nDate: Tue, 24 Nov 2026 12:00:00 +0000\nMessage-ID: <1@x.example>\nTo: bob@example.net\n\nh\303\244llo\n'
true_of "beyond ASCII" one -N success -R hdrs -V id bob@example.net
true_of "to an address beyond ASCII" one "jos$(printf '\303\251')@example.org"
account "$small"
true_of "for a server without 8BITMIME" small bob@example.net
has "$tmp/conversion" "the content becomes quoted-printable" "it says how"
message 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\nTo: bob@example.net\n\n--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nh\303\244\n--b\nContent-Type: image/x\nContent-Transfer-Encoding: 8bit\n\n\303\244\n--b--\n'
true_of "parts" small bob@example.net
has "$tmp/conversion" "part 1 becomes quoted-printable" "the first"
has "$tmp/conversion" "part 2 becomes base64" "the second"

# --- what is not done ----------------------------------------------------------

account "$one" "name Alice"
message 'Subject: x\n\nh\303\244\n'
rm -rf "${HOME:?}/.local"
find "$tmp/one/new" -type f -delete
settled
: > "$tmp/one.log"
run 0 "nobody is asked" "$sendoff" --explain root
is "$(cat "$tmp/one.log")" '' "no connection"
has "$tmp/out" "what the server offers is not known" "that is said"
has "$tmp/out" "with neither: the body is converted" "and what if"
has "$tmp/out" "From: Alice <alice@example.test>" "the From that is added"
is "$(of Envelope | grep -c 'stands for it')" 2 "who stands for whom"
is "$(kept)" 0 "nothing is kept"
run 0 "asked live" "$sendoff" --explain=live root
is "$(grep -c 'C: MAIL' "$tmp/one.log")" 0 "no MAIL"
is "$(find "$tmp/one/new" -type f | wc -l)" 0 "nothing arrives"
run 0 "and it is known then" "$sendoff" --explain root
has "$tmp/out" "by what the server has offered (20" "from the memory"
lacks "$HOME/.local/state/sendoff.memory/seen" secret "which has no secret"
lacks "$tmp/out" secret "no password is shown"

# --- what would fail -----------------------------------------------------------

account "$small"
run 69 "REQUIRETLS" "$sendoff" --explain=live --require-tls bob@example.net
has "$tmp/out" "  no        exit status 69: " "the verdict"
has "$tmp/err" "REQUIRETLS (5.7.30)" "the reason"
run 69 "SMTPUTF8, for one of two" "$sendoff" --explain \
    "jos$(printf '\303\251')@example.org" bob@example.net
has "$tmp/out" "  no        of 2 recipients 1 could be sent it" "the other could"
message "Subject: x\n\n$(printf '%900s\\n%900s\\n%900s' x y z)\n"
run 65 "too large" "$sendoff" --explain bob@example.net
has "$tmp/err" "the server takes at most 2000" "the limit"
message 'Subject: x\nDKIM-Signature: v=1\n\nh\303\244\n'
run 69 "signed" "$sendoff" --explain bob@example.net
has "$tmp/out" "* failed" "the conversion"
message 'Subject: x\000y\n\nx\n'
run 65 "a NUL in the header" "$sendoff" --explain bob@example.net
has "$tmp/out" "exit status 65" "the verdict says so"
message 'Subject: x\n\nx\n'
account 1
run 75 "no server" "$sendoff" --explain=live bob@example.net
has "$tmp/out" "MAIL FROM:<alice@example.test>" "the rest is explained"
is "$(kept)" 0 "nothing is kept"
config "from alice@example.test" "sever x"
run 78 "a broken configuration" "$sendoff" --explain bob@example.net
run 64 "asked how" "$sendoff" --explain=now bob@example.net
run 64 "nobody named" "$sendoff" --explain
run 64 "as sendmail" "$sendmail" --explain bob@example.net

# --- which account, and why ----------------------------------------------------

config "server smtp://localhost:$one" "aliases none" "log none" \
    "account home" "from alice@example.test" "account work" \
    "from a@work.example" "match *@work.example" "password secret"

why()				# WORDS ARGUMENT...
{
	words=$1
	shift
	run 0 "$words" "$sendoff" --explain "$@"
	has "$tmp/out" "$words" "$words"
}

conf=$HOME/.config/sendoff.conf
message 'Subject: x\n\nx\n'
why "home ($conf:4): no sender is named" bob@example.net
why 'no "from" or "match" fits the sender' -f x@y.example bob@example.net
why "work ($conf:6): its \"from\" is the sender" -f a@work.example \
    bob@example.net
why 'its "match" fits the sender' -f b@work.example bob@example.net
why 'its "match" fits the recipients' bob@work.example
why '--account names it' --account work bob@example.net
run 0 "two" "$sendoff" --explain bob@example.net bob@work.example
is "$(grep -c '^Account$' "$tmp/out")" 2 "each of two accounts is explained"
rm "$conf"
why 'the command line: the configuration has no account' \
    --from=me@example.org --server="smtp://localhost:$one" bob@example.net
done_testing
