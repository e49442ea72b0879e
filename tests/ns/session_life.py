#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A raw client of the API port, for session_life.bats: many sessions at once, and their rows.

session_life.py new COMMAND [FIELD=VALUE...]   one session; prints status, number, text
session_life.py burst COUNT COMMAND            that many at once; prints each answer and the most
                                               that were in set-up together
session_life.py cycles COUNT COMMAND           made and ended, one after the other
session_life.py many COUNT COMMAND             made, and left alone
session_life.py end N | freeze N | thaw N      prints the status
session_life.py row N                          NAME=VALUE lines
"""
import selectors
import socket
import struct
import sys

PORT = "/run/smss/SmApiPort"
START, STOP, ROW, SUBSCRIBE, FREEZE, EVENT_SESSION = 5, 6, 18, 21, 37, 65
POLICY = "<IIQQIIIIQIIIiIIII16Q"
POLICY_FIELDS = ("given isolation memory_bytes io_bytes_s processes cpu_percent cpu_weight "
                 "io_weight capabilities uid gid umask oom_score idle_s lifetime_s limits "
                 "reserved").split()
ROW_BODY = "<13I4xQQQ48s48s"
ROW_FIELDS = ("cursor session state csrss_pid initial_pid copy_pid failures how isolation owner "
              "flags restarts idle_s ends_ns created_ns ready_us initial console").split()
STATES = "free reserved setting-up registered running ending dying".split()
NO_MORE = 0x8000001A


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(PORT)
    return s


def send(s, call, body, tag=1):
    s.send(struct.pack("<HHIII", call, 0, tag, 0, len(body)) + body)


def receive(s):
    data = s.recv(8192)
    if len(data) < 16:
        sys.exit("the connection was closed")
    call, _, tag, status, _ = struct.unpack("<HHIII", data[:16])
    return call, tag, status, data[16:]


def ask(s, call, body):
    send(s, call, body)
    return receive(s)[2:]


def text(b):
    return b.split(b"\0")[0].decode(errors="replace")


def start_body(command, fields=()):
    values = dict.fromkeys(POLICY_FIELDS, 0)
    for f in fields:
        name, _, value = f.partition("=")
        values[name] = int(value, 0)
    policy = struct.pack(POLICY, *[values[n] for n in POLICY_FIELDS], *[0] * 16)
    return struct.pack("<IIII", 0, 0, 0, 0) + policy + struct.pack("<256s160s", command.encode(), b"")


def started(body):
    return struct.unpack("<I", body[:4])[0], text(body[-160:])


def rows(s):
    cursor = 0
    while True:
        status, body = ask(s, ROW, struct.pack(ROW_BODY, cursor, *[0] * 15, b"", b""))
        if status == NO_MORE:
            return
        row = dict(zip(ROW_FIELDS, struct.unpack(ROW_BODY, body)))
        row["initial"], row["console"] = text(row["initial"]), text(row["console"])
        row["state"] = STATES[row["state"]]
        cursor = row["cursor"]
        yield row


def new(command, *fields):
    status, body = ask(connect(), START, start_body(command, fields))
    print("%08x" % status, *started(body))


def burst(count, command):
    """Events tell every change in order, so that what was true at one time can be counted."""
    watcher, waiting = connect(), selectors.DefaultSelector()
    ask(watcher, SUBSCRIBE, b"")
    waiting.register(watcher, selectors.EVENT_READ, None)
    for i in range(int(count)):
        s = connect()
        waiting.register(s, selectors.EVENT_READ, i)
        send(s, START, start_body(command))
    state, most, left = {}, 0, int(count)
    while left:
        for key, _ in waiting.select():
            call, _, status, body = receive(key.fileobj)
            if call == EVENT_SESSION:
                row = dict(zip(ROW_FIELDS, struct.unpack(ROW_BODY, body)))
                state[row["session"]] = STATES[row["state"]]
                most = max(most, sum(x in STATES[2:4] for x in state.values()))
            elif key.data is not None:
                print("%d %08x" % (key.data, status), *started(body))
                waiting.unregister(key.fileobj)
                left -= 1
    print("most", most)


def end(s, n):
    return ask(s, STOP, struct.pack("<IIII48s", n, 0, 0, 0, b""))[0]


def cycles(count, command):
    s = connect()
    for _ in range(int(count)):
        status, body = ask(s, START, start_body(command))
        if status or end(s, started(body)[0]):
            sys.exit("%08x %s" % (status, started(body)))


def many(count, command):
    s = connect()
    for _ in range(int(count)):
        status, body = ask(s, START, start_body(command))
        if status:
            sys.exit("%08x %s" % (status, started(body)))


def show(n):
    for r in rows(connect()):
        if r["session"] == int(n):
            for name, value in r.items():
                print("%s=%s" % (name, value))


def freeze(n, on):
    print("%08x" % ask(connect(), FREEZE, struct.pack("<II", int(n), on))[0])


VERBS = {
    "new": new, "burst": burst, "cycles": cycles, "many": many, "row": show,
    "end": lambda n: print("%08x" % end(connect(), int(n))),
    "freeze": lambda n: freeze(n, 1), "thaw": lambda n: freeze(n, 0),
}
if __name__ == "__main__":
    VERBS[sys.argv[1]](*sys.argv[2:])
