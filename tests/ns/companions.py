#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""companions.py GROUP PROGRAM MAKE_PLAN - csrss, wininit, winlogon and pnp under a master of straw.

Each group runs as root in namespaces of its own (mount, and but for pnp's: pid, uts, net, ipc), so
that nothing of the machine is touched. Speaks TAP; skipped with a line without root.
"""

import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fake_master import *  # noqa: E402,F403

tap = Tap()
group, program, plan_tool = sys.argv[1], os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
HERE = os.environ.get("COMPANIONS_HERE")


def enter_namespaces():
    if os.getuid() != 0:
        skip_all("needs root")
    if not shutil.which("unshare"):
        skip_all("needs unshare")
    if group in ("pnp", "machine"):
        if os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
            skip_all("needs the initial pid namespace")
        words = ["--mount", "--uts", "--net"]
    else:
        words = ["--mount", "--pid", "--fork", "--uts", "--net", "--ipc", "--mount-proc"]
    os.environ["COMPANIONS_HERE"] = "1"
    os.execvp("unshare", ["unshare", "--propagation", "private", *words, sys.executable, __file__,
                          *sys.argv[1:]])


def plan(*words):
    return make_plan(plan_tool, *words)


def put(path, content, mode=0o644):
    with open(path, "w") as f:
        f.write(content)
    os.chmod(path, mode)


def bind(source, target):
    subprocess.run(["mount", "--bind", source, target], check=True)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


# ---- csrss ----------------------------------------------------------------------------------------

def csrss_arguments():
    nt = ("ObjectDirectory=/Windows SharedSection=1024,20480,768 Windows=On SubSystemType=Windows "
          "ServerDll=basesrv,1 ServerDll=winsrv:UserServerDllInitialization,3 ServerDll=sxssrv,4 "
          "ProfileControl=Off MaxRequestThreads=16").split()
    c = Companion([program, *nt], plan(), 0)
    role, pid = c.register()
    tap.check("csrss takes NT's own command line and registers",
              role == ROLE_CSRSS and pid == c.pid, (role, pid))
    c.shut()
    tap.check("csrss ends when the master is gone", c.status == 0, c.status)
    c = Companion([program, "Nonsense=1"], plan(), 0)
    tap.check("an unknown key is refused with exit 2", c.wait() == 2, c.status)
    c.shut()
    c = Companion([program], plan(), None)
    tap.check("without SMSS_SESSION it says who starts it", c.wait() == 2 and
              "started by smss" in c.output(), c.status)
    c.shut()
    c = Companion([program], b"no plan at all" * 64, 0)
    tap.check("a plan that is none is refused", c.wait() == 3, c.status)
    c.shut()


def csrss_starts(work):
    c = Companion([program], plan("session#1\\StopDeadline=10"), 1, {"MARK": "yes"})
    c.register()
    put(f"{work}/hello", f"#!/bin/sh\nenv >{work}/env\n"
        f"a=$(readlink /proc/$$/fd/0) b=$(readlink /proc/$$/fd/1)\necho $a $b >{work}/fds\nawk '{{print $6}}' /proc/$$/stat >{work}/sid\n"
        f"grep -E 'Sig(Blk|Ign)' /proc/$$/status >{work}/sig\necho \"$1\" >{work}/done\nsleep 100\n", 0o755)
    status, (session, flags, pid, reserved) = c.create(f'{work}/hello "two words"')
    tap.check("a program is started and its pid answered", status == SM_OK and alive(pid), hex(status))
    tap.check("the master finds its caller again", reserved == 77 and flags >> 1 == 5, (reserved, flags))
    wait_for(lambda: os.path.exists(f"{work}/done"))
    env = open(f"{work}/env").read()
    tap.check("it has the system environment and SMSS_SESSION",
              "MARK=yes" in env and "SMSS_SESSION=1" in env, env)
    tap.check("quoted words stay together", open(f"{work}/done").read() == "two words\n")
    fds = open(f"{work}/fds").read().split()
    tap.check("input is null, output the console", fds[0] == "/dev/null" and fds[1].startswith("pipe:"), fds)
    tap.check("it leads a session of its own", open(f"{work}/sid").read().strip() == str(pid))
    sig = open(f"{work}/sig").read().split()
    tap.check("no signal is blocked or ignored in it", all(int(s, 16) & 0x7fffffff == 0 for s in sig[1::2]), sig)
    os.unlink(f"{work}/done")
    c.create(f"{work}/hello x", 1)
    wait_for(lambda: os.path.exists(f"{work}/done"))
    fds = open(f"{work}/fds").read().split()
    tap.check("detached means null output", fds[1] == "/dev/null", fds)
    for command, want, what in (("no-such-program", SM_NAME_NOT_FOUND, "is not found"),
                                ("/etc/passwd", SM_ACCESS_DENIED, "is not executable"),
                                ("", SM_INVALID_PARAMETER, "is no word at all"),
                                ("./relative", SM_INVALID_PARAMETER, "is relative")):
        status, _ = c.create(command)
        tap.check(f"a program that {what} is answered so", status == want, hex(status))
    c.send(SM_LOGOFF, 0, 9)
    m = c.receive()
    tap.check("what it has no work for is not implemented", m and m[3] == SM_NOT_IMPLEMENTED, m)
    tap.check("csrss sleeps while nothing happens", c.idle())
    start = time.monotonic()
    c.terminate()
    tap.check("asked to end, it and its programs are gone at once",
              c.wait() == 0 and time.monotonic() - start < 1 and not alive(pid), c.status)
    c.shut()


def csrss_stubborn(work):
    c = Companion([program], plan("session#1\\StopDeadline=1"), 1)
    c.register()
    put(f"{work}/stubborn", f"#!/bin/sh\ntrap : TERM\ntouch {work}/up\nwhile :; do sleep 100; done\n", 0o755)
    put(f"{work}/stopped", f"#!/bin/sh\ntrap 'touch {work}/heard; exit' TERM\ntouch {work}/up2\n"
        "while :; do sleep 0.1; done\n", 0o755)
    _, (_, _, pid, _) = c.create(f"{work}/stubborn")
    _, (_, _, stopped, _) = c.create(f"{work}/stopped")
    wait_for(lambda: os.path.exists(f"{work}/up") and os.path.exists(f"{work}/up2"))
    os.kill(stopped, signal.SIGSTOP)
    start = time.monotonic()
    os.kill(c.pid, signal.SIGTERM)
    took = c.wait() is not None and time.monotonic() - start
    tap.check("a program that will not end is killed before the session's deadline",
              c.status == 0 and 0.7 < took < 1 and not alive(pid), (c.status, took))
    tap.check("a stopped program hears that it is to end", os.path.exists(f"{work}/heard"))
    c.shut()


def csrss_full():
    c = Companion([program], plan(), 1)
    c.register()
    answers = [c.create("sleep 100")[0] for _ in range(257)]
    tap.check("the table of programs is full at 256, and says so",
              answers[:256] == [SM_OK] * 256 and answers[256] == SM_INSUFFICIENT_RESOURCES, answers[-2:])
    c.terminate()
    tap.check("all of them are ended at once", c.wait() == 0, c.status)
    c.shut()


def csrss_init(work):
    c = Companion([program], plan(), 1, prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    _, pid = c.register()
    tap.check("csrss is init of the session's pid namespace", pid == 1, pid)
    put(f"{work}/daemon", f"#!/bin/sh\nsetsid sh -c 'trap \"touch {work}/asked; exit\" TERM; "
        f"touch {work}/strayed; while :; do sleep 0.05; done' &\n", 0o755)
    c.create(f"{work}/daemon")
    for _ in range(20):
        c.create("sh -c \"sleep 0.01 & sleep 0.01 & :\"")
    wait_for(lambda: os.path.exists(f"{work}/strayed"))
    time.sleep(0.3)
    left = children(children(c.pid)[0])
    tap.check("it reaps what is left behind in it", left and all(alive(p) for p in left), left)
    start = time.monotonic()
    c.terminate()
    tap.check("everything in the namespace is asked, then it ends", c.wait() == 0 and
              os.path.exists(f"{work}/asked") and time.monotonic() - start < 2, c.status)
    c.shut()


def group_csrss(work):
    csrss_arguments()
    csrss_starts(work)
    csrss_stubborn(work)
    csrss_full()
    csrss_init(work)


# ---- wininit --------------------------------------------------------------------------------------

def loopback_works():
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        socket.create_connection(listener.getsockname(), 2).close()
        return True
    except OSError:
        return False
    finally:
        listener.close()


def wininit_machine(work):
    c = Companion([program], plan("ComputerName=smss-test", "Wininit\\Supervisor=no-such-supervisor"), 0)
    role, pid = c.register()
    tap.check("wininit registers as the initial command", role == ROLE_INITIAL and pid == c.pid)
    item = c.item("Supervisor")
    tap.check("a supervisor that is not installed is said, once", item and item[1] == "skipped" and
              "not installed" in item[3], item)
    tap.check("the loopback is up", c.item("lo")[1] == "ok" and loopback_works(), c.item("lo"))
    tap.check("the host name is the plan's", c.item("ComputerName")[1] == "ok" and
              socket.gethostname() == "smss-test", c.item("ComputerName"))
    for name in ("random-seed", "sysctl"):
        tap.check(f"{name} is the machine's and left alone in a pid namespace",
                  c.item(name)[1] == "skipped", c.item(name))
    tap.check("without a supervisor wininit stays, and sleeps", c.idle() and c.wait(0.1) is None)
    c.terminate()
    tap.check("and ends when asked", c.wait() == 0, c.status)
    c.shut()
    put(f"{work}/hostname", "# a comment\n\n  from-the-file \n")
    bind(f"{work}/hostname", "/etc/hostname")
    c = Companion([program], plan("Wininit\\Supervisor="), 0)
    c.register()
    item = c.item("Supervisor")
    tap.check("no supervisor wanted is no failure", item and item[1] == "skipped", item)
    tap.check("without ComputerName /etc/hostname counts", socket.gethostname() == "from-the-file",
              socket.gethostname())
    c.shut()
    put(f"{work}/hostname", "bad name!\n")
    c = Companion([program], plan("Wininit\\Supervisor="), 0)
    c.register()
    item = c.item("ComputerName")
    tap.check("a name that is none is not set", item and item[1] == "failed" and
              socket.gethostname() == "from-the-file", item)
    c.shut()


def service(work, name, run):
    os.makedirs(f"{work}/services/{name}")
    put(f"{work}/services/{name}/run", run, 0o755)


def wininit_services(work):
    if not shutil.which("runsvdir"):
        print("# runsvdir is not installed: its cases are left out")
        return
    service(work, "good", f"#!/bin/sh\ntrap 'sleep 0.2; echo >{work}/good.down; exit' TERM\n"
            f"echo $$ >{work}/good.up\nwhile :; do sleep 0.05; done\n")
    c = Companion([program], plan("Wininit\\Supervisor=runsvdir",
                                  f"Wininit\\ServicesDirectory={work}/services"), 0)
    c.register()
    tap.check("runsvdir is started and runs the services",
              wait_for(lambda: os.path.exists(f"{work}/good.up")), c.item("Supervisor"))
    first = children(c.pid)
    tap.check("and sleeps meanwhile", c.idle())
    os.kill(first[0], signal.SIGKILL)
    tap.check("a dead supervisor is reported", wait_for(lambda: c.item("Supervisor", 0.2)[1] == "crashed"),
              c.items)
    os.unlink(f"{work}/good.up")
    again = wait_for(lambda: os.path.exists(f"{work}/good.up"), 8)
    tap.check("and started again, with its services, after a second", again and
              len(children(c.pid)) == 1 and children(c.pid) != first, children(c.pid))
    os.unlink(f"{work}/good.down") if os.path.exists(f"{work}/good.down") else None
    pid = int(open(f"{work}/good.up").read())
    start = time.monotonic()
    c.terminate()
    done = c.wait()
    took = time.monotonic() - start
    tap.check("at the end services are asked and waited for, not longer", done == 0 and took < 2 and
              os.path.exists(f"{work}/good.down") and not alive(pid), (done, took))
    c.shut()


def wininit_stubborn(work):
    put(f"{work}/super", f"#!/bin/sh\ntrap : TERM HUP\nsh -c 'trap : TERM; echo $$ >{work}/inner; "
        "while :; do sleep 0.05; done' &\nwhile :; do sleep 0.05; done\n", 0o755)
    c = Companion([program], plan(f"Wininit\\Supervisor={work}/super", "Wininit\\SupervisorStopSeconds=1"), 0)
    c.register()
    wait_for(lambda: os.path.exists(f"{work}/inner") and open(f"{work}/inner").read())
    inner = int(open(f"{work}/inner").read())
    start = time.monotonic()
    c.terminate()
    done = c.wait()
    took = time.monotonic() - start
    tap.check("a supervisor that will not end is killed with all it has, after SupervisorStopSeconds",
              done == 0 and 0.9 < took < 2 and not alive(inner), (done, took))
    c.shut()
    put(f"{work}/dies", f"#!/bin/sh\necho >>{work}/starts\nexit 7\n", 0o755)
    c = Companion([program], plan(f"Wininit\\Supervisor={work}/dies"), 0)
    c.register()
    time.sleep(3.5)
    starts = open(f"{work}/starts").read().count("\n")
    tap.check("a supervisor that dies at once is started ever more slowly", starts == 3, starts)
    tap.check("its exit status is in the row", "exit 7" in c.item("Supervisor")[3], c.item("Supervisor"))
    c.shut()


def group_wininit(work):
    wininit_machine(work)
    wininit_services(work)
    wininit_stubborn(work)


# ---- wininit as the machine itself: its files and /proc/sys are ours, the pid namespace is not -----

def wininit_run(*words):
    c = Companion([program], plan("Wininit\\Supervisor=", *words), 0)
    c.register()
    c.item("Supervisor")
    return c


def machine_sysctl(work):
    empty_over("/proc/sys")
    for path in ("kernel", "net", "net/eth0.1"):
        os.mkdir(f"/proc/sys/{path}")
    for path in ("kernel/first", "kernel/second", "kernel/last", "net/eth0.1/x", "kernel/hostname"):
        put(f"/proc/sys/{path}", "")
    if os.path.isdir("/etc/sysctl.d"):
        empty_over("/etc/sysctl.d")
    else:
        skip_all("the machine has no /etc/sysctl.d")
    if os.path.isdir("/usr/lib/sysctl.d"):
        empty_over("/usr/lib/sysctl.d")
    empty_over("/run")
    os.mkdir("/run/sysctl.d")
    put("/etc/sysctl.d/10-a.conf", "# comment\nkernel.first = one\nnet.eth0/1.x=dotted\n-kernel.missing = 1\n")
    put("/run/sysctl.d/10-a.conf", "kernel.first = hidden\n")
    put("/run/sysctl.d/20-b.conf", "kernel/second = 4 4\t1 7\nkernel.last = soon\n" + "k" * 5000 + "\n")
    put("/etc/sysctl.d/30-c.conf", "kernel.last=late\nno setting\nkernel.absent=1\nkernel.../../etc/x=1\n")
    c = wininit_run()
    values = {path: open(f"/proc/sys/{path}").read() for path in ("kernel/first", "kernel/second", "kernel/last",
                                                                "net/eth0.1/x")}
    tap.check("sysctl files are applied by name, /etc hiding /run", values == {
        "kernel/first": "one", "kernel/second": "4 4\t1 7", "kernel/last": "late", "net/eth0.1/x": "dotted"}, values)
    item = c.item("sysctl")
    tap.check("what is wrong is counted and the first one named", item[1] == "degraded" and
              item[3].startswith("5 set, 4 failed"), item)
    c.shut()


def machine_seed(work):
    if os.path.isdir("/var/lib"):
        empty_over("/var/lib")
    seed = "/var/lib/smss/random-seed"
    os.mkdir("/var/lib/smss")
    c = wininit_run()
    tap.check("the first boot writes a seed, closed to others", os.stat(seed).st_mode & 0o777 == 0o600 and
              os.stat(seed).st_size == 64, c.item("random-seed"))
    first = open(seed, "rb").read()
    c.terminate()
    c.wait()
    second = open(seed, "rb").read()
    tap.check("it is written anew at the end", first != second and len(second) == 64)
    c.shut()
    c = wininit_run()
    tap.check("the next boot replaces and credits it", open(seed, "rb").read() != second and
              "credited and replaced" in c.item("random-seed")[3], c.item("random-seed"))
    c.shut()
    os.chmod(seed, 0o644)
    c = wininit_run()
    tap.check("one that others could read is not credited", "not credited" in c.item("random-seed")[3],
              c.item("random-seed"))
    c.shut()
    os.unlink(seed)
    os.symlink("/dev/zero", seed)
    c = wininit_run()
    tap.check("a link in its place is not followed", c.item("random-seed")[1] == "failed", c.item("random-seed"))
    c.shut()


def group_machine(work):
    machine_sysctl(work)
    machine_seed(work)


# ---- winlogon -------------------------------------------------------------------------------------

class Terminal:
    """A pseudo terminal: the person's side of it."""

    def __init__(self):
        self.fd, self.slave = os.openpty()
        self.path = os.ttyname(self.slave)
        self.seen = ""
        os.set_blocking(self.fd, False)

    def read(self):
        try:
            self.seen += os.read(self.fd, 65536).decode(errors="replace")
        except OSError:
            pass
        return self.seen

    def expect(self, what, timeout=10):
        if not wait_for(lambda: what in self.read(), timeout):
            return False
        self.seen = self.seen.split(what, 1)[1]
        return True

    def type(self, line):
        os.write(self.fd, line.encode() + b"\n")

    def shut(self):
        os.close(self.fd)
        os.close(self.slave)


def logoff_asked(c):
    m = c.receive()
    return m is not None and m[0] == SM_LOGOFF


def start_winlogon(terminal, *words, path=None):
    c = Companion([program], plan(f"session:1\\Console={path or terminal.path}", "session#1\\StopDeadline=2",
                                  *words), 1, {"MARK": "yes"})
    role, _ = c.register()
    assert role == ROLE_INITIAL
    return c


def accounts(work):
    """Users of our own: root and alice, both with the password 'sesame' where login can be used."""
    made = subprocess.run(["openssl", "passwd", "-6", "sesame"], stdout=subprocess.PIPE, text=True,
                          check=False).stdout.strip() if shutil.which("openssl") else ""
    if not made:
        import crypt
        made = crypt.crypt("sesame", crypt.mksalt(crypt.METHOD_SHA512))
    os.makedirs(f"{work}/home/alice")
    os.chown(f"{work}/home/alice", 1234, 1234)
    put(f"{work}/passwd", "root:x:0:0:root:/root:/bin/sh\n" + "x" * 5000 + "\n"
        f"alice:x:1234:1234::{work}/home/alice:/bin/sh\n")
    put(f"{work}/shadow", f"root:{made}:19000:0:99999:7:::\nalice:{made}:19000:0:99999:7:::\n", 0o600)
    put(f"{work}/group", "root:x:0:\ntty:x:5:\nalice:x:1234:\nplayers:x:777:bob,alice\nothers:x:778:bob\n")
    os.chmod(work, 0o755)
    for name in ("passwd", "shadow", "group"):
        bind(f"{work}/{name}", f"/etc/{name}")


def winlogon_automatic(work):
    t = Terminal()
    before = os.stat(t.path)
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1")
    t.type("echo a=$0 h=$HOME u=$USER s=$SMSS_SESSION m=$MARK t=$TERM.; tty; echo to-the-tty >/dev/tty")
    tap.check("the user is logged on with a login shell and the whole environment",
              t.expect("a=-sh h=/root u=root s=1 m=yes t=xterm."), t.seen)
    tap.check("the terminal is the shell's own", t.expect(t.path) and t.expect("to-the-tty"), t.seen)
    item = c.item("console")
    tap.check("the timeline names the terminal", item and item[3] == t.path, item)
    time.sleep(2)
    tap.check("winlogon sleeps while the shell runs", c.idle())
    t.type("exit 3")
    tap.check("leaving the shell asks for a logoff", logoff_asked(c))
    c.terminate()
    tap.check("and winlogon ends when the master says so", c.wait() == 0, c.status)
    after = os.stat(t.path)
    tap.check("the terminal is given back as it was", (before.st_uid, before.st_gid, before.st_mode) ==
              (after.st_uid, after.st_gid, after.st_mode), (before, after))
    c.shut()
    t.shut()


def winlogon_user(work):
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "Winlogon\\DefaultUserName=alice")
    t.type("echo i=$(id -u),$(id -g),$(id -G) p=$PWD.")
    tap.check("another user has its ids, groups and home",
              t.expect(f"i=1234,1234,1234 777 p={work}/home/alice."), t.seen)
    st = os.stat(t.path)
    tap.check("and owns the terminal", st.st_uid == 1234 and st.st_gid == 5, st)
    t.type("trap '' TERM; sleep 100 & echo sleeping")
    t.expect("sleeping\r\n")
    start = time.monotonic()
    c.terminate()
    tap.check("ended from above, the shell goes at once", c.wait() == 0 and time.monotonic() - start < 1,
              (c.status, time.monotonic() - start))
    c.shut()
    t.shut()
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "Winlogon\\DefaultUserName=nobody-here")
    item = c.item("logon")
    tap.check("a user who does not exist is reported, and tried again slowly", item and
              item[1] == "failed" and "slowed down" in item[3] and c.wait(0.5) is None, item)
    c.shut()
    t.shut()
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "Winlogon\\Shell=/bin/sh -c \"echo k=$0 zero; sleep 2.2\"")
    tap.check("a kiosk's command line is run as written", t.expect("k=/bin/sh zero"), t.seen)
    tap.check("its end is a logoff", logoff_asked(c))
    c.shut()
    t.shut()


