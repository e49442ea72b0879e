#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smctl's verbs about sessions against a real machine: made, seen, frozen, ended, and told of.

load lib.bash

setup() {
  machine
  hive
}

# field NUMBER POINTER - of session show --json, by jq
field() { ctl session show "$1" --json | jq -r "$2"; }

# new WORD... - makes a session and leaves its number in $N
new() {
  N=$(ctl session new --json "$@" | jq -r .session)
  [[ $N =~ ^[0-9]+$ ]]
}

# made_or_refused PIECE WORD... - what was asked for is had, or refused with that in the reason and nothing made
made_or_refused() {
  local piece=$1 before
  shift
  before=$(ctl sessions --json | jq '.sessions | length')
  code=0
  output=$(ctl session new --json "$@" 2>&1) || code=$?
  if [ "$code" -eq 0 ]; then
    N=$(jq -r .session <<<"$output")
    return 0
  fi
  [ "$code" -eq 1 ] && [[ $output =~ $piece ]] || { echo "$output" >&2; return 1; }
  [[ $output =~ "nothing was made"|"nothing of it is left" ]] || { echo "$output" >&2; return 1; }
  [ "$(ctl sessions --json | jq '.sessions | length')" -eq "$before" ]
  N=''
}

@test "a session is made, listed, shown and ended" {
  start; ready
  new /bin/sleep 1000
  [ "$N" -eq 2 ]
  ctl sessions | grep -Eq '^ +2  running '
  [ "$(ctl session list)" = "$(ctl sessions)" ]
  [ "$(field 2 .state)" = running ]
  [ "$(field 2 .initial)" = /bin/sleep ]
  [ "$(field 2 .kept)" = false ]
  [ "$(field 1 .kept)" = true ]
  [ "$(field 2 '.programs | length')" -eq 0 ]
  run ctl session show 2
  [ "$status" -eq 0 ]
  [[ $output =~ "session 2"$'\n'"state       running"$'\n' ]]
  [[ $output =~ "command     /bin/sleep "[0-9]+ ]]
  [[ $output =~ "its end     is certain by its "(cgroup|pid namespace) ]]
  [[ $output =~ "programs    none" ]]
  ctl tree | grep -q '^session 2  running$'
  [ "$(ctl session end 2)" = 'session 2 has ended' ]
  run ctl session show 2
  [ "$status" -eq 1 ]
  [[ $output =~ "there is no session 2; try: smctl sessions" ]]
  new /bin/sleep 1000
  [ "$N" -eq 2 ] # the lowest free number again
  off
}

@test "what a session runs is shown with it" {
  start; ready
  new /bin/sleep 1000
  ctl exec -d -s 2 -- /bin/sleep 999
  [ "$(field 2 '.programs | length')" -eq 1 ]
  [ "$(field 2 '.programs[0].command')" = '/bin/sleep 999' ]
  [ "$(field 2 '.programs[0].with')" = nothing ]
  [ "$(field 2 '.programs[0].uid')" -eq 0 ]
  run ctl session show 2
  [[ $output =~ "programs    1 that csrss was asked to start:" ]]
  [[ $output =~ root.*nothing.*"/bin/sleep 999" ]]
  ctl session end 2
  off
}

@test "several are ended at once, and all but session 0" {
  start; ready
  new /bin/sleep 1000
  new /bin/sleep 1000
  new /bin/sleep 1000
  [ "$(ctl session end 2 4)" = $'session 2 has ended\nsession 4 has ended' ]
  run ctl session end 3 7
  [ "$status" -eq 1 ]
  [[ $output =~ "session 3 has ended" ]]
  [[ $output =~ "there is no session 7" ]]
  new /bin/sleep 1000
  [ "$(ctl session end --all --json | jq -c '[.sessions[] | .ended] | unique')" = '[true]' ]
  wait_for 10 eval '[ "$(ctl sessions --json | jq -c "[.sessions[] | select(.kept | not)] | length")" -eq 0 ]'
  [ "$(field 0 .state)" = running ]
  run ctl session end 0
  [ "$status" -eq 1 ]
  [[ $output =~ "session 0 ends with the machine" ]]
  off
}

