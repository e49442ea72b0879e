/* SPDX-License-Identifier: MIT */
/*
 * proven.c - ImagePolicy: an image is started only when the signed catalogue vouches for it
 *
 * smreg proved the catalogue's signature when it made the plan, and put its digests there; here
 * they are only compared. An image is started by its path, which only root can change (law 12), so
 * that its name stays what people and tools know it by; what was hashed is the very file that was
 * found there. Must never look at the catalogue's text: only whether it is still the same.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#define PART_BYTES 8192u

static int add_file(struct sha256 *s, int fd)
{
	uint8_t part[PART_BYTES];
	ssize_t n;

	while ((n = sys_read(fd, part, sizeof(part))) > 0)
		sha256_add(s, part, (size_t)n);
	return (int)n;
}

static int add_path(struct sha256 *s, const char *path)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);

	return fd < 0 ? fd : add_file(s, fd);
}

bool proven_catalog(const struct plan_header *p)
{
	uint8_t want[SHA256_BYTES], now[SHA256_BYTES];
	struct sha256 s;

	if (p->settings.image_policy == PLAN_IMAGES_OFF)
		return true;
	if (sha256_from_hex(plan_text(p, PLAN_CATALOG, ""), want) < 0)
		return false; /* there was none: there may be one by now */
	sha256_start(&s);
	if (add_path(&s, CATALOG_PATH) < 0 || add_path(&s, CATALOG_KEY_PATH) < 0)
		return false;
	sha256_end(&s, now);
	return bytes_same(want, now, sizeof(now));
}

static const char *digest_of(const struct plan_header *p, const char *path)
{
	for (uint32_t i = 0; i < plan_count(p, PLAN_IMAGES); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_IMAGES, i);

		if (str_same(plan_string(p, row->name), path))
			return plan_string(p, row->text);
	}
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *fault_of(const struct plan_header *p, int found, const char *path)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	uint8_t want[SHA256_BYTES], is[SHA256_BYTES];
	const char *hex = digest_of(p, path);
	struct sys_stat a, b;
	struct sha256 s;

	if (!hex || sha256_from_hex(hex, want) < 0)
		return "not in the signed catalogue";
	if (fd < 0 || sys_stat_fd(fd, &a) < 0 || sys_stat_fd(found, &b) < 0 || a.dev != b.dev ||
	    a.ino != b.ino)
		return "cannot be read to compare it with the signed catalogue";
	sha256_start(&s);
	if (add_file(&s, fd) < 0)
		return "cannot be read to compare it with the signed catalogue";
	sha256_end(&s, is);
	return bytes_same(want, is, sizeof(is)) ? NULL : "is not the one of the signed catalogue";
}

int copy_prove_image(const struct copy *c, int fd, const char *path, const char **ret_why)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	const char *fault;

	if (!c->plan || c->plan->settings.image_policy == PLAN_IMAGES_OFF ||
	    !plan_text(c->plan, PLAN_CATALOG, "")[0])
		return 0; /* warn without a list: that was said when the plan was made */
	fault = fault_of(c->plan, fd, path);
	if (!fault)
		return 0;
	if (c->plan->settings.image_policy == PLAN_IMAGES_ENFORCE) {
		*ret_why = fault;
		return -EACCES;
	}
	text_add(text_add(&t, fault), "; started: ImagePolicy is warn");
	copy_item(c, RESULT_DEGRADED, 0, 0, path, room);
	return 0;
}
