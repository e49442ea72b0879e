/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what the boot roles share among themselves
 *
 * Small rules that must be the same everywhere: whom a file must belong to before a boot believes
 * it, how a file is published below /run/smss, how a line is filed for good. Never in the
 * master: only copies link through here. Rules: design §4, law 11 and 12.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "smss/copy.h"
#include "sys/sys.h"

#define MIB (1024u * 1024u)

/*
 * boot_owned - only root can write what this stat is of
 * Inside a user namespace that does not map every user, files of the machine's root appear as the
 * overflow user; there its files count as root's, since nobody of the namespace can write them.
 */
bool boot_owned(const struct sys_stat *st);

/*
 * boot_publish - a small file below /run/smss, whole or not at all
 *   name   plain name; the old file, if any, is replaced. Mode 0644. Not durable: /run is memory.
 * Returns 0 or -errno.
 */
int boot_publish(const char *name, const void *bytes, size_t n);

/*
 * boot_append_line - a line at the end of a file of the state directory, durable on return
 *   dir    the state directory;  name  plain name, made with mode 0600 when missing
 * Returns 0 or -errno.
 */
int boot_append_line(int dir, const char *name, const char *lines, size_t n);

/*
 * boot_say - copy_item with a remark of two or three parts and an errno
 *   err  positive errno or 0; its text is put behind the remark
 */
void boot_say(const struct copy *c, enum result result, int err, const char *name,
	      const char *remark);
