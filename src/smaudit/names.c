/* SPDX-License-Identifier: MIT */
/*
 * names.c - how near a base name is to a protected one
 *
 * In this order: characters that do not show, extensions, letters that look alike, typing errors,
 * things put before or behind. The first that holds is told, with the rule in words. Pure, bounded
 * (a longer name than NAME_LETTERS is only searched for what does not show), and no promise about
 * guilt: a neighbour may be honest, so its distance is told along with it.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/names.h"
#include "smaudit/rules.h"

#define NAME_LETTERS 64

struct name {
	uint32_t letter[NAME_LETTERS]; /* what shows */
	unsigned letters;
	bool too_long;
	uint32_t hidden;   /* the first that does not show, or is no honest blank; 0 = none */
	bool hidden_alone; /* it is a sign whatever else the name says */
	bool turns;        /* a bidi sign: it is read otherwise than it is written */
	uint32_t posed;    /* the first accent by itself, or dot of another script; 0 = none */
	char stem[NAME_LETTERS * 4 + 1]; /* folded, without extension */
	char ext[16];
	bool doubled; /* the stem had an extension of its own, or ext is one of old programs */
	bool odd_end; /* blanks or dots behind it */
};

/* One code point; a byte that is no UTF-8 is itself, in a range of its own. */
static uint32_t decode(const unsigned char **at)
{
	const unsigned char *s = *at;
	unsigned more = s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : s[0] >= 0xc2 ? 1 : 0;
	uint32_t c = more == 3 ? s[0] & 7u : more == 2 ? s[0] & 15u : s[0] & 31u;

	(*at)++;
	if (s[0] < 0x80)
		return s[0];
	if (!more || s[0] > 0xf4)
		return 0x110000u + s[0];
	for (unsigned i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0x110000u + s[0];
		c = c << 6 | (s[i] & 0x3fu);
	}
	*at += more;
	return c;
}

/* Split a name into what shows and what does not. */
static void take_apart(const char *s, struct name *n)
{
	const unsigned char *at = (const unsigned char *)s;
	bool joins =
		false; /* the letter before is of a script that joins by zero-width characters */

	*n = (struct name){0};
	while (*at) {
		uint32_t c = decode(&at);
		bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);

		if (control || names_is_bidi(c) || names_is_zero_width(c) ||
		    names_is_odd_blank(c)) {
			if (!n->hidden)
				n->hidden = c;
			n->turns |= names_is_bidi(c);
			n->hidden_alone |= control || names_is_bidi(c) ||
					   (names_is_zero_width(c) && !joins && c != 0xad);
			continue;
		}
		joins = c >= 0x80;
		if (!n->posed && (names_is_accent(c) || names_is_odd_dot(c)))
			n->posed = c;
		if (names_is_accent(c))
			continue; /* the letter under it is what is read */
		if (names_is_odd_dot(c))
			c = '.';
		if (n->letters == NAME_LETTERS) {
			n->too_long = true;
			continue;
		}
		n->letter[n->letters++] = c < 0x80 && c >= 'A' && c <= 'Z' ? c + 32 : c;
	}
	while (n->letters > 0 && n->letter[0] == '"') {
		n->letters--;
		memmove(n->letter, n->letter + 1, n->letters * sizeof(*n->letter));
	}
	while (n->letters > 0 && strchr(" .\"", (int)(n->letter[n->letters - 1] & 0x7f)) &&
	       n->letter[n->letters - 1] < 0x80) {
		n->odd_end |= n->letter[n->letters - 1] != '"';
		n->letters--;
	}
}

static bool is_program_extension(const char *ext)
{
	static const char *const known[] = {"exe", "com", "scr", "pif", "bat", "cmd"};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (str_same(ext, known[i]))
			return true;
	}
	return false;
}

/* Letters from..to as ASCII; a letter that is none becomes 0x01, which is like nothing. */
static void ascii(const struct name *n, unsigned from, unsigned to, char *ret, size_t cap)
{
	size_t len = 0;

	for (unsigned i = from; i < to && len + 1 < cap; i++)
		ret[len++] = n->letter[i] < 0x80 ? (char)n->letter[i] : '\x01';
	ret[len] = '\0';
}

