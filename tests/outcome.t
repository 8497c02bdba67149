#!/bin/sh
# What is told and kept: exit status, standard error, log, JSON, the store.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\nBcc: hidden@example.net\n\nbody\n.dot\n' > "$tmp/message"
serve s --user 'alice@example.test:secret'
base="from alice@example.test
server smtp://localhost:$port
ca-file $tmp/ca/ca.pem
password secret"

config "$base" "log $tmp/log"
run 0 "all sent" "$sendmail" -i bob@example.net
has "$tmp/log" "status=0" "the log says so"
has "$tmp/log" "to=bob@example.net result=sent" "and for whom"
has "$tmp/log" "mechanism=SCRAM-SHA-256-PLUS" "and how"
lacks "$tmp/log" secret "the log has no password"
is "$(kept)" 0 "nothing is kept"

run 67 "one refused" "$sendmail" -i bob@example.net \
    refuse-550-5.1.1@example.net
has "$tmp/err" "<refuse-550-5.1.1@example.net>: server said 550 5.1.1" \
    "standard error names who and why"
is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "in one line"
is "$(kept)" 1 "the rest is kept"
file=$(find "$HOME/.local/state/sendoff" -type f)
has "$file" "RCPT TO:<refuse-550-5.1.1@example.net>" "for whom it failed"
lacks "$file" "RCPT TO:<bob@example.net>" "not for who has it"
has "$file" "NOOP state refused" "with its state"
lacks "$file" hidden@example.net "without Bcc"
has "$file" "..dot" "with the dot doubled"
is "$(stat -c %a "$file")" 600 "readable for its owner alone"
is "$(stat -c %a "${file%/*}")" 700 "in a folder of its own"
rm -rf "$HOME/.local"

run 75 "one deferred" "$sendmail" -i defer-452-4.2.2@example.net
is "$(kept)" 1 "is kept"
has "$(find "$HOME/.local/state/sendoff" -type f)" "NOOP state held" "as held"
rm -rf "$HOME/.local"

config "$base" "log $tmp/log.json" "log-format json"
run 0 "JSON" "$sendoff" --json -i bob@example.net
/usr/bin/python3 -c '
import json, sys
a = json.load(open(sys.argv[1]))
b = json.loads(open(sys.argv[2]).read())
assert a["status"] == 0 == b["status"], (a, b)
assert a["recipients"][0]["outcome"] == "sent", a
assert a["tls"] == "TLS1.3" and a["verified"] == "yes", a
assert "time" in b, b
' "$tmp/out" "$tmp/log.json" > "$tmp/json" 2>&1
ok $? "--json and the log are JSON with the same facts"
sed 's/^/# /' "$tmp/json"

config "from alice@example.test" "server smtp://localhost:1" \
    "password secret" "log none"
run 75 "a server that is down" "$sendmail" bob@example.net
has "$tmp/err" "localhost:1 cannot be reached" "says what was tried"
has "$tmp/err" "127.0.0.1: Connection refused" "and each address"
config "from alice@example.test" "server smtps://no.such.host.invalid" \
    "password secret" "log none"
run 68 "a host that does not exist" "$sendmail" bob@example.net
rm -rf "$HOME/.local"

serve down --user 'alice@example.test:secret' --fault close-after-data
config "from alice@example.test" "server smtp://localhost:$port" \
    "ca-file $tmp/ca/ca.pem" "password secret" "log none"
run 75 "lost after the data" "$sendmail" bob@example.net
has "$tmp/err" unknown "is unknown"
has "$(find "$HOME/.local/state/sendoff" -type f)" "NOOP state unknown" \
    "and kept as such"
rm -rf "$HOME/.local"

config "from alice@example.test" "server smtp://localhost:$port" \
    "ca-file $tmp/ca/ca.pem" "password wrong" "log none"
run 77 "a refused login" "$sendmail" bob@example.net carol@example.net
has "$(find "$HOME/.local/state/sendoff" -type f)" "NOOP state held" \
    "is held: it heals without the message changing"
lacks "$tmp/err" " refused, " "and no recipient is called refused"
rm -rf "$HOME/.local"

serve limits --user 'alice@example.test:secret' --without DSN \
    --limits "RCPTMAX=1 MAILMAX=2"
config "from alice@example.test" "server smtp://localhost:$port" \
    "ca-file $tmp/ca/ca.pem" "password secret" "log $tmp/limits.log"
run 0 "five recipients, two mails a connection" "$sendmail" -N failure \
    a@example.net b@example.net c@example.net d@example.net e@example.net
is "$(cat "$tmp"/limits/envelope/* | grep '^rcpt' | sort | uniq | wc -l |
    tr -d ' ')" 5 "all of them have it"
is "$(find "$tmp/limits/envelope" -type f | wc -l | tr -d ' ')" 5 \
    "in five transactions"
is "$(grep -c 'no notifications were asked' "$tmp/limits.log")" 1 \
    "that there are no notifications is told once"

config "$base" "log none"
printf 'Subject: x\000\n\nx\n' > "$tmp/message"
run 65 "a NUL in the header" "$sendmail" bob@example.net
is "$(kept)" 1 "is kept"
rm -rf "$HOME/.local"
run 65 "an address that is none" "$sendmail" 'a@b@c'
is "$(kept)" 0 "an address error is not kept"
run 64 "no recipients" "$sendmail"
run 64 "an option after a recipient" "$sendmail" bob@example.net -t
"$sendmail" bob@example.net <&- 2> "$tmp/err" && got=0 || got=$?
is "$got" 66 "closed standard input"
"$sendmail" bob@example.net < / 2> "$tmp/err" && got=0 || got=$?
is "$got" 74 "a directory as standard input"
done_testing
