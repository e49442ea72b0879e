#!/usr/bin/env python3
"""generate.py DIR [BOOT.jsonl] - clean boots and mutated ones, each with the findings it must give

Writes DIR/NAME.json (Sysmon events as JSON lines, or a list of Volatility 3) and DIR/NAME.expected:
the rules that find something above info, sorted, one a line. Where it matters how grave that is,
DIR/NAME.severity has lines "RULE SEVERITY" that are to be among what is told, also of what is noted. BOOT.jsonl is a real boot of a Windows
10 machine as Sysmon's events 1 and 5; without it only the boots made up here are written.
"""
import json
import os
import sys
from datetime import datetime, timedelta, timezone

S32 = "C:\\Windows\\System32\\"
SYSTEM = "NT AUTHORITY\\SYSTEM"
BEGAN = datetime(2026, 3, 1, 8, 0, 0, tzinfo=timezone.utc)
cases = {}


def case(*expected, severity=()):
    def keep(make):
        cases[make.__name__.replace("_", "-")] = (make, sorted(expected), severity)
        return make
    return keep


class Boot:
    """Sysmon's events of one boot of one machine, in the order they are written."""

    def __init__(self, host="W1", began=BEGAN):
        self.host, self.began, self.events, self.process = host, began, [], {}
        self.process[4] = {"guid": self.guid(0, 4), "image": "System"}

    def guid(self, at, number):
        seconds = int((self.began + timedelta(seconds=at)).timestamp())
        return "{3ddc5665-%04x-%04x-%04x-000000000500}" % (
            seconds & 0xffff, seconds >> 16, number)

    def event(self, number, at, fields):
        time = self.began + timedelta(seconds=at)
        self.events.append({
            "EventID": number, "Channel": "Microsoft-Windows-Sysmon/Operational",
            "SourceName": "Microsoft-Windows-Sysmon", "Hostname": self.host,
            "UtcTime": time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], **fields})

    def start(self, at, pid, ppid, image, **more):
        name = image.split("\\")[-1]
        parent = self.process[ppid]
        guid = self.guid(at, pid)
        self.process[pid] = {"guid": guid, "image": image}
        self.event(1, at, {
            "ProcessGuid": guid, "ProcessId": str(pid), "Image": image, "CommandLine": image,
            "User": SYSTEM, "IntegrityLevel": "System", "TerminalSessionId": "0",
            "OriginalFileName": name, "Company": "Microsoft Corporation",
            "ParentProcessGuid": parent["guid"], "ParentProcessId": str(ppid),
            "ParentImage": parent["image"], **more})

    def end(self, at, pid):
        p = self.process[pid]
        self.event(5, at, {"ProcessGuid": p["guid"], "ProcessId": str(pid), "Image": p["image"]})

    def seen(self, at, pid):
        """Another process opens it: it is alive then."""
        p = self.process[pid]
        self.event(10, at, {
            "SourceProcessGUID": self.guid(5, 900), "SourceProcessId": "900",
            "SourceImage": S32 + "svchost.exe", "TargetProcessGUID": p["guid"],
            "TargetProcessId": str(pid), "TargetImage": p["image"], "GrantedAccess": "0x1000"})

    def session(self, at, copy, number):
        """A session copy, its csrss and its winlogon (session 0: wininit)."""
        n = str(number)
        self.start(at, copy, 304, S32 + "smss.exe", TerminalSessionId=n,
                   CommandLine="\\SystemRoot\\System32\\smss.exe 000000cc 00000084 ")
        self.start(at + .1, copy + 4, copy, S32 + "csrss.exe", TerminalSessionId=n)
        self.start(at + .2, copy + 8, copy, S32 + ("winlogon.exe" if number else "wininit.exe"),
                   TerminalSessionId=n)
        self.end(at + .3, copy)


