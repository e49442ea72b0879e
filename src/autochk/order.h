/* SPDX-License-Identifier: MIT */
/*
 * order.h - in which order volumes are mounted
 *
 * A volume comes after the one its mount point lies on, and after the one its source lies on when
 * the source is a path of the tree (a bind, an image file). Otherwise the order of fstab stays.
 */
#pragma once

#include "autochk/volume.h"

/*
 * order_below - path lies on or below directory (both absolute; "/" holds everything)
 */
bool order_below(const char *path, const char *directory);

/*
 * order_needs - v cannot be mounted before other is
 */
bool order_needs(const struct volume *v, const struct volume *other);

/*
 * order_mounts - the order to mount all volumes of the table in
 *   ret  VOLUMES_MAX indices; a ring of needs is broken at its first line
 * Returns how many indices were written: all of them.
 */
unsigned order_mounts(const struct volumes *all, unsigned ret[VOLUMES_MAX]);

/* order_checks - the same for checking: by pass (the root first), then by line. */
unsigned order_checks(const struct volumes *all, unsigned ret[VOLUMES_MAX]);
