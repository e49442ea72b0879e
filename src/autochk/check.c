/* SPDX-License-Identifier: MIT */
/*
 * check.c - run fsck.TYPE on one volume; see check.h
 *
 * Never mounts and never decides whether to check: the caller has.
 */
#include "autochk/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "autochk/progress.h"
#include "autochk/report.h"
#include "autochk/run.h"
#include "base/bytes.h"
#include "base/limits.h"
#include "sys/sys.h"

#define ARGS 10u

/* clang-format off */
static const struct dialect {
	const char *type;
	const char *preen, *yes, *no;
	const char *force, *surface, *progress; /* NULL = has none */
} dialects[] = {
	{ "ext2", "-p", "-y", "-n", "-f", "-c", "-C3" },
	{ "ext3", "-p", "-y", "-n", "-f", "-c", "-C3" },
	{ "ext4", "-p", "-y", "-n", "-f", "-c", "-C3" },
	{ "vfat", "-a", "-y", "-n", NULL, "-t", NULL },
	{ "",     "-a", "-y", "-n", NULL, NULL, NULL }, /* what most fsck programs agree on */
};
/* clang-format on */

struct state {
	const struct check *check;
	unsigned first, last; /* passes seen */
	char said[200];       /* its last line */
	int status;
	struct run_end end;
};

static const struct dialect *dialect_of(const char *type)
{
	size_t i = 0;

	while (*dialects[i].type && !str_same(dialects[i].type, type))
		i++;
	return &dialects[i];
}

static bool find(const char *type, char *path, size_t cap)
{
	static const char *const directories[] = {"/usr/sbin", "/sbin", "/usr/bin", "/bin"};

	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		struct text t = text_start(path, cap);

		text_add(text_add(text_add(&t, directories[i]), "/fsck."), type);
		if (!t.cut && !strchr(type, '/') && sys_access(AT_FDCWD, path, X_OK) >= 0)
			return true;
	}
	return false;
}

static void saw_pass(struct state *s, unsigned pass)
{
	if (!s->first || pass < s->first)
		s->first = pass;
	if (pass > s->last)
		s->last = pass;
}

static void on_line(void *who, const char *line)
{
	struct state *s = who;
	unsigned pass = progress_pass(line);
	size_t n = strlen(s->check->device);

	/* e2fsck puts the device before most lines, and so does report_line */
	if (!strncmp(line, s->check->device, n) && str_starts(line + n, ": "))
		line += n + 2;
	if (pass)
		saw_pass(s, pass);
	str_copy(s->said, sizeof(s->said), line);
	report_line(s->check->name, line);
}

static void on_progress(void *who, const char *line)
{
	struct state *s = who;
	unsigned pass;
	int percent = progress_percent(line, &pass);

	if (percent < 0)
		return;
	saw_pass(s, pass);
	report_progress(s->check->name, percent, pass);
}

int check_bits(const char *type, int status)
{
	if (!str_same(type, "vfat"))
		return status;
	return status == 2 ? FSCK_USAGE : status; /* fsck.fat(8): 1 repaired, 2 wrong usage */
}

void check_words(int bits, struct text *t)
{
	static const struct {
		int bit;
		const char *words;
	} table[] = {
		{FSCK_FIXED, "errors fixed"},           {FSCK_REBOOT, "reboot needed"},
		{FSCK_ERRORS_LEFT, "errors left"},      {FSCK_OPERATIONAL, "could not do its work"},
		{FSCK_USAGE, "called wrongly"},         {FSCK_CANCELLED, "cancelled"},
		{FSCK_LIBRARY, "a library is missing"},
	};
	const char *comma = "";

	if (bits == 0)
		text_add(t, "clean");
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		if (!(bits & table[i].bit))
			continue;
		text_add(text_add(t, comma), table[i].words);
		comma = ", ";
	}
	if (bits && !*comma)
		text_add(t, "unknown status");
	text_add(text_i64(text_add(t, " ("), bits), ")");
}

