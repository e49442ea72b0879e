#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smctl pending as a builder of images meets it: a group is queued for a mounted system, looked at,
# checked, carried out, taken back. No machine is booted; pending.bats has the boot's half.

load lib.bash

setup() {
  R=$BATS_TEST_TMPDIR/root
  mkdir -p "$R/etc" "$R/opt/app/lib" "$R/srv" "$R/var/lib"
  echo old >"$R/etc/conf"
  echo new >"$R/opt/conf.new"
  echo gone >"$R/etc/obsolete"
  echo lib >"$R/opt/app/lib/so"
  STATE=$R/var/lib/smss
  PENDING=("$STAGE/usr/bin/smctl" pending --root "$R")
}

pending() { "${PENDING[@]}" "$@"; }
state() { pending list --json | jq -r ".groups[] | select(.group == $1) | .state"; }
# tree - every file outside the state directory with its content, to be compared
tree() { (cd "$R" && find . -path ./var/lib/smss -prune -o -path '*/.smss' -prune -o \( -type f -printf '%p %m ' -exec sha256sum {} \; \) -o \( -type l -printf '%p -> %l\n' \) -o -print | sort); }
# tells TEXT COMMAND... - it fails and says so on standard error
tells() {
  local text=$1
  shift
  run --separate-stderr "$@"
  [ "$status" -ne 0 ] || return 1
  [[ $stderr == *"$text"* ]] || { printf '%s\n' "$stderr" >&3; return 1; }
}
bats_require_minimum_version 1.5.0

# apart BODY - in a mount namespace with another file system at $R/data
apart() {
  local how=(--mount --propagation private)
  [ "$(id -u)" -eq 0 ] || how=(--user --map-root-user "${how[@]}")
  mkdir -p "$R/data"
  export R STAGE BATS_TEST_TMPDIR
  timeout 60 unshare "${how[@]}" -- bash -euc '
    mount -t tmpfs -o mode=755 data "$R/data"
    pending() { "$STAGE/usr/bin/smctl" pending --root "$R" "$@"; }
    '"$1"
}

@test "an empty queue is told as one, and nothing is made by looking" {
  [ "$(pending)" = 'no groups' ]
  [ "$(pending list --json | jq -c .groups)" = '[]' ]
  pending check; pending report; pending apply
  [ ! -e "$STATE" ]
}

@test "replace, move and delete in one group: queued, shown, applied once, reported" {
  before=$(tree)
  [ "$(pending add --replace /opt/conf.new /etc/conf --delete /etc/obsolete /opt/app /opt/app2 \
    --group update --reason 'release 2')" = 'group 1 is queued' ]
  [ "$(tree)" = "$before" ]
  [ "$(state 1)" = queued ]
  pending show update | grep -q 'reason *release 2'
  [ "$(pending show 1 --json | jq -c '[.list[] | [.operation, .kind, .from, .to, .replace]]')" = \
    '[[1,"move","/opt/conf.new","/etc/conf",true],[2,"delete","/etc/obsolete",null,false],[3,"move","/opt/app","/opt/app2",true]]' ]
  [ "$(pending show 1 --json | jq -r '.list[0].sha256')" = "$(sha256sum <"$R/opt/conf.new" | cut -d' ' -f1)" ]
  pending apply
  [ "$(cat "$R/etc/conf")" = new ]
  [ ! -e "$R/etc/obsolete" ] && [ ! -e "$R/opt/app" ] && [ -e "$R/opt/app2/lib/so" ]
  [ "$(state 1)" = applied ]
  [ "$(pending report 1 --json | jq -c '.groups[0] | [[.history[].event], [.list[].result]]')" = \
    '[["begun","applied"],["ok","ok","ok"]]' ]
  echo after >"$R/opt/conf.new"
  pending apply
  [ "$(cat "$R/etc/conf")" = new ]
}

@test "undo brings everything back, byte for byte; and can be undone no second time" {
  before=$(tree)
  pending add --replace /opt/conf.new /etc/conf --delete /etc/obsolete --delete /opt/app --group u
  pending apply
  [ "$(tree)" != "$before" ]
  pending undo u | grep -q 'group 2, queued, takes back group 1 (u)'
  tells 'is queued already' pending undo 1
  pending apply
  [ "$(tree)" = "$before" ]
  [ "$(state 1) $(state 2)" = 'reverted applied' ]
  tells 'only an applied group' pending undo 1
}

