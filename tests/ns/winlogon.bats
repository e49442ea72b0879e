#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# winlogon in a whole machine: greeters that work and that crash, several consoles, kiosks, owners,
# idle terminals, PAM. The same under a master of straw, step by step: companion_winlogon.py.

load lib.bash

setup() {
  machine
  hive
  value 'Winlogon' AutoAdminLogon REG_SZ 0
}

# account - alice, who may log in with the password sesame; root too
account() {
  local hash f
  hash=$(openssl passwd -6 -salt abcdefgh sesame) || skip "no openssl"
  mkdir -p "$M/root/home/alice"
  for f in passwd group; do grep -v '^alice:' "/etc/$f" >"$M/root/etc/$f"; done
  echo 'alice:x:1234:1234::/home/alice:/bin/sh' >>"$M/root/etc/passwd"
  echo 'alice:x:1234:' >>"$M/root/etc/group"
  printf '%s:%s:20000:0:99999:7:::\n' root "$hash" alice "$hash" >"$M/root/etc/shadow"
  chmod 600 "$M/root/etc/shadow"
}

# program NAME LINES - a script of the machine's own
program() {
  mkdir -p "$M/root/opt"
  printf '#!/bin/sh\n%s\n' "$2" >"$M/root/opt/$1"
  chmod 755 "$M/root/opt" "$M/root/opt/$1"
}

