/* SPDX-License-Identifier: MIT */
/*
 * profile.c - what evidence of many machines says of one image; see profile.h
 *
 * Each fact that is about the name counts once for every trait that it tells; what it does not tell
 * makes no share smaller. Records are starts of processes and rows of lists; exits and traces only
 * tell when something was seen. It never judges: verdicts are the rules'.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/utf.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"
#include "smaudit/rules.h"

#define SECONDS_1990 631152000ll
#define SECONDS_2100 4102444800ll
#define SECOND_NS    1000000000ll
#define STRINGS_MAX  64u /* of one registry value */
#define SYSTEM_SID   "S-1-5-18"
#define SYSTEM_USER  "NT AUTHORITY\\SYSTEM"

bool profile_is(const struct profile *p, const char *base)
{
	return utf8_same_fold(p->name, strlen(p->name), base, strlen(base));
}

/* A name that its source cuts matches when it is how the whole one begins. */
static bool is_about(struct profile *p, const struct process_fact *f)
{
	const char *base = f->image ? path_base(f->image) : f->name;
	size_t n;

	if (!base)
		return false;
	if (profile_is(p, base))
		return true;
	n = strlen(base);
	if (f->image || !f->name_cut || n < 8 || n >= strlen(p->name) ||
	    !utf8_same_fold(p->name, n, base, n))
		return false;
	p->cut_names++;
	return true;
}

void profile_time(struct profile *p, int64_t time_ns)
{
	if (time_ns == NO_TIME)
		return;
	if (time_ns < SECONDS_1990 * SECOND_NS || time_ns / SECOND_NS >= SECONDS_2100) {
		p->odd_times++;
		return;
	}
	if (p->first_ns == NO_TIME || time_ns < p->first_ns)
		p->first_ns = time_ns;
	if (p->last_ns == NO_TIME || time_ns > p->last_ns)
		p->last_ns = time_ns;
}

/*
 * "W5.lab.example" and "W5" are one machine: logs have the long name, hives and lists the short
 * one. Two long names are two. What names no host is one machine a file, and counted apart.
 */
static bool host_is_new(struct profile *p, const char *host, const char *file)
{
	const char *dot;
	char label[256];
	uint64_t bare;

	if (!host) {
		if (!keys_add(&p->seen, profile_hash(KIND_HOST, file ? file : "")))
			return false;
		p->hosts_none++;
		return true;
	}
	dot = strchr(host, '.');
	if (!dot || dot == host || (size_t)(dot - host) >= sizeof(label)) {
		bare = profile_hash(KIND_HOST_BARE, host);
		if (!keys_add(&p->seen, bare) ||
		    keys_has(&p->seen, profile_hash(KIND_HOST_LABEL, host)))
			return false;
		p->hosts_bare++;
		return true;
	}
	if (!keys_add(&p->seen, profile_hash(KIND_HOST, host)))
		return false;
	p->hosts_full++;
	memcpy(label, host, (size_t)(dot - host));
	label[dot - host] = '\0';
	bare = profile_hash(KIND_HOST_BARE, label);
	if (!keys_add(&p->seen, profile_hash(KIND_HOST_LABEL, label)) || !keys_has(&p->seen, bare))
		return true;
	p->hosts_bare--; /* the same one, by its long name */
	return false;
}

void profile_machine(struct profile *p, const char *host, const char *file, enum system system)
{
	if (host_is_new(p, host, file))
		trait_tell(p, TRAIT_SYSTEM, system == SYSTEM_LINUX ? "Linux" : "Windows", NULL);
}

/* ---- processes ---- */

/* The same file in several spellings is one value; it is shown as it was first written. */
void profile_path(struct profile *p, enum trait t, enum system system, const char *image)
{
	struct windows_path w;

	if (!image)
		return;
	if (system == SYSTEM_LINUX) {
		trait_tell(p, t, image, NULL);
		return;
	}
	path_windows(image, NULL, &w);
	if (w.cut || w.short_name || w.unc) { /* no two of these are surely the same */
		trait_tell(p, t, image, NULL);
		return;
	}
	/* NT's own spelling of the usual place says no more than the place does */
	trait_tell(p, t, w.text,
		   image[0] == '\\' && !w.device && str_starts(w.text, "c:\\windows\\system32\\") &&
				   !strchr(w.text + 20, '\\')
			   ? NULL
			   : image);
}

