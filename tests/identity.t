#!/bin/sh
# A client certificate, and an Ed25519 key alone, to which sendoff makes one:
# what the server gets to know, and how it is told.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"
# RFC 8032 section 7.1, TEST 1: the secret key, and SHA-256 of its public key's
# SubjectPublicKeyInfo (RFC 8410 section 4).
seed=nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A
digest=$(printf '%s' MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= |
    openssl base64 -d -A | openssl dgst -sha256 -r | cut -d' ' -f1)
other=$(openssl rand -base64 32)

account()			# URL KEY LINE...
{
	url=$1 key=$2
	shift 2
	config "from alice@example.test" "server $url" "ca-file $tmp/ca/ca.pem" \
	    "log none" "client-key-ed25519 $key" "$@"
}

used()				# SERVER WHAT: the newest was by EXTERNAL
{
	find "$tmp/$1/envelope" -type f -newer "$tmp/mark" -exec cat {} + \
	    > "$tmp/envelope"
	has "$tmp/envelope" "mechanism EXTERNAL" "$2: by EXTERNAL"
	rm -rf "$tmp/$1/envelope"/*
}

# --- it logs in -----------------------------------------------------------------

versions=NORMAL:-VERS-ALL:+VERS-TLS
touch "$tmp/mark"
for version in 1.2 1.3; do
	for tls in starttls implicit; do
		serve "$tls$version" --tls=$tls --client-key "$digest" \
		    --require-client-cert --mechanisms 'EXTERNAL PLAIN' \
		    --tls-priority "$versions$version"
		case $tls in
		starttls) url=smtp://localhost:$port ;;
		implicit) url=smtps://localhost:$port ;;
		esac
		what="TLS $version, $tls"
		account "$url" $seed
		run 0 "$what" "$sendoff" -i bob@example.net
		is "$(cat "$tmp/out" "$tmp/err")" '' "$what: silent"
		used "$tls$version" "$what"
		account "$url" "$other"
		run 77 "$what, another key" "$sendoff" -i bob@example.net
		has "$tmp/err" \
		    'not accept the client certificate of client-key-ed25519' \
		    "$what, another key: is refused"
		lacks "$tmp/err" "$other" "$what, another key: is not shown"
	done
done

# The same 32 octets: padded, and in the other alphabet.
for form in "$seed=" "$(printf %s $seed | tr _- /+)" \
    "$(printf %s $seed | tr _- /+)="; do
	account "$url" "$form"
	run 0 "as $form" "$sendoff" -i bob@example.net
	used implicit1.3 "as $form"
done

account "$url" $seed "password secret"
run 0 "with a password, too" "$sendoff" -i bob@example.net
used implicit1.3 "with a password, too"
account "$url" $seed "sandbox no"
run 0 "without the sandbox" "$sendoff" -i bob@example.net
used implicit1.3 "without the sandbox"
account "$url" $seed
run 0 "with a transcript" "$sendoff" -vvv --json --log-level debug \
    -i bob@example.net
has "$tmp/err" "AUTH EXTERNAL" "with a transcript: there it is"
cat "$tmp/out" >> "$tmp/err"
lacks "$tmp/err" "$seed" "and no key in it"
lacks "$tmp/err" 9d61b19deffd5a60ba844af492ec2cc4 "nor its octets"
printf '%s\n' "from a@b.example" "log none" "ca-file $tmp/ca/ca.pem" \
    > "$HOME/.config/sendoff.conf"
run 77 "nobody" "$sendoff" --server "$url" --auth none -i bob@example.net
has "$tmp/err" "wants a client certificate and there is none" "nobody: is told"

# --- a server that cannot ---------------------------------------------------------

for version in 1.2 1.3; do
	serve "weak$version" --tls=implicit --client-key "$digest" \
	    --require-client-cert --mechanisms EXTERNAL \
	    --tls-priority "$versions$version:-SIGN-EDDSA-ED25519"
	account "smtps://localhost:$port" $seed
	run 77 "no Ed25519 there, TLS $version" "$sendoff" -i bob@example.net
	has "$tmp/err" "the server knows no key of the kind that the client \
certificate of client-key-ed25519 has; an ECDSA or RSA key will do" \
	    "no Ed25519 there, TLS $version: is told"
done
serve weak --tls=implicit --client-key "$digest" \
    --user 'alice@example.test:secret' \
    --tls-priority "${versions}1.3:-SIGN-EDDSA-ED25519"
account "smtps://localhost:$port" $seed
run 69 "it does not insist" "$sendoff" -i bob@example.net
has "$tmp/err" "it knows no key of the kind that the client certificate has" \
    "it does not insist: is told"
account "smtps://localhost:$port" $seed "password secret"
run 0 "it does not insist, and there is a password" "$sendoff" -i bob@example.net

serve passwords --tls=implicit --user 'alice@example.test:secret'
account "smtps://localhost:$port" $seed
run 69 "one that takes none" "$sendoff" -i bob@example.net
has "$tmp/err" "; it has asked for no client certificate" "is told"
serve stranger --tls=implicit --client-key "$digest" \
    --user 'alice@example.test:secret'
account "smtps://localhost:$port" "$other"
run 69 "one that does not know it" "$sendoff" -i bob@example.net
has "$tmp/err" "; it may not know the client certificate (sendoff \
--print-certificate)" "is told, and what to do"

# --- told, for the server -------------------------------------------------------------

account smtps://localhost:1 $seed
run 0 --check "$sendoff" --check
has "$tmp/out" "client-key-ed25519   ***" "--check does not show the key"
lacks "$tmp/out" "$seed" "nor elsewhere"
has "$tmp/out" "# its public key is sha256:$digest" "but its public half"
run 0 --print-certificate "$sendoff" --print-certificate
is "$(cat "$tmp/err")" '' "silent"
cp "$tmp/out" "$tmp/certificate"
is "$(openssl x509 -in "$tmp/certificate" -noout -pubkey |
    openssl pkey -pubin -outform der | openssl dgst -sha256 -r |
    cut -d' ' -f1)" "$digest" "the certificate is of that key"
openssl verify -CAfile "$tmp/certificate" -purpose sslclient -check_ss_sig \
    "$tmp/certificate" > "$tmp/out" 2>&1
ok $? "it vouches for itself, as a client"
sleep 1
run 0 "again" "$sendoff" --print-certificate
is "$(cat "$tmp/out")" "$(cat "$tmp/certificate")" "and is the same each time"
config "from a@b.example" "server smtps://localhost:1" "log none" \
    "client-key-ed25519 $seed" "account other" "client-key-ed25519 $other"
run 0 "an account" "$sendoff" --account other --print-certificate
[ "$(cat "$tmp/out")" != "$(cat "$tmp/certificate")" ]
ok $? "has its own"
config "from a@b.example" "server smtps://localhost:1" "log none" \
    "client-certificate $tmp/ca/client.pem" "client-key $tmp/ca/client.key"
run 0 "a certificate of a file" "$sendoff" --check
has "$tmp/out" "# its public key is sha256:$(openssl x509 \
    -in "$tmp/ca/client.pem" -noout -pubkey | openssl pkey -pubin \
    -outform der | openssl dgst -sha256 -r | cut -d' ' -f1)" "likewise"
run 0 "printed" "$sendoff" --print-certificate
is "$(openssl x509 -in "$tmp/ca/client.pem")" "$(cat "$tmp/out")" \
    "the first of its file"
run 78 "no file" "$sendoff" --print-certificate --client-certificate=/none
has "$tmp/err" "/none cannot be read: No such file" "is told"
run 0 "and by --check, which goes on" "$sendoff" --check
run 78 "a key alone" "$sendoff" --print-certificate \
    --client-certificate="$tmp/ca/client.key"
has "$tmp/err" "is wanted there, in PEM (BEGIN CERTIFICATE)" "what it should be"
config "from a@b.example" "server smtps://localhost:1" \
    "client-certificate pkcs11:object=x"
run 78 "in a token" "$sendoff" --print-certificate
has "$tmp/err" "p11tool --export" "what prints it"
config "from a@b.example" "server smtps://localhost:1" "password secret"
run 78 "no certificate" "$sendoff" --print-certificate
has "$tmp/err" "has no client certificate; add client-key-ed25519" "is told"

# --- files: who wants one block after the other may have them as they are ------

serve pem --tls=implicit --client-ca --require-client-cert --mechanisms EXTERNAL
ca=$tmp/ca
openssl pkey -in "$ca/client.key" -pubout -out "$tmp/public"
openssl pkcs8 -topk8 -in "$ca/client.key" -passout pass:x -out "$tmp/locked"
echo "of the year" > "$tmp/words"

pem()				# STATUS WORDS WHAT FILE...: all in one
{
	wanted=$1 words=$2 what=$3
	shift 3
	cat "$@" > "$tmp/id.pem"
	config "from alice@example.test" "server smtps://localhost:$port" \
	    "ca-file $ca/ca.pem" "log none" "client-certificate $tmp/id.pem"
	run "$wanted" "PEM: $what" "$sendoff" -i bob@example.net
	if [ "$wanted" = 0 ]; then
		used pem "$what"
	else
		has "$tmp/err" "the client certificate $tmp/id.pem with the \
key $tmp/id.pem cannot be used: $words (kept as" "PEM: $what: is told"
		is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "PEM: $what: in a line"
	fi
}

other_key="the key is another certificate's"
wants="a certificate (BEGIN CERTIFICATE) and its key (BEGIN PRIVATE KEY) are \
wanted there, in PEM"
locked="the key is locked with a passphrase; \"openssl pkey -in FILE\" \
writes it without"
pem 0 '' "certificate, key" "$ca/client.pem" "$ca/client.key"
pem 0 '' "key, certificate" "$ca/client.key" "$ca/client.pem"
pem 0 '' "words between them" "$ca/client.pem" "$tmp/words" "$ca/client.key"
pem 0 '' "a block of another kind" "$tmp/public" "$ca/client.pem" "$ca/client.key"
pem 0 '' "a second key" "$ca/client.pem" "$ca/client.key" "$ca/client-other.key"
pem 78 "$other_key" "a second key that is the first" \
    "$ca/client.pem" "$ca/client-other.key" "$ca/client.key"
pem 78 "$other_key" "the key of another" "$ca/client.pem" "$ca/client-other.key"
pem 78 "$wants" "no key" "$ca/client.pem"
pem 78 "$wants" "no certificate" "$ca/client.key"
pem 78 "$locked" "a key that is locked" "$ca/client.pem" "$tmp/locked"
pem 78 "$wants" "neither" "$tmp/words"

# --- mistakes ---------------------------------------------------------------------------

conf=$HOME/.config/sendoff.conf
wrong()				# TEXT WHAT
{
	printf '%s\n' 'from a@b.example' "  client-key-ed25519 $1" > "$conf"
	run 78 "$2" "$sendoff" --check
	has "$tmp/err" "$conf:2:22: client-key-ed25519 is 32 octets in base64" \
	    "$2: is told, and where"
	[ -z "${1%%\"*}" ] || lacks "$tmp/err" "$1" "$2: and not shown"
}

wrong "${seed%A}" "a character too few"
wrong "${seed}A" "one too many"
wrong "$seed==" "too much padding"
wrong "=$seed" "padding in front"
wrong "$(printf %s $seed | tr _ .)" "another alphabet"
wrong "$(printf %s $seed | tr _ ' ' | sed 's/.*/"&"/')" "a blank"
wrong 9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60 \
    "hexadecimal"
wrong '""' "nothing"
config "from a@b.example" "client-key-ed25519 $seed"
chmod 644 "$conf"
run 78 "a file that others can read" "$sendoff" --check
has "$tmp/err" "$conf:2:1: others can read this file, so no key may stand in \
it; mend it with: chmod 600 $conf" "is told"
lacks "$tmp/err" "$seed" "and the key is not shown"
chmod 600 "$conf"
for setting in client-certificate client-key; do
	config "$setting /x" "client-key-ed25519 $seed"
	run 78 "$setting beside it" "$sendoff" --check
	has "$tmp/err" "$conf:2:1: client-key-ed25519 comes with a certificate \
of its own; take client-certificate and client-key out" "is told"
	config "client-key-ed25519 $seed" "$setting /x"
	run 78 "before $setting" "$sendoff" --check
	has "$tmp/err" "$conf:2:1: client-key-ed25519 comes with" "too"
done
config "client-key-ed25519 $seed" "client-key-ed25519 $seed"
run 78 "twice" "$sendoff" --check
has "$tmp/err" "$conf:2:1: client-key-ed25519 is set twice" "is told"
run 64 "on the command line" "$sendoff" "--client-key-ed25519=$seed" -i b@c.d
has "$tmp/err" "there is no option --client-key-ed25519" "is refused"
lacks "$tmp/err" "$seed" "and not repeated"

# One account's own goes before everybody's, either way.
config "from a@b.example" "server smtps://localhost:1" "log none" \
    "client-key-ed25519 $seed" "account file" \
    "client-certificate $tmp/ca/client.pem" "account key"
run 0 "a certificate instead of everybody's key" "$sendoff" --check
is "$(grep -c '^    client-key-ed25519' "$tmp/out")" 1 "has no key"
is "$(grep -c "sha256:$digest" "$tmp/out")" 1 "and the other has"
config "from a@b.example" "server smtps://localhost:1" "log none" \
    "client-certificate $tmp/ca/client.pem" "account key" \
    "client-key-ed25519 $seed"
run 0 "a key instead of everybody's certificate" "$sendoff" --check
lacks "$tmp/out" client.pem "has no certificate"
done_testing
