/* SPDX-License-Identifier: MIT */
/*
 * devices.h - object directories and links in /dev (NT's ObjectDirectories and DOS Devices)
 *
 * Runs in the environment copy. Makes directories and links, replaces and removes links, and never
 * touches what is not a link: /dev/ptmx of a devtmpfs is a device and stays one.
 */
#pragma once

#include "base/text.h"
#include "smss/copy.h"

/*
 * devices_object_directories - every path of ObjectDirectories, mode 0755
 * Existing directories are fine. Each failure is an item, the count is appended to t.
 */
void devices_object_directories(const struct copy *c, struct text *t);

/*
 * devices_links - every DOS Devices row below /dev
 * A link with another target is replaced in one step; an empty target removes a link.
 */
void devices_links(const struct copy *c, struct text *t);
