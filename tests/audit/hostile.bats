#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smaudit attacked: by the parser of event logs turned against it, by hives and images that were made
# to hide something, by evidence that costs time, and by names that want to be markup.

load lib.bash
bats_require_minimum_version 1.5.0

EVIL_LIBRARY=$BUILD/src/smaudit/evil-libevtx.so

setup_file() {
  "$BATS_TEST_DIRNAME/make_hives" "$BATS_FILE_TMPDIR"
}

# log [CHUNKS] - an event log of an event a chunk, as $LOG
log() {
  local i
  LOG=$BATS_TEST_TMPDIR/made.evtx
  for ((i = 0; i < ${1:-1}; i++)); do
    [ "$i" -eq 0 ] || echo '{"chunk": true}'
    echo '{"provider":"Microsoft-Windows-Sysmon","channel":"Microsoft-Windows-Sysmon/Operational","computer":"W1","id":5,"time":"2026-03-01T08:00:00Z","data":{"ProcessId":"7","Image":"C:\\x.exe"}}'
  done | "$BATS_TEST_DIRNAME/make_evtx" "$LOG"
}

# turned TRICK - smaudit over $LOG with its parser turned; $output, $status
turned() {
  [ -e "$EVIL_LIBRARY" ] || skip "the turned parser is not built"
  ! ldd "$AUDIT" | grep -q 'lib[a-z]*san' || skip "a sanitizer must be loaded first"
  run timeout 60 env EVIL="$1" EVIL_FILE="$BATS_TEST_TMPDIR/evil" LD_PRELOAD="$EVIL_LIBRARY" \
    "$AUDIT" evtx --format ndjson "$LOG"
}

# no COMMAND... - it fails
no() {
  if "$@"; then return 1; fi
}

# in_hive NAME - sorted "rule verdict severity" of a hive that make_hives wrote
in_hive() {
  run "$AUDIT" hive --format ndjson "$BATS_FILE_TMPDIR/$1.SYSTEM"
  grep '^{' <<<"$output" | jq -r 'select(.subject) | "\(.rule) \(.verdict) \(.severity // "-")"' | sort
}

@test "the turned parser of event logs finds no way out" {
  log
  turned walls
  [ "$status" -ne 137 ]
  [[ $output == *"record 4711 cannot be read: no way out"* ]]
  [ ! -e "$BATS_TEST_TMPDIR/evil" ]
}

@test "it can neither flood, nor hang, nor shut its pipes and stay, nor change its architecture" {
  local trick begin
  log
  for trick in flood spin shut int80; do
    begin=$SECONDS
    turned "$trick"
    [ "$status" -ne 124 ] && [ "$status" -ne 0 ]
    [[ $output == *'"the reader '* ]]
    [ $((SECONDS - begin)) -lt 20 ]
  done
}

@test "no child of smaudit is left behind" {
  log 2
  turned spin
  no pgrep -f "$LOG"
}

@test "a hive whose next boot takes another control set: what waits there is found" {
  [ "$(in_hive be-next-set)" = "boot-execute finding medium
service-imitation finding high" ]
  run "$AUDIT" hive --all "$BATS_FILE_TMPDIR/be-next-set.SYSTEM"
  [[ $output == *'Select\Default names ControlSet002'* ]]
}

@test "a hive whose keys are links to others is never clean" {
  local name
  for name in link-manager link-control link-set link-service; do
    in_hive "$name" | grep -q '^boot-execute indeterminate'
    [ "$(in_hive "$name" | grep -vc indeterminate)" -eq 0 ]
    run "$AUDIT" hive "$BATS_FILE_TMPDIR/$name.SYSTEM"
    [ "$status" -eq 3 ]
    [[ $output == *'is a link to another key'* ]]
  done
  [ -z "$(in_hive link-other-set)" ]
}

@test "no type of a value hides what it holds" {
  local name
  for name in be-binary be-none-type be-wide-type be-expand be-big be-nul-name; do
    in_hive "$name" | grep -q '^boot-execute finding medium'
  done
  [ "$(in_hive svc-list)" = "service-imitation finding high" ]
}

# chain BOOTS - as many boots of one host, each found to be the one before by a late event
chain() {
  python3 - "$1" <<'PYTHON'
import datetime, json, sys
count, begin = int(sys.argv[1]), datetime.datetime(2000, 1, 1)
SMSS = "C:\\Windows\\System32\\smss.exe"
def event(number, boot, second, **more):
    time = begin + datetime.timedelta(hours=boot, seconds=second)
    print(json.dumps({"EventID": number, "Channel": "Microsoft-Windows-Sysmon/Operational",
                      "SourceName": "Microsoft-Windows-Sysmon", "Hostname": "W1",
                      "UtcTime": time.strftime("%Y-%m-%d %H:%M:%S.000"), "Image": SMSS,
                      "ProcessGuid": "{%08x-0000-0000-0000-%012x}" % (boot, boot + 1),
                      "ProcessId": 1000 + 4 * boot, **more}))
for boot in range(count):
    event(1, boot, 0, CommandLine=SMSS, User="NT AUTHORITY\\SYSTEM", ParentProcessId=4,
          ParentImage="System")
for boot in range(count - 2, -1, -1):
    event(5, boot, 1)
PYTHON
}

# cost FILE - milliseconds of processor time
cost() {
  python3 - "$AUDIT" "$1" <<'PYTHON'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "processes", sys.argv[2]], stdout=subprocess.DEVNULL)
