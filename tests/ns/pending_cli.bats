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
# refused_group - group 1: its source is another file by now
refused_group() {
  pending add /opt/conf.new /etc/x --group r
  cp -p "$R/opt/conf.new" "$R/keep"
  rm "$R/opt/conf.new"; echo evil >"$R/opt/conf.new"
  pending apply || [ $? -eq 1 ]
}
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
  [ "$(pending check)" = 'nothing waits' ]
  [ "$(pending report)" = 'nothing to report' ]
  [ "$(pending apply)" = 'nothing waits' ]
  [ "$(pending apply --fallback)" = 'nothing to take back' ]
  [ "$(pending purge --check)" = '0 groups would be purged; nothing was' ]
  [ ! -e "$STATE" ]
}

@test "replace, move and delete in one group: queued, shown, applied once, reported" {
  before=$(tree)
  [ "$(pending add --replace /opt/conf.new /etc/conf --delete /etc/obsolete /opt/app /opt/app2 \
    --group update --reason 'release 2')" = 'group 1 is queued; the next boot carries it out' ]
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
  tells 'group 2 (undo u) is an undo itself; to have group 1 again: smctl pending retry 1' pending undo 2
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
  [ "$(pending add --delete /etc/obsolete)" = 'group 3 is queued; the next boot carries it out' ]
  [ "$(pending clear)" = '1 group cancelled' ]
  [ "$(state 3)" = cancelled ]
  for verb in retry undo; do
    tells 'group 3 is cancelled: queue it anew' pending "$verb" 3
  done
}

