/* SPDX-License-Identifier: MIT */
/*
 * live.h - what the files of `smaudit live` share: the processes of this machine, and the master's
 * word on them. For live*.c only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "smaudit/readers.h"
#include "smaudit/report.h"

#include "sm.h"

#define LIVE_PROCESSES_MAX 262144u /* more are not looked at, which is said */

struct live_process {
	uint32_t pid, ppid;
	uint32_t uid[4]; /* real, effective, saved, of the file system */
	uint64_t start_ticks;
	uint64_t dev, ino, bytes;    /* of the image that runs; ino 0 = not known */
	uint64_t pid_space;          /* inode of its pid namespace, 0 = not known */
	uint64_t root_dev, root_ino; /* of its root directory, 0 = not known */
	uint32_t thread;             /* its first one has ended, this one lives; 0 = the first */
	int64_t threads;
	uint64_t capabilities; /* the effective ones */
	bool capable;          /* they are known */
	char name[32];         /* comm */
	char called[64];       /* the last component of its first argument, cut; "" none */
	char *image;           /* owner: the table; NULL = cannot be read, or a kernel thread */
	char *group;           /* cgroup v2 path, NULL */
	bool kernel, ended;    /* a thread of the kernel; a zombie */
	bool headless;         /* its first thread has ended, others run */
	bool deleted, memory;  /* its image has no name any more; it never had one (memfd) */
	const struct sm_process *row; /* of the ledger, NULL */
};

struct live_table {
	struct live_process *at; /* sorted by pid */
	size_t count;
	size_t unread; /* whose image cannot be read */
	size_t odd;    /* whose place in /proc tells of another process */
	bool cut;
	uint64_t ticks_per_s;
	int64_t boot_ns; /* since 1970, UTC */
	double up_s;
};

/* live_read - all processes that /proc shows; -errno when there is no /proc. */
int live_read(struct live_table *ret);
void live_free(struct live_table *t);
struct live_process *live_find(const struct live_table *t, uint32_t pid);
/* live_still - the same process has that pid now: what was read of it is of it. */
bool live_still(const struct live_process *p);
/* live_digest - SHA-256 of the image that runs, also of one that was deleted. 0 or -errno. */
int live_digest(const struct live_process *p, uint8_t ret[SHA256_BYTES]);
/* live_file_digest - of a file. ret_bytes may be NULL. 0 or -errno. */
int live_file_digest(const char *path, uint8_t ret[SHA256_BYTES], uint64_t *ret_bytes);

struct live_own { /* an image in the image directory */
	char name[64];
	uint64_t dev, ino, bytes;
	uint8_t digest[SHA256_BYTES];
	bool hashed;
};
#define LIVE_OWN_MAX 64u

struct live {
	const struct sink *to;
	struct report *report;
	uint32_t grace_s; /* a copy that is in no ledger lives shorter than this */
	char root[512];   /* "" = / */
	char host[256];
	struct live_table table;
	struct live_own own[LIVE_OWN_MAX];
	size_t owns;
	int own_error;           /* errno: the image directory cannot be read */
	struct catalog *catalog; /* NULL = none that can be believed */
	int catalog_error;       /* -errno, and why */
	char catalog_why[160];
	/* the master's word; asked false: it did not answer */
	bool asked;
	int refused; /* the error of libsm that it did not answer with */
	struct sm_machine machine;
	struct sm_process *row;
	size_t rows;
	uint32_t *session;
	size_t sessions;
	char group[512];       /* of all sessions, as /proc tells it; "" = not known */
	double sessions_s;     /* after the boot: when sessions began, 0 = not yet */
	uint32_t master_pid;   /* as this program numbers it: 1 */
	uint64_t master_space; /* its pid namespace */
};

/* live_images_find - what is installed, and the catalogue: fills own and catalog, tells nothing. */
void live_images_find(struct live *l);
/* live_images - tells what is installed, against the catalogue. */
void live_images(struct live *l);
/* live_own_of - which of ours a process runs: by file, else by content; NULL none.
 *   ret_elsewhere  the same content under another name or in another place */
const struct live_own *live_own_of(struct live *l, const struct live_process *p,
				   bool *ret_elsewhere);
/* live_master - connect, and read ledger, sessions and times. */
void live_master(struct live *l);
/* live_hidden - mounts that lie over what /proc tells of a process, or over /proc itself. */
void live_hidden(struct live *l);
/* live_judge - every process, by the rules of a living machine. */
void live_judge(struct live *l);

/* live_age_s - seconds since it began; live_began_s - seconds from the boot to its begin. */
double live_age_s(const struct live *l, const struct live_process *p);
double live_began_s(const struct live *l, const struct live_process *p);

/*
 * live_tell - one finding on a process, with what is known of it as evidence
 *   what  printf-made by the caller, whole sentence without a full stop
 */
void live_tell(struct live *l, const struct live_process *p, enum indicator_id rule,
	       enum severity severity, const char *what);
/* live_unsure - what could not be decided, and which field is missing. */
void live_unsure(struct live *l, enum indicator_id rule, const char *subject, const char *what,
		 const char *missing);
