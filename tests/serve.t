#!/bin/sh
# -bs: SMTP on standard input, passed on to the account's server.
. "$(dirname "$0")/tap.sh"

serve one --user 'alice@example.org:secret'
one=$port
serve two --user 'work@example.com:secret'
two=$port
base="from alice@example.org
ca-file $tmp/ca/ca.pem
password secret
domain example.org
aliases $tmp/aliases
log $tmp/log"
: > "$tmp/aliases"

# say STATUS NAME OCTETS: the dialogue; replies in $tmp/out, without CR, and
# their codes in $codes.
say()
{
	printf '%b' "$3" > "$tmp/message"
	run "$1" "$2" "$sendmail" -bs
	tr -d '\r' < "$tmp/out" > "$tmp/replies"
	codes=$(sed -n 's/^\([0-9][0-9][0-9]\)\( .*\)*$/\1/p' "$tmp/replies" |
	    tr '\n' ' ')
	is "$(cat "$tmp/err")" "" "$2: nothing on standard error"
}

# stored NAME: envelopes and messages, the oldest first, in $tmp/stored.
stored()
{
	: > "$tmp/stored"
	for f in "$tmp/$1"/envelope/*; do
		[ -f "$f" ] || continue
		cat "$f" "$tmp/$1/new/${f##*/}" >> "$tmp/stored"
	done
	rm -rf "$tmp/$1/envelope" "$tmp/$1"/new/*
	mkdir -p "$tmp/$1/envelope"
}

config "$base" "server smtp://localhost:$one"
say 0 "a message" 'EHLO me\r\nMAIL FROM:<alice@example.org> SIZE=40 BODY=8BITMIME RET=HDRS ENVID=q1\r\nRCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@x\r\nDATA\r\nFrom: a@b\r\nBcc: c@d\r\n\r\n..dot\r\nb\303\274\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 250 354 250 221 " "a message: the replies"
for extension in PIPELINING SIZE 8BITMIME SMTPUTF8 DSN ENHANCEDSTATUSCODES \
    CHUNKING REQUIRETLS; do
	has "$tmp/replies" "250-$extension" "EHLO has $extension"
done
has "$tmp/replies" "queued as" "the server's own words end it"
stored one
has "$tmp/stored" "mail <alice@example.org> SIZE=40 BODY=8BITMIME RET=HDRS ENVID=q1" \
    "MAIL is passed on"
has "$tmp/stored" "rcpt <bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@x" \
    "RCPT too"
lacks "$tmp/stored" "Bcc" "Bcc is gone"
is "$(tail -n 2 "$tmp/stored" | tr -d '\r')" "$(printf '.dot\nb\303\274')" \
    "the dot is single again"

say 0 "a caller with LF" 'HELO me\nMAIL FROM:<alice@example.org>\nRCPT TO:<bob@example.net>\nDATA\nSubject: x\n\none\n.\r\ntwo\n.\nQUIT\n'
is "$codes" "220 250 250 250 354 250 221 " "LF: the replies"
stored one
has "$tmp/stored" two "LF: a dot before CRLF is data"
grep -c '^mail ' "$tmp/stored" > "$tmp/count"
is "$(cat "$tmp/count")" 1 "LF: one message"

say 0 "smuggling" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nSubject: x\r\n\r\none\n.\nMAIL FROM:<evil@example.org>\nRCPT TO:<eve@example.net>\nDATA\n\nx\n.\n\r.\r\r\n.\rtwo\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 250 354 250 221 " "smuggling: one reply for one message"
stored one
is "$(grep -c '^rcpt ' "$tmp/stored")" 1 "smuggling: one recipient"
has "$tmp/stored" "bare no" "smuggling: no bare CR or LF goes out"
has "$tmp/stored" "MAIL FROM:<evil@example.org>" "smuggling: it is text"
say 0 "a line of two commands" 'EHLO me\r\nMAIL FROM:<alice@example.org>\nRCPT TO:<eve@example.net>\r\nNOOP\r\n'
is "$codes" "220 250 500 250 " "a bare LF is no end of a command"
say 0 "a CR in a command" 'HELO me\nMAIL FROM:<alice@example.org>\rX\nNOOP\n'
is "$codes" "220 250 500 250 " "nor is a bare CR"

serve once --user 'alice@example.org:secret' --max-sessions 1
config "$base" "server smtp://localhost:$port"
say 0 "several messages" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n\r\n1\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<carl@example.net>\r\nDATA\r\n\r\n2\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 250 354 250 250 250 354 250 221 " "several messages"
stored once
is "$(grep -c '^mail ' "$tmp/stored")" 2 "over one connection"
has "$tmp/stored" "mail <>" "the null sender"
config "$base" "server smtp://localhost:$one"

say 0 "refusals" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<refuse-550-5.1.1@example.net>\r\nRCPT TO:<defer-452-4.2.2@example.net>\r\nDATA\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 550 452 554 250 354 250 221 " "each is told its own"
has "$tmp/replies" "550 5.1.1 as you wish" "in the server's words"
stored one
is "$(kept)" 0 "what was answered is not kept"

say 0 "order" 'RCPT TO:<a@b>\r\nDATA\r\nMAIL FROM:<alice@example.org>\r\nMAIL FROM:<alice@example.org>\r\nRSET\r\nRCPT TO:<a@b>\r\nNOOP\r\nVRFY x\r\nHELP\r\nEXPN x\r\n\r\nQUIT\r\n'
is "$codes" "220 503 503 250 503 250 503 250 252 214 500 500 221 " "order"
say 0 "syntax" 'MAIL TO:<a@b>\r\nMAIL FROM:<a@>\r\nMAIL FROM:<a@b> X=1\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<>\r\nRCPT TO:<a b>\r\nRCPT TO:<a@b> NOTIFY=X\r\n'
is "$codes" "220 501 553 501 250 553 553 501 " "syntax"

say 0 "BDAT" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nBDAT 10\r\nSubject: hBDAT 11 LAST\r\ni\r\n\r\n.\r\nx\r\nNOOP\r\nQUIT\r\n'
is "$codes" "220 250 250 250 250 250 250 221 " "BDAT: the replies"
stored one
is "$(tail -n 2 "$tmp/stored" | tr -d '\r')" "$(printf '.\nx')" \
    "BDAT: the octets"
say 0 "BDAT without recipients" 'EHLO me\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\nQUIT\r\n'
is "$codes" "220 250 503 250 221 " "its octets are no commands"

say 0 "an untrue MAIL" 'EHLO me\r\nMAIL FROM:<alice@example.org> BODY=7BIT\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nSubject: x\r\n\r\nb\303\274\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 250 354 250 221 " "an untrue MAIL: accepted"
stored one
has "$tmp/stored" "BODY=8BITMIME" "an untrue MAIL: said again with the truth"
is "$(grep -c '^mail ' "$tmp/stored")" 1 "an untrue MAIL: sent once"

say 0 "REQUIRETLS" 'EHLO me\r\nMAIL FROM:<alice@example.org> REQUIRETLS\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n'
stored one
has "$tmp/stored" "REQUIRETLS" "REQUIRETLS is passed on"

printf 'team: bob@example.net, carl@example.net\n' > "$tmp/aliases"
say 0 "an alias" 'EHLO me\r\nMAIL FROM:<root>\r\nRCPT TO:<team>\r\nDATA\r\nFrom: root\r\n\r\nx\r\n.\r\nQUIT\r\n'
stored one
is "$(grep -c '^rcpt ' "$tmp/stored")" 2 "an alias: everyone behind it"
has "$tmp/stored" "mail <alice@example.org>" "an alias: a local sender"
has "$tmp/stored" "From: alice@example.org" "an alias: a local From"

say 0 "no end" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\nSubject: x\r\n'
stored one
is "$(cat "$tmp/stored")" "" "what has no end is not sent"

config "$base" "server smtp://localhost:1"
say 0 "a server that is down" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nRCPT TO:<bob@example.net>\r\nNOOP\r\nQUIT\r\n'
is "$codes" "220 250 451 503 250 221 " "down: 4yz, and the dialogue goes on"
config "$base" "server smtp://localhost:$one" "no-such-setting 1"
say 0 "a broken configuration" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nQUIT\r\n'
is "$codes" "220 250 451 221 " "broken: 4yz"
printf '%s\n' "$base" | grep -v password > "$tmp/base"
config "$(cat "$tmp/base")" "password wrong" "server smtp://localhost:$one"
say 0 "a wrong password" 'EHLO me\r\nMAIL FROM:<alice@example.org>\r\nQUIT\r\n'
is "$codes" "220 250 451 221 " "wrong password: the message is not lost"
has "$tmp/replies" "535" "wrong password: what the server said"

config "ca-file $tmp/ca/ca.pem" "password secret" "log $tmp/log" \
    "account home" "from alice@example.org" "server smtp://localhost:$one" \
    "account work" "from work@example.com" "server smtp://localhost:$two" \
    "match *@corp.example"
say 0 "two servers" 'EHLO me\r\nMAIL FROM:<x@example.net>\r\nRCPT TO:<bob@example.net>\r\nRCPT TO:<carl@corp.example>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n'
is "$codes" "220 250 250 250 250 354 250 221 " "two servers"
stored one
has "$tmp/stored" "rcpt <bob@example.net>" "one by the first"
stored two
has "$tmp/stored" "rcpt <carl@corp.example>" "one by the second"

done_testing
