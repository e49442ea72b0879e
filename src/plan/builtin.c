/* SPDX-License-Identifier: MIT */
/*
 * builtin.c - the compiled-in minimum, see plan.h
 *
 * What boots when no hive can be read: disk check, the machine's own defaults, session 0 with a
 * rescue login as its initial command. It names nothing that an installation might lack.
 */
#include "plan/plan.h"

static const struct {
	const char *name, *text;
	uint32_t flags;
} environment[] = {
	{"Path", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 0},
	{"TEMP", "/tmp", 0},
	{"TMP", "/tmp", 0},
};

static const struct {
	const char *name, *text;
} links[] = {
	{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"}, {"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"}, {"ptmx", "pts/ptmx"},
};

int plan_builtin(void *storage, size_t cap)
{
	struct plan_builder b;
	char pool[1024];

	plan_begin(&b, PLAN_MAGIC, storage, cap, pool, sizeof(pool));
	if (b.error)
		return b.error;
	plan_settings_of(&b)->builtin = 1;
	plan_settings_of(&b)->initial_sessions = 1;
	plan_settings_of(&b)->s0_initial = plan_intern(&b, "rescue");
	plan_table_begin(&b, PLAN_BOOT_EXECUTE);
	plan_add(&b, "autochk", "autochk *", PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK, 0, 0);
	plan_table_begin(&b, PLAN_OBJECT_DIRECTORIES);
	plan_add(&b, "/run/smss/Windows", "", 0, 0, 0);
	plan_add(&b, "/run/smss/RPC Control", "", 0, 0, 0);
	plan_table_begin(&b, PLAN_DOS_DEVICES);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		plan_add(&b, links[i].name, links[i].text, 0, 0, 0);
	plan_table_begin(&b, PLAN_ENVIRONMENT);
	for (unsigned i = 0; i < sizeof(environment) / sizeof(environment[0]); i++)
		plan_add(&b, environment[i].name, environment[i].text, environment[i].flags, 0, 0);
	plan_table_begin(&b, PLAN_REQUIRED);
	plan_add(&b, "Debug", "", 0, 0, 0);
	plan_add(&b, "Windows", "csrss ObjectDirectory=\\Windows SubSystemType=Windows", 0, 0, 0);
	return plan_end(&b);
}
