# SPDX-License-Identifier: MIT
"""A raw client of the API port: as wrong, slow or greedy as a test wants it; no library between.

    api_client.py --port SOCKET PART [ARGUMENT...]

Each PART below is a function; it prints what a test compares, and exits 1 when a promise of
smss-api(7) is broken. Other users are tried by children that change their ids before they connect.
"""
import array, os, re, select, socket, struct, sys, time

HEADER = struct.Struct("<HHIII")
OK, PENDING, DENIED, NOT_FOUND = 0, 0x103, 0xC0000022, 0xC0000034
NOT_IMPLEMENTED, INVALID, DYING = 0xC0000002, 0xC000000D, 0xC0000056
# request bodies in bytes, as smss-api(7) has them
BODY = {0: 0, 1: 248, 2: 0, 3: 2068, 4: 0, 5: 640, 6: 64, 7: 0, 16: 8, 17: 0, 18: 176, 19: 128,
        20: 248, 21: 0, 22: 176, 23: 8, 24: 64, 25: 224, 26: 176, 27: 168, 28: 0, 29: 184, 30: 8,
        31: 176, 32: 232, 33: 192, 34: 0, 35: 16, 36: 40, 37: 8, 38: 192, 39: 64, 48: 2068, 49: 0,
        50: 64, 51: 472, 52: 192, 53: 40, 64: 248, 65: 176, 66: 176, 67: 8}
OURS = {1, 23, 24, 25, 26, 27, 28, 29, 30, 31, 34, 35, 39}  # of the session manager's processes
PORT = ""


def connect(timeout=5):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(PORT)  # waits where others are before us
    s.settimeout(timeout)
    return s


def message(call, body=b"", tag=1, reply=0, length=None):
    body = body.ljust(BODY.get(call, 0), b"\0")
    return HEADER.pack(call, reply, tag, 0, len(body) if length is None else length) + body


def receive(s):
    """(header, body, fds), or None at the end."""
    try:
        data, fds, _, _ = socket.recv_fds(s, 8192, 16)
    except ConnectionResetError:
        return None
    return (HEADER.unpack(data[:16]), data[16:], fds) if data else None


def ask(s, call, body=b"", tag=7):
    """The answer with that tag; events before it are left out."""
    s.send(message(call, body, tag))
    while True:
        got = receive(s)
        if got is None:
            raise EOFError(f"closed instead of an answer to call {call}")
        if got[0][1] == 1 and got[0][2] == tag:
            return got


def status(s, call, body=b""):
    header, _, fds = ask(s, call, body)
    for fd in fds:
        os.close(fd)
    return header[3]


def closed(s):
    """The session manager has closed this connection."""
    while True:
        try:
            got = receive(s)
        except (socket.timeout, TimeoutError):
            return False
        if got is None:
            return True


def holds(promise, what):
    if not promise:
        print("broken:", what, flush=True)
        sys.exit(1)


