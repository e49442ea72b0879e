#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The boot roles of smss, each run for real: fakemaster stands in the master's place, a throwaway
# root over this machine's own (overlay in memory, pid, mount, uts and ipc namespaces of its own)
# takes what they do. Needs root; ROLES_SMSS and FAKEMASTER name the programs.

setup_file() {
  local build=${BUILD:-$BATS_TEST_DIRNAME/../../build}
  export ROLES_SMSS=${ROLES_SMSS:-$build/stage/usr/lib/smss/smss}
  export FAKEMASTER=${FAKEMASTER:-$build/src/smss/boot/fakemaster}
}

setup() {
  [ "$(id -u)" -eq 0 ] || skip "needs root"
  [ -x "$ROLES_SMSS" ] || skip "no smss at $ROLES_SMSS"
  [ -x "$FAKEMASTER" ] || skip "no fakemaster at $FAKEMASTER"
}

# in_root SCRIPT - runs it as root of a throwaway root. There: $F starts a role, /w is a work
# directory in memory that only root can write, with a hive /w/SYSTEM and a state directory.
in_root() {
  local outer=$BATS_TEST_TMPDIR/outer inner=$BATS_TEST_TMPDIR/inner
  cat >"$outer" <<'END'
set -e
t=$BATS_TEST_TMPDIR/mem
mkdir -p "$t"
mount -t tmpfs -o mode=755 tmpfs "$t"
mkdir "$t/up" "$t/work" "$t/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$t/up,workdir=$t/work" "$t/root"
cp "$BATS_TEST_TMPDIR/inner" "$t/root/inner"
mkdir -p "$t/root/w" "$t/root/usr/lib/smss"
cp "$ROLES_SMSS" "$t/root/usr/lib/smss/smss"
cp "$FAKEMASTER" "$t/root/fakemaster"
mount -t tmpfs -o mode=755 tmpfs "$t/root/w"
mount -t tmpfs -o mode=755 tmpfs "$t/root/run"
mount -t tmpfs -o mode=755 tmpfs "$t/root/dev"
mount -t proc proc "$t/root/proc"
mknod -m 666 "$t/root/dev/null" c 1 3
[ -z "${LOOP:-}" ] || mknod "$t/root/dev/d" b $(stat -c '0x%t 0x%T' "$LOOP")
mkdir "$t/root/w/disk"
exec chroot "$t/root" bash -eu /inner
END
  {
    echo 'F="/fakemaster --word SMSS_HIVE=/w/SYSTEM --word SMSS_STATE=/w/state"'
    echo 'mkdir /w/state; { printf regf; head -c 8188 /usr/bin/env; } >/w/SYSTEM'
    echo 'FIT="--fit /w/SYSTEM"'
    cat
  } >"$inner"
  run timeout 60 unshare --fork --pid --mount --uts --ipc --mount-proc bash "$outer"
  echo "$output"
}

# in_root_disk FILE - in_root will have this disk image as /dev/d.
in_root_disk() {
  LOOP=$(losetup -f --show "$1") || skip "no loop device"
  export LOOP
}

teardown() {
  [ -z "${LOOP:-}" ] || losetup -d "$LOOP"
}

# has TEXT... - the output has each of these; hasnt TEXT - it has not.
has() {
  local text
  for text in "$@"; do
    [[ $output == *"$text"* ]] || { echo "missing: $text"; return 1; }
  done
}
hasnt() {
  [[ $output != *"$1"* ]] || { echo "should not be there: $1"; return 1; }
}

@test "environment: the block is handed over sealed and published, directories and links are made" {
  in_root <<'END'
ln -s /wrong /dev/stdin; ln -s /old /dev/gone; touch /dev/ptmx
$F --row Environment Path '/opt/bin:%Path%' 1 0 0 --row Environment T '%OS%' 1 0 0 \
  --row ObjectDirectories /run/smss/Windows '' 0 0 0 --row ObjectDirectories /run/deep/er '' 0 0 0 \
  --row DOSDevices fd /proc/self/fd 0 0 0 --row DOSDevices stdin /proc/self/fd/0 0 0 0 \
  --row DOSDevices gone '' 0 0 0 --row DOSDevices ptmx pts/ptmx 0 0 0 \
  --row DOSDevices ../etc/x /x 0 0 0 --word SMSS_SAFEBOOT=network environment 0
stat -c '%n %a %F' /run/smss/Windows /run/deep/er /run/smss/environment
readlink /dev/fd /dev/stdin; test ! -L /dev/gone; test -f /dev/ptmx
tr '\0' '\n' </run/smss/environment
END
  [ "$status" -eq 0 ]
  has '"call":"ENV_READY","sealed":true' '"PATH=/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin"' '"T=Linux"' \
    '"OS=Linux"' '"SAFEBOOT_OPTION=NETWORK"' '"NUMBER_OF_PROCESSORS=' '"PROCESSOR_IDENTIFIER=' \
    '/run/smss/Windows 755 directory' '/run/deep/er 755 directory' \
    '/run/smss/environment 644 regular file' '/proc/self/fd/0' 'left alone: ptmx' \
    '"result":"failed","detail":22,"name":"../etc/x"' '{"exit":0}'
}

