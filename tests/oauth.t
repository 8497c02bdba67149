#!/bin/sh
# oauth-command: where a token comes from, when it is made anew, who may see it,
# and what -q, -bs and the memory make of it.  The dialogues are transcripts,
# tests/functional/auth-*oauth*.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"
good='ya29.g00d-token_for~tests/+=='
mkdir "$tmp/state"

# The tool prints what is put by; asked for another, it fetches what is fresh.
# Without $tmp/fresh that fails.
cat > "$tmp/tool" <<END
#!/bin/sh
echo "refresh=\${SENDOFF_OAUTH_REFRESH-unset}" >> "$tmp/state/calls"
if [ "\$SENDOFF_OAUTH_REFRESH" = 1 ]; then
	cp "$tmp/state/fresh" "$tmp/state/token" 2> /dev/null || exit 9
fi
cat "$tmp/state/token"
END
chmod 700 "$tmp/tool"

serve one --user "alice@example.test:$good" --log "$tmp/one.log" \
    --user bob@example.test:s3cr3t
one=$port

account()			# LINE...
{
	config "from alice@example.test" "server smtp://localhost:${at:-$one}" \
	    "ca-file $tmp/ca/ca.pem" "log $tmp/log" "aliases none" "$@"
}

tokens()			# PUT-BY FRESH; "" for none
{
	rm -f "$tmp/state/fresh" "$tmp/state/calls"
	printf '%s\n' "$1" > "$tmp/state/token"
	[ -z "$2" ] || printf '%s\n' "$2" > "$tmp/state/fresh"
	settled
	: > "$tmp/one.log"
	rm -rf "$HOME/.local/state/sendoff"
}

calls()				# WANTED
{
	is "$(tr '\n' ' ' < "$tmp/state/calls")" "$1" "the command: $1"
}

heard()				# AUTH-COMMANDS GREETINGS
{
	is "$(grep -c 'C: AUTH' "$tmp/one.log") $(grep -c 'S: 220 .*ESMTP' \
	    "$tmp/one.log")" "$1 $2" "logins and connections: $1 $2"
}

# Nothing that could be read later has a token, whatever its form.
hidden()			# TOKEN
{
	find "$tmp/out" "$tmp/err" "$tmp/log" "$HOME/.local" -type f \
	    -exec cat {} + > "$tmp/all" 2> /dev/null
	for before in '' a aa; do
		word=$(printf '%s%s' "$before" "$1" | base64 -w 0 |
		    cut -c 5- | tr -d '=')
		lacks "$tmp/all" "${word%?}" "no base64 of the token"
	done
	lacks "$tmp/all" "$1" "nor the token itself"
}

silent()
{
	is "$(cat "$tmp/out" "$tmp/err")" '' "silent"
}

send="$sendoff -i carol@example.net"

# --- used ---------------------------------------------------------------------

account "oauth-command $tmp/tool"
tokens "$good" ''
run 0 "a token" $send
silent
calls 'refresh=unset '
heard 1 1
has "$tmp/one.log" 'AUTH OAUTHBEARER' "by OAUTHBEARER"
has "$tmp/log" 'mechanism=OAUTHBEARER' "as the log says"
hidden "$good"

tokens "$good" ''
account "oauth-command $tmp/tool" 'auth XOAUTH2'
run 0 "XOAUTH2" $send
has "$tmp/one.log" 'AUTH XOAUTH2' "by XOAUTH2"
run 0 "-v" "$sendoff" -v -i carol@example.net
has "$tmp/err" 'C: AUTH XOAUTH2 ***' "-v shows the command"
hidden "$good"

account "oauth-command $tmp/tool"
printf '%s\r\nnotes\n' "$good" > "$tmp/state/token"
run 0 "a line that ends in CR LF, and more lines" $send

# The variable is ours to set.
tokens "$good" ''
SENDOFF_OAUTH_REFRESH=1 run 0 "the variable of another run" $send
calls 'refresh=unset '

# --- made anew ----------------------------------------------------------------

tokens stale-token-of-tests "$good"
run 0 "a stale token" $send
silent
calls 'refresh=unset refresh=1 '
heard 2 1
has "$tmp/log" 'a new token is asked for' "the log has it"
hidden "$good"
hidden stale-token-of-tests

tokens stale-token-of-tests another-stale-token
run 77 "two that are refused" $send
calls 'refresh=unset refresh=1 '
heard 2 1
has "$tmp/err" 'refuses the token of alice@example.test by OAUTHBEARER: 535' \
    "the server's words"
