/* SPDX-License-Identifier: MIT */
/*
 * hive_logs.h - the transaction logs that a person names for a hive
 *
 * They come instead of those beside it; the replay knows them by content. They are only read.
 */
#pragma once

#include "base/text.h"
#include "registry/hive.h"
#include "smaudit/facts.h"

/*
 * hive_logs_take - open each into its place of a source
 *   to         is told of one that cannot be read, is no log, or is one too many: an input error
 *   ret_names  by place, as they were given; the rest is left alone
 */
void hive_logs_take(const char *const *logs, unsigned count, const struct sink *to,
		    struct hive_source *s, const char *ret_names[HIVE_LOGS]);

/*
 * hive_logs_say - of a hive that was not written whole: which log was applied, or is missing
 *   hive   its path; names as hive_logs_take left them, NULL = beside the hive
 * Adds nothing for a clean one.
 */
void hive_logs_say(const struct hive_facts *f, const char *hive, const char *const names[HIVE_LOGS],
		   struct text *t);
