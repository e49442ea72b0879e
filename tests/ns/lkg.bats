#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# LastKnownGood as whoever stands at the machine meets it: what is kept and when, what takes its
# place, how that is left again, and what root can decide.

load lib.bash

setup() {
  machine
  hive
  STATE=$M/var
}

is_good() { ctl boot | grep -q 'accepted: this boot is good'; }
good() { wait_for 15 is_good; }
level() { ctl boot | sed -n 's/^level  *//p'; }
next() { ctl boot | sed -n 's/^next boot  *//p'; }
bad_csrss() { value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ /bin/false; }
good_csrss() { value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ 'csrss ObjectDirectory=\Windows'; }

# kept - a first boot of this hive that was accepted
kept() {
  start; ready; good; off
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
}

# on_state - the hive lies beside the state, on the same file system
on_state() {
  mkdir "$M/var/etc"
  mv "$HIVE"* "$M/var/etc/"
  HIVE=$M/var/etc/SYSTEM
  WORD=smss.hive=/var/lib/smss/etc/SYSTEM
}

@test "a boot that stays up is accepted and its hive kept byte for byte; then it is left alone" {
  start; ready
  [[ $(ctl boot) == *'none saved yet'* ]]
  good
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
  cmp "$HIVE.plan" "$STATE/SYSTEM.lkg.plan"
  [ ! -e "$STATE/SYSTEM.lkg.queue" ]
  row BootGood ok 'LastKnownGood saved'
  ctl boot | grep -q '^LastKnownGood *saved 20'
  [[ $(level) == 'Current, from /etc/smss/SYSTEM' ]]
  [[ $(next) == Current ]]
  [ "$(ctl boot --json | jq -c '[.accepted, .rejected, .lkg_off, .level, .next, .accept_in_ms]')" = \
    '[true,false,false,"Current","Current",null]' ]
  off
  before=$(stat -c '%i %Y' "$STATE/SYSTEM.lkg" "$STATE/SYSTEM.lkg.plan")
  start; ready; good
  row BootGood ok 'is this hive already'
  off
  [ "$before" = "$(stat -c '%i %Y' "$STATE/SYSTEM.lkg" "$STATE/SYSTEM.lkg.plan")" ]
}

@test "BootGoodSeconds=0: only root's word accepts a boot" {
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  start; ready
  ctl boot | grep -q 'counts as good only by: smctl boot accept'
  [ ! -e "$STATE/SYSTEM.lkg" ]
  if [ "$(id -u)" -eq 0 ]; then
    run inside setpriv --reuid=1000 --regid=1000 --clear-groups smctl boot accept
    [ "$status" -eq 1 ]
    [[ $output == *'access denied'* ]]
    inside setpriv --reuid=1000 --regid=1000 --clear-groups smctl boot | grep -q '^LastKnownGood'
  fi
  run ctl boot accept
  [ "$status" -eq 0 ]
  [[ $output == *'LastKnownGood saved'* ]]
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
  is_good
  ctl status | grep -q 'accepted: this boot is good'
  # what was accepted cannot be rejected any more, and says what to do instead
  run ctl boot reject
  [ "$status" -eq 1 ]
  [[ $output == *'accepted'*'smreg'* ]]
  off
}

@test "before the boot is ready every decision is 'not yet', and the standing can be asked" {
  value 'Session Manager' BootExecute REG_MULTI_SZ 'autocheck autochk *\0/bin/sleep 4'
  start
  for verb in accept reject next-lkg; do
    run ctl boot "$verb"
    [ "$status" -eq 1 ]
    [[ $output == *'not yet'* ]]
  done
  ctl boot | grep -q '^next boot *Current'
  ready
  off
}

