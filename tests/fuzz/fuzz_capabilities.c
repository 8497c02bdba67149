/*
 * The lines of an EHLO reply: what is noted is bounded and in form, the whole
 * of it comes out however often it is said, and the mechanism that is chosen
 * is one that was offered and that the policy allows.
 */
#include "fuzz.h"
#include "reply.h"
#include "sasl.h"

#include <assert.h>
#include <string.h>

static void
note(struct capabilities *can, const char *p, size_t len)
{
	const char *end = p + len, *nl;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		capabilities_line(can, p, (size_t)(nl - p));
		if (nl == end)
			return;
	}
}

static void
check_mechanisms(const struct capabilities *can, struct pool *pool)
{
	const char *p = can->mechanisms;
	size_t len;

	assert(strlen(p) < sizeof can->mechanisms);
	assert(*p == '\0' || can->auth);
	for (; *p != '\0'; p += len + (p[len] == ' ')) {
		len = strcspn(p, " ");
		assert(len > 0 && len <= 64);
		assert(p[len] == '\0' || p[len + 1] != '\0');
		assert(strcspn(p, "abcdefghijklmnopqrstuvwxyz\t") >= len);
		assert(capabilities_offer(can, pool_octets(pool, p, len)));
	}
}

static void
check_choice(const struct capabilities *can, const char *allowed,
    const char *minimum)
{
	const struct sasl_policy policy = { .allowed = allowed,
	    .minimum = minimum, .has_password = true };
	const struct sasl_channel channel = { .tls = true,
	    .binding = "tls-exporter" };
	struct failure why;
	const char *m = sasl_choose(&policy, &channel, can->mechanisms, &why);

	if (m == NULL) {
		assert(why.kind == FAILURE_NO_MECHANISM);
		return;
	}
	assert(sasl_knows(m) && capabilities_offer(can, m));
	assert(allowed == NULL || strstr(allowed, m) != NULL);
	assert(minimum == NULL || !sasl_is_weaker(m, minimum));
	if (allowed == NULL && minimum == NULL)
		assert(strcmp(sasl_strongest(&policy,
		    can->mechanisms), m) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capabilities can = { 0 }, same = { 0 };
	struct pool *pool = pool_new();

	note(&can, (const char *)data, size);
	note(&same, (const char *)data, size);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both began 0 */
	assert(memcmp(&can, &same, sizeof can) == 0);
	assert(can.rcptmax <= 999999 && can.mailmax <= 999999 &&
	    can.rcptdomainmax <= 999999);
	assert(can.size || can.size_max == 0);
	assert(can.limits || (can.rcptmax == 0 && can.mailmax == 0 &&
	    can.rcptdomainmax == 0));
	check_mechanisms(&can, pool);
	check_choice(&can, NULL, NULL);
	check_choice(&can, NULL, "SCRAM-SHA-1");
	check_choice(&can, "LOGIN PLAIN CRAM-MD5", NULL);
	pool_free(pool);
	return 0;
}