void profile_account(struct profile *p, enum system system, const char *user, const char *sid)
{
	char shown[PROFILE_VALUE_BYTES];

	if (system == SYSTEM_LINUX) {
		if (!sid)
			return;
		snprintf(shown, sizeof(shown), "%suid %s", !strcmp(sid, "0") ? "root, " : "", sid);
		trait_tell(p, TRAIT_ACCOUNT, sid, shown);
		return;
	}
	if (user && !*user)
		user = NULL;
	if ((sid && !strcasecmp(sid, SYSTEM_SID)) ||
	    (!sid && user && !strcasecmp(user, SYSTEM_USER))) {
		trait_tell(p, TRAIT_ACCOUNT, SYSTEM_SID, SYSTEM_USER " (" SYSTEM_SID ")");
		return;
	}
	if (sid && user)
		snprintf(shown, sizeof(shown), "%s (%s)", user, sid);
	else if (sid || user)
		snprintf(shown, sizeof(shown), "%s", sid ? sid : user);
	else
		return;
	trait_tell(p, TRAIT_ACCOUNT, sid ? sid : user, shown);
}

void profile_integrity(struct profile *p, const char *integrity)
{
	static const struct {
		const char *sid, *word;
	} levels[] = {{"S-1-16-0", "Untrusted"},     {"S-1-16-4096", "Low"},
		      {"S-1-16-8192", "Medium"},     {"S-1-16-8448", "Medium, plus"},
		      {"S-1-16-12288", "High"},      {"S-1-16-16384", "System"},
		      {"S-1-16-20480", "Protected"}, {"S-1-16-28672", "Secure"}};

	for (size_t i = 0; integrity && i < ARRAY_SIZE(levels); i++)
		if (!strcasecmp(integrity, levels[i].sid))
			integrity = levels[i].word;
	trait_tell(p, TRAIT_INTEGRITY, integrity, NULL);
}

static void count_privileges(struct profile *p, const char *words)
{
	char word[64];

	if (!words)
		return;
	trait_record(p, TRAIT_PRIVILEGES);
	while (*words) {
		size_t n = strcspn(words, " "), kept = n < sizeof(word) ? n : sizeof(word) - 1;

		memcpy(word, words, kept);
		word[kept] = '\0';
		if (n)
			trait_mention(p, TRAIT_PRIVILEGES, word, NULL);
		words += n + (words[n] == ' ');
	}
}

/* What a source says of a signature itself; words of osquery, Sysmon and PowerShell. */
static void source_signature(struct profile *p, const struct process_fact *f)
{
	const char *s = f->signature;

	if (!s)
		return;
	if (!strcasecmp(s, "trusted") || !strcasecmp(s, "valid"))
		trait_tell(p, TRAIT_SIGNED, "yes", NULL);
	else if (strcasecmp(s, "unknown") != 0)
		trait_tell(p, TRAIT_SIGNED, "no", NULL);
	trait_tell(p, TRAIT_STATUS, s, NULL);
	trait_tell(p, TRAIT_SIGNER, f->signer, NULL);
}

static void trim(const char *text, char *to, size_t cap)
{
	size_t n = strnlen(text, cap - 1);

	while (n && (text[n - 1] == ' ' || text[n - 1] == '\t'))
		n--;
	memcpy(to, text, n);
	to[n] = '\0';
}

static void count_record(struct profile *p, const struct process_fact *f)
{
	char text[PROFILE_VALUE_BYTES * 2];

	profile_path(p, TRAIT_PATH, f->system, f->image);
	if (f->command) {
		trim(f->command, text, sizeof(text));
		trait_tell(p, TRAIT_COMMAND, text, NULL);
	}
	profile_account(p, f->system, f->user, f->sid);
	profile_integrity(p, f->integrity);
	if (f->session != NO_NUMBER) {
		snprintf(text, sizeof(text), "Session %lld", (long long)f->session);
		trait_tell(p, TRAIT_SESSION, text, NULL);
	}
	trait_tell(p, TRAIT_ORIGINAL_NAME, f->original_name, NULL);
	trait_tell(p, TRAIT_INTERNAL_NAME, f->internal_name, NULL);
	trait_tell(p, TRAIT_PRODUCT, f->product, NULL);
	trait_tell(p, TRAIT_PUBLISHER, f->company, NULL);
	trait_tell(p, TRAIT_VERSION, f->file_version, NULL);
	trait_tell(p, TRAIT_SHA256, f->sha256, NULL);
	source_signature(p, f);
}

static void on_process(void *arg, const struct process_fact *f)
{
	struct profile *p = arg;

	p->sources |= SOURCE_PROCESSES;
	join_process(p, f);
	if (!is_about(p, f)) {
		if (!profile_any(p) && (f->image || f->name))
			profile_keep_other(p, f->image ? path_base(f->image) : f->name);
		return;
	}
	profile_machine(p, f->host, f->place.file, f->system);
	profile_time(p, f->time_ns);
	profile_time(p, f->started_ns);
	profile_time(p, f->ended_ns);
	count_privileges(p, f->privileges);
	p->starts += f->seen == SEEN_START;
	p->rows += f->seen == SEEN_ALIVE;
	p->ends += f->seen == SEEN_END;
	p->traces += f->seen == SEEN_ACTIVE;
	if (f->seen == SEEN_START || f->seen == SEEN_ALIVE)
		count_record(p, f);
	else
		profile_path(p, TRAIT_PATH_TRACE, f->system, f->image);
}

