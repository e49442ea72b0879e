#!/usr/bin/env bats
# smaudit live: a machine of ours with planted impostors. Each is named, and nothing else is.

setup() {
  load lib.bash
  command -v signify-openbsd >/dev/null || skip "signify-openbsd is not installed"
  machine
  cp -a "$STAGE/." "$BATS_TEST_TMPDIR/stage"
  STAGE=$BATS_TEST_TMPDIR/stage
  [ -x "$STAGE/usr/bin/smaudit" ] || skip "smaudit is not staged"
  OURS=$STAGE/usr/lib/smss
  signify-openbsd -G -n -p "$M/root/etc/smss/catalog.pub" -s "$BATS_TEST_TMPDIR/catalog.sec"
  chmod 644 "$M/root/etc/smss/catalog.pub"
  sign
  hive
}

sign() {
  "$BATS_TEST_DIRNAME/../../tools/sign-images" -s "$BATS_TEST_TMPDIR/catalog.sec" "$OURS" >/dev/null
}

up() {
  start
  ready
  wait_for 5 eval 'ctl session show 1 | grep -q running'
}

# audit - found: a line "RULE SUBJECT" for each finding that counts, sorted; status is the exit's
audit() {
  status=0
  inside smaudit live --grace 2 --format ndjson >"$M/audit" || status=$?
  jq -r 'select(.verdict == "finding" and .severity != "info") | .rule + " " + .subject' "$M/audit" |
    sed -E 's/ (pid [0-9]+ started|sha256) .*//' | LC_ALL=C sort >"$M/found"
}

only() {
  printf '%s\n' "$@" | LC_ALL=C sort >"$M/wanted"
  diff -u "$M/wanted" "$M/found"
}

# plant COMMAND... - a process that outlives whoever started it, outside of any session
plant() { inside setsid -f "$@" >/dev/null 2>&1 </dev/null; }

# undecided - what it could not tell, without the reasons
undecided() { jq -r 'select(.verdict == "indeterminate") | .rule' "$M/audit"; }

@test "a clean machine: nothing, and nothing undecided" {
  up
  audit
  [ "$status" -eq 0 ]
  [ ! -s "$M/found" ]
  [ -z "$(undecided)" ]
  # each installed program is told with the machine that it is for
  inside smaudit live --grace 2 --format ndjson --all | jq -r '.evidence.machine // empty' | sort -u >"$M/machines"
  [ -s "$M/machines" ]
  isnt grep -qx 0x0000 "$M/machines"
  off
}

@test "orphans of a session are no impostors, nor is a new session" {
  up
  ctl exec --session 1 -- /bin/sh -c 'setsid -f sleep 300' </dev/null
  ctl session new >/dev/null || true
  audit
  [ "$status" -eq 0 ]
  off
}

@test "a copied binary under a near-miss name" {
  up
  inside cp /usr/lib/smss/smss /tmp/srnss
  plant sh -c 'exec /tmp/srnss hold <>/dev/ptmx'
  sleep 0.3
  audit
  [ "$status" -eq 1 ]
  [ "$(grep -c '^near-miss-name srnss$' "$M/found")" -eq 1 ]
  isnt grep -v ' srnss$' "$M/found"
  off
}

@test "a second persistent instance, once it is older than a copy gets" {
  up
  plant sh -c 'exec /usr/lib/smss/smss hold <>/dev/ptmx'
  audit
  tells_not 'second-persistent' cat "$M/found" # a copy of the master's may be so young
  sleep 3
  audit
  [ "$status" -eq 1 ]
  only 'second-persistent-instance smss'
  off
}

@test "a foreign child" {
  up
  plant sleep 300
  sleep 0.2
  audit
  [ "$status" -eq 1 ]
  only 'unexpected-child sleep'
  off
}

@test "a changed BootExecute" {
  value 'Session Manager' BootExecute REG_MULTI_SZ 'autocheck autochk *\0/usr/bin/true'
  up
  audit
  [ "$status" -eq 1 ]
  [ "$(cut -d' ' -f1 "$M/found" | sort -u)" = boot-execute ]
  off
}

@test "an edited image, and one that nobody signed" {
  printf x >>"$OURS/autochk"
  cp "$OURS/pnp" "$OURS/helper"
  up
  audit
  [ "$status" -eq 1 ]
  only 'unsigned-image autochk' 'unsigned-image helper'
  off
}

@test "a catalogue that somebody changed is not believed" {
  sed -i '3s/= ..../= 0000/' "$OURS/catalog.sig"
  up
  audit
  [ "$status" -eq 1 ]
  only 'unsigned-image /usr/lib/smss/catalog.sig'
  off
}

@test "without a catalogue the images are undecided, never right" {
  rm "$OURS/catalog.sig"
  up
  audit
  [ "$status" -eq 3 ]
  undecided | grep -q unsigned-image
  off
}

