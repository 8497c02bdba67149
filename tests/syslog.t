#!/bin/sh
# The log where the system keeps it.  libc's own connect("/dev/log") cannot be
# preloaded, so syslog(3) itself is: tests/servers/devlog.c.  A line there is
# "FACILITY SEVERITY TAG TEXT": mail is 2; 3 error, 4 warning, 6 information.
. "$(dirname "$0")/tap.sh"

serve s --user 'alice@example.org:s3cret'
account()			# PASSWORD LINE...
{
	password=$1
	shift
	config "from alice@example.org" "server smtp://localhost:$port" \
	    "ca-file $tmp/ca/ca.pem" "password $password" "aliases none" "$@"
}
account s3cret
printf 'Subject: t\n\nbody\n' > "$tmp/message"
export DEVLOG="$tmp/syslog"
export ASAN_OPTIONS="verify_asan_link_order=0:$ASAN_OPTIONS"

# logged STATUS LINES WHAT COMMAND...: what it says to syslog is in $DEVLOG.
logged()
{
	: > "$DEVLOG"
	status=$1
	lines=$2
	what=$3
	shift 3
	run "$status" "$what" env LD_PRELOAD="$b/devlog.so" "$@"
	is "$(wc -l < "$DEVLOG" | tr -d ' ')" "$lines" "$what: $lines line(s)"
	lacks "$DEVLOG" "$password" "$what: no password"
}

fields()			# FIELD...: each is in the line, as it stands
{
	for field; do
		has "$DEVLOG" " $field" "$what: $field"
	done
}

