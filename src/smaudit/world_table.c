/* SPDX-License-Identifier: MIT */
/*
 * world_table.c - the memory of the world: hosts, boots, instances, texts
 *
 * Every byte is counted. Lookups are by hash with a seed of the run, so that evidence cannot choose
 * its bucket. Nothing here judges.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/world.h"

struct text_kept {
	struct text_kept *next;
	uint32_t refs, hash;
	char s[];
};

static void *take(struct world *w, size_t n)
{
	void *p = calloc(1, n);

	if (!p) {
		fputs("smaudit: out of memory\n", stderr);
		exit(2);
	}
	w->bytes += n + 16;
	if (w->bytes > w->most_bytes)
		w->most_bytes = w->bytes;
	return p;
}

static void give(struct world *w, void *p, size_t n)
{
	if (!p)
		return;
	w->bytes -= n + 16;
	free(p);
}

uint32_t table_hash(const struct world *w, const void *bytes, size_t n, uint32_t more)
{
	const uint8_t *b = bytes;
	uint64_t h = w->seed ^ ((uint64_t)more * 0x9e3779b97f4a7c15u);

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0xff51afd7ed558ccdu ^ h >> 29;
	h ^= h >> 32;
	return (uint32_t)h;
}

const char *text_keep(struct world *w, const char *s)
{
	size_t n;
	uint32_t h;
	struct text_kept *t;

	if (!s)
		return NULL;
	n = str_len(s, TEXT_BYTES_MAX);
	h = table_hash(w, s, n, 0);
	for (t = w->texts[h % BUCKETS]; t; t = t->next) {
		if (t->hash == h && !strncmp(t->s, s, n) && !t->s[n]) {
			t->refs++;
			return t->s;
		}
	}
	t = take(w, sizeof(*t) + n + 1);
	t->refs = 1;
	t->hash = h;
	memcpy(t->s, s, n);
	t->next = w->texts[h % BUCKETS];
	w->texts[h % BUCKETS] = t;
	return t->s;
}

void text_drop(struct world *w, const char *s)
{
	struct text_kept *t, **at;

	if (!s)
		return;
	t = (struct text_kept *)(void *)((char *)(uintptr_t)s - offsetof(struct text_kept, s));
	if (--t->refs > 0)
		return;
	for (at = &w->texts[t->hash % BUCKETS]; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	give(w, t, sizeof(*t) + strlen(t->s) + 1);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'                 ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
						    : -1;
}

struct guid guid_read(const char *s)
{
	struct guid g = {.known = false};
	unsigned digits = 0;

	if (!s)
		return g;
	for (; *s; s++) {
		int d = hex_digit(*s);

		if (d < 0 && strchr("{}-", *s))
			continue;
		if (d < 0 || digits == 32)
			return (struct guid){.known = false};
		g.byte[digits / 2] |= (uint8_t)(digits % 2 ? d : d << 4);
		digits++;
	}
	g.known = digits == 32;
	for (unsigned i = 0, any = 0; g.known && i < 16; i++) {
		any |= g.byte[i];
		if (i == 15 && !any)
			g.known = false;
	}
	return g;
}

bool guid_same(const struct guid *a, const struct guid *b)
{
	return a->known && b->known && !memcmp(a->byte, b->byte, sizeof(a->byte));
}

int64_t guid_time(const struct guid *g)
{
	uint32_t low = (uint32_t)g->byte[4] << 8 | g->byte[5];
	uint32_t high = (uint32_t)g->byte[6] << 8 | g->byte[7];

	return g->known ? (int64_t)(high << 16 | low) * SECOND_NS : NO_TIME;
}

struct host *host_get(struct world *w, const char *name, const char *file)
{
	char key[300];
	uint32_t hash;
	struct host *h;

	snprintf(key, sizeof(key), "%c%s", name ? 'h' : 'f', name ? name : file ? file : "");
	for (char *s = key; name && *s; s++)
		*s = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
	hash = table_hash(w, key, strlen(key), 1);
	for (h = w->host[hash % 4096]; h; h = h->next) {
		if (h->hash == hash && !strcmp(h->key, key))
			return h;
	}
	h = take(w, sizeof(*h));
	h->hash = hash;
	h->key = text_keep(w, key);
	h->name = text_keep(w, name);
	h->next = w->host[hash % 4096];
	w->host[hash % 4096] = h;
	w->hosts++;
	return h;
}

static void unlink_boot(struct world *w, struct boot *b)
{
	*(b->older ? &b->older->newer : &w->oldest) = b->newer;
	*(b->newer ? &b->newer->older : &w->newest) = b->older;
	b->older = b->newer = NULL;
}

static void link_boot(struct world *w, struct boot *b)
{
	b->older = w->newest;
	*(w->newest ? &w->newest->newer : &w->oldest) = b;
	w->newest = b;
}

struct boot *boot_new(struct world *w, struct host *h)
{
	struct boot *b = take(w, sizeof(*b));

	b->host = h;
	b->kernel_ns = b->system_ns = b->first_ns = NO_TIME;
	b->next = h->boots;
	b->at = &h->boots;
	if (b->next)
		b->next->at = &b->next;
	h->boots = h->current = b;
	link_boot(w, b);
	return b;
}

void boot_touch(struct world *w, struct boot *b)
{
	if (w->newest == b)
		return;
	unlink_boot(w, b);
	link_boot(w, b);
}

struct boot *boot_real(struct boot *b)
{
	/* the way is halved as it is walked: evidence may have made it long */
	while (b && b->joined) {
		if (b->joined->joined)
			b->joined = b->joined->joined;
		b = b->joined;
	}
	return b;
}

