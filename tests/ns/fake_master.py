# SPDX-License-Identifier: MIT
"""A master for one companion: its connection on fd 3, a sealed plan on fd 4, and TAP.

Numbers and layouts are those of src/wire/wire.h, written down once more on purpose: a change of
the wire that nobody meant fails here.
"""

import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import time

SM_REGISTER, SM_PHASE_ITEM, SM_LOGOFF = 23, 25, 28
SM_SB_CREATE_PROCESS, SM_SB_TERMINATE, SM_SB_PROGRAM_ROW = 48, 49, 52
SM_OK, SM_NOT_IMPLEMENTED = 0, 0xC0000002
SM_NAME_NOT_FOUND, SM_ACCESS_DENIED, SM_INSUFFICIENT_RESOURCES = 0xC0000034, 0xC0000022, 0xC000009A
SM_INVALID_PARAMETER, SM_NO_MORE = 0xC000000D, 0x8000001A
EXEC_DETACHED, EXEC_TERMINAL, EXEC_WAIT, EXEC_PIDFD = 1, 2, 4, 8
CONTROL_SIGNAL, CONTROL_SIZE, CONTROL_EXITED, CONTROL_KILLED = 1, 2, 3, 4
ROLE_CSRSS, ROLE_INITIAL = 10, 11
RESULT = ["ok", "failed", "skipped", "timeout", "crashed", "refused", "not-yet", "running", "degraded"]
SEALS = 0x0001 | 0x0002 | 0x0004 | 0x0008  # seal, shrink, grow, write


def text(field):
    return field.split(b"\0", 1)[0].decode()


class Companion:
    """One started program, seen from the master's side."""

    def __init__(self, argv, plan, session=1, env=None, prefix=()):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.master = ours
        self.items = []
        self.fds = []  # that came with the last message; the caller's
        memfd = os.memfd_create("plan", os.MFD_ALLOW_SEALING)
        os.write(memfd, plan)
        fcntl.fcntl(memfd, fcntl.F_ADD_SEALS, SEALS)
        self.out, out = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in (theirs.fileno(), memfd, out)]
        null = os.open("/dev/null", os.O_RDWR)
        environment = {"PATH": os.environ["PATH"]}
        if session is not None:
            environment["SMSS_SESSION"] = str(session)
        environment.update(env or {})
        dup = os.POSIX_SPAWN_DUP2
        actions = [(dup, null, 0), (dup, high[2], 1), (dup, high[2], 2), (dup, high[0], 3),
                   (dup, high[1], 4)]
        actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in high]
        argv = list(prefix) + list(argv)
        self.pid = os.posix_spawnp(argv[0], argv, environment, file_actions=actions,
                                   setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP})
        for fd in high + [null, memfd, out]:
            os.close(fd)
        theirs.close()
        self.status = None

    def receive(self, timeout=10):
        """The next message that is not a timeline item, as (call, reply, tag, status, body)."""
        end = time.monotonic() + timeout
        while True:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                return None
            data, self.fds, _, _ = socket.recv_fds(self.master, 65536, 8)
            if not data:
                return None
            call, reply, tag, status, length = struct.unpack_from("<HHIII", data)
            body = data[16:]
            assert length == len(body), (call, length, len(body))
            if call == SM_PHASE_ITEM:
                result, detail, start = struct.unpack_from("<IiQ", body)
                self.items.append((text(body[16:64]), RESULT[result], detail, text(body[64:224])))
                continue
            return call, reply, tag, status, body

    def send(self, call, reply=0, tag=0, status=0, body=b""):
        self.master.send(struct.pack("<HHIII", call, reply, tag, status, len(body)) + body)

    def register(self):
        """Waits for SM_REGISTER and answers it; returns (role, pid)."""
        m = self.receive()
        assert m and m[0] == SM_REGISTER, m
        self.send(SM_REGISTER, 1, m[2])
        return struct.unpack("<II", m[4])

    def create(self, command, flags=0, tag=7, size=(24, 80), term=""):
        """Asks for a program; returns (status, (session, flags, pid)). A list is sent as words."""
        words = command.encode()
        count = 0
        if isinstance(command, Words):
            words = b"".join(w.encode() + b"\0" for w in command.words)
            count = len(words)
        body = struct.pack("<IIIHHI48s2000s", 1, flags, 5, *size, count, term.encode(), words)
        self.send(SM_SB_CREATE_PROCESS, 0, tag, 0, body)
        call, reply, got, status, answer = self.receive()
        assert (call, reply, got) == (SM_SB_CREATE_PROCESS, 1, tag), (call, reply, got)
        return status, struct.unpack_from("<III", answer)

    def program(self, *words, **more):
        """A program with pipes or a terminal; returns what the client gets."""
        flags = more.pop("flags", EXEC_WAIT)
        status, (_, _, pid) = self.create(Words(words), flags, **more)
        assert status == SM_OK, hex(status)
        return Program(pid, flags, self.fds)

    def rows(self):
        """The programs it tells of, as (pid, uid, flags, command)."""
        cursor, found = 0, []
        while True:
            self.send(SM_SB_PROGRAM_ROW, 0, 9, 0, struct.pack("<IIIIIIQ160s", cursor, 1, 0, 0, 0, 0, 0, b""))
            _, reply, tag, status, body = self.receive()
            assert (reply, tag) == (1, 9)
            if status == SM_NO_MORE:
                return found
            cursor, _, pid, uid, flags, _, _, command = struct.unpack("<IIIIIIQ160s", body)
            found.append((pid, uid, flags, text(command)))

    def item(self, name, timeout=10):
        """The last item of that name; waits for one."""
        end = time.monotonic() + timeout
        self.receive(0.02)
        while True:
            for i in reversed(self.items):
                if i[0] == name:
                    return i
            if time.monotonic() > end:
                return None
            self.receive(0.1)

    def terminate(self):
        self.send(SM_SB_TERMINATE)

    def wait(self, timeout=10):
        """Exit status, or None when it still runs; negative = signal."""
        end = time.monotonic() + timeout
        while self.status is None and time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.005)
        return self.status

    def output(self):
        os.set_blocking(self.out, False)
        try:
            return os.read(self.out, 65536).decode(errors="replace")
        except BlockingIOError:
            return ""

    def switches(self):
        with open(f"/proc/{self.pid}/status") as f:
            return [line for line in f if "ctxt_switches" in line]

    def idle(self, seconds=1.0):
        """It does not wake up while nothing happens."""
        time.sleep(0.3)
        before = self.switches()
        time.sleep(seconds)
        return before == self.switches()

    def shut(self):
        self.master.close()
        if self.wait(5) is None:
            os.kill(self.pid, signal.SIGKILL)
            self.wait(5)
        os.close(self.out)


