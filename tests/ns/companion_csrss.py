# SPDX-License-Identifier: MIT
"""csrss: its command line, starting and ending programs, being init of a pid namespace."""

from companion_common import *  # noqa: F401,F403


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
        "while read k v; do case $k in SigBlk:|SigIgn:) echo $k $v ;; esac; done "
        f"</proc/$$/status >{work}/sig\necho \"$1\" >{work}/new; mv {work}/new {work}/done\nsleep 100\n", 0o755)
    status, (session, flags, pid) = c.create(f'{work}/hello "two words"')
    tap.check("a program is started and its pid answered", status == SM_OK and alive(pid), hex(status))
    tap.check("what else was asked comes back as it was", flags == 0 and session == 1, (session, flags))
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
    _, (_, _, pid) = c.create(f"{work}/stubborn")
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