@test "state: attempts are counted, an end without a word is said, a good boot resets them" {
  in_root <<'END'
F="$F --word SMSS_MODE=namespace"
$F state 0; $F state 0; $F --culprit csrss stop 0; $F state 0; $F accept 0; $F state 0
cat /w/state/stops.jsonl
END
  [ "$status" -eq 0 ]
  [ "$(grep -c '"writable":1' <<<"$output")" -eq 5 ]
  has '"attempts":1,"flags":0' '"attempts":2,"flags":1' 'MASTER_KILLED' '"attempts":3,"flags":0' \
    'the last boot ended by STATUS_SYSTEM_PROCESS_TERMINATED (0xC000021A), csrss' \
    '"name":"BootGood"' '"culprit":"csrss"'
  has '"code":"0xC000021A"'
}

@test "state: levels cannot be chosen by a state directory on another mount, and that is said" {
  in_root <<'END'
$F state 0; $F accept 0; $F accept 2; $F accept 3; ls /w/state
END
  [ "$status" -eq 0 ]
  has '"attempts":1,"flags":16,"text":"LastKnownGood is off: /w/state is not on the root file system"' \
    '"result":"degraded","detail":0,"name":"LastKnownGood"' '"attempts":0,"flags":2,"text":"LastKnownGood is off' \
    '"result":"refused","detail":18,"name":"BootBad"' '"result":"refused","detail":18,"name":"NextBoot"'
  hasnt SYSTEM.lkg
}

@test "state: a damaged boot.state is said aloud, a read-only state directory is no end of the boot" {
  in_root <<'END'
head -c 1024 /usr/bin/env >/w/state/boot.state
$F state 0; ls /w/state
mount --bind /w/state /w/state; mount -o remount,ro,bind /w/state
$F state 0
END
  [ "$status" -eq 0 ]
  has '"result":"degraded"' 'damaged; kept as boot.state.bad' 'boot.state.bad' \
    '"writable":0' 'state is off, no attempt counted: read-only file system' '{"exit":1}'
}

@test "plan: a fitting plan is used, a missing, torn or stale one is not, each is named" {
  in_root <<'END'
$F plan 0
$F $FIT --write /w/SYSTEM.plan; $F plan 0
truncate -s -1 /w/SYSTEM.plan; $F plan 0
$F $FIT --write /w/SYSTEM.plan; printf x >>/w/SYSTEM; $F plan 0
chmod 666 /w/SYSTEM.plan; $F plan 0
chmod 666 /w/SYSTEM; $F plan 0
chmod 600 /w/SYSTEM; truncate -s 100 /w/SYSTEM; $F plan 0
rm /w/SYSTEM; $F plan 0; $F plan 1; $F plan 2
END
  [ "$status" -eq 0 ]
  has 'missing; smreg makes one' '"call":"PLAN_READY","level":0,"flags":2,"attempts":0,"good":true' \
    'stale: made from another state of the hive; smreg' 'not only root' \
    '"result":"refused","detail":0,"name":"/w/SYSTEM","text":"others than root can write the hive' \
    'too short to be a hive' 'no hive: no such file' '/w/state/SYSTEM.lkg' \
    '"call":"PLAN_READY","level":2' '"builtin":1'
  [ "$(grep -c '"name":"SYSTEM.plan"' <<<"$output")" -eq 4 ]
}

@test "plan: what does not fit becomes smreg, with its connection and nothing else" {
  in_root <<'END'
cat >/usr/lib/smss/smreg <<'X'
#!/bin/bash
exec >/w/out # in place: a redirection of a group would keep a copy of the old one
echo "ARGS $*"; env | sort; ls /proc/$$/fd | tr '\n' ' '
X
chmod 755 /usr/lib/smss/smreg
HOME=/nowhere $F --word LD_PRELOAD=x --word SMSS_MODE=machine plan 0; cat /w/out
END
  [ "$status" -eq 0 ]
  has 'ARGS plan --boot --level 0 --hive /w/SYSTEM' 'SMSS_MODE=machine' 'PATH=/usr/sbin:' '{"exit":0}'
  hasnt LD_PRELOAD
  hasnt HOME=
  has '0 1 2 255 3 '
}

