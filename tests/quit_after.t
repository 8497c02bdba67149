#!/bin/sh
# --quit-after: each step over STARTTLS, implicit TLS and a unix socket, judged
# by the server's record; nothing is sent, kept or called sent.
. "$(dirname "$0")/tap.sh"

user=alice@example.org:secret
serve starttls --log "$tmp/starttls.log" --user $user
starttls=smtp://localhost:$port
serve implicit --tls=implicit --log "$tmp/implicit.log" --user $user
implicit=smtps://localhost:$port
serve unix --unix "$tmp/sock" --log "$tmp/unix.log" --user $user \
    --auth-without-tls
unix=smtp://$tmp/sock
: > "$tmp/message"

account()			# SERVER LINE...
{
	config "from alice@example.org" "server $1" "ca-file $tmp/ca/ca.pem" \
	    "password secret" "user alice@example.org" "auth PLAIN" \
	    "aliases none" "log $tmp/log"
}

# What the server has heard since the last time: the verbs, TLS as T.
heard()				# NAME
{
	touch "$tmp/$1.seen"
	settled
	sed "1,$(wc -l < "$tmp/$1.seen")d" "$tmp/$1.log" | sed -n \
	    's/^T.*/T/p; s/^C: \([A-Za-z]*\).*/\1/p' | tr '\n' ' '
	cp "$tmp/$1.log" "$tmp/$1.seen"
}

# step NAME STEP "VERBS": exit status 0, and those were said, no more.
step()
{
	heard "$1" > "$tmp/before"
	run 0 "$1, $2" "$sendoff" --json --quit-after "$2" bob@example.net
	is "$(heard "$1")" "$3" "$1, $2: what the server heard"
	has "$tmp/out" '"outcome":"not sent"' "$1, $2: not sent"
	lacks "$tmp/out" '"outcome":"sent"' "$1, $2: and never sent"
	is "$(wc -c < "$tmp/err" | tr -d ' ')" 0 "$1, $2: nothing else"
}

account "$starttls"
step starttls connect ""
step starttls banner "QUIT "
step starttls greeting "QUIT "
step starttls FIRST-HELO "EHLO QUIT "
step starttls first-ehlo "EHLO QUIT "
step starttls tls "EHLO STARTTLS T QUIT "
step starttls ehlo "EHLO STARTTLS T EHLO QUIT "
step starttls auth "EHLO STARTTLS T EHLO AUTH QUIT "
step starttls mail "EHLO STARTTLS T EHLO AUTH MAIL QUIT "
step starttls rcpt "EHLO STARTTLS T EHLO AUTH MAIL RCPT QUIT "
account "$implicit"
step implicit connect ""
step implicit tls "T "
step implicit greeting "T QUIT "
step implicit first-ehlo "T EHLO QUIT "
step implicit ehlo "T EHLO QUIT "
step implicit auth "T EHLO AUTH QUIT "
step implicit rcpt "T EHLO AUTH MAIL RCPT QUIT "
account "$unix"
step unix connect ""
step unix greeting "QUIT "
step unix ehlo "EHLO QUIT "
step unix auth "EHLO AUTH QUIT "
step unix mail "EHLO AUTH MAIL QUIT "
step unix rcpt "EHLO AUTH MAIL RCPT QUIT "
run 69 "no TLS at a unix socket" "$sendoff" --quit-after tls
has "$tmp/err" "no TLS on this connection" "no TLS: says so"

account "$starttls"
run 0 "without recipients" "$sendoff" --quit-after auth
is "$(cat "$tmp/out")" 'nothing was sent: the session ended after "auth", as was asked' \
    "without recipients: one line says what was done"
run 0 "mail wants none" "$sendoff" --quit-after mail
run 64 "rcpt does" "$sendoff" --quit-after rcpt
run 64 "no such step" "$sendoff" --quit-after dot bob@example.net
has "$tmp/err" "first-ehlo" "no such step: the steps are named"
run 67 "one is refused" "$sendoff" --json --quit-after rcpt bob@example.net \
    refuse-550-5.1.1@example.net