has "$tmp/err" "it has expired, is withdrawn, or is not for this server \
(invalid_token); its scope must be mail; log in again with what oauth-command \
runs: $tmp/tool)" "what they mean and what to do"
is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "in one line"
is "$(kept)" 1 "it is kept"
hidden stale-token-of-tests
hidden another-stale-token

run 77 "--json" "$sendoff" --json -i carol@example.net
has "$tmp/out" 'refuses the token' "is told in JSON"
hidden another-stale-token

tokens stale-token-of-tests ''
run 77 "the command fails when it is asked again" $send
has "$tmp/err" "for a new token: oauth-command \"$tmp/tool\" failed with \
status 9" "both are told"
has "$tmp/err" 'refuses the token' "what the server said as well"

# A signal while a new one is fetched.
tokens stale-token-of-tests ''
printf '%s\n' "[ \"\$SENDOFF_OAUTH_REFRESH\" ] || exec cat $tmp/state/token" \
    "touch $tmp/state/asked" 'exec sleep 1000' > "$tmp/slow"
account "oauth-command 'sh $tmp/slow'"
$send < "$tmp/message" > "$tmp/out" 2> "$tmp/err" &
pid=$!
i=0
while [ ! -e "$tmp/state/asked" ] && [ $i -lt 1200 ]; do
	i=$((i + 1))
	sleep 0.05
done
kill "$pid"
wait "$pid"
is $? 75 "a signal while a new one is fetched"
has "$tmp/err" 'ended by signal 15' "ends it"
is "$(kept)" 1 "and the message is kept"
account "oauth-command $tmp/tool"

# --- what is no token ---------------------------------------------------------

no_token()			# WHAT TOKEN-TEXT ERROR [STATUS]
{
	tokens '' ''
	printf '%b' "$2" > "$tmp/state/token"
	run "${4:-78}" "$1" $send
	has "$tmp/err" "$3" "is told"
	is "$(wc -c < "$tmp/one.log" | tr -d ' ')" 0 "before any connection"
	is "$(kept)" 1 "it is kept"
}

no_token 'nothing' '' 'oauth-command has given no token' 75
no_token 'an empty line' '\ntoken\n' 'oauth-command has given no token' 75
no_token 'a CR in it' 's3cr\r3t\n' 'is no token'
no_token 'a ^A in it' 's3cr\00013t\n' 'is no token'
no_token 'a blank in it' 'Bearer s3cr3t\n' 'is no token'
no_token 'JSON' '{"access_token":"s3cr3t"}\n' 'is no token'
lacks "$tmp/err" s3cr3t "and not shown"
no_token 'a NUL in it' 's3cr\00003t\n' 'has a NUL in it'

tokens "$good" ''
account "oauth-command '$tmp/tool > /dev/null; exit 3'"
run 75 "a command that fails" $send
has "$tmp/err" "oauth-command \"$tmp/tool > /dev/null; exit 3\" failed with \
status 3" "with its status"

account "oauth-command /nowhere/tool"
run 78 "a command that is not there" $send
has "$tmp/err" "/nowhere/tool\" failed with status 127" "is told"

# The provider may be out of reach, as the server may.
tokens '' ''
account "oauth-command '$tmp/tool > /dev/null; exit 3'" 'retry yes'
run 0 "a command that fails, and retry yes" $send
is "$(grep -l 'NOOP state queued' "$HOME"/.local/state/sendoff/* | wc -l |
    tr -d ' ')" 1 "is queued"
