/* Runs a fuzz target over files: the corpus as a plain test, in TAP. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

static void
replay(const char *name, int n)
{
	static uint8_t octets[1 << 20];
	FILE *f = fopen(name, "rb");
	size_t len;

	if (f == NULL) {
		printf("not ok %d - %s cannot be read\n", n, name);
		exit(1);
	}
	len = fread(octets, 1, sizeof octets, f);
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(octets, len);
	printf("ok %d - %s\n", n, name);
}

int
main(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i], i);
	printf("1..%d\n", argc - 1);
	return argc > 1 ? 0 : 1;
}
