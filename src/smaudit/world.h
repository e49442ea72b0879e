/* SPDX-License-Identifier: MIT */
/*
 * world.h - what world.c, its tables and its judges share
 *
 * A host has boots, a boot has instances of processes. Only instances that matter are kept: session
 * managers, what imitates them, what they started, the core processes, and every row of a list.
 * Nobody else includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "smaudit/rules.h"

#define SECOND_NS ((int64_t)1000000000)

#define WORLD_BYTES_MAX      ((uint64_t)24 << 20)
#define HOSTS_MAX            16384
#define INSTANCES_A_HOST_MAX 65536
#define BUCKETS              32768 /* of each table; a power of two */
#define CHAIN_MAX            64 /* so many instances of one pid are looked at, the newest first */
#define CLOCK_SETS_MAX       8
#define ROOTS_MAX            4
#define TEXT_BYTES_MAX       1024
#define NAME_CACHE           1024

enum text_of {
	TEXT_NAME,
	TEXT_IMAGE,
	TEXT_COMMAND,
	TEXT_PARENT_IMAGE,
	TEXT_USER,
	TEXT_SID,
	TEXT_INTEGRITY,
	TEXT_ORIGINAL,
	TEXT_INTERNAL,
	TEXT_COMPANY,
	TEXT_SIGNATURE,
	TEXT_SIGNER,
	TEXT_FILE,
	TEXT_COUNT
};

#define IS_SMSS        (1u << 0) /* its name is the session manager's */
#define IS_NEAR        (1u << 1)
#define IS_CHILD       (1u << 2) /* told to be a session manager's child */
#define IS_CORE        (1u << 3) /* another protected name */
#define IS_SYSTEM      (1u << 4)
#define IS_MENTIONED   (1u << 5) /* known only from what others say of it */
#define IN_LIVE        (1u << 6)
#define IN_SCAN        (1u << 7)
#define NAME_MAY_GO_ON (1u << 8)
#define STARTED        (1u << 9) /* its creation was seen */
#define IN_CONTAINER   (1u << 10)

struct guid {
	uint8_t byte[16];
	bool known;
};

struct snapshot { /* one list of processes; instances hold it */
	unsigned refs;
	int64_t newest_ns, taken_ns;
};

struct instance {
	struct instance *next_guid, *next_pid, *next;
	struct instance **at_pid; /* what points to it in its pid's bucket */
	struct boot *boot;
	struct instance *parent; /* only while its boot is judged */
	struct snapshot *alive;
	struct guid guid, parent_guid;
	int64_t start_ns, end_ns;
	int64_t active_ns; /* it lived then */
	int64_t reused_ns; /* its pid was another's then */
	uint64_t line;
	uint32_t pid, ppid;
	int32_t session, threads; /* -1 = not told */
	enum system system;
	unsigned is;
	const char *text[TEXT_COUNT];
};

struct boot {
	struct host *host;
	struct boot *next, **at;    /* of the host; what points to it */
	struct boot *older, *newer; /* by last use, of the world */
	struct boot *joined;        /* the same boot, known from another stream */
	struct instance *instances;
	unsigned count;
	int64_t kernel_ns; /* when the kernel said that it came up */
	int64_t system_ns; /* start of System, pid 4 */
	int64_t first_ns;  /* of the first start seen in it */
	struct guid system_guid;
	struct instance *master; /* the first that System started; until judged, of this stream */
	struct {
		int64_t at_ns, by_ns;
	} clock[CLOCK_SETS_MAX];
	unsigned clocks;
	bool joins; /* others joined it */
	bool has_live, has_scan, vista;
};

struct undecided { /* of one rule on one host */
	uint32_t of, not_decided;
	const char *missing; /* static */
	uint64_t line;
};

struct host {
	struct host *next;
	uint32_t hash;
	const char *name; /* NULL = the file's */
	const char *file; /* of the stream now read, kept */
	const char *key;
	const char *system_user;     /* how LocalSystem is written there */
	const char *root[ROOTS_MAX]; /* where others of the core lie, folded */
	uint8_t root_by[ROOTS_MAX];  /* which of them told it: a bit each */
	struct boot *boots, *current;
	struct snapshot *snapshot;
	unsigned instances;
	bool too_many, guid_times, signatures, processes, smss;
	struct undecided undecided[INDICATOR_COUNT];
};

struct text_kept;

struct name_seen {
	char name[32];
	uint8_t kind, system, home; /* HOME_* */
	bool cut, used;
	const char *of;
};

struct world {
	struct report *report;
	struct world_options options;
	char root[64]; /* folded */
	uint64_t bytes, most_bytes;
	uint32_t seed;
	unsigned hosts, sweep; /* sweep: the bucket in which a host to end was found last */
	struct host *host[4096];
	struct instance *by_pid[BUCKETS], *by_guid[BUCKETS];
	struct text_kept *texts[BUCKETS];
	struct boot *oldest, *newest;
	struct name_seen seen[NAME_CACHE];
};

/* ---- world_table.c ---- */

/* table_hash - of n bytes, seeded. */
uint32_t table_hash(const struct world *w, const void *bytes, size_t n, uint32_t more);
/* text_keep, text_drop - one copy of each text; text_drop takes NULL. */
const char *text_keep(struct world *w, const char *s);
void text_drop(struct world *w, const char *s);
/* guid_read - "{8-4-4-4-12}"; not known when it is none. guid_time - when Sysmon says that it
 * began. */
