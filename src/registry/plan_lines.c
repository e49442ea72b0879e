/* SPDX-License-Identifier: MIT */
/*
 * plan_lines.c - command lines and subsystems of a plan
 *
 * Grammar of nt-reference §2.2: keywords debug, async, autocheck in any case, order and number;
 * then the image, a token without white space, no quoting; then its arguments as they are.
 */
#include <string.h>

#include "registry/draft.h"
#include "registry/utf.h"

static bool blank(char c)
{
	return c && (unsigned char)c <= ' ';
}

static const char *skip_blanks(const char *s)
{
	while (blank(*s))
		s++;
	return s;
}

static size_t token(const char *s)
{
	size_t n = 0;

	while (s[n] && !blank(s[n]))
		n++;
	return n;
}

/* The base name in lower case and without ".exe", for tokens that are no Linux path. */
static const char *base_name(struct draft *d, const char *s, size_t n)
{
	size_t from = 0;
	char *name;

	for (size_t i = 0; i < n; i++)
		if (s[i] == '\\' || s[i] == ':')
			from = i + 1;
	if (n - from > 4 && utf8_same_fold(s + n - 4, 4, ".exe", 4))
		n -= 4;
	name = arena_copy(d->arena, s + from, n - from);
	for (char *c = name; c && *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	return name ? name : "";
}

const char *draft_image(struct draft *d, const char *line, const char **ret_rest)
{
	size_t n = token(line);
	const char *name;

	*ret_rest = line + n;
	if (line[0] == '/')
		return arena_copy(d->arena, line, n);
	name = base_name(d, line, n);
	if (strlen(name) != n || strncmp(name, line, n) != 0)
		draft_say(d, PLAN_NOTE_WARNING, "image \"%s\" is taken as \"%s\"",
			  draft_show(d, draft_text(d, "%.*s", (int)n, line)), draft_show(d, name));
	return name;
}

static bool image_fits(struct draft *d, const char *image, const char *where)
{
	const char *fault = image[0] == '/' ? path_fault(image) : NULL;

	if (!*image)
		fault = "no image";
	else if (image[0] != '/' && strchr(image, '/'))
		fault = "the image must be a plain name or an absolute path";
	else if (image[0] != '/' && strlen(image) >= NAME_BYTES)
		fault = "the image's name is longer than 47 bytes";
	if (fault)
		draft_say(d, PLAN_NOTE_ERROR, "%s%s; not used", where, fault);
	return !fault;
}

static bool words_fit(struct draft *d, const char *line, const char *where)
{
	char copy[COMMAND_BYTES], *words[ARGS_MAX + 1];

	if (strlen(line) >= COMMAND_BYTES) {
		draft_say(d, PLAN_NOTE_ERROR, "%slonger than %u bytes; not used", where,
			  COMMAND_BYTES - 1);
		return false;
	}
	memcpy(copy, line, strlen(line) + 1);
	if (plan_words(copy, words, ARGS_MAX) >= 0)
		return true;
	draft_say(d, PLAN_NOTE_ERROR, "%smore than %u words; not used", where, ARGS_MAX);
	return false;
}

static unsigned keyword(const char **line)
{
	static const struct {
		const char *word;
		unsigned flag;
	} words[] = {{"debug", PLAN_LINE_DEBUG},
		     {"async", PLAN_LINE_ASYNC},
		     {"autocheck", PLAN_LINE_AUTOCHECK}};
	size_t n = token(*line);

	for (size_t i = 0; i < 3; i++) {
		if (!utf8_same_fold(*line, n, words[i].word, strlen(words[i].word)))
			continue;
		*line = skip_blanks(*line + n);
		return words[i].flag;
	}
	return 0;
}

/* "autochek autochk *" runs a program autochek, and the disk check is gone: that is worth a word.
 */
static void near_keyword(struct draft *d, const char *line, const char *where)
{
	const char *word = draft_text(d, "%.*s", (int)token(line), line), *near;

	if (!*skip_blanks(line + token(line)) || strcmp(word, "autochk") == 0 ||
	    strcmp(word, "sync") == 0)
		return;
	near = schema_suggest_name(SCHEMA_LINE_WORDS, word);
	if (near)
		draft_say(d, PLAN_NOTE_WARNING, "%s\"%s\" is taken as a program; did you mean %s?",
			  where, draft_show(d, word), near);
}

static void one_line(struct draft *d, enum plan_table t, const char *line, size_t number)
{
	const char *where = draft_text(d, "line %zu: ", number), *rest;
	struct draft_row row = {0};
	unsigned flag;

	line = skip_blanks(line);
	while ((flag = keyword(&line)))
		row.flags |= flag;
	near_keyword(d, line, where);
	if (!*line && (row.flags & PLAN_LINE_DEBUG)) {
		draft_say(d, PLAN_NOTE_WARNING, "%sa debug line without an image does nothing",
			  where);
		return;
	}
	row.name = draft_image(d, line, &rest);
	row.text = draft_text(d, "%s%s", row.name, rest);
	if (!image_fits(d, row.name, where) || !words_fit(d, row.text, where))
		return;
	for (const char *c = row.text; *c; c++)
		if ((unsigned char)*c < 0x20 && *c != '\t') {
			draft_say(d, PLAN_NOTE_ERROR, "%sa control character; not used", where);
			return;
		}
	if (strcmp(row.name, "autochk") == 0 || strcmp(row.name, "/usr/lib/smss/autochk") == 0)
		row.flags |= PLAN_LINE_AUTOCHK;
	if (row.flags & PLAN_LINE_DEBUG)
		draft_say(d, PLAN_NOTE_WARNING, "%sdebug: the line succeeds and does nothing",
			  where);
	draft_add(d, t, row);
}

void handle_lines(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **line = draft_list(d, v, &count);

	if (count > LINES_MAX)
		draft_say(d, PLAN_NOTE_ERROR, "%zu lines; only the first %u are used", count,
			  LINES_MAX);
	for (size_t i = 0; i < count && i < LINES_MAX; i++)
		one_line(d, row->table, line[i], i + 1);
}

const char *draft_command(struct draft *d, const char *line, const char **ret_image)
{
	const char *rest, *image;

	line = skip_blanks(line);
	image = draft_image(d, line, &rest);
	line = draft_text(d, "%s%s", image, rest);
	if (!image_fits(d, image, "") || !words_fit(d, line, ""))
		return NULL;
	if (ret_image)
		*ret_image = image;
	return line;
}

void handle_command(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, COMMAND_BYTES);

	if (!s)
		return;
	if (!*skip_blanks(s) && strcmp(row->name, "Supervisor") != 0) {
		draft_say(d, PLAN_NOTE_ERROR, "empty; not used");
		return;
	}
	if (*skip_blanks(s))
		s = draft_command(d, s, NULL);
	if (!s)
		return;
	if (row->text) {
		draft_add(d, PLAN_TEXTS, (struct draft_row){.name = row->text, .text = s});
	} else if (row->key == KEY_SESSIONS) {
		draft_add(d, PLAN_SESSIONS,
			  (struct draft_row){.name = draft_text(d, "%s\\%s", d->session, row->name),
					     .text = s});
		if (strcmp(d->session, "Default") == 0)
			d->initial = s;
	} else {
		d->s0_initial = s;
	}
}

