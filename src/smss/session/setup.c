/* SPDX-License-Identifier: MIT */
/*
 * setup.c - the throwaway copy that sets one session up (design §2, §6)
 *
 * Reads what is wanted, makes the session's directory, group and namespaces, takes upon itself what
 * the session is held to, starts the Required subsystem and the initial command as children of the
 * master, hands {pid, pidfd, role} over, says SessionComplete and exits. It lives for milliseconds;
 * if it dies half-way, the master ends what it had handed over. What cannot be had refuses the
 * session: SessionComplete then carries a status and the reason.
 */
#include <errno.h>

#include "base/text.h"
#include "smss/copy.h"
#include "smss/session/session.h"
#include "sys/sys.h"

#define COMPLETE_TAG 0x20000u

int setup_refuse(struct setup *s, int r, const char *what, const char *why)
{
	struct text t = TEXT_ON(s->text);

	if (s->status != SM_OK)
		return COPY_FAILED;
	s->status = status_of(r < 0 ? r : -EIO);
	text_escaped(&t, what, str_len(what, NAME_BYTES));
	text_add(text_add(&t, ": "), why ? why : err_text(-r));
	return COPY_FAILED;
}

/* ---- what is there before any process ---- */

static void directory_path(const struct setup *s, struct text *t)
{
	text_u64(text_add(t, RUN_DIRECTORY "/sessions/"), s->c->n);
}

int setup_prepare(struct setup *s)
{
	setup_environment(s);
	return COPY_OK;
}

/* What can be done before it is known which session this will be. */
static void begin(struct setup *s)
{
	s->console = sys_open(AT_FDCWD, "/dev/console", O_WRONLY | O_NONBLOCK, 0);
	if (s->console < 0)
		s->console = 0; /* fd 0 is null */
	if (s->c->n == SM_NO_SESSION)
		setup_isolate_ahead(s);
}

static int directory(struct setup *s)
{
	char path[64];
	struct text t = TEXT_ON(path);
	int r;

	directory_path(s, &t);
	r = sys_mkdir(AT_FDCWD, path, 0755);
	s->made_directory = r >= 0;
	if (r == -ENOENT) {
		r = sys_make_dirs(path, 0755);
		s->made_directory = r >= 0;
	}
	return r < 0 && r != -EEXIST ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

/* Nobody lives in it yet; once somebody was handed over, ending it is the master's. */
static void take_back(const struct setup *s)
{
	char path[160];
	struct text t = TEXT_ON(path);

	if (s->handed_over)
		return;
	group_path(s->c, s->c->n, &t);
	if (s->made_group)
		(void)!sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);
	t = TEXT_ON(path);
	directory_path(s, &t);
	if (s->made_directory)
		(void)!sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- speaking with the master ---- */

static int await_registration(struct setup *s)
{
	struct sm_message m;

	while (!s->registered) {
		ssize_t n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);

		if (n <= 0)
			return n < 0 ? (int)n : -EPIPE;
		if (sm_message_check(&m, (size_t)n) < 0)
			return -EPROTO;
		if (m.h.call == SM_SB_REGISTERED && !m.h.reply)
			s->registered = true;
		if (m.h.reply && m.h.status != SM_OK)
			return -ECHILD;
	}
	return 0;
}

static void describe(const struct setup *s, enum role role, const struct started *p,
		     struct sm_handover *ret)
{
	*ret = (struct sm_handover){.session = s->c->n,
				    .role = role,
				    .pid = (uint32_t)p->pid,
				    .how = role == ROLE_CSRSS ? s->how
					   : p->program       ? SM_HANDOVER_PROGRAM
							      : 0};
	str_copy(ret->image, sizeof(ret->image), p->name);
}

static int hand_over_server(struct setup *s, const struct started *p)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_HANDOVER, 0, 0x10000u + ROLE_CSRSS);
	describe(s, ROLE_CSRSS, p, &m.b.handover);
	r = copy_tell(&m, &p->pidfd, 1);
	s->handed_over = s->handed_over || r >= 0;
	return r;
}

static void complete_message(const struct setup *s, struct sm_message *m)
{
	const bool owned = s->policy.given & SM_GIVEN_OWNER;

	sm_message_start(m, SM_SESSION_COMPLETE, 0, COMPLETE_TAG);
	m->b.session_complete = (struct sm_session_complete){
		.session = s->c->n,
		.status = s->status,
		.isolation = s->policy.isolation,
		.owner = owned ? s->policy.uid : SM_NO_OWNER,
		.idle_s = s->policy.idle_s,
		.lifetime_s = s->policy.lifetime_s,
	};
	str_copy(m->b.session_complete.text, sizeof(m->b.session_complete.text), s->text);
}

int setup_complete(struct setup *s)
{
	struct sm_message m;

	complete_message(s, &m);
	m.b.session_complete.initial = s->last;
	/* What is left of us is our end: whoever waits for the word comes before it. */
	(void)!sys_step_back();
	return copy_tell(&m, &s->last_fd, s->last.pid ? 1 : 0) < 0 ? COPY_FAILED : COPY_OK;
}

