# Lists of processes and events as text: recognised by content, read whole, named where they are bad.

load lib.bash

setup() {
  DIR=$BATS_TEST_TMPDIR
}

# as_what FILE... - what smaudit says that it read, a line an input: "FILE: AS-WHAT, RECORDS"
as_what() {
  "$AUDIT" processes "$@" 2>&1 || true
}

@test "each list of the collected boot is recognised, and holds no finding" {
  local file kinds=(
    derived/w5-boot.vol3-pslist.json 'Volatility 3 pslist'
    derived/w5-boot.vol3-psscan.json 'Volatility 3 psscan'
    derived/w5-boot.vol3-pstree.csv 'Volatility 3 pstree'
    derived/w5-boot.osquery-processes.json 'osquery processes'
    json/otrf-w5-boot.sysmon-1-5.jsonl 'Sysmon events'
  )
  for ((i = 0; i < ${#kinds[@]}; i += 2)); do
    file=$(shared "${kinds[i]}")
    run as_what "$file"
    [[ $output == *"${kinds[i + 1]}"* ]]
    [ "$(found processes "$file")" = '' ]
  done
}

@test "the same boot from a pipe, with Windows line ends, as UTF-16 and as one list, is the same" {
  boot >"$DIR/boot.jsonl"
  event 3 7001 560 'C:\Windows\Temp\smss.exe' "$S32\\winlogon.exe" >>"$DIR/boot.jsonl"
  local want
  want=$(found processes "$DIR/boot.jsonl")
  [ -n "$want" ]
  [ "$(found processes - <"$DIR/boot.jsonl")" = "$want" ]
  sed 's/$/\r/' "$DIR/boot.jsonl" >"$DIR/crlf.txt"
  [ "$(found processes "$DIR/crlf.txt")" = "$want" ]
  { printf '\xff\xfe' && iconv -t UTF-16LE "$DIR/boot.jsonl"; } >"$DIR/wide.log"
  [ "$(found processes "$DIR/wide.log")" = "$want" ]
  python3 -c 'import json, sys
json.dump([json.loads(line) for line in sys.stdin], sys.stdout, indent=2)' \
    <"$DIR/boot.jsonl" >"$DIR/list.json"
  [ "$(found processes "$DIR/list.json")" = "$want" ]
}

@test "a bad line is named, left out, and makes an input error of what is otherwise clean" {
  boot >"$DIR/boot.jsonl"
  sed '3s/"Image": "/&\n/' "$DIR/boot.jsonl" >"$DIR/bad.jsonl"
  run "$AUDIT" processes "$DIR/bad.jsonl"
  [ "$status" -eq 2 ]
  [[ $output == *"bad.jsonl:3"* ]]
}

@test "a line that was cut at the end is said, and is not clean" {
  boot >"$DIR/boot.jsonl"
  head -c -20 "$DIR/boot.jsonl" >"$DIR/cut.jsonl"
  run "$AUDIT" processes "$DIR/cut.jsonl"
  [ "$status" -ne 0 ]
  [[ $output == *"cut.jsonl:$(wc -l <"$DIR/boot.jsonl")"*"ends within a record"* ]]
}

@test "an impostor in osquery's list is found, whatever its pid and the rows before it" {
  cat >"$DIR/osquery.json" <<'JSON'
[{"pid": "4", "parent": "0", "name": "System", "path": ""},
 {"pid": "404", "parent": "4", "name": "smss.exe", "path": "C:\\Windows\\System32\\smss.exe"},
 {"pid": "6001", "parent": "560", "name": "calc.exe", "path": ""},
 {"pid": "7001", "parent": "560", "name": "smss.exe", "path": "C:\\Windows\\Temp\\smss.exe"}]
JSON
  run found processes "$DIR/osquery.json"
  [[ $output == *"wrong-path high smss.exe pid 7001"* ]]
}

@test "a list without a session manager shows nothing of one: undecided, not clean" {
  printf '[{"PID": 4, "PPID": 0, "ImageFileName": "System"},
    {"PID": 700, "PPID": 600, "ImageFileName": "svchost.exe"}]' >"$DIR/none.json"
  run "$AUDIT" processes "$DIR/none.json"
  [ "$status" -eq 3 ]
  local rule
  for rule in second-persistent-instance wrong-account late-start wrong-path; do
    [[ $output == *"$rule: a process named smss.exe"* ]]
  done
  [[ ${output#*Nothing found} == *near-miss-name* ]]
}

@test "a name that stands twice in a record is said with its place: the other value may hide something" {
  boot | sed '3s/"Image": "[^"]*"/"Image": "C:\\\\Temp\\\\smss.exe", &/' >"$DIR/twice.jsonl"
  run "$AUDIT" processes "$DIR/twice.jsonl"
  [ "$status" -eq 3 ]
  [[ $output == *"twice.jsonl:3: read in part: the name Image stands twice"* ]]
  run "$AUDIT" processes "$DIR/twice.jsonl" --format ndjson
  [[ $output == *'"verdict":"indeterminate","what":"the name Image stands twice'* ]]
  # not even where so many names are alike that comparing each would take for ever
  python3 - "$DIR/many.jsonl" <<'PYTHON'
import sys
names = ["".join("aAbB"[n >> 2 * i & 3] for i in range(6)) for n in range(2000)]
names = ["xx%syxx%szz" % (n[:3], n[3:]) for n in names]
open(sys.argv[1], "w").write('{"PID": 7, "ImageFileName": "a.exe", %s}\n' % ", ".join(
    '"%s": 1' % n for n in dict.fromkeys(names)))
PYTHON
  run "$AUDIT" processes "$DIR/many.jsonl"
  [[ $output == *"many.jsonl:1: read in part: too many names that are alike"* ]]
}

@test "the name that a list gives is judged as well as its image's, and told once" {
  cat >"$DIR/osquery.json" <<'JSON'
[{"pid": "404", "parent": "4", "name": "smss.exe", "path": "C:\\Windows\\System32\\smss.exe"},
 {"pid": "6001", "parent": "560", "name": "smss .exe", "path": "C:\\Windows\\System32\\svchost.exe"},
 {"pid": "6002", "parent": "560", "name": "csrss.exe", "path": "C:\\Windows\\System32\\calc.exe"},
 {"pid": "6003", "parent": "560", "name": "svchost.exe", "path": "C:\\Windows\\SysWOW64\\svchost.exe"}]
JSON
  [ "$(found processes "$DIR/osquery.json")" = 'identity-mismatch high calc.exe pid 6002
near-miss-name high svchost.exe pid 6001' ]
  run "$AUDIT" processes "$DIR/osquery.json"
  [[ $output == *'name      smss .exe'*'near smss'* || $output == *'near smss'*'smss .exe'* ]]
}

@test "what is no list is refused with what it is" {
  printf 'regf%0100d' 0 >"$DIR/hive"
  run "$AUDIT" processes "$DIR/hive"
  [ "$status" -eq 2 ]
  [[ $output == *hive* ]]
  : >"$DIR/empty"
  run "$AUDIT" processes "$DIR/empty"
  [ "$status" -eq 2 ]
  printf '{"a": 1}\n' >"$DIR/other.json"
  run "$AUDIT" processes "$DIR/other.json"
  [ "$status" -eq 2 ]
  run "$AUDIT" processes "$DIR/none"
  [ "$status" -eq 2 ]
  [[ $output == *"No such file"* ]]
}

@test "a million rows in one list are never held whole" {
  local used
  python3 -c '
print("[")
for i in range(1000000):
    print("%s{\"PID\":%d,\"PPID\":4,\"ImageFileName\":\"svchost.exe\"}" % ("," if i else "", i * 4 + 8))
print("]")' >"$DIR/rows.json"
  used=$(python3 -c '
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$AUDIT" processes "$DIR/rows.json")
  [ "$used" -le 65536 ]
}

@test "brackets and quotes that are never closed do not make it read again and again" {
  # each of these would take minutes if what failed were looked through from every line in it
  python3 - "$DIR" <<'PYTHON'
import sys
where = sys.argv[1] + "/"
open(where + "open.json", "wb").write(b"{\n" * 500000 + b'"x\n')
open(where + "long.json", "wb").write(b"{\n" * (17 << 19))
open(where + "quotes.csv", "wb").write(
    b"PID,PPID,ImageFileName,CreateTime\n" + b'"x""\n' * 2048000)
PYTHON
  local file
  for file in open.json long.json quotes.csv; do
    run timeout 20 "$AUDIT" processes "$DIR/$file"
    [ "$status" -eq 2 ]
    [[ $output == *"left out"* ]]
  done
}

@test "osquery tells an account by the last number of its SID: another one than SYSTEM is found" {
  local uid want
  while read -r uid want; do
    printf '[{"pid":"4","parent":"0","name":"System","path":"","start_time":"1700000000"},
      {"pid":"300","parent":"4","name":"smss.exe","path":"C:\\\\Windows\\\\System32\\\\smss.exe",
       "start_time":"1700000000","uid":"%s"}]\n' "$uid" >"$DIR/list.json"
    run "$AUDIT" processes "$DIR/list.json" --format ndjson --all
    [[ $output == *'"rule":"wrong-account"'*"\"verdict\":\"$want\""* ]]
    [ "$(found processes "$DIR/list.json" | grep -c wrong-account)" -eq "$([ "$want" = finding ] && echo 1 || echo 0)" ]
  done <<'END'
18 nothing
19 finding
1001 finding
0 indeterminate
-1 indeterminate
4294967295 indeterminate
END
}

@test "rules that a field decides name the inputs that may have it, and count it when it was read" {
  run "$AUDIT" rules identity-mismatch
  [[ $output == *'live image; where the field is there: processes evtx'* ]]
  run "$AUDIT" rules wrong-signer
  [[ $output == *'live image; where the field is there: processes'* ]]
  boot >"$DIR/boot.jsonl"
  run "$AUDIT" processes "$DIR/boot.jsonl" --format ndjson --all
  [[ $output == *'"rule":"identity-mismatch","verdict":"not-looked-at"'* ]]
  event 0 304 4 "$S32\\smss.exe" System OriginalFileName=smss.exe >"$DIR/named.jsonl"
  run "$AUDIT" processes "$DIR/named.jsonl" --format ndjson --all
  [[ $output == *'"rule":"identity-mismatch","verdict":"nothing"'* ]]
}
