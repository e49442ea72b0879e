/* SPDX-License-Identifier: MIT */
/*
 * verbs.c - smctl's verbs: their names, arguments, options and help, in one table
 *
 * Help, completion and the reading of options follow this table; a verb that is not in it does not
 * exist. Two words make one verb ("session new").
 */
#include "smctl/verbs.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

/* clang-format off */
static const struct verb verbs[] = {
	{ "status", "", "", verb_status, VERB_SHOWN,
	  "what the session manager is doing",
	  "Shows phase, level, attempt, what is waited for, times, counts, and the previous stop." },
	{ "tree", "", "", verb_tree, VERB_SHOWN,
	  "sessions and their processes",
	  "The session manager's ledger, and by /proc what those processes started." },
	{ "sessions", "", "", verb_sessions, VERB_SHOWN,
	  "one line per session",
	  "Number, state, csrss, initial command, console, and how long its set-up took." },
	{ "session list", "", "", verb_sessions, 0,
	  "one line per session",
	  "The same as: smctl sessions" },
	{ "session show", "NUMBER", "", verb_session_show, VERB_SHOWN,
	  "all about one session",
	  "Its row, what it is held to as the kernel has it, what it has of its own, its programs." },
	{ "session new", "[OPTION]... [COMMAND...]", NULL, verb_session_new, VERB_SHOWN,
	  "make a session",
	  "Waits until its core processes are up. Without COMMAND the initial command is the hive's.\n"
	  "Options ask for more than the hive does; of two words the stricter counts. What cannot be\n"
	  "had is refused, and nothing is made.\n"
	  "      --isolate LIST    of its own: mount,ipc,pid,uts,net,dev or all\n"
	  "      --memory SIZE     of all its processes together: bytes, or with K, M, G, T\n"
	  "      --processes N     it may have\n"
	  "      --cpu PERCENT     100 = one processor\n"
	  "      --cpu-weight N    1 to 10000, against others; usually 100\n"
	  "      --io RATE         bytes a second of each disk, read and written each; K, M, G\n"
	  "      --io-weight N     1 to 10000; usually 100\n"
	  "      --owner USER      whom it belongs to: a name, a number, or UID:GID\n"
	  "      --caps LIST       the only capabilities in it: chown,net_raw, or none\n"
	  "      --no-new-privs    set-user-id programs gain nothing\n"
	  "      --umask OCTAL     of its processes\n"
	  "      --limit NAME=N    a resource limit, as nofile=1024; N or unlimited; repeatable\n"
	  "      --oom N           -1000 to 1000, higher is killed first when memory is out\n"
	  "      --idle TIME       winlogon ends it after so long without input: 90, 90s, 5m, 2h\n"
	  "      --lifetime TIME   ends after so long" },
	{ "session end", "NUMBER...|--all", "a", verb_session_end, VERB_SHOWN,
	  "end sessions",
	  "Programs are asked to end, then killed. Exit status 1 while some are still dying.\n"
	  "  -a, --all         all but session 0; those the hive wants are made again" },
	{ "session limits", "NUMBER [OPTION]...", NULL, verb_session_limits, VERB_SHOWN,
	  "change what a session is held to, or show it",
	  "Without options: what is in force. \"max\" takes a limit away.\n"
	  "      --memory SIZE     bytes, or with K, M, G, T\n"
	  "      --processes N     it may have\n"
	  "      --cpu PERCENT     100 = one processor\n"
	  "      --cpu-weight N    1 to 10000\n"
	  "      --io RATE         bytes a second of each disk, read and written each\n"
	  "      --io-weight N     1 to 10000" },
	{ "session freeze", "NUMBER...", "", verb_session_freeze, VERB_SHOWN,
	  "stop all processes of sessions",
	  "Answered when all of them stand still. session thaw lets them go on." },
	{ "session thaw", "NUMBER...", "", verb_session_thaw, VERB_SHOWN,
	  "let them go on",
	  "What session freeze has stopped." },
	{ "exec", "[OPTION]... [--] COMMAND...", NULL, verb_exec, VERB_SHOWN | VERB_OWN,
	  "run a program in a session",
	  "As if it were run here: standard input, output and error, signals, exit code.\n"
	  "  -s, --session N   if not given: the session that smctl runs in, else 0; also\n"
	  "                    smctl exec N COMMAND...\n"
	  "  -t, --terminal    a terminal of its own, to which this one is connected\n"
	  "  -d, --detach      null descriptors; prints its process id, does not wait\n"
	  "Exit status: the program's, 128 + the signal it died of; 125 smctl failed, 126 it\n"
	  "cannot be started, 127 there is no such program." },
	{ "boot", "", "fp", verb_boot, VERB_SHOWN,
	  "whether this boot is good, and its timeline",
	  "Level, attempt, LastKnownGood and what the next boot will try; then the timeline:\n"
	  "start in seconds since the session manager's start, duration, phase or entry, result.\n"
	  "  -f, --follow      show rows as they happen, until the boot is ready\n"
	  "  -p, --phases      phases only" },
	{ "boot accept", "", "", verb_boot_accept, VERB_SHOWN,
	  "this boot is good: its hive becomes LastKnownGood",
	  "Root, once the boot is ready. What BootGoodSeconds does by itself, unless it is 0." },
	{ "boot reject", "", "F", verb_boot_reject, VERB_SHOWN,
	  "this boot is bad: the next one takes LastKnownGood",
	  "Root, once the boot is ready, before it was accepted. Until the hive is changed.\n"
	  "  -F, --force       also when only the built-in minimum would be left" },
	{ "boot next-lkg", "", "", verb_boot_next_lkg, VERB_SHOWN,
	  "the next boot takes LastKnownGood, that one only",
	  "Root, once the boot is ready." },
	{ "wait ready", "", "t:", verb_wait_ready, VERB_SHOWN,
	  "wait until the boot is ready",
	  "Exit status 1 when it is not in time, or the machine shuts down before.\n"
	  "  -t, --timeout S   seconds to wait; 0 = for ever; 300 if not given" },
	{ "events", "", "fo:", verb_events, VERB_SHOWN,
	  "what happens, one JSON object per line",
	  "Until the session manager ends the connection; --follow and --json change nothing.\n"
	  "  -o, --only LIST   these kinds alone: boot,session,shutdown; lost ones are always told" },
	{ "stops", "", "", verb_stops, VERB_SHOWN,
	  "the stop that ended the previous run",
	  "Code, time, phase, culprit, status." },
	{ "known", "", "", verb_known, VERB_SHOWN,
	  "the known libraries",
	  "The list that phase InitializeKnownDlls published, one line per library." },
	{ "probe", "", "", verb_probe, VERB_SHOWN,
	  "what this kernel offers, and what its absence means",
	  "Needs no session manager." },
	{ "poweroff", "", NULL, NULL, VERB_SHOWN,
	  "end sessions, write everything, power off",
	  "  -f, --fast        sessions are ended without being asked first\n"
	  "      --reason TEXT for the log\n"
	  "  -p, -H, --reboot  power off, halt, reboot, whatever the name says\n"
	  "  -w                do nothing (there is no wtmp record to write)\n"
	  "  -h -d -n -i       accepted, without meaning here" },
	{ "reboot", "", NULL, NULL, VERB_SHOWN,
	  "the same, then start again",
	  "  -f, --fast        sessions are ended without being asked first\n"
	  "      --reason TEXT for the log\n"
	  "  -p, -H, --reboot  power off, halt, reboot, whatever the name says\n"
	  "  -w                do nothing (there is no wtmp record to write)\n"
	  "  -h -d -n -i       accepted, without meaning here" },
	{ "halt", "", NULL, NULL, VERB_SHOWN,
	  "the same, then halt the processor",
	  "  -f, --fast        sessions are ended without being asked first\n"
	  "      --reason TEXT for the log\n"
	  "  -p, -H, --reboot  power off, halt, reboot, whatever the name says\n"
	  "  -w                do nothing (there is no wtmp record to write)\n"
	  "  -h -d -n -i       accepted, without meaning here" },
	{ "pending", "[VERB...]", NULL, verb_pending, VERB_SHOWN,
	  "renames, replacements and deletes that the next boot carries out",
	  "  add [FROM TO]...       queue a group of operations for the next boot\n"
	  "  list                   all groups, and the classic entries of the hive\n"
	  "  show GROUP             a group and its operations\n"
	  "  check [GROUP...]       what would fail if they were carried out now\n"
	  "  report [GROUP]         what happened to each operation, boot by boot\n"
	  "  cancel GROUP...        a group that waits is not carried out\n"
	  "  undo GROUP             the next boot takes back an applied group\n"
	  "  retry GROUP...         a failed, refused, quarantined or reverted one, again\n"
	  "  purge                  what was replaced goes, but for the newest groups\n"
	  "  apply                  carry out the queue of a mounted system now\n"
	  "  clear                  cancel all that waits, classic entries too\n"
	  "Without a verb: list. smctl pending VERB --help tells its options.\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending add", "[FROM TO]...", NULL, verb_pending, VERB_PART,
	  "queue a group of operations for the next boot",
	  "Each FROM becomes TO. All is checked first; with one problem nothing is queued.\n"
	  "  -d, --delete PATH     a delete, in between\n"
	  "  --delete-if-there PATH  the same, of what may be gone already\n"
	  "  -r, --replace         what is at a TO makes room\n"
	  "  -m, --manifest FILE   operations from a file, - = standard input: FROM<TAB>TO,\n"
	  "                        !FROM<TAB>TO replaces, -<TAB>PATH deletes, ?<TAB>PATH\n"
	  "                        deletes if it is there\n"
	  "  -0, --null            its fields end with NUL, not with tab and newline\n"
	  "  -g, --group NAME      its name; a group of that name that waits is added to\n"
	  "      --reason TEXT     why\n"
	  "      --digest          SHA-256 also of files larger than 64 kB\n"
	  "      --allow-protected protected paths may be touched, once\n"
	  "      --check           say what would fail, queue nothing\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending list", "", NULL, verb_pending, VERB_PART,
	  "all groups, and the classic entries of the hive",
	  "Oldest first. Since when each is as it is, and below it why, if something failed.\n"
	  "  --hive FILE --drive C:=DIR...\n"
	  "                        the entries of a Windows hive, with its drives mounted at\n"
	  "                        these directories\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending show", "GROUP", NULL, verb_pending, VERB_PART,
	  "a group and its operations",
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending check", "[GROUP...]", NULL, verb_pending, VERB_PART,
	  "what would fail if they were carried out now",
	  "Without GROUP all that wait, classic entries too. Changes nothing.\n"
	  "  --hive FILE --drive C:=DIR...\n"
	  "                        the entries of a Windows hive, as Windows would meet them\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending report", "[GROUP]", NULL, verb_pending, VERB_PART,
	  "what happened to each operation, boot by boot",
	  "Without GROUP of all groups, and of each classic entry. Exit status 0 also when a\n"
	  "group was refused: its state says that.\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending cancel", "GROUP...", NULL, verb_pending, VERB_PART,
	  "a group that waits is not carried out",
	  "Also one that was refused or quarantined. Its report stays.\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending undo", "GROUP", NULL, verb_pending, VERB_PART,
	  "the next boot takes back an applied group",
	  "While what it replaced is kept.\n"
	  "      --reason TEXT     why\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending retry", "GROUP...", NULL, verb_pending, VERB_PART,
	  "a failed, refused, quarantined or reverted group, again",
	  "The next boot carries it out as if it had just been queued.\n"
	  "GROUP is a number or a name: of several the one that waits, else the newest.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending purge", "", NULL, verb_pending, VERB_PART,
	  "what was replaced goes, but for the newest groups",
	  "What lies within every limit is kept, and what no accepted boot has kept.\n"
	  "      --keep N          groups; 4 if not given\n"
	  "      --days N          as old; 30 if not given\n"
	  "      --mib N           all of them together; 1024 if not given\n"
	  "      --unaccepted      also what no accepted boot has kept\n"
	  "      --check           say which groups would give up what they keep, and purge nothing\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending apply", "", NULL, verb_pending, VERB_PART,
	  "carry out the queue of a mounted system now",
	  "With --root: groups first, then the classic entries, as its next boot would.\n"
	  "      --fallback        take back what no accepted boot has kept, as a fall back to\n"
	  "                        LastKnownGood does\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pending clear", "", NULL, verb_pending, VERB_PART,
	  "cancel all that waits, classic entries too",
	  "Refused and quarantined groups stay as they are.\n"
	  "  --root DIR            of a mounted system\n"
	  "  --state DIR --hive FILE  where it has them, as it sees them itself" },
	{ "pagefiles", "", "", verb_not_implemented, VERB_SHOWN,
	  "paging files (not implemented)", "Not implemented in this version." },
	/* not verbs: programs, for their help */
	{ "shutdown", "[-h|-P|-r|-H] now [REASON...]", NULL, NULL, VERB_PROGRAM, NULL,
	  "  -h, -P            power off; so without an option\n"
	  "  -r                reboot\n"
	  "  -H                halt\n"
	  "  -f, --fast        sessions are ended without being asked first\n"
	  "  -a, -n, -t S      accepted, without meaning here\n"
	  "A time other than now, +0 or 0, and -c, -k, -F: not implemented." },
	{ "telinit", "0|6", NULL, NULL, VERB_PROGRAM, NULL,
	  "0 powers off, 6 reboots; other runlevels: not implemented." },
};
/* clang-format on */

