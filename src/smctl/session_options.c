/* SPDX-License-Identifier: MIT */
/*
 * session_options.c - what a session is asked to be: the options of session new and session limits
 *
 * Only what cannot be meant is refused here: a word that is no number, a size that does not fit.
 * Whether it can be had is the session manager's to say. Names of capabilities are those of
 * capabilities(7) without "cap_", of resource limits those of prlimit(1), as in the hive.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/text.h"
#include "etc/accounts.h"
#include "plan/policy.h"
#include "smctl/sessions.h"

enum letter {
	L_ISOLATE = 256,
	L_MEMORY,
	L_PROCESSES,
	L_CPU,
	L_CPU_WEIGHT,
	L_IO,
	L_IO_WEIGHT,
	L_OWNER,
	L_CAPS,
	L_NO_NEW_PRIVS,
	L_UMASK,
	L_LIMIT,
	L_OOM,
	L_IDLE,
	L_LIFETIME,
};

#define COMMON                                                                                     \
	{"json", no_argument, NULL, 'j'}, {"socket", required_argument, NULL, 's'},                \
	{                                                                                          \
		"help", no_argument, NULL, 'h'                                                     \
	}
#define HELD                                                                                       \
	{"memory", required_argument, NULL, L_MEMORY},                                             \
		{"processes", required_argument, NULL, L_PROCESSES},                               \
		{"cpu", required_argument, NULL, L_CPU},                                           \
		{"cpu-weight", required_argument, NULL, L_CPU_WEIGHT},                             \
		{"io", required_argument, NULL, L_IO},                                             \
	{                                                                                          \
		"io-weight", required_argument, NULL, L_IO_WEIGHT                                  \
	}

static const struct option new_options[] = {
	COMMON,
	HELD,
	{"isolate", required_argument, NULL, L_ISOLATE},
	{"owner", required_argument, NULL, L_OWNER},
	{"caps", required_argument, NULL, L_CAPS},
	{"no-new-privs", no_argument, NULL, L_NO_NEW_PRIVS},
	{"umask", required_argument, NULL, L_UMASK},
	{"limit", required_argument, NULL, L_LIMIT},
	{"oom", required_argument, NULL, L_OOM},
	{"idle", required_argument, NULL, L_IDLE},
	{"lifetime", required_argument, NULL, L_LIFETIME},
	{NULL, 0, NULL, 0},
};

static const struct option limits_options[] = {COMMON, HELD, {NULL, 0, NULL, 0}};

/* A number and one of the letters, each of which multiplies by its factor. */
static int scaled(const char *word, const char *letters, const uint64_t *factors, uint64_t *ret)
{
	const size_t n = strlen(word);
	const char *letter = n ? strchr(letters, word[n - 1]) : NULL;
	const uint64_t factor = letter ? factors[letter - letters] : 1;
	uint64_t x;

	if (str_u64(word, n - (letter ? 1 : 0), &x) < 0 || x > (UINT64_MAX - 1) / factor)
		return -EINVAL;
	*ret = x * factor;
	return 0;
}

static int size_of(const char *word, uint64_t *ret)
{
	static const uint64_t factors[] = {1ull << 10, 1ull << 10, 1ull << 20, 1ull << 20,
					   1ull << 30, 1ull << 30, 1ull << 40, 1ull << 40};

	return scaled(word, "KkMmGgTt", factors, ret);
}

static int time_of(const char *word, uint32_t *ret)
{
	static const uint64_t factors[] = {1, 60, 3600, 86400};
	uint64_t s;
	int r = scaled(word, "smhd", factors, &s);

	if (r < 0 || s == 0 || s > INT32_MAX)
		return -EINVAL;
	*ret = (uint32_t)s;
	return 0;
}

static int wanted(const struct smctl *s, const char *option, const char *what)
{
	return smctl_usage(s, "--%s wants %s, not \"%s\"", option, what, show_text(optarg)) + 1;
}