@test "renames: NT's meaning, each once, every result kept" {
  in_root <<'END'
mkdir /w/d /w/full /w/dir; touch /w/full/x /w/a /w/s; ln -s /w /w/link; echo 1 >/w/b; echo 2 >/w/c
Q="--row Queue /w/a - 0 0 1 --row Queue /w/b /w/c 0 1 1 --row Queue /w/b /w/c 1 2 1
  --row Queue /w/d - 0 3 1 --row Queue /w/full - 0 4 1 --row Queue /w/link/s - 0 5 1
  --row Queue /w/state/boot.state - 0 6 1 --row Queue /w/s /run/s 0 7 1
  --row Queue /w/../w/s - 0 8 1 --row Queue /w/none - 0 9 1 --row Queue /w/s /w/dir 1 10 1
  --row Queue /w/link /w/moved 0 11 1 --row Queue x odd 2 12 1"
words=(); for q in $Q; do [ "$q" = - ] && q=''; words+=("$q"); done
$F --queue $FIT "${words[@]}" --write /w/SYSTEM.queue
$F $FIT --set QueueCount=12 renames 0
$F $FIT --set QueueCount=12 renames 0
cat /w/c; ls /w; ls /w/state; cat /w/state/renames.report
$F $FIT --set QueueCount=12 --write /w/SYSTEM.plan; $F plan 0
END
  [ "$status" -eq 0 ]
  has '"result":"ok","detail":0,"name":"/w/a","text":"delete"' \
    '"result":"failed","detail":17,"name":"/w/b","text":"exists already; to /w/c"' \
    '"result":"ok","detail":0,"name":"/w/b","text":"replaces /w/c"' \
    '"result":"failed","detail":39,"name":"/w/full"' \
    '"result":"refused","detail":0,"name":"/w/link/s","text":"a link in the way' \
    '"result":"refused","detail":0,"name":"/w/state/boot.state","text":"protected path' \
    '"result":"failed","detail":18,"name":"/w/s","text":"on another file system' \
    '"name":"/w/../w/s","text":"not a canonical path' \
    '"result":"failed","detail":21,"name":"/w/s","text":"is a directory; replaces /w/dir' \
    '"result":"ok","detail":0,"name":"/w/link","text":"to /w/moved"' \
    '"name":"x","text":"malformed entry; odd"' \
    '4 done, 5 failed, 4 refused' 'ran in an earlier boot' 'renames.report' \
    '"from":"/w/full","to":"","replace":false,"result":"failed","text":"directory not empty"' \
    '"call":"PLAN_READY","level":0,"flags":2'
  hasnt renames.journal
}

@test "renames: an immutable target is made writable and replaced; protection can be lifted" {
  dd if=/dev/zero of="$BATS_TEST_TMPDIR/disk" bs=1M count=32 status=none
  mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk" || skip "no mkfs.ext4"
  in_root_disk "$BATS_TEST_TMPDIR/disk"
  in_root <<'END'
mount /dev/d /w/disk; cd /w/disk; echo new >a; echo old >b; chattr +i b
mkdir -p /var/log; echo log >/var/log/x
$F --queue $FIT --row Queue /w/disk/a /w/disk/b 1 0 1 --row Queue /var/log/x '' 0 1 1 --write /w/SYSTEM.queue
$F $FIT --set QueueCount=2 --set AllowProtectedRenames=1 renames 0
cat b; test ! -e /var/log/x; cd /; umount /w/disk
END
  [ "$status" -eq 0 ]
  has '"name":"/w/disk/a","text":"replaces /w/disk/b"' '2 done, 0 failed, 0 refused' new
}

@test "renames: without a state directory nothing is run" {
  in_root <<'END'
touch /w/a; mount --bind /w/state /w/state; mount -o remount,ro,bind /w/state
$F --queue $FIT --row Queue /w/a '' 0 0 1 --write /w/SYSTEM.queue
$F $FIT --set QueueCount=1 renames 0; ls /w
printf x >>/w/SYSTEM.queue; $F $FIT --set QueueCount=1 renames 0
rm /w/SYSTEM.queue; $F $FIT --set QueueCount=1 renames 0; $F $FIT renames 0
END
  [ "$status" -eq 0 ]
  has '"result":"refused","detail":30,"name":"/w/state","text":"no state directory, entries kept' \
    '"name":"/w/SYSTEM.queue"' 'no such file or directory'
  grep -qx a <<<"$output"
  [ "$(grep -c '{"exit":1}' <<<"$output")" -eq 3 ]
  [ "$(grep -c '{"exit":0}' <<<"$output")" -eq 1 ]
}