/* Letters from..to for people: one that is no ASCII by its number, for it may look like one. */
static void show(const struct name *n, unsigned from, unsigned to, struct text *t)
{
	for (unsigned i = from; i < to; i++) {
		char code[16];

		if (n->letter[i] < 0x80) {
			text_add_n(t, &(char){(char)n->letter[i]}, 1);
			continue;
		}
		if (n->letter[i] >= 0x110000)
			snprintf(code, sizeof(code), "[0x%02X]", (unsigned)n->letter[i] - 0x110000);
		else
			snprintf(code, sizeof(code), "[U+%04X]", (unsigned)n->letter[i]);
		text_add(t, code);
	}
}

static unsigned last_dot(const struct name *n, unsigned to)
{
	for (unsigned i = to; i > 1; i--) {
		if (n->letter[i - 1] == '.')
			return i - 1;
	}
	return to;
}

/* The end of the stem in letters. Also says what stands behind it. */
static unsigned split_extension(struct name *n, bool cut)
{
	unsigned dot = last_dot(n, n->letters), inner;
	bool blank = false;

	ascii(n, dot < n->letters ? dot + 1 : dot, n->letters, n->ext, sizeof(n->ext));
	if (cut && dot < n->letters && str_starts("exe", n->ext))
		memcpy(n->ext, "exe", sizeof("exe"));
	inner = last_dot(n, dot);
	while (inner < dot && inner > 1) {
		n->doubled = true;
		dot = inner;
		inner = last_dot(n, dot);
	}
	while (dot > 0 && n->letter[dot - 1] == ' ') { /* "smss .exe" */
		blank = true;
		dot--;
	}
	n->odd_end |= blank;
	return dot;
}

