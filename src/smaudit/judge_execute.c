/* SPDX-License-Identifier: MIT */
/*
 * judge_execute.c - BootExecute, and the other values whose programs the session manager runs
 *
 * Windows ships two texts of BootExecute, and tools write a few more that only steer the disk
 * check; everything else there runs as the system before anybody watches. Its siblings are empty on
 * a machine that is not being set up. Terminators, odd lengths, case and blanks differ between real
 * hives and mean nothing. Must never look for a program on this machine: evidence is of another
 * one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/tree.h"
#include "smaudit/judge_registry.h"
#include "smaudit/rules.h"

#define LINE_BYTES 1024u
#define WORD_BYTES 260u

struct execute_value {
	const char *name;
	bool list; /* MULTI_SZ; else one line */
};

static const struct execute_value values[] = {
	{"BootExecute", true},           {"BootExecuteNoPnpSync", true}, {"SetupExecute", true},
	{"SetupExecuteNoPnpSync", true}, {"PlatformExecute", true},      {"Execute", true},
	{"S0InitialCommand", false},     {"InitialCommand", false},      {"BootShell", false},
};

/* Boot programs of products, by name: the name alone proves nothing. */
static const struct {
	const char *name, *of;
} known[] = {
	{"aswboot", "Avast and AVG, scan at boot"},
	{"autofmt", "Windows, format at boot"},
	{"bddel", "Bitdefender, delete at boot"},
	{"icarus_rvrt", "Avast and AVG, update taken back"},
	{"lsdelete", "Ad-Aware, delete at boot"},
	{"oodbs", "O&O Defrag"},
	{"pdboot", "PerfectDisk"},
	{"pgdfgsvc", "PageDefrag"},
	{"pvsvmboot", "Citrix Provisioning Services"},
	{"sdnclean", "Spybot"},
	{"sdnclean64", "Spybot"},
	{"smartdefragboottime", "Smart Defrag"},
	{"sophosna", "Sophos"},
};

enum kind { KIND_DEFAULT, KIND_NOTED, KIND_FOREIGN };

struct entry {
	const char *raw;
	unsigned number;          /* of the value, from 1 */
	bool behind;              /* an empty string stands before it */
	bool cut;                 /* longer than a line is looked at */
	char line[LINE_BYTES];    /* case folded, blanks collapsed */
	char program[WORD_BYTES]; /* as written */
	char name[WORD_BYTES];    /* its base name, folded, without .exe */
	const char *args;         /* of line, behind the program's word */
	const char *why;          /* KIND_NOTED: what it is */
};

static bool blank(char c)
{
	return c > 0 && c <= ' ';
}

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* The entry with one blank between words, none at its ends, in small letters. */
static void flatten(struct entry *e)
{
	size_t n = 0;

	for (const char *s = e->raw; *s; s++) {
		if (blank(*s) && (!n || e->line[n - 1] == ' '))
			continue;
		if (n + 1 == sizeof(e->line)) {
			e->cut = true;
			break;
		}
		e->line[n++] = blank(*s) ? ' ' : folded(*s);
	}
	if (n && e->line[n - 1] == ' ')
		n--;
	e->line[n] = '\0';
}

static size_t word_bytes(const char *s)
{
	size_t n = 0;

	while (s[n] && !blank(s[n]))
		n++;
	return n;
}

static bool word_is(const char *s, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(s, word, n) == 0;
}

/* Which word is the program: the first one that is no keyword of the session manager's. */
static void find_program(struct entry *e)
{
	static const char *const keywords[] = {"autocheck", "async", "debug"};
	const char *raw = e->raw, *line = e->line;
	size_t n, base;

	for (;;) {
		bool keyword = false;

		raw += strspn(raw, "\t\n\v\f\r ");
		n = word_bytes(line);
		for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
			keyword |= word_is(line, n, keywords[i]);
		if (!keyword || !line[n])
			break;
		raw += word_bytes(raw);
		line += n + 1;
	}
	text_part(raw, word_bytes(raw), e->program, sizeof(e->program));
	for (base = n; base && line[base - 1] != '\\' && line[base - 1] != '/';)
		base--;
	n -= base;
	if (n > 4 && strncmp(line + base + n - 4, ".exe", 4) == 0)
		n -= 4;
	text_part(line + base, n, e->name, sizeof(e->name));
	e->args = line + word_bytes(line);
	e->args += *e->args == ' ';
}

