/* SPDX-License-Identifier: MIT */
/*
 * fuzz_findings.c - any lines as findings of other runs, into a profile and onto its three pages
 *
 * Promises: whatever is read, no page holds a control character, and the one for browsers no tag
 * that is not ours.
 */
#include <string.h>

#include "fuzz.h"
#include "smaudit/profile_inner.h"

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	touch(text, strlen(text));
}

static void look(const char *page, size_t n, bool html)
{
	static const char *const ours[] = {"!DOCTYPE", "html", "head", "meta", "title", "style",
					   "body",     "p>",   "h1>",  "h2>",  "dl>",   "dt>",
					   "dd>",      "ul>",  "li>",  "span"};

	for (size_t i = 0; i < n; i++) {
		bool known = false;
		size_t at;

		HOLDS((uint8_t)page[i] >= 0x20 || page[i] == '\n');
		if (!html || page[i] != '<')
			continue;
		at = i + 1 + (page[i + 1] == '/');
		for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]) && !known; k++)
			known = !strncmp(page + at, ours[k], strlen(ours[k]));
		HOLDS(known);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct sink to = {.trouble = on_trouble};
	struct profile *p;
	FILE *file;

	if (!n || !(file = fmemopen((void *)(uintptr_t)data, n, "r")))
		return 0;
	p = profile_new("smss.exe");
	(void)read_ndjson_file(file, "findings", p, &to);
	fclose(file);
	for (int format = PROFILE_TEXT; format <= PROFILE_HTML; format++) {
		char *page = NULL;
		size_t bytes = 0;
		FILE *out = open_memstream(&page, &bytes);

		HOLDS(profile_print(p, out, (enum profile_format)format) == 0);
		fclose(out);
		look(page, bytes, format == PROFILE_HTML);
		free(page);
	}
	profile_free(p);
	return 0;
}