def winlogon_login(work):
    t = Terminal()
    c = start_winlogon(t)
    tap.check("a banner with the host's name asks for a user", t.expect(socket.gethostname() + " login: "), t.seen)
    tap.check("nothing runs while nobody types", c.idle() and children(c.pid) == [])
    t.type("-f root")
    tap.check("an option is no user's name", t.expect(" login: ") and children(c.pid) == [], t.seen)
    t.type("alice")
    asked = t.expect("assword:")
    tap.check("login asks for the password", asked, t.seen)
    if not asked:
        c.shut()
        t.shut()
        return
    t.type("wrong")
    tap.check("a wrong password is refused", t.expect("ncorrect", 15), t.seen)
    t.expect("login:", 15)
    t.type("alice")
    t.expect("assword:")
    t.type("sesame")
    t.expect("$ ", 10)
    t.type("echo who=$(id -un) tty=$(tty).")
    tap.check("the right one gives a shell on the terminal", t.expect(f"who=alice tty={t.path}."), t.seen)
    t.type("exit")
    tap.check("logging out asks for a logoff", logoff_asked(c))
    c.terminate()
    tap.check("and the session's winlogon ends", c.wait() == 0, c.status)
    c.shut()
    t.shut()


def winlogon_crashes(work):
    put(f"{work}/login", f"#!/bin/sh\necho >>{work}/tries\nkill -9 $$\n", 0o755)
    t = Terminal()
    c = start_winlogon(t, f"Winlogon\\Login={work}/login")
    for _ in range(40):
        if t.expect("login: ", 0.1):
            t.type("root")
        c.receive(0.01)
    tries = open(f"{work}/tries").read().count("\n")
    tap.check("a login that dies at once is slowed down", 2 <= tries <= 3, tries)
    tap.check("and reported", c.item("logon") and c.item("logon")[1] == "failed", c.items)
    c.shut()
    t.shut()
    put(f"{work}/login", f"#!/bin/sh\nsleep 2.1\nexit 1\n", 0o755)
    t = Terminal()
    c = start_winlogon(t, f"Winlogon\\Login={work}/login")
    t.expect("login: ")
    t.type("root")
    tap.check("a login that gives up is no logoff: the name is asked for again",
              t.expect("login: ") and c.receive(0.1) is None, t.seen)
    c.shut()
    t.shut()
    put(f"{work}/greeter", f"#!/bin/sh\necho greeter $# $(tty)\nread x\nexit 0\n", 0o755)
    t = Terminal()
    c = start_winlogon(t, f"Winlogon\\Login={work}/greeter")
    tap.check("a greeter asks for the name itself", t.expect(f"greeter 0 {t.path}"), t.seen)
    t.type("")
    tap.check("and its end is a logoff", logoff_asked(c))
    c.shut()
    t.shut()


