/* SPDX-License-Identifier: MIT */
/*
 * shapes_event.c - Windows events, however a shipper, parser or search engine wrote them
 *
 * event_tell decides what an event means; here is only where its fields are. Families differ in
 * the names around an event; its own data have the names of its manifest in all of them, but for
 * those that a shipper renames. A field of the logger (its own pid) is never taken for one of the
 * event.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "smaudit/json.h"
#include "smaudit/readers.h"
#include "smaudit/shapes.h"

#define SYSMON          "Microsoft-Windows-Sysmon"
#define SYSMON_CHANNEL  SYSMON "/Operational"
#define ALTERNATIVES    8
#define TIME_TEXT_BYTES 48

/* clang-format off */
static const struct family {
	const char *id[4], *channel[4];
} families[] = {
	/* XML turned to JSON: evtx_dump, xmltodict, Velociraptor, Wazuh */
	{{"System.EventID.#text", "System.EventID.Value", "System.EventID"}, {"System.Channel"}},
	/* winlogbeat, with objects or with points in the names */
	{{"winlog.event_id", "event.code"}, {"winlog.channel"}},
	/* flat: NXLog, EvtxECmd, Hayabusa, Splunk; PowerShell's own objects */
	{{"EventID", "EventCode", "event_id", "Id"},
	 {"Channel", "LogName", "log_name", "source"}},
};
static const char *const computers[ALTERNATIVES] = {
	"System.Computer", "winlog.computer_name", "Computer", "ComputerName", "Hostname",
	"MachineName", "host.name", "host"};
static const char *const times[ALTERNATIVES + 1] = {
	"System.TimeCreated.#attributes.SystemTime", "System.TimeCreated.@SystemTime",
	"System.TimeCreated.SystemTime", "TimeCreated.value", "TimeCreated", "System.systemTime",
	"SystemTime", "@timestamp", "_time"};
static const char *const numbers[ALTERNATIVES] = {
	"System.EventRecordID", "winlog.record_id", "EventRecordID", "RecordNumber", "RecordId",
	"record_id", "Record_Number"};
static const char *const providers[ALTERNATIVES + 2] = {
	"System.Provider.#attributes.Name", "System.Provider.@Name", "System.Provider.Name",
	"System.providerName", "winlog.provider_name", "ProviderName", "Provider", "SourceName",
	"source_name", "Provider_Name"};
static const char *const wrappers[] = {
	"result", "_source", "fields", "Event", "document", "data", "win"};
static const char *const data_names[] = {
	"EventData", "winlog.event_data", "event_data", "AllFieldInfo", "Payload.EventData",
	"UserData"};

/* What shippers call a field; asked only when its own name is not there. */
static const struct {
	unsigned id; /* of the event, 0 = any */
	const char *name, *other[3];
} renamed[] = {
	{4688, "ProcessId", {"process.parent.pid", "Creator_Process_ID"}},
	{4688, "NewProcessId", {"process.pid"}},
	{4688, "NewProcessName", {"process.executable"}},
	{4688, "ParentProcessName", {"process.parent.executable", "Creator_Process_Name"}},
	{4688, "CommandLine", {"process.command_line", "Process_Command_Line"}},
	{4689, "ProcessName", {"process.executable"}},
	{0, "ProcessGuid", {"process.entity_id"}},
	{0, "ProcessId", {"process.pid"}},
	{0, "Image", {"process.executable"}},
	{0, "CommandLine", {"process.command_line"}},
	{0, "ParentProcessGuid", {"process.parent.entity_id"}},
	{0, "ParentProcessId", {"process.parent.pid"}},
	{0, "ParentImage", {"process.parent.executable"}},
	{0, "ParentCommandLine", {"process.parent.command_line"}},
	{0, "OriginalFileName", {"process.pe.original_file_name"}},
	{0, "FileVersion", {"process.pe.file_version"}},
	{0, "Company", {"process.pe.company"}},
	{0, "Product", {"process.pe.product"}},
};

/* PowerShell's Properties have no names: those of the manifests, in order, by how many there are. */
static const struct {
	unsigned id, count;
	const char *names[16];
} positions[] = {
	{4688, 8, {"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId",
		   "NewProcessId", "NewProcessName", "TokenElevationType", "ProcessId",
		   "CommandLine", "TargetUserSid", "TargetUserName", "TargetDomainName",
		   "TargetLogonId", "ParentProcessName", "MandatoryLabel"}},
	{4689, 7, {"SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId",
		   "Status", "ProcessId", "ProcessName"}},
};
/* clang-format on */

