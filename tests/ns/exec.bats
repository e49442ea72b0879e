#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smctl exec: a program in a session, as a person or a script meets it.

load lib.bash

setup() {
  machine
  hive
}

# x CODE WORD... - smctl exec's exit code is that; its output is in $output, its complaints in $errors
x() {
  local want=$1
  shift
  code=0
  output=$(ctl exec "$@" 2>"$M/errors" </dev/null) || code=$?
  errors=$(cat "$M/errors")
  [ "$code" -eq "$want" ] || { echo "exec $*: $code, not $want: $output $errors" >&2; return 1; }
}

# typed [STEP...] -- WORD... - a command inside, on a terminal; what came is in $output
typed() {
  local steps=()
  while [ "$1" != -- ]; do steps+=("$1"); shift; done
  shift
  code=0
  output=$("$BATS_TEST_DIRNAME/on_terminal.py" "${steps[@]}" -- bash -c '
    load() { :; }; M=$1; BATS_TEST_DIRNAME=$2; shift 2; . "$BATS_TEST_DIRNAME/lib.bash"
    inside env TERM=xterm-smss "$@"' typed "$M" "$BATS_TEST_DIRNAME" "$@") || code=$?
}

# script TEXT - a shell script inside the machine; its output is in $output
script() {
  output=$(inside bash -c "$1")
}

@test "exit codes are the program's own, and what never ran has its own" {
  start; ready
  for n in 0 1 2 42 125 255; do x "$n" -s 1 -- sh -c "exit $n"; done
  x 137 -s 1 -- sh -c 'kill -9 $$'
  x 143 -s 1 -- sh -c 'kill -15 $$'
  x 139 -s 1 -- sh -c 'kill -SEGV $$'
  x 127 -s 1 -- no-such-program; [[ $errors =~ "no such program" ]]
  x 127 -s 1 -- /no/such/program
  x 126 -s 1 -- /etc/passwd; [[ $errors =~ "cannot be started" ]]
  x 126 -s 1 -- /etc
  x 126 -s 1 -- ./relative
  inside sh -c 'echo "not a program" >/tmp/text; chmod 755 /tmp/text; echo x >/tmp/open; chmod 777 /tmp/open'
  x 126 -s 0 -- /tmp/text
  x 126 -s 0 -- /tmp/open
  x 125 -s 77 -- true; [[ $errors =~ "no session 77" ]]
  x 125 -s 1; [[ $errors =~ "wanted: a command" ]]
  x 125 -s x -- true
  x 125 --nonsense
  x 125 -t -s 1 -- true; [[ $errors =~ "needs a terminal" ]]
  x 125 --json -s 1 -- true
  x 125 -t -d -s 1 -- true
  x 0 --help; [[ $output =~ "--session N" ]]
  x 125 -s 1 -- echo "$(head -c 2000 /dev/zero | tr '\0' x)"
  code=0; ctl --socket /nowhere exec -- true 2>"$M/errors" || code=$?
  [ "$code" -eq 125 ]
  off
}

@test "programs are found behind the links of the root: sh by PATH, through /bin, a script's interpreter" {
  start; ready
  x 7 -- sh -c 'exit 7'
  x 7 -s 1 -- /bin/sh -c 'exit 7'
  x 7 -- awk 'BEGIN { exit 7 }' # two links on its way
  # but not behind a link that others could turn, or lies in their directory
  script 'mkdir -m 777 /tmp/open; ln -s /usr/bin/true /tmp/open/true; ln -s /usr/bin/true /tmp/true'
  x 126 -- /tmp/open/true
  x 126 -- /tmp/true
  off
}

@test "the session: by option, by a number first, else our own, else 0" {
  start; ready
  x 0 -s 1 -- printenv SMSS_SESSION; [ "$output" = 1 ]
  x 0 --session 1 printenv SMSS_SESSION; [ "$output" = 1 ]
  x 0 1 printenv SMSS_SESSION; [ "$output" = 1 ]
  x 0 1 -- printenv SMSS_SESSION; [ "$output" = 1 ]
  x 0 printenv SMSS_SESSION; [ "$output" = 0 ]
  x 127 -- 1 printenv
  x 127 1
  x 0 1 smctl exec printenv SMSS_SESSION; [ "$output" = 1 ]
  x 0 1 smctl exec 0 smctl exec 1 printenv SMSS_SESSION; [ "$output" = 1 ]
  off
}

@test "streams: 10 MB through and back, both directions full, errors apart, ends passed on" {
  start; ready
  head -c 10000000 /dev/urandom >"$M/data"
  want=$(sha256sum <"$M/data")
  [ "$(ctl exec 1 cat <"$M/data" | sha256sum)" = "$want" ]
  [ "$(ctl exec 1 sh -c 'cat >&2' <"$M/data" 2>&1 >/dev/null | sha256sum)" = "$want" ]
  [ "$(ctl exec 1 sh -c 'tee /dev/stderr' <"$M/data" 2>"$M/second" | sha256sum)" = "$want" ]
  [ "$(sha256sum <"$M/second")" = "$want" ]
  # the program writes all before it reads anything; our reader is slow
  [ "$(ctl exec 1 sh -c 'head -c 3000000 /dev/zero; wc -c' <"$M/data" | (sleep 0.5; tail -c 9))" = 10000000 ]
  [ "$(ctl exec 1 sh -c 'echo out; echo err >&2' 2>"$M/second" </dev/null)" = out ]
  [ "$(cat "$M/second")" = err ]
  # a reader that has enough ends the program, as in any pipe
  code=$(set +o pipefail; ctl exec 1 yes </dev/null | { head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"; })
  timeout 10 bash -c "$(declare -f inside ctl); M=$M; set -o pipefail; ctl exec 1 yes </dev/null | head -n 1; echo \${PIPESTATUS[0]} >$M/code"
  [ "$(cat "$M/code")" = 141 ]
  # the program closes its output and goes on: our reader sees the end at once
  begin=$SECONDS
  ctl exec 1 sh -c 'exec >&- 2>&-; sleep 5' </dev/null | cat
  [ $((SECONDS - begin)) -ge 4 ]
  ctl exec 1 sh -c 'exec >&-; sleep 3; exit 9' </dev/null 8>&- | { cat; date +%s%N >"$M/seen"; } || true
  # one that stops reading does not stop us
  [ "$(ctl exec 1 sh -c 'head -c 1 >/dev/null; echo done' <"$M/data")" = 'done' ]
  # what it leaves behind is not waited for
  begin=$SECONDS
  [ "$(ctl exec 1 sh -c 'sleep 8 & echo quick' </dev/null)" = quick ]
  [ $((SECONDS - begin)) -lt 5 ]
  code=0; ctl exec 1 sh -c 'echo x; sleep 0.3' </dev/null >/dev/full 2>"$M/errors" || code=$?
  [ "$code" -ne 0 ]; grep -q 'cannot write' "$M/errors"
  code=0; inside sh -c 'exec smctl exec 1 sh -c "ls /proc/self/fd | wc -l" <&- ' >"$M/out" || code=$?
  [ "$code" -eq 0 ] && [ "$(cat "$M/out")" -eq 4 ]
  off
}

@test "a program starts clean: descriptors, signals, environment, directory" {
  start; ready
  x 0 1 sh -c 'ls /proc/self/fd | tr "\n" " "'; [ "$output" = '0 1 2 3 ' ]
  x 0 1 sh -c 'readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2'
  isnt grep -qv '^pipe:' <<<"$output"
  # of the program itself: a shell that waits for one has signals blocked
  x 0 1 sh -c 'exec grep -E "Sig(Blk|Ign)" /proc/self/status'
  [ "$(grep -cE ':\s0+$' <<<"$output")" -eq 2 ]
  LEAK=x x 0 1 env
  isnt grep -q -e LEAK -e SMSS_POLICY -e '^TERM=xterm-smss' <<<"$output"
  grep -qx SMSS_SESSION=1 <<<"$output"
  x 0 1 pwd; [ "$output" = / ]
  x 0 1 sh -c 'ps -o sid=,pgid=,pid= -p $$ | awk "{ print \$1 == \$3 && \$2 == \$3 }"'; [ "$output" = 1 ]
  x 0 1 sh -c 'cut -d" " -f1 /proc/self/stat >/dev/null; cat /proc/self/cgroup'
  [ "$(ctl status --json | jq .cgroup)" = false ] || [[ $output =~ /session-1 ]]
  off
}

@test "signals are the program's; without its client it is hung up" {
  start; ready
  for s in INT TERM HUP QUIT USR1 USR2 WINCH; do
    script "smctl exec 1 bash -c 'trap \"exit 9\" $s; echo up >/tmp/up; while :; do sleep 0.02; done' </dev/null &
      p=\$!; until [ -s /tmp/up ]; do sleep 0.02; done; rm /tmp/up; kill -$s \$p; wait \$p; echo \$?"
    [ "$output" = 9 ] || { echo "$s: $output"; false; }
  done
  script "set -m; smctl exec 1 sh -c 'echo up >/tmp/up; exec sleep 1000' </dev/null & p=\$!
    until [ -s /tmp/up ]; do sleep 0.02; done
    pid=\$(pgrep -x -f 'sleep 1000'); state() { sed 's/.*) //; s/ .*//' /proc/\$1/stat; }
    kill -TSTP \$p; sleep 0.5; echo \$(state \$p) \$(state \$pid); kill -CONT \$p; sleep 0.5; echo \$(state \$pid)
    kill -TERM \$p; wait \$p; echo \$?"
  [ "$output" = $'T T\nS\n143' ] || { echo "$output"; false; }
  script "rm -f /tmp/up; smctl exec 1 bash -c 'exec 2>/dev/null; trap \"echo hup >/tmp/hup; exit\" HUP; echo up >/tmp/up; while :; do sleep 0.02; done' </dev/null &
    p=\$!; until [ -s /tmp/up ]; do sleep 0.02; done; kill -9 \$p"
  wait_for 5 inside test -s /tmp/hup
  off
}

@test "a terminal: name, size, TERM, typing, resize, Ctrl-C, Ctrl-Z, given back as it was" {
  start; ready
  typed see:ask 'type:word\r' -- smctl exec -t -s 1 -- sh -c 'tty; stty size; echo T=$TERM; echo ask; read x; echo got $x; exit 3'
  [ "$code" -eq 3 ]
  [[ $output =~ /dev/pts/[0-9]+ ]]; [[ $output =~ "24 80" ]]; [[ $output =~ T=xterm-smss ]]; [[ $output =~ "got word" ]]
  [[ $output =~ "as it was" ]]
  typed see:up size:40,132 see:'40 132' 'type:\x03' -- smctl exec -t 1 sh -c 'trap "stty size" WINCH; echo up; while :; do sleep 0.05; done'
  [ "$code" -eq 130 ]; [[ $output =~ "as it was" ]]
  # job control of a shell in it
  typed see:'# ' 'type:sleep 500\r' wait:0.5 'type:\x1a' see:Stopped 'type:jobs\r' see:Stopped 'type:fg\r' see:'sleep 500' \
    wait:0.3 'type:\x03' wait:0.3 'type:echo s=$?\r' see:s=130 'type:exit 5\r' -- smctl exec -t 1 bash --norc -i
  [ "$code" -eq 5 ] || { echo "$code $output"; false; }
  isnt grep -q 'no job control' <<<"$output"
  # a signal for smctl is the program's, too; and one it cannot pass on ends it with the terminal as it was
  typed raw see:up kill:TERM -- smctl exec -t 1 sh -c 'echo up; sleep 100'
  [ "$code" -eq 143 ]; [[ $output =~ "as it was" ]]
  typed raw see:up kill:ALRM -- smctl exec -t 1 sh -c 'echo up; exec sleep 200'
  [ "$code" -eq 142 ]; [[ $output =~ "as it was" ]]
  wait_for 5 isnt inside pgrep -x -f 'sleep 200'
  typed raw see:up kill:ABRT -- smctl exec -t 1 sh -c 'echo up; sleep 100'
  [ "$code" -eq 134 ]; [[ $output =~ "as it was" ]]
  typed raw see:up kill:TSTP see:stopped raw 'type:\x03' -- \
    bash -c 'set -m; smctl exec -t 1 sh -c "echo up; sleep 100"; [ $? -eq 148 ] && stty -a | grep -q " icanon" && echo stopped; fg'
  [ "$code" -eq 130 ]; [[ $output =~ "as it was" ]]
  # all that was written before the end is shown
  typed -- smctl exec -t 1 sh -c 'seq 20000'
  [ "$code" -eq 0 ]
  [ "$(grep -cE '^[0-9]+$' <<<"$output")" -eq 20000 ]
  typed raw see:up kill:KILL -- smctl exec -t 1 sh -c 'echo up; exec sleep 300'
  [ "$code" -eq 137 ]
  wait_for 5 isnt inside pgrep -x -f 'sleep 300'
  off
}

@test "without waiting: null descriptors, a process id, and it stays" {
  start; ready
  x 0 -d -s 1 -- sleep 700
  pid=$(grep -oE 'process [0-9]+' <<<"$output" | cut -d' ' -f2)
  wait_for 5 inside grep -qx sleep "/proc/$pid/comm" # its name comes last of all
  [ "$(inside readlink "/proc/$pid/fd/1")" = /dev/null ]
  x 0 --detached --json 1 sleep 701
  [[ $output =~ '"session"' ]] && [[ $output =~ '"pid"' ]]
  x 127 -d 1 no-such-program
  x 126 -d 1 /etc/passwd
  inside kill "$pid"
  off
}

@test "64 at once, each with its own end" {
  start; ready
  script 'for i in $(seq 64); do smctl exec 1 sh -c "cat; sleep 0.3; exit $i" <<<"$i" >"/tmp/o$i" & p[i]=$!; done
    for i in $(seq 64); do wait ${p[i]}; c=$?; [ $c -eq $i ] && [ "$(cat /tmp/o$i)" = $i ] || echo "$i: $c"; done'
  [ -z "$output" ] || { echo "$output"; false; }
  off
}

@test "a session that ends tells its programs, and their clients how" {
  start; ready
  ctl session new '/bin/sleep 1000'
  code=0
  ctl exec 2 sh -c 'echo up; exec sleep 800' </dev/null >"$M/out" 3>&- &
  client=$!
  wait_for 5 grep -q up "$M/out"
  ctl session end 2
  wait "$client" || code=$?
  [ "$code" -eq 143 ]
  x 125 -s 2 -- true
  # csrss itself goes: its clients hear that nobody knows
  ctl session new '/bin/sleep 1000'
  code=0
  ctl exec 2 sh -c 'echo up; exec sleep 801' </dev/null >"$M/out" 2>"$M/errors" 3>&- &
  client=$!
  wait_for 5 grep -q up "$M/out"
  inside kill -9 "$(ctl sessions --json | tr -d ' \n' | grep -o '"csrss_pid":[0-9]*' | sed -n '3s/.*://p')"
  wait "$client" || code=$?
  [ "$code" -eq 125 ]; grep -q 'csrss is gone' "$M/errors"
  off
}

@test "an owner's session: programs are the owner's, nobody else's" {
  [ "$(id -u)" -eq 0 ] || skip 'a user namespace of one user has no other to give a session to'
  value 'Session Manager\Sessions\2' Owner REG_SZ nobody
  value 'Session Manager\Sessions\2' Isolation REG_MULTI_SZ 'mount\0ipc'
  start; ready
  ctl session new '/bin/sleep 1000'
  x 0 -s 2 -- id -un; [ "$output" = nobody ]
  x 0 -s 2 -- sh -c 'id -G; grep CapEff /proc/self/status; env'
  [[ $output =~ "CapEff:"[[:space:]]0000000000000000 ]]
  grep -qx USER=nobody <<<"$output"
  grep -qx XDG_RUNTIME_DIR=/run/user/65534 <<<"$output"
  isnt grep -q -e SMSS_POLICY -e HOME=/root <<<"$output"
  x 1 -s 2 -- sh -c 'cat /etc/shadow 2>/dev/null'
  x 0 -s 2 -- sh -c 'echo mine >/dev/stdout'; [ "$output" = mine ]
  typed see:word 'type:\x03' -- smctl exec -t -s 2 -- sh -c 'stat -c "%U %a" $(tty); echo word; sleep 100'
  [ "$code" -eq 130 ] && [[ $output =~ "nobody 6" ]]
  # the owner may ask, others may not
  asked() { inside setpriv --reuid="$1" --regid="$1" --clear-groups smctl exec -s 2 -- id -u; }
  [ "$(asked 65534)" = 65534 ]
  code=0; asked 12345 2>"$M/errors" || code=$?
  [ "$code" -eq 125 ]; grep -q 'access denied' "$M/errors"
  off
}

@test "a session with process ids of its own" {
  value 'Session Manager\Sessions\2' Isolation REG_MULTI_SZ 'mount\0pid\0dev'
  start; ready
  ctl session new '/bin/sleep 1000'
  x 42 -s 2 -- sh -c 'exit 42'
  x 143 -s 2 -- sh -c 'kill $$'
  x 0 -s 2 -- sh -c 'cat /proc/1/comm; echo $$'
  [[ $output =~ ^csrss ]] && [ "$(tail -n 1 <<<"$output")" -lt 50 ]
  head -c 1000000 /dev/urandom >"$M/data"
  [ "$(ctl exec -s 2 -- cat <"$M/data" | sha256sum)" = "$(sha256sum <"$M/data")" ]
  typed see:up 'type:\x03' -- smctl exec -t -s 2 -- sh -c 'tty; echo up; sleep 100'
  [ "$code" -eq 130 ] && [[ $output =~ /dev/pts/ ]]
  x 0 -d -s 2 -- sleep 900
  pid=$(grep -oE 'process [0-9]+' <<<"$output" | cut -d' ' -f2)
  [ "$(inside cat "/proc/$pid/comm")" = sleep ]
  ctl session end 2
  isnt inside test -e "/proc/$pid"
  off
}
