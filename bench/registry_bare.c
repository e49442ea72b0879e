/* SPDX-License-Identifier: MIT */
/*
 * registry_bare.c - the least a program can do with libhivex to read what a plan is made of
 *
 * Opens the hive where it lies, as libhivex does, and reads name, type and data of the values of
 * the keys that `smreg plan` loads, and the names of their subkeys. It checks nothing, keeps
 * nothing, makes nothing. Prints the counts.
 */
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long keys, values, bytes;

static void read_key(hive_h *h, hive_node_h node, unsigned depth)
{
	hive_value_h *v = hivex_node_values(h, node);
	hive_node_h *child = hivex_node_children(h, node);

	keys++;
	for (size_t i = 0; v && v[i]; i++) {
		hive_type type;
		size_t n;
		char *name = hivex_value_key(h, v[i]),
		     *data = hivex_value_value(h, v[i], &type, &n);

		values++;
		bytes += data ? n : 0;
		free(name);
		free(data);
	}
	for (size_t i = 0; child && child[i]; i++) {
		free(hivex_node_name(h, child[i]));
		if (depth)
			read_key(h, child[i], depth - 1);
	}
	free(child);
	free(v);
}

static hive_node_h find(hive_h *h, const char *path)
{
	hive_node_h node = hivex_root(h);
	char word[256];

	while (node && *path) {
		size_t n = strcspn(path, "\\");

		snprintf(word, sizeof(word), "%.*s", (int)n, path);
		node = hivex_node_get_child(h, node, word);
		path += n + (path[n] != 0);
	}
	return node;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		unsigned depth;
	} wanted[] = {{"Session Manager", 0},
		      {"Session Manager\\Memory Management", 0},
		      {"Session Manager\\SubSystems", 0},
		      {"Session Manager\\Environment", 0},
		      {"Session Manager\\DOS Devices", 0},
		      {"Session Manager\\KnownDLLs", 0},
		      {"Session Manager\\FileRenameOperations", 0},
		      {"Session Manager\\Sessions", 1},
		      {"SafeBoot", 2},
		      {"CrashControl", 0},
		      {"ComputerName\\ComputerName", 0},
		      {"Winlogon", 0},
		      {"Wininit", 0}};
	hive_h *h = argc == 2 ? hivex_open(argv[1], 0) : NULL;
	hive_node_h select;
	char path[256];
	int set;

	if (!h) {
		fprintf(stderr, "registry_bare: no hive\n");
		return 1;
	}
	select = find(h, "Select");
	set = hivex_value_dword(h, hivex_node_get_value(h, select, "Current"));
	read_key(h, select, 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		hive_node_h node;

		snprintf(path, sizeof(path), "ControlSet%03d\\Control\\%s", set, wanted[i].path);
		node = find(h, path);
		if (node)
			read_key(h, node, wanted[i].depth);
	}
	printf("%lu keys, %lu values, %lu bytes\n", keys, values, bytes);
	hivex_close(h);
	return 0;
}
