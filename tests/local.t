#!/bin/sh
# Local names: aliases, default-recipient, domain; what stands for them in the
# header; the envelope sender; accounts chosen by sender and recipient.
. "$(dirname "$0")/tap.sh"

serve one --user 'alice@example.org:secret'
one=$port
serve two --user 'work@example.com:secret'
two=$port
base="from alice@example.org
server smtp://localhost:$one
ca-file $tmp/ca/ca.pem
password secret
domain example.org
log $tmp/log
aliases $tmp/aliases"
host=$(uname -n)

# stored NAME: envelope and message of the one submission in its Maildir.
stored()
{
	f=$(find "$tmp/$1/envelope" -type f 2>/dev/null)
	cat "$f" "$tmp/$1/new/${f##*/}" > "$tmp/stored" 2>/dev/null || :
	rm -rf "$tmp/$1/envelope" "$tmp/$1"/new/*
	mkdir -p "$tmp/$1/envelope"
}

# delivers WHAT RECIPIENTS ARGUMENT...: who is in RCPT, in their order.
delivers()
{
	what=$1
	wanted=$2
	shift 2
	run 0 "$what" "$sendmail" "$@"
	stored one
	is "$(sed -n 's/^rcpt <\([^>]*\)>.*/\1/p' "$tmp/stored" |
	    tr '\n' ' ')" "$wanted" "$what: who gets it"
}

cat > "$tmp/aliases" <<EOF
# comment
root: ops@example.net,
	"Second Man" <second@example.net>
 # a comment within
postmaster: root
MixedCase:mixed@example.net
loop: loop, out@example.net
ring: gnir
gnir: ring, ring@example.net
final: \\root
cmd: "|/bin/cat"
file: /dev/null
"quoted name": q@example.net
EOF
config "$base"
printf 'Subject: x\n\nbody\n' > "$tmp/message"
delivers "an alias" "ops@example.net second@example.net " root
delivers "an alias of an alias" "ops@example.net second@example.net " \
    postmaster
delivers "in any case" "mixed@example.net " MIXEDcase
delivers "at localhost" "ops@example.net second@example.net " root@localhost
delivers "at this host" "ops@example.net second@example.net " "root@$host"
delivers "elsewhere root is another" "root@example.com " root@example.com
delivers "an alias that names itself" "loop@example.org out@example.net " loop
delivers "aliases in a ring" "ring@example.org ring@example.net " ring
delivers "a backslash ends it" "root@example.org " final
delivers "a name without alias" "bob@example.org " bob
delivers "-n passes aliases over" "root@example.org " -n root
delivers "each gets it once" "ops@example.net second@example.net " \
    root postmaster ops@EXAMPLE.net
delivers "a quoted name" "q@example.net " '"quoted name"'
run 65 "a command is refused" "$sendmail" cmd bob
has "$tmp/err" "no command is run" "and told"
stored one
has "$tmp/stored" "rcpt <bob@example.org>" "the others get it"
is "$(kept)" 1 "the rest is kept"
has "$(find "$HOME/.local/state/sendoff" -type f)" "RCPT TO:<cmd>" "by its name"
rm -rf "$HOME/.local"
run 65 "a file is refused" "$sendmail" file
rm -rf "$HOME/.local"

printf 'default: catch@example.net\nme: me\n' > "$tmp/aliases"
delivers "default:" "catch@example.net " anybody
delivers "but for who has an entry" "me@example.org " me
printf '*: all@example.net\n' > "$tmp/aliases"
delivers "*:" "all@example.net " anybody
: > "$tmp/aliases"
config "$base" "default-recipient admin@example.net second@example.net"
delivers "default-recipient" "admin@example.net second@example.net " root
delivers "for this host's users alone" "bob@example.com " bob@example.com

config "$base"
printf 'bob@example.net\n# no\ncarl@example.net, dora\n' > "$tmp/list"
chmod 644 "$tmp/list"
printf 'list: :include:%s\n' "$tmp/list" > "$tmp/aliases"
if [ "$(id -u)" = 0 ]; then
	delivers "an included list" \
	    "bob@example.net carl@example.net dora@example.org " list
	chown 65534 "$tmp/list"
fi
run 78 "newaliases: a list that is not root's" "$sendmail" -bi
has "$tmp/err" "others than root can write it" "says why"

mkfifo "$tmp/fifo"
printf 'list: :include:%s\n' "$tmp/fifo" > "$tmp/aliases"
run 78 "newaliases: a FIFO" "$sendmail" -bi
has "$tmp/err" "$tmp/fifo" "is not waited for"

