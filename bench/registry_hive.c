/* SPDX-License-Identifier: MIT */
/*
 * registry_hive.c - large hives for bench/registry: registry_hive clean|new|old MIB FILE
 *
 * clean: a SYSTEM hive of that many MiB with the shape of Windows' own (keys of some 500 bytes with
 * four values). new, old: the same hive before its last changes, cut between its two sequence
 * numbers, with FILE.LOG1 (and FILE.LOG2) that hold every page of it as it became: log entries of
 * Windows 8.1 and later with their hashes, or the one bitmap and its pages of before. In the hive
 * every service's "Start" is 3; after a replay it is 2. Written from the format's description.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE        4096u
#define HEAD        4096u
#define NONE        0xFFFFFFFFu
#define TIME        0x01D295059E68E89Eull
#define PRIMARY     101u
#define ENTRY_PAGES 64u
#define GROUP       100u /* services in a group */

static uint8_t *bins;
static uint32_t used, room, bin_end, security, start_now;

static void put16(uint32_t at, uint16_t v)
{
	memcpy(bins + at, &v, 2);
}

static void put32(uint32_t at, uint32_t v)
{
	memcpy(bins + at, &v, 4);
}

static void free_rest(void)
{
	if (bin_end > used)
		put32(used, bin_end - used);
}

static void new_bin(uint32_t need)
{
	uint32_t size = (need + 32 + PAGE - 1) / PAGE * PAGE;
	uint64_t time = TIME;

	free_rest();
	used = bin_end;
	if (used + size > room) {
		fprintf(stderr, "registry_hive: it does not fit\n");
		exit(1);
	}
	memcpy(bins + used, "hbin", 4);
	put32(used + 4, used);
	put32(used + 8, size);
	memcpy(bins + used + 20, &time, 8);
	bin_end = used + size;
	used += 32;
}

static uint32_t cell(uint32_t bytes)
{
	uint32_t size = (bytes + 4 + 7) / 8 * 8, at;

	if (used + size > bin_end || (bin_end - used - size && bin_end - used - size < 8))
		new_bin(size);
	at = used;
	put32(at, 0u - size);
	used += size;
	return at;
}

static void make_security(void)
{
	static const uint8_t sid[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18};

	security = cell(20 + 20 + 28 + 24);
	memcpy(bins + security + 4, "sk", 2);
	put32(security + 8, security);
	put32(security + 12, security);
	put32(security + 16, 1);
	put32(security + 20, 72);
	put32(security + 24, 0x80040001);
	put32(security + 28, 48);
	put32(security + 32, 60);
	put32(security + 40, 20);
	put32(security + 44, 0x001C0002);
	put32(security + 48, 1);
	put32(security + 52, 0x00140200);
	put32(security + 56, 0xF003F);
	for (uint32_t i = 0; i < 3; i++)
		memcpy(bins + security + 60 + 12 * i, sid, sizeof(sid));
}

/* A key without children and values; they are hung in by finish_key. */
static uint32_t make_key(const char *name, uint32_t parent)
{
	uint32_t n = (uint32_t)strlen(name), at = cell(76 + n);
	uint64_t time = TIME;

	if (!security)
		make_security();
	memcpy(bins + at + 4, "nk", 2);
	put16(at + 6, parent ? 0x20 : 0x2C);
	memcpy(bins + at + 8, &time, 8);
	put32(at + 20, parent);
	put32(at + 32, NONE);
	put32(at + 36, NONE);
	put32(at + 44, NONE);
	put32(at + 48, security);
	put32(at + 52, NONE);
	put16(at + 76, (uint16_t)n);
	memcpy(bins + at + 80, name, n);
	return at;
}

static uint32_t hash_of(uint32_t key)
{
	uint16_t n;
	uint32_t h = 0;

	memcpy(&n, bins + key + 76, 2);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t c = bins[key + 80 + i];

		h = 37 * h + (c >= 'a' && c <= 'z' ? c - 32u : c);
	}
	return h;
}

/* Children in their order; the caller makes them sorted. */
static void finish_key(uint32_t at, const uint32_t *child, uint32_t children, const uint32_t *value,
		       uint32_t values)
{
	if (children) {
		uint32_t list = cell(4 + 8 * children);

		memcpy(bins + list + 4, "lh", 2);
		put16(list + 6, (uint16_t)children);
		for (uint32_t i = 0; i < children; i++) {
			put32(list + 8 + 8 * i, child[i]);
			put32(list + 12 + 8 * i, hash_of(child[i]));
		}
		put32(at + 24, children);
		put32(at + 32, list);
	}
	if (values) {
		uint32_t list = cell(4 * values);

		for (uint32_t i = 0; i < values; i++)
			put32(list + 4 + 4 * i, value[i]);
		put32(at + 40, values);
		put32(at + 44, list);
	}
}

