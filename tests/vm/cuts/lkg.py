"""LastKnownGood: boots that are accepted, that fail, fall back, are rejected; changes in between.

The guest is smss as PID 1, and this file's script is root's shell on its console. It goes through
PROGRAM, which is made here, step by step and boot by boot; the last mark on the disk tells each
boot where the program is. Edition N is a hive that says N as the computer's name. Some editions
have an entry of BootExecute that resets the machine, or reboots it.

The law after a cut, judged without any code of the product but smreg's export and check: the hive,
SYSTEM.lkg and boot.state stand together at a moment of the model below, between what had been said
last and what was begun; whole, byte for byte the edition that was committed, LastKnownGood one that
was accepted, with a plan that fits it. Both slots of boot.state, from the older to the newer:
attempts only go up, but by an acceptance, an orderly end, or with another hive. Some of the states
are booted again: they come up at the level and edition the model says, after as many failures, and
neither level is lost.
"""

import collections
import hashlib
import os
import re
import struct

import hivefile

HERE = os.path.dirname(os.path.abspath(__file__))
DISK = "root"
ROOT_MB = 512
HIVES = ["cuts/lkg.reg"]
TREES = ["/etc/smss", "/var/lib/smss"]
SMSS = "init=/usr/lib/smss/smss"
BOOT = ["--append", SMSS, "--reboot-ok"]
LONG = 100              # from this length on, all of the program

HIVE, STATE = "etc/smss/SYSTEM", "var/lib/smss"
SLOT = struct.Struct("<8sIIQI3IIIQ40s32s32sIIIIQ208sQ32sI76s")
REJECTED = 0xFFFFFFFF
CURRENT, LKG, BUILTIN = range(3)
LEVELS = ["Current", "LastKnownGood", "the built-in minimum"]

# seconds: BootGoodSeconds; dies: how its BootExecute ends the boot, or nothing
Edition = collections.namedtuple("Edition", "attempts seconds dies")
Step = collections.namedtuple("Step", "verb edition")
EDITIONS = {1: Edition(3, 0, "")}       # that of lkg.reg
PROGRAM = [Step("begin", 0)]            # the first boot; step N has number N
BY_HAND, BY_TIME = Edition(3, 0, ""), Edition(2, 1, "")


def step(*verbs):
    PROGRAM.extend(Step(verb, 0) for verb in verbs)


def commit(edition):
    number = len(EDITIONS) + 1
    EDITIONS[number] = edition
    PROGRAM.append(Step("commit", number))


def round_of_boots(dies):
    """Begins in a boot by hand that is not accepted yet, and ends with one accepted by time."""
    commit(dies)                        # what booted is kept, not what is there now
    step("accept", "restart")           # fails as often as it may: LastKnownGood
    commit(BY_HAND)                     # the repair
    step("restart", "reject", "restart")
    commit(BY_TIME)
    step("next-lkg", "restart", "reject", "restart")    # once; rejecting forgiven by acceptance


round_of_boots(Edition(2, 0, "reset"))
SHORT = len(PROGRAM)
for way in (Edition(1, 0, "reboot"), Edition(3, 1, "reset")):
    commit(BY_HAND)
    step("restart")
    round_of_boots(way)
commit(BY_HAND)
step("restart", "restart", "accept")    # rebooted early: its attempt is taken back
step("next-lkg", "restart", "accept", "restart", "accept")      # both are the same hive
commit(Edition(1, 0, "reset"))
step("restart", "reject", "restart")    # both used up: the built-in minimum
commit(BY_TIME)
step("restart")

# ---- the model ----------------------------------------------------------------------------------

# of: the editions whose attempts levels 0 and 1 count
Slot = collections.namedtuple("Slot", "level attempts running accepted once of")
Moment = collections.namedtuple("Moment", "hive lkg slot")


def with_attempts(slot, level, n):
    return slot._replace(attempts=slot.attempts[:level] + (n,) + slot.attempts[level + 1:])


def level_of(m):
    """What a boot takes at this moment."""
    def usable(level, edition):
        return edition and (m.slot.of[level] != edition or
                            m.slot.attempts[level] < EDITIONS[edition].attempts)
    if usable(CURRENT, m.hive) and not (m.slot.once == LKG + 1 and m.lkg):
        return CURRENT
    return LKG if usable(LKG, m.lkg) else BUILTIN


def booted(m, level):
    return (m.hive, m.lkg, 0)[level]


def counted(m, level):
    slot = m.slot
    if level != BUILTIN and slot.of[level] != booted(m, level):
        of = (m.hive, slot.of[1]) if level == CURRENT else (slot.of[0], m.lkg)
        slot = with_attempts(slot._replace(of=of), level, 0)
    slot = with_attempts(slot, level, min(slot.attempts[level] + 1, REJECTED))
    return m._replace(slot=slot._replace(level=level, running=1, accepted=0, once=0))


