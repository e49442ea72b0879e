/* SPDX-License-Identifier: MIT */
/*
 * live_judge.c - who of this machine's processes is, or imitates, a session manager
 *
 * Definitions: design §7. What a process calls itself decides nothing by itself: it is the file it
 * runs, its parent, the master's ledger and the session's group that decide. PID 1 adopts orphans,
 * so that being its child proves nothing: whoever is in the ledger was started by it, whoever is in
 * a session's group came from there; for the rest there is no good reason once sessions have begun.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/live.h"
#include "smaudit/rules.h"

#define LATE_S        60.0
#define RATHER_LATE_S 10.0
#define MEMORY        "memfd:" /* before the name of an image that lies in no file */
#define OVERDUE_S     5.0      /* past its deadline a copy is killed at once */

static const char *const core_names[] = {"smss", "csrss", "wininit", "winlogon", "autochk"};

static bool is_core(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(core_names); i++)
		if (str_same(core_names[i], name))
			return true;
	return false;
}

static const char *base_of(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *base = slash ? slash + 1 : path ? path : "";

	return str_starts(base, MEMORY) ? base + sizeof(MEMORY) - 1 : base;
}

static bool is_master(const struct live *l, const struct live_process *p)
{
	return p->pid == l->master_pid;
}

/* In another pid namespace there may be a whole machine of its own: a container's session manager.
 */
static bool of_space(const struct live *l, const struct live_process *p)
{
	return p->pid_space && l->master_space && p->pid_space != l->master_space;
}

/* A container has files of its own, too: a pid namespace alone makes nobody another machine. */
static bool of_container(const struct live *l, const struct live_process *p)
{
	const struct live_process *master = live_find(&l->table, l->master_pid);

	return of_space(l, p) && p->root_ino && master && master->root_ino &&
	       (p->root_dev != master->root_dev || p->root_ino != master->root_ino);
}

void live_tell(struct live *l, const struct live_process *p, enum indicator_id rule,
	       enum severity severity, const char *what)
{
	const struct live_process *parent = p->ppid ? live_find(&l->table, p->ppid) : NULL;
	char subject[96], pid[16], ppid[16], users[64], began[32];
	struct finding f = {.rule = rule,
			    .verdict = VERDICT_FINDING,
			    .severity = severity,
			    .host = l->host,
			    .subject = subject,
			    .what = what,
			    .time_ns = l->table.boot_ns + (int64_t)(live_began_s(l, p) * 1e9),
			    .place = {"/proc", p->pid}};

	if (!live_still(p))
		return; /* it has ended: nobody could look at what is told here */
	(void)snprintf(subject, sizeof(subject), "%s pid %u started %.2f s after boot", p->name,
		       p->pid, live_began_s(l, p));
	(void)snprintf(pid, sizeof(pid), "%u", p->pid);
	(void)snprintf(ppid, sizeof(ppid), "%u", p->ppid);
	(void)snprintf(began, sizeof(began), "%.2f s after boot", live_began_s(l, p));
	(void)snprintf(users, sizeof(users), "%u %u %u %u", p->uid[0], p->uid[1], p->uid[2],
		       p->uid[3]);
	finding_add(&f, "pid", pid);
	finding_add(&f, "ppid", ppid);
	finding_add(&f, "name", p->name);
	finding_add(&f, "image", p->image);
	finding_add(&f, "image-file",
		    p->memory    ? "in memory only"
		    : p->deleted ? "deleted since it was started"
				 : NULL);
	if (!str_same(p->called, base_of(p->image)))
		finding_add(&f, "called", p->called);
	finding_add(&f, "threads", p->headless ? "the first has ended, others run" : NULL);
	finding_add(&f, "parent", parent ? parent->image : NULL);
	finding_add(&f, "started", began);
	finding_add(&f, "user-ids", users);
	finding_add(&f, "cgroup", p->group);
	finding_add(&f, "ledger", p->row ? p->row->role : "not in the master's ledger");
	report_add(l->report, &f);
}

/* ---- path, name, content ---- */

/* A core process whose file is gone: the same that was signed, or that is installed, is harmless.
 */
static void judge_deleted(struct live *l, const struct live_process *p, const struct live_own *own)
{
	const char *name = base_of(p->image);
	const uint8_t *want = l->catalog ? catalog_find(l->catalog, name) : NULL;
	uint8_t is[SHA256_BYTES];

	if (p->memory)
		live_tell(l, p, INDICATOR_WRONG_PATH, SEVERITY_HIGH,
			  "its image lies in no file: it was started from memory");
	else if (own || (want && live_digest(p, is) == 0 && bytes_same(want, is, sizeof(is))))
		live_tell(l, p, INDICATOR_WRONG_PATH, SEVERITY_INFO,
			  "its image was replaced since it was started; what runs is genuine");
	else
		live_tell(l, p, INDICATOR_WRONG_PATH, SEVERITY_MEDIUM,
			  "its image was deleted or replaced since it was started, and is not what "
			  "is "
			  "installed now: after an upgrade restart the machine, else look at it");
}