def boot(master=S32 + "smss.exe", at=.7, **more):
    b = Boot()
    b.start(at, 304, 4, master, **{"CommandLine": "\\SystemRoot\\System32\\smss.exe", **more})
    b.start(at + 3, 320, 304, S32 + "autochk.exe")
    b.end(at + 3.4, 320)
    b.session(at + 4, 400, 0)
    b.session(at + 5, 480, 1)
    b.start(at + 6, 600, 408, S32 + "services.exe")
    b.start(at + 7, 620, 600, S32 + "svchost.exe")
    b.start(at + 30, 5000, 620, "C:\\Windows\\explorer.exe", User="W1\\anna", IntegrityLevel="Medium",
            TerminalSessionId="1")
    return b


@case()
def clean():
    return boot()


@case()
def clean_with_a_later_session():
    b = boot()
    b.session(7000, 3000, 2)
    return b


@case()
def clean_boots_with_the_same_pids():
    b = boot()
    again = boot()
    again.began = BEGAN + timedelta(hours=3)
    second = Boot(began=BEGAN + timedelta(hours=3))
    second.start(.7, 304, 4, S32 + "smss.exe")
    second.session(3, 400, 0)
    second.session(4, 480, 1)
    second.seen(4000, 304)
    b.events += second.events
    return b


@case()
def clean_without_the_exits_of_boot_copies():
    b = boot()
    b.events = [e for e in b.events if not (e["EventID"] == 5 and e["Image"].endswith("smss.exe"))]
    return b


@case()
def clean_with_pids_given_to_others():
    b = boot()
    b.events = [e for e in b.events if not (e["EventID"] == 5 and e["ProcessId"] == "400")]
    b.process[400] = None
    b.start(900, 400, 620, S32 + "svchost.exe")
    b.start(2000, 5004, 400, S32 + "dllhost.exe")
    return b


# ---- wrong-path ----

@case("wrong-path")
def path_in_a_temporary_folder():
    b = boot()
    b.start(100, 7000, 304, "C:\\Windows\\Temp\\smss.exe")
    b.end(100.2, 7000)
    return b


@case("wrong-path")
def path_syswow64():
    b = boot()
    b.start(100, 7000, 304, "C:\\Windows\\SysWOW64\\smss.exe")
    b.end(100.2, 7000)
    return b


@case("wrong-path")
def path_that_begins_like_system32():
    b = boot()
    b.start(100, 7000, 304, "C:\\Windows\\System32Evil\\smss.exe")
    b.end(100.2, 7000)
    return b


@case("wrong-path")
def path_on_another_machine():
    b = boot()
    b.start(100, 7000, 304, "\\\\10.0.0.9\\c$\\Windows\\System32\\smss.exe")
    b.end(100.2, 7000)
    return b


@case()
def path_written_otherwise():
    b = boot("\\??\\C:\\WINDOWS\\\\System32\\.\\drivers\\..\\SMSS.EXE")
    b.start(100, 7000, 304, "\\SystemRoot\\System32\\smss.exe")
    b.end(100.2, 7000)
    return b


@case()
def path_with_an_end_that_is_dropped():
    b = boot("\\\\?\\C:\\Windows\\System32\\SMSS.EXE. ", OriginalFileName="smss.exe")
    return b


@case("wrong-path", "unexpected-child")
def path_through_a_folder_with_a_blank_behind():
    b = boot()
    b.start(100, 7000, 304, "C:\\Windows \\System32\\csrss.exe")
    return b


@case()
def path_on_another_drive_with_the_whole_system():
    b = boot()
    for e in b.events:
        for field in "Image", "ParentImage":
            if field in e:
                e[field] = e[field].replace("C:\\", "D:\\")
    return b


@case("wrong-path")
def path_of_services():
    b = boot()
    b.start(100, 7000, 5000, "C:\\Users\\anna\\services.exe")
    return b


@case()
def path_of_a_host_of_services_is_none_of_the_core():
    b = boot()
    b.start(100, 7000, 5000, "D:\\Windows\\System32\\svchost.exe")
    return b


@case("wrong-path")
def path_of_lsass_in_syswow64():
    b = boot()
    b.start(100, 7000, 5000, "C:\\Windows\\SysWOW64\\lsass.exe")
    return b


