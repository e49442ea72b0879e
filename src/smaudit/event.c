/* SPDX-License-Identifier: MIT */
/*
 * event.c - what one Windows event tells of processes and boots; see readers.h
 *
 * The same for event logs and for JSON of any shape: fields are asked for by name, and only when
 * the event's number says that it can matter, so that millions of others cost a comparison. What is
 * missing stays missing: Sysmon's own process and account (Execution, Security) are never taken for
 * those of the process it tells of, nor a creator's account for that of what it created.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/evtx.h"
#include "smaudit/readers.h"

#define USER_MAX    512u
#define KEY_MAX     512u
#define VALUE_MAX   4096u /* UTF-16 units of a written value that is looked at */
#define MULTI_SZ    7u
#define NOBODY      "S-1-0-0"
#define SM_KEY      "\\Control\\Session Manager\\"
#define SYSMON      "Microsoft-Windows-Sysmon"
#define AUDITING    "Microsoft-Windows-Security-Auditing"
#define KERNEL      "Microsoft-Windows-Kernel-General"
#define LOG_SERVICE "EventLog"

enum writer { WRITER_SYSMON, WRITER_AUDITING, WRITER_KERNEL, WRITER_LOG_SERVICE };

struct asking {
	const char *(*get)(void *arg, const char *name);
	void *arg;
	const struct place *place;
	const struct sink *to;
	unsigned id;
};

struct kind { /* of events that tell */
	enum writer writer;
	unsigned id;
	bool (*tell)(const struct asking *a);
};

/* A field that says something: Sysmon and Security write "-" for nothing. */
static const char *told(const struct asking *a, const char *name)
{
	const char *t = a->get(a->arg, name);

	return t && *t && strcmp(t, "-") != 0 ? t : NULL;
}

static int64_t when(const struct asking *a, const char *name)
{
	const char *t = told(a, name);

	return t ? time_read(t) : NO_TIME;
}

static uint32_t pid_of(const struct asking *a, const char *name)
{
	const char *t = told(a, name);
	uint64_t n;

	if (!t || str_u64(t, strlen(t), &n) < 0 || n >= NO_PID)
		return NO_PID;
	return (uint32_t)n;
}

/* A GUID of zeros stands for a process that Sysmon did not know. */
static const char *guid_of(const struct asking *a, const char *name)
{
	const char *t = told(a, name);

	return t && t[strspn(t, "{}0-")] ? t : NULL;
}

static struct process_fact begin(const struct asking *a, enum seen seen)
{
	struct process_fact f = process_fact_none();

	f.system = SYSTEM_WINDOWS;
	f.seen = seen;
	f.list = LIST_NONE;
	f.place = *a->place;
	f.host = told(a, "Computer");
	f.logged_ns = NO_TIME;
	f.time_ns = when(a, "TimeCreated");
	return f;
}

static bool finish(const struct asking *a, struct process_fact *f)
{
	if (f->pid == NO_PID && !f->guid && !f->image)
		return false;
	if (f->seen == SEEN_START)
		f->started_ns = f->time_ns;
	if (f->seen == SEEN_END)
		f->ended_ns = f->time_ns;
	if (a->to->process)
		a->to->process(a->to->arg, f);
	return true;
}

/* ---- Sysmon ---- */

/* UtcTime is when it happened; TimeCreated may be many seconds later, above all at boot. */
static struct process_fact begin_sysmon(const struct asking *a, enum seen seen)
{
	struct process_fact f = begin(a, seen);
	int64_t utc_ns = when(a, "UtcTime");

	if (utc_ns != NO_TIME) {
		f.logged_ns = f.time_ns;
		f.time_ns = utc_ns;
	}
	return f;
}

