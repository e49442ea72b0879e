/* SPDX-License-Identifier: MIT */
/*
 * tree.c - smctl tree: the machine, its sessions, their processes and what those started
 *
 * The session manager's ledger says which processes are the machine's and each session's; /proc
 * says what they started. A process whose parent has ended belongs to the session manager by
 * parentage, so its cgroup tells the session it came from. One model, a JSON tree, is made and
 * then printed as it is or drawn, so both forms always say the same.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "smctl/smctl.h"
#include "smctl/table.h"

#define DEPTH_MAX    48 /* drawn; what is deeper is counted */
#define CGROUP_BYTES 1024
#define PREFIX_BYTES (DEPTH_MAX * 8)

struct tree {
	struct smctl *s;
	struct procs procs;
	json_object *sessions; /* array of session nodes */
	json_object *machine;  /* the session manager's own node */
	uint64_t now_ns;
	FILE *out; /* while it is drawn: lines are cut to the terminal at the end */
};

static json_object *children_of(json_object *node)
{
	json_object *list;

	if (!json_object_object_get_ex(node, "children", &list)) {
		list = json_object_new_array();
		json_put(node, "children", list);
	}
	return list;
}

static void add_child(json_object *node, json_object *child)
{
	(void)json_object_array_add(children_of(node), child);
}

static uint64_t number_of(json_object *node, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(node, key, &value) ? json_object_get_uint64(value) : 0;
}

static const char *text_of(json_object *node, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(node, key, &value) && value ? json_object_get_string(value)
								     : "";
}

/* What a process started, and what that started; depth bounds the recursion. */
static void add_descendants(struct tree *t, json_object *node, int pid, unsigned depth)
{
	unsigned deeper = 0;

	(void)children_of(node);
	for (size_t i = procs_children(&t->procs, pid);
	     i < t->procs.count && t->procs.row[i].parent == pid; i++) {
		struct proc *p = &t->procs.row[i];
		json_object *child;

		if (p->taken)
			continue;
		p->taken = true;
		if (depth == DEPTH_MAX) {
			deeper++;
			continue;
		}
		child = json_object_new_object();
		json_put_number(child, "pid", (uint64_t)p->pid);
		json_put_text(child, "image", p->name);
		add_child(node, child);
		add_descendants(t, child, p->pid, depth + 1);
	}
	if (deeper)
		json_put_number(node, "deeper", deeper);
}

static json_object *session_node(const struct tree *t, uint32_t session)
{
	for (size_t i = 0; i < json_object_array_length(t->sessions); i++) {
		json_object *node = json_object_array_get_idx(t->sessions, i);

		if (number_of(node, "session") == session)
			return node;
	}
	return NULL;
}

static int add_sessions(struct tree *t)
{
	struct sm_session row;
	uint32_t cursor = 0;
	int r;

	while ((r = sm_session_next(t->s->c, &cursor, &row)) == 1) {
		json_object *node = json_object_new_object();

		json_put_number(node, "session", row.session);
		json_put_text(node, "state", sm_session_state_word(row.state));
		json_put_bool(node, "frozen", row.frozen);
		json_put(node, "owner",
			 row.owner == SM_NO_USER ? NULL : json_object_new_uint64(row.owner));
		json_put_text(node, "console", row.console);
		(void)children_of(node);
		(void)json_object_array_add(t->sessions, node);
	}
	return r;
}

static json_object *process_node(const struct sm_process *row)
{
	json_object *node = json_object_new_object();

	json_put_number(node, "pid", row->pid);
	json_put_text(node, "image", row->image);
	json_put_text(node, "role", row->role);
	json_put_text(node, "why", row->why);
	json_put_number(node, "started_ns", row->started_ns);
	json_put(node, "deadline_ns",
		 row->deadline_ns ? json_object_new_uint64(row->deadline_ns) : NULL);
	return node;
}

