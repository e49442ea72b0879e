/* SPDX-License-Identifier: MIT */
/*
 * container.c - `smss -- CMD ARG...`: a container's PID 1 (design §6, Container)
 *
 * Session 0 only, no subsystem, no hive, no port: run the command, reap everybody, hand signals
 * on, end with the command's own exit code (128 + n for a signal) when the last process is gone.
 * What outlives the command is asked to go and then made to; nobody waits for a fixed time.
 */
#include "smss/master/master.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>

#define LEFTOVER_GRACE_NS (10 * NS_PER_S)

static struct {
	int pid;  /* the command's; 0 once it has ended */
	int code; /* what we exit with */
	uint64_t force_ns;
	bool forced;
	int epoll, signals;
} box;

#define PATH_USUAL "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static const char *path_of(char **envp)
{
	for (; *envp; envp++)
		if (str_starts(*envp, "PATH="))
			return *envp + 5;
	return PATH_USUAL;
}

static int try_start(struct sys_spawn *what)
{
	struct sys_stat st;
	int r = sys_stat_at(AT_FDCWD, what->name, 0, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.mode) || sys_access(AT_FDCWD, what->name, 1) < 0)
		return -EACCES;
	return sys_spawn(what, NULL);
}

/* As a shell finds it: a name with "/" is a path, another one is looked for in PATH. */
static int start(char **argv, char **envp)
{
	int fds[3] = {0, 1, 2}, found = -ENOENT;
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = argv[0],
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .fd_count = 3,
				 .cgroup_fd = NONE,
				 .pidns_fd = NONE,
				 .flags = SYS_SPAWN_SETSID | SYS_SPAWN_CTTY};
	const char *rest = path_of(envp);
	char path[PATH_BYTES];

	for (const char *c = argv[0]; *c; c++)
		if (*c == '/')
			return try_start(&what);
	what.name = path;
	while (*rest) {
		struct text t = TEXT_ON(path);
		size_t n = 0;
		int r = -ENAMETOOLONG;

		while (rest[n] && rest[n] != ':')
			n++;
		text_add(text_add(text_add_n(&t, n ? rest : ".", n ? n : 1), "/"), argv[0]);
		if (!t.cut)
			r = try_start(&what);
		if (r != -ENOENT && r != -ENOTDIR && r != -EACCES && r != -ENAMETOOLONG)
			return r;
		if (r == -EACCES)
			found = r; /* told when nothing better comes */
		rest += rest[n] ? n + 1 : n;
	}
	return found;
}

static void leave(void)
{
	sys_exit(box.code);
}

/* The command is gone: the rest of the namespace goes too. */
static void end_rest(void)
{
	if (sys_pid() != 1)
		leave(); /* only a namespace's init may kill everybody */
	if (sys_kill(-1, SIGTERM) == -ESRCH)
		leave();
	(void)!sys_kill(-1, SIGCONT);
	box.force_ns = sys_now_ns() + LEFTOVER_GRACE_NS;
}

static void reap_all(void)
{
	struct sys_exit e;
	int r;

	while ((r = sys_reap(&e)) == 1) {
		if (e.pid != box.pid)
			continue;
		box.pid = 0;
		box.code = e.signalled ? 128 + e.status : e.status;
		end_rest();
	}
	if (r == -ECHILD && !box.pid && sys_kill(-1, 0) == -ESRCH)
		leave();
}

static void forward(const struct sys_signal *s)
{
	if (s->sig == SIGCHLD || !box.pid)
		return;
	/* stops meant for a terminal's job are the job's own: the command is its own session */
	(void)!sys_kill(box.pid, s->sig);
}

static int wait_ms(void)
{
	uint64_t now = sys_now_ns();

	if (!box.force_ns)
		return -1;
	if (box.forced)
		leave(); /* KILL has been sent; what is left our own exit takes */
	if (now >= box.force_ns) {
		box.forced = true;
		(void)!sys_kill(-1, SIGKILL);
		return 100;
	}
	return 50; /* who was brought in from outside dies without telling us */
}

void container_run(char **argv, char **envp)
{
	struct sys_event events[2];
	struct sys_signal s;
	int r;

	sys_log_open("smss", false, false);
	sys_close_from(3);
	box.epoll = sys_epoll();
	sys_signals_reset();
	box.signals = sys_signals_open();
	if (box.epoll < 0 || box.signals < 0 ||
	    sys_epoll_add(box.epoll, box.signals, SYS_READ, 0) < 0)
		sys_exit(70);
	if (sys_pid() != 1)
		(void)!sys_subreaper(); /* reaping is then limited to our own descendants */
	r = start(argv, envp);
	if (r < 0) {
		char room[200];
		struct text t = TEXT_ON(room);

		text_escaped(text_add(&t, "smss: "), argv[0], str_len(argv[0], 128));
		text_add(text_add(text_add(&t, ": "), err_text(-r)), "\n");
		(void)!sys_write(2, t.at, t.len);
		sys_exit(r == -ENOENT ? 127 : 126);
	}
	box.pid = r;
	for (;;) {
		(void)!sys_wait_events(box.epoll, events, 2, wait_ms());
		while (sys_signal_next(box.signals, &s) == 1)
			forward(&s);
		reap_all();
	}
}
