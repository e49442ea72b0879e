/* SPDX-License-Identifier: MIT */
/*
 * pending_hive.c - a Windows hive's entries, parsed by a child behind walls; see pending_hive.h
 *
 * Files are opened here, and then a child closes its doors, reads, and writes what it found into a
 * pipe, in records that are checked one by one. It gets no more than its processor time and its
 * memory (registry/sandbox.h), and we wait no longer than a deadline.
 */
#include "smctl/pending_hive.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/hive.h"
#include "registry/sandbox.h"
#include "sys/sys.h"

#define FIRST_FD    3 /* of the child, behind the standard ones */
#define WAIT_MS     60000
#define ANSWER_MAX  (256u << 20)
#define KEY_CONTROL "ControlSet%03u\\Control\\Session Manager"

enum kind { KIND_SAID = 1, KIND_WHY, KIND_SET, KIND_ENTRY };

struct record { /* in the pipe, followed by from_n and to_n bytes, each with its NUL */
	uint32_t kind, value, flags, from_n, to_n;
};
#define FLAG_REPLACE (1u << 0)
#define FLAG_ODD     (1u << 1) /* a source without a target */
#define FLAG_MARKED  (1u << 2) /* a marker of targets before the source */

/* ---- the child ---- */

static void put(int fd, struct record rec, const char *from, const char *to)
{
	rec.from_n = (uint32_t)strlen(from) + 1;
	rec.to_n = (uint32_t)strlen(to) + 1;
	if (sys_write_all(fd, &rec, sizeof(rec)) < 0 || sys_write_all(fd, from, rec.from_n) < 0 ||
	    sys_write_all(fd, to, rec.to_n) < 0)
		_exit(1);
}

/* Passes over "*1" and one of "!@"; *ret_mark tells which, 0 = none (nt-reference §4.1). */
static const char *unmarked(const char *s, char *ret_mark)
{
	*ret_mark = 0;
	if (*s == '*' && s[1] >= '0' && s[1] <= '9')
		for (s++; *s >= '0' && *s <= '9'; s++)
			;
	if (*s == '!' || *s == '@')
		*ret_mark = *s++;
	return s;
}

static void put_pair(int fd, unsigned value, const char *source, const char *target)
{
	struct record rec = {.kind = KIND_ENTRY, .value = value};
	char mine, mark = 0;
	const char *from = unmarked(source, &mine);
	const char *to = target ? unmarked(target, &mark) : "";

	if (!target)
		rec.flags |= FLAG_ODD;
	if (mark)
		rec.flags |= FLAG_REPLACE;
	if (mine == '!' || (mine == '@' && *to) || (mark && !*to))
		rec.flags |= FLAG_MARKED;
	put(fd, rec, from, to);
}

static void put_list(int fd, struct reg_tree *t, const struct reg_value *v, unsigned value)
{
	char **list, *one, said[192];
	size_t count = 0;

	if (v->type != REG_MULTI_SZ && (value != 3 || v->type == REG_BINARY)) {
		(void)snprintf(said, sizeof(said), "%.128s is no list of paths; not read", v->name);
		put(fd, (struct record){.kind = KIND_SAID}, said, "");
		return;
	}
	if (v->type == REG_MULTI_SZ && value_list(&t->arena, v, &list, &count, NULL) < 0)
		_exit(1);
	if (v->type != REG_MULTI_SZ) {
		one = value_text(&t->arena, v, NULL);
		list = &one;
		count = one && *one;
	}
	for (size_t i = 0; i < count && i < 2u * HIVE_ENTRIES_MAX; i += value == 3 ? 1 : 2)
		put_pair(fd, value, list[i], value == 3 ? "" : i + 1 < count ? list[i + 1] : NULL);
}

