/* SPDX-License-Identifier: MIT */
/*
 * steps.c - what the shutdown does to processes, swap and mounts, see shutdown.h
 *
 * Reads /proc with bounded buffers; a list that does not fit is worked on as far as it does and
 * that is said. Names from /proc/mounts are unescaped here and never reach a shell.
 */
#include "smss/shutdown/shutdown.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>

#include "base/text.h"
#include "sys/sys.h"

#define LIST_BYTES    262144u
#define STEP_LIMIT_MS 10000
#define TERM_LIMIT_NS 5000000000ull
#define KILL_LIMIT_NS 2000000000ull

/* ---- steps that may hang ---- */

int shutdown_step(struct copy *c)
{
	const char *target = copy_word(c, "SMSS_TARGET", "");
	int r = 0;

	switch (c->n) {
	case STEP_SWAPOFF:
		r = sys_swapoff(target);
		break;
	case STEP_UMOUNT:
		r = sys_umount(target, 0);
		break;
	case STEP_READ_ONLY:
		r = sys_mount(NULL, target, NULL, MS_REMOUNT | MS_RDONLY, NULL);
		break;
	case STEP_SYNC:
		sys_sync();
		break;
	default:
		r = -EINVAL;
	}
	return r < 0 ? (-r > 125 ? 125 : -r) : 0; /* the exit status carries the errno */
}

int shutdown_run_step(const struct copy *c, enum step step, const char *target, int limit_ms)
{
	static char word[PATH_BYTES + 16];
	char number[16];
	struct text t = TEXT_ON(number), w = TEXT_ON(word);
	char *argv[] = {(char *)(uintptr_t) "smss", (char *)(uintptr_t) "shutdown", number, NULL};
	char *envp[] = {word, NULL};
	int fds[3] = {0, 1, 2};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = IMAGE_SMSS,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .fd_count = 3,
				 .cgroup_fd = -1,
				 .pidns_fd = -1};
	struct sys_exit e;
	_close_ int pidfd = -1;
	int pid, r;

	text_u64(&t, step);
	text_add(text_add(&w, "SMSS_TARGET="), target);
	if (w.cut)
		return -ENAMETOOLONG;
	pid = sys_spawn(&what, &pidfd);
	if (pid < 0)
		return pid;
	if (sys_wait_fd(pidfd, SYS_READ, limit_ms) <= 0) {
		(void)!sys_pidfd_signal(pidfd,
					SIGKILL); /* in the kernel it may not even hear that */
		return -ETIMEDOUT;
	}
	r = sys_wait_pid(pid, &e);
	if (r < 0)
		return r;
	return e.signalled ? -EIO : -e.status;
}

static void report(const struct copy *c, int r, uint64_t begin, const char *name, const char *done)
{
	if (r == 0)
		copy_item(c, RESULT_OK, 0, begin, name, done);
	else
		copy_item(c, r == -ETIMEDOUT ? RESULT_TIMEOUT : RESULT_FAILED, -r, begin, name,
			  r == -ETIMEDOUT ? "left behind at its time limit" : err_text(-r));
}

/* ---- processes ---- */

