/* SPDX-License-Identifier: MIT */
/*
 * devices.c - which devices the boot needs, and waiting for them, see devices.h
 */
#include "pnp/devices.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "etc/lines.h"

#define FSTAB         "/etc/fstab"
#define LOOK_FIRST_MS 5u
#define LOOK_LAST_MS  100u
#define NAMED_MAX     3u /* missing devices named in the row; the log names all */

struct needed {
	char path[DEVICES_MAX][DEVICE_BYTES];
	bool there[DEVICES_MAX];
	unsigned count, left_out;
};

static const struct {
	const char *prefix, *directory;
} links[] = {
	{"UUID=", "/dev/disk/by-uuid/"},
	{"LABEL=", "/dev/disk/by-label/"},
	{"PARTUUID=", "/dev/disk/by-partuuid/"},
	{"PARTLABEL=", "/dev/disk/by-partlabel/"},
};

static bool octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' &&
	       s[2] <= '7';
}

/* One byte of an fstab field, \ooo read; *s moves on. */
static unsigned char next_byte(const char **s)
{
	const char *p = *s;

	if (p[0] == '\\' && octal(p + 1)) {
		*s += 4;
		return (unsigned char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
	}
	*s += 1;
	return (unsigned char)p[0];
}

/* What udev keeps in the name of a link; every other byte is written as \xHH. */
static bool plain_in_link(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c >= 0x80 || (c && strchr("#+-.:=@_", c));
}

static int link_path(const char *directory, const char *tag, char *ret)
{
	struct text t = text_start(ret, DEVICE_BYTES);
	size_t n = strlen(tag);

	text_add(&t, directory);
	if (n >= 2 && tag[0] == '"' && tag[n - 1] == '"') {
		tag++;
		n -= 2;
	}
	if (!n)
		return -EINVAL;
	for (const char *end = tag + n; tag < end;) {
		unsigned char c = next_byte(&tag);
		char hex[4] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

		if (plain_in_link(c))
			text_add_n(&t, (const char *)&c, 1);
		else
			text_add_n(&t, hex, sizeof(hex));
	}
	return t.cut ? -ENAMETOOLONG : 1;
}

int devices_path(const char *source, char *ret)
{
	struct text t = text_start(ret, DEVICE_BYTES);

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (str_starts(source, links[i].prefix))
			return link_path(links[i].directory, source + strlen(links[i].prefix), ret);
	if (!str_starts(source, "/dev/"))
		return 0;
	while (*source) {
		unsigned char c = next_byte(&source);

		if (!c)
			return -EINVAL;
		text_add_n(&t, (const char *)&c, 1);
	}
	if (strstr(ret, "/../"))
		return -EINVAL;
	return t.cut ? -ENAMETOOLONG : 1;
}

static bool has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	for (;; options++) {
		if (str_starts(options, name) && (options[n] == 0 || options[n] == ','))
			return true;
		options = strchr(options, ',');
		if (!options)
			return false;
	}
}

int devices_line(char *line, char *ret)
{
	char *source = line_word(&line);
	const char *target, *type, *options;

	if (!source || source[0] == '#')
		return 0;
	target = line_word(&line);
	type = line_word(&line);
	options = line_word(&line);
	if (!target || !type)
		return -EINVAL;
	/* The root is mounted already, by whatever name the kernel was given. */
	if (str_same(target, "/") ||
	    (options && (has_option(options, "nofail") || has_option(options, "noauto"))))
		return 0;
	return devices_path(source, ret);
}

static void collect(struct needed *n, bool by_links)
{
	static struct lines lines;
	char *line;

	if (lines_open(&lines, FSTAB) < 0)
		return;
	while (lines_next(&lines, &line) == 1) {
		char path[DEVICE_BYTES];
		int r = devices_line(line, path);

		if (r < 0)
			companion_say(SYS_LOG_WARNING, FSTAB, "a line is not used", r);
		if (r <= 0 || (!by_links && str_starts(path, "/dev/disk/by-")))
			continue;
		if (n->count == DEVICES_MAX) {
			n->left_out++;
			continue;
		}
		(void)str_copy(n->path[n->count++], DEVICE_BYTES, path);
	}
	lines_shut(&lines);
}

/* How many are still missing. */
static unsigned look(struct needed *n)
{
	unsigned missing = 0;

	for (unsigned i = 0; i < n->count; i++) {
		struct sys_stat st;

		if (!n->there[i])
			n->there[i] = sys_stat_at(AT_FDCWD, n->path[i], 0, &st) >= 0;
		missing += !n->there[i];
	}
	return missing;
}

static void report(const struct companion *c, const struct needed *n, unsigned missing,
		   uint64_t start)
{
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);
	unsigned named = 0;

	if (!missing) {
		text_add(text_u64(&t, n->count), " there");
		if (n->left_out)
			text_add(text_u64(text_add(&t, ", not looked for: "), n->left_out),
				 " more");
		companion_item(c, RESULT_OK, 0, start, "devices", line);
		return;
	}
	text_add(text_u64(&t, missing), " missing:");
	for (unsigned i = 0; i < n->count; i++) {
		if (n->there[i])
			continue;
		companion_say(SYS_LOG_WARNING, "device missing", n->path[i], 0);
		if (named++ < NAMED_MAX)
			text_add(text_add(&t, " "), n->path[i]);
	}
	companion_item(c, RESULT_TIMEOUT, 0, start, "devices", line);
}

bool devices_wait(const struct companion *c, bool by_links, uint64_t until_ns)
{
	static struct needed needed;
	uint64_t start = sys_now_ns();
	unsigned missing, pause_ms = LOOK_FIRST_MS;

	collect(&needed, by_links);
	missing = look(&needed);
	while (missing && companion_ms_left(until_ns)) {
		unsigned left = (unsigned)companion_ms_left(until_ns);

		sys_sleep_ms(pause_ms < left ? pause_ms : left);
		pause_ms = pause_ms * 2 < LOOK_LAST_MS ? pause_ms * 2 : LOOK_LAST_MS;
		missing = look(&needed);
	}
	if (needed.count || needed.left_out)
		report(c, &needed, missing, start);
	return !missing;
}
