/* SPDX-License-Identifier: MIT */
/*
 * mounts.c - fstab, names of devices, and mounting, by libmount; see mounts.h
 *
 * Options, tags, helpers (/sbin/mount.TYPE) and the kernel's interfaces are libmount's knowledge;
 * order, deadlines and what a failure means are not decided here.
 */
#include "autochk/mounts.h"

#include <dlfcn.h>
#include <errno.h>
#include <libmount/libmount.h>
#include <string.h>

#include "autochk/fstab.h"
#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

/* clang-format off */
#define LIBMOUNT(X) \
	X(mnt_new_table) X(mnt_unref_table) X(mnt_table_set_parser_errcb) X(mnt_table_parse_file) \
	X(mnt_new_iter) X(mnt_free_iter) X(mnt_table_next_fs) X(mnt_fs_get_source) \
	X(mnt_fs_get_target) X(mnt_fs_get_fstype) X(mnt_fs_get_options) X(mnt_fs_get_passno) \
	X(mnt_fs_is_swaparea) X(mnt_fs_is_netfs) X(mnt_resolve_spec) X(mnt_new_context) \
	X(mnt_free_context) X(mnt_context_set_source) X(mnt_context_set_target) \
	X(mnt_context_set_fstype) X(mnt_context_set_options) X(mnt_context_append_options) \
	X(mnt_context_set_optsmode) X(mnt_context_mount) X(mnt_context_get_excode)
/* clang-format on */

static struct {
#define DECLARE(name) typeof(name) *name;
	LIBMOUNT(DECLARE)
#undef DECLARE
} lib;

bool mounts_load(void)
{
	static const char *const names[] = {
#define NAME(name) #name,
		LIBMOUNT(NAME)
#undef NAME
	};
	static enum { UNKNOWN, THERE, MISSING } state;
	void *library;

	_Static_assert(sizeof(lib) == ARRAY_SIZE(names) * sizeof(void *), "one name a pointer");
	if (state != UNKNOWN)
		return state == THERE;
	state = MISSING;
	library = dlopen("libmount.so.1", RTLD_LAZY | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(names); i++) {
		void *symbol = dlsym(library, names[i]);

		if (!symbol)
			return false;
		memcpy((char *)&lib + i * sizeof(void *), &symbol, sizeof(symbol));
	}
	if (library)
		state = THERE;
	return state == THERE;
}

static void (*tell_wrong)(const char *path, int line); /* libmount hands no word of ours through */

static int on_parse_error(struct libmnt_table *table, const char *path, int line)
{
	(void)table;
	tell_wrong(path, line);
	return 1; /* leave the line out and go on */
}

static bool take(struct libmnt_fs *fs, struct volume *v)
{
	const char *source = lib.mnt_fs_get_source(fs), *type = lib.mnt_fs_get_fstype(fs);
	const char *target = lib.mnt_fs_get_target(fs), *options = lib.mnt_fs_get_options(fs);

	memset(v, 0, sizeof(*v));
	if (!target || !str_copy(v->source, sizeof(v->source), source ? source : "none") ||
	    !str_copy(v->target, sizeof(v->target), target) ||
	    !str_copy(v->type, sizeof(v->type), type ? type : "auto") ||
	    !str_copy(v->options, sizeof(v->options), options ? options : "defaults"))
		return false;
	v->pass = lib.mnt_fs_get_passno(fs);
	volume_finish(v);
	if (lib.mnt_fs_is_swaparea(fs))
		v->flags |= VOLUME_SWAP;
	if (lib.mnt_fs_is_netfs(fs))
		v->flags |= VOLUME_NETWORK;
	return true;
}

int mounts_read_fstab(const char *path, void (*on_wrong)(const char *path, int line),
		      struct volumes *ret)
{
	struct libmnt_table *table;
	struct libmnt_iter *iter;
	struct libmnt_fs *fs;
	int r;

	if (!mounts_load())
		return -ELIBACC;
	table = lib.mnt_new_table();
	iter = lib.mnt_new_iter(MNT_ITER_FORWARD);
	if (!table || !iter)
		return -ENOMEM; /* autochk has other worries then than this leak */
	tell_wrong = on_wrong;
	lib.mnt_table_set_parser_errcb(table, on_parse_error);
	r = lib.mnt_table_parse_file(table, path);
	ret->count = 0;
	ret->refused = 0;
	while (r >= 0 && lib.mnt_table_next_fs(table, iter, &fs) == 0) {
		if (ret->count == VOLUMES_MAX || !take(fs, &ret->at[ret->count]))
			ret->refused++;
		else
			ret->count++;
	}
	lib.mnt_free_iter(iter);
	lib.mnt_unref_table(table);
	return r < 0 ? r : 0;
}

int mounts_resolve(const char *source, char *ret_device, size_t cap)
{
	struct sys_stat st;
	char *found;

	if (source[0] == '/') {
		int r = sys_stat_at(AT_FDCWD, source, 0, &st);

		if (r < 0)
			return r;
		return str_copy(ret_device, cap, source) ? 0 : -ENAMETOOLONG;
	}
	if (!mounts_load())
		return -ELIBACC;
	found = lib.mnt_resolve_spec(source, NULL); /* leaked: we are in a child, or soon gone */
	if (!found || found[0] != '/')
		return -ENOENT;
	return str_copy(ret_device, cap, found) ? 0 : -ENAMETOOLONG;
}

static int do_mount(struct libmnt_context *c, const struct volume *v, bool read_only, bool remount)
{
	int r = lib.mnt_context_set_source(c, v->source);

	if (r == 0)
		r = lib.mnt_context_set_target(c, v->target);
	if (r == 0 && !str_same(v->type, "auto") && !remount)
		r = lib.mnt_context_set_fstype(c, v->type);
	if (r == 0)
		r = lib.mnt_context_set_options(c, v->options);
	if (r == 0 && remount)
		r = lib.mnt_context_append_options(c, "remount");
	if (r == 0 && read_only)
		r = lib.mnt_context_append_options(c, "ro");
	if (r == 0)
		r = lib.mnt_context_set_optsmode(c, MNT_OMODE_NOTAB); /* the line is in our hands */
	return r == 0 ? lib.mnt_context_mount(c) : r;
}

int mounts_mount(const struct volume *v, bool read_only, bool remount, char *ret_text)
{
	struct libmnt_context *c;
	int r;

	*ret_text = 0;
	if (!mounts_load())
		return -ELIBACC;
	c = lib.mnt_new_context();
	if (!c)
		return -ENOMEM;
	errno = 0;
	r = do_mount(c, v, read_only, remount);
	/* positive: a system call failed, and errno says why; or a helper's status */
	if (lib.mnt_context_get_excode(c, r, ret_text, MOUNTS_TEXT) == 0)
		*ret_text = 0;
	else if (r >= 0 || r < -4095) /* libmount has numbers of its own beyond errno */
		r = errno > 0 && r >= 0 ? -errno : -EIO;
	lib.mnt_free_context(c);
	return r;
}
