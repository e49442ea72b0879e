/* SPDX-License-Identifier: MIT */
/*
 * device.c - a session's own /dev (isolation "dev")
 *
 * A directory in memory with what every program may expect and nothing else: the memory devices,
 * terminals of its own, the console, the session's terminal, and what Links adds. The machine's
 * /dev is covered, but still reached by a descriptor from before: a device that is to be seen is
 * mounted from there. In a user namespace nobody may make devices, so there all are.
 */
#include <errno.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smss/session/session.h"

static const struct {
	const char *name;
	uint8_t major, minor;
} memory_devices[] = {
	{"null", 1, 3},   {"zero", 1, 5},    {"full", 1, 7},
	{"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

static const struct {
	const char *target, *name;
} links[] = {
	{"pts/ptmx", "ptmx"},          {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"},
	{"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"},
};

/* Directories above a name of ours, one component after the other; it has no "..": see plain. */
static int directories_for(int dev, const char *name)
{
	char part[PATH_BYTES];

	for (size_t i = 0; name[i] && i < sizeof(part); i++) {
		int r;

		if (name[i] == '/') {
			part[i] = 0;
			r = sys_mkdir(dev, part, 0755);
			if (r < 0 && r != -EEXIST)
				return r;
		}
		part[i] = name[i];
	}
	return 0;
}

/* A name that stays below /dev. */
static bool plain(const char *name)
{
	return name[0] && name[0] != '/' && str_len(name, PATH_BYTES) < PATH_BYTES - 16 &&
	       !str_starts(name, "../") && !str_starts(name, "pts/") && !strstr(name, "/../") &&
	       !str_same(name, "..") &&
	       !(str_len(name, PATH_BYTES) > 2 &&
		 str_same(name + str_len(name, PATH_BYTES) - 3, "/.."));
}

/* The machine's device `from` becomes our `name`. -ENOENT: it has none. */
static int show(int machine, int dev, const char *from, const char *name)
{
	char source[PATH_BYTES + 32], target[PATH_BYTES];
	struct text f = TEXT_ON(source), t = TEXT_ON(target);
	struct sys_stat st;
	_close_ int fd = -1;
	int r = sys_stat_at(machine, from, 0, &st);

	if (r < 0)
		return r;
	r = directories_for(dev, name);
	if (r < 0)
		return r;
	if (S_ISDIR(st.mode))
		r = sys_mkdir(dev, name, 0755);
	else
		r = fd = sys_open(dev, name, O_RDONLY | O_CREAT | O_EXCL, 0644);
	if (r < 0)
		return r;
	text_u64(text_add(&f, "/proc/self/fd/"), (uint64_t)machine);
	text_add(text_add(&f, "/"), from);
	text_add(text_add(&t, "/dev/"), name);
	return sys_mount(source, target, NULL, MS_BIND | MS_REC, NULL);
}

static int memory_device(struct setup *s, int machine, int dev, size_t i)
{
	const char *name = memory_devices[i].name;
	int r = sys_mknod(dev, name, S_IFCHR | 0666,
			  makedev(memory_devices[i].major, memory_devices[i].minor));

	char path[32];
	struct text t = TEXT_ON(path);

	text_add(text_add(&t, "/dev/"), name);
	if (r == -EPERM)
		r = show(machine, dev, name, name);
	return r < 0 ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

static int mount_on(struct setup *s, int dev, const char *type, const char *name,
		    const char *options)
{
	const unsigned long flags = MS_NOSUID | MS_NOEXEC | (type[0] == 'd' ? 0 : MS_NODEV);
	char path[32];
	struct text t = TEXT_ON(path);
	int r = sys_mkdir(dev, name, 0755);

	text_add(text_add(&t, "/dev/"), name);
	if (r >= 0)
		r = sys_mount(type, path, type, flags, options);
	if (r == -EINVAL && type[0] == 'd') /* a user namespace that has no group 5 */
		r = sys_mount(type, path, type, flags, "newinstance,ptmxmode=0666");
	return r < 0 ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

static int file_systems(struct setup *s, int dev)
{
	int r = mount_on(s, dev, "devpts", "pts", "newinstance,ptmxmode=0666,mode=0620,gid=5");

	if (r == COPY_OK)
		r = mount_on(s, dev, "tmpfs", "shm", "mode=1777");
	if (r == COPY_OK && s->policy.isolation & SM_ISOLATE_IPC)
		r = mount_on(s, dev, "mqueue", "mqueue", NULL);
	return r;
}

/* Its terminal, by the name it has on the machine. */
static int terminal(struct setup *s, int machine, int dev)
{
	const char *path = plan_session_text(s->c->plan, s->c->n, "Console", "");
	int r = show(machine, dev, "console", "console");

	if (r < 0 && r != -ENOENT)
		return setup_refuse(s, r, "/dev/console", NULL);
	if (!path[0] || str_same(path, "/dev/console"))
		return COPY_OK;
	if (!str_starts(path, "/dev/") || !plain(path + 5))
		return setup_refuse(s, -EINVAL, path,
				    "no terminal that a /dev of its own can have");
	r = show(machine, dev, path + 5, path + 5);
	if (r == -ENOENT || r == -EEXIST)
		return COPY_OK; /* not plugged in: as without a /dev of its own */
	return r < 0 ? setup_refuse(s, r, path, NULL) : COPY_OK;
}

/* A target below /dev is the machine's device; another one is a place in the session's own view. */
static int link_one(struct setup *s, int machine, int dev, const char *text)
{
	char name[PATH_BYTES];
	size_t n = 0;
	int r;

	while (text[n] && text[n] != ' ' && n + 1 < sizeof(name)) {
		name[n] = text[n];
		n++;
	}
	name[n] = 0;
	if (text[n] != ' ' || !text[n + 1] || !plain(name))
		return setup_refuse(s, -EINVAL, "Links", text);
	text += n + 1;
	if (str_starts(text, "/dev/") && plain(text + 5)) {
		r = show(machine, dev, text + 5, name);
		if (r >= 0)
			return COPY_OK;
		if (r != -ENOENT)
			return setup_refuse(s, r, name, NULL);
		copy_item(s->c, RESULT_DEGRADED, -r, 0, text, "a link to it leads nowhere yet");
	}
	r = directories_for(dev, name);
	if (r >= 0)
		r = sys_symlink(text, dev, name);
	return r < 0 ? setup_refuse(s, r, name, NULL) : COPY_OK;
}

static int all_links(struct setup *s, int machine, int dev)
{
	char own[32];
	uint32_t row = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(links); i++)
		r = sys_symlink(links[i].target, dev, links[i].name);
	if (r < 0)
		return setup_refuse(s, r, "/dev", NULL);
	r = COPY_OK;
	setup_rows_of(s->c, "Links", own, sizeof(own));
	for (const char *text; r == COPY_OK && (text = setup_next_row(s->c, own, &row));)
		r = link_one(s, machine, dev, text);
	return r;
}

int setup_device(struct setup *s)
{
	_close_ int machine = sys_open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0), dev = -1;
	unsigned mask;
	int r = machine;

	if (r >= 0)
		r = sys_mount("tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755");
	if (r >= 0)
		r = dev = sys_open(AT_FDCWD, "/dev", O_PATH | O_DIRECTORY, 0);
	if (r < 0)
		return setup_refuse(s, r, "/dev", NULL);
	mask = sys_umask(0);
	r = COPY_OK;
	for (size_t i = 0; r == COPY_OK && i < ARRAY_SIZE(memory_devices); i++)
		r = memory_device(s, machine, dev, i);
	if (r == COPY_OK)
		r = file_systems(s, dev);
	if (r == COPY_OK)
		r = terminal(s, machine, dev);
	if (r == COPY_OK)
		r = all_links(s, machine, dev);
	(void)sys_umask(mask);
	return r;
}
