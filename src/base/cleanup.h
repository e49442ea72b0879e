/* SPDX-License-Identifier: MIT */
/*
 * cleanup.h - ownership by name: a resource marked here is given back when its scope ends
 *
 * `_close_ int fd = -1;` closes on every way out; `fd_take(fd)` hands it over. `_free_` is for the
 * programs that have a heap (never the master or its copies).
 */
#pragma once

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _must_check_ __attribute__((warn_unused_result))

#define fd_take(fd)                                                                                \
	({                                                                                         \
		int taken_ = (fd);                                                                 \
		(fd) = -1;                                                                         \
		taken_;                                                                            \
	})

/* The door closes fds, so that the simulated kernel sees it too; see sys/sys.h. */
void sys_closep(int *fd);
#define _close_ _cleanup_(sys_closep)

/*
 * Not an inline function: base may not call the heap, and the lint counts symbols. A program that
 * has a heap defines its own in one line:
 *   static inline void freep(void *p) { free(*(void **)p); }
 * and uses `_free_`.
 */
#define _free_ _cleanup_(freep)
