/* SPDX-License-Identifier: MIT */
/*
 * pending_change.c - smctl pending cancel, retry, undo, clear, purge, apply
 *
 * What changes a queued group, each told as it is afterwards. Nothing here decides: libsm does,
 * under the queue's lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/text.h"
#include "pending/purge.h"
#include "smctl/pending.h"
#include "sys/sys.h"

/* A group as it is now; from the first on, as the one before a new one is no place to go on from.
 */
static void add_row(struct pending *p, uint32_t group, json_object *list)
{
	struct sm_group_row row;
	uint32_t cursor = 0;

	while (sm_group_next(p->q, &cursor, &row) > 0)
		if (row.group == group)
			(void)json_object_array_add(list, groups_row_json(&row));
}

/* What cancel, retry and undo share: each word a group, told as it is then. */
static int each_group(struct pending *p, int (*act)(struct pending *p, struct sm_group_row *row))
{
	json_object *list = p->s->json ? json_object_new_array() : NULL;
	int worst = SMCTL_OK;

	if (!p->word_count)
		return smctl_usage(p->s, "wanted: the number or name of a group");
	for (int i = 0; i < p->word_count; i++) {
		struct sm_group_row row;
		int r = groups_row(p, p->words[i], &row);

		if (r == 0)
			r = act(p, &row);
		worst = r ? r : worst;
		if (r == 0 && list)
			add_row(p, row.group, list);
	}
	if (list) {
		json_object *o = json_object_new_object();

		json_put(o, "groups", list);
		worst |= json_show(o, false);
	}
	return worst;
}

static const char *name_of(const struct sm_group_row *row)
{
	static char text[160];

	(void)snprintf(text, sizeof(text), "group %u%s%s%s", row->group, row->name[0] ? " (" : "",
		       show_text(row->name), row->name[0] ? ")" : "");
	return text;
}

static int cancel_one(struct pending *p, struct sm_group_row *row)
{
	int r = row->state == SM_GROUP_CANCELLED ? -EALREADY : sm_group_cancel(p->q, row->group);

	if (r == -EALREADY)
		return smctl_error(
			p->s, "%s is %s already%s", name_of(row), sm_group_state_word(row->state),
			row->state == SM_GROUP_APPLIED ? "; to take it back: smctl pending undo"
						       : "");
	if (r < 0)
		return groups_failed(p, r, name_of(row));
	if (!p->s->json)
		printf("%s is cancelled\n", name_of(row));
	return SMCTL_OK;
}

static int is_cancelled(struct pending *p, const struct sm_group_row *row)
{
	return smctl_error(p->s, "%s is cancelled: queue it anew, with smctl pending add",
			   name_of(row));
}

static int retry_one(struct pending *p, struct sm_group_row *row)
{
	int r;

	if (row->state == SM_GROUP_CANCELLED)
		return is_cancelled(p, row);
	r = sm_group_retry(p->q, row->group);
	if (r == -EINVAL)
		return smctl_error(p->s,
				   "%s is %s: only a failed, refused, quarantined or reverted "
				   "group is retried",
				   name_of(row), sm_group_state_word(row->state));
	if (r == -EALREADY)
		return smctl_error(p->s,
				   "%s was taken back by a group that waits, or that no accepted "
				   "boot has kept yet: try again after it is accepted",
				   name_of(row));
	if (r < 0)
		return groups_failed(p, r, name_of(row));
	if (!p->s->json)
		printf("%s is queued again\n", name_of(row));
	return SMCTL_OK;
}

static int undo_one(struct pending *p, struct sm_group_row *row)
{
	uint32_t id;
	int r;

	if (row->state == SM_GROUP_CANCELLED)
		return is_cancelled(p, row);
	if (row->of && row->state == SM_GROUP_APPLIED)
		return smctl_error(p->s,
				   "%s is an undo itself; to have group %u again: smctl pending "
				   "retry %u",
				   name_of(row), row->of, row->of);
	r = sm_group_undo(p->q, row->group, p->reason, &id);
	if (r == -EINVAL)
		return smctl_error(p->s, "%s is %s: only an applied group is taken back",
				   name_of(row), sm_group_state_word(row->state));
	if (r == -ENODATA)
		return smctl_error(p->s, "%s cannot be taken back: what it replaced is gone",
				   name_of(row));
	if (r == -EALREADY)
		return smctl_error(p->s, "taking back %s is queued already", name_of(row));
	if (r < 0)
		return groups_failed(p, r, name_of(row));
	if (!p->s->json)
		printf("group %u, queued, takes back %s\n", id, name_of(row));
	row->group = id;
	return SMCTL_OK;
}

int groups_cancel(struct pending *p)
{
	return each_group(p, cancel_one);
}

int groups_retry(struct pending *p)
{
	return each_group(p, retry_one);
}

int groups_undo(struct pending *p)
{
	return each_group(p, undo_one);
}

