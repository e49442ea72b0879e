/* SPDX-License-Identifier: MIT */
/*
 * test_registry_boot.c - smreg as the master runs it at boot: the plan it hands over, what it says
 *
 * SMREG names the program, EXAMPLES the directory of .reg files; both come from the build.
 */
#include "registry_program.h"

#include "regf_make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "smss/copy.h"
#include "sys/sys.h"

/* One boot-mode run: the messages that came, the exit code, and the plan when there was one. */
struct boot_run {
	unsigned plans, items;
	struct sm_plan_ready ready;
	struct sm_item item;
	int exit_code;
	bool sealed;
	size_t plan_n;
	uint8_t sha256[SHA256_BYTES]; /* of the hive, as the plan has it */
};

static void answer(int fd, const struct sm_message *m)
{
	struct sm_message a;

	sm_message_start(&a, m->h.call, 1, m->h.tag);
	assert_true(sys_send(fd, &a, sm_message_bytes(&a), NULL, 0) > 0);
}

static void boot(const char *path, struct boot_run *ret)
{
	char *argv[] = {"smreg", "plan", "--boot", "--level", "0", "--hive", (char *)path, NULL};
	char word[160], *envp[] = {word, NULL};
	struct sm_message m;
	int pair[2], fds[SYS_FDS_MAX], pid, status;
	unsigned count;

	snprintf(word, sizeof(word), "SMSS_STATE=%s", directory);
	memset(ret, 0, sizeof(*ret));
	assert_int_equal(sys_socketpair(pair), 0);
	pid = fork();
	if (pid == 0) {
		if (pair[1] != FD_MASTER)
			dup2(pair[1], FD_MASTER);
		else
			fcntl(FD_MASTER, F_SETFD, 0);
		alarm(20);
		execve(getenv("SMREG"), argv, envp);
		_exit(126);
	}
	close(pair[1]);
	while (sys_receive(pair[0], &m, sizeof(m), fds, &count) > 0) {
		if (m.h.call == SM_PHASE_ITEM) {
			ret->items++;
			ret->item = m.b.item;
		} else if (m.h.call == SM_PLAN_READY) {
			const void *plan;

			assert_int_equal(count, 1);
			ret->plans++;
			ret->ready = m.b.plan_ready;
			ret->sealed = sys_is_sealed(fds[0]) == 1;
			assert_int_equal(sys_map_sealed(fds[0], &plan, &ret->plan_n), 0);
			assert_int_equal(plan_check(plan, ret->plan_n, PLAN_MAGIC, NULL), 0);
			memcpy(ret->sha256, ((const struct plan_header *)plan)->hive_sha256,
			       SHA256_BYTES);
			answer(pair[0], &m);
		}
		for (unsigned i = 0; i < count; i++)
			close(fds[i]);
	}
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ret->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void at_boot_the_plan_comes_sealed(void **state)
{
	struct boot_run run;

	(void)state;
	assert_int_equal(smreg("init '%s/demo.reg'", getenv("EXAMPLES")), 0);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 0);
	assert_int_equal(run.plans, 1);
	assert_int_equal(run.items, 0);
	assert_true(run.sealed);
	assert_int_equal(run.ready.flags, SM_PLAN_RENAMES);
}

static void at_boot_a_bad_hive_is_named(void **state)
{
	struct boot_run run;
	struct stat st;
	uint32_t word = 0x5A5A5A5A;
	int fd;

	(void)state;
	boot("/nonexistent/SYSTEM", &run);
	assert_int_equal(run.exit_code, 1);
	assert_string_equal(run.item.text, "no hive");
	assert_int_equal(smreg("init"), 0);
	fd = open(hive, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, &word, 4, 508), 4);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(run.plans, 0);
	assert_non_null(strstr(run.item.text, "checksum at 508 is 0x5A5A5A5A"));
	assert_int_equal(ftruncate(fd, 4096 + 100), 0);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(run.plans, 0);
	close(fd);
}

