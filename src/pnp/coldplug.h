/* SPDX-License-Identifier: MIT */
/*
 * coldplug.h - the distribution's device manager is started and told of what is there already
 */
#pragma once

#include "companion/companion.h"

enum coldplug {
	COLDPLUG_NONE, /* neither udev nor mdev: devtmpfs makes the nodes, nobody makes links */
	COLDPLUG_UDEV,
	COLDPLUG_MDEV,
};

/*
 * coldplug_run - start it, feed it, wait until it has settled, up to until_ns
 *   ret_ok  all of it worked
 * One timeline row. Returns who serves.
 */
enum coldplug coldplug_run(const struct companion *c, uint64_t until_ns, bool *ret_ok);