struct event {
	struct reading *r;
	struct record *rec;
	unsigned root, data; /* objects: the event, and its own fields */
	bool flat;           /* they are the same one */
	bool dotted;         /* they are named winlog.event_data.NAME */
	unsigned id;
	char time[TIME_TEXT_BYTES], hashes[96], user[512];
};

static const char *one_of(const struct event *e, const char *const *paths, size_t n)
{
	for (size_t i = 0; i < n && paths[i]; i++) {
		const char *text = record_get(e->rec, e->root, paths[i]);

		if (text)
			return text;
	}
	return NULL;
}

#define ONE_OF(e, paths) one_of(e, paths, sizeof(paths) / sizeof((paths)[0]))

/*
 * NXLog's EventTime is the machine's local time and says no zone. When the same moment, that of its
 * receiving, stands there once in local time and once in UTC, the zone is known.
 */
static const char *local_time(struct event *e)
{
	const char *local = record_get(e->rec, e->root, "EventTime");
	const char *received = record_get(e->rec, e->root, "EventReceivedTime");
	const char *utc = record_get(e->rec, e->root, "@timestamp");
	int64_t quarter_ns = INT64_C(900000000000), at = time_read(local), east_ns, seconds;
	int64_t received_ns = time_read(received), utc_ns = time_read(utc);
	struct tm tm;
	time_t t;

	if (at == NO_TIME || received_ns == NO_TIME || utc_ns == NO_TIME || strchr(local, 'Z') ||
	    strchr(local, '+'))
		return local ? local : utc;
	east_ns = received_ns - utc_ns;
	east_ns += east_ns < 0 ? -quarter_ns / 2 : quarter_ns / 2;
	at -= east_ns / quarter_ns * quarter_ns;
	seconds = at / 1000000000 - (at % 1000000000 < 0);
	t = (time_t)seconds;
	if (!gmtime_r(&t, &tm))
		return utc;
	snprintf(e->time, sizeof(e->time), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)((at - seconds * 1000000000) / 1000000));
	return e->time;
}

/* Case and the _ and blanks that search engines put in do not count. */
static bool same_words(const char *a, size_t n, const char *b)
{
	for (size_t i = 0; i < n; i++) {
		if (a[i] == '_' || a[i] == ' ')
			continue;
		if (!*b || (a[i] != *b && ((a[i] ^ *b) != 0x20 || (*b | 0x20) < 'a')))
			return false;
		b++;
	}
	return *b == '\0';
}

static unsigned by_words(const struct event *e, const char *name)
{
	for (unsigned i = e->rec->count; i > 0; i--) {
		const struct field *f = &e->rec->at[i - 1];

		if (f->parent != e->data || !same_words(f->name, f->name_bytes, name))
			continue;
		/* flat ones have the logger's own pid beside: ProcessID is not ProcessId */
		if (e->flat && f->name_bytes == 9 && !memcmp(f->name, "ProcessID", 9))
			continue;
		return i;
	}
	return 0;
}

/* What winlogbeat's modules put together anew. */
static const char *rebuilt(struct event *e, const char *name)
{
	const char *a, *b;

	if (!strcmp(name, "Hashes")) {
		a = record_get(e->rec, e->root, "process.hash.sha256");
		if (!a)
			a = record_get(e->rec, e->root, "hash.sha256");
		if (!a)
			return NULL;
		snprintf(e->hashes, sizeof(e->hashes), "SHA256=%s", a);
		return e->hashes;
	}
	if (strcmp(name, "User") != 0 || e->flat)
		return NULL;
	a = record_get(e->rec, e->root, "user.domain");
	b = record_get(e->rec, e->root, "user.name");
	if (!b)
		return NULL;
	snprintf(e->user, sizeof(e->user), "%s%s%s", a ? a : "", a ? "\\" : "", b);
	return e->user;
}

static const char *data_text(struct event *e, const char *name)
{
	size_t n = strlen(name);
	unsigned found;
	char path[96];

	if (e->dotted) {
		snprintf(path, sizeof(path), "winlog.event_data.%s", name);
		found = record_path(e->rec, e->root, path);
	} else {
		found = record_find(e->rec, e->data, name, n);
		/* folding found the logger's, perhaps */
		if (found && memcmp(e->rec->at[found - 1].name, name, n) != 0)
			found = 0;
		if (!found)
			found = by_words(e, name);
	}
	for (size_t i = 0; !found && i < sizeof(renamed) / sizeof(renamed[0]); i++) {
		if ((renamed[i].id && renamed[i].id != e->id) || strcmp(renamed[i].name, name) != 0)
			continue;
		for (size_t k = 0; !found && k < 3 && renamed[i].other[k]; k++)
			found = record_path(e->rec, e->root, renamed[i].other[k]);
		break;
	}
	return found ? record_text(e->rec, found) : rebuilt(e, name);
}