/* One run. Returns the option that says how it repairs, NULL when it could not be started. */
static const char *run_once(struct state *s, const char *path, enum fsck_repair repair)
{
	const struct check *c = s->check;
	const struct dialect *d = dialect_of(c->type);
	const char *how = repair == REPAIR_NO ? d->no : repair == REPAIR_YES ? d->yes : d->preen;
	const char *argv[ARGS];
	unsigned n = 0;
	struct run_program p = {.path = path,
				.end_ns = c->end_ns,
				.line = on_line,
				.progress = on_progress,
				.who = s};

	argv[n++] = strrchr(path, '/') + 1;
	argv[n++] = how;
	if (c->forced && d->force)
		argv[n++] = d->force;
	if (c->surface && d->surface && repair != REPAIR_NO)
		argv[n++] = d->surface;
	if (d->progress)
		argv[n++] = d->progress;
	argv[n++] = c->device;
	argv[n] = NULL;
	p.argv = (char *const *)argv;
	if (run_program(&p, &s->end) < 0)
		return NULL;
	report_progress(c->name, -1, 0);
	s->status = s->end.signalled || s->end.timed_out ? 0 : check_bits(c->type, s->end.status);
	return how;
}

static void say(const struct state *s, enum result result, uint64_t start_ns, const char *how,
		const char *again)
{
	const struct check *c = s->check;
	char room[TEXT_BYTES * 2];
	struct text t = TEXT_ON(room);

	text_add(text_add(text_add(&t, c->type), ", "), c->why);
	text_add(text_add(text_add(text_add(&t, ": fsck."), c->type), " "), how);
	if (again)
		text_add(text_add(&t, " then "), again);
	if (s->last) {
		text_u64(text_add(&t, s->first == s->last ? ", pass " : ", passes "), s->first);
		if (s->first != s->last)
			text_u64(text_add(&t, "-"), s->last);
	}
	text_add(&t, ": ");
	if (s->end.timed_out)
		text_add(&t, "not finished at its deadline, killed");
	else if (s->end.signalled)
		text_i64(text_add(&t, "died of signal "), s->end.status);
	else
		check_words(s->status, &t);
	if (result == RESULT_FAILED && *s->said)
		text_add(text_add(&t, "; "), s->said);
	report_item(result, s->end.signalled ? s->end.status : s->status, start_ns, c->name, room);
}

static enum check_answer judge(const struct state *s, enum result *ret)
{
	if (s->end.timed_out || s->end.signalled) {
		*ret = s->end.timed_out ? RESULT_TIMEOUT : RESULT_CRASHED;
		return CHECK_LEFT;
	}
	if (s->status & FSCK_CANCELLED && !(s->status & FSCK_ERRORS_LEFT)) {
		*ret = RESULT_SKIPPED;
		return CHECK_CANCELLED;
	}
	if (s->status & ~(FSCK_FIXED | FSCK_REBOOT)) {
		*ret = RESULT_FAILED;
		return CHECK_LEFT;
	}
	*ret = RESULT_OK;
	return s->status & FSCK_REBOOT ? CHECK_REBOOT : CHECK_WELL;
}

enum check_answer check_run(const struct check *c)
{
	struct state s = {.check = c};
	uint64_t start_ns = sys_now_ns();
	const char *how, *again = NULL;
	enum check_answer answer;
	enum result result;
	char path[64];

	if (!find(c->type, path, sizeof(path))) {
		report_itemf(RESULT_FAILED, 0, 0, c->name, "%s, %s: there is no fsck.%s here",
			     c->type, c->why, c->type);
		return CHECK_MISSING;
	}
	how = run_once(&s, path, c->repair);
	if (how && c->repair == REPAIR_PREEN && s.status & FSCK_ERRORS_LEFT) {
		int first = s.status & (FSCK_FIXED | FSCK_REBOOT);

		again = run_once(&s, path, REPAIR_YES);
		s.status |= again ? first : 0;
	}
	if (!how) {
		report_itemf(RESULT_FAILED, 0, 0, c->name, "%s, %s: %s could not be started",
			     c->type, c->why, path);
		return CHECK_LEFT;
	}
	answer = judge(&s, &result);
	say(&s, result, start_ns, how, again);
	return answer;
}