@test "a frozen session stands still, says so, goes on, and can be ended frozen" {
  start; ready
  if [ "$(ctl status --json | jq .cgroup)" = false ]; then
    new /bin/sleep 1000
    run ctl session freeze "$N"
    [ "$status" -eq 1 ] && [[ $output =~ "this needs cgroup v2" ]]
    off
    skip 'no cgroup v2 to freeze by'
  fi
  new /bin/sh -c 'while :; do echo x >>/tmp/beat; sleep 0.02; done'
  wait_for 5 inside test -s /tmp/beat
  [ "$(ctl session freeze "$N")" = "session $N is frozen" ]
  ctl sessions | grep -q "^ *$N  running, frozen "
  ctl tree | grep -q "^session $N  running, frozen"
  [ "$(field "$N" .frozen)" = true ]
  before=$(inside wc -c /tmp/beat); sleep 0.3
  [ "$(inside wc -c /tmp/beat)" = "$before" ]
  ctl session freeze "$N" # twice is fine
  [ "$(ctl session thaw "$N")" = "session $N goes on" ]
  wait_for 5 eval '[ "$(inside wc -c /tmp/beat)" != "$before" ]'
  ctl session freeze "$N"
  ctl session end "$N"
  isnt ctl session freeze 0
  isnt ctl session freeze 77
  off
}

@test "limits are in force, or refused with the reason; they change while it runs" {
  start; ready
  made_or_refused 'memory|cgroup' --memory 64M --processes 32 /bin/sleep 1000
  if [ -n "$N" ]; then
    [ "$(field "$N" .limits.memory_bytes.max)" -eq $((64 << 20)) ]
    [ "$(field "$N" .limits.processes.max)" -eq 32 ]
    ctl session limits "$N" --memory 32M --processes max
    [ "$(ctl session limits "$N" --json | jq .limits.memory_bytes.max)" -eq $((32 << 20)) ]
    [ "$(ctl session limits "$N" --json | jq .limits.processes.max)" = null ]
    ctl session end "$N"
  else
    new /bin/sleep 1000
    run ctl session limits "$N" --memory 32M
    [ "$status" -eq 1 ]
    [[ $output =~ "smctl probe" ]]
    ctl session limits "$N" | grep -Eq 'no controllers|no cgroup'
  fi
  off
}

@test "isolation and settings are had as asked, and seen by session show" {
  start; ready
  made_or_refused 'mount|private' --isolate mount,ipc,uts --umask 027 --no-new-privs \
    --limit nofile=77 --oom 300 --caps chown,kill /bin/sleep 1000
  [ -n "$N" ] || skip "refused: $output"
  isolation='mount ipc uts'
  [ "$(ctl status --json | jq .cgroup)" = true ] || isolation='mount ipc pid uts' # what proves its end
  [ "$(field "$N" '.isolation | join(" ")')" = "$isolation" ]
  [ "$(field "$N" '[.own.mount, .own.ipc, .own.uts, .own.net] | map(tostring) | join(" ")')" = 'true true true false' ]
  ctl session show "$N" | grep -qx 'mounts      private'
  ctl session show "$N" | grep -qx 'settings    umask 0027, oom score 300, no new privileges'
  ctl session show "$N" | grep -qx 'can at most chown,kill'
  pid=$(field "$N" .initial_pid)
  inside grep -Eq '^Max open files +77 +77 ' "/proc/$pid/limits"
  ctl sessions | grep -q "^ *$N .*$isolation"
  ctl session end "$N"
  off
}

@test "an owner is shown by name and runs the session's programs" {
  [ "$(id -u)" -eq 0 ] || skip 'a user namespace of one user has no other to give a session to'
  start; ready
  made_or_refused 'owner|uid|user|nobody' --owner nobody /bin/sleep 1000
  [ -n "$N" ] || skip "refused: $output"
  ctl sessions | grep -q "^ *$N .* nobody "
  ctl tree | grep -q "^session $N  running  of nobody"
  [ "$(field "$N" .owner)" -eq "$(id -u nobody)" ]
  pid=$(field "$N" .initial_pid)
  [ "$(inside stat -c %U "/proc/$pid")" = nobody ]
  [ "$(ctl exec -s "$N" -- id -un)" = nobody ]
  ctl session end "$N"
  off
}

