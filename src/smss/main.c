/* SPDX-License-Identifier: MIT */
/*
 * main.c - who this process is: the master, a container's PID 1, or a copy with a role
 *
 * `smss` as pid 1 = master (words in a namespace may follow: smss.hive=..., the kernel's own words
 * are read from /proc/cmdline); `smss -- CMD` = container; `smss ROLE N` with fd 3 = copy. It only
 * wires; it decides nothing.
 */
#include "smss/copy.h"
#include "smss/master/master.h"

#include "smss-version.h"

int copy_main(enum role role, uint32_t n, char *const *envp);

static const char usage_text[] =
	"usage: smss                  the session manager; only as pid 1\n"
	"       smss -- CMD [ARG...]  run CMD as a container's pid 1\n"
	"       smss --version | --help\n"
	"See smss(8). Copies (`smss ROLE N`) are started by the master only.\n";
static const char version_text[] =
	"smss " SMSS_VERSION " (build " SMSS_BUILD_ID ") " SMSS_VENDOR "\n";

static int print(int fd, const char *text, size_t n, int code)
{
	return sys_write_all(fd, text, n) < 0 ? 1 : code;
}

static bool copy_is_ahead(const char *word, uint64_t *ret)
{
	*ret = SM_NO_SESSION;
	return str_same(word, COPY_AHEAD);
}

static bool looks_like_word(const char *w)
{
	return str_starts(w, "smss.") || str_same(w, "single") || str_same(w, "rescue") ||
	       str_same(w, "quiet");
}

int main(int argc, char **argv, char **envp)
{
	uint64_t n;
	enum role role;

	if (argc > 2 && str_same(argv[1], "--"))
		container_run(argv + 2, envp);
	/* The kernel hands unknown words of its line to pid 1 as arguments: they are not for us. */
	if (sys_pid() == 1 &&
	    (argc < 2 || sys_in_initial_pidns() != 0 || looks_like_word(argv[1]))) {
		master_start(argc, argv);
		master_run();
	}
	if (argc == 2 && str_same(argv[1], "hold"))
		return copy_hold();
	if (argc == 2 && str_same(argv[1], "--version"))
		return print(1, version_text, sizeof(version_text) - 1, 0);
	if (argc == 2 && str_same(argv[1], "--help"))
		return print(1, usage_text, sizeof(usage_text) - 1, 0);
	if (argc == 3 &&
	    (copy_is_ahead(argv[2], &n) || str_u64(argv[2], str_len(argv[2], 16), &n) == 0) &&
	    n <= UINT32_MAX) {
		role = role_by_word(argv[1]);
		if (role != ROLE_NONE)
			return copy_main(role, (uint32_t)n, envp);
	}
	return print(2, usage_text, sizeof(usage_text) - 1, COPY_USAGE);
}
