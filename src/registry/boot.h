/* SPDX-License-Identifier: MIT */
/*
 * boot.h - `smreg plan --boot`: the plan for the master, when the one beside the hive is stale
 */
#pragma once

/*
 * boot_plan - read the hive in a sandbox, hand the plan over on FD_MASTER
 *   hive   its path;  level  enum sm_level, reported with the plan
 *   state  the state directory, for attempts and the consumed queue
 * Speaks only to the master: SM_PLAN_READY, or SM_PHASE_ITEM naming file and fault.
 * Returns an exit code of enum copy_exit.
 */
int boot_plan(const char *hive, unsigned level, const char *state);
