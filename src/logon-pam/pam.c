/* SPDX-License-Identifier: MIT */
/*
 * pam.c - a PAM session, see pam.h
 */
#include "logon-pam/pam.h"

#include <errno.h>
#include <security/pam_appl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/sys.h"

#define SERVICE       "smss-autologin"
#define SERVICE_USUAL "login"

/* Told to whoever sits there. What a module says is the administrator's; it is still escaped. */
static void show(const char *message)
{
	char line[512];
	struct text t = TEXT_ON(line);

	text_escaped(&t, message, str_len(message, 400));
	text_add(&t, "\r\n");
	(void)!sys_write_all(STDERR_FILENO, t.at, t.len);
}

static int converse(int count, const struct pam_message **messages, struct pam_response **ret,
		    void *unused)
{
	struct pam_response *answers;

	(void)unused;
	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	for (int i = 0; i < count; i++)
		if (messages[i]->msg_style != PAM_TEXT_INFO &&
		    messages[i]->msg_style != PAM_ERROR_MSG)
			return PAM_CONV_ERR; /* a question: there is nobody to answer it */
	answers = calloc((size_t)count, sizeof(*answers));
	if (!answers)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++)
		if (messages[i]->msg)
			show(messages[i]->msg);
	*ret = answers;
	return PAM_SUCCESS;
}

static const char *service(void)
{
	static const char *const places[] = {"/etc/pam.d/" SERVICE, "/usr/lib/pam.d/" SERVICE};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (access(places[i], R_OK) == 0)
			return SERVICE;
	return SERVICE_USUAL;
}

static int result(struct pam_login *l, int r)
{
	l->last = r;
	return r == PAM_SUCCESS ? 0 : -EACCES;
}

int pam_login_begin(struct pam_login *l, const char *user, const char *tty)
{
	static const struct pam_conv conversation = {.conv = converse};
	pam_handle_t *handle = NULL;
	int r;

	*l = (struct pam_login){.handle = NULL};
	r = pam_start(service(), user, &conversation, &handle);
	if (r != PAM_SUCCESS)
		return result(l, r);
	l->handle = handle;
	r = pam_set_item(handle, PAM_TTY, tty);
	if (r == PAM_SUCCESS)
		r = pam_acct_mgmt(handle, 0); /* an expired password is a refusal, too */
	return result(l, r);
}

const char *pam_login_user(const struct pam_login *l)
{
	const void *user = NULL;

	if (pam_get_item(l->handle, PAM_USER, &user) != PAM_SUCCESS || !user)
		return "";
	return user;
}

int pam_login_open(struct pam_login *l)
{
	int r = pam_setcred(l->handle, PAM_ESTABLISH_CRED);

	if (r != PAM_SUCCESS)
		return result(l, r);
	l->credentials = true;
	r = pam_open_session(l->handle, 0);
	l->open = r == PAM_SUCCESS;
	return result(l, r);
}

char **pam_login_environment(const struct pam_login *l)
{
	return pam_getenvlist(l->handle);
}

const char *pam_login_why(const struct pam_login *l)
{
	return pam_strerror(l->handle, l->last);
}

void pam_login_end(struct pam_login *l)
{
	if (!l->handle)
		return;
	if (l->open)
		l->last = pam_close_session(l->handle, 0);
	if (l->credentials)
		(void)pam_setcred(l->handle, PAM_DELETE_CRED);
	(void)pam_end(l->handle, l->last);
	l->handle = NULL;
}
