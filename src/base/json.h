/* SPDX-License-Identifier: MIT */
/*
 * json.h - a string as JSON, for the files of the state directory that people and tools read
 *
 * Writing only: no copy of smss ever parses JSON (law 3). Pure. Format: RFC 8259.
 */
#pragma once

#include "base/text.h"

/*
 * json_string - append s as a JSON string, quotes included
 * Valid UTF-8 is kept; control characters become \u00XX, stray bytes the lone surrogate \udcXX, so
 * that every file name can be read back.
 */
struct text *json_string(struct text *t, const char *s);
