/* SPDX-License-Identifier: MIT */
/*
 * profile_page.c - the page of a profile, part by part; see profile_inner.h
 *
 * One order and one wording for all three forms. The sentences of the analysis are made of counts;
 * what no source could tell is named as such, so that an empty part is never read as a clean one.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

#define TEXT_ROOM 1600

struct row {
	enum trait trait;
	const char *key, *label;
};

/* clang-format off */
static const struct row identity_rows[] = {
	{TRAIT_FILE_TYPE,     "file_type",      "File type"},
	{TRAIT_MAGIC,         "magic",          "Magic"},
	{TRAIT_ORIGINAL_NAME, "original_name",  "Original name"},
	{TRAIT_INTERNAL_NAME, "internal_name",  "Internal name"},
	{TRAIT_PRODUCT,       "product",        "Product"},
	{TRAIT_STATUS,        "status",         "Status"},
	{TRAIT_PUBLISHER,     "publisher",      "Publisher"},
	{TRAIT_SIGNER,        "signer",         "Signer"},
	{TRAIT_ISSUER,        "issuer",         "Issuer"},
};
static const struct row digest_rows[] = {
	{TRAIT_VERSION, "versions", "Versions"},
	{TRAIT_SIZE,    "sizes",    "Sizes"},
	{TRAIT_SHA256,  "sha256",   "SHA-256"},
};
static const struct row context_rows[] = {
	{TRAIT_PATH,       "image_paths",   "Image paths"},
	{TRAIT_COMMAND,    "command_lines", "Command lines"},
	{TRAIT_ACCOUNT,    "accounts",      "Accounts"},
	{TRAIT_INTEGRITY,  "integrity",     "Integrity"},
	{TRAIT_SESSION,    "sessions",      "Sessions"},
	{TRAIT_PRIVILEGES, "privileges",    "Privileges"},
};
static const struct row ancestry_rows[] = {
	{TRAIT_GRANDPARENT, "grandparents",  "Grandparents"},
	{TRAIT_PARENT,      "parents",       "Parents"},
	{TRAIT_CHILD,       "children",      "Children"},
	{TRAIT_GRANDCHILD,  "grandchildren", "Grandchildren"},
};
static const struct row behavior_rows[] = {
	{TRAIT_FILES,    "files",    "Files"},
	{TRAIT_REGISTRY, "registry", "Registry"},
};
static const struct {
	const char *name, *role;
} roles[] = {
	{"smss", "the session manager: the first program that the kernel starts. It carries out what "
		 "the registry asks for at boot, starts a copy of itself for each session, which starts "
		 "that session's companions and exits, and stays for as long as the system runs"},
	{"csrss", "the server of one session's windows and consoles; a session manager's copy starts "
		  "it, and the system stops when it does"},
	{"wininit", "the companion of session 0: it starts what the system as a whole needs, services "
		    "and the keeper of accounts"},
	{"winlogon", "the companion of a session that people use: it lets them in and out"},
	{"services", "the keeper of services: the companion of session 0 starts it, once"},
	{"lsass", "the keeper of accounts and their secrets: there is one, in session 0"},
	{"svchost", "a host of services; the keeper of services starts all of them"},
	{"autochk", "the disk check of the boot: the session manager starts it, and it ends before "
		    "anybody logs on"},
};
/* clang-format on */

const char *page_share(uint64_t count, uint64_t of, char room[PROFILE_SHARE_ROOM])
{
	uint64_t mille;

	if (!of || count >= of) {
		snprintf(room, PROFILE_SHARE_ROOM, "100%%");
		return room;
	}
	mille = (uint64_t)((double)count * 1000 / (double)of + 0.5);
	if (mille == 0)
		snprintf(room, PROFILE_SHARE_ROOM, "<0.1%%");
	else if (mille >= 1000)
		snprintf(room, PROFILE_SHARE_ROOM, ">99.9%%");
	else
		snprintf(room, PROFILE_SHARE_ROOM, "%u.%u%%", (unsigned)(mille / 10),
			 (unsigned)(mille % 10));
	return room;
}

