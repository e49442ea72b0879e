/* SPDX-License-Identifier: MIT */
/*
 * stage_mount.c - / read-write, then the other file systems of fstab; see job.h
 *
 * Each is mounted in a forked half with a deadline; what cannot be mounted is told and never holds
 * up the rest. Mount points are not made: a missing one is a mistake that somebody must see.
 */
#include "autochk/job.h"

#include <errno.h>
#include <string.h>

#include "autochk/mounts.h"
#include "autochk/order.h"
#include "autochk/report.h"
#include "autochk/root.h"
#include "autochk/run.h"
#include "base/text.h"
#include "sys/sys.h"

enum trouble { TROUBLE_NONE, TROUBLE_DEVICE, TROUBLE_TARGET, TROUBLE_MOUNT };

struct answer {
	enum trouble trouble;
	int r;
	char text[MOUNTS_TEXT];
};

static bool names_a_device(const char *source)
{
	return str_starts(source, "/dev/") || str_starts(source, "UUID=") ||
	       str_starts(source, "LABEL=") || str_starts(source, "PARTUUID=") ||
	       str_starts(source, "PARTLABEL=") || str_starts(source, "ID=");
}

static void mount_in_child(const void *question, void *answer)
{
	const struct volume *v = question;
	struct answer *a = answer;
	char device[VOLUME_SOURCE];
	int target;

	if (names_a_device(v->source)) {
		a->r = mounts_resolve(v->source, device, sizeof(device));
		if (a->r < 0) {
			a->trouble = TROUBLE_DEVICE;
			return;
		}
	}
	if (!(v->flags & VOLUME_MAKE_TARGET)) {
		target = sys_walk(v->target, O_PATH);
		if (target < 0) {
			a->r = target;
			a->trouble = TROUBLE_TARGET;
			return;
		}
		sys_close(target);
	}
	a->r = mounts_mount(v, v->flags & VOLUME_ERRORS_LEFT, false, a->text);
	if (a->r < 0)
		a->trouble = TROUBLE_MOUNT;
}

static void report_mount(struct volume *v, uint64_t start_ns, int r, const struct answer *a)
{
	bool nofail = v->flags & VOLUME_NOFAIL;
	const char *why = "";

	if (r == 0 && a->trouble == TROUBLE_NONE) {
		v->flags |= VOLUME_MOUNT_DONE;
		if (v->flags & VOLUME_ERRORS_LEFT)
			report_itemf(RESULT_DEGRADED, 0, start_ns, v->target,
				     "%s mounted read-only: errors are left on it", v->source);
		else
			report_itemf(RESULT_OK, 0, start_ns, v->target, "%s mounted", v->source);
		return;
	}
	v->flags |= VOLUME_MOUNT_FAILED;
	if (r == 0)
		r = a->r;
	if (r == -ETIMEDOUT)
		why = "it took too long";
	else if (a->trouble == TROUBLE_DEVICE)
		why = r == -ENOENT ? "the device is not there" : err_text(-r);
	else if (a->trouble == TROUBLE_TARGET)
		why = r == -ENOENT ? "there is no such directory" : err_text(-r);
	else
		why = *a->text ? a->text : err_text(-r);
	report_itemf(nofail            ? RESULT_SKIPPED
		     : r == -ETIMEDOUT ? RESULT_TIMEOUT
				       : RESULT_FAILED,
		     -r, start_ns, v->target, "%s not mounted%s: %s", v->source,
		     nofail ? " (nofail)" : "", why);
}

/* What it lies on was not mounted: mounting it there would hide it later. */
static const struct volume *missing_below(const struct job *j, const struct volume *v)
{
	for (unsigned i = 0; i < j->volumes.count; i++) {
		const struct volume *other = &j->volumes.at[i];

		if (other->flags & VOLUME_MOUNT_FAILED && order_needs(v, other) &&
		    !str_same(v->target, other->target))
			return other;
	}
	return NULL;
}

static void mount_one(struct job *j, struct volume *v)
{
	const struct volume *below = missing_below(j, v);
	uint64_t start_ns = sys_now_ns();
	struct answer a = {0};
	int r;

	if (mountinfo_at(&j->mounted, v->target)) {
		if (report_verbose())
			report_item(RESULT_OK, 0, 0, v->target, "mounted already");
		return;
	}
	if (v->flags & VOLUME_NETWORK) {
		report_itemf(RESULT_SKIPPED, 0, 0, v->target,
			     "%s needs the network, not mounted here", v->source);
		return;
	}
	if (j->command.dry_run) {
		report_itemf(RESULT_SKIPPED, 0, 0, v->target, "%s would be mounted", v->source);
		return;
	}
	if (below) {
		v->flags |= VOLUME_MOUNT_FAILED;
		report_itemf(v->flags & VOLUME_NOFAIL ? RESULT_SKIPPED : RESULT_FAILED, 0, 0,
			     v->target, "%s not mounted: %s is not", v->source, below->target);
		return;
	}
	mounts_load();
	r = run_forked(mount_in_child, v, &a, sizeof(a), MOUNT_MS);
	report_mount(v, start_ns, r, &a);
}

void job_mount(struct job *j)
{
	unsigned order[VOLUMES_MAX], count = order_mounts(&j->volumes, order);
	struct volume *root = job_root(j);

	if (root && j->root && !root_left_alone(j->root->type))
		root_make_writable(root, j->root, true, j->command.dry_run);
	for (unsigned i = 0; i < count; i++) {
		struct volume *v = &j->volumes.at[order[i]];

		if (v->target[0] != '/' ||
		    v->flags & (VOLUME_ROOT | VOLUME_SWAP | VOLUME_NOAUTO | VOLUME_NAMED))
			continue;
		mount_one(j, v);
	}
}

void job_namespace(struct job *j)
{
	struct volume *root = job_root(j);

	report_item(RESULT_SKIPPED, 0, 0, "volumes",
		    "outside the initial pid namespace: nothing checked, nothing mounted");
	if (root && j->root && !root_left_alone(j->root->type))
		root_make_writable(root, j->root, false, j->command.dry_run);
}
