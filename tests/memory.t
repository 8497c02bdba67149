#!/bin/sh
# What a server has offered once is asked of it again; what accepts less.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"
seen=$HOME/.local/state/sendoff.memory/seen
(umask 077; echo secret > "$tmp/password")

# The same port, another server.
again()				# OPTION...
{
	kill "${pids##* }" 2>/dev/null || :
	wait "${pids##* }" 2>/dev/null || :
	rm -f "$tmp/again.port"
	serve again --listen "127.0.0.1:$port" \
	    --user alice@example.test:secret "$@"
}

serve first --user alice@example.test:secret
config "account work
from alice@example.test
server smtp://localhost:$port
ca-file $tmp/ca/ca.pem
password secret
log $tmp/log"
run 0 "strong" "$sendmail" -i bob@example.net
has "$seen" "work	smtp://localhost:$port	SCRAM-SHA-256-PLUS	TLS1.3" \
    "what it offered is noted"
is "$(stat -c %a "$seen")" 600 "for its owner alone"

again --mechanisms "PLAIN SCRAM-SHA-1"
run 69 "weaker mechanism" "$sendmail" -i bob@example.net
has "$tmp/err" "offers SCRAM-SHA-1 now and has offered SCRAM-SHA-256-PLUS" \
    "says what is weaker"
has "$tmp/err" "sendoff --forget=work" "and what accepts it"
is "$(kept)" 1 "and the message is kept"
run 69 "weaker, whatever auth says" "$sendoff" --auth=PLAIN \
    --password-file "$tmp/password" -i bob@example.net
run 0 "forgotten" "$sendoff" --forget work
has "$tmp/out" \
    'what the servers of the account "work" have offered is forgotten (1)' \
    "says what it has done"
run 64 "an account that there is not" "$sendoff" --forget wrok
has "$tmp/err" "wrok: there is no kept message of this id (mailq lists them), \
and no such account" "is told"
run 0 "accepted" "$sendmail" -i bob@example.net
has "$seen" "	SCRAM-SHA-1	TLS1.3" "the new one is noted"

again --mechanisms PLAIN --tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2
run 69 "TLS 1.2 after 1.3" "$sendmail" -i bob@example.net
has "$tmp/err" "offers TLS1.2 now and has offered TLS1.3" "says so"
run 69 "asked for by us, but the mechanism" "$sendoff" \
    --tls-priority=-VERS-TLS1.3 --password-file "$tmp/password" \
    -i bob@example.net
has "$tmp/err" "offers PLAIN now" "is the mechanism's fault"

again --mechanisms "SCRAM-SHA-256 SCRAM-SHA-1"
run 0 "stronger" "$sendmail" -i bob@example.net
has "$seen" "	SCRAM-SHA-256	TLS1.3" "is noted"
is "$(grep -c . "$seen")" 1 "in the place of the old one"

again --mechanisms SCRAM-SHA-256 --fault auth-535
run 0 "forgotten again" "$sendoff" --forget=work
run 77 "a refused login" "$sendmail" -i bob@example.net
is "$(grep -c . "$seen")" 0 "teaches nothing"

again
rm -rf "$HOME/.local"
: > "$HOME/.local"
run 0 "a home that cannot be written" "$sendmail" -i bob@example.net
has "$tmp/log" "cannot be remembered" "costs a line in the log"
done_testing
