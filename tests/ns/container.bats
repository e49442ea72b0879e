#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# `smss -- CMD`: a container's PID 1. Exit codes to the digit, signals passed on, nothing left.

setup() {
  SMSS=${STAGE:-$BATS_TEST_DIRNAME/../../build/stage}/usr/lib/smss/smss
  names=(--fork --pid --mount-proc --kill-child)
  [ "$(id -u)" -eq 0 ] || names=(--user --map-root-user "${names[@]}")
}

box() { unshare "${names[@]}" "$SMSS" -- "$@"; }

@test "the command's exit code is ours" {
  for code in 0 1 7 42 126 200 255; do
    run box sh -c "exit $code"
    [ "$status" -eq "$code" ]
  done
}

@test "a signal's death is 128 + n" {
  run box sh -c 'kill -9 $$'
  [ "$status" -eq 137 ]
  run box sh -c 'kill -SEGV $$'
  [ "$status" -eq 139 ]
}

bats_require_minimum_version 1.5.0

@test "a command that is not there is 127, one that cannot run 126" {
  run -127 box /no/such/thing
  [[ $output =~ "no such file" ]]
}

@test "TERM is passed on, and the command's own answer counts" {
  unshare "${names[@]}" "$SMSS" -- sh -c 'trap "exit 33" TERM; echo up >&2; while :; do sleep 0.05; done' 2>"$BATS_TEST_TMPDIR/up" 3>&- &
  job=$!
  for _ in $(seq 100); do grep -q up "$BATS_TEST_TMPDIR/up" && break; sleep 0.05; done
  inner=$(cat "/proc/$job/task/$job/children")
  kill -TERM "${inner%% *}"
  code=0
  wait "$job" || code=$?
  [ "$code" -eq 33 ]
}

@test "orphans are reaped, 2,000 of them, and none is left when the command ends" {
  run box sh -c 'i=0; while [ $i -lt 2000 ]; do (true &) ; i=$((i+1)); done; sleep 0.2
    z=0; for s in /proc/[0-9]*/stat; do read -r _ _ state _ <$s && [ "$state" = Z ] && z=$((z+1)); done 2>/dev/null; exit $((z > 3))'
  [ "$status" -eq 0 ]
}

@test "what outlives the command is ended, at once when it obeys" {
  begin=$(date +%s%N)
  run box sh -c 'sleep 1000 & exit 5'
  [ "$status" -eq 5 ]
  [ $((($(date +%s%N) - begin) / 1000000)) -lt 2000 ]
}

@test "the command starts clean: stray fds and ignored signals of our starter do not reach it" {
  run bash -c 'trap "" INT QUIT PIPE; exec 10</dev/null; exec unshare '"${names[*]}"' '"$SMSS"' -- sh -c "grep -E \"SigIgn|SigBlk\" /proc/self/status; ls /proc/self/fd"'
  [ "$status" -eq 0 ]
  [[ $output =~ SigIgn:[[:space:]]0000000000000000 ]]
  [[ $output =~ SigBlk:[[:space:]]0000000000000000 ]]
  [[ ! $output =~ 10 ]] || [[ ! $output =~ $'\n'10($|$'\n') ]]
}

@test "as a copy or with nonsense it says how it is used" {
  run "$SMSS" nonsense
  [ "$status" -eq 2 ]
  [[ $output =~ usage ]]
  run "$SMSS" --version
  [[ $output =~ ^"smss 0." ]]
}

@test "the command is found as a shell finds it: PATH of the environment, never the current directory" {
  mkdir -p "$BATS_TEST_TMPDIR/here" "$BATS_TEST_TMPDIR/path"
  printf '#!/bin/sh\nexit 66\n' >"$BATS_TEST_TMPDIR/here/true"
  printf '#!/bin/sh\nexit 44\n' >"$BATS_TEST_TMPDIR/path/mytool"
  printf 'no interpreter\n' >"$BATS_TEST_TMPDIR/path/noshebang"
  chmod +x "$BATS_TEST_TMPDIR"/*/*
  cd "$BATS_TEST_TMPDIR/here"
  run box true
  [ "$status" -eq 0 ]
  PATH=$BATS_TEST_TMPDIR/path:$PATH run box mytool
  [ "$status" -eq 44 ]
  run -126 box /etc/passwd
  run -126 box /tmp
  run -126 box "$BATS_TEST_TMPDIR/path/noshebang"
  [[ $output =~ "not an executable" ]]
}
