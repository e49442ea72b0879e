/* SPDX-License-Identifier: MIT */
/*
 * options.h - the options field of a line of fstab
 *
 * Two questions are answered: what the words mean to autochk (noauto, nofail, ...), and whether
 * the whole field is plain, that is: can be given to mount(2) as it is, so that libmount need not
 * be loaded for it. An unknown word is never guessed at: it only makes the field not plain.
 */
#pragma once

#include <stdbool.h>

#include "autochk/volume.h"

struct options {
	unsigned flags;      /* VOLUME_NOAUTO, NOFAIL, NETWORK, BIND, READ_ONLY, MAKE_TARGET */
	unsigned long mount; /* MS_* for mount(2) */
	bool plain;          /* mount and data say all of it */
	char data[VOLUME_OPTIONS]; /* for the file system itself, joined by commas */
};

/*
 * options_read - what an options field says
 *   field  NUL-terminated, e.g. "defaults,noatime,errors=remount-ro"; shorter than VOLUME_OPTIONS
 * Later words win over earlier ones, as mount(8) has it. Never fails. Source: mount(8), fstab(5).
 */
void options_read(const char *field, struct options *ret);

/*
 * options_network_type - a file system type that needs the network before it can be mounted
 */
bool options_network_type(const char *type);
