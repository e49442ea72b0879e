# SPDX-License-Identifier: MIT
"""registry_report.py OUT FACTS WINDOWS REFUSED SMALL-BYTES RESULTS - bench/registry's tables"""

import collections
import json
import math
import os
import statistics
import sys

out, facts, windows, refused, small_bytes, write = sys.argv[1:]
facts = json.loads(facts)
text = ["# registry", "",
        "%(date)s, commit %(commit)s, host kernel %(host_kernel)s, %(host_cpu)s." % facts]


def rows_of(lines):
    """{number: (median us, least us, median charged us, largest kB)}; a failure ends it all"""
    found = collections.defaultdict(list)
    for line in lines:
        number, wall, charged, kilobytes, status = line.split()
        if status != "0":
            sys.exit("command %s ended with %s" % (number, status))
        found[int(number)].append((float(wall), float(charged), int(kilobytes)))
    return {number: (statistics.median(r[0] for r in rows), min(r[0] for r in rows),
                     statistics.median(r[1] for r in rows), max(r[2] for r in rows))
            for number, rows in found.items()}


def raw(name):
    with open(os.path.join(out, "registry-%s.raw" % name), encoding="ascii") as f:
        return f.read().splitlines()


def table(title, names, rows):
    text.extend(["", "## " + title, "",
                 "| what | median, ms | least, ms | charged, ms | memory, MB | bound |",
                 "|---|---|---|---|---|---|"])
    for i, (name, bound) in enumerate(names):
        wall, least, charged, kilobytes = rows[i]
        text.append("| %s | %.2f | %.2f | %.2f | %.1f | %s |" % (
            name, wall / 1000, least / 1000, charged / 1000, kilobytes / 1000, bound))
        facts.setdefault("milliseconds", {})[name] = {
            "median": wall / 1000, "least": least / 1000, "charged": charged / 1000,
            "memory_mb": kilobytes / 1000}


plan = rows_of(raw("plan"))
table("A plan", [("the program alone: `smreg --version`", ""),
                 ("`smreg plan`, a hive as `smreg init` makes it", ""),
                 ("`smreg plan`, %d kB" % (int(small_bytes) / 1024), "3"),
                 ("`smreg plan`, " + windows, "1.3 times the next"),
                 ("bare libhivex, the same values of it", ""),
                 ("bare libhivex, the small one", "")], plan)
ratio = {"wall": plan[3][0] / plan[4][0], "least": plan[3][1] / plan[4][1],
         "charged": plan[3][2] / plan[4][2]}
facts["plan_to_bare"] = ratio
text.extend(["", "`smreg plan` of the large hive takes %.2f times the bare reader (least %.2f, "
             "charged %.2f); bound 1.3." % (ratio["wall"], ratio["least"], ratio["charged"])])

table("A commit on tmpfs", [("`smreg add`, a small hive", "5"), ("`smreg add`, 64 kB", "5")],
      rows_of(raw("commit")))
text.extend(["", "Of it, without the program's start, median milliseconds:", "",
             "| hive | read | build (libhivex) | plan | whole commit after reading |",
             "|---|---|---|---|---|"])
for name, line in zip(("small", "64 kB"), raw("parts")):
    parts = [float(word) / 1000 for word in line.split()]
    text.append("| %s | %.2f | %.2f | %.2f | %.2f |" % (name, *parts))
    facts.setdefault("commit_parts", {})[name] = dict(zip(("read", "build", "plan", "commit"),
                                                          parts))

replay = rows_of(raw("replay"))
table("Logs of a 16 MiB hive, every page of it in them",
      [("query of a key, two logs of Windows 8.1 and later", "1000"),
       ("query of a key, one log of before", "1000"),
       ("the same query, the clean hive", "")], replay)

growth = collections.defaultdict(list)
sizes = {}
for line in raw("growth"):
    shape, count, size, rest = line.split(" ", 3)
    growth[shape, int(count)].append(rest)
    sizes[shape, int(count)] = int(size)
VERBS = ("init FILE.reg", "check", "query --recursive", "export")
for shape, what, counted in (("keys", "100 values a key, 100 keys a key", "values"),
                             ("one", "all values in one key", "values"),
                             ("subkeys", "empty subkeys of one key", "subkeys")):
    text.extend(["", "## Growth, " + what, "", "Median milliseconds; charged ones in brackets.", "",
                 "| %s | hive, kB | " % counted + " | ".join(VERBS) + " | memory of init, MB |",
                 "|---|---|" + "---|" * (len(VERBS) + 1)])
    counts = sorted(n for s, n in growth if s == shape)
    table_rows = {n: rows_of(growth[shape, n]) for n in counts}
    for n in counts:
        rows = table_rows[n]
        text.append("| %d | %d | %s | %.1f |" % (
            n, sizes[shape, n] / 1024, " | ".join("%.1f (%.1f)" % (rows[i][0] / 1000,
                                                                   rows[i][2] / 1000)
                                                  for i in range(len(VERBS))), rows[0][3] / 1000))
        facts.setdefault("growth", {}).setdefault(shape, {})[str(n)] = {
            verb: {"median_ms": rows[i][0] / 1000, "charged_ms": rows[i][2] / 1000,
                   "memory_mb": rows[i][3] / 1000} for i, verb in enumerate(VERBS)}
    slopes = [math.log(table_rows[counts[-1]][i][2] / table_rows[counts[-2]][i][2]) /
              math.log(counts[-1] / counts[-2]) for i in range(len(VERBS))]
    facts.setdefault("slope", {})[shape] = dict(zip(VERBS, slopes))
    text.extend(["", "Exponent from %d to %d %s (1 = linear): %s." % (
        counts[-2], counts[-1], counted,
        ", ".join("%s %.2f" % pair for pair in zip(VERBS, slopes)))])
text.extend(["", "libhivex copies a key's list for each new subkey: 1000 are written, and of 1001 is "
             "said:", "", "```", refused.strip(), "```"])
print("\n".join(text))
if write:
    with open(write + "/registry.md", "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")
    with open(write + "/registry.json", "w", encoding="utf-8") as f:
        f.write(json.dumps(facts, indent=1, sort_keys=True) + "\n")
