/* SPDX-License-Identifier: MIT */
/*
 * test_smctl_standing.c - what smctl says of the level a boot stands at, and what it lets root do
 *
 * Every case runs the real program over a real socket. Text is compared by the pieces a person
 * looks for; JSON by the documented field names.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl_case.h"

#define WHY "why \x1b[2J"

/* Each flag in words, and what the next boot tries because of it. */
static const struct standing {
	uint32_t level, attempts, allowed, flags, accept_in_ms, saved_s;
	const char *attempt, *lkg, *next;
} standings[] = {
	{0, 1, 3, 0, 11500, 9, "1 of 3, counts as good in 12 s", "saved 1970-01-01T00:00:09Z",
	 "Current"},
	{0, 2, 3, 0, 0, 0, "2 of 3, counts as good only by: smctl boot accept", "none saved yet",
	 "Current"},
	{0, 3, 3, 0, 1, 9, "3 of 3, counts as good in 1 s", "saved 1970-01-01T00:00:09Z",
	 "Current; LastKnownGood, if this one does not end in order"},
	{0, 3, 3, SM_LKG_ACCEPTED, 0, 0, "3 of 3, accepted: this boot is good", "none saved yet",
	 "Current"},
	{0, 1, 3, SM_LKG_REJECTED, 0, 9, "rejected: this boot is not good",
	 "saved 1970-01-01T00:00:09Z", "LastKnownGood, until the hive is changed (smreg)"},
	{0, 1, 3, SM_LKG_REJECTED, 0, 0, "rejected: this boot is not good", "none saved yet",
	 "the built-in minimum, until the hive is changed (smreg)"},
	{0, 1, 3, SM_LKG_ONCE, 1, 9, "1 of 3, counts as good in 1 s", "saved 1970-01-01T00:00:09Z",
	 "LastKnownGood, once, as asked"},
	{1, 1, 3, 0, 1, 9, "1 of 3, counts as good in 1 s", "saved 1970-01-01T00:00:09Z",
	 "LastKnownGood, until the hive is changed (smreg)"},
	{1, 0, 3, SM_LKG_ASKED, 0, 9, "not counted", "saved 1970-01-01T00:00:09Z",
	 "Current, for this level was asked for this boot only"},
	{2, 2, 3, 0, 0, 0, "2 at the last level", "none saved yet",
	 "the built-in minimum, until the hive is changed (smreg)"},
	{0, 0, 3, SM_LKG_OFF, 0, 0, "not counted", "off", "Current"},
};

static void boot_says_what_last_known_good_stands_at(void **state)
{
	struct fake *f = *state;
	char piece[512];

	fake_start(f);
	for (const struct standing *s = standings; s < standings + ARRAY_SIZE(standings); s++) {
		f->standing =
			(struct sm_boot_accept){0,        s->level,        s->attempts, s->allowed,
						s->flags, s->accept_in_ms, s->saved_s,  WHY};
		smctl(f, "boot");
		(void)snprintf(piece, sizeof(piece),
			       "attempt        %s\nLastKnownGood  %s\nnext boot      %s\n"
			       "remark         why \\x1B[2J\n",
			       s->attempt, s->lkg, s->next);
		wanted(ran.out, piece);
	}
}

/* The rows that leave a level behind, and what is made of them. */
struct left {
	uint32_t kind, result;
	const char *text;
};
#define LEFT_ROWS 5
static const struct fallback {
	uint32_t level, flags, saved_s;
	struct left row[LEFT_ROWS];
	const char *level_line, *why, *next;
} fallbacks[] = {
	{1,
	 0,
	 9,
	 {{SM_ROW_PHASE, RESULT_FAILED, "no plan could be had"},
	  {SM_ROW_ITEM, RESULT_DEGRADED, "torn"},
	  {SM_ROW_ITEM, RESULT_FAILED, "not a hive \x1b"},
	  {SM_ROW_PHASE, RESULT_OK, ""},
	  {SM_ROW_ITEM, RESULT_REFUSED, "a remark about the level that is booted"}},
	 "LastKnownGood, from ",
	 "Current: not a hive \\x1B",
	 "LastKnownGood, until the hive is put right: smreg restore --lkg, or --previous"},
	{1,
	 0,
	 9,
	 {{SM_ROW_PHASE, RESULT_FAILED, "no plan could be had"},
	  {SM_ROW_ITEM, RESULT_FAILED, "it was rejected (smctl boot reject)"},
	  {SM_ROW_PHASE, RESULT_OK, ""}},
	 "LastKnownGood, from ",
	 "Current: it was rejected (smctl boot reject)",
	 "LastKnownGood, until the hive is changed (smreg)"},
	{1,
	 SM_LKG_ASKED,
	 9,
	 {{SM_ROW_PHASE, RESULT_SKIPPED, "asked for"},
	  {SM_ROW_ITEM, RESULT_SKIPPED, "asked for by the kernel word"},
	  {SM_ROW_PHASE, RESULT_OK, ""}},
	 "LastKnownGood, from ",
	 "asked for by the kernel word",
	 "Current, for this level was asked for this boot only"},
	{2,
	 0,
	 0,
	 {{SM_ROW_PHASE, RESULT_FAILED, "no plan could be had"},
	  {SM_ROW_ITEM, RESULT_FAILED, "no hive"},
	  {SM_ROW_PHASE, RESULT_FAILED, "no plan could be had"},
	  {SM_ROW_ITEM, RESULT_FAILED, "none saved"},
	  {SM_ROW_PHASE, RESULT_OK, ""}},
	 "built-in minimum: no hive could be used",
	 "Current: no hive; LastKnownGood: none saved",
	 "the built-in minimum, until the hive is put right: smreg restore --previous"},
	{2,
	 SM_LKG_ASKED,
	 9,
	 {{SM_ROW_PHASE, RESULT_OK, ""}},
	 "built-in minimum\n",
	 "asked for by the kernel word rescue or single",
	 "Current, for this level was asked for this boot only"},
};

