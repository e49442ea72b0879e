/* SPDX-License-Identifier: MIT */
/*
 * stop.c - files the stop that is happening now, so that the next boot can say it
 *
 * Runs with a deadline while the master holds the machine: asks for the stop's text, writes it into
 * boot.state (a sector that exists already, so a full disk does not matter) and adds a line to
 * stops.jsonl. Source: nt-reference §7, design §6 "Critical processes and stops".
 */
#include "smss/copy.h"

#include <errno.h>

#include "base/json.h"
#include "base/text.h"
#include "pending/lines.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define STOPS_FILE "stops.jsonl"

static int append_stop(int dir, const struct sm_stop_text *s)
{
	char room[2048];
	struct text t = TEXT_ON(room);

	text_u64(text_add(&t, "{\"wall_s\":"), s->wall_s);
	text_hex(text_add(&t, ",\"code\":\""), s->code);
	text_add(text_add(&t, "\",\"stop\":\""), stop_word(s->code));
	text_hex(text_add(&t, "\",\"status\":\""), s->status);
	text_add(text_add(&t, "\",\"phase\":\""), phase_word(s->phase));
	json_string(text_add(&t, "\",\"culprit\":"), s->culprit);
	json_string(text_add(&t, ",\"text\":"), s->text);
	text_add(&t, "}\n");
	return t.cut ? -ENOSPC : lines_append(dir, STOPS_FILE, t.at, t.len);
}

int copy_role_stop(struct copy *c)
{
	const struct sm_stop_text *s;
	struct sm_message m;
	_close_ int dir = -1;
	int r;

	sm_message_start(&m, SM_STOP_TEXT, 0, 0);
	m.b.stop_text.which = 1;
	r = copy_ask(&m, NULL, 0);
	if (r < 0)
		return COPY_NO_MASTER;
	if (m.h.status != SM_OK || m.h.length != sizeof(m.b.stop_text)) {
		boot_say(c, RESULT_FAILED, EPROTO, "stop", "the master names no stop");
		return COPY_FAILED;
	}
	s = &m.b.stop_text;
	dir = copy_open_state(c, true);
	if (dir < 0) {
		boot_say(c, RESULT_FAILED, -dir, "stop", "not recorded");
		return COPY_FAILED;
	}
	r = state_record_stop(dir, s->code, s->status, s->phase, s->wall_s, s->culprit, s->text);
	if (r < 0)
		boot_say(c, RESULT_FAILED, -r, STATE_FILE, "stop not recorded");
	if (append_stop(dir, s) < 0 && r >= 0)
		copy_item(c, RESULT_DEGRADED, 0, 0, STOPS_FILE, "could not be written");
	return r < 0 ? COPY_FAILED : COPY_OK;
}
