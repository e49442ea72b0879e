/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - the door to the kernel: processes and signals; see sys.h
 *
 * A child starts clean (law 6): default dispositions come from the kernel (CLONE_CLEAR_SIGHAND),
 * the mask is emptied, just the declared fds survive, the file limit is what the master was born
 * with. The child runs between clone3 and execve on a copy of our memory and touches nothing else.
 */
#include "sys/sys.h"

#include <errno.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWN_FDS_MAX 16
#define SPAWN_FD_PARK 64 /* sources below the child's numbers are moved here first */

static struct rlimit64_ {
	uint64_t soft, hard;
} born_files; /* RLIMIT_NOFILE before sys_limit_files; soft 0 = never changed */

static long limit_files(const struct rlimit64_ *set, struct rlimit64_ *ret)
{
	return syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, set, ret);
}

int sys_limit_files(uint64_t soft)
{
	struct rlimit64_ now;

	if (limit_files(NULL, &now) < 0)
		return -errno;
	if (!born_files.soft)
		born_files = now;
	if (soft > now.hard)
		soft = now.hard;
	now.soft = soft;
	return limit_files(&now, NULL) < 0 ? -errno : 0;
}

int sys_set_limit(int resource, uint64_t value)
{
	const struct rlimit64_ both = {.soft = value, .hard = value};

	if (syscall(SYS_prlimit64, 0, resource, &both, NULL) < 0)
		return -errno;
	if (resource == RLIMIT_NOFILE)
		born_files.soft = 0;
	return 0;
}

/* The kernel's own mask of 64 signals; libc's functions hide two of them from us. */
static void mask_set(uint64_t mask)
{
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
}

static volatile int exec_error; /* written by a child that borrows our memory, see sys_spawn */

static int told_by = -1; /* in a child that has memory of its own: where that is told */

static void give_up(void) __attribute__((noreturn));
static void give_up(void)
{
	exec_error = errno;
	if (told_by >= 0)
		(void)!write(told_by, (const void *)&exec_error, sizeof(exec_error));
	_exit(127);
}

static void child_fds(const struct sys_spawn *what)
{
	int from[SPAWN_FDS_MAX];
	unsigned n = what->fd_count;

	for (unsigned i = 0; i < n; i++) {
		from[i] = what->fds[i];
		if (from[i] >= 0 && from[i] < (int)n && from[i] != (int)i) {
			from[i] = (int)syscall(SYS_fcntl, from[i], F_DUPFD_CLOEXEC, SPAWN_FD_PARK);
			if (from[i] < 0)
				give_up();
		}
	}
	for (unsigned i = 0; i < n; i++) {
		if (from[i] < 0)
			syscall(SYS_close, (int)i);
		else if (from[i] == (int)i ? fcntl(from[i], F_SETFD, 0) < 0
					   : dup2(from[i], (int)i) < 0)
			give_up();
	}
	if (what->as && what->dir_fd < 0) { /* its user may look at it before its exec is done */
		syscall(SYS_close_range, n, (unsigned)told_by - 1, 0);
		syscall(SYS_close_range, (unsigned)told_by + 1, ~0u, 0);
	}
	syscall(SYS_close_range, n, ~0u, CLOSE_RANGE_CLOEXEC);
}

/* The raw calls: libc's would go through every thread, and there is one. */
static void become(const struct sys_as *as)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (as->drop_capabilities >> bit & 1 &&
		    syscall(SYS_prctl, PR_CAPBSET_DROP, bit, 0, 0, 0) < 0)
			give_up();
	if (syscall(SYS_setgroups, (size_t)as->group_count, as->groups) < 0 ||
	    syscall(SYS_setgid, as->gid) < 0 || syscall(SYS_setuid, as->uid) < 0)
		give_up();
	/* Only now: where this user may not go is no place to begin in. */
	if (as->home && (as->home[0] != '/' || syscall(SYS_chdir, as->home) < 0))
		syscall(SYS_chdir, "/");
}

static void or_give_up(int r)
{
	if (r < 0) {
		errno = -r;
		give_up();
	}
}

static void child(const struct sys_spawn *what) __attribute__((noreturn));
static void child(const struct sys_spawn *what)
{
	if (what->flags & SYS_SPAWN_SETSID && setsid() < 0)
		give_up();
	if (what->gate && !what->as)
		or_give_up(what->gate(what->gate_arg));
	child_fds(what);
	if (what->flags & SYS_SPAWN_CTTY)
		ioctl(0, TIOCSCTTY, 1);
	if (born_files.soft)
		limit_files(&born_files, NULL);
	if (what->flags & (SYS_SPAWN_PROC | SYS_SPAWN_PROC_TRY) &&
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 &&
	    what->flags & SYS_SPAWN_PROC)
		give_up();
	if (what->flags & SYS_SPAWN_PROC_HOLD)
		or_give_up(sys_hold_proc());
	if (what->hold)
		or_give_up(sys_hold(what->hold));
	if (what->as)
		become(what->as);
	mask_set(0);
	syscall(SYS_execveat, what->dir_fd, what->name, what->argv, what->envp,
		what->name[0] ? 0 : AT_EMPTY_PATH);
	give_up();
}

