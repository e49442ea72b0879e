/* SPDX-License-Identifier: MIT */
/*
 * test_audit_pipe.c - the parent's end of the pipes to the child that reads event logs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "smaudit/evtx.h"

static void a_child_that_takes_nothing_holds_nobody_up(void **state)
{
	static const uint8_t chunk[EVTX_CHUNK_BYTES];
	struct evtx_child c = {.from = -1};
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0);
	c.to = ends[1];
	assert_int_equal(evtx_child_give(&c, chunk), -ETIMEDOUT);
	close(ends[0]);
	close(ends[1]);
	(void)state;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_that_takes_nothing_holds_nobody_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
