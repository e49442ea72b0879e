#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What smctl pending says of a group, to people and to programs: which path and why, in words and in
# a code; what is kept, how much and whether a boot has accepted it; where things of others are. On a
# mounted system; no machine is booted.

load lib.bash
bats_require_minimum_version 1.5.0

setup() {
  R=$BATS_TEST_TMPDIR/root
  mkdir -p "$R/etc" "$R/opt/app.new" "$R/opt/app" "$R/var/lib"
  echo old >"$R/etc/conf"
  echo new >"$R/opt/conf.new"
  echo in >"$R/opt/app.new/conf"
}

pending() { "$STAGE/usr/bin/smctl" pending --root "$R" "$@"; }
# row GROUP FILTER - of the group in the list
row() { pending list --json | jq -c ".groups[] | select(.group == $1) | $2"; }
# problems COMMAND... - operation, code and group of each
problems() { "$@" --json | jq -c '[(.problems // .groups[0].problems)[] | [.operation, .code, .group]]'; }

@test "a refused group names its path and a code: in list, show, report and apply" {
  pending add --replace /opt/conf.new /etc/conf --group app
  echo other >"$R/opt/conf.new2"; mv "$R/opt/conf.new2" "$R/opt/conf.new"
  run pending apply
  [ "$status" -eq 1 ]
  [[ $output == *'group 1 (app): refused'*'operation 1: /opt/conf.new: the file found is not'* ]]
  [ "$(row 1 '[.state, .code, .path, .operation]')" = '["refused","identity","/opt/conf.new",1]' ]
  pending list | grep -q '^ *operation 1: the file found is not'
  pending list | grep -q '^ */opt/conf.new$'
  pending show app | grep -q 'operation 1: /opt/conf.new: the file found is not'
  pending report app | grep -q 'operation 1: /opt/conf.new: the file found is not'
  [ "$(pending report app --json | jq -c '.groups[0].history[-1] | [.code, .path]')" = '["identity","/opt/conf.new"]' ]
}

@test "the target is named when it is the target's fault" {
  pending add /opt/conf.new /etc/conf.d
  echo there >"$R/etc/conf.d"
  run pending apply
  [ "$(row 1 '[.code, .path]')" = '["exists","/etc/conf.d"]' ]
  pending add --replace /opt/conf.new /etc/conf
  rm "$R/etc/conf"; mkdir "$R/etc/conf"
  run pending apply
  [ "$(row 2 '[.code, .path]')" = '["kind","/etc/conf"]' ]
  [ "$(row 2 .result)" != null ]
}

@test "a link that came in the way is found on the side it is on" {
  pending add /opt/conf.new /opt/app/conf
  rmdir "$R/opt/app"; ln -s /etc "$R/opt/app"
  run pending apply
  [ "$(row 1 '[.code, .path]')" = '["link","/opt/app/conf"]' ]
}

@test "an operation that goes through another one tells that alone, and what to do" {
  run --separate-stderr pending add --replace /opt/app.new /opt/app /opt/app/conf /etc/conf
  [ "$status" -ne 0 ]
  [ "$(printf '%s\n' "$stderr" | grep -c 'operation')" -eq 1 ]
  [[ $stderr == *'take it out of there first (mv), or queue it after the boot'* ]]
}

@test "a group that waits and comes first is named, by number and name" {
  pending add --replace /opt/app.new /opt/app --group one
  run --separate-stderr pending add --replace /opt/app /opt/app3
  [ "$status" -ne 0 ]
  [[ $stderr == *'/opt/app: group 1 (one): a group that waits moves it first'* ]]
  [ "$(problems pending add --check /opt/app/conf /etc/conf)" = '[[1,"earlier-through",1]]' ]
}

@test "check of a queued undo finds what the boot would refuse, and changes nothing" {
  pending add --replace /opt/conf.new /etc/conf --group app
  pending apply
  pending undo app
  pending check 2 | grep -q 'no problem was found'
  echo mine >"$R/etc/mine"; mv "$R/etc/mine" "$R/etc/conf"
  run --separate-stderr pending check 2
  [ "$status" -eq 1 ]
  [[ $stderr == *'/etc/conf: the file found is not'* ]]
  [ "$(problems pending check 2)" = '[[1,"identity",1]]' ]
  [ "$(cat "$R/etc/conf")" = mine ]
  [ "$(row 2 .state)" = '"queued"' ]
  run pending apply
  [ "$status" -eq 1 ]
  [ "$(row 2 '[.state, .code]')" = '["refused","identity"]' ]
  [ "$(cat "$R/etc/conf")" = mine ]
}

@test "what is kept: how much, whether a boot has accepted it, and that purge leaves it" {
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  pending show 1 | grep -q '^kept *4 kB, no boot has accepted it yet$'
  [ "$(pending show 1 --json | jq -c '[.kept_bytes, .accepted, .aside]')" = '[4096,false,[]]' ]
  [ "$(row 1 .accepted)" = false ]
  [ "$(pending purge --keep 0)" = $'0 groups purged\n1 group kept: no boot has accepted it yet (--unaccepted)' ]
  [ "$(pending purge --keep 0 --json | jq -c '[.purged, .left, .unaccepted]')" = '[0,0,1]' ]
  [ "$(pending purge --keep 0 --unaccepted --json | jq -c '[.purged, .left, .unaccepted]')" = '[1,0,0]' ]
  pending show 1 | grep -q 'originals gone'
}

@test "an accepted boot is seen in the state of the system" {
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  python3 - "$R/var/lib/smss/boot.state" <<'PY'
import struct, sys
def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
slot = bytearray(512)
slot[0:8] = b"SMSSBOOT"
struct.pack_into("<I", slot, 8, 1)
struct.pack_into("<Q", slot, 16, 1)   # generation
struct.pack_into("<Q", slot, 48, 1)   # boots
struct.pack_into("<Q", slot, 448, 1)  # the boot accepted last
struct.pack_into("<I", slot, 12, crc32c(bytes(slot)))
open(sys.argv[1], "wb").write(bytes(slot) + bytes(512))
PY
  chmod 600 "$R/var/lib/smss/boot.state"
  [ "$(row 1 .accepted)" = true ]
  pending show 1 | grep -q '^kept *4 kB, a boot has accepted it: it goes with a purge$'
  [ "$(pending purge --keep 0)" = '1 group purged' ]
}

@test "a fallback says why it took back, and where it put what was in its way" {
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  echo another >"$R/opt/conf.new"
  pending apply --fallback
  [ "$(cat "$R/etc/conf")" = old ] && [ "$(cat "$R/opt/conf.new")" = new ]
  pending report 1 | grep -q 'a fallback: no boot had accepted it'
  at=$(pending show 1 --json | jq -r '.aside[0] | .directory + "/" + .name')
  [[ $at == /var/lib/smss/graveyard/00000001/* ]]
  [ "$(cat "$R$at")" = another ]
  pending show 1 | grep -q "^ *$at\$"
  pending report 1 | grep -q "put aside: $at\$"
  [ "$(pending report 1 --json | jq '.groups[0].aside | length')" -eq 1 ]
}

@test "a group that was undone does not blame a fallback" {
  pending add --replace /opt/conf.new /etc/conf
  pending apply
  pending undo 1; pending apply
  [ "$(row 1 .state)" = '"reverted"' ]
  isnt grep -q fallback <(pending report 1)
}
