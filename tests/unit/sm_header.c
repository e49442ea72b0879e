/* SPDX-License-Identifier: MIT */
/*
 * sm_header.c - a program in ISO C11 that knows libsm by its header alone
 *
 * Built against the shared and the static library: both must link, and a machine without a session
 * manager must be an error and not a crash.
 */
#include "sm.h"

#include <stdio.h>
#include <string.h>

/* A name that the library's insides use too: it must not collide. */
const char *str_copy(void);

const char *str_copy(void)
{
	return "mine";
}

int main(void)
{
	struct sm_connection *c = NULL;
	int r = sm_open("/nonexistent/SmApiPort", &c);

	if (r >= 0 || c || strcmp(str_copy(), "mine") != 0)
		return 1;
	printf("%s, %s, %s\n", sm_error_text(r), sm_status_text(0xC0000002u),
	       sm_session_state_word(SM_SESSION_RUNNING));
	return strcmp(sm_session_state_word(SM_SESSION_RUNNING), "running") != 0;
}
