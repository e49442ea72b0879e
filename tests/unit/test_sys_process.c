/* SPDX-License-Identifier: MIT */
/*
 * test_sys_process.c - the door on a real kernel: clean children, fds in messages, the port
 *
 * The program is also its own child: started as `report` it writes what it finds itself born with
 * to fd 1, one `key value` line each. A dirty parent (ignored signals, stray fds, a mask) is a fork
 * of the test, so that the test itself stays clean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "sys/sys.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

/* ---- the child's report ---- */

static void report_status(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Sig", 3) || !strncmp(line, "Shd", 3))
			fputs(line, stdout);
	if (f)
		fclose(f);
}

static int report(char **argv, char **envp)
{
	struct rlimit files;
	DIR *dir = opendir("/proc/self/fd");

	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.' && atoi(e->d_name) != dirfd(dir))
			printf("fd %s\n", e->d_name);
	if (dir)
		closedir(dir);
	report_status();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		printf("files %llu\n", (unsigned long long)files.rlim_cur);
	for (; *argv; argv++)
		printf("arg %s\n", *argv);
	for (; *envp; envp++)
		printf("env %s\n", *envp);
	printf("session %d\n", getsid(0) == getpid());
	for (int fd = 3; fd < 6; fd++) {
		char byte[2] = "";

		if (pread(fd, byte, 1, 0) == 1)
			printf("byte %d %s\n", fd, byte);
	}
	return fflush(stdout) == 0 ? 7 : 1;
}

/* Runs it as the master would; what it said is in text. Returns its exit status, or -errno. */
static int spawn_report(const int *more, unsigned more_count, char *text, size_t cap)
{
	char *argv[] = {(char *)"report", (char *)"a word", NULL};
	char *envp[] = {(char *)"ONLY=this", NULL};
	int fds[8] = {-1, -1, -1}, out[2], pidfd = -1, pid;
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = self,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .fd_count = 3 + more_count,
				 .cgroup_fd = -1,
				 .pidns_fd = -1,
				 .flags = SYS_SPAWN_SETSID};
	struct sys_exit e = {0};
	ssize_t n;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	fds[0] = fds[2] = null;
	fds[1] = out[1];
	for (unsigned i = 0; i < more_count; i++)
		fds[3 + i] = more[i];
	pid = sys_spawn(&what, &pidfd);
	close(out[1]);
	if (pid < 0)
		return pid;
	n = sys_read_all(out[0], text, cap - 1);
	text[n > 0 ? n : 0] = 0;
	if (sys_pidfd_signal(pidfd, 0) < 0 || sys_wait_pid(pid, &e) != 1)
		return -ECHILD;
	close(out[0]);
	close(pidfd);
	return e.signalled ? -e.status : e.status;
}

/* Runs it in a fork; its exit status. */
static int in_a_fork(int (*run)(void))
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(run());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static bool has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	while (at && at != text && at[-1] != '\n')
		at = strstr(at + 1, line);
	return at != NULL;
}

static void on_signal(int sig) {}

/* Everything a starter can leave in a mess. Returns what is wrong with the child, 0 = nothing. */
static int from_a_dirty_parent(void)
{
	char text[4096];
	sigset_t mask;
	int null = open("/dev/null", O_RDWR);

	if (dup2(null, 10) < 0 || dup2(null, 251) < 0) /* stray, and not close-on-exec */
		return 1;
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, on_signal);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	sys_signals_reset();
	if (sys_limit_files(123) < 0 || sys_signals_open() < 0)
		return 2;
	if (spawn_report(NULL, 0, text, sizeof(text)) != 7)
		return 3;
	if (!has(text, "SigBlk:\t0000000000000000\n"))
		return 4;
	if (!has(text, "SigIgn:\t0000000000000000\n"))
		return 5;
	if (!has(text, "SigCgt:\t0000000000000000\n"))
		return 6;
	if (!has(text, "fd 0\n") || !has(text, "fd 1\n") || !has(text, "fd 2\n"))
		return 7;
	if (has(text, "fd 3\n") || has(text, "fd 10\n") || has(text, "fd 251\n"))
		return 8;
	return has(text, "files 123\n") ? 9 : 0; /* the raised limit is ours, not the child's */
}

static void a_child_of_a_dirty_parent_is_clean(void **state)
{
	assert_int_equal(in_a_fork(from_a_dirty_parent), 0);
}

static void a_child_has_exactly_what_was_declared(void **state)
{
	char text[4096];

	assert_int_equal(spawn_report(NULL, 0, text, sizeof(text)), 7);
	assert_true(has(text, "arg report\narg a word\nenv ONLY=this\n"));
	assert_null(strstr(text, "PATH="));
	assert_true(has(text, "session 1\n"));
}

