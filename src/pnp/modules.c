/* SPDX-License-Identifier: MIT */
/*
 * modules.c - kernel modules the administrator wants at boot, see modules.h
 */
#include "pnp/modules.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "companion/program.h"
#include "etc/lines.h"

#define WORDS_MAX 16u /* a module and its parameters */

struct loading {
	const struct companion *c;
	char modprobe[PATH_BYTES];
	uint64_t until_ns;
	unsigned loaded, failed;
	char first[NAME_BYTES]; /* the first that failed */
};

int modules_line(char *line, char **ret_words, unsigned max)
{
	unsigned n = 0;
	char *word;

	while (n < max && (word = line_word(&line))) {
		if (word[0] == '#' || word[0] == ';')
			break;
		ret_words[n++] = word;
	}
	/* An option to modprobe is not a module. */
	return n && ret_words[0][0] == '-' ? 0 : (int)n;
}

static void load(struct loading *l, char **words, int n)
{
	char *argv[WORDS_MAX + 4] = {(char *)"modprobe", (char *)"-q", (char *)"--"};
	struct sys_exit e = {.status = 0};
	int r;

	memcpy(argv + 3, words, (size_t)n * sizeof(*words));
	argv[3 + n] = NULL;
	r = program_run(l->c, l->modprobe, argv, l->until_ns, &e);
	if (r >= 0 && !e.signalled && e.status == 0) {
		l->loaded++;
		return;
	}
	companion_say(SYS_LOG_WARNING, "module not loaded", words[0], r);
	if (!l->failed++)
		(void)str_copy(l->first, sizeof(l->first), words[0]);
}

/* modprobe is looked for only when a module is named at all: most machines name none. */
static bool find_modprobe(struct loading *l)
{
	return l->modprobe[0] ||
	       program_find(l->c, "modprobe", l->modprobe, sizeof(l->modprobe)) >= 0;
}

static void load_file(struct loading *l, const char *path)
{
	static struct lines lines;
	char *line, *words[WORDS_MAX];

	if (lines_open(&lines, path) < 0)
		return;
	while (lines_next(&lines, &line) == 1) {
		int n = modules_line(line, words, WORDS_MAX);

		if (n <= 0)
			continue;
		if (find_modprobe(l)) {
			load(l, words, n);
			continue;
		}
		if (!l->failed++)
			(void)str_copy(l->first, sizeof(l->first), "there is no modprobe");
	}
	lines_shut(&lines);
}

bool modules_load(const struct companion *c, uint64_t until_ns)
{
	static const char *const directories[] = {"/etc/modules-load.d", "/run/modules-load.d",
						  "/usr/local/lib/modules-load.d",
						  "/usr/lib/modules-load.d"};
	static struct conf_files files;
	struct loading l = {.c = c, .until_ns = until_ns};
	uint64_t start = sys_now_ns();
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);

	load_file(&l, "/etc/modules");
	conf_collect(directories, ARRAY_SIZE(directories), &files);
	for (unsigned i = 0; i < files.count; i++) {
		char path[PATH_BYTES];
		struct text p = TEXT_ON(path);

		text_add(text_add(text_add(&p, directories[files.at[i].directory]), "/"),
			 files.at[i].name);
		load_file(&l, path);
	}
	if (!l.loaded && !l.failed)
		return true;
	text_add(text_u64(&t, l.loaded), " loaded");
	if (l.failed)
		text_add(text_add(text_u64(text_add(&t, ", "), l.failed), " failed, first: "),
			 l.first);
	companion_item(c, l.failed ? RESULT_DEGRADED : RESULT_OK, 0, start, "modules", line);
	return !l.failed;
}
