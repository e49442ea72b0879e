/* SPDX-License-Identifier: MIT */
/*
 * world.c - facts of processes joined by host, boot and process
 *
 * Pids recur, also within a boot; several streams tell of the same boot; clocks are set. A Sysmon
 * GUID decides who is who, then pid and start together, then the latest of that pid in the stream's
 * own boot. What does not matter to a session manager is not kept, and when much is kept, the boots
 * not touched for longest are judged early. It never guesses a parent from a pid alone when the
 * parent had ended.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "smaudit/world.h"

bool near_in_time(int64_t a, int64_t b, int64_t seconds)
{
	if (a == NO_TIME || b == NO_TIME)
		return false;
	if (a < b) {
		const int64_t earlier = a;

		a = b;
		b = earlier;
	}
	/* evidence may tell of times that lie further apart than 63 bits can say */
	return (uint64_t)a - (uint64_t)b <= (uint64_t)(seconds * SECOND_NS);
}

struct world *world_new(struct report *to, const struct world_options *o)
{
	struct world *w = calloc(1, sizeof(*w));
	struct windows_path root;

	if (!w)
		abort();
	w->report = to;
	if (o)
		w->options = *o;
	if (!w->options.grace_s)
		w->options.grace_s = 30;
	if (!w->options.late_s)
		w->options.late_s = 60;
	path_windows(w->options.system_root ? w->options.system_root : "C:\\Windows", NULL, &root);
	str_copy(w->root, sizeof(w->root), root.text);
	if (getrandom(&w->seed, sizeof(w->seed), GRND_NONBLOCK) < 0)
		w->seed = 0x5b3a91c7;
	w->bytes = w->most_bytes = sizeof(*w);
	return w;
}

void world_free(struct world *w)
{
	if (!w)
		return;
	for (unsigned n = 0; n < 4096; n++) {
		while (w->host[n])
			host_free(w, w->host[n]);
	}
	free(w);
}

/* ---- which boot ---- */

static void stream_of(struct world *w, struct host *h, const char *file)
{
	if (h->file && file && !strcmp(h->file, file))
		return;
	text_drop(w, h->file);
	h->file = text_keep(w, file ? file : "");
	h->current = NULL;
	snapshot_drop(w, h->snapshot);
	h->snapshot = NULL;
}

static bool started_by_system(const struct process_fact *f)
{
	if (f->system == SYSTEM_LINUX)
		return f->pid == 1 || f->ppid == 0;
	return (f->parent_image && str_same_fold(f->parent_image, "System")) ||
	       (f->ppid == 4 && (!f->parent_image || !*f->parent_image));
}

/* Does a master that begins now belong to this boot, or is it the next boot's? */
static bool same_boot(const struct host *h, const struct boot *b, const struct process_fact *f)
{
	const struct instance *m = b->master;
	struct guid parent = guid_read(f->parent_guid), own = guid_read(f->guid);

	if (!b->instances)
		return true;
	if (m && ((own.known && guid_same(&own, &m->guid)) ||
		  (m->pid == f->pid && near_in_time(m->start_ns, f->time_ns, 2))))
		return true;
	if (parent.known && b->system_guid.known)
		return guid_same(&parent, &b->system_guid);
	if (parent.known && h->guid_times && b->first_ns != NO_TIME)
		return guid_time(&parent) <= b->first_ns + 5 * SECOND_NS &&
		       f->time_ns >= b->first_ns;
	return false;
}

static struct boot *boot_of(struct world *w, struct host *h, const struct process_fact *f,
			    unsigned is)
{
	struct boot *b;

	stream_of(w, h, f->place.file);
	b = h->current;
	if (b && f->seen == SEEN_START && f->system == SYSTEM_WINDOWS && (is & IS_SMSS) &&
	    started_by_system(f) && !same_boot(h, b, f))
		b = NULL;
	if (!b)
		b = boot_new(w, h);
	boot_touch(w, b);
	return b;
}

/* ---- which instance ---- */

static bool was_set_back(const struct boot *b)
{
	for (unsigned n = 0; n < b->clocks; n++) {
		if (b->clock[n].by_ns < 0)
			return true;
	}
	return false;
}