print(int(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime * 1000))
PYTHON
}

@test "boots that evidence joins into a long chain cost as much each as a few do" {
  local few many
  chain 10000 >"$BATS_TEST_TMPDIR/few"
  chain 40000 >"$BATS_TEST_TMPDIR/many"
  few=$(cost "$BATS_TEST_TMPDIR/few")
  many=$(cost "$BATS_TEST_TMPDIR/many")
  echo "$few ms, $many ms"
  [ "$many" -lt $((8 * few + 200)) ] # four times as many; all with all would be sixteen
}

@test "names that want to be markup stay text in a page, whoever gives them" {
  local name='<img src=x onerror=alert(1)>"&.exe' page=$BATS_TEST_TMPDIR/page.html
  event 0 304 4 "C:\\$name" $'Sys\u202etem\u200b' Hostname='</title><script>' \
    User=$'\u2066<b>' CommandLine='"><svg/onload=1>' >"$BATS_TEST_TMPDIR/$name.jsonl"
  "$AUDIT" profile "$name" "$BATS_TEST_TMPDIR/$name.jsonl" --format html >"$page" 2>/dev/null || true
  no grep -qE '<(img|script|svg|b|iframe|link|object|base)\b' "$page"
  no grep -qP '[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200b}-\x{200f}]' "$page"
  grep -qF '<title>&#60;img src=x' "$page"
  grep -qF '\u{202E}' "$page"
  [ "$(grep -c '<meta http-equiv="Content-Security-Policy"' "$page")" -eq 1 ]
}

@test "bytes that are no UTF-8 make a page that is" {
  local page=$BATS_TEST_TMPDIR/page.html
  event 0 304 4 'C:\x\smss.exe' System | sed $'s/NT AUTHORITY/\xff\xc0\x80\xed\xa0\x80\xf8<i>/' >"$BATS_TEST_TMPDIR/bad.jsonl"
  "$AUDIT" profile smss.exe "$BATS_TEST_TMPDIR/bad.jsonl" --format html >"$page" 2>/dev/null || true
  iconv -f UTF-8 -t UTF-8 "$page" >/dev/null
  no grep -qF '<i>' "$page"
  "$AUDIT" profile $'sm\xff<i>.exe' "$BATS_TEST_TMPDIR/bad.jsonl" --format html >"$page" 2>/dev/null || true
  iconv -f UTF-8 -t UTF-8 "$page" >/dev/null
  no grep -qF '<i>' "$page"
}

@test "privileges beyond what is kept are said to be left out, and none is cut to another name" {
  local list=$BATS_TEST_TMPDIR/privileges.csv
  {
    echo 'TreeDepth,PID,Process,Value,Privilege,Attributes,Description'
    for i in {10..99}; do
      echo "0,404,smss.exe,$i,SeInventedForThisTest${i}Privilege,\"Present,Enabled\",x"
    done
  } >"$list"
  run --separate-stderr "$AUDIT" profile smss.exe "$list" --format json
  [[ $stderr == *'more privileges of one process than are kept'* ]]
  jq -r '.. | strings | select(startswith("SeInvented"))' <<<"$output" >"$BATS_TEST_TMPDIR/names"
  [ -s "$BATS_TEST_TMPDIR/names" ]
  no grep -vqE '^SeInventedForThisTest[0-9][0-9]Privilege$' "$BATS_TEST_TMPDIR/names"
}

