#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a client of the API port may do, and what all others get away with: nothing. Wrong, slow,
# greedy and lying clients slow nobody down, and the table of smss-api(7) is what PID 1 does.

load lib.bash

setup() {
  machine
  hive
}

port() { echo "/proc/$(cat "$M/pid")/root/run/smss/SmApiPort"; }
api() { python3 "$BATS_TEST_DIRNAME/api_client.py" --port "$(port)" "$@" 3>&- 8>&-; }
fds() { ls "/proc/$(cat "$M/pid")/fd" | wc -l; }
few_fds() { [ "$(fds)" -le "$1" ]; }
cpu_ms() { awk '{ print ($14 + $15) * 10 }' "/proc/$(cat "$M/pid")/stat"; }
no_clients() { [ "$(ctl status --json | jq .clients)" -le 1 ]; }
all_running() { [ "$(ctl sessions --json | jq '[.sessions[] | select(.state != "running")] | length')" -eq 0 ]; }
sixteen() { [ "$(api others 1 places 40)" -eq 16 ]; } # of one user
states() { ctl sessions --json | jq -c '[.sessions[] | {session, state, frozen}]'; }
all_hold() { [ "$(grep -c held "$M/held")" -eq 12 ]; }
other_users() { [ "$(id -u)" -eq 0 ] || skip "other users can only be tried as root"; }

@test "a message of a wrong length, call or string is never answered" {
  start; ready
  [[ $(api lengths) == *refused ]]
  ctl status | grep -q Ready
  off
}

@test "any order of calls: one answer each, and those that nobody asked for are nobody's" {
  start; ready
  [ "$(api order)" = "in order" ]
  off
}

@test "fds stuffed into messages, also behind empty ones, leave none" {
  start; ready
  before=$(fds)
  [ "$(api stuff)" = "nothing stays" ]
  wait_for 10 few_fds "$before"
  off
}

@test "clients that die between any two steps leave nothing" {
  start; ready
  before=$(fds)
  [ "$(api steps 40)" = "done" ]
  wait_for 10 all_running # those asked for by who is gone were made, or were not
  ctl status | grep -q Ready
  for n in $(ctl sessions --json | jq '.sessions[] | .session | select(. > 1)'); do ctl session end "$n"; done
  wait_for 10 few_fds "$before"
  off
}

@test "ten thousand connections: refused beyond their places, and root is served meanwhile" {
  other_users
  start; ready
  before=$(fds)
  api others 1 connections 10000 &
  job=$!
  sleep 0.3
  for _ in 1 2 3 4 5; do timeout 5 "$STAGE/usr/bin/smctl" --socket "$(port)" status >/dev/null; done
  wait "$job"
  wait_for 10 sixteen # once what it owes is paid
  wait_for 10 few_fds "$before"
  off
}

@test "users who hold every place they may leave root and operators theirs" {
  other_users
  value 'Session Manager' SessionOperators REG_SZ 4242
  start; ready
  api others 12 hold 12 6 >"$M/held" &
  job=$!
  wait_for 5 all_hold
  sleep 0.3
  [ "$(api others 1 places 8)" -lt 8 ] # 128 for users without rights
  [ "$(api places 100)" -eq 100 ]      # root's
  wait "$job"
  off
}

@test "one flooder and ten silent peers: another client is answered, and PID 1 does not spin" {
  other_users
  start; ready
  api hold 10 8 >/dev/null &
  silent=$!
  api others 1 flood 6 >"$M/flooded" &
  flooder=$!
  sleep 1
  begin=$(cpu_ms)
  sleep 2
  used=$(($(cpu_ms) - begin))
  api latency 2000 | sed 's/^/# /' >&3
  echo "# PID 1 used $used ms of 2000 ms under one flooder" >&3
  [ "$used" -lt 1000 ]
  wait "$flooder" "$silent"
  [ "$(cat "$M/flooded")" -lt 20000 ] # 2,000 a second and 500 at once
  off
}

@test "who asks and never reads is dropped" {
  start; ready
  [ "$(api deaf 20)" = dropped ]
  off
}

@test "a hundred subscribers of root all hear of a session" {
  start; ready
  [ "$(api subscribers 100)" = "100 heard it" ]
  wait_for 5 no_clients
  off
}

@test "a subscriber that does not read loses events, and is told how many" {
  start; ready
  api sleeper
  off
}

@test "a session that cannot take a call says why, by its state" {
  start; ready
  [ "$(api states)" = clear ]
  off
}

@test "StartCsr brings pidfds to who asks for them" {
  start; ready
  [ "$(api pidfds)" = both ]
  off
}

@test "the manual's table of rights is what PID 1 does, for strangers, operators, owners and root" {
  other_users
  value 'Session Manager' SessionOperators REG_SZ 4242
  value 'Session Manager\Sessions\2' Owner REG_SZ daemon
  start; ready
  ctl session new '/bin/sleep 1000'
  before=$(states)
  api rights "$BATS_TEST_DIRNAME/../../src/client/smss-api.7" 2 "$(id -u daemon)"
  [ "$(states)" = "$before" ]
  [ "$(api stranger_ends 2 "$(id -u daemon)")" = ended ]
  off
}

@test "an operator's session is its own; somebody else's is refused" {
  other_users
  value 'Session Manager' SessionOperators REG_SZ 4242
  start; ready
[ "$(api own_session 61000)" = "its own" ]
  off
}

@test "operators are a group by its name, too; one that is not there grants nobody anything" {
  other_users
  value 'Session Manager' SessionOperators REG_SZ daemon
  start; ready
  [ "$(api own_session 61000 "$(getent group daemon | cut -d: -f3)")" = "its own" ]
  off
  value 'Session Manager' SessionOperators REG_SZ no-such-group
  start; ready
  row SessionOperators degraded "no such group"
  isnt api own_session 61000 4242
  off
}
