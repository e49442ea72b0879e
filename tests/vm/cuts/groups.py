"""Pending groups on a file system of their own: 20 of them with 2,000 operations, on and then back.

The guest queues them, carries them out as the boot's step does, and then takes them back as a fall
back to LastKnownGood does; the cuts fall into both. Behind that comes the script of mvrm.py. The
law after a cut, before anybody recovers anything: a group whose story says applied is wholly
there, one that says queued or reverted is untouched, and no content is lost whatever it says; what
had returned is so. Then the recovery, which is the next boot's step, or in every other state its
fallback and then a step: each group is whole or untouched, says so, and those before it went
before it; and after a fallback every group is back.

What files there have to be is worked out here, from the operations alone; journals are read here.
Nothing is shared with the product but the command that recovers.

usage: groups.py fill TREE     the files, and the groups queued: a system that will be booted
       groups.py judge TREE    what a kill left of it, recovered; exit 1 when the law is broken
"""

import json
import os
import stat
import struct
import subprocess
import sys
import zlib

import mvrm
from hivefile import crc32c

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "../../../build"))
SMCTL = os.path.join(os.environ.get("STAGE", os.path.join(BUILD, "stage")), "usr/bin/smctl")
DISK = "data"
GROUPS, OPERATIONS = 20, 100
STATE = "var/lib/smss"
RECORD = struct.Struct("<IIIIiIQQ24x")
BEGIN, COMMIT, FAILED, REFUSED, QUARANTINED, REVERTING, REVERTED = range(1, 8)
STORY = {0: "queued", BEGIN: "begun", COMMIT: "applied", FAILED: "failed", REFUSED: "refused",
         QUARANTINED: "quarantined", REVERTING: "reverting", REVERTED: "reverted"}
ON_THE_WAY = ("begun", "reverting")
FORWARD = {"queued": "applied", "begun": "applied", "failed": "applied", "applied": "applied",
           "reverting": "reverted", "reverted": "reverted"}
BACK = {"queued": "queued", "begun": "failed", "failed": "failed", "applied": "reverted",
        "reverting": "reverted", "reverted": "reverted"}


# ---- the operations, and what they make ----------------------------------------------------------

def operations(g):
    """(files before, operations) of group g; every path below its own directory but one."""
    files, steps = {}, []
    here = f"files/{g:02d}"

    def have(*names):
        for name in names:
            files[f"{here}/{name}"] = f"{g} {name}"

    # every group replaces the same file: their order shows
    files[f"common/app.{g}"] = f"app {g}"
    steps.append(("!", f"common/app.{g}", "common/app"))
    # a directory replaced by another, one moved, one deleted with all below
    have("tree/a", "tree/sub/b", "tree.new/a", "tree.new/c", "box/d", "box/sub/e", "gone/f",
         "gone/deep/er/g")
    steps += [("!", f"{here}/tree.new", f"{here}/tree"), ("", f"{here}/box", f"{here}/box.moved"),
              ("-", f"{here}/gone", None)]
    # a chain, and a swap by a third name
    have("x/1", "x/2", "y/left", "y/right")
    steps += [("", f"{here}/x/2", f"{here}/x/3"), ("", f"{here}/x/1", f"{here}/x/2"),
              ("", f"{here}/y/left", f"{here}/y/third"),
              ("", f"{here}/y/right", f"{here}/y/left"),
              ("", f"{here}/y/third", f"{here}/y/right")]
    n = 0
    while len(steps) < OPERATIONS:
        kind, n = n % 3, n + 1
        if kind == 0:
            have(f"m/old{n}")
            steps.append(("", f"{here}/m/old{n}", f"{here}/n/now{n}"))
        elif kind == 1:
            have(f"r/is{n}", f"m/new{n}")
            steps.append(("!", f"{here}/m/new{n}", f"{here}/r/is{n}"))
        else:
            have(f"d/away{n}")
            steps.append(("-", f"{here}/d/away{n}", None))
    return files, steps


def carried_out(files, steps):
    """What becomes of these files, one operation after the other."""
    def below(path):
        return [p for p in files if p == path or p.startswith(path + "/")]

    for word, source, target in steps:
        if word in ("-", "!"):
            for path in below(source if word == "-" else target):
                del files[path]
        if word != "-":
            for path in below(source):
                files[target + path[len(source):]] = files.pop(path)
    return files


ALL = [operations(g) for g in range(1, GROUPS + 1)]
# a group has paths of its own, but for common/app: what it makes can be worked out alone
BEFORE = {g: files for g, (files, _) in enumerate(ALL, 1)}
AFTER = {g: carried_out({**files, "common/app": ""}, steps)
         for g, (files, steps) in enumerate(ALL, 1)}