def as_user(uid, gid, groups, function, *arguments):
    """function in a child with these ids; its exit code is ours if it fails."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setgroups(groups)
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            function(*arguments)
            code = 0
        except SystemExit as end:
            code = end.code
        except BaseException as wrong:  # the child must not go on as the parent
            print("broken:", repr(wrong), flush=True)
        finally:
            sys.stdout.flush()
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]):
        sys.exit(1)


def start(s, command=b"/bin/sleep 1000", flags=0):
    return ask(s, 5, struct.pack("<IIII", 0, 0, 0, flags) + bytes(208) + command.ljust(256, b"\0"))


# ---- parts ----

def lengths():
    """Every call with every wrong length: closed, never answered; the right one: answered."""
    tried = 0
    for call, want in BODY.items():
        for length in {0, 1, want - 1, want + 1, want + 4, 4096, 65535} - {want, -1}:
            s = connect()
            try:
                s.send(HEADER.pack(call, 0, 1, 0, length) + bytes(length))
            except OSError:
                pass
            holds(closed(s), f"call {call} with a body of {length} bytes")
            s.close()
            tried += 1
    for header in (b"", b"\0", bytes(15), HEADER.pack(17, 0, 1, 0, 99), HEADER.pack(17, 2, 1, 0, 0),
                   HEADER.pack(999, 0, 1, 0, 0), HEADER.pack(68, 0, 1, 0, 0), bytes(60000)):
        s = connect()
        s.send(header)
        holds(closed(s), f"{len(header)} bytes")
        tried += 1
    s = connect()
    s.send(message(22, struct.pack("<IIQ", 0, 0, 0) + b"x" * 160))
    holds(closed(s), "a reason without its NUL")
    print(tried, "refused")


def order():
    """Calls in any order, answers nobody asked for, many at once: one answer each, by tag."""
    s, seen = connect(), set()
    for many in range(10):
        for tag in range(40 * many + 1, 40 * many + 41):
            s.send(message((17, 18, 19, 20, 32)[tag % 5], tag=tag))
            s.send(message(48, tag=tag, reply=1))  # not ours to answer
        while len(seen) < 40 * (many + 1):
            header, _, _ = receive(s)
            holds(header[1] == 1 and header[2] not in seen, f"tag {header[2]} twice")
            seen.add(header[2])
    s.settimeout(0.3)
    holds(not closed(s) and seen == set(range(1, 401)), "one answer each")
    s.settimeout(5)
    holds(status(s, 16, struct.pack("<I", 99)) == 0xC0000059, "another version")
    holds(status(s, 16, struct.pack("<I", 2)) == OK, "hello after everything else")
    for call in (0, 2, 4, 7, 48, 49, 50, 51, 52, 53, 64, 65, 66, 67):
        holds(status(s, call) == NOT_IMPLEMENTED, f"call {call} is not implemented")
    for call in OURS:
        holds(status(s, call) == DENIED, f"call {call} is for our own processes")
    for call, at_most in ((3, 0xF), (5, 1)):
        body = struct.pack("<II", 2, at_most + 1) if call == 3 else struct.pack("<IIII", 0, 0, 0, 2)
        holds(status(s, call, body) == INVALID, f"unknown flags of call {call}")
    for call, body in ((3, b""), (6, b""), (36, b""), (37, b""), (38, struct.pack("<I", 0))):
        at = body + struct.pack("<I", 900)
        holds(status(s, call, at) == NOT_FOUND, f"call {call} of a session that is not there")
    holds(status(s, 6, struct.pack("<I", 0)) == DENIED, "the end of session 0")
    print("in order")


def stuff():
    """fds in messages: the connection is closed, nothing stays. Also behind empty datagrams."""
    null = os.open("/dev/null", os.O_RDONLY)
    for count in (1, 3, 6, 7, 250):
        for first in (b"", None):
            for body in (message(17), b"", b"garbage"):
                s = connect()
                try:  # it may be closed before the last one is sent
                    if first is not None:
                        s.send(first)
                        s.send(first)
                    socket.send_fds(s, [body], [null] * count)
                except OSError:
                    pass
                holds(closed(s), f"{count} fds")
                s.close()
    s = connect()
    holds(status(s, 17) == OK, "a status afterwards")
    print("nothing stays")


def steps(rounds):
    """Die between any two steps of every call: connect, half the requests, before the answer."""
    for i in range(int(rounds)):
        for call in (3, 5, 6, 16, 17, 21, 32, 36, 37, 38):
            s = connect()
            if i % 4 == 1:
                s.send(message(call, struct.pack("<I", 2)))
            elif i % 4 == 2:
                s.send(message(16, struct.pack("<I", 2)))
                s.send(message(call, struct.pack("<I", 900)))
                s.shutdown(socket.SHUT_WR)
            elif i % 4 == 3:
                s.send(message(call, struct.pack("<I", 900))[:7])
            s.close()
    print("done")


def connections(count):
    """That many, kept as long as they are let: root's own places are not all taken by others."""
    kept, refused = [], 0
    for _ in range(int(count)):
        try:
            s = connect(30)
            kept.append(s)
        except OSError:
            refused += 1
        if len(kept) > 600:  # our own fds have an end, too
            kept.pop(0).close()
    s = None
    for s in kept:
        s.close()
    print(len(kept) + refused > 0 and "done")


