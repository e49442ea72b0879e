/* SPDX-License-Identifier: MIT */
/*
 * pending_life.h - a machine's life with pending groups: its world, its boots, and the law
 */
#pragma once

#include "law.h"
#include "pending_maker.h"

enum trouble { PEACE, CUT, FAULTS, READ_ONLY };
enum rival { NOBODY, QUEUES, UNDOES, RETRIES }; /* who writes to the queue while a boot runs */

struct turn { /* what a boot is to be; all 0: nothing but the groups */
	enum trouble trouble;
	uint64_t at; /* the point of the trouble, 1... */
	bool fallback, accept, purge;
	uint32_t keep_groups, keep_days;
	uint64_t keep_bytes, until_ns;
	enum rival rival;
	uint64_t rival_at; /* file call of the boot */
	bool held;         /* another has the lock when it begins */
	uint64_t given_at; /* file call at which it is given back; 0 = never */
};

struct life {
	struct m_world first, accepted_world;
	struct m_world world; /* what the groups at their ends come to, one after another */
	struct m_things things;
	struct made_thing made[M_THINGS];
	struct m_group groups[M_GROUPS];
	struct m_story stories[M_GROUPS];
	struct { /* of a group: what it did when it was applied last */
		bool on;
		unsigned purges; /* that were seen */
		uint64_t turn;   /* counts up */
		struct m_world before, after;
	} did[M_GROUPS];
	unsigned count;
	uint64_t boots, accepted, turns;
	unsigned gone[M_THINGS];           /* names that purges took */
	unsigned held[M_GROUPS][M_THINGS]; /* what lay in a group's graveyards before a purge */
	unsigned held_things;              /* how many things there were then; 0 = no purge */
	bool strangers; /* somebody else moves things too: the disks are not the model's alone */
	bool behind;    /* in that boot one that was tried again had to wait for another */
	bool uncopied;  /* no moves to another file system are drawn */
	struct turn now;
	int result, purge_result, lock;
	enum { UNTRIED, WAITS, TRIED, DONE, SETTLED } rival;
};

extern struct life life;
struct counts {
	uint64_t lives, boots, cuts, groups, applied, refused, quarantined, reverted, undone,
		fallbacks, faults, strangers, retries, purges, purged, staged, races, raced, busy,
		accepted, replaced;
};
extern struct counts counts;

/* ---- pending_life.c: worlds and groups ---- */

/* thing_at - the number of what stands there, 0 = nothing */
uint16_t thing_at(const char *path);
/* look - all places */
void look(struct m_world *w);
/* number_of - the thing that a file's bytes are; 0 = none */
uint16_t number_of(const void *bytes, size_t n);
/* make_thing - a new thing at a free path, durable */
void make_thing(const char *path, bool dir);
/* make_world - a new machine with things at about three places of five */
void make_world(uint64_t seed);
/* place_like - a place on the same file system as another one and not that; M_NONE = any */
uint16_t place_like(uint16_t other);
/* draw_group - random operations of the group with that number (from 0), mostly such as can be done
 * to w, which becomes what they leave */
void draw_group(struct m_group *g, unsigned number, struct m_world *w);
/* queue_group - one more, durable; nothing when there is no room */
void queue_group(void);
/* queue_undo - of any group, also one that cannot be; nothing when something waits */
void queue_undo(void);
/* queue_retry - of a group that is at its end and not applied; the power may fail meanwhile */
void queue_retry(void);
/* may_retry - may an operator have that group tried again? */
bool may_retry(unsigned i);
/* retry_step - the record of it, under the lock. Returns 0 or -errno. */
int retry_step(unsigned i);
/* replace_thing - before the first boot: somebody deletes a thing and makes another in its place,
 * which may get the number of the file that is gone */
void replace_thing(void);
/* all_settled - every group is at its end */
bool all_settled(void);
bool is_settled(const struct m_story *s);
bool is_waiting(enum m_state s);

/* ---- pending_law.c ---- */

/* read_stories - of all journals as they lie there */
void read_stories(struct m_story *to);
/* advance - the model goes along with what the journals say now; what they refuse is judged */
void advance(bool faults);
/* law - of every boot; peace_law - of one that nothing disturbed */
void law(void);
void peace_law(void);
/* note_graves - what lies where a purge that begins now may take it */
void note_graves(void);

/* ---- pending_boots.c ---- */

/* boot - one boot and the law; answers whether a cut came (errors: always) */
bool boot(const struct turn *t);
/* peace - a boot that nothing disturbs */
void peace(bool fallback);
/* boot_step - what a boot does for groups, as life.now says */
void boot_step(void *arg);
