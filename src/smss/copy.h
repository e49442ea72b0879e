/* SPDX-License-Identifier: MIT */
/*
 * copy.h - the contract between the master and its copies (design §2)
 *
 * A copy is `smss ROLE N`: the own image, started again, with fixed fds, one role and a deadline.
 * It may crash, hang or be killed: the master records that and goes on. A copy has no heap either
 * (one image, one rule); scratch memory comes from sys_scratch(). It reports every single thing it
 * did by copy_item(), and its exit status says whether the role as a whole went well.
 *
 * fds: 0-2 /dev/null; FD_MASTER its connection (SEQPACKET, blocking); FD_PLAN the sealed plan (not
 * for ROLE_PLAN); FD_ENV the sealed environment block "NAME=value\0...\0" (once there is one);
 * a session copy also has FD_CSRSS and FD_INITIAL, the born connections of the processes it makes.
 * Core processes (csrss, wininit, winlogon) and BootExecute images get: 0 null, 1-2 console,
 * FD_MASTER their own connection, FD_PLAN the plan; their environment is the block's, exactly, and
 * for core processes the session's own variables, SMSS_SESSION=N and, for csrss and winlogon of a
 * session that is held to something, SMSS_POLICY (the bytes of struct sm_policy in hex). An initial
 * command that is no image of ours gets 0-2 alone, and runs as the session's owner.
 * A copy's own environment holds only what the master says: SMSS_HIVE, SMSS_STATE, SMSS_MODE
 * ("machine", "namespace", "container"), SMSS_LEVEL, SMSS_PHASE, SMSS_SAFEBOOT ("", "minimal",
 * "network"), SMSS_LKG ("1": LastKnownGood was asked for by a kernel word).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/words.h"
#include "pending/protect.h"
#include "plan/plan.h"
#include "wire/wire.h"

#define FD_MASTER  3
#define FD_PLAN    4
#define FD_ENV     5
#define FD_CSRSS   6
#define FD_INITIAL 7

/* `smss session next`: it waits until it is told which, see master/ahead.c */
#define COPY_AHEAD "next"

#define IMAGE_SMSS    IMAGE_DIRECTORY "/smss"
#define IMAGE_SMREG   IMAGE_DIRECTORY "/smreg"
#define IMAGE_PNP     IMAGE_DIRECTORY "/pnp"
#define HIVE_PATH     "/etc/smss/SYSTEM"
#define RUN_DIRECTORY "/run/smss"

/* In the state directory: the last known good hive, and the hive that this boot read. */
#define LKG_FILE    "SYSTEM.lkg"
#define BOOTED_FILE "SYSTEM.booted"

/* `smss shutdown N`: below STEP_FIRST an enum sm_action to drive, else one step that may hang */
enum step { STEP_FIRST = 256, STEP_SWAPOFF = 256, STEP_UMOUNT, STEP_READ_ONLY, STEP_SYNC };

/* the number of ROLE_RENAMES; 0 = the classic queue alone */
#define RENAMES_GROUPS   (1u << 0) /* groups wait */
#define RENAMES_NO_QUEUE (1u << 1) /* no classic entry is due */

/* COPY_SKIPPED: of ROLE_PLAN, no failure: another level was asked for this boot. */
enum copy_exit {
	COPY_OK = 0,
	COPY_FAILED = 1,
	COPY_USAGE = 2,
	COPY_NO_MASTER = 3,
	COPY_SKIPPED = 4
};

struct copy {
	enum role role;
	uint32_t n;                     /* the number after the role: session, level, entry index */
	const struct plan_header *plan; /* mapped and checked; NULL for ROLE_PLAN */
	char **env;         /* the system environment, NULL-terminated; empty before there is one */
	char *const *words; /* the copy's own environment (SMSS_*) */
};

/*
 * copy_main - a copy's whole life: attaches plan and environment, runs its role
 *   envp  the process's own environment, NULL-terminated
 * Returns enum copy_exit, the process's exit status.
 */
int copy_main(enum role role, uint32_t n, char *const *envp);

/*
 * copy_hold - `smss hold`: keep what fd 3 is until fd 0 ends, then exit
 * For sockets whose last close may sleep; see close_elsewhere in master/peers.c. Returns 0.
 */
int copy_hold(void);

