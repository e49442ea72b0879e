#!/usr/bin/env python3
"""Runs one QEMU, and talks with its serial console by a script.

Called by `boot`, which makes QEMU's arguments; this file adds the serial line, the control channel
and the kernel's words. It sees to three things: a boot that hangs before PID 1 is an accident of
the emulator and is tried again; every wait has a deadline; how it ended is said by the exit code,
and by the step that failed with the last lines of the console.

A scenario is a text file, one step a line, words split as in sh ('single quotes' keep a regex as it
is), # begins a comment:

  expect REGEX [SECONDS]     wait (10 s) until it appears after what the last expect matched
  expect-not REGEX           from here on it may not appear; without REGEX: forget all of these
  send TEXT                  type TEXT and a newline; \\xNN and \\e work, \\c at the end: no newline
  mark NAME                  print NAME and the seconds since PID 1 was executed
  sleep SECONDS              let the guest be; only where there is nothing to wait for
  monitor COMMAND            a command of QEMU's monitor: system_reset, sendkey ctrl-alt-delete, ...
  cut                        take the power away: QEMU is killed
  end KIND [SECONDS]         wait (30 s) for poweroff, reboot, halt, panic, or any of these

With --reboot-ok steps may follow `end reboot`: they see the next boot. A scenario without a final
`end` or `cut` ends QEMU when its steps are done. SMSS_VM_SLOW=2 doubles all waits.
Exit: 0 well, 1 a step failed, 2 usage, 3 time-out, 4 PID 1 never reached, 5 kernel panic.
"""

import argparse
import ctypes
import json
import mmap
import os
import re
import select
import shlex
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

OK, FAILED, USAGE, TIMEOUT, NO_INIT, PANIC = 0, 1, 2, 3, 4, 5

SLOW = float(os.environ.get("SMSS_VM_SLOW", "1"))
EARLY_TRIES = 4
# What a console adds for a terminal's sake, and no step should have to know of.
NOISE = re.compile(rb"\r|\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]")
PANIC_TEXT = b"Kernel panic - not syncing"
HALT_TEXT = b"reboot: System halted"
# QEMU's words for an end, and ours. The last is the scenario's own `monitor system_reset`.
ENDS = {"guest-reset": "reboot", "guest-shutdown": "poweroff", "host-qmp-system-reset": "reboot"}
DETACH = b"\x1d"  # Ctrl-], as telnet has it


