/* SPDX-License-Identifier: MIT */
/*
 * load.c - what there is: fstab, the root, volumes asked for by name; see job.h
 *
 * The quick reader first; libmount when that one gives up.
 */
#include "autochk/job.h"

#include <errno.h>
#include <string.h>

#include "autochk/fstab.h"
#include "autochk/mounts.h"
#include "autochk/report.h"
#include "base/text.h"
#include "sys/sys.h"

#define FSTAB_QUICK_BYTES 16384u

static bool is_mounted(const void *who, const char *target)
{
	return mountinfo_at(who, target) != NULL;
}

static void on_wrong_line(const char *path, int line)
{
	report_itemf(RESULT_FAILED, 0, 0, path, "line %d cannot be read and is left out", line);
}

static void load_fstab(struct job *j)
{
	static char text[FSTAB_QUICK_BYTES];
	ssize_t n = sys_read_file(AT_FDCWD, FSTAB, text, sizeof(text));
	int r;

	if (n == -ENOENT) {
		report_item(RESULT_SKIPPED, 0, 0, FSTAB, "there is none");
		return;
	}
	if (n >= 0 && fstab_quick(text, (size_t)n, is_mounted, &j->mounted, &j->volumes))
		return;
	r = mounts_read_fstab(FSTAB, on_wrong_line, &j->volumes);
	if (r == -ELIBACC)
		report_item(RESULT_FAILED, ELIBACC, 0, FSTAB,
			    "libmount.so.1 is missing: only / is looked after");
	else if (r < 0)
		report_itemf(RESULT_FAILED, -r, 0, FSTAB, "cannot be read: %s", err_text(-r));
	if (j->volumes.refused)
		report_itemf(RESULT_FAILED, 0, 0, FSTAB, "%u lines too many or too long, left out",
			     j->volumes.refused);
}

struct volume *job_root(struct job *j)
{
	for (unsigned i = 0; i < j->volumes.count; i++) {
		if (j->volumes.at[i].flags & VOLUME_ROOT)
			return &j->volumes.at[i];
	}
	return NULL;
}

static struct volume *new_volume(struct volumes *all, unsigned flags)
{
	struct volume *v;

	if (all->count == VOLUMES_MAX)
		return NULL;
	v = &all->at[all->count++];
	memset(v, 0, sizeof(*v));
	v->flags = flags;
	return v;
}

/* / is looked after, whether fstab has a line for it or not. */
static void add_root(struct job *j)
{
	struct volume *v = j->root && !job_root(j) ? new_volume(&j->volumes, VOLUME_ROOT) : NULL;

	if (!v)
		return;
	str_copy(v->source, sizeof(v->source), j->root->source);
	str_copy(v->target, sizeof(v->target), "/");
	str_copy(v->type, sizeof(v->type), j->root->type);
}

static bool same_node(const char *a, const char *b)
{
	struct sys_stat x, y;

	return a[0] == '/' && b[0] == '/' && sys_stat_at(AT_FDCWD, a, 0, &x) == 0 &&
	       sys_stat_at(AT_FDCWD, b, 0, &y) == 0 &&
	       (x.rdev ? x.rdev == y.rdev : x.dev == y.dev && x.ino == y.ino);
}

/* Another name of a volume of fstab: /dev/vdb1 for UUID=... The names are made the same. */
static bool by_another_name(struct job *j, struct request *r)
{
	char device[VOLUME_SOURCE], wanted[VOLUME_SOURCE];

	if (mounts_resolve(r->volume, wanted, sizeof(wanted)) < 0)
		return false;
	for (unsigned i = 0; i < j->volumes.count; i++) {
		struct volume *v = &j->volumes.at[i];

		if (v->flags & (VOLUME_SWAP | VOLUME_NETWORK | VOLUME_BIND | VOLUME_ROOT))
			continue;
		if (mounts_resolve(v->source, device, sizeof(device)) == 0 &&
		    same_node(device, wanted)) {
			r->found = true;
			return str_copy(v->source, sizeof(v->source), r->volume);
		}
	}
	return false;
}

static void add_named(struct job *j)
{
	for (unsigned i = 0; i < j->command.count; i++) {
		struct request *r = &j->command.request[i];
		bool known = str_same(r->volume, "*");
		struct volume *v;

		for (unsigned k = 0; k < j->volumes.count && !known; k++)
			known = str_same(r->volume, j->volumes.at[k].source) ||
				str_same(r->volume, j->volumes.at[k].target);
		if (known && !str_same(r->volume, "*"))
			continue;
		if (known || (j->root && same_node(r->volume, j->root->source)))
			continue;
		if (by_another_name(j, r))
			continue;
		v = new_volume(&j->volumes, VOLUME_NAMED);
		if (v && str_copy(v->source, sizeof(v->source), r->volume))
			str_copy(v->type, sizeof(v->type), "auto");
		else
			report_item(RESULT_FAILED, 0, 0, r->volume, "too many or too long names");
	}
}

void job_load(struct job *j)
{
	int r = mountinfo_load(&j->mounted);

	if (r < 0)
		report_itemf(RESULT_FAILED, -r, 0, "/proc/self/mountinfo", "cannot be read: %s",
			     err_text(-r));
	j->root = r < 0 ? NULL : mountinfo_at(&j->mounted, "/");
	if (j->settings.machine)
		load_fstab(j);
	add_root(j);
	add_named(j);
}

const char *job_name(const struct volume *v)
{
	if (v->flags & VOLUME_ROOT && !str_starts(v->source, "/dev/"))
		return "/";
	return *v->source && !str_same(v->source, "none") ? v->source : v->target;
}
