/* SPDX-License-Identifier: MIT */
/*
 * trace.c - a plugin of QEMU (TCG): writes down which blocks of instructions a boot executes
 *
 * From the first instruction of bench/guest/mark (linked at an address of its own) on, until so
 * many instructions were executed. Output: the blocks (number, address, length), then the sequence
 * of their numbers. bench/profile reads it. QEMU 7.2 as Debian has it ships no header of the
 * plugin interface, so the few declarations needed are here; the interface is version 1.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

typedef void (*translated_fn)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*executed_fn)(unsigned cpu, void *data);
typedef void (*exit_fn)(qemu_plugin_id_t id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, executed_fn cb,
					  enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id, exit_fn cb, void *data);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int
qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv);

struct block {
	uint64_t address;
	uint32_t number, length;
};

static FILE *blocks, *sequence;
static uint64_t first = 0x70000000, past = 0x70100000, left = 40000000;
static uint32_t count;
static bool running;

static void executed(unsigned cpu, void *data)
{
	const struct block *b = data;

	if (!running) {
		if (b->address < first || b->address >= past || !left)
			return;
		running = true;
	}
	fwrite(&b->number, sizeof(b->number), 1, sequence);
	left = left > b->length ? left - b->length : 0;
	running = left != 0;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *b = malloc(sizeof(*b)); /* lives as long as QEMU */

	if (!b)
		abort();
	*b = (struct block){qemu_plugin_tb_vaddr(tb), count++,
			    (uint32_t)qemu_plugin_tb_n_insns(tb)};
	fwrite(b, sizeof(*b), 1, blocks);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void at_exit(qemu_plugin_id_t id, void *data)
{
	fclose(blocks);
	fclose(sequence);
}

/* out=PREFIX [limit=INSTRUCTIONS] */
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	char path[512];
	const char *prefix = "trace";

	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			prefix = argv[i] + 4;
		else if (strncmp(argv[i], "limit=", 6) == 0)
			left = strtoull(argv[i] + 6, NULL, 10);
	}
	snprintf(path, sizeof(path), "%s.blocks", prefix);
	blocks = fopen(path, "w");
	snprintf(path, sizeof(path), "%s.sequence", prefix);
	sequence = fopen(path, "w");
	if (!blocks || !sequence)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
