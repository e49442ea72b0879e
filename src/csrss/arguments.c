/* SPDX-License-Identifier: MIT */
/*
 * arguments.c - csrss's command line, see arguments.h
 *
 * Keys are compared without case, as NT compares names. "ProfileControl", "RequestThreads" and
 * "Windows" are known and ignored by NT too.
 */
#include "csrss/arguments.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define SECTION_KB_MAX (1u << 22) /* 4 GiB: what a 32-bit count of kB can sensibly mean */
#define THREADS_MAX    1024u

static int read_number(const char *s, size_t n, uint32_t max, uint32_t *ret)
{
	uint64_t x;

	if (str_u64(s, n, &x) < 0 || x > max)
		return -EINVAL;
	*ret = (uint32_t)x;
	return 0;
}

static int read_directory(const char *value, struct csrss_arguments *ret)
{
	if (!value[0])
		return -EINVAL;
	ret->object_directory = value;
	return 0;
}

static int read_sections(const char *value, struct csrss_arguments *ret)
{
	uint32_t kb[3] = {0};
	unsigned i = 0;

	for (;; i++) {
		const char *end = strchr(value, ',');
		size_t n = end ? (size_t)(end - value) : strlen(value);

		if (i == 3 || read_number(value, n, SECTION_KB_MAX, &kb[i]) < 0)
			return -EINVAL;
		if (!end)
			break;
		value = end + 1;
	}
	memcpy(ret->shared_section_kb, kb, sizeof(kb));
	return 0;
}

/* dll[:entry],index */
static int read_server(const char *value, struct csrss_arguments *ret)
{
	const char *comma = strchr(value, ',');
	const char *colon = strchr(value, ':');
	uint32_t index;

	if (!comma || comma == value || colon == value || (colon && colon + 1 >= comma))
		return -EINVAL;
	if (read_number(comma + 1, strlen(comma + 1), 255, &index) < 0)
		return -EINVAL;
	ret->server_dlls++;
	return 0;
}

static int read_threads(const char *value, struct csrss_arguments *ret)
{
	uint32_t n;

	if (read_number(value, strlen(value), THREADS_MAX, &n) < 0 || !n)
		return -EINVAL;
	ret->max_request_threads = n;
	return 0;
}

static int read_subsystem(const char *value, struct csrss_arguments *ret)
{
	(void)ret;
	return str_same_fold(value, "Windows") ? 0 : -EINVAL;
}

static int read_ignored(const char *value, struct csrss_arguments *ret)
{
	(void)value;
	(void)ret;
	return 0;
}

static const struct {
	const char *key;
	int (*read)(const char *value, struct csrss_arguments *ret);
} keys[] = {
	{"ObjectDirectory", read_directory}, {"SharedSection", read_sections},
	{"ServerDll", read_server},          {"SubSystemType", read_subsystem},
	{"MaxRequestThreads", read_threads}, {"RequestThreads", read_ignored},
	{"ProfileControl", read_ignored},    {"Windows", read_ignored},
};

static int read_word(const char *word, struct csrss_arguments *ret)
{
	const char *equals = strchr(word, '=');
	char key[32];

	if (!equals || (size_t)(equals - word) >= sizeof(key))
		return -EINVAL;
	memcpy(key, word, (size_t)(equals - word));
	key[equals - word] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (str_same_fold(keys[i].key, key))
			return keys[i].read(equals + 1, ret);
	return -EINVAL;
}

int csrss_arguments_read(int argc, char *const *argv, struct csrss_arguments *ret,
			 const char **ret_bad)
{
	struct csrss_arguments a = {.object_directory = "", .max_request_threads = 16};

	for (int i = 1; i < argc; i++) {
		if (read_word(argv[i], &a) < 0) {
			*ret_bad = argv[i];
			return -EINVAL;
		}
	}
	*ret = a;
	return 0;
}