class Failure(Exception):
    """A wait that did not end well: the exit code and what to say."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code


class EarlyHang(Exception):
    """QEMU did not bring the guest to PID 1 in time."""


def readable(data):
    return data.decode("utf-8", "replace")


def note(text):
    print(f"vm: {text}", file=sys.stderr, flush=True)


def tsc_khz():
    """The host's TSC frequency, which TCG shows to the guest as it is; 0 if it cannot be measured.

    Python has no rdtsc, so ten bytes of machine code are called between two looks at the clock.
    """
    if os.uname().machine != "x86_64":
        return 0
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        # rdtsc; shl $32,%rdx; or %rdx,%rax; ret
        page.write(b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3")
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        rdtsc = ctypes.CFUNCTYPE(ctypes.c_uint64)(address)

        def sample():
            """A pair of readings; the closest of some, since we may be preempted in between."""
            best = None
            for _ in range(20):
                before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
                ticks = rdtsc()
                after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
                if best is None or after - before < best[0]:
                    best = (after - before, ticks, (before + after) // 2)
            return best[1], best[2]

        ticks0, ns0 = sample()
        time.sleep(0.02)
        ticks1, ns1 = sample()
        return (ticks1 - ticks0) * 1_000_000 // (ns1 - ns0)
    except (OSError, ValueError):  # a hardened host forbids such a page
        return 0


def parse_scenario(path):
    """The steps as (line number, text, verb, arguments); ends the program on a mistake."""
    arity = {"expect": (1, 2), "expect-not": (0, 1), "send": (1, 1), "mark": (1, 1),
             "sleep": (1, 1), "monitor": (1, 1), "cut": (0, 0), "end": (1, 2)}
    steps = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            try:
                verb, *rest = shlex.split(text, comments=True)
                if verb not in arity:
                    raise ValueError("no such step")
                low, high = arity[verb]
                if not low <= len(rest) <= high:
                    raise ValueError(f"{verb} takes {low} to {high} words, quote them")
                if verb in ("expect", "expect-not") and rest:
                    rest[0] = re.compile(rest[0].encode(), re.MULTILINE)
                if verb in ("expect", "end") and len(rest) == 2 or verb == "sleep":
                    rest[-1] = float(rest[-1])
                if verb == "end" and rest[0] not in ("poweroff", "reboot", "halt", "panic", "any"):
                    raise ValueError(f"no such end: {rest[0]}")
            except (ValueError, re.error) as err:
                note(f"{path}:{number}: {text}: {err}")
                sys.exit(USAGE)
            steps.append((number, text, verb, rest))
    return steps


class Guest:
    """One running QEMU: its console, its control channel (QMP), and what became of it."""

    def __init__(self, options, argv, log):
        self.options, self.log = options, log
        self.text = b""       # the console since PID 1, without noise
        self.raw = b""        # what has come, not yet searched for noise
        self.at = 0           # expect goes on from here
        self.started = False  # the mark was seen
        self.init_time = None
        self.ended = None     # poweroff, reboot, halt, panic, gone
        self.reboots = 0
        self.panicked = False
        self.forbidden = []
        self.deadline = None
        self.interactive = False
        self.qmp_data = b""
        self.console, theirs = socket.socketpair()
        self.qmp, theirs_qmp = socket.socketpair()
        fd = theirs_qmp.fileno()
        argv = argv + ["-serial", "stdio", "-chardev", f"socket,id=qmp,fd={fd}",
                       "-mon", "chardev=qmp,mode=control"]
        # Whatever becomes of us, QEMU shall not stay behind (PR_SET_PDEATHSIG is 1).
        prctl = ctypes.CDLL(None).prctl
        self.process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, pass_fds=[fd],
                                        preexec_fn=lambda: prctl(1, signal.SIGKILL))
        theirs.close()
        theirs_qmp.close()
        self.command("qmp_capabilities")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.console.close()
        self.qmp.close()

    def command(self, name, **arguments):
        try:
            self.qmp.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        except OSError:
            pass  # QEMU is gone; who reads next will see it

    def type(self, data):
        try:
            self.console.sendall(data)
        except OSError:
            pass

    def pump(self, until):
        """Take in the next that QEMU has to say. False: the time given came first."""
        now = time.monotonic()
        if self.deadline is not None:
            until = self.deadline if until is None else min(until, self.deadline)
        if until is not None and until <= now:
            return False
        watched = [self.console, self.qmp] + ([sys.stdin] if self.interactive else [])
        ready, _, _ = select.select(watched, [], [], None if until is None else until - now)
        if self.interactive and sys.stdin in ready:
            keys = os.read(sys.stdin.fileno(), 1024)
            if DETACH in keys:
                raise Failure(FAILED, "ended from the keyboard")
            self.type(keys)
        # Events first would make the end overtake the last words.
        if self.console in ready:
            self.take_console()
        if self.qmp in ready:
            self.take_events()
        return bool(ready)

    def take_console(self):
        try:
            data = self.console.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.gone()
            return
        self.log.write(data)
        if self.options.show:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        # An escape sequence may come in two parts: keep a possible beginning for the next time.
        data = self.raw + data
        cut = data.rfind(b"\x1b", max(0, len(data) - 12))
        if cut >= 0 and NOISE.match(data, cut) is None:
            self.raw = data[cut:]
            data = data[:cut]
        else:
            self.raw = b""
        old = max(0, len(self.text) - 80)  # a word we look for may have been cut in two
        self.text += NOISE.sub(b"", data)
        if not self.started:
            mark = self.text.find(self.options.marker.encode() + b"\n")
            if mark >= 0:
                self.started = True
                self.init_time = time.monotonic()
                self.at = mark + len(self.options.marker) + 1
        if self.text.find(PANIC_TEXT, old) >= 0:
            self.panicked = True
        if self.text.find(HALT_TEXT, old) >= 0 and self.ended is None:
            self.ended = "halt"
        for regex in self.forbidden:
            found = regex.search(self.text, self.at)
            if found:
                raise Failure(FAILED, f"appeared, and must not: {readable(found.group(0))}")

    def take_events(self):
        try:
            data = self.qmp.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.gone()
            return
        *lines, self.qmp_data = (self.qmp_data + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self.log_monitor(message)
            reason = message.get("data", {}).get("reason")
            if message.get("event") == "SHUTDOWN":
                self.ended = ENDS.get(reason, "gone")
            elif message.get("event") == "RESET":
                self.reboots += 1

    def log_monitor(self, message):
        answer = message.get("return")
        if isinstance(answer, str) and answer:
            self.log.write(b"\nvm: monitor: " + answer.encode() + b"\n")
        if "error" in message:
            note(f"QEMU: {message['error'].get('desc')}")

    def gone(self):
        """QEMU closed a channel. Read the other to its end, then there is nothing more."""
        self.process.wait()
        for channel, take in ((self.qmp, "qmp"), (self.console, "console")):
            channel.setblocking(False)
            try:
                while data := channel.recv(65536):
                    if take == "console":
                        self.log.write(data)
                        if self.options.show:
                            sys.stdout.buffer.write(data)
                            sys.stdout.buffer.flush()
                        self.text += NOISE.sub(b"", data)
                    elif b"guest-reset" in data:
                        self.ended = self.ended or "reboot"
                    elif b"guest-shutdown" in data:
                        self.ended = self.ended or "poweroff"
            except OSError:
                pass
        self.panicked = self.panicked or PANIC_TEXT in self.text
        self.ended = self.ended or "gone"

    # The waits. Each raises Failure when what it waits for can no longer come.

    def wait_start(self, seconds):
        limit = time.monotonic() + seconds
        while not self.started:
            if self.panicked:
                raise Failure(NO_INIT, "kernel panic before PID 1")
            if self.ended == "gone" and not self.text:
                raise Failure(FAILED, "QEMU did not start")
            if self.ended:
                raise Failure(NO_INIT, f"the guest ended ({self.ended}) before PID 1")
            if not self.pump(limit) and time.monotonic() >= limit:
                raise EarlyHang

    def late(self, what):
        if self.deadline is not None and time.monotonic() >= self.deadline:
            return Failure(TIMEOUT, f"the time for the whole run is over; {what}")
        return Failure(TIMEOUT, f"timed out; {what}")

    def expect(self, regex, seconds):
        limit = time.monotonic() + seconds
        while True:
            found = regex.search(self.text, self.at)
            if found:
                self.at = found.end()
                return
            if self.ended:
                if self.panicked:
                    raise Failure(PANIC, "kernel panic")
                raise Failure(FAILED, f"the guest ended first ({self.ended})")
            if not self.pump(limit):
                raise self.late("this did not appear")

    def wait_end(self, kind, seconds):
        """Until the guest ends; what it was. None for seconds: only the total counts."""
        limit = None if seconds is None else time.monotonic() + seconds
        reboots = self.reboots
        while not self.ended:
            if self.reboots > reboots and kind in ("reboot", "any"):
                return "reboot"  # with --reboot-ok QEMU goes on
            if not self.pump(limit):
                raise self.late("the guest has not ended")
        return "panic" if self.panicked else self.ended


def run_step(guest, verb, rest):
    """Does one step. True: the guest's end was waited for and is as wanted."""
    if verb == "expect":
        guest.expect(rest[0], SLOW * (rest[1] if len(rest) == 2 else 10))
    elif verb == "expect-not":
        guest.forbidden = guest.forbidden + [rest[0]] if rest else []
        if rest and (found := rest[0].search(guest.text, guest.at)):
            raise Failure(FAILED, f"is already there: {readable(found.group(0))}")
    elif verb == "send":
        text = rest[0].replace("\\e", "\\x1b")
        newline = "\n"
        if text.endswith("\\c"):
            text, newline = text[:-2], ""
        raw = re.sub(rb"\\x([0-9a-fA-F]{2})", lambda m: bytes([int(m[1], 16)]), text.encode())
        guest.type(raw + newline.encode())
    elif verb == "mark":
        note(f"mark {rest[0]} {time.monotonic() - guest.init_time:.2f}")
    elif verb == "sleep":
        limit = time.monotonic() + rest[0]
        while not guest.ended and guest.pump(limit):
            pass
    elif verb == "monitor":
        guest.command("human-monitor-command", **{"command-line": rest[0]})
    elif verb == "cut":
        guest.process.send_signal(signal.SIGKILL)
        guest.process.wait()
        return True
    elif verb == "end":
        seconds = rest[1] if len(rest) == 2 else 30
        got = guest.wait_end(rest[0], SLOW * seconds)
        if got == "panic" and rest[0] != "panic":
            raise Failure(PANIC, "kernel panic")
        if rest[0] not in ("any", got) or got == "gone":
            raise Failure(FAILED, f"the guest ended otherwise: {got}")
        return True
    return False