/* Optimal string alignment, of letters against ASCII; more than 2 is "far". */
static unsigned distance(const uint32_t *a, unsigned n, const char *b)
{
	unsigned m = (unsigned)strlen(b), row[3][16];

	if (m > 14 || n > m + 2 || n + 2 < m)
		return 99;
	for (unsigned j = 0; j <= m; j++)
		row[0][j] = j;
	for (unsigned i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *last = row[(i + 2) % 3], *before = row[(i + 1) % 3];

		now[0] = i;
		for (unsigned j = 1; j <= m; j++) {
			unsigned differ = a[i - 1] != (unsigned char)b[j - 1];
			unsigned best = last[j - 1] + differ;

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == (unsigned char)b[j - 2] &&
			    a[i - 2] == (unsigned char)b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
	}
	return row[n % 3][m];
}

/* What a letter is read as: digits and signs for letters, i for l. */
static char looks_like(uint32_t c, const char **ret_script)
{
	static const char from[] = "051|!$3@479qi", to[] = "oslllsaeatggl";
	const char *at;
	char other;

	if (c >= 0x80) {
		other = names_confusable(c, ret_script);
		return other == 'i' ? 'l' : other ? other : '\x01';
	}
	at = strchr(from, (int)c);
	if (!at || !c)
		return (char)c;
	return c == '3' ? 'e' : c == '@' ? 'a' : to[at - from];
}

/* A skeleton of ASCII: equal ones look equal. The first replaced letter is named. */
static void skeleton(const uint32_t *a, unsigned n, char *ret, struct text *rule)
{
	size_t len = 0;

	for (unsigned i = 0; i < n; i++) {
		const char *script = NULL;
		char c = looks_like(a[i], &script);

		if (c == 'n' && len > 0 && ret[len - 1] == 'r') {
			ret[len - 1] = 'm';
			if (rule && !rule->len)
				text_add(rule, "rn for m");
			continue;
		}
		if (c == 'v' && len > 0 && ret[len - 1] == 'v') {
			ret[len - 1] = 'w';
			if (rule && !rule->len)
				text_add(rule, "vv for w");
			continue;
		}
		if (rule && !rule->len && script) {
			char code[16];

			snprintf(code, sizeof(code), "U+%04X", (unsigned)a[i]);
			text_add(text_add(text_add(text_add(rule, script), " letter "), code),
				 " for ");
			text_add_n(rule, &c, 1);
		} else if (rule && !rule->len && a[i] < 0x80 && a[i] != (unsigned char)c &&
			   a[i] != 'i') {
			text_add_n(rule, &(char){(char)a[i]}, 1);
			text_add(rule, " for ");
			text_add_n(rule, &c, 1);
		}
		ret[len++] = c;
	}
	ret[len] = '\0';
}

static bool is_affix(const char *s, size_t n, bool word)
{
	static const char *const words[] = {"32", "64",  "svc", "vc",  "x",
					    "s",  "sys", "ys",  "srv", "nt"};

	if (n >= 1 && n <= 4 && strspn(s, "0123456789_.-") >= n)
		return true;
	for (unsigned i = 0; i < ARRAY_SIZE(words) && !word; i++) {
		if (strlen(words[i]) == n && !memcmp(s, words[i], n))
			return true;
	}
	/* kvc_smss, smss-x: a short word, parted by a sign */
	return !word && n >= 2 && n <= 6 && (strchr("_-", s[0]) || strchr("_-", s[n - 1]));
}

/* Something before or behind the protected name; the name's place in the stem. */
static bool has_affix(const struct name *whole, const struct protected_name *p,
		      struct name_verdict *ret)
{
	const char *stem = whole->stem;
	size_t n = strlen(stem), m = strlen(p->name);
	struct text rule = TEXT_ON(ret->rule);

	if (n <= m || n > m + 6)
		return false;
	if (!memcmp(stem, p->name, m) && is_affix(stem + m, n - m, p->word)) {
		text_add(&rule, "\"");
		show(whole, (unsigned)m, (unsigned)n, &rule);
		text_add(text_add(&rule, "\" behind "), p->name);
		return true;
	}
	if (!memcmp(stem + n - m, p->name, m) && is_affix(stem, n - m, p->word)) {
		text_add(&rule, "\"");
		show(whole, 0, (unsigned)(n - m), &rule);
		text_add(text_add(&rule, "\" before "), p->name);
		return true;
	}
	return false;
}

static void found(struct name_verdict *ret, enum name_kind kind, const struct protected_name *p,
		  const char *rule)
{
	ret->kind = kind;
	ret->of = p->name;
	if (rule)
		snprintf(ret->rule, sizeof(ret->rule), "%s", rule);
}

/* snss1: a digit behind, and a typing error. */
static bool numbered(const struct name *n, unsigned stem, const struct protected_name *p,
		     struct name_verdict *ret)
{
	if (stem < 5 || p->word || n->letter[stem - 1] < '0' || n->letter[stem - 1] > '9' ||
	    distance(n->letter, stem - 1, p->name) != 1)
		return false;
	found(ret, NAME_AFFIX, p, "one typing error away, and a digit behind");
	ret->distance = 1;
	return true;
}

/* The stem against one protected name. False = it has nothing to do with it. */
static bool look_at(const struct name *n, unsigned stem, const struct protected_name *p,
		    struct name_verdict *ret)
{
	char mine[NAME_LETTERS + 1], its[NAME_LETTERS + 1], why[64] = "";
	struct text rule = TEXT_ON(why);
	uint32_t letters[16];
	unsigned m = (unsigned)strlen(p->name), d;

	if (str_same(n->stem, p->name)) {
		found(ret, n->posed ? NAME_CONFUSABLE : NAME_EXACT, p, NULL);
		if (n->posed)
			snprintf(ret->rule, sizeof(ret->rule), "U+%04X, %s, in it",
				 (unsigned)n->posed,
				 names_is_accent(n->posed) ? "an accent by itself"
							   : "no dot but like one");
		return true;
	}
	if (stem >= m && stem <= m + 3) {
		for (unsigned i = 0; i < m; i++)
			letters[i] = (unsigned char)p->name[i];
		skeleton(letters, m, its, NULL);
		skeleton(n->letter, stem, mine, &rule);
		if (str_same(mine, its)) {
			found(ret, NAME_CONFUSABLE, p, rule.len ? why : "i and l for each other");
			return true;
		}
	}
	d = distance(n->letter, stem, p->name);
	if (d == 1 && strchr(n->stem, 1)) {
		found(ret, NAME_CONFUSABLE, p, "a letter of another script in it");
		return true;
	}
	if (d != 1 && has_affix(n, p, ret)) {
		found(ret, NAME_AFFIX, p, NULL);
		return true;
	}
	if (d <= p->distance) {
		found(ret, NAME_DISTANCE, p,
		      d == 1 ? "one typing error away" : "two typing errors away");
		ret->distance = d;
		return true;
	}
	return numbered(n, stem, p, ret);
}

/* The nearest protected name: exact, then alike, then by distance. */
static void look_at_all(const struct name *n, unsigned stem, enum system system,
			struct name_verdict *ret)
{
	static const uint8_t rank[] = {
		[NAME_AFFIX] = 9, [NAME_DISTANCE] = 12, [NAME_CONFUSABLE] = 30, [NAME_EXACT] = 40};

	for (unsigned i = 0; i < PROTECTED_COUNT; i++) {
		struct name_verdict v = {0};
		unsigned now, best;

		if (system == SYSTEM_LINUX && !protected_names[i].on_linux)
			continue;
		if (!look_at(n, stem, &protected_names[i], &v))
			continue;
		now = rank[v.kind] - 2 * v.distance;
		best = ret->kind == NAME_OTHER ? 0 : rank[ret->kind] - 2 * ret->distance;
		if (now > best)
			*ret = v;
	}
}

/* What its end makes of a name whose stem is a protected one. */
static void judge_end(const struct name *n, enum system system, struct name_verdict *ret)
{
	static const char *const honest[] = {"mui", "mun", "pdb", "pf"};

	if (n->hidden) {
		snprintf(ret->rule, sizeof(ret->rule), "U+%04X, which does not show, in it",
			 (unsigned)n->hidden);
		ret->kind = NAME_HIDDEN;
		ret->turns = n->turns;
		return;
	}
	if (ret->kind != NAME_EXACT)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(honest); i++) {
		if (str_same(n->ext, honest[i])) {
			*ret = (struct name_verdict){0};
			return;
		}
	}
	if (system == SYSTEM_LINUX && n->ext[0]) {
		ret->kind = NAME_NEIGHBOUR; /* as a process's name: a Windows program under Wine */
		snprintf(ret->rule, sizeof(ret->rule), "its name with the ending of Windows");
	} else if (n->doubled) {
		snprintf(ret->rule, sizeof(ret->rule), "more than one extension");
		ret->kind = NAME_DOUBLE_EXTENSION;
	} else if (n->ext[0] && !str_same(n->ext, "exe")) {
		struct text rule = TEXT_ON(ret->rule);

		text_add(&rule, "extension .");
		show(n, last_dot(n, n->letters) + 1, n->letters, &rule);
		ret->kind = NAME_DOUBLE_EXTENSION;
	} else if (n->odd_end) {
		snprintf(ret->rule, sizeof(ret->rule), "blanks or dots where none belong");
		ret->kind = NAME_HIDDEN;
	}
}

