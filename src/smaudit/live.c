/* SPDX-License-Identifier: MIT */
/*
 * live.c - `smaudit live`: this machine under our own session manager
 *
 * Joins what the kernel says of processes (live_proc.c), what the master says of them (its ledger,
 * by libsm), what is installed (live_images.c) and the hive that it booted from; live_judge.c then
 * says what does not fit. It only looks: no process is stopped, no file is changed. Whatever could
 * not be asked makes the rules that need it indeterminate, never clean.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/words.h"
#include "plan/policy.h"
#include "smaudit/live.h"
#include "sys/sys.h"

#define HIVE "/etc/smss/SYSTEM"

double live_began_s(const struct live *l, const struct live_process *p)
{
	return (double)p->start_ticks / (double)l->table.ticks_per_s;
}

double live_age_s(const struct live *l, const struct live_process *p)
{
	return l->table.up_s - live_began_s(l, p);
}

void live_unsure(struct live *l, enum indicator_id rule, const char *subject, const char *what,
		 const char *missing)
{
	const struct finding f = {.rule = rule,
				  .verdict = VERDICT_INDETERMINATE,
				  .severity = SEVERITY_INFO,
				  .host = l->host,
				  .subject = subject,
				  .what = what,
				  .missing = missing,
				  .time_ns = NO_TIME,
				  .place = {"/proc", 0}};

	report_add(l->report, &f);
}

/* ---- the master's word ---- */

static bool add_row(struct live *l, const struct sm_process *row)
{
	struct sm_process *more = realloc(l->row, (l->rows + 1) * sizeof(*more));

	if (!more)
		return false;
	l->row = more;
	l->row[l->rows++] = *row;
	return true;
}

static bool add_session(struct live *l, uint32_t number)
{
	uint32_t *more = realloc(l->session, (l->sessions + 1) * sizeof(*more));

	if (!more)
		return false;
	l->session = more;
	l->session[l->sessions++] = number;
	return true;
}

/* A view, not a snapshot: rows that come twice do no harm. */
static int read_rows(struct live *l, struct sm_connection *c)
{
	struct sm_process row;
	struct sm_session session;
	struct sm_boot_entry entry;
	uint32_t at = 0;
	int r;

	while ((r = sm_process_next(c, &at, &row)) == 1)
		if (!add_row(l, &row))
			return -ENOMEM;
	for (at = 0; r == 0 && (r = sm_session_next(c, &at, &session)) == 1; r = 0)
		if (!add_session(l, session.session))
			return -ENOMEM;
	for (at = 0; r == 0 && (r = sm_boot_next(c, &at, &entry)) == 1; r = 0)
		if (entry.kind == SM_BOOT_PHASE &&
		    str_same(entry.phase, phase_word(PHASE_SESSIONS)))
			l->sessions_s = (double)entry.start_ns / 1e9;
	return r;
}

static void tell_port(struct live *l, const struct sys_peer *peer)
{
	struct finding f = {.rule = INDICATOR_IDENTITY_MISMATCH,
			    .verdict = VERDICT_FINDING,
			    .severity = SEVERITY_HIGH,
			    .host = l->host,
			    .subject = "/run/smss/SmApiPort",
			    .what = "somebody else than the first process answers as the session "
				    "manager",
			    .time_ns = NO_TIME};
	char pid[16];

	(void)snprintf(pid, sizeof(pid), "%d", peer->pid);
	finding_add(&f, "pid", pid);
	report_add(l->report, &f);
}

void live_master(struct live *l)
{
	struct sm_connection *c = NULL;
	struct sys_peer peer = {.pid = 1};
	int r = sm_open(NULL, &c);

	/* Whoever listens there chose the place: its number is the kernel's word. */
	if (r == 0 && sys_peer_of(sm_fd(c), &peer) == 0 && peer.pid > 0 && peer.pid != 1) {
		tell_port(l, &peer);
		r = -EPROTO;
	}
	if (r == 0)
		r = sm_status(c, &l->machine);
	if (r == 0)
		r = read_rows(l, c);
	sm_close(c);
	l->asked = r == 0;
	l->refused = r;
}

static void say_unasked(struct live *l)
{
	static const enum indicator_id need[] = {INDICATOR_UNEXPECTED_CHILD,
						 INDICATOR_SECOND_PERSISTENT_INSTANCE};

	for (size_t i = 0; !l->asked && i < ARRAY_SIZE(need); i++)
		live_unsure(l, need[i], "the master", sm_error_text(l->refused),
			    "ledger of the session manager");
}

/* What the ledger says of the processes that /proc told, and where their sessions' groups lie. */
static void join(struct live *l)
{
	const struct live_process *master = live_find(&l->table, l->master_pid);

	l->master_space = master ? master->pid_space : 0;
	for (size_t i = 0; i < l->rows; i++) {
		struct live_process *p = live_find(&l->table, l->row[i].pid);
		char end[32];
		char *at;

		if (!p || p->ppid != l->master_pid)
			continue; /* it ended meanwhile, and the number is another's */
		p->row = &l->row[i];
		(void)snprintf(end, sizeof(end), "/session-%u", p->row->session);
		at = p->group && p->row->session != SM_MACHINE_SESSION ? strstr(p->group, end)
								       : NULL;
		if (at && !l->group[0])
			(void)snprintf(l->group, sizeof(l->group), "%.*s", (int)(at - p->group),
				       p->group);
	}
}