/* The hive becomes dirty, with a log of the old kind beside it that brings its first page. */
static void make_dirty(const char *log_path)
{
	static uint8_t bytes[HIVE_BUILD_BYTES_MAX];
	static struct make_log log;
	FILE *f = fopen(hive, "r+e");
	size_t n;

	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	assert_true(n >= 8192);
	regf_put32(bytes, 4, regf_u32(bytes, 8) + 1);
	make_sum(bytes);
	make_old_log(&log, regf_u32(bytes, 4), regf_time(bytes), regf_u32(bytes, 40), bytes + 4096);
	rewind(f);
	assert_int_equal(fwrite(bytes, 1, 512, f), 512);
	fclose(f);
	f = fopen(log_path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(log.at, 1, log.n, f), log.n);
	fclose(f);
	assert_int_equal(chmod(log_path, 0644), 0);
}

/* What logs brought is in no file: a digest of the raw one would call it good (accept saves it). */
static void at_boot_replayed_logs_are_told_and_no_digest_is_given(void **state)
{
	static const uint8_t none[SHA256_BYTES];
	struct boot_run run;
	char log[160];

	(void)state;
	snprintf(log, sizeof(log), "%s.LOG1", hive);
	assert_int_equal(smreg("init"), 0);
	boot(hive, &run);
	assert_int_equal(run.plans, 1);
	assert_memory_not_equal(run.sha256, none, sizeof(none));
	make_dirty(log);
	boot(hive, &run);
	assert_int_equal(run.plans, 1);
	assert_non_null(strstr(run.item.text, "dirty, logs applied up to sequence 2"));
	assert_memory_equal(run.sha256, none, sizeof(none));
	assert_int_equal(unlink(log), 0); /* without them the file is what boots */
	boot(hive, &run);
	assert_int_equal(run.plans, 1);
	assert_non_null(strstr(run.item.text, "logs not applied"));
	assert_memory_not_equal(run.sha256, none, sizeof(none));
}

static void at_boot_what_others_can_write_is_not_read(void **state)
{
	struct boot_run run;
	char log[160];

	(void)state;
	snprintf(log, sizeof(log), "%s.LOG1", hive);
	assert_int_equal(smreg("init"), 0);
	make_dirty(log);
	assert_int_equal(chmod(log, 0664), 0);
	boot(hive, &run);
	assert_int_equal(run.plans, 1);
	assert_non_null(strstr(run.item.text, "logs not applied"));
	assert_non_null(strstr(run.item.text, err_text(EPERM)));
	assert_int_equal(smreg("query"), 0); /* a person may look at any */
	assert_true(said("logs applied up to sequence 2"));
	if (getuid() == 0) {
		assert_int_equal(chmod(log, 0644), 0);
		assert_int_equal(chown(log, 1234, 0), 0);
		boot(hive, &run);
		assert_non_null(strstr(run.item.text, "logs not applied"));
		assert_int_equal(chown(hive, 1234, 0), 0);
		boot(hive, &run);
		assert_int_equal(run.plans, 0);
		assert_int_equal(chown(hive, 0, 0), 0);
	}
	assert_int_equal(chmod(hive, 0646), 0);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(run.plans, 0);
	assert_string_equal(run.item.text, "others than root can write the hive");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(at_boot_the_plan_comes_sealed, start, end),
		cmocka_unit_test_setup_teardown(at_boot_a_bad_hive_is_named, start, end),
		cmocka_unit_test_setup_teardown(
			at_boot_replayed_logs_are_told_and_no_digest_is_given, start, end),
		cmocka_unit_test_setup_teardown(at_boot_what_others_can_write_is_not_read, start,
						end),
	};

	if (!getenv("SMREG") || !getenv("EXAMPLES")) {
		printf("skipped: SMREG and EXAMPLES are not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-boot", tests, NULL, NULL);
}
