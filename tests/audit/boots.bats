#!/usr/bin/env bats
# Clean boots, and the same boots with one thing wrong: smaudit finds that and nothing else.

load lib.bash

setup_file() {
  local real=${SHARED:-$BATS_TEST_DIRNAME/../../../shared/data/windows}
  real=$real/json/otrf-w5-boot.sysmon-1-5.jsonl
  [ -e "$real" ] || real=
  export BOOTS=$BATS_FILE_TMPDIR/boots
  python3 "$BATS_TEST_DIRNAME/generate.py" "$BOOTS" ${real:+"$real"}
}

# rules FILE... - the rules that find something, sorted
rules() {
  found processes "$@" | cut -d ' ' -f 1 | sort -u
}

# boots PATTERN - each of these boots gives exactly what is expected of it
boots() {
  local file wrong=0 n=0
  for file in "$BOOTS"/$1.json; do
    [ -e "$file" ] || skip "no collected boot here: it is no part of this project"
    n=$((n + 1))
    diff -u --label "expected of ${file##*/}" --label found "${file%.json}.expected" \
      <(rules "$file") || wrong=$((wrong + 1))
  done
  [ "$n" -gt 0 ] && [ "$wrong" -eq 0 ]
}

@test "clean boots, with sessions, pids used again and missing exits: nothing is found" {
  boots 'clean*'
}
@test "wrong-path: in every folder that is not the system's, however it is written" {
  boots 'path-*'
}
@test "wrong-parent: a service's or a user's child, not a copy whose master was not logged" {
  boots 'parent-*'
}
@test "second-persistent-instance: a copy that stays, not one that a container has" {
  boots 'second-*'
}
@test "unexpected-child: shells, names alone, wrong roles; not servicing, not an old Windows" {
  boots 'child-*'
}
@test "wrong-account: by integrity and by name, in any language" {
  boots 'account-*'
}
@test "late-start: against System's own start" {
  boots 'late-*'
}
@test "near-miss-name: alike, hidden, with affixes; honest neighbours are not found" {
  boots 'name-*'
}
@test "spoofed-parent: a child that no copy can have started, a second master" {
  boots 'spoofed-*'
}
@test "identity-mismatch: renamed programs, and the session manager renamed" {
  boots 'identity-*'
}
@test "lists of a memory image: orphans, exited copies and a clock set back are no findings" {
  boots 'list-*'
}
@test "a real boot, and the same with one event changed" {
  boots 'real-*'
}

@test "a scan and a list of one machine: what only the scan shows alive is found" {
  python3 - "$BOOTS/list-clean.json" "$BATS_TEST_TMPDIR/scan.json" <<'PYTHON'
import json, sys
rows = json.load(open(sys.argv[1]))
for row in rows:
    row["Offset(P)"] = row.pop("Offset(V)")
hidden = {**rows[1], "PID": 4800, "PPID": 304, "CreateTime": rows[-1]["CreateTime"]}
json.dump(rows + [hidden], open(sys.argv[2], "w"))
PYTHON
  [ -z "$(rules "$BATS_TEST_TMPDIR/scan.json")" ]
  [ "$(rules "$BOOTS/list-clean.json" "$BATS_TEST_TMPDIR/scan.json")" = second-persistent-instance ]
}

@test "what a list does not tell is not called clean: exit 3, and the missing field is named" {
  run "$AUDIT" processes "$BOOTS/list-clean.json"
  [ "$status" -eq 3 ]
  [[ $output == *"image path"* && $output == *"SID of the account"* ]]
}

@test "a clean boot is exit 0, a changed one exit 1" {
  run "$AUDIT" processes "$BOOTS/clean.json"
  [ "$status" -eq 0 ]
  run "$AUDIT" processes "$BOOTS/name-in-cyrillic.json"
  [ "$status" -eq 1 ]
}

@test "two machines in one log are judged apart" {
  sed 's/"W1"/"W2"/' "$BOOTS/second-copy-stays.json" >"$BATS_TEST_TMPDIR/two.json"
  paste -d '\n' "$BOOTS/clean.json" "$BATS_TEST_TMPDIR/two.json" | sed '/^$/d' \
    >"$BATS_TEST_TMPDIR/both.json"
  [ "$(rules "$BATS_TEST_TMPDIR/both.json")" = second-persistent-instance ]
  run "$AUDIT" processes "$BATS_TEST_TMPDIR/both.json" --format ndjson
  [[ $output == *'"host":"W2"'* && $output != *'"verdict":"finding","host":"W1"'* ]]
}
