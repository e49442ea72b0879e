#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A session's life as the master leads it: numbers, turns, deadlines, ends, and what is left: nothing.

load lib.bash

setup() {
  machine
  hive
  cp "$BATS_TEST_DIRNAME/session_life.py" "$M/root/var/tmp/client"
}

client() { inside python3 /var/tmp/client "$@"; }
field() { client row "$1" | sed -n "s/^$2=//p"; }
is() { [ "$(field "$1" "$2")" = "$3" ]; }
has_cgroup() { [ "$(ctl status --json | jq .cgroup)" = true ]; } # else what is seen there is the outside's
group() { has_cgroup || return 0; inside sh -c 'ls -d /sys/fs/cgroup/*/session-'"$1"' /sys/fs/cgroup/*/*/session-'"$1"' 2>/dev/null' | head -1; }
traces() { inside sh -c 'ls -d /run/smss/sessions/'"$1"' 2>/dev/null' || true; group "$1"; }

@test "the lowest free number is taken, and only when all of its last owner is gone" {
  start; ready
  for want in 2 3 4; do [[ $(client new '/bin/sleep 1000') == "00000000 $want "* ]]; done
  [ -n "$(traces 3)" ]
  [ "$(client end 3)" = 00000000 ]
  [ -z "$(traces 3)" ] # answered: then nothing is left
  [[ $(client new '/bin/sleep 1000') == "00000000 3 "* ]]
  [[ $(client new '/bin/sleep 1000') == "00000000 5 "* ]]
  is 3 state running
  off
}

@test "4 + (CPUs - 1) are set up at once, the rest have their turn in order" {
  value 'Session Manager' Execute REG_MULTI_SZ '/bin/sleep 0.3'
  start; ready
  run client burst 14 '/bin/sleep 1000'
  [ "$status" -eq 0 ]
  [ "$(grep -c ' 00000000 ' <<<"$output")" -eq 14 ]
  most=$((4 + $(nproc) - 1))
  [ "$(sed -n 's/^most //p' <<<"$output")" -eq $((most < 14 ? most : 14)) ]
  # of those that were answered later none had asked a whole round earlier than one before it
  grep -v most <<<"$output" | awk -v most="$most" '{ if ($1 + most < last) exit 1; if ($1 > last) last = $1 }'
  off
}

@test "who has no turn before StartDeadline is told so, and had no number for nothing" {
  value 'Session Manager' Execute REG_MULTI_SZ '/bin/sleep 30'
  value 'Session Manager\Sessions\Default' StartDeadline REG_DWORD 2 # Execute gets 1.6 s of it
  value 'Session Manager\Sessions\0' StartDeadline REG_DWORD 9
  most=$((4 + $(nproc) - 1))
  [ "$most" -le 20 ] || skip "too many processors for one client's connections"
  start; ready 60
  run client burst $((2 * most + 2)) '/bin/sleep 1000'
  [ "$(grep -c ' 00000000 ' <<<"$output")" -eq $((2 * most)) ]
  [ "$(grep -c ' c00000b5 .*its turn' <<<"$output")" -ge 2 ]
  [ "$(inside ls /run/smss/sessions | wc -l)" -eq $((2 * most + 2)) ]
  off
}

@test "a copy that hangs is killed at StartDeadline: whoever asked is told, nothing is left" {
  value 'Session Manager' Execute REG_MULTI_SZ '/bin/sleep 1'
  value 'Session Manager\Sessions\2' StartDeadline REG_DWORD 2
  start; ready
  inside python3 /var/tmp/client new '/bin/sleep 1000' >"$M/answer" &
  wait_for 5 is 2 state registered
  inside kill -STOP "$(field 2 copy_pid)"
  wait "$!"
  grep -q '^c00000b5 2 StartDeadline was over' "$M/answer"
  wait_for 5 test -z "$(traces 2)"
  row 'session 2 set-up' timeout StartDeadline
  off
}

@test "a session that cannot be made is refused with why, and undone" {
  start; ready
  run client new '/no/such/program'
  [[ $output =~ ^c[0-9a-f]{7}\ 2\ .+ ]]
  wait_for 5 sh -c "[ -z '$(traces 2)' ]"
  wait_for 5 test -z "$(field 2 state)"
  # half a session: an initial command that ends at once is a session that ended at once
  client new '/bin/true'
  wait_for 5 test -z "$(field 2 state)"
  off
}

@test "frozen, stopped, double-forked, nested: all of it is ended" {
  [ "$(id -u)" -eq 0 ] || skip "needs a cgroup that can be frozen"
  cat >"$M/root/var/tmp/mess" <<'END'
trap '' TERM HUP
(setsid sh -c 'trap "" TERM HUP; while :; do sleep 1; done' &)
(sh -c 'kill -STOP $$' &)
for d in /sys/fs/cgroup /sys/fs/cgroup/unified; do
  own=$d$(sed -n 's/^0:://p' /proc/self/cgroup)
  [ -f "$own/cgroup.procs" ] || continue
  mkdir -p "$own/a/b"
  sleep 1001 & echo $! >"$own/a/b/cgroup.procs"
done
: >/run/smss/sessions/2/left-here
echo ready >/tmp/mess
while :; do sleep 1; done
END
  value 'Session Manager\Sessions\2' StopDeadline REG_DWORD 1
  start; ready
  client new '/bin/sh /var/tmp/mess'
  wait_for 5 inside test -s /tmp/mess
  g=$(group 2)
  [ -n "$g" ] || skip "no cgroup v2 here"
  [ "$(client freeze 2)" = 00000000 ]
  inside grep -q 'frozen 1' "$g/cgroup.events"
  is 2 flags 1
  [ "$(client end 2)" = 00000000 ]
  [ -z "$(traces 2)" ]
  run inside sh -c 'grep -l "tmp/mes[s]" /proc/[0-9]*/cmdline; pgrep -f "sleep 100[1]"'
  [ -z "$output" ]
  off
}

