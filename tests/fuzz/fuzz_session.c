/*
 * A whole submission against a server that says what the input has: the first
 * three octets choose account, envelope and message, the rest is the server's
 * script (server.h).
 *
 * Each recipient has one verdict.  "Sent" is only who was in a transaction
 * whose data had a 2yz; who may have got it is "sent" or "unknown", never
 * "refused" or "deferred", and is not sent it again; "unknown" is only who
 * was named and whose data were handed over in full.  No password is told.
 */
#include "fuzz.h"
#include "server.h"
#include "errand.h"
#include "log.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { LONG = 200 * 1024, LONGER = 1100 * 1024 };

#define PASSWORD	"rides a horse and"

struct choice_of {
	bool lmtp, again;
	const char *auth;
	size_t n;
	unsigned message, terms;
};

static struct spool_room room = { .directory = "/dev/shm" };

static const struct caller caller = { .uid = 1000, .login = "me",
	.hostname = "client", .fqdn = "client.example.org",
	.temporary = &room };

static const char *const paths[] = {
	"a@example.net", "b@example.net", "c@example.org", "d@example.com",
	"\"e f\"@example.net", "g@example.net", "h@example.net",
	"i@example.org", "j@example.org", "k@example.org",
	"l@example.com", "m@example.com", "\303\274@example.net"
};

static struct message *
read_message(const char *text, size_t fill, char what)
{
	static struct pool *pool;
	struct input in = { .fd = -1, .eof = true };
	struct message *m = NULL;
	struct failure why;
	size_t i;

	if (pool == NULL)
		pool = pool_new();
	buffer_put(&in.octets, text, strlen(text));
	for (i = 0; i < fill; i++)
		buffer_put(&in.octets, i % 70 == 69 ? "\n" :
		    i % 70 == 0 && what == '.' ? "." : &what, 1);
	assert(message_read(&in, false, &room, pool, &m, &why));
	buffer_free(&in.octets);
	return m;
}

static struct message *
message_of(unsigned which)
{
	static struct message *made[8];

	if (made[which] == NULL)
		made[which] = which == 0 ? read_message("Subject: x\n\nhi\n", 0,
		    ' ') :
		    which == 1 ? read_message("Subject: x\n\n.\n..\nBDAT 1\n",
		    0, ' ') :
		    which == 2 ? read_message("Subject: \303\274\n\n\303\274\n",
		    0, ' ') :
		    which == 3 ? read_message("Subject: x\n\n", LONG, '.') :
		    which == 4 ? read_message("Subject: x\n\n", LONG, '\351') :
		    which == 5 ? read_message("Subject: x\n\n", LONGER, 'x') :
		    which == 6 ? read_message("\n", 0, ' ') :
		    read_message("Subject: x\nContent-Type: text/plain; "
		    "charset=utf-8\n\n\303\244\303\266\n", 0, ' ');
	return made[which];
}

/* --- the account, the envelope ------------------------------------------------ */

static const struct account *
account_of(const struct choice_of *c, struct config *config)
{
	char text[400];
	FILE *f;
	int n = snprintf(text, sizeof text, "from me@example.org\n"
	    "server %s:///one\nserver smtp:///two\nauth %s\n"
	    "password \"" PASSWORD "\"\naliases none\nlog none\nsandbox no\n",
	    c->lmtp ? "lmtp" : "smtp", c->auth);

	f = fmemopen(text, (size_t)n, "r");
	assert(f != NULL);
	config_read(config, f, "fuzz", false, NULL);
	(void)fclose(f);
	return &config->accounts[0];
}

static void
make_envelope(struct envelope *e, const struct choice_of *c,
    struct pool *pool)
{
	static const char *const notify[] = { NULL, "NEVER", "SUCCESS,DELAY" };
	size_t i;

