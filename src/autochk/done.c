/* SPDX-License-Identifier: MIT */
/*
 * done.c - each /p and /r request runs once; see done.h
 *
 * The file holds one line a request: the hive's SHA-256, the switch, the volume. It holds the
 * requests of the present hive only, so it cannot grow.
 */
#include "autochk/done.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

#define DONE_BYTES 65536u

static bool counts(const struct request *r)
{
	return r->how == REQUEST_ALWAYS || r->how == REQUEST_SURFACE;
}

static void add_line(const struct settings *s, const struct request *r, struct text *t)
{
	char hex[2 * SHA256_BYTES + 1];

	sha256_hex(s->hive_sha256, hex);
	text_add(text_add(text_add(t, hex), " "), command_switch(r->how));
	text_escaped(text_add(t, " "), r->volume, strlen(r->volume));
	text_add(t, "\n");
}

/* The file as it is, "" when there is none. */
static void load(const struct settings *s, char to[DONE_BYTES])
{
	_close_ int dir = sys_walk(s->state, O_PATH | O_DIRECTORY);
	ssize_t n = dir < 0 ? dir : sys_read_file(dir, DONE_FILE, to, DONE_BYTES - 1);

	to[n > 0 ? n : 0] = 0;
}

static bool has(const char *file, const char *line)
{
	const char *at = strstr(file, line);

	return at && (at == file || at[-1] == '\n');
}

void done_drop(const struct settings *s, struct command *c, void (*tell)(const struct request *r))
{
	static char file[DONE_BYTES];
	unsigned kept = 0;
	bool any = false;

	for (unsigned i = 0; i < c->count; i++)
		any |= counts(&c->request[i]);
	if (!s->has_hive || !any)
		return;
	load(s, file);
	for (unsigned i = 0; i < c->count; i++) {
		char line[1200];
		struct text t = TEXT_ON(line);

		add_line(s, &c->request[i], &t);
		if (counts(&c->request[i]) && has(file, line))
			tell(&c->request[i]);
		else
			c->request[kept++] = c->request[i];
	}
	c->count = kept;
}

int done_write(const struct settings *s, const struct command *c)
{
	static char file[DONE_BYTES], before[DONE_BYTES];
	struct text t = TEXT_ON(file);
	_close_ int dir = -1;
	bool news = false;

	for (unsigned i = 0; i < c->count; i++) {
		if (!counts(&c->request[i]) || !c->request[i].found)
			continue;
		add_line(s, &c->request[i], &t);
		news = true;
	}
	if (!s->has_hive || !news)
		return 0;
	load(s, before);
	/* what earlier boots did for this same hive still counts */
	for (char *line = before, *end; (end = strchr(line, '\n')); line = end + 1) {
		char hex[2 * SHA256_BYTES + 1];

		sha256_hex(s->hive_sha256, hex);
		if (str_starts(line, hex))
			text_add_n(&t, line, (size_t)(end + 1 - line));
	}
	if (t.cut)
		return -EFBIG;
	if (sys_make_dirs(s->state, 0755) < 0)
		return -EROFS;
	dir = sys_walk(s->state, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? dir : sys_replace_file(dir, DONE_FILE, file, t.len, 0600);
}
