"""Pending groups, 20 of them with 2,000 operations: one boot carries them out, one takes them back.

The guest is smss as PID 1, and this file's script is root's shell on its console. A first boot is
accepted, and the groups are queued; the second carries them out, and is rejected; the third falls
back to LastKnownGood, and takes them back. The cuts fall into all that comes after the queueing.
Behind it comes the script of mvrm.py.

The law after a cut, before anybody recovers anything: a group whose story says applied is wholly
there, one that says queued or reverted is untouched, and no content is lost whatever it says; what
had returned is so. Then the recovery offline, which is the next boot's step and then a fallback, or
in every other state the fallback first: each group is whole or untouched, says so, and those before
it went before it; and after a fallback every group is back. Some states are booted again as well,
at the level that was left, and what that boot left is held against the same law.

What files there have to be is worked out here, from the operations alone; journals are read here.
Nothing is shared with the product but the command that recovers.

usage: groups.py fill TREE     the files, and the groups queued: a system that will be booted
       groups.py judge TREE    what a kill left of it, recovered; exit 1 when the law is broken
"""

import functools
import json
import os
import struct
import subprocess
import sys
import zlib

import lkg
import mvrm
from hivefile import crc32c

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "../../../build"))
SMCTL = os.path.join(os.environ.get("STAGE", os.path.join(BUILD, "stage")), "usr/bin/smctl")
DISK = "root"
ROOT_MB = 512
HIVES = ["cuts/lkg.reg"]            # root's shell is the script, and a boot is accepted by hand
BOOT = lkg.BOOT
STEPS = "expect-not 'cut: wrong.*'\nexpect 'cut: done' 900\ncut\n"
LISTS = "root/lists"
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


@functools.lru_cache(maxsize=None)
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


# ---- the guest -----------------------------------------------------------------------------------

GUEST = f"""
# in one piece, whatever else is on the console
say() {{
	echo "<3>cut: $*" >/dev/kmsg
}}
wrong() {{
	say "wrong: $*"
	sleep 600
}}
restart() {{
	smctl reboot || wrong reboot
	sleep 600
}}
smctl wait ready --timeout 120 || wrong not ready
level=$(smctl boot | sed -n 's/^level *\\([A-Za-z]*\\).*/\\1/p')
if grep -qw cut.look /proc/cmdline; then
	sync
	say "looked at $level"
	sleep 600
fi
last=$(dd if=$CUT_DISK bs=512 count=1 skip=$CUT_MARKS iflag=direct status=none |
	tr -d '\\000' | sed -n 's/^cut groups \\([a-z]*\\) 1 *$/\\1/p')
case "$last $level" in
" Current")
	smctl boot accept || wrong accept
	g=1
	while [ $g -le {GROUPS} ]; do
		smctl pending add --group g$g --manifest /{LISTS}/$g >/dev/null || wrong add
		g=$((g + 1))
	done
	sync
	mark groups step 1
	restart
	;;
"step Current")
	mark groups applied 1
	mark groups fallback 1
	smctl boot reject --force || wrong reject
	restart
	;;
"fallback LastKnownGood")
	mark groups reverted 1
	;;
*) wrong "up at $level after the mark '$last'" ;;
esac
# and what mvrm.py judges
b=1
while [ $b -le {mvrm.BUNDLES} ]; do
	mark mvrm begun $b
	d=/bundles/$b n=1
	while [ $n -le {mvrm.FILES} ]; do
		mv $d/new$n $d/now$n
		rm $d/gone$n
		[ $n -ne {mvrm.FILES // 2} ] || sync
		n=$((n + 1))
	done
	mark mvrm returned $b
	sync
	b=$((b + 1))
done
say done
sleep 600
"""


def make_files(tree, files, *folders):
    for folder in {os.path.dirname(path) for path in files} | set(folders):
        os.makedirs(os.path.join(tree, folder), exist_ok=True)
    for path, text in files.items():
        with open(os.path.join(tree, path), "w", encoding="ascii") as f:
            f.write(text)


def fill(tree):
    """All that the guest needs, but for the queue."""
    make_files(tree, wanted(()), *(f"files/{g:02d}/n" for g in BEFORE))
    make_files(tree, {f"{LISTS}/{g}": manifest(steps) for g, (_, steps) in enumerate(ALL, 1)})
    make_files(tree, {f"bundles/{b}/{kind}{n}": kind for b in range(1, mvrm.BUNDLES + 1)
                      for kind in ("new", "gone") for n in range(1, mvrm.FILES + 1)})


def queue(tree):
    """The groups, into a system that will be booted."""
    for g in BEFORE:
        subprocess.run([SMCTL, "pending", "--root", tree, "add", "--group", f"g{g}", "--manifest",
                        os.path.join(tree, LISTS, str(g))], check=True, stdout=subprocess.DEVNULL)


# ---- what is there -------------------------------------------------------------------------------

def read(path):
    with open(path, "rb") as f:
        return f.read()


