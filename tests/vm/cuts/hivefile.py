"""What the checkers of power cuts do with a hive: ask smreg, and compare a plan with its hive.

A fault of the files is a ValueError with what is wrong.
"""

import hashlib
import os
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "../../../build"))
SMREG = os.path.join(os.environ.get("STAGE", os.path.join(BUILD, "stage")), "usr/bin/smreg")
HEAD = struct.Struct("<8sIIIIQ32s512s")
CRC_AT = 16


def smreg(*words):
    done = subprocess.run([SMREG, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60)
    if done.returncode:
        raise ValueError(f"smreg {words[0]} ends with {done.returncode}: {done.stdout.strip()}")
    return done.stdout


def export(hive, key):
    return smreg("export", key, "--hive", hive)


def check(hive):
    return smreg("check", "--hive", hive)


def add(hive, state):
    """One more commit, as whoever comes after the cut would make it."""
    return smreg("add", "After", "--value", "Cut", "--type", "REG_SZ", "--data", "yes",
                 "--hive", hive, "--state", state)


def _table():
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    return table


TABLE = _table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def fits(hive, ending, magic):
    """True: the plan is of this very hive. False: none, or one that is seen to be of another."""
    path = hive + ending
    if not os.path.exists(path):
        return False
    with open(path, "rb") as f:
        plan = f.read()
    with open(hive, "rb") as f:
        bytes_ = f.read()
    if len(plan) < HEAD.size:
        raise ValueError(f"{path} is torn")
    word, _, size, crc, _, hive_bytes, digest, block = HEAD.unpack_from(plan)
    if word != magic or size != len(plan) or \
            crc != crc32c(plan[:CRC_AT] + b"\0\0\0\0" + plan[CRC_AT + 4:]):
        raise ValueError(f"{path} is torn")
    if block != bytes_[:512] or hive_bytes != len(bytes_):
        return False
    if digest != hashlib.sha256(bytes_).digest():
        raise ValueError(f"{path} fits by its block and is of another hive")
    return True
