/* SPDX-License-Identifier: MIT */
/*
 * evtx_child.c - the process that has libevtx read chunks; see evtx.h
 *
 * libevtx is a library of 2018 that parses what an intruder may have written, so it runs where it
 * can reach nothing: no file can be opened, none is open but the two pipes, memory and time are
 * limited. Each chunk comes as if it were a log of its own, in memory, and what libevtx keeps is
 * dropped behind it. Never called in the process that judges.
 */
#include <errno.h>
#include <fcntl.h>
#include <libbfio.h>
#include <libevtx.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "registry/sandbox.h"
#include "smaudit/evtx.h"

#define MEMORY_BYTES (256ull << 20)
#define XML_MAX      (1u << 20) /* a record has at most 64 kB */
#define PROVIDER_MAX 256u

struct job {
	uint8_t log[EVTX_HEADER_BYTES + EVTX_CHUNK_BYTES];
	uint64_t ids[EVTX_RECORDS_MAX];
	unsigned walked;
	int to;
	struct evtx_done done;
	struct {
		struct evtx_frame head;
		char body[EVTX_FRAME_MAX];
	} frame;
	uint8_t xml[XML_MAX];
};

static struct job job;

static void say(enum evtx_frame_kind kind, uint64_t record, size_t n)
{
	size_t all = sizeof(job.frame.head) + n;

	job.frame.head = (struct evtx_frame){kind, (uint32_t)n, record};
	for (size_t at = 0; at < all;) {
		ssize_t w = write(job.to, (const char *)&job.frame + at, all - at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			_exit(1);
		at += (size_t)w;
	}
}

/* The innermost reason is the first line of libevtx's account. */
static void say_unread(uint64_t record, const char *why, libevtx_error_t **error)
{
	char account[2048];
	size_t n;

	if (error && *error && libevtx_error_backtrace_sprint(*error, account, sizeof(account)) > 0)
		why = account;
	n = strcspn(why, "\n");
	n = n < EVTX_REASON_MAX ? n : EVTX_REASON_MAX;
	memcpy(job.frame.body, why, n);
	if (error)
		libevtx_error_free(error);
	say(EVTX_UNREAD, record, n);
}

static bool wanted(libevtx_record_t *r)
{
	uint8_t provider[PROVIDER_MAX];
	uint32_t id;

	if (libevtx_record_get_event_identifier(r, &id, NULL) != 1)
		return true; /* its XML may tell */
	id &= 0xffff;        /* the rest are its qualifiers */
	if (!event_wanted(id, NULL))
		return false;
	if (libevtx_record_get_utf8_source_name(r, provider, sizeof(provider), NULL) != 1)
		return true;
	provider[sizeof(provider) - 1] = '\0';
	return event_wanted(id, (const char *)provider);
}

static void tell(libevtx_record_t *r, uint64_t id)
{
	libevtx_error_t *error = NULL;
	long bytes;

	if (libevtx_record_get_utf8_xml_string(r, job.xml, sizeof(job.xml), &error) != 1) {
		say_unread(id, "its text is too long", &error);
		return;
	}
	bytes = evtx_fields_make((const char *)job.xml, sizeof(job.xml), job.frame.body,
				 EVTX_FRAME_MAX);
	if (bytes < 0) {
		say_unread(id, "it has too many fields, or too long ones", NULL);
		return;
	}
	job.done.read++;
	say(EVTX_EVENT, id, (size_t)bytes);
}

static void read_records(libevtx_file_t *file)
{
	int count = 0;

	if (libevtx_file_get_number_of_records(file, &count, NULL) != 1)
		return;
	for (int i = 0; i < count && i < (int)EVTX_RECORDS_MAX; i++) {
		uint64_t id = (unsigned)i < job.walked ? job.ids[i] : 0;
		libevtx_error_t *error = NULL;
		libevtx_record_t *r = NULL;

		if (libevtx_file_get_record_by_index(file, i, &r, &error) != 1) {
			say_unread(id, "unreadable", &error);
			continue;
		}
		(void)libevtx_record_get_identifier(r, &id, NULL);
		if (wanted(r))
			tell(r, id);
		else
			job.done.read++;
		libevtx_record_free(&r, NULL);
	}
	if (libevtx_file_get_number_of_recovered_records(file, &count, NULL) == 1 && count > 0)
		job.done.recovered = (uint32_t)count;
}

static void read_chunk(void)
{
	libbfio_handle_t *io = NULL;
	libevtx_file_t *file = NULL;
	libevtx_error_t *error = NULL;

	memset(&job.done, 0, sizeof(job.done));
	job.walked = evtx_records(job.log + EVTX_HEADER_BYTES, job.ids);
	if (libbfio_memory_range_initialize(&io, NULL) != 1 ||
	    libbfio_memory_range_set(io, job.log, sizeof(job.log), NULL) != 1 ||
	    libevtx_file_initialize(&file, NULL) != 1)
		_exit(1);
	if (libevtx_file_open_file_io_handle(file, io, LIBEVTX_OPEN_READ, &error) == 1)
		read_records(file);
	else
		say_unread(job.walked ? job.ids[0] : 0, "unreadable", &error);
	(void)libevtx_file_close(file, NULL);
	(void)libevtx_file_free(&file, NULL);
	(void)libbfio_handle_free(&io, NULL);
	memcpy(job.frame.body, &job.done, sizeof(job.done));
	say(EVTX_DONE, 0, sizeof(job.done));
}

/* A log of one chunk: the head that libevtx wants to see before it. */
static void make_header(uint8_t *h)
{
	static const struct {
		unsigned at, value;
	} words[] = {{32, 128}, {36, 1}, {38, 3}, {40, EVTX_HEADER_BYTES}, {42, 1}};
	uint32_t crc;

	memcpy(h, "ElfFile", 8);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		h[words[i].at] = words[i].value & 255;
		h[words[i].at + 1] = (uint8_t)(words[i].value >> 8);
	}
	crc = evtx_crc32(0, h, 120);
	memcpy(h + 124, &crc, 4);
}

