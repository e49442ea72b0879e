/* SPDX-License-Identifier: MIT */
/*
 * session_show.c - smctl session show and session limits: all about one session
 *
 * Three sources, each of which may be out of reach: the session manager's row, the kernel's files
 * about the session's processes and cgroup, and the programs that its csrss knows. What cannot be
 * read is said to be unknown (JSON: null), never guessed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"
#include "smctl/sessions.h"
#include "smctl/table.h"
#include "sys/sys.h"

#define STATUS_BYTES 8192
#define UNKNOWN      (-1)

static const char *const namespaces[] = {"mount", "ipc", "pid", "uts", "net"};
static const char *const ns_files[] = {"mnt", "ipc", "pid", "uts", "net"};

struct about {
	struct sm_session row;
	uint64_t now_ns;
	bool has_limits;
	char group[256];
	struct limits limits;
	int own[ARRAY_SIZE(namespaces)]; /* 1 it has its own, 0 the machine's, UNKNOWN */
	char umask[16], capabilities[24], score[16]; /* of its processes; "" = unknown */
	int no_new_privs;
	json_object *programs;   /* NULL = unknown */
	const char *no_programs; /* why */
};

static bool namespace_of(unsigned pid, const char *file, char *to, size_t cap)
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/ns/%s", pid, file);
	n = readlink(path, to, cap - 1);
	to[n > 0 ? n : 0] = 0;
	return n > 0;
}

static void read_namespaces(struct about *a, unsigned master, unsigned pid)
{
	char machine[64], session[64];

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		a->own[i] = namespace_of(master, ns_files[i], machine, sizeof(machine)) &&
					    namespace_of(pid, ns_files[i], session, sizeof(session))
				    ? !str_same(machine, session)
				    : UNKNOWN;
}

/* The value of a line "Name:\tvalue" of /proc/PID/status. */
static void status_value(const char *status, const char *name, char *to, size_t cap)
{
	const char *at = strstr(status, name);

	if (at) {
		at += strlen(name);
		(void)snprintf(to, cap, "%.*s", (int)strcspn(at, "\n"), at);
	}
}