/* ---- facts ---- */

/* "chown dac_override ...", as capabilities(7) has them without CAP_. */
static void capability_words(uint64_t set, char *to, size_t cap)
{
	size_t n = 0;

	to[0] = 0;
	for (unsigned i = 0; i < 64; i++) {
		const char *name = policy_capability_name(i);

		if (set >> i & 1 && name && n < cap)
			n += (size_t)snprintf(to + n, cap - n, "%s%s", n ? " " : "", name);
	}
}

static void tell_process(const struct live *l, const struct live_process *p)
{
	const struct live_process *parent = p->ppid ? live_find(&l->table, p->ppid) : NULL;
	struct process_fact f = process_fact_none();
	char user[16], privileges[1024];

	if (p->kernel || p->ended || !l->to->process)
		return;
	(void)snprintf(user, sizeof(user), "%u", p->uid[1]);
	f.system = SYSTEM_LINUX;
	f.seen = SEEN_ALIVE;
	f.list = LIST_LIVE;
	f.place = (struct place){"/proc", p->pid};
	f.host = l->host;
	f.time_ns = l->table.boot_ns + (int64_t)(l->table.up_s * 1e9);
	f.started_ns = l->table.boot_ns + (int64_t)(live_began_s(l, p) * 1e9);
	f.pid = p->pid;
	f.ppid = p->ppid ? p->ppid : NO_PID;
	f.name = p->name;
	f.name_cut = strlen(p->name) == 15;
	f.image = p->image;
	f.parent_image = parent ? parent->image : NULL;
	f.sid = user;
	f.session = NO_NUMBER;
	if (p->row && p->row->session != SM_MACHINE_SESSION)
		f.session = p->row->session;
	f.threads = p->threads;
	if (p->capable) {
		capability_words(p->capabilities, privileges, sizeof(privileges));
		f.privileges = privileges;
	}
	f.container = p->pid_space && l->master_space && p->pid_space != l->master_space;
	f.vouched = true; /* judged here, with more than a fact can hold */
	l->to->process(l->to->arg, &f);
}

static void tell_facts(const struct live *l)
{
	struct boot_fact boot = {.place = {"/proc/stat", 0},
				 .host = l->host,
				 .mark = BOOT_BEGAN,
				 .time_ns = l->table.boot_ns};

	if (l->to->boot)
		l->to->boot(l->to->arg, &boot);
	for (size_t i = 0; i < l->table.count; i++)
		tell_process(l, &l->table.at[i]);
	boot.mark = BOOT_SNAPSHOT_END;
	boot.time_ns += (int64_t)(l->table.up_s * 1e9);
	if (l->to->boot)
		l->to->boot(l->to->arg, &boot);
}

static void read_the_hive(struct live *l)
{
	const char *path = l->asked && l->machine.hive[0] ? l->machine.hive : HIVE;
	char whole[PATH_BYTES];
	uint64_t records;

	/* The level that booted may be another; what stands in the hive is what boots next. */
	if (l->asked && l->machine.level != SM_BOOT_CURRENT)
		path = HIVE;
	(void)snprintf(whole, sizeof(whole), "%s%s", l->root, path);
	(void)read_hive(whole, NULL, 0, l->to, &records);
}

/* ---- all together ---- */

static int first_process(struct live *l)
{
	const struct live_process *p = live_find(&l->table, 1);
	const struct place place = {"/proc/1", 0};
	char text[PATH_BYTES + 128];
	bool elsewhere;

	l->master_pid = 1;
	if (!p)
		(void)snprintf(text, sizeof(text), "there is no process 1 to be seen");
	else if (l->asked || live_own_of(l, p, &elsewhere) || str_same(p->name, "smss"))
		return 0;
	else
		(void)snprintf(text, sizeof(text),
			       "no session manager of ours runs here: process 1 is %s. For files "
			       "of evidence: `smaudit FILE...`",
			       p->image ? p->image : p->name);
	if (l->to->trouble)
		l->to->trouble(l->to->arg, &place, TROUBLE_INPUT, text);
	return -ESRCH;
}

static void end(struct live *l)
{
	live_free(&l->table);
	catalog_free(l->catalog);
	free(l->row);
	free(l->session);
	free(l);
}

int live_audit(const char *root, uint32_t grace_s, const struct sink *to, struct report *report)
{
	struct live *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return -ENOMEM;
	l->to = to;
	l->report = report;
	l->grace_s = grace_s;
	if (!str_copy(l->root, sizeof(l->root), root && !str_same(root, "/") ? root : "") ||
	    gethostname(l->host, sizeof(l->host) - 1) < 0) {
		free(l);
		return -EINVAL;
	}
	live_master(l); /* first: whom it starts meanwhile is young in the list */
	r = live_read(&l->table);
	if (r == 0) {
		live_images_find(l);
		r = first_process(l);
	}
	if (r == 0) {
		say_unasked(l);
		live_images(l);
		join(l);
		live_hidden(l);
		live_judge(l);
		tell_facts(l);
		read_the_hive(l);
	}
	end(l);
	return r;
}
