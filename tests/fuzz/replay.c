/* SPDX-License-Identifier: MIT */
/*
 * replay.c - a fuzz target without libFuzzer: every file of the folders given, once
 *
 * So the corpus, with what was ever found, is a test of the ordinary build. Each case gets memory
 * of exactly its length: reading past it is seen where the compiler has sanitizers. Speaks TAP;
 * the name of a case is written before it runs, since a finding ends the program.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct dirent *const *)a)->d_name,
		      (*(const struct dirent *const *)b)->d_name);
}

static int only_files(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static int compare(const struct dirent **a, const struct dirent **b)
{
	return by_name(a, b);
}

static bool run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *bytes;
	FILE *f;
	long n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rbe");
	if (!f || fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f)
			fclose(f);
		return false;
	}
	rewind(f);
	bytes = malloc((size_t)n ? (size_t)n : 1);
	if (!bytes || fread(bytes, 1, (size_t)n, f) != (size_t)n) {
		fprintf(stderr, "%s: it cannot be read\n", path);
		free(bytes);
		fclose(f);
		return false;
	}
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(bytes, (size_t)n);
	free(bytes);
	return true;
}

int main(int argc, char **argv)
{
	unsigned count = 0, bad = 0;

	for (int i = 1; i < argc; i++) {
		struct dirent **list;
		int n = scandir(argv[i], &list, only_files, compare);

		if (n < 0) {
			fprintf(stderr, "%s: %s\n", argv[i], strerror(errno));
			return 1;
		}
		for (int j = 0; j < n; j++) {
			bool good = run_file(argv[i], list[j]->d_name);

			bad += !good;
			printf("%sok %u - %s\n", good ? "" : "not ", ++count, list[j]->d_name);
			fflush(stdout);
			free(list[j]);
		}
		free(list);
	}
	printf("1..%u\n", count);
	return bad || !count;
}
