/* SPDX-License-Identifier: MIT */
/*
 * phase.c - from the plan to ready: the fixed order of design §3
 *
 * phase_job is pure: plan and position in, next job out. phase_go carries it on until something
 * has to be waited for; the end of that something comes back through phase_job_ended. Most
 * failures are recorded and the boot goes on; before the attempt is counted (phase 4b) a failure
 * of what the hive decides takes the next level at once.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#define PLAN_DEADLINE_S    30u
#define COPY_DEADLINE_S    30u
#define RENAMES_DEADLINE_S 600u
#define PAGING_DEADLINE_S  300u
#define KNOWN_DEADLINE_S   120u
#define RENAMES_AGAIN      2u /* a group that was cut is gone on with, then taken back */
#define EXIT_REBOOT_WANTED 3  /* autochk(8): the root was repaired under a read-only mount */

static enum boot_answer copy_job(struct job *ret, enum role role, uint32_t n, uint32_t deadline_s,
				 const char *why)
{
	*ret = (struct job){.role = role,
			    .n = n,
			    .session = SM_NO_SESSION,
			    .deadline_s = deadline_s,
			    .name = role_word(role),
			    .why = why,
			    .core_fds = {NONE, NONE}};
	return BOOT_RUN;
}

/* One image line of table t, as the copy that becomes it. */
static enum boot_answer image_job(const struct plan_header *p, enum plan_table t, uint32_t i,
				  struct job *ret, bool *ret_wait)
{
	const struct plan_row *row = plan_row_at(p, t, i);
	uint32_t deadline = row->flags & PLAN_LINE_AUTOCHK ? p->settings.autochk_deadline_s
							   : p->settings.execute_deadline_s;

	if (row->flags & PLAN_LINE_DEBUG)
		return BOOT_NOTHING; /* NT: the debug subsystem is gone, the line succeeds */
	*ret_wait = !(row->flags & PLAN_LINE_ASYNC);
	copy_job(ret, ROLE_EXECUTE, (uint32_t)t << 16 | i, deadline, "an image the plan names");
	ret->name = plan_string(p, row->name);
	return BOOT_RUN;
}

/* The entry-th line of two tables, one after the other; autochk says which kind of line is meant.
 */
static enum boot_answer list_job(const struct plan_header *p, const enum plan_table t[2],
				 uint32_t entry, int autochk, struct job *ret, bool *ret_wait)
{
	enum plan_table table = t[0];

	if (entry >= plan_count(p, table)) {
		entry -= plan_count(p, table);
		table = t[1];
		if (entry >= plan_count(p, table))
			return BOOT_PHASE_OVER;
	}
	if (autochk >= 0 && autochk != !!(plan_row_at(p, table, entry)->flags & PLAN_LINE_AUTOCHK))
		return BOOT_NOTHING;
	return image_job(p, table, entry, ret, ret_wait);
}

/* Unpinned known libraries ride along with the paging copy: no digest, no copy of their own. */
static bool known_ride_along(const struct plan_header *p)
{
	return plan_count(p, PLAN_KNOWN_DLLS) && !plan_count(p, PLAN_KNOWN_PINS) &&
	       !plan_count(p, PLAN_SETUP_EXECUTE) && !plan_count(p, PLAN_SETUP_EXECUTE_NO_PNP) &&
	       plan_count(p, PLAN_PAGING_FILES);
}

static enum boot_answer renames_job(const struct boot *b, const struct plan_header *p,
				    struct job *ret)
{
	/* LastKnownGood booted once, and then its entries ran. */
	const bool queue = p->settings.queue_count && b->level != SM_LEVEL_LKG &&
			   (!(b->plan_flags & SM_PLAN_FRESH) || b->plan_flags & SM_PLAN_RENAMES);

	if (!queue && !b->groups)
		return BOOT_NOTHING;
	return copy_job(ret, ROLE_RENAMES,
			(b->groups ? RENAMES_GROUPS : 0) | (queue ? 0 : RENAMES_NO_QUEUE),
			RENAMES_DEADLINE_S, "pending renames");
}

