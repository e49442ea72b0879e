/* SPDX-License-Identifier: MIT */
/*
 * verbs_export.c - a key and all below as .reg text, and where such text goes
 *
 * What is written imports to the same bytes, or is not written: a name that no line of .reg can
 * carry is an error that names it. A file is replaced whole and durably; what is not a regular file
 * is written to, never replaced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registry/reading.h"
#include "registry/reg_text.h"
#include "registry/utf.h"
#include "sys/sys.h"

#define NEW_FILE_MODE 0666u /* the umask decides, as for any tool's output */

/* The regular file that is meant, links followed: its directory, its name and its mode. */
static int target_of(const char *path, char real[PATH_BYTES], unsigned *ret_mode)
{
	struct sys_stat st;
	int e = sys_stat_at(AT_FDCWD, path, 0, &st);
	char *resolved;

	*ret_mode = NEW_FILE_MODE;
	if (e == -ENOENT) {
		e = sys_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st);
		if (e == 0)
			return -ELOOP; /* a link that leads nowhere */
		return str_copy(real, PATH_BYTES, path) ? 0 : -ENAMETOOLONG;
	}
	if (e < 0)
		return e;
	if ((st.mode & S_IFMT) == S_IFDIR)
		return -EISDIR;
	if ((st.mode & S_IFMT) != S_IFREG)
		return -EXDEV; /* a device, a pipe: it is written to */
	*ret_mode = st.mode & 0777;
	resolved = realpath(path, NULL);
	if (!resolved)
		return -errno;
	e = str_copy(real, PATH_BYTES, resolved) ? 0 : -ENAMETOOLONG;
	free(resolved);
	return e;
}

static int replace(char *path, const struct reg_buffer *b, unsigned mode)
{
	char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	_close_ int dir = -1;

	if (slash)
		*slash = '\0';
	dir = sys_open(AT_FDCWD, !slash ? "." : *path ? path : "/", O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	return sys_replace_file(dir, name, b->bytes, b->len, mode);
}

static int write_to(const char *path, const struct reg_buffer *b)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_WRONLY, 0);

	return fd < 0 ? fd : sys_write_all(fd, b->bytes, b->len);
}

/* Characters that would drive a terminal; a file or another program may have them. */
static bool tame(const struct reg_buffer *b)
{
	uint32_t c;

	for (size_t i = 0; i < b->len;) {
		i += utf8_next(b->bytes + i, b->len - i, &c);
		if (c != '\n' && c != '\t' && !utf8_printable(c))
			return false;
	}
	return true;
}

static int put_to_output(const struct options *o, const struct reg_buffer *b)
{
	char path[PATH_BYTES];
	unsigned mode;
	int e = target_of(o->output, path, &mode);

	if (e == 0)
		e = replace(path, b, mode);
	else if (e == -EXDEV)
		e = write_to(o->output, b);
	if (e < 0)
		fprintf(stderr, "smreg: %s: %s\n", o->output, err_text(-e));
	return e < 0 ? e : 0;
}

int put_text(const struct options *o, struct reg_buffer *b)
{
	if (!o->output && isatty(STDOUT_FILENO) && (o->utf16 || !tame(b))) {
		fprintf(stderr, "smreg: %s not for a terminal; name a file with --output\n",
			o->utf16 ? "UTF-16 is" : "the text holds control characters in names,");
		return -EINVAL;
	}
	if (o->utf16)
		reg_buffer_to_utf16(b);
	if (b->failed) {
		fprintf(stderr, "smreg: %s\n", err_text(ENOMEM));
		return -ENOMEM;
	}
	if (o->output)
		return put_to_output(o, b);
	if (b->len && fwrite(b->bytes, 1, b->len, stdout) != b->len)
		return -EIO; /* main says so when it flushes */
	return 0;
}

/* True when something could not be said; --force takes what can. */
static bool refused(const struct options *o, const struct reg_buffer *b)
{
	if (!b->faults)
		return false;
	fprintf(stderr, "smreg: %s: %s: .reg text cannot say it", o->hive, b->fault);
	if (b->faults > 1)
		fprintf(stderr, "; and %u more", b->faults - 1);
	fputs(o->force ? "; left out\n"
		       : "; --force leaves such keys and values out, query -s --json shows them\n",
	      stderr);
	return !o->force;
}

int verb_export(const struct options *o)
{
	_cleanup_(reading_end) struct reading r = {0};
	struct reg_buffer b = {.readable = o->readable};
	struct reg_key *k;
	char path[4096];
	int e;

	if (reading_start(&r, o->hive, o) < 0 ||
	    reading_path(&r, o->count ? o->args[0] : "", path, sizeof(path)) < 0)
		return EXIT_USAGE_2;
	e = reading_load(&r, path, HIVE_ALL, &k);
	if (e == -ENOENT)
		reading_missing(&r, path);
	if (e < 0)
		return EXIT_FAILED_1;
	reg_text_header(&b);
	reg_text_add_tree(&b, k);
	if (refused(o, &b))
		e = -EINVAL;
	else
		e = put_text(o, &b);
	free(b.bytes);
	if (e < 0)
		return e == -EINVAL ? EXIT_USAGE_2 : EXIT_FAILED_1;
	return reading_degraded(&r) || b.faults ? EXIT_FAILED_1 : EXIT_OK;
}
