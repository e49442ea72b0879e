/* SPDX-License-Identifier: MIT */
/*
 * start.c - one image of the plan becomes a process of the session
 *
 * Core processes are born as children of the master (CLONE_PARENT), with their connection and the
 * plan. An initial command that is no image of ours has neither: it is a program, run as the
 * session's owner where there is one.
 */
#include <errno.h>

#include "base/text.h"
#include "smss/session/session.h"

static struct image {
	char room[COMMAND_BYTES], path[PATH_BYTES];
	char *argv[ARGS_MAX + 1];
	bool ours; /* an image of our own directory, or a role of this one */
	int fd;    /* what the path led to; owner: this struct; 0 = none yet, as 0 is null */
} image;

/* Our own role, not an image: see rescue.c. */
static void rescue_words(void)
{
	str_copy(image.path, sizeof(image.path), IMAGE_SMSS);
	image.argv[0] = (char *)(uintptr_t) "smss";
	image.argv[1] = (char *)(uintptr_t) "rescue";
	image.argv[2] = (char *)(uintptr_t) "0";
	image.argv[3] = NULL;
}

int setup_find(struct setup *s, const char *line, bool core, const char **ret_name)
{
	int r;

	*ret_name = line;
	if (image.fd > 0)
		sys_closep(&image.fd);
	if (!str_copy(image.room, sizeof(image.room), line))
		return -E2BIG;
	r = plan_words(image.room, image.argv, ARGS_MAX);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	*ret_name = image.argv[0];
	image.ours = true;
	s->why = NULL;
	if (core && str_same(image.argv[0], "rescue")) {
		rescue_words();
		return 0;
	}
	r = copy_find_image(s->c, image.argv[0], &image.fd, image.path, sizeof(image.path));
	image.ours = str_starts(image.path, IMAGE_DIRECTORY "/");
	return r < 0 ? r : copy_prove_image(s->c, image.fd, image.path, &s->why);
}

/* The last of s->env is kept free for it. */
static char **with_policy(struct setup *s, char *env[])
{
	unsigned n = 0;

	for (; s->env[n]; n++)
		env[n] = s->env[n];
	if (s->policy_word[0])
		env[n++] = s->policy_word;
	env[n] = NULL;
	return env;
}

int setup_go(struct setup *s, int connection, struct started *ret)
{
	static struct owner owner;
	static char *env[ENV_VARS_MAX + 3];
	const bool core = connection != NO_CONNECTION, program = core && !image.ours;
	const bool told = connection == FD_CSRSS ||
			  (core && image.ours && str_same(image.argv[0], "winlogon"));
	const int fds[5] = {0, s->console, s->console, connection, FD_PLAN};
	struct sys_hold hold;
	struct sys_spawn what = {.dir_fd = s->by_descriptor ? image.fd : AT_FDCWD,
				 .name = s->by_descriptor ? "" : image.path,
				 .argv = image.argv,
				 .envp = told ? with_policy(s, env) : s->env,
				 .fds = fds,
				 .fd_count = core && image.ours ? 5 : 3,
				 .cgroup_fd = s->cgroup,
				 .pidns_fd = -1,
				 .hold = &hold,
				 .gate = s->gate,
				 .gate_arg = s,
				 .flags = SYS_SPAWN_SETSID | (core ? SYS_SPAWN_CLONE_PARENT : 0)};

	if (program && s->policy.given & SM_GIVEN_OWNER) {
		owner_fill(s, &owner);
		what.as = &owner.as;
		what.envp = owner.env;
	}
	setup_hold(core ? &s->policy : &s->planned, core, &hold);
	if (connection == FD_CSRSS && s->policy.isolation & SM_ISOLATE_PID)
		what.flags |= (s->implied_pid ? SYS_SPAWN_PROC_TRY : SYS_SPAWN_PROC) |
			      (setup_is_held(s) ? SYS_SPAWN_PROC_HOLD : 0);
	ret->program = program;
	ret->pid = sys_spawn(&what, &ret->pidfd);
	if (ret->pid == -EPERM && core)
		setup_not_held(s); /* then that is the reason */
	return ret->pid < 0 ? ret->pid : 0;
}

int setup_find_initial(struct setup *s)
{
	/* What somebody who is not root begins a session with has his rights, whatever it is. */
	const bool his = s->ask.flags & SM_SESSION_FOREIGN && s->ask.initial_command[0];
	int r = setup_find(s, setup_initial_command(s), !his, &s->initial);

	if (his)
		image.ours = false;
	return r;
}

int setup_start(struct setup *s, const char *line, int connection, struct started *ret)
{
	int r = setup_find(s, line, connection != NO_CONNECTION, &ret->name);

	return r < 0 ? r : setup_go(s, connection, ret);
}
