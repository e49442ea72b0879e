/* SPDX-License-Identifier: MIT */
/*
 * facts.h - what evidence says, whatever it was read from
 *
 * Readers (read_*.c, live.c) turn files and the running machine into facts; rules (world.c,
 * judge_*.c) and the profile take them. A fact is what a source said, no more: what it cannot tell
 * is NULL or NO_*, and never guessed. All strings are UTF-8, borrowed, good until the sink returns;
 * they are evidence, so hostile: whoever prints them escapes them. Nothing here keeps more than one
 * record.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NO_TIME   INT64_MIN /* else nanoseconds since 1970, UTC */
#define NO_PID    UINT32_MAX
#define NO_NUMBER (-1)

enum system { SYSTEM_WINDOWS, SYSTEM_LINUX };

/* Where a fact was read, for people: FILE:LINE or FILE:RECORD. */
struct place {
	const char *file;
	uint64_t line; /* from 1; a record's number in an event log; 0 = the whole file */
};

enum seen {
	SEEN_START, /* it was created at time_ns */
	SEEN_END,   /* it ended at time_ns */
	SEEN_ALIVE, /* a row of a list of processes; started_ns as the list says */
	SEEN_ACTIVE /* it did something, or something was done to it, at time_ns: it lived then */
};

enum list { /* of which list a SEEN_ALIVE is a row */
	    LIST_NONE,
	    LIST_LIVE, /* pslist, pstree, osquery: the system's own list */
	    LIST_SCAN  /* psscan: also what has ended, and what was unlinked */
};

struct process_fact {
	enum system system;
	enum seen seen;
	enum list list;
	struct place place;
	const char *host;   /* as the source names it; NULL = not told: the file's own */
	int64_t time_ns;    /* of the event, by the event's own clock (Sysmon: UtcTime) */
	int64_t logged_ns;  /* when it was written down; NO_TIME where that is not told apart */
	int64_t started_ns; /* of the process; SEEN_START: equal to time_ns */
	int64_t ended_ns;   /* lists: ExitTime; NO_TIME = none */
	uint32_t pid, ppid;
	const char *guid, *parent_guid; /* Sysmon's ProcessGuid: unique over boots */
	const char *name;  /* base name where that is all there is (14 or 15 bytes); else NULL */
	bool name_cut;     /* it may have been longer */
	const char *image; /* path, as the source writes it; NULL = not told */
	const char *command;
	const char *parent_image;
	const char *user, *sid; /* name is localised; SID decides. Linux: sid = "0" (uid) */
	const char *integrity;  /* SID S-1-16-N, or "System", "High" ... */
	int64_t session;        /* NO_NUMBER = not told (Volatility's null of the master too) */
	int64_t threads;        /* NO_NUMBER = not told */
	const char *original_name, *internal_name, *company, *product, *file_version;
	const char *sha256;     /* hex */
	const char *signature;  /* the source's own verdict: "trusted", "Valid", ...; NULL */
	const char *signer;     /* subject's CN as the source says it */
	const char *privileges; /* words parted by blanks; NULL = not told */
	bool container;         /* the source shows that it belongs to a container of its own */
	bool vouched; /* live: judged where it was read, with more than a fact holds; not again */
};

enum boot_mark {
	BOOT_BEGAN,       /* the system came up (System 12, 6005; kernel boot time) */
	BOOT_ENDED,       /* it went down (System 13, 6006) */
	BOOT_CLOCK_SET,   /* its clock was changed (Kernel-General 1) */
	BOOT_SNAPSHOT_END /* no more rows of this list; time_ns = when it was taken, NO_TIME unknown
			   */
};

struct boot_fact {
	struct place place;
	const char *host;
	enum boot_mark mark;
	int64_t time_ns;
	int64_t by_ns; /* BOOT_CLOCK_SET: new minus old */
};

enum registry_about {
	REGISTRY_SESSION_MANAGER, /* a value of Control\Session Manager itself */
	REGISTRY_FILE_RENAMES,    /* a value of its subkey FileRenameOperations */
	REGISTRY_SERVICE,         /* one service: name, ImagePath, DisplayName in text */
	REGISTRY_STATE            /* the hive's own state: dirty, logs applied or not, which set */
};

