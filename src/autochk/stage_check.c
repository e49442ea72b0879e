/* SPDX-License-Identifier: MIT */
/*
 * stage_check.c - which volumes are checked, and what follows; see job.h
 *
 * Only what is unmounted, or the read-only root, is ever given to fsck. The root comes first and
 * nobody can keep it from being checked; before the others a key can (AutoChkTimeOut).
 */
#include "autochk/job.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "autochk/check.h"
#include "autochk/countdown.h"
#include "autochk/mounts.h"
#include "autochk/order.h"
#include "autochk/probe.h"
#include "autochk/report.h"
#include "autochk/root.h"
#include "autochk/run.h"
#include "base/text.h"
#include "sys/sys.h"

enum want { WANT_NOTHING, WANT_IF_DIRTY, WANT_ALWAYS, WANT_SURFACE };

struct look {
	int r; /* of resolving, opening, probing */
	bool regular;
	uint64_t rdev;
	char device[VOLUME_SOURCE];
	struct probe probe;
};

struct wanted { /* a volume that waits for its check */
	struct volume *v;
	struct look look;
	enum want want;
};

/* ---- what is asked ---- */

static struct request *request_for(struct job *j, const struct volume *v, const char *device)
{
	struct request *general = NULL;

	for (unsigned i = 0; i < j->command.count; i++) {
		struct request *r = &j->command.request[i];

		if (str_same(r->volume, v->source) || str_same(r->volume, v->target) ||
		    (device && str_same(r->volume, device)))
			return r;
		if (str_same(r->volume, "*") && (v->flags & VOLUME_ROOT || v->pass > 0))
			general = r;
	}
	return general;
}

static bool system_partition(const struct volume *v)
{
	return str_same(v->target, "/boot/efi") || str_same(v->target, "/efi");
}

static enum want wants(struct job *j, const struct volume *v, const char *device)
{
	struct request *r = request_for(j, v, device);
	bool general = !r || str_same(r->volume, "*");

	if (v->flags & (VOLUME_SWAP | VOLUME_BIND | VOLUME_NETWORK))
		return WANT_NOTHING;
	if (v->flags & VOLUME_NOAUTO && general)
		return WANT_NOTHING;
	if (r && r->how == REQUEST_NEVER) {
		r->found = true;
		report_item(RESULT_SKIPPED, 0, 0, job_name(v), "not checked: /k");
		return WANT_NOTHING;
	}
	if (general && !(j->command.all && (v->flags & VOLUME_ROOT || v->pass > 0)))
		return WANT_NOTHING;
	if (general && system_partition(v) && j->settings.skip_system) {
		report_item(RESULT_SKIPPED, 0, 0, job_name(v),
			    "not checked: AutoChkSkipSystemPartition");
		return WANT_NOTHING;
	}
	if (r && r->how == REQUEST_SURFACE)
		return WANT_SURFACE;
	if ((r && r->how == REQUEST_ALWAYS) || j->settings.mode == MODE_FORCE)
		return WANT_ALWAYS;
	return WANT_IF_DIRTY;
}

/* ---- what is there ---- */

static int open_and_probe(const char *hint, struct look *l)
{
	_close_ int fd = sys_open(AT_FDCWD, l->device, O_RDONLY | O_NONBLOCK, 0);
	struct sys_stat st;
	int r = fd < 0 ? fd : sys_stat_fd(fd, &st);

	if (r < 0)
		return r;
	l->regular = S_ISREG(st.mode);
	l->rdev = S_ISBLK(st.mode) ? st.rdev : 0;
	if (!l->regular && !l->rdev)
		return -ENOTBLK;
	return probe_device(fd, hint, &l->probe);
}

static void look_in_child(const void *question, void *answer)
{
	const struct volume *v = question;
	struct look *l = answer;

	l->r = mounts_resolve(v->source, l->device, sizeof(l->device));
	if (l->r == 0)
		l->r = open_and_probe(v->type, l);
}

