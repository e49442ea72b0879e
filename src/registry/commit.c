/* SPDX-License-Identifier: MIT */
/*
 * commit.c - durable, shared writes of the registry; see commit.h
 */
#include "registry/commit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "state/state.h"
#include "sys/sys.h"

#define STEP_MS   20u
#define FILE_MODE 0644u /* policy, not secrets: anybody may look what a boot does */
#define LOCK_MODE 0600u /* who can open it can hold it, reading is enough for that */

static int beside(const struct store *s, const char *ending, char *room, size_t cap)
{
	struct text t = text_start(room, cap);

	text_add(text_add(&t, s->name), ending);
	return t.cut ? -ENAMETOOLONG : 0;
}

/*
 * The lock under its name; *ret_made: it was not there. One that others can open is closed to them:
 * whoever has it open already keeps it until then.
 */
static int open_lock(const struct store *s, const char *name, bool *ret_made)
{
	int fd = sys_open(s->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, LOCK_MODE);
	struct sys_stat st;

	*ret_made = fd >= 0;
	if (fd == -EEXIST)
		fd = sys_open(s->dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, LOCK_MODE);
	if (fd >= 0 && sys_stat_fd(fd, &st) == 0 && S_ISREG(st.mode) &&
	    (st.mode & ~LOCK_MODE & 07777))
		(void)!sys_chmod(fd, LOCK_MODE);
	return fd;
}

/* The file that is locked is still the one of that name: who made it may have taken it away. */
static bool lock_stands(const struct store *s, const char *name)
{
	struct sys_stat mine, named;

	return sys_stat_fd(s->lock, &mine) == 0 &&
	       sys_stat_at(s->dir, name, AT_SYMLINK_NOFOLLOW, &named) == 0 &&
	       mine.dev == named.dev && mine.ino == named.ino;
}

static int take_lock(struct store *s)
{
	char name[256];
	int r = beside(s, ".lock", name, sizeof(name));

	if (r < 0)
		return r;
	for (unsigned waited = 0; waited <= LOCK_WAIT_MS; waited += STEP_MS) {
		if (s->lock < 0)
			s->lock = open_lock(s, name, &s->lock_made);
		if (s->lock < 0)
			return s->lock;
		r = sys_flock(s->lock, LOCK_EX | LOCK_NB);
		if (r == 0 && lock_stands(s, name))
			return 0;
		if (r == 0)
			sys_closep(&s->lock);
		else if (r != -EAGAIN && r != -EWOULDBLOCK)
			return r;
		else
			sys_sleep_ms(STEP_MS);
	}
	s->lock_made = false; /* another has it by now */
	return -EBUSY;
}

int store_open(struct store *s, const char *path, struct text *why)
{
	char dir[PATH_BYTES];
	const char *slash = strrchr(path, '/');
	int r = 0;

	memset(s, 0, sizeof(*s));
	s->dir = s->lock = -1;
	s->mode = FILE_MODE;
	if (!str_copy(s->path, sizeof(s->path), path) || !*path || (slash && !slash[1])) {
		text_add(why, "not the path of a file");
		return -EINVAL;
	}
	str_copy(dir, sizeof(dir), slash ? path : ".");
	if (slash)
		dir[slash == path ? 1 : slash - path] = '\0';
	s->name = s->path + (slash ? slash + 1 - path : 0);
	if (slash && slash != path)
		r = sys_make_dirs(dir, 0755);
	if (r >= 0)
		r = s->dir = sys_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (r < 0) {
		text_add(text_add(text_add(why, dir), ": "), err_text(-r));
		return r;
	}
	r = take_lock(s);
	if (r == -EBUSY)
		text_add(text_add(text_add(why, "another program holds "), s->name),
			 ".lock (fuser names it); nothing was written");
	else if (r < 0)
		text_add(text_add(text_add(why, s->name), ".lock: "), err_text(-r));
	return r < 0 ? r : 0;
}

void store_close(struct store *s)
{
	char name[256];

	if (s->lock >= 0 && s->lock_made && !s->committed &&
	    beside(s, ".lock", name, sizeof(name)) == 0)
		(void)!sys_unlink(s->dir, name, 0);
	sys_closep(&s->lock);
	sys_closep(&s->dir);
}

/* The queue was made from the very hive that was read. */
static bool queue_fits(const struct store *s, const struct plan_header *head, ssize_t n)
{
	return n == (ssize_t)sizeof(*head) &&
	       bytes_same(head->magic, QUEUE_MAGIC, sizeof(head->magic)) &&
	       plan_fits(head, s->facts.block, s->facts.bytes) == PLAN_FITS;
}

/*
 * A boot has run this hive's queue: boot.state holds the digest of the queue file. A queue that a
 * cut left behind from an older hive says nothing of the entries of this one. Where that cannot be
 * read, an entry might run twice: better no commit. (No state at all, or another user's: no boot.)
 * Returns 1, 0, or -errno.
 */
