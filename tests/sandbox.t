#!/bin/sh
# The sandbox: what the program asks of the kernel once it is inside, what is
# fetched from outside, and that it works where the kernel has none.
set -eu
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/tap.sh"

printf 'Subject: t\n\nbody\n' > "$tmp/message"
printf 'password\n' > "$tmp/password"
trace=$tmp/trace
no_leaks=${ASAN_OPTIONS-}:detect_leaks=0	# none can be found under strace

run 0 '--version' "$sendoff" --version
is "$(wc -l < "$tmp/out" | tr -d ' ')" 1 'one line'
run 0 '--version -v' "$sendoff" --version -v
is "$(sed -n 's/^sandbox: .*no_new_privs.*Landlock.*seccomp.*/it/p' \
    "$tmp/out")" it 'says what of the sandbox the kernel has'
grep -q 'Landlock ABI.*, seccomp$' "$tmp/out" && whole=yes || whole=no

serve one --user alice@example.org:password --without CHUNKING
one=$port
serve two --user alice@example.org:password --without 8BITMIME
two=$port

account()			# LINE...
{
	config 'from alice@example.org' "server smtp://localhost:$one" \
	    "ca-file $tmp/ca/ca.pem" 'aliases none' "log $tmp/log" "$@"
}

traced()			# COMMAND...
{
	: > "$tmp/log"
	ASAN_OPTIONS=$no_leaks strace -f -s 1000 -o "$trace" "$@"
}

# What the process asked for after it had entered: the main one's calls.
inside()
{
	main=$(sed -n '1s/ .*//p' "$trace")
	grep "^$main " "$trace" | sed '1,/PR_SET_SECCOMP/d'
}

# "Failed" is what neither the system's own looks for nor we expect to fail.
asks_nothing()			# WHAT
{
	inside > "$tmp/inside"
	is "$(grep -c . "$tmp/inside" | sed 's/^[1-9].*/some/')" some \
	    "$1: it entered"
	is "$(grep -E ' (execve|execveat|v?fork|clone3?)\(|= -1 (EACCES|EPERM|ENOSYS)' \
	    "$tmp/inside")" '' "$1: inside nothing is asked for in vain"
}

# No folder of temporary files is open to us: what is needed was opened before.
opened_before()			# WHAT
{
	is "$(grep -c O_TMPFILE "$trace" | sed 's/^[1-9].*/some/')" some "$1"
	is "$(inside | grep -c O_TMPFILE)" 0 \
	    "$1: opened before"
	is "$(grep -cE '"(/var)?/tmp", O_RDONLY\|O_PATH' "$trace")" 0 \
	    "$1: and nothing beside it"
}

# --- a submission ------------------------------------------------------------

account 'password password'
run 0 'a password of the configuration' traced "$sendoff" bob@example.net
asks_nothing 'a password of the configuration'
is "$(grep -cE ' (v?fork|clone3?)\(' "$trace")" 0 'nothing is forked for it'
is "$(grep -n -E 'PR_SET_SECCOMP|connect\(.*AF_INET' "$trace" | head -n 1 |
    grep -c SECCOMP)" 1 'before the first packet'
if [ $whole = yes ]; then
	is "$(grep -c 'landlock_restrict_self' "$trace")" 1 'with Landlock'
fi

account "password-file $tmp/password"
run 0 'password-file' traced "$sendoff" --log-level=debug bob@example.net
asks_nothing 'password-file'
is "$(grep -cE ' (v?fork|clone3?)\(' "$trace")" 1 'one helper is forked'
is "$(inside | grep -c ' wait4(')" 1 'and is waited for'
has "$tmp/log" 'sandbox: no_new_privs' 'the log says what came of it'

account "password-command \"sed -n 1p $tmp/password\""
run 0 'password-command' traced "$sendoff" bob@example.net
asks_nothing 'password-command'
is "$(inside | grep -c execve)" 0 'it is run outside'

account
printf 'machine localhost login alice@example.org password password\n' \
    > "$HOME/.netrc"
