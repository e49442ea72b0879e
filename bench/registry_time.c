/* SPDX-License-Identifier: MIT */
/*
 * registry_time.c - runs commands in turn, many rounds: registry_time ROUNDS -- CMD ARG... -- ...
 *
 * For each command and round one line "COMMAND-NUMBER MICROSECONDS CPU-MICROSECONDS MAXRSS-KB
 * STATUS": the time from before the spawn until the exit was seen, and what the kernel charged for.
 * Interleaved, so that a change of the machine's mood meets all of them. Output goes to /dev/null.
 * An argument @N@ becomes the round's number. Small itself, since the kernel starts a child's
 * ru_maxrss with its parent's.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS 16
#define ARGS     32

extern char **environ;

static double charged_us(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e6 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void run(unsigned which, char *const *command, unsigned round,
		const posix_spawn_file_actions_t *actions)
{
	char *argv[ARGS + 1], number[16];
	struct rusage used;
	double from;
	int status = -1;
	pid_t pid;

	snprintf(number, sizeof(number), "%u", round);
	for (unsigned i = 0; i <= ARGS; i++) {
		argv[i] = command[i];
		if (!argv[i])
			break;
		if (strcmp(argv[i], "@N@") == 0)
			argv[i] = number;
	}
	from = now_us();
	if (posix_spawn(&pid, argv[0], actions, NULL, argv, environ) != 0 ||
	    wait4(pid, &status, 0, &used) != pid) {
		perror(argv[0]);
		exit(1);
	}
	printf("%u %.1f %.1f %ld %d\n", which, now_us() - from, charged_us(&used), used.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(int argc, char **argv)
{
	static char *command[COMMANDS][ARGS + 1];
	unsigned count = 0, rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 0, n = 0;
	posix_spawn_file_actions_t actions;

	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			count++;
			n = 0;
		} else if (count && count <= COMMANDS && n < ARGS) {
			command[count - 1][n++] = argv[i];
		}
	}
	if (!rounds || !count || count > COMMANDS) {
		fprintf(stderr, "usage: registry_time ROUNDS -- CMD ARG... [-- CMD ARG...]...\n");
		return 2;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	for (unsigned round = 0; round < rounds; round++)
		for (unsigned i = 0; i < count; i++)
			run(i, command[i], round, &actions);
	return 0;
}
