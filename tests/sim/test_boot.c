/* SPDX-License-Identifier: MIT */
/*
 * test_boot.c - the real master on the simulated kernel, its copies played by scripts
 *
 * First a boot in which everybody behaves: all phases, sessions live, boot good, an idle master
 * that waits for ever, an orderly end. Then boots in which copies, core processes and clients
 * crash, hang, talk nonsense or are not to be had. The law: the master never exits, never spins,
 * keeps its tables consistent and no fd too many, and either gets ready or goes down with a stop
 * on record. Each run is a process of its own, so that the master's statics are new each time.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

#include "law.h"
#include "script.h"
#include "smss/master/sessions.h"

uint64_t law_seed, law_cut;
bool law_child;

static unsigned fds_base;

/* ---- consistency, looked at before every wait ---- */

static unsigned check_ledger(void)
{
	unsigned pidfds = 0;

	for (uint32_t i = 0; i < LEDGER_MAX; i++) {
		const struct process *p = &master.processes[i];
		const struct sim_process *is =
			master.processes[i].pid ? sim_process((int)master.processes[i].pid) : NULL;

		if (!master.processes[i].pid)
			continue;
		LAW(i < master.ledger_top);
		LAW(is && !is->reaped);
		LAW(p->role > ROLE_NONE && p->role < ROLE_COUNT && p->role != ROLE_CLIENT);
		LAW(p->peer == NONE || master.peers[p->peer].fd != NONE);
		LAW(p->row == NONE || (uint32_t)p->row < master.rows_used);
		pidfds += p->pidfd != NONE;
	}
	return pidfds;
}

static unsigned check_peers(void)
{
	unsigned open = 0, clients = 0;

	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		if (i >= master.peers_top) /* rows beyond the top are stale or zero */
			break;
		if (master.peers[i].fd == NONE)
			continue;
		open++;
		clients += master.peers[i].role == ROLE_CLIENT;
	}
	LAW(clients == master.clients);
	return open;
}

static void check_row_of(uint32_t n, int row, unsigned role)
{
	LAW(row == NONE || (master.processes[row].pid && master.processes[row].session == n &&
			    master.processes[row].role == role));
}

static void check_sessions(void)
{
	uint32_t setting_up = 0;

	for (uint32_t n = 0; n < SESSIONS_MAX; n++) {
		const struct session *s = &master.sessions[n];

		LAW(s->state < SESSION_STATES);
		if (s->state == SESSION_FREE)
			continue;
		LAW(n < master.sessions_top);
		setting_up += session_in_set_up(s);
		check_row_of(n, s->csrss, ROLE_CSRSS);
		check_row_of(n, s->initial, ROLE_INITIAL);
		LAW(s->copy == NONE || master.processes[s->copy].session == n);
		LAW(s->csrss_peer == NONE || master.peers[s->csrss_peer].fd != NONE);
		LAW(s->initial_peer == NONE || master.peers[s->initial_peer].fd != NONE);
		LAW(s->state != SESSION_RUNNING || s->complete);
	}
	LAW(setting_up == master.setting_up);
	LAW(setting_up <= master.parallel || !master.parallel);
}

/* Every shared name is held as often as it is shown. */
static void check_names(void)
{
	uint32_t shown[NAMES_MAX] = {0};

	for (uint32_t i = 0; i < LEDGER_MAX; i++)
		if (master.processes[i].pid) {
			shown[master.processes[i].image]++;
			shown[master.processes[i].why]++;
		}
	for (uint32_t n = 0; n < SESSIONS_MAX; n++)
		if (master.sessions[n].state != SESSION_FREE)
			shown[master.sessions[n].image]++;
	for (uint32_t i = 1; i < NAMES_MAX; i++)
		LAW(master.names[i].rows == shown[i]);
}

