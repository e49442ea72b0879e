/* SPDX-License-Identifier: MIT */
/*
 * group_world.h - the small machine that the target of groups works on, and what must stay true
 *
 * Always the same files at the same places, over two file systems, with a graveyard and a copy that
 * waits on each; make-seeds names them. It is looked at as a whole, by the test's own eyes.
 */
#pragma once

#include "fuzz.h"
#include "pending/group.h"

#define WORLD_STATE "/state"
#define WORLD_QUEUE WORLD_STATE "/" PENDING_DIRECTORY
#define WORLD_HIVE  "/etc/SYSTEM"

#define SEEN_MAX   512u
#define SEEN_BYTES 512u

struct seen { /* a name */
	char path[SEEN_BYTES];
	uint64_t ino;
	uint32_t sum; /* of a file's bytes */
	bool dir;
};

struct sight { /* all names there are, but "/", by path */
	struct seen at[SEEN_MAX];
	unsigned count;
};

/* world_make - a new machine with its files, nothing in the queue */
void world_make(void);
/* world_look - everything that is there */
void world_look(struct sight *ret);
/* world_same - both sights are the same, name by name */
bool world_same(const struct sight *a, const struct sight *b);
/* world_find - the name of an object, or NULL when it is nowhere */
const struct seen *world_find(const struct sight *s, uint64_t ino);

/* is_below - path is top, or below it */
bool is_below(const char *path, const char *top);
/* is_queue - a file of the queue, which the product may make, write and remove */
bool is_queue(const char *path);
/* is_kept - in a graveyard, or among the copies that wait */
bool is_kept(const char *path);
/* names_queue - a place of the group is in the queue or the graveyards, or above them; NULL: no */
bool names_queue(const struct group_header *g);

/*
 * nothing_is_lost - each file of `before` is somewhere, with its content
 *   purged  what was kept may be gone
 */
void nothing_is_lost(const struct sight *before, const struct sight *after, bool purged);
/* only_places - what the group does not name is as it was; NULL: everything is */
void only_places(const struct sight *before, const struct sight *after,
		 const struct group_header *g);
