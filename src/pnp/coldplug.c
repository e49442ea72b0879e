/* SPDX-License-Identifier: MIT */
/*
 * coldplug.c - starting the device manager, see coldplug.h
 *
 * udev is taken where it is installed. mdev only with an /etc/mdev.conf: without one it would give
 * every node of a devtmpfs mode 0660, /dev/null included.
 */
#include "pnp/coldplug.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "companion/program.h"

struct step {
	const char *argv[6];
	bool settle; /* gets --timeout=SECONDS */
	bool may_fail;
};

/* clang-format off */
static const struct step udev_steps[] = {
	{ .argv = { "udevadm", "trigger", "--type=subsystems", "--action=add" } },
	{ .argv = { "udevadm", "trigger", "--type=devices", "--action=add" } },
	{ .argv = { "udevadm", "settle" }, .settle = true },
};
static const struct step mdev_steps[] = {
	{ .argv = { "mdev", "-s" } },
	/* The daemon, which not every busybox has; those without serve coldplug only. */
	{ .argv = { "mdev", "-d" }, .may_fail = true },
};
/* clang-format on */

struct run {
	const struct companion *c;
	uint64_t until_ns, start_ns;
	const char *who; /* the row's name */
	char path[PATH_BYTES];
};

static bool failed(const struct run *r, const char *what, int error, const struct sys_exit *e)
{
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);
	enum result result = error == -ETIMEDOUT ? RESULT_TIMEOUT : RESULT_FAILED;

	text_add(text_add(&t, what), ": ");
	if (error < 0)
		text_add(&t, err_text(-error));
	else
		program_exit_text(&t, e);
	if (error >= 0 && e->signalled)
		result = RESULT_CRASHED;
	companion_item(r->c, result, error < 0 ? -error : e->status, r->start_ns, r->who, line);
	return false;
}

static bool run_step(const struct run *r, const struct step *s)
{
	char *argv[ARRAY_SIZE(s->argv) + 1] = {NULL};
	char timeout[40];
	struct text t = TEXT_ON(timeout);
	struct sys_exit e = {.status = 0};
	unsigned n = 0;
	int error;

	for (; n < ARRAY_SIZE(s->argv) && s->argv[n]; n++)
		argv[n] = (char *)(uintptr_t)s->argv[n];
	if (s->settle) { /* it gives up a second before we would kill it */
		int left = companion_ms_left(r->until_ns) / 1000;

		text_u64(text_add(&t, "--timeout="), left > 1 ? (uint64_t)left - 1 : 1);
		argv[n] = timeout;
	}
	error = program_run(r->c, r->path, argv, r->until_ns, &e);
	if ((error >= 0 && !e.signalled && e.status == 0) || s->may_fail)
		return true;
	return failed(r, s->argv[1], error, &e);
}

static bool run_steps(const struct run *r, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!run_step(r, &steps[i]))
			return false;
	companion_item(r->c, RESULT_OK, 0, r->start_ns, r->who, "settled");
	return true;
}

static bool run_udev(struct run *r, const char *daemon)
{
	char *argv[] = {(char *)(uintptr_t)daemon, (char *)"--daemon", NULL};
	struct sys_exit e = {.status = 0};
	int error;

	r->who = "udev";
	error = program_run(r->c, daemon, argv, r->until_ns, &e);
	if (error < 0 || e.signalled || e.status)
		return failed(r, daemon, error, &e);
	error = program_find(r->c, "udevadm", r->path, sizeof(r->path));
	if (error < 0)
		return failed(r, "udevadm", error, &e);
	return run_steps(r, udev_steps, ARRAY_SIZE(udev_steps));
}

enum coldplug coldplug_run(const struct companion *c, uint64_t until_ns, bool *ret_ok)
{
	static const char *const daemons[] = {"/usr/lib/systemd/systemd-udevd",
					      "/lib/systemd/systemd-udevd", "/sbin/udevd",
					      "/usr/sbin/udevd"};
	struct run r = {.c = c, .until_ns = until_ns, .start_ns = sys_now_ns()};

	for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
		if (sys_access(AT_FDCWD, daemons[i], 1) < 0)
			continue;
		*ret_ok = run_udev(&r, daemons[i]);
		return COLDPLUG_UDEV;
	}
	if (sys_access(AT_FDCWD, "/etc/mdev.conf", 0) >= 0 &&
	    program_find(c, "mdev", r.path, sizeof(r.path)) >= 0) {
		r.who = "mdev";
		*ret_ok = run_steps(&r, mdev_steps, ARRAY_SIZE(mdev_steps));
		return COLDPLUG_MDEV;
	}
	companion_item(c, RESULT_SKIPPED, 0, r.start_ns, "coldplug",
		       "no udev, no mdev: devtmpfs serves");
	*ret_ok = true;
	return COLDPLUG_NONE;
}
