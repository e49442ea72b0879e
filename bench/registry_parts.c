/* SPDX-License-Identifier: MIT */
/*
 * registry_parts.c - where a commit's time goes, without a program's start: registry_parts HIVE N
 *
 * Does what `smreg add` does, N times on one hive, with the product's own functions, and prints the
 * medians in microseconds of: reading the hive, building the new one (which is libhivex's work),
 * making plan and queue, and the whole commit, which does the last two and writes three files.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registry/commit.h"

#define ROUNDS_MAX 2000

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void die(const char *what, int r, const char *why)
{
	fprintf(stderr, "registry_parts: %s: %s %s\n", what, strerror(-r), why);
	exit(1);
}

static double took[4][ROUNDS_MAX];

static void round_of(const char *path, unsigned i)
{
	static const char key[] = "ControlSet001\\Control\\Session Manager\\Environment";
	struct store s;
	struct reg_tree t, scratch;
	struct remarks remarks = {.arena = &scratch.arena};
	struct plan_made made = {0};
	struct plan_source from = {.tree = &t, .set = 1, .hive_path = path};
	struct reg_key *k;
	uint8_t *bytes = NULL;
	size_t n;
	char room[256] = "", text[16];
	struct text why = TEXT_ON(room);
	double at;
	int r = store_open(&s, path, &why);

	if (r < 0 || tree_start(&t) < 0 || tree_start(&scratch) < 0)
		die(path, r, room);
	at = now_us();
	r = store_read(&s, "/nonexistent", &t, NULL, &why);
	took[0][i] = now_us() - at;
	if (r < 0)
		die("read", r, room);
	snprintf(text, sizeof(text), "%u", i);
	r = tree_make(&t, key, sizeof(key) - 1, &k);
	if (r == 0)
		r = tree_set_text(&t, k, "Bench", REG_SZ, text);
	at = now_us();
	if (r == 0)
		r = hive_build(&t, hive_stamp_after(&s.facts, 1), &bytes, &n, &why);
	took[1][i] = now_us() - at;
	if (r < 0)
		die("build", r, room);
	at = now_us();
	r = plan_make(&from, &remarks, &made);
	took[2][i] = now_us() - at;
	at = now_us();
	if (r == 0)
		r = store_commit(&s, &t, false, &remarks, &why);
	took[3][i] = now_us() - at;
	if (r < 0)
		die("commit", r, room);
	plan_made_free(&made);
	free(bytes);
	tree_free(&t);
	tree_free(&scratch);
	store_close(&s);
}

int main(int argc, char **argv)
{
	unsigned rounds = argc == 3 ? (unsigned)atoi(argv[2]) : 0;

	if (!rounds || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: registry_parts HIVE ROUNDS\n");
		return 2;
	}
	for (unsigned i = 0; i < rounds; i++)
		round_of(argv[1], i);
	for (unsigned part = 0; part < 4; part++) {
		qsort(took[part], rounds, sizeof(double), by_size);
		printf("%.1f%c", took[part][rounds / 2], part < 3 ? ' ' : '\n');
	}
	return 0;
}