void handle_refused(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;

	(void)draft_list(d, v, &count);
	if (count)
		draft_say(d, PLAN_NOTE_REFUSED, "%s of the firmware: never run here",
			  count == 1 ? "a program" : "programs");
}

/* One name of Required or Optional: its command is the value of that name beside it. */
static void subsystem(struct draft *d, enum plan_table t, const char *name)
{
	const struct reg_value *v = key_get(d->key, name);
	const char *command = NULL;

	if (strlen(name) >= NAME_BYTES) {
		draft_say(d, PLAN_NOTE_ERROR, "a name longer than %u bytes; skipped",
			  NAME_BYTES - 1);
		return;
	}
	if (!v && strcmp(name, "Debug") == 0)
		command = "";
	if (!v && strcmp(name, "Windows") == 0)
		command = "csrss";
	if (!v && !command) {
		draft_say(d, PLAN_NOTE_WARNING, "\"%s\" has no command in this key; skipped",
			  draft_show(d, name));
		return;
	}
	if (v && v->type != REG_SZ && v->type != REG_EXPAND_SZ)
		return; /* said at the value itself */
	if (v)
		command = draft_string(d, v, COMMAND_BYTES);
	if (command && *skip_blanks(command))
		command = draft_command(d, command, NULL);
	if (command)
		draft_add(d, t,
			  (struct draft_row){.name = draft_text(d, "%s", name), .text = command});
}

void handle_subsystems(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **name = draft_list(d, v, &count);

	if (count > LINES_MAX)
		draft_say(d, PLAN_NOTE_ERROR, "%zu names; only the first %u are used", count,
			  LINES_MAX);
	for (size_t i = 0; i < count && i < LINES_MAX; i++)
		subsystem(d, row->table, name[i]);
}

/* Checked where Required or Optional names it; here only that it can be read. */
void handle_subsystem(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s;

	if (strcmp(row->name, "*") == 0) {
		draft_say(d, REMARK_UNUSED, "used when Required or Optional names it");
		return;
	}
	s = draft_string(d, v, COMMAND_BYTES);
	if (s && *skip_blanks(s) && !key_get(d->key, "Required"))
		(void)draft_command(d, s, NULL);
}

/* A list that is there and readable, so that its default is not wanted. */
static bool has_list(struct draft *d, const char *key, const char *name)
{
	const char *path = draft_text(d, "ControlSet%03u\\Control\\%s", d->from->set, key);
	const struct reg_key *k = tree_find(d->from->tree, path, strlen(path));
	const struct reg_value *v = key_get(k, name);

	return v && v->type == REG_MULTI_SZ;
}

void defaults_lines(struct draft *d)
{
	const char *subsystems = "Session Manager\\SubSystems";
	const char *path = draft_text(d, "ControlSet%03u\\Control\\%s", d->from->set, subsystems);

	if (!has_list(d, "Session Manager", "BootExecute"))
		draft_add(d, PLAN_BOOT_EXECUTE,
			  (struct draft_row){.name = "autochk",
					     .text = "autochk *",
					     .flags = PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK});
	if (has_list(d, subsystems, "Required"))
		return;
	d->key = tree_find(d->from->tree, path, strlen(path));
	d->at = "Session Manager\\SubSystems\\Required";
	subsystem(d, PLAN_REQUIRED, "Debug");
	subsystem(d, PLAN_REQUIRED, "Windows");
}
