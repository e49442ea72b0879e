/* SPDX-License-Identifier: MIT */
/*
 * run.c - one run: each input to its reader, its facts to the rules; see run.h
 *
 * All inputs share one world, so that a list of processes and an event log of one host are judged
 * together; registry values are judged hive by hive. Nothing is opened because evidence names it.
 */
#include "smaudit/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/plan.h"
#include "smaudit/json_out.h"
#include "smaudit/readers.h"
#include "smaudit/rules.h"
#include "smaudit/sniff.h"
#include "sys/sys.h"

#define PROGRESS_FIRST_MS 700
#define PROGRESS_EVERY_MS 200

struct run {
	const struct options *o;
	struct report *report;
	struct world *world;
	struct registry_judge *registry; /* of the hive that is being read */
	struct profile *profile;
	struct sink profile_sink;
	struct catalog *catalog; /* NULL = not there, or no image was read yet */
	bool catalog_tried;
	uint64_t processes, values, images; /* told by the input that is being read */
	uint64_t errors;                    /* input errors told so far */
	unsigned hives;                     /* that were read, or tried */
	bool show_progress, progress_shown;
	int64_t began_ms, shown_ms;
};

static int64_t now_ms(void)
{
	return (int64_t)(sys_now_ns() / 1000000);
}

/* ---- facts on their way ---- */

static void on_process(void *arg, const struct process_fact *f)
{
	struct run *run = arg;
	struct process_fact named = *f;

	if (!named.host)
		named.host = run->o->host;
	run->processes++;
	world_process(run->world, &named);
	if (run->profile && run->profile_sink.process)
		run->profile_sink.process(run->profile_sink.arg, &named);
}

static void on_boot(void *arg, const struct boot_fact *f)
{
	struct run *run = arg;
	struct boot_fact named = *f;

	if (!named.host)
		named.host = run->o->host;
	world_boot(run->world, &named);
	if (run->profile && run->profile_sink.boot)
		run->profile_sink.boot(run->profile_sink.arg, &named);
}

static void on_registry(void *arg, const struct registry_fact *f)
{
	struct run *run = arg;
	struct registry_fact named = *f;

	if (!named.host)
		named.host = run->o->host;
	run->values++;
	if (!run->registry)
		run->registry = registry_judge_new(run->report);
	registry_judge_fact(run->registry, &named);
	if (run->profile && run->profile_sink.registry)
		run->profile_sink.registry(run->profile_sink.arg, &named);
}

static bool begins_with_smss(const char *name)
{
	return name && strncasecmp(name, "smss", 4) == 0;
}

/* The rules of images are about a few names: of another file only its own name was looked at. */
static bool is_of_interest(const struct image_fact *f)
{
	const char *path = f->claimed_path ? f->claimed_path : f->place.file;
	struct name_verdict name;

	name_look(path_base(path), false,
		  f->format == IMAGE_ELF || f->ours ? SYSTEM_LINUX : SYSTEM_WINDOWS, &name);
	return f->ours || name.kind == NAME_EXACT || name_home(path_base(path)) ||
	       begins_with_smss(f->original_name) || begins_with_smss(f->internal_name);
}

static void on_image(void *arg, const struct image_fact *f)
{
	static const struct finding name_looked = {.rule = INDICATOR_NEAR_MISS_NAME,
						   .verdict = VERDICT_NOTHING};
	struct run *run = arg;
	struct image_fact named = *f;

	if (!named.host)
		named.host = run->o->host;
	run->images += is_of_interest(f);
	report_add(run->report, &name_looked);
	judge_image(run->report, &named);
	if (run->profile && run->profile_sink.image)
		run->profile_sink.image(run->profile_sink.arg, &named);
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	struct run *run = arg;

	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	run->progress_shown = false;
	run->errors += t == TROUBLE_INPUT;
	report_trouble(run->report, p, t, text);
}

