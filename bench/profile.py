#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads what bench/guest/trace.c wrote, and says where a boot's instructions went.

Called by bench/profile. Three views of the time from the exec of PID 1 to --until: by process and
what it asked of the kernel (system call by the function that made it, page faults, exec), by kernel
function, by our own function. Which process runs is not in the trace: a thread that goes on after a
switch is known by the place where it had left user mode, a new image by its first address.
"""

import argparse
import array
import bisect
import collections
import struct
import subprocess

KERNEL = 1 << 63
MARK = 0x70000000  # where bench/guest/mark is linked to


def symbols_of(path):
    """The functions of an ELF image, sorted, and the address where it begins."""
    table = []
    for line in subprocess.run(["nm", "-n", path], capture_output=True, text=True,
                               check=False).stdout.splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in "tTwW":
            table.append((int(words[0], 16), words[2]))
    head = subprocess.run(["readelf", "-h", path], capture_output=True, text=True,
                          check=True).stdout
    entry = next(int(line.split()[-1], 16) for line in head.splitlines() if "Entry point" in line)
    return table, entry


def kernel_symbols(path):
    table = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if len(words) >= 3 and words[1] in "tTwW":
                table.append((int(words[0], 16), words[2]))
    table.sort()
    return table


class Names:
    """From an address to the function around it."""

    def __init__(self, table):
        self.at = [a for a, _ in table]
        self.name = [n for _, n in table]
        self.known = {}

    def __call__(self, address):
        name = self.known.get(address)
        if name is None:
            i = bisect.bisect_right(self.at, address) - 1
            name = self.known[address] = self.name[i] if i >= 0 else hex(address)
        return name


def library_functions():
    """What musl's libc defines: no use as a name for who asked the kernel."""
    out = subprocess.run(["nm", "--defined-only", "/usr/lib/x86_64-linux-musl/libc.a"],
                         capture_output=True, text=True, check=False).stdout
    return {line.split()[2] for line in out.splitlines() if len(line.split()) == 3}


class Thread:
    def __init__(self, image, label):
        self.image, self.label, self.why, self.last, self.own = image, label, "start", 0, "?"
        self.split = False


def main():
    p = argparse.ArgumentParser()
    p.add_argument("prefix")
    p.add_argument("--kallsyms", required=True)
    p.add_argument("--image", action="append", default=[], help="an ELF image that runs")
    p.add_argument("--until", type=int, default=10**12, help="instructions from exec on")
    p.add_argument("--since", type=int, default=0)
    p.add_argument("--top", type=int, default=40)
    a = p.parse_args()

    blocks = {}
    with open(a.prefix + ".blocks", "rb") as f:
        for address, number, length in struct.iter_unpack("<QII", f.read()):
            blocks[number] = (address, length)
    sequence = array.array("I")
    with open(a.prefix + ".sequence", "rb") as f:
        sequence.frombytes(f.read())
    kernel = Names(kernel_symbols(a.kallsyms))
    images = {}
    for path in a.image:
        table, entry = symbols_of(path)
        images[path.rsplit("/", 1)[-1]] = (Names(table), entry)
    library = library_functions()
    entries = {entry: name for name, (_, entry) in images.items()}

    # PID 1's exec is the last thing that mark does before another image begins.
    start = 0
    for i, n in enumerate(sequence):
        if blocks[n][0] in entries and blocks[n][0] < MARK:
            start = max(j for j in range(i) if MARK <= blocks[sequence[j]][0] < MARK + 0x100000)
            break

    total = 0
    by = collections.Counter()       # (process, what) -> instructions
    calls = collections.Counter()    # (process, what) -> times
    flat_kernel = collections.Counter()
    flat_user = collections.Counter()
    pending, asleep = collections.Counter(), collections.Counter()
    numbers = collections.Counter()
    current = Thread("mark", "exec of PID 1")
    current.why = "exec"
    threads = [current]
    switched = in_user = False
    resumed = ""
    last_user = 0
    for n in sequence[start + 1:]:
        address, length = blocks[n]
        counted = a.since <= total < a.until
        total += length
        if total > a.until:
            break
        if address & KERNEL:
            name = kernel(address)
            if in_user or name in ("entry_SYSCALL_64", "asm_exc_page_fault"):
                if in_user:
                    in_user = False
                    current.last = last_user
                    if name == "entry_SYSCALL_64":
                        current.why = current.own + " >"
                    elif name == "asm_exc_page_fault":
                        current.why = "page fault"
                    else:
                        current.why = name
                    if counted:
                        calls[(current.label, current.why)] += 1
            if name.startswith("__x64_sys_") and current.why.endswith(">") and not switched:
                old, current.why = current.why, current.why + " " + name[10:]
                if counted:
                    calls[(current.label, old)] -= 1
                    calls[(current.label, current.why)] += 1
            if name == "__switch_to_asm":
                # What ran since the last switch and never came to user mode: a kernel thread, or
                # somebody who went to sleep again.
                asleep.update(pending)
                pending.clear()
                switched, resumed = True, ""
            elif switched and name.startswith("__x64_sys_"):
                resumed = name[10:]
            if counted:
                flat_kernel[name] += length
                if not switched:
                    by[(current.label, current.why)] += length
                else:
                    pending[name] += length
            continue
        # user mode
        if not in_user:
            in_user = True
            if address in entries:
                image = entries[address]
                if switched:  # who had called exec: the youngest thread that is in it
                    for t in reversed(threads):
                        if t.why.split(" ")[-1] in ("execve", "execveat", "exec"):
                            current = t
                            break
                numbers[image] += 1
                current.image = image
                current.why = "exec"
                current.label = "%s#%d" % (image, numbers[image])
            elif switched:
                # Several may wait at libc's one place for calls that block: the call itself, seen
                # on the way out of the kernel, tells them apart.
                near = [t for t in threads if t.last and 0 <= address - t.last < 96]
                same = [t for t in near if resumed and t.why.endswith(" " + resumed)]
                t = min(same or near or [current], key=lambda t: address - t.last)
                if t.why.endswith(" clone3") and not t.split:
                    t.split = True  # parent and child leave it at the same place: child first
                    current = Thread(t.image, t.label + " fork")
                    current.own = t.own
                    threads.append(current)
                else:
                    t.split = False
                    current = t
            if switched:
                by[(current.label, current.why)] += sum(pending.values())
                pending.clear()
            switched = False
        last_user = address
        f = images.get(current.image)
        if f and f[0](address) not in library:
            current.own = f[0](address)
        if counted:
            by[(current.label, "user")] += length
            if f:
                flat_user[(current.label, f[0](address))] += length

    seen = sum(by.values())
    print("instructions %d" % seen)
    per = collections.Counter()
    for (who, _), v in by.items():
        per[who] += v
    for who, v in per.most_common():
        print("%9d  %s" % (v, who))
        for (w, what), x in sorted(by.items(), key=lambda kv: -kv[1]):
            if w == who and x > 4000:
                print("   %9d %4d  %s" % (x, calls[(w, what)], what))
    print("--- kernel functions")
    for name, v in flat_kernel.most_common(a.top):
        print("%9d  %s" % (v, name))
    print("--- our functions")
    for (image, name), v in flat_user.most_common(a.top):
        print("%9d  %s %s" % (v, image, name))
    print("--- kernel threads, and who went to sleep again: %d" % sum(asleep.values()))
    for name, v in asleep.most_common(15):
        print("%9d  %s" % (v, name))


main()
