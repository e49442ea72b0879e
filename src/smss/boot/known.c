/* SPDX-License-Identifier: MIT */
/*
 * known.c - phase 8: the known libraries, see known.h
 *
 * NT gives its loader sections to map; a Linux loader takes no such thing, and redirecting it does
 * more harm than good (design §6). So: each library is found where the loader would find it, must
 * be root's, of this machine, under its own name and, when pinned, have its digest; what it needs
 * is followed; it is read ahead; and the list is published for those who look for hijacks. Missing
 * files are skipped, as NT does. Source: nt-reference §5.
 */
#include "smss/boot/known.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smss/boot/boot.h"
#include "smss/boot/elf_file.h"
#include "sys/sys.h"

#define LIBRARIES_MAX    96u
#define LIBRARY_NAME_MAX 64u
#define READ_AHEAD_MAX   MIB /* of one library: enough for what every program touches of libc */
#define LIST_BYTES       32768u

#if defined(__x86_64__)
#define TRIPLET "x86_64-linux-gnu"
#elif defined(__aarch64__)
#define TRIPLET "aarch64-linux-gnu"
#elif defined(__i386__)
#define TRIPLET "i386-linux-gnu"
#elif defined(__arm__)
#define TRIPLET "arm-linux-gnueabihf"
#elif defined(__riscv)
#define TRIPLET "riscv64-linux-gnu"
#endif

static const char *const usual[] = {
	"/usr/lib/" TRIPLET, "/lib/" TRIPLET, "/lib64", "/usr/lib64", "/lib", "/usr/lib",
};

enum found_as { LIBRARY_QUEUED, LIBRARY_LISTED, LIBRARY_LEFT_OUT };

struct library {
	char name[LIBRARY_NAME_MAX];
	char path[192];
	enum found_as as;
	bool dependency; /* not in the hive: something of it needs this one */
	bool hashed;
	uint64_t dev, ino, size;
	uint8_t digest[SHA256_BYTES];
};

struct job {
	struct copy *c;
	struct library *libraries;
	unsigned count;
	int dirs[1 + ARRAY_SIZE(usual)]; /* opened when first needed; DIR_CLOSED before */
	unsigned missing, bad;
	bool full;
};
#define DIR_CLOSED (-1)
#define DIR_ABSENT (-2)

static const char *dir_path(const struct job *j, unsigned i)
{
	return i ? usual[i - 1] : plan_string(j->c->plan, j->c->plan->settings.dll_directory);
}

/* Directory i of the search, or DIR_ABSENT; one that others can write is no place for libraries. */
static int dir_at(struct job *j, unsigned i)
{
	const char *path = dir_path(j, i);
	struct sys_stat st;
	int fd;

	if (j->dirs[i] != DIR_CLOSED)
		return j->dirs[i];
	j->dirs[i] = DIR_ABSENT;
	fd = path[0] == '/' ? sys_walk(path, O_PATH | O_DIRECTORY) : -ENOENT;
	if (fd < 0)
		return DIR_ABSENT;
	if (sys_stat_fd(fd, &st) < 0 || !boot_owned(&st)) {
		boot_say(j->c, RESULT_REFUSED, 0, path, "others than root can write it");
		sys_closep(&fd);
		return DIR_ABSENT;
	}
	j->dirs[i] = fd;
	return fd;
}

/* Opens a library where the loader would find it. Returns an fd or -ENOENT and the like. */
static int open_library(struct job *j, struct library *l)
{
	int fd = -ENOENT;

	for (unsigned i = 0; i < ARRAY_SIZE(j->dirs); i++) {
		struct text t = TEXT_ON(l->path);
		int dir = dir_at(j, i);

		if (dir < 0)
			continue;
		text_add(text_add(text_add(&t, dir_path(j, i)), "/"), l->name);
		if (t.cut)
			continue;
		fd = sys_open(dir, l->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		if (fd == -ELOOP) /* libfoo.so.1 -> libfoo.so.1.2 */
			fd = sys_walk(l->path, O_RDONLY | O_NONBLOCK);
		if (fd != -ENOENT)
			break;
	}
	return fd;
}

/* The pinned digest of a file name, or NULL. */
static const char *pin_of(const struct job *j, const char *name)
{
	const struct plan_header *p = j->c->plan;

	for (uint32_t i = 0; i < plan_count(p, PLAN_KNOWN_PINS); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_KNOWN_PINS, i);

		if (str_same(plan_string(p, row->name), name))
			return plan_string(p, row->text);
	}
	return NULL;
}

