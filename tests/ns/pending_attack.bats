#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Groups of pending file operations where somebody works against them, or only works on: an editor
# between an undo and a fallback, a directory that is gone, an ordinary user in his own directory,
# the owner of a mount, two writers at once. Nobody's file is lost, what became of it is said, and
# nobody holds up another's.

load lib.bash
load pending_lib.bash
bats_require_minimum_version 1.5.0

# GRAVES: kept DIRECTORY TEXT - a file with that line lies with what was put aside there;
# purge_all - everything that clears away does, as hard as it can
GRAVES='kept() { grep -rqsx "$2" "$1/.smss/graveyard"; }
purge_all() { pending purge; accept --set KeepGroups=0 --set KeepDays=0 --set KeepMib=0 >/dev/null; pending purge --keep 0 --days 0 --mib 0 --unaccepted; }
'

@test "an editor's file at an undone group's name is put aside by a fallback, and told; all else goes on" {
  in_root "$GRAVES" <<'END'
mkdir /d1/c; for n in 1 2; do echo old$n >/d1/c/$n; echo new$n >/d1/c/$n.new; done
printf '!/d1/c/%s.new\t/d1/c/%s\n' 1 1 2 2 | pending add -m - --group app
boot; accept >/dev/null; pending undo app; boot
[ "$(cat /d1/c/1 /d1/c/2)" = $'old1\nold2' ] && echo UNDONE
echo edited >/d1/c/.2; mv /d1/c/.2 /d1/c/2
boot --word SMSS_LEVEL=1
[ "$(cat /d1/c/1 /d1/c/2)" = $'new1\nnew2' ] && echo ON AGAIN
echo "STATES $(states)"
kept /d1 edited && echo ASIDE; pending show app | sed 's/^/SHOWN /'; pending report app | sed 's/^/SAID /'
accept >/dev/null; pending purge; kept /d1 edited && echo STILL ASIDE
echo x >/d1/x; pending add /d1/x /d1/y --group later; boot; echo "STATES $(states) $(ls /d1/y)"
boot --word SMSS_LEVEL=1; boot; echo "STATES $(states)"
END
  has UNDONE '"name":"undo app","text":"reverted; put aside, not of the group: 1"' 'ON AGAIN' 'STATES applied reverted' \
    'SHOWN put aside   1 thing of others' 'SAID     1 thing of others put aside' 'STILL ASIDE' \
    '"name":"later","text":"applied, 1 operation"' 'STATES applied reverted applied /d1/y' 'STATES applied reverted reverted'
  grep -qx ASIDE <<<"$output"
}

@test "an undo whose directory is gone is refused with nothing changed, and can be had when it is there" {
  in_root "$GRAVES" <<'END'
mkdir -p /d1/data/sub; echo precious >/d1/data/sub/x; echo other >/d1/k
printf -- '-\t%s\n' /d1/data/sub/x /d1/k | pending add -m - --group app
boot; accept >/dev/null; rmdir /d1/data/sub; before=$(shot | sha256sum)
pending undo app; boot | sed 's/^/UNDO /'
[ "$(shot | sha256sum)" = "$before" ] && echo UNCHANGED; echo "STATES $(states)"
pending purge; accept >/dev/null; pending purge
kept /d1 precious && kept /d1 other && echo KEPT
mkdir /d1/data/sub; pending undo app; boot; cat /d1/data/sub/x /d1/k; echo "STATES $(states)"
END
  has 'UNDO {"call":"ITEM","result":"refused"' '"name":"undo app","text":"refused: no such file' UNCHANGED \
    'STATES applied refused' KEPT $'precious\nother\nSTATES reverted refused applied'
  isnt grep 'UNDO.*applied' <<<"$output"
}