	*e = (struct envelope){ .sender = c->terms & 1 ? "" :
	    "me@example.org", .notify = notify[c->terms % 3],
	    .ret = c->terms & 2 ? "HDRS" : NULL,
	    .envid = c->terms & 2 ? "id+3D" : NULL,
	    .requiretls = c->terms == 5 };
	if (c->terms == 6)
		e->terms = (struct terms){ .by_mode = 'R', .by = 600,
		    .has_priority = true, .priority = 3 };
	if (c->terms == 7)
		e->terms = (struct terms){ .by_mode = 'N', .by = 60,
		    .by_trace = true, .hold_for = 30 };
	e->n = c->n;
	e->recipients = pool_array(pool, e->n, sizeof *e->recipients);
	for (i = 0; i < e->n; i++)
		e->recipients[i] = (struct recipient){ .path = paths[i],
		    .key = paths[i], .utf8 = *paths[i] == '\303' };
}

/* --- what came of it ----------------------------------------------------------- */

static void
check_text(const struct failure *why, bool login)
{
	const unsigned char *p = (const unsigned char *)why->text;

	assert(why->kind != FAILURE_NONE && *p != '\0');
	assert(!login || strstr(why->text, PASSWORD) == NULL);
	for (; *p != '\0'; p++)
		assert(*p >= ' ' && *p != 0x7f);
}

static void
check_one(const struct result *r, const char *path, bool login)
{
	const struct served *s = server_find(path, strlen(path));
	struct failure why = { 0 };

	assert(r->verdict != VERDICT_OPEN && r->verdict != VERDICT_QUEUED);
	if (r->verdict != VERDICT_SENT) {
		failure_copy(&why, r->why);
		check_text(&why, login);
	}
	if (server.tricky || s == NULL)
		return;
	if (r->verdict == VERDICT_SENT)
		assert(s->delivered == 1);
	else if (r->verdict == VERDICT_UNKNOWN)
		assert(s->exposed);
	else
		assert(s->delivered == 0 && s->maybe == 0);
}

static void
submit(const struct choice_of *c, struct config *config)
{
	struct pool *pool = config->pool;
	const struct options options = { .no_aliases = true };
	struct session session = { 0 };
	struct leg leg = { .account = account_of(c, config),
	    .prologue = "Message-ID: <1@example.org>\r\n" };
	struct errand e = { .leg = &leg, .message = message_of(c->message),
	    .session = &session, .more_follow = c->again, .pool = pool,
	    .session_pool = pool };
	size_t i, run;

	make_envelope(&leg.envelope, c, pool);
	for (run = 0; run < 1 + (size_t)c->again; run++) {
		server.n = 0;
		e.more_follow = c->again && run == 0;
		errand_do(&e, &options, &caller, NULL);
		assert(e.outcome.n == c->n && e.outcome.open == 0);
		for (i = 0; i < c->n; i++)
			check_one(&e.outcome.results[i], paths[i],
			    strcmp(c->auth, "none") != 0);
	}
	session_end(&session);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const auths[] = { "none", "auto", "PLAIN", "LOGIN",
	    "CRAM-MD5", "SCRAM-SHA-256", "auto", "none" };
	static const size_t counts[] = { 1, 2, 3, 13 };
	static const size_t mosts[] = { SIZE_MAX, 1, 17, 4096 };
	struct config config = { .pool = pool_new() };
	struct choice_of c;

	log_open("none", false, NULL, NULL);
	if (size >= 3) {
		c = (struct choice_of){ .lmtp = data[0] & 1,
		    .again = data[0] & 2, .n = counts[data[0] >> 2 & 3],
		    .auth = auths[data[1] & 7], .message = data[2] & 7,
		    .terms = data[2] >> 3 & 7 };
		server_begin(&(struct server){
		    .script = (const char *)data + 3, .len = size - 3,
		    .once = true,
		    .read_most = mosts[data[1] >> 3 & 3],
		    .write_most = data[1] & 32 ? 1000 : SIZE_MAX,
		    .slow = data[1] & 64 ? 20000 : 0 });
		submit(&c, &config);
		server_end();
	}
	pool_free(config.pool);
	return 0;
}
