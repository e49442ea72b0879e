/* SPDX-License-Identifier: MIT */
/*
 * evil_libevtx.c - stands before libevtx in the child of smaudit that reads event logs, and tries
 * what code of an intruder would
 *
 * EVIL names the trick. "walls" tries every way out and answers with the names of those that were
 * open, as the reason why record 4711 cannot be read; the others misbehave and answer nothing. It
 * must never harm more than the smaudit that it was loaded into, and the file EVIL_FILE.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pid_t parent;
static uint8_t code[8192];
static char open_ways[512];

/* The parent's number is known to an intruder, who can count. */
__attribute__((constructor)) static void remember(void)
{
	parent = getpid();
}

static void try_way(const char *name, long result)
{
	if (result < 0)
		return;
	strncat(open_ways, name, sizeof(open_ways) - strlen(open_ways) - 2);
	strncat(open_ways, " ", 2);
}

static void say(void)
{
	struct {
		uint32_t kind, bytes;
		uint64_t record;
		char why[120];
	} frame = {.kind = 2, .record = 4711};
	size_t n = strlen(open_ways);

	if (!n)
		n = (size_t)(stpcpy(open_ways, "no way out") - open_ways);
	frame.bytes = (uint32_t)(n < sizeof(frame.why) ? n : sizeof(frame.why));
	memcpy(frame.why, open_ways, frame.bytes);
	if (write(1, &frame, 16 + frame.bytes) < 0)
		_exit(3);
}

static void try_files(void)
{
	const char *file = getenv("EVIL_FILE");
	uint64_t how[3] = {O_WRONLY | O_CREAT, 0600, 0};

	file = file ? file : "/nowhere";
	try_way("openat-read", syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0));
	try_way("openat-write", syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT, 0600));
	try_way("openat2", syscall(SYS_openat2, AT_FDCWD, file, how, sizeof(how)));
#ifdef SYS_open
	try_way("open", syscall(SYS_open, "/etc/passwd", O_RDONLY, 0));
	try_way("creat", syscall(SYS_creat, file, 0600));
	try_way("stat", syscall(SYS_stat, "/etc/passwd", code));
	try_way("x32-openat", syscall(SYS_openat | 0x40000000, AT_FDCWD, "/etc/passwd", 0, 0));
#endif
	try_way("newfstatat", syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", code, 0));
	try_way("mkdirat", syscall(SYS_mkdirat, AT_FDCWD, file, 0700));
	try_way("unlinkat", syscall(SYS_unlinkat, AT_FDCWD, file, 0));
	try_way("memfd", syscall(SYS_memfd_create, "x", 0));
	for (int fd = 2; fd < 64; fd++)
		try_way("open-file", syscall(SYS_fcntl, fd, F_GETFD));
	try_way("socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
	try_way("socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, code));
	try_way("io_uring", syscall(SYS_io_uring_setup, 1, code));
}

static void try_others(void)
{
	struct iovec here = {code, 8}, there = {code, 8};

	try_way("kill-0", syscall(SYS_kill, parent, 0));
	try_way("tgkill", syscall(SYS_tgkill, parent, parent, SIGKILL));
	try_way("tkill", syscall(SYS_tkill, parent, SIGKILL));
	try_way("pidfd", syscall(SYS_pidfd_open, parent, 0));
	try_way("setown", syscall(SYS_fcntl, 0, F_SETOWN, parent));
	try_way("setsig", syscall(SYS_fcntl, 0, F_SETSIG, SIGKILL));
	try_way("async", syscall(SYS_fcntl, 0, F_SETFL, O_ASYNC));
	try_way("pipe-size", syscall(SYS_fcntl, 0, F_SETPIPE_SZ, 1 << 20));
	try_way("ptrace", syscall(SYS_ptrace, PTRACE_ATTACH, parent, 0, 0));
	try_way("read-memory", syscall(SYS_process_vm_readv, parent, &here, 1L, &there, 1L, 0L));
	try_way("write-memory", syscall(SYS_process_vm_writev, parent, &here, 1L, &there, 1L, 0L));
	try_way("clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
#ifdef SYS_fork
	try_way("fork", syscall(SYS_fork));
	try_way("vfork", syscall(SYS_vfork) == 0 ? (_exit(0), 0) : -1);
#endif
}

static void try_itself(void)
{
	struct rlimit wide = {RLIM_INFINITY, RLIM_INFINITY};
	char *argv[] = {"true", NULL};
	void *page = (void *)(((uintptr_t)code + 4095) & ~(uintptr_t)4095);
	void *exec = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *much =
		mmap(NULL, 900u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	try_way("mmap-exec", exec == MAP_FAILED ? -1 : 0);
	try_way("mprotect-exec", mprotect(page, 4096, PROT_READ | PROT_EXEC));
	try_way("pkey-exec", syscall(SYS_pkey_mprotect, page, 4096, PROT_EXEC, -1));
	try_way("memory", much == MAP_FAILED ? -1 : 0);
	try_way("limit", syscall(SYS_prlimit64, 0, RLIMIT_DATA, &wide, NULL));
	try_way("other's-limit", syscall(SYS_prlimit64, parent, RLIMIT_CPU, &wide, NULL));
	try_way("prctl", syscall(SYS_prctl, 4 /* PR_SET_DUMPABLE */, 1, 0, 0, 0));
	try_way("setuid", syscall(SYS_setuid, 0));
	try_way("unshare", syscall(SYS_unshare, 0x10000000 /* a user namespace */));
	try_way("mount", syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL));
	try_way("execve", syscall(SYS_execve, "/bin/true", argv, NULL));
	try_way("execveat", syscall(SYS_execveat, 0, "", argv, NULL, AT_EMPTY_PATH));
}

int libevtx_file_open_file_io_handle(void *file, void *io, int how, void **error);

int libevtx_file_open_file_io_handle(void *file, void *io, int how, void **error)
{
	const char *evil = getenv("EVIL");
	static const char rubbish[4096];

	(void)file, (void)io, (void)how, (void)error;
	if (!evil)
		return -1;
	if (!strcmp(evil, "walls")) {
		try_files();
		try_others();
		try_itself();
		say();
	}
	while (!strcmp(evil, "flood"))
		if (write(1, rubbish, sizeof(rubbish)) < 0)
			_exit(0);
	while (!strcmp(evil, "spin"))
		code[0]++;
	if (!strcmp(evil, "shut")) {
		close(0);
		close(1);
		pause();
	}
#if defined(__x86_64__)
	if (!strcmp(evil, "int80")) /* the calls of another architecture: 5 is open there */
		__asm__ volatile("int $0x80" : : "a"(5), "b"(0), "c"(0) : "memory");
#endif
	return -1;
}
