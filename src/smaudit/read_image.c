/* SPDX-License-Identifier: MIT */
/*
 * read_image.c - one image file to one fact: PE with version and signatures, or ELF with its digest
 *
 * Reads in pieces of a fixed size whatever the file's size is; never maps and never runs it, and
 * follows nothing that it says. What is neither a PE image, an older program nor ELF is an input
 * error: no rule looks at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/text.h"
#include "smaudit/authenticode.h"
#include "smaudit/facts.h"
#include "smaudit/pe.h"
#include "smaudit/readers.h"
#include "smaudit/rules.h"

#define READ_BYTES    (64u << 10)
#define PROGRESS_STEP (64u << 20)
#define IMAGES_BELOW  "/lib/smss/"

static const struct catalog *catalog_asked;

void image_catalog(const struct catalog *c)
{
	catalog_asked = c;
}

struct room { /* what a fact's texts point into, until the sink has returned */
	struct pe pe;
	struct pe_version version;
	struct authenticode signatures;
	char sha256[2 * SHA256_BYTES + 1], authentihash[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES];
};

static void trouble(const struct sink *to, const char *path, enum trouble t, const char *text)
{
	struct place p = {.file = path};

	if (to->trouble)
		to->trouble(to->arg, &p, t, text);
}

static int hash_file(const struct image_source *s, const char *path, const struct sink *to,
		     uint8_t ret_digest[SHA256_BYTES])
{
	uint8_t *buffer = malloc(READ_BYTES);
	struct sha256 sum;
	int r = buffer ? 0 : -ENOMEM;

	sha256_start(&sum);
	for (uint64_t at = 0; at < s->bytes && r == 0;) {
		size_t n = s->bytes - at < READ_BYTES ? (size_t)(s->bytes - at) : READ_BYTES;

		r = source_read(s, at, buffer, n);
		if (r == 0)
			sha256_add(&sum, buffer, n);
		at += n;
		if (to->progress && at % PROGRESS_STEP == 0)
			to->progress(to->arg, path, at, s->bytes);
	}
	if (r == 0)
		sha256_end(&sum, ret_digest);
	free(buffer);
	return r;
}

static const char *said(const char *text)
{
	return *text ? text : NULL;
}

static void take_version(const struct pe_version *v, struct image_fact *f)
{
	f->file_version = said(v->file_version);
	f->product_version = said(v->product_version);
	f->original_name = said(v->original_name);
	f->internal_name = said(v->internal_name);
	f->company = said(v->company);
	f->product = said(v->product);
	f->description = said(v->description);
	if (!f->malformed)
		f->malformed = v->malformed;
}

static int read_pe(const struct image_source *s, struct room *m, struct image_fact *f)
{
	uint8_t digest[64];
	unsigned bytes = 0;
	int r = pe_open(s, &m->pe);

	if (r < 0)
		return r;
	f->format = m->pe.format;
	f->malformed = m->pe.malformed;
	if (f->format != IMAGE_PE32 && f->format != IMAGE_PE32_PLUS)
		return 0;
	f->machine = m->pe.machine;
	f->subsystem = m->pe.subsystem;
	f->overlay_bytes = m->pe.overlay_bytes;
	r = pe_version_read(s, &m->pe, &m->version);
	if (r < 0 && r != -ENOENT)
		return r;
	take_version(&m->version, f);
	r = authenticode_digest(s, &m->pe, "SHA256", digest, &bytes);
	if (r == 0) {
		sha256_hex(digest, m->authentihash);
		f->authentihash = m->authentihash;
		r = authenticode_read(s, &m->pe, (int64_t)time(NULL), &m->signatures);
	}
	if (r < 0)
		return r;
	memcpy(f->signature, m->signatures.signature, sizeof(f->signature));
	f->signatures = m->signatures.signatures;
	f->slack_bytes = m->signatures.slack_bytes;
	if (!f->malformed)
		f->malformed = m->signatures.malformed;
	if (!f->signatures && m->pe.certificates_bytes) {
		f->signature[0] = (struct image_signature){.state = SIGNATURE_MALFORMED,
							   .stamped_ns = NO_TIME,
							   .why = m->signatures.malformed};
		f->signatures = 1;
	}
	return 0;
}

