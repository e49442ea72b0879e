#!/usr/bin/env python3
"""The parts of bench/session: drives the clients in the namespaces, and writes down what they say.

    session_report.py --pid PID [--count N] [--write DIR] [PART...]

PID is the booted smss as this machine numbers it. BENCH_FACTS holds what every result begins with.
"""
import argparse
import json
import os
import subprocess
import sys
import time

SPACES = {"mount": "mnt", "ipc": "ipc", "uts": "uts", "pid": "pid", "net": "net"}
KEPT = 1000        # sessions at once
CROWD = 1000       # processes of one session
CYCLES = 10000
IDLE_S = 10


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


class Client:
    """A program in the namespaces that answers a line with a line."""

    def __init__(self, pid, *words, group=False):
        self.said = ""
        enter = ["nsenter", "--target", str(pid), "--mount", "--pid", "--uts", "--ipc", "--net"]
        libraries = []
        for peer in ("crun", "nspawn"):
            base = "/bench/peer-%s/usr/lib/%s-linux-gnu" % (peer, os.uname().machine)
            libraries += [base, base + "/systemd"]
        env = ["env", "-i", "PATH=/usr/sbin:/usr/bin", "LD_LIBRARY_PATH=" + ":".join(libraries)]
        if group:  # container tools want to stand below the namespace's own root
            enter.append("--cgroup")
            env = ["sh", "-c", "mkdir -p /sys/fs/cgroup/peers; echo 0 >/sys/fs/cgroup/peers/"
                   "cgroup.procs; exec \"$@\"", "sh"] + env
        self.job = subprocess.Popen(enter + ["--"] + env + list(words), stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ask(self, line="go"):
        self.job.stdin.write(line + "\n")
        self.job.stdin.flush()
        answer = self.job.stdout.readline()
        if not answer:
            sys.exit("%s: no answer: %s" % (line, self.close()))
        return [float(word) for word in answer.split()]

    def close(self):
        """What it said last on its error output."""
        if self.job.stdin.closed:
            return self.said
        self.job.stdin.close()
        self.job.wait()
        self.said = (self.job.stderr.read().strip().splitlines() or [""])[-1]
        self.job.stdout.close()
        self.job.stderr.close()
        return self.said


# ---- what the kernel says of processes ----

def field(path, name):
    for line in open(path):
        if line.startswith(name):
            return int(line.split()[1])
    return 0


def rollup(pid, name):
    return field("/proc/%d/smaps_rollup" % pid, name + ":")


def switches(pid):
    path = "/proc/%d/status" % pid
    return field(path, "voluntary_ctxt") + field(path, "nonvoluntary_ctxt")


def parents():
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            stat = open("/proc/%s/stat" % name).read()
        except OSError:
            continue
        found[int(name)] = (int(stat.rpartition(")")[2].split()[1]),
                            stat[stat.index("(") + 1:stat.rindex(")")])
    return found


def same_pids(pid, other):
    try:
        return os.readlink("/proc/%d/ns/pid" % pid) == os.readlink("/proc/%d/ns/pid" % other)
    except OSError:
        return False


def below(master, comms):
    """Processes of these names that descend from it, or from what we run beside it."""
    table = parents()
    children = {}
    for pid, (parent, _) in table.items():
        children.setdefault(parent, []).append(pid)
    # What nsenter has brought in is no descendant, but of the same pid namespace.
    todo = [master] + [pid for pid, (_, comm) in table.items()
                       if comm in ("floor", "sessions") and same_pids(pid, master)]
    found = []
    while todo:
        for pid in children.get(todo.pop(), []):
            todo.append(pid)
            if table[pid][1] in comms:
                found.append(pid)
    return sorted(found)


def entries(path):
    return sum(len(dirs) + len(files) for _, dirs, files in os.walk(path))


def leftovers(master):
    root = "/proc/%d/root" % master
    return {"descriptors": len(os.listdir("/proc/%d/fd" % master)),
            "mounts": sum(1 for _ in open("/proc/%d/mountinfo" % master)),
            "cgroups": sum(len(dirs) for _, dirs, _ in os.walk(root + "/sys/fs/cgroup")),
            "files below /run/smss": entries(root + "/run/smss"),
            "processes": len(below(master, {"csrss", "leave", "smss"})),
            "private dirty, kB": rollup(master, "Private_Dirty"),
            "Rss, kB": rollup(master, "Rss")}


# ---- parts; each returns rows: what, value, bound or "", met or None ----

class Bench:
    def __init__(self, pid, count):
        self.pid, self.count = pid, count
        self.sessions = Client(pid, "/bench/sessions")
        self.sessions.ask("cycle 50")  # warm
        self.isolation = self.look_at_one()

    def look_at_one(self):
        """The namespaces a session really has, so that the floor has no more and no fewer."""
        self.sessions.ask("make 1")
        one = below(self.pid, {"leave"})[-1]
        has = [word for word, space in SPACES.items()
               if os.readlink("/proc/%d/ns/%s" % (one, space)) !=
               os.readlink("/proc/%d/ns/%s" % (self.pid, space))]
        self.sessions.ask("end")
        return ",".join(has) or "none"

    def peers(self):
        """Name, bound, words, how seldom; who makes no cgroup is held in one at the least cost."""
        own = "--tmpfs /tmp --tmpfs /dev/shm --tmpfs /run/user"
        script = "; ".join("mount -t tmpfs tmpfs " + place
                           for place in ("/tmp", "/dev/shm", "/run/user"))
        base = "/bench/peer-%s/usr/bin/%s"
        return [("unshare and sh", 3, ["/usr/bin/unshare", "--fork", "--pid", "--mount", "--uts",
                                       "--ipc", "--mount-proc", "/bin/sh", "-c",
                                       script + "; exec /bench/true"], 1),
                ("bwrap", 3, [base % ("bwrap", "bwrap")] +
                 ("--unshare-pid --unshare-ipc --unshare-uts --bind / / --dev-bind /dev /dev "
                  "--proc /proc %s /bench/true" % own).split(), 1),
                ("crun", 6, [base % ("crun", "crun"), "--cgroup-manager=cgroupfs", "run",
                             "--bundle", "/bench/bundle", "peer"], 1),
                ("systemd-nspawn", 50, [base % ("nspawn", "systemd-nspawn")] +
                 ("--quiet --register=no --keep-unit --console=pipe --link-journal=no "
                  "--resolv-conf=off --timezone=off --directory=/bench/own /usr/bin/true").split(), 10)]

    def pair(self, client, count):
        """Values of a session of ours and of somebody else's, in turns, who begins in turns too."""
        own, other = [], []
        for i in range(count + 20):
            for values, who, word in ((own, self.sessions, "one"),
                                      (other, client, "go"))[::1 if i % 2 else -1]:
                values.append(who.ask(word))
        return own[20:], other[20:]

    def part_make(self):
        floor = Client(self.pid, "/bench/floor", "session", self.isolation)
        own, bare = self.pair(floor, self.count)
        floor.close()
        rows = [("namespaces of a session, and of the floor", self.isolation, "", None)]
        rows.append(self.times("smss: until csrss and initial command run, the master's figure",
                               [t[0] for t in own]))
        rows.append(self.times("smss: the same, as the client sees it", [t[1] for t in own]))
        whole, least = [t[1] + t[2] for t in own], [sum(t) for t in bare]
        rows.append(self.times("smss: made and ended", whole))
        rows.append(self.times("floor: made", [t[0] for t in bare]))
        rows.append(self.times("floor: made and ended", least))
        for q in (0.5, 0.99):
            ratio = quantile(whole, q) / quantile(least, q)
            bound = ("at most 1.4", ratio <= 1.4) if q == 0.5 else ("", None)
            rows.append(("smss / floor, p%d" % (q * 100), "%.2f" % ratio) + bound)
        first = []
        for _ in range(8):
            time.sleep(5.5)  # then no copy waits any more
            first.append(self.sessions.ask("one"))
        rows.append(self.times("smss: made and ended, the first after a while",
                               [t[1] + t[2] for t in first]))
        for peer in self.peers():
            rows += self.beside(*peer)
        return rows

    def beside(self, name, bound, words, seldom):
        own_group = name in ("crun", "systemd-nspawn")
        client = Client(self.pid, "/bench/floor", "run" if own_group else "held", *words,
                        group=True)
        try:
            bad = client.ask()[1]
        except SystemExit:
            bad = True
        if bad:
            return [(name, "cannot run here: " + (client.close() or "no word of it"), "", None)]
        own, other = self.pair(client, max(20, self.count // seldom))
        client.close()
        whole, values = [t[1] + t[2] for t in own], [t[0] for t in other]
        ratio = quantile(values, 0.5) / quantile(whole, 0.5)
        return [self.times(name + ": started and ended", values),
                self.times("smss in turns with it: made and ended", whole),
                ("%s / smss, p50 (p99)" % name, "%.1f (%.1f)" % (
                    ratio, quantile(values, 0.99) / quantile(whole, 0.99)),
                 "at least %d" % bound, ratio >= bound)]

    @staticmethod
    def times(name, values):
        return (name, "%d us, p99 %d, least %d" % (quantile(values, 0.5), quantile(values, 0.99),
                                                   min(values)), "", None)

    def part_busy(self):
        rows = []
        for threads in (1, 2, 4, 8):
            made, seconds = self.sessions.ask("busy 5 %d" % threads)
            rate = made / seconds
            floor = Client(self.pid, "/bench/floor", "busy", "3", str(threads), self.isolation)
            bare = float.__truediv__(*floor.ask())
            floor.close()
            rows.append(("sessions a second, %d clients; floor" % threads,
                         "%d; %d" % (rate, bare), "at least 500" if threads == 4 else "",
                         rate >= 500 if threads == 4 else None))
        return rows

    def cost(self, make, comms):
        """kB a session: memory gone less the programs' PSS, in all and of what; and the rest."""
        kinds = ("Slab", "KernelStack", "PageTables", "Percpu")
        known = set(below(self.pid, comms))
        # What ended before is freed late, and caches count as available in part only.
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3")
        time.sleep(5)
        before = {kind: field("/proc/meminfo", kind + ":") for kind in kinds + ("MemAvailable",)}
        answer = make()
        time.sleep(1)
        programs = [pid for pid in below(self.pid, comms) if pid not in known]
        pss = sum(rollup(pid, "Pss") for pid in programs)
        gone = {kind: (field("/proc/meminfo", kind + ":") - was) / KEPT
                for kind, was in before.items()}
        text = ", ".join("%s %.0f" % (kind.lower(), gone[kind]) for kind in kinds)
        return -gone["MemAvailable"] - pss / KEPT, text, programs, pss, answer

    def part_live(self):
        floor = Client(self.pid, "/bench/floor", "live", str(KEPT), self.isolation)
        least, of_least = self.cost(floor.ask, {"core", "leave"})[:2]
        floor.ask()
        floor.close()
        time.sleep(2)
        kept = lambda: self.sessions.ask("make %d" % KEPT)
        cost, of_cost, programs, pss, (made, took) = self.cost(kept, {"csrss", "leave"})
        everyone = [self.pid] + programs
        time.sleep(6)  # the copy that waited for one more has gone by then
        woken = [switches(pid) for pid in everyone]
        time.sleep(IDLE_S)
        woken = [now - then for now, then in zip((switches(pid) for pid in everyone), woken)]
        running = self.sessions.ask("check")[0]
        dirty = rollup(self.pid, "Private_Dirty")
        ended, end_took = self.sessions.ask("end")
        return [("sessions asked for and running", "%d" % running, "%d" % KEPT, running == KEPT),
                ("made in", "%.2f s" % (took / 1e6), "", None),
                ("ended in", "%.2f s, %d of them" % (end_took / 1e6, ended), "", None),
                ("master, private dirty", "%d kB" % dirty, "at most 256 kB", dirty <= 256),
                ("wake-ups of the master in %d s" % IDLE_S, "%d" % woken[0], "0", woken[0] == 0),
                ("wake-ups of the %d programs" % len(programs), "%d" % sum(woken[1:]), "0",
                 sum(woken[1:]) == 0),
                ("PSS of these programs, a session", "%.1f kB" % (pss / KEPT), "", None),
                ("memory a session, less its programs'", "%.1f kB (%s)" % (cost, of_cost),
                 "at most 100 kB", cost <= 100),
                ("the same of the floor", "%.1f kB (%s)" % (least, of_least), "", None)]

    def part_crowd(self):
        floor = Client(self.pid, "/bench/floor", "crowd", str(CROWD))
        own, bare = [], []
        for _ in range(12):
            own.append(self.sessions.ask("crowd %d" % CROWD)[0])
            bare.append(floor.ask()[0])
        floor.close()
        ratio = quantile(own[2:], 0.5) / quantile(bare[2:], 0.5)
        return [self.times("smss: a session of %d processes ended" % CROWD, own[2:]),
                self.times("floor: cgroup.kill and reap", bare[2:]),
                ("smss / floor, p50", "%.2f" % ratio, "at most 1.3", ratio <= 1.3)]

    def part_cycles(self):
        before = leftovers(self.pid)
        count, took = self.sessions.ask("cycle %d" % CYCLES)
        time.sleep(0.5)
        after = leftovers(self.pid)
        rows = [("sessions made and ended", "%d in %.1f s" % (count, took / 1e6), "", None)]
        for name, value in before.items():
            rows.append((name, "%d before, %d after" % (value, after[name]), "no growth",
                         after[name] <= value))
        return rows

    def part_events(self):
        rows = []
        for subscribers in (1, 100):
            count, half, most, worst = self.sessions.ask("events %d 200" % subscribers)
            rows.append(("request to first event, %d subscribers, %d events" % (subscribers, count),
                         "%d us, p99 %d, most %d" % (half, most, worst),
                         "p99 at most 5000" if subscribers > 1 else "",
                         most <= 5000 if subscribers > 1 else None))
        return rows

    def part_status(self):
        quiet = self.sessions.ask("status 5000")
        self.sessions.ask("flood 10")
        loud = self.sessions.ask("status 5000")
        sent, connections = self.sessions.ask("calm")
        text = "%d us, p99 %d, most %d"
        return [("status, nobody else", text % tuple(quiet[1:]), "", None),
                ("status, one flooder and ten silent clients", text % tuple(loud[1:]),
                 "p99 at most 5000", loud[2] <= 5000),
                ("the flooder's requests, connections", "%d, %d" % (sent, connections), "", None)]


PARTS = ("make", "busy", "live", "crowd", "cycles", "events", "status")
TITLES = {"make": "One session, beside others (in turns)", "busy": "As many as can be",
          "live": "%d at once" % KEPT, "crowd": "Ending %d processes" % CROWD,
          "cycles": "What is left after %d" % CYCLES, "events": "Events",
          "status": "Status, while others misbehave"}


def page(parts):
    text = ["# sessions", ""]
    for name in PARTS:
        if name not in parts:
            continue
        facts = parts[name]["facts"]
        text += ["## " + TITLES[name], "",
                 "%(date)s, commit %(commit)s, host kernel %(host_kernel)s, %(host_cpu)s." % facts,
                 "", "| what | result | bound | |", "|---|---|---|---|"]
        for what, value, bound, met in parts[name]["rows"]:
            text.append("| %s | %s | %s | %s |" % (
                what, value, bound, {True: "met", False: "**missed**", None: ""}[met]))
        text.append("")
    return "\n".join(text)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--pid", type=int, required=True)
    words.add_argument("--count", type=int, default=200)
    words.add_argument("--write")
    words.add_argument("parts", nargs="*")
    words = words.parse_args()
    unknown = set(words.parts) - set(PARTS)
    if unknown:
        sys.exit("session: no such part: " + ", ".join(unknown))
    bench, done = Bench(words.pid, words.count), {}
    for name in words.parts or PARTS:
        done[name] = {"facts": json.loads(os.environ["BENCH_FACTS"]),
                      "rows": getattr(bench, "part_" + name)()}
        print(page({name: done[name]}).partition("\n\n")[2], flush=True)
    bench.sessions.close()
    if words.write:
        path = words.write + "/session.json"
        try:
            kept = json.load(open(path))["parts"]
        except (OSError, KeyError):
            kept = {}
        kept.update(done)
        open(path, "w").write(json.dumps({"parts": kept}, indent=1, sort_keys=True) + "\n")
        open(words.write + "/session.md", "w").write(page(kept))
    sys.exit(any(met is False for part in done.values() for *_, met in part["rows"]))


main()
