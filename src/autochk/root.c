/* SPDX-License-Identifier: MIT */
/*
 * root.c - the root file system; see root.h
 *
 * Plain options are given to mount(2) here; anything else goes to libmount, in a forked half.
 */
#include "autochk/root.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "autochk/mounts.h"
#include "autochk/options.h"
#include "autochk/report.h"
#include "autochk/run.h"
#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#define REMOUNT_MS 60000u

bool root_left_alone(const char *type)
{
	static const char *const types[] = {"overlay", "tmpfs",  "ramfs",   "rootfs", "squashfs",
					    "erofs",   "cramfs", "iso9660", "romfs",  "aufs"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_same(type, types[i]))
			return true;
	}
	return false;
}

static bool node_of(const char *path, uint64_t rdev)
{
	struct sys_stat st;

	return sys_stat_at(AT_FDCWD, path, 0, &st) == 0 && S_ISBLK(st.mode) &&
	       (!rdev || st.rdev == rdev);
}

/* The kernel's own name of a device number: the line DEVNAME= of its uevent file. */
static bool kernel_name(const struct mount_row *root, char *to, size_t cap)
{
	char path[64], text[1024];
	struct text p = TEXT_ON(path), t = text_start(to, cap);
	const char *name;
	ssize_t n;

	text_u64(text_add(&p, "/sys/dev/block/"), root->major);
	text_add(text_u64(text_add(&p, ":"), root->minor), "/uevent");
	n = sys_read_file(AT_FDCWD, path, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = 0;
	name = strstr(text, "DEVNAME=");
	if (!name)
		return false;
	name += strlen("DEVNAME=");
	text_add_n(text_add(&t, "/dev/"), name, strcspn(name, "\n"));
	return !t.cut;
}

int root_device(const struct mount_row *root, char *ret, size_t cap)
{
	char name[128];
	uint64_t rdev = makedev(root->major, root->minor);

	if (root->major == 0) /* btrfs and kin: a number of their own, the source is right */
		rdev = 0;
	if (root->source[0] == '/' && node_of(root->source, rdev))
		return str_copy(ret, cap, root->source) ? 0 : -ENODEV;
	if (rdev && kernel_name(root, name, sizeof(name)) && node_of(name, rdev))
		return str_copy(ret, cap, name) ? 0 : -ENODEV;
	return -ENODEV;
}

/* What is asked for is there already: a second run changes nothing. */
static bool as_asked(const struct mount_row *root, const struct options *o)
{
	static const struct {
		unsigned long flag;
		const char *word;
	} shown[] = {
		{MS_NOSUID, "nosuid"},   {MS_NODEV, "nodev"},           {MS_NOEXEC, "noexec"},
		{MS_NOATIME, "noatime"}, {MS_NODIRATIME, "nodiratime"},
	};
	const char *data = o->data;

	if (!mount_has(root->options, "rw") || !mount_has(root->super, "rw"))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		if (!(o->mount & shown[i].flag) != !mount_has(root->options, shown[i].word))
			return false;
	}
	if (!(o->mount & MS_LAZYTIME) != !mount_has(root->super, "lazytime"))
		return false;
	while (*data) {
		size_t n = strcspn(data, ",");
		char word[128];
		struct text t = TEXT_ON(word);

		text_add_n(&t, data, n);
		if (!mount_has(root->super, word))
			return false;
		data += n + (data[n] == ',');
	}
	return true;
}

struct answer {
	int r;
	char text[MOUNTS_TEXT];
};

static void remount_by_libmount(const void *question, void *answer)
{
	struct answer *a = answer;

	a->r = mounts_mount(question, false, true, a->text);
}

static int remount(const struct volume *v, const struct mount_row *root, const struct options *o,
		   struct answer *a)
{
	*a->text = 0;
	if (!o->plain) {
		struct volume as_mounted = *v; /* what fstab calls it need not be found */
		int r;

		str_copy(as_mounted.source, sizeof(as_mounted.source), root->source);
		r = run_forked(remount_by_libmount, &as_mounted, a, sizeof(*a), REMOUNT_MS);
		return r < 0 ? r : a->r;
	}
	return sys_mount(v->source, "/", NULL, MS_REMOUNT | o->mount, o->data);
}

void root_make_writable(const struct volume *v, const struct mount_row *root, bool ours, bool dry)
{
	uint64_t start_ns = sys_now_ns();
	struct answer a = {0};
	struct options o;
	int r;

	options_read(v->options, &o);
	if (v->flags & VOLUME_READ_ONLY) {
		report_item(RESULT_OK, 0, 0, "/", "stays as it is: fstab says ro");
		return;
	}
	/* without a line of fstab nothing more is asked than that it can be written */
	if (as_asked(root, &o) ||
	    (!*v->options && mount_has(root->super, "rw") && mount_has(root->options, "rw"))) {
		if (report_verbose())
			report_item(RESULT_OK, 0, 0, "/", "writable already");
		return;
	}
	if (v->flags & VOLUME_ERRORS_LEFT) {
		report_item(RESULT_DEGRADED, 0, 0, "/", "stays read-only: errors are left on it");
		return;
	}
	if (dry) {
		report_item(RESULT_SKIPPED, 0, 0, "/", "would be remounted read-write");
		return;
	}
	r = remount(v, root, &o, &a);
	if (r == 0)
		report_item(RESULT_OK, 0, start_ns, "/", "remounted read-write");
	else
		report_itemf(ours ? RESULT_FAILED : RESULT_SKIPPED, -r, start_ns, "/",
			     "not remounted read-write: %s", *a.text ? a.text : err_text(-r));
}
