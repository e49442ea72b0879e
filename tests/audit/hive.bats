#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# smaudit hive: what it finds in SYSTEM hives of Windows, of the evidence that was collected and of
# those that make_hives writes.

load lib.bash
bats_require_minimum_version 1.5.0

SESSION='ControlSet001\Control\Session Manager'

setup_file() {
  "$BATS_TEST_DIRNAME/make_hives" "$BATS_FILE_TMPDIR"
}

setup() {
  cd "$BATS_FILE_TMPDIR"
}

# rules FILE [ARGUMENT...] - "STATUS RULE:WORD*COUNT ..."; WORD is a severity, or undecided
rules() {
  local status=0
  "$AUDIT" hive "$@" --all --format ndjson >"$BATS_TEST_TMPDIR/told" 2>&1 || status=$?
  { echo "$status"; jq -r '
      select(.subject) | .rule + ":" + (if .verdict == "finding" then .severity else "undecided" end)
    ' "$BATS_TEST_TMPDIR/told" | sort | uniq -c | awk '{ print $2 "*" $1 }'; } | paste -sd ' '
}

# expect - lines "FILE STATUS RULE:WORD*COUNT ..." of standard input, each hive held against its own
expect() {
  local name want got wrong=0
  while read -r name want; do
    [ -n "$name" ] || continue
    got=$(rules "$name")
    [ "$got" = "$want" ] || {
      echo "$name: $got"
      echo "   not: $want"
      wrong=1
    }
  done
  [ "$wrong" = 0 ]
}

# made - the same for the hives of make_hives, whose leftovers of installers are noted in both sets
made() {
  sed -E '/^$/d; s/^([^ ]+) +(.*)/\1.SYSTEM \2/' | expect
}

@test "BootExecute: what Windows ships, and what steers the disk check, is no finding" {
  made <<'END'
clean         0 pending-rename:info*2
be-none       0 pending-rename:info*2
be-one        0 pending-rename:info*2
be-odd        0 pending-rename:info*2
be-case       0 pending-rename:info*2
be-server     0 pending-rename:info*2
be-chkdsk     0 boot-execute:info*1 pending-rename:info*2
be-chkntfs    0 boot-execute:info*1 pending-rename:info*2
be-convert    0 boot-execute:info*1 pending-rename:info*2
be-empty      0 boot-execute:info*1 pending-rename:info*2
be-other-set  0 boot-execute:info*1 pending-rename:info*2
be-second-set 0 boot-execute:info*1 pending-rename:info*2
END
}

@test "BootExecute: everything else is" {
  made <<'END'
be-extra      1 boot-execute:medium*1 pending-rename:info*2
be-async      1 boot-execute:medium*1 pending-rename:info*2
be-path       1 boot-execute:medium*1 pending-rename:info*2
be-instead    1 boot-execute:medium*1 pending-rename:info*2
be-switch     1 boot-execute:medium*1 pending-rename:info*2
be-vendor     1 boot-execute:medium*1 pending-rename:info*2
be-lookalike  1 boot-execute:medium*1 pending-rename:info*2
be-hidden     1 boot-execute:medium*1 pending-rename:info*2
be-type       1 boot-execute:medium*1 pending-rename:info*2
be-missing    1 boot-execute:medium*1 pending-rename:info*2
be-twice      1 boot-execute:medium*1 pending-rename:info*2
be-nul-name   1 boot-execute:medium*1 pending-rename:info*2
END
}

@test "a hive of our own needs no BootExecute" {
  [ "$(rules ours.SYSTEM)" = "0 pending-rename:info*2" ]
}

@test "the siblings of BootExecute are empty, or Windows' own" {
  made <<'END'
sib-nopnp           1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-platform        1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-execute         1 boot-execute-sibling:medium*2 pending-rename:info*2
sib-initial         1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-shell           1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-setup           1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-servicing-false 1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-oobe-false      1 boot-execute-sibling:medium*1 pending-rename:info*2
sib-servicing       0 boot-execute-sibling:info*1 pending-rename:info*2
sib-oobe            0 boot-execute-sibling:info*1 pending-rename:info*2
sib-wpbt            0 boot-execute-sibling:info*1 pending-rename:info*2
sib-empty           0 pending-rename:info*2
END
}

@test "pending renames count by what they touch" {
  made <<'END'
pfro-driver     1 pending-rename:info*1 pending-rename:medium*1
pfro-smss       1 pending-rename:info*1 pending-rename:medium*1
pfro-root       1 pending-rename:info*1 pending-rename:medium*1
pfro-logs       1 pending-rename:info*1 pending-rename:medium*1
pfro-product    1 pending-rename:info*1 pending-rename:medium*1
pfro-away       1 pending-rename:info*1 pending-rename:medium*1
pfro-above      1 pending-rename:high*1 pending-rename:info*1
pfro-user-file  1 pending-rename:info*1 pending-rename:medium*1
pfro-second     1 pending-rename:info*2 pending-rename:medium*1
pfro-unended    1 pending-rename:info*1 pending-rename:medium*1
pfro-key        1 pending-rename:info*2 pending-rename:medium*1
pfro-odd        1 pending-rename:info*2 pending-rename:medium*1
pfro-many       1 pending-rename:info*1 pending-rename:medium*65
pfro-short      3 pending-rename:info*1 pending-rename:undecided*1
pfro-set        0 pending-rename:info*2
pfro-program    0 pending-rename:info*2
pfro-near       0 pending-rename:info*2
pfro-short-user 0 pending-rename:info*2
END
}

@test "pairs that are out of step hide nothing" {
  run rules pfro-shifted.SYSTEM
  [[ $output == "1 "*"pending-rename:medium"* ]]
  grep -q 'ntdll' "$BATS_TEST_TMPDIR/told"
}

@test "a service that runs, or calls itself, the session manager is a finding" {
  made <<'END'
svc-smss       1 pending-rename:info*2 service-imitation:high*1
svc-csrss      1 pending-rename:info*2 service-imitation:high*1
svc-blank      1 pending-rename:info*2 service-imitation:high*1
svc-near       1 pending-rename:info*2 service-imitation:high*1
svc-name       1 pending-rename:info*2 service-imitation:high*1
svc-name-near  1 pending-rename:info*2 service-imitation:high*1
svc-display    1 pending-rename:info*2 service-imitation:high*1
svc-described  1 pending-rename:info*2 service-imitation:high*1
svc-host-path  1 pending-rename:info*2 service-imitation:high*1
svc-host-group 0 pending-rename:info*2 service-imitation:info*1
svc-ssms       0 pending-rename:info*2
END
}

@test "a finding names key, entry, program, and where that would be looked for" {
  run "$AUDIT" hive be-extra.SYSTEM --format ndjson
  [ "$status" -eq 1 ]
  [ "$(jq -r '.host, .evidence.key, .evidence.entry, .evidence["resolves-to"]' <<<"$output")" = \
    "W10
$SESSION
beb
%SystemRoot%\\System32\\beb.exe" ]
}

@test "a dirty hive without its logs is never clean" {
  four='boot-execute-sibling:undecided*1 boot-execute:undecided*1 pending-rename:info*2'
  four+=' pending-rename:undecided*1 service-imitation:undecided*1'
  [ "$(rules dirty-none.SYSTEM)" = "3 $four" ]
  run rules dirty-found.SYSTEM
  echo "$output"
  [ "$output" = "1 ${four/boot-execute:undecided/boot-execute:medium}" ]
  grep -q 'logs not applied' "$BATS_TEST_TMPDIR/told"
}

@test "logs beside a hive are applied, and those that are given" {
  [ "$(rules dirty-log.SYSTEM)" = "1 boot-execute:medium*1 pending-rename:info*2" ]
  grep -q 'autocheck autochk x' "$BATS_TEST_TMPDIR/told"
  cp dirty-log.SYSTEM.LOG1 "$BATS_TEST_TMPDIR/log-of-it"
  [ "$(rules dirty-none.SYSTEM --logs "$BATS_TEST_TMPDIR/log-of-it")" = \
    "1 boot-execute:medium*1 pending-rename:info*2" ]
}

@test "a log that is named and cannot be read is an input error, and the rest is still told" {
  run rules clean.SYSTEM --logs nowhere.LOG1
  [ "${output%% *}" = 2 ]
  grep -q 'nowhere.LOG1' "$BATS_TEST_TMPDIR/told"
}

@test "what is named as a log and is none is an input error" {
  echo '{}' >"$BATS_TEST_TMPDIR/no-log"
  run rules clean.SYSTEM --logs "$BATS_TEST_TMPDIR/no-log"
  [ "${output%% *}" = 2 ]
  grep -q 'not a transaction log' "$BATS_TEST_TMPDIR/told"
  run rules dirty-none.SYSTEM --logs clean.SYSTEM
  [ "${output%% *}" = 2 ]
  : >"$BATS_TEST_TMPDIR/empty.LOG2" # as many machines have one
  [ "$(rules clean.SYSTEM --logs "$BATS_TEST_TMPDIR/empty.LOG2")" = "$(rules clean.SYSTEM)" ]
}

@test "a hive that was not closed is told with its log, missing or applied" {
  rules dirty-none.SYSTEM
  grep -q 'not clean: its log dirty-none.SYSTEM.LOG1 is missing' "$BATS_TEST_TMPDIR/told"
  rules dirty-log.SYSTEM
  grep -q 'not clean: its log dirty-log.SYSTEM.LOG1 was applied' "$BATS_TEST_TMPDIR/told"
  cp dirty-log.SYSTEM.LOG1 "$BATS_TEST_TMPDIR/log-of-it"
  rules dirty-none.SYSTEM --logs "$BATS_TEST_TMPDIR/log-of-it"
  grep -q 'log-of-it was applied' "$BATS_TEST_TMPDIR/told"
}

@test "a hive and its logs are left as they are" {
  before=$(sha256sum dirty-log.SYSTEM dirty-log.SYSTEM.LOG1)
  run "$AUDIT" hive dirty-log.SYSTEM
  [ "$(sha256sum dirty-log.SYSTEM dirty-log.SYSTEM.LOG1)" = "$before" ]
  [ ! -e dirty-log.SYSTEM.LOG2 ]
}

@test "a hive that does not say which set is current decides nothing" {
  for name in no-select wrong-select; do
    run rules $name.SYSTEM
    echo "$output"
    [ "${output%% *}" = 3 ]
    [ "$(grep -c undecided <<<"${output// /$'\n'}")" = 4 ]
  done
  grep -q 'names ControlSet007, which is not in the hive' "$BATS_TEST_TMPDIR/told"
}

@test "no hive, half a hive, another hive: an input error that names what it is" {
  head -c 6000 /dev/zero >zeros
  cp dirty-log.SYSTEM.LOG1 a-log
  while read -r name want; do
    run --separate-stderr "$AUDIT" hive "$name"
    echo "$name: $status $stderr"
    [ "$status" -eq 2 ]
    [[ $stderr == *"$want"* ]]
  done <<'END'
zeros       not a hive
cut.SYSTEM  truncated
nowhere     No such file
END
  [ "$("$AUDIT" hive clean.SYSTEM nowhere; echo $?)" != 0 ]
}

# ---- evidence of real machines ----

@test "the collected hives give what is known of them" {
  cd "$(shared hives)"
  expect <<'END'
win7-x86.SYSTEM 0
win8-x64-dirty-nolog.SYSTEM 3 boot-execute-sibling:undecided*1 boot-execute:undecided*1 pending-rename:info*1 pending-rename:undecided*1 service-imitation:undecided*1
../synthetic/syn-clean.SYSTEM 0
../synthetic/syn-server-default.SYSTEM 0
../synthetic/syn-chkdsk-scheduled.SYSTEM 0 boot-execute:info*1
../synthetic/syn-bootexecute-extra.SYSTEM 1 boot-execute:medium*1
../synthetic/syn-pfro-system32-replace.SYSTEM 1 pending-rename:info*1 pending-rename:medium*1
END
}

@test "collected hives of another kind, and what is none, are named" {
  cd "$(shared hives)"
  while read -r name want; do
    run --separate-stderr "$AUDIT" hive "$name"
    echo "$name: $status $stderr"
    [ "$status" -eq 2 ]
    [[ $stderr == *"$want"* ]]
  done <<'END'
not-system.BCD              a boot configuration (BCD)
SAM_DUPENAME                a SAM hive
NotAHive                    a program image
EmptyHive                   it has no keys
GarbageHive                 checksum
TruncatedHive               truncated: the header says 491520 bytes, the file has 12288
BogusKeyNamesHive           testnu\x00l
DeletedDataHiveTruncated    not a SYSTEM hive
InvalidParentHive           not a SYSTEM hive
MultiSzHive                 not a SYSTEM hive
StringValuesHive            not a SYSTEM hive
UnicodeHive                 not a SYSTEM hive
100_sub_keys.hiv            not a SYSTEM hive
hivex-minimal               not a SYSTEM hive
hivex-rlenvalue_test_hive   not a SYSTEM hive
pyreg-UNICODE_TESTS         not a SYSTEM hive
dirty-new/NewDirtyHive      logs applied up to sequence 5
dirty-new/RecoveredHive_Windows10 not a SYSTEM hive
dirty-old/OldDirtyHive      logs applied up to sequence 5
dirty-old/RecoveredHive_Windows7 not a SYSTEM hive
END
}

@test "a real hive with one value changed gives that finding and no other" {
  hive=$(shared hives/win7-x86.SYSTEM)
  command -v hivexsh >/dev/null || skip "no hivexsh (libhivex-bin)"
  cp "$hive" "$BATS_TEST_TMPDIR/SYSTEM"
  chmod u+w "$BATS_TEST_TMPDIR/SYSTEM"
  # only values with these names stay in the key: hivexsh sets all values of a key at once
  hivexsh -w <<END
load $BATS_TEST_TMPDIR/SYSTEM
cd \\ControlSet001\\Control\\Session Manager
setval 2
BootExecute
hex:7:61,00,75,00,74,00,6f,00,63,00,68,00,65,00,63,00,6b,00,20,00,61,00,75,00,74,00,6f,00,63,00,68,00,6b,00,20,00,2a,00,00,00,62,00,65,00,62,00,00,00,00,00
BootExecuteNoPnpSync
hex:7:65,00,00,00,00,00
commit
quit
END
  [ "$(rules "$BATS_TEST_TMPDIR/SYSTEM")" = "1 boot-execute-sibling:medium*1 boot-execute:medium*1" ]
}

@test "entries that are told are those that hivexget prints" {
  hive=$(shared synthetic/syn-bootexecute-extra.SYSTEM)
  command -v hivexget >/dev/null || skip "no hivexget (libhivex-bin)"
  hivexget "$hive" "$SESSION" BootExecute | grep -vx -e '' -e 'autocheck autochk \*' >want
  "$AUDIT" hive "$hive" --format ndjson | jq -r 'select(.rule == "boot-execute") | .evidence.entry' >got || true
  diff want got
}

@test "a hive of 12 MiB takes a tenth of a second at most" {
  hive=$(shared hives/win7-x86.SYSTEM)
  "$AUDIT" hive "$hive" >/dev/null
  best=1000000
  for _ in 1 2 3 4 5; do
    before=${EPOCHREALTIME/[.,]/}
    "$AUDIT" hive "$hive" >/dev/null
    took=$((${EPOCHREALTIME/[.,]/} - before))
    [ "$took" -ge "$best" ] || best=$took
  done
  echo "$best microseconds"
  [ "$best" -le 100000 ]
}
