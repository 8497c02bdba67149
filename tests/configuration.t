#!/bin/sh
# Configuration files: errors all at once, --check, sources of passwords,
# permissions, the choice of an account.
. "$(dirname "$0")/tap.sh"

printf 'Subject: test\n\nbody\n' > "$tmp/message"

config "from alice@example.test" "sever smtps://x" "auth FOO" \
    'password "unfinished' "timeout-reply soon" "server ftp://x" \
    "account a" "account a"
conf=$HOME/.config/sendoff.conf
run 78 "a bad configuration" "$sendoff" --check
has "$tmp/err" "$conf:2:1: there is no setting \"sever\"; is \"server\"" \
    "an unknown setting, with a guess"
has "$tmp/err" "$conf:3:6: \"FOO\" is no mechanism" "a bad mechanism"
has "$tmp/err" "$conf:4:10: this quotation mark is never closed" "a quote"
has "$tmp/err" "$conf:5:15: timeout-reply is a number" "a bad number"
has "$tmp/err" "$conf:6:8: \"ftp://x\"" "a bad URL"
has "$tmp/err" "$conf:8:9: there is an account \"a\" already" "a double"
run 78 "and mail is held" "$sendmail" bob@example.net
is "$(kept)" 1 "the message is kept"
is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "one line says why"
rm -rf "$HOME/.local"

config "from a@example.test" "server smtps://x" "password secret"
chmod 644 "$conf"
run 78 "a password that others can read" "$sendoff" --check
has "$tmp/err" "chmod 600 $conf" "and the remedy"
chmod 600 "$conf"
run 0 "mended" "$sendoff" --check
lacks "$tmp/out" secret "--check shows no password"
lacks "$tmp/out" "# its server" "nor a server besides that of the line"
rm -f "$conf"
run 78 "no configuration" "$sendmail" bob@example.net
has "$tmp/err" "there is no account" "is said"
rm -rf "$HOME/.local"

config 'from alice@example.org' 'password secret'
run 0 "no server" "$sendoff" --check
has "$tmp/out" "    # its server: one that example.org names in the DNS (SRV); \
sendoff --account default --probe shows it" "--check says where it is"
config 'account "my own"' 'from alice@example.org' 'password secret'
run 0 "no server, and a name with a blank" "$sendoff" --check
has "$tmp/out" 'sendoff --account "my own" --probe shows it' \
    "--check says it as a shell takes it"

# A Turkish "i" has a capital of its own.  With LOCPATH, libc frees not all.
no_leaks=${ASAN_OPTIONS-}:detect_leaks=0
mkdir "$tmp/locales"
localedef -i tr_TR -f UTF-8 "$tmp/locales/tr_TR.UTF-8" > "$tmp/localedef" 2>&1
export LOCPATH="$tmp/locales" LC_ALL=tr_TR.UTF-8
is "$(locale charmap 2>&1)" UTF-8 "there is a Turkish locale"
config "from a@example.test" "server smtps://x" "auth plain"
run 0 "words of the configuration in a Turkish locale" \
    env ASAN_OPTIONS="$no_leaks" "$sendoff" --check
has "$tmp/out" "auth                 PLAIN" "mean what they mean elsewhere"
unset LOCPATH LC_ALL

serve s --user 'alice@example.test:pass word'
base="from alice@example.test
server smtp://localhost:$port
ca-file $tmp/ca/ca.pem
log none"
printf 'pass word\nnotes\n' > "$tmp/secret"
config "$base" "password-file $tmp/secret"
run 0 "password-file" "$sendoff" bob@example.net
chmod 644 "$tmp/secret"
run 77 "a password file for all" "$sendoff" bob@example.net
has "$tmp/err" "chmod 600 $tmp/secret" "and the remedy"
config "$base" "password-command \"echo 'pass word'\""
run 0 "password-command" "$sendoff" bob@example.net
config "$base" 'password-command "exit 3"'
run 78 "a password-command that fails" "$sendoff" bob@example.net
has "$tmp/err" "failed with status 3" "says how"
config "$base" "sandbox no" \
    "password-command 'touch $tmp/begun; exec sleep 30'"
"$sendoff" bob@example.net < "$tmp/message" > "$tmp/out" 2> "$tmp/err" &
while [ ! -e "$tmp/begun" ]; do sleep .1; done
kill -TERM $!
wait $!
is "$?" 75 "a signal while password-command runs"
has "$tmp/err" "ended by signal 15 before password-command has given a" \
    "is no mistake in the configuration"
rm -rf "$HOME/.local"
mkdir "$tmp/credentials"
printf 'pass word' > "$tmp/credentials/sendoff.default"
config "$base"
export CREDENTIALS_DIRECTORY="$tmp/credentials"
run 0 "a systemd credential" "$sendoff" bob@example.net
unset CREDENTIALS_DIRECTORY
run 78 "no password anywhere" "$sendoff" bob@example.net
config "include $tmp/included"
printf '%s\npassword "pass word"\n' "$base" > "$tmp/included"
run 0 "include" "$sendoff" bob@example.net

printf "password-command 'touch %s/ran; echo pass word'\n" "$tmp" > "$tmp/included"
chmod 666 "$tmp/included"
config "$base" "include $tmp/included"
run 78 "a command that others could have written" "$sendoff" bob@example.net
has "$tmp/err" "others can write it" "is told"
run 77 "in a file that -C names" "$sendoff" -C "$HOME/.config/sendoff.conf" \
    bob@example.net
