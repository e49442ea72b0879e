/* SPDX-License-Identifier: MIT */
/*
 * hive_inner.h - what a struct hive is; for hive.c and load.c alone
 */
#pragma once

#include "registry/hive.h"
#include "registry/regf.h"

/* The longest name: 65,535 bytes of Latin-1, in UTF-8, and a NUL. */
#define HIVE_NAME_ROOM (2u * 65535u + 1u)

struct hive {
	struct regf r;
	struct hive_facts facts;
	uint8_t sha256[SHA256_BYTES];
	bool hashed;
	uint64_t damage, keys, values;
	char first_damage[192];
	uint64_t hidden; /* lists that a key's own words hide */
	char first_hidden[192];
	char said[sizeof(((struct hive_facts *)0)->said) + 256];
	char name[HIVE_NAME_ROOM];
};
