/* SPDX-License-Identifier: MIT */
/*
 * pending_classic.c - smctl pending: the classic entries beside the groups
 *
 * What other tools wrote into the hive for the next boot. libsm lists, checks, runs and cancels
 * them; what became of them is read from the report in the state directory, a line an entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/classic.h"
#include "smctl/pending.h"
#include "sys/sys.h"

#define TEXT_ROOM    8400u
#define DEFAULT_HIVE "/etc/smss/SYSTEM"

const char *classic_entry_text(const struct classic_shown *c)
{
	static char room[TEXT_ROOM];

	if (c->why)
		(void)snprintf(room, sizeof(room), "malformed: %s: %s", show_text(c->from), c->why);
	else if (!*c->to)
		(void)snprintf(room, sizeof(room), "delete %s", show_text(c->from));
	else
		(void)snprintf(room, sizeof(room), "move %s %s %s", show_text(c->from),
			       c->replace ? "over" : "to", show_text(c->to));
	return room;
}

json_object *classic_entry_json(const struct classic_shown *c)
{
	json_object *o = json_object_new_object();

	json_put_number(o, "entry", c->number);
	json_put_text(o, "value", c->value);
	json_put_text(o, "from", c->from);
	json_put(o, "to", NULL);
	if (*c->to)
		json_put_text(o, "to", c->to);
	json_put_bool(o, "replace", c->replace);
	json_put(o, "malformed", NULL);
	if (c->why)
		json_put_text(o, "malformed", c->why);
	if (c->state)
		json_put_text(o, "state", c->state);
	return o;
}

static struct classic_shown shown_of(const struct sm_classic_row *row)
{
	return (struct classic_shown){.number = row->entry + 1,
				      .value = row->value,
				      .from = row->from,
				      .to = row->to,
				      .replace = row->replace,
				      .why = row->malformed ? row->why : NULL,
				      .state = sm_classic_state_word(row->state)};
}

/* "smreg plan --write --hive ..." for this system. */
static const char *next_step(const struct pending *p)
{
	static char room[TEXT_ROOM];

	(void)snprintf(room, sizeof(room), "smreg plan --write --hive %s%s",
		       p->root ? show_text(p->root) : "",
		       show_text(p->hive ? p->hive : DEFAULT_HIVE));
	return room;
}

static bool unusable(int state)
{
	return state == SM_CLASSIC_STALE || state == SM_CLASSIC_DAMAGED;
}

static const char *standing_text(const struct pending *p, int state)
{
	static char room[TEXT_ROOM + 128];

	switch (state) {
	case SM_CLASSIC_WAITS:
		return "wait for the next boot";
	case SM_CLASSIC_BEGUN:
		return "cut on their way; the next boot goes on";
	case SM_CLASSIC_DONE:
		return "done; see: smctl pending report";
	default:
		(void)snprintf(room, sizeof(room), "%s, so that none of it runs; next: %s",
			       state == SM_CLASSIC_STALE
				       ? "SYSTEM.queue is missing or of another state of the hive"
				       : "SYSTEM.queue is damaged",
			       next_step(p));
		return room;
	}
}

/* ---- list ---- */

static void list_line(const struct classic_shown *c)
{
	printf("%5u  %-28s  %s\n", c->number, c->value, classic_entry_text(c));
}

int classic_list(struct pending *p, json_object *o)
{
	json_object *list = o ? json_object_new_array() : NULL;
	const int state = sm_classic_standing(p->q);
	struct sm_classic_row row;
	uint32_t cursor = 0;
	int r = state < 0 ? state : 0;

	if (!o && state > SM_CLASSIC_NONE)
		printf("classic entries%s: %s\n", state == SM_CLASSIC_DONE ? "" : " of the hive",
		       standing_text(p, state));
	if (!o && state == SM_CLASSIC_DONE) /* nothing comes of them any more */
		return SMCTL_OK;
	while (r == 0 && sm_classic_next(p->q, &cursor, &row) > 0) {
		const struct classic_shown c = shown_of(&row);

		if (!list && row.entry == 0)
			puts("entry  value                         operation");
		if (list)
			(void)json_object_array_add(list, classic_entry_json(&c));
		else
			list_line(&c);
	}
	if (o) {
		json_put(o, "classic", list);
		json_put_text(o, "classic_state",
			      state < 0 ? "?"
					: sm_classic_state_word((enum sm_classic_state)state));
	}
	return r < 0 ? groups_failed(p, r, "the hive's entries") : SMCTL_OK;
}

/* ---- check ---- */

struct checking {
	struct pending *p;
	json_object *list;
	int *reason; /* by entry */
	uint32_t count;
};

static void tell_problem(void *arg, const struct sm_problem *problem)
{
	struct checking *c = arg;

	if (problem->operation < c->count)
		c->reason[problem->operation] = problem->reason;
}

static void show_checked(struct checking *c, const struct sm_classic_row *row)
{
	const struct classic_shown shown = shown_of(row);
	const int reason = c->reason[row->entry];

	if (c->list) {
		json_object *o = classic_entry_json(&shown);

		json_put(o, "problem", NULL);
		if (reason)
			json_put_text(o, "problem", sm_reason_text(reason));
		(void)json_object_array_add(c->list, o);
	} else if (reason) {
		(void)smctl_error(c->p->s, "classic entry %u, %s: %s", shown.number,
				  classic_entry_text(&shown), sm_reason_text(reason));
	}
}

