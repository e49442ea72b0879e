/* SPDX-License-Identifier: MIT */
/*
 * rows.c - the boot timeline: what began, when it ended, how it went
 *
 * The one place where the master logs: a row that ends is a line, and an event for subscribers.
 * When the table is full the last row says so; nothing else changes. What a session says is said
 * again with each new one of its number, without end: the same is counted, not written again.
 */
#include "smss/master/calls.h"
#include "smss/master/sessions.h"

#include <string.h>

#define ROWS_OTHERS 32u /* a sixth: nobody but root fills the table */

void say(int level, const char *a, const char *b, const char *c, const char *d)
{
	char room[320];
	struct text t = TEXT_ON(room);

	text_add(&t, a);
	if (b)
		text_add(&t, b);
	if (b && c)
		text_add(&t, c);
	if (b && c && d)
		text_add(&t, d);
	sys_log(level, room);
}

/* Puts a string into the pool, cut to cap. 0 when it is empty or there is no room left. */
static uint16_t pooled(const char *s, size_t cap)
{
	size_t n = str_len(s, cap - 1);

	if (!n || master.row_pool_used + n + 2 > ROW_POOL_BYTES)
		return 0; /* the first byte of the pool stays "" */
	master.row_pool_used += (uint32_t)n + 1;
	memcpy(master.row_pool + ROW_POOL_BYTES - master.row_pool_used, s, n);
	return (uint16_t)(ROW_POOL_BYTES - master.row_pool_used);
}

static const char *pool_text(uint16_t at)
{
	return at ? master.row_pool + at : "";
}

static void tell(uint32_t i)
{
	struct sm_message m;

	if (!master.subscribers)
		return;
	sm_message_start(&m, SM_EVENT_BOOT_ROW, 0, 0);
	row_fill(i, &m.b.boot_row);
	peer_tell_all(&m);
}

static int level_of(enum result result)
{
	switch (result) {
	case RESULT_OK:
	case RESULT_SKIPPED:
	case RESULT_NOT_YET:
	case RESULT_RUNNING:
		return SYS_LOG_INFO;
	case RESULT_DEGRADED:
		return SYS_LOG_WARNING;
	default:
		return SYS_LOG_ERROR;
	}
}

/* An entry that went well has told its items, and its phase tells the time: no line of its own. */
static bool worth_a_line(const struct row *r)
{
	return r->kind != SM_ROW_ENTRY || r->result != RESULT_OK || r->text;
}

static void log_row(const struct row *r)
{
	char room[320];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, phase_word(r->phase)), " ");
	if (r->kind != SM_ROW_PHASE)
		text_add(text_add(&t, pool_text(r->name)), " ");
	text_add(&t, result_word(r->result));
	if (r->end_ns > r->start_ns)
		text_add(text_u64(text_add(&t, " "), (r->end_ns - r->start_ns) / 1000), "us");
	if (r->text)
		text_add(text_add(&t, ": "), pool_text(r->text));
	sys_log(level_of(r->result), room);
}

bool session_may_row(uint32_t n)
{
	if (!master.sessions[n].others || master.boot.phase <= PHASE_SESSIONS)
		return true;
	if (master.rows_others > ROWS_OTHERS)
		return false;
	if (master.rows_others++ == ROWS_OTHERS)
		row_note(PHASE_SESSIONS, SM_ROW_ITEM, RESULT_DEGRADED, 0, "sessions of users",
			 "further remarks about them are not kept");
	return master.rows_others <= ROWS_OTHERS;
}

static bool is_again(const struct row *r, enum result result, int detail, const char *name,
		     const char *text)
{
	return r->phase == PHASE_SESSIONS && r->kind == SM_ROW_ITEM && r->result == result &&
	       r->detail == detail && str_same(pool_text(r->name), name) &&
	       str_same(pool_text(r->text), text);
}

bool row_again(enum result result, int detail, const char *name, const char *text)
{
	for (uint32_t i = master.rows_used; i-- > 0;) {
		struct row *r = &master.rows[i];

		if (!is_again(r, result, detail, name, text))
			continue;
		r->times += r->times < UINT8_MAX;
		log_row(r);
		tell(i);
		return true;
	}
	return false;
}

int row_begin(enum phase phase, unsigned kind, const char *name, uint32_t pid)
{
	struct row *r;
	int i;

	if (master.rows_used == BOOT_ROWS_MAX) {
		struct row *last = &master.rows[BOOT_ROWS_MAX - 1];

		if (!last->text)
			last->text =
				pooled("table full: later rows are only in the log", TEXT_BYTES);
		return NONE;
	}
	i = (int)master.rows_used++;
	r = &master.rows[i];
	r->start_ns = sys_now_ns();
	r->phase = (uint8_t)phase;
	r->kind = (uint8_t)kind;
	r->result = RESULT_RUNNING;
	r->pid = pid;
	r->name = pooled(name, NAME_BYTES);
	tell((uint32_t)i);
	return i;
}

void row_end(int row, enum result result, int detail, const char *text)
{
	struct row *r;

	if (row == NONE)
		return;
	r = &master.rows[row];
	if (r->result != RESULT_RUNNING)
		return;
	r->end_ns = sys_now_ns();
	r->result = (uint8_t)result;
	r->detail = detail;
	r->text = pooled(text, TEXT_BYTES);
	if (result == RESULT_DEGRADED)
		master.degraded++;
	if (worth_a_line(r))
		log_row(r);
	tell((uint32_t)row);
}

void row_note(enum phase phase, unsigned kind, enum result result, int detail, const char *name,
	      const char *text)
{
	int row;

	if (phase == PHASE_SESSIONS && row_again(result, detail, name, text))
		return;
	row = row_begin(phase, kind, name, 0);
	if (row == NONE)
		say(level_of(result), phase_word(phase), " ", name, text);
	else
		row_end(row, result, detail, text);
}

void row_fill(uint32_t i, struct sm_boot_row *ret)
{
	const struct row *r = &master.rows[i];
	struct text t = text_start(ret->text, sizeof(ret->text));

	ret->cursor = i;
	ret->phase = r->phase;
	ret->kind = r->kind;
	ret->result = r->result;
	ret->detail = r->detail;
	ret->pid = r->pid;
	ret->start_ns = r->start_ns;
	ret->end_ns = r->end_ns;
	str_copy(ret->name, sizeof(ret->name), pool_text(r->name));
	text_add(&t, pool_text(r->text));
	if (r->times) {
		text_add(text_u64(text_add(&t, r->text ? " (" : "("), r->times + 1u),
			 r->times == UINT8_MAX ? " times or more)" : " times)");
	}
}
