/* SPDX-License-Identifier: MIT */
/*
 * pending.c - smctl pending: its verbs, its queue, and which group a word means
 */
#include "smctl/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/purge.h"
#include "smctl/verbs.h"
#include "sys/sys.h"

/* What the boot keeps when nothing else is configured. */
#define KEEP_GROUPS 4
#define KEEP_DAYS   30
#define KEEP_BYTES  (1024ull << 20)

/* ---- saying ---- */

int groups_failed(const struct pending *p, int r, const char *what)
{
	switch (r) {
	case -EBUSY:
		return smctl_error(p->s, "the boot, or somebody else, is working on the queue; try "
					 "again");
	case -EACCES:
		return smctl_error(p->s, "access denied: this needs root; try it with sudo");
	case -ENOENT:
		return smctl_error(p->s,
				   "there is no %s that could be changed; see: smctl "
				   "pending list",
				   what ? what : "such directory");
	case -ESTALE:
		return smctl_error(p->s, "%s was changed meanwhile; try again", what);
	default:
		return smctl_error(p->s, "%s%s%s", what ? what : "", what ? ": " : "",
				   sm_reason_text(r));
	}
}

bool groups_wait(const struct sm_group_row *row)
{
	return row->state == SM_GROUP_QUEUED || row->state == SM_GROUP_FAILED;
}

int groups_row(struct pending *p, const char *word, struct sm_group_row *ret)
{
	struct sm_group_row row, found;
	uint32_t cursor = 0, count = 0;
	uint64_t number = 0;
	const bool numbered = smctl_number(word, UINT32_MAX, &number) == 0;
	int r;

	while ((r = sm_group_next(p->q, &cursor, &row)) > 0) {
		if (numbered ? row.group != number : !str_same(row.name, word))
			continue;
		/* Of several with one name the newest is meant, but one that waits before all. */
		if (count && groups_wait(&found) && !groups_wait(&row))
			continue;
		count++;
		found = row;
	}
	if (r < 0)
		return groups_failed(p, r, NULL);
	if (!count)
		return smctl_error(p->s, "there is no group \"%s\"; see: smctl pending list",
				   show_text(word));
	*ret = found;
	return 0;
}

/* ---- the queue ---- */

/* The directories of this machine's session manager, if words say so. */
static void take_words(struct pending *p, const char *file, char separator, char *room, size_t cap)
{
	FILE *f = fopen(file, "re");
	size_t n = f ? fread(room, 1, cap - 1, f) : 0;

	if (f)
		(void)fclose(f);
	room[n] = 0;
	for (size_t at = 0; at < n; at++) {
		char *word = room + at;

		for (; at < n && room[at] != separator && room[at] != '\n'; at++)
			;
		room[at] = 0;
		if (!p->state && str_starts(word, "smss.state="))
			p->state = word + 11;
		if (!p->hive && str_starts(word, "smss.hive="))
			p->hive = word + 10;
	}
}

int groups_open(const struct pending *p, const char *path, int flags)
{
	_close_ int root = sys_open(AT_FDCWD, p->root ? p->root : "/", O_RDONLY | O_DIRECTORY, 0);

	return root < 0 ? root : sys_open_beneath(root, path, flags, 0, RESOLVE_IN_ROOT);
}

/* Which boot that system is in. Before its first one there is nothing to read. */
static uint64_t read_boots(const struct pending *p)
{
	_close_ int dir =
		groups_open(p, p->state ? p->state : SM_STATE_DIRECTORY, O_RDONLY | O_DIRECTORY);
	uint64_t begun = 0, accepted;

	if (dir < 0)
		return dir == -EACCES || dir == -EPERM ? UINT64_MAX : 0;
	return pending_boots(dir, &begun, &accepted) < 0 ? UINT64_MAX : begun;
}

/* Why not: the root is named, when it is that; a state directory that is not there is none. */
static int open_failed(struct pending *p, int r)
{
	_close_ int root = sys_open(AT_FDCWD, p->root ? p->root : "/", O_RDONLY | O_DIRECTORY, 0);

	if (root < 0)
		return smctl_error(p->s, "--root %s: %s", show_text(p->root), err_text(-root));
	return groups_failed(p, r, p->state ? p->state : SM_STATE_DIRECTORY);
}

static int open_queue(struct pending *p)
{
	static char own[4096], kernel[4096];
	int r;

	if (!p->root && !(p->state && p->hive)) {
		take_words(p, "/proc/1/cmdline", 0, own, sizeof(own));
		take_words(p, "/proc/cmdline", ' ', kernel, sizeof(kernel));
	}
	r = sm_queue_open(p->root, p->state, p->hive, &p->q);
	if (r == -EINVAL)
		return smctl_usage(p->s, "--state and --hive want absolute paths without . or ..");
	p->boots = read_boots(p);
	return r < 0 ? open_failed(p, r) : 0;
}

