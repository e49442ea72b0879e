/* SPDX-License-Identifier: MIT */
/*
 * names.c - what many rows show is kept once: the names of images, the reasons why they run
 *
 * A thousand sessions run two or three programs: each row holds a number instead of 48 bytes. A
 * name that nobody shows any more makes room for another. When there is no room a row shows "?";
 * nothing rests on a name.
 */
#include "smss/master/master.h"

#define UNKNOWN 0u /* this place stays empty */

uint8_t name_take(const char *text)
{
	char cut[NAME_BYTES];
	uint8_t room = UNKNOWN;

	str_copy(cut, sizeof(cut), text);
	for (uint8_t i = 1; i < NAMES_MAX; i++) {
		if (!master.names[i].rows) {
			if (!room)
				room = i;
		} else if (str_same(master.names[i].text, cut) &&
			   master.names[i].rows < UINT16_MAX) {
			master.names[i].rows++;
			return i;
		}
		if (room && i > master.names_top)
			break;
	}
	if (room == UNKNOWN)
		return UNKNOWN;
	if (room > master.names_top)
		master.names_top = room;
	master.names[room].rows = 1;
	str_copy(master.names[room].text, NAME_BYTES, cut);
	return room;
}

void name_drop(uint8_t name)
{
	if (name != UNKNOWN && master.names[name].rows)
		master.names[name].rows--;
}

const char *name_text(uint8_t name)
{
	return name == UNKNOWN ? "?" : master.names[name].text;
}