static struct instance *latest(struct world *w, struct boot *b, uint32_t pid, int64_t at)
{
	unsigned left = CHAIN_MAX;

	for (struct instance *i = pid_chain(w, b->host, pid); i && left; i = i->next_pid, left--) {
		if (i->pid != pid || boot_real(i->boot) != boot_real(b))
			continue;
		if (i->start_ns != NO_TIME && at != NO_TIME && i->start_ns > at + 2 * SECOND_NS &&
		    !was_set_back(b))
			continue;
		if (i->end_ns != NO_TIME && (at == NO_TIME || i->end_ns + 2 * SECOND_NS < at))
			continue;
		if (i->reused_ns != NO_TIME && (at == NO_TIME || i->reused_ns <= at))
			continue;
		return i;
	}
	return NULL;
}

static struct instance *by_start(struct world *w, const struct host *h, uint32_t pid, int64_t start)
{
	unsigned left = CHAIN_MAX;

	for (struct instance *i = pid_chain(w, h, pid); i && left; i = i->next_pid, left--) {
		if (i->pid == pid && i->boot->host == h && near_in_time(i->start_ns, start, 2))
			return i;
	}
	return NULL;
}

static struct instance *find(struct world *w, struct boot *b, const struct process_fact *f,
			     const struct guid *g)
{
	int64_t start = f->seen == SEEN_START ? f->time_ns : f->started_ns;
	struct instance *i = instance_by_guid(w, b->host, g);

	if (i)
		return i;
	if (f->pid == NO_PID)
		return NULL;
	i = by_start(w, b->host, f->pid, start);
	if (!i && f->seen != SEEN_START && (f->seen != SEEN_ALIVE || start == NO_TIME))
		i = latest(w, b, f->pid, f->time_ns);
	if (i && i->guid.known && g->known) /* both have one, and they differ */
		return NULL;
	return i;
}

/* Its pid is another's from now on: what had it before has ended, some time. */
static void pid_taken(struct world *w, struct boot *b, const struct process_fact *f)
{
	unsigned left = CHAIN_MAX;

	for (struct instance *i = pid_chain(w, b->host, f->pid); i && left;
	     i = i->next_pid, left--) {
		if (i->pid == f->pid && boot_real(i->boot) == boot_real(b) &&
		    i->reused_ns == NO_TIME && (i->start_ns == NO_TIME || i->start_ns < f->time_ns))
			i->reused_ns = f->time_ns;
	}
}

static void fill(struct world *w, struct instance *i, enum text_of t, const char *s)
{
	if (!i->text[t] && s && *s)
		i->text[t] = text_keep(w, s);
}

static void later(int64_t *at, int64_t ns)
{
	if (ns != NO_TIME && (*at == NO_TIME || ns > *at))
		*at = ns;
}

/* The parent lives when it starts a child; a session manager nobody told of is so known. */
static bool note_parent(struct world *w, struct boot *b, const struct process_fact *f)
{
	struct guid g = guid_read(f->parent_guid);
	bool smss = world_names_smss(w, f->parent_image, f->system);
	struct instance *p = NULL;

	if (f->seen != SEEN_START)
		return smss;
	p = instance_by_guid(w, b->host, &g);
	if (!p && f->ppid != NO_PID && (!f->parent_image || smss))
		p = latest(w, b, f->ppid, f->time_ns);
	if (p && g.known && p->guid.known && !guid_same(&g, &p->guid))
		p = NULL;
	if (p)
		later(&p->active_ns, f->time_ns);
	if (!p && smss && f->ppid != NO_PID && (p = instance_new(w, b, f->ppid, &g))) {
		p->is = IS_SMSS | IS_MENTIONED;
		p->system = f->system;
		p->active_ns = f->time_ns;
		p->line = f->place.line;
		fill(w, p, TEXT_IMAGE, f->parent_image);
		fill(w, p, TEXT_FILE, f->place.file);
		b->host->smss = true;
	}
	return smss || (p && (p->is & IS_SMSS) && !f->parent_image);
}