@test "a hive that no reader can read: LastKnownGood with what it held, said; and back again" {
  value 'Session Manager\Environment' Kept REG_SZ yes
  kept
  cp "$HIVE" "$M/whole"
  head -c 65536 /dev/urandom >"$HIVE"
  start; ready
  seen 'taking the next level: LastKnownGood'
  [[ $(level) == 'LastKnownGood, from SYSTEM.lkg' ]]
  [[ $(next) == 'LastKnownGood, until the hive is changed (smreg)' ]]
  ctl boot | grep -q 'InitializeRegistry.*failed'
  type_line 'echo kept=$Kept'
  wait_for 10 seen 'kept=yes'
  good
  row BootGood ok 'this is LastKnownGood'
  off
  cmp "$M/whole" "$STATE/SYSTEM.lkg"
  cp "$M/whole" "$HIVE"
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "a csrss that dies at start: so many attempts as BootAttempts says, then LastKnownGood; a repair leads back" {
  for allowed in 1 2 3; do
    good_csrss
    value 'Session Manager' BootAttempts REG_DWORD "$allowed"
    start; ready; good; off
    cp "$STATE/SYSTEM.lkg" "$M/last-good"
    bad_csrss
    for ((i = 1; i <= allowed; i++)); do
      start; ended
      [ "$status" -eq 129 ]
    done
    start; ready
    row SYSTEM failed "attempts are used up: $allowed boots"
    [[ $(level) == LastKnownGood* ]]
    cmp "$M/last-good" "$STATE/SYSTEM.lkg"
    [ "$(ctl tree | grep -c csrss)" -eq 2 ]
    good
    off
    # still: the hive is the same bad one
    start; ready
    [[ $(level) == LastKnownGood* ]]
    off
  done
  good_csrss
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "LastKnownGood is broken too: the built-in minimum" {
  kept
  bad_csrss
  value 'Session Manager' BootAttempts REG_DWORD 1
  start; ended
  head -c 8192 /dev/urandom >"$STATE/SYSTEM.lkg"
  start; ready
  seen 'taking the next level: the built-in minimum'
  [[ $(level) == 'the built-in minimum' ]]
  run ctl boot accept
  [ "$status" -eq 1 ]
  [[ $output == *'cannot be accepted'* ]]
  run ctl boot reject
  [ "$status" -eq 1 ]
  [[ $output == *'no lower level'* ]]
  off
}

@test "reject: the next boots take LastKnownGood until the hive is changed" {
  kept
  cp "$STATE/SYSTEM.lkg" "$M/last-good"
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  start; ready
  run ctl boot reject
  [ "$status" -eq 0 ]
  [[ $output == *'the next boot takes LastKnownGood'*'smctl reboot'* ]]
  [[ $(next) == 'LastKnownGood, until the hive is changed (smreg)' ]]
  ctl boot | grep -q 'rejected: this boot is not good'
  off
  for i in 1 2; do
    start; ready
    row SYSTEM failed 'it was rejected'
    [[ $(level) == LastKnownGood* ]]
    off
  done
  cmp "$M/last-good" "$STATE/SYSTEM.lkg"
  value 'Session Manager\Environment' Other REG_SZ 1
  start; ready
  [[ $(level) == Current* ]]
  # rejected, and then accepted after all
  ctl boot reject
  ctl boot accept
  is_good
  off
  start; ready
  [[ $(level) == Current* ]]
  off
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
}

@test "reject with nothing saved: said, and the built-in minimum comes up" {
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  start; ready
  run ctl boot next-lkg
  [ "$status" -eq 1 ]
  [[ $output == *'no LastKnownGood has been saved yet'* ]]
  run ctl boot reject
  [[ $output == *'the built-in minimum'* ]]
  off
  start; ready
  row SYSTEM.lkg failed 'no LastKnownGood has been saved yet'
  [[ $(level) == 'the built-in minimum' ]]
  off
}

@test "next-lkg: the next boot only, and no failure of it" {
  kept
  value 'Session Manager\Environment' Other REG_SZ 1
  start; ready
  run ctl boot next-lkg
  [ "$status" -eq 0 ]
  [[ $output == *'that one only'* ]]
  [[ $(next) == 'LastKnownGood, once, as asked' ]]
  off
  start; ready
  [[ $(level) == LastKnownGood* ]]
  row Current skipped 'LastKnownGood was asked for this boot'
  [[ $(next) == Current* ]]
  isnt seen 'attempts are used up'
  off
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "the word smss.lastknowngood: this boot only" {
  kept
  start smss.lastknowngood; ready
  [[ $(level) == LastKnownGood* ]]
  [[ $(next) == Current* ]]
  off
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "a wrong smss.safeboot is said and is a usual boot" {
  start smss.safeboot=total; ready
  seen 'it is minimal or network'
  ctl boot | grep -q 'counts as good in'
  off
}

@test "a hive that is changed between boot and acceptance: what was booted is kept" {
  on_state
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  cp "$HIVE" "$M/booted"
  start "$WORD"; ready
  [ "$(stat -c %i "$STATE/SYSTEM.booted")" = "$(stat -c %i "$HIVE")" ]
  value 'Session Manager\Environment' Other REG_SZ 1
  isnt cmp -s "$HIVE" "$M/booted"
  ctl boot accept | grep -q 'LastKnownGood saved'
  cmp "$M/booted" "$STATE/SYSTEM.lkg"
  off
  start "$WORD"; ready
  [ "$(stat -c %i "$STATE/SYSTEM.booted")" = "$(stat -c %i "$HIVE")" ]
  ctl boot accept
  off
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
}

@test "a hive that is changed in place, or on another file system: LastKnownGood stays, said" {
  kept
  cp "$STATE/SYSTEM.lkg" "$M/last-good"
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  start; ready
  [ ! -e "$STATE/SYSTEM.booted" ]
  inside sh -c 'printf x | dd of=/etc/smss/SYSTEM bs=1 seek=6000 conv=notrunc 2>/dev/null'
  run ctl boot accept
  [ "$status" -eq 0 ]
  [[ $output == *'changed since this boot'* ]]
  is_good
  row LastKnownGood degraded 'changed since this boot'
  off
  cmp "$M/last-good" "$STATE/SYSTEM.lkg"
}

@test "a read-only state directory: LastKnownGood is off, said once and by smctl" {
  [ "$(id -u)" -eq 0 ] || skip "a read-only mount needs root"
  mount -t tmpfs -o ro,mode=755 ro "$M/var"
  start; ready
  ctl boot | grep -q '^LastKnownGood *off'
  ctl boot | grep -q 'remark.*read-only file system'
  for verb in accept reject next-lkg; do
    run ctl boot "$verb"
    [ "$status" -eq 1 ]
    [[ $output == *'read-only file system'* ]]
  done
  [ "$(tr -d '\r' <"$M/console" | grep -ac 'state is off')" -eq 1 ]
  off
  umount "$M/var"
}

@test "a safe boot leaves SetupExecute out and is not accepted by itself" {
  value 'Session Manager' SetupExecute REG_MULTI_SZ '/bin/true'
  value 'Session Manager' SetupExecuteNoPnpSync REG_MULTI_SZ '/bin/true'
  start smss.safeboot=minimal; ready
  row SetupExecuteList skipped 'left out: safe boot'
  tells_not /bin/true ctl boot
  ctl boot | grep -q 'counts as good only by'
  off
  start; ready
  ctl boot | grep -q /bin/true
  off
}

@test "LastKnownGood never runs a queue of renames" {
  value 'Session Manager' PendingFileRenameOperations REG_MULTI_SZ '/var/tmp/a\0\0'
  kept
  touch "$M/root/var/tmp/a"
  head -c 65536 /dev/urandom >"$HIVE"
  for made in before anew; do
    rm -f "$STATE/boot.state"
    [ "$made" = before ] || rm "$STATE/SYSTEM.lkg.plan"
    start; ready
    [[ $(level) == LastKnownGood* ]]
    inside test -e /var/tmp/a
    off
  done
}

@test "killed at any moment: the level is what the attempts say, no hive is lost, and it comes up in the end" {
  RANDOM=7
  value 'Session Manager' BootAttempts REG_DWORD 2
  kept
  cp "$HIVE" "$M/first"
  value 'Session Manager\Environment' Second REG_SZ 1
  cp "$HIVE" "$M/second"
  for ((i = 0; i < 14; i++)); do
    start || true
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    [ "$((RANDOM % 3))" -ne 0 ] || sleep "1.$((RANDOM % 5))"
    kill -9 "$(cat "$M/pid")" 2>/dev/null || true
    ended
    cmp -s "$STATE/SYSTEM.lkg" "$M/first" || cmp "$STATE/SYSTEM.lkg" "$M/second"
  done
  start; ready
  [[ $(level) == Current* || $(level) == LastKnownGood* || $(level) == 'the built-in minimum' ]]
  off
  value 'Session Manager\Environment' Third REG_SZ 1
  start; ready
  [[ $(level) == Current* ]]
  good
  off
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
}
