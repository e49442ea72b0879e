/* SPDX-License-Identifier: MIT */
/*
 * profile_join.c - who started whom, as far as it can be told; see profile_inner.h
 *
 * Starts name their parent, or its pid: the last process of that host and boot that had it and was
 * there before its child. Lists are joined when they are whole, because children may stand before
 * their parents. What was forgotten, lost or began too late joins nothing: a parent is then "not
 * told", never guessed. System (pid 4 of Windows) is the one that every boot has.
 */
#include <stdlib.h>
#include <string.h>

#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"
#include "smaudit/rules.h"

#define BOOTS      4096u /* hosts that share a place only lose a join */
#define PID_SYSTEM 4u
#define ROWS_FIRST 256u
#define BUCKETS    4096u
#define NO_ROW     PROFILE_ROWS_MAX

static uint64_t host_of(const char *host, const struct place *p)
{
	return profile_hash(KIND_HOST, host ? host : p->file ? p->file : "");
}

void profile_base_of(const char *image, char room[PROFILE_BASE])
{
	const char *base = image ? path_base(image) : "";
	size_t n = strnlen(base, PROFILE_BASE);

	if (n ==
	    PROFILE_BASE) { /* a name as long as this is none of ours: only its place matters */
		n = PROFILE_BASE - 1;
		while (n && ((uint8_t)base[n] & 0xc0) == 0x80)
			n--;
	}
	memcpy(room, base, n);
	room[n] = '\0';
}

static void base_of_fact(const struct process_fact *f, char room[PROFILE_BASE])
{
	profile_base_of(f->image ? f->image : f->name, room);
}

/* ---- starts ---- */

static struct near *place_of(const struct profile *p, uint64_t host, uint32_t pid)
{
	uint64_t h = (host ^ pid) * 0x9e3779b97f4a7c15u;

	return &p->near[(h >> 32) & (PROFILE_NEAR - 2)]; /* and the one behind it */
}

/* Of the boot that the host is in; of one before it, the pid says nothing. */
static struct near *find(const struct profile *p, uint64_t host, uint32_t pid)
{
	struct near *n = place_of(p, host, pid);

	for (unsigned i = 0; i < 2; i++, n++)
		if (n->pid == pid && n->host == host && n->boot == p->boots[host % BOOTS])
			return n;
	return NULL;
}

/* Where a process is remembered: in its own place, a free one, or that of the older one. */
static struct near *place_for(const struct profile *p, uint64_t host, uint32_t pid)
{
	struct near *n = place_of(p, host, pid);

	for (unsigned i = 0; i < 2; i++)
		if (n[i].pid == pid && n[i].host == host)
			return &n[i];
	if (n[0].pid == NO_PID)
		return n;
	return n[1].pid == NO_PID || n[1].started_ns < n[0].started_ns ? n + 1 : n;
}

static struct near *parent_of(const struct profile *p, uint64_t host, const struct process_fact *f)
{
	struct near *n = f->ppid != NO_PID ? find(p, host, f->ppid) : NULL;

	if (!n)
		return NULL;
	if (f->parent_guid && n->guid)
		return n->guid == profile_hash(KIND_NEAR, f->parent_guid) ? n : NULL;
	if (n->started_ns != NO_TIME && f->started_ns != NO_TIME && n->started_ns > f->started_ns)
		return NULL;
	return n;
}

static void remember(struct profile *p, uint64_t host, const struct process_fact *f,
		     const char *base, const char *parent)
{
	struct near *n = place_for(p, host, f->pid);

	*n = (struct near){.host = host,
			   .guid = f->guid ? profile_hash(KIND_NEAR, f->guid) : 0,
			   .started_ns = f->started_ns,
			   .pid = f->pid,
			   .boot = p->boots[host % BOOTS]};
	memcpy(n->base, base, PROFILE_BASE);
	memcpy(n->parent, parent, PROFILE_BASE);
}