@test "a lifetime ends it, and the list tells when" {
  start; ready
  new --lifetime 2s /bin/sleep 1000
  ctl sessions | grep -Eq "^ *$N .*ends in 1\.[0-9]+ s|^ *$N .*ends in [0-9.]+ ms"
  wait_for 8 isnt ctl session show "$N"
  off
}

@test "events are filtered by kind, and tell of a session's life" {
  start; ready
  ctl events --follow --only session >"$M/events" &
  job=$!
  sleep 0.3
  new /bin/sleep 1000
  ctl session end "$N"
  wait_for 5 grep -q '"state":"free"' "$M/events"
  kill "$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || true
  [ "$(jq -r .event "$M/events" | sort -u)" = session ]
  jq -r "select(.session == $N) | .state" "$M/events" | grep -qx running
  off
}

@test "what cannot be started is a failure with the next step, and leaves nothing" {
  start; ready
  made_or_refused 'no such program|not found|no such file' /no/such/program
  [ -z "$N" ]
  run ctl session new --memory 5Q
  [ "$status" -eq 2 ]
  [[ $output =~ "try: smctl session new --help" ]]
  run ctl session frobnicate 1
  [ "$status" -eq 2 ]
  [[ $output =~ "session list, show, new, end, limits, freeze or thaw" ]]
  run ctl session nw
  [ "$status" -eq 2 ]
  [[ $output =~ 'there is no verb "session nw"; did you mean "session new"?' ]]
  run ctl stauts
  [[ $output =~ 'did you mean "status"?' ]]
  run ctl pending lst
  [[ $output =~ 'did you mean "list"?' ]]
  off
}

@test "an ordinary user sees, and may not do" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to become somebody else'
  start; ready
  user() { inside setpriv --reuid 65534 --regid 65534 --clear-groups smctl "$@"; }
  user sessions | grep -q '^ *1  running'
  user session show 1 | grep -q 'programs    unknown: only root and its owner may know'
  run user session new /bin/sleep 1000
  [ "$status" -eq 1 ]
  [[ $output =~ "access denied".*"SessionOperators" ]]
  run user session end 1
  [[ $output =~ "session 1: access denied: this needs root, its owner, or the group" ]]
  run user session freeze 1
  [[ $output =~ "session 1: access denied" ]]
  run user session limits 1 --memory 1G
  [[ $output =~ "access denied: this needs root" ]]
  off
}

@test "an operator is refused somebody else's session, with the rule; his own he gets" {
  [ "$(id -u)" -eq 0 ] || skip 'needs root to become somebody else'
  cp /etc/passwd "$M/root/etc/passwd"
  printf 'smith:x:61000:4242::/:/bin/sh\n' >>"$M/root/etc/passwd"
  value 'Session Manager' SessionOperators REG_SZ 4242
  start; ready
  smith() { inside setpriv --reuid 61000 --regid 4242 --clear-groups smctl "$@"; }
  for other in root nobody 61000:0; do
    run smith session new --owner "$other" /bin/sleep 1000
    [ "$status" -eq 1 ]
    [[ $output =~ "refused: owner: only root makes sessions for somebody else; nothing was made" ]]
  done
  [ "$(ctl sessions --json | jq '.sessions | length')" -eq 2 ]
  smith session new --owner smith /bin/sleep 1000
  smith session new /bin/sleep 1000
  [ "$(ctl sessions --json | jq -c '[.sessions[].owner]')" = '[null,null,61000,61000]' ]
  off
}

@test "a time without input that nobody watches for is said to be none" {
  start; ready
  run ctl session new --idle 5m /bin/sleep 1000
  [ "$status" -eq 0 ]
  [[ $output =~ "--idle does not end it: its initial command is not winlogon" ]]
  [[ $output =~ "session 2, ready after" ]]
  ctl session show 2 | grep -q '^ends  *after 5 min 00 s without input, if it had a winlogon to watch for that$'
  off
}