static enum boot_answer single_job(const struct boot *b, const struct plan_header *p,
				   struct job *ret)
{
	switch (b->phase) {
	case PHASE_REGISTRY:
		return copy_job(ret, ROLE_PLAN, b->level, PLAN_DEADLINE_S, "reads hive and plan");
	case PHASE_ENVIRONMENT:
		return copy_job(ret, ROLE_ENVIRONMENT, 0, COPY_DEADLINE_S,
				"environment, directories, device links");
	case PHASE_SERIALIZE:
		if (b->no_pnp)
			return BOOT_NOTHING;
		/* One second more than pnp gives itself: it ends in order and says what is missing.
		 */
		return copy_job(ret, ROLE_PNP, 0, p->settings.pnp_deadline_s + 1,
				"waits for devices");
	case PHASE_STATE:
		return copy_job(ret, ROLE_STATE, b->level, COPY_DEADLINE_S, "counts the attempt");
	case PHASE_RENAMES:
		return renames_job(b, p, ret);
	case PHASE_PAGING:
		if (!plan_count(p, PLAN_PAGING_FILES))
			return BOOT_NOTHING;
		return copy_job(ret, ROLE_PAGING, known_ride_along(p), PAGING_DEADLINE_S,
				"paging files");
	case PHASE_KNOWN_DLLS:
		if (!plan_count(p, PLAN_KNOWN_DLLS) || known_ride_along(p))
			return BOOT_NOTHING;
		return copy_job(ret, ROLE_KNOWN, 0, KNOWN_DEADLINE_S, "known libraries");
	default:
		return BOOT_PHASE_OVER;
	}
}

static uint32_t setup_entries(const struct plan_header *p)
{
	return plan_count(p, PLAN_SETUP_EXECUTE_NO_PNP) + plan_count(p, PLAN_SETUP_EXECUTE);
}

enum boot_answer phase_job(const struct boot *b, const struct plan_header *plan, struct job *ret,
			   bool *ret_wait)
{
	static const enum plan_table boot_lists[2] = {PLAN_BOOT_EXECUTE_NO_PNP, PLAN_BOOT_EXECUTE};
	static const enum plan_table setup_lists[2] = {PLAN_SETUP_EXECUTE_NO_PNP,
						       PLAN_SETUP_EXECUTE};

	ASSERT(b->phase < PHASE_COUNT);
	*ret_wait = true;
	if (b->phase != PHASE_REGISTRY && !plan)
		return BOOT_PHASE_OVER;
	switch (b->phase) {
	case PHASE_BOOT_EXECUTE_CHECK:
		return list_job(plan, boot_lists, b->entry, 1, ret, ret_wait);
	case PHASE_BOOT_EXECUTE:
		return list_job(plan, boot_lists, b->entry, 0, ret, ret_wait);
	case PHASE_SETUP_EXECUTE:
		if (b->safe && b->entry < setup_entries(plan))
			return BOOT_NOTHING;
		return list_job(plan, setup_lists, b->entry, -1, ret, ret_wait);
	default:
		return b->entry ? BOOT_PHASE_OVER : single_job(b, plan, ret);
	}
}

/* Forget the plan of a level that did not work. */
static void drop_plan(void)
{
	/* The mapping stays: at most three plans a boot, and nobody may hold a pointer into
	 * nothing. */
	master.plan = NULL;
	sys_closep(&master.plan_fd);
	master.boot.plan_ready = false;
}

static void next_level(enum result result, const char *why)
{
	struct boot *b = &master.boot;

	row_end(master.phase_row, result, 0, why);
	master.phase_row = NONE;
	drop_plan();
	if (b->level < SM_LEVEL_BUILTIN) {
		b->level++;
		say(result == RESULT_SKIPPED ? SYS_LOG_WARNING : SYS_LOG_ERROR,
		    "taking the next level: ",
		    b->level == SM_LEVEL_LKG ? "LastKnownGood" : "the built-in minimum", NULL,
		    NULL);
		b->phase = PHASE_REGISTRY;
		b->entry = 0;
		return;
	}
	stop(STOP_CANNOT_LOAD_REGISTRY_FILE, 0, "Session Manager Initialization", why);
}

