/* SPDX-License-Identifier: MIT */
/*
 * shapes_list.c - rows of lists of processes: Volatility 3, osquery, Win32_Process
 *
 * What a list does not tell stays untold: pslist has no path, osquery no session. Paths that a
 * process can write itself (Volatility's Path and Cmd lie in its own memory) go behind the
 * kernel's own (Audit).
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "smaudit/readers.h"
#include "smaudit/shapes.h"

#define NAME_CUT_WINDOWS 14 /* what the kernel keeps of a name */
#define NAME_CUT_LINUX   15

/* The row, and below which object of it its columns are. */
struct row {
	struct reading *r;
	struct record *rec;
	unsigned at;
};

static const char *column(const struct row *row, const char *name)
{
	return shapes_told(
		record_text(row->rec, record_find(row->rec, row->at, name, strlen(name))));
}

static bool has(const struct row *row, const char *name)
{
	return record_find(row->rec, row->at, name, strlen(name)) != 0;
}

static uint32_t pid_of(const char *text)
{
	int64_t n;

	/* CSV and text of pstree: a * a level stands before the pid */
	while (text && (*text == '*' || *text == ' '))
		text++;
	n = shapes_number(text);
	return n >= 0 && n < NO_PID ? (uint32_t)n : NO_PID;
}

static bool bad_pid(struct reading *r, uint32_t pid)
{
	if (pid == NO_PID)
		shapes_complain(r, COMPLAINT_BAD, "a process without a pid: left out");
	return pid == NO_PID;
}

static struct process_fact row_fact(const struct reading *r, enum list list)
{
	struct process_fact f = process_fact_none();

	f.seen = SEEN_ALIVE;
	f.list = list;
	f.place = r->place;
	return f;
}

/* Only what can be a path: Volatility writes the name alone for what has no file. */
static const char *path_only(const char *text)
{
	return text && strpbrk(text, "\\/") ? text : NULL;
}

/*
 * pslist and psscan have the same columns, and the same ones by name unless physical offsets were
 * asked for. But the system's own list begins with System, always; a scan begins with whatever lies
 * lowest in memory.
 */
static void know_list(struct reading *r, const struct row *row, uint32_t pid)
{
	if (r->list_known)
		return;
	r->list_known = true;
	if (has(row, "Audit") || has(row, "Cmd") || has(row, "TreeDepth"))
		r->list = LIST_LIVE;
	else if (has(row, "Offset(P)"))
		r->list = LIST_SCAN;
	else
		r->list = pid == 4 || pid == 0 ? LIST_LIVE : LIST_SCAN;
}

static bool volatility(const struct row *row)
{
	struct reading *r = row->r;
	struct process_fact f = row_fact(r, LIST_LIVE);
	bool tree = has(row, "Audit");

	f.pid = pid_of(column(row, "PID"));
	if (bad_pid(r, f.pid))
		return true;
	know_list(r, row, f.pid);
	f.list = r->list;
	f.ppid = pid_of(column(row, "PPID"));
	f.name = column(row, "ImageFileName");
	f.name_cut = f.name && strlen(f.name) >= NAME_CUT_WINDOWS;
	f.started_ns = time_read(column(row, "CreateTime"));
	f.ended_ns = time_read(column(row, "ExitTime"));
	f.session = shapes_number(column(row, "SessionId"));
	f.threads = shapes_number(column(row, "Threads"));
	f.command = column(row, "Cmd");
	f.image = path_only(column(row, "Audit"));
	if (!f.image)
		f.image = path_only(column(row, "Path"));
	shapes_known(r, tree                   ? "Volatility 3 pstree"
			: r->list == LIST_SCAN ? "Volatility 3 psscan"
					       : "Volatility 3 pslist");
	shapes_process(r, &f, NO_TIME);
	return true;
}

static bool volatility_linux(const struct row *row)
{
	struct process_fact f = row_fact(row->r, LIST_LIVE);

	f.system = SYSTEM_LINUX;
	f.pid = pid_of(column(row, "PID"));
	if (bad_pid(row->r, f.pid))
		return true;
	f.ppid = pid_of(column(row, "PPID"));
	f.name = column(row, "COMM");
	f.name_cut = f.name && strlen(f.name) >= NAME_CUT_LINUX;
	f.started_ns = time_read(column(row, "CREATION TIME"));
	f.sid = column(row, "UID");
	shapes_known(row->r, "Volatility 3 pslist of Linux");
	shapes_process(row->r, &f, NO_TIME);
	return true;
}

