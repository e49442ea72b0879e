/* SPDX-License-Identifier: MIT */
/*
 * logon.h - the throwaway process between winlogon and a person's shell
 *
 * winlogon starts its own image once more, as leader of a new session with the terminal on fds 0-2.
 * That process takes the terminal, reads the user's entry, gives its rights away and becomes the
 * login program or the shell. Whatever goes wrong in it, winlogon lives on.
 */
#pragma once

#include "companion/companion.h"
#include "smss/copy.h"

#define LOGON_WORD  "--logon"
#define LOGON_LOGIN "login"
#define LOGON_SHELL "shell"
#define LOGON_PAM   "pam" /* the shell, by way of logon-pam */

#define LOGON_PROGRAM   "/bin/login"
#define LOGON_PAM_IMAGE IMAGE_DIRECTORY "/logon-pam"
#define LOGON_POLICY    "SMSS_POLICY" /* for core processes only: not in what they start */
#define LOGON_KEEP      "SMSS_KEEP"   /* for logon-pam only: capabilities, 0x and hex digits */

struct logon {
	bool automatic;   /* AutoAdminLogon */
	bool held_back;   /* a safe boot: neither AutoAdminLogon nor another Login than the usual */
	bool asks_itself; /* login is a greeter that asks for the name itself */
	bool pam;         /* Pam: an automatic logon is checked and recorded by logon-pam */
	bool pam_missing; /* it should be, and logon-pam is not installed: nobody is logged on */
	uint32_t idle_s;  /* IdleTimeout; 0 = never */
	char user[NAME_BYTES]; /* whom AutoAdminLogon logs on: a name, or an owner's number */
	const char *shell;     /* Shell: a command line, "" = the account's own */
	const char *login;     /* Greeter or Login: a command line */
};

/*
 * logon_settings - the Winlogon values of the plan, and what the session's policy adds
 * The greeter comes before the login program, AutoAdminLogon before both.
 */
void logon_settings(const struct companion *c, struct logon *ret);

/*
 * logon_policy - the policy in force, which may be stricter than the plan's: who asks for a session
 * may add to it
 *   hex  the value of LOGON_POLICY
 * Returns false when it is none; *ret is untouched then.
 */
bool logon_policy(const char *hex, struct sm_policy *ret);

/* logon_fall_back - from now on we ask for the name, and /bin/login for the password. */
void logon_fall_back(struct logon *l);

/*
 * logon_start - start the throwaway process on an open terminal
 *   tty   fd; term  TERM word;  name  for login, "" = none
 * Returns its pid or -errno.
 */
int logon_start(const struct companion *c, const struct logon *l, int tty, const char *term,
		const char *name);

/*
 * logon_main - what that process does: argv after "--logon" is {login|shell|pam, command line,
 * name} Only returns when it failed: the status to exit with (said in the log).
 */
int logon_main(int argc, char **argv, char **envp);
