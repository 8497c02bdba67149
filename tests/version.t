#!/bin/sh
# The version is said once, in the Makefile; what must repeat it agrees.
. "$(dirname "$0")/tap.sh"

version=$(sed -n 's/^VERSION	= //p' "$top/Makefile")
is "$(printf '%s' "$version" | tr -d '0-9.')" "" "a number: $version"
is "$("$sendoff" --version | sed -n '1s/^sendoff \([^ ,]*\).*/\1/p')" \
    "$version" "the program's"
is "$(sed -n '1s/^sendoff (\(.*\)) .*/\1/p' "$top/debian/changelog")" \
    "$version" "debian/changelog"
is "$(sed -n 's/^## \([^ ]*\).*/\1/p' "$top/NEWS.md" | head -n 1)" \
    "$version" "NEWS.md"

# debian/copyright has the words of LICENSE.
words()
{
	sed -n '/Permission to use/,$p' "$1" | sed 's/^ \.$//' | tr -s ' \n' ' ' |
	    sed 's/^ //; s/ $//'
}
is "$(words "$top/debian/copyright")" "$(words "$top/LICENSE")" \
    "debian/copyright is LICENSE"
done_testing
