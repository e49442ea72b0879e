#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the people and programs of a session try in order to leave it, to become more than they are,
# or to reach somebody else: operators, owners, and root processes that are held to something.
# bats file_tags=ns

load lib.bash

setup() {
  [ "$(id -u)" -eq 0 ] || skip "other users can only be tried as root"
  machine
  hive
  mkdir -p "$M/root/probe"
  mkdir -m 1777 "$M/root/probe/seen"
  install -m 755 "$BATS_TEST_DIRNAME/session_ask.py" "$M/root/probe/ask"
  install -m 755 "$BATS_TEST_DIRNAME/session_attack.py" "$M/root/probe/attack"
  cp /etc/passwd /etc/group "$M/root/etc/"
  echo 'smith:x:1234:1234::/home/smith:/bin/bash' >>"$M/root/etc/passwd"
  echo 'smith:x:1234:' >>"$M/root/etc/group"
  mkdir -p "$M/root/home/smith"
  value 'Session Manager' SessionOperators REG_SZ 4242
}

ask() { inside /probe/ask "$@"; }
as_operator() { inside setpriv --reuid 1234 --regid 1234 --groups 4242 "$@"; }
row_of() {
  ROW=$(ask rows | grep "^$1 ")
  P=$(sed 's/.*initial=\([0-9]*\).*/\1/' <<<"$ROW")
  CSRSS=$(sed 's/.*csrss=\([0-9]*\).*/\1/' <<<"$ROW")
}
gone() { [ -z "$(ask rows | grep "^$1 ")" ]; }
of() { inside sed -n "s/^$2:[[:space:]]*//p" "/proc/$1/status"; }

@test "an operator's initial command is the operator's, also when it is an image of ours" {
  start; ready
  as_operator /probe/ask start -- /usr/lib/smss/smreg init --hive /etc/smss/OWNED || true
  wait_for 10 gone 2
  isnt inside test -e /etc/smss/OWNED
  as_operator /probe/ask start -- winlogon || true
  as_operator /probe/ask start -- rescue || true
  [ "$(ask rows | awk '$4 == 1234 && $2 == "running"' | wc -l)" -eq 0 ] || sleep 1
  [ "$(ask rows | awk '$4 == 1234 && $2 == "running"' | wc -l)" -eq 0 ] # none can serve as somebody
  off
}

@test "an operator cannot raise limits above the machine's" {
  start; ready
  as_operator /probe/ask start rtprio=99 nice=40 -- /bin/sleep 1000
  row_of 2
  inside grep -Eq 'Max realtime priority +0 +0' "/proc/$P/limits"
  inside grep -Eq 'Max nice priority +0 +0' "/proc/$P/limits"
  off
}

@test "capabilities in the inheritable set are bounded, too" {
  LAUNCH=(setpriv --inh-caps +net_admin)
  start; ready
  ask start caps=0x20 -- /bin/sleep 1000
  row_of 2
  [ "$(of "$P" CapBnd)" = 0000000000000020 ]
  [ "$(of "$P" CapPrm)" = 0000000000000020 ]
  [ "$(of "$P" CapInh)" = 0000000000000000 ]
  off
}

@test "the group in front of a terminal is not whoever has its number later" {
  start; ready
  ask start owner=1234:1234 -- /bin/sleep 1000
  inside setpriv --reuid 1234 --regid 1234 --clear-groups /probe/attack kill 2 /probe/seen/group 3>&- &
  attacker=$!
  wait_for 10 inside test -s /probe/seen/group
  group=$(inside cat /probe/seen/group)
  inside setpriv --reuid 0 /bin/bash -c "echo $((group - 1)) >/proc/sys/kernel/ns_last_pid; setsid sleep 1234 & sleep 1.5; touch /probe/seen/group.go; sleep 1; kill -0 $group && echo alive; ps -o pid,pgid,sid,uid,args -p $group" >"$M/out" 2>&1 || true
  wait "$attacker" || true
  grep -q '^alive' "$M/out"
  off
}

