#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smaudit's command line: verbs and options, forms, where it writes, exit status, hostile evidence.

load lib.bash
bats_require_minimum_version 1.5.0

setup_file() {
  load lib.bash
  cd "$BATS_FILE_TMPDIR"
  boot >clean.jsonl
  { boot; event 5 700 304 "$S32\\cmd.exe" "$S32\\smss.exe"; } >child.jsonl
}

setup() {
  cd "$BATS_TEST_TMPDIR"
  cp "$BATS_FILE_TMPDIR"/*.jsonl .
}

@test "a clean boot: nothing found, exit 0, and what was not looked at is said" {
  run --separate-stderr "$AUDIT" processes clean.jsonl
  echo "$output" "$stderr"
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [[ $output == *"Found           nothing"* ]]
  [[ $output == *"Read            clean.jsonl: "*", 10 records"* ]]
  [[ $output == *"Not looked at"*"boot-execute"* ]]
}

@test "a finding says rule, subject, evidence, why and what to do next, exit 1" {
  run "$AUDIT" processes child.jsonl
  echo "$output"
  [ "$status" -eq 1 ]
  [[ $output == *"HIGH  unexpected-child"* ]]
  [[ $output == *"cmd.exe pid 700"* ]]
  [[ $output == *'C:\Windows\System32\cmd.exe'* ]]
  [[ $output == *"  why   "* && $output == *"  next  "* ]]
  [[ $output == *"child.jsonl:11"* ]]
  [[ $output == *"Found           1 high"* ]]
}

@test "ndjson: an object a line, the same id in every run" {
  run --separate-stderr "$AUDIT" processes child.jsonl --format ndjson
  [ "$status" -eq 1 ]
  [ "${#lines[@]}" -eq 1 ]
  first=$(jq -r .id <<<"$output")
  [[ $first =~ ^[0-9a-f]{16}$ ]]
  [ "$(jq -r '.rule, .severity, .verdict, .host' <<<"$output" | paste -sd ' ')" = \
    'unexpected-child high finding W1' ]
  cp child.jsonl other.jsonl
  [ "$("$AUDIT" other.jsonl --json | jq -r .id)" = "$first" ]
}

@test "the id is of host, rule and subject, as the manual says" {
  line=$("$AUDIT" processes child.jsonl --json || true)
  want=$(jq -j '.host, "\u0000", .rule, "\u0000", .subject' <<<"$line" | sha256sum | cut -c1-16)
  [ "$(jq -r .id <<<"$line")" = "$want" ]
}

@test "ecs: fields where Elastic has them" {
  line=$("$AUDIT" processes child.jsonl --format ecs || true)
  echo "$line"
  [ "$(jq -r '.ecs.version, .event.kind, .event.severity' <<<"$line" | paste -sd ' ')" = '9.0.0 alert 73' ]
  [ "$(jq -r '.rule.id, .host.name' <<<"$line" | paste -sd ' ')" = 'unexpected-child W1' ]
  [ "$(jq -r '.process.pid' <<<"$line")" = 700 ]
  [ "$(jq -r '.process.executable' <<<"$line")" = 'C:\Windows\System32\cmd.exe' ]
  [ "$(jq -r '.user.domain + "|" + .user.name' <<<"$line")" = 'NT AUTHORITY|SYSTEM' ]
  # the line of an input has no field of its own; log.origin is of source code
  [ "$(jq -r '.labels.line + .log.file.path' <<<"$line")" = 11child.jsonl ]
  [ "$(jq -c '.log' <<<"$line")" = '{"file":{"path":"child.jsonl"}}' ]
  jq -e '.process.start == "2026-03-01T08:00:05.000Z"' <<<"$line"
  jq -e '."@timestamp" == "2026-03-01T08:00:05.000Z"' <<<"$line"
}

@test "--all adds a line for each rule that found nothing or was not looked at" {
  run --separate-stderr "$AUDIT" processes clean.jsonl --json --all
  [ "$status" -eq 0 ]
  [ "$(jq -r 'select(.rule == "unexpected-child").verdict' <<<"$output")" = nothing ]
  [ "$(jq -r 'select(.rule == "boot-execute").verdict' <<<"$output")" = not-looked-at ]
  [[ $output != *indeterminate* ]]
  run --separate-stderr "$AUDIT" processes clean.jsonl --format ecs --all
  [ "$(jq -r 'select(.rule.id == "boot-execute").labels.verdict' <<<"$output")" = not-looked-at ]
  jq -es 'all(.[]; .event.category and (.labels.verdict == "nothing" or .labels.missing))' <<<"$output"
}

@test "--quiet prints nothing, the status tells; errors are still said" {
  run "$AUDIT" processes child.jsonl --quiet
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  run "$AUDIT" processes clean.jsonl --quiet
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  : >empty
  run --separate-stderr "$AUDIT" empty --quiet
  [ "$status" -eq 2 ]
  [[ $stderr == *"empty: it is empty"* ]]
}

@test "evidence cannot drive the terminal, nor break a line" {
  image=$'C:\\a\e]0;owned\a\\\u202Eexe.ssms\nHIGH x\\cmd.exe'
  { boot; event 5 700 304 "$image" "$S32\\smss.exe"; } >hostile.jsonl
  for form in text ndjson ecs; do
    "$AUDIT" processes hostile.jsonl --colour never --format $form >out || true
    [ -s out ]
    run ! grep -q $'[\e\a\u202E]' out
    run ! grep -q '^HIGH x' out
  done
  "$AUDIT" processes hostile.jsonl >out || true
  grep -qF '\u{1B}]0;owned\u{7}' out
  [ "$("$AUDIT" processes hostile.jsonl --json | jq -r .evidence.image)" = "$image" ]
}

@test "colour only on a terminal, unless asked" {
  run "$AUDIT" processes child.jsonl
  [[ $output != *$'\e['* ]]
  run "$AUDIT" processes child.jsonl --colour always
  [[ $output == *$'\e[1;31m'* ]]
  run script -qec "TERM=xterm '$AUDIT' processes child.jsonl" /dev/null
  [[ $output == *$'\e[1;31m'* ]]
  run script -qec "TERM=xterm NO_COLOR=1 '$AUDIT' processes child.jsonl" /dev/null
  [[ $output != *$'\e['* ]]
}

@test "-o: the file is there whole; what was there stays when it cannot be" {
  run "$AUDIT" processes child.jsonl --json -o out.json
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  jq -e . out.json
  run "$AUDIT" processes child.jsonl -o nowhere/out.json
  [ "$status" -eq 2 ]
  [[ $output == *"nowhere/out.json"* ]]
  run bash -c "ulimit -f 0; trap '' XFSZ; '$AUDIT' processes child.jsonl -o out.json"
  [ "$status" -eq 2 ]
  [[ $output == *"out.json: it cannot be written"* ]]
  jq -e . out.json
  [ -z "$(find . -name 'out.json.*')" ]
}

@test "a reader that goes away is no error worth a word" {
  run bash -c "set -o pipefail; { '$AUDIT' rules; echo \$? >status; } 2>err | true"
  [ ! -s err ]
  run bash -c "trap '' PIPE; { '$AUDIT' rules 2>err; } | true"
  [ ! -s err ]
}

@test "a full disk is an error" {
  run bash -c "'$AUDIT' rules >/dev/full"
  [ "$status" -eq 2 ]
  [[ $output == *"it cannot be written"* ]]
}

@test "the first file may be the missing one: the others are read" {
  run --separate-stderr "$AUDIT" absent.json child.jsonl
  [ "$status" -eq 1 ]
  [[ $stderr == *"absent.json: it cannot be read: No such file"* ]]
  [[ $output == *"HIGH  unexpected-child"* ]]
  run --separate-stderr "$AUDIT" absent.json clean.jsonl
  [ "$status" -eq 2 ]
  [[ $stderr == *"absent.json"* ]]
  [[ $output == *"clean.jsonl: "*", 10 records"* ]]
  run "$AUDIT" absent.json
  [ "$status" -eq 2 ]
}

@test "a mistyped verb, option or word is told with the right one" {
  run "$AUDIT" proceses child.jsonl
  [ "$status" -eq 2 ]
  [[ $output == *"did you mean processes?"* ]]
  run "$AUDIT" processes child.jsonl --formt=text
  [[ $output == *"did you mean --format?"* ]]
  run "$AUDIT" processes child.jsonl --format ndjsno
  [[ $output == *"did you mean ndjson?"* ]]
  run "$AUDIT" processes child.jsonl --colour alwasy
  [[ $output == *"did you mean always?"* ]]
  run "$AUDIT" rules late-stat
  [[ $output == *"did you mean late-start?"* ]]
  run "$AUDIT" nonsense
  [[ $output != *"did you mean"* ]]
}

@test "--format json is told what it is called here" {
  run "$AUDIT" processes child.jsonl --format json
  [ "$status" -eq 2 ]
  [[ $output == *"--format ndjson"*"--json"*"--format ecs"* ]]
  for word in ndjson ecs; do
    run "$AUDIT" profile smss.exe child.jsonl --format $word
    [ "$status" -eq 2 ]
    [[ $output == *"--format json"* ]]
  done
}

@test "a pipe that nobody writes to is waited for, and that is said" {
  mkfifo pipe
  run timeout 1 "$AUDIT" processes pipe --progress
  [ "$status" -eq 124 ]
  [ -z "$output" ]
  (
    sleep 2.6
    cat child.jsonl >pipe
  ) 3>&- &
  run --separate-stderr timeout 20 "$AUDIT" processes pipe --progress
  [ "$status" -eq 1 ]
  [[ $stderr == *"waiting for pipe"* ]]
  (
    sleep 2.6
    cat clean.jsonl
  ) | "$AUDIT" processes - >out 2>err
  [ ! -s err ]
}

@test "who waits to write to a pipe is read, each time" {
  mkfifo pipe
  for _ in 1 2 3 4 5 6 7 8; do
    cat child.jsonl >pipe 3>&- &
    sleep 0.02
    run timeout 10 "$AUDIT" pipe
    [ "$status" -eq 1 ]
    wait $!
  done
}

@test "hives, event logs and images are no streams, and that is said at once" {
  mkfifo pipe
  for verb in hive evtx image; do
    for what in pipe -; do
      run timeout 5 "$AUDIT" $verb $what <clean.jsonl
      [ "$status" -eq 2 ]
      [[ $output == *"copy it to a file first, then \`smaudit $verb FILE\`"* ]]
    done
  done
  printf 'ElfFile\0................' >log
  run bash -c "'$AUDIT' - <log"
  [ "$status" -eq 2 ]
  [[ $output == *"write it to a file, then \`smaudit evtx FILE\`"* ]]
}

@test "--logs without a hive is an input error" {
  run "$AUDIT" clean.jsonl --logs some.LOG1
  [ "$status" -eq 2 ]
  [[ $output == *"some.LOG1"*"no hive is among the inputs"* ]]
}

@test "sentences are folded at the terminal's width, evidence is not" {
  long=$(printf 'a%.0s' {1..150})
  { boot; event 5 700 304 "$S32\\$long.exe" "$S32\\smss.exe"; } >long.jsonl
  wide() { grep -E '^(  why|  next|  {8}[a-zA-Z])' "$1" | awk '{ if (length > n) n = length } END { print n + 0 }'; }
  "$AUDIT" processes long.jsonl >out || true
  [ "$(wide out)" -le 80 ]
  [ "$(wide out)" -gt 60 ]
  grep -qF "$long" out
  COLUMNS=50 "$AUDIT" processes long.jsonl >out || true
  [ "$(wide out)" -le 50 ]
  script -qec "stty columns 120; NO_COLOR=1 '$AUDIT' processes long.jsonl" /dev/null | tr -d '\r' >out
  [ "$(wide out)" -le 120 ]
  [ "$(wide out)" -gt 80 ]
}

@test "files without a verb are told by content, not by name" {
  cp clean.jsonl SYSTEM
  run "$AUDIT" SYSTEM
  [ "$status" -eq 0 ]
  cp "$AUDIT" list.json
  run "$AUDIT" list.json
  [[ $output == *"list.json: program image"* ]]
}

@test "a file of another kind is named, with the verb that reads it" {
  cp "$AUDIT" image
  run "$AUDIT" hive image
  [ "$status" -eq 2 ]
  [[ $output == *'image: a program image; `smaudit image FILE` reads it'* ]]
  printf 'regf%092d' 0 | tr 0 '\0' >hive
  run "$AUDIT" evtx hive
  [ "$status" -eq 2 ]
  [[ $output == *'`smaudit hive FILE` reads it'* ]]
}

@test "one bad input does not hide the others" {
  run --separate-stderr "$AUDIT" processes absent.json child.jsonl .
  [ "$status" -eq 1 ]
  [[ $stderr == *"absent.json: it cannot be read: No such file or directory"* ]]
  [[ $stderr == *".: a directory: name the files in it"* ]]
  [[ $output == *"HIGH  unexpected-child"* ]]
  run "$AUDIT" processes absent.json clean.jsonl
  [ "$status" -eq 2 ]
}

@test "stdin: -" {
  run bash -c "'$AUDIT' processes - <child.jsonl"
  [ "$status" -eq 1 ]
  run bash -c "cat child.jsonl | '$AUDIT' processes -"
  [ "$status" -eq 1 ]
}

@test "what nothing was looked at in is not clean" {
  echo '[]' >none.json
  run "$AUDIT" processes none.json
  echo "$output"
  [ "$status" -ge 2 ]
  [[ $output != *"Nothing found"* ]]
}

@test "--host names the machine of evidence that does not" {
  python3 -c '
import json, sys
for line in open("child.jsonl"):
    o = json.loads(line)
    del o["Hostname"]
    print(json.dumps(o))' >nameless.jsonl
  [ "$("$AUDIT" processes nameless.jsonl --json | jq -r .host)" = null ]
  [ "$("$AUDIT" processes nameless.jsonl --host W9 --json | jq -r .host)" = W9 ]
}

@test "usage errors name the word and the next step, exit 2" {
  for words in '' 'nonsense' 'hive' 'processes clean.jsonl --format xml' 'live clean.jsonl' \
    'processes clean.jsonl --grace soon' 'hive --grace 3 x' '--nonsense' 'processes clean.jsonl -x' \
    'image a b --claimed C:\x' 'hive a b --logs l' 'rules nothing' 'profile smss.exe' \
    'processes clean.jsonl --format' 'image a --catalog x' 'processes clean.jsonl --all=yes'; do
    # shellcheck disable=SC2086
    run --separate-stderr "$AUDIT" $words
    echo "$words: $status $stderr"
    [ "$status" -eq 2 ]
    [ -n "$stderr" ]
    [ -z "$output" ]
  done
}

@test "help and version go to stdout, exit 0; each verb has its own help" {
  for verb in all live hive processes evtx image profile rules; do
    run --separate-stderr "$AUDIT" $verb --help
    [ "$status" -eq 0 ]
    [[ $output == "usage: smaudit $verb"* ]]
    [ -z "$stderr" ]
  done
  run "$AUDIT" --help
  [ "$status" -eq 0 ]
  run "$AUDIT" --version
  [ "$status" -eq 0 ]
  [[ $output == "smaudit "* ]]
}

@test "rules: every indicator, as text and as JSON, one by name" {
  [ "$("$AUDIT" rules --json | jq -r .rule | paste -sd ' ')" = 'wrong-path wrong-parent second-persistent-instance unexpected-child wrong-account unsigned-image wrong-signer late-start boot-execute boot-execute-sibling pending-rename service-imitation near-miss-name spoofed-parent identity-mismatch' ]
  "$AUDIT" rules --json | jq -e 'select((.technique | test("^T[0-9]{4}(\\.[0-9]{3})?$") | not) or .exceptions == "" or .decided_by == "" or (.inputs | length) == 0)' >wrong || true
  [ ! -s wrong ]
  run "$AUDIT" rules late-start
  [[ $output == "late-start (medium, T1036.005)"* ]]
}

@test "every indicator is in the manual" {
  page=$BATS_TEST_DIRNAME/../../src/smaudit/smaudit.8
  for rule in $("$AUDIT" rules --json | jq -r .rule); do
    grep -qF "$rule" "$page"
  done
}

@test "completions know every verb and option" {
  words=$("$AUDIT" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
  for verb in $words; do
    words="$words $("$AUDIT" "$verb" --help | sed -n 's/^  --\([a-z-]*\) .*/\1/p')"
  done
  for file in bash zsh fish; do
    for word in $words; do
      grep -qw -- "$word" "$BATS_TEST_DIRNAME/../../src/smctl/completions/smaudit.$file" || {
        echo "smaudit.$file does not know $word"
        return 1
      }
    done
  done
}

