/* SPDX-License-Identifier: MIT */
/*
 * program.c - starting, waiting for and ending other programs, see program.h
 */
#include "companion/program.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define KILLED_MS      2000
#define PATH_OTHERWISE "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The file is walked to as law 12 says; the check is on what was really found there. */
static int executable(const char *path)
{
	struct sys_stat st;
	_close_ int fd = sys_walk(path, O_PATH);
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if ((st.mode & 0170000) != 0100000 || !(st.mode & 0111) || (st.mode & 0022))
		return -EACCES;
	return 0;
}

static int put_path(const char *path, char *ret, size_t cap)
{
	size_t n = strlen(path);

	if (n >= cap)
		return -ENAMETOOLONG;
	memcpy(ret, path, n + 1);
	return 0;
}

int program_find(const struct companion *c, const char *word, char *ret, size_t cap)
{
	const char *path = companion_env(c, "PATH", PATH_OTHERWISE);
	int worst = -ENOENT;

	if (!word[0])
		return -ENOENT;
	if (strchr(word, '/')) {
		int r = word[0] == '/' ? executable(word) : -EINVAL;

		return r < 0 ? r : put_path(word, ret, cap);
	}
	for (const char *at = path; *at;) {
		const char *end = strchr(at, ':');
		size_t n = end ? (size_t)(end - at) : strlen(at);
		char whole[PATH_BYTES];
		struct text t = TEXT_ON(whole);
		int r;

		text_add(text_add(text_add_n(&t, at, n), "/"), word);
		at += n + (end ? 1 : 0);
		if (whole[0] != '/' || t.cut)
			continue; /* a relative entry would mean the directory we happen to be in */
		r = executable(whole);
		if (r == 0)
			return put_path(whole, ret, cap);
		if (r != -ENOENT && r != -ENOTDIR)
			worst = r;
	}
	return worst;
}

int program_start(const struct companion *c, const struct program *p, int *ret_pidfd)
{
	_close_ int null_fd = -1;
	int fds[3] = {p->in, p->out, p->err ? p->err : p->out};

	if (fds[0] < 0 || fds[1] < 0 || fds[2] < 0)
		null_fd = sys_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
	for (int i = 0; i < 3; i++)
		if (fds[i] < 0)
			fds[i] = null_fd >= 0 ? null_fd
					      : 0; /* what we were born with is a null too */
	return sys_spawn(
		&(struct sys_spawn){.dir_fd = AT_FDCWD,
				    .name = p->path,
				    .argv = p->argv,
				    .envp = p->env ? p->env : c->env,
				    .fds = fds,
				    .fd_count = 3,
				    .cgroup_fd = -1,
				    .pidns_fd = -1,
				    .flags = SYS_SPAWN_SETSID | (p->terminal ? SYS_SPAWN_CTTY : 0),
				    .as = p->as},
		ret_pidfd);
}

int program_run(const struct companion *c, const char *path, char *const *argv, uint64_t until_ns,
		struct sys_exit *ret)
{
	const struct program p = {.path = path, .argv = argv, .in = -1, .out = -1};
	_close_ int pidfd = -1;
	int left = companion_ms_left(until_ns);
	int pid, r;
	bool late;

	if (!left)
		return -ETIMEDOUT;
	pid = program_start(c, &p, &pidfd);
	if (pid < 0)
		return pid;
	late = sys_wait_fd(pidfd, SYS_READ, left) <= 0;
	if (late) {
		(void)!sys_kill(-pid, SIGKILL); /* its session: what it started goes with it */
		if (sys_wait_fd(pidfd, SYS_READ, KILLED_MS) <= 0)
			return -ETIMEDOUT; /* it hangs in the kernel; the master sees it, we do not
					      wait */
	}
	r = sys_wait_pid(pid, ret);
	if (late)
		return -ETIMEDOUT;
	return r < 0 ? r : 0;
}

void program_exit_text(struct text *t, const struct sys_exit *e)
{
	text_u64(text_add(t, e->signalled ? "signal " : "exit "), (uint64_t)e->status);
}

int program_children(int *ret, unsigned max)
{
	char path[64], list[4096];
	struct text t = TEXT_ON(path);
	unsigned count = 0;
	int pid = 0;
	ssize_t n;
	_close_ int fd = -1;

	/* /proc/self of a foreign pid namespace's /proc would not be us; "thread-self" neither. */
	text_add(text_u64(text_add(&t, "/proc/self/task/"), (uint64_t)sys_pid()), "/children");
	fd = sys_open(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	n = sys_read_all(fd, list, sizeof(list)); /* more of them than fit come in the next round */
	if (n < 0)
		return (int)n;
	for (ssize_t i = 0; i < n && count < max; i++) {
		if (list[i] >= '0' && list[i] <= '9' && pid < 100000000) {
			pid = pid * 10 + (list[i] - '0');
		} else if (pid) {
			ret[count++] = pid;
			pid = 0;
		}
	}
	return (int)count;
}