/* Who waits waits for something that is there. */
static void check_waiting(void)
{
	uint32_t requests = 0, dying = 0, sweeps = 0;

	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &master.callers[i];

		LAW(!c->kind || master.sessions[c->session].state != SESSION_FREE);
		LAW(c->kind != CALLER_LIMITS || master.sessions[c->session].limiter != NONE);
	}
	for (uint32_t n = 0; n < SESSIONS_MAX; n++) {
		const struct session *s = &master.sessions[n];

		if (s->state == SESSION_FREE)
			continue;
		LAW(s->request == NONE ||
		    (s->state == SESSION_RESERVED && master.requests[s->request].used));
		requests += s->request != NONE;
		dying += s->state == SESSION_ENDING || s->state == SESSION_DYING;
		sweeps += s->sweeping;
		LAW(!s->sweeping || s->copy != NONE);
	}
	LAW(requests == master.requests_used && dying == master.dying && sweeps == master.sweeps);
}

static void check_tables(void)
{
	const unsigned pidfds = check_ledger(), peers = check_peers();
	const unsigned known = pidfds + peers + (master.plan_fd >= 0) + (master.env_fd >= 0) +
			       (master.listener >= 0) + (master.ahead_fds[0] > 0) +
			       (master.ahead_fds[1] > 0);

	LAW(!master.ahead || master.processes[master.ahead - 1].role == ROLE_SESSION);
	LAW(!master.ahead || master.processes[master.ahead - 1].session == SM_NO_SESSION);
	LAW(!master.ahead_ns || master.ahead);

	check_sessions();
	check_names();
	check_waiting();
	LAW(master.boot.phase < PHASE_COUNT);
	LAW(master.rows_used <= BOOT_ROWS_MAX);
	if (!fds_base)
		fds_base = sim_open_fds() - known;
	if (sim_open_fds() != fds_base + known)
		print_error("fds: %u open, %u known\n", sim_open_fds(), fds_base + known);
	LAW(sim_open_fds() == fds_base + known);
}

/* ---- running ---- */

static void run_master(void *arg)
{
	char *argv[] = {(char *)(uintptr_t) "smss", NULL};

	master_start(1, argv);
	master_run();
}

static bool asked_to_end;

static void ask_to_end(void)
{
	if (asked_to_end || master.shutting_down)
		return;
	asked_to_end = true;
	sim_signal(38, 0, 0); /* SIGRTMIN+4: power off */
	script_wake();
}

static struct sim_record boot(uint64_t seed, const struct script *s, void (*on_idle)(void))
{
	struct sim_hooks hooks = {
		.on_spawn = script_spawned,
		.on_signal = script_signal,
		.on_message = script_message,
		.on_idle = on_idle,
		.on_wait = check_tables,
	};

	law_seed = seed;
	sim_start(seed);
	sim_machine("console=ttyS0 smss.vm.test\n");
	sim_hooks(&hooks);
	sim_until(40ull * 3600 * 1000000000);
	script_begin(s);
	return sim_run(run_master, NULL);
}

static unsigned count_rows(unsigned kind, unsigned phase, unsigned result)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < master.rows_used; i++)
		n += master.rows[i].kind == kind && master.rows[i].phase == phase &&
		     master.rows[i].result == result;
	return n;
}

static unsigned live_sessions(void)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		n += master.sessions[i].state == SESSION_RUNNING;
	return n;
}

/* A run in a child: its exit status is the verdict. */
static void in_child(void (*run)(uint64_t seed), uint64_t seed)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		law_child = true;
		run(seed);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		print_error("seed=%" PRIu64 ": again with SIM_SEED=%" PRIu64 " SIM_RUNS=1\n", seed,
			    seed);
	assert_int_equal(status, 0);
}

/* ---- everybody behaves ---- */

