/* SPDX-License-Identifier: MIT */
/*
 * plan_keys.c - the keys of a plan whose subkeys mean something: Sessions and SafeBoot
 *
 * And those that stand where no subkey is read: a hive of Windows has many, but a mistyped one
 * loses what lies in it. The lists of a safe boot are NT's: a subkey of SafeBoot\Minimal or
 * SafeBoot\Network names a service, its default value says what it is (nt-reference §2.7).
 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/draft.h"
#include "registry/utf.h"

static void key_at(struct draft *d, enum schema_key key, const char *name)
{
	d->at = draft_text(d, "%s\\%s%s%s\\", schema_key_path(key), d->below ? d->below : "",
			   d->below ? "\\" : "", draft_show(d, name));
}

/* What is said of a key that nobody reads; near is the name that might have been meant. */
static void unread(struct draft *d, enum schema_key key, const char *name, const char *near)
{
	const struct schema_row *row = schema_find(key, name);

	if (row && str_same_fold(row->name, name))
		draft_say(d, PLAN_NOTE_UNKNOWN, "%s is a value, not a key", row->name);
	else if (near)
		draft_say(d, PLAN_NOTE_UNKNOWN, "no key of that name is known; did you mean %s?",
			  near);
	else
		draft_say(d, PLAN_NOTE_UNKNOWN, "no key of that name is known here");
}

static bool session_name(const char *name)
{
	uint64_t n;

	if (schema_name(SCHEMA_SESSION_KEYS, name))
		return true;
	return name[0] >= '0' && name[0] <= '9' && (name[0] != '0' || !name[1]) &&
	       str_u64(name, strlen(name), &n) == 0 && n < SESSIONS_MAX;
}

/* A key of ours that belongs somewhere else: its path below Control. */
static const char *elsewhere(struct draft *d, const char *name)
{
	const char *near = schema_suggest_name(SCHEMA_CONTROL_KEYS, name);

	if (!near)
		near = schema_name(SCHEMA_CONTROL_KEYS, name);
	if (near)
		return near;
	near = schema_name(SCHEMA_MANAGER_KEYS, name);
	if (!near)
		near = schema_suggest_name(SCHEMA_MANAGER_KEYS, name);
	return near ? draft_text(d, "Session Manager\\%s", near) : NULL;
}

/* Whether somebody reads it; near is set only when nobody does. */
static bool is_read(struct draft *d, enum schema_key key, const char *name, const char **ret_near)
{
	static const enum schema_names names[KEY_COUNT] = {
		[KEY_SESSION_MANAGER] = SCHEMA_MANAGER_KEYS,
		[KEY_SESSIONS] = SCHEMA_SESSION_KEYS,
		[KEY_SAFE_BOOT] = SCHEMA_SAFE_KEYS,
	};
	const enum schema_names where = names[key]; /* 0 = no subkey of that key is read */

	*ret_near = NULL;
	if (!d->below &&
	    ((key == KEY_SESSIONS && session_name(name)) || (where && schema_name(where, name))))
		return true;
	if (!d->below && where)
		*ret_near = schema_suggest_name(where, name);
	if (!*ret_near)
		*ret_near = elsewhere(d, name);
	return false;
}

void keys_unread(struct draft *d, enum schema_key key, const struct reg_key *k)
{
	for (uint32_t i = 0; k && i < k->child_count && !d->failed; i++) {
		const char *name = k->children[i]->name, *near;

		if (is_read(d, key, name, &near))
			continue;
		key_at(d, key, name);
		if (!d->below && schema_nt_subkey(key, name))
			draft_say(d, REMARK_UNUSED, "NT's own key, not used here");
		else if (key == KEY_SESSIONS && !d->below && !near)
			draft_say(d, PLAN_NOTE_UNKNOWN,
				  "must be Default or a number from 0 to %u; not used",
				  SESSIONS_MAX - 1);
		else
			unread(d, key, name, near);
	}
}

void keys_sessions(struct draft *d, const struct reg_key *k)
{
	for (uint32_t i = 0; k && i < k->child_count && !d->failed; i++) {
		const struct reg_key *sub = k->children[i];

		if (!session_name(sub->name))
			continue;
		d->session = str_same_fold(sub->name, "Default") ? "Default" : sub->name;
		d->below = d->session;
		draft_values(d, sub, KEY_SESSIONS);
		keys_unread(d, KEY_SESSIONS, sub);
		d->session = d->below = NULL;
	}
}

