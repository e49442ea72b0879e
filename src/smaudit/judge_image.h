/* SPDX-License-Identifier: MIT */
/*
 * judge_image.h - between judge_image.c and judge_signer.c: what an image's signatures are worth
 */
#pragma once

#include "smaudit/facts.h"
#include "smaudit/report.h"

enum weight { SIGNED_WELL, SIGNED_OPEN, SIGNED_BADLY }; /* the higher the worse */

struct signature_verdict { /* of a session manager's image: rule and texts when it is not well */
	enum weight weight;
	enum indicator_id rule;
	enum severity severity;
	char what[320];
	const char *missing;
};

/* signature_weigh - is one of them the vendor's of Windows itself? Of at least one, none
 * mismatched. */
void signature_weigh(const struct image_fact *f, struct signature_verdict *ret);
/* signature_mismatched - the file is not what one of them is over. */
bool signature_mismatched(const struct image_fact *f);
/* signature_trusted - one of them is good, whoever made it, and none mismatched. */
bool signature_trusted(const struct image_fact *f);
/* signature_state_text - "trusted", "digest mismatch", ...; static. */
const char *signature_state_text(enum signature_state state);
/* is_one_of - text is one of the names, case folded; NULL is none. */
bool is_one_of(const char *text, const char *const *names, unsigned count);
