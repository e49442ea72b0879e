/* SPDX-License-Identifier: MIT */
/*
 * hives.c - hives and plans of the LastKnownGood test, see hives.h
 */
#include "hives.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "law.h"
#include "smss/copy.h"
#include "state/state.h"

bool reader_wanted;

bool hive_is_bad(uint32_t edition)
{
	return edition % 5 == 4;
}

uint32_t hive_allowed(uint32_t edition)
{
	return 1 + edition % 3;
}

void hive_make(struct hive *h, uint32_t edition)
{
	memset(h, 0, HIVE_BLOCK_BYTES);
	memcpy(h->magic, "regf", 4);
	h->edition = edition;
	h->bad = hive_is_bad(edition);
	for (size_t i = 0; i < sizeof(h->body); i++)
		h->body[i] = (uint8_t)(edition * 31 + i);
	h->crc = crc32c(edition, h->body, sizeof(h->body));
}

uint32_t hive_on_disk(const char *path)
{
	size_t n = 0;
	const struct hive *h = sim_look(path, &n);
	struct hive want;

	if (!h)
		return 0;
	LAW(n == sizeof(*h));
	hive_make(&want, h->edition);
	LAW(!memcmp(h, &want, sizeof(want)));
	return h->edition;
}

static uint64_t plan_room[1024];

int hive_plan(uint32_t edition, const struct plan_header **ret)
{
	static char pool[4096];
	static struct hive h;
	uint8_t digest[SHA256_BYTES];
	struct plan_builder b;

	hive_make(&h, edition);
	sha256_of(&h, sizeof(h), digest);
	plan_begin(&b, PLAN_MAGIC, plan_room, sizeof(plan_room), pool, sizeof(pool));
	plan_settings_of(&b)->boot_attempts = hive_allowed(edition);
	plan_fit_to(&b, (const uint8_t *)&h, sizeof(h), digest);
	*ret = (const struct plan_header *)(const void *)plan_room;
	return plan_end(&b);
}

void hive_digest(uint32_t edition, uint8_t ret[SHA256_BYTES])
{
	static struct hive h;

	memset(ret, 0, SHA256_BYTES);
	if (!edition)
		return;
	hive_make(&h, edition);
	sha256_of(&h, HIVE_BLOCK_BYTES, ret);
}

void hive_plan_is_right(const char *path, uint32_t edition)
{
	static uint64_t room[1024];
	static struct hive h;
	size_t n = 0;
	const void *file = sim_look(path, &n);
	const struct plan_header *p = (const void *)room;

	if (!file || !edition)
		return;
	LAW(n <= sizeof(room));
	memcpy(room, file, n);
	LAW(plan_check(room, n, PLAN_MAGIC, NULL) == 0);
	hive_make(&h, edition);
	LAW(plan_fits(p, (const uint8_t *)&h, sizeof(h)) == PLAN_STALE ||
	    p->settings.boot_attempts == hive_allowed(edition));
}

/* ---- what a copy needs of its master ---- */

const char *copy_word(const struct copy *c, const char *name, const char *otherwise)
{
	return str_same(name, "SMSS_STATE") ? STATE : otherwise;
}

void copy_item(const struct copy *c, enum result result, int detail, uint64_t start_ns,
	       const char *name, const char *text)
{
}

int copy_ask(struct sm_message *m, const int *fds, unsigned fd_count)
{
	m->h.status = SM_OK;
	return 0;
}

int copy_open_state(const struct copy *c, bool write)
{
	return sys_open(AT_FDCWD, STATE, O_RDONLY | O_DIRECTORY, 0);
}

int copy_find_image(const struct copy *c, const char *token, int *ret_fd, char *ret_path,
		    size_t path_cap)
{
	reader_wanted = true;
	return -ENOENT;
}
