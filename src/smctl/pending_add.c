/* SPDX-License-Identifier: MIT */
/*
 * pending_add.c - smctl pending add: operations from the command line or a manifest
 *
 * A manifest is all or nothing: a line that cannot be read is told with its number, and nothing is
 * queued. Problems name the line too, so that whoever made the manifest finds it again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "pending/record.h"
#include "smctl/pending.h"
#include "sys/sys.h"

#define QUIET_NS 1000000000ull /* before the first word of progress */
#define LINES_NS 5000000000ull /* between two, when it is no terminal */
#define DRAW_NS  200000000ull

/* ---- problems and progress ---- */

/* What would help, in words of this program; "" = nothing is known. */
static const char *hint_of(int reason)
{
	switch (reason) {
	case -EEXIST:
		return "--replace, or ! in a manifest";
	case GROUP_WHY_PROTECTED:
		return "--allow-protected";
	case GROUP_WHY_LINK:
		return "name the path without links: realpath";
	default:
		return "";
	}
}

static const char *why_text(int reason)
{
	static char room[192];
	const char *hint = hint_of(reason);

	(void)snprintf(room, sizeof(room), "%s%s%s%s", sm_reason_text(reason), *hint ? " (" : "",
		       hint, *hint ? ")" : "");
	return room;
}

static void tell_problem(void *arg, const struct sm_problem *p)
{
	struct groups_problems *t = arg;
	const uint32_t line =
		t->lines && p->operation != SM_NO_OPERATION ? t->lines[p->operation] : 0;
	struct sm_operation o;
	const char *first;

	t->count++;
	if (t->list) {
		json_object *row = json_object_new_object();

		json_put(row, "operation",
			 p->operation == SM_NO_OPERATION
				 ? NULL
				 : json_object_new_uint64(p->operation + 1ull));
		if (line)
			json_put_number(row, "line", line);
		json_put_text(row, "path", p->path);
		json_put_text(row, "text", sm_reason_text(p->reason));
		json_put_text(row, "code", sm_reason_word(p->reason));
		json_put(row, "group", p->group ? json_object_new_uint64(p->group) : NULL);
		json_put(row, "hint", NULL);
		if (*hint_of(p->reason))
			json_put_text(row, "hint", hint_of(p->reason));
		(void)json_object_array_add(t->list, row);
		return;
	}
	groups_watch_end(t);
	first = groups_first_text(t->p, p);
	if (p->operation == SM_NO_OPERATION || sm_group_operation(t->g, p->operation, &o) <= 0) {
		(void)smctl_error(t->p->s, "%s: %s", show_text(p->path), sm_reason_text(p->reason));
		return;
	}
	if (line)
		(void)smctl_error(t->p->s, "%s:%u: %s: %s: %s%s", show_text(t->file), line,
				  groups_operation_text(&o), show_text(p->path), first,
				  why_text(p->reason));
	else
		(void)smctl_error(t->p->s, "operation %u, %s: %s: %s%s", p->operation + 1,
				  groups_operation_text(&o), show_text(p->path), first,
				  why_text(p->reason));
}

static void tell_progress(void *arg, const char *what, uint64_t done, uint64_t all)
{
	struct groups_problems *t = arg;
	const uint64_t now = sys_now_ns();
	const bool terminal = isatty(STDERR_FILENO);

	if (!t->next_ns)
		t->next_ns = now + QUIET_NS;
	if (now < t->next_ns)
		return;
	t->next_ns = now + (terminal ? DRAW_NS : LINES_NS);
	(void)fprintf(stderr, "%s%s: %llu of %llu %s%s", terminal ? "\r" : "", what,
		      (unsigned long long)(what[0] == 'c' ? done >> 20 : done),
		      (unsigned long long)(what[0] == 'c' ? all >> 20 : all),
		      what[0] == 'c'   ? "MiB"
		      : what[0] == 'l' ? "places"
				       : "operations",
		      terminal ? "\033[K" : "\n");
	t->drawn = terminal;
}

void groups_watch_end(struct groups_problems *t)
{
	if (t->drawn)
		(void)fputs("\r\033[K", stderr);
	t->drawn = false;
}

struct sm_watch groups_watch(struct groups_problems *told)
{
	return (struct sm_watch){.problem = tell_problem, .progress = tell_progress, .arg = told};
}

/* ---- manifests ---- */

struct manifest {
	struct pending *p;
	struct sm_group *g;
	const char *file;
	FILE *f;
	uint32_t line; /* or record, with NUL */
	uint32_t *lines;
	size_t count, cap;
	char *field[2];
	size_t room[2];
};

static int manifest_error(const struct manifest *m, const char *what, const char *path)
{
	(void)smctl_error(m->p->s, "%s:%u: %s%s%s", show_text(m->file), m->line,
			  path ? show_text(path) : "", path ? ": " : "", what);
	return SMCTL_USAGE;
}