static void good_boot(uint64_t seed)
{
	static const unsigned phases[] = {
		PHASE_REGISTRY,      PHASE_ENVIRONMENT,  PHASE_SERIALIZE, PHASE_BOOT_EXECUTE_CHECK,
		PHASE_STATE,         PHASE_BOOT_EXECUTE, PHASE_RENAMES,   PHASE_PAGING,
		PHASE_SETUP_EXECUTE, PHASE_KNOWN_DLLS,   PHASE_SESSIONS,  PHASE_READY};
	const struct script s = {.sessions = 3};
	struct sim_record r = boot(seed, &s, NULL);

	LAW(r.end == SIM_IDLE);
	LAW(master.boot.phase == PHASE_READY && !master.stop.code);
	LAW(master.lkg_flags & SM_LKG_ACCEPTED);
	for (unsigned i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		LAW(count_rows(SM_ROW_PHASE, phases[i], RESULT_OK) == 1);
	LAW(live_sessions() == 3);
	LAW(sim_processes_alive() == 6); /* no copy is left */
	LAW(r.waits < 400);
}

static void good_end(uint64_t seed)
{
	const struct script s = {.sessions = 2};
	struct sim_record r = boot(seed, &s, ask_to_end);

	LAW(r.end == SIM_REBOOT);
	LAW(r.detail == (unsigned)RB_POWER_OFF);
	LAW(sim_processes_alive() == 0);
	LAW(live_sessions() == 0);
}

static void critical_death(uint64_t seed)
{
	const struct script s = {.sessions = 2, .kill_csrss_of_zero = true};
	struct sim_record r = boot(seed, &s, NULL);

	LAW(r.end == SIM_REBOOT);
	LAW(r.detail == (unsigned)RB_AUTOBOOT);
	LAW(master.stop.code == STOP_SYSTEM_PROCESS_TERMINATED);
	LAW(!strcmp(master.stop.culprit, "csrss"));
	LAW(script_counts(ROLE_STOP) == 1 && script_counts(ROLE_SHUTDOWN) == 1);
}

static void no_plan_at_all(uint64_t seed)
{
	const struct script s = {.sessions = 2, .bad_levels = 2};
	struct sim_record r = boot(seed, &s, NULL);

	LAW(r.end == SIM_IDLE);
	LAW(master.boot.level == SM_LEVEL_BUILTIN && master.boot.phase == PHASE_READY);
	LAW(master.plan->settings.builtin);
}

static void every_level_bad(uint64_t seed)
{
	const struct script s = {.sessions = 2, .bad_levels = 3};
	struct sim_record r = boot(seed, &s, NULL);

	/* nothing could be counted, so nothing may be tried again and again */
	LAW(r.end == SIM_REBOOT && r.detail == (unsigned)RB_HALT_SYSTEM);
	LAW(master.stop.code == STOP_CANNOT_LOAD_REGISTRY_FILE);
}

static void last_level(uint64_t seed)
{
	const struct script s = {.sessions = 1,
				 .bad_levels = 2,
				 .kill_csrss_of_zero = true,
				 .attempts = 1 + (unsigned)(seed % 5)};
	struct sim_record r = boot(seed, &s, NULL);

	LAW(r.end == SIM_REBOOT && master.boot.level == SM_LEVEL_BUILTIN);
	LAW(r.detail == (s.attempts < 3 ? (unsigned)RB_AUTOBOOT : (unsigned)RB_HALT_SYSTEM));
	LAW(script_counts(ROLE_ACCEPT) == 0);
}

/* They live on with another server, and with the same initial command. */
static void lost_servers(uint64_t seed)
{
	const struct script s = {.sessions = 3, .kill_servers = true};
	struct sim_record r = boot(seed, &s, NULL);

	LAW(r.end == SIM_IDLE && !master.stop.code);
	LAW(live_sessions() == 3 && sim_processes_alive() == 6);
	LAW(script_restarts() >= 1);
	for (uint32_t n = 0; n < 3; n++)
		LAW(master.sessions[n].failures == 0 && !master.sessions[n].restarting);
}

/* ---- a session that cannot end, while orphans die ---- */

#define STORM 150u

static void orphan(int pid, void *arg)
{
	sim_process_exit(sim_process_new(1, 1, "orphan", NULL, 0), 0);
}

static void soon_after(int pid, void *arg)
{
	LAW(master.sessions[2].state != SESSION_DYING);
	asked_to_end = true; /* came as far as this */
}

static void storm_over(int pid, void *arg)
{
	const unsigned kills = sim_process(pid)->kills; /* one a look */

	LAW(kills >= 20 && kills <= STORM * 2 / 5 + 20);
	LAW(master.sessions[2].looks <= 10);
	sim_process_crash(pid, SIGKILL); /* what it waited for has come */
	sim_after(20, soon_after, 0, NULL);
}

static void begin_storm(void)
{
	static int sleeper;

	if (sleeper)
		return;
	sleeper = sim_process_new((int)master.processes[master.sessions[2].csrss].pid, 1, "sleeper",
				  NULL, 0);
	sim_process(sleeper)->asleep = true;
	(void)session_end(2, waiter_none());
	for (unsigned i = 0; i < STORM; i++)
		sim_after(i * 2 + 100, orphan, 0, NULL);
	sim_after(STORM * 2 + 100, storm_over, sleeper, NULL);
	script_wake();
}

/* What dies elsewhere has it looked at, but not all the time, and no less often afterwards. */
static void orphans_storm(uint64_t seed)
{
	const struct script s = {.sessions = 3};
	struct sim_record r = boot(seed, &s, begin_storm);

	LAW(r.end == SIM_IDLE && master.orphans >= STORM && asked_to_end);
}

static void a_boot_runs_through_all_phases_and_idles(void **state)
{
	FOR_SEEDS(20)
	in_child(good_boot, seed);
}

static void a_power_off_ends_every_process_first(void **state)
{
	FOR_SEEDS(20)
	in_child(good_end, seed);
}

static void the_death_of_csrss_is_a_recorded_stop(void **state)
{
	FOR_SEEDS(20)
	in_child(critical_death, seed);
}

static void sessions_that_lose_their_server_live_on(void **state)
{
	FOR_SEEDS(40)
	in_child(lost_servers, seed);
}

static void orphans_do_not_keep_the_master_looking(void **state)
{
	FOR_SEEDS(10)
	in_child(orphans_storm, seed);
}

static void without_a_plan_the_built_in_minimum_boots(void **state)
{
	FOR_SEEDS(10)
	in_child(no_plan_at_all, seed);
}

static void without_any_plan_the_stop_is_recorded(void **state)
{
	FOR_SEEDS(10)
	in_child(every_level_bad, seed);
}

static void the_last_level_does_not_reboot_for_ever(void **state)
{
	FOR_SEEDS(10)
	in_child(last_level, seed);
}

/* ---- nobody behaves ---- */

/* For people who look for a broken law: what was said, and who is left. */
static void tell(const struct sim_record *r)
{
	fprintf(stderr, "%send %d detail %" PRIx64 " waits %" PRIu64 " now %" PRIu64 " ms\n",
		sim_console(), r->end, r->detail, r->waits, r->now_ns / 1000000);
	for (unsigned i = 0; i < sim_processes(); i++) {
		const struct sim_process *p = sim_process_at(i);

		if (!p->dead)
			fprintf(stderr, "%d of %d: %s %s %s, born %" PRIu64 " ms, in %s\n", p->pid,
				p->parent, p->name, p->argv[1], p->argv[2], p->born_ns / 1000000,
				p->cgroup);
	}
}

static void chaos(uint64_t seed)
{
	const struct script s = {
		.sessions = 1 + (unsigned)(seed % 5),
		.misfortunes = 1 + (unsigned)(seed * 7 % 23),
		.clients = (unsigned)(seed % 4),
	};
	struct sim_record r = boot(seed, &s, seed % 3 ? ask_to_end : NULL);

	if (r.end == SIM_WRONG || r.end == SIM_SPIN)
		print_error("why: %s\n", sim_why());
	if (getenv("SIM_TELL"))
		tell(&r);
	LAW(r.end == SIM_IDLE || r.end == SIM_REBOOT);
	if (r.end == SIM_IDLE)
		LAW(master.boot.phase == PHASE_READY && !master.shutting_down);
	else
		LAW(asked_to_end || master.stop.code || script_asked_down() ||
		    master.boot.phase == PHASE_BOOT_EXECUTE_CHECK);
	LAW(r.waits < 60000);
}

static void whatever_copies_do_the_master_gets_ready_or_stops_on_record(void **state)
{
	FOR_SEEDS(1200)
	in_child(chaos, seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_boot_runs_through_all_phases_and_idles),
		cmocka_unit_test(a_power_off_ends_every_process_first),
		cmocka_unit_test(the_death_of_csrss_is_a_recorded_stop),
		cmocka_unit_test(sessions_that_lose_their_server_live_on),
		cmocka_unit_test(orphans_do_not_keep_the_master_looking),
		cmocka_unit_test(without_a_plan_the_built_in_minimum_boots),
		cmocka_unit_test(without_any_plan_the_stop_is_recorded),
		cmocka_unit_test(the_last_level_does_not_reboot_for_ever),
		cmocka_unit_test(whatever_copies_do_the_master_gets_ready_or_stops_on_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
