/* SPDX-License-Identifier: MIT */
/*
 * test_journal.c - pending renames under power cuts: each entry once, whatever is cut
 *
 * Two performers of a queue run here: the product's own rename role on its real queue file, and a
 * small one that knows only the journal's contract. The model is NT's meaning of the list, applied
 * once, in order, to a table of names. The law: after any number of cuts and a boot that comes
 * through, every name holds what the model says, and a queue that is done never runs again. To
 * prove that the simulated disk would show a mistake, the small performer also runs without making
 * its renames durable: then the law must be seen broken.
 */
#include <errno.h>

#include "base/bytes.h"
#include "law.h"
#include "pending/classic.h"
#include "smss/copy.h"
#include "state/state.h"

#define STATE   "/var/lib/smss"
#define HIVE    "/etc/smss/SYSTEM"
#define NAMES   8u
#define ENTRIES 6u

uint64_t law_seed, law_cut;
bool law_child;
static uint64_t cuts, lives;

static const char *const names[NAMES] = {"/d/a", "/d/b", "/d/c", "/d/e",
					 "/x/a", "/x/b", "/x/c", "/x/f"};

struct entry {
	int from, to; /* numbers of names; to -1 = delete */
	bool replace;
	int result; /* the model's */
};

struct world {
	char holds[NAMES]; /* a letter, 0 = nothing there */
};

static struct entry queue[ENTRIES];
static unsigned queue_count;
static struct world begin, want;

/* ---- what the product's role needs around it ---- */

static unsigned said_failed, said_ok;

const char *copy_word(const struct copy *c, const char *name, const char *otherwise)
{
	return otherwise;
}

void copy_item(const struct copy *c, enum result result, int detail, uint64_t start_ns,
	       const char *name, const char *text)
{
	said_ok += result == RESULT_OK;
	said_failed += result == RESULT_FAILED;
}

int copy_open_state(const struct copy *c, bool write)
{
	return sys_walk(STATE, O_RDONLY | O_DIRECTORY);
}

/* ---- the model ---- */

static void model_run(void)
{
	want = begin;
	for (unsigned i = 0; i < queue_count; i++) {
		struct entry *e = &queue[i];
		char *from = &want.holds[e->from];

		e->result = !*from ? -ENOENT : 0;
		if (e->result)
			continue;
		if (e->to < 0) {
			*from = 0;
		} else if (want.holds[e->to] && !e->replace) {
			e->result = -EEXIST;
		} else if (e->from != e->to) {
			want.holds[e->to] = *from;
			*from = 0;
		}
	}
}

static void make_queue(void)
{
	queue_count = 2 + (unsigned)sim_random(ENTRIES - 1);
	for (unsigned i = 0; i < NAMES; i++)
		begin.holds[i] = sim_random(3) ? (char)('A' + i) : 0;
	for (unsigned i = 0; i < queue_count; i++)
		queue[i] = (struct entry){
			.from = (int)sim_random(NAMES),
			.to = sim_random(5) ? (int)sim_random(NAMES) : -1,
			.replace = sim_random(3) > 0,
		};
	if (sim_random(2)) { /* the chain that NT's list can apply twice: a to b, then c to a */
		queue[0] = (struct entry){.from = 0, .to = 1, .replace = true};
		queue[1] = (struct entry){.from = 2, .to = 0, .replace = true};
		begin.holds[0] = 'A';
		begin.holds[2] = 'C';
	}
	model_run();
}

static void make_disk(void)
{
	static const char *const dirs[] = {"/d",  "/x",   "/var",     "/var/lib",
					   STATE, "/etc", "/etc/smss"};

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		sim_make_dir(dirs[i]);
	for (unsigned i = 0; i < NAMES; i++)
		if (begin.holds[i])
			sim_make_file(names[i], &begin.holds[i], 1, 0644);
}

static void check_world(const struct world *w)
{
	for (unsigned i = 0; i < NAMES; i++) {
		size_t n = 0;
		const char *is = sim_look(names[i], &n);

		LAW(w->holds[i] ? is && n == 1 && *is == w->holds[i] : !is);
	}
}

static bool world_right(void)
{
	for (unsigned i = 0; i < NAMES; i++) {
		const char *is = sim_look(names[i], NULL);

		if ((is != NULL) != (want.holds[i] != 0) || (is && *is != want.holds[i]))
			return false;
	}
	return true;
}

/* ---- the product's role ---- */

static uint64_t plan_room[1024], queue_room[2048];

