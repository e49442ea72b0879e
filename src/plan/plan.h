/* SPDX-License-Identifier: MIT */
/*
 * plan.h - the boot plan: what smreg makes of a hive, and all that a boot reads of it (law 4)
 *
 * A flat record: header, fixed settings, tables of fixed rows, one pool of NUL-terminated strings.
 * Versioned and checksummed; every offset is checked once by plan_check() before anything is used,
 * so that reading it afterwards needs no further care. It is handed over as a sealed memfd.
 * SYSTEM.queue (the classic rename entries) has the same form with another magic and one table.
 * The header holds the hive's base block and SHA-256: a plan is used only for the hive it fits.
 * Described for people in smss-plan(5). This room never logs and makes no system call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sha256.h"

#define PLAN_MAGIC       "SMSSPLAN"
#define QUEUE_MAGIC      "SMSSQUEU"
#define PLAN_VERSION     4u /* 4: which images may be started */
#define HIVE_BLOCK_BYTES 512u

enum plan_table {
	PLAN_BOOT_EXECUTE,         /* image lines, see plan_row */
	PLAN_BOOT_EXECUTE_NO_PNP,  /* image lines */
	PLAN_SETUP_EXECUTE,        /* image lines */
	PLAN_SETUP_EXECUTE_NO_PNP, /* image lines */
	PLAN_EXECUTE,              /* image lines, per session, before the initial command */
	PLAN_OBJECT_DIRECTORIES,   /* name = absolute path of a directory */
	PLAN_DOS_DEVICES,          /* name = path below /dev; text = link target, "" removes */
	PLAN_ENVIRONMENT,          /* name = variable; text = value as stored; flags EXPAND */
	PLAN_KNOWN_DLLS,           /* name = tag; text = file name, e.g. "libc.so.6" */
	PLAN_EXCLUDE_KNOWN_DLLS,   /* name = tag or file name */
	PLAN_KNOWN_PINS,           /* name = file name; text = 64 hex digits of its SHA-256 */
	PLAN_PAGING_FILES, /* name = path or "?:/..."; arg = min MiB, aux = max MiB; 0 0 = system
			      managed */
	PLAN_EXISTING_PAGE_FILES, /* name = path */
	PLAN_REQUIRED, /* name = subsystem; text = command line ("" = succeeds as it is) */
	PLAN_OPTIONAL, /* the same */
	PLAN_SESSIONS, /* name = "Default\\Console", "1\\StopDeadline", ...; text or arg */
	PLAN_TEXTS, /* name = "ComputerName", "Wininit\\Supervisor", "Winlogon\\Shell", ...; text */
	PLAN_NOTES, /* name = value's path; text = remark; flags = PLAN_NOTE_* */
	PLAN_QUEUE, /* SYSTEM.queue only: name = from, text = to ("" deletes), flags QUEUE_*, arg =
		       entry number, aux = value number */
	PLAN_SAFE_MINIMAL, /* name = a service, or a supervisor, that any safe boot starts */
	PLAN_SAFE_NETWORK, /* the same, with smss.safeboot=network only */
	PLAN_IMAGES,       /* with ImagePolicy: name = path; text = 64 hex digits of its SHA-256 */
	PLAN_TABLES
};

struct plan_row {
	uint32_t name; /* string offset, from the start of the pool */
	uint32_t
		text; /* string offset; image lines: the whole command line, image token included */
	uint32_t flags;
	uint32_t arg;
	uint32_t aux;
};

/* flags of image lines; name is the image token, lower-cased base name or Linux path */
#define PLAN_LINE_ASYNC     (1u << 0) /* is not waited for */
#define PLAN_LINE_DEBUG     (1u << 1) /* NT's debug subsystem: the line succeeds and does nothing */
#define PLAN_LINE_AUTOCHECK (1u << 2) /* missing image is skipped with success */
#define PLAN_LINE_AUTOCHK   (1u << 3) /* the image is our autochk: phase 4a */
/* PLAN_ENVIRONMENT */
#define PLAN_ENV_EXPAND (1u << 0)
/* PLAN_NOTES */
#define PLAN_NOTE_ERROR   0u /* the value is wrong and is not used */
#define PLAN_NOTE_WARNING 1u /* used, but look at it */
#define PLAN_NOTE_NOT_YET 2u /* right, parsed, and this version does not act on it */
#define PLAN_NOTE_REFUSED 3u /* right, and refused by design (PlatformExecute) */
#define PLAN_NOTE_UNKNOWN 4u /* nobody reads a value of that name here */
/* PLAN_QUEUE */
#define QUEUE_REPLACE (1u << 0) /* "!" or "@" before the target */
#define QUEUE_MALFORMED                                                                            \
	(1u << 1) /* kept for the report, never run: odd count, empty source, drive path; text     \
		     says why */