@test "an owner does not learn by csrss which files of root there are" {
  start; ready
  inside sh -c 'mkdir -m 700 -p /root/closed; touch /root/closed/there'
  ask start owner=1234:1234 -- /bin/sleep 1000
  run as_operator smctl exec -s 2 -- /root/closed/there
  there=$output
  run as_operator smctl exec -s 2 -- /root/closed/nothing
  echo "$there / $output"
  [ "${there//there/}" = "${output//nothing/}" ]
  off
}

@test "an owner does not begin where he may not go" {
  chmod 700 "$M/root/home"
  mkdir -p "$M/root/home/smith"
  start; ready
  inside chmod 700 /home
  ask start owner=1234:1234 -- /bin/sleep 1000
  row_of 2
  [ "$(inside readlink "/proc/$P/cwd")" = / ]
  inside chmod 755 /home
  ask start owner=1234:1234 -- /bin/sleep 1000
  row_of 3
  [ "$(inside readlink "/proc/$P/cwd")" = /home/smith ]
  off
}

@test "root's programs that are held to something do not get the connection of their csrss" {
  start; ready
  ask start caps=0x0 isolation=mount,ipc,uts -- /bin/sleep 1000
  ask start caps=0x20 owner=1234:1234 -- /bin/sleep 1000
  for n in 2 3; do
    row_of "$n"
    run inside timeout 5 setpriv --bounding-set -all --inh-caps -all /probe/attack linger "$CSRSS"
    [[ $status -eq 1 && $output == "pidfd_getfd: Operation not permitted" ]]
    ctl status >/dev/null
    ctl exec -s "$n" -- /bin/true
    run inside timeout 5 setpriv --bounding-set -all --inh-caps -all /probe/attack linger "$CSRSS"
    [[ $status -eq 1 && $output == "pidfd_getfd: Operation not permitted" ]]
  done
  off
}

# in_session N COMMAND - a line of shell as a program of session N; what came is in $status, $output
in_session() { run ctl exec -s "$1" -- /bin/sh -c "$2"; }

# cannot N COMMAND [TEXT] - it fails there, and says that
cannot() {
  in_session "$1" "$2"
  echo "$2: $status $output"
  [[ $status -ne 0 && $output == *"${3:-}"* ]]
}

@test "root without capabilities, with mounts of its own, reaches neither groups, kernel nor API" {
  start; ready
  inside sh -c 'echo machine >/proc/sys/kernel/hostname'
  local n=2 group procs isolation
  for isolation in mount mount,pid mount,dev,pid,ipc; do
    ask start caps=0 "isolation=$isolation" -- /bin/sleep 1000
    group=$(inside sh -c "ls -d /sys/fs/cgroup/smss*/session-$n /sys/fs/cgroup/unified/smss*/session-$n 2>/dev/null | head -n 1")
    procs=$group/cgroup.procs
    in_session "$n" "cat $procs"
    [ "$status" -eq 0 ]
    cannot "$n" "echo 0 >$procs" 'Read-only'
    cannot "$n" "echo 0 >${group%/*}/cgroup.procs" 'Read-only'
    cannot "$n" "echo 1 >$group/cgroup.max.descendants" 'Read-only'
    cannot "$n" "mkdir $group/below" 'Read-only'
    cannot "$n" 'echo taken >/proc/sys/kernel/hostname' 'Read-only'
    cannot "$n" ': >/proc/sysrq-trigger'
    cannot "$n" 'smctl status'
    cannot "$n" 'ls -d /run/smss/SmApiPort' 'No such file'
    cannot "$n" 'mkdir /run/smss/mine' 'Read-only'
    # none of it can be taken away, not by a user namespace either
    cannot "$n" 'umount /run/smss'
    cannot "$n" 'mount -o remount,bind,rw /proc/sys'
    cannot "$n" 'unshare -Urm umount /run/smss'
    cannot "$n" 'unshare -Urm mount -o remount,bind,rw /proc/sys'
    cannot "$n" 'unshare -Urm mount -o remount,bind,rw /sys/fs/cgroup'
    cannot "$n" 'unshare -Urmpf mount -t proc proc /tmp'
    # what is its own it writes
    in_session "$n" 'echo mine >/proc/self/comm && echo 5 >/proc/self/oom_score_adj && : >/tmp/mine'
    [ "$status" -eq 0 ]
    n=$((n + 1))
  done
  [ "$(inside cat /proc/sys/kernel/hostname)" = machine ]
  inside sh -c 'echo again >/proc/sys/kernel/hostname' # the machine goes on as it was
  # another csrss of that session is where the first was
  row_of 2
  inside kill -KILL "$CSRSS"
  wait_for 10 ctl exec -s 2 -- /bin/true
  cannot 2 'echo taken >/proc/sys/kernel/hostname' 'Read-only'
  cannot 2 'smctl status'
  off
}

