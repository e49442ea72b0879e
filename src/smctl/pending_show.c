/* SPDX-License-Identifier: MIT */
/*
 * pending_show.c - smctl pending list, show, check, report: groups as people and programs read them
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/text.h"
#include "smctl/pending.h"

#define TEXT_ROOM 8400u

const char *groups_operation_text(const struct sm_operation *o)
{
	static char buffers[4][TEXT_ROOM];
	static unsigned next;
	char *to = buffers[next++ % ARRAY_SIZE(buffers)];

	if (o->deletes)
		(void)snprintf(to, TEXT_ROOM, "delete %s%s", show_text(o->from),
			       o->optional ? " if it is there" : "");
	else
		(void)snprintf(to, TEXT_ROOM, "%s %s %s %s", o->copied ? "copy" : "move",
			       show_text(o->from), o->replace ? "over" : "to", show_text(o->to));
	return to;
}

/* Why, in words and in a word that stays, and about which path. */
static void put_why(json_object *o, int reason, const char *path)
{
	json_put(o, "result", reason ? json_object_new_string(sm_reason_text(reason)) : NULL);
	json_put(o, "code", reason ? json_object_new_string(sm_reason_word(reason)) : NULL);
	json_put(o, "path", NULL);
	if (path[0])
		json_put_text(o, "path", path);
}

json_object *groups_row_json(const struct sm_group_row *row)
{
	json_object *o = json_object_new_object();
	const bool no_op = row->operation == SM_NO_OPERATION;

	json_put_number(o, "group", row->group);
	json_put_text(o, "name", row->name);
	json_put_text(o, "state", sm_group_state_word(row->state));
	json_put_number(o, "operations", row->operations);
	json_put(o, "undoes", row->of ? json_object_new_uint64(row->of) : NULL);
	json_put_number(o, "uid", row->uid);
	json_put_text(o, "reason", row->text);
	json_put_bool(o, "allow_protected", row->allow_protected);
	json_put_text(o, "queued", show_time(row->queued_wall_s));
	json_put_number(o, "attempts", row->attempts);
	json_put(o, "boot",
		 row->last_boot && row->last_boot != UINT64_MAX
			 ? json_object_new_uint64(row->last_boot)
			 : NULL);
	json_put(o, "applied_boot",
		 row->applied_boot ? json_object_new_uint64(row->applied_boot) : NULL);
	json_put_bool(o, "originals_kept", row->applied_boot && !row->purged);
	json_put_bool(o, "accepted", row->accepted);
	json_put(o, "operation", no_op ? NULL : json_object_new_uint64(row->operation + 1ull));
	put_why(o, row->reason, row->path);
	json_put_number(o, "foreign", row->foreign);
	return o;
}

const char *groups_boot_text(const struct pending *p, uint64_t boot)
{
	static char room[48];

	if (boot == UINT64_MAX) /* a purge, whatever boots have kept */
		return "by hand";
	(void)snprintf(room, sizeof(room), "%sboot %llu", boot > p->boots ? "offline, for " : "",
		       (unsigned long long)boot);
	return room;
}

/* ---- list ---- */

static void list_line(const struct sm_group_row *row)
{
	struct groups_why why = GROUPS_WHY(row, row->of);
	char what[48];

	/* A word of cancelling has no time of its own. */
	const uint64_t since = row->state == SM_GROUP_CANCELLED ? 0
			       : row->last_wall_s               ? row->last_wall_s
								: row->queued_wall_s;

	if (row->of)
		(void)snprintf(what, sizeof(what), "undoes %u", row->of);
	else
		(void)snprintf(what, sizeof(what), "%u", row->operations);
	printf("%5u  %-11s  %10s  %-20s  %s\n", row->group, sm_group_state_word(row->state), what,
	       since ? show_time(since) : "-", row->name[0] ? show_text(row->name) : "-");
	why.path = ""; /* it may be long */
	if (row->reason)
		printf("       %s\n", groups_why_text(&why));
	if (row->path[0])
		printf("       %s\n", show_text(row->path));
}

