/* SPDX-License-Identifier: MIT */
/*
 * path.c - image paths of Windows brought into one form, so that they can be compared
 *
 * The same file is written in many ways (a drive, a device, SystemRoot, NT's prefixes, doubled
 * separators). What cannot be resolved without the machine is marked, never guessed: short names
 * and what did not fit. Pure text; nothing is ever looked up on a disk.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/rules.h"

static char fold(char c)
{
	if (c == '/')
		return '\\';
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Is prefix (written folded) what s begins with? Returns what follows, else NULL. */
static const char *after(const char *s, const char *prefix)
{
	for (; *prefix; s++, prefix++) {
		if (fold(*s) != *prefix)
			return NULL;
	}
	return s;
}

const char *path_base(const char *path)
{
	const char *base = path;

	for (const char *s = path; *s; s++) {
		if (*s == '\\' || *s == '/')
			base = s + 1;
	}
	return base;
}

/* The prefixes of the object manager and of Win32, also one behind the other. */
static const char *skip_prefixes(const char *s, struct windows_path *ret)
{
	static const char *const nothing[] = {"\\??\\",         "\\\\?\\",      "\\\\.\\",
					      "\\dosdevices\\", "\\global??\\", "globalroot\\"};

	for (unsigned round = 0; round < 4; round++) {
		const char *next = NULL;

		for (unsigned i = 0; i < ARRAY_SIZE(nothing) && !next; i++)
			next = after(s, nothing[i]);
		if (!next && round && (next = after(s, "unc\\")))
			ret->unc = true;
		if (!next)
			break;
		s = next;
		if (fold(*s) == 'd' && after(s, "device\\"))
			s--; /* GLOBALROOT\Device: the separator is the path's own */
	}
	return s;
}

/* What stands for the system's directory. Returns what follows it. */
static const char *skip_system_root(const char *s)
{
	static const char *const words[] = {"\\systemroot", "%systemroot%", "%%systemroot%%",
					    "%windir%",     "%%windir%%",   "systemroot"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		const char *next = after(s, words[i]);

		if (next && (fold(*next) == '\\' || !*next))
			return next;
	}
	return NULL;
}

/* PROGRA~1, SMSS~1.EXE: at most 8 characters, a tilde with a digit, at most 3 behind the dot. */
static bool is_short_name(const char *s, size_t n)
{
	const char *tilde = memchr(s, '~', n);
	const char *dot = memchr(s, '.', n);
	size_t stem = dot ? (size_t)(dot - s) : n;

	return tilde && (size_t)(tilde - s) + 1 < stem && tilde > s && tilde[1] >= '0' &&
	       tilde[1] <= '9' && stem <= 8 && n - stem <= 4;
}

static void drop_component(struct text *t, size_t floor)
{
	while (t->len > floor && t->at[t->len - 1] != '\\')
		t->len--;
	if (t->len > floor)
		t->len--;
	t->at[t->len] = '\0';
}

/*
 * Append the components of s; .. never climbs above the first floor bytes. Win32 drops blanks from
 * a path's end only: "C:\Windows \System32" is a directory of its own, and not the system's.
 */
static void add_components(struct text *t, const char *s, size_t floor, struct windows_path *ret)
{
	while (*s) {
		const char *begin = s;
		size_t n;

		while (*s && fold(*s) != '\\')
			s++;
		n = (size_t)(s - begin);
		if (*s)
			s++;
		if (n == 2 && begin[0] == '.' && begin[1] == '.') {
			drop_component(t, floor);
			continue;
		}
		while (n > 0 && (begin[n - 1] == '.' || (!*s && begin[n - 1] == ' ')))
			n--;
		if (n == 0)
			continue;
		ret->short_name |= is_short_name(begin, n);
		if (t->len > 0)
			text_add(t, "\\");
		for (size_t i = 0; i < n; i++)
			text_add_n(t, &(char){fold(begin[i])}, 1);
	}
}

static bool is_remote_device(const char *s)
{
	return after(s, "\\device\\mup\\") || after(s, "\\device\\lanmanredirector\\") ||
	       after(s, "\\device\\webdavredirector\\");
}

void path_windows(const char *path, const char *root, struct windows_path *ret)
{
	struct text t;
	const char *s = path, *rest;
	char raw[1024];
	size_t n, floor = 0;

	*ret = (struct windows_path){0};
	t = TEXT_ON(ret->text);
	while (*s == ' ' || *s == '\t' || *s == '"')
		s++;
	n = str_len(s, sizeof(raw) - 1);
	ret->cut = s[n] != '\0';
	memcpy(raw, s, n);
	while (n > 0 && (raw[n - 1] == ' ' || raw[n - 1] == '\t' || raw[n - 1] == '"'))
		n--;
	raw[n] = '\0';
	s = skip_prefixes(raw, ret);
	if ((rest = skip_system_root(s))) {
		add_components(&t, root ? root : "c:\\windows", 0, ret);
		ret->device = after(ret->text, "device\\harddiskvolume") != NULL;
		floor = t.len < 2 || ret->device ? t.len : 2;
		s = rest;
	} else if (is_remote_device(s)) {
		ret->unc = true;
	} else if (after(s, "\\device\\")) {
		ret->device = true;
	} else if (fold(s[0]) == '\\' && fold(s[1]) == '\\') {
		ret->unc = true;
	} else if (s[0] && s[1] == ':') {
		floor = 2;
	}
	add_components(&t, s, floor, ret);
	if (ret->device && !t.cut && t.len + 1 < sizeof(ret->text)) {
		memmove(ret->text + 1, ret->text, t.len + 1);
		ret->text[0] = '\\';
	}
	ret->cut |= t.cut;
}

bool path_at_home(const struct windows_path *p, unsigned home)
{
	static const char device[] = "\\device\\harddiskvolume", windows[] = "\\windows\\";
	const char *below = p->text + 2;

	if (p->device && str_starts(p->text, device))
		below = strchr(p->text + sizeof(device) - 1, '\\');
	else if (!str_starts(p->text, "c:"))
		return false;
	if (!below || !str_starts(below, windows))
		return false;
	below += sizeof(windows) - 1;
	if (!str_starts(below, "system32\\") &&
	    (!(home & HOME_SYSWOW64) || !str_starts(below, "syswow64\\")))
		return false;
	return !strchr(below + sizeof("system32\\") - 1, '\\');
}

const char *path_image_name(const char *path, char room[IMAGE_NAME_BYTES])
{
	const char *base = path_base(path);
	size_t n = strlen(base), end = n;
	struct windows_path p;
	unsigned home;

	while (end > 0 && (base[end - 1] == ' ' || base[end - 1] == '.'))
		end--;
	if (end == n || end == 0 || end >= IMAGE_NAME_BYTES || base == path)
		return base;
	path_windows(path, NULL, &p);
	home = name_home(path_base(p.text));
	if (p.cut || p.unc || !home || !path_at_home(&p, home))
		return base;
	memcpy(room, base, end);
	room[end] = '\0';
	return room;
}