/* copy_word - an SMSS_* word of the copy's environment, or otherwise. */
const char *copy_word(const struct copy *c, const char *name, const char *otherwise);

/*
 * copy_item - one row for the timeline, which the master also logs
 *   result    enum result;  detail  errno, exit status or signal
 *   start_ns  when it began (sys_now_ns), 0 = no duration of its own
 *   name      what it was about (cut to NAME_BYTES);  text  remark (cut to TEXT_BYTES), may be ""
 * Both are escaped here. Failures, refusals and degradations go to the console, the rest to kmsg.
 */
void copy_item(const struct copy *c, enum result result, int detail, uint64_t start_ns,
	       const char *name, const char *text);

/*
 * copy_ask - send a message to the master and wait for the answer to it (same tag)
 *   m    request; becomes the answer.  fds, fd_count  to send along
 * Returns 0 (look at m->h.status), or -errno when the master cannot be reached.
 */
int copy_ask(struct sm_message *m, const int *fds, unsigned fd_count);

/* copy_tell - send without waiting for an answer. */
int copy_tell(const struct sm_message *m, const int *fds, unsigned fd_count);

/*
 * copy_find_image - where an image token of the plan lies
 *   token   "autochk", "/usr/sbin/x": a name is looked for in IMAGE_DIRECTORY, then in the
 *           environment's PATH; a path is walked as law 12 says
 *   ret_fd  O_PATH fd of a regular, executable file that only root can write; caller's
 * Returns 0 or -errno (-ENOENT, -EACCES: not executable or writable by others, -ELOOP).
 */
int copy_find_image(const struct copy *c, const char *token, int *ret_fd, char *ret_path,
		    size_t path_cap);

/*
 * copy_prove_image - whether ImagePolicy lets this image be started (proven.c)
 *   fd, path  as copy_find_image gave them
 *   ret_why   of a refusal, for people
 * What is off costs nothing. With warn a row tells what is wrong, and it is started. Returns 0, or
 * -EACCES with ret_why.
 */
int copy_prove_image(const struct copy *c, int fd, const char *path, const char **ret_why);

/*
 * proven_catalog - the catalogue and key that a plan's images come from are those of now
 * True also for a plan that asks for none.
 */
bool proven_catalog(const struct plan_header *p);

/*
 * copy_keep_proc - from now on images are found by the /proc that is there now
 * For a copy that is about to lose sight of it: another one will be mounted over it, in which it
 * has no number. Returns 0 or -errno.
 */
int copy_keep_proc(void);

/*
 * copy_open_state - the state directory (SMSS_STATE or STATE_DIRECTORY), made when missing
 *   write  it must be writable: creates and probes
 * Returns its fd (caller's) or -errno (-EROFS: state is off and the caller says so).
 */
int copy_open_state(const struct copy *c, bool write);

/* ---- the roles; each returns enum copy_exit; one file each ---- */
int copy_role_plan(struct copy *c);        /* boot/plan.c: level N (0 current, 1 lkg, 2 built-in) */
int copy_role_environment(struct copy *c); /* boot/environment.c, boot/devices.c */
int copy_role_execute(
	struct copy *c);              /* boot/execute.c: N = table << 16 | row; becomes the image */
int copy_role_state(struct copy *c);  /* boot/attempt.c: N = level */
int copy_role_accept(struct copy *c); /* boot/accept.c: N = enum sm_decision */
int copy_role_stop(struct copy *c);   /* boot/stop.c: reads SM_STOP_TEXT from FD_MASTER, files it */
int copy_role_pending(struct copy *c);  /* boot/pending.c: N = RENAMES_* */
int copy_role_renames(struct copy *c);  /* boot/renames.c, of it: the classic queue */
int copy_role_paging(struct copy *c);   /* boot/paging.c: N = 1 does unpinned known libraries too */
int copy_role_known(struct copy *c);    /* boot/known.c */
int copy_role_session(struct copy *c);  /* session/setup.c: N = session */
int copy_role_rescue(struct copy *c);   /* session/rescue.c */
int copy_role_limits(struct copy *c);   /* session/limits.c: N = session */
int copy_role_sweep(struct copy *c);    /* session/sweep.c: N = session */
int copy_role_shutdown(struct copy *c); /* shutdown/driver.c: N = enum sm_action */