/* Words of a list, at commas or blanks: the next one's length, 0 = the end. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, ", ");
	return strcspn(*at, ", ");
}

static bool is_word(const char *at, size_t n, const char *word)
{
	return strlen(word) == n && strncmp(at, word, n) == 0;
}

static int take_isolation(struct smctl *s, struct sm_session_want *w)
{
	const char *at = optarg;

	for (size_t n; (n = next_word(&at)); at += n) {
		uint32_t bit = 1;

		if (is_word(at, n, "all")) {
			w->isolation |= SM_ISOLATION_DEV * 2 - 1;
			continue;
		}
		while (bit <= SM_ISOLATION_DEV &&
		       !is_word(at, n, sm_isolation_word((enum sm_isolation)bit)))
			bit *= 2;
		if (bit > SM_ISOLATION_DEV)
			return wanted(s, "isolate", "some of mount,ipc,pid,uts,net,dev or all");
		w->isolation |= bit;
	}
	return w->isolation ? 0 : wanted(s, "isolate", "some of mount,ipc,pid,uts,net,dev or all");
}

static int take_capabilities(struct smctl *s, struct sm_session_want *w)
{
	const char *at = optarg;

	w->bounded = true;
	if (str_same(optarg, "none"))
		return 0;
	for (size_t n; (n = next_word(&at)); at += n) {
		char name[32];
		int bit;

		(void)snprintf(name, sizeof(name), "%.*s", (int)n, at);
		bit = policy_capability(name + (strncasecmp(name, "cap_", 4) == 0 ? 4 : 0));
		if (n >= sizeof(name) || bit < 0)
			return wanted(s, "caps",
				      "names of capabilities(7) as chown,net_raw, or none");
		w->capabilities |= 1ull << bit;
	}
	return w->capabilities
		       ? 0
		       : wanted(s, "caps", "names of capabilities(7) as chown,net_raw, or none");
}

static int take_limit(struct smctl *s, struct sm_session_want *w)
{
	const char *value = strchr(optarg, '=');
	uint64_t x = SM_NO_LIMIT_64;
	char name[32];
	int number;

	(void)snprintf(name, sizeof(name), "%.*s", value ? (int)(value - optarg) : 0, optarg);
	number = policy_limit(name);
	if (number < 0 || (!str_same(value + 1, "unlimited") && size_of(value + 1, &x) < 0))
		return wanted(s, "limit", "NAME=NUMBER, a name of prlimit(1), as nofile=1024");
	w->limits |= 1u << number;
	w->limit[number] = x;
	return 0;
}

/* A name, a number that /etc/passwd knows, or both numbers. */
static int take_owner(struct smctl *s, struct sm_session_want *w)
{
	const char *colon = strchr(optarg, ':');
	const size_t n = colon ? (size_t)(colon - optarg) : strlen(optarg);
	uint64_t uid, gid;
	struct account who;
	int r;

	if (str_u64(optarg, n, &uid) == 0 && uid < SM_NO_USER) {
		if (colon) {
			if (smctl_number(colon + 1, SM_NO_USER - 1, &gid) < 0)
				return wanted(s, "owner", "a user, or UID:GID");
			w->uid = (uint32_t)uid;
			w->gid = (uint32_t)gid;
			return 0;
		}
		r = account_find_id("/etc/passwd", (uint32_t)uid, &who);
	} else {
		r = account_find("/etc/passwd", optarg, &who);
	}
	if (r < 0)
		return smctl_usage(s,
				   "there is no user \"%s\" in /etc/passwd; one from elsewhere is "
				   "given as UID:GID",
				   show_text(optarg)) +
		       1;
	w->uid = who.uid;
	w->gid = who.gid;
	return 0;
}

static int take_umask(struct smctl *s, struct sm_session_want *w)
{
	int32_t x = 0;

	for (const char *at = optarg; *at; at++) {
		if (*at < '0' || *at > '7' || x > 0777)
			return wanted(s, "umask", "octal digits up to 0777");
		x = x * 8 + *at - '0';
	}
	if (!*optarg || x > 0777)
		return wanted(s, "umask", "octal digits up to 0777");
	w->umask = x;
	return 0;
}

static int take_score(struct smctl *s, struct sm_session_want *w)
{
	const bool minus = *optarg == '-';
	uint64_t x;

	if (smctl_number(optarg + minus, 1000, &x) < 0)
		return wanted(s, "oom", "-1000 to 1000");
	w->oom_score = minus ? -(int32_t)x : (int32_t)x;
	return 0;
}

