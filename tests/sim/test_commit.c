/* SPDX-License-Identifier: MIT */
/*
 * test_commit.c - the commit of smreg, cut at every write, sync and rename (design §5, law 7)
 *
 * The product's own store_open, store_read and store_commit, with libhivex building into memory,
 * on the simulated disk. Each commit writes one edition: its number stands in the tree, in the
 * plan and in the queue. The law, whatever is cut: a whole hive, the one before or the new one,
 * and the new one once the commit came back; a plan and a queue that are whole and fit the hive
 * they were made from, or no hive; NAME.previous whole and older; the next commit goes through.
 * A full or failing disk leaves hive and plan together as they were, or says that the new hive is
 * written. An entry that a boot ran is never run again, and one that none ran is never lost.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "law.h"
#include "plan/plan.h"
#include "registry/commit.h"
#include "state/state.h"

#define DIRECTORY "/etc/smss"
#define HIVE      DIRECTORY "/SYSTEM"
#define STATE     "/state"
#define MANAGER   "ControlSet001\\Control\\Session Manager"
#define EDITIONS  64u

uint64_t law_seed, law_cut;
bool law_child;

enum kind { FIRST, FORCED_INIT, WITHOUT_PLAN, WENT_BACK, KINDS };

struct life {
	enum kind kind;
	uint32_t begun;      /* the newest edition whose commit was begun: contents are 1..begun */
	uint32_t returned;   /* the newest whose commit came back */
	uint32_t before;     /* the edition on the disk when the newest commit began */
	bool kept;           /* it was read whole: the commit keeps it */
	bool planless;       /* the newest one has no plan */
	bool owed[EDITIONS]; /* its entry was in a hive that lasted */
	unsigned ran[EDITIONS];
};

static struct counts {
	uint64_t lives, cuts, fresh, stale, previous, unchanged, half, dropped;
} * counts;

static char said[512];

/* ---- editions ---- */

static void must(int r)
{
	LAW(r == 0);
}

static void fill(uint8_t *body, size_t n, uint32_t edition)
{
	for (size_t i = 0; i < n; i++)
		body[i] = (uint8_t)(edition * 31 + i * 7);
}

static struct reg_key *key_of(struct reg_tree *t, const char *path)
{
	struct reg_key *k;

	must(tree_make(t, path, strlen(path), &k));
	return k;
}

/* This edition's content over what the tree has; entries of the queue that wait stay in it. */
static void write_edition(struct reg_tree *t, uint32_t edition, bool planless)
{
	static const char queue[] = "PendingFileRenameOperations";
	struct reg_key *k = key_of(t, "Edition");
	struct reg_value *waits;
	uint8_t body[3000];
	char **old = NULL, entry[32];
	const char *list[2 * EDITIONS];
	size_t n = 0;

	fill(body, sizeof(body), edition);
	must(tree_set_dword(t, k, "Number", edition));
	must(tree_set(
		t, k, "Body", 4,
		&(struct reg_data){.type = REG_BINARY, .bytes = body, .n = 100 + edition % 2900}));
	must(tree_set_dword(t, key_of(t, "Select"), "Current", planless ? 0 : 1));
	k = key_of(t, MANAGER);
	must(tree_set_dword(t, k, "BootAttempts", 1 + edition));
	waits = key_get(k, queue);
	if (waits)
		must(value_list(&t->arena, waits, &old, &n, NULL));
	for (size_t i = 0; i < n; i++)
		list[i] = old[i];
	snprintf(entry, sizeof(entry), "/e%u", edition);
	list[n++] = entry;
	list[n++] = "";
	must(tree_set_list(t, k, queue, list, n));
}

/* The edition of a hive file; 0 = none there. Anything but a whole edition breaks the law. */
static uint32_t edition_of(const char *name, struct hive_facts *ret, struct reg_tree *t)
{
	_cleanup_(hive_closep) struct hive *h = NULL;
	_close_ int fd = sys_open(AT_FDCWD, name, O_RDONLY, 0);
	struct text why = TEXT_ON(said);
	const struct reg_value *v;
	struct hive_source from = hive_source_of(fd);
	uint8_t body[3000];
	uint32_t edition = 0;

	if (fd == -ENOENT)
		return 0;
	LAW(fd >= 0);
	must(hive_open(&from, 0, &h, &why));
	*ret = *hive_facts(h);
	LAW(ret->ours && !ret->dirty);
	must(tree_start(t));
	must(hive_load(h, "", HIVE_ALL, t));
	LAW(!hive_degraded(h));
	v = key_get(tree_find(t, "Edition", 7), "Number");
	LAW(v && value_dword(v, &edition) && edition);
	v = key_get(tree_find(t, "Edition", 7), "Body");
	fill(body, sizeof(body), edition);
	LAW(v && v->bytes == 100 + edition % 2900 && !memcmp(v->data, body, v->bytes));
	return edition;
}

