/* SPDX-License-Identifier: MIT */
/*
 * envblock.c - the system environment under construction, see envblock.h
 *
 * The block is kept packed in the form that execve's callers and FD_ENV want; blocks are a few
 * hundred bytes, so a linear look is cheaper than any table.
 */
#include "smss/boot/envblock.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"

static bool same_name(const char *entry, const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char a = entry[i], b = name[i];

		if (a >= 'a' && a <= 'z')
			a = (char)(a - 'a' + 'A');
		if (b >= 'a' && b <= 'z')
			b = (char)(b - 'a' + 'A');
		if (a != b || a == '=' || !a)
			return false;
	}
	return entry[n] == '=';
}

/* The entry of a name, or NULL. */
static char *find(const struct envblock *b, const char *name, size_t n)
{
	for (size_t at = 0; at < b->used; at += strlen(b->bytes + at) + 1)
		if (same_name(b->bytes + at, name, n))
			return b->bytes + at;
	return NULL;
}

const char *envblock_get(const struct envblock *b, const char *name, size_t n)
{
	const char *entry = find(b, name, n);

	return entry ? entry + n + 1 : NULL;
}

static int add(struct envblock *b, const char *name, const char *value, size_t n)
{
	const size_t name_n = strlen(name);
	char *to = b->bytes + b->used;

	if (b->count == ENV_VARS_MAX || name_n + n + 2 > b->cap - b->used)
		return -ENOSPC;
	memcpy(to, name, name_n);
	to[name_n] = '=';
	memcpy(to + name_n + 1, value, n);
	to[name_n + 1 + n] = 0;
	b->used += name_n + n + 2;
	b->count++;
	return 0;
}

int envblock_set(struct envblock *b, const char *name, const char *value, size_t n)
{
	const size_t name_n = strlen(name);
	size_t old_n, after;
	char *entry;

	if (!name_n || strchr(name, '='))
		return -EINVAL;
	entry = find(b, name, name_n);
	if (!entry)
		return add(b, str_same_fold(name, "path") ? "PATH" : name, value, n);
	entry += name_n + 1;
	old_n = strlen(entry);
	if (old_n == n && bytes_same(entry, value, n))
		return 0; /* nearly always so in the second pass */
	if (n > old_n && n - old_n > b->cap - b->used)
		return -ENOSPC;
	after = (size_t)(b->bytes + b->used - (entry + old_n));
	memmove(entry + n, entry + old_n, after);
	memcpy(entry, value, n);
	b->used = b->used - old_n + n;
	return 0;
}

int envblock_expand(const struct envblock_scope *s, const char *value, char *ret, size_t cap)
{
	const size_t self_n = strlen(s->self);
	struct text t = text_start(ret, cap);

	while (*value) {
		size_t n = strcspn(value, "%");
		const char *name, *found = NULL;

		text_add_n(&t, value, n);
		value += n;
		if (!*value)
			break;
		name = value + 1;
		n = strcspn(name, "%");
		if (n && name[n]) {
			const bool own = n == self_n && strncasecmp(name, s->self, n) == 0;

			found = envblock_get(own ? s->before : s->b, name, n);
		}
		if (found) {
			text_add(&t, found);
			value = name + n + 1;
		} else { /* the second percent sign may begin a name of its own */
			text_add_n(&t, value, n + 1);
			value = name + n;
			if (*value && !n) {
				text_add(&t, "%");
				value++;
			}
		}
	}
	return t.cut ? -ENOSPC : (int)t.len;
}

bool envblock_dynamic(const char *name)
{
	static const char *const names[] = {
		"OS",
		"NUMBER_OF_PROCESSORS",
		"PROCESSOR_ARCHITECTURE",
		"PROCESSOR_IDENTIFIER",
		"PROCESSOR_LEVEL",
		"PROCESSOR_REVISION",
		"SAFEBOOT_OPTION",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_same_fold(name, names[i]))
			return true;
	return false;
}

bool envblock_steers(const char *name)
{
	static const char *const beginnings[] = {"LD_", "BASH_FUNC_"};
	static const char *const names[] = {"GLIBC_TUNABLES", "GCONV_PATH", "LOCPATH",
					    "NLSPATH",        "BASH_ENV",   "ENV"};

	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
		if (strncasecmp(name, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_same_fold(name, names[i]))
			return true;
	return false;
}

/* Sets one row of the table. Returns 0 or -errno. */
static int apply_row(struct envblock_scope *s, struct envblock *b, const struct plan_row *row,
		     const struct plan_header *p, const struct envblock_work *w)
{
	const char *value = plan_string(p, row->text);
	int n;

	s->self = plan_string(p, row->name);
	if (envblock_dynamic(s->self))
		return 0;
	if (w->safe && envblock_steers(s->self))
		return -EPERM;
	if (!(row->flags & PLAN_ENV_EXPAND) || !strchr(value, '%'))
		return envblock_set(b, s->self, value, strlen(value));
	n = envblock_expand(s, value, w->scratch, ENV_BYTES);
	return n < 0 ? n : envblock_set(b, s->self, w->scratch, (size_t)n);
}

void envblock_apply(struct envblock *b, const struct plan_header *p, const struct envblock_work *w)
{
	const uint32_t count = plan_count(p, PLAN_ENVIRONMENT);
	const struct envblock before = {
		.bytes = w->before, .cap = b->cap, .used = b->used, .count = b->count};
	struct envblock_scope s = {.b = b, .before = &before};

	memcpy(w->before, b->bytes, b->used);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < count; i++) {
			const struct plan_row *row = plan_row_at(p, PLAN_ENVIRONMENT, i);
			int r = apply_row(&s, b, row, p, w);

			if (r < 0 && pass == 1 && w->failed)
				w->failed(w->with, s.self, -r);
		}
	}
}
