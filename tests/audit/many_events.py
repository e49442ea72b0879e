#!/usr/bin/env python3
"""Sysmon events of many machines and boots, without end: how far smaudit goes, and on what memory.

    tests/audit/many_events.py [--events N] [--hosts H] [--boots B] [--hostile] [--master]

Writes N JSON lines to stdout. Each host has B boots; each boot begins with the genuine start of a
session manager (master, disk check, two copies and what they start) and goes on with ordinary
processes until the host has had its share; hosts take turns, as in a collector's file. Nothing in
it is a finding. With --hostile all names, guids and hosts that can be are different, and 1 of 100
processes is called smss.exe: the most that evidence can ask of bounded tables. --master adds
a second session manager that stays, to the first host: what has to be found among all that.
Constant memory here, too: a line depends on its number alone.
"""
import argparse
import sys

S32 = "C:\\\\Windows\\\\System32\\\\"
ORDINARY = ("svchost.exe", "conhost.exe", "taskhostw.exe", "SearchIndexer.exe", "RuntimeBroker.exe",
            "backgroundTaskHost.exe", "WmiPrvSE.exe", "dllhost.exe", "chrome.exe", "sihost.exe")
LINE = ('{"EventID":%d,"Channel":"Microsoft-Windows-Sysmon/Operational",'
        '"SourceName":"Microsoft-Windows-Sysmon","Hostname":"%s","UtcTime":"%s",'
        '"ProcessGuid":"{%s}","ProcessId":"%d","Image":"%s"')
BORN = (',"CommandLine":"%s","User":"NT AUTHORITY\\\\SYSTEM","IntegrityLevel":"System",'
        '"TerminalSessionId":"%d","ParentProcessGuid":"{%s}","ParentProcessId":"%d",'
        '"ParentImage":"%s","OriginalFileName":"%s","Company":"Microsoft Corporation",'
        '"FileVersion":"10.0.18362.752 (WinBuild.160101.0800)",'
        '"Hashes":"SHA256=5F48638E3397204C2C63D7B76D025D62302D0E45FC5055C0A692B0BBC7E6B337"')
# pid, parent's pid, image, parent's image, session, event; in the order of a real boot
BOOT = (
    (304, 4, "smss.exe", "System", 0, 1), (320, 304, "autochk.exe", "smss.exe", 0, 1),
    (320, 0, "autochk.exe", "", 0, 5), (400, 304, "smss.exe", "smss.exe", 0, 1),
    (412, 400, "csrss.exe", "smss.exe", 0, 1), (480, 304, "smss.exe", "smss.exe", 1, 1),
    (488, 400, "wininit.exe", "smss.exe", 0, 1), (400, 0, "smss.exe", "", 0, 5),
    (496, 480, "csrss.exe", "smss.exe", 1, 1), (560, 480, "winlogon.exe", "smss.exe", 1, 1),
    (480, 0, "smss.exe", "", 0, 5), (600, 488, "services.exe", "wininit.exe", 0, 1),
    (620, 488, "lsass.exe", "wininit.exe", 0, 1),
)


def time_of(second, tenth):
    """The time so long after the first boot, as Sysmon writes it; months have 28 days here."""
    day, rest = divmod(second, 86400)
    return "%04d-%02d-%02d %02d:%02d:%02d.%d00" % (
        2020 + day // 336, 1 + day // 28 % 12, 1 + day % 28, rest // 3600, rest // 60 % 60,
        rest % 60, tenth)


def guid(host, boot, pid, number):
    """Unique over hosts and boots; of a pid that is used again, number tells which it is."""
    return "%08X-%04X-%04X-%04X-%012X" % (host, boot & 0xffff, number >> 24 & 0xffff, pid & 0xffff,
                                          number & 0xffffff)


def full(name):
    return name if name in ("System", "") else S32 + name


