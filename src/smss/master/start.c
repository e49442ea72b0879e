/* SPDX-License-Identifier: MIT */
/*
 * start.c - phases 0 and 1: everything that makes failing unnecessary afterwards
 *
 * fds 0-2, signals, the fault handler, the kernel's file systems, the words, the API port. Each
 * step that cannot be had degrades: it is said once, and the rest works (law 11). What no namespace
 * holds (printk, pid_max, Ctrl-Alt-Del) is touched only in the kernel's first pid namespace.
 */
#include "smss/master/master.h"

#include <errno.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>

#define CGROUP_NAMESPACE_INITIAL 0xEFFFFFFBu
#define FILES_SOFT               16384u

static void degraded(const char *what, int r, const char *so)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (r < 0)
		text_add(text_add(&t, err_text(-r)), ": ");
	text_add(&t, so);
	row_note(PHASE_START, SM_ROW_ITEM, RESULT_DEGRADED, r < 0 ? -r : 0, what, room);
}

/* Never fails: without /dev/null a pipe stands in, as long as its other end stays open. */
static int open_null(void)
{
	int fds[2];
	int fd = sys_open(AT_FDCWD, "/dev/null", O_RDWR, 0);

	if (fd >= 0)
		return fd;
	return sys_pipe(fds) < 0 ? NONE : fds[0];
}

/* fds 0-2 must be taken before anything is opened for good (pitfall 11). */
static void fill_low_fds(void)
{
	sys_close_from(3);
	for (unsigned i = 0; i < 3; i++) {
		int fd = open_null();

		if (fd > 2) {
			sys_closep(&fd);
			break;
		}
	}
}

/* ---- the kernel's file systems ---- */

static const struct mounted {
	const char *type, *path, *data;
	unsigned long flags;
	bool everywhere; /* in a namespace too; devtmpfs there would be the host's own /dev */
	bool fresh;      /* each mount is a new instance: look first whether one is there */
} mounts[] = {
	{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, true, false},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC, true, false},
	{"devtmpfs", "/dev", "mode=0755", MS_NOSUID, false, false},
	{"tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV, true, true},
	{"devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC, false, true},
	{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, false, true},
};

static bool is_mount_point(const char *path)
{
	struct sys_stat here, up;
	char room[64];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, path), "/..");
	return sys_stat_at(AT_FDCWD, path, 0, &here) >= 0 &&
	       sys_stat_at(AT_FDCWD, room, 0, &up) >= 0 && here.dev != up.dev;
}

static void mount_one(const struct mounted *m)
{
	int r;

	if (m->fresh && is_mount_point(m->path))
		return; /* an initramfs or container manager filled it: keep what is there */
	r = sys_mount(m->type, m->path, m->type, m->flags, m->data);
	if (r == -ENOENT) {
		(void)!sys_mkdir(AT_FDCWD, m->path, 0755);
		r = sys_mount(m->type, m->path, m->type, m->flags, m->data);
	}
	if (r < 0 && r != -EBUSY && !is_mount_point(m->path))
		degraded(m->path, r, "not mounted");
}

static void mount_all(bool machine)
{
	/* What the machine mounts later is to reach sessions with mounts of their own. */
	if (machine)
		(void)!sys_mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++)
		if (i &&
		    (machine || mounts[i].everywhere)) /* /proc came first, to know where we are */
			mount_one(&mounts[i]);
}

static bool has_controllers(const char *path)
{
	char room[64];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, path), "/cgroup.controllers");
	return sys_access(AT_FDCWD, room, 0) >= 0;
}

/* A directory of our own below the root that we see; a name of its own where others may be. */
static void take_cgroup(const char *base)
{
	char *path = master.cgroup_path;
	struct text t = TEXT_ON(master.cgroup_path);
	uint64_t suffix = 0;
	int r;

	text_add(text_add(&t, base), "/smss");
	r = sys_mkdir(AT_FDCWD, path, 0755);
	if (r == -EEXIST && master.mode != SM_MODE_MACHINE && sys_random(&suffix, 4) >= 0) {
		text_u64(text_add(&t, "-"), suffix);
		r = sys_mkdir(AT_FDCWD, path, 0755);
	}
	if (r < 0 && r != -EEXIST) {
		master.no_cgroup = true;
		degraded("cgroup v2", r, "sessions are told apart by pid namespaces instead");
		return;
	}
	master.cgroup = path;
}