static void make_queue_file(void)
{
	static char pool[4096];
	static const uint8_t block[HIVE_BLOCK_BYTES] = {'r', 'e', 'g', 'f'};
	static const uint8_t digest[SHA256_BYTES] = {5};
	struct plan_builder b;
	int n;

	plan_begin(&b, PLAN_MAGIC, plan_room, sizeof(plan_room), pool, sizeof(pool));
	plan_settings_of(&b)->queue_count = queue_count;
	plan_fit_to(&b, block, 8192, digest);
	LAW(plan_end(&b) > 0);
	plan_begin(&b, QUEUE_MAGIC, queue_room, sizeof(queue_room), pool, sizeof(pool));
	plan_fit_to(&b, block, 8192, digest);
	plan_table_begin(&b, PLAN_QUEUE);
	for (unsigned i = 0; i < queue_count; i++)
		plan_add(&b, names[queue[i].from], queue[i].to < 0 ? "" : names[queue[i].to],
			 queue[i].replace ? QUEUE_REPLACE : 0, i, 1);
	n = plan_end(&b);
	LAW(n > 0);
	sim_make_file(HIVE ".queue", queue_room, (size_t)n, 0600);
}

static void run_role(void *arg)
{
	struct copy c = {.role = ROLE_RENAMES, .plan = (const void *)plan_room};

	said_ok = said_failed = 0;
	*(int *)arg = copy_role_renames(&c);
}

static void prepare(uint64_t seed)
{
	sim_start(seed);
	make_queue();
	make_disk();
	make_queue_file();
	lives++;
}

/* Boots until one comes through; the first is cut at `cut`, the next ones where the dice say. */
static void boot_through(uint64_t cut)
{
	int r = -1;

	law_cut = cut;
	sim_cut_at(cut);
	for (unsigned boot = 0; boot < 8; boot++) {
		const bool is_cut = sim_run(run_role, &r).end == SIM_CUT;

		sim_reboot(is_cut);
		if (!is_cut)
			break;
		cuts++;
		if (boot < 6 && sim_random(2))
			sim_cut_at(1 + sim_random(60));
	}
	LAW(r == COPY_OK);
}

/* The last report of each entry says what the model says, or that its record was lost. A cut may
 * have torn an earlier one. */
static void check_report(void)
{
	char key[32];
	size_t n = 0;
	const char *report = sim_look(STATE "/" RENAME_REPORT, &n);

	LAW(report);
	for (unsigned i = 0; i < queue_count; i++) {
		const char *last = NULL, *end, *p = report;

		snprintf(key, sizeof(key), "\"entry\":%u,", i);
		while ((p = memmem(p, n - (size_t)(p - report), key, strlen(key))) != NULL)
			last = p++;
		LAW(last);
		end = memchr(last, '\n', n - (size_t)(last - report));
		LAW(end);
		const bool ok = memmem(last, (size_t)(end - last), "\"ok\"", 4) != NULL;
		const bool lost = memmem(last, (size_t)(end - last), "power cut", 9) != NULL;

		LAW(lost || ok == (queue[i].result == 0));
	}
}

static void the_role_does_each_entry_once(void **state)
{
	FOR_SEEDS(150)
	{
		uint64_t points;
		int r = -1;

		prepare(seed);
		LAW(sim_run(run_role, &r).end == SIM_RETURNED && r == COPY_OK);
		check_world(&want);
		check_report();
		points = sim_points();
		for (uint64_t cut = 1; cut <= points; cut += 1 + sim_random(3)) {
			prepare(seed);
			boot_through(cut);
			check_world(&want);
			check_report();
			/* the queue file is still there: it never runs again */
			sim_make_file(names[queue[0].from], "new", 3, 0644);
			LAW(sim_run(run_role, &r).end == SIM_RETURNED && r == COPY_OK);
			LAW(sim_look(names[queue[0].from], NULL) != NULL);
		}
	}
	sim_stop();
}

static void a_failing_disk_ends_the_run_and_nothing_is_done_twice(void **state)
{
	FOR_SEEDS(150)
	for (uint64_t at = 1;; at += 1 + sim_random(4)) {
		uint64_t calls;
		int r = -1;

		prepare(seed);
		law_cut = 0;
		sim_fail_at(at, EIO, 1 + (unsigned)sim_random(3));
		sim_run(run_role, &r);
		calls = sim_file_calls();
		sim_fail_at(0, 0, 0);
		if (calls < at)
			break;
		/* An entry whose own calls failed has that as its result and is not tried
		 * again; what is asked here is that the run ends and the state stays good. */
		sim_reboot(sim_random(2));
		boot_through(0);
	}
	sim_stop();
}

/* One entry, a to b, cut anywhere; and before the next boot somebody makes a new a. */
static void a_file_that_came_since_is_left_alone(void **state)
{
	unsigned came = 0;

	FOR_SEEDS(100)
	for (uint64_t cut = 1; cut <= 60; cut++) {
		int r = -1;

		sim_start(seed);
		begin = (struct world){.holds = {'A'}};
		queue[0] = (struct entry){.from = 0, .to = 1, .replace = true};
		queue_count = 1;
		model_run();
		make_disk();
		make_queue_file();
		lives++;
		law_cut = cut;
		sim_cut_at(cut);
		if (sim_run(run_role, &r).end != SIM_CUT)
			break;
		cuts++;
		sim_reboot(true);
		if (!sim_look(names[0], NULL)) {
			sim_make_file(names[0], "N", 1, 0644);
			want.holds[0] = 'N';
			came++;
		}
		boot_through(0);
		check_world(&want);
	}
	assert_true(came > 0);
	sim_stop();
}

