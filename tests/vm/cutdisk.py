"""The record of a disk's writes, and the states that a power cut may leave of it; see cut."""

import collections
import ctypes
import errno
import hashlib
import mmap
import os
import random
import struct
import sys

SECTOR = 512
BLOCK = 4096            # what a disk writes whole or not at all
SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
SKIP = 77               # exit code: cannot be tried here


def die(text, code=1):
    print(f"cut: {text}", file=sys.stderr)
    sys.exit(code)


Entry = collections.namedtuple("Entry", "sector flags data at bytes hashes")


def read_log(log):
    """Every entry that is whole; `at` is where its data lies in the log."""
    head = log.read(SECTOR)
    magic, version, _, size = SUPER.unpack_from(head)
    if magic != MAGIC or version != 1 or size != SECTOR:
        die("this is no record of writes")
    end = os.fstat(log.fileno()).st_size
    at = SECTOR
    while at + ENTRY.size <= end:
        log.seek(at)
        sector, count, flags, length = ENTRY.unpack(log.read(ENTRY.size))
        at += SECTOR
        n = 0 if flags & DISCARD else count * SECTOR
        if at + n > end or count > 1 << 22 or (not n and not flags):
            break
        yield Entry(sector, flags, b"", at, length if flags & DISCARD else n, [])
        at += n


class Writes:
    """The record, its marks taken out: entries with data, and what had been said before each."""

    def __init__(self, where, size):
        self.log = open(os.path.join(where, "writes"), "rb")
        self.entries, self.marks = [], [{}]
        said = {}
        for entry in read_log(self.log):
            if entry.flags & DISCARD:  # what a disk does with it is its own affair
                entry = entry._replace(bytes=0)
            elif entry.bytes:
                entry = entry._replace(data=os.pread(self.log.fileno(), entry.bytes, entry.at))
            if entry.bytes and entry.sector * SECTOR >= size:
                words = entry.data.decode(errors="replace").split()
                said = {**said, " ".join(words[1:-1]): int(words[-1])}
                # said after the entries so far: the next position sees it
                self.marks[-1] = said
                continue
            self.entries.append(entry)
            self.marks.append(said)

    def positions(self, name):
        """Where to cut: while this program ran, its last word included."""
        said = [p for p in range(1, len(self.marks)) if self.news(p, name)]
        if not said:
            die(f"nothing of {name} is in the record")
        return said[0], said[-1]

    def news(self, p, name):
        """What had just been said at this position: the moments that are promises."""
        return [word for word, n in self.marks[p].items()
                if word.startswith(name + " ") and self.marks[p - 1].get(word) != n]


State = collections.namedtuple("State", "number at keep torn")


def choose(writes, name, count, seed):
    """States enough for count different ones, a third of them at promises, all unflushed lost."""
    dice = random.Random(seed)
    first, last = writes.positions(name)
    strict = [p for p in range(first, last + 1) if writes.news(p, name)]
    dice.shuffle(strict)
    number = 0
    while True:
        if number % 3 == 0 and strict:
            at, how = strict.pop(), "none"
        else:
            at = dice.randrange(first, last + 1)
            how = dice.choice(["all", "some", "some", "all but one", "one", "torn", "torn"])
        number += 1
        if number > count * 10:
            return
        yield State(number, at, how, dice.random())