@test "a fallback takes back what no accepted boot kept" {
  before=$(tree)
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  pending apply --fallback
  [ "$(tree)" = "$before" ]
  [ "$(state 1)" = reverted ]
}

@test "cancel: not carried out, the report stays; what is applied cannot be cancelled" {
  pending add --delete /etc/obsolete --group a
  pending add --delete /opt/app --group b
  pending cancel a
  [ "$(state 1)" = cancelled ]
  pending apply
  [ -e "$R/etc/obsolete" ] && [ ! -e "$R/opt/app" ]
  tells 'smctl pending undo' pending cancel b
  tells 'is cancelled already' pending cancel a
  [ "$(pending add --delete /etc/obsolete)" = 'group 3 is queued' ]
  pending clear
  [ "$(state 3)" = cancelled ]
}

@test "every problem is told with its operation, and nothing is queued" {
  mkdir "$R/etc/dir"
  ln -s opt "$R/link"
  run --separate-stderr pending add /etc/nothing /etc/x /opt/conf.new /etc/conf /etc/conf /nodir/x \
    --delete /link/app /opt/app /opt/app/lib/app /etc/dir /etc/obsolete --delete /boot/vmlinuz \
    --json
  [ "$status" -eq 1 ]
  [ "$(jq -c '[.group, .queued]' <<<"$output")" = '[null,false]' ]
  has() { jq -e --argjson n "$1" --arg t "$2" '.problems | any(.operation == $n and (.text | contains($t)))' <<<"$output" >/dev/null; }
  has 1 'it is not there'
  has 2 'there already'
  has 3 'it is not there'
  has 4 'a link in the way'
  jq -e '.problems[] | select(.operation == 4) | .path == "/link"' <<<"$output" >/dev/null
  has 5 'cannot go below itself'
  has 6 'there already'
  has 7 'protected'
  [ ! -e "$STATE/pending" ] || [ -z "$(ls "$STATE/pending" | grep group)" ]
}

@test "paths that are not canonical are refused with the reason, a word without a target too" {
  for bad in opt/app ./x /opt/../etc/conf /opt/./app /; do
    tells "$bad" pending add "$bad" /etc/x
    [ "$status" -eq 2 ]
  done
  tells 'has no target' pending add /etc/conf
  [ "$status" -eq 2 ]
  tells 'the source is the target' pending add /etc/conf //etc/conf/
}

@test "immutable files, mount points and read-only file systems are found by check" {
  [ "$(id -u)" -eq 0 ] || skip 'not root'
  apart '
    mount -t tmpfs sub "$R/srv"
    mkdir "$R/data/d"; echo x >"$R/data/d/f"
    mount -o remount,ro "$R/data"
    pending add --check --delete /srv --delete /data/d/f 2>"$BATS_TEST_TMPDIR/said" && exit 1
    grep -q "something is mounted there" "$BATS_TEST_TMPDIR/said"
    grep -q "read-only" "$BATS_TEST_TMPDIR/said"'
  chattr +i "$R/etc/conf" 2>/dev/null || skip 'no immutable files here'
  run --separate-stderr pending add --check --delete /etc/conf
  chattr -i "$R/etc/conf"
  [ "$status" -eq 1 ]
  [[ $stderr == *immutable* ]]
}

@test "what is not what was queued is refused at the step, and a retry takes it when it is back" {
  pending add /opt/conf.new /etc/x
  cp -p "$R/opt/conf.new" "$R/keep"
  rm "$R/opt/conf.new"; echo evil >"$R/opt/conf.new"
  tells 'not the file that was queued' pending check 1
  run pending apply
  [ "$status" -eq 1 ]
  [[ $output == *refused*'not the file that was queued'* ]]
  [ "$(state 1)" = refused ] && [ ! -e "$R/etc/x" ]
  pending retry 1
  [ "$(state 1)" = queued ]
}

@test "content that changed in place is seen by its digest" {
  pending add /opt/conf.new /etc/x
  printf 'NEW\n' | dd of="$R/opt/conf.new" conv=notrunc status=none
  run pending apply
  [[ $output == *'content is not what was queued'* ]]
  truncate -s 100000 "$R/opt/big"
  pending add /opt/big /opt/big2; pending add --digest /opt/big2 /opt/big3 2>/dev/null || true
  [ "$(pending show 2 --json | jq '.list[0].sha256')" = null ]
}

