/* SPDX-License-Identifier: MIT */
/*
 * main.c - smaudit: tells a genuine session manager from an impostor; see smaudit(8)
 *
 * Only wires: options, where the report goes, the run. Exit status: 0 nothing found, 1 findings,
 * 2 an input or usage error, 3 undecided only.
 */
#include "smaudit/options.h"
#include "smaudit/output.h"
#include "smaudit/run.h"

int main(int argc, char **argv)
{
	struct options o;
	struct output out;
	int status, r = options_read(argc, argv, &o);

	if (r)
		return r < 0 ? 2 : 0;
	if (output_open(o.output, &out) < 0)
		return 2;
	status = audit_run(&o, out.to);
	return output_close(&out) < 0 ? 2 : status;
}
