#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns the consoles that bench/boot recorded into a table and a JSON document."""

import argparse
import json
import os
import re
import sys

TARGETS = {"smss": 7.8, "smss-bare": 3.9}
WHAT = {
    "smss-first": "smss, first boot: autochk, KnownDLLs default, paging file made",
    "smss": "smss: autochk on one clean root, KnownDLLs default, paging file ready (A)",
    "smss-bare": "smss: BootExecute and KnownDLLs empty, paging file ready (B)",
    "smss-chatty": "as A, every line of the kernel's log also on the serial console",
    "busybox": "busybox init, mount -a and swapon -a from inittab",
    "busybox-lines": "busybox init, a command for each mount",
    "busybox-script": "busybox init, the job as a shell script",
    "sysvinit": "sysvinit 3.06, the same script",
    "runit": "runit 2.1.2, the same script as stage 1",
}


def section(text, name):
    m = re.search(r"^=== %s\n(.*?)^=== end" % name, text, re.S | re.M)
    return m.group(1) if m else ""


def find_row(rows, phase, name):
    for row in rows:
        if row["phase"] == phase and row["name"] == name:
            return row
    return None


def read_run(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        text = f.read().replace("\r", "")
    start = re.search(r"BENCH_EXEC_NS=(\d+)", section(text, "exec"))
    if not start:
        raise ValueError(path + ": no time of exec")
    start = int(start.group(1))
    run = {"swap": section(text, "swaps").count("\n") > 1,
           "hostname": section(text, "hostname").strip(),
           "mounts": section(text, "mounts").count("\n")}
    timeline = section(text, "timeline")
    if timeline.strip():
        rows = json.loads(timeline)["rows"]
        for row in rows:
            row["at"] = row["start_ns"] - start
        session = find_row(rows, "Sessions", "Sessions")
        name = find_row(rows, "Sessions", "ComputerName")
        end = session["at"] + 1000 * session["duration_us"]
        run.update(end=end, named=name["at"] + 1000 * name["duration_us"], rows=rows)
        # The known libraries stand back until the sessions are there; the work is still to be told.
        known = find_row(rows, "PagingFiles", "KnownDlls")
        if known and known["at"] > end:
            run["with_known"] = end + 1000 * known["duration_us"]
    else:
        cores = [int(n) for n in re.findall(r"bench: core[12] (\d+)", text)]
        if len(cores) != 2:
            raise ValueError(path + ": %d core processes" % len(cores))
        run.update(end=max(cores) - start, named=None, rows=[])
    return run


def million(n):
    return "%.2f" % (n / 1e6)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--out", required=True)
    p.add_argument("--facts", required=True)
    p.add_argument("--runs", type=int, required=True)
    p.add_argument("--write")
    p.add_argument("names", nargs="+")
    a = p.parse_args()
    result = json.loads(a.facts)
    result.update(what="million instructions from the exec of PID 1", configurations={})
    lines = ["| init | million instructions | spread | target | of busybox |",
             "|---|---|---|---|---|"]
    found, failed = {}, False
    for name in a.names:
        logs = [os.path.join(a.out, "%s.%d.log" % (name, i + 1)) for i in range(a.runs)]
        if not all(os.path.exists(log) for log in logs):
            continue
        found[name] = [read_run(log) for log in logs]
    base = min(r["end"] for r in found["busybox"]) if "busybox" in found else None
    for name, runs in found.items():
        ends = [r["end"] for r in runs]
        one = runs[0]
        job = {k: one[k] for k in ("swap", "hostname", "mounts")}
        if not one["swap"] or one["hostname"] != "smss-bench" or one["mounts"] < 8:
            print("%s: the job was not done: %s" % (name, job), file=sys.stderr)
            failed = True
        target = TARGETS.get(name)
        lines.append("| %s | %s | %d | %s | %s |" % (
            WHAT[name], million(ends[0]), max(ends) - min(ends), target or "",
            "%.2f" % (ends[0] / base) if base else ""))
        result["configurations"][name] = {
            "million": round(ends[0] / 1e6, 3), "spread_instructions": max(ends) - min(ends),
            "target": target, "met": target is None or ends[0] <= target * 1e6,
            "with_hostname_million": round(one["named"] / 1e6, 3) if one["named"] else None,
            "with_known_libraries_million":
                round(one["with_known"] / 1e6, 3) if "with_known" in one else None,
            "job": job}
    text = ["# boot: instructions to the two core processes", "",
            "%(date)s, commit %(commit)s, kernel %(kernel)s; host %(host_cpu)s." % result, "",
            *lines, ""]
    for name, runs in found.items():
        if not runs[0]["rows"]:
            continue
        text += ["## %s" % WHAT[name], "", "| from | to | takes | what |", "|---|---|---|---|"]
        last = 0
        indent = {"phase": "", "entry": "&nbsp;&nbsp;", "item": "&nbsp;&nbsp;&nbsp;&nbsp;"}
        for row in runs[0]["rows"]:
            end = row["at"] + 1000 * (row["duration_us"] or 0)
            if row["kind"] == "phase" and last == 0:
                text.append("| 0.00 | %s | %s | exec, /proc /sys /dev /run, signals, log |" % (
                    million(row["at"]), million(row["at"])))
            last = 1
            text.append("| %s | %s | %s | %s%s %s%s |" % (
                million(row["at"]), million(end), million(end - row["at"]), indent[row["kind"]],
                row["name"] or row["phase"], row["result"],
                ": " + row["text"] if row["text"] else ""))
        text.append("")
        if runs[0]["named"]:
            text += ["With the host's name set: %s." % million(runs[0]["named"]), ""]
        if "with_known" in runs[0]:
            text += ["The known libraries come after the sessions and at idle priority; with their"
                     " work counted: %s." % million(runs[0]["with_known"]), ""]
    print("\n".join(text))
    if a.write:
        with open(os.path.join(a.write, "boot.md"), "w", encoding="utf-8") as f:
            f.write("\n".join(text))
        with open(os.path.join(a.write, "boot.json"), "w", encoding="utf-8") as f:
            json.dump(result, f, indent=1, sort_keys=True)
            f.write("\n")
    return 1 if failed or not all(c["met"] for c in result["configurations"].values()) else 0


sys.exit(main())