struct registry_fact {
	enum registry_about about;
	struct place place;  /* file = the hive */
	const char *host;    /* ComputerName of the hive, NULL */
	const char *key;     /* full path in the hive, with the set that is current */
	const char *name;    /* of the value; REGISTRY_SERVICE: of the service */
	uint32_t type;       /* of the value; REGISTRY_SERVICE: the service's own Type, 0 = none */
	const uint8_t *data; /* raw, as it lies in the hive */
	size_t bytes;
	const char *image_path, *display_name; /* REGISTRY_SERVICE; NULL = none */
	int64_t written_ns;                    /* of the key */
	const char *written_by; /* told by an event, that knows nothing else of the hive: the
				   image of the process that wrote the value; NULL = by a hive */
	bool current;           /* of a set that drives a boot: Select\Current's, or Default's */
	bool stale; /* the hive is dirty and its logs were not applied: newer values may be there */
	bool degraded;          /* it was read from a damaged hive */
	bool setup_in_progress; /* Setup: SystemSetupInProgress or Upgrade */
	bool ours;              /* a hive of this product: its own defaults hold */
};

enum signature_state {
	SIGNATURE_UNCHECKED,
	SIGNATURE_NONE, /* no embedded one; a catalogue may have it */
	SIGNATURE_MALFORMED,
	SIGNATURE_MISMATCH,  /* the file is not what was signed */
	SIGNATURE_UNTRUSTED, /* right, but not down to a root that we know */
	SIGNATURE_EXPIRED,   /* and not time-stamped */
	SIGNATURE_TRUSTED,
	SIGNATURE_CATALOGUED,  /* ELF: its digest stands in our signed catalogue */
	SIGNATURE_UNKNOWN_ROOT /* right as far as its certificates go; the one above, in root, is
				  not here: neither trusted nor foreign */
};

enum image_format {
	IMAGE_UNKNOWN,
	IMAGE_PE32,
	IMAGE_PE32_PLUS,
	IMAGE_ELF,
	IMAGE_OLD /* NE, LE, DOS */
};

#define IMAGE_SIGNATURES_MAX 8

struct image_signature { /* one signer */
	enum signature_state state;
	const char *digest;                 /* "sha256" ... */
	const char *signer, *issuer, *root; /* CNs; NULL = none */
	int64_t stamped_ns;                 /* the countersignature's, NO_TIME */
	bool nested;                        /* inside of another one */
	bool microsoft_root; /* its root's key is one of those that we know as Microsoft's */
	bool system_eku;     /* Windows System Component Verification or TCB */
	const char *why;     /* for people: what keeps it from being trusted; static, NULL */
};

struct image_fact {
	struct place place;       /* file = path of the file */
	const char *host;         /* live only */
	const char *claimed_path; /* where it lay on its machine, NULL = the file's own name */
	enum image_format format;
	uint16_t machine, subsystem; /* of PE's headers; ELF: e_machine and 0 */
	uint64_t bytes;
	const char *sha256, *authentihash; /* hex; authentihash NULL where there is none */
	const char *file_version, *product_version, *original_name, *internal_name, *company,
		*product, *description; /* of the version resource, NULL */
	struct image_signature signature[IMAGE_SIGNATURES_MAX];
	unsigned signatures;
	uint64_t slack_bytes;   /* data in the certificate table behind its last signature */
	uint64_t overlay_bytes; /* behind the last section and the certificate table */
	const char *malformed;  /* what cannot be as it is, NULL */
	bool ours;              /* it says that it is an image of this product (ELF note or name) */
	bool catalogue_asked; /* ELF: a signed catalogue was there; its answer is in signature[0] */
};

enum trouble {
	TROUBLE_INPUT,    /* this input, or this record, cannot be read: exit 2 */
	TROUBLE_DEGRADED, /* read in part: what is not found is not clean */
	TROUBLE_NOTE      /* worth a line */
};

/* Takes facts, in the order of the input. NULL members are not called. */
struct sink {
	void *arg;
	void (*process)(void *arg, const struct process_fact *f);
	void (*boot)(void *arg, const struct boot_fact *f);
	void (*registry)(void *arg, const struct registry_fact *f);
	void (*image)(void *arg, const struct image_fact *f);
	void (*trouble)(void *arg, const struct place *p, enum trouble t, const char *text);
	/* how far a long input is: bytes of bytes; called now and then; total 0 = unknown */
	void (*progress)(void *arg, const char *file, uint64_t done, uint64_t total);
};

/* process_fact_none, image_fact_none - facts of which nothing is known yet. */
struct process_fact process_fact_none(void);
struct image_fact image_fact_none(void);