def hold(count, seconds):
    """Silent connections, kept open."""
    kept = []
    for _ in range(int(count)):
        s = connect()
        kept.append(s)
    print("held", flush=True)
    time.sleep(float(seconds))


def places(count):
    """How many connections of ours are kept."""
    kept = [connect() for _ in range(int(count))]
    alive = 0
    for s in kept:
        try:
            s.send(message(17))
            got = receive(s)
            alive += got is not None
        except OSError:
            pass
    print(alive)


def flood(seconds):
    """As many requests as go, answers read as they come."""
    s, end, n = connect(), time.monotonic() + float(seconds), 0
    s.setblocking(False)
    while time.monotonic() < end:
        try:
            s.send(message(17, tag=n & 0xFFFF))
            n += 1
        except BlockingIOError:
            select.select([s], [s], [], 0.1)
        except OSError:
            s = connect()
            s.setblocking(False)
        try:
            while s.recv(8192):
                pass
        except OSError:
            pass
    print(n)


def deaf(seconds):
    """Asks and never reads: dropped in the end, and nobody waits for it."""
    s, end, sent = connect(2), time.monotonic() + float(seconds), 0
    while time.monotonic() < end:
        try:
            s.send(message(17))
            sent += 1
        except (socket.timeout, TimeoutError):
            continue
        except OSError:
            print("dropped")
            return
    print("not dropped after", sent)
    sys.exit(1)


