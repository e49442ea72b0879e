/* SPDX-License-Identifier: MIT */
/*
 * setup.c - the throwaway copy that sets one session up (design §2, §6)
 *
 * Makes the session's directory and group, starts the Required subsystems and the initial command
 * as children of the master (CLONE_PARENT), hands {pid, pidfd, role} over, says SessionComplete and
 * exits. It lives for milliseconds; if it dies half-way, the master ends what it had handed over.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smss/copy.h"
#include "sys/sys.h"

#define EXECUTE_DEADLINE_MS 30000

enum how { HOW_CGROUP, HOW_PID_NAMESPACE, HOW_NEITHER }; /* as sm_session_row.how */

struct setup {
	const struct copy *c;
	enum how how;
	int cgroup;      /* NONE or the group's directory */
	int console;     /* for fds 1 and 2 */
	int csrss;       /* pidfd */
	bool registered; /* csrss has: the master said so */
	char *env[ENV_VARS_MAX + 2];
	char number[32];
};

static int fail(struct setup *s, int r, const char *name, const char *text)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_add(text_add(&t, text), ": "), err_text(-r));
	copy_item(s->c, RESULT_FAILED, -r, 0, name, room);
	return COPY_FAILED;
}

static void prepare_env(struct setup *s)
{
	struct text t = TEXT_ON(s->number);
	unsigned n = 0;

	while (s->c->env[n] && n < ENV_VARS_MAX) {
		s->env[n] = s->c->env[n];
		n++;
	}
	text_u64(text_add(&t, "SMSS_SESSION="), s->c->n);
	s->env[n++] = s->number;
	s->env[n] = NULL;
}

static void prepare_group(struct setup *s)
{
	const char *base = copy_word(s->c, "SMSS_CGROUP", "");
	char path[160];
	struct text t = TEXT_ON(path);
	int r;

	s->how = s->c->n ? HOW_PID_NAMESPACE : HOW_NEITHER;
	if (!base[0])
		return;
	text_u64(text_add(text_add(&t, base), "/session-"), s->c->n);
	r = sys_mkdir(AT_FDCWD, path, 0755);
	if (r >= 0 || r == -EEXIST)
		s->cgroup = sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
	if (s->cgroup >= 0)
		s->how = HOW_CGROUP;
	else
		copy_item(s->c, RESULT_DEGRADED, r < 0 ? -r : -s->cgroup, 0, "cgroup",
			  "no group of its own");
}

static int prepare(struct setup *s)
{
	char path[64];
	struct text t = TEXT_ON(path);
	int r;

	text_u64(text_add(&t, RUN_DIRECTORY "/sessions/"), s->c->n);
	r = sys_make_dirs(path, 0755);
	if (r < 0)
		return fail(s, r, path, "cannot be made");
	prepare_env(s);
	prepare_group(s);
	s->console = sys_open(AT_FDCWD, "/dev/console", O_WRONLY | O_NONBLOCK, 0);
	if (s->console < 0)
		s->console = 0; /* fd 0 is null */
	return COPY_OK;
}

/* Starts one image of the plan; pidfd to *ret_pidfd. Returns the pid or -errno (said). */
static int start(struct setup *s, const char *line, int connection, const char **ret_name,
		 int *ret_pidfd)
{
	static char room[COMMAND_BYTES], path[PATH_BYTES];
	char *argv[ARGS_MAX + 1];
	int fds[5] = {0, s->console, s->console, connection, FD_PLAN};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = path,
				 .argv = argv,
				 .envp = s->env,
				 .fds = fds,
				 .fd_count = 5,
				 .cgroup_fd = s->cgroup,
				 .pidns_fd = -1,
				 .flags = SYS_SPAWN_SETSID};
	_close_ int image = -1;
	int r;

	if (!str_copy(room, sizeof(room), line))
		return -E2BIG;
	r = plan_words(room, argv, ARGS_MAX);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	*ret_name = argv[0];
	if (str_same(argv[0], "rescue")) { /* our own role, not an image: see rescue.c */
		str_copy(path, sizeof(path), IMAGE_SMSS);
		argv[1] = (char *)(uintptr_t) "0";
		argv[2] = NULL;
		argv[3] = NULL;
		memmove(argv + 1, argv, 3 * sizeof(argv[0]));
		argv[0] = (char *)(uintptr_t) "smss";
	} else {
		r = copy_find_image(s->c, argv[0], &image, path, sizeof(path));
		if (r < 0)
			return r;
	}
	if (s->how != HOW_PID_NAMESPACE)
		what.flags |= SYS_SPAWN_CLONE_PARENT;
	else if (connection == FD_CSRSS)
		what.flags |= SYS_SPAWN_NEW_PIDNS; /* csrss is its init */
	else
		what.pidns_fd = s->csrss;
	return sys_spawn(&what, ret_pidfd);
}

/*
 * Reads from the master until the answer with this tag (0 = none wanted) and, when wanted, the news
 * that csrss has registered are both in: csrss may be quicker than the answer to its hand-over.
 */
static int await(struct setup *s, uint32_t tag, bool registered)
{
	struct sm_message m;

	while (tag || (registered && !s->registered)) {
		ssize_t n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);

		if (n <= 0)
			return n < 0 ? (int)n : -EPIPE;
		if (sm_message_check(&m, (size_t)n) < 0)
			return -EPROTO;
		if (m.h.call == SM_SB_REGISTERED && !m.h.reply)
			s->registered = true;
		if (!m.h.reply || m.h.tag != tag || !tag)
			continue;
		if (m.h.status != SM_OK)
			return -ECHILD;
		tag = 0;
	}
	return 0;
}

