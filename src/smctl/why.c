/* SPDX-License-Identifier: MIT */
/*
 * why.c - why this boot does not stand at Current: the first phases' rows, in one line
 *
 * The session manager keeps no reason beside its timeline. Each level that was tried has a row of
 * phase InitializeRegistry, the failed ones an item that says why; a level that was not begun with
 * Current was asked for by a kernel word. Text from outside is shown escaped by whoever shows it.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/words.h"
#include "smctl/smctl.h"

struct reasons {
	unsigned tried;  /* levels so far */
	bool collecting; /* the phase that is looked at was left for the next level */
	bool asked[SM_BOOT_BUILTIN + 1];
	char text[SM_BOOT_BUILTIN + 1][SM_TEXT_BYTES];
};

static bool is_bad(enum sm_result result)
{
	return result == SM_RESULT_FAILED || result == SM_RESULT_REFUSED ||
	       result == SM_RESULT_TIMEOUT || result == SM_RESULT_CRASHED;
}

/* false = the levels are behind us. */
static bool take_row(struct reasons *r, const struct sm_boot_entry *e)
{
	const bool registry = str_same(e->phase, phase_word(PHASE_REGISTRY));
	unsigned i;

	if (!registry && !str_same(e->phase, phase_word(PHASE_ENVIRONMENT)))
		return r->tried == 0 || e->kind != SM_BOOT_PHASE;
	if (e->kind == SM_BOOT_PHASE && registry && r->tried <= SM_BOOT_BUILTIN)
		r->tried++;
	if (!r->tried)
		return true;
	i = r->tried - 1;
	if (e->kind == SM_BOOT_PHASE) {
		r->asked[i] = e->result == SM_RESULT_SKIPPED;
		r->collecting = r->asked[i] || is_bad(e->result);
		if (r->collecting)
			(void)str_copy(r->text[i], sizeof(r->text[i]), e->text);
	} else if (r->collecting && e->text[0] &&
		   (is_bad(e->result) || (r->asked[i] && e->result == SM_RESULT_SKIPPED))) {
		(void)str_copy(r->text[i], sizeof(r->text[i]), e->text);
	}
	return true;
}

static bool is_used_up(const char *text)
{
	return str_starts(text, "it was rejected") || str_starts(text, "its attempts are used up");
}

void why_read(struct smctl *s, const struct sm_machine *m, struct why *ret)
{
	struct reasons r = {0};
	struct sm_boot_entry e;
	struct text t;
	uint32_t cursor = 0;

	*ret = (struct why){0};
	if (m->level == SM_BOOT_CURRENT || m->level > SM_BOOT_BUILTIN)
		return;
	while (sm_boot_next(s->c, &cursor, &e) == 1 && take_row(&r, &e))
		;
	t = TEXT_ON(ret->text);
	ret->word = m->level == SM_BOOT_BUILTIN && r.tried == 1 && !r.text[0][0];
	if (ret->word)
		text_add(&t, "asked for by the kernel word rescue or single");
	for (unsigned i = 0; !ret->word && i < m->level; i++) {
		if (!r.text[i][0])
			continue;
		text_add(&t, t.len ? "; " : "");
		if (!r.asked[i])
			text_add(&t, i == SM_BOOT_CURRENT ? "Current: " : "LastKnownGood: ");
		text_add(&t, r.text[i]);
	}
	ret->broken = r.text[0][0] && !r.asked[0] && !is_used_up(r.text[0]);
}

const char *why_safe_word(const struct sm_machine *m)
{
	return m->safe_network ? "network" : m->safe_minimal ? "minimal" : NULL;
}

void why_json(const struct why *w, const struct sm_machine *m, json_object *o)
{
	const char *safe = why_safe_word(m);

	if (w->text[0])
		json_put_text(o, "why", w->text);
	else
		json_put(o, "why", NULL);
	json_put(o, "safe_boot", safe ? json_object_new_string(safe) : NULL);
}