@case("wrong-path")
def path_of_lsm():
    b = boot()
    b.start(100, 7000, 5000, "C:\\ProgramData\\lsm.exe")
    return b


@case("wrong-path")
def path_of_services_on_a_drive_of_its_own():
    b = boot()
    b.start(100, 7000, 5000, "D:\\Windows\\System32\\services.exe")
    return b


@case("unexpected-child", "wrong-path")
def path_of_autochk():
    b = boot()
    b.start(3.9, 324, 304, "C:\\Windows\\Temp\\autochk.exe")
    return b


@case()
def path_of_each_where_it_belongs():
    b = boot()
    for n, image in enumerate((S32 + "lsass.exe", S32 + "lsm.exe", S32 + "lsaiso.exe",
                               "C:\\Windows\\SysWOW64\\svchost.exe", "\\SystemRoot\\System32\\svchost.exe",
                               "C:\\WINDOWS\\system32\\SVCHOST.EXE",
                               "C:\\Program Files\\Contoso\\service.exe")):
        b.start(100 + n, 7000 + 4 * n, 600, image)
    return b


@case()
def path_of_services_short():
    b = boot()
    b.start(100, 7000, 600, "C:\\WINDOW~1\\System32\\svchost.exe")
    return b


# ---- wrong-parent ----

@case("wrong-parent", "second-persistent-instance")
def parent_is_a_service_and_it_stays():
    b = boot()
    b.start(100, 7000, 600, S32 + "smss.exe")
    b.seen(1000, 7000)
    return b


@case("wrong-parent")
def parent_is_the_explorer():
    b = boot()
    b.start(100, 7000, 5000, S32 + "smss.exe")
    return b


@case()
def parent_is_the_master_hours_later():
    b = boot()
    b.session(20000, 3000, 2)
    b.session(30000, 3100, 3)
    return b


@case()
def parent_was_not_logged():
    b = boot()
    b.events = [e for e in b.events if e["ProcessId"] != "304"]
    return b


# ---- second-persistent-instance ----

@case("second-persistent-instance")
def second_copy_stays():
    b = boot()
    b.start(100, 7000, 304, S32 + "smss.exe", TerminalSessionId="1")
    b.seen(800, 7000)
    return b


@case("second-persistent-instance")
def second_copy_exits_late():
    b = boot()
    b.start(100, 7000, 304, S32 + "smss.exe", TerminalSessionId="1")
    b.end(400, 7000)
    return b


@case()
def second_copy_exits_within_the_grace_time():
    b = boot()
    b.start(100, 7000, 304, S32 + "smss.exe", TerminalSessionId="1")
    b.end(112, 7000)
    return b


@case(severity=["second-persistent-instance info"])
def second_in_a_container():
    b = boot()
    b.start(500, 7000, 620, S32 + "smss.exe", TerminalSessionId="0")
    b.start(500.1, 7004, 7000, S32 + "csrss.exe", TerminalSessionId="65")
    b.start(500.2, 7008, 7000, S32 + "wininit.exe", TerminalSessionId="65")
    b.start(500.3, 7012, 7008, S32 + "services.exe", TerminalSessionId="65")
    b.seen(5000, 7000)
    return b


# ---- unexpected-child ----

@case("unexpected-child")
def child_is_a_shell():
    b = boot()
    b.start(2, 388, 304, S32 + "cmd.exe")
    return b


@case("unexpected-child", "wrong-path")
def child_has_the_name_alone():
    b = boot()
    b.start(90, 7000, 304, "C:\\Users\\Public\\csrss.exe")
    return b


@case("unexpected-child")
def child_of_the_wrong_role():
    b = boot()
    b.start(90, 7000, 304, S32 + "winlogon.exe")
    return b


@case("unexpected-child")
def child_autochk_of_a_copy():
    b = boot()
    b.start(90, 7000, 304, S32 + "smss.exe")
    b.start(90.1, 7004, 7000, S32 + "autochk.exe")
    b.end(90.2, 7000)
    return b