static void on_progress(void *arg, const char *file, uint64_t done, uint64_t total)
{
	struct run *run = arg;
	int64_t now;

	if (!run->show_progress)
		return;
	now = now_ms();
	if (now - run->began_ms < PROGRESS_FIRST_MS || now - run->shown_ms < PROGRESS_EVERY_MS)
		return;
	run->shown_ms = now;
	run->progress_shown = true;
	fputs("\r\033[K", stderr);
	out_escaped(stderr, file, 60);
	if (total)
		fprintf(stderr, ": %u %%", (unsigned)(done >= total ? 100 : done * 100 / total));
	else
		fprintf(stderr, ": %llu MiB", (unsigned long long)(done >> 20));
	fflush(stderr);
}

static void on_finding(void *arg, const struct finding *f)
{
	profile_finding(arg, f);
}

/* ---- inputs ---- */

static const struct {
	unsigned source;
	const char *as_what;
} kinds[] = {
	[CONTENT_LIST] = {SOURCE_PROCESSES, "list or events"},
	[CONTENT_HIVE] = {SOURCE_HIVE, "registry hive"},
	[CONTENT_HIVE_LOG] = {0, "log of a hive, read with that"},
	[CONTENT_EVTX] = {SOURCE_EVTX, "Windows event log"},
	[CONTENT_IMAGE] = {SOURCE_IMAGE, "program image"},
	[CONTENT_FINDINGS] = {0, "findings of smaudit"},
	[CONTENT_EMPTY] = {0, "empty"},
};

static struct sink sink_of(struct run *run)
{
	return (struct sink){run,      on_process, on_boot,    on_registry,
			     on_image, on_trouble, on_progress};
}

static void told(struct run *run, const char *file, enum content c, const char *as_what)
{
	uint64_t records;

	if (run->registry) {
		registry_judge_end(run->registry);
		registry_judge_free(run->registry);
		run->registry = NULL;
	}
	records = kinds[c].source == SOURCE_HIVE    ? run->values
		  : kinds[c].source == SOURCE_IMAGE ? run->images
						    : run->processes;
	report_input(run->report, file, kinds[c].source, as_what ? as_what : kinds[c].as_what,
		     records);
}

static int read_findings(struct run *run, const char *file, const struct sink *to)
{
	struct place p = {file, 0};

	if (run->profile)
		return read_ndjson(file, run->profile, to);
	to->trouble(to->arg, &p, TROUBLE_INPUT,
		    "these are findings, not evidence; `smaudit profile NAME FILE` takes them");
	return -EINVAL;
}

/* The list that ELF images are held against. That there is none is no error unless it was named. */
static void use_catalog(struct run *run)
{
	const struct options *o = run->o;
	struct place p = {o->catalog ? o->catalog : CATALOG_PATH, 0};
	char why[160] = "";
	int r;

	if (run->catalog_tried)
		return;
	run->catalog_tried = true;
	r = catalog_open(p.file, o->catalog ? o->catalog_key : CATALOG_KEY_PATH, &run->catalog, why,
			 sizeof(why));
	if (r < 0) {
		run->catalog = NULL;
		if (o->catalog || r != -ENOENT)
			on_trouble(run, &p, o->catalog ? TROUBLE_INPUT : TROUBLE_NOTE,
				   *why ? why : strerror(-r));
	}
	image_catalog(run->catalog);
}