const char *page_role(const struct profile *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		size_t n = strlen(roles[i].name);
		char stem[16];

		if (strlen(p->name) < n)
			continue;
		snprintf(stem, sizeof(stem), "%.*s", (int)n, p->name);
		if (str_same_fold(stem, roles[i].name) &&
		    (!p->name[n] || str_same_fold(p->name + n, ".exe")))
			return roles[i].role;
	}
	return NULL;
}

static uint64_t found(const struct hits *h)
{
	return h->found[SEVERITY_LOW] + h->found[SEVERITY_MEDIUM] + h->found[SEVERITY_HIGH];
}

/* Whether what was read could tell it at all: of this image, or for names of any. */
static bool looked(const struct profile *p, unsigned i)
{
	unsigned told = 0;

	if (p->starts + p->rows || (i == INDICATOR_NEAR_MISS_NAME && p->sources & SOURCE_PROCESSES))
		told |= SOURCE_PROCESSES | SOURCE_EVTX;
	if (p->images)
		told |= SOURCE_IMAGE;
	if (p->registry)
		told |= SOURCE_HIVE;
	if (i == INDICATOR_IDENTITY_MISMATCH && p->trait[TRAIT_ORIGINAL_NAME].records)
		return true;
	return p->hits[i].looked || found(&p->hits[i]) || (indicators[i].sources & told);
}

void page_state(const struct hits *h, const struct indicator *i, char *to, size_t cap)
{
	struct text t = text_start(to, cap);

	for (int s = SEVERITY_HIGH; s >= SEVERITY_INFO; s--) {
		if (!h->found[s])
			continue;
		text_add(&t, t.len ? ", " : "");
		text_u64(&t, h->found[s]);
		text_add(&t, s == SEVERITY_INFO ? " noted" : " found (");
		if (s != SEVERITY_INFO)
			text_add(text_add(&t, severity_word((enum severity)s)), ")");
	}
	if (h->undecided) {
		text_add(&t, t.len ? ", " : "");
		text_add(text_u64(&t, h->undecided), " indeterminate");
	}
	if (!t.len)
		text_add(&t, h->looked ? "nothing found" : "not looked at");
}

/* ---- sections ---- */

static void put_rows(const struct profile *p, const struct page *to, const struct row *row,
		     size_t n)
{
	for (size_t i = 0; i < n; i++)
		to->values(to->arg, row[i].key, row[i].label, &p->trait[row[i].trait]);
}

/* What part of those that were checked has a signature that holds. */
static void put_rate(const struct profile *p, const struct page *to)
{
	const struct values *v = &p->trait[TRAIT_SIGNED];
	char share[PROFILE_SHARE_ROOM], text[96] = "";
	uint64_t yes = 0;

	for (unsigned i = 0; i < v->used; i++)
		if (!strcmp(v->at[i].key, "yes"))
			yes = v->at[i].count;
	if (v->records)
		snprintf(text, sizeof(text), "%s (%llu of %llu that were decided)",
			 yes ? page_share(yes, v->records, share) : "0%", (unsigned long long)yes,
			 (unsigned long long)v->records);
	to->text(to->arg, "signature_rate", "Signature rate", v->records ? text : NULL);
}

static void put_context(const struct profile *p, const struct page *to)
{
	const struct values *traces = &p->trait[TRAIT_PATH_TRACE];

	to->section(to->arg, "execution_context", "Execution context");
	put_rows(p, to, context_rows, ARRAY_SIZE(context_rows));
	/* what only exits and accesses tell is better than nothing, but no share of starts */
	if (!p->trait[TRAIT_PATH].records && traces->records)
		to->values(to->arg, "image_paths_of_traces", "Paths in other events", traces);
}

static void put_behavior(const struct profile *p, const struct page *to)
{
	to->section(to->arg, "behavior", "Behavior");
	put_rows(p, to, behavior_rows, ARRAY_SIZE(behavior_rows));
	to->text(to->arg, "network", "Network", NULL); /* no source that is read tells it */
	to->values(to->arg, "lifetimes", "Lifetimes", &p->trait[TRAIT_LIFETIME]);
}

