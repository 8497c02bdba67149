/*
 * convert [8bitmime] [smtputf8] [FILE...]: the messages as convert.c makes
 * them for a server that offers these.  Without FILE from standard input to
 * standard output; each FILE to FILE.out, or its failure to FILE.err.  The
 * exit status is 65 when one could not be converted.
 */
#include "convert.h"
#include "input.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool
print(const struct message *m, FILE *out, struct failure *why)
{
	char block[4096];
	uint64_t offset = 0;
	size_t n;

	do {
		if (!message_octets(m, offset, block, sizeof block, &n, why))
			return false;
		offset += n;
	} while (n > 0 && fwrite(block, 1, n, out) == n);
	return n == 0 || fail_errno(why, FAILURE_LOCAL, "output");
}

static bool
convert_fd(int fd, const struct convert_offer *offer, FILE *out,
    struct failure *why)
{
	struct input in = { .fd = fd };
	struct pool *pool = pool_new();
	struct message *m = NULL;
	const struct message *done = NULL;
	bool ok = message_read(&in, false, NULL, pool, &m, why);

	if (ok && m->header_nul)
		ok = fail(why, FAILURE_MESSAGE, "NUL in the header");
	if (ok) {
		message_compose(m, "", NULL);
		ok = convert_message(m, offer, &done, pool, why) &&
		    print(done, out, why);
		convert_end(m, done);
	}
	buffer_free(&in.octets);
	message_free(m);
	pool_free(pool);
	return ok;
}

static bool
convert_file(const char *name, const struct convert_offer *offer)
{
	char out_name[4096], err_name[4096];
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct failure why = { 0 };
	FILE *out, *err;
	bool ok;

	(void)snprintf(out_name, sizeof out_name, "%s.out", name);
	(void)snprintf(err_name, sizeof err_name, "%s.err", name);
	(void)unlink(err_name);
	out = fopen(out_name, "w");
	if (fd < 0 || out == NULL) {
		perror(name);
		if (fd >= 0)
			(void)close(fd);
		if (out != NULL)
			(void)fclose(out);
		return false;
	}
	ok = convert_fd(fd, offer, out, &why);
	(void)close(fd);
	(void)fclose(out);
	if (!ok && (err = fopen(err_name, "w")) != NULL) {
		(void)fprintf(err, "%s\n", why.text);
		(void)fclose(err);
		(void)unlink(out_name);
	}
	return ok;
}

int
main(int argc, char **argv)
{
	struct convert_offer offer = { 0 };
	struct failure why;
	bool ok = true;
	int i;

	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "8bitmime") == 0)
			offer.eightbitmime = true;
		else if (strcmp(argv[i], "smtputf8") == 0)
			offer.smtputf8 = true;
		else
			break;
	}
	for (; i < argc; i++)
		ok = convert_file(argv[i], &offer) && ok;
	if (argc > 1 && i > 1 && strcmp(argv[i - 1], "8bitmime") != 0 &&
	    strcmp(argv[i - 1], "smtputf8") != 0)
		return ok ? 0 : 65;
	if (convert_fd(STDIN_FILENO, &offer, stdout, &why))
		return 0;
	(void)fprintf(stderr, "%s\n", why.text);
	return 65;
}