@test "frozen means standing still, thawed going on" {
  [ "$(id -u)" -eq 0 ] || skip "needs a cgroup that can be frozen"
  printf 'i=0; while :; do i=$((i+1)); echo $i >/tmp/count; sleep 0.02; done\n' >"$M/root/var/tmp/count"
  start; ready
  client new '/bin/sh /var/tmp/count'
  [ -n "$(group 2)" ] || skip "no cgroup v2 here"
  wait_for 5 inside test -s /tmp/count
  [ "$(client freeze 2)" = 00000000 ]
  before=$(inside cat /tmp/count); sleep 0.3
  [ "$(inside cat /tmp/count)" = "$before" ]
  [ "$(client thaw 2)" = 00000000 ]
  moved() { [ "$(inside cat /tmp/count)" != "$before" ]; }
  wait_for 5 moved
  is 2 flags 0
  [ "$(client freeze 0)" != 00000000 ] # the machine would stand
  off
}

@test "a session lives no longer than its maximum" {
  start; ready
  client new '/bin/sleep 1000' lifetime_s=1
  [ "$(field 2 ends_ns)" -gt 0 ]
  over() { [ -z "$(field 2 state)" ]; }
  wait_for 6 over
  row 'session 2 end' ok 'maximum lifetime'
  off
}

@test "csrss of session 2 dies: it is started again, the session lives, programs start again" {
  [ "$(id -u)" -eq 0 ] || skip "where csrss is the init of a pid namespace the session ends with it"
  start; ready
  client new '/bin/sleep 1000'
  [ -n "$(group 2)" ] || skip "no cgroup v2 here"
  initial=$(field 2 initial_pid)
  for i in 1 2 3; do
    inside kill -9 "$(field 2 csrss_pid)"
    wait_for 5 is 2 restarts "$i"
    is 2 state running
    is 2 initial_pid "$initial"
  done
  ctl exec 2 /bin/sh -c 'echo again >/tmp/again'
  wait_for 5 inside test -s /tmp/again
  inside kill -9 "$(field 2 csrss_pid)" # the fourth within a minute
  over() { [ -z "$(field 2 state)" ]; }
  wait_for 15 over
  isnt inside kill -0 "$initial"
  off
}

@test "two hundred made and ended leave no fd, group, directory or mount" {
  start; ready
  client cycles 3 '/bin/sleep 1000'
  count() {
    inside sh -c 'ls /proc/1/fd | wc -l; wc -l </proc/1/mountinfo; ls /run/smss/sessions | wc -l
      find /sys/fs/cgroup -maxdepth 4 -name "session-*" | wc -l; ls -d /proc/[0-9]* | wc -l'
  }
  sleep 0.5 # the last copy has gone, and the one that waits is there
  before=$(count)
  client cycles 200 '/bin/sleep 1000'
  sleep 0.5
  [ "$(count)" = "$before" ]
  [[ $(client new '/bin/sleep 1000') == "00000000 2 "* ]]
  off
}

@test "an idle master: its memory with two sessions, and with a hundred more" {
  start; ready
  sleep 1.5 # until the boot is accepted
  dirty() { awk '/^Private_Dirty/ { print $2 }' "/proc/$(cat "$M/pid")/smaps_rollup"; }
  rss() { awk '/^Rss/ { print $2 }' "/proc/$(cat "$M/pid")/smaps_rollup"; }
  [ "$(dirty)" -le 48 ]
  [ "$(rss)" -le 128 ]
  client many 100 '/bin/sleep 1000'
  [ "$(dirty)" -le 72 ]
  off
}

waiting() { pgrep -P "$(cat "$M/pid")" -f '^smss session next$' || true; }

@test "once somebody has asked, a copy waits for the next session, makes it, and goes when nobody asks" {
  value 'Session Manager\Sessions\Default' CopyAheadSeconds REG_DWORD 2
  start; ready
  [ -z "$(waiting)" ] # the boot's own sessions do without
  [[ $(client new '/bin/sleep 1000') == "00000000 2 "* ]]
  first=$(waiting)
  [ -n "$first" ]
  [[ $(ctl tree) == *"waits for the next session"* ]]
  [[ $(client new '/bin/sleep 1000') == "00000000 3 "* ]]
  [ "$(waiting)" != "$first" ] # it has made one, and is gone
  # one that dies while it waits is nobody's loss
  kill -9 "$(waiting)"
  [[ $(client new '/bin/sleep 1000') == "00000000 4 "* ]]
  is 4 state running
  sleep 2.5
  [ -z "$(waiting)" ]
  [[ $(client new '/bin/sleep 1000') == "00000000 5 "* ]]
  off
}

@test "an initial command that ends before its copy has said so was a session all the same" {
  local n
  LAUNCH=(taskset -c 0) # one processor: the copy is seldom the faster one
  start
  ready
  for n in {1..40}; do
    ctl session new -- /bin/true
  done
  tells_not 'not taken over|before SessionComplete' ctl boot
  off
}
