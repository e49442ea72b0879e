#!/usr/bin/env bats
# Event logs: real ones give what their owners say is in them, and damaged ones are named, not
# believed. Those that no public log has are made by make_evtx.

load lib.bash

SYSMON='"provider":"Microsoft-Windows-Sysmon","channel":"Microsoft-Windows-Sysmon/Operational","computer":"W5"'
SMSS='C:\\Windows\\System32\\smss.exe'

setup() { LOG=$BATS_TEST_TMPDIR/made.evtx; }

# real NAME - its path in $LOG, or the test is skipped
real() {
  LOG=$SHARED/evtx/$1
  [ -r "$LOG" ] || skip "no $1 beside the project"
}

# told FILE... - sorted "verdict rule" lines in $TOLD, all that was printed in $output
told() {
  run timeout 60 "$AUDIT" evtx --all --format ndjson "$@"
  TOLD=$(grep '^{' <<<"$output" |
    jq -r 'select(.rule and .severity != "info" and (.verdict == "finding" or .verdict == "indeterminate")) | "\(.verdict) \(.rule)"' | sort -u)
}

finds() { grep -qx "finding $1" <<<"$TOLD" || fails "no finding $1"; }
no_finding() { ! grep -q '^finding' <<<"$TOLD" || fails "a finding where there is nothing"; }
says() { grep -qF -- "$1" <<<"$output" || fails "it does not say: $1"; }
exits() { # STATUS...
  local want
  for want; do [ "$status" -ne "$want" ] || return 0; done
  fails "status is not one of: $*"
}
fails() {
  printf '%s\nstatus %s, told:\n%s\n%s\n' "$1" "$status" "$TOLD" "$output"
  return 1
}

# started TIME PID IMAGE PPID PARENT [COMMAND] - a Sysmon event 1 as make_evtx takes it
started() {
  printf '{%s,"id":1,"time":"%sZ","data":{"UtcTime":"%s","ProcessGuid":"{B-%s}","ProcessId":"%s","Image":"%s","CommandLine":"%s","User":"NT AUTHORITY\\\\SYSTEM","TerminalSessionId":"0","IntegrityLevel":"System","OriginalFileName":"%s","ParentProcessGuid":"{B-%s}","ParentProcessId":"%s","ParentImage":"%s"}}\n' \
    "$SYSMON" "$1" "${1/T/ }" "$2" "$2" "$3" "${6:-}" "${3##*\\}" "$4" "$4" "$5"
}

# wrote TIME PID VALUE DETAILS - a Sysmon event 13 below the Session Manager's key
wrote() {
  printf '{%s,"id":13,"time":"%sZ","data":{"EventType":"SetValue","UtcTime":"%s","ProcessGuid":"{B-%s}","ProcessId":"%s","Image":"C:\\\\Temp\\\\a.exe","TargetObject":"HKLM\\\\System\\\\CurrentControlSet\\\\Control\\\\Session Manager\\\\%s","Details":"%s"}}\n' \
    "$SYSMON" "$1" "${1/T/ }" "$2" "$2" "$3" "$4"
}

# log_boot - an ordinary one: the master, a copy, its csrss, and the end of the copy
log_boot() {
  started 2020-09-04T07:07:30.000 404 "$SMSS" 4 System '\\SystemRoot\\System32\\smss.exe'
  started 2020-09-04T07:07:31.000 500 "$SMSS" 404 "$SMSS" '\\SystemRoot\\System32\\smss.exe 000000cc 00000084'
  started 2020-09-04T07:07:31.100 508 'C:\\Windows\\System32\\csrss.exe' 500 "$SMSS"
  printf '{%s,"id":5,"time":"2020-09-04T07:07:31.500Z","data":{"UtcTime":"2020-09-04 07:07:31.500","ProcessGuid":"{B-500}","ProcessId":"500","Image":"%s"}}\n' \
    "$SYSMON" "$SMSS"
}

# made - a log of the events on standard input, as $LOG
made() {
  "$BATS_TEST_DIRNAME/make_evtx" "$LOG"
}

@test "a shell under the session manager is an unexpected child" {
  real sysmon_1_smss_child_proc_bootexecute_setupexecute.evtx
  told "$LOG"
  exits 1
  finds unexpected-child
  says 'cmd.exe'
}

@test "the boot of a domain controller and its sessions are no finding" {
  real RDPAuth_Security.evtx
  told "$LOG"
  exits 0 3
  no_finding
}

@test "a session that came by remote desktop is no finding" {
  real sysmon_13_1_persistence_via_winlogon_shell.evtx
  told "$LOG"
  exits 0 3
  no_finding
}

@test "access to a session manager is no finding" {
  real discovery_meterpreter_ps_cmd_process_listing_sysmon_10.evtx
  told "$LOG"
  exits 0 3
  no_finding
}

