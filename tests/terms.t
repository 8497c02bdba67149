#!/bin/sh
# DELIVERBY, FUTURERELEASE, MT-PRIORITY: kept messages, whose time runs on, and
# the callers of -bs.
. "$(dirname "$0")/tap.sh"

serve one --no-auth --deliverby 300 --mt-priority '' \
    --futurerelease '604800 2100-01-01T00:00:00Z'
one=$port
serve plain --no-auth
plain=$port
base="from alice@example.org
auth none
ca-file $tmp/ca/ca.pem
log $tmp/log"
printf 'Subject: x\n\nx\n' > "$tmp/message"

# keep NAME OPTION...: what cannot be sent now is kept; its file in $file.
keep()
{
	rm -rf "$HOME/.local/state/sendoff"
	config "$base" "server smtp://localhost:1"
	what=$1
	shift
	run 75 "$what" "$sendoff" --keep "$@" bob@example.net
	file=$(find "$HOME/.local/state/sendoff" -type f)
	config "$base" "server smtp://localhost:$one"
	rm -rf "$tmp/one/envelope"
	mkdir -p "$tmp/one/envelope"
}

# created WHEN: the message was kept then.
created()
{
	sed -i "s/^NOOP created .*/NOOP created $(date -u -d "$1" \
	    +%Y-%m-%dT%H:%M:%SZ)\r/" "$file"
}

mail_of()			# the MAIL that the server has stored
{
	find "$tmp/one/envelope" -type f -exec sed -n 's/^mail //p' {} +
}

keep "hold-for" --hold-for 2h --deliver-by '3h trace' --priority -4
has "$file" " HOLDUNTIL=20" "kept: it is held until a time"
has "$file" ";NT HOLDUNTIL=" "kept: BY"
has "$file" " MT-PRIORITY=-4" "kept: the priority"
lacks "$file" "HOLDFOR" "kept: and not for a time"
created '1 hour ago'
until=$(sed -n 's/.*HOLDUNTIL=\([^ ]*\).*/\1/p' "$file")
run 0 "an hour later" "$sendmail" -qIT
mail_of > "$tmp/mail"
has "$tmp/mail" "HOLDUNTIL=$until MT-PRIORITY=-4" "an hour later: the same time"
is "$(sed -n 's/.*BY=\([67]\).*;NT .*/\1xxx/p' "$tmp/mail" | head -n 1 |
    sed 's/6xxx/7xxx/')" 7xxx "an hour later: two hours are left"
is "$(kept)" 0 "an hour later: it is sent"

keep "hold-until" --hold-until "$(date -u -d tomorrow +%Y-%m-%dT%H:%M:%SZ)"
sed -i "s/HOLDUNTIL=[^ \r]*/HOLDUNTIL=2020-01-01T00:00:00Z/" "$file"
run 0 "a hold that is over" "$sendmail" -qIT
is "$(mail_of | sed 's/ SIZE=[0-9]*//')" "<alice@example.org>" \
    "a hold that is over is left out"

keep "return" --deliver-by '1h,return'
created '2 hours ago'
run 69 "too late" "$sendmail" -qIT
has "$tmp/err" "the message was to be returned 3" "too late: says so"
has "$tmp/err" "(5.4.7)" "too late: by its code"
is "$(mail_of)" "" "too late: nothing is sent"
is "$(kept)" 1 "too late: it stays"

keep "notify" --deliver-by 1h
created '2 hours ago'
run 0 "late" "$sendmail" -qIT
has "$tmp/one/envelope/$(ls "$tmp/one/envelope")" " BY=-3" \
    "late: the time may be past"

keep "for a server that cannot" --hold-for 2h
config "$base" "server smtp://localhost:$plain"
run 69 "-q to a server that cannot" "$sendmail" -qIT
has "$tmp/err" "does not offer FUTURERELEASE" "-q: says which it lacks"
is "$(kept)" 1 "-q: it stays kept"

rm -rf "$HOME/.local/state/sendoff"
config "$base" "server smtp://localhost:1" "hold-for 2h"
run 75 "a setting of the account" "$sendmail" bob@example.net
file=$(find "$HOME/.local/state/sendoff" -type f)
sed -i "s/HOLDUNTIL=[^ \r]*/HOLDUNTIL=2020-01-01T00:00:00Z/" "$file"
config "$base" "server smtp://localhost:$one" "hold-for 2h"
rm -rf "$tmp/one/envelope"
mkdir "$tmp/one/envelope"
run 0 "its hold is over" "$sendmail" -qIT
lacks "$tmp/one/envelope/$(ls "$tmp/one/envelope")" "HOLD" \
    "and the setting does not begin it anew"

config "$base" "server smtp://localhost:1" "no-such-setting 1"
run 78 "a broken configuration" "$sendoff" --keep --hold-for 2h bob@example.net
file=$(find "$HOME/.local/state/sendoff" -type f)
has "$file" " HOLDUNTIL=" "broken: what was asked for is kept"
config "$base" "server smtp://localhost:$one" "priority 3"
run 0 "when it is mended" "$sendmail" -qIT
grep -h " MT-PRIORITY=3" "$tmp"/one/envelope/* > "$tmp/mail"
has "$tmp/mail" "HOLDUNTIL" "mended: the account's settings, too"

# say NAME PARAMETERS: a message by -bs; the reply to MAIL in $reply.
say()
{
	printf 'EHLO me\r\nMAIL FROM:<a@example.org> %s\r\nRCPT TO:<b@example.net>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n' "$2" > "$tmp/dialogue"
	rm -rf "$tmp/one/envelope"
	mkdir "$tmp/one/envelope"
	"$sendmail" -bs < "$tmp/dialogue" > "$tmp/out" 2> "$tmp/err"
	is "$?" 0 "-bs, $1"
	reply=$(tr -d '\r' < "$tmp/out" | sed -n '/^250 HELP/{n;p;}')
}

config "$base" "server smtp://localhost:$one" "hold-for 2h" "deliver-by 5h"
say "parameters" "HOLDUNTIL=2099-01-01T00:00:00+01:00 MT-PRIORITY=2"
lacks "$tmp/out" "FUTURERELEASE" "-bs announces nothing that may not be there"
is "${reply%% *}" 250 "-bs: accepted"
is "$(mail_of)" "<a@example.org> BY=18000;N HOLDUNTIL=2098-12-31T23:00:00Z MT-PRIORITY=2" \
    "-bs: passed on, before the account's settings"
say "a minimum" "BY=299;R HOLDFOR=60"
has "$tmp/out" "555 5.5.4" "-bs: below the server's minimum"
say "two holds" "HOLDFOR=60 HOLDUNTIL=2099-01-01T00:00:00Z"
is "$reply" "501 5.5.4 the parameter HOLDUNTIL is not understood" \
    "-bs: never both"
say "the past" "HOLDUNTIL=2020-01-01T00:00:00Z"
is "$reply" "501 5.5.4 HOLDUNTIL is past" "-bs: the past"
config "$base" "server smtp://localhost:$plain"
for parameter in BY=600\;N HOLDFOR=60 MT-PRIORITY=1; do
	say "a server that cannot" "$parameter"
	is "${reply%%[*}:${reply##* }" "555 5.3.3 localhost:it" \
	    "-bs: no $parameter there"
done

for option in --hold-for --hold-until --deliver-by --priority; do
	run 64 "sendmail $option" "$sendmail" "$option" 1 bob@example.net
done
done_testing
