/* SPDX-License-Identifier: MIT */
/*
 * draft.c - rows, remarks and strings of a plan that is being made; see draft.h, remark.h
 */
#include "registry/draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_BYTES 96u

static const char *formed(struct reg_arena *a, const char *form, va_list list)
{
	char room[512];
	const char *s;

	vsnprintf(room, sizeof(room), form, list);
	s = arena_copy(a, room, strlen(room));
	return s ? s : "(no memory)";
}

void remark_add(struct remarks *r, unsigned kind, const char *path, const char *form, ...)
{
	va_list list;

	r->errors += kind == PLAN_NOTE_ERROR;
	if (r->count == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 32;
		struct remark *more =
			cap <= REMARKS_MAX ? arena_take(r->arena, cap * sizeof(*more)) : NULL;

		if (!more) {
			r->lost++;
			return;
		}
		if (r->count)
			memcpy(more, r->at, r->count * sizeof(*more));
		r->at = more;
		r->cap = cap;
	}
	va_start(list, form);
	r->at[r->count++] = (struct remark){.kind = kind,
					    .path = path,
					    .text = formed(r->arena, form, list),
					    .origin = r->origin};
	va_end(list);
}

bool remark_same(const struct remark *a, const struct remark *b)
{
	return a->kind == b->kind && strcmp(a->path, b->path) == 0 && strcmp(a->text, b->text) == 0;
}

const char *remark_word(unsigned kind)
{
	static const char *const words[] = {
		[PLAN_NOTE_ERROR] = "error",     [PLAN_NOTE_WARNING] = "warning",
		[PLAN_NOTE_NOT_YET] = "not yet", [PLAN_NOTE_REFUSED] = "refused",
		[PLAN_NOTE_UNKNOWN] = "unknown",
	};

	return kind == REMARK_UNUSED       ? "not used here"
	       : kind <= PLAN_NOTE_UNKNOWN ? words[kind]
					   : "?";
}

void draft_say(struct draft *d, unsigned kind, const char *form, ...)
{
	va_list list;
	const char *s;

	va_start(list, form);
	s = formed(d->arena, form, list);
	va_end(list);
	remark_add(d->remarks, kind, d->at, "%s", s);
}

const char *draft_text(struct draft *d, const char *form, ...)
{
	va_list list, again;
	char *s;
	int n;

	va_start(list, form);
	va_copy(again, list);
	n = vsnprintf(NULL, 0, form, list);
	s = n < 0 ? NULL : arena_take(d->arena, (size_t)n + 1);
	if (s)
		vsnprintf(s, (size_t)n + 1, form, again);
	else
		d->failed = -E2BIG;
	va_end(again);
	va_end(list);
	return s ? s : "";
}

/* Raw but for its length: whoever prints a remark escapes it (show.c, the master's log). */
const char *draft_show(struct draft *d, const char *s)
{
	size_t n = str_len(s, SHOWN_BYTES);

	while (s[n] && n && ((uint8_t)s[n] & 0xC0) == 0x80) /* not inside a character */
		n--;
	return draft_text(d, s[n] ? "%.*s..." : "%.*s", (int)n, s);
}

void draft_add(struct draft *d, enum plan_table t, struct draft_row row)
{
	struct draft_table *rows = &d->table[t];

	if (rows->count == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 16;
		struct draft_row *more = arena_take(d->arena, cap * sizeof(*more));

		if (!more) {
			d->failed = -E2BIG;
			return;
		}
		if (rows->count)
			memcpy(more, rows->row, rows->count * sizeof(*more));
		rows->row = more;
		rows->cap = cap;
	}
	if (!row.text)
		row.text = "";
	rows->row[rows->count++] = row;
}

static void say_flags(struct draft *d, unsigned flags)
{
	if (flags & REG_TEXT_ODD)
		draft_say(d, PLAN_NOTE_WARNING, "an odd number of bytes: the last one is ignored");
	if (flags & REG_TEXT_JUNK)
		draft_say(d, PLAN_NOTE_WARNING, "text behind its first NUL is ignored");
	if (flags & REG_TEXT_BAD)
		draft_say(d, PLAN_NOTE_WARNING, "an unpaired surrogate was replaced");
}

char *draft_string(struct draft *d, const struct reg_value *v, size_t cap)
{
	unsigned flags = 0;
	char *s = value_text(d->arena, v, &flags);

	if (!s) {
		d->failed = -E2BIG;
		return NULL;
	}
	say_flags(d, flags);
	if (strlen(s) >= cap) {
		draft_say(d, PLAN_NOTE_ERROR, "longer than %zu bytes; not used", cap - 1);
		return NULL;
	}
	for (const char *c = s; *c; c++) {
		if ((unsigned char)*c >= 0x20 && *c != 0x7F)
			continue;
		draft_say(d, PLAN_NOTE_ERROR, "a control character at byte %zu; not used",
			  (size_t)(c - s));
		return NULL;
	}
	return s;
}

char **draft_list(struct draft *d, const struct reg_value *v, size_t *ret_count)
{
	unsigned flags = 0;
	char **list = NULL;
	size_t count = 0, kept = 0;

	*ret_count = 0;
	if (v->type != REG_MULTI_SZ) {
		char *s = draft_string(d, v, PLAN_STRING_MAX);

		list = arena_take(d->arena, sizeof(*list));
		if (s && list && *s) {
			list[0] = s;
			*ret_count = 1;
		}
		return list;
	}
	if (value_list(d->arena, v, &list, &count, &flags) < 0) {
		d->failed = -E2BIG;
		return NULL;
	}
	say_flags(d, flags);
	for (size_t i = 0; i < count; i++)
		if (*list[i])
			list[kept++] = list[i];
	*ret_count = kept;
	return list;
}

const char *path_fault(const char *path)
{
	size_t n = strlen(path);

	if (path[0] != '/')
		return "not an absolute path";
	if (n >= PATH_BYTES)
		return "longer than 1023 bytes";
	for (const char *c = path; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			return "a control character in a path";
		if (*c != '/')
			continue;
		if (c[1] == '/' || (c[1] == '\0' && n > 1))
			return "an empty name in the path";
		if (c[1] == '.' && (c[2] == '/' || c[2] == '\0'))
			return "\".\" in a path";
		if (c[1] == '.' && c[2] == '.' && (c[3] == '/' || c[3] == '\0'))
			return "\"..\" in a path";
	}
	return NULL;
}

bool path_has_drive(const char *path)
{
	if (strncmp(path, "\\??\\", 4) == 0)
		path += 4;
	if (strncmp(path, "Volume{", 7) == 0)
		return true;
	return ((path[0] | 0x20) >= 'a' && (path[0] | 0x20) <= 'z') && path[1] == ':';
}
