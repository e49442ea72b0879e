/* SPDX-License-Identifier: MIT */
/*
 * fstab.c - the quick reader of /etc/fstab; see fstab.h
 *
 * Pure but for what is_mounted asks. Whatever it is not sure about, it leaves to libmount.
 */
#include "autochk/fstab.h"

#include <string.h>

#include "autochk/options.h"
#include "base/text.h"

#define FIELDS 6u

struct field {
	const char *at;
	size_t n;
};

/* Splits one line at blanks. Returns the number of fields, or FIELDS + 1 when there are more. */
static unsigned split(const char *line, size_t n, struct field ret[FIELDS])
{
	unsigned count = 0;
	size_t i = 0;

	for (;;) {
		while (i < n && (line[i] == ' ' || line[i] == '\t'))
			i++;
		if (i == n || line[i] == '#')
			return count;
		if (count == FIELDS)
			return FIELDS + 1;
		ret[count].at = line + i;
		while (i < n && line[i] != ' ' && line[i] != '\t')
			i++;
		ret[count].n = (size_t)(line + i - ret[count].at);
		count++;
	}
}

static bool put(char *field, size_t cap, struct field f)
{
	if (f.n == 0 || f.n >= cap || memchr(f.at, '\\', f.n) || memchr(f.at, '"', f.n) ||
	    memchr(f.at, 0, f.n))
		return false;
	memcpy(field, f.at, f.n);
	field[f.n] = 0;
	return true;
}

static bool digit(struct field f, int *ret)
{
	if (f.n != 1 || f.at[0] < '0' || f.at[0] > '9')
		return false;
	*ret = f.at[0] - '0';
	return true;
}

void volume_finish(struct volume *v)
{
	struct options o;

	options_read(v->options, &o);
	v->flags |= o.flags;
	if (str_same(v->target, "/"))
		v->flags |= VOLUME_ROOT;
	if (str_same(v->type, "swap"))
		v->flags |= VOLUME_SWAP;
	if (options_network_type(v->type))
		v->flags |= VOLUME_NETWORK;
}

/* One line with fields: true when it is understood and nobody needs libmount for it. */
static bool plain_line(const struct field f[FIELDS], unsigned count, struct volume *v)
{
	int frequency;

	memset(v, 0, sizeof(*v));
	if (count < 4 || count > FIELDS || !put(v->source, sizeof(v->source), f[0]) ||
	    !put(v->target, sizeof(v->target), f[1]) || !put(v->type, sizeof(v->type), f[2]) ||
	    !put(v->options, sizeof(v->options), f[3]))
		return false;
	if (count > 4 && !digit(f[4], &frequency))
		return false;
	if (count > 5 && !digit(f[5], &v->pass))
		return false;
	volume_finish(v);
	return true;
}

static bool needs_nobody(const struct volume *v)
{
	struct options o;

	if (v->flags & (VOLUME_SWAP | VOLUME_NOAUTO | VOLUME_NETWORK))
		return true;
	if (!(v->flags & VOLUME_ROOT))
		return false;
	options_read(v->options, &o);
	return o.plain;
}

bool fstab_quick(const char *text, size_t n,
		 bool (*is_mounted)(const void *who, const char *target), const void *who,
		 struct volumes *ret)
{
	ret->count = 0;
	ret->refused = 0;
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t line = end ? (size_t)(end - text) : n;
		struct field f[FIELDS];
		unsigned count = split(text, line, f);
		struct volume *v = &ret->at[ret->count];

		if (count) {
			if (ret->count == VOLUMES_MAX || !plain_line(f, count, v))
				return false;
			if (!needs_nobody(v) && (v->pass || !is_mounted(who, v->target)))
				return false;
			ret->count++;
		}
		text += line + (end != NULL);
		n -= line + (end != NULL);
	}
	return true;
}
