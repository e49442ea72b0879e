# SPDX-License-Identifier: MIT
"""wininit: the machine's settings and the service supervisor."""

from companion_common import *  # noqa: F401,F403


def loopback_works():
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        socket.create_connection(listener.getsockname(), 2).close()
        return True
    except OSError:
        return False
    finally:
        listener.close()


def wininit_machine(work):
    c = Companion([program], plan("ComputerName=smss-test", "Wininit\\Supervisor=no-such-supervisor"), 0)
    role, pid = c.register()
    tap.check("wininit registers as the initial command", role == ROLE_INITIAL and pid == c.pid)
    item = c.item("Supervisor")
    tap.check("a supervisor that is not installed is said, once", item and item[1] == "skipped" and
              "not installed" in item[3], item)
    tap.check("the loopback is up", c.item("lo")[1] == "ok" and loopback_works(), c.item("lo"))
    tap.check("the host name is the plan's", c.item("ComputerName")[1] == "ok" and
              socket.gethostname() == "smss-test", c.item("ComputerName"))
    for name in ("random-seed", "sysctl"):
        tap.check(f"{name} is the machine's and left alone in a pid namespace",
                  c.item(name)[1] == "skipped", c.item(name))
    tap.check("without a supervisor wininit stays, and sleeps", c.idle() and c.wait(0.1) is None)
    c.terminate()
    tap.check("and ends when asked", c.wait() == 0, c.status)
    c.shut()
    put(f"{work}/hostname", "# a comment\n\n  from-the-file \n")
    bind(f"{work}/hostname", "/etc/hostname")
    c = Companion([program], plan("Wininit\\Supervisor="), 0)
    c.register()
    item = c.item("Supervisor")
    tap.check("no supervisor wanted is no failure", item and item[1] == "skipped", item)
    tap.check("without ComputerName /etc/hostname counts", socket.gethostname() == "from-the-file",
              socket.gethostname())
    c.shut()
    put(f"{work}/hostname", "bad name!\n")
    c = Companion([program], plan("Wininit\\Supervisor="), 0)
    c.register()
    item = c.item("ComputerName")
    tap.check("a name that is none is not set", item and item[1] == "failed" and
              socket.gethostname() == "from-the-file", item)
    c.shut()


def service(work, name, run):
    os.makedirs(f"{work}/services/{name}")
    put(f"{work}/services/{name}/run", run, 0o755)


def wininit_services(work):
    if not shutil.which("runsvdir"):
        print("# runsvdir is not installed: its cases are left out")
        return
    service(work, "good", f"#!/bin/sh\ntrap 'sleep 0.2; echo >{work}/good.down; exit' TERM\n"
            f"echo $$ >{work}/new; mv {work}/new {work}/good.up\nwhile :; do sleep 0.05; done\n")
    c = Companion([program], plan("Wininit\\Supervisor=runsvdir",
                                  f"Wininit\\ServicesDirectory={work}/services"), 0)
    c.register()
    tap.check("runsvdir is started and runs the services",
              wait_for(lambda: os.path.exists(f"{work}/good.up")), c.item("Supervisor"))
    first = children(c.pid)
    tap.check("and sleeps meanwhile", c.idle())
    os.kill(first[0], signal.SIGKILL)
    tap.check("a dead supervisor is reported", wait_for(lambda: c.item("Supervisor", 0.2)[1] == "crashed"),
              c.items)
    os.unlink(f"{work}/good.up")
    again = wait_for(lambda: os.path.exists(f"{work}/good.up"), 8)
    tap.check("and started again, with its services, after a second", again and
              len(children(c.pid)) == 1 and children(c.pid) != first, children(c.pid))
    os.unlink(f"{work}/good.down") if os.path.exists(f"{work}/good.down") else None
    pid = int(open(f"{work}/good.up").read())
    start = time.monotonic()
    c.terminate()
    done = c.wait()
    took = time.monotonic() - start
    tap.check("at the end services are asked and waited for, not longer", done == 0 and took < 2 and
              os.path.exists(f"{work}/good.down") and not alive(pid), (done, took))
    c.shut()


