/* SPDX-License-Identifier: MIT */
/*
 * judge_renames.c - what the next boot renames and deletes, judged by what it touches
 *
 * Most machines have such entries, and most are leftovers of installers: that they are there says
 * nothing. What counts is a protected path that is replaced, moved away or deleted, or a file that
 * anybody may have put there becoming one of the system's. Strings are paired by length: empty ones
 * are data. Where the pairing is in doubt, every string is judged as if it were what goes away.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/tree.h"
#include "smaudit/judge_registry.h"
#include "smaudit/rules.h"

struct queue { /* one value */
	struct registry_judge *j;
	const struct registry_fact *f;
	uint64_t noted, noted_deletes, told, odd;
};

enum operation { OPERATION_DELETE, OPERATION_REPLACE, OPERATION_RENAME, OPERATION_TARGET };

static const char *const operation_words[] = {
	[OPERATION_DELETE] = "delete",
	[OPERATION_REPLACE] = "replace",
	[OPERATION_RENAME] = "rename",
	[OPERATION_TARGET] = "unclear",
};

/* Passes over "*1" and one of "!@"; *ret_mark: which. */
static const char *bare(const char *s, char *ret_mark)
{
	*ret_mark = 0;
	if (*s == '*' && s[1] >= '0' && s[1] <= '9')
		for (s++; *s >= '0' && *s <= '9'; s++)
			;
	if (*s == '!' || *s == '@')
		*ret_mark = *s++;
	return s;
}

struct pair {
	const char *source, *target; /* bare; target "" = deleted */
	enum operation operation;
};

/* ---- judging one ---- */

struct judged {
	struct guarded what;
	const char *say;
	bool removes; /* it is gone afterwards, and nothing stands in its place */
};

static bool grave(const struct guarded *g)
{
	return g->guard > GUARD_WIDE;
}

/* What installers leave for the next boot, where it lies and under which name. */
static bool leftover(const struct pair *p, const struct guarded *from, const struct guarded *to)
{
	if (!path_leftover(p->source) || from->guard == GUARD_LOGS)
		return false;
	if (!*p->target)
		return true;
	return to->guard == GUARD_CORE && path_same_directory(p->source, p->target);
}

static bool judge_pair(const struct pair *p, struct judged *ret)
{
	const struct guarded from = guarded_path(p->source), to = guarded_path(p->target);
	/* deleting a directory that holds something does nothing */
	const bool away = grave(&from) && !(from.above && !*p->target);
	const bool onto = *p->target && grave(&to) && (!to.above || to.directory);

	*ret = (struct judged){.what = to};
	if (leftover(p, &from, &to))
		return false;
	if (onto && !(to.unsure && away && !from.unsure)) {
		ret->say = to.directory ? "the next boot puts another directory in the place of "
					  "one of the system's"
					: "the next boot puts another file in the place of a "
					  "protected one";
		return true;
	}
	if (away && !path_leftover(p->source)) {
		*ret = (struct judged){.what = from, .removes = true};
		ret->say = from.directory ? "the next boot moves a directory of the system away"
			   : *p->target   ? "the next boot moves a protected file away"
					  : "the next boot deletes a protected file";
		return true;
	}
	if (*p->target && to.guard == GUARD_WIDE && path_user_writable(p->source)) {
		ret->say = "the next boot makes a file that any user may have written one of the "
			   "system's";
		return true;
	}
	return false;
}

/* ---- telling ---- */

static void tell_pair(struct queue *q, const struct pair *p, const struct judged *what)
{
	char subject[REGISTRY_SUBJECT_BYTES], source[REGISTRY_TEXT_BYTES],
		target[REGISTRY_TEXT_BYTES];
	struct finding x;

	if (q->told++ >= REGISTRY_TOLD_MAX)
		return;
	text_shown(p->source, source);
	text_shown(p->target, target);
	snprintf(subject, sizeof(subject), "%s\\%s %s \"%.250s\" \"%.250s\"", q->f->key, q->f->name,
		 operation_words[p->operation], source, target);
	x = registry_finding(q->f, INDICATOR_PENDING_RENAME,
			     what->what.directory ? SEVERITY_HIGH : SEVERITY_MEDIUM, subject);
	x.what = what->say;
	finding_add(&x, "operation", operation_words[p->operation]);
	finding_add(&x, "source", source);
	finding_add(&x, "target", *target ? target : NULL);
	finding_add(&x, "protected", what->what.why);
	if (path_user_writable(p->source) && *p->target)
		finding_add(&x, "source-writable-by", "any user");
	x.technique = what->removes ? "T1070.004" : "T1547";
	if (what->what.unsure) {
		x.verdict = VERDICT_INDETERMINATE;
		x.what = "a short (8.3) name in the path may stand for a protected one";
		x.missing = "the long name of an 8.3 component";
	}
	registry_tell(q->j, q->f, &x);
}