@case()
def child_of_servicing():
    b = boot()
    b.start(2, 388, 304, S32 + "poqexec.exe")
    b.start(2.5, 392, 304, S32 + "autoconv.exe")
    return b


@case()
def child_of_an_old_windows():
    b = Boot()
    b.start(.7, 304, 4, S32 + "smss.exe")
    b.start(2, 328, 304, S32 + "csrss.exe")
    b.start(3, 352, 304, S32 + "winlogon.exe")
    return b


# ---- wrong-account ----

@case("wrong-account")
def account_of_a_user():
    b = boot()
    b.start(100, 7000, 304, S32 + "smss.exe", User="W1\\anna")
    b.end(100.2, 7000)
    return b


@case("wrong-account")
def account_with_less_integrity():
    b = boot()
    b.start(100, 7000, 304, S32 + "smss.exe", IntegrityLevel="Medium")
    b.end(100.2, 7000)
    return b


@case()
def account_in_french():
    b = boot()
    for e in b.events:
        if e.get("User") == SYSTEM:
            e["User"] = "AUTORITE NT\\Système"
    return b


@case()
def account_in_a_language_nobody_knows():
    b = boot()
    for e in b.events:
        if e.get("User") == SYSTEM:
            e["User"] = "XYZZY\\PLUGH"
    return b


# ---- late-start ----

@case("late-start")
def late_by_an_hour():
    return boot(at=3600)


@case("late-start")
def late_by_two_minutes():
    return boot(at=120)


@case()
def late_by_three_seconds():
    return boot(at=3)


@case()
def late_by_half_a_minute():
    return boot(at=30)


# ---- near-miss-name ----

@case("near-miss-name")
def name_that_looks_the_same():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\srnss.exe")
    return b


@case("near-miss-name")
def name_in_cyrillic():
    b = boot()
    b.start(100, 7000, 620, S32 + "\u0455mss.exe")
    return b


@case("near-miss-name")
def name_with_nothing_in_it():
    b = boot()
    b.start(100, 7000, 620, S32 + "sm\u200bss.exe")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_read_from_the_right():
    b = boot()
    b.start(100, 7000, 620, "C:\\Users\\anna\\smss\u202eexe.scr")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_that_is_smss_only_when_it_is_read_from_the_right():
    b = boot()
    b.start(100, 7000, 620, "C:\\Users\\anna\\\u202eexe.ssms")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_with_an_ending_read_from_the_right():
    b = boot()
    b.start(100, 7000, 620, "C:\\Users\\anna\\smss\u202etxt.exe")
    return b


@case("near-miss-name", severity=["near-miss-name medium"])
def name_with_nothing_in_it_that_is_near_none():
    b = boot()
    b.start(100, 7000, 620, "C:\\Users\\anna\\photo\u200b.exe", OriginalFileName="-")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_with_an_accent_by_itself():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\s\u0301mss.exe")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_with_an_accent_by_itself_in_lsass():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\lsa\u0308ss.exe")
    return b


@case("near-miss-name", severity=["near-miss-name high"])
def name_with_a_wide_dot():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\smss\uff0eexe")
    return b


@case("near-miss-name")
def name_with_a_blank_behind():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\svchost.exe ")
    return b


@case()
def name_of_a_program_with_accents():
    b = boot()
    b.start(100, 7000, 620, "C:\\Program Files\\Re\u0301sume\u0301\\re\u0301sume\u0301.exe")
    b.start(101, 7004, 620, "C:\\Program Files\\Setup\\setup\u3002exe")
    return b


@case("near-miss-name")
def name_with_something_behind():
    b = boot()
    b.start(100, 7000, 620, "C:\\Windows\\Temp\\smss32.exe")
    return b


@case()
def name_of_an_honest_neighbour():
    b = boot()
    b.start(100, 7000, 620, "C:\\Program Files (x86)\\Microsoft SQL Server\\Common7\\IDE\\Ssms.exe",
            OriginalFileName="Ssms.exe")
    b.start(101, 7004, 620, S32 + "sihost.exe")
    return b


