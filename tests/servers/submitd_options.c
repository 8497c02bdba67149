#include "submitd_options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const extension_names[EXTENSIONS] = {
	[EXT_PIPELINING]		= "PIPELINING",
	[EXT_CHUNKING]			= "CHUNKING",
	[EXT_SIZE]			= "SIZE",
	[EXT_8BITMIME]			= "8BITMIME",
	[EXT_SMTPUTF8]			= "SMTPUTF8",
	[EXT_DSN]			= "DSN",
	[EXT_ENHANCEDSTATUSCODES]	= "ENHANCEDSTATUSCODES",
	[EXT_REQUIRETLS]		= "REQUIRETLS",
	[EXT_LIMITS]			= "LIMITS",
	[EXT_DELIVERBY]			= "DELIVERBY",
	[EXT_FUTURERELEASE]		= "FUTURERELEASE",
	[EXT_MT_PRIORITY]		= "MT-PRIORITY",
	[EXT_STARTTLS]			= "STARTTLS",
	[EXT_AUTH]			= "AUTH",
};

static const char *const fault_names[FAULTS] = {
	[FAULT_CLOSE_AT_GREETING]	= "close-at-greeting",
	[FAULT_GREETING_421]		= "greeting-421",
	[FAULT_GREETING_554]		= "greeting-554",
	[FAULT_SILENT]			= "silent",
	[FAULT_STARTTLS_454]		= "starttls-454",
	[FAULT_CLOSE_AT_HANDSHAKE]	= "close-at-handshake",
	[FAULT_PLAINTEXT_AFTER_STARTTLS]  = "plaintext-after-starttls",
	[FAULT_TLS_ALERT_AFTER_HANDSHAKE] = "tls-alert-after-handshake",
	[FAULT_AUTH_454]		= "auth-454",
	[FAULT_AUTH_535]		= "auth-535",
	[FAULT_AUTH_CLOSE]		= "auth-close",
	[FAULT_NO_SERVER_SIGNATURE]	= "no-server-signature",
	[FAULT_WRONG_SERVER_SIGNATURE]	= "wrong-server-signature",
	[FAULT_WRONG_NONCE]		= "wrong-nonce",
	[FAULT_PLUS_STRUCK]		= "plus-struck",
	[FAULT_SILENT_AT_MAIL]		= "silent-at-mail",
	[FAULT_CLOSE_AT_MAIL]		= "close-at-mail",
	[FAULT_CLOSE_BEFORE_DATA_END]	= "close-before-data-end",
	[FAULT_RESET_BEFORE_DATA_END]	= "reset-before-data-end",
	[FAULT_CLOSE_AFTER_DATA]	= "close-after-data",
	[FAULT_CLOSE_AFTER_STORE]	= "close-after-store",
	[FAULT_RESET_AFTER_DATA]	= "reset-after-data",
	[FAULT_SILENT_AFTER_DATA]	= "silent-after-data",
	[FAULT_421_AFTER_DATA]		= "421-after-data",
	[FAULT_451_AFTER_DATA]		= "451-after-data",
	[FAULT_554_AFTER_DATA]		= "554-after-data",
	[FAULT_SILENT_QUIT]		= "silent-quit",
};

static const char usage_text[] =
"usage: submitd [--listen ADDR:PORT]... [--unix PATH]\n"
"	[--tls=starttls|implicit|none] [--ca DIR] [--certificate CASE]\n"
"	[--client-ca] [--require-client-cert] [--tls-priority STRING]\n"
"	[--client-key SHA256] [--alpn NAME]\n"
"	[--tickets] [--maildir DIR] [--user NAME:PASSWORD]...\n"
"	[--mechanisms \"NAME NAME\"] [--auth-without-tls] [--no-auth]\n"
"	[--iterations N] [--salt-octets N] [--without EXT,EXT] [--size N]\n"
"	[--limits \"RCPTMAX=N MAILMAX=N\"] [--hello REJECT|CODE]\n"
"	[--deliverby MINIMUM] [--futurerelease \"SECONDS UNTIL\"]\n"
"	[--mt-priority POLICY]\n"
"	[--delay MS] [--small-buffers] [--stop-reading-after OCTETS]\n"
"	[--fault NAME]... [--max-sessions N]\n"
"	[--log FILE] [--pid-file FILE] [--ready-file FILE]\n"
"faults:\n";

