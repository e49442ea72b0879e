/* SPDX-License-Identifier: MIT */
/*
 * model_state.c - what a person would expect of boot.state, see model_state.h
 *
 * Must share no code with src/state, but for the calls that state_do makes.
 */
#include "model_state.h"

#include <errno.h>
#include <string.h>

#include "base/words.h"

static const uint8_t hives[4][SHA256_BYTES] = {{1, 2, 3}, {1, 2, 4}, {5}, {6}};
static const uint8_t queue[SHA256_BYTES] = {9, 8, 7};

static void model_stop(struct model *m, uint32_t code)
{
	m->stop_code = code;
	m->stop_count++;
	m->running = 0;
}

static void model_count(struct model *m, unsigned level, const char *id)
{
	if (m->running)
		model_stop(m, strcmp(id, m->boot_id) ? STOP_POWER_LOST : STOP_MASTER_KILLED);
	m->level = level;
	if (level < 2 && m->counted[level] != m->hive[level] + 1) {
		m->counted[level] = m->hive[level] + 1;
		m->attempts[level] = m->early[level] = 0;
	}
	if (m->attempts[level] != STATE_REJECTED)
		m->attempts[level]++;
	m->once = 0;
	m->boots++;
	m->running = 1;
	m->accepted = 0;
	strcpy(m->boot_id, id);
}

void model_do(struct model *m, enum act act, unsigned level)
{
	const char *id = act == ACT_COUNT_SAME ? BOOT_A : BOOT_B;

	switch (act) {
	case ACT_COUNT:
	case ACT_COUNT_SAME:
		model_count(m, level, id);
		break;
	case ACT_ACCEPT:
		if (m->running) {
			m->accepted = 1;
			m->accepted_boots = m->boots;
			m->attempts[m->level] = m->attempts[2] = m->early[m->level] = 0;
		}
		break;
	case ACT_ACCEPT_LKG:
		if (m->running) {
			m->accepted = 1;
			m->accepted_boots = m->boots;
			m->attempts[m->level] = m->attempts[1] = m->attempts[2] = 0;
			m->early[m->level] = m->early[1] = 0;
			m->counted[1] = m->hive[1] + 1;
			m->lkg_s = level ? 1000 * level : m->lkg_s;
		}
		break;
	case ACT_REJECT:
		if (m->running && !m->accepted && m->level < 2)
			m->attempts[m->level] = STATE_REJECTED;
		break;
	case ACT_NEXT_LKG:
		m->once = 2;
		break;
	case ACT_CHANGE:
		m->hive[level & 1] = (m->hive[level & 1] + 1) % 4;
		break;
	case ACT_END:
	case ACT_END_EARLY:
	case ACT_END_UP:
		if (act != ACT_END && m->running && m->attempts[m->level] &&
		    m->attempts[m->level] != STATE_REJECTED &&
		    (act == ACT_END_UP || m->early[m->level] < 10)) {
			m->attempts[m->level]--;
			m->early[m->level] += act == ACT_END_EARLY;
		}
		if (m->running)
			m->running = m->stop_count = 0;
		break;
	case ACT_STOP:
		model_stop(m, STOP_CRITICAL_PROCESS_DIED);
		break;
	case ACT_QUEUE:
		m->queue_done = true;
		break;
	case ACTS:
		break;
	}
}

static bool digest_fits(const uint8_t digest[SHA256_BYTES], unsigned counted)
{
	static const uint8_t none[SHA256_BYTES];

	return !memcmp(digest, counted ? hives[counted - 1] : none, SHA256_BYTES);
}

bool model_fits(const struct model *m, const struct boot_state *s)
{
	return !memcmp(s->attempts, m->attempts, sizeof(m->attempts)) &&
	       !memcmp(s->early_ends, m->early, sizeof(m->early)) && s->level == m->level &&
	       s->running == m->running && s->accepted == m->accepted &&
	       s->stop_code == m->stop_code && s->stop_count == m->stop_count &&
	       s->once == m->once && s->lkg_wall_s == m->lkg_s && s->boots == m->boots &&
	       s->accepted_boots == m->accepted_boots &&
	       digest_fits(s->hive_block_sha256, m->counted[0]) &&
	       digest_fits(s->lkg_block_sha256, m->counted[1]) && !strcmp(s->boot_id, m->boot_id) &&
	       !memcmp(s->queue_done_sha256, queue, SHA256_BYTES) == m->queue_done;
}

int state_do(int dir, enum act act, unsigned level, const unsigned on_disk[2])
{
	const uint8_t *digest = level < 2 ? hives[on_disk[level]] : NULL;
	struct boot_state s;

	switch (act) {
	case ACT_COUNT:
		return state_count_attempt(dir, level, BOOT_B, digest, &s);
	case ACT_COUNT_SAME:
		return state_count_attempt(dir, level, BOOT_A, digest, &s);
	case ACT_ACCEPT:
		return state_accept(dir, NULL, 0);
	case ACT_ACCEPT_LKG:
		return state_accept(dir, hives[on_disk[1]], 1000 * level);
	case ACT_REJECT:
		return state_reject(dir);
	case ACT_NEXT_LKG:
		return state_next_lkg(dir);
	case ACT_CHANGE:
		return 0;
	case ACT_END:
		return state_orderly_end(dir, STATE_END_NOT_UP);
	case ACT_END_EARLY:
		return state_orderly_end(dir, STATE_END_EARLY);
	case ACT_END_UP:
		return state_orderly_end(dir, STATE_END_UP);
	case ACT_STOP:
		return state_record_stop(dir, STOP_CRITICAL_PROCESS_DIED, 5, PHASE_READY, 77,
					 "csrss", "died");
	case ACT_QUEUE:
		return state_queue_done(dir, queue);
	case ACTS:
		break;
	}
	return -EINVAL;
}

/* What the call must answer; 0 = anything that is no error. */
int model_refuses(const struct model *m, enum act act)
{
	if (act != ACT_ACCEPT && act != ACT_ACCEPT_LKG && act != ACT_REJECT)
		return 0;
	if (!m->running)
		return -ESRCH;
	if (act != ACT_REJECT)
		return 0;
	return m->level == 2 ? -EINVAL : m->accepted ? -EEXIST : 0;
}
