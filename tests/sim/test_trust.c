/* SPDX-License-Identifier: MIT */
/*
 * test_trust.c - hive, plan and state as one small protocol, before any user interface
 *
 * A commit replaces the hive (its base block stamped: sequence + 1), then the plan made from it,
 * then the queue; a boot takes the plan only when it fits the hive's block and counts itself with
 * that block's digest. The law, whatever is cut: a whole hive, old or new; a plan that is whole and
 * either fits the very hive it was made from or is seen to be stale; a state that names a hive
 * which was on the disk. Without the stamp the law must be seen broken: two hives rebuilt from
 * different content can have the same base block.
 */
#include <errno.h>

#include "base/bytes.h"
#include "law.h"
#include "plan/plan.h"
#include "state/state.h"

#define DIRECTORY  "/etc/smss"
#define HIVE_BYTES 4096u

uint64_t law_seed, law_cut;
bool law_child;
static uint64_t cuts, lives, fresh, stale;

struct hive { /* what the protocol needs of a regf file: a block with a sequence, and content */
	char magic[4];
	uint32_t sequence;
	uint8_t rest[504];
	uint32_t edition; /* the test's name of this content */
	uint32_t crc;     /* of the content */
	uint8_t body[HIVE_BYTES - 520];
};
_Static_assert(sizeof(struct hive) == HIVE_BYTES, "a page");

struct life {
	uint32_t editions; /* begun so far: contents are 1..editions */
	uint32_t returned; /* the newest whose commit came back */
	bool stamped;
};

static void make_block(struct hive *h, uint32_t sequence)
{
	memset(h, 0, HIVE_BLOCK_BYTES);
	memcpy(h->magic, "regf", 4);
	h->sequence = sequence;
}

static void make_hive(struct hive *h, uint32_t edition, uint32_t sequence)
{
	make_block(h, sequence);
	h->edition = edition;
	for (size_t i = 0; i < sizeof(h->body); i++)
		h->body[i] = (uint8_t)(edition * 31 + i);
	h->crc = crc32c(edition, h->body, sizeof(h->body));
}

static bool hive_whole(const struct hive *h, size_t n)
{
	return n == sizeof(*h) && !memcmp(h->magic, "regf", 4) &&
	       h->crc == crc32c(h->edition, h->body, sizeof(h->body));
}

static uint64_t room[1024];

static int make_plan(const struct hive *h, const char *magic)
{
	static char pool[4096];
	uint8_t digest[SHA256_BYTES];
	struct plan_builder b;

	sha256_of(h, sizeof(*h), digest);
	plan_begin(&b, magic, room, sizeof(room), pool, sizeof(pool));
	plan_settings_of(&b)->boot_attempts = 1 + h->edition % 100;
	plan_fit_to(&b, (const uint8_t *)h, sizeof(*h), digest);
	return plan_end(&b);
}

static int put_plan(int dir, const struct hive *h, const char *magic, const char *name)
{
	const int n = make_plan(h, magic);

	LAW(n > 0);
	return sys_replace_file(dir, name, room, (size_t)n, 0600);
}

static int commit(int dir, struct life *l)
{
	struct hive was = {.sequence = 0}, h;
	ssize_t n = sys_read_file(dir, "SYSTEM", &was, sizeof(was));
	int r;

	LAW(n == -ENOENT || hive_whole(&was, (size_t)n));
	make_hive(&h, ++l->editions, l->stamped ? was.sequence + 1 : 1);
	r = sys_replace_file(dir, "SYSTEM", &h, sizeof(h), 0600);
	if (r >= 0)
		r = put_plan(dir, &h, PLAN_MAGIC, "SYSTEM.plan");
	if (r >= 0)
		r = put_plan(dir, &h, QUEUE_MAGIC, "SYSTEM.queue");
	if (r >= 0)
		l->returned = h.edition;
	return r;
}

/* What a boot does with the three; the plan in use is room, or one made anew from the hive. */
static int boot(int dir, int state_dir)
{
	struct boot_state s;
	struct hive h;
	uint8_t digest[SHA256_BYTES];
	ssize_t n = sys_read_file(dir, "SYSTEM", &h, sizeof(h));

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	sha256_of(&h, HIVE_BLOCK_BYTES, digest);
	return state_count_attempt(state_dir, 0, "boot", digest, &s);
}

static void live(void *arg)
{
	struct life *l = arg;
	_close_ int dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
	_close_ int state_dir = sys_open(AT_FDCWD, "/state", O_RDONLY | O_DIRECTORY, 0);

	for (unsigned i = 0; i < 3; i++) {
		LAW(commit(dir, l) >= 0);
		LAW(boot(dir, state_dir) >= 0);
	}
}

