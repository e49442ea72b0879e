/* SPDX-License-Identifier: MIT */
/*
 * events.c - smctl events and wait ready: what happens, and waiting until it has
 *
 * Waiting is done by subscription, with a look at the status now and then, so that a lost event
 * delays the answer and never prevents it. Every wait has a deadline unless the user took it away.
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "sys/sys.h"

#define WAIT_S       300  /* of wait ready, when --timeout does not say otherwise */
#define PORT_WAIT_MS 5000 /* the API port may be about to be made */
#define LOOK_MS      2000
#define RETRY_MS     50

static json_object *json_event(const struct sm_event *event)
{
	json_object *o;

	switch (event->kind) {
	case SM_ON_BOOT:
		o = json_boot_entry(&event->of.boot);
		json_put_text(o, "event", "boot");
		return o;
	case SM_ON_SESSION:
		o = json_session(&event->of.session);
		json_put_text(o, "event", "session");
		return o;
	case SM_ON_SHUTDOWN:
		o = json_object_new_object();
		json_put_text(o, "event", "shutdown");
		json_put_text(o, "action", sm_power_word(event->of.shutdown.action));
		json_put_bool(o, "fast", event->of.shutdown.fast);
		json_put_text(o, "reason", event->of.shutdown.reason);
		return o;
	default:
		o = json_object_new_object();
		json_put_text(o, "event", "lost");
		json_put_number(o, "count", event->of.lost);
		return o;
	}
}

static const struct {
	const char *word;
	enum sm_event_kind kind;
} kinds[] = {{"boot", SM_ON_BOOT}, {"session", SM_ON_SESSION}, {"shutdown", SM_ON_SHUTDOWN}};

/* "session,shutdown": bits by kind. Lost events may have been of any kind, so they are all kinds'.
 * 0 = a word is none. */
static unsigned kinds_of(const char *list)
{
	unsigned bits = 1u << SM_ON_LOST;

	for (size_t i = 0; !list && i < ARRAY_SIZE(kinds); i++)
		bits |= 1u << kinds[i].kind;
	while (list) {
		const size_t n = strcspn(list, ",");
		size_t i = 0;

		while (i < ARRAY_SIZE(kinds) &&
		       (strlen(kinds[i].word) != n || strncmp(list, kinds[i].word, n) != 0))
			i++;
		if (i == ARRAY_SIZE(kinds))
			return 0;
		bits |= 1u << kinds[i].kind;
		list = list[n] ? list + n + 1 : NULL;
	}
	return bits;
}

int verb_events(struct smctl *s, int argc, char **argv)
{
	const unsigned wanted = kinds_of(s->only);
	bool going = false;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (!wanted)
		return smctl_usage(s, "--only wants some of boot,session,shutdown, not \"%s\"",
				   show_text(s->only));
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_subscribe(s->c);
	while (r >= 0) {
		struct sm_event event;

		r = sm_event_next(s->c, -1, &event);
		if (r == 1) {
			going = going || event.kind == SM_ON_SHUTDOWN;
			if (wanted >> event.kind & 1 &&
			    json_show(json_event(&event), true) != SMCTL_OK)
				return SMCTL_FAILED;
		}
	}
	/* After a shutdown event the end of the connection is what was to come. */
	return r == -ENOTCONN && going ? SMCTL_OK : smctl_call_failed(s, r, NULL);
}

/* Waits for the port to appear; the last try says what is wrong. */
static int connect_patiently(struct smctl *s, uint64_t deadline_ns)
{
	uint64_t give_up_ns = sys_now_ns() + PORT_WAIT_MS * 1000000ull;
	struct sm_connection *c;

	if (deadline_ns && deadline_ns < give_up_ns)
		give_up_ns = deadline_ns;
	while (sys_now_ns() < give_up_ns) {
		int r = sm_open(s->socket, &c);

		if (r == 0) {
			s->c = c;
			return 0;
		}
		if (r != -ENOENT && r != -ECONNREFUSED && r != -EBUSY)
			break;
		sys_sleep_ms(RETRY_MS);
	}
	return smctl_connect(s);
}

static int say_ready(const struct smctl *s, const struct sm_machine *m)
{
	if (s->json) {
		json_object *o = json_object_new_object();

		json_put_bool(o, "ready", m->ready);
		json_put_text(o, "phase", m->phase);
		json_put_text(o, "blocker", m->blocker);
		json_put(o, "ready_us",
			 m->ready ? json_object_new_uint64((m->ready_ns - m->started_ns) / 1000u)
				  : NULL);
		(void)json_show(o, false);
		return m->ready ? SMCTL_OK : SMCTL_FAILED;
	}
	if (m->ready) {
		printf("ready after %s\n", show_duration(m->ready_ns - m->started_ns));
		return SMCTL_OK;
	}
	if (m->shutting_down)
		return smctl_error(s, "the machine is shutting down before it was ready");
	return smctl_error(s, "not ready in time: phase %s is running%s%s; see: smctl boot",
			   m->phase, m->blocker[0] ? ", waiting for " : "", show_text(m->blocker));
}

int verb_wait_ready(struct smctl *s, int argc, char **argv)
{
	uint64_t timeout_s = s->timeout_s < 0 ? WAIT_S : (uint64_t)s->timeout_s;
	uint64_t deadline_ns = timeout_s ? sys_now_ns() + timeout_s * 1000000000ull : 0;
	int r;

	if (argc > 0)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[0]));
	if (connect_patiently(s, deadline_ns))
		return SMCTL_FAILED;
	r = sm_subscribe(s->c);
	/* Without events the status is still asked for every LOOK_MS. */
	if (r < 0 && r != -ENOSYS && r != -ENOSPC && r != -EAGAIN && r != -EACCES)
		return smctl_call_failed(s, r, NULL);
	for (bool events = r == 0;;) {
		struct sm_event event;
		struct sm_machine m;
		uint64_t now;
		int wait_ms = LOOK_MS;

		r = sm_status(s->c, &m);
		if (r < 0)
			return smctl_call_failed(s, r, NULL);
		now = sys_now_ns();
		if (m.ready || m.shutting_down || (deadline_ns && now >= deadline_ns))
			return say_ready(s, &m);
		if (deadline_ns && deadline_ns - now < LOOK_MS * 1000000ull)
			wait_ms = (int)((deadline_ns - now) / 1000000u) + 1;
		if (!events) {
			sys_sleep_ms((unsigned)wait_ms);
			continue;
		}
		r = sm_event_next(s->c, wait_ms, &event);
		if (r < 0)
			return smctl_call_failed(s, r, NULL);
	}
}