def wininit_stubborn(work):
    put(f"{work}/super", f"#!/bin/sh\ntrap : TERM HUP\nsh -c 'trap : TERM; echo $$ >{work}/inner; "
        "while :; do sleep 0.05; done' &\nwhile :; do sleep 0.05; done\n", 0o755)
    c = Companion([program], plan(f"Wininit\\Supervisor={work}/super", "Wininit\\SupervisorStopSeconds=1"), 0)
    c.register()
    wait_for(lambda: os.path.exists(f"{work}/inner") and open(f"{work}/inner").read())
    inner = int(open(f"{work}/inner").read())
    start = time.monotonic()
    c.terminate()
    done = c.wait()
    took = time.monotonic() - start
    tap.check("a supervisor that will not end is killed with all it has, after SupervisorStopSeconds",
              done == 0 and 0.9 < took < 2 and not alive(inner), (done, took))
    c.shut()
    put(f"{work}/dies", f"#!/bin/sh\necho >>{work}/starts\nexit 7\n", 0o755)
    c = Companion([program], plan(f"Wininit\\Supervisor={work}/dies"), 0)
    c.register()
    time.sleep(3.5)
    starts = open(f"{work}/starts").read().count("\n")
    tap.check("a supervisor that dies at once is started ever more slowly", starts == 3, starts)
    tap.check("its exit status is in the row", "exit 7" in c.item("Supervisor")[3], c.item("Supervisor"))
    c.shut()


def group_wininit(work):
    wininit_machine(work)
    wininit_services(work)
    wininit_stubborn(work)


# wininit as the machine itself: its files and /proc/sys are ours, the pid namespace is not

def wininit_run(*words):
    c = Companion([program], plan("Wininit\\Supervisor=", *words), 0)
    c.register()
    c.item("Supervisor")
    return c


def machine_sysctl(work):
    empty_over("/proc/sys")
    for path in ("kernel", "net", "net/eth0.1"):
        os.mkdir(f"/proc/sys/{path}")
    for path in ("kernel/first", "kernel/second", "kernel/last", "net/eth0.1/x", "kernel/hostname"):
        put(f"/proc/sys/{path}", "")
    if os.path.isdir("/etc/sysctl.d"):
        empty_over("/etc/sysctl.d")
    else:
        skip_all("the machine has no /etc/sysctl.d")
    if os.path.isdir("/usr/lib/sysctl.d"):
        empty_over("/usr/lib/sysctl.d")
    empty_over("/run")
    os.mkdir("/run/sysctl.d")
    put("/etc/sysctl.d/10-a.conf", "# comment\nkernel.first = one\nnet.eth0/1.x=dotted\n-kernel.missing = 1\n")
    put("/run/sysctl.d/10-a.conf", "kernel.first = hidden\n")
    put("/run/sysctl.d/20-b.conf", "kernel/second = 4 4\t1 7\nkernel.last = soon\n" + "k" * 5000 + "\n")
    put("/etc/sysctl.d/30-c.conf", "kernel.last=late\nno setting\nkernel.absent=1\nkernel.../../etc/x=1\n")
    c = wininit_run()
    values = {path: open(f"/proc/sys/{path}").read() for path in ("kernel/first", "kernel/second", "kernel/last",
                                                                "net/eth0.1/x")}
    tap.check("sysctl files are applied by name, /etc hiding /run", values == {
        "kernel/first": "one", "kernel/second": "4 4\t1 7", "kernel/last": "late", "net/eth0.1/x": "dotted"}, values)
    item = c.item("sysctl")
    tap.check("what is wrong is counted and the first one named", item[1] == "degraded" and
              item[3].startswith("5 set, 4 failed"), item)
    c.shut()


def machine_seed(work):
    if os.path.isdir("/var/lib"):
        empty_over("/var/lib")
    seed = "/var/lib/smss/random-seed"
    os.mkdir("/var/lib/smss")
    c = wininit_run()
    tap.check("the first boot writes a seed, closed to others", os.stat(seed).st_mode & 0o777 == 0o600 and
              os.stat(seed).st_size == 64, c.item("random-seed"))
    first = open(seed, "rb").read()
    c.terminate()
    c.wait()
    second = open(seed, "rb").read()
    tap.check("it is written anew at the end", first != second and len(second) == 64)
    c.shut()
    c = wininit_run()
    tap.check("the next boot replaces and credits it", open(seed, "rb").read() != second and
              "credited and replaced" in c.item("random-seed")[3], c.item("random-seed"))
    c.shut()
    os.chmod(seed, 0o644)
    c = wininit_run()
    tap.check("one that others could read is not credited", "not credited" in c.item("random-seed")[3],
              c.item("random-seed"))
    c.shut()
    os.unlink(seed)
    os.symlink("/dev/zero", seed)
    c = wininit_run()
    tap.check("a link in its place is not followed", c.item("random-seed")[1] == "failed", c.item("random-seed"))
    c.shut()


def group_machine(work):
    machine_sysctl(work)
    machine_seed(work)