@test "a group of a name that waits is added to; names are found, of several the waiting one" {
  pending add --delete /etc/obsolete --group g
  [ "$(pending add /opt/conf.new /etc/x --group g)" = 'group 1 is queued' ]
  [ "$(pending show g --json | jq '.operations')" -eq 2 ]
  pending apply
  [ ! -e "$R/etc/obsolete" ] && [ -e "$R/etc/x" ]
  [ "$(pending add /etc/x /etc/y --group g)" = 'group 2 is queued' ]
  pending show g | grep -q 'group  *2'
}

@test "chains and swaps work" {
  echo a >"$R/a"; echo b >"$R/b"; echo c >"$R/c"
  pending add /a /tmp-name /b /a /tmp-name /b
  tells 'a group that waits moves it first' pending add --replace /b /c
  pending apply
  [ "$(cat "$R/a") $(cat "$R/b")" = 'b a' ]
  pending add --replace /b /c /a /b
  pending apply
  [ "$(cat "$R/b") $(cat "$R/c")" = 'b a' ]
  [ ! -e "$R/a" ]
}

@test "manifest: tabs and lines, comments, replace, delete, delete if there" {
  printf '# update\n\n!/opt/conf.new\t/etc/conf\n-\t/etc/obsolete\n?\t/etc/never\n/opt/app\t/opt/app2\n' >"$BATS_TEST_TMPDIR/m"
  pending add --manifest "$BATS_TEST_TMPDIR/m" --group m
  pending apply
  [ "$(cat "$R/etc/conf")" = new ] && [ ! -e "$R/etc/obsolete" ] && [ -d "$R/opt/app2" ]
}

@test "manifest: errors name file and line, all of them, and nothing is queued" {
  printf '/opt/app\t/opt/app2\nrelative\t/x\n/only-one\n/a/../b\t/c\n' >"$BATS_TEST_TMPDIR/m"
  tells "m:2:" pending add --manifest "$BATS_TEST_TMPDIR/m"
  [ "$status" -eq 2 ]
  [[ $stderr == *m:3:*'FROM, a tab, TO'* && $stderr == *m:4:* && $stderr == *'nothing was queued'* ]]
  printf '/opt/app\t/opt/app2\n\n/missing\t/c\n' >"$BATS_TEST_TMPDIR/m"
  tells 'm:3: move /missing to /c' pending add --manifest "$BATS_TEST_TMPDIR/m"
  [ "$status" -eq 1 ]
  [ "$(pending)" = 'no groups' ]
}

@test "manifest from standard input with NUL takes any name" {
  odd=$'/etc/a\tb\nc'
  echo odd >"$R$odd"
  printf '%s\0' "$odd" /etc/plain - /etc/obsolete | pending add -0 --manifest -
  pending apply
  [ "$(cat "$R/etc/plain")" = odd ] && [ ! -e "$R/etc/obsolete" ]
  printf '%s\0' /etc/plain | tells 'second field is missing' pending add -0 --manifest -
}

@test "names of any bytes reach the terminal escaped, and JSON is JSON" {
  bad=$'/etc/\e[31mred\xff'
  echo x >"$R$bad"
  printf '%s\0' - "$bad" | pending add -0 -m - --group $'n\e'
  isnt grep -q $'\e' <<<"$(pending list; pending show 1; pending report)"
  pending show 1 --json | jq -e '.list[0].from' >/dev/null
}

@test "2,000 operations of a manifest are one group, applied whole" {
  mkdir "$R/many" "$R/many2"
  (cd "$R/many" && seq 2000 | while read -r i; do echo "$i" >"f$i"; done)
  seq 2000 | sed 's|.*|/many/f&\t/many2/g&|' | pending add -m -
  pending check 1
  pending apply
  [ "$(ls "$R/many2" | wc -l)" -eq 2000 ] && [ -z "$(ls "$R/many")" ]
  [ "$(cat "$R/many2/g1234")" = 1234 ]
}