static void merge_times(struct world *w, struct instance *i, const struct process_fact *f)
{
	struct host *h = i->boot->host;

	if (f->seen == SEEN_START) {
		if (i->start_ns == NO_TIME || !(i->is & STARTED))
			i->start_ns = f->time_ns;
		i->is = (i->is & ~IS_MENTIONED) | STARTED;
	} else if (i->start_ns == NO_TIME) {
		i->start_ns = f->started_ns;
	}
	if (f->seen == SEEN_END)
		later(&i->end_ns, f->time_ns);
	if (f->seen == SEEN_ACTIVE)
		later(&i->active_ns, f->time_ns);
	if (f->seen != SEEN_ALIVE)
		return;
	i->is |= f->list == LIST_SCAN ? IN_SCAN : IN_LIVE;
	if (f->ended_ns != NO_TIME || f->threads == 0) {
		later(&i->end_ns, f->ended_ns != NO_TIME ? f->ended_ns : f->started_ns);
		return;
	}
	snapshot_drop(w, i->alive);
	i->alive = snapshot_hold(h->snapshot);
}

static void merge(struct world *w, struct instance *i, const struct process_fact *f)
{
	merge_times(w, i, f);
	i->system = f->system;
	if (i->ppid == NO_PID)
		i->ppid = f->ppid;
	if (!i->parent_guid.known)
		i->parent_guid = guid_read(f->parent_guid);
	if (i->session < 0 && f->session >= 0 && f->session < INT32_MAX)
		i->session = (int32_t)f->session;
	if (i->threads < 0 && f->threads >= 0 && f->threads < INT32_MAX)
		i->threads = (int32_t)f->threads;
	if (f->name_cut && !i->text[TEXT_NAME])
		i->is |= NAME_MAY_GO_ON;
	if (f->container)
		i->is |= IN_CONTAINER;
	fill(w, i, TEXT_NAME, f->name);
	fill(w, i, TEXT_IMAGE, f->image);
	fill(w, i, TEXT_COMMAND, f->command);
	fill(w, i, TEXT_PARENT_IMAGE, f->parent_image);
	fill(w, i, TEXT_USER, f->user);
	fill(w, i, TEXT_SID, f->sid);
	fill(w, i, TEXT_INTEGRITY, f->integrity);
	fill(w, i, TEXT_ORIGINAL, f->original_name);
	fill(w, i, TEXT_INTERNAL, f->internal_name);
	fill(w, i, TEXT_COMPANY, f->company);
	fill(w, i, TEXT_SIGNATURE, f->signature);
	fill(w, i, TEXT_SIGNER, f->signer);
	if (!i->text[TEXT_FILE] || f->seen == SEEN_START)
		i->line = f->place.line;
	fill(w, i, TEXT_FILE, f->place.file);
}

static void note_boot(struct boot *b, const struct instance *i, const struct process_fact *f)
{
	if (f->seen == SEEN_ALIVE) {
		b->has_scan |= f->list == LIST_SCAN;
		b->has_live |= f->list != LIST_SCAN;
	}
	if (i->is & IS_SYSTEM) {
		if (i->start_ns != NO_TIME)
			b->system_ns = i->start_ns;
		return;
	}
	if (i->start_ns != NO_TIME && (b->first_ns == NO_TIME || i->start_ns < b->first_ns))
		b->first_ns = i->start_ns;
	if ((i->is & IS_SMSS) && started_by_system(f) && !b->master) {
		b->master = (struct instance *)(uintptr_t)i;
		if (f->system == SYSTEM_WINDOWS)
			b->system_guid = guid_read(f->parent_guid);
	}
}

/* The host whose boot was not touched for longest; when only the spare one has boots, any other,
 * from where the last search ended. */
static struct host *one_to_end(struct world *w, const struct boot *spare)
{
	const struct host *keep = spare ? spare->host : NULL;
	const struct boot *b = w->oldest;

	for (; b; b = b->newer) {
		if (b->host != keep)
			return b->host;
	}
	for (unsigned n = 0; n < ARRAY_SIZE(w->host); n++) {
		struct host *h = w->host[(w->sweep + n) % ARRAY_SIZE(w->host)];

		if (h == keep)
			h = h ? h->next : NULL;
		if (h) {
			w->sweep = (w->sweep + n) % ARRAY_SIZE(w->host);
			return h;
		}
	}
	return NULL;
}

