/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - what the files about sessions share: reading what is asked for, and what is in force
 *
 * A session's settings are read twice: from the command line, to ask for them, and from the kernel,
 * to show what came of it.
 */
#pragma once

#include "smctl/smctl.h"

/* ---- asking (session_options.c) ---- */

/*
 * session_new_options - the options of `session new`, up to its command
 *   argc, argv  argv[0] is the verb's last word
 *   ret         begun here; what it points to is argv's
 *   ret_words   index of the first word of the command; argc if there is none
 * Returns 0, or the exit status + 1 when the run is over.
 */
int session_new_options(struct smctl *s, int argc, char **argv, struct sm_session_want *ret,
			int *ret_words);

/*
 * session_limits_options - the options of `session limits`, before or after its number
 *   ret         0 = leave as it is
 *   ret_number  the word that is no option; NULL = there is none, or more than one
 * Returns as session_new_options.
 */
int session_limits_options(struct smctl *s, int argc, char **argv, struct sm_session_change *ret,
			   const char **ret_number);

/* ---- words of rows (sessions.c) ---- */

/* show_retry - "in 3.2 s", or "now" when that time is over */
const char *show_retry(uint64_t retry_ns, uint64_t now_ns);

/* idle_is_watched - its initial command is winlogon: nobody else looks whether somebody types */
bool idle_is_watched(const struct sm_session *row);

/* ---- what is in force (limits.c) ---- */

#define LIMITS_DISKS 16u

struct disk_limit {
	char disk[24]; /* major:minor */
	uint64_t read_bytes_s, write_bytes_s;
};

/* From the files of a session's cgroup; UINT64_MAX = no limit. */
struct limits {
	bool memory, processes, cpu, io; /* its controller is there */
	uint64_t memory_bytes, memory_max;
	uint64_t process_count, process_max;
	uint64_t cpu_percent, cpu_weight;
	uint64_t io_weight; /* 0 = it cannot be told */
	struct disk_limit disk[LIMITS_DISKS];
	unsigned disks;
};

/* limits_read - what the cgroup at this open directory is held to; what cannot be read is not there
 */
void limits_read(int directory, struct limits *ret);

/* limits_json, limits_show - the same for programs and for people */
json_object *limits_json(const struct limits *l);
void limits_show(const struct limits *l);

/*
 * limits_find - open the cgroup of a session by one of its processes
 *   ret_path  where it is, for people
 * Returns the directory, -ENOENT (it has none of its own), or -errno.
 */
int limits_find(uint32_t session, int pid, char *ret_path, size_t cap);
