/* SPDX-License-Identifier: MIT */
/*
 * floor.c - what a session costs at least: the same clone3, mounts and group, with nothing around
 *
 * One static image under several names. For every line that comes on its standard input it does one
 * run and prints one line, microseconds; so that runs of different programs can take turns.
 *
 *   floor session WORDS  a session as smss makes it: image "copy" makes namespaces (WORDS: mount
 *                        ipc uts pid, parted by commas), mounts and a cgroup, starts image "core",
 *                        waits for a byte of it, starts image "leave", tells their pids and ends;
 *                        then all of it is killed, reaped and removed. Prints: made ended
 *   floor live N WORDS   N of the first kind that stay; the next line ends them. Prints: N
 *   floor crowd N        a cgroup with N processes, killed by cgroup.kill and reaped. Prints: ended
 *   floor run PROGRAM... the program, started and waited for. Prints: ended STATUS
 *   floor held PROGRAM.. the same in a cgroup that is made and removed, for who makes none
 *   floor busy SECONDS THREADS WORDS   as many of the first kind as it can. Prints: sessions
 * SECONDS true, crowd N        a program that ends; an initial command with N processes that sleep
 *
 * Must not do less than smss does where it claims to do the same: clone3 is smss' own (sys_spawn).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sys/sys.h"

#define GROUPS "/sys/fs/cgroup"
#define HERE   "/bench/"

static void must(long r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000u + (unsigned long long)t.tv_nsec / 1000;
}

static void sleep_on(void) __attribute__((noreturn));
static void sleep_on(void)
{
	for (;;)
		pause();
}

static bool line_comes(void)
{
	char line[64];

	return fgets(line, sizeof(line), stdin) != NULL;
}

static void write_word(const char *path, const char *word)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd, path);
	must(write(fd, word, strlen(word)), path);
	close(fd);
}

static int start(const char *name, char *const *argv, const int *fds, unsigned count, int group,
		 unsigned flags, int pidns, int *ret_pidfd)
{
	static char *const env[] = {NULL};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = name,
				 .argv = argv,
				 .envp = env,
				 .fds = fds,
				 .fd_count = count,
				 .cgroup_fd = group,
				 .pidns_fd = pidns,
				 .flags = flags};
	int pid = sys_spawn(&what, ret_pidfd);

	errno = pid < 0 ? -pid : 0;
	must(pid, name);
	return pid;
}

/* ---- the set-up copy ---- */

static const struct {
	const char *word;
	int flag;
} names[] = {{"mount", CLONE_NEWNS},
	     {"ipc", CLONE_NEWIPC},
	     {"uts", CLONE_NEWUTS},
	     {"pid", CLONE_NEWPID},
	     {"net", CLONE_NEWNET}};

static int flags_of(const char *words)
{
	int flags = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strstr(words, names[i].word))
			flags |= names[i].flag;
	return flags;
}

static void private_mounts(void)
{
	static const char *const places[] = {"/tmp", "/dev/shm", "/run/user"};

	must(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL), "propagation");
	for (int i = 0; i < 3; i++)
		must(mount("tmpfs", places[i], "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"),
		     places[i]);
}

/* copy NUMBER WORDS; fd 3 takes the pids */
static int be_copy(const char *number, const char *words)
{
	const int flags = flags_of(words);
	char group[64], *core[] = {(char *)"core", (char *)words, NULL},
			*leave[] = {(char *)"leave", NULL}, byte;
	int tell[2], pids[2], pidfd, leave_fd, dir;

	snprintf(group, sizeof(group), GROUPS "/floor-%s", number);
	must(unshare(flags & ~CLONE_NEWPID), "unshare");
	if (flags & CLONE_NEWNS)
		private_mounts();
	must(mkdir(group, 0755), group);
	dir = open(group, O_PATH | O_DIRECTORY | O_CLOEXEC);
	must(dir, group);
	must(pipe2(tell, O_CLOEXEC), "pipe");
	pids[0] = start(HERE "core", core, (int[]){0, 1, 2, tell[1]}, 4, dir,
			SYS_SPAWN_SETSID | SYS_SPAWN_CLONE_PARENT |
				(flags & CLONE_NEWPID ? SYS_SPAWN_NEW_PIDNS : 0),
			-1, &pidfd);
	close(tell[1]);
	must(read(tell[0], &byte, 1) == 1 ? 0 : -1, "core");
	pids[1] = start(HERE "leave", leave, (int[]){0, 1, 2}, 3, dir,
			SYS_SPAWN_SETSID | SYS_SPAWN_CLONE_PARENT,
			flags & CLONE_NEWPID ? pidfd : -1, &leave_fd);
	must(write(3, pids, sizeof(pids)), "tell");
	return 0;
}