ln -sf "$sendmail" "$tmp/newaliases"
printf 'root: a@example.net\n' > "$tmp/aliases"
run 0 "newaliases: a good file" "$tmp/newaliases"
is "$(cat "$tmp/out" "$tmp/err")" "" "in silence"
printf 'root: a@\nno colon\n\nroot: b@example.net\nx:\n' > "$tmp/aliases"
run 78 "newaliases: a bad file" "$tmp/newaliases"
has "$tmp/err" "$tmp/aliases:1: \"a@\" is no address" "a bad address"
has "$tmp/err" "$tmp/aliases:2: this is no alias" "a line without a colon"
has "$tmp/err" "$tmp/aliases:4: there is an alias root already, in line 1" \
    "a second entry"
has "$tmp/err" "$tmp/aliases:5: nobody stands behind x" "an empty one"
rm "$tmp/aliases"
run 78 "newaliases: no file" "$tmp/newaliases"
printf 'root: ops@example.net\n' > "$tmp/aliases"
run 0 "-bv" "$sendmail" -bv root bob@example.com
is "$(cat "$tmp/out")" "root... goes to <ops@example.net> by the account \"default\" (smtp://localhost:$one)
bob@example.com... goes to <bob@example.com> by the account \"default\" (smtp://localhost:$one)" \
    "-bv: shows where each goes"
run 65 "-bv of what goes nowhere" "$sendmail" -bv 'a b@c d' root
has "$tmp/out" 'a b@c d... goes nowhere: "a b@c d" is no address' \
    "-bv: no address"
has "$tmp/out" 'root... goes to <ops@example.net>' "-bv: and the next"
run 64 "-bv of nobody" "$sendmail" -bv
has "$tmp/err" "-bv wants recipients" "-bv: says what it wants"

# --- the header --------------------------------------------------------------
header()			# TEXT WANTED WHAT: a line of the header
{
	printf '%s\n\nbody\n' "$1" > "$tmp/message"
	run 0 "$3" "$sendmail" bob@example.net
	stored one
	has "$tmp/stored" "$2" "$3"
}
header 'From: root (Cron Daemon)' 'From: Cron Daemon <alice@example.org>' \
    "cron's From"
header 'From: "(Cron Daemon)" <root>' \
    'From: "(Cron Daemon)" <alice@example.org>' "cronie's From"
header 'From: Anacron <root>' 'From: Anacron <alice@example.org>' "anacron's"
header "From: bob@$host" 'From: alice@example.org' "at this host"
header 'From: bob@localhost' 'From: alice@example.org' "at localhost"
header 'From: Me <me@example.com>' 'From: Me <me@example.com>' \
    "another's stays"
header 'To: root, "B" <b@example.net>' \
    'To: root@example.org, "B" <b@example.net>' "To"
header 'Cc: G: a, b@example.net;, c' \
    'Cc: G: a@example.org, b@example.net;, c@example.org' "a group"
header 'Sender: root' 'Sender: root@example.org' "Sender"
header 'Reply-To: bob' 'Reply-To: bob@example.org' "Reply-To"
header 'Reply-To: bob@localhost' 'Reply-To: bob@localhost' \
    "Reply-To that is whole stays"
header 'To: undisclosed recipients' 'To: undisclosed recipients' \
    "what is no address stays"
header 'DKIM-Signature: v=1
From: root' 'From: root' "a signed message stays"
header 'Content-Type: multipart/signed; boundary=x
To: root' 'To: root' "another signed one"
header 'To: one_long_name, another_long_name, a_third_long_name, fourth_name, x' \
    ' fourth_name@example.org, x@example.org' "a long list is folded"

config "$base" "rewrite-from always"
header 'From: Me <me@example.com>' 'From: Me <alice@example.org>' \
    "rewrite-from always"
config "$base" "rewrite-from never"
header 'From: root (Cron)' 'From: Cron <root@example.org>' \
    "rewrite-from never: a bare name gets the domain"
header 'From: bob@localhost' 'From: bob@localhost' \
    "rewrite-from never: the rest stays"

# --- the sender --------------------------------------------------------------
sender()			# WANTED WHAT ARGUMENT...
{
	wanted=$1
	what=$2
	shift 2
	run 0 "$what" "$sendmail" "$@" bob@example.net
	stored one
	has "$tmp/stored" "mail <$wanted>" "$what: the sender"
}
printf 'Subject: x\n\nbody\n' > "$tmp/message"
config "$base"
sender alice@example.org "the account's"
sender me@example.com "-f" -f me@example.com
sender me@example.com "the last of two" -f x@example.com -fme@example.com
sender '' "the null sender" -f '<>'
sender '' "an empty one" -f ''
sender alice@example.org "-f of a local name" -f root
sender alice@example.org "mailutils' -f" -f "root@$host"
config "$base" "allow-from *@example.org boss@example.com"
sender bob@example.org "an allowed one" -f bob@example.org
sender boss@example.com "another" -r boss@example.com
sender alice@example.org "one that is not allowed" -f evil@example.com
sender '' "the null sender is always allowed" -f '<>'