static void begin_sessions(void)
{
	uint32_t n = master.plan->settings.initial_sessions;

	/* Services held back in session 0, the rescue login in session 1: neither more nor less. */
	if (master.boot.safe && !master.plan->settings.builtin) {
		if (n > 2)
			row_note(PHASE_SESSIONS, SM_ROW_ITEM, RESULT_SKIPPED, 0,
				 "NumberOfInitialSessions", "left out: safe boot");
		n = 2;
	}
	for (uint32_t i = 0; i < n; i++)
		(void)session_create(NULL, true, waiter_none());
}

static void become_ready(void)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	master.ready_ns = sys_now_ns();
	/* The last level is nothing to keep, and a safe boot proves little: that root decides. */
	if (master.boot.state_on && master.boot.level != SM_LEVEL_BUILTIN && !master.boot.safe &&
	    master.plan->settings.boot_good_s)
		master.accept_ns = master.ready_ns + master.plan->settings.boot_good_s * NS_PER_S;
	text_u64(text_add(&t, "after "), (master.ready_ns - master.started_ns) / 1000);
	text_add(&t, " us");
	row_note(PHASE_READY, SM_ROW_PHASE, RESULT_OK, 0, phase_word(PHASE_READY), room);
	sys_log_quiet(true); /* the console now belongs to a session: only trouble is shown there */
}

void phase_sessions_changed(void)
{
	const struct session *s;

	if (master.boot.phase != PHASE_SESSIONS || master.shutting_down || master.stop.code)
		return;
	for (uint32_t i = 0; i < master.sessions_top; i++) {
		s = &master.sessions[i];
		if (s->keep && (s->state == SESSION_RESERVED || session_in_set_up(s)) &&
		    !s->failures)
			return;
	}
	row_end(master.phase_row, RESULT_OK, 0, "");
	master.phase_row = NONE;
	master.boot.phase = PHASE_READY;
	become_ready();
}

static void next_phase(void)
{
	if (master.phase_row != NONE)
		row_end(master.phase_row, RESULT_OK, 0, "");
	else if (master.boot.safe && master.boot.phase == PHASE_SETUP_EXECUTE &&
		 setup_entries(master.plan))
		row_note(PHASE_SETUP_EXECUTE, SM_ROW_PHASE, RESULT_SKIPPED, 0,
			 phase_word(PHASE_SETUP_EXECUTE), "left out: safe boot");
	master.phase_row = NONE;
	master.boot.phase++;
	master.boot.entry = 0;
}

/* Only now is it known that the phase has something to do: an empty one leaves no row. */
static void show_phase(void)
{
	if (master.phase_row == NONE)
		master.phase_row = row_begin(master.boot.phase, SM_ROW_PHASE,
					     phase_word(master.boot.phase), 0);
}

static void run_job(const struct job *j, bool wait)
{
	int row;

	show_phase();
	row = job_start(j);
	if (row < 0) {
		row_note(master.boot.phase, SM_ROW_ENTRY, RESULT_FAILED, -row, j->name,
			 err_text(-row));
		if (wait)
			phase_job_ended(RESULT_FAILED, -row);
		return;
	}
	master.processes[row].row = (int16_t)row_begin(master.boot.phase, SM_ROW_ENTRY, j->name,
						       master.processes[row].pid);
	if (wait)
		master.job = row;
}

static bool chains(enum role role)
{
	return role == ROLE_ENVIRONMENT || role == ROLE_STATE || role == ROLE_RENAMES ||
	       role == ROLE_PAGING || role == ROLE_KNOWN;
}

