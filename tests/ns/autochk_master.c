/* SPDX-License-Identifier: MIT */
/*
 * autochk_master.c - stands in for the session manager when autochk is tried by itself
 *
 *   autochk_master [-d DIR] [-c SECONDS] [-t SECONDS] [-s] [-k] [-h BYTE] IMAGE ARG...
 *
 * Starts IMAGE (in the root DIR with -d) as a BootExecute image: fd 0 null, 3 the connection, 4 a
 * sealed plan with -c autochk's deadline, -t AutoChkTimeOut, -s AutoChkSkipSystemPartition, -h the
 * bytes of the hive's digest. With -k the console is a terminal on which a key is pressed after
 * half a second. Prints one line an item ("RESULT DETAIL NAME: TEXT") and exits with its status.
 */
#include <poll.h>
#include <pty.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plan/plan.h"
#include "sys/sys.h"
#include "wire/wire.h"

static int make_plan(uint32_t deadline_s, uint32_t timeout_s, bool skip_system, uint8_t hive)
{
	static uint64_t storage[8192];
	static char pool[16384];
	uint8_t block[HIVE_BLOCK_BYTES] = {1}, digest[SHA256_BYTES];
	struct plan_builder b;
	int fd, n;

	memset(digest, hive, sizeof(digest));
	plan_begin(&b, PLAN_MAGIC, storage, sizeof(storage), pool, sizeof(pool));
	plan_settings_of(&b)->autochk_deadline_s = deadline_s;
	plan_settings_of(&b)->autochk_timeout_s = timeout_s;
	plan_settings_of(&b)->autochk_skip_system = skip_system;
	plan_fit_to(&b, block, 4096, digest);
	n = plan_end(&b);
	fd = sys_memfd("plan");
	if (n < 0 || fd < 0 || sys_write_all(fd, storage, (size_t)n) < 0 || sys_seal(fd) < 0) {
		fprintf(stderr, "autochk_master: no plan (%d)\n", n);
		exit(99);
	}
	return fd;
}

static void print_item(const struct sm_message *m)
{
	const struct sm_item *i = &m->b.item;

	printf("%s %d %s: %s\n", result_word(i->result), i->detail, i->name, i->text);
	fflush(stdout);
}

static void become(char **argv, const char *root, int connection, int plan, int console)
{
	int null = open("/dev/null", O_RDWR);
	int c = fcntl(connection, F_DUPFD, 20), p = fcntl(plan, F_DUPFD, 20);
	int t = fcntl(console, F_DUPFD, 20);

	if (root && (chroot(root) < 0 || chdir("/") < 0))
		_exit(98);
	dup2(null, 0);
	dup2(t, 1);
	dup2(t, 2);
	dup2(c, 3);
	dup2(p, 4);
	close_range(5, ~0u, 0);
	clearenv();
	execv(argv[0], argv);
	_exit(97);
}

static void serve(int connection, int terminal)
{
	uint64_t key_at = terminal >= 0 ? sys_now_ns() + 500000000ull : 0;

	for (;;) {
		struct pollfd f[2] = {{.fd = connection, .events = POLLIN},
				      {.fd = terminal, .events = POLLIN}};
		struct sm_message m;
		char room[512];

		poll(f, 2, 100);
		if (key_at && sys_now_ns() > key_at) {
			key_at = 0;
			if (write(terminal, "x", 1) < 0)
				return;
		}
		if (f[1].revents & POLLIN) {
			ssize_t n = read(terminal, room, sizeof(room));

			printf("console: %.*s\n", (int)(n > 0 ? n : 0), room);
		}
		if (f[0].revents) {
			ssize_t n = sys_receive(connection, &m, sizeof(m), NULL, NULL);

			if (n <= 0)
				return;
			if (sm_message_check(&m, (size_t)n) == 0 && m.h.call == SM_PHASE_ITEM)
				print_item(&m);
			else
				printf("WRONG MESSAGE\n");
		}
	}
}

int main(int argc, char **argv)
{
	uint32_t deadline_s = 60, timeout_s = 0, hive = 7;
	int option, sockets[2], plan, status, master = -1, console = 1;
	const char *root = NULL;
	bool skip = false, key = false;
	pid_t pid;

	while ((option = getopt(argc, argv, "+d:c:t:skh:")) != -1) {
		if (option == 'd')
			root = optarg;
		else if (option == 'c')
			deadline_s = (uint32_t)atoi(optarg);
		else if (option == 't')
			timeout_s = (uint32_t)atoi(optarg);
		else if (option == 's')
			skip = true;
		else if (option == 'k')
			key = true;
		else if (option == 'h')
			hive = (uint32_t)atoi(optarg);
		else
			return 96;
	}
	if (optind >= argc || sys_socketpair(sockets) < 0)
		return 96;
	if (key && openpty(&master, &console, NULL, NULL, NULL) < 0)
		return 95;
	plan = make_plan(deadline_s, timeout_s, skip, (uint8_t)hive);
	pid = fork();
	if (pid == 0)
		become(argv + optind, root, sockets[1], plan, console);
	close(sockets[1]);
	serve(sockets[0], master);
	if (waitpid(pid, &status, 0) < 0)
		return 94;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