@case()
def name_far_enough():
    b = boot()
    for n, name in enumerate(["msg", "mmc", "lsm", "dwm", "LsaIso", "taskhostw", "dllhost"]):
        b.start(100 + n, 7000 + 4 * n, 620, S32 + name + ".exe")
    return b


# ---- spoofed-parent ----

@case("spoofed-parent", "unexpected-child")
def spoofed_by_a_user():
    b = boot()
    b.start(100, 7000, 304, S32 + "notepad.exe", User="W1\\anna", IntegrityLevel="Medium")
    return b


@case("spoofed-parent")
def spoofed_after_the_copy_had_ended():
    b = boot()
    b.start(900, 7000, 480, S32 + "csrss.exe", TerminalSessionId="1")
    return b


@case("spoofed-parent")
def spoofed_second_master():
    b = boot()
    b.start(1000, 7000, 4, S32 + "smss.exe")
    return b


@case("spoofed-parent", "second-persistent-instance")
def spoofed_second_master_that_stays():
    b = boot()
    b.start(1000, 7000, 4, S32 + "smss.exe")
    b.seen(2000, 7000)
    return b


@case()
def spoofed_by_nobody_in_a_later_session():
    b = boot()
    b.session(900, 3000, 2)
    b.start(900.3, 3012, 3000, S32 + "csrss.exe", TerminalSessionId="2")  # logged after the exit
    return b


@case()
def spoofed_by_nobody_when_the_copy_s_number_is_another_s():
    b = boot()
    b.start(800, 480, 620, S32 + "svchost.exe")
    b.start(900, 7000, 480, S32 + "csrss.exe", TerminalSessionId="1")
    b.events[-1]["Image"] = S32 + "dllhost.exe"
    b.events[-1]["OriginalFileName"] = "dllhost.exe"
    return b


@case()
def spoofed_by_nobody_when_the_master_is_of_the_next_boot():
    b = boot()
    later = Boot(began=BEGAN + timedelta(hours=2))
    later.start(.7, 304, 4, S32 + "smss.exe")
    later.session(4, 400, 0)
    b.events += later.events
    return b


# ---- identity-mismatch ----

@case("identity-mismatch")
def identity_of_another_program():
    return boot(OriginalFileName="pwsh.exe")


@case("identity-mismatch")
def identity_of_a_renamed_service_host():
    b = boot()
    b.start(100, 7000, 5000, "C:\\Users\\anna\\svchost.exe", OriginalFileName="CALC.EXE")
    return b


@case("identity-mismatch")
def identity_under_another_name():
    b = boot()
    b.start(100, 7000, 5000, "C:\\Users\\anna\\update.exe", OriginalFileName="smss.exe")
    return b


@case("identity-mismatch")
def identity_of_another_company():
    return boot(Company="Contoso")


@case()
def identity_of_the_language_resource():
    return boot(OriginalFileName="smss.exe.mui")


@case()
def identity_not_told():
    b = boot()
    for e in b.events:
        e.pop("OriginalFileName", None)
        e.pop("Company", None)
    return b


# ---- lists of a memory image ----

class List:
    """Rows of Volatility 3; a row is seconds, pid, ppid, name, session."""

    def __init__(self):
        self.rows = []
        for row in ((0, 4, 0, "System", None), (1, 304, 4, "smss.exe", None),
                    (5, 404, 400, "csrss.exe", 0), (5, 408, 400, "wininit.exe", 0),
                    (6, 484, 480, "csrss.exe", 1), (6, 488, 480, "winlogon.exe", 1),
                    (7, 600, 408, "services.exe", 0), (8, 620, 600, "svchost.exe", 0),
                    (4000, 5000, 4980, "explorer.exe", 1)):
            self.add(*row)

    def add(self, at, pid, ppid, name, session, ended=None, threads=3):
        def time(n):
            return n is not None and (BEGAN + timedelta(seconds=n)).isoformat() or None
        self.rows.append({"PID": pid, "PPID": ppid, "ImageFileName": name, "SessionId": session,
                          "Offset(V)": 18446641819128168448 + pid, "Threads": threads,
                          "Handles": None, "Wow64": False, "CreateTime": time(at),
                          "ExitTime": time(ended), "File output": "Disabled", "__children": []})


