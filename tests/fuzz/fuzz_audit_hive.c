/* SPDX-License-Identifier: MIT */
/*
 * fuzz_audit_hive.c - any hive and any value: no crash, no hang, and a bounded number of findings
 *
 * The first byte chooses: a hive as smaudit reads it (its checksum is made right, so that what lies
 * behind it is reached), or one registry fact by itself, made of the next bytes. Promises: what is
 * told has a subject and says what it is, what is undecided names what is missing, one value never
 * floods the report, a hive that is stale or damaged is never without a word, and one that is
 * refused has said why.
 */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "registry/regf.h"
#include "registry/utf.h"
#include "smaudit/readers.h"
#include "smaudit/rules.h"

#define HEAD            5u   /* bytes that choose a fact */
#define FLOOD           200u /* findings of one value */
#define FACT_TEXT_BYTES 8192u

static unsigned told, said;

void finding_add(struct finding *f, const char *name, const char *text)
{
	HOLDS(name);
	if (text && f->evidences < EVIDENCE_MAX)
		f->evidence[f->evidences++] = (struct evidence){name, text};
}

void report_add(struct report *r, const struct finding *f)
{
	(void)r;
	told++;
	HOLDS(f->rule < INDICATOR_COUNT && f->severity <= SEVERITY_HIGH);
	HOLDS(f->subject && *f->subject && f->what && *f->what);
	HOLDS(f->verdict == VERDICT_FINDING || (f->verdict == VERDICT_INDETERMINATE && f->missing));
	HOLDS(f->evidences <= EVIDENCE_MAX);
	for (unsigned i = 0; i < f->evidences; i++)
		HOLDS(utf8_valid(f->evidence[i].text, strlen(f->evidence[i].text)));
}

static void on_registry(void *arg, const struct registry_fact *f)
{
	const unsigned before = told;

	touch(f->data, f->data ? f->bytes : 0);
	registry_judge_fact(arg, f);
	HOLDS(told - before <= FLOOD);
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	(void)arg;
	HOLDS(p->file && text && *text && t <= TROUBLE_NOTE);
	said++;
}

static void try_hive(const uint8_t *data, size_t n)
{
	static int kept = -1;
	struct registry_judge *j = registry_judge_new(NULL);
	const struct sink to = {.arg = j, .registry = on_registry, .trouble = on_trouble};
	uint8_t block[512];
	uint64_t records = 0;
	char path[64];

	if (kept < 0)
		kept = memfd_create("fuzz", MFD_CLOEXEC);
	HOLDS(kept >= 0 && ftruncate(kept, 0) == 0 && pwrite(kept, data, n, 0) == (ssize_t)n);
	if (n >= sizeof(block)) {
		memcpy(block, data, sizeof(block));
		regf_put32(block, 508, regf_checksum(block));
		HOLDS(pwrite(kept, block, sizeof(block), 0) == (ssize_t)sizeof(block));
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", kept);
	if (read_hive(path, NULL, 0, &to, &records) < 0)
		HOLDS(said);
	registry_judge_end(j);
	registry_judge_free(j);
}

/* The next text of the input; what is no UTF-8 becomes "?", as facts hold nothing else. */
static const char *next_text(const uint8_t **data, size_t *n, char to[FACT_TEXT_BYTES])
{
	const uint8_t *end = memchr(*data, 0, *n);
	const size_t bytes = end ? (size_t)(end - *data) : *n;
	const size_t room = bytes < FACT_TEXT_BYTES ? bytes : FACT_TEXT_BYTES - 1;

	memcpy(to, *data, room);
	to[room] = '\0';
	if (!utf8_valid(to, room))
		for (size_t i = 0; i < room; i++)
			to[i] = to[i] & (char)0x80 ? '?' : to[i];
	*data += bytes + (end != NULL);
	*n -= bytes + (end != NULL);
	return to;
}

static void try_fact(const uint8_t *data, size_t n)
{
	static const char *const names[] = {
		"BootExecute",
		"SetupExecute",
		"BootShell",
		"PlatformExecute",
		"S0InitialCommand",
		"PendingFileRenameOperations",
		"Execute",
		"1",
		"PendingFileRenameOperations2",
	};
	static char name[FACT_TEXT_BYTES], image[FACT_TEXT_BYTES], display[FACT_TEXT_BYTES];
	struct registry_judge *j;
	struct registry_fact f = {.place = {.file = "SYSTEM"},
				  .key = "ControlSet001\\Control\\Session Manager",
				  .written_ns = NO_TIME};

	if (n < HEAD)
		return;
	f.about = data[0] % (REGISTRY_STATE + 1u);
	f.name = names[data[1] % (sizeof(names) / sizeof(names[0]))];
	f.type = data[2] % 12;
	f.stale = data[3] & 1;
	f.degraded = data[3] & 2;
	f.current = !(data[3] & 4);
	f.setup_in_progress = data[3] & 8;
	f.ours = data[3] & 16;
	data += HEAD;
	n -= HEAD;
	f.data = data;
	f.bytes = n;
	if (f.about == REGISTRY_SERVICE) {
		f.name = next_text(&data, &n, name);
		f.image_path = next_text(&data, &n, image);
		f.display_name = next_text(&data, &n, display);
	}
	j = registry_judge_new(NULL);
	on_registry(j, &f);
	registry_judge_end(j);
	if (f.stale || f.degraded)
		HOLDS(told >= 4);
	registry_judge_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *bytes;

	told = said = 0;
	if (!n)
		return 0;
	bytes = malloc(n); /* exactly as many, so that a step behind them is seen */
	HOLDS(bytes);
	memcpy(bytes, data, n);
	if (bytes[0] & 1)
		try_hive(bytes + 1, n - 1);
	else
		try_fact(bytes + 1, n - 1);
	free(bytes);
	return 0;
}
