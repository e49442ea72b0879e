/* SPDX-License-Identifier: MIT */
/*
 * editor.h - a text in a private file, and a person's editor on it
 */
#pragma once

#include <stddef.h>

/*
 * editor_file - a new file for the text, 0600, in TMPDIR (or /tmp), its name ending in .reg
 * From then on a signal that ends this program says first where the text lies. Returns 0 and its
 * path in ret, or -errno.
 */
int editor_file(const char *text, size_t n, char *ret, size_t cap);

/* editor_drop - the file is not needed any more: it goes, if it is there. */
void editor_drop(const char *path);

/*
 * editor_run - VISUAL, EDITOR, sensible-editor or vi on that file; waits for its end
 * The words of VISUAL and EDITOR are the shell's, so that options may stand in them. Returns 0 when
 * it ended well; -ECANCELED (said on standard error how it ended), -E2BIG (said: more words than
 * there is room for, nothing ran), or -errno of the start.
 */
int editor_run(const char *path);
