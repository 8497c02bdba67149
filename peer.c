#define _GNU_SOURCE			/* struct ucred */
#include "peer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char not_known[] = "somebody whom this connection does not name";

static void
name(struct peer *p, struct pool *pool)
{
	const struct passwd *pw = getpwuid(p->uid);

	p->known = true;
	p->name = pool_printf(pool, "uid %lu", (unsigned long)p->uid);
	if (pw == NULL)
		return;
	p->login = pool_string(pool, pw->pw_name);
	p->name = pool_printf(pool, "%s (%s)", p->login, p->name);
}

/* Room for n groups and the one that is not in the list. */
static void
room_for(struct peer *p, size_t n, gid_t first, struct pool *pool)
{
	p->groups = pool_array(pool, n + 1, sizeof *p->groups);
	p->groups[0] = first;
	p->ngroups = 1;
}

void
peer_self(struct peer *p, struct pool *pool)
{
	int n = getgroups(0, NULL);

	*p = (struct peer){ .uid = getuid(), .pid = getpid() };
	room_for(p, n > 0 ? (size_t)n : 0, getgid(), pool);
	if (n > 0 && (n = getgroups(n, p->groups + 1)) > 0)
		p->ngroups += (size_t)n;
	name(p, pool);
}

/* As they were when it connected: what the file of the socket judges by. */
static void
groups_of(struct peer *p, int fd, gid_t first, struct pool *pool)
{
	socklen_t octets = 0;
	size_t n;

	/* cppcheck-suppress nullPointer; asks how many there are */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &octets) == 0 ||
	    errno != ERANGE)
		octets = 0;
	n = octets / sizeof *p->groups;
	room_for(p, n, first, pool);
	if (n > 0 && getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->groups + 1,
	    &octets) == 0)
		p->ngroups += octets / sizeof *p->groups;
}

static const char *
path_of(const struct sockaddr_un *un, socklen_t len, struct pool *pool)
{
	size_t n = len > offsetof(struct sockaddr_un, sun_path) ?
	    len - offsetof(struct sockaddr_un, sun_path) : 0;

	if (n > sizeof un->sun_path)
		n = sizeof un->sun_path;
	return n == 0 || un->sun_path[0] == '\0' ? NULL :
	    pool_octets(pool, un->sun_path, strnlen(un->sun_path, n));
}

/* A uid of -1 is that of a socket without a peer. */
static void
of_unix(struct peer *p, int fd, struct pool *pool)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
	    len != sizeof cred || cred.uid == (uid_t)-1)
		return;
	p->uid = cred.uid;
	p->pid = cred.pid;
	groups_of(p, fd, cred.gid, pool);
	name(p, pool);
}

void
peer_read(struct peer *p, int fd, struct pool *pool)
{
	struct sockaddr_un un = { 0 };
	socklen_t len = sizeof un;

	if (getauxval(AT_SECURE) != 0 ||
	    getsockname(fd, (struct sockaddr *)&un, &len) != 0) {
		peer_self(p, pool);
		return;
	}
	*p = (struct peer){ .remote = true, .name = not_known };
	if (un.sun_family != AF_UNIX)
		return;
	p->socket = path_of(&un, len, pool);
	of_unix(p, fd, pool);
}

static bool
number(const char *word, unsigned long *id)
{
	char *end;

	if (*word < '0' || *word > '9')
		return false;
	errno = 0;
	*id = strtoul(word, &end, 10);
	return *end == '\0' && errno == 0 && *id < UINT32_MAX;
}

static bool
is_in(const struct peer *p, const char *group)
{
	const struct group *gr;
	unsigned long id;
	size_t i;

	if (!number(group, &id)) {
		gr = getgrnam(group);
		if (gr == NULL)
			return false;
		id = gr->gr_gid;
	}
	for (i = 0; i < p->ngroups; i++)
		if (p->groups[i] == id)
			return true;
	return false;
}

static bool
is_named(const struct peer *p, const char *word)
{
	const struct passwd *pw;
	unsigned long id;

	if (*word == '@')
		return is_in(p, word + 1);
	if (number(word, &id))
		return p->uid == id;
	pw = getpwnam(word);
	return pw != NULL && pw->pw_uid == p->uid;
}

bool
peer_is_among(const struct peer *p, const char *list, struct pool *pool)
{
	size_t len;

	for (; p->known && *list != '\0'; list += len + strspn(list + len,
	    " ")) {
		len = strcspn(list, " ");
		if (is_named(p, pool_octets(pool, list, len)))
			return true;
	}
	return false;
}
