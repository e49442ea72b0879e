/* SPDX-License-Identifier: MIT */
/*
 * record.c - keys, lists, values and data of a walked hive; see regf.h
 *
 * A list that is partly broken gives what can be read of it, and the first error: whoever asked
 * says so. Volatile subkeys are never on disk, and what a key says of them is not looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/regf.h"

#define NK_BYTES       76u
#define NK_PREDEFINED  0x40u
#define NK_NARROW      0x20u
#define VK_BYTES       20u
#define VK_NARROW      1u
#define IN_PLACE       0x80000000u
#define LIST_COUNT_MAX (8u << 20)

static uint32_t u16_at(const uint8_t *p, size_t at)
{
	return p[at] | (uint32_t)p[at + 1] << 8;
}

static int work(struct regf *r, uint64_t n)
{
	if (n > r->work)
		return -E2BIG;
	r->work -= n;
	return 0;
}

int regf_key(const struct regf *r, uint32_t at, struct regf_key *ret)
{
	uint32_t n, flags;
	const uint8_t *p = regf_cell(r, at, &n);

	if (!p)
		return -EFAULT;
	if (n < NK_BYTES || p[0] != 'n' || p[1] != 'k' || u16_at(p, 72) > n - NK_BYTES)
		return -EBADMSG;
	flags = u16_at(p, 2);
	*ret = (struct regf_key){
		.name = {p + NK_BYTES, u16_at(p, 72), (flags & NK_NARROW) != 0},
		.written = regf_u32(p, 4) | (uint64_t)regf_u32(p, 8) << 32,
		.subkeys = regf_u32(p, 20),
		.subkey_list = regf_u32(p, 28),
		/* a predefined handle has a number there that counts nothing */
		.values = flags & NK_PREDEFINED ? 0 : regf_u32(p, 36),
		.value_list = regf_u32(p, 40),
		.handle = (flags & NK_PREDEFINED) && regf_u32(p, 36),
	};
	return 0;
}

const char *regf_hidden(const struct regf *r, const struct regf_key *k)
{
	uint32_t n;
	const uint8_t *p;

	if (k->handle && regf_cell(r, k->value_list, &n))
		return "a list of values that its flag 0x40 (a predefined handle) hides";
	p = k->subkeys ? NULL : regf_cell(r, k->subkey_list, &n);
	if (p && n >= 4 && (p[0] == 'l' || p[0] == 'r') && u16_at(p, 2))
		return "a list of subkeys that its count of 0 hides";
	return NULL;
}

void regf_list_free(struct regf_list *l)
{
	free(l->at);
	*l = (struct regf_list){.at = NULL};
}

static int room_for(struct regf_list *l, uint32_t more)
{
	uint32_t cap = l->count + more, *at;

	if (l->count > LIST_COUNT_MAX || more > LIST_COUNT_MAX)
		return -E2BIG;
	if (cap <= l->cap)
		return 0;
	if (cap < 2 * l->cap)
		cap = 2 * l->cap;
	at = realloc(l->at, cap * sizeof(*at));
	if (!at)
		return -E2BIG;
	l->at = at;
	l->cap = cap;
	return 0;
}

/* The subkeys of one leaf; *ret_error keeps the first error, which does not end the reading. */
static int add_leaf(struct regf *r, uint32_t at, struct regf_list *ret, int *ret_error)
{
	uint32_t n, count, step;
	const uint8_t *p = regf_cell(r, at, &n);
	int e = p ? 0 : -EFAULT, used;

	if (p && (n < 4 || p[0] != 'l' || (p[1] != 'i' && p[1] != 'f' && p[1] != 'h')))
		e = -EBADMSG;
	if (e < 0) {
		*ret_error = *ret_error ? *ret_error : e;
		return work(r, 1);
	}
	step = p[1] == 'i' ? 4 : 8;
	count = u16_at(p, 2);
	if (count > (n - 4) / step) {
		count = (n - 4) / step;
		*ret_error = *ret_error ? *ret_error : -EBADMSG;
	}
	used = work(r, 1 + count);
	if (used == 0)
		used = room_for(ret, count);
	for (uint32_t i = 0; used == 0 && i < count; i++)
		ret->at[ret->count++] = regf_u32(p, 4 + (size_t)i * step);
	return used;
}