static int look_at(struct job *j, const struct volume *v, struct look *l)
{
	int r;

	memset(l, 0, sizeof(*l));
	if (v->flags & VOLUME_ROOT) {
		/* no child: when the root hangs, nothing else would run either */
		r = root_device(j->root, l->device, sizeof(l->device));
		return r < 0 ? r : open_and_probe(j->root->type, l);
	}
	r = run_forked(look_in_child, v, l, sizeof(*l), LOOK_MS);
	return r < 0 ? r : l->r;
}

static void cannot_look(const struct volume *v, int r)
{
	bool quiet = v->flags & VOLUME_NOFAIL && (r == -ENOENT || r == -ENXIO);
	const char *what = err_text(-r);

	if (r == -ENOENT || r == -ENXIO || r == -ENODEV)
		what = "the device is not there";
	else if (r == -EBADMSG)
		what = "more than one file system is on it";
	else if (r == -ELIBACC)
		what = "libmount.so.1 or libblkid.so.1 is missing";
	else if (r == -ETIMEDOUT)
		what = "the device does not answer";
	else if (r == -ENOTBLK)
		what = "neither a block device nor a file";
	report_itemf(quiet ? RESULT_SKIPPED : RESULT_FAILED, -r, 0, job_name(v),
		     "not checked: %s%s", what, quiet ? " (nofail)" : "");
}

/* ---- from both, what to do ---- */

/* Mounted where fsck must not go: told, and true. */
static bool busy(struct job *j, const struct volume *v, const struct look *l, enum want want)
{
	const struct mount_row *m =
		l->rdev ? mountinfo_of(&j->mounted, major(l->rdev), minor(l->rdev)) : NULL;
	bool bad = l->probe.state == VOLUME_FLAGGED || want > WANT_IF_DIRTY;

	if (v->flags & VOLUME_ROOT)
		m = mount_has(j->root->super, "rw") ? j->root : NULL;
	if (!m)
		return false;
	report_itemf(bad ? RESULT_FAILED : RESULT_SKIPPED, 0, 0, job_name(v),
		     "%s%s%s, not checked: mounted %s on %s", l->probe.type, bad ? ", " : "",
		     bad ? l->probe.why : "",
		     mount_has(m->super, "rw") ? "read-write" : "read-only", m->target);
	return true;
}

/* Clean, self-healing, mounted, foreign: nothing for fsck to do, and told here. */
static bool settled(struct job *j, const struct volume *v, struct look *l, enum want want)
{
	if (!j->settings.machine && !l->regular) {
		report_item(RESULT_SKIPPED, 0, 0, job_name(v),
			    "not checked: outside the initial pid namespace no device is ours");
		return true;
	}
	if (l->probe.state == VOLUME_SELF) {
		report_itemf(RESULT_SKIPPED, 0, 0, job_name(v), "%s %s", l->probe.type,
			     l->probe.why);
		return true;
	}
	if (l->probe.state == VOLUME_NOTHING) {
		if (!str_starts(v->type, "ext") || v->flags & VOLUME_ROOT) {
			report_item(RESULT_FAILED, 0, 0, job_name(v), l->probe.why);
			return true;
		}
		/* fstab says ext: e2fsck looks for the superblock's backups */
		str_copy(l->probe.type, sizeof(l->probe.type), v->type);
		l->probe.state = VOLUME_FLAGGED;
		l->probe.why = "no superblock";
	}
	if (busy(j, v, l, want))
		return true;
	if (l->probe.state == VOLUME_CLEAN && want == WANT_IF_DIRTY) {
		report_itemf(RESULT_OK, 0, 0, job_name(v), "%s, clean", l->probe.type);
		return true;
	}
	return false;
}

static enum check_answer run_check(struct job *j, struct wanted *w)
{
	const struct look *l = &w->look;
	bool clean = l->probe.state == VOLUME_CLEAN;
	struct check c = {.name = job_name(w->v),
			  .device = l->device,
			  .type = l->probe.type,
			  .why = !clean                    ? l->probe.why
				 : w->want > WANT_IF_DIRTY ? "check asked for"
							   : "clean",
			  .forced = w->want > WANT_IF_DIRTY,
			  .surface = w->want == WANT_SURFACE,
			  .repair = j->settings.repair,
			  .end_ns = j->settings.check_end_ns};
	struct request *r = request_for(j, w->v, l->device);
	enum check_answer answer;

