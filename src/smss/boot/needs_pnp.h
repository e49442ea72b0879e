/* SPDX-License-Identifier: MIT */
/*
 * needs_pnp.h - whether SerializeBoot has anything to wait for
 *
 * On a machine without udev and mdev, without modules to load and without further devices in fstab,
 * pnp would only look and exit; the environment copy looks for it, and no process is started.
 */
#pragma once

#include <stdbool.h>

#include "smss/copy.h"

/*
 * needs_pnp - pnp has work here
 * When not, ret->text says why. Cheap, and on the safe side: what it cannot read it calls work.
 */
bool needs_pnp(const struct copy *c, struct sm_env_ready *ret);
