/* SPDX-License-Identifier: MIT */
/*
 * companion.c - birth, the master's connection and the one wait of a companion, see companion.h
 */
#include "companion/companion.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "smss-version.h"
#include "smss/copy.h"

#define REGISTER_MS 60000 /* the master answers at once or is in deep trouble */
#define SEND_MS     1000
#define KEY_SIGNALS 1u
#define KEY_MASTER  2u
#define KEY_INPUT   3u

void companion_print(int fd, const char *s)
{
	(void)!sys_write_all(fd, s, strlen(s));
}

int companion_usage(const char *name, const char *help, int argc, char **argv)
{
	if (argc != 2)
		return -1;
	if (str_same(argv[1], "--help")) {
		companion_print(1, help);
		return COMPANION_OK;
	}
	if (str_same(argv[1], "--version")) {
		companion_print(1, name);
		companion_print(1, " " SMSS_VERSION " (build " SMSS_BUILD_ID ") " SMSS_VENDOR "\n");
		return COMPANION_OK;
	}
	return -1;
}

void companion_say(int level, const char *what, const char *word, int err)
{
	char line[320];
	struct text t = TEXT_ON(line);

	text_add(text_add(&t, what), ": ");
	text_escaped(&t, word, str_len(word, 200));
	if (err)
		text_add(text_add(&t, ": "), err_text(err < 0 ? -err : err));
	sys_log(level, line);
}

const char *companion_env(const struct companion *c, const char *name, const char *otherwise)
{
	size_t n = strlen(name);

	for (char *const *v = c->env; v && *v; v++)
		if (str_starts(*v, name) && (*v)[n] == '=')
			return *v + n + 1;
	return otherwise;
}

static enum companion_exit open_plan(struct companion *c)
{
	const void *bytes;
	size_t n;
	const char *why = "";
	int r = sys_map_sealed(FD_PLAN, &bytes, &n);

	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot map the plan", "fd 4", r);
		return COMPANION_NO_MASTER;
	}
	r = plan_is_checked(bytes, n);
	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "the plan is not used", why, r);
		return COMPANION_NO_MASTER;
	}
	c->plan = bytes;
	return COMPANION_OK;
}

enum companion_exit companion_open(struct companion *c, const char *name, char *const *env,
				   bool core)
{
	const char *number;
	uint64_t session = SM_NO_SESSION;
	struct sys_stat st;

	*c = (struct companion){.name = name, .env = env, .epoll = -1, .signals = -1};
	sys_log_open(name, true, true);
	sys_log_quiet(
		true); /* the timeline shows what went well; only trouble goes to the console */
	number = companion_env(c, "SMSS_SESSION", "");
	if (core &&
	    (str_u64(number, str_len(number, 12), &session) < 0 || session >= SESSIONS_MAX)) {
		companion_print(2, name);
		companion_print(2, ": is started by smss only: there is no SMSS_SESSION\n");
		return COMPANION_USAGE;
	}
	c->session = (uint32_t)session;
	if (core) /* the master trusts our connection: no other program of the session gets it */
		sys_keep_to_ourselves();
	if (sys_stat_fd(FD_MASTER, &st) < 0 || (st.mode & 0170000) != 0140000) {
		companion_print(2, name);
		companion_print(2, ": is started by smss only: fd 3 is no connection\n");
		return COMPANION_NO_MASTER;
	}
	return open_plan(c);
}

int companion_listen(struct companion *c)
{
	int r = sys_set_blocking(FD_MASTER, false);

	if (r < 0)
		return r;
	c->signals = sys_signals_open();
	if (c->signals < 0)
		return c->signals;
	c->epoll = sys_epoll();
	if (c->epoll < 0)
		return c->epoll;
	r = sys_epoll_add(c->epoll, c->signals, SYS_READ, KEY_SIGNALS);
	return r < 0 ? r : sys_epoll_add(c->epoll, FD_MASTER, SYS_READ, KEY_MASTER);
}

int companion_watch(const struct companion *c, int fd)
{
	return sys_epoll_add(c->epoll, fd, SYS_READ, KEY_INPUT);
}

void companion_unwatch(struct companion *c, int fd)
{
	(void)sys_epoll_drop(c->epoll, fd);
}

int companion_send_with(const struct companion *c, const struct sm_message *m, const int *fds,
			unsigned fd_count)
{
	ssize_t r = -EPIPE;

	if (c->orphaned)
		return -EPIPE;
	for (int tries = 0; tries < 2; tries++) {
		r = sys_send(FD_MASTER, m, sm_message_bytes(m), fds, fd_count);
		if (r != -EAGAIN || sys_wait_fd(FD_MASTER, SYS_WRITE, SEND_MS) <= 0)
			break;
	}
	return r < 0 ? (int)r : 0;
}

int companion_send(const struct companion *c, const struct sm_message *m)
{
	return companion_send_with(c, m, NULL, 0);
}

void companion_refuse(const struct companion *c, const struct sm_message *m)
{
	struct sm_message answer;

	if (m->h.reply)
		return;
	sm_message_start(&answer, m->h.call, 1, m->h.tag);
	answer.h.status = SM_NOT_IMPLEMENTED;
	(void)!companion_send(c, &answer);
}