@test "a calculator that calls itself svchost is an identity mismatch" {
  real sigma-svchost-masqueraded.evtx
  told "$LOG"
  exits 1
  finds identity-mismatch
  says 'CALC.EXE'
}

@test "a record that the library cannot read is named, and the log is not called clean" {
  real odd-MSExchange_Management_wec.evtx
  told "$LOG"
  exits 3
  no_finding
  says 'record 1 cannot be read'
}

@test "damaged logs are read as far as they go" {
  real bad-Application_no_crc32.evtx
  told "$LOG"
  exits 0 3
  says 'no checksums'
  real bad-dns_log_malformed.evtx
  told "$LOG"
  exits 0 3
  no_finding
}

@test "an ordinary boot is no finding" {
  log_boot | made
  told "$LOG"
  exits 0 3
  no_finding
}

@test "a session manager out of its place is found" {
  { log_boot && started 2020-09-04T07:09:00.000 900 'C:\\Windows\\Temp\\smss.exe' 404 "$SMSS"; } | made
  told "$LOG"
  exits 1
  finds wrong-path
}

@test "markup in a command line makes no fields" {
  { log_boot && started 2020-09-04T07:09:00.000 900 'C:\\Tools\\a.exe' 800 'C:\\Tools\\b.exe' \
    '</Data><Data Name=\"ParentImage\">C:\\Windows\\System32\\smss.exe</Data><Data Name=\"ParentProcessId\">404'; } | made
  told "$LOG"
  exits 0 3
  no_finding
}

@test "what is written to BootExecute while the machine runs is judged" {
  { log_boot && wrote 2020-09-04T08:00:00.000 900 BootExecute 'autocheck autochk *'; } | made
  told "$LOG"
  exits 0 3
  no_finding
  { log_boot && wrote 2020-09-04T08:00:00.000 900 BootExecute 'evil'; } | made
  told "$LOG"
  exits 1
  finds boot-execute
  says 'a.exe'
  { log_boot && wrote 2020-09-04T08:00:00.000 900 SetupExecute 'evil'; } | made
  told "$LOG"
  finds boot-execute-sibling
  ! grep -qx 'finding boot-execute' <<<"$TOLD"
  { log_boot && wrote 2020-09-04T08:00:00.000 900 BootExecute 'Binary Data'; } | made
  told "$LOG"
  exits 0 3
  says 'does not tell what'
}

@test "the chunks of a log that went round are read in the order of their records" {
  { log_boot | sed 's/$/\n{"chunk":true}/'; } | made
  python3 -c 'import sys
b = open(sys.argv[1], "rb").read()
chunks = [b[i:i + 65536] for i in range(4096, len(b), 65536)]
open(sys.argv[1], "wb").write(b[:4096] + b"".join(chunks[2:] + chunks[:2]))' "$LOG"
  told "$LOG"
  exits 0 3
  no_finding
}

@test "a byte changed in a record shows in its checksum, and what is there is still judged" {
  { log_boot && started 2020-09-04T07:09:00.000 900 'C:\\Windows\\Temp\\smss.exe' 404 "$SMSS"; } | made
  printf x | dd of="$LOG" bs=1 seek=4630 conv=notrunc status=none
  told "$LOG"
  exits 1
  finds wrong-path
  says 'do not have their checksum'
}

@test "a log that was cut is read to where it ends, and that is said" {
  { log_boot | sed 's/$/\n{"chunk":true}/'; } | made
  truncate -s $((4096 + 65536 + 2048)) "$LOG"
  told "$LOG"
  exits 3
  says 'the file ends inside of chunk 1'
}

@test "what is no event log is an input error that says so" {
  printf 'regf and more' >"$BATS_TEST_TMPDIR/a.evtx"
  told "$BATS_TEST_TMPDIR/a.evtx"
  exits 2
  { printf '\x30\0\0\0LfLe' && head -c 5000 /dev/zero; } >"$BATS_TEST_TMPDIR/b.evt"
  told "$BATS_TEST_TMPDIR/b.evt"
  exits 2
  told "$BATS_TEST_TMPDIR/none.evtx"
  exits 2
}

@test "no damage to a log ends the audit" {
  log_boot | made
  cp "$LOG" "$BATS_TEST_TMPDIR/whole"
  for seed in {1..40}; do
    python3 -c 'import random, sys
r = random.Random(int(sys.argv[3]))
b = bytearray(open(sys.argv[1], "rb").read())
for _ in range(r.choice([1, 10, 100])):
    b[r.choice([r.randrange(128), 4096 + r.randrange(4096)])] = r.choice([0, 255, r.randrange(256)])
open(sys.argv[2], "wb").write(b[:r.choice([len(b), r.randrange(len(b))])])' \
      "$BATS_TEST_TMPDIR/whole" "$LOG" "$seed"
    told "$LOG"
    ended 0 1 2 3
  done
}