static void read_one(struct run *run, const char *file, enum content c)
{
	struct sink to = sink_of(run);
	const struct options *o = run->o;
	uint64_t records = 0, errors = run->errors;
	const char *shape = NULL;
	struct place p = {file, 0};
	int r = 0;

	run->processes = run->values = run->images = 0;
	run->began_ms = now_ms();
	if (c == CONTENT_LIST)
		r = read_processes(file, run->show_progress, &to, &shape, &records);
	else if (c == CONTENT_HIVE) {
		run->hives++;
		r = read_hive(file, o->log, o->logs, &to, &records);
	} else if (c == CONTENT_EVTX)
		r = read_evtx(file, &to, &records);
	else if (c == CONTENT_IMAGE) {
		use_catalog(run);
		r = read_image(file, o->claimed, &to);
	} else if (c == CONTENT_FINDINGS)
		r = read_findings(run, file, &to);
	else if (c == CONTENT_HIVE_LOG)
		to.trouble(run, &p, TROUBLE_NOTE, "a log of a hive: it is read with its hive");
	else
		to.trouble(run, &p, TROUBLE_INPUT, "it is empty: collect it again");
	if (r < 0 && run->errors == errors) /* a reader has to say why; never end in silence */
		to.trouble(run, &p, TROUBLE_INPUT, strerror(-r));
	if (run->progress_shown)
		fputs("\r\033[K", stderr);
	run->progress_shown = false;
	told(run, file, c, shape);
}

