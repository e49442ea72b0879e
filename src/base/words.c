/* SPDX-License-Identifier: MIT */
/*
 * words.c - the vocabulary's tables, see words.h
 *
 * Kept in one place so that the log, the CLI and the manual cannot drift apart.
 */
#include "base/words.h"

#include "base/bytes.h"
#include "base/text.h"

static const char *const phases[PHASE_COUNT] = {
	[PHASE_START] = "Start",
	[PHASE_API] = "ApiPort",
	[PHASE_REGISTRY] = "InitializeRegistry",
	[PHASE_ENVIRONMENT] = "Environment",
	[PHASE_SERIALIZE] = "SerializeBoot",
	[PHASE_BOOT_EXECUTE_CHECK] = "BootExecute-autochk",
	[PHASE_STATE] = "CountAttempt",
	[PHASE_BOOT_EXECUTE] = "BootExecuteList",
	[PHASE_RENAMES] = "ProcessFileRenames",
	[PHASE_PAGING] = "PagingFiles",
	[PHASE_SETUP_EXECUTE] = "SetupExecuteList",
	[PHASE_KNOWN_DLLS] = "InitializeKnownDlls",
	[PHASE_SESSIONS] = "Sessions",
	[PHASE_READY] = "Ready",
	[PHASE_SHUTDOWN] = "Shutdown",
};

static const char *const roles[ROLE_COUNT] = {
	[ROLE_NONE] = "none",
	[ROLE_PLAN] = "plan",
	[ROLE_ENVIRONMENT] = "environment",
	[ROLE_PNP] = "pnp",
	[ROLE_EXECUTE] = "execute",
	[ROLE_STATE] = "state",
	[ROLE_RENAMES] = "renames",
	[ROLE_PAGING] = "paging",
	[ROLE_KNOWN] = "known",
	[ROLE_SESSION] = "session",
	[ROLE_CSRSS] = "csrss",
	[ROLE_INITIAL] = "initial",
	[ROLE_STOP] = "stop",
	[ROLE_SHUTDOWN] = "shutdown",
	[ROLE_COMMAND] = "command",
	[ROLE_RESCUE] = "rescue",
	[ROLE_ACCEPT] = "accept",
	[ROLE_LIMITS] = "limits",
	[ROLE_SWEEP] = "sweep",
	[ROLE_CLIENT] = "client",
};

static const char *const results[RESULT_COUNT] = {
	[RESULT_OK] = "ok",           [RESULT_FAILED] = "failed",   [RESULT_SKIPPED] = "skipped",
	[RESULT_TIMEOUT] = "timeout", [RESULT_CRASHED] = "crashed", [RESULT_REFUSED] = "refused",
	[RESULT_NOT_YET] = "not yet", [RESULT_RUNNING] = "running", [RESULT_DEGRADED] = "degraded",
};

const char *phase_word(unsigned phase)
{
	return phase < PHASE_COUNT ? phases[phase] : "?";
}

const char *role_word(unsigned role)
{
	return role < ROLE_COUNT ? roles[role] : "?";
}

enum role role_by_word(const char *word)
{
	for (unsigned i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
		if (str_same(roles[i], word))
			return (enum role)i;
	return ROLE_NONE;
}

const char *result_word(unsigned result)
{
	return result < RESULT_COUNT ? results[result] : "?";
}

const char *stop_word(uint32_t code)
{
	switch (code) {
	case STOP_SYSTEM_PROCESS_TERMINATED:
		return "STATUS_SYSTEM_PROCESS_TERMINATED";
	case STOP_CRITICAL_PROCESS_DIED:
		return "CRITICAL_PROCESS_DIED";
	case STOP_SESSION5_INITIALIZATION_FAILED:
		return "SESSION5_INITIALIZATION_FAILED";
	case STOP_CANNOT_LOAD_REGISTRY_FILE:
		return "STATUS_CANNOT_LOAD_REGISTRY_FILE";
	case STOP_MASTER_KILLED:
		return "MASTER_KILLED";
	case STOP_POWER_LOST:
		return "POWER_LOST";
	default:
		return "?";
	}
}