static const char *get(void *arg, const char *name)
{
	struct event *e = arg;
	const char *text;

	if (!strcmp(name, "Computer"))
		return ONE_OF(e, computers);
	if (!strcmp(name, "EventRecordID"))
		return ONE_OF(e, numbers);
	if (!strcmp(name, "ProviderName"))
		return ONE_OF(e, providers);
	if (strcmp(name, "TimeCreated") != 0)
		return data_text(e, name);
	/* an @timestamp beside an EventTime is when it was received */
	if (record_find(e->rec, e->root, "EventTime", 9))
		return local_time(e);
	text = ONE_OF(e, times);
	return text ? text : record_get(e->rec, e->root, "Timestamp");
}

/* ---- where the event is ---- */

static bool find_id(struct event *e, const struct family **ret_family)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		int64_t id = NO_NUMBER;

		for (size_t k = 0; k < 4 && families[i].id[k] && id == NO_NUMBER; k++)
			id = shapes_number(record_get(e->rec, e->root, families[i].id[k]));
		if (id < 0 || id > 65535)
			continue;
		e->id = (unsigned)id;
		*ret_family = &families[i];
		return true;
	}
	return false;
}

static const struct family *find_family(struct event *e)
{
	const struct family *family = NULL;

	for (unsigned depth = 0; depth < 5; depth++) {
		unsigned down = 0;

		if (find_id(e, &family))
			return family;
		for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]) && !down; i++)
			down = record_object(e->rec, e->root, wrappers[i]);
		if (!down)
			return NULL;
		e->root = down;
	}
	return NULL;
}

/* Hayabusa's short names; what Splunk puts before a name; and no channel, but its provider. */
static const char *find_channel(struct event *e, const struct family *family)
{
	static const char *const spelled[][2] = {
		{"Sysmon", SYSMON_CHANNEL},
		{"Sec", "Security"},
		{"Sys", "System"},
		{SYSMON, SYSMON_CHANNEL},
		{"Microsoft-Windows-Security-Auditing", "Security"},
		{"Microsoft-Windows-Kernel-General", "System"},
		{"EventLog", "System"},
		{"User32", "System"}};
	const char *channel = one_of(e, family->channel, 4), *colon;

	if (!channel)
		channel = ONE_OF(e, providers);
	if (!channel)
		return NULL;
	colon = strchr(channel, ':');
	if (colon && strstr(channel, "WinEventLog") && strstr(channel, "WinEventLog") < colon)
		channel = colon + 1;
	for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++) {
		if (!strcasecmp(channel, spelled[i][0]))
			return spelled[i][1];
	}
	return channel;
}

/* "Data": [{"@Name": "Image", "#text": "C:\\..."}, ...], or a single one without the list. */
static void name_data(struct event *e)
{
	static const char *const names[] = {"@Name", "#attributes.Name", "Name"};
	static const char *const texts[] = {"#text", "Text", "Value"};
	unsigned list = record_find(e->rec, e->data, "Data", 4);
	struct json_list l;
	struct json_value v;

	if (!list || e->rec->at[list - 1].kind != FIELD_ARRAY)
		return;
	l = json_list(e->rec->at[list - 1].text, e->rec->at[list - 1].bytes);
	while (json_list_next(&l, &v)) {
		struct field item = {.name = "", .kind = FIELD_OBJECT, .parent = (uint16_t)list};
		const char *name = NULL, *text = NULL;
		struct json_error error;
		unsigned at;

		if (v.kind != FIELD_OBJECT)
			continue;
		at = record_add(e->rec, &item);
		if (!at || !json_list_read(e->rec, at, &v, &error))
			break;
		for (size_t i = 0; i < 3; i++) {
			name = name ? name : record_get(e->rec, at, names[i]);
			text = text ? text : record_get(e->rec, at, texts[i]);
		}
		if (name && text)
			record_add_text(e->rec, e->data, name, (char *)(uintptr_t)text);
	}
}

/* EvtxECmd keeps the event's data as JSON within a string. */
static void open_payload(struct event *e)
{
	unsigned payload = record_find(e->rec, e->root, "Payload", 7);
	char *text = (char *)(uintptr_t)record_text(e->rec, payload);
	struct json_error error;

	if (!text || text[0] != '{')
		return;
	e->rec->at[payload - 1].kind = FIELD_OBJECT;
	json_read(e->rec, payload, text, text + strlen(text), &error);
}