/* ---- a life: commits and boots ---- */

static int commit(struct life *l, struct text *why)
{
	_cleanup_(store_closep) struct store s = {.dir = -1, .lock = -1};
	_cleanup_(tree_freep) struct reg_tree t = {0}, scratch = {0};
	struct remarks remarks = {.arena = &scratch.arena};
	unsigned dropped = 0;
	int r;

	must(tree_start(&t));
	must(tree_start(&scratch));
	r = store_open(&s, HIVE, why);
	if (r == 0)
		r = store_read(&s, STATE, &t, &dropped, why);
	if (r == -ENOENT || (l->kind == FORCED_INIT && !l->returned && r == -EILSEQ)) {
		*why = TEXT_ON(said); /* init: the hive is made, or made anew with --force */
		r = 0;
	}
	if (r < 0)
		return r;
	counts->dropped += dropped;
	l->kept = s.whole;
	l->before = 0;
	if (s.whole)
		LAW(value_dword(key_get(key_of(&t, "Edition"), "Number"), &l->before));
	l->planless = l->kind == WITHOUT_PLAN && l->begun % 2;
	write_edition(&t, ++l->begun, l->planless);
	r = store_commit(&s, &t, l->planless, &remarks, why);
	if (r == 0)
		l->returned = l->begun;
	return r;
}

/* What a boot does with the queue: runs it when it fits, once, and says so in boot.state. */
static void boot(struct life *l)
{
	static uint64_t room[2048];
	_close_ int dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
	_close_ int state_dir = sys_open(AT_FDCWD, STATE, O_RDONLY | O_DIRECTORY, 0);
	const struct plan_header *q = (const void *)room;
	uint8_t block[HIVE_BLOCK_BYTES], digest[SHA256_BYTES];
	struct boot_state s;
	struct sys_stat st;
	_close_ int fd = sys_open(dir, "SYSTEM", O_RDONLY, 0);
	ssize_t n = sys_read_file(dir, "SYSTEM.queue", room, sizeof(room));

	if (fd < 0 || n <= 0 || sys_stat_fd(fd, &st) < 0 ||
	    sys_read_all(fd, block, sizeof(block)) != (ssize_t)sizeof(block))
		return;
	LAW(plan_check(room, (size_t)n, QUEUE_MAGIC, NULL) == 0);
	sha256_of(room, (size_t)n, digest);
	if (plan_fits(q, block, st.size) != PLAN_FITS || state_read(state_dir, &s) < 0 ||
	    bytes_same(digest, s.queue_done_sha256, SHA256_BYTES))
		return;
	for (uint32_t i = 0; i < plan_count(q, PLAN_QUEUE); i++) {
		const char *from = plan_string(q, plan_row_at(q, PLAN_QUEUE, i)->name);
		const unsigned long number = strtoul(from + 2, NULL, 10);

		LAW(number && number < EDITIONS && ++l->ran[number] == 1);
	}
	must(state_queue_done(state_dir, digest));
}

static void one_commit(struct life *l)
{
	struct text why = TEXT_ON(said);

	LAW(commit(l, &why) == 0);
}

static void two_commits(void *arg)
{
	one_commit(arg);
	one_commit(arg);
}

/* ---- the law ---- */

/* Plan or queue: whole, and of this hive or seen to be of another. True = it fits. */
static bool fits_rightly(const char *name, const char *magic, const struct hive_facts *facts,
			 uint32_t edition)
{
	static uint64_t room[8192];
	const struct plan_header *p = (const void *)room;
	uint8_t digest[SHA256_BYTES];
	size_t n = 0, hive_n = 0;
	const void *file = sim_look(name, &n), *hive = sim_look(HIVE, &hive_n);

	if (!file)
		return false;
	LAW(n <= sizeof(room));
	memcpy(room, file, n);
	LAW(plan_check(room, n, magic, NULL) == 0);
	if (plan_fits(p, facts->block, facts->bytes) == PLAN_STALE) {
		counts->stale++;
		return false;
	}
	counts->fresh++;
	sha256_of(hive, hive_n, digest);
	LAW(bytes_same(digest, p->hive_sha256, sizeof(digest)));
	LAW(magic[4] != PLAN_MAGIC[4] || p->settings.boot_attempts == 1 + edition);
	return true;
}

