/* SPDX-License-Identifier: MIT */
/*
 * mark.c - the stop-watch of the measurements in the VM: tells when PID 1 was executed, and when a
 * core process runs. One static image, three names:
 *
 *   exec    is what the initramfs executes. It reads the clock and at once executes /bench/init,
 * the real one, with the time in its environment (BENCH_EXEC_NS): /proc/1/environ still shows it
 * when the boot is over, and nothing was written to anywhere meanwhile. core N  one of the "two
 * core processes" of an init other than ours: reads the clock, says it to the kernel's log, and
 * stays. When core 2 runs, /bench/after is started a second later, so that it takes no part in what
 * is measured. clock   prints the time; quit ACTION WORD...  executes WORD... with the time before
 * in the log.
 *
 * Must not do anything that a clock reading would contain: no libc start-up is needed before it.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t); /* the clock of smss's timeline */
	return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

/* Level 15 is debugging: kept in the log, not shown on the console, which costs. */
static void say(int level, const char *what, unsigned long long ns)
{
	char line[128];
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int n = snprintf(line, sizeof(line), "<%d>bench: %s %llu\n", level, what, ns);

	if (fd < 0)
		return;
	if (write(fd, line, (size_t)n) != n)
		_exit(1);
	close(fd);
}

static int be_exec(char **argv, char **envp)
{
	static char word[64];
	static char *env[34];
	int n = 0;

	while (n < 32 && envp[n]) {
		env[n] = envp[n];
		n++;
	}
	env[n] = word;
	argv[0] = (char *)"/sbin/init";
	if (access("/bench/rw", F_OK) ==
	    0) /* as a kernel told "rw" has it; the initramfs mounts ro */
		mount(NULL, "/", NULL, MS_REMOUNT, NULL);
	sprintf(word, "BENCH_EXEC_NS=%020llu", now_ns()); /* the first call has its page faults */
	sprintf(word, "BENCH_EXEC_NS=%020llu", now_ns());
	execve("/bench/init", argv, env);
	return 1;
}

static int be_core(const char *number)
{
	unsigned long long ns = now_ns();
	char what[16];

	snprintf(what, sizeof(what), "core%s", number);
	say(15, what, ns);
	if (number[0] == '2') {
		sleep(1);
		if (fork() == 0) {
			setsid();
			execl("/bench/after", "after", (char *)NULL);
			_exit(127);
		}
	}
	for (;;) {
		sleep(1000);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static int be_quit(char **argv)
{
	say(8, "quit", now_ns()); /* emergency: stands beside the kernel's last line */
	execv(argv[1], argv + 1);
	return 1;
}

static int be_pages(void)
{
	FILE *maps = fopen("/proc/1/maps", "r");
	int pagemap = open("/proc/1/pagemap", O_RDONLY);
	unsigned long from, to;
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx", &from, &to) != 2)
			continue;
		for (unsigned long at = from; at < to; at += 4096) {
			unsigned long long e = 0;

			if (pread(pagemap, &e, sizeof(e), (off_t)(at / 4096 * 8)) != sizeof(e))
				break;
			if (e >> 63)
				printf("%lx %s\n", at, e >> 61 & 1 ? "file" : "own");
		}
	}
	return 0;
}

int main(int argc, char **argv, char **envp)
{
	const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];

	if (getpid() == 1)
		return be_exec(argv, envp);
	if (strcmp(name, "core") == 0 && argc == 2)
		return be_core(argv[1]);
	if (strcmp(name, "quit") == 0 && argc > 1)
		return be_quit(argv);
	if (strcmp(name, "pages") == 0)
		return be_pages();
	return 2;
}
