# SPDX-License-Identifier: MIT
"""winlogon: autologon, real login, crashes, terminals."""

import struct

from companion_common import *  # noqa: F401,F403


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


def record(session=1):
    """Failures in a row that this session's winlogon left for the next one."""
    try:
        with open(f"/run/smss/logon-{session}") as f:
            return int(f.read().split()[0])
    except OSError:
        return 0


def leave(failures):
    put("/run/smss/logon-1", f"{failures} {int(time.clock_gettime(time.CLOCK_BOOTTIME))}\n", 0o600)


def forget():
    if os.path.exists("/run/smss/logon-1"):
        os.unlink("/run/smss/logon-1")


def log_in(t, prompt="login: "):
    """As a person would: name and password, up to a shell that answers."""
    steps = [t.expect(prompt, 15)]
    t.type("alice")
    steps.append(t.expect("assword:", 15))
    time.sleep(0.2)  # until it has turned the echo off
    t.type("sesame")
    steps.append(t.expect("$ ", 15))
    t.type("echo who=$(id -un)$((20+1))")
    steps.append(t.expect("who=alice21"))
    return steps == [True] * 4


def winlogon_greeter(work):
    put(f"{work}/greeter", f"#!/bin/sh\necho greeter $# $1 $TERM $(tty)\necho ctty >/dev/tty\nread x\nexit 0\n", 0o755)
    t = Terminal()
    c = start_winlogon(t, f"Winlogon\\Greeter={work}/greeter - linux", "Winlogon\\Login=/bin/false")
    tap.check("a greeter asks for the name itself: its words, TERM and terminal are its own",
              t.expect(f"greeter 2 - xterm {t.path}") and t.expect("ctty"), t.seen)
    tap.check("while it is there, winlogon sleeps", c.idle())
    time.sleep(4)
    t.type("")
    tap.check("its end is a logoff", logoff_asked(c))
    tap.check("and no failure", record() == 0, record())
    c.shut()
    t.shut()
    if not os.path.exists("/sbin/agetty") or not os.path.exists("/bin/login"):
        print("# no agetty and login here: not tried with winlogon")
        return
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\Greeter=/sbin/agetty - linux")
    tap.check("agetty and login log alice on", log_in(t), t.seen)
    t.type("echo term=$TERM. $(tty)")
    tap.check("with agetty's TERM, on the terminal", t.expect("term=linux.") and t.expect(t.path), t.seen)
    t.type("exit")
    tap.check("logging out is a logoff", logoff_asked(c))
    c.terminate()
    tap.check("and the session's winlogon ends", c.wait() == 0, c.status)
    c.shut()
    t.shut()


def winlogon_fallback(work):
    put(f"{work}/greeter", f"#!/bin/sh\necho x >>{work}/greeted\nkill -9 $$\n", 0o755)
    greeter = f"Winlogon\\Greeter={work}/greeter"
    forget()
    t = Terminal()
    start = time.monotonic()
    c = start_winlogon(t, greeter)
    fallen = t.expect("text login instead", 30)
    took = time.monotonic() - start
    tries = open(f"{work}/greeted").read().count("x")
    tap.check("a greeter that dies is slowed down, 1, 2, 4, 8 s, and given up after five times",
              fallen and tries == 5 and 14 < took < 20, (tries, took, t.seen))
    tap.check("then a name is asked for in text", t.expect(" login: "), t.seen)
    item = c.item("logon")
    tap.check("which the timeline tells", item and item[1] == "degraded", c.items)
    tap.check("and the next session will know", record() == 5, record())
    c.terminate()
    c.wait()
    c.shut()
    t.shut()
    t = Terminal()
    c = start_winlogon(t, greeter)
    tap.check("a new session has the text login at once",
              t.expect("text login instead", 3) and log_in(t, " login: "), t.seen)
    t.type("sleep 2; exit")
    tap.check("logging out of it is a logoff", logoff_asked(c))
    tap.check("after which the greeter gets another chance", record() == 0, record())
    c.shut()
    t.shut()
    for failures in (1, 2):  # a session that ends with its greeter
        t = Terminal()
        start = time.monotonic()
        os.unlink(f"{work}/greeted") if os.path.exists(f"{work}/greeted") else None
        put(f"{work}/greeter", f"#!/bin/sh\necho x >>{work}/greeted\nsleep 100\n", 0o755)
        c = start_winlogon(t, greeter)
        begun = wait_for(lambda: os.path.exists(f"{work}/greeted"))
        took = time.monotonic() - start
        greeters = children(c.pid)
        os.kill(c.pid, signal.SIGKILL)
        for pid in greeters:
            os.kill(pid, signal.SIGKILL)
        tap.check(f"a greeter that takes its session with it is counted ({failures})",
                  begun and record() == failures and took >= (failures - 1) * 0.95, (record(), took))
        c.shut()
        t.shut()
    forget()