@test "a session of the hive that keeps failing: status names it, its rows are counted, not repeated" {
  value 'Session Manager\Sessions\1' InitialCommand REG_SZ /no/such/program
  start
  wait_for 20 ctl wait ready --timeout 1
  wait_for 20 eval '[ "$(ctl status --json | jq ".failing[0].failures")" -ge 3 ]'
  ctl status | grep -Eq '^session 1 +failed [3-9] times in a row, (tried again in|now )'
  [ "$(ctl status --json | jq -c '.failing | map([.session, .state])')" = '[[1,"reserved"]]' ]
  wait_for 10 eval 'ctl status --json | jq -e ".failing[0].retry_us > 0"'
  ctl sessions | grep -Eq '^ +1  reserved .*failed [3-9] times, again in '
  [ "$(field 1 '.retry_ns > 0')" = true ]
  rows=$(ctl boot --json | jq '.rows | length')
  ctl boot | grep -F /no/such/program | grep -Eq '\([3-9] times\)'
  failures=$(ctl status --json | jq '.failing[0].failures')
  wait_for 20 eval '[ "$(ctl status --json | jq ".failing[0].failures")" -gt '"$failures"' ]'
  [ "$(ctl boot --json | jq '.rows | length')" -eq "$rows" ]
  off
}

@test "events tell who csrss is as soon as a session is registered" {
  start; ready
  inside timeout 20 smctl events --only session >"$M/events" 3>&- &
  watcher=$!
  sleep 0.3
  for ((i = 0; i < 20; i++)); do new /bin/sleep 1000; ctl session end "$N" >/dev/null; done
  kill "$watcher"; wait "$watcher" || true
  [ "$(jq -s 'map(select(.state == "registered")) | length' "$M/events")" -ge 10 ]
  [ "$(jq -s 'map(select(.state == "registered" and .csrss_pid == 0)) | length' "$M/events")" -eq 0 ]
  off
}

@test "listings fit the terminal they are shown on" {
  start; ready
  new --idle 1h /bin/sleep 1000
  for columns in 100 60 40 30 12; do
    for verb in sessions tree 'session show 2'; do
      inside script -qec "stty cols $columns; smctl $verb" /dev/null </dev/null | tr -d '\r' >"$M/listing"
      [ "$(wc -l <"$M/listing")" -ge 3 ]
      [ "$(LC_ALL=C.UTF-8 wc -L <"$M/listing")" -le "$columns" ]
    done
  done
  off
}

@test "completion knows verbs, sessions and options" {
  start; ready
  new /bin/sleep 1000
  comp() {
    inside bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _smctl; printf "%s\n" "${COMPREPLY[@]}"' \
      x /usr/share/bash-completion/completions/smctl "$@"
  }
  comp smctl se | grep -qx session
  comp smctl session '' | tr '\n' ' ' | grep -q 'list show new end limits freeze thaw'
  comp smctl session end '' | grep -qx "$N"
  comp smctl session new --mem | grep -qx -- --memory
  comp smctl session new --isolate mo | grep -qx mount
  comp smctl exec -s '' | grep -qx "$N"
  comp smctl events --only se | grep -qx session
  off
}

@test "fish and zsh complete verbs, sessions and options, too" {
  command -v fish >/dev/null || command -v zsh >/dev/null || skip 'neither fish nor zsh is installed'
  start; ready
  new /bin/sleep 1000
  ctl session freeze "$N" || true
  fished() { inside env HOME=/tmp fish -c 'complete -C $argv[1]' "$1" | cut -f1 | tr '\n' ' '; }
  zshed() { "$BATS_TEST_DIRNAME/on_zsh.py" "$(cat "$M/pid")" "$1"; }
  # offers LINE WORD... - all these, in whatever order
  offers() {
    local line=$1 word shown
    shown=" $($shell "$line") "
    shift
    for word; do [[ $shown == *" $word "* ]] || { echo "$shell $line: no $word in $shown"; return 1; }; done
  }
  for shell in fished zshed; do
    command -v "${shell%ed}" >/dev/null || continue
    offers 'smctl session ' list show new end limits freeze thaw
    offers 'smctl session show ' 0 1 "$N"
    offers 'smctl session new --' --isolate --memory --owner --idle
    offers 'smctl session limits 1 --' --cpu-weight --memory
    offers 'smctl pending ' add list apply undo
    offers 'smctl exec -s ' 0 1 "$N"
    offers 'smctl events --only ' boot session shutdown
    tells_not 'running,' "$shell" 'smctl session show '
  done
  off
}
