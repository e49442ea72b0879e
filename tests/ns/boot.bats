#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The whole product as PID 1 of fresh namespaces: what a person who boots it would see.

load lib.bash

setup() {
  machine
  hive
}

@test "it boots: phases in order, two sessions with their core processes, no copy left" {
  start
  ready
  run ctl boot --phases
  [[ $output =~ Start.*ApiPort.*InitializeRegistry.*Environment.*SerializeBoot.*BootExecute.*CountAttempt.*Sessions.*Ready ]]
  run ctl tree
  [[ $output =~ csrss.*wininit.*csrss.*winlogon ]] || [[ $output =~ "session 0".*csrss ]]
  [ "$(ctl tree | grep -c csrss)" -eq 2 ]
  ctl tree | grep -q wininit
  ctl tree | grep -q winlogon
  # copies are processes of the image smss; only the master may be left
  [ "$(inside sh -c 'for p in /proc/[0-9]*; do readlink $p/exe; done' | grep -c /smss/smss)" -eq 1 ]
  off
  [ "$status" -eq 0 ]
}

@test "reboot, halt and poweroff end the namespace each in its way" {
  start; ready; ctl reboot; ended
  [ "$status" -eq 129 ]
  start; ready; ctl halt; ended
  [ "$status" -eq 0 ]
  start; ready; off
  [ "$status" -eq 0 ]
}

@test "a pending rename and a delete are done once, and their results kept" {
  value 'Session Manager' PendingFileRenameOperations REG_MULTI_SZ \
    '/var/tmp/new\0!/var/tmp/old\0/var/tmp/gone\0'
  echo new >"$M/root/var/tmp/new"; echo old >"$M/root/var/tmp/old"; echo x >"$M/root/var/tmp/gone"
  start; ready
  [ "$(inside cat /var/tmp/old)" = new ]
  isnt inside test -e /var/tmp/gone
  row PendingFileRenameOperations ok '2 done'
  off
  # the hive still names them, the files are there again: they are not run a second time
  start; ready
  [ "$(inside cat /var/tmp/old)" = old ]
  inside test -e /var/tmp/gone
  inside grep -q '"/var/tmp/gone"' /var/lib/smss/renames.report
  off
}

@test "without a pending operation no copy is started for them" {
  start; ready
  tells_not ProcessFileRenames ctl boot
  off
}

@test "environment: two passes, dynamic values, the hive's Path" {
  value 'Session Manager\Environment' AAA REG_EXPAND_SZ '%ZZZ%/x'
  value 'Session Manager\Environment' ZZZ REG_SZ /later
  value 'Session Manager\Environment' Path REG_SZ /usr/sbin:/usr/bin
  start; ready
  inside sh -c 'tr "\0" "\n" </run/smss/environment' >"$M/env"
  grep -qx 'AAA=/later/x' "$M/env"
  grep -qx 'PATH=/usr/sbin:/usr/bin' "$M/env"
  grep -qx 'OS=Linux' "$M/env"
  grep -qx "NUMBER_OF_PROCESSORS=$(nproc)" "$M/env"
  off
}

@test "a process of the session starts clean: no stray fds, no ignored or blocked signals" {
  printf 'grep Sig /proc/self/status; ls /proc/self/fd; echo end\n' >"$M/root/var/tmp/look"
  printf 'sh /var/tmp/look >/tmp/hygiene\n' >"$M/root/var/tmp/hygiene"
  start; ready
  ctl exec 1 /bin/sh /var/tmp/hygiene
  wait_for 5 inside grep -q end /tmp/hygiene
  inside cat /tmp/hygiene
  inside grep -qE 'SigBlk:\s0+$' /tmp/hygiene
  inside grep -qE 'SigIgn:\s0+$' /tmp/hygiene
  isnt inside grep -qxE '[4-9]|[1-9][0-9]+' /tmp/hygiene
  off
}

@test "logoff brings a new session" {
  start; ready
  wait_for 5 sh -c "grep -aq '# ' '$M/console'"
  first=$(ctl sessions --json | tr -d ' \n' | grep -o '"csrss_pid":[0-9]*' | sed -n 2p)
  sleep 2.2
  type_line exit
  changed() { [ "$(ctl sessions --json | tr -d ' \n' | grep -o '"csrss_pid":[0-9]*' | sed -n 2p)" != "$first" ]; }
  wait_for 20 changed
  ctl tree | grep -q 'session 1'
  off
}

@test "a session ends for certain, also with processes that ignore TERM and have left their parents" {
  printf 'trap : TERM; echo $$ >/tmp/stray; while :; do sleep 1; done\n' >"$M/root/var/tmp/stray"
  printf 'trap : TERM HUP; (setsid sh /var/tmp/stray &); while :; do sleep 1; done\n' >"$M/root/var/tmp/stubborn"
  start; ready
  ctl session new '/bin/sleep 1000'
  ctl sessions | grep -q '^ *2\b\|session 2\|2 ' 
  ctl exec -d 2 /bin/sh /var/tmp/stubborn
  wait_for 5 inside test -s /tmp/stray
  ctl session end 2
  run inside sh -c 'for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; echo; done'
  [[ ! $output =~ /var/tmp/st ]]
  off
}

@test "core processes of session 1 die: the session is made again, the machine stays" {
  start; ready
  pid=$(inside sh -c 'for p in /proc/[0-9]*; do read -r c <$p/comm; [ "$c" = winlogon ] && echo ${p#/proc/}; done' | head -1)
  [ -n "$pid" ]
  inside kill -9 "$pid"
  again() { inside sh -c 'for p in /proc/[0-9]*; do read -r c <$p/comm; [ "$c" = winlogon ] && echo ${p#/proc/}; done' | grep -vqx "$pid"; }
  wait_for 15 again
  ctl status | grep -q Ready
  off
}

@test "TERM from outside stops a namespace in order; the busybox dialect turns it into a reboot" {
  start; ready
  kill -TERM "$(cat "$M/pid")"
  ended
  [ "$status" -eq 0 ]
  value 'Session Manager' SignalDialect REG_SZ busybox
  start; ready
  kill -TERM "$(cat "$M/pid")"
  ended
  [ "$status" -eq 129 ]
  start; ready
  kill -USR2 "$(cat "$M/pid")"
  ended
  [ "$status" -eq 0 ]
}

@test "the API refuses: power to ordinary users, session 0's end, what is not there yet" {
  start; ready
  run ctl session end 0
  [ "$status" -ne 0 ]
  run ctl pagefiles
  [ "$status" -ne 0 ]
  [[ $output =~ "not implemented" ]]
  if [ "$(id -u)" -eq 0 ]; then
    run inside setpriv --reuid 65534 --regid 65534 --clear-groups smctl poweroff
    [ "$status" -ne 0 ]
    [[ $output =~ denied ]]
    inside setpriv --reuid 65534 --regid 65534 --clear-groups smctl status | grep -q Ready
  fi
  off
}

@test "every listing has valid --json" {
  start; ready
  for verb in status tree boot sessions stops; do
    ctl "$verb" --json >"$M/json"
    python3 -c 'import json,sys
for l in [sys.stdin.read()]:
    json.loads(l)' <"$M/json"
  done
  off
}
