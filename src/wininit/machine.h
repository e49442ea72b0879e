/* SPDX-License-Identifier: MIT */
/*
 * machine.h - wininit's first steps: the loopback and the machine's name
 *
 * What is not ours alone is left alone (pitfall 38): a name is set only in a UTS namespace of our
 * own or when we are the machine itself.
 */
#pragma once

#include "companion/companion.h"

#define MACHINE_NAME_BYTES 65u /* the kernel's 64 and a NUL */

/*
 * machine_name_check - a host name the kernel and people can use
 * Letters, digits, "-" and ".", 1 to 64 bytes, beginning and ending with a letter or digit.
 */
bool machine_name_check(const char *name);

/* machine_loopback - bring lo up; one timeline row. */
void machine_loopback(const struct companion *c);

/* machine_name - ComputerName of the plan, else /etc/hostname; one timeline row. */
void machine_name(const struct companion *c);
