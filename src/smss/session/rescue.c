/* SPDX-License-Identifier: MIT */
/*
 * rescue.c - a login that asks for root's password: of the last level, and of a safe boot
 *
 * The initial command of session 0 in the built-in minimum, and of session 1 in a safe boot.
 * Becomes the distribution's sulogin, which finds the consoles itself and refuses a locked root
 * account; only the hive's RescueUnlocked=1 lets it through without a password (-e). Nothing here
 * ever opens a shell by itself. It gets none of the hive's environment, which may be what is to be
 * repaired, but the word for what is left out.
 */
#include <errno.h>

#include "base/text.h"
#include "smss/copy.h"
#include "sys/sys.h"

/*
 * /dev/console cannot be anybody's controlling terminal: the kernel says which one is behind it
 * (the last word of "active"). In a namespace /dev/console is a terminal itself.
 */
static int open_console(void)
{
	char names[KERNEL_TEXT_BYTES], path[KERNEL_TEXT_BYTES + 8];
	struct text t = TEXT_ON(path);
	ssize_t n =
		sys_read_file(AT_FDCWD, "/sys/class/tty/console/active", names, sizeof(names) - 1);
	ssize_t start;
	int fd = -ENOENT;

	if (n > 0 && sys_in_initial_pidns() == 1) {
		while (n && (unsigned char)names[n - 1] <= ' ')
			n--;
		for (start = n; start && names[start - 1] != ' '; start--)
			;
		text_add_n(text_add(&t, "/dev/"), names + start, (size_t)(n - start));
		fd = sys_open(AT_FDCWD, path, O_RDWR | O_NONBLOCK, 0);
	}
	if (fd < 0)
		fd = sys_open(AT_FDCWD, "/dev/console", O_RDWR | O_NONBLOCK, 0);
	if (fd >= 0)
		(void)!sys_set_blocking(fd, true);
	return fd;
}

static void take_console(void)
{
	_close_ int fd = open_console();

	if (fd < 0)
		return;
	for (int i = 0; i < 3; i++)
		(void)!sys_keep_fd(sys_dup_to(fd, i));
}

#define RESCUE_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What a session gives on of its own: its number, and that this is a safe boot. */
static void environment(const struct copy *c, char *env[5])
{
	static const char *const given[] = {"SMSS_SESSION=", "SAFEBOOT_OPTION="};
	unsigned n = 0;

	env[n++] = (char *)(uintptr_t)RESCUE_PATH;
	env[n++] = (char *)(uintptr_t) "TERM=linux";
	for (unsigned i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		for (char *const *w = c->words; *w; w++)
			if (str_starts(*w, given[i])) {
				env[n++] = *w;
				break;
			}
	env[n] = NULL;
}

static void say_why(const struct copy *c)
{
	if (!c->plan || c->plan->settings.builtin)
		sys_log(SYS_LOG_ERROR,
			"rescue: this is the built-in minimum; log in as root to repair the "
			"hive (smreg check), or take back an earlier one (smreg restore), then: "
			"smctl reboot");
	else
		sys_log(SYS_LOG_WARNING,
			"rescue: this is a safe boot; log in as root, what was left out: "
			"smctl boot; the usual boot: smctl reboot");
}

int copy_role_rescue(struct copy *c)
{
	static const char *const places[] = {"/usr/sbin/sulogin", "/sbin/sulogin", "/bin/login"};
	bool unlocked = c->plan && c->plan->settings.rescue_unlocked;
	char *env[5];
	int r = -ENOENT;

	environment(c, env);
	say_why(c);
	take_console();
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char *argv[4] = {(char *)(uintptr_t)places[i], NULL, NULL, NULL};

		if (unlocked && i < 2)
			argv[1] = (char *)(uintptr_t) "-e";
		if (sys_access(AT_FDCWD, places[i], 1) < 0)
			continue;
		sys_close_from(3);
		r = sys_exec(AT_FDCWD, places[i], argv, env);
	}
	/* No login program at all: stay, so that the machine can be reached by its API. */
	sys_log(SYS_LOG_ERROR, "rescue: no sulogin and no login on this system");
	for (;;)
		(void)!sys_wait_fd(0, 0, -1);
	return r;
}