class Durable:
    """The part of the disk that stays, at a position, and a digest of all of it.

    The digest is the sum of its sectors' digests, so that a change costs what it changes."""

    def __init__(self):
        self.sectors, self.digest, self.pending = {}, 0, []

    def advance(self, entry):
        if entry.flags & FLUSH:
            for write in self.pending:
                self.last(write)
            self.pending = []
        if entry.bytes and entry.flags & FUA:
            self.last(entry)
        elif entry.bytes:
            self.pending.append(entry)

    def last(self, write):
        """From now on it is there whatever happens."""
        known = self.sectors
        for number, new in enumerate(hashes(write), write.sector):
            self.digest ^= known.get(number, 0) ^ new
            known[number] = new

    def digest_of(self, state):
        """Of the disk as it is in that state: which states are equal?"""
        digest, mine = self.digest, {}
        for write, at, size in survivors(state, self.pending):
            part = hashes(write)[at // SECTOR:(at + size) // SECTOR]
            for number, new in enumerate(part, write.sector + at // SECTOR):
                digest ^= mine.get(number, self.sectors.get(number, 0)) ^ new
                mine[number] = new
        return digest


class Disk(Durable):
    """The same with the disk itself, in a file that is mapped, and another file for its states."""

    def __init__(self, base, room):
        super().__init__()
        self.durable, self.state = (Mapped(base, os.path.join(room, name))
                                    for name in ("durable.img", "state.img"))

    def last(self, write):
        self.durable.write(write.sector * SECTOR, write.data)

    def become(self, state):
        """The file of states has this one; returns its path. What the last one left is undone."""
        self.state.take(self.durable)
        for write, at, size in survivors(state, self.pending):
            self.state.write(write.sector * SECTOR + at, write.data[at:at + size])
        return self.state.path


def survivors(state, pending):
    """What of the unflushed is there, as (entry, from, bytes)."""
    dice = random.Random(state.torn)
    if state.keep == "all":
        kept = pending
    elif state.keep == "none" or not pending:
        kept = []
    elif state.keep in ("one", "all but one"):
        one = dice.randrange(len(pending))
        kept = [w for i, w in enumerate(pending) if (i == one) == (state.keep == "one")]
    else:
        odds = dice.choice([0.2, 0.5, 0.8])
        kept = [w for w in pending if dice.random() < odds]
    for write in kept:
        if state.keep != "torn" or write.bytes <= BLOCK:
            yield write, 0, write.bytes
            continue
        for at in range(0, write.bytes, BLOCK):
            if dice.random() < 0.5:
                yield write, at, min(BLOCK, write.bytes - at)


def hashes(write):
    """A number for each sector with its place; worked out once."""
    if not write.hashes:
        for at in range(0, write.bytes, SECTOR):
            place = (write.sector + at // SECTOR).to_bytes(8, "little")
            raw = hashlib.blake2b(write.data[at:at + SECTOR], digest_size=16, salt=place).digest()
            write.hashes.append(int.from_bytes(raw, "little"))
    return write.hashes


class Mapped:
    """A copy of an image, mapped; what others write into the file is seen."""

    CHUNK = 1 << 18

    def __init__(self, base, path):
        copy_sparse(base, path)
        self.path, self.fd = path, os.open(path, os.O_RDWR)
        self.bytes = os.fstat(self.fd).st_size
        self.map = mmap.mmap(self.fd, self.bytes)
        self.start = ctypes.addressof(ctypes.c_char.from_buffer(self.map))

    def write(self, at, data):
        self.map[at:at + len(data)] = data

    def take(self, other):
        """All that differs from the other becomes as it is there."""
        for at, end in merged(data_of(self.fd) + data_of(other.fd)):
            for chunk in range(at, end, self.CHUNK):
                size = min(self.CHUNK, end - chunk)
                if not self.same(other, chunk, size):
                    self.take_blocks(other, chunk, size)

    def take_blocks(self, other, at, size):
        for block in range(at, at + size, BLOCK):
            n = min(BLOCK, at + size - block)
            if not self.same(other, block, n):
                self.map[block:block + n] = other.map[block:block + n]

    def same(self, other, at, size):
        return memcmp(self.start + at, other.start + at, size) == 0


memcmp = ctypes.CDLL(None).memcmp
memcmp.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)


def merged(ranges):
    """The same ranges without overlaps, in order."""
    found = []
    for at, end in sorted(ranges):
        if found and at <= found[-1][1]:
            found[-1][1] = max(end, found[-1][1])
        else:
            found.append([at, end])
    return found


def data_of(fd):
    """Where a file has data, as (from, to)."""
    found, at, end = [], 0, os.fstat(fd).st_size
    while at < end:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError as err:
            if err.errno == errno.ENXIO:
                break
            raise
        stop = os.lseek(fd, at, os.SEEK_HOLE)
        found.append((at, stop))
        at = stop
    return found


def copy_sparse(source, target):
    """A copy with the holes left out."""
    with open(source, "rb") as src, open(target, "wb") as dst:
        dst.truncate(os.fstat(src.fileno()).st_size)
        for at, stop in data_of(src.fileno()):
            while at < stop:
                os.lseek(dst.fileno(), at, os.SEEK_SET)
                sent = os.sendfile(dst.fileno(), src.fileno(), at, stop - at)
                if not sent:
                    break
                at += sent
