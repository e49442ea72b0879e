/* SPDX-License-Identifier: MIT */
/*
 * plan_images.c - what the signed catalogue vouches for, as rows of the plan
 *
 * Copies link no libcrypto: they compare digests, and this proves beforehand that the digests are
 * those that somebody signed. Only with ImagePolicy; without it neither file is looked at. A list
 * that cannot be believed gives no row at all: with enforce that is an error, so that no commit
 * makes a hive which then boots nothing, and a boot leaves the level (boot.c).
 */
#include <errno.h>
#include <string.h>

#include "registry/draft.h"
#include "smss/copy.h"

static void add_rows(struct draft *d, const struct catalog *c)
{
	const uint8_t *digest;
	const char *name;

	for (size_t i = 0; (name = catalog_at(c, i, &digest)); i++) {
		char *hex = arena_take(d->arena, 2 * SHA256_BYTES + 1);

		if (!hex)
			return;
		sha256_hex(digest, hex);
		draft_add(d, PLAN_IMAGES,
			  (struct draft_row){
				  .name = *name == '/'
						  ? draft_text(d, "%s", name)
						  : draft_text(d, "%s/%s", IMAGE_DIRECTORY, name),
				  .text = hex});
	}
}

static int prove(struct draft *d, const struct catalog_files *f, char *why, size_t why_cap)
{
	uint8_t identity[SHA256_BYTES];
	struct catalog *c = NULL;
	char *hex = arena_take(d->arena, 2 * SHA256_BYTES + 1);
	int r = hex ? catalog_prove(f, &c, why, why_cap) : -ENOMEM;

	if (r < 0)
		return r;
	add_rows(d, c);
	catalog_free(c);
	catalog_identity(f, identity);
	sha256_hex(identity, hex);
	draft_add(d, PLAN_TEXTS, (struct draft_row){.name = PLAN_CATALOG, .text = hex});
	return 0;
}

void images_rows(struct draft *d, char *why, size_t why_cap)
{
	const uint32_t policy = d->settings->image_policy;
	struct catalog_files own = {.error = 0};
	const struct catalog_files *f = d->from->catalog;

	if (policy == PLAN_IMAGES_OFF || d->failed)
		return;
	if (!f) {
		catalog_files_read(d->from->hive_path, &own);
		f = &own;
	}
	if (prove(d, f, why, why_cap) < 0) {
		d->at = "Session Manager\\ImagePolicy";
		if (policy == PLAN_IMAGES_ENFORCE)
			draft_say(d, PLAN_NOTE_ERROR, "%s; with enforce no boot can use this hive",
				  why);
		else
			draft_say(d, PLAN_NOTE_WARNING, "%s; images are not checked", why);
	}
	catalog_files_free(&own);
}
