#!/bin/sh
# --probe: what it says of a good server and of bad ones, with and without a
# password, a configuration, a terminal; tests/interop/probe.t has DNSSEC.
. "$(dirname "$0")/tap.sh"

: > "$tmp/message"
schema=$top/man/sendoff-probe.schema.json
password=corRect-h0rse

serve tls --tls=starttls --user "alice:$password" --log "$tmp/tls.log"
starttls=$port
serve implicit --tls=implicit --user "alice:$password"
implicit=$port

valid()				# WHAT: $tmp/out is as the schema has it
{
	/usr/bin/python3 "$top/tests/schema.py" "$schema" < "$tmp/out" \
	    > "$tmp/wrong" 2>&1
	is "$(cat "$tmp/wrong")" '' "$1: as the schema has it"
}

json()				# PATH WANTED WHAT
{
	is "$(/usr/bin/python3 -c 'import json, sys
value = json.load(open(sys.argv[1]))
for name in sys.argv[2].split("."):
    value = value[int(name) if name.lstrip("-").isdigit() else name]
print(value)' "$tmp/out" "$1" 2>&1)" "$2" "$3"
}

narrow()			# WHAT: 80 columns, and nothing but text
{
	is "$(LC_ALL=C.UTF-8 awk 'length($0) > 80' "$tmp/out")" '' \
	    "$1: 80 columns"
	is "$(LC_ALL=C tr -d '\n -~\302-\364\200-\277' < "$tmp/out" |
	    wc -c)" 0 "$1: no control, no escape"
	lacks "$tmp/out" "$password" "$1: no password"
	lacks "$tmp/out" "$(printf '%s' "$password" | base64)" \
	    "$1: nor in base64"
}

flat()				# the output without its line breaks
{
	tr -s '\n ' '  ' < "$tmp/out" > "$tmp/flat"
}

# --- a good server --------------------------------------------------------------

config "from alice@example.test" "user alice" "password $password" \
    "server smtp://localhost:$starttls" "ca-file $tmp/ca/ca.pem" \
    "log $tmp/log" "aliases none"
run 0 "a good server" "$sendoff" --probe
is "$(cat "$tmp/err")" '' "nothing on standard error"
narrow "a good server"
flat
for words in "220 mail.example.test ESMTP submitd (" "reached 127.0.0.1 (" \
    "TLS1.3, TLS_AES_" "binding tls-exporter" "1. subject CN=mail.example.test" \
    "names localhost, mail.example.test" "PKIX verified (pkix)" \
    "DANE not asked" "so it is verified, by pkix" \
    "SCRAM-SHA-256-PLUS was used" "PLAIN comes after SCRAM-SHA-256-PLUS" \
    "OAUTHBEARER wants a token" "logged in by SCRAM-SHA-256-PLUS" \
    "CHUNKING yes:" "FUTURERELEASE no:" "a message could be sent"; do
	has "$tmp/flat" "$words" "it says: $words"
done
lacks "$tmp/out" Advice "and has no advice"
pin=$(openssl x509 -in "$tmp/ca/good.pem" -noout -pubkey |
    openssl pkey -pubin -outform DER | sha256sum | cut -d ' ' -f 1)
has "$tmp/out" "pin sha256:$pin" "the pin is that of the key"
print=$(openssl x509 -in "$tmp/ca/good.pem" -outform DER | sha256sum |
    cut -d ' ' -f 1)
has "$tmp/out" "SHA-256 $print" "the fingerprint that of the certificate"
is "$(grep -c 'C: MAIL' "$tmp/tls.log")" 0 "no mail was begun"

run 0 "in JSON" "$sendoff" --probe --json
valid "a good server"
lacks "$tmp/out" "$password" "no password in it"
json login.mechanism SCRAM-SHA-256-PLUS "the mechanism"
json servers.0.tls.chain.0.pin "sha256:$pin" "the pin"
json servers.0.tls.pkix.verified True "PKIX"
json servers.0.steps.2.step STARTTLS "the steps"
json servers.0.addresses.0.reached True "the address"
json status 0 "the status"