def line(event, host, when, own, pid, image, born=None):
    text = LINE % (event, host, when, own, pid, image)
    return text + (BORN % born if born else "") + "}\n"


class Fleet:
    def __init__(self, a):
        self.a = a
        self.each = -(-a.events // (a.hosts * a.boots))  # lines of one boot

    def host(self, n):
        return "HOST%06d.lab.example" % n

    def boot_line(self, host, boot, step):
        pid, ppid, name, parent, session, event = BOOT[step]
        when = time_of(boot * 86400 + step // 5, step % 10)
        born = None
        if event == 1:
            born = (full(name), session, guid(host, boot, ppid, 0), ppid, full(parent), name)
        return line(event, self.host(host), when, guid(host, boot, pid, 0), pid, full(name), born)

    def later_line(self, host, boot, step):
        k = step - len(BOOT)
        pid = 1000 + k // 2 * 4 % 60000  # pids come back within a boot
        name = ORDINARY[k // 2 % len(ORDINARY)]
        image = full(name)
        # 20 events a second at most, and a boot ends within its day
        second, tenth = divmod(k, 20)
        when = time_of(boot * 86400 + 60 + second % 86000, tenth // 2)
        own = guid(host, boot, pid, 1 + k // 2)
        if self.a.master and host == 0 and boot == 0 and k in (0, 1000):
            # it stays: a child of its own shows it long after
            if k == 0:
                return line(1, self.host(host), when, guid(host, boot, 7001, 1), 7001,
                            S32 + "smss.exe", (S32 + "smss.exe", 1, guid(host, boot, 600, 0), 600,
                                               S32 + "services.exe", "smss.exe"))
            return line(1, self.host(host), when, own, pid, S32 + "csrss.exe",
                        (S32 + "csrss.exe", 1, guid(host, boot, 7001, 1), 7001, S32 + "smss.exe",
                         "csrss.exe"))
        if k % 2:
            return line(5, self.host(host), when, own, pid, image)
        return line(1, self.host(host), when, own, pid, image,
                    (image, 1, guid(host, boot, 600, 0), 600, S32 + "services.exe", name))

    def hostile_line(self, n):
        name = "smss.exe" if n % 100 == 0 else "p%x.exe" % n
        image = "C:\\\\%x\\\\%s" % (n * 2654435761 & 0xffffffff, name)
        pid = n * 4 & 0x7ffffffc
        return line(1, "H%x" % (n * 40503 & 0xffffff), time_of(n // 20 % 80000000, n % 10),
                    guid(n, n, pid, n), pid, image,
                    ("%s %x" % (name, n), n & 0xff, guid(n + 1, n, 4, n), pid - 4,
                     "C:\\\\%x\\\\smss.exe" % n, name))

    def lines(self):
        a = self.a
        done = 0
        if a.hostile:
            for n in range(a.events):
                yield self.hostile_line(n)
            return
        for boot in range(a.boots):
            for step in range(self.each):
                for host in range(a.hosts):
                    if done == a.events:
                        return
                    done += 1
                    yield (self.boot_line if step < len(BOOT) else self.later_line)(host, boot, step)


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--events", type=int, default=100000, metavar="N")
    p.add_argument("--hosts", type=int, default=10, metavar="H")
    p.add_argument("--boots", type=int, default=3, metavar="B")
    p.add_argument("--hostile", action="store_true", help="everything is different each time")
    p.add_argument("--master", action="store_true", help="one impostor that has to be found")
    a = p.parse_args()
    if a.events < 1 or a.hosts < 1 or a.boots < 1:
        p.error("each number is at least 1")
    if a.master and a.events // (a.hosts * a.boots) < 1100:
        p.error("--master shows itself after 1,100 events of a boot: more events, or fewer hosts")
    block = []
    try:
        for text in Fleet(a).lines():
            block.append(text)
            if len(block) == 4096:
                sys.stdout.write("".join(block))
                block.clear()
        sys.stdout.write("".join(block))
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
