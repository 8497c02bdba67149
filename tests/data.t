#!/bin/sh
# The odd input of compat's callers: tests/data/README.
. "$(dirname "$0")/tap.sh"

data=$top/tests/data
host=$(uname -n)
serve s --no-auth --tls=none
config "from me@example.org" "server smtp+plain://localhost:$port" \
    "auth none" "log none" "domain example.org" "name \"The Account\"" \
    "aliases $tmp/aliases"
printf 'root: admin@example.net\n' > "$tmp/aliases"

# outcome NAME: what its input comes to.
outcome()
{
	if [ -f "$data/$1.sh" ]; then
		sh "$data/$1.sh" > "$tmp/input"
	else
		cp "$data/$1.input" "$tmp/input"
	fi
	set -- "$1" "$data/$1.arguments"
	name=$1
	args=$2
	set --
	while IFS= read -r word; do
		set -- "$@" "$(printf '%s' "$word" | sed "s/HOST/$host/g")"
	done < "$args"
	"$sendmail" "$@" < "$tmp/input" > "$tmp/out" 2> "$tmp/err" && got=0 ||
	    got=$?
	echo "status $got"
	sed "s|$tmp|TMP|g; s/ (kept as [^)]*)//; s/:$port/:PORT/g" "$tmp/err"
	f=$(find "$tmp/s/envelope" -type f 2>/dev/null)
	if [ -n "$f" ]; then
		sed -n 's/^\(mail <[^>]*>\).*/\1/p; s/^\(rcpt <[^>]*>\).*/\1/p' "$f"
		echo
		tr -d '\r' < "$tmp/s/new/${f##*/}" |
		    sed 's/^Date: .*+.*/Date: */; s/^\(Message-ID: <\)[0-9a-f]*@/\1*@/'
		rm -rf "$tmp/s/envelope" "$tmp/s"/new/*
		mkdir -p "$tmp/s/envelope"
	fi
}

if [ "$1" = --show ]; then
	outcome "$2" | sed "s/$host/HOST/g"
	exit 0
fi
for file in "$data"/*.expected; do
	name=$(basename "$file" .expected)
	outcome "$name" | sed "s/$host/HOST/g" > "$tmp/got"
	cmp -s "$tmp/got" "$file" && same=0 || same=1
	ok $same "$name"
	[ $same = 0 ] || diff "$file" "$tmp/got" | sed 's/^/# /'
done
done_testing
