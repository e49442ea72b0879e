/* SPDX-License-Identifier: MIT */
/*
 * names_table.c - the protected names, their honest neighbours, and letters that look like others
 *
 * Data only. The letters are a hand-made selection for a to z: those of other scripts and of the
 * compatibility blocks that common fonts draw like Latin ones.
 */
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/names.h"
#include "smaudit/rules.h"

const struct protected_name protected_names[PROTECTED_COUNT] = {
	{"smss", 1, false, true},     {"csrss", 1, false, true},    {"wininit", 2, false, true},
	{"winlogon", 2, false, true}, {"services", 2, true, false}, {"lsass", 1, false, false},
	{"svchost", 2, false, false}, {"autochk", 2, false, true},
};

/* All of them lie in System32; a 32-bit service host is the one that SysWOW64 has, too. */
static const char *const home_names[] = {"smss",  "csrss",   "wininit", "winlogon", "services",
					 "lsass", "svchost", "autochk", "lsm",      "lsaiso"};

unsigned name_home(const char *base)
{
	for (size_t i = 0; i < ARRAY_SIZE(home_names); i++) {
		size_t n = strlen(home_names[i]);

		if (strncasecmp(base, home_names[i], n) ||
		    (base[n] && strcasecmp(base + n, ".exe")))
			continue;
		return HOME_SYSTEM32 | (str_same(home_names[i], "svchost") ? HOME_SYSWOW64 : 0);
	}
	return 0;
}

/* Sorted by nothing: they are few, and asked for only when a name is already near. */
static const char *const windows_neighbours[] = {
	"ssms",      "sqlservr",    "smsexec",     "smsboot",
	"smswd",     "smstsmgr",    "smssitecomp", "smsdbmon",
	"sms",       "smsc",        "smsrouter",   "axsmssvc",
	"smmsc",     "smpp",        "smc",         "smsvchost",
	"mssense",   "sophosna",    "lsaiso",      "msg",
	"mmc",       "sihost",      "synchost",    "taskhostex",
	"taskhostw", "wlms",        "lsm",         "mqsvc",
	"smms",      "mmm",         "fms",         "chost",
	"dism",      "ism",         "service",     "autocheck",
	"vhost",     "winlog",      "servicer",    "dwm",
	"wininet",   "servicehost", "smartscreen", "systemsettings",
};
static const char *const linux_neighbours[] = {"smsd", "sms", "smsc", "ssmd", "smss-sigterm"};

bool names_neighbour(const char *stem, enum system system)
{
	const char *const *list = windows_neighbours;
	size_t n = ARRAY_SIZE(windows_neighbours);

	if (system == SYSTEM_LINUX) {
		list = linux_neighbours;
		n = ARRAY_SIZE(linux_neighbours);
	}
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(list[i], stem))
			return true;
	}
	return false;
}

