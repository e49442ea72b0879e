/* SPDX-License-Identifier: MIT */
/*
 * model_pending.c - the naive, atomic meaning of groups; see model_pending.h
 *
 * Nothing of src/ is included here, on purpose.
 */
#include "model_pending.h"

#include <stdio.h>
#include <string.h>

const char *m_path(unsigned place)
{
	static const char *const dirs[M_DIRS] = {"/a", "/a/d", "/etc", "/m", "/m/p", "/m/p/q"};
	static char paths[M_PLACES][16];

	if (!paths[place][0])
		snprintf(paths[place], sizeof(paths[place]), "%s/n%u", dirs[place / M_NAMES],
			 place % M_NAMES);
	return paths[place];
}

unsigned m_volume(unsigned place)
{
	return place / M_NAMES >= 3;
}

static bool one(struct m_world *w, const struct m_op *o, const struct m_group *g,
		const struct m_things *t)
{
	const uint16_t thing = w->at[o->from], target = o->move ? w->at[o->to] : 0;

	if (!thing)
		return o->optional;
	if (target && !o->replace)
		return false;
	if (!g->permitted && (o->from == M_GUARDED || (o->move && o->to == M_GUARDED)))
		return false;
	if (thing != o->thing || (o->digest && o->wrong_digest))
		return false;
	if (target && t->dir[target] != t->dir[thing])
		return false;
	if (o->move)
		w->at[o->to] = thing;
	w->at[o->from] = 0;
	return true;
}

bool m_apply(struct m_world *w, const struct m_group *g, const struct m_things *t)
{
	struct m_world next = *w;

	if (g->twisted)
		return false;
	for (unsigned i = 0; i < g->count; i++)
		if (!one(&next, &g->ops[i], g, t))
			return false;
	*w = next;
	return true;
}

bool m_touches(const struct m_group *g, unsigned place)
{
	for (unsigned i = 0; i < g->count; i++)
		if (g->ops[i].from == place || (g->ops[i].move && g->ops[i].to == place))
			return true;
	return false;
}

bool m_overlap(const struct m_group *a, const struct m_group *b)
{
	for (unsigned i = 0; i < M_PLACES; i++)
		if (m_touches(a, i) && m_touches(b, i))
			return true;
	return false;
}

static uint32_t castagnoli(const uint8_t *p, size_t n)
{
	static uint32_t table[256];
	uint32_t c = ~0u;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (unsigned k = 0; k < 8; k++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0x82F63B78u : 0);
	}
	while (n--)
		c = c >> 8 ^ table[(c ^ *p++) & 255];
	return ~c;
}

struct m_story m_read(const void *bytes, size_t n, uint32_t id, uint32_t crc)
{
	struct m_story s = {.state = M_QUEUED};

	for (size_t at = 0; bytes && at + 64 <= n; at += 64) {
		uint32_t row[16];
		uint64_t boots;

		memcpy(row, (const uint8_t *)bytes + at, 64);
		memcpy(&boots, row + 6, 8);
		const uint32_t sum = row[0];

		row[0] = 0;
		if (castagnoli((const uint8_t *)row, 64) != sum || row[2] != id)
			break;
		if (crc && row[10] != crc)
			continue;
		switch (row[1]) {
		case 1:
			s.state = M_BEGUN;
			s.begins++;
			break;
		case 2:
			s.state = M_APPLIED;
			s.commits++;
			s.boots = boots;
			break;
		case 3:
			s.state = M_FAILED;
			break;
		case 4:
			s.state = M_REFUSED;
			break;
		case 5:
			s.state = M_QUARANTINED;
			break;
		case 6:
			s.state = M_REVERTING;
			break;
		case 7:
			s.state = M_REVERTED;
			break;
		}
	}
	return s;
}
