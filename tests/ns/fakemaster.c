/* SPDX-License-Identifier: MIT */
/*
 * fakemaster.c - runs one role of smss for real, with this program in the master's place
 *
 * Makes the plan, the environment and the connection that a copy is born with (smss/copy.h), starts
 * `smss ROLE N`, answers what it asks, and prints every message it gets as a line of JSON; the last
 * line is how the copy ended. It can also only write a plan or a queue into a file. A tool of the
 * tests; never installed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "smss/copy.h"
#include "sys/sys.h"

#define ROWS_MAX      20000
#define STORAGE_BYTES (8u << 20)

struct row {
	enum plan_table table;
	const char *name, *text;
	uint32_t flags, arg, aux;
};

static struct row rows[ROWS_MAX];
static unsigned row_count;
static char environment[ENV_BYTES];
static size_t environment_bytes;
static char *words[32];
static unsigned word_count;
static const char *sets[32];
static unsigned set_count;
static const char *image = IMAGE_SMSS, *fit, *write_to, *use_plan;
static const char *magic = PLAN_MAGIC;
static enum { GIVE_WHOLE, GIVE_NONE, GIVE_BARE, GIVE_TORN } give_plan;
static const char *file_limit; /* bytes: the copy is killed when a file of its would grow beyond */
static struct sm_stop_text stop = {.code = STOP_SYSTEM_PROCESS_TERMINATED, .status = 11};

static void die(const char *what, int r)
{
	fprintf(stderr, "fakemaster: %s: %s\n", what, strerror(r < 0 ? -r : r));
	exit(2);
}

/* clang-format off */
static const char *const tables[PLAN_TABLES] = {
	[PLAN_BOOT_EXECUTE] = "BootExecute", [PLAN_SETUP_EXECUTE] = "SetupExecute",
	[PLAN_OBJECT_DIRECTORIES] = "ObjectDirectories", [PLAN_DOS_DEVICES] = "DOSDevices",
	[PLAN_ENVIRONMENT] = "Environment", [PLAN_KNOWN_DLLS] = "KnownDLLs",
	[PLAN_EXCLUDE_KNOWN_DLLS] = "ExcludeFromKnownDlls", [PLAN_KNOWN_PINS] = "KnownPins",
	[PLAN_PAGING_FILES] = "PagingFiles", [PLAN_QUEUE] = "Queue",
};
static const struct { const char *name; size_t at; } settings[] = {
	{ "AllowProtectedRenames", offsetof(struct plan_settings, allow_protected_renames) },
	{ "KeepDays", offsetof(struct plan_settings, keep_days) },
	{ "KeepGroups", offsetof(struct plan_settings, keep_groups) },
	{ "KeepMib", offsetof(struct plan_settings, keep_mib) },
	{ "KnownPolicy", offsetof(struct plan_settings, known_policy) },
	{ "QueueCount", offsetof(struct plan_settings, queue_count) },
	{ "PagingSpecified", offsetof(struct plan_settings, paging_specified) },
};
/* clang-format on */

static enum plan_table table_of(const char *name)
{
	for (unsigned i = 0; i < PLAN_TABLES; i++)
		if (tables[i] && strcmp(tables[i], name) == 0)
			return (enum plan_table)i;
	fprintf(stderr, "fakemaster: no table %s\n", name);
	exit(2);
}

static void set(struct plan_builder *b, const char *text)
{
	const char *value = strchr(text, '=');
	const size_t n = value ? (size_t)(value - text) : 0;

	if (value && strncmp(text, "DllDirectory", n) == 0) {
		plan_settings_of(b)->dll_directory = plan_intern(b, value + 1);
		return;
	}
	for (unsigned i = 0; value && i < ARRAY_SIZE(settings); i++)
		if (strncmp(text, settings[i].name, n) == 0) {
			uint32_t number = (uint32_t)strtoul(value + 1, NULL, 0);

			memcpy((char *)plan_settings_of(b) + settings[i].at, &number, 4);
			return;
		}
	fprintf(stderr, "fakemaster: no setting %s\n", text);
	exit(2);
}

static void fit_to_hive(struct plan_builder *b)
{
	static uint8_t hive[1 << 20];
	uint8_t digest[SHA256_BYTES];
	ssize_t n = sys_read_file(AT_FDCWD, fit, hive, sizeof(hive));

	if (n < (ssize_t)HIVE_BLOCK_BYTES)
		die(fit, n < 0 ? (int)n : -EINVAL);
	sha256_of(hive, (size_t)n, digest);
	plan_fit_to(b, hive, (uint64_t)n, digest);
}