/* A child with its own copy of everything: for an image that may take long to come from its disk.
 */
static long clone_apart(struct clone_args *args, const struct sys_spawn *what)
{
	long pid = syscall(SYS_clone3, args, sizeof(*args));

	if (pid == 0)
		child(what);
	return pid < 0 ? -errno : pid;
}

/*
 * From the moment it is its user's, that user may stop it, end it, or have its image come from
 * where nothing answers. So it has none of our memory, and we wait for its exec only so long.
 */
static int clone_as(struct clone_args *args, const struct sys_spawn *what)
{
	struct pollfd told = {.events = POLLIN};
	int ends[2], error;
	long pid;

	if (what->gate) {
		int r = what->gate(what->gate_arg);

		if (r < 0)
			return r;
	}
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	pid = syscall(SYS_clone3, args, sizeof(*args));
	if (pid == 0) {
		told_by = (int)syscall(SYS_fcntl, ends[1], F_DUPFD_CLOEXEC, SPAWN_FD_PARK);
		if (told_by < 0)
			give_up();
		child(what);
	}
	error = errno;
	sys_closep(&ends[1]);
	told.fd = ends[0];
	if (pid > 0 && poll(&told, 1, SYS_SPAWN_AS_MS) > 0 &&
	    read(ends[0], &error, sizeof(error)) == sizeof(error))
		exec_error = error;
	sys_closep(&ends[0]);
	return pid < 0 ? -error : (int)pid;
}

/*
 * As vfork: the child borrows our memory until it execs, and we stand still meanwhile. No page
 * table is copied and none of our pages is shared for writing afterwards, which is most of what a
 * fork costs. The child gets a stack of its own: the untouched part of ours, below this frame.
 */
#if defined(__x86_64__)
#define BORROWED_STACK 8192u
#define OWN_FRAME      1024u /* more than this function and its red zone take */

static long clone_borrowing(struct clone_args *args, const struct sys_spawn *what)
{
	char *here = __builtin_frame_address(0);
	long pid;

	args->flags |= CLONE_VM | CLONE_VFORK;
	args->stack = ((uint64_t)(uintptr_t)here - OWN_FRAME - BORROWED_STACK) & ~15ull;
	args->stack_size = BORROWED_STACK;
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %[what], %%rdi\n\t"
			 "call *%[child]\n\t"
			 "hlt\n"
			 "1:"
			 : "=a"(pid)
			 : "a"(SYS_clone3), "D"(args),
			   "S"(sizeof(*args)), [what] "r"(what), [child] "r"(child)
			 : "rcx", "r11", "memory");
	return pid;
}
#else
#define clone_borrowing clone_apart
#endif

int sys_spawn(const struct sys_spawn *what, int *ret_pidfd)
{
	struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
	int pidfd = -1;
	long pid;

	if (what->fd_count > SPAWN_FDS_MAX)
		return -EINVAL;
	if (ret_pidfd) {
		args.flags |= CLONE_PIDFD;
		args.pidfd = (uint64_t)(uintptr_t)&pidfd;
	}
	if (what->flags & SYS_SPAWN_CLONE_PARENT) {
		args.flags |= CLONE_PARENT;
		args.exit_signal = 0; /* the kernel takes our own */
	}
	if (what->flags & SYS_SPAWN_NEW_PIDNS)
		args.flags |= CLONE_NEWPID;
	if (what->cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)what->cgroup_fd;
	}
	if (what->pidns_fd >= 0 && setns(what->pidns_fd, CLONE_NEWPID) < 0)
		return -errno;
	exec_error = 0;
	if (what->as)
		pid = clone_as(&args, what);
	else
		pid = what->flags & SYS_SPAWN_APART ? clone_apart(&args, what)
						    : clone_borrowing(&args, what);
	if (pid < 0)
		return (int)pid;
	if (exec_error) { /* it has ended already; one made with CLONE_PARENT is its parent's to
			     reap */
		struct sys_exit gone;

		(void)!sys_wait_pid((int)pid, &gone);
		sys_closep(&pidfd);
		return -exec_error;
	}
	if (ret_pidfd)
		*ret_pidfd = pidfd;
	return (int)pid;
}

