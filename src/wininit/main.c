/* SPDX-License-Identifier: MIT */
/*
 * main.c - wininit, session 0's initial command: makes the machine usable, hands over to services
 *
 * Registers, brings up the loopback, sets the machine's name, random seed and sysctl, then starts
 * the service supervisor and watches it. A critical process: it never exits unless it was told to
 * or the master is gone. What no namespace holds is touched only by the machine itself. Sleeps
 * when there is nothing to do.
 */
#include <errno.h>

#include "base/text.h"
#include "companion/companion.h"
#include "wininit/machine.h"
#include "wininit/seed.h"
#include "wininit/supervisor.h"
#include "wininit/sysctl.h"

static const char help[] = "usage: wininit\n"
			   "       wininit --help | --version\n"
			   "Session 0's initial command. Started by smss, never by hand.\n";

/* Each step may be the last: being asked to end is looked at between them. */
static void prepare(struct companion *c)
{
	static void (*const steps[])(const struct companion *c) = {machine_loopback, machine_name,
								   seed_load, sysctl_apply};
	struct sm_message m;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && !c->ending; i++) {
		steps[i](c);
		if (companion_next(c, 0, &m) == COMPANION_MESSAGE)
			companion_refuse(c, &m);
	}
}

static void watch(struct supervisor *s, struct companion *c)
{
	struct sm_message m;

	while (!c->ending) {
		switch (companion_next(c, supervisor_wait_ms(s), &m)) {
		case COMPANION_CHILD:
			supervisor_reap(s, c);
			break;
		case COMPANION_TIMEOUT:
			supervisor_tick(s, c);
			break;
		case COMPANION_MESSAGE:
			companion_refuse(c, &m);
			break;
		case COMPANION_INPUT:
		case COMPANION_END:
			break;
		}
	}
}

int main(int argc, char **argv, char **envp)
{
	static struct supervisor supervisor;
	struct companion c;
	int r = companion_usage("wininit", help, argc, argv);

	if (r >= 0)
		return r;
	if (argc > 1) {
		companion_print(2, help);
		return COMPANION_USAGE;
	}
	r = companion_open(&c, "wininit", envp, true);
	if (r != COMPANION_OK)
		return r;
	r = companion_listen(&c);
	if (r >= 0)
		r = companion_register(&c, ROLE_INITIAL);
	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot register", "wininit", r);
		return r == -EPIPE ? COMPANION_NO_MASTER : COMPANION_FAILED;
	}
	if (sys_subreaper() < 0)
		sys_log(SYS_LOG_WARNING, "what services leave behind goes to the master");
	prepare(&c);
	if (!c.ending)
		supervisor_open(&supervisor, &c);
	watch(&supervisor, &c);
	seed_save(&c); /* first: services may use up all the time there is */
	supervisor_stop(&supervisor, &c);
	return COMPANION_OK;
}
