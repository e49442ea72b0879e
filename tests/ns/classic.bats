#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Classic entries (PendingFileRenameOperations and its kin) as smctl pending shows, checks, runs and
# cancels them: on a mounted system with a hive that smreg made, in a boot after that, and in hives
# of Windows with drives that are directories.

load lib.bash
bats_require_minimum_version 1.5.0

SHARED=${SHARED:-$BATS_TEST_DIRNAME/../../../shared/data/windows}
NAME=PendingFileRenameOperations

setup() {
  machine
  R=$M/root
  SMCTL=$STAGE/usr/bin/smctl
  STATE=$R/var/lib/smss
}

# queue [VALUE] DATA - a value of pairs in the hive of the mounted system
queue() {
  local name=$NAME
  [ $# -eq 1 ] || { name=$1; shift; }
  [ -e "$HIVE" ] || "$SMREG" init --hive "$HIVE" >/dev/null
  value 'Session Manager' "$name" REG_MULTI_SZ "$1" --force 2>/dev/null
}
pending() { "$SMCTL" pending --root "$R" "$@"; }
json() { pending "$@" --json; }
# tells TEXT COMMAND... - it fails and says so on standard error
tells() {
  local text=$1
  shift
  run --separate-stderr "$@"
  [ "$status" -ne 0 ] || return 1
  [[ $stderr == *"$text"* ]] || { printf '%s\n' "$stderr" >&3; return 1; }
}
# problems - of the check, one line an entry that has one: NUMBER TEXT
problems() { json check 2>/dev/null | jq -r '.classic[] | select(.problem) | "\(.entry) \(.problem)"'; }
# foreign KEY VALUE - changed by somebody else: plan and queue stay behind
foreign() {
  cp "$HIVE.queue" "$M/queue"
  value 'Session Manager' BootGoodSeconds REG_DWORD 7
  cp "$M/queue" "$HIVE.queue"
}

@test "without a hive, and without entries, nothing is said of them" {
  [ "$(pending)" = 'no groups' ]
  [ "$(json list | jq -c '[.classic, .classic_state]')" = '[[],"none"]' ]
  "$SMREG" init --hive "$HIVE" >/dev/null
  [ "$(pending list)" = 'no groups' ]
  [ "$(pending check; pending report; pending apply)" = $'nothing waits\nnothing to report\nnothing waits' ]
  [ "$(pending clear)" = '0 groups cancelled' ]
  [ ! -e "$STATE" ]
}

@test "entries are listed with number, value, paths and marks; malformed ones too" {
  queue '/var/tmp/new\0!/var/tmp/old\0/var/tmp/gone\0\0*1/var/tmp/a\0*1@/var/tmp/b\0/var/tmp/odd'
  queue "${NAME}2" '/var/tmp/c\0'
  value 'Session Manager\FileRenameOperations' x REG_SZ /var/tmp/d --force 2>/dev/null
  run pending list
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = 'no groups' ]
  [ "${lines[1]}" = 'classic entries of the hive: wait for the next boot' ]
  grep -qE '^ +1  PendingFileRenameOperations +move /var/tmp/new over /var/tmp/old$' <<<"$output"
  grep -qE '^ +2  PendingFileRenameOperations +delete /var/tmp/gone$' <<<"$output"
  grep -qE '2 +delete /var/tmp/c$' <<<"$output"
  grep -qE 'FileRenameOperations +delete /var/tmp/d$' <<<"$output"
  grep -qE 'malformed: /var/tmp/odd: a source without a target' <<<"$output"
  [ "$(json list | jq -c '.classic[0] | [.entry, .value, .from, .to, .replace, .malformed, .state]')" = \
    '[1,"PendingFileRenameOperations","/var/tmp/new","/var/tmp/old",true,null,"waits"]' ]
  [ "$(json list | jq -c '[.classic[] | select(.malformed)] | length')" -ge 1 ]
  [ ! -e "$STATE" ]
}