static void
usage(FILE *f, int status)
{
	(void)fputs(usage_text, f);
	for (int i = 0; i < FAULTS; i++)
		(void)fprintf(f, "	%s\n", fault_names[i]);
	exit(status);
}

static void
refuse(const char *option, const char *value)
{
	(void)fprintf(stderr, "submitd: --%s: not understood: %s\n", option,
	    value);
	exit(64);
}

static bool
number(const char *text, size_t *n)
{
	char *end;

	if (strspn(text, "0123456789") == 0)
		return false;
	*n = strtoul(text, &end, 10);
	return *end == '\0';
}

static int
index_of(const char *word, size_t length, const char *const *names, int count)
{
	for (int i = 0; i < count; i++) {
		if (strlen(names[i]) == length &&
		    strncasecmp(names[i], word, length) == 0)
			return i;
	}
	return -1;
}

static bool
take_listen(struct options *o, const char *value)
{
	if (o->listeners == MAX_LISTENERS || strrchr(value, ':') == NULL)
		return false;
	o->listen[o->listeners++] = value;
	return true;
}

static bool
take_tls(struct options *o, const char *value)
{
	static const char *const names[] = { "none", "starttls", "implicit" };
	int i = index_of(value, strlen(value), names, 3);

	if (i < 0)
		return false;
	o->security = (enum security)i;
	return true;
}

static bool
take_user(struct options *o, const char *value)
{
	const char *colon = strchr(value, ':');
	struct user *user = &o->users[o->user_count];

	if (colon == NULL || o->user_count == MAX_USERS)
		return false;
	user->name = strndup(value, (size_t)(colon - value));
	user->password = colon + 1;
	o->user_count++;
	return user->name != NULL;
}

static bool
take_without(struct options *o, const char *value)
{
	while (*value != '\0') {
		size_t length = strcspn(value, ", ");
		int i = index_of(value, length, extension_names, EXTENSIONS);

		if (i < 0)
			return false;
		o->extensions &= ~(1u << i);
		value += length + (value[length] != '\0');
	}
	return true;
}

static bool
take_fault(struct options *o, const char *value)
{
	int i = index_of(value, strlen(value), fault_names, FAULTS);

	if (i < 0)
		return false;
	o->faults |= 1u << i;
	return true;
}

static bool
take_hello(struct options *o, const char *value)
{
	size_t code = 502;

	if (strcasecmp(value, "reject") != 0 &&
	    (!number(value, &code) || code < 400 || code > 599))
		return false;
	o->hello_reject = (int)code;
	return true;
}

/* libgsasl has no salt without octets. */

static bool
take_salt(struct options *o, const char *value)
{
	return number(value, &o->salt_octets) && o->salt_octets > 0 &&
	    o->salt_octets <= MAX_SALT;
}

/* RFC 9422: announced as given, of which the registered ones are enforced. */

static bool
take_limits(struct options *o, const char *value)
{
	const char *rcpt = strstr(value, "RCPTMAX=");
	const char *mail = strstr(value, "MAILMAX=");
	const char *domain = strstr(value, "RCPTDOMAINMAX=");

	o->limits = value;
	if (rcpt != NULL)
		o->recipients_max = strtoul(rcpt + 8, NULL, 10);
	if (mail != NULL)
		o->transactions_max = strtoul(mail + 8, NULL, 10);
	if (domain != NULL)
		o->domains_max = strtoul(domain + 14, NULL, 10);
	return o->domains_max <= MAX_DOMAINS;
}

/* One option: exactly one of the pointers says where its value goes. */
struct slot {
	const char *name;
	bool *flag;
	const char **text;
	size_t *number;
	bool (*take)(struct options *, const char *);
};

static bool
fill(const struct slot *slot, struct options *o, const char *value)
{
	if (slot->flag != NULL)
		*slot->flag = true;
	else if (slot->text != NULL)
		*slot->text = value;
	else if (slot->number != NULL)
		return number(value, slot->number);
	else
		return slot->take(o, value);
	return true;
}

