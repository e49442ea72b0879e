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
    _, (_, _, stopped) = c.create(f"{work}/stopped")
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


def csrss_pipes(work):
    c = Companion([program], plan(), 1)
    c.register()
    p = c.program("/bin/sh", "-c", "cat; echo x  >&2; exit 42")
    os.write(p.fds[0], b"in\n")
    os.close(p.fds.pop(0))
    tap.check("with pipes: what goes in comes out", p.read(0) == "in\n")
    tap.check("error output is apart", p.read(1) == "x\n")
    tap.check("its exit status is told exactly", p.end() == ("exited", 42))
    tap.check("and nothing after it", p.end() == "gone")
    for command, want in (("exit 0", ("exited", 0)), ("exit 255", ("exited", 255)),
                          ("kill -9 $$", ("killed", 9)), ("kill -SEGV $$", ("killed", 11))):
        p = c.program("/bin/sh", "-c", command)
        tap.check(f"sh -c '{command}' ends as {want[0]} {want[1]}", p.end() == want)
        p.close()
    p = c.program("/bin/sh", "-c", "trap 'exit 7' USR1; echo up; while :; do sleep 0.05; done")
    p.read(1, "up")
    p.tell(CONTROL_SIGNAL, 0)
    p.tell(CONTROL_SIGNAL, 65)
    p.tell(99, 1)
    p.control.send(b"nonsense that is too long")
    p.tell(CONTROL_SIGNAL, signal.SIGUSR1)
    tap.check("a signal reaches its group; what is none is passed over", p.end() == ("exited", 7))
    p = c.program("/bin/sh", "-c", "sleep 100 & wait", flags=EXEC_WAIT | EXEC_PIDFD)
    poll = select.poll()
    poll.register(p.pidfd)
    tap.check("a pidfd comes when it was asked for", not poll.poll(0) and
              any(line == f"Pid:\t{p.pid}\n" for line in open(f"/proc/self/fdinfo/{p.pidfd}")))
    wait_for(lambda: children(p.pid))
    sleeper = children(p.pid)[0]
    p.control.close()
    tap.check("a client that leaves: the program's group is hung up",
              wait_for(lambda: not alive(p.pid) and not alive(sleeper)))
    p = c.program("/bin/sh", "-c", f"trap 'touch {work}/hup; exit' HUP; echo up; while :; do sleep 0.05; done")
    p.read(1, "up")
    os.kill(p.pid, signal.SIGSTOP)
    p.control.close()
    tap.check("a stopped one hears that, too", wait_for(lambda: os.path.exists(f"{work}/hup")))
    p = c.program("/bin/sh", "-c", "sleep 100", flags=EXEC_WAIT)
    flood = os.fork()
    if flood == 0:  # it sends and never reads
        try:
            while True:
                p.tell(CONTROL_SIGNAL, signal.SIGCONT)
        finally:
            os._exit(0)
    time.sleep(0.2)
    start = time.monotonic()
    status, _ = c.create("true")
    tap.check("a client that floods makes nobody wait", status == SM_OK and time.monotonic() - start < 1)
    os.kill(flood, signal.SIGKILL)
    os.waitpid(flood, 0)
    p.close()
    for flags, what in ((16, "unknown flags"), (EXEC_WAIT | EXEC_TERMINAL, "pipes and a terminal"),
                        (EXEC_WAIT | EXEC_DETACHED, "pipes and none")):
        status, _ = c.create("true", flags)
        tap.check(f"{what} are refused", status == SM_INVALID_PARAMETER and not c.fds, hex(status))
    c.idle()  # what the last program left is closed by then
    before = len(os.listdir(f"/proc/{c.pid}/fd"))
    for _ in range(50):
        p = c.program("true", flags=EXEC_WAIT | EXEC_PIDFD)
        p.end()
        p.close()
        p = c.program("true", flags=EXEC_TERMINAL)
        p.end()
        p.close()
        c.create("no-such-program", EXEC_WAIT)
        c.create("no-such-program", EXEC_TERMINAL)
    tap.check("a hundred programs and refusals leave no descriptor in csrss",
              wait_for(lambda: len(os.listdir(f"/proc/{c.pid}/fd")) == before),
              (before, os.listdir(f"/proc/{c.pid}/fd")))
    tap.check("and it sleeps again", c.idle())
    c.terminate()
    c.wait()
    c.shut()