/* Only the pipes stay open, as 0 and 1: nothing that is printed can reach the terminal. */
static void close_files(int from, int to)
{
	int in = fcntl(from, F_DUPFD, 10);
	int out = fcntl(to, F_DUPFD, 10);

	if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 ||
	    syscall(SYS_close_range, 2, ~0u, 0) < 0)
		_exit(EVTX_EXIT_NO_WALLS);
	job.to = 1;
}

/*
 * The common walls let files be opened to read where Landlock does not stand, files be made in
 * memory that no limit of memory counts, and paths be asked for: these do not.
 */
static bool no_files(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_memfd_create, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_newfstatat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

static void raise_walls(void)
{
#ifndef __SANITIZE_ADDRESS__ /* its shadow counts */
	struct rlimit memory = {MEMORY_BYTES, MEMORY_BYTES};

	if (setrlimit(RLIMIT_DATA, &memory) < 0)
		_exit(EVTX_EXIT_NO_WALLS);
#endif
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		_exit(EVTX_EXIT_NO_WALLS);
	/* the filter comes last but one: afterwards prctl itself is forbidden */
	if (!no_files() || (sandbox_enter() & (SANDBOX_SECCOMP | SANDBOX_LIMITS)) !=
				   (SANDBOX_SECCOMP | SANDBOX_LIMITS))
		_exit(EVTX_EXIT_NO_WALLS);
}

static bool take_chunk(uint8_t *chunk)
{
	for (size_t at = 0; at < EVTX_CHUNK_BYTES;) {
		ssize_t n = read(0, chunk + at, EVTX_CHUNK_BYTES - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += (size_t)n;
	}
	return true;
}

_Noreturn void evtx_child_run(int from, int to)
{
	static const struct sigaction plain = {.sa_handler = SIG_DFL};

	sigaction(SIGPIPE, &plain, NULL);
	close_files(from, to);
	raise_walls();
	make_header(job.log);
	while (take_chunk(job.log + EVTX_HEADER_BYTES))
		read_chunk();
	_exit(0);
}