static void previous_is_whole(const struct life *l, uint32_t edition, bool settled)
{
	_cleanup_(tree_freep) struct reg_tree t = {0};
	struct hive_facts facts;
	const uint32_t previous = edition_of(HIVE ".previous", &facts, &t);

	counts->previous += previous != 0;
	LAW(previous <= edition);
	if (settled && l->kept)
		LAW(previous == l->before);
}

/* From now on these entries may not get lost. */
static void remember_entries(struct life *l, struct reg_tree *t)
{
	const struct reg_value *v = key_get(key_of(t, MANAGER), "PendingFileRenameOperations");
	char **list;
	size_t n = 0;

	LAW(v);
	must(value_list(&t->arena, v, &list, &n, NULL));
	for (size_t i = 0; i < n; i += 2)
		l->owed[strtoul(list[i] + 2, NULL, 10) % EDITIONS] = true;
}

/* The disk as it is; settled: no commit is under way. */
static void law(struct life *l)
{
	static const char *const temps[] = {HIVE ".new", HIVE ".plan.new", HIVE ".queue.new",
					    HIVE ".previous.new"};
	_cleanup_(tree_freep) struct reg_tree t = {0};
	const bool settled = l->returned && l->returned == l->begun;
	struct hive_facts facts;
	size_t n = 0;
	const char *file = sim_look(HIVE, &n);
	uint32_t edition = 0;
	bool plan, queue;

	if (l->kind == FORCED_INIT && file && n && *file == 'x')
		LAW(!l->returned);
	else
		edition = edition_of(HIVE, &facts, &t);
	LAW(edition >= l->returned && edition <= l->begun);
	LAW(edition || l->kind != FORCED_INIT || file);
	if (!edition)
		return;
	remember_entries(l, &t);
	plan = fits_rightly(HIVE ".plan", PLAN_MAGIC, &facts, edition);
	queue = fits_rightly(HIVE ".queue", QUEUE_MAGIC, &facts, edition);
	previous_is_whole(l, edition, settled);
	for (size_t i = 0; settled && i < ARRAY_SIZE(temps); i++)
		LAW(!sim_inode(temps[i]));
	if (settled)
		LAW(plan == !l->planless && queue == !l->planless);
}

static void start_life(struct life *l, uint64_t seed, enum kind kind)
{
	static char garbage[9000];

	*l = (struct life){.kind = kind};
	counts->lives++;
	sim_start(seed);
	sim_host_memfds(true);
	sim_make_dir("/etc");
	sim_make_dir(DIRECTORY);
	sim_make_dir(STATE);
	memset(garbage, 'x', sizeof(garbage));
	if (kind == FORCED_INIT)
		sim_make_file(HIVE, garbage, sizeof(garbage), 0644);
}

/* Somebody puts the previous hive back, by mv; what is beside it stays as it is. */
static void go_back(struct life *l)
{
	_cleanup_(tree_freep) struct reg_tree t = {0};
	struct hive_facts facts;

	if (!sim_inode(HIVE ".previous"))
		return;
	must(sys_rename(AT_FDCWD, HIVE ".previous", AT_FDCWD, HIVE, 0));
	sys_sync();
	l->returned = edition_of(HIVE, &facts, &t);
}

/* Rounds of two commits and a boot, each round cut somewhere; at the end one of each, in peace. */
static void a_life(uint64_t seed, uint64_t cut, enum kind kind)
{
	struct life l;
	bool was_cut;

	law_cut = cut;
	start_life(&l, seed, kind);
	for (unsigned i = 0; i < 3; i++) {
		sim_cut_at(sim_points() + cut);
		was_cut = sim_run(two_commits, &l).end == SIM_CUT;
		counts->cuts += was_cut;
		sim_cut_at(0);
		sim_reboot(was_cut);
		law(&l);
		if (kind == WENT_BACK)
			go_back(&l); /* with it, what a boot had run */
		else
			boot(&l);
		cut = 1 + sim_random(120);
	}
	do
		one_commit(&l);
	while (l.planless);
	law(&l);
	boot(&l);
	for (unsigned i = 1; kind != WENT_BACK && i <= l.begun; i++)
		LAW(!l.owed[i] || l.ran[i] == 1);
}

