#!/bin/sh
# A stored secret goes only to the servers, by the name, and under the policy of
# the account that holds it (bound.h).  The other server here would take it.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"
serve own --user alice@example.test:s3cr3t --user bob@example.test:s3cr3t \
    --log "$tmp/own.log"
own=$port
serve other --user alice@example.test:s3cr3t --log "$tmp/other.log"
other=$port

account()			# LINE...
{
	config "account work" "from alice@example.test" \
	    "server smtp://localhost:$own" "ca-file $tmp/ca/ca.pem" \
	    "log none" "aliases none" "keep $tmp/store" "$@"
}

mails()				# NAME
{
	find "$tmp/$1/new" -type f 2>/dev/null | wc -l | tr -d ' '
}

taken()				# NAME ARGUMENT...: by the option NAME
{
	by=$1
	shift
	run 78 "$*" "$sendoff" "$@" -i carol@example.net
	has "$tmp/err" "--$by takes the secret of the account \"work\"" \
	    "it says so"
	is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "in one line"
	lacks "$tmp/err" s3cr3t "that does not show it"
}

given()				# ARGUMENT...
{
	before=$(mails own)
	run 0 "$*" "$sendoff" "$@" -i carol@example.net
	is "$(mails own)" $((before + 1)) "it is sent, by the account's server"
}

account "password s3cr3t"
given --account work

# Whatever would use the secret in another way takes it away.
taken server --server "smtp://localhost:$other"
taken server --server "smtp://localhost:$other" --server "smtp://127.0.0.1:$own"
taken server --server "smtp://bob@localhost:$own"
taken server --server "smtp+plain://localhost:$own"
taken user --user bob@example.test
taken from --from bob@example.test
taken ca-file --ca-file "$tmp/ca/../ca/ca.pem"
taken crl-file --crl-file "$tmp/ca/ca.pem"
taken pin --pin "sha256:$(printf %064d 0)"
taken dane --dane off
taken tls-name --tls-name localhost
taken tls-minimum --tls-minimum 1.3
taken tls-priority --tls-priority=-VERS-TLS1.3
taken tls-alpn --tls-alpn smtp
taken client-key --client-key "$tmp/ca/client.key"
run 69 "a certificate that the server does not ask for" "$sendoff" \
    --client-certificate "$tmp/ca/client.pem" \
    --client-key "$tmp/ca/client.key" -i carol@example.net
taken auth --auth PLAIN
taken auth-minimum --auth-minimum PLAIN
taken resolver --resolver 127.0.0.1:9
taken proxy --proxy "socks5://localhost:$other"
taken server --account work --server "smtp://localhost:$other" --auth PLAIN
is "$(grep -c . "$tmp/other.log")" 0 "the other server was not even asked"
is "$(mails other)" 0 "nothing went to it"

# As the account has it, or no matter of the secret's.
given --server "smtp://localhost:$own"
given --user alice@example.test
given --from alice@example.test --ca-file "$tmp/ca/ca.pem" --dane auto \
    --auth auto --tls-minimum 1.2
given --hello client.example.org --source 127.0.0.1 -4
given --timeout-connect 5 --timeout-reply 5 --match '*' --require-tls=default
account "password s3cr3t" "server smtp://localhost:$other"
given --server "smtp://localhost:$own"
account "password s3cr3t" "user alice@example.test"
given --from other@example.test

# Every stored secret is held so.
(umask 077; echo s3cr3t > "$tmp/password")
account "password-file $tmp/password"
taken server --server "smtp://localhost:$other"
account "password-command 'touch $tmp/ran; echo s3cr3t'"
taken server --server "smtp://localhost:$other"
account "oauth-command 'touch $tmp/ran; echo s3cr3t'"
taken server --server "smtp://localhost:$other"
taken auth --auth XOAUTH2
taken user --user bob@example.test
taken tls-name --tls-name localhost
[ ! -e "$tmp/ran" ]
ok $? "the command was not run"
given --account work
account "oauth-command 'touch $tmp/ran; echo wrong'"
rm -f "$tmp/ran"
given --password-file "$tmp/password"
[ ! -e "$tmp/ran" ]
ok $? "a --password-file goes before a token"
account "auth auto"
mkdir "$tmp/credentials"
cp "$tmp/password" "$tmp/credentials/sendoff.work"
export CREDENTIALS_DIRECTORY="$tmp/credentials"
given -f alice@example.test
taken server --server "smtp://localhost:$other"
unset CREDENTIALS_DIRECTORY
is "$(mails other)" 0 "nothing went to the other server"

