/* SPDX-License-Identifier: MIT */
/*
 * sandbox.c - Landlock, seccomp and limits; see sandbox.h
 *
 * Called when every file is open and the C library's modules are loaded. What is left to do needs
 * memory, the open files, memfds and one socket. A call that is not on the list gets EPERM, not
 * death: a newer C library must not turn a good hive into a failed boot. This is the one place of
 * the room that calls the kernel by itself: the walls are not among PID 1's powers.
 */
#include "registry/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"

#define MEMORY_BYTES (1024ull << 20) /* a 64 MiB hive: its copy twice, its tree, the plan */
#define CPU_SECONDS  20u
#define FILE_BYTES   (256ull << 20) /* memfds count */

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#define OUR_ARCH 0
#endif

static const int allowed[] = {
	__NR_read,           __NR_write,         __NR_pread64,
	__NR_pwrite64,       __NR_readv,         __NR_writev,
	__NR_close,          __NR_fstat,         __NR_newfstatat,
	__NR_lseek,          __NR_munmap,        __NR_mremap,
	__NR_madvise,        __NR_brk,           __NR_futex,
	__NR_memfd_create,   __NR_ftruncate,     __NR_sendmsg,
	__NR_recvmsg,        __NR_sendto,        __NR_recvfrom,
	__NR_ppoll,          __NR_getrandom,     __NR_rt_sigreturn,
	__NR_rt_sigprocmask, __NR_rt_sigaction,  __NR_exit,
	__NR_exit_group,     __NR_clock_gettime, __NR_getpid,
	__NR_gettid,         __NR_sched_yield,   __NR_restart_syscall,
#ifdef __NR_poll
	__NR_poll,
#endif
};

static unsigned limits(void)
{
	static const struct {
		int what;
		rlim_t most;
	} list[] = {
#ifndef __SANITIZE_ADDRESS__ /* its shadow alone is larger than any limit */
		{RLIMIT_AS, MEMORY_BYTES},
#endif
		{RLIMIT_CPU, CPU_SECONDS}, {RLIMIT_FSIZE, FILE_BYTES}, {RLIMIT_CORE, 0},
		{RLIMIT_NPROC, 0},         {RLIMIT_NOFILE, 64}};
	unsigned failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct rlimit l = {list[i].most, list[i].most};

		failed |= setrlimit((unsigned)list[i].what, &l) < 0;
	}
	return failed ? 0 : SANDBOX_LIMITS;
}

/* All that the first version of Landlock knows is forbidden; open files and memfds stay. */
static unsigned landlock(void)
{
	struct landlock_ruleset_attr rules = {.handled_access_fs =
						      (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
	long r;

	if (fd < 0)
		return 0;
	r = syscall(SYS_landlock_restrict_self, (int)fd, 0);
	close((int)fd);
	return r == 0 ? SANDBOX_LANDLOCK : 0;
}

#define LOAD(at)     (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define ANSWER(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (what))
#define JUMP(test, value, yes, no)                                                                 \
	(struct sock_filter) BPF_JUMP(BPF_JMP | (test) | BPF_K, (value), (yes), (no))
#define ARG_LOW(n) (offsetof(struct seccomp_data, args) + 8u * (n))

/*
 * fcntl: what duplicates, asks and seals. F_SETOWN, F_SETSIG and O_ASYNC would let a pipe send any
 * signal to any process of the user. tgkill: abort() needs it, for the process itself alone.
 */
static unsigned short add_narrow(struct sock_filter *code, unsigned short n)
{
	static const int commands[] = {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD,    F_SETFD,
				       F_GETFL, F_ADD_SEALS,     F_GET_SEALS};
	const unsigned char count = ARRAY_SIZE(commands);

	code[n++] = JUMP(BPF_JEQ, __NR_fcntl, 0, (unsigned char)(3 + count));
	code[n++] = LOAD(ARG_LOW(1));
	for (unsigned char i = 0; i < count; i++)
		code[n++] = JUMP(BPF_JEQ, (uint32_t)commands[i], (unsigned char)(count - i), 0);
	code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
	code[n++] = ANSWER(SECCOMP_RET_ALLOW);
	code[n++] = JUMP(BPF_JEQ, __NR_tgkill, 0, 4);
	code[n++] = LOAD(ARG_LOW(0));
	code[n++] = JUMP(BPF_JEQ, (uint32_t)getpid(), 1, 0);
	code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
	code[n++] = ANSWER(SECCOMP_RET_ALLOW);
	return n;
}

static unsigned seccomp(void)
{
	struct sock_filter code[ARRAY_SIZE(allowed) * 2 + 48];
	struct sock_fprog program = {.filter = code};
	unsigned short n = 0;

	if (!OUR_ARCH)
		return 0;
	code[n++] = LOAD(offsetof(struct seccomp_data, arch));
	code[n++] = JUMP(BPF_JEQ, OUR_ARCH, 1, 0);
	code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
	code[n++] = LOAD(offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++) {
		code[n++] = JUMP(BPF_JEQ, (uint32_t)allowed[i], 0, 1);
		code[n++] = ANSWER(SECCOMP_RET_ALLOW);
	}
	n = add_narrow(code, n);
	/* openat: to read only (libhivex opens the memfd through /proc/self/fd) */
	code[n++] = JUMP(BPF_JEQ, __NR_openat, 0, 4);
	code[n++] = LOAD(ARG_LOW(2));
	code[n++] = JUMP(BPF_JSET, O_ACCMODE | O_CREAT | O_TRUNC, 1, 0);
	code[n++] = ANSWER(SECCOMP_RET_ALLOW);
	code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
	/* mmap, mprotect: never executable */
	code[n++] = JUMP(BPF_JEQ, __NR_mmap, 1, 0);
	code[n++] = JUMP(BPF_JEQ, __NR_mprotect, 0, 3);
	code[n++] = LOAD(ARG_LOW(2));
	code[n++] = JUMP(BPF_JSET, 4 /* PROT_EXEC */, 1, 0);
	code[n++] = ANSWER(SECCOMP_RET_ALLOW);
	code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
	program.len = n;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0 ? SANDBOX_SECCOMP
									       : 0;
}

unsigned sandbox_enter(void)
{
	unsigned stands = limits();

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return stands;
	stands |= landlock();
	return stands | seccomp();
}
