/* SPDX-License-Identifier: MIT */
/*
 * front.h - two images of one program: the front, and the whole
 *
 * `autochk` is the front: static, for the usual boot (a plain fstab, an ext root), where loading a
 * C library, libmount and libblkid would cost several times all the rest. When it meets something
 * that it cannot do it becomes `autochk-full`, the same program with both libraries, in place:
 * same pid, arguments and connection. It does so before it has changed anything.
 * front.c is linked into the front in place of mounts.c and probe.c, whole.c into the other one.
 */
#pragma once

#include <stdbool.h>

/*
 * front_start - first of all: the arguments to go on with
 *   whole  it is known from the arguments that the front will not do: become the whole now
 * In the whole image it does nothing.
 */
void front_start(char **argv, bool whole);
