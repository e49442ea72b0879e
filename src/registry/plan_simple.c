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

void draft_put(struct draft *d, const struct schema_row *row, const char *text, uint32_t number)
{
	struct draft_row out = {.name = row->text, .text = text, .arg = number};

	if (row->key == KEY_SESSIONS)
		out.name = draft_text(d, "%s\\%s", d->session, row->name);
	draft_add(d, row->table, out);
}

/* As NT has it, some numbers are written as text; said when it is none. */
static bool number_of(struct draft *d, const struct reg_value *v, uint32_t *ret)
{
	const char *s;
	uint64_t n;

	if (v->type == REG_DWORD) {
		if (value_dword(v, ret))
			return true;
		draft_say(d, PLAN_NOTE_ERROR, "a REG_DWORD has 4 bytes, this one has %u; not used",
			  v->bytes);
		return false;
	}
	s = draft_string(d, v, NAME_BYTES);
	if (!s)
		return false;
	if (str_u64(s, strlen(s), &n) < 0 || n > UINT32_MAX) {
		draft_say(d, PLAN_NOTE_ERROR, "\"%s\" is no number, or far too large; not used",
			  draft_show(d, s));
		return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* The defaults that the master has at hand. 0, no deadline, stands in the session's row alone. */
static void default_deadlines(struct draft *d, const struct schema_row *row, uint32_t n)
{
	if (row->key != KEY_SESSIONS || strcmp(d->session, "Default") != 0 || !n)
		return;
	if (strcmp(row->name, "StartDeadline") == 0)
		d->settings->subsystem_deadline_s = n;
	if (strcmp(row->name, "StopDeadline") == 0)
		d->settings->shutdown_deadline_s = n;
}

void handle_number(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	uint32_t n;

	if (!number_of(d, v, &n))
		return;
	if ((n < row->min || n > row->max) && !(row->or_zero && !n)) {
		draft_say(d, PLAN_NOTE_ERROR, "%u is not %sfrom %u to %u; not used", n,
			  row->or_zero ? "0, or " : "", row->min, row->max);
		return;
	}
	if (row->setting != SETTING_NONE)
		*setting(d, row) = n;
	else
		draft_put(d, row, draft_text(d, "%u", n), n);
	default_deadlines(d, row, n);
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
		draft_put(d, row, n ? "1" : "0", n);
}

int draft_place(const char *words, const char *word)
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
	at = draft_place(row->words, s);
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
		draft_put(d, row, s, 0);
}

void handle_path(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES);

	if (s)
		put_checked(d, row, s, path_fault(s));
}

const char *console_fault(const char *path)
{
	const char *fault = path_fault(path);

	if (!fault && (strncmp(path, "/dev/", 5) != 0 || !path[5]))
		fault = "a console lies below /dev";
	if (!fault && strlen(path) >= NAME_BYTES)
		fault = "longer than 47 bytes";
	return fault;
}

void handle_console(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES);

	if (s)
		put_checked(d, row, s, console_fault(s));
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

static const char *account_fault(const char *s)
{
	if (!*s || strlen(s) > 32)
		return "a name of a user or group has 1 to 32 letters";
	if (s[0] == '-')
		return "a name of a user or group does not begin with -";
	for (const char *c = s; *c; c++)
		if (!name_letter(*c) && !strchr("-._@+$", *c))
			return "a character no name of a user or group has";
	return NULL;
}

void handle_user(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES);

	if (s)
		put_checked(d, row, s, account_fault(s));
}

void handle_group(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	handle_user(d, row, v);
}