run 0 "implicit TLS" "$sendoff" --server "smtps://localhost:$implicit" \
    --probe
flat
has "$tmp/flat" "--server takes the secret" "another server gets no password"
has "$tmp/flat" "as far as can be seen without a login" "and it goes without"
lacks "$tmp/out" STARTTLS "no STARTTLS there"
printf '%s\n' "$password" > "$tmp/password"
run 0 "with a password for it" "$sendoff" --password-file "$tmp/password" \
    --probe="smtps://alice@localhost:$implicit"
flat
has "$tmp/flat" "logged in by SCRAM-SHA-256-PLUS" "it logs in"
narrow "a URL"
run 0 "the URL as an argument" "$sendoff" --password-file "$tmp/password" \
    --probe "smtps://alice@localhost:$implicit"
has "$tmp/out" "logged in" "the same"

# --- recipients -----------------------------------------------------------------

: > "$tmp/tls.log"
run 0 "recipients" "$sendoff" --probe=rcpt bob@example.net,carol@example.net
flat
for who in bob carol; do
	has "$tmp/flat" "accepted <$who@example.net> 250 2.1.5" "$who"
done
has "$tmp/flat" "sender <alice@example.test> 250 2.1.0" "the sender"
is "$(grep -c 'C: RSET' "$tmp/tls.log") $(grep -c 'C: \(DATA\|BDAT\)' \
    "$tmp/tls.log")" "1 0" "RSET, and no data"
run 0 "in JSON" "$sendoff" --json --probe=rcpt bob@example.net
valid "recipients"
json recipients.0.accepted True "accepted"

run 0 "a recipient beyond ASCII" "$sendoff" \
    --probe=rcpt "jos$(printf '\303\251')@example.org"
has "$tmp/tls.log" "C: MAIL FROM:<alice@example.test> SMTPUTF8" \
    "MAIL asks for SMTPUTF8"

: > "$tmp/tls.log"
run 0 "a local name" "$sendoff" --require-tls --default-recipient \
    carol@example.net -f alice@localhost -N never \
    --probe=rcpt root carol@example.net
has "$tmp/tls.log" "C: MAIL FROM:<alice@example.test> REQUIRETLS" \
    "MAIL demands what a submission would"
is "$(grep 'C: RCPT TO' "$tmp/tls.log" | sed 's/ORCPT.*//')" \
    "C: RCPT TO:<carol@example.net> NOTIFY=NEVER " \
    "who is behind a local name is named once, as a submission would"
run 78 "a local name that nobody is behind" "$sendoff" --json \
    --probe=rcpt root bob@example.net
valid "a local name that nobody is behind"
json recipients.0.accepted False "nobody is behind it"
json recipients.1.accepted True "the other is asked about"

serve few --tls=starttls --user "alice:$password" --limits "RCPTMAX=1"
few="--password-file $tmp/password --user alice"
# shellcheck disable=SC2086
run 75 "one too many" "$sendoff" $few --probe=rcpt \
    "smtp://localhost:$port" bob@example.net carol@example.net
flat
has "$tmp/flat" "accepted <bob@example.net> 250" "the first"
has "$tmp/flat" "not accepted <carol@example.net> 452" "the second"
has "$tmp/err" "452" "and the error has the server's words"
run 75 "a server that goes" "$sendoff" --json --probe=rcpt \
    code-421@example.net carol@example.net
valid "a server that goes"
for i in 0 1; do
	json recipients.$i.accepted False "it has not accepted $i"
	json recipients.$i.reason "localhost[127.0.0.1]:$starttls: naming a \
recipient: server said 421 as you wish" "and why"
done
run 64 "no recipients" "$sendoff" --probe=rcpt
run 64 "recipients without rcpt" "$sendoff" --probe bob@example.net
run 65 "no address" "$sendoff" --probe=rcpt 'a b@c d'
run 64 "not as sendmail" "$sendmail" --probe