static void find_cgroup(void)
{
	struct sys_stat st;
	int r;

	if (master.mode != SM_MODE_MACHINE &&
	    (sys_stat_at(AT_FDCWD, "/proc/self/ns/cgroup", 0, &st) < 0 ||
	     st.ino == CGROUP_NAMESPACE_INITIAL)) {
		master.no_cgroup = true;
		degraded("cgroup v2", 0, "no cgroup namespace of our own: not touching the host's");
		return;
	}
	if (has_controllers("/sys/fs/cgroup")) {
		take_cgroup("/sys/fs/cgroup");
	} else if (has_controllers("/sys/fs/cgroup/unified")) {
		take_cgroup("/sys/fs/cgroup/unified");
	} else {
		r = sys_mount("cgroup2", "/sys/fs/cgroup", "cgroup2",
			      MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate");
		if (r >= 0) {
			take_cgroup("/sys/fs/cgroup");
			return;
		}
		master.no_cgroup = true;
		degraded("cgroup v2", r, "sessions are told apart by pid namespaces instead");
	}
}

/* ---- words ---- */

static void take_path(char *field, size_t cap, const char *value)
{
	if (value[0] == '/' && str_len(value, cap) < cap)
		str_copy(field, cap, value);
	else
		degraded("kernel word", 0, "a path must be absolute and short: ignored");
}

static void odd_word(const char *w)
{
	char room[NAME_BYTES];
	struct text t = TEXT_ON(room);

	text_escaped(&t, w, str_len(w, NAME_BYTES));
	degraded(room, 0, "an unknown or wrong smss. word: ignored");
}

/* Only smss.* and the standard few; nothing else on that line is meant for us (pitfall 14). */
static void take_word(const char *w)
{
	if (str_same(w, "quiet"))
		master.words.quiet = true;
	else if (str_same(w, "single") || str_same(w, "rescue"))
		master.words.rescue = true;
	else if (str_starts(w, "smss.hive="))
		take_path(master.words.hive, sizeof(master.words.hive), w + 10);
	else if (str_starts(w, "smss.state="))
		take_path(master.words.state, sizeof(master.words.state), w + 11);
	else if (str_same(w, "smss.lastknowngood"))
		master.words.lkg = true;
	else if (str_same(w, "smss.safeboot=minimal") || str_same(w, "smss.safeboot=network"))
		str_copy(master.words.safeboot, sizeof(master.words.safeboot), w + 14);
	else if (str_same(w, "smss.logoff=poweroff"))
		str_copy(master.words.logoff, sizeof(master.words.logoff), w + 12);
	else if (str_starts(w, "smss.safeboot"))
		degraded("smss.safeboot", 0, "it is minimal or network: ignored, a usual boot");
	else if (str_starts(w, "smss.") && !str_starts(w, "smss.vm."))
		odd_word(w);
}

static void read_cmdline(void)
{
	char line[COMMAND_LINE_BYTES];
	ssize_t n = sys_read_file(AT_FDCWD, "/proc/cmdline", line, sizeof(line) - 1);
	char *start = line;

	if (n < 0)
		return;
	line[n] = 0;
	for (char *p = line; p <= line + n; p++) {
		if (*p && *p != ' ' && *p != '\n')
			continue;
		*p = 0;
		if (*start)
			take_word(start);
		start = p + 1;
	}
}

static void read_words(int argc, char **argv)
{
	if (master.mode == SM_MODE_MACHINE)
		read_cmdline();
	else
		for (int i = 1; i < argc; i++)
			take_word(argv[i]);
	/* What the kernel or a manager left in argv[0]... is no business of ours. */
	sys_log_quiet(master.words.quiet); /* what went well then only goes to kmsg */
	if (master.words.rescue)
		master.boot.level = SM_LEVEL_BUILTIN;
	master.boot.safe = master.words.safeboot[0];
}

/* ---- all together ---- */

static void open_port(void)
{
	int r = sys_make_dirs(RUN_DIRECTORY, 0755);

	if (r >= 0)
		r = sys_make_dirs(RUN_DIRECTORY "/sessions", 0755);
	master.listener = r < 0 ? r : sys_listen(SM_PORT_PATH, 0666);
	if (master.listener >= 0)
		r = sys_epoll_add(master.epoll, master.listener, SYS_READ, 1);
	else
		r = master.listener;
	if (r < 0)
		degraded(SM_PORT_PATH, r, "no API port; SIGUSR1 tries again");
}

static void machine_wide(void)
{
	(void)!sys_write_file(AT_FDCWD, "/proc/sys/kernel/printk_devkmsg", "on\n");
	(void)!sys_write_file(AT_FDCWD, "/proc/sys/kernel/pid_max", "4194304");
	(void)!sys_reboot((unsigned)RB_DISABLE_CAD); /* Ctrl-Alt-Del becomes our SIGINT */
}

void master_start(int argc, char **argv)
{
	int r;

	master_reset();
	master.started_ns = sys_now_ns();
	sys_umask(0022);
	(void)!sys_chdir("/");
	fill_low_fds();
	master.epoll = sys_epoll();
	sys_signals_reset();
	master.signals = sys_signals_open();
	if (master.epoll >= 0 && master.signals >= 0)
		(void)!sys_epoll_add(master.epoll, master.signals, SYS_READ, 0);
	r = sys_on_fault(on_fault);
	mount_one(&mounts[0]);
	master.mode = sys_in_initial_pidns() == 1 ? SM_MODE_MACHINE : SM_MODE_NAMESPACE;
	mount_all(master.mode == SM_MODE_MACHINE);
	if (master.mode == SM_MODE_MACHINE)
		machine_wide();
	sys_log_open("smss", master.mode == SM_MODE_MACHINE, true);
	row_note(PHASE_START, SM_ROW_PHASE, RESULT_OK, 0, phase_word(PHASE_START), "");
	if (r < 0)
		degraded("fault handler", r, "a fault ends us without a word");
	master.null = open_null();
	for (int i = 0; i < 3; i++)
		(void)!sys_dup_to(master.null, i); /* the console stays nobody's fd (pitfall 10) */
	read_words(argc, argv);
	(void)!sys_limit_files(FILES_SOFT);
	find_cgroup();
	master.parallel = PARALLEL_BASE + sys_cpus() - 1;
	open_port();
	row_note(PHASE_API, SM_ROW_PHASE, RESULT_OK, 0, phase_word(PHASE_API), "");
	master.boot.phase = PHASE_REGISTRY;
}
