/* SPDX-License-Identifier: MIT */
/*
 * policy.c - what a session is held to, see policy.h
 */
#include "plan/policy.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"

#define ABSENT 0xFFFFFFFFu /* no number of the hive is that large in these values */
#define MIB    (1ull << 20)

#define USUAL_WEIGHT 100u /* the kernel's, of processors and disks */

static const struct {
	const char *word;
	uint32_t bit;
} namespaces[] = {
	{"mount", SM_ISOLATE_MOUNT}, {"ipc", SM_ISOLATE_IPC}, {"pid", SM_ISOLATE_PID},
	{"uts", SM_ISOLATE_UTS},     {"net", SM_ISOLATE_NET}, {"dev", SM_ISOLATE_DEV},
};

static const struct {
	const char *word;
	unsigned number; /* the kernel's RLIMIT_* of most machines, x86 and ARM among them */
} limits[] = {
	{"cpu", 0},       {"fsize", 1}, {"data", 2},    {"stack", 3},
	{"core", 4},      {"rss", 5},   {"nproc", 6},   {"nofile", 7},
	{"memlock", 8},   {"as", 9},    {"locks", 10},  {"sigpending", 11},
	{"msgqueue", 12}, {"nice", 13}, {"rtprio", 14}, {"rttime", 15},
};

static bool is_word(const char *s, size_t n, const char *word)
{
	return str_len(word, n + 1) == n && bytes_same(s, word, n);
}

static int limit_number(const char *s, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (is_word(s, n, limits[i].word))
			return (int)limits[i].number;
	return -ENOENT;
}

int policy_limit(const char *name)
{
	return limit_number(name, str_len(name, NAME_BYTES));
}

const char *policy_limit_name(unsigned number)
{
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].number == number)
			return limits[i].word;
	return NULL;
}

/* The next of some words parted by one blank each: its length; 0 at the end. */
static size_t word_at(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != ' ')
		n++;
	return n;
}

/* "mount ipc" */
static int isolation_of(const char *s, struct sm_policy *p)
{
	for (size_t n; *s; s += n + (s[n] == ' ')) {
		uint32_t bit = 0;

		n = word_at(s);
		for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
			if (is_word(s, n, namespaces[i].word))
				bit = namespaces[i].bit;
		if (!bit)
			return -EINVAL;
		p->isolation |= bit;
	}
	if (p->isolation & SM_ISOLATE_DEV)
		p->isolation |= SM_ISOLATE_MOUNT;
	return 0;
}

/* "nofile=1024 core=0" */
static int limits_of(const char *s, struct sm_policy *p)
{
	for (size_t n; *s; s += n + (s[n] == ' ')) {
		size_t name = 0;
		uint64_t value;
		int which;

		n = word_at(s);
		while (name < n && s[name] != '=')
			name++;
		which = limit_number(s, name);
		if (which < 0 || name == n || str_u64(s + name + 1, n - name - 1, &value) < 0)
			return -EINVAL;
		p->limits |= 1u << which;
		p->limit[which] = value;
	}
	return 0;
}

/* 16 hexadecimal digits; "" = nothing is said. */
static int capabilities_of(const char *s, struct sm_policy *p)
{
	char room[19] = "0x";

	if (!s[0])
		return 0;
	if (str_len(s, 17) != 16 || !str_copy(room + 2, sizeof(room) - 2, s) ||
	    str_u64(room, 18, &p->capabilities) < 0)
		return -EINVAL;
	p->given |= SM_GIVEN_CAPABILITIES;
	return 0;
}

/* "-500"; "" = nothing is said. */
static int oom_score_of(const char *s, struct sm_policy *p)
{
	const bool minus = s[0] == '-';
	uint64_t x;

	if (!s[0])
		return 0;
	if (str_u64(s + minus, str_len(s + minus, NAME_BYTES), &x) < 0 || x > 1000)
		return -EINVAL;
	p->oom_score = minus ? -(int32_t)x : (int32_t)x;
	p->given |= SM_GIVEN_OOM;
	return 0;
}

static uint32_t number(const struct plan_header *plan, uint32_t n, const char *name)
{
	uint32_t x = plan_session_number(plan, n, name, ABSENT);

	return x == ABSENT ? 0 : x;
}

static void flags_of(const struct plan_header *plan, uint32_t n, struct sm_policy *p)
{
	uint32_t umask = plan_session_number(plan, n, "Umask", ABSENT);

	if (umask != ABSENT) {
		p->given |= SM_GIVEN_UMASK;
		p->umask = umask;
	}
	if (number(plan, n, "NoNewPrivileges"))
		p->given |= SM_GIVEN_NO_NEW_PRIVS;
}

