/* SPDX-License-Identifier: MIT */
/*
 * test_registry_replay.c - logs of entries: what is applied, what is refused, what is said
 *
 * Hives and logs are made here, right first, then broken in one way a case. Real ones are in
 * test_registry_windows.c.
 */
#include "replay_case.h"

#include "base/bytes.h"

/* ---- ways to break it ---- */

static void nothing(struct scene *s)
{
	(void)s;
}

static void flip_page(struct scene *s)
{
	entry(s, 1, 1)[2000] ^= 1;
}

static void flip_first_hash(struct scene *s)
{
	uint64_t hash;

	entry(s, 1, 1)[24] ^= 1;
	hash = marvin32(MARVIN_REGISTRY, entry(s, 1, 1), 32);
	memcpy(entry(s, 1, 1) + 32, &hash, 8);
}

static void flip_second_hash(struct scene *s)
{
	entry(s, 1, 1)[39] ^= 1;
}

static void flip_padding(struct scene *s)
{
	entry(s, 1, 1)[regf_u32(entry(s, 1, 1), 4) - 1] ^= 1;
}

static void gap_in_log(struct scene *s)
{
	poke(s, 0, 1, 12, 12);
}

static void old_round(struct scene *s)
{
	poke(s, 1, 1, 12, 3);
}

static void page_outside(struct scene *s)
{
	poke(s, 1, 1, 40, PAGE);
}

static void page_wraps(struct scene *s)
{
	poke(s, 1, 1, 40, 0xFFFFF000);
}

static void page_too_long(struct scene *s)
{
	poke(s, 1, 1, 16, 2 * PAGE);
	poke(s, 1, 1, 44, 2 * PAGE);
}

static void no_pages(struct scene *s)
{
	poke(s, 1, 1, 20, 0);
}

static void million_pages(struct scene *s)
{
	poke(s, 1, 1, 20, 0x20000001);
}

static void huge_bins(struct scene *s)
{
	poke(s, 1, 1, 16, HIVE_BYTES_MAX);
}

static void odd_bins(struct scene *s)
{
	poke(s, 1, 1, 16, PAGE + 512);
}

static void odd_size(struct scene *s)
{
	regf_put32(entry(s, 1, 1), 4, 100);
}

static void zero_size(struct scene *s)
{
	regf_put32(entry(s, 1, 1), 4, 0);
}

static void huge_size(struct scene *s)
{
	regf_put32(entry(s, 1, 1), 4, 0xFFFFFE00);
}

static void cut_in_entry(struct scene *s)
{
	s->log[1].n = s->log[1].entry[1] + 1000;
}

static void cut_in_entry_head(struct scene *s)
{
	s->log[1].n = s->log[1].entry[1] + 30;
}

static void cut_at_entry(struct scene *s)
{
	s->log[1].n = s->log[1].entry[1];
}

static void swapped(struct scene *s)
{
	static struct make_log room;

	room = s->log[0];
	s->log[0] = s->log[1];
	s->log[1] = room;
}

static void only_first(struct scene *s)
{
	s->log[1].n = 0;
}

static void only_second(struct scene *s)
{
	s->log[0].n = 0;
}

static void first_sum_wrong(struct scene *s)
{
	s->log[0].at[100] ^= 1;
}

static void both_sums_wrong(struct scene *s)
{
	s->log[0].at[100] ^= 1;
	s->log[1].at[100] ^= 1;
}

static void both_zero(struct scene *s)
{
	memset(s->log[0].at, 0, s->log[0].n);
	memset(s->log[1].at, 0, s->log[1].n);
}

static void both_short(struct scene *s)
{
	s->log[0].n = 511;
	s->log[1].n = 100;
}

static void first_entry_wrong(struct scene *s)
{
	entry(s, 0, 0)[2000] ^= 1;
}

static void log_cut_itself(struct scene *s)
{
	regf_put32(s->log[0].at, 8, 7);
	make_sum(s->log[0].at);
	s->log[1].n = 0;
}

static void log_is_a_hive(struct scene *s)
{
	regf_put32(s->log[0].at, 28, 0);
	make_sum(s->log[0].at);
	s->log[1].n = 0;
}

static void first_too_old(struct scene *s)
{
	dirty(&s->hive, 13, 12);
}

static void both_too_old(struct scene *s)
{
	dirty(&s->hive, 40, 39);
}

static void far_ahead(struct scene *s)
{
	dirty(&s->hive, 3, 2);
}

static void second_does_not_continue(struct scene *s)
{
	s->log[0].n = s->log[0].entry[1];
}

static void broken_block_and_log(struct scene *s)
{
	broken_block(s);
	entry(s, 1, 0)[2000] ^= 1;
}

static void result_is_broken(struct scene *s)
{
	memset(entry(s, 1, 2) + 48, 0xEE, PAGE);
	make_hashes(&s->log[1], 2);
}

static void old_kind_beside(struct scene *s)
{
	uint8_t page[PAGE];

	write_page(s, 77, page);
	s->log[0].n = 0;
	make_old_log(&s->log[0], 10, MAKE_TIME, PAGE, page);
}