run 0 'netrc' traced "$sendoff" bob@example.net
asks_nothing 'netrc'
rm "$HOME/.netrc"

account 'password-command "exit 3"'
run 78 'a password-command that fails' "$sendoff" bob@example.net
has "$tmp/err" 'failed with status 3' 'its failure is told'

rm -rf "$HOME/.local"
account "password-command \"kill -KILL \$PPID\""
run 71 'a password-command that kills its parent' "$sendmail" bob@example.net
has "$tmp/err" 'the process that fetches passwords has ended' \
    'that the helper is gone is told'
is "$(kept)" 1 'and the message is kept'
rm -rf "$HOME/.local"

account 'password password' 'sandbox no'
run 0 'sandbox no' traced "$sendoff" bob@example.net
is "$(grep -cE 'landlock_restrict_self|PR_SET_SECCOMP' "$trace")" 0 \
    'sandbox no: none'
account 'password password'
run 0 '--sandbox=no' traced "$sendoff" --sandbox=no bob@example.net
is "$(grep -cE 'landlock_restrict_self|PR_SET_SECCOMP' "$trace")" 0 \
    '--sandbox=no: none'

rm -rf "$HOME/.local"

# --- several accounts: what fails for one is that one's ----------------------

config 'aliases none' "log $tmp/log" "ca-file $tmp/ca/ca.pem" \
    'account a' 'from alice@example.org' "server smtp://localhost:$one" \
    "password-file $tmp/nowhere" \
    'account b' 'from bob@example.org' 'user alice@example.org' \
    "server smtp://localhost:$two" "password-file $tmp/password" \
    'match *@example.com'
run 78 'two accounts' "$sendoff" x@example.net y@example.com
has "$tmp/err" "$tmp/nowhere" 'the secret of one is not to be had'
is "$(find "$tmp/two/new" -type f | wc -l | tr -d ' ')" 1 \
    'and the other has its mail'
is "$(kept)" 1 'who has not got it is kept'
rm -rf "$HOME/.local"

# --- what is written ---------------------------------------------------------

config 'from alice@example.org' 'server smtp://localhost:1' 'aliases none' \
    'password password' "log $tmp/log"
run 75 'no server' traced "$sendmail" bob@example.net
asks_nothing 'no server'
is "$(kept)" 1 'it is kept in a folder that was not there'
config 'from alice@example.org' 'server smtp://localhost:1' 'aliases none' \
    'password password' "log $tmp/log" "keep $tmp/my/own/folder"
run 75 'no server, keep' traced "$sendmail" bob@example.net
is "$(find "$tmp/my/own/folder" -type f | wc -l | tr -d ' ')" 1 \
    'it is kept in the folder of the account'

account 'password password'
config 'from alice@example.org' "server smtp://localhost:$two" \
    "ca-file $tmp/ca/ca.pem" 'aliases none' 'password password' \
    "log $tmp/log"
{
	printf 'Subject: t\nMIME-Version: 1.0\n'
	printf 'Content-Type: text/plain; charset=utf-8\n'
	printf 'Content-Transfer-Encoding: 8bit\n\n'
	yes 'größer als der Speicher ist, und überall ein Ä' | head -n 30000
} > "$tmp/message"
run 0 'a large message is converted' traced "$sendoff" bob@example.net
asks_nothing 'a large message is converted'
opened_before 'into a file without a name'
{
	sed '/^$/q' "$tmp/message"
	yes ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ | head -n 15000
} > "$tmp/part"
mv "$tmp/part" "$tmp/message"
run 0 'one that outgrows the memory only then' traced "$sendoff" \
    bob@example.net
opened_before 'that goes into a file without a name'

# --- many messages: -bs, -q ---------------------------------------------------

