/* SPDX-License-Identifier: MIT */
/*
 * readers.h - from evidence to facts, a file a format
 *
 * Each reads one input to its end in bounded memory, tells what it found to the sink and what it
 * could not read as trouble (by place), and returns 0, or -errno when the input as a whole is none
 * of its kind (which it has told as trouble, too). No reader follows what the evidence says: paths
 * in it are text. records: how many facts were told.
 */
#pragma once

#include <stdio.h>

#include "registry/catalog.h" /* catalog_open and kin: the signed list of our own images */
#include "smaudit/facts.h"

/* read_processes - lists and events as JSON (lines, arrays, UTF-8 or UTF-16) or CSV, recognised by
 * content; tell: input_open's; ret_shape: "Volatility 3 pslist", "Sysmon events", ... (static) */
int read_processes(const char *path, bool tell, const struct sink *to, const char **ret_shape,
		   uint64_t *ret_records);
/* read_evtx - a Windows event log, by libevtx in a child that can reach nothing else. */
int read_evtx(const char *path, const struct sink *to, uint64_t *ret_records);
/* read_hive - a SYSTEM hive with its logs (found beside it as NAME.LOG1 and .LOG2, or given). */
int read_hive(const char *path, const char *const *logs, unsigned log_count, const struct sink *to,
	      uint64_t *ret_records);
/* read_image - one PE or ELF file. claimed: the path it had on its machine, NULL = not told. */
int read_image(const char *path, const char *claimed, const struct sink *to);
/*
 * image_roots_add - certificates (PEM) that count as the vendor's own roots, besides those known
 * here Returns how many there were, or -errno.
 */
int image_roots_add(const char *pem_path);
/* image_elf_machine - of an ELF file's header; false = it is none, or cannot be read. */
bool image_elf_machine(const char *path, uint16_t *ret);
/* image_catalog - ELF images of ours are held against it from now on; borrowed, NULL = none. */
void image_catalog(const struct catalog *c);

/* ---- event.c: one event, whatever it came in ---- */

/*
 * event_tell - the fact of one Windows event, if it is one that tells of processes or boots
 *   channel, id   "Microsoft-Windows-Sysmon/Operational" and 1, "Security" and 4688, ...
 *   get           the text of a field by its name ("ProcessGuid", "NewProcessName"), NULL = absent;
 *                 "Computer", "TimeCreated", "EventRecordID", "ProviderName" are asked for the same
 *                 way. Texts stay good until event_tell returns.
 * Returns true when it told one.
 */
bool event_tell(const char *channel, unsigned id, const char *(*get)(void *arg, const char *name),
		void *arg, const struct place *place, const struct sink *to);

/* time_read - "2020-09-04 07:07:36.123", ISO 8601 with Z or offset, FILETIME, Unix seconds; NO_TIME
 * when it is none. */
int64_t time_read(const char *text);

/* ---- live.c ---- */

/*
 * live_audit - this machine, under our own smss: processes, ledger, hive, images and catalogue
 *   root     where images and hive lie, "" = /
 *   grace_s  how old a copy may be that is in no ledger
 * Facts of processes and images go to the sink; what only a living machine shows is reported by it.
 */
struct report;
int live_audit(const char *root, uint32_t grace_s, const struct sink *to, struct report *report);
