/* SPDX-License-Identifier: MIT */
/*
 * pending_why.c - smctl pending: why a group is as it is, and which other group has to do with it
 */
#include <string.h>

#include "smctl/pending.h"

#define TEXT_ROOM 8400u
#define UNDOS_MAX 4096u

const char *groups_why_text(const struct groups_why *why)
{
	static char room[TEXT_ROOM];
	char operation[48] = "";

	if (why->operation != SM_NO_OPERATION && why->of)
		(void)snprintf(operation, sizeof(operation),
			       "operation %u of group %u: ", why->operation + 1, why->of);
	else if (why->operation != SM_NO_OPERATION)
		(void)snprintf(operation, sizeof(operation), "operation %u: ", why->operation + 1);
	(void)snprintf(room, sizeof(room), "%s%s%s%s", operation, show_text(why->path),
		       why->path[0] ? ": " : "", sm_reason_text(why->reason));
	return room;
}

const char *groups_first_text(struct pending *p, const struct sm_problem *problem)
{
	static char room[SM_GROUP_NAME_BYTES * 4 + 32];
	uint32_t cursor = problem->group - 1;
	struct sm_group_row row;

	if (!problem->group || strncmp(sm_reason_word(problem->reason), "earlier", 7) != 0 ||
	    sm_group_next(p->q, &cursor, &row) <= 0)
		return "";
	(void)snprintf(room, sizeof(room), "group %u%s%s%s: ", row.group, row.name[0] ? " (" : "",
		       show_text(row.name), row.name[0] ? ")" : "");
	return room;
}

bool groups_undone(struct pending *p, uint32_t group)
{
	static uint32_t undone[UNDOS_MAX];
	static size_t count;
	static bool known; /* the queue is gone through once for all of a report */
	struct sm_group_row row;
	uint32_t cursor = 0;

	while (!known && count < UNDOS_MAX && sm_group_next(p->q, &cursor, &row) > 0)
		if (row.of && row.state != SM_GROUP_QUEUED && row.state != SM_GROUP_CANCELLED &&
		    row.state != SM_GROUP_REFUSED)
			undone[count++] = row.of;
	known = true;
	for (size_t i = 0; i < count; i++)
		if (undone[i] == group)
			return true;
	return false;
}
