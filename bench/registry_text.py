# SPDX-License-Identifier: MIT
"""registry_text.py FOLDER - .reg files for bench/registry: a hive of 64 kB, many values, many keys"""

import os
import sys

folder = sys.argv[1]
HEAD = "Windows Registry Editor Version 5.00\n"
SERVICES = "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services"
MANAGER = "HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager"


def write(name, lines):
    with open(os.path.join(folder, name), "w", encoding="ascii") as f:
        f.write(HEAD + "\n".join(lines) + "\n")


def values(first, count):
    return ['"value %d"="some text of the length that values have, %d"' % (i, i) if i % 2 else
            '"value %d"=dword:%08x' % (i, i) for i in range(first, first + count)]


small = ["[%s\\Environment]" % MANAGER] + \
        ['"NAME%d"="/usr/share/some/where/%d"' % (i, i) for i in range(60)] + \
        ["[%s\\KnownDLLs]" % MANAGER] + \
        ['"name%d"="libname%d.so.1"' % (i, i) for i in range(60)]
for key in range(38):
    small += ["[%s\\S%02d]" % (SERVICES, key)] + values(0, 10)
write("small.reg", small)

for count in (100, 1000, 10000, 100000):
    lines = []
    for key in range(count // 100):
        lines += ["[%s\\G%d\\K%03d]" % (SERVICES, key // 100, key)] + values(key * 100, 100)
    write("keys-%d.reg" % count, lines)
    write("one-%d.reg" % count, ["[%s\\One]" % SERVICES] + values(0, count))
for count in (100, 250, 500, 1000, 1001):
    write("subkeys-%d.reg" % count, ["[%s\\K%04d]" % (SERVICES, i) for i in range(count)])
