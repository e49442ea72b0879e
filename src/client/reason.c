/* SPDX-License-Identifier: MIT */
/*
 * reason.c - libsm: why an operation or a group was not carried out, in words and in one word
 *
 * The one word is for programs and never changes; the words are for people and may.
 */
#include <errno.h>

#include "base/bytes.h"
#include "client/pending.h"
#include "pending/rename_op.h"

struct reason {
	int r;
	const char *word, *text; /* text NULL: record.h or errno has it */
};

static const struct reason reasons[] = {
	{0, "", "success"},
	{-ENOENT, "missing", "it is not there"},
	{-EEXIST, "exists", "the target is there already; replacing it was not asked for"},
	{-EROFS, "read-only", "the file system is read-only"},
	{-EPERM, "fixed", "immutable or append-only, or not permitted"},
	{-EACCES, "access", NULL},
	{-ENOTDIR, "not-directory", "not a directory"},
	{-EISDIR, "directory", NULL},
	{-ENOTEMPTY, "not-empty", NULL},
	{-ENOSPC, "no-space", "not enough space"},
	{-EDQUOT, "no-space", NULL},
	{-EXDEV, "other-file-system", NULL},
	{-ENAMETOOLONG, "too-long", NULL},
	{-E2BIG, "too-many", NULL},
	{-EBUSY, "busy", NULL},
	{-EIO, "input-output", NULL},
	{-ENOMEM, "no-memory", NULL},
	{-EINTR, "cut", "it was cut on its way twice"},
	{-ECANCELED, "fallback", "a fallback came before it was done"},
	{GROUP_WHY_IDENTITY, "identity", NULL},
	{GROUP_WHY_DIGEST, "digest", NULL},
	{GROUP_WHY_PROTECTED, "protected", NULL},
	{GROUP_WHY_LINK, "link", NULL},
	{GROUP_WHY_MOVED_FS, "moved-file-system", NULL},
	{GROUP_WHY_KIND, "kind", NULL},
	{GROUP_WHY_MOUNT, "mount", NULL},
	{GROUP_WHY_GONE, "gone", NULL},
	{GROUP_WHY_FORM, "damaged", NULL},
	{GROUP_WHY_KEPT, "not-kept", NULL},
	{GROUP_WHY_ALIEN, "alien", NULL},
	{GROUP_WHY_STUCK, "stuck", NULL},
	{WHY_RELATIVE, "relative", "the path is not absolute"},
	{WHY_DOT, "dot", "\".\" or \"..\" in the path"},
	{WHY_ROOT, "root", "that is the root itself"},
	{WHY_SAME, "same", "the source is the target"},
	{WHY_INTO_SELF, "into-itself", "a directory cannot go below itself"},
	{WHY_THROUGH, "through",
	 "the path goes through something that the same group moves: take it out of there first "
	 "(mv), or queue it after the boot"},
	{WHY_OURS, "own", "what lies below .smss is the queue's own"},
	{WHY_NO_EXCHANGE, "no-exchange", "this file system cannot exchange two files"},
	{WHY_SOCKET, "socket", "a socket cannot be copied to another file system"},
	{WHY_CHANGED, "changed", "it changed while it was copied"},
	{WHY_TOO_MANY_FS, "too-many-file-systems", "too many file systems in one group"},
	{WHY_EARLIER, "earlier",
	 "a group that waits moves it first: add to that group, or queue it after the boot"},
	{WHY_BELOW, "earlier-through",
	 "the path goes through something that a group that waits moves: queue it after the boot"},
	{WHY_UNDO, "undo", "that group is itself an undo"},
	{CLASSIC_REASON(RENAME_PROTECTED), "protected", NULL},
	{CLASSIC_REASON(RENAME_MALFORMED), "malformed", NULL},
	{CLASSIC_REASON(RENAME_LINK), "link", NULL},
	{CLASSIC_REASON(RENAME_CANCELLED), "cancelled", NULL},
	{CLASSIC_REASON(RENAME_UNKNOWN), "unknown", NULL},
};

static const struct reason *find(int r)
{
	for (unsigned i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].r == r)
			return &reasons[i];
	return NULL;
}

const char *sm_reason_word(int r)
{
	const struct reason *found = find(r);

	return found ? found->word : "other";
}

const char *sm_reason_text(int r)
{
	const struct reason *found = find(r);

	if (found && found->text)
		return found->text;
	return classic_reason_text(r) ? classic_reason_text(r) : group_why_text(r);
}
