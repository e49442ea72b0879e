/* SPDX-License-Identifier: MIT */
/*
 * record.c - utmp and wtmp, see record.h
 */
#include "logon-pam/record.h"

#include <grp.h>
#include <string.h>
#include <unistd.h>
#include <utmpx.h>

#include "base/text.h"
#include "sys/sys.h"

/* login(1) and agetty(8) find it, too: 0664, group utmp. */
static void make_utmp(void)
{
	const struct group *g;
	_close_ int fd = sys_open(AT_FDCWD, _PATH_UTMPX, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0)
		return;
	g = getgrnam("utmp");
	if (g && sys_chown(fd, 0, g->gr_gid) >= 0)
		(void)!sys_chmod(fd, 0664);
}

/* The last bytes of the line, as every login program forms it: "1" of tty1, "/3" of pts/3. */
static void set_id(struct utmpx *u, const char *line)
{
	size_t n = strlen(line);

	if (str_starts(line, "tty") && n > 3) {
		line += 3;
		n -= 3;
	}
	if (n > sizeof(u->ut_id))
		line += n - sizeof(u->ut_id);
	strncpy(u->ut_id, line, sizeof(u->ut_id));
}

static void write_both(struct utmpx *u, int pid, const char *line)
{
	const uint64_t now_s = sys_wall_s();

	u->ut_pid = pid;
	u->ut_session = (int)getsid(0);
	u->ut_tv.tv_sec = (int32_t)now_s;
	strncpy(u->ut_line, line, sizeof(u->ut_line));
	set_id(u, line);
	setutxent();
	(void)pututxline(u);
	endutxent();
	updwtmpx(_PATH_WTMPX, u); /* which must exist */
}

void record_login(int pid, const char *user, const char *line)
{
	struct utmpx u = {.ut_type = USER_PROCESS};

	make_utmp();
	strncpy(u.ut_user, user, sizeof(u.ut_user));
	write_both(&u, pid, line);
}

void record_logout(int pid, const char *line)
{
	struct utmpx u = {.ut_type = DEAD_PROCESS};

	write_both(&u, pid, line);
}