static int hand_over(struct setup *s, enum role role, int pid, int pidfd, const char *name)
{
	uint32_t tag = 0x10000u + role;
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_HANDOVER, 0, tag);
	m.b.handover.session = s->c->n;
	m.b.handover.role = role;
	m.b.handover.pid = (uint32_t)pid;
	m.b.handover.how = s->how;
	str_copy(m.b.handover.image, sizeof(m.b.handover.image), name);
	r = copy_tell(&m, &pidfd, 1);
	return r < 0 ? r : await(s, tag, false);
}

static int start_csrss(struct setup *s, const char *line)
{
	const char *name = "csrss";
	int pid = start(s, line, FD_CSRSS, &name, &s->csrss), r;

	if (pid < 0)
		return fail(s, pid, name, "could not be started");
	sys_closep(&(int){FD_CSRSS});
	r = hand_over(s, ROLE_CSRSS, pid, s->csrss, name);
	if (r < 0)
		return fail(s, r, name, "was not taken over");
	r = await(s, 0, true); /* the master's deadline for us is the limit */
	return r < 0 ? fail(s, r, name, "did not register") : COPY_OK;
}

static int start_subsystems(struct setup *s)
{
	bool have = false;

	for (uint32_t i = 0; i < plan_count(s->c->plan, PLAN_REQUIRED); i++) {
		const struct plan_row *row = plan_row_at(s->c->plan, PLAN_REQUIRED, i);
		const char *line = plan_string(s->c->plan, row->text);
		int r;

		if (!line[0])
			continue; /* "Debug": nothing to start, and that is success */
		if (have) {
			copy_item(s->c, RESULT_NOT_YET, 0, 0, plan_string(s->c->plan, row->name),
				  "a second subsystem server is not started");
			continue;
		}
		r = start_csrss(s, line);
		if (r != COPY_OK)
			return r;
		have = true;
	}
	/* The session stands on its server: a hive that names none gets ours. */
	return have ? COPY_OK
		    : start_csrss(s, "csrss ObjectDirectory=\\Windows SubSystemType=Windows");
}

/* Execute entries: before the initial command, waited for unless async, each with a deadline. */
static void run_execute(struct setup *s, const struct plan_row *row)
{
	const char *name = plan_string(s->c->plan, row->name);
	uint64_t begin = sys_now_ns();
	struct sys_exit e = {0};
	_close_ int pidfd = -1;
	int pid;

	if (row->flags & PLAN_LINE_DEBUG)
		return;
	pid = start(s, plan_string(s->c->plan, row->text), 0, &name, &pidfd);
	if (pid < 0) {
		fail(s, pid, name, "could not be started");
		return;
	}
	if (row->flags & PLAN_LINE_ASYNC || s->how != HOW_PID_NAMESPACE) {
		/* it is the master's child: its end is seen by the pidfd alone */
		if (!(row->flags & PLAN_LINE_ASYNC) &&
		    sys_wait_fd(pidfd, SYS_READ, EXECUTE_DEADLINE_MS) == 0) {
			(void)!sys_pidfd_signal(pidfd, 9);
			copy_item(s->c, RESULT_TIMEOUT, 0, begin, name, "killed at its deadline");
			return;
		}
	} else if (sys_wait_fd(pidfd, SYS_READ, EXECUTE_DEADLINE_MS) == 0) {
		(void)!sys_pidfd_signal(pidfd, 9);
		(void)!sys_wait_pid(pid, &e);
		copy_item(s->c, RESULT_TIMEOUT, 0, begin, name, "killed at its deadline");
		return;
	}
	copy_item(s->c, RESULT_OK, 0, begin, name, "Execute entry has run");
}

static const char *initial_command(const struct copy *c)
{
	const char *asked = copy_word(c, "SMSS_INITIAL", "");

	if (asked[0])
		return asked;
	if (c->n == 0)
		return plan_string(c->plan, c->plan->settings.s0_initial);
	return plan_session_text(c->plan, c->n, "InitialCommand",
				 plan_string(c->plan, c->plan->settings.initial));
}

static int start_initial(struct setup *s)
{
	const char *line = initial_command(s->c), *name = line;
	_close_ int pidfd = -1;
	int pid, r;

	for (uint32_t i = 0; i < plan_count(s->c->plan, PLAN_EXECUTE); i++)
		run_execute(s, plan_row_at(s->c->plan, PLAN_EXECUTE, i));
	pid = start(s, line, FD_INITIAL, &name, &pidfd);
	if (pid < 0)
		return fail(s, pid, name, "could not be started");
	sys_closep(&(int){FD_INITIAL});
	r = hand_over(s, ROLE_INITIAL, pid, pidfd, name);
	return r < 0 ? fail(s, r, name, "was not taken over") : COPY_OK;
}

int copy_role_session(struct copy *c)
{
	struct setup s = {.c = c, .cgroup = -1, .console = -1, .csrss = -1};
	struct sm_message m;
	int r = prepare(&s);

	if (r == COPY_OK)
		r = start_subsystems(&s);
	if (r == COPY_OK)
		r = start_initial(&s);
	if (r != COPY_OK)
		return r;
	sm_message_start(&m, SM_SESSION_COMPLETE, 0, 0);
	m.b.session_complete.session = c->n;
	m.b.session_complete.status = SM_OK;
	if (copy_ask(&m, NULL, 0) < 0 || m.h.status != SM_OK)
		return COPY_FAILED;
	return COPY_OK;
}
