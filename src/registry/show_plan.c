/* SPDX-License-Identifier: MIT */
/*
 * show_plan.c - a plan in words, phase by phase; see show.h
 *
 * Reads the finished plan and nothing else: what is told is what the boot will read.
 */
#include <inttypes.h>
#include <string.h>

#include "base/words.h"
#include "registry/plan_make.h"
#include "registry/show.h"

static const char *str(const struct plan_header *p, uint32_t offset)
{
	return plan_string(p, offset);
}

static void say(FILE *out, const struct plan_header *p, uint32_t offset)
{
	const char *s = str(p, offset);

	show_escaped(out, s, strlen(s));
}

static void phase(FILE *out, unsigned which)
{
	fprintf(out, "%s\n", phase_word(which));
}

static void deadline(FILE *out, uint32_t seconds)
{
	if (seconds)
		fprintf(out, ", within %" PRIu32 " s", seconds);
}

static bool line(FILE *out, const struct plan_header *p, const struct plan_row *row)
{
	fputs("  run ", out);
	say(out, p, row->text);
	if (row->flags & PLAN_LINE_DEBUG)
		fputs(" (debug: does nothing)", out);
	else if (row->flags & PLAN_LINE_ASYNC)
		fputs(", not waited for", out);
	else
		deadline(out, row->flags & PLAN_LINE_AUTOCHK ? p->settings.autochk_deadline_s
							     : p->settings.execute_deadline_s);
	fputs(row->flags & PLAN_LINE_AUTOCHECK ? "; skipped when missing\n" : "\n", out);
	return true;
}

/* The lines of a table: autochk's (which = PLAN_LINE_AUTOCHK), the others (0), or all of a table.
 */
static unsigned lines(FILE *out, const struct plan_header *p, enum plan_table t, unsigned mask,
		      unsigned which)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < plan_count(p, t); i++) {
		const struct plan_row *row = plan_row_at(p, t, i);

		if ((row->flags & mask) == which)
			count += line(out, p, row);
	}
	return count;
}

static void nothing(FILE *out, unsigned count)
{
	if (!count)
		fputs("  nothing to do\n", out);
}

/* Said where images are started first, for all of them. */
static void show_images(FILE *out, const struct plan_header *p)
{
	if (p->settings.image_policy == PLAN_IMAGES_OFF)
		return;
	if (!plan_text(p, PLAN_CATALOG, "")[0])
		fputs("  images: no signed catalogue that can be believed\n", out);
	else
		fprintf(out, "  images: %" PRIu32 " in the signed catalogue; any other one: %s\n",
			plan_count(p, PLAN_IMAGES),
			p->settings.image_policy == PLAN_IMAGES_WARN ? "warn" : "not started");
}

static void show_execute(FILE *out, const struct plan_header *p)
{
	unsigned count;

	phase(out, PHASE_BOOT_EXECUTE_CHECK);
	show_images(out, p);
	nothing(out, lines(out, p, PLAN_BOOT_EXECUTE, PLAN_LINE_AUTOCHK, PLAN_LINE_AUTOCHK));
	phase(out, PHASE_BOOT_EXECUTE);
	count = lines(out, p, PLAN_BOOT_EXECUTE_NO_PNP, 0, 0);
	nothing(out, count + lines(out, p, PLAN_BOOT_EXECUTE, PLAN_LINE_AUTOCHK, 0));
}

/* What the boot does with an entry that can be run. */
static const char *verb_of(const struct plan_header *p, const char *from, const char *to)
{
	if (!p->settings.allow_protected_renames &&
	    queue_protected(str(p, p->settings.hive_path), from, to))
		return *to ? "  refuse to move " : "  refuse to delete ";
	return *to ? "  move " : "  delete ";
}