run 0 "queued as well" $send
for file in "$HOME"/.local/state/sendoff/*; do
	sed -i 's/^NOOP next .*Z/NOOP next 2026-01-01T00:00:00Z/' "$file"
done
rm -f "$tmp/state/calls"
run 0 "-q, and it fails again" "$sendoff" -q
calls 'refresh=unset '
is "$(kept)" 2 "both stay"
tokens "$good" ''

# --- a token is no password, and so round -------------------------------------

account "oauth-command $tmp/tool" 'auth PLAIN LOGIN'
run 69 "a list without a mechanism for it" $send
has "$tmp/err" 'names none that takes a token' "is told"
lacks "$tmp/one.log" AUTH\ PLAIN "it goes by no other"
config 'from bob@example.test' "server smtp://localhost:$one" 'password s3cr3t' \
    "ca-file $tmp/ca/ca.pem" 'log none' 'auth OAUTHBEARER XOAUTH2'
run 69 "a password and a list for tokens" $send
has "$tmp/err" 'names none that takes a password' "is told"
account "oauth-command $tmp/tool" 'password s3cr3t'
run 78 "both" "$sendoff" --check
has "$tmp/err" 'sendoff.conf:7:1: an account has a password or oauth-command' \
    "with its place"
account "oauth-command $tmp/tool"
rm "$tmp/state/calls"
run 0 "--check" "$sendoff" --check
has "$tmp/out" "oauth-command        $tmp/tool" "shows the command"
[ ! -e "$tmp/state/calls" ]
ok $? "and does not run it"
run 64 "no long option names a command" "$sendoff" --oauth-command true x@y.z

# A file that others can write is not obeyed.
cp "$HOME/.config/sendoff.conf" "$tmp/others.conf"
chmod 666 "$tmp/others.conf"
run 77 "-C, and others can write it" "$sendoff" -C "$tmp/others.conf" -i c@d.example
has "$tmp/err" 'so its oauth-command is not run' "is told"
[ ! -e "$tmp/state/calls" ]
ok $? "it is not run"

# --- many messages ------------------------------------------------------------

tokens stale-token-of-tests "$good"
at=1
account "oauth-command $tmp/tool" 'retry yes'
at=
for i in 1 2 3; do
	run 0 "queued, $i" $send
done
rm -f "$tmp/state/calls"
account "oauth-command $tmp/tool" 'retry yes'
for file in "$HOME"/.local/state/sendoff/*; do
	sed -i 's/^NOOP next .*Z/NOOP next 2026-01-01T00:00:00Z/' "$file"
done
run 0 "-q" "$sendoff" -q
is "$(kept)" 0 "all are sent"
calls 'refresh=unset refresh=1 '
heard 2 1

# -bs: the command does not read what the caller says.
tokens "$good" ''
account "oauth-command 'cat > $tmp/read; $tmp/tool'"
printf '%s\r\n' 'EHLO me' 'MAIL FROM:<alice@example.test>' \
    'RCPT TO:<carol@example.net>' DATA 'Subject: x' '' x . QUIT > "$tmp/smtp"
"$sendmail" -bs < "$tmp/smtp" > "$tmp/out" 2> "$tmp/err"
is $? 0 "-bs"
is "$(grep -c '^250 .*queued\|^250 2.0.0' "$tmp/out")" 1 "is sent"
is "$(wc -c < "$tmp/read" | tr -d ' ')" 0 "the command has no input"
hidden "$good"

# --- what is remembered -------------------------------------------------------

seen=$HOME/.local/state/sendoff.memory/seen
serve two --user "alice@example.test:$good" --user bob@example.test:s3cr3t \
    --mechanisms 'SCRAM-SHA-256 PLAIN XOAUTH2'
two=$port

at_two()			# LINE...
{
	config "account two" "from alice@example.test" \
	    "server smtp://localhost:$two" "ca-file $tmp/ca/ca.pem" "log none" \
	    "$@"
}

remembers()			# MECHANISM
{
	is "$(grep ^two "$seen" | cut -f 3)" "$1" "$1 is remembered"
}

offered()			# MECHANISM: once, by that server
{
	sed -i "/^two/s/	[A-Z0-9-]*	TLS/	$1	TLS/" "$seen"
}

at_two "oauth-command $tmp/tool"
run 0 "a server with XOAUTH2" $send
remembers XOAUTH2
offered OAUTHBEARER
run 69 "that has offered OAUTHBEARER" $send
has "$tmp/err" 'offers XOAUTH2 now and has offered OAUTHBEARER' "is told"
remembers OAUTHBEARER
offered SCRAM-SHA-256-PLUS
run 0 "what was seen with a password is no measure" $send
remembers XOAUTH2
at_two 'user bob@example.test' 'password s3cr3t'
run 0 "nor what was seen with a token" $send
remembers SCRAM-SHA-256
at_two 'auth none'
run 69 "what needs no login" $send
remembers SCRAM-SHA-256

# The accounts of the manual are right as they stand.
sed -n '/^account /,/^\.Ed/{/^\.Ed/d;s/\\e/\\/;p}' \
    "$top/man/sendoff-oauth.7" > "$HOME/.config/sendoff.conf"
run 0 "sendoff-oauth(7)" "$sendoff" --check
is "$(grep -c '^account ' "$tmp/out")" 4 "has four accounts"

done_testing