/* Sources and targets overlap in every way: 3 <- 5, 4 <- 3, 5 <- 4, and a hole. */
static int with_crossed_fds(void)
{
	char text[4096];
	const int crossed[3] = {5, 3, 4}, hole[3] = {4, -1, 5};

	for (int fd = 3; fd < 6; fd++) {
		char letter = (char)('A' + fd - 3);
		int file = sys_memfd("letter");

		if (file != fd && dup2(file, fd) < 0)
			return 1;
		if (sys_pwrite(fd, &letter, 1, 0) != 1)
			return 2;
	}
	if (spawn_report(crossed, 3, text, sizeof(text)) != 7)
		return 3;
	if (!has(text, "byte 3 C\nbyte 4 A\nbyte 5 B\n") || has(text, "fd 6\n"))
		return 4;
	if (spawn_report(hole, 3, text, sizeof(text)) != 7)
		return 5;
	return !has(text, "byte 3 B\nbyte 5 C\n") || has(text, "fd 4\n") ? 6 : 0;
}

static void fds_arrive_under_the_numbers_they_were_given(void **state)
{
	assert_int_equal(in_a_fork(with_crossed_fds), 0);
}

static void a_child_that_cannot_start_is_an_error(void **state)
{
	char *none[] = {NULL};
	int fds[17] = {0};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = "/nowhere/nothing",
				 .argv = none,
				 .envp = none,
				 .cgroup_fd = -1,
				 .pidns_fd = -1};
	struct sys_exit e = {0};
	int pid = sys_spawn(&what, NULL);

#if defined(__x86_64__) /* the child borrows our memory and can tell; elsewhere it exits with 127  \
			 */
	assert_int_equal(pid, -ENOENT);
	assert_int_equal(sys_reap(&e), -ECHILD);
#else
	assert_int_equal(sys_wait_pid(pid, &e), 1);
	assert_int_equal(e.status, 127);
#endif
	what.fds = fds;
	what.fd_count = 17;
	assert_int_equal(sys_spawn(&what, NULL), -EINVAL);
}

static void a_handed_over_child_is_ours_to_reap(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"exit 9", NULL}, *none[] = {NULL};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = "/bin/sh",
				 .argv = argv,
				 .envp = none,
				 .cgroup_fd = -1,
				 .pidns_fd = -1,
				 .flags = SYS_SPAWN_CLONE_PARENT};
	struct sys_exit e = {0};
	int pipes[2], pid = 0, copy;

	assert_int_equal(sys_pipe(pipes), 0);
	copy = fork();
	if (copy == 0) { /* as the session copy does: make it for its own parent, and leave */
		pid = sys_spawn(&what, NULL);
		_exit(write(pipes[1], &pid, sizeof(pid)) != sizeof(pid));
	}
	assert_int_equal(read(pipes[0], &pid, sizeof(pid)), sizeof(pid));
	assert_true(pid > 0);
	assert_int_equal(sys_wait_pid(copy, &e), 1);
	assert_int_equal(sys_wait_pid(pid, &e), 1);
	assert_int_equal(e.pid, pid);
	assert_int_equal(e.status, 9);
	assert_int_equal(sys_reap(&e), -ECHILD);
	sys_closep(&pipes[0]);
	sys_closep(&pipes[1]);
}

/* ---- messages ---- */

static unsigned open_fds(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void fds_travel_with_a_message(void **state)
{
	int pair[2], got[SYS_FDS_MAX], out[2];
	unsigned count = 0, before;
	char room[16] = "";

	assert_int_equal(sys_socketpair(pair), 0);
	assert_int_equal(pipe(out), 0);
	before = open_fds();
	assert_int_equal(sys_send(pair[0], "two", 4, out, 2), 4);
	assert_int_equal(sys_receive(pair[1], room, sizeof(room), got, &count), 4);
	assert_string_equal(room, "two");
	assert_int_equal(count, 2);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(got[1], "x", 1), 1);
	assert_int_equal(read(out[0], room, 1), 1);
	close(got[0]);
	close(got[1]);
	/* fds that nobody asked for are closed, not kept */
	assert_int_equal(sys_send(pair[0], "two", 4, out, 2), 4);
	assert_int_equal(sys_receive(pair[1], room, sizeof(room), NULL, NULL), 4);
	assert_int_equal(open_fds(), before);
	assert_int_equal(sys_send(pair[0], "x", 1, out, SYS_FDS_MAX + 1), -EINVAL);
	for (unsigned i = 0; i < 2; i++) {
		close(pair[i]);
		close(out[i]);
	}
}

