/* SPDX-License-Identifier: MIT */
/*
 * whole.c - the whole image has nothing to hand over to; see front.h
 */
#include "autochk/front.h"

void front_start(char **argv, bool whole)
{
	(void)argv;
	(void)whole;
}
