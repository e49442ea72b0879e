/* SPDX-License-Identifier: MIT */
/*
 * smctl.h - what the files of smctl share: the run's options, its verbs, and how things are shown
 *
 * smctl is a client like any other: what it shows comes from libsm, from /proc, or from the files
 * that the session manager publishes below /run/smss. It starts in boot scripts, so it does nothing
 * that the asked verb does not need. A file per group of verbs; a verb returns the exit status.
 */
#pragma once

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sm.h"

enum smctl_exit { SMCTL_OK = 0, SMCTL_FAILED = 1, SMCTL_USAGE = 2 };

struct smctl {
	const char *name;   /* as which program we speak: "smctl", "reboot", ... */
	const char *verb;   /* for messages; NULL under another name */
	const char *socket; /* --socket, else SMSS_SOCKET, else SM_PORT_PATH */
	bool json;
	bool follow, phases;     /* boot */
	bool fast, detached;     /* power; exec */
	bool force;              /* boot reject */
	bool all;                /* session end */
	const char *only;        /* events; NULL = every kind */
	const char *reason;      /* power; NULL none */
	int timeout_s;           /* wait; -1 not given, 0 = for ever */
	struct sm_connection *c; /* NULL until smctl_connect */
};

/* ---- verbs: arguments are what follows the verb, its options taken out ---- */
int verb_status(struct smctl *s, int argc, char **argv);
int verb_tree(struct smctl *s, int argc, char **argv);
int verb_sessions(struct smctl *s, int argc, char **argv);
int verb_session_new(struct smctl *s, int argc, char **argv);
int verb_session_end(struct smctl *s, int argc, char **argv);
int verb_session_show(struct smctl *s, int argc, char **argv);
int verb_session_limits(struct smctl *s, int argc, char **argv);
int verb_session_freeze(struct smctl *s, int argc, char **argv);
int verb_session_thaw(struct smctl *s, int argc, char **argv);
int verb_exec(struct smctl *s, int argc, char **argv);
int verb_boot(struct smctl *s, int argc, char **argv);
int verb_stops(struct smctl *s, int argc, char **argv);
int verb_events(struct smctl *s, int argc, char **argv);
int verb_wait_ready(struct smctl *s, int argc, char **argv);
int verb_known(struct smctl *s, int argc, char **argv);
int verb_probe(struct smctl *s, int argc, char **argv);
int verb_boot_accept(struct smctl *s, int argc, char **argv);
int verb_boot_reject(struct smctl *s, int argc, char **argv);
int verb_boot_next_lkg(struct smctl *s, int argc, char **argv);
int verb_pending(struct smctl *s, int argc, char **argv);
int verb_not_implemented(struct smctl *s, int argc, char **argv);

/*
 * power_main - smctl poweroff|reboot|halt, and the programs poweroff, reboot, halt, shutdown,
 * telinit program  one of those words; it alone decides how the arguments are read argv     argv[0]
 * is the program's or verb's name; options still in it Returns the exit status, or -1 when program
 * is none of those words.
 */
int power_main(struct smctl *s, const char *program, int argc, char **argv);

/* Why this boot does not stand at Current (why.c). */
struct why {
	bool word;   /* a kernel word asked for the built-in minimum */
	bool broken; /* the hive cannot be used as it is: changing it needs another one first */
	char text[2 * SM_TEXT_BYTES + 64]; /* "" at Current */
};

/* why_read - fill *ret from the boot timeline; asks nothing at Current. Never fails. */
void why_read(struct smctl *s, const struct sm_machine *m, struct why *ret);
/* why_json - the fields why and safe_boot of o */
void why_json(const struct why *w, const struct sm_machine *m, json_object *o);
/* why_safe_word - "minimal" or "network"; NULL when this is no safe boot */
const char *why_safe_word(const struct sm_machine *m);

/* standing_show, standing_json - what LastKnownGood stands at (standing.c): lines, or fields of o
 */
void standing_show(const struct sm_boot_standing *g, const struct sm_machine *m,
		   const struct why *w);
void standing_json(const struct sm_boot_standing *g, json_object *o);

/* outlook_read - what the next boot is to groups (outlook.c); false = whoever asks may not know. */
bool outlook_read(struct sm_next_boot *ret);

/* ---- running (run.c) ---- */

/* smctl_connect - open s->c. Returns 0, or has said why not and returns SMCTL_FAILED. */
int smctl_connect(struct smctl *s);

