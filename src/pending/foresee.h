/* SPDX-License-Identifier: MIT */
/*
 * foresee.h - the classic queue on paper: what the boot will find, entry by entry
 *
 * An entry may rest on those before it: delete what is in the way, move something there, remove a
 * directory that is empty by then. Nothing is carried out; the files are looked at as they are, and
 * each path is taken back through the entries that are foreseen to succeed to where its thing
 * stands now. An entry that will fail changes nothing, as at boot. Memory from sys_scratch, in
 * proportion to the entries. Knows no file system: whoever asks brings the look.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pending/rename_op.h"

struct foreseen { /* what stands at a path now */
	bool directory, link, read_only;
	bool fixed;        /* it cannot be moved: immutable, or something is mounted on it */
	uint64_t mount;    /* two with different ones cannot be renamed into each other */
	uint64_t children; /* of a directory, when they were asked for */
};

/*
 * foresee_look - what stands at a canonical path now; children are counted only when asked for
 * Returns 0, RENAME_LINK or -errno (-ENOENT: nothing).
 */
typedef int foresee_look(void *arg, const char *path, bool count, struct foreseen *ret);

struct foresee {
	foresee_look *look;
	void *arg;
	uint32_t cap, count; /* entries that are foreseen to succeed */
	uint32_t mask;
	void *room;
	size_t bytes;
	struct foresee_deed *deeds;
	uint32_t *heads, *parents; /* sides of deeds by path, and by the directory they are in */
	uint32_t *next, *next_parent;
};

/*
 * foresee_start - room for so many entries; foresee_end gives it back
 * Returns 0 or -errno.
 */
int foresee_start(struct foresee *f, uint32_t entries, foresee_look *look, void *arg);
void foresee_end(struct foresee *f);

/*
 * foresee_entry - what will become of the next entry
 *   what  its paths, canonical; they must stay until foresee_end
 * Returns as rename_find and rename_run would: 0, RENAME_LINK or -errno; -E2BIG when it rests on so
 * many others that nothing is said of it.
 */
int foresee_entry(struct foresee *f, const struct rename_what *what);

/* foresee_files - a foresee_look at the files below a directory; arg points to its fd. */
int foresee_files(void *arg, const char *path, bool count, struct foreseen *ret);
