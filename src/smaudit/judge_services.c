/* SPDX-License-Identifier: MIT */
/*
 * judge_services.c - services that run, or call themselves, what no service is
 *
 * The session manager and csrss are never services; lsass, svchost and services are, from System32
 * alone. Drivers have short names of all kinds, so theirs are not compared. Must never take a word
 * of a display name for more than it is: products have "SMS" in theirs.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "smaudit/judge_registry.h"
#include "smaudit/rules.h"

#define DRIVER_TYPES  0x0Fu /* kernel, file system, adapter, recogniser: no process of their own */
#define PROGRAM_BYTES 520u
#define WORDS_MAX     64u /* of a display name that are looked at */

/* What these processes are called in full, and services are not. */
static const char *const descriptions[] = {
	"session manager",
	"session manager subsystem",
	"windows session manager",
	"windows nt session manager",
	"windows session manager subsystem",
	"client server runtime process",
	"client server runtime subsystem",
	"client/server runtime subsystem",
	"client/server runtime process",
};

struct service {
	const struct registry_fact *f;
	bool driver;
	char program[PROGRAM_BYTES]; /* of ImagePath, as written */
	const char *args;            /* of ImagePath, behind it */
	struct windows_path path;    /* the same, normalised */
};

static bool at_end(char c)
{
	return !c || c == ' ' || c == '\t' || c == '"' || c == ',';
}

/* Where ".exe" ends a word: a path without quotes may hold blanks. */
static size_t program_bytes(const char *s)
{
	for (const char *dot = strchr(s, '.'); dot; dot = strchr(dot + 1, '.'))
		if (strlen(dot) >= 4 && (dot[1] | 32) == 'e' && (dot[2] | 32) == 'x' &&
		    (dot[3] | 32) == 'e' && at_end(dot[4]))
			return (size_t)(dot + 4 - s);
	return strcspn(s, " \t");
}

/* The program of a command line; relative ones lie below SystemRoot. */
static void find_program(struct service *s)
{
	const char *image = s->f->image_path;
	char rooted[PROGRAM_BYTES + 16];
	size_t n;

	image += strspn(image, " \t");
	if (*image == '"') {
		image++;
		n = strcspn(image, "\"");
	} else {
		n = program_bytes(image);
	}
	text_part(image, n, s->program, sizeof(s->program));
	s->args = image + n + (image[n] == '"');
	if (strncmp(s->program, "system32", 8) == 0 || strncmp(s->program, "System32", 8) == 0 ||
	    strncmp(s->program, "SYSTEM32", 8) == 0)
		snprintf(rooted, sizeof(rooted), "\\SystemRoot\\%s", s->program);
	else
		snprintf(rooted, sizeof(rooted), "%s", s->program);
	path_windows(rooted, NULL, &s->path);
}

/* ---- findings ---- */

static void tell(struct registry_judge *j, const struct service *s, enum severity severity,
		 const char *what, const char *rule)
{
	char subject[REGISTRY_SUBJECT_BYTES], image[REGISTRY_TEXT_BYTES],
		display[REGISTRY_TEXT_BYTES];
	const struct registry_fact *f = s->f;
	struct finding x;

	snprintf(subject, sizeof(subject), "service %.500s", f->name);
	x = registry_finding(f, INDICATOR_SERVICE_IMITATION, severity, subject);
	x.what = what;
	if (f->image_path)
		finding_add(&x, "image-path", text_shown(f->image_path, image));
	if (f->display_name)
		finding_add(&x, "display-name", text_shown(f->display_name, display));
	finding_add(&x, "rule", rule && *rule ? rule : NULL);
	registry_tell(j, f, &x);
}

static bool is_core(const char *of)
{
	return of && (strcmp(of, "smss") == 0 || strcmp(of, "csrss") == 0);
}

static bool is_service_host(const char *of)
{
	return of && (strcmp(of, "svchost") == 0 || strcmp(of, "services") == 0 ||
		      strcmp(of, "lsass") == 0);
}

/* How near a name is; one without an ending gets that of programs. */
static void look(const char *name, bool ending, struct name_verdict *ret)
{
	char whole[REGISTRY_TEXT_BYTES + 8];

	snprintf(whole, sizeof(whole), "%.*s%s", (int)REGISTRY_TEXT_BYTES, name,
		 ending ? "" : ".exe");
	name_look(whole, false, SYSTEM_WINDOWS, ret);
}

static bool is_program_name(const char *name)
{
	const size_t n = strlen(name);

	return n > 4 && same_word(name + n - 4, ".exe");
}

