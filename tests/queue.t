#!/bin/sh
# mailq lists what was kept, -q submits what is named.
. "$(dirname "$0")/tap.sh"

serve one --user 'alice@example.org:secret'
one=$port
base="from alice@example.org
ca-file $tmp/ca/ca.pem
password secret
log $tmp/log"
ln -s "$sendmail" "$tmp/mailq"
ln -s "$sendmail" "$tmp/runq"

# listed FILE: what mailq printed, but for the ages.
listed()
{
	sed 's/^\(20[^ ]* *[a-z]*\) *[0-9]*[smhd] /\1 /' "$1"
}

: > "$tmp/message"
run 0 "mailq of nothing" "$tmp/mailq"
is "$(cat "$tmp/out")" "Mail queue is empty" "says so"
config "$base" "server smtp://localhost:1"
printf 'Subject: x\n\n.body\n' > "$tmp/message"
run 75 "a server that is down" "$sendmail" -i -N success bob@example.net \
    '"a b"@example.net'
run 75 "again" "$sendmail" -i -f '<>' carl@example.net
is "$(kept)" 2 "both are kept"
long=$(printf 'a=%.0s' $(seq 90))
blanks=$(printf ' %.0s' $(seq 31))
run 64 "a -V that is too long as it is said" "$sendmail" -N success \
    -V "abcde+$blanks" bob@example.net
run 75 "one that just fits, and an address that ORCPT has no room for" \
    "$sendmail" -N success -V "abcd+$blanks" "$long$long@example.net"
is "$(kept)" 3 "is kept"
run 0 "mailq" "$tmp/mailq"
has "$tmp/out" "<$long$long@example.net>" "and can be read again"
id=$(sed -n '/^2026/h; /a=a=/{g; s/ .*//; p; }' "$tmp/out")
run 75 "and tried" "$sendmail" -qI "$id"
run 0 "and removed" rm "$HOME/.local/state/sendoff/$id"
run 0 "mailq" "$tmp/mailq"
has "$tmp/out" "held" "mailq: the state"
has "$tmp/out" "<bob@example.net>" "mailq: a recipient"
has "$tmp/out" '<"a b"@example.net>' "mailq: a quoted one"
has "$tmp/out" "localhost:1 cannot be reached" "mailq: the reason"
has "$tmp/out" "  <alice@example.org>" "mailq: the sender"
is "$(grep -c '^20.* held *[0-9]*s ' "$tmp/out")" 2 "mailq: the age"
is "$(grep -c held "$tmp/out")" 2 "mailq: each has a line"
is "$(stat -c %a "$(find "$HOME/.local" -type f | head -n 1)")" 600 \
    "it changes nothing"
cp "$tmp/out" "$tmp/list"
run 0 "-bp" "$sendoff" -bp
is "$(listed "$tmp/out")" "$(listed "$tmp/list")" "-bp is the same"
printf 'nonsense\n' > "$HOME/.local/state/sendoff/nonsense"
run 0 "a strange file in the store" "$tmp/mailq"
is "$(listed "$tmp/out")" "$(listed "$tmp/list")" "is passed over"
rm "$HOME/.local/state/sendoff/nonsense"

# aged SECONDS: of what mailq says, when the message had come so long ago.
aged()
{
	then=$(date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%SZ)
	mkdir -p "$tmp/aged"
	for f in "$HOME/.local/state/sendoff"/20*; do
		sed "s/^\(NOOP created \)20[^ ]*/\1$then/" "$f" \
		    > "$tmp/aged/${f##*/}"
	done
	config "$base" "server smtp://localhost:1" "keep $tmp/aged"
	"$tmp/mailq" | sed -n 's/^20[^ ]* *held *\([0-9?]*[smhd]*\) .*/\1/p' |
	    grep -v 's$' | sort -u
	rm -r "$tmp/aged"
}
is "$(aged 125)" 2m "mailq: minutes"
is "$(aged 7300)" 2h "mailq: hours"
is "$(aged 170000)" 47h "mailq: more than a day of them"
is "$(aged 432100)" 5d "mailq: days"

config "$base" "server smtp://localhost:$one"
run 0 "-q" "$sendmail" -q
is "$(kept)" 2 "-q: what is held is not sent by itself"
run 0 "runq" "$tmp/runq"
is "$(kept)" 2 "runq: nor here"
id=$(sed -n 's/^\(20[^ ]*\) .*<alice@example.org>$/\1/p' "$tmp/list")
run 0 "-qI" "$sendmail" -qI "$id"
is "$(cat "$tmp/out" "$tmp/err")" "" "-qI: in silence"
is "$(kept)" 1 "-qI: it is gone from the store"
f=$(find "$tmp/one/envelope" -type f)
has "$f" "rcpt <bob@example.net> NOTIFY=SUCCESS ORCPT=rfc822;bob@example.net" \
    "-qI: a recipient with its parameters"
has "$f" 'rcpt <"a b"@example.net>' "-qI: the other"
is "$(tail -n 1 "$tmp/one/new/${f##*/}" | tr -d '\r')" ".body" \
    "-qI: the dot is single"
is "$(grep -c -i '^message-id' "$tmp/one/new/${f##*/}")" 1 \
    "-qI: nothing is added twice"
run 0 "-qR that fits nobody" "$sendmail" -qRbob
is "$(kept)" 1 "-qR: sends nothing"
rm -rf "$tmp/one/envelope"
mkdir "$tmp/one/envelope"
config "$base" "server smtp://localhost:1"
run 75 "-qR while the server is down" "$sendmail" -qRcarl
has "$tmp/err" "stays kept" "-qR: says so"
is "$(kept)" 1 "-qR: and it does"
config "$base" "server smtp://localhost:$one"
run 0 "-q!S" "$sendmail" '-q!Salice'
is "$(kept)" 0 "-q!S: what does not fit"
has "$(find "$tmp/one/envelope" -type f)" "mail <>" "the null sender stays null"

done_testing
