#include "confine.h"
#include "accounts.h"
#include "handed.h"
#include "helper.h"
#include "keep.h"
#include "log.h"
#include "memory.h"
#include "resolve.h"
#include "sandbox.h"
#include "secret.h"
#include "session.h"
#include "spool.h"
#include "tls.h"

#include <string.h>
#include <time.h>

/*
 * Who resolves a name: the C library's files, and its modules, which it loads
 * when it first needs them.
 */
static const char *const seen[] = {
	"/etc/resolv.conf", "/run/systemd/resolve", "/run/resolvconf",
	"/etc/hosts", "/etc/hostname", "/etc/host.conf", "/etc/nsswitch.conf",
	"/etc/gai.conf", "/etc/services", "/etc/ld.so.cache",
	"/usr/lib", "/lib", "/usr/lib64", "/usr/local/lib", "/nix/store",
	"/gnu/store",
	/* authorities, as the links of the bundles' folders and those to the
	   bundles (trust.c) lead, and those that p11-kit has where it is the
	   store */
	"/etc/ssl/certs", "/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates", "/etc/pki/ca-trust",
	"/etc/ca-certificates", "/var/lib/ca-certificates",
	"/etc/ssl/cert.pem",
	"/usr/share/pki", "/etc/pkcs11", "/usr/share/p11-kit",
};

static const struct account *
in_play(const struct confine *c, size_t i)
{
	return c->accounts != NULL ? c->accounts[i] : &c->config->accounts[i];
}

static size_t
count(const struct confine *c)
{
	return c->accounts != NULL ? c->n : c->config->n;
}

static bool
is_wanted(const struct confine *c)
{
	size_t i, n = count(c);

	for (i = 0; i < n; i++)
		if (strcmp(config_value(in_play(c, i), SET_SANDBOX), "no") == 0)
			return false;
	return n > 0;
}

/* While there can be a process for it. */
static void
prepare_secrets(const struct confine *c)
{
	size_t i;

	for (i = 0; i < c->config->n; i++)
		secret_prepare(&c->config->accounts[i]);
}

static bool
needs_helper(const struct confine *c)
{
	size_t i, n = count(c);

	for (i = 0; i < n; i++)
		if (helper_is_needed(in_play(c, i)))
			return true;
	return false;
}

/* --- of an account -------------------------------------------------------- */

/* Modules of the caller's are not loaded beside what he may not read. */
static void
may_identify(struct sandbox *s, const struct confine *c,
    const struct account *a)
{
	static const enum setting files[] = {
		SET_CA_FILE, SET_CRL_FILE, SET_CLIENT_CERTIFICATE,
		SET_CLIENT_KEY
	};
	size_t i;

	for (i = 0; i < sizeof files / sizeof *files; i++)
		if (!url_is_pkcs11(a->values[files[i]]))
			sandbox_may_read(s, a->values[files[i]]);
	if ((!url_is_pkcs11(a->values[SET_CLIENT_CERTIFICATE]) &&
	    !url_is_pkcs11(a->values[SET_CLIENT_KEY])) ||
	    handed_are_open(c->config))
		return;
	tls_load_tokens();
	sandbox_may_use_tokens(s);
}

static void
may_keep(struct sandbox *s, const struct confine *c, const struct account *a)
{
	const char *list[KEEP_PLACES] = { 0 };
	struct pool *pool = c->config->pool;
	size_t i, n = keep_places(list, a, c->caller, pool);

	if (a != NULL && a->values[SET_KEEP] != NULL &&
	    strcmp(a->values[SET_KEEP], "never") == 0)
		return;
	for (i = 0; i < n; i++) {
		if (c->keeps)
			(void)keep_prepare(list[i], pool);
		sandbox_may_write(s, list[i]);
	}
}

static void
may_log(struct sandbox *s, const struct account *a)
{
	const char *log = config_value(a, SET_LOG);

	if (log_prepare(log))
		sandbox_may_write(s, log);
}

/* --- of the run ----------------------------------------------------------- */

static void
may_remember(struct sandbox *s, const struct confine *c)
{
	struct pool *pool = c->config->pool;
	const char *file = session_memory(c->caller, pool);
	char *folder;

	if (file == NULL)
		return;
	memory_prepare(file, pool);
	folder = pool_string(pool, file);
	*strrchr(folder, '/') = '\0';
	sandbox_may_write(s, folder);
}

static void
may_all(struct sandbox *s, const struct confine *c)
{
	size_t i, n = count(c);

	for (i = 0; i < sizeof seen / sizeof *seen; i++)
		sandbox_may_read(s, seen[i]);
	may_remember(s, c);
	if (c->spools)
		spool_reserve(c->caller->temporary, c->many ? SPOOL_SPARES : 1);
	for (i = 0; i < n; i++) {
		may_identify(s, c, in_play(c, i));
		if (c->keeps || c->many)
			may_keep(s, c, in_play(c, i));
		if (c->many)
			may_log(s, in_play(c, i));
	}
}

void
confine(const struct confine *c)
{
	struct sandbox s;
	char text[SANDBOX_TEXT];
	struct failure why;

	if (!is_wanted(c))
		return;
	prepare_secrets(c);
	if (needs_helper(c) && !helper_begin(c->config, c->caller, &why)) {
		log_note(LEVEL_WARNING, "sandbox: none, as no process can be "
		    "begun that stays outside: %s", why.text);
		return;
	}
	if (c->many)
		resolve_prepare(c->config);
	tzset();			/* reads what it needs, and keeps it */
	sandbox_begin(&s);
	may_all(&s, c);
	sandbox_enter(&s, text);
	log_note(LEVEL_DEBUG, "sandbox: %s", text);
}

void
confine_all(const struct options *o, const struct caller *caller,
    struct config *config)
{
	const struct confine c = { .caller = caller, .config = config,
	    .many = true, .spools = true };

	accounts_prepare(config, o);
	confine(&c);
}