/* One process with what is known of those above it; "" = not told. */
static void tell(struct profile *p, const char *base, const char *parent, const char *grandparent)
{
	if (profile_is(p, base)) {
		trait_tell(p, TRAIT_PARENT, parent, NULL);
		trait_tell(p, TRAIT_GRANDPARENT, grandparent, NULL);
	}
	if (profile_is(p, parent))
		trait_tell(p, TRAIT_CHILD, base, NULL);
	if (profile_is(p, grandparent))
		trait_tell(p, TRAIT_GRANDCHILD, base, NULL);
}

static void join_start(struct profile *p, const struct process_fact *f)
{
	uint64_t host = host_of(f->host, &f->place);
	char base[PROFILE_BASE], parent[PROFILE_BASE], grandparent[PROFILE_BASE] = "";
	const struct near *above = parent_of(p, host, f);

	base_of_fact(f, base);
	profile_base_of(f->parent_image, parent);
	if (!*parent && above)
		memcpy(parent, above->base, sizeof(parent));
	if (!*parent && f->system == SYSTEM_WINDOWS && f->ppid == PID_SYSTEM)
		profile_base_of("System", parent);
	if (above && profile_hash(0, above->base) == profile_hash(0, parent))
		memcpy(grandparent, above->parent, sizeof(grandparent));
	tell(p, base, parent, grandparent);
	if (f->pid != NO_PID && *base)
		remember(p, host, f, base, parent);
}

static const char *lifetime(int64_t ns)
{
	static const int64_t second_ns = 1000000000;

	return ns < second_ns          ? "below a second"
	       : ns < 30 * second_ns   ? "a second to 30 seconds"
	       : ns < 3600 * second_ns ? "30 seconds to an hour"
				       : "over an hour";
}

static void tell_lifetime(struct profile *p, int64_t started_ns, int64_t ended_ns)
{
	if (started_ns != NO_TIME && ended_ns != NO_TIME && ended_ns >= started_ns)
		trait_tell(p, TRAIT_LIFETIME, lifetime(ended_ns - started_ns), NULL);
}

static void join_exit(struct profile *p, const struct process_fact *f)
{
	uint64_t host = host_of(f->host, &f->place);
	struct near *n = f->pid != NO_PID ? find(p, host, f->pid) : NULL;

	if (!n || (f->guid && n->guid && n->guid != profile_hash(KIND_NEAR, f->guid)))
		return;
	if (profile_is(p, n->base))
		tell_lifetime(p, n->started_ns, f->time_ns);
	n->pid = NO_PID;
}

/* ---- lists ---- */

static uint32_t *bucket_of(const struct profile *p, uint64_t host)
{
	return &p->bucket[(host * profile_secret() >> 32) % BUCKETS];
}

/* A free row, or NULL. */
static struct list_row *row_new(struct profile *p)
{
	struct list_row *row;

	if (p->row_free != NO_ROW) {
		row = &p->row[p->row_free];
		p->row_free = row->next;
		return row;
	}
	if (p->row_count == PROFILE_ROWS_MAX)
		return NULL;
	if (p->row_count == p->row_cap) {
		p->row_cap = p->row_cap ? p->row_cap * 2 : ROWS_FIRST;
		p->row = audit_alloc(p->row, p->row_cap * sizeof(*p->row));
	}
	return &p->row[p->row_count++];
}

static void join_row(struct profile *p, const struct process_fact *f)
{
	uint64_t host = host_of(f->host, &f->place);
	uint32_t *bucket = bucket_of(p, host);
	struct list_row *row;

	if (f->pid == NO_PID)
		return;
	row = row_new(p);
	if (!row) {
		p->rows_lost++;
		return;
	}
	*row = (struct list_row){.host = host,
				 .started_ns = f->started_ns,
				 .pid = f->pid,
				 .ppid = f->ppid,
				 .next = *bucket};
	*bucket = (uint32_t)(row - p->row);
	base_of_fact(f, row->base);
	if (f->system == SYSTEM_WINDOWS && f->pid == PID_SYSTEM && !*row->base)
		profile_base_of("System", row->base);
	if (profile_is(p, row->base))
		tell_lifetime(p, f->started_ns, f->ended_ns);
}

