/* SPDX-License-Identifier: MIT */
/*
 * test_wire.c - the API's messages: numbers, lengths, strings, statuses
 *
 * The lengths stand here as numbers on purpose: a changed layout is another protocol, and must not
 * happen by adding a field.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "wire/wire.h"

#include <errno.h>

/* clang-format off */
static const struct {
	unsigned call;
	int request, answer;
} calls[] = {
	{SM_CREATE_FOREIGN_SESSION, 0, 0}, {SM_SESSION_COMPLETE, 248, 0},
	{SM_TERMINATE_FOREIGN_SESSION, 0, 0}, {SM_EXEC_PGM, 2068, 2068},
	{SM_LOAD_DEFERED_SUBSYSTEM, 0, 0}, {SM_START_CSR, 640, 640},
	{SM_STOP_CSR, 64, 64},		   {SM_START_SERVER_SILO, 0, 0},
	{SM_HELLO, 8, 8},		   {SM_STATUS, 0, 592},
	{SM_SESSION_ROW, 176, 176},	   {SM_LEDGER_ROW, 128, 128},
	{SM_BOOT_ROW, 248, 248},	   {SM_SUBSCRIBE, 0, 0},
	{SM_SHUTDOWN, 176, 0},		   {SM_REGISTER, 8, 0},
	{SM_HANDOVER, 64, 0},		   {SM_PHASE_ITEM, 224, 0},
	{SM_PLAN_READY, 176, 0},	   {SM_ENV_READY, 168, 0},
	{SM_LOGOFF, 0, 0},		   {SM_STATE_READY, 184, 0},
	{SM_STOP_SESSIONS, 8, 8},	   {SM_FINAL, 176, 0},
	{SM_STOP_TEXT, 232, 232},	   {SM_BOOT_ACCEPT, 192, 192},
	{SM_JOB_DONE, 0, 0},		   {SM_JOB_NEXT, 16, 16},
	{SM_SB_CREATE_PROCESS, 2068, 2068},  {SM_SB_TERMINATE, 0, 0},
	{SM_SB_REGISTERED, 64, 0},	   {SM_EVENT_BOOT_ROW, 248, 248},
	{SM_EVENT_SESSION, 176, 176},	   {SM_EVENT_SHUTDOWN, 176, 0},
	{SM_EVENT_LOST, 8, 0},		   {SM_SESSION_LIMITS, 40, 40},
	{SM_SESSION_FREEZE, 8, 8},	   {SM_PROGRAM_ROW, 192, 192},
	{SM_SESSION_LEFT, 64, 0},	   {SM_SB_SESSION, 472, 0},
	{SM_SB_PROGRAM_ROW, 192, 192},	   {SM_SB_LIMITS, 40, 0},
};

#define FIELD(call, reply, type, field) \
	{call, reply, offsetof(struct type, field), sizeof(((struct type *)0)->field)}