/* ---- the small performer: the journal's contract and nothing else ---- */

static const uint8_t digest_of_queue[SHA256_BYTES] = {0x51, 2, 3};
static bool careful; /* makes a rename durable before its result */

static int perform(const struct entry *e)
{
	if (e->to < 0)
		return sys_unlink(AT_FDCWD, names[e->from], 0);
	return sys_rename(AT_FDCWD, names[e->from], AT_FDCWD, names[e->to], e->replace ? 0 : 1);
}

static int settle(void)
{
	static const char *const dirs[] = {"/d", "/x"};
	int r = 0;

	for (unsigned i = 0; careful && i < 2 && r >= 0; i++) {
		_close_ int fd = sys_open(AT_FDCWD, dirs[i], O_RDONLY | O_DIRECTORY, 0);

		r = fd < 0 ? fd : sys_fsync(fd);
	}
	return r;
}

static int one_entry(struct journal *j, uint32_t i)
{
	const bool resumed = j->intent_open;
	struct sys_stat st = {0};
	int r = sys_stat_at(AT_FDCWD, names[queue[i].from], AT_SYMLINK_NOFOLLOW, &st);
	int kept = r;

	if (resumed && (r == -ENOENT || st.ino != j->intent.ino)) {
		kept = 0; /* done before the cut */
	} else if (r >= 0) {
		r = journal_intent(j, i, st.dev, st.ino);
		if (r < 0)
			return r;
		kept = perform(&queue[i]);
	}
	r = settle();
	return r < 0 ? r : journal_result(j, i, kept);
}

static void run_small(void *arg)
{
	_close_ int dir = sys_open(AT_FDCWD, STATE, O_RDONLY | O_DIRECTORY, 0);
	struct boot_state s;
	struct journal j;
	int *ret = arg;

	*ret = state_read(dir, &s);
	if (*ret < 0)
		return;
	if (!memcmp(s.queue_done_sha256, digest_of_queue, SHA256_BYTES)) {
		*ret = journal_remove(dir);
		return;
	}
	*ret = journal_open(dir, digest_of_queue, &j);
	for (uint32_t i = *ret < 0 ? 0 : j.results; *ret >= 0 && i < queue_count; i++)
		*ret = one_entry(&j, i);
	for (uint32_t i = 0; *ret >= 0 && i < queue_count; i++) {
		int32_t kept = 1;
		const int r = journal_read_result(&j, i, &kept);

		LAW(r == -ENODATA || (r == 0 && (!careful || kept == queue[i].result)));
	}
	if (*ret >= 0)
		*ret = journal_done(&j);
	if (*ret >= 0)
		*ret = state_queue_done(dir, digest_of_queue);
	if (*ret >= 0)
		*ret = journal_remove(dir);
}

/* One life of cuts; true when the world is as the model says. */
static bool small_life(uint64_t seed, uint64_t cut)
{
	int r = -1;

	sim_start(seed);
	make_queue();
	make_disk();
	lives++;
	law_cut = cut;
	sim_cut_at(cut);
	for (unsigned boot = 0; boot < 8; boot++) {
		const bool is_cut = sim_run(run_small, &r).end == SIM_CUT;

		sim_reboot(is_cut);
		if (!is_cut)
			break;
		cuts++;
		if (boot < 6 && sim_random(2))
			sim_cut_at(1 + sim_random(40));
	}
	LAW(r >= 0);
	return world_right();
}

static void the_contract_is_enough(void **state)
{
	careful = true;
	FOR_SEEDS(200)
	{
		uint64_t points;

		LAW(small_life(seed, 0));
		points = 12 * queue_count + 20;
		for (uint64_t cut = 1; cut <= points; cut += 1 + sim_random(3))
			LAW(small_life(seed, cut));
	}
	sim_stop();
}

static void without_settling_the_disk_shows_the_mistake(void **state)
{
	unsigned broken = 0;

	careful = false;
	for (uint64_t seed = 1; seed <= 60; seed++)
		for (uint64_t cut = 1; cut <= 60; cut += 3)
			broken += !small_life(seed, cut);
	assert_true(broken > 0);
	print_message("   %u lives without fsync of the directories broke the law\n", broken);
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_role_does_each_entry_once),
		cmocka_unit_test(a_failing_disk_ends_the_run_and_nothing_is_done_twice),
		cmocka_unit_test(a_file_that_came_since_is_left_alone),
		cmocka_unit_test(the_contract_is_enough),
		cmocka_unit_test(without_settling_the_disk_shows_the_mistake),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " lives, %" PRIu64 " cuts\n", lives, cuts);
	return r;
}