static void put_hits(const struct profile *p, const struct page *to)
{
	bool any = false;
	char text[160];

	to->section(to->arg, "indicators_hit", "Indicators hit");
	for (unsigned i = 0; i < INDICATOR_COUNT; i++) {
		if (!found(&p->hits[i]) && !p->hits[i].found[SEVERITY_INFO])
			continue;
		any = true;
		page_state(&p->hits[i], &indicators[i], text, sizeof(text));
		to->text(to->arg, indicators[i].id, indicators[i].id, text);
	}
	if (p->trait[TRAIT_OTHER_RULE].records)
		to->values(to->arg, "other_rules", "Other rules", &p->trait[TRAIT_OTHER_RULE]);
	if (!any) {
		for (unsigned i = 0; i < INDICATOR_COUNT; i++)
			any |= looked(p, i);
		to->text(to->arg, "none", "None",
			 any ? "nothing found by those that could be looked at" : NULL);
	}
}

static void put_indicators(const struct profile *p, const struct page *to)
{
	to->section(to->arg, "indicators", "Indicators");
	for (unsigned i = 0; i < INDICATOR_COUNT; i++) {
		struct hits h = p->hits[i];

		h.looked = looked(p, i);
		to->indicator(to->arg, &indicators[i], &h);
	}
}

/* ---- the analysis ---- */

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static uint64_t machines(const struct profile *p)
{
	return p->hosts_full + p->hosts_bare + p->hosts_none;
}

static void say_seen(const struct profile *p, const struct page *to)
{
	const struct values *paths = &p->trait[TRAIT_PATH];
	const struct value *sorted[PROFILE_VALUES];
	char text[TEXT_ROOM], share[PROFILE_SHARE_ROOM];
	uint64_t records = p->starts + p->rows + p->images + p->findings, others;
	size_t n;

	if (!records) {
		to->paragraph(to->arg,
			      p->registry || p->ends || p->traces
				      ? "No start, list, image or finding tells of it; what "
					"is below comes from other events or the registry."
				      : "Nothing that was read tells of it. Names are "
					"matched whole: those of Windows end in .exe.");
		return;
	}
	n = (size_t)snprintf(text, sizeof(text), "%llu record%s of %llu machine%s tell%s of it",
			     (unsigned long long)records, plural(records),
			     (unsigned long long)machines(p), plural(machines(p)),
			     records == 1 ? "s" : "");
	if (paths->records) {
		values_sorted(paths, sorted, &others);
		n += (size_t)snprintf(
			text + n, sizeof(text) - n,
			paths->used == 1 ? "; wherever its path is told it is %s%.400s"
					 : "; of the paths that are told %s is %.400s",
			paths->used == 1 ? ""
					 : page_share(sorted[0]->count - sorted[0]->error,
						      paths->mentions, share),
			sorted[0]->shown);
	}
	snprintf(text + n, sizeof(text) - n, ".");
	to->paragraph(to->arg, text);
}

static void say_found(const struct profile *p, const struct page *to)
{
	unsigned could = 0, hit = 0, gravest = INDICATOR_COUNT;
	int top = SEVERITY_INFO;
	char text[TEXT_ROOM];

	for (unsigned i = 0; i < INDICATOR_COUNT; i++) {
		const struct hits *h = &p->hits[i];

		could += looked(p, i);
		hit += found(h) > 0;
		for (int s = SEVERITY_HIGH; s > top; s--)
			if (h->found[s]) {
				top = s;
				gravest = i;
			}
	}
	if (gravest < INDICATOR_COUNT)
		snprintf(text, sizeof(text),
			 "%u of %u indicators found something, the gravest first: %s (%s, %s). %s",
			 hit, INDICATOR_COUNT, indicators[gravest].title, indicators[gravest].id,
			 severity_word((enum severity)top), indicators[gravest].why);
	else if (could)
		snprintf(text, sizeof(text),
			 "Nothing was found by the %u of %u indicators that these sources tell "
			 "anything of.",
			 could, INDICATOR_COUNT);
	else
		snprintf(text, sizeof(text), "None of the indicators could be looked at.");
	to->paragraph(to->arg, text);
}