static int by_pid_and_start(const void *a, const void *b)
{
	const struct list_row *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->started_ns < y->started_ns ? -1 : x->started_ns > y->started_ns;
}

/* Of the whole list, the last row of that pid which was there before the child was. */
static const struct list_row *row_above(const struct profile *p, const struct list_row *child)
{
	struct list_row want = {.pid = child->ppid, .started_ns = child->started_ns};
	size_t low = 0, high = p->whole_count;

	if (child->ppid == NO_PID || child->ppid == child->pid)
		return NULL;
	if (want.started_ns == NO_TIME)
		want.started_ns = INT64_MAX;
	while (low < high) { /* the first that is behind what is wanted */
		size_t middle = low + (high - low) / 2;

		if (by_pid_and_start(&p->whole[middle], &want) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low && p->whole[low - 1].pid == child->ppid ? &p->whole[low - 1] : NULL;
}

/* Takes the rows of that host out of its bucket. */
static void gather(struct profile *p, uint64_t host)
{
	uint32_t *at = bucket_of(p, host);

	p->whole_count = 0;
	while (*at != NO_ROW) {
		uint32_t number = *at;
		struct list_row *row = &p->row[number];

		if (row->host != host) {
			at = &row->next;
			continue;
		}
		if (p->whole_count == p->whole_cap) {
			p->whole_cap = p->whole_cap ? p->whole_cap * 2 : ROWS_FIRST;
			p->whole = audit_alloc(p->whole, p->whole_cap * sizeof(*p->whole));
		}
		p->whole[p->whole_count++] = *row;
		*at = row->next;
		row->next = p->row_free;
		p->row_free = number;
	}
}

/* All rows of that host are there. */
static void join_list(struct profile *p, uint64_t host)
{
	gather(p, host);
	if (!p->whole_count)
		return;
	qsort(p->whole, p->whole_count, sizeof(*p->whole), by_pid_and_start);
	for (size_t i = 0; i < p->whole_count; i++) {
		const struct list_row *row = &p->whole[i];
		const struct list_row *parent = row_above(p, row);
		const struct list_row *above = parent ? row_above(p, parent) : NULL;

		tell(p, row->base, parent ? parent->base : "", above ? above->base : "");
	}
}

void join_process(struct profile *p, const struct process_fact *f)
{
	if (f->seen == SEEN_START)
		join_start(p, f);
	else if (f->seen == SEEN_END)
		join_exit(p, f);
	else if (f->seen == SEEN_ALIVE)
		join_row(p, f);
}

void join_boot(struct profile *p, const struct boot_fact *f)
{
	uint64_t host = host_of(f->host, &f->place);

	if (f->mark == BOOT_BEGAN)
		p->boots[host % BOOTS]++;
	else if (f->mark == BOOT_SNAPSHOT_END)
		join_list(p, host);
}

void join_begin(struct profile *p)
{
	p->near = audit_alloc(NULL, PROFILE_NEAR * sizeof(*p->near));
	for (size_t i = 0; i < PROFILE_NEAR; i++)
		p->near[i] = (struct near){.pid = NO_PID};
	p->boots = audit_alloc(NULL, BOOTS * sizeof(*p->boots));
	memset(p->boots, 0, BOOTS * sizeof(*p->boots));
	p->bucket = audit_alloc(NULL, BUCKETS * sizeof(*p->bucket));
	for (size_t i = 0; i < BUCKETS; i++)
		p->bucket[i] = NO_ROW;
	p->row_free = NO_ROW;
}

void join_end(struct profile *p)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (p->bucket[i] != NO_ROW)
			join_list(p, p->row[p->bucket[i]].host);
}

void join_free(struct profile *p)
{
	free(p->near);
	free(p->boots);
	free(p->bucket);
	free(p->row);
	free(p->whole);
}