static void show_queue(FILE *out, const struct plan_header *p, const struct plan_header *q,
		       const struct outlook *look)
{
	phase(out, PHASE_RENAMES);
	if (look->queue_done == OUTLOOK_DONE && p->settings.queue_count) {
		fprintf(out, "  done by an earlier boot: %" PRIu32 " entr%s; nothing to do\n",
			p->settings.queue_count, p->settings.queue_count == 1 ? "y" : "ies");
		return;
	}
	for (uint32_t i = 0; q && i < plan_count(q, PLAN_QUEUE); i++) {
		const struct plan_row *row = plan_row_at(q, PLAN_QUEUE, i);
		const char *to = str(q, row->text);

		if (row->flags & QUEUE_MALFORMED)
			fputs("  skip ", out);
		else
			fputs(verb_of(p, str(q, row->name), to), out);
		say(out, q, row->name);
		if (row->flags & QUEUE_MALFORMED)
			fputs(": ", out);
		else if (*to)
			fputs(row->flags & QUEUE_REPLACE ? " over " : " to ", out);
		say(out, q, row->text);
		fputc('\n', out);
	}
	nothing(out, q ? plan_count(q, PLAN_QUEUE) : 0);
	if (p->settings.queue_count)
		fprintf(out, "  each once%s\n",
			p->settings.allow_protected_renames ? "; protected files too" : "");
}

static void show_paging(FILE *out, const struct plan_header *p)
{
	phase(out, PHASE_PAGING);
	for (uint32_t i = 0; i < plan_count(p, PLAN_PAGING_FILES); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_PAGING_FILES, i);
		const char *path = str(p, row->name);

		fputs("  page to ", out);
		show_escaped(out, path + (*path == '?' ? 2 : 0),
			     strlen(path + (*path == '?' ? 2 : 0)));
		fputs(*path == '?' ? " on any volume" : "", out);
		if (row->arg || row->aux)
			fprintf(out, ", %" PRIu32 " to %" PRIu32 " MiB\n", row->arg, row->aux);
		else
			fputs(", sized by the system\n", out);
	}
	nothing(out, plan_count(p, PLAN_PAGING_FILES));
}

static void show_environment(FILE *out, const struct plan_header *p)
{
	phase(out, PHASE_ENVIRONMENT);
	for (uint32_t i = 0; i < plan_count(p, PLAN_ENVIRONMENT); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_ENVIRONMENT, i);

		fputs("  set ", out);
		say(out, p, row->name);
		fputs("=", out);
		say(out, p, row->text);
		fputs(row->flags & PLAN_ENV_EXPAND ? " (expanded)\n" : "\n", out);
	}
	for (uint32_t i = 0; i < plan_count(p, PLAN_OBJECT_DIRECTORIES); i++) {
		fputs("  make the directory ", out);
		say(out, p, plan_row_at(p, PLAN_OBJECT_DIRECTORIES, i)->name);
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < plan_count(p, PLAN_DOS_DEVICES); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_DOS_DEVICES, i);
		bool drop = !*str(p, row->text);

		fputs(drop ? "  remove the link /dev/" : "  link /dev/", out);
		say(out, p, row->name);
		if (!drop)
			fputs(" to ", out);
		say(out, p, row->text);
		fputc('\n', out);
	}
}

static void show_known(FILE *out, const struct plan_header *p)
{
	static const char *const policy[] = {"warn", "leave it out", "stop"};

	phase(out, PHASE_KNOWN_DLLS);
	for (uint32_t i = 0; i < plan_count(p, PLAN_KNOWN_DLLS); i++) {
		fputs("  know ", out);
		say(out, p, plan_row_at(p, PLAN_KNOWN_DLLS, i)->text);
		fputc('\n', out);
	}
	for (uint32_t i = 0; i < plan_count(p, PLAN_KNOWN_PINS); i++) {
		fputs("  pinned: ", out);
		say(out, p, plan_row_at(p, PLAN_KNOWN_PINS, i)->name);
		fputc('\n', out);
	}
	if (plan_count(p, PLAN_KNOWN_DLLS))
		fprintf(out, "  when one fails its checks: %s\n",
			policy[p->settings.known_policy % 3]);
	nothing(out, plan_count(p, PLAN_KNOWN_DLLS));
}