static void add_unseen(const struct profile *p, struct text *t, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p->trait[row[i].trait].records)
			continue;
		text_add(t, t->len ? ", " : "Not observed, which is not the same as clean: ");
		text_add(t, row[i].label);
	}
}

static void say_unseen(const struct profile *p, const struct page *to)
{
	char storage[TEXT_ROOM];
	struct text t = TEXT_ON(storage);

	add_unseen(p, &t, identity_rows, ARRAY_SIZE(identity_rows));
	add_unseen(p, &t, digest_rows, ARRAY_SIZE(digest_rows));
	add_unseen(p, &t, context_rows, ARRAY_SIZE(context_rows));
	add_unseen(p, &t, ancestry_rows, ARRAY_SIZE(ancestry_rows));
	if (!t.len)
		return;
	text_add(&t, ".");
	to->paragraph(to->arg, storage);
}

static void put_analysis(const struct profile *p, const struct page *to)
{
	char text[TEXT_ROOM];
	const char *role = page_role(p);

	to->section(to->arg, "analysis", "Analysis");
	if (role) {
		snprintf(text, sizeof(text), "%s is %s.", p->name, role);
		to->paragraph(to->arg, text);
	}
	say_seen(p, to);
	say_found(p, to);
	say_unseen(p, to);
}

/* ---- telemetry ---- */

static void put_number(const struct page *to, const char *key, const char *label, uint64_t n)
{
	char text[24];

	if (!n)
		return;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	to->text(to->arg, key, label, text);
}

static void put_date(const struct page *to, const char *key, const char *label, int64_t ns)
{
	char room[REPORT_TIME_ROOM];

	to->text(to->arg, key, label, report_time(ns, room));
}

static void put_telemetry(const struct profile *p, const struct page *to)
{
	char text[160];

	to->section(to->arg, "telemetry", "Telemetry");
	to->values(to->arg, "systems", "Systems", &p->trait[TRAIT_SYSTEM]);
	put_date(to, "first_seen", "First seen", p->first_ns);
	put_date(to, "last_seen", "Last seen", p->last_ns);
	snprintf(text, sizeof(text), "%s%llu", p->seen.refused ? "at least " : "",
		 (unsigned long long)(p->seen.refused ? p->hosts_full + p->hosts_bare
						      : machines(p)));
	to->text(to->arg, "machines", "Machines", machines(p) ? text : NULL);
	put_number(to, "machines_unnamed", "of these, files that name none", p->hosts_none);
	put_number(to, "starts", "Starts", p->starts);
	put_number(to, "list_rows", "Rows of lists", p->rows);
	put_number(to, "exits", "Exits", p->ends);
	put_number(to, "traces", "Other events", p->traces);
	put_number(to, "images", "Images", p->images);
	put_number(to, "registry_values", "Registry values", p->registry);
	put_number(to, "findings_read", "Findings of other runs", p->findings);
	put_number(to, "cut_names", "Matched by a cut name", p->cut_names);
	put_number(to, "odd_times", "Times that cannot be", p->odd_times);
	put_number(to, "rows_lost", "Rows too many to join", p->rows_lost);
}

void page_write(const struct profile *p, const struct page *to)
{
	to->section(to->arg, "file_identity", "File identity");
	put_rows(p, to, identity_rows, ARRAY_SIZE(identity_rows));
	put_rate(p, to);
	put_rows(p, to, digest_rows, ARRAY_SIZE(digest_rows));
	put_context(p, to);
	to->section(to->arg, "ancestry", "Ancestry");
	put_rows(p, to, ancestry_rows, ARRAY_SIZE(ancestry_rows));
	put_behavior(p, to);
	put_hits(p, to);
	put_analysis(p, to);
	put_indicators(p, to);
	put_telemetry(p, to);
}