static void a_message_too_long_is_refused_with_its_fds(void **state)
{
	int pair[2], got[SYS_FDS_MAX], out[2];
	unsigned count = 99, before;
	char room[8];

	assert_int_equal(sys_socketpair(pair), 0);
	assert_int_equal(pipe(out), 0);
	before = open_fds();
	assert_int_equal(sys_send(pair[0], "123456789", 9, out, 2), 9);
	assert_int_equal(sys_send(pair[0], "12345678", 8, NULL, 0), 8);
	assert_int_equal(sys_receive(pair[1], room, sizeof(room), got, &count), -EMSGSIZE);
	assert_int_equal(count, 99);
	assert_int_equal(open_fds(), before);
	assert_int_equal(sys_receive(pair[1], room, sizeof(room), got, &count), 8);
	assert_int_equal(count, 0);
	for (unsigned i = 0; i < 2; i++) {
		close(pair[i]);
		close(out[i]);
	}
}

/* Twelve fds in one message: somebody stuffs our table (pitfall 39). */
static void stuffed_fds_are_cut_off(void **state)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(12 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = (char *)"x", .iov_len = 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	int pair[2], got[SYS_FDS_MAX], fds[12] = {0};
	unsigned count = 0, before;
	char byte;

	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	assert_int_equal(sys_socketpair(pair), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = pair[0];
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	before = open_fds();
	assert_int_equal(sendmsg(pair[0], &m, 0), 1);
	assert_int_equal(sys_receive(pair[1], &byte, 1, got, &count), 1);
	assert_true(count <= SYS_FDS_MAX);
	for (unsigned i = 0; i < count; i++)
		close(got[i]);
	assert_int_equal(open_fds(), before);
	close(pair[0]);
	close(pair[1]);
}

static void nobody_waits_and_nobody_dies_of_a_closed_end(void **state)
{
	int pair[2];
	char room[8];

	assert_int_equal(sys_socketpair(pair), 0);
	assert_int_equal(sys_set_blocking(pair[0], false), 0);
	assert_int_equal(sys_receive(pair[0], room, sizeof(room), NULL, NULL), -EAGAIN);
	close(pair[1]);
	assert_int_equal(sys_receive(pair[0], room, sizeof(room), NULL, NULL), 0);
	assert_int_equal(sys_send(pair[0], "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
	close(pair[0]);
}

static void the_port_knows_who_knocks(void **state)
{
	char directory[] = "/tmp/smss-port-XXXXXX", path[64], longest[200];
	struct sys_peer who = {0};
	struct stat st;
	int listener, client, fd;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/port", directory);
	listener = sys_listen(path, 0660);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(sys_accept(listener, &who), -EAGAIN);
	client = sys_connect(path);
	assert_true(client >= 0);
	fd = sys_accept(listener, &who);
	assert_true(fd >= 0);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.uid, getuid());
	close(fd);
	close(client);
	close(listener);
	listener = sys_listen(path, 0600); /* the old socket is in nobody's way */
	assert_true(listener >= 0);
	close(listener);
	assert_int_equal(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(sys_listen(path, 0600), -EADDRINUSE); /* a file is not ours to remove */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(directory), 0);
	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(sys_listen(longest, 0600), -ENAMETOOLONG);
	assert_int_equal(sys_connect(longest), -ENAMETOOLONG);
}

static int signals_come_as_events(void)
{
	int fd = sys_signals_open();
	struct sys_signal s = {0};

	if (fd < 0 || sys_signal_next(fd, &s) != 0)
		return 1;
	if (kill(getpid(), SIGTERM) < 0 || kill(getpid(), SIGRTMIN + 4) < 0)
		return 2;
	if (sys_wait_fd(fd, SYS_READ, 1000) != (int)SYS_READ)
		return 3;
	if (sys_signal_next(fd, &s) != 1 || s.sig != SIGTERM || s.pid != getpid())
		return 4;
	if (sys_signal_next(fd, &s) != 1 || s.sig != SIGRTMIN + 4)
		return 5;
	return sys_signal_next(fd, &s);
}

static void a_signal_is_an_event_and_no_death(void **state)
{
	assert_int_equal(in_a_fork(signals_come_as_events), 0);
}

int main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_of_a_dirty_parent_is_clean),
		cmocka_unit_test(a_child_has_exactly_what_was_declared),
		cmocka_unit_test(fds_arrive_under_the_numbers_they_were_given),
		cmocka_unit_test(a_child_that_cannot_start_is_an_error),
		cmocka_unit_test(a_handed_over_child_is_ours_to_reap),
		cmocka_unit_test(fds_travel_with_a_message),
		cmocka_unit_test(a_message_too_long_is_refused_with_its_fds),
		cmocka_unit_test(stuffed_fds_are_cut_off),
		cmocka_unit_test(nobody_waits_and_nobody_dies_of_a_closed_end),
		cmocka_unit_test(the_port_knows_who_knocks),
		cmocka_unit_test(a_signal_is_an_event_and_no_death),
	};

	if (!strcmp(argv[0], "report"))
		return report(argv, envp);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