int policy_of_plan(const struct plan_header *plan, uint32_t session, struct sm_policy *ret)
{
	int texts[4];

	*ret = (struct sm_policy){
		.memory_bytes = number(plan, session, "MemoryMaxMiB") * MIB,
		.io_bytes_s = number(plan, session, "IoMaxMiB") * MIB,
		.processes = number(plan, session, "ProcessesMax"),
		.cpu_percent = number(plan, session, "CpuMaxPercent"),
		.cpu_weight = number(plan, session, "CpuWeight"),
		.io_weight = number(plan, session, "IoWeight"),
		.idle_s = number(plan, session, "IdleTimeout"),
		.lifetime_s = number(plan, session, "MaxLifetime"),
	};
	flags_of(plan, session, ret);
	texts[0] = isolation_of(plan_session_text(plan, session, "Isolation", ""), ret);
	texts[1] = limits_of(plan_session_text(plan, session, "Limits", ""), ret);
	texts[2] = capabilities_of(plan_session_text(plan, session, "Capabilities", ""), ret);
	texts[3] = oom_score_of(plan_session_text(plan, session, "OomScoreAdjust", ""), ret);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i] < 0)
			return texts[i];
	return policy_check(ret);
}

const char *policy_owner(const struct plan_header *plan, uint32_t session)
{
	return plan_session_text(plan, session, "Owner", "");
}

int policy_check(const struct sm_policy *p)
{
	if (p->given & ~SM_GIVEN_ALL || p->isolation & ~SM_ISOLATE_ALL || p->limits >> 16 ||
	    p->cpu_weight > 10000 || p->io_weight > 10000 || p->cpu_percent > 10000000 ||
	    p->umask > 0777 || p->oom_score < -1000 || p->oom_score > 1000 || p->reserved)
		return -EINVAL;
	if (p->given & SM_GIVEN_OWNER && (p->uid == SM_NO_OWNER || p->gid == SM_NO_OWNER))
		return -EINVAL;
	return 0;
}

/* 0 = no limit */
static uint64_t smaller(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

static void limits_add(struct sm_policy *p, const struct sm_policy *more)
{
	for (unsigned i = 0; i < 16; i++) {
		if (!(more->limits >> i & 1))
			continue;
		if (!(p->limits >> i & 1) || more->limit[i] < p->limit[i])
			p->limit[i] = more->limit[i];
		p->limits |= 1u << i;
	}
}

static void given_add(struct sm_policy *p, const struct sm_policy *more)
{
	const uint32_t both = p->given & more->given;

	if (both & SM_GIVEN_CAPABILITIES)
		p->capabilities &= more->capabilities;
	else if (more->given & SM_GIVEN_CAPABILITIES)
		p->capabilities = more->capabilities;
	if (!(both & SM_GIVEN_OOM) && more->given & SM_GIVEN_OOM)
		p->oom_score = more->oom_score;
	else if (both & SM_GIVEN_OOM && more->oom_score > p->oom_score)
		p->oom_score = more->oom_score;
	if (more->given & SM_GIVEN_UMASK)
		p->umask |= more->umask;
	if (more->given & ~p->given & SM_GIVEN_OWNER) {
		p->uid = more->uid;
		p->gid = more->gid;
	}
	p->given |= more->given;
}

static uint32_t at_most_usual(uint32_t weight)
{
	return weight > USUAL_WEIGHT ? USUAL_WEIGHT : weight;
}

void policy_foreign(struct sm_policy *more)
{
	if (more->oom_score < 0)
		more->oom_score = 0;
	more->cpu_weight = at_most_usual(more->cpu_weight);
	more->io_weight = at_most_usual(more->io_weight);
}

int policy_add(struct sm_policy *p, const struct sm_policy *more)
{
	int r = policy_check(more);

	if (r < 0)
		return r;
	if (p->given & more->given & SM_GIVEN_OWNER && p->uid != more->uid)
		return -EACCES;
	p->isolation |= more->isolation;
	if (p->isolation & SM_ISOLATE_DEV)
		p->isolation |= SM_ISOLATE_MOUNT;
	p->memory_bytes = smaller(p->memory_bytes, more->memory_bytes);
	p->io_bytes_s = smaller(p->io_bytes_s, more->io_bytes_s);
	p->processes = (uint32_t)smaller(p->processes, more->processes);
	p->cpu_percent = (uint32_t)smaller(p->cpu_percent, more->cpu_percent);
	p->cpu_weight = (uint32_t)smaller(p->cpu_weight, more->cpu_weight);
	p->io_weight = (uint32_t)smaller(p->io_weight, more->io_weight);
	p->idle_s = (uint32_t)smaller(p->idle_s, more->idle_s);
	p->lifetime_s = (uint32_t)smaller(p->lifetime_s, more->lifetime_s);
	limits_add(p, more);
	given_add(p, more);
	return 0;
}
