#define _GNU_SOURCE			/* close_range() */
#include "helper.h"
#include "signals.h"
#include "url.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct helper {
	int fd;
	pid_t pid;
	struct account *accounts;
	size_t naccounts;
	const struct caller *caller;
	struct pool *pool;
};

enum want { WANT_SECRET, WANT_PROXY_SECRET };

enum { NAME_ROOM = 512, SECRET_ROOM = 24 * 1024 };

struct request {
	enum want want;
	size_t account;
	bool renew;			/* a token that was refused */
	bool has_host;
	char host[NAME_ROOM];		/* of a server that the DNS has named */
	char server[NAME_ROOM];		/* its URL, or one of the account's */
};

struct reply {
	bool ok;
	enum secret_source source;
	struct failure why;
	size_t len;
	char secret[SECRET_ROOM];
};

bool
helper_is_needed(const struct account *a)
{
	struct proxy proxy = { 0 };
	struct pool *pool = pool_new();
	struct failure ignored;
	bool proxied = a->values[SET_PROXY] != NULL &&
	    url_parse_proxy(a->values[SET_PROXY], &proxy, pool, &ignored) &&
	    proxy.user != NULL;

	pool_free(pool);
	return proxied || (!secret_is_at_hand(a) &&
	    strcasecmp(config_value(a, SET_AUTH), "none") != 0);
}

/* --- the helper's side ---------------------------------------------------- */

/*
 * Of a server that the account names only which one is believed; where the
 * DNS has named it, its name.
 */
static bool
understand(const struct helper *h, struct request *q, struct secret_use *use)
{
	const struct account *a = &h->accounts[q->account];
	const struct endpoint *e;
	size_t i;

	*use = (struct secret_use){ .account = a,
	    .host = q->has_host ? q->host : NULL,
	    .user = a->values[SET_USER] != NULL ? a->values[SET_USER] :
	    a->values[SET_FROM], .server = q->server, .renew = q->renew };
	for (i = 0; i < a->nservers; i++) {
		e = &a->servers[i];
		if (strcmp(e->text, q->server) != 0)
			continue;
		use->host = e->host;
		use->server = e->text;
		if (e->user != NULL)
			use->user = e->user;
		return true;
	}
	(void)printable(q->server, sizeof q->server, q->server,
	    strlen(q->server));
	return a->nservers == 0;
}

static bool
proxy_secret(const struct helper *h, const struct account *a,
    struct reply *r, struct buffer *secret)
{
	struct proxy proxy;
	bool found = false, ok;

	ok = a->values[SET_PROXY] != NULL && url_parse_proxy(
	    a->values[SET_PROXY], &proxy, h->pool, &r->why) &&
	    secret_of_host(h->caller, proxy.host, proxy.user, secret, &found,
	    &r->why);
	r->source = found ? SECRET_OF_HOST : SECRET_NONE;
	return ok;
}

static void
answer(const struct helper *h, struct request *q, struct reply *r,
    struct buffer *secret)
{
	struct secret_use use;

	q->host[NAME_ROOM - 1] = q->server[NAME_ROOM - 1] = '\0';
	(void)fail(&r->why, FAILURE_LOCAL, "there is no such account");
	if (q->account >= h->naccounts ||
	    h->accounts[q->account].barred != NULL)
		return;
	if (q->want == WANT_PROXY_SECRET)
		r->ok = proxy_secret(h, &h->accounts[q->account], r, secret);
	else if (q->want == WANT_SECRET && understand(h, q, &use))
		r->ok = secret_fetch(&use, h->caller, secret, &r->source,
		    &r->why);
	r->len = r->ok ? buffer_len(secret) : 0;
	if (r->len > sizeof r->secret)
		r->ok = fail(&r->why, FAILURE_CONFIG, "the password is too "
		    "long");
	else if (r->len > 0)
		memcpy(r->secret, buffer_data(secret), r->len);
}

/*
 * Who has asked is silent until it is answered.  Its end, or a signal that it
 * has got, ends what is being done for it: signals_watch().
 */
static bool
serve_one(const struct helper *h)
{
	struct buffer secret = BUFFER_SECRET;
	struct request q;
	struct reply r = { .ok = false };
	bool done;

	if (recv(h->fd, &q, sizeof q, 0) != (ssize_t)sizeof q)
		return false;
	signals_watch(h->fd, true);
	answer(h, &q, &r, &secret);
	signals_watch(h->fd, false);
	done = send(h->fd, &r, sizeof r, MSG_NOSIGNAL) == (ssize_t)sizeof r;
	explicit_bzero(&r, sizeof r);
	buffer_wipe(&secret);
	vault_sweep();
	return done;
}

