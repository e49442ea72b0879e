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