lists=$tmp/lists
mkdir "$lists"
second=second@example.com
echo $second > "$lists/team"
[ "$(id -u)" -ne 0 ] || second=:include:$lists/team	# root's alone
echo "team: first@example.net, $second" > "$lists/aliases"
many()				# PORT: of the first account's server
{
	config "aliases $lists/aliases" "ca-file $tmp/ca/ca.pem" \
	    'account a' 'from alice@example.org' 'user alice@example.org' \
	    "server smtp://localhost:$1" "log $tmp/log.a" 'retry yes' \
	    "password-command \"sed -n 1p $tmp/password\"" \
	    'account b' 'from bob@example.org' 'user alice@example.org' \
	    "server smtp://localhost:$two" "password-file $tmp/password" \
	    'match *@example.com' "log $tmp/log.b"
}
delivered()
{
	find "$tmp/one/new" "$tmp/two/new" -type f | wc -l | tr -d ' '
}

many "$one"
before=$(delivered)
cp "$tmp/message" "$tmp/letter"
{
	printf 'EHLO x\r\nMAIL FROM:<who@example.org>\r\nRCPT TO:<team>\r\n'
	printf 'DATA\r\n'
	sed 's/$/\r/' "$tmp/letter"
	printf '.\r\nMAIL FROM:<bob@example.org>\r\nRCPT TO:<team>\r\n'
	printf 'DATA\r\nSubject: t\r\n\r\nbody\r\n.\r\nQUIT\r\n'
} > "$tmp/message"
run 0 '-bs' traced "$sendmail" -bs
is "$(grep -c '^250 2.0.0 ok' "$tmp/out")" 2 '-bs: both are taken'
is "$(($(delivered) - before))" 3 '-bs: by both accounts, and the include'
asks_nothing '-bs'
opened_before '-bs'
is "$(inside | grep -c ' wait4(')" 1 '-bs: one helper'
has "$tmp/log.b" 'account=b' '-bs: each account has its log'

before=$(delivered)
{
	printf 'EHLO x\r\n'
	for n in 1 2 3 4 5 6 7; do
		printf 'MAIL FROM:<bob@example.org>\r\nRCPT TO:<a@example.com>\r\n'
		printf 'DATA\r\n'
		sed '/^$/q; s/$/\r/' "$tmp/letter"
		printf '\r\n%d\r\n' $n
		sed '1,/^$/d; s/$/\r/' "$tmp/letter" "$tmp/letter"
		printf '.\r\n'
	done
	printf 'QUIT\r\n'
} > "$tmp/message"
run 0 '-bs, one large message after the other' traced "$sendmail" -bs
is "$(grep -c '^250 2.0.0 ok' "$tmp/out")" 7 '-bs: all are taken'
is "$(($(delivered) - before))" 7 '-bs: and come'
is "$(cd "$tmp/two/new"; find . -type f -size +2000k | wc -l | tr -d ' ')" 7 \
    '-bs: whole'
asks_nothing '-bs, large ones'
opened_before '-bs, large ones'

printf 'Subject: t\n\nbody\n' > "$tmp/message"
rm -rf "$HOME/.local"
many 1
run 0 'queued' "$sendmail" -f who@example.org team
is "$(kept)" 1 'one of two is queued'
many "$one"
before=$(delivered)
run 0 '-q' traced "$sendmail" -q
is "$(kept)" 0 '-q: it is gone'
is "$(($(delivered) - before))" 1 '-q: it has come'
asks_nothing '-q'
opened_before '-q'
is "$(inside | grep -c ' wait4(')" 1 '-q: one helper'
run 0 '-q of nothing' traced "$sendmail" -q
is "$(grep -c PR_SET_SECCOMP "$trace")" 0 '-q of nothing: no trouble taken'
rm -r "$lists"

# --- kernels that lack it ----------------------------------------------------

printf 'Subject: t\n\nbody\n' > "$tmp/message"
injected()			# INJECT COMMAND...
{
	inject=$1
	shift
	ASAN_OPTIONS=$no_leaks strace -o "$trace" -e "inject=$inject" "$@"
}
old()				# WHAT INJECT TEXT
{
	account "password-file $tmp/password"
	: > "$tmp/log"
	run 0 "$1" injected "$2" "$sendoff" --log-level=debug bob@example.net
	has "$tmp/log" "$3" "$1: so the log says"
}
old 'no Landlock' landlock_create_ruleset:error=ENOSYS \
    'Landlock not in this kernel, seccomp'
