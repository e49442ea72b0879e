/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - phase 4b: this boot is counted before the risk; and later: it was good
 *
 * Runs after the disk check, when the state directory can be written. Without it the boot goes on
 * and everything that needs state is off, said once (design §3). Source: design §6 LastKnownGood,
 * peers §6b 32.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define BOOT_ID_BYTES 36u

/* The kernel's name of this boot; without /proc there is none, and then every boot is another one.
 */
static void read_boot_id(char ret[BOOT_ID_BYTES + 1])
{
	char room[64];
	ssize_t n = sys_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", room, sizeof(room));

	ret[0] = 0;
	if (n < (ssize_t)BOOT_ID_BYTES)
		return;
	memcpy(ret, room, BOOT_ID_BYTES);
	ret[BOOT_ID_BYTES] = 0;
}

static void say_last_stop(const struct copy *c, const struct boot_state *s)
{
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, "the last boot ended by "), stop_word(s->stop_code));
	text_add(text_hex(text_add(&t, " ("), s->stop_code), ")");
	if (s->stop_culprit[0])
		text_add(text_add(&t, ", "), s->stop_culprit);
	if (s->stop_text[0])
		text_add(text_add(&t, ": "), s->stop_text);
	if (s->stop_count > 1)
		text_u64(text_add(&t, "; in a row: "), s->stop_count);
	copy_item(c, RESULT_DEGRADED, 0, 0, "LastStop", room);
}

/* For `smctl stops`: the master has no disk of its own. */
static void tell_last_stop(const struct boot_state *s)
{
	struct sm_message m;

	sm_message_start(&m, SM_STOP_TEXT, 0, 0);
	m.b.stop_text.code = s->stop_code;
	m.b.stop_text.status = s->stop_status;
	m.b.stop_text.phase = s->stop_phase;
	m.b.stop_text.wall_s = s->stop_wall_s;
	str_copy(m.b.stop_text.culprit, sizeof(m.b.stop_text.culprit), s->stop_culprit);
	str_copy(m.b.stop_text.text, sizeof(m.b.stop_text.text), s->stop_text);
	if (copy_ask(&m, NULL, 0) < 0)
		return; /* the item has been sent already, or nothing can be */
}

static int count(const struct copy *c, struct boot_state *ret, bool *ret_unknown_end)
{
	_close_ int dir = copy_open_state(c, true);
	struct boot_state before;
	uint8_t digest[SHA256_BYTES];
	char boot_id[BOOT_ID_BYTES + 1];
	int r;

	if (dir < 0)
		return dir;
	r = state_read(dir, &before);
	if (r < 0)
		return r;
	if (r == STATE_DAMAGED)
		copy_item(c, RESULT_DEGRADED, EILSEQ, 0, STATE_FILE,
			  "damaged; kept as " STATE_FILE ".bad, counting begins anew");
	/* At the built-in level the hive that failed is remembered, so that only a changed one is
	 * tried. */
	memcpy(digest, before.hive_block_sha256, SHA256_BYTES);
	if (!c->plan->settings.builtin)
		sha256_of(c->plan->hive_block, HIVE_BLOCK_BYTES, digest);
	read_boot_id(boot_id);
	r = state_count_attempt(dir, c->n, boot_id, digest, ret);
	if (r < 0)
		return r;
	*ret_unknown_end = r > 0;
	return 0;
}

int copy_role_state(struct copy *c)
{
	struct boot_state s = {0};
	bool unknown_end = false;
	struct sm_message m;
	struct text t;
	int r = c->n < STATE_LEVELS ? count(c, &s, &unknown_end) : -EINVAL;
	const int failure = r;

	sm_message_start(&m, SM_STATE_READY, 0, 0);
	t = TEXT_ON(m.b.state_ready.text);
	if (r >= 0) {
		m.b.state_ready.writable = 1;
		m.b.state_ready.attempts = s.attempts[c->n];
		m.b.state_ready.flags = unknown_end ? 1 : 0;
		if (s.stop_count) {
			say_last_stop(c, &s);
			tell_last_stop(&s);
		}
	} else {
		text_add(text_add(&t, "state is off, no attempt counted: "), err_text(-r));
		copy_item(c, RESULT_DEGRADED, -r, 0, copy_word(c, "SMSS_STATE", STATE_DIRECTORY),
			  m.b.state_ready.text);
	}
	r = copy_ask(&m, NULL, 0);
	if (r < 0)
		return COPY_NO_MASTER;
	return failure < 0 || m.h.status != SM_OK ? COPY_FAILED : COPY_OK;
}

int copy_role_accept(struct copy *c)
{
	_close_ int dir = copy_open_state(c, true);
	int r = dir < 0 ? dir : state_accept(dir);

	boot_say(c, r < 0 ? RESULT_FAILED : RESULT_OK, r < 0 ? -r : 0, "BootGood",
		 r < 0 ? "not recorded" : "this boot is good");
	return r < 0 ? COPY_FAILED : COPY_OK;
}
