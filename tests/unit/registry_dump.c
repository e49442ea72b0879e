/* SPDX-License-Identifier: MIT */
/*
 * registry_dump.c - `registry-dump FILE`: a hive as smreg reads it, a line a key, a line a value
 *
 * For registry_differential.py, which holds it against another reader: everything that could be
 * mistaken is in hexadecimal. Logs are left alone, as the other reader does. `registry-dump --make
 * FILE` writes a hive of every kind of value.
 */
#include "registry_case.h"

#include "registry/hive.h"
#include "sys/sys.h"

static void hex(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	putchar('=');
	for (size_t i = 0; i < n; i++)
		printf("%02x", p[i]);
}

static void path(const struct reg_key *k)
{
	if (k->parent) {
		path(k->parent);
		hex(k->name, k->name_bytes);
	}
}

static void dump(const struct reg_key *k)
{
	printf("K ");
	path(k);
	putchar('\n');
	for (uint32_t i = 0; i < k->value_count; i++) {
		const struct reg_value *v = &k->values[i];

		printf("V %u ", v->type);
		hex(v->name, v->name_bytes);
		putchar(' ');
		hex(v->data, v->bytes);
		putchar('\n');
	}
	for (uint32_t i = 0; i < k->child_count; i++)
		dump(k->children[i]);
}

static int make(const char *to)
{
	static const char *const values[] = {
		"S:text",      "S:",      "X:%a%",   "M:a|b",    "M:",      "M:a||b",
		"D:7",         "B:",      "B:01FF",  "T0:",      "T4:0100", "Q:0102030405060708",
		"T5:0001F2F3", "T1:4100", "T7:4100", "T77:AABB",
	};
	char room[256] = "", name[32];
	struct text why = TEXT_ON(room);
	struct reg_tree t;
	struct reg_key *k;
	uint8_t *bytes;
	size_t n;
	FILE *f;

	case_start(&t);
	for (unsigned i = 0; i < 400; i++) {
		snprintf(name, sizeof(name), "Some\\Key %03u\\Deep", i);
		assert_int_equal(tree_make(&t, name, strlen(name), &k), 0);
		for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
			snprintf(name, sizeof(name), "n\xC3\xA9\xD0\x96%zu", v);
			case_set(&t, k, v ? name : "", values[v]);
		}
	}
	if (hive_build(&t, hive_stamp_after(NULL, 1000), &bytes, &n, &why) < 0) {
		fprintf(stderr, "registry-dump: %s\n", room);
		return 1;
	}
	f = fopen(to, "we");
	return f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
	char room[400] = "";
	struct text why = TEXT_ON(room);
	struct hive_source from;
	struct reg_tree t;
	struct hive *h;
	int r;

	if (argc == 3 && strcmp(argv[1], "--make") == 0)
		return make(argv[2]);
	r = argc == 2 ? hive_source_open(argv[1], &from) : -1;
	if (r == 0)
		r = hive_open(&from, HIVE_NO_LOGS, &h, &why);
	if (r == 0)
		r = tree_start(&t);
	if (r == 0)
		r = hive_load(h, "", HIVE_ALL, &t);
	if (r < 0) {
		fprintf(stderr, "registry-dump: %s\n", room);
		return 1;
	}
	dump(t.root);
	printf("E %llu\n", (unsigned long long)hive_damage(h, NULL));
	return 0;
}