void shapes_privileges_end(struct reading *r)
{
	struct process_fact f = row_fact(r, LIST_NONE);

	if (r->privileges.pid == NO_PID)
		return;
	f.seen = SEEN_ACTIVE; /* no row of a list: no parent, no start */
	f.place = r->privileges.place;
	f.pid = r->privileges.pid;
	f.name = r->privileges.name[0] ? r->privileges.name : NULL;
	f.name_cut = f.name && strlen(f.name) >= NAME_CUT_WINDOWS;
	f.privileges = r->privileges.text;
	r->privileges.pid = NO_PID;
	if (r->privileges.cut && r->to->trouble)
		r->to->trouble(
			r->to->arg, &f.place, TROUBLE_DEGRADED,
			"more privileges of one process than are kept: the rest is left out");
	r->privileges.cut = false;
	shapes_process(r, &f, NO_TIME);
}

/* A line a privilege: those that are enabled, of one process after another. */
static bool privileges(const struct row *row)
{
	struct reading *r = row->r;
	const char *privilege = column(row, "Privilege"), *state = column(row, "Attributes");
	const char *name = column(row, "Process");
	uint32_t pid = pid_of(column(row, "PID"));
	size_t used;

	if (bad_pid(r, pid))
		return true;
	if (pid != r->privileges.pid) {
		shapes_privileges_end(r);
		r->privileges.pid = pid;
		r->privileges.place = r->place;
		r->privileges.text[0] = '\0';
		snprintf(r->privileges.name, sizeof(r->privileges.name), "%s", name ? name : "");
	}
	shapes_known(r, "Volatility 3 privileges");
	used = strlen(r->privileges.text);
	if (!privilege || !state || !strstr(state, "Enabled"))
		return true;
	if (strlen(privilege) + 2 > sizeof(r->privileges.text) - used)
		r->privileges.cut = true; /* a part of a name would be another name */
	else
		snprintf(r->privileges.text + used, sizeof(r->privileges.text) - used, "%s%s",
			 used ? " " : "", privilege);
	return true;
}

static bool win32_process(const struct row *row)
{
	struct process_fact f = row_fact(row->r, LIST_LIVE);
	const char *started;

	f.pid = pid_of(column(row, "ProcessId"));
	if (bad_pid(row->r, f.pid))
		return true;
	f.ppid = pid_of(column(row, "ParentProcessId"));
	f.name = column(row, "Name");
	if (!f.name)
		f.name = column(row, "Caption");
	f.image = path_only(column(row, "ExecutablePath"));
	f.command = column(row, "CommandLine");
	f.session = shapes_number(column(row, "SessionId"));
	f.threads = shapes_number(column(row, "ThreadCount"));
	started = column(row, "CreationDate");
	if (!started) /* PowerShell 5 wraps a date that it has looked at */
		started = record_get(row->rec, row->at, "CreationDate.value");
	f.started_ns = time_read(started);
	f.host = column(row, "PSComputerName");
	if (!f.host)
		f.host = column(row, "CSName");
	if (!f.host)
		f.host = column(row, "Node");
	shapes_known(row->r, "Win32_Process list");
	shapes_process(row->r, &f, NO_TIME);
	return true;
}

/* ---- osquery ---- */

struct osquery { /* what the log's line says of its rows */
	const char *host;
	int64_t taken_ns;
	bool removed;
};

/* Of Windows, osquery tells the last number of the SID: of another account it stays a number. It
 * says 0 or -1 of what it may not read. */
static const char *osquery_sid(enum system system, const char *uid)
{
	static const char *const sids[][2] = {
		{"18", "S-1-5-18"}, {"19", "S-1-5-19"}, {"20", "S-1-5-20"}};
	int64_t account;

	if (!uid || system == SYSTEM_LINUX)
		return uid;
	for (size_t i = 0; i < 3; i++) {
		if (!strcmp(uid, sids[i][0]))
			return sids[i][1];
	}
	account = shapes_number(uid);
	return account > 0 && account < UINT32_MAX ? uid : NULL;
}

