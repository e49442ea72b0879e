/* SPDX-License-Identifier: MIT */
/*
 * output.c - where a report goes; see output.h
 *
 * The file is made beside its place under a name of its own, synced, and renamed; when the program
 * is interrupted the unfinished one is removed.
 */
#include "smaudit/output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "smaudit/report_inner.h"
#include "sys/sys.h"

#define WIDTH_MIN     40u
#define WIDTH_UNKNOWN 80u
#define WIDTH_MAX     1000u

static const char *unfinished; /* what an interruption removes */

static void interrupted(int number)
{
	if (unfinished)
		unlink(unfinished);
	raise(number); /* SA_RESETHAND: this time it ends us */
}

static void on_interruption(void)
{
	struct sigaction a = {.sa_handler = interrupted, .sa_flags = SA_RESETHAND | SA_NODEFER};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGHUP, &a, NULL);
}

static int failed(const char *path, const char *what)
{
	int r = -errno;

	fprintf(stderr, "smaudit: %s: %s: %s\n", path, what, strerror(-r));
	return r;
}

unsigned output_width(FILE *to)
{
	const char *columns = getenv("COLUMNS");
	uint16_t rows, wide = 0;
	uint64_t n = 0;

	if (!isatty(fileno(to)) || sys_tty_size(fileno(to), &rows, &wide) < 0 || !wide) {
		if (!columns || str_u64(columns, strlen(columns), &n) < 0)
			n = 0;
	} else {
		n = wide;
	}
	if (!n || n > WIDTH_MAX)
		return WIDTH_UNKNOWN;
	return n < WIDTH_MIN ? WIDTH_MIN : (unsigned)n;
}

void output_prose(FILE *to, unsigned width, unsigned at, unsigned indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (at > indent && at + 1 + n > width) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			fputc(' ', to);
			at++;
		}
		fwrite(text, 1, n, to);
		at += (unsigned)n;
		text += n + strspn(text + n, " ");
	}
	fputc('\n', to);
}

/* before: the file that is replaced, whose owner and mode stay; NULL = there is none. */
static int open_beside(struct output *o, const struct stat *before)
{
	size_t room = strlen(o->path) + 8;
	mode_t mask = umask(0), mode = before ? before->st_mode & 0777 : 0666 & ~mask;
	int fd;

	umask(mask);
	o->temporary = audit_alloc(NULL, room);
	snprintf(o->temporary, room, "%s.XXXXXX", o->path);
	fd = mkostemp(o->temporary, O_CLOEXEC);
	if (fd < 0)
		return failed(o->path, "a file cannot be made beside it");
	unfinished = o->temporary;
	on_interruption();
	if (before && (before->st_uid != geteuid() || before->st_gid != getegid()))
		(void)!fchown(fd, before->st_uid, before->st_gid);
	if (fchmod(fd, mode) < 0 || !(o->to = fdopen(fd, "w"))) {
		int r = failed(o->path, "it cannot be written");

		close(fd);
		unlink(o->temporary);
		return r;
	}
	return 0;
}

int output_open(const char *path, struct output *ret)
{
	struct stat st;
	bool there;
	int r;

	*ret = (struct output){.to = stdout};
	if (!path || !strcmp(path, "-"))
		return 0;
	ret->path = path;
	/* A pipe, a terminal: nothing to replace. Nor is a link: /dev/stdout may lead to a file. */
	there = lstat(path, &st) == 0;
	if (there && !S_ISREG(st.st_mode)) {
		ret->to = fopen(path, "we");
		return ret->to ? 0 : failed(path, "it cannot be written");
	}
	r = open_beside(ret, there ? &st : NULL);
	if (r < 0) {
		free(ret->temporary);
		ret->temporary = NULL;
	}
	return r;
}

static int sync_directory(const char *path)
{
	char *copy = audit_copy(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	free(copy);
	if (fd < 0 || fsync(fd) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r == -EINVAL || r == -EACCES ? 0 : r; /* not every directory can be asked to */
}

static int commit(struct output *o)
{
	int r = 0;

	if (fflush(o->to) || ferror(o->to) || fsync(fileno(o->to)) < 0)
		r = failed(o->path, "it cannot be written");
	if (fclose(o->to) && r == 0)
		r = failed(o->path, "it cannot be written");
	if (r == 0 && rename(o->temporary, o->path) < 0)
		r = failed(o->path, "it cannot be replaced");
	if (r < 0)
		unlink(o->temporary);
	else if (sync_directory(o->path) < 0)
		r = failed(o->path, "its directory cannot be synced");
	unfinished = NULL;
	return r;
}

int output_close(struct output *o)
{
	int r = 0;

	if (o->temporary) {
		r = commit(o);
		free(o->temporary);
		o->temporary = NULL;
		return r;
	}
	errno = 0;
	if ((fflush(o->to) || ferror(o->to)) && errno != EPIPE)
		r = failed(o->path ? o->path : "stdout", "it cannot be written");
	if (o->path)
		fclose(o->to);
	return r;
}