def accepted(m, edition):
    """The moments of accepting the boot of this edition."""
    slot = with_attempts(with_attempts(m.slot, m.slot.level, 0), BUILTIN, 0)._replace(accepted=1)
    if slot.level == CURRENT:
        m = m._replace(lkg=edition)
        yield m
        slot = with_attempts(slot, LKG, 0)._replace(of=(slot.of[0], edition))
    yield m._replace(slot=slot)


def boots(m):
    """The moments of one boot after the other, until one comes up; then what came up, as number."""
    while True:
        level = level_of(m)
        m = counted(m, level)
        yield m
        edition = booted(m, level)
        dies = EDITIONS[edition].dies if edition else ""
        if not dies:
            break
        if dies == "reboot":            # an orderly end, but it had not come up
            m = m._replace(slot=m.slot._replace(running=0))
            yield m
    if edition and EDITIONS[edition].seconds:
        yield from accepted(m, edition)
    yield edition


def ended(slot):
    """In order, and it had come up."""
    n = slot.attempts[slot.level]
    if n not in (0, REJECTED):
        slot = with_attempts(slot, slot.level, n - 1)
    return slot._replace(running=0)


def walk():
    """For each step the moments that it goes through, and what runs afterwards."""
    m = Moment(1, 0, Slot(0, (0, 0, 0), 0, 0, 0, (0, 0)))
    up = 0
    for verb, edition in PROGRAM:
        moments = []
        if verb == "commit":
            moments = [m._replace(hive=edition)]
        elif verb == "accept":
            moments = list(accepted(m, up))
        elif verb == "reject":
            moments = [m._replace(slot=with_attempts(m.slot, m.slot.level, REJECTED))]
        elif verb == "next-lkg":
            moments = [m._replace(slot=m.slot._replace(once=LKG + 1))]
        else:
            if verb == "restart":
                moments = [m._replace(slot=ended(m.slot))]
            *more, up = boots(moments[-1] if moments else m)
            moments += more
        yield moments, up
        m = moments[-1]


WALK = list(walk())

# ---- the guest ----------------------------------------------------------------------------------


def multi(lines):
    raw = "".join(line + "\0" for line in lines) + "\0"
    return "hex(7):" + ",".join(f"{byte:02x}" for byte in raw.encode("utf-16-le"))


def body_of(number):
    return ".".join(map(str, range(number, number * 9 + 1)))


def text_of(number):
    """The edition as a .reg file."""
    edition = EDITIONS[number]
    entries = ["autocheck autochk *"]
    if edition.dies:
        entries.append(f"/bin/sh /cut.sh dies {number} {edition.dies}")
    control = "[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\"
    return "\n".join([
        "Windows Registry Editor Version 5.00", "",
        "[HKEY_LOCAL_MACHINE\\SYSTEM\\Edition]",
        f'"Number"=dword:{number:08x}', f'"Body"="{body_of(number)}"', "",
        control + "Session Manager]",
        f'"BootAttempts"=dword:{edition.attempts:08x}',
        f'"BootGoodSeconds"=dword:{edition.seconds:08x}',
        f'"BootExecute"={multi(entries)}', "",
        control + "ComputerName\\ComputerName]",
        f'"ComputerName"="edition-{number}"'])


def script_of(number):
    """The shell's line for one step."""
    verb, edition = PROGRAM[number]
    if verb == "commit":
        return f"{number}) commit {edition} <<'END' ;;\n{text_of(edition)}\nEND"
    if verb in ("restart", "begin"):
        return f"{number}) restart ;;"
    force = " --force" if verb == "reject" else ""      # also where nothing else is saved
    return f"{number}) smctl boot {verb}{force} || wrong {verb} ;;"


def how_good(edition):
    return "by-time" if edition and EDITIONS[edition].seconds else "by-hand"


def arrival_of(number):
    """What must be up after a step that boots: level, name, and whether it accepts itself."""
    moments, edition = WALK[number]
    return f'{number}) set -- {moments[-1].slot.level} {edition} {how_good(edition)} ;;'


