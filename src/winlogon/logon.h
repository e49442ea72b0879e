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

#define LOGON_WORD  "--logon"
#define LOGON_LOGIN "login"
#define LOGON_SHELL "shell"

struct logon {
	bool automatic;   /* AutoAdminLogon */
	bool held_back;   /* a safe boot: neither AutoAdminLogon nor another Login than the usual */
	bool asks_itself; /* Login is a greeter that asks for the name itself */
	const char *user; /* DefaultUserName */
	const char *shell; /* Shell: a command line, "" = the account's own */
	const char *login; /* Login: a command line */
};

/* logon_settings - the Winlogon values of the plan. */
void logon_settings(const struct companion *c, struct logon *ret);

/*
 * logon_start - start the throwaway process on an open terminal
 *   tty   fd; term  TERM word;  name  for login, "" = none
 * Returns its pid or -errno.
 */
int logon_start(const struct companion *c, const struct logon *l, int tty, const char *term,
		const char *name);

/*
 * logon_main - what that process does: argv after "--logon" is {login|shell, command line, name}
 * Only returns when it failed: the status to exit with (said in the log).
 */
int logon_main(int argc, char **argv, char **envp);