# Controls of ASCII, those of C1 in UTF-8 or alone, marks that reorder.
printable()
{
	found=$(python3 -c 'import re, sys
text = open(sys.argv[1], "rb").read().decode("utf-8", "surrogateescape")
print(re.findall("[\0-\t\v-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e"
    "\u2066-\u2069\ud800-\udfff]", text))' "$DEVLOG")
	is "$found" '[]' "$what: nothing that a terminal obeys"
}

logged 0 1 "sent" "$sendmail" bob@example.net
has "$DEVLOG" "2 6 sendoff id=" "sent: facility mail, information"
fields account=default from=alice@example.org "message-id=<" \
    server=smtp://localhost: host=localhost address=127.0.0.1 tls=TLS1.3 \
    cipher= suite=TLS_ group= verified=yes verified-by=pkix pkix=ok pin=sha256: \
    valid-until= binding=tls-exporter mechanism=SCRAM-SHA-256-PLUS \
    greeting-ms= tls-ms= \
    auth-ms= octets= ms= status=0 to=bob@example.net result=sent \
    'reply="250 2.0.0 '
lacks "$DEVLOG" error= "sent: no error"
logged 0 1 "by hand as sendoff" "$sendoff" bob@example.net
has "$DEVLOG" "2 6 sendoff id=" "by hand as sendoff: the same"

logged 67 1 "refused" "$sendmail" refuse-550-5.1.1@example.net
has "$DEVLOG" "2 3 sendoff id=" "refused: an error"
fields status=67 kind=no-user 'error="localhost[127.0.0.1]:' state=refused \
    "kept=$HOME/.local/state/sendoff/" to=refuse-550-5.1.1@example.net \
    result=refused 'reason="localhost[127.0.0.1]:'
has "$DEVLOG" ': server said 550 5.1.1 as you wish"' "refused: the reply"
logged 67 1 "one of two" "$sendmail" bob@example.net \
    refuse-550-5.1.1@example.net
has "$DEVLOG" "2 3 sendoff id=" "one of two: an error"
fields recipients=2 sent=1 "to=bob@example.net result=sent" \
    "to=refuse-550-5.1.1@example.net result=refused"

account wr0ng
logged 77 1 "a wrong password" "$sendmail" bob@example.net
has "$DEVLOG" "2 3 sendoff id=" "a wrong password: an error"
fields status=77 kind=auth 'error="localhost' state=held to=bob@example.net
has "$DEVLOG" ' 535 5.7.8 credentials invalid' "a wrong password: the reply"
account s3cret

logged 0 1 "-L" "$sendmail" -L nightly bob@example.net
has "$DEVLOG" "2 6 nightly id=" "-L: the tag"
logged 0 2 "what is ignored" "$sendmail" -X log -OTimeout=1 bob@example.net
has "$DEVLOG" "2 6 sendoff level=info note=" "what is ignored: a note"
has "$DEVLOG" "ignored on purpose: -X -O" "what is ignored: which"
logged 64 1 "a wrong command line" "$sendmail" -k
has "$DEVLOG" "2 3 sendoff " "a wrong command line: an error"
fields status=64 kind=usage

account s3cret "log $tmp/no/such/folder"
logged 0 2 "a log that cannot be written" "$sendmail" bob@example.net
has "$DEVLOG" "2 4 sendoff level=warning note=" \
    "a log that cannot be written: a warning"
has "$DEVLOG" "2 6 sendoff id=" "a log that cannot be written: here"
account s3cret "log none"
logged 0 0 "log none" "$sendmail" bob@example.net
account s3cret "log-format json"
logged 0 1 "log-format json" "$sendmail" bob@example.net
is "$(sed 's/^[^{]*//' "$DEVLOG" | python3 -c 'import json, sys
line = json.load(sys.stdin)
print(line["account"], line["recipients"][0]["outcome"])')" 'default sent' \
    "log-format json: one object"

# What the person sends and what the server says are only text.
account s3cret
printf 'Message-ID: <\033[31m\007a@example.org>\n\nbody\n' > "$tmp/message"
logged 0 1 "a hostile header" "$sendmail" bob@example.net
fields message-id=
printable
printf 'Message-ID: <a\302\233m\342\200\256\200@example.org>\n\nbody\n' \
    > "$tmp/message"
logged 0 1 "a hostile header beyond ASCII" "$sendmail" bob@example.net
fields message-id=
printable
printf 'Message-ID: <a status=9 to=x@example.org>\n\nbody\n' > "$tmp/message"
logged 0 1 "a header like fields" "$sendmail" bob@example.net
fields 'message-id="<a status=9 to=x@example.org>" server='

account s3cret "log /dev/full"
logged 0 1 "a log that has no room" "$sendmail" bob@example.net
has "$DEVLOG" "2 6 sendoff id=" "a log that has no room: the line is here"
account s3cret

printf 'Subject: t\n\nbody\n' > "$tmp/message"
python3 - "$tmp/hostile.port" <<'EOF' &
import os, socket, sys
server = socket.create_server(("127.0.0.1", 0))
with open(sys.argv[1] + ".new", "w") as file:
    print(server.getsockname()[1], file=file)
os.rename(sys.argv[1] + ".new", sys.argv[1])
client = server.accept()[0].makefile("rwb", buffering=0)
client.write(b"220 mx\r\n")
for line in client:
    client.write(
        b"550-5.1.1 \x1b[31mno\x07\x1b]0;owned\x07\r\n"
        b"550-5.1.1 \xc2\x9b2J \x80 \xe2\x80\xae%s%n%99999d\r\n"
        b"550 5.1.1 x\" status=0 result=sent \\\r\n"
        if line.startswith(b"RCPT") else b"250 ok\r\n")
    if line.startswith(b"QUIT"):
        break
EOF
pids="$pids $!"
i=0
while [ ! -s "$tmp/hostile.port" ]; do
	i=$((i + 1))
	[ $i -lt 1200 ] || { echo "Bail out! no hostile server"; exit 1; }
	sleep 0.05
done
config "from alice@example.org" "auth none" "aliases none" \
    "server smtp+plain://127.0.0.1:$(cat "$tmp/hostile.port")"
logged 67 1 "a hostile server" "$sendmail" bob@example.net
has "$DEVLOG" "2 3 sendoff id=" "a hostile server: an error"
fields status=67 tls=none
printable
has "$DEVLOG" '\\x1b[31mno\\x07' "a hostile server: its escapes are shown"
has "$DEVLOG" '%s%n%99999d' "a hostile server: its percents are percents"
is "$(python3 -c 'import shlex, sys
words = shlex.split(open(sys.argv[1], errors="replace").read())
print([w for w in words if w.startswith(("status=", "result="))])' \
    "$DEVLOG")" "['status=67', 'result=refused']" \
    "a hostile server: its words stay within their quotes"
done_testing