/* Hashing a library is the dearest thing a boot can do: only for those whose digest is pinned. */
static int check_pin(struct library *l, int fd, const char *pin)
{
	uint8_t want[SHA256_BYTES], part[16384];
	struct sha256 s;
	uint64_t at = 0;
	ssize_t n;

	if (sha256_from_hex(pin, want) < 0)
		return -EINVAL;
	sha256_start(&s);
	while ((n = sys_pread(fd, part, sizeof(part), at)) > 0) {
		sha256_add(&s, part, (size_t)n);
		at += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	sha256_end(&s, l->digest);
	l->hashed = true;
	return bytes_same(want, l->digest, SHA256_BYTES) ? 0 : -EKEYREJECTED;
}

static void add_library(struct job *j, const char *name, bool dependency)
{
	struct library *l;

	for (unsigned i = 0; i < j->count; i++)
		if (str_same(j->libraries[i].name, name))
			return; /* visited: that ends every circle */
	if (j->count == LIBRARIES_MAX || strlen(name) >= LIBRARY_NAME_MAX) {
		j->full = true;
		return;
	}
	l = &j->libraries[j->count++];
	str_copy(l->name, sizeof(l->name), name);
	l->dependency = dependency;
}

static bool excluded(const struct plan_header *p, const char *tag, const char *name)
{
	for (uint32_t i = 0; i < plan_count(p, PLAN_EXCLUDE_KNOWN_DLLS); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_EXCLUDE_KNOWN_DLLS, i);
		const char *out = plan_string(p, row->name);

		if (str_same_fold(out, tag) || str_same_fold(out, name))
			return true;
	}
	return false;
}

/* All checks of one open library; *ret_why a constant for people. Returns 0 or -errno. */
static int check_library(struct job *j, struct library *l, int fd, const char **ret_why)
{
	const char *pin = pin_of(j, l->name);
	struct elf_library elf;
	struct sys_stat st;
	int r = sys_stat_fd(fd, &st);

	*ret_why = "unreadable";
	if (r < 0)
		return r;
	l->dev = st.dev;
	l->ino = st.ino;
	l->size = st.size;
	*ret_why = "not a plain file that only root can write";
	if (!S_ISREG(st.mode) || !boot_owned(&st))
		return -EPERM;
	r = elf_read(fd, st.size, &elf);
	*ret_why = r == -EMEDIUMTYPE ? "for another machine" : "not a sound shared library";
	if (r < 0)
		return r;
	for (unsigned i = 0; i < elf.needed_count; i++)
		if (!strchr(elf.needed[i], '/') &&
		    !excluded(j->c->plan, elf.needed[i], elf.needed[i]))
			add_library(j, elf.needed[i], true);
	*ret_why = "its SONAME is another one";
	if (elf.soname[0] && !str_same(elf.soname, l->name))
		return -EBADMSG;
	*ret_why = "its SHA-256 is not the pinned one";
	return pin ? check_pin(l, fd, pin) : 0;
}

/* Returns false when the policy says that the boot's phase has failed. */
static bool judge(struct job *j, struct library *l, int err, const char *why)
{
	const uint32_t policy = j->c->plan->settings.known_policy;
	const bool warn = policy == PLAN_KNOWN_WARN;

	j->bad++;
	l->as = warn ? LIBRARY_LISTED : LIBRARY_LEFT_OUT;
	copy_item(j->c, warn ? RESULT_DEGRADED : RESULT_REFUSED, err, 0, l->name, why);
	return policy != PLAN_KNOWN_STOP;
}