/* core WORDS: fd 3 is told; with processes of its own it has a /proc of its own */
static void be_core(const char *words) __attribute__((noreturn));
static void be_core(const char *words)
{
	const int both = CLONE_NEWPID | CLONE_NEWNS;

	if ((flags_of(words) & both) == both)
		must(mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
		     "proc");
	must(write(3, "", 1), "tell");
	close(3);
	sleep_on();
}

/* ---- one session ---- */

struct session {
	unsigned number;
	int pids[2]; /* core, leave */
	unsigned long long begin, made, ended;
};

static void begin_session(struct session *s, unsigned number, const char *words)
{
	char run[64], text[16], *copy[] = {(char *)"copy", text, (char *)words, NULL};
	int tell[2], pid, pidfd;

	s->begin = now_us();
	s->number = number;
	snprintf(text, sizeof(text), "%u", number);
	snprintf(run, sizeof(run), "/run/floor/%u", number);
	must(mkdir(run, 0755), run);
	must(pipe2(tell, O_CLOEXEC), "pipe");
	pid = start(HERE "copy", copy, (int[]){0, 1, 2, tell[1]}, 4, -1, 0, -1, &pidfd);
	close(tell[1]);
	must(read(tell[0], s->pids, sizeof(s->pids)) == sizeof(s->pids) ? 0 : -1, "copy");
	must(waitpid(pid, NULL, 0), "copy");
	close(pidfd);
	close(tell[0]);
	s->made = now_us();
}

static void end_session(struct session *s)
{
	char run[64], group[64], kill_file[80];

	snprintf(run, sizeof(run), "/run/floor/%u", s->number);
	snprintf(group, sizeof(group), GROUPS "/floor-%u", s->number);
	snprintf(kill_file, sizeof(kill_file), "%s/cgroup.kill", group);
	write_word(kill_file, "1");
	must(waitpid(s->pids[1], NULL, __WALL), "leave");
	must(waitpid(s->pids[0], NULL, __WALL), "core");
	must(rmdir(group), group);
	must(rmdir(run), run);
	s->ended = now_us();
}

static int sessions(const char *words)
{
	struct session s;

	mkdir("/run/floor", 0755);
	while (line_comes()) {
		begin_session(&s, (unsigned)getpid(), words);
		end_session(&s);
		printf("%llu %llu\n", s.made - s.begin, s.ended - s.made);
		fflush(stdout);
	}
	return 0;
}

static int live(unsigned count, const char *words)
{
	struct session *s = calloc(count, sizeof(*s));

	must(s ? 0 : -1, "memory");
	mkdir("/run/floor", 0755);
	while (line_comes()) {
		const bool make = !s[0].number;

		for (unsigned i = 0; i < count && make; i++)
			begin_session(&s[i], i + 1, words);
		for (unsigned i = 0; i < count && !make; i++) {
			end_session(&s[i]);
			s[i].number = 0;
		}
		printf("%u\n", count);
		fflush(stdout);
	}
	return 0;
}

/* Processes and not threads: what they borrow while they start others is their own. */
static int busy(unsigned seconds, unsigned workers, const char *words)
{
	const unsigned long long begin = now_us(), end = begin + seconds * 1000000ull;
	unsigned long long total = 0, took;
	int tell[2];

	mkdir("/run/floor", 0755);
	must(pipe(tell), "pipe");
	for (unsigned i = 0; i < workers; i++) {
		unsigned long long count = 0;
		struct session s;

		if (fork())
			continue;
		for (; now_us() < end; count++) {
			begin_session(&s, (unsigned)getpid(), words);
			end_session(&s);
		}
		must(write(tell[1], &count, sizeof(count)), "tell");
		_exit(0);
	}
	for (unsigned i = 0; i < workers; i++) {
		unsigned long long count;

		must(read(tell[0], &count, sizeof(count)) == sizeof(count) ? 0 : -1, "worker");
		total += count;
		must(wait(NULL), "worker");
	}
	took = now_us() - begin;
	printf("%llu %.3f\n", total, (double)took / 1e6);
	return 0;
}