/* Rows of the ledger; their own processes are marked so that no other row shows them. */
static int add_ledger(struct tree *t)
{
	struct sm_process row;
	uint32_t cursor = 0;
	int r;

	while ((r = sm_process_next(t->s->c, &cursor, &row)) == 1) {
		json_object *at =
			row.session == SM_MACHINE_SESSION ? NULL : session_node(t, row.session);
		struct proc *p = procs_find(&t->procs, (int)row.pid);

		if (p)
			p->taken = true;
		add_child(at ? at : t->machine, process_node(&row));
	}
	return r;
}

static void add_below(struct tree *t, json_object *node)
{
	json_object *list = children_of(node);

	/* Children are added below the list's entries, never to the list itself. */
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *child = json_object_array_get_idx(list, i);

		add_descendants(t, child, (int)number_of(child, "pid"), 1);
	}
}

/* The session whose first process lives in this cgroup or in one above it. */
static json_object *session_by_cgroup(const struct tree *t, const char *cgroup)
{
	char own[CGROUP_BYTES], master[CGROUP_BYTES];

	if (procs_cgroup((int)sm_master_pid(t->s->c), master, sizeof(master)) < 0)
		return NULL;
	for (size_t i = 0; i < json_object_array_length(t->sessions); i++) {
		json_object *node = json_object_array_get_idx(t->sessions, i);
		json_object *first = json_object_array_get_idx(children_of(node), 0);
		size_t n;

		if (!first || procs_cgroup((int)number_of(first, "pid"), own, sizeof(own)) < 0 ||
		    str_same(own, master) || str_same(own, "/"))
			continue;
		n = strlen(own);
		if (strncmp(cgroup, own, n) == 0 && (cgroup[n] == 0 || cgroup[n] == '/'))
			return node;
	}
	return NULL;
}

/* Processes that the session manager adopted when their parent ended. */
static void add_adopted(struct tree *t)
{
	int master = (int)sm_master_pid(t->s->c);

	for (size_t i = procs_children(&t->procs, master);
	     i < t->procs.count && t->procs.row[i].parent == master; i++) {
		struct proc *p = &t->procs.row[i];
		char cgroup[CGROUP_BYTES];
		json_object *at = NULL, *node;

		if (p->taken)
			continue;
		p->taken = true;
		if (procs_cgroup(p->pid, cgroup, sizeof(cgroup)) == 0)
			at = session_by_cgroup(t, cgroup);
		node = json_object_new_object();
		json_put_number(node, "pid", (uint64_t)p->pid);
		json_put_text(node, "image", p->name);
		json_put_bool(node, "adopted", true);
		add_child(at ? at : t->machine, node);
		add_descendants(t, node, p->pid, 1);
	}
}

/* ---- drawing ---- */

struct lines {
	const char *more, *last, *through, *blank;
};

static const struct lines box = {"├─ ", "└─ ", "│  ", "   "};
static const struct lines ascii = {"|- ", "`- ", "|  ", "   "};

static void draw_label(const struct tree *t, json_object *node)
{
	const char *image = text_of(node, "image"), *role = text_of(node, "role");
	uint64_t deadline_ns = number_of(node, "deadline_ns");
	bool core = str_same(role, "csrss") || str_same(role, "initial");

	(void)fprintf(t->out, "%s %llu", show_text(image),
		      (unsigned long long)number_of(node, "pid"));
	if (*role && !str_same(role, image))
		(void)fprintf(t->out, "  %s", role);
	if (*text_of(node, "why") && !core)
		(void)fprintf(t->out, "  %s", show_text(text_of(node, "why")));
	if (deadline_ns > t->now_ns)
		(void)fprintf(t->out, "  %s left", show_duration(deadline_ns - t->now_ns));
	else if (deadline_ns)
		(void)fprintf(t->out, "  over its time");
	if (number_of(node, "adopted"))
		(void)fprintf(t->out, "  adopted");
	if (number_of(node, "deeper"))
		(void)fprintf(t->out, "  and deeper ones");
	(void)fputc('\n', t->out);
}