static void below_current_it_is_said_why_and_how_to_leave(void **state)
{
	struct fake *f = *state;
	char piece[512];

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(fallbacks); i++) {
		const struct fallback *b = &fallbacks[i];

		f->boots = 0;
		for (size_t n = 0; n < LEFT_ROWS && b->row[n].text; n++) {
			f->boot[n] = (struct sm_boot_row){.cursor = (uint32_t)n,
							  .phase = PHASE_REGISTRY,
							  .kind = b->row[n].kind,
							  .result = b->row[n].result};
			str_copy(f->boot[n].text, sizeof(f->boot[n].text), b->row[n].text);
			f->boots++;
		}
		f->status.level = b->level;
		f->standing = (struct sm_boot_accept){.level = b->level,
						      .attempts = 1,
						      .allowed = 3,
						      .flags = b->flags,
						      .lkg_wall_s = b->saved_s};
		smctl(f, "boot");
		(void)snprintf(piece, sizeof(piece), "why            %s\nattempt ", b->why);
		wanted(ran.out, piece);
		(void)snprintf(piece, sizeof(piece), "next boot      %s\n", b->next);
		wanted(ran.out, piece);
		smctl(f, "status");
		wanted(ran.out, b->level_line);
		(void)snprintf(piece, sizeof(piece), "why         %s\n", b->why);
		wanted(ran.out, piece);
	}
	smctl(f, "boot --json");
	assert_string_equal(json_at("/why"), fallbacks[ARRAY_SIZE(fallbacks) - 1].why);
	assert_string_equal(json_at("/next"), "Current");
	f->status.flags = SM_FLAG_SAFE_NETWORK;
	smctl(f, "boot --json");
	assert_string_equal(json_at("/safe_boot"), "network");
	smctl(f, "status --json");
	assert_string_equal(json_at("/safe_boot"), "network");
	assert_string_equal(json_at("/degraded"), "1");
}

static void reject_refuses_to_leave_nothing_but_the_minimum(void **state)
{
	static const struct {
		uint32_t level, flags;
		uint64_t saved_s;
		const char *verb;
		unsigned heard;
	} cases[] = {
		{0, 0, 0, "boot reject", 0},
		{0, 0, 0, "boot reject --force", 1},
		{0, 0, 0, "boot accept", 1},
		{0, 0, 9, "boot reject", 1},
		{1, 0, 9, "boot reject", 0},
		{1, 0, 9, "boot reject -F", 1},
		{0, SM_LKG_OFF, 0, "boot reject", 1}, /* it says itself why not */
		{0, SM_LKG_ACCEPTED, 0, "boot reject", 1},
		{2, 0, 0, "boot reject", 1},
	};
	struct fake *f = *state;

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->heard_count = 0;
		f->standing = (struct sm_boot_accept){.level = cases[i].level,
						      .flags = cases[i].flags,
						      .lkg_wall_s = cases[i].saved_s};
		smctl(f, cases[i].verb);
		assert_int_equal(f->heard_count, cases[i].heard);
		assert_int_equal(ran.status, !cases[i].heard);
		if (!cases[i].heard)
			wanted(ran.err, "--force rejects all the same");
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(boot_says_what_last_known_good_stands_at),
		TEST(below_current_it_is_said_why_and_how_to_leave),
		TEST(reject_refuses_to_leave_nothing_but_the_minimum),
	};

	if (argc < 2)
		return 2;
	smctl_path = argv[1];
	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