/* Every group that waits is cancelled. */
int groups_clear(struct pending *p)
{
	struct sm_group_row row;
	uint32_t cursor = 0, count = 0;
	int r, worst = SMCTL_OK;

	while ((r = sm_group_next(p->q, &cursor, &row)) > 0) {
		if (!groups_wait(&row))
			continue;
		r = sm_group_cancel(p->q, row.group);
		if (r < 0)
			worst = groups_failed(p, r, name_of(&row));
		else
			count++;
	}
	if (r < 0)
		return groups_failed(p, r, NULL);
	if (p->s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "cancelled", count);
		worst |= classic_clear(p, o);
		return worst | json_show(o, false);
	}
	printf("%u group%s cancelled\n", count, count == 1 ? "" : "s");
	return worst | classic_clear(p, NULL);
}

static void tell_would(void *arg, uint32_t id)
{
	json_object *const list = arg;

	if (list)
		(void)json_object_array_add(list, json_object_new_uint64(id));
	else
		printf("group %u would give up what it keeps\n", id);
}

/* What the same purge would do, which is judged by the same code. */
static int purge_check(struct pending *p)
{
	_close_ int state =
		groups_open(p, p->state ? p->state : SM_STATE_DIRECTORY, O_RDONLY | O_DIRECTORY);
	json_object *list = p->s->json ? json_object_new_array() : NULL;
	struct pending_purge purge = {.state = state,
				      .prefix = p->root && !str_same(p->root, "/") ? p->root : "",
				      .keep_groups = p->keep.groups,
				      .keep_days = p->keep.days,
				      .keep_bytes = p->keep.bytes,
				      .would = tell_would,
				      .arg = list};
	struct pending_purged found = {0};
	uint64_t begun;
	int r = state < 0 ? state : pending_boots(state, &begun, &purge.accepted);

	if (p->unaccepted)
		purge.accepted = UINT64_MAX;
	if (r == 0)
		r = pending_purge(&purge, &found);
	if (r == -ENOENT) /* no state directory: nothing is kept */
		r = 0;
	if (r < 0) {
		(void)json_object_put(list);
		return groups_failed(p, r, "such queue");
	}
	if (list) {
		json_object *o = json_object_new_object();

		json_put(o, "would_purge", list);
		return json_show(o, false);
	}
	printf("%u group%s would be purged; nothing was\n", found.groups,
	       found.groups == 1 ? "" : "s");
	return SMCTL_OK;
}

int groups_purge(struct pending *p)
{
	struct sm_purged done;
	int r;

	if (p->only_check)
		return purge_check(p);
	p->keep.unaccepted = p->unaccepted;
	r = sm_queue_purge(p->q, &p->keep, &done);
	if (r < 0)
		return groups_failed(p, r, NULL);
	if (p->s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "purged", done.groups);
		json_put_number(o, "left", done.left);
		json_put_number(o, "unaccepted", done.unaccepted);
		return json_show(o, false);
	}
	printf("%u group%s purged\n", done.groups, done.groups == 1 ? "" : "s");
	if (done.left)
		printf("%u group%s still hold%s something: the file system is not there\n",
		       done.left, done.left == 1 ? "" : "s", done.left == 1 ? "s" : "");
	if (done.unaccepted)
		printf("%u group%s kept: no boot has accepted %s yet (--unaccepted)\n",
		       done.unaccepted, done.unaccepted == 1 ? "" : "s",
		       done.unaccepted == 1 ? "it" : "them");
	return SMCTL_OK;
}

struct applying {
	json_object *list;
	uint32_t told;
};

static void tell_applied(void *arg, const struct sm_group_row *row)
{
	const struct groups_why why = GROUPS_WHY(row, row->of);
	struct applying *a = arg;

	a->told++;
	if (a->list) {
		(void)json_object_array_add(a->list, groups_row_json(row));
		return;
	}
	printf("%s: %s\n", name_of(row), sm_group_state_word(row->state));
	if (row->reason)
		printf("    %s\n", groups_why_text(&why));
}

int groups_apply(struct pending *p)
{
	struct applying a = {.list = p->s->json ? json_object_new_array() : NULL};
	struct classic_telling classic = {0};
	int r, left = SMCTL_OK;

	if (!p->root)
		return smctl_usage(p->s, "wanted: --root DIR; a running system's queue is its "
					 "next boot's to apply");
	classic_watch(p, &classic);
	r = sm_queue_apply(p->q, p->fallback, tell_applied, &a);
	if (r >= 0 && !p->fallback)
		left = classic_left(p);
	if (a.list) {
		json_object *o = json_object_new_object();

		json_put(o, "groups", a.list);
		json_put(o, "classic", classic.list);
		(void)json_show(o, false);
	} else if (r == 0 && left == SMCTL_OK && !a.told && !classic.told) {
		puts(p->fallback ? "nothing to take back" : "nothing waits");
	}
	return r < 0 ? groups_failed(p, r, NULL) : r ? SMCTL_FAILED : left;
}