@test "check judges each entry as the boot will, after those before it, and changes nothing" {
  cd "$R/var/tmp"
  mkdir full empty dir; touch full/x a b c d e; ln -s /var/tmp link; mkdir -p "$R/boot"; touch "$R/boot/k"
  queue '/var/tmp/a\0/var/tmp/b\0/var/tmp/none\0\0/var/tmp/link/c\0\0/boot/k\0\0/var/tmp/full\0\0/var/tmp/empty\0\0/var/tmp/c\0!/var/tmp/dir\0/var/tmp/d\0/var/tmp/no/d\0/var/tmp/e\0/var/tmp/full/x/e\0/var/tmp/odd'
  before=$(find "$R" -printf '%p %i %T@\n' | sort)
  run --separate-stderr pending check
  [ "$status" -eq 1 ]
  [[ $stderr == *'classic entry 1, move /var/tmp/a to /var/tmp/b: the target is there already'* ]]
  [[ $stderr == *'classic entry 2, delete /var/tmp/none: it is not there'* ]]
  [[ $stderr == *'classic entry 3, delete /var/tmp/link/c: a link in the way'* ]]
  [[ $stderr == *'classic entry 4, delete /boot/k: protected path; AllowProtectedRenames is not set'* ]]
  [ "$(problems | cut -d' ' -f1 | tr '\n' ' ')" = '1 2 3 4 5 7 8 9 10 ' ]
  problems | grep -q '^5 directory not empty'
  problems | grep -q '^7 is a directory'
  problems | grep -q '^10 malformed entry'
  [ "$(find "$R" -printf '%p %i %T@\n' | sort)" = "$before" ]
}

@test "an entry may rest on those before it: make room, empty a directory, move on" {
  cd "$R/var/tmp"
  mkdir -p full d; touch full/x full/y a b d/in
  queue '/var/tmp/b\0\0/var/tmp/a\0/var/tmp/b\0/var/tmp/full/x\0\0/var/tmp/full/y\0/var/tmp/y\0/var/tmp/full\0\0/var/tmp/b\0/var/tmp/c\0/var/tmp/d\0/var/tmp/d2\0/var/tmp/d2/in\0/var/tmp/in\0/var/tmp/d2\0'
  [ "$(pending check)" = 'classic entries: no problem was found' ]
  pending apply
  [ "$(ls "$R/var/tmp" | tr '\n' ' ')" = 'c in y ' ]
  # and what an earlier one takes away is not there any more
  touch a
  queue '/var/tmp/a\0/var/tmp/z\0/var/tmp/a\0'
  [ "$(problems)" = '2 it is not there' ]
}

@test "protection is lifted by AllowProtectedRenames, in check and in apply" {
  mkdir -p "$R/boot"; touch "$R/boot/k"
  queue '/boot/k\0'
  problems | grep -q '^1 protected path'
  value 'Session Manager' AllowProtectedRenames REG_DWORD 1 2>/dev/null
  [ "$(pending check)" = 'classic entries: no problem was found' ]
  pending apply
  [ ! -e "$R/boot/k" ]
}

@test "another file system and a read-only one are told before the boot meets them" {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  mkdir "$R/data" "$R/ro"; touch "$R/var/tmp/a"
  queue '/var/tmp/a\0/data/a\0/ro/x\0'
  export -f pending; export SMCTL R
  run unshare --mount --propagation private -- timeout 60 bash -c '
    mount -t tmpfs data "$R/data"; mount -t tmpfs ro "$R/ro"; touch "$R/ro/x"; mount -o remount,ro "$R/ro"
    pending check --json 2>/dev/null | jq -r ".classic[] | .problem"'
  [ "${lines[0]}" = 'on another file system' ]
  [ "${lines[1]}" = 'the file system is read-only' ]
}