static int refused(struct setup *s)
{
	struct sm_message m;

	take_back(s);
	if (s->status == SM_OK)
		(void)setup_refuse(s, -EIO, "session", NULL);
	complete_message(s, &m);
	m.b.session_complete.isolation = 0;
	(void)!copy_tell(&m, NULL, 0);
	return COPY_FAILED;
}

/* ---- its processes ---- */

static int not_registered(struct setup *s, int r)
{
	return setup_refuse(s, r, s->server,
			    r == -ECHILD ? "was not taken over" : "did not register");
}

int setup_server(struct setup *s)
{
	char name[NAME_BYTES];
	struct started p = {.pid = -1, .pidfd = -1, .name = name};
	int r;

	str_copy(name, sizeof(name), s->server); /* it lies where the next one is looked for */
	s->server = "csrss";
	r = setup_go(s, FD_CSRSS, &p);
	if (r < 0)
		return setup_refuse(s, r, p.name, NULL);
	sys_closep(&(int){FD_CSRSS});
	r = hand_over_server(s, &p);
	sys_closep(&p.pidfd);
	return r < 0 ? not_registered(s, r) : COPY_OK;
}

int setup_registered(struct setup *s)
{
	int r = await_registration(s);

	return r < 0 ? not_registered(s, r) : COPY_OK;
}

int setup_find_server(struct setup *s)
{
	/* The session stands on its server: a hive that names none gets ours. */
	const char *line = "csrss ObjectDirectory=\\Windows SubSystemType=Windows";
	bool have = false;
	int r;

	for (uint32_t i = 0; i < plan_count(s->c->plan, PLAN_REQUIRED); i++) {
		const struct plan_row *row = plan_row_at(s->c->plan, PLAN_REQUIRED, i);
		const char *text = plan_string(s->c->plan, row->text);

		if (!text[0])
			continue; /* "Debug": nothing to start, and that is success */
		if (!have)
			line = text;
		else
			copy_item(s->c, RESULT_NOT_YET, 0, 0, plan_string(s->c->plan, row->name),
				  "a second subsystem server is not started");
		have = true;
	}
	r = setup_find(s, line, true, &s->server);
	return r < 0 ? setup_refuse(s, r, s->server, s->why) : COPY_OK;
}

/* In a safe boot what is there on demand only is left out; said once, by session 0. */
static void left_out(const struct setup *s)
{
	if (s->safe && !s->c->n && plan_count(s->c->plan, PLAN_OPTIONAL))
		copy_item(s->c, RESULT_SKIPPED, 0, 0, "SubSystems\\Optional",
			  "left out: safe boot");
}

static int gate(void *setup)
{
	return await_registration(setup);
}

/*
 * The initial command begins when csrss has registered, and not before. While csrss begins there is
 * time to make its process: that then waits at its door.
 */
static int start_initial(struct setup *s, bool waits)
{
	struct started p = {.pidfd = -1};
	int r = setup_find_initial(s);

	p.name = s->initial;
	s->gate = waits ? gate : NULL;
	if (r >= 0)
		r = setup_go(s, FD_INITIAL, &p);
	if (waits && (r == -ECHILD || r == -EPIPE || r == -EPROTO))
		return not_registered(s, r); /* no exec fails with these */
	if (r < 0)
		return setup_refuse(s, r, p.name, s->why);
	describe(s, ROLE_INITIAL, &p, &s->last);
	s->last_fd = p.pidfd;
	return COPY_OK;
}

/* ---- all together ---- */

static int make(struct setup *s)
{
	static int (*const steps[])(struct setup * s) = {
		directory,     setup_group,       setup_prepare, setup_isolate,
		setup_confine, setup_find_server, setup_server,
	};
	int r = COPY_OK;

	for (unsigned i = 0; r == COPY_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		r = steps[i](s);
	if (r != COPY_OK)
		return r;
	left_out(s);
	/* what Execute does may change what the initial command is found to be */
	if (plan_count(s->c->plan, PLAN_EXECUTE)) {
		r = setup_registered(s);
		if (r != COPY_OK)
			return r;
		setup_execute(s);
		r = start_initial(s, false);
	} else {
		r = start_initial(s, true);
	}
	return r == COPY_OK ? setup_complete(s) : r;
}

int copy_role_session(struct copy *c)
{
	static struct setup s;
	int r;

	s = (struct setup){.c = c,
			   .cgroup = -1,
			   .console = -1,
			   .how = HOW_NEITHER,
			   .safe = copy_word(c, "SMSS_SAFEBOOT", "")[0] != 0};
	begin(&s);
	r = setup_read_ask(&s);
	if (r == COPY_SKIPPED)
		return COPY_OK;
	if (r == COPY_OK)
		r = s.ask.flags & SM_SESSION_RESTART ? setup_restart(&s) : make(&s);
	return r == COPY_OK ? COPY_OK : refused(&s);
}
