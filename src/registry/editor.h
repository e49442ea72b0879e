/* SPDX-License-Identifier: MIT */
/*
 * editor.h - a text in a private file, and a person's editor on it
 */
#pragma once

#include <stddef.h>

/*
 * editor_file - a new file for the text, 0600, in TMPDIR (or /tmp), its name ending in .reg
 * Returns 0 and its path in ret, or -errno.
 */
int editor_file(const char *text, size_t n, char *ret, size_t cap);

/*
 * editor_run - VISUAL, EDITOR, sensible-editor or vi on that file; waits for its end
 * The words of VISUAL and EDITOR are the shell's, so that options may stand in them. Returns 0 when
 * it ended well; -ECANCELED (said on standard error how it ended), or -errno of the start.
 */
int editor_run(const char *path);