@test "apply runs the queue once, reports it, and never again" {
  cd "$R/var/tmp"
  echo new >new; echo old >old; touch gone
  queue '/var/tmp/new\0!/var/tmp/old\0/var/tmp/gone\0\0/var/tmp/none\0'
  run pending apply
  [ "$status" -eq 1 ] # one of them has no source
  [[ $output == *'classic entry 1, move /var/tmp/new over /var/tmp/old: ok'* ]]
  [[ $output == *'classic entry 3, delete /var/tmp/none: it is not there'* ]]
  [ "$(cat old)" = new ] && [ ! -e gone ]
  [ "$(pending list)" = $'no groups\nclassic entries: done; see: smctl pending report' ]
  [ "$(json list | jq -r .classic_state)" = 'done' ]
  [ "$(json report | jq -c '[.classic[] | [.entry, .result]]')" = '[[1,"ok"],[2,"ok"],[3,"failed"]]' ]
  pending report | grep -q '^classic entries, offline, for boot 1$'
  pending report | grep -q ' 2  delete /var/tmp/gone: ok$'
  echo again >new; touch gone
  [ "$(json apply | jq -c '[.groups, .classic]')" = '[[],[]]' ]
  [ "$(cat new)" = again ] && [ -e gone ]
  [ "$(pending check)" = 'nothing waits' ]
  [ ! -e "$STATE/renames.journal" ]
  # the next change of the hive drops what was consumed
  "$SMREG" add "$SM" --hive "$HIVE" --state "$STATE" --value BootGoodSeconds --type REG_DWORD --data 3 >/dev/null 2>&1
  [ "$(json list | jq -r .classic_state)" = none ]
}

@test "groups come first, then the classic entries; a fallback leaves these alone" {
  cd "$R/var/tmp"
  touch a
  queue '/var/tmp/b\0/var/tmp/c'
  pending add /var/tmp/a /var/tmp/b >/dev/null
  pending apply --fallback >/dev/null
  [ ! -e c ]
  pending apply
  [ -e c ] && [ ! -e a ] && [ ! -e b ]
}

# shared - the mounted system's state is what a boot of it has
shared() { rmdir "$M/var"; mkdir -p "$R/var/lib"; mkdir -m 755 "$STATE"; ln -s "$STATE" "$M/var"; }

@test "a boot afterwards does not run what was applied offline" {
  hive; shared
  echo new >"$R/var/tmp/new"; touch "$R/var/tmp/gone"
  value 'Session Manager' "$NAME" REG_MULTI_SZ '/var/tmp/new\0!/var/tmp/old\0/var/tmp/gone\0'
  pending apply
  [ "$(cat "$R/var/tmp/old")" = new ]
  echo again >"$R/var/tmp/new"; touch "$R/var/tmp/gone"
  start; ready
  [ "$(inside cat /var/tmp/new)" = again ]
  inside test -e /var/tmp/gone
  ctl pending list | grep -q '^classic entries: done'
  off
}

@test "what was cut offline the boot goes on with; what it runs stands in the report" {
  [ -x "$BUILD/tests/ns/kill_at" ] || skip "no kill_at"
  hive
  value 'Session Manager' "$NAME" REG_MULTI_SZ '/data/a\0/data/a2\0/data/b\0/data/b2'
  # the boot has copies of what is below its root, but the very files of /data
  R=$M/mounted STATE=$M/mounted/var/lib/smss DATA=$M/mounted/data
  mkdir -p "$R/etc" "$DATA"; cp -a "$M/root/etc/smss" "$R/etc/"; shared
  touch "$DATA/a" "$DATA/b"
  "$BUILD/tests/ns/kill_at" 2 "$SMCTL" pending --root "$R" apply >"$M/said" || true
  [ "$(json list | jq -r '[.classic[].state] | join(" ")')" = 'done begun' ]
  [ "$(pending check)" = 'classic entries: no problem was found' ]
  start; ready
  row PendingFileRenameOperations ok '2 done'
  [ "$(echo "$DATA"/*)" = "$DATA/a2 $DATA/b2" ]
  [ "$(ctl pending report --json | jq -c '[.classic[] | [.boot, .entry, .from, .result]]')" = \
    '[[1,1,"/data/a","ok"],[1,2,"/data/b","ok"]]' ]
  off
}