static void judge_path(struct live *l, const struct live_process *p, const struct live_own *own,
		       bool elsewhere)
{
	const char *base = base_of(p->image);
	const bool claims = is_core(base) || is_core(p->name) || is_master(l, p);

	if (!p->image || (own && !elsewhere))
		return;
	if (p->deleted && (claims || own)) {
		judge_deleted(l, p, own);
	} else if (of_container(l, p)) {
		if (claims || own)
			live_tell(l, p, INDICATOR_WRONG_PATH, SEVERITY_INFO,
				  "an image with a core name, in a container of its own");
	} else if (own) {
		live_tell(
			l, p, INDICATOR_WRONG_PATH, SEVERITY_HIGH,
			is_core(own->name)
				? "it runs a copy of an image of the session manager, from another "
				  "place than the image directory"
				: "it runs a copy of one of our images from another place");
	} else if (is_core(base) || is_master(l, p)) {
		live_tell(l, p, INDICATOR_WRONG_PATH, SEVERITY_HIGH,
			  "it is called like an image of the session manager and is not the one in "
			  "the image directory");
	} else if (is_core(p->name)) {
		live_tell(l, p, INDICATOR_IDENTITY_MISMATCH, SEVERITY_HIGH,
			  "it calls itself like an image of the session manager and runs another "
			  "program");
	} else if (is_core(p->called)) {
		live_tell(l, p, INDICATOR_IDENTITY_MISMATCH, SEVERITY_HIGH,
			  "its command line names an image of the session manager, and it runs "
			  "another program");
	}
}

/* What the ledger names as one of ours must run just that. */
static void judge_row(struct live *l, const struct live_process *p, const struct live_own *own)
{
	const char *name = p->row ? base_of(p->row->image) : "";

	if (!p->image || p->deleted || !is_core(name) || is_core(base_of(p->image)) ||
	    is_core(p->name))
		return; /* the same was said of its path */
	if (!own || (!str_same(own->name, name) && !str_same(own->name, "smss")))
		live_tell(l, p, INDICATOR_IDENTITY_MISMATCH, SEVERITY_HIGH,
			  "the master's ledger has it as an image of its own, and it runs another "
			  "program");
}

/*
 * The name of a file that runs. Wine's programs run its loader, so that one of Windows' names
 * belongs to a file of this machine; what the kernel puts behind a file that is gone was taken off
 * before, so that it is part of the name here.
 */
static void look_at_file(const char *name, struct name_verdict *ret)
{
	static const char mark[] = " (deleted)";
	const size_t n = strlen(name), m = sizeof(mark) - 1;
	char kept[64];

	name_look(name, false, SYSTEM_LINUX, ret);
	if (ret->kind == NAME_NEIGHBOUR && ret->distance == 0 && ret->rule[0])
		ret->kind = NAME_AFFIX;
	if (ret->kind != NAME_OTHER || n <= m || n - m >= sizeof(kept) ||
	    !str_same(name + n - m, mark))
		return;
	memcpy(kept, name, n - m);
	kept[n - m] = '\0';
	name_look(kept, false, SYSTEM_LINUX, ret);
	if (ret->kind != NAME_EXACT)
		return;
	ret->kind = NAME_AFFIX;
	(void)snprintf(ret->rule, sizeof(ret->rule),
		       "\"(deleted)\" behind it, as of a file that is gone");
}

static void judge_name(struct live *l, const struct live_process *p, const struct live_own *own,
		       bool elsewhere)
{
	const char *names[2] = {p->image ? base_of(p->image) : NULL, p->name};
	struct name_verdict v;

	if (own && !elsewhere)
		return;
	for (unsigned i = 0; i < 2; i++) {
		char what[192];

		if (!names[i])
			continue;
		if (i == 0)
			look_at_file(names[i], &v);
		else
			name_look(names[i], strlen(p->name) == 15, SYSTEM_LINUX, &v);
		if (v.kind < NAME_HIDDEN)
			continue;
		(void)snprintf(
			what, sizeof(what), "its %s %s%s: %s", i ? "process name" : "image's name",
			v.of ? "imitates " : "holds what does not show", v.of ? v.of : "", v.rule);
		live_tell(l, p, INDICATOR_NEAR_MISS_NAME,
			  v.of || v.turns ? SEVERITY_HIGH : SEVERITY_MEDIUM, what);
		return;
	}
}

/* ---- instances, children, accounts, times ---- */

static void judge_instance(struct live *l, const struct live_process *p, const struct live_own *own)
{
	double overdue = 0;

	if (!own || !str_same(own->name, "smss") || is_master(l, p) || !l->asked)
		return;
	if (of_space(l, p)) {
		live_tell(l, p, INDICATOR_SECOND_PERSISTENT_INSTANCE, SEVERITY_INFO,
			  "a session manager in a pid namespace of its own: a container's");
		return;
	}
	if (p->row) {
		if (p->row->deadline_ns)
			overdue = l->table.up_s - (double)p->row->deadline_ns / 1e9;
		if (overdue > OVERDUE_S)
			live_tell(l, p, INDICATOR_SECOND_PERSISTENT_INSTANCE, SEVERITY_HIGH,
				  "a copy of the session manager is older than its deadline");
		return;
	}
	if (live_age_s(l, p) <= l->grace_s)
		return;
	live_tell(l, p, INDICATOR_SECOND_PERSISTENT_INSTANCE, SEVERITY_HIGH,
		  "another session manager lives here, and the master did not start it");
	if (p->ppid != l->master_pid)
		live_tell(l, p, INDICATOR_WRONG_PARENT, SEVERITY_HIGH,
			  "a session manager that the master did not start, with another parent");
}