/* A volume as the disk check takes it: C:, \??\C:, \??\Volume{...}, or all of them. */
static bool volume(const char *w, size_t n)
{
	if (n == 1 && *w == '*')
		return true;
	if (n > 4 && strncmp(w, "\\??\\", 4) == 0) {
		w += 4;
		n -= 4;
		if (n > 8 && strncmp(w, "volume{", 7) == 0)
			return memchr(w, '}', n) && !memchr(w + 7, '\\', n - 7);
	}
	return n == 2 && w[0] >= 'a' && w[0] <= 'z' && w[1] == ':';
}

static bool check_switch(const char *w, size_t n)
{
	static const char *const plain[] = {"/b",
					    "/c",
					    "/d",
					    "/f",
					    "/i",
					    "/m",
					    "/p",
					    "/q",
					    "/r",
					    "/v",
					    "/x",
					    "/markclean",
					    "/offlinescanandfix",
					    "/sdcleanup",
					    "/spotfix"};
	static const char *const valued[] = {"/fs:", "/i:", "/k:", "/l:", "/nametable:", "/t:"};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (word_is(w, n, plain[i]))
			return true;
	for (size_t i = 0; i < sizeof(valued) / sizeof(valued[0]); i++) {
		const size_t v = strlen(valued[i]);

		if (n > v && n < v + 40 && strncmp(w, valued[i], v) == 0 && !memchr(w, '\\', n) &&
		    !memchr(w + 1, '/', n - 1))
			return true;
	}
	return false;
}

/* The disk check or the conversion, and nothing in its line that these do not take. */
static bool disk_check(const struct entry *e)
{
	if (strcmp(e->name, "autochk") != 0 && strcmp(e->name, "autoconv") != 0)
		return false;
	if (strpbrk(e->program, "\\/") || e->cut || !*e->args)
		return false;
	for (const char *w = e->args; *w;) {
		const size_t n = word_bytes(w);

		if (!volume(w, n) && !check_switch(w, n))
			return false;
		w += n;
		w += *w == ' ';
	}
	return true;
}

static bool stock(const struct registry_fact *f, const char *value, const struct entry *e)
{
	struct windows_path p;

	if (e->cut)
		return false;
	if (same_word(value, "BootExecute"))
		return strcmp(e->line, "autocheck autochk *") == 0 ||
		       strcmp(e->line, "autocheck autochk /q /v *") == 0;
	if (f->ours && same_word(value, "S0InitialCommand"))
		return strcmp(e->line, "wininit") == 0 ||
		       strcmp(e->line, "/usr/lib/smss/wininit") == 0;
	if (!same_word(value, "BootShell"))
		return false;
	path_windows(e->raw, NULL, &p);
	return strcmp(p.text, "c:\\windows\\system32\\bootim.exe") == 0;
}

/* Servicing: the pending transactions of the component store, and no other file. */
static bool servicing(const struct entry *e)
{
	const size_t n = strlen(e->args);
	static const char *const files[] = {"\\systemroot\\winsxs\\pending.xml",
					    "c:\\windows\\winsxs\\pending.xml"};

	if (strcmp(e->name, "poqexec") != 0 || strpbrk(e->program, "\\/"))
		return false;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const size_t m = strlen(files[i]);

		if (n >= m && strcmp(e->args + n - m, files[i]) == 0 &&
		    (n == m || e->args[n - m - 1] == ' ' ||
		     strcmp(e->args + n - m - 4, "\\??\\") == 0))
			return true;
	}
	return false;
}

static bool setup_program(const struct entry *e)
{
	static const char *const names[] = {"autochk", "autoconv", "autofmt", "poqexec", "setupcl"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(e->name, names[i]) == 0 && !strpbrk(e->program, "\\/"))
			return true;
	return false;
}

