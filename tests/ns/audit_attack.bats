#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smaudit live against impostors that hide: behind mounts, as a dead process, in namespaces of their
# own, under a command line that is not theirs, among many that come and go.

setup() {
  load lib.bash
  command -v signify-openbsd >/dev/null || skip "signify-openbsd is not installed"
  machine
  cp -a "$STAGE/." "$BATS_TEST_TMPDIR/stage"
  STAGE=$BATS_TEST_TMPDIR/stage
  [ -x "$STAGE/usr/bin/smaudit" ] || skip "smaudit is not staged"
  signify-openbsd -G -n -p "$M/root/etc/smss/catalog.pub" -s "$BATS_TEST_TMPDIR/catalog.sec"
  chmod 644 "$M/root/etc/smss/catalog.pub"
  "$BATS_TEST_DIRNAME/../../tools/sign-images" -s "$BATS_TEST_TMPDIR/catalog.sec" \
    "$STAGE/usr/lib/smss" >/dev/null
  hive
  start
  ready
}

teardown() { off || true; }

# audit - a line "RULE SUBJECT" for each finding that counts, in $M/found
audit() {
  status=0
  inside smaudit live --grace 2 --format ndjson >"$M/audit" || status=$?
  jq -r 'select(.verdict == "finding" and .severity != "info") | .rule + " " + .subject' "$M/audit" |
    sed -E 's/ (pid [0-9]+ started|sha256) .*//' | LC_ALL=C sort >"$M/found"
}

# in_session COMMAND... - in session 1, and on when the command that started it has ended
in_session() { ctl exec --session 1 -- /usr/bin/setsid -f "$@" </dev/null >/dev/null 2>&1; }

# pid_of WORD - of the process whose command line begins so, as the machine numbers it
pid_of() { inside pgrep -o -f "^$1"; }

has() { grep -qxF -- "$1" "$M/found" || { cat "$M/found"; return 1; }; }

@test "an impostor that mounts another process over its own is found by the mount" {
  local pid
  inside cp /bin/sleep /tmp/csrss
  in_session /tmp/csrss 300
  sleep 0.3
  pid=$(pid_of /tmp/csrss)
  audit
  has 'wrong-path csrss'
  inside mount --bind /proc/1 "/proc/$pid"
  audit
  [ "$status" -eq 1 ]
  has "identity-mismatch /proc/$pid"
  inside umount "/proc/$pid"
  inside mount -t tmpfs none "/proc/$pid"
  audit
  [ "$status" -eq 1 ]
  has "identity-mismatch /proc/$pid"
  inside umount "/proc/$pid"
  inside mount --bind /proc/1/stat "/proc/$pid/stat"
  audit
  has "identity-mismatch /proc/$pid/stat"
}

@test "an impostor whose first thread has ended is not a dead process" {
  cat >"$BATS_TEST_TMPDIR/headless.c" <<'END'
#include <pthread.h>
#include <unistd.h>
static void *go_on(void *arg) { for (;;) sleep(100); return arg; }
int main(void) { pthread_t t; pthread_create(&t, 0, go_on, 0); pthread_exit(0); }
END
  cc -static -o "$BATS_TEST_TMPDIR/headless" "$BATS_TEST_TMPDIR/headless.c" -pthread ||
    skip "no compiler"
  inside /usr/bin/sh -c 'cat >/tmp/csrss; chmod 755 /tmp/csrss' <"$BATS_TEST_TMPDIR/headless"
  in_session /tmp/csrss
  sleep 0.3
  inside /usr/bin/sh -c 'grep -l "^State:.Z" /proc/[0-9]*/status' >/dev/null 2>&1
  audit
  [ "$status" -eq 1 ]
  has 'wrong-path csrss'
}

@test "a pid namespace alone makes no container of an impostor" {
  inside cp /bin/sleep /tmp/winlogon
  in_session /usr/bin/unshare --pid --fork --kill-child /tmp/winlogon 300
  in_session /usr/bin/unshare --pid --fork --kill-child --mount /usr/bin/sh -c \
    'mount --bind /tmp/winlogon /usr/lib/smss/wininit; exec /usr/lib/smss/wininit 300'
  sleep 0.5
  audit
  [ "$status" -eq 1 ]
  has 'wrong-path winlogon'
  has 'wrong-path wininit'
}

@test "a command line that names an image of ours, of a program that is none" {
  in_session /usr/bin/bash -c 'exec -a /usr/lib/smss/csrss /usr/bin/sleep 300'
  sleep 0.3
  audit
  [ "$status" -eq 1 ]
  [ "$(cat "$M/found")" = 'identity-mismatch sleep' ]
}

@test "in a mount namespace of its own, over the genuine image, behind a changed root" {
  inside cp /bin/sleep /tmp/other
  in_session /usr/bin/unshare --mount /usr/bin/sh -c \
    'mount --bind /tmp/other /usr/lib/smss/csrss; exec /usr/lib/smss/csrss 300'
  in_session /usr/bin/sh -c 'mkdir -p /tmp/r && mount --rbind / /tmp/r && exec chroot /tmp/r /tmp/other 300'
  in_session /usr/bin/unshare --mount /usr/bin/sh -c 'cp /bin/sleep /tmp/smss; mount -t tmpfs none /mnt;
    cp /bin/sleep /mnt/smss; exec /mnt/smss 300'
  sleep 0.5
  audit
  [ "$status" -eq 1 ]
  has 'wrong-path csrss'
  has 'wrong-path smss'
  [ "$(wc -l <"$M/found")" -eq 2 ]
}

@test "a stopped impostor is found, and one that is traced" {
  local pid
  inside cp /bin/sleep /tmp/smss
  in_session /tmp/smss 300
  sleep 0.3
  pid=$(pid_of /tmp/smss)
  inside kill -STOP "$pid"
  audit
  has 'wrong-path smss'
}

@test "among two thousand processes that come and go nothing is made up, and the impostor is found" {
  inside cp /bin/sleep /tmp/smss
  in_session /tmp/smss 300
  in_session /usr/bin/bash -c 'for i in {1..1000}; do /usr/bin/sleep 300 & done; wait'
  in_session /usr/bin/bash -c 'for i in {1..1000}; do /usr/bin/true; done'
  sleep 1
  audit
  [ "$status" -eq 1 ]
  [ "$(cat "$M/found")" = 'wrong-path smss' ]
}
