/* SPDX-License-Identifier: MIT */
/*
 * boot.c - smctl boot: the timeline of this boot, as it was or as it happens
 *
 * Above it stands what LastKnownGood stands at (standing.c), if the session manager tells it.
 * Phases are left-aligned, entries and items indented below the phase they belong to. Times are
 * seconds since the session manager's start. --follow subscribes before it reads the rows, so that
 * nothing falls between the two, and ends when the boot is ready.
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define ROWS_KNOWN  1024u /* rows that --follow tells apart; there are fewer (BOOT_ROWS_MAX) */
#define HEAD_MS     100   /* a phase that runs longer is shown before it ends */
#define LOOK_MS     500   /* without events: ask again whether the boot is ready */
#define NAME_COLUMN 34
#define SHOWN_NS    5000u /* 0.01 ms, the least that is shown */

struct timeline {
	struct sm_boot_entry *row;
	size_t count;
};

static int read_timeline(struct smctl *s, struct timeline *t)
{
	struct sm_boot_entry e;
	uint32_t cursor = 0;
	size_t room = 0;
	int r;

	while ((r = sm_boot_next(s->c, &cursor, &e)) == 1) {
		if (t->count == room) {
			struct sm_boot_entry *more;

			room = room ? room * 2 : 64;
			more = realloc(t->row, room * sizeof(*more));
			if (!more)
				return -ENOMEM;
			t->row = more;
		}
		t->row[t->count++] = e;
	}
	return r;
}

/* What took no time to speak of, or has not ended, shows none. */
static const char *show_taken(const struct sm_boot_entry *e)
{
	uint64_t ns = e->end_ns > e->start_ns ? e->end_ns - e->start_ns : 0;

	return ns < SHOWN_NS ? "" : show_duration(ns);
}

static void show_row(const struct sm_boot_entry *e, uint64_t origin_ns)
{
	bool named = e->kind != SM_BOOT_PHASE; /* a phase has its word, a shutdown also a name */
	const char *name = named ? show_text(e->name) : e->phase;
	unsigned indent = e->kind == SM_BOOT_PHASE ? 0 : e->kind == SM_BOOT_ENTRY ? 2 : 4;

	printf("%9s  %10s  %*s%-*s  %s", show_since(e->start_ns, origin_ns), show_taken(e),
	       (int)indent, "", (int)(NAME_COLUMN - indent), name, show_result(e));
	if (!named && e->name[0] && !str_same(e->name, e->phase))
		printf(": %s", show_text(e->name));
	if (e->text[0])
		printf(": %s", show_text(e->text));
	putchar('\n');
}

static bool same_phase(const struct sm_boot_entry *a, const struct sm_boot_entry *b)
{
	return str_same(a->phase, b->phase);
}

/*
 * Rows stand in the order they began, but an asynchronous entry can report while a later phase
 * runs: each row goes below the last row of its own phase before it, once.
 */
static void show_timeline(const struct timeline *t, uint64_t origin_ns, bool phases)
{
	bool *shown = calloc(t->count + 1, sizeof(*shown));

	for (size_t i = 0; shown && i < t->count; i++) {
		if (shown[i] || (phases && t->row[i].kind != SM_BOOT_PHASE))
			continue;
		show_row(&t->row[i], origin_ns);
		if (t->row[i].kind != SM_BOOT_PHASE || phases)
			continue;
		for (size_t k = i + 1; k < t->count; k++) {
			if (!same_phase(&t->row[i], &t->row[k]))
				continue;
			if (t->row[k].kind == SM_BOOT_PHASE)
				break; /* the same phase again, at another level */
			show_row(&t->row[k], origin_ns);
			shown[k] = true;
		}
	}
	free(shown);
}

static int show_whole(struct smctl *s, const struct sm_machine *m)
{
	struct timeline t = {NULL, 0};
	struct sm_boot_standing g;
	struct why w;
	bool stands = sm_standing(s->c, &g) == 0;
	int r = read_timeline(s, &t);

	why_read(s, m, &w);
	if (r < 0) {
		free(t.row);
		return smctl_call_failed(s, r, NULL);
	}
	if (s->json) {
		json_object *o = json_object_new_object(), *list = json_object_new_array();

		if (stands)
			standing_json(&g, o);
		why_json(&w, m, o);
		for (size_t i = 0; i < t.count; i++)
			if (!s->phases || t.row[i].kind == SM_BOOT_PHASE)
				(void)json_object_array_add(list, json_boot_entry(&t.row[i]));
		json_put_number(o, "started_ns", m->started_ns);
		json_put(o, "ready_us",
			 m->ready ? json_object_new_uint64((m->ready_ns - m->started_ns) / 1000u)
				  : NULL);
		json_put(o, "rows", list);
		free(t.row);
		return json_show(o, false);
	}
	if (stands) {
		standing_show(&g, m, &w);
		putchar('\n');
	}
	printf("%9s  %10s  %-*s  result\n", "start s", "duration", NAME_COLUMN, "what");
	show_timeline(&t, m->started_ns, s->phases);
	free(t.row);
	if (m->ready)
		printf("ready after %s\n", show_duration(m->ready_ns - m->started_ns));
	else
		printf("not ready yet%s%s\n", m->blocker[0] ? ": waiting for " : "",
		       show_text(m->blocker));
	return SMCTL_OK;
}