static int build(void **ret)
{
	void *storage = calloc(1, STORAGE_BYTES);
	char *pool = calloc(1, STORAGE_BYTES);
	struct plan_builder b;
	int n;

	plan_begin(&b, magic, storage, STORAGE_BYTES, pool, STORAGE_BYTES);
	for (unsigned i = 0; i < set_count; i++)
		set(&b, sets[i]);
	for (unsigned t = 0; t < PLAN_TABLES; t++) {
		bool begun = false;

		for (unsigned i = 0; i < row_count; i++) {
			if (rows[i].table != t)
				continue;
			if (!begun)
				plan_table_begin(&b, t);
			begun = true;
			plan_add(&b, rows[i].name, rows[i].text, rows[i].flags, rows[i].arg,
				 rows[i].aux);
		}
	}
	if (fit)
		fit_to_hive(&b);
	n = plan_end(&b);
	if (n < 0)
		die("plan_end", n);
	*ret = storage;
	return n;
}

static int sealed(const char *name, const void *bytes, size_t n)
{
	int fd = sys_memfd(name), r;

	if (fd < 0)
		die(name, fd);
	r = sys_write_all(fd, bytes, n);
	if (r < 0 || (r = sys_seal(fd)) < 0)
		die(name, r);
	return fd;
}