/* An event whose names around it are the logger's own gets an object for its data alone. */
static void data_apart(struct event *e)
{
	e->data = record_add(
		e->rec,
		&(struct field){.name = "", .parent = (uint16_t)e->root, .kind = FIELD_OBJECT});
	e->flat = false;
}

/* "ProcessId: 404" a line, as Sysmon writes its message in every language of Windows. */
static void read_message(struct event *e)
{
	char *at = (char *)(uintptr_t)record_get(e->rec, e->root, "Message"), *next;

	for (; at; at = next) {
		char *colon;

		next = strchr(at, '\n');
		if (next)
			*next++ = '\0';
		at[strcspn(at, "\r")] = '\0';
		colon = strstr(at, ": ");
		if (!colon || strcspn(at, " ") < (size_t)(colon - at))
			continue;
		*colon = '\0';
		record_add_text(e->rec, e->data, at, colon + 2);
	}
}

/* "Properties": [{"Value": "S-1-5-18"}, ...]: named by their number. */
static void read_properties(struct event *e)
{
	unsigned list = record_find(e->rec, e->root, "Properties", 10), n = 0;
	const char *texts[16] = {NULL};
	struct json_list l;
	struct json_value v;

	if (!list || e->rec->at[list - 1].kind != FIELD_ARRAY)
		return;
	l = json_list(e->rec->at[list - 1].text, e->rec->at[list - 1].bytes);
	while (n < 16 && json_list_next(&l, &v)) {
		struct field item = {.name = "", .kind = FIELD_OBJECT, .parent = (uint16_t)list};
		struct json_error error;
		unsigned at = record_add(e->rec, &item);

		if (v.kind != FIELD_OBJECT || !at || !json_list_read(e->rec, at, &v, &error))
			return;
		texts[n] = record_get(e->rec, at, "Value");
		if (!texts[n]) /* a SID has a value within its value */
			texts[n] = record_get(e->rec, at, "Value.Value");
		n++;
	}
	for (size_t i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
		if (positions[i].id != e->id || n < positions[i].count)
			continue;
		for (unsigned k = 0; k < n && k < 15 && positions[i].names[k]; k++) {
			if (texts[k])
				record_add_text(e->rec, e->data, positions[i].names[k],
						(char *)(uintptr_t)texts[k]);
		}
	}
}

/* PowerShell's own objects have the logger's ProcessId beside, EvtxECmd's too. */
static bool names_are_the_loggers(const struct event *e)
{
	return (record_find(e->rec, e->root, "LogName", 7) &&
		record_find(e->rec, e->root, "MachineName", 11)) ||
	       record_find(e->rec, e->root, "PayloadData1", 12) ||
	       record_find(e->rec, e->root, "Payload", 7);
}

static void find_data(struct event *e, const char *channel)
{
	open_payload(e);
	for (size_t i = 0; i < sizeof(data_names) / sizeof(data_names[0]); i++) {
		e->data = record_object(e->rec, e->root, data_names[i]);
		if (e->data) {
			name_data(e);
			return;
		}
	}
	e->data = e->root;
	e->dotted = record_find(e->rec, e->root, "winlog.event_id", 15) != 0;
	e->flat = !e->dotted;
	if (e->dotted || !names_are_the_loggers(e))
		return;
	data_apart(e);
	if (!strcasecmp(channel, SYSMON_CHANNEL))
		read_message(e);
	else
		read_properties(e);
}

bool shapes_event(struct reading *r, struct record *rec)
{
	struct event e = {.r = r, .rec = rec};
	const struct family *family = find_family(&e);
	const char *channel = family ? find_channel(&e, family) : NULL;

	if (!channel)
		return false;
	shapes_known(r, !strcasecmp(channel, SYSMON_CHANNEL) ? "Sysmon events"
			: !strcasecmp(channel, "Security")   ? "Security events"
							     : "Windows events");
	find_data(&e, channel);
	if (event_tell(channel, e.id, get, &e, &r->place, r->to))
		r->told++;
	return true;
}

bool shapes_event_names(const struct record *names)
{
	struct record copy = *names;
	struct event e = {.rec = &copy};

	return record_find(names, 0, "EventID", 7) || record_find(names, 0, "EventCode", 9) ||
	       record_find(names, 0, "winlog.event_id", 15) ||
	       (record_find(names, 0, "Id", 2) && one_of(&e, families[2].channel, 3));
}