def play(guest, options, steps):
    """One boot that reached PID 1: the scenario, or just the wait for the end."""
    if not steps:
        got = guest.wait_end("any" if not options.reboot_ok else "poweroff", None)
        if got == "panic":
            raise Failure(PANIC, "kernel panic")
        if got == "gone":
            raise Failure(FAILED, "QEMU ended, and not at the guest's wish")
        return got
    for number, text, verb, rest in steps:
        try:
            run_step(guest, verb, rest)
        except Failure as err:
            where = f"{options.script}:{number}: {text}"
            raise Failure(err.code, f"{where}\nvm: {err}") from None
    if guest.panicked and steps[-1][2:] != ("end", ["panic"]) and steps[-1][2] != "cut":
        raise Failure(PANIC, "kernel panic")
    return "panic" if guest.panicked else guest.ended or "steps done"


def attempt(options, argv, steps, log):
    guest = Guest(options, argv, log)
    saved = None
    try:
        if options.interactive:
            saved = termios.tcgetattr(sys.stdin)
            tty.setraw(sys.stdin)
            guest.interactive = True
        begun = time.monotonic()
        guest.wait_start(SLOW * options.early)
        to_init = guest.init_time - begun
        if options.timeout:
            guest.deadline = guest.init_time + SLOW * options.timeout
        got = play(guest, options, steps)
        return got, to_init
    except Failure as err:
        if saved:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
            saved = None
        note(str(err))
        if not options.show:
            for line in guest.text.split(b"\n")[-30:]:
                print(f"  | {readable(line)}", file=sys.stderr)
        raise
    finally:
        if saved:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, saved)
        guest.close()