static void print_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((unsigned char)*s < 0x20)
			printf("\\u%04x", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_environment(int fd)
{
	const void *map;
	size_t n, at = 0;
	int r = sys_map_sealed(fd, &map, &n);

	printf("{\"call\":\"ENV_READY\",\"sealed\":%s,\"environment\":[", r < 0 ? "false" : "true");
	while (r >= 0 && at < n) {
		const char *entry = (const char *)map + at;

		print_string(entry);
		at += strlen(entry) + 1;
		if (at < n)
			putchar(',');
	}
	printf("]}\n");
}

static void print_plan(const struct sm_plan_ready *p, int fd)
{
	const void *map;
	const char *why = "";
	size_t n = 0;
	int r = sys_map_sealed(fd, &map, &n);

	if (r >= 0)
		r = plan_check(map, n, PLAN_MAGIC, &why);
	printf("{\"call\":\"PLAN_READY\",\"level\":%u,\"flags\":%u,\"attempts\":%u,\"good\":%s,"
	       "\"builtin\":%u,\"text\":",
	       p->level, p->flags, p->attempts, r < 0 ? "false" : "true",
	       r < 0 ? 9 : ((const struct plan_header *)map)->settings.builtin);
	print_string(p->text);
	printf("}\n");
}

static void print(const struct sm_message *m, const int *fds)
{
	switch (m->h.call) {
	case SM_PHASE_ITEM:
		printf("{\"call\":\"ITEM\",\"result\":\"%s\",\"detail\":%d,\"name\":",
		       result_word(m->b.item.result), m->b.item.detail);
		print_string(m->b.item.name);
		printf(",\"text\":");
		print_string(m->b.item.text);
		printf("}\n");
		break;
	case SM_ENV_READY:
		print_environment(fds[0]);
		break;
	case SM_PLAN_READY:
		print_plan(&m->b.plan_ready, fds[0]);
		break;
	case SM_STATE_READY:
		printf("{\"call\":\"STATE_READY\",\"writable\":%u,\"attempts\":%u,\"flags\":%u,"
		       "\"text\":",
		       m->b.state_ready.writable, m->b.state_ready.attempts,
		       m->b.state_ready.flags);
		print_string(m->b.state_ready.text);
		printf("}\n");
		break;
	case SM_JOB_NEXT:
	case SM_JOB_DONE:
		break;
	default:
		printf("{\"call\":%u}\n", m->h.call);
	}
	fflush(stdout);
}

static void answer(int fd, struct sm_message *m)
{
	ssize_t r;

	if (m->h.call == SM_PHASE_ITEM || m->h.call == SM_JOB_DONE)
		return;
	if (m->h.call == SM_JOB_NEXT)
		m->b.job_next.role = ROLE_NONE; /* one role a run */
	m->h.reply = 1;
	m->h.status = SM_OK;
	if (m->h.call == SM_STOP_TEXT)
		m->b.stop_text = stop;
	m->h.length = (uint32_t)sm_body_length(m->h.call, 1);
	r = sys_send(fd, m, sm_message_bytes(m), NULL, 0);
	if (r < 0)
		die("answer", (int)r);
}

static int serve(int fd)
{
	struct sm_message m;

	for (;;) {
		int fds[SYS_FDS_MAX] = {-1, -1, -1, -1}, r;
		unsigned count = 0;
		ssize_t n = sys_receive(fd, &m, sizeof(m), fds, &count);

		if (n <= 0)
			return (int)n;
		r = sm_message_check(&m, (size_t)n);
		if (r < 0)
			die("message", r);
		print(&m, fds);
		answer(fd, &m);
		for (unsigned i = 0; i < count; i++)
			sys_close(fds[i]);
	}
}

/* The plan as the role is to get it. */
static int plan_fd(const void *plan, size_t n)
{
	int fd;

	if (give_plan != GIVE_BARE)
		return sealed("plan", plan, give_plan == GIVE_TORN ? n - 1 : n);
	fd = sys_memfd("plan");
	if (fd < 0 || sys_write_all(fd, plan, n) < 0)
		die("plan", fd);
	return fd;
}

static int run(char *role, char *number, const void *plan, size_t n)
{
	char *argv[] = {(char *)"smss", role, number, NULL};
	int null = sys_open(AT_FDCWD, "/dev/null", O_RDWR, 0), pair[2], pid, r;
	struct sys_exit end;
	int fds[6];

	if (null < 0 || (r = sys_socketpair(pair)) < 0)
		die("start", null < 0 ? null : r);
	fds[0] = fds[1] = fds[2] = null;
	fds[FD_MASTER] = pair[1];
	fds[FD_PLAN] = give_plan == GIVE_NONE || !n ? -1 : plan_fd(plan, n);
	fds[FD_ENV] = environment_bytes ? sealed("env", environment, environment_bytes) : -1;
	const struct sys_spawn what = {.dir_fd = AT_FDCWD,
				       .name = image,
				       .argv = argv,
				       .envp = words,
				       .fds = fds,
				       .fd_count = 6,
				       .cgroup_fd = -1,
				       .pidns_fd = -1};

	if (file_limit) {
		const struct rlimit limit = {strtoul(file_limit, NULL, 0), RLIM_INFINITY};

		if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
			die("limit", errno);
	}
	pid = sys_spawn(&what, NULL);
	if (pid < 0)
		die("spawn", pid);
	sys_close(pair[1]);
	r = serve(pair[0]);
	if (r < 0)
		die("receive", r);
	r = sys_wait_pid(pid, &end);
	if (r < 0)
		die("wait", r);
	printf("{\"%s\":%d}\n", end.signalled ? "signal" : "exit", end.status);
	return 0;
}

static void add_environment(const char *entry)
{
	const size_t n = strlen(entry) + 1;

	if (n > sizeof(environment) - environment_bytes)
		die("environment", -ENOSPC);
	memcpy(environment + environment_bytes, entry, n);
	environment_bytes += n;
}

/* Takes one option with its arguments; returns how many words it was. */
static int option(char **argv, int left)
{
	if (left >= 7 && strcmp(argv[0], "--row") == 0 && row_count < ROWS_MAX) {
		rows[row_count++] = (struct row){.table = table_of(argv[1]),
						 .name = argv[2],
						 .text = argv[3],
						 .flags = (uint32_t)strtoul(argv[4], NULL, 0),
						 .arg = (uint32_t)strtoul(argv[5], NULL, 0),
						 .aux = (uint32_t)strtoul(argv[6], NULL, 0)};
		return 7;
	}
	if (strcmp(argv[0], "--queue") == 0) {
		magic = QUEUE_MAGIC;
		return 1;
	}
	for (unsigned i = GIVE_NONE; i <= GIVE_TORN; i++) {
		static const char *const names[] = {"", "--no-plan", "--bare-plan", "--torn-plan"};

		if (strcmp(argv[0], names[i]) == 0) {
			give_plan = i;
			return 1;
		}
	}
	if (left < 2)
		return 0;
	if (strcmp(argv[0], "--set") == 0 && set_count < ARRAY_SIZE(sets))
		sets[set_count++] = argv[1];
	else if (strcmp(argv[0], "--env") == 0)
		add_environment(argv[1]);
	else if (strcmp(argv[0], "--word") == 0 && word_count < ARRAY_SIZE(words) - 1)
		words[word_count++] = argv[1];
	else if (strcmp(argv[0], "--image") == 0)
		image = argv[1];
	else if (strcmp(argv[0], "--fit") == 0)
		fit = argv[1];
	else if (strcmp(argv[0], "--plan") == 0)
		use_plan = argv[1];
	else if (strcmp(argv[0], "--write") == 0)
		write_to = argv[1];
	else if (strcmp(argv[0], "--file-limit") == 0)
		file_limit = argv[1];
	else if (strcmp(argv[0], "--culprit") == 0)
		snprintf(stop.culprit, sizeof(stop.culprit), "%s", argv[1]);
	else
		return 0;
	return 2;
}

int main(int argc, char **argv)
{
	static uint64_t file[PLAN_BYTES_MAX / 8];
	void *plan = file;
	int i = 1, n;

	while (i < argc && argv[i][0] == '-') {
		n = option(argv + i, argc - i);
		if (!n) {
			fprintf(stderr, "fakemaster: %s: what is that?\n", argv[i]);
			return 2;
		}
		i += n;
	}
	n = use_plan ? (int)sys_read_file(AT_FDCWD, use_plan, file, sizeof(file)) : build(&plan);
	if (n < 0)
		die(use_plan, n);
	if (write_to) {
		int fd = sys_open(AT_FDCWD, write_to, O_WRONLY | O_CREAT | O_TRUNC, 0644);
		int r = fd < 0 ? fd : sys_write_all(fd, plan, (size_t)n);

		if (r < 0)
			die(write_to, r);
		return 0;
	}
	if (argc - i != 2) {
		fprintf(stderr, "usage: fakemaster [OPTION...] ROLE N\n");
		return 2;
	}
	return run(argv[i], argv[i + 1], plan, strcmp(argv[i], "plan") ? (size_t)n : 0);
}
