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
#include "smss/session/session.h"
#include "sys/sys.h"

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

/* The master has sent it before we began: nothing is waited for here. */
static int read_ask(struct setup *s)
{
	struct sm_message m;
	ssize_t n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);

	if (n <= 0 || sm_message_check(&m, (size_t)n) < 0 || m.h.call != SM_SB_SESSION)
		return fail(s, n < 0 ? (int)n : -EPROTO, "session", "nobody said what to make");
	s->ask = m.b.sb_session;
	return COPY_OK;
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

/* Our own role, not an image: see rescue.c. */
static void rescue_words(char *argv[ARGS_MAX + 1], char *path, size_t cap)
{
	str_copy(path, cap, IMAGE_SMSS);
	argv[0] = (char *)(uintptr_t) "smss";
	argv[1] = (char *)(uintptr_t) "rescue";
	argv[2] = (char *)(uintptr_t) "0";
	argv[3] = NULL;
}

int setup_start(struct setup *s, const char *line, int connection, struct started *ret)
{
	static char room[COMMAND_BYTES], path[PATH_BYTES];
	const bool core = connection != NO_CONNECTION;
	char *argv[ARGS_MAX + 1];
	int fds[5] = {0, s->console, s->console, connection, FD_PLAN};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = path,
				 .argv = argv,
				 .envp = s->env,
				 .fds = fds,
				 .fd_count = core ? 5 : 3,
				 .cgroup_fd = s->cgroup,
				 .pidns_fd = -1,
				 .flags = SYS_SPAWN_SETSID};
	_close_ int image = -1;
	int r;

	ret->name = line;
	if (!str_copy(room, sizeof(room), line))
		return -E2BIG;
	r = plan_words(room, argv, ARGS_MAX);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	ret->name = argv[0];
	if (core && str_same(argv[0], "rescue"))
		rescue_words(argv, path, sizeof(path));
	else if ((r = copy_find_image(s->c, argv[0], &image, path, sizeof(path))) < 0)
		return r;
	if (s->how == HOW_PID_NAMESPACE && connection == FD_CSRSS)
		what.flags |= SYS_SPAWN_NEW_PIDNS; /* csrss is its init */
	else if (s->how == HOW_PID_NAMESPACE)
		what.pidns_fd = s->csrss;
	else if (core)
		what.flags |= SYS_SPAWN_CLONE_PARENT;
	ret->pid = sys_spawn(&what, &ret->pidfd);
	return ret->pid < 0 ? ret->pid : 0;
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

static int hand_over(struct setup *s, enum role role, const struct started *p)
{
	uint32_t tag = 0x10000u + role;
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_HANDOVER, 0, tag);
	m.b.handover.session = s->c->n;
	m.b.handover.role = role;
	m.b.handover.pid = (uint32_t)p->pid;
	m.b.handover.how = s->how;
	str_copy(m.b.handover.image, sizeof(m.b.handover.image), p->name);
	r = copy_tell(&m, &p->pidfd, 1);
	return r < 0 ? r : await(s, tag, false);
}

static int start_csrss(struct setup *s, const char *line)
{
	struct started p = {.pidfd = -1};
	int r = setup_start(s, line, FD_CSRSS, &p);

	if (r < 0)
		return fail(s, r, p.name, "could not be started");
	s->csrss = p.pidfd; /* until we end: its pid namespace is entered by it */
	sys_closep(&(int){FD_CSRSS});
	r = hand_over(s, ROLE_CSRSS, &p);
	if (r < 0)
		return fail(s, r, p.name, "was not taken over");
	r = await(s, 0, true); /* the master's deadline for us is the limit */
	return r < 0 ? fail(s, r, p.name, "did not register") : COPY_OK;
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

/* In a safe boot what is there on demand only is left out; said once, by session 0. */
static void left_out(const struct setup *s)
{
	if (s->safe && !s->c->n && plan_count(s->c->plan, PLAN_OPTIONAL))
		copy_item(s->c, RESULT_SKIPPED, 0, 0, "SubSystems\\Optional",
			  "left out: safe boot");
}

static int start_initial(struct setup *s)
{
	const char *line = setup_initial_command(s);
	struct started p = {.pidfd = -1};
	int r = setup_start(s, line, FD_INITIAL, &p);

	if (r < 0)
		return fail(s, r, p.name, "could not be started");
	sys_closep(&(int){FD_INITIAL});
	r = hand_over(s, ROLE_INITIAL, &p);
	sys_closep(&p.pidfd);
	return r < 0 ? fail(s, r, p.name, "was not taken over") : COPY_OK;
}

int copy_role_session(struct copy *c)
{
	struct setup s = {.c = c,
			  .cgroup = -1,
			  .console = -1,
			  .csrss = -1,
			  .safe = copy_word(c, "SMSS_SAFEBOOT", "")[0] != 0,
			  .begin_ns = sys_now_ns()};
	struct sm_message m;
	int r = read_ask(&s);

	if (r == COPY_OK)
		r = prepare(&s);
	if (r == COPY_OK)
		r = start_subsystems(&s);
	if (r == COPY_OK) {
		left_out(&s);
		setup_execute(&s);
	}
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
