#!/bin/sh
# The documents have the figures that are on record, word for word; and what
# tests/figures does with them.
. "$(dirname "$0")/tap.sh"

tree=$tmp/tree
mkdir -p "$tree/tests/fuzz" "$tree/tests/interop" "$tree/docs"
documents='README.md tests/README.md tests/fuzz/README.md
    tests/interop/README.md'
figures=$tree/tests/figures
cp "$top/tests/figures" "$figures"
cp -R "$top/docs/figures" "$tree/docs/"
for name in $documents; do
	cp "$top/$name" "$tree/$name"
done
unset MAKEFLAGS MFLAGS MAKELEVEL || :
export GIT_CEILING_DIRECTORIES="$tmp"	# the tree is no repository

tells()				# WHAT TEXT: figures fails, and says so
{
	"$figures" > "$tmp/out" 2>&1 && got=0 || got=$?
	is "$got" 1 "$1: it fails"
	has "$tmp/out" "$2" "$1: and says why"
}

same()				# NAME WHAT: the document is what it was
{
	cmp -s "$tree/$1" "$top/$1" && got=0 || got=1
	ok $got "$2: $1"
	[ "$got" -eq 0 ] || diff "$top/$1" "$tree/$1" | sed 's/^/# /'
}

# --- what is committed ---------------------------------------------------------

"$figures" > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 0 'the figures are put where they belong'
sed 's/^/# /' "$tmp/out"
for name in $documents; do
	same $name 'as they are on record'
done
for name in bench crash hostile fuzz interop callers coverage rooms; do
	has "$top/README.md" "<!-- figure: $name -->" "README.md has $name"
done
for file in "$top"/docs/figures/*.md; do
	name=$(basename "$file" .md)
	day='20[0-9][0-9]-[01][0-9]-[0-3][0-9]'
	head=$(sed -n "1s/^\*$day, [0-9a-f]\{7,\}\( with changes\)\?; \(by .*\)/\2/p" \
	    "$file")
	target=$(printf %s "$head" | sed -n 's/^by `make \([a-z]*\)`\.\*$/\1/p')
	is "$(grep -c "^$target:" "$top/Makefile")" 1 \
	    "$name: of which day, which commit, which target ($head)"
	is "$(sed 1d "$file" | grep -c .)" \
	    "$(sed 1,2d "$file" | grep -c .)" "$name: and then the figure"
done

# --- a new one -----------------------------------------------------------------

echo '| a | b |' | "$figures" crash crash --of 2026-01-02 abc1234
printf '*2026-01-02, abc1234; by `make crash`.*\n\n| a | b |\n' > "$tmp/wanted"
is "$(cat "$tree/docs/figures/crash.md")" "$(cat "$tmp/wanted")" \
    'a figure is written down'
for name in README.md tests/README.md; do
	is "$(sed -n '/figure: crash -->/,/<!-- end/p' "$tree/$name" |
	    sed '1d;$d')" "$(cat "$tmp/wanted")" "$name has it"
	block='/figure: crash -->/,/<!-- end/d'
	sed "$block" "$tree/$name" > "$tmp/now"
	is "$(sed "$block" "$top/$name" | cmp - "$tmp/now" 2>&1)" '' \
	    "$name has nothing else"
done
same tests/fuzz/README.md 'what does not have it stays'
echo 'text' | "$figures" crash crash
is "$(sed -n "1s/^\*$(date +%Y-%m-%d), \(.*\)\*$/\1/p" \
    "$tree/docs/figures/crash.md")" 'no commit; by `make crash`.' \
    'today, where there is no repository'
if command -v git > /dev/null; then
	(cd "$tree" && git init -q . && git add . && git -c user.name=a \
	    -c user.email=a@example.org commit -qm a)
	at=$(git -C "$tree" rev-parse --short=7 HEAD)
	echo 'x' >> "$tree/README.md"
	is "$("$figures" --commit)" "$at" 'a document that changes is no change'
	echo '#' >> "$figures"
	is "$("$figures" --commit)" "$at with changes" 'another file is one'
fi

# --- what is wrong ---------------------------------------------------------------

cp "$top/README.md" "$tree/README.md"
"$figures"
cp "$tree/README.md" "$tmp/good"
sed -i 's/<!-- figure: bench -->//' "$tree/README.md"
cp "$tree/README.md" "$tmp/bad"
tells 'a marker that is missing' 'no document has a marker for bench'
is "$(cmp "$tree/README.md" "$tmp/bad" 2>&1)" '' 'and nothing is changed'
echo 'x' | "$figures" bench bench > "$tmp/out" 2>&1 && got=0 || got=$?
is "$got" 1 'nor is a figure taken that has no place'
is "$(cmp "$tree/docs/figures/bench.md" "$top/docs/figures/bench.md" 2>&1)" \
    '' 'and the old one stays'
sed '/figure: bench -->/,$s/<!-- end -->//' "$tmp/good" > "$tree/README.md"
tells 'a marker without its end' 'bench has no end'
sed 's/figure: bench/figure: bank/' "$tmp/good" > "$tree/README.md"
tells 'a marker of another name' 'there is no figure bank'
done_testing
