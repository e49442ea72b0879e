/* SPDX-License-Identifier: MIT */
/*
 * diff.c - what parts two keys; see diff.h
 */
#include "registry/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/utf.h"

static void put(struct diff *d, struct diff_change c)
{
	if (d->count == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct diff_change *more = realloc(d->at, cap * sizeof(*more));

		if (!more) {
			d->failed = -ENOMEM;
			return;
		}
		d->at = more;
		d->cap = cap;
	}
	d->at[d->count++] = c;
}

static bool same_value(const struct reg_value *a, const struct reg_value *b)
{
	return a->type == b->type && a->bytes == b->bytes &&
	       (!a->bytes || memcmp(a->data, b->data, a->bytes) == 0);
}

/* One whose name stands before it in the key; only broken hives have such. */
static bool is_second(const struct reg_key *k, const struct reg_value *v)
{
	return key_value(k, v->name, v->name_bytes) != v;
}

static const struct reg_value *next_second(const struct reg_key *k, uint32_t *at)
{
	while (*at < k->value_count) {
		const struct reg_value *v = &k->values[(*at)++];

		if (is_second(k, v))
			return v;
	}
	return NULL;
}

/* Those of both sides in their order: nothing else tells which of them belong together. */
static void seconds(struct diff *d, const struct reg_key *was, const struct reg_key *now)
{
	struct diff_change c = {.was_key = was, .now_key = now};
	const struct reg_value *a, *b;
	uint32_t i = 0, j = 0;

	for (;;) {
		a = next_second(was, &i);
		b = next_second(now, &j);
		if (!a && !b)
			return;
		if (a && b && same_value(a, b) &&
		    utf8_same_fold(a->name, a->name_bytes, b->name, b->name_bytes))
			continue;
		c.kind = DIFF_VALUE_GONE;
		c.was = a;
		c.now = NULL;
		if (a)
			put(d, c);
		c.kind = DIFF_VALUE_NEW;
		c.was = NULL;
		c.now = b;
		if (b)
			put(d, c);
	}
}

static void values(struct diff *d, const struct reg_key *was, const struct reg_key *now)
{
	struct diff_change c = {.was_key = was, .now_key = now};
	bool any = false;

	for (uint32_t i = 0; i < was->value_count; i++) {
		c.kind = DIFF_VALUE_GONE;
		c.was = &was->values[i];
		if (is_second(was, c.was))
			any = true;
		else if (!key_value(now, c.was->name, c.was->name_bytes))
			put(d, c);
	}
	for (uint32_t i = 0; i < now->value_count; i++) {
		c.now = &now->values[i];
		if (is_second(now, c.now)) {
			any = true;
			continue;
		}
		c.was = key_value(was, c.now->name, c.now->name_bytes);
		c.kind = c.was ? DIFF_VALUE_CHANGED : DIFF_VALUE_NEW;
		if (!c.was || !same_value(c.was, c.now))
			put(d, c);
	}
	if (any)
		seconds(d, was, now);
}

void diff_keys(struct diff *d, const struct reg_key *was, const struct reg_key *now)
{
	if (!was || !now) {
		put(d, (struct diff_change){.kind = was ? DIFF_KEY_GONE : DIFF_KEY_NEW,
					    .was_key = was,
					    .now_key = now});
		return;
	}
	values(d, was, now);
	for (uint32_t i = 0; i < was->child_count && !d->failed; i++) {
		const struct reg_key *k = was->children[i];

		diff_keys(d, k, key_child(now, k->name, k->name_bytes));
	}
	for (uint32_t i = 0; i < now->child_count && !d->failed; i++) {
		const struct reg_key *k = now->children[i];

		if (!key_child(was, k->name, k->name_bytes))
			diff_keys(d, NULL, k);
	}
}

void diff_text(const struct diff *d, struct reg_buffer *b)
{
	const struct reg_key *open = NULL;
	bool said = false;

	if (d->count)
		reg_text_header(b);
	for (size_t i = 0; i < d->count; i++) {
		const struct diff_change *c = &d->at[i];

		if (c->kind == DIFF_KEY_GONE) {
			reg_text_add_key(b, c->was_key, true);
			open = NULL;
		} else if (c->kind == DIFF_KEY_NEW) {
			reg_text_add_tree(b, c->now_key);
			open = NULL;
		} else {
			if (open != c->was_key)
				said = reg_text_add_key(b, c->was_key, false);
			open = c->was_key;
			if (said && c->kind == DIFF_VALUE_GONE)
				reg_text_add_value(b, c->was_key, c->was, true);
			else if (said)
				reg_text_add_value(b, c->now_key, c->now, false);
		}
	}
}