static void on_boot(void *arg, const struct boot_fact *f)
{
	join_boot(arg, f);
}

/* ---- images ---- */

static const char *format_word(const struct image_fact *f)
{
	static const char *const words[] = {[IMAGE_PE32] = "PE32 executable",
					    [IMAGE_PE32_PLUS] = "PE32+ executable",
					    [IMAGE_ELF] = "ELF executable",
					    [IMAGE_OLD] = "DOS executable, before PE"};

	return words[f->format];
}

static const char *machine_word(const struct image_fact *f)
{
	static const struct {
		uint16_t pe, elf;
		const char *word;
	} machines[] = {{0x8664, 62, "x86-64"},
			{0x14c, 3, "x86"},
			{0xaa64, 183, "ARM64"},
			{0x1c4, 40, "ARM"}};

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (f->machine == (f->format == IMAGE_ELF ? machines[i].elf : machines[i].pe))
			return machines[i].word;
	return "other machine";
}

static void count_format(struct profile *p, const struct image_fact *f)
{
	static const char *const subsystems[] = {
		[1] = " (native)", [2] = " (GUI)", [3] = " (console)", [10] = " (EFI)"};
	const char *word = format_word(f), *of = NULL;
	char text[96];

	if (!word)
		return;
	trait_tell(p, TRAIT_FILE_TYPE, word, NULL);
	if (f->format != IMAGE_ELF && f->subsystem < ARRAY_SIZE(subsystems))
		of = subsystems[f->subsystem];
	snprintf(text, sizeof(text), "%s%s, %s", word, of ? of : "", machine_word(f));
	trait_tell(p, TRAIT_MAGIC, text, NULL);
}

static void count_signature(struct profile *p, const struct image_fact *f)
{
	static const char *const words[] = {
		[SIGNATURE_UNCHECKED] = NULL,
		[SIGNATURE_NONE] = "Not signed (no signature in the file itself)",
		[SIGNATURE_MALFORMED] = "Signature malformed",
		[SIGNATURE_MISMATCH] = "Signature does not fit the file",
		[SIGNATURE_UNTRUSTED] = "Signed, not trusted",
		[SIGNATURE_EXPIRED] = "Signed, expired",
		[SIGNATURE_TRUSTED] = "Signed",
		[SIGNATURE_CATALOGUED] = "In the signed catalogue",
		[SIGNATURE_UNKNOWN_ROOT] = "Signed, root not known here"};
	const struct image_signature *s = &f->signature[0];
	enum signature_state state = f->signatures ? s->state : SIGNATURE_UNCHECKED;

	if (!f->signatures && f->format != IMAGE_ELF && f->format != IMAGE_UNKNOWN)
		state = SIGNATURE_NONE;
	trait_tell(p, TRAIT_STATUS, words[state], NULL);
	if (state == SIGNATURE_TRUSTED || state == SIGNATURE_CATALOGUED)
		trait_tell(p, TRAIT_SIGNED, "yes", NULL);
	else if (state != SIGNATURE_UNCHECKED && state != SIGNATURE_UNKNOWN_ROOT)
		trait_tell(p, TRAIT_SIGNED, "no", NULL);
	if (!f->signatures)
		return;
	trait_tell(p, TRAIT_SIGNER, s->signer, NULL);
	trait_tell(p, TRAIT_ISSUER, s->issuer, NULL);
}

static void size_text(uint64_t bytes, char *to, size_t cap)
{
	if (bytes < 1024)
		snprintf(to, cap, "%llu bytes", (unsigned long long)bytes);
	else if (bytes < 1024 * 1024)
		snprintf(to, cap, "%.2f KiB", (double)bytes / 1024);
	else
		snprintf(to, cap, "%.2f MiB", (double)bytes / (1024 * 1024));
}