static void show_sessions(FILE *out, const struct plan_header *p)
{
	phase(out, PHASE_SESSIONS);
	fprintf(out, "  make %" PRIu32 " session%s; in each:\n", p->settings.initial_sessions,
		p->settings.initial_sessions == 1 ? "" : "s");
	for (uint32_t i = 0; i < plan_count(p, PLAN_REQUIRED); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_REQUIRED, i);

		fputs("  start the subsystem ", out);
		say(out, p, row->name);
		fputs(*str(p, row->text) ? ": " : " (empty: succeeds)", out);
		say(out, p, row->text);
		fputc('\n', out);
	}
	lines(out, p, PLAN_EXECUTE, 0, 0);
	fputs("  first program of session 0: ", out);
	say(out, p, p->settings.s0_initial);
	fputs("; of the others: ", out);
	say(out, p, p->settings.initial);
	fputc('\n', out);
	for (unsigned t = PLAN_SESSIONS; t <= PLAN_TEXTS; t++)
		for (uint32_t i = 0; i < plan_count(p, t); i++) {
			const struct plan_row *row = plan_row_at(p, t, i);

			fputs(t == PLAN_SESSIONS ? "  Sessions\\" : "  ", out);
			say(out, p, row->name);
			fputs(" = ", out);
			say(out, p, row->text);
			fputc('\n', out);
		}
}

static void show_marks(FILE *out, const struct plan_header *p, enum plan_table t)
{
	for (uint32_t i = 0; i < plan_count(p, t); i++) {
		fputs(i ? ", " : " ", out);
		say(out, p, plan_row_at(p, t, i)->name);
	}
	fputs(plan_count(p, t) ? "\n" : " nothing\n", out);
}

static void show_safe_boot(FILE *out, const struct plan_header *p)
{
	if (p->settings.builtin)
		return;
	fputs("A safe boot, if asked for, would start of all services\n  minimal:", out);
	show_marks(out, p, PLAN_SAFE_MINIMAL);
	fputs("  network, besides:", out);
	show_marks(out, p, PLAN_SAFE_NETWORK);
}

static void show_notes(FILE *out, const struct plan_header *p)
{
	if (plan_count(p, PLAN_NOTES))
		fputs("Notes\n", out);
	for (uint32_t i = 0; i < plan_count(p, PLAN_NOTES); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_NOTES, i);

		fprintf(out, "  %s: ", remark_word(row->flags));
		say(out, p, row->name);
		fputs(": ", out);
		say(out, p, row->text);
		fputc('\n', out);
	}
}

static void show_outlook(FILE *out, const struct outlook *look)
{
	static const char *const levels[] = {"Current, this hive", "LastKnownGood",
					     "the built-in minimum"};

	fputs("What a boot of this hive does; ", out);
	if (look->known)
		fprintf(out, "next boot: %s%s%s\n", levels[look->level % 3],
			look->why[0] ? ", because " : "", look->why);
	else
		fputs("which level boots next: smctl boot\n", out);
}

void show_plan(FILE *out, const struct plan_header *p, const struct plan_header *queue,
	       const struct outlook *look)
{
	unsigned count;

	show_outlook(out, look);
	show_environment(out, p);
	phase(out, PHASE_SERIALIZE);
	fprintf(out, "  let devices settle, within %" PRIu32 " s\n", p->settings.pnp_deadline_s);
	show_execute(out, p);
	show_queue(out, p, queue, look);
	show_paging(out, p);
	phase(out, PHASE_SETUP_EXECUTE);
	count = lines(out, p, PLAN_SETUP_EXECUTE_NO_PNP, 0, 0);
	nothing(out, count + lines(out, p, PLAN_SETUP_EXECUTE, 0, 0));
	show_known(out, p);
	show_sessions(out, p);
	phase(out, PHASE_READY);
	fprintf(out,
		"  the boot is good after %" PRIu32 " s; a level gets %" PRIu32
		" attempts; after a stop %s\n",
		p->settings.boot_good_s, p->settings.boot_attempts,
		p->settings.auto_reboot ? "reboot" : "halt");
	show_safe_boot(out, p);
	show_notes(out, p);
}
