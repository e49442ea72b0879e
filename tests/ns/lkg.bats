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
  [[ $(level) == 'LastKnownGood, from /var/lib/smss/SYSTEM.lkg' ]]
  [[ $(next) == 'LastKnownGood, until the hive is put right: smreg restore --lkg, or --previous' ]]
  ctl boot | grep -q '^why  *Current: '
  [ "$(ctl status --json | jq -r '[.hive, (.why | startswith("Current: ")), .degraded > 0] | @csv')" = \
    '"/var/lib/smss/SYSTEM.lkg",true,true' ]
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

# Both hives name one value about a million times. The reader's work is bounded: it gives the first
# up as damaged and the second as too large, in little time. Where it is to die, a stand-in dies.
@test "hives made to kill their reader: it gives up on them, LastKnownGood, and back" {
  value 'Session Manager\Environment' Kept REG_SZ yes
  kept
  cp "$HIVE" "$M/whole"
  for count in 950000 1100000; do
    cp "$M/whole" "$HIVE"
    rm -f "$HIVE.plan"
    python3 "$BATS_TEST_DIRNAME/hive_hurt.py" flood "$HIVE" "$count"
    : >"$M/console"
    start; ready 60
    seen 'taking the next level: LastKnownGood'
    [[ $(level) == LastKnownGood* ]]
    ctl boot | grep InitializeRegistry | grep -q failed
    type_line 'echo kept=$Kept'
    wait_for 10 seen 'kept=yes'
    off
  done
  cp "$M/whole" "$HIVE"
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "a dirty hive that booted with its logs is not kept: what booted stands in no file" {
  kept
  cp "$HIVE" "$M/last-good"
  value 'Session Manager\Environment' Kept REG_SZ yesyes
  rm "$HIVE.plan"
  python3 "$BATS_TEST_DIRNAME/hive_hurt.py" log "$HIVE" yesyes nonono
  start; ready
  [[ $(level) == Current* ]]
  type_line 'echo kept=$Kept'
  wait_for 10 seen 'kept=nonono'
  good
  row BootGood ok 'the hive is dirty'
  row LastKnownGood degraded 'write it anew (smreg export, init, import), reboot'
  cmp "$M/last-good" "$STATE/SYSTEM.lkg"
  off
  # as it says
  "$SMREG" export 'HKLM\SYSTEM' --hive "$HIVE" --output "$M/all.reg"
  rm "$HIVE" "$HIVE".LOG1
  "$SMREG" init --hive "$HIVE"
  "$SMREG" import --hive "$HIVE" "$M/all.reg"
  : >"$M/console"
  start; ready; good
  type_line 'echo kept=$Kept'
  wait_for 10 seen 'kept=nonono'
  row BootGood ok 'LastKnownGood saved'
  cmp "$HIVE" "$STATE/SYSTEM.lkg"
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
  [ -z "$(ctl boot --json | jq -r .remark)" ] # what was refused is only said to who asked
  row NextBoot refused 'no LastKnownGood has been saved yet'
  run ctl boot reject
  [ "$status" -eq 1 ]
  [[ $output == *'refused: '*'--force'* ]]
  [[ $(next) == Current ]]
  run ctl boot reject --force
  [ "$status" -eq 0 ]
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

@test "the word smss.lastknowngood with none saved: the hive is booted all the same, said" {
  start smss.lastknowngood; ready
  [[ $(level) == Current* ]]
  row SYSTEM.lkg degraded 'it was asked for this boot, and there is none'
  [[ $(next) == Current* ]]
  off
}

@test "the word rescue: the built-in minimum although the hive is good, this boot only" {
  kept
  start rescue; ready
  [[ $(level) == 'the built-in minimum' ]]
  [[ $(next) == 'Current, for this level was asked for this boot only' ]]
  ctl status | grep -q '^why  *asked for by the kernel word rescue'
  tells_not 'no hive could be used' ctl status
  [ "$(ctl boot --json | jq -r .next)" = Current ]
  off
  start; ready
  [[ $(level) == Current* ]]
  off
}

@test "an unknown smss. word is named, escaped" {
  start $'smss.what=\e[2Jis-it'; ready
  row 'smss.what=\x1b[2Jis-it' degraded 'unknown or wrong'
  off
}

@test "the stop that led to LastKnownGood is told as long as the machine stands there" {
  value 'Session Manager' BootAttempts REG_DWORD 1
  kept
  bad_csrss
  start; ended
  start; ready
  [[ $(level) == LastKnownGood* ]]
  ctl boot | grep -q '^why  *Current: its attempts are used up'
  ctl stops | grep -q 'SYSTEM_PROCESS_TERMINATED'
  off
  start; ready
  [[ $(level) == LastKnownGood* ]]
  ctl stops | grep -q 'SYSTEM_PROCESS_TERMINATED'
  ctl stops | grep -q 'an earlier one'
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

@test "no attempts can be counted, and csrss dies: halted, on every level, not rebooted for ever" {
  bad_csrss
  chmod g+w "$M/var"
  start; ended
  [ "$status" -eq 0 ]
  seen 'state is off'
  seen 'no attempts are counted, and it does not stay up: halting, not rebooting'
  : >"$M/console"
  chmod g-w "$M/var"
  start; ended
  [ "$status" -eq 129 ]
  isnt seen halting
}

@test "a service that reboots the machine each time it came up: left in the end, and said" {
  mkdir -p "$M/root/opt"
  printf '#!/bin/sh\nsmctl wait ready\nsmctl reboot\nsleep 1000\n' >"$M/root/opt/again"
  chmod 755 "$M/root/opt" "$M/root/opt/again"
  kept
  value 'Session Manager' BootGoodSeconds REG_DWORD 30
  value 'Session Manager' BootAttempts REG_DWORD 2
  value 'Wininit' Supervisor REG_SZ /opt/again
  for ((i = 1; i <= 12; i++)); do
    start; ended
    [ "$status" -eq 129 ]
    isnt seen 'attempts are used up'
  done
  seen 'ended before it was good, as the boots before it: this one counts'
  start; ready
  [[ $(level) == LastKnownGood* ]]
  row SYSTEM failed 'attempts are used up: 2 boots'
  off
}

@test "rescue is left by exit: an orderly reboot, as often as one likes" {
  [ -x /usr/sbin/sulogin ] || [ -x /sbin/sulogin ] || skip "no sulogin"
  hash=$(openssl passwd -6 -salt abcdefgh secret) || skip "no openssl"
  printf 'root:%s:20000:0:99999:7:::\n' "$hash" >"$M/root/etc/shadow"
  chmod 600 "$M/root/etc/shadow"
  for i in 1 2 3 4; do
    : >"$M/console"
    start rescue; ready
    wait_for 15 seen 'password for maintenance'
    sleep 5 # who leaves sooner has done nothing
    type_line secret
    wait_for 15 seen '# '
    type_line 'exit 0'
    ended
    [ "$status" -eq 129 ]
    seen 'going down for reboot: the rescue login was left'
    isnt seen STOP
  done
  # it dies of something else: that is a stop
  start rescue; ready
  wait_for 15 seen 'password for maintenance'
  sleep 5
  inside pkill -9 -x sulogin
  ended
  seen '*** STOP'
}

@test "a user who locks the state directory holds nobody up, and the state is root's to lock" {
  [ "$(id -u)" -eq 0 ] || skip "another user needs root"
  value 'Session Manager' BootGoodSeconds REG_DWORD 0
  start; ready
  inside setpriv --reuid=1000 --regid=1000 --clear-groups \
    flock /var/lib/smss sh -c 'echo >/tmp/locked; sleep 30' &
  locker=$!
  wait_for 10 inside test -e /tmp/locked
  isnt inside setpriv --reuid=1000 --regid=1000 --clear-groups \
    flock -n /var/lib/smss/boot.lock true 2>/dev/null
  ctl boot accept | grep -q 'LastKnownGood saved'
  kill "$locker" || true
  [ "$(stat -c %a "$STATE/boot.lock")" = 600 ]
  off
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
  value 'Session Manager' PendingFileRenameOperations REG_MULTI_SZ '/var/tmp/a\0'
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
