/* SPDX-License-Identifier: MIT */
/*
 * time.c - the times that evidence is written in, as nanoseconds since 1970 in UTC
 *
 * A time without a zone counts as UTC, as Sysmon and Volatility write it. What is not wholly a time
 * is none: a guess would move a boot.
 */
#include <stdbool.h>
#include <string.h>

#include "smaudit/readers.h"

#define SECOND_NS      INT64_C(1000000000)
#define FILETIME_EPOCH INT64_C(116444736000000000) /* 1970 in 100 ns since 1601 */
#define YEAR_MIN       1678                        /* of what 64 bits of nanoseconds can say */
#define YEAR_MAX       2261

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Exactly n digits; false = there are not so many. */
static bool take_number(const char **s, unsigned n, int *ret)
{
	int value = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!is_digit((*s)[i]))
			return false;
		value = value * 10 + ((*s)[i] - '0');
	}
	*s += n;
	*ret = value;
	return true;
}

/* Digits behind a point or comma, as nanoseconds; what is finer is cut. */
static int64_t take_fraction(const char **s)
{
	int64_t ns = 0, unit = SECOND_NS / 10;

	if ((**s != '.' && **s != ',') || !is_digit((*s)[1]))
		return 0;
	for ((*s)++; is_digit(**s); (*s)++, unit /= 10)
		ns += (**s - '0') * unit;
	return ns;
}

static int64_t days_before(int year, int month, int day)
{
	int64_t y = month > 2 ? year : year - 1;
	int64_t m = month > 2 ? month - 3 : month + 9;

	/* years that begin in March have their odd day at the end */
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool date_exists(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= YEAR_MIN && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] + (leap && month == 2);
}

/* "Z", "UTC", "+02:00", "-0700" or nothing: seconds east. */
static bool take_zone(const char **s, int64_t *ret_east_s)
{
	const char *p = *s;
	int sign, hours, minutes = 0;

	while (*p == ' ')
		p++;
	*ret_east_s = 0;
	if (*p == 'Z' || *p == 'z') {
		*s = p + 1;
		return true;
	}
	if (!strncmp(p, "UTC", 3) || !strncmp(p, "GMT", 3)) {
		*s = p + 3;
		return true;
	}
	if (*p != '+' && *p != '-') {
		*s = p;
		return true;
	}
	sign = *p++ == '-' ? -1 : 1;
	if (!take_number(&p, 2, &hours))
		return false;
	if (*p == ':')
		p++;
	if (is_digit(*p) && !take_number(&p, 2, &minutes))
		return false;
	if (hours > 18 || minutes > 59)
		return false;
	*ret_east_s = sign * (hours * 3600 + minutes * 60);
	*s = p;
	return true;
}

static bool only_blanks(const char *s)
{
	while (*s == ' ' || *s == '\r' || *s == '\n' || *s == '\t')
		s++;
	return *s == '\0';
}

struct clock { /* a day's */
	int hour, minute, second;
	int64_t fraction_ns;
};

static int64_t moment(int64_t days, const struct clock *c, int64_t east_s)
{
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return NO_TIME;
	return (days * 86400 + c->hour * 3600 + c->minute * 60 + c->second - east_s) * SECOND_NS +
	       c->fraction_ns;
}

/* YYYY-MM-DD[T ]HH:MM[:SS[.fraction]][ zone] */
static int64_t read_date(const char *s)
{
	struct clock c = {0};
	int year, month, day;
	int64_t east_s;
	char between;

	if (!take_number(&s, 4, &year) || (*s != '-' && *s != '/'))
		return NO_TIME;
	between = *s++;
	if (!take_number(&s, 2, &month) || *s++ != between || !take_number(&s, 2, &day))
		return NO_TIME;
	if (!date_exists(year, month, day))
		return NO_TIME;
	if ((*s == 'T' || *s == 't' || *s == ' ') && is_digit(s[1])) {
		s++;
		if (!take_number(&s, 2, &c.hour) || *s++ != ':' || !take_number(&s, 2, &c.minute))
			return NO_TIME;
		if (*s == ':') {
			s++;
			if (!take_number(&s, 2, &c.second))
				return NO_TIME;
			c.fraction_ns = take_fraction(&s);
		}
	}
	if (!take_zone(&s, &east_s) || !only_blanks(s))
		return NO_TIME;
	return moment(days_before(year, month, day), &c, east_s);
}