/* The plan or queue fits this hive only if it was made from it. False = the law is broken. */
static bool fits_rightly(const struct hive *h, const char *path, const char *magic)
{
	size_t n = 0;
	const void *file = sim_look(path, &n);

	if (!file)
		return true;
	LAW(n <= sizeof(room));
	memcpy(room, file, n);

	const struct plan_header *p = (const void *)room;

	LAW(plan_check(room, n, magic, NULL) == 0);
	if (plan_fits(p, (const uint8_t *)h, sizeof(*h)) == PLAN_STALE) {
		stale++;
		return true;
	}
	fresh++;
	return p->settings.boot_attempts == 1 + h->edition % 100;
}

static bool state_names_a_hive(const struct life *l)
{
	_close_ int dir = sys_open(AT_FDCWD, "/state", O_RDONLY | O_DIRECTORY, 0);
	struct boot_state s;
	const int r = state_read(dir, &s);

	LAW(r == STATE_READ || r == STATE_NEW);
	if (r == STATE_NEW)
		return true;
	for (uint32_t i = 1; i <= l->editions; i++) {
		struct hive h;
		uint8_t digest[SHA256_BYTES];

		make_block(&h, i);
		sha256_of(&h, HIVE_BLOCK_BYTES, digest);
		if (!memcmp(digest, s.hive_block_sha256, SHA256_BYTES))
			return true;
	}
	return false;
}

static bool law_holds(const struct life *l)
{
	size_t n = 0;
	const struct hive *h = sim_look(DIRECTORY "/SYSTEM", &n);

	LAW(state_names_a_hive(l));
	if (!h) {
		LAW(l->returned == 0);
		return true;
	}
	LAW(hive_whole(h, n));
	LAW(h->edition >= l->returned && h->edition <= l->editions);
	return fits_rightly(h, DIRECTORY "/SYSTEM.plan", PLAN_MAGIC) &&
	       fits_rightly(h, DIRECTORY "/SYSTEM.queue", QUEUE_MAGIC);
}

/* Three boots with commits, each cut somewhere. False = a plan fitted the wrong hive. */
static bool life_holds(uint64_t seed, uint64_t cut, bool stamped)
{
	struct life l = {.stamped = stamped};
	bool holds = true;

	lives++;
	law_cut = cut;
	sim_start(seed);
	sim_make_dir("/etc");
	sim_make_dir(DIRECTORY);
	sim_make_dir("/state");
	sim_cut_at(cut);
	for (unsigned i = 0; i < 3 && holds; i++) {
		const bool is_cut = sim_run(live, &l).end == SIM_CUT;

		sim_reboot(is_cut);
		cuts += is_cut;
		holds = law_holds(&l);
		sim_cut_at(1 + sim_random(100));
	}
	return holds;
}

static void a_plan_never_fits_the_wrong_hive(void **state)
{
	FOR_SEEDS(25)
	for (uint64_t cut = 1; cut <= 130; cut++)
		LAW(life_holds(seed, cut, true));
	assert_true(sim_runs(25) < 10 || (fresh > 1000 && stale > 100));
	sim_stop();
}

static void without_the_stamp_it_would(void **state)
{
	unsigned broken = 0;

	for (uint64_t seed = 1; seed <= 5; seed++)
		for (uint64_t cut = 1; cut <= 130; cut += 3)
			broken += !life_holds(seed, cut, false);
	assert_true(broken > 0);
	print_message("   %u lives without the stamp broke the law\n", broken);
	sim_stop();
}

static void a_full_or_failing_disk_leaves_a_whole_chain(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EROFS};

	FOR_SEEDS(25)
	for (uint64_t at = 1; at < 60; at++) {
		struct life l = {.stamped = true};
		int dir, r;

		law_cut = 0;
		sim_start(seed);
		sim_make_dir("/etc");
		sim_make_dir(DIRECTORY);
		sim_make_dir("/state");
		dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
		LAW(commit(dir, &l) >= 0);
		sim_fail_at(at, errors[seed % 3], seed % 2 ? 1 : 1000);
		struct hive h;

		make_hive(&h, ++l.editions, 2);
		r = sys_replace_file(dir, "SYSTEM", &h, sizeof(h), 0600);
		if (r >= 0)
			r = put_plan(dir, &h, PLAN_MAGIC, "SYSTEM.plan");
		sim_fail_at(0, 0, 0);
		if (r >= 0)
			l.returned = 2;
		LAW(law_holds(&l));
		sys_close(dir);
		sim_reboot(true);
		LAW(law_holds(&l));
		lives++;
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_never_fits_the_wrong_hive),
		cmocka_unit_test(without_the_stamp_it_would),
		cmocka_unit_test(a_full_or_failing_disk_leaves_a_whole_chain),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " lives, %" PRIu64 " cuts; plans found fresh %" PRIu64
		      ", stale %" PRIu64 "\n",
		      lives, cuts, fresh, stale);
	return r;
}
