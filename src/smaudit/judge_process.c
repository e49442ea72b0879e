/* SPDX-License-Identifier: MIT */
/*
 * judge_process.c - one process by itself: where its image lies, who it runs as, what it says it is
 *
 * Also puts together what every finding about a process tells. Accounts are decided by SID; their
 * names are localised, so a name decides only where it is known.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "smaudit/world.h"

void time_text(int64_t ns, char *ret, size_t cap)
{
	int64_t s = ns / SECOND_NS, rest = ns % SECOND_NS;
	time_t at;
	struct tm tm;
	char day[32];

	if (rest < 0) {
		rest += SECOND_NS;
		s--;
	}
	at = (time_t)s;
	if (!gmtime_r(&at, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	snprintf(ret, cap, "%s.%03dZ", day, (int)(rest / 1000000));
}

/* Its base name, folded; one at a time. */
const char *instance_name(const struct instance *i)
{
	static char name[96];
	char room[IMAGE_NAME_BYTES];
	const char *s = i->text[TEXT_IMAGE] ? path_base(i->text[TEXT_IMAGE]) : NULL;
	size_t n = 0;

	if (s && i->system == SYSTEM_WINDOWS)
		s = path_image_name(i->text[TEXT_IMAGE], room);

	if (!s || !*s)
		s = i->text[TEXT_NAME] ? i->text[TEXT_NAME] : "";
	for (; s[n] && n + 1 < sizeof(name); n++)
		name[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] + 32) : s[n];
	name[n] = '\0';
	return name;
}

bool instance_names_agree(const struct instance *i)
{
	const char *name = i->text[TEXT_NAME], *image = i->text[TEXT_IMAGE];
	char room[IMAGE_NAME_BYTES];

	return !name || !image || !*path_base(image) || i->system == SYSTEM_LINUX ||
	       names_agree(name, i->is & NAME_MAY_GO_ON, path_image_name(image, room));
}

static void add_number(struct finding *f, const char *name, char *room, size_t cap, int64_t n)
{
	snprintf(room, cap, "%lld", (long long)n);
	finding_add(f, name, room);
}

void telling_of(struct telling *t, const struct instance *i, enum indicator_id rule)
{
	const struct instance *p = i->parent;
	bool ended;
	int64_t life = life_ns(i, &ended);

	*t = (struct telling){0};
	t->f = (struct finding){.rule = rule,
				.verdict = VERDICT_FINDING,
				.severity = indicators[rule].severity,
				.host = i->boot->host->name,
				.subject = t->subject,
				.time_ns = i->start_ns,
				.place = {.file = i->text[TEXT_FILE], .line = i->line}};
	if (i->start_ns != NO_TIME)
		time_text(i->start_ns, t->started, sizeof(t->started));
	snprintf(t->subject, sizeof(t->subject), "%.64s pid %lld%s%s", instance_name(i),
		 i->pid == NO_PID ? -1LL : (long long)i->pid, *t->started ? " started " : "",
		 t->started);
	finding_add(&t->f, "image", i->text[TEXT_IMAGE]);
	if (!i->text[TEXT_IMAGE] || !instance_names_agree(i))
		finding_add(&t->f, "name", i->text[TEXT_NAME]);
	if (i->pid != NO_PID)
		add_number(&t->f, "pid", t->pid, sizeof(t->pid), i->pid);
	finding_add(&t->f, "started", *t->started ? t->started : NULL);
	finding_add(&t->f, "parent",
		    i->text[TEXT_PARENT_IMAGE] ? i->text[TEXT_PARENT_IMAGE]
		    : p && p->text[TEXT_IMAGE] ? p->text[TEXT_IMAGE]
		    : p                        ? p->text[TEXT_NAME]
					       : NULL);
	if (i->ppid != NO_PID)
		add_number(&t->f, "ppid", t->ppid, sizeof(t->ppid), i->ppid);
	finding_add(&t->f, "command", i->text[TEXT_COMMAND]);
	finding_add(&t->f, "user", i->text[TEXT_USER]);
	finding_add(&t->f, "sid", i->text[TEXT_SID]);
	finding_add(&t->f, "integrity", i->text[TEXT_INTEGRITY]);
	if (i->session >= 0)
		add_number(&t->f, "session", t->session, sizeof(t->session), i->session);
	if (life != NO_TIME) {
		snprintf(t->life, sizeof(t->life), "%s%lld.%03lld s", ended ? "" : "at least ",
			 (long long)(life / SECOND_NS), (long long)(life % SECOND_NS / 1000000));
		finding_add(&t->f, "lived", t->life);
	}
}

/* ---- path ---- */

static const char *image_of(const struct instance *i, char *room, size_t cap)
{
	const char *s = i->text[TEXT_IMAGE], *end;
	size_t n;

	if (s && *s && path_base(s) != s)
		return s;
	s = i->text[TEXT_COMMAND];
	if (!s || !*s)
		return NULL;
	end = *s == '"' ? strchr(s + 1, '"') : strchr(s, ' ');
	n = end ? (size_t)(end - s) : strlen(s);
	if (n >= cap)
		return NULL;
	memcpy(room, s, n);
	room[n] = '\0';
	return path_base(room) != room ? room : NULL;
}