/* "SHA1=...,SHA256=...": the hexadecimal digits of the one that is wanted. */
static const char *hash_of(const char *hashes, char hex[65])
{
	while (hashes) {
		if (!strncasecmp(hashes, "SHA256=", 7)) {
			size_t n = 0;

			for (hashes += 7; n < 64 && isxdigit((unsigned char)hashes[n]); n++)
				hex[n] = (char)tolower((unsigned char)hashes[n]);
			hex[n] = '\0';
			return n == 64 && (!hashes[64] || hashes[64] == ',') ? hex : NULL;
		}
		hashes = strchr(hashes, ',');
		hashes = hashes ? hashes + 1 : NULL;
	}
	return NULL;
}

static bool tell_start(const struct asking *a)
{
	struct process_fact f = begin_sysmon(a, SEEN_START);
	const char *session = told(a, "TerminalSessionId");
	uint64_t n;
	char hex[65];

	f.pid = pid_of(a, "ProcessId");
	f.ppid = pid_of(a, "ParentProcessId");
	f.guid = guid_of(a, "ProcessGuid");
	f.parent_guid = guid_of(a, "ParentProcessGuid");
	f.image = told(a, "Image");
	f.command = told(a, "CommandLine");
	f.parent_image = told(a, "ParentImage");
	f.user = told(a, "User");
	f.integrity = told(a, "IntegrityLevel");
	if (session && str_u64(session, strlen(session), &n) == 0 && n <= UINT32_MAX)
		f.session = (int64_t)n;
	f.original_name = told(a, "OriginalFileName");
	f.company = told(a, "Company");
	f.product = told(a, "Product");
	f.file_version = told(a, "FileVersion");
	f.sha256 = hash_of(told(a, "Hashes"), hex);
	return finish(a, &f);
}

static bool tell_of(const struct asking *a, enum seen seen, const char *who)
{
	struct process_fact f = begin_sysmon(a, seen);
	char name[32];

	snprintf(name, sizeof(name), "%sProcessId", who);
	f.pid = pid_of(a, name);
	snprintf(name, sizeof(name), "%sProcessGuid", who);
	f.guid = guid_of(a, name);
	snprintf(name, sizeof(name), "%sProcessGUID", who); /* of event 10 */
	if (!f.guid)
		f.guid = guid_of(a, name);
	snprintf(name, sizeof(name), "%sImage", who);
	f.image = told(a, name);
	return finish(a, &f);
}

static bool tell_end(const struct asking *a)
{
	return tell_of(a, SEEN_END, "");
}

static bool tell_activity(const struct asking *a)
{
	return tell_of(a, SEEN_ACTIVE, "");
}

/* Access and remote threads: both lived. Access to a session manager is common: no more than that.
 */
static bool tell_access(const struct asking *a)
{
	bool source = tell_of(a, SEEN_ACTIVE, "Source");

	return tell_of(a, SEEN_ACTIVE, "Target") || source;
}

/* UTF-8 as it would lie in a hive: UTF-16 with the list's two NULs. Returns bytes, 0 = too long or
 * no UTF-8. */