static enum kind kind_of(const struct registry_fact *f, const char *value, struct entry *e)
{
	if (stock(f, value, e)) {
		e->why = "the text that Windows ships, but behind an empty string";
		return e->behind ? KIND_NOTED : KIND_DEFAULT;
	}
	if (e->behind)
		return KIND_FOREIGN;
	if (same_word(value, "BootExecute") && disk_check(e)) {
		e->why = strcmp(e->name, "autoconv") == 0
				 ? "a file system is to be converted at the next boot"
				 : "a disk check is scheduled, or a volume left out of it";
		return KIND_NOTED;
	}
	if (same_word(value, "SetupExecute") && servicing(e)) {
		e->why = "servicing has work left for the next boot";
		return KIND_NOTED;
	}
	if (f->setup_in_progress && str_starts(value, "SetupExecute") && setup_program(e)) {
		e->why = "setup is in progress, and this is one of its programs";
		return KIND_NOTED;
	}
	return KIND_FOREIGN;
}

/* ---- what is told ---- */

static const char *known_as(const struct entry *e)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].name, e->name) == 0)
			return known[i].of;
	return NULL;
}

static bool foreign_letters(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x7F || (unsigned char)*s < ' ')
			return true;
	return false;
}

/* Where the session manager would look for it. */
static void resolved(const struct registry_fact *f, const struct entry *e, struct finding *x,
		     char *to, size_t cap)
{
	const char *dot = strrchr(e->program, '.');

	if (f->ours || !*e->program || strpbrk(e->program, "\\/"))
		return;
	snprintf(to, cap, "%%SystemRoot%%\\System32\\%s%s", e->program, dot ? "" : ".exe");
	finding_add(x, "resolves-to", to);
}

static void add_oddities(const struct entry *e, struct finding *x, char *to, size_t cap)
{
	struct name_verdict look;
	char name[WORD_BYTES + 4];

	if (e->behind)
		finding_add(x, "oddity", "it stands behind an empty string, where most tools stop");
	if (foreign_letters(e->raw))
		finding_add(x, "oddity", "it holds characters that are not plain ASCII");
	if (strpbrk(e->program, "\\/"))
		finding_add(x, "oddity", "the program is a path; Windows' own entries are names");
	if (!*e->program)
		return;
	snprintf(name, sizeof(name), "%s%s", path_base(e->program),
		 strrchr(path_base(e->program), '.') ? "" : ".exe");
	name_look(name, false, SYSTEM_WINDOWS, &look);
	if (look.kind < NAME_HIDDEN || !look.of)
		return;
	snprintf(to, cap, "its name imitates %s: %s", look.of, look.rule);
	finding_add(x, "oddity", to);
}

static enum indicator_id rule_of(const struct execute_value *v)
{
	return v == values ? INDICATOR_BOOT_EXECUTE : INDICATOR_BOOT_EXECUTE_SIBLING;
}

static void tell_entry(struct registry_judge *j, const struct registry_fact *f,
		       const struct execute_value *v, const struct entry *e, enum kind kind)
{
	char subject[REGISTRY_SUBJECT_BYTES], shown[REGISTRY_TEXT_BYTES], number[32],
		where[WORD_BYTES + 40], odd[256];
	struct finding x;

	snprintf(number, sizeof(number), "%u", e->number);
	text_shown(e->raw, shown);
	snprintf(subject, sizeof(subject), "%s\\%s%s%s \"%s\"", f->key, v->name,
		 strlen(e->raw) < REGISTRY_TEXT_BYTES ? "" : " #",
		 strlen(e->raw) < REGISTRY_TEXT_BYTES ? "" : number, shown);
	x = registry_finding(f, rule_of(v), kind == KIND_NOTED ? SEVERITY_INFO : SEVERITY_MEDIUM,
			     subject);
	finding_add(&x, "entry", shown);
	finding_add(&x, "number", number);
	finding_add(&x, "program", e->program);
	resolved(f, e, &x, where, sizeof(where));
	if (kind == KIND_FOREIGN)
		finding_add(&x, "known-name", known_as(e));
	add_oddities(e, &x, odd, sizeof(odd));
	if (f->setup_in_progress)
		finding_add(&x, "setup", "in progress, as the hive says");
	if (kind == KIND_NOTED)
		x.what = e->why;
	else if (v == values)
		x.what = "BootExecute runs more than the disk check that Windows ships";
	else if (same_word(v->name, "BootShell"))
		x.what = "BootShell is not Windows' own boot shell";
	else
		x.what = "a value that is empty on a machine that is not being set up names a "
			 "program "
			 "to run";
	registry_tell(j, f, &x);
}

