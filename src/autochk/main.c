/* SPDX-License-Identifier: MIT */
/*
 * main.c - autochk: checks the volumes that need it, mounts them, makes / writable
 *
 * BootExecute's first image, alone in phase 4a: whatever it meets, the boot must be able to go on,
 * so every trouble is an item and never the end. main only wires. Exit codes, autochk(8): 0 well,
 * 1 something could not be checked, repaired or mounted, 2 usage, 3 repaired and reboot wanted.
 */
#include <stdio.h>
#include <string.h>

#include "autochk/done.h"
#include "autochk/front.h"
#include "autochk/job.h"
#include "autochk/report.h"
#include "base/text.h"
#include "smss-version.h"

enum code { CODE_WELL = 0, CODE_TROUBLE = 1, CODE_USAGE = 2, CODE_REBOOT = 3 };

static const char usage[] =
	"usage: autochk [-n] [/q | /v] [/p VOLUME] [/r VOLUME] [/m VOLUME] [/k:VOLUME] * | "
	"VOLUME...\n"
	"  *          every volume of /etc/fstab with a pass, and /: checked if dirty; then "
	"mounted\n"
	"  VOLUME     a device, TAG=value or mount point: checked if dirty (also /m VOLUME)\n"
	"  /p VOLUME  check it in any case      /r VOLUME  the same, and read its whole surface\n"
	"  /k:VOLUME  do not check it           /q, /v     say less, say more\n"
	"  -n         only say what would be done\n";

static void on_repeat(const struct request *r)
{
	report_itemf(RESULT_SKIPPED, 0, 0, r->volume, "%s has run already for this hive",
		     command_switch(r->how));
}

/* After the root is writable: requests that ran must not run again. */
static void remember(struct job *j)
{
	int r = j->command.dry_run ? 0 : done_write(&j->settings, &j->command);

	if (r < 0)
		report_itemf(RESULT_DEGRADED, -r, 0, DONE_FILE,
			     "not written (%s): the requests will run again", err_text(-r));
}

static void tell_unknown(const struct job *j)
{
	if (j->command.wrong)
		report_item(RESULT_FAILED, 0, 0, j->command.wrong,
			    "not understood on the command line, see autochk(8); the rest is done");
}

static int run(struct job *j)
{
	/* the session manager wants the mounts whatever else is asked */
	bool whole = j->command.all || j->settings.from_master;

	if (j->settings.from_master && !j->command.count)
		j->command.all = true;
	done_drop(&j->settings, &j->command, on_repeat);
	job_load(j);
	if (!j->settings.machine && whole) {
		job_namespace(j);
		return CODE_WELL;
	}
	if (job_check(j))
		return CODE_REBOOT;
	if (whole)
		job_mount(j);
	remember(j);
	if (j->command.wrong)
		return CODE_USAGE;
	return report_failures() ? CODE_TROUBLE : CODE_WELL;
}

int main(int argc, char **argv)
{
	static struct job job;

	command_read(argc > 0 ? argv + 1 : argv, &job.command);
	if (job.command.version) {
		puts("autochk " SMSS_VERSION " (build " SMSS_BUILD_ID ") " SMSS_VENDOR);
		return CODE_WELL;
	}
	if (job.command.help) {
		fputs(usage, stdout);
		return CODE_WELL;
	}
	/* volumes by name are libmount's business */
	front_start(argv, job.command.count > 0);
	settings_read(&job.settings);
	if (!job.settings.from_master &&
	    (job.command.wrong || (!job.command.all && !job.command.count))) {
		if (job.command.wrong)
			fprintf(stderr, "autochk: not understood: %s\n", job.command.wrong);
		fputs(usage, stderr);
		return CODE_USAGE;
	}
	report_open(job.settings.from_master, job.command.verbose ? REPORT_VERBOSE
					      : job.command.quiet ? REPORT_QUIET
								  : REPORT_NORMAL);
	tell_unknown(&job);
	return run(&job);
}
