/* SPDX-License-Identifier: MIT */
/*
 * mutate_hive.c - libFuzzer's mutations for hives; only with libFuzzer
 *
 * Half of the time its own, on a part of the input in place. Else a record is broken on purpose: a
 * word that becomes another cell's offset, a size or count that is a little off or very large, a
 * signature of another record, a page copied over another, a flag of the case.
 */
#include <string.h>

#include "fuzz.h"
#include "regf.h"

static uint32_t dice;

static uint32_t roll(uint32_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return below ? dice % below : 0;
}

static uint32_t word_at(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* The offset of some cell, found by walking from the first; 0x20 when there is nothing to walk. */
static uint32_t some_cell(const struct regf_case *c)
{
	uint32_t at = 0x20, steps = roll(200);

	while (steps-- && (size_t)at + 4096 + 4 <= c->hive_n) {
		int32_t size = (int32_t)word_at(c->hive + 4096 + at);
		uint32_t room = size < 0 ? 0u - (uint32_t)size : (uint32_t)size;

		if (room < 8 || room > c->hive_n)
			break;
		at += room;
		if (at % 4096 == 0)
			at += 0x20;
	}
	return at;
}

static void break_word(const struct regf_case *c, uint8_t *p)
{
	static const uint32_t odd[] = {0,     1,     0xFFFFFFFF, 0x80000000, 0x7FFFFFFF, 0x80000004,
				       16344, 16345, 0xFFFF,     0x10000,    0xFFFFFFF8, 8};
	uint32_t v = word_at(p);

	switch (roll(5)) {
	case 0:
		v = some_cell(c);
		break;
	case 1:
		v += roll(17) - 8;
		break;
	case 2:
		v = odd[roll(sizeof(odd) / sizeof(odd[0]))];
		break;
	case 3:
		v ^= 1u << roll(32);
		break;
	default:
		v = 0u - v;
	}
	memcpy(p, &v, 4);
}

static void break_mark(uint8_t *p)
{
	static const char marks[][3] = {"nk", "vk", "lf", "lh", "li", "ri", "db", "sk"};

	memcpy(p, marks[roll(8)], 2);
}

/* A word of a record: where most cells begin, and where their first fields lie. */
static void break_record(const struct regf_case *c)
{
	size_t at = 4096u + some_cell(c);

	if (roll(8) == 0)
		at = 4u * roll(128); /* the base block */
	else if (roll(4))
		at += 4u * roll(21);
	if (at + 4 > c->hive_n)
		return;
	if (roll(8) == 0)
		break_mark(c->hive + at);
	else
		break_word(c, c->hive + at);
}

static void break_log(const struct regf_case *c)
{
	unsigned i = roll(CASE_LOGS);
	size_t at;

	if (!c->log[i] || c->log_n[i] < 1024)
		return;
	at = roll(2) ? 4u * roll(128) : 512u + 4u * roll(16);
	if (roll(4) == 0)
		at = 4u * roll((uint32_t)c->log_n[i] / 4);
	break_word(c, c->log[i] + at);
}

static void copy_page(const struct regf_case *c)
{
	size_t pages = c->hive_n / 4096;

	if (pages < 3)
		return;
	memmove(c->hive + 4096u * (1 + roll((uint32_t)pages - 1)),
		c->hive + 4096u * (1 + roll((uint32_t)pages - 1)), 4096);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed)
{
	struct regf_case c;

	dice = seed | 1;
	roll(1);
	if (!regf_split(data, n, &c) || roll(16) == 0)
		return LLVMFuzzerMutate(data, n, max);
	for (uint32_t times = 1 + roll(3); times; times--) {
		size_t at = roll((uint32_t)n), room = 1 + roll(256);

		switch (roll(8)) {
		case 0:
		case 1: /* libFuzzer's own, in place */
			if (room > n - at)
				room = n - at;
			LLVMFuzzerMutate(data + at, room, room);
			break;
		case 2:
			break_log(&c);
			break;
		case 3:
			if (roll(4) == 0)
				copy_page(&c);
			else if (roll(2))
				data[0] ^= (uint8_t)(1u << roll(8));
			else
				data[1 + roll(7)] ^= (uint8_t)(1u << roll(8));
			break;
		default:
			break_record(&c);
		}
	}
	return n;
}
