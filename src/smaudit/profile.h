/* SPDX-License-Identifier: MIT */
/*
 * profile.h - `smaudit profile NAME FILE...`: what evidence of many machines says of one image
 *
 * Identity, versions and sizes with their share, signer, where and as whom it runs, parents and
 * children, indicators hit, first and last seen, machines. A share is of those records that could
 * tell; what no source could tell is "not observed".
 */
#pragma once

#include "smaudit/facts.h"
#include "smaudit/report.h"

enum profile_format { PROFILE_TEXT, PROFILE_JSON, PROFILE_HTML };

struct profile; /* opaque; bounded: the most frequent values of each field, the rest is counted */

/* profile_new, _free - name: a base name, "smss.exe" or "smss"; it matches whole, case folded. */
struct profile *profile_new(const char *name);
void profile_free(struct profile *p);
/* profile_sink - feed it with any reader's facts, or with this program's own NDJSON. */
struct sink profile_sink(struct profile *p);
/* profile_finding - one of this run: counts for its indicator when it is about the name; what its
 * evidence says was told by a fact already. */
void profile_finding(struct profile *p, const struct finding *f);
/* read_ndjson - this program's own findings (report_ndjson.c), of many machines, into a profile.
 * Returns 0 or -errno, which was told as trouble. */
int read_ndjson(const char *path, struct profile *p, const struct sink *to);
/* profile_any - something was told of the name. */
bool profile_any(const struct profile *p);
/* profile_other - names that were told of instead: like it first, a few; NULL = no more. */
const char *profile_other(const struct profile *p, unsigned n);
/* profile_print - the page. Returns 0 or -EIO when it could not be written. */
int profile_print(struct profile *p, FILE *to, enum profile_format format);