struct guid guid_read(const char *s);
bool guid_same(const struct guid *a, const struct guid *b);
int64_t guid_time(const struct guid *g);
/* host_get - the host of a fact, made when new. */
struct host *host_get(struct world *w, const char *name, const char *file);
/* host_free - with all its boots. */
void host_free(struct world *w, struct host *h);
/* boot_new - another one of a host, its current one. boot_touch - it was used last. boot_real - the
 * one that it turned out to be. */
struct boot *boot_new(struct world *w, struct host *h);
void boot_touch(struct world *w, struct boot *b);
struct boot *boot_real(struct boot *b);
/* boot_free - with its instances. */
void boot_free(struct world *w, struct boot *b);
/* instance_new - in both tables; NULL when the host has too many. */
struct instance *instance_new(struct world *w, struct boot *b, uint32_t pid,
			      const struct guid *guid);
/* instance_by_guid - NULL = none. pid_chain - the first of a pid's bucket; the caller compares. */
struct instance *instance_by_guid(const struct world *w, const struct host *h,
				  const struct guid *g);
struct instance *pid_chain(const struct world *w, const struct host *h, uint32_t pid);
/* snapshot_new, snapshot_hold, snapshot_drop - count those who hold it. */
struct snapshot *snapshot_new(struct world *w);
struct snapshot *snapshot_hold(struct snapshot *s);
void snapshot_drop(struct world *w, struct snapshot *s);

/* boot_join - a turned out to be b. boot_splice - move what a joined boot has to the real one, and
 * free it. boot_gather - splice all that joined another one. */
void boot_join(struct boot *a, struct boot *b);
void boot_splice(struct world *w, struct boot *a);
void boot_gather(struct world *w, struct host *h);

/* ---- world.c, world_learn.c ---- */

/* near_in_time - both known, and no more than that apart. */
bool near_in_time(int64_t a, int64_t b, int64_t seconds);
/* world_kept_as - IS_* by name, 0 = of no interest. world_names_smss - this path's base does. */
unsigned world_kept_as(struct world *w, const struct process_fact *f);
bool world_names_smss(struct world *w, const char *path, enum system system);
/* names_agree - the name that a list gives (cut: it may go on) is that of the image; a short name
 * agrees with any. */
bool names_agree(const char *name, bool cut, const char *base);
/* root_witness - the bit in root_by of an image of that base name, 0 = it tells no root. */
unsigned root_witness(const char *base);
/* world_learn - what a host tells of itself. */
void world_learn(struct world *w, struct host *h, const struct process_fact *f, unsigned is);

/* ---- world_judge.c, world_lists.c ---- */

/* lists_compare - what a scan shows and the system's own list of the same moment does not. */
void lists_compare(struct world *w);

/* boot_judge - tell what is wrong in one boot. host_end - all its boots, then what was undecided.
 */
void boot_judge(struct world *w, struct boot *b);
void host_end(struct world *w, struct host *h);
/* undecided - one more case of a rule on a host; missing NULL = it could be decided. */
void undecided(const struct instance *i, enum indicator_id rule, const char *missing);
/* master_of - the instance that System started first; NULL = none was told of. */
const struct instance *master_of(const struct boot *b);
/* from_smss - is its parent a session manager that may be a genuine one? */
bool from_smss(const struct world *w, const struct instance *i);
/* from_system - did System (Linux: the kernel) start it, as it says? */
bool from_system(const struct instance *i);
/* life_ns - how long it is proven to have lived, at least; NO_TIME = nothing is known. ended: it is
 * known to be gone. */
int64_t life_ns(const struct instance *i, bool *ret_ended);
/* boot_span - b minus a on that boot's clock, its settings taken out. */
int64_t boot_span(const struct boot *b, int64_t from_ns, int64_t to_ns);

/* ---- judge_process.c, judge_identity.c, judge_children.c ---- */

struct telling { /* a finding with the room for its words */
	struct finding f;
	char subject[160], what[400], started[40], pid[16], ppid[16], session[16], normal[520],
		life[64];
};
/* telling_of - a finding about an instance with all that is known of it; what is still open. */
void telling_of(struct telling *t, const struct instance *i, enum indicator_id rule);
/* instance_name - its base name; "" when nothing is known. */
const char *instance_name(const struct instance *i);
/* instance_names_agree - no list gives it another name than its image has. Linux: a process names
 * itself, so it always does. */
bool instance_names_agree(const struct instance *i);
/* time_text - ISO 8601, milliseconds, Z. */
void time_text(int64_t ns, char *ret, size_t cap);

enum place_state { PLACE_RIGHT, PLACE_ELSEWHERE, PLACE_WRONG, PLACE_UNKNOWN };
/* instance_place - is its image where an image of the system belongs? ELSEWHERE: on another root
 * that others of the core share, or in a container's layer. */
enum place_state instance_place(const struct world *w, const struct instance *i,
				struct windows_path *ret);
enum account { ACCOUNT_SYSTEM, ACCOUNT_OTHER, ACCOUNT_UNKNOWN };
enum account instance_account(const struct instance *i);
/* identity_doubtful - does the source itself say that an image is not what its name says? */
bool identity_doubtful(const struct process_fact *f);
/* judge_identity - what the source says of the image's own names and signature. judge_name - is its
 * name one that imitates? */
void judge_identity(struct world *w, const struct instance *i);
void judge_name(struct world *w, const struct instance *i);
/* judge_instance - path, account, identity, signature, name of one process by itself. */
void judge_instance(struct world *w, const struct instance *i);
/* judge_child - a child of a session manager: is it one of those, by that parent? */
void judge_child(struct world *w, const struct boot *b, const struct instance *i);