def winlogon_kiosk(work):
    put(f"{work}/app", f"#!/bin/sh\necho app-runs-as $(id -un)\nsleep 2.3\nkill -11 $$\n", 0o755)
    words = ("Winlogon\\AutoAdminLogon=1", "Winlogon\\DefaultUserName=alice", f"Winlogon\\Shell={work}/app")
    forget()
    took = []
    for failures in (1, 2):
        t = Terminal()
        start = time.monotonic()
        c = start_winlogon(t, *words)
        shown = t.expect("app-runs-as alice")
        took.append(time.monotonic() - start)
        tap.check(f"a kiosk's program that crashes is a logoff, and counted ({failures})",
                  shown and logoff_asked(c) and record() == failures, (record(), t.seen))
        c.shut()
        t.shut()
    tap.check("its next session starts it more slowly", took[0] < 0.9 < took[1] < 2.5, took)
    forget()


def winlogon_idle(work):
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "session#1\\IdleTimeout=3")
    t.expect("# ")
    quiet = True
    for _ in range(7):  # longer than the limit and the kernel's grain together
        t.type(":")
        quiet = quiet and c.receive(2) is None
    tap.check("who types is not logged off", quiet, (c.wait(0.1), c.items, t.read()))
    last = time.monotonic()
    off = logoff_asked(c)
    took = time.monotonic() - last
    tap.check("who does not is, after the limit and little later", off and 1 <= took <= 13, took)
    item = c.item("logoff")
    tap.check("the timeline tells why", item and item[1] == "ok" and item[3] == "idle for 3 s", item)
    tap.check("and so does the terminal", t.expect("idle for 3 s: logged off", 1), t.seen)
    c.terminate()
    tap.check("its winlogon ends the shell and itself", c.wait() == 0, c.status)
    c.shut()
    t.shut()
    t = Terminal()
    c = start_winlogon(t, "session:Default\\Console=/none", "session#Default\\IdleTimeout=1")
    t.expect(" login: ")
    tap.check("a prompt with nobody at it is not idle, and takes no wake-up",
              c.idle(3) and c.receive(0.1) is None, c.items)
    c.shut()
    t.shut()
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "session#1\\IdleTimeout=3600")
    t.expect("# ")
    tap.check("a long limit takes no wake-up before it is due", c.idle(2))
    c.shut()
    t.shut()


def policy_words(uid, idle_s, capabilities=None):
    """struct sm_policy of src/wire/session.h, as a session's copy hands it to core processes."""
    body = struct.pack("<II2Q4IQIIIiIIII16Q", 2 | (capabilities is not None), 0, 0, 0, 0, 0, 0, 0, capabilities or 0,
                       uid, uid, 0, 0, idle_s, 0, 0, 0, *[0] * 16)
    return body.hex()