#define QUEUE_FILE_RENAME_KEY (1u << 2) /* from FileRenameOperations: delete */

enum plan_dialect { PLAN_DIALECT_SYSTEMD = 0, PLAN_DIALECT_BUSYBOX = 1 };
/* What a copy does with an image that is not in the signed catalogue, or not as it says. */
enum plan_image_policy { PLAN_IMAGES_OFF = 0, PLAN_IMAGES_WARN = 1, PLAN_IMAGES_ENFORCE = 2 };
/*
 * PLAN_TEXTS: SHA-256 of catalogue and key, as they were when PLAN_IMAGES was made from them; not
 * there when there was no list to believe
 */
#define PLAN_CATALOG     "ImageCatalog"
#define CATALOG_PATH     "/usr/lib/smss/catalog.sig"
#define CATALOG_KEY_PATH "/etc/smss/catalog.pub"
enum plan_known_policy { PLAN_KNOWN_WARN = 0, PLAN_KNOWN_EXCLUDE = 1, PLAN_KNOWN_STOP = 2 };

struct plan_settings {
	uint32_t
		initial_sessions; /* NumberOfInitialSessions, 1..SESSIONS_MAX, session 0 included */
	uint32_t allow_protected_renames; /* 0, 1 */
	uint32_t autochk_timeout_s;       /* AutoChkTimeOut, 0..259200 */
	uint32_t autochk_skip_system;     /* 0, 1 */
	uint32_t temp_page_file;          /* 0, 1 */
	uint32_t clear_pagefile;          /* ClearPageFileAtShutdown 0, 1 */
	uint32_t boot_good_s;             /* BootGoodSeconds, 0..86400 */
	uint32_t boot_attempts;           /* BootAttempts, 1..100 */
	uint32_t dialect;                 /* enum plan_dialect */
	uint32_t known_policy;            /* enum plan_known_policy */
	uint32_t auto_reboot;             /* CrashControl\AutoReboot 0, 1 */
	uint32_t rescue_unlocked;         /* RescueUnlocked 0, 1 */
	uint32_t queue_count; /* runnable classic rename entries; > 0 means SYSTEM.queue matters */
	uint32_t paging_specified;   /* PagingFiles was present, even if every line of it failed */
	uint32_t execute_deadline_s; /* for each BootExecute/SetupExecute image but autochk; default
					300 */
	uint32_t autochk_deadline_s; /* for autochk; default 14400, 0 = none */
	uint32_t pnp_deadline_s;     /* SerializeBoot; default 30 */
	uint32_t subsystem_deadline_s; /* csrss must register within; default 60 */
	uint32_t shutdown_deadline_s;  /* ask-to-kill time of a session; default 10 */
	uint32_t builtin;       /* 1 = the compiled-in minimum: session 0 and a rescue login */
	uint32_t s0_initial;    /* string: S0InitialCommand, default "wininit" */
	uint32_t initial;       /* string: the other sessions', default "winlogon" */
	uint32_t dll_directory; /* string: DllDirectory, "" = the system's own */
	uint32_t hive_path;     /* string: the hive's path at the time, for people */
	uint32_t keep_groups;   /* PendingKeepCount 0..4096 */
	uint32_t keep_days;     /* PendingKeepDays 0..36500 */
	uint32_t keep_mib;      /* PendingKeepMiB 0..16777216 */
	uint32_t image_policy;  /* enum plan_image_policy */
	uint32_t reserved[4];
};

struct plan_header {
	char magic[8];
	uint32_t version;
	uint32_t bytes;   /* of the whole plan */
	uint32_t crc;     /* CRC-32C of the whole plan with this field 0 */
	uint32_t strings; /* offset of the pool; it runs to the end and ends with a NUL */
	uint64_t hive_bytes;
	uint8_t hive_sha256[SHA256_BYTES];
	uint8_t hive_block[HIVE_BLOCK_BYTES];
	struct plan_settings settings;
	struct {
		uint32_t at; /* offset of the first row; 4-byte aligned */
		uint32_t count;
	} table[PLAN_TABLES];
};

/* plan_crc - CRC-32C over the p->bytes of a plan as it was when its own field was still 0. */
uint32_t plan_crc(const struct plan_header *p);

/*
 * plan_is_checked - the short look at a sealed plan that the master has checked and handed over
 * The seal says that it is still what plan_check() saw; this only makes sure that it is a plan of
 * our version and not another fd. Returns 0 or -EILSEQ.
 */
int plan_is_checked(const void *bytes, size_t n);

enum plan_fit { PLAN_FITS, PLAN_STALE };