# twist HOW FROM TO - an image, changed where no digest covers it, or made to say two things
twist() {
  python3 - "$@" <<'PYTHON'
import struct, sys
how, data = sys.argv[1], bytearray(open(sys.argv[2], "rb").read())
pe = struct.unpack_from("<I", data, 60)[0]
optional, sections = struct.unpack_from("<H", data, pe + 20)[0], struct.unpack_from("<H", data, pe + 6)[0]
directory = pe + 24 + 112 + 8 * 4
at, size = struct.unpack_from("<II", data, directory)
table = pe + 24 + optional
rows = [list(struct.unpack_from("<8sIIII", data, table + 40 * i)) for i in range(sections)]
entry = bytes(data[at:at + size])
def put(bytes_, at_):
    struct.pack_into("<II", data, directory, at_, len(bytes_))
    data[at_:at_] = bytes_
def section_of(rva):
    return next(r for r in rows if r[2] <= rva < r[2] + r[3])
def resource(entry_number):
    rva = struct.unpack_from("<I", data, pe + 24 + 112 + 16)[0]
    row = section_of(rva)
    return row[4] + rva - row[2]
end = table + 40 * sections
if how == "in-section":          # the table where the code is
    del data[at:]
    put(entry, min(r[4] for r in rows if r[3]))
elif how == "in-headers-gap":    # behind the section table: all sections move
    del data[at:]
    put(struct.pack("<IHH", 32, 0x200, 2) + bytes(24), (end + 7) & ~7)
elif how == "past-end":
    struct.pack_into("<II", data, directory, at, size + 65536)
elif how == "huge":
    struct.pack_into("<I", data, at, 0xFFFFFFF8)
elif how == "empty-entries":     # a thousand entries of nothing, then the right one
    del data[at:]
    put(struct.pack("<IHH", 8, 0x200, 2) * 1000 + entry, at)
elif how == "other-first":       # rubbish first, the right one second
    del data[at:]
    put(struct.pack("<IHH", 24, 0x200, 2) + b"\x30\x82\xff\xff" + bytes(12) + entry, at)
elif how == "table-slack":
    data += b"MZ hidden program"
    data += bytes(-len(data) % 8)
    struct.pack_into("<II", data, directory, at, len(data) - at)
elif how == "two-versions":      # the one entry of the root twice
    root = resource(0)
    named, ids = struct.unpack_from("<HH", data, root + 12)
    assert (named, ids) == (0, 1)
    first = struct.unpack_from("<II", data, root + 16)
    struct.pack_into("<H", data, root + 14, 2)
    # the second one falls on flags and time of the next level, which nobody reads
    struct.pack_into("<IIII", data, root + 16, *first, *first)
elif how == "resource-loop":
    root = resource(0)
    struct.pack_into("<I", data, root + 20, 0x80000000)
open(sys.argv[3], "wb").write(data)
PYTHON
}

@test "a signed image that was changed where no digest looks is never clean" {
  local how images=$BATS_TEST_TMPDIR/images
  "$BATS_TEST_DIRNAME/make_images" "$images" >/dev/null 2>&1 || skip "no tools to make images with"
  run "$AUDIT" image --roots "$images/root.pem" "$images/genuine/smss.exe"
  [ "$status" -eq 0 ]
  for how in in-section in-headers-gap past-end huge empty-entries other-first table-slack \
    resource-loop two-versions; do
    mkdir -p "$images/$how"
    twist "$how" "$images/genuine/smss.exe" "$images/$how/smss.exe"
    run timeout 20 "$AUDIT" image --format ndjson --roots "$images/root.pem" "$images/$how/smss.exe"
    echo "$how: $status $(grep -o '"malformed":"[^"]*"' <<<"$output" | head -1)"
    [ "$status" -eq 1 ]
    case $how in
      two-versions) [[ $output == *'two version resources'* ]] ;;
      in-headers-gap) [[ $output == *'before the end of its sections'* ]] ;;
    esac
  done
}