int groups_list(struct pending *p)
{
	json_object *list = p->s->json ? json_object_new_array() : NULL, *o;
	struct sm_group_row row;
	uint32_t cursor = 0, count = 0;
	int r;

	while ((r = sm_group_next(p->q, &cursor, &row)) > 0) {
		if (list) {
			(void)json_object_array_add(list, groups_row_json(&row));
			continue;
		}
		if (!count++)
			puts("group  state        operations  since                 name");
		list_line(&row);
	}
	if (r < 0) {
		(void)json_object_put(list);
		return groups_failed(p, r, NULL);
	}
	if (!list) {
		if (!count)
			puts("no groups");
		return classic_list(p, NULL);
	}
	o = json_object_new_object();
	json_put(o, "groups", list);
	r = classic_list(p, o);
	return json_show(o, false) | r;
}

/* ---- show ---- */

static json_object *operation_json(uint32_t number, const struct sm_operation *o)
{
	json_object *row = json_object_new_object();
	char hex[2 * SHA256_BYTES + 1];

	json_put_number(row, "operation", number + 1ull);
	json_put_text(row, "kind", o->deletes ? "delete" : "move");
	json_put_text(row, "from", o->from);
	json_put(row, "to", NULL);
	if (!o->deletes)
		json_put_text(row, "to", o->to);
	json_put_bool(row, "replace", o->replace);
	json_put_bool(row, "optional", o->optional);
	json_put_bool(row, "copied", o->copied);
	json_put_number(row, "bytes", o->bytes);
	if (o->sha256)
		sha256_hex(o->sha256, hex);
	json_put(row, "sha256", o->sha256 ? json_object_new_string(hex) : NULL);
	return row;
}

/* Where things of others are that stood in the way: lines, or with JSON the list of it. */
static json_object *list_asides(struct pending *p, const struct sm_group_row *row,
				const char *indent)
{
	json_object *list = p->s->json ? json_object_new_array() : NULL, *one;
	struct sm_aside aside;
	uint32_t cursor = 0;

	while (row->foreign && !row->of &&
	       sm_group_aside_next(p->q, row->group, &cursor, &aside) > 0) {
		if (!list) {
			printf("%s%s/%s\n", indent, show_text(aside.directory),
			       show_text(aside.name));
			continue;
		}
		one = json_object_new_object();
		json_put_text(one, "directory", aside.directory);
		json_put_text(one, "name", aside.name);
		(void)json_object_array_add(list, one);
	}
	return list;
}

static const char *accepted_text(const struct sm_group_row *row)
{
	return row->accepted ? "a boot has accepted it: it goes with a purge"
			     : "no boot has accepted it yet";
}

static void show_head(struct pending *p, const struct sm_group_row *row, uint64_t bytes)
{
	const struct groups_why why = GROUPS_WHY(row, row->of);

	printf("group       %u%s%s\n", row->group, row->name[0] ? ", " : "", show_text(row->name));
	printf("state       %s", sm_group_state_word(row->state));
	if (row->reason)
		printf("\n            %s", groups_why_text(&why));
	putchar('\n');
	printf("queued      %s by uid %u\n", show_time(row->queued_wall_s), row->uid);
	if (row->text[0])
		printf("reason      %s\n", show_text(row->text));
	if (row->allow_protected)
		puts("permission  protected paths may be touched");
	if (row->of)
		printf("undoes      group %u\n", row->of);
	if (row->applied_boot)
		printf("applied     %s; originals %s\n", groups_boot_text(p, row->applied_boot),
		       row->purged ? "gone" : "kept");
	if (row->applied_boot && !row->purged && bytes != UINT64_MAX)
		printf("kept        %llu kB, %s\n", (unsigned long long)bytes >> 10,
		       accepted_text(row));
	if (row->foreign)
		printf("put aside   %u thing%s of others that stood in the way\n", row->foreign,
		       row->foreign == 1 ? "" : "s");
	(void)list_asides(p, row, "            ");
}

