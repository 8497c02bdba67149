#!/bin/sh
# Large messages and odd ones: memory that does not grow, SIZE that is true,
# a server that has enough.
. "$(dirname "$0")/tap.sh"

# octets N LINE: N octets of lines
octets()
{
	yes "$2" | head -c "$1"
}

account()			# URL LINE...
{
	url=$1
	shift
	config "from alice@example.test" "server $url" "ca-file $tmp/ca/ca.pem" \
	    "log none" "$@"
}

# What MAIL said last, and how many octets were stored since.
sizes()				# NAME WHAT
{
	stored=$(find "$tmp/$1/new" -type f -exec cat {} + | wc -c | tr -d ' ')
	rm -f "$tmp/$1"/new/*
	said=$(sed -n 's/^C: MAIL FROM:.* SIZE=\([0-9]*\).*/\1/p' \
	    "$tmp/$1.log" | tail -n 1)
	is "$said" "$stored" "$2: SIZE is what arrives"
}

try()				# WHAT PRINTF-FORMAT
{
	# shellcheck disable=SC2059
	printf "Subject: s\n\n$2" > "$tmp/message"
	for server in data bdat; do
		account "smtp+plain://localhost:$(cat "$tmp/$server.port")" \
		    "auth none"
		run 0 "$1 by $server" "$sendoff" -i bob@example.net
		sizes "$server" "$1 by $server"
	done
}

serve data --tls none --no-auth --size 100000000 --without CHUNKING \
    --log "$tmp/data.log"
serve bdat --tls none --no-auth --size 100000000 --log "$tmp/bdat.log"
try "LF" 'one\ntwo\n'
try "CRLF" 'one\r\ntwo\r\n'
try "no last line end" 'one\ntwo'
try "no body" ''
try "empty lines" '\n\n\n\n\n\n\n\n\n\n\n'
try "dots" '.\n..\n.a\n\n.\n'
try "CR alone" 'one\rtwo\r\r\n.\rthree\r'
try "a CR at the end" 'one\r'
try "beyond ASCII" 'h\303\266\303\266\n\377\n'
try "NUL" 'one\0two\n'
try "a long line" "$(octets 3000 xxxxxxxxxxxxxxx | tr -d '\n')\n"
{ printf 'Subject: s\n\n'; octets 3000000 .; } > "$tmp/message"
account "smtp+plain://localhost:$(cat "$tmp/data.port")" "auth none"
run 0 "many dots" "$sendoff" -i bob@example.net
is "$(cat "$tmp"/data/new/* | grep -c '^\.')" 1500000 \
    "many dots: arrive once each"
sizes data "many dots"

# Whatever held all of it would not fit.
limit=60000
large=64
case $b in */san*) limit=unlimited large=4 ;; esac
line=$(octets 76 xxxxxxxxxxxxxxxxxxx | tr -d '\n')
{
	printf 'Subject: s\n\n'
	octets $((large << 20)) "$line"
} > "$tmp/message"
bounded()			# COMMAND...
{
	(ulimit -v "$limit"; exec "$@")
}
for server in data bdat; do
	account "smtp+plain://localhost:$(cat "$tmp/$server.port")" "auth none"
	run 0 "$large MiB by $server in little memory" \
	    bounded "$sendoff" -i bob@example.net
	sizes "$server" "$large MiB by $server"
done
serve tls --tls implicit --size 100000000 --log "$tmp/tls.log" \
    --user alice@example.test:secret
account "smtps://localhost:$port" "password secret"
run 0 "$large MiB by TLS in little memory" \
    bounded "$sendoff" -i bob@example.net
sizes tls "$large MiB by TLS"

serve full --tls none --no-auth --size 2000000 --without SIZE \
    --log "$tmp/full.log"
account "smtp+plain://localhost:$port" "auth none" "keep never"
run 65 "a server that has enough" "$sendoff" -i bob@example.net
has "$tmp/err" "552 5.3.4 too large" "is the reported error"
sent=$(grep -c '^C: BDAT' "$tmp/full.log")
[ "$sent" -lt 40 ]
ok $? "and soon the end of the sending"
lacks "$tmp/full.log" LAST "which LAST does not close"
done_testing