#define GLOBAL_HELP                                                                                \
	"  -j, --json        machine-readable output\n"                                            \
	"  -s, --socket PATH where the session manager listens; also SMSS_SOCKET\n"                \
	"  -h, --help        this text\n"

const struct verb *verbs_find(int argc, char **argv, int *ret_words)
{
	const struct verb *found = NULL;
	char two[32];

	if (argc < 1)
		return NULL;
	(void)snprintf(two, sizeof(two), "%.14s %.14s", argv[0], argc > 1 ? argv[1] : "");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (verbs[i].flags & (VERB_PROGRAM | VERB_PART))
			continue;
		if (argc > 1 && str_same(verbs[i].name, two)) {
			*ret_words = 2;
			return &verbs[i];
		}
		if (str_same(verbs[i].name, argv[0]))
			found = &verbs[i];
	}
	if (found)
		*ret_words = 1;
	return found;
}

#define SLIP_BYTES 24u

/* How many letters to put in, leave out, change, or two to swap make b of a (both short). */
static unsigned slips(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b);
	unsigned at[SLIP_BYTES + 1][SLIP_BYTES + 1];

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			unsigned best;

			if (!i || !j) {
				at[i][j] = (unsigned)(i + j);
				continue;
			}
			best = at[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (at[i - 1][j] + 1 < best)
				best = at[i - 1][j] + 1;
			if (at[i][j - 1] + 1 < best)
				best = at[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    at[i - 2][j - 2] + 1 < best)
				best = at[i - 2][j - 2] + 1;
			at[i][j] = best;
		}
	return at[n][m];
}

