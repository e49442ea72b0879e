/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - smctl sessions, and session new, end, freeze, thaw and limits
 *
 * Session numbers are checked for form only; whether one exists is the session manager's to say.
 * Verbs that take several go through them in the order given, and one that fails does not keep the
 * others from being tried.
 */
#include "smctl/sessions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl/table.h"
#include "sys/sys.h"

#define SESSION_MAX 0xFFFFFFFEu

const char *show_retry(uint64_t retry_ns, uint64_t now_ns)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "%s%s", retry_ns > now_ns ? "in " : "now",
		       retry_ns > now_ns ? show_duration(retry_ns - now_ns) : "");
	return text;
}

bool idle_is_watched(const struct sm_session *row)
{
	const char *slash = strrchr(row->initial, '/');

	return str_same(slash ? slash + 1 : row->initial, "winlogon");
}

static void session_row(struct table *t, const struct sm_session *row)
{
	const uint64_t now_ns = sys_now_ns();
	char notes[128];
	struct text n = TEXT_ON(notes);

	if (row->failures)
		text_add(text_u64(text_add(&n, "failed "), row->failures),
			 row->failures == 1 ? " time" : " times");
	if (row->retry_ns)
		text_add(text_add(&n, n.len ? ", again " : "again "),
			 show_retry(row->retry_ns, now_ns));
	if (row->restarts)
		text_u64(text_add(&n, n.len ? ", csrss restarted " : "csrss restarted "),
			 row->restarts);
	if (row->ends_ns > now_ns)
		text_add(text_add(&n, n.len ? ", ends in " : "ends in "),
			 show_duration(row->ends_ns - now_ns));
	table_cell(t, "%u", row->session);
	table_cell(t, "%s", show_state(row));
	table_cell(t, "%s", row->csrss_pid ? show_number(row->csrss_pid) : "-");
	table_cell(t, "%s", row->initial_pid ? show_number(row->initial_pid) : "-");
	table_cell(t, "%s", row->initial[0] ? show_text(row->initial) : "-");
	table_cell(t, "%s", row->console[0] ? show_text(row->console) : "-");
	table_cell(t, "%s", row->ready_us ? show_duration(row->ready_us * 1000u) : "-");
	table_cell(t, "%s", show_user(row->owner));
	table_cell(t, "%s", show_isolation(row->isolation));
	table_cell(t, "%s", notes);
}

static const struct column session_columns[] = {
	{"session", 0, 0, true, false},      {"state", 0, 0, false, false},
	{"csrss", 6, 0, true, false},        {"initial", 7, 0, true, false},
	{"command", 1, 12, false, false},    {"console", 4, 6, false, false},
	{"ready after", 8, 0, false, false}, {"owner", 2, 0, false, false},
	{"isolation", 5, 12, false, false},  {"notes", 3, 14, false, true},
};

int verb_sessions(struct smctl *s, int argc, char **argv)
{
	struct table t = table_start(session_columns, ARRAY_SIZE(session_columns));
	json_object *list = NULL, *o;
	struct sm_session row;
	uint32_t cursor = 0;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	if (s->json)
		list = json_object_new_array();
	while ((r = sm_session_next(s->c, &cursor, &row)) == 1) {
		if (list)
			(void)json_object_array_add(list, json_session(&row));
		else
			session_row(&t, &row);
	}
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (!list) {
		table_show(&t);
		return SMCTL_OK;
	}
	o = json_object_new_object();
	json_put(o, "sessions", list);
	return json_show(o, false);
}

/* ---- new ---- */

/*
 * The words of the initial command as one line. One word alone is a line already; of several those
 * with blanks are put into "...". Returns 0, -ENAMETOOLONG, -EINVAL (a word cannot be put so).
 */
static int join(char *to, size_t cap, int argc, char **argv)
{
	struct text t = text_start(to, cap);

	for (int i = 0; i < argc; i++) {
		const char *quote = argc > 1 && (!*argv[i] || strchr(argv[i], ' ')) ? "\"" : "";

		if (argc > 1 && strpbrk(argv[i], "\"\n\t"))
			return -EINVAL;
		text_add(text_add(&t, i ? " " : ""), quote);
		text_add(text_add(&t, argv[i]), quote);
	}
	return t.cut ? -ENAMETOOLONG : 0;
}

