# SPDX-License-Identifier: MIT
"""pending_report.py OUT FACTS RESULTS - bench/pending's tables"""

import collections
import json
import math
import os
import statistics
import sys

out, facts, write = sys.argv[1:]
facts = json.loads(facts)
WAYS = {"step": "the step: one group", "bare": "rename(2), unlink(2), one syncfs",
        "shell": "mv, rm, one sync", "queue": "queueing the group"}
PLACES = {"ext4-memory": "ext4, its device in memory", "xfs-memory": "XFS, its device in memory",
          "ext4-disk": "ext4, its device a file on this disk"}
text = ["# pending", "",
        "%(date)s, commit %(commit)s, host kernel %(host_kernel)s, %(host_cpu)s." % facts]


def raw(name):
    """{(way, operations): [(ms, charged ms, kB)]}"""
    found = collections.defaultdict(list)
    with open(os.path.join(out, "pending-%s.raw" % name), encoding="ascii") as f:
        for line in f:
            way, count, ms, charged, kilobytes = line.split()
            found[way, int(count)].append((float(ms), float(charged), int(kilobytes)))
    return found


def median(rows, column=0):
    return statistics.median(r[column] for r in rows)


text += ["", "## 10,000 operations", "",
         "Milliseconds, medians; in brackets the least, and what the kernel charged, which other "
         "work on the machine moves less. The queue is durable before the step begins, and the "
         "step ends when all is durable.", "",
         "| where | " + " | ".join(WAYS.values()) + " | step / bare, bound 1.5 | by the least | "
         "charged | step / shell, bound 0.2 |", "|---" * 9 + "|"]
for place, words in PLACES.items():
    rows = raw(place)
    found = {way: rows[way, 10000] for way in WAYS}
    ratio = {way: median(found["step"]) / median(found[way]) for way in ("bare", "shell")}
    ratio["bare_least"] = min(found["step"])[0] / min(found["bare"])[0]
    ratio["bare_charged"] = median(found["step"], 1) / median(found["bare"], 1)
    cells = " | ".join("%.1f (%.1f, %.1f)" % (median(r), min(r)[0], median(r, 1))
                       for r in found.values())
    text.append("| %s | %s | %.2f | %.2f | %.2f | %.3f |" % (
        words, cells, ratio["bare"], ratio["bare_least"], ratio["bare_charged"], ratio["shell"]))
    facts.setdefault("operations_10000", {})[place] = {
        "milliseconds": {way: median(r) for way, r in found.items()},
        "charged_ms": {way: median(r, 1) for way, r in found.items()}, "ratio": ratio,
        "rounds": {way: len(r) for way, r in found.items()}}

rows = raw("growth")
text += ["", "## Growth, ext4 in memory", "",
         "| operations | step, ms | a thousand, ms | bare, ms | step / bare | looked at first, ms | "
         "step / looked | queueing, ms | memory of the step, MB | of queueing, MB |",
         "|---" * 10 + "|"]
steps, looks = {}, {}
for count in sorted({n for _, n in rows}):
    step, bare, looked, queue = (rows[way, count] for way in ("step", "bare", "looked", "queue"))
    steps[count], looks[count] = median(step), median(looked)
    kilobytes = [max(r[2] for r in found) for found in (step, queue)]
    text.append("| %d | %.1f | %.2f | %.1f | %.2f | %.1f | %.2f | %.1f | %.1f | %.1f |" % (
        count, median(step), median(step) * 1000 / count, median(bare),
        median(step) / median(bare), median(looked), median(step) / median(looked),
        median(queue), kilobytes[0] / 1000, kilobytes[1] / 1000))
    facts.setdefault("growth", {})[count] = {
        "step_ms": median(step), "bare_ms": median(bare), "looked_ms": median(looked),
        "queue_ms": median(queue),
        "step_kb": kilobytes[0], "queue_kb": kilobytes[1], "rounds": len(step)}
counts = sorted(steps)
if len(counts) > 1:
    low, high = counts[-2:]
    facts["exponent"], facts["exponent_looked"] = (
        math.log(t[high] / t[low]) / math.log(high / low) for t in (steps, looks))
    text += ["", "Exponent from %d to %d operations (1 = linear): %.2f; of the loop that looks at "
             "everything first and reads what is moved, one file at a time: %.2f." % (
                 low, high, facts["exponent"], facts["exponent_looked"])]
print("\n".join(text))
if write:
    with open(write + "/pending.md", "w", encoding="utf-8") as f:
        f.write("\n".join(text) + "\n")
    with open(write + "/pending.json", "w", encoding="utf-8") as f:
        f.write(json.dumps(facts, indent=1, sort_keys=True) + "\n")
