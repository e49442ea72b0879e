/* SPDX-License-Identifier: MIT */
/*
 * show.c - keys, values and remarks as lines of text; see show.h
 */
#include "registry/show.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "registry/utf.h"

void show_escaped(FILE *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = utf8_next(s + i, n - i, &c);

		if (utf8_printable(c))
			fwrite(s + i, 1, len, out);
		else if (c == UTF_BAD || c < 0x80)
			fprintf(out, "\\x%02X", (unsigned char)s[i]);
		else
			fprintf(out, "\\u{%X}", c);
		i += len;
	}
}

void show_key_path(FILE *out, const struct reg_key *k)
{
	if (!k->parent) {
		fputs("HKEY_LOCAL_MACHINE\\SYSTEM", out);
		return;
	}
	show_key_path(out, k->parent);
	fputc('\\', out);
	show_escaped(out, k->name, k->name_bytes);
}

static void show_hex(FILE *out, const struct reg_value *v)
{
	for (uint32_t i = 0; i < v->bytes; i++)
		fprintf(out, "%02X", v->data[i]);
}

static void show_string(FILE *out, const char *s)
{
	if (*s)
		show_escaped(out, s, strlen(s));
	else
		fputs("(an empty string)", out);
}

/* PendingFileRenameOperations and its second: pairs. */
static bool is_queue(const struct reg_value *v)
{
	static const char *const names[] = {"PendingFileRenameOperations",
					    "PendingFileRenameOperations2"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (utf8_same_fold(v->name, v->name_bytes, names[i], strlen(names[i])))
			return true;
	return false;
}

static void show_pair(FILE *out, const char *source, const char *target)
{
	if (target && !*target)
		fputs("delete ", out);
	show_string(out, source);
	if (!target || *target)
		fputs(" -> ", out);
	if (!target)
		fputs("(no target)", out);
	else
		show_escaped(out, target, strlen(target));
}

/* One string, or one entry of the rename queue, on a line. */
static void show_list(FILE *out, const struct reg_value *v, struct reg_arena *scratch)
{
	char **list;
	size_t count, step = is_queue(v) ? 2 : 1;

	if (value_list(scratch, v, &list, &count, NULL) < 0)
		return;
	for (size_t i = 0; i < count; i += step) {
		fputs(i ? "\n        " : "", out);
		if (step == 1)
			show_string(out, list[i]);
		else
			show_pair(out, list[i], i + 1 < count ? list[i + 1] : NULL);
	}
}

static void show_data(FILE *out, const struct reg_value *v, struct reg_arena *scratch)
{
	uint32_t number;
	uint64_t big;
	const char *s;

	switch (v->type) {
	case REG_SZ:
	case REG_EXPAND_SZ:
	case REG_LINK:
		s = value_text(scratch, v, NULL);
		if (s)
			show_escaped(out, s, strlen(s));
		return;
	case REG_MULTI_SZ:
		show_list(out, v, scratch);
		return;
	case REG_DWORD:
		if (value_dword(v, &number)) {
			fprintf(out, "0x%" PRIx32, number);
			return;
		}
		break;
	case REG_QWORD:
		if (v->bytes == 8) {
			memcpy(&big, v->data, 8);
			fprintf(out, "0x%" PRIx64, big);
			return;
		}
		break;
	default:
		break;
	}
	show_hex(out, v);
}

void show_value(FILE *out, const struct reg_value *v, struct reg_arena *scratch)
{
	const char *word = reg_type_word(v->type);

	fputs("    ", out);
	if (v->name_bytes)
		show_escaped(out, v->name, v->name_bytes);
	else
		fputs("(Default)", out);
	if (word)
		fprintf(out, "    %s    ", word);
	else
		fprintf(out, "    REG_0x%08" PRIX32 "    ", v->type);
	show_data(out, v, scratch);
	fputc('\n', out);
}

#define FILETIME_SECOND 10000000u    /* in units of 100 ns */
#define FILETIME_UNIX   11644473600u /* seconds from 1601 to 1970 */

const char *show_time(uint64_t filetime, char room[40])
{
	time_t s = (time_t)(filetime / FILETIME_SECOND) - FILETIME_UNIX;
	struct tm t;

	if (!filetime || !gmtime_r(&s, &t) || !strftime(room, 40, "%Y-%m-%dT%H:%M:%SZ", &t))
		return "";
	return room;
}

void show_written(FILE *out, const struct reg_key *k)
{
	char room[40];
	const char *when = show_time(k->written, room);

	fprintf(out, "    last written %s\n", *when ? when : "at no known time");
}

void show_key(FILE *out, const struct reg_key *k, unsigned how, struct reg_arena *scratch)
{
	bool recursive = how & SHOW_BELOW;

	show_key_path(out, k);
	fputc('\n', out);
	if (how & SHOW_TIMES)
		show_written(out, k);
	for (uint32_t i = 0; i < k->value_count; i++)
		show_value(out, &k->values[i], scratch);
	if (k->child_count)
		fputc('\n', out);
	for (uint32_t i = 0; i < k->child_count; i++) {
		if (recursive) {
			show_key(out, k->children[i], how, scratch);
			if (i + 1 < k->child_count)
				fputc('\n', out);
		} else {
			show_key_path(out, k->children[i]);
			fputc('\n', out);
		}
	}
}

/* The name of a root of Windows' registry, whole, at the start of a path. */
static bool is_root(const char *key)
{
	static const char *const words[] = {"HKLM", "HKCU", "HKCR", "HKU", "HKCC", "HKPD"};
	size_t n = strcspn(key, "\\");

	if (n >= 5 && utf8_same_fold(key, 5, "HKEY_", 5))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (utf8_same_fold(key, n, words[i], strlen(words[i])))
			return true;
	return false;
}

const char *key_below_root(const char *key)
{
	static const char *const roots[] = {"HKEY_LOCAL_MACHINE\\SYSTEM", "HKLM\\SYSTEM"};
	static const char computer[] = "Computer\\"; /* as regedit's address bar has it */
	size_t n = strlen(computer);

	key += strspn(key, "\\");
	if (strlen(key) > n && utf8_same_fold(key, n, computer, n) && is_root(key + n))
		key += n;
	for (unsigned i = 0; i < 2; i++) {
		n = strlen(roots[i]);
		if (strlen(key) >= n && utf8_same_fold(key, n, roots[i], n) &&
		    (key[n] == '\0' || key[n] == '\\'))
			return key + n + strspn(key + n, "\\");
	}
	return is_root(key) ? NULL : key;
}

void show_missing_key(FILE *out, const struct reg_tree *t, const char *path)
{
	const struct reg_key *last = t->root;

	fputs("smreg: ", out);
	show_escaped(out, path, strlen(path));
	fputs(": no such key\n", out);
	if (strchr(path, '/'))
		fputs("smreg: a \\ parts the names of keys, not a /\n", out);
	for (size_t n = 0;; n++) {
		n += strcspn(path + n, "\\");
		const struct reg_key *k = tree_find(t, path, n);

		if (k)
			last = k;
		if (!k || !path[n])
			break;
	}
	fputs("smreg: ", out);
	show_key_path(out, last);
	fputs(last->child_count ? " is there, with the keys:\n" : " is there, without subkeys\n",
	      out);
	for (uint32_t i = 0; i < last->child_count; i++) {
		fputs("    ", out);
		show_escaped(out, last->children[i]->name, last->children[i]->name_bytes);
		fputc('\n', out);
	}
}

void show_remark(FILE *out, const struct remark *r, const char *file, bool before)
{
	if (file) {
		show_escaped(out, file, strlen(file));
		fprintf(out, ":%" PRIu32 ": ", ORIGIN_LINE(r->origin));
	}
	fprintf(out, "%s: ", remark_word(r->kind));
	show_escaped(out, r->path, strlen(r->path));
	fputs(": ", out);
	show_escaped(out, r->text, strlen(r->text));
	fputs(before ? " (it was there before this command)\n" : "\n", out);
}

size_t show_remarks(FILE *out, const struct remarks *r, bool all)
{
	size_t shown = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->at[i].kind == REMARK_UNUSED && !all)
			continue;
		show_remark(out, &r->at[i], NULL, false);
		shown++;
	}
	if (r->lost)
		fprintf(out, "warning: %zu more remarks\n", r->lost);
	return shown;
}