/* The group of a row for reading; a cancelled one is not there any more. */
static int open_row(struct pending *p, const struct sm_group_row *row, struct sm_group **ret)
{
	*ret = NULL;
	if (row->state == SM_GROUP_CANCELLED || row->state == SM_GROUP_DAMAGED)
		return 0;
	return sm_group_open(p->q, row->group, ret);
}

int groups_show(struct pending *p)
{
	json_object *o = NULL, *list = NULL;
	uint64_t bytes = UINT64_MAX;
	struct sm_operation op;
	struct sm_group_row row;
	struct sm_group *g;
	int r;

	if (p->word_count != 1)
		return smctl_usage(p->s, "wanted: the number or name of a group");
	r = groups_row(p, p->words[0], &row);
	if (r)
		return r;
	r = open_row(p, &row, &g);
	if (r < 0)
		return groups_failed(p, r, p->words[0]);
	if (g && !row.purged && sm_group_kept(p->q, row.group, &bytes) < 0)
		bytes = UINT64_MAX;
	if (p->s->json) {
		o = groups_row_json(&row);
		json_put(o, "kept_bytes",
			 bytes == UINT64_MAX ? NULL : json_object_new_uint64(bytes));
		json_put(o, "aside", list_asides(p, &row, ""));
		list = json_object_new_array();
	} else {
		show_head(p, &row, bytes);
	}
	for (uint32_t i = 0; g && sm_group_operation(g, i, &op) > 0; i++) {
		if (list)
			(void)json_object_array_add(list, operation_json(i, &op));
		else
			printf("%6u  %s\n", i + 1, groups_operation_text(&op));
	}
	sm_group_free(g);
	if (!o)
		return SMCTL_OK;
	json_put(o, "list", list);
	return json_show(o, false);
}

/* ---- check ---- */

static int check_one(struct pending *p, const struct sm_group_row *row, json_object *all)
{
	struct groups_problems told = {.p = p, .list = all ? json_object_new_array() : NULL};
	struct sm_watch watch = groups_watch(&told);
	int r = open_row(p, row, &told.g);

	if (r == 0 && told.g)
		r = sm_group_check(told.g, &watch);
	groups_watch_end(&told);
	sm_group_free(told.g);
	if (all) {
		json_object *o = groups_row_json(row);

		json_put(o, "problems", told.list);
		(void)json_object_array_add(all, o);
	} else if (r == 0) {
		printf("group %u: no problem was found\n", row->group);
	} else if (r > 0) {
		(void)smctl_error(p->s, "group %u: %d problem%s", row->group, r, r == 1 ? "" : "s");
	}
	return r < 0 ? groups_failed(p, r, NULL) : r ? SMCTL_FAILED : SMCTL_OK;
}

int groups_check(struct pending *p)
{
	json_object *all = p->s->json ? json_object_new_array() : NULL, *o;
	struct sm_group_row row;
	uint32_t cursor = 0, waiting = 0;
	int r = 0, worst = SMCTL_OK;

	for (int i = 0; i < p->word_count; i++) {
		r = groups_row(p, p->words[i], &row);
		worst |= r ? r : check_one(p, &row, all);
	}
	r = 0;
	while (!p->word_count && (r = sm_group_next(p->q, &cursor, &row)) > 0) {
		if (!groups_wait(&row))
			continue;
		waiting++;
		worst |= check_one(p, &row, all);
	}
	if (r < 0)
		worst = groups_failed(p, r, NULL);
	o = all ? json_object_new_object() : NULL;
	if (o)
		json_put(o, "groups", all);
	if (!p->word_count)
		worst |= classic_check(p, waiting, o);
	return o ? json_show(o, false) | worst : worst;
}

/* ---- report ---- */

/* What became of operation i: a group is whole or not at all, so its state says it of each. */
static const char *operation_result(const struct sm_group_row *row, uint32_t i)
{
	if (row->state == SM_GROUP_APPLIED)
		return "ok";
	if (row->operation == i && row->reason)
		return sm_reason_text(row->reason);
	switch (row->state) {
	case SM_GROUP_REFUSED:
		return "not touched";
	case SM_GROUP_FAILED:
	case SM_GROUP_QUARANTINED:
	case SM_GROUP_REVERTED:
		return "taken back";
	case SM_GROUP_BEGUN:
	case SM_GROUP_REVERTING:
		return "cut on its way; the next boot goes on";
	default:
		return sm_group_state_word(row->state);
	}
}

