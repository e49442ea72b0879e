#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Every system call of a session's set-up fails in turn (or the copy dies at it): inside a booted
namespace machine whose smss is fail_at.c.

    session_fault.py ERRNO[,ERRNO...] POLICY-WORD... -- COMMAND

Each time the client must get an answer within the deadline, and afterwards nothing may be there
that was not there before: no directory, group, mount, descriptor of the master's, no process. A
line a call: CALL NUMBER ERRNO STATUS SECONDS TEXT; the last one is "calls N errors N". Exit status 1 when
something hung, leaked or did not end.
"""

import os
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, "/probe")
import ask  # noqa: E402  session_ask.py

PLACE = "/probe/fail"
DEADLINE_S = 12
# What a session is protected by: a session without it is worse than none. Of prctl there are three
# that may fail: the two that find the last capability, and one that only gives the copy back what
# it lost.
PROTECTS = {105: "setuid", 106: "setgid", 116: "setgroups", 165: "mount", 259: "mknodat",
            272: "unshare", 302: "prlimit64", 308: "setns", 435: "clone3"}
PRCTL, PRCTL_MAY = 157, 3
# EINVAL is how the kernel says that there is no such capability: the last one is taken for that.
EINVAL, EINVAL_MORE = 22, 2
# There is another way then: a directory to mount on is made, a device is mounted instead of made,
# terminals are mounted without their group.
OTHER_WAY = {(165, 2), (165, 22), (259, 1)}
wrong = 0
passed = []  # calls that failed and did not matter


def say_wrong(*what):
    global wrong
    wrong += 1
    print("WRONG:", *what, flush=True)


def things():
    """What may not grow. Names of processes, not numbers."""
    found = {"sessions": sorted(os.listdir("/run/smss/sessions")),
             "groups": sorted(d for d, _, _ in os.walk("/sys/fs/cgroup/smss")),
             "mounts": sorted(open("/proc/mounts").read().split("\n")),
             "fds": len(os.listdir("/proc/1/fd")), "processes": []}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = open("/proc/%s/comm" % pid).read().strip()
        except OSError:
            continue
        found["processes"].append(name)
    found["processes"].sort()
    return found


def settled(before):
    """The same as before within a moment: the tracer and who was orphaned go by themselves."""
    until = time.monotonic() + 3
    while True:
        now = things()
        if now == before:
            return True
        if time.monotonic() > until:
            for kind in now:
                if now[kind] != before[kind]:
                    say_wrong(kind, "before", before[kind], "now", now[kind])
            return False
        time.sleep(0.005)


def one(client, call, error, words, command, before):
    with open(PLACE + "/order", "w") as order:
        order.write("%d %d\n" % (call, error))
    if os.path.exists(PLACE + "/done"):
        os.unlink(PLACE + "/done")
    begin = time.monotonic()
    body = ask.START.pack(0, 0, 0, 0, ask.policy(words), command.encode(), b"")
    status, answer = ask.call(client, ask.START_CSR, body)
    took = time.monotonic() - begin
    number, text = ask.START.unpack(answer)[0], ask.text(ask.START.unpack(answer)[6])
    os.unlink(PLACE + "/order")
    if took > DEADLINE_S:
        say_wrong("call", call, "took", took)
    if status == 0:
        status_of_end, _ = ask.call(client, ask.STOP_CSR, ask.STOP.pack(number, 0, 0, 0, b""))
        if status_of_end:
            say_wrong("call", call, "the session did not end: %08x" % status_of_end)
    until = time.monotonic() + 3
    while not os.path.exists(PLACE + "/done") and time.monotonic() < until:
        time.sleep(0.002)
    which = open(PLACE + "/done").read().split()[1] if os.path.exists(PLACE + "/done") else "?"
    if status == 0 and error and which.isdigit():
        number_of_call = int(which)
        passed.append(number_of_call)
        if (number_of_call in PROTECTS and (number_of_call, error) not in OTHER_WAY or
                number_of_call == PRCTL and
                passed.count(PRCTL) > PRCTL_MAY + EINVAL_MORE * (error == EINVAL)):
            say_wrong("call", call, "is", PROTECTS.get(number_of_call, "prctl"),
                      "and there is a session")
    print(call, which, error, "%08x" % status, "%.3f" % took, text, flush=True)
    if not settled(before):
        raise SystemExit(1)
    return which


def main(argv):
    errors = [int(e) for e in argv[0].split(",")]
    words, command = argv[1:argv.index("--")], " ".join(argv[argv.index("--") + 1:])
    calls = 0
    client = ask.connect()
    ask.call(client, ask.ROWS, ask.ROW.pack(0, *[0] * 15, b"", b""))
    until = time.monotonic() + 5
    while things()["processes"].count("smss") > 1 and time.monotonic() < until:
        time.sleep(0.05)  # a copy of the boot
    before = things()
    for error in errors:
        call = 1
        passed.clear()
        while one(client, call, error, words, command, before) != "-":
            call += 1
            if call > 500:
                say_wrong("it has no end")
                break
        calls = call - 1
    print("calls %d errors %d" % (calls, len(errors)))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
