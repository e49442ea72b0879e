#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""companions.py GROUP PROGRAM MAKE_PLAN - csrss, wininit, winlogon and pnp under a master of straw.

Each group runs as root in namespaces of its own (mount, and but for pnp's: pid, uts, net, ipc), so
that nothing of the machine is touched. Speaks TAP; skipped with a line without root.
"""

import importlib
import os
import sys

sys.dont_write_bytecode = True  # nothing is left in the source tree
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from companion_common import *  # noqa: E402,F401,F403


def enter_namespaces():
    if os.getuid() != 0:
        skip_all("needs root")
    if not shutil.which("unshare"):
        skip_all("needs unshare")
    if group in ("pnp", "machine"):
        if os.readlink("/proc/self/ns/pid") != "pid:[4026531836]":
            skip_all("needs the initial pid namespace")
        words = ["--mount", "--uts", "--net"]
    else:
        words = ["--mount", "--pid", "--fork", "--uts", "--net", "--ipc", "--mount-proc"]
    os.environ["COMPANIONS_HERE"] = "1"
    os.execvp("unshare", ["unshare", "--propagation", "private", *words, sys.executable, __file__,
                          *sys.argv[1:]])


def main():
    if not os.environ.get("COMPANIONS_HERE"):
        enter_namespaces()
    module = importlib.import_module("companion_" + ("wininit" if group == "machine" else group))
    # Walked paths must be root's alone, as on a real machine.
    work = tempfile.mkdtemp(prefix=f"smss-{group}-")
    try:
        getattr(module, "group_" + group)(work)
    finally:
        if group in ("winlogon", "wininit", "pnp"):
            for path in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hostname", "/etc/fstab",
                         f"{work}/console"):
                subprocess.run(["umount", path], stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(work, ignore_errors=True)
    tap.end()


main()
