/* SPDX-License-Identifier: MIT */
/*
 * show.c - how smctl shows times, results, foreign text and JSON
 *
 * Foreign text reaches a terminal only through show_text(): a console must not be driven by the
 * name of a file or a process. Units are always written.
 */
#include "smctl/smctl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "etc/accounts.h"
#include "smctl/table.h"

#define SHOW_BYTES   4096
#define FIELD_NAME   12
#define FIELD_INDENT 2  /* of what stands below its name */
#define FIELD_LEAST  28 /* columns for both side by side */

/* A printf may show several values at once, so there is more than one buffer. */
static char *room(void)
{
	static char buffers[4][SHOW_BYTES];
	static unsigned next;

	return buffers[next++ % ARRAY_SIZE(buffers)];
}

const char *show_text(const char *s)
{
	static const char digits[] = "0123456789ABCDEF";
	char *to = room();
	size_t n = 0;

	for (; *s && n + 5 < SHOW_BYTES; s++) {
		unsigned char c = (unsigned char)*s;

		if (c >= 0x20 && c < 0x7F) {
			to[n++] = *s;
			continue;
		}
		to[n++] = '\\';
		to[n++] = 'x';
		to[n++] = digits[c >> 4];
		to[n++] = digits[c & 15];
	}
	to[n] = 0;
	return to;
}

const char *show_duration(uint64_t ns)
{
	char *to = room();
	uint64_t s = ns / 1000000000u;

	if (ns < 1000000u)
		(void)snprintf(to, SHOW_BYTES, "%.2f ms", (double)ns / 1e6);
	else if (ns < 1000000000u)
		(void)snprintf(to, SHOW_BYTES, "%.1f ms", (double)ns / 1e6);
	else if (s < 60)
		(void)snprintf(to, SHOW_BYTES, "%.2f s", (double)ns / 1e9);
	else if (s < 3600)
		(void)snprintf(to, SHOW_BYTES, "%llu min %02llu s", (unsigned long long)(s / 60),
			       (unsigned long long)(s % 60));
	else if (s < 86400)
		(void)snprintf(to, SHOW_BYTES, "%llu h %02llu min", (unsigned long long)(s / 3600),
			       (unsigned long long)(s / 60 % 60));
	else
		(void)snprintf(to, SHOW_BYTES, "%llu d %02llu h", (unsigned long long)(s / 86400),
			       (unsigned long long)(s / 3600 % 24));
	return to;
}

const char *show_since(uint64_t ns, uint64_t origin_ns)
{
	char *to = room();

	(void)snprintf(to, SHOW_BYTES, "%.3f",
		       ns > origin_ns ? (double)(ns - origin_ns) / 1e9 : 0.0);
	return to;
}

const char *show_time(uint64_t wall_s)
{
	char *to = room();
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(to, SHOW_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return "?";
	return to;
}

const char *show_size(uint64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes / 1024;
	char *to = room();
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(to, SHOW_BYTES, "%" PRIu64 " bytes", bytes);
		return to;
	}
	for (; n >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		n /= 1024;
	(void)snprintf(to, SHOW_BYTES, "%.1f %s", n, units[unit]);
	return to;
}

const char *show_number(uint64_t n)
{
	char *to = room();

	(void)snprintf(to, SHOW_BYTES, "%" PRIu64, n);
	return to;
}

const char *show_user(uint32_t uid)
{
	struct account who;

	if (uid == SM_NO_USER)
		return "-";
	if (account_find_id("/etc/passwd", uid, &who) == 0)
		return show_text(who.name);
	return show_number(uid);
}

const char *show_state(const struct sm_session *row)
{
	char *to = room();

	(void)snprintf(to, SHOW_BYTES, "%s%s", sm_session_state_word(row->state),
		       row->frozen ? ", frozen" : "");
	return to;
}

const char *show_isolation(uint32_t isolation)
{
	struct text t = text_start(room(), SHOW_BYTES);
	bool any = false;

	for (uint32_t bit = 1; bit && bit <= isolation; bit <<= 1) {
		if (!(isolation & bit))
			continue;
		text_add(text_add(&t, any ? " " : ""), sm_isolation_word((enum sm_isolation)bit));
		any = true;
	}
	return any ? t.at : "-";
}

/* Broken at blanks and behind commas, its later lines below its first. */
static void put_folded(const char *text, size_t indent, size_t width)
{
	while (width > indent && strlen(text) > width - indent) {
		const size_t most = width - indent;
		size_t n = most;

		while (n && text[n] != ' ' && text[n - 1] != ',')
			n--;
		n = n ? n : most; /* one long word */
		printf("%.*s\n%*s", (int)n, text, (int)indent, "");
		text += n + strspn(text + n, " ");
	}
	puts(text);
}

void show_field(const char *what, const char *format, ...)
{
	const unsigned width = show_width();
	char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	if (width && width < FIELD_LEAST) /* a narrow column beside the names is no text */
		printf("%.*s\n%*s", (int)width, what, FIELD_INDENT, "");
	else
		printf("%-*s", FIELD_NAME, what);
	put_folded(text ? text : "", width && width < FIELD_LEAST ? FIELD_INDENT : FIELD_NAME,
		   width);
	free(text);
}

const char *show_result(const struct sm_boot_entry *e)
{
	const char *word = sm_result_word(e->result);
	char *to;

	if (e->detail == 0)
		return word;
	to = room();
	if (e->result == SM_RESULT_CRASHED)
		(void)snprintf(to, SHOW_BYTES, "%s (signal %d)", word, e->detail);
	else if (e->detail < 0)
		(void)snprintf(to, SHOW_BYTES, "%s (%s)", word, err_text(-e->detail));
	else
		(void)snprintf(to, SHOW_BYTES, "%s (%d)", word, e->detail);
	return to;
}

bool show_utf8(void)
{
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

	if (!isatty(STDOUT_FILENO))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "UTF8");
	}
	return false;
}

