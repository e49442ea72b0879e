#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Asks the session manager for sessions as any client may: raw messages over its port.

    session_ask.py start [NAME=VALUE...] [-- COMMAND]   prints "STATUS SESSION TEXT"
    session_ask.py stop N                               prints "STATUS LEFT PID NAME"
    session_ask.py limits N [NAME=VALUE...]             prints "STATUS"
    session_ask.py rows                                 a line a session: N STATE ISOLATION OWNER
                                                        csrss=PID initial=PID how=N restarts=N

Numbers and layouts are those of src/wire, written down once more on purpose: a change of the wire
that nobody meant fails here. Exit status 0 when the call succeeded, 1 when it was refused.
"""

import os
import socket
import struct
import sys

HEADER = struct.Struct("<HHIII")
POLICY = struct.Struct("<IIQQIIIIQIIIiIIII16Q")
START = struct.Struct("<IIII%ds256s160s" % POLICY.size)
STOP = struct.Struct("<IIII48s")
LIMITS = struct.Struct("<IIIIIIQQ")
ROW = struct.Struct("<13I4xQQQ48s48s")
START_CSR, STOP_CSR, ROWS, SESSION_LIMITS = 5, 6, 18, 36
STATES = ["free", "reserved", "setting-up", "registered", "running", "ending", "dying"]
ISOLATE = {"mount": 1, "ipc": 2, "pid": 4, "uts": 8, "net": 16, "dev": 32}
GIVEN = {"caps": 1, "owner": 2, "umask": 4, "oom": 8, "nnp": 16}
RLIMITS = ("cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice "
           "rtprio rttime").split()
NO_OWNER = 0xFFFFFFFF


def text(field):
    return field.split(b"\0", 1)[0].decode()


def policy(words):
    """NAME=VALUE words as struct sm_policy."""
    p = dict.fromkeys("given isolation memory io processes cpu cpu_weight io_weight caps uid gid "
                      "umask oom idle lifetime limits".split(), 0)
    limits = [0] * 16
    for word in words:
        name, value = word.split("=", 1)
        if name == "isolation":
            for part in value.split(","):
                p["isolation"] |= ISOLATE[part]
        elif name == "owner":
            p["uid"], p["gid"] = (int(n) for n in value.split(":"))
        elif name in RLIMITS:
            p["limits"] |= 1 << RLIMITS.index(name)
            limits[RLIMITS.index(name)] = int(value)
        elif name != "nnp":
            p[name] = int(value, 8 if name == "umask" else 0)
        p["given"] |= GIVEN.get(name, 0)
    return POLICY.pack(p["given"], p["isolation"], p["memory"], p["io"], p["processes"], p["cpu"],
                       p["cpu_weight"], p["io_weight"], p["caps"], p["uid"], p["gid"], p["umask"],
                       p["oom"], p["idle"], p["lifetime"], p["limits"], 0, *limits)


def call(s, number, body):
    s.send(HEADER.pack(number, 0, 1, 0, len(body)) + body)
    data = s.recv(8192)
    head = HEADER.unpack_from(data)
    assert head[:3] == (number, 1, 1), head
    return head[3], data[HEADER.size:]


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(os.environ.get("SM_PORT", "/run/smss/SmApiPort"))
    return s


def main(argv):
    s = connect()
    verb, words = argv[0], argv[1:]
    status = 0
    if verb == "start":
        command = ""
        if "--" in words:
            command = " ".join(words[words.index("--") + 1:])
            words = words[:words.index("--")]
        status, body = call(s, START_CSR, START.pack(0, 0, 0, 0, policy(words), command.encode(), b""))
        answer = START.unpack(body)
        print("%08x %d %s" % (status, answer[0], text(answer[6])))
    elif verb == "stop":
        status, body = call(s, STOP_CSR, STOP.pack(int(words[0]), 0, 0, 0, b""))
        _, left, pid, _, name = STOP.unpack(body)
        print("%08x %d %d %s" % (status, left, pid, text(name)))
    elif verb == "limits":
        given = dict(word.split("=", 1) for word in words[1:])
        number = {name: int(value, 0) for name, value in given.items()}
        status, body = call(s, SESSION_LIMITS, LIMITS.pack(
            int(words[0]), number.get("processes", 0), number.get("cpu", 0),
            number.get("cpu_weight", 0), number.get("io_weight", 0), 0, number.get("memory", 0),
            number.get("io", 0)))
        print("%08x" % status)
    elif verb == "rows":
        cursor = 0
        while True:
            got, body = call(s, ROWS, ROW.pack(cursor, *[0] * 15, b"", b""))
            if got:
                break
            row = ROW.unpack(body[:ROW.size])
            cursor = row[0]
            names = ",".join(n for n, bit in ISOLATE.items() if row[8] & bit) or "-"
            print("%d %s %s %s csrss=%d initial=%d how=%d restarts=%d" % (
                row[1], STATES[row[2]], names, "-" if row[9] == NO_OWNER else row[9], row[3],
                row[4], row[7], row[11]))
    else:
        raise SystemExit("what is %s?" % verb)
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
