/* SPDX-License-Identifier: MIT */
/*
 * plan_policy.c - what sessions are held to: lists and words of the Sessions keys, and consoles
 *
 * The plan has them as plan/policy.h reads them. A list of which one line is wrong is not used at
 * all: half of what an administrator wanted a session to be held to is no policy.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"
#include "registry/draft.h"

#define CONSOLES_MAX  64u /* each makes a session at boot */
#define STRINGS_MAX   64u /* variables or links of a session */
#define STRINGS_BYTES 8192u
#define OWN_PREFIX    "SMSS_" /* of variables between a session's own programs */

static const char *control_fault(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7F)
			return "a control character";
	return NULL;
}

/* The whole value is not used; says which line is to blame. */
static void wrong(struct draft *d, size_t line, const char *s, const char *fault)
{
	draft_say(d, PLAN_NOTE_ERROR, "line %zu, \"%s\": %s; the value is not used", line + 1,
		  draft_show(d, s), fault);
}

void handle_isolation(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	char room[64];
	struct text t = TEXT_ON(room);
	uint32_t had = 0;
	size_t count;
	char **word = draft_list(d, v, &count);

	for (size_t i = 0; i < count; i++) {
		int place = draft_place(row->words, word[i]);
		const char *at = row->words;

		if (place < 0) {
			wrong(d, i, word[i], draft_text(d, "is none of: %s", row->words));
			return;
		}
		if (had >> place & 1)
			continue;
		had |= 1u << place;
		for (int k = 0; k < place; k++)
			at += strcspn(at, " ") + 1;
		text_add(&t, t.len ? " " : "");
		text_add_n(&t, at, strcspn(at, " "));
	}
	draft_put(d, row, draft_text(d, "%s", room), 0);
}

/* The word all is all that a kernel may ever know. */
void handle_capabilities(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	uint64_t mask = 0;
	size_t count;
	char **name = draft_list(d, v, &count);
	const bool none = count == 1 && str_same_fold(name[0], "none");
	const bool all = count == 1 && str_same_fold(name[0], "all");

	if (!count && !d->failed)
		draft_say(d, PLAN_NOTE_ERROR, "an empty list: say none, or all; not used");
	if (!count)
		return;
	for (size_t i = 0; i < count && !none && !all; i++) {
		int bit = policy_capability(name[i]);

		if (bit < 0) {
			wrong(d, i, name[i],
			      policy_capability(name[i] +
						(strncasecmp(name[i], "cap_", 4) ? 0 : 4)) < 0
				      ? "is no capability"
				      : "names stand here without CAP_");
			return;
		}
		mask |= 1ull << bit;
	}
	draft_put(d, row, draft_text(d, "%016" PRIx64, all ? UINT64_MAX : mask), 0);
}

void handle_octal(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, NAME_BYTES);
	uint32_t n = 0;

	if (!s)
		return;
	for (const char *c = s; *c && n <= 0777; c++)
		n = *c >= '0' && *c <= '7' ? n << 3 | (uint32_t)(*c - '0') : UINT32_MAX;
	if (!*s || n > 0777)
		draft_say(d, PLAN_NOTE_ERROR,
			  "\"%s\" is no octal number from 0000 to 0777; not used",
			  draft_show(d, s));
	else
		draft_put(d, row, draft_text(d, "%04o", n), n);
}

void handle_signed(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, NAME_BYTES);
	const int64_t min = (int32_t)row->min, max = (int32_t)row->max;
	uint64_t n;
	int64_t x;
	bool minus;

	if (!s)
		return;
	minus = *s == '-';
	x = str_u64(s + minus, strlen(s + minus), &n) < 0 || n > INT32_MAX ? INT64_MAX : (int64_t)n;
	if (minus)
		x = -x;
	if (x < min || x > max)
		draft_say(d, PLAN_NOTE_ERROR,
			  "\"%s\" is no number from %" PRIi64 " to %" PRIi64 "; not used",
			  draft_show(d, s), min, max);
	else
		draft_put(d, row, draft_text(d, "%" PRIi64, x), 0);
}

/* Cuts a line at its first blanks. Returns what stands behind them, "" when nothing does. */
static char *rest_of(char *line)
{
	char *rest = line + strcspn(line, " \t");

	if (*rest)
		*rest++ = '\0';
	return rest + strspn(rest, " \t");
}

/* "nofile 1024", which is cut; NULL, or what is wrong with it. */
static const char *limit_fault(char *line, int *ret_which, uint64_t *ret)
{
	char *value = rest_of(line);

	*ret_which = policy_limit(line);
	if (*ret_which < 0)
		return "no limit of that name is known";
	if (str_same_fold(value, "unlimited"))
		*ret = UINT64_MAX;
	else if (str_u64(value, strlen(value), ret) < 0)
		return "expected a name and a number, or unlimited";
	return NULL;
}