def main():
    parser = argparse.ArgumentParser(description="runs QEMU, and a scenario on its console")
    parser.add_argument("--script", help="the scenario")
    parser.add_argument("--log", default=os.devnull, help="console goes there")
    parser.add_argument("--marker", required=True, help="the line that means: PID 1 comes now")
    parser.add_argument("--append", default="", help="kernel words")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--early", type=float, default=25)
    parser.add_argument("--show", action="store_true", default=sys.stdout.isatty())
    parser.add_argument("--hide", action="store_false", dest="show")
    parser.add_argument("--reboot-ok", action="store_true")
    parser.add_argument("--icount", action="store_true")
    parser.add_argument("qemu", nargs="+")
    options = parser.parse_args()
    steps = parse_scenario(options.script) if options.script else []
    options.interactive = not steps and options.show and sys.stdin.isatty() and sys.stdout.isatty()

    # Without this the guest measures its TSC against an emulated PIT; on a busy host that fails,
    # and a machine without another reference then hangs silently.
    khz = 1_000_000 if options.icount else tsc_khz()
    words = options.append + (f" tsc_early_khz={khz}" if khz else "")
    argv = options.qemu + ["-append", words]

    with open(options.log, "wb", buffering=0) as log:
        for count in range(1, EARLY_TRIES + 1):
            try:
                got, to_init = attempt(options, argv, steps, log)
                note(f"ended: {got} (PID 1 after {to_init:.2f} s)")
                return OK
            except EarlyHang:
                text = (f"attempt {count}: no sign of PID 1 in {SLOW * options.early:.0f} s, "
                        "QEMU hangs")
                note(text)
                log.write(f"\nvm: {text}\n".encode())
            except Failure as err:
                log.write(f"\nvm: {err}\n".encode())
                return err.code
    note(f"PID 1 was not reached in {EARLY_TRIES} attempts")
    return NO_INIT


if __name__ == "__main__":
    # A caller that ends us means QEMU too: leave by the finally clauses.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TIMEOUT))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