/* CIM's 20200904070736.123456+120: the zone is in minutes. */
static int64_t read_cim(const char *s)
{
	struct clock c;
	int year, month, day, east_min = 0, sign = 1;

	if (!take_number(&s, 4, &year) || !take_number(&s, 2, &month) ||
	    !take_number(&s, 2, &day) || !take_number(&s, 2, &c.hour) ||
	    !take_number(&s, 2, &c.minute) || !take_number(&s, 2, &c.second))
		return NO_TIME;
	c.fraction_ns = take_fraction(&s);
	if (*s == '+' || *s == '-') {
		sign = *s++ == '-' ? -1 : 1;
		if (!take_number(&s, 3, &east_min))
			return NO_TIME;
	}
	if (!date_exists(year, month, day) || !only_blanks(s))
		return NO_TIME;
	return moment(days_before(year, month, day), &c, sign * east_min * 60);
}

static int64_t scaled(int64_t value, int64_t unit_ns)
{
	int64_t ns;

	return __builtin_mul_overflow(value, unit_ns, &ns) ? NO_TIME : ns;
}

static int64_t from_filetime(int64_t value)
{
	/* 0 and "never" are no times */
	if (value <= 0 || value == INT64_MAX || value / 10000000 > INT64_C(20500000000))
		return NO_TIME;
	return scaled(value - FILETIME_EPOCH, 100);
}

/* A bare number: how many digits it has says what it counts. */
static int64_t read_count(const char *s, unsigned digits)
{
	int64_t value = 0, ns;

	if (digits > 19)
		return NO_TIME;
	for (unsigned i = 0; i < digits; i++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, s[i] - '0', &value))
			return NO_TIME;
	}
	s += digits;
	if (digits > 11 && !only_blanks(s))
		return NO_TIME;
	switch (digits) {
	case 12 ... 14:
		return scaled(value, 1000000);
	case 15 ... 16:
		return scaled(value, 1000);
	case 17:
	case 18:
		return from_filetime(value);
	case 19:
		return value;
	default:
		ns = scaled(value, SECOND_NS);
		if (ns == NO_TIME || __builtin_add_overflow(ns, take_fraction(&s), &ns))
			return NO_TIME;
		return only_blanks(s) ? ns : NO_TIME;
	}
}

static int64_t read_hex(const char *s)
{
	int64_t value = 0;
	unsigned n = 0;

	for (; *s && !only_blanks(s); s++, n++) {
		int digit = is_digit(*s) ? *s - '0' : (*s | 0x20) - 'a' + 10;

		if (n >= 16 || digit > 15 || digit < 0 || (!is_digit(*s) && digit < 10))
			return NO_TIME;
		value = (int64_t)((uint64_t)value << 4 | (uint64_t)digit);
	}
	return n ? from_filetime(value) : NO_TIME;
}

/* "/Date(1599203260123)/", also with a zone, which does not move it. */
static int64_t read_wrapped(const char *s)
{
	int64_t ms = 0;
	bool negative = *s == '-';
	unsigned n = 0;

	for (s += negative; is_digit(*s); s++, n++) {
		if (n >= 16)
			return NO_TIME;
		ms = ms * 10 + (*s - '0');
	}
	if ((*s == '+' || *s == '-') && is_digit(s[1]))
		for (s++; is_digit(*s);)
			s++;
	if (!n || strncmp(s, ")/", 2) != 0 || !only_blanks(s + 2))
		return NO_TIME;
	return scaled(negative ? -ms : ms, 1000000);
}

static int64_t read_any(const char *text)
{
	unsigned digits = 0;

	if (!text)
		return NO_TIME;
	while (*text == ' ' || *text == '\t')
		text++;
	if (!strncmp(text, "/Date(", 6))
		return read_wrapped(text + 6);
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return read_hex(text + 2);
	while (is_digit(text[digits]))
		digits++;
	if (digits == 4 && (text[4] == '-' || text[4] == '/'))
		return read_date(text);
	if (digits == 14 && text[14] == '.')
		return read_cim(text);
	return digits ? read_count(text, digits) : NO_TIME;
}

int64_t time_read(const char *text)
{
	const int64_t ns = read_any(text);

	/* What is reckoned with a time must not leave 64 bits: the years that a date may have. */
	if (ns == NO_TIME || ns < days_before(YEAR_MIN, 1, 1) * 86400 * SECOND_NS ||
	    ns >= days_before(YEAR_MAX + 1, 1, 1) * 86400 * SECOND_NS)
		return NO_TIME;
	return ns;
}
