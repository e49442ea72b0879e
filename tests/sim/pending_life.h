/* SPDX-License-Identifier: MIT */
/*
 * pending_life.h - a machine's life with pending groups: its world, its boots, and the law
 */
#pragma once

#include "law.h"
#include "pending_maker.h"

enum trouble { PEACE, CUT, FAULTS, READ_ONLY };

struct life {
	struct m_world first, accepted_world;
	struct m_things things;
	struct made_thing made[M_THINGS];
	struct m_group groups[M_GROUPS];
	struct m_story stories[M_GROUPS];
	bool refused_seen[M_GROUPS];
	unsigned count;
	uint64_t boots, accepted;
	bool strangers; /* somebody else moves things too: the disks are not the model's alone */
	int result;
	bool fallback;
};

extern struct life life;
struct counts {
	uint64_t lives, boots, cuts, groups, applied, refused, quarantined, reverted, undone,
		fallbacks, faults, strangers;
};
extern struct counts counts;

/* thing_at - the number of what stands there, 0 = nothing */
uint16_t thing_at(const char *path);
/* look - all places */
void look(struct m_world *w);
/* make_thing - a new thing at a free path, durable */
void make_thing(const char *path, bool dir);
/* make_world - a new machine with things at about three places of five */
void make_world(uint64_t seed);
/* place_like - a place on the same file system as another one and not that; M_NONE = any */
uint16_t place_like(uint16_t other);
/* draw_group - random operations, mostly such as can be done to w, which becomes what they leave */
void draw_group(struct m_group *g, struct m_world *w);
/* queue_group, queue_undo - one more, durable; nothing when there is no room or nothing to undo */
void queue_group(void);
void queue_undo(void);
/* all_settled - every group is at its end */
bool all_settled(void);
/* read_stories - of all journals as they lie there */
void read_stories(struct m_story *to);
/* boot_step - what a boot does for groups */
void boot_step(void *arg);
/* boot - one boot and the law; answers whether a cut came (errors: always)
 *   at  the point of the trouble */
bool boot(enum trouble t, uint64_t at, bool fallback);