/*
 * plan_check - everything about a plan or queue that can be checked without its hive
 *   bytes, n  the whole of it; 8-byte aligned
 *   magic     PLAN_MAGIC or QUEUE_MAGIC
 *   ret_why   a constant text naming what is wrong; untouched on success; may be NULL
 * Returns 0; -EILSEQ (not ours, or torn: magic, size, CRC), -EPROTO (another version),
 * -EINVAL (an offset, count or setting out of its range). After 0 every accessor below is safe.
 */
int plan_check(const void *bytes, size_t n, const char *magic, const char **ret_why);

/*
 * plan_fits - the plan was made from the hive with this base block and size
 *   block  the first 512 bytes of the hive file now
 * Returns PLAN_FITS or PLAN_STALE. The SHA-256 is compared by smreg, off the boot's path.
 */
enum plan_fit plan_fits(const struct plan_header *p, const uint8_t block[HIVE_BLOCK_BYTES],
			uint64_t hive_bytes);

/* plan_count - rows of a table. */
uint32_t plan_count(const struct plan_header *p, enum plan_table t);
/* plan_row_at - row i of table t; i must be below plan_count. */
const struct plan_row *plan_row_at(const struct plan_header *p, enum plan_table t, uint32_t i);
/* plan_string - the string at an offset of a row or setting. */
const char *plan_string(const struct plan_header *p, uint32_t offset);
/* plan_text - the PLAN_TEXTS entry of that name, or otherwise (a constant of the caller's). */
const char *plan_text(const struct plan_header *p, const char *name, const char *otherwise);
/*
 * plan_session_text - a session's own setting: "N\name", else "Default\name", else otherwise
 * Default is that of sessions from 1 on: session 0, the machine's, has what "0\name" says.
 * plan_session_number - the same for numbers.
 */
const char *plan_session_text(const struct plan_header *p, uint32_t session, const char *name,
			      const char *otherwise);
uint32_t plan_session_number(const struct plan_header *p, uint32_t session, const char *name,
			     uint32_t otherwise);

/*
 * plan_is_safe - a service (or supervisor) that is marked for this kind of safe boot
 *   option  SAFEBOOT_OPTION: "NETWORK" (both lists), or anything else (the minimal one)
 *   name    compared without case, as names of keys are
 */
bool plan_is_safe(const struct plan_header *p, const char *option, const char *name);

/* ---- making one (smreg, the built-in minimum, tests) ---- */

/*
 * A builder over the caller's storage: plan_begin, then tables in any order, each begun once by
 * plan_table_begin and filled by plan_add; then plan_end. Offsets are relative until plan_end.
 * Storage is split: rows grow from the front, strings from a second buffer; plan_end joins them.
 */
struct plan_builder {
	uint8_t *bytes; /* caller's, 8-byte aligned; the finished plan starts here */
	size_t cap;
	size_t used; /* header and rows */
	char *pool;  /* caller's */
	size_t pool_cap, pool_used;
	int error;      /* first failure, -ENOSPC or -EINVAL; later calls do nothing */
	int open_table; /* enum plan_table, -1 none */
};

/* plan_begin - an empty plan with the default settings of design §5 (strings included). */
void plan_begin(struct plan_builder *b, const char *magic, void *storage, size_t cap, char *pool,
		size_t pool_cap);
/* plan_settings_of - the settings being built. */
struct plan_settings *plan_settings_of(struct plan_builder *b);
/* plan_intern - put a string into the pool (early ones are shared). Returns its offset; 0 = "". */
uint32_t plan_intern(struct plan_builder *b, const char *s);
void plan_table_begin(struct plan_builder *b, enum plan_table t);
void plan_add(struct plan_builder *b, const char *name, const char *text, uint32_t flags,
	      uint32_t arg, uint32_t aux);
/* plan_fit_to - ties the plan to a hive. */
void plan_fit_to(struct plan_builder *b, const uint8_t block[HIVE_BLOCK_BYTES], uint64_t hive_bytes,
		 const uint8_t sha256[SHA256_BYTES]);
/* plan_end - joins, checksums, checks. Returns the plan's length in bytes, or -errno. */
int plan_end(struct plan_builder *b);

/*
 * plan_builtin - the compiled-in minimum: defaults, session 0 without services, and a rescue login
 *   storage  PLAN_BUILTIN_BYTES, 8-byte aligned
 * Returns its length. It is what boots when no hive can be read (design §3, phase 2).
 */
#define PLAN_BUILTIN_BYTES 8192u
int plan_builtin(void *storage, size_t cap);

/*
 * plan_words - split a command line into words at blanks; "..." holds blanks, no other quoting
 *   line   is changed (NULs are put in); words point into it
 * Returns the count, at most max; -E2BIG beyond; words[count] = NULL (so room for max + 1).
 */
int plan_words(char *line, char **ret_words, unsigned max);