/* Near no protected name, but with characters that nobody types by accident. */
static bool only_hides(const struct name *n, struct name_verdict *ret)
{
	if (!n->hidden_alone)
		return false;
	snprintf(ret->rule, sizeof(ret->rule), "U+%04X, which does not show, in it",
		 (unsigned)n->hidden);
	ret->kind = NAME_HIDDEN;
	ret->turns = n->turns;
	return true;
}

static void look(const char *name, bool cut, enum system system, struct name_verdict *ret)
{
	struct name n;
	unsigned stem;

	*ret = (struct name_verdict){0};
	take_apart(name, &n);
	if (n.letters == 0 || n.too_long) {
		only_hides(&n, ret);
		return;
	}
	stem = split_extension(&n, cut);
	if (system == SYSTEM_LINUX && n.ext[0] && !is_program_extension(n.ext)) {
		stem = n.letters;
		n.ext[0] = '\0';
		n.doubled = false;
	}
	ascii(&n, 0, stem, n.stem, sizeof(n.stem));
	if (cut && !n.ext[0] && stem >= 14) {
		only_hides(&n, ret); /* its end is not known */
		return;
	}
	look_at_all(&n, stem, system, ret);
	if (ret->kind == NAME_OTHER) {
		only_hides(&n, ret);
		return;
	}
	if ((ret->kind == NAME_DISTANCE || ret->kind == NAME_AFFIX) && !n.hidden &&
	    names_neighbour(n.stem, system)) {
		ret->kind = NAME_NEIGHBOUR;
		return;
	}
	judge_end(&n, system, ret);
}

/*
 * "x.txt:smss.exe" runs what lies in an alternate stream of another file, and tools show the name
 * behind the colon: there is no reason to call that like a process of the system.
 */
void name_look(const char *name, bool cut, enum system system, struct name_verdict *ret)
{
	const char *stream = system == SYSTEM_WINDOWS ? strchr(name, ':') : NULL;

	if (stream && stream > name + 1 && stream[1]) {
		look(stream + 1, cut, system, ret);
		if (ret->kind != NAME_OTHER && ret->kind != NAME_NEIGHBOUR) {
			ret->kind = NAME_HIDDEN;
			snprintf(ret->rule, sizeof(ret->rule), "in an alternate stream of a file");
			return;
		}
	}
	look(name, cut, system, ret);
}
