/* SPDX-License-Identifier: MIT */
/*
 * draft.h - the plan while it is being made; for the plan_*.c files of this folder only
 */
#pragma once

#include "registry/plan_make.h"
#include "registry/schema.h"

#define LINES_MAX  64u /* command lines of one value: the boot timeline must hold their rows */
#define PAGING_MAX 16u /* paging files of a system (nt-reference §3.1) */

struct draft_row {
	const char *name, *text;
	uint32_t flags, arg, aux;
	const char *at;  /* of the queue: the value it came from, for remarks */
	uint32_t origin; /* the same */
};

struct draft_table {
	struct draft_row *row;
	size_t count, cap;
};

struct draft {
	const struct plan_source *from;
	struct reg_arena *arena;
	struct remarks *remarks;
	struct plan_settings *settings;
	const char *s0_initial, *initial, *dll_directory;
	struct draft_table table[PLAN_TABLES];
	const struct reg_key *key;  /* of the value at hand */
	const char *at;             /* its path, for remarks */
	const char *session;        /* "Default" or "N" below Sessions */
	const char *below;          /* path from the schema's key to the one at hand, or NULL */
	enum plan_table marks;      /* which list of safe boot is at hand */
	uint32_t foreign_libraries; /* .dll files: Windows' own, said once */
	uint32_t no_paging_default; /* PagingFiles is there */
	char **console;             /* Consoles: of session 1 and on */
	size_t consoles;
	bool known_present, directories_present;
	bool minimal_present, network_present; /* the lists of safe boot */
	int failed;                            /* -E2BIG */
};

/* A handler reads one value of one row; v is there and its type is right. */
typedef void handler(struct draft *d, const struct schema_row *row, const struct reg_value *v);

/* draft_add - a row of a table; strings are the arena's or constant. */
void draft_add(struct draft *d, enum plan_table t, struct draft_row row);
/* draft_say - a remark on the value at hand. */
void draft_say(struct draft *d, unsigned kind, const char *form, ...)
	__attribute__((format(printf, 3, 4)));
/* draft_text - a printf-made string in the arena. */
const char *draft_text(struct draft *d, const char *form, ...)
	__attribute__((format(printf, 2, 3)));
/* draft_string - SZ or EXPAND_SZ as text; said when damaged; NULL when unusable (and said). */
char *draft_string(struct draft *d, const struct reg_value *v, size_t cap);
/* draft_list - MULTI_SZ (or one SZ) as a list without empty strings; count 0 on trouble. */
char **draft_list(struct draft *d, const struct reg_value *v, size_t *ret_count);
/* draft_show - escaped and cut for a remark. */
const char *draft_show(struct draft *d, const char *s);

/* An absolute, canonical path of at most PATH_BYTES: why not, or NULL. */
const char *path_fault(const char *path);
/* "C:\x", "\??\C:\x": a path of Windows with a drive letter. */
bool path_has_drive(const char *path);

/*
 * draft_image - the image token of a command line, mapped: a path of NT or a name becomes a
 * lower-cased base name without .exe; a Linux path stays. Says a warning when it changed.
 * Returns the name, *ret_rest the rest of the line.
 */
const char *draft_image(struct draft *d, const char *line, const char **ret_rest);
/* draft_command - a whole command line with its image mapped; NULL when unusable (and said). */
const char *draft_command(struct draft *d, const char *line, const char **ret_image);

handler handle_lines, handle_command, handle_refused, handle_subsystems,
	handle_subsystem;               /* plan_lines.c */
handler handle_renames, handle_deletes; /* plan_queue.c */
/* queue_remarks - entries that a boot will refuse, or for which it will find nothing (there) */
void queue_remarks(struct draft *d);
handler handle_paging, handle_paths; /* plan_paging.c */
handler handle_directories, handle_device, handle_variable, handle_library, handle_names,
	handle_directory; /* plan_lists.c */
handler handle_mark;      /* plan_keys.c */
handler handle_number, handle_switch, handle_choice, handle_path, handle_console, handle_host,
	handle_user, handle_group; /* plan_simple.c */
handler handle_isolation, handle_capabilities, handle_octal, handle_signed, handle_limits,
	handle_strings, handle_links, handle_consoles; /* plan_policy.c */

/* images_rows - what the signed catalogue vouches for, when ImagePolicy asks (plan_images.c). */
void images_rows(struct draft *d, char *why, size_t why_cap);

/* draft_put - a text or number that is no setting: the session's row, or a text of the plan. */
void draft_put(struct draft *d, const struct schema_row *row, const char *text, uint32_t number);
/* draft_place - the place of a word, in any case, in a list parted by blanks; -1 = not there. */
int draft_place(const char *words, const char *word);
/* console_fault - why a path is no terminal's, or NULL. */
const char *console_fault(const char *path);

/* draft_values - each value of a key, by the rows of that key (plan_make.c). */
void draft_values(struct draft *d, const struct reg_key *k, enum schema_key key);
/* draft_unknown - nobody reads a value of that name there: the nearest name that somebody reads. */
void draft_unknown(struct draft *d, enum schema_key key, const struct reg_value *v);

/*
 * keys_sessions, keys_safe_boot - the two keys whose subkeys have a meaning; k may be NULL
 * keys_unread - subkeys where none is read, or other ones are
 */
void keys_sessions(struct draft *d, const struct reg_key *k);
void keys_safe_boot(struct draft *d, const struct reg_key *k);
void keys_unread(struct draft *d, enum schema_key key, const struct reg_key *k);

/* defaults_lines - BootExecute and the required subsystems, when the hive has none. */
void defaults_lines(struct draft *d);
/* defaults_sessions - what Consoles means for single sessions, and how many there are. */
void defaults_sessions(struct draft *d);
/* defaults_lists - the defaults of the keys whose values have any name. */
void defaults_lists(struct draft *d);
/* defaults_safe_boot - what a safe boot starts when the hive has no list of its own. */
void defaults_safe_boot(struct draft *d);
