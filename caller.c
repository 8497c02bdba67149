#define _GNU_SOURCE			/* close_range(), O_PATH */
#include "caller.h"
#include "file.h"
#include "signals.h"

#include <ctype.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* In a chroot without devices what can be neither read nor written holds it. */
static int
open_nothing(void)
{
	int fd = open("/dev/null", O_RDWR);

	/* cppcheck-suppress resourceLeak; the caller has it */
	return fd >= 0 ? fd : open("/", O_PATH);
}

bool
caller_begin(bool leaked)
{
	bool closed = fcntl(STDIN_FILENO, F_GETFD) < 0;
	int fd;

	do
		fd = open_nothing();
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	if (leaked)
		(void)close_range(STDERR_FILENO + 1, ~0U, 0);
	(void)umask(077);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	(void)prctl(PR_SET_DUMPABLE, 0);
	signals_begin();
	return closed;
}

static const char *
environment(const struct caller *c, const char *name, struct pool *pool)
{
	char *const *e = c->environment;
	size_t n = strlen(name);

	while (e != NULL && *e != NULL && (strncmp(*e, name, n) != 0 ||
	    (*e)[n] != '='))
		e++;
	return e == NULL || *e == NULL || (*e)[n + 1] == '\0' ? NULL :
	    pool_string(pool, *e + n + 1);
}

static const char *
absolute(const struct caller *c, const char *name, struct pool *pool)
{
	const char *value = environment(c, name, pool);

	return value != NULL && *value == '/' ? value : NULL;
}

/* The first field of GECOS; "&" in it is the login name (finger's habit). */
static const char *
gecos_name(const struct passwd *pw, struct pool *pool)
{
	size_t n = strcspn(pw->pw_gecos, ","), i, used = 0;
	size_t login = strlen(pw->pw_name);
	char *name = pool_alloc(pool, n * (login + 1) + 1);

	for (i = 0; i < n; i++) {
		if (pw->pw_gecos[i] != '&') {
			name[used++] = pw->pw_gecos[i];
			continue;
		}
		memcpy(name + used, pw->pw_name, login);
		name[used] = (char)toupper((unsigned char)name[used]);
		used += login;
	}
	return used > 0 ? name : NULL;
}

/* cron and sudo leave a $HOME that is another's: then it is not believed. */
static const char *
home_of(const struct caller *c, const struct passwd *pw, struct pool *pool)
{
	const char *home = absolute(c, "HOME", pool);
	struct stat st;

	if (home != NULL && stat(home, &st) == 0 && st.st_uid == c->uid)
		return home;
	return pw != NULL && pw->pw_dir[0] == '/' ?
	    pool_string(pool, pw->pw_dir) : NULL;
}

/* A name that other hosts may be told: of what names consist, a dot within. */
static bool
is_full(const char *name, size_t len)
{
	return len > 0 && memchr(name, '.', len - 1) != NULL &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") >= len;
}

/* Debian's name of this host in mail. */
static const char *
mailname(struct pool *pool)
{
	FILE *f = file_stream("/etc/mailname");
	char line[256] = "";
	size_t n;

	if (f == NULL)
		return NULL;
	if (fgets(line, sizeof line, f) == NULL)
		line[0] = '\0';
	(void)fclose(f);
	n = strcspn(line, " \t\r\n");
	return is_full(line, n) ? pool_octets(pool, line, n) : NULL;
}

void
caller_read(struct caller *c, bool stdin_closed, char **set_aside,
    struct pool *pool)
{
	struct passwd *pw;
	char host[256] = "";

	(void)unsetenv("RES_OPTIONS");	/* "trust-ad" is not the caller's to say */
	*c = (struct caller){ .uid = getuid(), .stdin_closed = stdin_closed,
	    .environment = set_aside != NULL ? set_aside : environ };
	pw = getpwuid(c->uid);
	c->login = pw != NULL ? pool_string(pool, pw->pw_name) :
	    pool_printf(pool, "uid%lu", (unsigned long)c->uid);
	c->full_name = environment(c, "NAME", pool);
	c->no_colour = environment(c, "NO_COLOR", pool) != NULL;
	if (c->full_name == NULL && pw != NULL && pw->pw_gecos != NULL)
		c->full_name = gecos_name(pw, pool);
	c->home = home_of(c, pw, pool);
	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		(void)strcpy(host, "localhost");
	c->hostname = pool_string(pool, host);
	c->fqdn = is_full(host, strlen(host)) ? c->hostname : NULL;
	c->mailname = mailname(pool);
	c->config_home = absolute(c, "XDG_CONFIG_HOME", pool);
	c->state_home = absolute(c, "XDG_STATE_HOME", pool);
	if (c->state_home == NULL && c->home != NULL)
		c->state_home = pool_printf(pool, "%s/.local/state", c->home);
	c->credentials = absolute(c, "CREDENTIALS_DIRECTORY", pool);
	c->temporary = pool_alloc(pool, sizeof *c->temporary);
	c->temporary->directory = absolute(c, "TMPDIR", pool);
	c->stdin_terminal = isatty(STDIN_FILENO) == 1;
	c->stderr_terminal = isatty(STDERR_FILENO) == 1;
}

/* What is cleared only is still in memory, where a module could look. */
static void
wipe_environment(void)
{
	char **e;

	for (e = environ; e != NULL && *e != NULL; e++)
		explicit_bzero(*e, strlen(*e));
	(void)clearenv();
}

/*
 * What root's environment says is not the owner's, nor is it to be seen by
 * the owner's password-command, which needs a home.
 */
static void
own_environment(const struct passwd *pw, struct pool *pool)
{
	const struct caller root = { .environment = environ };
	static const char *const kept[] = { "TZ", "LANG", "LC_ALL",
	    "LC_CTYPE" };
	enum { KEPT = sizeof kept / sizeof *kept };
	const char *values[KEPT];
	size_t i;

	for (i = 0; i < KEPT; i++)
		values[i] = environment(&root, kept[i], pool);
	wipe_environment();
	for (i = 0; i < KEPT; i++)
		if (values[i] != NULL)
			(void)setenv(kept[i], values[i], 1);
	(void)setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
	if (pw == NULL)
		return;
	(void)setenv("HOME", pw->pw_dir, 1);
	(void)setenv("USER", pw->pw_name, 1);
	(void)setenv("LOGNAME", pw->pw_name, 1);
}

static void
no_input(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		(void)close(STDIN_FILENO);
	if (fd > STDIN_FILENO)
		(void)close(fd);
}

bool
caller_become(struct caller *c, uid_t uid, struct pool *pool,
    struct failure *why)
{
	const struct passwd *pw = getpwuid(uid);
	gid_t gid = pw != NULL ? pw->pw_gid : (gid_t)uid;

	if ((pw != NULL ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) !=
	    0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return fail_errno(why, FAILURE_LOCAL, "cannot become user %lu",
		    (unsigned long)uid);
	(void)prctl(PR_SET_DUMPABLE, 0);
	own_environment(pw, pool);
	no_input();
	caller_read(c, false, NULL, pool);
	return true;
}

const char *
caller_fqdn(const struct caller *c, struct pool *pool)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME,
	    .ai_socktype = SOCK_STREAM }, *list = NULL;
	const char *name = NULL;

	if (c->fqdn != NULL)
		return c->fqdn;
	if (getaddrinfo(c->hostname, NULL, &hints, &list) != 0)
		return NULL;
	if (list->ai_canonname != NULL &&
	    is_full(list->ai_canonname, strlen(list->ai_canonname)))
		name = pool_string(pool, list->ai_canonname);
	freeaddrinfo(list);
	return name;
}