static void read_settings(struct about *a, unsigned pid)
{
	char path[64], text[STATUS_BYTES], flag[8] = "";
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/status", pid);
	n = sys_read_file(AT_FDCWD, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	status_value(text, "\nUmask:\t", a->umask, sizeof(a->umask));
	status_value(text, "\nCapBnd:\t", a->capabilities, sizeof(a->capabilities));
	status_value(text, "\nNoNewPrivs:\t", flag, sizeof(flag));
	a->no_new_privs = flag[0] ? flag[0] == '1' : UNKNOWN;
	(void)snprintf(path, sizeof(path), "/proc/%u/oom_score_adj", pid);
	n = sys_read_file(AT_FDCWD, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	(void)snprintf(a->score, sizeof(a->score), "%.*s", (int)strcspn(text, "\n"), text);
}

static void read_limits(struct about *a, unsigned pid)
{
	_close_ int directory = limits_find(a->row.session, (int)pid, a->group, sizeof(a->group));

	a->has_limits = directory >= 0;
	if (a->has_limits)
		limits_read(directory, &a->limits);
}

static json_object *json_program(const struct sm_program_info *p)
{
	json_object *o = json_object_new_object();

	json_put_number(o, "pid", p->pid);
	json_put_number(o, "uid", p->uid);
	json_put_text(o, "command", p->command);
	json_put_text(o, "with", p->terminal ? "terminal" : p->pipes ? "pipes" : "nothing");
	json_put_number(o, "started_ns", p->started_ns);
	return o;
}

/* Asked of the session's csrss, so not while it cannot answer. */
static void read_programs(struct smctl *s, struct about *a)
{
	struct sm_program_info p;
	uint32_t cursor = 0;
	int r;

	if (a->row.frozen || a->row.state != SM_SESSION_RUNNING) {
		a->no_programs = a->row.frozen ? "it is frozen" : "it is not running";
		return;
	}
	a->programs = json_object_new_array();
	while ((r = sm_program_next(s->c, a->row.session, &cursor, &p)) == 1)
		(void)json_object_array_add(a->programs, json_program(&p));
	if (r == 0)
		return;
	(void)json_object_put(a->programs);
	a->programs = NULL;
	a->no_programs = r == -EACCES ? "only root and its owner may know" : sm_error_text(r);
}

static void read_kernel(const struct smctl *s, struct about *a)
{
	const unsigned pid = a->row.initial_pid ? a->row.initial_pid : a->row.csrss_pid;

	a->no_new_privs = UNKNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(a->own); i++)
		a->own[i] = UNKNOWN;
	if (!pid || !sm_same_pids(s->c))
		return;
	read_namespaces(a, sm_master_pid(s->c), pid);
	read_settings(a, pid);
	read_limits(a, pid);
}

/* ---- for programs ---- */

static void put_known(json_object *o, const char *key, int known)
{
	json_put(o, key, known == UNKNOWN ? NULL : json_object_new_boolean(known));
}

static void put_known_text(json_object *o, const char *key, const char *text)
{
	if (*text)
		json_put_text(o, key, text);
	else
		json_put(o, key, NULL);
}

static int about_json(const struct about *a)
{
	json_object *o = json_session(&a->row), *own = json_object_new_object(),
		    *settings = json_object_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		put_known(own, namespaces[i], a->own[i]);
	json_put(o, "own", own);
	put_known_text(settings, "umask", a->umask);
	put_known(settings, "no_new_privs", a->no_new_privs);
	put_known_text(settings, "capabilities", a->capabilities);
	put_known_text(settings, "oom_score", a->score);
	json_put(o, "settings", settings);
	put_known_text(o, "cgroup", a->has_limits ? a->group : "");
	json_put(o, "limits", a->has_limits ? limits_json(&a->limits) : NULL);
	json_put(o, "programs", a->programs);
	return json_show(o, false);
}

/* ---- for people ---- */

#define CAPABILITIES_TOLD 8u /* what is missing is told, if it is so few */

/* The bounding set as words: "all", "none", "all but sys_boot", or what is in it. */
static const char *capability_words(const char *hex)
{
	static char with[1024], without[1024];
	struct text in = TEXT_ON(with), out = TEXT_ON(without);
	const uint64_t set = strtoull(hex, NULL, 16);
	unsigned missing = 0;

	text_add(&out, "all but ");
	for (unsigned i = 0; policy_capability_name(i); i++) {
		const char *name = policy_capability_name(i);

		if (set >> i & 1)
			text_add(text_add(&in, in.len ? "," : ""), name);
		else
			text_add(text_add(&out, missing++ ? "," : ""), name);
	}
	return !missing ? "all" : missing <= CAPABILITIES_TOLD ? without : set ? with : "none";
}

static void show_row(const struct about *a)
{
	const struct sm_session *row = &a->row;

	show_field("state", "%s%s", show_state(row),
		   row->kept ? "; it is made again when it ends" : "");
	if (row->owner != SM_NO_USER)
		show_field("owner", "%s (%u)", show_user(row->owner), row->owner);
	if (row->csrss_pid)
		show_field("csrss", "%u%s%s", row->csrss_pid, row->restarts ? ", restarted " : "",
			   row->restarts ? show_number(row->restarts) : "");
	if (row->initial_pid)
		show_field("command", "%s %u", show_text(row->initial), row->initial_pid);
	if (row->console[0])
		show_field("console", "%s", show_text(row->console));
	if (row->ready_us)
		show_field("ready", "after %s, up %s", show_duration(row->ready_us * 1000u),
			   show_duration(a->now_ns > row->created_ns ? a->now_ns - row->created_ns
								     : 0));
	if (row->failures)
		show_field("failed", "%u %s in a row%s%s", row->failures,
			   row->failures == 1 ? "time" : "times",
			   row->retry_ns ? "; tried again " : "",
			   row->retry_ns ? show_retry(row->retry_ns, a->now_ns) : "");
	if (row->idle_s)
		show_field("ends", "after %s without input%s",
			   show_duration(row->idle_s * 1000000000ull),
			   idle_is_watched(row) ? "" : ", if it had a winlogon to watch for that");
	if (row->ends_ns > a->now_ns)
		show_field("ends", "in %s", show_duration(row->ends_ns - a->now_ns));
	show_field("its end", "%s",
		   row->hold == SM_HOLD_CGROUP          ? "is certain by its cgroup"
		   : row->hold == SM_HOLD_PID_NAMESPACE ? "is certain by its pid namespace"
							: "comes with the machine");
}

static void show_kernel(const struct about *a)
{
	char own[64];
	struct text t = TEXT_ON(own);

	show_field("isolation", "%s", show_isolation(a->row.isolation));
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (a->own[i] == 1)
			text_add(text_add(&t, t.len ? " " : ""), namespaces[i]);
	if (a->own[0] != UNKNOWN) {
		show_field("of its own", "%s", t.len ? own : "-");
		show_field("mounts", "%s", a->own[0] ? "private" : "the machine's");
	} else {
		show_field("mounts", "%s",
			   a->row.isolation & SM_ISOLATION_MOUNT ? "private" : "the machine's");
	}
	if (!a->umask[0])
		return;
	show_field("settings", "umask %s, oom score %s%s", show_text(a->umask),
		   a->score[0] ? show_text(a->score) : "-",
		   a->no_new_privs == 1 ? ", no new privileges" : "");
	show_field("can at most", "%s", capability_words(a->capabilities));
}

static void show_limits(const struct about *a)
{
	if (!a->has_limits) {
		show_field("limits", "%s",
			   a->row.hold == SM_HOLD_CGROUP ? "unknown: its cgroup cannot be read here"
							 : "none: it has no cgroup");
		return;
	}
	show_field("cgroup", "%s", show_text(a->group));
	limits_show(&a->limits);
}

static const char *text_at(json_object *o, const char *key)
{
	json_object *value;

	return json_object_object_get_ex(o, key, &value) && value ? json_object_get_string(value)
								  : "";
}

static void show_programs(const struct about *a)
{
	static const struct column columns[] = {
		{"pid", 0, 0, true, false},      {"user", 2, 0, false, false},
		{"since", 3, 0, false, false},   {"with", 4, 0, false, false},
		{"program", 0, 8, false, false},
	};
	struct table t = table_start(columns, ARRAY_SIZE(columns));
	const size_t count = a->programs ? json_object_array_length(a->programs) : 0;

	if (!count) {
		show_field("programs", "%s%s",
			   a->programs ? "none" : "unknown: ", a->programs ? "" : a->no_programs);
		return;
	}
	show_field("programs", "%s that csrss was asked to start:", show_number(count));
	for (size_t i = 0; i < count; i++) {
		json_object *o = json_object_array_get_idx(a->programs, i);
		const uint64_t started_ns = strtoull(text_at(o, "started_ns"), NULL, 10);

		table_cell(&t, "%s", text_at(o, "pid"));
		table_cell(&t, "%s", show_user((uint32_t)strtoul(text_at(o, "uid"), NULL, 10)));
		table_cell(&t, "%s",
			   show_duration(a->now_ns > started_ns ? a->now_ns - started_ns : 0));
		table_cell(&t, "%s", text_at(o, "with"));
		table_cell(&t, "%s", show_text(text_at(o, "command")));
	}
	table_show(&t);
}

/* ---- verbs ---- */

/* Connects and reads the row; 0, or has said what is wrong. */
static int begin(struct smctl *s, const char *word, struct about *a)
{
	uint64_t session;
	char what[32];
	int r;

	if (!word || smctl_number(word, SM_MACHINE_SESSION - 1, &session) < 0)
		return smctl_usage(s, "wanted: the number of a session");
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_session_get(s->c, (uint32_t)session, &a->row);
	(void)snprintf(what, sizeof(what), "session %u", (uint32_t)session);
	a->now_ns = sys_now_ns();
	return r < 0 ? smctl_call_failed(s, r, what) : 0;
}

int verb_session_show(struct smctl *s, int argc, char **argv)
{
	struct about a = {.has_limits = false};
	int r = begin(s, argc == 1 ? argv[0] : NULL, &a);

	if (r)
		return r;
	read_kernel(s, &a);
	read_programs(s, &a);
	if (s->json)
		return about_json(&a);
	printf("session %u\n", a.row.session);
	show_row(&a);
	show_kernel(&a);
	show_limits(&a);
	show_programs(&a);
	(void)json_object_put(a.programs);
	return SMCTL_OK;
}

static int change(struct smctl *s, uint32_t session, const struct sm_session_change *c)
{
	char what[32];
	int r = sm_session_limits(s->c, session, c);

	(void)snprintf(what, sizeof(what), "session %u", session);
	switch (r) {
	case 0:
		return SMCTL_OK;
	case -EACCES:
		return smctl_error(s, "access denied: this needs root; try it with sudo");
	case -EOPNOTSUPP:
		return smctl_error(s,
				   "%s: this kernel does not offer that limit for it; smctl boot "
				   "names the limit, smctl probe what there is",
				   what);
	case -ETIME:
		return smctl_error(s,
				   "%s: the kernel did not take it in time (memory is taken back "
				   "first); what is in force: smctl session limits %u",
				   what, session);
	default:
		return smctl_call_failed(s, r, what);
	}
}

int verb_session_limits(struct smctl *s, int argc, char **argv)
{
	static const struct sm_session_change nothing;
	struct about a = {.has_limits = false};
	struct sm_session_change c;
	const char *number;
	int r = session_limits_options(s, argc, argv, &c, &number);

	if (r)
		return r - 1;
	r = begin(s, number, &a);
	if (r == 0 && memcmp(&c, &nothing, sizeof(c)) != 0)
		r = change(s, a.row.session, &c);
	if (r)
		return r;
	read_kernel(s, &a);
	if (s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", a.row.session);
		put_known_text(o, "cgroup", a.has_limits ? a.group : "");
		json_put(o, "limits", a.has_limits ? limits_json(&a.limits) : NULL);
		return json_show(o, false);
	}
	printf("session %u\n", a.row.session);
	show_limits(&a);
	return SMCTL_OK;
}