struct pending_verb {
	const char *name;
	int (*run)(struct pending *p);
	int words_max;       /* after it; add pairs its words itself */
	bool reads_hive;     /* it is about the classic entries too */
	const char *options; /* its own, each between blanks */
};

#define ADD_OPTIONS                                                                                \
	" replace delete delete-if-there group manifest null reason allow-protected digest check "

static const struct pending_verb pending_verbs[] = {
	{"add", groups_add, -1, false, ADD_OPTIONS},
	{"list", groups_list, 0, true, ""},
	{"show", groups_show, 1, false, ""},
	{"check", groups_check, -1, true, ""},
	{"cancel", groups_cancel, -1, false, ""},
	{"report", groups_report, 1, false, ""},
	{"undo", groups_undo, 1, false, " reason "},
	{"retry", groups_retry, -1, false, ""},
	{"purge", groups_purge, 0, false, " keep days mib unaccepted check "},
	{"apply", groups_apply, 0, true, " fallback "},
	{"clear", groups_clear, 0, true, ""},
};

/* ---- a hive that was named ---- */

static bool beside_hive(const struct pending *p, const char *ending)
{
	char path[PATH_BYTES + 8];
	_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "%s%s", p->hive, ending);
	fd = groups_open(p, path, O_PATH);
	return fd >= 0;
}

/* One that is not there has no entries to be silent about; one without a plan is not smreg's. */
static int look_at_hive(const struct pending *p)
{
	_close_ int fd = groups_open(p, p->hive, O_PATH);

	if (fd < 0)
		return smctl_error(p->s, "--hive %s: %s", show_text(p->hive), err_text(-fd));
	if (beside_hive(p, ".plan") || beside_hive(p, ".queue"))
		return SMCTL_OK;
	return smctl_error(p->s,
			   "--hive %s: smreg did not make it, there is no plan beside it. A hive "
			   "of Windows? Then list and check want --drive C:=DIR",
			   show_text(p->hive));
}

/* With --drive the hive is one of Windows: it is looked at, nothing else. */
static int windows(struct pending *p, const struct pending_verb *v)
{
	const bool check = v->run == groups_check;

	if (!check && v->run != groups_list)
		return smctl_usage(
			p->s,
			"\"%s\": the queue of a Windows hive is only listed and checked: "
			"it is Windows' to run and to change",
			v->name);
	if (check && p->word_count)
		return smctl_usage(p->s, "\"%s\" is one word too many", show_text(p->words[0]));
	if (!p->hive)
		return smctl_usage(p->s, "--drive wants --hive FILE, a SYSTEM hive of Windows");
	if (p->root || p->state)
		return smctl_usage(p->s,
				   "--drive and %s do not go together: --hive is a file of "
				   "this machine then",
				   p->root ? "--root" : "--state");
	return windows_show(p, check);
}

static int run_verb(struct pending *p, const struct pending_verb *v)
{
	const bool named = p->hive != NULL;
	int r = options_refused(p, v->name, v->options);

	if (r)
		return r;
	p->word_count -= p->word_count != 0;
	p->words++;
	if (v->words_max >= 0 && p->word_count > v->words_max)
		return smctl_usage(p->s, "\"%s\" is one word too many",
				   show_text(p->words[v->words_max]));
	if (p->drives.any)
		return windows(p, v);
	r = open_queue(p);
	if (r == 0 && named && v->reads_hive)
		r = look_at_hive(p);
	return r ? r : v->run(p);
}

static int run(struct pending *p)
{
	const char *word = p->word_count ? p->words[0] : "list";

	for (size_t i = 0; i < ARRAY_SIZE(pending_verbs); i++)
		if (str_same(pending_verbs[i].name, word))
			return run_verb(p, &pending_verbs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(pending_verbs); i++)
		if (verbs_alike(pending_verbs[i].name, word))
			return smctl_usage(p->s, "there is no verb \"%s\"; did you mean \"%s\"?",
					   show_text(word), pending_verbs[i].name);
	return smctl_usage(p->s, "there is no verb \"%s\"", show_text(word));
}

int verb_pending(struct smctl *s, int argc, char **argv)
{
	struct pending p = {.s = s, .keep = {KEEP_GROUPS, KEEP_DAYS, KEEP_BYTES, false}};
	char **words;
	int r;

	drives_start(&p.drives);
	r = options_read(&p, argc, argv);
	words = p.words;
	r = r ? r - 1 : run(&p);
	sm_queue_close(p.q);
	drives_end(&p.drives);
	free(p.given);
	free(words);
	return r;
}
