/* SPDX-License-Identifier: MIT */
/*
 * kernel.h - the simulated kernel: the door (sys/sys.h) with seeds, power cuts and scripts
 *
 * Linked instead of linux.c, spawn.c and socket.c, so that the product's own code runs on it
 * unchanged. Three parts. A disk whose every unsynced write and name may be kept, dropped, torn at
 * 512 bytes or reordered when the power is cut at any numbered point. A clock that stands still
 * until everybody waits and then jumps. Processes that are scripts of the test: what pid 1 spawns
 * is recorded, and the test speaks for it through the same door (sim_as). One seed decides all
 * that is random, so a failing run can be run again.
 *
 * The law is the checker's business, in the tests; here is only what kernels and disks may do.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/sys.h"

/* ---- a run ---- */

enum sim_end {
	SIM_RETURNED, /* the function under test came back */
	SIM_CUT,      /* the power was cut */
	SIM_REBOOT,   /* sys_reboot; detail = command */
	SIM_EXIT,     /* sys_exit of pid 1; detail = status */
	SIM_EXEC,     /* sys_exec of pid 1 */
	SIM_IDLE,     /* pid 1 waits for ever and nothing is left to happen */
	SIM_SPIN,     /* pid 1 keeps being woken and nothing happens */
	SIM_LATE,     /* the run's time is over (sim_until) */
	SIM_WRONG,    /* the code asked something no kernel would survive; see sim_why */
};

struct sim_record {
	enum sim_end end;
	uint64_t detail;
	uint64_t now_ns;
	uint64_t waits; /* sys_wait_events calls */
	uint64_t calls; /* calls of the door */
};

/* sim_start - a machine with an empty disk ("/" only), everything forgotten; seed decides the rest
 */
void sim_start(uint64_t seed);
/* sim_stop - gives everything back. */
void sim_stop(void);
/* sim_run - f(arg) as pid 1, until it returns or the run ends another way. */
struct sim_record sim_run(void (*f)(void *arg), void *arg);
/* sim_why - what SIM_WRONG or SIM_SPIN was about. */
const char *sim_why(void);
/* sim_random - the run's own dice: 0 <= answer < below. */
uint64_t sim_random(uint64_t below);

/* ---- faults ---- */

/* sim_cut_at - the power fails at this point of the next run (0 = never). Each changing or syncing
 * call has two points, before and after it. */
void sim_cut_at(uint64_t point);
/* sim_points - points passed since sim_start or sim_reboot. */
uint64_t sim_points(void);
/* sim_fail_at - the n-th file call (1..., reads too) and `times - 1` further ones answer -error.
 * A failing write may have written a part; a failing sync has lost what it pleases. */
void sim_fail_at(uint64_t call, int error, unsigned times);
/* sim_race_at - before the n-th file call (1...) from now somebody else does fn(arg), once; what it
 * does has points and calls of its own. 0 = nobody. Until the reboot. */
void sim_race_at(uint64_t call, void (*fn)(void *arg), void *arg);
/* sim_file_calls - file calls since sim_start or sim_reboot. */
uint64_t sim_file_calls(void);
/* sim_reboot - the disk as it survived; all fds, processes and memory are gone. Also ends a run in
 * order when `cut` is false: then everything reached the disk. */
void sim_reboot(bool cut);

/* ---- the disk, for the test's own hand (no points, no faults, durable at once) ---- */

void sim_make_dir(const char *path);
void sim_make_file(const char *path, const void *bytes, size_t n, unsigned mode);
void sim_make_link(const char *path, const char *target);
void sim_make_device(const char *path, const char *name); /* "null", "console", "kmsg" */
/* sim_look - a file's bytes as a running program sees them; NULL when there is none. */
const void *sim_look(const char *path, size_t *ret_bytes);
uint64_t sim_inode(const char *path); /* 0 = none */
/* sim_host_memfds - from now on a memfd is one of the host, for a library that opens it by its name
 * in /proc and knows nothing of this kernel. Until sim_start; sim_reboot closes them. */
void sim_host_memfds(bool on);
/* sim_owner - who owns a file; 0 = root, as all files are at first. */
void sim_owner(const char *path, uint32_t uid);
/* sim_machine - what a kernel and an installed system offer a booting pid 1: /proc, /sys, /dev,
 * cgroup v2, /run, the images. */
void sim_machine(const char *kernel_words);
/* sim_mount_volume - a further file system (1...) appears on an empty directory; empty at first
 * sim_umount_volume - it is gone from there, with all it holds. In between it keeps what it has. */
