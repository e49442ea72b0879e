/* SPDX-License-Identifier: MIT */
/*
 * restart.c - another server for a session that lost its own
 *
 * Joins the group and the namespaces that the initial command lives in (FD_INITIAL is its pidfd)
 * and starts csrss alone, held to what the session was held to. That command may have gone into
 * namespaces of its own making since, and there everything could be its own work: whoever has left
 * the machine's user namespace is not followed.
 */
#include <errno.h>
#include <sched.h>

#include "base/text.h"
#include "plan/policy.h"
#include "smss/session/session.h"

/* What the request had added to the hive's word was written down with the group. */
static int remembered(struct setup *s)
{
	char path[160];
	struct text t = TEXT_ON(path);
	ssize_t n;

	group_path(s->c, s->c->n, &t);
	s->cgroup = t.len ? sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0) : -EOPNOTSUPP;
	if (s->cgroup < 0)
		return setup_refuse(s, s->cgroup, "cgroup", "its group is not there");
	s->how = HOW_CGROUP;
	n = sys_get_xattr(path, POLICY_XATTR, &s->policy, sizeof(s->policy));
	if (n == -ENODATA)
		return setup_effective(s);
	if (n != sizeof(s->policy) || policy_check(&s->policy) < 0)
		return setup_refuse(s, n < 0 ? (int)n : -EILSEQ, "cgroup",
				    "what the session is held to is not known any more");
	return COPY_OK;
}

static int join(struct setup *s)
{
	static const struct {
		uint32_t bit;
		int flag;
	} namespaces[] = {{SM_ISOLATE_MOUNT, CLONE_NEWNS},
			  {SM_ISOLATE_IPC, CLONE_NEWIPC},
			  {SM_ISOLATE_UTS, CLONE_NEWUTS},
			  {SM_ISOLATE_NET, CLONE_NEWNET}};
	int flags = 0, r;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (s->policy.isolation & namespaces[i].bit)
			flags |= namespaces[i].flag;
	if (!flags)
		return COPY_OK;
	r = sys_set_ns(FD_INITIAL, flags);
	if (r < 0)
		return setup_refuse(s, r, "isolation", "the session's namespaces cannot be joined");
	/* -EINVAL: it is in ours, and was before: there is no way back from another one. */
	r = sys_set_ns(FD_INITIAL, CLONE_NEWUSER);
	return r == -EINVAL ? COPY_OK
			    : setup_refuse(s, -EPERM, "isolation",
					   "the initial command has left the session's namespaces");
}

int setup_restart(struct setup *s)
{
	int r = remembered(s);

	if (r == COPY_OK)
		r = setup_prepare(s);
	/* The server's image is the machine's own, looked for before anything else is joined. */
	if (r == COPY_OK)
		r = setup_find_server(s);
	s->by_descriptor = true;
	if (r == COPY_OK)
		r = join(s);
	if (r == COPY_OK)
		r = setup_confine(s);
	if (r == COPY_OK)
		r = setup_server(s);
	if (r == COPY_OK)
		r = setup_registered(s);
	sys_closep(&(int){FD_INITIAL});
	return r == COPY_OK ? setup_complete(s) : r;
}