int regf_subkeys(struct regf *r, const struct regf_key *k, struct regf_list *ret)
{
	uint32_t n, count;
	const uint8_t *p;
	int e = 0, error = 0;

	ret->count = 0;
	if (k->subkeys == 0)
		return 0;
	p = regf_cell(r, k->subkey_list, &n);
	if (!p)
		return -EFAULT;
	if (n < 4)
		return -EBADMSG;
	if (p[0] == 'r' && p[1] == 'i') {
		count = u16_at(p, 2);
		if (count > (n - 4) / 4) {
			count = (n - 4) / 4;
			error = -EBADMSG;
		}
		for (uint32_t i = 0; e == 0 && i < count; i++)
			e = add_leaf(r, regf_u32(p, 4 + (size_t)i * 4), ret, &error);
	} else {
		e = add_leaf(r, k->subkey_list, ret, &error);
	}
	if (e == 0 && error == 0 && ret->count != k->subkeys)
		error = -EBADMSG;
	return e < 0 ? e : error;
}

int regf_values(struct regf *r, const struct regf_key *k, struct regf_list *ret)
{
	uint32_t n, count = k->values;
	const uint8_t *p;
	int e;

	ret->count = 0;
	if (count == 0)
		return 0;
	p = regf_cell(r, k->value_list, &n);
	if (!p)
		return -EFAULT;
	if (count > n / 4)
		count = n / 4;
	e = work(r, count);
	if (e == 0)
		e = room_for(ret, count);
	for (uint32_t i = 0; e == 0 && i < count; i++)
		ret->at[ret->count++] = regf_u32(p, (size_t)i * 4);
	return e < 0 ? e : count < k->values ? -EBADMSG : 0;
}

int regf_value(const struct regf *r, uint32_t at, struct regf_value *ret)
{
	uint32_t n;
	const uint8_t *p = regf_cell(r, at, &n);

	if (!p)
		return -EFAULT;
	if (n < VK_BYTES || p[0] != 'v' || p[1] != 'k' || u16_at(p, 2) > n - VK_BYTES)
		return -EBADMSG;
	*ret = (struct regf_value){
		.name = {p + VK_BYTES, u16_at(p, 2), (u16_at(p, 16) & VK_NARROW) != 0},
		.type = regf_u32(p, 12),
		.size = regf_u32(p, 4),
		.data = regf_u32(p, 8),
		.place = p + 8,
	};
	return 0;
}

/* Data in pieces: a record that points to a list of them; every piece but the last is full. */
static int join(struct regf *r, const uint8_t *db, uint32_t size, struct regf_data *ret)
{
	uint32_t count = u16_at(db, 2), n;
	const uint8_t *list = regf_cell(r, regf_u32(db, 4), &n);
	uint32_t pieces = size / REGF_PIECE_BYTES + (size % REGF_PIECE_BYTES != 0);
	int e = list ? 0 : -EFAULT;

	if (list && (count > n / 4 || count != pieces)) {
		count = count > n / 4 ? n / 4 : count;
		e = -EBADMSG;
	}
	if (!list || (uint64_t)size > r->bytes || work(r, size / 64) < 0)
		return !list ? e : -E2BIG;
	ret->joined = malloc(size);
	if (!ret->joined)
		return -E2BIG;
	ret->at = ret->joined;
	for (uint32_t i = 0; i < count && ret->n < size; i++) {
		uint32_t part = size - (uint32_t)ret->n, have;
		const uint8_t *p = regf_cell(r, regf_u32(list, (size_t)i * 4), &have);

		part = part < REGF_PIECE_BYTES ? part : REGF_PIECE_BYTES;
		if (!p)
			return -EFAULT;
		memcpy(ret->joined + ret->n, p, part < have ? part : have);
		ret->n += part < have ? part : have;
		if (part > have) /* what follows would stand at a wrong place */
			return -EBADMSG;
	}
	return ret->n < size ? -EBADMSG : e;
}

int regf_data(struct regf *r, const struct regf_value *v, struct regf_data *ret)
{
	uint32_t size = v->size & ~IN_PLACE, n;
	const uint8_t *p;

	*ret = (struct regf_data){.at = v->place};
	if (v->size & IN_PLACE) {
		ret->n = size <= 4 ? size : 0;
		return size <= 4 ? 0 : -EBADMSG;
	}
	if (size == 0)
		return 0;
	p = regf_cell(r, v->data, &n);
	if (!p)
		return -EFAULT;
	if (size > n && size > REGF_PIECE_BYTES && r->minor >= 4 && n >= 8 && p[0] == 'd' &&
	    p[1] == 'b')
		return join(r, p, size, ret);
	ret->at = p;
	ret->n = size < n ? size : n;
	return work(r, ret->n / 64) < 0 ? -E2BIG : size > n ? -EBADMSG : 0;
}