void boot_join(struct boot *a, struct boot *b)
{
	if (a == b)
		return;
	a->joined = b;
	b->joins = true;
	if (b->kernel_ns == NO_TIME)
		b->kernel_ns = a->kernel_ns;
	if (b->system_ns == NO_TIME)
		b->system_ns = a->system_ns;
	if (b->first_ns == NO_TIME || (a->first_ns != NO_TIME && a->first_ns < b->first_ns))
		b->first_ns = a->first_ns;
	if (!b->system_guid.known)
		b->system_guid = a->system_guid;
	if (!b->master)
		b->master = a->master;
	for (unsigned n = 0; n < a->clocks && b->clocks < CLOCK_SETS_MAX; n++)
		b->clock[b->clocks++] = a->clock[n];
	b->has_live |= a->has_live;
	b->has_scan |= a->has_scan;
}

void boot_splice(struct world *w, struct boot *a)
{
	struct boot *b = boot_real(a);

	while (a->instances) {
		struct instance *i = a->instances;

		a->instances = i->next;
		i->boot = b;
		i->next = b->instances;
		b->instances = i;
		b->count++;
	}
	if (b->host->current == a)
		b->host->current = b;
	for (struct boot *other = a->joins ? b->host->boots : NULL; other; other = other->next) {
		if (other->joined == a)
			other->joined = b;
	}
	b->joins |= a->joins;
	boot_free(w, a);
}

/* All at once: to look for those of one boot costs as much, and evidence chooses how many there
 * are. */
void boot_gather(struct world *w, struct host *h)
{
	for (struct boot *a = h->boots; a; a = a->next) {
		if (a->joined)
			a->joined = boot_real(a);
	}
	for (struct boot *a = h->boots; a; a = a->next)
		a->joins = false; /* of those that stay, soon; of the others, from here on */
	for (struct boot *a = h->boots, *next; a; a = next) {
		next = a->next;
		if (a->joined)
			boot_splice(w, a);
	}
}

static uint32_t pid_bucket(const struct world *w, const struct host *h, uint32_t pid)
{
	return table_hash(w, &pid, sizeof(pid), h->hash) % BUCKETS;
}

static uint32_t guid_bucket(const struct world *w, const struct host *h, const struct guid *g)
{
	return table_hash(w, g->byte, sizeof(g->byte), h->hash) % BUCKETS;
}

