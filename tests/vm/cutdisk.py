"""The record of a disk's writes, and the states that a power cut may leave of it; see cut."""

import collections
import errno
import hashlib
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


def die(text, code=1):
    print(f"cut: {text}", file=sys.stderr)
    sys.exit(code)


Entry = collections.namedtuple("Entry", "sector flags data at bytes")


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
        yield Entry(sector, flags, b"", at, length if flags & DISCARD else n)
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
        if number > count * 3:
            return
        yield State(number, at, how, dice.random())


class Disk:
    """The durable part of the disk at a position, in a file, and a digest of all of it."""

    def __init__(self, base, path):
        copy_sparse(base, path)
        self.path, self.sectors, self.digest = path, {}, 0
        self.fd = os.open(path, os.O_RDWR)
        self.pending = []

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
        self.write(self.fd, write.sector, write.data)
        self.digest = digest_over(self.digest, write.sector, write.data, self.sectors)

    @staticmethod
    def write(fd, sector, data):
        os.pwrite(fd, data, sector * SECTOR)

    def survivors(self, state):
        """What of the unflushed is there, as (sector, data)."""
        dice = random.Random(state.torn)
        writes = self.pending
        if state.keep == "all":
            kept = writes
        elif state.keep == "none" or not writes:
            kept = []
        elif state.keep in ("one", "all but one"):
            one = dice.randrange(len(writes))
            kept = [w for i, w in enumerate(writes) if (i == one) == (state.keep == "one")]
        else:
            odds = dice.choice([0.2, 0.5, 0.8])
            kept = [w for w in writes if dice.random() < odds]
        for write in kept:
            if state.keep != "torn" or write.bytes <= BLOCK:
                yield write.sector, write.data
                continue
            for at in range(0, write.bytes, BLOCK):
                if dice.random() < 0.5:
                    yield write.sector + at // SECTOR, write.data[at:at + BLOCK]


def digest_over(digest, sector, data, known, below=None):
    """A disk's digest is the sum of its sectors' digests, so that a change costs what it changes.

    known takes the new ones; below is what was there where it has none."""
    for at in range(0, len(data), SECTOR):
        number = sector + at // SECTOR
        old = known.get(number, below.get(number, 0) if below else 0)
        raw = hashlib.blake2b(data[at:at + SECTOR], digest_size=16,
                              salt=number.to_bytes(8, "little")).digest()
        known[number] = int.from_bytes(raw, "little")
        digest ^= old ^ known[number]
    return digest


class DigestOnly(Disk):
    """The same walk without a file: which states are equal?"""

    def __init__(self):
        self.sectors, self.digest, self.pending, self.fd = {}, 0, [], -1

    @staticmethod
    def write(fd, sector, data):
        pass

    def of(self, state):
        digest, mine = self.digest, {}
        for sector, data in self.survivors(state):
            digest = digest_over(digest, sector, data, mine, self.sectors)
        return digest


def copy_sparse(source, target):
    """A copy with the holes left out."""
    with open(source, "rb") as src, open(target, "wb") as dst:
        end = os.fstat(src.fileno()).st_size
        dst.truncate(end)
        at = 0
        while at < end:
            try:
                at = os.lseek(src.fileno(), at, os.SEEK_DATA)
            except OSError as err:
                if err.errno == errno.ENXIO:
                    break
                raise
            stop = os.lseek(src.fileno(), at, os.SEEK_HOLE)
            while at < stop:
                os.lseek(dst.fileno(), at, os.SEEK_SET)
                sent = os.sendfile(dst.fileno(), src.fileno(), at, stop - at)
                if not sent:
                    break
                at += sent