/* These three are read here and there in a file: nothing that only streams will do. */
static bool refuse_stream(struct run *run, const char *file)
{
	enum verb v = run->o->verb;
	bool standard = strcmp(file, "-") == 0;
	struct place p = {file, 0};
	struct stat st;
	char text[160];

	if (v != VERB_HIVE && v != VERB_EVTX && v != VERB_IMAGE)
		return false;
	if (!standard && (stat(file, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return false;
	snprintf(text, sizeof(text), "%s: copy it to a file first, then `smaudit %s FILE`",
		 standard ? "standard input is not read here" : "not a file but a pipe or device",
		 verb_word(v));
	on_trouble(run, &p, TROUBLE_INPUT, text);
	return true;
}

/* What the verb says a file is; what the file is where it says nothing. */
static void read_file(struct run *run, const char *file)
{
	static const int said[] = {[VERB_HIVE] = CONTENT_HIVE,
				   [VERB_PROCESSES] = CONTENT_LIST,
				   [VERB_EVTX] = CONTENT_EVTX,
				   [VERB_IMAGE] = CONTENT_IMAGE};
	bool any = run->o->verb == VERB_ALL || run->o->verb == VERB_PROFILE;
	struct place p = {file, 0};
	char text[160];
	int c;

	if (refuse_stream(run, file))
		return;
	c = sniff(file);
	if (c < 0) {
		if (c == -EISDIR)
			snprintf(text, sizeof(text), "a directory: name the files in it");
		else
			snprintf(text, sizeof(text), "it cannot be read: %s", strerror(-c));
		on_trouble(run, &p, TROUBLE_INPUT, text);
		return;
	}
	if (!any && c != said[run->o->verb] && c != CONTENT_LIST && c != CONTENT_HIVE_LOG &&
	    c != CONTENT_EMPTY && c != CONTENT_FINDINGS) {
		snprintf(text, sizeof(text), "a %s; `smaudit %s FILE` reads it", kinds[c].as_what,
			 verb_word(c == CONTENT_HIVE   ? VERB_HIVE
				   : c == CONTENT_EVTX ? VERB_EVTX
						       : VERB_IMAGE));
		on_trouble(run, &p, TROUBLE_INPUT, text);
		return;
	}
	if (!any && c != CONTENT_EMPTY && c != CONTENT_FINDINGS)
		c = said[run->o->verb]; /* its reader says what is wrong with it */
	read_one(run, file, (enum content)c);
}

static void read_live(struct run *run)
{
	struct sink to = sink_of(run);
	uint64_t errors = run->errors;
	struct place p = {"this machine", 0};
	int r;

	r = live_audit(run->o->root, run->o->grace_s, &to, run->report);
	if (r < 0 && run->errors == errors)
		on_trouble(run, &p, TROUBLE_INPUT, strerror(-r));
	if (run->registry) {
		registry_judge_end(run->registry);
		registry_judge_free(run->registry);
		run->registry = NULL;
	}
	if (r == -ESRCH)
		return; /* no machine of ours: nothing of it was looked at */
	/* A part of the machine that could not be looked at is not clean: each counts for itself.
	 */
	report_input(run->report, p.file, SOURCE_PROCESSES, "processes", run->processes);
	report_input(run->report, p.file, SOURCE_HIVE, "registry", run->values);
	report_input(run->report, p.file, SOURCE_IMAGE, "images", run->images);
}

/* ---- the run ---- */

static bool wants_colour(const struct options *o, FILE *to)
{
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");

	if (o->colour != COLOUR_AUTO)
		return o->colour == COLOUR_ALWAYS;
	return isatty(fileno(to)) && !(no_colour && *no_colour) && term &&
	       strcmp(term, "dumb") != 0;
}

static int add_roots(const struct options *o)
{
	for (unsigned i = 0; i < o->root_count; i++) {
		int r = image_roots_add(o->roots[i]);

		if (r < 0) {
			fprintf(stderr, "smaudit: %s: no certificates can be read from it: %s\n",
				o->roots[i], strerror(-r));
			return r;
		}
	}
	return 0;
}

/* A page without a fact is not wrong, but most often the name is. */
static void say_unknown(const struct run *run)
{
	const char *name;

	fputs("smaudit: ", stderr);
	out_escaped(stderr, run->o->profile_name, 200);
	fputs(": not observed in these inputs", stderr);
	for (unsigned i = 0; (name = profile_other(run->profile, i)); i++) {
		fputs(i ? ", " : "; they tell of ", stderr);
		out_escaped(stderr, name, 60);
	}
	fputs("\n", stderr);
}

static int finish(struct run *run, FILE *to)
{
	uint64_t peak = world_end(run->world);
	int status = report_end(run->report), r;

	if (getenv("SMAUDIT_MEMORY"))
		fprintf(stderr, "smaudit: the world took %llu bytes at most\n",
			(unsigned long long)peak);
	if (!run->profile)
		return status;
	r = profile_print(run->profile, to, run->o->profile_format);
	if (r < 0) {
		fprintf(stderr, "smaudit: the profile: %s\n", strerror(-r));
		return 2;
	}
	if (run->errors)
		return 2;
	if (profile_any(run->profile))
		return 0;
	say_unknown(run);
	return 3;
}

int audit_run(const struct options *o, FILE *to)
{
	struct run run = {.o = o};
	struct world_options options = {o->grace_s, o->late_s, o->system_root};
	FILE *nowhere = NULL;
	int status;

	if (o->verb == VERB_RULES)
		return rules_print(to, o->json, o->files, o->file_count);
	if (add_roots(o) < 0)
		return 2;
	if (o->quiet || o->verb == VERB_PROFILE) {
		nowhere = fopen("/dev/null", "we");
		if (!nowhere) {
			fprintf(stderr, "smaudit: /dev/null: %s\n", strerror(errno));
			return 2;
		}
	}
	run.report = report_new(nowhere ? nowhere : to, nowhere ? REPORT_TEXT : o->format,
				!nowhere && wants_colour(o, to), o->all);
	run.world = world_new(run.report, &options);
	run.show_progress = o->progress || (!o->quiet && isatty(STDERR_FILENO));
	if (o->verb == VERB_PROFILE) {
		run.profile = profile_new(o->profile_name);
		run.profile_sink = profile_sink(run.profile);
		report_watch(run.report, on_finding, run.profile);
	}
	if (o->verb == VERB_LIVE)
		read_live(&run);
	for (unsigned i = 0; i < o->file_count && o->verb != VERB_LIVE; i++)
		if (o->verb == VERB_PROFILE && strcmp(o->files[i], "live") == 0)
			read_live(&run); /* a file of that name is ./live */
		else
			read_file(&run, o->files[i]);
	if (o->logs && !run.hives)
		on_trouble(&run, &(struct place){o->log[0], 0}, TROUBLE_INPUT,
			   "--logs belongs to a hive, and no hive is among the inputs");
	status = finish(&run, to);
	world_free(run.world);
	profile_free(run.profile);
	report_free(run.report);
	image_catalog(NULL);
	catalog_free(run.catalog);
	if (nowhere)
		fclose(nowhere);
	return status;
}