CONTENTS = sorted(["app 0"] + [text for files in BEFORE.values() for text in files.values()])


def wanted(applied):
    """The files with these groups applied, in the order of their numbers."""
    files = {"common/app": "app 0"}
    for g in BEFORE:
        files.update(AFTER[g] if g in applied else BEFORE[g])
    return files


def by_group(files):
    """{group: its files}; 0 has what is nobody's alone."""
    found = {g: {} for g in range(GROUPS + 1)}
    for path, text in files.items():
        top, name = path.split("/")[:2]
        number = name if top == "files" else name[4:]
        found[int(number) if number.isdigit() else 0][path] = text
    return found


def differs(want, have):
    path = min(p for p in want.keys() | have.keys() if want.get(p) != have.get(p))
    return f"{path} is {have.get(path)!r}, not {want.get(path)!r}"


def manifest(steps):
    """As smctl reads it."""
    return "".join(f"-\t/{source}\n" if word == "-" else f"{word}/{source}\t/{target}\n"
                   for word, source, target in steps)


def _guest():
    lines = ["[ $CUT_TYPE = ext4 ] || modprobe $CUT_TYPE",
             "mount -t $CUT_TYPE $CUT_DISK /data || exit 1", "cd /data",
             f"mkdir -p common {STATE} etc/smss usr boot /run/lists"]
    lines += [f"chmod 700 {STATE}", "put() { printf '%s' \"$2\" >$1; }", "put common/app 'app 0'"]
    for g, (files, steps) in enumerate(ALL, 1):
        folders = sorted({os.path.dirname(path) for path in files} | {f"files/{g:02d}/n"})
        lines.append("mkdir -p " + " ".join(folders))
        lines += [f"put {path} '{text}'" for path, text in files.items()]
        lines.append(f"cat >/run/lists/{g} <<'LIST'")
        lines += manifest(steps).splitlines()
        lines.append("LIST")
    lines.append("cd /; sync")
    lines.append(f"g=1; while [ $g -le {GROUPS} ]; do smctl pending --root /data add --group g$g "
                 "--manifest /run/lists/$g >/dev/null || exit 1; g=$((g + 1)); done")
    lines += ["sync", "mark groups step 1",
              "smctl pending --root /data apply || exit 1", "mark groups applied 1",
              "mark groups fallback 1",
              "smctl pending --root /data apply --fallback || exit 1", "mark groups reverted 1"]
    # and what mvrm.py judges
    lines += [f"b=1; while [ $b -le {mvrm.BUNDLES} ]; do d=/data/bundles/$b; mkdir -p $d; n=1",
              f"while [ $n -le {mvrm.FILES} ]; do put $d/new$n new; put $d/gone$n gone",
              "n=$((n + 1)); done; b=$((b + 1)); done; sync",
              f"b=1; while [ $b -le {mvrm.BUNDLES} ]; do d=/data/bundles/$b; n=1",
              "mark mvrm begun $b",
              f"while [ $n -le {mvrm.FILES} ]; do mv $d/new$n $d/now$n; rm $d/gone$n",
              f"[ $n -ne {mvrm.FILES // 2} ] || sync; n=$((n + 1))",
              "done; mark mvrm returned $b; sync; b=$((b + 1)); done"]
    return "\n".join(lines) + "\n"


GUEST = _guest()


# ---- what is there -------------------------------------------------------------------------------

def read(path):
    with open(path, "rb") as f:
        return f.read()


def files_below(tree, *tops):
    """{path: content}; what is no file or directory is an error."""
    found = {}
    for top in tops:
        for where, folders, names in os.walk(os.path.join(tree, top)):
            for name in folders + names:
                path = os.path.join(where, name)
                mode = os.lstat(path).st_mode
                if stat.S_ISREG(mode):
                    found[os.path.relpath(path, tree)] = read(path).decode(errors="replace")
                elif not stat.S_ISDIR(mode):
                    raise ValueError(f"{path} is neither file nor directory")
    return found


def stories(tree):
    """{group: state} by the last whole record of each journal."""
    said = {}
    folder = os.path.join(tree, STATE, "pending")
    for g in range(1, GROUPS + 1):
        if not os.path.exists(os.path.join(folder, f"{g:08x}.group")):
            raise ValueError(f"group {g} is not queued")
        path, event = os.path.join(folder, f"{g:08x}.journal"), 0
        log = read(path) if os.path.exists(path) else b""
        for at in range(0, len(log) - RECORD.size + 1, RECORD.size):
            row = log[at:at + RECORD.size]
            crc, word, number, *_ = RECORD.unpack(row)
            if crc != crc32c(b"\0\0\0\0" + row[4:]) or number != g:
                break
            event = word
        said[g] = STORY.get(event, f"event {event}")
    return said


