/* SPDX-License-Identifier: MIT */
/*
 * plan_simple.c - numbers, words and single names of a plan
 */
#include <stdio.h>
#include <string.h>

#include "registry/draft.h"
#include "registry/utf.h"

static uint32_t *setting(struct draft *d, const struct schema_row *row)
{
	return (uint32_t *)(void *)((char *)d->settings + row->setting);
}

/* Where a text or number that is no setting goes: the session's row, or a text. */
static void put(struct draft *d, const struct schema_row *row, const char *text, uint32_t number)
{
	struct draft_row out = {.name = row->text, .text = text, .arg = number};

	if (row->key == KEY_SESSIONS)
		out.name = draft_text(d, "%s\\%s", d->session, row->name);
	draft_add(d, row->table, out);
}

void handle_number(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	uint32_t n;

	if (!value_dword(v, &n)) {
		draft_say(d, PLAN_NOTE_ERROR, "a REG_DWORD has 4 bytes, this one has %u; not used",
			  v->bytes);
		return;
	}
	if (n < row->min || n > row->max) {
		draft_say(d, PLAN_NOTE_ERROR, "%u is not from %u to %u; not used", n, row->min,
			  row->max);
		return;
	}
	if (row->setting != SETTING_NONE)
		*setting(d, row) = n;
	else
		put(d, row, draft_text(d, "%u", n), n);
	if (row->key == KEY_SESSIONS && strcmp(d->session, "Default") == 0) {
		if (strcmp(row->name, "StartDeadline") == 0)
			d->settings->subsystem_deadline_s = n;
		if (strcmp(row->name, "StopDeadline") == 0)
			d->settings->shutdown_deadline_s = n;
	}
}

void handle_switch(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	uint32_t n = 2;
	const char *s;

	if (v->type == REG_DWORD) {
		(void)value_dword(v, &n);
	} else {
		s = draft_string(d, v, NAME_BYTES);
		if (!s)
			return;
		if (strcmp(s, "0") == 0 || strcmp(s, "1") == 0)
			n = (uint32_t)(s[0] - '0');
	}
	if (n > 1)
		draft_say(d, PLAN_NOTE_ERROR, "must be 0 or 1; not used");
	else
		put(d, row, n ? "1" : "0", n);
}

/* The place of a word in a list parted by blanks, -1 when it is not there. */
static int place_of(const char *words, const char *word)
{
	for (int i = 0; *words; i++) {
		size_t n = strcspn(words, " ");

		if (utf8_same_fold(words, n, word, strlen(word)))
			return i;
		words += n;
		words += strspn(words, " ");
	}
	return -1;
}

void handle_choice(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, NAME_BYTES);
	int at;

	if (!s)
		return;
	at = place_of(row->words, s);
	if (at < 0)
		draft_say(d, PLAN_NOTE_ERROR, "\"%s\" is none of: %s; not used", draft_show(d, s),
			  row->words);
	else
		*setting(d, row) = (uint32_t)at;
}

static void put_checked(struct draft *d, const struct schema_row *row, const char *s,
			const char *fault)
{
	if (fault)
		draft_say(d, PLAN_NOTE_ERROR, "\"%s\": %s; not used", draft_show(d, s), fault);
	else
		put(d, row, s, 0);
}

void handle_path(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES);

	if (s)
		put_checked(d, row, s, path_fault(s));
}

void handle_console(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, NAME_BYTES), *fault;

	if (!s)
		return;
	fault = path_fault(s);
	if (!fault && (strncmp(s, "/dev/", 5) != 0 || !s[5]))
		fault = "a console lies below /dev";
	put_checked(d, row, s, fault);
}

static bool name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void handle_host(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES), *fault = NULL;

	if (!s)
		return;
	if (!*s || strlen(s) > 63)
		fault = "a host name has 1 to 63 letters";
	for (const char *c = s; *c && !fault; c++)
		if (!name_letter(*c) && !strchr("-._", *c))
			fault = "a host name has letters, digits, - and . only";
	if (!fault && !name_letter(s[0]))
		fault = "a host name begins with a letter or digit";
	put_checked(d, row, s, fault);
}

void handle_user(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES), *fault = NULL;

	if (!s)
		return;
	if (!*s || strlen(s) > 32)
		fault = "a user name has 1 to 32 letters";
	for (const char *c = s; *c && !fault; c++)
		if (!name_letter(*c) && !strchr("-._@+$", *c))
			fault = "a character no user name has";
	if (!fault && s[0] == '-')
		fault = "a user name does not begin with -";
	put_checked(d, row, s, fault);
}

void handle_isolation(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	char room[64];
	struct text t = TEXT_ON(room);
	size_t count;
	char **word = draft_list(d, v, &count);

	for (size_t i = 0; i < count; i++) {
		if (place_of(row->words, word[i]) < 0) {
			draft_say(d, PLAN_NOTE_ERROR,
				  "\"%s\" is none of: %s; the value is not used",
				  draft_show(d, word[i]), row->words);
			return;
		}
		text_add(text_add(&t, t.len ? " " : ""), word[i]);
	}
	if (t.cut)
		draft_say(d, PLAN_NOTE_ERROR, "a word stands there more than once; not used");
	else
		put(d, row, draft_text(d, "%s", room), 0);
}
