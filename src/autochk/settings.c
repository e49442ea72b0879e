/* SPDX-License-Identifier: MIT */
/*
 * settings.c - what governs this run; see settings.h
 *
 * Reads, decides nothing.
 */
#include "autochk/settings.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/plan.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

#define DEFAULT_TIMEOUT_S  8u     /* design §5 */
#define DEFAULT_DEADLINE_S 14400u /* plan.h */

static void one_word(const char *word, struct settings *s)
{
	if (str_same(word, "fsck.mode=skip"))
		s->mode = MODE_SKIP;
	else if (str_same(word, "fsck.mode=force"))
		s->mode = MODE_FORCE;
	else if (str_same(word, "fsck.mode=auto"))
		s->mode = MODE_AUTO;
	else if (str_same(word, "fsck.repair=preen"))
		s->repair = REPAIR_PREEN;
	else if (str_same(word, "fsck.repair=yes"))
		s->repair = REPAIR_YES;
	else if (str_same(word, "fsck.repair=no"))
		s->repair = REPAIR_NO;
	else if (str_starts(word, "smss.state=/"))
		str_copy(s->state, sizeof(s->state), word + strlen("smss.state="));
}

void settings_words(char *line, struct settings *s)
{
	char *at = line;

	while (*at) {
		size_t n = strcspn(at, " \t\n");
		bool last = at[n] == 0;

		at[n] = 0;
		one_word(at, s);
		at += n + !last;
	}
}

/*
 * The master has a deadline for autochk as a whole and kills it then. A check ends a little
 * earlier, so that there is time to report it and to mount what can be mounted.
 */
static uint64_t check_end(uint32_t deadline_s)
{
	uint64_t margin_s = deadline_s / 10 < 30 ? deadline_s / 10 : 30;

	return deadline_s ? sys_now_ns() + (deadline_s - margin_s) * 1000000000ull : 0;
}

/*
 * Only fields of the header are read and no offset is followed, so its form is all that must be
 * right; the master has checked the sealed whole, and its checksum is not paid for twice.
 */
static void from_plan(const void *plan, size_t bytes, struct settings *s)
{
	const struct plan_header *p = plan;

	if (bytes < sizeof(*p) || !bytes_same(p->magic, PLAN_MAGIC, sizeof(p->magic)) ||
	    p->version != PLAN_VERSION)
		return;
	s->timeout_s = p->settings.autochk_timeout_s;
	s->skip_system = p->settings.autochk_skip_system;
	s->check_end_ns = check_end(p->settings.autochk_deadline_s);
	s->has_hive = !p->settings.builtin && !bytes_zero(p->hive_sha256, SHA256_BYTES);
	memcpy(s->hive_sha256, p->hive_sha256, SHA256_BYTES);
}

void settings_read(struct settings *ret)
{
	const char *state = getenv("SMSS_STATE");
	char line[COMMAND_LINE_BYTES * 2];
	struct sys_stat st;
	const void *plan;
	size_t bytes;
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	ret->timeout_s = DEFAULT_TIMEOUT_S;
	str_copy(ret->state, sizeof(ret->state), state && *state == '/' ? state : STATE_DIRECTORY);
	ret->from_master = sys_stat_fd(FD_MASTER, &st) == 0 && S_ISSOCK(st.mode);
	ret->check_end_ns = check_end(DEFAULT_DEADLINE_S);
	if (ret->from_master && sys_map_sealed(FD_PLAN, &plan, &bytes) == 0)
		from_plan(plan, bytes, ret);
	ret->machine = sys_in_initial_pidns() == 1;
	if (!ret->machine)
		return;
	n = sys_read_file(AT_FDCWD, "/proc/cmdline", line, sizeof(line) - 1);
	if (n < 0)
		return;
	line[n] = 0;
	settings_words(line, ret);
}
