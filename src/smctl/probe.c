/* SPDX-License-Identifier: MIT */
/*
 * probe.c - smctl probe: what this kernel offers, and what its absence means (law 11)
 *
 * Each feature is tried, not looked up: a version number says little about a kernel's
 * configuration or about the container it is seen from. Nothing is changed; what has to be tried by
 * a process is tried by a child that exits at once. Works without a session manager. Missing
 * comfort degrades, missing protection refuses: the table says which is which.
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/sys.h"

#define KERNEL_MAJOR  6 /* the floor: Debian 12's kernel */
#define KERNEL_MINOR  1
#define CGROUP2_MAGIC 0x63677270
#define PROC_MAGIC    0x9FA0
#define NOTE_BYTES    96

struct feature {
	const char *name;
	bool protection; /* its absence refuses; otherwise it degrades */
	bool (*there)(char note[NOTE_BYTES]);
	const char *absence; /* what it means when it is not there */
};

static bool kernel_version(char note[NOTE_BYTES])
{
	unsigned major = 0, minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return false;
	(void)snprintf(note, NOTE_BYTES, "%.80s", u.release);
	return major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR);
}

static bool mounted(const char *path, long magic)
{
	struct statfs f;

	return statfs(path, &f) == 0 && (long)f.f_type == magic;
}

static bool proc_mounted(char note[NOTE_BYTES])
{
	return mounted("/proc", PROC_MAGIC);
}

static bool cgroup2(char note[NOTE_BYTES])
{
	if (!mounted("/sys/fs/cgroup", CGROUP2_MAGIC))
		return false;
	if (access("/sys/fs/cgroup/cgroup.procs", W_OK) < 0)
		(void)snprintf(note, NOTE_BYTES, "mounted, and not delegated to this user");
	return true;
}

static bool pidfd(char note[NOTE_BYTES])
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* A descriptor that is not open: a kernel that knows the flag says EBADF and makes no child. */
static bool clone_into_cgroup(char note[NOTE_BYTES])
{
	struct clone_args a = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	long pid;

	a.cgroup = 0x7FFFFFF0;
	pid = syscall(SYS_clone3, &a, sizeof(a));
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
	return pid < 0 && errno == EBADF;
}

static bool landlock(char note[NOTE_BYTES])
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	if (version < 1)
		return false;
	(void)snprintf(note, NOTE_BYTES, "version %ld", version);
	return true;
}

static bool seccomp_filter(char note[NOTE_BYTES])
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Tried by a child, so that this process stays where it is. */
static bool can_unshare(int flags)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(flags) == 0 ? 0 : 1);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static bool user_namespaces(char note[NOTE_BYTES])
{
	if (geteuid() == 0 && access("/proc/self/ns/user", F_OK) == 0)
		(void)snprintf(note, NOTE_BYTES, "tried as root; others may be refused");
	return can_unshare(CLONE_NEWUSER);
}

static bool pid_namespaces(char note[NOTE_BYTES])
{
	return can_unshare(geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID);
}

static bool first_namespace(char note[NOTE_BYTES])
{
	return sys_in_initial_pidns() == 1;
}

static bool file_has_line(const char *path, const char *word)
{
	char line[256];
	bool found = false;
	FILE *f = fopen(path, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, word) != NULL;
	if (f)
		(void)fclose(f);
	return found;
}

static bool devtmpfs(char note[NOTE_BYTES])
{
	return file_has_line("/proc/filesystems", "devtmpfs");
}

static bool swap(char note[NOTE_BYTES])
{
	return access("/proc/swaps", R_OK) == 0;
}

static bool kernel_log(char note[NOTE_BYTES])
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		(void)snprintf(note, NOTE_BYTES, "%s", strerror(errno));
		return false;
	}
	(void)close(fd);
	return true;
}

/* clang-format off */
static const struct feature features[] = {
	{ "kernel >= 6.1", true, kernel_version,
	  "older kernels are not supported: what the rows below say decides what works" },
	{ "proc", false, proc_mounted,
	  "no descendants in smctl tree, no sandboxed smreg, no check of who else runs" },
	{ "cgroup-v2", true, cgroup2,
	  "sessions need a pid namespace to end for certain; without that, only session 0 is offered" },
	{ "clone3-into-cgroup", false, clone_into_cgroup,
	  "a process is moved into its group after its birth instead of being born in it" },
	{ "pid-namespaces", true, pid_namespaces,
	  "the second way to end a session for certain is missing; isolated sessions are refused" },
	{ "pidfd", true, pidfd,
	  "processes could be mistaken for others of the same number: smss does not run" },
	{ "user-namespaces", false, user_namespaces,
	  "smss runs as an ordinary user nowhere; as root nothing changes" },
	{ "landlock", false, landlock,
	  "smreg reads a hive at boot with seccomp and limits alone" },
	{ "seccomp", true, seccomp_filter,
	  "smreg does not read a hive at boot: only a plan that fits is used" },
	{ "devtmpfs", false, devtmpfs,
	  "/dev must be filled by the root file system or by pnp" },
	{ "swap", false, swap,
	  "paging files are made and checked, and not activated" },
	{ "kmsg", false, kernel_log,
	  "log lines go to the console only, and a stop is not in the kernel's log" },
	{ "first-pid-namespace", false, first_namespace,
	  "swap, sysctl, modules and the clock belong to the machine outside and are left alone" },
};
/* clang-format on */

int verb_probe(struct smctl *s, int argc, char **argv)
{
	json_object *list = s->json ? json_object_new_array() : NULL;
	unsigned missing = 0;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	for (size_t i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];
		char note[NOTE_BYTES] = "";
		bool there = f->there(note);

		missing += !there;
		if (list) {
			json_object *o = json_object_new_object();

			json_put_text(o, "feature", f->name);
			json_put_bool(o, "there", there);
			json_put_text(o, "kind", f->protection ? "protection" : "comfort");
			json_put_text(o, "note", note);
			json_put_text(o, "absence", f->absence);
			(void)json_object_array_add(list, o);
			continue;
		}
		printf("%-4s %-20s %s\n", there ? "yes" : "no", f->name, show_text(note));
		if (!there)
			printf("     %s: %s\n", f->protection ? "protection" : "comfort",
			       f->absence);
	}
	if (list) {
		json_object *o = json_object_new_object();

		json_put(o, "features", list);
		return json_show(o, false);
	}
	if (!missing)
		puts("nothing is missing");
	return SMCTL_OK;
}
