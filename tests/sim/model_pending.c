/* SPDX-License-Identifier: MIT */
/*
 * model_pending.c - the naive, atomic meaning of groups; see model_pending.h
 *
 * Nothing of src/ is included here, on purpose.
 */
#include "model_pending.h"

#include <stdio.h>
#include <string.h>

const char *m_root(unsigned volume)
{
	static const char *const roots[M_VOLUMES] = {"", "/m", "/v"};

	return roots[volume];
}

unsigned m_copy(unsigned group, unsigned volume, unsigned i)
{
	return M_PLACES + group * M_COPIES + volume * M_VOLUME_COPIES + i;
}

static void name_place(unsigned place, char *room, size_t n)
{
	static const char *const dirs[M_DIRS] = {"/a",   "/a/d",   "/etc", "/m",
						 "/m/p", "/m/p/q", "/v",   "/v/x"};
	const unsigned copy = place - M_PLACES;

	if (place < M_PLACES)
		snprintf(room, n, "%s/n%u", dirs[place / M_NAMES], place % M_NAMES);
	else
		snprintf(room, n, "%s/.smss/staged/%08x/%u", m_root(m_volume(place)),
			 copy / M_COPIES + 1, copy % M_VOLUME_COPIES);
}

const char *m_path(unsigned place)
{
	static char paths[M_ALL][40];

	if (!paths[place][0])
		name_place(place, paths[place], sizeof(paths[place]));
	return paths[place];
}

unsigned m_volume(unsigned place)
{
	static const uint8_t of_dir[M_DIRS] = {0, 0, 0, 1, 1, 1, 2, 2};

	return place < M_PLACES ? of_dir[place / M_NAMES]
				: (place - M_PLACES) % M_COPIES / M_VOLUME_COPIES;
}

bool m_alike(const struct m_things *t, uint16_t a, uint16_t b)
{
	return a == b ||
	       (a && b && !t->who[a].tag && !t->who[b].tag && t->who[a].ino == t->who[b].ino &&
		t->who[a].volume == t->who[b].volume && t->dir[a] == t->dir[b]);
}

static bool is_guarded(const struct m_op *o)
{
	return (o->from >= M_PLACES && !o->staged) || o->from == M_GUARDED ||
	       (o->move && o->to == M_GUARDED);
}

static bool one(struct m_world *w, const struct m_op *o, const struct m_group *g,
		const struct m_things *t)
{
	const uint16_t thing = w->at[o->from], target = o->move ? w->at[o->to] : 0;

	if (!thing)
		return o->optional;
	if (target && !o->replace)
		return false;
	if (!g->permitted && is_guarded(o))
		return false;
	if (!m_alike(t, thing, o->thing))
		return false;
	if (o->digest && (o->wrong_digest || thing != o->thing))
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

void m_touched(const struct m_group *g, bool *marks)
{
	memset(marks, 0, M_ALL * sizeof(*marks));
	for (unsigned i = 0; i < g->count; i++) {
		marks[g->ops[i].from] = true;
		if (g->ops[i].move)
			marks[g->ops[i].to] = true;
	}
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
		if (row[1] == 8) {
			s.purged = true;
			s.purges++;
			continue;
		}
		s.last_boots = boots;
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
			s.refusals++;
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
		case 9:
			s.state = M_QUEUED;
			s.begins = 0;
			s.retries++;
			s.purged = false;
			break;
		}
	}
	return s;
}