static void tell_value(struct queue *q, enum severity severity, const char *about, const char *what,
		       uint64_t count)
{
	char subject[REGISTRY_SUBJECT_BYTES], number[32];
	struct finding x;

	snprintf(subject, sizeof(subject), "%s\\%s %s", q->f->key, q->f->name, about);
	x = registry_finding(q->f, INDICATOR_PENDING_RENAME, severity, subject);
	x.what = what;
	snprintf(number, sizeof(number), "%" PRIu64, count);
	finding_add(&x, "operations", number);
	if (q->noted_deletes) {
		snprintf(number, sizeof(number), "%" PRIu64, q->noted_deletes);
		finding_add(&x, "deletions", number);
	}
	registry_tell(q->j, q->f, &x);
}

/* ---- a value ---- */

/* A string whose part in a pair is in doubt. */
static void lone_string(struct queue *q, const char *s)
{
	struct pair p = {.target = "", .operation = OPERATION_TARGET};
	struct judged what;
	char mark;

	p.source = bare(s, &mark);
	if (!*p.source || !judge_pair(&p, &what))
		return;
	what.say = "a protected path stands among strings whose pairs are out of step";
	tell_pair(q, &p, &what);
}

static void one_pair(struct queue *q, const char *source, const char *target)
{
	struct pair p;
	struct judged what;
	char mark, own;

	p.source = bare(source, &own);
	p.target = bare(target, &mark);
	if (!*source && !*target)
		return;
	if (!*p.source || own == '!' || (own == '@' && *target)) {
		q->odd++;
		lone_string(q, source);
		lone_string(q, target);
		return;
	}
	p.operation = !*p.target ? OPERATION_DELETE : mark ? OPERATION_REPLACE : OPERATION_RENAME;
	if (judge_pair(&p, &what)) {
		tell_pair(q, &p, &what);
		return;
	}
	q->noted++;
	q->noted_deletes += p.operation == OPERATION_DELETE;
}

/*
 * Pairs by length. The list's own terminator is one string more, and may be missing; a last source
 * without its target counts as deleted, which is the worst that it can mean.
 */
static void walk_pairs(struct queue *q)
{
	struct strings a = strings_start(q->f->data, q->f->bytes), b;
	bool last_empty;
	const size_t count = strings_count(&a, &last_empty);
	const bool odd = count % 2 && !last_empty;

	b = a;
	for (size_t i = 0; i + 1 < count; i += 2) {
		(void)strings_next(&a);
		b.at = a.at;
		(void)strings_next(&b);
		a.at = b.at;
		one_pair(q, a.text, b.text);
	}
	if (odd && strings_next(&a)) {
		q->odd++;
		one_pair(q, a.text, "");
	}
	strings_end(&a);
	strings_end(&b);
}

/* Once a pair is out of step, all that follows may be, the other way round. */
static void walk_strings(struct queue *q)
{
	struct strings s = strings_start(q->f->data, q->f->bytes);

	while (strings_next(&s))
		lone_string(q, s.text);
	strings_end(&s);
}

static void walk_deletes(struct queue *q)
{
	struct strings s = strings_start(q->f->data, q->f->bytes);

	while (strings_next(&s))
		if (s.text[0])
			one_pair(q, s.text, "");
	strings_end(&s);
}

static void sum_up(struct queue *q)
{
	if (q->told > REGISTRY_TOLD_MAX)
		tell_value(q, SEVERITY_MEDIUM, "more",
			   "more operations like these are not told one by one",
			   q->told - REGISTRY_TOLD_MAX);
	if (q->odd)
		tell_value(q, SEVERITY_INFO, "out of step",
			   "the strings do not pair: a source or a target is missing", q->odd);
	if (q->noted)
		tell_value(q, SEVERITY_INFO, "noted",
			   "renames and deletions for the next boot, none of a protected path",
			   q->noted);
}

static bool is_text(uint32_t type)
{
	return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

bool judge_renames(struct registry_judge *j, const struct registry_fact *f)
{
	struct queue q = {.j = j, .f = f};

	if (f->about == REGISTRY_FILE_RENAMES) {
		if (!is_text(f->type))
			return true;
		walk_deletes(&q);
	} else if (same_word(f->name, "AllowProtectedRenames")) {
		if (f->type == REG_DWORD && f->bytes == 4 && memcmp(f->data, "\0\0\0\0", 4) != 0)
			tell_value(&q, SEVERITY_INFO, "set",
				   "the next boot may rename protected files, too", 0);
		return true;
	} else if (same_word(f->name, "PendingFileRenameOperations") ||
		   same_word(f->name, "PendingFileRenameOperations2")) {
		if (f->type != REG_MULTI_SZ && f->bytes)
			tell_value(&q, SEVERITY_INFO, "type",
				   "the value has a type that Windows never gives it", 0);
		walk_pairs(&q);
		if (q.odd && !q.told)
			walk_strings(&q);
	} else {
		return false;
	}
	sum_up(&q);
	return true;
}