/* Where the catalogue would have it: its path below the image directory, else its own name. */
static const char *catalog_name(const struct image_fact *f, bool *ret_below)
{
	const char *path = f->claimed_path ? f->claimed_path : f->place.file;
	const char *below = NULL;

	for (const char *at = strstr(path, IMAGES_BELOW); at; at = strstr(at + 1, IMAGES_BELOW))
		below = at + sizeof(IMAGES_BELOW) - 1;
	*ret_below = below && *below;
	return *ret_below ? below : path_base(path);
}

/* Of a header's first 20 bytes; its sixth says which byte comes first. */
static uint16_t elf_machine(const uint8_t *head)
{
	return head[5] == 2 ? (uint16_t)(head[18] << 8 | head[19]) : get_le16(head + 18);
}

bool image_elf_machine(const char *path, uint16_t *ret)
{
	uint8_t head[20];
	struct image_source s = {.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK),
				 .bytes = sizeof(head)};
	bool is_elf;

	if (s.fd < 0)
		return false;
	is_elf = source_read(&s, 0, head, sizeof(head)) == 0 && !memcmp(head, "\177ELF", 4);
	(void)close(s.fd);
	if (is_elf)
		*ret = elf_machine(head);
	return is_elf;
}

static int read_elf(const struct image_source *s, const struct room *m, struct image_fact *f)
{
	static const char *const names[] = {"autochk",   "autochk-full", "csrss",
					    "logon-pam", "pnp",          "smreg",
					    "smss",      "wininit",      "winlogon"};
	uint8_t head[20];
	const uint8_t *digest;
	bool below;
	const char *name = catalog_name(f, &below);
	int r = source_read(s, 0, head, sizeof(head));

	if (r < 0)
		return r == -ERANGE ? -ENOEXEC : r;
	f->format = IMAGE_ELF;
	f->machine = elf_machine(head);
	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		f->ours = f->ours || !strcmp(path_base(name), names[i]);
	f->ours = f->ours || below;
	digest = catalog_asked ? catalog_find(catalog_asked, name) : NULL;
	if (catalog_asked && !digest) /* other programs stand there by their whole path */
		digest = catalog_find(catalog_asked,
				      f->claimed_path ? f->claimed_path : f->place.file);
	if (digest)
		f->ours = true;
	if (!f->ours && !catalog_asked)
		return 0;
	f->catalogue_asked = catalog_asked != NULL;
	f->signature[0] = (struct image_signature){.state = SIGNATURE_NONE, .stamped_ns = NO_TIME};
	f->signatures = 1;
	if (digest)
		f->signature[0].state = bytes_same(digest, m->digest, SHA256_BYTES)
						? SIGNATURE_CATALOGUED
						: SIGNATURE_MISMATCH;
	return 0;
}

static int read_source(const struct image_source *s, const char *path, const char *claimed,
		       const struct sink *to)
{
	struct image_fact f = image_fact_none();
	struct room *m = calloc(1, sizeof(*m));
	uint8_t magic[4] = {0};
	int r = m ? 0 : -ENOMEM;

	f.place.file = path;
	f.claimed_path = claimed;
	f.bytes = s->bytes;
	if (r == 0)
		r = source_read(s, 0, magic, s->bytes < 4 ? (size_t)s->bytes : 4);
	if (r == 0 && memcmp(magic, "\177ELF", 4) && memcmp(magic, "MZ", 2))
		r = -ENOEXEC;
	if (r == 0)
		r = hash_file(s, path, to, m->digest);
	if (r == 0) {
		sha256_hex(m->digest, m->sha256);
		f.sha256 = m->sha256;
		r = *magic == 'M' ? read_pe(s, m, &f) : read_elf(s, m, &f);
	}
	if (r == 0 && to->image)
		to->image(to->arg, &f);
	free(m);
	return r;
}

int read_image(const char *path, const char *claimed, const struct sink *to)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), r = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	if (r == 0) {
		struct image_source s = {.fd = fd, .bytes = (uint64_t)st.st_size};

		r = read_source(&s, path, claimed, to);
	}
	if (fd >= 0)
		(void)close(fd);
	if (r == -ENOEXEC)
		trouble(to, path, TROUBLE_INPUT, "it is neither a PE image nor an ELF one");
	else if (r == -ERANGE)
		trouble(to, path, TROUBLE_INPUT, "it became shorter while it was read");
	else if (r == -EINVAL)
		trouble(to, path, TROUBLE_INPUT, "it is not a file that can be read as an image");
	else if (r < 0)
		trouble(to, path, TROUBLE_INPUT, err_text(-r));
	return r;
}
