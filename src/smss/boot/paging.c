/* SPDX-License-Identifier: MIT */
/*
 * paging.c - phase 6: one paging file, made without holes and put to use
 *
 * The first PagingFiles line is served; a good file is used again, a bad one made anew, a full disk
 * gets a smaller one, and when the line cannot be served at all there is an emergency file on any
 * volume. Nothing of it is ever fatal. Swap belongs to the whole machine: in a pid namespace the
 * file is made and checked, not activated. Source: nt-reference §3; peers §6b 33 and 38.
 */
#include "smss/boot/paging.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smss/boot/boot.h"
#include "smss/boot/known.h"
#include "smss/boot/swapfile.h"
#include "sys/sys.h"

#define EMERGENCY_NAME "pagefile.sys"

static void say(const struct copy *c, enum result result, const struct paging_made *made,
		const char *path, const char *remark)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_u64(&t, made->bytes / MIB), made->kept ? " MiB, used again" : " MiB, made");
	text_add(&t, remark);
	copy_item(c, result, 0, 0, path, room);
}

/*
 * Puts a file to use. *ret_remark is what is to be said with the good news.
 * Returns 0 (also when there is nothing to be activated here) or -errno.
 */
static int activate(const char *path, const char **ret_remark)
{
	int r = sys_in_initial_pidns();

	if (r <= 0) {
		*ret_remark = " and checked, not activated: not the first pid namespace";
		return 0;
	}
	*ret_remark = ", active";
	r = sys_swapon(path, 0);
	return r == -EBUSY ? 0 : r; /* active already: of an earlier start of ours */
}

/* One path, as far as it can be served. Returns 0 or -errno; says nothing on failure. */
static int serve_path(const struct copy *c, const struct paging_wish *wish, const char *why)
{
	const char *remark = "";
	struct paging_made made;
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	int r = paging_make(wish, &made);

	if (r < 0)
		return r;
	r = activate(made.path, &remark);
	if (r == -EINVAL && made.kept) { /* it looked good and the kernel knows better */
		struct paging_wish anew = *wish;

		anew.never_keep = true;
		r = paging_make(&anew, &made);
		if (r >= 0)
			r = activate(made.path, &remark);
	}
	if (r < 0)
		return r;
	text_add(text_add(&t, remark), why);
	say(c,
	    *why                           ? RESULT_DEGRADED
	    : str_same(remark, ", active") ? RESULT_OK
					   : RESULT_SKIPPED,
	    &made, wish->path, room);
	return 0;
}

/* "?:/name": the root first, then every other volume in the order of its mounting. */
static int serve_any(const struct copy *c, const struct paging_wish *wish, const char *name,
		     const char *why)
{
	const bool everywhere = sys_in_initial_pidns() > 0;
	struct paging_volumes v;
	struct paging_wish on = *wish;
	char path[PATH_BYTES];
	int r = paging_volumes_open(&v), first = 0;

	while (r >= 0) {
		struct text t = TEXT_ON(path);

		r = paging_volumes_next(&v, &t);
		if (r <= 0)
			break;
		text_add(text_add(&t, str_same(path, "/") ? "" : "/"), name);
		on.path = path;
		r = t.cut ? -ENAMETOOLONG : serve_path(c, &on, why);
		if (r >= 0)
			return 0;
		if (!first)
			first = r; /* the root's own reason is the one to be told */
		if (!everywhere)
			break; /* the other mounts of a namespace are its host's */
		r = 0;
	}
	return first ? first : r < 0 ? r : -ENODEV;
}

static int serve_line(const struct copy *c, const struct plan_row *row)
{
	const char *path = plan_string(c->plan, row->name);
	struct paging_wish wish = {.path = path, .min_mib = row->arg, .max_mib = row->aux};

	/* What is not put to use need not be large: it would only eat the host's disk. */
	if (!wish.min_mib && !wish.max_mib && sys_in_initial_pidns() <= 0)
		wish.min_mib = wish.max_mib = SWAPFILE_FLOOR / MIB;
	if (str_starts(path, "?:/"))
		return serve_any(c, &wish, path + 3, "");
	return path[0] == '/' ? serve_path(c, &wish, "") : -EINVAL;
}

/* Why a line could not be served, in words; the file system's name where that is the reason. */
static void say_failure(const struct copy *c, const char *path, int r)
{
	const bool here = sys_in_initial_pidns() > 0;
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (r == -EMEDIUMTYPE) {
		text_add(text_add(&t, "no paging file on "), paging_refused_name());
		copy_item(c, here ? RESULT_FAILED : RESULT_SKIPPED, 0, 0, path, room);
		return;
	}
	text_add(&t, r == -ENOSPC   ? "not even 16 MiB are free beside the reserve"
		     : r == -EACCES ? "others than root can write the directory"
		     : r == -EEXIST ? "what is there is no plain file"
				    : err_text(-r));
	copy_item(c, r == -EACCES ? RESULT_REFUSED : RESULT_FAILED, -r, 0, path, room);
}

static int serve(const struct copy *c)
{
	const uint32_t count = plan_count(c->plan, PLAN_PAGING_FILES);
	const struct paging_wish emergency = {.path = ""};
	int r = -EINVAL;

	if (!count && !c->plan->settings.paging_specified) {
		copy_item(c, RESULT_SKIPPED, 0, 0, "PagingFiles", "none configured");
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct plan_row *row = plan_row_at(c->plan, PLAN_PAGING_FILES, i);
		const char *path = plan_string(c->plan, row->name);

		if (i) {
			copy_item(c, RESULT_NOT_YET, 0, 0, path, "only the first line is served");
			continue;
		}
		r = serve_line(c, row);
		if (r < 0)
			say_failure(c, path, r);
	}
	if (r >= 0)
		return 0;
	if (count &&
	    str_starts(plan_string(c->plan, plan_row_at(c->plan, PLAN_PAGING_FILES, 0)->name),
		       "?:/"))
		return r; /* every volume was tried already */
	if (sys_in_initial_pidns() <= 0)
		return r; /* nothing that a namespace needs */
	r = serve_any(c, &emergency, EMERGENCY_NAME, "; the emergency file, TempPageFile");
	if (r < 0)
		say_failure(c, "?:/" EMERGENCY_NAME, r);
	return r;
}

#define STAND_BACK_MS 20

/*
 * Libraries without a pinned digest are only looked at and read ahead: nothing waits for that, and
 * it gets no more of the machine than others leave.
 */
static void let_boot_go_on(void)
{
	struct sm_message m;

	sm_message_start(&m, SM_JOB_DONE, 0, 0);
	(void)!sys_only_when_idle(); /* first: the telling wakes the master */
	(void)!copy_tell(&m, NULL, 0);
	/* A task that was just started waits behind one that runs, idle class or not: stand back.
	 */
	(void)!sys_wait_fd(FD_MASTER, 0, STAND_BACK_MS);
}

int copy_role_paging(struct copy *c)
{
	int r, known;

	r = serve(c);
	if (c->n & 1)
		let_boot_go_on();
	known = c->n & 1 ? known_check(c) : COPY_OK;
	return known != COPY_OK                      ? known
	       : r < 0 && sys_in_initial_pidns() > 0 ? COPY_FAILED
						     : COPY_OK;
}
