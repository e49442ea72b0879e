/* SPDX-License-Identifier: MIT */
/*
 * isolate.c - a session's own namespaces, and what is mounted in them
 *
 * The copy itself moves into them: it is a throwaway, and whatever it starts is born there. What it
 * mounts goes with the last process of the session; nothing of it reaches the machine, while the
 * machine's own mounts still reach the session. A pid namespace begins with the next process that
 * is started: csrss, its init, which also mounts the /proc of it.
 */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include <linux/capability.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"
#include "smss/session/session.h"

static const struct {
	uint32_t bit;
	int flag;
	const char *what;
} namespaces[] = {
	{SM_ISOLATE_MOUNT, CLONE_NEWNS, "isolation mount"},
	{SM_ISOLATE_IPC, CLONE_NEWIPC, "isolation ipc"},
	{SM_ISOLATE_PID, CLONE_NEWPID, "isolation pid"},
	{SM_ISOLATE_UTS, CLONE_NEWUTS, "isolation uts"},
	{SM_ISOLATE_NET, CLONE_NEWNET, "isolation net"},
};

/*
 * An ipc namespace begins empty whatever the machine's own holds, so it is the same made before
 * anybody asks for it; and it is the dearest. The others are of the moment they are made in.
 */
void setup_isolate_ahead(struct setup *s)
{
	struct sm_policy p;

	if (policy_of_plan(s->c->plan, SM_NO_SESSION, &p) < 0 || !(p.isolation & SM_ISOLATE_IPC))
		return;
	s->machine_ipc = sys_open(AT_FDCWD, "/proc/self/ns/ipc", O_RDONLY, 0);
	if (s->machine_ipc > 0 && sys_unshare(CLONE_NEWIPC) < 0)
		sys_closep(&s->machine_ipc); /* whoever asks for one is told why not */
	s->ipc_ahead = s->machine_ipc > 0;
}

/* Of the flags, what is there already is left out; a session without goes back. */
static int take_ahead(struct setup *s, int *flags)
{
	int r = 0;

	if (!s->ipc_ahead)
		return COPY_OK;
	if (!(*flags & CLONE_NEWIPC))
		r = sys_set_ns(s->machine_ipc, CLONE_NEWIPC);
	*flags &= ~CLONE_NEWIPC;
	return r < 0 ? setup_refuse(s, r, "isolation ipc", NULL) : COPY_OK;
}

/* All at once is cheapest; one after the other only tells which of them it was. */
static int unshare_them(struct setup *s, int flags)
{
	int r = sys_unshare(flags);

	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(namespaces); i++) {
		int one = flags & namespaces[i].flag;

		if (one && sys_unshare(one) < 0)
			return setup_refuse(s, r, namespaces[i].what, NULL);
	}
	return r < 0 ? setup_refuse(s, r, "isolation", NULL) : COPY_OK;
}

static int private_directory(struct setup *s, const char *path, const char *options)
{
	int r = sys_mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);

	if (r == -ENOENT) {
		r = sys_make_dirs(path, 0755);
		if (r >= 0)
			r = sys_mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV, options);
	}
	return r < 0 ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

/* What XDG_RUNTIME_DIR says. */
static int runtime_directory(struct setup *s)
{
	_close_ int fd = -1;
	char path[48];
	struct text t = TEXT_ON(path);
	int r;

	if (!(s->policy.given & SM_GIVEN_OWNER))
		return COPY_OK;
	text_u64(text_add(&t, "/run/user/"), s->policy.uid);
	r = sys_mkdir(AT_FDCWD, path, 0700);
	if (r >= 0)
		r = fd = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	if (r >= 0)
		r = sys_chown(fd, s->policy.uid, s->policy.gid);
	return r < 0 ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

static int private_directories(struct setup *s)
{
	const bool device = s->policy.isolation & SM_ISOLATE_DEV;
	int r = private_directory(s, "/tmp", "mode=1777");

	if (r == COPY_OK && !device)
		r = private_directory(s, "/dev/shm", "mode=1777");
	if (r == COPY_OK)
		r = private_directory(s, "/run/user", "mode=0755");
	if (r == COPY_OK)
		r = runtime_directory(s);
	/* Where the machine shows its message queues, the session sees its own. */
	if (r == COPY_OK && !device && s->policy.isolation & SM_ISOLATE_IPC) {
		int seen = sys_mount("mqueue", "/dev/mqueue", "mqueue",
				     MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);

		if (seen < 0 && seen != -ENOENT && seen != -ENODEV)
			r = setup_refuse(s, seen, "/dev/mqueue", NULL);
	}
	return r == COPY_OK && device ? setup_device(s) : r;
}

/* From here on nothing that is mounted leaves the namespace. */
static int part_mounts(struct setup *s)
{
	int r = sys_mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL);

	if (r < 0)
		return setup_refuse(s, r, "isolation mount", NULL);
	if (s->policy.isolation & SM_ISOLATE_PID) {
		r = copy_keep_proc();
		if (r < 0 && !s->implied_pid)
			return setup_refuse(s, r, "/proc", NULL);
	}
	return s->policy.isolation & SM_ISOLATE_MOUNT ? private_directories(s) : COPY_OK;
}

static int loopback(struct setup *s)
{
	int r = sys_net_up("lo");

	return r < 0 ? setup_refuse(s, r, "isolation net: lo", NULL) : COPY_OK;
}

bool setup_is_held(const struct setup *s)
{
	const struct sm_policy *p = &s->policy;
	const bool root = !(p->given & SM_GIVEN_OWNER) || !p->uid;

	return root && p->isolation & SM_ISOLATE_MOUNT && p->given & SM_GIVEN_CAPABILITIES &&
	       !(p->capabilities >> CAP_SYS_ADMIN & 1);
}

/*
 * Root's user number alone opens the kernel's own files, the groups and the API, and who may mount
 * nothing cannot take away what is mounted over them.
 */
static int hold(struct setup *s)
{
	int r = sys_mount("tmpfs", RUN_DIRECTORY, "tmpfs",
			  MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755");

	if (r < 0)
		return setup_refuse(s, r, RUN_DIRECTORY, NULL);
	r = sys_read_only("/sys");
	if (r < 0 && r != -ENOENT)
		return setup_refuse(s, r, "/sys", NULL);
	if (s->policy.isolation & SM_ISOLATE_PID)
		return COPY_OK; /* its /proc comes with its first process */
	r = sys_hold_proc();
	return r < 0 ? setup_refuse(s, r, "/proc", NULL) : COPY_OK;
}

int setup_isolate(struct setup *s)
{
	int flags = 0, r;

	/* Without a group a pid namespace proves the session's end; nobody asked for its /proc. */
	s->implied_pid = s->how == HOW_PID_NAMESPACE && !(s->policy.isolation & SM_ISOLATE_PID);
	if (s->implied_pid)
		s->policy.isolation |= SM_ISOLATE_PID;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		if (s->policy.isolation & namespaces[i].bit)
			flags |= namespaces[i].flag;
	if (flags & CLONE_NEWPID)
		flags |= CLONE_NEWNS; /* for its /proc */
	r = take_ahead(s, &flags);
	if (r != COPY_OK || !flags)
		return r;
	r = unshare_them(s, flags);
	if (r == COPY_OK && flags & CLONE_NEWNS)
		r = part_mounts(s);
	if (r == COPY_OK && flags & CLONE_NEWNET)
		r = loopback(s);
	if (r == COPY_OK && setup_is_held(s))
		r = hold(s);
	return r;
}