static uint32_t make_value(const char *name, uint32_t type, const void *data, uint32_t n)
{
	uint32_t name_n = (uint32_t)strlen(name), where = 0, at;

	if (n > 4) {
		where = cell(n);
		memcpy(bins + where + 4, data, n);
	} else {
		memcpy(&where, data, n);
	}
	at = cell(20 + name_n);
	memcpy(bins + at + 4, "vk", 2);
	put16(at + 6, (uint16_t)name_n);
	put32(at + 8, n > 4 ? n : 0x80000000u | n);
	put32(at + 12, where);
	put32(at + 16, type);
	put16(at + 20, name_n != 0);
	memcpy(bins + at + 24, name, name_n);
	return at;
}

static uint32_t number(const char *name, uint32_t v)
{
	return make_value(name, 4, &v, 4);
}

static uint32_t text(const char *name, uint32_t type, const char *s)
{
	uint8_t wide[512] = {0};
	uint32_t n = (uint32_t)strlen(s);

	for (uint32_t i = 0; i < n; i++)
		wide[2 * i] = (uint8_t)s[i];
	return make_value(name, type, wide, 2 * n + (type == 7 ? 4 : 2));
}

/* Some strings in a key, as Environment and KnownDLLs have them. */
static uint32_t make_list(const char *name, uint32_t parent, uint32_t count, const char *form)
{
	uint32_t at = make_key(name, parent), value[64];
	char word[32], data[64];

	for (uint32_t i = 0; i < count; i++) {
		snprintf(word, sizeof(word), "name%u", i);
		snprintf(data, sizeof(data), form, i);
		value[i] = text(word, 1, data);
	}
	finish_key(at, NULL, 0, value, count);
	return at;
}

static uint32_t make_manager(uint32_t parent)
{
	uint32_t at = make_key("Session Manager", parent), child[5], value[8];

	child[0] = make_list("Environment", at, 17, "/usr/share/some/where/%u");
	child[1] = make_list("KnownDLLs", at, 29, "libsome%u.so.1");
	child[2] = make_key("Memory Management", at);
	value[0] = text("PagingFiles", 7, "?:/pagefile.sys 64 64");
	finish_key(child[2], NULL, 0, value, 1);
	child[3] = make_list("Other", at, 40, "a value that nobody reads, number %u");
	child[4] = make_key("SubSystems", at);
	value[0] = text("Required", 7, "Windows");
	value[1] = text("Windows", 2, "csrss");
	finish_key(child[4], NULL, 0, value, 2);
	value[0] = text("BootExecute", 7, "autocheck autochk *");
	value[1] = number("AutoChkTimeOut", 8);
	finish_key(at, child, 5, value, 2);
	return at;
}

static uint32_t make_service(const char *name, uint32_t parent, uint32_t i)
{
	uint32_t at = make_key(name, parent), value[4];
	char path[160];

	value[0] = number("Type", 16);
	value[1] = number("Start", start_now);
	snprintf(path, sizeof(path), "%%SystemRoot%%\\system32\\svchost.exe -k group%06u", i);
	value[2] = text("ImagePath", 2, path);
	snprintf(path, sizeof(path), "The service with the number %06u", i);
	value[3] = text("DisplayName", 1, path);
	finish_key(at, NULL, 0, value, 4);
	return at;
}

/* As many groups of services as there is room for. */
static void make_services(uint32_t at)
{
	uint32_t group[1000], groups = 0, one[GROUP];
	char name[16];

	while (groups < 1000 && used + GROUP * 620u + 2 * PAGE + 8 * groups < room) {
		snprintf(name, sizeof(name), "G%03u", groups);
		group[groups] = make_key(name, at);
		for (uint32_t i = 0; i < GROUP; i++) {
			snprintf(name, sizeof(name), "S%03u", i);
			one[i] = make_service(name, group[groups], groups * GROUP + i);
		}
		finish_key(group[groups], one, GROUP, NULL, 0);
		groups++;
	}
	finish_key(at, group, groups, NULL, 0);
}

static void make_tree(uint32_t start)
{
	uint32_t root, set, control, services, child[3], value[4];

	used = bin_end = security = 0;
	start_now = start;
	memset(bins, 0, room);
	root = make_key("ROOT", 0);
	set = make_key("ControlSet001", root);
	control = make_key("Control", set);
	child[0] = make_manager(control);
	finish_key(control, child, 1, NULL, 0);
	services = make_key("Services", set);
	child[0] = control;
	child[1] = services;
	finish_key(set, child, 2, NULL, 0);
	child[0] = set;
	child[1] = make_key("Select", root);
	value[0] = number("Current", 1);
	value[1] = number("Default", 1);
	value[2] = number("Failed", 0);
	value[3] = number("LastKnownGood", 1);
	finish_key(child[1], NULL, 0, value, 4);
	finish_key(root, child, 2, NULL, 0);
	make_services(services);
	while (bin_end < room)
		new_bin(1);
	free_rest();
}