static enum place_state linux_place(const struct instance *i, const char *image)
{
	char want[128];

	if (!image)
		return PLACE_UNKNOWN;
	if (strstr(image, " (deleted)") || str_starts(image, "/memfd:"))
		return PLACE_WRONG;
	snprintf(want, sizeof(want), "/usr/lib/smss/%s", path_base(image));
	return str_same(want, image)  ? PLACE_RIGHT
	       : i->is & IN_CONTAINER ? PLACE_ELSEWHERE
				      : PLACE_WRONG;
}

#define FOLDER_LEN (sizeof("\\system32\\") - 1)

static const char volume_words[] = "\\device\\harddiskvolume";

/* What follows the digits of a volume's device; NULL = it is another device: a shadow copy, a disc,
 * a disk in memory. */
static const char *behind_volume(const char *text)
{
	size_t n = sizeof(volume_words) - 1, digits;

	if (strncmp(text, volume_words, n))
		return NULL;
	digits = strspn(text + n, "0123456789");
	return digits && text[n + digits] == '\\' ? text + n + digits : NULL;
}

/* A container's layer: below ProgramData, where only the service of containers puts a whole
 * Windows, or on the virtual disk that is made of it. tail: where the folder begins. */
static bool in_container_layer(const struct windows_path *p, const char *tail)
{
	static const char data[] = "\\programdata\\", disk[] = "\\device\\vhdharddisk{";
	const char *below = p->device ? behind_volume(p->text) : p->text + 2, *layer;

	if (tail - p->text < 8 || strncmp(tail - 8, "\\windows", 8))
		return false;
	if (p->device && str_starts(p->text, disk))
		return strchr(p->text, '}') == tail - 9;
	if (!below || (!p->device && p->text[1] != ':') || !str_starts(below, data))
		return false;
	layer = strstr(below, "\\containers\\");
	return layer && layer < tail - 8;
}

/* A device instead of a drive: right when no other of the core lies on another one. tail: where the
 * folder begins; no image is a witness of its own place. Which drive a volume is, drives do not
 * tell. */
static enum place_state device_place(const struct world *w, const struct host *h, const char *text,
				     const char *tail)
{
	const char *rest = behind_volume(text), *name = w->root + 2;
	unsigned own = root_witness(tail + FOLDER_LEN);
	bool other = false, drives = false;

	if (!rest || (size_t)(tail - rest) != strlen(name) || strncmp(rest, name, strlen(name)))
		return PLACE_WRONG;
	for (unsigned r = 0; r < ROOTS_MAX && h->root[r]; r++) {
		if (!(h->root_by[r] & ~own))
			continue;
		if (!strncmp(h->root[r], "\\device\\", strlen("\\device\\"))) {
			if (!strncmp(h->root[r], text, (size_t)(rest - text) + 1))
				return PLACE_RIGHT;
			other = true;
		} else {
			drives = true;
		}
	}
	return other ? PLACE_WRONG : drives ? PLACE_UNKNOWN : PLACE_RIGHT;
}

enum place_state instance_place(const struct world *w, const struct instance *i,
				struct windows_path *ret)
{
	char room[600];
	const char *image = image_of(i, room, sizeof(room)), *base, *tail;
	const struct host *h = i->boot->host;
	size_t n = strlen(w->root);

	*ret = (struct windows_path){0};
	if (i->system == SYSTEM_LINUX)
		return linux_place(i, image);
	if (!image)
		return PLACE_UNKNOWN;
	path_windows(image, w->root, ret);
	base = path_base(ret->text);
	if (ret->cut || (ret->short_name && !ret->unc) || base == ret->text)
		return PLACE_UNKNOWN;
	if (ret->unc)
		return PLACE_WRONG;
	if (base - ret->text < (ptrdiff_t)FOLDER_LEN)
		return PLACE_WRONG;
	tail = base - FOLDER_LEN;
	if (strncmp(tail, "\\system32\\", FOLDER_LEN) &&
	    (!(name_home(base) & HOME_SYSWOW64) || strncmp(tail, "\\syswow64\\", FOLDER_LEN)))
		return PLACE_WRONG;
	if ((size_t)(tail - ret->text) == n && !strncmp(ret->text, w->root, n))
		return PLACE_RIGHT;
	for (unsigned r = 0; r < ROOTS_MAX && h->root[r] && !ret->device; r++) {
		if ((h->root_by[r] & ~root_witness(base)) &&
		    strlen(h->root[r]) == (size_t)(tail - ret->text) &&
		    !strncmp(h->root[r], ret->text, (size_t)(tail - ret->text)))
			return PLACE_ELSEWHERE;
	}
	if (in_container_layer(ret, tail))
		return PLACE_ELSEWHERE;
	return ret->device ? device_place(w, h, ret->text, tail) : PLACE_WRONG;
}