@test "renames: a cut between the deed and its result does not run an entry twice" {
  in_root <<'END'
echo first >/w/a; echo second >/w/c
$F --queue $FIT --row Queue /w/a /w/b 0 0 1 --row Queue /w/c /w/a 0 1 1 --write /w/SYSTEM.queue
cp -a /w /run/before
# Killed by the kernel when the journal would grow beyond: before the first intent, after the first
# deed, before the second intent, after the second deed.
for n in 0 64 128 192; do
  rm -rf /w/a /w/b /w/c /w/state/*; cp -a /run/before/a /run/before/c /w/
  $F $FIT --set QueueCount=2 --file-limit $n renames 0
  echo "CUT $(cat /w/a /w/b /w/c 2>/dev/null | tr '\n' ' ')"
  $F $FIT --set QueueCount=2 renames 0
  cat /w/b /w/a | tr '\n' ' '; test ! -e /w/c
done
END
  [ "$status" -eq 0 ]
  [ "$(grep -c '^first second' <<<"$output")" -eq 4 ]
  [ "$(grep -c '{"signal":25}' <<<"$output")" -eq 4 ]
  has '2 done, 0 failed, 0 refused'
  hasnt '1 failed'
}

@test "paging: an ext4 volume gets a file without holes that blkid knows; a good one is used again" {
  dd if=/dev/zero of="$BATS_TEST_TMPDIR/disk" bs=1M count=0 seek=256 status=none
  mkfs.ext4 -q "$BATS_TEST_TMPDIR/disk" || skip "no mkfs.ext4"
  in_root_disk "$BATS_TEST_TMPDIR/disk"
  in_root <<'END'
mount /dev/d /w/disk
P="$F --set PagingSpecified=1 --row PagingFiles /w/disk/pagefile.sys"
$P '' 0 64 64 paging 0
stat -c '%a %u %s %b' /w/disk/pagefile.sys; blkid -p /w/disk/pagefile.sys
$P '' 0 64 64 paging 0
printf x | dd of=/w/disk/pagefile.sys bs=1 seek=4090 conv=notrunc status=none; $P '' 0 64 64 paging 0
chmod 644 /w/disk/pagefile.sys; $P '' 0 64 64 paging 0
truncate -s 80M /w/disk/pagefile.sys; $P '' 0 64 96 paging 0
rm /w/disk/pagefile.sys; $P '' 0 4096 4096 paging 0; stat -c 'large %s' /w/disk/pagefile.sys
rm /w/disk/pagefile.sys; fallocate -l 190M /w/disk/fill; $P '' 0 64 64 paging 0; ls /w/disk
ln -s /etc/passwd /w/disk/pagefile.sys; rm /w/disk/fill; $P '' 0 64 64 paging 0
umount /w/disk
END
  [ "$status" -eq 0 ]
  has '64 MiB, made and checked, not activated: not the first pid namespace' '600 0 67108864 1310' \
    'TYPE="swap"' '64 MiB, used again' 'what is there is no plain file' 'large '
  [ "$(grep -c '64 MiB, made' <<<"$output")" -eq 4 ]
  [ "$(grep -c '64 MiB, used again' <<<"$output")" -eq 1 ]
  has 'not even 16 MiB are free'
}

@test "paging: a volume that cannot hold one is named, more lines are told, none is none" {
  in_root <<'END'
chmod 755 /w
$F --row PagingFiles /w/p '' 0 16 16 --row PagingFiles /w/q '' 0 16 16 paging 0
$F --row PagingFiles '?:/p' '' 0 0 0 paging 0
$F paging 0
chmod 777 /w; $F --row PagingFiles /w/p '' 0 16 16 paging 0
END
  [ "$status" -eq 0 ]
  has 'no paging file on tmpfs' 'no paging file on overlay' 'only the first line is served' \
    'none configured' 'others than root can write the directory'
  hasnt '{"exit":1}'
}

@test "known: libraries are found with what they need, checked and listed" {
  in_root <<'END'
mkdir /w/lib; cp "$(ldd /bin/bash | sed -n 's/.*=> \(.*libc.so.6\) .*/\1/p')" /w/lib/libc.so.6
cp /w/lib/libc.so.6 /w/lib/libother.so.1; cp /w/lib/libc.so.6 /w/lib/libopen.so.1; chmod 666 /w/lib/libopen.so.1
echo text >/w/lib/libtext.so.1
K="$F --set DllDirectory=/w/lib --row KnownDLLs c libc.so.6 0 0 0 --row KnownDLLs n libnope.so 0 0 0"
$K known 0; cat /run/smss/KnownDlls
$K --row KnownDLLs o libother.so.1 0 0 0 --row KnownDLLs p libopen.so.1 0 0 0 \
  --row KnownDLLs t libtext.so.1 0 0 0 --set KnownPolicy=1 known 0; cat /run/smss/KnownDlls
$K --row ExcludeFromKnownDlls C '' 0 0 0 known 0
END
  [ "$status" -eq 0 ]
  has 'libc.so.6 /w/lib/libc.so.6 ' 'ld-linux' '"name":"libnope.so","text":"not found"' \
    '"result":"refused","detail":74,"name":"libother.so.1","text":"its SONAME is another one' \
    '"name":"libopen.so.1","text":"not a plain file that only root can write' \
    '"name":"libtext.so.1","text":"not a sound shared library' '3 not as they should be' '0 listed'
  hasnt 'libopen.so.1 /w/lib'
}