static void make_block(uint8_t block[HEAD], uint32_t primary, uint32_t secondary, uint32_t type)
{
	const uint32_t words[] = {1, 5, type, 1, 0x20, room, 1};
	uint64_t time = TIME;
	uint32_t x = 0, w;

	memset(block, 0, HEAD);
	memcpy(block, "regf", 4);
	memcpy(block + 4, &primary, 4);
	memcpy(block + 8, &secondary, 4);
	memcpy(block + 12, &time, 8);
	memcpy(block + 20, words, sizeof(words));
	for (uint32_t i = 0; i < 508; i += 4) {
		memcpy(&w, block + i, 4);
		x ^= w;
	}
	memcpy(block + 508, &x, 4);
}

static uint32_t rotl(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

/* Marvin32 with the registry's seed; n is a multiple of 4 here. */
static uint64_t marvin(const uint8_t *p, size_t n)
{
	uint32_t lo = 0x7A4E55C5, hi = 0x82EF4D88, w;

	for (size_t i = 0; i < n + 8; i += 4) {
		if (i < n)
			memcpy(&w, p + i, 4);
		else
			w = i == n ? 0x80 : 0;
		lo += w;
		hi ^= lo;
		lo = rotl(lo, 20) + hi;
		hi = rotl(hi, 9) ^ lo;
		lo = rotl(lo, 27) + hi;
		hi = rotl(hi, 19);
	}
	return (uint64_t)hi << 32 | lo;
}

static void write_entry(FILE *f, uint32_t sequence, uint32_t first, uint32_t pages)
{
	static uint8_t e[40 + ENTRY_PAGES * (8 + PAGE) + 512];
	uint32_t size = (40 + pages * (8 + PAGE) + 511) / 512 * 512;
	const uint32_t head[] = {size, 0, sequence, room, pages};
	uint64_t hash;

	memset(e, 0, size);
	memcpy(e, "HvLE", 4);
	memcpy(e + 4, head, sizeof(head));
	for (uint32_t i = 0; i < pages; i++) {
		const uint32_t reference[] = {(first + i) * PAGE, PAGE};

		memcpy(e + 40 + 8 * i, reference, 8);
	}
	memcpy(e + 40 + 8 * pages, bins + first * PAGE, pages * PAGE);
	hash = marvin(e + 40, size - 40);
	memcpy(e + 24, &hash, 8);
	hash = marvin(e, 32);
	memcpy(e + 32, &hash, 8);
	fwrite(e, 1, size, f);
}

static FILE *begin(const char *path, const char *behind, const uint8_t *block, size_t n)
{
	char whole[4096];
	FILE *f;

	snprintf(whole, sizeof(whole), "%s%s", path, behind);
	f = fopen(whole, "wb");
	if (!f || fwrite(block, 1, n, f) != n) {
		perror(whole);
		exit(1);
	}
	return f;
}

/* Half of the pages in each of two logs. */
static void write_new_logs(const char *path)
{
	uint32_t sequence = PRIMARY - 1, pages = room / PAGE, at = 0;
	uint8_t block[HEAD];

	for (unsigned half = 0; half < 2; half++) {
		uint32_t end = half ? pages : pages / 2;
		FILE *f;

		make_block(block, sequence, sequence, 6);
		f = begin(path, half ? ".LOG2" : ".LOG1", block, 512);
		while (at < end) {
			uint32_t n = end - at < ENTRY_PAGES ? end - at : ENTRY_PAGES;

			write_entry(f, sequence++, at, n);
			at += n;
		}
		fclose(f);
	}
}

static void write_old_log(const char *path)
{
	uint32_t bitmap = room / PAGE, fill = (512 - (516 + bitmap) % 512) % 512;
	uint8_t block[HEAD];
	FILE *f;

	make_block(block, PRIMARY, PRIMARY, 1);
	f = begin(path, ".LOG1", block, 512);
	fwrite("DIRT", 1, 4, f);
	for (uint32_t i = 0; i < bitmap; i++)
		putc(0xFF, f);
	for (uint32_t i = 0; i < fill; i++)
		putc(0, f);
	fwrite(bins, 1, room, f);
	fclose(f);
}

int main(int argc, char **argv)
{
	uint8_t block[HEAD];
	bool clean = argc == 4 && strcmp(argv[1], "clean") == 0;
	FILE *f;

	if (argc != 4 || atoi(argv[2]) < 1 || atoi(argv[2]) > 60) {
		fprintf(stderr, "usage: registry_hive clean|new|old MIB FILE\n");
		return 2;
	}
	room = (uint32_t)atoi(argv[2]) * 1024 * 1024 - HEAD;
	bins = malloc(room);
	if (!bins)
		return 1;
	make_tree(clean ? 2 : 3);
	make_block(block, PRIMARY, clean ? PRIMARY : PRIMARY - 1, 0);
	f = begin(argv[3], "", block, HEAD);
	fwrite(bins, 1, room, f);
	fclose(f);
	if (clean)
		return 0;
	make_tree(2);
	if (strcmp(argv[1], "new") == 0)
		write_new_logs(argv[3]);
	else
		write_old_log(argv[3]);
	return 0;
}