def winlogon_owner(work):
    for owner in ("alice", "1234"):
        t = Terminal()
        c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", f"session:1\\Owner={owner}")
        t.type("echo i=$(id -u) h=$HOME u=$USER.")
        tap.check(f"without DefaultUserName the session's owner ({owner}) is logged on",
                  t.expect(f"i=1234 h={work}/home/alice u=alice."), t.seen)
        c.shut()
        t.shut()
    t = Terminal()
    c = start_winlogon(t, "Winlogon\\AutoAdminLogon=1", "Winlogon\\DefaultUserName=root", "session:1\\Owner=alice")
    t.type("echo i=$(id -u).")
    tap.check("DefaultUserName comes first", t.expect("i=0."), t.seen)
    c.shut()
    t.shut()
    t = Terminal()
    c = Companion([program], plan(f"session:1\\Console={t.path}", "Winlogon\\AutoAdminLogon=1"), 1,
                  {"SMSS_POLICY": policy_words(1234, 1)})
    c.register()
    t.type("echo i=$(id -u) p=$SMSS_POLICY.")
    tap.check("the policy in force names the owner, and is not handed on", t.expect("i=1234 p=."), t.seen)
    tap.check("its idle limit holds", c.receive(13) and c.item("logoff")[3] == "idle for 1 s", c.items)
    c.shut()
    t.shut()


def kept(t):
    """The bounding set of the shell on a terminal."""
    t.type("grep CapBnd /proc/self/status")
    t.expect("CapBnd:\t")
    wait_for(lambda: "\n" in t.read())
    return int(t.seen.split()[0], 16)


def winlogon_capabilities(work):
    os.makedirs("/run/user/1234")
    os.chown("/run/user/1234", 1234, 1234)
    whole = 0
    for given in (None, 0, 1 << 5):
        t = Terminal()
        c = Companion([program], plan(f"session:1\\Console={t.path}", "Winlogon\\AutoAdminLogon=1"), 1,
                      {"SMSS_POLICY": policy_words(1234, 0, given)})
        c.register()
        t.expect("$ ")
        set_ = kept(t)
        whole = whole or set_
        tap.check(f"the owner's shell has the capabilities left that the policy leaves ({given})",
                  set_ == (whole if given is None else given) and whole > 1 << 30, hex(set_))
        if given is None:
            t.type("echo r=$XDG_RUNTIME_DIR.")
            tap.check("and its run directory, where there is one", t.expect("r=/run/user/1234."), t.seen)
        c.shut()
        t.shut()


PAM_SERVICE = """#%PAM-1.0
account required pam_unix.so
session required pam_env.so conffile={work}/pam_env readenv=0
session required pam_exec.so quiet {work}/hook
"""


def pam_ready(work):
    helper = os.path.join(os.path.dirname(program), "../logon-pam/logon-pam")
    if not os.path.exists(helper) or not os.path.exists("/etc/pam.d/login"):
        return False
    os.makedirs(f"{work}/lib/smss")
    shutil.copy(helper, f"{work}/lib/smss/logon-pam")
    shutil.copytree("/etc/pam.d", f"{work}/pam.d")
    put(f"{work}/pam.d/smss-autologin", PAM_SERVICE.format(work=work))
    put(f"{work}/pam_env", "FROM_PAM DEFAULT=yes\n")
    put(f"{work}/hook", f"#!/bin/sh\necho $PAM_TYPE $PAM_SERVICE $PAM_USER $PAM_TTY >>{work}/hooked\n", 0o755)
    put(f"{work}/hooked", "")
    bind(f"{work}/pam.d", "/etc/pam.d")
    empty_over("/var/log")
    put("/var/log/wtmp", "")
    return subprocess.run(["mount", "-t", "overlay", "-o", f"lowerdir={work}/lib:/usr/lib", "overlay", "/usr/lib"],
                          check=False).returncode == 0