/* It keeps nothing open but what a password-command may ask a person by. */
_Noreturn static void
run(struct helper *h)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	size_t i;

	for (i = 0; i < h->naccounts; i++)
		config_forget(&h->accounts[i]);
	if (null >= 0)
		(void)dup2(null, STDOUT_FILENO);
	if (h->fd > STDERR_FILENO + 1)
		(void)close_range(STDERR_FILENO + 1, (unsigned)h->fd - 1, 0);
	(void)close_range((unsigned)h->fd + 1, ~0U, 0);
	while (serve_one(h))
		continue;
	_exit(0);
}

/* --- our side ------------------------------------------------------------- */

static bool
start(struct helper *h, struct failure *why)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return fail_errno(why, FAILURE_LOCAL, "socketpair");
	h->pid = fork();
	h->fd = fds[h->pid == 0];
	(void)close(fds[h->pid != 0]);
	if (h->pid == 0)
		run(h);
	if (h->pid > 0)
		return true;
	(void)fail_errno(why, FAILURE_LOCAL, "fork");
	(void)close(h->fd);
	return false;
}

bool
helper_begin(struct config *config, const struct caller *c,
    struct failure *why)
{
	struct helper *h = pool_alloc(config->pool, sizeof *h);
	size_t i;

	*h = (struct helper){ .accounts = config->accounts,
	    .naccounts = config->n, .caller = c, .pool = config->pool };
	if (!start(h, why))
		return false;
	for (i = 0; i < config->n; i++)
		config->accounts[i].helper = h;
	return true;
}

/* Its end comes with the socket's; what it has begun is then given up. */
void
helper_end(struct config *config)
{
	struct helper *h = config->n > 0 ? config->accounts[0].helper : NULL;
	size_t i;

	if (h == NULL)
		return;
	(void)close(h->fd);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	for (i = 0; i < config->n; i++)
		config->accounts[i].helper = NULL;
}

static bool
is_lost(struct failure *why)
{
	return fail(why, FAILURE_LOCAL, "the process that fetches passwords "
	    "has ended");
}

/*
 * A signal ends the wait: the helper, which may not have got it, hears of it
 * by the end of the socket's one half, puts the terminal back in order, and
 * answers.
 */
static bool
hear(const struct helper *h, struct reply *r, struct failure *why)
{
	struct pollfd pfd = { .fd = h->fd, .events = POLLIN };

	if (signals_poll(&pfd, 1, -1) < 0)
		(void)shutdown(h->fd, SHUT_WR);
	if (recv(h->fd, r, sizeof *r, MSG_WAITALL) != (ssize_t)sizeof *r)
		return is_lost(why);
	if (r->ok && r->len <= sizeof r->secret)
		return true;
	if (signals_caught() != 0)
		return fail(why, FAILURE_INTERRUPTED, "ended by signal %d "
		    "before there was a password; nothing was sent",
		    signals_caught());
	*why = r->why;
	return false;
}

static bool
ask(const struct secret_use *use, enum want want, struct buffer *secret,
    enum secret_source *source, struct failure *why)
{
	const struct helper *h = use->account->helper;
	struct request q = { .want = want, .has_host = use->host != NULL,
	    .account = (size_t)(use->account - h->accounts),
	    .renew = use->renew };
	struct reply r = { .ok = false };
	bool ok;

	if ((use->host != NULL && strlen(use->host) >= NAME_ROOM) ||
	    strlen(use->server) >= NAME_ROOM)
		return fail(why, FAILURE_CONFIG, "the name of the server is "
		    "too long");
	(void)strcpy(q.host, use->host != NULL ? use->host : "");
	(void)strcpy(q.server, use->server);
	if (send(h->fd, &q, sizeof q, MSG_NOSIGNAL) != (ssize_t)sizeof q)
		return is_lost(why);
	ok = hear(h, &r, why);
	*source = r.source;
	if (ok)
		buffer_put(secret, r.secret, r.len);
	explicit_bzero(&r, sizeof r);
	vault_sweep();
	return ok;
}

bool
helper_secret(const struct secret_use *use, const struct caller *c,
    struct buffer *secret, enum secret_source *source, struct failure *why)
{
	if (use->account->helper == NULL || secret_is_at_hand(use->account))
		return secret_fetch(use, c, secret, source, why);
	return ask(use, WANT_SECRET, secret, source, why);
}

bool
helper_proxy_secret(const struct account *a, const struct caller *c,
    const char *host, const char *user, struct buffer *secret, bool *found,
    struct failure *why)
{
	const struct secret_use use = { .account = a, .server = "" };
	enum secret_source source = SECRET_NONE;

	if (a->helper == NULL)
		return secret_of_host(c, host, user, secret, found, why);
	*found = false;
	if (!ask(&use, WANT_PROXY_SECRET, secret, &source, why))
		return false;
	*found = source != SECRET_NONE;
	return true;
}
