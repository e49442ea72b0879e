/* SPDX-License-Identifier: MIT */
/*
 * execute.c - becomes a BootExecute, SetupExecute or Execute image
 *
 * The copy turns into the image: the master keeps the pid it knows, with the deadline it set. The
 * image gets null, the console twice, its connection and the plan, the system environment exactly,
 * and nothing else (law 6). Source: nt-reference §2.2 and §9; peers §6b, 9, 10 and 12.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smss/boot/boot.h"
#include "sys/sys.h"

/* Output goes to the console, without making it ours; with none, to where fd 1 goes already. */
static void attach_console(void)
{
	/* NONBLOCK while opening: a serial line without carrier would hold us. */
	_close_ int fd = sys_open(AT_FDCWD, "/dev/console", O_WRONLY | O_NONBLOCK, 0);

	if (fd < 0 || sys_set_blocking(fd, true) < 0)
		return;
	for (int to = 1; to <= 2; to++)
		if (sys_dup_to(fd, to) < 0 || sys_keep_fd(to) < 0)
			return;
}

static const struct plan_row *row_of(const struct copy *c)
{
	const uint32_t table = c->n >> 16, row = c->n & 0xffff;

	if (table > PLAN_EXECUTE || row >= plan_count(c->plan, table))
		return NULL;
	return plan_row_at(c->plan, table, row);
}

static int not_found(const struct copy *c, const struct plan_row *row, const char *token, int r)
{
	if (r != -ENOENT && r != -ENOTDIR) {
		boot_say(c, RESULT_REFUSED, r == -EACCES ? 0 : -r, token,
			 r == -EACCES ? "not executable, or it or its directory is not only root's"
				      : "image");
		return COPY_FAILED;
	}
	if (row->flags & PLAN_LINE_AUTOCHECK) {
		copy_item(c, RESULT_SKIPPED, 0, 0, token, "not found, skipped");
		return COPY_OK;
	}
	boot_say(c, RESULT_FAILED, ENOENT, token, "");
	return COPY_FAILED;
}

int copy_role_execute(struct copy *c)
{
	const struct plan_row *row = row_of(c);
	char line[COMMAND_BYTES], path[PATH_BYTES], *words[ARGS_MAX + 1];
	const char *token, *why;
	_close_ int image = -1;
	int r;

	if (!row) {
		boot_say(c, RESULT_REFUSED, EINVAL, "execute", "no such line in the plan");
		return COPY_USAGE;
	}
	token = plan_string(c->plan, row->name);
	if (row->flags & PLAN_LINE_DEBUG) {
		copy_item(c, RESULT_OK, 0, 0, token, "debug: succeeds and does nothing");
		return COPY_OK;
	}
	r = str_copy(line, sizeof(line), plan_string(c->plan, row->text)) ? 0 : -E2BIG;
	if (r >= 0)
		r = plan_words(line, words, ARGS_MAX);
	if (r <= 0) {
		boot_say(c, RESULT_REFUSED, r < 0 ? -r : EINVAL, token, "command line");
		return COPY_FAILED;
	}
	r = copy_find_image(c, token, &image, path, sizeof(path));
	if (r < 0)
		return not_found(c, row, token, r);
	if (copy_prove_image(c, image, path, &why) < 0) {
		boot_say(c, RESULT_REFUSED, 0, token, why);
		return COPY_FAILED;
	}
	attach_console();
	r = sys_close_from(FD_ENV); /* the image's own fd too: it is started by its path */
	image = -1;
	if (r >= 0)
		r = sys_exec(AT_FDCWD, path, words, c->env);
	boot_say(c, RESULT_FAILED, -r, path, "could not be started");
	return COPY_FAILED;
}