[ ! -e "$tmp/ran" ]
ok $? "is not run"
config "$base"
printf 'password "pass\000word"\n' >> "$HOME/.config/sendoff.conf"
run 78 "a NUL in the file" "$sendoff" --check
has "$tmp/err" "has a NUL" "is said"
for url in http://me:hidden@mx smtps://me:hidden@mx smtp+plain:///x:hidden@mx; do
	config "from a@example.test" "server $url"
	run 78 "a password in $url" "$sendoff" --check
	lacks "$tmp/err" hidden "is not repeated"
done

config "password 'pass word'" "ca-file $tmp/ca/ca.pem" "log none" \
    "server smtp://localhost:$port" "user alice@example.test" \
    "account one" "from one@example.test" \
    "account two" "from two@example.test" "match *@two.test"
rm -rf "$tmp/s/envelope"/*
run 0 "the first account" "$sendoff" bob@example.net
run 0 "by -f" "$sendoff" -f two@example.test bob@example.net
run 0 "by match" "$sendoff" -f x@two.test bob@example.net
run 0 "by name" "$sendoff" --account two bob@example.net
cat "$tmp"/s/envelope/* | grep '^mail' | sed 's/ SIZE.*//' | sort > "$tmp/all"
is "$(tr '\n' ' ' < "$tmp/all")" "mail <one@example.test> \
mail <two@example.test> mail <two@example.test> mail <x@two.test> " \
    "each with its sender"
run 78 "an account that is not there" "$sendoff" --account x bob@example.net
run 64 "sendmail takes no long options" "$sendmail" --account two bob@x.test

long=$(printf '%600s' '' | tr ' ' a)
config "account home" "from me@example.test" "server smtp://localhost:1" \
    "account long" "from long@example.test" \
    "match b@x.test $long@x.test" "server smtp://localhost:2"
run 0 "a pattern of more than 511 octets" "$sendoff" -bv "$long@x.test"
has "$tmp/out" 'by the account "long" (smtp://localhost:2)' "it fits"

# Without an account the options are one.
rm "$HOME/.config/sendoff.conf"
run 0 "-bv by options alone" "$sendoff" --server=smtps://localhost:1 \
    --from=me@example.test -bv bob@example.net
is "$(cat "$tmp/out")" "bob@example.net... goes to <bob@example.net> by the \
command line (smtps://localhost:1)" "says so"
run 78 "no certificate by options alone" "$sendoff" --from=me@example.test \
    --print-certificate
has "$tmp/err" "the command line has no client certificate" "says so, too"
run 75 "a log by options alone" "$sendoff" --server=smtps://localhost:1 \
    --from=me@example.test --auth=none --log="$tmp/log" -i bob@example.net
has "$tmp/log" " account=command-line " "the log has a name without blanks"

# The network's settings: what cannot be together is said before connecting.
config "from me@example.test" "password secret" "log none" \
    "resolver 127.0.0.1:9"
run 0 "-bv without a server" "$sendoff" -bv bob@example.net
has "$tmp/out" "(SRV records of example.test)" "names where it looks"
run 75 "and no resolver" "$sendoff" -i bob@example.net
has "$tmp/err" "_submission" "says what was asked for"
has "$tmp/err" "no resolver can be reached" "and why there is no answer"
run 78 "no server, and a proxy" "$sendoff" --proxy=socks5://localhost \
    bob@example.net
has "$tmp/err" "behind a proxy none is looked for" "says so"
for dane in require both; do
	run 78 "dane $dane, and a proxy" "$sendoff" --dane="$dane" \
	    --proxy=socks5://localhost --server=smtps://localhost \
	    bob@example.net
	has "$tmp/err" "\"dane $dane\" and a proxy" "says so"
	for scheme in smtp+plain smtp+opportunistic; do
		run 78 "dane $dane, and $scheme" "$sendoff" --dane="$dane" \
		    --server="$scheme://localhost" --auth=none bob@example.net
		has "$tmp/err" "\"dane $dane\", but $scheme://localhost:587 \
verifies nothing" "says so"
	done
done
config "user me" "password secret" "log none"
run 78 "neither server nor from" "$sendoff" -f me@example.test bob@example.net
has "$tmp/err" "names no server, nor by \"from\" a domain" "says so"
run 64 "a proxy's password in the URL" "$sendoff" \
    --proxy=socks5://me:secret@localhost bob@example.net
lacks "$tmp/err" secret "is not repeated"
config "from me@example.test" "password secret" "log none" \
    "server smtps://localhost:1" \
    "client-certificate 'pkcs11:token=a?pin-value=9876&x=y'"
run 0 "--check with a PIN" "$sendoff" --check
has "$tmp/out" "pkcs11:token=a?pin-value=***&x=y" "masks it"
run 64 "a PIN on the command line" "$sendoff" \
    "--client-key=pkcs11:token=a?pin-value=9876" bob@example.net
lacks "$tmp/err" 9876 "is not repeated"
has "$tmp/err" "pin-source=/path" "and it is said where one may stand"
chmod 644 "$HOME/.config/sendoff.conf"
config "from me@example.test" "log none" "server smtps://localhost:1" \
    "client-key 'pkcs11:token=a?pin-value=9876' pin-value=5432"
chmod 644 "$HOME/.config/sendoff.conf"
run 78 "a PIN in a file that others can read" "$sendoff" --check
has "$tmp/err" "no PIN may stand in it; mend it with: chmod 600" "says so"
lacks "$tmp/err" 9876 "and does not show it"
done_testing
