#!/bin/sh
# Every input that a fuzz target has found worth keeping, once more.
b=${B:-build}
here=$(dirname "$0")
n=0
bad=0
for target in "$here"/fuzz/corpus/*; do
	name=${target##*/}
	n=$((n + 1))
	if "$b/fuzz/$name" "$target"/* < /dev/null > /dev/null 2>&1; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		"$b/fuzz/$name" "$target"/* 2>&1 | sed 's/^/# /' | tail -n 20
		bad=1
	fi
done
echo "1..$n"
exit $bad
