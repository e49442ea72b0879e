/* SPDX-License-Identifier: MIT */
/*
 * environment.c - phase 3: the system environment, object directories, device links
 *
 * Everything that smss starts later gets exactly the block built here (law 6). The dynamic values
 * are in it at once, unlike NT, where the first processes saw those of the boot before. Source:
 * nt-reference §11, trap 7 of §13.1.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "etc/accounts.h"
#include "smss/boot/boot.h"
#include "smss/boot/devices.h"
#include "smss/boot/envblock.h"
#include "smss/boot/needs_pnp.h"
#include "sys/sys.h"

#define FIRST_PATH "/usr/sbin:/usr/bin:/sbin:/bin"

#if defined(__x86_64__)
#define ARCHITECTURE "AMD64"
#elif defined(__aarch64__)
#define ARCHITECTURE "ARM64"
#elif defined(__i386__)
#define ARCHITECTURE "x86"
#elif defined(__arm__)
#define ARCHITECTURE "ARM"
#else
#define ARCHITECTURE "Unknown"
#endif

struct processor {
	unsigned level, revision;
	char identifier[96];
};

static void hex4(struct text *t, unsigned n)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		text_add_n(t, &"0123456789abcdef"[n >> shift & 15], 1);
}

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

/* The processor says it itself; cheaper than /proc/cpuinfo, which is as long as the machine is
 * wide. */
static void ask_processor(struct processor *p)
{
	unsigned a, b, c, d, family, model;
	char vendor[13] = "";
	struct text t = TEXT_ON(p->identifier);

	if (!__get_cpuid(0, &a, &b, &c, &d))
		return;
	memcpy(vendor, &b, 4);
	memcpy(vendor + 4, &d, 4);
	memcpy(vendor + 8, &c, 4);
	if (!__get_cpuid(1, &a, &b, &c, &d))
		return;
	family = a >> 8 & 15;
	model = a >> 4 & 15;
	if (family == 6 || family == 15)
		model |= a >> 12 & 0xf0;
	if (family == 15)
		family += a >> 20 & 0xff;
	p->level = family;
	p->revision = (model & 0xff) << 8 | (a & 15);
	text_add(&t, str_same(vendor, "GenuineIntel") && sizeof(void *) == 8 ? "Intel64"
		     : sizeof(void *) == 8                                   ? "AMD64"
									     : "x86");
	text_u64(text_add(&t, " Family "), family);
	text_u64(text_add(&t, " Model "), model);
	text_u64(text_add(&t, " Stepping "), a & 15);
	text_add(text_add(&t, ", "), vendor);
}
#else
/* arm64 shows its identification register as "0x00000000410fd0c0"; others show nothing of fixed
 * form. */
static void ask_processor(struct processor *p)
{
	char midr[32];
	struct text t = TEXT_ON(p->identifier);
	uint64_t id;
	ssize_t n =
		sys_read_file(AT_FDCWD, "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1",
			      midr, sizeof(midr));

	if (n < 2 || str_u64(midr, (size_t)n - 1, &id) < 0) {
		text_add(&t, "Unknown");
		return;
	}
	p->level = 8;
	p->revision = (unsigned)((id >> 12 & 0xf00) | (id & 15));
	hex4(text_add(&t, "ARMv8 (64-bit) Family 8 Model "), id >> 4 & 0xfff);
	hex4(text_add(&t, " Revision "), p->revision);
}
#endif

static int set(struct envblock *b, const char *name, const char *value)
{
	return envblock_set(b, name, value, strlen(value));
}

/* An empty block has room for these, so no answer is looked at. */
static void set_dynamic(const struct copy *c, struct envblock *b)
{
	const char *safeboot = copy_word(c, "SMSS_SAFEBOOT", "");
	struct processor p = {0};
	char room[32];
	struct text t;

	ask_processor(&p);
	(void)set(b, "PATH", FIRST_PATH);
	(void)set(b, "OS", "Linux");
	t = TEXT_ON(room);
	text_u64(&t, sys_cpus());
	(void)set(b, "NUMBER_OF_PROCESSORS", room);
	(void)set(b, "PROCESSOR_ARCHITECTURE", ARCHITECTURE);
	(void)set(b, "PROCESSOR_IDENTIFIER", p.identifier);
	t = TEXT_ON(room);
	text_u64(&t, p.level);
	(void)set(b, "PROCESSOR_LEVEL", room);
	t = TEXT_ON(room);
	hex4(&t, p.revision);
	(void)set(b, "PROCESSOR_REVISION", room);
	if (*safeboot)
		(void)set(b, "SAFEBOOT_OPTION",
			  str_same_fold(safeboot, "network") ? "NETWORK" : "MINIMAL");
}