/* Judge and forget what was not touched for longest. */
static void make_room(struct world *w, const struct boot *spare)
{
	while (w->bytes > WORLD_BYTES_MAX / 4 * 3 && w->oldest && w->oldest != spare) {
		if (w->oldest->joins || w->oldest->joined) {
			boot_gather(w, w->oldest->host);
			continue;
		}
		boot_judge(w, w->oldest);
		boot_free(w, w->oldest);
	}
	for (struct host *h; w->hosts > HOSTS_MAX && (h = one_to_end(w, spare));) {
		host_end(w, h);
		host_free(w, h);
	}
}

void world_process(struct world *w, const struct process_fact *f)
{
	struct guid g;
	struct instance *i;
	struct host *h;
	struct boot *b;
	unsigned is;
	bool child, new = false;

	if (f->vouched)
		return;
	g = guid_read(f->guid);
	is = world_kept_as(w, f);
	h = host_get(w, f->host, f->place.file);
	b = boot_of(w, h, f, is);
	world_learn(w, h, f, is);
	if (f->seen == SEEN_ALIVE) {
		if (!h->snapshot)
			h->snapshot = snapshot_new(w);
		later(&h->snapshot->newest_ns, f->started_ns);
	}
	child = note_parent(w, b, f);
	i = find(w, b, f, &g);
	if (!i && f->seen == SEEN_START && f->pid != NO_PID)
		pid_taken(w, b, f);
	if (!i && (is || child || f->seen == SEEN_ALIVE) && (f->pid != NO_PID || g.known)) {
		i = instance_new(w, b, f->pid, &g);
		new = true;
	}
	if (!i) { /* of no interest, but its host may be new */
		if (w->hosts > HOSTS_MAX)
			make_room(w, boot_real(b));
		return;
	}
	if (!new &&boot_real(i->boot) != boot_real(b) && f->seen != SEEN_ACTIVE)
		boot_join(boot_real(b), boot_real(i->boot));
	i->is |= is | (child ? IS_CHILD : 0);
	h->smss |= (is & IS_SMSS) != 0;
	merge(w, i, f);
	note_boot(boot_real(b), i, f);
	if (w->bytes > WORLD_BYTES_MAX || w->hosts > HOSTS_MAX)
		make_room(w, boot_real(b));
}

void world_boot(struct world *w, const struct boot_fact *f)
{
	struct host *h = host_get(w, f->host, f->place.file);
	struct boot *b;

	stream_of(w, h, f->place.file);
	b = h->current;
	switch (f->mark) {
	case BOOT_SNAPSHOT_END:
		if (h->snapshot)
			later(&h->snapshot->taken_ns, f->time_ns);
		snapshot_drop(w, h->snapshot);
		h->snapshot = NULL;
		return;
	case BOOT_ENDED:
		return;
	case BOOT_CLOCK_SET:
		if (!b)
			b = boot_new(w, h);
		if (b->clocks < CLOCK_SETS_MAX && f->by_ns) {
			b->clock[b->clocks].at_ns = f->time_ns;
			b->clock[b->clocks++].by_ns = f->by_ns;
		}
		return;
	case BOOT_BEGAN:
		break;
	}
	if (b && b->kernel_ns == NO_TIME && b->master &&
	    !near_in_time(b->master->start_ns, f->time_ns, 300))
		b = NULL;
	else if (b && b->kernel_ns == NO_TIME && !b->master && b->instances)
		b = NULL;
	else if (b && b->kernel_ns != NO_TIME && !near_in_time(b->kernel_ns, f->time_ns, 300))
		b = NULL;
	if (!b)
		b = boot_new(w, h);
	if (b->kernel_ns == NO_TIME || f->time_ns < b->kernel_ns)
		b->kernel_ns = f->time_ns;
	boot_touch(w, b);
	if (w->bytes > WORLD_BYTES_MAX || w->hosts > HOSTS_MAX)
		make_room(w, b);
}

uint64_t world_end(struct world *w)
{
	lists_compare(w);
	for (unsigned n = 0; n < 4096; n++) {
		for (struct host *h = w->host[n]; h; h = h->next)
			host_end(w, h);
	}
	return w->most_bytes;
}