int sys_exec(int dir_fd, const char *name, char *const *argv, char *const *envp)
{
	/* Handlers go with the old image; what is ignored was cleared when signals were opened. */
	if (born_files.soft)
		limit_files(&born_files, NULL);
	mask_set(0);
	syscall(SYS_execveat, dir_fd, name, argv, envp, name[0] ? 0 : AT_EMPTY_PATH);
	return -errno;
}

int sys_keep_fd(int fd)
{
	return fcntl(fd, F_SETFD, 0) < 0 ? -errno : 0;
}

int sys_dup_to(int from, int to)
{
	if (from == to)
		return fcntl(from, F_SETFD, FD_CLOEXEC) < 0 ? -errno : to;
	return dup3(from, to, O_CLOEXEC) < 0 ? -errno : to;
}

int sys_close_from(unsigned first)
{
	return syscall(SYS_close_range, first, ~0u, 0) < 0 ? -errno : 0;
}

static int reap(int pid, int options, struct sys_exit *ret)
{
	siginfo_t info;

	info.si_pid = 0;
	if (waitid(pid ? P_PID : P_ALL, (id_t)pid, &info, WEXITED | options) < 0)
		return -errno;
	if (!info.si_pid)
		return 0;
	ret->pid = info.si_pid;
	ret->signalled = info.si_code != CLD_EXITED;
	ret->status = info.si_status;
	return 1;
}

int sys_reap(struct sys_exit *ret)
{
	/* __WALL: a CLONE_PARENT child's exit signal is whatever its maker had. */
	return reap(0, WNOHANG | __WALL, ret);
}

int sys_wait_pid(int pid, struct sys_exit *ret)
{
	int r;

	do
		r = reap(pid, __WALL, ret);
	while (r == -EINTR);
	return r;
}

int sys_kill(int pid, int sig)
{
	return kill(pid, sig) < 0 ? -errno : 0;
}

int sys_pidfd_open(int pid)
{
	long r = syscall(SYS_pidfd_open, pid, 0);

	return r < 0 ? -errno : (int)r;
}

int sys_pidfd_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int sys_pid(void)
{
	return (int)syscall(SYS_getpid);
}

int sys_parent_pid(void)
{
	return getppid();
}

uint32_t sys_uid(void)
{
	return geteuid();
}

int sys_subreaper(void)
{
	return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sys_setsid(void)
{
	return setsid() < 0 ? -errno : 0;
}

void sys_exit(int status)
{
	_exit(status);
}

void sys_signals_reset(void)
{
	static const unsigned long plain[4]; /* the kernel's struct: handler SIG_DFL, no flags */

	for (int sig = 1; sig < 65; sig++)
		syscall(SYS_rt_sigaction, sig, &plain, NULL, 8);
}

int sys_signals_open(void)
{
	uint64_t faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGILL - 1) |
			  1ull << (SIGFPE - 1) | 1ull << (SIGABRT - 1) | 1ull << (SIGTRAP - 1) |
			  1ull << (SIGSYS - 1);
	uint64_t mask = ~faults;
	long fd;

	mask_set(mask);
	fd = syscall(SYS_signalfd4, -1, &mask, 8, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : (int)fd;
}

int sys_signal_next(int fd, struct sys_signal *ret)
{
	struct signalfd_siginfo info;
	ssize_t n = read(fd, &info, sizeof(info));

	if (n != sizeof(info))
		return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
	ret->sig = (int)info.ssi_signo;
	ret->pid = (int)info.ssi_pid;
	ret->uid = info.ssi_uid;
	ret->code = info.ssi_code;
	return 1;
}

static void (*fault_handler)(int sig, uintptr_t address);
/* A signal frame may take 12 kB (AMX); pages that are not touched cost nothing. */
static char fault_stack[32768] __attribute__((aligned(16)));

static void on_fault(int sig, siginfo_t *info, void *context)
{
	static const struct sigaction plain; /* SIG_DFL: a fault while a fault is told is the end */

	if (info->si_code <= 0 && info->si_pid != sys_pid())
		return; /* somebody sent it: no fault of ours */
	(void)sigaction(sig, &plain, NULL);
	fault_handler(sig, (uintptr_t)info->si_addr);
}

int sys_on_fault(void (*handler)(int sig, uintptr_t address))
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	stack_t stack = {.ss_sp = fault_stack, .ss_size = sizeof(fault_stack)};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		(void)sigaddset(&sa.sa_mask, faults[i]); /* one at a time: frames do not pile up */
	fault_handler = handler;
	if (sigaltstack(&stack, NULL) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (sigaction(faults[i], &sa, NULL) < 0)
			return -errno;
	return 0;
}

int sys_block_all(void)
{
	mask_set(~0ull);
	return 0;
}

int sys_unblock_all(void)
{
	mask_set(0);
	return 0;
}
