#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Groups of pending file operations where it is hard: files in use and of every kind, other file
# systems, full and failing disks, a queue that is damaged, large or somebody else's. The law is
# always the same: a group is whole or untouched, it is said which, and the boot goes on.
# First the boot's role for real, on a throwaway root with groups queued by smctl; then machines.

load lib.bash
load pending_lib.bash
bats_require_minimum_version 1.5.0

# ---- files ----

@test "a running program and a mapped library are replaced: who runs goes on, who starts gets the new one" {
  in_root <<'END'
cp /bin/bash /d1/prog; cp /usr/bin/env /d1/prog.new
lib=$(ldd /bin/bash | sed -n 's/.*=> \(.*libc\.so[^ ]*\).*/\1/p'); m=${lib%/*}/libm.so.6
cp "$m" /d1/lib.so; cp "$m" /d1/lib.new; was=$(stat -c %i /d1/lib.so); will=$(stat -c %i /d1/lib.new)
mkfifo /w/in /w/out
LD_PRELOAD=/d1/lib.so /d1/prog -c 'while read -r l; do echo "alive $l" >/w/out; done' </w/in & pid=$!
exec 6>/w/in
answers() { echo "$1" >&6; timeout 5 cat /w/out; }
answers one; grep -q ' /d1/lib.so$' "/proc/$pid/maps"
printf '!/d1/%s\t/d1/%s\n' prog.new prog lib.new lib.so | pending add -m - --group inuse
boot
answers two
grep -q " $was .*lib.so\| $was " "/proc/$pid/maps"
cmp /d1/prog /usr/bin/env; [ "$(stat -c %i /d1/lib.so)" = "$will" ]
LD_PRELOAD=/d1/lib.so sleep 100 & new=$!; sleep 0.2; grep -q " $will  *.*/d1/lib.so$" "/proc/$new/maps"; kill "$new"
accept --set KeepGroups=0 >/dev/null; answers three; kill "$pid"
END
  has '"name":"inuse","text":"applied, 2 operations"' 'alive one' 'alive two' 'alive three'
}

@test "files of every kind and names of any bytes are moved, deleted and brought back as they were" {
  in_root <<'END'
mkdir -p /d1/from /d1/to /d1/out
python3 - <<'PY'
import os, stat
os.chdir(b"/d1/from")
def put(name, text=b"x", mode=0o644):
    with open(name, "wb") as f: f.write(text)
    os.chmod(name, mode)
put(b"ro", b"ro", 0o444); put(b"setuid", b"s", 0o6755); os.mkfifo(b"fifo"); os.mknod(b"node", 0o620 | stat.S_IFCHR, os.makedev(1, 3))
os.mknod(b"block", 0o600 | stat.S_IFBLK, os.makedev(7, 200))
put(b"/d1/out/target", b"untouched"); os.symlink(b"/d1/out/target", b"link"); os.symlink(b"/d1/out", b"dirlink"); os.symlink(b"nowhere", b"dangling")
put(b"hard"); os.link(b"hard", b"/d1/out/hard")
put(b"sparse", b""); os.truncate(b"sparse", 1 << 30); put(b"-dash"); put(b"new\nline"); put(b"tab\there"); put(b"bad\xff\xfe"); put(b"n" * 255); put(b" "); put(b"!x"); put(b"#x")
put(b"empty", b""); os.chown(b"setuid", 77, 88); os.chmod(b"setuid", 0o6755); os.utime(b"ro", ns=(1, 1000000000123456789))
names = sorted(os.listdir(b"."))
os.mkdir(b"/d1/gone")
with open("/w/m", "wb") as m:
    for n in names:
        m.write(b"/d1/from/" + n + b"\0/d1/to/" + n + b"\0")
        if n not in (b"link",):
            os.link(n, b"/d1/gone/" + n, follow_symlinks=False)
            m.write(b"-\0/d1/gone/" + n + b"\0")
PY
chmod 555 /d1/from /d1/to /d1/gone
before=$(shot); cd /d1/from; find . ! -name . -printf '%f %y %m %U %G %n %s %b %i %l %T@\0' | sort -z | sha256sum >/w/was; cd /
pending add -0 -m /w/m --group kinds; boot
cd /d1/to; find . ! -name . -printf '%f %y %m %U %G %n %s %b %i %l %T@\0' | sort -z | sha256sum >/w/is; cd /
cmp /w/was /w/is; [ -z "$(ls -A /d1/from /d1/gone | grep -v :)" ]; cat /d1/out/target; echo
stat -c '%n %a' /d1/from /d1/to /d1/gone
pending undo kinds; boot; [ "$(shot)" = "$before" ] && echo BACK
END
  has '"name":"kinds","text":"applied, ' untouched '/d1/from 555' '/d1/to 555' '/d1/gone 555' BACK
}

# exactly PATH - all that a copy must keep of a tree, a line a file: for comparison
EXACTLY='exactly() { python3 - "$1" <<PY
import hashlib, os, stat, sys
top, first = os.fsencode(sys.argv[1]), {}
def show(path):
    s = os.lstat(path)
    name = os.path.relpath(path, top)
    row = [name, oct(s.st_mode), s.st_uid, s.st_gid, s.st_mtime_ns]
    if not stat.S_ISDIR(s.st_mode):
        row += [s.st_nlink, s.st_size, first.setdefault(s.st_ino, name), s.st_rdev]
    if stat.S_ISLNK(s.st_mode):
        row.append(os.readlink(path))
    else:
        row += [(n, os.getxattr(path, n)) for n in sorted(os.listxattr(path))]
    if stat.S_ISREG(s.st_mode):
        row += [s.st_atime_ns, hashlib.sha256(open(path, "rb").read()).hexdigest(), s.st_blocks * 512 < s.st_size // 2]
    print(row)
    if stat.S_ISDIR(s.st_mode):
        for n in sorted(os.listdir(path)): show(os.path.join(path, n))
show(top)
PY
}
rich() { python3 - <<PY
import os, stat, struct
os.mkdir("/d2/rich"); os.chdir("/d2/rich"); os.mkdir("sub"); os.mkdir("sub/empty")
def put(name, text=b"x"):
    with open(name, "wb") as f: f.write(text)
put("plain", os.urandom(200000)); put("sub/suid"); put("sub/cap"); put("sub/acl"); put("zero", b"")
os.chown("sub/suid", 1234, 4321); os.chmod("sub/suid", 0o6755); os.chown("plain", 5, 6); os.chmod("plain", 0o604)
os.setxattr("plain", "user.note", b"\0\xffbinary"); os.setxattr("plain", "trusted.t", b"t"); os.setxattr("sub", "user.dir", b"d"); os.setxattr("plain", "user.empty", b"")
os.setxattr("sub/cap", "security.capability", struct.pack("<IIIII", 0x02000001, 1 << 10, 0, 0, 0))
entry = struct.Struct("<HHI")
acl = struct.pack("<I", 2) + entry.pack(1, 6, 0xffffffff) + entry.pack(2, 4, 1234) + entry.pack(4, 4, 0xffffffff) + entry.pack(16, 6, 0xffffffff) + entry.pack(32, 0, 0xffffffff)
os.setxattr("sub/acl", "system.posix_acl_access", acl); os.setxattr("sub", "system.posix_acl_default", acl)
with open("holes", "wb") as f:
    f.write(b"a" * 4096); f.seek(5 << 20); f.write(b"m"); f.truncate(9 << 20)
os.link("plain", "sub/hard"); os.symlink("plain", "soft"); os.symlink("/none", "sub/dangling"); os.lchown("soft", 9, 9)
os.mkfifo("pipe"); os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3)); os.chmod("sub", 0o1750)
put("sub/late"); os.chmod("sub/late", 0o444)
for n, t in (("plain", 1), ("zero", 2), ("holes", -3), ("sub/empty", 4), ("soft", 5), ("sub", 6), (".", 7)):
    os.utime(n, ns=(10**18 + 123456789 + t, 10**18 + t * 10**9 + 987654321), follow_symlinks=False)
