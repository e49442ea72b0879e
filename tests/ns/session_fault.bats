# SPDX-License-Identifier: MIT
# Every system call of a session's set-up fails in turn, and the copy dies at every one: whoever
# asked gets a status, and nothing is left of the half-made session. SMSS_LONG=1 goes through
# more errors and more kinds of sessions.
# bats file_tags=ns

setup_file() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  [ "$(uname -m)" = x86_64 ] || skip "needs x86-64"
}

setup() {
  load lib
  machine
  hive
  value 'Session Manager' BootGoodSeconds REG_DWORD 0 # no copy of its own accord
  value 'Session Manager\Sessions\Default' StartDeadline REG_DWORD 6
  value 'Session Manager\Sessions\Default' RegisterDeadline REG_DWORD 3
  value 'Session Manager\Sessions\Default' StopDeadline REG_DWORD 2
  # each copy is told at its start what fails
  value 'Session Manager\Sessions\Default' CopyAheadSeconds REG_DWORD 0
  mkdir -p "$M/root/probe/fail"
  install -m 755 "$BATS_TEST_DIRNAME/session_ask.py" "$M/root/probe/ask.py"
  install -m 755 "$BATS_TEST_DIRNAME/session_fault.py" "$M/root/probe/fault"
  install -m 755 "$STAGE/usr/lib/smss/smss" "$M/root/probe/fail/smss"
  install -m 755 "$BUILD/tests/ns/fail_at" "$M/root/probe/fail/fail_at"
  start
  ready
  inside mount --bind /probe/fail/fail_at /usr/lib/smss/smss
}

# fails_at ERRORS WORD... -- COMMAND
fails_at() {
  run inside /probe/fault "$@"
  [ "$status" -eq 0 ] || { grep -B1 WRONG <<<"$output" || tail -n 20 <<<"$output"; return 1; }
  [[ $output == *"calls "* ]]
  isnt grep -q WRONG <<<"$output"
}

everything=(isolation=mount,ipc,uts,pid,dev owner=1000:1000 caps=0 nnp=1 umask=0077 oom=100 nofile=200)

@test "each system call fails: a status, no hang, no leak, no half session" {
  fails_at 5 "${everything[@]}" -- /usr/bin/sleep 1000
  # it went through all of it, and what protects was refused (fault says which does)
  [ "$(sed -n 's/calls \([0-9]*\) .*/\1/p' <<<"$output")" -ge 80 ]
  off
}

@test "the copy dies at each system call: the same" {
  fails_at 0 isolation=mount,ipc,uts -- /usr/bin/sleep 1000
  off
}

@test "the long form: more errors, more kinds of sessions" {
  [ -n "${SMSS_LONG:-}" ] || skip "SMSS_LONG=1 asks for it"
  local words
  for words in "" isolation=mount isolation=mount,ipc,uts,net,pid isolation=pid "${everything[*]}"; do
    # shellcheck disable=SC2086
    fails_at 1,2,4,5,11,12,17,22,24,28,110,0 $words -- /usr/bin/sleep 1000
  done
  off
}
