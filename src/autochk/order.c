/* SPDX-License-Identifier: MIT */
/*
 * order.c - in which order volumes are checked and mounted; see order.h
 *
 * Pure.
 */
#include "autochk/order.h"

#include <string.h>

#include "base/text.h"

bool order_below(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	while (n && directory[n - 1] == '/')
		n--;
	return !strncmp(path, directory, n) && (path[n] == 0 || path[n] == '/');
}

static bool source_in_tree(const struct volume *v)
{
	/* devices are not below a mounted volume, whatever is mounted on /dev */
	return v->source[0] == '/' &&
	       (v->flags & VOLUME_BIND || strncmp(v->source, "/dev/", 5) != 0);
}

bool order_needs(const struct volume *v, const struct volume *other)
{
	if (other->flags & (VOLUME_SWAP | VOLUME_NAMED) || v == other)
		return false;
	if (order_below(v->target, other->target) && !order_below(other->target, v->target))
		return true;
	/* the same mount point twice: the later line lies over the earlier one */
	if (str_same(v->target, other->target))
		return v > other;
	return source_in_tree(v) && order_below(v->source, other->target);
}

static bool ready(const struct volumes *all, unsigned i, const bool placed[VOLUMES_MAX])
{
	for (unsigned k = 0; k < all->count; k++) {
		if (!placed[k] && order_needs(&all->at[i], &all->at[k]))
			return false;
	}
	return true;
}

unsigned order_mounts(const struct volumes *all, unsigned ret[VOLUMES_MAX])
{
	bool placed[VOLUMES_MAX] = {0};
	unsigned n = 0;

	while (n < all->count) {
		unsigned take = VOLUMES_MAX;

		for (unsigned i = 0; i < all->count && take == VOLUMES_MAX; i++) {
			if (!placed[i] && ready(all, i, placed))
				take = i;
		}
		for (unsigned i = 0; i < all->count && take == VOLUMES_MAX; i++) {
			if (!placed[i])
				take = i;
		}
		placed[take] = true;
		ret[n++] = take;
	}
	return n;
}

static unsigned rank(const struct volume *v)
{
	if (v->flags & VOLUME_ROOT)
		return 0;
	return v->pass > 0 ? (unsigned)v->pass : 1000;
}

unsigned order_checks(const struct volumes *all, unsigned ret[VOLUMES_MAX])
{
	for (unsigned i = 0; i < all->count; i++) {
		unsigned k = i;

		for (; k && rank(&all->at[ret[k - 1]]) > rank(&all->at[i]); k--)
			ret[k] = ret[k - 1];
		ret[k] = i;
	}
	return all->count;
}
