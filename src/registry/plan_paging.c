/* SPDX-License-Identifier: MIT */
/*
 * plan_paging.c - paging file descriptors, nt-reference §3.1
 *
 * Line = PATH [MIN [MAX]] in MiB, base detected; a line that is wrong is dropped and the others
 * stand. That the value was there is remembered even if all its lines fail.
 */
#include <errno.h>
#include <string.h>

#include "registry/draft.h"

#define MIB_MAX (16u << 20) /* 16 TiB */

static size_t word(const char **at)
{
	size_t n = 0;

	while (**at && (unsigned char)**at <= ' ')
		++*at;
	while ((*at)[n] && (unsigned char)(*at)[n] > ' ')
		n++;
	return n;
}

/* 0 with the number, 1 when the line has no more words, -EINVAL. */
static int number(const char **at, uint32_t *ret)
{
	size_t n = word(at);
	uint64_t v;

	if (!n)
		return 1;
	if (str_u64(*at, n, &v) < 0 || v > MIB_MAX)
		return -EINVAL;
	*at += n;
	*ret = (uint32_t)v;
	return 0;
}

/* "?:\pagefile.sys" and "?:/pagefile.sys" mean any volume; else a Linux path. NULL and *ret_why. */
static const char *paging_path(struct draft *d, const char *s, size_t n, const char **ret_why)
{
	char *path = arena_copy(d->arena, strncmp(s, "\\??\\", 4) ? s : s + 4,
				strncmp(s, "\\??\\", 4) ? n : n - 4);

	*ret_why = NULL;
	if (!path) {
		d->failed = -E2BIG;
		*ret_why = "no memory";
		return NULL;
	}
	if (path[0] == '?' && path[1] == ':') {
		for (char *c = path; *c; c++)
			if (*c == '\\')
				*c = '/';
		*ret_why = path_fault(path + 2);
		if (!*ret_why && !path[3])
			*ret_why = "no file name";
	} else if (path_has_drive(path)) {
		*ret_why = "a drive path of Windows";
	} else {
		*ret_why = path_fault(path);
	}
	return *ret_why ? NULL : path;
}

static const char *sizes(const char **at, struct draft_row *row)
{
	int r = number(at, &row->arg);

	if (r == 0)
		r = number(at, &row->aux);
	if (r == 0 && word(at))
		return "more than a path and two sizes";
	if (r < 0)
		return "a size must be a number of MiB, at most 16777216";
	if (row->aux && row->aux < row->arg)
		return "the maximum is smaller than the minimum";
	if (!row->aux)
		row->aux = row->arg;
	return NULL;
}

static void one_file(struct draft *d, const char *line, size_t line_number, bool *any_volume)
{
	const char *at = line, *why;
	size_t n = word(&at);
	struct draft_row row = {.name = paging_path(d, at, n, &why)};

	at += n;
	if (!why)
		why = sizes(&at, &row);
	if (!why && row.name[0] == '?' && *any_volume)
		why = "a second file for any volume";
	if (!why && d->table[PLAN_PAGING_FILES].count >= PAGING_MAX)
		why = "more than 16 paging files";
	if (why) {
		draft_say(d, strstr(why, "of Windows") ? PLAN_NOTE_WARNING : PLAN_NOTE_ERROR,
			  "line %zu, \"%s\": %s; dropped", line_number, draft_show(d, line), why);
		return;
	}
	*any_volume |= row.name[0] == '?';
	draft_add(d, PLAN_PAGING_FILES, row);
}

void handle_paging(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **line = draft_list(d, v, &count);
	bool any_volume = false;

	(void)row;
	d->no_paging_default = 1;
	for (size_t i = 0; i < count; i++)
		one_file(d, line[i], i + 1, &any_volume);
}

void handle_paths(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **path = draft_list(d, v, &count);

	for (size_t i = 0; i < count; i++) {
		const char *why =
			path_has_drive(path[i]) ? "a drive path of Windows" : path_fault(path[i]);

		if (why)
			draft_say(d,
				  strstr(why, "of Windows") ? PLAN_NOTE_WARNING : PLAN_NOTE_ERROR,
				  "\"%s\": %s; not used", draft_show(d, path[i]), why);
		else
			draft_add(d, row->table, (struct draft_row){.name = path[i]});
	}
}