static void draw(const struct tree *t, json_object *node, char *prefix, const struct lines *l)
{
	json_object *list = children_of(node);
	size_t n = json_object_array_length(list), length = strlen(prefix);

	for (size_t i = 0; i < n; i++) {
		json_object *child = json_object_array_get_idx(list, i);
		bool last = i + 1 == n;

		(void)fprintf(t->out, "%s%s", prefix, last ? l->last : l->more);
		draw_label(t, child);
		if (length + 8 >= PREFIX_BYTES)
			continue;
		(void)snprintf(prefix + length, PREFIX_BYTES - length, "%s",
			       last ? l->blank : l->through);
		draw(t, child, prefix, l);
		prefix[length] = 0;
	}
}

static void draw_session(const struct tree *t, json_object *node)
{
	const char *console = text_of(node, "console");
	json_object *owner;

	(void)fprintf(t->out, "session %llu  %s%s", (unsigned long long)number_of(node, "session"),
		      text_of(node, "state"), number_of(node, "frozen") ? ", frozen" : "");
	if (json_object_object_get_ex(node, "owner", &owner) && owner)
		(void)fprintf(t->out, "  of %s",
			      show_user((uint32_t)json_object_get_uint64(owner)));
	(void)fprintf(t->out, "%s%s\n", *console ? "  " : "", show_text(console));
}

static void draw_all(const struct tree *t)
{
	const struct lines *l = show_utf8() ? &box : &ascii;
	char prefix[PREFIX_BYTES];

	(void)fprintf(t->out, "machine\n%s", l->last);
	draw_label(t, t->machine);
	(void)snprintf(prefix, sizeof(prefix), "%s", l->blank);
	draw(t, t->machine, prefix, l);
	for (size_t i = 0; i < json_object_array_length(t->sessions); i++) {
		json_object *node = json_object_array_get_idx(t->sessions, i);

		draw_session(t, node);
		prefix[0] = 0;
		draw(t, node, prefix, l);
	}
	if (!sm_same_pids(t->s->c))
		(void)fputs("(the session manager counts processes in a pid namespace of its own: "
			    "only its ledger is shown)\n",
			    t->out);
}

static int draw_to_terminal(struct tree *t)
{
	char *all = NULL, *at, *line;
	size_t bytes = 0;

	t->out = open_memstream(&all, &bytes);
	if (!t->out)
		return smctl_error(t->s, "%s", strerror(errno));
	draw_all(t);
	if (fclose(t->out) != 0) {
		free(all);
		return smctl_error(t->s, "%s", strerror(ENOMEM));
	}
	at = all;
	while ((line = strsep(&at, "\n")) && at)
		show_line(line);
	free(all);
	return SMCTL_OK;
}

static int build(struct tree *t)
{
	struct sm_machine m;
	int r = sm_status(t->s->c, &m);

	if (r < 0)
		return r;
	t->now_ns = m.now_ns;
	json_put_number(t->machine, "pid", sm_master_pid(t->s->c));
	json_put_text(t->machine, "image", "smss");
	r = add_sessions(t);
	if (r < 0)
		return r;
	/* Without /proc the ledger alone is shown, as for another pid namespace. */
	if (sm_same_pids(t->s->c))
		(void)procs_read(&t->procs);
	r = add_ledger(t);
	if (r < 0)
		return r;
	add_below(t, t->machine);
	for (size_t i = 0; i < json_object_array_length(t->sessions); i++)
		add_below(t, json_object_array_get_idx(t->sessions, i));
	add_adopted(t);
	return 0;
}

int verb_tree(struct smctl *s, int argc, char **argv)
{
	struct tree t = {.s = s};
	json_object *o;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	o = json_object_new_object();
	t.machine = json_object_new_object();
	t.sessions = json_object_new_array();
	json_put(o, "machine", t.machine);
	json_put(o, "sessions", t.sessions);
	json_put_bool(o, "descendants", sm_same_pids(s->c));
	r = build(&t);
	procs_free(&t.procs);
	if (r < 0) {
		(void)json_object_put(o);
		return smctl_call_failed(s, r, NULL);
	}
	if (s->json)
		return json_show(o, false);
	r = draw_to_terminal(&t);
	(void)json_object_put(o);
	return r;
}