/* Of a short word less may be wrong, or anything would be like it. */
bool verbs_alike(const char *name, const char *typed)
{
	const size_t n = strlen(typed);

	return n > 1 && n <= SLIP_BYTES && strlen(name) <= SLIP_BYTES &&
	       slips(name, typed) <= (n < 5 ? 1 : 2);
}

static bool is_first_word(const char *name, const char *word)
{
	const size_t n = strlen(word);

	return strncmp(name, word, n) == 0 && name[n] == ' ';
}

const char *verbs_meant(int argc, char **argv)
{
	bool two_words = false; /* then only the second can be wrong */

	for (size_t i = 0; argc && i < ARRAY_SIZE(verbs); i++)
		two_words = two_words || is_first_word(verbs[i].name, argv[0]);
	for (size_t i = 0; argc > two_words && i < ARRAY_SIZE(verbs); i++) {
		const char *second = strchr(verbs[i].name, ' ');

		if (verbs[i].flags & (VERB_PROGRAM | VERB_PART))
			continue;
		if (two_words ? second && is_first_word(verbs[i].name, argv[0]) &&
					verbs_alike(second + 1, argv[1])
			      : !second && verbs_alike(verbs[i].name, argv[0]))
			return verbs[i].name;
	}
	return NULL;
}

static void help_all(void)
{
	puts("usage: smctl [--json] [--socket PATH] VERB ...\n\nverbs:");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		char both[64];

		if (!(verbs[i].flags & VERB_SHOWN))
			continue;
		(void)snprintf(both, sizeof(both), "%s %s", verbs[i].name, verbs[i].arguments);
		printf(strlen(both) > 26 ? "  %s\n%29s%s\n" : "  %-26s%s %s\n", both, "",
		       verbs[i].summary);
	}
	puts("\noptions:\n" GLOBAL_HELP "  -V, --version     version, build and vendor\n\n"
	     "smctl VERB --help tells more. Manual: smctl(8).");
}

static const struct verb *find_help(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_same(verbs[i].name, name))
			return &verbs[i];
	return NULL;
}

void verbs_help(const char *name)
{
	const struct verb *v = name ? find_help(name) : NULL;
	char above[32];

	if (name && !v) { /* no such part: all of its verb */
		(void)snprintf(above, sizeof(above), "%.*s", (int)strcspn(name, " "), name);
		v = find_help(above);
	}
	if (!v) {
		if (!name)
			help_all();
		return;
	}
	printf("usage: %s%s%s%s\n\n", v->flags & VERB_PROGRAM ? "" : "smctl ", v->name,
	       *v->arguments ? " " : "", v->arguments);
	if (v->summary)
		printf("%s: %s\n", v->name, v->summary);
	puts(v->details);
	if ((v->options || v->run) && !(v->flags & VERB_OWN))
		fputs(GLOBAL_HELP, stdout);
	else
		puts("      --json, --socket PATH, --version, --help");
}
