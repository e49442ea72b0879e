/* SPDX-License-Identifier: MIT */
/*
 * pending.c - phase 5: groups of pending file operations, then the classic queue
 *
 * What a group is and how it is applied or taken back is the room pending's business; this is what
 * a boot adds: which paths are protected, at which level groups are taken back, and what everybody
 * is told. A group's end stands in its journal before it is told here; pending.report keeps it for
 * people. Source: design §6 pending groups.
 */
#include "smss/copy.h"

#include "base/json.h"
#include "base/text.h"
#include "pending/lines.h"
#include "pending/protect.h"
#include "pending/run.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define PENDING_REPORT "pending.report" /* in the state directory, one JSON object a line */
#define ITEMS_MAX      40u              /* the timeline has room for so many */
#define LINE_BYTES     16384u

struct groups {
	struct copy *c;
	const char *hive, *state;
	uint64_t boots;
	int report; /* -1 when it cannot be written; the journals keep the results */
	uint32_t items, told, good, refused;
};

static bool protects(void *arg, const char *path)
{
	const struct groups *g = arg;

	return protect_covers(path, g->hive, g->state);
}

static enum result result_of(const struct group_told *t)
{
	if (t->state == GROUP_REFUSED || !t->group)
		return RESULT_REFUSED;
	if (t->result < 0 || (t->state != GROUP_APPLIED && t->state != GROUP_REVERTED))
		return RESULT_FAILED;
	return t->foreign ? RESULT_DEGRADED : RESULT_OK;
}

static const char *name_of(const struct group_told *t, char room[GROUP_FILE_BYTES])
{
	if (t->group && t->group->name[0])
		return t->group->name;
	group_file_name(room, t->id, "");
	return room;
}

/* "applied, 3 operations", "refused: a link in the way", "quarantined, taken back: ..." */
static void add_text(struct text *t, const struct group_told *g)
{
	const bool waits = g->state == GROUP_QUEUED;

	text_add(t, waits ? "waits for the next boot" : group_state_word(g->state));
	if (g->state == GROUP_APPLIED && g->group && !(g->group->flags & GROUP_REVERSE))
		text_add(text_u64(text_add(t, ", "), g->group->ops.count),
			 g->group->ops.count == 1 ? " operation" : " operations");
	if ((g->state == GROUP_QUARANTINED || g->state == GROUP_FAILED) &&
	    g->result != GROUP_WHY_FORM && g->result != GROUP_WHY_STUCK)
		text_add(t, ", nothing was changed");
	if (g->result < 0)
		text_add(text_add(t, ": "), group_why_text(g->result));
	if (g->foreign)
		text_add(text_u64(text_add(t, "; put aside, not of the group: "), g->foreign), "");
}

static const struct group_op *op_of(const struct group_told *t)
{
	return t->group && t->op != NO_PLACE && t->op < t->group->ops.count
		       ? group_op(t->group, t->op)
		       : NULL;
}

/* The operation it failed at, by its paths. */
static void say_operation(const struct groups *g, const struct group_told *told)
{
	const struct group_op *o = op_of(told);
	char from[PATH_BYTES], to[PATH_BYTES] = "", room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (!o || !group_place_path(told->group, o->from, from, sizeof(from)) ||
	    (o->to != NO_PLACE && !group_place_path(told->group, o->to, to, sizeof(to))))
		return;
	text_add(text_add(&t, group_why_text(told->result)), "; ");
	if (o->to == NO_PLACE)
		text_add(&t, "delete");
	else
		text_add(text_add(&t, o->flags & GROUP_REPLACE ? "replaces " : "to "), to);
	copy_item(g->c, result_of(told), told->result > GROUP_WHY_IDENTITY ? -told->result : 0, 0,
		  from, room);
}

static void report(struct groups *g, const struct group_told *told)
{
	static char room[LINE_BYTES];
	struct text t = TEXT_ON(room), what;
	char words[2 * TEXT_BYTES], name[GROUP_FILE_BYTES], path[PATH_BYTES];
	const struct group_op *o = op_of(told);

	what = TEXT_ON(words);
	add_text(&what, told);
	text_u64(text_add(&t, "{\"boot\":"), g->boots);
	text_u64(text_add(&t, ",\"group\":"), told->id);
	json_string(text_add(&t, ",\"name\":"), name_of(told, name));
	text_add(text_add(&t, ",\"state\":\""), group_state_word(told->state));
	text_add(&t, "\",\"operation\":");
	if (o && group_place_path(told->group, o->from, path, sizeof(path)))
		json_string(text_add(text_u64(&t, told->op + 1), ",\"path\":"), path);
	else
		text_add(&t, "null");
	text_add(text_add(&t, ",\"result\":\""), result_word(result_of(told)));
	json_string(text_add(&t, "\",\"text\":"), words);
	text_add(&t, "}\n");
	if (g->report >= 0 && sys_write_all(g->report, t.at, t.len) < 0)
		sys_closep(&g->report);
}