def csrss_terminal(work):
    c = Companion([program], plan("session#1\\WaitToKillAppTimeout=60000",
                                  "session#1\\StopDeadline=100"), 1, {"TERM": "dumb"})
    c.register()
    p = c.program("/bin/sh", "-c", "tty; stty size; echo T=$TERM; ps -o tpgid=,pgid= -p $$; echo ask; read x; echo got $x; exit 3",
                  flags=EXEC_TERMINAL, size=(33, 121), term="xterm-test")
    out = p.read(0, "ask")
    os.write(p.fds[0], b"word\n")
    out += p.read(0)
    lines = out.replace("\r", "").split("\n")
    groups = lines[3].split() if len(lines) > 3 else []
    tap.check("a terminal: its name, size and TERM are right",
              lines[0].startswith("/dev/pts/") and lines[1] == "33 121" and lines[2] == "T=xterm-test", lines)
    tap.check("it is the controlling one, the program in front", len(groups) == 2 and groups[0] == groups[1], lines)
    tap.check("what is typed is read", "got word" in lines, lines)
    tap.check("and the exit status told", p.end() == ("exited", 3))
    p.close()
    p = c.program("/bin/sh", "-c", "trap 'stty size' WINCH; echo up; while :; do sleep 0.05; done",
                  flags=EXEC_TERMINAL)
    p.read(0, "up")
    p.tell(CONTROL_SIZE, 40 << 16 | 132)
    tap.check("a new size is told by SIGWINCH", "40 132" in p.read(0, "40 132"))
    os.write(p.fds[0], b"\3")
    tap.check("Ctrl-C ends what is in front", p.end() == ("killed", 2))
    p.close()
    p = c.program("/bin/bash", "--norc", "-i", flags=EXEC_TERMINAL)
    os.write(p.fds[0], b"sleep 1000\n")
    p.read(0, "sleep 1000")
    wait_for(lambda: children(p.pid))
    time.sleep(0.2)
    p.tell(CONTROL_SIGNAL, signal.SIGINT)
    os.write(p.fds[0], b"echo s=$?\n")
    tap.check("a signal goes to the group in front, not to the shell", "s=130" in p.read(0, "s=130"))
    shell = p.pid
    p.close()
    tap.check("a client that leaves takes the terminal away", wait_for(lambda: not alive(shell)))
    p = c.program("/bin/bash", "--norc", "-i", flags=EXEC_TERMINAL)
    p.read(0, "$ ")
    start = time.monotonic()
    c.terminate()
    tap.check("an interactive shell ends when the session does", c.wait() == 0 and
              time.monotonic() - start < 2, (c.status, time.monotonic() - start))
    c.shut()


def csrss_rows():
    c = Companion([program], plan(), 1)
    c.register()
    tap.check("no program, no row", c.rows() == [])
    one = c.program("sleep", "1000", "x" * 200)
    _, (_, _, two) = c.create("sleep 2000", EXEC_DETACHED)
    rows = c.rows()
    tap.check("a row each: pid, uid, flags, command",
              rows == [(one.pid, 0, EXEC_WAIT, ("sleep 1000 " + "x" * 200)[:159]), (two, 0, EXEC_DETACHED, "sleep 2000")]
              or (not alive(one.pid) and rows[0][0] == two), rows)
    os.kill(two, signal.SIGKILL)
    tap.check("gone with the program", wait_for(lambda: not any(r[0] == two for r in c.rows())))
    c.terminate()
    c.wait()
    c.shut()


def policy(**fields):
    """struct sm_policy in hex, as the copy gives it."""
    limits = fields.get("limit", [0] * 16)
    raw = struct.pack("<IIQQIIIIQIIIiIIII16Q", fields.get("given", 0), fields.get("isolation", 0), 0, 0,
                      0, 0, 0, 0, fields.get("capabilities", 0), fields.get("uid", 0), fields.get("gid", 0),
                      0, 0, 0, 0, 0, 0, *limits)
    return raw.hex()