def files_below(tree, *tops, known=None):
    """{path: content}; what is no file or directory is an error.

    known has contents by inode: what is in it is not read again."""
    found = {}

    def opened(name, flags, folder=None):
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | flags, dir_fd=folder)

    def walk(folder, path):
        unread = []
        try:
            with os.scandir(folder) as rows:
                for row in rows:
                    here = f"{path}/{row.name}"
                    if row.is_dir(follow_symlinks=False):
                        walk(opened(row.name, os.O_DIRECTORY, folder), here)
                    elif not row.is_file(follow_symlinks=False):
                        raise ValueError(f"{here} is neither file nor directory")
                    elif known and row.inode() in known:
                        found[here] = known[row.inode()]
                    else:
                        unread.append((here, row.inode(), opened(row.name, 0, folder)))
                        os.posix_fadvise(unread[-1][2], 0, 0, os.POSIX_FADV_WILLNEED)
            for here, inode, fd in unread:
                found[here] = os.read(fd, 4096).decode(errors="replace")
                if known is not None:
                    known[inode] = found[here]
        finally:
            for fd in [folder] + [fd for _, _, fd in unread]:
                os.close(fd)

    for top in tops:
        if os.path.exists(os.path.join(tree, top)):
            walk(opened(os.path.join(tree, top), os.O_DIRECTORY), top)
    return found


@functools.lru_cache(maxsize=None)
def crc_of(row):
    return crc32c(b"\0\0\0\0" + row)


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
            if crc != crc_of(row[4:]) or number != g:
                break
            event = word
        said[g] = STORY.get(event, f"event {event}")
    return said


def compare(there, said, when):
    """Every group that is not on its way is whole or untouched, as it says."""
    files = wanted(tuple(g for g, word in said.items() if word == "applied"))
    want, have = by_group(files), by_group(there)
    for g, word in said.items():
        if word not in ON_THE_WAY and want[g] != have[g]:
            raise ValueError(f"{when}: group {g} says {word}, and {differs(want[g], have[g])}")
    if not any(word in ON_THE_WAY for word in said.values()):
        if there != files:
            raise ValueError(f"{when}: {differs(files, there)}")
    elif "common/app" not in there:
        raise ValueError(f"{when}: common/app, which is only ever replaced, is not there")


def nothing_lost(tree, there, when, known=None):
    kept = files_below(tree, f"{STATE}/graveyard", known=known)
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


def recover(tree, said, words, known):
    table = BACK if words else FORWARD
    when = "after the fallback" if words else "after the step"
    want = {g: table.get(word, word) for g, word in said.items()}
    now = step(tree, *words)
    if now != want:
        g = next(g for g in now if now[g] != want[g])
        raise ValueError(f"{when}: group {g} was {said[g]}, is {now[g]} and not {want[g]}")
    there = files_below(tree, "files", "common", known=known)
    compare(there, now, when)
    nothing_lost(tree, there, when, known)
    return now


def level_of(tree):
    """What the next boot takes: the shell has rejected the current one, or nobody has."""
    slot = lkg.slots_of(os.path.join(tree, STATE, "boot.state"))[0]
    return "LastKnownGood" if slot.attempts[lkg.CURRENT] == lkg.REJECTED else "Current"


def where_in(said):
    """The state of things, in a word or two."""
    words = set(said.values())
    return "cut while " + max(words & set(ON_THE_WAY)) if words & set(ON_THE_WAY) else \
        "all " + max(words) if len(words) == 1 else "cut between groups"


def look(tree):
    facts = {"wrong": None, "said": {}, "found": "broken"}
    try:
        said = facts["said"] = stories(tree)
        known = {}
        there = files_below(tree, "files", "common", known=known)
        facts["level"] = level_of(tree)
        compare(there, said, "before recovery")
        nothing_lost(tree, there, "before recovery", known)
        if sum(word in ON_THE_WAY for word in said.values()) > 1:
            raise ValueError(f"more than one group is on its way: {said}")
        # the same state is always recovered in the same way
        turn = zlib.crc32(repr((sorted(said.items()), sorted(there.items()))).encode())
        first, last = ([(), ("--fallback",)], [("--fallback",), ()])[turn & 1]
        # a file that only moved is the same; the last time all of them are read
        recover(tree, recover(tree, said, first, known), last, None)
        facts["found"] = where_in(facts["said"])
    except (ValueError, OSError) as err:
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


def again(boot, facts):
    """Phase 5 of the next boot goes on, or back."""
    level = facts["level"]
    table = FORWARD if level == "Current" else BACK
    status, _, left = boot("cut.look", f"expect 'cut: looked at {level}' 200\ncut\n")
    want = {g: table.get(word, word) for g, word in facts["said"].items()}
    if status:
        return f"booted again it does not come up at {level} ({status})"
    if left["wrong"] or left["said"] != want:
        return f"booted again at {level}: {left['wrong']}; it says {left['said']}, not {want}"
    return None


# ---- without a record, for plain kills -----------------------------------------------------------

def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("fill", "judge"):
        print(__doc__[__doc__.index("usage:"):], end="", file=sys.stderr)
        return 2
    if sys.argv[1] == "fill":
        fill(sys.argv[2])
        os.sync()
        queue(sys.argv[2])
        return 0
    facts = look(sys.argv[2])
    words = list(facts["said"].values())
    counts = ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words)))
    print(f"{facts['found']}: {counts}: {judge(facts, {'groups fallback': 1}) or 'the law holds'}")
    return 1 if facts["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