PY
}
'

@test "a move to another file system keeps everything there is; the boot renames the copy, no more" {
  in_root "$EXACTLY" <<'END'
mount -o remount,noatime /d1; mount -o remount,noatime /d2
rich
exactly /d2/rich >/w/was
echo single >/d2/one; chown 3:4 /d2/one; touch -d @1234567890.123456789 /d2/one; one=$(stat -c '%a %u %g %s %.9Y' /d2/one)
pending add /d2/rich /d1/rich /d2/one /d1/one --group far
pending show far | grep 'copy /d2/rich to /d1/rich'
exactly /d2/rich | diff /w/was - && echo SOURCE SAME
ino() { find "$1" -printf '%P %i\n' | sort; }
tree=$(find /d1/.smss/staged -name plain -printf '%h'); ino "$tree" >/w/staged
boot; ino /d1/rich >/w/there; cmp /w/staged /w/there && echo RENAMED
exactly /d1/rich >/w/is; diff /w/was /w/is && echo EXACT
[ "$(stat -c '%a %u %g %s %.9Y' /d1/one)" = "$one" ] && echo ONE
ls -d /d2/rich /d2/one 2>&1 | grep -c 'No such'
[ -z "$(find /d1/.smss/staged -mindepth 2)" ] && echo NOTHING STAGED
pending undo far; boot >/dev/null; exactly /d2/rich | diff /w/was - && echo BACK; ls -d /d1/rich 2>&1 | grep 'No such'
END
  has '"name":"far","text":"applied, ' 'SOURCE SAME' RENAMED EXACT ONE 'NOTHING STAGED' BACK
}

@test "a file that changed after it was copied for another file system is refused, not lost" {
  in_root <<'END'
for how in same bigger; do
  echo 1 >/d2/$how; pending add /d2/$how /d1/$how --group $how
  case $how in same) printf 2 | dd of=/d2/same conv=notrunc status=none ;; bigger) echo more >>/d2/bigger ;; esac
  boot; cat /d2/$how; ls /d1/$how 2>&1 || true
done
END
  has '"name":"same","text":"refused: its content is not what was queued"' '"name":"bigger","text":"refused: ' \
    "cannot access '/d1/same'" "cannot access '/d1/bigger'"
}