static void free_instance(struct world *w, struct instance *i)
{
	struct host *h = i->boot->host;

	/* the oldest are given back first, and one pid may have a long chain */
	*i->at_pid = i->next_pid;
	if (i->next_pid)
		i->next_pid->at_pid = i->at_pid;
	if (i->guid.known) {
		struct instance **at = &w->by_guid[guid_bucket(w, h, &i->guid)];
		while (*at != i)
			at = &(*at)->next_guid;
		*at = i->next_guid;
	}
	for (unsigned t = 0; t < TEXT_COUNT; t++)
		text_drop(w, i->text[t]);
	snapshot_drop(w, i->alive);
	h->instances--;
	give(w, i, sizeof(*i));
}

void boot_free(struct world *w, struct boot *b)
{
	struct host *h = b->host;

	while (b->instances) {
		struct instance *i = b->instances;

		b->instances = i->next;
		free_instance(w, i);
	}
	*b->at = b->next;
	if (b->next)
		b->next->at = b->at;
	for (struct boot *other = b->joins ? h->boots : NULL; other; other = other->next) {
		if (other->joined == b)
			other->joined = NULL;
	}
	if (h->current == b)
		h->current = NULL;
	unlink_boot(w, b);
	give(w, b, sizeof(*b));
}

struct instance *instance_new(struct world *w, struct boot *b, uint32_t pid,
			      const struct guid *guid)
{
	struct host *h = b->host;
	struct instance *i;
	uint32_t bucket;

	if (h->instances >= INSTANCES_A_HOST_MAX || w->bytes > WORLD_BYTES_MAX + (1 << 20)) {
		h->too_many = true;
		return NULL;
	}
	i = take(w, sizeof(*i));
	i->boot = b;
	i->pid = pid;
	i->ppid = NO_PID;
	i->guid = *guid;
	i->start_ns = i->end_ns = i->active_ns = i->reused_ns = NO_TIME;
	i->session = i->threads = -1;
	bucket = pid_bucket(w, h, pid);
	i->next_pid = w->by_pid[bucket];
	i->at_pid = &w->by_pid[bucket];
	if (i->next_pid)
		i->next_pid->at_pid = &i->next_pid;
	w->by_pid[bucket] = i;
	if (guid->known) {
		bucket = guid_bucket(w, h, guid);
		i->next_guid = w->by_guid[bucket];
		w->by_guid[bucket] = i;
	}
	i->next = b->instances;
	b->instances = i;
	b->count++;
	h->instances++;
	return i;
}

struct instance *instance_by_guid(const struct world *w, const struct host *h, const struct guid *g)
{
	struct instance *i;

	if (!g->known)
		return NULL;
	for (i = w->by_guid[guid_bucket(w, h, g)]; i; i = i->next_guid) {
		if (i->boot->host == h && guid_same(&i->guid, g))
			return i;
	}
	return NULL;
}

struct instance *pid_chain(const struct world *w, const struct host *h, uint32_t pid)
{
	return w->by_pid[pid_bucket(w, h, pid)];
}

struct snapshot *snapshot_hold(struct snapshot *s)
{
	if (s)
		s->refs++;
	return s;
}

void snapshot_drop(struct world *w, struct snapshot *s)
{
	if (s && --s->refs == 0)
		give(w, s, sizeof(*s));
}

struct snapshot *snapshot_new(struct world *w)
{
	struct snapshot *s = take(w, sizeof(*s));

	s->refs = 1;
	s->newest_ns = s->taken_ns = NO_TIME;
	return s;
}

void host_free(struct world *w, struct host *h)
{
	struct host **at = &w->host[h->hash % 4096];

	while (h->boots)
		boot_free(w, h->boots);
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	text_drop(w, h->key);
	text_drop(w, h->name);
	text_drop(w, h->file);
	text_drop(w, h->system_user);
	for (unsigned r = 0; r < ROOTS_MAX; r++)
		text_drop(w, h->root[r]);
	snapshot_drop(w, h->snapshot);
	w->hosts--;
	give(w, h, sizeof(*h));
}