	if (r)
		r->found = true;
	if (j->command.dry_run) {
		report_itemf(RESULT_SKIPPED, 0, 0, c.name, "would be checked: %s, %s%s", c.type,
			     c.why, c.surface ? ", with the surface" : "");
		return CHECK_WELL;
	}
	answer = check_run(&c);
	if (answer == CHECK_LEFT || (answer == CHECK_MISSING && l->probe.state == VOLUME_FLAGGED))
		w->v->flags |= VOLUME_ERRORS_LEFT;
	return answer;
}

/*
 * The kernel has read parts of the root before they were repaired. A reboot is asked for only when
 * the root is clean now: else it would be asked for at every boot.
 */
static bool reboot_helps(struct job *j, struct wanted *w)
{
	if (look_at(j, w->v, &w->look) == 0 && w->look.probe.state == VOLUME_CLEAN) {
		report_item(RESULT_OK, FSCK_REBOOT, 0, "/",
			    "repaired while mounted: reboot wanted");
		return true;
	}
	report_item(RESULT_FAILED, FSCK_REBOOT, 0, "/",
		    "repaired, but not clean: no reboot for it");
	w->v->flags |= VOLUME_ERRORS_LEFT;
	return false;
}

static bool check_root(struct job *j)
{
	struct wanted w = {.v = job_root(j)};
	int r;

	if (!w.v || !j->root)
		return false;
	if (root_left_alone(j->root->type)) {
		report_itemf(RESULT_SKIPPED, 0, 0, "/", "%s, left as it is", j->root->type);
		return false;
	}
	if (root_device(j->root, w.look.device, sizeof(w.look.device)) < 0)
		w.look.device[0] = 0;
	w.want = wants(j, w.v, w.look.device);
	if (w.want == WANT_NOTHING)
		return false;
	r = look_at(j, w.v, &w.look);
	if (r == -ENODEV && j->root->major == 0) {
		report_itemf(RESULT_SKIPPED, 0, 0, "/", "%s, not on a block device", j->root->type);
		return false;
	}
	if (r < 0) {
		cannot_look(w.v, r);
		return false;
	}
	if (settled(j, w.v, &w.look, w.want))
		return false;
	return run_check(j, &w) == CHECK_REBOOT && reboot_helps(j, &w);
}

static unsigned collect(struct job *j, struct wanted list[VOLUMES_MAX])
{
	unsigned order[VOLUMES_MAX], n = 0, count = order_checks(&j->volumes, order);

	for (unsigned i = 0; i < count; i++) {
		struct volume *v = &j->volumes.at[order[i]];
		struct wanted *w = &list[n];
		int r;

		if (v->flags & VOLUME_ROOT)
			continue;
		w->v = v;
		w->want = wants(j, v, NULL);
		if (w->want == WANT_NOTHING)
			continue;
		r = look_at(j, v, &w->look);
		if (r < 0)
			cannot_look(v, r);
		else if (!settled(j, v, &w->look, w->want))
			n++;
	}
	return n;
}

bool job_check(struct job *j)
{
	static struct wanted list[VOLUMES_MAX];
	unsigned n;

	if (j->settings.mode == MODE_SKIP) {
		report_item(RESULT_SKIPPED, 0, 0, "volumes", "not checked: fsck.mode=skip");
		return false;
	}
	if (j->settings.machine && check_root(j))
		return true;
	n = collect(j, list);
	if (n && !j->command.dry_run && j->settings.from_master &&
	    countdown_key(j->settings.timeout_s, n)) {
		for (unsigned i = 0; i < n; i++) {
			struct request *r = request_for(j, list[i].v, list[i].look.device);

			if (r)
				r->found = true;
			report_itemf(RESULT_SKIPPED, FSCK_CANCELLED, 0, job_name(list[i].v),
				     "%s, %s: not checked, a key was pressed",
				     list[i].look.probe.type, list[i].look.probe.why);
		}
		return false;
	}
	for (unsigned i = 0; i < n; i++)
		run_check(j, &list[i]);
	return false;
}
