/* SPDX-License-Identifier: MIT */
/*
 * text.c - building and reading short texts, see text.h
 *
 * Every write goes through text_add_n, which is where the room is counted; nothing else may touch
 * the storage.
 */
#include "base/text.h"

#include <errno.h>
#include <string.h>

struct text text_start(char *storage, size_t cap)
{
	if (cap)
		storage[0] = 0;
	return (struct text){.at = storage, .cap = cap};
}

struct text *text_add_n(struct text *t, const char *s, size_t n)
{
	size_t room = t->cap ? t->cap - 1 - t->len : 0;

	if (n > room) {
		n = room;
		t->cut = true;
	}
	memcpy(t->at + t->len, s, n);
	t->len += n;
	if (t->cap)
		t->at[t->len] = 0;
	return t;
}

struct text *text_add(struct text *t, const char *s)
{
	return s ? text_add_n(t, s, strlen(s)) : text_add_n(t, "(none)", 6);
}

struct text *text_u64(struct text *t, uint64_t n)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	return text_add_n(t, digits + i, sizeof(digits) - i);
}

struct text *text_i64(struct text *t, int64_t n)
{
	if (n >= 0)
		return text_u64(t, (uint64_t)n);
	text_add_n(t, "-", 1);
	return text_u64(t, 0 - (uint64_t)n);
}

struct text *text_hex(struct text *t, uint64_t n)
{
	char digits[16];
	size_t i = sizeof(digits);

	do {
		digits[--i] = "0123456789ABCDEF"[n & 15];
		n >>= 4;
	} while (n || i > sizeof(digits) - 8);
	text_add_n(t, "0x", 2);
	return text_add_n(t, digits + i, sizeof(digits) - i);
}

struct text *text_escaped(struct text *t, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		char hex[4] = {'\\', 'x', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

		if (c < 0x20 || c >= 0x7f || c == '\\')
			text_add_n(t, hex, 4);
		else
			text_add_n(t, s + i, 1);
	}
	return t;
}

size_t str_len(const char *s, size_t cap)
{
	size_t n = 0;

	while (n < cap && s[n])
		n++;
	return n;
}

bool str_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_same_fold(const char *a, const char *b)
{
	for (; *a && fold(*a) == fold(*b); a++)
		b++;
	return fold(*a) == fold(*b);
}

bool str_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

bool str_copy(char *field, size_t cap, const char *s)
{
	size_t n = str_len(s, cap);
	bool whole = n < cap;

	if (!whole)
		n = cap - 1;
	memcpy(field, s, n);
	memset(field + n, 0, cap - n);
	return whole;
}

int str_u64(const char *s, size_t n, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t x = 0;

	if (n > 2 && s[0] == '0' && fold(s[1]) == 'x') {
		base = 16;
		s += 2;
		n -= 2;
	}
	if (!n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		char c = fold(s[i]);
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
						    : 16;

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(x, base, &x) || __builtin_add_overflow(x, d, &x))
			return -ERANGE;
	}
	*ret = x;
	return 0;
}

static bool letter_or_digit(char c)
{
	c = fold(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool str_is_host_name(const char *name)
{
	size_t n = str_len(name, 65);

	if (!n || n == 65 || !letter_or_digit(name[0]) || !letter_or_digit(name[n - 1]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!letter_or_digit(name[i]) && name[i] != '-' && name[i] != '.')
			return false;
	return true;
}

const char *err_text(int err)
{
	static const struct {
		int err;
		const char *text;
	} texts[] = {
		{EPERM, "operation not permitted"},
		{ENOENT, "no such file or directory"},
		{ESRCH, "no such process"},
		{EINTR, "interrupted"},
		{EIO, "input/output error"},
		{ENXIO, "no such device"},
		{E2BIG, "too long"},
		{ENOEXEC, "not an executable"},
		{EBADF, "bad file descriptor"},
		{ECHILD, "no child"},
		{EAGAIN, "try again"},
		{ENOMEM, "out of memory"},
		{EACCES, "permission denied"},
		{EBUSY, "busy"},
		{EEXIST, "exists already"},
		{EXDEV, "on another file system"},
		{ENODEV, "no such device"},
		{ENOTDIR, "not a directory"},
		{EISDIR, "is a directory"},
		{EINVAL, "invalid"},
		{ENFILE, "too many open files"},
		{EMFILE, "too many open files"},
		{ETXTBSY, "in use"},
		{EFBIG, "too large"},
		{ENOSPC, "no space left"},
		{EROFS, "read-only file system"},
		{EMLINK, "too many links"},
		{EPIPE, "other side is gone"},
		{ERANGE, "out of range"},
		{ENAMETOOLONG, "name too long"},
		{ENOSYS, "not in this kernel"},
		{ENOTEMPTY, "directory not empty"},
		{ELOOP, "a link is in the way"},
		{EPROTO, "another version"},
		{EMSGSIZE, "wrong length"},
		{EILSEQ, "damaged"},
		{ENOTSUP, "not supported there"},
		{ETIMEDOUT, "timed out"},
		{ECONNREFUSED, "nobody answers"},
		{EDQUOT, "quota exceeded"},
		{ESTALE, "stale"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].err == err)
			return texts[i].text;
	return "error";
}
