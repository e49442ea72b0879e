"""A writer as many are: a new file, a rename over the old one, and no fsync anywhere.

It runs behind the commits of commit.py, in the same record. It is told "done" before anything is on
the disk, so cuts must show that what had returned is not there: a rig that cannot see this sees
nothing.
"""

import os


def look(tree):
    path = os.path.join(tree, "careless")
    if not os.path.exists(path):
        return {"edition": 0, "whole": True, "found": "no file"}
    with open(path) as f:
        text = f.read()
    n = int(text.split(".")[0]) if text[:1].isdigit() else 0
    whole = bool(n) and text == ".".join(map(str, range(n, n * 900 + 1))) + "\n"
    return {"edition": n, "whole": whole, "found": "whole" if whole else "torn"}


def judge(facts, marks):
    returned = marks.get("careless returned", 0)
    if not facts["whole"]:
        return "torn"
    if facts["edition"] < returned:
        return f"{returned} had returned, and {facts['edition']} is there"
    return None