def winlogon_terminals(work):
    c = start_winlogon(None, path="/dev/null")
    item = c.item("console")
    tap.check("no terminal: said once, and winlogon stays, asleep", item and item[1] == "skipped" and
              "no terminal" in item[3] and c.idle() and c.wait(0.1) is None, item)
    c.terminate()
    tap.check("until it is asked to end", c.wait() == 0, c.status)
    c.shut()
    c = Companion([program], plan(), 2)
    c.register()
    item = c.item("console")
    tap.check("session 2 has no terminal unless one is configured", item and item[1] == "skipped", item)
    c.shut()
    t = Terminal()
    late = f"{work}/late"
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", path=late)
    time.sleep(0.3)
    os.symlink(t.path, late)
    t.type("echo late-$((1+1))")
    tap.check("a terminal that comes late is waited for", t.expect("late-2", 5), t.seen)
    c.shut()
    t.shut()
    t = Terminal()
    put(f"{work}/console", "")
    bind(t.path, f"{work}/console")
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", path=f"{work}/console")
    t.type("echo job >/dev/tty; echo bound-$((2+2))")
    tap.check("a pseudo terminal bound over the console's name serves", t.expect("bound-4"), t.seen)
    c.shut()
    t.shut()


def group_winlogon(work):
    subprocess.run(["hostname", "terminal-host"], check=True)
    accounts(work)
    winlogon_automatic(work)
    winlogon_user(work)
    winlogon_login(work)
    winlogon_crashes(work)
    winlogon_terminals(work)