static void lives(uint64_t seed)
{
	const enum kind kind = (enum kind)(seed % KINDS);

	for (uint64_t cut = 1; cut <= 110; cut++)
		a_life(seed, cut, kind);
}

static void a_cut_leaves_one_whole_hive_and_its_plan(void **state)
{
	FOR_SEEDS(8)
	law_in_child(lives, seed);
	assert_true(sim_runs(8) < 8 || (counts->fresh > 1000 && counts->stale > 100 &&
					counts->previous > 1000 && counts->dropped > 100));
}

/* ---- full and failing disks ---- */

static const char *const files[] = {HIVE, HIVE ".plan", HIVE ".queue"};

static void remember(uint8_t digests[3][SHA256_BYTES])
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		size_t n = 0;
		const void *bytes = sim_look(files[i], &n);

		LAW(bytes);
		sha256_of(bytes, n, digests[i]);
	}
}

/* One commit with the n-th call failing, once or for good. Answers whether it reached that call. */
static bool a_failing_commit(uint64_t seed, uint64_t n)
{
	static const int errors[] = {EIO, ENOSPC, EROFS, EDQUOT};
	uint8_t before[3][SHA256_BYTES], after[3][SHA256_BYTES];
	struct text why = TEXT_ON(said);
	struct life l;
	uint64_t calls;
	int r;

	law_cut = n;
	start_life(&l, seed, FIRST);
	two_commits(&l);
	boot(&l);
	remember(before);
	calls = sim_file_calls();
	sim_fail_at(n, errors[seed % ARRAY_SIZE(errors)], seed % 3 ? 1 : 1000);
	r = commit(&l, &why);
	sim_fail_at(0, 0, 0);
	calls = sim_file_calls() - calls;
	LAW(r == 0 || why.len);
	if (r < 0 && !strstr(said, "the hive is written")) {
		remember(after);
		LAW(!memcmp(before, after, sizeof(before)));
		counts->unchanged++;
	} else if (r < 0) {
		counts->half++;
	}
	law(&l);
	sim_reboot(true);
	law(&l);
	one_commit(&l);
	law(&l);
	boot(&l);
	LAW(l.ran[l.returned] == 1);
	return n <= calls;
}

static void failing_commits(uint64_t seed)
{
	uint64_t n = 1;

	while (a_failing_commit(seed, n))
		n++;
	LAW(n > 30);
}

static void a_full_or_failing_disk_changes_nothing_or_says_so(void **state)
{
	FOR_SEEDS(8)
	law_in_child(failing_commits, seed);
	assert_true(sim_runs(8) < 8 || (counts->unchanged > 100 && counts->half > 10));
}

/* ---- what is not replaced ---- */

static void refused(int error, const char *words)
{
	struct text why = TEXT_ON(said);
	struct life l = {.begun = 1, .returned = 1};

	LAW(commit(&l, &why) == error);
	LAW(strstr(said, words));
	LAW(!sim_inode(HIVE ".new") && !sim_inode(HIVE ".previous"));
}

static void links_and_files_of_others(uint64_t seed)
{
	struct life l;

	start_life(&l, seed, FIRST);
	one_commit(&l);
	sim_owner(HIVE, 1000);
	refused(-EPERM, "belongs to user 1000");
	sim_owner(HIVE, 0);
	must(sys_rename(AT_FDCWD, HIVE, AT_FDCWD, "/elsewhere", 0));
	sim_make_link(HIVE, "/elsewhere");
	refused(-ELOOP, "symbolic link");
	must(sys_unlink(AT_FDCWD, HIVE, 0));
	sim_make_dir(HIVE);
	refused(-EILSEQ, "not a regular file");
}

static void links_and_files_of_others_are_not_replaced(void **state)
{
	law_seed = 1;
	law_in_child(links_and_files_of_others, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cut_leaves_one_whole_hive_and_its_plan),
		cmocka_unit_test(a_full_or_failing_disk_changes_nothing_or_says_so),
		cmocka_unit_test(links_and_files_of_others_are_not_replaced),
	};
	int r;

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (counts == MAP_FAILED)
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	print_message("%" PRIu64 " lives, %" PRIu64 " cuts; plans and queues found fresh %" PRIu64
		      ", stale %" PRIu64 "; kept hives %" PRIu64
		      "; failed commits: unchanged %" PRIu64 ", written %" PRIu64 "\n",
		      counts->lives, counts->cuts, counts->fresh, counts->stale, counts->previous,
		      counts->unchanged, counts->half);
	return r;
}