struct dirent64_ {
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* A process with an image: kernel threads and zombies have none. Storage daemons say "@" (pitfall
 * 27). */
static bool is_target(const char *pid)
{
	char path[64], first[1] = {0};
	struct text t = TEXT_ON(path);
	struct sys_stat st;

	text_add(text_add(text_add(&t, "/proc/"), pid), "/exe");
	if (sys_readlink(AT_FDCWD, path, first, sizeof(first)) < 0)
		return false;
	t = TEXT_ON(path);
	text_add(text_add(text_add(&t, "/proc/"), pid), "/cmdline");
	(void)!sys_read_file(AT_FDCWD, path, first, 1);
	if (first[0] != '@')
		return true;
	t = TEXT_ON(path);
	text_add(text_add(&t, "/proc/"), pid);
	/* only root may ask to be spared */
	return sys_stat_at(AT_FDCWD, path, 0, &st) < 0 || st.uid != 0;
}

/* Sends sig (0 = just count) to every target. Returns how many there are, -errno without /proc. */
static int each_process(int sig)
{
	static char room[32768];
	_close_ int proc = sys_open(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY, 0);
	int self = sys_pid(), count = 0;
	ssize_t n;

	if (proc < 0)
		return proc;
	while ((n = sys_list(proc, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			struct dirent64_ *d = (struct dirent64_ *)(void *)(room + at);
			uint64_t pid;

			at += d->bytes;
			if (str_u64(d->name, str_len(d->name, 16), &pid) < 0 || pid <= 1 ||
			    pid == (uint64_t)self || !is_target(d->name))
				continue;
			count++;
			if (sig)
				(void)!sys_kill((int)pid, sig);
		}
	}
	return count;
}

static int wait_gone(uint64_t limit_ns)
{
	uint64_t until = sys_now_ns() + limit_ns;
	unsigned pause_ms = 2;
	int left;

	while ((left = each_process(0)) > 0 && sys_now_ns() < until) {
		sys_sleep_ms(pause_ms);
		if (pause_ms < 50)
			pause_ms *= 2;
	}
	return left;
}

void shutdown_kill_rest(const struct copy *c)
{
	uint64_t begin = sys_now_ns();
	int left = each_process(SIGTERM);

	if (left < 0) { /* no /proc: all or nothing */
		(void)!sys_kill(-1, SIGTERM);
		sys_sleep_ms(100);
		(void)!sys_kill(-1, SIGKILL);
		copy_item(c, RESULT_DEGRADED, -left, begin, "processes", "no /proc: killed unseen");
		return;
	}
	if (left == 0)
		return;
	(void)each_process(SIGCONT); /* stopped ones hear TERM only then */
	left = wait_gone(TERM_LIMIT_NS);
	if (left > 0) {
		(void)each_process(SIGKILL);
		left = wait_gone(KILL_LIMIT_NS);
	}
	if (left > 0)
		copy_item(c, RESULT_TIMEOUT, left, begin, "processes", "still there after KILL");
	else
		copy_item(c, RESULT_OK, 0, begin, "processes", "all gone");
}

/* ---- swap and mounts ---- */

/* \ooo of /proc texts, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

static char *read_list(const struct copy *c, const char *path)
{
	void *room;
	ssize_t n;
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY, 0);

	if (fd < 0 || sys_scratch(LIST_BYTES, &room) < 0)
		return NULL;
	n = sys_read_all(fd, room, LIST_BYTES - 1);
	if (n == LIST_BYTES - 1)
		copy_item(c, RESULT_DEGRADED, EFBIG, 0, path, "too long: worked on in part");
	return n < 0 ? NULL : room;
}

void shutdown_swaps(const struct copy *c)
{
	char *list = read_list(c, "/proc/swaps");
	char *line = list ? strchr(list, '\n') : NULL;

	while (line && line[1]) {
		char *start = line + 1;
		uint64_t begin = sys_now_ns();
		char *end = start + strcspn(start, " \t\n");

		line = strchr(start, '\n');
		*end = 0;
		unescape(start);
		report(c, shutdown_run_step(c, STEP_SWAPOFF, start, 3 * STEP_LIMIT_MS), begin,
		       start, "swapped off");
	}
}

/* The kernel's own trees stay: there is nothing in them to lose, and we need /proc and /dev. */
static bool stays(const char *path, const char *type)
{
	static const char *const types[] = {"proc",   "sysfs",   "devtmpfs", "devpts",
					    "cgroup", "cgroup2", "mqueue",   "securityfs",
					    "bpf",    "debugfs", "tracefs",  "pstore"};

	if (str_same(path, "/") || str_same(path, "/run") || str_starts(path, "/dev"))
		return true;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (str_same(types[i], type))
			return true;
	return false;
}

/* One line of /proc/mounts: "source path type options 0 0". */
static void unmount_line(const struct copy *c, char *line)
{
	uint64_t begin = sys_now_ns();
	char *words[ARGS_MAX + 1];
	int r;

	if (plan_words(line, words, ARGS_MAX) < 3)
		return;
	unescape(words[1]);
	if (stays(words[1], words[2]))
		return;
	r = shutdown_run_step(c, STEP_UMOUNT, words[1], STEP_LIMIT_MS);
	if (r < 0) {
		int ro = shutdown_run_step(c, STEP_READ_ONLY, words[1], STEP_LIMIT_MS);

		if (ro == 0)
			copy_item(c, RESULT_DEGRADED, -r, begin, words[1],
				  "could not be unmounted: made read-only");
		else
			report(c, r, begin, words[1], "");
		return;
	}
	report(c, 0, begin, words[1], "unmounted");
}

void shutdown_mounts(const struct copy *c)
{
	char *list = read_list(c, "/proc/mounts");
	uint64_t begin;
	size_t n = list ? strlen(list) : 0;

	/* From the last line up: what was mounted later lies on top. */
	while (n) {
		size_t start = n - 1;

		while (start && list[start - 1] != '\n')
			start--;
		list[n - 1] = 0;
		unmount_line(c, list + start);
		n = start;
	}
	begin = sys_now_ns();
	report(c, shutdown_run_step(c, STEP_READ_ONLY, "/", 2 * STEP_LIMIT_MS), begin, "/",
	       "made read-only");
}
