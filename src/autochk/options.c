/* SPDX-License-Identifier: MIT */
/*
 * options.c - the options field of a line of fstab; see options.h
 *
 * Pure: a table of words and a loop.
 */
#include "autochk/options.h"

#include <string.h>
#include <sys/mount.h>

#include "base/bytes.h"
#include "base/text.h"

/* one of them at a time */
#define TIMES (MS_NOATIME | MS_RELATIME | MS_STRICTATIME)

/* clang-format off */
static const struct {
	const char *word;
	unsigned volume, volume_off;
	unsigned long set, clear;
} words[] = {
	{ "defaults",    0,                   0,                0,              0 },
	{ "auto",        0,                   VOLUME_NOAUTO,    0,              0 },
	{ "noauto",      VOLUME_NOAUTO,       0,                0,              0 },
	{ "nofail",      VOLUME_NOFAIL,       0,                0,              0 },
	{ "_netdev",     VOLUME_NETWORK,      0,                0,              0 },
	{ "rw",          0,                   VOLUME_READ_ONLY, 0,              MS_RDONLY },
	{ "ro",          VOLUME_READ_ONLY,    0,                MS_RDONLY,      0 },
	{ "suid",        0,                   0,                0,              MS_NOSUID },
	{ "nosuid",      0,                   0,                MS_NOSUID,      0 },
	{ "dev",         0,                   0,                0,              MS_NODEV },
	{ "nodev",       0,                   0,                MS_NODEV,       0 },
	{ "exec",        0,                   0,                0,              MS_NOEXEC },
	{ "noexec",      0,                   0,                MS_NOEXEC,      0 },
	{ "sync",        0,                   0,                MS_SYNCHRONOUS, 0 },
	{ "async",       0,                   0,                0,              MS_SYNCHRONOUS },
	{ "dirsync",     0,                   0,                MS_DIRSYNC,     0 },
	{ "atime",       0,                   0,                0,              MS_NOATIME },
	{ "noatime",     0,                   0,                MS_NOATIME,     TIMES },
	{ "diratime",    0,                   0,                0,              MS_NODIRATIME },
	{ "nodiratime",  0,                   0,                MS_NODIRATIME,  0 },
	{ "relatime",    0,                   0,                MS_RELATIME,    TIMES },
	{ "strictatime", 0,                   0,                MS_STRICTATIME, TIMES },
	{ "lazytime",    0,                   0,                MS_LAZYTIME,    0 },
	{ "nolazytime",  0,                   0,                0,              MS_LAZYTIME },
	/* for mount(8) and its users only: the kernel must not see them */
	{ "nouser",      0,                   0,                0,              0 },
	{ "nogroup",     0,                   0,                0,              0 },
	{ "noowner",     0,                   0,                0,              0 },
};

/* words for the file system itself that mount(2) takes as they are, on ext4, xfs and btrfs */
static const char *const data_words[] = {
	"errors=", "discard", "nodiscard", "commit=", "barrier", "barrier=", "nobarrier", "acl",
	"noacl", "user_xattr", "data=", "journal_checksum", "auto_da_alloc", "noauto_da_alloc",
	"inode64", "logbufs=", "compress=", "compress-force=", "space_cache=v2", "ssd", "nossd",
};

static const char *const network_types[] = {
	"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "glusterfs", "ncpfs", "gfs2",
	"ocfs2", "lustre", "davfs", "fuse.sshfs", "sshfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone",
};
/* clang-format on */

static bool data_word(const char *word, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(data_words); i++) {
		size_t known = strlen(data_words[i]);
		bool prefix = data_words[i][known - 1] == '=';

		if (n >= known && !memcmp(word, data_words[i], known) && (prefix || n == known))
			return true;
	}
	return false;
}

static bool known_word(const char *word, size_t n, struct options *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) != n || memcmp(words[i].word, word, n) != 0)
			continue;
		o->flags = (o->flags & ~words[i].volume_off) | words[i].volume;
		o->mount = (o->mount & ~words[i].clear) | words[i].set;
		return true;
	}
	return false;
}

/* Words that mean something to autochk, and make the field libmount's business. */
static void special_word(const char *word, size_t n, struct options *o)
{
	static const struct {
		const char *word;
		unsigned volume;
	} special[] = {
		{"bind", VOLUME_BIND},
		{"rbind", VOLUME_BIND},
		{"move", VOLUME_BIND},
		{"X-mount.mkdir", VOLUME_MAKE_TARGET},
		{"x-mount.mkdir", VOLUME_MAKE_TARGET},
	};

	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		size_t known = strlen(special[i].word);

		if (n >= known && !memcmp(word, special[i].word, known) &&
		    (n == known || word[known] == '='))
			o->flags |= special[i].volume;
	}
}

void options_read(const char *field, struct options *ret)
{
	struct text data;

	memset(ret, 0, sizeof(*ret));
	ret->plain = true;
	data = TEXT_ON(ret->data);
	while (*field) {
		size_t n = strcspn(field, ",");

		if (n && !known_word(field, n, ret)) {
			if (data_word(field, n)) {
				if (data.len)
					text_add(&data, ",");
				text_add_n(&data, field, n);
			} else {
				/* x-* are remarks for other programs, but libmount keeps some */
				ret->plain = false;
				special_word(field, n, ret);
			}
		}
		field += n + (field[n] == ',');
	}
	if (data.cut)
		ret->plain = false;
}

bool options_network_type(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(network_types); i++) {
		if (str_same(type, network_types[i]))
			return true;
	}
	return false;
}