static bool of_session(const struct live *l, const struct live_process *p)
{
	const size_t n = strlen(l->group);
	unsigned number;
	int end = 0;

	if (!n || !p->group || strncmp(p->group, l->group, n) != 0 ||
	    sscanf(p->group + n, "/session-%u%n", &number, &end) != 1 || !end ||
	    (p->group[n + (size_t)end] && p->group[n + (size_t)end] != '/'))
		return false;
	for (size_t i = 0; i < l->sessions; i++)
		if (l->session[i] == number)
			return true;
	return false;
}

static void judge_child(struct live *l, const struct live_process *p, const struct live_own *own,
			bool *undecided)
{
	if (p->ppid != l->master_pid || p->row || !l->asked || of_session(l, p))
		return;
	if (own && str_same(own->name, "smss"))
		return; /* judged as an instance */
	if (l->machine.mode == SM_RUN_CONTAINER)
		return; /* `smss -- COMMAND` adopts what that leaves, and knows no sessions */
	if (l->machine.no_cgroup || !l->group[0]) {
		*undecided = true;
		return;
	}
	if (!l->sessions_s || live_began_s(l, p) < l->sessions_s)
		live_tell(l, p, INDICATOR_UNEXPECTED_CHILD, SEVERITY_INFO,
			  "left behind by a program of the boot, and adopted by the master");
	else
		live_tell(l, p, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
			  "a child of the master that it did not start and that came from none of "
			  "its "
			  "sessions");
}

static void judge_account(struct live *l, const struct live_process *p, const struct live_own *own)
{
	const bool ours = is_master(l, p) || (p->row && own && is_core(own->name));

	for (unsigned i = 0; ours && i < 4; i++)
		if (p->uid[i]) {
			live_tell(l, p, INDICATOR_WRONG_ACCOUNT, SEVERITY_HIGH,
				  "a core process whose four user ids are not all root's");
			return;
		}
}

static void judge_start(struct live *l, const struct live_process *p)
{
	const double s = live_began_s(l, p);

	/* In a pid namespace it begins with that, whenever that is. */
	if (!is_master(l, p) || (l->asked && l->machine.mode != SM_RUN_MACHINE) ||
	    s <= RATHER_LATE_S)
		return;
	live_tell(l, p, INDICATOR_LATE_START, s > LATE_S ? SEVERITY_MEDIUM : SEVERITY_INFO,
		  "the first process began long after the kernel did");
}

/* Why an image could not be read. Root need not be told to be root: then the kernel wants more. */
static const char *missing_image(const struct live *l)
{
	const struct live_process *self = live_find(&l->table, (uint32_t)getpid());

	if (geteuid() != 0)
		return "image path (run it as root)";
	if (self && self->capable && !(self->capabilities >> CAP_SYS_PTRACE & 1))
		return "image path (root without the capability sys_ptrace, as in a container)";
	return "image path (the kernel keeps it from root, too: another user namespace, or a "
	       "security module)";
}

static void say_unread(struct live *l, bool undecided)
{
	char what[96];

	if (l->table.cut)
		live_unsure(l, INDICATOR_SECOND_PERSISTENT_INSTANCE, "processes",
			    "there are more processes than smaudit looks at",
			    "the other processes");
	if (l->table.unread) {
		(void)snprintf(what, sizeof(what), "the images of %zu processes cannot be read",
			       l->table.unread);
		live_unsure(l, INDICATOR_WRONG_PATH, "processes", what, missing_image(l));
		live_unsure(l, INDICATOR_SECOND_PERSISTENT_INSTANCE, "processes", what,
			    missing_image(l));
	}
	if (undecided)
		live_unsure(l, INDICATOR_UNEXPECTED_CHILD, "orphans of the master",
			    "without session groups nobody can tell adopted orphans from planted "
			    "children",
			    "cgroup v2");
}

void live_judge(struct live *l)
{
	bool undecided = false;

	for (size_t i = 0; i < l->table.count; i++) {
		const struct live_process *p = &l->table.at[i];
		const struct live_own *own;
		bool elsewhere;

		if (p->kernel || p->ended)
			continue;
		own = live_own_of(l, p, &elsewhere);
		judge_path(l, p, own, elsewhere);
		judge_row(l, p, own);
		judge_name(l, p, own, elsewhere);
		judge_instance(l, p, own);
		judge_child(l, p, own, &undecided);
		judge_account(l, p, own);
		judge_start(l, p);
	}
	say_unread(l, undecided);
}