static void history_line(struct pending *p, const struct sm_group_row *row,
			 const struct sm_group_event *e)
{
	const struct groups_why why = GROUPS_WHY(e, row->of);

	printf("  %s  %s: %s\n", show_time(e->wall_s), groups_boot_text(p, e->boot), e->event);
	if (e->reason)
		printf("    %s\n", groups_why_text(&why));
	else if (strcmp(e->event, "reverted") == 0 && (row->of || !groups_undone(p, row->group)))
		puts("    a fallback: no boot had accepted it");
	if (e->foreign)
		printf("    %u thing%s of others put aside\n", e->foreign,
		       e->foreign == 1 ? "" : "s");
}

static json_object *history_json(const struct sm_group_event *e)
{
	json_object *o = json_object_new_object();

	json_put_text(o, "event", e->event);
	json_put_text(o, "time", show_time(e->wall_s));
	json_put(o, "boot", e->boot == UINT64_MAX ? NULL : json_object_new_uint64(e->boot));
	json_put(o, "operation",
		 e->operation == SM_NO_OPERATION ? NULL
						 : json_object_new_uint64(e->operation + 1ull));
	put_why(o, e->reason, e->path);
	json_put_number(o, "foreign", e->foreign);
	return o;
}

static json_object *report_history(struct pending *p, const struct sm_group_row *row)
{
	json_object *list = p->s->json ? json_object_new_array() : NULL;
	struct sm_group_event e;
	uint32_t cursor = 0;

	while (sm_group_history(p->q, row->group, &cursor, &e) > 0) {
		if (list)
			(void)json_object_array_add(list, history_json(&e));
		else
			history_line(p, row, &e);
	}
	return list;
}

static int report_one(struct pending *p, const struct sm_group_row *row, json_object *all)
{
	json_object *o = all ? groups_row_json(row) : NULL, *list = NULL;
	struct sm_operation op;
	struct sm_group *g;
	int r = open_row(p, row, &g);

	if (!all)
		printf("group %u%s%s: %s\n", row->group, row->name[0] ? " " : "",
		       show_text(row->name), sm_group_state_word(row->state));
	list = report_history(p, row);
	if (all) {
		json_put(o, "history", list);
		json_put(o, "aside", list_asides(p, row, ""));
		list = json_object_new_array();
	} else {
		(void)list_asides(p, row, "    put aside: ");
	}
	for (uint32_t i = 0; r == 0 && g && sm_group_operation(g, i, &op) > 0; i++) {
		const char *result = operation_result(row, i);

		if (all) {
			json_object *one = operation_json(i, &op);

			json_put_text(one, "result", result);
			(void)json_object_array_add(list, one);
		} else {
			printf("%6u  %s: %s\n", i + 1, groups_operation_text(&op), result);
		}
	}
	sm_group_free(g);
	if (all) {
		json_put(o, "list", list);
		(void)json_object_array_add(all, o);
	}
	return r < 0 ? groups_failed(p, r, NULL) : SMCTL_OK;
}

int groups_report(struct pending *p)
{
	json_object *all = p->s->json ? json_object_new_array() : NULL, *o;
	struct sm_group_row row;
	uint32_t cursor = 0, told = 0;
	int r = 0, worst = SMCTL_OK;

	if (p->word_count) {
		worst = groups_row(p, p->words[0], &row);
		if (worst == SMCTL_OK)
			worst = report_one(p, &row, all);
	}
	while (!p->word_count && (r = sm_group_next(p->q, &cursor, &row)) > 0) {
		told++;
		worst |= report_one(p, &row, all);
	}
	if (r < 0)
		worst = groups_failed(p, r, NULL);
	o = all ? json_object_new_object() : NULL;
	if (o)
		json_put(o, "groups", all);
	if (!p->word_count)
		worst |= classic_report(p, told, o);
	return o ? json_show(o, false) | worst : worst;
}