@case()
def list_clean():
    return List()


@case()
def list_with_exited_copies():
    rows = List()
    rows.add(5, 400, 304, "smss.exe", 0, ended=5, threads=0)
    rows.add(6, 480, 304, "smss.exe", 1, ended=6, threads=0)
    return rows


@case()
def list_with_a_young_copy():
    rows = List()
    rows.add(3990, 4800, 304, "smss.exe", 2)
    return rows


@case("second-persistent-instance")
def list_with_a_copy_that_stays():
    rows = List()
    rows.add(300, 4800, 304, "smss.exe", 2)
    return rows


@case("second-persistent-instance", "wrong-parent")
def list_with_a_copy_of_nobody():
    rows = List()
    rows.add(300, 4800, 4444, "smss.exe", 1)
    return rows


@case("second-persistent-instance", "wrong-parent")
def list_whose_parent_began_later():
    rows = List()
    rows.add(300, 4800, 5000, "smss.exe", 1)
    return rows


@case("late-start")
def list_with_a_late_master():
    rows = List()
    rows.rows[1]["CreateTime"] = (BEGAN + timedelta(seconds=900)).isoformat()
    return rows


@case()
def list_with_its_clock_set_back():
    rows = List()
    for row in rows.rows[2:]:
        at = datetime.fromisoformat(row["CreateTime"]) - timedelta(hours=3)
        row["CreateTime"] = at.isoformat()
    return rows


@case("near-miss-name")
def list_with_a_near_name():
    rows = List()
    rows.add(300, 4800, 620, "svch0st.exe", 0)
    return rows


@case("near-miss-name")
def list_with_a_near_name_of_another_image():
    rows = List()
    rows.add(300, 4800, 620, "smsss.exe", 0)
    rows.rows[-1]["Audit"] = "\\Device\\HarddiskVolume3\\Windows\\System32\\svchost.exe"
    return rows


@case("identity-mismatch")
def list_with_a_name_of_another_image():
    rows = List()
    rows.add(300, 4800, 620, "lsass.exe", 0)
    rows.rows[-1]["Audit"] = "\\Device\\HarddiskVolume3\\Windows\\System32\\notepad.exe"
    return rows


@case()
def list_with_names_that_were_cut():
    rows = List()
    for n, name in enumerate(("svchost.exe", "fontdrvhost.exe", "SearchIndexer.exe", "lsass.exe")):
        rows.add(300, 4800 + 4 * n, 600, name[:14], 0)
        rows.rows[-1]["Audit"] = "\\Device\\HarddiskVolume3\\Windows\\System32\\" + name
    return rows


@case("unexpected-child")
def list_with_a_foreign_child():
    rows = List()
    rows.add(2, 388, 304, "cmd.exe", None)
    return rows


# ---- the same in a real boot ----