static bool in_system32(const struct service *s)
{
	const char *p = s->path.text;
	const char *base = path_base(p);
	static const char place[] = "\\windows\\system32\\";
	const size_t n = sizeof(place) - 1;

	return (size_t)(base - p) >= n && strncmp(base - n, place, n) == 0 &&
	       (base - p == (long)n + 2 || s->path.device);
}

/* An ImagePath whose program is, or imitates, one of the system's. */
static bool judge_program(struct registry_judge *j, const struct service *s)
{
	struct name_verdict v;

	look(path_base(s->program), strchr(path_base(s->program), '.'), &v);
	if (!v.of || v.kind == NAME_OTHER || v.kind == NAME_NEIGHBOUR)
		return false;
	if (v.kind != NAME_EXACT) {
		if (s->driver)
			return false;
		tell(j, s,
		     is_core(v.of) || v.kind == NAME_CONFUSABLE || v.kind == NAME_HIDDEN
			     ? SEVERITY_HIGH
			     : SEVERITY_MEDIUM,
		     "a service runs a program whose name imitates one of the system's", v.rule);
		return true;
	}
	if (!is_service_host(v.of)) {
		tell(j, s, SEVERITY_HIGH,
		     is_core(v.of) ? "a service runs a program that is never a service"
				   : "a service runs what only the session manager starts",
		     NULL);
		return true;
	}
	if (!in_system32(s) && strpbrk(s->program, "\\/")) {
		tell(j, s,
		     strstr(s->path.text, ":\\windows\\syswow64\\") ? SEVERITY_INFO : SEVERITY_HIGH,
		     "a service runs a program of the system's name from another folder", NULL);
		return true;
	}
	return false;
}

/* ---- names ---- */

/* Every word by itself: only what looks exactly so, since short words abound. */
static bool words_imitate(const char *text, struct name_verdict *ret)
{
	char word[64];

	for (unsigned words = 0; *text && words < WORDS_MAX; words++) {
		size_t n;

		text += strspn(text, " \t()[],;:\"'");
		n = strcspn(text, " \t()[],;:\"'");
		if (n && n < sizeof(word)) {
			snprintf(word, sizeof(word), "%.*s", (int)n, text);
			look(word, is_program_name(word), ret);
			if (is_core(ret->of) &&
			    (ret->kind == NAME_EXACT || ret->kind == NAME_HIDDEN ||
			     ret->kind == NAME_CONFUSABLE || ret->kind == NAME_DOUBLE_EXTENSION))
				return true;
		}
		text += n;
	}
	return false;
}

static bool name_imitates(const char *name, struct name_verdict *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!name)
		return false;
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++)
		if (same_word(name, descriptions[i]))
			return true;
	if (strpbrk(name, " \t"))
		return words_imitate(name, ret);
	look(name, is_program_name(name), ret);
	return is_core(ret->of) && ret->kind != NAME_OTHER && ret->kind != NAME_NEIGHBOUR;
}

/* One of Windows' own is a letter away: the accounts manager, which lsass runs. */
static bool is_samss(const struct service *s)
{
	return same_word(s->f->name, "SamSs") && in_system32(s) &&
	       same_word(path_base(s->path.text), "lsass.exe");
}

static bool judge_names(struct registry_judge *j, const struct service *s)
{
	struct name_verdict v;

	if (s->driver || is_samss(s))
		return false;
	if (name_imitates(s->f->name, &v)) {
		tell(j, s, SEVERITY_HIGH, "a service has the name of a process that is never one",
		     v.rule);
		return true;
	}
	if (name_imitates(s->f->display_name, &v)) {
		tell(j, s, SEVERITY_HIGH,
		     "a service shows itself as a process that is never a service", v.rule);
		return true;
	}
	return false;
}

static bool has_group(const char *args)
{
	for (const char *at = args; (at = strpbrk(at, "-/")); at++)
		if ((at[1] | 32) == 'k' && (at[2] == ' ' || at[2] == '\t') &&
		    (at == args || at[-1] == ' ' || at[-1] == '\t'))
			return true;
	return false;
}

void judge_service(struct registry_judge *j, const struct registry_fact *f)
{
	struct service s = {.f = f, .driver = f->type && !(f->type & ~DRIVER_TYPES)};

	if (f->image_path && *f->image_path) {
		find_program(&s);
		if (judge_program(j, &s))
			return;
	}
	if (judge_names(j, &s))
		return;
	if (s.args && !s.driver && same_word(path_base(s.path.text), "svchost.exe") &&
	    !has_group(s.args))
		tell(j, &s, SEVERITY_INFO,
		     "svchost is started without -k, the group of its services", NULL);
}