static int check_rows(struct checking *c)
{
	const struct sm_watch watch = {.problem = tell_problem, .arg = c};
	struct sm_classic_row row;
	uint32_t cursor = 0;
	int found;

	while (sm_classic_next(c->p->q, &cursor, &row) > 0)
		c->count++;
	c->reason = calloc(c->count + 1, sizeof(*c->reason));
	found = c->reason ? sm_classic_check(c->p->q, &watch) : -ENOMEM;
	cursor = 0;
	while (found >= 0 && sm_classic_next(c->p->q, &cursor, &row) > 0)
		if (row.state == SM_CLASSIC_WAITS || row.state == SM_CLASSIC_BEGUN)
			show_checked(c, &row);
	free(c->reason);
	return found;
}

int classic_check(struct pending *p, uint32_t groups, json_object *o)
{
	struct checking c = {.p = p, .list = o ? json_object_new_array() : NULL};
	const int state = sm_classic_standing(p->q);
	int found = state == SM_CLASSIC_WAITS || state == SM_CLASSIC_BEGUN ? check_rows(&c)
		    : state < 0                                            ? state
									   : 0;

	if (o)
		json_put(o, "classic", c.list);
	if (unusable(state))
		return smctl_error(p->s, "classic entries: %s", standing_text(p, state));
	if (found < 0)
		return groups_failed(p, found, "the hive's entries");
	if (found)
		return smctl_error(p->s, "classic entries: %d problem%s", found,
				   found == 1 ? "" : "s");
	if (c.count && !o)
		puts("classic entries: no problem was found");
	else if (!groups && !o)
		puts("nothing waits");
	return SMCTL_OK;
}

/* ---- report ---- */

static int open_report(const struct pending *p)
{
	_close_ int dir =
		groups_open(p, p->state ? p->state : SM_STATE_DIRECTORY, O_RDONLY | O_DIRECTORY);

	return dir < 0 ? dir : sys_open(dir, RENAME_REPORT, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
}

static const char *text_in(json_object *line, const char *key)
{
	json_object *o = NULL;

	return json_object_object_get_ex(line, key, &o) ? json_object_get_string(o) : "";
}

static uint64_t number_in(json_object *line, const char *key)
{
	json_object *o = NULL;

	return json_object_object_get_ex(line, key, &o) ? json_object_get_uint64(o) : 0;
}

static void report_line(const struct pending *p, json_object *line, uint64_t *boot,
			json_object *list)
{
	static const char *const values[] = {"FileRenameOperations", "PendingFileRenameOperations",
					     "PendingFileRenameOperations2"};
	const uint64_t value = number_in(line, "value"), now = number_in(line, "boot");
	const char *result = text_in(line, "result"), *text = text_in(line, "text");
	const struct classic_shown c = {
		.number = (uint32_t)number_in(line, "entry") + 1,
		.value = values[value < ARRAY_SIZE(values) ? value : 1],
		.from = text_in(line, "from"),
		.to = text_in(line, "to"),
		.replace = str_same(text_in(line, "replace"), "true"),
		.why = str_same(text, "malformed entry") ? text_in(line, "to") : NULL};

	if (list) {
		json_object *o = classic_entry_json(&c);

		json_put_number(o, "boot", now);
		json_put_text(o, "result", result);
		json_put_text(o, "text", text);
		(void)json_object_array_add(list, o);
		return;
	}
	if (now != *boot)
		printf("classic entries, %s\n", groups_boot_text(p, now));
	*boot = now;
	printf("%6u  %s: %s%s%s\n", c.number, classic_entry_text(&c), show_text(result),
	       *text ? ": " : "", show_text(text));
}

int classic_report(struct pending *p, uint32_t groups, json_object *o)
{
	json_object *list = o ? json_object_new_array() : NULL, *line;
	const int fd = open_report(p);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	uint64_t boot = UINT64_MAX;
	uint32_t told = groups;
	char *room = NULL;
	size_t cap = 0;

	/* A line that a cut has left half is none; so is whatever else is no object. */
	while (f && getline(&room, &cap, f) >= 0) {
		line = json_tokener_parse(room);
		if (line && json_object_is_type(line, json_type_object))
			told++, report_line(p, line, &boot, list);
		(void)json_object_put(line);
	}
	free(room);
	if (f)
		(void)fclose(f);
	if (o)
		json_put(o, "classic", list);
	else if (!told)
		puts("nothing to report");
	if (fd >= 0 || fd == -ENOENT || fd == -ENOTDIR)
		return SMCTL_OK;
	return groups_failed(p, fd, RENAME_REPORT);
}

/* ---- apply, clear ---- */

static void tell_ended(void *arg, const struct sm_classic_row *row, int reason)
{
	struct classic_telling *t = arg;
	const struct classic_shown c = shown_of(row);

	t->told++;
	if (t->list) {
		json_object *o = classic_entry_json(&c);

		json_put_text(o, "result", reason ? sm_reason_text(reason) : "ok");
		(void)json_object_array_add(t->list, o);
	} else {
		printf("classic entry %u, %s: %s\n", c.number, classic_entry_text(&c),
		       reason ? sm_reason_text(reason) : "ok");
	}
}

void classic_watch(struct pending *p, struct classic_telling *t)
{
	t->list = p->s->json ? json_object_new_array() : NULL;
	sm_classic_watch(p->q, tell_ended, t);
}

int classic_left(struct pending *p)
{
	const int state = sm_classic_standing(p->q);

	return unusable(state) ? smctl_error(p->s, "classic entries: %s", standing_text(p, state))
			       : SMCTL_OK;
}

int classic_clear(struct pending *p, json_object *o)
{
	const int r = sm_classic_clear(p->q);

	if (r == -ESTALE)
		return classic_left(p) | SMCTL_FAILED;
	if (r < 0)
		return groups_failed(p, r, "the hive's entries");
	if (o)
		json_put_number(o, "classic_cancelled", (uint64_t)r);
	else if (r)
		printf("%d classic entr%s cancelled\n", r, r == 1 ? "y" : "ies");
	return SMCTL_OK;
}
