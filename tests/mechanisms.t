#!/bin/sh
# Every mechanism, over STARTTLS and implicit TLS, with right and wrong
# passwords, against a server that knows nothing of our code.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n.dot\n' > "$tmp/message"

account()			# URL MECHANISM PASSWORD
{
	config "from alice@example.test" "server $1" "password '$3'" \
	    "auth $2" "ca-file $tmp/ca/ca.pem" "log none"
}

envelope()			# the newest one
{
	find "$tmp/$1/envelope" -type f -newer "$tmp/mark" -exec cat {} +
}

for tls in starttls implicit tls12; do
	case $tls in
	starttls) serve $tls --tls=starttls --user 'alice@example.test:s€ cret'
		url=smtp://localhost:$port ;;
	implicit) serve $tls --tls=implicit --user 'alice@example.test:s€ cret'
		url=smtps://localhost:$port ;;
	tls12) serve $tls --tls=implicit --user 'alice@example.test:s€ cret' \
		--tls-priority NORMAL:-VERS-ALL:+VERS-TLS1.2
		url=smtps://localhost:$port ;;
	esac
	for mechanism in SCRAM-SHA-256-PLUS SCRAM-SHA-256 SCRAM-SHA-1-PLUS \
	    SCRAM-SHA-1 CRAM-MD5 PLAIN LOGIN; do
		account "$url" $mechanism 's€ cret'
		touch "$tmp/mark"
		sleep 0.01
		run 0 "$tls $mechanism" "$sendoff" -i bob@example.net
		is "$(cat "$tmp/out" "$tmp/err")" '' "$tls $mechanism: silent"
		envelope $tls > "$tmp/envelope"
		has "$tmp/envelope" "mechanism $mechanism" "$tls $mechanism: used"
		account "$url" $mechanism 'wrong'
		run 77 "$tls $mechanism, wrong password" \
		    "$sendoff" -i bob@example.net
		has "$tmp/err" 535 "$tls $mechanism: the server's words"
	done
	account "$url" auto 's€ cret'
	touch "$tmp/mark"
	sleep 0.01
	run 0 "$tls auto" "$sendoff" -i bob@example.net
	envelope $tls > "$tmp/envelope"
	has "$tmp/envelope" "mechanism SCRAM-SHA-256-PLUS" "$tls: the strongest"
done

# RFC 5802 section 6: the flag "y" tells the server that it was taken out.
serve struck --tls=implicit --user 'alice@example.test:secret' \
    --fault plus-struck
account "smtps://localhost:$port" auto secret
run 77 "-PLUS struck out" "$sendoff" -i bob@example.net
has "$tmp/err" "535 5.7.8" "the server notices"

# RFC 5929: without an extended master secret two connections can have the same.
serve unbound --tls=implicit --user 'alice@example.test:secret' \
    --tls-priority 'NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH'
account "smtps://localhost:$port" auto secret
run 0 "TLS 1.2 without extended master secret" "$sendoff" -i bob@example.net
cat "$tmp"/unbound/envelope/* > "$tmp/envelope"
grep -qx "mechanism SCRAM-SHA-256" "$tmp/envelope" && got=0 || got=1
is "$got" 0 "nothing is bound to it"
account "smtps://localhost:$port" SCRAM-SHA-256-PLUS secret
run 69 "not even when it must" "$sendoff" -i bob@example.net
has "$tmp/err" "the server offers the mechanisms SCRAM-SHA-256-PLUS" \
    "though the server would"

serve external --tls=implicit --client-ca --mechanisms EXTERNAL
config "from alice@example.test" "server smtps://localhost:$port" \
    "client-certificate $tmp/ca/client.pem" "client-key $tmp/ca/client.key" \
    "ca-file $tmp/ca/ca.pem" "log none"
run 0 "EXTERNAL by certificate" "$sendoff" bob@example.net
cat "$tmp"/external/envelope/* > "$tmp/envelope"
has "$tmp/envelope" "mechanism EXTERNAL" "EXTERNAL: used"
serve required --tls=implicit --client-ca --require-client-cert \
    --mechanisms EXTERNAL
config "from alice@example.test" "server smtps://localhost:$port" \
    "ca-file $tmp/ca/ca.pem" "auth none" "log none"
run 77 "a client certificate is wanted" "$sendoff" bob@example.net
has "$tmp/err" "wants a client certificate and there is none" \
    "and that is said"
config "from alice@example.test" "server smtps://localhost:$port" \
    "client-certificate $tmp/ca/client-other.pem" "auth none" \
    "client-key $tmp/ca/client-other.key" \
    "ca-file $tmp/ca/ca.pem" "log none"
run 77 "a client certificate of another issuer" "$sendoff" bob@example.net
has "$tmp/err" "does not accept the client certificate $tmp/ca/client-other" \
    "is told apart"

serve liar --tls=implicit --user 'alice@example.test:secret' \
    --fault wrong-server-signature
account "smtps://localhost:$port" SCRAM-SHA-256 secret
run 77 "a server that does not know the password" "$sendoff" bob@example.net
is "$(find "$tmp/liar/new" -type f 2>/dev/null | wc -l | tr -d ' ')" 0 \
    "and nothing was sent to it"
done_testing