/* Why a session was not made: the session manager's own words first, then what to do. */
static int not_made(const struct smctl *s, int r, const char *command)
{
	const char *text = show_text(sm_last_text(s->c));
	const char *why = *text ? text : sm_error_text(r), *colon = *text ? ": " : "";

	switch (r) {
	case -EOPNOTSUPP:
		return smctl_error(s,
				   "refused, it cannot be had here%s%s; nothing was made; what "
				   "there is: smctl probe",
				   colon, text);
	case -EACCES:
		if (!*text) /* asked too much of the API; else of a file, or of the hive's owner */
			return smctl_error(s,
					   "access denied: this needs root, or the group that the "
					   "hive names in SessionOperators; try it with sudo");
		return smctl_error(s, "refused: %s; nothing was made", why);
	case -ENOENT:
		return smctl_error(s, "there is no such program or user%s%s%s%s; nothing was made",
				   *text || !*command ? "" : ": ", *text ? "" : show_text(command),
				   colon, text);
	case -ETIME:
	case -EIO:
		return smctl_error(s, "%s: %s; nothing of it is left; see: smctl boot",
				   r == -ETIME ? "it took too long and was given up" : "it failed",
				   *text ? why : "its set-up did not go through");
	default:
		return *text ? smctl_error(s, "refused: %s; nothing was made", why)
			     : smctl_call_failed(s, r, NULL);
	}
}

int verb_session_new(struct smctl *s, int argc, char **argv)
{
	struct sm_session_want want;
	struct sm_session_made made;
	char command[256];
	int words = 0;
	int r = session_new_options(s, argc, argv, &want, &words);

	if (r)
		return r - 1;
	r = join(command, sizeof(command), argc - words, argv + words);
	if (r == -ENAMETOOLONG)
		return smctl_usage(s, "the initial command is longer than 255 bytes");
	if (r < 0)
		return smctl_usage(s, "a word with a double quote, a tab or a line break cannot be "
				      "passed on; put it into a script");
	if (smctl_connect(s))
		return SMCTL_FAILED;
	want.command = command[0] ? command : NULL;
	r = sm_session_make(s->c, &want, &made);
	if (r < 0)
		return not_made(s, r, command);
	if (want.idle_s && !idle_is_watched(&made.row))
		(void)smctl_error(s,
				  "session %u is made, but --idle does not end it: its initial "
				  "command is not winlogon, and nobody else watches a terminal",
				  made.session);
	if (s->json)
		return json_show(json_session(&made.row), false);
	printf("session %u", made.session);
	if (made.row.ready_us)
		printf(", ready after %s", show_duration(made.row.ready_us * 1000u));
	printf(": csrss %u, %s %u\n", made.row.csrss_pid,
	       made.row.initial[0] ? show_text(made.row.initial) : "initial", made.row.initial_pid);
	return SMCTL_OK;
}

/* ---- for each of several ---- */

struct numbers {
	uint32_t *number;
	size_t count;
};

