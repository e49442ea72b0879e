#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What ./run shows to an ordinary user: a machine in a user namespace of that one user. Run by root it
# is done as a user of no name and no rights; nothing else of the tests needs another user for that.

load lib.bash

setup() {
  machine
  hive
  USER_IS=()
  [ "$(id -u)" -eq 0 ] || return 0
  USER_IS=(setpriv --reuid 61234 --regid 61234 --clear-groups --inh-caps=-all --bounding-set=-all)
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
  chown -R 61234:61234 "$M"
  "${USER_IS[@]}" test -x "$STAGE/usr/lib/smss/smss" -a -w "$M/root" -a -r "$BATS_TEST_DIRNAME/launch" ||
    skip "the stage, or where this runs, is out of an ordinary user's reach"
}

# as lib.bash has them, for whoever USER_IS
inside() {
  "${USER_IS[@]}" nsenter --target "$(cat "$M/pid")" --user --preserve-credentials --mount --pid --uts --ipc --net -- \
    env -i PATH=/usr/sbin:/usr/bin LANG=C.UTF-8 "$@" 3>&- 8>&-
}

boot() {
  "${USER_IS[@]}" unshare --user --map-root-user --mount true 2>/dev/null || skip 'no user namespaces for ordinary users'
  mkfifo -m 666 "$M/input"
  exec 8<>"$M/input"
  "${USER_IS[@]}" "$BUILD/tests/ns/terminal" "$BATS_TEST_DIRNAME/launch" --stage "$STAGE" --root "$M/root" \
    --var "$M/var" --pid "$M/pid" -- <"$M/input" >>"$M/console" 2>&1 3>&- 8>&- &
  JOB=$!
  wait_for 10 test -s "$M/pid"
  wait_for 10 inside test -S /run/smss/SmApiPort
  ready
}

@test "it boots, makes sessions, runs programs in them with their exit codes, ends them, powers off" {
  boot
  [ "$(ctl status --json | jq -r .phase)" = Ready ]
  ctl session new /bin/sleep 1000
  ctl sessions | grep -q '^ *2  running .*/bin/sleep'
  [ "$(ctl session show 2 --json | jq -r .hold)" = pid-namespace ]
  code=0; ctl exec -s 2 -- sh -c 'exit 42' || code=$?
  [ "$code" -eq 42 ]
  [ "$(ctl exec -s 1 -- sh -c 'echo $SMSS_SESSION')" = 1 ]
  ctl exec -d -s 2 -- sh -c 'trap "" TERM HUP; sleep 900'
  [ "$(ctl session end 2)" = 'session 2 has ended' ]
  isnt inside pgrep -f 'sleep 900'
  isnt inside test -e /run/smss/sessions/2
  off
  [ "$status" -eq 0 ]
}

@test "what this user cannot have is refused, and his own files are not taken for the root's" {
  boot
  run ctl session new --memory 64M /bin/sleep 1
  [ "$status" -eq 1 ] && [[ $output =~ "no cgroup v2" ]]
  # a directory that anybody may write is nobody's to follow a link out of
  inside sh -c 'ln -s /usr/bin/true /tmp/true'
  code=0; ctl exec -- /tmp/true || code=$?
  [ "$code" -eq 126 ]
  off
}