/* A signal: our child died, we are to end, or it is none of our business (everything is blocked).
 */
static bool signal_event(struct companion *c, enum companion_what *ret)
{
	struct sys_signal s;

	if (sys_signal_next(c->signals, &s) != 1)
		return false;
	if (s.sig == SIGCHLD) {
		*ret = COMPANION_CHILD;
		return true;
	}
	if (s.sig != SIGTERM || c->ending)
		return false;
	c->ending = true;
	*ret = COMPANION_END;
	return true;
}

static enum companion_what master_gone(struct companion *c)
{
	(void)sys_epoll_drop(c->epoll, FD_MASTER);
	c->orphaned = true;
	c->ending = true;
	return COMPANION_END;
}

static bool master_event(struct companion *c, struct sm_message *m, enum companion_what *ret)
{
	ssize_t n = sys_receive(FD_MASTER, m, sizeof(*m), NULL, NULL);

	if (n == -EAGAIN || n == -EMSGSIZE)
		return false;
	if (n <= 0) {
		*ret = master_gone(c);
		return true;
	}
	if (sm_message_check(m, (size_t)n) < 0) {
		sys_log(SYS_LOG_WARNING, "a message that is none came from the master; not used");
		return false;
	}
	*ret = COMPANION_MESSAGE;
	if (m->h.call != SM_SB_TERMINATE || m->h.reply)
		return true;
	if (c->ending)
		return false;
	c->ending = true;
	*ret = COMPANION_END;
	return true;
}

int companion_ms_left(uint64_t until_ns)
{
	uint64_t now = sys_now_ns();

	/* Rounded up: a wait that ends a moment early would be repeated with 0 again and again. */
	return until_ns <= now ? 0 : (int)((until_ns - now + 999999) / 1000000);
}

enum companion_what companion_next(struct companion *c, int timeout_ms, struct sm_message *message)
{
	uint64_t until = timeout_ms < 0 ? 0 : sys_now_ns() + (uint64_t)timeout_ms * 1000000;

	for (;;) {
		struct sys_event e;
		enum companion_what what;
		int left = timeout_ms < 0 ? -1 : companion_ms_left(until);
		int r = sys_wait_events(c->epoll, &e, 1, left);

		if (r <= 0 && left == 0)
			return COMPANION_TIMEOUT;
		if (r < 0) /* the wait itself is broken: nothing can reach us any more */
			return master_gone(c);
		if (r == 0)
			continue;
		if (e.key == KEY_INPUT)
			return COMPANION_INPUT;
		if (e.key == KEY_SIGNALS ? signal_event(c, &what) : master_event(c, message, &what))
			return what;
	}
}

int companion_register(struct companion *c, enum role role)
{
	uint64_t until = sys_now_ns() + REGISTER_MS * 1000000ull;
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_REGISTER, 0, ++c->tag);
	m.b.reg.role = role;
	m.b.reg.pid = (uint32_t)sys_pid();
	r = companion_send(c, &m);
	if (r < 0)
		return r == -ECONNRESET ? -EPIPE : r;
	for (;;) {
		enum companion_what what = companion_next(c, companion_ms_left(until), &m);

		if (what == COMPANION_TIMEOUT)
			return -ETIMEDOUT;
		if (c->orphaned)
			return -EPIPE;
		if (what != COMPANION_MESSAGE || m.h.call != SM_REGISTER || m.h.tag != c->tag)
			continue; /* what else comes this early is ours to end, and that is kept */
		return m.h.status == SM_OK ? 0 : -EACCES;
	}
}

void companion_item(const struct companion *c, enum result result, int detail, uint64_t start_ns,
		    const char *name, const char *text)
{
	static const char good[RESULT_COUNT] = {
		[RESULT_OK] = 1, [RESULT_SKIPPED] = 1, [RESULT_RUNNING] = 1};
	char line[NAME_BYTES + TEXT_BYTES + 32];
	struct text l = TEXT_ON(line);
	struct sm_message m;
	struct text n, t;

	sm_message_start(&m, SM_PHASE_ITEM, 0, 0);
	m.b.item.result = result;
	m.b.item.detail = detail;
	m.b.item.start_ns = start_ns;
	n = TEXT_ON(m.b.item.name);
	text_escaped(&n, name, str_len(name, NAME_BYTES));
	t = TEXT_ON(m.b.item.text);
	text_escaped(&t, text, str_len(text, TEXT_BYTES));
	if (companion_send(c, &m) >= 0)
		return; /* the master logs its rows: one event, one line, one place */
	text_add(text_add(&l, m.b.item.name), ": ");
	text_add(&l, result_word(result));
	if (t.len)
		text_add(text_add(&l, ": "), m.b.item.text);
	sys_log(good[result] ? SYS_LOG_INFO : SYS_LOG_WARNING, line);
}

unsigned companion_stop_ms(const struct companion *c)
{
	uint32_t s = plan_session_number(c->plan, c->session, "StopDeadline",
					 c->plan->settings.shutdown_deadline_s);

	if (s > 86400)
		s = 86400;
	return s * 800;
}
