"""The same kind of changes as a script makes them: mv and rm, one after the other.

They run behind the groups of groups.py, in the same record, five times twenty of each. A sync in
the middle stands for the journal's own one every five seconds, and another one comes when the
script has returned. Cuts must show bundles that are half done: a rig that cannot see this sees
nothing.
"""

import os

BUNDLES, FILES = 5, 20


def look(tree):
    found = {}
    for b in range(1, BUNDLES + 1):
        here = os.path.join(tree, "bundles", str(b))
        names = set(os.listdir(here)) if os.path.isdir(here) else set()
        before = {f"{kind}{n}" for n in range(1, FILES + 1) for kind in ("new", "gone")}
        after = {f"now{n}" for n in range(1, FILES + 1)}
        found[b] = 0 if names == before else 1 if names == after else None
    return {"bundles": found, "found": "halved" if None in found.values() else "whole"}


def judge(facts, marks):
    returned = marks.get("mvrm returned", 0)
    for b, whole in facts["bundles"].items():
        if whole is None:
            return f"bundle {b} is half done"
        if b <= returned and not whole:
            return f"bundle {b} had returned, and is not done"
    return None