/* ---- following ---- */

struct follow {
	struct smctl *s;
	uint64_t origin_ns;
	struct sm_boot_entry head; /* of the running phase, not shown yet */
	bool head_waits;
	uint8_t seen[ROWS_KNOWN]; /* 1 = begun, 2 = ended */
};

static void show_head(struct follow *f)
{
	if (f->head_waits && !f->s->json)
		show_row(&f->head, f->origin_ns);
	f->head_waits = false;
	(void)fflush(stdout);
}

/* A row as of now. A phase is shown once if it is short, else when it begins and when it ends. */
static void follow_row(struct follow *f, const struct sm_boot_entry *e)
{
	bool ended = e->result != SM_RESULT_RUNNING;

	if (f->s->phases && e->kind != SM_BOOT_PHASE)
		return;
	if (e->number < ROWS_KNOWN) {
		if (f->seen[e->number] >= 1 + ended)
			return;
		f->seen[e->number] = (uint8_t)(1 + ended);
	}
	if (!ended) {
		if (e->kind == SM_BOOT_PHASE) {
			show_head(f);
			f->head = *e;
			f->head_waits = true;
		}
		return;
	}
	if (f->s->json) {
		(void)json_show(json_boot_entry(e), true);
		return;
	}
	if (f->head_waits && f->head.number == e->number)
		f->head_waits = false;
	else
		show_head(f);
	show_row(e, f->origin_ns);
	(void)fflush(stdout);
}

static int follow_end(const struct follow *f, const struct sm_machine *m)
{
	if (f->s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "ready_us", (m->ready_ns - m->started_ns) / 1000u);
		return json_show(o, true);
	}
	printf("ready after %s\n", show_duration(m->ready_ns - m->started_ns));
	return SMCTL_OK;
}

/* 1 = go on, otherwise the exit status is in *ret. */
static int follow_look(struct follow *f, int *ret)
{
	struct sm_boot_entry e;
	struct sm_machine m;
	uint32_t cursor = 0;
	int r = sm_status(f->s->c, &m);

	if (r < 0) {
		*ret = smctl_call_failed(f->s, r, NULL);
		return 0;
	}
	if (!m.ready && !m.shutting_down)
		return 1;
	/* Rows whose events are still on the way are read, so that all of them come before the end.
	 */
	while (sm_boot_next(f->s->c, &cursor, &e) == 1)
		follow_row(f, &e);
	show_head(f);
	*ret = m.ready ? follow_end(f, &m)
		       : smctl_error(f->s, "the machine is shutting down before it was ready");
	return 0;
}

static int show_following(struct smctl *s, const struct sm_machine *m)
{
	static struct follow f;
	struct sm_boot_entry e;
	uint32_t cursor = 0;
	int r = sm_subscribe(s->c), status;

	f = (struct follow){.s = s, .origin_ns = m->started_ns};
	while (r == 0 && (r = sm_boot_next(s->c, &cursor, &e)) == 1) {
		follow_row(&f, &e);
		r = 0;
	}
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (!follow_look(&f, &status))
		return status;
	for (;;) {
		struct sm_event event;

		r = sm_event_next(s->c, f.head_waits ? HEAD_MS : LOOK_MS, &event);
		if (r < 0)
			return smctl_call_failed(s, r, NULL);
		if (r == 1 && event.kind == SM_ON_BOOT) {
			follow_row(&f, &event.of.boot);
			if (!str_same(event.of.boot.phase, "Ready"))
				continue;
		}
		if (r == 0)
			show_head(&f);
		if (!follow_look(&f, &status))
			return status;
	}
}

int verb_boot(struct smctl *s, int argc, char **argv)
{
	struct sm_machine m;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_status(s->c, &m);
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	return s->follow ? show_following(s, &m) : show_whole(s, &m);
}
