#!/bin/sh
# Each of the checks of "make lint" finds what is wrong, with the settings
# that it has there.
. "$(dirname "$0")/tap.sh"
cd "$top"
unset MAKEFLAGS MFLAGS MAKELEVEL SAN CC || :

analyse()			# TOOL: of $tmp/bad.c, into $tmp/found
{
	make -s -k -f tests/lint/rules.mk "$1" L="$tmp/lint" \
	    FILES="$tmp/bad.c" > "$tmp/found" 2>&1
}

finds()				# TOOL TEXT
{
	analyse "$1" && got=0 || got=$?
	is "$got" 2 "$1 fails a bad file"
	has "$tmp/found" "$2" "$1 says: $2"
	analyse "$1" && got=0 || got=$?
	is "$got" 2 "$1 fails it again"
}

cat > "$tmp/bad.c" <<'END'
#include <stdlib.h>

static int
add(const int *numbers)
{
	return numbers[0] + numbers[1];
}

int
main(int argc, char **argv)
{
	int last[2] = { argc, 0 }, *p = malloc(sizeof *p), sum;

	(void)argv;
	if (argc > 1)
		p = NULL;
	sum = *p + add(last + 2) + last[2];
	return sum + system("true") == 3;
}
END
finds cppcheck arrayIndexOutOfBounds
finds tidy cert-env33-c
finds gcc analyzer-
finds scan core.NullDereference

cat > "$tmp/bad.c" <<'END'
int	main(void);

int
main(void)
{
	return 0;
}
END
for tool in cppcheck tidy gcc scan; do
	analyse $tool && got=0 || got=$?
	is "$got" 0 "$tool lets it pass when it is mended"
	[ "$got" -eq 0 ] || sed 's/^/# /' "$tmp/found"
	PATH="$tmp/none:/nowhere" "$(command -v make)" -s -q \
	    -f tests/lint/rules.mk "$tool" L="$tmp/other" \
	    FILES="$tmp/bad.c" > "$tmp/found" 2>&1 && got=0 || got=$?
	is "$got" 2 "$tool that is not there is no pass"
done

# --- the program --------------------------------------------------------------

elf()				# OPTION...: a program linked so
{
	echo 'int main(void) { return 0; }' > "$tmp/elf.c"
	cc -o "$tmp/elf" "$tmp/elf.c" "$@" 2> /dev/null
	sh tests/lint/elf "$tmp/elf" > "$tmp/found" 2>&1
}
good='-fPIE -pie -Wl,-z,relro -Wl,-z,now'

# shellcheck disable=SC2086
{
	elf $good && got=0 || got=$?
	is "$got" 0 "a program as it should be"
	elf $good -no-pie && got=0 || got=$?
	has "$tmp/found" "position-independent" "one at a fixed address"
	elf $good -Wl,-z,lazy && got=0 || got=$?
	has "$tmp/found" "bound at once" "one that is bound late"
	elf $good -Wl,-rpath,/tmp && got=0 || got=$?
	has "$tmp/found" "path of its own" "one with a run path"
	elf $good -Wl,-z,execstack && got=0 || got=$?
	has "$tmp/found" "stack can be executed" "one with a stack to execute"
	elf $good -Wl,-z,norelro && got=0 || got=$?
	has "$tmp/found" "stays writable" "one whose tables can be written"
}

# --- fences and alarms --------------------------------------------------------

mkdir "$tmp/rooms"
cd "$tmp/rooms"
echo '#include <gnutls/gnutls.h>' > room.c
perl "$top/tests/fences" room.c > "$tmp/found" 2>&1 && got=0 || got=$?
is "$got" 1 "the fences fail"
has "$tmp/found" "room.c:1: <gnutls/gnutls.h> is behind a fence" "a fence"

printf '| 1 | low.c | |\n| 2 | high_*.c | |\n' > HACKING.md
echo '#include "high_up.h"' > low.h
touch low.c high_up.c
perl "$top/tests/fences" low.h low.c high_up.c > "$tmp/found" 2>&1
is "$(cat "$tmp/found")" 'low.h:1: "high_up.h" is of a level above' "a level"
perl "$top/tests/fences" low.c room.c > "$tmp/found" 2>&1
has "$tmp/found" 'room.c:1: is in no row of the table' "a room of no level"
rm low.* high_up.c HACKING.md

long()				# NAME LINES: a function
{
	printf 'void\n%s(void)\n{\n' "$1"
	yes '	counter++;' | head -n "$2"
	printf '}\n\n'
}
mkdir tests
echo '/* none */' > tests/test.c
{
	echo 'static int counter;'
	i=0
	while [ $i -lt 101 ]; do
		long "short$i" 1
		i=$((i + 1))
	done
} > room.c
{
	long endless 61
	printf 'void\ndeep(int a)\n{\n'
	for tabs in '	' '		' '			' \
	    '				' '					'; do
		printf '%sif (a)\n' "$tabs"
	done
	printf '\t\t\t\t\tgoto out;\nout:\n\treturn;\n}\n'
} > other.c
echo '#include "b.h"' > a.h
echo '#include "c.h"' > b.h
echo '#include "b.h"' > c.h
cc -c -o room.o room.c
perl "$top/tests/alarms" room.o > "$tmp/found" 2>&1 && got=0 || got=$?
is "$got" 1 "the alarms fail"
has "$tmp/found" "other.c: endless: the longest without its tables: 64, " \
    "a function without an end"
has "$tmp/found" "other.c: deep: nesting: 5, at most 4" "depth"
has "$tmp/found" "room.c: lines of a file: 607, at most 600" "a long file"
has "$tmp/found" "alarms: b.h c.h b.h: include cycles: 1, at most 0" "a circle"
has "$tmp/found" "alarms: other.c: goto: 1, at most 0" "a goto"
has "$tmp/found" "lines of tests for one of source    0.0" \
    "how many lines of tests there are is told"
is "$(grep -c '^summary: .*at most 64.*nesting 5 of 4.*607 lines of 600' \
    "$tmp/found")" 1 "and all of it in one line"
is "$(sed -n 's/.*writable globals, besides log.c *\([0-9]*\).*/\1/p' \
    "$tmp/found")" 1 "a writable global is counted"

printf '# a greeting\nS: 220 x\n= status 0\n' > one.smtp
printf '# another\n\nS: 220 x\n# it is not\n= status 0\n' > two.smtp
printf 'S: 220 y\n= status 0\n' > three.smtp
sh "$top/tests/lint/transcripts" one.smtp && got=0 || got=$?
is "$got" 0 "a transcript in order"
sh "$top/tests/lint/transcripts" one.smtp two.smtp three.smtp \
    > "$tmp/found" && got=0 || got=$?
is "$got" 1 "the transcripts fail"
has "$tmp/found" "two.smtp: the same as one.smtp" "the same one twice"
has "$tmp/found" "three.smtp: the first line says not" "a word on top"

done_testing