static bool is_drive(const char *path)
{
	return ((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') && path[1] == ':';
}

/*
 * Of which system a row is. Its own path says it; a row without one is of the file's, which the
 * first path in it says. A name of a program for Windows stays one, whatever else is in the file: a
 * log may be of many machines. A pid says nothing: those of Windows need not be multiples of 4.
 */
static enum system osquery_system(struct reading *r, const struct process_fact *f)
{
	const size_t n = f->name ? strlen(f->name) : 0;
	enum system is;

	if (!f->image) {
		if (!r->system_known || (n > 4 && !strcasecmp(f->name + n - 4, ".exe")))
			return SYSTEM_WINDOWS;
		return r->system;
	}
	if (is_drive(f->image) || f->image[0] == '\\')
		is = SYSTEM_WINDOWS;
	else if (f->image[0] == '/')
		is = SYSTEM_LINUX;
	else
		is = strchr(f->image, '\\') ? SYSTEM_WINDOWS : SYSTEM_LINUX;
	if (!r->system_known)
		r->system = is;
	r->system_known = true;
	return is;
}

static void osquery_row(const struct row *row, const struct osquery *o)
{
	struct reading *r = row->r;
	struct process_fact f = row_fact(r, LIST_LIVE);

	f.pid = pid_of(column(row, "pid"));
	if (bad_pid(r, f.pid))
		return;
	f.ppid = pid_of(column(row, "parent"));
	f.name = column(row, "name");
	f.image = path_only(column(row, "path"));
	f.system = osquery_system(r, &f);
	f.name_cut = f.system == SYSTEM_LINUX && f.name && strlen(f.name) >= NAME_CUT_LINUX;
	f.command = column(row, "cmdline");
	f.started_ns = time_read(column(row, "start_time"));
	if (f.started_ns != NO_TIME && f.started_ns <= 0)
		f.started_ns = NO_TIME;
	f.threads = shapes_number(column(row, "threads"));
	f.user = column(row, "username");
	f.sid = osquery_sid(f.system, column(row, "uid"));
	f.sha256 = column(row, "sha256");
	f.signature = column(row, "result");
	f.signer = column(row, "subject_name");
	f.original_name = column(row, "original_program_name");
	f.host = o->host;
	if (o->removed) {
		f.seen = SEEN_END;
		f.list = LIST_NONE;
		f.time_ns = o->taken_ns;
	}
	shapes_known(r, "osquery processes");
	shapes_process(r, &f, o->taken_ns);
}

static bool is_osquery_row(const struct row *row)
{
	return has(row, "pid") && (has(row, "parent") || (has(row, "path") && has(row, "name")));
}

static void osquery_nested(struct reading *r, unsigned depth, void *arg)
{
	struct row row = {r, &r->records[depth], 0};

	if (is_osquery_row(&row))
		osquery_row(&row, arg);
	else
		shapes_known(r, "osquery log"); /* of another table */
}

bool shapes_osquery(struct reading *r, struct record *rec, unsigned depth)
{
	static const char *const lists[] = {"snapshot", "diffResults.removed", "diffResults.added"};
	struct row log = {r, rec, 0}, row = {r, rec, record_object(rec, 0, "columns")};
	const char *action = column(&log, "action");
	struct osquery o = {.host = column(&log, "hostIdentifier")};
	bool any = false;

	if (!o.host)
		o.host = record_get(rec, 0, "decorations.hostname");
	if (!action && !o.host && !row.at)
		return false;
	o.taken_ns = time_read(column(&log, "unixTime"));
	o.removed = action && !strcmp(action, "removed");
	if (row.at) {
		shapes_known(r, "osquery log");
		if (is_osquery_row(&row))
			osquery_row(&row, &o);
		return true;
	}
	for (unsigned i = 0; i < 3; i++) {
		unsigned list = record_path(rec, 0, lists[i]);

		if (!list || rec->at[list - 1].kind != FIELD_ARRAY)
			continue;
		shapes_known(r, "osquery log");
		any = true;
		o.removed = i == 1;
		read_nested(r, &rec->at[list - 1], depth + 1, osquery_nested, &o);
		if (i == 0)
			shapes_list_end(r, o.host);
	}
	return any;
}

/* ---- all ---- */

typedef bool list_reader(const struct row *row);

static list_reader *reader_of(const struct row *row)
{
	if (has(row, "PID")) {
		if (has(row, "ImageFileName"))
			return volatility;
		if (has(row, "COMM") && has(row, "PPID"))
			return volatility_linux;
		if (has(row, "Privilege") && has(row, "Attributes"))
			return privileges;
	}
	if (has(row, "ProcessId") && has(row, "ParentProcessId") &&
	    (has(row, "ExecutablePath") || has(row, "CreationDate") || has(row, "HandleCount")))
		return win32_process;
	return NULL;
}

bool shapes_list(struct reading *r, struct record *rec)
{
	struct row row = {r, rec, 0};
	struct osquery nothing = {.host = NULL, .taken_ns = NO_TIME};
	list_reader *reader = reader_of(&row);

	if (reader)
		return reader(&row);
	if (!is_osquery_row(&row))
		return false;
	nothing.host = column(&row, "hostname"); /* joined from system_info */
	osquery_row(&row, &nothing);
	return true;
}

bool shapes_list_names(const struct record *names)
{
	struct record copy = *names;
	struct row row = {NULL, &copy, 0};

	return reader_of(&row) || is_osquery_row(&row);
}