/* The next two fields. 1 = there, 0 = the end, else 2 + the exit status, having said why. */
static int read_fields(struct manifest *m)
{
	ssize_t n;
	char *tab;

	for (;;) {
		n = getdelim(&m->field[0], &m->room[0], m->p->nul ? 0 : '\n', m->f);
		if (n < 0)
			break;
		m->line++;
		if (!m->p->nul && n && m->field[0][n - 1] == '\n')
			m->field[0][--n] = 0;
		if (m->p->nul || (m->field[0][0] && m->field[0][0] != '#'))
			break;
	}
	if (n < 0)
		return ferror(m->f) ? 2 + smctl_error(m->p->s, "%s: cannot be read: %s",
						      show_text(m->file), strerror(errno))
				    : 0;
	if (m->p->nul) {
		if (getdelim(&m->field[1], &m->room[1], 0, m->f) >= 0)
			return 1;
		return 2 + manifest_error(m, "its second field is missing", m->field[0]);
	}
	if ((size_t)n != strlen(m->field[0]))
		return 2 +
		       manifest_error(m, "a NUL in the line; is it a manifest for --null?", NULL);
	if (n && m->field[0][n - 1] == '\r')
		return 2 + manifest_error(m,
					  "the line ends with CR; convert the file, or use --null "
					  "if it is meant",
					  NULL);
	tab = strchr(m->field[0], '\t');
	if (!tab || strchr(tab + 1, '\t'))
		return 2 + manifest_error(m, "wanted: FROM, a tab, TO; blanks are part of a name",
					  NULL);
	*tab = 0;
	free(m->field[1]);
	m->room[1] = 0;
	m->field[1] = strdup(tab + 1);
	return m->field[1] ? 1 : 2 + groups_failed(m->p, -ENOMEM, NULL);
}

static int take_fields(struct manifest *m)
{
	const unsigned digest = m->p->digest ? SM_OP_DIGEST : 0;
	const char *from = m->field[0], *to = m->field[1];
	unsigned flags = digest | (m->p->replace ? SM_OP_REPLACE : 0);

	if (str_same(from, "-"))
		return sm_group_delete(m->g, to, digest);
	if (str_same(from, "?"))
		return sm_group_delete(m->g, to, digest | SM_OP_OPTIONAL);
	if (*from == '!') {
		flags |= SM_OP_REPLACE;
		from++;
	}
	return sm_group_move(m->g, from, to, flags);
}

static int keep_line(struct manifest *m)
{
	if (m->count == m->cap) {
		size_t cap = m->cap ? 2 * m->cap : 1024;
		uint32_t *lines = realloc(m->lines, cap * sizeof(*lines));

		if (!lines)
			return -ENOMEM;
		m->lines = lines;
		m->cap = cap;
	}
	m->lines[m->count++] = m->line;
	return 0;
}

static int read_manifest(struct manifest *m)
{
	int r, worst = SMCTL_OK;

	m->file = str_same(m->p->manifest, "-") ? "standard input" : m->p->manifest;
	m->f = str_same(m->p->manifest, "-") ? stdin : fopen(m->p->manifest, "re");
	if (!m->f)
		return smctl_error(m->p->s, "%s: %s", show_text(m->file), strerror(errno));
	while ((r = read_fields(m)) != 0) {
		if (r >= 2) {
			worst = r - 2;
			if (m->p->nul ||
			    worst == SMCTL_FAILED) /* it cannot be told where the next begins */
				break;
			continue;
		}
		r = take_fields(m);
		if (r < 0)
			worst = manifest_error(m, sm_reason_text(r), m->field[0]);
		else if (keep_line(m) < 0)
			worst = groups_failed(m->p, -ENOMEM, NULL);
		if (r == -ENOMEM || r == -E2BIG)
			break;
	}
	if (m->f != stdin)
		(void)fclose(m->f);
	free(m->field[0]);
	free(m->field[1]);
	return worst;
}

/* ---- the verb ---- */

static int take_given(struct pending *p, struct sm_group *g)
{
	const unsigned digest = p->digest ? SM_OP_DIGEST : 0;

	for (size_t i = 0; i < p->given_count; i++) {
		const struct given *o = &p->given[i];
		int r = o->to ? sm_group_move(g, o->from, o->to,
					      digest | (p->replace ? SM_OP_REPLACE : 0))
			      : sm_group_delete(g, o->from,
						digest | (o->optional ? SM_OP_OPTIONAL : 0));

		if (r < 0)
			return smctl_usage(p->s, "%s%s%s: %s", show_text(o->from), o->to ? " " : "",
					   o->to ? show_text(o->to) : "", sm_reason_text(r));
	}
	return SMCTL_OK;
}

