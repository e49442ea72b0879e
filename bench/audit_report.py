# SPDX-License-Identifier: MIT
"""audit_report.py OUT FACTS RESULTS - bench/audit's tables, of the parts that ran"""

import collections
import json
import math
import os
import statistics
import sys

out, facts, write = sys.argv[1:]
facts = json.loads(facts)
text = ["# audit", "",
        "%(date)s, commit %(commit)s, host kernel %(host_kernel)s, %(host_cpu)s." % facts]
late = []


def rows_of(part):
    """{number: [(ms, charged ms, MB)]}, or nothing if the part did not run"""
    path = os.path.join(out, "audit-%s.raw" % part)
    found = collections.defaultdict(list)
    if not os.path.exists(path):
        return found
    with open(path, encoding="ascii") as f:
        for line in f:
            number, wall, charged, kilobytes, status = line.split()
            if status != "0":
                sys.exit("%s: command %s ended with %s" % (part, number, status))
            found[int(number)].append(
                (float(wall) / 1000, float(charged) / 1000, int(kilobytes) / 1024))
    return found


def size_of(part):
    with open(os.path.join(out, "audit-%s.size" % part), encoding="ascii") as f:
        return int(f.read())


def bound(what, value, limit, at_least):
    good = value >= limit if at_least else value <= limit
    if not good:
        late.append("%s: %.2f, bound %s" % (what, value, limit))
    facts.setdefault("bounds", {})[what] = {"value": value, "bound": limit, "kept": good}


def table(title, names, rows, megabytes):
    text.extend(["", "## " + title, "",
                 "| what | median, ms | least, ms | charged, ms | MB/s | memory, MiB |",
                 "|---|---|---|---|---|---|"])
    for i, name in enumerate(names):
        wall = [r[0] for r in rows[i]]
        middle = statistics.median(wall)
        charged = statistics.median(r[1] for r in rows[i])
        memory = max(r[2] for r in rows[i])
        text.append("| %s | %.0f | %.0f | %.0f | %.0f | %.1f |" % (
            name, middle, min(wall), charged, megabytes / middle * 1000, memory))
        facts.setdefault("milliseconds", {})[name] = {
            "median": middle, "least": min(wall), "charged": charged, "memory_mib": memory}


def compare(part, ours, theirs, rows, limit):
    ratios = [b[0] / a[0] for a, b in zip(rows[0], rows[1])]
    charged = [b[1] / a[1] for a, b in zip(rows[0], rows[1])]
    text.extend(["", "%s is %.2f times as fast as %s (median of %d rounds; least %.2f, charged "
                 "%.2f); bound %s." % (ours, statistics.median(ratios), theirs, len(ratios),
                                       min(ratios), statistics.median(charged), limit)])
    bound(part, statistics.median(ratios), limit, True)


rows = rows_of("json")
if rows:
    size = size_of("json") / 1e6
    table("JSON lines, %.0f MB" % size,
          ["`smaudit processes`", "`jq -c`, the same fields"], rows, size)
    compare("json", "`smaudit`", "`jq`", rows, 2)
rows = rows_of("evtx")
if rows:
    size = 8 * size_of("evtx") / 1e6
    table("An event log of %.1f MB, eight times" % (size / 8),
          ["`smaudit evtx`", "`evtxexport`"], rows, size)
    compare("evtx", "`smaudit`", "`evtxexport`", rows, 0.8)
rows = rows_of("hive")
if rows:
    size = size_of("hive") / 1e6
    table("A hive of %.1f MB" % size, ["`smaudit hive`"], rows, size)
    bound("hive, ms", statistics.median(r[0] for r in rows[0]), 100, False)
rows = rows_of("memory")
if rows:
    text.extend(["", "## Events from a pipe", "",
                 "| events | seconds | charged, s | memory, MiB |", "|---|---|---|---|"])
    for n, (one,) in sorted(rows.items()):
        text.append("| %d | %.1f | %.1f | %.1f |" % (n, one[0] / 1000, one[1] / 1000, one[2]))
    (least, most) = sorted(rows)[-2:]
    growth = math.log(rows[most][0][1] / rows[least][0][1]) / math.log(most / least)
    text.extend(["", "Exponent of the charged time from %d to %d events (1 = linear): %.2f; memory "
                 "bound 64 MiB." % (least, most, growth)])
    facts["events"] = {str(n): {"seconds": one[0] / 1000, "charged": one[1] / 1000,
                                "memory_mib": one[2]} for n, (one,) in rows.items()}
    bound("memory, MiB", rows[most][0][2], 64, False)
    bound("growth", growth, 1.1, False)
print("\n".join(text))
if write:
    with open(os.path.join(write, "audit.md"), "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")
    with open(os.path.join(write, "audit.json"), "w", encoding="utf-8") as f:
        json.dump(facts, f, indent=1, sort_keys=True)
        f.write("\n")
for line in late:
    print("beyond its bound: " + line, file=sys.stderr)
sys.exit(bool(late))
