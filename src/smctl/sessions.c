/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - smctl sessions, session new, session end and exec
 *
 * Session numbers are checked for form only; whether one exists is the session manager's to say.
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

static const char *pid_word(uint32_t pid, char room[16])
{
	if (!pid)
		return "-";
	(void)snprintf(room, 16, "%u", pid);
	return room;
}

static void session_line(const struct sm_session *row)
{
	char csrss[16], initial[16];

	printf("%7u  %-10s  %7s  %7s  %-12s  %-10s  %s", row->session,
	       sm_session_state_word(row->state), pid_word(row->csrss_pid, csrss),
	       pid_word(row->initial_pid, initial), row->initial[0] ? show_text(row->initial) : "-",
	       row->console[0] ? show_text(row->console) : "-",
	       row->ready_us ? show_duration(row->ready_us * 1000u) : "-");
	if (row->failures)
		printf("  failed %u %s", row->failures, row->failures == 1 ? "time" : "times");
	putchar('\n');
}

int verb_sessions(struct smctl *s, int argc, char **argv)
{
	json_object *list = NULL;
	struct sm_session row;
	uint32_t cursor = 0;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	if (s->json)
		list = json_object_new_array();
	else
		printf("session  state         csrss  initial  %-12s  %-10s  ready after\n",
		       "command", "console");
	while ((r = sm_session_next(s->c, &cursor, &row)) == 1) {
		if (list)
			(void)json_object_array_add(list, json_session(&row));
		else
			session_line(&row);
	}
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (list) {
		json_object *o = json_object_new_object();

		json_put(o, "sessions", list);
		return json_show(o, false);
	}
	return SMCTL_OK;
}

/* The words of the initial command as one line; false when they do not fit. */
static bool join(char *to, size_t cap, int argc, char **argv)
{
	struct text t = text_start(to, cap);

	for (int i = 0; i < argc; i++)
		text_add(text_add(&t, i ? " " : ""), argv[i]);
	return !t.cut;
}

int verb_session_new(struct smctl *s, int argc, char **argv)
{
	struct sm_session row;
	char command[256];
	uint32_t session;
	int r;

	if (!join(command, sizeof(command), argc, argv))
		return smctl_usage(s, "the initial command is longer than 255 bytes");
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_session_new(s->c, command[0] ? command : NULL, &session, &row);
	if (r < 0)
		return smctl_call_failed(s, r, "such program");
	if (s->json)
		return json_show(json_session(&row), false);
	printf("session %u", session);
	if (row.ready_us)
		printf(", ready after %s", show_duration(row.ready_us * 1000u));
	printf(": csrss %u, %s %u\n", row.csrss_pid,
	       row.initial[0] ? show_text(row.initial) : "initial", row.initial_pid);
	return SMCTL_OK;
}

int verb_session_end(struct smctl *s, int argc, char **argv)
{
	uint64_t session;
	uint32_t left = 0;
	char what[32];
	int r;

	if (argc != 1 || smctl_number(argv[0], 0xFFFFFFFEu, &session) < 0)
		return smctl_usage(s, "wanted: the number of a session");
	if (session == 0)
		return smctl_error(s, "session 0 ends with the machine; try: smctl poweroff");
	if (smctl_connect(s))
		return SMCTL_FAILED;
	(void)snprintf(what, sizeof(what), "session %llu", (unsigned long long)session);
	r = sm_session_end(s->c, (uint32_t)session, &left);
	if (r < 0 && r != -EBUSY)
		return smctl_call_failed(s, r, what);
	if (s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", session);
		json_put_bool(o, "ended", r == 0);
		json_put_number(o, "left", left);
		(void)json_show(o, false);
		return r == 0 ? SMCTL_OK : SMCTL_FAILED;
	}
	if (r == -EBUSY)
		return smctl_error(s, "%s is still dying: %u %s left; see: smctl tree", what, left,
				   left == 1 ? "process is" : "processes are");
	printf("%s has ended\n", what);
	return SMCTL_OK;
}

int verb_exec(struct smctl *s, int argc, char **argv)
{
	uint64_t session;
	char what[64];
	uint32_t pid;
	int r;

	if (argc < 2 || smctl_number(argv[0], 0xFFFFFFFEu, &session) < 0)
		return smctl_usage(s, "wanted: the number of a session, and a command");
	if (smctl_connect(s))
		return SMCTL_FAILED;
	(void)snprintf(what, sizeof(what), "session %llu, or no such program in it",
		       (unsigned long long)session);
	r = sm_exec(s->c, (uint32_t)session, (const char *const *)(argv + 1), s->detached, &pid);
	if (r == -E2BIG)
		return smctl_usage(s, "the command is longer than 1999 bytes");
	if (r == -EINVAL && sm_last_status(s->c) == 0)
		return smctl_usage(
			s, "a word with a double quote or a line break, or an empty command, "
			   "cannot be passed on; put it into a script");
	if (r < 0)
		return smctl_call_failed(s, r, what);
	if (s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", session);
		json_put_number(o, "pid", pid);
		return json_show(o, false);
	}
	printf("process %u started in session %llu\n", pid, (unsigned long long)session);
	return SMCTL_OK;
}
