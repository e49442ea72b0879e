#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# LastKnownGood and groups of file operations: hive and files are one configuration, so a group
# that Current was not tried with brings it back, for so many attempts as it has, and not for ever.

load lib.bash

setup() {
  machine
  hive
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  STATE=$M/var DATA=$M/data
  mkdir "$DATA"
  echo old >"$DATA/app"
  echo new >"$DATA/app.new"
}

level() { ctl boot | sed -n 's/^level  *//p'; }
next() { ctl boot | sed -n 's/^next boot  *//p'; }
# update [NAME] - by the running machine
update() { ctl pending add --replace /data/app.new /data/app --group "${1:-update}"; }
app() { cat "$DATA/app"; }
# kept - a boot of this hive that root accepted
kept() {
  start; ready
  ctl boot accept
  off
}
WAITS='Current, as group 1 waits that it was not tried with'
UNTIL='LastKnownGood, until the hive is changed (smreg)'

@test "an update is applied, rejected, taken back, and tried again on Current by root's word" {
  kept
  start; ready; update; off
  start; ready
  row update ok 'applied, 1 operation'
  [ "$(app)" = new ]
  ctl boot reject | grep -q 'the next boot takes LastKnownGood'
  [[ $(next) == "$UNTIL" ]]
  off
  for i in 1 2; do # nothing is new, nothing is tried
    start; ready
    [[ $(level) == LastKnownGood* ]]
    [ "$(app)" = old ]
    [[ $(next) == "$UNTIL" ]]
    [ "$(ctl boot --json | jq -c '[.next, .groups_held]')" = '["LastKnownGood",0]' ]
    isnt row pending skipped
    [ "$i" -eq 2 ] || { row update ok reverted; off; }
  done
  ctl pending retry update
  [[ $(next) == "$WAITS" ]]
  [ "$(ctl boot --json | jq -c '[.next, .groups_held]')" = '["Current",0]' ]
  if [ "$(id -u)" -eq 0 ]; then # who may not look is told what the session manager knows
    inside setpriv --reuid=1000 --regid=1000 --clear-groups smctl boot --json |
      jq -e '.groups_held == null'
  fi
  off
  start; ready
  [[ $(level) == Current* ]]
  row SYSTEM ok 'tried again: groups that wait and that it was not tried with: 1'
  row update ok 'applied, 1 operation'
  [ "$(app)" = new ]
  ctl boot | grep -q 'attempt  *1 of 3'
  ctl boot accept | grep -q 'LastKnownGood'
  off
  start; ready
  [[ $(level) == Current* ]]
  [ "$(app)" = new ]
  off
}

@test "without a plan smreg has the same rule" {
  kept
  start; ready; update; off
  start; ready; ctl boot reject; off
  rm "$HIVE.plan"
  start; ready
  [[ $(level) == LastKnownGood* ]]
  update second | grep -q 'group 2'
  off
  start; ready
  [[ $(level) == Current* ]]
  row SYSTEM ok 'tried again'
  row second ok applied
  off
}

@test "a group that is queued before the rejected boot ends is tried with Current at once" {
  kept
  start; ready; update
  ctl boot reject | grep -q 'groups wait that it was not tried with: the next boot tries Current again'
  [[ $(next) == "$WAITS" ]]
  off
  start; ready
  [[ $(level) == Current* ]]
  row update ok applied
  off
}

@test "Current dies with the new group too: its attempts, LastKnownGood, and that stays" {
  kept
  value 'Session Manager' BootAttempts REG_DWORD 2
  value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ /bin/false
  for i in 1 2; do start; ended; [ "$status" -eq 129 ]; done
  start; ready
  [[ $(level) == LastKnownGood* ]]
  update
  [[ $(next) == "$WAITS" ]]
  off
  for i in 1 2; do start; ended; [ "$status" -eq 129 ]; done
  [ "$(app)" = new ]
  for i in 1 2 3; do
    start; ready
    [[ $(level) == LastKnownGood* ]]
    [[ $(next) == "$UNTIL" ]]
    [ "$(app)" = old ]
    off
  done
}

@test "a group that Current never gets to is not why it is tried again" {
  kept
  value 'Session Manager' BootAttempts REG_DWORD 2
  start; ready; ctl boot next-lkg; off
  start; ready
  [[ $(level) == LastKnownGood* ]]
  update
  off
  value 'Session Manager' BootExecute REG_MULTI_SZ 'autocheck autochk *\0/bin/sleep 1000'
  for i in 1 2; do
    start
    wait_for 10 eval "ctl boot | grep -q '/bin/sleep.*running'"
    kill -9 "$(cat "$M/pid")"
    ended
  done
  for i in 1 2; do
    start; ready
    [[ $(level) == LastKnownGood* ]]
    row pending skipped '1 group waits: LastKnownGood runs none; Current was tried with it'
    ctl boot | grep -q '^pending  *1 group waits: LastKnownGood carries out none'
    [[ $(next) == "$UNTIL" ]]
    [ "$(ctl boot --json | jq -c '[.next, .groups_held]')" = '["LastKnownGood",1]' ]
    [ "$(app)" = old ]
    off
  done
}

@test "LastKnownGood for one boot leaves a group alone, says so, and the next one runs it" {
  kept
  start; ready; update; ctl boot next-lkg
  [[ $(next) == 'LastKnownGood, once, as asked' ]]
  ctl boot | grep -q '^pending  *1 group waits: LastKnownGood carries out none'
  off
  start; ready
  [[ $(level) == LastKnownGood* ]]
  row pending skipped '1 group waits: LastKnownGood runs none; the next boot tries Current with it'
  [ "$(app)" = old ]
  off
  start; ready
  row update ok applied
  [ "$(app)" = new ]
  off
}

@test "accepting what was rejected in this boot says what it overrides" {
  kept
  start; ready
  ctl boot reject
  ctl boot accept | grep -q '^it was rejected, which this overrides: LastKnownGood'
  ctl boot | grep -q 'accepted: this boot is good'
  off
}