static void go_on_with(int row, const struct job *j, struct sm_job_next *ret)
{
	struct process *p = &master.processes[row];

	show_phase();
	master.boot.entry++;
	master.job = row;
	master.peers[p->peer].role = (uint8_t)j->role;
	p->role = (uint8_t)j->role;
	ledger_set_why(row, j->why);
	p->started_ns = sys_now_ns();
	p->deadline_ns = p->started_ns + j->deadline_s * NS_PER_S;
	ledger_rename(row, j->name);
	p->row = (int16_t)row_begin(master.boot.phase, SM_ROW_ENTRY, j->name,
				    master.processes[row].pid);
	ret->role = j->role;
	ret->n = j->n;
}

void phase_next_for(int row, struct sm_job_next *ret)
{
	struct boot *b = &master.boot;
	struct job j;
	bool wait;

	ret->role = ROLE_NONE;
	/* Bounded as in phase_go. What is not for a copy that is there already is left to phase_go.
	 */
	while (b->phase < PHASE_SESSIONS && !master.shutting_down) {
		switch (phase_job(b, master.plan, &j, &wait)) {
		case BOOT_RUN:
			if (chains(j.role) && wait)
				go_on_with(row, &j, ret);
			return;
		case BOOT_NOTHING:
			b->entry++;
			break;
		case BOOT_PHASE_OVER:
			next_phase();
			break;
		}
	}
}

void phase_go(void)
{
	struct boot *b = &master.boot;

	/* Bounded by construction: every turn moves entry, phase or level forward. */
	while (b->phase < PHASE_SESSIONS && master.job == NONE && !master.shutting_down) {
		struct job j;
		bool wait;

		switch (phase_job(b, master.plan, &j, &wait)) {
		case BOOT_RUN:
			b->entry++;
			run_job(&j, wait);
			break;
		case BOOT_NOTHING:
			b->entry++;
			break;
		case BOOT_PHASE_OVER:
			next_phase();
			break;
		}
	}
	if (b->phase == PHASE_SESSIONS && master.phase_row == NONE && !master.shutting_down) {
		show_phase();
		begin_sessions();
		phase_sessions_changed();
	}
}

static bool critical_before_count(unsigned phase)
{
	return phase == PHASE_REGISTRY || phase == PHASE_ENVIRONMENT;
}

void phase_job_ended(enum result result, int detail)
{
	struct boot *b = &master.boot;

	if (master.shutting_down)
		return;
	if (b->phase == PHASE_REGISTRY && (!b->plan_ready || result != RESULT_OK)) {
		next_level(result == RESULT_SKIPPED ? RESULT_SKIPPED : RESULT_FAILED,
			   result == RESULT_SKIPPED ? "LastKnownGood was asked for this boot"
			   : b->plan_ready          ? "the reader failed after its plan"
						    : "no plan could be had");
	} else if (critical_before_count(b->phase) && result != RESULT_OK &&
		   b->level < SM_LEVEL_BUILTIN) {
		next_level(RESULT_FAILED, "it failed before anything of the hive had run");
	} else if (b->phase == PHASE_BOOT_EXECUTE_CHECK && result == RESULT_FAILED &&
		   detail == EXIT_REBOOT_WANTED && master.mode == SM_MODE_MACHINE) {
		(void)shutdown_begin(SM_ACTION_REBOOT, 1, "the root file system was repaired");
	} else if (b->phase == PHASE_RENAMES && b->groups && b->renames_again < RENAMES_AGAIN &&
		   (result == RESULT_CRASHED || result == RESULT_TIMEOUT)) {
		b->renames_again++; /* nothing may run between two halves of a group */
		b->entry = 0;
	} else if (b->phase == PHASE_KNOWN_DLLS && result != RESULT_OK && master.plan &&
		   master.plan->settings.known_policy == PLAN_KNOWN_STOP) {
		stop(STOP_SYSTEM_PROCESS_TERMINATED, (uint32_t)detail, "known library verification",
		     "KnownDllsPolicy is stop");
	}
	/* phase_go is called by the loop once this turn's events are all in. */
}