static const struct {
	unsigned call, reply;
	size_t at, cap;
} strings[] = {
	FIELD(SM_EXEC_PGM, 0, sm_exec_pgm, words), FIELD(SM_EXEC_PGM, 1, sm_exec_pgm, words),
	FIELD(SM_EXEC_PGM, 0, sm_exec_pgm, term), FIELD(SM_SB_CREATE_PROCESS, 0, sm_exec_pgm, term),
	FIELD(SM_START_CSR, 0, sm_start_csr, initial_command), FIELD(SM_START_CSR, 1, sm_start_csr, text),
	FIELD(SM_SESSION_COMPLETE, 0, sm_session_complete, text), FIELD(SM_STOP_CSR, 1, sm_stop_csr, name),
	FIELD(SM_SESSION_LEFT, 0, sm_session_left, name), FIELD(SM_PROGRAM_ROW, 1, sm_program_row, command),
	FIELD(SM_SB_PROGRAM_ROW, 1, sm_program_row, command),
	FIELD(SM_SB_SESSION, 0, sm_sb_session, initial_command),
	FIELD(SM_STATUS, 1, sm_status, blocker), FIELD(SM_STATUS, 1, sm_status, version),
	FIELD(SM_STATUS, 1, sm_status, build_id), FIELD(SM_STATUS, 1, sm_status, plan_hive),
	FIELD(SM_SESSION_ROW, 1, sm_session_row, initial),
	FIELD(SM_SESSION_ROW, 1, sm_session_row, console),
	FIELD(SM_LEDGER_ROW, 1, sm_ledger_row, image), FIELD(SM_LEDGER_ROW, 1, sm_ledger_row, why),
	FIELD(SM_BOOT_ROW, 1, sm_boot_row, name), FIELD(SM_BOOT_ROW, 1, sm_boot_row, text),
	FIELD(SM_SHUTDOWN, 0, sm_shutdown, reason), FIELD(SM_HANDOVER, 0, sm_handover, image),
	FIELD(SM_PHASE_ITEM, 0, sm_item, name), FIELD(SM_PHASE_ITEM, 0, sm_item, text),
	FIELD(SM_PLAN_READY, 0, sm_plan_ready, text), FIELD(SM_ENV_READY, 0, sm_env_ready, text),
	FIELD(SM_STATE_READY, 0, sm_state_ready, text),
	FIELD(SM_BOOT_ACCEPT, 0, sm_boot_accept, text),
	FIELD(SM_BOOT_ACCEPT, 1, sm_boot_accept, text),
	FIELD(SM_FINAL, 0, sm_shutdown, reason), FIELD(SM_STOP_TEXT, 0, sm_stop_text, culprit),
	FIELD(SM_STOP_TEXT, 1, sm_stop_text, text), FIELD(SM_SB_CREATE_PROCESS, 0, sm_exec_pgm, words),
	FIELD(SM_SB_REGISTERED, 0, sm_handover, image), FIELD(SM_EVENT_BOOT_ROW, 0, sm_boot_row, name),
	FIELD(SM_EVENT_BOOT_ROW, 0, sm_boot_row, text), FIELD(SM_EVENT_SESSION, 0, sm_session_row, initial),
	FIELD(SM_EVENT_SESSION, 0, sm_session_row, console), FIELD(SM_EVENT_SHUTDOWN, 0, sm_shutdown, reason),
};
/* clang-format on */

static int known(unsigned call)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].call == call)
			return (int)i;
	return -1;
}

static void nt_s_numbers_are_nt_s(void **state)
{
	assert_int_equal(SM_SESSION_COMPLETE, 1);
	assert_int_equal(SM_EXEC_PGM, 3);
	assert_int_equal(SM_START_CSR, 5);
	assert_int_equal(SM_STOP_CSR, 6);
	assert_int_equal(SM_START_SERVER_SILO, 7);
	assert_int_equal(SM_HELLO, 16);
	assert_int_equal(SM_SB_CREATE_PROCESS, 48);
	assert_int_equal(SM_EVENT_BOOT_ROW, 64);
	assert_int_equal(sizeof(struct sm_header), 16);
}

static void every_call_has_one_length_each_way(void **state)
{
	for (unsigned call = 0; call < 70000; call++) {
		int i = known(call);

		assert_int_equal(sm_body_length(call, 0), i < 0 ? -EINVAL : calls[i].request);
		assert_int_equal(sm_body_length(call, 1), i < 0 ? -EINVAL : calls[i].answer);
		assert_int_equal(sm_body_length(call, 2), -EINVAL);
	}
	assert_int_equal(sm_body_length(UINT32_MAX, 0), -EINVAL);
}

