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

@test "how grave it is: a turned name is high, a container's session manager is noted" {
  local file wrong=0 n=0
  for file in "$BOOTS"/*.severity; do
    n=$((n + 1))
    while read -r line; do
      "$AUDIT" processes "${file%.severity}.json" --all --format ndjson | python3 -c '
import json, sys
for o in map(json.loads, sys.stdin):
    if o["verdict"] == "finding":
        print(o["rule"], o["severity"])' | grep -qxF "$line" ||
        { echo "${file##*/}: not told: $line"; wrong=$((wrong + 1)); }
    done <"$file"
  done
  [ "$n" -gt 0 ] && [ "$wrong" -eq 0 ]
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

# linux NAME PATH - what is found in a list of a machine of ours where a process runs from PATH
linux() {
  python3 - "$@" >"$BATS_TEST_TMPDIR/linux.json" <<'PYTHON'
import json, sys
rows = (("1", "smss", "/usr/lib/smss/smss", "0"), ("7", *sys.argv[1:3], "1"))
print(json.dumps([{"pid": pid, "name": name, "path": path, "parent": parent, "uid": "0",
                   "start_time": "17000000%02d" % int(pid)} for pid, name, path, parent in rows]))
PYTHON
  rules "$BATS_TEST_TMPDIR/linux.json"
}

@test "under Linux a file with a Windows name is found, what Wine runs is not" {
  [ "$(linux wininit.exe /tmp/wininit.exe)" = near-miss-name ]
  [ -z "$(linux wininit.exe /usr/lib/wine/wine64-preloader)" ]
  [ -z "$(linux update.exe /tmp/update.exe)" ]
}

@test "live: files named like Windows' or like ones that are gone, and turned names" {
  local room=$BATS_TEST_TMPDIR name
  unshare -Urpfm --mount-proc true 2>/dev/null || skip "no namespaces of one's own here"
  cp "$(command -v bash)" "$room/smss"
  for name in wininit.exe 'csrss (deleted)' plain $'pho\u202egpj' $'s\u0301mss'; do
    cp "$(command -v sleep)" "$room/$name"
  done
  ln "$room/plain" "$room/another" # its image is gone by this name, and not by the other
  cat >"$room/first" <<'BASH'
cd "${0%/*}" || exit
for name in wininit.exe 'csrss (deleted)' plain pho* s*mss; do
  [ "$name" = smss ] || "./$name" 30 &
done
sleep 0.5
rm plain
"$AUDIT" live --format ndjson
kill $(jobs -p)
BASH
  AUDIT=$AUDIT unshare -Urpfm --mount-proc "$room/smss" "$room/first" >"$room/told" || true
  python3 - "$room/told" <<'PYTHON'
import json, os, sys
told = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
names = sorted((os.path.basename(o["evidence"]["image"]), o["severity"])
               for o in told
               if o.get("rule") == "near-miss-name" and o["verdict"] == "finding")
wanted = sorted((name, "high") for name in ("wininit.exe", "csrss (deleted)", "pho\u202egpj",
                                            "s\u0301mss"))
assert names == wanted, names
PYTHON
}