/* ---- JSON ---- */

/* Bytes of the UTF-8 sequence at s; 0 when it is none (overlong forms and surrogates are none). */
static unsigned utf8_length(const unsigned char *s)
{
	unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;

	if (s[0] > 0xF4)
		return 0;
	for (unsigned i = 1; i < n; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) ||
	    (s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F))
		return 0;
	return n;
}

void json_put(json_object *o, const char *key, json_object *value)
{
	(void)json_object_object_add(o, key, value);
}

void json_put_text(json_object *o, const char *key, const char *s)
{
	char *to = room();
	size_t n = 0;

	while (*s && n + 5 < SHOW_BYTES) {
		unsigned length = utf8_length((const unsigned char *)s);

		if (length)
			memcpy(to + n, s, length);
		else
			(void)snprintf(to + n, 5, "\\x%02X", (unsigned char)*s);
		n += length ? length : 4;
		s += length ? length : 1;
	}
	json_put(o, key, json_object_new_string_len(to, (int)n));
}

void json_put_number(json_object *o, const char *key, uint64_t n)
{
	json_put(o, key, json_object_new_uint64(n));
}

void json_put_bool(json_object *o, const char *key, bool b)
{
	json_put(o, key, json_object_new_boolean(b));
}

int json_show(json_object *o, bool one_line)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		    (one_line ? JSON_C_TO_STRING_PLAIN
			      : JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	bool good = puts(json_object_to_json_string_ext(o, flags)) >= 0 && fflush(stdout) == 0;

	(void)json_object_put(o);
	return good ? SMCTL_OK : SMCTL_FAILED;
}

static json_object *json_isolation(uint32_t isolation)
{
	json_object *list = json_object_new_array();

	for (uint32_t bit = 1; bit && bit <= isolation; bit <<= 1)
		if (isolation & bit)
			(void)json_object_array_add(list, json_object_new_string(sm_isolation_word(
								  (enum sm_isolation)bit)));
	return list;
}

json_object *json_session(const struct sm_session *row)
{
	json_object *o = json_object_new_object();

	json_put_number(o, "session", row->session);
	json_put_text(o, "state", sm_session_state_word(row->state));
	json_put_number(o, "csrss_pid", row->csrss_pid);
	json_put_number(o, "initial_pid", row->initial_pid);
	json_put_number(o, "copy_pid", row->copy_pid);
	json_put_text(o, "initial", row->initial);
	json_put_text(o, "console", row->console);
	json_put_text(o, "hold", sm_session_hold_word(row->hold));
	json_put(o, "isolation", json_isolation(row->isolation));
	json_put(o, "owner", row->owner == SM_NO_USER ? NULL : json_object_new_uint64(row->owner));
	json_put_bool(o, "frozen", row->frozen);
	json_put_bool(o, "kept", row->kept);
	json_put_number(o, "restarts", row->restarts);
	json_put_number(o, "idle_s", row->idle_s);
	json_put(o, "ends_ns", row->ends_ns ? json_object_new_uint64(row->ends_ns) : NULL);
	json_put_number(o, "failures", row->failures);
	json_put(o, "retry_ns", row->retry_ns ? json_object_new_uint64(row->retry_ns) : NULL);
	json_put_number(o, "created_ns", row->created_ns);
	json_put_number(o, "ready_us", row->ready_us);
	return o;
}

json_object *json_boot_entry(const struct sm_boot_entry *e)
{
	json_object *o = json_object_new_object();

	json_put_number(o, "number", e->number);
	json_put_text(o, "phase", e->phase);
	json_put_text(o, "kind", sm_boot_kind_word(e->kind));
	json_put_text(o, "name", e->name);
	json_put_text(o, "result", sm_result_word(e->result));
	json_put(o, "detail", json_object_new_int(e->detail));
	json_put_number(o, "pid", e->pid);
	json_put_number(o, "start_ns", e->start_ns);
	json_put(o, "duration_us",
		 e->end_ns == 0 || e->end_ns < e->start_ns
			 ? NULL
			 : json_object_new_uint64((e->end_ns - e->start_ns) / 1000u));
	json_put_text(o, "text", e->text);
	return o;
}
