/* SPDX-License-Identifier: MIT */
/*
 * standing.c - what LastKnownGood stands at, and root's decisions about this boot
 *
 * The head of `smctl boot`, and `smctl boot accept`, `reject`, `next-lkg`. What a decision led to
 * is the session manager's to say: its text is shown as it is, escaped.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smctl/smctl.h"

static const char *const level_words[] = {
	[SM_BOOT_CURRENT] = "Current",
	[SM_BOOT_LKG] = "LastKnownGood",
	[SM_BOOT_BUILTIN] = "the built-in minimum",
};

static const char *level_word(enum sm_boot_level level)
{
	return level <= SM_BOOT_BUILTIN ? level_words[level] : "?";
}

/* What groups that wait make of the next boot. */
struct groups {
	bool known, again;
	uint32_t held, first; /* how many it leaves alone, or is tried again for */
};

/*
 * Current is a new configuration with groups that it was not tried with; where nobody but root can
 * say, and where the next boot is Current anyway, nothing is looked at.
 */
static struct groups look_at_groups(struct sm_boot_standing *g)
{
	struct sm_next_boot next;
	struct groups ret = {0};

	ret.known = g->off || g->next == SM_BOOT_CURRENT;
	if (ret.known || !outlook_read(&next))
		return ret;
	ret = (struct groups){true, next.again && !g->next_lkg, next.groups, next.first};
	if (ret.again)
		g->next = SM_BOOT_CURRENT;
	return ret;
}

static void show_groups(const struct sm_boot_standing *g, const struct groups *waiting)
{
	if (waiting->again && waiting->held == 1)
		printf(", as group %u waits that it was not tried with", waiting->first);
	else if (waiting->again)
		printf(", as %u groups wait that it was not tried with", waiting->held);
	else if (waiting->held)
		printf("\n%-15s%u group%s wait%s: %s carries out none", "pending", waiting->held,
		       waiting->held == 1 ? "" : "s", waiting->held == 1 ? "s" : "",
		       level_word(g->next));
}

static void show_attempt(const struct sm_boot_standing *g, const struct sm_machine *m)
{
	printf("%-15s", "attempt");
	if (!g->attempts)
		printf("not counted");
	else if (g->rejected)
		printf("rejected: this boot is not good");
	else if (g->level == SM_BOOT_BUILTIN)
		printf("%u at the last level", g->attempts);
	else
		printf("%u of %u", g->attempts, g->allowed);
	if (g->accepted)
		printf(", accepted: this boot is good");
	else if (g->accept_in_ms)
		printf(", counts as good in %u s", (g->accept_in_ms + 999) / 1000);
	else if (m->ready && g->attempts && !g->rejected && g->level != SM_BOOT_BUILTIN)
		printf(", counts as good only by: smctl boot accept");
	putchar('\n');
}

/* Whoever stands below Current finds here how to leave. */
static const char *until(const struct sm_boot_standing *g, const struct why *w)
{
	if (!w->broken)
		return ", until the hive is changed (smreg)";
	return g->saved_wall_s && g->level == SM_BOOT_LKG
		       ? ", until the hive is put right: smreg restore --lkg, or --previous"
		       : ", until the hive is put right: smreg restore --previous";
}

static const char *why_next(const struct sm_boot_standing *g, const struct why *w)
{
	if (g->off)
		return "";
	if (g->next_lkg)
		return ", once, as asked";
	if (g->asked)
		return ", for this level was asked for this boot only";
	if (g->rejected)
		return until(g, w);
	if (g->level == SM_BOOT_CURRENT && !g->accepted && g->attempts && g->attempts >= g->allowed)
		return g->saved_wall_s
			       ? "; LastKnownGood, if this one does not end in order"
			       : "; the built-in minimum, if this one does not end in order";
	return g->level == SM_BOOT_CURRENT ? "" : until(g, w);
}

