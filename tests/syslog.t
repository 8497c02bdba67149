#!/bin/sh
# The log where the system keeps it: facility mail (2), error (3), info (6).
. "$(dirname "$0")/tap.sh"

serve s --user 'alice@example.org:s3cret'
config "from alice@example.org" "server smtp://localhost:$port" \
    "ca-file $tmp/ca/ca.pem" "password s3cret" "aliases none"
printf 'Subject: t\n\nbody\n' > "$tmp/message"
export DEVLOG="$tmp/syslog"
export ASAN_OPTIONS="verify_asan_link_order=0:$ASAN_OPTIONS"

# logged STATUS WHAT COMMAND...: what it says to syslog is in $DEVLOG.
logged()
{
	rm -f "$DEVLOG"
	: > "$DEVLOG"
	status=$1
	what=$2
	shift 2
	run "$status" "$what" env LD_PRELOAD="$b/devlog.so" "$@"
	lacks "$DEVLOG" s3cret "$what: no password"
}

logged 0 "sent" "$sendmail" bob@example.net
is "$(wc -l < "$DEVLOG" | tr -d ' ')" 1 "sent: one line"
has "$DEVLOG" "2 6 sendoff id=" "sent: facility mail, information"
for field in account=default from=alice@example.org message-id= \
    server=smtp://localhost: host=localhost address=127.0.0.1 tls=TLS1.3 \
    cipher= verified=yes mechanism=SCRAM-SHA-256-PLUS greeting-ms= tls-ms= \
    auth-ms= octets= ms= status=0 to=bob@example.net result=sent reply=; do
	has "$DEVLOG" " $field" "sent: $field"
done
logged 67 "refused" "$sendmail" refuse-550-5.1.1@example.net
has "$DEVLOG" "2 3 sendoff id=" "refused: an error"
has "$DEVLOG" 'error="localhost[127.0.0.1]:' "refused: whose words"
has "$DEVLOG" " status=67 kind=no-user" "refused: status and kind"
has "$DEVLOG" " state=refused kept=" "refused: where it is kept"
rm -rf "$HOME/.local"
logged 0 "-L" "$sendmail" -L nightly bob@example.net
has "$DEVLOG" "2 6 nightly id=" "-L: the tag"
logged 0 "what is ignored" "$sendmail" -X /tmp/x -OTimeout=1 bob@example.net
has "$DEVLOG" "2 6 sendoff level=info note=" "what is ignored: a note"
has "$DEVLOG" "ignored on purpose: -X -O" "what is ignored: which"
logged 64 "a wrong command line" "$sendmail" -k
has "$DEVLOG" "2 3 sendoff " "a wrong command line: an error"
has "$DEVLOG" "status=64" "a wrong command line: its status"
printf 'From: \001a\033[31m\nTo: x\n\nbody\n' > "$tmp/message"
logged 0 "a hostile header" "$sendmail" bob@example.net
LC_ALL=C grep -q '[[:cntrl:]]' "$DEVLOG" && found=0 || found=1
is "$found" 1 "a hostile header: nothing that a terminal obeys"
done_testing