@test "a move to another file system is copied when queued, exactly, and the boot only renames" {
  apart '
    mkdir "$R/opt/tree"; cd "$R/opt/tree"
    echo text >f; chmod 4751 f; touch -d @1000000000 f; ln f hard; ln -s f soft; mkfifo pipe
    truncate -s 8M hole; printf end >>hole
    setfattr -n user.note -v hello f 2>/dev/null || true
    chmod 2750 .; cd /
    pending add /opt/tree /data/tree --group far
    [ -e "$R/opt/tree" ] && [ ! -e "$R/data/tree" ]
    pending show far | grep -q "copy /opt/tree to /data/tree"
    [ "$(pending show far --json | jq .operations)" -eq 1 ]
    pending check far
    stat -c "%n %a %s %Y %h" "$R"/opt/tree/* "$R/opt/tree" | sed "s|.*/opt/||" >"$BATS_TEST_TMPDIR/was"
    pending apply
    [ ! -e "$R/opt/tree" ]
    stat -c "%n %a %s %Y %h" "$R"/data/tree/* "$R/data/tree" | sed "s|.*/data/||" >"$BATS_TEST_TMPDIR/is"
    grep -v "^tree " "$BATS_TEST_TMPDIR/was" >"$BATS_TEST_TMPDIR/was2"; grep -v "^tree " "$BATS_TEST_TMPDIR/is" >"$BATS_TEST_TMPDIR/is2"
    diff "$BATS_TEST_TMPDIR/was2" "$BATS_TEST_TMPDIR/is2"
    [ "$(stat -c %i "$R/data/tree/f")" = "$(stat -c %i "$R/data/tree/hard")" ]
    [ "$(stat -c %b "$R/data/tree/hole")" -lt 1000 ]
    [ "$(tail -c 3 "$R/data/tree/hole")" = end ]
    [ "$(readlink "$R/data/tree/soft")" = f ] && [ -p "$R/data/tree/pipe" ]
    pending undo far; pending apply
    [ -e "$R/opt/tree/f" ] && [ ! -e "$R/data/tree" ]'
}

@test "copies of a group that is cancelled, or cannot be queued, are removed" {
  apart '
    pending add /opt/app /data/app --group far
    [ -e "$R/data/.smss/staged/00000001/0/lib/so" ]
    pending cancel far
    [ ! -e "$R/data/.smss/staged/00000001" ]
    [ -e "$R/opt/app/lib/so" ]
    truncate -s 1M "$R/opt/app/big"; mount -o remount,size=64k "$R/data"
    head -c 900000 /dev/urandom >"$R/opt/app/big"
    pending add /opt/app /data/app 2>"$BATS_TEST_TMPDIR/said" && exit 1
    grep -q "not enough space" "$BATS_TEST_TMPDIR/said"'
}

@test "a chain over two file systems copies the right thing" {
  apart '
    echo x >"$R/x"; echo a >"$R/a"
    pending add /a /data/a /x /a /data/a /data/b
    pending apply
    [ "$(cat "$R/a")" = x ] && [ "$(cat "$R/data/b")" = a ] && [ ! -e "$R/data/a" ] && [ ! -e "$R/x" ]'
}

@test "purge keeps the newest groups and what no boot accepted" {
  for i in 1 2 3; do
    echo "$i" >"$R/new"
    pending add --replace /new /etc/conf
    pending apply
  done
  [ "$(pending purge)" = '0 groups purged' ]
  [ "$(pending purge --unaccepted --keep 1 --json | jq .purged)" -eq 2 ]
  [ "$(pending list --json | jq -c '[.groups[].originals_kept]')" = '[false,false,true]' ]
  tells 'what it replaced is gone' pending undo 1
  pending undo 3; pending apply
  [ "$(cat "$R/etc/conf")" = 2 ]
}

@test "a writer waits for the lock and then says who has it" {
  pending add --delete /etc/obsolete
  exec 7>>"$STATE/pending/lock"
  flock 7
  tells 'is working on the queue' pending cancel 1 7>&-
  exec 7>&-
  pending cancel 1
}

@test "protected paths want permission, which is the group's and shown" {
  mkdir -p "$R/boot"; echo k >"$R/boot/vmlinuz"; echo k2 >"$R/opt/vmlinuz"
  tells 'protected' pending add --replace /opt/vmlinuz /boot/vmlinuz
  pending add --replace --allow-protected /opt/vmlinuz /boot/vmlinuz
  pending show 1 | grep -q 'protected paths may be touched'
  pending apply
  [ "$(cat "$R/boot/vmlinuz")" = k2 ]
  tells 'the queue' pending add --allow-protected --delete /opt/.smss/x
}
