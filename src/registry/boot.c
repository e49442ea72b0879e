/* SPDX-License-Identifier: MIT */
/*
 * boot.c - smreg at boot; see boot.h
 *
 * Phase 2 of design §3, when SYSTEM.plan does not fit. Every file is opened first, then the walls
 * go up, then the hive is looked at. Nothing is written: the root may be read-only, and a boot
 * never writes the hive. The plan goes to the master as a sealed memfd and is checked there again.
 */
#include "registry/boot.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/run.h"
#include "registry/ed25519.h"
#include "registry/hive.h"
#include "registry/plan_make.h"
#include "registry/sandbox.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

struct boot {
	const char *path;
	const char *name; /* of the hive, for rows */
	struct hive_source hive;
	int queue_fd;
	struct sm_plan_ready ready;
	struct boot_state state;
	struct catalog_files catalog;
	uint32_t groups; /* fingerprint of those that wait; 0 none */
};

static void item(enum result result, int detail, const char *name, const char *text)
{
	struct sm_message m;
	struct text t;

	sm_message_start(&m, SM_PHASE_ITEM, 0, 0);
	m.b.item.result = result;
	m.b.item.detail = detail;
	t = TEXT_ON(m.b.item.name);
	text_escaped(&t, name, strlen(name));
	t = TEXT_ON(m.b.item.text);
	text_escaped(&t, text, strlen(text));
	(void)!sys_send(FD_MASTER, &m, sm_message_bytes(&m), NULL, 0);
}

static int failed(const struct boot *b, int r, const char *text)
{
	item(RESULT_FAILED, r < 0 ? -r : 0, b->name, text);
	return COPY_FAILED;
}

static void read_state(struct boot *b, const char *state)
{
	_close_ int dir = sys_open(AT_FDCWD, state, O_RDONLY | O_DIRECTORY, 0);
	int r = dir < 0 ? dir : state_read(dir, &b->state);
	struct pending_waits waits;

	b->ready.attempts = b->state.attempts[b->ready.level];
	if (r == STATE_DAMAGED || (r < 0 && r != -ENOENT))
		b->ready.flags |= SM_PLAN_STATE_BAD;
	if (dir >= 0 && pending_fingerprint(dir, &waits) >= 0)
		b->groups = waits.fingerprint;
}

static int open_files(struct boot *b)
{
	char path[PATH_BYTES + 8];
	struct text t = TEXT_ON(path);
	int r = hive_source_walk(b->path, &b->hive);

	if (r < 0)
		return r;
	text_add(text_add(&t, b->path), ".queue");
	b->queue_fd = sys_walk(path, O_RDONLY | O_NONBLOCK);
	return 0;
}

/* The queue beside the hive fits it and no boot has run it. It is read here, never handed over. */
static bool queue_waits(const struct boot *b, const struct hive_facts *facts, uint32_t wanted)
{
	uint64_t head[(sizeof(struct plan_header) + 7) / 8];
	const struct plan_header *p = (const struct plan_header *)(const void *)head;
	uint8_t digest[SHA256_BYTES], part[4096];
	struct sha256 sum;
	ssize_t n;

	if (!wanted || b->ready.level == SM_LEVEL_LKG)
		return false; /* LastKnownGood booted once, and then its entries ran */
	n = b->queue_fd < 0 ? -1 : sys_pread(b->queue_fd, head, sizeof(*p), 0);
	if (n != (ssize_t)sizeof(*p) || !bytes_same(p->magic, QUEUE_MAGIC, sizeof(p->magic)) ||
	    plan_fits(p, facts->block, facts->bytes) != PLAN_FITS) {
		item(RESULT_DEGRADED, 0, "SYSTEM.queue",
		     "missing or of another hive: pending renames wait; run smreg plan --write");
		return false;
	}
	if (bytes_zero(b->state.queue_done_sha256, SHA256_BYTES))
		return true;
	sha256_start(&sum);
	while ((n = sys_read(b->queue_fd, part, sizeof(part))) > 0)
		sha256_add(&sum, part, (size_t)n);
	sha256_end(&sum, digest);
	return !bytes_same(digest, b->state.queue_done_sha256, SHA256_BYTES);
}

static int hand_over(const struct boot *b, const struct plan_made *made)
{
	struct sm_message m;
	_close_ int fd = sys_memfd("smss-plan");
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	r = sys_write_all(fd, made->plan, made->plan_n);
	if (r >= 0)
		r = sys_seal(fd);
	if (r < 0)
		return r;
	sm_message_start(&m, SM_PLAN_READY, 0, 1);
	m.b.plan_ready = b->ready;
	n = sys_send(FD_MASTER, &m, sm_message_bytes(&m), &fd, 1);
	while (n > 0) {
		n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);
		if (n > 0 && sm_message_check(&m, (size_t)n) < 0)
			return -EPROTO;
		if (n > 0 && m.h.reply && m.h.tag == 1)
			return m.h.status == SM_OK ? 0 : -EPROTO;
	}
	return n < 0 ? (int)n : -EPIPE;
}

