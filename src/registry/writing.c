/* SPDX-License-Identifier: MIT */
/*
 * writing.c - a change of the hive, from its lock to its commit; see writing.h
 */
#include "registry/writing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry/reading.h"
#include "registry/show.h"
#include "sys/sys.h"

void writing_end(struct writing *w)
{
	store_close(&w->store);
	tree_free(&w->tree);
	tree_free(&w->scratch);
}

int writing_complain(const struct options *o, int e, const char *why)
{
	fprintf(stderr, "smreg: %s: %s\n", o->hive, *why ? why : err_text(-e));
	return e;
}

int writing_start(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	int e;

	memset(w, 0, sizeof(*w));
	e = store_open(&w->store, o->hive, &why);
	if (e == 0)
		e = tree_start(&w->tree);
	if (e == 0)
		e = tree_start(&w->scratch);
	w->remarks.arena = w->before.arena = &w->scratch.arena;
	return e < 0 ? writing_complain(o, e, room) : 0;
}

/* The hive as it is, without what a boot has consumed. */
int writing_read(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	unsigned dropped = 0;
	int e = store_read(&w->store, o->state, &w->tree, &dropped, &why);

	if (e == -ENOENT && !why.len)
		text_add(text_add(&why, "no hive; make one with: smreg init --hive "), o->hive);
	if (e < 0)
		return writing_complain(o, e, room);
	if (dropped && !w->quiet)
		fprintf(stderr, "smreg: %u values that a boot has carried out are left out\n",
			dropped);
	store_remarks(&w->store, &w->tree, &w->before);
	return 0;
}

static bool known_before(const struct writing *w, const struct remark *r)
{
	for (size_t i = 0; i < w->before.count; i++)
		if (remark_same(&w->before.at[i], r))
			return true;
	return false;
}

/* What is new, what was said of values that this command set, and whatever refused the commit. */
static void show_news(const struct writing *w, bool refused)
{
	for (size_t i = 0; i < w->remarks.count; i++) {
		const struct remark *r = &w->remarks.at[i];
		unsigned file = ORIGIN_FILE(r->origin);

		if (r->kind == REMARK_UNUSED)
			continue;
		if ((r->origin && !w->only_news) || !known_before(w, r) ||
		    (refused && r->kind == PLAN_NOTE_ERROR))
			show_remark(stderr, r, file ? w->files[file - 1] : NULL,
				    !r->origin && known_before(w, r));
	}
	if (w->remarks.lost > w->before.lost)
		fprintf(stderr, "warning: %zu more remarks\n", w->remarks.lost);
}

int writing_commit(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	int e = store_commit(&w->store, &w->tree, o->force, &w->remarks, &why);

	show_news(w, e == -EINVAL);
	if (e == 0 && why.len)
		fprintf(stderr, "smreg: %s: warning: %s\n", o->hive, room);
	return e < 0 ? writing_complain(o, e, room) : 0;
}

int exit_code_of(int e)
{
	return e == 0 ? EXIT_OK : e == -EINVAL ? EXIT_USAGE_2 : EXIT_FAILED_1;
}

static int read_whole(int fd, char **ret, size_t *ret_n)
{
	struct reg_buffer b = {0};
	char part[65536];
	ssize_t n;

	while ((n = sys_read(fd, part, sizeof(part))) > 0 && b.len <= REG_TEXT_BYTES_MAX &&
	       !b.failed)
		reg_buffer_add(&b, part, (size_t)n);
	if (n < 0 || b.failed || b.len > REG_TEXT_BYTES_MAX) {
		free(b.bytes);
		return n < 0 ? (int)n : b.failed ? -ENOMEM : -EFBIG;
	}
	*ret = b.bytes;
	*ret_n = b.len;
	return 0;
}

int read_whole_file(const char *path, char **ret, size_t *ret_n)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY, 0);

	return fd < 0 ? fd : read_whole(fd, ret, ret_n);
}

int read_regular_file(const char *path, char **ret, size_t *ret_n)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	struct sys_stat st;
	int e = fd < 0 ? fd : sys_stat_fd(fd, &st);

	if (e >= 0 && !S_ISREG(st.mode))
		e = -EILSEQ;
	return e < 0 ? e : read_whole(fd, ret, ret_n);
}

int writing_import(struct writing *w, const char *path)
{
	static struct reg_errors errors;
	char *bytes = NULL;
	size_t n = 0;
	int e = read_whole_file(path, &bytes, &n);

	if (e < 0) {
		fprintf(stderr, "smreg: %s: %s\n", path, err_text(-e));
		return -EINVAL;
	}
	w->tree.file = 0;
	if (w->file_count < ORIGIN_FILE_MAX) {
		w->files[w->file_count++] = path;
		w->tree.file = w->file_count;
	}
	e = reg_text_read(bytes ? bytes : "", n, &w->tree, &errors);
	free(bytes);
	show_reg_errors(path, &errors);
	if (e < 0 && !errors.count)
		fprintf(stderr, "smreg: %s: %s\n", path, err_text(-e));
	return e;
}

void show_reg_errors(const char *path, const struct reg_errors *errors)
{
	for (unsigned i = 0; i < errors->count; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", path, errors->at[i].line, errors->at[i].column,
			errors->at[i].text);
	if (errors->count >= REG_ERRORS_MAX)
		fprintf(stderr, "%s: too many errors, given up\n", path);
	if (errors->twice_count)
		fprintf(stderr, "%s:%u: warning: %s", path, errors->twice.line, errors->twice.text);
	if (errors->twice_count > 1)
		fprintf(stderr, "; and %u more such values", errors->twice_count - 1);
	if (errors->twice_count)
		fputc('\n', stderr);
}