@test "clear leaves what was refused: an operator has yet to look at it" {
  refused_group
  pending add --delete /etc/obsolete
  pending clear
  [ "$(state 1) $(state 2)" = 'refused cancelled' ]
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
  [ "$(pending add /opt/conf.new /etc/x --group g)" = '1 operation added to group 1; the next boot carries it out' ]
  [ "$(pending show g --json | jq '.operations')" -eq 2 ]
  pending apply
  [ ! -e "$R/etc/obsolete" ] && [ -e "$R/etc/x" ]
  [ "$(pending add /etc/x /etc/y --group g)" = 'group 2 is queued; the next boot carries it out' ]
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
  [ "$(pending check m --json | jq -r '.groups[0].state')" = applied ]
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

@test "manifest: a line that ends with CR is no name with CR, but with --null it may be" {
  printf '# all\r\n/opt/app\t/opt/app2\r\n' >"$BATS_TEST_TMPDIR/m"
  tells 'm:2: the line ends with CR; convert the file, or use --null' pending add -m "$BATS_TEST_TMPDIR/m"
  [ "$status" -eq 2 ]
  [ "$(pending)" = 'no groups' ]
  printf '/opt/app  /opt/app2\n' >"$BATS_TEST_TMPDIR/m"
  tells 'blanks are part of a name' pending add -m "$BATS_TEST_TMPDIR/m"
  printf '%s\0' /opt/app $'/opt/app2\r' | pending add -0 -m -
  [ "$(pending show 1 --json | jq -r '.list[0].to')" = $'/opt/app2\r' ]
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
  [ "$(pending purge)" = $'0 groups purged\n3 groups kept: no boot has accepted them yet (--unaccepted)' ]
  [ "$(pending purge --unaccepted --keep 1 --json | jq .purged)" -eq 2 ]
  [ "$(pending list --json | jq -c '[.groups[].originals_kept]')" = '[false,false,true]' ]
  tells 'what it replaced is gone' pending undo 1
  pending undo 3; pending apply
  [ "$(cat "$R/etc/conf")" = 2 ]
}

@test "purge --check names what would go, and nothing goes" {
  for i in 1 2 3; do
    echo "$i" >"$R/new"
    pending add --replace /new /etc/conf
    pending apply
  done
  before=$(find "$R" -printf '%p %i %T@\n' | sort)
  [ "$(pending purge --check)" = '0 groups would be purged; nothing was' ]
  run pending purge --check --unaccepted --keep 1
  [ "$status" -eq 0 ]
  [ "${lines[2]}" = '2 groups would be purged; nothing was' ]
  [ "$(pending purge --check --unaccepted --keep 1 --json | jq -c .would_purge)" = '[1,2]' ]
  [ "$(find "$R" -printf '%p %i %T@\n' | sort)" = "$before" ]
  [ "$(pending purge --unaccepted --keep 1)" = '2 groups purged' ]
}

@test "an option that is not the verb's is refused by name, and nothing is done" {
  pending add --replace /opt/conf.new /etc/conf --group g
  before=$(find "$R" -printf '%p %i %T@\n' | sort)
  while read -r verb option name; do
    run --separate-stderr pending $verb $option
    [ "$status" -eq 2 ]
    [[ $stderr == *"${verb%% *} has no option $name"* ]]
  done <<'END'
apply --check --check
clear --check --check
list --unaccepted --unaccepted
apply --keep=0 --keep
report -r --replace
check --digest --digest
purge --fallback --fallback
END
  for words in 'cancel g --check' 'undo g --check' '--replace retry g' 'show g -d /x' '--check'; do
    run --separate-stderr pending $words
    [ "$status" -eq 2 ]
    [[ $stderr == *'has no option --'* ]]
  done
  [ "$(find "$R" -printf '%p %i %T@\n' | sort)" = "$before" ]
}

@test "cancel, retry and undo print the groups as they are then" {
  pending add --replace /opt/conf.new /etc/conf --group a
  pending add --delete /etc/obsolete --group b
  [ "$(pending cancel b --json | jq -c '[.groups[] | [.group, .state]]')" = '[[2,"cancelled"]]' ]
  pending apply
  [ "$(pending undo a --json | jq -c '[.groups[] | [.group, .state, .undoes]]')" = '[[3,"queued",1]]' ]
  pending cancel 3
  refused_again=$(pending add /opt/app /opt/app2 --json | jq .group)
  mv "$R/opt/app" "$R/opt/other"; pending apply || true
  [ "$(pending retry "$refused_again" --json | jq -c '[.groups[] | [.group, .state]]')" = '[[4,"queued"]]' ]
}

@test "a name that was used again means its newest group, unless one waits" {
  for i in 1 2; do
    echo "$i" >"$R/new"
    pending add --replace /new /etc/conf --group g
    pending apply
  done
  [ "$(pending show g --json | jq .group)" -eq 2 ]
  [ "$(pending report g --json | jq -c '[.groups[].group]')" = '[2]' ]
  pending add --delete /etc/obsolete --group g
  echo 3 >"$R/new"
  [ "$(pending show g --json | jq .group)" -eq 3 ]
  pending undo 2
  [ "$(pending show g --json | jq .group)" -eq 3 ]
}

@test "what was done to a mounted system is told as its coming boot's, a purge as done by hand" {
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  pending report 1 | grep -q '  offline, for boot 1: applied$'
  pending show 1 | grep -q '^applied     offline, for boot 1; originals kept$'
  pending purge --keep 0 --unaccepted
  pending report 1 | grep -q '  by hand: purged$'
  [ "$(pending report 1 --json | jq -c '[.groups[0].history[] | [.event, .boot]]')" = \
    '[["begun",1],["applied",1],["purged",null]]' ]
}

@test "a problem says which option or step would help" {
  mkdir -p "$R/boot"; echo k >"$R/boot/k"; ln -s opt "$R/link"
  tells '(--replace, or ! in a manifest)' pending add /opt/conf.new /etc/conf
  tells '(--allow-protected)' pending add --delete /boot/k
  tells '(name the path without links: realpath)' pending add --delete /link/app
  run --separate-stderr pending add --delete /boot/k --json
  [ "$(jq -r '.problems[0].hint' <<<"$output")" = '--allow-protected' ]
}

@test "--delete-if-there deletes, and is content with nothing" {
  pending add --delete-if-there /etc/obsolete --delete-if-there /etc/never
  pending apply
  [ ! -e "$R/etc/obsolete" ]
  tells 'it is not there' pending add --delete /etc/never
}

@test "a root or a hive that is not there is named" {
  tells '--root /nodir: no such file or directory' "$STAGE/usr/bin/smctl" pending --root /nodir add --delete /x
  for verb in list check apply clear; do
    tells '--hive /nonexist: no such file' pending "$verb" --hive /nonexist
  done
}

@test "the list fits 80 columns, with the reason below the group" {
  refused_group
  run pending list
  [ "${lines[0]}" = 'group  state        operations  since                 name' ]
  [ "${lines[2]}" = '       operation 1: the file found is not the file that was queued' ]
  for line in "${lines[@]}"; do [ "${#line}" -le 80 ]; done
}

@test "help of a verb is its own, with its values; that of all has a line a verb" {
  for verb in add list show check report cancel undo retry purge apply clear; do
    pending "$verb" --help | grep -q "^usage: smctl pending $verb"
    pending --help | grep -q "^  $verb"
  done
  pending purge --help | grep -q '4 if not given'
  pending retry --help | grep -q reverted
  [ "$(pending show --help | wc -l)" -lt 15 ]
  [[ $(pending show --help) != *allow-protected* ]]
}

# completed WORD... - what bash offers for the last of these words
completed() {
  R=$R STAGE=$STAGE bash -c '
    PATH=$STAGE/usr/bin:$PATH
    . "$STAGE/usr/share/bash-completion/completions/smctl"
    COMP_WORDS=(smctl "$@"); COMP_CWORD=$#; _smctl; echo "${COMPREPLY[*]}"' - "$@"
}

@test "bash completes verbs behind --root DIR, groups by name, and each verb's own options" {
  pending add --delete /etc/obsolete --group first
  [ "$(completed pending --root "$R" '')" = "$(completed pending '')" ]
  [[ $(completed pending --root "$R" '') == *'purge apply clear'* ]]
  [ "$(completed pending --root "$R" show f)" = first ]
  [ "$(completed pending --root "$R" add -g f)" = first ]
  [[ " $(completed pending --root "$R" cancel '') " == *' 1 '* ]]
  [[ $(completed pending purge --) == *--unaccepted* ]]
  [[ $(completed pending show --) != *--unaccepted* ]]
  mkdir -p "$R/mnt"
  [ "$(completed pending list --drive "C:=$R/mn")" = "C:=$R/mnt" ]
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