@test "what was cleared no boot runs, and a running system clears too" {
  hive; shared
  touch "$R/var/tmp/x"
  value 'Session Manager' "$NAME" REG_MULTI_SZ '/var/tmp/x\0'
  pending clear | grep -q '^1 classic entry cancelled$'
  start; ready
  inside test -e /var/tmp/x
  inside smreg add "$SM" --value "$NAME" --type REG_MULTI_SZ --data '/var/tmp/x\0' >/dev/null 2>&1
  inside smreg add "$SM" --value "${NAME}2" --type REG_MULTI_SZ --data '/var/tmp/y\0' >/dev/null 2>&1
  [ "$(ctl pending list --json | jq -c '[.classic_state, (.classic | length)]')" = '["waits",2]' ]
  ctl pending clear | grep -q '^2 classic entries cancelled$'
  [ "$(ctl pending list --json | jq -r .classic_state)" = 'done' ]
  off
}

@test "a run that was cut offline is gone on with, and its results are kept" {
  [ -x "$BUILD/tests/ns/kill_at" ] || skip "no kill_at"
  cd "$R/var/tmp"
  for n in 1 2 3 4 5; do
    rm -rf "$STATE"; rm -f "$R"/var/tmp/*; touch a b
    rm -f "$HIVE"*; queue '/var/tmp/a\0/var/tmp/a2\0/var/tmp/b\0/var/tmp/b2\0/var/tmp/a2\0/var/tmp/a3'
    "$BUILD/tests/ns/kill_at" "$n" "$SMCTL" pending --root "$R" apply >"$M/said" || true
    [ "$n" -gt 3 ] || [ "$(json list | jq -r .classic_state)" = begun ]
    pending apply >/dev/null
    [ "$(echo *)" = 'a3 b2' ]
    # a cut between report and mark has it written twice
    [ "$(json report | jq -c '[.classic[] | [.entry, .result]] | unique')" = '[[1,"ok"],[2,"ok"],[3,"ok"]]' ]
  done
}

@test "clear: what waits is consumed unrun, said in the report, and the hive is not written" {
  touch "$R/var/tmp/x"
  queue '/var/tmp/x\0\0/var/tmp/y\0/var/tmp/z'
  before=$(sha256sum "$HIVE" "$HIVE.queue")
  [ "$(pending clear)" = $'0 groups cancelled\n2 classic entries cancelled' ]
  [ "$(sha256sum "$HIVE" "$HIVE.queue")" = "$before" ]
  pending apply
  [ -e "$R/var/tmp/x" ]
  [ "$(json report | jq -c '[.classic[] | [.result, .text]] | unique')" = '[["skipped","cancelled before it ran"]]' ]
  [ "$(json clear | jq -c '[.cancelled, .classic_cancelled]')" = '[0,0]' ]
}

@test "a queue that does not fit its hive, or is damaged, says the next step and runs nothing" {
  touch "$R/var/tmp/x"
  queue '/var/tmp/x\0'
  foreign
  pending list | grep -q "another state of the hive.*smreg plan --write --hive $HIVE"
  tells 'smreg plan --write' pending check
  tells 'smreg plan --write' pending apply
  tells 'smreg plan --write' pending clear
  [ -e "$R/var/tmp/x" ]
  "$SMREG" plan --write --hive "$HIVE" >/dev/null
  [ "$(json list | jq -r .classic_state)" = waits ]
  printf x | dd of="$HIVE.queue" bs=1 seek=700 conv=notrunc status=none
  [ "$(json list | jq -r .classic_state)" = damaged ]
  tells damaged pending apply
  rm "$HIVE.queue"
  tells 'missing or of another state' pending check
  chmod 666 "$HIVE.plan"
  "$SMREG" plan --write --hive "$HIVE" >/dev/null; chmod 666 "$HIVE.queue"
  tells 'not permitted' pending apply
  [ -e "$R/var/tmp/x" ]
}

# windows DATA [VALUE] - a hive as Windows would leave it; C is its drive
windows() {
  C=$BATS_TEST_TMPDIR/c; D=$BATS_TEST_TMPDIR/d
  mkdir -p "$C/Windows/Temp" "$C/Users/Ann" "$D"
  "$SMREG" init --hive "$BATS_TEST_TMPDIR/SYSTEM" >/dev/null
  HIVE=$BATS_TEST_TMPDIR/SYSTEM
  value 'Session Manager' "${2:-$NAME}" REG_MULTI_SZ "$1" --force 2>/dev/null
}
win() { "$SMCTL" pending "$@" --hive "$HIVE" --drive "C:=$C"; }

@test "a Windows hive: drives become directories, what has none is marked" {
  windows '\??\C:\Windows\Temp\a.tmp\0\0\??\c:\new.dll\0!\??\C:\Windows\old.dll\0\??\D:\x\0\??\D:\y\0C:\plain\0\0\??\Volume{1}\z\0\0*1\??\C:\m\0*1!\??\C:\n\0\??\C:\a\..\b\0'
  run win list
  [ "$status" -eq 0 ]
  grep -qF "delete $C/Windows/Temp/a.tmp" <<<"$output"
  grep -qF "move $C/new.dll over $C/Windows/old.dll" <<<"$output"
  grep -qF 'move \??\D:\x to \??\D:\y  (source: its drive is not mapped; target: its drive is not mapped)' <<<"$output"
  grep -qF "delete $C/plain" <<<"$output"
  grep -qF 'delete \??\Volume{1}\z  (source: no drive letter in it)' <<<"$output"
  grep -qF "move $C/m over $C/n" <<<"$output"
  grep -qF 'no path of files' <<<"$output"
  [ "$(win list --json | jq -c '.classic[1] | [.from, .from_path, .to, .replace]')" = \
    "[\"\\\\??\\\\c:\\\\new.dll\",\"$C/new.dll\",\"\\\\??\\\\C:\\\\Windows\\\\old.dll\",true]" ]
  win list --drive "d:=$D" | grep -qF "move $D/x to $D/y"
}

@test "a Windows hive is checked: names in any case, no link followed, one entry after the other" {
  windows '\??\C:\WINDOWS\temp\A.TMP\0\0\??\C:\users\ann\none\0\0\??\C:\new.dll\0\??\C:\windows\OLD.dll\0\??\C:\link\x\0\0\??\C:\windows\TEMP\0\0\??\C:\nsis\IN\0\0\??\C:\NSIS\\0\0\??\C:\ümlaut\0\0\??\C:\new.dll\0\??\D:\new.dll'
  touch "$C/Windows/Temp/a.tmp" "$C/New.dll" "$C/Windows/old.dll" "$C/ÜMLAUT"; mkdir "$C/nsis"; touch "$C/nsis/in"
  ln -s Windows "$C/link"
  before=$(find "$C" "$D" "$HIVE"* -printf '%p %i %T@\n')
  run --separate-stderr win check
  [ "$status" -eq 1 ]
  grep -qF "delete $C/WINDOWS/temp/A.TMP  (source: there)" <<<"$output"
  grep -qF "delete $C/users/ann/none  (source: missing)" <<<"$output"
  grep -qF "(source: there; target: there)" <<<"$output"
  [ "$(win check --drive "D:=$D" --json 2>/dev/null | jq -r '.classic[] | select(.problem) | .entry' | tr '\n' ' ')" = '3 4 9 ' ]
  # what is to be deleted and is not there Windows passes over
  [ "$(win check --json 2>/dev/null | jq -c '.classic[1] | [.from_exists, .problem]')" = '[false,null]' ]
  win check --drive "D:=$D" --json 2>/dev/null | jq -r '.classic[3].problem' | grep -q 'a link in the way'
  [ "$(win check --json 2>/dev/null | jq -c '.classic[0] | [.from_exists, .problem]')" = '[true,null]' ]
  [ "$(find "$C" "$D" "$HIVE"* -printf '%p %i %T@\n')" = "$before" ]
}

@test "real Windows hives: read with their drives, nothing written beside them" {
  [ -d "$SHARED/hives" ] || skip "no Windows hives here"
  HIVE=$SHARED/hives/win8-x64-dirty-nolog.SYSTEM C=$BATS_TEST_TMPDIR/c
  mkdir -p "$C/users/MASTER/appdata/local/temp/NSP9C0.tmp"; touch "$C/users/MASTER/appdata/local/temp/NSP9C0.tmp/nsprocess.DLL"
  run --separate-stderr win check
  [ "$status" -eq 0 ]
  [[ $stderr == *'logs not applied'* ]]
  [ "$(grep -c 'source: there' <<<"$output")" -eq 2 ]
  HIVE=$SHARED/synthetic/syn-pfro-system32-replace.SYSTEM
  win list | grep -qF "move $C/Users/Public/x.tmp over $C/Windows/System32/drivers/WdFilter.sys"
  HIVE=$SHARED/hives/win7-x86.SYSTEM
  win list | grep -q 'control set 1: none$'
  HIVE=$SHARED/hives/not-system.BCD
  tells 'not a SYSTEM hive: it has no Select key' win list
  HIVE=$SHARED/hives/NotAHive
  tells 'not a hive' win check
}

@test "a Windows hive without its drives is known as one, and no plan is advised for it" {
  windows '\??\C:\x\0'
  rm "$HIVE".plan "$HIVE".queue
  before=$(find "$HIVE"* -printf '%p %i %T@\n')
  for verb in list check apply clear; do
    tells 'A hive of Windows? Then list and check want --drive C:=DIR' "$SMCTL" pending --root / "$verb" --hive "$HIVE"
    [[ $stderr != *'smreg plan'* ]]
  done
  [ "$(find "$HIVE"* -printf '%p %i %T@\n')" = "$before" ]
  [ "$(win list | grep -c delete)" -eq 1 ]
}

@test "a Windows hive is never applied, cleared or mixed with a root; bad words are named" {
  windows '\??\C:\x\0'
  for verb in apply clear report; do
    run --separate-stderr win "$verb"
    [ "$status" -eq 2 ]
    [[ $stderr == *"\"$verb\": the queue of a Windows hive is only listed and checked"* ]]
  done
  for word in C C: C:= =/x CC:=/x 1:=/x C:/x "E:=$C/none" "c:=$C"; do
    run --separate-stderr "$SMCTL" pending list --hive "$HIVE" --drive "C:=$C" --drive "$word"
    [ "$status" -eq 2 ]
    [[ $stderr == *"\"$word\""* ]]
  done
  run --separate-stderr "$SMCTL" pending list --drive "C:=$C"
  [ "$status" -eq 2 ]
  [[ $stderr == *'--drive wants --hive FILE'* ]]
  run --separate-stderr win list --root "$R"
  [ "$status" -eq 2 ]
  run --separate-stderr win check 1
  [ "$status" -eq 2 ]
  HIVE=$BATS_TEST_TMPDIR/none
  tells 'no such file' win list
}

@test "broken hives end in a message, whatever byte is wrong" {
  windows '\??\C:\x\0\0\??\C:\y\0\??\C:\z'
  size=$(stat -c %s "$HIVE")
  cp "$HIVE" "$M/good"
  for ((i = 0; i < 40; i++)); do
    cp "$M/good" "$HIVE"
    printf '\xff\xff\xff\x7f' | dd of="$HIVE" bs=1 seek=$(((i * 7919 + 4096) % size)) conv=notrunc status=none
    run timeout 20 "$SMCTL" pending list --hive "$HIVE" --drive "C:=$C"
    [ "$status" -le 1 ]
  done
  head -c 5000 "$M/good" >"$HIVE"
  run timeout 20 "$SMCTL" pending check --hive "$HIVE" --drive "C:=$C"
  [ "$status" -eq 1 ]
}