def latency(count):
    """Statuses one after the other; the 99th percentile in us, and all are answered."""
    s, times = connect(), []
    for tag in range(int(count)):
        begin = time.perf_counter()
        holds(ask(s, 17, tag=tag)[0][3] == OK, "a status")
        times.append(time.perf_counter() - begin)
    times.sort()
    print("status p50 %d us, p99 %d us" % (times[len(times) // 2] * 1e6,
                                           times[len(times) * 99 // 100] * 1e6))


def subscribers(count):
    """That many at once; each hears of a session that begins and ends."""
    kept = []
    for _ in range(int(count)):
        s = connect()
        holds(status(s, 21) == OK, "a subscription")
        kept.append(s)
    root = connect()
    header, body, _ = start(root)
    holds(header[3] == OK, f"a session: {header[3]:#x}")
    session = struct.unpack("<I", body[:4])[0]
    holds(status(root, 6, struct.pack("<I", session)) == OK, "its end")
    for s in kept:
        states = set()
        while 0 not in states:
            header, body, _ = receive(s)
            if header[0] == 65 and struct.unpack("<I", body[4:8])[0] == session:
                states.add(struct.unpack("<I", body[8:12])[0])
        holds({1, 2, 4, 0} <= states, f"states {states}")
    print(len(kept), "heard it")


def sleeper():
    """A subscriber that does not read loses events, is told how many, and is kept."""
    s, root = connect(), connect()
    holds(status(s, 21) == OK, "a subscription")
    lost = 0
    for _ in range(80):
        header, body, _ = start(root)
        holds(header[3] == OK, "a session")
        holds(status(root, 6, body[:4]) == OK, "its end")
    s.settimeout(1)
    for _ in range(2):
        try:
            while True:
                header, body, _ = receive(s)
                if header[0] == 67:
                    lost += struct.unpack("<Q", body)[0]
        except (socket.timeout, TimeoutError):
            pass
        if not lost:  # the count comes with the next event that fits
            header, body, _ = start(root)
            status(root, 6, body[:4])
    print("lost", lost > 0)
    holds(status(s, 17) == OK, "it is kept")


def pidfds():
    """StartCsr with pidfds: they are of the processes that the answer names."""
    s = connect()
    header, body, fds = start(s, flags=1)
    holds(header[3] == OK, f"a session: {header[3]:#x}")
    session, csrss, initial = struct.unpack("<III", body[:12])
    holds(len(fds) == 2, f"{len(fds)} fds")
    for fd, pid in zip(fds, (csrss, initial)):
        kind = os.readlink(f"/proc/self/fd/{fd}")
        holds("pidfd" in kind, kind)
    holds(status(s, 6, struct.pack("<I", session)) == OK, "its end")
    for fd in fds:
        holds(select.select([fd], [], [], 5)[0], "a pidfd tells the end")
    header, body, fds = start(s)
    holds(not fds, "no fds that nobody asked for")
    holds(status(s, 6, body[:4]) == OK, "its end")
    print("both")


def states():
    """What a session that cannot take a call answers, by its state."""
    s = connect()
    header, body, _ = start(s)
    holds(header[3] == OK, f"a session: {header[3]:#x}")
    session = body[:4]
    program = session + struct.pack("<IIHHI", 1, 0, 0, 0, 0) + bytes(48) + b"/bin/true"
    programs = struct.pack("<I", 0) + session
    got = status(s, 37, session + struct.pack("<I", 1))
    if got != 0xC00000BB:  # not supported: no cgroup
        holds(got == OK, f"a freeze: {got:#x}")
        for call, asked in ((3, program), (38, programs)):
            got = status(s, call, asked)
            holds(got == PENDING, f"call {call} of a frozen session: {got:#x}")
        got = status(s, 37, session + struct.pack("<I", 0))
        holds(got == OK, f"a thaw: {got:#x}")
    got = status(s, 3, program)
    holds(got == OK, f"a program: {got:#x}")
    got = status(s, 38, programs)
    holds(got in (OK, 0x8000001A), f"its row: {got:#x}")
    got = status(s, 36, session + struct.pack("<IIII", 0, 0, 10001, 0))
    holds(got == INVALID, f"a weight out of its range: {got:#x}")
    s.send(message(6, session, tag=1))
    s.send(message(3, program, tag=2))  # while it ends, or afterwards
    answers = {}
    while len(answers) < 2:
        header, _, _ = receive(s)
        answers[header[2]] = header[3]
    holds(answers[1] == OK and answers[2] in (DYING, NOT_FOUND), f"at its end: {answers}")
    for call, asked in ((3, program), (6, session), (36, session), (37, session), (38, programs)):
        got = status(s, call, asked)
        holds(got == NOT_FOUND, f"call {call} of a session that is gone: {got:#x}")
    print("clear")


def table(manual):
    """The manual's table of clients' calls: [(number, name, who)]."""
    rows = []
    for line in open(manual, encoding="utf-8"):
        row = re.match(r"\.It (\d+) Ta (\w+)(, [\w ]+)? Ta (\w+) Ta ([a-z, ]+)$", line.strip())
        if row:
            rows.append((int(row[1]), row[2], (row[3] or "")[2:], set(row[5].split(", "))))
    holds(len(rows) >= 16, f"{len(rows)} calls in {manual}")
    return rows


def body_of(call, variant, session):
    """A harmless body that names the session, or is wrong for who may ask."""
    if call == 33:
        return struct.pack("<I", 99 if variant == "other verbs" else 0)
    if call == 22:
        return struct.pack("<I", 99)  # no such action
    if call == 5:
        return struct.pack("<IIII", 0, 0, 0, 99)  # no such flags
    if call == 3:
        return struct.pack("<II", session, 99)
    if call == 6:
        return struct.pack("<I", session)
    if call == 37:
        return struct.pack("<II", session, 99)
    if call == 36:
        return struct.pack("<II", session, 0)
    if call == 38:
        return struct.pack("<II", 0, session)
    return struct.pack("<I", 2 if call == 16 else 0) if BODY[call] else b""


def tried(rows, roles, session):
    s = connect()
    for call, name, variant, who in rows:
        if call == 6 and roles & who:
            continue  # it would end the session; rights() does that at last
        if call == 33 and variant == "other verbs":
            body = struct.pack("<I", 1) if not roles & who else body_of(call, variant, session)
        else:
            body = body_of(call, variant, session)
        got = status(s, call, body)
        may = bool(who & roles)
        holds((got != DENIED) == may,
              f"{name} {variant} by {sorted(roles)}: {got:#x}, the manual says {sorted(who)}")
    for call in BODY:
        if call not in {row[0] for row in rows}:
            want = DENIED if call in OURS else NOT_IMPLEMENTED
            got = status(s, call)
            holds(got == want, f"call {call} by {sorted(roles)}: {got:#x}")
    print(" ".join(sorted(roles)), len(rows), "calls")


def rights(manual, session, uid):
    """Each call by strangers, operators (gid 4242), the session's owner and root."""
    rows, session, uid = table(manual), int(session), int(uid)
    as_user(uid + 1, 60000, [], tried, rows, {"all"}, session)
    as_user(uid + 2, 4242, [], tried, rows, {"all", "operator"}, session)
    as_user(uid + 2, 60000, [1, 4242, 7], tried, rows, {"all", "operator"}, session)
    as_user(uid, 60000, [], tried, rows, {"all", "owner"}, session)
    tried(rows, {"all", "operator", "owner", "root"}, session)


def stranger_ends(session, uid):
    """Nobody ends another's session; its owner does."""
    body = struct.pack("<I", int(session))

    def end(want):
        got = status(connect(), 6, body)
        holds(got == want, f"the end by uid {os.getuid()}: {got:#x}")
    as_user(int(uid) + 1, 60000, [], end, DENIED)
    as_user(int(uid), 60000, [], end, OK)
    print("ended")


def own_session(uid, gid=4242):
    """An operator's session is its own; another's is refused, and said why."""
    def start(s, policy):
        return ask(s, 5, bytes(16) + bytes(policy) + b"/bin/sleep 1000".ljust(256, b"\0"))

    def make():
        s = connect()
        policy = bytearray(208)
        struct.pack_into("<I", policy, 0, 2)  # the owner is given
        for other in ((0, 0), (os.getuid(), 0), (0, os.getgid()), (os.getuid() + 1, os.getgid())):
            struct.pack_into("<II", policy, 48, *other)
            header, body, _ = start(s, policy)
            holds(header[3] == DENIED and b"owner: only root" in body, f"{other}: {header[3]:#x}")
        struct.pack_into("<II", policy, 48, os.getuid(), os.getgid())
        header, body, _ = start(s, policy)
        text = body[-160:].split(b"\0")[0].decode()
        holds(header[3] == OK, f"an operator's session: {header[3]:#x} {text}")
        session = struct.unpack("<I", body[:4])[0]
        header, row, _ = ask(s, 18, struct.pack("<I", session))
        owner = struct.unpack("<I", row[36:40])[0]
        holds(owner == os.getuid(), f"its owner is {owner}")
        holds(status(s, 6, struct.pack("<I", session)) == OK, "its end")
    as_user(int(uid), int(gid), [], make)
    print("its own")


def others(count, part, *arguments):
    """A part as that many users at once, uids from 61000 on."""
    children = []
    for i in range(int(count)):
        pid = os.fork()
        if pid == 0:
            as_user(61000 + i, 61000, [], globals()[part], *arguments)
            os._exit(0)
        children.append(pid)
    if any(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children):
        sys.exit(1)


if __name__ == "__main__":
    os.chdir(os.path.dirname(sys.argv[2]))  # before any user loses the right to
    PORT = os.path.basename(sys.argv[2])
    globals()[sys.argv[3]](*sys.argv[4:])
