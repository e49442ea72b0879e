/* SPDX-License-Identifier: MIT */
/*
 * facts.c - facts of which nothing is known yet
 *
 * A reader starts from these, so that a field it forgets is "not told" and never zero.
 */
#include "smaudit/facts.h"

struct process_fact process_fact_none(void)
{
	return (struct process_fact){
		.time_ns = NO_TIME,
		.logged_ns = NO_TIME,
		.started_ns = NO_TIME,
		.ended_ns = NO_TIME,
		.pid = NO_PID,
		.ppid = NO_PID,
		.session = NO_NUMBER,
		.threads = NO_NUMBER,
	};
}

struct image_fact image_fact_none(void)
{
	struct image_fact f = {.format = IMAGE_UNKNOWN};

	for (unsigned i = 0; i < IMAGE_SIGNATURES_MAX; i++)
		f.signature[i].stamped_ns = NO_TIME;
	return f;
}
