#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Bad input at boot: the thing is named on the console and in `smctl boot`, the boot goes on as the
# design says, and nothing is lost.

load lib.bash

setup() {
  machine
  hive
}

builtin_level() {
  start; ready
  ctl status | grep -q 'built-in'
  seen "$1"
  row "$2" failed
  off
}

@test "no hive: the built-in minimum, said" {
  rm "$HIVE"*
  builtin_level 'no hive' SYSTEM
}

@test "a truncated hive: the built-in minimum, said; the file is untouched" {
  truncate -s 5000 "$HIVE"; rm "$HIVE.plan"
  sum=$(sha256sum <"$HIVE")
  builtin_level SYSTEM ''
  [ "$sum" = "$(sha256sum <"$HIVE")" ]
}

@test "a garbage hive: the built-in minimum, said; the file is untouched" {
  head -c 65536 /dev/urandom >"$HIVE"
  sum=$(sha256sum <"$HIVE")
  builtin_level SYSTEM ''
  [ "$sum" = "$(sha256sum <"$HIVE")" ]
}

@test "a dirty hive is read, and said to be dirty" {
  # the primary sequence number goes up, its twin and the checksum as a real cut would leave them
  python3 - "$HIVE" <<'END'
import struct, sys
with open(sys.argv[1], "r+b") as f:
    b = bytearray(f.read(512))
    struct.pack_into("<I", b, 4, struct.unpack_from("<I", b, 4)[0] + 1)
    x = 0
    for i in range(127):
        x ^= struct.unpack_from("<I", b, 4 * i)[0]
    struct.pack_into("<I", b, 508, x)
    f.seek(0)
    f.write(b)
END
  start; ready
  ctl status | grep -q Current
  ctl boot | grep -qi dirty
  off
}

@test "no plan, a garbage plan, a stale plan: made anew from the hive, said" {
  for how in missing garbage stale; do
    case $how in
      missing) rm "$HIVE.plan" ;;
      garbage) head -c 4000 /dev/urandom >"$HIVE.plan" ;;
      stale) cp "$HIVE.plan" "$M/plan"; value 'Session Manager' AutoChkTimeOut REG_DWORD 5; cp "$M/plan" "$HIVE.plan" ;;
    esac
    start; ready
    ctl status | grep -q Current
    row SYSTEM.plan degraded
    off
    "$SMREG" plan --write --hive "$HIVE" >/dev/null
  done
}

@test "garbage in boot.state: counting begins anew, the damaged file is kept" {
  head -c 1024 /dev/urandom >"$M/var/boot.state"
  start; ready
  row boot.state degraded "kept as"
  inside test -e /var/lib/smss/boot.state.bad
  ctl status | grep -q 'attempt *1'
  off
}

@test "an unknown and a mistyped value: said, not used, the boot is normal" {
  value 'Session Manager' BootExecut REG_MULTI_SZ 'x' --force
  value 'Session Manager' NumberOfInitialSessions REG_SZ two --force
  start; ready
  ctl boot | grep -q BootExecut
  ctl boot | grep NumberOfInitialSessions | grep -q refused
  [ "$(ctl tree | grep -c csrss)" -eq 2 ]
  off
  run "$SMREG" check --hive "$HIVE"
  [ "$status" -eq 1 ]
  [[ $output =~ BootExecute ]]
}