class Words:
    """A command whose words are told apart already."""

    def __init__(self, words):
        self.words = words

    def encode(self):
        return b""


class Program:
    """A program's client: its control connection and its descriptors."""

    def __init__(self, pid, flags, fds):
        fds = list(fds)
        self.pid = pid
        self.pidfd = fds.pop(0) if flags & EXEC_PIDFD else None
        self.control = socket.socket(fileno=fds.pop(0))
        self.fds = fds

    def tell(self, what, value):
        self.control.send(struct.pack("<II", what, value))

    def end(self, timeout=10):
        """("exited" or "killed", number), None = nothing came, "gone" = it will not come."""
        self.control.settimeout(timeout)
        try:
            data = self.control.recv(64)
        except TimeoutError:
            return None
        except ConnectionError:
            return "gone"
        if not data:
            return "gone"
        what, value = struct.unpack("<II", data)
        return {CONTROL_EXITED: "exited", CONTROL_KILLED: "killed"}[what], value

    def read(self, which=-1, until=None, timeout=5):
        """All of its output (or its terminal's), or what comes until a text is in it."""
        fd, data, end = self.fds[which], b"", time.monotonic() + timeout
        while until is None or until.encode() not in data:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                break
            try:
                more = os.read(fd, 65536)
            except OSError:
                break
            if not more:
                break
            data += more
        return data.decode()

    def close(self):
        self.control.close()
        for fd in self.fds + ([self.pidfd] if self.pidfd is not None else []):
            os.close(fd)
        self.fds, self.pidfd = [], None


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def check(self, name, good, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}", flush=True)
        if not good and detail != "":
            print("#", str(detail).replace("\n", "\n# "), flush=True)

    def end(self):
        print(f"1..{self.count}", flush=True)
        sys.exit(1 if self.failed else 0)


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def wait_for(what, timeout=5):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.01)
    return bool(what())


def make_plan(tool, *words):
    return subprocess.run([tool, *words], check=True, stdout=subprocess.PIPE).stdout