struct about { /* a finding of the value as a whole */
	enum severity severity;
	const char *word; /* tells its findings apart */
	const char *what;
};

static void tell_value(struct registry_judge *j, const struct registry_fact *f,
		       const struct execute_value *v, const struct about *a)
{
	char subject[REGISTRY_SUBJECT_BYTES], type[16];
	const char *word = reg_type_word(f->type);
	struct finding x;

	snprintf(subject, sizeof(subject), "%s\\%s %s", f->key, v->name, a->word);
	x = registry_finding(f, rule_of(v), a->severity, subject);
	snprintf(type, sizeof(type), "%u", f->type);
	finding_add(&x, "type", word ? word : type);
	x.what = a->what;
	registry_tell(j, f, &x);
}

static void look_at(struct registry_judge *j, const struct registry_fact *f,
		    const struct execute_value *v, struct entry *e, unsigned *told)
{
	enum kind kind;

	flatten(e);
	if (!e->line[0])
		return;
	find_program(e);
	kind = kind_of(f, v->name, e);
	if (kind != KIND_DEFAULT && (*told)++ < REGISTRY_TOLD_MAX)
		tell_entry(j, f, v, e, kind);
}

/* Of a single text Windows reads no more than up to its NUL. */
static void tell_hidden(struct registry_judge *j, const struct registry_fact *f,
			const struct execute_value *v, struct entry *e)
{
	flatten(e);
	find_program(e);
	e->why = "text is hidden behind the value's end";
	tell_entry(j, f, v, e, KIND_NOTED);
}

/* Its lines; returns how many strings hold any text. */
static unsigned look_at_all(struct registry_judge *j, const struct registry_fact *f,
			    const struct execute_value *v)
{
	struct strings s = strings_start(f->data, f->bytes);
	const bool list = f->type == REG_MULTI_SZ;
	bool behind = false;
	unsigned told = 0, number = 0;
	char what[96];

	while (strings_next(&s)) {
		struct entry e = {.raw = s.text, .number = number + 1, .behind = behind};

		number += s.text[0] != '\0';
		if (!list && behind && s.text[0]) {
			e.behind = false;
			tell_hidden(j, f, v, &e);
			break;
		}
		behind |= !list || !s.text[0];
		look_at(j, f, v, &e, &told);
	}
	strings_end(&s);
	if (told > REGISTRY_TOLD_MAX) {
		snprintf(what, sizeof(what), "%u more entries like these are not told one by one",
			 told - REGISTRY_TOLD_MAX);
		tell_value(j, f, v, &(struct about){SEVERITY_MEDIUM, "more", what});
	}
	return number;
}

/* Every registry has a name once in a key; a hive made by hand may have it twice. */
static bool twice(struct registry_judge *j, const struct registry_fact *f)
{
	const bool again = j->execute_key && f->key && strcmp(j->execute_key, f->key) == 0;

	free(j->execute_key);
	j->execute_key = strdup(f->key ? f->key : "");
	j->boot_execute |= f->current;
	return again;
}

static bool is_text(uint32_t type)
{
	return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

static void judge_value(struct registry_judge *j, const struct registry_fact *f,
			const struct execute_value *v)
{
	static const struct about again = {
		SEVERITY_MEDIUM, "twice",
		"the value stands there twice: which one counts cannot be told"};
	static const struct about type = {SEVERITY_MEDIUM, "type",
					  "the value has a type that Windows never gives it"};
	static const struct about empty = {SEVERITY_INFO, "empty",
					   "BootExecute is empty: no disk check runs at boot"};
	const bool right =
		v->list ? f->type == REG_MULTI_SZ : f->type == REG_SZ || f->type == REG_EXPAND_SZ;
	unsigned lines = 0;

	if (v == values && twice(j, f))
		tell_value(j, f, v, &again);
	if (!right && (v == values || f->bytes > 2))
		tell_value(j, f, v, &type);
	if (!is_text(f->type))
		return;
	lines = look_at_all(j, f, v);
	if (v == values && !lines && !f->ours)
		tell_value(j, f, v, &empty);
}

bool judge_execute(struct registry_judge *j, const struct registry_fact *f)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (same_word(f->name, values[i].name)) {
			judge_value(j, f, &values[i]);
			return true;
		}
	return false;
}
