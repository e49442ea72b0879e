# shellcheck shell=bash
# What the tests of smaudit share: where it is, small evidence of their own, what it found.

BUILD=${BUILD:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)/build}
AUDIT=${AUDIT:-$BUILD/src/smaudit/smaudit}
SHARED=${SHARED:-$BATS_TEST_DIRNAME/../../../shared/data/windows}
export LC_ALL=C.UTF-8

# shared FILE - its path below the collected Windows evidence; without that the test is skipped
shared() {
  [ -e "$SHARED/$1" ] || skip "no $1 here: it is no part of this project"
  printf '%s\n' "$SHARED/$1"
}

# found [ARGUMENT...] - what smaudit finds, sorted lines "RULE SEVERITY SUBJECT"; not what is noted
found() {
  { "$AUDIT" "$@" --format ndjson || true; } | python3 -c '
import json, sys
for line in sorted("%s %s %s" % (o["rule"], o["severity"], o["subject"])
                   for o in map(json.loads, sys.stdin)
                   if o["verdict"] == "finding" and o["severity"] != "info"):
    print(line)'
}

# event SECONDS PID PPID IMAGE PARENT-IMAGE [NAME=VALUE...] - one Sysmon event 1 as a JSON line
event() {
  python3 - "$@" <<'PYTHON'
import json, sys
second, pid, ppid, image, parent = sys.argv[1:6]
time = "2026-03-01 08:00:%06.3f" % float(second)
guid = lambda pid: "{00000000-0000-0000-0000-%012d}" % int(pid)
event = {
    "EventID": 1, "Channel": "Microsoft-Windows-Sysmon/Operational",
    "SourceName": "Microsoft-Windows-Sysmon", "Hostname": "W1", "UtcTime": time,
    "EventTime": time[:19], "ProcessGuid": guid(pid), "ProcessId": pid, "Image": image,
    "CommandLine": image, "User": "NT AUTHORITY\\SYSTEM", "IntegrityLevel": "System",
    "TerminalSessionId": "0", "ParentProcessGuid": guid(ppid), "ParentProcessId": ppid,
    "ParentImage": parent,
}
for word in sys.argv[6:]:
    name, value = word.split("=", 1)
    event[name] = value
print(json.dumps(event))
PYTHON
}

# ended SECONDS PID IMAGE - its event 5
ended() {
  event "$1" "$2" 0 "$3" '' | python3 -c '
import json, sys
o = json.loads(sys.stdin.read())
print(json.dumps({"EventID": 5, **{n: o[n] for n in ("Channel", "SourceName", "Hostname", "UtcTime",
      "EventTime", "ProcessGuid", "ProcessId", "Image")}}))'
}

S32='C:\Windows\System32'
# boot - a clean boot as Sysmon tells it: master, disk check, two copies, what they start
boot() {
  event 0 304 4 "$S32\\smss.exe" System
  event 1 320 304 "$S32\\autochk.exe" "$S32\\smss.exe"
  event 2 400 304 "$S32\\smss.exe" "$S32\\smss.exe"
  event 2.1 412 400 "$S32\\csrss.exe" "$S32\\smss.exe"
  event 2.2 480 304 "$S32\\smss.exe" "$S32\\smss.exe" TerminalSessionId=1
  event 2.3 488 400 "$S32\\wininit.exe" "$S32\\smss.exe"
  ended 2.4 400 "$S32\\smss.exe"
  event 2.5 496 480 "$S32\\csrss.exe" "$S32\\smss.exe" TerminalSessionId=1
  event 2.6 560 480 "$S32\\winlogon.exe" "$S32\\smss.exe" TerminalSessionId=1
  ended 2.7 480 "$S32\\smss.exe"
}
