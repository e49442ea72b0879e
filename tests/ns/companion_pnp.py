# SPDX-License-Identifier: MIT
"""pnp: devices, modules, udev of straw."""

from companion_common import *  # noqa: F401,F403


def pnp_run(*words, prefix=()):
    c = Companion([program], plan(*words), None, {"SMSS_MODE": "machine"}, prefix)
    c.receive(15)
    c.wait(15)
    while c.receive(0.05):
        pass
    return c


def pnp_nothing(work):
    put(f"{work}/fstab", "# nothing\nproc /proc proc defaults 0 0\n/dev/root-of-it / ext4 defaults 0 1\n"
        "/dev/not-there-a /a ext4 nofail 0 2\n/dev/not-there-b /b ext4 rw,noauto 0 2\n")
    bind(f"{work}/fstab", "/etc/fstab")
    start = time.monotonic()
    c = pnp_run()
    tap.check("with neither udev nor mdev it says that devtmpfs serves, and is done at once",
              c.status == 0 and c.item("coldplug")[1] == "skipped" and time.monotonic() - start < 0.5,
              (c.status, c.items))
    c.shut()
    c = pnp_run(prefix=["unshare", "--pid", "--fork", "--mount-proc"])
    tap.check("in another pid namespace it does nothing and says so", c.status == 0 and
              [i[1] for i in c.items] == ["skipped"], c.items)
    c.shut()


def pnp_devices(work):
    put(f"{work}/fstab", "/dev/null none swap sw 0 0\n/dev/\\156ot-there /x ext4 defaults 0 2\n"
        "LABEL=never /y ext4 defaults 0 2\n")
    start = time.monotonic()
    c = pnp_run("pnp_deadline_s=1")
    took = time.monotonic() - start
    item = c.item("devices")
    tap.check("a missing device is waited for until the deadline, and named", c.status == 1 and
              0.9 < took < 1.6 and item[1] == "timeout" and item[3] == "1 missing: /dev/not-there",
              (took, item))
    c.shut()
    empty_over("/dev/shm")
    child = subprocess.Popen(["sh", "-c", "sleep 0.3; touch /dev/shm/late"])
    put(f"{work}/fstab", "/dev/shm/late /x ext4 defaults 0 2\n")
    c = pnp_run("pnp_deadline_s=5")
    child.wait()
    tap.check("a device that comes in time is enough", c.status == 0 and c.item("devices")[1] == "ok", c.items)
    c.shut()


def pnp_udev(work):
    log = f"{work}/udev.log"
    tool = f"#!/bin/sh\necho ${{0##*/}} \"$@\" >>{log}\n"
    put("/usr/lib/systemd/systemd-udevd", tool + f"env >{work}/udev.env\n", 0o755)
    put("/usr/local/sbin/udevadm", tool, 0o755)
    put(f"{work}/fstab", "")
    c = pnp_run("pnp_deadline_s=10")
    lines = open(log).read().splitlines()
    tap.check("udev is started, told of subsystems, then devices, and settles", c.status == 0 and
              [line.split()[1] for line in lines] == ["--daemon", "trigger", "trigger", "settle"] and
              "subsystems" in lines[1] and "devices" in lines[2] and "--timeout=" in lines[3] and
              c.item("udev")[1] == "ok", (c.status, lines, c.items))
    tap.check("and our own words are not in its environment", "SMSS" not in open(f"{work}/udev.env").read())
    c.shut()
    put("/usr/local/sbin/udevadm", tool + "[ $1 = settle ] && sleep 100\n:\n", 0o755)
    start = time.monotonic()
    c = pnp_run("pnp_deadline_s=1")
    tap.check("a settle that hangs is killed at the deadline, and named", c.status == 1 and
              time.monotonic() - start < 2 and c.item("udev")[1] == "timeout" and
              "settle" in c.item("udev")[3], (c.status, c.items))
    c.shut()
    put("/usr/local/sbin/udevadm", tool + "exit 4\n", 0o755)
    c = pnp_run("pnp_deadline_s=5")
    tap.check("one that fails is recorded with its exit status", c.item("udev")[1] == "failed" and
              "exit 4" in c.item("udev")[3], c.items)
    c.shut()


def pnp_modules(work):
    log = f"{work}/modprobe.log"
    put("/usr/local/sbin/modprobe", f"#!/bin/sh\necho \"$@\" >>{log}\n[ $3 != bad ]\n", 0o755)
    put("/run/modules-load.d/test.conf", "# comment\nloop max_loop=8\n; another\n--show\nbad\n")
    put("/usr/local/sbin/udevadm", "#!/bin/sh\n:\n", 0o755)
    c = pnp_run("pnp_deadline_s=5")
    lines = open(log).read().splitlines()
    tap.check("modules are loaded with their parameters; an option is no module",
              "-q -- loop max_loop=8" in lines and not any("--show" in line for line in lines), lines)
    item = c.item("modules")
    tap.check("one that cannot be loaded is named", item and item[1] == "degraded" and "bad" in item[3], item)
    c.shut()


def hide_the_machine(work):
    """Whatever of this kind the machine has, pnp must not find it."""
    empty_over("/run")
    os.mkdir("/run/modules-load.d")
    empty_over("/usr/local/sbin")
    for path in ("/usr/lib/systemd", "/etc/modules-load.d", "/usr/lib/modules-load.d",
                 "/usr/local/lib/modules-load.d"):
        if os.path.isdir(path):
            empty_over(path)
    if not os.path.isdir("/usr/lib/systemd"):
        skip_all("needs /usr/lib/systemd as a place for a daemon of straw")
    put(f"{work}/empty", "")
    if os.path.exists("/etc/modules"):
        bind(f"{work}/empty", "/etc/modules")
    for path in ("/sbin/udevd", "/etc/mdev.conf"):
        if os.path.exists(path):
            skip_all(f"the machine has {path}")
    for path in ("/etc/fstab",):
        if not os.path.exists(path):
            skip_all(f"the machine has no {path}")


def group_pnp(work):
    hide_the_machine(work)
    pnp_nothing(work)
    pnp_devices(work)
    pnp_udev(work)
    pnp_modules(work)