def records(path):
    said = subprocess.run(["utmpdump", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return said.stdout


def winlogon_pam(work):
    automatic = ("Winlogon\\AutoAdminLogon=1", "Winlogon\\DefaultUserName=alice", "Winlogon\\Pam=1")
    t = Terminal()
    c = start_winlogon(t, *automatic)
    item = c.item("logon")
    tap.check("Pam without logon-pam: refused, said, and a name is asked for",
              item and item[1] == "refused" and t.expect(" login: "), (item, t.seen))
    c.shut()
    t.shut()
    if not pam_ready(work):
        print("# no logon-pam in this build, or no PAM here: not tried")
        return
    t = Terminal()
    name = t.path[5:]
    c = start_winlogon(t, *automatic)
    t.type("echo i=$(id -u),$(id -g),$(id -G) h=$HOME u=$USER z=$0 f=$FROM_PAM s=$SMSS_SESSION.; tty; echo ct >/dev/tty")
    tap.check("the user is logged on with ids, groups, home, and what the modules want in the environment",
              t.expect(f"i=1234,1234,1234 777 h={work}/home/alice u=alice z=-sh f=yes s=1."), t.seen)
    tap.check("the terminal is its own", t.expect(t.path) and t.expect("ct") and os.stat(t.path).st_uid == 1234, t.seen)
    tap.check("a PAM session was opened for it", open(f"{work}/hooked").read() ==
              f"open_session smss-autologin alice {name}\n", open(f"{work}/hooked").read())
    tap.check("who and last will show it", "[7]" in records("/run/utmp") and "[alice" in records("/run/utmp") and
              "[alice" in records("/var/log/wtmp"), records("/run/utmp"))
    t.type("sleep 2; exit 3")
    tap.check("leaving is a logoff", logoff_asked(c))
    tap.check("the PAM session was closed", "close_session smss-autologin alice" in open(f"{work}/hooked").read())
    tap.check("the logout is on record", "[8]" in records("/run/utmp") and "[8]" in records("/var/log/wtmp"),
              records("/var/log/wtmp"))
    c.shut()
    t.shut()
    forget()
    t = Terminal()
    c = start_winlogon(t, *automatic, "Winlogon\\Shell=/bin/sh -c \"echo k=$0 $1; exit 5\" zero one")
    item = c.item("logon")
    tap.check("a kiosk's words and exit status are passed on", t.expect("k=zero one") and item and item[2] == 5,
              (item, t.seen))
    c.shut()
    t.shut()
    forget()
    t = Terminal()
    c = start_winlogon(t, *automatic)
    t.type("kill -9 $$")
    item = c.item("logon")
    tap.check("and so is the signal it died of", item and "signal" in item[3] and item[2] == 9, item)
    c.shut()
    t.shut()
    forget()
    t = Terminal()
    c = Companion([program], plan(f"session:1\\Console={t.path}", *automatic), 1,
                  {"SMSS_POLICY": policy_words(1234, 0, 1 << 5)})
    c.register()
    t.expect("$ ")
    tap.check("the policy's capabilities hold with PAM, too", kept(t) == 1 << 5, t.seen)
    t.type("echo k=$SMSS_KEEP p=$SMSS_POLICY.")
    tap.check("and its words are not handed on", t.expect("k= p=."), t.seen)
    c.shut()
    t.shut()
    forget()
    put(f"{work}/hooked", "")
    t = Terminal()
    c = start_winlogon(t, *automatic)
    t.type("echo ready-$((1+1))")
    t.expect("ready-2")
    start = time.monotonic()
    c.terminate()
    tap.check("ended from above, the session is closed, and soon", c.wait() == 0 and time.monotonic() - start < 1.5 and
              "close_session" in open(f"{work}/hooked").read(), (c.status, open(f"{work}/hooked").read()))
    c.shut()
    t.shut()
    with open(f"{work}/shadow") as f:
        usual = f.read()
    with open(f"{work}/shadow", "w") as f:  # in place: it is bound
        f.write(usual.replace(":99999:7:::\nalice", ":99999:7:::\nx").rsplit("alice", 1)[0] +
                "".join(line.replace(":7:::", ":7::1:") for line in usual.splitlines(True) if line.startswith("alice")))
    t = Terminal()
    c = start_winlogon(t, *automatic)
    item = c.item("logon")
    tap.check("an account that has expired is refused, and nothing was opened", item and item[1] == "failed" and
              item[2] == 126 and "open" not in open(f"{work}/hooked").read().replace("ready", "").split("close")[-1], item)
    c.shut()
    t.shut()
    with open(f"{work}/shadow", "w") as f:
        f.write(usual)
    forget()


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
    empty_over("/run")
    os.mkdir("/run/smss")
    for part in (winlogon_automatic, winlogon_user, winlogon_login, winlogon_crashes, winlogon_terminals,
                 winlogon_greeter, winlogon_fallback, winlogon_kiosk, winlogon_idle, winlogon_owner,
                 winlogon_capabilities, winlogon_pam):
        if os.environ.get("ONLY", "") in part.__name__:
            part(work)
            forget()