static void tell(void *arg, const struct group_told *told)
{
	struct groups *g = arg;
	const enum result result = result_of(told);
	char room[2 * TEXT_BYTES], name[GROUP_FILE_BYTES];
	struct text t = TEXT_ON(room);

	g->told++;
	g->good += result == RESULT_OK || result == RESULT_DEGRADED;
	g->refused += result == RESULT_REFUSED;
	report(g, told);
	if (g->items >= ITEMS_MAX)
		return;
	add_text(&t, told);
	copy_item(g->c, result, told->result > GROUP_WHY_IDENTITY ? -told->result : 0,
		  told->start_ns, name_of(told, name), room);
	if (told->result < 0)
		say_operation(g, told);
	g->items += told->result < 0 ? 2 : 1;
}

static void say_summary(const struct groups *g, bool fallback)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_u64(&t, g->good), fallback ? " taken back, " : " applied, ");
	text_add(text_u64(&t, g->told - g->good - g->refused), " failed, ");
	text_add(text_u64(&t, g->refused), " refused");
	if (g->items >= ITEMS_MAX)
		text_add(&t, "; all of them are in " PENDING_REPORT);
	copy_item(g->c, g->good == g->told ? RESULT_OK : RESULT_DEGRADED, 0, 0, PENDING_DIRECTORY,
		  room);
}

/* Below Current groups are only taken back. Those that wait are not to do so without a word. */
static void say_waiting(const struct groups *g, int dir, const struct boot_state *s)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	struct pending_waits waits;
	const bool is_new = boot_groups_new(dir, s, &waits);

	if (!waits.groups)
		return;
	text_add(text_u64(&t, waits.groups),
		 waits.groups == 1 ? " group waits: " : " groups wait: ");
	text_add(&t, s->level == SM_LEVEL_LKG ? "LastKnownGood runs none; "
					      : "the built-in minimum runs none; ");
	text_add(&t, is_new              ? "the next boot tries Current with "
		     : waits.groups == 1 ? "Current was tried with it"
					 : "Current was tried with them");
	if (is_new)
		text_add(&t, waits.groups == 1 ? "it" : "them");
	copy_item(g->c, RESULT_SKIPPED, 0, 0, PENDING_DIRECTORY, room);
}

static int run_groups(struct copy *c)
{
	struct groups g = {.c = c, .report = -1};
	struct pending_step step = {.prefix = "", .protects = protects, .tell = tell, .arg = &g};
	struct boot_state state;
	_close_ int dir = copy_open_state(c, true);
	struct sys_stat st = {0};
	int r = dir < 0 ? dir : state_read(dir, &state);

	g.hive = copy_word(c, "SMSS_HIVE", HIVE_PATH);
	g.state = copy_word(c, "SMSS_STATE", STATE_DIRECTORY);
	if (r < 0) {
		boot_say(c, RESULT_REFUSED, -r, g.state, "no state directory, groups kept");
		return COPY_FAILED;
	}
	g.boots = step.boots = state.boots;
	step.state = dir;
	step.accepted = state.accepted_boots;
	step.fallback = !str_same(copy_word(c, "SMSS_LEVEL", "0"), "0");
	g.report = lines_begin(dir, PENDING_REPORT, &st);
	r = pending_run(&step);
	if (g.report < 0 || (g.told && sys_fsync(g.report) < 0) || (!st.size && sys_fsync(dir) < 0))
		copy_item(c, RESULT_DEGRADED, 0, 0, PENDING_REPORT,
			  "not written; the journals keep the results");
	sys_closep(&g.report);
	if (r < 0)
		boot_say(c, RESULT_FAILED, -r, PENDING_DIRECTORY, "groups kept");
	else if (g.told > 1)
		say_summary(&g, step.fallback);
	if (step.fallback)
		say_waiting(&g, dir, &state);
	return r < 0 ? COPY_FAILED : COPY_OK;
}

int copy_role_pending(struct copy *c)
{
	int groups = c->n & RENAMES_GROUPS ? run_groups(c) : COPY_OK;
	int queue = c->n & RENAMES_NO_QUEUE ? COPY_OK : copy_role_renames(c);

	return queue == COPY_OK ? groups : queue;
}