@test "one of ours from another place, and one of a name that is not its own" {
  up
  inside cp /bin/sleep /tmp/winlogon
  plant /tmp/winlogon 300
  sleep 0.2
  audit
  grep -q '^wrong-path winlogon$' "$M/found"
  isnt grep -v ' winlogon$' "$M/found"
  inside rm /tmp/winlogon
  audit
  jq -r 'select(.rule == "wrong-path") | .evidence["image-file"]' "$M/audit" | grep -q deleted
  off
}

@test "from memory only, with a name of ours" {
  up
  plant python3 -c 'import os,ctypes
f = os.memfd_create("csrss"); os.write(f, open("/bin/sleep", "rb").read())
os.execve(f, ["csrss", "300"], {})'
  sleep 0.5
  audit
  [ "$status" -eq 1 ]
  grep -q '^wrong-path ' "$M/found"
  jq -r 'select(.rule == "wrong-path") | .evidence.image' "$M/audit" | grep -q memfd:csrss
  [ "$(cut -d' ' -f2 "$M/found" | sort -u | wc -l)" -eq 1 ]
  off
}

@test "a program that calls itself csrss is not csrss" {
  up
  plant python3 -c 'open("/proc/self/comm", "w").write("csrss"); import time; time.sleep(300)'
  sleep 0.5
  audit
  [ "$status" -eq 1 ]
  grep -q '^identity-mismatch csrss$' "$M/found"
  isnt grep -v ' csrss$' "$M/found"
  off
}

@test "a container's own session manager is none of ours, and no finding" {
  up
  ctl exec --session 1 -- /bin/sh -c \
    'setsid -f unshare --pid --fork --kill-child /usr/lib/smss/smss -- /bin/sleep 300' </dev/null
  sleep 3
  audit
  [ "$status" -eq 0 ]
  inside smaudit live --grace 2 --format ndjson --all >"$M/all" || true
  [ ! -s "$M/found" ]
  off
}

@test "who is not root is told what could not be seen" {
  [ "$(id -u)" -eq 0 ] || skip "only root can become somebody else"
  up
  status=0
  inside setpriv --reuid 65534 --regid 65534 --clear-groups smaudit live --format ndjson >"$M/audit" || status=$?
  [ "$status" -eq 3 ]
  undecided | grep -q wrong-path
  off
}

@test "all of them at once" {
  value 'Session Manager' BootExecute REG_MULTI_SZ 'autocheck autochk *\0/usr/bin/true'
  printf x >>"$OURS/autochk"
  up
  inside cp /usr/lib/smss/smss /tmp/srnss
  plant sh -c 'exec /tmp/srnss hold <>/dev/ptmx'
  plant sh -c 'exec /usr/lib/smss/smss hold <>/dev/ptmx'
  plant sleep 300
  sleep 3
  audit
  [ "$status" -eq 1 ]
  for wanted in 'near-miss-name srnss' 'second-persistent-instance smss' 'unexpected-child sleep' \
    'unsigned-image autochk' 'boot-execute '; do
    grep -qF -- "$wanted" "$M/found"
  done
  isnt grep -vE '(srnss|smss|sleep|autochk)$|^boot-execute ' "$M/found"
  off
}

@test "a profile of this machine tells where, as whom and with which privileges it runs" {
  up
  run inside smaudit profile csrss live
  [ "$status" -eq 0 ]
  [[ $output == *"/usr/lib/smss/csrss"* ]]
  [[ $output == *"Privileges"*"dac_override"* ]]
  [[ $output == *"root, uid 0"* ]]
  off
}

@test "a machine without a session manager of ours: one line says so, and what runs there" {
  run unshare --pid --fork --mount-proc --kill-child "$STAGE/usr/bin/smaudit" live
  if [[ $output == *unshare:* ]]; then skip "no pid namespace of our own here"; fi
  echo "$output"
  [ "$status" -eq 2 ]
  [ "$(grep -c 'no session manager of ours runs here: process 1 is .*smaudit' <<<"$output")" -eq 1 ]
  [[ $output != *"Not decided"* && $output != *"Read "* ]]
}

@test "root is not told to be root, but which capability is missing" {
  [ "$(id -u)" -eq 0 ] || skip "only root can give one up"
  up
  status=0
  inside setpriv --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace smaudit live --format ndjson >"$M/audit" || status=$?
  [ "$status" -eq 3 ]
  isnt grep 'run it as root' "$M/audit"
  grep -q 'root without the capability sys_ptrace' "$M/audit"
  off
}

@test "the form of Elastic has a date where a date belongs: seconds after the boot are a label" {
  up
  plant sleep 300
  sleep 0.2
  inside smaudit live --format ecs >"$M/audit" || true
  [ -n "$(jq -r 'select(.process.pid) | .labels.started' "$M/audit")" ]
  [ -z "$(jq -r 'select(.process.start) | .process.start' "$M/audit")" ]
  off
}
