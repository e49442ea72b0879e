/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the loopback and the machine's name, see machine.h
 */
#include "wininit/machine.h"

#include <string.h>

#include "base/text.h"
#include "etc/lines.h"

/* The kernel's fixed inode of the first UTS namespace. */
#define UTS_NAMESPACE_INITIAL 0xEFFFFFFEu

void machine_loopback(const struct companion *c)
{
	uint64_t start = sys_now_ns();
	int r = sys_net_up("lo");

	if (r < 0)
		companion_item(c, RESULT_FAILED, -r, start, "lo", err_text(-r));
	else
		companion_item(c, RESULT_OK, 0, start, "lo", r ? "was up" : "up");
}

bool machine_name_check(const char *name)
{
	return str_is_host_name(name);
}

/* The first line of /etc/hostname that says something. */
static bool name_of_file(char *ret, size_t cap)
{
	struct lines lines;
	char *line;
	bool found = false;

	if (lines_open(&lines, "/etc/hostname") < 0)
		return false;
	while (!found && lines_next(&lines, &line) == 1) {
		line = line_trim(line);
		if (!line[0] || line[0] == '#')
			continue;
		(void)str_copy(ret, cap, line);
		found = true;
	}
	lines_shut(&lines);
	return found;
}

/* NULL = the name may be set; else why not. */
static const char *name_is_not_ours(void)
{
	struct sys_stat st;

	if (sys_in_initial_pidns() == 1)
		return NULL;
	if (sys_stat_at(AT_FDCWD, "/proc/self/ns/uts", 0, &st) < 0)
		return "left alone: cannot see whose name it is (no /proc)";
	if (st.ino == UTS_NAMESPACE_INITIAL)
		return "left alone: it is the host's";
	return NULL;
}

void machine_name(const struct companion *c)
{
	uint64_t start = sys_now_ns();
	const char *why = name_is_not_ours();
	const char *planned = plan_text(c->plan, "ComputerName", "");
	char name[MACHINE_NAME_BYTES + 1] = "";
	int r;

	if (why) {
		companion_item(c, RESULT_SKIPPED, 0, start, "ComputerName", why);
		return;
	}
	if (planned[0]) {
		(void)str_copy(name, sizeof(name), planned);
	} else if (!name_of_file(name, sizeof(name))) {
		companion_item(c, RESULT_SKIPPED, 0, start, "ComputerName",
			       "neither ComputerName nor /etc/hostname");
		return;
	}
	if (!machine_name_check(name)) {
		companion_item(c, RESULT_FAILED, 0, start, "ComputerName",
			       "not a host name; not set");
		return;
	}
	r = sys_set_hostname(name);
	if (r < 0)
		companion_item(c, RESULT_FAILED, -r, start, "ComputerName", err_text(-r));
	else
		companion_item(c, RESULT_OK, 0, start, "ComputerName", name);
}