void sim_mount_volume(unsigned volume, const char *path);
void sim_umount_volume(unsigned volume, const char *path);
/* sim_volume_uuid - from now on it is another one, by its UUID. */
void sim_volume_uuid(unsigned volume, uint8_t first);
/* sim_volume_tagless - it (0 = the root's) keeps no time of birth: only the numbers of its files
 * tell them apart, and the number of one that is gone is given again. */
void sim_volume_tagless(unsigned volume);
/* sim_read_only_at - from the n-th file call (1...) on a file system (0 = the root's) takes and
 * syncs nothing more; until the reboot. */
void sim_read_only_at(unsigned volume, uint64_t call);
/* sim_name_at - the i-th name in a directory, NULL = there are no more. */
const char *sim_name_at(const char *path, unsigned i);
bool sim_is_dir(const char *path);
/* sim_each_file - fn(arg, its bytes) for every name of a file below a directory. */
void sim_each_file(const char *path, void (*fn)(void *arg, const void *bytes, size_t n), void *arg);
/* sim_console - everything said on console and kmsg so far. */
const char *sim_console(void);

/* ---- processes ---- */

#define SIM_ARGS 8u

struct sim_process {
	int pid, parent;
	char name[64];
	char argv[SIM_ARGS][64];
	unsigned argc;
	char env[2048]; /* NAME=value NUL ... NUL */
	unsigned flags; /* SYS_SPAWN_* */
	char cgroup[128];
	bool dead, reaped, stubborn; /* stubborn: only KILL ends it */
	bool asleep;                 /* uninterruptibly: not even that, until it is over */
	unsigned kills;              /* that reached it asleep */
	uint64_t born_ns;
	void *user; /* the test's */
};

struct sim_hooks {
	/* A process was spawned; the hook may schedule what it does (sim_after). May be NULL. */
	void (*on_spawn)(struct sim_process *p);
	/* A signal reached a process: true = the script deals with it, false = it dies of it. */
	bool (*on_signal)(struct sim_process *p, int sig);
	/* pid 1 sent something that this process can read from its fd. */
	void (*on_message)(struct sim_process *p, int fd);
	/* pid 1 would wait for ever: schedule something or the run ends SIM_IDLE. */
	void (*on_idle)(void);
	/* Before each wait: consistency checks. */
	void (*on_wait)(void);
	int (*on_mount)(const char *source, const char *target, const char *type); /* 0 or -errno */
};

void sim_hooks(const struct sim_hooks *hooks);
/* sim_spawn_error - the next `times` spawns answer -error. */
void sim_spawn_error(int error, unsigned times);
/* sim_process_by - the process of that pid, or NULL when it is unknown. */
struct sim_process *sim_process(int pid);
/* sim_process_new - a process that another process made (a copy its csrss, a daemon its orphan)
 *   fds, fd_count  fd i of the new one is fds[i] of the maker; -1 = closed
 *   parent         1 for what is handed over or orphaned
 * Returns its pid; it is in its maker's cgroup unless told. */
int sim_process_new(int maker, int parent, const char *name, const int *fds, unsigned fd_count);
/* sim_process_exit, sim_process_crash - it ends with that code, or of that signal. */
void sim_process_exit(int pid, int code);
void sim_process_crash(int pid, int sig);
unsigned sim_processes_alive(void); /* pid 1 not counted */
/* sim_processes - all of this run, dead ones too. */
unsigned sim_processes(void);
struct sim_process *sim_process_at(unsigned i);
/* sim_as - from now on the door's calls are those of this process; answers whose they were. */
int sim_as(int pid);
/* sim_process_send - one datagram from the process's fd 3 with these of its fds (then closed). */
int sim_process_send(int pid, const void *bytes, size_t n, const int *fds, unsigned fd_count);
/* sim_process_sealed - a sealed memfd with these bytes in the process's table. Returns the fd. */
int sim_process_sealed(int pid, const void *bytes, size_t n);
/* sim_signal - a signal for pid 1 from outside (pid 0 = the kernel). */
void sim_signal(int sig, int from_pid, int code);

/* ---- the clock and the script ---- */

/* sim_after - fn(pid, arg) when that much time has passed; not if the process is dead by then
 * (pid 0 = always). */
void sim_after(uint64_t ms, void (*fn)(int pid, void *arg), int pid, void *arg);
/* sim_until - the run ends SIM_LATE at this time. */
void sim_until(uint64_t ns);
/* sim_open_fds - fds that pid 1 holds: a leak shows here. */
unsigned sim_open_fds(void);

/* ---- dice of a test program ---- */

/* sim_seed - SIM_SEED of the environment, else the default. */
uint64_t sim_seed(uint64_t otherwise);
/* sim_runs - SIM_RUNS of the environment, else the default of this test. */
uint64_t sim_runs(uint64_t otherwise);