static bool do_library(struct job *j, struct library *l)
{
	const char *why = "";
	_close_ int fd = open_library(j, l);
	int r = fd < 0 ? fd : check_library(j, l, fd, &why);

	if (r == -ENOENT) {
		l->as = LIBRARY_LEFT_OUT;
		j->missing++;
		copy_item(j->c, RESULT_SKIPPED, 0, 0, l->name,
			  l->dependency ? "needed by a known library, not found" : "not found");
		return true;
	}
	if (r < 0)
		return judge(j, l, -r, fd < 0 ? "cannot be opened" : why);
	l->as = LIBRARY_LISTED;
	if (sys_readahead(fd, 0, l->size < READ_AHEAD_MAX ? l->size : READ_AHEAD_MAX) < 0)
		return true; /* comfort */
	return true;
}

static void add_configured(struct job *j)
{
	const struct plan_header *p = j->c->plan;

	for (uint32_t i = 0; i < plan_count(p, PLAN_KNOWN_DLLS); i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_KNOWN_DLLS, i);
		const char *tag = plan_string(p, row->name), *name = plan_string(p, row->text);

		if (!*name || strchr(name, '/'))
			boot_say(j->c, RESULT_REFUSED, 0, tag, "not a plain file name");
		else if (!excluded(p, tag, name))
			add_library(j, name, false);
	}
}

/* "name path dev:ino size digest", the digest "-" when nothing asked for it. */
static int publish(const struct job *j)
{
	void *room;
	struct text t;
	int r = sys_scratch(LIST_BYTES, &room);

	if (r < 0)
		return r;
	t = text_start(room, LIST_BYTES);
	for (unsigned i = 0; i < j->count; i++) {
		const struct library *l = &j->libraries[i];
		char hex[2 * SHA256_BYTES + 1] = "-";

		if (l->as != LIBRARY_LISTED)
			continue;
		if (l->hashed)
			sha256_hex(l->digest, hex);
		text_escaped(&t, l->name, strlen(l->name));
		text_add(&t, " ");
		text_escaped(&t, l->path, strlen(l->path));
		text_u64(text_add(&t, " "), l->dev);
		text_u64(text_add(&t, ":"), l->ino);
		text_u64(text_add(&t, " "), l->size);
		text_add(text_add(text_add(&t, " "), hex), "\n");
	}
	return t.cut ? -ENOSPC : boot_publish(KNOWN_LIST, t.at, t.len);
}

static void say_summary(const struct job *j, uint64_t start_ns)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	unsigned listed = 0;

	for (unsigned i = 0; i < j->count; i++)
		listed += j->libraries[i].as == LIBRARY_LISTED;
	text_add(text_u64(&t, listed), " listed");
	if (j->missing)
		text_add(text_u64(text_add(&t, ", "), j->missing), " not found");
	if (j->bad)
		text_add(text_u64(text_add(&t, ", "), j->bad), " not as they should be");
	if (j->full)
		text_add(&t, "; more of them than fit");
	copy_item(j->c, j->bad || j->full ? RESULT_DEGRADED : RESULT_OK, 0, start_ns, KNOWN_LIST,
		  room);
}

int known_check(struct copy *c)
{
	const uint64_t start_ns = sys_now_ns();
	struct job j = {.c = c};
	bool going = true;
	void *room;
	int r;

	if (!plan_count(c->plan, PLAN_KNOWN_DLLS))
		return COPY_OK;
	(void)sys_umask(022);
	r = sys_scratch(LIBRARIES_MAX * sizeof(struct library), &room);
	if (r < 0) {
		boot_say(c, RESULT_FAILED, -r, KNOWN_LIST, "");
		return COPY_FAILED;
	}
	j.libraries = room;
	for (unsigned i = 0; i < ARRAY_SIZE(j.dirs); i++)
		j.dirs[i] = DIR_CLOSED;
	add_configured(&j);
	for (unsigned i = 0; going && i < j.count; i++) /* grows while it is gone through */
		going = do_library(&j, &j.libraries[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(j.dirs); i++)
		sys_closep(&j.dirs[i]);
	r = publish(&j);
	if (r < 0)
		boot_say(c, RESULT_DEGRADED, -r, RUN_DIRECTORY "/" KNOWN_LIST, "not published");
	say_summary(&j, start_ns);
	return going ? COPY_OK : COPY_FAILED;
}

int copy_role_known(struct copy *c)
{
	return known_check(c);
}