have_root() { [ "$(id -u)" -eq 0 ] || skip "needs root: $1"; }
have() { [ -x "$1" ] || skip "no $1"; }
# times COUNT TEXT - so often it stands on the console
times() { [ "$(tr -d '\r' <"$M/console" | grep -aoF -- "$2" | wc -l)" -ge "$1" ]; }
winlogons() { inside sh -c 'grep -lx winlogon /proc/[0-9]*/comm' | grep -o '[0-9]*' | sort -n | tr '\n' ' '; }
initial() { ctl sessions --json | python3 -c "
import json, sys
print([s['initial_pid'] for s in json.load(sys.stdin)['sessions'] if s['session'] == $1][0])"; }
# another SESSION PID - the session has another initial command by now
another() { local now; now=$(initial "$1") && [ "$now" -gt 0 ] && [ "$now" != "$2" ]; }

# logged_in PROMPT - alice logs in where PROMPT stands
logged_in() {
  wait_for 15 seen "$1"
  type_line alice
  wait_for 15 seen 'assword:'
  sleep 0.3 # until it has turned the echo off
  type_line sesame
  wait_for 15 seen '$ '
  type_line 'echo who=$(id -un)$((20+1))'
  wait_for 15 seen 'who=alice21'
}

@test "agetty and login log a person on; leaving makes a new session" {
  have_root 'login sets ids'; have /sbin/agetty; have /bin/login
  account
  value 'Winlogon' Greeter REG_SZ '/sbin/agetty - linux'
  start; ready
  logged_in 'login: '
  was=$(initial 1)
  type_line 'echo $TERM-$(tty)'
  wait_for 5 seen 'linux-/dev/'
  type_line exit
  wait_for 15 another 1 "$was"
  wait_for 15 times 2 'login: '
  isnt row session failed
  off
  [ "$status" -eq 0 ]
}

@test "greetd and agreety log a person on; leaving makes a new session" {
  have_root 'greetd sets ids'; have /usr/sbin/greetd; have /usr/sbin/agreety
  account
  mkdir -p "$M/root/etc/greetd"
  value 'Session Manager\Sessions\1' Isolation REG_MULTI_SZ mount
  printf '[terminal]\nvt = "none"\n[default_session]\ncommand = "sh -c '\''mkdir /tmp/greeted && exec setsid -c agreety --cmd /bin/sh'\''"\nuser = "root"\n' \
    >"$M/root/etc/greetd/config.toml"
  value 'Winlogon' Greeter REG_SZ '/usr/sbin/greetd --config /etc/greetd/config.toml'
  start; ready
  logged_in 'login: '
  was=$(initial 1)
  sleep 3 # nobody leaves sooner
  type_line exit
  wait_for 20 another 1 "$was"
  inside rmdir /tmp/greeted 2>/dev/null || true # where sessions have no /tmp of their own
  wait_for 15 times 2 'login: '
  off
  [ "$status" -eq 0 ]
}

@test "a greeter that crashes in a loop ends at the text login, which works" {
  have_root 'login sets ids'; have /bin/login
  account
  program greeter 'echo x >>/run/greeted; kill -SEGV $$'
  value 'Winlogon' Greeter REG_SZ /opt/greeter
  start; ready
  wait_for 30 seen 'text login instead'
  [ "$(inside grep -c x /run/greeted)" -eq 5 ]
  row logon degraded 'text login instead'
  logged_in ' login: '
  was=$(initial 1)
  sleep 2
  type_line exit
  wait_for 15 another 1 "$was" # and there the greeter gets another chance
  wait_for 5 inside sh -c '[ $(grep -c x /run/greeted) -ge 6 ]'
  off
}

@test "a greeter that takes its session with it is counted from session to session" {
  program greeter 'echo x >>/run/greeted; kill -9 $PPID; sleep 100'
  value 'Winlogon' Greeter REG_SZ /opt/greeter
  start; ready
  wait_for 20 inside grep -q '^2 ' /run/smss/logon-1
  inside sh -c 'echo 5 1 >/run/smss/logon-1'
  wait_for 20 seen 'text login instead'
  wait_for 5 seen ' login: '
  was=$(inside grep -c x /run/greeted)
  sleep 3
  [ "$(inside grep -c x /run/greeted)" -eq "$was" ]
  off
}

@test "a kiosk's program runs as its user, again in a new session when it ends" {
  have_root 'another user is logged on'
  account
  program kiosk 'echo kiosk-$(id -un)-$SMSS_SESSION-$HOME; echo $$ >>/tmp/kiosk; sleep 3'
  value 'Winlogon' AutoAdminLogon REG_SZ 1
  value 'Winlogon' DefaultUserName REG_SZ alice
  value 'Winlogon' Shell REG_SZ /opt/kiosk
  start; ready
  wait_for 10 seen 'kiosk-alice-1-/home/alice'
  was=$(initial 1)
  wait_for 15 another 1 "$was"
  wait_for 10 times 2 'kiosk-alice-1-'
  isnt row session failed
  off
}

@test "without DefaultUserName each session's owner is logged on" {
  have_root 'another user is logged on'
  account
  value 'Winlogon' AutoAdminLogon REG_SZ 1
  value 'Session Manager\Sessions\1' Owner REG_SZ alice
  start; ready
  wait_for 10 seen '$ '
  type_line 'echo who=$(id -un)$((20+1))-$HOME'
  wait_for 10 seen 'who=alice21-/home/alice'
  off
}

@test "a terminal where nobody types is logged off" {
  value 'Winlogon' AutoAdminLogon REG_SZ 1
  value 'Session Manager\Sessions\1' IdleTimeout REG_DWORD 2
  start; ready
  was=$(initial 1)
  wait_for 20 another 1 "$was"
  seen 'idle for 2 s: logged off'
  row logoff ok 'idle for 2 s'
  off
}

# plug - a terminal that comes and goes: /dev/line2, what is typed into $M/line2.in
plug() {
  mkfifo "$M/line2.in" 2>/dev/null || true
  exec 9<>"$M/line2.in"
  inside python3 -c '
import os, sys, select
open("/run/line2.pid", "w").write(str(os.getpid()))
master, slave = os.openpty()
os.symlink(os.ttyname(slave), "/dev/line2.new")
os.rename("/dev/line2.new", "/dev/line2")
os.close(slave)
while True:
    for fd in select.select([0, master], [], [])[0]:
        try:
            data = os.read(fd, 4096)
        except OSError: # nobody has it open
            data = b""
            select.select([0], [], [], 0.05)
        os.write(1 if fd == master else master, data)
' <"$M/line2.in" >>"$M/line2" 2>/dev/null &
  PLUG=$!
}
unplug() { inside sh -c 'kill $(cat /run/line2.pid); rm /dev/line2'; wait "$PLUG" || true; }
on_line2() { tr -d '\r' <"$M/line2" | grep -aqF -- "$1"; }

@test "every console has its session; a line that is not there yet, or unplugged, is waited for" {
  command -v python3 >/dev/null || skip "no python3"
  value 'Session Manager' Consoles REG_MULTI_SZ '/dev/console\0/dev/line2'
  : >"$M/line2"
  start; ready
  wait_for 10 seen ', session 1'
  plug
  wait_for 10 on_line2 'line2, session 2'
  was=$(initial 2)
  unplug
  : >"$M/line2"
  sleep 2.5
  plug
  wait_for 20 on_line2 'line2, session 2'
  [ "$(initial 2)" = "$was" ]
  unplug
  exec 9>&-
  off
}

@test "with Pam an automatic logon is a PAM session, and on record" {
  have_root 'PAM changes ids'; have "$STAGE/usr/lib/smss/logon-pam"; have /usr/bin/who
  [ -d /etc/pam.d ] || skip "no PAM here"
  account
  mkdir -p "$M/root/etc/pam.d" "$M/root/var/log"
  ln -s /run "$M/root/var/run"
  sed '/pam_loginuid/d' "$BATS_TEST_DIRNAME/../../examples/pam.d/smss-autologin" >"$M/root/etc/pam.d/smss-autologin"
  : >"$M/root/var/log/wtmp"
  value 'Winlogon' AutoAdminLogon REG_SZ 1
  value 'Winlogon' DefaultUserName REG_SZ alice
  value 'Winlogon' Pam REG_SZ 1
  start; ready
  wait_for 10 seen '$ '
  type_line 'echo who=$(id -un)$((20+1)) path=$PATH'
  wait_for 10 seen 'who=alice21'
  inside who | grep -q '^alice '
  was=$(initial 1)
  sleep 2
  type_line 'exit 0'
  wait_for 15 another 1 "$was"
  inside last -f /var/log/wtmp | grep -q '^alice '
  inside touch /etc/nologin
  was=$(initial 1)
  type_line 'exit 0'
  wait_for 15 row logon failed
  off
}

@test "a safe boot has neither greeter nor automatic logon" {
  have_root 'a second session has a terminal'
  program greeter 'echo x >>/run/greeted; sleep 100'
  value 'Winlogon' Greeter REG_SZ /opt/greeter
  value 'Session Manager' Consoles REG_MULTI_SZ '/dev/null\0/dev/console'
  start smss.safeboot=minimal; ready
  ctl session new
  wait_for 10 seen ', session 2'
  isnt inside test -e /run/greeted
  row logon skipped 'safe boot'
  off
}