/* Said once, aloud: who stands at the machine must know why half of it is not there. */
static void say_safe_boot(const struct copy *c)
{
	const char *safeboot = copy_word(c, "SMSS_SAFEBOOT", "");
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (!*safeboot || c->plan->settings.builtin)
		return;
	text_add(&t, str_same_fold(safeboot, "network") ? "NETWORK" : "MINIMAL");
	text_add(&t, ": without SetupExecute, Execute, optional subsystems, services not marked, "
		     "automatic logon; a rescue login in session 1");
	copy_item(c, RESULT_DEGRADED, 0, 0, "SafeBoot", room);
}

static void variable_failed(void *with, const char *name, int err)
{
	if (err == EPERM)
		boot_say(with, RESULT_SKIPPED, 0, name, "variable left out: safe boot");
	else
		boot_say(with, RESULT_DEGRADED, err, name, "variable left out");
}

/* Only a copy reads /etc/group; the master gets a number. A group that is not there grants nobody
 * anything, and is said. */
static uint32_t operators(const struct copy *c)
{
	const char *group = plan_text(c->plan, "SessionOperators", "");
	uint32_t gid = SM_NO_OWNER;
	uint64_t number;
	int r;

	if (!*group)
		return SM_NO_OWNER;
	if (str_u64(group, strlen(group), &number) == 0 && number < SM_NO_OWNER)
		return (uint32_t)number;
	r = account_group_find("/etc/group", group, &gid);
	if (r < 0) {
		boot_say(c, RESULT_DEGRADED, -r, "SessionOperators",
			 "no such group: nobody is one");
		return SM_NO_OWNER;
	}
	return gid;
}

static int hand_over(const struct copy *c, const struct envblock *b)
{
	struct sm_message m;
	_close_ int fd = sys_memfd("smss-environment");
	int r;

	if (fd < 0)
		return fd;
	r = sys_write_all(fd, b->bytes, b->used);
	if (r >= 0)
		r = sys_seal(fd);
	if (r < 0)
		return r;
	sm_message_start(&m, SM_ENV_READY, 0, 0);
	m.b.env_ready.operators = operators(c);
	if (!needs_pnp(c, &m.b.env_ready))
		m.b.env_ready.flags |= SM_ENV_NO_PNP;
	r = copy_ask(&m, &fd, 1);
	return r < 0 ? r : m.h.status == SM_OK ? 0 : -EPROTO;
}

/*
 * The hive's ComputerName, before anybody can ask for it: sessions come up side by side, and a
 * login prompt must not be quicker than wininit, which sees to every other case and reports.
 */
static void early_name(const struct copy *c)
{
	const char *name = plan_text(c->plan, "ComputerName", "");

	if (str_same(copy_word(c, "SMSS_MODE", ""), "machine") && str_is_host_name(name))
		(void)!sys_set_hostname(name);
}

int copy_role_environment(struct copy *c)
{
	struct envblock b = {.cap = ENV_BYTES};
	struct envblock_work w = {.failed = variable_failed,
				  .with = c,
				  .safe = copy_word(c, "SMSS_SAFEBOOT", "")[0] != 0};
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	void *scratch;
	int r = sys_scratch((size_t)3 * ENV_BYTES, &scratch);

	(void)sys_umask(022);
	early_name(c);
	if (r >= 0) {
		b.bytes = scratch;
		w.scratch = b.bytes + ENV_BYTES;
		w.before = w.scratch + ENV_BYTES;
		set_dynamic(c, &b);
		envblock_apply(&b, c->plan, &w);
		r = hand_over(c, &b);
	}
	if (r < 0) {
		boot_say(c, RESULT_FAILED, -r, "Environment", "not handed over");
		return r == -EPIPE ? COPY_NO_MASTER : COPY_FAILED;
	}
	text_add(text_u64(&t, b.count), " variables");
	r = boot_publish("environment", b.bytes, b.used);
	if (r < 0)
		boot_say(c, RESULT_DEGRADED, -r, RUN_DIRECTORY "/environment", "not published");
	devices_object_directories(c, &t);
	devices_links(c, &t);
	copy_item(c, RESULT_OK, 0, 0, "Environment", room);
	say_safe_boot(c);
	return COPY_OK;
}