static int queue_consumed(const struct store *s, const char *state)
{
	char name[256];
	uint8_t digest[SHA256_BYTES], part[4096];
	struct plan_header head;
	struct boot_state b;
	struct sha256 sum;
	_close_ int dir = -1, fd = -1;
	ssize_t n = 0;
	int r = beside(s, ".queue", name, sizeof(name));

	if (r == 0)
		r = fd = sys_open(s->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (r >= 0)
		r = (int)(n = sys_read_all(fd, &head, sizeof(head)));
	if (r < 0 || !queue_fits(s, &head, n))
		return r == -ENOENT || r >= 0 ? 0 : r;
	r = dir = sys_open(AT_FDCWD, state, O_RDONLY | O_DIRECTORY, 0);
	if (r >= 0)
		r = state_read(dir, &b);
	if (r < 0)
		return r == -ENOENT || r == -EACCES || r == -ENOTDIR ? 0 : r;
	if (r != STATE_READ || bytes_zero(b.queue_done_sha256, SHA256_BYTES))
		return 0;
	sha256_start(&sum);
	sha256_add(&sum, &head, sizeof(head));
	while ((n = sys_read(fd, part, sizeof(part))) > 0)
		sha256_add(&sum, part, (size_t)n);
	sha256_end(&sum, digest);
	return n < 0 ? (int)n : bytes_same(digest, b.queue_done_sha256, SHA256_BYTES);
}

int store_consumed(const char *hive, const struct hive_facts *facts, const char *state)
{
	struct store s = {.facts = *facts, .lock = -1};
	char dir[PATH_BYTES];
	const char *slash;
	int r;

	if (!str_copy(s.path, sizeof(s.path), hive) || !str_copy(dir, sizeof(dir), hive))
		return -ENAMETOOLONG;
	slash = strrchr(s.path, '/');
	s.name = slash ? slash + 1 : s.path;
	if (slash)
		dir[slash == s.path ? 1 : slash - s.path] = '\0';
	s.dir = sys_open(AT_FDCWD, slash ? dir : ".", O_RDONLY | O_DIRECTORY, 0);
	r = s.dir < 0 ? s.dir : queue_consumed(&s, state);
	sys_closep(&s.dir);
	return r;
}

/* What a boot consumed of the hive (design §5): the classic entries and their permission. */
unsigned store_drop_queue(struct reg_tree *t)
{
	static const char *const names[] = {"PendingFileRenameOperations",
					    "PendingFileRenameOperations2",
					    "AllowProtectedRenames"};
	static const char path[] = "CurrentControlSet\\Control\\Session Manager";
	struct reg_key *k = tree_find(t, path, sizeof(path) - 1);
	struct reg_key *files = k ? key_child(k, "FileRenameOperations", 20) : NULL;
	unsigned dropped = 0;

	for (size_t i = 0; k && i < ARRAY_SIZE(names); i++)
		dropped += tree_drop_value(t, k, names[i], strlen(names[i]));
	while (files && files->value_count) {
		struct reg_value v = files->values[0];

		dropped += tree_drop_value(t, files, v.name, v.name_bytes);
	}
	return dropped;
}

/* What stands under the hive's name may be replaced: a plain file of ours, or nothing. */
static int may_replace(struct store *s, struct text *why)
{
	struct sys_stat st;
	int r = sys_stat_at(s->dir, s->name, AT_SYMLINK_NOFOLLOW, &st);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		text_add(why, err_text(-r));
		return r;
	}
	if (S_ISLNK(st.mode)) {
		text_add(why, "a symbolic link is not replaced: name the file it leads to");
		return -ELOOP;
	}
	if (!S_ISREG(st.mode)) {
		text_add(why, "not a regular file");
		return -EILSEQ;
	}
	if (st.uid != sys_uid()) {
		text_u64(text_add(why, "it belongs to user "), st.uid);
		text_add(text_u64(text_add(why, ", and only that user writes it (this is user "),
				  sys_uid()),
			 ")");
		return -EPERM;
	}
	s->mode = st.mode & FILE_MODE; /* what the owner hid stays hidden */
	return 0;
}

/* A hive that cannot be used: is there the one before it? */
static int point_back(const struct store *s, int r, struct text *why)
{
	struct sys_stat st;
	char name[256];

	if (beside(s, ".previous", name, sizeof(name)) == 0 &&
	    sys_stat_at(s->dir, name, AT_SYMLINK_NOFOLLOW, &st) == 0)
		text_add(text_add(text_add(why, "; the hive before it is "), name),
			 ", and smreg restore takes it back");
	return r;
}