@test "who keeps CAP_SYS_ADMIN, or has an owner, sees the machine as it is" {
  start; ready
  ask start caps=0x200000 isolation=mount -- /bin/sleep 1000
  ask start caps=0 isolation=mount owner=1234:1234 -- /bin/sleep 1000
  for n in 2 3; do
    in_session "$n" 'smctl status'
    [ "$status" -eq 0 ]
  done
  off
}

@test "whoever stops or delays a program that is to become his does not stop csrss" {
  start; ready
  ask start owner=1234:1234 -- /bin/sleep 1000
  inside sh -c 'cp /bin/true /probe/seen/late; chown 1234:1234 /probe/seen/late'
  inside setpriv --reuid 1234 --regid 1234 --clear-groups /probe/attack lease 2 /probe/seen/late >"$M/attack" 2>&1 3>&- &
  wait_for 10 grep -q stopped "$M/attack"
  cat "$M/attack"
  grep -qx 'ptrace: Operation not permitted' "$M/attack"
  grep -qx 'fds: Permission denied' "$M/attack"
  inside timeout 5 smctl exec -s 2 -- /bin/true
  # why a program of another user cannot be started is still said
  code=0
  inside timeout 5 smctl exec -s 2 -- /nothing || code=$?
  [ "$code" -eq 127 ]
  [ "$(ask stop 2)" = '00000000 0 0 ' ]
  off
}

@test "what Execute runs is the machine's, whatever an operator's session is held to" {
  printf '%s\n' '#!/bin/sh' 'exec >"/probe/seen/session-$SMSS_SESSION"' umask 'ulimit -n' \
    "grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status" >"$M/root/probe/tell"
  chmod 755 "$M/root/probe/tell"
  value 'Session Manager' Execute REG_MULTI_SZ /probe/tell
  start; ready
  ask start -- /bin/sleep 1000
  as_operator /probe/ask start fsize=0 nofile=20 umask=0777 caps=0 nnp=1 -- /bin/sleep 1000
  row_of 3
  [ "$(of "$P" Umask)" = 0777 ]
  [ "$(of "$P" CapBnd)" = 0000000000000000 ]
  inside grep -Eq 'Max open files +20 +20' "/proc/$P/limits"
  inside grep -Eq 'Max file size +0 +0' "/proc/$P/limits"
  inside test -s /probe/seen/session-2
  inside cmp /probe/seen/session-2 /probe/seen/session-3
  # the hive's own word holds for it
  off
  value 'Session Manager\Sessions\Default' Limits REG_MULTI_SZ 'nofile 200'
  start; ready
  [ "$(inside sed -n 2p /probe/seen/session-1)" = 200 ]
  off
}

@test "operators cannot fill the timeline of the boot" {
  start; ready
  rows() { ctl boot | grep -c 'session [0-9]* set-up'; }
  as_operator sh -c 'for i in $(seq 50); do /probe/ask start -- "/nothing$i"; done' >"$M/asked" || true
  [ "$(grep -c '^c0000034 .*/nothing' "$M/asked")" -eq 50 ] # each was told why
  [ "$(rows)" -le 32 ]
  row 'sessions of users' degraded 'not kept'
  before=$(rows)
  run ask start -- /nothing # of root, and said once already: then it is counted
  run ask start -- /nothing
  [ "$(rows)" -eq $((before + 1)) ] # root's is kept
  row 'session 2 set-up' refused '(2 times)'
  off
}
