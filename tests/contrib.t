#!/bin/sh
# What runs "sendmail -q": each as its caller calls it, with real queued mail.
. "$(dirname "$0")/tap.sh"

serve s --no-auth --tls=none
config "from alice@example.org" "server smtp+plain://localhost:$port" \
    "auth none" "log none" "retry yes" "aliases none"
contrib=$top/contrib
export SENDMAIL="$sendmail"

# queue: one message that the server was not there for.
queue()
{
	config "from alice@example.org" "server smtp+plain://localhost:1" \
	    "auth none" "log none" "retry yes" "aliases none"
	printf 'Subject: x\n\nx\n' > "$tmp/message"
	run 0 "$1: queued" "$sendmail" bob@example.net
	config "from alice@example.org" "server smtp+plain://localhost:$port" \
	    "auth none" "log none" "retry yes" "aliases none"
	is "$(kept)" 1 "$1: it waits"
}

hook()				# NAME KEPT COMMAND...
{
	name=$1
	left=$2
	shift 2
	run 0 "$name" "$@"
	is "$(kept)" "$left" "$name: kept"
}

queue "NetworkManager"
nm=$contrib/networkmanager/50-sendoff
hook "an interface that goes down" 1 "$nm" eth0 down
hook "limited connectivity" 1 env CONNECTIVITY_STATE=LIMITED "$nm" none \
    connectivity-change
hook "an interface that comes up" 0 "$nm" eth0 up
queue "connectivity"
hook "full connectivity" 0 env CONNECTIVITY_STATE=FULL "$nm" none \
    connectivity-change
queue "ifup"
hook "ifup of loopback" 1 env IFACE=lo MODE=start "$contrib/ifup/sendoff"
hook "ifup" 0 env IFACE=eth0 MODE=start "$contrib/ifup/sendoff"

# cron: five fields and a user, then what a shell runs.
queue "cron"
line=$(grep -v '^#' "$contrib/cron.d/sendoff")
command=$(printf '%s\n' "$line" | sed 's/^\([^ ]* \)\{5\}root //')
lacks /dev/stdin '%' "cron: no percent sign, which is a newline to it" <<-END
	$line
END
hook "the command of cron" 0 sh -c "$(printf '%s' "$command" |
    sed "s,/usr/sbin/sendmail,$sendmail,g")"

# systemd: the command of both services.
for unit in "$contrib/systemd" "$contrib/systemd/user"; do
	queue "${unit##*/}"
	exec=$(sed -n 's/^ExecStart=//p' "$unit/sendoff-queue.service")
	hook "ExecStart of ${unit##*/}" 0 sh -c "$(printf '%s' "$exec" |
	    sed "s,/usr/bin/sendoff,$sendoff,")"
	has "$unit/sendoff-queue.timer" "OnUnitInactiveSec=5min" \
	    "the timer of ${unit##*/}"
done
done_testing
