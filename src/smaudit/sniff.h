/* SPDX-License-Identifier: MIT */
/*
 * sniff.h - what kind of evidence a file is, by its first bytes and never by its name
 */
#pragma once

enum content {
	CONTENT_LIST, /* JSON, CSV: also what cannot be looked into (a pipe) */
	CONTENT_HIVE,
	CONTENT_HIVE_LOG, /* of a hive; it is read with that */
	CONTENT_EVTX,
	CONTENT_IMAGE,
	CONTENT_FINDINGS, /* this program's own NDJSON */
	CONTENT_EMPTY
};

/* sniff - Returns the content, or -errno (said by the caller): -EISDIR, -ENOENT, -EACCES ... */
int sniff(const char *path);