def real_cases(path):
    with open(path, encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]

    def having(pid, event=1):
        return next(e for e in lines if e["ProcessId"] == pid and e["EventID"] == event)

    def changed(pid, **fields):
        process = having(pid)["ProcessGuid"]
        return [{**e, **fields} if e["ProcessGuid"] == process else e for e in lines]

    def later(event, minutes, **fields):
        time = datetime.fromisoformat(event["UtcTime"]) + timedelta(minutes=minutes)
        return {**event, "UtcTime": time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], **fields}

    copy = having("576")
    yield "real-clean", lines, []
    yield "real-path", changed("576", Image="C:\\Windows\\Fonts\\smss.exe"), ["wrong-path"]
    yield "real-account", changed("404", User="WORKSTATION5\\pgustavo"), ["wrong-account"]
    yield "real-child", changed("440", Image=S32 + "rundll32.exe", OriginalFileName="RUNDLL32.EXE"), [
        "unexpected-child"]
    yield "real-identity", changed("404", OriginalFileName="winpwnage.exe"), ["identity-mismatch"]
    yield "real-late-exit", lines + [later(having("576", 5), 20)], ["second-persistent-instance"]
    yield "real-near", lines + [later(copy, 5, Image=S32 + "smsss.exe", ProcessId="7001",
                                      ParentImage=S32 + "svchost.exe", ParentProcessId="900",
                                      ProcessGuid="{3ddc5665-e9cb-5f51-0001-000000000500}",
                                      ParentProcessGuid="{3ddc5665-e7d0-5f51-0f00-000000000500}")
                                ], ["near-miss-name", "identity-mismatch"]
    yield from real_parents(lines, having, later)
    yield from real_times(lines, later)


def real_parents(lines, having, later):
    """wrong-parent and spoofed-parent: one process more, and the same as it may well be."""
    copy, csrss = having("576"), having("592")
    host = {"ParentImage": S32 + "svchost.exe", "ParentProcessId": "900",
            "ParentProcessGuid": "{3ddc5665-e7d0-5f51-0f00-000000000500}"}

    def guid(minutes, of):
        at = datetime.fromisoformat(of["UtcTime"]).replace(tzinfo=timezone.utc)
        second = int((at + timedelta(minutes=minutes)).timestamp())
        return "{3ddc5665-%04x-%04x-0001-000000000500}" % (second & 0xffff, second >> 16)

    def more(of, minutes, pid, **fields):
        return later(of, minutes, ProcessId=pid, ProcessGuid=guid(minutes, of), **fields)

    def gone(start):
        return {**later(having("576", 5), 5), "ProcessId": start["ProcessId"],
                "ProcessGuid": start["ProcessGuid"], "Image": start["Image"]}

    stranger = more(copy, 5, "7001", **host)
    yield "real-parent", lines + [stranger, gone(stranger)], ["wrong-parent"]
    session = more(copy, 5, "7001", TerminalSessionId="2")
    its = more(csrss, 5, "7005", TerminalSessionId="2", ParentProcessId="7001",
               ParentProcessGuid=session["ProcessGuid"])
    yield "real-parent-is-the-master", lines + [session, gone(session)], []
    yield "real-spoofed", lines + [more(csrss, 5, "7005")], ["spoofed-parent"]
    master = more(having("404"), 5, "7001")
    yield "real-spoofed-master", lines + [master], ["spoofed-parent"]
    yield "real-spoofed-by-nobody", lines + [session, its, gone(session)], []


def real_times(lines, later):
    """late-start: all that the boot logged began later than System, whose GUID tells its start."""
    first = next(n for n, e in enumerate(lines) if e["EventID"] == 1 and e["ProcessId"] == "404")
    for name, seconds, expected in (("real-late", 180, ["late-start"]), ("real-late-not", 5, [])):
        master = lines[first]["ProcessGuid"]
        yield name, [later(e, seconds / 60) if e["ProcessGuid"] == master else e
                     for e in lines], expected


def write(folder, name, evidence, expected, severity=()):
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
        if isinstance(evidence, List):
            json.dump(evidence.rows, f, indent=1)
        else:
            for event in getattr(evidence, "events", evidence):
                f.write(json.dumps(event, ensure_ascii=False) + "\n")
    with open(os.path.join(folder, name + ".expected"), "w", encoding="utf-8") as f:
        f.write("".join(rule + "\n" for rule in expected))
    if severity:
        with open(os.path.join(folder, name + ".severity"), "w", encoding="utf-8") as f:
            f.write("".join(line + "\n" for line in severity))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    for name, (make, expected, severity) in cases.items():
        write(folder, name, make(), expected, severity)
    if len(sys.argv) > 2:
        for name, lines, expected in real_cases(sys.argv[2]):
            write(folder, name, lines, sorted(expected))


main()
