/* SPDX-License-Identifier: MIT */
/*
 * main.c - smaudit: tells a genuine session manager from an impostor; see smaudit(8)
 *
 * Only wires: options, where the report goes, the run. Exit status: 0 nothing found, 1 findings,
 * 2 an input or usage error, 3 indeterminate only.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "smaudit/options.h"
#include "smaudit/output.h"
#include "smaudit/run.h"

static bool is_same(const struct stat *a, const char *path)
{
	struct stat b;

	return path && stat(path, &b) == 0 && a->st_dev == b.st_dev && a->st_ino == b.st_ino;
}

/* Evidence is never written to, not by mistake either. */
static bool would_replace_input(const struct options *o)
{
	struct stat to;
	bool same;

	if (!o->output || strcmp(o->output, "-") == 0 || stat(o->output, &to) < 0 ||
	    !S_ISREG(to.st_mode))
		return false;
	same = is_same(&to, o->catalog) || is_same(&to, o->catalog_key);
	for (unsigned i = 0; i < o->file_count; i++)
		same = same || is_same(&to, o->files[i]);
	for (unsigned i = 0; i < o->logs; i++)
		same = same || is_same(&to, o->log[i]);
	for (unsigned i = 0; i < o->root_count; i++)
		same = same || is_same(&to, o->roots[i]);
	if (same)
		fprintf(stderr,
			"smaudit: %s: it is an input of this run: name another file with -o\n",
			o->output);
	return same;
}

int main(int argc, char **argv)
{
	struct options o;
	struct output out;
	int status, r = options_read(argc, argv, &o);

	if (r)
		return r < 0 ? 2 : 0;
	if (would_replace_input(&o))
		return 2;
	if (output_open(o.output, &out) < 0)
		return 2;
	status = audit_run(&o, out.to);
	return output_close(&out) < 0 ? 2 : status;
}