static void put_entries(int fd, struct hive *h, struct reg_tree *t, unsigned set)
{
	static const char *const names[] = {"PendingFileRenameOperations",
					    "PendingFileRenameOperations2"};
	const char *first;
	struct reg_key *k;
	char path[96];

	(void)snprintf(path, sizeof(path), KEY_CONTROL, set);
	k = hive_load(h, path, 0, t) == 0 ? tree_find(t, path, strlen(path)) : NULL;
	for (unsigned i = 0; k && i < 2; i++) {
		const struct reg_value *v = key_get(k, names[i]);

		if (v)
			put_list(fd, t, v, i + 1);
	}
	(void)snprintf(path, sizeof(path), KEY_CONTROL "\\FileRenameOperations", set);
	k = hive_load(h, path, 0, t) == 0 ? tree_find(t, path, strlen(path)) : NULL;
	for (uint32_t i = 0; k && i < k->value_count; i++)
		put_list(fd, t, &k->values[i], 3);
	if (hive_damage(h, &first))
		put(fd, (struct record){.kind = KIND_SAID}, hive_said(h), "");
}

/* Nothing stays open but the pipe, the hive and its logs: no drive, no queue. */
static int keep_only(int *fd, struct hive_source *s)
{
	int *const kept[] = {fd, &s->fd, &s->log_fd[0], &s->log_fd[1], &s->log_fd[2]};
	int r = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		if (*kept[i] >= 0)
			*kept[i] = fcntl(*kept[i], F_DUPFD_CLOEXEC, FIRST_FD + ARRAY_SIZE(kept));
	for (unsigned i = 0; r >= 0 && i < ARRAY_SIZE(kept); i++) {
		if (*kept[i] < 0)
			continue;
		r = sys_dup_to(*kept[i], FIRST_FD + (int)i);
		*kept[i] = FIRST_FD + (int)i;
	}
	return r < 0 ? r : sys_close_from(FIRST_FD + ARRAY_SIZE(kept));
}

static void __attribute__((noreturn)) child(int fd, struct hive_source from)
{
	char room[256];
	struct text why = TEXT_ON(room);
	struct hive *h = NULL;
	struct reg_tree t = {0};
	unsigned set = 0, walls;
	int r = keep_only(&fd, &from);

	if (r < 0)
		_exit(1);
	walls = sandbox_enter();
	r = hive_open(&from, 0, &h, &why);
	if (!(walls & SANDBOX_SECCOMP))
		put(fd, (struct record){.kind = KIND_SAID},
		    "the kernel has no seccomp: the hive is read without it", "");
	if (r == 0)
		r = tree_start(&t);
	if (r == 0) {
		if (*hive_said(h))
			put(fd, (struct record){.kind = KIND_SAID}, hive_said(h), "");
		r = hive_load(h, "Select", 0, &t);
		set = r == 0 ? tree_current_set(&t) : 0;
		if (r == -ENOENT || (r == 0 && !set)) {
			text_add(&why, r ? "not a SYSTEM hive: it has no Select key"
					 : "not a SYSTEM hive: Select\\Current is not a number "
					   "from 1 to 999");
			r = -ENOKEY;
		}
	}
	if (r < 0) {
		put(fd, (struct record){.kind = KIND_WHY}, why.len ? room : err_text(-r), "");
		_exit(0);
	}
	put_entries(fd, h, &t, set);
	put(fd, (struct record){.kind = KIND_SET, .value = set}, "", ""); /* the last one */
	_exit(0);
}

/* ---- and who waits for it ---- */

static const char *fault_of(const struct record *rec, const char *from)
{
	if (!*from)
		return "an empty source";
	if (rec->flags & FLAG_ODD)
		return "a source without a target: the value holds an odd number of strings";
	return rec->flags & FLAG_MARKED ? "a marker where none belongs" : NULL;
}