bool names_is_bidi(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool names_is_zero_width(uint32_t c)
{
	return (c >= 0x200b && c <= 0x200f) || c == 0x2060 || c == 0xfeff || c == 0xad ||
	       c == 0x61c || c == 0x34f || c == 0x180e || (c >= 0x2061 && c <= 0x2064) ||
	       c == 0x115f || c == 0x1160 || c == 0x3164 || c == 0xffa0 ||
	       (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0000 && c <= 0xe007f);
}

bool names_is_odd_blank(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f ||
	       c == 0x205f || c == 0x3000 || c == 0x2800;
}

bool names_is_accent(uint32_t c)
{
	return (c >= 0x300 && c <= 0x36f) || (c >= 0x483 && c <= 0x489) ||
	       (c >= 0x1ab0 && c <= 0x1aff) || (c >= 0x1dc0 && c <= 0x1dff) ||
	       (c >= 0x20d0 && c <= 0x20ff) || (c >= 0xfe20 && c <= 0xfe2f);
}

bool names_is_odd_dot(uint32_t c)
{
	return c == 0xff0e || c == 0x2024 || c == 0x3002 || c == 0xff61 || c == 0xfe52;
}

/* Letters in a row that stand for the letters of a text in turn; '.' = for none. */
struct run {
	uint32_t first;
	const char *letters;
};

/* clang-format off */
static const struct run latin_accents[] = {
	{0xc0, "aaaaaa.ceeeeiiii.nooooo.ouuuuy.."}, {0xe0, "aaaaaa.ceeeeiiii.nooooo.ouuuuy.y"},
	{0x100, "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.llllllllllnnnnnn...oooooo.."
		"rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs"},
	{0x1cd, "aaiioouuuuuuuuuu"}, {0x1e4, "ggggkkoooo"}, {0x218, "sstt"},
	{0x1e00, "aabbbbbbccddddddddddeeeeeeeeeeffgghhhhhhhhhhiiiikkkkkkllllllllmmmmmmnnnnnnnnoooooooo"
		 "pppprrrrrrrrsssssssssstttttttttuuuuuuuuuuvvvvwwwwwwwwwwxxxxyyzzzzzz"},
	{0x1ea0, "aaaaaaaaaaaaaaaaaaaaaaaaeeeeeeeeeeeeeeeeiiiioooooooooooooooooooooooouuuuuuuuuuuuuuyyyyyyyy"},
};

static const struct script {
	const char *name;
	struct run run;
} scripts[] = {
	{"fullwidth", {0xff10, "olzeasgtbg"}}, {"fullwidth", {0xff21, "abcdefghijklmnopqrstuvwxyz"}},
	{"fullwidth", {0xff41, "abcdefghijklmnopqrstuvwxyz"}}, {"fullwidth", {0xff04, "s"}},
	{"Cyrillic", {0x405, "sii"}}, {"Cyrillic", {0x408, "j"}}, {"Cyrillic", {0x410, "a.b..e"}},
	{"Cyrillic", {0x41a, "k.mhoppcty.x"}}, {"Cyrillic", {0x430, "a..r.e"}},
	{"Cyrillic", {0x433, "r"}}, {"Cyrillic", {0x43a, "k.mho.pcty.x"}},
	{"Cyrillic", {0x455, "sij"}}, {"Cyrillic", {0x458, "j"}}, {"Cyrillic", {0x475, "v"}},
	{"Cyrillic", {0x4bb, "h"}}, {"Cyrillic", {0x4c0, "l"}}, {"Cyrillic", {0x4cf, "l"}},
	{"Cyrillic", {0x501, "d"}}, {"Cyrillic", {0x51b, "qqww"}}, {"Cyrillic", {0x461, "w"}},
	{"Greek", {0x391, "ab..ez.i.k..mn.op...ty.x"}}, {"Greek", {0x3b1, "a......n...k.uvv.op....u"}},
	{"Greek", {0x3b7, "n"}}, {"Greek", {0x3b9, "i"}}, {"Greek", {0x3c2, "c"}}, {"Greek", {0x3c9, "w"}},
	{"Greek", {0x3f2, "cj"}}, {"Greek", {0x3f9, "c"}},
	{"Armenian", {0x570, "h"}}, {"Armenian", {0x57d, "u"}}, {"Armenian", {0x578, "n"}},
	{"Armenian", {0x585, "o"}}, {"Armenian", {0x581, "g"}}, {"Armenian", {0x54f, "s"}},
	{"Cherokee", {0x13da, "s"}}, {"Cherokee", {0x13d5, "s"}}, {"Cherokee", {0x13b7, "m"}},
	{"Latin long s", {0x17f, "s"}}, {"phonetic", {0x1d1c, "u"}}, {"phonetic", {0x1d20, "vwz"}},
	{"small capital", {0x299, "b"}}, {"small capital", {0x262, "g"}}, {"small capital", {0x29c, "h"}},
	{"small capital", {0x26a, "i"}}, {"small capital", {0x274, "n"}}, {"small capital", {0x280, "r"}},
	{"small capital", {0xa731, "s"}}, {"small capital", {0x1d04, "c"}}, {"small capital", {0x1d0d, "m"}},
	{"small capital", {0x1d0f, "o"}}, {"small capital", {0x1d1b, "t"}}, {"phonetic", {0x251, "a"}},
	{"phonetic", {0x261, "g"}}, {"phonetic", {0x269, "i"}}, {"phonetic", {0x131, "i"}},
	{"phonetic", {0x282, "s"}}, {"phonetic", {0x26f, "w"}}, {"phonetic", {0x271, "m"}},
	{"Roman numeral", {0x2160, "i...v....x.lcdm"}}, {"Roman numeral", {0x216c, "lcdm"}},
	{"Roman numeral", {0x2170, "i...v....x"}}, {"Roman numeral", {0x217c, "lcdm"}},
	{"letter-like", {0x2113, "l"}}, {"letter-like", {0x2134, "o"}}, {"letter-like", {0x212f, "e"}},
	{"letter-like", {0x2139, "i"}}, {"letter-like", {0x2223, "l"}},
	{"circled", {0x24b6, "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"}},
	{"mathematical", {0x1d7ce, "olzeasgtbg"}}, {"mathematical", {0x1d7d8, "olzeasgtbg"}},
	{"modifier", {0x2e2, "s"}}, {"modifier", {0x1d50, "m"}}, {"modifier", {0x1d9c, "c"}},
};
/* clang-format on */

static char run_letter(const struct run *r, uint32_t letter)
{
	char c;

	if (letter < r->first || letter - r->first >= strlen(r->letters))
		return 0;
	c = r->letters[letter - r->first];
	return c == '.' ? 0 : c;
}

char names_base(uint32_t letter)
{
	char c = 0;

	for (size_t i = 0; i < ARRAY_SIZE(latin_accents) && !c; i++)
		c = run_letter(&latin_accents[i], letter);
	return c;
}

char names_confusable(uint32_t letter, const char **ret_script)
{
	char c = 0;

	for (size_t i = 0; i < ARRAY_SIZE(scripts) && !c; i++) {
		c = run_letter(&scripts[i].run, letter);
		if (c)
			*ret_script = scripts[i].name;
	}
	/* Thirteen alphabets of 52 letters each, in the same order. */
	if (!c && letter >= 0x1d400 && letter < 0x1d400 + 13 * 52) {
		c = (char)('a' + (letter - 0x1d400) % 26);
		*ret_script = "mathematical";
	}
	if (!c && (c = names_base(letter)))
		*ret_script = "accented";
	return c;
}