int store_read(struct store *s, const char *state, struct reg_tree *t, unsigned *ret_dropped,
	       struct text *why)
{
	_cleanup_(hive_closep) struct hive *h = NULL;
	_close_ int fd = -1;
	struct hive_source from;
	unsigned dropped = 0;
	int r = may_replace(s, why);

	if (r == 0) {
		r = fd = sys_open(s->dir, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (r < 0 && r != -ENOENT)
			text_add(why, err_text(-r));
	}
	if (r < 0)
		return r;
	from = hive_source_of(fd); /* a dirty one is refused: its logs do not matter */
	r = hive_open(&from, 0, &h, why);
	if (r < 0)
		return point_back(s, r, why);
	s->exists = true;
	s->facts = *hive_facts(h);
	if (!s->facts.ours) {
		text_add(why,
			 "smreg did not make this hive and will not write it (a rebuild would lose "
			 "security descriptors and class names)");
		return -EPERM;
	}
	if (s->facts.dirty) {
		text_add(why, "the hive is dirty and will not be written");
		return -EUCLEAN;
	}
	r = hive_load(h, "", HIVE_ALL, t);
	if (r == 0 && hive_degraded(h)) {
		text_add(text_add(why, "damaged: "), hive_said(h));
		return point_back(s, -EUCLEAN, why);
	}
	if (r < 0)
		text_add(why, err_text(-r));
	s->whole = r == 0;
	if (r == 0) {
		r = queue_consumed(s, state);
		if (r < 0)
			text_add(
				text_add(why, "cannot tell which renames a boot has carried out: "),
				err_text(-r));
		dropped = r > 0 ? store_drop_queue(t) : 0;
	}
	if (r >= 0 && ret_dropped)
		*ret_dropped = dropped;
	return r < 0 ? r : 0;
}

void store_remarks(const struct store *s, const struct reg_tree *t, struct remarks *remarks)
{
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct plan_source from = {.tree = t, .set = tree_current_set(t), .hive_path = s->path};

	if (!from.set)
		return;
	(void)plan_make(&from, remarks, &made);
	plan_names(&from, remarks);
}

/* Why no boot could make a plan of this tree; 0 when one could. */
static int no_plan(const struct reg_tree *t, struct text *why)
{
	static const char manager[] = "CurrentControlSet\\Control\\Session Manager";

	if (!tree_current_set(t))
		text_add(why, "the hive would have no Select\\Current");
	else if (!tree_find(t, manager, sizeof(manager) - 1))
		text_add(text_add(why, "the hive would have no "), manager);
	else
		return 0;
	text_add(why, ": no boot could use it");
	return -ENODATA;
}

struct result { /* of a commit */
	uint8_t *bytes;
	size_t n;
	struct plan_made made;
};

/* The plan of bytes that are not on the disk yet; -ENODATA and why when there is none. */
static int plan_ahead(const struct store *s, const struct reg_tree *t, struct result *result,
		      struct remarks *remarks, struct text *why)
{
	struct hive_facts facts;
	uint8_t sha256[SHA256_BYTES];
	struct plan_source from = {.tree = t,
				   .set = tree_current_set(t),
				   .hive_path = s->path,
				   .facts = &facts,
				   .sha256 = sha256};
	int r = no_plan(t, why);

	if (r == 0)
		r = hive_block_check(result->bytes, 4096, result->n, &facts, why);
	if (r < 0)
		return r;
	sha256_of(result->bytes, result->n, sha256);
	r = plan_make(&from, remarks, &result->made);
	if (r == 0)
		plan_names(&from, remarks);
	if (r != -ENOSPC && r != -E2BIG)
		return r;
	text_add(why, "its plan would be larger than 1 MiB: no boot could use it");
	return -ENODATA;
}

int store_commit(struct store *s, const struct reg_tree *t, bool force, struct remarks *remarks,
		 struct text *why)
{
	struct hive_stamp stamp = hive_stamp_after(s->exists ? &s->facts : NULL, sys_wall_s());
	struct result result = {0};
	int r = may_replace(s, why);

	if (r == 0)
		r = hive_build(t, stamp, &result.bytes, &result.n, why);
	if (r == 0)
		r = plan_ahead(s, t, &result, remarks, why);
	if (r == -ENODATA && !force) {
		text_add(why, "; nothing was written (--force writes it all the same)");
		r = -EINVAL;
	} else if (r == -ENODATA) {
		r = 0;
	}
	if (r == 0 && remarks->errors && !force) {
		text_add(why, "values with errors; nothing was written (--force writes them all "
			      "the same)");
		r = -EINVAL;
	}
	if (r == 0)
		r = store_replace(s, result.bytes, result.n, &result.made, why);
	if (r == 0)
		r = hive_block_check(result.bytes, 4096, result.n, &s->facts, why);
	free(result.bytes);
	plan_made_free(&result.made);
	if (r < 0 && !why->len)
		text_add(why, err_text(-r));
	return r;
}
