/* SPDX-License-Identifier: MIT */
/*
 * limits.h - every fixed size of the product, each with its reason
 *
 * The master has no heap (law 1): what it can hold is decided here. Refusing is an answer
 * (-ENOSPC, "table full"), growing is not possible. Rooms may not invent sizes of their own for
 * things that cross a process border.
 */
#pragma once

#define SESSIONS_MAX    1024u /* NT's numbers are small; a terminal server's worth */
#define LEDGER_MAX      3200u /* three processes a session, and the boot work */
#define PEERS_MAX       2560u /* two core connections a session, clients, copies */
#define CLIENTS_MAX     320u  /* path-socket clients at once, root's too */
#define CLIENTS_OTHERS  192u  /* of them not root's: the rest is its own */
#define CLIENTS_PLAIN   128u  /* of them neither root's nor an operator's */
#define CLIENTS_PER_UID 16u   /* so that one user cannot take every place */
#define USERS_MAX       128u  /* whose asking is counted */
#define BOOT_ROWS_MAX   192u  /* rows of the boot timeline: phases, entries, remarks */

#define PATH_BYTES         1024u  /* a configured path, NUL included; smreg refuses longer ones */
#define COMMAND_BYTES      2048u  /* one command line of the plan, with its NUL */
#define ARGS_MAX           64u    /* words of one command line */
#define ENV_VARS_MAX       256u   /* variables of the system environment */
#define ENV_BYTES          32768u /* the whole block, NULs included (NT's own limit is 32,767) */
#define PLAN_BYTES_MAX     (1u << 20)  /* a plan; 64 kB hives make plans of a few kB */
#define QUEUE_BYTES_MAX    (64u << 20) /* classic rename entries of one hive */
#define PLAN_STRING_MAX    32768u      /* one string of a plan, with its NUL */
#define KERNEL_TEXT_BYTES  128u        /* the longest kernel text the master parses (law 1) */
#define COMMAND_LINE_BYTES 2048u       /* /proc/cmdline; what is longer is cut at a word */

#define PARALLEL_BASE 4u /* sessions set up at once: 4 + (CPUs - 1), as NT does since Vista */

#define NAME_BYTES 48u  /* a name in ledger and timeline rows */
#define TEXT_BYTES 160u /* a remark in a timeline row */