void standing_show(const struct sm_boot_standing *told, const struct sm_machine *m,
		   const struct why *w)
{
	struct sm_boot_standing standing = *told, *g = &standing;
	const struct groups waiting = look_at_groups(g);
	const char *hive = g->level != SM_BOOT_BUILTIN && m->hive[0] ? m->hive : "";

	printf("%-15s%s%s%s\n", "level", level_word(g->level), *hive ? ", from " : "",
	       show_text(hive));
	if (w->text[0])
		printf("%-15s%s\n", "why", show_text(w->text));
	if (why_safe_word(m))
		printf("%-15s%s\n", "safe boot", why_safe_word(m));
	show_attempt(g, m);
	printf("%-15s", "LastKnownGood");
	if (g->off)
		puts("off");
	else if (g->saved_wall_s)
		printf("saved %s\n", show_time(g->saved_wall_s));
	else
		puts("none saved yet");
	printf("%-15s%s", "next boot", level_word(g->next));
	if (!waiting.again)
		printf("%s", why_next(g, w));
	show_groups(g, &waiting);
	putchar('\n');
	if (g->text[0])
		printf("%-15s%s\n", "remark", show_text(g->text));
}

void standing_json(const struct sm_boot_standing *told, json_object *o)
{
	struct sm_boot_standing standing = *told, *g = &standing;
	const struct groups waiting = look_at_groups(g);

	json_put_text(o, "level", sm_level_word(g->level));
	json_put_number(o, "attempts", g->rejected ? 0 : g->attempts);
	json_put_number(o, "allowed", g->allowed);
	json_put_bool(o, "accepted", g->accepted);
	json_put_bool(o, "rejected", g->rejected);
	json_put(o, "accept_in_ms",
		 g->accept_in_ms ? json_object_new_uint64(g->accept_in_ms) : NULL);
	json_put_bool(o, "lkg_off", g->off);
	if (g->saved_wall_s)
		json_put_text(o, "lkg_saved", show_time(g->saved_wall_s));
	else
		json_put(o, "lkg_saved", NULL);
	json_put_text(o, "next", sm_level_word(g->next));
	json_put_bool(o, "next_once", g->next_lkg);
	json_put(o, "groups_held",
		 waiting.known ? json_object_new_int64(waiting.again ? 0 : waiting.held) : NULL);
	json_put_text(o, "remark", g->text);
}

/* Nobody logs in from afar at the built-in minimum: who goes there must mean it. */
static bool is_last_resort(struct smctl *s)
{
	struct sm_boot_standing g;
	struct sm_machine m;

	if (s->force || sm_status(s->c, &m) < 0 || !m.ready || sm_standing(s->c, &g) < 0 || g.off ||
	    g.accepted || g.rejected)
		return false;
	return (g.level == SM_BOOT_CURRENT && !g.saved_wall_s) || g.level == SM_BOOT_LKG;
}

/* A word about this boot that is taken back is not to go without one. */
static bool was_rejected(struct smctl *s)
{
	struct sm_boot_standing g;

	return sm_standing(s->c, &g) == 0 && g.rejected && !g.accepted;
}

static int decide(struct smctl *s, int argc, char **argv, enum sm_verdict verdict)
{
	struct sm_boot_standing g;
	bool overrides;
	json_object *o;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	if (verdict == SM_VERDICT_REJECT && is_last_resort(s))
		return smctl_error(
			s, "refused: no other LastKnownGood is saved, so that the next boot "
			   "would be the built-in minimum, which only its console reaches; "
			   "change the hive instead (smreg); --force rejects all the same");
	overrides = verdict == SM_VERDICT_ACCEPT && was_rejected(s);
	r = sm_decide(s->c, verdict, &g);
	if (r == -EIO)
		return smctl_error(s, "%s",
				   g.text[0] ? show_text(g.text) : "it failed; see: smctl boot");
	if (r == -EBUSY)
		return smctl_error(s, "another decision is just being written; try again");
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (!s->json) {
		printf("%s%s\n", overrides ? "it was rejected, which this overrides: " : "",
		       show_text(g.text));
		return SMCTL_OK;
	}
	o = json_object_new_object();
	standing_json(&g, o);
	return json_show(o, false);
}

int verb_boot_accept(struct smctl *s, int argc, char **argv)
{
	return decide(s, argc, argv, SM_VERDICT_ACCEPT);
}

int verb_boot_reject(struct smctl *s, int argc, char **argv)
{
	return decide(s, argc, argv, SM_VERDICT_REJECT);
}

int verb_boot_next_lkg(struct smctl *s, int argc, char **argv)
{
	return decide(s, argc, argv, SM_VERDICT_NEXT_LKG);
}
