/* SPDX-License-Identifier: MIT */
/*
 * settings.h - what governs this run besides its command line: the plan, kernel words, namespace
 *
 * Without a plan (run by hand) the plan's defaults hold. Kernel words count only in the initial
 * pid namespace: in a container they are the host's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sha256.h"

enum fsck_mode { MODE_AUTO, MODE_SKIP, MODE_FORCE };
enum fsck_repair { REPAIR_PREEN, REPAIR_YES, REPAIR_NO };

struct settings {
	bool from_master;      /* fd 3 is a connection: items are told, nothing is asked by hand */
	bool machine;          /* the initial pid namespace: block devices are ours */
	bool skip_system;      /* AutoChkSkipSystemPartition */
	bool has_hive;         /* hive_sha256 is a hive's: requests can be told apart */
	uint32_t timeout_s;    /* AutoChkTimeOut: seconds to press a key, 0 = cannot cancel */
	uint64_t check_end_ns; /* sys_now_ns() by which every check must have ended, 0 = never */
	enum fsck_mode mode;   /* fsck.mode= */
	enum fsck_repair repair; /* fsck.repair= */
	uint8_t hive_sha256[SHA256_BYTES];
	char state[PATH_BYTES]; /* the state directory */
};

/* settings_read - from fd 3, fd 4 and /proc; a plan that cannot be read leaves the defaults. */
void settings_read(struct settings *ret);

/* settings_words - take fsck.mode=, fsck.repair=, smss.state= out of a kernel command line. */
void settings_words(char *line, struct settings *s);