has "$tmp/out" '"address":"bob@example.net","outcome":"not sent"' \
    "one is refused: the other is not sent"
has "$tmp/err" "1 accepted; nothing was sent" "one is refused: said in words"
run 75 "one is deferred" "$sendoff" --quit-after rcpt \
    refuse-451-4.2.0@example.net
for how in --quit-after=rcpt --probe=rcpt; do
	run 75 "$how: 552 to RCPT is 452" "$sendoff" "$how" \
	    refuse-552-5.5.3@example.net
	run 65 "$how: 552 5.3.4 to MAIL is about the size" "$sendoff" "$how" \
	    -f refuse-552-5.3.4@example.org bob@example.net
done
echo wrong > "$tmp/wrong"
run 77 "a wrong password" "$sendoff" --quit-after auth --password-file \
    "$tmp/wrong"
run 69 "nobody logs in" "$sendoff" --auth none --quit-after auth
has "$tmp/err" "no login" "nobody logs in: says so"
run 75 "no server" "$sendoff" --server smtp://localhost:1 --quit-after ehlo \
    bob@example.net
run 0 "another server, before a secret is wanted" "$sendoff" --server \
    "$implicit" --quit-after ehlo
run 78 "another server, and the secret" "$sendoff" --server "$implicit" \
    --quit-after auth
has "$tmp/err" "--server takes the secret" "the secret rule holds"

heard starttls > "$tmp/before"
utf8="jos$(printf '\303\251')@example.net"
run 0 "a recipient beyond ASCII" "$sendoff" --quit-after rcpt "$utf8"
has "$tmp/starttls.log" "C: MAIL FROM:<alice@example.org> SMTPUTF8" \
    "MAIL asks for SMTPUTF8"
serve ascii --user $user --log "$tmp/ascii.log" --without SMTPUTF8
account "smtp://localhost:$port"
for how in --quit-after=rcpt --probe=rcpt; do
	: > "$tmp/ascii.log"
	run 69 "$how: not for a server that has none" "$sendoff" "$how" \
	    "$utf8" bob@example.net
	lacks "$tmp/ascii.log" " SMTPUTF8" "$how: MAIL does not ask for it"
	is "$(grep -c 'C: RCPT' "$tmp/ascii.log")" 1 "$how: the other is named"
done
serve gone --user $user --log "$tmp/gone.log" --fault close-at-mail
account "smtp://localhost:$port"
run 75 "a server that hangs up at MAIL" "$sendoff" --json --quit-after rcpt \
    bob@example.net
has "$tmp/out" '"address":"bob@example.net","outcome":"deferred"' \
    "the recipient is deferred"
run 75 "and is probed" "$sendoff" --json --probe=rcpt bob@example.net
lacks "$tmp/out" '"sender-reply"' "it has said nothing of the sender"
has "$tmp/out" '"accepted":false' "nor of the recipient"
account "$starttls"
run 0 "the size of a message" "$sendoff" --quit-after rcpt --body hello \
    bob@example.net
sed "1,$(wc -l < "$tmp/starttls.seen")d" "$tmp/starttls.log" > "$tmp/part"
has "$tmp/part" "SIZE=" "the size of a message: in MAIL"
run 0 "-v" "$sendoff" -v --quit-after auth
has "$tmp/err" "C: AUTH PLAIN ***" "-v: the dialogue without the secret"
mkfifo "$tmp/fifo"
sleep 60 > "$tmp/fifo" &
pids="$pids $!"
timeout 20 "$sendoff" --quit-after rcpt bob@example.net < "$tmp/fifo" \
    > "$tmp/out" 2> "$tmp/err"
is $? 0 "standard input is not waited for"
is "$(kept)" 0 "nothing is kept"
is "$(find "$tmp/starttls/new" "$tmp/implicit/new" "$tmp/unix/new" -type f \
    2>/dev/null | wc -l | tr -d ' ')" 0 "no server has a message"
run 64 "sendmail" "$sendmail" --quit-after auth bob@example.net
done_testing