/* The name becomes one in a directory of services: nothing else than a plain one will do. */
static void add_mark(struct draft *d)
{
	const char *name = d->key->name, *fault = NULL;

	if (!*name || strlen(name) != d->key->name_bytes || strlen(name) >= NAME_BYTES * 4)
		fault = "its length, or a NUL in it";
	else if (name[0] == '.' || strchr(name, '/'))
		fault = "a name of a service has no / and does not begin with a dot";
	for (const char *c = name; *c && !fault; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F)
			fault = "a control character";
	if (fault)
		draft_say(d, PLAN_NOTE_ERROR, "%s; not used", fault);
	else
		draft_add(d, d->marks, (struct draft_row){.name = draft_text(d, "%s", name)});
}

void handle_mark(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES);

	if (s && str_same_fold(s, row->otherwise))
		add_mark(d);
	else if (s)
		draft_say(d, REMARK_UNUSED, "marks a driver of NT's; not used here");
}

/* Minimal or Network: a key for each mark. Values there are marks that were put wrong. */
static void marks(struct draft *d, const struct reg_key *list)
{
	const char *name = d->below;

	for (uint32_t i = 0; i < list->value_count; i++) {
		const struct reg_value *v = &list->values[i];

		d->remarks->origin = v->origin;
		d->at = draft_text(d, "%s\\%s\\%s", schema_key_path(KEY_SAFE_BOOT), name,
				   v->name_bytes ? draft_show(d, v->name) : "(default)");
		draft_say(d, PLAN_NOTE_UNKNOWN,
			  "a value marks nothing: a service is marked by a key of its name");
	}
	d->remarks->origin = 0;
	for (uint32_t i = 0; i < list->child_count && !d->failed; i++) {
		const struct reg_key *mark = list->children[i];

		d->below = draft_text(d, "%s\\%s", name, draft_show(d, mark->name));
		d->at = draft_text(d, "%s\\%s\\", schema_key_path(KEY_SAFE_BOOT), d->below);
		d->key = mark;
		if (!key_get(mark, ""))
			add_mark(d);
		draft_values(d, mark, KEY_SAFE_BOOT);
		keys_unread(d, KEY_SAFE_BOOT, mark);
	}
	d->below = NULL;
}

void keys_safe_boot(struct draft *d, const struct reg_key *k)
{
	for (uint32_t i = 0; k && i < k->child_count && !d->failed; i++) {
		const char *name = schema_name(SCHEMA_SAFE_KEYS, k->children[i]->name);
		bool network = name && str_same(name, "Network");

		if (!name)
			continue;
		d->minimal_present |= !network;
		d->network_present |= network;
		d->marks = network ? PLAN_SAFE_NETWORK : PLAN_SAFE_MINIMAL;
		d->below = name;
		marks(d, k->children[i]);
	}
}

/*
 * Minimal: what finds devices and keeps the log, as NT's list has it; logging in needs no service.
 * Network: what usually brings a line up, names on it, what guards it, and a way in.
 */
void defaults_safe_boot(struct draft *d)
{
	static const char *const minimal[] = {"udev",    "udevd",        "eudev",    "mdev",
					      "mdevd",   "syslogd",      "syslog",   "rsyslog",
					      "metalog", "socklog-unix", "nanoklogd"};
	static const char *const network[] = {
		"dbus", "NetworkManager", "connmand",       "dhcpcd",   "dhclient", "udhcpc",
		"iwd",  "networking",     "wpa_supplicant", "nftables", "iptables", "ssh",
		"sshd", "openssh",        "dropbear",
	};

	for (size_t i = 0; i < ARRAY_SIZE(minimal) && !d->minimal_present; i++)
		draft_add(d, PLAN_SAFE_MINIMAL, (struct draft_row){.name = minimal[i]});
	for (size_t i = 0; i < ARRAY_SIZE(network) && !d->network_present; i++)
		draft_add(d, PLAN_SAFE_NETWORK, (struct draft_row){.name = network[i]});
}
