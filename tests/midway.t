#!/bin/sh
# The system fails when a message is half sent: a spool that cannot be read, a
# kept file that cannot be marked.  Nobody gets half of it, and it is kept.
. "$(dirname "$0")/tap.sh"
no_leaks=${ASAN_OPTIONS-}:detect_leaks=0	# none can be found under strace

serve data --tls=none --without CHUNKING
data=$port
serve bdat --tls=none
bdat=$port

account()			# PORT LINE...
{
	at=$1
	shift
	config 'from alice@example.org' "server smtp+plain://localhost:$at" \
	    'auth none' 'aliases none' 'log none' "$@"
}

failing()			# INJECT COMMAND...
{
	inject=$1
	shift
	ASAN_OPTIONS=$no_leaks strace -f -o "$tmp/trace" -e "inject=$inject" "$@"
}

come()				# NAME: how many that server has
{
	find "$tmp/$1" -path '*/new/*' -type f | wc -l | tr -d ' '
}

id()
{
	"$sendmail" -bp | sed -n 's/^\([0-9TZ]*-[0-9a-f]*\) .*/\1/p'
}

# --- the spool: larger than what is kept in memory ---------------------------------

{
	printf 'Subject: large\n\n'
	yes 'a line of some octets or other' | head -n 100000
	echo 'the last line'
} > "$tmp/message"
for name in data bdat; do
	eval "account \$$name"
	run 74 "$name: the spool cannot be read" failing \
	    pread64:error=EIO:when=5 "$sendmail" -i bob@example.net
	is "$(grep -c INJECTED "$tmp/trace")" 1 "$name: it was so once"
	has "$tmp/err" 'the spooled message cannot be read: Input/output error' \
	    "$name: why is told"
	is "$(come $name)" 0 "$name: nobody has the half of it"
	is "$(kept)" 1 "$name: it is kept"
	run 0 "$name: and sent again" "$sendmail" -qI "$(id)"
	is "$(come $name) $(kept)" '1 0' "$name: it has come, once"
	is "$(find "$tmp/$name" -path '*/new/*' -type f -exec cat {} + |
	    tr -d '\r' | sed '1,/^$/d' | cksum)" \
	    "$(sed '1,/^$/d' "$tmp/message" | cksum)" "$name: all of it"
done

# --- the mark in front of the last data --------------------------------------------

printf 'Subject: small\n\nbody\n' > "$tmp/message"
for name in data bdat; do
	before=$(come $name)
	account 1 'retry yes'
	run 0 "$name: queued" "$sendmail" bob@example.net
	eval "account \$$name 'retry yes'"
	run 73 "$name: no room for the mark" failing pwrite64:error=ENOSPC \
	    "$sendmail" -qI "$(id)"
	has "$tmp/err" 'cannot be written: No space left on device' \
	    "$name: why is told"
	is "$(come $name)" "$before" "$name: it has not been sent"
	is "$("$sendmail" -bp | grep -c ' queued ')" 1 "$name: it stays queued"
	run 0 "$name: with room" "$sendmail" -qI "$(id)"
	is "$(($(come $name) - before)) $(kept)" '1 0' "$name: it has come, once"

	account 1 'retry yes'
	run 0 "$name: queued again" "$sendmail" bob@example.net
	eval "account \$$name 'retry yes'"
	before=$(come $name)
	run 73 "$name: a mark that may not last" failing fsync:error=EIO \
	    "$sendmail" -qI "$(id)"
	is "$(come $name)" "$before" "$name: then it is not sent either"
	is "$("$sendmail" -bp | grep -c ' unknown ')" 1 \
	    "$name: what the file says by then is left to a person"
	rm -rf "$HOME/.local"
done
done_testing
