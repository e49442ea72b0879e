/* SPDX-License-Identifier: MIT */
/*
 * schema.h - every value that drives smss: type, range, grammar, default, meaning
 *
 * The single source for `smreg check`, for the plan maker and for smss-registry(5). A value that
 * stands here and is not acted on yet says so; a name that does not stand here is either NT's own
 * ("not used here") or unknown, and then the nearest name is suggested. Pure tables.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_key { /* the keys we read, below ControlSet00N\Control */
		  KEY_SESSION_MANAGER,
		  KEY_MEMORY,
		  KEY_SUBSYSTEMS,
		  KEY_ENVIRONMENT,
		  KEY_DOS_DEVICES,
		  KEY_KNOWN_DLLS,
		  KEY_FILE_RENAME,
		  KEY_SESSIONS,  /* its subkeys Default, 0, 1, ... */
		  KEY_SAFE_BOOT, /* its subkeys Minimal\NAME and Network\NAME */
		  KEY_CRASH,
		  KEY_COMPUTER,
		  KEY_WINLOGON,
		  KEY_WININIT,
		  KEY_COUNT
};

enum schema_grammar {
	GRAMMAR_NUMBER,       /* DWORD, or the same as text, from min to max */
	GRAMMAR_SWITCH,       /* "0" or "1", or such a DWORD */
	GRAMMAR_CHOICE,       /* one of the words */
	GRAMMAR_LINES,        /* command lines, nt-reference §2.2 */
	GRAMMAR_COMMAND,      /* one command line */
	GRAMMAR_REFUSED,      /* read for the sake of saying no */
	GRAMMAR_RENAMES,      /* pairs of paths, nt-reference §4.1 */
	GRAMMAR_DELETES,      /* a path to delete */
	GRAMMAR_DIRECTORIES,  /* object directories */
	GRAMMAR_DEVICE,       /* a link in /dev */
	GRAMMAR_VARIABLE,     /* an environment variable */
	GRAMMAR_LIBRARY,      /* FILE [sha256:HEX] */
	GRAMMAR_NAMES,        /* names of known libraries to leave out */
	GRAMMAR_SUBSYSTEMS,   /* names of values of the same key */
	GRAMMAR_SUBSYSTEM,    /* a subsystem's command line; read through Required and Optional */
	GRAMMAR_PAGING,       /* lines PATH [MIN [MAX]], nt-reference §3.1 */
	GRAMMAR_PATHS,        /* a list of paths */
	GRAMMAR_DIRECTORY,    /* an absolute directory */
	GRAMMAR_PATH,         /* an absolute path */
	GRAMMAR_CONSOLE,      /* a path below /dev */
	GRAMMAR_HOST,         /* a host name */
	GRAMMAR_USER,         /* a user name */
	GRAMMAR_GROUP,        /* a group name */
	GRAMMAR_ISOLATION,    /* some of the words */
	GRAMMAR_CAPABILITIES, /* names without CAP_, or none, or all */
	GRAMMAR_OCTAL,        /* permission bits: "0027" */
	GRAMMAR_SIGNED,       /* a number from min to max, which may be negative, as text */
	GRAMMAR_LIMITS,       /* lines NAME NUMBER, or NAME unlimited; the words are the names */
	GRAMMAR_STRINGS,      /* lines NAME=VALUE */
	GRAMMAR_LINKS,        /* lines NAME TARGET */
	GRAMMAR_CONSOLES,     /* paths below /dev, the first one for session 1 */
	GRAMMAR_MARK,         /* what the key's name is: Service, or a driver of NT's */
	GRAMMAR_COUNT
};

#define TYPE_SZ     (1u << 1)
#define TYPE_EXPAND (1u << 2)
#define TYPE_DWORD  (1u << 4)
#define TYPE_MULTI  (1u << 7)
#define TYPE_TEXT   (TYPE_SZ | TYPE_EXPAND)

enum schema_state {
	SCHEMA_DONE,
	SCHEMA_NOT_YET, /* parsed and checked; a later version acts on it */
	SCHEMA_REFUSED, /* parsed, and refused by design */
};

#define SETTING_NONE UINT16_MAX

struct schema_row {
	enum schema_key key;
	const char *name; /* "*" = any name; "" = the key's default value */
	unsigned types;   /* TYPE_* that are right; the first one is shown */
	enum schema_grammar grammar;
	enum schema_state state;
	uint32_t min, max;     /* GRAMMAR_NUMBER; of GRAMMAR_SIGNED the same bits are signed */
	bool or_zero;          /* 0 is right too */
	uint16_t setting;      /* offset in struct plan_settings, or SETTING_NONE */
	int table;             /* enum plan_table it fills, -1 none */
	const char *words;     /* CHOICE, ISOLATION, LIMITS: the words, parted by blanks */
	const char *text;      /* its name in PLAN_TEXTS, or NULL */
	const char *otherwise; /* the default, for people; "-" = absent */
	const char *meaning;   /* one line */
	const char *example;   /* data as `smreg add --data` takes it */
};

/* schema_rows - the table; *ret_count rows. */
const struct schema_row *schema_rows(size_t *ret_count);

/* schema_find - the row of a value; the "*" row when only that fits; NULL when none does. */
const struct schema_row *schema_find(enum schema_key key, const char *name);

/* schema_key_path - below Control, e.g. "Session Manager\\Environment". */
const char *schema_key_path(enum schema_key key);

/*
 * schema_nt_value, schema_nt_subkey - a name of NT's own, in that key, that smss has no use for
 * schema_nt_control - the same for a value of Control itself.
 */
bool schema_nt_value(enum schema_key key, const char *name);
bool schema_nt_subkey(enum schema_key key, const char *name);
bool schema_nt_control(const char *name);

/* schema_suggest - the name of that key nearest to a mistyped one, or NULL when none is near. */
const char *schema_suggest(enum schema_key key, const char *name);
/* schema_suggest_elsewhere - the nearest row of all other keys, or NULL: a value at a wrong place.
 */
const struct schema_row *schema_suggest_elsewhere(enum schema_key key, const char *name);

enum schema_names { /* where keys of known names lie, and the words of command lines */
		    SCHEMA_ROOT_KEYS,     /* of the hive */
		    SCHEMA_SET_KEYS,      /* of ControlSet00N */
		    SCHEMA_CONTROL_KEYS,  /* of Control */
		    SCHEMA_MANAGER_KEYS,  /* of Session Manager */
		    SCHEMA_SAFE_KEYS,     /* of SafeBoot */
		    SCHEMA_SESSION_KEYS,  /* of Sessions: Default; numbers are names too */
		    SCHEMA_COMPUTER_KEYS, /* of ComputerName */
		    SCHEMA_SELECT,        /* values of Select */
		    SCHEMA_LINE_WORDS,    /* debug, async, autocheck */
};

/* schema_suggest_name - that of our names nearest to a mistyped one, or NULL when none is near. */
const char *schema_suggest_name(enum schema_names where, const char *name);

/* schema_name - our name there that is this one, any case, or NULL; schema_nt_name - NT's. */
const char *schema_name(enum schema_names where, const char *name);
bool schema_nt_name(enum schema_names where, const char *name);

/* schema_types - "REG_SZ or REG_EXPAND_SZ" for a set of TYPE_*; room of 80 bytes. */
const char *schema_types(unsigned types, char room[80]);