GUEST = f"""
# in one piece, whatever else is on the console
say() {{
	echo "<3>cut: $*" >/dev/kmsg
}}
if [ "$1" = dies ]; then
	say "edition $2 dies"
	if [ "$3" = reset ]; then echo b >/proc/sysrq-trigger; else reboot -f; fi
	sleep 600
fi
wrong() {{
	say "wrong: $*"
	sleep 600
}}
number() {{
	echo $((0x$(sha256sum | cut -c1-15)))
}}
marked_edition() {{
	mark lkg hive$1 $(number </{HIVE})
	mark lkg block$1 $(head -c 512 /{HIVE} | number)
}}
commit() {{
	smreg import --hive /{HIVE} /dev/stdin || wrong commit
	marked_edition $1
}}
restart() {{
	smctl reboot || wrong reboot
	sleep 600
}}
is_accepted() {{
	smctl boot | grep -q '^attempt.*accepted'
}}
accepted_by_time() {{
	i=0
	until is_accepted; do
		[ $((i += 1)) -lt 60 ] || wrong not accepted
		sleep 0.5
	done
}}
smctl wait ready --timeout 120 || wrong not ready
case $(smctl boot | sed -n 's/^level *//p') in
Current*) level=0 ;;
LastKnownGood*) level=1 ;;
*) level=2 ;;
esac
name=0
[ $level = 2 ] || name=$(uname -n)
name=${{name#edition-}}
if grep -qw cut.look /proc/cmdline; then
	say "up at $level, edition $name"
	! grep -qw cut.look=by-time /proc/cmdline || accepted_by_time
	sync
	say looked
	sleep 600
fi
if ! step=$(dd if=$CUT_DISK bs=512 count=1 skip=$CUT_MARKS iflag=direct status=none |
	tr -d '\\000' | sed -n 's/^cut lkg begun \\([0-9]*\\) *$/\\1/p') || [ -z "$step" ]; then
	step=0
	marked_edition 1
fi
case $step in
{chr(10).join(arrival_of(n) for n, s in enumerate(PROGRAM) if s.verb in ("restart", "begin"))}
*) wrong "step $step boots nothing" ;;
esac
say "step $step is up at $level, edition $name"
[ "$level $name" = "$1 $2" ] || wrong "not at $1, edition $2"
[ $3 = by-hand ] || accepted_by_time
mark lkg returned $step
last={len(PROGRAM) - 1}
[ $CUT_LENGTH -ge {LONG} ] || last={SHORT - 1}
while [ $step -lt $last ]; do
	step=$((step + 1))
	mark lkg begun $step
	case $step in
{chr(10).join(script_of(n) for n in range(1, len(PROGRAM)))}
	esac
	mark lkg returned $step
done
say done
sleep 600
"""

PASSWORD = """expect '(?s)Give root password for maintenance.*Control-D to continue.: ' {wait}
send smss
expect 'root@.*# ' 20
send '/bin/sh /cut.sh'
"""


def STEPS(length):
    rescues = sum(m[-1].slot.level == BUILTIN for (m, _), s in zip(WALK, PROGRAM)
                  if s.verb == "restart") if length >= LONG else 0
    return "expect-not 'cut: wrong.*'\n" + rescues * PASSWORD.format(wait=900) + \
        "expect 'cut: done' 900\ncut\n"

# ---- the checker --------------------------------------------------------------------------------


def digest_number(data):
    return int(hashlib.sha256(data).hexdigest()[:15], 16)


EXPORTED = {}


def edition_of(path, data):
    """The edition of a hive file, all of it. Raises ValueError for what is no edition."""
    key = digest_number(data)
    if key not in EXPORTED:
        text = hivefile.export(path, "Edition")
        number = re.search(r'^"Number"=dword:([0-9a-f]{8})', text, re.M)
        body = re.search(r'^"Body"="([0-9.]*)"', text, re.M)
        n = int(number[1], 16) if number else 0
        if n not in EDITIONS or not body or body[1] != body_of(n):
            raise ValueError(f"{path} is no edition")
        hivefile.check(path)
        EXPORTED[key] = n
    return EXPORTED[key]


# a slot as it is on disk; of: what the digests of the two blocks begin with
Raw = collections.namedtuple("Raw", "generation level attempts running accepted once of wall")


def slots_of(path):
    """The good slots, the newest first."""
    with open(path, "rb") as f:
        data = f.read()
    good = []
    for at in (0, 512):
        slot = data[at:at + 512]
        if len(slot) < 512 or slot[:8] != b"SMSSBOOT":
            continue
        f = SLOT.unpack(slot)
        if f[1] == 1 and f[2] == hivefile.crc32c(slot[:12] + b"\0\0\0\0" + slot[16:]):
            of = tuple(int(d.hex()[:15], 16) for d in (f[12], f[21]))
            good.append(Raw(f[3], f[4], f[5:8], f[8], f[9], f[22], of, f[20]))
    if not good:
        raise ValueError("boot.state has no good slot")
    return sorted(good, reverse=True)


