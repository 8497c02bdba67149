/*
 * A DNS server on loopback, by UDP, that answers from a table.  A name that
 * has no entry at all is NXDOMAIN, one without an entry of the type NODATA,
 * neither authenticated.
 */
#ifndef DNSD_H
#define DNSD_H

#include "dns.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum dnsd_how {
	ANSWERED, AUTHENTICATED, SILENT, SERVFAIL, REFUSED, NXDOMAIN,
	SECURE_NXDOMAIN
};

struct dnsd_entry {
	const char *name;		/* NULL ends the table */
	enum dns_type type;
	enum dnsd_how how;
	const char *records;		/* as in a zone file, apart by ";"; NULL:
					   there are none */
	const char *alias;		/* of which they are; the answer begins
					   with that CNAME */
};

enum { DNSD_QUESTIONS = 128, DNSD_ROOM = 16384 };

/* What was asked, for the test to see. */
struct dnsd_log {
	unsigned n;
	struct { char name[128]; unsigned type; } questions[DNSD_QUESTIONS];
};

static struct {
	pid_t pid;
	struct sockaddr_in at;
	char address[32];		/* for dns_open() */
	struct dnsd_log *log;		/* shared */
} dnsd;

static size_t
dnsd_16(unsigned char *p, unsigned n)
{
	p[0] = (unsigned char)(n >> 8);
	p[1] = (unsigned char)n;
	return 2;
}

static size_t
dnsd_name(unsigned char *p, const char *name)
{
	size_t n = 0, len;

	for (; *name != '\0'; name += len + (name[len] == '.')) {
		len = strcspn(name, ".");
		p[n++] = (unsigned char)len;
		memcpy(p + n, name, len);
		n += len;
	}
	p[n++] = 0;
	return n;
}

static size_t
dnsd_hex(unsigned char *p, const char *hex)
{
	unsigned octet;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &octet) == 1; hex += 2)
		p[n++] = (unsigned char)octet;
	return n;
}

/* The RDATA of one record. */
static size_t
dnsd_rdata(unsigned char *p, enum dns_type type, const char *text)
{
	unsigned a, b, c;
	char rest[256] = "";
	size_t n;

	switch (type) {
	case DNS_A:
		return inet_pton(AF_INET, text, p) == 1 ? 4 : 0;
	case DNS_AAAA:
		return inet_pton(AF_INET6, text, p) == 1 ? 16 : 0;
	case DNS_CNAME:
		return dnsd_name(p, text);
	case DNS_SRV:
		if (sscanf(text, "%u %u %u %255s", &a, &b, &c, rest) != 4)
			return 0;
		n = dnsd_16(p, a);
		n += dnsd_16(p + n, b);
		n += dnsd_16(p + n, c);
		return n + dnsd_name(p + n, strcmp(rest, ".") == 0 ? "" :
		    rest);
	case DNS_TLSA:
		if (sscanf(text, "%u %u %u %255s", &a, &b, &c, rest) != 4)
			return 0;
		p[0] = (unsigned char)a;
		p[1] = (unsigned char)b;
		p[2] = (unsigned char)c;
		return 3 + dnsd_hex(p + 3, rest);
	default:
		return 0;
	}
}

static size_t
dnsd_record(unsigned char *p, const char *owner, enum dns_type type,
    const char *text)
{
	size_t n = dnsd_name(p, owner), len;

	n += dnsd_16(p + n, type);
	n += dnsd_16(p + n, 1);
	n += dnsd_16(p + n, 0);
	n += dnsd_16(p + n, 60);
	len = dnsd_rdata(p + n + 2, type, text);
	return n + dnsd_16(p + n, (unsigned)len) + len;
}

static unsigned
dnsd_answers(unsigned char *out, size_t *n, const struct dnsd_entry *e)
{
	const char *owner = e->alias != NULL ? e->alias : e->name, *p;
	unsigned count = 0;
	char text[256];
	int len;

	if (e->alias != NULL) {
		*n += dnsd_record(out + *n, e->name, DNS_CNAME, e->alias);
		count++;
	}
	for (p = e->records; p != NULL && *p != '\0'; count++) {
		p += strspn(p, "; ");
		len = (int)strcspn(p, ";");
		(void)snprintf(text, sizeof text, "%.*s", len, p);
		*n += dnsd_record(out + *n, owner, e->type, text);
		p += len;
	}
	return count;
}

/* The name of the question, and its type. */
static size_t
dnsd_question(const unsigned char *query, size_t len, char *name,
    unsigned *type)
{
	size_t at = 12, n = 0, i;

	while (at < len && query[at] != 0 && n < 120) {
		if (n > 0)
			name[n++] = '.';
		for (i = query[at++]; i > 0 && at < len && n < 120; i--)
			name[n++] = (char)query[at++];
	}
	name[n] = '\0';
	*type = query[at + 2];
	return at + 5;
}

