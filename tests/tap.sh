# Sourced by the shell tests: points, a temporary home, a server.
# shellcheck shell=sh
b=${B:-build}
top=$(cd "$(dirname "$0")/.." && pwd)
case $b in /*) ;; *) b=$top/$b ;; esac
sendoff=$b/sendoff
sendmail=$b/sendmail
tmp=$(mktemp -d)
points=0
bad=0
pids=
export HOME="$tmp/home"
mkdir -p "$HOME/.config"
unset XDG_CONFIG_HOME XDG_STATE_HOME CREDENTIALS_DIRECTORY NAME TMPDIR || :
umask 077

finish()
{
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || :
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

ok()				# STATUS WHAT: the point holds when STATUS is 0
{
	points=$((points + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $points - $2"
	else
		bad=$((bad + 1))
		echo "not ok $points - $2"
	fi
}

is()				# GOT WANTED WHAT
{
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3"
		printf '# got:    %s\n# wanted: %s\n' "$1" "$2" |
		    sed '2,$s/^\([^#]\)/# \1/'
	fi
}

has()				# FILE TEXT WHAT
{
	if grep -qF -e "$2" "$1"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		echo "# no \"$2\" in:"
		sed 's/^/#   /' "$1"
	fi
}

lacks()				# FILE TEXT WHAT
{
	if grep -qF -e "$2" "$1"; then
		ok 1 "$3"
		sed 's/^/#   /' "$1"
	else
		ok 0 "$3"
	fi
}

done_testing()
{
	echo "1..$points"
	[ "$bad" -eq 0 ]
	exit
}

# run STATUS NAME COMMAND...: the message on standard input is $tmp/message;
# output goes to $tmp/out and $tmp/err.
run()
{
	want=$1
	what=$2
	shift 2
	"$@" < "$tmp/message" > "$tmp/out" 2> "$tmp/err" && got=0 || got=$?
	is "$got" "$want" "$what: exit status $want"
	[ "$got" = "$want" ] || sed 's/^/# /' "$tmp/err"
}

# serve NAME OPTION...: submitd; its port is then in $port.
serve()
{
	name=$1
	shift
	[ -d "$tmp/ca" ] || "$b/ca" "$tmp/ca"
	"$b/submitd" --ca "$tmp/ca" --maildir "$tmp/$name" \
	    --ready-file "$tmp/$name.port" "$@" > "$tmp/$name.out" 2>&1 &
	pids="$pids $!"
	i=0
	while [ ! -s "$tmp/$name.port" ]; do
		i=$((i + 1))
		[ $i -lt 1200 ] || { echo "Bail out! no submitd"; exit 1; }
		sleep 0.05
	done
	port=$(head -n 1 "$tmp/$name.port")
}

# settled: the sessions of the servers have ended, so their logs are whole; what
# a client says last it may not stay to see written down.
settled()
(
	i=0
	for server in $pids; do
		while [ $i -lt 1200 ] && [ -n "$(cat \
		    "/proc/$server/task/$server/children" 2>/dev/null)" ]; do
			i=$((i + 1))
			sleep 0.05
		done
	done
)

# config LINE...: the account, in the place where it is looked for.
config()
{
	printf '%s\n' "$@" > "$HOME/.config/sendoff.conf"
}

kept()
{
	find "$HOME/.local/state/sendoff" -type f 2>/dev/null | wc -l |
	    tr -d ' '
}
