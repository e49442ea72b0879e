"""How an image becomes files again after a cut: by the kernel's replay of its journal, or e2fsck's.

The kernel does it on a loop device in a mount namespace of the process's own; all of it is called
directly, as it is done for every state. Loop device and namespace end with the process.
"""

import ctypes
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import sys
import time

from cutdisk import SKIP, copy_sparse, die

LOOP_CTL_GET_FREE, LOOP_CONFIGURE = 0x4C82, 0x4C0A
LOOP_CONFIG = struct.Struct("<II5Q4I64s64s32s2Q64s")
LO_FLAGS_AUTOCLEAR = 4
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 1 << 14, 1 << 18
# what the kernel would write by itself is left out: the inode tables, in the background
WORDS = {"ext4": b"noinit_itable", "xfs": b"nouuid"}

libc = ctypes.CDLL(None, use_errno=True)


class NotRecovered(Exception):
    """The file system itself did not survive: no fault of its files' writers."""


def called(result, what):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def own_mounts():
    """A mount namespace of this process's own."""
    called(libc.unshare(CLONE_NEWNS), "no mount namespace")
    called(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "no private mounts")


class Mounted:
    """By the kernel, after own_mounts."""

    def __init__(self, kind, room):
        self.kind, self.tree = kind, os.path.join(room, "tree")
        os.makedirs(self.tree, exist_ok=True)
        self.control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)

    def attach(self, image):
        """A loop device, which goes when nothing uses it any more."""
        file = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        words = LOOP_CONFIG.pack(file, 0, *[0] * 5, 0, 0, 0, LO_FLAGS_AUTOCLEAR, b"", b"", b"",
                                 0, 0, b"")
        try:
            while True:
                path = f"/dev/loop{fcntl.ioctl(self.control, LOOP_CTL_GET_FREE)}"
                device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
                try:
                    fcntl.ioctl(device, LOOP_CONFIGURE, words)
                    return path, device
                except OSError as err:
                    os.close(device)
                    if err.errno != errno.EBUSY:    # another one was faster
                        raise
        finally:
            os.close(file)

    def recover(self, image):
        path, device = self.attach(image)
        try:
            called(libc.mount(path.encode(), self.tree.encode(), self.kind.encode(), 0,
                              WORDS[self.kind]), self.kind)
        except OSError as err:
            raise NotRecovered(str(err)) from err
        finally:
            os.close(device)
        return self.tree

    def release(self):
        for _ in range(1000):
            if libc.umount2(self.tree.encode(), 0) == 0:
                return
            time.sleep(0.01)
        raise OSError(errno.EBUSY, f"{self.tree} cannot be unmounted")


class Checked:
    """Without root: e2fsck replays the journal, debugfs takes the files out."""

    def __init__(self, kind, room, trees):
        if kind != "ext4":
            die(f"{kind} needs root and a loop device", SKIP)
        self.tree, self.trees = os.path.join(room, "tree"), trees

    def recover(self, image):
        os.mkdir(self.tree)
        done = subprocess.run(["e2fsck", "-fy", image], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode > 1:
            raise NotRecovered(done.stdout)
        for tree in self.trees:
            into = self.tree + os.path.dirname(tree).rstrip("/")
            os.makedirs(into, exist_ok=True)
            subprocess.run(["debugfs", "-R", f"rdump {tree} {into}", image], check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self.tree

    def release(self):
        shutil.rmtree(self.tree)


def recoverer(how, kind, room, base, trees):
    """What can be done here; it is tried first."""
    if how == "mount" or (how is None and os.getuid() == 0):
        image = os.path.join(room, "try.img")
        try:
            own_mounts()
            mounted = Mounted(kind, room)
            copy_sparse(base, image)
            mounted.recover(image)
            mounted.release()
            return mounted
        except (OSError, NotRecovered) as err:
            if how == "mount":
                die(f"no loop mount here: {err}", SKIP)
            print(f"cut: no loop mount here ({err}); e2fsck recovers", file=sys.stderr)
            shutil.rmtree(os.path.join(room, "tree"), ignore_errors=True)
        finally:
            if os.path.exists(image):
                os.unlink(image)
    return Checked(kind, room, trees)


def with_mounted(images, work):
    """work(tree...) with these (image, kind) mounted, in a process of its own."""
    pid = os.fork()
    if pid == 0:
        status, mounts = SKIP, []
        try:
            own_mounts()
            for n, (image, kind) in enumerate(images):
                mounts.append(Mounted(kind, f"{image}.{n}"))
                mounts[-1].recover(image)
            status = 1
            work(*[mounted.tree for mounted in mounts])
            status = 0
        except (OSError, NotRecovered, subprocess.SubprocessError) as err:
            print(f"cut: {images[0][0]}: {err}", file=sys.stderr)
        finally:
            for mounted in mounts:
                libc.umount2(mounted.tree.encode(), 0)
                shutil.rmtree(os.path.dirname(mounted.tree), ignore_errors=True)
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        die(f"{images[0][0]} could not be filled", SKIP if status == SKIP else 1)