# --- no configuration -----------------------------------------------------------

mv "$HOME/.config/sendoff.conf" "$tmp/conf"
run 0 "no configuration" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --probe="smtp://localhost:$starttls"
flat
has "$tmp/flat" "nobody is named that could log in" "nobody to log in"
has "$tmp/flat" "SCRAM-SHA-256-PLUS would be used" "but how is said"
run 78 "nor a server" "$sendoff" --probe
is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "one line"

# --- bad servers ----------------------------------------------------------------

bad()				# STATUS WHAT URL WORDS OPTION...: as it is told
{
	status=$1 what=$2 url=$3 words=$4
	shift 4
	run "$status" "$what" "$sendoff" "$@" --timeout-reply 5 --probe="$url"
	flat
	has "$tmp/flat" "$words" "$what: $words"
	has "$tmp/flat" "could not be sent (exit status $status)" \
	    "$what: the verdict"
	is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "$what: one line of error"
	narrow "$what"
	run "$status" "$what, JSON" "$sendoff" "$@" --timeout-reply 5 --json \
	    --probe="$url"
	valid "$what"
}

ca="--ca-file $tmp/ca/ca.pem"
# shellcheck disable=SC2086
{
bad 75 "an authority that nobody knows" "smtp://localhost:$starttls" \
    "leads to no authority that is trusted"
has "$tmp/out" '"verified":false' "and it goes on to look"
serve expired --tls=implicit --certificate expired
bad 75 "an expired certificate" "smtps://localhost:$port" "it expired on" $ca
serve wrong --tls=implicit --certificate wrong-name
bad 75 "another name" "smtps://localhost:$port" "not for localhost" $ca
serve own --tls=implicit --certificate self-signed
bad 75 "signed by itself" "smtps://localhost:$port" "signed by itself" $ca
serve none --tls=none
bad 69 "no STARTTLS" "smtp://localhost:$port" "STARTTLS"
serve away --tls=starttls --fault greeting-554
bad 69 "a greeting that is none" "smtp://localhost:$port" "554"
serve later --tls=starttls --fault greeting-421
bad 75 "not now" "smtp://localhost:$port" "421"
serve old --tls=none --hello 502
run 0 "no EHLO" "$sendoff" --json --auth none --from alice@example.test \
    --probe="smtp+plain://localhost:$port"
valid "no EHLO"
json servers.0.steps.2.step HELO "then HELO"
json servers.0.steps.2.reply "250 mail.example.test" "and its reply"
serve mute --tls=starttls --fault silent
bad 75 "silence" "smtp://localhost:$port" "timed out" --timeout-reply 1
bad 75 "no server" "smtp://localhost:1" "not reached"
bad 76 "no TLS on the port" "smtps://localhost:$starttls" \
    "does not speak TLS"
serve deny --tls=implicit --user "alice:$password" --fault auth-535
bad 77 "the login refused" "smtps://alice@localhost:$port" "535" $ca \
    --password-file "$tmp/password"
}

serve early --tls=starttls --user alice:x --auth-without-tls
early=$port
run 0 "AUTH before TLS" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --probe="smtp://localhost:$port"
flat
has "$tmp/flat" "announces PLAIN before TLS" "is advised against"
has "$tmp/flat" "PLAIN comes after SCRAM-SHA-256-PLUS (and before TLS)" \
    "and shown"
serve plain --tls=implicit --mechanisms "PLAIN LOGIN"
run 0 "no SCRAM" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --probe="smtps://localhost:$port"
flat
has "$tmp/flat" "offers no SCRAM: with PLAIN it sees the password" "is said"
run 0 "auth of one's own" "$sendoff" --ca-file "$tmp/ca/ca.pem" --auth LOGIN \
    --probe="smtps://localhost:$port"