static const struct dnsd_entry *
dnsd_find(const struct dnsd_entry *table, const char *name, unsigned type,
    bool *is_name)
{
	*is_name = false;
	for (; table->name != NULL; table++)
		if (strcasecmp(table->name, name) == 0) {
			*is_name = true;
			if (table->type == (enum dns_type)type)
				return table;
		}
	return NULL;
}

static void
dnsd_note(const char *name, unsigned type)
{
	struct dnsd_log *log = dnsd.log;

	if (log->n == DNSD_QUESTIONS)
		return;
	(void)strcpy(log->questions[log->n].name, name);
	log->questions[log->n++].type = type;
}

/* Octets of the answer; 0: silence. */
static size_t
dnsd_reply(const struct dnsd_entry *table, const unsigned char *query,
    size_t len, unsigned char *out)
{
	static const unsigned codes[] = { [SERVFAIL] = 2, [REFUSED] = 5,
	    [NXDOMAIN] = 3, [SECURE_NXDOMAIN] = 3 };
	const struct dnsd_entry *e;
	unsigned type, code;
	char name[128];
	bool is_name;
	size_t n = dnsd_question(query, len, name, &type);

	dnsd_note(name, type);
	e = dnsd_find(table, name, type, &is_name);
	if (e != NULL && e->how == SILENT)
		return 0;
	memcpy(out, query, n);
	memset(out + 6, 0, 6);
	code = e != NULL ? codes[e->how] : is_name ? 0 : 3;
	out[2] = 0x81;
	out[3] = (unsigned char)(0x80 | code);
	if (e != NULL && (e->how == AUTHENTICATED ||
	    e->how == SECURE_NXDOMAIN))
		out[3] |= 0x20;
	if (e != NULL && code == 0)
		(void)dnsd_16(out + 6, dnsd_answers(out, &n, e));
	return n;
}

/* A packet of one octet comes back: all before it has been seen then. */
static void
dnsd_serve(int fd, const struct dnsd_entry *table)
{
	unsigned char query[DNSD_ROOM], out[DNSD_ROOM] = { 0 };
	struct sockaddr_in from;
	socklen_t size;
	ssize_t len;
	size_t n;

	for (;;) {
		size = sizeof from;
		len = recvfrom(fd, query, sizeof query, 0,
		    (struct sockaddr *)&from, &size);
		if (len < 0)
			_exit(1);
		n = len == 1 ? 1 : len < 17 ? 0 :
		    dnsd_reply(table, query, (size_t)len, out);
		if (n > 0)
			(void)sendto(fd, out, n, 0, (struct sockaddr *)&from,
			    size);
	}
}

static int
dnsd_listen(void)
{
	socklen_t size = sizeof dnsd.at;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	dnsd.at = (struct sockaddr_in){ .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)&dnsd.at, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&dnsd.at, &size),
	    0);
	(void)snprintf(dnsd.address, sizeof dnsd.address, "127.0.0.1:%u",
	    (unsigned)ntohs(dnsd.at.sin_port));
	return fd;
}

static void
dnsd_end(void)
{
	if (dnsd.pid > 0) {
		(void)kill(dnsd.pid, SIGKILL);
		(void)waitpid(dnsd.pid, NULL, 0);
		dnsd.pid = 0;
	}
}

static void
dnsd_begin(const struct dnsd_entry *table)
{
	int fd;

	dnsd_end();
	if (dnsd.log == NULL)
		dnsd.log = mmap(NULL, sizeof *dnsd.log, PROT_READ |
		    PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(dnsd.log != MAP_FAILED);
	*dnsd.log = (struct dnsd_log){ 0 };
	fd = dnsd_listen();
	dnsd.pid = fork();
	assert_true(dnsd.pid >= 0);
	if (dnsd.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		dnsd_serve(fd, table);
	}
	(void)close(fd);
}

/* An address at which nobody answers for names. */
static void
dnsd_nobody(void)
{
	dnsd_end();
	(void)close(dnsd_listen());
}

/* How often was it asked?  name NULL: any; type 0: any. */
static unsigned
dnsd_asked(const char *name, unsigned type)
{
	unsigned count = 0, i;
	char octet = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&dnsd.at,
	    sizeof dnsd.at), 0);
	assert_int_equal(send(fd, &octet, 1, 0), 1);
	assert_int_equal(recv(fd, &octet, 1, 0), 1);
	(void)close(fd);
	for (i = 0; i < dnsd.log->n; i++)
		if ((name == NULL ||
		    strcasecmp(dnsd.log->questions[i].name, name) == 0) &&
		    (type == 0 || dnsd.log->questions[i].type == type))
			count++;
	return count;
}

#endif