@test "a path of 1,023 bytes is moved and brought back; one byte more is refused when queued" {
  in_root <<'END'
p=/d1; for i in 1 2 3 4; do p=$p/$(printf 'd%.0s' $(seq 240)); done; mkdir -p "$p"
p=$p/$(printf 'x%.0s' $(seq $((1022 - ${#p})))); [ ${#p} -eq 1023 ]; echo deep >"$p"; echo deep >"${p}y"
pending add "$p" /d1/out --group long; boot; cat /d1/out; pending undo long; boot; cat "$p" && echo BACK
pending add "${p}y" /d1/out2 2>/dev/null || echo REFUSED
END
  has '"name":"long","text":"applied, 1 operation"' BACK REFUSED
}

# ---- groups of odd shapes ----

@test "the same file twice and a directory onto its child are refused when queued, and at boot" {
  in_root <<'END'
mkdir -p /d1/dir/sub /d1/o; echo 1 >/d1/f; before=$(shot)
for words in '/d1/f /d1/g /d1/f /d1/h' '/d1/f /d1/g /d1/f /d1/g' '/d1/f /d1/f' '/d1/dir /d1/dir/sub/in' \
  '/d1/dir /d1/dir' '--delete /d1/f --delete /d1/f' '--delete /d1/f /d1/f /d1/g' '--replace /d1/dir /d1/dir/sub' \
  '--replace /d1/dir/sub /d1/dir' '/d1/f /d1/o/x /d1/o /d1/p'; do
  pending add $words --group no 2>/w/err && echo "TAKEN $words" || { [ -s /w/err ] && echo TOLD; }
done
pending
group() { /make_group $STATE "$@" || echo "CANNOT MAKE $2"; }
group 1 twice <<<$'move /d1/f /d1/g\nmove /d1/f /d1/h'
group 2 again <<<$'delete /d1/f\ndelete /d1/f'
group 3 child <<<'move /d1/dir /d1/dir/in'
group 4 onto <<<'replace /d1/dir /d1/dir/sub'
group 5 up <<<'replace /d1/dir/sub /d1/dir'
group 6 self <<<'replace /d1/f /d1/f'
boot; [ "$(shot)" = "$before" ] && echo UNTOUCHED; states
END
  hasnt TAKEN
  [ "$(grep -c TOLD <<<"$output")" -eq 10 ]
  has 'no groups' UNTOUCHED
  hasnt '"result":"ok"'
}

@test "chains, a swap of three, a full directory replaced, a deep tree deleted; and all back" {
  in_root <<'END'
for n in a b c d e f g; do echo $n >/d1/$n; done; mkdir -p /d1/full/x /d1/new; echo 1 >/d1/full/x/1; echo 2 >/d1/new/2
(cd /d1; mkdir deep; cd deep; for ((i = 0; i < 200; i++)); do echo $i >f; mkdir a-directory-of-some-length; cd a-directory-of-some-length; done)
before=$(shot | sha256sum)
pending add --replace /d1/c /d1/d /d1/b /d1/c /d1/a /d1/b \
  /d1/e /d1/t /d1/f /d1/e /d1/g /d1/f /d1/t /d1/g /d1/new /d1/full --delete /d1/deep --group shapes
boot; cat /d1/[a-g] | tr '\n' ' '; ls /d1 /d1/full | tr '\n' ' '
pending undo shapes; boot >/dev/null; [ "$(shot | sha256sum)" = "$before" ] && echo BACK
END
  has '"name":"shapes","text":"applied, ' 'a b c f g e /d1: b c d e f full g lost+found' 'full: 2' BACK
}

@test "fifty groups are carried out in one boot, in the order they were queued" {
  in_root <<'END'
echo 0 >/d1/f
for i in $(seq 50); do echo "$i" >"/d1/v$i"; pending add --replace "/d1/v$i" /d1/f --group "g$i" >/dev/null; done
boot | grep '"pending"'; cat /d1/f; ls /d1
jq -r .group $STATE/pending.report | tr '\n' ' '
pending list --json | jq -c '[.groups[].state] | unique'
for i in 50 49; do pending undo "g$i" >/dev/null; boot >/dev/null; cat /d1/f; done | tr '\n' ' '
END
  has '50 applied, 0 failed, 0 refused' "$(seq -s ' ' 50)" '["applied"]' '49 48 '
  grep -qx 50 <<<"$output"
}

@test "a hundred thousand operations: queued, applied, taken back" {
  # a million, the most there may be, in the long form
  in_root "$([ "${SMSS_LONG:-}" = 1 ] && echo N=1000000 || echo N=100000)" <<'END'
mount -o remount,size=4g,nr_inodes=3m /d2; mount -o remount,size=4g $STATE; mount -o remount,size=1g /w
python3 -c '
import os, sys
os.mkdir("/d2/a"); os.mkdir("/d2/b")
with open("/w/m", "w") as m:
    for i in range(int(sys.argv[1])):
        os.close(os.open(f"/d2/a/{i}", os.O_CREAT | os.O_WRONLY, 0o644)); m.write(f"/d2/a/{i}\t/d2/b/{i}\n" if i % 4 else f"-\t/d2/a/{i}\n")' $N
ino() { (cd /d2 && find a b -type f -printf '%p %i\n' | sort | sha256sum); }
before=$(ino)
t() { local from=${EPOCHREALTIME/./}; "$@"; echo "TOOK $1 $(((${EPOCHREALTIME/./} - from) / 1000)) ms" >&2; }
t pending add -m /w/m --group many 2>/w/err; cat /w/err
[ "$(pending show many --json | jq .operations)" = $N ]
t boot; [ "$(ls /d2/b | wc -l) $(ls /d2/a | wc -l)" = "$((N / 4 * 3)) 0" ] && echo DONE
pending undo many; t boot; [ "$(ino)" = "$before" ] && echo BACK
END
  has '"name":"many","text":"applied, 1' DONE BACK
  # who waits for some seconds is told how far it is
  took=$(sed -n 's/^TOOK pending \([0-9]*\) ms/\1/p' <<<"$output" | head -n 1)
  [ "$took" -lt 6000 ] || has ' of 1'
}

# ---- disks ----

# SMALL DIRECTORY: a small ext4 that is full to its last block and inode; room N: so many blocks are free
SMALL='small() { truncate -s 4M /w/small; mkfs.ext4 -q -F -b 1024 -N 512 -O ^has_journal -m 0 /w/small; mount -o loop /w/small "$1"; }
fill() { local i; { cat /dev/zero >"$1/ballast"; } 2>/dev/null || true
  for ((i = 0; ; i++)); do { : >"$1/i$i"; } 2>/dev/null || break; done
  { cat /dev/zero >"$1/ballast2"; } 2>/dev/null || true; sync -f "$1"; }
'

@test "a file system that is full to the last block and inode: undone or refused, told, and carried out when there is room" {
  in_root "$SMALL" <<'END'
small /d3; cd /d3; mkdir app app.new new x; echo old >app/v; echo new >app.new/v; echo 1 >r; echo 2 >r.new; echo d >x/gone
long=$(printf 'n%.0s' $(seq 200)); for i in $(seq 200); do echo $i >"x/$i"; done; cd /
is() { [ "$(cat /d3/app/v /d3/r; ls /d3/x | wc -l; ls /d3/new | wc -l)" = "$1" ]; }
{ printf '!%s\t%s\n' /d3/app.new /d3/app /d3/r.new /d3/r; printf -- '-\t/d3/x/gone\n'
  for i in $(seq 200); do printf '/d3/x/%s\t/d3/new/%s\n' "$i" "$long$i"; done; } | pending add -m - --group full
fill /d3; df /d3 | tail -n 1
boot | grep '"full"'; is $'old\n1\n201\n0' && echo UNTOUCHED; state 1
boot | grep '"full"'; is $'old\n1\n201\n0' && echo UNTOUCHED; state 1
pending report full --json | jq -c '[.groups[0].history[] | .event]'
# a little room: enough to begin, not enough to end
rm -f /d3/i*
for k in 1 2 3 4 5 8 12 16 20; do
  truncate -s $(($(stat -c %s /d3/ballast) - k * 1024)) /d3/ballast; sync -f /d3
  pending retry full >/dev/null 2>&1; boot >/w/said; grep -o '"result":.*' /w/said || echo "NOTHING SAID $k"
  if is $'old\n1\n201\n0'; then echo "AT $k UNTOUCHED"; elif is $'new\n2\n0\n200'; then echo "AT $k WHOLE"; break; else echo HALF; break; fi
  { cat /dev/zero >>/d3/ballast; } 2>/dev/null || true
done
rm -f /d3/ballast*; [ "$(state 1)" = applied ] || { pending retry full; boot >/dev/null; }; is $'new\n2\n0\n200' && echo IN THE END
umount /d3; e2fsck -fn /w/small >/dev/null 2>&1 && echo CLEAN
END
  has UNTOUCHED 'IN THE END' CLEAN 'no space left; to /d3/new/'
  hasnt HALF
  hasnt 'NOTHING SAID'
}

@test "a full state directory: nothing begins that cannot be written down, and it is told" {
  in_root "$SMALL" <<'END'
mount -t tmpfs -o size=200k,mode=755 tmpfs /d3; cp -a $STATE/. /d3/; mount --bind /d3 $STATE
for k in 0 1 2 3 4; do
  fresh; role state 0 >/dev/null; { cat /dev/zero >$STATE/ballast; } 2>/dev/null || true
  truncate -s $(($(stat -c %s $STATE/ballast) - k * 4096)) $STATE/ballast
  role renames 3 | grep '"update"' || echo "NOTHING SAID $k"; echo "$k $(whole) $(state 1)"
  [ "$(state 1)" = applied ] || { role renames 3 | grep '"update"' || echo "NOTHING SAID $k"; }; echo "$k $(whole) $(state 1)"
  [ $k -gt 0 ] || pending add --delete /d1/lost+found --group more 2>&1 || echo NOT QUEUED
  pending list >/dev/null; rm $STATE/ballast
  for i in 1 2; do [ "$(state 1)" = applied ] || { pending retry update 2>/dev/null || true; boot; }; done >/dev/null; [ "$(whole) $(state 1)" = 'WHOLE applied' ] || echo "LOST $k"
done
END
  hasnt HALF
  hasnt LOST
  hasnt 'NOTHING SAID'
  has '0 UNTOUCHED' 'no space' 'NOT QUEUED'
}

@test "a disk that fails with EIO at any of the step's calls: taken back or gone on with, never half" {
  command -v strace >/dev/null || skip 'no strace'
  in_root <<'END'
for what in renameat2 fsync syncfs fdatasync pwrite64 mkdirat; do
  for n in 1 2 3 4 6; do
    fresh; role state 0 >/dev/null
    strace -f -qqq -o /w/trace -e "trace=$what" -e "inject=$what:error=EIO:when=$n" $F renames 3 >/w/said || true
    grep -q INJECTED /w/trace || break
    w=$(whole); echo "$what $n $w $(state 1): $(grep -o '"text":.*' /w/said | tail -n 2 | tr '\n' ' ')"
    # what was told is true
    case "$(state 1) $w" in 'applied WHOLE' | 'failed UNTOUCHED' | 'refused UNTOUCHED' | 'queued UNTOUCHED' | begun* | reverting*) ;; *) echo "LIE: $(state 1) but $w" ;; esac
    boot >/dev/null; boot >/dev/null; w=$(whole); echo "then $w $(state 1)"
    case "$(state 1) $w" in 'applied WHOLE' | 'quarantined UNTOUCHED' | 'refused UNTOUCHED') ;; *) echo "HALF OR LOST: $(state 1) $w" ;; esac
  done
done
END
  hasnt LIE
  hasnt HALF
  has renameat2 syncfs
}

@test "a disk that fails on every call from one on, also on the way back" {
  command -v strace >/dev/null || skip 'no strace'
  in_root <<'END'
for n in 1 2 3 4 5; do
  fresh; role state 0 >/dev/null
  strace -f -qqq -o /w/trace -e trace=renameat2 -e "inject=renameat2:error=EIO:when=$n+" $F renames 3 >/w/said || true
  echo "$n $(whole) $(state 1): $(grep -o '"text":.*' /w/said | tail -n 2 | tr '\n' ' ')"
  [ "$(state 1)" != applied ] && grep -q '"name":"update"' /w/said || echo "LIE $n"
  for i in 1 2 3; do boot >/dev/null; done; echo "then $(whole) $(state 1)"
done
END
  hasnt LIE
  hasnt 'then HALF'
}

@test "a disk whose write-back fails: told, and whole when it is back" {
  in_root <<'END'
# a loop device on a file in a file system that is full: blocks that were never written fail with EIO,
# if the kernel takes such ones; where it finds others, all went well, and another disk is tried
for try in 1 2 3 4 5 6; do
  rm -rf "${STATE:?}"/*; mkdir -p /w/disk; mount -t tmpfs -o size=12m tmpfs /w/disk; truncate -s 64M /w/disk/img
  mkfs.ext4 -q -E lazy_itable_init=1,lazy_journal_init=1,nodiscard /w/disk/img; mount -o loop /w/disk/img /d3
  mkdir /d3/a /d3/b; for i in $(seq 2000); do echo "$i" >"/d3/a/file-$i"; done; sync -f /d3
  seq 2000 | sed 's|.*|/d3/a/file-&\t/d3/b/a-new-and-much-longer-name-for-the-file-&|' | pending add -m - --group eio
  { cat /dev/zero >/w/disk/ballast; } 2>/dev/null || true
  boot >/w/said; cat /w/said; state 1
  rm /w/disk/ballast; umount /d3; e2fsck -fy /w/disk/img >/dev/null || true; mount -o loop /w/disk/img /d3
  for i in 1 2; do [ "$(state 1)" = applied ] || boot; done
  echo "COUNT $(ls /d3/a | wc -l) $(ls /d3/b | wc -l) $(state 1)"; umount /d3; umount /w/disk
  grep -q 'input/output error' /w/said && break
done
END
  has '"name":"eio"' 'input/output error'
  has 'COUNT '
  [ -z "$(grep '^COUNT' <<<"$output" | grep -vxE 'COUNT (0 2000 applied|2000 0 (quarantined|refused|failed))')" ]
}

@test "a file system that goes away, or read-only, while its group is carried out" {
  in_root <<'END'
many() { mkdir -p /d1/a /d1/b; python3 -c 'for i in range(6000): open(f"/d1/a/{i}", "w").close()'; sync -f /d1
  seq 0 5999 | sed 's|.*|/d1/a/&\t/d1/b/&|' | pending add -m - --group "$1" >/dev/null; }
# hit ro|gone - as soon as a first file is at its target, /d1 becomes read-only, or its disk goes away
hit() { python3 -c 'import ctypes, fcntl, os, struct, sys, time
libc, end, fd = ctypes.CDLL(None), time.time() + 20, os.open("/d1", os.O_RDONLY)
open("/w/watching", "w").close()
while not os.listdir("/d1/b") and time.time() < end: pass
if sys.argv[1] == "ro":
    while libc.mount(None, b"/d1", None, 33, None) and time.time() < end: pass
else:
    fcntl.ioctl(fd, 0x8004587d, struct.pack("I", 2))' "$1" & until [ -e /w/watching ]; do sleep 0.01; done; rm /w/watching; }
count() { echo "COUNT $1 $(ls /d1/a | wc -l) $(ls /d1/b | wc -l) $(state "$1")"; }
many one; hit ro; boot | grep '"one"' || echo 'NOTHING SAID'; wait; echo "STATE $(state 1) $(ls /d1/b | wc -l)"
[ "$(state 1)" = applied ] || boot | grep '"one"' || echo 'NOTHING SAID'
mount -o remount,rw /d1; boot >/dev/null; boot >/dev/null; count 1
rm -rf /d1/a /d1/b; many two
dev=$(findmnt -no SOURCE /d1); exec 5<"$dev" # keeps the loop device when it is not mounted
hit gone; boot | grep '"two"' || echo 'NOTHING SAID'; wait; echo "STATE $(state 2)"
[ "$(state 2)" = applied ] || boot | grep '"two"' || echo 'NOTHING SAID'
umount /d1; mount "$dev" /d1; exec 5<&-
echo "AFTER $(ls /d1/a | wc -l) $(ls /d1/b | wc -l)"; boot >/dev/null; boot >/dev/null; count 2
END
  hasnt 'NOTHING SAID'
  grep -qxE 'COUNT 1 (0 6000 applied|6000 0 (quarantined|refused))' <<<"$output"
  grep -qxE 'COUNT 2 (0 6000 applied|6000 0 (quarantined|refused))' <<<"$output"
}

@test "a file system that is read-only at boot keeps its group until it can be written" {
  in_root <<'END'
files; update; mount -o remount,ro /d1; boot; whole; state 1
mount -o remount,rw /d1; for i in 1 2; do [ "$(state 1)" = applied ] || { pending retry update 2>/dev/null || true; boot >/dev/null; }; done; whole; state 1
END
  has 'read-only file system' UNTOUCHED
  [ "$(tail -n 2 <<<"$output")" = $'WHOLE\napplied' ]
}

@test "a group that failed and is tried once more does not go over what a later one did" {
  in_root <<'END'
echo 0 >/d1/f; echo 1 >/d1/v1; echo 2 >/d1/v2; echo x >/d2/x
pending add --replace /d1/v1 /d1/f --delete /d2/x --group first; pending add --replace /d1/v2 /d1/f --group second
mount -o remount,ro /d2; boot; echo "THEN $(cat /d1/f) $(states)"
mount -o remount,rw /d2; boot; boot; echo "END $(cat /d1/f) $(states)"
END
  grep -q '^END 2 ' <<<"$output"
}

# ---- what lies in the queue ----

@test "a journal cut at any byte after the work is done: it stays done" {
  in_root <<'END'
fresh; boot >/dev/null; whole; size=$(stat -c %s $QUEUE/00000001.journal); cp -a $QUEUE /w/kept
for ((cut = 0; cut < size; cut += cut % 64 > 1 && cut % 64 < 62 ? 5 : 1)); do
  rm -rf $QUEUE; cp -a /w/kept $QUEUE; truncate -s $cut $QUEUE/00000001.journal
  boot >/w/said; w=$(whole); [ "$w" = WHOLE ] || echo "CUT AT $cut: $w"
  s=$(state 1); case $s in applied) ;; refused | quarantined) grep -q '"update"' /w/said || echo "NOT TOLD $cut" ;; *) echo "STATE AT $cut: $s" ;; esac
done
echo "SIZE $size"
END
  has WHOLE SIZE
  hasnt 'CUT AT'
  hasnt 'NOT TOLD'
  hasnt 'STATE AT'
}

@test "a journal cut, or with garbage behind, when the work was cut too: gone on with or taken back" {
  in_root <<'END'
files; printf -- '-\t/d1/app\n' | pending add -m - >/dev/null; boot >/dev/null; cp $QUEUE/00000001.journal /w/foreign
for n in 1 3 5; do
  for cut in 0 40 63 64 garbage ones big gone foreign; do
    fresh; role state 0 >/dev/null; /kill_at $n $F renames 3 >/w/said; j=$QUEUE/00000001.journal
    [ -e $j ] || { echo "NO JOURNAL $n"; continue; }
    case $cut in
      garbage) head -c 1000 /dev/urandom >>$j ;;
      ones) head -c 640 /dev/zero | tr '\0' '\377' >>$j ;;
      big) truncate -s 1G $j ;;
      gone) rm $j ;;
      foreign) cp /w/foreign $j ;;
      *) truncate -s $cut $j ;;
    esac
    was=$(whole); rm -f /w/said.*; for i in 1 2 3; do boot >/w/said.$i; case $(state 1) in applied | refused | quarantined) break ;; esac; done
    cat /w/said.? | grep -q '"name":"update"' || echo "NOT TOLD $n $cut"
    echo "$n $cut: was $was, $(whole) $(state 1)"
    case "$(whole) $(state 1)" in 'WHOLE applied' | 'UNTOUCHED refused' | 'UNTOUCHED quarantined') ;; *) echo "BAD $n $cut"; cat /w/said.?; esac
  done
done
END
  hasnt BAD
  hasnt 'NOT TOLD'
}

@test "another group's journal under our number: refused and told, or carried out; never lost" {
  in_root <<'END'
fresh; boot >/dev/null; cp $QUEUE/00000001.journal /w/foreign; cp $QUEUE/00000001.things /w/things
for with in journal things; do
  fresh; cp /w/foreign $QUEUE/00000001.journal; [ $with = journal ] || cp /w/things $QUEUE/00000001.things
  boot >/w/said; cat /w/said; echo "$(whole) $(state 1)"
  case "$(whole) $(state 1)" in 'WHOLE applied') ;; UNTOUCHED*) grep -q '"update".*journal' /w/said || echo LOST ;; *) echo BAD ;; esac
  pending report >/dev/null || echo BAD REPORT
  pending retry update && boot >/dev/null; whole
done
END
  hasnt LOST
  hasnt BAD
  [ "$(tail -n 1 <<<"$output")" = WHOLE ]
}

@test "a group file of another machine, or under another number, is refused" {
  in_root <<'END'
files; update; cp -a $QUEUE /w/queue; rm -rf /d1/* /d2/* ; files; touch /d2/z; before=$(shot | sha256sum)
boot; whole; state 1
fresh; cp $QUEUE/00000001.group $QUEUE/00000002.group; boot; whole; states; pending check || true
END
  has '"name":"update","text":"refused: the file found is not the file that was queued"' UNTOUCHED WHOLE '"00000002","text":"refused: the group file is damaged"'
  [[ $output == *$'\n''applied '* && $output != *'applied applied'* ]]
}

@test "group files that are cut, empty, huge, or no files at all hold up neither the boot nor the tool" {
  in_root <<'END'
files; for i in 1 2 3 4 5 6 7 8 9; do echo $i >/d1/k$i; pending add /d1/k$i /d1/m$i --group "g$i" >/dev/null; done; update >/dev/null
cd $QUEUE; size=$(stat -c %s 00000001.group)
truncate -s $((size - 1)) 00000001.group; truncate -s 64 00000002.group; : >00000003.group
truncate -s 1G 00000004.group; rm 00000005.group; mkdir 00000005.group
rm 00000006.group; mkfifo 00000006.group
touch junk 0000000.group zzzzzzzz.group 0000000Z.group; mkfifo 00000ffe.making; cd /
prlimit --as=$((256 << 20)) timeout 20 bash -c "$(declare -f role boot); F='$F'; boot"; echo "BOOT $?"
done_ && echo THE GOOD ONE; ls /d1
for verb in list check report purge 'show 3' 'report 5' 'cancel 6' 'undo 7' 'retry 1' 'list --json' 'report --json'; do
  timeout 10 smctl pending $verb >/w/out 2>/w/err; s=$?; [ $s -lt 3 ] || echo "TOOL $verb $s"
done
timeout 10 bash -c "$(declare -f role boot); F='$F'; boot >/dev/null"; echo "BOOT $?"
pending add --delete /d1/k1 --group after || echo CANNOT ADD; boot >/dev/null; ls /d1/k1 2>&1 || true
END
  has 'BOOT 0' 'THE GOOD ONE' 'the group file is damaged' 'No such file'
  hasnt TOOL
  hasnt 'CANNOT ADD'
  hasnt m1
  for n in 1 2 3 4; do has "\"name\":\"0000000$n\""; done
}

@test "a journal, or a list of things, that is no file holds nothing up" {
  in_root <<'END'
for k in fifo directory link; do for f in journal things; do
  fresh; echo 1 >/d1/k; pending add --delete /d1/k --group after >/dev/null; before=$(shot | sha256sum); j=$QUEUE/00000001.$f
  case $k in fifo) mkfifo $j ;; directory) mkdir $j; touch $j/x ;; link) echo x >/w/else; ln -sf /w/else $j ;; esac
  timeout 20 bash -c "$(declare -f role boot); F='$F'; boot" >/w/said; echo "$k $f $? $(whole) $(states): $(grep -o '"text":.*' /w/said | tail -n 2 | tr '\n' ' ')"
  [ ! -e /d1/k ] || echo "HELD UP by a $k for $f"; [ ! -e /w/else ] || [ "$(cat /w/else)" = x ] || echo FOLLOWED
  timeout 10 smctl pending list >/dev/null || echo "NO LIST with a $k for $f"
done; done
END
  hasnt 'HELD UP'
  hasnt 'NO LIST'
  hasnt FOLLOWED
}

@test "a link in the place of a group file is refused, and holds nothing up" {
  in_root <<'END'
files; update; cp -p $QUEUE/00000001.group /d2/else; echo 1 >/d1/k; pending add --delete /d1/k --group after
ln -sf /d2/else $QUEUE/00000001.group; ln -s nowhere $QUEUE/00000fff.group; boot; boot | sed 's/^/AGAIN /'
ls /d1/k 2>&1 || true; [ "$(cat /d1/app/bin)" = old ] && echo NOT FOLLOWED; pending list; pending report >/dev/null
END
  has '"name":"00000001","text":"refused: ' '"name":"after","text":"applied, 1 operation"' 'NOT FOLLOWED' "cannot access '/d1/k'"
}

@test "killed twice it is in quarantine; a retry brings it back, and it is carried out" {
  in_root <<'END'
fresh; role state 0 >/dev/null
/kill_at 3 $F renames 3 >/dev/null; state 1; /kill_at 1 $F renames 3 >/dev/null; boot; whole; state 1
boot; whole; pending check
pending retry update; state 1; boot; whole; state 1
pending report update --json | jq -c '[.groups[0].history[].event]'
END
  has '"name":"update","text":"quarantined, nothing was changed' UNTOUCHED quarantined
  [ "$(tail -n 3 <<<"$output" | head -n 2)" = $'WHOLE\napplied' ]
  has '"quarantined"' '"text":"applied, 5 operations"'
}

# ---- what is kept ----

@test "what is kept goes by count, by age and by space; an undo after that is refused by name" {
  in_root <<'END'
kept() { pending list --json | jq -r '[.groups[] | select(.originals_kept) | .name] | join(" ")'; }
for i in 1 2 3 4 5 6; do truncate -s 1M /d1/v; printf $i >>/d1/v; head -c 1000000 /dev/urandom >>/d1/v; pending add --replace /d1/v /d1/f --group "g$i" >/dev/null; boot >/dev/null; done
pending purge; echo "ALL $(kept)"
accept --set KeepGroups=100 --set KeepDays=30 --set KeepMib=10000 >/dev/null; echo "ACCEPTED $(kept)"
pending purge --keep 4 --days 30 --mib 1000; echo "COUNT $(kept)"
pending purge --mib 2; echo "SPACE $(kept)"
pending undo g1 2>&1 || echo "REFUSED $?"
pending purge --days 0; echo "AGE $(kept)"
pending undo g6 2>&1 || echo "REFUSED $?"
cmp <(tail -c 1000001 /d1/f | head -c 1) <(printf 6) && echo STILL
ls /d1/.smss/graveyard 2>/dev/null | wc -l
END
  has 'ALL g1 g2 g3 g4 g5 g6' 'ACCEPTED g1 g2 g3 g4 g5 g6' 'COUNT g3 g4 g5 g6' 'SPACE g6' STILL\
    'group 1 (g1) cannot be taken back: what it replaced is gone' 'group 6 (g6) cannot be taken back'
  grep -qx 'AGE ' <<<"$output"
}

# ---- whole machines: the files below /data and the state outlive a boot ----

INTO=()
# data - /data for the machine to come: /data/small is an ext4 on a loop device, /data/big a tmpfs
data() {
  machine
  hive
  DATA=$M/data
  mkdir -p "$DATA/small" "$DATA/big"
  unshare --mount --propagation private sleep 1000 3>&- &
  HOLDER=$!
  INTO=(nsenter --target "$HOLDER" --mount --) LAUNCH=("${INTO[@]}")
  wait_for 5 eval '[ "$(readlink /proc/$HOLDER/ns/mnt)" != "$(readlink /proc/$$/ns/mnt)" ]'
  on_data mount -t tmpfs -o mode=755 big big
  on_data bash -c 'truncate -s 4M big/.image; mkfs.ext4 -q -b 1024 -m 0 -E nodiscard big/.image; mount -o loop big/.image small
    mkdir small/app small/app.new; echo old >small/app/v; echo new >small/app.new/v; echo x >small/gone; echo A >big/a; echo B >big/b; echo C >big/c'
}
on_data() { "${INTO[@]}" env --chdir="$DATA" "$@"; }
eval "machine_$(declare -f teardown)"
teardown() {
  machine_teardown
  [ -z "${HOLDER:-}" ] || { kill "$HOLDER" && wait "$HOLDER"; } 2>/dev/null || true
}
release() { ctl pending add --replace /data/small/app.new /data/small/app --delete /data/small/gone --group release; }
now() { on_data bash -c 'cat small/app/v big/[abcd] 2>/dev/null | tr "\n" " "'; }

# renames - what this boot says of groups, by its own account; the role for them runs only if it is there
renames() { ctl boot --json | jq -c '[.rows[]? | .. | strings | select(test("^(ProcessFileRenames|pending|renames|release)"))] | unique'; }

@test "machine: no group and no group that waits, no role for renames; one group, one" {
  data
  start; ready; [ "$(renames)" = '[]' ]; release; off
  [ "$(now)" = 'old A B C ' ]
  start; ready; row release ok applied; row ProcessFileRenames ok; [[ "$(renames)" == *ProcessFileRenames*release* ]]; off
  [ "$(now)" = 'new A B C ' ]
  start; ready; [ "$(renames)" = '[]' ]; ctl pending list | grep release; off
}

@test "machine: a full disk, a read-only one, one that is gone: told, Ready, and carried out when it can be" {
  data
  start; ready; release
  ctl pending add --replace /data/big/b /data/big/a --group other; off
  on_data bash -c '{ cat /dev/zero >small/ballast; } 2>/dev/null; for i in {1..2000}; do : >small/$i || break; done 2>/dev/null; { cat /dev/zero >small/ballast2; } 2>/dev/null; sync -f small' || true
  start; ready; row release failed 'no space'; off
  [ "$(now | cut -c 1-4)" = 'old ' ]
  on_data bash -c 'rm small/ballast* small/[0-9]*; mount -o remount,ro small'
  start; ready; ctl pending retry release || true; off
  start; ready; ctl pending list; row release failed 'read-only'; off
  on_data mount -o remount,rw small
  on_data python3 -c 'import fcntl, os, struct
fcntl.ioctl(os.open("small", os.O_RDONLY), 0x8004587d, struct.pack("I", 1))'
  start; ready; ctl pending retry release || true; off
  start; ready; ctl pending list; row release failed ''; off
  on_data bash -c 'umount small && mount -o loop big/.image small'
  start; ready; ctl pending retry release || true; off
  start; ready
  ctl pending list
  off
  [ "$(now)" = 'new B C ' ]
}

@test "machine: a full state directory and a queue of rubbish do not keep it from Ready" {
  data
  "${INTO[@]}" mount -t tmpfs -o size=400k,mode=755 state "$M/var"
  start; ready; release; ctl pending add --delete /data/big/c --group two; off
  "${INTO[@]}" bash -c 'cd "$1/pending"; : >00000003.group; mkfifo 00000004.group; mkdir 00000005.group; truncate -s 300M 00000006.group
    head -c 64 /dev/urandom >00000002.journal; { cat /dev/zero >"$1/ballast"; } 2>/dev/null || true' - "$M/var"
  start; ready
  [ "$(now)" = 'old A B C ' ] || [ "$(now)" = 'new A B C ' ] || [ "$(now)" = 'new A B ' ]
  ctl boot | grep -a 'pending\|release'
  off
  "${INTO[@]}" rm "$M/var/ballast"
  start; ready; ctl pending retry release || true; ctl pending list; off
  start; ready; ctl pending list; off
  [[ "$(now)" = 'new A B '* ]]
}