@test "known: a pinned digest is compared, and the policy decides" {
  in_root <<'END'
mkdir /w/lib; cp "$(ldd /bin/bash | sed -n 's/.*=> \(.*libc.so.6\) .*/\1/p')" /w/lib/libc.so.6
K="$F --set DllDirectory=/w/lib --row KnownDLLs c libc.so.6 0 0 0 --row KnownPins libc.so.6"
good=$(sha256sum /w/lib/libc.so.6 | cut -c1-64); bad=${good//[0-7]/8}
$K "$good" 0 0 0 --set KnownPolicy=2 known 0; grep -c "$good" /run/smss/KnownDlls
$K "$bad" 0 0 0 known 0
$K "$bad" 0 0 0 --set KnownPolicy=2 known 0
END
  [ "$status" -eq 0 ]
  has '"result":"degraded","detail":129,"name":"libc.so.6","text":"its SHA-256 is not the pinned' \
    '"result":"refused","detail":129,"name":"libc.so.6"' '{"exit":1}'
  [ "$(grep -c '{"exit":0}' <<<"$output")" -eq 2 ]
}

@test "execute: the image gets its words, the system environment exactly, and the declared fds" {
  in_root <<'END'
mkdir /w/bin; cat >/w/bin/prog <<'X'
#!/bin/bash
exec >/w/out
echo "WORDS $1|$2"; tr '\0' ' ' </proc/$$/environ; ls /proc/$$/fd | tr '\n' ' '
X
chmod 755 /w/bin/prog
E="$F --env PATH=/w/bin:/usr/bin --env A=b --row BootExecute"
$E prog 'prog "a b" c' 0 0 0 execute 0; cat /w/out
$E nope nope 4 0 0 execute 0; $E nope nope 0 0 0 execute 0; $E x 'x y' 2 0 0 execute 0
$E prog prog 0 0 0 execute 7
chmod 775 /w/bin/prog; $E prog prog 0 0 0 execute 0
chmod 755 /w/bin/prog; chmod 777 /w/bin; $E prog prog 0 0 0 execute 0
END
  [ "$status" -eq 0 ]
  has 'WORDS a b|c' 'PATH=/w/bin:/usr/bin A=b ' '0 1 2 255 3 4 ' '"text":"not found, skipped"' \
    '"result":"failed","detail":2,"name":"nope"' 'debug: succeeds and does nothing' \
    'no such line in the plan' '{"exit":2}'
  hasnt SMSS_HIVE=
  [ "$(grep -c '"result":"refused","detail":0,"name":"prog"' <<<"$output")" -eq 2 ]
}

@test "a copy without its plan, or with one that is not sealed or not whole, refuses" {
  in_root <<'END'
for role in environment execute renames paging known state; do $F --no-plan $role 0; done
$F --bare-plan environment 0; $F --torn-plan environment 0
$F --no-plan accept 0
END
  [ "$status" -eq 0 ]
  [ "$(grep -c '"result":"refused","detail":9,"name":"plan"' <<<"$output")" -eq 7 ]
  has '"result":"refused","detail":1,"name":"plan","text":"not sealed' '"detail":84,"name":"plan"'
  hasnt ENV_READY
}
