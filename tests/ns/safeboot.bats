#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Safe boot: what is left out is left out, what is marked runs, and nobody gets in without the
# password. Each test boots the same machine in the usual way too where that shows the difference.

load lib.bash

SAFE='HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot'

setup() {
  machine
  hive
}

# mark LIST NAME - a service that a safe boot may start
mark() { "$SMREG" add "$SAFE\\$1\\$2" --hive "$HIVE" >/dev/null; }

# program NAME LINES - a script of the machine's own
program() {
  mkdir -p "$M/root/opt"
  printf '#!/bin/sh\n%s\n' "$2" >"$M/root/opt/$1"
  chmod 755 "$M/root/opt" "$M/root/opt/$1"
}

# service NAME - one that says that it runs, and what it sees
service() {
  mkdir -p "$M/root/etc/service/$1"
  printf '#!/bin/sh\nenv >/run/service-%s\nexec sleep 1000\n' "$1" >"$M/root/etc/service/$1/run"
  chmod 755 "$M/root/etc/service" "$M/root/etc/service/$1" "$M/root/etc/service/$1/run"
}

# password [WORD] - root's; without a word the account is locked
password() {
  local hash='!'
  [ $# -eq 0 ] || hash=$(openssl passwd -6 -salt abcdefgh "$1") || skip "no openssl"
  printf 'root:%s:20000:0:99999:7:::\n' "$hash" >"$M/root/etc/shadow"
  chmod 600 "$M/root/etc/shadow"
}

runs() { inside test -s "/run/service-$1"; }
# prompted COUNT - so often the password was asked for
prompted() { wait_for 15 times "$1" 'password for maintenance'; }
times() { [ "$(tr -d '\r' <"$M/console" | grep -aoF -- "$2" | wc -l)" -ge "$1" ]; }
shell() { wait_for 15 seen '# '; }
# watched - how many services runsvdir has
watched() { inside sh -c "cat /proc/[0-9]*/comm" | grep -cx runsv || true; }
have_login() { [ -x /usr/sbin/sulogin ] || [ -x /sbin/sulogin ] || skip "no sulogin"; }
have_runit() { command -v runsvdir >/dev/null || skip "no runsvdir"; }

@test "SetupExecute and Execute run in a usual boot, in order, and not in a safe one" {
  program setup 'echo setup >>/run/ran'
  program one 'sleep 0.3; echo one $SMSS_SESSION >>/run/ran'
  program two 'echo two $SMSS_SESSION >>/run/ran; exit 3'
  value 'Session Manager' SetupExecute REG_MULTI_SZ /opt/setup
  value 'Session Manager' Execute REG_MULTI_SZ '/opt/one\0/opt/two'
  start; ready
  [ "$(inside grep -c . /run/ran)" -eq 5 ]
  [ "$(inside sed -n 1p /run/ran)" = setup ]
  [ "$(inside grep ' 0$' /run/ran | tr '\n' ,)" = 'one 0,two 0,' ]
  [ "$(inside grep ' 1$' /run/ran | tr '\n' ,)" = 'one 1,two 1,' ]
  row /opt/one ok
  row /opt/two failed 'exit 3'
  off
  start smss.safeboot=minimal; ready
  isnt inside test -e /run/ran
  row Execute skipped 'safe boot'
  row SetupExecute skipped 'safe boot'
  off
}

@test "Execute: async is not waited for, a missing image and a late one do not hold the session up" {
  program slow 'sleep 1000'
  program late 'trap : TERM; echo $$ >/run/late; sleep 1000'
  value 'Session Manager' Execute REG_MULTI_SZ \
    'async /opt/slow\0autocheck /opt/none\0/opt/none\0debug /opt/late\0/opt/late\0'
  value 'Session Manager' ExecuteDeadline REG_DWORD 1
  value 'Session Manager' NumberOfInitialSessions REG_DWORD 1
  start; ready
  row /opt/slow ok 'not waited for'
  row /opt/none skipped
  row /opt/none failed 'no such file'
  row /opt/late timeout
  isnt inside sh -c 'kill -0 $(cat /run/late)' 2>/dev/null # it and what it started are gone
  ctl tree | grep -q wininit
  off
}

@test "minimal: of three services only the marked one runs, and it knows where it is" {
  have_runit
  service good; service more; service bad
  mark Minimal good
  mark Network more
  value 'Wininit' Supervisor REG_SZ 'runsvdir -P /etc/service'
  start; ready
  wait_for 10 runs good; wait_for 10 runs more; wait_for 10 runs bad
  [ "$(watched)" -eq 3 ]
  isnt inside grep -q SAFEBOOT_OPTION /run/service-good
  off
  start smss.safeboot=minimal; ready
  wait_for 10 runs good
  inside grep -qx SAFEBOOT_OPTION=MINIMAL /run/service-good
  [ "$(inside ls /run/smss/services)" = good ]
  row more skipped 'not marked'
  row bad skipped 'not marked'
  row Supervisor ok 'marked services only'
  [ "$(watched)" -eq 1 ]
  isnt runs more
  isnt runs bad
  seen 'MINIMAL: without SetupExecute'
  off
}

@test "network adds its own list; the usual names need no mark" {
  have_runit
  service udevd; service sshd; service bad
  value 'Wininit' Supervisor REG_SZ runsvdir
  start smss.safeboot=network; ready
  wait_for 10 runs udevd; wait_for 10 runs sshd
  inside grep -qx SAFEBOOT_OPTION=NETWORK /run/service-sshd
  [ "$(inside ls /run/smss/services | tr '\n' ' ')" = 'sshd udevd ' ]
  row bad skipped 'not marked'
  off
  start smss.safeboot=minimal; ready
  wait_for 10 runs udevd
  [ "$(inside ls /run/smss/services)" = udevd ]
  off
}

@test "a supervisor without a directory runs only when it is marked itself" {
  program dinit 'echo "$SAFEBOOT_OPTION" >/run/dinit; exec sleep 1000'
  value 'Wininit' Supervisor REG_SZ /opt/dinit
  start smss.safeboot=network; ready
  row Supervisor skipped 'cannot be told'
  isnt inside test -e /run/dinit
  off
  mark Minimal dinit
  start smss.safeboot=network; ready
  wait_for 10 inside grep -qx NETWORK /run/dinit
  off
}

@test "a supervisor whose directory cannot be told for certain is not started" {
  have_runit
  service good; service bad
  mark Minimal good
  for line in 'runsvdir -P etc/service' 'runsvdir etc/service /etc/service' \
    's6-svscan -d /etc/service etc/service'; do
    value 'Wininit' Supervisor REG_SZ "$line"
    [ "${line%% *}" != s6-svscan ] || program s6-svscan 'exec runsvdir "$3"'
    [ "${line%% *}" != s6-svscan ] || value 'Wininit' Supervisor REG_SZ "/opt/$line"
    start smss.safeboot=minimal; ready
    wait_for 10 row Supervisor skipped 'cannot be told to hold services back'
    sleep 1
    [ "$(watched)" -eq 0 ]
    isnt runs bad
    off
  done
}

@test "what steers programs reaches no login of a safe boot, in no session; the rest does" {
  value 'Session Manager\Environment' LD_LIBRARY_PATH REG_SZ /opt/evil
  value 'Session Manager\Environment' BASH_ENV REG_SZ /opt/evil
  value 'Session Manager\Environment' Kept REG_SZ yes
  value 'Session Manager\Sessions\2' InitialCommand REG_SZ winlogon
  start; ready
  type_line 'echo $LD_LIBRARY_PATH >/run/me'
  wait_for 10 inside grep -qx /opt/evil /run/me
  off
  start smss.safeboot=minimal; ready
  row LD_LIBRARY_PATH skipped 'left out: safe boot'
  row BASH_ENV skipped 'left out: safe boot'
  ctl session new
  wait_for 10 inside sh -c 'cat /proc/[0-9]*/comm | grep -qx winlogon'
  isnt inside sh -c "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -q /opt/evil"
  inside sh -c "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -qx Kept=yes"
  off
}

@test "session 1 asks for root's password, whatever the hive logs on or shows" {
  have_login
  password secret
  value 'Session Manager\Sessions\1' InitialCommand REG_SZ '/opt/kiosk'
  program kiosk 'echo >/run/kiosk; exec sleep 1000'
  value 'Session Manager' NumberOfInitialSessions REG_DWORD 1
  start smss.safeboot=minimal; ready
  prompted 1
  row /opt/kiosk skipped 'rescue login instead'
  type_line wrong
  wait_for 15 seen 'Login incorrect'
  isnt inside test -e /run/me
  prompted 2
  type_line secret
  shell
  type_line 'echo $SAFEBOOT_OPTION $(id -u) $SMSS_SESSION >/run/me'
  wait_for 10 inside test -s /run/me
  [ "$(inside cat /run/me)" = 'MINIMAL 0 1' ]
  isnt inside test -e /run/kiosk
  off
}

@test "a locked root account is refused, unless the hive opens it" {
  have_login
  password
  start smss.safeboot=minimal; ready
  wait_for 15 seen 'root account is locked'
  type_line 'echo >/run/me' # all that it takes is a line's end: then it gives up
  wait_for 15 times 2 'root account is locked' # the session is made again, and refuses again
  isnt inside test -e /run/me
  off
  : >"$M/console"
  value 'Session Manager' RescueUnlocked REG_DWORD 1
  start smss.safeboot=minimal; ready
  wait_for 15 seen 'maintenance'
  type_line ''
  shell
  type_line 'echo $SAFEBOOT_OPTION >/run/me'
  wait_for 10 inside grep -qx MINIMAL /run/me
  off
}

@test "sessions above 1 are left out, a supervisor without marks is not started" {
  have_runit
  service bad
  value 'Session Manager' NumberOfInitialSessions REG_DWORD 4
  start smss.safeboot=minimal; ready
  row NumberOfInitialSessions skipped 'safe boot'
  [ "$(ctl tree | grep -c csrss)" -eq 2 ]
  row Supervisor skipped 'none of its services is marked'
  [ "$(watched)" -eq 0 ]
  off
}

@test "a session made by hand logs nobody on by itself in a safe boot" {
  value 'Session Manager\Sessions\2' Console REG_SZ /dev/none
  start smss.safeboot=minimal; ready
  ctl session new
  wait_for 10 row logon skipped 'automatic logon'
  off
}

@test "smreg: the lists are told, and what is put wrong is pointed out" {
  mark Minimal good
  value 'SafeBoot\Network' sshd REG_SZ Service --force
  "$SMREG" add "$SAFE\\Minimum\\x" --hive "$HIVE" >/dev/null
  run "$SMREG" check --hive "$HIVE"
  [[ $output == *'a service is marked by a key of its name'* ]]
  [[ $output == *'did you mean Minimal?'* ]]
  run "$SMREG" plan --hive "$HIVE"
  [[ $output == *'minimal: good'* ]]
  [[ $output == *'network, besides: nothing'* ]]
}
