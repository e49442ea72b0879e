/* SPDX-License-Identifier: MIT */
/*
 * run.c - connecting, and saying what went wrong with the next step to take
 *
 * Every failure of smctl is worded here, so that the same failure reads the same under every verb.
 * Errors go to standard error, never into the output that programs read.
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"

#define SYSRQ_HINT                                                                                 \
	"; without it, as root: sync; echo b > /proc/sysrq-trigger (reboots at once; o powers "    \
	"off)"

static void say(const struct smctl *s, const char *format, va_list arguments)
{
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: ", s->name);
	if (s->verb)
		(void)fprintf(stderr, "%s: ", s->verb);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
}

int smctl_error(const struct smctl *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(s, format, arguments);
	va_end(arguments);
	return SMCTL_FAILED;
}

int smctl_usage(const struct smctl *s, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(s, format, arguments);
	va_end(arguments);
	(void)fprintf(stderr, "try: %s %s%s--help\n", s->name, s->verb ? s->verb : "",
		      s->verb ? " " : "");
	return SMCTL_USAGE;
}

int smctl_option_error(const struct smctl *s, int letter, char **argv)
{
	const char *word = argv[optind - 1];

	if (letter == ':')
		return smctl_usage(s, "%s wants an argument", show_text(word));
	/* A bad letter may stand in the middle of a word, before which optind does not stand yet.
	 */
	if (optopt && optopt < 256)
		return smctl_usage(s, "there is no option -%c here", optopt);
	return smctl_usage(s, "there is no option %s here", show_text(word));
}

static bool is_power(const struct smctl *s)
{
	const char *word = s->verb ? s->verb : s->name;

	return !str_same(s->name, "smctl") || str_same(word, "poweroff") ||
	       str_same(word, "reboot") || str_same(word, "halt");
}

int smctl_connect(struct smctl *s)
{
	const char *hint = is_power(s) ? SYSRQ_HINT : " try: smctl probe, or --socket PATH";
	int r = sm_open(s->socket, &s->c);

	switch (r) {
	case 0:
		return 0;
	case -ETIMEDOUT:
		return smctl_error(s,
				   "the session manager is there at %s but does not answer: is it "
				   "stopped or traced?%s",
				   show_text(s->socket), is_power(s) ? SYSRQ_HINT : "");
	case -EBUSY:
		return smctl_error(s,
				   "the session manager at %s has no place for another client just "
				   "now: end one, or try again",
				   show_text(s->socket));
	case -EPROTO:
		return smctl_error(
			s,
			"what answers at %s does not speak this version of the protocol: "
			"is it the session manager, and of the same build as this program "
			"(--version)?",
			show_text(s->socket));
	default:
		return smctl_error(
			s, "the session manager does not answer at %s (%s): is it running?%s",
			show_text(s->socket), strerror(-r), hint);
	}
}

static int not_yet(const struct smctl *s)
{
	struct sm_machine m;

	if (sm_status(s->c, &m) < 0)
		return smctl_error(
			s, "not yet: the boot has not come that far; try: smctl wait ready");
	return smctl_error(s, "not yet: phase %s is running%s%s; try: smctl wait ready", m.phase,
			   m.blocker[0] ? ", waiting for " : "", show_text(m.blocker));
}

int smctl_call_failed(const struct smctl *s, int r, const char *what)
{
	switch (r) {
	case -EAGAIN:
		return not_yet(s);
	case -EACCES:
		return smctl_error(s, "access denied: this needs root; try it with sudo");
	case -ENOSYS:
		return smctl_error(s, "not implemented by this session manager");
	case -ENOENT:
		return smctl_error(s, "there is no %s; try: smctl sessions",
				   what ? what : "such thing");
	case -ESHUTDOWN:
		return smctl_error(s, "the machine is shutting down; see: smctl status");
	case -ETIMEDOUT:
		return smctl_error(
			s, "the session manager does not answer in time; what it waits for: "
			   "smctl status");
	case -ETIME:
		return smctl_error(s, "it took too long and was given up; see: smctl boot");
	case -ENOSPC:
		return smctl_error(s, "the session manager's table is full; see: smctl status");
	case -ENOTCONN:
		return smctl_error(s, "the session manager closed the connection");
	case -EIO:
		return smctl_error(s,
				   "the session manager could not do it (status 0x%08X, %s); see: "
				   "smctl boot",
				   sm_last_status(s->c), sm_status_text(sm_last_status(s->c)));
	default:
		return smctl_error(s, "%s", sm_error_text(r));
	}
}

int smctl_number(const char *word, uint64_t max, uint64_t *ret)
{
	uint64_t n;

	if (str_u64(word, strlen(word), &n) < 0 || n > max)
		return -EINVAL;
	*ret = n;
	return 0;
}
