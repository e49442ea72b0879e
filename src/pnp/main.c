/* SPDX-License-Identifier: MIT */
/*
 * main.c - pnp, the boot's SerializeBoot: devices there, modules loaded, before anything needs them
 *
 * Started by the master with its connection (fd 3) and the plan (fd 4), once a boot. Loads the
 * modules the administrator named, starts udev or mdev and lets it settle, then waits for the
 * devices that fstab needs. All of it within PnpDeadline; what is missing by then is named and the
 * boot goes on. Devices and modules have no namespace: elsewhere than on the machine itself this
 * does nothing and says so. It must cost next to nothing when there is nothing to do.
 */
#include "companion/companion.h"
#include "pnp/coldplug.h"
#include "pnp/devices.h"
#include "pnp/modules.h"

static const char help[] = "usage: pnp\n"
			   "       pnp --help | --version\n"
			   "Modules and devices at boot. Started by smss, never by hand.\n";

/* What we start gets this and no more: our own words are not theirs. */
static char search_path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
static char *const environment[] = {search_path, NULL};

int main(int argc, char **argv, char **envp)
{
	struct companion c;
	bool modules, devices, coldplug = false;
	enum coldplug who;
	uint64_t until;
	int r = companion_usage("pnp", help, argc, argv);

	if (r >= 0)
		return r;
	if (argc > 1) {
		companion_print(2, help);
		return COMPANION_USAGE;
	}
	r = companion_open(&c, "pnp", envp, false);
	if (r != COMPANION_OK)
		return r;
	c.env = environment;
	if (sys_in_initial_pidns() != 1) {
		companion_item(&c, RESULT_SKIPPED, 0, 0, "pnp",
			       "left alone: devices and modules are the host's");
		return COMPANION_OK;
	}
	until = sys_now_ns() + c.plan->settings.pnp_deadline_s * 1000000000ull;
	modules = modules_load(&c, until);
	who = coldplug_run(&c, until, &coldplug);
	devices = devices_wait(&c, who == COLDPLUG_UDEV && coldplug, until);
	return modules && coldplug && devices ? COMPANION_OK : COMPANION_FAILED;
}
