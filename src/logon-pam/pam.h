/* SPDX-License-Identifier: MIT */
/*
 * pam.h - a PAM session for somebody who is logged on without being asked: the one user of libpam
 *
 * Nobody is authenticated here: the machine's owner said in the hive who is logged on. Everything
 * else is the machine's usual way: whether the account may be used now, its credentials, what a
 * session brings. Modules cannot ask anything; what they tell goes to the terminal.
 */
#pragma once

#include <stdbool.h>

struct pam_login {
	void *handle; /* libpam's; owner: this struct */
	bool credentials, open;
	int last; /* libpam's last result */
};

/*
 * pam_login_begin - may this user be logged on here, now?
 *   user  its name;  tty  "tty1"
 * The service is smss-autologin where the machine has one, else login.
 * Returns 0, or -EACCES (pam_login_why says why; pam_login_end all the same).
 */
int pam_login_begin(struct pam_login *l, const char *user, const char *tty);

/* pam_login_user - whom the modules made of it. Lives as long as l. */
const char *pam_login_user(const struct pam_login *l);

/* pam_login_open - credentials and session; the process has the user's groups by then. As above. */
int pam_login_open(struct pam_login *l);

/* pam_login_environment - what the modules want in it, "NAME=value", NULL-terminated; may be NULL.
 */
char **pam_login_environment(const struct pam_login *l);

/* pam_login_why - the last failure, for people. */
const char *pam_login_why(const struct pam_login *l);

/* pam_login_end - session closed, credentials deleted, libpam left; harmless when nothing began. */
void pam_login_end(struct pam_login *l);
