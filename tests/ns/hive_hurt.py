# SPDX-License-Identifier: MIT
"""Hives as a cut or an attacker leaves them, made of a good one of smreg's.

usage: hive_hurt.py log HIVE OLD NEW   dirty; its log has NEW where the hive has the string OLD
       hive_hurt.py flood HIVE COUNT   the environment has one and the same value so many times
"""

import struct
import sys

BLOCK, PAGE = 4096, 512


def word(at):
    return struct.unpack_from("<I", hive, at)[0]


def put(to, at, *numbers):
    struct.pack_into(f"<{len(numbers)}I", to, at, *numbers)


def seal(block):
    """The base block's checksum: its first 127 words, exclusive or."""
    total = 0
    for (number,) in struct.iter_unpack("<I", block[:508]):
        total ^= number
    put(block, 508, {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total))


def log(old, new):
    """The oldest kind of log: base block, "DIRT" with a bit for each page, the pages."""
    at = hive.index(old)
    fresh = hive[:at] + new + hive[at + len(old):]
    put(hive, 4, word(8) + 1)
    seal(hive)
    first, last = ((n - BLOCK) // PAGE for n in (at, at + len(old) - 1))
    bits = bytearray(word(40) // PAGE // 8)
    for page in range(first, last + 1):
        bits[page // 8] |= 1 << page % 8
    block = hive[:PAGE]
    put(block, 8, word(4))
    put(block, 28, 1)
    seal(block)
    out = block + b"DIRT" + bits
    out += bytes(-len(out) % PAGE) + fresh[BLOCK + first * PAGE:BLOCK + (last + 1) * PAGE]
    with open(sys.argv[2] + ".LOG1", "wb") as f:
        f.write(out)


def flood(count):
    """A bin of its own at the end: a list that has one and the same value all over."""
    key = hive.index(b"\x0b\0\0\0Environment") - 72  # its name's length lies before its name
    value = word(BLOCK + 4 + word(key + 40))
    size = -(-(32 + 4 + 4 * count) // BLOCK) * BLOCK
    end = word(40)
    room = bytearray(size)
    room[:4] = b"hbin"
    put(room, 4, end, size)
    put(room, 32, 2**32 - (size - 32))
    put(room, 36, *[value] * count)
    put(hive, key + 36, count, end + 32)
    put(hive, 40, end + size)
    seal(hive)
    return room


with open(sys.argv[2], "rb") as f:
    hive = bytearray(f.read())
more = b""
if sys.argv[1] == "log":
    log(*(w.encode("utf-16le") for w in sys.argv[3:]))
else:
    more = flood(int(sys.argv[3]))
with open(sys.argv[2], "wb") as f:
    f.write(hive + more)
