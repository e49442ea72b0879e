/* SPDX-License-Identifier: MIT */
/*
 * profile_values.c - counting values in bounded memory; see profile_inner.h
 *
 * Each trait keeps its most frequent values. When a new one comes and all places are taken, the
 * rarest gives its place and its count becomes the newcomer's error: a value that is more frequent
 * than one in PROFILE_VALUES is always among those kept, and its count less its error is surely its
 * own. Hashes only save comparisons of values; where they stand for a key themselves, two that are
 * equal cost a count and never a finding of the audit.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

#define KEYS_FIRST 1024u

uint64_t profile_hash(uint64_t kind, const char *text)
{
	uint64_t h = 0x9e3779b97f4a7c15u * (kind + 1);

	for (; *text; text++) {
		uint8_t c = (uint8_t)*text;

		if (c >= 'A' && c <= 'Z')
			c += 32;
		h = (h ^ c) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	return h ? h : 1;
}

uint64_t profile_secret(void)
{
	static uint64_t secret;

	if (!secret && getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		secret = 0x9e3779b97f4a7c15u;
	return secret |= 1;
}

static size_t key_place(const struct keys *k, uint64_t key)
{
	size_t at = (size_t)(key * profile_secret() >> 32) & (k->cap - 1);

	while (k->at[at] && k->at[at] != key)
		at = (at + 1) & (k->cap - 1);
	return at;
}

static void keys_grow(struct keys *k)
{
	struct keys old = *k;

	k->cap = old.cap ? old.cap * 2 : KEYS_FIRST;
	k->at = audit_alloc(NULL, k->cap * sizeof(*k->at));
	memset(k->at, 0, k->cap * sizeof(*k->at));
	for (size_t i = 0; i < old.cap; i++)
		if (old.at[i])
			k->at[key_place(k, old.at[i])] = old.at[i];
	free(old.at);
}

bool keys_has(const struct keys *k, uint64_t key)
{
	return k->cap && k->at[key_place(k, key)];
}

bool keys_add(struct keys *k, uint64_t key)
{
	if (keys_has(k, key))
		return false;
	if (k->count == PROFILE_KEYS_MAX) {
		k->refused++;
		return true;
	}
	if (k->count * 2 >= k->cap)
		keys_grow(k);
	k->at[key_place(k, key)] = key;
	k->count++;
	return true;
}

/* A copy of at most PROFILE_VALUE_BYTES, cut between letters. */
static char *copy_cut(const char *text)
{
	static const char more[] = " ...";
	size_t n = strlen(text);
	char *copy;

	if (n <= PROFILE_VALUE_BYTES)
		return audit_copy(text);
	n = PROFILE_VALUE_BYTES;
	while (n && ((uint8_t)text[n] & 0xc0) == 0x80)
		n--;
	copy = audit_alloc(NULL, n + sizeof(more));
	memcpy(copy, text, n);
	memcpy(copy + n, more, sizeof(more));
	return copy;
}

static struct value *rarest(struct values *v)
{
	struct value *min = &v->at[0];

	for (unsigned i = 1; i < v->used; i++)
		if (v->at[i].count < min->count)
			min = &v->at[i];
	return min;
}

void trait_mention(struct profile *p, enum trait t, const char *key, const char *shown)
{
	struct values *v = &p->trait[t];
	uint64_t hash = profile_hash(0, key);
	struct value *to = NULL;

	v->mentions++;
	for (unsigned i = 0; i < v->used && !to; i++)
		if (v->at[i].hash == hash &&
		    !strncmp(v->at[i].key, key,
			     PROFILE_VALUE_BYTES - 4)) /* a cut one has its end */
			to = &v->at[i];
	if (to) {
		to->count++;
		return;
	}
	if (v->used < PROFILE_VALUES) {
		to = &v->at[v->used++];
		*to = (struct value){0};
	} else {
		to = rarest(v);
		free(to->key);
		free(to->shown);
		to->error = to->count;
	}
	to->key = copy_cut(key);
	to->shown = copy_cut(shown ? shown : key);
	to->hash = hash;
	to->count++;
}

void trait_record(struct profile *p, enum trait t)
{
	p->trait[t].records++;
}

void trait_tell(struct profile *p, enum trait t, const char *key, const char *shown)
{
	if (!key || !*key)
		return;
	trait_record(p, t);
	trait_mention(p, t, key, shown);
}

static int more_frequent(const void *a, const void *b)
{
	const struct value *x = *(const struct value *const *)a;
	const struct value *y = *(const struct value *const *)b;
	uint64_t nx = x->count - x->error, ny = y->count - y->error;

	if (nx != ny)
		return nx < ny ? 1 : -1;
	return strcmp(x->shown, y->shown);
}

unsigned values_sorted(const struct values *v, const struct value *ret[PROFILE_VALUES],
		       uint64_t *ret_others)
{
	uint64_t sure = 0;

	for (unsigned i = 0; i < v->used; i++) {
		ret[i] = &v->at[i];
		sure += v->at[i].count - v->at[i].error;
	}
	qsort(ret, v->used, sizeof(ret[0]), more_frequent);
	*ret_others = v->mentions - sure;
	return v->used;
}
