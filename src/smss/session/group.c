/* SPDX-License-Identifier: MIT */
/*
 * group.c - a session's group of processes (cgroup v2), and the limits it is held to
 *
 * The group proves the session's end (law 8); without one a pid namespace does. Controllers are
 * asked of the kernel when a first session needs them, not before: each costs every session a bit.
 * A memory limit counts swap too: a session that may push everything into swap is held to nothing
 * that its neighbours would feel.
 */
#include <errno.h>

#include "base/text.h"
#include "smss/session/session.h"

#define DISKS_BYTES 4096

void group_path(const struct copy *c, uint32_t session, struct text *t)
{
	const char *base = copy_word(c, "SMSS_CGROUP", "");

	if (base[0])
		text_u64(text_add(text_add(t, base), "/session-"), session);
}

/* ---- controllers ---- */

static int failed(struct group *g, int r, const char *a, const char *b, const char *c)
{
	struct text t = TEXT_ON(g->why);

	text_add(text_add(text_add(&t, a), b), c);
	return r;
}

static int enable_in(const char *directory, size_t n, const char *controller)
{
	char path[192], word[16];
	struct text p = TEXT_ON(path), w = TEXT_ON(word);

	text_add(text_add_n(&p, directory, n), "/cgroup.subtree_control");
	text_add(text_add(&w, "+"), controller);
	return sys_write_file(AT_FDCWD, path, word);
}

/* In the directory above all sessions' groups first: what that does not give, they cannot have. */
static int enable(struct group *g, const char *controller)
{
	const size_t n = str_len(g->base, 128);
	size_t above = n;
	int r;

	while (above > 1 && g->base[above - 1] != '/')
		above--;
	r = enable_in(g->base, above - 1, controller);
	if (r >= 0)
		r = enable_in(g->base, n, controller);
	if (r == -ENOENT || r == -EINVAL)
		return failed(g, -EOPNOTSUPP, "this kernel offers no ", controller,
			      " controller in cgroup v2");
	if (r < 0)
		failed(g, r, controller, " controller: ", err_text(-r));
	return r;
}

/* The file is there, or is once its controller has been asked for. */
static int need(struct group *g, const char *what, const char *controller, const char *file)
{
	int r = sys_access(g->dir, file, 0);

	g->what = what;
	if (r != -ENOENT)
		return r < 0 ? failed(g, r, err_text(-r), "", "") : 0;
	r = enable(g, controller);
	if (r >= 0 && sys_access(g->dir, file, 0) < 0)
		return failed(g, -EOPNOTSUPP, "this kernel has no ", file, "");
	return r;
}

static int put(struct group *g, const char *what, const char *file, const char *text)
{
	int r = sys_write_file(g->dir, file, text);

	g->what = what;
	return r < 0 ? failed(g, r, file, ": ", err_text(-r)) : 0;
}

/* ---- limits ---- */

static const char *const weigh_files[] = {"io.weight", "io.bfq.weight"};

static int need_all(struct group *g, const struct sm_session_limits *l, const char **ret_io_weight)
{
	int r = 0;

	if (l->memory_bytes)
		r = need(g, "memory limit", "memory", "memory.max");
	if (r >= 0 && l->processes)
		r = need(g, "limit of processes", "pids", "pids.max");
	if (r >= 0 && l->cpu_percent)
		r = need(g, "limit of processors", "cpu", "cpu.max");
	if (r >= 0 && l->cpu_weight)
		r = need(g, "weight of processors", "cpu", "cpu.weight");
	if (r >= 0 && l->io_bytes_s)
		r = need(g, "limit of disks", "io", "io.max");
	for (unsigned i = 0; i < 2 && l->io_weight && (!i || r == -EOPNOTSUPP); i++) {
		if (!i && r < 0)
			break;
		r = need(g, "weight of disks", "io", weigh_files[i]);
		*ret_io_weight = weigh_files[i];
	}
	return r;
}

static const char *limit_text(char *room, size_t cap, uint64_t value, bool none)
{
	struct text t = text_start(room, cap);

	if (none)
		text_add(&t, "max");
	else
		text_u64(&t, value);
	return room;
}

static int put_memory(struct group *g, uint64_t bytes)
{
	const bool none = bytes == SM_UNLIMITED_64;
	char room[32];
	int r = sys_write_file(g->dir, "memory.swap.max", none ? "max" : "0");

	g->what = "memory limit";
	if (r < 0 && r != -ENOENT) /* ENOENT: this kernel has no swap to count */
		return failed(g, r, "memory.swap.max: ", err_text(-r), "");
	return put(g, g->what, "memory.max", limit_text(room, sizeof(room), bytes, none));
}

static int put_processors(struct group *g, uint32_t percent)
{
	char quota[32], line[48];
	struct text t = TEXT_ON(line);

	limit_text(quota, sizeof(quota), percent * 1000ull, percent == SM_UNLIMITED);
	text_add(text_add(&t, quota), " 100000"); /* of each tenth of a second */
	return put(g, "limit of processors", "cpu.max", line);
}

static int put_weight(struct group *g, const char *what, const char *file, uint32_t weight)
{
	char room[32];

	return put(g, what, file,
		   limit_text(room, sizeof(room), weight == SM_UNLIMITED ? 100 : weight, false));
}

