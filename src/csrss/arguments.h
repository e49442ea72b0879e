/* SPDX-License-Identifier: MIT */
/*
 * arguments.h - csrss's command line: Key=Value words as NT writes them (SubSystems\Windows)
 *
 * All keys NT knows are read and checked; an unknown one is refused, as NT does. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct csrss_arguments {
	const char *object_directory;  /* ObjectDirectory=; "" when not given */
	uint32_t shared_section_kb[3]; /* SharedSection=a,b,c: shared, interactive, non-interactive
					  heap */
	uint32_t max_request_threads;  /* MaxRequestThreads=, default 16 */
	uint32_t server_dlls;          /* how many ServerDll= there were */
};

/*
 * csrss_arguments_read - check every word
 *   argc, argv  as given to main; argv[0] is not looked at
 *   ret         the values; points into argv
 *   ret_bad     the word that is wrong; untouched on success
 * Returns 0, or -EINVAL (unknown key, no "=", a value out of its form).
 */
int csrss_arguments_read(int argc, char *const *argv, struct csrss_arguments *ret,
			 const char **ret_bad);
