# Sourced: Debian's packages fetched into a cache below XDG_CACHE_HOME and
# unpacked into a folder of the build, never installed.  Whoever sources this
# defines die().
# shellcheck shell=sh
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sendoff-test

# A cache is named for what it was made from, and complete once SHA256SUMS is
# there, which is written last and checked at every use.
digest()
{
	sha256sum | cut -c 1-16
}

sound()				# DIRECTORY
{
	[ -f "$1/SHA256SUMS" ] &&
	    (cd "$1" && sha256sum --check --quiet SHA256SUMS) >&2
}

seal()				# DIRECTORY
{
	(cd "$1" && find . -type f ! -name 'SHA256SUMS*' -print0 | sort -z |
	    xargs -0 sha256sum > SHA256SUMS.new && mv SHA256SUMS.new SHA256SUMS)
}

# A GROUP is a list of packages in one word.
cache_of()			# GROUP...
{
	echo "$cache/debs-$(dpkg --print-architecture)-$(. /etc/os-release
	    echo "$VERSION_ID" "$@" | digest)"
}

# An empty status file makes apt take the whole closure, down to libc: the
# programs run with libraries of their own, whatever the host has installed.
download()			# DIRECTORY GROUP
{
	# shellcheck disable=SC2086
	apt-get -qq -y --download-only --no-install-recommends \
	    -o Dir::State::status="$1/status" \
	    -o Dir::Cache::archives="$1/" -o Dir::Cache::pkgcache= \
	    -o Dir::Cache::srcpkgcache= -o Debug::NoLocking=1 \
	    -o APT::Sandbox::User=root install $2 >/dev/null
}

download_all()			# DIRECTORY GROUP...
{
	into=$1
	shift
	for group; do
		download "$into" "$group" || return 1
	done
}

# Packages that conflict are in groups of their own, which apt is asked for
# one after the other.
fetch_packages()		# GROUP...
{
	from=$(cache_of "$@")
	! sound "$from" || return 0
	rm -rf "$from"
	mkdir -p "$from/partial"
	: > "$from/status"
	download_all "$from" "$@" ||
	    { apt-get -qq update && download_all "$from" "$@"; } ||
	    die 'the Debian packages could not be fetched'
	rm -rf "$from/partial" "$from/status" "$from/lock"
	seal "$from"
}

# Nothing in it is set-uid: a build folder is no place for that.
unpack_packages()		# ROOT GROUP...
{
	root=$1
	shift
	from=$(cache_of "$@")
	[ "$(cat "$root.from" 2>/dev/null)" != "$from" ] || return 0
	rm -rf "$root" "$root.from"
	mkdir -p "$root"
	for deb in "$from"/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" \
		    --no-same-permissions --exclude='./usr/share/doc' \
		    --exclude='./usr/share/man' --exclude='./usr/share/locale'
	done
	find "$root" -perm /6000 -exec chmod ug-s {} +
	echo "$from" > "$root.from"
}