@test "cut with its list of things damaged: the only copy of what it replaced outlives cancel and purge" {
  in_root "$GRAVES" <<'END'
# cut_between - the target is replaced, and what was there has no other name than the copy's
cut_between() {
  local n
  for n in $(seq 40); do
    rm -rf "${STATE:?}"/* /d[12]/* /d[12]/.smss; echo old >/d1/t; echo new >/d2/s
    pending add --replace /d2/s /d1/t --group x >/dev/null; role state 0 >/dev/null
    /kill_at "$n" $F renames 3 >/dev/null 2>&1 || true
    [ "$(cat /d1/t)" = new ] && [ -s $QUEUE/00000001.things ] && grep -rqsx old /d1/.smss/staged && return 0
  done
  return 1
}
for how in 'cancel x' 'purge --keep 0 --days 0 --mib 0 --unaccepted'; do
  cut_between || { echo "NO CUT"; exit 1; }
  printf X | dd of=$QUEUE/00000001.things bs=1 seek=40 conv=notrunc status=none
  boot; echo "STATES $(states)"; pending show x; pending report x
  pending $how || true; purge_all
  grep -rqsx old /d1 && echo "THERE AFTER ${how%% *}"; cat /d1/t /d2/s
done
END
  has '"name":"x","text":"quarantined: ' 'STATES quarantined' 'THERE AFTER cancel' 'THERE AFTER purge'
  hasnt 'nothing was changed'
  hasnt 'nothing was touched'
}

@test "a keeper's directory with a pipe in it, of the owner of the mount, does not hang who queues" {
  in_root <<'END'
chown 1000:1000 /d2; echo a >/d2/a; echo b >/d2/b
setpriv --reuid 1000 --regid 1000 --clear-groups bash -c 'mkdir -m 700 /d2/.smss; mkfifo /d2/.smss/.exchange.{a,b}'
timeout 10 smctl pending add --replace /d2/a /d2/b --group no && s=0 || s=$?; echo "ENDED $s"
pending list; cat /d2/a /d2/b; ls -A /d2/.smss
rm -r /d2/.smss; pending add --replace /d2/a /d2/b --group yes; boot; echo "IS $(cat /d2/b)"
END
  has 'ENDED 1' 'nothing was queued' 'no groups' $'a\nb\n.exchange.a\n.exchange.b' '"name":"yes","text":"applied, 1 operation"' 'IS a'
}

@test "who queue replacements at the same time are all taken" {
  in_root <<'END'
for i in {1..120}; do : >/d1/s$i; : >/d1/t$i; done
writer() { local i; for ((i = $1; i <= 120; i += 4)); do smctl pending add --replace /d1/s$i /d1/t$i --group g$i 2>&1 >/dev/null || echo "FALSELY $i"; done; }
for k in 1 2 3 4; do writer $k & done; wait
echo "QUEUED $(states | tr ' ' '\n' | grep -c queued)"; [ -z "$(find /d1/.smss -mindepth 1 2>/dev/null)" ] && echo NOTHING LEFT
END
  hasnt FALSELY
  has 'QUEUED 120' 'NOTHING LEFT'
}

@test "a link a user put in place of his directory keeps nobody else's file from being taken back" {
  in_root "$GRAVES" <<'END'
mkdir -p /d1/home/u/d /d1/etc /d1/else; chown -R 1000 /d1/home/u; chmod 1777 /d1/else
echo old >/d1/etc/conf; echo new >/d1/etc/conf.new; echo his >/d1/home/u/d/f
printf '!/d1/etc/conf.new\t/d1/etc/conf\n-\t/d1/home/u/d/f\n' | pending add -m - --group sys
boot >/dev/null; echo "IS $(cat /d1/etc/conf)"
setpriv --reuid 1000 --clear-groups bash -c 'cd /d1/home/u; rmdir d; ln -s /d1/else d'
boot --word SMSS_LEVEL=1 | sed 's/^/BACK /'; echo "NOW $(cat /d1/etc/conf) $(cat /d1/etc/conf.new) $(states)"
[ -z "$(ls -A /d1/else)" ] && echo NOT FOLLOWED
echo x >/d1/x; pending add /d1/x /d1/y --group later; boot; boot; echo "STATES $(states) $(ls /d1/y)"
pending list
purge_all; kept /d1 his && echo HIS IS KEPT
END
  has 'IS new' 'NOW old new reverted' 'NOT FOLLOWED' '"name":"later","text":"applied, 1 operation"' \
    'STATES reverted applied /d1/y' 'HIS IS KEPT'
  grep -q 'BACK .*"name":"sys","text":"reverted: .*stays in the graveyard' <<<"$output"
  grep -q 'BACK .*"name":"/d1/home/u/d/f"' <<<"$output"
}

@test "a project of XFS a user gave his directory keeps nobody else's file from being taken back" {
  command -v mkfs.xfs >/dev/null || skip 'needs mkfs.xfs'
  in_root "$GRAVES" <<'END'
truncate -s 320M /w/xfs; mkfs.xfs -q /w/xfs; mount -o loop /w/xfs /d3 || { echo NO XFS; exit; }
mkdir -p /d3/home/u/d; chown -R 1000 /d3/home/u; echo his >/d3/home/u/d/f
for n in first zz; do echo old >/d3/$n; echo new >/d3/$n.new; done
printf '!/d3/first.new\t/d3/first\n-\t/d3/home/u/d/f\n!/d3/zz.new\t/d3/zz\n' | pending add -m - --group sys
boot >/dev/null; echo "IS $(cat /d3/first /d3/zz | tr '\n' ' ')"
# FS_IOC_FSGETXATTR, FS_IOC_FSSETXATTR: new files are of project 77, and no other may come in
setpriv --reuid 1000 --clear-groups /usr/bin/python3 -c 'import fcntl, os, struct
fd, form = os.open("/d3/home/u/d", os.O_RDONLY), "<5I8s"
flags, size, extents, project, cow, pad = struct.unpack(form, fcntl.ioctl(fd, 0x801c581f, bytes(28)))
fcntl.ioctl(fd, 0x401c5820, struct.pack(form, flags | 0x200, size, extents, 77, cow, pad))'
boot --word SMSS_LEVEL=1 | sed 's/^/BACK /'; echo "NOW $(cat /d3/first /d3/zz | tr '\n' ' ')$(states)"
echo x >/d3/x; pending add /d3/x /d3/y --group later; boot; echo "STATES $(states) $(ls /d3/y)"
purge_all; kept /d3 his && echo HIS IS KEPT
END
  [[ $output != *'NO XFS'* ]] || skip 'this kernel mounts no XFS'
  has 'IS new new' 'NOW old old reverted' 'STATES reverted applied /d3/y' 'HIS IS KEPT'
  grep -q 'BACK .*"name":"sys","text":"reverted: .*stays in the graveyard' <<<"$output"
  grep -q 'BACK .*"name":"/d3/home/u/d/f"' <<<"$output"
}
