/* SPDX-License-Identifier: MIT */
/*
 * test_kernel.c - the simulated kernel by itself: it must promise no more than a kernel does
 *
 * A simulation that keeps everything proves nothing. Over many seeds each outcome that a real disk
 * may show after a cut must turn up, and none that it may not; then the same for processes,
 * sockets, the clock and the ways a run can end.
 */
#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>

#include "law.h"

uint64_t law_seed, law_cut;
bool law_child;

static uint8_t bytes[2048];

static void write_unsynced(void *arg)
{
	_close_ int fd = sys_open(AT_FDCWD, "/f", O_RDWR, 0);

	for (unsigned i = 0; i < 4; i++)
		LAW(sys_pwrite(fd, bytes + 512 * i, 512, 512 * i) == 512);
	if (arg)
		LAW(sys_fdatasync(fd) == 0);
	LAW(sys_rename(AT_FDCWD, "/a", AT_FDCWD, "/b", 0) == 0);
	LAW(sys_rename(AT_FDCWD, "/c", AT_FDCWD, "/d", 0) == 0);
}

static void a_cut_shows_every_outcome_a_disk_may_have(void **state)
{
	unsigned sectors_seen[16] = {0}, names_seen[4] = {0};
	static const uint8_t old[2048];

	memset(bytes, 'n', sizeof(bytes));
	for (uint64_t seed = 1; seed <= 600; seed++) {
		unsigned sectors = 0, names = 0;
		const uint8_t *now;

		sim_start(seed);
		sim_make_file("/f", old, sizeof(old), 0644);
		sim_make_file("/a", "a", 1, 0644);
		sim_make_file("/c", "c", 1, 0644);
		sim_run(write_unsynced, NULL);
		sim_reboot(true);
		now = sim_look("/f", NULL);
		for (unsigned i = 0; i < 4; i++) {
			const bool is_new = !memcmp(now + 512 * i, bytes, 512);

			assert_true(is_new ||
				    !memcmp(now + 512 * i, old, 512)); /* no torn sector */
			sectors |= (unsigned)is_new << i;
		}
		/* a rename is whole or did not happen */
		assert_true(!sim_look("/a", NULL) == !!sim_look("/b", NULL));
		assert_true(!sim_look("/c", NULL) == !!sim_look("/d", NULL));
		names = (unsigned)(sim_look("/b", NULL) != NULL) |
			(unsigned)(sim_look("/d", NULL) != NULL) << 1;
		sectors_seen[sectors]++;
		names_seen[names]++;
	}
	for (unsigned i = 0; i < 16; i++)
		assert_true(sectors_seen[i] > 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(names_seen[i] > 0);
	sim_stop();
}

static void what_was_synced_is_never_lost(void **state)
{
	static const uint8_t old[2048];

	for (uint64_t seed = 1; seed <= 200; seed++) {
		sim_start(seed);
		sim_make_file("/f", old, sizeof(old), 0644);
		sim_make_file("/a", "a", 1, 0644);
		sim_make_file("/c", "c", 1, 0644);
		sim_run(write_unsynced, bytes);
		sim_reboot(true);
		assert_memory_equal(sim_look("/f", NULL), bytes, sizeof(bytes));
	}
	sim_stop();
}

static void make_new_file(void *arg)
{
	_close_ int fd = sys_open(AT_FDCWD, "/new", O_RDWR | O_CREAT, 0644);

	LAW(sys_write_all(fd, "whole", 5) == 0);
	LAW(sys_fsync(fd) == 0);
}

static void fsync_of_a_file_promises_no_name(void **state)
{
	unsigned kept = 0, lost = 0;

	for (uint64_t seed = 1; seed <= 200; seed++) {
		size_t n = 0;

		sim_start(seed);
		sim_run(make_new_file, NULL);
		sim_reboot(true);
		if (sim_look("/new", &n)) {
			assert_int_equal(n, 5);
			kept++;
		} else {
			lost++;
		}
	}
	assert_true(kept > 0 && lost > 0);
	sim_stop();
}

static void names_behave_as_linux_says(void **state)
{
	struct sys_stat st;
	int dir;

	sim_start(1);
	sim_make_dir("/d");
	sim_make_file("/d/a", "1", 1, 0644);
	sim_make_file("/d/b", "2", 1, 0644);
	sim_make_link("/d/l", "/d/a");
	dir = sys_open(AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(sys_rename(dir, "a", dir, "b", 1), -EEXIST);
	assert_int_equal(sys_rename(dir, "x", dir, "b", 0), -ENOENT);
	assert_int_equal(sys_rename(dir, "a", dir, "b", 2), 0);
	assert_memory_equal(sim_look("/d/a", NULL), "2", 1);
	assert_memory_equal(sim_look("/d/l", NULL), "2", 1);
	assert_int_equal(sys_open(dir, "l", O_RDONLY | O_NOFOLLOW, 0), -ELOOP);
	assert_int_equal(sys_open(dir, "a", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
	assert_int_equal(sys_unlink(AT_FDCWD, "/d", AT_REMOVEDIR), -ENOTEMPTY);
	assert_int_equal(sys_unlink(dir, "b", 0), 0);
	assert_int_equal(sys_stat_at(dir, "b", 0, &st), -ENOENT);
	assert_int_equal(sys_stat_at(dir, "../d/a", 0, &st), 0);
	assert_int_equal(sys_walk("/d/l", O_RDONLY) >= 0, 1);
	sim_stop();
}

/* ---- processes, sockets, clock ---- */

static int turns;

static void quit(int pid, void *arg)
{
	sim_process_exit(pid, 7);
}

static void answer(int pid, void *arg)
{
	int fd = sim_process_sealed(pid, "sealed", 6);

	LAW(sim_process_send(pid, "hello", 5, &fd, 1) == 0);
	sim_after(1000, quit, pid, NULL);
}

static void on_spawn(struct sim_process *p)
{
	assert_string_equal(p->argv[1], "state");
	sim_after(50, answer, p->pid, NULL);
}

static void spawn_and_wait(void *arg)
{
	char *argv[] = {(char *)(uintptr_t) "smss", (char *)(uintptr_t) "state", NULL};
	char *envp[] = {(char *)(uintptr_t) "A=1", NULL};
	int pair[2], pidfd = -1, epoll = sys_epoll(), signals = sys_signals_open();
	struct sys_event e;
	struct sys_exit x;
	char text[16];
	int fds[4], pid;
	unsigned fd_count = 0;
	const void *map;
	size_t n;

	LAW(sys_socketpair(pair) == 0);

	const int child_fds[4] = {-1, -1, -1, pair[1]};
	const struct sys_spawn what = {.dir_fd = AT_FDCWD,
				       .name = "/smss",
				       .argv = argv,
				       .envp = envp,
				       .fds = child_fds,
				       .fd_count = 4,
				       .cgroup_fd = -1,
				       .pidns_fd = -1};

	pid = sys_spawn(&what, &pidfd);
	LAW(pid == 2 && pidfd >= 0);
	sys_close(pair[1]);
	LAW(sys_epoll_add(epoll, pair[0], SYS_READ, 10) == 0);
	LAW(sys_epoll_add(epoll, signals, SYS_READ, 11) == 0);
	LAW(sys_wait_events(epoll, &e, 1, 10) == 0); /* too early: the clock went on 10 ms */
	LAW(sys_wait_events(epoll, &e, 1, -1) == 1 && e.key == 10);
	LAW(sys_receive(pair[0], text, sizeof(text), fds, &fd_count) == 5 && fd_count == 1);
	LAW(sys_map_sealed(fds[0], &map, &n) == 0 && n == 6 && !memcmp(map, "sealed", 6));
	LAW(sys_pwrite(fds[0], "x", 1, 0) == -EPERM);
	LAW(sys_reap(&x) == 0);
	LAW(sys_epoll_drop(epoll, pair[0]) == 0);
	LAW(sys_wait_events(epoll, &e, 1, -1) == 1 && e.key == 11);
	LAW(sys_now_ns() > 2050000000ull && sys_now_ns() < 2060000000ull);
	LAW(sys_receive(pair[0], text, sizeof(text), NULL, NULL) == 0); /* closed with it */
	LAW(sys_reap(&x) == 1 && x.pid == 2 && x.status == 7 && !x.signalled);
	LAW(sys_reap(&x) == -ECHILD);
	LAW(sys_pidfd_signal(pidfd, SIGKILL) == -ESRCH);
	turns++;
}

static void a_process_is_its_script(void **state)
{
	const struct sim_hooks hooks = {.on_spawn = on_spawn};

	turns = 0;
	sim_start(1);
	sim_hooks(&hooks);
	assert_int_equal(sim_run(spawn_and_wait, NULL).end, SIM_RETURNED);
	assert_int_equal(turns, 1);
	sim_stop();
}

static void wait_for_ever(void *arg)
{
	const int epoll = sys_epoll();
	struct sys_event e;

	for (;;)
		LAW(sys_wait_events(epoll, &e, 1, arg ? 0 : -1) == 0);
}

static void power_off(void *arg)
{
	LAW(sys_reboot((unsigned)RB_POWER_OFF) < 0);
}

static void leave_pid_1(void *arg)
{
	sys_exit(3);
}

static void a_run_ends_as_it_should(void **state)
{
	struct sim_record r;

	sim_start(1);
	assert_int_equal(sim_run(wait_for_ever, NULL).end, SIM_IDLE);
	assert_int_equal(sim_run(wait_for_ever, bytes).end, SIM_SPIN);
	r = sim_run(power_off, NULL);
	assert_int_equal(r.end, SIM_REBOOT);
	assert_true(r.detail == (unsigned)RB_POWER_OFF);
	r = sim_run(leave_pid_1, NULL);
	assert_int_equal(r.end, SIM_EXIT);
	assert_int_equal(r.detail, 3);
	sim_stop();
}

static void the_same_seed_is_the_same_run(void **state)
{
	uint64_t first[8];

	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 0; i < 8; i++) {
			sim_start(i);
			sim_make_file("/f", bytes, 512, 0644);
			sim_make_file("/a", "a", 1, 0644);
			sim_make_file("/c", "c", 1, 0644);
			sim_run(write_unsynced, NULL);
			sim_reboot(true);
			if (round == 0)
				first[i] = sim_random(UINT64_MAX);
			else
				assert_true(first[i] == sim_random(UINT64_MAX));
		}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_shows_every_outcome_a_disk_may_have),
		cmocka_unit_test(what_was_synced_is_never_lost),
		cmocka_unit_test(fsync_of_a_file_promises_no_name),
		cmocka_unit_test(names_behave_as_linux_says),
		cmocka_unit_test(a_process_is_its_script),
		cmocka_unit_test(a_run_ends_as_it_should),
		cmocka_unit_test(the_same_seed_is_the_same_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