# A client's certificate is no less the account's.
serve picky --require-client-cert --client-ca --mechanisms EXTERNAL \
    --user alice@example.test:s3cr3t
account "client-certificate $tmp/ca/client.pem" "client-key $tmp/ca/client.key"
taken server --server "smtp://localhost:$port"
config "account work" "from alice@example.test" \
    "server smtp://localhost:$port" "ca-file $tmp/ca/ca.pem" "log none" \
    "client-certificate $tmp/ca/client.pem" "client-key $tmp/ca/client.key"
run 0 "it is shown to the account's server" "$sendoff" -i carol@example.net

serve key --require-client-cert --client-key \
    06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9 \
    --mechanisms EXTERNAL
key="client-key-ed25519 nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
account "$key"
taken server --server "smtp://localhost:$port"
config "account work" "from alice@example.test" \
    "server smtp://localhost:$port" "ca-file $tmp/ca/ca.pem" "log none" "$key"
run 0 "a key alone, too" "$sendoff" -i carol@example.net
run 77 "and not instead of a certificate" "$sendoff" \
    --client-certificate "$tmp/ca/client.pem" \
    --client-key "$tmp/ca/client.key" -i carol@example.net
has "$tmp/err" "does not accept the client certificate $tmp/ca/client.pem" \
    "which is what goes"

# What is another secret is another matter.
account "password wrong"
run 0 "--password-file" "$sendoff" --server "smtp://localhost:$other" \
    --password-file "$tmp/password" -i carol@example.net
given --password-file "$tmp/password"
account "password-command 'touch $tmp/ran; echo wrong'"
given --password-file "$tmp/password"
[ ! -e "$tmp/ran" ]
ok $? "it goes before the account's command"
account "password wrong"
printf 'machine elsewhere.example login alice@example.test password s3cr3t\n' \
    > "$HOME/.netrc"
chmod 600 "$HOME/.netrc"
taken server --server "smtp://localhost:$other"
printf 'machine localhost login alice@example.test password s3cr3t\n' \
    > "$HOME/.netrc"
run 0 "netrc names the host" "$sendoff" --server "smtp://localhost:$other" \
    -i carol@example.net
is "$(mails other)" 2 "which gets the mail"
rm "$HOME/.netrc"

# Nothing stored, nothing taken.
account "auth auto"
run 78 "no secret at all" "$sendoff" --server "smtp://localhost:$other" \
    -i carol@example.net
has "$tmp/err" 'the account "work"' "names the account"
has "$tmp/err" "has no password" "that has none"
account "password s3cr3t"
run 69 "no login, no secret" "$sendoff" --server "smtp://localhost:$other" \
    --auth none -i carol@example.net
has "$tmp/err" 530 "the server minds"

# In every mode.
printf 'EHLO me\r\n%s\r\n%s\r\nQUIT\r\n' 'MAIL FROM:<alice@example.test>' \
    'MAIL FROM:<alice@example.test>' > "$tmp/batch"
"$sendoff" -bs --server "smtp://localhost:$other" < "$tmp/batch" > "$tmp/out" \
    2>&1 || :
is "$(grep -c -- "--server takes the secret" "$tmp/out")" 2 \
    "-bs: each transaction says so"
account "password s3cr3t"
rm -rf "$tmp/store"
"$sendoff" -i "defer-451@example.net" < "$tmp/message" 2> "$tmp/err" || :
id=$(find "$tmp/store" -type f ! -name '.*' -exec basename {} \;)
run 78 "-q" "$sendoff" --server "smtp://localhost:$other" -qI "$id"
has "$tmp/err" "--server takes the secret" "says so"
is "$(mails other)" 2 "nothing went to the other server"
lacks "$tmp/err" s3cr3t "nothing shows it"
done_testing
