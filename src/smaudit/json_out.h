/* SPDX-License-Identifier: MIT */
/*
 * json_out.h - evidence onto a stream: as JSON, and escaped for people
 *
 * The only two ways in which a string of evidence leaves this program. Nothing that could drive a
 * terminal, turn the direction of a line or hide in it gets through either. A writer of JSON keeps
 * its commas; it holds no tree, so a line costs no memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * out_escaped - UTF-8 for people; what may not be shown becomes \u{HEX}, a stray byte \xHH
 *   most  bytes to show; the rest is told by its size
 * A backslash stays one: paths are full of them. JSON is the exact form.
 */
void out_escaped(FILE *to, const char *s, size_t most);

/* out_hidden - a code point that is blank, invisible or turns directions: never printed as it is.
 */
bool out_hidden(uint32_t c);

#define JSON_OUT_DEPTH 8

struct json_out {
	FILE *to;
	unsigned depth;
	bool comma[JSON_OUT_DEPTH];
};

/* json_out_line - a writer that stands at the beginning of a value. */
struct json_out json_out_line(FILE *to);
/* json_out_open, _close - an object ('{') or array ('['); name NULL inside of an array. */
void json_out_open(struct json_out *j, const char *name, char bracket);
void json_out_close(struct json_out *j, char bracket);
/* json_out_text - text NULL: the member is left out. Stray bytes become the text \xHH. */
void json_out_text(struct json_out *j, const char *name, const char *text);
void json_out_number(struct json_out *j, const char *name, uint64_t n);
void json_out_bool(struct json_out *j, const char *name, bool yes);
void json_out_null(struct json_out *j, const char *name);
/* json_out_end - ends the line. */
void json_out_end(struct json_out *j);
