#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What an ordinary user or a stray process may try against PID 1: it stays, answers, leaks nothing,
# and goes down in order.

load lib.bash

setup() {
  machine
  hive
}

port() { echo "/proc/$(cat "$M/pid")/root/run/smss/SmApiPort"; }
few_fds() { [ "$(fds)" -le "$1" ]; }
fds() { ls "/proc/$(cat "$M/pid")/fd" | wc -l; }

@test "fds stuffed into messages, empty ones too, leave none in PID 1" {
  start; ready
  before=$(fds)
  cat >"$M/stuff.py" <<'END'
import socket, sys
for i in range(60):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    try:
        socket.send_fds(s, [b"" if i % 2 else b"x" * 16], [0, 1, 2, 0])
        socket.send_fds(s, [b""], [0] * 4)
    except OSError:
        pass
    s.close()
END
  python3 "$M/stuff.py" "$(port)" </dev/null
  ctl status | grep -q Ready
  wait_for 10 few_fds $((before + 1)) # on a busy host they take a moment to go
  off
}

@test "an fd whose last close sleeps does not hold PID 1 up" {
  start; ready
  cat >"$M/linger.py" <<'END'
import os, socket, struct, sys, time
l = socket.socket(); l.bind(("127.0.0.1", 0)); l.listen(1)
for i in range(8):
    c = socket.socket(); c.connect(l.getsockname())
    p, _ = l.accept()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    c.setblocking(False)
    try:
        while True:
            c.send(b"x" * 65536)
    except BlockingIOError:
        pass
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(sys.argv[1])
    try:
        socket.send_fds(s, [b"garbage"], [c.fileno()])
    except OSError:
        pass
    os.close(c.detach())
    s.close()
    globals()["keep%d" % i] = p
time.sleep(float(sys.argv[2]))
END
  python3 "$M/linger.py" "$(port)" 8 3>&- &
  job=$!
  sleep 1.5
  begin=$SECONDS
  for _ in 1 2 3 4 5; do timeout 5 "$STAGE/usr/bin/smctl" --socket "$(port)" status >/dev/null; done
  [ $((SECONDS - begin)) -lt 4 ]
  kill "$job" 2>/dev/null || true
  off
}

@test "a thousand orphans that die at once are all reaped" {
  start; ready
  cat >"$M/root/orphans.py" <<'END'
import os, time
if os.fork() == 0:
    for _ in range(1000):
        if os.fork() == 0:
            os._exit(0)
    time.sleep(0.3)  # all of them are zombies now, and become PID 1's at one stroke
    os._exit(0)
END
  cp "$M/root/orphans.py" "/proc/$(cat "$M/pid")/root/tmp/orphans.py"
  inside python3 /tmp/orphans.py
  no_zombies() {
    inside sh -c 'for s in /proc/[0-9]*/stat; do read -r l <$s && case $l in *") Z "*) exit 1;; esac; done 2>/dev/null; exit 0'
  }
  wait_for 10 no_zombies
  off
}

@test "clients come and go by the thousand: no place is lost" {
  start; ready
  before=$(fds)
  cat >"$M/flood.py" <<'END'
import socket, sys
for i in range(3000):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(2)
    try:
        s.connect(sys.argv[1])
    except OSError:
        pass
    s.close()
END
  python3 "$M/flood.py" "$(port)"
  ctl status | grep -q 'Ready'
  [ "$(fds)" -le $((before + 1)) ]
  off
}

@test "an initial command that speaks no protocol is asked to end by TERM" {
  start; ready
  ctl session new '/bin/sleep 1000'
  begin=$SECONDS
  ctl session end 2
  [ $((SECONDS - begin)) -lt 5 ]
  off
}

@test "a signal that somebody sends is no fault of PID 1" {
  start; ready
  inside sh -c 'kill -SEGV 1; kill -ABRT 1; kill -BUS 1' || true
  sleep 0.3
  ctl status | grep -q Ready
  off
  [ "$status" -eq 0 ]
}
