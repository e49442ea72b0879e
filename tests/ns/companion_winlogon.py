# SPDX-License-Identifier: MIT
"""winlogon: autologon, real login, crashes, terminals."""

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