/* The group of that name that waits, to be added to, or a new one. */
static int begin(struct pending *p, struct sm_group **ret, uint32_t *ret_operations)
{
	struct sm_group_row row;
	uint32_t cursor = 0, id = 0;
	int r = 0;

	while (p->group && (r = sm_group_next(p->q, &cursor, &row)) > 0)
		if (row.state == SM_GROUP_QUEUED && !row.attempts && !row.last_wall_s && !row.of &&
		    str_same(row.name, p->group)) {
			id = row.group;
			*ret_operations = row.operations;
			if (p->reason || row.allow_protected != p->allow_protected)
				return smctl_usage(
					p->s,
					"group %u of that name waits already: reason and "
					"permission are as it was begun with",
					id);
		}
	if (r == 0)
		r = id ? sm_group_open(p->q, id, ret)
		       : sm_group_new(p->q, p->group, p->reason,
				      p->allow_protected ? SM_GROUP_ALLOW_PROTECTED : 0, ret);
	return r < 0 ? groups_failed(p, r, NULL) : SMCTL_OK;
}

/* What was queued: a new group, or more operations of one that waits. */
static void tell_queued(const struct pending *p, uint32_t id, uint32_t before, size_t added)
{
	struct sm_next_boot next;

	if (before)
		printf("%zu operation%s added to group %u", added, added == 1 ? "" : "s", id);
	else
		printf("group %u is queued", id);
	if (sm_queue_next_boot(p->q, &next) == 0 && next.level != SM_BOOT_CURRENT)
		puts("; the next boot takes LastKnownGood, which carries out none");
	else
		puts("; the next boot carries it out");
}

static int finish(struct groups_problems *t, int r, uint32_t id)
{
	struct pending *p = t->p;
	json_object *o;

	groups_watch_end(t);
	if (r < 0 && t->list)
		(void)json_object_put(t->list);
	if (r < 0)
		return groups_failed(p, r, NULL);
	if (t->list) {
		o = json_object_new_object();
		json_put(o, "group", id ? json_object_new_uint64(id) : NULL);
		json_put_bool(o, "queued", id != 0);
		json_put(o, "problems", t->list);
		(void)json_show(o, false);
	} else if (r) {
		(void)smctl_error(p->s, "%d problem%s; nothing was queued", r, r == 1 ? "" : "s");
	} else if (p->only_check) {
		puts("no problem was found; nothing was queued");
	} else {
		tell_queued(p, id, t->before, t->added);
	}
	return r ? SMCTL_FAILED : SMCTL_OK;
}

static int bad_words(struct pending *p)
{
	if (p->word_count % 2)
		return smctl_usage(p->s, "\"%s\" has no target; to delete it: --delete",
				   show_text(p->words[p->word_count - 1]));
	if (p->manifest && p->given_count)
		return smctl_usage(p->s, "operations from the command line or from a manifest, not "
					 "both");
	if (!p->manifest && !p->given_count)
		return smctl_usage(p->s, "wanted: FROM TO, --delete PATH, or --manifest FILE");
	if (p->group && (!*p->group || strlen(p->group) >= SM_GROUP_NAME_BYTES ||
			 strspn(p->group, "0123456789") == strlen(p->group)))
		return smctl_usage(p->s, "--group wants a name: not empty, no number, shorter than "
					 "64 bytes");
	if (p->reason && strlen(p->reason) >= SM_GROUP_REASON_BYTES)
		return smctl_usage(p->s, "--reason is too long: 159 bytes are the most");
	return SMCTL_OK;
}

int groups_add(struct pending *p)
{
	struct sm_group *g = NULL;
	uint32_t before = 0, id = 0;
	struct manifest m = {.p = p};
	struct groups_problems told = {.p = p};
	struct sm_watch watch = groups_watch(&told);
	int r = bad_words(p);

	if (r == SMCTL_OK)
		r = begin(p, &g, &before);
	m.g = told.g = g;
	for (uint32_t i = 0; r == SMCTL_OK && p->manifest && i < before; i++)
		r = keep_line(&m) < 0 ? SMCTL_FAILED : SMCTL_OK;
	if (r == SMCTL_OK)
		r = p->manifest ? read_manifest(&m) : take_given(p, g);
	if (r == SMCTL_OK && p->manifest && m.count == before)
		r = smctl_usage(p->s, "%s: no operation in it", show_text(m.file));
	if (r == SMCTL_OK) {
		told.file = m.file;
		told.lines = m.lines;
		told.before = before;
		told.added = p->manifest ? m.count - before : p->given_count;
		told.list = p->s->json ? json_object_new_array() : NULL;
		r = p->only_check ? sm_group_check(g, &watch) : sm_group_queue(g, &watch, &id);
		r = finish(&told, r, id);
	} else if (r == SMCTL_USAGE && p->manifest && m.line) {
		(void)smctl_error(p->s, "nothing was queued");
	}
	free(m.lines);
	sm_group_free(g);
	return r;
}