# ---- pnp ------------------------------------------------------------------------------------------

def empty_over(path):
    """An empty directory of our own over path (in this mount namespace only)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)


def pnp_run(*words, prefix=()):
    c = Companion([program], plan(*words), None, {"SMSS_MODE": "machine"}, prefix)
    c.receive(15)
    c.wait(15)
    while c.receive(0.05):
        pass
    return c


def pnp_nothing(work):
    put(f"{work}/fstab", "# nothing\nproc /proc proc defaults 0 0\n/dev/root-of-it / ext4 defaults 0 1\n"
        "/dev/not-there-a /a ext4 nofail 0 2\n/dev/not-there-b /b ext4 rw,noauto 0 2\n")
    bind(f"{work}/fstab", "/etc/fstab")
    start = time.monotonic()
    c = pnp_run()
    tap.check("with neither udev nor mdev it says that devtmpfs serves, and is done at once",
              c.status == 0 and c.item("coldplug")[1] == "skipped" and time.monotonic() - start < 0.5,
              (c.status, c.items))
    c.shut()
    c = pnp_run(prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    tap.check("in another pid namespace it does nothing and says so", c.status == 0 and
              [i[1] for i in c.items] == ["skipped"], c.items)
    c.shut()


def pnp_devices(work):
    put(f"{work}/fstab", "/dev/null none swap sw 0 0\n/dev/\\156ot-there /x ext4 defaults 0 2\n"
        "LABEL=never /y ext4 defaults 0 2\n")
    start = time.monotonic()
    c = pnp_run("pnp_deadline_s=1")
    took = time.monotonic() - start
    item = c.item("devices")
    tap.check("a missing device is waited for until the deadline, and named", c.status == 1 and
              0.9 < took < 1.6 and item[1] == "timeout" and item[3] == "1 missing: /dev/not-there",
              (took, item))
    c.shut()
    empty_over("/dev/shm")
    child = subprocess.Popen(["sh", "-c", "sleep 0.3; touch /dev/shm/late"])
    put(f"{work}/fstab", "/dev/shm/late /x ext4 defaults 0 2\n")
    c = pnp_run("pnp_deadline_s=5")
    child.wait()
    tap.check("a device that comes in time is enough", c.status == 0 and c.item("devices")[1] == "ok", c.items)
    c.shut()


def pnp_udev(work):
    log = f"{work}/udev.log"
    tool = f"#!/bin/sh\necho ${{0##*/}} \"$@\" >>{log}\n"
    put("/usr/lib/systemd/systemd-udevd", tool + f"env >{work}/udev.env\n", 0o755)
    put("/usr/local/sbin/udevadm", tool, 0o755)
    put(f"{work}/fstab", "")
    c = pnp_run("pnp_deadline_s=10")
    lines = open(log).read().splitlines()
    tap.check("udev is started, told of subsystems, then devices, and settles", c.status == 0 and
              [line.split()[1] for line in lines] == ["--daemon", "trigger", "trigger", "settle"] and
              "subsystems" in lines[1] and "devices" in lines[2] and "--timeout=" in lines[3] and
              c.item("udev")[1] == "ok", (c.status, lines, c.items))
    tap.check("and our own words are not in its environment", "SMSS" not in open(f"{work}/udev.env").read())
    c.shut()
    put("/usr/local/sbin/udevadm", tool + "[ $1 = settle ] && sleep 100\n:\n", 0o755)
    start = time.monotonic()
    c = pnp_run("pnp_deadline_s=1")
    tap.check("a settle that hangs is killed at the deadline, and named", c.status == 1 and
              time.monotonic() - start < 2 and c.item("udev")[1] == "timeout" and
              "settle" in c.item("udev")[3], (c.status, c.items))
    c.shut()
    put("/usr/local/sbin/udevadm", tool + "exit 4\n", 0o755)
    c = pnp_run("pnp_deadline_s=5")
    tap.check("one that fails is recorded with its exit status", c.item("udev")[1] == "failed" and
              "exit 4" in c.item("udev")[3], c.items)
    c.shut()


def pnp_modules(work):
    log = f"{work}/modprobe.log"
    put("/usr/local/sbin/modprobe", f"#!/bin/sh\necho \"$@\" >>{log}\n[ $3 != bad ]\n", 0o755)
    put("/run/modules-load.d/test.conf", "# comment\nloop max_loop=8\n; another\n--show\nbad\n")
    put("/usr/local/sbin/udevadm", "#!/bin/sh\n:\n", 0o755)
    c = pnp_run("pnp_deadline_s=5")
    lines = open(log).read().splitlines()
    tap.check("modules are loaded with their parameters; an option is no module",
              "-q -- loop max_loop=8" in lines and not any("--show" in line for line in lines), lines)
    item = c.item("modules")
    tap.check("one that cannot be loaded is named", item and item[1] == "degraded" and "bad" in item[3], item)
    c.shut()


def hide_the_machine(work):
    """Whatever of this kind the machine has, pnp must not find it."""
    empty_over("/run")
    os.mkdir("/run/modules-load.d")
    empty_over("/usr/local/sbin")
    for path in ("/usr/lib/systemd", "/etc/modules-load.d", "/usr/lib/modules-load.d",
                 "/usr/local/lib/modules-load.d"):
        if os.path.isdir(path):
            empty_over(path)
    if not os.path.isdir("/usr/lib/systemd"):
        skip_all("needs /usr/lib/systemd as a place for a daemon of straw")
    put(f"{work}/empty", "")
    if os.path.exists("/etc/modules"):
        bind(f"{work}/empty", "/etc/modules")
    for path in ("/sbin/udevd", "/etc/mdev.conf"):
        if os.path.exists(path):
            skip_all(f"the machine has {path}")
    for path in ("/etc/fstab",):
        if not os.path.exists(path):
            skip_all(f"the machine has no {path}")


def group_pnp(work):
    hide_the_machine(work)
    pnp_nothing(work)
    pnp_devices(work)
    pnp_udev(work)
    pnp_modules(work)


def main():
    if not HERE:
        enter_namespaces()
    # Walked paths must be root's alone, as on a real machine.
    work = tempfile.mkdtemp(prefix=f"smss-{group}-")
    try:
        globals()["group_" + group](work)
    finally:
        if group in ("winlogon", "wininit", "pnp"):
            for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hostname", "/etc/fstab",
                         f"{work}/console"):
                subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(work, ignore_errors=True)
    tap.end()


main()
