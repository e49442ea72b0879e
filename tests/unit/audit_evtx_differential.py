#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""audit_evtx_differential.py DUMP FOLDER - event logs as smaudit reads them, against python3-evtx.

Every log in FOLDER: the same starts and ends of processes (Sysmon 1 and 5, Security 4688 and 4689),
record by record, with the same pids, paths, command lines and GUIDs. Speaks TAP; skipped with a
line when python3-evtx or FOLDER is not there.
"""

import glob
import os
import subprocess
import sys
import xml.etree.ElementTree as tree

NS = "{http://schemas.microsoft.com/win/2004/08/events/event}"
WANTED = {
    ("microsoft-windows-sysmon/operational", "1"): "start",
    ("microsoft-windows-sysmon/operational", "5"): "end",
    ("security", "4688"): "start",
    ("security", "4689"): "end",
}


def pid(text):
    return str(int(text, 0)) if text not in (None, "", "-") else "~"


def told(text):
    if text in (None, "", "-"):
        return "~"
    return text.translate({9: "?", 10: "?", 13: "?"})


def fact(record, xml):
    """The line that smaudit should have, or None."""
    event = tree.fromstring(xml)
    system = event.find(NS + "System")
    number = system.find(NS + "EventID").text
    kind = WANTED.get((system.find(NS + "Channel").text.lower(), number))
    if not kind:
        return None
    data = {d.get("Name"): d.text for d in event.iter(NS + "Data")}
    if number == "4688":
        subject, target = data.get("SubjectUserSid"), data.get("TargetUserSid")
        sid = subject if target == "S-1-0-0" else target
        return [str(record), kind, pid(data.get("NewProcessId")), pid(data.get("ProcessId")),
                told(data.get("NewProcessName")), told(data.get("ParentProcessName")),
                told(data.get("CommandLine")), "~", told(sid)]
    if number == "4689":
        return [str(record), kind, pid(data.get("ProcessId")), "~", told(data.get("ProcessName")),
                "~", "~", "~", told(data.get("SubjectUserSid"))]
    return [str(record), kind, pid(data.get("ProcessId")), pid(data.get("ParentProcessId")),
            told(data.get("Image")), told(data.get("ParentImage")), told(data.get("CommandLine")),
            told(data.get("ProcessGuid")).upper(), "~"]


def theirs(evtx, path):
    with evtx.Evtx(path) as log:
        for record in log.records():
            try:
                line = fact(record.record_num(), record.xml())
            except (tree.ParseError, ValueError, AttributeError, KeyError):
                continue  # python3-evtx writes no XML that can be read of it
            if line:
                yield line


def ours(dump, path):
    done = subprocess.run([dump, path], capture_output=True, text=True, check=True, timeout=120)
    for line in done.stdout.splitlines():
        part = line.split("\t")
        if part[2] in ("start", "end"):
            yield part[1:]


def main():
    dump, folder = sys.argv[1:3]
    try:
        from Evtx import Evtx as evtx
    except ImportError:
        print("1..0 # skip python3-evtx is not installed")
        return 0
    paths = sorted(glob.glob(os.path.join(folder, "*.evtx")))
    if not paths:
        print(f"1..0 # skip there are no logs in {folder}")
        return 0
    print(f"1..{len(paths)}")
    failed = 0
    for i, path in enumerate(paths, 1):
        mine, other = list(ours(dump, path)), list(theirs(evtx, path))
        same = mine == other
        failed += not same
        print(f"{'ok' if same else 'not ok'} {i} - {os.path.basename(path)}: {len(mine)} facts")
        for one, two in list(zip(mine, other))[:2000]:
            if one != two:
                print(f"# ours   {one}\n# theirs {two}")
                break
        if len(mine) != len(other):
            print(f"# {len(mine)} of ours, {len(other)} of theirs")
    return 1 if failed else 0


sys.exit(main())