static void leftover_beside(struct scene *s)
{
	uint8_t page[PAGE];

	write_page(s, 77, page);
	make_old_log(&s->log[2], 10, MAKE_TIME, PAGE, page);
}

static void clean_hive(struct scene *s)
{
	dirty(&s->hive, 9, 9);
}

static const struct replay_case cases[] = {
	{"whole", nothing, 14, 5, false,
	 "logs applied up to sequence 14 (LOG1: 2 entries, 2 pages; "
	 "LOG2: 3 entries, 3 pages)"},
	{"flipped page", flip_page, 12, 3, true, "entry 13 at 5120 has a wrong first hash"},
	{"first hash", flip_first_hash, 12, 3, true, "a wrong first hash"},
	{"second hash", flip_second_hash, 12, 3, true, "a wrong second hash"},
	{"padding", flip_padding, 12, 3, true, "a wrong first hash"},
	{"gap in a log", gap_in_log, 10, 1, true, "another sequence in its place"},
	{"an older round", old_round, 12, 3, false, "up to sequence 12"},
	{"page outside", page_outside, 12, 3, true, "a page outside the bins"},
	{"page wraps", page_wraps, 12, 3, true, "a page outside the bins"},
	{"page too long", page_too_long, 12, 3, true, "pages that do not fit in it"},
	{"no pages", no_pages, 12, 3, true, "an impossible page count"},
	{"too many pages", million_pages, 12, 3, true, "an impossible page count"},
	{"huge bins", huge_bins, 12, 3, true, "a bins size beyond 64 MiB"},
	{"odd bins", odd_bins, 12, 3, true, "an impossible bins size"},
	{"odd size", odd_size, 12, 3, true, "an impossible size"},
	{"zero size", zero_size, 12, 3, true, "an impossible size"},
	{"huge size", huge_size, 12, 3, true, "its end cut off"},
	{"cut entry", cut_in_entry, 12, 3, true, "its end cut off"},
	{"cut entry head", cut_in_entry_head, 12, 3, false, "up to sequence 12"},
	{"cut at an entry", cut_at_entry, 12, 3, false, "up to sequence 12"},
	{"names swapped", swapped, 14, 5, false, "up to sequence 14"},
	{"LOG1 alone", only_first, 11, 2, false, "up to sequence 11 (LOG1: 2 entries, 2 pages)"},
	{"LOG2 alone", only_second, 14, 3, false, "up to sequence 14 (LOG2: 3 entries, 3 pages)"},
	{"LOG1 damaged", first_sum_wrong, 14, 3, false, "LOG1: wrong base block checksum"},
	{"both damaged", both_sums_wrong, 9, 0, false,
	 "logs not applied: its content may be stale (LOG1: wrong base block checksum; LOG2: wrong "
	 "base block checksum)"},
	{"both zero", both_zero, 9, 0, false, "logs not applied: its content may be stale (no log"},
	{"both short", both_short, 9, 0, false, "LOG2: cut inside its base block"},
	{"first entry", first_entry_wrong, 9, 0, false, "LOG1: entry 10 at 512 has a wrong first"},
	{"log cut itself", log_cut_itself, 9, 0, false, "its own sequence numbers differ"},
	{"log is a hive", log_is_a_hive, 9, 0, false, "not a log: file type 0"},
	{"LOG1 too old", first_too_old, 14, 3, false, "LOG1: too old"},
	{"both too old", both_too_old, 9, 0, false, "LOG2: too old"},
	{"far ahead", far_ahead, 14, 5, false, "up to sequence 14"},
	{"no continuation", second_does_not_continue, 10, 1, true, "12 does not continue 10"},
	{"broken block", broken_block, 14, 3, false, "LOG1: the base block is broken"},
	{"broken block, log", broken_block_and_log, 0, 0, false, "base block checksum at 508"},
	{"broken result", result_is_broken, 9, 0, false, "LOG2: it gives a broken hive: a bin or"},
	{"old kind beside", old_kind_beside, 14, 3, false, "LOG1: of the old kind"},
	{"leftover", leftover_beside, 14, 5, false, "LOG: a leftover"},
	{"clean", clean_hive, 9, 0, false, ""},
};

static void entries_are_applied_whole_and_in_order(void **state)
{
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scene_start(&s, 10);
		cases[i].breaks(&s);
		check(&cases[i], &s);
		free(s.hive.at);
	}
}

static void sequence_numbers_wrap(void **state)
{
	static const struct replay_case whole = {"wrap", nothing, 14,
						 5,      false,   "up to sequence 2 ("};
	static struct scene s;

	(void)state;
	scene_start(&s, UINT32_MAX - 1); /* -2, -1; 0, 1, 2 */
	check(&whole, &s);
	swapped(&s);
	check(&whole, &s);
	free(s.hive.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_applied_whole_and_in_order),
		cmocka_unit_test(sequence_numbers_wrap),
	};

	return cmocka_run_group_tests_name("registry-replay", tests, NULL, NULL);
}
