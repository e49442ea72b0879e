/* SPDX-License-Identifier: MIT */
/*
 * status.c - smctl status, stops and known: what the machine is, was, and loads
 *
 * Only shows; asks the session manager for nothing that costs it more than an answer.
 */
#include "smctl/sessions.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_LIST "KnownDlls" /* in the directory of the API port */

static const char *plural(uint64_t n, const char *one, const char *many)
{
	return n == 1 ? one : many;
}

static json_object *json_stop(const struct sm_stop *stop)
{
	json_object *o = json_object_new_object();
	char code[16];

	(void)snprintf(code, sizeof(code), "0x%08X", stop->code);
	json_put_text(o, "code", code);
	json_put_text(o, "word", stop->word);
	(void)snprintf(code, sizeof(code), "0x%08X", stop->status);
	json_put_text(o, "status", code);
	json_put_text(o, "phase", stop->phase);
	json_put_text(o, "culprit", stop->culprit);
	json_put_text(o, "text", stop->text);
	json_put_bool(o, "earlier", stop->earlier);
	if (stop->wall_s)
		json_put_text(o, "time", show_time(stop->wall_s));
	else
		json_put(o, "time", NULL);
	return o;
}

/* The next of those that are made again when they end, and do not stay up. 1, or not. */
static int failing_next(const struct smctl *s, uint32_t *cursor, struct sm_session *ret)
{
	int r;

	while ((r = sm_session_next(s->c, cursor, ret)) == 1 && !(ret->kept && ret->failures))
		;
	return r;
}

static json_object *json_failing(const struct smctl *s, uint64_t now_ns)
{
	json_object *list = json_object_new_array();
	struct sm_session row;
	uint32_t cursor = 0;

	while (failing_next(s, &cursor, &row) == 1) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", row.session);
		json_put_text(o, "state", sm_session_state_word(row.state));
		json_put_number(o, "failures", row.failures);
		json_put(o, "retry_us",
			 !row.retry_ns ? NULL
			 : row.retry_ns < now_ns
				 ? json_object_new_uint64(0)
				 : json_object_new_uint64((row.retry_ns - now_ns) / 1000u));
		(void)json_object_array_add(list, o);
	}
	return list;
}

static void show_failing(const struct smctl *s, uint64_t now_ns)
{
	struct sm_session row;
	uint32_t cursor = 0;

	while (failing_next(s, &cursor, &row) == 1) {
		char what[32];

		(void)snprintf(what, sizeof(what), "session %u", row.session);
		show_field(what, "failed %u %s in a row, %s%s; see: smctl boot", row.failures,
			   plural(row.failures, "time", "times"),
			   row.retry_ns ? "tried again " : "now ",
			   row.retry_ns ? show_retry(row.retry_ns, now_ns) : show_state(&row));
	}
}

static int status_json(const struct smctl *s, const struct sm_machine *m, const struct why *w,
		       const struct sm_stop *stop)
{
	json_object *o = json_object_new_object();

	json_put_text(o, "phase", m->phase);
	json_put_bool(o, "ready", m->ready);
	json_put_text(o, "mode", sm_mode_word(m->mode));
	json_put_text(o, "level", sm_level_word(m->level));
	json_put_number(o, "attempts", m->attempts);
	json_put_text(o, "blocker", m->blocker);
	json_put_number(o, "pid", sm_master_pid(s->c));
	json_put_number(o, "sessions", m->sessions);
	json_put(o, "failing", json_failing(s, m->now_ns));
	json_put_number(o, "processes", m->processes);
	json_put_number(o, "orphans", m->orphans);
	json_put_number(o, "reaped", m->reaped);
	json_put_number(o, "clients", m->clients);
	json_put_number(o, "degraded", m->degraded);
	json_put_number(o, "lines_dropped", m->lines_dropped);
	json_put_bool(o, "boot_good", m->boot_good);
	json_put_bool(o, "cgroup", !m->no_cgroup);
	json_put_bool(o, "state_writable", !m->no_state);
	json_put(o, "shutdown",
		 m->shutting_down ? json_object_new_string(sm_power_word(m->action)) : NULL);
	json_put_number(o, "started_ns", m->started_ns);
	json_put_number(o, "uptime_us", (m->now_ns - m->started_ns) / 1000u);
	json_put(o, "ready_us",
		 m->ready ? json_object_new_uint64((m->ready_ns - m->started_ns) / 1000u) : NULL);
	json_put_text(o, "hive", m->hive);
	json_put_text(o, "version", m->version);
	json_put_text(o, "build_id", m->build_id);
	json_put(o, "previous_stop", stop ? json_stop(stop) : NULL);
	why_json(w, m, o);
	return json_show(o, false);
}

static void show_boot(const struct sm_machine *m, const struct why *w)
{
	const char *level = m->level == SM_BOOT_CURRENT ? "Current, from "
			    : m->level == SM_BOOT_LKG   ? "LastKnownGood, from "
			    : w->word                   ? "built-in minimum"
							: "built-in minimum: no hive could be used";

	if (m->level == SM_BOOT_BUILTIN)
		show_field("level", "%s", level);
	else
		show_field("level", "%s%s", level, m->hive[0] ? show_text(m->hive) : "(unnamed)");
	if (w->text[0])
		show_field("why", "%s", show_text(w->text));
	if (why_safe_word(m))
		show_field("safe boot", "%s", why_safe_word(m));
	if (m->no_state)
		show_field("attempt", "not counted: the state directory cannot be written");
	else if (m->attempts)
		show_field("attempt", "%u%s", m->attempts,
			   m->boot_good ? ", accepted: this boot is good"
					: ", not yet accepted as good");
	if (m->ready)
		show_field("ready", "after %s", show_duration(m->ready_ns - m->started_ns));
	else
		show_field("ready", "not yet");
	show_field("up", "%s", show_duration(m->now_ns - m->started_ns));
}

