#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""on_terminal.py [STEP...] -- CMD... - run CMD on a terminal of its own and do what a person would.

Steps, in order: see:TEXT waits for the text in what was not looked at yet; type:TEXT types it
(escapes as in Python); size:ROWS,COLUMNS; kill:SIGNAL to the smctl below CMD;
wait:SECONDS; cooked and raw wait until the terminal is so. Prints all that came, and
whether the terminal is as it was. Exits with CMD's exit code (128 + signal), 124 when a step failed.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

TIMEOUT = 10


class Terminal:
    def __init__(self, command):
        self.master, self.slave = pty.openpty()
        self.size(24, 80)
        self.before = termios.tcgetattr(self.slave)
        self.all, self.looked, self.code = b"", 0, None
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.closerange(3, 64)
            os.execvp(command[0], command)

    def size(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, timeout):
        if select.select([self.master], [], [], timeout)[0]:
            self.all += os.read(self.master, 65536)

    def see(self, what):
        end = time.monotonic() + TIMEOUT
        while what not in self.all[self.looked:]:
            if time.monotonic() > end:
                return False
            self.read(0.05)
        self.looked = self.all.index(what, self.looked) + len(what)
        return True

    def until(self, what):
        end = time.monotonic() + TIMEOUT
        while not what():
            if time.monotonic() > end:
                return False
            self.read(0.02)
        return True

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def smctl(self):
        """The smctl below CMD."""
        todo = [self.pid]
        while todo:
            pid = todo.pop()
            with open(f"/proc/{pid}/comm") as f:
                if f.read().strip() == "smctl":
                    return pid
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                todo += [int(p) for p in f.read().split()]
        raise SystemExit("no smctl")

    def gone(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.code = code if code >= 0 else 128 - code
        return self.code is not None

    def step(self, word):
        name, _, rest = word.partition(":")
        if name == "see":
            return self.see(rest.encode())
        if name == "type":
            os.write(self.master, rest.encode().decode("unicode_escape").encode("latin-1"))
        elif name == "size":
            self.size(*map(int, rest.split(",")))
        elif name == "kill":
            os.kill(self.smctl(), getattr(signal, "SIG" + rest))
        elif name == "wait":
            self.until_time = time.monotonic() + float(rest)
            self.until(lambda: time.monotonic() > self.until_time)
        elif name == "raw":
            return self.until(self.is_raw)
        elif name == "cooked":
            return self.until(lambda: not self.is_raw())
        else:
            raise SystemExit(f"no such step: {word}")
        return True


def main():
    at = sys.argv.index("--")
    t = Terminal(sys.argv[at + 1:])
    failed = ""
    for word in sys.argv[1:at]:
        if not t.step(word):
            failed = word
            os.kill(t.smctl(), signal.SIGKILL)
            break
    if not t.until(t.gone):
        failed = failed or "it does not end"
        os.kill(t.pid, signal.SIGKILL)
    while select.select([t.master], [], [], 0.1)[0]:
        t.read(0)
    sys.stdout.buffer.write(t.all.replace(b"\r", b""))
    same = termios.tcgetattr(t.slave) == t.before
    print(f"\nterminal: {'as it was' if same else 'changed'}" + (f"\nfailed: {failed}" if failed else ""))
    sys.stdout.flush()
    sys.exit(124 if failed else t.code)


main()
