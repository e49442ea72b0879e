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

/* "mount ipc": what is no word was refused when the plan was made. */
static uint32_t isolation_of(const char *s)
{
	uint32_t bits = 0;

	while (*s) {
		size_t n = 0;

		while (s[n] && s[n] != ' ')
			n++;
		for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
			if (is_word(s, n, namespaces[i].word))
				bits |= namespaces[i].bit;
		s += n + (s[n] == ' ');
	}
	return bits & SM_ISOLATE_DEV ? bits | SM_ISOLATE_MOUNT : bits;
}

/* "nofile=1024 core=0" */
static void limits_of(const char *s, struct sm_policy *p)
{
	while (*s) {
		size_t n = 0, name = 0;
		uint64_t value;

		while (s[n] && s[n] != ' ')
			n++;
		while (name < n && s[name] != '=')
			name++;
		for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
			if (name < n && is_word(s, name, limits[i].word) &&
			    str_u64(s + name + 1, n - name - 1, &value) == 0) {
				p->limits |= 1u << limits[i].number;
				p->limit[limits[i].number] = value;
			}
		s += n + (s[n] == ' ');
	}
}

/* 16 hexadecimal digits. */
static uint64_t mask_of(const char *s)
{
	uint64_t x = 0;

	for (; *s; s++)
		x = x << 4 | (uint64_t)(*s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10);
	return x;
}

static int32_t signed_of(const char *s)
{
	bool minus = *s == '-';
	uint64_t x = 0;

	(void)!str_u64(s + minus, str_len(s + minus, 8), &x);
	return minus ? -(int32_t)x : (int32_t)x;
}

static uint32_t number(const struct plan_header *plan, uint32_t n, const char *name)
{
	uint32_t x = plan_session_number(plan, n, name, ABSENT);

	return x == ABSENT ? 0 : x;
}

static void given_of_plan(const struct plan_header *plan, uint32_t n, struct sm_policy *p)
{
	const char *mask = plan_session_text(plan, n, "Capabilities", "");
	const char *score = plan_session_text(plan, n, "OomScoreAdjust", "");
	uint32_t umask = plan_session_number(plan, n, "Umask", ABSENT);

	if (mask[0]) {
		p->given |= SM_GIVEN_CAPABILITIES;
		p->capabilities = mask_of(mask);
	}
	if (score[0]) {
		p->given |= SM_GIVEN_OOM;
		p->oom_score = signed_of(score);
	}
	if (umask != ABSENT) {
		p->given |= SM_GIVEN_UMASK;
		p->umask = umask;
	}
	if (number(plan, n, "NoNewPrivileges"))
		p->given |= SM_GIVEN_NO_NEW_PRIVS;
}

void policy_of_plan(const struct plan_header *plan, uint32_t session, struct sm_policy *ret)
{
	*ret = (struct sm_policy){
		.isolation = isolation_of(plan_session_text(plan, session, "Isolation", "")),
		.memory_bytes = number(plan, session, "MemoryMaxMiB") * MIB,
		.io_bytes_s = number(plan, session, "IoMaxMiB") * MIB,
		.processes = number(plan, session, "ProcessesMax"),
		.cpu_percent = number(plan, session, "CpuMaxPercent"),
		.cpu_weight = number(plan, session, "CpuWeight"),
		.io_weight = number(plan, session, "IoWeight"),
		.idle_s = number(plan, session, "IdleTimeout"),
		.lifetime_s = number(plan, session, "MaxLifetime"),
	};
	limits_of(plan_session_text(plan, session, "Limits", ""), ret);
	given_of_plan(plan, session, ret);
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
	if (more->given & SM_GIVEN_OWNER) {
		p->uid = more->uid;
		p->gid = more->gid;
	}
	p->given |= more->given;
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