@test "-o never replaces what is read" {
  cp child.jsonl before
  ln child.jsonl other-name
  run "$AUDIT" processes child.jsonl -o other-name
  [ "$status" -eq 2 ]
  [[ $output == *"is an input of this run"* ]]
  cmp child.jsonl before
  cmp other-name before
}

@test "-o through a link writes where it leads, and leaves the link: /dev/stdout, too" {
  ln -s /proc/self/fd/1 out
  "$AUDIT" processes child.jsonl --json -o out >plain || [ $? -eq 1 ]
  [ -L out ]
  [ "$(jq -r .rule plain)" = unexpected-child ]
}

@test "-o leaves the mode of the file that it replaces" {
  echo old >report
  chmod 600 report
  "$AUDIT" processes child.jsonl -o report || [ $? -eq 1 ]
  [ "$(stat -c %a report)" = 600 ]
  grep -q unexpected-child report
  (umask 027 && "$AUDIT" processes child.jsonl -o new) || [ $? -eq 1 ]
  [ "$(stat -c %a new)" = 640 ]
}

@test "-o to a device, a directory, a link to nothing or to an input" {
  "$AUDIT" processes child.jsonl -o /dev/null || [ $? -eq 1 ]
  [ -c /dev/null ]
  mkdir folder
  run "$AUDIT" processes child.jsonl -o folder
  [ "$status" -eq 2 ]
  ln -s there link
  "$AUDIT" processes child.jsonl -o link || [ $? -eq 1 ]
  [ -L link ]
  grep -q unexpected-child there
  ln -sf child.jsonl link
  cp child.jsonl before
  run "$AUDIT" processes child.jsonl -o link
  [ "$status" -eq 2 ]
  cmp child.jsonl before
}
