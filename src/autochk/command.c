/* SPDX-License-Identifier: MIT */
/*
 * command.c - autochk's command line; see command.h
 *
 * Pure.
 */
#include "autochk/command.h"

#include <string.h>

#include "base/text.h"

static void wrong(struct command *c, const char *word)
{
	if (!c->wrong)
		c->wrong = word;
}

static void ask(struct command *c, enum request_how how, const char *volume)
{
	if (str_same(volume, "*") && how == REQUEST_IF_DIRTY) {
		c->all = true;
		return;
	}
	if (c->count == COMMAND_REQUESTS || !*volume) {
		wrong(c, *volume ? volume : "(empty volume)");
		return;
	}
	if (str_same(volume, "*"))
		c->all = true;
	c->request[c->count++] = (struct request){.how = how, .volume = volume};
}

static bool long_option(struct command *c, const char *word)
{
	if (str_same(word, "--help"))
		c->help = true;
	else if (str_same(word, "--version"))
		c->version = true;
	else if (str_same(word, "-n"))
		c->dry_run = true;
	else
		return false;
	return true;
}

/* A slash and one letter; longer words are paths. */
static bool is_switch(const char *word)
{
	return word[0] == '/' && word[1] && (!word[2] || word[2] == ':');
}

/* A switch with a volume: in the word itself after a colon, or the next word. */
static char *const *volume_switch(struct command *c, char *const *words)
{
	const char *word = *words, *volume;
	enum request_how how;

	switch (word[1] | 0x20) {
	case 'p':
		how = REQUEST_ALWAYS;
		break;
	case 'r':
		how = REQUEST_SURFACE;
		break;
	case 'k':
		how = REQUEST_NEVER;
		break;
	case 'm':
		how = REQUEST_IF_DIRTY;
		break;
	default:
		wrong(c, word);
		return words;
	}
	if (word[2] == ':') {
		ask(c, how, word + 3);
		return words;
	}
	volume = words[1];
	if (!volume || is_switch(volume)) {
		wrong(c, word); /* its volume is missing */
		return words;
	}
	ask(c, how, volume);
	return words + 1;
}

void command_read(char *const *words, struct command *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (; *words; words++) {
		const char *w = *words;

		if (long_option(ret, w))
			continue;
		if (w[0] == '-' || str_same_fold(w, "/spotfix") || !*w) {
			wrong(ret, w);
		} else if (!is_switch(w)) {
			ask(ret, REQUEST_IF_DIRTY, w);
		} else if ((w[1] | 0x20) == 'q' && !w[2]) {
			ret->quiet = true;
		} else if ((w[1] | 0x20) == 'v' && !w[2]) {
			ret->verbose = true;
		} else {
			words = volume_switch(ret, words);
		}
	}
}

const char *command_switch(enum request_how how)
{
	switch (how) {
	case REQUEST_ALWAYS:
		return "/p";
	case REQUEST_SURFACE:
		return "/r";
	case REQUEST_NEVER:
		return "/k";
	default:
		return "/m";
	}
}