static void report(const struct remarks *remarks, const struct boot *b)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	for (size_t i = 0; i < remarks->count; i++) {
		if (remarks->at[i].kind != PLAN_NOTE_ERROR)
			continue;
		text_add(text_add(text_add(&t, remarks->at[i].path), ": "), remarks->at[i].text);
		if (remarks->errors > 1)
			text_add(text_u64(text_add(&t, "; and "), remarks->errors - 1), " more");
		item(RESULT_DEGRADED, 0, b->name, room);
		return;
	}
}

/*
 * With enforce a hive whose images nobody vouches for is not booted: the next level is taken, which
 * may ask for less. Returns whether this one can be used.
 */
static bool images_proven(const struct boot *b, const struct plan_header *p,
			  const struct plan_made *made)
{
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (!made->images_why[0])
		return true;
	text_add(text_add(&t, "ImagePolicy: "), made->images_why);
	if (p->settings.image_policy == PLAN_IMAGES_ENFORCE) {
		item(RESULT_REFUSED, 0, b->name, room);
		return false;
	}
	item(RESULT_DEGRADED, 0, b->name, text_add(&t, "; images are not checked")->at);
	return true;
}

/* The hive says how often it may be tried; where there is a plan, its reader has looked already. */
static bool used_up(struct boot *b, const struct hive_facts *facts, uint32_t allowed)
{
	uint8_t digest[SHA256_BYTES];
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	sha256_of(facts->block, HIVE_BLOCK_BYTES, digest);
	if (!state_used_up(&b->state, b->ready.level, allowed, digest))
		return false;
	if (b->ready.level == SM_LEVEL_CURRENT && state_groups_new(&b->state, b->groups)) {
		b->ready.attempts = 0;
		item(RESULT_OK, 0, b->name, "tried again: groups wait that it was not tried with");
		return false;
	}
	text_u64(text_add(&t, "its attempts are used up: "), b->ready.attempts);
	text_add(&t, " boots of it were begun and none was good; change it (smreg) to try again");
	failed(b, 0, room);
	return true;
}

static int inside(struct boot *b)
{
	static const uint8_t none[SHA256_BYTES];
	_cleanup_(hive_closep) struct hive *h = NULL;
	_cleanup_(tree_freep) struct reg_tree t = {0};
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct remarks remarks = {.arena = &t.arena};
	struct plan_source from = {.tree = &t, .hive_path = b->path, .catalog = &b->catalog};
	char room[TEXT_BYTES];
	struct text why = TEXT_ON(room);
	int r = hive_open(&b->hive, 0, &h, &why);

	if (r == 0)
		r = tree_start(&t);
	if (r == 0)
		r = plan_load(h, &t, &from.set, &why);
	if (r < 0)
		return failed(b, r, why.len ? room : err_text(-r));
	if (*hive_said(h))
		item(RESULT_DEGRADED, 0, b->name, hive_said(h));
	from.facts = hive_facts(h);
	/* What logs brought stands in no file: the raw one is not what boots, and never good. */
	from.sha256 = from.facts->recovered || from.facts->lost ? none : hive_sha256(h);
	r = plan_make(&from, &remarks, &made);
	if (r < 0)
		return failed(b, r,
			      r == -ENOSPC ? "its plan would be larger than 1 MiB"
					   : "no plan could be made of it");
	report(&remarks, b);
	const struct plan_header *p = made.plan;

	if (!images_proven(b, p, &made) || used_up(b, from.facts, p->settings.boot_attempts))
		return COPY_FAILED;

	if (queue_waits(b, from.facts, p->settings.queue_count))
		b->ready.flags |= SM_PLAN_RENAMES;
	r = hand_over(b, &made);
	if (r < 0)
		return r == -EPIPE ? COPY_NO_MASTER : failed(b, r, "the plan was not taken");
	return COPY_OK;
}

int boot_plan(const char *hive, unsigned level, const char *state)
{
	const char *slash = strrchr(hive, '/');
	struct boot b = {.path = hive,
			 .name = slash && slash[1] ? slash + 1 : hive,
			 .hive = HIVE_SOURCE_NONE,
			 .queue_fd = -1,
			 .ready.level = level};
	unsigned walls;
	int r = open_files(&b);

	if (r < 0)
		return failed(&b, r,
			      r == -EPERM ? "others than root can write the hive" : "no hive");
	read_state(&b, state);
	catalog_files_read(HIVE_PATH, &b.catalog);
	if (!b.catalog.error)
		(void)ed25519_ready(); /* the hive may ask for it: nothing is loaded behind walls */
	walls = sandbox_enter();
	if (!(walls & SANDBOX_SECCOMP))
		item(RESULT_DEGRADED, 0, b.name,
		     "the kernel has no seccomp: the hive is read without it");
	return inside(&b);
}
