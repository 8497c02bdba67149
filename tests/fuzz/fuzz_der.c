/* A certificate taken apart, and a text of them gone through. */
#include "bundle.h"
#include "fuzz.h"

#include <assert.h>

struct names {
	struct bundle_names of;
	size_t found;
};

static bool
found(void *context, struct octets der)
{
	struct names *names = context;
	struct der_certificate c;

	assert(der_certificate(der.p, der.len, &c));
	names->found++;
	return names->found < 3;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct names names = { .found = 0 };
	struct der_certificate c;
	struct octets subject;
	bool has_subject = der_subject(data, size, &subject);

	if (der_certificate(data, size, &c)) {
		assert(c.whole.p == data && c.whole.len <= size);
		assert(c.key.p + c.key.len <= c.tbs.p + c.tbs.len);
		assert(has_subject && octets_equal(subject, c.subject));
	}
	(void)der_is_sequence(data, size);
	bundle_name(&names.of, data, size);
	(void)bundle_scan((const char *)data, size, &names.of, found, &names);
	return 0;
}