def compare(there, said, when):
    """Every group that is not on its way is whole or untouched, as it says."""
    files = wanted({g for g, word in said.items() if word == "applied"})
    want, have = by_group(files), by_group(there)
    for g, word in said.items():
        if word not in ON_THE_WAY and want[g] != have[g]:
            raise ValueError(f"{when}: group {g} says {word}, and {differs(want[g], have[g])}")
    if not any(word in ON_THE_WAY for word in said.values()):
        if there != files:
            raise ValueError(f"{when}: {differs(files, there)}")
    elif "common/app" not in there:
        raise ValueError(f"{when}: common/app, which is only ever replaced, is not there")


def nothing_lost(tree, there, when):
    kept = files_below(tree, os.path.join(STATE, "graveyard"))
    seen = sorted(list(there.values()) + list(kept.values()))
    if seen != CONTENTS:
        odd = set(CONTENTS) - set(seen) or {t for t in seen if seen.count(t) > 1}
        raise ValueError(f"{when}: lost, or twice there: {sorted(odd)[:3]}")


def step(tree, *words):
    """One more boot's phase 5: what it says of itself is what the journals say."""
    done = subprocess.run([SMCTL, "pending", "--root", tree, "apply", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    listed = subprocess.run([SMCTL, "--json", "pending", "--root", tree, "list"],
                            stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    if done.returncode:
        raise ValueError(f"apply {' '.join(words)} ends with {done.returncode}: {done.stdout}")
    said = stories(tree)
    told = {row["group"]: row["state"] for row in json.loads(listed.stdout)["groups"]}
    if told != said:
        raise ValueError(f"smctl says {told}, the journals {said}")
    return said


def recover(tree, said, words):
    table = BACK if words else FORWARD
    when = "after the fallback" if words else "after the step"
    want = {g: table.get(word, word) for g, word in said.items()}
    now = step(tree, *words)
    if now != want:
        g = next(g for g in now if now[g] != want[g])
        raise ValueError(f"{when}: group {g} was {said[g]}, is {now[g]} and not {want[g]}")
    there = files_below(tree, "files", "common")
    compare(there, now, when)
    nothing_lost(tree, there, when)
    return now


def look(tree):
    facts = {"wrong": None, "said": {}, "found": "broken"}
    try:
        said = facts["said"] = stories(tree)
        there = files_below(tree, "files", "common")
        before = [word for word in said.values() if word in ON_THE_WAY]
        compare(there, said, "before recovery")
        nothing_lost(tree, there, "before recovery")
        if len(before) > 1:
            raise ValueError(f"more than one group is on its way: {said}")
        # the same state is always recovered in the same way
        turn = zlib.crc32(repr((sorted(said.items()), sorted(there.items()))).encode())
        for words in ([(), ("--fallback",)], [("--fallback",), ()])[turn & 1]:
            said = recover(tree, said, words)
        facts["found"] = "cut " + (before[0] if before else "between groups")
    except ValueError as err:
        facts["wrong"] = str(err)
    return facts


def judge(facts, marks):
    if facts["wrong"]:
        return facts["wrong"]
    said = set(facts["said"].values())
    if marks.get("groups reverted") and said != {"reverted"}:
        return f"all was said to be taken back, and is {facts['said']}"
    if marks.get("groups applied") and not said <= {"applied", "reverting", "reverted"}:
        return f"all was said to be applied, and is {facts['said']}"
    if not marks.get("groups fallback") and said & {"reverting", "reverted"}:
        return f"nobody took anything back, and there is {facts['said']}"
    return None


# ---- a whole system, for plain kills -------------------------------------------------------------

def fill(tree):
    files = wanted(())
    folders = {os.path.dirname(path) for path in files}
    for folder in folders | {f"files/{g:02d}/n" for g in BEFORE}:
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
    for path, text in files.items():
        with open(os.path.join(tree, path), "w", encoding="ascii") as f:
            f.write(text)
    os.sync()
    for g, (_, steps) in enumerate(ALL, 1):
        subprocess.run([SMCTL, "pending", "--root", tree, "add", "--group", f"g{g}", "--manifest",
                        "-"], input=manifest(steps), text=True, check=True,
                       stdout=subprocess.DEVNULL)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("fill", "judge"):
        print(__doc__[__doc__.index("usage:"):], end="", file=sys.stderr)
        return 2
    if sys.argv[1] == "fill":
        fill(sys.argv[2])
        return 0
    facts = look(sys.argv[2])
    words = list(facts["said"].values())
    counts = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    print(f"{counts}: {judge(facts, {'groups fallback': 1}) or 'the law holds'}")
    return 1 if facts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