/* Numbers of the same form in both verbs; only a change may take a limit away. */
static int take_number(struct smctl *s, int letter, bool may_max, struct sm_session_change *c)
{
	static const struct {
		const char *name, *what;
		uint64_t max;
	} kinds[] = {
		[L_PROCESSES - L_MEMORY] = {"processes", "a number of processes", SM_NO_LIMIT - 1},
		[L_CPU - L_MEMORY] = {"cpu", "percent of a processor", 10000000},
		[L_CPU_WEIGHT - L_MEMORY] = {"cpu-weight", "1 to 10000", 10000},
		[L_IO_WEIGHT - L_MEMORY] = {"io-weight", "1 to 10000", 10000},
	};
	uint32_t *const field = letter == L_PROCESSES    ? &c->processes
				: letter == L_CPU        ? &c->cpu_percent
				: letter == L_CPU_WEIGHT ? &c->cpu_weight
							 : &c->io_weight;
	char digits[24];
	size_t n = strlen(optarg);
	uint64_t x;

	if (may_max && str_same(optarg, "max")) {
		*field = SM_NO_LIMIT;
		return 0;
	}
	if (letter == L_CPU && n && optarg[n - 1] == '%')
		n--;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)n, optarg);
	if (n >= sizeof(digits) || smctl_number(digits, kinds[letter - L_MEMORY].max, &x) < 0 || !x)
		return wanted(s, kinds[letter - L_MEMORY].name, kinds[letter - L_MEMORY].what);
	*field = (uint32_t)x;
	return 0;
}

static int take_bytes(struct smctl *s, int letter, bool may_max, struct sm_session_change *c)
{
	uint64_t *const field = letter == L_MEMORY ? &c->memory_bytes : &c->io_bytes_s;

	if (may_max && str_same(optarg, "max"))
		*field = SM_NO_LIMIT_64;
	else if (size_of(optarg, field) < 0 || !*field)
		return wanted(s, letter == L_MEMORY ? "memory" : "io",
			      letter == L_MEMORY ? "a size as 64M" : "bytes a second as 10M");
	return 0;
}

/* What both verbs take. -1 = none of these. */
static int take_common(struct smctl *s, int letter, bool may_max, struct sm_session_change *c)
{
	switch (letter) {
	case 'j':
		s->json = true;
		return 0;
	case 's':
		s->socket = optarg;
		return 0;
	case 'h':
		verbs_help(s->verb);
		return SMCTL_OK + 1;
	case L_MEMORY:
	case L_IO:
		return take_bytes(s, letter, may_max, c);
	case L_PROCESSES:
	case L_CPU:
	case L_CPU_WEIGHT:
	case L_IO_WEIGHT:
		return take_number(s, letter, may_max, c);
	default:
		return -1;
	}
}

static int take_new(struct smctl *s, int letter, char **argv, struct sm_session_want *w)
{
	switch (letter) {
	case L_ISOLATE:
		return take_isolation(s, w);
	case L_OWNER:
		return take_owner(s, w);
	case L_CAPS:
		return take_capabilities(s, w);
	case L_NO_NEW_PRIVS:
		w->no_new_privs = true;
		return 0;
	case L_UMASK:
		return take_umask(s, w);
	case L_LIMIT:
		return take_limit(s, w);
	case L_OOM:
		return take_score(s, w);
	case L_IDLE:
		return time_of(optarg, &w->idle_s) < 0
			       ? wanted(s, "idle", "a time as 90s, 5m or 2h")
			       : 0;
	case L_LIFETIME:
		return time_of(optarg, &w->lifetime_s) < 0
			       ? wanted(s, "lifetime", "a time as 90s, 5m or 2h")
			       : 0;
	default:
		return smctl_option_error(s, letter, argv) + 1;
	}
}

int session_new_options(struct smctl *s, int argc, char **argv, struct sm_session_want *ret,
			int *ret_words)
{
	struct sm_session_change held = {0};
	int letter;

	sm_session_want_init(ret, sizeof(*ret));
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+:js:h", new_options, NULL)) != -1) {
		int r = take_common(s, letter, false, &held);

		if (r < 0)
			r = take_new(s, letter, argv, ret);
		if (r)
			return r;
	}
	ret->memory_bytes = held.memory_bytes;
	ret->io_bytes_s = held.io_bytes_s;
	ret->processes = held.processes;
	ret->cpu_percent = held.cpu_percent;
	ret->cpu_weight = held.cpu_weight;
	ret->io_weight = held.io_weight;
	*ret_words = optind;
	return 0;
}

int session_limits_options(struct smctl *s, int argc, char **argv, struct sm_session_change *ret,
			   const char **ret_number)
{
	int letter;

	*ret = (struct sm_session_change){0};
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":js:h", limits_options, NULL)) != -1) {
		int r = take_common(s, letter, true, ret);

		if (r < 0)
			r = smctl_option_error(s, letter, argv) + 1;
		if (r)
			return r;
	}
	*ret_number = argc - optind == 1 ? argv[optind] : NULL;
	return 0;
}