@test "BootExecute: a missing image, one that hangs, one that crashes, one that is not root's" {
  mkdir -p "$M/root/opt"
  printf '#!/bin/sh\nkill -SEGV $$\n' >"$M/root/opt/crash"
  printf '#!/bin/sh\nexec sleep 1000\n' >"$M/root/opt/hang"
  printf '#!/bin/sh\nexit 0\n' >"$M/root/opt/open"
  chmod 755 "$M"/root/opt/*; chmod 777 "$M/root/opt/open"; chmod go-w "$M/root/opt"
  value 'Session Manager' BootExecute REG_MULTI_SZ \
    'autocheck autochk *\0nosuch\0/opt/crash\0/opt/hang\0/opt/open'
  value 'Session Manager' ExecuteDeadline REG_DWORD 1
  start; ready
  row nosuch failed
  row /opt/crash crashed
  row /opt/hang timeout
  row /opt/open refused
  seen nosuch
  seen /opt/hang
  [ "$(ctl tree | grep -c csrss)" -eq 2 ]
  off
}

@test "a csrss that dies at once: recorded stop, reboot; attempts used up, the built-in minimum" {
  value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ /bin/false
  for i in 1 2 3; do
    start; ended
    [ "$status" -eq 129 ]
  done
  seen 'STOP 0xC000021A'
  start; ready
  ctl status | grep -q 'built-in'
  row SYSTEM failed 'attempts'
  ctl stops | grep -qi c000021a
  off
  # a changed hive is tried again
  value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ 'csrss ObjectDirectory=\Windows'
  start; ready
  ctl status | grep -q Current
  off
}

@test "a csrss that never registers: its deadline, a recorded stop" {
  value 'Session Manager\SubSystems' Windows REG_EXPAND_SZ '/bin/sleep 1000'
  value 'Session Manager\Sessions\0' StartDeadline REG_DWORD 1
  start; ended
  [ "$status" -eq 129 ]
  seen 'STOP 0xC000021A'
}

@test "a critical process dies: stop on the console, filed, told by the next boot" {
  start; ready
  pid=$(inside sh -c 'for p in /proc/[0-9]*; do read -r c <$p/comm; [ "$c" = wininit ] && echo ${p#/proc/}; done' | head -1)
  inside kill -9 "$pid"
  ended
  [ "$status" -eq 129 ]
  seen 'STOP 0xC000021A STATUS_SYSTEM_PROCESS_TERMINATED: wininit'
  grep -q wininit "$M/var/stops.jsonl"
  start; ready
  ctl stops | grep -q wininit
  ctl boot | grep -q 'the last boot ended by STATUS_SYSTEM_PROCESS_TERMINATED'
  off
}

@test "the master is killed from outside: the next boot records that stop" {
  start; ready
  kill -9 "$(cat "$M/pid")"
  ended
  start; ready
  ctl stops | grep -q MASTER_KILLED
  row LastStop degraded MASTER_KILLED
  off
}

@test "a full disk: state is off and said, the boot goes on" {
  [ "$(id -u)" -eq 0 ] || skip "mounting a small file system needs root"
  mount -t tmpfs -o size=4k,mode=755 full "$M/var"
  head -c 4096 /dev/zero >"$M/var/filler" || true
  start; ready
  row /var/lib/smss degraded "state is off"
  ctl status | grep -qi 'state'
  [ "$(ctl tree | grep -c csrss)" -eq 2 ]
  off
  umount "$M/var"
}

@test "a read-only state directory: off, said, and pending entries are kept" {
  [ "$(id -u)" -eq 0 ] || skip "a read-only mount needs root"
  value 'Session Manager' PendingFileRenameOperations REG_MULTI_SZ '/var/tmp/a\0/var/tmp/b'
  echo a >"$M/root/var/tmp/a"
  mount -t tmpfs -o ro,mode=755 ro "$M/var"
  start; ready
  row /var/lib/smss degraded "state is off"
  inside test -e /var/tmp/a
  ctl boot | grep -q 'entries kept'
  off
  umount "$M/var"
}

@test "rubbish on the API port: the master stays, other clients are served" {
  start; ready
  cat >"$M/rubbish.py" <<'END'
import os, random, socket, sys
random.seed(7)
for i in range(300):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect("/proc/%s/root/run/smss/SmApiPort" % sys.argv[1])
    try:
        if i % 3 == 0:
            s.send(os.urandom(random.randrange(1, 4000)))
        elif i % 3 == 1:  # a right header of a random call, a wrong or right length
            n = random.randrange(0, 900)
            s.send(random.randrange(0, 80).to_bytes(2, "little") + b"\0\0" + b"\1\0\0\0" + b"\0" * 4
                   + n.to_bytes(4, "little") + os.urandom(n))
        else:
            socket.send_fds(s, [b"x" * 16], [0] * 4)
    except OSError:
        pass
    if i % 7:
        s.close()
END
  python3 "$M/rubbish.py" "$(cat "$M/pid")"
  ctl status | grep -q Ready
  off
  [ "$status" -eq 0 ]
}