old 'Landlock switched off' landlock_create_ruleset:error=EOPNOTSUPP \
    'Landlock not switched on, seccomp'
old 'nothing at all' prctl,landlock_create_ruleset:error=EINVAL \
    'no_new_privs not in this kernel'
if [ $whole = yes ]; then
	old 'a rule that cannot be made' \
	    landlock_add_rule:error=ENOMEM:when=4 'no Landlock (Cannot'
	old 'Landlock that does not take the rules' \
	    landlock_restrict_self:error=E2BIG 'no Landlock (Argument'
fi
# Older Landlocks, as they tell their ABI: what they do not know is not asked.
for abi in 1 2 3 4 5 6; do
	[ $whole = yes ] || break
	old "Landlock ABI $abi" \
	    "landlock_create_ruleset:retval=$abi:when=1" "Landlock ABI $abi,"
	[ "$(id -u)" = 0 ] || {		# strace cannot read what is asked
		ok 0 "Landlock ABI $abi # SKIP needs root: the program is not dumpable"
		continue
	}
	asked=$(grep 'create_ruleset({' "$trace")
	case $asked in
	*REFER*0xc000*', 24, 0)'* | *REFER*IOCTL_DEV*', 24, 0)'*) knows=6 ;;
	*REFER*0xc000*', 8, 0)'* | *REFER*IOCTL_DEV*', 8, 0)'*) knows=5 ;;
	*REFER*0x4000*', 8, 0)'* | *REFER*TRUNCATE*', 8, 0)'*) knows=34 ;;
	*REFER*', 8, 0)'*) knows=2 ;;
	*', 8, 0)'*) knows=1 ;;
	*) knows= ;;
	esac
	is "$(echo $knows | grep -c $abi)" 1 "Landlock ABI $abi: as it has them"
done
rm -rf "$HOME/.local"
config 'from alice@example.org' 'server smtp://localhost:1' 'aliases none' \
    'password password' 'log none'
run 75 'Landlock ABI 1, no server' injected \
    landlock_create_ruleset:retval=1:when=1 "$sendmail" bob@example.net
is "$(kept)" 1 'it is kept there, too'
account "password-file $tmp/password"

run 0 '--version -v where there is none' injected \
    landlock_create_ruleset:error=ENOSYS "$sendoff" --version -v
has "$tmp/out" 'Landlock not in this kernel' 'it says so'

# A helper that cannot be: then no sandbox, but mail.
: > "$tmp/log"
run 0 'no helper' injected clone,clone3,fork:error=EAGAIN "$sendoff" \
    bob@example.net
has "$tmp/log" 'sandbox: none' 'no helper: so the log says'

# --- signals -----------------------------------------------------------------

account "password-command \"echo \$\$ > $tmp/pid; exec sleep 1000\""
"$sendoff" bob@example.net < "$tmp/message" > "$tmp/out" 2> "$tmp/err" &
pid=$!
i=0
while [ ! -s "$tmp/pid" ] && [ $i -lt 1200 ]; do
	i=$((i + 1))
	sleep 0.05
done
children=$(cat "/proc/$pid/task/$pid/children")
kill -TERM $pid
i=0
while kill -0 $pid 2>/dev/null && [ $i -lt 400 ]; do
	i=$((i + 1))
	sleep 0.05
done
kill -KILL $pid 2>/dev/null || :
wait $pid && got=0 || got=$?
is "$got" 75 'SIGTERM while a password is fetched'
has "$tmp/err" 'ended by signal 15' 'is told'
alive=
for child in $children $(cat "$tmp/pid"); do
	i=0
	while kill -0 "$child" 2>/dev/null && [ $i -lt 400 ]; do
		i=$((i + 1))
		sleep 0.05
	done
	! kill -0 "$child" 2>/dev/null || alive="$alive $child"
done
is "$alive" '' 'and nothing is left behind'

done_testing
