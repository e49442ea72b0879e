# SPDX-License-Identifier: MIT
"""What the groups of companions.py have in common."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from fake_master import *  # noqa: F401,F403

tap = Tap()
group, program, plan_tool = sys.argv[1], os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])


def plan(*words):
    return make_plan(plan_tool, *words)


def put(path, content, mode=0o644):
    with open(path, "w") as f:
        f.write(content)
    os.chmod(path, mode)


def bind(source, target):
    subprocess.run(["mount", "--bind", source, target], check=True)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(p) for p in f.read().split()]


def empty_over(path):
    """An empty directory of our own over path (in this mount namespace only)."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", path], check=True)
