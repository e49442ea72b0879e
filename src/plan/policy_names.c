/* SPDX-License-Identifier: MIT */
/*
 * policy_names.c - names of capabilities, for tools; see policy.h
 *
 * In a file of its own: no program of a session's set-up needs them. The numbers are the kernel's
 * (capabilities(7)), which never change; a name that a later kernel adds is not known here.
 */
#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"

static const char *const capabilities[] = {
	"chown",
	"dac_override",
	"dac_read_search",
	"fowner",
	"fsetid",
	"kill",
	"setgid",
	"setuid",
	"setpcap",
	"linux_immutable",
	"net_bind_service",
	"net_broadcast",
	"net_admin",
	"net_raw",
	"ipc_lock",
	"ipc_owner",
	"sys_module",
	"sys_rawio",
	"sys_chroot",
	"sys_ptrace",
	"sys_pacct",
	"sys_admin",
	"sys_boot",
	"sys_nice",
	"sys_resource",
	"sys_time",
	"sys_tty_config",
	"mknod",
	"lease",
	"audit_write",
	"audit_control",
	"setfcap",
	"mac_override",
	"mac_admin",
	"syslog",
	"wake_alarm",
	"block_suspend",
	"audit_read",
	"perfmon",
	"bpf",
	"checkpoint_restore",
};

int policy_capability(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (str_same_fold(capabilities[i], name))
			return (int)i;
	return -ENOENT;
}

const char *policy_capability_name(unsigned number)
{
	return number < ARRAY_SIZE(capabilities) ? capabilities[number] : NULL;
}
