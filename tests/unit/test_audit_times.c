/* SPDX-License-Identifier: MIT */
/*
 * test_audit_times.c - times are read as they were meant, or not at all
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "smaudit/readers.h"

#define AT_NS INT64_C(1599203260123000000)

static void times_are_read_as_they_were_meant(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
	} cases[] = {
		{"2020-09-04 07:07:40.123", AT_NS},
		{"2020-09-04T07:07:40.123Z", AT_NS},
		{"2020-09-04T09:07:40.123+02:00", AT_NS},
		{"2020-09-04T02:37:40.123-0430", AT_NS},
		{"2020-09-04 07:07:40.123000 UTC", AT_NS},
		{"2020-09-04 07:07:40.1230000", AT_NS},
		{" 2020-09-04 07:07:40,123 ", AT_NS},
		{"20200904090740.123000+120", AT_NS},
		{"/Date(1599203260123)/", AT_NS},
		{"/Date(1599203260123+0200)/", AT_NS},
		{"1599203260", INT64_C(1599203260000000000)},
		{"1599203260.123", AT_NS},
		{"1599203260123", AT_NS},
		{"1599203260123000", AT_NS},
		{"1599203260123000000", AT_NS},
		{"132436768601230000", AT_NS},
		{"0x1d6828a13ad4ab0", AT_NS},
		{"2020-09-04", INT64_C(1599177600000000000)},
		{"2000-02-29 00:00:00", INT64_C(951782400000000000)},
		{"1969-12-31T23:59:59Z", INT64_C(-1000000000)},
		{"0", 0},
		{NULL, NO_TIME},
		{"", NO_TIME},
		{"N/A", NO_TIME},
		{"yesterday", NO_TIME},
		{"2020-13-04 07:07:40", NO_TIME},
		{"2100-02-29 07:07:40", NO_TIME},
		{"2020-09-04 25:07:40", NO_TIME},
		{"2020-09-04 07:07:40 or so", NO_TIME},
		{"1601-01-01 00:00:00", NO_TIME},
		{"9999-01-01 00:00:00", NO_TIME},
		{"9/4/2020 7:07:40 AM", NO_TIME},
		{"99999999999999999999", NO_TIME},
		{"9223372036854775808", NO_TIME},
		{"0x0", NO_TIME},
		{"0x7fffffffffffffff", NO_TIME},
		{"9223372036854775807", NO_TIME},
		{"9214646399", 9214646399 * INT64_C(1000000000)},
		{"9214646400", NO_TIME},
		{"/Date(9214646399999)/", 9214646399999 * INT64_C(1000000)},
		{"/Date(-9223372036854)/", NO_TIME},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (time_read(cases[i].text) != cases[i].ns)
			fail_msg("%s: %lld", cases[i].text, (long long)time_read(cases[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_as_they_were_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