def fell(old, new):
    """Attempts that went down, from one slot to the next, without a reason."""
    for level in range(3):
        was, now = old.attempts[level], new.attempts[level]
        orderly = level == old.level and old.running and not new.running and now == was - 1
        another = level < 2 and old.of[level] != new.of[level]
        if now < was and not (orderly or another or new.accepted):
            return f"attempts of level {level} went from {was} to {now}"
    return None


def look(tree):
    at = lambda *words: os.path.join(tree, *words)
    facts = {"wrong": None, "found": "broken", "edition": {}, "digest": {}, "block": {}}
    try:
        for name, path in (("hive", at(HIVE)), ("lkg", at(STATE, "SYSTEM.lkg")),
                           ("booted", at(STATE, "SYSTEM.booted"))):
            facts["edition"][name] = 0
            if os.path.exists(path):
                with open(path, "rb") as f:
                    data = f.read()
                facts["edition"][name] = edition_of(path, data)
                facts["digest"][name] = digest_number(data)
                facts["block"][name] = digest_number(data[:512])
        facts["plan"] = hivefile.fits(at(HIVE), ".plan", b"SMSSPLAN")
        facts["lkg plan"] = facts["edition"]["lkg"] > 0 and \
            hivefile.fits(at(STATE, "SYSTEM.lkg"), ".plan", b"SMSSPLAN")
        if os.path.exists(at(STATE, "boot.state.bad")):
            raise ValueError("boot.state was found damaged")
        facts["slots"] = slots_of(at(STATE, "boot.state"))
        facts["moment"] = moment_of(facts, {b: facts["edition"][n]
                                            for n, b in facts["block"].items()})
        facts["found"] = "next " + LEVELS[level_of(facts["moment"])]
    except ValueError as err:
        facts["wrong"] = str(err)
    return facts


def moment_of(facts, blocks):
    raw = facts["slots"][0]
    of = tuple(blocks.get(d, -1) if d else 0 for d in raw.of)
    slot = Slot(raw.level, raw.attempts, raw.running, raw.accepted, raw.once, of)
    return Moment(facts["edition"]["hive"], facts["edition"]["lkg"], slot)


def judge(facts, marks):
    begun, returned = marks.get("lkg begun", 0), marks.get("lkg returned", 0)
    if facts["wrong"]:
        return facts["wrong"]
    blocks = {value: int(word[9:]) for word, value in marks.items() if word.startswith("lkg block")}
    moment = moment_of(facts, blocks)
    may = [WALK[returned][0][-1]]
    for n in range(returned + 1, begun + 1):
        may += WALK[n][0]
    if moment not in may:
        return f"{moment} is there, which may be: {may}"
    for name, digest in facts["digest"].items():
        edition = facts["edition"][name]
        if marks.get(f"lkg hive{edition}", digest if name != "lkg" else None) != digest:
            return f"{name} is not edition {edition} byte for byte"
    if facts["edition"]["lkg"] and not facts["slots"][0].wall and moment == may[0]:
        return "LastKnownGood was saved, and boot.state does not say when"
    if moment.lkg and all(m.lkg == moment.lkg for m in may) and not facts["lkg plan"]:
        return "LastKnownGood had been saved, and its plan does not fit"
    if all(m.hive == moment.hive for m in may) and not facts["plan"]:
        return "the commit had returned, and the plan does not fit"
    new, *old = facts["slots"]
    return fell(old[0], new) if old else None


# ---- booted again -------------------------------------------------------------------------------


def again(boot, facts):
    """Boots this state. None, or what is wrong."""
    *moments, edition = boots(facts["moment"])
    level = moments[-1].slot.level
    failing = [m.hive for m in moments
               if m.slot.running and m.slot.level == CURRENT and EDITIONS[m.hive].dies]
    wanted = [f"edition {n} dies" for n in failing] + [f"up at {level}, edition {edition}"]
    steps = PASSWORD.format(wait=200) if level == BUILTIN else ""
    status, console, left = boot(f"cut.look={how_good(edition)}",
                                 steps + "expect 'cut: looked' 200\ncut\n")
    said = re.findall(r"cut: (edition \d+ dies|up at \d, edition \d+)", console)
    if status or said != wanted:
        return f"booted again ({status}): {said}, which is not {wanted}"
    if left["wrong"]:
        return f"after it was booted again: {left['wrong']}"
    # the digest of an edition that is gone tells nothing here
    wanted, got = moments[-1], left["moment"]
    if (got.hive, got.lkg) != (wanted.hive, wanted.lkg) or \
            got.slot._replace(of=()) != wanted.slot._replace(of=()):
        return f"booted again it left {got}, which is not {wanted}"
    return None