void handle_limits(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *out = "", *fault;
	uint32_t had = 0;
	size_t count;
	char **line = draft_list(d, v, &count);

	for (size_t i = 0; i < count; i++) {
		const char *whole = draft_text(d, "%s", line[i]);
		uint64_t n;
		int which;

		fault = limit_fault(line[i], &which, &n);
		if (!fault && had >> which & 1)
			fault = "stands there more than once";
		if (fault) {
			wrong(d, i, whole, fault);
			return;
		}
		had |= 1u << which;
		out = draft_text(d, "%s%s%s=%" PRIu64, out, *out ? " " : "",
				 policy_limit_name((unsigned)which), n);
	}
	draft_put(d, row, out, 0);
}

static const char *string_fault(const char *line)
{
	const size_t n = strcspn(line, "=");

	if (!line[n] || !n)
		return "expected NAME=VALUE";
	if (n >= NAME_BYTES * 4)
		return "its name is too long";
	if (strncasecmp(line, OWN_PREFIX, strlen(OWN_PREFIX)) == 0)
		return "names that begin with " OWN_PREFIX " are smss' own";
	return control_fault(line);
}

/* "scanner /dev/usb/lp1"; *line becomes the same with one blank between. */
static const char *link_fault(struct draft *d, char **line)
{
	char *name = arena_copy(d->arena, *line, strlen(*line)), *target;
	const char *fault;

	if (!name)
		return "no memory";
	target = rest_of(name);
	if (!*target)
		return "expected NAME TARGET";
	fault = path_fault(draft_text(d, "/%s", name));
	if (!fault && strlen(target) >= PATH_BYTES)
		fault = "its target is too long";
	if (!fault && (target[0] == '\\' || path_has_drive(target)))
		fault = "its target is a path of NT";
	if (!fault)
		fault = control_fault(target);
	if (!fault) {
		const char *one = draft_text(d, "%s %s", name, target);

		name = arena_copy(d->arena, one, strlen(one));
		*line = name ? name : *line;
	}
	return fault;
}

/* A row a line; an empty list is one empty row, so that it hides the default's lines. */
static void put_lines(struct draft *d, const struct schema_row *row, char **line, size_t count)
{
	const char *fault = NULL;
	size_t bytes = 0;

	for (size_t i = 0; i < count; i++) {
		bytes += strlen(line[i]) + 1;
		if (row->grammar == GRAMMAR_LINKS)
			fault = link_fault(d, &line[i]);
		else
			fault = string_fault(line[i]);
		if (!fault && (i >= STRINGS_MAX || bytes > STRINGS_BYTES))
			fault = "more than a session can have";
		if (fault) {
			wrong(d, i, line[i], fault);
			return;
		}
	}
	for (size_t i = 0; i < count; i++)
		draft_put(d, row, line[i], 0);
	if (!count)
		draft_put(d, row, "", 0);
}

void handle_strings(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **line = draft_list(d, v, &count);

	put_lines(d, row, line, count);
}

void handle_links(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	handle_strings(d, row, v);
}

void handle_consoles(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **path = draft_list(d, v, &count);

	(void)row;
	for (size_t i = 0; i < count; i++) {
		const char *fault = console_fault(path[i]);

		for (size_t k = 0; k < i && !fault; k++)
			if (strcmp(path[k], path[i]) == 0)
				fault = "stands there more than once";
		if (!fault && i >= CONSOLES_MAX)
			fault = "more consoles than a boot makes sessions for";
		if (fault) {
			wrong(d, i, path[i], fault);
			return;
		}
	}
	d->console = path;
	d->consoles = count;
}

static bool has_console(const struct draft *d, const char *name)
{
	const struct draft_table *rows = &d->table[PLAN_SESSIONS];

	for (size_t i = 0; i < rows->count; i++)
		if (str_same_fold(rows->row[i].name, name))
			return true;
	return false;
}

/* Sessions\N\Console says otherwise; Sessions\Default\Console does not: that is what is left. */
void defaults_sessions(struct draft *d)
{
	const uint32_t least = (uint32_t)d->consoles + 1;
	char path[64];
	const struct reg_key *k;

	for (size_t i = 0; i < d->consoles; i++) {
		const char *name = draft_text(d, "%zu\\Console", i + 1);

		if (!has_console(d, name))
			draft_add(d, PLAN_SESSIONS,
				  (struct draft_row){.name = name, .text = d->console[i]});
	}
	if (d->settings->initial_sessions >= least)
		return;
	snprintf(path, sizeof(path), "ControlSet%03u\\Control\\Session Manager", d->from->set);
	k = tree_find(d->from->tree, path, strlen(path));
	d->at = "Session Manager\\NumberOfInitialSessions";
	if (key_get(k, "NumberOfInitialSessions"))
		draft_say(d, PLAN_NOTE_WARNING, "taken as %u: Consoles names %zu", least,
			  d->consoles);
	d->settings->initial_sessions = least;
}