static size_t as_list(const char *text, uint8_t *to)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = 0;

	while (*s) {
		unsigned more = *s < 0x80 ? 0 : *s < 0xe0 ? 1 : *s < 0xf0 ? 2 : 3;
		uint32_t c = more ? *s & (0x3fu >> more) : *s;

		if (n + 8 > VALUE_MAX * 2 || (*s >= 0x80 && *s < 0xc2) || *s > 0xf4)
			return 0;
		for (s++; more; more--, s++) {
			if ((*s & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (*s & 0x3f);
		}
		if (c > 0xffff) {
			uint32_t high = 0xd800 + ((c - 0x10000) >> 10);

			to[n++] = high & 255;
			to[n++] = (uint8_t)(high >> 8);
			c = 0xdc00 + ((c - 0x10000) & 0x3ff);
		}
		to[n++] = c & 255;
		to[n++] = (uint8_t)(c >> 8);
	}
	memset(to + n, 0, 4);
	return n + 4;
}

/* The values through which programs are run by the session manager itself. */
static bool is_run_value(const char *name)
{
	static const char *const names[] = {"BootExecute",      "BootExecuteNoPnpSync",
					    "SetupExecute",     "SetupExecuteNoPnpSync",
					    "PlatformExecute",  "Execute",
					    "S0InitialCommand", "BootShell"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(name, names[i]))
			return true;
	return false;
}

static void say_written(const struct asking *a, const char *name, const char *why)
{
	char text[160];

	snprintf(text, sizeof(text), "%s of the Session Manager was written here; %s", name, why);
	if (a->to->trouble)
		a->to->trouble(a->to->arg, a->place, TROUBLE_NOTE, text);
}

/* Sysmon shows lists as their text, older ones only say that there are data. */
static bool tell_value(const struct asking *a)
{
	const char *object = told(a, "TargetObject");
	const char *kind = told(a, "EventType");
	const char *details = told(a, "Details");
	const char *key = object ? strcasestr(object, SM_KEY) : NULL;
	const char *name = key ? key + strlen(SM_KEY) : NULL;
	bool active = tell_activity(a);
	uint8_t data[VALUE_MAX * 2 + 8];
	char path[KEY_MAX];
	struct registry_fact f = {.about = REGISTRY_SESSION_MANAGER, .place = *a->place};
	size_t n;

	if (!name || !is_run_value(name) || (kind && strcasecmp(kind, "SetValue") != 0))
		return active;
	n = (size_t)(name - 1 - object);
	f.bytes = details && strcasecmp(details, "Binary Data") != 0 ? as_list(details, data) : 0;
	if (!f.bytes || n >= sizeof(path)) {
		say_written(a, name, "the event does not tell what: look into the hive");
		return active;
	}
	memcpy(path, object, n);
	path[n] = '\0';
	f.host = told(a, "Computer");
	f.key = path;
	f.name = name;
	f.type = MULTI_SZ;
	f.data = data;
	f.written_ns = when(a, "UtcTime");
	f.written_by = told(a, "Image");
	if (!f.written_by)
		f.written_by = "(not told)";
	f.current = true;
	if (a->to->registry)
		a->to->registry(a->to->arg, &f);
	return true;
}

/* ---- Security ---- */

/* "DOMAIN\NAME" of the fields that begin with who. */
static const char *user_of(const struct asking *a, const char *who, char room[USER_MAX])
{
	char name[32];
	const char *domain, *user;

	snprintf(name, sizeof(name), "%sDomainName", who);
	domain = told(a, name);
	snprintf(name, sizeof(name), "%sUserName", who);
	user = told(a, name);
	if (!user)
		return NULL;
	snprintf(room, USER_MAX, "%s%s%s", domain ? domain : "", domain ? "\\" : "", user);
	return room;
}

/*
 * The subject is who asked for it. A target of "nobody" says that the new process runs as the
 * subject does; without a target (before Windows 10) nothing is said of whom it runs as.
 */
static bool tell_created(const struct asking *a)
{
	struct process_fact f = begin(a, SEEN_START);
	const char *target = told(a, "TargetUserSid");
	char room[USER_MAX];

	if (target) {
		bool same = !strcasecmp(target, NOBODY);

		f.sid = same ? told(a, "SubjectUserSid") : target;
		f.user = user_of(a, same ? "Subject" : "Target", room);
	}
	f.pid = pid_of(a, "NewProcessId");
	f.ppid = pid_of(a, "ProcessId");
	f.image = told(a, "NewProcessName");
	f.parent_image = told(a, "ParentProcessName");
	f.command = told(a, "CommandLine");
	f.integrity = told(a, "MandatoryLabel");
	return finish(a, &f);
}

static bool tell_exited(const struct asking *a)
{
	struct process_fact f = begin(a, SEEN_END);
	char room[USER_MAX];

	f.pid = pid_of(a, "ProcessId");
	f.image = told(a, "ProcessName");
	f.sid = told(a, "SubjectUserSid");
	f.user = user_of(a, "Subject", room);
	return finish(a, &f);
}

/* ---- boots and clocks ---- */

static bool tell_boot(const struct asking *a, enum boot_mark mark, int64_t time_ns, int64_t by_ns)
{
	struct boot_fact f = {.place = *a->place, .mark = mark, .by_ns = by_ns};

	f.host = told(a, "Computer");
	f.time_ns = time_ns != NO_TIME ? time_ns : when(a, "TimeCreated");
	if (f.time_ns == NO_TIME)
		return false;
	if (a->to->boot)
		a->to->boot(a->to->arg, &f);
	return true;
}

static bool tell_began(const struct asking *a)
{
	return tell_boot(a, BOOT_BEGAN, when(a, "StartTime"), 0);
}

static bool tell_ended(const struct asking *a)
{
	return tell_boot(a, BOOT_ENDED, when(a, "StopTime"), 0);
}

static bool tell_clock(const struct asking *a)
{
	int64_t to_ns = when(a, "NewTime");
	int64_t from_ns = when(a, "OldTime");
	int64_t by_ns;

	if (from_ns == NO_TIME)
		from_ns = when(a, "PreviousTime"); /* of Security's */
	if (to_ns == NO_TIME || from_ns == NO_TIME ||
	    __builtin_sub_overflow(to_ns, from_ns, &by_ns))
		return false;
	return tell_boot(a, BOOT_CLOCK_SET, to_ns, by_ns);
}

/*
 * Of the service that keeps the logs: it came up with the system (6005, 6009; 6008 is written then
 * too, of a shutdown that was missed) and goes with it. That somebody asked for a shutdown (1074)
 * says nothing: it can be called off, and what follows of it is told by others.
 */
static const struct kind kinds[] = {
	{WRITER_SYSMON, 1, tell_start},         {WRITER_SYSMON, 5, tell_end},
	{WRITER_SYSMON, 8, tell_access},        {WRITER_SYSMON, 10, tell_access},
	{WRITER_SYSMON, 11, tell_activity},     {WRITER_SYSMON, 12, tell_activity},
	{WRITER_SYSMON, 13, tell_value},        {WRITER_SYSMON, 14, tell_activity},
	{WRITER_AUDITING, 4688, tell_created},  {WRITER_AUDITING, 4689, tell_exited},
	{WRITER_AUDITING, 4616, tell_clock},    {WRITER_KERNEL, 1, tell_clock},
	{WRITER_KERNEL, 12, tell_began},        {WRITER_KERNEL, 13, tell_ended},
	{WRITER_LOG_SERVICE, 6005, tell_began}, {WRITER_LOG_SERVICE, 6006, tell_ended},
	{WRITER_LOG_SERVICE, 6008, tell_began}, {WRITER_LOG_SERVICE, 6009, tell_began},
};

static const char *const writers[] = {[WRITER_SYSMON] = SYSMON,
				      [WRITER_AUDITING] = AUDITING,
				      [WRITER_KERNEL] = KERNEL,
				      [WRITER_LOG_SERVICE] = LOG_SERVICE};

bool event_wanted(unsigned id, const char *provider)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].id == id &&
		    (!provider || !strcasecmp(provider, writers[kinds[i].writer])))
			return true;
	return false;
}

/*
 * Two channels have one writer that matters each. The channel System has hundreds that share
 * numbers, so there the provider must be told; and an event without a channel has only it.
 */
static bool written_by(const struct asking *a, const char *channel, enum writer w)
{
	const char *provider;

	if (channel && !strcasecmp(channel, SYSMON "/Operational"))
		return w == WRITER_SYSMON;
	if (channel && !strcasecmp(channel, "Security"))
		return w == WRITER_AUDITING;
	provider = told(a, "ProviderName");
	return provider && !strcasecmp(provider, writers[w]);
}

bool event_tell(const char *channel, unsigned id, const char *(*get)(void *arg, const char *name),
		void *arg, const struct place *place, const struct sink *to)
{
	struct asking a = {.get = get, .arg = arg, .place = place, .to = to, .id = id};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].id == id && written_by(&a, channel, kinds[i].writer))
			return kinds[i].tell(&a);
	return false;
}