static void status_text(const struct smctl *s, const struct sm_machine *m, const struct why *w,
			const struct sm_stop *stop)
{
	printf("smss %s (build %s), process %u of a %s\n", show_text(m->version),
	       show_text(m->build_id), sm_master_pid(s->c), sm_mode_word(m->mode));
	show_field("phase", "%s", m->phase);
	if (m->shutting_down)
		show_field("shutdown", "%s is on its way", sm_power_word(m->action));
	if (m->blocker[0])
		show_field("waiting for", "%s", show_text(m->blocker));
	show_boot(m, w);
	show_field("sessions", "%u", m->sessions);
	show_failing(s, m->now_ns);
	show_field("processes", "%u in the ledger, %u reaped, %u %s, %u %s", m->processes,
		   m->reaped, m->orphans, plural(m->orphans, "orphan", "orphans"), m->clients,
		   plural(m->clients, "client", "clients"));
	if (m->no_cgroup)
		show_field("no cgroup", "there is no cgroup v2: sessions end by pid namespace");
	if (m->degraded)
		show_field("degraded", "%u %s missing; see: smctl boot", m->degraded,
			   plural(m->degraded, "thing is", "things are"));
	if (m->lines_dropped)
		show_field("dropped", "%llu %s that console or kernel log did not take",
			   (unsigned long long)m->lines_dropped,
			   plural(m->lines_dropped, "line", "lines"));
	if (stop)
		show_field("last stop", "0x%08X %s by %s in phase %s%s; see: smctl stops",
			   stop->code, stop->word, show_text(stop->culprit), stop->phase,
			   stop->earlier ? ", of an earlier run" : "");
}

int verb_status(struct smctl *s, int argc, char **argv)
{
	struct sm_machine m;
	struct sm_stop stop;
	struct why w;
	int r, stopped;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_status(s->c, &m);
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	/* A session manager that cannot tell of stops can still tell its status. */
	stopped = sm_last_stop(s->c, &stop);
	why_read(s, &m, &w);
	if (s->json)
		return status_json(s, &m, &w, stopped == 1 ? &stop : NULL);
	status_text(s, &m, &w, stopped == 1 ? &stop : NULL);
	return SMCTL_OK;
}

int verb_stops(struct smctl *s, int argc, char **argv)
{
	struct sm_stop stop;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_last_stop(s->c, &stop);
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (s->json) {
		json_object *o = json_object_new_object(), *list = json_object_new_array();

		if (r == 1)
			(void)json_object_array_add(list, json_stop(&stop));
		json_put(o, "stops", list);
		return json_show(o, false);
	}
	if (r == 0) {
		puts("no stop is recorded: the previous run ended in order");
		return SMCTL_OK;
	}
	show_field("code", "0x%08X %s", stop.code, stop.word);
	if (stop.earlier)
		show_field("run", "an earlier one; the previous run ended in order");
	show_field("time", "%s", stop.wall_s ? show_time(stop.wall_s) : "unknown");
	show_field("phase", "%s", stop.phase);
	show_field("culprit", "%s", show_text(stop.culprit));
	show_field("status", "0x%08X", stop.status);
	if (stop.text[0])
		show_field("text", "%s", show_text(stop.text));
	return SMCTL_OK;
}

/* Cuts the last word off the line at text, not reaching into its first word. NULL if there is none.
 */
static char *last_word(char *text, const char *first_blank)
{
	char *last = first_blank ? strrchr(text, ' ') : NULL;

	if (!last || last <= first_blank)
		return NULL;
	*last = 0;
	return last + 1;
}

/*
 * "name path device:inode bytes sha256", the last "-" when nothing asked for it. The path may hold
 * blanks, so the words are taken from both ends.
 */
static json_object *json_known(char *text)
{
	json_object *o = json_object_new_object();
	char *blank = strchr(text, ' ');
	const char *sha256 = last_word(text, blank), *bytes = last_word(text, blank),
		   *file = last_word(text, blank);

	if (blank)
		*blank = 0;
	json_put_text(o, "name", text);
	json_put_text(o, "path", blank ? blank + 1 : "");
	json_put_text(o, "file", file ? file : "");
	json_put_number(o, "bytes", bytes ? strtoull(bytes, NULL, 10) : 0);
	if (sha256 && strcmp(sha256, "-") != 0)
		json_put_text(o, "sha256", sha256);
	else
		json_put(o, "sha256", NULL);
	return o;
}

int verb_known(struct smctl *s, int argc, char **argv)
{
	json_object *list = NULL, *o;
	const char *slash = strrchr(s->socket, '/');
	char path[PATH_MAX], *text = NULL;
	size_t room = 0;
	ssize_t n;
	FILE *f;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	(void)snprintf(path, sizeof(path), "%.*s" KNOWN_LIST,
		       slash ? (int)(slash - s->socket) + 1 : 0, s->socket);
	f = fopen(path, "re");
	if (!f)
		return smctl_error(s, "%s: %s: phase InitializeKnownDlls makes it; see: smctl boot",
				   show_text(path), strerror(errno));
	if (s->json)
		list = json_object_new_array();
	while ((n = getline(&text, &room, f)) > 0) {
		if (text[n - 1] == '\n')
			text[n - 1] = 0;
		if (list)
			(void)json_object_array_add(list, json_known(text));
		else
			puts(show_text(text));
	}
	free(text);
	(void)fclose(f);
	if (!list)
		return SMCTL_OK;
	o = json_object_new_object();
	json_put(o, "known", list);
	return json_show(o, false);
}
