/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - a terminal for a machine that is made here: `terminal CMD ARG...`
 *
 * Opens a pty that is nobody's controlling terminal yet, so that winlogon in the new namespaces can
 * take it without stealing; its name goes to CMD as SMSS_CONSOLE. What is typed here goes there and
 * back (raw, with the window's size, when we are on a terminal ourselves); our input's end is not
 * passed on. Exits with CMD's exit code.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t resized = 1;
static struct termios cooked;
static int is_terminal;

static void on_resize(int sig)
{
	(void)sig;
	resized = 1;
}

static void restore(void)
{
	if (is_terminal)
		tcsetattr(0, TCSADRAIN, &cooked);
}

static void pass_size(int pty)
{
	struct winsize size;

	resized = 0;
	if (ioctl(0, TIOCGWINSZ, &size) == 0)
		ioctl(pty, TIOCSWINSZ, &size);
}

/* Returns 0 at the end of from. */
static int pump(int from, int to)
{
	char room[4096];
	ssize_t n = read(from, room, sizeof(room));

	if (n <= 0)
		return n < 0 && errno == EINTR;
	for (ssize_t at = 0; at < n;) {
		ssize_t r = write(to, room + at, (size_t)(n - at));

		if (r < 0 && errno != EINTR)
			return 0;
		at += r > 0 ? r : 0;
	}
	return 1;
}

static void relay(int pty, pid_t child)
{
	struct pollfd fds[2] = {{.fd = pty, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

	for (;;) {
		siginfo_t info = {0};

		if (resized)
			pass_size(pty);
		if (poll(fds, 2, 200) < 0 && errno != EINTR)
			return;
		if (fds[1].revents && !pump(0, pty))
			fds[1].fd = -1;
		if (fds[0].revents & POLLIN) {
			if (!pump(pty, 1))
				return;
		} else if (waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
			   info.si_pid) {
			return; /* it is gone, and all it wrote has been read */
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction resize = {.sa_handler = on_resize};
	struct termios raw;
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), status, keep;
	pid_t child;

	if (argc < 2 || pty < 0 || grantpt(pty) < 0 || unlockpt(pty) < 0) {
		perror("terminal");
		return 2;
	}
	setenv("SMSS_CONSOLE", ptsname(pty), 1);
	keep = open(ptsname(pty), O_RDWR | O_NOCTTY | O_CLOEXEC); /* no hang-up between two users */
	is_terminal = tcgetattr(0, &cooked) == 0;
	if (is_terminal) {
		atexit(restore);
		raw = cooked;
		cfmakeraw(&raw);
		tcsetattr(0, TCSADRAIN, &raw);
		sigaction(SIGWINCH, &resize, NULL);
	}
	child = fork();
	if (child == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	relay(pty, child);
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return 2;
	close(keep);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