static void a_message_of_another_length_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (unsigned reply = 0; reply < 2; reply++) {
			struct sm_message m;
			size_t right;

			memset(&m, 0xa5, sizeof(m));
			sm_message_start(&m, calls[i].call, reply, 77);
			right = sm_message_bytes(&m);
			assert_int_equal(right, 16 + (reply ? calls[i].answer : calls[i].request));
			assert_int_equal(m.h.call, calls[i].call);
			assert_int_equal(m.h.reply, reply);
			assert_int_equal(m.h.tag, 77);
			assert_int_equal(m.h.status, 0);
			assert_true(bytes_zero(&m.b, right - 16));
			for (size_t n = 0; n <= sizeof(m); n++)
				assert_int_equal(sm_message_check(&m, n),
						 n == right ? 0 : -EMSGSIZE);
			for (uint32_t lie = 0; lie < 1000; lie++) {
				m.h.length = lie;
				assert_int_equal(sm_message_check(&m, right),
						 lie == right - 16 ? 0 : -EMSGSIZE);
			}
			m.h.length = UINT32_MAX;
			assert_int_equal(sm_message_check(&m, right), -EMSGSIZE);
		}
}

static void an_unknown_call_is_refused(void **state)
{
	for (unsigned call = 0; call <= UINT16_MAX; call++) {
		struct sm_message m = {.h = {.call = (uint16_t)call}};

		if (known(call) < 0)
			assert_int_equal(sm_message_check(&m, sizeof(m.h)), -EINVAL);
	}
	for (unsigned reply = 2; reply <= UINT16_MAX; reply++) {
		struct sm_message m = {.h = {.call = SM_HELLO, .reply = (uint16_t)reply}};

		assert_int_equal(sm_message_check(&m, sizeof(m.h)), -EINVAL);
	}
}

static void a_string_without_its_end_is_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		struct sm_message m;
		char *s = (char *)&m.b + strings[i].at;
		size_t n;

		sm_message_start(&m, strings[i].call, strings[i].reply, 0);
		n = sm_message_bytes(&m);
		memset(s, 'x', strings[i].cap);
		if (sm_message_check(&m, n) != -EILSEQ)
			fail_msg("call %u, string at %zu", strings[i].call, strings[i].at);
		s[strings[i].cap - 1] = 0;
		assert_int_equal(sm_message_check(&m, n), 0);
		memset(s, 'x', strings[i].cap);
		s[0] = 0; /* whatever follows the end: it is not looked at */
		assert_int_equal(sm_message_check(&m, n), 0);
	}
}

static void every_error_has_a_status_and_a_text(void **state)
{
	static const struct {
		int r;
		uint32_t status;
		const char *text;
	} cases[] = {
		{0, 0, "ok"},
		{1, 0, "ok"},
		{-EAGAIN, 0x103, "not yet"},
		{-ENOSYS, 0xc0000002, "not implemented"},
		{-EMSGSIZE, 0xc0000004, "wrong length"},
		{-EINVAL, 0xc000000d, "invalid parameter"},
		{-EILSEQ, 0xc000000d, "invalid parameter"},
		{-EACCES, 0xc0000022, "access denied"},
		{-EPERM, 0xc0000022, "access denied"},
		{-ENOENT, 0xc0000034, "not found"},
		{-EBUSY, 0xc0000056, "still dying"},
		{-ETIMEDOUT, 0xc00000b5, "timed out"},
		{-ENODATA, 0x8000001a, "no more"},
		{-ENOSPC, 0xc000009a, "table full"},
		{-EIO, 0xc0000001, "failed"},
		{-EXDEV, 0xc0000001, "failed"}, /* what has no status of its own */
		{-4711, 0xc0000001, "failed"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(status_of(cases[i].r), cases[i].status);
		assert_string_equal(status_text(cases[i].status), cases[i].text);
	}
	assert_null(status_text(0xdeadbeef));
	assert_string_equal(session_state_word(SESSION_RUNNING), "running");
	assert_string_equal(session_state_word(SESSION_DYING), "dying");
	assert_string_equal(session_state_word(SESSION_STATES), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nt_s_numbers_are_nt_s),
		cmocka_unit_test(every_call_has_one_length_each_way),
		cmocka_unit_test(a_message_of_another_length_is_refused),
		cmocka_unit_test(an_unknown_call_is_refused),
		cmocka_unit_test(a_string_without_its_end_is_refused),
		cmocka_unit_test(every_error_has_a_status_and_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
