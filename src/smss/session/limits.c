/* SPDX-License-Identifier: MIT */
/*
 * limits.c - `smss limits N`: a session that runs gets other limits
 *
 * A copy's work, since a smaller memory limit makes the writer wait until the kernel has made room.
 * Its exit status is the answer: COPY_OK, COPY_SKIPPED (cannot be had here), COPY_FAILED; the row
 * it leaves in the timeline says why.
 */
#include <errno.h>

#include "base/text.h"
#include "smss/session/session.h"

static int refuse(const struct copy *c, int r, const char *what, const char *why)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_add(text_add(&t, what), ": "), why);
	copy_item(c, RESULT_REFUSED, -r, 0, "limits", room);
	return r == -EOPNOTSUPP ? COPY_SKIPPED : COPY_FAILED;
}

int copy_role_limits(struct copy *c)
{
	struct group g = {.dir = -1, .base = copy_word(c, "SMSS_CGROUP", ""), .what = ""};
	struct sm_message m;
	char path[160];
	struct text t = TEXT_ON(path);
	ssize_t n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);
	int r;

	if (n <= 0 || sm_message_check(&m, (size_t)n) < 0 || m.h.call != SM_SB_LIMITS)
		return refuse(c, -EPROTO, "request", "nobody said which");
	group_path(c, c->n, &t);
	g.dir = t.len ? sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0) : -EOPNOTSUPP;
	if (g.dir < 0)
		return refuse(c, g.dir, "cgroup", "the session has no group of its own");
	r = group_limits(&g, &m.b.session_limits);
	return r < 0 ? refuse(c, r, g.what, g.why) : COPY_OK;
}
