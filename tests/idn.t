#!/bin/sh
# Domains beyond ASCII, from every side that an address can come from.
. "$(dirname "$0")/tap.sh"

u=bücher.example
a=xn--bcher-kva.example
serve one --user 'alice@example.org:secret' --without SMTPUTF8
base="from alice@example.org
ca-file $tmp/ca/ca.pem
password secret
aliases $tmp/aliases
log $tmp/log"
printf 'ops: bob@%s, carl@%s, bob@%s\n' "$u" "$u" "$a" > "$tmp/aliases"
config "$base" "server smtp://localhost:$port"
printf 'Subject: x\n\nbody\n' > "$tmp/message"

# envelope: what was said, in one line.
envelope()
{
	sed -n 's/^\([mr][a-z]* <[^>]*>\).*/\1/p' "$tmp"/one/envelope/* |
	    tr '\n' ' '
	rm -rf "$tmp/one/envelope" "$tmp"/one/new/*
	mkdir -p "$tmp/one/envelope"
}

run 0 "an alias" "$sendmail" -f "me@$u" ops
is "$(envelope)" "mail <me@$a> rcpt <bob@$a> rcpt <carl@$a> " \
    "an alias: its members, each once"
run 0 "-bv" "$sendmail" -bv "bob@$u"
has "$tmp/out" "goes to <bob@$a>" "-bv: shows what will be said"

# --- -bs ---------------------------------------------------------------------
bs()				# WANTED-CODES WHAT OCTETS
{
	printf '%b' "$3" > "$tmp/message"
	run 0 "$2" "$sendmail" -bs
	is "$(tr -d '\r' < "$tmp/out" |
	    sed -n 's/^\([0-9][0-9][0-9]\)\( .*\)*$/\1/p' | tr '\n' ' ')" \
	    "$1" "$2: the replies"
}
bs "220 250 250 250 250 354 250 221 " "-bs" "EHLO me\r\nMAIL FROM:<me@$u> SMTPUTF8\r\nRCPT TO:<bob@$u>\r\nRCPT TO:<bob@$a>\r\nDATA\r\nSubject: x\r\n\r\nb\r\n.\r\nQUIT\r\n"
is "$(envelope)" "mail <me@$a> rcpt <bob@$a> " "-bs: in A-labels, once"
bs "220 250 250 554 250 354 250 221 " "-bs, a local part" "EHLO me\r\nMAIL FROM:<me@$u> SMTPUTF8\r\nRCPT TO:<müller@$u>\r\nRCPT TO:<bob@$u>\r\nDATA\r\nSubject: x\r\n\r\nb\r\n.\r\nQUIT\r\n"
has "$tmp/out" "5.6.7" "-bs, a local part: why"
is "$(envelope)" "mail <me@$a> rcpt <bob@$a> " "-bs, a local part: the rest"

# --- what is kept ------------------------------------------------------------
config "$base" "server smtp://localhost:1"
printf 'Subject: x\n\nbody\n' > "$tmp/message"
run 75 "a server that is down" "$sendmail" -N delay -f "me@$u" "bob@$u"
tr -d '\r' < "$(find "$HOME/.local/state/sendoff" -type f)" > "$tmp/kept"
has "$tmp/kept" "MAIL FROM:<me@$a>" "kept: the sender"
has "$tmp/kept" "RCPT TO:<bob@$a> NOTIFY=DELAY ORCPT=rfc822;bob@$a" \
    "kept: the recipient"
lacks "$tmp/kept" "SMTPUTF8" "kept: no need of SMTPUTF8"
config "$base" "server smtp://localhost:$port"
run 0 "-qR of another" "$sendmail" "-qR$a.example"
is "$(kept)" 1 "-qR of another: it stays"
run 0 "-qR" "$sendmail" "-qR@$u"
is "$(envelope)" "mail <me@$a> rcpt <bob@$a> " "-qR: it is sent"
is "$(kept)" 0 "-qR: and gone"

done_testing