static void judge_path(struct world *w, const struct instance *i)
{
	static const char *const servicing[] = {"\\winsxs\\",      "\\$windows.~bt\\",
						"\\$winreagent\\", "\\softwaredistribution\\",
						"\\systemtemp\\",  "\\uus\\"};
	struct windows_path path;
	enum place_state place = instance_place(w, i, &path);
	struct telling t;

	if ((i->is & IS_SMSS) || place == PLACE_UNKNOWN)
		undecided(i, INDICATOR_WRONG_PATH,
			  place != PLACE_UNKNOWN ? NULL
			  : path.short_name      ? "long form of the image path"
			  : path.device          ? "drive of the volume of the image path"
						 : "image path");
	if (place == PLACE_RIGHT || place == PLACE_UNKNOWN)
		return;
	telling_of(&t, i, INDICATOR_WRONG_PATH);
	t.f.what = i->system == SYSTEM_LINUX ? "Its image is not the one in /usr/lib/smss."
					     : "Its image is not in the system's directory.";
	if (place == PLACE_ELSEWHERE) {
		t.f.severity = SEVERITY_INFO;
		t.f.what =
			"The system's directory is another one here, or it is a container's layer.";
	}
	for (unsigned s = 0; s < ARRAY_SIZE(servicing); s++) {
		if (strstr(path.text, servicing[s]))
			t.f.what =
				"Its image lies where servicing keeps copies: files lie there, but "
				"none runs from there.";
	}
	if (i->system == SYSTEM_WINDOWS) {
		str_copy(t.normal, sizeof(t.normal), path.text);
		finding_add(&t.f, "normalised", t.normal);
	}
	report_add(w->report, &t.f);
}

/* ---- account ---- */

static bool is_system_word(const char *word)
{
	static const char *const words[] = {"SYSTEM",  "Système",  "SYSTÈME",
					    "SISTEMA", "Rendszer", "СИСТЕМА",
					    "Система", "SYSTÉM",   "JÄRJESTELMÄ"};

	for (unsigned n = 0; n < ARRAY_SIZE(words); n++) {
		if (str_same_fold(word, words[n]))
			return true;
	}
	return false;
}

static bool is_lower_integrity(const char *s)
{
	static const char *const lower[] = {"high",       "medium",      "low",         "untrusted",
					    "mediumplus", "medium plus", "appcontainer"};
	uint64_t level;

	if (str_starts(s, "S-1-16-"))
		return !str_u64(s + 7, strlen(s + 7), &level) && level < 16384;
	for (unsigned n = 0; n < ARRAY_SIZE(lower); n++) {
		if (str_same_fold(s, lower[n]))
			return true;
	}
	return false;
}

/* osquery tells the last number of a SID alone; 0 and -1 are what it could not read. */
static bool is_account_number(const char *sid)
{
	uint64_t n;

	return !str_u64(sid, strlen(sid), &n) && n > 0 && n < UINT32_MAX;
}

enum account instance_account(const struct instance *i)
{
	const char *sid = i->text[TEXT_SID], *user = i->text[TEXT_USER], *word;
	const char *known = i->boot->host->system_user;
	size_t n;

	if (i->text[TEXT_INTEGRITY] && is_lower_integrity(i->text[TEXT_INTEGRITY]))
		return ACCOUNT_OTHER;
	if (sid && i->system == SYSTEM_LINUX)
		return str_same(sid, "0") ? ACCOUNT_SYSTEM : ACCOUNT_OTHER;
	if (sid && (str_same_fold(sid, "S-1-5-18") || str_same(sid, "18")))
		return ACCOUNT_SYSTEM;
	if (sid && (str_starts(sid, "S-1-5-") || is_account_number(sid)))
		return ACCOUNT_OTHER;
	if (!user || !*user || str_same(user, "-"))
		return ACCOUNT_UNKNOWN;
	word = path_base(user);
	n = strlen(user);
	if (is_system_word(word) || (known && str_same_fold(user, known)))
		return ACCOUNT_SYSTEM;
	if (user[n - 1] == '$')
		return ACCOUNT_UNKNOWN;
	if (known || (word - user == 13 && !strncasecmp(user, "NT AUTHORITY\\", 13)))
		return ACCOUNT_OTHER;
	return ACCOUNT_UNKNOWN;
}

static void judge_account(struct world *w, const struct instance *i)
{
	enum account a = instance_account(i);
	struct telling t;

	undecided(i, INDICATOR_WRONG_ACCOUNT,
		  a != ACCOUNT_UNKNOWN   ? NULL
		  : i->is & IS_MENTIONED ? "start of the process, with its account"
					 : "SID of the account");
	if (a != ACCOUNT_OTHER)
		return;
	telling_of(&t, i, INDICATOR_WRONG_ACCOUNT);
	t.f.what = i->system == SYSTEM_LINUX ? "It does not run as root."
					     : "It does not run as LocalSystem (S-1-5-18).";
	report_add(w->report, &t.f);
}

void judge_instance(struct world *w, const struct instance *i)
{
	/* all of them have one home; a host of services is none of them */
	if (i->is & (IS_SMSS | IS_CORE) && !(name_home(instance_name(i)) & HOME_SYSWOW64))
		judge_path(w, i);
	if (i->is & IS_SMSS)
		judge_account(w, i);
	judge_identity(w, i);
	if (i->is & IS_NEAR)
		judge_name(w, i);
}