# --- accounts ----------------------------------------------------------------
config "ca-file $tmp/ca/ca.pem" "password secret" "log $tmp/log" \
    "domain example.org" "aliases $tmp/aliases" \
    "account home" "from alice@example.org" "server smtp://localhost:$one" \
    "account work" "from work@example.com" "server smtp://localhost:$two" \
    "match *@corp.example *@*.corp.example"
: > "$tmp/aliases"
run 0 "two accounts" "$sendmail" bob@example.net carl@corp.example
stored one
has "$tmp/stored" "rcpt <bob@example.net>" "one by the first"
lacks "$tmp/stored" "corp" "and only that"
stored two
has "$tmp/stored" "rcpt <carl@corp.example>" "one by the second"
has "$tmp/stored" "mail <work@example.com>" "with its sender"
run 0 "-f chooses" "$sendmail" -f work@example.com bob@example.net
stored two
has "$tmp/stored" "rcpt <bob@example.net>" "-f chooses: by the second"
printf 'From: x@sub.corp.example\n\nb\n' > "$tmp/message"
run 0 "From chooses by match" "$sendmail" bob@example.net
stored two
has "$tmp/stored" "rcpt <bob@example.net>" "From chooses: by the second"
printf 'Subject: x\n\nb\n' > "$tmp/message"
run 67 "one of two accounts refuses" "$sendoff" --json bob@example.net \
    refuse-550-5.1.1@corp.example
has "$tmp/out" '"address":"bob@example.net","outcome":"sent"' "one is sent"
has "$tmp/out" '"account":"work"' "the other is told with its account"
is "$(wc -l < "$tmp/err" | tr -d ' ')" 1 "in one line"
is "$(kept)" 1 "and kept"
has "$(find "$HOME/.local/state/sendoff" -type f)" "NOOP account work" \
    "for its account"

# --- -t ----------------------------------------------------------------------
stored one
config "$base"
dash_t()			# MESSAGE WANTED WHAT ARGUMENT...
{
	printf '%b' "$1" > "$tmp/message"
	wanted=$2
	what=$3
	shift 3
	run 0 "$what" "$sendmail" -t -i "$@"
	stored one
	is "$(sed -n 's/^rcpt <\([^>]*\)>.*/\1/p' "$tmp/stored" |
	    tr '\n' ' ')" "$wanted" "$what: who gets it"
}
dash_t 'To: a@x.net\nCc: b@x.net\nBcc : c@x.net\n\n' \
    "a@x.net b@x.net c@x.net " "-t"
lacks "$tmp/stored" "Bcc" "-t: Bcc is gone"
dash_t 'To: a@x.net\n\n' "z@x.net a@x.net " "arguments are added" z@x.net
dash_t 'Resent-To: r@x.net\nResent-Bcc: s@x.net\nResent-To: old@x.net\nTo: a@x.net\n\n' \
    "r@x.net s@x.net " "the topmost Resent block"
lacks "$tmp/stored" "Resent-Bcc" "Resent-Bcc is gone"
dash_t 'Resent-To: r@x.net\nReceived: by x\nResent-To: old@x.net\nTo: a@x.net\n\n' \
    "r@x.net " "a Resent block ends at another field"
dash_t 'Resent-From: r@x.net\nTo: a@x.net\n\n' "a@x.net " \
    "a Resent block without recipients"
dash_t 'To: G: a@x.net, b@x.net;, c (comment (nested)) <c@x.net>\n\n' \
    "a@x.net b@x.net c@x.net " "groups and comments"
dash_t 'To: <@r1,@r2:a@x.net>, "q u"@x.net; d@x.net\n\n' \
    'a@x.net "q u"@x.net d@x.net ' "routes, quotes, semicolons"
dash_t 'To: a@x.net,\n b@x.net\n\n' "a@x.net b@x.net " "a folded field"
dash_t 'To: a@b\303\274cher.example, A@X.net, a@xn--bcher-kva.example, A@x.NET\n\n' \
    "a@xn--bcher-kva.example A@X.net " "doubles by their A-labels"
printf 'To: a@x.net, broken@\nCc: b@x.net\n\n' > "$tmp/message"
run 65 "a field that is none" "$sendmail" -t
has "$tmp/err" 'To: "a@x.net, broken@" is no address' "is named"
printf 'To: undisclosed-recipients:;\n\n' > "$tmp/message"
run 64 "nobody" "$sendmail" -t

done_testing