flat
has "$tmp/flat" 'PLAIN is not in "auth"' "the one"
has "$tmp/flat" "LOGIN would be used" "the other"
run 0 "a least mechanism" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --auth-minimum CRAM-MD5 --probe="smtp://localhost:$starttls"
flat
has "$tmp/flat" 'PLAIN is weaker than "auth-minimum"' "what is below it"
has "$tmp/flat" "SCRAM-SHA-256-PLUS would be used" "and what is not"
config "from alice@example.test" "ca-file $tmp/ca/ca.pem" "log none" \
    "oauth-command \"echo token\"" "server smtp://localhost:$starttls"
run 0 "a token" "$sendoff" --quit-after ehlo
run 77 "a token that is refused" "$sendoff" --probe
flat
has "$tmp/flat" "PLAIN wants a password; a token is none" "no password there"
rm "$HOME/.config/sendoff.conf"
serve odd --tls=implicit --mechanisms "X-OWN PLAIN" --without SIZE
run 0 "mechanisms of another kind" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --probe="smtps://localhost:$port"
flat
has "$tmp/flat" "X-OWN is not known here" "one that nobody knows"
has "$tmp/flat" "SIZE no: a message that is too large is found out only when" \
    "no SIZE"
run 0 "a URL without TLS" "$sendoff" --auth none \
    --probe="smtp+plain://localhost:$starttls"
flat
has "$tmp/flat" "offers STARTTLS, which this URL does not use" "is advised"
serve lines --tls=implicit --without PIPELINING,CHUNKING --tls-priority \
    "NORMAL:-VERS-TLS1.3"
run 0 "TLS 1.2" "$sendoff" --ca-file "$tmp/ca/ca.pem" \
    --probe="smtps://localhost:$port"
flat
has "$tmp/flat" "TLS1.2 and not TLS 1.3" "is said"
has "$tmp/flat" "PIPELINING no: each command waits" "so is what is missing"

serve rude --tls=starttls --auth-without-tls \
    --mechanisms "$(printf '\033[2J')X"
run 0 "a server that writes to terminals" "$sendoff" --auth none \
    --ca-file "$tmp/ca/ca.pem" --probe="smtp://localhost:$port"
narrow "a server that writes to terminals"
flat
has "$tmp/flat" '\x1b[2JX is not known here' "its mechanism, as text"
has "$tmp/flat" 'announces \x1b[2JX before TLS' "so in the advice"

run 78 "a password, had there been one, for all to hear" "$sendoff" \
    --probe="smtp+plain://alice@0.0.0.0:$early"
has "$tmp/err" "the password would not be safe on this connection" "is said"
flat
has "$tmp/flat" "SCRAM-SHA-256 would be used in TLS" "and by what it could be"
has "$tmp/flat" "not tried there is no password" "beside what is missing"
has "$tmp/flat" "a message could not be sent (exit status 78)" "and counts"
run 0 "nobody whose it would be" "$sendoff" \
    --probe="smtp+plain://0.0.0.0:$early"

serve less --tls=implicit --without REQUIRETLS --user "alice:$password"
run 69 "what the account demands, and the server has not" "$sendoff" \
    --require-tls --auth none --ca-file "$tmp/ca/ca.pem" \
    --probe="smtps://localhost:$port"
has "$tmp/err" "the server does not offer REQUIRETLS (5.7.30)" "is said"
flat
has "$tmp/flat" "a message could not be sent (exit status 69)" "and counts"

# --- a terminal -----------------------------------------------------------------

mv "$tmp/conf" "$HOME/.config/sendoff.conf"
esc=$(printf '\033')
script -qec "$sendoff --probe" /dev/null < /dev/null > "$tmp/out" 2>&1
has "$tmp/out" "${esc}[32m" "colour on a terminal"
NO_COLOR=1 script -qec "$sendoff --probe" /dev/null < /dev/null > "$tmp/out" \
    2>&1
lacks "$tmp/out" "$esc" "none with NO_COLOR"


config "from alice@example.test" "server smtp:///$tmp/unix" "auth none"
run 75 "a socket that is not there" "$sendoff" --probe
done_testing