/* All that came, until the child closed its end. Returns the bytes or -errno. */
static ssize_t receive(int fd, char **ret)
{
	const uint64_t until_ns = sys_now_ns() + WAIT_MS * 1000000ull;
	size_t n = 0, cap = 0;
	ssize_t got;

	do {
		const uint64_t now_ns = sys_now_ns();

		if (cap - n < 65536) {
			char *more = realloc(*ret, cap += 1u << 20);

			if (!more)
				return -ENOMEM;
			*ret = more;
		}
		if (now_ns >= until_ns ||
		    sys_wait_fd(fd, SYS_READ, (int)((until_ns - now_ns) / 1000000u) + 1) == 0)
			return -ETIMEDOUT;
		got = sys_read(fd, *ret + n, cap - n);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && n < ANSWER_MAX);
	return got < 0 ? got : n < ANSWER_MAX ? (ssize_t)n : -EFBIG;
}

static int take_record(struct hive_entries *e, const struct record *rec, const char *from,
		       const char *to)
{
	switch (rec->kind) {
	case KIND_SAID:
		if (e->said_count < HIVE_SAID_MAX)
			e->said[e->said_count++] = from;
		return 0;
	case KIND_WHY:
		e->why = from;
		return -EILSEQ;
	case KIND_SET:
		e->set = rec->value;
		return 0;
	case KIND_ENTRY:
		if (e->count == HIVE_ENTRIES_MAX || rec->value < 1 || rec->value > 3)
			return e->count == HIVE_ENTRIES_MAX ? -E2BIG : -EPROTO;
		e->row[e->count++] = (struct hive_entry){
			rec->value, from, to, rec->flags & FLAG_REPLACE, fault_of(rec, from)};
		return 0;
	default:
		return -EPROTO;
	}
}

/* The records, each within what came. */
static int take(struct hive_entries *e, size_t n)
{
	struct record rec;
	int r = 0;

	for (size_t at = 0; r == 0 && at < n;) {
		if (n - at < sizeof(rec))
			return -EPROTO;
		memcpy(&rec, e->room + at, sizeof(rec));
		at += sizeof(rec);
		if (!rec.from_n || !rec.to_n || rec.from_n > n - at ||
		    rec.to_n > n - at - rec.from_n || e->room[at + rec.from_n - 1] ||
		    e->room[at + rec.from_n + rec.to_n - 1])
			return -EPROTO;
		r = take_record(e, &rec, e->room + at, e->room + at + rec.from_n);
		at += rec.from_n + rec.to_n;
	}
	return r == 0 && !e->set ? -EPROTO : r;
}

static int run_child(const struct hive_source *from, char **ret, ssize_t *ret_n)
{
	struct sys_exit end;
	int pipe[2], r = sys_pipe(pipe);
	pid_t pid;

	if (r < 0)
		return r;
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(pipe[1], *from);
	sys_closep(&pipe[1]);
	*ret_n = pid < 0 ? -errno : receive(pipe[0], ret);
	sys_closep(&pipe[0]);
	if (pid < 0)
		return (int)*ret_n;
	if (*ret_n < 0)
		(void)!sys_kill(pid, SIGKILL);
	r = sys_wait_pid(pid, &end);
	return r < 0 ? r : *ret_n < 0 ? (int)*ret_n : end.signalled || end.status ? -EPROTO : 0;
}

int hive_entries_read(const char *path, struct hive_entries *ret)
{
	_cleanup_(hive_source_close) struct hive_source from = HIVE_SOURCE_NONE;
	ssize_t n = 0;
	int r = hive_source_open(path, &from);

	*ret = (struct hive_entries){0};
	if (r < 0)
		return r;
	ret->row = calloc(HIVE_ENTRIES_MAX, sizeof(*ret->row));
	if (!ret->row)
		return -ENOMEM;
	r = run_child(&from, &ret->room, &n);
	if (r == 0)
		r = take(ret, (size_t)n);
	if (r == -EPROTO || r == -ETIMEDOUT) {
		ret->why = "its reader ended early; the hive is broken";
		r = -EILSEQ;
	}
	if (r == -E2BIG)
		ret->why = "it has more than 100,000 entries";
	return r;
}

void hive_entries_free(struct hive_entries *e)
{
	free(e->row);
	free(e->room);
	*e = (struct hive_entries){0};
}