def csrss_owner(work):
    os.chmod(work, 0o755)
    for name, text_ in (("passwd", "root:x:0:0:root:/root:/bin/bash\njoe:x:1234:1235::/home/joe:/bin/dash\n"),
                        ("group", "root:x:0:\njoe:x:1235:\nplay:x:1300:joe\nother:x:1301:root\n")):
        put(f"{work}/{name}", text_)
        bind(f"{work}/{name}", f"/etc/{name}")
    env = {"SMSS_POLICY": policy(given=2, isolation=1, uid=1234, gid=1235), "HOME": "/root",
           "XDG_RUNTIME_DIR": "/run/user/0", "MARK": "yes"}
    c = Companion([program], plan(), 1, env)
    c.register()
    p = c.program("/bin/sh", "-c", "id -u; id -g; id -G; env; readlink /proc/self/cwd; grep Cap /proc/self/status; "
                  "echo again >/dev/stdout")
    out = p.read(1)
    lines = out.split("\n")
    tap.check("programs run as the owner, with its groups", lines[:3] == ["1234", "1235", "1235 1300"], lines[:3])
    tap.check("with its own environment, and the session's",
              all(w in lines for w in ("HOME=/home/joe", "USER=joe", "LOGNAME=joe", "SHELL=/bin/dash",
                                       "XDG_RUNTIME_DIR=/run/user/1234", "MARK=yes", "SMSS_SESSION=1")), lines)
    tap.check("what only csrss may know is not in it", "SMSS_POLICY" not in out and "HOME=/root" not in out and "user/0" not in out, lines)
    tap.check("it may open its own descriptors by name", "again" in lines, out[-200:] + p.read(2))
    tap.check("and holds no capability", "CapEff:\t0000000000000000" in lines, lines)
    p.close()
    p = c.program("/bin/sh", "-c", "stat -c '%u %a' $(tty)", flags=EXEC_TERMINAL)
    tap.check("its terminal is its own", p.read(0).startswith("1234 6"))
    p.close()
    p = c.program("sleep", "1000")
    tap.check("its row names the owner", c.rows()[0][:2] == (p.pid, 1234), c.rows())
    p.tell(CONTROL_SIGNAL, signal.SIGTERM)
    tap.check("its client can end it", p.end() == ("killed", 15))
    put(f"{work}/secret", "#!/bin/sh\n", 0o700)
    tap.check("what it may not run is refused", c.create(f"{work}/secret")[0] == SM_ACCESS_DENIED)
    c.terminate()
    c.shut()
    c = Companion([program], plan(), 1, {"SMSS_POLICY": policy(given=3, uid=4444, gid=4445, capabilities=1 << 7)})
    c.register()
    p = c.program("/bin/sh", "-c", "id -u; id -G; echo $HOME,$USER,$SHELL; grep CapBnd /proc/self/status")
    lines = p.read(1).split("\n")
    tap.check("a number without an account will do", lines[:3] == ["4444", "4445", "/,,/bin/sh"], lines)
    tap.check("of what csrss needs it is left what the policy gives",
              int(lines[3].split()[1], 16) & 0x1e0 == 0x80, lines)
    c.terminate()
    c.shut()
    for bad in ("", "zz", policy()[:-2], policy() + "00", policy(given=1 << 30), policy(given=2, uid=0xFFFFFFFF)):
        c = Companion([program], plan(), 1, {"SMSS_POLICY": bad})
        tap.check(f"a policy that is none ({bad[:8]}...) is the end of csrss", c.wait() == 1, c.status)
        c.shut()
    for name in ("passwd", "group"):
        subprocess.run(["umount", f"/etc/{name}"], check=True)


def csrss_init(work):
    c = Companion([program], plan(), 1, prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    _, pid = c.register()
    tap.check("csrss is init of the session's pid namespace", pid == 1, pid)
    put(f"{work}/daemon", f"#!/bin/sh\nsetsid sh -c 'trap \"touch {work}/asked; exit\" TERM; "
        f"touch {work}/strayed; while :; do sleep 0.05; done' &\n", 0o755)
    c.create(f"{work}/daemon")
    status, (_, _, number) = c.create("true")
    tap.check("its programs' numbers cannot be told outside", (status, number) == (SM_OK, 0))
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
    csrss_pipes(work)
    csrss_terminal(work)
    csrss_rows()
    csrss_owner(work)
    csrss_full()
    csrss_init(work)