static void on_image(void *arg, const struct image_fact *f)
{
	struct profile *p = arg;
	const char *path = f->claimed_path ? f->claimed_path : f->place.file;
	enum system system = f->format == IMAGE_ELF ? SYSTEM_LINUX : SYSTEM_WINDOWS;
	char key[32], shown[32];

	p->sources |= SOURCE_IMAGE;
	if (!path || !profile_is(p, path_base(path))) {
		if (path && !profile_any(p))
			profile_keep_other(p, path_base(path));
		return;
	}
	p->images++;
	if (f->host)
		profile_machine(p, f->host, NULL, system);
	count_format(p, f);
	count_signature(p, f);
	profile_path(p, TRAIT_PATH, system, f->claimed_path);
	trait_tell(p, TRAIT_ORIGINAL_NAME, f->original_name, NULL);
	trait_tell(p, TRAIT_INTERNAL_NAME, f->internal_name, NULL);
	trait_tell(p, TRAIT_PRODUCT, f->product, NULL);
	trait_tell(p, TRAIT_PUBLISHER, f->company, NULL);
	trait_tell(p, TRAIT_VERSION, f->file_version, NULL);
	trait_tell(p, TRAIT_SHA256, f->sha256, NULL);
	snprintf(key, sizeof(key), "%llu", (unsigned long long)f->bytes);
	size_text(f->bytes, shown, sizeof(shown));
	trait_tell(p, TRAIT_SIZE, key, shown);
}

/* ---- registry: what a session manager will do at the next boot ---- */

static void count_strings(struct profile *p, const struct registry_fact *f)
{
	char text[PROFILE_VALUE_BYTES + 128], string[PROFILE_VALUE_BYTES * 3 / 2 + 1];
	size_t at = 0, units = f->bytes / 2;

	trait_record(p, TRAIT_REGISTRY);
	for (unsigned n = 0; at < units && n < STRINGS_MAX; n++) {
		size_t begin = at, len;

		while (at < units && (f->data[at * 2] || f->data[at * 2 + 1]))
			at++;
		len = at++ - begin;
		if (!len)
			continue;
		if (len > PROFILE_VALUE_BYTES / 2)
			len = PROFILE_VALUE_BYTES / 2;
		string[utf16_to_utf8(f->data + begin * 2, len, string, NULL)] = '\0';
		snprintf(text, sizeof(text), "%.100s = %.500s", f->name, string);
		trait_mention(p, TRAIT_REGISTRY, text, NULL);
	}
}

static void on_registry(void *arg, const struct registry_fact *f)
{
	struct profile *p = arg;
	static const char *const started[] = {"BootExecute",     "BootExecuteNoPnpSync",
					      "SetupExecute",    "SetupExecuteNoPnpSync",
					      "PlatformExecute", "Execute",
					      "S0InitialCommand"};

	p->sources |= SOURCE_HIVE;
	if (!p->session_manager || f->about != REGISTRY_SESSION_MANAGER || !f->current || !f->name)
		return;
	p->registry += !f->written_by; /* an event tells of one value, not of all */
	profile_machine(p, f->host, f->place.file, f->ours ? SYSTEM_LINUX : SYSTEM_WINDOWS);
	for (size_t i = 0; i < ARRAY_SIZE(started); i++)
		if (str_same_fold(f->name, started[i]) && f->data && f->bytes > 2)
			count_strings(p, f);
	if (!strncasecmp(f->name, "PendingFileRenameOperations", 27) && f->bytes > 4)
		trait_tell(p, TRAIT_FILES, "files to rename or delete at the next boot", NULL);
}

/* ---- the profile ---- */

struct profile *profile_new(const char *name)
{
	struct profile *p = audit_alloc(NULL, sizeof(*p));

	*p = (struct profile){.first_ns = NO_TIME, .last_ns = NO_TIME};
	p->name = audit_copy(name);
	p->session_manager = str_same_fold(name, "smss.exe") || str_same_fold(name, "smss");
	p->trait = audit_alloc(NULL, TRAIT_COUNT * sizeof(*p->trait));
	memset(p->trait, 0, TRAIT_COUNT * sizeof(*p->trait));
	join_begin(p);
	return p;
}

void profile_free(struct profile *p)
{
	if (!p)
		return;
	for (int t = 0; t < TRAIT_COUNT; t++)
		for (unsigned i = 0; i < p->trait[t].used; i++) {
			free(p->trait[t].at[i].key);
			free(p->trait[t].at[i].shown);
		}
	for (unsigned i = 0; i < p->others; i++)
		free(p->other[i]);
	join_free(p);
	free(p->trait);
	free(p->seen.at);
	free(p->name);
	free(p);
}

struct sink profile_sink(struct profile *p)
{
	return (struct sink){.arg = p,
			     .process = on_process,
			     .boot = on_boot,
			     .registry = on_registry,
			     .image = on_image};
}

int profile_print(struct profile *p, FILE *to, enum profile_format format)
{
	join_end(p);
	if (format == PROFILE_HTML)
		profile_html(p, to);
	else if (format == PROFILE_JSON)
		profile_json(p, to);
	else
		profile_text(p, to);
	return ferror(to) ? -EIO : 0;
}
