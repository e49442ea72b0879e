/* SPDX-License-Identifier: MIT */
/*
 * idle.c - how long nobody has typed, see idle.h
 */
#include "winlogon/idle.h"

#define NS_PER_S 1000000000ll

static void look(struct idle *i, const struct idle_now *now)
{
	i->read_s = now->read_s;
	i->offset_s = now->wall_s - (int64_t)(now->boot_ns / NS_PER_S);
	i->looked_ns = now->boot_ns;
}

/* Seconds since the last key that this moment can stand for; negative: one may come unseen. */
static int64_t least_age_s(const struct idle_now *now)
{
	int64_t end_s = (now->read_s | (IDLE_GRAIN_S - 1)) + 1;
	int64_t age_s = now->wall_s - end_s;

	return age_s < -IDLE_GRAIN_S ? -IDLE_GRAIN_S : age_s;
}

void idle_begin(struct idle *i, uint32_t limit_s, const struct idle_now *now)
{
	int64_t age_s = least_age_s(now);

	*i = (struct idle){.limit_s = limit_s < IDLE_MOST_S ? limit_s : IDLE_MOST_S};
	look(i, now);
	i->due_ns = now->boot_ns + (uint64_t)((age_s < 0 ? -age_s : 0) + i->limit_s) * NS_PER_S;
}

bool idle_is_over(struct idle *i, const struct idle_now *now)
{
	int64_t step_s = now->wall_s - (int64_t)(now->boot_ns / NS_PER_S) - i->offset_s;
	int64_t most_ns = (int64_t)(now->boot_ns - i->looked_ns);
	int64_t age_ns = least_age_s(now) * NS_PER_S;

	if (now->read_s != i->read_s || step_s < -1 || step_s > 1) {
		if (step_s < -1 || step_s > 1)
			age_ns = -IDLE_GRAIN_S * NS_PER_S;
		if (age_ns > most_ns)
			age_ns = most_ns; /* it was later than our last look, whatever the clock
					     says */
		i->due_ns = now->boot_ns + (uint64_t)(i->limit_s * NS_PER_S - age_ns);
	}
	look(i, now);
	return now->boot_ns >= i->due_ns;
}