/* smctl_error - one line on standard error, "NAME: VERB: text"; returns SMCTL_FAILED. */
int smctl_error(const struct smctl *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* smctl_usage - the same for wrong use, with where help is; returns SMCTL_USAGE. */
int smctl_usage(const struct smctl *s, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * smctl_option_error - wrong use of an option, just after getopt_long has found it
 *   letter  '?' or ':', or the letter of an option that is not one here
 * Returns SMCTL_USAGE.
 */
int smctl_option_error(const struct smctl *s, int letter, char **argv);

/*
 * smctl_call_failed - say why a call of libsm failed, and what to do next
 *   r     its result, negative
 *   what  what was not found, when that can be the reason ("session 7"); else NULL
 * Returns SMCTL_FAILED.
 */
int smctl_call_failed(const struct smctl *s, int r, const char *what);

/* smctl_number - a decimal number of at most max. Returns 0 or -EINVAL. */
int smctl_number(const char *word, uint64_t max, uint64_t *ret);

/* verbs_help - the help of a verb, or of smctl itself when verb is NULL, to standard output. */
void verbs_help(const char *verb);

/* ---- showing (show.c) ---- */

/*
 * show_text - text from outside, fit for a terminal: control bytes, DEL and bytes >= 0x80 as \xHH
 * A backslash stays as it is, so what the session manager has escaped already is not escaped twice.
 * Returns a string in one of four buffers used in turn.
 */
const char *show_text(const char *s);

/* show_duration - nanoseconds as "0.42 ms", "12.3 ms", "1.23 s", "3 min 07 s", "2 h 05 min", "4 d
 * 03 h"; same buffers. */
const char *show_duration(uint64_t ns);

/* show_since - seconds from then to now with three decimals ("0.103"); same buffers. */
const char *show_since(uint64_t ns, uint64_t origin_ns);

/* show_time - UTC as "2026-11-22T15:31:05Z"; same buffers. */
const char *show_time(uint64_t wall_s);

/* show_size - bytes as "64.0 MiB", "512 bytes"; show_number - decimal; same buffers. */
const char *show_size(uint64_t bytes);
const char *show_number(uint64_t n);

/* show_user - a user by name, else by number, "-" for SM_NO_USER; same buffers. */
const char *show_user(uint32_t uid);

/* show_state - a session's state, with ", frozen" if it is; same buffers. */
const char *show_state(const struct sm_session *row);

/* show_isolation - what it has of its own, as "mount ipc", "-" = nothing; same buffers. */
const char *show_isolation(uint32_t isolation);

/* show_field - a line "what  text", the texts of all such lines below each other */
void show_field(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* show_result - "ok", "failed (5: input/output error)", "crashed (signal 11)"; same buffers. */
const char *show_result(const struct sm_boot_entry *e);

/* show_utf8 - standard output is a terminal that takes UTF-8. */
bool show_utf8(void);

/* ---- JSON (show.c): small shorthands; json_put_text makes invalid UTF-8 valid by \xHH ---- */
void json_put(json_object *o, const char *key, json_object *value);
void json_put_text(json_object *o, const char *key, const char *s);
void json_put_number(json_object *o, const char *key, uint64_t n);
void json_put_bool(json_object *o, const char *key, bool b);
/* json_show - print o as a document of its own (or on one line) and give it back. Returns SMCTL_OK,
 * or SMCTL_FAILED when standard output failed. */
int json_show(json_object *o, bool one_line);

/* json_session, json_boot_entry - the fields of smctl(8), the same in every verb that shows them.
 */
json_object *json_session(const struct sm_session *row);
json_object *json_boot_entry(const struct sm_boot_entry *e);

/* ---- processes of this machine (procs.c) ---- */

struct proc {
	int pid, parent;
	bool taken;    /* shown already, or shown elsewhere */
	char name[64]; /* the kernel's short name, as it is: escape it */
};

struct procs {
	struct proc *row; /* sorted by parent, then pid */
	size_t count;
};

/*
 * procs_read - every process of /proc but kernel threads
 * Returns 0 or -errno; processes that end meanwhile are left out. Give back with procs_free.
 */
int procs_read(struct procs *ret);
void procs_free(struct procs *p);
/* procs_children - index of the first child of a pid, p->count when it has none. */
size_t procs_children(const struct procs *p, int pid);
/* procs_cgroup - the cgroup v2 path of a process. Returns 0 or -errno. */
int procs_cgroup(int pid, char *ret, size_t cap);
/* procs_find - the row of a pid, or NULL. */
struct proc *procs_find(const struct procs *p, int pid);
