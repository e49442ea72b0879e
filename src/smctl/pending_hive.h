/* SPDX-License-Identifier: MIT */
/*
 * pending_hive.h - the classic entries of a Windows SYSTEM hive, read and never run
 *
 * A hive of another machine may be broken or an enemy's: it is parsed by a child of its own behind
 * the walls of registry/sandbox.h, which hands over strings and nothing else. Where its drives are
 * mounted is told by --drive; names are compared there as NTFS does, without case. Nothing is
 * written, to the hive or to the drives.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "pending/foresee.h"

#define DRIVES 26u

struct drives {
	const char *directory[DRIVES]; /* of A: to Z:, as given; NULL = not mapped */
	int fd[DRIVES];                /* -1 */
	bool any;
	/* the directory that was looked at last */
	char last[PATH_BYTES];
	int last_fd;
};

/* drives_start - none; drives_end closes them. */
void drives_start(struct drives *d);
void drives_end(struct drives *d);

/*
 * drives_add - one word of --drive: X:=DIRECTORY
 * Returns 0, or -EINVAL (no such word), -EEXIST (that drive again), or why the directory cannot be
 * opened.
 */
int drives_add(struct drives *d, const char *word);

/* What drives_map says of a path of NT. */
enum drive_answer {
	DRIVE_MAPPED,
	DRIVE_UNKNOWN,   /* of a drive that no --drive names */
	DRIVE_NO_LETTER, /* no drive letter in it: a volume, a share, a device */
	DRIVE_NO_PATH,   /* not a path of files: empty, ".", ".." or a slash in a name, too long */
};

/*
 * drives_map - where a path of NT lies
 *   ret   PATH_BYTES: below the drive's directory, slashes; filled only when mapped
 *   key   PATH_BYTES: the same for drives_look, equal for names that are the same to NT
 */
enum drive_answer drives_map(const struct drives *d, const char *path, char *ret, char *key);

/* drives_look - a foresee_look at keys of drives_map; arg is a struct drives. */
int drives_look(void *arg, const char *path, bool count, struct foreseen *ret);

struct hive_entry {     /* strings are the list's */
	unsigned value; /* 1, 2: PendingFileRenameOperations, ...2; 3: FileRenameOperations */
	const char *from, *to; /* as the hive has them, without markers */
	bool replace;
	const char *why; /* malformed; NULL */
};

#define HIVE_SAID_MAX 4u
struct hive_entries {
	struct hive_entry *row;
	size_t count;
	const char *said[HIVE_SAID_MAX]; /* what there is to say of the file */
	unsigned said_count;
	const char *why; /* why it cannot be read; NULL */
	unsigned set;    /* the control set that counts */
	char *room;
};

#define HIVE_ENTRIES_MAX 100000u

/*
 * hive_entries_read - from the hive at path, which is this machine's
 * Returns 0, -EILSEQ with ret->why, or -errno. hive_entries_free in any case.
 */
int hive_entries_read(const char *path, struct hive_entries *ret);
void hive_entries_free(struct hive_entries *e);
