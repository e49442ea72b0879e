"""Commits of smreg, one after the other, on a file system of their own.

Edition N is a hive whose key Edition holds the number N, a body that is made of it, and a rename in
the queue. The law after a cut: a whole hive, of the edition that returned last or of the one begun;
a plan and a queue that are whole, and fit exactly this hive or are seen to fit another; the hive
before it whole; and the next commit goes through. Behind the commits comes the writer of
careless.py, on the same disk.
"""

import glob
import os
import re

import hivefile

DISK = "data"
CARELESS = 12
HIVE = "smss/SYSTEM"

GUEST = f"""
[ $CUT_TYPE = ext4 ] || modprobe $CUT_TYPE
mount -t $CUT_TYPE $CUT_DISK /data || exit 1
mkdir /data/state
sync
edition() {{
	printf '%s\\n' 'Windows Registry Editor Version 5.00' '' '[HKEY_LOCAL_MACHINE\\SYSTEM\\Edition]' \\
		"\\"Number\\"=dword:$(printf %08x $1)" "\\"Body\\"=\\"$(seq -s . $1 $(($1 * 9)))\\"" \\
		'[HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Control\\Session Manager]' \\
		"\\"BootAttempts\\"=dword:$(printf %08x $1)"
}}
n=1
while [ $n -le $CUT_LENGTH ]; do
	edition $n >/run/edition.reg
	case $n in
	1) verb=init ;;
	*0) verb='init --force' ;;
	*) verb=import ;;
	esac
	mark commit begun $n
	smreg $verb --hive /data/{HIVE} --state /data/state /run/edition.reg || exit 1
	mark commit returned $n
	n=$((n + 1))
done
n=1
while [ $n -le {CARELESS} ]; do
	mark careless begun $n
	seq -s . $n $((n * 900)) >/data/careless.new
	mv /data/careless.new /data/careless
	mark careless returned $n
	[ $n -ne 4 ] || sync
	n=$((n + 1))
done
"""


def edition_of(path):
    """The edition of a hive file; 0 = there is none. Raises ValueError for what is no edition."""
    if not os.path.exists(path):
        return 0
    text = hivefile.export(path, "Edition")
    number = re.search(r'^"Number"=dword:([0-9a-f]{8})', text, re.M)
    body = re.search(r'^"Body"="([0-9.]*)"', text, re.M)
    if not number or not body:
        raise ValueError(f"{path} is no edition")
    n = int(number[1], 16)
    if body[1] != ".".join(map(str, range(n, n * 9 + 1))):
        raise ValueError(f"{path}: the body is not of edition {n}")
    return n


def look(tree):
    hive = os.path.join(tree, HIVE)
    facts = {"wrong": None, "edition": 0, "previous": 0, "found": "broken"}
    try:
        facts["edition"] = edition_of(hive)
        facts["previous"] = edition_of(hive + ".previous")
        if not facts["edition"]:
            facts["found"] = "no hive"
        else:
            hivefile.check(hive)
            facts["plan"] = hivefile.fits(hive, ".plan", b"SMSSPLAN")
            facts["queue"] = hivefile.fits(hive, ".queue", b"SMSSQUEU")
            facts["found"] = "plan " + ("fits" if facts["plan"] else "stale")
            hivefile.add(hive, os.path.join(tree, "state"))
            left = [os.path.basename(p) for p in glob.glob(hive + "*.new")]
            if left:
                raise ValueError(f"the next commit left {left}")
            if edition_of(hive + ".previous") != facts["edition"]:
                raise ValueError("the next commit did not keep the hive")
    except ValueError as err:
        facts["wrong"] = str(err)
    return facts


def judge(facts, marks):
    begun, returned = marks.get("commit begun", 0), marks.get("commit returned", 0)
    edition, previous = facts["edition"], facts["previous"]
    if facts["wrong"]:
        return facts["wrong"]
    if not returned <= edition <= begun:
        return f"edition {edition}, but {returned} had returned and {begun} was begun"
    if previous and not edition - 1 <= previous <= edition:
        return f"edition {edition} stands before the hive of {previous}"
    if edition > 1 and not previous:
        return "the hive before it is gone"
    if edition and edition == begun == returned and not (facts["plan"] and facts["queue"]):
        return "the commit had returned, and its plan or queue does not fit"
    return None