/* A disk's limit counts what goes through it: what lies on top of it is not counted once more. */
static int put_disk(struct group *g, int disks, const char *name, uint64_t bytes_s)
{
	char path[280], number[32], value[24], line[128];
	struct text p = TEXT_ON(path), t = TEXT_ON(line);
	ssize_t n;

	if (str_starts(name, "loop") || str_starts(name, "ram") || str_starts(name, "zram") ||
	    str_starts(name, "dm-") || str_starts(name, "md") || name[0] == '.')
		return 0;
	text_add(text_add(&p, name), "/dev");
	n = sys_read_file(disks, path, number, sizeof(number) - 1);
	if (n <= 0)
		return 0; /* it went while we looked */
	limit_text(value, sizeof(value), bytes_s, bytes_s == SM_UNLIMITED_64);
	text_add_n(&t, number, (size_t)n - (number[n - 1] == '\n'));
	text_add(text_add(&t, " rbps="), value);
	text_add(text_add(&t, " wbps="), value);
	n = put(g, "limit of disks", "io.max", line);
	return n == -ENODEV ? 0 : (int)n;
}

struct entry { /* as getdents64 gives them */
	uint64_t ino, next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int put_disks(struct group *g, uint64_t bytes_s)
{
	_close_ int disks = sys_open(AT_FDCWD, "/sys/block", O_RDONLY | O_DIRECTORY, 0);
	uint64_t room[DISKS_BYTES / 8];
	ssize_t n;

	g->what = "limit of disks";
	if (disks < 0)
		return failed(g, disks, "/sys/block: ", err_text(-disks), "");
	while ((n = sys_list(disks, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const void *)((const char *)room + at);
			int r = put_disk(g, disks, e->name, bytes_s);

			if (r < 0)
				return r;
			at += e->bytes;
		}
	return n < 0 ? failed(g, (int)n, "/sys/block: ", err_text((int)-n), "") : 0;
}

int group_limits(struct group *g, const struct sm_session_limits *l)
{
	const char *io_weight = weigh_files[0];
	char room[32];
	int r = need_all(g, l, &io_weight);

	if (r >= 0 && l->processes)
		r = put(g, "limit of processes", "pids.max",
			limit_text(room, sizeof(room), l->processes, l->processes == SM_UNLIMITED));
	if (r >= 0 && l->cpu_percent)
		r = put_processors(g, l->cpu_percent);
	if (r >= 0 && l->cpu_weight)
		r = put_weight(g, "weight of processors", "cpu.weight", l->cpu_weight);
	if (r >= 0 && l->io_weight)
		r = put_weight(g, "weight of disks", io_weight, l->io_weight);
	if (r >= 0 && l->io_bytes_s)
		r = put_disks(g, l->io_bytes_s);
	if (r >= 0 && l->memory_bytes) /* last: it may take its time */
		r = put_memory(g, l->memory_bytes);
	return r;
}

/* ---- of a new session ---- */

static bool is_limited(const struct sm_session_limits *l)
{
	return l->memory_bytes || l->io_bytes_s || l->processes || l->cpu_percent ||
	       l->cpu_weight || l->io_weight;
}

/* For the day its server has to be started again; the hive's own word need not be written down. */
static int remember(struct setup *s, const char *path)
{
	int r;

	if (!s->c->n || s->policy.isolation & SM_ISOLATE_PID)
		return COPY_OK; /* it ends with its server */
	if (!(s->ask.policy.given || s->ask.policy.isolation || s->ask.policy.limits))
		return COPY_OK;
	r = sys_set_xattr(path, POLICY_XATTR, &s->policy, sizeof(s->policy));
	return r < 0 ? setup_refuse(s, r, "cgroup", NULL) : COPY_OK;
}

static int limit(struct setup *s)
{
	const struct sm_policy *p = &s->policy;
	const struct sm_session_limits l = {.memory_bytes = p->memory_bytes,
					    .io_bytes_s = p->io_bytes_s,
					    .processes = p->processes,
					    .cpu_percent = p->cpu_percent,
					    .cpu_weight = p->cpu_weight,
					    .io_weight = p->io_weight};
	struct group g = {.dir = s->cgroup, .base = copy_word(s->c, "SMSS_CGROUP", ""), .what = ""};
	int r;

	if (!is_limited(&l))
		return COPY_OK;
	if (s->how != HOW_CGROUP)
		return setup_refuse(s, -EOPNOTSUPP, "limits", "there is no cgroup v2");
	r = group_limits(&g, &l);
	return r < 0 ? setup_refuse(s, r, g.what, g.why) : COPY_OK;
}

int setup_group(struct setup *s)
{
	char path[160];
	struct text t = TEXT_ON(path);
	int r = -ENOENT;

	s->how = s->c->n ? HOW_PID_NAMESPACE : HOW_NEITHER;
	group_path(s->c, s->c->n, &t);
	if (t.len) {
		r = sys_mkdir(AT_FDCWD, path, 0755);
		s->made_group = r >= 0;
		if (r >= 0 || r == -EEXIST)
			s->cgroup = sys_open(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
		if (s->cgroup >= 0)
			s->how = HOW_CGROUP;
		else
			copy_item(s->c, RESULT_DEGRADED, r < 0 ? -r : -s->cgroup, 0, "cgroup",
				  "no group of its own");
	}
	r = limit(s);
	return r == COPY_OK && s->how == HOW_CGROUP ? remember(s, path) : r;
}