/* ---- many processes ---- */

static void sleepers(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int pid = fork();

		must(pid, "fork");
		if (pid == 0)
			sleep_on();
	}
}

/* An initial command. All that it has started dies with the session. */
static void be_crowd(unsigned count) __attribute__((noreturn));
static void be_crowd(unsigned count)
{
	sleepers(count - 1);
	close(open(HERE "crowd-is-there", O_CREAT | O_WRONLY, 0644));
	sleep_on();
}

static int crowds(unsigned count)
{
	const char *group = GROUPS "/floor-crowd";
	unsigned long long begin;

	must(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "subreaper");
	while (line_comes()) {
		int there[2];
		char byte;

		must(mkdir(group, 0755), group);
		must(pipe(there), "pipe");
		if (fork() == 0) {
			write_word(GROUPS "/floor-crowd/cgroup.procs", "0");
			sleepers(count - 1);
			must(write(there[1], "", 1), "tell");
			sleep_on();
		}
		must(read(there[0], &byte, 1) == 1 ? 0 : -1, "crowd");
		begin = now_us();
		write_word(GROUPS "/floor-crowd/cgroup.kill", "1");
		while (waitpid(-1, NULL, __WALL) > 0)
			;
		must(rmdir(group), group);
		printf("%llu\n", now_us() - begin);
		fflush(stdout);
		close(there[0]);
		close(there[1]);
	}
	return 0;
}

/* Prints what passed until the program, and its group if it has one, are gone; and its status. */
static void run(char **argv, const char *group)
{
	unsigned long long begin = now_us();
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = argv[0],
				 .argv = argv,
				 .envp = environ,
				 .fds = (int[]){0, 2, 2},
				 .fd_count = 3,
				 .cgroup_fd = -1,
				 .pidns_fd = -1};
	int status, pid;

	if (group) {
		must(mkdir(group, 0755), group);
		what.cgroup_fd = open(group, O_PATH | O_DIRECTORY | O_CLOEXEC);
		must(what.cgroup_fd, group);
	}
	pid = sys_spawn(&what, NULL);
	errno = pid < 0 ? -pid : 0;
	must(pid, argv[0]);
	must(waitpid(pid, &status, 0), argv[0]);
	if (group) {
		close(what.cgroup_fd);
		while (rmdir(group) < 0) { /* some leave before their last process does */
			must(errno == EBUSY ? 0 : -1, group);
			sched_yield();
		}
	}
	printf("%llu %d\n", now_us() - begin, status);
	fflush(stdout);
}

static int runs(char **argv, bool held)
{
	char group[64];

	snprintf(group, sizeof(group), GROUPS "/floor-held-%d", (int)getpid());
	while (line_comes())
		run(argv, held ? group : NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(name, "true") == 0)
		return 0;
	if (strcmp(name, "copy") == 0 && argc == 3)
		return be_copy(argv[1], argv[2]);
	if (strcmp(name, "core") == 0 && argc == 2)
		be_core(argv[1]);
	if (strcmp(name, "crowd") == 0 && argc == 2)
		be_crowd((unsigned)atoi(argv[1]));
	if (strcmp(name, "leave") == 0)
		sleep_on();
	if (strcmp(what, "session") == 0 && argc == 3)
		return sessions(argv[2]);
	if (strcmp(what, "live") == 0 && argc == 4)
		return live((unsigned)atoi(argv[2]), argv[3]);
	if (strcmp(what, "busy") == 0 && argc == 5)
		return busy((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]), argv[4]);
	if (strcmp(what, "crowd") == 0 && argc == 3)
		return crowds((unsigned)atoi(argv[2]));
	if ((strcmp(what, "run") == 0 || strcmp(what, "held") == 0) && argc > 2)
		return runs(argv + 2, what[0] == 'h');
	return 2;
}