static int numbers_add(struct numbers *n, uint32_t number)
{
	uint32_t *more = realloc(n->number, (n->count + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	n->number = more;
	n->number[n->count++] = number;
	return 0;
}

/* All that stand on the command line. Returns 0, or has said what is wrong. */
static int numbers_read(const struct smctl *s, int argc, char **argv, struct numbers *ret)
{
	for (int i = 0; i < argc; i++) {
		uint64_t n;

		if (smctl_number(argv[i], SESSION_MAX, &n) < 0)
			return smctl_usage(s, "wanted: the number of a session, not \"%s\"",
					   show_text(argv[i]));
		if (numbers_add(ret, (uint32_t)n) < 0)
			return smctl_error(s, "%s", strerror(ENOMEM));
	}
	if (!ret->count)
		return smctl_usage(s, "wanted: the number of a session");
	return 0;
}

static int numbers_all(const struct smctl *s, struct numbers *ret)
{
	struct sm_session row;
	uint32_t cursor = 1;
	int r;

	while ((r = sm_session_next(s->c, &cursor, &row)) == 1)
		if (numbers_add(ret, row.session) < 0)
			return -ENOMEM;
	return r;
}

/* Does it to one: adds to list when there is one, else prints. Returns the exit status. */
typedef int (*one_session)(struct smctl *s, uint32_t session, json_object *list);

/* One number alone prints its object as it is, several an array of them. */
static int each_session(struct smctl *s, const struct numbers *n, bool array, one_session one)
{
	json_object *list = s->json ? json_object_new_array() : NULL, *o;
	int status = SMCTL_OK;

	for (size_t i = 0; i < n->count; i++) {
		int r = one(s, n->number[i], list);

		if (r != SMCTL_OK)
			status = r;
	}
	if (!list)
		return status;
	if (array) {
		o = json_object_new_object();
		json_put(o, "sessions", list);
		(void)json_show(o, false);
	} else {
		if (json_object_array_length(list))
			(void)json_show(json_object_get(json_object_array_get_idx(list, 0)), false);
		(void)json_object_put(list);
	}
	return status;
}

static const char *session_word(uint32_t session, char room[32])
{
	(void)snprintf(room, 32, "session %u", session);
	return room;
}

static int session_failed(const struct smctl *s, int r, uint32_t session)
{
	char what[32];

	session_word(session, what);
	if (r == -EACCES)
		return smctl_error(s,
				   "%s: access denied: this needs root, its owner, or the group "
				   "that the hive names in SessionOperators; try it with sudo",
				   what);
	return smctl_call_failed(s, r, what);
}

/* ---- end ---- */

static int end_one(struct smctl *s, uint32_t session, json_object *list)
{
	struct sm_session_held held = {0};
	char what[32];
	int r;

	session_word(session, what);
	if (session == 0)
		return smctl_error(s, "session 0 ends with the machine; try: smctl poweroff");
	r = sm_session_end_held(s->c, session, &held);
	if (r == -ENOENT && s->all)
		r = 0; /* it has ended by itself meanwhile */
	if (r < 0 && r != -EBUSY)
		return session_failed(s, r, session);
	if (list) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", session);
		json_put_bool(o, "ended", r == 0);
		json_put_number(o, "left", held.left);
		json_put(o, "pid", held.pid ? json_object_new_uint64(held.pid) : NULL);
		json_put_text(o, "name", held.name);
		(void)json_object_array_add(list, o);
		return r == 0 ? SMCTL_OK : SMCTL_FAILED;
	}
	if (r == 0) {
		printf("%s has ended\n", what);
		return SMCTL_OK;
	}
	return smctl_error(s, "%s is still dying: %u %s left%s%s%s%s; see: smctl tree", what,
			   held.left, held.left == 1 ? "process is" : "processes are",
			   held.pid ? ", one where no signal reaches it: " : "",
			   held.pid ? show_number(held.pid) : "", held.pid ? " " : "",
			   held.pid ? show_text(held.name) : "");
}

int verb_session_end(struct smctl *s, int argc, char **argv)
{
	struct numbers n = {NULL, 0};
	int r;

	if (s->all && argc > 0)
		return smctl_usage(s, "either --all or numbers");
	r = s->all ? 0 : numbers_read(s, argc, argv, &n);
	if (r == 0)
		r = smctl_connect(s);
	if (r == 0 && s->all) {
		r = numbers_all(s, &n);
		if (r < 0)
			r = smctl_call_failed(s, r, NULL);
	}
	if (r == 0)
		r = each_session(s, &n, s->all || n.count > 1, end_one);
	free(n.number);
	return r;
}

/* ---- freeze, thaw ---- */

static int freeze_or_thaw(struct smctl *s, uint32_t session, json_object *list, bool freeze)
{
	int r = sm_session_freeze(s->c, session, freeze);

	if (r == -EOPNOTSUPP)
		return smctl_error(s,
				   "session %u: this needs cgroup v2, which is not there; see: "
				   "smctl probe",
				   session);
	if (r == -ETIME)
		return smctl_error(s,
				   "session %u: not all of its processes stand still yet; see: "
				   "smctl session show %u",
				   session, session);
	if (r < 0)
		return session_failed(s, r, session);
	if (list) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", session);
		json_put_bool(o, "frozen", freeze);
		(void)json_object_array_add(list, o);
	} else {
		printf("session %u %s\n", session, freeze ? "is frozen" : "goes on");
	}
	return SMCTL_OK;
}

static int freeze_one(struct smctl *s, uint32_t session, json_object *list)
{
	if (session == 0)
		return smctl_error(s, "session 0 holds the services and is not frozen");
	return freeze_or_thaw(s, session, list, true);
}

static int thaw_one(struct smctl *s, uint32_t session, json_object *list)
{
	return freeze_or_thaw(s, session, list, false);
}

static int each_of(struct smctl *s, int argc, char **argv, one_session one)
{
	struct numbers n = {NULL, 0};
	int r = numbers_read(s, argc, argv, &n);

	if (r == 0)
		r = smctl_connect(s);
	if (r == 0)
		r = each_session(s, &n, n.count > 1, one);
	free(n.number);
	return r;
}

int verb_session_freeze(struct smctl *s, int argc, char **argv)
{
	return each_of(s, argc, argv, freeze_one);
}

int verb_session_thaw(struct smctl *s, int argc, char **argv)
{
	return each_of(s, argc, argv, thaw_one);
}