static void
parse(const struct slot *slots, size_t count, struct options *o, int argc,
    char **argv)
{
	struct option table[64] = { 0 };
	int i;

	for (size_t n = 0; n < count && n < 63; n++) {
		table[n].name = slots[n].name;
		table[n].has_arg = slots[n].flag != NULL ? no_argument :
		    required_argument;
		table[n].val = (int)n;
	}
	while ((i = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (i < 0 || (size_t)i >= count)	/* that is '?' */
			usage(stderr, 64);
		else if (!fill(&slots[i], o, optarg))
			refuse(slots[i].name, optarg);
	}
	if (optind != argc)
		usage(stderr, 64);
}

static void
settle(struct options *o, bool no_auth)
{
	static const char anywhere[] = "127.0.0.1:0";

	if (o->listeners == 0 && o->unix_path == NULL)
		o->listen[o->listeners++] = anywhere;
	if (o->security != SECURITY_NONE && o->ca == NULL) {
		(void)fprintf(stderr, "submitd: TLS needs --ca DIR\n");
		exit(64);
	}
	o->client_ca |= o->require_client_cert || o->client_key != NULL;
	o->auth = !no_auth && (o->user_count > 0 || o->mechanisms != NULL);
	if (o->limits == NULL)
		o->extensions &= ~(1u << EXT_LIMITS);
	if (o->deliverby == NULL)
		o->extensions &= ~(1u << EXT_DELIVERBY);
	if (o->futurerelease == NULL)
		o->extensions &= ~(1u << EXT_FUTURERELEASE);
	if (o->mt_priority == NULL)
		o->extensions &= ~(1u << EXT_MT_PRIORITY);
	if (o->security != SECURITY_STARTTLS)
		o->extensions &= ~(1u << EXT_STARTTLS);
	if (!o->auth)
		o->extensions &= ~(1u << EXT_AUTH);
}

void
options_parse(struct options *o, int argc, char **argv)
{
	bool no_auth = false, help = false;
	const struct slot slots[] = {
		{ .name = "listen", .take = take_listen },
		{ .name = "unix", .text = &o->unix_path },
		{ .name = "tls", .take = take_tls },
		{ .name = "ca", .text = &o->ca },
		{ .name = "certificate", .text = &o->certificate },
		{ .name = "client-ca", .flag = &o->client_ca },
		{ .name = "require-client-cert",
		    .flag = &o->require_client_cert },
		{ .name = "client-key", .text = &o->client_key },
		{ .name = "tls-priority", .text = &o->tls_priority },
		{ .name = "alpn", .text = &o->alpn },
		{ .name = "tickets", .flag = &o->tickets },
		{ .name = "maildir", .text = &o->maildir },
		{ .name = "user", .take = take_user },
		{ .name = "mechanisms", .text = &o->mechanisms },
		{ .name = "auth-without-tls", .flag = &o->auth_without_tls },
		{ .name = "no-auth", .flag = &no_auth },
		{ .name = "iterations", .text = &o->iterations },
		{ .name = "salt-octets", .take = take_salt },
		{ .name = "without", .take = take_without },
		{ .name = "size", .number = &o->size },
		{ .name = "limits", .take = take_limits },
		{ .name = "deliverby", .text = &o->deliverby },
		{ .name = "futurerelease", .text = &o->futurerelease },
		{ .name = "mt-priority", .text = &o->mt_priority },
		{ .name = "hello", .take = take_hello },
		{ .name = "delay", .number = &o->delay },
		{ .name = "small-buffers", .flag = &o->small_buffers },
		{ .name = "stop-reading-after",
		    .number = &o->stop_reading_after },
		{ .name = "fault", .take = take_fault },
		{ .name = "max-sessions", .number = &o->max_sessions },
		{ .name = "log", .text = &o->log },
		{ .name = "pid-file", .text = &o->pid_file },
		{ .name = "ready-file", .text = &o->ready_file },
		{ .name = "help", .flag = &help },
	};

	*o = (struct options){
		.security = SECURITY_STARTTLS,
		.certificate = "good",
		.tls_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
		.iterations = "4096",
		.salt_octets = 16,
		.extensions = (1u << EXTENSIONS) - 1,
		.size = 64 << 20,
	};
	parse(slots, sizeof slots / sizeof slots[0], o, argc, argv);
	if (help)
		usage(stdout, 0);
	settle(o, no_auth);
}

bool
options_fault(const struct options *o, enum fault fault)
{
	return (o->faults & 1u << fault) != 0;
}

const char *
options_password(const struct options *o, const char *user)
{
	for (size_t i = 0; i < o->user_count; i++) {
		if (strcmp(o->users[i].name, user) == 0)
			return o->users[i].password;
	}
	return NULL;
}
